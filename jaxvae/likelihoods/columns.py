"""Likelihood of the rows of a table: a head for each kind of column."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any, ClassVar, Literal, NamedTuple

import jax.numpy as jnp
import numpy as np

from jaxvae.distributions import Columns
from jaxvae.errors import InputError
from jaxvae.facts import Facts
from jaxvae.likelihoods.families import FAMILIES, Family, Parameter
from jaxvae.likelihoods.options import Likelihood
from jaxvae.types import Array, Distribution, Key, Params

POSITIVE, CATEGORICAL = "log_normal", "categorical"
"""Families of the kinds that have one alone."""


@dataclasses.dataclass(frozen=True)
class ColumnsByKind(Likelihood):
    """One distribution for each column of a table, by its kind; missing values are not scored."""

    real: Literal["normal", "student_t"] = "normal"
    """Family of real and of whole numbers; that of positive ones is the log-normal."""
    count: Literal["negative_binomial", "zero_inflated", "poisson"] = "negative_binomial"
    """Family of counts."""
    ordinal: Literal["ordinal", "beta_binomial"] = "ordinal"
    """Family of ordered categories; that of others is the categorical."""
    spread: Literal["column", "decoded"] = "column"
    """Source of variances, dispersions and degrees of freedom: learned once for each column, or from the decoder."""

    support: ClassVar = "table"

    def link(self, mean: Array) -> None:
        """Return None: categories have no mean."""
        del mean

    def decoder_shape(self, facts: Facts) -> tuple[int, ...]:
        """Return the shape of all parameters of the decoder, one family after another."""
        return (sum(width for group in self._groups(facts) for width in group.widths),)

    def build(self, facts: Facts) -> ColumnsHead:
        """Return the piece."""
        return ColumnsHead(self._groups(facts))

    def _groups(self, facts: Facts) -> tuple[Group, ...]:
        space: Any = facts.space
        if not hasattr(space, "kinds"):
            raise InputError(f"likelihood: columns scores rows of a table, got {type(space).__name__}; choose another")
        families: dict[str, str] = {
            "real": self.real,
            "integer": self.real,
            "count": self.count,
            "ordinal": self.ordinal,
        }
        families |= {"positive": POSITIVE, "categorical": CATEGORICAL}
        kinds = [(size, families[kind]) for size, kind in zip(space.columns, space.kinds)]
        order = [*FAMILIES]
        return tuple(
            Group(
                family=family,
                size=size,
                columns=tuple(number for number, kind in enumerate(kinds) if kind == (size, family)),
                decoded=self.spread == "decoded",
            )
            for size, family in sorted(set(kinds), key=lambda kind: (kind[0], order.index(kind[1])))
        )


class Group(NamedTuple):
    """Columns of one family and one number of categories."""

    family: str
    size: int
    """Number of categories, 0 for numbers."""
    columns: tuple[int, ...]
    """Numbers of the columns."""
    decoded: bool
    """True where the spreads come from the decoder."""

    @property
    def of(self) -> Family:
        """Its family."""
        return FAMILIES[self.family]

    @property
    def widths(self) -> list[int]:
        """Count of numbers from the decoder for each parameter that comes from there."""
        return [len(self.columns) * one.width(self.size) for one in self.of.parameters if self.from_decoder(one)]

    def from_decoder(self, parameter: Parameter) -> bool:
        """Return True for a parameter that the decoder gives."""
        return parameter.source == "decoder" or (parameter.source == "spread" and self.decoded)

    def learned(self) -> Iterator[tuple[str, Parameter]]:
        """Yield the parameters that columns learn, with their names in the tree."""
        for parameter in self.of.parameters:
            if not self.from_decoder(parameter):
                name = parameter.name if self.family == "normal" else f"{self.family}_{parameter.name}"
                yield f"{name}_{self.size}" if self.size else name, parameter

    def distribution(self, parts: Iterator[Array], own: Params) -> Distribution:
        """Return the distributions of the columns, from the decoder's parts and what the columns learned."""
        names = {parameter.name: name for name, parameter in self.learned()}
        shape = None
        values = []
        for parameter in self.of.parameters:
            if self.from_decoder(parameter):
                part = next(parts)
                shape = (*part.shape[:-1], len(self.columns))
                width = parameter.width(self.size)
                values.append(part if width == 1 else part.reshape(*shape, width))
            else:
                value = own[names[parameter.name]]
                values.append(value if parameter.source == "column" else jnp.broadcast_to(value, shape))
        return self.of.build(self.size, *values)


@dataclasses.dataclass(frozen=True)
class ColumnsHead:
    """Likelihood of the columns of a table, with what is learned once for each column."""

    groups: tuple[Group, ...]

    def init(self, key: Key, outputs: Array) -> Params:
        """Start at variances and dispersions of 1, and at thresholds between equally frequent categories."""
        del key, outputs
        return {name: _start(parameter, group) for group in self.groups for name, parameter in group.learned()}

    def __call__(self, params: Params, outputs: Array) -> Columns:
        """Return p(x|z) from the decoder's outputs `[..., P]`."""
        widths = [width for group in self.groups for width in group.widths]
        parts = iter(jnp.split(outputs, np.cumsum(widths)[:-1], axis=-1))
        own = params.get("likelihood", {})
        heads = tuple(group.distribution(parts, own) for group in self.groups)
        return Columns(heads, tuple(group.columns for group in self.groups))


def _start(parameter: Parameter, group: Group) -> Array:
    shape = (len(group.columns), *([] if parameter.source == "spread" else [parameter.width(group.size)]))
    return jnp.array(np.broadcast_to(parameter.start(group.size), shape), jnp.float32)
