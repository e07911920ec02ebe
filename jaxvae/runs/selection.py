"""Choice of the checkpoint that a run reports, and early stopping."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from jaxvae.data import Dataset
from jaxvae.errors import InputError
from jaxvae.options.groups import Select


def settle(select: Select | None, data: Dataset) -> Select:
    """Fill in the choice: best where there are validation data, because the test split must not select.

    Raises:
        InputError: best is asked for, and there are no validation data.
    """
    if select == "best" and data.validation is None:
        raise InputError(f"select: {data.name} has no validation data to choose the best checkpoint by; give last")
    return select or ("best" if data.validation is not None else "last")


class Patience:
    """Early stopping: a count of evaluations since the best one.

    Args:
        limit: number of evaluations without improvement before the end; 0 never stops.
        known: value of `to_json` of an interrupted run.
    """

    def __init__(self, limit: int, known: Mapping[str, Any] | None = None) -> None:
        self._limit = limit
        self._best = -math.inf if known is None else float(known["best"])
        self._since = 0 if known is None else int(known["since"])

    def see(self, score: float) -> None:
        """Count an evaluation; higher scores are better."""
        better = score > self._best
        self._best, self._since = (score, 0) if better else (self._best, self._since + 1)

    @property
    def is_over(self) -> bool:
        """True if the last `limit` evaluations were no better than an earlier one."""
        return 0 < self._limit <= self._since

    def to_json(self) -> dict[str, Any] | None:
        """Return plain values for a resumed run; None before the first evaluation."""
        return {"best": self._best, "since": self._since} if math.isfinite(self._best) else None
