"""What is done to a decoder's last layer: a learned shared log-variance, and a bias that starts at the data's mean."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from flax import linen as nn

from jaxvae.types import Array, Params


class SharedLogVar(nn.Module):
    """A decoder whose outputs are means, with one learned log-variance for all pixels appended along the last axis.

    Reference: Rybkin et al. 2021 (sigma-VAE), https://arxiv.org/abs/2006.13202, section 3.
    """

    decoder: nn.Module

    @nn.compact
    def __call__(self, z: Array, condition: Array | None = None) -> Array:
        """`[B, D]` -> `[B, ..., 2C]`."""
        mean = self.decoder(z, condition)
        log_var = self.param("log_var", nn.initializers.zeros, ())
        return jnp.concatenate([mean, jnp.broadcast_to(log_var, mean.shape)], axis=-1)


def with_output_bias(params: Params, outputs: Array) -> Params:
    """Decoder parameters whose last layer puts out `outputs` on average when training begins.

    It is worth about a nat early on (Burda et al. 2016, https://arxiv.org/abs/1509.00519, section 5.1).

    Args:
        params: a decoder's parameters, with a layer named "output" somewhere.
        outputs: `[..., C]`, the outputs wanted for one example. A layer with one bias per channel takes their mean over
            pixels; one with more channels than C (log-variances) keeps its other biases.

    Returns:
        New parameters.

    Raises:
        ValueError: there is no layer named "output".
    """
    if "output" not in params:
        for name, inner in params.items():
            if isinstance(inner, dict):
                return {**params, name: with_output_bias(inner, outputs)}
        raise ValueError("params: no layer is named 'output', so there is no output bias to set")
    layer: dict[str, Any] = params["output"]
    return {**params, "output": {**layer, "bias": _bias_for(layer["bias"], outputs)}}


def _bias_for(bias: Array, outputs: Array) -> Array:
    channels = outputs.shape[-1]
    if bias.size < outputs.size:
        outputs = outputs.mean(axis=tuple(range(outputs.ndim - 1)))
    per_pixel = bias.reshape(*outputs.shape[:-1], -1)
    return per_pixel.at[..., :channels].set(outputs).reshape(bias.shape)
