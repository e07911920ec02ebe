"""Encode a data set: `python experiments/encode.py --run-dir DIR --out codes.npz` writes the code of each example.

The file may be .npz, .csv, .parquet or, for cells, .h5ad. `jaxvae encode` is the same command.
"""

from jaxvae.commands.encode import EncodeConfig, main
from jaxvae.runs.command_line import run_script

if __name__ == "__main__":
    run_script(main, EncodeConfig)
