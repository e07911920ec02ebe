"""The arithmetic of a run and how it is written down."""

import doctest

import pytest
import rounds
import tables
from contenders import CONTENDERS, Case, names_for
from tables import BEGIN, END, CaseResult, Measured
from train_script import ScriptRun

MLP = Case("mlp", (28, 28, 1), (), (400,), 20, 128)


@pytest.mark.parametrize("module", [rounds, tables], ids=lambda module: module.__name__)
def test_doctests(module):
    result = doctest.testmod(module)
    assert result.attempted
    assert not result.failed


def test_everybody_runs_once_a_round_and_begins_in_turn():
    order = []
    rounds.interleave({name: lambda name=name: order.append(name) for name in "abc"}, 4)
    assert "".join(order) == "abc" + "bca" + "cab" + "abc"


def test_a_slow_round_does_not_move_the_ratio():
    """Everybody at a third of the speed in two rounds of five, and one outlier: still twice as fast."""
    assert rounds.median_ratio([10, 10 / 3, 10, 10 / 3, 10], [5, 5 / 3, 5, 5 / 3, 1]) == pytest.approx(2)


def test_a_turn_takes_the_seconds_that_are_asked_for():
    assert rounds.steps_for(2.0, lambda steps: 0.01) == 200
    assert rounds.steps_for(2.0, lambda steps: 60.0) == 1


def result(**rates):
    return CaseResult(MLP, {name: Measured(list(rate), [3.0, 1.0, 2.0], 10**9) for name, rate in rates.items()}, {})


def test_each_contender_is_compared_with_the_jaxvae_that_does_its_work():
    both = result(jaxvae=[8.0], jaxvae_binarized=[6.0], torch=[4.0], numpyro=[4.0])
    assert tables.ratio(both.measured, "torch") == 2.0
    assert tables.ratio(both.measured, "numpyro") == 1.5
    assert tables.ratio(both.measured, "jaxvae_binarized") is None
    assert tables.ratio(result(torch=[4.0]).measured, "torch") is None


def test_case_table():
    text = tables.case_table(result(jaxvae=[3000.0, 1000.0, 2000.0], torch=[500.0, 500.0, 500.0]))
    assert text.startswith("### MLP 784-400-20, batch 128\n")
    assert f"| {CONTENDERS['jaxvae'].description} | 2,000 | 1,000 to 3,000 |  | 3.0 / 1.5 | 1.00 |" in text
    assert f"| {CONTENDERS['torch'].description} | 500 | 500 to 500 | 4.00 | 3.0 / 1.5 | 1.00 |" in text


def test_who_is_left_out_is_named_with_the_reason():
    text = tables.case_table(CaseResult(MLP, {}, {"pythae": "No module named 'pythae'"}))
    assert "Left out: pythae's trainer (No module named 'pythae')." in text


def test_a_disturbed_measurement_says_so():
    text = tables.case_table(result(jaxvae=[1.0])._replace(cores_taken=0.84))
    assert "Other programs kept 0.8 cores busy meanwhile." in text


def test_script_table():
    text = tables.script_table({"--preset vae": [ScriptRun(9.0, 20.0, 10**9), ScriptRun(3.0, 14.0, 2 * 10**9)]})
    assert "| `--preset vae` | 9.0 / 3.0 | 14.0 | 2.00 |" in text


def test_only_what_is_between_the_markers_changes(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(f"above\n{BEGIN}\nold\n{END}\nbelow\n")
    for text in ("new", "newer"):
        tables.replace_between_markers(page, text)
        assert page.read_text() == f"above\n{BEGIN}\n\n{text}\n\n{END}\nbelow\n"


@pytest.mark.parametrize("text", ["none", BEGIN, END, f"{END} {BEGIN}", f"{BEGIN}{END}{BEGIN}", f"{BEGIN}{END}{END}"])
def test_a_page_without_both_markers_is_left_alone(tmp_path, text):
    page = tmp_path / "page.md"
    page.write_text(text)
    with pytest.raises(ValueError, match="once each"):
        tables.replace_between_markers(page, "new")
    assert page.read_text() == text


def test_convolutions_are_trained_by_those_who_have_them():
    conv = Case("conv28", (28, 28, 1), (32, 64), (256,), 20, 128)
    assert str(conv) == "convolutions 28x28x1-32-64-256-20, batch 128"
    assert set(names_for(MLP)) - set(names_for(conv)) == {"numpyro", "products"}
