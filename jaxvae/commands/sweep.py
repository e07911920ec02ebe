"""Search options of a training, by Optuna, for the best bound on validation data.

`--search learning_rate=1e-4:1e-2:log latent_dim=2,5,10` names what is searched. The same command in several terminals
shares the study, and goes on with one that was stopped.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from jaxvae.errors import InputError
from jaxvae.options import Compute
from jaxvae.options.checks import check_at_least, check_folder, check_seed
from jaxvae.packages import check_installed
from jaxvae.report.sweep import save_sweep
from jaxvae.report.tables import aligned_table
from jaxvae.runs.compute import set_up
from jaxvae.runs.progress import counted, say
from jaxvae.sweeps.search import check_search, fixed_words, parse_search
from jaxvae.sweeps.study import (
    Settings,
    Stopped,
    best_so_far,
    default_storage,
    importances,
    open_study,
    run_name,
    search,
)
from jaxvae.sweeps.trials import make_objective
from jaxvae.training.lanes import Lane

SHOWN = 10
"""Number of the best trials in the table."""


@dataclasses.dataclass(frozen=True)
class SweepConfig:
    """Search options of a training for the best bound on validation data."""

    folder: Path
    """Folder for the runs of all trials, study.db and sweep.png; the same folder goes on with a study."""
    search: tuple[str, ...] = ()
    """Options to search: NAME=LOW:HIGH, NAME=LOW:HIGH:log or NAME=A,B,C; + joins the values of one, as in
    hidden=400,400+200."""
    fixed: tuple[str, ...] = ()
    """Options of all trials, such as dataset=mine.npz steps=2000."""
    config: Path | None = None
    """TOML file with further options of all trials."""
    trials: int = 30
    """Number of trials that end, in all processes together."""
    seed: int = 0
    """Seed of the choices; that of the trainings is --fixed seed=N."""
    prune: bool = True
    """Stop a trial whose bound is below the median of the others at the same step."""
    at_once: int = 1
    """Number of trials that are chosen together; those whose steps differ in numbers alone are trained at once."""
    storage: str | None = None
    """Address of a database, such as postgresql+pg8000://USER@HOST/NAME; study.db in the folder if not given."""
    heartbeat: int = 15
    """Seconds between signs of life of a trial; one that misses ten is tried again."""

    def check(self) -> None:
        """Refuse values that are invalid for every data set."""
        check_installed("sweep", "optuna", "sweeps")
        check_at_least(1, "trials", self.trials)
        check_at_least(1, "at_once", self.at_once)
        check_at_least(1, "heartbeat", self.heartbeat)
        check_seed("seed", self.seed, self.trials)
        check_folder("folder", self.folder)
        check_search(self.words(), parse_search(self.search))
        for name in ("run_dir", "reproduce", "seeds"):
            if f"--{name.replace('_', '-')}" in self.words():
                raise InputError(f"fixed: {name} is each trial's own; leave it out")

    def words(self) -> list[str]:
        """Return the options of all trials as words of the command line."""
        return [*(["--config", str(self.config)] if self.config else []), *fixed_words(self.fixed)]


def main(config: SweepConfig) -> int:
    """Search in a study that is opened or made; returns the exit code."""
    set_up(Compute(num_processes=1))
    config.folder.mkdir(parents=True, exist_ok=True)
    storage = config.storage or default_storage(config.folder)
    with open_study(Settings(storage, config.seed, config.prune, config.heartbeat)) as study:
        return sweep(study, config)


def sweep(study: Any, config: SweepConfig) -> int:
    """Search in an open study, and print what was found; returns the exit code."""
    objective = make_objective(config.words(), parse_search(config.search), config.folder)

    def told(trial: Any, *lane: Lane) -> float:
        value = objective(trial, *lane)
        say(f"{run_name(trial)}: {value:.2f} nats, {_chosen(trial)}")
        return value

    try:
        with counted("trials that ended", config.trials) as progress:
            search(study, told, config.trials, config.seed, config.at_once, progress)
    except Stopped as stop:
        print(f"stopped; the same command goes on with {config.folder}")
        return stop.exit_code
    return report(study, config.folder)


def report(study: Any, folder: Path) -> int:
    """Print the best trials and the importance of each option, and draw both."""
    trials = study.get_trials(deepcopy=False)
    ended = [trial for trial in trials if trial.state.name == "COMPLETE"]
    pruned = sum(trial.state.name == "PRUNED" for trial in trials)
    if not ended:
        print(f"none of {pruned} trials ended; none was finite")
        return 1
    names = list(dict.fromkeys(name for trial in ended for name in trial.params))
    best = sorted(ended, key=lambda trial: trial.value, reverse=True)
    rows = [[run_name(one), f"{one.value:.2f}", *(_word(one.params.get(name)) for name in names)] for one in best]
    print(aligned_table(["run", "bound", *names], rows[:SHOWN]))
    shares = importances(study)
    if shares:
        print("importance: " + ", ".join(f"{name} {share:.0%}" for name, share in shares.items()))
    bounds = {trial.number: trial.value for trial in ended}
    save_sweep(folder / "sweep.png", bounds, best_so_far(bounds), shares)
    print(f"{len(ended)} trials ended, {pruned} were pruned; the best is {folder / run_name(best[0])}")
    print(f"history and importance in {folder / 'sweep.png'}")
    return 0


def _chosen(trial: Any) -> str:
    return " ".join(f"{name}={_word(value)}" for name, value in trial.params.items())


def _word(value: Any) -> str:
    return "-" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)
