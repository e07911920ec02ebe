"""Trackers: places besides the run directory where the numbers and figures of a training go.

Each is a function of `About` that returns an object with `log`, `figure` and `finish`, see `Tracker`.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from jaxvae.trackers import mlflow, tensorboard, wandb
from jaxvae.trackers.tracker import About as About
from jaxvae.trackers.tracker import Tracker as Tracker


class Row(NamedTuple):
    """One tracker."""

    open: Callable[[About], Tracker]
    module: str
    """Module that it needs."""
    extra: str
    """Extra of jaxvae that installs the module."""


TRACKERS: Mapping[str, Row] = {
    "tensorboard": Row(tensorboard.Board, "tensorboardX", "experiments"),
    "wandb": Row(wandb.Offline, "wandb", "trackers"),
    "mlflow": Row(mlflow.Store, "mlflow", "trackers"),
}
"""Trackers by name."""
