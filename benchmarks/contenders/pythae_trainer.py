"""pythae's BaseTrainer on its VAE, with the case's networks."""

from __future__ import annotations

import tempfile

import numpy as np
import torch
from pythae.data.datasets import BaseDataset
from pythae.models import VAE, VAEConfig
from pythae.models.base.base_utils import ModelOutput
from pythae.models.nn import BaseDecoder, BaseEncoder
from pythae.trainers import BaseTrainer, BaseTrainerConfig
from torch import nn

from contenders import Case, Run
from contenders.torch_nets import networks, to_tensor


class Encoder(BaseEncoder):
    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: torch.Tensor) -> ModelOutput:
        mean, log_var = self.network(x).chunk(2, dim=-1)
        return ModelOutput(embedding=mean, log_covariance=log_var)


class Decoder(BaseDecoder):
    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, z: torch.Tensor) -> ModelOutput:
        return ModelOutput(reconstruction=torch.sigmoid(self.network(z)))


def setup(case: Case, images: np.ndarray) -> Run:
    encoder, decoder = networks(case)
    height, width, colours = case.shape
    sizes = VAEConfig(input_dim=(colours, height, width), latent_dim=case.latent_dim, reconstruction_loss="bce")
    data = to_tensor(images)
    trainer = BaseTrainer(
        model=VAE(sizes, encoder=Encoder(encoder), decoder=Decoder(decoder)),
        train_dataset=BaseDataset(data, torch.ones(len(data))),
        training_config=BaseTrainerConfig(
            output_dir=tempfile.mkdtemp(), per_device_train_batch_size=case.batch_size, learning_rate=1e-3
        ),
    )
    trainer.prepare_training()

    def run(num_steps: int) -> int:
        for steps in whole_epochs(num_steps, len(data) // case.batch_size):
            part = BaseDataset(data[: steps * case.batch_size], torch.ones(steps * case.batch_size))
            trainer.train_loader = trainer.get_train_dataloader(part)
            trainer.train_step(epoch=1)
            trainer.callback_handler.on_epoch_end(trainer.training_config)
        return num_steps

    return run


def whole_epochs(num_steps: int, steps_per_epoch: int) -> list[int]:
    """Return the number of steps of each epoch, of which the last may be partial."""
    epochs, rest = divmod(num_steps, steps_per_epoch)
    return [steps_per_epoch] * epochs + [rest] * bool(rest)
