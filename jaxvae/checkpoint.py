"""Checkpoints: Orbax, the newest and the best, each verified by its digest before it is trusted.

Orbax alone loads a flipped byte without a word, and keeps going without a word when a step is damaged; here a damaged
checkpoint is named and the newest intact one is used.
"""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path
from typing import Any, TypeVar

import jax
import numpy as np

from jaxvae.types import InputError

FORMAT = 1
T = TypeVar("T")
logger = logging.getLogger(__name__)


def digest(tree: Any) -> str:
    """Sha256 over every leaf's path, dtype, shape and bytes: equal numbers in an equal structure, equal digest."""
    total = hashlib.sha256()
    for path, leaf in jax.tree_util.tree_leaves_with_path(tree):
        if jax.dtypes.issubdtype(leaf.dtype, jax.dtypes.prng_key):
            leaf = jax.random.key_data(leaf)
        array = np.asarray(leaf)
        total.update(f"{jax.tree_util.keystr(path)} {array.dtype.str} {array.shape} ".encode())
        total.update(np.ascontiguousarray(array).data)
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
        meta = {"format": FORMAT, "config": config, "sha256": digest(state), "score": score}
        args = self._args.Composite(state=self._args.StandardSave(state), meta=self._args.JsonSave(meta))
        self._manager.save(step, args=args, metrics={"score": score})

    def steps(self) -> list[int]:
        """Steps that have a checkpoint, oldest first."""
        return sorted(self._manager.all_steps())

    def restore(self, like: T) -> T | None:
        """The newest intact state, or None where nothing was ever saved.

        Args:
            like: a state of the same structure, shapes and dtypes; abstract leaves will do.

        Raises:
            InputError: there are checkpoints, but none is intact.
        """
        steps = self.steps()
        for step in reversed(steps):
            try:
                return self._restore_step(step, like)
            except Exception as error:  # whatever Orbax meets in damaged files: no fault may end the search
                reason = str(error).strip().splitlines()[:1] or [type(error).__name__]
                logger.warning("checkpoint %d is damaged and was passed over: %s", step, reason[0][:200])
        if steps:
            raise InputError(
                f"run-dir: none of the checkpoints {steps} in {self._manager.directory} is intact; "
                "move the folder away to start afresh"
            )
        return None

    def best_step(self) -> int | None:
        """The step with the best score."""
        return self._manager.best_step()

    def _restore_step(self, step: int, like: T) -> T:
        abstract = jax.tree.map(_abstract, like)
        args = self._args.Composite(state=self._args.StandardRestore(abstract), meta=self._args.JsonRestore())
        restored = self._manager.restore(step, args=args)
        if restored.meta["format"] != FORMAT:
            raise ValueError(f"its format is {restored.meta['format']}, this version reads {FORMAT}")
        if digest(restored.state) != restored.meta["sha256"]:
            raise ValueError("its numbers do not have the digest that was saved with them")
        return restored.state

    def close(self) -> None:
        """Finish what is being written."""
        self._manager.close()


def _score(metrics: dict[str, float]) -> float:
    return metrics["score"]


def _abstract(leaf: Any) -> jax.ShapeDtypeStruct:
    # With a sharding on every leaf a state also restores on another number of devices.
    sharding = jax.sharding.SingleDeviceSharding(jax.devices()[0])
    return jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=sharding)
