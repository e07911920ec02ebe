"""Latent tools: pure functions on codes, for any model."""

from jaxvae.latent.analogies import analogy as analogy
from jaxvae.latent.attributes import attribute_direction as attribute_direction
from jaxvae.latent.attributes import attribute_threshold as attribute_threshold
from jaxvae.latent.attributes import attribute_vector as attribute_vector
from jaxvae.latent.attributes import edit as edit
from jaxvae.latent.attributes import has_attribute as has_attribute
from jaxvae.latent.attributes import logistic_direction as logistic_direction
from jaxvae.latent.attributes import orthogonalize as orthogonalize
from jaxvae.latent.beams import Beams as Beams
from jaxvae.latent.beams import beam_search as beam_search
from jaxvae.latent.grids import manifold_grid as manifold_grid
from jaxvae.latent.grids import prior_quantiles as prior_quantiles
from jaxvae.latent.grids import traversal as traversal
from jaxvae.latent.neighbours import Neighbours as Neighbours
from jaxvae.latent.neighbours import nearest as nearest
from jaxvae.latent.paths import halfway as halfway
from jaxvae.latent.paths import interpolate as interpolate
from jaxvae.latent.paths import path_through as path_through
from jaxvae.latent.paths import slerp as slerp
from jaxvae.latent.variations import vary as vary
from jaxvae.latent.variations import vary_posterior as vary_posterior
from jaxvae.latent.views import VIEWS as VIEWS
from jaxvae.latent.views import View as View
from jaxvae.latent.views import pca as pca
from jaxvae.latent.views import tsne as tsne
