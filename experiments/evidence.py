"""Compare the evidence by quadrature with bounds: `python experiments/evidence.py --run-dir DIR`, 1 or 2 latents."""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from figures.evidence import Posteriors, save_gaps, save_posteriors
from jaxvae import rng
from jaxvae.errors import InputError
from jaxvae.evaluation import Evidence, log_evidence, log_joint
from jaxvae.likelihoods import GreyCrossEntropyPixels
from jaxvae.model import VAE
from jaxvae.objectives import elbo_terms, log_importance_weights
from jaxvae.options import Compute
from jaxvae.options.checks import check_at_least, check_folder
from jaxvae.options.groups import Select
from jaxvae.report import write_json
from jaxvae.runs import Run, load_run
from jaxvae.runs.command_line import run_script
from jaxvae.runs.compute import set_up
from jaxvae.runs.data import check_one_layer, check_unconditional, load_data
from jaxvae.runs.evaluation import evaluation_batches
from jaxvae.runs.progress import announce, say
from jaxvae.types import Array, Batch, Key, Params

GRID = 200
"""Number of points along each axis of a plot of a posterior."""


@dataclasses.dataclass(frozen=True)
class EvidenceConfig:
    """Compute log p(x) of test images by quadrature, and the gap of each bound, image by image."""

    run_dir: Path
    """Run directory of train.py, of a model with 1 or 2 latent dimensions."""
    select: Select | None = None
    """Checkpoint to use: best on validation data, or last; the one that the run reports if not given."""
    best: bool = False
    """Use the checkpoint that is best on validation data, as --select best does."""
    num: int = 100
    """Number of test images."""
    num_samples: tuple[int, ...] = (1, 10, 100, 1000)
    """Numbers of samples of the importance-weighted bounds."""
    repeats: int = 10
    """Number of estimates of the bound with most samples; bounds with fewer have more, from the same samples."""
    show: int = 5
    """Number of images whose posteriors are plotted: those with the largest gaps, and that with the median gap."""
    data_dir: Path | None = None
    """Folder in which tensorflow-datasets keeps its sets, if it has changed since training."""
    dataset: str | None = None
    """Path of the run's data set, if it has changed since training."""
    out: Path | None = None
    """Folder for table and figures; DIR/evidence if not given."""

    def check(self) -> None:
        """Refuse values that are invalid for every run."""
        for name in ("num", "show"):
            check_at_least(1, name, getattr(self, name))
        check_folder("out", self.out)
        if self.repeats < 2:
            raise InputError(f"repeats: a Monte-Carlo error needs at least 2, got {self.repeats}")
        if not self.num_samples or min(self.num_samples) < 1:
            raise InputError(f"num-samples: give numbers from 1 on, got {self.num_samples}")


class Bound(NamedTuple):
    """Bound on log p(x) for each image, in nats."""

    name: str
    mean: np.ndarray
    """`[N]` mean over repeated estimates."""
    standard_error: np.ndarray
    """`[N]` standard error of that mean."""


def main(config: EvidenceConfig) -> int:
    """Load the run, compute evidence and bounds, print and write the table, draw."""
    set_up(Compute(num_processes=1))
    run = load_run(config.run_dir, select="best" if config.best else config.select)
    check_one_layer(run)
    check_unconditional(run)
    check_run(run)
    data = load_data(run, config.data_dir, config.dataset)
    batch = next(evaluation_batches(data.test, batch_size=config.num))
    folder = config.out or config.run_dir / "evidence"

    announce(f"log p(x) of {len(batch.x)} images by quadrature")
    evidence = log_evidence(run.params, batch.x, model=run.model)
    announce(f"bounds of up to {max(config.num_samples)} samples")
    bounds = estimate_bounds(run, batch, config.num_samples, config.repeats)
    report(folder, evidence, bounds)

    gaps = np.stack([evidence.log_px - bound.mean for bound in bounds[1:]])
    save_gaps(folder / "gaps.png", config.num_samples, gaps)
    elbo_gap = evidence.log_px - bounds[0].mean
    panels = [
        posteriors(run, batch.x[image : image + 1], evidence.log_px[image], f"gap {elbo_gap[image]:.2f} nats")
        for image in images_to_show(elbo_gap, config.show)
    ]
    save_posteriors(folder / "posteriors.png", panels)
    say(f"table and pictures in {folder}")
    return 0


def check_run(run: Run) -> None:
    """Refuse a run whose evidence cannot be computed or bounded."""
    if run.recipe.latent_dim not in (1, 2):
        raise InputError(
            f"run-dir: quadrature needs 1 or 2 latent dimensions, this run has {run.recipe.latent_dim}; "
            "train one with --latent-dim 2"
        )
    if not run.reports_elbo:
        raise InputError("run-dir: this run's posterior is a point, which bounds no evidence; use --preset vae")
    if isinstance(run.recipe.likelihood, GreyCrossEntropyPixels):
        raise InputError("run-dir: cross-entropy on grey values is no likelihood, so there is no evidence")


def estimate_bounds(run: Run, batch: Batch, num_samples: tuple[int, ...], repeats: int) -> list[Bound]:
    """Estimate the ELBO and the importance-weighted bounds, all from the samples of the largest bound."""
    draws = repeats * max(num_samples)
    keys = rng.example_keys(rng.stream(rng.root(run.recipe.train.seed), "evidence"), batch.ids)
    elbos = _elbos(run.params, keys, batch.x, model=run.model, num_samples=100 * repeats)
    log_weights = _log_weights(run.params, keys, batch.x, model=run.model, num_samples=draws)
    return [_bound("ELBO", elbos, 1), *(_bound(f"K = {number}", log_weights, number) for number in num_samples)]


@functools.partial(jax.jit, static_argnames=("model", "num_samples"))
def _elbos(params: Params, keys: Key, x: Array, *, model: VAE, num_samples: int) -> Array:
    """Return `[K, N]` estimates of the ELBO from one sample each."""
    draws = rng.sample_keys(keys, num_samples)
    return jax.lax.map(lambda key: elbo_terms(params, key, x, model=model).elbo, draws, batch_size=50)


_log_weights = jax.jit(log_importance_weights, static_argnames=("model", "num_samples"))


def _bound(name: str, log_weights: Array, num_samples: int) -> Bound:
    """Average log-weights `[K, N]` in groups of `num_samples`, each of which gives one estimate of the bound."""
    repeats = len(log_weights) // num_samples
    groups = np.asarray(log_weights, np.float64)[: repeats * num_samples].reshape(repeats, num_samples, -1)
    values = np.logaddexp.reduce(groups, axis=1) - np.log(num_samples)
    return Bound(name, values.mean(axis=0), values.std(axis=0, ddof=1) / repeats**0.5)


def report(folder: Path, evidence: Evidence, bounds: list[Bound]) -> None:
    """Print the table and write evidence.json."""
    rows = [table_row(evidence, bound) for bound in bounds]
    values = {
        "num_examples": len(evidence.log_px),
        "log_px": float(evidence.log_px.mean()),
        "quadrature_error": float(evidence.error.max()),
        "bounds": rows,
        "log_px_per_image": evidence.log_px.tolist(),
        "elbo_per_image": bounds[0].mean.tolist(),
    }
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "evidence.json", values)
    print(f"log p(x) {values['log_px']:.3f} nats, to within {values['quadrature_error']:.1e} for every image")
    print(f"{'bound':10} {'mean':>10} {'gap':>8} {'its error':>10} {'largest gap':>12} {'share above log p(x)':>21}")
    for row in rows:
        print(
            f"{row['bound']:10} {row['mean']:10.3f} {row['gap']:8.3f} {row['gap_standard_error']:10.4f} "
            f"{row['largest_gap']:12.3f} {row['share_above']:21.3f}"
        )


def table_row(evidence: Evidence, bound: Bound) -> dict[str, Any]:
    """Return the statistics of one bound over all images."""
    gap = evidence.log_px - bound.mean
    return {
        "bound": bound.name,
        "mean": float(bound.mean.mean()),
        "gap": float(gap.mean()),
        "gap_standard_error": float(np.linalg.norm(bound.standard_error) / len(gap)),
        "largest_gap": float(gap.max()),
        # Four standard errors: exceeded by chance in one of several hundred images.
        "share_above": float((-gap > 4 * bound.standard_error + evidence.error).mean()),
    }


def images_to_show(gaps: np.ndarray, num: int) -> list[int]:
    """Return the images with the largest gaps, in descending order, and last the one with the median gap."""
    order = np.argsort(-gaps)
    return [*order[: num - 1].tolist(), int(order[len(order) // 2])]


def posteriors(run: Run, x: Array, log_px: float, title: str) -> Posteriors:
    """Compute the posterior p(z|x) = p(x, z) / p(x) of one example `[1, ...]`, and q(z|x), where either has mass."""
    log_densities = functools.partial(_log_densities, run.params, x, model=run.model)
    dim = run.recipe.latent_dim
    coarse = lattice([np.linspace(-6, 6, GRID)] * dim)
    inside = np.asarray(coarse)[np.logical_or(*map(_near_the_top, log_densities(coarse)))]
    centre, width = (inside.max(0) + inside.min(0)) / 2, np.ptp(inside, axis=0).max() + 0.2
    axes = [np.linspace(middle - width / 2, middle + width / 2, GRID) for middle in centre]
    joint, approximate = (np.reshape(values, (GRID,) * dim) for values in log_densities(lattice(axes)))
    return Posteriors(title, np.asarray(x[0]), axes, np.exp(joint - log_px), np.exp(approximate))


@functools.partial(jax.jit, static_argnames="model")
def _log_densities(params: Params, x: Array, z: Array, *, model: VAE) -> tuple[Array, Array]:
    """Return `[P]` log p(x, z) and log q(z|x)."""
    return log_joint(params, x, z, model=model)[0], model.encode(params, x).log_prob(z)


def lattice(axes: list[np.ndarray]) -> Array:
    """Return `[G^D, D]` points, z0 along the rows of a picture."""
    return jnp.asarray(np.stack([values.ravel() for values in np.meshgrid(*axes)], axis=-1), jnp.float32)


def _near_the_top(log_density: Array) -> np.ndarray:
    """Return a mask of the points within four standard deviations, for a normal density."""
    return np.asarray(log_density > log_density.max() - 8)


if __name__ == "__main__":
    run_script(main, EvidenceConfig)
