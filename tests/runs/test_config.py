"""Options: round trip through JSON, what identifies a run, and what is refused."""

from pathlib import Path

import pytest

from jaxvae.runs import TrainConfig
from jaxvae.runs.config import default_run_dir, identity
from jaxvae.types import InputError


def test_json_round_trip():
    config = TrainConfig(run_dir=Path("a/b"), hidden=(3, 4), latent_dim=2, epochs=1.5)
    assert TrainConfig.from_json(config.to_json()) == config


def test_unknown_fields_are_refused():
    with pytest.raises(InputError, match="unknown fields"):
        TrainConfig.from_json({"latent_dims": 3})


def test_length_and_place_do_not_make_another_run():
    one, other = TrainConfig(), TrainConfig(steps=9, log_every=3, run_dir=Path("x"), data_dir=Path("y"))
    assert identity(one) == identity(other)
    assert default_run_dir(one) == default_run_dir(other)
    assert default_run_dir(one) != default_run_dir(TrainConfig(seed=1))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steps": 0}, "steps: must be at least 1, got 0"),
        ({"batch_size": -1}, "batch-size: must be at least 1"),
        ({"latent_dim": 0}, "latent-dim: must be above 0"),
        ({"learning_rate": float("nan")}, "learning-rate: must be above 0, got nan"),
        ({"epochs": 0.0}, "epochs: must be above 0"),
        ({"hidden": (4, 0)}, "hidden: must be positive widths"),
        ({"beta": -1.0}, "beta: must be 0 or more"),
        ({"seed": -1}, "seed: must be from 0"),
    ],
)
def test_impossible_options_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        TrainConfig(**options).check()
