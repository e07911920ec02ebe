"""Options of a function: its keyword-only arguments, their defaults and their help."""

import dataclasses
from typing import Literal

import pytest

from jaxvae.errors import InputError
from jaxvae.objectives import OBJECTIVES
from jaxvae.options.from_signature import GIVEN, options_of, required_arguments
from jaxvae.options.schedules import Number


def loss(params, key, x, *, model, critic, weights=None, step=None, beta: float = 1.0, kind: Literal["a"] = "a", num=3):  # noqa: D417
    """Compute a loss.

    Args:
        params: parameters.
        beta: weight of
            something.
        num: number of samples.

    Returns:
        Nothing.
    """


def test_fields_are_the_arguments_that_no_step_gives():
    fields = {field.name: field for field in dataclasses.fields(options_of(loss))}
    assert {name: (field.type, field.default) for name, field in fields.items()} == {
        "beta": (Number, 1.0),
        "kind": (Literal["a"], "a"),
        "num": (int, 3),
    }
    assert fields["beta"].metadata["help"] == "Weight of something."
    assert required_arguments(loss) == ["critic"]


def test_the_class_belongs_to_the_function():
    assert options_of(loss) is options_of(loss)
    assert options_of(loss)().function is loss
    with pytest.raises(InputError, match="beta: must be finite, got inf"):
        options_of(loss)(beta=float("inf")).check()


@pytest.mark.parametrize("name", OBJECTIVES)
def test_every_objective_has_help_for_every_option(name):
    cls = options_of(OBJECTIVES[name])
    assert cls.__doc__
    for field in dataclasses.fields(cls):
        assert field.name not in GIVEN
        assert field.metadata["help"], field.name
