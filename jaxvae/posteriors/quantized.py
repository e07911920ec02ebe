"""Posteriors that choose the nearest codes of a codebook (VQ-VAE).

The codebook follows the encoder as moving averages, or by gradient. The averages are parameters labelled `average`,
whose targets each posterior gives: see `objectives.averages`.

Reference: van den Oord et al. 2017, https://arxiv.org/abs/1711.00937, equation 3 and appendix A.1.
"""

from __future__ import annotations

import dataclasses
from typing import ClassVar

import jax
import jax.numpy as jnp

from jaxvae import rng
from jaxvae.arguments import check_number, whole_number
from jaxvae.distributions.codes import Quantized, nearest_codes
from jaxvae.errors import InputError
from jaxvae.facts import Facts
from jaxvae.types import AVERAGE, GRADIENT, Array, Key, Params

SMOOTHING = 1e-5
"""Share of usage that is spread over all codes, so that an unused code divides by no zero."""
SPREAD = 0.01
"""Distance between a split code and its copy, in standard deviations of the codebook."""


@dataclasses.dataclass(frozen=True)
class AveragedCodebook:
    """Nearest codes, each of which is the moving average of the encoder outputs that chose it.

        counts <- decay counts + (1 - decay) n,    sums <- decay sums + (1 - decay) s,    code_k = sums_k / counts_k

    n and s are the number and the sum of the outputs that chose code k, averaged over the examples of a batch.
    """

    begins_as_data: ClassVar[bool] = True
    num_codes: int
    code_dim: int
    decay: float
    revive_below: float

    def init(self, key: Key, outputs: Array, condition: Array | None = None) -> Params:
        """Initialise the codes as outputs for examples, used alike."""
        del condition
        codes = choose_vectors(key, outputs, self.num_codes, self.code_dim)
        counts = initial_counts(outputs, self.num_codes, self.code_dim)
        return {"counts": counts, "sums": codes * counts[:, None]}

    def labels(self, own: Params) -> str:
        """Return the label of counts and sums."""
        del own
        return AVERAGE

    def __call__(self, params: Params, outputs: Array) -> Quantized:
        """Return the codes nearest to `[B, ..., G D]`."""
        return quantize(outputs, self.codebook(params), params["posterior"]["counts"])

    def codebook(self, params: Params) -> Array:
        """Return the codes `[K, D]`."""
        own = params["posterior"]
        return own["sums"] / smoothed(own["counts"])[:, None]

    def targets(self, params: Params, posterior: Quantized, weights: Array | None, step_key: Key) -> Params:
        """Return counts and sums after a step on the examples of this posterior."""
        own = self._revived(params["posterior"], step_key)
        indices = posterior.codes.indices.reshape(len(posterior.outputs), -1)
        vectors = posterior.outputs.reshape(*indices.shape, self.code_dim)
        seen = {
            "counts": mean_per_code(jnp.ones((*indices.shape, 1)), indices, weights, self.num_codes)[:, 0],
            "sums": mean_per_code(vectors, indices, weights, self.num_codes),
        }
        return jax.tree.map(lambda old, new: self.decay * old + (1 - self.decay) * new, own, seen)

    def _revived(self, own: Params, key: Key) -> Params:
        """Replace unused codes by halves of the most used ones.

        It depends on the state and the step's key alone, so it is the same for every part of a batch.
        """
        counts, sums = own["counts"], own["sums"]
        unused = jnp.argsort(counts)
        most_used = unused[::-1]
        limit = self.revive_below * counts.mean()
        split = (counts[unused] < limit) & (counts[most_used] > 2 * limit)
        half = jnp.where(split, 0.5, 1.0)
        counts = counts.at[most_used].multiply(half)
        sums = sums.at[most_used].multiply(half[:, None])
        codes = sums / smoothed(counts)[:, None]
        noise = SPREAD * codes.std(0) * jax.random.normal(rng.stream(key, "revive codes"), sums.shape)
        copies = sums[most_used] + counts[most_used][:, None] * noise
        return {
            "counts": counts.at[unused].set(jnp.where(split, counts[most_used], counts[unused])),
            "sums": sums.at[unused].set(jnp.where(split[:, None], copies, sums[unused])),
        }


@dataclasses.dataclass(frozen=True)
class LearnedCodebook:
    """Nearest codes of a codebook that learns by gradient, from `objectives.quantized_loss`."""

    begins_as_data: ClassVar[bool] = True
    num_codes: int
    code_dim: int
    decay: float

    def init(self, key: Key, outputs: Array, condition: Array | None = None) -> Params:
        """Initialise the codes as outputs for examples, used alike."""
        del condition
        codes = choose_vectors(key, outputs, self.num_codes, self.code_dim)
        return {"codebook": codes, "counts": initial_counts(outputs, self.num_codes, self.code_dim)}

    def labels(self, own: Params) -> dict[str, str]:
        """Return the labels of codebook and counts."""
        del own
        return {"codebook": GRADIENT, "counts": AVERAGE}

    def __call__(self, params: Params, outputs: Array) -> Quantized:
        """Return the codes nearest to `[B, ..., G D]`."""
        return quantize(outputs, self.codebook(params), params["posterior"]["counts"])

    def codebook(self, params: Params) -> Array:
        """Return the codes `[K, D]`."""
        return params["posterior"]["codebook"]

    def targets(self, params: Params, posterior: Quantized, weights: Array | None, step_key: Key) -> Params:
        """Return the counts after a step on the examples of this posterior."""
        del step_key
        indices = posterior.codes.indices.reshape(len(posterior.outputs), -1)
        seen = mean_per_code(jnp.ones((*indices.shape, 1)), indices, weights, self.num_codes)[:, 0]
        return {"counts": self.decay * params["posterior"]["counts"] + (1 - self.decay) * seen}


def quantize(outputs: Array, codebook: Array, counts: Array) -> Quantized:
    """Return the posterior at the codes nearest to outputs `[B, ..., G D]`."""
    share = jnp.maximum(counts, 0) / counts.sum()
    perplexity = jnp.exp(jax.scipy.special.entr(share).sum())
    return Quantized(outputs, nearest_codes(outputs, codebook), jnp.broadcast_to(perplexity, outputs.shape[:1]))


def choose_vectors(key: Key, outputs: Array, num_codes: int, code_dim: int) -> Array:
    """Choose `[K, D]` vectors of outputs `[B, ..., G D]`, different ones if there are enough."""
    vectors = outputs.reshape(-1, code_dim)
    return jax.random.choice(key, vectors, (num_codes,), replace=len(vectors) < num_codes)


def initial_counts(outputs: Array, num_codes: int, code_dim: int) -> Array:
    """Return `[K]` counts of codes that are used alike."""
    return jnp.full(num_codes, outputs[0].size / code_dim / num_codes, jnp.float32)


def smoothed(counts: Array) -> Array:
    """Return counts with a small share spread over all codes, the same sum kept (Laplace)."""
    return (counts + SMOOTHING * counts.mean()) / (1 + SMOOTHING)


def mean_per_code(values: Array, indices: Array, weights: Array | None, num_codes: int) -> Array:
    """Sum values by code and average the sums over examples.

    Args:
        values: `[B, P, D]`.
        indices: `[B, P]` numbers of codes.
        weights: `[B]` weights of the examples, or None.
        num_codes: K.

    Returns:
        `[K, D]`; 0 where all weights are 0.
    """
    weights = jnp.ones(len(values)) if weights is None else weights
    total = weights.sum()
    share = weights / jnp.where(total == 0, 1.0, total)
    # A product and no scatter, whose sums depend on their order on a GPU.
    chosen = share[:, None, None] * jax.nn.one_hot(indices, num_codes)
    return jnp.tensordot(chosen, values, ((0, 1), (0, 1)), precision="highest")


@dataclasses.dataclass(frozen=True)
class VectorQuantized:
    """Nearest codes of a codebook that follows the encoder as a moving average (VQ-VAE)."""

    num_codes: int = 512
    """Number of codes."""
    code_dim: int = 4
    """Dimensions of one code; the latent dimensions are several codes."""
    decay: float = 0.99
    """Decay of the codebook's moving averages, per step."""
    revive_below: float = 0.01
    """Usage, as a share of the mean code's, below which a code is replaced by half of a most used one; 0 for never."""

    def __post_init__(self) -> None:
        check_codebook(self.num_codes, self.code_dim, self.decay)
        check_number("revive_below", self.revive_below, most=0.5)

    def num_outputs(self, latent_dim: int) -> int:
        """Return the number of encoder outputs, D."""
        return latent_dim

    def build(self, facts: Facts) -> AveragedCodebook:
        """Return the posterior."""
        check_latent_dim(facts.latent_dim, self.code_dim)
        return AveragedCodebook(self.num_codes, self.code_dim, self.decay, self.revive_below)


@dataclasses.dataclass(frozen=True)
class GradientQuantized:
    """Nearest codes of a codebook that learns by gradient (VQ-VAE)."""

    num_codes: int = 512
    """Number of codes."""
    code_dim: int = 4
    """Dimensions of one code; the latent dimensions are several codes."""
    decay: float = 0.99
    """Decay of the moving average of the codes' usage, which is reported as perplexity, per step."""

    def __post_init__(self) -> None:
        check_codebook(self.num_codes, self.code_dim, self.decay)

    def num_outputs(self, latent_dim: int) -> int:
        """Return the number of encoder outputs, D."""
        return latent_dim

    def build(self, facts: Facts) -> LearnedCodebook:
        """Return the posterior."""
        check_latent_dim(facts.latent_dim, self.code_dim)
        return LearnedCodebook(self.num_codes, self.code_dim, self.decay)


def check_codebook(num_codes: int, code_dim: int, decay: float) -> None:
    """Refuse sizes below 1, and a decay that is not from 0 to 1."""
    whole_number("num_codes", num_codes)
    whole_number("code_dim", code_dim)
    check_number("decay", decay, most=1.0)


def check_latent_dim(latent_dim: int, code_dim: int) -> None:
    """Refuse latent dimensions that are not a whole number of codes."""
    if latent_dim % code_dim:
        raise InputError(f"code_dim: {code_dim} does not divide the {latent_dim} latent dimensions; give a divisor")
