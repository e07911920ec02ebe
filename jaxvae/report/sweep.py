"""Picture of a sweep: the bound of each trial with the best so far, and the importance of each option."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from jaxvae.report.figures import new_figure, save_figure


def save_sweep(
    path: Path, bounds: Mapping[int, float], best: Mapping[int, float], importances: Mapping[str, float]
) -> None:
    """Draw the history of a sweep and, where they are known, the importances of its options.

    Args:
        path: picture to write.
        bounds: bound of each trial that ended, by its number.
        best: best bound up to each of these.
        importances: share of each option in the differences between bounds.
    """
    figure, (history, *others) = new_figure(2 if importances else 1, width=8 if importances else 4, height=3.2)
    history.plot([*bounds], [*bounds.values()], "o", markersize=3, label="trial")
    history.step([*best], [*best.values()], where="post", linewidth=1, label="best so far")
    history.set(xlabel="trial", ylabel="bound on validation data (nats)")
    history.legend(frameon=False, fontsize=8)
    for axis in others:
        names = sorted(importances, key=lambda name: importances[name])
        axis.barh(names, [importances[name] for name in names])
        axis.set(xlabel="importance", xlim=(0, 1))
    save_figure(figure, path)
