"""Networks that were trained to classify images, whose inner values compare images as people do.

Each is a pure function of parameters by name, which lie in an .npz file, and of images; see `layers`.
"""

from jaxvae.features.classifier import Classifier as Classifier
from jaxvae.features.compared import Compared as Compared
from jaxvae.features.efficientnet import EfficientNetLite0 as EfficientNetLite0
from jaxvae.features.files import read_features as read_features
from jaxvae.features.files import write_features as write_features
from jaxvae.features.layers import FeatureNetwork as FeatureNetwork
from jaxvae.features.layers import layers as layers
