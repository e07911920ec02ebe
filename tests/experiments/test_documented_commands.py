"""Every command in README and docs/ is run, in a short form: on digits, for a few steps, with small networks.

Commands that differ in nothing but what the short form replaces are run once. Those that train are followed to their
first step, for which the run is open and the shapes of its loss are known: test_presets.py trains.
"""

import contextlib
import importlib
import re
import shlex
import shutil
import sys
from pathlib import Path

import anndata
import jax
import numpy as np
import pandas
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from jaxvae.commands.figures import maps
from jaxvae.features import Classifier, write_features
from jaxvae.music import write_midi
from jaxvae.runs.command_line import parse
from jaxvae.runs.experiment import prepare

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))
from contenders import Case
from scale import Axis

pytestmark = pytest.mark.slow
PROJECT = Path(__file__).resolve().parents[2]
PAGES = [PROJECT / "README.md", *sorted((PROJECT / "docs").glob("*.md"))]
CALL = re.compile(r"python ((?:experiments|benchmarks)/\w+\.py[^#\"\n]*)")
BLOCKS = [block for page in PAGES for block in re.findall(r"```bash\n(.*?)```", page.read_text(), re.DOTALL)]
CONSOLE = re.compile(r"(?<!\S)(?:python -m jaxvae\.|jaxvae )([a-z]+)(?!\S)")
"""Commands of the installed package, which do what the scripts of their names do."""
COMMANDS = sorted(
    {
        call.strip()
        for block in BLOCKS
        for call in CALL.findall(CONSOLE.sub(r"python experiments/\1.py", block.replace("\\\n", " ")))
    }
)

ELSEWHERE = re.compile(r"(tfds|hf|mine):")
"""Data sets by names that need a network, or a module of the reader's."""
ALONE = "--num-processes 1 --devices 1"
# Figures are drawn by test_presets.py.
TRAIN = f"{ALONE} --steps 2 --batch-size 8 --hidden 4 --log-every 1 --checkpoint-every 2 --latent-dim 2 --no-figures"
SHORT = {
    "train": TRAIN,
    "sample": "--steps 3 --num 3",
    "explore": "--num-images 4",
    "anomaly": "--num-samples 2 --num 3",
    "compress": "--num 5 --overwrite",
    "decompress": "--overwrite",
    "attributes": "--num 8 --num-train 60 --rows 2",
    "encode": "--overwrite",
    "impute": "--overwrite --num-samples 10",
    "runs": "",
    "export": "",
    "evaluate": "--overwrite --num-samples 2 --num-images 5 --ais-images 2 --ais-temperatures 10 --ais-chains 2",
    "classifier": "--steps 2 --overwrite",
    "text": "--num 2 --pairs 2 --points 3 --beams 2",
    "music": "--steps 2 --num 2 --pairs 3 --points 3",
    "throughput": "--nets mlp --batch-sizes 8 --contenders jaxvae_binarized --rounds 1 --seconds 0.01 --starts 1",
    "scale": "--axes batch --rounds 1 --seconds 0.01 --figure scale.png",
    "options": "--nets mlp --variants step --batch-size 8 --rounds 1 --seconds 0.01",
}
"""Script -> options in place of those that make it long."""
READ = {
    "bag_of_words": "test_topics",
    "closed_form_kl": "test_kl_and_evidence",
    "completion": "test_completion",
    "constraints": "test_asked_for",
    "counts": "test_counts",
    "evidence": "test_kl_and_evidence",
    "feature_loss": "test_feature_loss",
    "few_labels": "test_asked_for",
    "forest": "test_forest",
    "latent_space": "test_latent_space",
    "one_class": "test_one_class",
    "one_dimensional": "test_latent_space",
    "rate_distortion": "test_rate_distortion",
    "synthetic": "test_synthetic",
    "sweep": "test_sweep",
    "table": "test_scores",
    "topics": "test_topics",
    "world_model": "test_world_model",
}
"""Script -> tests that run its whole program: the options of its commands are only read here."""
ON = {"", "--run-dir", "--out", "--dataset", "--attribute", "--epochs", "--steps", "--seeds"}
ON |= {"--label", "--thin", "--text", "--table", "--by", "--target", "--overwrite", "--world"}
ON |= {"--folder", "--search", "--fixed", "--trials"}
"""Options that say what a program is run on, and for how long."""
TINY = Case("mlp", (8, 8, 1), (), (4,), 2, 8)
SMALL = {
    "throughput": {
        "NETS": {"mlp": ((8, 8, 1), (), (4,), 150, (8,))},
        "SCRIPT_PRESETS": ("vae",),
        "SCRIPT_STEPS": 2,
        "SCRIPT_IMAGES": (150, 20),
    },
    "scale": {"AXES": {"batch": Axis("examples per batch", (4, 8), lambda n: TINY._replace(batch_size=n))}},
    "options": {"NETS": {"mlp": TINY}},
}
"""Script -> its constants that make it long."""
OF_IMAGES = [["runs/plane"], ["runs/vae"], ["runs/mnist"], ["runs/photos"], ["runs/threes"], ["runs/fashion"]]
"""Runs of which pages ask no more than of runs/NAME."""
LONG = {"--epochs", "--coordinator", "--process-id", "--channels"}
"""Options that are left away where no other value stands in their place."""


@pytest.fixture(scope="module")
def folder(scripts, done, tmp_path_factory):
    """A folder with a set of one's own and, under the names that pages give them, trained runs."""
    place, draw = tmp_path_factory.mktemp("commands"), np.random.default_rng(0)
    image, smile = draw.integers(0, 256, (200, 12, 12), dtype=np.uint8), np.arange(200) % 2
    np.savez(place / "faces.npz", image=image, smile=smile)
    np.savez(place / "frey_faces.npz", image=image)
    np.savez(place / "ink.npz", image=np.where(image > 128, 255, 0).astype(np.uint8))
    np.savez(place / "table.npz", image=draw.normal(50, 20, (60, 4)))
    (place / "mine.csv").write_text("a,town\n" + "".join(f"{i / 7},{'xyz'[i % 3]}\n" for i in range(60)))
    jobs, ages = draw.choice(["fixed", "partime", ""], 90), draw.integers(20, 70, 90)
    rows = [f"{j},{a},{a // 10},{'ab'[a % 2]},{'xy'[int(a % 3 == 0)]}" for j, a in zip(jobs, ages)]
    (place / "credit.csv").write_text("\n".join(["Job,Age,Time,Marital,Status", *rows]) + "\n")
    np.savez(place / "beats.npz", x=draw.normal(size=(60, 20, 1)), anomaly=np.arange(60) % 7 == 0)
    (place / "series.csv").write_text("value\n" + "".join(f"{np.sin(i):.3f}\n" for i in range(200)))
    (place / "poems.txt").write_text("a rose is a rose\n" * 30)
    counts = draw.poisson(2.0, (60, 6))
    np.savez(place / "words.npz", counts=counts, columns=np.array(list("abcdef")))
    obs = pandas.DataFrame({"batch": pandas.Categorical(["north", "south"] * 30)}, index=map(str, range(60)))
    anndata.AnnData(counts.astype(np.float32), obs).write_h5ad(place / "cells.h5ad")
    (place / "photos").mkdir()
    for number in range(20):
        Image.fromarray(image[number]).save(place / "photos" / f"{number}.png")
    Image.fromarray(np.uint8(15 * load_digits().images[0])).save(place / "mine.png")
    (place / "midi").mkdir()
    for number, pitches in enumerate(draw.integers(60, 72, (12, 16))):
        write_midi(place / "midi" / f"{number}.mid", np.array([[4 * i, 4, pitch] for i, pitch in enumerate(pitches)]))
    features = Classifier(10)
    write_features(place / "features.npz", features, features.init(jax.random.key(0), (8, 8, 1)))
    (place / "recipe.toml").write_text('preset = "vae"\nlatent_dim = 2\n')
    shutil.copy(PROJECT / "docs" / "performance.md", place)
    runs = {
        "NAME": "",
        "classes": "--preset conditional_vae",
        "faces": "--dataset faces.npz",
        "smiles": "--dataset faces.npz --condition smile",
        "beats": "--preset signal_vae --dataset beats.npz",
        "series": "--preset signal_vae --dataset series.csv --window-length 8",
        "table": "--dataset mine.csv",
        "text": "--preset lstm_vae --dataset poems.txt",
        "cells": "--preset scvi --dataset cells.h5ad",
        "melodies": "--preset melody_vae --dataset midi --beta 0.2",
        "credit": "--dataset credit.csv",
        "binary": "--dataset ink.npz",
        "credit_miwae": "--dataset credit.csv --preset iwae",
    }
    with contextlib.chdir(place):
        for name, given in runs.items():
            words = shortened("train", given.split())
            done.add(same("train", words))
            assert scripts["train"].main(parse(scripts["train"].Recipe, [*words, "--run-dir", f"runs/{name}"])) == 0
    return place


@pytest.fixture(scope="module")
def done():
    """Calls that were made already, because pages differ in what the short form leaves away."""
    return set()


def same(script, words):
    """Return what is equal for calls that do the same: their options stand in any order."""
    return script, *sorted((option, *values) for option, values in options_of(words).items())


def options_of(words):
    """Options with their values; words before the first are under the empty name."""
    groups = {"": []}
    for word in words:
        groups.setdefault(word if word.startswith("--") else [*groups][-1], []).extend(
            [] if word.startswith("--") else [word]
        )
    return groups


def shortened(script, words):
    """The words of a command, with the script's short options in place of its long ones."""
    assert script in SHORT, f"say in SHORT how {script}.py is made short"
    given = options_of(words)
    if "--help" in given:
        return ["--help"]
    short = options_of(shlex.split(ALONE if "--reproduce" in given else SHORT[script]))
    if script == "train":
        given.pop("--run-dir", None)  # it would find the run of another command there
    if given.get("--run-dir") in OF_IMAGES:
        given["--run-dir"] = ["runs/NAME"]
    if "--save-config" in given:
        given["--save-config"] = ["saved.toml"]
    named = given.get("--dataset", [""])[0]
    if named in ("mnist", "fashion_mnist", "binarized_mnist") or ELSEWHERE.match(named):
        given.pop("--dataset")  # digits take the place of what lies elsewhere
    if given.get("--others") == ["mnist"]:
        given["--others"] = ["digits"]
    if named == "grammar":  # whose report reads many sentences
        given["--dataset"] = ["poems.txt"]
    if "--labelled-per-batch" in given:
        given["--labelled-per-batch"] = ["4"]
    if "--quality" in given:
        given["--features"] = ["features.npz"]
    if "--steps" in short:
        given = {option: values for option, values in given.items() if option not in LONG}
    if "conv_vae" in given.get("--preset", []):
        given["--channels"] = ["2", "3"]
    merged = {**given, **{option: values for option, values in short.items() if option}}
    return [word for option, values in merged.items() for word in ([option] if option else []) + values]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_does_what_its_page_says(scripts, folder, done, monkeypatch, command):
    path, *words = shlex.split(command)
    script = Path(path).stem
    monkeypatch.chdir(folder)
    if path.startswith("benchmarks"):
        module = importlib.import_module(script)
        monkeypatch.setattr(module, "PAGE", folder / "performance.md", raising=False)
    else:
        module = scripts[script]
    monkeypatch.setattr(maps, "MAPPED", {"pca": 40, "tsne": 20})
    for name, value in SMALL.get(script, {}).items():
        monkeypatch.setattr(module, name, value)
    config_type = getattr(module, re.search(r"run_script\(main, (\w+)\)", (PROJECT / path).read_text()).group(1))
    if script in READ:
        assert options_of(words).keys() <= ON, f"run {command} here"
        parse(config_type, words)
        return
    arguments = shortened(script, words)
    if same(script, arguments) in done:
        return
    done.add(same(script, arguments))
    if {"--help", "--save-config"} & {*arguments}:
        with pytest.raises(SystemExit, match="0"):
            parse(config_type, arguments)
    elif script == "train" and "--reproduce" not in arguments:
        with prepare(parse(config_type, arguments)) as experiment:
            assert experiment.run_dir.exists()
    else:
        assert module.main(parse(config_type, arguments)) == 0


@pytest.mark.parametrize("script", READ)
def test_a_program_that_is_not_run_here_is_run_by_its_own_tests(script):
    assert f'scripts["{script}"]' in (Path(__file__).parent / f"{READ[script]}.py").read_text()


def test_commands_are_found_and_the_short_form_replaces_what_is_long():
    assert {Path(command.split()[0]).stem for command in COMMANDS} == SHORT.keys() | READ.keys()
    words = shlex.split("--dataset mnist --epochs 10 --run-dir runs/a --latent-dim 2")
    assert same("train", shortened("train", words)) == same("train", shlex.split(TRAIN))
    with pytest.raises(AssertionError, match=r"how other\.py is made short"):
        shortened("other", [])
