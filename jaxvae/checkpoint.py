"""Checkpoints: Orbax, the newest and the best, each verified before it is trusted.

Orbax alone loads a flipped byte without a word, and does not look for an older step when the newest is damaged. Here
every file is sealed by its sha256 and the state by its digest; damage is named, and the newest intact step is used.
Where several processes train together, each calls these functions with its own copy of the state, on a shared disk.
"""

from __future__ import annotations

import hashlib
import json
import logging
from pathlib import Path
from typing import Any, TypeVar

import jax
import numpy as np

from jaxvae import hosts
from jaxvae.types import InputError, first_line

FORMAT = 1
SEAL = "sha256.json"
"""In a step's folder: the digest of every file. Written last, so a step killed before it has none."""
T = TypeVar("T")
logger = logging.getLogger(__name__)


def digest(tree: Any) -> str:
    """Sha256 over every leaf's path, dtype, shape and bytes: equal numbers in an equal structure, equal digest."""
    total = hashlib.sha256()
    for path, leaf in jax.tree_util.tree_leaves_with_path(tree):
        if jax.dtypes.issubdtype(leaf.dtype, jax.dtypes.prng_key):
            leaf = jax.random.key_data(leaf)
        array = np.asarray(leaf)
        total.update(f"{jax.tree_util.keystr(path)} {array.dtype.name} {array.shape} ".encode())
        total.update(array.tobytes())
    return total.hexdigest()


class Checkpoints:
    """The checkpoints of one run: the newest `keep_latest`, and the best by a score that goes up."""

    def __init__(self, directory: Path, *, keep_latest: int = 2, keep_best: int = 1) -> None:
        # Imported here: Orbax costs half a second that `import jaxvae` must not pay.
        import orbax.checkpoint as ocp
        from orbax.checkpoint.checkpoint_managers import preservation_policy as policy

        keep = [policy.LatestN(keep_latest), policy.BestN(get_metric_fn=_score, reverse=False, n=keep_best)]
        options = ocp.CheckpointManagerOptions(
            preservation_policy=policy.AnyPreservationPolicy(keep),
            cleanup_tmp_directories=True,
            enable_async_checkpointing=False,
            best_fn=_score,
        )
        self._args = ocp.args
        self._manager = ocp.CheckpointManager(directory.absolute(), options=options)

    def save(self, step: int, state: Any, config: dict[str, Any], score: float) -> None:
        """Save a state with the config it came from; saving a step that is there already does nothing."""
        if step in self._manager.all_steps():
            return
        meta = {"format": FORMAT, "config": config, "structure": _structure(state), "sha256": digest(state)}
        args = self._args.Composite(
            state=self._args.StandardSave(hosts.place(state, _everywhere())), meta=self._args.JsonSave(meta)
        )
        self._manager.save(step, args=args, metrics={"score": score})
        if hosts.is_main():
            folder = self._folder(step)
            (folder / SEAL).write_text(json.dumps(_file_digests(folder)))
        hosts.wait_for_all("checkpoint")

    def steps(self) -> list[int]:
        """Steps that have a checkpoint, oldest first."""
        return sorted(self._manager.all_steps())

    def restore(self, like: T, *, best: bool = False) -> T | None:
        """The newest intact state, or None where nothing was ever saved.

        Args:
            like: a state of the same structure, shapes and dtypes; abstract leaves will do.
            best: the state with the best score instead, and no other.

        Raises:
            InputError: there are checkpoints, but none is intact, or they are of another model.
        """
        steps = [self._manager.best_step()] if best and self.steps() else self.steps()
        for step in reversed(steps):
            try:
                return self._restore_step(step, like)
            except InputError:
                raise
            except Exception as error:  # whatever Orbax meets in damaged files: no fault may end the search
                logger.warning("checkpoint %d is damaged and was passed over: %.200s", step, first_line(error))
        if steps:
            raise InputError(
                f"run-dir: none of the checkpoints {steps} in {self._manager.directory} is intact; "
                "move the folder away to start afresh"
            )
        return None

    def _folder(self, step: int) -> Path:
        return Path(self._manager.directory) / str(step)

    def _restore_step(self, step: int, like: T) -> T:
        # Files first, then shapes: what Orbax has begun to read when it meets a fault, it leaves behind half-read.
        _check_seal(self._folder(step))
        meta = self._manager.restore(step, args=self._args.Composite(meta=self._args.JsonRestore())).meta
        if meta["format"] != FORMAT:
            raise InputError(f"run-dir: checkpoint {step} has format {meta['format']}, this version reads {FORMAT}")
        _check_structure(meta["structure"], _structure(like), step)
        abstract = jax.tree.map(_abstract, like)
        args = self._args.Composite(state=self._args.StandardRestore(abstract))
        state = hosts.local(self._manager.restore(step, args=args).state)
        if digest(state) != meta["sha256"]:
            raise ValueError("its numbers do not have the digest that was saved with them")
        return state

    def close(self) -> None:
        """Finish what is being written."""
        self._manager.close()


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
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != SEAL)
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def _check_seal(folder: Path) -> None:
    seal, found = folder / SEAL, _file_digests(folder)
    if not found:
        raise ValueError("its folder is empty")
    for name, sha256 in json.loads(seal.read_text()).items() if seal.exists() else ():
        if found.get(name) != sha256:
            raise ValueError(f"the file {name} is {'changed' if name in found else 'missing'}")


def _score(metrics: dict[str, float]) -> float:
    return metrics["score"]


def _abstract(leaf: Any) -> jax.ShapeDtypeStruct:
    # With a sharding on every leaf a state also restores on another number of devices.
    return jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=_everywhere())


def _everywhere() -> jax.sharding.Sharding:
    if jax.process_count() == 1:
        return jax.sharding.SingleDeviceSharding(jax.devices()[0])
    return jax.sharding.NamedSharding(jax.sharding.Mesh(jax.devices(), "process"), jax.sharding.PartitionSpec())
