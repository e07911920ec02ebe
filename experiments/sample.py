"""Draw figures of a trained model: `python experiments/sample.py --run-dir DIR` writes three figures and an animation.

`--reconstruct`, `--interpolate`, `--traverse`, `--attribute`, `--vary`, `--neighbours` and `--view` write other figures
instead, some also as an animation. `jaxvae sample` is the same command.
"""

from jaxvae.commands.sample import SampleConfig, main
from jaxvae.runs.command_line import run_script

if __name__ == "__main__":
    run_script(main, SampleConfig)
