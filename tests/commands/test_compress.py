"""From a file to a compressed one and back, by the commands; what is written, printed and refused."""

import sys

import numpy as np
import pandas
import pytest

import jaxvae
from jaxvae.commands import compress, decompress
from jaxvae.errors import InputError
from jaxvae.options.command_line import parse

TINY = {"steps": 4, "hidden": (8,), "latent_dim": 2, "quiet": True, "tensorboard": False, "figures": False}
DRAW = np.random.default_rng(0)
IMAGES = np.where(DRAW.random((90, 6, 6, 1)) < 0.2, 255, 0).astype(np.uint8)
TABLE = pandas.DataFrame({"town": DRAW.choice(["Bern", "Chur"], 80), "price": np.round(DRAW.normal(9, 3, 80), 2)})
TABLE.loc[::6, "price"] = np.nan
LINES = ["a dog barks", "a <unk> barks", "a dog <unk>", "a cat barks"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Three runs, each with its data."""
    place = tmp_path_factory.mktemp("compress")
    np.savez(place / "images.npz", image=IMAGES)
    TABLE.to_csv(place / "flats.csv", index=False)
    (place / "animals.train.txt").write_text("\n".join(10 * LINES))
    (place / "animals.test.txt").write_text("\n".join(LINES))
    for preset, name, data in (
        ("vae", "images", "images.npz"),
        ("vae", "flats", "flats.csv"),
        ("token_vae", "text", ""),
    ):
        jaxvae.train(jaxvae.preset(preset, devices=1, **TINY), str(place / data), run_dir=place / name)
    return place


def call(command, options, *words):
    return command.main(parse(options, [*map(str, words)]))


def pressed(*words):
    return call(compress, compress.CompressConfig, *words)


def unpressed(*words):
    return call(decompress, decompress.DecompressConfig, *words)


def test_images_of_a_file_come_back_in_their_order(folder, tmp_path, capsys):
    assert pressed("--run-dir", folder / "images", "--dataset", folder / "images.npz", "--out", tmp_path / "a.vae") == 0
    told = capsys.readouterr().out
    size = (tmp_path / "a.vae").stat().st_size
    assert f"90 images of 3,240 values in {size:,} bytes: {tmp_path / 'a.vae'}\nnet   " in told
    assert f"gross {8 * size / 3240:.4f} bits per value, of which initial bits" in told
    assert unpressed("--file", tmp_path / "a.vae", "--out", tmp_path / "a.npz") == 0
    np.testing.assert_array_equal(np.load(tmp_path / "a.npz")["x"], IMAGES)
    with pytest.raises(InputError, match=r"out: .* is for sentences, and these are binary"):
        unpressed("--file", tmp_path / "a.vae", "--out", tmp_path / "a.txt")


def test_words_that_the_text_itself_calls_unknown_come_back_and_others_are_refused(folder, tmp_path):
    pressed("--run-dir", folder / "text", "--out", tmp_path / "a.vae")
    unpressed("--file", tmp_path / "a.vae", "--out", tmp_path / "a.txt")
    assert (tmp_path / "a.txt").read_text().splitlines() == LINES
    (tmp_path / "mine.txt").write_text("a <unk> barks\na dog barks")
    pressed("--run-dir", folder / "text", "--dataset", tmp_path / "mine.txt", "--out", tmp_path / "b.vae")
    (tmp_path / "mine.txt").write_text("a <unk> barks\na bird barks")
    with pytest.raises(InputError, match=r"^dataset: 1 of its words are not in the run's vocabulary"):
        pressed("--run-dir", folder / "text", "--dataset", tmp_path / "mine.txt", "--out", tmp_path / "c.vae")


def test_a_table_comes_back_with_its_words_and_gaps(folder, tmp_path, capsys):
    pressed("--run-dir", folder / "flats", "--dataset", folder / "flats.csv", "--out", tmp_path / "a.vae")
    unpressed("--file", tmp_path / "a.vae", "--out", tmp_path / "a.csv")
    pandas.testing.assert_frame_equal(pandas.read_csv(tmp_path / "a.csv"), TABLE)


def test_the_first_examples_of_a_split_beside_other_compressors(folder, tmp_path, capsys):
    pressed("--run-dir", folder / "images", "--num", 4, "--out", tmp_path / "a.vae", "--compare")
    told = capsys.readouterr().out
    assert told.startswith("4 images of 144 values")
    assert "| | bits per value | bytes |" in told
    assert "| gzip |" in told


def test_a_comparison_without_its_packages_is_refused_before_anything_is_written(folder, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "imagecodecs", None)
    with pytest.raises(InputError, match="compare: needs imagecodecs, which is not installed"):
        pressed("--run-dir", folder / "images", "--num", 4, "--out", tmp_path / "a.vae", "--compare")
    assert not (tmp_path / "a.vae").exists()


def test_what_is_wrong_is_one_line(folder, tmp_path):
    path = tmp_path / "a.vae"
    path.write_text("mine")
    with pytest.raises(InputError, match=r"a\.vae exists; name another file, or give --overwrite"):
        pressed("--run-dir", folder / "images", "--out", path)
    assert path.read_text() == "mine"
