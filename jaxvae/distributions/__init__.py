"""Distributions as frozen pytrees, one family per file, and the KL divergences between them."""

from jaxvae.distributions.bernoulli import Bernoulli as Bernoulli
from jaxvae.distributions.bernoulli import ContinuousBernoulli as ContinuousBernoulli
from jaxvae.distributions.bernoulli import GreyCrossEntropy as GreyCrossEntropy
from jaxvae.distributions.categorical import Categorical as Categorical
from jaxvae.distributions.chain import Chain as Chain
from jaxvae.distributions.codes import Quantized as Quantized
from jaxvae.distributions.codes import UniformOverCodes as UniformOverCodes
from jaxvae.distributions.columns import Columns as Columns
from jaxvae.distributions.delta import Delta as Delta
from jaxvae.distributions.flow import InverseAutoregressiveFlow as InverseAutoregressiveFlow
from jaxvae.distributions.foreign import foreign as foreign
from jaxvae.distributions.gumbel import OneHotCategorical as OneHotCategorical
from jaxvae.distributions.gumbel import RelaxedCategorical as RelaxedCategorical
from jaxvae.distributions.kl import kl_divergence as kl_divergence
from jaxvae.distributions.kl import kl_per_dimension as kl_per_dimension
from jaxvae.distributions.kl import register_kl as register_kl
from jaxvae.distributions.mixture import Mixture as Mixture
from jaxvae.distributions.multivariate_normal import MultivariateNormal as MultivariateNormal
from jaxvae.distributions.multivariate_normal import multivariate_gaussian_kl as multivariate_gaussian_kl
from jaxvae.distributions.negative_binomial import NegativeBinomial as NegativeBinomial
from jaxvae.distributions.normal import Normal as Normal
from jaxvae.distributions.normal import gaussian_kl as gaussian_kl
from jaxvae.distributions.normal import reparameterize as reparameterize
from jaxvae.distributions.planar import PlanarFlow as PlanarFlow
from jaxvae.distributions.poisson import Poisson as Poisson
from jaxvae.distributions.tokens import Tokens as Tokens
