"""Checkpoints by Orbax: the newest and the best, each verified when it is loaded.

Orbax alone loads a flipped byte silently, and does not look for an older step when the newest is damaged. Here every
file has its sha256 in a seal and the state has a digest; damage is reported, and the newest intact step is used.
A checkpoint is a folder that is renamed when it is complete and on the disk: state/ by Orbax, meta.json, and the seal
of both.
Where several processes train together, each calls these functions with its copy of the state, on a shared disk.
"""

from __future__ import annotations

import errno
import hashlib
import json
import logging
import math
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

import jax
import numpy as np

from jaxvae import disk, hosts
from jaxvae.errors import InputError, first_line
from jaxvae.orbax_errors import one_error

FORMAT = 2
META = "meta.json"
"""File of a step with the format, the notes on the state, and its expected structure."""
SEAL = "sha256.json"
"""File of a step with the digests of all its other files."""
MARGIN = 2**18
"""Upper bound on the bytes of a checkpoint besides its numbers."""
T = TypeVar("T")
logger = logging.getLogger(__name__)


class Restored(NamedTuple, Generic[T]):
    """State, and the notes that were saved with it."""

    state: T
    about: dict[str, Any]


def digest(tree: Any) -> str:
    """Compute the sha256 of every leaf's path, dtype, shape and bytes: equal trees have equal digests."""
    total = hashlib.sha256()
    for path, leaf in jax.tree_util.tree_leaves_with_path(tree):
        if jax.dtypes.issubdtype(leaf.dtype, jax.dtypes.prng_key):
            leaf = jax.random.key_data(leaf)
        array = np.asarray(leaf)
        total.update(f"{jax.tree_util.keystr(path)} {array.dtype.name} {array.shape} ".encode())
        total.update(array.tobytes())
    return total.hexdigest()


class Checkpoints:
    """Checkpoints of one run: the newest `keep_latest`, and the best, with the highest score.

    Args:
        directory: their folder.
        keep_latest: number of the newest that are kept.
        keep_best: number of the best that are kept.
        saved: function that the main process calls when another one is complete.
    """

    def __init__(
        self,
        directory: Path,
        *,
        keep_latest: int = 2,
        keep_best: int = 1,
        saved: Callable[[], Any] = lambda: None,
    ) -> None:
        self._directory, self._keep_latest, self._keep_best = directory.absolute(), keep_latest, keep_best
        self._saved = saved

    def save(self, step: int, state: Any, about: dict[str, Any], score: float | None) -> None:
        """Save a state, unless this step is there and intact.

        Args:
            step: its number; checkpoints of later steps were skipped as damaged, and are removed.
            state: any pytree of arrays.
            about: notes for the restored run, as JSON can hold them.
            score: score by which the best is chosen; None for a state that was not evaluated.

        Raises:
            OSError: it cannot be written; earlier checkpoints are untouched.
        """
        folder, part = self._folder(step), self._directory / f"{step}.part"
        if folder.exists() and _fault(folder) is None:
            return
        meta = {"format": FORMAT, "about": about, "score": score, "structure": _structure(state)}
        try:
            if hosts.is_main():
                self._make_room(part, state)
            hosts.wait_for_all("room for a checkpoint")
            with one_error(part):
                _write_state(part / "state", state)
            if hosts.is_main():
                (part / META).write_text(json.dumps({**meta, "sha256": digest(state)}))
                (part / SEAL).write_text(json.dumps(_file_digests(part)))
                _remove(folder)
                disk.put(part, folder)
                self._remove_all_but_newest_and_best(step)
        except Exception:
            shutil.rmtree(part, ignore_errors=True)
            raise
        if hosts.is_main():
            self._saved()
        hosts.wait_for_all("checkpoint")

    def _make_room(self, part: Path, state: Any) -> None:
        disk.make_folder(self._directory)
        self.remove_parts()
        needed = sum(leaf.nbytes for leaf in jax.tree.leaves(state)) + MARGIN
        if shutil.disk_usage(self._directory).free < needed:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(part))
        part.mkdir()

    def remove_parts(self) -> None:
        """Remove checkpoints that a killed process had half written, or half removed."""
        for part in self._directory.glob("*.part"):
            shutil.rmtree(part)

    def _remove_all_but_newest_and_best(self, newest: int) -> None:
        steps = [step for step in self.steps() if step <= newest]
        kept = steps[-self._keep_latest :] + self._best_first(steps)[: self._keep_best]
        for step in set(self.steps()) - set(kept):
            _remove(self._folder(step))

    def steps(self) -> list[int]:
        """Steps that have a checkpoint, oldest first."""
        folders = self._directory.iterdir() if self._directory.is_dir() else ()
        return sorted(int(folder.name) for folder in folders if folder.name.isdecimal())

    def scores(self) -> dict[int, float]:
        """Scores of the checkpoints that were evaluated, by step."""
        scores = {step: _score(self._folder(step)) for step in self.steps()}
        return {step: score for step, score in scores.items() if not math.isnan(score)}

    def restore(self, like: T, *, best: bool = False) -> Restored[T] | None:
        """Restore the newest intact state; None if nothing was ever saved.

        Args:
            like: state of the same structure, shapes and dtypes; abstract leaves are enough.
            best: restore the intact state with the best score instead.

        Raises:
            InputError: there are checkpoints, but none is intact, or they are of another model or version.
        """
        steps = self.steps()
        intact = self._intact(reversed(steps))
        for step in self._best_first(intact) if best else intact:
            try:
                return self._restore_step(step, like)
            except InputError:
                raise
            except Exception as error:  # any error of Orbax on damaged files: no fault may end the search
                _pass_over(step, first_line(error))
        if steps != self.steps():  # the run has saved meanwhile
            return self.restore(like, best=best)
        if steps:
            wanted = "intact and evaluated" if best else "intact"
            raise InputError(
                f"run-dir: none of the checkpoints {steps} in {self._directory} is {wanted}; "
                "move the folder away to start afresh"
            )
        return None

    def about(self) -> dict[str, Any] | None:
        """Return the notes that were saved with the newest intact state."""
        return next((_read_meta(self._folder(step))["about"] for step in self._intact(reversed(self.steps()))), None)

    def _intact(self, steps: Iterable[int]) -> Iterator[int]:
        for step in steps:
            if fault := _fault(self._folder(step)):
                _pass_over(step, fault)
            else:
                yield step

    def _best_first(self, steps: Iterable[int]) -> list[int]:
        scores = self.scores()
        return sorted((step for step in steps if step in scores), key=scores.__getitem__, reverse=True)

    def _folder(self, step: int) -> Path:
        return self._directory / str(step)

    def _restore_step(self, step: int, like: T) -> Restored[T]:
        # Shapes first: at a fault Orbax leaves reads unfinished.
        meta = _read_meta(self._folder(step))
        _check_structure(meta["structure"], _structure(like), step)
        state = _read_state(self._folder(step) / "state", like)
        if digest(state) != meta["sha256"]:
            raise ValueError("its numbers do not have the digest that was saved with them")
        return Restored(state, meta["about"])


def _write_state(folder: Path, state: Any) -> None:
    # Imported here: Orbax would add half a second to `import jaxvae`.
    import orbax.checkpoint as ocp

    with ocp.Checkpointer(ocp.StandardCheckpointHandler()) as checkpointer:
        checkpointer.save(folder, args=ocp.args.StandardSave(hosts.place(state, _everywhere())))


def _read_state(folder: Path, like: T) -> T:
    import orbax.checkpoint as ocp

    with ocp.Checkpointer(ocp.StandardCheckpointHandler()) as checkpointer:
        return hosts.local(checkpointer.restore(folder, args=ocp.args.StandardRestore(jax.tree.map(_abstract, like))))


def _read_meta(folder: Path) -> dict[str, Any]:
    path = folder / META
    meta = json.loads(path.read_text()) if path.exists() else {"format": 1}  # format 1 has its notes elsewhere
    if meta.get("format") != FORMAT:
        raise InputError(
            f"run-dir: checkpoint {folder} has format {meta.get('format')}, this version reads format {FORMAT}; "
            "use the version that wrote it, or another --run-dir"
        )
    return meta


def _score(folder: Path) -> float:
    try:
        score = _read_meta(folder).get("score")
    except InputError:
        raise
    except (OSError, ValueError):  # damaged
        score = None
    return math.nan if score is None else score


def _structure(tree: Any) -> dict[str, str]:
    leaves = jax.tree_util.tree_leaves_with_path(tree)
    return {jax.tree_util.keystr(path): f"{leaf.dtype} {leaf.shape}" for path, leaf in leaves}


def _check_structure(saved: dict[str, str], wanted: dict[str, str], step: int) -> None:
    for name in sorted(saved.keys() | wanted.keys()):
        if saved.get(name) != wanted.get(name):
            there, here = saved.get(name, "nothing"), wanted.get(name, "nothing")
            raise InputError(
                f"run-dir: checkpoint {step} is of another model: state{name} is {there} there and {here} here"
            )


def _file_digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path != folder / SEAL)
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def _fault(folder: Path) -> str | None:
    """Compare a step's files with the seal; return the first fault, or None."""
    try:
        found = _file_digests(folder)
        if not found:
            return "its folder is empty"
        sealed = dict(json.loads((folder / SEAL).read_bytes()))
    except (ValueError, TypeError):
        return f"its seal {SEAL} cannot be read"
    except OSError as error:
        return f"{error.filename} cannot be read: {error.strerror}"
    wrong = (name for name in sealed if found.get(name) != sealed[name])
    return next((f"the file {name} is {'changed' if name in found else 'missing'}" for name in wrong), None)


def _pass_over(step: int, fault: str) -> None:
    logger.warning("checkpoint %d is damaged and was passed over: %.200s", step, fault)


def _remove(folder: Path) -> None:
    # In two steps, so that a killed process leaves no half checkpoint.
    if folder.exists():
        shutil.rmtree(folder.rename(folder.with_name(f"{folder.name}.old.part")))


def _abstract(leaf: Any) -> jax.ShapeDtypeStruct:
    # With a sharding on every leaf a state also restores on another number of devices.
    return jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=_everywhere())


def _everywhere() -> jax.sharding.Sharding:
    if jax.process_count() == 1:
        return jax.sharding.SingleDeviceSharding(jax.devices()[0])
    return jax.sharding.NamedSharding(jax.sharding.Mesh(jax.devices(), "process"), jax.sharding.PartitionSpec())
