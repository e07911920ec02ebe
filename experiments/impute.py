"""Fill a table: `python experiments/impute.py --run-dir DIR --out filled.csv` writes expected values in missing cells.

`--tables 5` also writes five tables of draws, for multiple imputation. `jaxvae impute` is the same command.
"""

from jaxvae.commands.impute import ImputeConfig, main
from jaxvae.runs.command_line import run_script

if __name__ == "__main__":
    run_script(main, ImputeConfig)
