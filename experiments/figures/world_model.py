"""Figures of a world model: returns over generations, and a film of frames, reconstructions and a dream."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from jaxvae.control.ablations import Learned
from jaxvae.control.dream import Dream
from jaxvae.control.frames import draw
from jaxvae.control.rollouts import record
from jaxvae.control.worlds import World
from jaxvae.report.animation import save_gif
from jaxvae.report.figures import new_figure, save_figure, save_grid
from jaxvae.types import Array, Key

EVERY, SHOWN = 2, 14
"""Steps from one picture of the film to the next, and number of pictures in the strip."""


def save_curves(path: Path, histories: Sequence[Mapping[str, Sequence[float]]], longest: int) -> None:
    """Plot the median return of each generation, a panel for each row, thin for a seed, thick for their median.

    Args:
        path: path of the file.
        histories: medians by name of the row, of each seed; a search that has ended keeps its last one.
        longest: greatest return.
    """
    names = [*histories[0]]
    across = min(4, len(names))
    down = -(-len(names) // across)
    figure, panels = new_figure(across, rows=down, width=2.4 * across, height=2 * down, sharex=True, sharey=True)
    for axis, name in zip(panels, names):
        curves = padded([history[name] for history in histories])
        axis.plot(np.arange(1, curves.shape[1] + 1), curves.T, color="C0", linewidth=0.6, alpha=0.5)
        axis.plot(np.arange(1, curves.shape[1] + 1), np.median(curves, axis=0), color="C0", linewidth=1.8)
        axis.set_title(name, fontsize=8)
        axis.set_ylim(0, 1.04 * longest)
        axis.tick_params(labelsize=7)
    for axis in panels[len(names) :]:
        axis.set_axis_off()
    figure.supxlabel("generation", fontsize=8)
    figure.supylabel("median return", fontsize=8)
    save_figure(figure, path)


def padded(curves: Sequence[Sequence[float]]) -> np.ndarray:
    """Return curves as one array, each with its last value to the end of the longest."""
    longest = max(map(len, curves))
    return np.array([[*curve, *[curve[-1]] * (longest - len(curve))] for curve in curves])


def save_film(path: Path, learned: Learned, controller: Array, key: Key, steps: int) -> None:
    """Write a film of an episode, as GIF, and a strip of it, as PNG: frames, reconstructions, and a dream.

    In the dream, which begins with the same code, the same controller acts on what M samples.
    """
    states, codes = _episode(learned.world, controller, key, steps)
    _, dreamt = _episode(Dream(learned.memory, codes[:1], jnp.ones(())), controller, key, steps)
    decode = jax.jit(jax.vmap(learned.vision.decode))
    stages = {"frame": jax.vmap(draw)(states), "reconstruction": decode(codes), "dream": decode(dreamt)}
    ink = {name: 1 - np.clip(images, 0, 1) for name, images in stages.items()}
    film = np.stack([*ink.values()], axis=1)[::EVERY]
    save_gif(path.with_suffix(".gif"), film, labels=[*stages], columns=len(stages), back=False)
    chosen = np.linspace(0, len(codes) - 1, min(SHOWN, len(codes))).astype(int)
    strip = np.concatenate([images[chosen] for images in ink.values()])
    names = [str(number) for number in chosen]
    save_grid(path.with_suffix(".png"), strip, columns=len(chosen), row_labels=[*stages], column_labels=names)


def _episode(world: World, controller: Array, key: Key, steps: int) -> tuple[Array, Array]:
    """Return the states `[T, 4]` of a cart, where there is one, and the codes `[T, D]` of an episode."""
    episode = record(world, controller[None], key[None], randomness=0.0, steps=steps).states
    return getattr(episode, "state", [None])[0], episode.seen.z[0]
