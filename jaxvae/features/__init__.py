"""Networks that were trained to classify images, whose inner values compare images as people do.

Each is a pure function `(params, images) -> {layer: values}`, and its parameters are arrays by name, in an .npz file.
"""

from jaxvae.features.classifier import Classifier as Classifier
from jaxvae.features.efficientnet import EfficientNetLite0 as EfficientNetLite0
from jaxvae.features.files import read_features as read_features
from jaxvae.features.files import write_features as write_features
