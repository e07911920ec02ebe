"""Training: one pure step, its dispatch to the devices, the loop around it, and the end of a run."""

from jaxvae.training.dispatch import Dispatch as Dispatch
from jaxvae.training.dispatch import make_dispatch as make_dispatch
from jaxvae.training.interrupt import Interrupt as Interrupt
from jaxvae.training.labels import Partition as Partition
from jaxvae.training.labels import labelled as labelled
from jaxvae.training.loop import Hook as Hook
from jaxvae.training.loop import Progress as Progress
from jaxvae.training.loop import train as train
from jaxvae.training.nonfinite import NonFiniteError as NonFiniteError
from jaxvae.training.nonfinite import guarded as guarded
from jaxvae.training.step import init_state as init_state
from jaxvae.training.step import make_train_step as make_train_step
