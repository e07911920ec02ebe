"""Files of feature networks: arrays by name in an .npz, with the network's kind."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from jaxvae.errors import InputError
from jaxvae.features.classifier import Classifier
from jaxvae.features.efficientnet import EfficientNetLite0
from jaxvae.features.layers import FeatureNetwork
from jaxvae.types import Params

SOME_SHAPE = (8, 8, 1)
"""Shape of images for which the names of parameters are asked; they are the same for any."""
KIND, NUM_CLASSES = "kind", "num_classes"
"""Arrays of the file that are no parameters."""


def read_features(path: str | Path) -> tuple[FeatureNetwork, Params]:
    """Read a network and its parameters, in float32.

    A file without a kind holds EfficientNet-Lite0's weights by their published names. No pickle is read.

    Raises:
        InputError: there is no such file, it is no .npz, or it holds another network.
    """
    path = Path(path)
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except FileNotFoundError:
        raise InputError(f"features: there is no file {path}; make one with experiments/classifier.py") from None
    except (OSError, ValueError, zipfile.BadZipFile, AttributeError) as error:
        raise InputError(f"features: {path} is no .npz of arrays ({type(error).__name__})") from None
    kind, num_classes = arrays.pop(KIND, None), arrays.pop(NUM_CLASSES, None)
    network: FeatureNetwork = EfficientNetLite0()
    if kind is not None and str(kind) == Classifier.kind and num_classes is not None:
        network = Classifier(int(num_classes))
    elif kind is not None and str(kind) != EfficientNetLite0.kind:
        raise InputError(
            f"features: {path} holds a network of kind {str(kind)!r}; give a file of experiments/classifier.py"
        )
    if missing := [name for name in network.shapes(SOME_SHAPE) if name not in arrays]:
        raise InputError(f"features: {path} lacks {missing[0]} of {network.kind}; give a whole file")
    return network, {name: np.asarray(array, np.float32) for name, array in arrays.items()}


def write_features(path: str | Path, network: FeatureNetwork, params: Params) -> None:
    """Write a network and its parameters."""
    arrays: dict[str, Any] = {name: np.asarray(value) for name, value in params.items()}
    arrays[KIND] = np.array(network.kind)
    if isinstance(network, Classifier):
        arrays[NUM_CLASSES] = np.array(network.num_classes)
    np.savez(path, **arrays)
