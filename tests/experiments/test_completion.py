"""Images completed from a quadrant: a run that sees it, from training to samples, and completion.py's three ways."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.neighbors import KNeighborsRegressor

from jaxvae import load, rng
from jaxvae.data import Split
from jaxvae.data.spaces import Pixels, Quadrants
from jaxvae.errors import InputError
from jaxvae.objectives import elbo_loss
from jaxvae.options import given
from jaxvae.runs.data import load_data
from jaxvae.runs.per_example import drawn
from jaxvae.runs.scores import protocol, score

ALONE = {"devices": 1, "num_processes": 1, "tensorboard": False, "figures": False, "log_every": 20}


def options(**changes):
    sizes = {"steps": 40, "hidden": (16,), "latent_dim": 2, "condition": "bottom-left", "prior": "conditional"}
    return given(preset="vae", **{**ALONE, **sizes, **changes})


@pytest.fixture(scope="module")
def run_dir(scripts, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "run"
    assert scripts["train"].main(options(run_dir=folder, objective="hybrid")) == 0
    return folder


@pytest.fixture(scope="module")
def run(run_dir):
    return load(run_dir)


def test_the_networks_see_the_drawn_quadrant_of_the_same_image(run):
    assert run.condition.space == Quadrants((8, 8, 1), ("bottom-left",))
    test = load_data(run).test.head(20)
    x, seen = drawn(test)
    assert {*np.unique(x)} == {0.0, 1.0}
    np.testing.assert_array_equal(seen[:, 4:, :4], x[:, 4:, :4])
    assert not seen[:, :4].any()
    assert not seen[:, :, 4:].any()
    grey = test.first(20)
    np.testing.assert_array_equal(test.conditions(), run.condition.space.of(grey))
    prior = run.model.prior(run.params, seen)
    assert prior.mean.shape == (20, 2)
    assert len(np.unique(np.asarray(prior.mean), axis=0)) > 1


def test_scores_are_of_the_hidden_pixels(run):
    test = load_data(run).test.head(30)
    lines = {line.name: line.value for line in score(run, test, num_samples=5)}
    assert -48 * np.log(2) < lines["elbo"] <= lines["log_px"] + 0.5 < 0
    assert lines["bits_per_dimension"] == pytest.approx(-lines["log_px"] / np.log(2) / 48)
    assert "given its bottom-left, the other pixels alone scored" in protocol(run.recipe)
    x, seen = drawn(test)
    np.testing.assert_allclose(run.elbo(test).mean(), lines["elbo"], atol=3)
    decoded = run.model.decode(run.params, jnp.zeros((30, 2)), seen)
    each = decoded.pixels
    by_hand = np.where(run.condition.space.mask, 0, x * each.logits - np.logaddexp(0, each.logits)).sum((1, 2, 3))
    np.testing.assert_allclose(decoded.log_prob(x), by_hand, rtol=1e-5)


def test_nothing_hidden_leaves_the_unconditional_bound():
    """With nothing seen the model is one without a condition but for weights of inputs that are 0."""
    space = Pixels((4, 4, 1), "binary")
    recipe = given(preset="vae", latent_dim=2, hidden=(8,), likelihood="bernoulli")
    plain, blind = recipe.build(space), recipe.build(space, condition_space=Quadrants((4, 4, 1), ()))
    x = jax.random.bernoulli(jax.random.key(0), 0.5, (6, 4, 4, 1)).astype(jnp.float32)
    params = blind.init(jax.random.key(1), x, jnp.zeros_like(x))

    own = jax.tree.map(lambda leaf: leaf, params)
    for name, inputs in {"encoder": 16, "decoder": 2}.items():
        own[name]["Dense_0"]["kernel"] = own[name]["Dense_0"]["kernel"][:inputs]
    keys = rng.example_keys(rng.root(2), jnp.arange(6))
    wanted, _ = elbo_loss(own, keys, x, model=plain)
    found, _ = elbo_loss(params, keys, x, model=blind, condition=jnp.zeros_like(x))
    np.testing.assert_allclose(found, wanted, rtol=1e-6)


def test_completions_keep_what_they_are_given(run):
    x = load_data(run).test.first(2)
    made = run.sample(3, condition=x[:1])
    np.testing.assert_allclose(made[:, 4:, :4], np.repeat(x[:1, 4:, :4], 3, axis=0))
    assert np.ptp(made[:, :4], axis=0).max() > 0, "several completions of one quadrant"
    np.testing.assert_allclose(run.reconstruct(x)[:, 4:, :4], x[:, 4:, :4])
    assert run.log_px(x, 5).shape == (2,)
    with pytest.raises(InputError, match="condition: 2 images for 3 examples"):
        run.sample(3, condition=x)
    with pytest.raises(InputError, match="condition: this run wants one of each example, its bottom-left"):
        run.sample(3)


@pytest.mark.slow
def test_pictures_of_all_tools_and_what_cannot_show_it(scripts, run_dir, tmp_path):
    sample = scripts["sample"]
    assert sample.main(sample.SampleConfig(run_dir, out=tmp_path, num=2, steps=2)) == 0
    assert {"samples.png", "reconstructions.png"} <= {path.name for path in tmp_path.iterdir()}
    tools = {"interpolate": (0, 1), "traverse": (0,), "vary": 2, "steps": 2, "num": 2}
    assert sample.main(sample.SampleConfig(run_dir, out=tmp_path, **tools)) == 0
    with pytest.raises(InputError, match="condition: each image shows its own bottom-left, got '7'; leave it out"):
        sample.main(sample.SampleConfig(run_dir, condition="7"))
    with pytest.raises(InputError, match="the explorer offers classes, this run's condition is quadrants"):
        scripts["explore"].main(scripts["explore"].ExploreConfig(run_dir))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"condition": "top-left,top-right,bottom-left,bottom-right"},
            "condition: with all four quadrants seen nothing is left to complete",
        ),
        ({"condition": "top-left,age"}, "condition: the data set has no attribute 'top-left'"),
        ({"condition": "bottom-left", "preset": "few_labels_vae"}, "classifier: there are no classes to tell"),
    ],
)
def test_what_cannot_be_completed_is_refused(scripts, tmp_path, changes, message):
    with pytest.raises(InputError, match=message):
        scripts["train"].main(given(**{"preset": "vae", "run_dir": tmp_path / "run", **ALONE, **changes}))
    assert not (tmp_path / "run").exists()


def test_vectors_have_no_quadrants(scripts, tmp_path):
    np.savez(tmp_path / "rows.npz", x=np.random.default_rng(0).random((40, 6), np.float32))
    with pytest.raises(InputError, match=r"condition: only images \[H, W, C\] have quadrants"):
        scripts["train"].main(options(dataset=str(tmp_path / "rows.npz"), run_dir=tmp_path / "run"))


def test_neighbours_agree_with_scikit_learn(scripts):
    completion, draw = scripts["completion"], np.random.default_rng(1)
    images = draw.random((50, 6, 5, 1), np.float32)
    quadrants, queries = Quadrants((6, 5, 1), ("top-left", "bottom-left")), draw.random((7, 6, 5, 1), np.float32)
    found = completion.neighbours(Split(images), np.asarray(quadrants.of(queries)), quadrants, 3)
    seen = images[:, :, :2].reshape(50, -1)
    wanted = KNeighborsRegressor(3).fit(seen, images.reshape(50, -1)).predict(queries[:, :, :2].reshape(7, -1))
    np.testing.assert_allclose(found.reshape(7, -1), wanted, rtol=1e-5)
    x = (queries > 0.5).astype(np.float32)
    ink = (3 * found + 0.5) / 4
    each = np.where(x == 1, np.log(ink), np.log(1 - ink))[:, :, 2:].sum((1, 2, 3))
    np.testing.assert_allclose(completion.score_of_mean(found, x, quadrants, 3), each, rtol=1e-5)


@pytest.mark.slow
def test_three_ways_side_by_side(scripts, tmp_path):
    completion = scripts["completion"]
    sizes = {"steps": 400, "hidden": (64,), "latent_dim": 8, "num_images": 100, "num_samples": 20}
    config = completion.CompletionConfig(out=tmp_path, **sizes)
    assert completion.main(config) == 0
    rows = json.loads((tmp_path / "completion.json").read_text())["rows"]
    assert [*rows] == ["nearest neighbours", "network without z", "conditional VAE"]
    assert all(0 < row["nll"] < 48 * np.log(2) for row in rows.values())
    assert rows["network without z"]["nll"] < 20
    assert (tmp_path / "completion.png").exists()
