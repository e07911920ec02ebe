"""Command line of a recipe: choices first, then exactly their options; names of version 0.1; help."""

import pytest

from jaxvae.errors import InputError
from jaxvae.nets import Conv
from jaxvae.options import Recipe, Schedule, given
from jaxvae.options.command_line import parse
from jaxvae.options.presets import PRESETS
from jaxvae.options.recipe import AXES
from jaxvae.posteriors import Layers


def read(line):
    return parse(Recipe, line.split())


def test_nothing_is_the_first_row():
    assert read("") == given()


@pytest.mark.parametrize("line", ["--prior layers --posterior layers", "--prior=layers --posterior=layers"])
def test_choices_are_taken_before_their_options(line):
    recipe = read(f"--posterior.upper-hidden 3 {line} --hidden 5 --preset conv_vae")
    assert (recipe.posterior, recipe.networks) == (Layers(upper_hidden=(3,)), Conv(hidden=(5,)))


def test_the_rows_own_kind_keeps_the_rows_options():
    assert read("--preset miwae --objective iwae") == given(preset="miwae")
    assert read("--preset miwae --objective elbo").objective == given().objective


def test_numbers_of_an_objective_may_be_schedules():
    assert read("--beta 0:4@10").objective.beta == Schedule(0.0, 4.0, 10)
    assert read("--beta cycle:0:1@10").objective.beta == Schedule(0.0, 1.0, 10, "cycle")


def test_names_of_version_0_1_still_mean_what_they_meant():
    assert read("--beta 4 --beta-warmup-steps 10") == read("--beta 0:4@10")
    layers = "--posterior layers --prior layers --posterior.upper-latent-dims 5 --posterior.upper-hidden 7"
    assert read("--upper-latent-dims 5 --upper-hidden=7") == read(layers)
    assert read("--corruption masking --corruption-level 0.5") == read("--corruption masking --corruption.level 0.5")
    assert read("--latent_dim 3 --no-figures") == given(latent_dim=3, figures=False)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--prior standard --prior layers", "prior: is given twice; give it once"),
        ("--prior", "prior: takes one value, got none; write --prior VALUE"),
        ("--prior vamp_", "prior: must be one of standard, layers.*, got 'vamp_'"),
        ("--preset vea", r"preset: must be one of .*, got 'vea' \(did you mean 'vae'\?\)"),
        ("--num-groups 3", "num-groups: belongs to --objective iwae or ciwae or piwae; choose that, or leave it out"),
        ("--corruption-level 0.5", "corruption.level: belongs to --corruption noise or masking or salt_and_pepper"),
        ("--beta x", "beta: must be a number, or a schedule such as 0:1@2000, got 'x'"),
        ("--beta 0:1@x", "beta: must be a number, or a schedule"),
        ("--steps", "steps: takes one value, got none; write --steps VALUE"),
        ("--preset autoencoder --upper-latent-dims 3", "posterior: layers above z go with normal, got delta"),
        ("--gradient sl --objective iwae", "gradient: must be one of standard, stl, dreg, got 'sl'"),
        ("--steps 0", "steps: must be at least 1, got 0"),
        ("--beta nan", "beta: must be finite, got nan"),
    ],
)
def test_mistakes_are_named_in_one_line(line, message):
    with pytest.raises(InputError, match=f"^{message}") as refusal:
        read(line)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("name", PRESETS)
def test_help_is_that_of_the_preset_on_two_screens(name, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    with pytest.raises(SystemExit) as stop:
        read(f"--help --preset {name}")
    assert stop.value.code == 0
    page = capsys.readouterr().out
    assert len(page.splitlines()) <= 2 * 50
    assert max(map(len, page.splitlines())) <= 100
    assert ("--channels" in page) == (name in ("auto", "conv_vae", "conv_vq_vae", "signal_vae"))
    assert ("--gradient" in page) == (name in ("iwae", "miwae", "ciwae"))


def test_help_all_lists_every_choice_with_its_options(capsys):
    with pytest.raises(SystemExit):
        read("--help-all")
    page = capsys.readouterr().out
    for axis, table in AXES.items():
        for kind in table:
            assert f"--{axis} {kind}\n" in page
    for option in ("--elbo-share NUMBER", "--posterior.upper-hidden INT...", "--devices INT", "--[no-]figures"):
        assert option in page
