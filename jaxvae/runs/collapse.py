"""Detection of posterior collapse: almost uninformative codes, which no loss curve shows."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from jaxvae.objectives import kl_only_loss
from jaxvae.options.recipe import Recipe
from jaxvae.options.schedules import ends

SHARE = 0.1
"""Share of active latent units below which a posterior counts as collapsed."""
LEAST_KL = 0.5
"""Nats of KL below which a posterior counts as collapsed, however many units seem active."""
FEWEST = 30
"""Least number of test examples for a meaningful variance of posterior means."""
SHORT = 1000
"""Number of steps below which a run is short: units become active one after another."""


def warning(recipe: Recipe, summaries: Sequence[dict[str, Any]], options: Collection[str] | None = None) -> str | None:
    """Return a line with the remedies, if a run, or some of several seeds, has collapsed.

    It is None for a delta posterior, for an objective that is meant to collapse, and with few test examples.

    Args:
        recipe: settled.
        summaries: summaries, one for each seed.
        options: names of the script's options, which the advice may mention; None for all.
    """
    large = [summary for summary in summaries if summary.get("test_num_examples", FEWEST) >= FEWEST]
    scored = [summary for summary in large if "test_active_units" in summary]
    units = recipe.latent_dim + sum(getattr(recipe.posterior, "upper_latent_dims", ()))
    collapsed = [summary for summary in scored if _is_collapsed(summary, units)]
    if not collapsed or recipe.objective.function is kl_only_loss:
        return None
    seeds = f" with {len(collapsed)} of {len(scored)} seeds" if len(scored) > 1 else ""
    active = min(summary["test_active_units"] for summary in collapsed)
    kls = [summary["test_kl"] for summary in collapsed if "test_kl" in summary]
    nats = f", KL {min(kls):.2f} nats" if kls else ""
    remedies = [text for option, text in _remedies(recipe) if options is None or option in options]
    advice = f"; try {', or '.join(remedies)}" if remedies else ""
    return f"posterior collapse{seeds}: {active} of {units} latent units active{nats}{advice}"


def _is_collapsed(summary: dict[str, Any], units: int) -> bool:
    return summary["test_active_units"] < SHARE * units or summary.get("test_kl", LEAST_KL) < LEAST_KL


def _remedies(recipe: Recipe) -> Iterator[tuple[str, str]]:
    """Yield options and their recommended values, the most probable cause first."""
    train, objective = recipe.train, recipe.objective
    if train.steps < SHORT:
        name = "steps" if train.epochs is None else "epochs"
        more = 4 * SHORT if train.epochs is None else f"{4 * SHORT / train.steps * train.epochs:.0f}"
        yield name, f"a longer run (--{name} {more}; this one had {train.steps:,} steps)"
    if (beta := max(ends(getattr(objective, "beta", 1.0)))) > 1:
        yield "beta", f"a smaller --beta (it is {beta:g})"
    if train.steps >= SHORT and isinstance(getattr(objective, "beta", None), float):
        yield "beta", f"--beta 0:{objective.beta:g}@{train.steps // 4}"
    if getattr(objective, "free_bits", None) == 0:
        yield "free_bits", "--free-bits 0.1"
    if getattr(recipe.likelihood, "support", None) == "tokens" and not train.word_dropout:
        yield "word_dropout", "--word-dropout 0.4"
    if train.steps >= SHORT:
        yield "hidden", "a smaller decoder (--hidden)"
        yield "latent_dim", "fewer units (--latent-dim)"
