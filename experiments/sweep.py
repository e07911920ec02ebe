"""Search options of a training: `python experiments/sweep.py --folder DIR --search learning_rate=1e-4:1e-2:log`.

The same command in several terminals shares the study. `jaxvae sweep` is the same command.
"""

from jaxvae.commands.sweep import SweepConfig, main
from jaxvae.runs.command_line import run_script

if __name__ == "__main__":
    run_script(main, SweepConfig)
