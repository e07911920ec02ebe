"""Growth with size: the work is that of the layers, and exponents are those of a power law."""

import doctest
import math

import jax
import pytest
import scale
import tables
from scale import AXES, CONVOLUTIONS, MLP, Growth

from jaxvae import presets


def test_doctests():
    result = doctest.testmod(scale)
    assert result.attempted
    assert not result.failed


def kernels(case):
    """Kernels of jaxvae's own model of a case."""
    model = presets.build(
        "conv_vae" if case.channels else "vae",
        case.shape,
        latent_dim=case.latent_dim,
        hidden=case.hidden,
        channels=case.channels or None,
    )
    params = jax.eval_shape(lambda: model.init(jax.random.key(0), jax.numpy.zeros((1, *case.shape))))
    return [leaf.shape for part in ("encoder", "decoder") for leaf in jax.tree.leaves(params[part]) if leaf.ndim > 1]


def test_the_work_of_an_mlp_is_the_size_of_its_kernels():
    encoder_and_decoder = sum(map(math.prod, kernels(MLP)))
    assert scale.work(MLP) == 128 * encoder_and_decoder
    assert scale.work(MLP._replace(options={"seeds": 3})) == 3 * scale.work(MLP)
    assert scale.work(AXES["samples"].case(4)) == 128 * (encoder_and_decoder + 3 * (20 * 400 + 400 * 784))


def test_the_work_of_convolutions_is_that_of_their_kernels_at_each_place():
    places = {(1, 16): 16 * 16, (16, 32): 8 * 8}
    work = sum(math.prod(shape) * places.get(tuple(sorted(shape[2:])), 1) for shape in kernels(CONVOLUTIONS))
    assert scale.work(CONVOLUTIONS) == 32 * work


@pytest.mark.parametrize("name", AXES)
def test_each_axis_grows_in_one_size(name):
    works = [scale.work(AXES[name].case(value)) for value in AXES[name].values]
    assert works == sorted(set(works))


def test_table_and_figure(tmp_path):
    one = Growth("batch", [1, 2, 4], [3, 6, 12], [0.001, 0.0015, 0.002], [10**9] * 3)
    assert "| examples per batch: 1, 2, 4 | 1 to 2 | 1.00 to 1.00 | 1.00 | 0.50 | 0.00 |" in scale.table([one])
    scale.draw(tmp_path / "scale.png", [one])
    assert (tmp_path / "scale.png").stat().st_size > 1000
    page = tmp_path / "page.md"
    page.write_text(f"{scale.BEGIN}\n{scale.END}")
    tables.replace_between_markers(page, "new", scale.BEGIN, scale.END)
    assert page.read_text() == f"{scale.BEGIN}\n\nnew\n\n{scale.END}"
