"""Plot rate against distortion: `python experiments/rate_distortion.py` trains one model for each beta.

The rate is the KL, the nats of the code; the distortion is -log p(x|z), the remaining nats. Their sum is minus the
ELBO, which is equal for all models on a line of slope -1. A second call reuses the trained runs.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from jaxvae.data.places import stem
from jaxvae.errors import InputError
from jaxvae.options import Compute, Recipe, given
from jaxvae.options.checks import check_at_least
from jaxvae.report import write_json
from jaxvae.report.figures import new_figure, save_figure
from jaxvae.report.tables import markdown_table
from jaxvae.runs.command_line import run_script
from jaxvae.runs.compute import set_up
from jaxvae.runs.many import train_all

COLUMNS = {
    "kl": ("rate: KL", ".2f"),
    "distortion": ("distortion: -log p(x given z)", ".2f"),
    "elbo": ("ELBO", ".2f"),
    "active_units": ("active units", "d"),
}


@dataclasses.dataclass(frozen=True)
class RateDistortionConfig:
    """Train a VAE for each beta and draw the curve of Alemi et al. 2018, https://arxiv.org/abs/1711.00464."""

    dataset: str = "digits"
    """Data set, as in train.py."""
    data_dir: Path | None = None
    """Folder in which tensorflow-datasets keeps its sets; TFDS_DATA_DIR if not given."""
    betas: tuple[float, ...] = (0.1, 0.2, 0.5, 1.0, 2.0, 4.0)
    """Weights of the KL."""
    seed: int = 0
    """Seed of all randomness."""
    steps: int = 2000
    """Number of training steps of each run."""
    epochs: float | None = None
    """Passes over the training set, instead of --steps."""
    latent_dim: int = 20
    """Number of dimensions of z."""
    out: Path | None = None
    """Folder for runs, figure and table; runs/rate_distortion-DATASET if not given."""

    def check(self) -> None:
        """Refuse values that are invalid for every data set."""
        if not self.betas or len(set(self.betas)) < len(self.betas):
            raise InputError(f"betas: must be one or more different numbers, got {list(self.betas)}")
        for beta in self.betas:
            check_at_least(0, "betas", beta)
            recipe_of(self, beta, Path()).check()


def main(config: RateDistortionConfig) -> int:
    """Train, measure and draw; returns the exit code."""
    set_up(Compute(num_processes=1))
    folder = config.out or Path("runs") / f"rate_distortion-{stem(config.dataset)}"
    runs = {f"beta {beta:g}": recipe_of(config, beta, folder) for beta in sorted(config.betas)}
    if exit_code := train_all(runs, RateDistortionConfig):
        return exit_code
    points = {}
    for name, one in runs.items():
        summary = json.loads((one.run_dir / "summary.json").read_text())
        found = {name: summary[f"test_{name}"] for name in ("kl", "log_likelihood", "elbo", "active_units")}
        points[name] = {**found, "distortion": -found["log_likelihood"]}
    write_json(folder / "rate_distortion.json", points)
    table = markdown_table(points, COLUMNS)
    (folder / "rate_distortion.md").write_text(table + "\n")
    save_curve(folder / "rate_distortion.png", points)
    print(f"{table}\nfigure and table in {folder}")
    return 0


def recipe_of(config: RateDistortionConfig, beta: float, folder: Path) -> Recipe:
    """Return one run's options; its folder is named after those in which runs differ."""
    length = f"{config.epochs:g}epochs" if config.epochs is not None else f"{config.steps}steps"
    return given(
        dataset=config.dataset,
        data_dir=config.data_dir,
        run_dir=folder / f"beta{beta:g}-dim{config.latent_dim}-{length}-seed{config.seed}",
        seed=config.seed,
        steps=config.steps,
        epochs=config.epochs,
        latent_dim=config.latent_dim,
        beta=beta,
        decay="cosine",
        select="last",
        tensorboard=False,
        figures=False,
        num_processes=1,
    )


def save_curve(path: Path, points: dict[str, dict[str, float]]) -> None:
    """Draw one dot for each beta, and the line of equal ELBO through the best."""
    figure, (axis,) = new_figure(1, width=5, height=4)
    rates, distortions = ([point[name] for point in points.values()] for name in ("kl", "distortion"))
    axis.plot(rates, distortions, "o-", color="C0")
    for name, rate, distortion in zip(points, rates, distortions):
        axis.annotate(name, (rate, distortion), xytext=(7, 3), textcoords="offset points", fontsize=8)
    axis.set(xlim=(-0.04 * max(rates), 1.2 * max(rates)), ylim=axis.get_ylim())
    best = -max(point["elbo"] for point in points.values())
    axis.axline((0, best), slope=-1, linestyle="--", color="C7", linewidth=1, label="the best ELBO")
    axis.set(xlabel="rate: KL (nats)", ylabel="distortion: -log p(x|z) (nats)")
    axis.legend(frameon=False)
    save_figure(figure, path)


if __name__ == "__main__":
    run_script(main, RateDistortionConfig)
