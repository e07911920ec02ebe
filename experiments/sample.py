"""Look into a trained model: `python experiments/sample.py --run-dir DIR` writes three pictures."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from jaxvae import rng
from jaxvae.data import load
from jaxvae.evaluation import in_blocks
from jaxvae.latent import prior_quantiles, traversal
from jaxvae.report import figures
from jaxvae.runs import Run, load_run
from jaxvae.runs.command_line import run_script
from jaxvae.runs.compute import Compute, set_up
from jaxvae.types import Array, InputError


@dataclasses.dataclass(frozen=True)
class SampleConfig:
    """Write pictures of what a trained model invents, reconstructs, and varies."""

    run_dir: Path
    """A folder that train.py wrote."""
    best: bool = False
    """Use the checkpoint with the best ELBO, on validation images where there are any, and not the newest."""
    num: int = 64
    """How many samples, and how many test images to reconstruct."""
    seed: int = 0
    """Other seed, other samples."""
    data_dir: Path | None = None
    """Where tensorflow-datasets keeps its sets, if not where the run found them."""
    out: Path | None = None
    """Folder for the pictures; DIR/samples if not given."""

    def check(self) -> None:
        """Refuse what no run could make right."""
        if self.num < 1:
            raise InputError(f"num: must be at least 1, got {self.num}")


def main(config: SampleConfig) -> int:
    """Load the run and write three pictures."""
    set_up(Compute(num_processes=1))
    run = load_run(config.run_dir, best=config.best)
    test = load(run.config.dataset, config.data_dir or run.config.data_dir).test
    folder = config.out or config.run_dir / "samples"

    keys = rng.sample_keys(rng.stream(rng.root(config.seed), "sample"), config.num)
    samples = in_blocks(lambda keys: run.model.sample_each(run.params, keys), keys)
    columns = min(config.num, 16)
    figures.save_grid(folder / "samples.png", samples, columns=columns, title="decoded samples of the prior")

    originals = test.first(config.num)
    reconstructions = in_blocks(lambda x: run.model.reconstruct(run.params, x), originals)
    figures.save_reconstructions(folder / "reconstructions.png", originals, reconstructions)

    values = 1.5 * prior_quantiles(11)
    images = traverse_all(run, jnp.asarray(originals[:1]), values)
    figures.save_traversals(folder / "traversal.png", images, columns=len(values), values=values.tolist())
    print(f"pictures in {folder}")
    return 0


def traverse_all(run: Run, x: Array, values: Array) -> np.ndarray:
    """Decoded traversals of every latent dimension, from the code of one example `[1, ...]`."""
    z = run.model.encode(run.params, x).mean[0]
    codes = jax.vmap(lambda dimension: traversal(z, dimension, values))(jnp.arange(len(z)))
    return in_blocks(lambda z: run.model.decode(run.params, z).mean, codes.reshape(-1, len(z)))


if __name__ == "__main__":
    run_script(main, SampleConfig)
