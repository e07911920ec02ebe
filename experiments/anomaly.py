"""Find anomalies with a trained run: `python experiments/anomaly.py --run-dir DIR --dataset new` scores every example.

A table ranks them, and figures show the highest and lowest with the score of each pixel or value. Simpler detectors,
fitted to the same training data, stand beside the model's own scores. `jaxvae anomaly` is the same command.
"""

from jaxvae.commands.anomaly import AnomalyConfig, main
from jaxvae.runs.command_line import run_script

if __name__ == "__main__":
    run_script(main, AnomalyConfig)
