"""The notebooks run in fresh kernels, with few steps and without a warning, and show their figures."""

import os
import re
from pathlib import Path

import jax
import jupytext
import pytest
from nbclient import NotebookClient

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "notebooks"
FIGURES = {"first_vae": 5, "own_networks": 1, "own_data": 2, "own_loss": 1, "counts": 3, "evaluation": 1}
"""Number of figures that a notebook shows."""


def short(source):
    """Take 20 steps instead of thousands."""
    return re.sub(r"(\bsteps=|\"steps\": )\d+", r"\g<1>20", source)


@pytest.fixture
def execute(tmp_path, monkeypatch):
    """A function that runs a notebook in an empty folder, on one device unless it asks for more."""
    monkeypatch.setenv("XLA_FLAGS", os.environ["XLA_FLAGS"].replace("device_count=2", "device_count=1"))
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", str(jax.config.jax_compilation_cache_dir))

    def execute(notebook):
        where = {"metadata": {"path": tmp_path}}
        return NotebookClient(notebook, timeout=300, kernel_name="python3", resources=where).execute()

    return execute


def outputs(notebook):
    return [output for cell in notebook.cells for output in cell.get("outputs", ())]


@pytest.mark.slow
@pytest.mark.parametrize("name", FIGURES)
def test_it_runs_and_shows_its_figures(name, execute):
    notebook = jupytext.reads(short((FOLDER / f"{name}.md").read_text()), fmt="md")
    shown = outputs(execute(notebook))
    assert sum("image/png" in output.get("data", ()) for output in shown) == FIGURES[name]
    assert not [output.text for output in shown if output.get("name") == "stderr" and "arning" in output.text]


@pytest.mark.slow
def test_every_figure_of_a_cell_is_shown_once_and_a_progress_bar_is_one_output_which_changes(execute):
    one_line = """```python
import jaxvae
from sklearn.datasets import load_digits
options = {"steps": 2, "hidden": (4,), "latent_dim": 2, "tensorboard": False, "quiet": True}
run = jaxvae.train(jaxvae.preset("vae", **options), load_digits().images / 16)
figure = run.plot.latent(); run.plot.samples()
```

```python
figure
```

```python
from jaxvae.runs.progress import bar
for _ in bar(range(50), mininterval=0): pass
```
"""
    first, later, last = [cell.outputs for cell in execute(jupytext.reads(one_line, fmt="md")).cells]
    assert sum("image/png" in output.get("data", ()) for output in first) == 2
    assert ["image/png" in output.get("data", ()) for output in later] == [True]
    (progress,) = last
    assert "100%" in progress.data["text/plain"]
    assert "50/50" in progress.data["text/plain"]


def test_every_notebook_is_run():
    assert {path.stem for path in FOLDER.glob("[a-z]*.md")} == set(FIGURES)


def test_short_form_takes_few_steps():
    assert short('train(steps=2000, "steps": 300, num_steps=5)') == 'train(steps=20, "steps": 20, num_steps=5)'
