"""Checkpoints: whole or not at all, and never a wrong number."""

import shutil

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxvae import rng
from jaxvae.checkpoint import SEAL, Checkpoints, digest
from jaxvae.training import init_state
from jaxvae.types import InputError


def state_at(step):
    params = {"w": jnp.arange(6000.0).reshape(60, 100) + step, "b": jnp.full((3,), step, jnp.bfloat16)}
    return init_state(rng.root(4), params, optax.adam(1e-3))._replace(step=jnp.int32(step))


LIKE = jax.eval_shape(lambda: state_at(0))


def save(folder, scores):
    checkpoints = Checkpoints(folder)
    for step, score in scores.items():
        checkpoints.save(step, state_at(step), {"steps": 9}, score)
    checkpoints.close()


def restore(folder):
    return Checkpoints(folder).restore(LIKE)


def test_round_trip_keeps_every_bit(tmp_path):
    save(tmp_path, {3: 1.0})
    assert digest(restore(tmp_path)) == digest(state_at(3))


def test_nothing_saved_restores_nothing(tmp_path):
    assert restore(tmp_path) is None


def test_newest_and_best_are_kept(tmp_path):
    save(tmp_path, {1: 5.0, 2: 9.0, 3: 4.0, 4: 3.0, 5: 2.0})
    checkpoints = Checkpoints(tmp_path)
    assert checkpoints.steps() == [2, 4, 5]
    assert digest(checkpoints.restore(LIKE, best=True)) == digest(state_at(2))


def largest_file(step):
    """Where the parameters' own bytes are."""
    return max((path for path in step.rglob("*") if path.is_file()), key=lambda path: path.stat().st_size)


def flip_a_byte(step):
    path = largest_file(step)
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


@pytest.mark.parametrize("damage", [flip_a_byte, truncate, delete, empty])
def test_damage_is_named_and_the_newest_intact_step_is_used(tmp_path, damage, caplog):
    save(tmp_path, {1: 1.0, 2: 2.0})
    damage(tmp_path / "2")
    assert digest(restore(tmp_path)) == digest(state_at(1))
    assert "checkpoint 2 is damaged" in caplog.text


def test_without_its_seal_the_numbers_themselves_decide(tmp_path):
    save(tmp_path, {1: 1.0, 2: 2.0})
    (tmp_path / "2" / SEAL).unlink()
    assert digest(restore(tmp_path)) == digest(state_at(2))


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
