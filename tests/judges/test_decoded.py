"""What is said of decoded images: a probe that always answers the same makes it plain."""

import types

import numpy as np
import pytest

from jaxvae.judges.decoded import recognise, unevenness


def probe_that_says(probabilities):
    probabilities = np.asarray(probabilities)
    return types.SimpleNamespace(
        probabilities=lambda images: probabilities, sure=lambda images: probabilities.max(axis=1) >= 0.9
    )


@pytest.mark.parametrize(
    ("probabilities", "share", "classes"),
    [
        ([[0.5, 0.5], [0.6, 0.4]], 0.0, 0.0),
        ([[1.0, 0.0], [0.95, 0.05], [0.92, 0.08]], 1.0, 1.0),  # a decoder that knows one image by heart
        ([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5], [0.5, 0.5]], 0.5, 2.0),
        ([[1.0, 0.0]] * 3 + [[0.0, 1.0]], 1.0, 4 / 3**0.75),
    ],
)
def test_share_and_effective_classes(probabilities, share, classes):
    found = recognise(probe_that_says(probabilities), np.zeros((len(probabilities), 4)))
    assert found == pytest.approx((share, classes))


def test_unevenness_is_one_on_a_line_and_all_the_steps_at_a_jump():
    t = np.linspace(0, 1, 9)[:, None, None]
    even, jump, still = t * np.ones((3, 3)), (t > 0.4) * np.ones((3, 3)), 1e-3 * t * np.ones((3, 3))
    found = unevenness(np.stack([even, jump, still]), shortest=0.01)
    np.testing.assert_allclose(found, [1, 8, np.nan])
