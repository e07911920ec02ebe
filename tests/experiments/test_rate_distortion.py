"""rate_distortion.py: one run for each beta, which are read the second time, and a point of each."""

import json

import pytest

from jaxvae.errors import InputError
from jaxvae.runs import many


@pytest.mark.slow
def test_a_higher_beta_pays_less_rate_for_more_distortion(scripts, tmp_path, monkeypatch):
    script = scripts["rate_distortion"]
    config = script.RateDistortionConfig(betas=(4.0, 0.5), steps=100, latent_dim=2, out=tmp_path)
    assert script.main(config) == 0
    points = json.loads((tmp_path / "rate_distortion.json").read_text())
    assert list(points) == ["beta 0.5", "beta 4"]
    low, high = points.values()
    assert low["kl"] > high["kl"]
    assert low["distortion"] < high["distortion"]
    for point in points.values():
        assert point["elbo"] == pytest.approx(-point["kl"] - point["distortion"])
    assert (tmp_path / "rate_distortion.png").exists()
    assert "rate: KL" in (tmp_path / "rate_distortion.md").read_text()
    trained, train = [], many.train_run
    monkeypatch.setattr(many, "train_run", lambda one, options: trained.append(train(one)) or 7)
    assert script.main(config) == 7, "stopped with the run's exit code"
    assert trained == [0]


@pytest.mark.parametrize("betas", [(), (1.0, 1.0), (-1.0,)])
def test_bad_betas_are_refused(scripts, betas):
    with pytest.raises(InputError, match="beta"):
        scripts["rate_distortion"].RateDistortionConfig(betas=betas).check()
