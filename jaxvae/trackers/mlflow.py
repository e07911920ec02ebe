"""MLflow: a run in the store of MLFLOW_TRACKING_URI or, without that, in mlflow.db beside the run directory."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jaxvae.packages import needed_by
from jaxvae.trackers.tracker import About, scalars

LONGEST = 6000
"""Maximum number of characters of a parameter."""
AT_ONCE = 100
"""Maximum number of parameters in one call."""


class Store:
    """Run of an MLflow store. Its experiment is MLFLOW_EXPERIMENT_NAME, `jaxvae` if not given."""

    def __init__(self, about: About) -> None:
        needed_by("track", "mlflow", "trackers")
        self._entities = needed_by("track", "mlflow.entities", "trackers")
        beside = about.run_dir.resolve().parent
        uri = os.environ.get("MLFLOW_TRACKING_URI")
        client = needed_by("track", "mlflow.tracking", "trackers").MlflowClient
        self._client = client(uri or f"sqlite:///{beside / 'mlflow.db'}")
        if about.known_as is not None:
            self._run = about.known_as
            self._client.update_run(self._run, status="RUNNING")
        else:
            files = None if uri else (beside / "mlartifacts").as_uri()
            self._run = self._client.create_run(self._experiment(files), run_name=about.run_dir.name).info.run_id
            self._parameters(about)
        self.known_as: str | None = self._run

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Record numbers of a step."""
        now = int(1000 * time.time())
        metrics = [self._entities.Metric(name, float(value), now, step) for name, value in values.items()]
        self._client.log_batch(self._run, metrics=metrics)

    def figure(self, name: str, path: Path) -> None:
        """Keep the file of a figure."""
        self._client.log_artifact(self._run, str(path), str(Path(name).parent))

    def finish(self, summary: Mapping[str, Any]) -> None:
        """Keep the final numbers, and close."""
        if summary:
            self.log(summary.get("steps", 0), {f"summary/{name}": value for name, value in scalars(summary).items()})
            self._client.log_dict(self._run, dict(summary), "summary.json")
        self._client.set_terminated(self._run, "FINISHED" if summary else "KILLED")

    def _experiment(self, files: str | None) -> str:
        """Return the number of the experiment, which is made where it is not there."""
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME", "jaxvae")
        known = self._client.get_experiment_by_name(name)
        return known.experiment_id if known else self._client.create_experiment(name, artifact_location=files)

    def _parameters(self, about: About) -> None:
        self._client.log_dict(self._run, dict(about.config), "config.json")
        params = [self._entities.Param(name, str(value)[:LONGEST]) for name, value in about.options.items()]
        for first in range(0, len(params), AT_ONCE):
            self._client.log_batch(self._run, params=params[first : first + AT_ONCE])
