"""Model: encoder, decoder, prior, posterior and likelihood combined, as pure functions of parameters."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from flax import linen as nn

from jaxvae import likelihoods, pieces, posteriors, rng
from jaxvae.distributions.sampling import for_decoder, point
from jaxvae.errors import InputError
from jaxvae.nets import pure
from jaxvae.types import Array, Distribution, Key, Params, Value


@dataclasses.dataclass(frozen=True)
class VAE:
    """Networks, prior, posterior and likelihood of a VAE. The objective is a separate function.

    A model holds no parameters and compares by value, so an equal model built elsewhere causes no recompilation.

    >>> import jax, jax.numpy as jnp
    >>> from jaxvae import nets, priors
    >>> model = VAE(nets.MLPEncoder((32,), 4), nets.MLPDecoder((32,), (8, 8, 1)), priors.StandardNormal(2))
    >>> params = model.init(jax.random.key(0), jnp.zeros((1, 8, 8, 1)))
    >>> model.sample(params, jax.random.key(1), 5).shape
    (5, 8, 8, 1)
    """

    encoder: nn.Module
    """Module from x, and the condition if given, to an array, a tuple of two heads, or other input of `posterior`."""
    decoder: nn.Module
    """Module from z, and the condition if given, to the input of `likelihood`."""
    prior: Callable[..., Distribution]
    """Function or piece `(params, condition=None) -> p(z)`, which has a batch axis only where it depends on the
    condition."""
    posterior: Callable[..., Distribution] = posteriors.normal
    """Function `(outputs) -> q(z|x)` of the encoder's outputs, or piece `(params, outputs, condition=None)`."""
    likelihood: Callable[..., Distribution] = likelihoods.bernoulli
    """Function `(outputs) -> p(x|z)` of the decoder's outputs, or piece `(params, outputs, condition=None)`."""
    extras: tuple[tuple[str, Any], ...] = ()
    """Further pieces by name, such as a critic, for the objective that asks for them."""

    def __post_init__(self) -> None:
        pure.check_module("encoder", self.encoder)
        pure.check_module("decoder", self.decoder)

    def __deepcopy__(self, memo: dict[int, Any]) -> VAE:
        # A model is immutable, and copies of jitted activations would make an unequal model.
        return self

    def init(self, key: Key, x: Array, condition: Array | None = None) -> Params:
        """Initialise parameters for x `[B, ...]`: a dict with "encoder", "decoder" and other learned parts.

        Examples may be zeros, except where a piece begins as data, as the pseudo-inputs of a VampPrior do.

        Raises:
            InputError: a network rejects its input, is no pure function, or does not fit the prior.
        """
        params: dict[str, Params] = {}

        def add(name: str, *inputs: Any, known: Mapping[str, Any] | None = None) -> None:
            one = rng.stream(key, f"init {name}")
            own = pieces.init(name, self._piece(name), one, *inputs, condition=condition, known=known)
            if own or name in ("encoder", "decoder"):
                params[name] = own

        add("encoder", x)
        add("posterior", self._outputs("encoder", params, x, condition))
        z = point(self.encode(params, x, condition))
        add("prior", x)
        self._check_dimensions(params, z, condition)
        add("decoder", for_decoder(z))
        add("likelihood", self._outputs("decoder", params, for_decoder(z), condition), known={"x": x})
        for name, _ in self.extras:
            add(name, x, z)
        return params

    def labels(self, params: Params) -> Params:
        """Return the label of every parameter, by which the optimizer moves it: `gradient`, or what its piece says."""
        return {name: pieces.labels(self._piece(name), own) for name, own in params.items()}

    def targets(self, params: Params, posterior: Distribution, weights: Array | None, step_key: Key) -> Params:
        """Return the targets of all averages after a step, see `objectives.averages`."""

        def of(name: str) -> Params:
            return self._piece(name).targets(params, posterior, weights, rng.stream(step_key, f"targets {name}"))

        return {name: of(name) for name in params if hasattr(self._piece(name), "targets")}

    def schedules(self) -> dict[str, Any]:
        """Return the schedules of the parameters labelled `scheduled`, nested as the parameters are."""
        pieces_ = {name: self._piece(name) for name in ("posterior", "prior", "likelihood", *dict(self.extras))}
        return {name: piece.schedules() for name, piece in pieces_.items() if hasattr(piece, "schedules")}

    def encode(self, params: Params, x: Array, condition: Array | None = None) -> Distribution:
        """Return q(z|x)."""
        outputs, known = self._outputs("encoder", params, x, condition), {"x": x, "model": self}
        return pieces.call("posterior", self.posterior, params, outputs, condition=condition, known=known)

    def decode(self, params: Params, z: Value, condition: Array | None = None) -> Distribution:
        """Return p(x|z)."""
        outputs = self._outputs("decoder", params, for_decoder(z), condition)
        return pieces.call("likelihood", self.likelihood, params, outputs, condition=condition, known={"model": self})

    def sample(self, params: Params, key: Key, num: int, condition: Array | None = None) -> Array:
        """Return `[num, ...]` means of p(x|z) at z ~ p(z), given `num` conditions or one for all, `[1, ...]`.

        To sample the pixels too, call `decode(...).sample(key)`.

        Raises:
            InputError: there are neither `num` conditions nor one.
        """
        return self.sample_each(params, rng.sample_keys(key, num), condition)

    def sample_each(self, params: Params, keys: Key, condition: Array | None = None) -> Array:
        """Return `[N, ...]` like `sample`, from one key per sample, so that many samples can be drawn in blocks."""
        return sample_each(self, params, keys, condition)

    def reconstruct(self, params: Params, x: Array, condition: Array | None = None) -> Array:
        """Return `[B, ...]`, the mean of p(x|z) at the posterior's mean: no key, no noise.

        Raises:
            InputError: x is uint8, whose range may be 0 to 255 or 0 and 1.
        """
        return reconstruct(self, params, x, condition)

    def _piece(self, name: str) -> Any:
        extras = dict(self.extras)
        return extras[name] if name in extras else getattr(self, name)

    def _outputs(self, name: str, params: Params, inputs: Any, condition: Array | None) -> Any:
        return pieces.call(name, getattr(self, name), params, inputs, condition=condition)

    def _check_dimensions(self, params: Params, z: Value, condition: Array | None) -> None:
        given = () if condition is None else (condition,)
        of_prior = jax.eval_shape(lambda: self.prior(params, *given).sample(jax.random.key(0)))
        for here, there in zip(jax.tree.leaves(z), jax.tree.leaves(of_prior)):
            if here.shape[-1:] != there.shape[-1:] != () and there.shape[-1] != 1:
                raise InputError(
                    f"encoder: its outputs make a posterior of {here.shape[-1]} dimensions, the prior has "
                    f"{there.shape[-1]}; give the one what the other has"
                )


class Functions(NamedTuple):
    """Model of three plain functions, for networks of any other kind.

    >>> from jaxvae.distributions import Normal
    >>> import jax.numpy as jnp
    >>> model = Functions(
    ...     encode=lambda params, x: Normal(params["a"] * x, jnp.zeros_like(x)),
    ...     decode=lambda params, z: Normal(params["b"] * z, jnp.zeros_like(z)),
    ...     prior=lambda params: Normal(jnp.zeros(3), jnp.zeros(3)),
    ... )
    """

    encode: Callable[..., Distribution]
    decode: Callable[..., Distribution]
    prior: Callable[..., Distribution]


def sample_each(model: Any, params: Params, keys: Key, condition: Array | None = None) -> Array:
    """Return `[N, ...]` means of p(x|z) at z ~ p(z) of any model, from one key per sample.

    Raises:
        InputError: there are neither N conditions nor one.
    """
    z = sample_codes(model, params, keys, condition)
    return point(model.decode(params, z, *(() if condition is None else (_one_for_each(condition, keys),))))


def draw_each(model: Any, params: Params, keys: Key, condition: Array | None = None) -> Any:
    """Return N draws of p(x|z) at z ~ p(z) of any model, from one key per sample.

    Raises:
        InputError: there are neither N conditions nor one.
    """
    z = sample_codes(model, params, keys, condition)
    given = () if condition is None else (_one_for_each(condition, keys),)
    return model.decode(params, z, *given).sample(jax.vmap(lambda key: rng.stream(key, "x"))(keys))


def sample_codes(model: Any, params: Params, keys: Key, condition: Array | None = None) -> Value:
    """Return N samples z ~ p(z) of any model, from one key per sample.

    Raises:
        InputError: there are neither N conditions nor one.
    """
    if condition is None:
        return jax.vmap(model.prior(params).sample)(keys)
    return _draw(model, params, keys, _one_for_each(condition, keys))


def reconstruct(model: Any, params: Params, x: Array, condition: Array | None = None) -> Array:
    """Return `[B, ...]`, the mean of p(x|z) of any model at the posterior's mean.

    Raises:
        InputError: x is uint8, whose range may be 0 to 255 or 0 and 1.
    """
    if any(array.dtype == jnp.uint8 for array in jax.tree.leaves(x)):
        raise InputError("x: uint8 may mean 0 to 255 or 0 and 1; give x / 255, or x.astype('float32')")
    given = () if condition is None else (condition,)
    decoded = model.decode(params, point(model.encode(params, x, *given)), *given)
    return point(decoded.like(x) if hasattr(decoded, "like") else decoded)


def _draw(model: Any, params: Params, keys: Key, condition: Array) -> Value:
    """Sample the prior once for each key and condition."""

    def shape(num: int) -> Any:
        rows = jax.ShapeDtypeStruct((num, *condition.shape[1:]), condition.dtype)
        return jax.eval_shape(lambda rows: model.prior(params, rows).sample(jax.random.key(0)), rows)

    if shape(1) == shape(2):  # whatever the condition
        return jax.vmap(model.prior(params, condition).sample)(keys)

    def draw(key: Key, row: Array) -> Value:
        return jax.tree.map(lambda layer: layer[0], model.prior(params, row[None]).sample(key))

    return jax.vmap(draw)(keys, condition)


def _one_for_each(condition: Array, keys: Key) -> Array:
    num = keys.shape[0]
    if condition.shape[:1] not in ((1,), (num,)):
        raise InputError(
            f"condition: shape {condition.shape} for {num} samples; give [{num}, ...], or [1, ...] for all"
        )
    return jnp.broadcast_to(condition, (num, *condition.shape[1:]))
