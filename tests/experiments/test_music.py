"""music.py on a run of a few steps: its files, the blend of notes, and runs that are no melodies."""

import json
import wave

import mido
import numpy as np
import pytest

from jaxvae.errors import InputError
from jaxvae.music import write_midi
from jaxvae.music.attributes import ATTRIBUTES
from jaxvae.options import given


@pytest.fixture(scope="module")
def run_dir(scripts, tmp_path_factory):
    folder, draw = tmp_path_factory.mktemp("music"), np.random.default_rng(0)
    (folder / "midi").mkdir()
    for number, pitches in enumerate(draw.integers(60, 72, (12, 16))):
        write_midi(folder / "midi" / f"{number}.mid", np.array([[4 * i, 4, pitch] for i, pitch in enumerate(pitches)]))
    sizes = {"hidden": (4,), "embedding": 4, "likelihood.hidden": (4,), "likelihood.embedding": 4, "latent_dim": 2}
    quiet = {"figures": False, "tensorboard": False, "devices": 1, "num_processes": 1}
    options = {"dataset": str(folder / "midi"), "run_dir": folder / "run", "steps": 2, "batch_size": 8}
    assert scripts["train"].main(given(preset="melody_vae", **options, **sizes, **quiet)) == 0
    return folder / "run"


@pytest.mark.slow
def test_samples_and_a_path_are_drawn_and_can_be_heard(scripts, run_dir):
    script = scripts["music"]
    assert script.main(script.MusicConfig(run_dir=run_dir, num=2, points=3, pairs=1, between=(1, 0))) == 0
    folder = run_dir / "music"
    heard = {
        f"{name}.{end}"
        for name in ("sample_00", "sample_01", "path_00", "path_01", "path_02")
        for end in ("mid", "wav")
    }
    pictures = {"samples.png", "paths.png", "distances.png", "attributes.png", "attributes.json"}
    assert {path.name for path in folder.iterdir()} == heard | pictures
    assert mido.MidiFile(folder / "path_00.mid").type == 0
    with wave.open(str(folder / "sample_00.wav")) as sound:
        assert sound.getnframes() > 0
    changes = json.loads((folder / "attributes.json").read_text())
    assert set(changes) <= set(ATTRIBUTES)


def test_a_blend_goes_from_the_first_melody_to_the_second(scripts):
    rows = np.random.default_rng(0).integers(3, 9, (4, 2, 33))
    blended = scripts["music"].blend(rows, 5, np.random.default_rng(1))
    np.testing.assert_array_equal(blended[0], rows[:, 0])
    np.testing.assert_array_equal(blended[-1], rows[:, 1])
    assert ((blended == rows[:, 0]) | (blended == rows[:, 1])).all()


@pytest.mark.parametrize(("between", "num", "problem"), [(None, 1, "the set has 1"), ((0, 5), 5, "no test melody 5")])
def test_numbers_of_melodies_that_there_are_not(scripts, tmp_path, between, num, problem):
    script = scripts["music"]
    with pytest.raises(InputError, match=problem):
        script.check_numbers(script.MusicConfig(run_dir=tmp_path, between=between), num)


def test_images_are_refused_and_so_is_nothing_to_train_on(scripts, whole):
    script = scripts["music"]
    with pytest.raises(InputError, match="no melodies"):
        script.main(script.MusicConfig(run_dir=whole.run_dir))
    with pytest.raises(InputError, match="--dataset"):
        script.MusicConfig().check()


def test_without_mido_nothing_is_trained_first(scripts, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"needs mido, which is not installed; pip install 'jaxvae\[music\]'"):
        scripts["music"].MusicConfig(dataset="midi").check()
