"""What the page says about codes and images."""

import dataclasses
import json
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxvae.data import Split
from jaxvae.data.spaces import Real
from jaxvae.distributions import Mixture, Normal
from jaxvae.errors import InputError
from jaxvae.explorer import explorer_page
from jaxvae.explorer.choices import Choices, choices_of
from jaxvae.explorer.codes import activity, planes, slider_ranges
from jaxvae.explorer.contents import attributes, groups, measured, page_contents, prior_samples
from jaxvae.explorer.page import PAGE, SCRIPTS, to_json
from jaxvae.presets import build


@pytest.fixture
def codes():
    """Five dimensions, of which the second varies most and the fourth next."""
    scales = np.array([0.1, 2.0, 0.5, 1.5, 0.0])
    return (np.random.default_rng(0).normal(size=(300, 5)) * scales + 1).astype(np.float32)


def test_the_most_active_dimensions_span_the_plane_of_the_most_used(codes):
    assert list(np.argsort(-activity(codes))) == [1, 3, 2, 0, 4]
    plane = planes(codes)[1]
    assert plane.axis_names == ("z1", "z3")
    np.testing.assert_array_equal(plane.axes, np.eye(5)[[1, 3]])


def test_principal_components_keep_the_most_variance_that_a_plane_can(codes):
    plane = planes(codes)[0]
    np.testing.assert_allclose(plane.axes @ plane.axes.T, np.eye(2), atol=1e-6)
    projected = (codes - plane.origin) @ plane.axes.T
    best = np.sort(np.linalg.eigvalsh(np.cov(codes.T, bias=True)))[:-3:-1]
    np.testing.assert_allclose(projected.var(axis=0), best, rtol=1e-4)


@pytest.mark.parametrize("dim", [1, 2])
def test_up_to_two_dimensions_are_the_map_itself(codes, dim):
    (plane,) = planes(codes[:, :dim])
    np.testing.assert_array_equal(plane.axes, np.eye(2)[:, :dim])
    np.testing.assert_array_equal(plane.origin, np.zeros(dim))


def test_a_map_shows_nearly_all_codes_and_three_standard_deviations(codes):
    plane = planes(codes[:, 1:3] + 4)[0]
    offsets = np.abs(codes[:, 1:3] + 4 - plane.centre)
    assert (offsets <= plane.reach).all(axis=1).mean() > 0.98
    assert (np.abs(np.array([[-3, -3], [3, 3]]) - plane.centre) <= plane.reach).all()


def test_sliders_reach_every_code_on_both_sides_of_zero():
    ranges = slider_ranges(np.array([[0.1, -7.5], [0.2, 1.0]]))
    np.testing.assert_array_equal(ranges, [[-3, 3], [-8, 8]])


def test_attributes_are_differences_of_mean_codes():
    codes = np.array([[0, 0], [2, 0], [0, 4], [0, 8]], np.float32)
    known = {"smile": np.array([0, 1, 0, 0]), "same": np.zeros(4)}
    split = Split(np.zeros((4, 5, 5, 1)), np.array([0, 0, 1, 1]), known)
    vectors = {attribute["name"]: attribute["vector"].tolist() for attribute in attributes(codes, split, "grey")}
    assert vectors == {"class 0": [1, -6], "class 1": [-1, 6], "smile": [2, -4]}
    assert attributes(codes, Split(np.zeros((4, 5, 5, 1))), "grey") == []


def test_measures_are_directions_of_the_examples_that_have_them():
    codes = np.array([[0, 0], [2, 0], [0, 4], [9, 9]], np.float32)
    measures = {"density": np.array([0.1, 0.3, 0.1, np.nan]), "none": np.full(4, np.nan), "same": np.ones(4)}
    (direction,) = measured(codes, measures)
    assert direction["name"] == "density"
    np.testing.assert_array_equal(direction["vector"], [2, -2])


@pytest.mark.parametrize(
    ("label", "known", "expected"),
    [
        ([1, 0, 1, 0], {"smile": [0, 1, 0, 0]}, {"name": "class", "kinds": [0, 1], "values": [1, 0, 1]}),
        (
            None,
            {"age": [0.5, 1.5, 2.0, 1.0], "smile": [0, 1, 0, 0]},
            {"name": "smile", "kinds": [0, 1], "values": [0, 1, 0]},
        ),
        (None, {}, None),
    ],
)
def test_dots_are_coloured_by_class_or_else_by_an_attribute_of_few_values(label, known, expected):
    known = {name: np.array(values) for name, values in known.items()}
    split = Split(np.zeros((4, 2, 2, 1)), None if label is None else np.array(label), known)
    assert groups(split, np.arange(3)) == expected


def test_images_come_from_all_over_the_split():
    """A set that is sorted by class is shown with all classes."""
    model = build("vae", (4,), hidden=(), latent_dim=2)
    params = {
        "encoder": {"output": {"kernel": jnp.ones((4, 4)), "bias": jnp.zeros(4)}},
        "decoder": {"output": {"kernel": jnp.ones((2, 4)), "bias": jnp.zeros(4)}},
    }
    pixels = np.repeat(np.arange(100, dtype=np.uint8)[:, None], 4, axis=1)
    contents = page_contents(model, params, Split(pixels, np.arange(100) // 50), "grey", 4)
    assert contents["groups"] == {"name": "class", "kinds": [0, 1], "values": [0, 0, 1, 1]}
    np.testing.assert_array_equal(contents["pixels"][:, 0], [0, 25, 50, 75])
    np.testing.assert_allclose(contents["codes"][:, 0], np.array([0, 25, 50, 75]) * 4 / 255, rtol=1e-6)


@pytest.mark.parametrize(("channels", "width", "panels"), [(1, 5, 1), (2, 10, 2), (3, 5, 1), (7, 5, 1)])
def test_two_channels_stand_side_by_side_and_of_many_the_page_says_which_are_drawn(channels, width, panels):
    model = build("vae", (4, 5, channels), hidden=(), latent_dim=2)
    split = Split(np.zeros((3, 4, 5, channels), np.uint8))
    params = jax.jit(model.init)(jax.random.key(0), split.first(1))
    image = page_contents(model, params, split, "grey", 3)["image"]
    assert image == {"height": 4, "width": width, "channels": channels, "panels": panels}
    said = "first three of 7 channels as colours" in explorer_page(model, params, split, title="t")
    assert said == (channels == 7)


def test_real_values_are_drawn_between_their_least_and_greatest():
    model = build("vae", (4,), hidden=(), latent_dim=2, likelihood="mse")
    values = np.array([[-2.0, 0.0, 1.0, 2.0], [0.0, 0.0, 0.0, 0.0]], np.float32)
    params = jax.jit(model.init)(jax.random.key(0), values)
    contents = page_contents(model, params, Split(values), "grey", 2)
    assert contents["pixels"].tolist() == [[0, 128, 191, 255], [128] * 4]
    last = contents["decoder"][-1]
    decoded = model.decode(params, jnp.ones((1, 2))).mean[0]
    drawn = last["kernel"].astype(np.float32).sum(axis=0) + last["bias"]
    np.testing.assert_allclose(drawn, (decoded + 2) / 4, atol=1e-3)


def test_classes_have_their_names_and_attributes_of_no_use_are_left_out(caplog):
    codes = np.array([[0, 0], [2, 0], [0, 4], [0, 8]], np.float32)
    known = {"age": np.array([1.0, np.nan, 3.0, 4.0]), "same": np.zeros(4), "smile": np.array([0, 1, 0, 0])}
    split = Split(np.zeros((4, 5, 5, 1)), np.array([0, 0, 1, 1]), known)
    names = [attribute["name"] for attribute in attributes(codes, split, "grey", ("cat", "dog"))]
    assert names == ["class cat", "class dog", "smile"]
    assert "attribute: 'age' holds NaN in 1 of 4 images; it is left out" in caplog.text
    assert "attribute: 'same' is 0 in all 4 images; it is left out" in caplog.text
    assert groups(split, np.arange(3), ("cat", "dog")) == {
        "name": "class",
        "kinds": ["cat", "dog"],
        "values": ["cat", "cat", "dog"],
    }


def test_a_run_of_attributes_is_refused():
    split = Split(np.zeros((3, 4), np.uint8), condition=np.zeros((3, 2), np.float32), condition_space=Real((2,)))
    with pytest.raises(InputError, match="run-dir: the explorer offers classes, this run's condition is attributes"):
        choices_of(split, ())


def test_no_name_ends_the_script_and_arrays_keep_every_bit():
    values = np.array([[0.1, -3.0]], np.float32)
    text = to_json({"name": "</script>", "values": values})
    assert "<" not in text
    parsed = json.loads(text)
    assert parsed["name"] == "</script>"
    assert parsed["values"] == {"dtype": "float32", "shape": [1, 2], "base64": "zczMPQAAQMA="}


def test_the_page_is_whole_and_names_no_other_place(pages):
    text = pages["conv_vae"].path.read_text()
    assert "<title>A &lt;conv_vae&gt;</title>" in text
    assert text.count("</script>") == len(SCRIPTS) + 1
    assert {path.name for path in PAGE.iterdir()} == {f"{name}.js" for name in SCRIPTS} | {"page.html", "style.css"}
    assert re.findall(r"https?://|\bsrc=|@import|url\(", text) == []


def test_the_page_draws_from_a_normal_prior_itself_and_holds_samples_of_any_other():
    model = build("vae", (4, 4, 1), latent_dim=2, hidden=(4,))
    assert prior_samples(model, {}, None) is None
    # Two normals at -5 and 5, or at the class's place.
    mixture = dataclasses.replace(
        model, prior=lambda params: Mixture(_normals([[-5.0, 0.0], [5.0, 0.0]]), jnp.zeros(2))
    )
    found = prior_samples(mixture, {}, None)
    assert found["codes"].shape == (found["each"], 2)
    np.testing.assert_allclose(np.abs(found["codes"][:, 0]), 5, atol=0.1)
    assert 0.3 < np.mean(found["codes"][:, 0] > 0) < 0.7
    places = dataclasses.replace(model, prior=lambda params, condition: _normals(condition[:, :2]))
    choices = Choices(["a", "b"], np.eye(3, dtype=np.float32)[:2], np.zeros(1, int))
    found = prior_samples(places, {}, choices)
    assert len(found["codes"]) == 2 * found["each"]
    for number, own in enumerate(np.split(found["codes"], 2)):
        np.testing.assert_allclose(own, [np.eye(2)[number]] * found["each"], atol=0.1)


def _normals(means):
    means = jnp.asarray(means)
    return Normal(means, jnp.full_like(means, -9.0))
