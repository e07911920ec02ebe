"""Runs: options, training, run directory, and loading of a trained model."""

from jaxvae.runs.directory import Run as Run
from jaxvae.runs.directory import load_run as load_run
