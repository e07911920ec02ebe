"""Curves over the steps of a run: each quantity by its name, dimensions in the order of what they carry."""

import numpy as np
import pytest

from jaxvae.report import history


@pytest.mark.parametrize("num_lines", [1, 3])
def test_kl_history(tmp_path, monkeypatch, num_lines):
    drawn = []
    monkeypatch.setattr(history, "save_figure", lambda figure, path: drawn.append(figure))
    kl = np.array([[3.0, 1.0], [0.5, 1.5], [0.2, 2.0]])
    records = [{"step": 10 * (k + 1), "split": "train", "kl_per_dimension": kl[k].tolist()} for k in range(num_lines)]
    records += [{"step": 10, "split": "validation", "active_units": 1, "kl_per_dimension": [9.0, 9.0]}]
    history.save_kl_history(tmp_path / "a.png", records)
    image, line, _ = drawn[0].axes
    order = [0, 1] if num_lines == 1 else [1, 0]
    np.testing.assert_array_equal(image.collections[0].get_array(), kl[:num_lines].T[order])
    np.testing.assert_array_equal(line.lines[0].get_xydata(), [[10, 1]])
    assert image.get_ylim()[0] > image.get_ylim()[1], "the first on top"


EVALUATIONS = [
    {"step": step, "split": "validation", "loss": -elbo, "elbo": elbo, "kl": 3.0, "active_units": None}
    | {"kl_per_dimension": [1.0, 2.0]}
    for step, elbo in ((20, -9.0), (40, -8.0))
]


@pytest.fixture
def drawn(monkeypatch):
    """Figures in place of files."""
    figures = []
    monkeypatch.setattr(history, "save_figure", lambda figure, path: figures.append(figure))
    return figures


def curves(axis):
    return {line.get_label(): line.get_xydata().tolist() for line in axis.lines}


@pytest.mark.parametrize("objective_is_bound", [True, False])
def test_objective_and_bound_are_two_curves_with_names(tmp_path, drawn, objective_is_bound):
    train = [{"step": step, "split": "train", "loss": loss} for step, loss in ((10, 7.0), (20, None), (30, 5.0))]
    history.save_loss_curve(tmp_path / "l.png", train + EVALUATIONS, objective_is_bound=objective_is_bound)
    *losses, kl = [curves(axis) for axis in drawn[0].axes]
    objective = {"objective (training)": [[10, 7], [30, 5]]}
    bound = {"minus the ELBO (validation)": [[20, 9], [40, 8]]}
    assert losses == ([objective | bound] if objective_is_bound else [objective, bound])
    assert kl == {"KL (validation)": [[20, 3], [40, 3]]}


def test_what_training_lines_do_not_hold_is_drawn_from_evaluations(tmp_path, drawn):
    """As of iwae, whose objective knows no KL; with few images nobody knows the active units."""
    records = [{"step": 10, "split": "train", "loss": 7.0}, *EVALUATIONS]
    history.save_kl_history(tmp_path / "k.png", records)
    image, line, _ = drawn[0].axes
    np.testing.assert_array_equal(image.collections[0].get_array(), [[2, 2], [1, 1]])
    assert "at evaluations" in image.get_title()
    assert line.get_xlim() == (0, 40)
