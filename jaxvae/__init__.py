"""Variational autoencoders as pure JAX functions. Importing allocates no array and imports no heavy package."""

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

__version__ = "0.1.0"
