"""PyTorch in several ways: eager with tensors in memory, compiled, and fed as pytorch/examples feeds its VAE."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

from contenders import Case, Run
from contenders.torch_nets import DEVICE, networks, to_tensor


def setup(
    case: Case, images: np.ndarray, *, compiled: bool = False, mode: str = "default", loader: bool = False
) -> Run:
    if DEVICE == "cuda":
        torch.set_float32_matmul_precision("high")  # TF32, as in JAX
    encoder, decoder = networks(case)
    # The example does not set a memory format.
    memory_format = torch.contiguous_format if loader else torch.channels_last
    both = nn.ModuleList([encoder, decoder]).to(device=DEVICE, memory_format=memory_format)
    optimizer = torch.optim.Adam(both.parameters(), lr=1e-3, fused=True if compiled else None)
    scored = probability_loss if loader else logits_loss
    loss = torch.compile(scored, mode=mode) if compiled else scored
    batches = loader_batches(case, images) if loader else memory_batches(case, images, memory_format)
    return stepper(lambda x: loss(encoder, decoder, x), optimizer, batches, log_every=1 if loader else 100)


def stepper(
    loss: Callable[[torch.Tensor], torch.Tensor],
    optimizer: torch.optim.Optimizer,
    batches: Iterator[torch.Tensor],
    log_every: int,
) -> Run:
    """Return the training loop; reading a loss waits for the device."""

    def run(num_steps: int) -> int:
        for number, x in enumerate(itertools.islice(batches, num_steps)):
            optimizer.zero_grad()
            value = loss(x)
            value.backward()
            optimizer.step()
            if number % log_every == 0:
                value.item()
        if DEVICE == "cuda":
            torch.cuda.synchronize()
        return num_steps

    return run


def logits_loss(encoder: nn.Module, decoder: nn.Module, x: torch.Tensor) -> torch.Tensor:
    """Compute minus the evidence lower bound from logits, which is stable and faster."""
    mean, log_var, logits = forward(encoder, decoder, x)
    return (F.binary_cross_entropy_with_logits(logits, x, reduction="sum") + kl(mean, log_var)) / len(x)


def probability_loss(encoder: nn.Module, decoder: nn.Module, x: torch.Tensor) -> torch.Tensor:
    """Compute the example's loss: cross-entropy of a sigmoid, summed over the batch."""
    mean, log_var, logits = forward(encoder, decoder, x)
    return F.binary_cross_entropy(torch.sigmoid(logits), x, reduction="sum") + kl(mean, log_var)


def forward(encoder: nn.Module, decoder: nn.Module, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
    mean, log_var = encoder(x).chunk(2, dim=-1)
    z = mean + torch.exp(0.5 * log_var) * torch.randn_like(mean)
    return mean, log_var, decoder(z)


def kl(mean: torch.Tensor, log_var: torch.Tensor) -> torch.Tensor:
    return -0.5 * torch.sum(1 + log_var - mean.pow(2) - log_var.exp())


def memory_batches(case: Case, images: np.ndarray, memory_format: torch.memory_format) -> Iterator[torch.Tensor]:
    """Yield batches from images on the device as floats; an epoch is a permutation."""
    data = to_tensor(images).to(DEVICE)
    while True:
        for ids in torch.randperm(len(data), device=DEVICE).split(case.batch_size):
            yield data[ids].contiguous(memory_format=memory_format)


class Pictures(Dataset):
    """Data set like torchvision's MNIST with ToTensor: each item becomes a PIL image, then a tensor."""

    def __init__(self, images: np.ndarray) -> None:
        self.images = images.squeeze(-1) if images.shape[-1] == 1 else images

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        picture = Image.fromarray(self.images[index])
        pixels = torch.from_numpy(np.array(picture, copy=True)).view(*picture.size[::-1], len(picture.getbands()))
        return pixels.permute(2, 0, 1).contiguous().to(torch.float32).div(255), 0


def loader_batches(case: Case, images: np.ndarray) -> Iterator[torch.Tensor]:
    """Yield batches from the example's loader."""
    cuda = DEVICE == "cuda"
    loader = DataLoader(Pictures(images), case.batch_size, shuffle=True, num_workers=int(cuda), pin_memory=cuda)
    while True:
        for x, _ in loader:
            yield x.to(DEVICE)
