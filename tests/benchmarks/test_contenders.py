"""Everybody trains the same thing: equal parameters give the loss of jaxvae's own objective."""

import importlib.util
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import worker
from contenders import Case, names_for, plain_jax, setup

from jaxvae import elbo_loss, presets

pytestmark = pytest.mark.slow
MLP = Case("mlp", (8, 8, 1), (), (16,), 3, 16)
CONV = Case("conv", (8, 8, 3), (4, 6), (16,), 3, 16)
CASES = pytest.mark.parametrize("case", [MLP, CONV], ids=lambda case: case.net)
COMPILED = ("torch_compile", "torch_overhead")
"""Contenders that take a minute."""
NEEDS = {"numpyro": "numpyro", "torch": "torch", "torch_loader": "torch", "pythae": "pythae"}


def images(case, num=64):
    return np.random.default_rng(0).integers(0, 256, (num, *case.shape), dtype=np.uint8)


def noiseless(case):
    """Parameters of the plain loop with a posterior so narrow that noise does not show; x in [0, 1]; jaxvae's loss."""
    params = plain_jax.init(jax.random.key(0), case)
    weight, bias = params["encoder"][-1]
    params["encoder"][-1] = weight, bias.at[case.latent_dim :].set(-60.0)
    x = jnp.asarray(images(case, case.batch_size), jnp.float32) / 255
    model = presets.build(
        "conv_vae" if case.channels else "vae",
        case.shape,
        latent_dim=case.latent_dim,
        hidden=case.hidden,
        channels=case.channels or None,
        likelihood="grey_cross_entropy",
    )
    like = jax.eval_shape(lambda: model.init(jax.random.key(0), x))
    ours = {
        "encoder": filled(like["encoder"], [*params["down"], *params["encoder"]]),
        "decoder": filled(like["decoder"], [*params["decoder"], *params["up"]]),
    }
    loss, _ = elbo_loss(ours, jax.random.key(1), x, model=model)
    return params, x, loss


def filled(like, layers):
    """A linen tree with these layers: "output" is the last one, and the others are numbered by their kind."""
    last = layers[-1]
    kinds = {2: iter([layer for layer in layers[:-1] if layer[0].ndim == 2])}
    kinds[4] = iter([layer for layer in layers[:-1] if layer[0].ndim == 4])

    def fill(name, leaf):
        weight, bias = last if name == "output" else next(kinds[leaf["kernel"].ndim])
        assert weight.shape == leaf["kernel"].shape
        return {"kernel": weight, "bias": bias}

    return {name: fill(name, like[name]) for name in sorted(like)}


@CASES
def test_the_plain_loop_has_jaxvaes_loss(case):
    params, x, expected = noiseless(case)
    np.testing.assert_allclose(plain_jax.loss(params, jax.random.key(2), x), expected, rtol=1e-5)


@CASES
def test_pytorch_has_jaxvaes_loss(case):
    torch = pytest.importorskip("torch", reason="the extra bench is not installed")
    from contenders import torch_loops, torch_nets

    params, x, expected = noiseless(case)
    encoder, decoder = torch_nets.networks(case)
    load(torch, encoder, [*params["down"], *params["encoder"]], case, flat=(len(params["down"]), 0))
    load(torch, decoder, [*params["decoder"], *params["up"]], case, flat=(len(params["decoder"]) - 1, 1))
    x = torch.from_numpy(np.array(x)).permute(0, 3, 1, 2)
    with torch.no_grad():
        from_logits = torch_loops.logits_loss(encoder, decoder, x)
        from_probabilities = torch_loops.probability_loss(encoder, decoder, x)
    np.testing.assert_allclose(from_logits, expected, rtol=1e-5)
    np.testing.assert_allclose(from_probabilities / len(x), expected, rtol=1e-5)


def load(torch, network, layers, case, flat):
    """Put our weights into a PyTorch network; `flat` is the layer and the side of a flat image."""
    modules = [module for module in network.modules() if hasattr(module, "weight")]
    sides = [side >> len(case.channels) for side in case.shape[:2]]
    layer, side = flat
    order = np.arange(layers[layer][0].shape[side]).reshape(*sides, -1).transpose(2, 0, 1).ravel()
    for number, (module, (weight, bias)) in enumerate(zip(modules, layers, strict=True)):
        weight, bias = np.array(weight), np.array(bias)
        if number == layer:
            weight, bias = weight.take(order, axis=side), bias[order] if side else bias
        if isinstance(module, torch.nn.ConvTranspose2d):
            weight = weight[::-1, ::-1].transpose(2, 3, 0, 1)  # theirs is a convolution's gradient, which is flipped
        else:
            weight = weight.transpose(3, 2, 0, 1) if weight.ndim == 4 else weight.T
        with torch.no_grad():
            module.weight.copy_(torch.from_numpy(weight.copy()))
            module.bias.copy_(torch.from_numpy(bias))


@pytest.mark.parametrize(
    ("name", "case"),
    [(name, case) for case in (MLP, CONV) for name in names_for(case) if name not in COMPILED],
    ids=lambda part: part if isinstance(part, str) else part.net,
)
def test_everybody_takes_the_steps_that_are_asked_for(name, case):
    if name in NEEDS and importlib.util.find_spec(NEEDS[name]) is None:
        pytest.skip("the extra bench is not installed")
    run = setup(name, case, images(case, num=70))
    assert 1 <= run(1) <= plain_jax.STEPS
    assert 7 <= run(7) <= 7 + plain_jax.STEPS


@pytest.mark.slow
def test_a_worker_answers_and_one_that_fails_says_why(tmp_path):
    np.save(tmp_path / "images.npy", images(MLP))
    with worker.start("plain", MLP, tmp_path / "images.npy", tmp_path, sys.executable) as (seconds, repeat):
        repetition = repeat(10)
    assert repetition.steps >= 10
    assert 0 < repetition.seconds < 60
    assert 0 < seconds < 60
    assert 10**8 < repetition.peak_bytes < 10**10
    with (
        pytest.raises(worker.WorkerError, match=r"KeyError: 'nobody'"),
        worker.start("nobody", MLP, tmp_path / "images.npy", tmp_path, sys.executable),
    ):
        pass
