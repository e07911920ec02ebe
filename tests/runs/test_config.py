"""Options: round trip through JSON, what identifies a run, and what is refused."""

import json
from pathlib import Path

import pytest
from jaxvae.runs.config import default_run_dir, identity

from jaxvae.runs import TrainConfig
from jaxvae.runs.compute import Compute
from jaxvae.types import InputError


def test_json_round_trip():
    compute = Compute(devices=3, compilation_cache=Path("c"))
    config = TrainConfig(run_dir=Path("a/b"), hidden=(3, 4), latent_dim=2, epochs=1.5, resize=(8, 6), compute=compute)
    assert TrainConfig.from_json(json.loads(json.dumps(config.to_json()))) == config


def test_unknown_fields_are_refused():
    with pytest.raises(InputError, match="unknown fields"):
        TrainConfig.from_json({"latent_dims": 3})
    with pytest.raises(InputError, match="unknown fields"):
        TrainConfig.from_json({"compute": {"device": 3}})


def test_length_and_place_do_not_make_another_run():
    one = TrainConfig()
    other = TrainConfig(steps=9, log_every=3, run_dir=Path("x"), data_dir=Path("y"), compute=Compute(devices=2))
    assert identity(one) == identity(other)
    assert default_run_dir(one) == default_run_dir(other)
    assert default_run_dir(one) != default_run_dir(TrainConfig(seed=1))


def test_length_makes_another_run_where_the_learning_rate_falls_with_it():
    assert identity(TrainConfig(decay="cosine")) != identity(TrainConfig(decay="cosine", steps=9))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steps": 0}, "steps: must be at least 1, got 0"),
        ({"batch_size": -1}, "batch-size: must be at least 1"),
        ({"latent_dim": 0}, "latent-dim: must be at least 1, got 0"),
        ({"learning_rate": float("nan")}, "learning-rate: must be above 0 and finite, got nan"),
        ({"epochs": 0.0}, "epochs: must be above 0"),
        ({"hidden": (4, 0)}, "hidden: must be positive widths"),
        ({"beta": -1.0}, "beta: must be at least 0"),
        ({"epochs": float("inf")}, "epochs: must be above 0 and finite, got inf"),
        ({"seed": -1}, "seed: must be from 0"),
        ({"seed": 2**32 - 1, "seeds": 2}, "seed: must be from 0 to 4294967294"),
        ({"ema_decay": 1.0}, "ema-decay: must be between 0 and 1"),
        ({"weight_decay": -0.1}, "weight-decay: must be at least 0"),
        ({"clip_norm": 0.0}, "clip-norm: must be above 0"),
        ({"warmup_steps": -1}, "warmup-steps: must be at least 0"),
        ({"compute": Compute(devices=0)}, "devices: must be at least 1"),
    ],
)
def test_impossible_options_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        TrainConfig(**options).check()
