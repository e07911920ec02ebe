"""Cost of a variant in code: `python benchmarks/rows.py` prints files, lines and hubs of each row of the presets.

A row's own files are those that its choices need and the row `vae` does not: the modules of its options, pieces,
distributions, networks and objective. A hub is a module that every run passes through; none may name a row's choices.
"""

from __future__ import annotations

import ast
import functools
import io
import statistics
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jaxvae
from jaxvae.options.presets import PRESETS
from jaxvae.options.recipe import Recipe

PACKAGE = Path(jaxvae.__file__).parent
TABLES = {PACKAGE / name / "__init__.py" for name in ("nets", "posteriors", "priors", "likelihoods", "extras")}
TABLES |= {PACKAGE / name / "__init__.py" for name in ("distributions", "objectives")}
"""Modules that name every row of an axis."""
HUBS = [PACKAGE / f"{name}.py" for name in ("model", "pieces", "assemble", "facts", "types")]
HUBS += [path for name in ("training", "runs", "evaluation") for path in sorted((PACKAGE / name).glob("*.py"))]
HUBS += [path for path in sorted((PACKAGE / "options").glob("*.py")) if path.stem != "presets"]


def choices(recipe: Recipe) -> list[Any]:
    """Return the classes of a row's options and its objective."""
    options = (recipe.networks, recipe.posterior, recipe.prior, recipe.likelihood, recipe.corruption, *recipe.extras)
    return [recipe.objective.function, *(type(option) for option in options if option is not None)]


@functools.cache
def module_file(name: str) -> Path | None:
    """Return the file of a module of jaxvae, or None."""
    place = PACKAGE.parent / Path(*name.split("."))
    return next((path for path in (place.with_suffix(".py"), place / "__init__.py") if path.exists()), None)


@functools.cache
def import_lines(path: Path) -> list[ast.ImportFrom]:
    """Return the lines of a file that import names from a module."""
    return [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom)]


def imported(path: Path) -> Iterator[Path]:
    """Yield the files of jaxvae from which a file imports names; those of a table's names, not of the whole table."""
    for node in import_lines(path):
        if str(node.module).startswith("jaxvae"):
            for alias in node.names:
                module = sys.modules.get(str(node.module))
                owner = getattr(getattr(module, alias.name, None), "__module__", None) or f"{node.module}.{alias.name}"
                found = module_file(owner) or module_file(str(node.module))
                if found is not None and owner.startswith("jaxvae"):
                    yield found


def reachable(files: set[Path]) -> set[Path]:
    """Return files and everything of jaxvae that they import, at any depth."""
    known, waiting = set(files), list(files)
    while waiting:
        new = set(imported(waiting.pop())) - known - TABLES
        known |= new
        waiting += new
    return known


def row_files(recipe: Recipe) -> set[Path]:
    """Return the files that a row's choices need."""
    files = {module_file(choice.__module__) for choice in choices(recipe)}
    return reachable({path for path in files if path is not None})


def lines_of_code(path: Path) -> int:
    """Count the lines with code: without docstrings, comments and blank lines."""
    text = path.read_text()
    skipped = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)
    tokens = [token for token in tokenize.generate_tokens(io.StringIO(text).readline) if token.type not in skipped]
    code = {line for token in tokens for line in range(token.start[0], token.end[0] + 1)}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            code -= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return len(code)


def hubs_naming(recipe: Recipe) -> list[Path]:
    """Return the hubs that import a class or function of the row that `vae` lacks, besides the file that defines it."""
    own = set(choices(recipe)) - set(choices(PRESETS["vae"]))
    homes = {module_file(choice.__module__) for choice in own}
    return [hub for hub in HUBS if hub not in homes and own & set(_imports(hub))]


def _imports(path: Path) -> Iterator[Any]:
    """Yield the classes and functions that a file imports by name."""
    for node in import_lines(path):
        values = (getattr(sys.modules.get(str(node.module)), alias.name, None) for alias in node.names)
        yield from (value for value in values if callable(value))


def table() -> list[tuple[str, int, int, list[str]]]:
    """Return name, number of own files, lines of code in them, and hubs that name it, for each row."""
    common = row_files(PRESETS["vae"]) | set(HUBS)
    rows = []
    for name, recipe in PRESETS.items():
        own = row_files(recipe) - common
        hubs = [str(hub.relative_to(PACKAGE)) for hub in hubs_naming(recipe)]
        rows.append((name, len(own), sum(map(lines_of_code, own)), hubs))
    return rows


def main() -> None:
    """Print the table and its medians."""
    print(f"{'row':24}{'own files':>10}{'lines':>7}  hubs")
    rows = table()
    for name, files, lines, hubs in rows:
        print(f"{name:24}{files:10}{lines:7}  {', '.join(hubs) or 0}")
    own = [(files, lines) for _, files, lines, _ in rows if files]
    of_files, of_lines = map(statistics.median, zip(*own))
    print(f"median of the {len(own)} rows with files of their own: {of_files:g} files, {of_lines:g} lines")


if __name__ == "__main__":
    main()
