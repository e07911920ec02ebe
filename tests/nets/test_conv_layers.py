"""`Conv` and `ConvTranspose` against Flax's: values, derivatives of both modes, parameters, transformations."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from jax import lax
from jax.sharding import AxisType, NamedSharding, PartitionSpec

from jaxvae.nets.conv_layers import Conv, ConvTranspose, fastest_layout, images, with_layout

PAIRS = [(Conv, nn.Conv), (ConvTranspose, nn.ConvTranspose)]
pairs = pytest.mark.parametrize(("ours", "flax"), PAIRS, ids=lambda layer: layer.__module__.split(".")[0])


def noise(seed, *shape):
    return jnp.asarray(np.random.default_rng(seed).normal(size=shape), jnp.float32)


def variables_of(layer, x):
    shapes = jax.eval_shape(layer.init, jax.random.key(0), x)
    return jax.tree.map(lambda leaf: noise(1, *leaf.shape), shapes)


def near(actual, expected):
    """To 1e-5 of the largest number in each array."""
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=0, atol=1e-5 * np.abs(b).max()), actual, expected)


@functools.partial(jax.jit, static_argnums=0)
def derivatives(layer, variables, x, weights):
    """Value, forward mode, reverse mode."""

    def loss(variables, x):
        return (weights * jnp.sin(layer.apply(variables, x))).sum()

    y, y_tangent = jax.jvp(layer.apply, (variables, x), jax.tree.map(jnp.cos, (variables, x)))
    return y, y_tangent, jax.grad(loss, (0, 1))(variables, x)


# Kernel, strides, padding, height and width, channels in and out.
CASES = [
    ((4, 4), (2, 2), "SAME", (8, 8), (1, 8)),
    ((4, 4), (2, 2), "SAME", (7, 5), (8, 1)),
    ((4, 4), (2, 2), "VALID", (9, 6), (3, 2)),
    ((3, 3), (1, 1), "SAME", (5, 4), (2, 3)),
    ((5, 5), (2, 2), "SAME", (7, 8), (2, 2)),
    ((1, 1), (2, 2), "VALID", (5, 6), (2, 3)),
    ((5, 2), (3, 2), "VALID", (11, 8), (2, 1)),
    ((4, 4), (2, 2), "SAME", (1, 1), (2, 2)),
]


@pytest.mark.quick_rows(
    "kernel0-strides0-SAME-size0-channels0-jaxvae-flax0",
    "kernel1-strides1-SAME-size1-channels1-jaxvae-flax1",
    "kernel2-strides2-VALID-size2-channels2-jaxvae-flax0",
    "kernel5-strides5-VALID-size5-channels5-jaxvae-flax1",
)
@pairs
@pytest.mark.parametrize(("kernel", "strides", "padding", "size", "channels"), CASES)
def test_values_and_derivatives_are_those_of_flax(ours, flax, kernel, strides, padding, size, channels):
    ours, flax = (layer(channels[1], kernel, strides, padding) for layer in (ours, flax))
    x = noise(0, 2, *size, channels[0])
    variables = variables_of(flax, x)
    weights = noise(2, *jax.eval_shape(flax.apply, variables, x).shape)
    near(derivatives(ours, variables, x, weights), derivatives(flax, variables, x, weights))


@pairs
def test_with_the_batch_last_the_numbers_are_the_same(ours, flax):
    x = noise(0, 2, 7, 5, 3)
    last, first = ours(4, layout="CHWN"), ours(4)
    variables = variables_of(first, x)
    assert fastest_layout(x) == "CHWN"
    moved = images(last.apply(variables, with_layout(x, "CHWN")), "CHWN")
    np.testing.assert_array_equal(moved, first.apply(variables, x))
    jax.tree.map(
        np.testing.assert_array_equal,
        last.init(jax.random.key(0), with_layout(x, "CHWN")),
        ours(4).init(jax.random.key(0), x),
    )


@pairs
def test_fresh_parameters_are_those_of_flax(ours, flax):
    x = noise(0, 1, 6, 6, 3)
    ours, flax = (layer(4, (4, 4), (2, 2)).init(jax.random.key(7), x) for layer in (ours, flax))
    jax.tree.map(np.testing.assert_array_equal, ours, flax)


@pairs
def test_vmap_over_parameters_and_images(ours, flax):
    x = noise(0, 3, 2, 5, 6, 2)
    variables = jax.tree.map(lambda leaf: noise(1, 3, *leaf.shape), variables_of(flax(4, (4, 4), (2, 2)), x[0]))

    def gradients(layer):
        return jax.jit(jax.vmap(jax.grad(lambda variables, x: jnp.sin(layer.apply(variables, x)).sum())))(variables, x)

    near(gradients(ours(4)), gradients(flax(4, (4, 4), (2, 2))))


@pairs
def test_a_loop_gives_the_same_bits(ours, flax):
    layer, x = ours(4), noise(0, 8, 14, 14, 2)
    gradient = jax.grad(lambda variables: jnp.sin(layer.apply(variables, x)).sum())

    def step(variables):
        return jax.tree.map(lambda a, b: a - 0.01 * b, variables, gradient(variables))

    variables = alone = variables_of(layer, x)
    for _ in range(3):
        alone = jax.jit(step)(alone)
    looped = jax.jit(lambda number: lax.fori_loop(0, number, lambda _, variables: step(variables), variables))(3)
    jax.tree.map(np.testing.assert_array_equal, looped, alone)


@pairs
def test_bfloat16(ours, flax):
    x = noise(0, 2, 6, 6, 3)
    variables = variables_of(flax(4, (4, 4), (2, 2)), x)
    y = ours(4, dtype=jnp.bfloat16).apply(variables, x)
    exact = flax(4, (4, 4), (2, 2)).apply(variables, x)
    assert y.dtype == jnp.bfloat16
    np.testing.assert_allclose(y.astype(jnp.float32), exact, rtol=0, atol=0.02 * np.abs(exact).max())


@pairs
@pytest.mark.parametrize(
    ("backend", "used", "unused"),
    [
        ("cpu", "dot_general", "conv_general_dilated"),
        ("gpu", "conv_general_dilated", "dot_general"),
        ("tpu", "conv_general_dilated", "dot_general"),
    ],
)
def test_products_on_cpu_and_convolutions_elsewhere(monkeypatch, ours, flax, backend, used, unused):
    monkeypatch.setattr(jax, "default_backend", lambda: backend)
    x = noise(0, 2, 6, 5, 3)
    variables = variables_of(flax(4, (4, 4), (2, 2)), x)

    def gradient(layer):
        return jax.grad(lambda variables: jnp.sin(layer.apply(variables, x)).sum())

    jaxpr = str(jax.make_jaxpr(gradient(ours(4)))(variables))
    assert used in jaxpr
    assert unused not in jaxpr
    near(jax.jit(gradient(ours(4)))(variables), jax.jit(gradient(flax(4, (4, 4), (2, 2))))(variables))


def mesh_of(kind):
    return jax.make_mesh((2,), ("device",), axis_types=(kind,))


@pairs
@pytest.mark.parametrize("check_vma", [True, False])
def test_under_shard_map(ours, flax, check_vma):
    """Each device's own derivatives of its own images, in both modes."""
    x, layer = noise(0, 4, 6, 5, 3), ours(4)
    variables = variables_of(flax(4, (4, 4), (2, 2)), x)
    weights = noise(2, *jax.eval_shape(layer.apply, variables, x).shape)
    spec = PartitionSpec("device")

    def of_images(x, weights):
        return jax.grad(lambda x: jnp.vdot(weights, jnp.sin(layer.apply(variables, x))))(x)

    sharded = jax.shard_map(
        of_images, mesh=mesh_of(AxisType.Auto), in_specs=(spec, spec), out_specs=spec, check_vma=check_vma
    )
    near(jax.jit(sharded)(x, weights), derivatives(flax(4, (4, 4), (2, 2)), variables, x, weights)[2][1])


@pairs
def test_on_an_explicit_mesh(ours, flax):
    x, mesh = noise(0, 4, 6, 5, 3), mesh_of(AxisType.Explicit)
    variables = variables_of(flax(4, (4, 4), (2, 2)), x)
    weights = noise(2, *jax.eval_shape(flax(4, (4, 4), (2, 2)).apply, variables, x).shape)
    spread = NamedSharding(mesh, PartitionSpec("device"))
    placed = (
        jax.device_put(variables, NamedSharding(mesh, PartitionSpec())),
        jax.device_put(x, spread),
        jax.device_put(weights, spread),
    )
    found = derivatives(ours(4), *placed)
    assert jax.typeof(found[0]).sharding.spec[0] == "device"
    near(found, derivatives(flax(4, (4, 4), (2, 2)), variables, x, weights))
