"""Perceptual likelihood: images are compared by what a fixed network sees in them. It is not normalised."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from jaxvae.arguments import check_number
from jaxvae.distributions import Perceptual
from jaxvae.errors import InputError
from jaxvae.facts import Facts
from jaxvae.features import Classifier, Compared, EfficientNetLite0, FeatureNetwork, read_features
from jaxvae.features.compared import PIXELS
from jaxvae.features.layers import needed
from jaxvae.likelihoods.bernoulli import logit
from jaxvae.likelihoods.options import Likelihood
from jaxvae.types import FROZEN, Array, Key, Params, Space

NETWORKS: dict[str, FeatureNetwork] = {Classifier.kind: Classifier(1), EfficientNetLite0.kind: EfficientNetLite0()}
"""Feature networks by kind; the logits, which alone depend on the number of classes, are not compared."""


@dataclasses.dataclass(frozen=True)
class PerceptualPixels(Likelihood):
    """Distance in the features of a fixed network, which is no likelihood (Hou et al. 2017)."""

    support: ClassVar = "unit"
    features: str | None = None
    """File of the feature network, an .npz: by experiments/classifier.py, or the weights of EfficientNet-Lite0."""
    layers: tuple[str, ...] = ()
    """Layers that are compared, such as conv_0; pixels is one of them; the network's first ones if not given."""
    weight: float = 10.0
    """Weight of the distance."""
    network: str | None = None
    """Kind of the network, which the file tells: classifier or efficientnet_lite0."""

    def __post_init__(self) -> None:
        check_number("weight", self.weight)

    def settled(self, space: Space) -> PerceptualPixels:
        """Return the same options with the kind of the network and the layers.

        Raises:
            InputError: examples are no images, there is no file, or the network has no such layer.
        """
        if len(space.shape) != 3:
            raise InputError(f"likelihood: perceptual is for images [H, W, C], got {space.shape}; choose another")
        if self.features is None:
            raise InputError(
                "likelihood: perceptual needs a feature network; give --likelihood.features FILE, by "
                "experiments/classifier.py"
            )
        network, params = read_features(self.features)
        chosen = self.layers or network.defaults
        if "logits" in chosen:
            raise InputError("layers: logits are not compared; name others")
        wanted = [name for name in chosen if name != PIXELS]
        sizes = needed(network, space.shape, wanted)
        if any(params[name].shape != size for name, size in sizes.items()):
            raise InputError(
                f"features: {self.features} is of images of another shape than {space.shape}; make it anew"
            )
        return dataclasses.replace(self, layers=chosen, network=network.kind)

    def link(self, mean: Array) -> Array:
        """Return logits."""
        return logit(mean)

    def build(self, facts: Facts) -> PerceptualHead:
        """Return the piece."""
        network = NETWORKS[str(self.network)]
        return PerceptualHead(network, self.layers, self.weight, facts.space.shape, str(self.features))


@dataclasses.dataclass(frozen=True)
class PerceptualHead:
    """Piece from decoder outputs to `distributions.Perceptual`, whose feature network never moves."""

    activation: ClassVar[str] = "sigmoid"
    """Function from the decoder's outputs to the mean, by name."""
    network: FeatureNetwork
    layers: tuple[str, ...]
    weight: float
    shape: tuple[int, ...]
    """Shape of an image."""
    file: str

    def init(self, key: Key, outputs: Array) -> Params:
        """Return zeros in place of the network's parameters, which `pretrained` reads."""
        del key, outputs
        return {name: jnp.zeros(size) for name, size in self._needed().items()}

    def pretrained(self) -> Params:
        """Read the parameters of the feature network.

        Raises:
            InputError: the file is missing or is another.
        """
        _, params = read_features(self.file)
        return {name: params[name] for name in self._needed()}

    def labels(self, own: Params) -> str:
        """Return the label of all parameters."""
        del own
        return FROZEN

    def __call__(self, params: Params, outputs: Array) -> Perceptual:
        """Return the distance from the image whose logits the decoder gives."""
        features = Compared(params["likelihood"], self.network, self.layers, self.weight)
        return Perceptual(jax.nn.sigmoid(outputs), features)

    def _needed(self) -> dict[str, Any]:
        return needed(self.network, self.shape, [name for name in self.layers if name != PIXELS])
