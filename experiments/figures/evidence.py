"""Figures of the gaps between log p(x) and its bounds, and of true and approximate posteriors."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from jaxvae.report.display import displayable, value_limits, with_note
from jaxvae.report.figures import new_figure, save_figure, show

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SHARES = (0.989, 0.865, 0.393)
"""Shares of a density's mass; for a normal on a plane those within 3, 2 and 1 standard deviations."""


class Posteriors(NamedTuple):
    """Densities p(z|x) and q(z|x) of one example on a lattice over part of a line or a plane."""

    title: str
    image: np.ndarray
    """`[H, W, C]` or `[D]` example."""
    axes: Sequence[np.ndarray]
    """`[G]` values of z0 and, where the latent space is a plane, of z1."""
    true: np.ndarray
    """`[G]`, or `[G, G]` with z1 along axis 0: p(z|x)."""
    approximate: np.ndarray
    """`[G]` or `[G, G]`: q(z|x)."""


def save_gaps(path: Path, num_samples: Sequence[int], gaps: ArrayLike) -> None:
    """Plot gaps `[M, N]`, in nats, between M bounds with these numbers of samples and log p(x) of N images."""
    gaps = np.asarray(gaps)
    figure, (by_samples, by_image) = new_figure(2, width=9, height=3.4)
    by_samples.plot(num_samples, gaps, color="C7", linewidth=0.4, alpha=0.5)
    by_samples.plot(num_samples, gaps.mean(axis=1), "o-", color="C0", label="mean over images")
    by_samples.set(xscale="log", xlabel="samples K", ylabel="log p(x) - bound (nats)", title="each line an image")
    order = np.argsort(-gaps[0])
    for number, row in zip(num_samples, gaps):
        by_image.plot(row[order], linewidth=1, label=f"K = {number}")
    by_image.set(xlabel="images, by their gap at K = 1", title="log p(x) - bound (nats)")
    for axis in (by_samples, by_image):
        # Almost logarithmic; noise may push a small gap below 0.
        axis.set_yscale("symlog", linthresh=0.1)
        axis.axhline(0, color="black", linewidth=0.5)
        axis.legend(frameon=False)
    save_figure(figure, path)


def save_posteriors(path: Path, panels: Sequence[Posteriors]) -> None:
    """Plot panels side by side: p(z|x) in blue, q(z|x) in orange, the image above them."""
    figure, axes = new_figure(len(panels), width=2.3 * len(panels), height=3.5)
    images = np.stack([panel.image for panel in panels])
    pictures, note = displayable(images, value_limits(images))
    for axis, panel, picture in zip(axes, panels, pictures):
        draw = _draw_on_line if len(panel.axes) == 1 else _draw_in_plane
        draw(axis, panel)
        low, high = axis.get_ylim()
        axis.set_ylim(low, high + 0.4 * (high - low))  # room for the image
        inset = axis.inset_axes((0.37, 0.73, 0.26, 0.26))
        show(inset, picture)
        inset.set(xticks=[], yticks=[])
        axis.set_title(panel.title, fontsize=9)
        axis.tick_params(labelsize=7)
    title = "true posterior p(z|x) in blue, the encoder's q(z|x) in orange"
    figure.suptitle(with_note(title, note), fontsize=9)
    save_figure(figure, path)


def mass_levels(density: np.ndarray) -> np.ndarray:
    """Return the densities above which 99, 86 and 39 % of the mass lie, in ascending order."""
    falling = np.sort(density, axis=None)[::-1]
    mass = np.cumsum(falling) / falling.sum()
    return falling[np.searchsorted(mass, SHARES)]


def _draw_on_line(axis: Axes, panel: Posteriors) -> None:
    axis.fill_between(panel.axes[0], panel.true, color="C0", alpha=0.4)
    axis.plot(panel.axes[0], panel.approximate, color="C1")
    axis.set(xlabel="z", ylim=(0, None))


def _draw_in_plane(axis: Axes, panel: Posteriors) -> None:
    true, approximate = mass_levels(panel.true), mass_levels(panel.approximate)
    axis.contourf(*panel.axes, panel.true, levels=[*true, panel.true.max()], colors=("#c6dbef", "#6baed6", "#2171b5"))
    axis.contour(*panel.axes, panel.approximate, levels=approximate, colors="C1", linewidths=1)
    axis.set(aspect="equal")
