"""Any set of TensorFlow Datasets by its name; a prepared one is read without TensorFlow."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from jaxvae.data.dataset import Dataset
from jaxvae.data.places import asked, stem
from jaxvae.data.preparation import Preparation, prepare
from jaxvae.data.sources.described import Described, open_described
from jaxvae.data.sources.features import Chosen, Feature, check_choices, choose, split_parts
from jaxvae.data.sources.tfds_prepare import missing, prepare_set
from jaxvae.data.sources.tfds_sets import TFDS_SETS, open_tfds
from jaxvae.data.sources.tfds_trust import check_trusted
from jaxvae.data.sources.tfrecords import TFRecords
from jaxvae.errors import InputError, did_you_mean, first_line


def open_tfds_by_name(name: str, data_dir: Path | None, manual_dir: Path | None, preparation: Preparation) -> Dataset:
    """Open a set by its name, `tfds:NAME/CONFIG:VERSION?image=A&label=B`, after its preparation if needed.

    Features and splits are chosen behind the question mark, see `features.choose`. The sets that have a name here are
    the same as without `tfds:`.

    Raises:
        InputError: there is no such set, or it cannot be prepared or read.
    """
    bare, chosen = asked(name)
    if bare in TFDS_SETS and not chosen:
        return prepare(open_tfds(bare, data_dir, manual_dir), preparation)
    return open_described(*describe_tfds(name, data_dir, manual_dir), preparation)


def describe_tfds(name: str, data_dir: Path | None = None, manual_dir: Path | None = None) -> tuple[Described, Chosen]:
    """Return a set by its name, see `open_tfds_by_name`, and the features that are chosen."""
    bare, chosen = asked(name)
    what = f"tfds:{bare}"
    check_choices(what, chosen)
    folder = data_dir or os.environ.get("TFDS_DATA_DIR")
    builder = _builder(what, bare, Path(folder).expanduser() if folder else None)
    if not builder.data_path.exists():
        prepare_set(what, builder, manual_dir)
    features = _features(builder.info.features)
    roles = choose(what, features, chosen, _supervised(builder.info))
    parts = split_parts(what, builder.info.splits, chosen)
    splits = list(parts or builder.info.splits)
    return Described(what, stem(name), features, *_reader(what, builder, features, splits, parts)), roles


def _builder(what: str, name: str, data_dir: Path | None) -> Any:
    """Find a set among the prepared ones, then among those that TFDS can prepare."""
    import tensorflow_datasets as tfds

    check_trusted(what, name, data_dir or Path("~/tensorflow_datasets").expanduser())
    try:
        try:
            return tfds.core.read_only_builder.builder_from_files(name, data_dir=data_dir)
        except tfds.core.DatasetNotFoundError:
            return tfds.builder(name, data_dir=data_dir)
    except tfds.core.DatasetNotFoundError as error:
        hint = did_you_mean(name.split("/")[0], tfds.list_builders(with_community_datasets=False))
        found = f"is neither a set of TFDS{hint} nor prepared in {data_dir or '~/tensorflow_datasets'}"
        raise InputError(f"{what}: {found}; name the folder that has it with --data-dir or TFDS_DATA_DIR") from error
    except ImportError as error:
        raise InputError(f"{what}: its preparation {missing(error)}") from error
    except Exception as error:  # of versions, configs and damaged descriptions; they have no common class
        remedy = "correct its name, or prepare it again"
        raise InputError(f"{what}: cannot be opened ({_reason(error)}); {remedy}") from error


def _reason(error: BaseException) -> str:
    """Return the last part of TFDS's messages, which name the set first."""
    return first_line(error).rsplit('}": ', 1)[-1].rstrip(": .")


def _supervised(info: Any) -> str | None:
    """Return the feature that the set is meant to predict, if it is a single one."""
    keys = info.supervised_keys
    return keys[1] if keys and isinstance(keys[1], str) else None


def _features(features: Any, above: str = "") -> dict[str, Feature]:
    """Return the features of a set by their paths, such as `attributes/smile`."""
    import tensorflow_datasets as tfds

    found: dict[str, Feature] = {}
    for name, feature in features.items():
        if isinstance(feature, tfds.features.FeaturesDict):
            found |= _features(feature, f"{above}{name}/")
        else:
            found[above + name] = _feature(feature)
    return dict(sorted(found.items()))


def _feature(feature: Any) -> Feature:
    from tensorflow_datasets import features

    shape, other = feature.shape, Feature("other")
    if not isinstance(shape, tuple) or isinstance(feature, features.Audio | features.BBoxFeature):
        return other
    dtype = np.dtype(feature.np_dtype)
    if isinstance(feature, features.Image):
        # Images of floats are stored as PNG files of four bytes a pixel.
        return Feature("image") if dtype.kind == "u" else other
    if isinstance(feature, features.ClassLabel):
        names = tuple(feature.names) if feature.num_classes else ()
        return Feature("label", dtype, names=names)
    if isinstance(feature, features.Text):
        return Feature("text")
    is_encoded = dtype != feature.get_serialized_info().np_dtype
    if None in shape or dtype.kind not in "biuf" or (is_encoded and not shape):
        return other
    return Feature("array" if shape else "number", dtype, shape)


def _reader(
    what: str, builder: Any, features: Mapping[str, Feature], splits: Sequence[str], parts: Mapping[str, int] | None
) -> tuple[_Reader, np.ndarray | None]:
    """Return a reader of several splits, one after another, and the part number of each of their examples."""
    import tensorflow_datasets as tfds

    try:
        if builder.info.file_format == tfds.core.FileFormat.TFRECORD:
            files = [builder.data_path / name for split in splits for name in builder.info.splits[split].filenames]
            records: Any = TFRecords([Path(file) for file in files])
        else:
            raw = tfds.decode.DeserializeMethod.RAW_BYTES
            records = builder.as_data_source("+".join(splits), deserialize_method=raw)
        sizes = [builder.info.splits[split].num_examples for split in splits]
        if len(records) != sum(sizes):
            raise ValueError(f"{len(records)} examples in place of {sum(sizes)}")
    except InputError:
        raise
    except Exception as error:  # array_record and pyarrow have no common class of errors
        raise InputError(f"{what}: cannot be read in {builder.data_path} ({first_line(error)}); {_AGAIN}") from error
    numbers = None if parts is None else np.repeat([parts[split] for split in splits], sizes)
    return _Reader(f"{what}: cannot be read in {builder.data_path}", records, builder.info.features, features), numbers


_AGAIN = "remove that folder to have it prepared again, or name another with --data-dir"


class _Reader:
    """Examples of a prepared set: records of `tf.train.Example`, of which TFDS decodes arrays alone."""

    def __init__(self, what: str, records: Any, features: Any, described: Mapping[str, Feature]) -> None:
        import tensorflow_datasets as tfds

        self._what, self._records, self._described = what, records, described
        arrays = {name: _leaf(features, name) for name, feature in described.items() if feature.kind == "array"}
        self._decode = {
            name: tfds.features.FeaturesDict({name: leaf}).deserialize_example_np for name, leaf in arrays.items()
        }

    def __len__(self) -> int:
        return len(self._records)

    def read(self, names: Sequence[str], ids: Sequence[int]) -> dict[str, list[Any]]:
        """Return values of features by name, see `described.Reader`."""
        from tensorflow_datasets.proto import tf_example_pb2

        try:
            records = self._records.__getitems__(list(ids))
            examples = [tf_example_pb2.Example.FromString(record).features.feature for record in records]
            return {name: self._values(name, records, examples) for name in names}
        except Exception as error:  # array_record, protobuf and TFDS have no common class of errors
            raise InputError(f"{self._what} ({first_line(error)}); {_AGAIN}") from error

    def _values(self, name: str, records: Sequence[bytes], examples: Sequence[Any]) -> list[Any]:
        if name in self._decode:
            return [self._decode[name](record)[name] for record in records]
        found = [_first(example[name]) for example in examples]
        return [word and word.decode() for word in found] if self._described[name].kind == "text" else found


def _first(feature: Any) -> Any:
    """Return the value of a feature in a record, None where it is missing."""
    kind = feature.WhichOneof("kind")
    values = () if kind is None else getattr(feature, kind).value
    return values[0] if values else None


def _leaf(features: Any, path: str) -> Any:
    for name in path.split("/"):
        features = features[name]
    return features
