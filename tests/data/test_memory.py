"""Memory that there is: the machine's, or less in a container."""

import os

import pytest

from jaxvae.data import memory
from jaxvae.errors import InputError

MACHINE = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.parametrize(("limit", "expected"), [("1000000\n", 10**6), ("max\n", MACHINE), (None, MACHINE)])
def test_a_containers_limit_counts(tmp_path, monkeypatch, limit, expected):
    if limit is not None:
        (tmp_path / "memory.max").write_text(limit)
    monkeypatch.setattr(memory, "_LIMITS", (str(tmp_path / "memory.max"),))
    assert memory.machine_memory() == expected


def test_more_is_refused(monkeypatch):
    monkeypatch.setattr(memory, "machine_memory", lambda: 16 * 10**9)
    memory.check_fits("it", 16 * 10**9, "wait")
    with pytest.raises(InputError, match=r"^it takes 4,000\.0 GB, this machine has 16\.0 GB; wait$"):
        memory.check_fits("it", 4 * 10**12, "wait")
