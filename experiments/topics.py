"""Topics of documents: `python experiments/topics.py --dataset words.npz` trains ProdLDA and NVDM, and LDA beside them.

Data are counts of words, such as `bag_of_words.py` makes of a text. Topics are judged by their words: coherence (NPMI)
and diversity, and by the perplexity of held-out documents. --run-dir takes trained runs instead. A second call goes on
where the first ended.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

from jaxvae.data import Dataset, load
from jaxvae.data.places import stem
from jaxvae.distributions.sampling import point
from jaxvae.errors import InputError
from jaxvae.evaluation import in_blocks
from jaxvae.judges.topics import coherence, diversity, halves, perplexity, top_words
from jaxvae.nets import Topics
from jaxvae.options import Compute, Recipe, given
from jaxvae.options.checks import check, check_at_least, check_seed
from jaxvae.report import write_json
from jaxvae.report.figures import new_figure, save_figure
from jaxvae.report.tables import markdown_table
from jaxvae.runs import load_run
from jaxvae.runs.command_line import run_script
from jaxvae.runs.compute import set_up
from jaxvae.runs.data import check_unconditional, load_data
from jaxvae.runs.directory import Run
from jaxvae.runs.many import train_all
from jaxvae.runs.progress import announce
from jaxvae.types import Array

COLUMNS = {
    "coherence": ("NPMI", ".3f"),
    "diversity": ("diversity", ".2f"),
    "perplexity": ("perplexity by completion", ".0f"),
    "nats": ("-ELBO, nats a document", ".1f"),
}
PRESETS = ("prod_lda", "nvdm")
LDA = "LDA (scikit-learn)"
PASSES = 30
"""Passes of scikit-learn's variational inference over the documents."""
SHOWN = 12
"""Number of topics in the picture, the most coherent ones."""


@dataclasses.dataclass(frozen=True)
class TopicsConfig:
    """Learn topics of documents by ProdLDA, NVDM and latent Dirichlet allocation, and judge their words."""

    dataset: str | None = None
    """Counts of words to train on, an .npz with counts and columns, as bag_of_words.py writes it."""
    run_dir: tuple[Path, ...] = ()
    """Runs of one set, of --preset prod_lda or nvdm, to judge in place of --dataset."""
    num_topics: int = 20
    """Number of topics of the models that are trained here."""
    num_words: int = 10
    """Number of words of each topic that are judged."""
    epochs: float = 200.0
    """Most passes over the training set; training stops where validation data no longer improve."""
    learning_rate: float = 2e-3
    """Learning rate of Adam."""
    seed: int = 0
    """Seed of all randomness."""
    data_dir: Path | None = None
    """Folder in which tensorflow-datasets keeps its sets; TFDS_DATA_DIR if not given."""
    out: Path | None = None
    """Folder for runs, table, words and figure; runs/topics-DATASET if not given."""

    def check(self) -> None:
        """Refuse values that are invalid for every data set."""
        for name in ("num_topics", "num_words"):
            check_at_least(2, name, getattr(self, name))
        check(0 < self.epochs < math.inf, "epochs", self.epochs, "a positive number")
        check(0 < self.learning_rate < math.inf, "learning_rate", self.learning_rate, "a positive number")
        check_seed("seed", self.seed)
        if (self.dataset is None) == (not self.run_dir):
            raise InputError("dataset: give a set to train on, or runs to judge: --dataset or --run-dir")

    @property
    def folder(self) -> Path:
        """Folder for all output."""
        return self.out or Path("runs") / f"topics-{stem(self.dataset or self.run_dir[0].name)}"


class Model(NamedTuple):
    """Topics, and what they say of a document."""

    shares: np.ndarray
    """`[K, V]` probabilities of words in a document of one topic alone, for NVDM of z at 1 in its direction."""
    log_shares: Callable[[np.ndarray], np.ndarray]
    """Function from documents `[N, V]` to the logarithms of their words' probabilities `[N, V]`."""
    nats: float | None = None
    """Minus the ELBO of a test document."""


def main(config: TopicsConfig) -> int:
    """Train what is not trained yet, judge all topics, and write table, words and figure."""
    set_up(Compute(num_processes=1))
    if config.dataset is not None:
        checked(load(config.dataset, config.data_dir))
    recipes = {} if config.dataset is None else {name: recipe_of(config, name) for name in PRESETS}
    if exit_code := train_all(recipes, TopicsConfig):
        return exit_code
    folders = {name: recipe.run_dir for name, recipe in recipes.items()} or {str(path): path for path in config.run_dir}
    runs = {name: load_run(folder) for name, folder in folders.items()}
    first = next(iter(runs.values()))
    data = checked(load_data(first, config.data_dir))
    models = {name: model_of(run) for name, run in runs.items()}
    models[LDA] = lda(data, first.recipe.latent_dim, config.seed)
    names, train = np.array(data.facts["columns"]), data.train.x[:]
    seen, hidden = halves(data.test.x[:], seed=config.seed)
    rows: dict[str, dict[str, float | None]] = {}
    texts: dict[str, list[str]] = {}
    for name, model in models.items():
        words = top_words(model.shares, config.num_words)
        of_each, found = coherence(words, train), perplexity(model.log_shares(seen), hidden)
        rows[name] = {"coherence": float(of_each.mean()), "diversity": diversity(words), "perplexity": found}
        rows[name]["nats"] = model.nats
        order = np.argsort(-of_each)
        texts[name] = [f"{of_each[topic]:6.3f}  {' '.join(names[words[topic]])}" for topic in order]
    report(config, rows, texts, data)
    draw(config.folder / "topics.png", models, names, train, config.num_words)
    print(f"table, words and figure in {config.folder}")
    return 0


def checked(data: Dataset) -> Dataset:
    """Refuse a set that holds no counts of named words."""
    if data.space.kind != "counts" or "columns" not in data.facts:
        remedy = "give an .npz with counts and columns, as bag_of_words.py writes it"
        raise InputError(f"dataset: {data.name} holds no counts of words; {remedy}")
    return data


def recipe_of(config: TopicsConfig, preset: str) -> Recipe:
    """Return the options of a run that is trained here."""
    return given(
        preset=preset,
        dataset=config.dataset,
        data_dir=config.data_dir,
        run_dir=config.folder / f"{preset}-{config.num_topics}topics-{config.epochs:g}epochs-seed{config.seed}",
        latent_dim=config.num_topics,
        epochs=config.epochs,
        learning_rate=config.learning_rate,
        seed=config.seed,
        figures=False,
        tensorboard=False,
        num_processes=1,
    )


def model_of(run: Run) -> Model:
    """Return the topics of a run, and what it says of documents.

    Raises:
        InputError: it is no topic model, or a conditional one.
    """
    if not isinstance(run.recipe.networks, Topics):
        raise InputError(f"run-dir: {run.folder} has no topics; give a run of --preset prod_lda or nvdm")
    check_unconditional(run)

    def log_shares(x: Array) -> Array:
        decoded: Any = run.model.decode(run.params, point(run.model.encode(run.params, x)))
        return jax.nn.log_softmax(decoded.shares.logits)

    layer = run.params["decoder"]["output"]
    shares = np.asarray(jax.nn.softmax(layer["kernel"] + layer["bias"]))
    return Model(shares, lambda counts: in_blocks(log_shares, counts), -run.summary["test_elbo"])


def lda(data: Dataset, num_topics: int, seed: int) -> Model:
    """Fit latent Dirichlet allocation to the training documents by scikit-learn."""
    from sklearn.decomposition import LatentDirichletAllocation

    announce(f"{LDA}: {PASSES} passes over {data.train.num_examples:,} documents")
    fitted = LatentDirichletAllocation(num_topics, max_iter=PASSES, random_state=seed).fit(data.train.x[:])
    shares = fitted.components_ / fitted.components_.sum(axis=1, keepdims=True)
    return Model(shares, lambda counts: np.log(fitted.transform(counts) @ shares))


def report(
    config: TopicsConfig, rows: dict[str, dict[str, float | None]], texts: dict[str, list[str]], data: Dataset
) -> None:
    """Print and write the table, and the words of all topics, the most coherent first."""
    for name, lines in texts.items():
        print(f"--- {name}: NPMI and words of each topic ---", *lines, "", sep="\n")
    judged = f"{config.num_words} words of each topic in {data.train.num_examples:,} training documents"
    print(
        f"NPMI and diversity: {judged}, window: a document; perplexity: half of {data.test.num_examples} test documents"
    )
    print(f"given the other half\n\n{(table := markdown_table(rows, COLUMNS))}")
    config.folder.mkdir(parents=True, exist_ok=True)
    (config.folder / "topics.md").write_text(table + "\n")
    (config.folder / "topics.txt").write_text("\n".join(f"{name}\t{line}" for name in texts for line in texts[name]))
    write_json(config.folder / "topics.json", {"rows": rows, "num_words": config.num_words, "seed": config.seed})


def draw(path: Path, models: dict[str, Model], names: np.ndarray, train: np.ndarray, num_words: int) -> None:
    """Draw the words of the most coherent topics, a line of panels for each model."""
    figure, axes = new_figure(len(models), width=5 * len(models), height=0.28 * SHOWN + 0.8)
    for axis, (name, model) in zip(axes, models.items()):
        words = top_words(model.shares, num_words)
        of_each = coherence(words, train)
        order = np.argsort(-of_each)[:SHOWN]
        axis.barh(range(len(order)), of_each[order], color="C0", alpha=0.25)
        for place, topic in enumerate(order):
            axis.text(0, place, " " + " ".join(names[words[topic]]), va="center", fontsize=6.5)
        axis.set(title=name, xlabel="NPMI", xlim=(0, 1), yticks=[], ylim=(len(order) - 0.5, -0.5))
    save_figure(figure, path)


if __name__ == "__main__":
    run_script(main, TopicsConfig)
