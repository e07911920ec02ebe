"""Records of a run while it trains: lines of metrics, trackers, and a progress bar."""

from __future__ import annotations

from typing import Any

import numpy as np

from jaxvae import hosts
from jaxvae.report import MetricsWriter
from jaxvae.runs import nonfinite, seeds
from jaxvae.runs.experiment import Experiment
from jaxvae.runs.parts import build_learning_rate
from jaxvae.runs.progress import bar
from jaxvae.trackers.tracking import Tracking
from jaxvae.training import Progress
from jaxvae.training.loop import steps_taken
from jaxvae.types import TrainState


class Recorder:
    """Context for the metrics and the progress bar of one training; only the main process writes.

    Args:
        experiment: the run.
        tracking: trackers of the run, None in a process that writes nothing.
        first_step: step from which training resumes.
        lines: number of lines of metrics at that step, if known.
    """

    def __init__(
        self, experiment: Experiment, tracking: Tracking | None, *, first_step: int, lines: int | None
    ) -> None:
        self._train, self._first_step, writes = experiment.recipe.train, first_step, hosts.is_main()
        self._tracking = tracking
        self._reports_kl, self._learning_rate = experiment.parts.reports_elbo, build_learning_rate(self._train)
        self._noun = experiment.data.noun
        quiet = experiment.recipe.output.quiet
        self._writer = MetricsWriter(experiment.run_dir, first_step=first_step, expected=lines) if writes else None
        self._bar = bar(total=self._train.steps, initial=first_step, unit="step", disable=not writes or quiet)

    def __enter__(self) -> Recorder:
        return self

    def __exit__(self, *error: object) -> None:
        self._bar.close()

    @property
    def lines(self) -> int:
        """Number of lines of metrics."""
        return self._writer.lines if self._writer else 0

    def write(self, split: str, step: int, values: dict[str, Any]) -> None:
        """Write a line of metrics, here and to the trackers."""
        if self._writer:
            self._writer.write(split, step, values)
        if self._tracking:
            self._tracking.log(split, step, values)

    def sync(self) -> None:
        """Wait until all lines of metrics are on the disk."""
        if self._writer:
            self._writer.sync()

    def log(self, state: TrainState, progress: Progress) -> dict[str, Any]:
        """Write the metrics of the steps since the last call, show them after the bar, and return them."""
        train, step, speed = self._train, steps_taken(state), progress.examples_per_second
        rows = zip(seeds.per_seed(train.seeds, progress.take_metrics()), nonfinite.skipped_steps(train, state))
        values = seeds.together([{**row, **skipped} for row, skipped in rows])
        # Without any step that counts there is no average.
        values = {name: value for name, value in values.items() if np.isfinite(value).all()}
        if not self._reports_kl:  # a delta posterior: its KL is infinite, and the prior's term is of no interest
            values = {name: value for name, value in values.items() if not name.startswith("kl")}
        learning_rate = float(self._learning_rate(step - 1)) * nonfinite.learning_rate_factor(train, state)
        rates = {"learning_rate": learning_rate, **({} if speed is None else {"examples_per_second": speed})}
        self.write("train", step, {**values, **rates})
        shown = {name: f"{values[key]:.2f}" for name, key in (("loss", "loss"), ("KL", "kl")) if key in values}
        self._bar.set_postfix({**shown, f"{self._noun}/s": "-" if speed is None else f"{speed:,.0f}"})
        return {**values, **rates}

    def note(self, step: int) -> None:
        """Move the bar to a step."""
        if step == self._first_step:
            self._bar.unpause()  # compilation is over, and does not count as time of steps
        self._bar.update(step - self._bar.n)
