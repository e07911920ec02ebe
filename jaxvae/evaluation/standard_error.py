"""How far a mean over examples may be off, because others could have been drawn."""

from __future__ import annotations

import numpy as np


def standard_error(values: np.ndarray) -> float:
    """Sample standard deviation of `[N]` values over sqrt(N), the error of their mean; NaN, in JSON null, of one."""
    return float(values.std(ddof=1) / len(values) ** 0.5) if len(values) > 1 else float("nan")
