"""Work that several processes share, each a part, as all would have done it alone."""

import jax
import numpy as np
import pytest
from jax.experimental import multihost_utils

from jaxvae import hosts


def results(numbers):
    return [{"number": np.full((2, 3), number), "flag": np.array(number > 1)} for number in numbers]


@pytest.mark.parametrize(("num", "processes"), [(5, 2), (4, 2), (1, 3), (3, 1)])
def test_every_process_gets_all_results_in_order_and_computes_its_share(monkeypatch, num, processes):
    """Each process is tried twice: to see what it gathers, and to give it what all have gathered."""
    gathered, computed = {}, {}

    def compute(numbers):
        computed[jax.process_index()] = list(numbers)
        return results(numbers)

    def gather(stacked):
        gathered[jax.process_index()] = stacked
        return jax.tree.map(lambda *parts: np.stack(parts), *[gathered.get(p, stacked) for p in range(processes)])

    monkeypatch.setattr(jax, "process_count", lambda: processes)
    monkeypatch.setattr(multihost_utils, "process_allgather", gather)
    for process in [*range(processes)] * 2:
        monkeypatch.setattr(jax, "process_index", lambda process=process: process)
        found = hosts.in_turns(num, compute)
    jax.tree.map(np.testing.assert_array_equal, found, results(range(num)))
    assert sorted({number for numbers in computed.values() for number in numbers}) == list(range(num))
    assert {len(numbers) for numbers in computed.values()} == {-(-num // processes)}
