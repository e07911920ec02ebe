"""Data of a run, prepared as the run's options say, in training and when the run is looked into."""

import json

import numpy as np
from PIL import Image

from jaxvae.data import load
from jaxvae.options import given
from jaxvae.runs.data import load_data
from jaxvae.runs.directory import load_run
from jaxvae.runs.training import train_run

OPTIONS = {"preset": "vae", "steps": 1, "batch_size": 4, "hidden": (4,), "latent_dim": 2, "figures": False}


def test_photographs_of_several_sizes_are_prepared_alike_in_training_and_after_it(tmp_path):
    sizes = np.random.default_rng(0).integers(10, 20, (12, 2))
    for number, (height, width) in enumerate(sizes):
        folder = tmp_path / "photos" / ("cats", "dogs")[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        image = np.full((height, width, 4), 20 * number, np.uint8)
        image[0, 0, 3] = 0
        Image.fromarray(image).save(folder / f"{number}.png")
    config = given(
        dataset=str(tmp_path / "photos"), run_dir=tmp_path / "run", resize=(8,), crop=6, background="red", **OPTIONS
    )
    assert train_run(config) == 0
    facts = json.loads((tmp_path / "run" / "manifest.json").read_text())["data"]
    assert facts["preparation"] == {"resize": "8x8 Pillow LANCZOS", "crop": "6x6", "background": "red"}
    assert (facts["shape"], facts["classes"]) == ([6, 6, 3], ["cats", "dogs"])
    assert json.loads((tmp_path / "run" / "summary.json").read_text())["classes"] == ["cats", "dogs"]
    found = load_data(load_run(tmp_path / "run"))
    assert found.fingerprint() == load(config.data.dataset, preparation=config.data.preparation).fingerprint()
    assert found.preparation == facts["preparation"]
