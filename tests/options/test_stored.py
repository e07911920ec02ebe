"""config.json: every recipe comes back as it was, and nothing that the file names is imported."""

import dataclasses
import json
from pathlib import Path

import pytest

from jaxvae.errors import InputError
from jaxvae.options import earlier, given
from jaxvae.options.presets import PRESETS
from jaxvae.options.recipe import AXES
from jaxvae.options.stored import FORMAT, from_json, to_json


@dataclasses.dataclass(frozen=True)
class Mine:
    """Prior of a user, which holds another."""

    inner: object = dataclasses.field(default_factory=AXES["prior"]["standard"])
    widths: tuple[int, ...] = (3,)


def through_a_file(recipe):
    return json.loads(json.dumps(to_json(recipe)))


@pytest.mark.parametrize("name", PRESETS)
def test_presets_come_back(name):
    recipe = given(preset=name, run_dir=Path("a/b"), resize=(8, 6), epochs=1.5, devices=3)
    assert from_json(through_a_file(recipe)) == recipe


@pytest.mark.parametrize(("axis", "kind"), [(axis, kind) for axis, table in AXES.items() for kind in table])
def test_every_choice_comes_back(axis, kind):
    recipe = given().choose(axis, kind)
    plain = through_a_file(recipe)
    assert plain["format"] == FORMAT
    assert plain[axis]["kind"] == kind
    assert from_json(plain) == recipe


def test_a_class_of_ones_own_is_looked_up_among_those_that_are_passed():
    recipe = dataclasses.replace(given(), prior=Mine(widths=(4, 5)))
    plain = through_a_file(recipe)
    assert plain["prior"]["kind"] == f"{__name__}:Mine"
    assert plain["prior"]["inner"] == {"kind": "standard"}
    assert from_json(plain, classes=[Mine]) == recipe
    with pytest.raises(InputError, match=r"prior of kind .*Mine' is unknown; pass its class"):
        from_json(plain)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"format": 4}, "format 4, .* reads 3; use a newer"),
        ({"format": 3, "prior": {"kind": "os:system"}}, "prior of kind 'os:system' is unknown"),
        ({"format": 3, "prior": {"kind": "vampire"}}, "'vampire' is unknown; it was written by another version"),
        ({"format": 3, "latent_dims": 3}, "unknown fields"),
        ({"format": 3, "train": {"step": 3}}, "unknown fields"),
        ({"latent_dims": 3}, "unknown fields"),
        ({"compute": {"device": 3}}, "unknown fields"),
    ],
)
def test_what_is_unknown_is_refused(values, message):
    with pytest.raises(InputError, match=message):
        earlier.read(values)
