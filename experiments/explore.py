"""Explore a latent space: `python experiments/explore.py --run-dir DIR` writes a page that a browser opens.

`jaxvae explore` is the same command.
"""

from jaxvae.commands.explore import ExploreConfig, main
from jaxvae.runs.command_line import run_script

if __name__ == "__main__":
    run_script(main, ExploreConfig)
