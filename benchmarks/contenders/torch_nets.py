"""Networks of a case in PyTorch, for PyTorch's loops and for pythae."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch
from torch import nn

from contenders import Case

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def networks(case: Case) -> tuple[nn.Module, nn.Module]:
    """Build an encoder `[B, C, H, W]` -> `[B, 2D]`, and a decoder `[B, D]` -> logits `[B, C, H, W]`."""
    height, width, colours = case.shape
    channels = (colours, *case.channels)
    smallest = (channels[-1], height >> len(case.channels), width >> len(case.channels))
    flat = math.prod(smallest)
    down: list[nn.Module] = [nn.Conv2d(a, b, 4, stride=2, padding=1) for a, b in pairwise(channels)]
    up: list[nn.Module] = [nn.ConvTranspose2d(a, b, 4, stride=2, padding=1) for a, b in pairwise(channels[::-1])]
    encoder: list[nn.Module] = [nn.Linear(a, b) for a, b in pairwise((flat, *case.hidden, 2 * case.latent_dim))]
    decoder: list[nn.Module] = [nn.Linear(a, b) for a, b in pairwise((case.latent_dim, *case.hidden[::-1], flat))]
    encoder[0] = nn.Sequential(nn.Flatten(), encoder[0])
    decoder[-1] = nn.Sequential(decoder[-1], nn.Unflatten(1, smallest))
    return with_relu_between([*down, *encoder]), with_relu_between([*decoder, *up])


def with_relu_between(layers: Sequence[nn.Module]) -> nn.Module:
    first, *rest = layers
    return nn.Sequential(first, *(layer for after in rest for layer in (nn.ReLU(), after)))


def to_tensor(images: np.ndarray) -> torch.Tensor:
    """Convert `[N, H, W, C]` uint8 to `[N, C, H, W]` float32 in [0, 1]."""
    return torch.from_numpy(images).permute(0, 3, 1, 2).to(torch.float32) / 255
