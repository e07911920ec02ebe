"""text.py on a run of a few steps: its files, one's own sentences, and runs that are no sentences."""

import numpy as np
import pytest
from PIL import Image

from jaxvae.errors import InputError
from jaxvae.options import given


@pytest.fixture(scope="module")
def run_dir(scripts, tmp_path_factory):
    """Run of sentences in which every word stands for something."""
    folder = tmp_path_factory.mktemp("text")
    text = folder / "pets.txt"
    text.write_text(
        "".join(f"the {who} {does} {n}\n" for n in "abcde" for who in ("cat", "dog") for does in ("eats", "naps"))
    )
    options = {"steps": 300, "learning_rate": 0.01, "beta": 0.01, "hidden": (32,), "latent_dim": 2, "batch_size": 16}
    quiet = {"figures": False, "tensorboard": False, "devices": 1, "num_processes": 1, "select": "last"}
    config = given(preset="token_vae", dataset=str(text), run_dir=folder / "run", **options, **quiet)
    assert scripts["train"].main(config) == 0
    return folder / "run"


@pytest.mark.slow
def test_samples_paths_neighbours_and_distances(scripts, run_dir):
    script = scripts["text"]
    assert script.main(script.TextConfig(run_dir=run_dir, num=3, pairs=1, points=3, beams=2)) == 0
    folder = run_dir / "text"
    assert {path.name for path in folder.iterdir()} == {"samples.txt", "paths.txt", "neighbours.txt", "distances.png"}
    assert len((folder / "samples.txt").read_text().splitlines()) == 3
    assert len((folder / "paths.txt").read_text().split("\n\n")[0].splitlines()) == 3
    assert np.asarray(Image.open(folder / "distances.png").convert("L")).std() > 1


def test_a_path_between_two_sentences_begins_and_ends_with_them(scripts, run_dir, tmp_path):
    script, ends = scripts["text"], ("the cat eats a", "the dog naps d")
    config = script.TextConfig(run_dir=run_dir, between=ends, points=5, num=1, out=tmp_path / "out")
    assert script.main(config) == 0
    lines = (tmp_path / "out" / "path.txt").read_text().splitlines()
    assert len(lines) == 5
    assert (lines[0], lines[-1]) == ends


def test_an_analogy_is_written_below_its_three_sentences(scripts, run_dir, tmp_path):
    script, three = scripts["text"], ("the dog eats b", "the dog eats b", "the cat naps c")
    script.main(script.TextConfig(run_dir=run_dir, analogy=three, between=three[:2], num=1, out=tmp_path / "out"))
    *given, found = (tmp_path / "out" / "analogy.txt").read_text().splitlines()
    assert tuple(given) == three
    assert found == three[2], "a change that is none"


def test_images_are_refused(scripts, whole):
    with pytest.raises(InputError, match="no sentences"):
        scripts["text"].main(scripts["text"].TextConfig(run_dir=whole.run_dir))
