"""Help of the command line: the options of one recipe, or every choice with its options."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import itertools
import re
import shutil
import textwrap
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from jaxvae.options.from_signature import FunctionOptions
from jaxvae.options.names import Option, options, options_in
from jaxvae.options.presets import PRESETS
from jaxvae.options.recipe import AXES, EXTRAS, GROUPS, Recipe, kind_of
from jaxvae.options.schedules import SYNTAX, Number

COLUMN, OF_CHOICES = 30, 20
"""Width of the flags' column, and of that of the choices, whose kinds fill whole lines."""
NOT_OF_TOKENS = frozenset({"resize", "crop", "background", "binarize", "scale", "columns", "output_bias"})
"""Options that the help of a recipe for rows of tokens leaves out."""
OF_TOKENS = frozenset({"sequences", "word_dropout"})
"""Options, and a group of them, that the help of any other recipe leaves out."""
OF_CLASSES = frozenset({"only", "labelled", "labelled_seed", "labelled_per_batch"})
"""Options that the help of a recipe without classes as its condition leaves out."""
RARE = frozenset(
    {"inference_until", "inference_patience", "init_parts", "length_buckets", "window_length", "window_stride"}
)
"""Options that only the help of every choice shows."""
WORDS = {int: "INT", float: "NUMBER", str: "WORD", Path: "PATH", Number: "NUMBER"}


def page(recipe: Recipe) -> str:
    """Return the help of a recipe: its choices, and exactly the options that they have."""
    of_others = NOT_OF_TOKENS if getattr(recipe.networks, "reads", None) == "tokens" else OF_TOKENS
    left_out = {"compute", *RARE, *of_others, *(() if recipe.condition == "label" else OF_CLASSES)}
    found = [option for option in options(recipe).values() if not left_out & {option.part, option.name}]
    parts = dict.fromkeys(option.part for option in found)
    lines = [
        inspect.getdoc(Recipe) or "",
        "",
        *_entry(
            "--preset NAME",
            f"{', '.join(PRESETS)}; these are the options of {recipe.preset}: {recipe.paper}",
            OF_CHOICES,
        ),
        *_choices(recipe),
        *_entry("--config FILE", "Read options from a TOML file; --save-config FILE only writes one.", OF_CHOICES),
        *_entry("--help-all", "Show every choice and every option.", OF_CHOICES),
        *_entry("NUMBER", f"Number of the objective, or its schedule: {SYNTAX}.", OF_CHOICES),
    ]
    for part in parts:
        own = (option for option in found if option.part == part)
        lines += ["", *_wrapped(_title(recipe, part), ""), *_list(own, brief)]
    return "\n".join(lines)


def all_choices() -> str:
    """Return the help of every kind of every choice, of the extras, and of the options that every recipe has."""
    lines: list[str] = []
    for axis, table in AXES.items():
        for kind, cls in table.items():
            lines += _section(f"--{axis} {kind}", axis, cls())
    for name, cls in EXTRAS.items():
        lines += _section(f"{name}, of the objectives that have one", name, cls())
    for group in GROUPS:
        lines += _section(group, group, getattr(Recipe(), group))
    return "\n".join(lines[1:])


def _section(title: str, part: str, value: Any) -> list[str]:
    return ["", title, *_wrapped(summary(type(value)), "  "), *_list(options_in(part, value))]


def brief(text: str) -> str:
    """Return the first clause of a help text.

    >>> brief("Weight of the KL (beta-VAE), a number; where it is 0 an infinite KL adds nothing.")
    'Weight of the KL (beta-VAE), a number.'
    """
    return re.split(r"[;:.] |\.$", text, maxsplit=1)[0].rstrip(".") + "."


def explanation(option: Option) -> str:
    """Return the help of an option: the docstring below its field, or its entry under `Args:` of the objective."""
    made = next(field.metadata.get("help") for field in dataclasses.fields(option.owner) if field.name == option.field)
    return made or _field_docs(option.owner).get(option.field, "")


def _field_docs(cls: type) -> Mapping[str, str]:
    if issubclass(cls, FunctionOptions):  # made, without a source
        return {}
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(cls))).body
    assert isinstance(definition, ast.ClassDef)
    body = definition.body
    return {
        field.target.id: " ".join(doc.value.value.split())
        for field, doc in itertools.pairwise(body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(doc, ast.Expr)
        and isinstance(doc.value, ast.Constant)
        and isinstance(doc.value.value, str)
    }


def summary(cls: type) -> str:
    """Return the first paragraph of a class's docstring, in one line."""
    return " ".join((inspect.getdoc(cls) or "").split("\n\n")[0].split())


def _title(recipe: Recipe, part: str) -> str:
    if part in AXES:
        return f"{part} {kind_of(getattr(recipe, part), AXES[part])}: {summary(type(getattr(recipe, part)))}"
    return f"{part}: {summary(type(getattr(recipe, part)))}" if part in GROUPS else part or "model:"


def _choices(recipe: Recipe) -> Iterator[str]:
    for axis, table in AXES.items():
        value = getattr(recipe, axis)
        chosen = "by the data" if value is None else kind_of(value, table)
        yield from _entry(f"--{axis} KIND", f"{', '.join(table)} ({chosen})", OF_CHOICES)


def _list(found: Iterable[Option], shorten: Callable[[str], str] = str) -> Iterator[str]:
    for option in found:
        flag = f"--[no-]{option.flag[2:]}" if option.kind is bool else f"{option.flag} {_metavar(option.kind)}"
        yield from _entry(flag, shorten(explanation(option)) + _shown(option.value))


def _metavar(kind: Any) -> str:
    """Return the word for a value in help: `INT...` for several, the choices for a literal."""
    if kind == Number:
        return "NUMBER"
    if isinstance(kind, types.UnionType) or typing.get_origin(kind) is typing.Union:
        kind = next(one for one in typing.get_args(kind) if one is not types.NoneType)
    if typing.get_origin(kind) is typing.Literal:
        return "|".join(map(str, typing.get_args(kind)))
    if typing.get_origin(kind) is tuple:
        return f"{WORDS.get(typing.get_args(kind)[0], 'VALUE')}..."
    return WORDS.get(kind, "VALUE")


def _shown(value: Any) -> str:
    """Return a default in brackets, as a person would type it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return f" ({'yes' if value else 'no'})"
    return f" ({' '.join(map(str, value)) or 'none'})" if isinstance(value, tuple) else f" ({value})"


def _entry(flag: str, text: str, column: int = COLUMN) -> list[str]:
    """Return the lines of a flag in its column, and its text beside or below it."""
    lines = _wrapped(text, " " * column)
    head = f"  {flag}"
    return [head.ljust(column) + lines[0].lstrip(), *lines[1:]] if len(head) < column else [head, *lines]


def _wrapped(text: str, indent: str) -> list[str]:
    width = max(60, min(120, shutil.get_terminal_size().columns))
    return textwrap.wrap(text, width, initial_indent=indent, subsequent_indent=indent) or [indent]
