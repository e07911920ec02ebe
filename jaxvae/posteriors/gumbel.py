"""Posterior of categories with a continuous relaxation (Gumbel-softmax).

The temperature is a parameter labelled `scheduled`, which the train step writes before the loss. Samples are relaxed
wherever the model encodes; estimates of a bound take the categories themselves, see `distributions.gumbel.hard`.
"""

from __future__ import annotations

import dataclasses

import jax.numpy as jnp
import optax

from jaxvae.arguments import check_number, whole_number
from jaxvae.distributions.gumbel import RelaxedCategorical
from jaxvae.errors import InputError
from jaxvae.facts import Facts
from jaxvae.types import SCHEDULED, Array, Key, Params


@dataclasses.dataclass(frozen=True)
class RelaxedCategories:
    """Relaxed categorical variables, at a temperature that falls exponentially from step to step."""

    num_categories: int
    temperature: float
    final_temperature: float
    anneal_steps: int

    def init(self, key: Key, outputs: Array, condition: Array | None = None) -> Params:
        """Initialise the temperature."""
        del key, outputs, condition
        return {"temperature": jnp.float32(self.temperature)}

    def labels(self, own: Params) -> str:
        """Return the label of the temperature."""
        del own
        return SCHEDULED

    def schedules(self) -> dict[str, optax.Schedule]:
        """Return the schedule of the temperature."""
        ratio = self.final_temperature / self.temperature
        schedule = optax.exponential_decay(self.temperature, self.anneal_steps, ratio, end_value=self.final_temperature)
        return {"temperature": schedule}

    def __call__(self, params: Params, outputs: Array) -> RelaxedCategorical:
        """Return the posterior with these logits `[B, L K]`."""
        logits = outputs.reshape(len(outputs), -1, self.num_categories)
        temperature = params["posterior"]["temperature"]
        return RelaxedCategorical(logits, jnp.broadcast_to(temperature, (len(outputs), 1, 1)))


@dataclasses.dataclass(frozen=True)
class GumbelSoftmax:
    """Categorical variables, one for each latent dimension, relaxed in training."""

    num_categories: int = 10
    """Number of categories of each latent variable."""
    temperature: float = 1.0
    """Temperature of the relaxation at the first step."""
    final_temperature: float = 0.5
    """Temperature of the relaxation in the end."""
    anneal_steps: int = 10_000
    """Number of steps in which the temperature falls, exponentially."""

    def __post_init__(self) -> None:
        whole_number("num_categories", self.num_categories, least=2)
        whole_number("anneal_steps", self.anneal_steps)
        for name in ("temperature", "final_temperature"):
            check_number(name, getattr(self, name))
            if not getattr(self, name):
                raise InputError(f"{name}: must be above 0, because samples at 0 have no gradient")

    def num_outputs(self, latent_dim: int) -> int:
        """Return the number of encoder outputs, D K."""
        return latent_dim * self.num_categories

    def build(self, facts: Facts) -> RelaxedCategories:
        """Return the posterior."""
        del facts
        return RelaxedCategories(self.num_categories, self.temperature, self.final_temperature, self.anneal_steps)
