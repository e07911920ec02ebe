"""Examples of every kind through a file: bit for bit the same, in the bits of the bound; what is wrong is one line."""

import numpy as np
import pandas
import pytest
from sklearn.datasets import load_digits

import jaxvae
from jaxvae.coding import container, machine, stream
from jaxvae.coding.intervals import Binary
from jaxvae.errors import InputError
from jaxvae.runs import portable
from jaxvae.runs.compressing import compress, open_file

TINY = {"hidden": (16,), "latent_dim": 3, "batch_size": 60, "quiet": True, "tensorboard": False, "figures": False}
DRAW = np.random.default_rng(0)
SHADES = load_digits().images[..., None].astype(np.uint8) * 15
DIGITS = np.where(SHADES > 100, 255, 0).astype(np.uint8)
TABLE = pandas.DataFrame(
    {
        "town": DRAW.choice(["Bern", "Basel", "Chur"], 150),
        "rooms": DRAW.integers(1, 9, 150),
        "price": np.round(DRAW.normal(300, 80, 150), 1),
        "area": np.round(DRAW.lognormal(3, 1, 150), 2),
    }
)
TABLE.loc[::5, "price"] = np.nan
TABLE.loc[1::7, "town"] = None


def trained(folder, data, preset="vae", steps=2, **options):
    recipe = jaxvae.preset(preset, devices=1, steps=steps, **{**TINY, **options})
    return jaxvae.train(recipe, data, run_dir=folder / "run")


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    return trained(tmp_path_factory.mktemp("digits"), DIGITS, steps=300)


def written(run, x, path, **options):
    split = run.as_split(x)
    return compress(run, split, path, **options), np.asarray(split.x)


def again(path):
    blocks = [*open_file(path).examples()]
    return np.concatenate(blocks)


def test_digits_take_the_bits_of_the_bound(digits, tmp_path):
    """On 1,797 digits, in both directions, within 1 % of one sample of the ELBO; in coarse buckets they take more."""
    done, stored = written(digits, DIGITS, tmp_path / "digits.vae")
    np.testing.assert_array_equal(again(tmp_path / "digits.vae"), stored)
    assert (stored.dtype, stored.shape) == (np.uint8, DIGITS.shape)
    assert (done.num, done.values) == (1797, DIGITS.size)
    assert 8 * (tmp_path / "digits.vae").stat().st_size == done.file
    assert done.net == pytest.approx(-digits.elbo(DIGITS).sum() / np.log(2), rel=0.01)
    assert done.net < done.file < 1.1 * done.net + 8000
    coarse, _ = written(digits, DIGITS, tmp_path / "coarse.vae", latent_bits=1)
    np.testing.assert_array_equal(again(tmp_path / "coarse.vae"), stored)
    assert coarse.net > 1.005 * done.net


@pytest.mark.parametrize(
    "x",
    [np.zeros((70, 8, 8, 1)), np.ones((70, 8, 8, 1)), DRAW.integers(0, 2, (150, 8, 8, 1)), DIGITS[:1] > 0],
    ids=["black", "white", "noise", "one"],
)
def test_unlikely_images_come_back(digits, tmp_path, x):
    _, stored = written(digits, (255 * x).astype(np.uint8), tmp_path / "x.vae")
    np.testing.assert_array_equal(again(tmp_path / "x.vae"), stored)


OTHER = {"likelihood": "columns", "likelihood.real": "student_t", "likelihood.ordinal": "beta_binomial"}


@pytest.mark.quick_rows("usual")
@pytest.mark.parametrize("family", [{}, OTHER], ids=["usual", "others"])
def test_a_table_comes_back(tmp_path, family):
    run = trained(tmp_path, TABLE, **family)
    split = run.as_split(TABLE)
    compress(run, split, tmp_path / "x.vae")
    blocks = [*open_file(tmp_path / "x.vae").examples()]
    for name in ("x", "observed"):
        np.testing.assert_array_equal(np.concatenate([block[name] for block in blocks]), np.asarray(split.x[name]))
    columns = run.present(blocks[0])
    np.testing.assert_allclose(columns["price"], TABLE["price"], rtol=1e-6)


def test_a_wrong_integer_is_caught(digits, tmp_path, monkeypatch):
    written(digits, DIGITS[:200], tmp_path / "x.vae")
    exact = Binary.from_ones

    def nudged(probabilities):
        zeros = exact(probabilities).zeros.copy()
        zeros[40, 0] ^= np.uint64(1)
        return Binary(zeros)

    monkeypatch.setattr(Binary, "from_ones", nudged)
    with pytest.raises(InputError, match=r"block 1 of 1 of .* decodes to other examples than were written"):
        again(tmp_path / "x.vae")


def test_another_machine_model_or_place_is_refused(digits, tmp_path, monkeypatch):
    path = tmp_path / "x.vae"
    written(digits, DIGITS[:20], path)
    here = machine.fingerprint()
    monkeypatch.setattr(machine, "fingerprint", lambda: {**here, "jaxlib": "0.0.1"})
    with pytest.raises(InputError, match=r"^file: was written with jaxlib '[\d.]+', here it is '0.0.1', and the"):
        open_file(path)
    monkeypatch.undo()
    with pytest.raises(InputError, match="run-dir: there is no nowhere, whose model wrote the file"):
        open_file(path, tmp_path.__class__("nowhere"))
    other = trained(tmp_path, DIGITS, seed=1)
    with pytest.raises(InputError, match=r"run-dir: the model in .* is another than the one of step 300"):
        open_file(path, other.folder)
    with pytest.raises(InputError, match="file: there is no file"):
        open_file(tmp_path / "y.vae")


def test_a_portable_file_opens_anywhere(digits, tmp_path, monkeypatch):
    """On a machine of another kind, bit for bit, in the bits of the float networks within 2 %."""
    path = tmp_path / "x.vae"
    done, stored = written(digits, DIGITS, path, portable=True)
    floats, _ = written(digits, DIGITS, tmp_path / "floats.vae")
    assert done.net == pytest.approx(floats.net, rel=0.02)
    assert done.head < floats.head
    monkeypatch.setattr(machine, "fingerprint", lambda: {"processor": "another"})
    np.testing.assert_array_equal(again(path), stored)
    with pytest.raises(InputError, match="and the networks' numbers may differ"):
        open_file(tmp_path / "floats.vae")
    monkeypatch.setattr(portable, "VERSION", 2)
    with pytest.raises(InputError, match=r"^file: is of version 1 of the portable mode, this jaxvae has 2"):
        open_file(path)


def test_a_changed_word_is_found_before_its_block_is_decoded(digits, tmp_path, monkeypatch):
    monkeypatch.setattr(stream, "EXAMPLES_PER_BLOCK", 16)
    path = tmp_path / "x.vae"
    _, stored = written(digits, DIGITS[:100], path)
    with path.open("rb") as file:
        blocks = container.read_head(file, path).blocks
    assert len(blocks) > 3
    data = bytearray(path.read_bytes())
    data[-1] ^= 128
    path.write_bytes(data)
    found = open_file(path).examples()
    np.testing.assert_array_equal(next(found), stored[: blocks[0].examples])  # a file is decoded while it is read
    with pytest.raises(InputError, match=rf"is damaged in block {len(blocks)} of {len(blocks)}: the checksum differs"):
        list(found)


@pytest.mark.quick_rows("density")
@pytest.mark.parametrize(
    ("data", "options", "told"),
    [
        (SHADES, {"likelihood": "mse"}, "its likelihood Normal gives no probabilities to single values"),
        (DIGITS, {"posterior": "multivariate_normal"}, "its posterior is MultivariateNormal, and"),
        (
            DIGITS,
            {"prior": "mixture", "prior.num_components": 2},
            "its prior is Mixture, and lossless compression takes",
        ),
        (DIGITS, {"preset": "autoencoder"}, "its posterior is Delta"),
    ],
    ids=["density", "posterior", "prior", "point"],
)
def test_what_has_no_codec_is_refused_by_name(tmp_path, data, options, told):
    run = trained(tmp_path, data[:60], **{"batch_size": 40, **options})
    with pytest.raises(InputError, match=f"^run-dir: {told}"):
        written(run, data[:5], tmp_path / "x.vae")
    assert not (tmp_path / "x.vae").exists()


def test_values_without_a_probability_are_refused(tmp_path):
    run = trained(tmp_path, SHADES[:60], batch_size=40, likelihood="discretized_logistic")
    between = run.as_split(np.full((3, 8, 8, 1), 150, np.uint8))._replace(x=np.full((3, 8, 8, 1), 0.5, np.float32))
    with pytest.raises(InputError, match=r"dataset: its value 0\.5 is none that the run's likelihood gives"):
        compress(run, between, tmp_path / "x.vae")
