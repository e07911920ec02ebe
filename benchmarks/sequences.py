"""Speed of LSTM-VAEs: `python benchmarks/sequences.py` trains jaxvae's and PyTorch's in turns.

Both have the same weights, rows and noise; their losses must agree before a time is taken. A step is the loss, its
gradient and a step of Adam. It needs the extra `bench`.
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
import optax
import torch
from rounds import interleave, median_ratio
from torch import nn
from torch.nn import functional as F

from jaxvae.distributions import Normal, Tokens, kl_divergence
from jaxvae.errors import InputError
from jaxvae.nets import Bound, LSTMPredictor
from jaxvae.nets.lstm import LSTMEncoder
from jaxvae.runs.command_line import run_script

WIDTH, LATENT_DIM, RATE = 256, 32, 1e-3


class Case(NamedTuple):
    """Case for both."""

    num_tokens: int
    batch_size: int
    length: int


CASES = {"words": Case(10_000, 32, 25), "melodies": Case(90, 64, 32)}


@dataclasses.dataclass(frozen=True)
class Options:
    """Measure the speed of LSTM-VAEs, jaxvae's and PyTorch's."""

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


class TorchVAE(nn.Module):
    """The same networks: both directions are read, z comes at every step and in the first state."""

    def __init__(self, case: Case) -> None:
        super().__init__()
        self.read = nn.Embedding(case.num_tokens, WIDTH)
        self.encoder = nn.LSTM(WIDTH, WIDTH, batch_first=True, bidirectional=True)
        self.moments = nn.Linear(2 * WIDTH, 2 * LATENT_DIM)
        self.embed = nn.Embedding(case.num_tokens + 1, WIDTH)
        self.start = nn.Linear(LATENT_DIM, WIDTH, bias=False)
        self.decoder = nn.LSTM(WIDTH + LATENT_DIM, WIDTH, batch_first=True)
        self.output = nn.Linear(WIDTH, case.num_tokens, bias=False)

    def forward(self, rows: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        _, (last, _) = self.encoder(self.read(rows))
        mean, log_var = self.moments(torch.cat([last[0], last[1]], dim=-1)).chunk(2, dim=-1)
        z = mean + torch.exp(log_var / 2) * noise
        kl = 0.5 * (mean**2 + log_var.exp() - 1 - log_var).sum()
        beginning = torch.full_like(rows[:, :1], self.embed.num_embeddings - 1)
        embedded = self.embed(torch.cat([beginning, rows[:, :-1]], dim=1))
        x = torch.cat([embedded, z[:, None].expand(-1, rows.shape[1], -1)], dim=-1)
        c = self.start(z)[None]
        h, _ = self.decoder(x, (torch.tanh(c), c))
        logits = self.output(h)
        logits[..., 0] = -torch.inf  # padding is never predicted
        return (F.cross_entropy(logits.flatten(0, 1), rows.flatten(), reduction="sum") + kl) / len(rows)


def inputs(case: Case) -> tuple[np.ndarray, np.ndarray]:
    """Return rows without padding, and the noise of their codes."""
    draw = np.random.default_rng(0)
    rows = draw.integers(3, case.num_tokens, (case.batch_size, case.length), dtype=np.int64)
    rows[:, -1] = 1
    return rows, draw.normal(size=(case.batch_size, LATENT_DIM)).astype(np.float32)


def ours(case: Case) -> tuple[Callable[[], float], Any]:
    """Return a step, which returns the loss before it, and the first parameters."""
    encoder = LSTMEncoder(case.num_tokens, (WIDTH,), 2 * LATENT_DIM, WIDTH)
    predictor = LSTMPredictor(case.num_tokens, (WIDTH,), WIDTH)
    rows, noise = map(jnp.asarray, inputs(case))
    first = {
        "encoder": encoder.init(jax.random.key(0), rows)["params"],
        "predictor": predictor.init(jax.random.key(1), rows, noise)["params"],
    }
    adam, prior = optax.adam(RATE), Normal(jnp.zeros_like(noise), jnp.zeros_like(noise))

    def loss(params: Any) -> jax.Array:
        moments: Any = encoder.apply({"params": params["encoder"]}, rows)
        mean, log_var = jnp.split(moments, 2, axis=-1)
        posterior = Normal(mean, log_var)
        z = mean + jnp.exp(log_var / 2) * noise
        log_px = Tokens(Bound(params["predictor"], predictor), z, case.length).log_prob(rows)
        return (kl_divergence(posterior, prior) - log_px).mean()

    @functools.partial(jax.jit, donate_argnums=0)
    def step(state: Any) -> Any:
        params, of_adam = state
        value, gradient = jax.value_and_grad(loss)(params)
        updates, of_adam = adam.update(gradient, of_adam)
        return (optax.apply_updates(params, updates), of_adam), value

    state = jax.tree.map(jnp.copy, (first, adam.init(first)))

    def train() -> float:
        nonlocal state
        state, value = step(state)
        return float(value)

    return train, first


def theirs(case: Case, params: Any) -> Callable[[], float]:
    """Return a step of PyTorch that begins with the same weights."""
    rows, noise = map(torch.from_numpy, inputs(case))
    network, encoder, predictor = TorchVAE(case), params["encoder"], params["predictor"]
    weights = {
        network.read.weight: encoder["Embed_0"]["embedding"],
        network.moments.weight: encoder["output"]["kernel"].T,
        network.moments.bias: encoder["output"]["bias"],
        network.embed.weight: predictor["embed"]["embedding"],
        network.start.weight: predictor["starts_0"]["kernel"].T,
        network.output.weight: predictor["output"]["kernel"].T,
        **of_layer(network.encoder, "l0", encoder["forward_0"]),
        **of_layer(network.encoder, "l0_reverse", encoder["backward_0"]),
        **of_layer(network.decoder, "l0", predictor["layers_0"]),
    }
    assert len(weights) == len([*network.parameters()])
    with torch.no_grad():
        for weight, value in weights.items():
            weight.copy_(torch.from_numpy(np.array(value)))
    adam = torch.optim.Adam(network.parameters(), RATE)

    def train() -> float:
        adam.zero_grad()
        loss = network(rows, noise)
        loss.backward()
        adam.step()
        return loss.item()

    return train


def of_layer(lstm: nn.LSTM, name: str, params: Any) -> dict[torch.Tensor, Any]:
    """Return the values of one direction's weights; PyTorch has two biases, whose sum counts."""
    inputs = params["inputs"]
    values = {
        "weight_ih": inputs["kernel"].T,
        "weight_hh": params["kernel"].T,
        "bias_ih": inputs["bias"],
        "bias_hh": 0 * inputs["bias"],
    }
    return {getattr(lstm, f"{what}_{name}"): value for what, value in values.items()}


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
        for _ in range(2):  # the second after a step of both
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
