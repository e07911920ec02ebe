"""--inference-steps: the encoder moves at every step, all else in its turn, with any other option of the optimizer."""

import jax
import numpy as np
import pytest

from jaxvae.errors import InputError
from jaxvae.options import given
from jaxvae.runs.parts import build_optimizer


def moved(num, **options):
    """Steps, of `num`, at which each part moves, and the sizes of the encoder's and the decoder's last updates."""
    train = given(**options).train
    train.check()
    params = {"encoder": {"kernel": np.ones(2, np.float32)}, "decoder": {"kernel": np.ones(2, np.float32)}}
    optimizer = build_optimizer(train)
    state, when, sizes = optimizer.init(params), {name: [] for name in params}, {}
    for number in range(1, num + 1):
        updates, state = optimizer.update(jax.tree.map(np.ones_like, params), state, params, finite=True)
        for name in params:
            size = float(abs(updates[name]["kernel"]).max())
            if size:
                when[name].append(number)
                sizes[name] = size
    return when, sizes


@pytest.mark.parametrize(
    "others", [{}, {"ema_decay": 0.9}, {"clip_norm": 1.0, "weight_decay": 0.01}, {"on_nonfinite": "skip"}]
)
def test_the_decoder_moves_in_its_turn(others):
    when, _ = moved(8, inference_steps=3, inference_until=6, **others)
    assert when == {"encoder": [*range(1, 9)], "decoder": [3, 6, 7, 8]}


def test_the_learning_rate_is_that_of_the_step_for_both():
    options = {"decay": "linear", "steps": 10, "learning_rate": 1.0}
    when, sizes = moved(9, inference_steps=9, **options)
    assert when["decoder"] == [9]
    assert sizes["decoder"] == pytest.approx(sizes["encoder"], rel=1e-4) == pytest.approx(0.2, rel=1e-4)


def test_an_end_of_what_never_began_is_refused():
    with pytest.raises(InputError, match="inference-until: ends --inference-steps"):
        given(inference_until=5).check()
    with pytest.raises(InputError, match="inference-steps: must be at least 1, got 0"):
        given(inference_steps=0).check()
