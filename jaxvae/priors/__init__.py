"""Priors p(z): functions or pieces `(params, condition=None) -> distribution`; `PRIORS` names their options."""

from jaxvae.priors.autoregressive import Autoregressive as Autoregressive
from jaxvae.priors.autoregressive import AutoregressivePrior as AutoregressivePrior
from jaxvae.priors.categories import CategoriesPrior as CategoriesPrior
from jaxvae.priors.categories import UniformCategories as UniformCategories
from jaxvae.priors.codes import CodesPrior as CodesPrior
from jaxvae.priors.codes import UniformCodes as UniformCodes
from jaxvae.priors.conditional import Conditional as Conditional
from jaxvae.priors.conditional import ConditionalNormal as ConditionalNormal
from jaxvae.priors.dirichlet import Dirichlet as Dirichlet
from jaxvae.priors.dirichlet import LogisticNormal as LogisticNormal
from jaxvae.priors.gaussian_process import GaussianProcessPrior as GaussianProcessPrior
from jaxvae.priors.gaussian_process import LatentProcesses as LatentProcesses
from jaxvae.priors.layers import Layers as Layers
from jaxvae.priors.layers import TopDown as TopDown
from jaxvae.priors.library import Library as Library
from jaxvae.priors.library import LibraryPrior as LibraryPrior
from jaxvae.priors.mixture import MixturePrior as MixturePrior
from jaxvae.priors.mixture import NormalMixture as NormalMixture
from jaxvae.priors.standard_normal import Standard as Standard
from jaxvae.priors.standard_normal import StandardNormal as StandardNormal
from jaxvae.priors.vamp import Vamp as Vamp
from jaxvae.priors.vamp import VampPrior as VampPrior

PRIORS = {
    "standard": Standard,
    "layers": Layers,
    "mixture": NormalMixture,
    "vamp": Vamp,
    "conditional": Conditional,
    "autoregressive": Autoregressive,
    "dirichlet": Dirichlet,
    "gaussian_process": LatentProcesses,
    "library": Library,
    "uniform_codes": UniformCodes,
    "uniform_categories": UniformCategories,
}
