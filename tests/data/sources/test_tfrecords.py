"""Files of TFRecord: the records are those that grain reads in order."""

import struct

import grain
import numpy as np
import pytest

from jaxvae.data.sources.tfrecords import TFRecords
from jaxvae.errors import InputError

RECORDS = [[b"one", b"", b"three" * 100], [], [b"four"]]


def write(path, records):
    path.write_bytes(b"".join(struct.pack("<QI", len(one), 0) + one + bytes(4) for one in records))
    return path


def test_records_of_several_files_by_their_numbers(tmp_path):
    files = [write(tmp_path / f"x-{i}.tfrecord", records) for i, records in enumerate(RECORDS)]
    expected = [one for file in files for one in grain.experimental.TFRecordIterDataset(str(file))]
    assert expected == [one for records in RECORDS for one in records]
    records = TFRecords(files)
    assert len(records) == 4
    assert records.__getitems__([3, 0, 0, 2]) == [expected[i] for i in (3, 0, 0, 2)]
    assert records.__getitems__(range(4)) == expected
    assert records.__getitems__(np.array([1]).tolist()) == [b""]


def test_a_file_that_ends_early_is_refused(tmp_path):
    content = write(tmp_path / "x.tfrecord", RECORDS[0]).read_bytes()
    ends = 16 + 3, 16 + 3 + 16  # of the first two records
    for length in range(1, len(content)):
        (tmp_path / "x.tfrecord").write_bytes(content[:length])
        if length in ends:
            assert len(TFRecords([tmp_path / "x.tfrecord"])) == 1 + ends.index(length)
            continue
        with pytest.raises(InputError, match=r"x\.tfrecord: ends within record [0-2]; prepare the set again"):
            TFRecords([tmp_path / "x.tfrecord"])
    with pytest.raises(InputError, match="gone: cannot be read"):
        TFRecords([tmp_path / "gone"])
