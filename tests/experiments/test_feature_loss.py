"""Pixels against features: feature_loss.py trains both models alike, and judges them by networks of neither."""

import json

import numpy as np
import pytest

from jaxvae.errors import InputError
from jaxvae.features import read_features
from jaxvae.runs import load_run


@pytest.fixture(scope="module")
def compared(scripts, tmp_path_factory):
    script, folder = scripts["feature_loss"], tmp_path_factory.mktemp("compared")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(script, "NETWORK_STEPS", 40)
        sizes = {"steps": 40, "latent_dim": 4, "channels": (4, 8), "batch_size": 32}
        assert script.main(script.FeatureLossConfig("digits", "3", out=folder, **sizes)) == 0
    return folder


@pytest.mark.slow
def test_both_models_have_the_same_networks_and_data(compared):
    pixels, features = (load_run(compared / name) for name in ("pixels", "features"))
    assert pixels.model.encoder == features.model.encoder
    assert pixels.recipe.train == features.recipe.train
    assert pixels.facts["fingerprint"] == features.facts["fingerprint"]
    loss, judge = (read_features(compared / f"{name}.npz")[1] for name in ("loss", "judge"))
    np.testing.assert_array_equal(features.params["likelihood"]["conv_0.kernel"], loss["conv_0.kernel"])
    assert not np.array_equal(judge["conv_0.kernel"], loss["conv_0.kernel"]), "the loss must not judge itself"


@pytest.mark.slow
def test_the_table_has_a_row_of_each_and_of_real_images(compared):
    rows = json.loads((compared / "feature_loss.json").read_text())["rows"]
    assert [*rows] == ["pixels", "features", "real images"]
    assert rows["real images"]["frechet_distance"] < rows["pixels"]["frechet_distance"]
    assert rows["real images"]["with"] > rows["real images"]["without"]
    for name in ("pixels", "features"):
        assert {"told", "added", "removed", "step"} <= rows[name].keys()
        assert rows[name]["step"] > 0
        assert rows[name]["told"] >= 0.4
    drawn = {path.name for path in compared.glob("*.png")}
    assert drawn == {"reconstructions.png", "samples.png", "edits.png"}


def test_an_attribute_that_is_none_is_refused_before_a_training(scripts, tmp_path):
    script = scripts["feature_loss"]
    with pytest.raises(InputError, match="attribute: 'smile' is none of this data set's"):
        script.main(script.FeatureLossConfig("digits", out=tmp_path / "new"))
    assert not (tmp_path / "new").exists()
