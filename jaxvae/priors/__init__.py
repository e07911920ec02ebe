"""Priors p(z): functions or pieces `(params, condition=None) -> distribution`; `PRIORS` names their options."""

from jaxvae.priors.layers import Layers as Layers
from jaxvae.priors.layers import TopDown as TopDown
from jaxvae.priors.standard_normal import Standard as Standard
from jaxvae.priors.standard_normal import StandardNormal as StandardNormal

PRIORS = {"standard": Standard, "layers": Layers}
