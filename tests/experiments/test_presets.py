"""THE TABLE: every preset from train.py with its figures to explore.py's page, on digits or on other images.

Presets that are `vae` with another objective have its figures and pages, and are only trained and evaluated.
"""

import dataclasses
import json

import numpy as np
import pytest
from PIL import Image

from jaxvae.errors import InputError
from jaxvae.nets import Conv, Signal, Spatial
from jaxvae.options import given
from jaxvae.options.names import options
from jaxvae.presets import PRESETS
from jaxvae.runs.command_line import parse
from jaxvae.runs.directory import read_config

pytestmark = pytest.mark.slow
SHORT = "--steps 2 --batch-size 8 --log-every 1 --checkpoint-every 2 --num-processes 1 --devices 1"
TEXT = [name for name, row in PRESETS.items() if getattr(row.networks, "reads", None) == "tokens"]
COUNTED = [name for name, row in PRESETS.items() if getattr(row.networks, "reads", None) == "counts"]
SENTENCES = ("the dog sees a cat", "a cat sleeps", "the cat sees the dog and the dog sleeps", "a dog sleeps")
SMALL = {"--hidden": 4, "--embedding": 3, "--width": 8, "--likelihood.hidden": 4, "--likelihood.embedding": 3}
SMALL |= {"--likelihood.width": 8, "--likelihood.conductor": 4, "--likelihood.steps-per-bar": 3}
SMALL |= {"--num-layers": 1, "--likelihood.num-layers": 1}
"""Sizes of networks of text, for the presets that have them."""
OF_NUMBERS = {"bits_per_dimension", "log_jacobian"}
"""Scores that neither text nor counts have."""
DRAWN = {"reconstructions.png", "samples.png", "loss.png"}
SAMPLED = {"samples.png", "reconstructions.png", "traversal.png", "traversal.gif"}


@pytest.fixture(scope="module")
def datasets(tmp_path_factory):
    """The option that names each set."""
    folder, draw = tmp_path_factory.mktemp("sets"), np.random.default_rng(0)
    for name, channels in {"rgb": 3, "two": 2}.items():
        image = draw.integers(0, 256, (40, 12, 12, channels), dtype=np.uint8)
        np.savez(folder / f"{name}.npz", image=image, label=np.arange(40) % 3)
    return {"digits": "digits", "rgb": str(folder / "rgb.npz"), "two": str(folder / "two.npz")}


@pytest.fixture
def run(scripts, caplog):
    """Call a script with options as a person writes them; it ends well, and draws everything that it means to."""

    def call(script, config_type, *options):
        config = parse(getattr(scripts[script], config_type), [*map(str, options)])
        assert scripts[script].main(config) == 0
        assert "cannot be drawn" not in caplog.text

    return call


def differs_in_the_objective_alone(preset):
    like_vae = {name: getattr(PRESETS["vae"], name) for name in ("objective", "paper")}
    return preset != "vae" and dataclasses.replace(PRESETS[preset], **like_vae) == PRESETS["vae"]


OTHER_OBJECTIVES = [preset for preset in PRESETS if differs_in_the_objective_alone(preset)]
OTHER_IMAGES = {"vae": "rgb", "conv_vae": "two"}
"""Images of more channels than those of digits, for a preset of each kind of networks."""
OTHERS = (*TEXT, *COUNTED, *OTHER_OBJECTIVES)
ROWS = [(preset, OTHER_IMAGES.get(preset, "digits")) for preset in PRESETS if preset not in OTHERS]
WITHOUT_DIMENSIONS = ("vq_vae", "conv_vq_vae", "gumbel_vae")
"""Presets whose codes are chosen from a table: there is nothing to traverse or to explore."""


@pytest.mark.quick_rows("iwae", "factor_vae")
@pytest.mark.parametrize("preset", OTHER_OBJECTIVES)
def test_a_preset_with_another_objective_is_trained_and_evaluated(run, tmp_path, preset):
    small = [*SHORT.split(), "--latent-dim", 2, "--hidden", 4, "--no-figures"]
    run("train", "Recipe", "--preset", preset, "--dataset", "digits", "--run-dir", tmp_path, *small)
    assert json.loads((tmp_path / "summary.json").read_text())["steps"] == 2
    run("evaluate", "EvaluateConfig", "--run-dir", tmp_path, "--num-samples", 2, "--num-images", 4)
    assert json.loads((tmp_path / "evaluation.json").read_text())["num_examples"] == 4


@pytest.mark.parametrize(("preset", "dataset"), ROWS)
def test_a_preset_is_trained_drawn_sampled_evaluated_and_explored(run, datasets, tmp_path, preset, dataset):
    small = [*SHORT.split(), "--latent-dim", 3 if dataset == "rgb" else 2]
    small += ["--hidden", 4] if hasattr(PRESETS[preset].networks, "hidden") else []
    small += ["--channels", 2, 3] if isinstance(PRESETS[preset].networks, Conv | Signal | Spatial) else []
    small += ["--prior.num-inputs", 5] if preset == "vamp_vae" else []
    small += ["--posterior.code-dim", 2] if preset in ("vq_vae", "conv_vq_vae") else []
    small += ["--num-blocks", 1] if preset == "conv_vq_vae" else []
    small += ["--posterior.num-flows", 2] if preset == "planar_vae" else []
    run_dir = tmp_path / "run"
    run("train", "Recipe", "--preset", preset, "--dataset", datasets[dataset], "--run-dir", run_dir, *small)
    summary = json.loads((run_dir / "summary.json").read_text())
    assert summary["steps"] == 2
    check_figures(run_dir, preset, summary)

    run("sample", "SampleConfig", "--run-dir", run_dir, "--num", 3, "--steps", 3)
    assert names(run_dir / "samples") == (DRAWN & SAMPLED if preset in WITHOUT_DIMENSIONS else SAMPLED)
    run("evaluate", "EvaluateConfig", "--run-dir", run_dir, "--num-samples", 2, "--num-images", 4)
    assert json.loads((run_dir / "evaluation.json").read_text())["num_examples"] == 4
    if preset in (*WITHOUT_DIMENSIONS, "signal_vae"):
        with pytest.raises(InputError, match="use jaxvae sample"):
            run("explore", "ExploreConfig", "--run-dir", run_dir, "--num-images", 4)
        return
    run("explore", "ExploreConfig", "--run-dir", run_dir, "--num-images", 4)
    assert (run_dir / "explorer.html").exists()


def check_figures(run_dir, preset, summary):
    recipe = read_config(run_dir)
    wanted = DRAWN | ({"denoised.png"} if hasattr(recipe.corruption, "level") else set())
    wanted |= {"kl_history.png"} if "test_kl_per_dimension" in summary else set()
    on_a_plane = recipe.latent_dim == 2 and preset not in WITHOUT_DIMENSIONS
    wanted |= {"latent.png"} if on_a_plane else set()
    wanted |= {"manifold.png"} if on_a_plane and recipe.condition == "none" else set()
    assert names(run_dir / "figures") == wanted
    for path in (run_dir / "figures").iterdir():
        assert np.asarray(Image.open(path).convert("L")).std() > 1, f"{path} is blank"


UNEXPLORED = ("token_vae", "transformer_vae")
"""Presets whose decoder the explorer's page cannot run."""


@pytest.mark.parametrize("preset", TEXT)
def test_a_preset_of_text_is_trained_written_out_sampled_and_evaluated(run, tmp_path, preset):
    text, run_dir = tmp_path / "text.txt", tmp_path / "run"
    text.write_text("\n".join(SENTENCES * 10))
    known = options(given(preset=preset))
    small = [word for flag, size in SMALL.items() if flag[2:].replace("-", "_") in known for word in (flag, size)]
    run("train", "Recipe", "--preset", preset, "--dataset", text, "--run-dir", run_dir, *SHORT.split(), *small)
    assert read_config(run_dir).preset == preset
    assert json.loads((run_dir / "summary.json").read_text())["steps"] == 2
    assert {"reconstructions.txt", "samples.txt", "loss.png"} <= names(run_dir / "figures")
    run("sample", "SampleConfig", "--run-dir", run_dir, "--num", 3, "--steps", 3)
    assert {"samples.txt", "reconstructions.txt"} <= names(run_dir / "samples")
    assert len((run_dir / "samples" / "samples.txt").read_text().splitlines()) == 3
    with pytest.raises(InputError, match="interpolate: is for images"):
        run("sample", "SampleConfig", "--run-dir", run_dir, "--interpolate", 0, 1)
    run("evaluate", "EvaluateConfig", "--run-dir", run_dir, "--num-samples", 2, "--num-images", 4)
    told = json.loads((run_dir / "evaluation.json").read_text())
    assert told["num_examples"] == 4
    assert np.isfinite([told["log_px"], told["perplexity"]]).all()
    assert not told.keys() & OF_NUMBERS
    if preset in UNEXPLORED:
        with pytest.raises(InputError, match="use jaxvae sample"):
            run("explore", "ExploreConfig", "--run-dir", run_dir, "--num-images", 4)
        return
    run("explore", "ExploreConfig", "--run-dir", run_dir, "--num-images", 4)
    assert (run_dir / "explorer.html").exists()


@pytest.mark.parametrize("preset", COUNTED)
def test_a_preset_of_counts_is_trained_drawn_sampled_and_evaluated(run, tmp_path, preset):
    counts, run_dir = np.random.default_rng(0).poisson(2.0, (60, 6)), tmp_path / "run"
    np.savez(tmp_path / "counts.npz", counts=counts, columns=np.array(list("abcdef")))
    small = [*SHORT.split(), "--latent-dim", 2, "--hidden", 4]
    run("train", "Recipe", "--preset", preset, "--dataset", tmp_path / "counts.npz", "--run-dir", run_dir, *small)
    assert DRAWN | {"latent.png"} <= names(run_dir / "figures")
    run("sample", "SampleConfig", "--run-dir", run_dir, "--num", 3)
    assert {"samples.png", "reconstructions.png"} <= names(run_dir / "samples")
    run("evaluate", "EvaluateConfig", "--run-dir", run_dir, "--num-samples", 2, "--num-images", 4)
    told = json.loads((run_dir / "evaluation.json").read_text())
    assert np.isfinite(told["log_px"])
    assert not told.keys() & {*OF_NUMBERS, "perplexity"}
    with pytest.raises(InputError, match="GivenTotal, which cannot simulate examples"):
        run("evaluate", "EvaluateConfig", "--run-dir", run_dir, "--num-samples", 2, "--ais", "--ais-images", 2)


def names(folder):
    return {path.name for path in folder.iterdir()}
