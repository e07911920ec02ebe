"""Distance of images in the features of a fixed network, in the place of a likelihood."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import jax.numpy as jnp

from jaxvae.distributions.base import Support, at_least_float32, check_value, distribution
from jaxvae.types import Array, Key


@distribution
class Perceptual:
    r"""Negative squared distance of features: log p(x) = -1/2 |phi(x) - phi(image)|^2, without a constant.

    It does not integrate to one over x, and is no likelihood: a "bound" with it can be compared only with others of the
    same features. With phi the identity it is a normal of variance 1 but for D/2 log 2 pi.

    Reference: Hou et al. 2017, https://arxiv.org/abs/1610.00291, equations 2 and 3.
    """

    support: ClassVar[Support] = "unit"
    normalized: ClassVar[bool] = False
    event_ndim: ClassVar[int] = 3
    image: Array
    """`[..., H, W, C]` decoded image in [0, 1]."""
    features: Callable[[Array], Array]
    """Function phi from images `[B, H, W, C]` to features `[B, F]`, with its parameters, a pytree."""

    @property
    def mean(self) -> Array:
        """Decoded image."""
        return self.image

    def sample(self, key: Key) -> Array:
        """Return the decoded image, because there is no distribution to sample from."""
        del key
        return self.image

    def log_prob(self, value: Array) -> Array:
        """Return `[...]`, minus half the squared distance; unnormalised."""
        check_value(value, self.image.shape, self.event_ndim)
        return -0.5 * jnp.square(self._features(value) - self._features(self.image)).sum(-1)

    def _features(self, images: Array) -> Array:
        images = at_least_float32(images)
        leading = images.shape[: -self.event_ndim]
        return self.features(images.reshape(-1, *images.shape[-self.event_ndim :])).reshape(*leading, -1)
