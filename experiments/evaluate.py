"""Evaluate a trained model on the test split: `python experiments/evaluate.py --run-dir DIR` prints a table.

Every number has its protocol, estimator, number of samples and of images, and standard error; evaluation.json in the
run directory holds them. `jaxvae evaluate` is the same command.
"""

from jaxvae.commands.evaluate import EvaluateConfig, main
from jaxvae.runs.command_line import run_script

if __name__ == "__main__":
    run_script(main, EvaluateConfig)
