"""Command line, TOML file and Python are the same recipe."""

import pytest

from jaxvae.errors import InputError
from jaxvae.options import Recipe, given
from jaxvae.options.command_line import parse
from jaxvae.options.files import differences, read_toml, write_toml
from jaxvae.options.identity import default_run_dir
from jaxvae.options.presets import PRESETS

OTHERS = {
    "vae": "--hidden 50 20 --beta cycle:0:4@9 --no-figures --data-dir sets --compilation-cache None",
    "iwae": "--prior mixture --prior.num-components 5 --gradient dreg --likelihood mse --learning-rate 1",
    "factor_vae": "--critic.hidden 8 --critic.every 2",
    "denoising_autoencoder": "--corruption noise --corruption.level 0.5 --condition label --train-only decoder",
    "conv_vae": "--networks conv --channels 2 3 --resize 32 --upper-latent-dims 5 --select best --epochs 1.5",
}
"""Options of a command line by preset, of every type."""
LINES = [f"--preset {name}" for name in PRESETS] + [f"--preset {name} {line}" for name, line in OTHERS.items()]


@pytest.fixture
def file(tmp_path):
    return tmp_path / "recipe.toml"


def read(file, line=""):
    return parse(Recipe, ["--config", str(file), *line.split()])


@pytest.mark.parametrize("line", LINES)
def test_what_is_written_is_read_as_the_same_recipe(file, line):
    recipe = parse(Recipe, line.split())
    write_toml(recipe, file)
    for again in (given(**read_toml(file)), read(file)):
        assert again == recipe
        assert default_run_dir(again) == default_run_dir(recipe)


def test_only_what_differs_from_the_preset_is_written():
    assert differences(given(preset="miwae", objective="iwae", steps=4000, num_samples=8)) == {"preset": "miwae"}


def test_a_choice_has_its_options_under_quoted_names_or_in_its_table(file):
    wanted = given(preset="iaf_vae", prior="vamp", hidden=(7,), **{"prior.num_inputs": 50})
    quoted = 'preset = "iaf_vae"\nprior = "vamp"\n"prior.num_inputs" = 50\nhidden = 7'
    tables = 'preset = "iaf_vae"\n[prior]\nkind = "vamp"\nnum_inputs = 50\n[networks]\nhidden = [7]'
    for text in (quoted, tables):
        file.write_text(text)
        assert read(file) == wanted


def test_the_command_line_comes_after_the_file(file):
    file.write_text('preset = "vae"\nsteps = 5\nhidden = [7]\nprior = "vamp"')
    assert read(file, "--steps 9 --prior mixture") == given(preset="vae", steps=9, hidden=(7,), prior="mixture")
    assert read(file, "--preset iwae") == given(preset="iwae", steps=5, hidden=(7,), prior="vamp")
    assert parse(Recipe, ["--steps", "9", "--config", str(file)]).train.steps == 9


def test_saving_ends_without_a_training(file, capsys):
    with pytest.raises(SystemExit) as stop:
        parse(Recipe, ["--preset", "iwae", "--save-config", str(file)])
    assert stop.value.code == 0
    assert capsys.readouterr().out == f"recipe in {file}: --config {file} trains it\n"
    assert file.read_text() == 'preset = "iwae"\n'
    with pytest.raises(InputError, match=r"^save-config: .*toml exists; name another file"):
        parse(Recipe, ["--save-config", str(file)])
    assert file.read_text() == 'preset = "iwae"\n'


def test_a_file_that_exists_is_kept(file):
    file.write_text("steps = 5\n")
    with pytest.raises(FileExistsError):
        write_toml(given(), file)
    assert file.read_text() == "steps = 5\n"


def test_a_recipe_that_is_refused_is_not_saved(file):
    with pytest.raises(InputError, match="steps: must be at least 1"):
        parse(Recipe, ["--steps", "0", "--save-config", str(file)])
    assert not file.exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("steps = 1.5", "recipe.toml: steps: must be a whole number, got 1.5"),
        ("stepss = 1", r"recipe.toml: '--stepss': no such option \(did you mean 'steps'\?\)"),
        ('"prior.num_inputs" = 5', "recipe.toml: prior.num-inputs: belongs to --prior vamp"),
        ('prior = "vamp_"', r"recipe.toml: prior: must be one of .*, got 'vamp_'"),
        ("[prior]\nnum_inputs = {}", "recipe.toml: prior.num-inputs: belongs to --prior vamp"),
        ("steps = ", r"config: .*recipe.toml: is no TOML \(Invalid value"),
        (
            'prior = "vamp"\nprior.num_inputs = 5',
            'recipe.toml: is no TOML .* quote names with dots: "prior.num_inputs"',
        ),
        ("steps = 1\n[train]\nsteps = 2", "recipe.toml: steps is given twice; give it once"),
    ],
)
def test_mistakes_in_a_file_are_named_in_one_line(file, text, message):
    file.write_text(text)
    with pytest.raises(InputError, match=message) as refusal:
        read(file)
    assert "\n" not in str(refusal.value)


def test_no_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"config: .*none.toml: No such file or directory; name a TOML file"):
        read(tmp_path / "none.toml")
