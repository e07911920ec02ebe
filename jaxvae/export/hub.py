"""Folder for a model hub: a card, the options, the facts of the data, the parameters, and digests of them all."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import jax

from jaxvae.checkpoint import digest
from jaxvae.data import conditions, is_place
from jaxvae.data.spaces import of_facts
from jaxvae.errors import InputError, first_line
from jaxvae.export import safetensors
from jaxvae.export.card import card
from jaxvae.options import earlier
from jaxvae.options.own import Own
from jaxvae.options.recipe import Recipe
from jaxvae.options.stored import to_json
from jaxvae.packages import needed_by
from jaxvae.report import write_json
from jaxvae.runs.parts import build_parts
from jaxvae.runs.run import Run

SCHEME = "hf://"
FORMAT = 1
DIGESTS = "digests.json"
"""File with the sha256 of all that is read; the card and pictures may be edited."""
READ = ("config.json", "facts.json", "summary.json", safetensors.FILE)
"""Files that are read."""


def write(run: Run, folder: Path) -> list[Path]:
    """Write `hub/`, which `jaxvae.load` reads and `push` sends; paths of the machine are left out.

    Raises:
        InputError: the networks are of one's own, which no file can hold.
    """
    if isinstance(run.recipe.networks, Own):
        raise InputError("to: hub holds options and numbers, and this run's networks are code of its own; leave it out")
    folder = folder / "hub"
    folder.mkdir(parents=True, exist_ok=True)
    recipe = published(run.recipe)
    safetensors.write(run, folder)
    write_json(folder / "config.json", to_json(recipe))
    write_json(folder / "facts.json", {**run.facts, "name": Path(str(run.facts.get("name", ""))).name})
    write_json(folder / "summary.json", {**run.summary, "step": run.step, "params_sha256": digest(run.params)})
    pictures = _pictures(run, folder)
    (folder / "README.md").write_text(card(run, recipe, pictures), encoding="utf-8")
    write_json(folder / DIGESTS, {"format": FORMAT, "sha256": {name: _sha256(folder / name) for name in READ}})
    return sorted(path for path in folder.rglob("*") if path.is_file())


def published(recipe: Recipe) -> Recipe:
    """Return a recipe without the paths of the machine."""
    dataset = recipe.data.dataset
    data = dataclasses.replace(recipe.data, data_dir=None, dataset=Path(dataset).name if is_place(dataset) else dataset)
    output = dataclasses.replace(recipe.output, run_dir=None, reproduce=None)
    compute = dataclasses.replace(type(recipe.compute)(), deterministic=recipe.compute.deterministic)
    train = (
        recipe.train
        if recipe.train.init_from is None
        else dataclasses.replace(recipe.train, init_from=Path(recipe.train.init_from.name))
    )
    return dataclasses.replace(recipe, data=data, output=output, compute=compute, train=train)


def is_hub_folder(place: str | Path) -> bool:
    """Return True for a name on the hub, and for a folder that `write` has written."""
    return str(place).startswith(SCHEME) or (Path(place) / DIGESTS).is_file()


def load(place: str | Path, classes: Iterable[type] = ()) -> Run:
    """Load a model from the hub, `hf://owner/name` or `hf://owner/name@revision`, or from a local folder of one.

    Nothing in it makes code run, and every file that is read has its digest.

    Raises:
        InputError: there is no such model, a file is damaged, or it was written by a later version.
    """
    folder = _fetched(str(place)) if str(place).startswith(SCHEME) else Path(place)
    _check_digests(folder)
    config, facts, summary = (_read_json(folder / name) for name in ("config.json", "facts.json", "summary.json"))
    recipe = earlier.read(config, classes)
    condition = conditions.of_facts(facts)
    given: dict[str, Any] = {"condition_space": condition and condition.space, "num_examples": facts["train"]}
    parts = build_parts(recipe, of_facts(facts), **given)
    params = jax.tree.map(jax.numpy.asarray, safetensors.read(folder / safetensors.FILE, parts.shapes))
    if digest(params) != summary["params_sha256"]:
        raise InputError(f"{folder}: the parameters are not those of summary.json; fetch it again")
    return Run(recipe, parts.model, params, summary["step"], facts, parts.reports_elbo, folder, summary)


def push(folder: Path, name: str, *, private: bool = True) -> str:
    """Send a folder of `write` to the Hugging Face hub as `owner/name`, and return its address.

    Raises:
        InputError: the package is not installed, or the hub refuses.
    """
    hub = needed_by("push", "huggingface_hub", "export")
    try:
        api = hub.HfApi()
        api.create_repo(name, private=private, exist_ok=True)
        api.upload_folder(repo_id=name, folder_path=folder, commit_message="Model trained by jaxvae")
        return f"{api.endpoint}/{name}"
    except Exception as error:
        raise InputError(f"push: {name} is not sent ({first_line(error)}); see `hf auth login`") from error


def _fetched(place: str) -> Path:
    hub = needed_by(place, "huggingface_hub", "export")
    name, _, revision = place.removeprefix(SCHEME).partition("@")
    try:
        files = [DIGESTS, *READ]
        return Path(hub.snapshot_download(name, revision=revision or None, allow_patterns=files))
    except Exception as error:
        raise InputError(f"{place}: cannot be fetched ({first_line(error)}); name a model of the hub") from error


def _check_digests(folder: Path) -> None:
    known = _read_json(folder / DIGESTS)
    if known.get("format") != FORMAT:
        raise InputError(f"{folder}: format {known.get('format')!r}, this jaxvae reads {FORMAT}; use a newer one")
    for name in READ:
        path = folder / name
        if not path.is_file() or _sha256(path) != known["sha256"].get(name):
            raise InputError(f"{path}: is missing, or not the file that was written; fetch it again")


def _read_json(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"{path}: cannot be read ({first_line(error)}); fetch it again") from error


def _pictures(run: Run, folder: Path) -> list[Path]:
    """Copy the run's pictures beside the card, and return their paths there."""
    figures = sorted((run.folder / "figures").glob("*.png")) if run.folder else []
    shutil.rmtree(folder / "figures", ignore_errors=True)
    if figures:
        (folder / "figures").mkdir()
    return [Path(shutil.copy(figure, folder / "figures")).relative_to(folder) for figure in figures]


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
