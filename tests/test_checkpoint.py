"""Checkpoints: whole or not at all, and never a wrong number."""

import errno
import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxvae import checkpoint, rng
from jaxvae.checkpoint import SEAL, Checkpoints, digest
from jaxvae.errors import InputError
from jaxvae.training import init_state


def state_at(step):
    params = {"w": jnp.arange(6000.0).reshape(60, 100) + step, "b": jnp.full((3,), step, jnp.bfloat16)}
    return init_state(rng.root(4), params, optax.adam(1e-3))._replace(step=jnp.int32(step))


LIKE = jax.eval_shape(lambda: state_at(0))


def save(folder, scores):
    for step, score in scores.items():
        Checkpoints(folder).save(step, state_at(step), {"seen": step}, score)


def restore(folder, **options):
    return Checkpoints(folder).restore(LIKE, **options).state


def test_round_trip_keeps_every_bit(tmp_path):
    save(tmp_path, {3: 1.0})
    assert digest(restore(tmp_path)) == digest(state_at(3))
    assert Checkpoints(tmp_path).restore(LIKE).about == Checkpoints(tmp_path).about() == {"seen": 3}


def test_nothing_saved_restores_nothing(tmp_path):
    assert Checkpoints(tmp_path / "new").restore(LIKE) is None
    assert not (tmp_path / "new").exists(), "who only reads leaves nothing behind"


def test_newest_and_best_are_kept(tmp_path):
    save(tmp_path, {1: 5.0, 2: 9.0, 3: 4.0, 4: 3.0, 5: 2.0})
    assert Checkpoints(tmp_path).steps() == [2, 4, 5]
    assert digest(restore(tmp_path, best=True)) == digest(state_at(2))


def test_what_was_not_evaluated_is_not_the_best(tmp_path):
    save(tmp_path, {1: 1.0, 2: None})
    assert digest(restore(tmp_path, best=True)) == digest(state_at(1))
    assert digest(restore(tmp_path)) == digest(state_at(2))
    save(tmp_path / "other", {1: None})
    with pytest.raises(InputError, match=r"none of the checkpoints \[1\] in .* is intact and evaluated"):
        restore(tmp_path / "other", best=True)


def test_a_damaged_best_gives_way_to_the_next_best(tmp_path, caplog):
    save(tmp_path, {1: 9.0, 2: 3.0, 3: 5.0})
    flip_a_byte(tmp_path / "1")
    assert digest(restore(tmp_path, best=True)) == digest(state_at(3))
    assert "checkpoint 1 is damaged" in caplog.text


def files(step):
    return sorted(path for path in step.rglob("*") if path.is_file())


def largest_file(step):
    """Where the parameters' own bytes are."""
    return max(files(step), key=lambda path: path.stat().st_size)


def flip_a_byte(step, path=None):
    path = path or largest_file(step)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def truncate(step):
    path = largest_file(step)
    path.write_bytes(path.read_bytes()[:100])


def empty(step):
    shutil.rmtree(step)
    step.mkdir()


def delete(step):
    largest_file(step).unlink()


def no_seal(step):
    (step / SEAL).unlink()


def damaged_seal(step):
    flip_a_byte(step, step / SEAL)


def torn_seal(step):
    (step / SEAL).write_text((step / SEAL).read_text()[:-9])


def damaged_meta(step):
    flip_a_byte(step, step / "meta.json")


@pytest.mark.parametrize(
    "damage", [flip_a_byte, truncate, delete, empty, no_seal, damaged_seal, torn_seal, damaged_meta]
)
def test_damage_is_named_and_the_newest_intact_step_is_used(tmp_path, damage, caplog):
    save(tmp_path, {1: 1.0, 2: 2.0})
    damage(tmp_path / "2")
    assert digest(restore(tmp_path)) == digest(state_at(1))
    assert "checkpoint 2 is damaged" in caplog.text


def test_a_flipped_byte_in_any_file_is_seen(tmp_path, caplog):
    save(tmp_path, {1: 1.0, 2: 2.0})
    for path in files(tmp_path / "2"):
        flip_a_byte(tmp_path / "2", path)
        caplog.clear()
        assert digest(restore(tmp_path)) == digest(state_at(1)), path
        assert caplog.text.count("checkpoint 2 is damaged and was passed over") == 1, path
        flip_a_byte(tmp_path / "2", path)
    assert digest(restore(tmp_path)) == digest(state_at(2))


def test_a_damaged_step_is_replaced_when_the_run_comes_to_it_again(tmp_path):
    save(tmp_path, {1: 9.0, 2: 2.0, 3: 3.0})
    flip_a_byte(tmp_path / "2")
    flip_a_byte(tmp_path / "3")
    save(tmp_path, {2: 2.0})
    assert Checkpoints(tmp_path).steps() == [1, 2], "what comes after the newest intact step is damaged, and goes"
    assert digest(restore(tmp_path)) == digest(state_at(2))


def test_a_file_that_the_disk_cannot_read_is_damage(tmp_path, monkeypatch, caplog):
    save(tmp_path, {1: 1.0, 2: 2.0})
    read, unreadable = Path.read_bytes, largest_file(tmp_path / "2")

    def read_bytes(path):
        if path == unreadable:
            raise OSError(errno.EIO, "Input/output error", str(path))
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", read_bytes)
    assert digest(restore(tmp_path)) == digest(state_at(1))
    assert f"{unreadable} cannot be read: Input/output error" in caplog.text


def test_a_run_that_goes_on_while_it_is_read(tmp_path, monkeypatch):
    save(tmp_path, {1: None, 2: None})
    fault, calls = checkpoint._fault, []

    def overtaken(folder):
        calls.append(folder)
        if len(calls) == 1:
            save(tmp_path, {3: None, 4: None})
        return fault(folder)

    monkeypatch.setattr(checkpoint, "_fault", overtaken)
    assert digest(restore(tmp_path)) == digest(state_at(4))


def test_a_full_disk_leaves_the_others_intact(tmp_path, monkeypatch):
    save(tmp_path, {1: 1.0, 2: 2.0})
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=2**18 + 100))
    with pytest.raises(OSError, match="No space left on device"):
        save(tmp_path, {3: 3.0})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1", "2"]


@pytest.mark.parametrize("moment", ["write_state", "file_digests", "remove"])
def test_a_save_that_ends_at_any_moment_is_whole_or_not_at_all(tmp_path, monkeypatch, moment):
    save(tmp_path, {1: 1.0, 2: 2.0, 3: 3.0})

    def end(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, f"_{moment}", end)
        with pytest.raises(KeyboardInterrupt):
            save(tmp_path, {4: 4.0})
    assert digest(restore(tmp_path)) == digest(state_at(3))
    save(tmp_path, {4: 4.0})
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["3", "4"], "nothing half is left behind"


def test_what_is_half_removed_is_no_checkpoint_and_goes(tmp_path, monkeypatch):
    save(tmp_path, {1: 1.0, 2: 2.0})

    def end(folder):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", end)
        with pytest.raises(KeyboardInterrupt):
            save(tmp_path, {3: 3.0})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1.old.part", "2", "3"]
    Checkpoints(tmp_path).remove_parts()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["2", "3"]
    assert digest(restore(tmp_path)) == digest(state_at(3))


def seal(step):
    (step / SEAL).write_text(json.dumps(checkpoint._file_digests(step)))


def as_format_1(step):
    """As the first version laid it out."""
    meta = json.loads((step / "meta.json").read_text())
    (step / "meta.json").unlink()
    (step / "meta").mkdir()
    (step / "meta" / "metadata").write_text(json.dumps({**meta, "format": 1}))


def as_format_3(step):
    """As a version to come may lay it out: of the rest nothing is known."""
    (step / "meta.json").write_text(json.dumps({"format": 3}))


@pytest.mark.parametrize("best", [False, True])
@pytest.mark.parametrize("change", [as_format_1, as_format_3])
def test_another_format_is_refused_by_its_number(tmp_path, change, best):
    save(tmp_path, {1: 1.0})
    change(tmp_path / "1")
    seal(tmp_path / "1")
    message = f"1 has format {change.__name__[-1]}, this version reads format 2; use the version that wrote it"
    with pytest.raises(InputError, match=message):
        restore(tmp_path, best=best)


def test_no_intact_checkpoint_is_an_error(tmp_path):
    save(tmp_path, {1: 1.0})
    flip_a_byte(tmp_path / "1")
    with pytest.raises(InputError, match=r"run-dir: none of the checkpoints \[1\]"):
        restore(tmp_path)


def test_another_model_does_not_load(tmp_path):
    save(tmp_path, {1: 1.0})
    other = LIKE._replace(params={"w": jax.ShapeDtypeStruct((60, 99), jnp.float32), "b": LIKE.params["b"]})
    with pytest.raises(InputError, match=r"another model: state.params\['w'\] is float32 \(60, 100\) there"):
        Checkpoints(tmp_path).restore(other)


@pytest.mark.parametrize(
    "other",
    [
        {"a": np.zeros(3, np.float32)},
        {"b": np.zeros(2, np.float32)},
        {"a": np.zeros(2, np.int32)},
        {"a": np.array([0.0, -0.0], np.float32)},
    ],
    ids=["shape", "name", "dtype", "sign"],
)
def test_digest_sees_every_difference(other):
    assert digest(other) != digest({"a": np.zeros(2, np.float32)})
