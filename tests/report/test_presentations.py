"""Files of examples: lines and cells are those that were presented, and every figure has a panel for each example."""

import csv

import matplotlib.image
import numpy as np
import pytest
from matplotlib.axes import Axes

from jaxvae.data.spaces.shown import Cells, Curves, Heat, Lines, Pictures
from jaxvae.report import presentations

RNG = np.random.default_rng(0)


def test_lines_of_text_stand_in_blocks_with_their_results(tmp_path):
    stages = [Lines(("a dog", "")), Lines(("a cat", "the end"))]
    path = tmp_path / "new" / f"x{presentations.suffix(stages[0])}"
    presentations.save(path, stages, names=["test", "reconstruction"], title="")
    assert path.read_text() == "a dog\na cat\n\n\nthe end\n"
    presentations.save(path, stages[:1], names=["sample"], title="")
    assert path.read_text() == "a dog\n\n"


def test_cells_are_a_table_that_is_read_back(tmp_path):
    shown = Cells(("age", 'job, "main"'), (("1.5", "a,b"), ("", "c")))
    path = tmp_path / f"x{presentations.suffix(shown)}"
    presentations.save(path, [shown, shown], names=["test", "reconstruction"], title="")
    with path.open(newline="") as stream:
        head, *rows = csv.reader(stream)
    assert head == ["example", "row", "age", 'job, "main"']
    assert rows == [
        ["0", "test", "1.5", "a,b"],
        ["0", "reconstruction", "1.5", "a,b"],
        ["1", "test", "", "c"],
        ["1", "reconstruction", "", "c"],
    ]
    presentations.save(path, [shown], names=["sample"], title="")
    with path.open(newline="") as stream:
        assert list(csv.reader(stream)) == [list(shown.columns), *map(list, shown.rows)]


@pytest.mark.quick_rows("3-Pictures-(20, 5, 4, 1)", "1-Curves-(20, 12, 2)", "3-Heat-(9, 30)")
@pytest.mark.parametrize(
    "shown",
    [
        Pictures(RNG.uniform(size=(20, 5, 4, 1))),
        Curves(RNG.normal(size=(3, 12))),
        Curves(RNG.normal(size=(20, 12, 2))),
        Heat(RNG.poisson(2.0, (9, 30))),
        Heat(np.zeros((1, 1))),
    ],
    ids=lambda shown: f"{type(shown).__name__}-{shown.values.shape}",
)
@pytest.mark.parametrize("num_stages", [1, 3])
def test_figures_are_drawn(tmp_path, shown, num_stages):
    path = tmp_path / f"x{presentations.suffix(shown)}"
    presentations.save(path, [shown] * num_stages, names=["a", "b", "c"][:num_stages], title="t")
    picture = matplotlib.image.imread(path)
    assert len(np.unique(picture.reshape(-1, picture.shape[-1]), axis=0)) > 2


def test_heat_has_one_scale_and_its_columns_in_order(tmp_path, monkeypatch):
    drawn, original = [], Axes.imshow

    def imshow(axis, x, **options):
        drawn.append((x, options))
        return original(axis, x, **options)

    monkeypatch.setattr(Axes, "imshow", imshow)
    stages = [Heat(np.array([[1, 9, 4]])), Heat(np.array([[2, 0, 5]]))]
    presentations.save(tmp_path / "x.png", stages, names=["a", "b"], title="")
    (first, options), (second, others) = drawn
    np.testing.assert_allclose(np.expm1(first), [[9, 4, 1]])
    np.testing.assert_allclose(np.expm1(second), [[0, 5, 2]], atol=1e-12)
    assert options["vmax"] == others["vmax"] == np.log1p(9)
