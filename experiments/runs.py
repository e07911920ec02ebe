"""List all runs under a folder: `python experiments/runs.py` prints a table of what differs between them.

`--compare DIR DIR` prints the options that differ between two runs and draws their curves. `jaxvae runs` is the same
command.
"""

from jaxvae.commands.runs import RunsConfig, main
from jaxvae.runs.command_line import run_script

if __name__ == "__main__":
    run_script(main, RunsConfig)
