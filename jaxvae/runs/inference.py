"""End of aggressive inference training: evaluations after which the codes tell no more of their examples."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

import jax
import jax.numpy as jnp
import numpy as np

from jaxvae import hosts, rng
from jaxvae.data import Split
from jaxvae.distributions import Normal
from jaxvae.evaluation import decompose_kl
from jaxvae.evaluation.compiled import compiled
from jaxvae.options.groups import settled
from jaxvae.runs import seeds
from jaxvae.runs.evaluation import evaluation_batches
from jaxvae.runs.experiment import Experiment
from jaxvae.runs.selection import Patience
from jaxvae.training.loop import steps_taken
from jaxvae.training.optimizer import end_phase, evaluation_params, phase_ended
from jaxvae.types import Batch, Distribution, Model, Params, TrainState

COMPARED = 5000
"""Maximum number of posteriors of which each is compared with all others: the first of a split."""


def mutual_information(params: Params, split: Split, *, model: Model, seed: int) -> float:
    """Estimate I(x; z) of the first examples of a split in nats, with the same noise at every call.

    Reference: He et al. 2019, https://arxiv.org/abs/1901.05534, section 4.2; see `evaluation.decompose_kl`.
    """
    encode = compiled(_encode, model=model)
    parts = []
    for batch in evaluation_batches(split.head(COMPARED)):
        real = np.flatnonzero(batch.weights)
        parts.append(jax.tree.map(lambda leaf, real=real: np.asarray(leaf)[real], encode(params, batch)))
    posterior = jax.tree.map(lambda *leaves: np.concatenate(leaves), *parts)
    zeros = jnp.zeros(posterior.mean.shape[1])
    # The mutual information is the same under any prior.
    return decompose_kl(rng.root(seed), posterior, Normal(zeros, zeros)).mutual_information


def _encode(params: Params, batch: Batch, *, model: Model) -> Distribution:
    return model.encode(params, batch.x, *(() if batch.condition is None else (batch.condition,)))


class InferencePhase:
    """First phase of a run, in which the encoder takes several steps for one of the decoder.

    For each seed it ends, once and for all, when the mutual information of its codes has not grown for
    `train.inference_patience` evaluations; without this option nothing happens here.

    Args:
        experiment: the run.
        known: notes of an interrupted run, with those of `notes`.
    """

    def __init__(self, experiment: Experiment, known: Mapping[str, Any]) -> None:
        train = experiment.recipe.train
        limit, before = train.inference_patience, known.get("inference_phase", [None] * train.seeds)
        self._experiment, self._written = experiment, [False] * train.seeds
        self._seeds = [] if limit is None else [Patience(limit, one) for one in before]

    def evaluate(self, state: TrainState) -> dict[str, Any]:
        """Measure the mutual information of each seed, for a line of metrics, and end the phase where it is time."""
        recipe, data, parts = self._experiment.recipe, self._experiment.data, self._experiment.parts
        lines = []
        for patience, (one, member) in zip(self._seeds, seeds.members(recipe, state)):
            params, split = evaluation_params(member), settled(data.validation)
            value = mutual_information(params, split, model=parts.model, seed=one.train.seed)
            lines.append({"mutual_information": value})
            if not patience.is_over:  # a later growth begins no phase again
                patience.see(value)
                if patience.is_over:
                    self._experiment.say(_end(one.train.seed, steps_taken(state)))
        return seeds.together(lines) if lines else {}

    def write(self, state: TrainState) -> TrainState:
        """Tell the optimizer of the seeds whose phase has ended; the state is that of the devices."""
        ended = [patience.is_over for patience in self._seeds]
        if not self._seeds or ended == self._written:
            return state
        self._written, place = ended, cast(Callable[[Any], Any], self._experiment.engine.dispatch.place_state)
        flag = hosts.local(phase_ended(state.opt_state))
        # A seed that goes on alone has lost its notes, but not its flag.
        new = np.asarray(flag) | np.reshape(ended, flag.shape)
        return state._replace(opt_state=end_phase(state.opt_state, place(new)))

    def notes(self) -> dict[str, Any]:
        """Return plain values for a resumed run."""
        return {"inference_phase": [patience.to_json() for patience in self._seeds]} if self._seeds else {}


def _end(seed: int, step: int) -> str:
    return f"step {step}: the mutual information of seed {seed} grows no more; all parts now learn at each step"
