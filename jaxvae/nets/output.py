"""Changes to a decoder's last layer: a learned shared log-variance, and an initial bias at the data's mean."""

from __future__ import annotations

import jax.numpy as jnp
from flax import linen as nn
from flax.traverse_util import flatten_dict, unflatten_dict

from jaxvae.nets.network import Network
from jaxvae.types import Array, Params


class SharedLogVar(Network):
    """Decoder of means, with one learned log-variance for all pixels appended along the last axis.

    Reference: Rybkin et al. 2021 (sigma-VAE), https://arxiv.org/abs/2006.13202, section 3.
    """

    decoder: nn.Module

    @nn.compact
    def __call__(self, z: Array, condition: Array | None = None) -> Array:
        """Map `[B, D]` to `[B, ..., 2C]`."""
        mean = self.decoder(z) if condition is None else self.decoder(z, condition)
        # Adam moves a parameter by about its learning rate per step; the factor 10 is fast enough for one number.
        log_var = 10 * self.param("tenth_log_var", nn.initializers.zeros, (), jnp.float32)
        return jnp.concatenate([mean, jnp.broadcast_to(log_var, mean.shape)], axis=-1)


def with_output_bias(params: Params, outputs: Array) -> Params:
    """Return decoder parameters whose last layer's initial output is `outputs` on average.

    It gains about a nat early in training (Burda et al. 2016, https://arxiv.org/abs/1509.00519, section 5.1).

    Args:
        params: a decoder's parameters, with one layer named "output" somewhere.
        outputs: `[..., C]`, the outputs wanted for one example. A layer with one bias per channel takes their mean over
            pixels; one with more channels than C (log-variances) keeps its other biases.

    Returns:
        New parameters.

    Raises:
        ValueError: no layer is named "output", or several are.
    """
    flat = flatten_dict(params)
    biases = [path for path in flat if path[-2:] == ("output", "bias")]
    if len(biases) != 1:
        raise ValueError(f"params: one layer with a bias must be named 'output'; there are {len(biases)}")
    return unflatten_dict({**flat, biases[0]: _bias_for(flat[biases[0]], outputs)})


def _bias_for(bias: Array, outputs: Array) -> Array:
    channels = outputs.shape[-1]
    if bias.size < outputs.size:
        outputs = outputs.mean(axis=tuple(range(outputs.ndim - 1)))
    per_pixel = bias.reshape(*outputs.shape[:-1], -1)
    return per_pixel.at[..., :channels].set(outputs).reshape(bias.shape)
