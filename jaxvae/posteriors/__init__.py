"""Posteriors q(z|x): functions or pieces from the encoder's outputs to a distribution.

`POSTERIORS` names their options.
"""

from jaxvae.posteriors.heads import DiagonalNormal as DiagonalNormal
from jaxvae.posteriors.heads import FullNormal as FullNormal
from jaxvae.posteriors.heads import Point as Point
from jaxvae.posteriors.heads import delta as delta
from jaxvae.posteriors.heads import multivariate_normal as multivariate_normal
from jaxvae.posteriors.heads import normal as normal
from jaxvae.posteriors.layers import BottomUp as BottomUp
from jaxvae.posteriors.layers import Layers as Layers

POSTERIORS = {
    "normal": DiagonalNormal,
    "multivariate_normal": FullNormal,
    "delta": Point,
    "layers": Layers,
}
