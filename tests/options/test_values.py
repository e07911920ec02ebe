"""Values of options from files and from Python: of the option's type, or refused in one line."""

from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from jaxvae.errors import InputError
from jaxvae.options import Schedule, given
from jaxvae.options.schedules import Number
from jaxvae.options.values import typed


@pytest.mark.parametrize(
    ("kind", "value", "wanted"),
    [
        (int, 3, 3),
        (int, np.int64(3), 3),
        (float, 3, 3.0),
        (Number, 3, 3.0),
        (Number, "cosine:0:1@9", Schedule(0.0, 1.0, 9, "cosine")),
        (bool, False, False),
        (Path, "a/b", Path("a/b")),
        (Path | None, "None", None),
        (str | None, "relu", "relu"),
        (tuple[int, ...], [5, 6], (5, 6)),
        (tuple[int, ...] | None, 5, (5,)),
        (tuple[str, ...], [], ()),
        (Literal["a", "b"] | None, "b", "b"),
    ],
)
def test_a_value_is_brought_to_the_type(kind, value, wanted):
    found = typed("option", kind, value)
    assert found == wanted
    assert type(found) is type(wanted)


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        (int, "3", "some-option: must be a whole number, got '3'"),
        (int, 3.0, "some-option: must be a whole number, got 3.0"),
        (int, True, "some-option: must be a whole number, got True"),
        (float, "0.5", "some-option: must be a number, got '0.5'"),
        (Number, "fast", "some-option: must be a number, or a schedule such as 0:1@2000, got 'fast'"),
        (bool, 1, "some-option: must be true or false, got 1"),
        (str, 7, "some-option: must be a word, got 7"),
        (Path, 7, "some-option: must be a path, got 7"),
        (tuple[int, ...], [5, "6"], "some-option: must be a whole number, got '6'"),
        (
            Literal["alpha", "beta"],
            "bta",
            r"some-option: must be one of alpha, beta, got 'bta' \(did you mean 'beta'\?\)",
        ),
    ],
)
def test_another_type_is_refused(kind, value, message):
    with pytest.raises(InputError, match=f"^{message}$"):
        typed("some_option", kind, value)


def test_python_is_held_to_the_types_of_the_command_line():
    assert given(run_dir="runs/a", hidden=[3], beta="0:1@5") == given(
        run_dir=Path("runs/a"), hidden=(3,), beta=Schedule(0.0, 1.0, 5)
    )


@pytest.mark.parametrize("options", [{"steps": "many"}, {"prior": 5}, {"preset": 5}, {"beta_warmup_steps": "few"}])
def test_python_is_refused_as_the_command_line_is(options):
    (name,) = options
    with pytest.raises(InputError, match=f"^{name.replace('_', '-')}: must be "):
        given(**options)
