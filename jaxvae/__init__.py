"""Variational autoencoders as pure JAX functions.

`train`, `load` and `fit` train and use whole models from Python; `Recipe` and `preset` hold their options. `VAE` and
`elbo_loss` are for one's own JAX code. Importing allocates no array and imports no heavy package.
"""

import importlib
from typing import TYPE_CHECKING, Any

from jaxvae import distributions as distributions
from jaxvae import likelihoods as likelihoods
from jaxvae import nets as nets
from jaxvae import posteriors as posteriors
from jaxvae import priors as priors
from jaxvae import rng as rng
from jaxvae.distributions import gaussian_kl as gaussian_kl
from jaxvae.distributions import kl_divergence as kl_divergence
from jaxvae.distributions import multivariate_gaussian_kl as multivariate_gaussian_kl
from jaxvae.distributions import reparameterize as reparameterize
from jaxvae.model import VAE as VAE
from jaxvae.model import Functions as Functions
from jaxvae.objectives import elbo_loss as elbo_loss
from jaxvae.objectives import elbo_terms as elbo_terms
from jaxvae.types import ElboTerms as ElboTerms

__version__ = "0.2.0"

if TYPE_CHECKING:
    from jaxvae.api import fit as fit
    from jaxvae.api import load as load
    from jaxvae.api import preset as preset
    from jaxvae.api import train as train
    from jaxvae.options.recipe import Recipe as Recipe
    from jaxvae.runs.run import Run as Run

_LATER = {
    **dict.fromkeys(("fit", "load", "preset", "train"), "jaxvae.api"),
    "Recipe": "jaxvae.options.recipe",
    "Run": "jaxvae.runs.run",
}
"""Modules of the names that are imported when they are first used."""
_PACKAGES = ("data", "evaluation", "explorer", "latent", "objectives", "options", "runs", "training")
__all__ = [
    *_LATER,
    "VAE",
    "ElboTerms",
    "Functions",
    "distributions",
    "elbo_loss",
    "elbo_terms",
    "gaussian_kl",
    "kl_divergence",
    "likelihoods",
    "multivariate_gaussian_kl",
    "nets",
    "posteriors",
    "priors",
    "reparameterize",
    "rng",
]


def __getattr__(name: str) -> Any:
    if name in _LATER:
        # Kept under the name, because `jaxvae.train` is a module too, for `python -m`.
        globals()[name] = getattr(importlib.import_module(_LATER[name]), name)
        return globals()[name]
    if name in _PACKAGES:
        return importlib.import_module(f"jaxvae.{name}")
    raise AttributeError(f"module 'jaxvae' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*__all__, *_PACKAGES, "__version__"})
