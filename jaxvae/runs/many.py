"""Training of many runs one after another, with their numbers and the estimated time left."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping

from jaxvae import hosts
from jaxvae.options.recipe import Recipe
from jaxvae.runs.training import train_run


def train_all(runs: Mapping[str, Recipe], script: type) -> int:
    """Train runs one after another, each announced with its number and the estimated time left.

    Args:
        runs: options by name, such as `kl_only, seed 1`; `train_run` skips those that have a summary.
        script: dataclass of the script's options, so that advice names no others.

    Returns:
        The exit code of the first run that did not end, or 0.
    """
    waiting = [name for name, recipe in runs.items() if not _has_summary(recipe)]
    seconds: list[float] = []
    options = [field.name for field in dataclasses.fields(script)]
    for number, (name, recipe) in enumerate(runs.items(), start=1):
        left = _time_left(seconds, len(waiting))
        if hosts.is_main():
            print(f"run {number} of {len(runs)}: {name}{left}", flush=True)
        start = time.monotonic()
        if exit_code := train_run(recipe, options=options):
            return exit_code
        if name in waiting:
            waiting.remove(name)
            seconds.append(time.monotonic() - start)
    return 0


def _has_summary(recipe: Recipe) -> bool:
    return (recipe.run_dir / "summary.json").exists()


def _time_left(seconds: list[float], num: int) -> str:
    """Describe the estimated time of `num` more runs, from the times of finished ones.

    >>> _time_left([50.0, 70.0], 4), _time_left([3.0], 2), _time_left([], 4)
    (' (about 4 min left)', ' (about 6 s left)', '')
    """
    if not seconds:
        return ""
    left = num * sum(seconds) / len(seconds)
    return f" (about {left / 60:.0f} min left)" if left >= 90 else f" (about {left:.0f} s left)"
