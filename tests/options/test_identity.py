"""Identity of a run and its default folder: what makes another run, and the folders of version 0.1."""

import json
from pathlib import Path

import numpy as np
import pytest

from jaxvae.data import load
from jaxvae.options import Recipe, earlier, given
from jaxvae.options.command_line import parse
from jaxvae.options.identity import default_run_dir, identity
from jaxvae.options.stored import to_json
from jaxvae.runs.settle import settle

DIGITS = load("digits")
TAGS = {
    "": "digits-vae-76fe59",
    "--preset conv_vae": "digits-conv_vae-ecc53c",
    "--latent-dim 2 --hidden 500 500 --beta 4": "digits-vae-b19a5b",
    "--preset autoencoder": "digits-autoencoder-cc22a7",
    "--preset denoising_autoencoder --corruption noise": "digits-denoising_autoencoder-44e72e",
    "--preset miwae": "digits-miwae-41518e",
    "--preset ciwae --elbo-share 0.1": "digits-ciwae-d889c3",
    "--preset piwae --num-groups 4": "digits-piwae-67f091",
    "--preset iwae --gradient dreg --num-samples 3 --beta 2 --beta-warmup-steps 100": "digits-iwae-2c2334",
    "--upper-latent-dims 5 --upper-hidden 20 --latent-dim 10": "digits-vae-29086c",
    "--decay cosine --epochs 3 --ema-decay 0.99 --clip-norm 1 --weight-decay 0.01": "digits-vae-ccbbbe",
    "--corruption noise --corruption-level 0.2 --free-bits 0.1 --likelihood continuous_bernoulli "
    "--posterior multivariate_normal": "digits-vae-3d6037",
    "--preset kl_only --seeds 3 --seed 5 --train-examples 500 --batch-size 50 --no-output-bias --activation tanh "
    "--precision bfloat16 --crop 8": "digits-kl_only-f7d10a",
}
"""Commands and the folders that version 0.1 made for them; computed by that version."""


@pytest.mark.parametrize("command", TAGS)
def test_a_folder_of_version_0_1_is_found_by_the_same_command(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    recipe = parse(Recipe, command.split())
    num = recipe.data.train_examples
    data = DIGITS if num is None else DIGITS._replace(train=DIGITS.train.take(np.arange(num)))
    new, old = settle(recipe, data).run_dir, Path("runs") / TAGS[command]
    assert new != old
    assert new.name.rpartition("-")[0] == old.name.rpartition("-")[0]
    old.mkdir(parents=True)
    assert settle(recipe, data).run_dir == old


def test_length_and_place_do_not_make_another_run():
    one = given(preset="vae")
    other = given(preset="vae", steps=9, log_every=3, run_dir=Path("x"), data_dir=Path("y"), devices=2)
    assert identity(one) == identity(other)
    assert default_run_dir(one) == default_run_dir(other)
    assert default_run_dir(one) != default_run_dir(given(preset="vae", seed=1))


def test_length_makes_another_run_where_the_learning_rate_falls_with_it():
    assert identity(given(decay="cosine")) != identity(given(decay="cosine", steps=9))


def test_a_variant_that_version_0_1_did_not_have_has_no_folder_of_it():
    assert earlier.tag(settle(given(), DIGITS), "digits") is not None
    for options in ({"objective": "iwae"}, {"preset": "iwae", "num_groups": 2}):
        assert earlier.tag(settle(given(**options), DIGITS), "digits") is None


FLAT = {
    "preset": "iwae", "dataset": "digits", "data_dir": None, "run_dir": "runs/x", "seed": 3, "steps": 40,
    "hidden": [8, 4], "channels": [], "latent_dim": 2, "upper_latent_dims": [3], "upper_hidden": [100, 100],
    "posterior": "normal", "likelihood": "bernoulli", "beta": 2.0, "beta_warmup_steps": 10, "free_bits": 0.0,
    "num_samples": 5, "num_groups": None, "gradient": "dreg", "elbo_share": None, "corruption": "none",
    "corruption_level": 0.3, "init_from": "runs/y", "compute": {"devices": 1, "compilation_cache": None},
}  # fmt: skip


def test_a_config_of_version_0_1_is_read():
    recipe = earlier.read(json.loads(json.dumps(FLAT)))
    command = (
        "--preset iwae --run-dir runs/x --seed 3 --steps 40 --hidden 8 4 --latent-dim 2 --posterior layers "
        "--prior layers --posterior.upper-latent-dims 3 --likelihood bernoulli --beta 0:2@10 --gradient dreg "
        "--init-from runs/y --devices 1 --compilation-cache None"
    )
    assert recipe == parse(Recipe, command.split())
    assert earlier.read(to_json(recipe)) == recipe
