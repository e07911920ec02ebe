"""Runs of sequences from training to the page: it writes what the run writes, in a real browser."""

import jax
import numpy as np
import pytest

from jaxvae.commands import explore, train
from jaxvae.errors import InputError
from jaxvae.music import write_midi
from jaxvae.options import given
from jaxvae.runs import load_run

QUIET = {"figures": False, "tensorboard": False, "devices": 1, "num_processes": 1, "select": "last"}
SMALL = {"latent_dim": 4, "hidden": (16,), "likelihood.hidden": (24,), "likelihood.embedding": 8, "batch_size": 16}


def pets(folder):
    """Forty sentences in which every word stands for something."""
    lines = [f"the {who} {does} {n}" for n in "abcde" for who in ("cat", "dog") for does in ("eats", "naps", "runs")]
    (folder / "pets.txt").write_text("\n".join(lines))
    return folder / "pets.txt"


def scales(folder):
    """Thirty melodies of two bars that go up or down by different steps."""
    for number in range(30):
        pitch = 60 + np.arange(8) * (number % 7 - 3) + number % 5
        notes = np.stack([4 * np.arange(8), np.full(8, 4 - number % 2), pitch], axis=1)
        write_midi(folder / f"{number}.mid", notes)
    return folder


def trained(folder, preset, dataset, steps=150):
    folder = folder / "run"
    options = {"steps": steps, "learning_rate": 0.02, "beta": 0.01, "dataset": str(dataset), "run_dir": folder}
    assert train.main(given(preset=preset, **options, **(SMALL if preset != "token_vae" else {}), **QUIET)) == 0
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(
    ("preset", "dataset", "display"), [("lstm_vae", pets, "texts"), ("melody_vae", scales, "melodies")]
)
def test_the_page_of_a_run_writes_what_the_run_writes(browser, opened, tmp_path, capsys, preset, dataset, display):
    run_dir = trained(tmp_path, preset, dataset(tmp_path))
    capsys.readouterr()
    assert explore.main(explore.ExploreConfig(run_dir)) == 0
    path = run_dir / "explorer.html"
    assert f"{path} (0.1 MB): open it in a browser" in capsys.readouterr().out
    run = load_run(run_dir)
    codes = 1.5 * np.random.default_rng(0).normal(size=(30, 4)).astype(np.float32)
    rows = jax.jit(lambda z: run.model.decode(run.params, z).point)(codes)
    opened(path)
    assert browser.execute_script("return explorer.contents.display") == display
    written = [browser.execute_script("return [...explorer.decode(arguments[0])]", z.tolist()) for z in codes]
    assert len({tuple(row) for row in written}) > 5, "rows in which a mistake would show"
    assert written == rows.tolist()


def test_a_run_with_another_predictor_is_refused(tmp_path):
    run_dir = trained(tmp_path, "token_vae", pets(tmp_path), steps=2)
    with pytest.raises(InputError, match="likelihood: the explorer writes tokens with lstm and hierarchical, got Tok"):
        explore.main(explore.ExploreConfig(run_dir))
    assert not (run_dir / "explorer.html").exists()
