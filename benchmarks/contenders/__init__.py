"""Contenders: jaxvae, and other libraries as their users run them.

A contender is a module with `setup(case, images, **options) -> run`. `run(num_steps)` trains for at least this number
of steps, waits for their end, and returns their number. Images are `[N, H, W, C]` uint8.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias

import numpy as np

Run: TypeAlias = Callable[[int], int]


class Case(NamedTuple):
    """Case for all contenders: network, batch and data, with Adam at 1e-3 in float32."""

    net: str
    shape: tuple[int, int, int]
    """Shape of one image, `(H, W, C)`."""
    channels: tuple[int, ...]
    """Channels of the 4x4 convolutions with stride 2, from the image inwards; the decoder mirrors them."""
    hidden: tuple[int, ...]
    latent_dim: int
    batch_size: int
    options: Any = None
    """Options of jaxvae's run besides these, by name; others do not know them."""

    def __str__(self) -> str:
        height, width, colours = self.shape
        image = f"{math.prod(self.shape)}" if not self.channels else f"{height}x{width}x{colours}"
        widths = "-".join(map(str, (image, *self.channels, *self.hidden, self.latent_dim)))
        return f"{'convolutions' if self.channels else 'MLP'} {widths}, batch {self.batch_size}"


class Contender(NamedTuple):
    """Row of the table."""

    description: str
    module: str
    options: Mapping[str, Any] = MappingProxyType({})
    against: str = "jaxvae"
    """Row of jaxvae that does the same work."""
    convolutions: bool = True
    """True if it trains convolutional networks too."""


CONTENDERS = {
    "jaxvae": Contender("jaxvae, grey pixels as its peers take them", "jaxvae_run"),
    "jaxvae_binarized": Contender(
        "jaxvae as it trains on MNIST, pixels binarized afresh", "jaxvae_run", {"binarize": True}
    ),
    "plain": Contender("plain JAX written by hand", "plain_jax"),
    "torch": Contender("PyTorch eager, tensors in memory", "torch_loops"),
    "torch_compile": Contender("PyTorch compiled, fused Adam, tensors in memory", "torch_loops", {"compiled": True}),
    "torch_overhead": Contender(
        "PyTorch compiled with reduce-overhead (CUDA graphs)",
        "torch_loops",
        {"compiled": True, "mode": "reduce-overhead"},
    ),
    "torch_loader": Contender(
        "PyTorch as its public VAE example: one image at a time", "torch_loops", {"loader": True}
    ),
    "pythae": Contender("pythae's trainer", "pythae_trainer"),
    "numpyro": Contender(
        "NumPyro's VAE example loop, pixels binarized", "numpyro_loop", against="jaxvae_binarized", convolutions=False
    ),
    "products": Contender("the matrix products of a step alone", "matrix_products", convolutions=False),
}


def names_for(case: Case) -> list[str]:
    """Return the contenders that can train a case."""
    return [name for name, contender in CONTENDERS.items() if contender.convolutions or not case.channels]


def setup(name: str, case: Case, images: np.ndarray) -> Run:
    """Import and set up a contender; its first step may still compile."""
    contender = CONTENDERS[name]
    module = importlib.import_module(f"contenders.{contender.module}")
    # Whole batches alone, so that all steps are equal work.
    whole = len(images) // case.batch_size * case.batch_size
    return module.setup(case, images[:whole], **contender.options)
