"""Compare the Gaussian KL in closed form with numerical integrals: `python experiments/closed_form_kl.py --out DIR`."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from figures.kl import Curve, Panel, save_kl_curves
from jaxvae.distributions import gaussian_kl, multivariate_gaussian_kl
from jaxvae.options.checks import check_folder
from jaxvae.runs.command_line import run_script

DOT_EVERY = 8
LOG_2PI = np.log(2 * np.pi)


@dataclasses.dataclass(frozen=True)
class ClosedFormConfig:
    """Draw KL(q || N(0, I)) as q moves: closed forms as lines, numerical integrals as dots. See docs/kl.md."""

    out: Path = Path("runs/closed_form_kl")
    """Folder for the figure."""

    def check(self) -> None:
        """Refuse a path that cannot become a folder."""
        check_folder("out", self.out)


def main(config: ClosedFormConfig) -> int:
    """Compute three panels, print the differences of dots from lines, draw."""
    panels = [over_mean(), over_scale(), over_correlation()]
    for panel in panels:
        difference = max(curve.difference for curve in panel.curves)
        print(f"{panel.title:40} largest difference {difference:.1e} nats")
    save_kl_curves(config.out / "kl.png", panels)
    print(f"picture in {config.out}")
    return 0


def over_mean() -> Panel:
    """Vary the mean, in one dimension."""
    means = np.linspace(-3, 3, 97)
    curves = [
        on_line(rf"$\sigma$ = {scale}", means, means, np.full_like(means, scale)) for scale in (0.25, 0.5, 1.0, 2.0)
    ]
    return Panel("the mean moves", r"$\mu$", curves)


def over_scale() -> Panel:
    """Vary the standard deviation, in one dimension."""
    scales = np.linspace(0.1, 3, 97)
    curves = [on_line(rf"$\mu$ = {mean}", scales, np.full_like(scales, mean), scales) for mean in (0.0, 1.0, 2.0)]
    return Panel("the standard deviation moves", r"$\sigma$", curves)


def over_correlation() -> Panel:
    """Vary the correlation, in two dimensions."""
    correlations = np.linspace(-0.96, 0.96, 97)
    curves = [
        in_plane(rf"$\mu$ = {mean}, $\sigma$ = {scale}", correlations, np.array(mean), scale)
        for mean, scale in (((0, 0), 1.0), ((1, 1), 1.0), ((0, 0), 0.5))
    ]
    return Panel("two dimensions, the correlation moves", r"$\rho$", curves)


def on_line(label: str, x: np.ndarray, means: np.ndarray, scales: np.ndarray) -> Curve:
    """Return a curve over x, with means and standard deviations `[P]`."""
    closed_form = gaussian_kl(jnp.array(means)[:, None], 2 * jnp.log(jnp.array(scales))[:, None])
    numerical = [integral_on_line(mean, scale) for mean, scale in zip(means[::DOT_EVERY], scales[::DOT_EVERY])]
    return Curve(label, x, np.asarray(closed_form), as_dots(numerical, x))


def in_plane(label: str, correlations: np.ndarray, mean: np.ndarray, scale: float) -> Curve:
    """Return a curve over the correlation of two dimensions with the same standard deviation."""

    def closed_form(correlation: jax.Array) -> jax.Array:
        # [1 r; r 1] = L L^T with L = [1 0; r sqrt(1 - r^2)].
        cholesky = jnp.array([[1.0, 0.0], [correlation, jnp.sqrt(1 - correlation**2)]])
        return multivariate_gaussian_kl(jnp.array(mean), scale * cholesky, jnp.zeros(2), jnp.eye(2))

    covariances = [scale**2 * np.array([[1, r], [r, 1]]) for r in correlations[::DOT_EVERY]]
    numerical = [integral_in_plane(mean, covariance) for covariance in covariances]
    values = jax.jit(jax.vmap(closed_form))(jnp.array(correlations))
    return Curve(label, correlations, np.asarray(values), as_dots(numerical, correlations))


def as_dots(numerical: Sequence[float], x: np.ndarray) -> np.ndarray:
    """Return values at evenly spaced points of x, NaN at the others."""
    values = np.full(len(x), np.nan)
    values[::DOT_EVERY] = numerical
    return values


def integral_on_line(mean: float, scale: float) -> float:
    """Integrate q (log q - log p) in float64, by NumPy alone."""
    z = mean + scale * np.linspace(-10, 10, 401)
    log_q = -0.5 * (LOG_2PI + ((z - mean) / scale) ** 2) - np.log(scale)
    log_p = -0.5 * (LOG_2PI + z**2)
    return float(np.trapezoid(np.exp(log_q) * (log_q - log_p), z))


def integral_in_plane(mean: np.ndarray, covariance: np.ndarray) -> float:
    """Integrate q (log q - log p) over the plane, by the covariance's inverse and determinant."""
    axis = np.linspace(-8, 8, 321)
    z = np.stack(np.meshgrid(axis, axis), axis=-1)
    residual = z - mean
    mahalanobis = np.einsum("...i,ij,...j->...", residual, np.linalg.inv(covariance), residual)
    log_q = -LOG_2PI - 0.5 * (np.log(np.linalg.det(covariance)) + mahalanobis)
    log_p = -LOG_2PI - 0.5 * np.square(z).sum(-1)
    return float((np.exp(log_q) * (log_q - log_p)).sum() * (axis[1] - axis[0]) ** 2)


if __name__ == "__main__":
    run_script(main, ClosedFormConfig)
