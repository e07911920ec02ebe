"""Study of Optuna that several processes share; a trial whose process died is tried again, from its checkpoint."""

from __future__ import annotations

import contextlib
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from jaxvae.errors import InputError, first_line
from jaxvae.packages import needed_by
from jaxvae.sweeps.search import Choices, Range
from jaxvae.training import Interrupt
from jaxvae.training.lanes import Lane, Lanes

NAME = "study"
PATIENCE = 10
"""Signs of life that a dead trial misses."""
RETRIES = 3
"""Number of times that a trial whose process died is tried again."""
BEFORE_PRUNING = 5
"""Number of trials that end before one is pruned."""
RUN = "run"
"""Attribute of a trial with the name of its run."""
POLL_SECONDS = 2.0


class Stopped(Exception):
    """Interruption of a trial, which will go on when the sweep does."""

    def __init__(self, exit_code: int) -> None:
        super().__init__(exit_code)
        self.exit_code = exit_code


class Surplus(Exception):
    """A trial above the number, begun while another process began one too, or one that another process has taken."""


class Settings(NamedTuple):
    """Options of a study."""

    storage: str
    """Address of the database, as SQLAlchemy takes it."""
    seed: int = 0
    prune: bool = True
    heartbeat: int = 15
    """Seconds between signs of life of a trial."""


@contextlib.contextmanager
def open_study(settings: Settings) -> Iterator[Any]:
    """Open a study, or make it, for the time of a `with`; many processes may do so at once.

    Raises:
        InputError: Optuna is not installed, or the database cannot be opened.
    """
    optuna = needed_by("sweep", "optuna", "sweeps")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    is_file = settings.storage.startswith("sqlite")
    try:
        with _experimental(optuna):
            storage = optuna.storages.RDBStorage(
                settings.storage,
                # A file is locked for each write; the others wait for their turn.
                engine_kwargs={"connect_args": {"timeout": 60}} if is_file else {},
                heartbeat_interval=settings.heartbeat,
                grace_period=PATIENCE * settings.heartbeat,
                heartbeat_stale_trial_callback=optuna.storages.RetryHeartbeatStaleTrialCallback(RETRIES),
            )
            pruner = optuna.pruners.MedianPruner(BEFORE_PRUNING) if settings.prune else optuna.pruners.NopPruner()
            options = {"direction": "maximize", "pruner": pruner, "load_if_exists": True}
            study = optuna.create_study(storage=storage, study_name=NAME, **options)
    except Exception as error:
        raise InputError(f"storage: {settings.storage} cannot be opened ({first_line(error)})") from error
    try:
        yield study
    finally:
        storage.remove_session()
        storage.engine.dispose()


def search(
    study: Any,
    objective: Callable[..., float],
    num_trials: int,
    seed: int,
    at_once: int = 1,
    progress: Callable[[int], None] = lambda ended: None,
) -> None:
    """Try until this number of trials has ended, here or in other processes.

    Args:
        study: shared study.
        objective: function of a trial that returns its bound; where several train at once, of its `Lane` too.
        num_trials: number of trials that end, pruned ones included.
        seed: seed of the choices; those of a trial follow from it and from the trials before.
        at_once: number of trials that begin together.
        progress: function that is told how many have ended, in all processes.

    Raises:
        Stopped: trials here were interrupted; they wait to be tried again.
    """
    optuna = needed_by("sweep", "optuna", "sweeps")
    stopped: list[int] = []

    def seeded(trial: Any, lane: Lane | None, taken: list[Stopped | None]) -> float:
        if _is_surplus(trial, num_trials):
            raise Surplus
        trial.set_user_attr(RUN, run_name(trial))
        if lane is not None:
            lane.begin(trial.number, run_name(trial))
        with _experimental(optuna):
            # By the trial's number: processes that begin together must not choose alike.
            trial.study.sampler = optuna.samplers.TPESampler(seed=seed + trial.number, constant_liar=True)
        stop = None
        try:
            value = objective(trial) if lane is None else objective(trial, lane)
        except Stopped as error:
            stop = error
            raise
        finally:
            if _has_ended(trial):
                taken.append(stop)
            elif stop is not None:
                stopped.append(trial.number)
        if taken:
            raise Surplus
        return value

    def try_one(lane: Lane | None) -> None:
        taken: list[Stopped | None] = []  # by a process that took this trial for dead, and tries it again
        try:
            study.optimize(lambda trial: seeded(trial, lane, taken), n_trials=1, catch=Surplus)
        except ValueError:  # its end can be told no more
            if not taken:
                raise
            if taken[0] is not None:
                raise taken[0] from None

    while (begun := _begun(optuna, study))[0] < num_trials:
        ended, running, waiting = begun
        progress(ended)
        if not (free := max(waiting, num_trials - ended - running)):
            time.sleep(POLL_SECONDS)  # for those of other processes, which may die
            continue
        try:
            with _experimental(optuna):
                try_at_once(min(free, at_once), try_one)
        finally:
            with _experimental(optuna):
                for number in stopped:
                    optuna.storages.RetryHeartbeatStaleTrialCallback()(study, study.trials[number])


def try_at_once(num: int, try_one: Callable[[Lane | None], None]) -> None:
    """Try several times at once, each in a lane of its own; one alone needs none.

    An error in one of them stops the others.
    """
    if num == 1:
        return try_one(None)

    def in_lane(lane: Lane) -> None:
        try:
            try_one(lane)
        except BaseException:
            lanes.stop()
            raise
        finally:
            lane.leave()

    with Interrupt() as interrupt, ThreadPoolExecutor(num) as threads:
        lanes = Lanes(num, interrupt)
        ends = [threads.submit(in_lane, lane) for lane in lanes.all]
    errors = [error for end in ends if (error := end.exception()) is not None]
    # One that was stopped is not the cause.
    for error in sorted(errors, key=lambda error: isinstance(error, Stopped)):
        raise error


def _begun(optuna: Any, study: Any) -> tuple[int, int, int]:
    """Return the numbers of trials that have ended, that run, and that wait to be tried again."""
    with _experimental(optuna):
        optuna.storages.fail_stale_trials(study)
    states, kinds = [trial.state for trial in study.get_trials(deepcopy=False)], optuna.trial.TrialState
    ended = sum(state in (kinds.COMPLETE, kinds.PRUNED) for state in states)
    return ended, states.count(kinds.RUNNING), states.count(kinds.WAITING)


def _is_surplus(trial: Any, num_trials: int) -> bool:
    """Return True where enough trials came before a new one; one that is tried again has its place already."""
    before = trial.study.get_trials(deepcopy=False)[: trial.number]
    return RUN not in trial.user_attrs and sum(one.state.name != "FAIL" for one in before) >= num_trials


def _has_ended(trial: Any) -> bool:
    """Return True where another process has ended a trial of this one, because it saw no sign of life."""
    return bool(trial.study.get_trials(deepcopy=False)[trial.number].state.is_finished())


def run_name(trial: Any) -> str:
    """Return the name of a trial's run; one that is tried again goes on with the run of the first time."""
    return str(trial.user_attrs.get(RUN, f"trial-{trial.number:04d}"))


def suggest(trial: Any) -> Callable[[str, Range | Choices], Any]:
    """Return the function that chooses a trial's values."""

    def choose(name: str, values: Range | Choices) -> Any:
        if isinstance(values, Choices):
            return trial.suggest_categorical(name, values.words)
        kind = trial.suggest_int if values.is_whole else trial.suggest_float
        return kind(name, values.low, values.high, log=values.log)

    return choose


def importances(study: Any) -> dict[str, float]:
    """Return the share of each option in the differences between bounds; none where too few trials ended to tell.

    Reference: Watanabe et al. 2023, PED-ANOVA, https://arxiv.org/abs/2304.10255.
    """
    optuna = needed_by("sweep", "optuna", "sweeps")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # among few trials it warns of each option
        try:
            return {name: float(share) for name, share in optuna.importance.get_param_importances(study).items()}
        except (ValueError, RuntimeError):
            return {}


def best_so_far(bounds: Mapping[int, float]) -> dict[int, float]:
    """Return the best bound up to each trial, by its number.

    >>> best_so_far({0: -3.0, 2: -4.0, 3: -1.0})
    {0: -3.0, 2: -3.0, 3: -1.0}
    """
    best: dict[int, float] = {}
    for number, bound in bounds.items():
        best[number] = max([bound, *best.values()])
    return best


def default_storage(folder: Path) -> str:
    """Return the address of the file `study.db` in a folder."""
    return f"sqlite:///{(folder / 'study.db').resolve()}"


@contextlib.contextmanager
def _experimental(optuna: Any) -> Iterator[None]:
    """Silence Optuna's warnings of what may change in it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        yield
