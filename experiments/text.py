"""Read what a model of sentences learned: `python experiments/text.py --run-dir DIR` prints and writes its sentences.

These are samples, paths between the codes of two sentences (homotopies, Bowman et al. 2016), the test sentences nearest
in latent space, and how the words change along the paths. Without --run-dir it first trains a model of --dataset.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from figures.text import Distances, save_distances
from jaxvae import rng
from jaxvae.data import Split
from jaxvae.data.places import is_function, stem
from jaxvae.data.sequences import PITCHES
from jaxvae.errors import InputError
from jaxvae.evaluation import in_blocks
from jaxvae.judges import edit_distance
from jaxvae.latent import analogy, beam_search, interpolate, nearest
from jaxvae.options import Compute, Recipe, given
from jaxvae.options.checks import check_at_least, check_folder
from jaxvae.options.groups import Select
from jaxvae.runs import load_run
from jaxvae.runs.command_line import run_script
from jaxvae.runs.compute import set_up
from jaxvae.runs.data import check_unconditional, load_data
from jaxvae.runs.many import train_all
from jaxvae.runs.progress import say
from jaxvae.runs.trained import Trained
from jaxvae.types import Array


@dataclasses.dataclass(frozen=True)
class TextConfig:
    """Print samples, paths between sentences, and neighbours of a model of sentences."""

    run_dir: Path | None = None
    """Run directory of train.py; one trained here if not given."""
    dataset: str = "grammar"
    """Sentences to train on without --run-dir: a text file with one sentence a line, or `grammar`."""
    steps: int = 3000
    """Number of training steps without --run-dir."""
    select: Select | None = None
    """Checkpoint to use: best on validation data, or last; the one that the run reports if not given."""
    data_dir: Path | None = None
    """Folder in which tensorflow-datasets keeps its sets, if it has changed since training."""
    num: int = 16
    """Number of samples."""
    between: tuple[str, str] | None = None
    """Two sentences to connect, in quotes; pairs of test sentences if not given."""
    analogy: tuple[str, str, str] | None = None
    """Three sentences: the fourth is to the third as the second to the first."""
    pairs: int = 50
    """Number of pairs of test sentences whose paths are measured; the first five are printed."""
    points: int = 7
    """Number of sentences on each path, both ends included."""
    beams: int = 5
    """Number of beams of the search for the likeliest sentence; 1 chooses the likeliest word at each step."""
    seed: int = 0
    """Seed of the samples and of the pairs."""
    out: Path | None = None
    """Folder for texts and figure; DIR/text if not given."""

    def check(self) -> None:
        """Refuse values that are invalid for every run."""
        for name in ("num", "beams", "pairs", "steps"):
            check_at_least(1, name, getattr(self, name))
        check_at_least(2, "points", self.points)
        check_folder("out", self.out)


SHOWN = 5
"""Number of paths that are printed."""


def main(config: TextConfig) -> int:
    """Train if there is no run, then write samples, paths, neighbours and distances; returns the exit code."""
    set_up(Compute(num_processes=1))
    run_dir = config.run_dir or Path("runs") / f"text-{stem(config.dataset)}-{config.steps}steps"
    if config.run_dir is None and (exit_code := train_all({"text": recipe_of(config, run_dir)}, TextConfig)):
        return exit_code
    run = load_run(run_dir, select=config.select)
    named = config.dataset if is_function(config.dataset) else None
    trained = Trained(run, load_data(run, config.data_dir, named), config.out or run_dir / "text")
    if trained.data.space.kind != "tokens" or PITCHES in trained.data.facts:
        raise InputError("run-dir: this run's examples are no sentences; train one with --preset lstm_vae")
    check_unconditional(run)
    trained.folder.mkdir(parents=True, exist_ok=True)
    write(trained, "samples", samples(trained, config.num, config.seed))
    if config.analogy is not None:
        fourth = np.asarray(analogy(*jnp.asarray(trained.encode(run.as_split(list(config.analogy))))))[None]
        write(trained, "analogy", [*config.analogy, *sentences(trained, likeliest(trained, fourth, config.beams))])
    if config.between is not None:
        write(trained, "path", path(trained, trained.encode(run.as_split(list(config.between))), config))
        return 0
    test = trained.data.test
    if test.num_examples < 2:
        raise InputError("run-dir: a path leads from one test sentence to another, and the set has one; give --between")
    ids = np.random.default_rng(config.seed).permutation(test.num_examples)[: 2 * config.pairs]
    chosen = test.take(ids[: 2 * (len(ids) // 2)])
    codes = trained.encode(chosen).reshape(-1, 2, trained.latent_dim)
    write(trained, "paths", [line for pair in codes[:SHOWN] for line in [*path(trained, pair, config), ""]])
    write(trained, "neighbours", neighbours(trained, chosen.first(SHOWN), codes.reshape(-1, trained.latent_dim)))
    save_distances(trained.folder / "distances.png", distances(trained, chosen, codes, config))
    say(f"texts and figure in {trained.folder}")
    return 0


def recipe_of(config: TextConfig, run_dir: Path) -> Recipe:
    """Return the options of the run that is trained here."""
    return given(
        preset="lstm_vae",
        dataset=config.dataset,
        data_dir=config.data_dir,
        run_dir=run_dir,
        seed=config.seed,
        steps=config.steps,
        beta=f"0:1@{config.steps // 2}" if config.steps > 1 else 1.0,
        tensorboard=False,
        figures=False,
        num_processes=1,
    )


def write(trained: Trained, name: str, lines: Sequence[str]) -> None:
    """Print lines under their name, and write them to a file."""
    text = "\n".join(lines) + "\n"
    print(f"--- {name} ---\n{text}", end="")
    (trained.folder / f"{name}.txt").write_text(text, encoding="utf-8")


def sentences(trained: Trained, rows: np.ndarray) -> list[str]:
    """Return rows of tokens `[..., T]` as sentences."""
    flat = np.asarray(rows).reshape(-1, rows.shape[-1])
    return list(trained.data.space.show(flat, trained.data.facts).lines)


def likeliest(trained: Trained, codes: np.ndarray, beams: int) -> np.ndarray:
    """Return the likeliest rows `[N, T]` of codes `[N, D]` that a beam search finds."""
    run = trained.run

    def search(z: Array) -> Array:
        rows: Any = run.model.decode(run.params, z)
        return beam_search(rows, beams).tokens[:, 0]

    return in_blocks(search, codes)


def samples(trained: Trained, num: int, seed: int) -> list[str]:
    """Return sentences of codes from the prior, each word drawn."""
    run = trained.run

    def draw(of_codes: Array, of_words: Array) -> Array:
        z = jax.vmap(run.model.prior(run.params).sample)(of_codes)
        return run.model.decode(run.params, z).sample(of_words)

    keys = (rng.sample_keys(rng.stream(rng.root(seed), name), num) for name in ("sample", "words"))
    return sentences(trained, in_blocks(draw, *keys))


def path(trained: Trained, ends: np.ndarray, config: TextConfig) -> list[str]:
    """Return the sentences on the straight line between two codes `[2, D]`."""
    return sentences(trained, likeliest(trained, on_line(ends[0], ends[1], config.points), config.beams))


def on_line(z0: np.ndarray, z1: np.ndarray, num: int) -> np.ndarray:
    """Return `[num, ..., D]` codes on the straight lines between codes."""
    return np.asarray(interpolate(jnp.asarray(z0), jnp.asarray(z1), num))


def neighbours(trained: Trained, rows: np.ndarray, codes: np.ndarray) -> list[str]:
    """Return test sentences, each with the three others whose codes are nearest."""
    test = trained.data.test
    near = nearest(codes[: len(rows)], trained.encode(test), min(4, test.num_examples))
    lines = []
    for sentence, others in zip(sentences(trained, rows), np.asarray(near.indices)):
        lines += [
            sentence,
            *(f"    {other}" for other in sentences(trained, test.take(others[1:]).first(len(others) - 1))),
            "",
        ]
    return lines


def distances(trained: Trained, chosen: Split, codes: np.ndarray, config: TextConfig) -> dict[str, Distances]:
    """Measure how far each sentence of a path is from the two test sentences at its ends.

    The control is the same measure with the codes of other sentences. Where it looks alike, the decoder ignores z.
    """
    ends = [line.split() for line in sentences(trained, chosen.first(chosen.num_examples))]
    return {
        "codes of the two sentences": measure(trained, ends, codes, config),
        "codes of other sentences": measure(trained, ends, np.roll(codes, 1, axis=0), config),
    }


def measure(trained: Trained, ends: list[list[str]], codes: np.ndarray, config: TextConfig) -> Distances:
    """Return the distances of every point of the paths to their ends, averaged over paths."""
    points = on_line(codes[:, 0], codes[:, 1], config.points)
    found = sentences(trained, likeliest(trained, points.reshape(-1, codes.shape[-1]), config.beams))
    by_point = [found[first : first + len(codes)] for first in range(0, len(found), len(codes))]
    to_first, to_last = ([mean_distance(row, side) for row in by_point] for side in (ends[::2], ends[1::2]))
    return Distances(np.array(to_first), np.array(to_last))


def mean_distance(found: list[str], ends: list[list[str]]) -> float:
    """Return the mean edit distance of sentences to others, as a share of the longer one's words."""
    pairs = [(line.split(), end) for line, end in zip(found, ends, strict=True)]
    return float(np.mean([edit_distance(words, end) / max(len(words), len(end)) for words, end in pairs]))


if __name__ == "__main__":
    run_script(main, TextConfig)
