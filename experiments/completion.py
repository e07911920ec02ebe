"""Complete images of which a quadrant is seen: `python experiments/completion.py --dataset mnist`.

A conditional VAE gets what is seen and makes several completions; a network without latent variables makes one, the
mean of all that fit. Both have the same layers, and a third way is the mean of the nearest training images. All are
scored on the hidden pixels alone. A second call goes on where the first ended.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, cast

import jax.numpy as jnp
import numpy as np

from jaxvae import rng
from jaxvae.data import Dataset, Split, load
from jaxvae.data.places import stem
from jaxvae.data.spaces import INK, Quadrants
from jaxvae.distributions import Bernoulli
from jaxvae.errors import InputError
from jaxvae.evaluation import in_blocks, log_marginal_likelihood, standard_error
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
from jaxvae.runs.per_example import drawn
from jaxvae.runs.progress import announce, named_bar
from jaxvae.types import Array, Distribution

AT_ONCE = 500
"""Number of test images whose nearest neighbours are looked up together."""
ROWS, SAMPLES = 10, 6
"""Test images in the figure, and completions of each by the conditional VAE."""
DOUBT = 0.5
"""Number of black and of white images that count as neighbours too, so that no pixel is certain."""
COLUMNS = {"nll": ("-log p of the hidden pixels, nats", ".2f")}


@dataclasses.dataclass(frozen=True)
class CompletionConfig:
    """Complete images from their quadrants (Sohn et al. 2015, https://papers.nips.cc/paper/5775, section 5.1)."""

    dataset: str = "digits"
    """Data set of ink, such as digits, mnist or fashion_mnist."""
    data_dir: Path | None = None
    """Folder in which tensorflow-datasets keeps its sets; TFDS_DATA_DIR if not given."""
    seen: tuple[str, ...] = ("bottom-left",)
    """Quadrants that are seen: of top-left, top-right, bottom-left and bottom-right."""
    steps: int = 4000
    """Number of training steps of each model."""
    hidden: tuple[int, ...] = (500,)
    """Widths of the dense hidden layers."""
    latent_dim: int = 50
    """Number of dimensions of z."""
    neighbours: int = 20
    """Number of nearest training images whose mean is a completion."""
    num_samples: int = 100
    """Number of samples of z per image for the bound on log p."""
    num_images: int = 1000
    """Number of test images that are scored, the first of the split."""
    seed: int = 0
    """Seed of all randomness."""
    out: Path | None = None
    """Folder for runs, table and figure; runs/completion-DATASET if not given."""

    def check(self) -> None:
        """Refuse values that are invalid for every data set."""
        for name in ("steps", "latent_dim", "neighbours", "num_samples", "num_images"):
            check_at_least(1, name, getattr(self, name))
        check_seed("seed", self.seed)

    @property
    def folder(self) -> Path:
        """Folder for all output."""
        return self.out or Path("runs") / f"completion-{stem(self.dataset)}"


def main(config: CompletionConfig) -> int:
    """Train both models, score all ways, and write the table and the figure."""
    set_up(Compute(num_processes=1))
    data = load(config.dataset, config.data_dir, stream=True)
    if data.space.kind not in INK:
        raise InputError(f"dataset: completions are scored as ink, {config.dataset} is {data.space.kind}; name another")
    if exit_code := train_all({"conditional VAE": vae(config), "network": network(config)}, CompletionConfig):
        return exit_code
    ours, plain = load_run(config.folder / "vae"), load_run(config.folder / "network")
    data = load_data(ours, config.data_dir)
    test = data.test.head(config.num_images)
    x, seen = drawn(test)
    quadrants: Any = test.condition_space

    announce(f"the {config.neighbours} nearest of {data.train.num_examples:,} training images")
    nearest = neighbours(data.train, seen, quadrants, config.neighbours)
    options: dict[str, Any] = {"model": ours.model, "num_samples": config.num_samples, "condition": seen}
    options["progress"] = named_bar("log p")
    scores = {
        "nearest neighbours": score_of_mean(nearest, x, quadrants, config.neighbours),
        "network without z": in_blocks(lambda x, seen: at_mean(plain, seen).log_prob(x), x, seen),
        "conditional VAE": log_marginal_likelihood(ours.params, rng.root(config.seed), x, **options).log_px,
    }
    rows: dict[str, dict[str, float | None]] = {
        name: {"nll": -float(each.mean()), "nll_std": standard_error(each)} for name, each in scores.items()
    }
    print(f"{config.dataset}, {' and '.join(config.seen)} seen, mean and standard error over {len(x):,} test images\n")
    print(table := markdown_table(rows, COLUMNS))
    (config.folder / "completion.md").write_text(table + "\n")
    write_json(config.folder / "completion.json", {"rows": rows, "steps": config.steps, "seed": config.seed})
    draw(config, ours, plain, data)
    print(f"table and figure in {config.folder}")
    return 0


def vae(config: CompletionConfig) -> Recipe:
    """Return the recipe of the conditional VAE, with a learned prior p(z|c)."""
    return recipe_of(config, "vae")


def network(config: CompletionConfig) -> Recipe:
    """Return the recipe of the same networks used as one: z comes from the prior alone, so that it only disturbs."""
    return recipe_of(config, "network", objective="hybrid", prediction_weight=1.0)


def recipe_of(config: CompletionConfig, name: str, **options: Any) -> Recipe:
    """Return a recipe with the options that both models share."""
    return given(
        preset="vae",
        dataset=config.dataset,
        data_dir=config.data_dir,
        run_dir=config.folder / name,
        condition=",".join(config.seen),
        prior="conditional",
        steps=config.steps,
        hidden=config.hidden,
        latent_dim=config.latent_dim,
        seed=config.seed,
        figures=False,
        tensorboard=False,
        **{"prior.hidden": config.hidden},
        **options,
    )


def neighbours(train: Split, seen: np.ndarray, quadrants: Quadrants, num: int) -> np.ndarray:
    """Return `[N, H, W, C]` means of the training images whose seen quadrants are nearest to those of N images."""
    from sklearn.neighbors import NearestNeighbors

    images = train.first(train.num_examples)
    mask = np.broadcast_to(quadrants.mask, quadrants.shape)
    search = NearestNeighbors(n_neighbors=num, algorithm="brute").fit(images[:, mask])
    parts = [seen[first : first + AT_ONCE] for first in range(0, len(seen), AT_ONCE)]
    return np.concatenate([images[search.kneighbors(part[:, mask], return_distance=False)].mean(1) for part in parts])


def score_of_mean(mean: np.ndarray, x: np.ndarray, quadrants: Quadrants, num: int) -> np.ndarray:
    """Return `[N]` log p of the hidden pixels of N images, by the share of ink in `num` neighbours of each."""
    hidden = ~np.broadcast_to(quadrants.mask, quadrants.shape)
    ink = (num * mean[:, hidden] + DOUBT) / (num + 2 * DOUBT)
    logits = jnp.log(ink) - jnp.log1p(-ink)
    return np.asarray(Bernoulli(logits).log_prob(jnp.asarray(x[:, hidden])), np.float64)


def at_mean(run: Run, seen: Array) -> Distribution:
    """Return p(x|z, c) at the mean of p(z|c)."""
    return run.model.decode(run.params, run.model.prior(run.params, seen).mean, seen)


def draw(config: CompletionConfig, ours: Run, plain: Run, data: Dataset) -> None:
    """Draw what is seen of test images, their completions by all ways, and the true images."""
    test, quadrants = data.test.head(ROWS), cast(Quadrants, data.test.condition_space)
    images, seen = test.first(ROWS), cast(np.ndarray, test.conditions())
    nearest = np.where(quadrants.mask, images, neighbours(data.train, seen, quadrants, config.neighbours))
    of_network = in_blocks(lambda seen: at_mean(plain, seen).mean, seen)
    keys = rng.sample_keys(rng.stream(rng.root(config.seed), "completions"), len(images) * SAMPLES)
    given_each = seen.repeat(SAMPLES, axis=0)
    samples = in_blocks(lambda *each: ours.model.sample_each(ours.params, *each), keys, given_each)
    samples = samples.reshape(len(images), SAMPLES, *images.shape[1:])
    stages = [np.where(quadrants.mask, images, 0.5), nearest, of_network, *samples.swapaxes(0, 1), images]
    columns = ["seen", "nearest", "network", *(f"VAE {number}" for number in range(1, SAMPLES + 1)), "true"]
    strips = np.stack(stages, axis=1)
    options: dict[str, Any] = {"columns": len(stages), "column_labels": columns}
    title = f"images completed from their {' and '.join(config.seen)}"
    save_grid(config.folder / "completion.png", strips.reshape(-1, *images.shape[1:]), title=title, **options)


if __name__ == "__main__":
    run_script(main, CompletionConfig)
