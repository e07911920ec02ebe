"""A piece of one's own, in no table: trained, resumed and loaded by its class."""

import dataclasses

import jax.numpy as jnp
import pytest

from jaxvae.distributions import Normal
from jaxvae.errors import InputError
from jaxvae.options.names import replace
from jaxvae.runs import load_run
from jaxvae.runs.training import train_run


@dataclasses.dataclass(frozen=True)
class Shifted:
    """Normal around another point."""

    shift: float = 0.5

    def build(self, facts):
        return lambda params, condition=None: Normal(
            jnp.full(facts.latent_dim, self.shift), jnp.zeros(facts.latent_dim)
        )


@pytest.mark.slow
def test_a_prior_of_ones_own_is_trained_resumed_and_loaded(small):
    recipe = dataclasses.replace(small(latent_dim=2), prior=Shifted(0.25))
    assert train_run(recipe) == 0
    assert train_run(replace(recipe, {"steps": 60})) == 0
    with pytest.raises(
        InputError, match=r"Shifted' is unknown; pass its class to `load_run\(\.\.\., classes=\[\.\.\.\]\)`"
    ):
        load_run(recipe.output.run_dir)
    run = load_run(recipe.output.run_dir, classes=[Shifted])
    assert run.step == 60
    assert run.recipe.prior == Shifted(0.25)
    assert run.model.prior(run.params).mean.tolist() == [0.25, 0.25]
