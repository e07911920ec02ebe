"""sample.py and evaluate.py need nothing but a run directory, wherever it lies."""

import csv
import json
import shutil

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from jaxvae import rng
from jaxvae.commands.figures.grids import draw_variations
from jaxvae.commands.figures.traversal import draw_traversals
from jaxvae.commands.sample import SampleConfig
from jaxvae.data import load
from jaxvae.errors import InputError
from jaxvae.latent import slerp
from jaxvae.options import given
from jaxvae.report import animation, figures, presentations, read_metrics
from jaxvae.report.gallery import Gallery
from jaxvae.runs import Run, load_run
from jaxvae.runs.command_line import parse
from jaxvae.runs.parts import build_parts
from jaxvae.runs.settle import settle
from jaxvae.runs.trained import Trained

DATA = load("digits")
TEST, TRAIN = DATA.test.first(300), DATA.train


@pytest.fixture(scope="module")
def run_dir(scripts, tmp_path_factory):
    """A small run, moved to another folder after its training."""
    folder = tmp_path_factory.mktemp("runs")
    options = {"steps": 40, "hidden": (16,), "log_every": 20, "checkpoint_every": 20, "latent_dim": 3}
    options |= {"devices": 1, "num_processes": 1, "tensorboard": False, "figures": False}
    config = given(run_dir=folder / "run", **options)
    scripts["train"].main(config)
    return shutil.move(folder / "run", folder / "moved")


@pytest.fixture(scope="module")
def run(run_dir):
    return load_run(run_dir)


@pytest.fixture
def sample(scripts, run_dir, tmp_path):
    """Call the script with a line of options; the folder that it wrote."""

    def call(line):
        arguments = ["--run-dir", str(run_dir), "--out", str(tmp_path / "out"), *line.split()]
        assert scripts["sample"].main(parse(scripts["sample"].SampleConfig, arguments)) == 0
        return tmp_path / "out"

    return call


@pytest.fixture
def strips(monkeypatch):
    """Originals and images of what is drawn in strips."""
    seen = []
    monkeypatch.setattr(figures, "save_strips", lambda path, originals, images, **_: seen.append((originals, images)))
    return seen


def encode(run, images):
    return np.asarray(run.model.encode(run.params, jnp.asarray(images)).mean)


def decode(run, codes):
    codes = np.asarray(codes)
    images = run.model.decode(run.params, jnp.asarray(codes.reshape(-1, codes.shape[-1]))).mean
    return np.asarray(images).reshape(*codes.shape[:-1], 8, 8, 1)


@pytest.mark.slow
def test_with_no_option_it_writes_what_it_always_does(sample, run, strips):
    names = {path.name for path in sample("--num 20").iterdir()}
    assert names == {"samples.png", "reconstructions.png", "traversal.gif"}, "and traversal.png, were it not for strips"
    ((originals, images),) = strips
    codes = np.tile(encode(run, TEST[:1]), (3, 11, 1))
    codes[range(3), :, range(3)] = np.linspace(-2.5, 2.5, 11)
    np.testing.assert_allclose(images, decode(run, codes), atol=1e-5)
    np.testing.assert_allclose(originals, TEST[[0, 0, 0]], atol=1e-6)


@pytest.mark.slow
def test_only_what_is_asked_for_is_written(sample):
    folder = sample("--interpolate 3 8 --traverse 1 --attribute 7 --vary 2 --neighbours 4 5 --view pca --steps 2")
    pictures = ["interpolation", "traversal", "attribute-7", "variations", "neighbours", "latent-pca"]
    films = ["interpolation", "traversal", "attribute-7"]
    wanted = [f"{name}.png" for name in pictures] + [f"{name}.gif" for name in films]
    assert sorted(path.name for path in folder.iterdir()) == sorted(wanted)


def test_a_film_leads_from_one_reconstruction_to_the_next(sample, run, monkeypatch):
    films = []
    monkeypatch.setattr(animation, "save_gif", lambda path, images, rests, **_: films.append((images, list(rests))))
    sample("--interpolate 3 8 20 --steps 3")
    ((images, rests),) = films
    assert images.shape == (61, 1, 8, 8, 1), "two legs of 30 frames each"
    assert rests == [0, 30, 60]
    codes = encode(run, TEST[[3, 8, 20]])
    expected = decode(run, [codes[0], (codes[0] + codes[1]) / 2, codes[1], codes[2]])
    np.testing.assert_allclose(images[[0, 15, 30, 60], 0], expected, atol=1e-5)


def test_a_spherical_path_is_an_arc(sample, run, strips):
    sample("--interpolate 3 8 --spherical --steps 3")
    ((originals, images),) = strips
    z0, z1 = encode(run, TEST[[3, 8]])
    np.testing.assert_allclose(images[0, :3], decode(run, slerp(z0, z1, 3)), atol=1e-5)
    np.testing.assert_allclose([originals[0], images[0, 3]], TEST[[3, 8]], atol=1e-6)


def test_an_attribute_is_the_difference_of_class_means(sample, run, strips):
    sample("--attribute 7 --strength 0 2 --image 4 5")
    ((_, images),) = strips
    codes, is_7 = encode(run, TRAIN.first(TRAIN.num_examples)), TRAIN.label == 7
    edited = encode(run, TEST[[4, 5]]) + 2 * (codes[is_7].mean(0) - codes[~is_7].mean(0))
    np.testing.assert_allclose(images[:, 0], decode(run, encode(run, TEST[[4, 5]])), atol=1e-5)
    np.testing.assert_allclose(images[:, 1], decode(run, edited), atol=1e-4)


def test_one_strength_is_shown_beside_none(sample, run, strips):
    sample("--attribute 3 --strength -1 --image 2")
    ((_, images),) = strips
    assert images.shape[:2] == (1, 2)
    np.testing.assert_allclose(images[:, 0], decode(run, encode(run, TEST[[2]])), atol=1e-5)


def test_variations_widen_from_row_to_row(sample, run, strips):
    sample("--vary 2 --widen 0 1 5 --num 6")
    ((_, images),) = strips
    assert images.shape[:2] == (3, 6)
    mean = decode(run, encode(run, TEST[[2]]))
    np.testing.assert_allclose(images[0], np.repeat(mean, 6, axis=0), atol=1e-5)
    distances = np.square(images - mean).sum(axis=(2, 3, 4)).mean(axis=1)
    assert 0 < distances[1] < distances[2]


def test_neighbours_are_the_training_images_with_the_nearest_codes(sample, run, strips):
    sample("--neighbours 4 9 --num 3")
    ((_, images),) = strips
    images_of_training = TRAIN.first(TRAIN.num_examples)
    distances = np.linalg.norm(encode(run, TEST[[4, 9]])[:, None] - encode(run, images_of_training), axis=-1)
    np.testing.assert_allclose(images, images_of_training[distances.argsort(axis=1)[:, :3]], atol=1e-6)


@pytest.mark.slow
def test_a_plain_autoencoder_varies_by_what_its_codes_differ_by(small, tmp_path, strips):
    config = settle(small(preset="autoencoder", latent_dim=2), DATA)
    parts = build_parts(config, DATA.space)
    params = jax.jit(parts.model.init)(rng.root(0), TEST[:1])
    run = Run(config, parts.model, params, step=0, reports_elbo=parts.reports_elbo)
    trained = Trained(run, DATA, tmp_path)
    options = SampleConfig(tmp_path, vary=1, widen=(1.0,), traverse=(1,), steps=3, num=5)
    gallery = Gallery(tmp_path)
    draw_traversals(options, trained, gallery)
    draw_variations(options, trained, gallery)
    (_, traversed), (_, variations) = strips
    codes = encode(run, TEST)
    mean, std = codes.mean(0)[1], codes.std(0)[1]
    expected = [(codes[0, 0], value) for value in (mean - 2.5 * std, mean, mean + 2.5 * std)]
    np.testing.assert_allclose(traversed[0], decode(run, expected), atol=1e-5)
    assert len(np.unique(variations.reshape(5, -1), axis=0)) == 5


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--interpolate 3 300", "interpolate: there is no test image 300; they are numbered from 0 to 299"),
        ("--neighbours 0 -1", "neighbours: there is no test image -1"),
        ("--vary 300", "vary: there is no test image 300"),
        ("--traverse --image 999", "image: there is no test image 999"),
        ("--traverse 0 3", "traverse: there is no latent dimension 3; they are numbered from 0 to 2"),
        ("--interpolate 3 8 --attribute slnat", r"attribute: 'slnat' .*mean 'slant'.* 9, slant, width"),
        ("--interpolate 3", "interpolate: name at least 2, got 1"),
        ("--neighbours", "neighbours: name at least 1, got 0"),
        ("--interpolate 3 8 --steps 1", "steps: must be at least 2, got 1"),
        ("--num 0", "num: must be at least 1, got 0"),
        ("--spherical", "spherical: goes with --interpolate"),
        ("--image 3 --vary 3", "image: goes with --traverse or --attribute"),
        ("--strength 1 --vary 3", "strength: goes with --attribute"),
    ],
)
def test_what_is_not_there_is_refused_before_anything_is_written(sample, tmp_path, line, message):
    with pytest.raises(InputError, match=message) as error:
        sample(line)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "out").exists()


def test_one_dimension_has_no_map(scripts, run_dir, monkeypatch, tmp_path):
    sample = scripts["sample"]
    monkeypatch.setattr(Trained, "latent_dim", 1)
    with pytest.raises(InputError, match="view: a map needs two latent dimensions"):
        sample.main(sample.SampleConfig(run_dir=run_dir, view="pca", out=tmp_path / "out"))


def test_evaluation_agrees_with_the_summary(scripts, run_dir, capsys):
    evaluate = scripts["evaluate"]
    assert evaluate.main(evaluate.EvaluateConfig(run_dir=run_dir, num_samples=20, num_images=None)) == 0
    evaluation = json.loads((run_dir / "evaluation.json").read_text())
    summary = json.loads((run_dir / "summary.json").read_text())
    assert evaluation["elbo"] == summary["test_elbo"]
    assert evaluation["num_examples"] == 300
    assert f"{evaluation['elbo']:.4f}" in capsys.readouterr().out


def test_a_picture_of_ones_own_goes_through_the_model(sample, run, tmp_path, monkeypatch):
    pixels = np.uint8(255 * TEST[:1])
    Image.fromarray(pixels[0, ..., 0]).save(tmp_path / "mine.png")
    drawn = []
    monkeypatch.setattr(presentations, "save", lambda path, stages, **_: drawn.append((path, stages)))
    folder = sample(f"--reconstruct {tmp_path / 'mine.png'}")
    ((path, (original, repaired)),) = drawn
    assert path == folder / "reconstruct.png"
    np.testing.assert_allclose(original.values, pixels / 255, atol=1e-6)
    np.testing.assert_allclose(repaired.values, decode(run, encode(run, pixels / 255)), atol=1e-5)
    with pytest.raises(InputError, match=r"x: there is no file 'no\.png'"):
        sample("--reconstruct no.png")


def test_the_scores_of_each_image_have_the_means_of_the_evaluation(scripts, run_dir, tmp_path):
    evaluate, path = scripts["evaluate"], tmp_path / "scores.csv"
    options = ["--run-dir", str(run_dir), "--num-samples", "3", "--num-images", "20", "--per-example", str(path)]
    evaluate.main(parse(evaluate.EvaluateConfig, options))
    with path.open() as stream:
        rows = [*csv.DictReader(stream)]
    evaluation = json.loads((run_dir / "evaluation.json").read_text())
    for name in ("elbo", "log_likelihood", "kl", "log_px"):
        assert np.mean([float(row[name]) for row in rows]) == pytest.approx(evaluation[name], rel=1e-12)
    assert [int(row["label"]) for row in rows] == DATA.test.label[:20].tolist()
    assert [(row["split"], row["index"]) for row in rows] == [("test", str(number)) for number in range(20)]
    with pytest.raises(InputError, match=r"per-example: .* exists; name another file, or give --overwrite"):
        parse(evaluate.EvaluateConfig, options)


@pytest.mark.slow
def test_the_best_checkpoint_can_be_chosen(scripts, small):
    config = small(learning_rate=0.5, steps=60)
    scripts["train"].main(config)
    evaluate = scripts["evaluate"]
    evaluate.main(evaluate.EvaluateConfig(run_dir=config.run_dir, best=True, num_samples=2))
    records = [r for r in read_metrics(config.run_dir / "metrics.jsonl") if r["split"] == "validation"]
    best = max(records, key=lambda record: record["elbo"])
    assert best is not records[-1], "the test needs a run whose best checkpoint is not its newest"
    assert json.loads((config.run_dir / "evaluation.json").read_text())["step"] == best["step"]


def test_a_folder_without_a_run_is_bad_input(scripts, tmp_path):
    evaluate = scripts["evaluate"]
    with pytest.raises(InputError, match="name the run directory of a training"):
        evaluate.main(evaluate.EvaluateConfig(run_dir=tmp_path))
