"""Log of a script: warnings of all packages follow their level, and facts about data stand alone."""

import logging

from jaxvae.runs import command_line


def test_facts_are_told_plainly_and_warnings_by_name(monkeypatch, capsys):
    monkeypatch.setattr(logging.root, "handlers", [])
    monkeypatch.setattr(logging.root, "level", logging.WARNING)
    own, other = logging.getLogger("jaxvae.data"), logging.getLogger("other")
    try:
        command_line._show_log()
        own.info("vocabulary: %d words", 7)
        own.warning("attribute: 'age' is left out")
        own.debug("nothing")
        other.info("nothing")
        other.error("broken")
    finally:
        logging.getLogger("jaxvae").setLevel(logging.NOTSET)
    lines = ["vocabulary: 7 words", "WARNING: attribute: 'age' is left out", "ERROR: broken"]
    assert capsys.readouterr().err.splitlines() == lines
