"""Flax linen networks: arrays to arrays, no loss, no sampling; `NETWORKS` names the options of encoder and decoder."""

from jaxvae.nets.activations import ACTIVATIONS as ACTIVATIONS
from jaxvae.nets.bound import Bound as Bound
from jaxvae.nets.conductor import Conductor as Conductor
from jaxvae.nets.conductor import HierarchicalPredictor as HierarchicalPredictor
from jaxvae.nets.conv import Conv as Conv
from jaxvae.nets.conv import ConvDecoder as ConvDecoder
from jaxvae.nets.conv import ConvEncoder as ConvEncoder
from jaxvae.nets.counts import CountMLP as CountMLP
from jaxvae.nets.counts import TopicDecoder as TopicDecoder
from jaxvae.nets.counts import Topics as Topics
from jaxvae.nets.dilated import DilatedPredictor as DilatedPredictor
from jaxvae.nets.gated import Gated as Gated
from jaxvae.nets.identity import Identity as Identity
from jaxvae.nets.lstm import LSTMEncoder as LSTMEncoder
from jaxvae.nets.lstm import LSTMPredictor as LSTMPredictor
from jaxvae.nets.lstm import TokenLSTM as TokenLSTM
from jaxvae.nets.made import MADE as MADE
from jaxvae.nets.mixture_density import MixtureDensityLSTM as MixtureDensityLSTM
from jaxvae.nets.mlp import MLP as MLP
from jaxvae.nets.mlp import MLPDecoder as MLPDecoder
from jaxvae.nets.mlp import MLPEncoder as MLPEncoder
from jaxvae.nets.output import SharedLogVar as SharedLogVar
from jaxvae.nets.output import with_output_bias as with_output_bias
from jaxvae.nets.series import Series as Series
from jaxvae.nets.signal import Signal as Signal
from jaxvae.nets.signal import SignalDecoder as SignalDecoder
from jaxvae.nets.signal import SignalEncoder as SignalEncoder
from jaxvae.nets.spatial import Spatial as Spatial
from jaxvae.nets.spatial import SpatialDecoder as SpatialDecoder
from jaxvae.nets.spatial import SpatialEncoder as SpatialEncoder
from jaxvae.nets.tokens import TokenEncoder as TokenEncoder
from jaxvae.nets.tokens import TokenMLP as TokenMLP
from jaxvae.nets.tokens import TokenPredictor as TokenPredictor
from jaxvae.nets.transformer import TokenTransformer as TokenTransformer
from jaxvae.nets.transformer import TransformerEncoder as TransformerEncoder
from jaxvae.nets.transformer import TransformerPredictor as TransformerPredictor

NETWORKS = {
    "mlp": MLP,
    "gated": Gated,
    "conv": Conv,
    "spatial": Spatial,
    "signal": Signal,
    "series": Series,
    "tokens": TokenMLP,
    "lstm": TokenLSTM,
    "transformer": TokenTransformer,
    "counts": CountMLP,
    "topics": Topics,
}
