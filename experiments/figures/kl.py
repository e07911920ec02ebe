"""Curves of closed forms, with numerical integrals as dots."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from jaxvae.report.figures import new_figure, save_figure


class Curve(NamedTuple):
    """Closed form as a line, and numerical integrals as dots."""

    label: str
    x: np.ndarray
    """`[P]` values of the parameter."""
    closed_form: np.ndarray
    """`[P]` nats in closed form."""
    numerical: np.ndarray
    """`[P]` nats by numerical integration, NaN where there is none."""

    @property
    def difference(self) -> float:
        """Largest difference between line and dots, in nats."""
        return float(np.nanmax(abs(self.closed_form - self.numerical)))


class Panel(NamedTuple):
    """Curves with a common axis."""

    title: str
    xlabel: str
    curves: Sequence[Curve]


def save_kl_curves(path: Path, panels: Sequence[Panel]) -> None:
    """Plot panels side by side: lines are closed forms, dots numerical integrals."""
    figure, axes = new_figure(len(panels), width=3.6 * len(panels), height=3.2)
    for axis, panel in zip(axes, panels):
        for number, curve in enumerate(panel.curves):
            axis.plot(curve.x, curve.closed_form, color=f"C{number}", linewidth=1, label=curve.label)
            axis.plot(curve.x, curve.numerical, "o", color=f"C{number}", markersize=3)
        axis.set_title(panel.title, fontsize=9)
        axis.set_xlabel(panel.xlabel)
        axis.set_ylim(bottom=0)
        axis.legend(frameon=False, fontsize=7)
    axes[0].set_ylabel("KL to N(0, I), in nats")
    save_figure(figure, path)
