"""Figures of a run for notebooks: each is a matplotlib figure."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
import numpy as np

from jaxvae import latent
from jaxvae.data import Split
from jaxvae.data.conditions import Classes
from jaxvae.data.spaces import Pixels
from jaxvae.distributions.sampling import as_rows, point
from jaxvae.errors import InputError
from jaxvae.report import figures, presentations
from jaxvae.report.display import value_limits
from jaxvae.report.history import loss_curve
from jaxvae.runs.data import load_data
from jaxvae.runs.drawing import objective_is_bound
from jaxvae.runs.progress import is_notebook
from jaxvae.runs.run import Run
from jaxvae.runs.samples import EACH, MOST_ROWS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHOWN, PLOTTED = 64, 5000
"""Maximum numbers of examples in a picture, and of codes in a plot."""


@dataclasses.dataclass(frozen=True)
class Plots:
    """Figures of a run; examples are those of its test split where none are given."""

    run: Run

    def samples(self, num: int = SHOWN, *, seed: int = 0, condition: Any = None) -> Figure:
        """Draw samples of the model; of a model of classes without a condition a row for each class."""
        if isinstance(self.run.condition, Classes) and condition is None:
            return self._classes(self.run.condition.names[:MOST_ROWS], seed)
        x = self._visible(self.run.sample(num, seed=seed, condition=condition))
        return self._figure([x], ["sample"], "decoded samples of the prior")

    def _classes(self, names: Sequence[str], seed: int) -> Figure:
        x = self._visible(np.concatenate([self.run.sample(EACH, seed=seed, condition=name) for name in names]))
        options: dict[str, Any] = {"columns": EACH, "row_labels": names, "limits": value_limits(x)}
        return in_notebook(figures.grid(x, title="decoded samples of the prior, a class in each row", **options))

    def reconstructions(self, x: Any = None, *, condition: Any = None) -> Figure:
        """Draw examples, and their reconstructions."""
        x = self._test(SHOWN) if x is None else x
        stages = [self.run.examples(x), self.run.reconstruct(x, condition)]
        return self._figure(stages, ["example", "reconstruction"], "examples, and their reconstructions below them")

    def latent(self, x: Any = None, *, label: Any = None, condition: Any = None) -> Figure:
        """Plot the codes of examples, coloured by their labels; of more than two dimensions the principal two."""
        x = self._test(PLOTTED) if x is None else x
        label = x.label if isinstance(x, Split) and label is None else label
        codes, axes = np.asarray(as_rows(point(self.run.encode(x, condition)))), ("z0", "z1")
        if codes.shape[1] == 1:
            codes = np.concatenate([codes, np.zeros_like(codes)], axis=1)
        elif codes.shape[1] > 2:
            codes, axes = latent.pca(codes)
        names, label = self.run.facts.get("classes", ()), None if label is None else np.asarray(label)
        return in_notebook(figures.latent_scatter(codes, label, axes=axes, title="codes of examples", names=names))

    def manifold(self, num: int = 20) -> Figure:
        """Draw decoded images over a grid of a plane of codes.

        Raises:
            InputError: codes have other than two dimensions.
        """
        if self.run.recipe.latent_dim != 2:
            raise InputError(f"latent_dim: a plane needs 2, this run has {self.run.recipe.latent_dim}; plot latent()")
        images = self._visible(self.run.decode(latent.manifold_grid(num)))
        return in_notebook(figures.manifold(images, limits=value_limits(images)))

    def interpolation(self, x: Any = None, *, steps: int = 10, condition: Any = None) -> Figure:
        """Draw the straight lines of codes between examples, from each to the next one in a row."""
        x = self._test(6) if x is None else x
        originals = self.run.examples(x)
        codes = jnp.asarray(point(self.run.encode(x, condition)))
        path = np.asarray(latent.interpolate(codes[:-1], codes[1:], steps)).swapaxes(0, 1)
        images = self.run.decode(path.reshape(-1, *path.shape[2:]), condition)
        images = images.reshape(*path.shape[:2], *images.shape[1:])
        rows = np.concatenate([originals[:-1, None], images, originals[1:, None]], axis=1)
        options: dict[str, Any] = {"columns": steps + 2, "limits": value_limits(originals)}
        return in_notebook(figures.grid(rows.reshape(-1, *rows.shape[2:]), title="between two examples", **options))

    def loss(self) -> Figure:
        """Plot the objective and the bound over the steps."""
        is_bound = objective_is_bound(self.run.recipe, self.run.reports_elbo)
        return in_notebook(loss_curve(self.run.metrics(), objective_is_bound=is_bound))

    def _test(self, most: int) -> Split:
        """Return the first examples of the test split, read again where the data are not at hand."""
        return (self.run.data or load_data(self.run)).test.head(most)

    def _visible(self, x: Any) -> Any:
        """Clip decoded pixels to black and white, 0 and 1, which the means of a normal may exceed."""
        return np.clip(x, 0, 1) if isinstance(self.run.space, Pixels) else x

    def _figure(self, stages: list[Any], names: list[str], title: str) -> Figure:
        shown = [self.run.space.show(stage, self.run.facts.get("names", {})) for stage in stages]
        return in_notebook(presentations.figure(shown, names=names, title=title))


def in_notebook(figure: Figure) -> Figure:
    """Show a figure at once in a notebook, as pyplot does: of a cell's last line alone it would be the cell's value."""

    def png() -> bytes:
        stream = io.BytesIO()
        figure.savefig(stream, format="png", dpi=100, bbox_inches="tight")
        return stream.getvalue()

    if not is_notebook():
        return figure
    from IPython import get_ipython
    from IPython.display import Image, display

    cell = get_ipython().execution_count
    display(Image(png()))

    def show() -> None:
        if get_ipython().execution_count != cell:  # in its own it has been shown
            display(Image(png()))

    setattr(figure, "_ipython_display_", show)  # noqa: B010 - the class has no such attribute
    return figure
