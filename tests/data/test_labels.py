"""Classes that are kept for training."""

import numpy as np
import pytest

from jaxvae import load as load_run
from jaxvae.data import load
from jaxvae.data.labels import only_classes
from jaxvae.errors import InputError
from jaxvae.options import given
from jaxvae.runs.data import load_data
from jaxvae.runs.training import train_run


def test_training_and_validation_keep_the_classes_and_test_keeps_all():
    digits = load("digits")
    kept = only_classes(digits, ("3", "7"))
    assert {*kept.train.label} == {*kept.validation.label} == {3, 7}
    assert kept.train.num_examples == np.isin(digits.train.label, (3, 7)).sum()
    assert kept.test is digits.test
    assert only_classes(digits, ()) is digits


def test_classes_have_names():
    named = load("digits")._replace(classes=tuple("abcdefghij"))
    assert {*only_classes(named, ("b", "2")).train.label} == {1, 2}


def test_a_class_that_is_not_there_is_refused():
    with pytest.raises(InputError, match=r"only: there is no class '12'.*; give one of 0, 1, 2"):
        only_classes(load("digits"), ("12",))
    digits = load("digits")
    with pytest.raises(InputError, match="only: the examples have no labels"):
        only_classes(digits._replace(train=digits.train._replace(label=None)), ("1",))


def test_a_run_finds_its_classes_again(tmp_path):
    options = {"steps": 1, "batch_size": 4, "hidden": (4,), "latent_dim": 2, "figures": False, "tensorboard": False}
    assert train_run(given(preset="vae", only=("4",), run_dir=tmp_path / "run", **options)) == 0
    data = load_data(load_run(tmp_path / "run"), dataset="digits")  # compares the fingerprints
    assert {*data.train.label} == {4}
    assert len({*data.test.label}) == 10
