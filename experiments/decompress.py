"""Decompress a file: `python experiments/decompress.py --file file.vae --out examples.npz` returns what was compressed.

`jaxvae decompress` is the same command.
"""

from jaxvae.commands.decompress import DecompressConfig, main
from jaxvae.runs.command_line import run_script

if __name__ == "__main__":
    run_script(main, DecompressConfig)
