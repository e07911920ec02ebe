"""Further pieces of a model, for objectives that ask for them by name; `EXTRAS` names their options."""

from jaxvae.extras.classifier import Classifier as Classifier
from jaxvae.extras.classifier import ClassifierNetwork as ClassifierNetwork
from jaxvae.extras.critic import Critic as Critic
from jaxvae.extras.critic import CriticNetwork as CriticNetwork
from jaxvae.extras.missing import Missing as Missing

EXTRAS = {"critic": Critic, "classifier": Classifier, "missing": Missing}
