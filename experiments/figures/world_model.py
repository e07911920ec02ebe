"""Tables and figures of a world model: returns, probes, and a film of frames, reconstructions and a dream."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy.stats import trim_mean

from jaxvae.control.ablations import Learned
from jaxvae.control.dream import Dream
from jaxvae.control.rollouts import Episodes, record
from jaxvae.control.settings import Setting
from jaxvae.report.animation import save_gif
from jaxvae.report.figures import new_figure, save_figure, save_grid
from jaxvae.report.tables import markdown_table
from jaxvae.types import Array, Key

EVERY, SHOWN = 2, 14
"""Steps from one picture of the film to the next, and number of pictures in the strip."""
PUSHES = 0.2
"""Share of random actions, which are short, in the film: without them nearly nothing would move."""


def table_of_returns(setting: Setting, found: Sequence[Mapping[str, Any]]) -> str:
    """Return the interquartile means over seeds, and their range."""
    rows: dict[str, dict[str, float | None]] = {}
    for name in found[0]["rows"]:
        each = [one["rows"][name] for one in found]
        means = [float(np.mean(one["returns"])) for one in each]
        rows[name] = {"iqm": float(trim_mean(means, 0.25)), "lowest": min(means), "highest": max(means)}
        if setting.survival:
            rows[name]["full"] = float(np.mean([np.asarray(one["returns"]) >= setting.longest for one in each]))
        for column in ("generations", "dreamt"):
            if column in each[0]:
                rows[name][column] = float(trim_mean([one[column] for one in each], 0.25))
    digits = ".0f" if setting.survival else ".1f"
    columns = {
        "iqm": ("return", digits),
        "lowest": ("lowest seed", digits),
        "highest": ("highest seed", digits),
        "full": ("full episodes", ".2f"),
        "generations": ("generations", ".0f"),
        "dreamt": ("return in the dream", digits),
    }
    if not setting.survival:
        del columns["full"]
    return markdown_table(rows, columns)


def table_of_probes(quantities: Sequence[str], found: Sequence[Mapping[str, Any]]) -> str:
    """Return the interquartile means over seeds of the shares of the state's variances."""
    rows: dict[str, dict[str, float | None]] = {}
    for name in found[0]["probes"]:
        means = trim_mean(np.array([one["probes"][name] for one in found]), 0.25, axis=0)
        rows[name] = dict(zip(quantities, map(float, means)))
    change = trim_mean([np.mean(one["explained_change"]) for one in found], 0.25)
    table = markdown_table(rows, {name: (f"R2 of {name}", ".2f") for name in quantities})
    return f"{table}\n\nM predicts {change:.1%} of the variance of a code's changes from one step to the next."


def save_curves(path: Path, histories: Sequence[Mapping[str, Sequence[float]]]) -> None:
    """Plot the median return of each generation, a panel for each row, thin for a seed, thick for their median.

    Args:
        path: path of the file.
        histories: medians by name of the row, of each seed; a search that has ended keeps its last one.
    """
    names = [*histories[0]]
    across = min(4, len(names))
    down = -(-len(names) // across)
    greatest = max(max(curve) for history in histories for curve in history.values())
    figure, panels = new_figure(across, rows=down, width=2.4 * across, height=2 * down, sharex=True, sharey=True)
    for axis, name in zip(panels, names):
        curves = padded([history[name] for history in histories])
        axis.plot(np.arange(1, curves.shape[1] + 1), curves.T, color="C0", linewidth=0.6, alpha=0.5)
        axis.plot(np.arange(1, curves.shape[1] + 1), np.median(curves, axis=0), color="C0", linewidth=1.8)
        axis.set_title(name, fontsize=8)
        axis.set_ylim(0, 1.04 * greatest)
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

    In the dream, which begins with the same code, the same controller acts on what M samples; some actions are random,
    the same ones in both. What has ended is white.
    """
    options: dict[str, Any] = {"randomness": PUSHES, "longest_hold": 2, "steps": steps}
    real = record(learned.world, controller[None], key[None], **options)
    codes = real.states.seen.z[0]
    imagined = record(Dream(learned.memory, codes[:1], jnp.ones(())), controller[None], key[None], **options)
    decode = jax.jit(jax.vmap(learned.vision.decode))
    stages = {
        "frame": _going(real, jax.vmap(learned.environment.frame)(_first(real.states.state))),
        "reconstruction": _going(real, decode(codes)),
        "dream": _going(imagined, decode(imagined.states.seen.z[0])),
    }
    steps = int(max(real.there.sum(), imagined.there.sum()))
    film = np.stack([*stages.values()], axis=1)[: steps + 1 : EVERY]
    save_gif(path.with_suffix(".gif"), film, labels=[*stages], columns=len(stages), back=False)
    chosen = np.linspace(0, steps, min(SHOWN, steps + 1)).astype(int)
    strip = np.concatenate([images[chosen] for images in stages.values()])
    names = [str(number) for number in chosen]
    save_grid(path.with_suffix(".png"), strip, columns=len(chosen), row_labels=[*stages], column_labels=names)


def painted(ink: np.ndarray) -> np.ndarray:
    """Paint ink `[..., C]` on white: black where there is one channel, else each in its own transparent colour."""
    from matplotlib import colormaps

    ink = np.clip(ink, 0, 1)
    if ink.shape[-1] == 1:
        return 1 - ink
    colours = colormaps["tab10"](range(ink.shape[-1]))[:, :3]
    return np.prod(1 - ink[..., None] * (1 - colours), axis=-2)


def _first(states: Any) -> Any:
    return jax.tree.map(lambda each: each[0], states)


def _going(episode: Episodes, ink: Array) -> np.ndarray:
    """Return pictures `[T, H, W, C]` of ink, and nothing but white from the end of the episode on."""
    going = np.asarray([True, *episode.there[0]])
    return painted(np.where(going[:, None, None, None], np.nan_to_num(ink), 0))
