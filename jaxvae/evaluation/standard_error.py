"""Standard error of a mean over examples."""

from __future__ import annotations

import numpy as np


def standard_error(values: np.ndarray) -> float:
    """Divide the sample standard deviation of `[N]` values by sqrt(N); NaN (null in JSON) for one value."""
    return float(values.std(ddof=1) / len(values) ** 0.5) if len(values) > 1 else float("nan")
