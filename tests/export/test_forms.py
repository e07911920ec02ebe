"""Forms of a trained model: each, run by the program that it is for, gives the numbers of JAX."""

import dataclasses
import importlib
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxvae import rng
from jaxvae.errors import InputError
from jaxvae.export import EXPORTS, javascript, onnx, safetensors, stablehlo
from jaxvae.export.programs import programs
from jaxvae.model import sample_each

RUN = """
import sys
from pathlib import Path

import jax
import numpy as np

given = np.load("given.npz")
found = {}
for name in given:
    program, num = name.split("_")
    call = jax.export.deserialize(bytearray(Path(f"{program}.stablehlo").read_bytes())).call
    found |= {f"{name}_{output}": value for output, value in call(given[name]).items()}
np.savez("found.npz", **found)
assert not any(module.split(".")[0] == "jaxvae" for module in sys.modules)
"""


def examples(run, num):
    """X `[N, ...]`, z `[N, D]`, data of keys `[N, 2]` and, where the run has classes, one-hot conditions."""
    draw = np.random.default_rng(num)
    x = draw.integers(0, 2, (num, *run.space.shape)).astype(np.float32)
    z = draw.normal(size=(num, 2)).astype(np.float32)
    keys = np.asarray(jax.random.key_data(rng.sample_keys(rng.root(0), num)))
    condition = () if run.condition is None else (np.eye(3, dtype=np.float32)[np.arange(num) % 3],)
    return x, z, keys, condition


def expected(run, num):
    """What the model itself gives, by program and output."""
    x, z, keys, condition = examples(run, num)
    posterior = run.model.encode(run.params, x, *condition)
    sampled = sample_each(run.model, run.params, jax.random.wrap_key_data(keys), *condition)
    return {
        "encoder": {"z": posterior.mean, "log_var": posterior.log_var},
        "decoder": {"x": run.model.decode(run.params, z, *condition).mean},
        "sampler": {"x": sampled},
    }


def inputs(run, num):
    x, z, keys, condition = examples(run, num)
    return {"encoder": (x, *condition), "decoder": (z, *condition), "sampler": (keys, *condition)}


def test_no_name_becomes_a_line_of_the_module(runs):
    run = runs["classes"]
    facts = {**run.facts, "name": "digits\nthrow 1;\u2028throw 2;"}
    text = javascript.module(dataclasses.replace(run, facts=facts))
    assert not [line for line in text.splitlines() if line.startswith("throw")]
    assert text.startswith("// Decoder of a conditional_vae on digits throw 1; throw 2;, written")


def test_stablehlo_runs_where_there_is_jax_alone(runs, tmp_path):
    run = runs["conv"]
    assert [path.name for path in EXPORTS["stablehlo"].write(run, tmp_path)] == [
        "encoder.stablehlo",
        "decoder.stablehlo",
        "sampler.stablehlo",
    ]
    given = {f"{name}_{num}": arrays[0] for num in (1, 3) for name, arrays in inputs(run, num).items()}
    np.savez(tmp_path / "given.npz", **given)
    result = subprocess.run([sys.executable, "-I", "-c", RUN], cwd=tmp_path, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    with np.load(tmp_path / "found.npz") as file:
        found = dict(file)
    for num in (1, 3):
        for name, outputs in expected(run, num).items():
            for output, value in outputs.items():
                np.testing.assert_allclose(found[f"{name}_{num}_{output}"], value, rtol=1e-5, atol=1e-6)


def test_stablehlo_is_for_every_platform_and_holds_real_convolutions(runs):
    encoder = stablehlo.exported(programs(runs["conv"])[0])
    assert encoder.platforms == ("cpu", "cuda", "tpu")
    assert "stablehlo.convolution" in encoder.mlir_module()


def test_conditions_come_last_in_every_program(runs):
    run = runs["classes"]
    for program in programs(run):
        call = stablehlo.exported(program).call
        for num in (1, 3):
            found = call(*inputs(run, num)[program.name])
            for output, value in expected(run, num)[program.name].items():
                np.testing.assert_allclose(found[output], value, rtol=1e-5, atol=1e-6)
    described = programs(run)[0].describe()
    assert described["inputs"] == [
        {"name": "x", "shape": ["batch", 5], "dtype": "float32"},
        {"name": "condition", "shape": ["batch", 3], "dtype": "float32"},
    ]


def test_safetensors_hold_every_parameter_by_its_path(runs, tmp_path):
    run = runs["conv"]
    (path,) = EXPORTS["safetensors"].write(run, tmp_path)
    arrays = importlib.import_module("safetensors.numpy").load_file(str(path))
    np.testing.assert_array_equal(arrays["decoder/Dense_0/kernel"], run.params["decoder"]["Dense_0"]["kernel"])
    assert len(arrays) == len(jax.tree.leaves(run.params))
    jax.tree.map(np.testing.assert_array_equal, safetensors.read(path, run.params), run.params)
    with pytest.raises(InputError, match=r"its parameters are not those of the model in config\.json"):
        safetensors.read(path, {"encoder": run.params["encoder"]})


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["conv", "classes"])
def test_onnx_runtime_gives_the_numbers_of_jax(runs, tmp_path, name):
    pytest.importorskip("jax2onnx", reason="the extra onnx is not installed")
    run, before = runs[name], {**vars(jnp)}
    EXPORTS["onnx"].write(run, tmp_path)
    assert all(vars(jnp)[name] is function for name, function in before.items()), "JAX is left as it was"
    runtime = importlib.import_module("onnxruntime")
    for program in programs(run)[:2]:
        session = runtime.InferenceSession(str(tmp_path / f"{program.name}.onnx"))
        for num in (1, 5):
            given = dict(zip(program.inputs, inputs(run, num)[program.name]))
            for output, value in expected(run, num)[program.name].items():
                np.testing.assert_allclose(session.run([output], given)[0], value, rtol=0, atol=1e-5)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_onnx_with_other_numbers_is_refused(runs, tmp_path, monkeypatch):
    pytest.importorskip("jax2onnx", reason="the extra onnx is not installed")
    monkeypatch.setattr(onnx, "TOLERANCE", -1.0)
    with pytest.raises(InputError, match=r"^to: onnx: the encoder differs from JAX by .*; leave it out$"):
        EXPORTS["onnx"].write(runs["classes"], tmp_path)
    assert not list(tmp_path.iterdir())
