"""Detection of posterior collapse: almost uninformative codes, which no loss curve shows."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from jaxvae.presets import PRESETS
from jaxvae.runs.config import TrainConfig, settled

SHARE = 0.1
"""Share of active latent units below which a posterior counts as collapsed."""
FEWEST = 30
"""Least number of test examples for a meaningful variance of posterior means."""
SHORT = 1000
"""Number of steps below which a run is short: units become active one after another."""


def warning(
    config: TrainConfig, summaries: Sequence[dict[str, Any]], options: Collection[str] | None = None
) -> str | None:
    """Return a line with the remedies, if a run, or some of several seeds, has collapsed.

    It is None for a delta posterior, for a preset that is meant to collapse, and with few test examples.

    Args:
        config: resolved.
        summaries: summaries, one for each seed.
        options: names of the script's options, which the advice may mention; None for all.
    """
    large = [summary for summary in summaries if summary.get("test_num_examples", FEWEST) >= FEWEST]
    counts = [summary["test_active_units"] for summary in large if "test_active_units" in summary]
    units = settled(config.latent_dim) + sum(config.upper_latent_dims)
    collapsed = [count for count in counts if count < SHARE * units]
    if not collapsed or PRESETS[config.preset].collapses:
        return None
    seeds = f" with {len(collapsed)} of {len(counts)} seeds" if len(counts) > 1 else ""
    remedies = [text for option, text in _remedies(config) if options is None or option in options]
    advice = f"; try {', or '.join(remedies)}" if remedies else ""
    return f"posterior collapse{seeds}: {min(collapsed)} of {units} latent units active{advice}"


def _remedies(config: TrainConfig) -> Iterator[tuple[str, str]]:
    """Yield options and their recommended values, the most probable cause first."""
    if config.steps < SHORT:
        name = "steps" if config.epochs is None else "epochs"
        more = 4 * SHORT if config.epochs is None else f"{4 * SHORT / config.steps * config.epochs:.0f}"
        yield name, f"a longer run (--{name} {more}; this one had {config.steps:,} steps)"
    if settled(config.beta) > 1:
        yield "beta", f"a smaller --beta (it is {config.beta:g})"
    if not config.beta_warmup_steps and config.steps >= SHORT:
        yield "beta_warmup_steps", f"--beta-warmup-steps {config.steps // 4}"
    if "free_bits" in PRESETS[config.preset].options and not config.free_bits:
        yield "free_bits", "--free-bits 0.1"
    if config.steps >= SHORT:
        yield "hidden", "a smaller decoder (--hidden)"
        yield "latent_dim", "fewer units (--latent-dim)"
