"""Critic: a piece with its own label, on values of any kind."""

import jax
import jax.numpy as jnp
import numpy as np

from jaxvae.extras import EXTRAS, Critic
from jaxvae.facts import Facts


def test_it_scores_each_value_and_labels_its_parameters():
    critic = Critic(hidden=(4,)).build(Facts(None, 2))
    z = (jnp.ones((3, 2)), jnp.ones((3, 2, 2)))
    own = critic.init(jax.random.key(0), None, z)
    assert critic({"critic": own}, z).shape == (3,)
    assert critic == Critic(hidden=(4,)).build(Facts(None, 2))
    assert critic.labels(own) == "critic"


def test_its_optimizer_is_the_adam_of_its_options():
    """The first step of Adam has the length of the learning rate, whatever the gradient."""
    optimizer = EXTRAS["critic"](learning_rate=0.1).optimizer
    updates, _ = optimizer.update(jnp.array([3.0, -7.0]), optimizer.init(jnp.zeros(2)))
    np.testing.assert_allclose(updates, [-0.1, 0.1], rtol=1e-5)
