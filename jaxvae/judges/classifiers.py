"""Classifier of images by convolutions, trained on a training split: judge of samples and source of features."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from jaxvae import rng
from jaxvae.errors import InputError
from jaxvae.evaluation import in_blocks
from jaxvae.features import Classifier, FeatureNetwork, layers
from jaxvae.types import Array, Bar, Key, Params

BATCH_SIZE, LEARNING_RATE = 128, 1e-3
"""Settings of the training."""
SHIFT = 14
"""Part of the shorter side by which an image is shifted at most: 2 pixels of 28."""


def fit_classifier(
    images: Any, labels: Any, *, steps: int = 2000, seed: int = 0, bar: Bar | None = None
) -> tuple[Classifier, Params]:
    """Train a classifier with Adam, whose rate falls to 0, on images that are shifted by a few pixels.

    Args:
        images: `[N, H, W, C]`, in [0, 1] or uint8.
        labels: `[N]` integers from 0 to K - 1.
        steps: number of steps, of 128 images each.
        seed: seed of all randomness.
        bar: wrapper of the batches that shows progress.

    Returns:
        The network, and its parameters by name.

    Raises:
        InputError: examples are no images, there is only one class, or not one label for each image.
    """
    images, labels = np.asarray(images), np.asarray(labels)
    _check(images, labels)
    network = Classifier(int(labels.max()) + 1)
    key, batch = rng.root(seed), min(BATCH_SIZE, len(images))
    batches = _batches(len(images), batch, steps, seed)
    params = network.init(rng.stream(key, "init"), images.shape[1:])
    optimizer = optax.adam(optax.cosine_decay_schedule(LEARNING_RATE, steps))

    @jax.jit
    def step(params: Params, state: Any, number: int, x: Array, y: Array) -> tuple[Params, Any]:
        keys = rng.sample_keys(rng.stream(key, "shifts", number), len(x))
        shifted = jax.vmap(_shifted)(keys, _unit(x))

        def loss(params: Params) -> Array:
            logits = layers(network, params, shifted)["logits"]
            return optax.softmax_cross_entropy_with_integer_labels(logits, y).mean()

        updates, state = optimizer.update(jax.grad(loss)(params), state)
        return optax.apply_updates(params, updates), state

    state = optimizer.init(params)
    for number, ids in enumerate(batches if bar is None else bar(batches)):
        params, state = step(params, state, number, images[ids], labels[ids])
    return network, params


def _batches(num: int, batch_size: int, steps: int, seed: int) -> np.ndarray:
    """Return `[steps, B]` example numbers; an epoch leaves out what does not fill a batch."""
    order, each = np.random.default_rng(seed), num // batch_size
    epochs = [order.permutation(num)[: each * batch_size] for _ in range(-(-steps // each))]
    return np.concatenate(epochs).reshape(-1, batch_size)[:steps]


def probabilities(network: FeatureNetwork, params: Params, images: Any, *, at_once: int = 500) -> np.ndarray:
    """Return `[N, K]` probabilities of the classes of images `[N, H, W, C]`, in [0, 1] or uint8."""
    return in_blocks(lambda x: jax.nn.softmax(layers(network, params, _unit(x))["logits"]), images, block_size=at_once)


def pooled(network: FeatureNetwork, params: Params, images: Any, *, at_once: int = 500) -> np.ndarray:
    """Return `[N, F]` features of whole images `[N, H, W, C]`, in [0, 1] or uint8."""
    return in_blocks(lambda x: layers(network, params, _unit(x), ["pooled"])["pooled"], images, block_size=at_once)


def _check(images: np.ndarray, labels: np.ndarray) -> None:
    if images.ndim != 4:
        raise InputError(f"images: must be [N, H, W, C], got shape {images.shape}")
    if labels.shape != images.shape[:1] or labels.dtype.kind not in "iu":
        raise InputError(f"labels: shape {labels.shape}, {labels.dtype}; give one whole number for each image")
    if len(np.unique(labels)) < 2 or labels.min() < 0:
        raise InputError("labels: must be 0 to K - 1 of two classes or more")


def _shifted(key: Key, image: Array) -> Array:
    """Return the image, moved by a few pixels; its edge fills what comes into view."""
    most = min(image.shape[:2]) // SHIFT
    padded = jnp.pad(image, ((most, most), (most, most), (0, 0)), mode="edge")
    row, column = jax.random.randint(key, (2,), 0, 2 * most + 1)
    return jax.lax.dynamic_slice(padded, (row, column, 0), image.shape)


def _unit(images: Any) -> Array:
    images = jnp.asarray(images)
    return images.astype(jnp.float32) / 255 if images.dtype == jnp.uint8 else images.astype(jnp.float32)
