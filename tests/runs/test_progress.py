"""A line for what is slow, and none for what is not."""

import time

from jaxvae.runs.progress import announced, bar, say


def test_what_is_slow_is_announced_once(capsys):
    with announced("reading photos", after=0.05):
        time.sleep(0.3)
    assert capsys.readouterr().out == "reading photos ...\n"


def test_what_is_quick_or_fails_is_not(capsys):
    with announced("reading photos", after=0.2):
        pass
    try:
        with announced("reading photos", after=0.2):
            raise ValueError
    except ValueError:
        pass
    time.sleep(0.4)
    assert capsys.readouterr().out == ""


def test_a_line_stands_above_a_bar(capsys):
    with bar(total=2):
        say("one half")
        out, err = capsys.readouterr()
    assert out == "one half\n"
    assert err.count("0/2") == 2, "the bar was cleared, and drawn again below the line"
