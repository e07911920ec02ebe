"""One table of all distributions, each with its oracles; a test that asks for `family` runs once per row."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as numpyro
import pytest
from scipy import integrate, special, stats

from jaxvae.distributions import (
    Bernoulli,
    BetaBinomial,
    BetaBinomialLevels,
    Categorical,
    CategoricalLevels,
    ContinuousBernoulli,
    Delta,
    DiscretizedLogistic,
    GreyCrossEntropy,
    LogNormal,
    Multinomial,
    MultivariateNormal,
    NegativeBinomial,
    Normal,
    Ordinal,
    Poisson,
    StudentT,
)

BATCH = 4


class Family(NamedTuple):
    """A batch of three examples, and what other libraries say about it. Oracles get and give float64 arrays."""

    distribution: Any
    value: Any
    log_prob: Callable[[Any, Any], Any]
    """`(distribution, value)` -> log-densities, one per example or per element."""
    mean: Callable[[Any], Any]
    variance: Callable[[Any], Any]
    twin: Callable[[Any], numpyro.Distribution] | None = None
    """The same distribution in NumPyro."""
    transport: Callable[[Any, Any, Any], Any] | None = None
    """`(distribution, sample, other)` -> what `other` would have drawn with the noise of that sample."""


def parameters(*shape: int, scale: float = 1.0) -> jax.Array:
    return jnp.asarray(scale * np.random.default_rng(0).normal(size=shape))


def cholesky(*shape: int) -> jax.Array:
    """Lower triangular with a positive diagonal, well conditioned."""
    noise = np.random.default_rng(1).normal(size=shape)
    return jnp.asarray(np.tril(0.4 * noise, -1) + np.eye(shape[-1]) * np.exp(0.3 * noise))


def real(*shape: int) -> jax.Array:
    return jnp.asarray(np.random.default_rng(2).normal(size=shape))


def unit(*shape: int) -> jax.Array:
    return jnp.asarray(np.random.default_rng(2).uniform(size=shape))


def integers(num_classes: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(2).integers(num_classes, size=shape, dtype="int32")


def covariance(d: MultivariateNormal) -> np.ndarray:
    return d.cholesky @ np.swapaxes(d.cholesky, -1, -2)


def bernoulli_log_prob(d: Bernoulli, x: np.ndarray) -> np.ndarray:
    return stats.bernoulli.logpmf(x, special.expit(d.logits))


def cross_entropy(d: GreyCrossEntropy, x: np.ndarray) -> np.ndarray:
    mean = special.expit(d.logits)
    return special.xlogy(x, mean) + special.xlogy(1 - x, 1 - mean)


@np.vectorize
def continuous_bernoulli_moment(logit: float, power: int) -> float:
    """The integral of x^power lambda^x (1 - lambda)^(1 - x) over [0, 1], lambda = sigmoid(logit)."""
    chance = special.expit(logit)
    return integrate.quad(lambda x: x**power * chance**x * (1 - chance) ** (1 - x), 0, 1, epsabs=1e-13)[0]


def continuous_bernoulli_mean(d: ContinuousBernoulli) -> np.ndarray:
    return continuous_bernoulli_moment(d.logits, 1) / continuous_bernoulli_moment(d.logits, 0)


def continuous_bernoulli_variance(d: ContinuousBernoulli) -> np.ndarray:
    second = continuous_bernoulli_moment(d.logits, 2) / continuous_bernoulli_moment(d.logits, 0)
    return second - continuous_bernoulli_mean(d) ** 2


def continuous_bernoulli_transport(d: ContinuousBernoulli, x: np.ndarray, other: ContinuousBernoulli) -> np.ndarray:
    level = np.expm1(d.logits * x) / np.expm1(d.logits)  # the distribution function
    return np.log1p(level * np.expm1(other.logits)) / other.logits


def categorical_moment(d: Categorical, power: int) -> np.ndarray:
    return special.softmax(d.logits, -1) @ np.arange(d.logits.shape[-1]) ** power


def normal(*shape: int) -> Family:
    event_ndim = len(shape) - 1
    return Family(
        Normal(parameters(*shape), 0.5 * real(*shape), event_ndim),
        real(*shape),
        log_prob=lambda d, x: stats.norm.logpdf(x, d.mean, np.exp(0.5 * d.log_var)),
        mean=lambda d: d.mean,
        variance=lambda d: np.exp(d.log_var),
        twin=lambda d: numpyro.Normal(d.mean, np.exp(0.5 * d.log_var)).to_event(event_ndim),
        transport=lambda d, x, other: other.mean + np.exp(0.5 * (other.log_var - d.log_var)) * (x - d.mean),
    )


def multivariate_normal(*shape: int) -> Family:
    return Family(
        MultivariateNormal(parameters(*shape), cholesky(*shape, shape[-1])),
        real(*shape),
        log_prob=lambda d, x: [
            stats.multivariate_normal.logpdf(*row) for row in zip(x, d.mean, covariance(d), strict=True)
        ],
        mean=lambda d: d.mean,
        variance=lambda d: np.diagonal(covariance(d), axis1=-2, axis2=-1),
        twin=lambda d: numpyro.MultivariateNormal(d.mean, scale_tril=d.cholesky),
        transport=lambda d, x, other: (
            other.mean + (other.cholesky @ np.linalg.solve(d.cholesky, (x - d.mean)[..., None]))[..., 0]
        ),
    )


def bernoulli(*shape: int) -> Family:
    event_ndim = len(shape) - 1
    return Family(
        Bernoulli(parameters(*shape, scale=2), event_ndim),
        jnp.asarray(integers(2, *shape), "float32"),
        log_prob=bernoulli_log_prob,
        mean=lambda d: special.expit(d.logits),
        variance=lambda d: special.expit(d.logits) * special.expit(-d.logits),
        twin=lambda d: numpyro.Bernoulli(logits=d.logits).to_event(event_ndim),
    )


def grey_cross_entropy(*shape: int) -> Family:
    return Family(
        GreyCrossEntropy(parameters(*shape, scale=2), len(shape) - 1),
        unit(*shape),
        log_prob=cross_entropy,
        mean=lambda d: special.expit(d.logits),
        variance=lambda d: np.zeros_like(d.logits),
    )


def continuous_bernoulli(*shape: int) -> Family:
    return Family(
        ContinuousBernoulli(parameters(*shape, scale=3), len(shape) - 1),
        unit(*shape),
        log_prob=lambda d, x: cross_entropy(d, x) - np.log(continuous_bernoulli_moment(d.logits, 0)),
        mean=continuous_bernoulli_mean,
        variance=continuous_bernoulli_variance,
        transport=continuous_bernoulli_transport,
    )


def categorical(*shape: int) -> Family:
    event_ndim = len(shape) - 1
    return Family(
        Categorical(parameters(*shape, 5), event_ndim),
        jnp.asarray(integers(5, *shape)),
        log_prob=lambda d, x: np.log(
            np.take_along_axis(special.softmax(d.logits, -1), x.astype(int)[..., None], -1)[..., 0]
        ),
        mean=lambda d: categorical_moment(d, 1),
        variance=lambda d: categorical_moment(d, 2) - categorical_moment(d, 1) ** 2,
        twin=lambda d: numpyro.Categorical(logits=d.logits).to_event(event_ndim),
    )


def poisson(*shape: int) -> Family:
    event_ndim = len(shape) - 1
    return Family(
        Poisson(parameters(*shape) + 1, event_ndim),
        jnp.asarray(integers(7, *shape)),
        log_prob=lambda d, x: stats.poisson.logpmf(x, np.exp(d.log_rate)),
        mean=lambda d: np.exp(d.log_rate),
        variance=lambda d: np.exp(d.log_rate),
        twin=lambda d: numpyro.Poisson(jnp.exp(d.log_rate)).to_event(event_ndim),
    )


def scipy_nbinom(d: NegativeBinomial) -> Any:
    mean, total = np.exp(d.log_mean), np.exp(d.log_inverse_dispersion)
    return stats.nbinom(total, total / (total + mean))


def negative_binomial(*shape: int) -> Family:
    event_ndim = len(shape) - 1
    return Family(
        NegativeBinomial(parameters(*shape) + 1, 0.5 * real(*shape), event_ndim=event_ndim),
        jnp.asarray(integers(7, *shape)),
        log_prob=lambda d, x: scipy_nbinom(d).logpmf(x),
        mean=lambda d: np.exp(d.log_mean),
        variance=lambda d: scipy_nbinom(d).var(),
        twin=lambda d: numpyro.NegativeBinomial2(jnp.exp(d.log_mean), jnp.exp(d.log_inverse_dispersion)).to_event(
            event_ndim
        ),
    )


def zero_inflated_log_prob(d: NegativeBinomial, x: np.ndarray) -> np.ndarray:
    zero = special.expit(d.zero_logits)
    return np.log(zero * (x == 0) + (1 - zero) * scipy_nbinom(d).pmf(x))


def zero_inflated_variance(d: NegativeBinomial) -> np.ndarray:
    kept, base = special.expit(-d.zero_logits), scipy_nbinom(d)
    return kept * (base.var() + base.mean() ** 2) - (kept * base.mean()) ** 2


def zero_inflated(*shape: int) -> Family:
    return Family(
        NegativeBinomial(parameters(*shape) + 1, 0.5 * real(*shape), real(*shape), event_ndim=len(shape) - 1),
        jnp.asarray(integers(3, *shape)),
        log_prob=zero_inflated_log_prob,
        mean=lambda d: special.expit(-d.zero_logits) * np.exp(d.log_mean),
        variance=zero_inflated_variance,
    )


def multinomial_log_prob(d: Multinomial, x: np.ndarray) -> np.ndarray:
    coefficient = special.gammaln(x.sum(-1) + 1) - special.gammaln(x + 1).sum(-1)
    return coefficient + (x * special.log_softmax(d.logits, -1)).sum(-1)


def multinomial(*shape: int) -> Family:
    total = 9.0

    def shares(d: Multinomial) -> np.ndarray:
        return special.softmax(d.logits, -1)

    return Family(
        Multinomial(parameters(*shape), jnp.full(shape[:-1], total)),
        jnp.asarray(
            np.random.default_rng(2).multinomial(total, np.full(shape[-1], 1 / shape[-1]), shape[:-1]), "int32"
        ),
        log_prob=multinomial_log_prob,
        mean=lambda d: total * shares(d),
        variance=lambda d: total * shares(d) * (1 - shares(d)),
        twin=lambda d: numpyro.Multinomial(total_count=jnp.full(shape[:-1], 9), logits=d.logits),
    )


def student_t(*shape: int) -> Family:
    event_ndim = len(shape) - 1
    return Family(
        StudentT(parameters(*shape), 0.5 * real(*shape), 2.5 + 0.3 * parameters(*shape), event_ndim),
        real(*shape),
        log_prob=lambda d, x: stats.t.logpdf(x, np.exp(d.log_degrees), d.mean, np.exp(d.log_scale)),
        mean=lambda d: d.mean,
        variance=lambda d: stats.t.var(np.exp(d.log_degrees), d.mean, np.exp(d.log_scale)),
        twin=lambda d: numpyro.StudentT(jnp.exp(d.log_degrees), d.mean, jnp.exp(d.log_scale)).to_event(event_ndim),
    )


def log_normal(*shape: int) -> Family:
    event_ndim = len(shape) - 1

    def scipy_lognorm(d: LogNormal) -> Any:
        return stats.lognorm(np.exp(0.5 * d.log_var), scale=np.exp(d.log_median))

    return Family(
        LogNormal(parameters(*shape), 0.5 * real(*shape) - 1.5, event_ndim),
        jnp.exp(real(*shape)),
        log_prob=lambda d, x: scipy_lognorm(d).logpdf(x),
        mean=lambda d: scipy_lognorm(d).mean(),
        variance=lambda d: scipy_lognorm(d).var(),
        twin=lambda d: numpyro.LogNormal(d.log_median, jnp.exp(0.5 * d.log_var)).to_event(event_ndim),
        transport=lambda d, x, other: np.exp(
            other.log_median + np.exp(0.5 * (other.log_var - d.log_var)) * (np.log(x) - d.log_median)
        ),
    )


def ordinal(*shape: int) -> Family:
    event_ndim = len(shape) - 1

    def probabilities(d: Ordinal) -> np.ndarray:
        below = special.expit(d.thresholds - d.location[..., None])
        return np.diff(below, axis=-1, prepend=0, append=1)

    def moment(d: Ordinal, power: int) -> np.ndarray:
        return probabilities(d) @ np.arange(4) ** power

    return Family(
        Ordinal(parameters(*shape), jnp.asarray([-1.0, 0.5, 1.0]) + jnp.zeros((*shape, 3)), event_ndim),
        jnp.asarray(integers(4, *shape)),
        log_prob=lambda d, x: np.log(np.take_along_axis(probabilities(d), x.astype(int)[..., None], -1)[..., 0]),
        mean=lambda d: moment(d, 1),
        variance=lambda d: moment(d, 2) - moment(d, 1) ** 2,
        twin=lambda d: numpyro.OrderedLogistic(d.location, d.thresholds).to_event(event_ndim),
    )


def beta_binomial_log_prob(d: BetaBinomial, x: np.ndarray) -> np.ndarray:
    """SciPy's formula for any number of trials, for derivatives."""
    chance, concentration = special.expit(d.logits), np.exp(d.log_concentration)
    a, b, rest = chance * concentration, (1 - chance) * concentration, d.trials - x
    log_choose = -special.betaln(x + 1, rest + 1) - np.log(d.trials + 1)
    return log_choose + special.betaln(x + a, rest + b) - special.betaln(a, b)


def beta_binomial(*shape: int) -> Family:
    event_ndim = len(shape) - 1

    def scipy_betabinom(d: BetaBinomial) -> Any:
        chance, concentration = special.expit(d.logits), np.exp(d.log_concentration)
        return stats.betabinom(np.int64(d.trials), chance * concentration, (1 - chance) * concentration)

    return Family(
        BetaBinomial(jnp.full(shape, 7.0), parameters(*shape), 1 + 0.5 * real(*shape), event_ndim),
        jnp.asarray(integers(7, *shape)),
        log_prob=beta_binomial_log_prob,
        mean=lambda d: scipy_betabinom(d).mean(),
        variance=lambda d: scipy_betabinom(d).var(),
        twin=lambda d: numpyro.BetaBinomial(
            jax.nn.sigmoid(d.logits) * jnp.exp(d.log_concentration),
            jax.nn.sigmoid(-d.logits) * jnp.exp(d.log_concentration),
            jnp.full(shape, 7),
        ).to_event(event_ndim),
    )


def levels_moment(probabilities: np.ndarray, power: int) -> np.ndarray:
    return probabilities @ np.linspace(0, 1, probabilities.shape[-1]) ** power


def discretized_logistic(*shape: int) -> Family:
    def probabilities(d: DiscretizedLogistic) -> np.ndarray:
        edges = (np.arange(4) + 0.5) / 4
        below = stats.logistic.cdf(edges, d.location[..., None], np.exp(d.log_scale[..., None]))
        return np.diff(below, axis=-1, prepend=0, append=1)

    def log_prob(d: DiscretizedLogistic, x: np.ndarray) -> np.ndarray:
        level = np.rint(x * 4).astype(int)
        return np.log(np.take_along_axis(probabilities(d), level[..., None], -1)[..., 0])

    return Family(
        DiscretizedLogistic(0.5 + 0.3 * parameters(*shape), real(*shape) - 2, len(shape) - 1, levels=5),
        jnp.asarray(integers(5, *shape)) / 4,
        log_prob=log_prob,
        mean=lambda d: levels_moment(probabilities(d), 1),
        variance=lambda d: levels_moment(probabilities(d), 2) - levels_moment(probabilities(d), 1) ** 2,
    )


def beta_binomial_levels(*shape: int) -> Family:
    def of_counts(d: BetaBinomialLevels) -> Any:
        mean, concentration = special.expit(d.logits), np.exp(d.log_concentration)
        return stats.betabinom(4, mean * concentration, (1 - mean) * concentration)

    return Family(
        BetaBinomialLevels(parameters(*shape), 0.5 * real(*shape) + 0.2, len(shape) - 1, levels=5),
        jnp.asarray(integers(5, *shape)) / 4,
        log_prob=lambda d, x: of_counts(d).logpmf(np.rint(x * 4)),
        mean=lambda d: of_counts(d).mean() / 4,
        variance=lambda d: of_counts(d).var() / 16,
    )


def categorical_levels(*shape: int) -> Family:
    def probabilities(d: CategoricalLevels) -> np.ndarray:
        return special.softmax(d.logits, -1)

    return Family(
        CategoricalLevels(parameters(*shape, 5), len(shape) - 1),
        jnp.asarray(integers(5, *shape)) / 4,
        log_prob=lambda d, x: np.log(
            np.take_along_axis(probabilities(d), np.rint(x * 4).astype(int)[..., None], -1)[..., 0]
        ),
        mean=lambda d: levels_moment(probabilities(d), 1),
        variance=lambda d: levels_moment(probabilities(d), 2) - levels_moment(probabilities(d), 1) ** 2,
    )


def delta(*shape: int) -> Family:
    event_ndim = len(shape) - 1
    return Family(
        Delta(parameters(*shape), event_ndim),
        parameters(*shape).at[0].add(1.0),  # one example off the point
        log_prob=lambda d, x: np.where(x == d.mean, 0.0, -np.inf),
        mean=lambda d: d.mean,
        variance=lambda d: np.zeros_like(d.mean),
        twin=lambda d: numpyro.Delta(d.mean, event_dim=event_ndim),
    )


FAMILIES = {
    "normal-0": normal(BATCH),
    "normal-1": normal(BATCH, 4),
    "normal-3": normal(BATCH, 2, 2, 1),
    "multivariate_normal": multivariate_normal(BATCH, 4),
    "bernoulli-2": bernoulli(BATCH, 2, 2),
    "grey_cross_entropy-3": grey_cross_entropy(BATCH, 2, 1, 2),
    "continuous_bernoulli-1": continuous_bernoulli(BATCH, 4),
    "categorical-0": categorical(BATCH),
    "categorical-2": categorical(BATCH, 2, 2),
    "poisson-1": poisson(BATCH, 4),
    "negative_binomial-2": negative_binomial(BATCH, 2, 2),
    "zero_inflated_negative_binomial-1": zero_inflated(BATCH, 4),
    "multinomial": multinomial(BATCH, 4),
    "student_t-1": student_t(BATCH, 4),
    "log_normal-1": log_normal(BATCH, 4),
    "ordinal-1": ordinal(BATCH, 4),
    "beta_binomial-1": beta_binomial(BATCH, 4),
    "discretized_logistic-2": discretized_logistic(BATCH, 2, 2),
    "beta_binomial_levels-1": beta_binomial_levels(BATCH, 4),
    "categorical_levels-1": categorical_levels(BATCH, 4),
    "delta-1": delta(BATCH, 4),
}
PATHWISE = ["normal-1", "log_normal-1", "multivariate_normal", "continuous_bernoulli-1"]
NOISY = [name for name in FAMILIES if not name.startswith(("grey_cross_entropy", "delta"))]
SMOOTH = [name for name in FAMILIES if not name.startswith("delta")]


@pytest.fixture(params=FAMILIES)
def family(request: pytest.FixtureRequest) -> Family:
    """Each row of the table."""
    return FAMILIES[request.param]


@pytest.fixture(params=NOISY)
def noisy_family(request: pytest.FixtureRequest) -> Family:
    """Each row whose samples differ."""
    return FAMILIES[request.param]


@pytest.fixture(params=SMOOTH)
def smooth_family(request: pytest.FixtureRequest) -> Family:
    """Each row whose log-density has a gradient in the parameters."""
    return FAMILIES[request.param]


@pytest.fixture(params=PATHWISE)
def pathwise_family(request: pytest.FixtureRequest) -> Family:
    """Each row whose samples have a gradient in the parameters."""
    return FAMILIES[request.param]


@pytest.fixture(scope="session")
def float64() -> Callable[[Any], Any]:
    """Turn the arrays of a pytree into NumPy's float64, as the oracles want them."""
    return lambda tree: jax.tree.map(lambda leaf: np.asarray(leaf, np.float64), tree)


@pytest.fixture(params=[name for name, family in FAMILIES.items() if family.twin is not None])
def twinned_family(request: pytest.FixtureRequest) -> Family:
    """Every row that NumPyro has too."""
    return FAMILIES[request.param]
