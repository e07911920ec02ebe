"""Figure of the distances along paths between sentences."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from jaxvae.report.figures import new_figure, save_figure


class Distances(NamedTuple):
    """Mean distances of the sentences on paths to the sentences at their ends, shares of the words from 0 to 1."""

    to_first: np.ndarray
    """`[P]` for each point."""
    to_last: np.ndarray
    """`[P]` for each point."""


def save_distances(path: Path, measured: Mapping[str, Distances]) -> None:
    """Plot the distances to both ends along the paths, a panel for each kind of codes."""
    figure, axes = new_figure(len(measured), width=4.2 * len(measured), height=3.2)
    for axis, (name, distances) in zip(axes, measured.items()):
        t = np.linspace(0, 1, len(distances.to_first))
        axis.plot(t, distances.to_first, "o-", label="to the first sentence")
        axis.plot(t, distances.to_last, "s-", label="to the last sentence")
        axis.set(title=name, xlabel="position on the path", ylim=(0, 1.05))
    axes[0].set_ylabel("edit distance, share of words")
    axes[0].legend(frameon=False)
    save_figure(figure, path)
