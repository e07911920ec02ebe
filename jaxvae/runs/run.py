"""Trained model, as a value: it encodes, decodes, samples and scores examples as its user has them."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import ArrayLike

from jaxvae import rng, stores
from jaxvae.arguments import whole_number
from jaxvae.data import Dataset, Split, conditions, new_rows
from jaxvae.data.dataset import read_condition
from jaxvae.data.rows import gather, num_rows
from jaxvae.data.scaling import Scaling, log_jacobians
from jaxvae.data.spaces import Pixels, Table, of_facts
from jaxvae.data.spaces.cells import like_data
from jaxvae.data.spaces.shown import Cells, Lines
from jaxvae.distributions.sampling import point
from jaxvae.errors import InputError
from jaxvae.evaluation import decodes_densities, in_blocks, log_marginal_likelihood
from jaxvae.model import VAE, draw_each, sample_each
from jaxvae.objectives import elbo_terms
from jaxvae.options.recipe import Recipe
from jaxvae.packages import missing_named
from jaxvae.report import read_metrics
from jaxvae.types import Distribution, Params, Space

if TYPE_CHECKING:
    from jaxvae.runs.plots import Plots


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Run:
    """Trained model with its options and the facts of its data.

    Examples are given as the training data were: an array, rows of a table, sentences, or a split of `data`. They are
    returned in the same units; pixels are floats in [0, 1]. A conditional model wants a condition for each example:
    `[N]` classes by number or name, a dict of `[N]` attributes, or one for all as on the command line, such as `"7"` or
    `"age=60,smile=1"`. A model that sees quadrants takes them from the examples; samples want images as conditions.
    """

    recipe: Recipe
    model: VAE
    params: Params
    step: int
    facts: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    """Facts of its data: name, shape, sizes of the splits, fingerprint, scaling, names of columns and words."""
    reports_elbo: bool = True
    """False where the posterior is a point without a density, whose KL is infinite."""
    folder: Path | None = None
    """Its run directory; None where nothing was kept."""
    summary: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    """Numbers of summary.json; empty before the end of the training."""
    data: Dataset | None = None
    """Data set that it was trained on, where it is at hand."""
    others: tuple[Run, ...] = ()
    """Runs of the other seeds, where `train` or `fit` trained several together."""

    @property
    def space(self) -> Space:
        """Meaning of its examples."""
        return of_facts(self.facts)

    @property
    def condition(self) -> conditions.Condition | None:
        """Meaning of its conditions; None where it has none."""
        return conditions.of_facts(self.facts)

    @property
    def plot(self) -> Plots:
        """Figures of the run.

        Raises:
            InputError: matplotlib is not installed.
        """
        with missing_named():
            importlib.import_module("matplotlib")
        from jaxvae.runs.plots import Plots

        return Plots(self)

    def metrics(self) -> list[dict[str, Any]]:
        """Return the lines of metrics.jsonl, one for each `--log-every` steps and each evaluation.

        Raises:
            InputError: nothing was kept, or the lines are averages of several seeds, in the folder of all.
        """
        if self.folder is None:
            raise InputError("run_dir: nothing was kept of this run; train it with a run_dir")
        path = self.folder / "metrics.jsonl"
        if not path.exists():
            raise InputError(f"run_dir: no metrics.jsonl in {self.folder}; seeds trained together have it above it")
        return read_metrics(path)

    def encode(self, x: Any, condition: Any = None) -> Distribution:
        """Return q(z|x) of N examples; its `mean` is `[N, D]`.

        Raises:
            InputError: the examples or conditions are of another kind or size than those of the training.
        """
        split = self.as_split(x, condition)
        rows = split.x, split.condition

        def encode(*rows: Any) -> Distribution:
            return self.model.encode(self.params, *split.read(*rows))

        def shapes(num: int) -> Any:
            return jax.eval_shape(encode, *gather(rows, np.zeros(num, int)))

        # Parts that examples share, as the networks of a flow, have no axis of examples.
        shared = jax.tree.map(lambda one, two: one.shape == two.shape, shapes(1), shapes(2))
        whole = in_blocks(lambda *rows: _without(shared, encode(*rows)), *rows)
        first = encode(*gather(rows, slice(1)))
        return jax.tree.map(lambda is_shared, one, many: np.asarray(one) if is_shared else many, shared, first, whole)

    def decode(self, z: ArrayLike, condition: Any = None) -> Any:
        """Return the N most typical examples of codes `[N, D]`: means of p(x|z), words, categories."""
        z = np.asarray(z)
        given = self._conditions(condition, len(z))
        x = in_blocks(lambda z, given: point(self.model.decode(self.params, z, given)), z, given)
        return self.present(x, generated=True)

    def reconstruct(self, x: Any, condition: Any = None) -> Any:
        """Return examples, encoded and decoded without noise."""
        split = self.as_split(x, condition)
        rows = split.x, split.condition
        x = in_blocks(lambda *rows: self.model.reconstruct(self.params, *split.read(*rows)), *rows)
        return self.present(x, generated=True)

    def sample(self, num: int, *, seed: int = 0, condition: Any = None) -> Any:
        """Return `num` examples: means of p(x|z) at z ~ p(z), and for a table draws of p(x|z).

        Args:
            num: number of examples.
            seed: seed of the noise.
            condition: condition of each example, or one for all.
        """
        draw = draw_each if isinstance(self.space, Table) else sample_each
        return self.present(self.sampled(draw, num, seed=seed, condition=condition), generated=True)

    def sampled(self, draw: Callable[..., Any], num: int, *, seed: int = 0, condition: Any = None) -> Any:
        """Return `num` samples, as the model has them, by `model.sample_each` or `model.draw_each`."""
        keys = rng.sample_keys(rng.stream(rng.root(seed), "sample"), whole_number("num", num))
        given = self._conditions(condition, num)
        return in_blocks(lambda keys, given: draw(self.model, self.params, keys, given), keys, given)

    def log_px(self, x: Any, num_samples: int = 100, *, condition: Any = None, seed: int = 0) -> np.ndarray:
        """Return `[N]` estimates of log p(x) from below, in nats, by importance weights (Burda et al. 2016).

        Scaled data get the density of their own units.

        Raises:
            InputError: the posterior has no density, or p(x|z) does not integrate to 1.
        """
        rows, given = self._drawn(x, condition)
        if not decodes_densities(self.params, rows, model=self.model, condition=given):
            raise InputError("likelihood: this p(x|z) does not integrate to 1, so there is no log p(x); use elbo")
        options: dict[str, Any] = {"model": self.model, "num_samples": num_samples, "condition": given}
        estimate = log_marginal_likelihood(self.params, rng.root(seed), rows, **options)
        return np.asarray(estimate.log_px + self._log_jacobian(rows))

    def elbo(self, x: Any, *, condition: Any = None, seed: int = 0) -> np.ndarray:
        """Return `[N]` ELBOs, in nats, of one draw of z; of scaled data in the data's own units."""
        rows, given = self._drawn(x, condition)
        ids = np.arange(num_rows(rows), dtype=np.uint32)
        key = rng.stream(rng.root(seed), "elbo")

        def bound(ids: Any, x: Any, given: Any) -> Any:
            terms = elbo_terms(self.params, rng.example_keys(key, ids), x, model=self.model, condition=given)
            return terms.elbo

        return np.asarray(in_blocks(bound, ids, rows, given), np.float64) + self._log_jacobian(rows)

    def examples(self, x: Any) -> Any:
        """Return examples as `present` does, pixels in [0, 1], from whatever `encode` takes."""
        return self.present(self.space.read(None, gather(self._rows(x), slice(None))))

    def as_split(self, x: Any, condition: Any = None) -> Split:
        """Return examples with their conditions as a split; one of a data set of the run stays as it is.

        Raises:
            InputError: the examples or conditions are of another kind or size than those of the training.
        """
        if isinstance(x, Split) and condition is None and x.is_conditional:
            return x
        rows = self._rows(x)
        num = num_rows(rows)
        origin = x.origin if isinstance(x, Split) else np.arange(num)
        if condition is None and isinstance(self.condition, conditions.Seen):  # a part of x itself
            return Split(rows, space=self.space, condition_space=self.condition.space, origin=origin)
        return Split(rows, space=self.space, condition=self._conditions(condition, num), origin=origin)

    def present(self, x: Any, *, generated: bool = False) -> Any:
        """Return examples `[N, ...]`, as the model sees them, as the user has them.

        Text is a list of sentences, a table a dict of columns, and scaled values are in their own units; those that are
        generated have the decimals and the range of the data.
        """
        x, names = self.in_own_units(x, generated=generated), self.facts.get("names", {})
        shown: Any = self.space.show(like_data(x, names) if generated else x, names)
        if isinstance(shown, Lines):
            return list(shown.lines)
        return _columns(shown, names) if isinstance(shown, Cells) else x

    def in_own_units(self, x: Any, *, generated: bool = False) -> Any:
        """Return examples `[N, ...]`, as the model sees them, with scaled values in their own units.

        A generated value among the ranks of one that occurs often becomes that one.
        """
        scaling = self.facts.get("scaling")
        x = jax.tree.map(np.asarray, x)
        return Scaling.from_json(scaling).undo_examples(x, generated=generated) if scaling else x

    def __repr__(self) -> str:
        """Return five lines: the model, its data, its codes, its result, its folder."""
        return "\n".join(f"{name:<8}{text}" for name, text in self._lines())

    def _repr_html_(self) -> str:
        rows = "".join(f"<tr><th>{name}</th><td>{text}</td></tr>" for name, text in self._lines())
        return f"<table>{rows}</table>"

    def _lines(self) -> list[tuple[str, str]]:
        num = sum(leaf.size for leaf in jax.tree.leaves(self.params))
        facts, summary = self.facts, self.summary
        score = next((f"{summary[name]:.2f}" for name in ("test_elbo", "test_log_likelihood") if name in summary), "")
        name = "ELBO" if "test_elbo" in summary else "log p(x|z)"
        sizes = ", ".join(f"{facts[part]:,} to {part}" for part in ("train", "validation", "test") if facts.get(part))
        return [
            ("run", f"{self.recipe.preset} of {num:,} parameters, {self.step:,} steps"),
            ("data", f"{facts.get('name', 'unknown')} {tuple(facts.get('shape', ()))}: {sizes}"),
            ("codes", f"{self.recipe.latent_dim} dimensions"),
            ("test", f"{name} {score} nats per example" if score else "not evaluated"),
            ("folder", stores.named(str(self.folder or "nothing was kept"))),
        ]

    def _rows(self, x: Any) -> Any:
        """Return examples as the data set stores them."""
        return x.x if isinstance(x, Split) else new_rows(x, self.facts, self.space)

    def _drawn(self, x: Any, condition: Any) -> tuple[Any, Any]:
        """Return examples and conditions as the likelihood scores them, with pixels drawn where training draws them."""
        split, space, keys = self.as_split(x, condition), self.space, None
        if isinstance(space, Pixels) and self.recipe.data.binarize == "dynamic":
            space = dataclasses.replace(space, binarize=True)
            key = rng.stream(rng.root(0), "binarize for evaluation")  # one draw, the same for every run
            keys = rng.example_keys(key, jnp.arange(split.num_examples, dtype=jnp.uint32))
        rows = space.read(keys, gather(split.x, slice(None)))
        given = read_condition(split.condition_space, rows, split.condition)
        return jax.tree.map(np.asarray, (rows, given))

    def _conditions(self, condition: Any, num: int) -> np.ndarray | None:
        meaning = self.condition
        if meaning is None and condition is None:
            return None
        if meaning is None:
            raise InputError("condition: this run has none; leave it out")
        if condition is None:
            raise InputError(f"condition: this run wants one of each example, its {self.recipe.condition}; give it")
        if isinstance(meaning, conditions.Seen):
            return self._seen(meaning, condition, num)
        if isinstance(condition, str):
            return np.repeat(meaning.parse(condition)[None], num, axis=0)
        named = dict(condition) if isinstance(condition, Mapping) else {}
        blank = np.zeros((num, 1), np.uint8)
        split = Split(
            blank, None if named else _numbers(condition, meaning), {k: np.asarray(v) for k, v in named.items()}
        )
        stored = meaning.rows(split)
        if len(stored) != num:
            raise InputError(f"condition: {len(stored)} for {num} examples; give one for each")
        return np.asarray(meaning.space.read(None, stored))

    def _seen(self, meaning: conditions.Seen, images: Any, num: int) -> np.ndarray:
        """Return what is seen of images, `num` or one for all."""
        given = np.asarray(meaning.space.of(self.space.read(None, gather(self._rows(images), slice(None)))))
        if len(given) not in (1, num):
            raise InputError(f"condition: {len(given)} images for {num} examples; give one for each, or one for all")
        return np.broadcast_to(given, (num, *given.shape[1:]))

    def _log_jacobian(self, rows: Any) -> Any:
        """Return log |dx'/dx| of each example in nats, 0 where nothing is scaled."""
        known = self.facts.get("scaling")
        return log_jacobians(Scaling.from_json(known), rows) if known else 0.0


def _without(shared: Any, posterior: Distribution) -> Any:
    """Put one zero for each example in place of what examples share."""
    leaves = jax.tree.leaves(posterior)
    num = next(leaf.shape[0] for leaf, is_shared in zip(leaves, jax.tree.leaves(shared)) if not is_shared)
    return jax.tree.map(lambda is_shared, leaf: jnp.zeros(num) if is_shared else leaf, shared, posterior)


def _numbers(condition: Any, meaning: conditions.Condition) -> np.ndarray:
    """Return `[N]` class numbers of numbers or names."""
    values = np.asarray(condition)
    if values.dtype.kind in "iu":
        return values
    return np.array([int(meaning.parse(str(value)).argmax()) for value in values], np.int32)


def _columns(cells: Cells, names: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Return the columns of a table: numbers, NaN where one is missing, or words."""
    categories = names.get("categories", {})
    return {
        name: np.array(values, object) if name in categories else np.array([float(value or "nan") for value in values])
        for name, values in zip(cells.columns, zip(*cells.rows, strict=True), strict=True)
    }
