"""Portable codec of a run, whose trained layers become integer networks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from jaxvae import nets, posteriors, priors
from jaxvae.coding.integer_nets import Dense, Grids
from jaxvae.coding.integer_pixels import integer_pixels
from jaxvae.coding.model import ModelCodec
from jaxvae.coding.portable import VERSION, AllGrids, Trained, measured, portable_codec
from jaxvae.data.spaces import Pixels
from jaxvae.errors import InputError
from jaxvae.nets.activations import ACTIVATIONS
from jaxvae.runs.run import Run


def codec_for(run: Run, x: Any, bits: int) -> tuple[ModelCodec, dict[str, Any]]:
    """Return the codec for some examples, and what a header must hold of it.

    Args:
        run: trained model.
        x: examples as its networks read them.
        bits: bits of the number of buckets of a latent dimension.

    Raises:
        InputError: there are no integer networks for a model of this kind.
    """
    model = trained(run)
    grids = measured(model, x)
    return portable_codec(model, grids, bits), {"portable": {"version": VERSION, **grids._asdict()}}


def codec_of(run: Run, header: Mapping[str, Any]) -> ModelCodec:
    """Return the codec that a header describes."""
    encoder, decoder = ([Grids(*grid) for grid in header["portable"][name]] for name in AllGrids._fields)
    return portable_codec(trained(run), AllGrids(encoder, decoder), header["latent_bits"])


def check_version(header: Mapping[str, Any]) -> None:
    """Refuse a file of another version of the integer arithmetic.

    Raises:
        InputError: it is one.
    """
    if (version := header["portable"]["version"]) != VERSION:
        raise InputError(
            f"file: is of version {version} of the portable mode, this jaxvae has {VERSION}; use that which wrote it"
        )


def trained(run: Run) -> Trained:
    """Return the layers of a run.

    Raises:
        InputError: its model is of another kind.
    """
    model: Any = run.model
    params = jax.device_get(run.params)
    _check("kind of examples", run.space, isinstance(run.space, Pixels))
    _check("posterior", model.posterior, model.posterior is posteriors.normal)
    _check("prior", model.prior, isinstance(model.prior, priors.StandardNormal))
    likelihood = jax.eval_shape(model.decode, params, np.zeros((1, model.prior.latent_dim), np.float32))
    integer_pixels(likelihood)
    _check("encoder", model.encoder, type(model.encoder) is nets.MLPEncoder)
    _check("decoder", model.decoder, type(model.decoder) is nets.MLPDecoder)
    if not all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(params)):
        raise InputError("run-dir: its parameters are not finite; train it again, with --clip-norm")
    encoder = _layers(params["encoder"], len(model.encoder.hidden))
    decoder = _layers(params["decoder"], len(model.decoder.hidden))
    names = _name(model.encoder.activation), _name(model.decoder.activation)
    return Trained(encoder, decoder, names, likelihood, run.space.shape)


def _check(name: str, piece: Any, fits: bool) -> None:
    if not fits:
        raise InputError(
            f"portable: the run's {name} is {getattr(piece, '__name__', type(piece).__name__)}, and integer networks "
            "take pixels, dense layers, --posterior normal and --prior standard; leave it out"
        )


def _layers(params: Any, num_hidden: int) -> list[Dense]:
    names = [*(f"Dense_{number}" for number in range(num_hidden)), "output"]
    return [Dense(np.asarray(params[name]["kernel"]), np.asarray(params[name]["bias"])) for name in names]


def _name(activation: Any) -> str:
    return next(name for name, function in ACTIVATIONS.items() if function is activation)
