"""Prior over latent series that are smooth in time."""

from __future__ import annotations

import dataclasses
import math
from typing import Literal

import jax.numpy as jnp
import numpy as np

from jaxvae.distributions import GaussianProcess
from jaxvae.errors import InputError
from jaxvae.facts import Facts
from jaxvae.types import Array, Params


def cauchy(distance: np.ndarray, scale: float) -> np.ndarray:
    """Return 1 / (1 + (t / l)^2), a mixture of squared exponentials of all lengths."""
    return 1 / (1 + np.square(distance / scale))


def squared_exponential(distance: np.ndarray, scale: float) -> np.ndarray:
    """Return exp(-(t / l)^2 / 2)."""
    return np.exp(-0.5 * np.square(distance / scale))


KERNELS = {"cauchy": cauchy, "rbf": squared_exponential}
"""Functions from distances in time and a length scale to correlations."""


@dataclasses.dataclass(frozen=True)
class GaussianProcessPrior:
    """Independent Gaussian processes of variance 1, one for each latent series, at equally spaced times.

        z_s ~ N(0, (1 - noise) k(|t - t'| / l_s) + noise I)

    Reference: Fortuin et al. 2020 (GP-VAE), https://arxiv.org/abs/1907.04155, equation 3 and section 3.2 (Cauchy
    kernel). There the posterior has a covariance in time, too.
    """

    num_series: int
    num_steps: int
    kernel: str
    length_scales: tuple[float, ...]
    noise: float

    def __call__(self, params: Params, condition: Array | None = None) -> GaussianProcess:
        """Return the prior, without a batch axis."""
        del params, condition
        time = np.arange(self.num_steps, dtype=np.float64)
        distance = np.abs(time[:, None] - time)
        scales = [self.length_scales[number % len(self.length_scales)] for number in range(self.num_series)]
        shared = np.stack([KERNELS[self.kernel](distance, scale) for scale in scales])
        covariance = (1 - self.noise) * shared + self.noise * np.eye(self.num_steps)
        factors = np.linalg.cholesky(covariance), np.linalg.inv(covariance)
        return GaussianProcess(*(jnp.asarray(factor, jnp.float32) for factor in factors))


@dataclasses.dataclass(frozen=True)
class LatentProcesses:
    """Gaussian processes in time, for the latent series of --networks series (GP-VAE)."""

    kernel: Literal["cauchy", "rbf"] = "cauchy"
    """Correlation of two times."""
    length_scales: tuple[float, ...] = (2.0,)
    """Lengths, in steps of the latent series, over which these are correlated; the series take them in turn."""
    noise: float = 0.01
    """Share of the variance that is independent at each step."""

    def __post_init__(self) -> None:
        if not self.length_scales or not all(0 < scale < math.inf for scale in self.length_scales):
            raise InputError(f"prior.length-scales: must be positive numbers, got {self.length_scales}")
        if not 0 < self.noise <= 1:
            raise InputError(f"prior.noise: must be above 0 and at most 1, got {self.noise}")

    def build(self, facts: Facts) -> GaussianProcessPrior:
        """Return the prior.

        Raises:
            InputError: the code is no series in time.
        """
        steps = getattr(getattr(facts.encoder, "encoder", facts.encoder), "num_steps", None)
        if steps is None or isinstance(facts.latent, tuple):
            raise InputError("prior: gaussian_process needs codes that are series in time; give --networks series")
        return GaussianProcessPrior(facts.latent_dim // steps, steps, self.kernel, self.length_scales, self.noise)
