"""Compare likelihoods and codes of counts: `python experiments/counts.py --dataset cells.h5ad --label cell_type`.

Poisson, negative binomial and zero-inflated negative binomial have the same networks and are given the total of each
example, its library size. Codes, and principal components, are asked for a label that no model saw. With --batch the
models are one that gets the batch as its condition and one that does not, and codes are asked for the batch too; --thin
makes batches whose difference is known. --run-dir takes any trained runs of one set instead. A second call goes on
where the first ended.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from jaxvae.data import Dataset, Split, load
from jaxvae.data.conditions import ATTRIBUTES, LABEL
from jaxvae.data.places import stem
from jaxvae.errors import InputError, did_you_mean
from jaxvae.judges.groups import clusters_agree, neighbours_agree, separability
from jaxvae.latent import VIEWS
from jaxvae.nets.counts import scaled_log_counts
from jaxvae.options import Compute, Recipe, given
from jaxvae.options.checks import check, check_at_least, check_seed
from jaxvae.report import write_json
from jaxvae.report.figures import new_figure, save_figure
from jaxvae.report.tables import markdown_table
from jaxvae.runs import load_run
from jaxvae.runs.command_line import run_script
from jaxvae.runs.compute import set_up
from jaxvae.runs.data import load_data
from jaxvae.runs.many import train_all
from jaxvae.runs.per_example import score_each
from jaxvae.runs.progress import announce, named_bar
from jaxvae.runs.trained import Trained

COLUMNS = {
    "nll": ("-log p(x), nats", ".2f"),
    "neighbours": ("label told by 10 neighbours", ".3f"),
    "clusters": ("adjusted Rand index", ".3f"),
    "batch": ("AUC of the batch", ".3f"),
}
LIKELIHOODS: dict[str, dict[str, Any]] = {
    "Poisson": {"likelihood": "poisson", "likelihood.library": True},
    "negative binomial": {"likelihood.zero_inflated": False},
    "zero-inflated negative binomial": {},
}
"""Options of the models without a batch."""
BATCH = "batch"
"""Name of the batches that --thin makes."""
LEAST_KEPT = 0.3
"""Smallest chance of a molecule of the thinned batch to be kept."""
COMPONENTS = "principal components"
"""Name of the row without a model."""


@dataclasses.dataclass(frozen=True)
class CountsConfig:
    """Train VAEs of counts, and judge their likelihood and their codes beside principal components."""

    dataset: str | None = None
    """Data set of counts to train on, as in train.py."""
    run_dir: tuple[Path, ...] = ()
    """Runs of one set of counts to judge, in place of --dataset."""
    label: str = LABEL
    """Label or attribute whose values codes should tell apart, such as the kind of a cell."""
    batch: str | None = None
    """Attribute, or label, that is given as the condition, and that codes should not tell apart."""
    thin: bool = False
    """Make two batches of the set, one of them with a part of its molecules alone; its share differs by gene."""
    latent_dim: int = 10
    """Number of dimensions of z, and of principal components."""
    epochs: float = 80.0
    """Passes over the training set of each model; a set with validation data of its own may stop earlier."""
    seeds: int = 1
    """Number of models of each kind."""
    seed: int = 0
    """First seed, and that of batches and judges."""
    num_samples: int = 100
    """Number of samples of z for each example, for the lower bound on log p(x)."""
    data_dir: Path | None = None
    """Folder in which tensorflow-datasets keeps its sets; TFDS_DATA_DIR if not given."""
    out: Path | None = None
    """Folder for runs, table and figures; runs/counts-DATASET if not given."""

    def check(self) -> None:
        """Refuse values that are invalid for every data set."""
        for name in ("latent_dim", "seeds", "num_samples"):
            check_at_least(1, name, getattr(self, name))
        check(0 < self.epochs < math.inf, "epochs", self.epochs, "a positive number")
        check_seed("seed", self.seed, self.seeds)
        if (self.dataset is None) == (not self.run_dir):
            raise InputError("dataset: give a set to train on, or runs to judge: --dataset or --run-dir")
        if self.thin and (self.run_dir or self.batch):
            raise InputError("thin: makes batches of a set to train on; leave --run-dir and --batch out")

    @property
    def folder(self) -> Path:
        """Folder for all output."""
        return self.out or Path("runs") / f"counts-{stem(self.dataset or self.run_dir[0].name)}"


def main(config: CountsConfig) -> int:
    """Train what is not trained yet, judge it, and write table and figures."""
    set_up(Compute(num_processes=1))
    if config.thin:
        config = dataclasses.replace(config, dataset=str(thinned(config)), label=LABEL, batch=BATCH, thin=False)
    recipes = {} if config.dataset is None else recipes_of(config, checked(load(config.dataset, config.data_dir)))
    if exit_code := train_all(recipes, CountsConfig):
        return exit_code
    folders = {name: recipe.run_dir for name, recipe in recipes.items()} or {str(path): path for path in config.run_dir}
    models = {name: trained(config, folder) for name, folder in folders.items()}
    data = next(iter(models.values())).data
    groups = {name: values_of(data, name) for name in (config.label, config.batch) if name is not None}
    codes = {
        name: np.concatenate([model.encode(split) for split in splits(model.data)]) for name, model in models.items()
    }
    found: dict[str, dict[str, list[float]]] = {}
    for name, model in models.items():
        options: dict[str, Any] = {"num_samples": config.num_samples, "progress": named_bar(name)}
        nll = -score_each(model.run, model.data.test, **options)["log_px"]
        row = found.setdefault(name.split(", seed")[0], {})
        for column, value in {"nll": float(nll.mean()), **judged(config, name, codes[name], groups)}.items():
            row.setdefault(column, []).append(value)
    codes[COMPONENTS] = components(data, config.latent_dim)
    of_components = judged(config, COMPONENTS, codes[COMPONENTS], groups)
    found[COMPONENTS] = {column: [value] for column, value in of_components.items()}
    report(config, found, data)
    maps = planes(codes)
    for name, values in groups.items():
        draw(config.folder / f"codes-{name}.png", maps, values, names_of(data, name))
    print(f"table and figures in {config.folder}")
    return 0


def checked(data: Dataset) -> Dataset:
    """Refuse a set that holds no counts."""
    if data.space.kind != "counts":
        raise InputError(f"dataset: {data.name} holds {data.space.kind}, here it must be counts; name another")
    return data


def thinned(config: CountsConfig) -> Path:
    """Write the set with half its examples thinned, and return the file.

    Every molecule of gene g is kept with a chance between `LEAST_KEPT` and 1 that is the gene's, so that the batches
    differ in depth and in proportions, by a binomial distribution that is known exactly.
    """
    data = checked(load(str(config.dataset), config.data_dir))
    noise = np.random.default_rng(config.seed)
    counts = np.concatenate([split.x[:] for split in splits(data)])
    kept = noise.uniform(LEAST_KEPT, 1, counts.shape[1])
    batch = noise.permutation(np.arange(len(counts)) % 2)
    counts = np.where(batch[:, None] == 1, noise.binomial(counts, kept), counts)
    label, names = values_of(data, config.label), names_of(data, config.label)
    parts = np.repeat([number for number, split in parts_of(data)], [split.num_examples for _, split in parts_of(data)])
    arrays: dict[str, Any] = {"counts": counts, "label": label.astype(np.int32), "split": parts, BATCH: batch}
    arrays |= {"classes": np.array(names)} if names else {}
    path = config.folder / "thinned.npz"
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, **arrays)
    return path


def recipes_of(config: CountsConfig, data: Dataset) -> dict[str, Recipe]:
    """Return the recipes to train: of each likelihood or, with batches, with and without the condition."""
    kinds = LIKELIHOODS
    if config.batch is not None:
        values_of(data, config.batch, "batch")
        kinds = {"without the batch": {}, "with the batch": {"condition": config.batch}}
    values_of(data, config.label)
    return {
        f"{name}, seed {seed}": given(
            preset="scvi",
            dataset=config.dataset,
            data_dir=config.data_dir,
            run_dir=config.folder / f"{name.replace(' ', '_')}-{config.epochs:g}epochs-seed{seed}",
            latent_dim=config.latent_dim,
            epochs=config.epochs,
            batch_size=min(128, data.train.num_examples),
            seed=seed,
            figures=False,
            tensorboard=False,
            num_processes=1,
            **options,
        )
        for name, options in kinds.items()
        for seed in range(config.seed, config.seed + config.seeds)
    }


def trained(config: CountsConfig, folder: Path) -> Trained:
    """Return a trained model with its data."""
    run = load_run(folder)
    if run.space.kind != "counts":
        raise InputError(f"run-dir: the examples of {folder} are {run.space.kind}, here they must be counts")
    return Trained(run, load_data(run, config.data_dir), config.folder)


def parts_of(data: Dataset) -> list[tuple[int, Split]]:
    """Return the splits with their part numbers."""
    return [(number, split) for number, split in enumerate((data.train, data.validation, data.test)) if split]


def splits(data: Dataset) -> list[Split]:
    """Return the splits that there are."""
    return [split for _, split in parts_of(data)]


def values_of(data: Dataset, name: str, option: str = "label") -> np.ndarray:
    """Return `[N]` values of a label or attribute, of all splits."""
    columns = [split.label if name == LABEL else split.attributes.get(name) for split in splits(data)]
    known = [column for column in columns if column is not None]
    if len(known) < len(columns):
        there = [*([] if data.train.label is None else [LABEL]), *data.train.attributes]
        hint, remedy = did_you_mean(name, there), f"give one of {', '.join(there)}" if there else "it has none"
        raise InputError(f"{option}: {name!r} is no label or attribute of {data.name}{hint}; {remedy}")
    return np.concatenate(known)


def names_of(data: Dataset, name: str) -> tuple[str, ...]:
    """Return the names of the values of a label or attribute, none where they are numbers."""
    return data.classes if name == LABEL else tuple(data.facts.get(ATTRIBUTES, {}).get(name, ()))


def components(data: Dataset, num: int) -> np.ndarray:
    """Return `[N, num]` principal components of log-normalised counts, fitted to the training split."""
    from sklearn.decomposition import PCA

    train, *others = (np.asarray(scaled_log_counts(split.x[:])) for split in splits(data))
    fitted = PCA(num, random_state=0).fit(train)
    return np.concatenate([fitted.transform(rows) for rows in (train, *others)])


def judged(config: CountsConfig, name: str, codes: np.ndarray, groups: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Return what codes say of the label, and of the batch."""
    announce(f"{name}: judging {len(codes):,} codes")
    label, seed = groups[config.label], {"seed": config.seed}
    found = {"neighbours": neighbours_agree(codes, label, **seed), "clusters": clusters_agree(codes, label, **seed)}
    return found if config.batch is None else {**found, "batch": separability(codes, groups[config.batch], **seed)}


def report(config: CountsConfig, found: dict[str, dict[str, list[float]]], data: Dataset) -> None:
    """Print and write the means over seeds, with their deviations."""
    rows: dict[str, dict[str, float | None]] = {}
    for name, columns in found.items():
        rows[name] = {column: float(np.mean(values)) for column, values in columns.items()}
        spread = {f"{column}_std": values for column, values in columns.items() if len(values) > 1}
        rows[name] |= {column: float(np.std(values, ddof=1)) for column, values in spread.items()}
    shown = {column: COLUMNS[column] for column in COLUMNS if any(column in row for row in rows.values())}
    num = sum(split.num_examples for split in splits(data))
    bound = f"-log p(x): given its total, of {data.test.num_examples} test examples, a bound by {config.num_samples}"
    print(f"{bound} samples; codes: of all {num} examples, in five folds\n")
    print(table := markdown_table(rows, shown))
    config.folder.mkdir(parents=True, exist_ok=True)
    (config.folder / "counts.md").write_text(table + "\n")
    write_json(config.folder / "counts.json", {"rows": found, "epochs": config.epochs, "seed": config.seed})


def planes(codes: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the codes of the first model of each kind on a plane, by t-SNE."""
    first: dict[str, np.ndarray] = {}
    for name, rows in codes.items():
        first.setdefault(name.split(", seed")[0], rows)
    maps = {}
    for name, rows in first.items():
        announce(f"{name}: map of {len(rows):,} codes by t-SNE")
        maps[name] = VIEWS["tsne"](rows).points
    return maps


def draw(path: Path, maps: Mapping[str, np.ndarray], values: np.ndarray, names: tuple[str, ...]) -> None:
    """Draw maps of codes, coloured by their values."""
    figure, axes = new_figure(len(maps), width=4 * len(maps) + 1.5, height=4)
    different = np.unique(values)
    for axis, (name, points) in zip(axes, maps.items()):
        for number, value in enumerate(different):
            label = names[int(value)] if names and 0 <= value < len(names) else f"{value:g}"
            axis.plot(*points[values == value].T, ".", markersize=3, color=f"C{number % 10}", label=label)
        axis.set(title=name, xticks=[], yticks=[])
    axes[-1].legend(frameon=False, markerscale=3, fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    save_figure(figure, path)


if __name__ == "__main__":
    run_script(main, CountsConfig)
