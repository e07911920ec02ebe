"""The history of each dimension's KL: dimensions in the order of what they carry, steps where they belong."""

import numpy as np
import pytest

from jaxvae.report import history_figures


@pytest.mark.parametrize("num_lines", [1, 3])
def test_kl_history(tmp_path, monkeypatch, num_lines):
    drawn = []
    monkeypatch.setattr(history_figures, "save_figure", lambda figure, path: drawn.append(figure))
    kl = np.array([[3.0, 1.0], [0.5, 1.5], [0.2, 2.0]])
    records = [{"step": 10 * (k + 1), "split": "train", "kl_per_dimension": kl[k].tolist()} for k in range(num_lines)]
    records += [{"step": 10, "split": "validation", "active_units": 1, "kl_per_dimension": [9.0, 9.0]}]
    history_figures.save_kl_history(tmp_path / "a.png", records)
    image, line, _ = drawn[0].axes
    order = [0, 1] if num_lines == 1 else [1, 0]
    np.testing.assert_array_equal(image.collections[0].get_array(), kl[:num_lines].T[order])
    np.testing.assert_array_equal(line.lines[0].get_xydata(), [[10, 1]])
    assert image.get_ylim()[0] > image.get_ylim()[1], "the first on top"
