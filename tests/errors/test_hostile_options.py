"""Whatever is typed: the options of a run, its help, or one line and exit code 2; never a traceback."""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jaxvae.options.names import options
from jaxvae.options.recipe import AXES, Recipe
from jaxvae.runs.command_line import run_script

pytestmark = pytest.mark.slow
OPTIONS = [option.flag for option in options(Recipe()).values()] + [f"--{axis}" for axis in AXES] + ["--preset"]
NEAR = ["--latent-dims", "--no-tensorboard", "--no-seed", "--latent_dim", "--steps=3", "--beta=", "-s", "--", "---"]
NEAR += ["--prior=layers", "--prior.num-inputs", "--beta-warmup-steps", "--prior.", "--upper-latent-dims"]
WORDS = ["", "0", "3", "-1", "1e999", "nan", "-inf", "0x10", "1_0", "٣", "9" * 30, "None", "True", "=", "a b", "a\nb"]
WORDS += ["0:1@20", "cycle:0:1@", "layers", "iwae"]
WORDS += ["bernoulli", "bernouli", "[1]", "~nobody", "/dev/null/x", "y" * 300, "@words", "--help=3", "\x1b[31m", "%s{}"]
TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)
GROUPS = st.tuples(st.sampled_from(OPTIONS + NEAR) | TEXT, st.lists(st.sampled_from(WORDS) | TEXT, max_size=2))


@pytest.fixture
def answer(monkeypatch, capsys):
    """Type arguments; the exit code, and what is said on standard error."""

    def call(arguments):
        monkeypatch.setattr(sys, "argv", ["train.py", *arguments])
        with pytest.raises(SystemExit) as stop:
            run_script(lambda config: 0, Recipe)
        return stop.value.code, capsys.readouterr().err

    return call


def test_whatever_is_typed(answer):
    codes = set()

    @given(st.lists(GROUPS, max_size=3))
    def check(groups):
        code, said = answer([word for option, values in groups for word in (option, *values)])
        codes.add(code)
        if code:
            assert code == 2
            assert said.startswith("error: ")
            assert said.count("\n") == len(said.splitlines()) == 1
            assert "make no sense together" not in said, "what is wrong is not named"

    check()
    assert codes >= {0, 2}, "nothing that is right, or nothing that is wrong, was tried"
