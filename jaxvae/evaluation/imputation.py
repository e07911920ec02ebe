"""Values of what was not observed, given what was: importance-weighted draws of p(x_missing | x_observed)."""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxvae import pieces, rng
from jaxvae.arguments import check_number
from jaxvae.distributions.kl import log_prob_per_example, log_ratio
from jaxvae.evaluation.blocks import check_conditions, check_counts, count_examples, example_blocks, take
from jaxvae.evaluation.compiled import compiled
from jaxvae.objectives import draws
from jaxvae.objectives.draws import Draw
from jaxvae.objectives.importance import log_mean_exp
from jaxvae.types import Array, Bar, Distribution, Key, Model, Params

MISSING = "missing"
"""Name of the model of what is missing among a model's extras."""


class Imputation(NamedTuple):
    """Missing values given the observed ones, by self-normalised importance weights."""

    mean: np.ndarray
    """`[N, D]` expected values of numbers; those that were observed are as they were."""
    draws: np.ndarray
    """`[M, N, D]` draws of whole rows, whose observed values are as they were."""
    log_px: np.ndarray
    """`[N]` estimates of log p(x_observed) in nats, from below."""
    effective_samples: np.ndarray
    """`[N]` effective number of samples, (sum w)^2 / sum w^2: a few say that the estimates are rough."""


def impute(
    params: Params,
    key: Key,
    x: Any,
    *,
    model: Model,
    num_samples: int = 1000,
    num_draws: int = 10,
    prior_share: float = 0.0,
    condition: Array | np.ndarray | None = None,
    block_size: int = 100,
    samples_at_once: int = 50,
    progress: Bar = iter,
) -> Imputation:
    r"""Estimate the missing values of the rows of a table, and draw them.

        E[x_m | x_o] ~ sum_l v_l E[x_m | z_l],    v_l = w_l / sum_j w_j,    w = p(x_o|z) p(z) / r(z)

    The proposal r is q(z|x), or a mixture with the prior, share p(z) + (1 - share) q(z|x), whose weights stay bounded
    where the encoder never met such rows (defensive importance sampling). Draws resample z by these weights. With a
    model of what is missing, w has the factor p(s | x_o, x_m), x_m drawn from p(x|z).

    Args:
        params: the model's parameters.
        key: one key.
        x: rows `{"x": [N, D], "observed": [N, D]}`.
        model: see `elbo_terms`, with a likelihood of tables.
        num_samples: number L of samples z of each row.
        num_draws: number M of draws of each row.
        prior_share: share of the samples from the prior, from 0 to 1.
        condition: `[N, ...]` passed to the model, if given.
        block_size: number of rows per block.
        samples_at_once: number of samples of each row per block.
        progress: wrapper of the loop over the blocks' first rows, such as `tqdm`.

    Raises:
        InputError: there are no rows, or not one condition for each; or a number is out of range.

    Reference: Mattei & Frellsen 2019, https://arxiv.org/abs/1812.02633, equations 12 and 13; Ipsen, Mattei & Frellsen
    2021, https://arxiv.org/abs/2006.12871, equation 9; Owen & Zhou 2000, https://doi.org/10.2307/2669533, section 3.
    """
    check_counts(num_samples=num_samples, num_draws=num_draws, samples_at_once=samples_at_once)
    check_number("prior_share", prior_share, most=1.0)
    key, num = rng.stream(key, "impute"), count_examples(x)
    check_conditions(condition, num)
    sizes = {"num_samples": num_samples, "num_draws": num_draws, "samples_at_once": samples_at_once}
    of_block = compiled(_impute, model=model, prior_share=prior_share, **sizes)
    blocks = [
        jax.device_get(of_block(params, key, ids, *take((x, condition), ids)))
        for ids in example_blocks(num, block_size, progress)
    ]
    mean, drawn, log_px, effective = (list(parts) for parts in zip(*blocks))
    return Imputation(
        np.concatenate(mean)[:num],
        np.concatenate(drawn, axis=1)[:, :num],
        np.concatenate(log_px)[:num].astype(np.float64),
        np.concatenate(effective)[:num].astype(np.float64),
    )


def _impute(
    params: Params,
    key: Key,
    ids: Array,
    x: dict[str, Array],
    condition: Array | None,
    *,
    model: Any,
    num_samples: int,
    num_draws: int,
    samples_at_once: int,
    prior_share: float,
) -> tuple[Array, Array, Array, Array]:
    given = () if condition is None else (condition,)
    keys = rng.example_keys(key, ids)
    posterior, prior = model.encode(params, x, *given), model.prior(params, *given)
    from_prior = round(prior_share * num_samples)
    missing = dict(getattr(model, "extras", ())).get(MISSING)

    def fill(values: Array) -> Array:
        return jnp.where(x["observed"], x["x"], values)

    def sample(numbers: Array) -> tuple[Draw, Distribution, Array]:
        """Return sample `[B]` of each row, p(x|z), and a draw of x with the observed values in it."""
        own = jax.vmap(lambda key, number: rng.stream(key, "sample", number))(keys, numbers)
        draw = draws.sample(posterior, prior, own)
        if from_prior:
            is_prior = numbers < from_prior
            z = jax.tree.map(partial(_where, is_prior), draws.draw_prior(draw, draws.stream(own, "prior")), draw.z)
            draw = draw._replace(z=z, log_q=None)
        likelihood = model.decode(params, draw.z, *given)
        drawn = likelihood.sample(draws.stream(own, "x"))
        return draw, likelihood, fill(drawn["x"])

    def weigh(number: Array) -> tuple[Array, Array]:
        draw, likelihood, filled = sample(jnp.full(len(ids), number))
        log_weight = log_prob_per_example(likelihood, x) - _log_proposal(draw, from_prior / num_samples)
        if missing is None:
            return log_weight, fill(likelihood.mean["x"])
        log_missing = pieces.call(MISSING, missing, params, filled).log_prob(x["observed"])
        return log_weight + log_missing, filled

    log_weights, values = jax.lax.map(weigh, jnp.arange(num_samples), batch_size=min(samples_at_once, num_samples))
    shares = jax.nn.softmax(log_weights, axis=0)
    mean = jnp.einsum("lb,lbd->bd", shares, values)
    chosen = _choose(keys, log_weights, num_draws)
    drawn = jax.lax.map(lambda numbers: sample(numbers)[2], chosen, batch_size=min(samples_at_once, num_draws))
    return fill(mean), drawn, log_mean_exp(log_weights), 1 / jnp.square(shares).sum(0)


def _choose(keys: Key, log_weights: Array, num_draws: int) -> Array:
    """Return `[M, B]` numbers of samples, chosen with the chances of their weights `[L, B]`."""

    def of_row(key: Key, log_weights: Array) -> Array:
        return jax.random.categorical(rng.stream(key, "draws"), log_weights, shape=(num_draws,))

    return jax.vmap(of_row, in_axes=(0, 1), out_axes=1)(keys, log_weights)


def _log_proposal(draw: Draw, prior_share: float) -> Array:
    """Return `[B]` log r(z) - log p(z) for r = share p + (1 - share) q."""
    if prior_share == 1:
        return jnp.zeros(())
    ratio = log_ratio(draw.posterior, draw.prior, draw.z, draw.log_q)
    return jnp.logaddexp(jnp.log(prior_share), jnp.log1p(-prior_share) + ratio) if prior_share else ratio


def _where(is_first: Array, first: Array, second: Array) -> Array:
    """Select rows."""
    return jnp.where(is_first.reshape(-1, *[1] * (second.ndim - 1)), first, second)
