"""Speed of LSTM predictors of text: `python benchmarks/sequences.py` trains jaxvae's and PyTorch's in turns.

Both have the same weights, rows and codes; their losses must agree before a time is taken. A step is the loss and its
gradient for all parameters and codes. It needs the extra `bench`.
"""

from __future__ import annotations

import dataclasses
import functools
import statistics
import time
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import torch
from rounds import interleave, median_ratio
from torch import nn
from torch.nn import functional as F

from jaxvae.distributions import Tokens
from jaxvae.errors import InputError
from jaxvae.nets import Bound, LSTMPredictor
from jaxvae.runs.command_line import run_script

WIDTH, LATENT_DIM = 256, 32


class Case(NamedTuple):
    """Case for both."""

    num_tokens: int
    batch_size: int
    length: int


CASES = {"words": Case(10_000, 32, 25), "melodies": Case(90, 64, 32)}


@dataclasses.dataclass(frozen=True)
class Options:
    """Measure the speed of LSTM predictors, jaxvae's and PyTorch's."""

    cases: tuple[Literal["words", "melodies"], ...] = ("words", "melodies")
    """Cases: words (10,000 of them, 32 rows of 25), melodies (90 events, 64 rows of 32)."""
    rounds: int = 15
    """Number of steps of each."""

    def check(self) -> None:
        """Refuse numbers that measure nothing.

        Raises:
            InputError: no step is wanted.
        """
        if self.rounds < 1:
            raise InputError(f"rounds: must be 1 or more, got {self.rounds}")


class TorchPredictor(nn.Module):
    """The same network: z at every step and in the first state, no bias in the output layer."""

    def __init__(self, case: Case) -> None:
        super().__init__()
        self.embed = nn.Embedding(case.num_tokens + 1, WIDTH)
        self.start = nn.Linear(LATENT_DIM, WIDTH, bias=False)
        self.lstm = nn.LSTM(WIDTH + LATENT_DIM, WIDTH, batch_first=True)
        self.output = nn.Linear(WIDTH, case.num_tokens, bias=False)

    def forward(self, rows: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        beginning = torch.full_like(rows[:, :1], self.embed.num_embeddings - 1)
        embedded = self.embed(torch.cat([beginning, rows[:, :-1]], dim=1))
        x = torch.cat([embedded, z[:, None].expand(-1, rows.shape[1], -1)], dim=-1)
        c = self.start(z)[None]
        h, _ = self.lstm(x, (torch.tanh(c), c))
        logits = self.output(h)
        logits[..., 0] = -torch.inf  # padding is never predicted
        return F.cross_entropy(logits.flatten(0, 1), rows.flatten(), reduction="sum")


def inputs(case: Case) -> tuple[np.ndarray, np.ndarray]:
    """Return rows without padding, and codes."""
    draw = np.random.default_rng(0)
    rows = draw.integers(3, case.num_tokens, (case.batch_size, case.length), dtype=np.int64)
    rows[:, -1] = 1
    return rows, draw.normal(size=(case.batch_size, LATENT_DIM)).astype(np.float32)


def ours(case: Case) -> tuple[Callable[[], float], Any]:
    """Return a step, which returns its loss, and the parameters."""
    network = LSTMPredictor(case.num_tokens, (WIDTH,), WIDTH)
    rows, z = map(jnp.asarray, inputs(case))
    params = network.init(jax.random.key(0), rows, z)["params"]

    @jax.jit
    def step(params: Any, z: jax.Array) -> Any:
        def loss(params: Any, z: jax.Array) -> jax.Array:
            return -Tokens(Bound(params, network), z, case.length).log_prob(rows).sum()

        return jax.value_and_grad(loss, argnums=(0, 1))(params, z)

    return lambda: float(jax.block_until_ready(step(params, z))[0]), params


def theirs(case: Case, params: Any) -> Callable[[], float]:
    """Return a step of PyTorch with the same weights."""
    rows, z = map(torch.from_numpy, inputs(case))
    network, z = TorchPredictor(case), z.requires_grad_()
    layer = params["layers_0"]
    weights = {
        network.embed.weight: params["embed"]["embedding"],
        network.start.weight: params["starts_0"]["kernel"].T,
        network.lstm.weight_ih_l0: layer["inputs"]["kernel"].T,
        network.lstm.bias_ih_l0: layer["inputs"]["bias"],
        network.lstm.weight_hh_l0: layer["kernel"].T,
        network.lstm.bias_hh_l0: 0 * layer["inputs"]["bias"],
        network.output.weight: params["output"]["kernel"].T,
    }
    with torch.no_grad():
        for weight, value in weights.items():
            weight.copy_(torch.from_numpy(np.array(value)))

    def step() -> float:
        network.zero_grad()
        loss = network(rows, z)
        loss.backward()
        return loss.item()

    return step


def seconds(step: Callable[[], float]) -> float:
    """Return the time of a step."""
    begin = time.perf_counter()
    step()
    return time.perf_counter() - begin


def main(options: Options) -> int:
    """Print the time of a step and sentences per second of both, and their ratio."""
    for name in options.cases:
        case = CASES[name]
        mine, params = ours(case)
        other = theirs(case, params)
        np.testing.assert_allclose(mine(), other(), rtol=1e-4)
        steps = {"jaxvae": functools.partial(seconds, mine), "torch": functools.partial(seconds, other)}
        times = interleave(steps, options.rounds)
        for who, values in times.items():
            middle = statistics.median(values)
            print(f"{name:10}{who:8}{1e3 * middle:8.1f} ms/step{case.batch_size / middle:9.0f} sentences/s")
        print(f"{name:10}jaxvae / torch: {median_ratio(times['torch'], times['jaxvae']):.2f}, median within a round")
    return 0


if __name__ == "__main__":
    run_script(main, Options)
