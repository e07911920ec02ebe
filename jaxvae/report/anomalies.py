"""Figures of anomaly scores: their histogram, the highest and lowest examples with a map of their values, a series."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from jaxvae.data.spaces.shown import Curves, Pictures
from jaxvae.report.display import value_limits
from jaxvae.report.figures import grid, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BINS, TAIL = 60, 0.005
"""Number of bars of a histogram, and the share of scores beyond each of its ends."""
EXTREME = 0.05
"""Share of the scores of values that a map shows as its highest: one outlier would leave all others dark."""


def histogram(groups: Mapping[str, np.ndarray], *, score: str, threshold: float | None = None) -> Figure:
    """Plot the distributions of scores `[N]` of groups of examples, such as normal and anomalous ones."""
    figure, (axis,) = new_figure(1, width=6, height=3.2)
    together = np.concatenate([*groups.values()])
    low, high = np.quantile(together, [TAIL, 1 - TAIL])
    bins = np.linspace(low, high if high > low else low + 1, BINS)
    for name, values in groups.items():
        options: dict[str, Any] = {"bins": bins, "density": True, "alpha": 0.5}
        axis.hist(np.clip(values, bins[0], bins[-1]), label=f"{name} ({len(values):,})", **options)
    if threshold is not None:
        axis.axvline(threshold, color="black", linestyle="--", linewidth=1, label="threshold")
    axis.set(xlabel=score, ylabel="density")
    axis.legend(frameon=False, fontsize=8)
    return figure


def with_maps(shown: Any, decoded: Any, by_value: np.ndarray | None, *, title: str) -> Figure | None:
    """Draw examples with their reconstructions and the scores of their values; None for text and tables.

    Args:
        shown: presentation of K examples, the most anomalous half first.
        decoded: presentation of their reconstructions.
        by_value: `[K, ...]` scores of their values; None draws none.
        title: title of the figure.
    """
    if isinstance(shown, Pictures) and np.ndim(shown.values) == 4:
        return _pictures(shown.values, decoded.values, by_value, title)
    if isinstance(shown, Curves):
        return _curves(shown.values, decoded.values, by_value, title)
    return None


def _pictures(images: np.ndarray, decoded: np.ndarray, by_value: np.ndarray | None, title: str) -> Figure:
    (low, high), half = value_limits(images), len(images) // 2
    stages = {"example": images, "decoded": decoded}
    if by_value is not None:
        shares = _shares(by_value.sum(axis=-1, keepdims=True))
        stages["score"] = np.broadcast_to(low + (high - low) * shares, images.shape)
    rows = [stage[part] for part in (slice(half), slice(half, 2 * half)) for stage in stages.values()]
    labels = [f"{name}, {which}" for which in ("highest", "lowest") for name in stages]
    options: dict[str, Any] = {"columns": half, "row_labels": labels, "limits": (low, high), "title": title}
    return grid(np.concatenate(rows), **options)


def _curves(values: np.ndarray, decoded: np.ndarray, by_value: np.ndarray | None, title: str) -> Figure:
    half = len(values) // 2
    figure, axes = new_figure(half, rows=2, width=min(1.9 * half, 14), height=4, sharex=True, sharey=True)
    for number, axis in enumerate(axes):
        for style, curve in (("-", values[number]), ("--", decoded[number])):
            for channel, line in enumerate(curve.reshape(len(curve), -1).T):
                axis.plot(line, style, color=f"C{channel % 10}", linewidth=0.9, alpha=1 if style == "-" else 0.6)
        if by_value is not None:
            each, top = _shares(by_value.reshape(*by_value.shape[:2], -1).sum(axis=-1)), axis.twinx()
            top.fill_between(np.arange(each.shape[1]), 0, each[number], color="C3", alpha=0.25, linewidth=0)
            top.set(ylim=(0, 1), yticks=[])
        axis.tick_params(labelsize=6)
    for axis, which in zip(axes[::half], ("highest", "lowest")):
        axis.set_ylabel(which, fontsize=8)
    figure.suptitle(f"{title}\n(solid: example, dashed: decoded, red: score of each value)", fontsize=9)
    return figure


def _shares(scores: np.ndarray) -> np.ndarray:
    """Return scores of values as shares between the lowest and the highest, but for extreme ones."""
    low, high = float(scores.min()), float(np.quantile(scores, 1 - EXTREME))
    return np.clip((scores - low) / max(high - low, 1e-12), 0, 1)


def over_time(
    time: np.ndarray,
    values: np.ndarray,
    scores: np.ndarray,
    *,
    score: str,
    anomalous: np.ndarray | None = None,
    threshold: float | None = None,
) -> Figure:
    """Plot a series `[T]` or `[T, C]`, and the score of each time `[T]` below it; anomalies are shaded."""
    figure, (upper, lower) = new_figure(1, rows=2, width=11, height=4, sharex=True)
    upper.plot(time, values.reshape(len(values), -1), linewidth=0.7)
    lower.plot(time, scores, color="C3", linewidth=0.7)
    if threshold is not None:
        lower.axhline(threshold, color="black", linestyle="--", linewidth=0.8)
    for axis in (upper, lower):
        if anomalous is not None:
            places = axis.get_xaxis_transform()
            axis.fill_between(time, 0, 1, where=anomalous, color="C1", alpha=0.4, transform=places, linewidth=1)
    upper.set_ylabel("series")
    lower.set(ylabel=score, xlabel="time")
    return figure
