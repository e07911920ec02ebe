"""Distances between sets of codes, against what they are for normal distributions."""

import numpy as np
import pytest
from scipy.integrate import quad

from jaxvae.distributions import Normal
from jaxvae.errors import InputError
from jaxvae.judges.aggregate import knn_entropy, knn_kl, squared_mmd

NUM = 1000


def draws(seed, mean=0.0, scale=1.0, num=NUM):
    return np.random.default_rng(seed).normal(size=(num, 2)) * scale + mean


def exact_mean_kernel(distance, variance):
    """E c / (c + |d|^2) with c = 4 and d ~ N(distance, variance I) on the plane.

    It is the integral over s > 0 of c exp(-s c) E exp(-s |d|^2), where the expectation is known.
    """

    def integrand(s):
        growth = 1 + 2 * variance * s
        return 4 * np.exp(-4 * s - s * distance**2 / growth) / growth

    return quad(integrand, 0, np.inf)[0]


@pytest.mark.parametrize(("mean", "scale"), [(0.0, 1.0), (1.0, 1.0), (0.0, 0.2), (2.0, 3.0)])
def test_mmd_of_two_normals(mean, scale):
    distance = mean * 2**0.5
    exact = exact_mean_kernel(0, 2 * scale**2) + exact_mean_kernel(0, 2) - 2 * exact_mean_kernel(distance, 1 + scale**2)
    found = [squared_mmd(draws(2 * n, mean, scale), draws(2 * n + 1)) for n in range(6)]
    error = np.std(found, ddof=1) / 6**0.5
    assert error < 0.01
    # Of six draws the error is itself known to a third: 6 sigma of Student's t with 5 degrees of freedom is wider.
    assert abs(np.mean(found) - exact) < 12 * error + 1e-6


def test_mmd_of_few_points_by_hand():
    x, y = np.array([[0.0], [1.0]]), np.array([[3.0], [5.0], [0.0]])
    kernel = 2 / (2 + (np.concatenate([x, y]) - np.concatenate([x, y]).T) ** 2)
    within_y = (kernel[2, 3] + kernel[2, 4] + kernel[3, 4]) / 3
    assert squared_mmd(x, y) == pytest.approx(kernel[0, 1] + within_y - 2 * kernel[:2, 2:].mean(), rel=1e-5)
    scaled = squared_mmd(10 * x, 10 * y, scale=10)
    assert scaled == pytest.approx(squared_mmd(x, y), rel=1e-5)


@pytest.mark.parametrize(("mean", "scale"), [(0.0, 1.0), (1.0, 1.0), (-3.0, 0.1), (1.0, 20.0)])
def test_kl_of_a_normal_to_the_prior(mean, scale):
    exact = scale**2 + mean**2 - 1 - 2 * np.log(scale)
    prior = Normal(np.zeros(2, np.float32), np.zeros(2, np.float32))
    x = draws(0, mean, scale)
    log_q = -(x**2).sum(1) / 2
    # The entropy's part has a variance of about (var log p + 1 / k) / N, and log p of a plane's normal has variance 1.
    error = ((log_q.var() + 1 + 1 / 5) / NUM) ** 0.5
    assert abs(knn_kl(x, prior) - exact) < 6 * error + 0.02


@pytest.mark.parametrize("k", [1, 5, 20])
def test_entropy_of_a_cube_is_the_log_of_its_volume(k):
    x = np.random.default_rng(0).uniform(0, 2, size=(4000, 3))
    # Near the faces there are no neighbours on one side: a bias of about the spacing over the side, upwards.
    assert abs(knn_entropy(x, k=k) - 3 * np.log(2)) < 6 * (1 / k / 4000) ** 0.5 + (k / 4000) ** (1 / 3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: squared_mmd(np.zeros((3, 2)), np.zeros((3, 1))), "y: must have the 2 dimensions of x, got 1"),
        (lambda: squared_mmd(np.zeros(3), np.zeros((3, 1))), r"x: must be \[N, D\]"),
        (lambda: knn_entropy(np.zeros((3, 2)), k=3), "k: must be from 1 to 2"),
        (lambda: knn_entropy(np.zeros((9, 2)), k=3), "x: a point comes more than 3 times"),
    ],
)
def test_bad_draws_are_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()
