"""Search spaces in words: ranges, choices, and options that only some of the choices have."""

import pytest

from jaxvae.errors import InputError
from jaxvae.options.command_line import parse_recipe
from jaxvae.sweeps.search import Choices, Range, check_search, choose, fixed_words, parse_search


def test_ranges_and_choices():
    assert parse_search(["latent-dim=2:50", "beta=0.5:4", "hidden=400,400+200", "preset=vae,iwae"]) == {
        "preset": Choices(("vae", "iwae")),
        "latent_dim": Range(2, 50),
        "beta": Range(0.5, 4.0),
        "hidden": Choices(("400", "400+200")),
    }
    assert (Range(2, 50).is_whole, Range(0.5, 4.0).is_whole) == (True, False)


def recipe(search, chosen):
    return parse_recipe(choose(fixed_words(["steps=7", "figures=false"]), parse_search(search), chosen))


@pytest.mark.parametrize(("prior", "num_inputs"), [("vamp", 30), ("standard", None)])
def test_an_option_is_chosen_where_a_choice_has_it(prior, num_inputs):
    asked = {"prior": prior, "prior.num_inputs": 30, "learning_rate": 1.5e-4, "hidden": "40+20"}
    names = []
    search = ["prior.num_inputs=10:50", "prior=standard,vamp", "learning_rate=1e-4:1e-2:log", "hidden=40+20,9"]
    found = recipe(search, lambda name, values: names.append(name) or asked[name])
    assert (found.train.steps, found.output.figures, found.networks.hidden) == (7, False, (40, 20))
    assert found.train.learning_rate == 1.5e-4
    assert getattr(found.prior, "num_inputs", None) == num_inputs
    assert names[0] == "prior"
    assert ("prior.num_inputs" in names) == (prior == "vamp")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "search: no option is given; write NAME=LOW:HIGH"),
        (["beta"], "search: 'beta' has no value; write NAME=VALUE"),
        (["beta=a:b"], "search: beta=a:b: ends of a range must be numbers"),
        (["beta=1:2:ln"], "search: beta=1:2:ln: only log may follow a range, got 'ln'"),
        (["beta=2:1"], "search: beta=2:1: must be LOW < HIGH"),
        (["beta=0:1:log"], "search: beta=0:1:log: must be 0 < LOW < HIGH"),
        (["beta=1:2", "beta=3:4"], "search: beta is given twice"),
        (["betta=1:2"], r"search: '--betta': no such option \(did you mean 'beta'\?\)"),
        (["prior.num_inputs=1:2"], "search: prior.num-inputs: belongs to --prior vamp"),
        (["prior=standard,vam"], r"prior: must be one of .*, got 'vam'"),
        (["latent_dim=0:3"], "latent-dim: must be at least 1, got 0"),
        (["batch_size=1,x"], "batch-size: must be a whole number, got 'x'"),
    ],
)
def test_mistakes_are_one_line(words, message):
    with pytest.raises(InputError, match=f"^{message}") as refusal:
        check_search([], parse_search(words))
    assert "\n" not in str(refusal.value)
