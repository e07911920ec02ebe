"""Distances between a data set's codes and the prior, from samples alone, so that point codes are allowed too."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import digamma, gammaln
from numpy.typing import ArrayLike

from jaxvae.errors import InputError
from jaxvae.types import Array, Distribution


def squared_mmd(x: ArrayLike, y: ArrayLike, *, scale: float = 1.0) -> float:
    r"""Estimate the squared maximum mean discrepancy of the distributions of x and y, without bias.

        MMD^2 = E k(x, x') + E k(y, y') - 2 E k(x, y),    k(a, b) = c / (c + |a - b|^2),    c = 2 D scale^2

    The inverse multiquadric kernel still detects outliers that are too far for an RBF kernel; c is the mean squared
    distance of two samples of N(0, scale^2 I). MMD^2 is 0 where the distributions agree, and below 2; the estimate may
    be slightly negative. Memory grows with N + M.

    Args:
        x: `[N, D]`, at least two.
        y: `[M, D]`, at least two.
        scale: length scale of the kernel, such as the prior's standard deviation.

    Raises:
        InputError: there are fewer than two samples, or their dimensions differ.

    Reference: Gretton et al. 2012, https://jmlr.org/papers/v13/gretton12a.html, equation 3; Tolstikhin et al. 2018,
    https://arxiv.org/abs/1711.01558, section 4 (kernel).

    >>> round(squared_mmd([[0.0], [1.0]], [[0.0], [1.0]]), 4)  # 2/3 within, 5/6 between: 2/3 + 2/3 - 2 * 5/6
    -0.3333
    """
    x, y = _draws("x", x), _draws("y", y)
    if x.shape[1] != y.shape[1]:
        raise InputError(f"y: must have the {x.shape[1]} dimensions of x, got {y.shape[1]}")
    return _mean_kernel(x, x, scale, same=True) + _mean_kernel(y, y, scale, same=True) - 2 * _mean_kernel(x, y, scale)


def _mean_kernel(x: np.ndarray, y: np.ndarray, scale: float, *, same: bool = False) -> float:
    """Average the kernel over all pairs; with `same`, over pairs of different samples, because k(a, a) = 1."""
    mean, num = np.asarray(_row_means(x, y, 2 * x.shape[1] * scale**2)).mean(dtype=np.float64), len(y)
    return float((mean * num - 1) / (num - 1) if same else mean)


@jax.jit
def _row_means(x: Array, y: Array, constant: float) -> Array:
    """Return `[N]` means of k(x_i, y_j) over j, one row at a time."""

    def row_mean(one: Array) -> Array:
        # Differences instead of |a|^2 + |b|^2 - 2ab, which loses digits far from the origin.
        return (constant / (constant + jnp.square(one - y).sum(-1))).mean()

    return jax.lax.map(row_mean, x)


def knn_entropy(x: ArrayLike, *, k: int = 5) -> float:
    r"""Estimate the differential entropy, in nats, of samples x by the distances to their k-th nearest neighbours.

        H = digamma(N) - digamma(k) + log V_D + D mean_i log rho_k(i)

    with rho_k(i) the distance of x_i to the k-th nearest of the others and V_D the volume of the unit ball.

    Args:
        x: `[N, D]`, more than k.
        k: rank of the neighbour; a higher one has less variance and more bias.

    Raises:
        InputError: there are too few samples, or one occurs more than k times, so that they have no density.

    Reference: Kozachenko & Leonenko 1987; Kraskov et al. 2004, https://doi.org/10.1103/PhysRevE.69.066138, equation 20.
    """
    from sklearn.neighbors import NearestNeighbors

    x = _draws("x", x)
    num, dimensions = x.shape
    if not 1 <= k < num:
        raise InputError(f"k: must be from 1 to {num - 1} with {num} draws, got {k}")
    # Without query points, scikit-learn excludes each point from its own neighbours.
    distances = NearestNeighbors(n_neighbors=k).fit(x).kneighbors()[0][:, -1]
    if not distances.all():
        raise InputError(f"x: a point comes more than {k} times, as no density's draws do; give a larger k")
    log_ball = dimensions / 2 * np.log(np.pi) - gammaln(dimensions / 2 + 1)
    return float(digamma(num) - digamma(k) + log_ball + dimensions * np.log(distances).mean())


def knn_kl(x: ArrayLike, q: Distribution, *, k: int = 5) -> float:
    r"""Estimate KL( p || q ), in nats, from samples x of p and the density of q.

        KL = -H(p) - mean_i log q(x_i)

    with the entropy by `knn_entropy`. An estimate from samples of q (Wang et al. 2009) would stay small even where p
    lies far outside of them; the known density of q, such as a prior's, avoids that.

    Args:
        x: `[N, D]`, more than k.
        q: a distribution over `[D]`.
        k: see `knn_entropy`.

    Raises:
        InputError: see `knn_entropy`.
    """
    return -knn_entropy(x, k=k) - float(np.asarray(q.log_prob(jnp.asarray(_draws("x", x)))).mean(dtype=np.float64))


def _draws(name: str, draws: ArrayLike) -> np.ndarray:
    array = np.asarray(draws, np.float32)
    if array.ndim != 2 or len(array) < 2:
        raise InputError(f"{name}: must be [N, D] with at least two draws, got shape {list(array.shape)}")
    return array
