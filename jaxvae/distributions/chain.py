"""Chain of distributions, each conditional on the value before: several stochastic layers as one distribution."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from jaxvae import rng
from jaxvae.distributions.base import distribution, static
from jaxvae.distributions.kl import log_prob_per_example
from jaxvae.types import Array, Distribution, Key

Values: TypeAlias = tuple[Array, ...]


@distribution
class Chain:
    """Chain p(a, b, c) = p(a) p(b|a) p(c|b): a value is the tuple (a, b, c), or (c, b, a) where it is `backwards`.

    A posterior goes up from the data, q(z1|x) q(z2|z1); a prior comes down, p(z2) p(z1|z2), and is backwards: values
    of both are (z1, z2).
    """

    first: Distribution
    links: tuple[Callable[[Array], Distribution], ...]
    """Pytrees, each a function from a value to the distribution of the next."""
    backwards: bool = static(default=False)
    event_ndim: int = static(default=1)

    @property
    def support(self) -> tuple[Any, ...]:
        """Support of each value, as far as it is known."""
        return tuple(getattr(layer, "support", None) for layer in self._in_order((self.first, *self.links)))

    @property
    def mean(self) -> Values:
        """Mean of each value, given the means before it."""
        return self._walk(lambda link, _: link.mean)

    def sample(self, key: Key) -> Values:
        """Sample the values one after another."""
        keys = rng.sample_keys(key, len(self.links) + 1)
        return self._walk(lambda link, number: link.sample(keys[number]))

    def log_prob(self, value: Values) -> Array:
        """Return `[...]` nats, the sum over the links."""
        values = self._in_order(value)
        total = log_prob_per_example(self.first, values[0])
        for link, before, after in zip(self.links, values, values[1:]):
            total = total + log_prob_per_example(link(before), after)
        return total

    def _walk(self, choose: Callable[[Distribution, int], Array]) -> Values:
        values = [choose(self.first, 0)]
        for number, link in enumerate(self.links, start=1):
            values.append(choose(link(values[-1]), number))
        return self._in_order(tuple(values))

    def _in_order(self, layers: tuple[Any, ...]) -> tuple[Any, ...]:
        """Convert the order of the chain to that of a value, or back."""
        return layers[::-1] if self.backwards else layers
