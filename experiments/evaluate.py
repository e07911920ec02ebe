"""Evaluate a trained model: `python experiments/evaluate.py --run-dir DIR` prints its ELBO on the whole test split."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from jaxvae.report import write_json
from jaxvae.runs import load_run, pieces
from jaxvae.runs.checks import check_at_least
from jaxvae.runs.command_line import run_script
from jaxvae.runs.compute import Compute, set_up
from jaxvae.runs.data import load_data


@dataclasses.dataclass(frozen=True)
class EvaluateConfig:
    """Estimate the evidence lower bound on the test split, every image once, and write evaluation.json."""

    run_dir: Path
    """A folder that train.py wrote."""
    best: bool = False
    """Use the checkpoint with the best ELBO, on validation images where there are any, and not the newest."""
    num_samples: int = 1
    """Draws of z per image; more of them make the estimate steadier, not better."""
    data_dir: Path | None = None
    """Where tensorflow-datasets keeps its sets, if not where the run found them."""

    def check(self) -> None:
        """Refuse what no run could make right."""
        check_at_least(1, "num_samples", self.num_samples)


def main(config: EvaluateConfig) -> int:
    """Load the run, score the test split, print and write the result."""
    set_up(Compute(num_processes=1))
    run = load_run(config.run_dir, best=config.best)
    data = load_data(run, config.data_dir)
    estimate = pieces.evaluate_split(run.config, run.model, run.params, data.test, config.num_samples)
    values = {**estimate, "num_samples": config.num_samples, "step": run.step, "dataset": data.name}
    write_json(config.run_dir / "evaluation.json", values)
    for name, value in values.items():
        print(f"{name:20} {value:.4f}" if isinstance(value, float) else f"{name:20} {value}")
    return 0


if __name__ == "__main__":
    run_script(main, EvaluateConfig)
