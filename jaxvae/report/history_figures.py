"""What each latent dimension carries, over the steps of a run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from jaxvae.report.figures import new_figure, save_figure


def save_kl_history(path: Path, records: Sequence[dict[str, Any]]) -> None:
    """KL of each dimension over steps as an image, the dimension that carries most above; and how many are active."""
    train = [record for record in records if record["split"] == "train" and "kl_per_dimension" in record]
    figure, (image, line) = new_figure(2, width=8, height=3.2)
    kl = np.array([record["kl_per_dimension"] for record in train])
    order = np.argsort(-kl[-1])
    steps = np.array([record["step"] for record in train])
    # What a line says is an average over the steps since the one before it.
    edges = np.concatenate([[0], steps])
    mesh = image.pcolormesh(edges, np.arange(len(order) + 1) - 0.5, kl.T[order], vmin=0, cmap="viridis")
    image.set(xlabel="step", ylabel="dimension, by its KL at the end", title="KL of each dimension (nats)")
    image.set_yticks([0, len(order) - 1] if len(order) > 1 else [0])
    image.invert_yaxis()
    figure.colorbar(mesh, ax=image)
    evaluated = [record for record in records if "active_units" in record]
    line.plot(*_columns(evaluated, "active_units"), "o-", markersize=3, linewidth=1)
    line.set(xlabel="step", title="active units", ylim=(0, 1.05 * len(order)), xlim=(0, steps[-1]))
    save_figure(figure, path)


def _columns(records: Sequence[dict[str, Any]], name: str) -> tuple[list[int], list[float]]:
    return [record["step"] for record in records], [record[name] for record in records]
