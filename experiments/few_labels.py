"""Learn classes from few labels: `python experiments/few_labels.py` compares M1, M2 and M1+M2 with simpler ways.

M1 is a VAE without labels, on whose codes a classifier learns. M2 models x and its class together, and sums out the
classes that are not known. M1+M2 is M2 on M1's codes. Which examples keep their labels decides more than any
seed of the networks, so every method learns from several draws of labels. A second call goes on where the first ended.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, Literal

import numpy as np

from jaxvae import api
from jaxvae.data import Dataset, load
from jaxvae.data.labels import with_few_labels
from jaxvae.data.places import stem
from jaxvae.evaluation import active_units
from jaxvae.judges.classifiers import fit_classifier, probabilities
from jaxvae.options import Compute, Recipe, given
from jaxvae.options.checks import check_at_least, check_seed
from jaxvae.report import write_json
from jaxvae.report.figures import new_figure, save_figure
from jaxvae.report.tables import markdown_table
from jaxvae.runs import load_run
from jaxvae.runs.codes import Codes, encode_split
from jaxvae.runs.command_line import run_script
from jaxvae.runs.compute import set_up
from jaxvae.runs.data import load_data, training_labels
from jaxvae.runs.many import train_all
from jaxvae.runs.progress import announce
from jaxvae.runs.run import Run
from jaxvae.runs.samples import MOST_ROWS
from jaxvae.runs.trained import Trained

RISES = {"M2": 0.8, "M1+M2": 0.25}
"""Share of the steps in which the weight of the unlabelled examples rises to 1: images need most of them."""
BETA = 4
"""First weight of M2's KL divergence, which falls to 1: the class describes what classes differ by before z can."""
SPREAD_ON = 5000
"""Maximum number of codes in label spreading, whose time grows with their square."""
NETWORK_STEPS = 1000
"""Training steps of the network that learns from the labelled images alone."""
SHOWN = 8
"""Test images in the figure of styles."""


@dataclasses.dataclass(frozen=True)
class FewLabelsConfig:
    """Compare ways to learn classes from few labels (Kingma et al. 2014, https://arxiv.org/abs/1406.5298)."""

    dataset: str = "digits"
    """Data set with labels, as in train.py."""
    data_dir: Path | None = None
    """Folder in which tensorflow-datasets keeps its sets; TFDS_DATA_DIR if not given."""
    labels: tuple[int, ...] = (100,)
    """Numbers of labels that are kept, as many of each class."""
    draws: int = 3
    """Number of draws of the labels, whose mean and spread are reported."""
    steps: int = 4000
    """Number of training steps of every model."""
    m1_steps: int | None = None
    """Number of training steps of M1, whose steps are quick; --steps if not given."""
    m1m2_steps: int | None = None
    """Number of training steps of M1+M2, which are quick too; --steps if not given."""
    batch_size: int = 150
    """Examples in a batch of M2, a third of them labelled."""
    binarize: Literal["none", "dynamic"] = "dynamic"
    """Binarization of M2's pixels; with those drawn afresh at each use few labels are not learned by heart."""
    channels: tuple[int, ...] = ()
    """Channels of convolutions in M2's classifier, before its dense layers, such as 32 64; by default it has none."""
    latent_dim: int = 50
    """Number of dimensions of z, in M1 and in M2."""
    upper_latent_dim: int = 8
    """Number of dimensions of M1+M2's second code; with many, one class can describe the codes of another."""
    hidden: tuple[int, ...] = (500,)
    """Widths of the dense hidden layers of M2 and of M1+M2."""
    m1_hidden: tuple[int, ...] = (600, 600)
    """Widths of M1's dense hidden layers; of two layers the codes form clearer classes."""
    seed: int = 0
    """Seed of all networks, and of the first draw of labels."""
    out: Path | None = None
    """Folder for runs, table and figures; runs/few_labels-DATASET if not given."""

    def check(self) -> None:
        """Refuse values that are invalid for every data set."""
        for name in ("draws", "steps", "latent_dim", "upper_latent_dim"):
            check_at_least(1, name, getattr(self, name))
        check_at_least(3, "batch_size", self.batch_size)
        for name in ("m1_steps", "m1m2_steps"):
            if (steps := getattr(self, name)) is not None:
                check_at_least(1, name, steps)
        check_seed("seed", self.seed, self.draws)

    @property
    def folder(self) -> Path:
        """Folder for all output."""
        return self.out or Path("runs") / f"few_labels-{stem(self.dataset)}"


def main(config: FewLabelsConfig) -> int:
    """Train M1 once, every other method for each draw of labels, and write the table and figures."""
    set_up(Compute(num_processes=1))
    data = load(config.dataset, config.data_dir)
    training_labels(data, config.dataset, "to keep a few of")
    draws = [(num, config.seed + number) for num in config.labels for number in range(config.draws)]
    recipes = {"M1": m1(config), **{f"M2, {num} labels, draw {seed}": m2(config, num, seed) for num, seed in draws}}
    if exit_code := train_all(recipes, FewLabelsConfig):
        return exit_code
    first = load_run(config.folder / "m1")
    train, test = codes_of_active_units(first, data)

    errors: dict[str, dict[int, list[float]]] = {}
    for num, seed in draws:
        few = with_few_labels(data.train, num, seed).label
        announce(f"{num} labels, draw {seed}")
        for name, wrong in {
            **of_codes(train.point, few, test.point, data.test.label),
            "classifier of images": of_images(data, few),
            "M2": 1 - load_run(config.folder / f"m2-{num}-{seed}").summary["test_accuracy"],
            "M1+M2": stacked(config, num, seed, few, train, test, data.test.label),
        }.items():
            errors.setdefault(name, {}).setdefault(num, []).append(100 * wrong)
    report(config, errors)
    draw_styles(config, draws[0])
    print(f"table and figures in {config.folder}")
    return 0


def m1(config: FewLabelsConfig) -> Recipe:
    """Return the recipe of M1, which has no labels."""
    sizes = {"steps": config.m1_steps or config.steps, "hidden": config.m1_hidden, "activation": "softplus"}
    return recipe_of(config, "vae", config.folder / "m1", **sizes)


def m2(config: FewLabelsConfig, num: int, seed: int) -> Recipe:
    """Return the recipe of M2 on images; the weight of log q(y|x) of a labelled one is 0.1 N, the paper's alpha."""
    labels: dict[str, Any] = {
        "labelled": num,
        "labelled_seed": seed,
        "binarize": config.binarize,
        "classification_weight": 0.1 * num,
        "beta": f"{BETA}:1@{max(1, round(0.75 * config.steps))}",
    }
    labels |= {"classifier.channels": config.channels} if config.channels else {}
    folder = config.folder / f"m2-{num}-{seed}"
    return recipe_of(config, "few_labels_vae", folder, **of_labels(config, "M2", config.steps), **labels)


def of_labels(config: FewLabelsConfig, way: str, steps: int) -> dict[str, Any]:
    """Return steps and batches of a training with few labels, and how the weight of the unlabelled examples rises."""
    rise = f"0:1@{max(1, round(RISES[way] * steps))}"
    return {
        "steps": steps,
        "batch_size": config.batch_size,
        "labelled_per_batch": config.batch_size // 3,
        "unlabelled_weight": rise,
    }


def recipe_of(config: FewLabelsConfig, preset: str, folder: Path, **options: Any) -> Recipe:
    """Return a recipe with the options that all models share."""
    return given(
        preset=preset,
        dataset=config.dataset,
        data_dir=config.data_dir,
        run_dir=folder,
        decay="cosine",
        seed=config.seed,
        figures=False,
        tensorboard=False,
        **{"hidden": config.hidden, "latent_dim": config.latent_dim, **options},
    )


def codes_of_active_units(run: Run, data: Dataset) -> tuple[Codes, Codes]:
    """Return M1's codes of both splits, without the units that are noise whatever the image: they drown few labels."""
    train, test = encode_split(run, data.train), encode_split(run, data.test)
    active = active_units(train.point)
    active |= not active.any()  # of a collapsed model, all
    kept = [Codes(*(np.asarray(values)[:, active] for values in codes)) for codes in (train, test)]
    return kept[0], kept[1]


def of_codes(train: np.ndarray, few: Any, test: np.ndarray, labels: Any) -> dict[str, float]:
    """Return the shares of wrong classes of classifiers that learn on M1's codes."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.semi_supervised import LabelSpreading
    from sklearn.svm import SVC

    known = few >= 0
    unknown = np.flatnonzero(~known)[: SPREAD_ON - known.sum()]
    some = np.concatenate([np.flatnonzero(known), unknown])
    ways: dict[str, tuple[Any, np.ndarray]] = {
        "M1, logistic regression": (LogisticRegression(max_iter=1000), np.flatnonzero(known)),
        "M1, support vectors": (SVC(C=10.0), np.flatnonzero(known)),
        "M1, label spreading": (LabelSpreading("knn", n_neighbors=7, max_iter=100), some),
    }
    found = {}
    for name, (way, ids) in ways.items():
        found[name] = float(np.mean(way.fit(train[ids], few[ids]).predict(test) != labels))
    return found


def of_images(data: Dataset, few: Any) -> float:
    """Return the share of wrong classes of a convolutional network that learns from the labelled images alone."""
    known = np.flatnonzero(few >= 0)
    train = data.train.take(known)
    network, params = fit_classifier(train.first(len(known)), few[known], steps=NETWORK_STEPS)
    found = probabilities(network, params, data.test.first(data.test.num_examples)).argmax(1)
    return float(np.mean(found != data.test.label))


def stacked(config: FewLabelsConfig, num: int, seed: int, few: Any, train: Codes, test: Codes, labels: Any) -> float:
    """Return the share of wrong classes of M2 on M1's codes."""
    codes = {"train": (np.float32(train.point), few), "test": (np.float32(test.point), labels)}
    folder = config.folder / f"m1m2-{num}-{seed}"
    options = {"scale": "none", "latent_dim": config.upper_latent_dim, "select": "last", "quiet": True}
    labels = of_labels(config, "M1+M2", config.m1m2_steps or config.steps)
    recipe = recipe_of(config, "few_labels_vae", folder, **labels, **options)
    data = dataclasses.replace(recipe.data, dataset="digits", data_dir=None)  # the codes take its place
    run = api.train(dataclasses.replace(recipe, data=data), codes)
    return 1 - run.summary["test_accuracy"]


def report(config: FewLabelsConfig, errors: dict[str, dict[int, list[float]]]) -> None:
    """Print and write mean and deviation of the errors over draws, and draw them."""
    rows: dict[str, dict[str, float | None]] = {}
    for name, of_num in errors.items():
        rows[name] = {}
        for num, values in of_num.items():
            rows[name] |= {str(num): float(np.mean(values))}
            rows[name] |= {f"{num}_std": float(np.std(values, ddof=1))} if len(values) > 1 else {}
    columns = {str(num): (f"{num} labels", ".2f") for num in config.labels}
    print(f"wrong test classes in %, over {config.draws} draws of the labels\n")
    print(table := markdown_table(rows, columns))
    (config.folder / "few_labels.md").write_text(table + "\n")
    write_json(config.folder / "few_labels.json", {"errors": errors, "steps": config.steps, "seed": config.seed})
    draw_errors(config.folder / "few_labels.png", errors)


def draw_errors(path: Path, errors: dict[str, dict[int, list[float]]]) -> None:
    """Draw every draw's error as a point, one column for each method."""
    figure, (axis,) = new_figure(1, width=8, height=4)
    nums = [*next(iter(errors.values()))]
    for position, num in enumerate(nums):
        for number, of_num in enumerate(errors.values()):
            place = number + 0.8 * (position + 0.5) / len(nums) - 0.4
            label = f"{num} labels" if number == 0 else None
            axis.plot([place] * len(of_num[num]), of_num[num], "o", color=f"C{position}", alpha=0.6, label=label)
    axis.set_xticks(range(len(errors)), errors, rotation=20, ha="right", fontsize=8)
    axis.set(ylabel="wrong test classes in %", ylim=(0, None))
    axis.legend(frameon=False)
    save_figure(figure, path)


def draw_styles(config: FewLabelsConfig, draw: tuple[int, int]) -> None:
    """Draw the analogies of M2: in each row the style of a test image, in each column a class."""
    num, seed = draw
    run = load_run(config.folder / f"m2-{num}-{seed}")
    trained = Trained(run, load_data(run, config.data_dir), config.folder)
    title = f"M2 from {num} labels: in each row the style of a test image, in each column a class"
    ids = range(min(SHOWN, trained.data.test.num_examples))
    trained.save_styles(config.folder / "styles.png", ids, run.facts["condition"]["classes"], title, most=MOST_ROWS)


if __name__ == "__main__":
    run_script(main, FewLabelsConfig)
