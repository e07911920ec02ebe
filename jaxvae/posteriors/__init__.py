"""Posteriors q(z|x): functions or pieces from the encoder's outputs to a distribution.

`POSTERIORS` names their options.
"""

from jaxvae.posteriors.gumbel import GumbelSoftmax as GumbelSoftmax
from jaxvae.posteriors.heads import DiagonalNormal as DiagonalNormal
from jaxvae.posteriors.heads import FullNormal as FullNormal
from jaxvae.posteriors.heads import Point as Point
from jaxvae.posteriors.heads import delta as delta
from jaxvae.posteriors.heads import multivariate_normal as multivariate_normal
from jaxvae.posteriors.heads import normal as normal
from jaxvae.posteriors.iaf import IAF as IAF
from jaxvae.posteriors.iaf import InverseAutoregressive as InverseAutoregressive
from jaxvae.posteriors.layers import BottomUp as BottomUp
from jaxvae.posteriors.layers import Layers as Layers
from jaxvae.posteriors.library import Library as Library
from jaxvae.posteriors.library import LibraryPosterior as LibraryPosterior
from jaxvae.posteriors.planar import Planar as Planar
from jaxvae.posteriors.planar import PlanarHead as PlanarHead
from jaxvae.posteriors.quantized import GradientQuantized as GradientQuantized
from jaxvae.posteriors.quantized import VectorQuantized as VectorQuantized

POSTERIORS = {
    "normal": DiagonalNormal,
    "multivariate_normal": FullNormal,
    "delta": Point,
    "layers": Layers,
    "vector_quantized": VectorQuantized,
    "gradient_quantized": GradientQuantized,
    "gumbel_softmax": GumbelSoftmax,
    "iaf": IAF,
    "planar": Planar,
    "library": Library,
}
