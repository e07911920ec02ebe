"""Posterior collapse: a code that says next to nothing about the example, which no loss curve shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jaxvae.runs.config import TrainConfig

SHARE = 0.1
"""Of the latent units: with fewer active ones a posterior counts as collapsed."""


def warning(config: TrainConfig, summaries: Sequence[dict[str, Any]]) -> str | None:
    """A line with the remedies, if a run has collapsed, or some of several seeds; None of a posterior that is a point.

    Args:
        config: resolved.
        summaries: one for each seed.
    """
    counts = [summary["test_active_units"] for summary in summaries if "test_active_units" in summary]
    units = int(str(config.latent_dim)) + sum(config.upper_latent_dims)
    collapsed = [count for count in counts if count < SHARE * units]
    if not collapsed:
        return None
    seeds = f" with {len(collapsed)} of {len(counts)} seeds" if len(counts) > 1 else ""
    return (
        f"posterior collapse{seeds}: {min(collapsed)} of {units} latent units active; try --beta-warmup-steps "
        f"{max(config.steps // 4, 1)}, --free-bits 0.1, a smaller decoder (--hidden), or fewer units (--latent-dim)"
    )
