"""Grow a forest whose trees are similar and never the same: `python experiments/forest.py`.

A conditional VAE learns drawings of trees of four species, and a VAE of text learns the strings that describe their
branches. New drawings are measured beside test drawings: how similar they are, and whether they are copies. The strings
have a known entropy, so that the model's loss says how far it is from their true distribution. A second call goes on
where the first ended.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import ks_2samp

from jaxvae.data import Dataset
from jaxvae.data.sources.forest import GRAMMAR
from jaxvae.data.sources.grammar import entropy, log_probability
from jaxvae.evaluation import standard_error
from jaxvae.judges.probes import fit_probe
from jaxvae.latent import nearest
from jaxvae.model import draw_each
from jaxvae.options import Compute, Recipe, given
from jaxvae.options.checks import check_at_least, check_seed
from jaxvae.report import write_json
from jaxvae.report.figures import save_grid
from jaxvae.report.tables import markdown_table
from jaxvae.runs import load_run
from jaxvae.runs.command_line import run_script
from jaxvae.runs.compute import set_up
from jaxvae.runs.data import load_data
from jaxvae.runs.directory import Run
from jaxvae.runs.many import train_all
from jaxvae.runs.progress import announce

SHOWN = 15
"""Number of trees of each species in the figure."""
MEASURES = ("height", "width", "ink", "centre", "lean")
"""Measures of a drawing, in pixels: rows and columns that it reaches, ink, mean height of the ink and its mean place to
the right of the middle."""


@dataclasses.dataclass(frozen=True)
class ForestConfig:
    """Learn trees as drawings and as strings, and judge new ones beside the L-system's."""

    steps: int = 4000
    """Number of training steps of each model."""
    hidden: tuple[int, ...] = (512,)
    """Widths of the dense hidden layers of the VAE of drawings."""
    latent_dim: int = 24
    """Number of dimensions of its z."""
    lstm: int = 64
    """Width of the LSTMs of the VAE of strings."""
    num: int = 1000
    """Number of test trees, and of new ones, that are judged."""
    num_samples: int = 50
    """Number of samples of z per string for the bound on log p."""
    seed: int = 0
    """Seed of all randomness."""
    out: Path = Path("runs/forest")
    """Folder for runs, tables and figure."""

    def check(self) -> None:
        """Refuse values that are invalid."""
        for name in ("steps", "latent_dim", "lstm", "num_samples"):
            check_at_least(1, name, getattr(self, name))
        check_at_least(100, "num", self.num)
        check_seed("seed", self.seed)


def main(config: ForestConfig) -> int:
    """Train both models, judge their trees, and write the tables and the figure."""
    set_up(Compute(num_processes=1))
    if exit_code := train_all({"drawings": drawings(config), "strings": strings(config)}, ForestConfig):
        return exit_code
    run = load_run(config.out / "drawings")
    data = load_data(run)
    of_drawings = judge_drawings(config, run, data)
    of_strings = judge_strings(config, load_run(config.out / "strings"))
    tables = [table_of_drawings(of_drawings), table_of_strings(of_strings)]
    print(*tables, sep="\n\n")
    (config.out / "forest.md").write_text("\n\n".join(tables) + "\n")
    settings = {"steps": config.steps, "num": config.num, "seed": config.seed}
    write_json(config.out / "forest.json", {"drawings": of_drawings, "strings": of_strings, **settings})
    draw(config, run, data.classes)
    print(f"tables and figure in {config.out}")
    return 0


def drawings(config: ForestConfig) -> Recipe:
    """Return the recipe of the VAE of drawings, under the condition of the species."""
    sizes: dict[str, Any] = {"hidden": config.hidden, "latent_dim": config.latent_dim}
    return recipe_of(config, "drawings", preset="vae", dataset="forest", condition="label", **sizes)


def strings(config: ForestConfig) -> Recipe:
    """Return the recipe of the VAE of strings."""
    sizes = {"hidden": (config.lstm,), "likelihood.hidden": (config.lstm,), "embedding": 16, "likelihood.embedding": 16}
    batches: dict[str, Any] = {"batch_size": 32, "length_buckets": 4}
    options: dict[str, Any] = {"preset": "lstm_vae", "dataset": "brackets", "latent_dim": 8, "free_bits": 0.5}
    return recipe_of(config, "strings", **options, **batches, **sizes)


def recipe_of(config: ForestConfig, name: str, **options: Any) -> Recipe:
    """Return a recipe with the options that both models share."""
    shared: dict[str, Any] = {"steps": config.steps, "seed": config.seed, "figures": False, "tensorboard": False}
    return given(run_dir=config.out / name, **shared, **options)


def judge_drawings(config: ForestConfig, run: Run, data: Dataset) -> dict[str, Any]:
    """Compare new drawings, as many of each species as among the test drawings, with these and the training ones."""
    train, test = data.train.first(data.train.num_examples), data.test.first(config.num)
    species = np.asarray(data.test.label)[: config.num]
    new = np.asarray(run.sample(len(test), seed=config.seed, condition=species))
    draws = np.asarray(run.sampled(draw_each, len(test), seed=config.seed, condition=species))
    announce("a classifier of the species")
    labels: Any = data.train.label
    probe = fit_probe(train, labels, seed=config.seed)
    of_train, of_test, of_new = (measures(images) for images in (train, test, new))
    scale, names = of_train.std(axis=0), MEASURES
    inked = measures(in_black_and_white(test, config.seed))
    ratios = within(measures(draws), species) / within(inked, species)
    of_means = within(of_new, species) / within(of_test, species)
    return {
        "species_recognised": {"test": probe.accuracy(test, species), "new": probe.accuracy(new, species)},
        "spread_ratio": dict(zip(names, map(float, ratios))),
        "spread_ratio_of_means": dict(zip(names, map(float, of_means))),
        "nearest": {
            "pixels": beside(test, new, train),
            "measures": beside(of_test / scale, of_new / scale, of_train / scale),
        },
        "twins": {
            "pixels": beside_their_own(test, new),
            "measures": beside_their_own(of_test / scale, of_new / scale),
        },
    }


def measures(images: np.ndarray) -> np.ndarray:
    """Measure drawings `[N, H, W, 1]` with ink in [0, 1]: `[N, 5]`, in the order of `MEASURES`."""
    ink = np.asarray(images, np.float64)[..., 0]
    rows, columns = ink.max(axis=2), ink.max(axis=1)
    mass = np.maximum(ink.sum(axis=(1, 2)), 1e-9)
    middle = (np.arange(ink.shape[1]) + 0.5)[::-1]
    across = np.arange(ink.shape[2]) - (ink.shape[2] - 1) / 2
    centre, lean = (ink.sum(axis=2) @ middle) / mass, (ink.sum(axis=1) @ across) / mass
    return np.stack([rows.sum(axis=1), columns.sum(axis=1), mass, centre, lean], axis=1)


def in_black_and_white(images: np.ndarray, seed: int) -> np.ndarray:
    """Draw each pixel black with its ink as probability, as in training: of such drawings p(x|z) is a distribution."""
    return (np.random.default_rng(seed).random(images.shape) < images).astype(np.float32)


def within(numbers: np.ndarray, species: np.ndarray) -> np.ndarray:
    """Return `[K]` standard deviations of numbers `[N, K]` within a species, the mean over species."""
    return np.mean([numbers[species == one].std(axis=0, ddof=1) for one in np.unique(species)], axis=0)


def beside(test: np.ndarray, new: np.ndarray, train: np.ndarray) -> dict[str, float]:
    """Compare the distances of new and of test examples to the nearest training example."""
    return compared(*(np.ravel(nearest(rows, train, 1).distances) for rows in (test, new)))


def beside_their_own(test: np.ndarray, new: np.ndarray) -> dict[str, float]:
    """Compare the distances of new examples to the nearest other new one with those among test examples."""
    return compared(*(np.asarray(nearest(rows, rows, 2).distances)[:, 1] for rows in (test, new)))


def compared(test: np.ndarray, new: np.ndarray) -> dict[str, float]:
    """Return medians, the two-sample Kolmogorov-Smirnov statistic, and the share of new ones that are too near."""
    near = float(np.mean(new < np.quantile(test, 0.01)))
    medians = {"test": float(np.median(test)), "new": float(np.median(new))}
    return {**medians, "ks": float(ks_2samp(test, new).statistic), "copies": near}


def judge_strings(config: ForestConfig, run: Run) -> dict[str, float]:
    """Compare the bound on log p of test strings with their true log p, and sampled strings with the grammar."""
    data = load_data(run)
    test = data.test.head(config.num)
    known, lines = {*run.present(data.train.x[:])}, run.present(test.x[:])
    true = np.array([log_probability(GRAMMAR, line.split()) for line in lines])
    excess = true - run.log_px(test, config.num_samples, seed=config.seed)
    new = sampled(run, len(lines), config.seed)
    valid = [line for line in new if log_probability(GRAMMAR, line.split()) > -np.inf]
    return {
        "entropy": entropy(GRAMMAR),
        "nll": float((excess - true).mean()),
        "kl": float(excess.mean()),
        "kl_error": standard_error(excess),
        "valid": len(valid) / len(new),
        "unseen_test": unseen(lines, known),
        "unseen_new": unseen(valid, known),
        "different_test": len({*lines}) / len(lines),
        "different_new": len({*valid}) / max(len(valid), 1),
    }


def sampled(run: Run, num: int, seed: int) -> list[str]:
    """Return strings x ~ p(x|z) at z ~ p(z)."""
    return list(run.present(run.sampled(draw_each, num, seed=seed)))


def unseen(lines: list[str], known: set[str]) -> float:
    """Return the share of strings that no training string equals."""
    return float(np.mean([line not in known for line in lines])) if lines else float("nan")


def table_of_drawings(found: dict[str, Any]) -> str:
    """Return what is similar and what is not the same, as tables."""
    share = found["species_recognised"]
    spread: dict[str, dict[str, float | None]] = {
        name: {"ratio": ratio, "means": found["spread_ratio_of_means"][name]}
        for name, ratio in found["spread_ratio"].items()
    }
    distances: dict[str, dict[str, float | None]] = {
        f"{what}, {space}": {**values}
        for what, kind in {"nearest training tree": "nearest", "nearest of the same set": "twins"}.items()
        for space, values in found[kind].items()
    }
    ratio = {"ratio": ("spread within species, new / test", ".2f"), "means": ("of means", ".2f")}
    columns = {"test": ("test", ".2f"), "new": ("new", ".2f"), "ks": ("KS", ".2f"), "copies": ("too near", ".3f")}
    recognised = f"species recognised: {share['new']:.3f} of new drawings, {share['test']:.3f} of test drawings"
    return "\n\n".join([recognised, markdown_table(spread, ratio), markdown_table(distances, columns)])


def table_of_strings(found: dict[str, float]) -> str:
    """Return the numbers of the strings as a sentence and a table."""
    known = f"NLL {found['nll']:.2f} nats, entropy {found['entropy']:.2f}"
    rows: dict[str, dict[str, float | None]] = {
        "test": {"valid": 1.0, "unseen": found["unseen_test"], "different": found["different_test"]},
        "new": {"valid": found["valid"], "unseen": found["unseen_new"], "different": found["different_new"]},
    }
    columns = {name: (name, ".3f") for name in ("valid", "unseen", "different")}
    return f"strings: {known}, KL {found['kl']:.2f} ± {found['kl_error']:.2f}\n\n{markdown_table(rows, columns)}"


def draw(config: ForestConfig, run: Run, names: tuple[str, ...]) -> None:
    """Draw new trees, in each row those of one species."""
    species = np.repeat(np.arange(len(names)), SHOWN)
    trees = 1 - run.sample(len(species), seed=config.seed + 1, condition=species)
    title = f"{len(species)} new trees: similar, and never the same"
    save_grid(config.out / "forest.png", trees, columns=SHOWN, row_labels=names, title=title)


if __name__ == "__main__":
    run_script(main, ForestConfig)
