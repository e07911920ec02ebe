"""Priors p(z): functions or pieces `(params, condition=None) -> distribution`; `PRIORS` names their options."""

from jaxvae.priors.categories import CategoriesPrior as CategoriesPrior
from jaxvae.priors.categories import UniformCategories as UniformCategories
from jaxvae.priors.codes import CodesPrior as CodesPrior
from jaxvae.priors.codes import UniformCodes as UniformCodes
from jaxvae.priors.layers import Layers as Layers
from jaxvae.priors.layers import TopDown as TopDown
from jaxvae.priors.standard_normal import Standard as Standard
from jaxvae.priors.standard_normal import StandardNormal as StandardNormal

PRIORS = {
    "standard": Standard,
    "layers": Layers,
    "uniform_codes": UniformCodes,
    "uniform_categories": UniformCategories,
}
