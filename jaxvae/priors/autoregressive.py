"""Autoregressive normal prior, from which independent dimensions stay a least KL away (delta-VAE)."""

from __future__ import annotations

import dataclasses
import math

import jax.numpy as jnp
import numpy as np

from jaxvae import posteriors
from jaxvae.arguments import whole_number
from jaxvae.distributions import MultivariateNormal
from jaxvae.errors import InputError
from jaxvae.facts import Facts
from jaxvae.types import Array, Params

MOST = 0.9999
"""Largest square of a correlation: the precision of steps that are almost equal overflows float32's digits."""


def least_kl(num_steps: int, correlation: float) -> float:
    r"""Compute the least KL of independent normals from a stationary autoregressive process, in nats.

        1/2 [ (n - 2) log(1 + a^2) - log(1 - a^2) ]

    Args:
        num_steps: n, number of steps, at least 2.
        correlation: a, of one step with the next, from 0 to 1.

    Reference: Razavi et al. 2019, https://arxiv.org/abs/1901.03416, equation 4.
    """
    square = correlation**2
    return 0.5 * ((num_steps - 2) * math.log1p(square) - math.log1p(-square))


@dataclasses.dataclass(frozen=True)
class AutoregressivePrior:
    r"""Normals of variance 1 in steps, each correlated with the one before.

        p(z_1) = N(0, 1),    p(z_t | z_{t-1}) = N(a z_{t-1}, 1 - a^2)

    Each of several channels is such a process; the dimensions of z are all channels of the first step, then those of
    the second.
    """

    num_steps: int
    num_channels: int
    correlation: float
    """Correlation a of one step with the next."""

    def __call__(self, params: Params, condition: Array | None = None) -> MultivariateNormal:
        """Return the prior, without a batch axis."""
        del params, condition
        steps = np.arange(self.num_steps)
        factor = np.tril(np.power(self.correlation, np.maximum(steps[:, None] - steps, 0)))
        factor[:, 1:] *= math.sqrt(1 - self.correlation**2)
        cholesky = jnp.asarray(np.kron(factor, np.eye(self.num_channels)), jnp.float32)
        return MultivariateNormal(jnp.zeros(len(cholesky)), cholesky)


@dataclasses.dataclass(frozen=True)
class Autoregressive:
    """Normal process in the order of z's dimensions; a posterior of independent ones has a least KL from it."""

    least_kl: float = 1.0
    """Nats of KL that every example has at least, whatever the encoder does."""
    channels: int = 1
    """Number of processes beside one another, each with latent_dim / channels steps."""

    def __post_init__(self) -> None:
        whole_number("channels", self.channels)

    def check(self) -> None:
        """Refuse a least KL that no process has."""
        if not 0 < self.least_kl < math.inf:
            raise InputError(f"prior.least-kl: must be above 0 and finite, got {self.least_kl}")

    def build(self, facts: Facts) -> AutoregressivePrior:
        """Return the prior whose correlation makes the least KL this one.

        Raises:
            InputError: the posterior is no `normal`; the dimensions make no two steps of all channels, or too few steps
            for this least KL.
        """
        self.check()
        if facts.posterior is not posteriors.normal:
            raise InputError("prior: autoregressive bounds the KL of independent normals alone; use --posterior normal")
        num_steps, rest = divmod(facts.latent_dim, self.channels)
        if rest or num_steps < 2:
            raise InputError(
                f"prior.channels: {self.channels} do not divide the {facts.latent_dim} dimensions of z into two steps "
                "or more; change it, or --latent-dim"
            )
        return AutoregressivePrior(num_steps, self.channels, _correlation(num_steps, self.least_kl / self.channels))


def _correlation(num_steps: int, wanted: float) -> float:
    """Find the correlation of a least KL by bisection: both rise together, from 0."""
    low, high = 0.0, 1.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if least_kl(num_steps, middle) < wanted else (low, middle)
    if low**2 > MOST:
        raise InputError(
            f"prior.least-kl: {wanted:g} nats in {num_steps} steps need a correlation of almost 1; give less, or more "
            "dimensions"
        )
    return low
