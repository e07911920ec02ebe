"""One run, from its options on the command line to its directory and back."""

from jaxvae.runs.config import TrainConfig as TrainConfig
from jaxvae.runs.directory import Run as Run
from jaxvae.runs.directory import load_run as load_run
