"""Scores of a run on rows of tokens: perplexity, use of the code by the decoder, and greedy reconstruction."""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from jaxvae import rng
from jaxvae.data.rows import gather, num_rows
from jaxvae.data.spaces import Tokens
from jaxvae.evaluation import code_use, greedy_accuracy
from jaxvae.evaluation.blocks import at_once
from jaxvae.runs.lines import Line
from jaxvae.runs.run import Run

GREEDY = 1000
"""Maximum number of rows that are decoded freely, the first of a split: their tokens come one after another."""


def lines(run: Run, x: np.ndarray, condition: np.ndarray | None) -> list[Line]:
    """Score the use of the code on rows `[N, T]`: nats that it saves, and tokens that come back from it alone."""
    num, space = num_rows(x), cast(Tokens, run.space)
    few, given = gather((x, condition), slice(GREEDY))
    right = greedy_accuracy(run.params, few, model=run.model, condition=given, padding=space.padding)
    how = "right tokens of the greedy row at the posterior's mean"
    accuracy = [
        Line("greedy_accuracy", f"share of {how}", 0, num_rows(few), right.tokens),
        Line("greedy_accuracy_by_class", "its mean over the different tokens", 0, num_rows(few), right.classes),
    ]
    if num < 2:  # there is no other code
        return accuracy
    options: dict[str, Any] = {"condition": condition, "block_size": at_once(space, 500)}
    use = code_use(run.params, rng.root(run.recipe.train.seed), x, model=run.model, **options)
    how = "log p(x|z) less that of another row's z"
    return [Line("nats_from_code", how, 1, num, use.nats, use.standard_error), *accuracy]


def perplexity(space: Tokens, x: np.ndarray, log_px: float, num_samples: int) -> Line:
    """Return the perplexity of a token, end marks included and padding left out."""
    num = num_rows(x)
    per_row = float((x != space.padding).sum()) / num
    how = f"of log_px, over {per_row:.1f} tokens a row with its end mark"
    return Line("perplexity", how, num_samples, num, float(np.exp(-log_px / per_row)))
