"""Numbers that a seed has led to before, kept by version of JAX and platform.

Whole numbers (random bits, orders, binarized pixels) must be what they were to the last bit. Floating-point numbers may
differ in the last digits from one processor to another, so losses have a tolerance. Add what a new version gives by

    python tests/golden/test_golden.py
"""

import hashlib
import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxvae import rng
from jaxvae.data import load
from jaxvae.data.batches import BatchOrder, make_batch
from jaxvae.data.spaces import Pixels
from jaxvae.objectives.denoising import salt_and_pepper
from jaxvae.options import given
from jaxvae.runs.engine import step_maker
from jaxvae.runs.parts import build_parts, initial_state
from jaxvae.runs.settle import settle, settle_space

VALUES = Path(__file__).with_name("values.json")
STEPS = 4
BINARIZED = Pixels((8, 8, 1), "ink", binarize=True)
CONFIGS = {
    "vae": given(hidden=(8,), latent_dim=2, batch_size=16),
    "conv_vae": given(preset="conv_vae", hidden=(8,), channels=(2,), latent_dim=2, batch_size=16),
}


def version():
    """Patch releases of JAX share their numbers."""
    return f"jax {'.'.join(jax.__version__.split('.')[:2])} {jax.default_backend()}"


def key(name):
    return rng.stream(rng.root(0), name, 3)


def whole_numbers():
    """Arrays of integers, or of 0 and 1."""
    ids = jnp.arange(16)
    images = jnp.asarray(load("digits", None).train.x[:16])
    return {
        "root key": jax.random.key_data(rng.root(7)),
        "bits": jax.random.bits(key("bits"), (64,)),
        "example keys": jax.random.key_data(rng.example_keys(key("examples"), ids)),
        "batch order": BatchOrder(rng.root(0), 1297, 128).block(1)[0],
        "binarized digits": make_batch(images, key("pixels"), ids, jnp.ones(16), space=BINARIZED).x.astype(jnp.uint8),
        "salt and pepper": salt_and_pepper(key("corruption"), jnp.full((8, 8), 7, jnp.uint8), 0.5),
    }


def digests():
    return {name: hashlib.sha256(np.asarray(array).tobytes()).hexdigest() for name, array in whole_numbers().items()}


def losses(config):
    """Of the first steps."""
    data = load("digits", None)
    config = settle(config, data)
    data = settle_space(config.data.binarize, data)
    parts = build_parts(config, data.space)
    rows = {"x": jnp.asarray(data.train.x)}
    state = initial_state(config, parts, mean=jnp.asarray(data.train.mean()))
    ids, weights = BatchOrder(rng.root(0), data.train.num_examples, config.train.batch_size).block(0)
    step, values = jax.jit(step_maker(parts, config.train, data.train)(None)), []
    for number in range(STEPS):
        state, metrics = step(state, rows, ids[number], weights[number], None)
        values.append(float(metrics["loss"]))
    return values


@pytest.fixture(scope="module")
def golden():
    values = json.loads(VALUES.read_text())
    if version() not in values:
        pytest.skip(f"no golden values for {version()}: add them by python tests/golden/test_golden.py")
    return values[version()]


def test_random_numbers_orders_and_pixels_are_what_they_were(golden):
    assert digests() == golden["digests"]


@pytest.mark.parametrize("name", ["vae", pytest.param("conv_vae", marks=pytest.mark.slow)])
def test_losses_are_what_they_were(golden, name):
    np.testing.assert_allclose(losses(CONFIGS[name]), golden["losses"][name], rtol=1e-5)


def test_versions_that_are_claimed_have_values():
    assert {"jax 0.10 cpu", "jax 0.12 cpu"} <= json.loads(VALUES.read_text()).keys()


if __name__ == "__main__":
    new = {"digests": digests(), "losses": {name: losses(config) for name, config in CONFIGS.items()}}
    known = json.loads(VALUES.read_text()) if VALUES.exists() else {}
    VALUES.write_text(json.dumps({**known, version(): new}, indent=2, sort_keys=True) + "\n")
    print(f"wrote the values of {version()} to {VALUES}")
