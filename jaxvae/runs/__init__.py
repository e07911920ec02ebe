"""Runs: options, training, run directory, and loading of a trained model."""

from jaxvae.runs.directory import load_run as load_run
from jaxvae.runs.run import Run as Run
