"""Train a VAE: `python experiments/train.py --help` lists the options; without any it trains on small digits.

A run directory holds config.json, manifest.json, metrics.jsonl, summary.json, figures/, tensorboard/, checkpoints/, and
a run directory seed-N/ for each seed where several were trained together. `jaxvae train` is the same command.
"""

from jaxvae.commands.train import main
from jaxvae.options import Recipe
from jaxvae.runs.command_line import run_script

if __name__ == "__main__":
    run_script(main, Recipe)
