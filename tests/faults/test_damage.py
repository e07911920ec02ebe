"""Damaged files: named in one line before a single step, and what is intact is used."""

import json
import random
import shutil

import pytest

from jaxvae.options import given
from jaxvae.runs import load_run

pytestmark = [pytest.mark.faults, pytest.mark.slow]
STEP = "checkpoints/20"


def some_file(folder, draw):
    return draw.choice(sorted(path for path in folder.rglob("*") if path.is_file()))


def flip_a_byte(folder, draw):
    path = some_file(folder, draw)
    content = bytearray(path.read_bytes())
    content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
    path.write_bytes(content)


def truncate_a_file(folder, draw):
    path = some_file(folder, draw)
    path.write_bytes(path.read_bytes()[: draw.randrange(path.stat().st_size)])


def delete_a_file(folder, draw):
    some_file(folder, draw).unlink()


def empty_the_folder(folder, draw):
    shutil.rmtree(folder)
    folder.mkdir()


def delete_the_seal(folder, draw):
    (folder / "sha256.json").unlink()


DAMAGES = [flip_a_byte, truncate_a_file, delete_a_file, empty_the_folder, delete_the_seal]


def test_a_damaged_checkpoint_gives_way_to_the_one_before(
    fault, few, rounds, command, resumed, interrupted, caplog, assert_nothing_is_lost
):
    for damage in few(DAMAGES, 1):
        for seed in range(max(rounds(1) // len(DAMAGES), 1)):
            with fault(f"newest checkpoint, {damage.__name__.replace('_', ' ')}: named, the one before is used"):
                shutil.rmtree(resumed.run_dir)
                shutil.copytree(interrupted, resumed.run_dir)
                damage(resumed.run_dir / STEP, random.Random(seed))
                caplog.clear()
                code, output, _ = command(resumed)
                assert code == 0
                assert caplog.text.count("checkpoint 20 is damaged and was passed over") == 1
                assert f"resuming {resumed.run_dir} from step 10" in output
                assert_nothing_is_lost(resumed.run_dir)


def test_where_no_checkpoint_is_intact_the_run_refuses(fault, command, resumed):
    with fault("all checkpoints damaged: refused"):
        before = (resumed.run_dir / "metrics.jsonl").read_bytes()
        for step in ("10", "20"):
            flip_a_byte(resumed.run_dir / "checkpoints" / step, random.Random(0))
        code, _, error = command(resumed)
        assert code == 2
        assert "error: run-dir: none of the checkpoints [10, 20] in" in error
        assert "is intact; move the folder away to start afresh" in error
        assert (resumed.run_dir / "metrics.jsonl").read_bytes() == before


def tear(path):
    path.write_text(path.read_text()[:-9])


def replace_by_nothing(path):
    path.write_text("")


def replace_by_bytes(path):
    path.write_bytes(b"\xff\x00\xfe")


def delete(path):
    path.unlink()


FILE_DAMAGES = [(name, damage) for name in ("config.json", "manifest.json") for damage in (tear, replace_by_bytes)]
FILE_DAMAGES += [("config.json", delete), ("manifest.json", delete), ("manifest.json", replace_by_nothing)]


def test_what_config_and_manifest_say_every_checkpoint_repeats(
    fault, few, command, resumed, interrupted, caplog, assert_nothing_is_lost
):
    for name, damage in few(FILE_DAMAGES, 1):
        with fault(f"{name} damaged or deleted: named, taken from a checkpoint"):
            shutil.rmtree(resumed.run_dir)
            shutil.copytree(interrupted, resumed.run_dir)
            damage(resumed.run_dir / name)
            assert load_run(resumed.run_dir).step == 20
            other = given(resumed, learning_rate=0.5)
            if name == "config.json":
                assert "learning_rate 0.001 there, 0.5 here" in command(other)[2], "still it is another run"
            caplog.clear()
            assert command(resumed)[0] == 0
            assert f"{name} cannot be read" in caplog.text
            assert_nothing_is_lost(resumed.run_dir)


def test_damaged_lines_of_metrics_are_kept_aside(fault, train, resumed, whole, caplog):
    with fault("metrics.jsonl damaged: named, the rest kept"):
        path = resumed.run_dir / "metrics.jsonl"
        damaged = path.read_bytes().replace(b'"step": 7,', b'"step\x00 7,')
        path.write_bytes(damaged)
        assert train.main(resumed) == 0
        assert "line [1] cannot be read; kept as metrics.damaged.jsonl" in caplog.text
        assert "1 of 4 lines are lost" in caplog.text
        assert (resumed.run_dir / "metrics.damaged.jsonl").read_bytes() == damaged
        assert steps(path) == steps(whole / "metrics.jsonl")[1:]


def test_lost_lines_of_metrics_are_missed(fault, rounds, train, resumed, caplog):
    assert rounds(0)
    with fault("metrics.jsonl deleted or cut: named"):
        path = resumed.run_dir / "metrics.jsonl"
        path.write_text("".join(path.read_text().splitlines(keepends=True)[:2]))
        assert train.main(resumed) == 0
        assert "2 of 4 lines are lost" in caplog.text
        (record, *_) = steps(path)
        assert record == ["train", 7]


def steps(path):
    return [[record["split"], record["step"]] for record in map(json.loads, path.read_text().splitlines())]


def test_a_damaged_summary_is_written_again(fault, rounds, train, resumed, assert_nothing_is_lost):
    assert rounds(0)
    with fault("summary.json damaged: written again"):
        assert train.main(resumed) == 0
        tear(resumed.run_dir / "summary.json")
        assert train.main(resumed) == 0
        assert_nothing_is_lost(resumed.run_dir)
