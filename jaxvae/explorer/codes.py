"""Statistics of the test images' codes: activity of dimensions, ranges, and planes of maps."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

PRIOR_REACH = 3.0
"""Least range of sliders and maps, in standard deviations of N(0, I)."""
CENTRAL = (0.005, 0.995)
"""Quantiles of the codes that a map covers."""


class Plane(NamedTuple):
    """Map of the latent space: the point (a, b) is the code `origin + a axes[0] + b axes[1]`."""

    name: str
    axis_names: tuple[str, str]
    origin: np.ndarray
    """`[D]` code of the point (0, 0)."""
    axes: np.ndarray
    """`[2, D]` orthonormal axes; the second is zero where there is one dimension only."""
    centre: tuple[float, float]
    """Centre of the map."""
    reach: float
    """Distance from the centre to each side."""


def activity(codes: np.ndarray) -> np.ndarray:
    """Compute the activity `[D]` of each latent dimension: the variance of posterior means `[N, D]` over images.

    Reference: Burda et al. 2016, https://arxiv.org/abs/1509.00519, section 5.2.
    """
    return codes.var(axis=0)


def slider_ranges(codes: np.ndarray) -> np.ndarray:
    """Return `[D, 2]` lowest and highest values of each dimension, which cover every code and most of the prior."""
    reach = np.ceil(np.maximum(np.abs(codes).max(axis=0), PRIOR_REACH))
    return np.stack([-reach, reach], axis=-1)


def planes(codes: np.ndarray) -> list[Plane]:
    """Return the maps: the latent space itself up to two dimensions, else two planes through it."""
    dim = codes.shape[1]
    identity = np.eye(max(dim, 2), dim, dtype=np.float32)
    if dim <= 2:
        return [_plane("Latent plane", ("z0", "z1"), np.zeros(dim, np.float32), identity, codes)]
    first, second = np.argsort(-activity(codes), kind="stable")[:2]
    names = (f"z{first}", f"z{second}")
    most_used = _plane("Most used", names, np.zeros(dim, np.float32), identity[[first, second]], codes)
    return [_principal_plane(codes), most_used]


def _principal_plane(codes: np.ndarray) -> Plane:
    mean = codes.mean(axis=0)
    _, directions = np.linalg.eigh((codes - mean).T @ (codes - mean))
    axes = directions.T[:-3:-1]
    # A component's sign is arbitrary: make its largest entry positive.
    axes = axes * np.sign(axes[[0, 1], np.abs(axes).argmax(axis=1)])[:, None]
    return _plane("Principal components", ("first component", "second component"), mean, axes, codes)


def _plane(name: str, axis_names: tuple[str, str], origin: np.ndarray, axes: np.ndarray, codes: np.ndarray) -> Plane:
    low, high = np.quantile((codes - origin) @ axes.T, CENTRAL, axis=0)
    low, high = np.minimum(low, -PRIOR_REACH), np.maximum(high, PRIOR_REACH)
    across, up = (low + high) / 2
    return Plane(name, axis_names, origin, axes, (float(across), float(up)), 1.05 * float((high - low).max()) / 2)
