"""Model card: what a model is, on which data, with which protocol and numbers, and the command that trained it."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import jaxvae
from jaxvae.options.files import differences
from jaxvae.options.names import options
from jaxvae.options.recipe import AXES, Recipe, kind_of
from jaxvae.runs.run import Run
from jaxvae.runs.scores import num_parameters, protocol

LICENCE = "not stated; whoever publishes it writes it here"
NOT_TOLD = frozenset({"run_dir", "data_dir", "reproduce", "quiet", "track"})
"""Options that the command leaves out."""
NUMBERS = {
    "elbo": "ELBO",
    "log_px": "log p(x), a lower bound by importance weights",
    "log_likelihood": "log p(x given z)",
    "kl": "KL of q(z given x) from the prior",
    "accuracy": "share of test examples whose class is told",
}
"""Names in evaluation.json and, after `test_`, in summary.json, with what they mean."""


def card(run: Run, recipe: Recipe, pictures: Sequence[Path]) -> str:
    """Return README.md of a model.

    Args:
        run: trained model.
        recipe: its options, without paths of the machine.
        pictures: paths of its figures from the card.
    """
    return "\n\n".join(_sections(run, recipe, pictures)) + "\n"


def command(recipe: Recipe) -> str:
    """Return the command that trains a recipe."""
    known, words = options(recipe), ["python", "experiments/train.py"]
    for name, value in differences(recipe).items():
        if name in NOT_TOLD:
            continue
        flag = "--" + name.replace("_", "-")
        if name in known and known[name].kind is bool:
            words.append(flag if value else f"--no-{flag[2:]}")
        else:
            words += [flag, *map(str, value if isinstance(value, list) else [value])]
    return shlex.join(words)


def _sections(run: Run, recipe: Recipe, pictures: Sequence[Path]) -> Iterator[str]:
    facts = run.facts
    kinds = {axis: kind_of(getattr(recipe, axis), AXES[axis]) for axis in AXES if getattr(recipe, axis) is not None}
    name = recipe.data.dataset
    yield "---\nlibrary_name: jaxvae\ntags:\n- jax\n- variational-autoencoder\n---"
    yield f"# {recipe.preset} on {name}"
    paper = f" ({recipe.paper})" if recipe.paper else ""
    sizes = f"{num_parameters(run):,} parameters, {recipe.latent_dim} latent dimensions, {run.step:,} steps"
    yield f"A variational autoencoder{paper}, trained by jaxvae {jaxvae.__version__}: {sizes}."
    yield _table("choice", "kind", {axis: f"`{kind}`" for axis, kind in kinds.items()})
    yield (
        "```python\nimport jaxvae\n\n"
        'run = jaxvae.load("hf://OWNER/NAME")  # or this folder\n'
        "codes = run.encode(x).mean\nsamples = run.sample(16)\n```"
    )
    sizes = ", ".join(f"{facts[part]:,} to {part}" for part in ("train", "validation", "test") if facts.get(part))
    condition = "" if recipe.condition == "none" else f" Conditions: {recipe.condition}."
    yield (
        f"## Data\n\n`{name}`: examples of shape {tuple(facts['shape'])}, {sizes}. Fingerprint "
        f"`{facts['fingerprint']}`.{condition}"
    )
    yield f"## Numbers\n\nProtocol: {protocol(recipe)}. Nats per test example.\n\n{_numbers(run)}"
    yield f"## Training\n\n```bash\n{command(recipe)}\n```"
    if pictures:
        yield "## Pictures\n\n" + "\n\n".join(f"![{picture.stem}]({picture.as_posix()})" for picture in pictures)
    yield f"## Licence\n\nOf the model: {LICENCE}. Of the data: that of `{name}`. jaxvae is under the MIT licence."


def _numbers(run: Run) -> str:
    evaluation = _evaluation(run)
    found = evaluation or {name.removeprefix("test_"): value for name, value in run.summary.items()}
    rows = {}
    for name, meaning in NUMBERS.items():
        if (value := found.get(name)) is None:
            continue
        error = found.get(f"{name}_standard_error")
        samples = f", {evaluation['num_samples']} samples" if name == "log_px" and evaluation else ""
        rows[meaning + samples] = f"{value:.2f}" + ("" if error is None else f" ± {error:.2f}")
    return _table("number", "value", rows) if rows else "Not evaluated."


def _evaluation(run: Run) -> dict[str, Any]:
    """Return the numbers of `evaluate.py`, where they are of the same step."""
    if run.folder is None:
        return {}
    try:
        found = dict(json.loads((run.folder / "evaluation.json").read_text()))
    except (OSError, ValueError):
        return {}
    return found if found.get("step") == run.step else {}


def _table(first: str, second: str, rows: Mapping[str, str]) -> str:
    return "\n".join([f"| {first} | {second} |", "|---|---|", *(f"| {a} | {b} |" for a, b in rows.items())])
