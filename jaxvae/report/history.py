"""Curves of a run over its steps: objective, bound, and KL of each latent dimension."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from jaxvae.report.figures import new_figure, save_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Records: TypeAlias = Sequence[dict[str, Any]]
"""Lines of metrics; a value that was not finite is None."""
Curve: TypeAlias = tuple[str, Records, str]
"""Name, lines of metrics, and name of the value plotted."""
SPLITS = {"train": ("training", "-"), "validation": ("validation", "o-"), "test": ("test", "s-")}
"""Names in a legend, and line styles, by split."""


def save_loss_curve(path: Path, records: Records, *, objective_is_bound: bool) -> None:
    """Write a `loss_curve`."""
    save_figure(loss_curve(records, objective_is_bound=objective_is_bound), path)


def loss_curve(records: Records, *, objective_is_bound: bool) -> Figure:
    """Plot the objective over training steps, minus the ELBO of evaluations, and the KL where there is one.

    Args:
        records: lines of metrics.
        objective_is_bound: True if evaluations report the objective, so that both share their axes.
    """
    training = [record for record in records if record["split"] == "train"]
    evaluations = [{**record, "bound": record.get("loss")} for record in records if record["split"] != "train"]
    bound = "minus the ELBO" if any("elbo" in record for record in evaluations) else "minus log p(x|z)"
    panels: list[list[Curve]] = [
        [("objective", training, "loss")],
        [(bound, evaluations, "bound")],
        [("KL", records, "kl")],
    ]
    if objective_is_bound:
        panels = [[*panels[0], *panels[1]], panels[2]]
    panels = [curves for curves in panels if any(_points(lines, key)[0] for _, lines, key in curves)]
    figure, axes = new_figure(max(len(panels), 1), width=4 * max(len(panels), 1), height=3.2)
    for axis, curves in zip(axes, panels):
        for name, lines, key in curves:
            _draw(axis, name, lines, key)
        axis.set(xlabel="step", title=f"{', '.join(name for name, *_ in curves)} (nats per example)")
        axis.title.set_fontsize(9)
        axis.legend(frameon=False, fontsize=8)
    return figure


def comparison(histories: Mapping[str, Records]) -> Figure:
    """Plot several runs' objectives over training steps, the ELBO of their evaluations, and their KL.

    Args:
        histories: lines of metrics by the name of each run.
    """
    training = {run: [line for line in lines if line["split"] == "train"] for run, lines in histories.items()}
    others = {run: [line for line in lines if line["split"] != "train"] for run, lines in histories.items()}
    points = {run: [line for line in lines if "elbo" not in line] for run, lines in others.items()}
    quantities: dict[str, tuple[Mapping[str, Records], str]] = {
        "objective, in training": (training, "loss"),
        "ELBO, of evaluations": (others, "elbo"),
        "log p(x|z), of evaluations": (points, "log_likelihood"),  # of codes without an ELBO
        "KL, of evaluations": (others, "kl"),
    }
    curves = {
        title: {run: _points(lines, key) for run, lines in each.items()} for title, (each, key) in quantities.items()
    }
    panels = {title: runs for title, runs in curves.items() if any(steps for steps, _ in runs.values())}
    figure, axes = new_figure(max(len(panels), 1), width=4 * max(len(panels), 1), height=3.2)
    for axis, (title, runs) in zip(axes, panels.items()):
        for run, (steps, values) in runs.items():
            axis.plot(steps, values, "-" if "training" in title else "o-", label=run, markersize=3, linewidth=1)
        axis.set(xlabel="step", title=f"{title} (nats per example)")
        axis.title.set_fontsize(9)
    if panels:
        axes[0].legend(frameon=False, fontsize=8)
    return figure


def save_kl_history(path: Path, records: Records) -> None:
    """Plot the KL of each dimension over steps as an image, the largest at the top; and the number of active units.

    Where the training lines have no KL, that of evaluations is plotted.
    """
    known = [record for record in records if "kl_per_dimension" in record]
    training = [record for record in known if record["split"] == "train"]
    figure, (image, line) = new_figure(2, width=8, height=3.2)
    kl = np.array([record["kl_per_dimension"] for record in training or known], float)
    order = np.argsort(-kl[-1])
    steps = np.array([record["step"] for record in training or known])
    # A training line averages over the steps since the one before it; evaluations are drawn alike.
    edges = np.concatenate([[0], steps])
    mesh = image.pcolormesh(edges, np.arange(len(order) + 1) - 0.5, kl.T[order], vmin=0, cmap="viridis")
    when = "training" if training else "at evaluations"
    image.set(xlabel="step", ylabel="dimension, by its KL at the end", title=f"KL of each dimension (nats), {when}")
    image.title.set_fontsize(9)
    image.set_yticks([0, len(order) - 1] if len(order) > 1 else [0])
    image.invert_yaxis()
    figure.colorbar(mesh, ax=image)
    line.plot(*_points(records, "active_units"), "o-", markersize=3, linewidth=1)
    line.set(xlabel="step", ylim=(0, 1.05 * len(order)), xlim=(0, steps[-1]))
    line.set_title("active units, at evaluations", fontsize=9)
    save_figure(figure, path)


def _draw(axis: Axes, name: str, lines: Records, key: str) -> None:
    """Draw one curve for each split that has values."""
    for split, (where, style) in SPLITS.items():
        steps, values = _points([line for line in lines if line["split"] == split], key)
        if steps:
            axis.plot(steps, values, style, label=f"{name} ({where})", markersize=3, linewidth=1)


def _points(records: Records, name: str) -> tuple[list[int], list[float]]:
    """Return steps and values of the lines that hold a value."""
    held = [record for record in records if record.get(name) is not None]
    return [record["step"] for record in held], [record[name] for record in held]
