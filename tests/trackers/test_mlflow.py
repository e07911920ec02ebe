"""MLflow, for real: its own client reads from the local store what a run wrote that was stopped and went on."""

import importlib
import json

import pytest

pytestmark = pytest.mark.slow


@pytest.mark.filterwarnings("ignore")
def test_its_client_reads_one_run_with_everything(trained, monkeypatch):
    pytest.importorskip("mlflow", reason="the extra trackers is not installed")
    run_dir, lines, summary = trained("mlflow")
    client = importlib.import_module("mlflow.tracking").MlflowClient(f"sqlite:///{run_dir.parent / 'mlflow.db'}")
    (run,) = client.search_runs([client.get_experiment_by_name("jaxvae").experiment_id])
    assert (run.info.run_name, run.info.status) == ("small", "FINISHED")
    assert (run.data.params["latent_dim"], run.data.params["posterior"]) == ("2", "normal")
    for split, name in (("train", "loss"), ("validation", "elbo")):
        history = client.get_metric_history(run.info.run_id, f"{split}/{name}")
        expected = [(line["step"], line[name]) for line in lines if line["split"] == split]
        assert [(point.step, pytest.approx(point.value)) for point in history] == expected
        assert [step for step, _ in expected] == [2, 4, 6, 8, 10]
    assert run.data.metrics["summary/test_elbo"] == pytest.approx(summary["test_elbo"])
    kept = run_dir.parent / "mlartifacts" / run.info.run_id / "artifacts"
    assert json.loads((kept / "summary.json").read_text())["params_sha256"] == summary["params_sha256"]
    assert json.loads((kept / "config.json").read_text())["latent_dim"] == 2
    assert (kept / "figures" / "small.png").read_bytes() == (run_dir / "figures" / "small.png").read_bytes()
