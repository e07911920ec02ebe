"""Lossless compression of any data by a trained model: bits-back coding on a stack of rANS."""

from jaxvae.coding.codecs import Codec as Codec
from jaxvae.coding.codecs import bits_back as bits_back
from jaxvae.coding.codecs import independent as independent
from jaxvae.coding.codecs import mapped as mapped
from jaxvae.coding.codecs import serial as serial
from jaxvae.coding.model import ModelCodec as ModelCodec
from jaxvae.coding.model import divide as divide
from jaxvae.coding.model import model_codec as model_codec
from jaxvae.coding.rans import Message as Message
