"""A figure that fails: one line, no half of a file, and the others are drawn."""

import pytest

from jaxvae.report.gallery import Gallery


def test_a_figure_that_fails_is_named_and_the_next_is_drawn(tmp_path, caplog):
    gallery = Gallery(tmp_path)
    with gallery.figure("first.png") as path:
        path.write_text("half a picture")
        raise TypeError("Invalid shape\nand more")
    with gallery.figure("second.png") as path:
        path.write_text("a picture")
    assert [record.getMessage() for record in caplog.records] == [
        "figure first.png cannot be drawn (TypeError: Invalid shape); all else is"
    ]
    assert gallery.missing == ["first.png"]
    assert [path.name for path in tmp_path.iterdir()] == ["second.png"]


def test_who_stops_the_script_is_not_held_up(tmp_path):
    with pytest.raises(KeyboardInterrupt), Gallery(tmp_path).figure("a.png"):
        raise KeyboardInterrupt
