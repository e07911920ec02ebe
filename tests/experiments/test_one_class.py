"""one_class.py: models of one class each, and the areas of their scores beside the baselines'."""

import json

import numpy as np
import pytest

from jaxvae.errors import InputError
from jaxvae.judges.outliers import BASELINES


@pytest.mark.slow
def test_every_score_has_an_area_for_each_class_and_seed(scripts, tmp_path):
    script = scripts["one_class"]
    config = script.OneClassConfig(classes=("0", "4"), steps=150, hidden=(32,), latent_dim=4, seeds=2, out=tmp_path)
    assert script.main(config) == 0
    found = json.loads((tmp_path / "one_class.json").read_text())
    assert [*found["rows"]] == ["0", "4", "mean"]
    for name in ("0", "4"):
        areas = found["areas"][name]
        assert {score: len(each) for score, each in areas.items()} == {
            **dict.fromkeys(("negative_elbo", "negative_log_px", "reconstruction", "complexity_corrected"), 2),
            **dict.fromkeys(BASELINES, 1),
        }
        least = {"complexity_corrected": 0.6}  # digits differ little in what they compress to
        assert all(least.get(score, 0.9) < each <= 1 for score in areas for each in areas[score])
    wanted = np.mean([found["areas"][name]["negative_elbo"] for name in ("0", "4")])
    assert found["rows"]["mean"]["negative_elbo"] == pytest.approx(wanted)
    assert "| mean |" in (tmp_path / "one_class.md").read_text()


def test_one_class_alone_is_refused(scripts, tmp_path):
    np.savez(tmp_path / "mine.npz", x=np.random.default_rng(0).normal(size=(20, 3)), label=np.zeros(20, int))
    with pytest.raises(InputError, match="has no two classes to be told apart"):
        scripts["one_class"].main(scripts["one_class"].OneClassConfig(dataset=str(tmp_path / "mine.npz")))
