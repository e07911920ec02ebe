"""Hear what a model of melodies learned: `python experiments/music.py --run-dir DIR` writes pictures, MIDI and sound.

These are samples, a path between two melodies beside a blend of their notes (Roberts et al. 2018, figure 4), and the
effect of directions such as that of more notes. Without --run-dir it first trains a model of --dataset.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np

from figures.music import save_changes, save_distances, save_rolls
from jaxvae.data.attributes import sequence_attributes
from jaxvae.data.places import is_function, stem
from jaxvae.data.sequences import PITCHES
from jaxvae.errors import InputError
from jaxvae.judges import hamming
from jaxvae.latent import attribute_vector, interpolate
from jaxvae.music.sound import Synthesiser
from jaxvae.options import Compute, Recipe, given
from jaxvae.options.checks import check_at_least, check_folder
from jaxvae.options.groups import Select
from jaxvae.packages import check_installed
from jaxvae.report import write_json
from jaxvae.report.rolls import save_sounds
from jaxvae.report.tables import markdown_table
from jaxvae.runs import load_run
from jaxvae.runs.command_line import run_script
from jaxvae.runs.compute import set_up
from jaxvae.runs.data import check_unconditional, load_data
from jaxvae.runs.many import train_all
from jaxvae.runs.progress import say
from jaxvae.runs.trained import Trained


@dataclasses.dataclass(frozen=True)
class MusicConfig:
    """Write samples, a path between two melodies, and the effect of attributes, of a model of melodies."""

    run_dir: Path | None = None
    """Run directory of train.py; one trained here if not given."""
    dataset: str | None = None
    """Melodies to train on without --run-dir: a folder of MIDI files, or an event archive."""
    steps: int = 5000
    """Number of training steps without --run-dir."""
    select: Select | None = None
    """Checkpoint to use: best on validation data, or last; the one that the run reports if not given."""
    num: int = 8
    """Number of samples."""
    between: tuple[int, int] | None = None
    """Two test melodies to connect, by their numbers; two that the seed draws if not given."""
    points: int = 7
    """Number of melodies on the path, both ends included."""
    pairs: int = 100
    """Number of pairs of test melodies whose paths are measured."""
    tempo: float = 120.0
    """Quarter notes in a minute."""
    soundfont: Path | None = None
    """Instruments (.sf2) that FluidSynth plays; if not given, those of JAXVAE_SOUNDFONT or of the usual folders, and
    decaying sines where there are none."""
    seed: int = 0
    """Seed of the samples, the pairs and the blend."""
    out: Path | None = None
    """Folder for pictures, MIDI and sound; DIR/music if not given."""

    def check(self) -> None:
        """Refuse values that are invalid for every run."""
        for name in ("num", "pairs", "steps"):
            check_at_least(1, name, getattr(self, name))
        check_at_least(2, "points", self.points)
        check_folder("out", self.out)
        if self.run_dir is None and self.dataset is None:
            raise InputError("run-dir: give that of a run, or --dataset with melodies to train on")
        check_installed("MIDI files", "mido", "music")  # before a training, which would be for nothing


def main(config: MusicConfig) -> int:
    """Train if there is no run, then write samples, a path, distances and changes; returns the exit code."""
    set_up(Compute(num_processes=1))
    run_dir = config.run_dir or Path("runs") / f"music-{stem(str(config.dataset))}-{config.steps}steps"
    if config.run_dir is None and (exit_code := train_all({"music": recipe_of(config, run_dir)}, MusicConfig)):
        return exit_code
    run = load_run(run_dir, select=config.select)
    named = config.dataset if is_function(str(config.dataset)) else None
    trained = Trained(run, load_data(run, None, named), config.out or run_dir / "music")
    if PITCHES not in trained.data.facts:
        raise InputError("run-dir: this run's examples are no melodies; train one with --preset melody_vae")
    check_unconditional(run)
    check_numbers(config, trained.data.test.num_examples)
    trained.folder.mkdir(parents=True, exist_ok=True)
    perform(trained, "sample", trained.run.sample(config.num, seed=config.seed), config)
    random = np.random.default_rng(config.seed)
    codes, rows = pairs(trained, config, random)
    path = trained.decode(on_line(codes[:1], config.points))[:, 0]
    blended = blend(rows[:1], config.points, random)[:, 0]
    synthesiser = perform(trained, "path", path, config, blended)
    save_distances(trained.folder / "distances.png", distances(trained, codes, rows, config, random))
    save_table(trained, changes(trained))
    say(f"pictures, MIDI files and sound ({synthesiser}) in {trained.folder}")
    return 0


def recipe_of(config: MusicConfig, run_dir: Path) -> Recipe:
    """Return the options of the run that is trained here."""
    return given(
        preset="melody_vae",
        dataset=config.dataset,
        run_dir=run_dir,
        seed=config.seed,
        steps=config.steps,
        decay="cosine",
        tensorboard=False,
        figures=False,
        num_processes=1,
    )


def check_numbers(config: MusicConfig, num: int) -> None:
    """Refuse test melodies that there are not, and a set in which there are no two."""
    if num < 2:
        raise InputError(f"run-dir: a path leads from one test melody to another, and the set has {num}; add melodies")
    for number in config.between or ():
        if not 0 <= number < num:
            raise InputError(f"between: there is no test melody {number}; they are numbered from 0 to {num - 1}")


def perform(
    trained: Trained, name: str, rows: np.ndarray, config: MusicConfig, other: np.ndarray | None = None
) -> Synthesiser:
    """Write rows of tokens `[N, T]` as piano rolls, above others if given, and each as MIDI and sound."""
    groups: list[Any] = [trained.data.show(part) for part in (rows, other) if part is not None]
    titles = ["path between codes", "blend of notes"] if other is not None else [""]
    save_rolls(trained.folder / f"{name}s.png", groups, titles)
    return save_sounds(trained.folder, groups[0], name, most=len(rows), tempo=config.tempo, soundfont=config.soundfont)


def pairs(trained: Trained, config: MusicConfig, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return codes `[P, 2, D]` and rows `[P, 2, T]` of pairs of test melodies, those that were asked for first."""
    drawn = random.permutation(trained.data.test.num_examples).tolist()[: 2 * config.pairs]
    ids = [*(config.between or ()), *drawn]
    chosen = trained.data.test.take(np.array(ids[: 2 * (len(ids) // 2)]))
    rows = np.asarray(chosen.first(chosen.num_examples))
    return trained.encode(chosen).reshape(-1, 2, trained.latent_dim), rows.reshape(-1, 2, rows.shape[-1])


def on_line(codes: np.ndarray, num: int) -> np.ndarray:
    """Return `[num, P, D]` codes on the straight lines between pairs `[P, 2, D]`."""
    return np.asarray(interpolate(jnp.asarray(codes[:, 0]), jnp.asarray(codes[:, 1]), num))


def blend(rows: np.ndarray, num: int, random: np.random.Generator) -> np.ndarray:
    """Return `[num, P, T]` rows that take each event of the second melody with a probability that rises from 0 to 1."""
    t = np.linspace(0, 1, num)[:, None, None]
    return np.where(random.random((num, len(rows), rows.shape[-1])) < t, rows[:, 1], rows[:, 0])


def distances(
    trained: Trained, codes: np.ndarray, rows: np.ndarray, config: MusicConfig, random: np.random.Generator
) -> dict[str, np.ndarray]:
    """Return mean distances `[points, 2]` to both ends, of paths between codes and of blends."""
    paths = {"path between codes": trained.decode(on_line(codes, config.points))}
    paths["blend of notes"] = blend(rows, config.points, random)
    return {
        name: np.stack([hamming(path, rows[None, :, end]).mean(axis=1) for end in (0, 1)], axis=1)
        for name, path in paths.items()
    }


def changes(trained: Trained) -> dict[str, dict[str, float]]:
    """Return how much each attribute changes along the direction of each: rows are directions.

    A direction is the mean code of the training melodies in the highest quarter of an attribute less that of the
    lowest. Test melodies are moved by half of it both ways; the change is in standard deviations of the attribute. An
    attribute that all melodies share is left out.
    """
    train, test = trained.data.train.head(5000), trained.data.test.head(500)
    known, codes = sequence_attributes(trained.data, train.first(train.num_examples)), trained.encode(train)
    known = {name: values for name, values in known.items() if np.nanstd(values) > 0}
    start = trained.encode(test)
    table = {}
    for name, values in known.items():
        low, high = np.nanquantile(values, [0.25, 0.75])
        extreme = (values <= low) | (values >= high)
        if not extreme.any() or low == high:
            continue
        direction = np.asarray(attribute_vector(jnp.asarray(codes[extreme]), jnp.asarray(values[extreme] >= high)))
        ends = [sequence_attributes(trained.data, trained.decode(start + step * direction)) for step in (-0.5, 0.5)]
        table[name] = {
            other: mean_of_known(ends[1][other] - ends[0][other]) / float(np.nanstd(known[other])) for other in known
        }
    return table


def mean_of_known(values: np.ndarray) -> float:
    """Return the mean of the values that are no NaN, or NaN where all are, as of melodies without notes."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")


def save_table(trained: Trained, table: dict[str, dict[str, float]]) -> None:
    """Print, write and draw the changes, if any attribute differs between melodies."""
    if not table:
        return
    write_json(trained.folder / "attributes.json", table)
    print("changes in standard deviations, each direction a row\n")
    print(markdown_table(table, {name: (name, ".2f") for name in next(iter(table.values()))}))
    save_changes(trained.folder / "attributes.png", table)


if __name__ == "__main__":
    run_script(main, MusicConfig)
