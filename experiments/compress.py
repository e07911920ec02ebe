"""Compress a data set: `python experiments/compress.py --run-dir DIR --out file.vae` writes its test split.

`--dataset FILE` compresses other examples, and `--compare` lists what other compressors make of the same values.
`jaxvae compress` is the same command.
"""

from jaxvae.commands.compress import CompressConfig, main
from jaxvae.runs.command_line import run_script

if __name__ == "__main__":
    run_script(main, CompressConfig)
