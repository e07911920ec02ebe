"""What decides a run's speed and not its numbers, and several seeds at once, through train.py."""

import json

import jax
import numpy as np
import pytest

from jaxvae.errors import InputError
from jaxvae.report import read_metrics
from jaxvae.runs import load_run


def summary(run_dir):
    return json.loads((run_dir / "summary.json").read_text())


def losses(run_dir):
    return [record["loss"] for record in read_metrics(run_dir / "metrics.jsonl")]


@pytest.mark.quick_rows("streamed")
@pytest.mark.parametrize(
    "compute",
    [{"dispatch": "step"}, {"input": "stream"}, {"input": "stream", "dispatch": "step"}],
    ids=["one by one", "streamed", "streamed one by one"],
)
def test_ways_on_one_device_give_the_same_bits(scripts, small, whole, compute):
    other = small(compute=compute)
    scripts["train"].main(other)
    assert summary(whole.run_dir)["params_sha256"] == summary(other.run_dir)["params_sha256"]
    np.testing.assert_allclose(losses(whole.run_dir), losses(other.run_dir), rtol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("compute", [{}, {"dispatch": "pmap", "input": "stream"}], ids=["mesh", "pmap, streamed"])
def test_a_run_goes_on_with_other_devices(scripts, small, whole, compute):
    scripts["train"].main(small(steps=20, compute={"devices": 2, **compute}))
    scripts["train"].main(small())
    np.testing.assert_allclose(losses(small().run_dir), losses(whole.run_dir), rtol=1e-5)


@pytest.mark.slow
def test_several_seeds_are_as_many_runs(scripts, small, tmp_path, capsys):
    together = small(run_dir=tmp_path / "together", seeds=2, seed=3)
    assert scripts["train"].main(together) == 0
    assert "over 2 seeds" in capsys.readouterr().out
    alone = [small(run_dir=tmp_path / str(seed), seed=seed) for seed in (3, 4)]
    for config in alone:
        scripts["train"].main(config)
    elbos = [summary(config.run_dir)["test_elbo"] for config in alone]
    result = summary(together.run_dir)
    assert result["test_elbo"] == pytest.approx(np.mean(elbos), rel=1e-5)
    assert result["test_elbo_std"] == pytest.approx(np.std(elbos, ddof=1), rel=1e-3)
    means = np.mean([losses(config.run_dir) for config in alone], axis=0)
    np.testing.assert_allclose(losses(together.run_dir), means, rtol=1e-5)
    for config in alone:
        run = load_run(together.run_dir / f"seed-{config.train.seed}")
        assert run.recipe.train.seed == config.train.seed
        trees = run.params, load_run(config.run_dir).params
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-4), *trees)
    with pytest.raises(InputError, match="holds 2 seeds; name one of its folders seed-N"):
        load_run(together.run_dir)


@pytest.mark.slow
def test_several_seeds_go_on_where_they_stopped(scripts, small, tmp_path):
    whole = small(run_dir=tmp_path / "whole", seeds=2)
    scripts["train"].main(whole)
    scripts["train"].main(small(seeds=2, steps=20))
    scripts["train"].main(small(seeds=2))
    assert summary(small().run_dir)["params_sha256"] == summary(whole.run_dir)["params_sha256"]


@pytest.mark.slow
def test_schedules_are_logged_and_the_average_is_what_is_kept(scripts, small):
    options = {"warmup_steps": 10, "beta_warmup_steps": 20, "decay": "cosine", "ema_decay": 0.9, "clip_norm": 1.0}
    config = small(accumulate=2, **options)
    scripts["train"].main(config)
    records = [record for record in read_metrics(config.run_dir / "metrics.jsonl") if record["split"] == "train"]
    # The eleventh step has the 17 examples that are left of 1,297 in batches of 128, and a mean is over examples.
    second = np.average(np.arange(10, 20) / 20, weights=[17] + 9 * [128])
    assert [record["beta"] for record in records] == pytest.approx([0.225, second, 1.0, 1.0])
    assert records[0]["learning_rate"] == pytest.approx(0.9e-3)
    assert records[-1]["learning_rate"] < 0.1e-3
    for record in records[2:]:
        assert record["loss"] == pytest.approx(record["kl"] - record["log_likelihood"], rel=1e-5)
    evaluate = scripts["evaluate"]
    evaluate.main(evaluate.EvaluateConfig(run_dir=config.run_dir))
    evaluation = json.loads((config.run_dir / "evaluation.json").read_text())
    assert evaluation["elbo"] == summary(config.run_dir)["test_elbo"]


@pytest.mark.slow
def test_half_precision_keeps_parameters_whole_and_the_bound_near(scripts, small, whole):
    half = small(precision="bfloat16")
    scripts["train"].main(half)
    assert {leaf.dtype for leaf in jax.tree.leaves(load_run(half.run_dir).params)} == {np.dtype("float32")}
    elbos = [summary(config.run_dir)["test_elbo"] for config in (whole, half)]
    assert elbos[0] != elbos[1]
    assert abs(elbos[0] - elbos[1]) < 0.5
