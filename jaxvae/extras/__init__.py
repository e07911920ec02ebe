"""Further pieces of a model, for objectives that ask for them by name; `EXTRAS` names their options."""

from jaxvae.extras.critic import Critic as Critic
from jaxvae.extras.critic import CriticNetwork as CriticNetwork

EXTRAS = {"critic": Critic}
