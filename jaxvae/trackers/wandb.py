"""Weights & Biases: a run in the folder `RUN/wandb`, which `wandb sync` sends; WANDB_MODE=online sends it at once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jaxvae.packages import needed_by
from jaxvae.trackers.tracker import About


class Offline:
    """Run of wandb. Its project is WANDB_PROJECT, `jaxvae` if not given."""

    def __init__(self, about: About) -> None:
        self._wandb = needed_by("track", "wandb", "trackers")
        # No code, no commit, no printed lines: what is sent is what `log`, `figure` and `finish` are given.
        private = {"console": "off", "silent": True, "disable_code": True, "disable_git": True}
        self._run = self._wandb.init(
            project=os.environ.get("WANDB_PROJECT", "jaxvae"),
            name=about.run_dir.name,
            id=about.known_as,
            resume="allow",
            dir=about.run_dir,
            config=dict(about.config),
            mode=os.environ.get("WANDB_MODE", "offline"),
            settings=self._wandb.Settings(**private),
        )
        self.known_as: str | None = self._run.id
        self._step = about.first_step

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Record numbers of a step."""
        self._step = step
        self._run.log(dict(values), step=step)

    def figure(self, name: str, path: Path) -> None:
        """Keep a picture with the last step; figures of other kinds stay in their files alone."""
        if path.suffix in (".png", ".gif"):
            self._run.log({name: self._wandb.Image(str(path))}, step=self._step)

    def finish(self, summary: Mapping[str, Any]) -> None:
        """Keep the final numbers, and close."""
        self._run.summary.update(dict(summary))
        self._run.finish()
