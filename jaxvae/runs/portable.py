"""Trained layers of a run for the portable mode of compression, where its model is of a kind that integers compute."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from jaxvae import nets, posteriors, priors
from jaxvae.coding.integer_nets import Dense
from jaxvae.coding.portable import Trained
from jaxvae.errors import InputError
from jaxvae.nets.activations import ACTIVATIONS
from jaxvae.runs.run import Run


def trained(run: Run) -> Trained:
    """Return the layers of a run.

    Raises:
        InputError: its model is of another kind.
    """
    model, params = run.model, jax.device_get(run.params)
    for name, piece, fits in (
        ("encoder", model.encoder, type(model.encoder) is nets.MLPEncoder),
        ("decoder", model.decoder, type(model.decoder) is nets.MLPDecoder),
        ("posterior", model.posterior, model.posterior is posteriors.normal),
        ("prior", model.prior, isinstance(model.prior, priors.StandardNormal)),
    ):
        if not fits:
            raise InputError(
                f"portable: the {name} of this run is {getattr(piece, '__name__', type(piece).__name__)}, and integer "
                "networks take dense layers with --posterior normal and --prior standard; leave it out"
            )
    if not all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(params)):
        raise InputError("run-dir: its parameters are not finite; train it again, with --clip-norm")
    z = np.zeros((1, model.prior.latent_dim), np.float32)
    likelihood = jax.eval_shape(model.decode, run.params, z)
    encoder, decoder = (_layers(params[name], len(getattr(model, name).hidden)) for name in ("encoder", "decoder"))
    names = tuple(_name(getattr(model, name).activation) for name in ("encoder", "decoder"))
    return Trained(encoder, decoder, names, likelihood, run.space.shape)


def _layers(params: Any, num_hidden: int) -> list[Dense]:
    names = [*(f"Dense_{number}" for number in range(num_hidden)), "output"]
    return [Dense(np.asarray(params[name]["kernel"]), np.asarray(params[name]["bias"])) for name in names]


def _name(activation: Any) -> str:
    return next(name for name, function in ACTIVATIONS.items() if function is activation)
