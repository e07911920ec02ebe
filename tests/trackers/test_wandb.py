"""Weights & Biases, for real and offline: what its own program wrote, read by its own messages."""

import importlib
import json
import struct

import pytest

pytestmark = pytest.mark.slow
BLOCK, HEADER = 32768, 7
"""Bytes of a block of the log and of a record's header; the file begins with a header, too."""
LAST = (1, 4)
"""Kinds of parts that end a record: whole, last."""


def records(path):
    """The records of a log in LevelDB's format."""
    content, part, at = path.read_bytes(), b"", HEADER
    while at < len(content):
        if BLOCK - at % BLOCK < HEADER:  # the rest of a block is padding
            at += BLOCK - at % BLOCK
            continue
        length, kind = struct.unpack("<HB", content[at + 4 : at + HEADER])
        part += content[at + HEADER : at + HEADER + length]
        at += HEADER + length
        if kind in LAST:
            yield part
            part = b""


@pytest.mark.filterwarnings("ignore")
def test_its_offline_folders_hold_one_run_with_everything(trained):
    pytest.importorskip("wandb", reason="the extra trackers is not installed")
    run_dir, lines, summary = trained("wandb")
    message = importlib.import_module("wandb.proto.wandb_internal_pb2").Record
    folders = sorted((run_dir / "wandb").glob("offline-run-*"))
    (known_as,) = {folder.name.split("-")[-1] for folder in folders}
    assert len(folders) == 2, "one for each part of the training"
    found = [message.FromString(record) for folder in folders for record in records(folder / f"run-{known_as}.wandb")]
    starts = [record.run for record in found if record.WhichOneof("record_type") == "run"]
    assert {(run.run_id, run.project, run.display_name) for run in starts} == {(known_as, "jaxvae", "small")}
    config = {update.key: json.loads(update.value_json) for update in starts[0].config.update}
    assert (config["latent_dim"], config["train"]["steps"]) == (2, 10)
    history = [
        {"/".join(item.nested_key) or item.key: json.loads(item.value_json) for item in record.history.item}
        for record in found
        if record.WhichOneof("record_type") == "history"
    ]
    for split, name in (("train", "loss"), ("validation", "elbo")):
        logged = [(row["_step"], row[f"{split}/{name}"]) for row in history if f"{split}/{name}" in row]
        assert logged == [(line["step"], line[name]) for line in lines if line["split"] == split]
        assert [step for step, _ in logged] == [2, 4, 6, 8, 10]
    ((step, picture),) = [(row["_step"], row[image]) for row in history if (image := "figures/small.png/path") in row]
    kept = folders[1] / "files" / picture
    assert step == 10
    assert kept.read_bytes() == (run_dir / "figures" / "small.png").read_bytes()
    ended = [record.summary for record in found if record.WhichOneof("record_type") == "summary"]
    numbers = {item.key or "/".join(item.nested_key): item.value_json for part in ended for item in part.update}
    assert json.loads(numbers["test_elbo"]) == summary["test_elbo"]
