"""Latent tools: pure functions on codes, for any model."""

from jaxvae.latent.grids import manifold_grid as manifold_grid
from jaxvae.latent.grids import prior_quantiles as prior_quantiles
from jaxvae.latent.grids import traversal as traversal
