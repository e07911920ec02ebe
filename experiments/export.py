"""Export a trained model: `python experiments/export.py --run-dir DIR --to stablehlo` writes what JAX alone runs.

Other forms are safetensors, onnx, javascript and hub. `jaxvae export` is the same command.
"""

from jaxvae.commands.export import ExportConfig, main
from jaxvae.runs.command_line import run_script

if __name__ == "__main__":
    run_script(main, ExportConfig)
