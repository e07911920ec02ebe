"""CMA-ES, against functions with a known optimum and a known metric, and in a world with a known solution."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxvae.control import evolution
from jaxvae.control.environments import CartPole
from jaxvae.control.search import search
from jaxvae.control.views import Projected
from jaxvae.control.worlds import Viewed


def evolved(score, num, generations, population=12):
    @jax.jit
    def run(state):
        def generation(state, key):
            points = evolution.ask(key, state, population)
            return evolution.tell(state, points, jax.vmap(score)(points)), state.sigma

        return jax.lax.scan(generation, state, jax.random.split(jax.random.key(0), generations))[0]

    return run(evolution.begin(num))


def test_it_finds_the_optimum_of_a_badly_scaled_quadratic_and_its_metric():
    hessian = np.diag([1.0, 30.0, 1000.0]) / 2
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    hessian = jnp.float32(turn @ hessian @ turn.T)
    optimum = jnp.array([1.0, -2.0, 0.5])
    end = evolved(lambda x: -(x - optimum) @ hessian @ (x - optimum), 3, 70)
    np.testing.assert_allclose(end.mean, optimum, atol=0.01)
    assert end.sigma < 0.1
    product = np.asarray(end.covariance, np.float64) @ np.asarray(hessian)
    ratios = np.linalg.eigvals(product).real  # the covariance becomes the inverse Hessian, up to a factor
    assert ratios.max() / ratios.min() < 30, "the Hessian's own are 1000"


def test_only_the_order_of_scores_counts():
    ones, others = (evolved(score, 2, 10) for score in (lambda x: -(x @ x), lambda x: jnp.exp(-(x @ x))))
    jax.tree.map(np.testing.assert_array_equal, ones, others)


def test_on_a_slope_steps_grow():
    end = evolved(lambda x: x[0], 2, 20)
    assert end.sigma > 3
    assert end.mean[0] > 10 * abs(end.mean[1])


def test_a_search_goes_on_as_if_it_had_not_stopped(tmp_path):
    world, sizes = Viewed(CartPole(), Projected(jnp.eye(1024, 4))), {"population": 6, "episodes": 2, "steps": 20}

    def run(folder, note=lambda generation: None):
        return search(jax.random.key(0), world, 4, folder, generations=14, note=note, **sizes)

    def kill(generation):
        if generation == 12:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "killed", kill)
    seen = []
    resumed = run(tmp_path / "killed", seen.append)
    assert seen[0] == 10, "the newest checkpoint"
    jax.tree.map(np.testing.assert_array_equal, resumed, run(tmp_path / "whole"))
