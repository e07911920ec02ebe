"""Laplace approximation of a Dirichlet distribution: its curvature at the mode by derivatives, and refusals."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxvae.data.spaces import Counts
from jaxvae.errors import InputError
from jaxvae.facts import Facts
from jaxvae.priors import Dirichlet


@pytest.mark.parametrize(("num", "alpha"), [(2, 1.0), (5, 0.3), (50, 0.02)])
def test_variances_are_those_of_the_curvature_at_the_mode(num, alpha):
    """In the softmax basis the density of h is that of Dirichlet(alpha) times the product of softmax(h)."""
    prior = Dirichlet(concentration=alpha).build(Facts(Counts((6,)), num))({})
    minus_hessian = -jax.hessian(lambda h: alpha * jax.nn.log_softmax(h).sum())(jnp.zeros(num))
    expected = np.diag(np.linalg.pinv(np.float64(minus_hessian), rcond=1e-4))
    np.testing.assert_allclose(np.exp(prior.log_var), expected, rtol=1e-4)
    np.testing.assert_array_equal(prior.mean, 0)


def test_variances_are_those_of_the_paper():
    """Equation 4 of Srivastava & Sutton with equal concentrations."""
    num, alpha = 7, 0.4
    expected = (1 / alpha) * (1 - 2 / num) + (1 / num**2) * sum(1 / alpha for _ in range(num))
    prior = Dirichlet(concentration=alpha).build(Facts(Counts((6,)), num))({})
    np.testing.assert_allclose(np.exp(prior.log_var), expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("alpha", "num", "told"), [(0.0, 5, "concentration: must be a positive"), (1.0, 1, "2 topics")]
)
def test_no_concentration_and_a_single_topic_are_refused(alpha, num, told):
    with pytest.raises(InputError, match=told):
        Dirichlet(concentration=alpha).build(Facts(Counts((6,)), num))
