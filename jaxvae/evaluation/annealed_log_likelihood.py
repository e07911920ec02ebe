"""Annealed importance sampling of log p(x): chains that move from the prior to the posterior."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any, Literal, NamedTuple, TypeAlias, get_args

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

from jaxvae import rng
from jaxvae.distributions.base import at_least_float32
from jaxvae.distributions.flags import can_simulate, has_density, is_relaxed
from jaxvae.distributions.kl import log_prob_per_example
from jaxvae.distributions.supports import is_discrete
from jaxvae.errors import InputError
from jaxvae.evaluation.annealing import anneal, sigmoid_schedule, tune
from jaxvae.evaluation.blocks import check_conditions, check_counts, count_examples, example_blocks, take
from jaxvae.evaluation.compiled import compiled
from jaxvae.evaluation.hmc import Path
from jaxvae.objectives.checks import check_scores
from jaxvae.objectives.importance import log_mean_exp
from jaxvae.types import Array, Bar, Distribution, Key, Model, Params

Start = Literal["prior", "posterior"]
Latents: TypeAlias = Any
"""Latents `[1, D]`, or a tuple of them, one for each stochastic layer."""


class AnnealedEstimate(NamedTuple):
    """Estimate of log p(x) per example, and statistics of the chains."""

    log_px: np.ndarray
    """`[N]` nats; on average a lower bound, which converges with the number of chains and temperatures."""
    acceptance: np.ndarray
    """`[N]` acceptance rate of the HMC proposals, over chains and temperatures."""
    step_size: np.ndarray
    """`[N]` step size at the last temperature."""


class Sandwich(NamedTuple):
    """Lower and upper bounds, on average, on log p(x) of simulated examples, in nats."""

    x: np.ndarray
    """`[N, ...]` simulated examples."""
    lower: np.ndarray
    """`[N]` bound from chains from the prior to the posterior."""
    upper: np.ndarray
    """`[N]` bound from chains from an exact posterior sample to the prior."""
    acceptance: np.ndarray
    """`[N]` acceptance rate of the HMC proposals, over chains and temperatures, in both directions."""

    @property
    def gap(self) -> float:
        """Mean of upper - lower, which bounds the mean error of either."""
        return float((self.upper - self.lower).mean())


class _Options(NamedTuple):
    num_temperatures: int
    num_chains: int
    num_leapfrog: int
    start: Start


def annealed_log_likelihood(
    params: Params,
    key: Key,
    x: Array | np.ndarray,
    *,
    model: Model,
    num_temperatures: int = 1000,
    num_chains: int = 16,
    num_leapfrog: int = 10,
    start: Start = "prior",
    condition: Array | np.ndarray | None = None,
    block_size: int = 100,
    progress: Bar = iter,
) -> AnnealedEstimate:
    r"""Estimate log p(x) of every example from below, by annealed importance sampling.

        log 1/C sum_c w_c,    log w = sum_t (b_t - b_{t-1}) [ log p(x, z_{t-1}) - log f_0(z_{t-1}) ],    t = 1 .. T

    z_0 is sampled from f_0, the prior or the posterior, and z_t from z_{t-1} by a step of HMC that leaves f_0^{1 - b_t}
    p(x, z)^{b_t} invariant. The temperatures b rise from 0 to 1 as a sigmoid does from -4 to 4. Separate chains, with a
    tenth of the temperatures and at least 100, first tune each example's step sizes; the chains of the estimate keep
    them fixed, because step sizes adapted to their own chain would bias the weights.

    Chains from the prior do not use the encoder. Noise is keyed by example. Still, `block_size` changes the rounding,
    which chains amplify: estimates with another block size may differ by as much as with another key.

    Args:
        params: the model's parameters.
        key: one key.
        x: `[N, ...]` examples, an array or a tree of arrays.
        model: see `elbo_terms`; z must be continuous.
        num_temperatures: T, 10 to 10,000. At 1 it is the importance-weighted bound of C samples of f_0.
        num_chains: C, number of chains.
        num_leapfrog: number of gradients per step of HMC.
        start: f_0. The posterior needs fewer temperatures with a good encoder, and loses accuracy with a poor one.
        condition: `[N, ...]` passed to the model, if given.
        block_size: number of examples per block: `block_size * num_chains` are decoded in memory.
        progress: wrapper of the loop over the blocks' first examples, such as `tqdm`.

    Returns:
        log p(x) per example, with the acceptance, which should be about 0.65.

    Raises:
        InputError: a number is below 1, there are no examples, or f_0 has no density.

    Reference: Neal 2001, https://arxiv.org/abs/physics/9803008; Wu et al. 2017, https://arxiv.org/abs/1611.04273,
    section 4 (for decoders).
    """
    num = count_examples(x)
    check_conditions(condition, num)
    options = _options(num_temperatures, num_chains, num_leapfrog, start)
    key = rng.stream(key, "annealed")
    forward = compiled(_forward, model=model, options=options)

    def block(ids: np.ndarray) -> Any:
        return forward(params, key, ids, *take((x, condition), ids))

    log_px, acceptance, step_size = _in_blocks(block, num, block_size, progress)
    return AnnealedEstimate(log_px.astype(np.float64), acceptance, step_size)


def bidirectional(
    params: Params,
    key: Key,
    num_examples: int,
    *,
    model: Model,
    num_temperatures: int = 1000,
    num_chains: int = 16,
    num_leapfrog: int = 10,
    start: Start = "prior",
    condition: Array | np.ndarray | None = None,
    block_size: int = 100,
    progress: Bar = iter,
) -> Sandwich:
    r"""Bound log p(x) of examples sampled from the model, from below and from above.

        lower = log 1/C sum_c w_c  <=  log p(x)  <=  -log 1/C sum_c w'_c = upper        (on average)

    z is sampled from the prior and x from p(x|z). Hence z is an exact sample of p(z|x), and reverse annealing from it
    estimates 1 / p(x) by weights w'. The gap bounds the error of `annealed_log_likelihood` on similar data; for real
    data no exact posterior sample is known, and there is no upper bound.

    The arguments are those of `annealed_log_likelihood`, except `num_examples`, N, the number of simulated examples.

    Raises:
        InputError: a number is below 1, f_0 has no density, or the likelihood is none.

    Reference: Grosse, Ghahramani & Adams 2015, https://arxiv.org/abs/1511.02543, section 3.
    """
    check_counts(num_examples=num_examples)
    check_conditions(condition, num_examples)
    options = _options(num_temperatures, num_chains, num_leapfrog, start)
    key = rng.stream(key, "bidirectional")
    both_ways = compiled(_both_ways, model=model, options=options)

    def block(ids: np.ndarray) -> Any:
        return both_ways(params, key, ids, take(condition, ids))

    simulated, lower, upper, acceptance = _in_blocks(block, num_examples, block_size, progress)
    return Sandwich(simulated, lower.astype(np.float64), upper.astype(np.float64), acceptance)


def _forward(
    params: Params, key: Key, ids: Array, x: Array, condition: Array | None, *, model: Model, options: _Options
) -> tuple[Array, Array, Array]:
    schedule = sigmoid_schedule(options.num_temperatures)

    def one(key: Key, x: Array, condition: Array | None) -> tuple[Array, Array, Array]:
        path, draw = _path(params, x, condition, model, options.start)
        key, z, step_sizes = _prepare(key, path, draw, options)
        log_weights, acceptance = anneal(
            key, z, path, temperatures=schedule, step_sizes=step_sizes, num_leapfrog=options.num_leapfrog
        )
        return log_mean_exp(log_weights), acceptance, step_sizes[-1]

    return jax.vmap(one)(rng.example_keys(key, ids), x, condition)


def _both_ways(
    params: Params, key: Key, ids: Array, condition: Array | None, *, model: Model, options: _Options
) -> tuple[Array, Array, Array, Array]:
    schedule = sigmoid_schedule(options.num_temperatures)

    def one(key: Key, condition: Array | None) -> tuple[Array, Array, Array, Array]:
        exact, x = _simulate(params, rng.stream(key, "simulate"), condition, model)
        path, draw = _path(params, x, condition, model, options.start)
        key, z, step_sizes = _prepare(key, path, draw, options)

        def walk(key: Key, z: Array, temperatures: Array, step_sizes: Array) -> tuple[Array, Array]:
            steps = {"temperatures": temperatures, "step_sizes": step_sizes}
            return anneal(key, z, path, **steps, num_leapfrog=options.num_leapfrog)

        starts = jnp.stack([z, jnp.broadcast_to(exact, z.shape)])
        up_and_down = (jnp.stack([values, values[::-1]]) for values in (schedule, step_sizes))
        log_weights, acceptance = jax.vmap(walk)(rng.sample_keys(key, 2), starts, *up_and_down)
        lower, minus_upper = jax.vmap(log_mean_exp)(log_weights)
        return x, lower, -minus_upper, acceptance.mean()

    return jax.vmap(one)(rng.example_keys(key, ids), condition)


def _prepare(key: Key, path: Path, draw: Callable[[Key], Array], options: _Options) -> tuple[Key, Array, Array]:
    """Return a key for the chains of the estimate, their starting points `[C, D]`, and their step sizes `[T + 1]`."""
    start_key, tune_key, key = rng.sample_keys(key, 3)
    # Tuning chains have other starting points, because step sizes that depend on z would bias its weight.
    to_tune, z = jnp.split(jax.vmap(draw)(rng.sample_keys(start_key, 2 * options.num_chains)), 2)
    counts = {"num_temperatures": options.num_temperatures, "num_leapfrog": options.num_leapfrog}
    return key, z, tune(tune_key, to_tune, path, **counts)


def _path(
    params: Params, x: Array, condition: Array | None, model: Model, start: Start
) -> tuple[Path, Callable[[Key], Array]]:
    """Return the path from f_0 to p(x, z) for one example, a batch of one to the model; and a sampler of f_0."""
    x, given = jax.tree.map(lambda leaf: leaf[None], x), _given(condition)
    prior = model.prior(params, *given)
    first = prior if start == "prior" else model.encode(params, x, *given)
    _check_density(prior, "prior")
    _check_density(first, start)

    def score(distribution: Distribution, value: Latents) -> Array:
        return at_least_float32(log_prob_per_example(distribution, value)[0])

    def log_start(z: Array) -> Array:
        return score(first, _unflatten(prior, z))

    def log_ratio(z: Array) -> Array:
        latents = _unflatten(prior, z)
        log_likelihood = score(model.decode(params, latents, *given), x)
        if start == "prior":
            return log_likelihood
        return log_likelihood + score(prior, latents) - score(first, latents)

    return Path(log_start, log_ratio), functools.partial(_draw, first)


def _check_density(distribution: Distribution, where: str) -> None:
    """Refuse a distribution that no chain can begin from or end at: one without a density, or of whole numbers."""
    name = type(distribution).__name__
    if not has_density(distribution) or is_relaxed(distribution):
        raise InputError(f"start: the model's {where} is a {name}, without a density, and cannot be annealed")
    check_scores(distribution, f"start {where}", "the other start")
    values = jax.tree.leaves(jax.eval_shape(distribution.sample, jax.random.key(0)))
    if is_discrete(distribution) or not all(jnp.issubdtype(value.dtype, jnp.floating) for value in values):
        raise InputError(f"start: the model's {where}, {name}, is of whole numbers, and cannot be annealed")


def _simulate(params: Params, key: Key, condition: Array | None, model: Model) -> tuple[Array, Array]:
    """Sample z from the prior, and x from p(x|z)."""
    z_key, x_key = rng.sample_keys(key, 2)
    prior = model.prior(params, *_given(condition))
    z = _draw(prior, z_key)
    likelihood = model.decode(params, _unflatten(prior, z), *_given(condition))
    if not can_simulate(likelihood):
        raise InputError(f"model: its likelihood is {type(likelihood).__name__}, which cannot simulate examples")
    return z, jax.tree.map(lambda leaf: leaf[0], likelihood.sample(x_key))


def _draw(distribution: Distribution, key: Key) -> Array:
    return ravel_pytree(distribution.sample(key))[0]


def _unflatten(prior: Distribution, z: Array) -> Latents:
    """Return latents `[1, D]`, with or without a batch axis in the prior; a tuple for several stochastic layers."""
    shapes = jax.eval_shape(prior.sample, jax.random.key(0))
    latents = ravel_pytree(jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shapes))[1](z)
    event_ndim = getattr(prior, "event_ndim", 1)
    return jax.tree.map(lambda leaf: leaf.reshape(1, *leaf.shape[leaf.ndim - event_ndim :]), latents)


def _given(condition: Array | None) -> tuple[Array, ...]:
    return () if condition is None else (jax.tree.map(lambda leaf: leaf[None], condition),)


def _options(num_temperatures: int, num_chains: int, num_leapfrog: int, start: Start) -> _Options:
    counts = {"num_temperatures": num_temperatures, "num_chains": num_chains, "num_leapfrog": num_leapfrog}
    check_counts(**counts)
    if start not in (known := get_args(Start)):
        raise InputError(f"start: must be one of {', '.join(known)}, got {start!r}")
    return _Options(**counts, start=start)


def _in_blocks(
    block: Callable[[np.ndarray], tuple[Array, ...]], num: int, block_size: int, progress: Bar
) -> Iterable[np.ndarray]:
    """Gather the results of `block` for the example numbers of each block."""
    parts = [block(ids) for ids in example_blocks(num, block_size, progress)]
    return (np.concatenate(part)[:num] for part in zip(*parts))
