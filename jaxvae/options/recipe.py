"""Recipe: everything that is chosen before a training, as one frozen value. A preset is a recipe."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from jaxvae.arguments import whole_number
from jaxvae.assemble import assemble
from jaxvae.data.preparation import Preparation
from jaxvae.data.sequences import Sequences
from jaxvae.errors import InputError, did_you_mean
from jaxvae.extras import EXTRAS as EXTRAS
from jaxvae.facts import Facts
from jaxvae.likelihoods import LIKELIHOODS
from jaxvae.model import VAE
from jaxvae.nets import MLP, NETWORKS
from jaxvae.nets.network import floating
from jaxvae.objectives import OBJECTIVES, elbo_loss
from jaxvae.options.auto import Auto
from jaxvae.options.checks import check, check_at_least
from jaxvae.options.corruptions import CORRUPTIONS, Clean
from jaxvae.options.from_signature import options_of, required_arguments
from jaxvae.options.groups import Compute, Data, Output, Train, settled
from jaxvae.options.own import Own
from jaxvae.posteriors import POSTERIORS, DiagonalNormal
from jaxvae.priors import PRIORS, Standard
from jaxvae.types import Space

AXES: Mapping[str, Mapping[str, type]] = {
    "networks": {"auto": Auto, **NETWORKS},
    "posterior": POSTERIORS,
    "prior": PRIORS,
    "likelihood": LIKELIHOODS,
    "objective": {kind: options_of(function) for kind, function in OBJECTIVES.items()},
    "corruption": CORRUPTIONS,
}
"""Choices of a recipe: by axis, the options classes by the names of their kinds."""
GROUPS = ("data", "sequences", "train", "output", "compute")
"""Options that every recipe has."""


@dataclasses.dataclass(frozen=True)
class Recipe:
    """Train a variational autoencoder, evaluate it and draw what it learned.

    Run the same command again to resume an interrupted run; raise --steps to continue a finished one.
    """

    networks: Any = dataclasses.field(default_factory=MLP)
    latent_dim: int = 20
    """Number of dimensions of z."""
    posterior: Any = dataclasses.field(default_factory=DiagonalNormal)
    prior: Any = dataclasses.field(default_factory=Standard)
    likelihood: Any = None
    objective: Any = dataclasses.field(default_factory=options_of(elbo_loss))
    extras: tuple[Any, ...] = ()
    corruption: Any = dataclasses.field(default_factory=Clean)
    condition: str = "none"
    """Condition that the networks get, such as label; none, label (the class of an example), attributes joined by
    commas, or quadrants of an image that are seen, such as bottom-left, where the others are to be completed."""
    data: Data = dataclasses.field(default_factory=Data)
    sequences: Sequences = dataclasses.field(default_factory=Sequences)
    train: Train = dataclasses.field(default_factory=Train)
    output: Output = dataclasses.field(default_factory=Output)
    compute: Compute = dataclasses.field(default_factory=Compute)
    preset: str = "vae"
    """Name of the row that the recipe began as."""
    paper: str = dataclasses.field(default="", compare=False)

    def __post_init__(self) -> None:
        kept = {kind_of(extra, EXTRAS): extra for extra in self.extras}
        asked = required_arguments(self.objective.function)
        object.__setattr__(self, "extras", tuple(kept.get(name) or EXTRAS[name]() for name in asked))

    @property
    def run_dir(self) -> Path:
        """Folder for all output, of a settled recipe."""
        return settled(self.output.run_dir)

    @property
    def preparation(self) -> Preparation:
        """Preparation of images and sequences."""
        return dataclasses.replace(self.data.preparation, sequences=self.sequences)

    @property
    def classes(self) -> tuple[type, ...]:
        """Classes of all its options, those of one's own too."""
        return tuple(type(options) for _, options in self.parts())

    def choose(self, axis: str, kind: str) -> Recipe:
        """Return the recipe with another kind on an axis; the kind that it has already keeps its options.

        Raises:
            InputError: the axis has no such kind.
        """
        table = AXES[axis]
        if kind not in table:
            raise InputError(f"{axis}: must be one of {', '.join(table)}, got {kind!r}{did_you_mean(kind, table)}")
        if type(getattr(self, axis)) is table[kind]:
            return self
        return dataclasses.replace(self, **{axis: table[kind]()})

    def parts(self) -> Iterator[tuple[str, Any]]:
        """Yield every options object with its name: those of the axes, the extras and the groups."""
        yield from ((axis, getattr(self, axis)) for axis in AXES if getattr(self, axis) is not None)
        yield from ((kind_of(extra, EXTRAS), extra) for extra in self.extras)
        yield from ((group, getattr(self, group)) for group in GROUPS)

    def replace_part(self, name: str, options: Any) -> Recipe:
        """Return the recipe with other options under a name of `parts`."""
        if name in EXTRAS:
            others = (options if kind_of(extra, EXTRAS) == name else extra for extra in self.extras)
            return dataclasses.replace(self, extras=tuple(others))
        return dataclasses.replace(self, **{name: options})

    def build(
        self,
        space: Space,
        *,
        condition_space: Space | None = None,
        num_examples: int | None = None,
        dtype: np.dtype | None = None,
    ) -> VAE:
        """Build the model; a likelihood that is left open is the space's.

        Args:
            space: space of an example.
            condition_space: space of a condition, or None without one.
            num_examples: number of training examples.
            dtype: floating-point type of the hidden layers; that of `train.precision` if not given.

        Raises:
            InputError: the choices do not fit each other or the data.
        """
        if isinstance(self.networks, Own):
            return self.networks.build()
        if dtype is None and self.train.precision != "float32":
            dtype = floating(self.train.precision)
        latent_dim = whole_number("latent_dim", self.latent_dim)
        facts = Facts(space, latent_dim, condition_space, num_examples, dtype)
        return assemble(
            facts,
            networks=self.networks,
            posterior=self.posterior,
            prior=self.prior,
            likelihood=self.likelihood or LIKELIHOODS[space.likelihood](),
            extras={kind_of(extra, EXTRAS): extra for extra in self.extras},
        )

    def check(self) -> None:
        """Refuse values that are invalid for every data set."""
        check_at_least(1, "latent_dim", self.latent_dim)
        for name, options in self.parts():
            if hasattr(options, "check"):
                options.check()
            if name not in GROUPS:
                _check_widths(options)


def _check_widths(options: Any) -> None:
    """Refuse layers of no width."""
    for name, value in vars(options).items():
        if isinstance(value, tuple) and all(isinstance(width, int) for width in value):
            check(all(width > 0 for width in value), name, value, "positive widths")


def kind_of(options: Any, table: Mapping[str, type]) -> str:
    """Return the name of an options object's class in a table; `module:Class` if it is in none."""
    cls = type(options)
    return next((kind for kind, row in table.items() if row is cls), f"{cls.__module__}:{cls.__qualname__}")
