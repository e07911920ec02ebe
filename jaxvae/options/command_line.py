"""Command line of a recipe, read in two phases: first the preset and the choices, then exactly their options."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Protocol, TypeVar, cast

from jaxvae.errors import InputError
from jaxvae.options.checks import check_new_file
from jaxvae.options.files import read_toml, write_toml
from jaxvae.options.given import ALIASES, BOARD, WARMUP, given, in_layers, warmed_up, with_board
from jaxvae.options.help import all_choices, page
from jaxvae.options.names import Option, options, refusal, replace
from jaxvae.options.recipe import AXES, Recipe
from jaxvae.options.schedules import Number, parse_number
from jaxvae.options.usage import complaint, complaint_of, flags


class Config(Protocol):
    """Interface of dataclasses of options."""

    def check(self) -> None:
        """Raise an InputError where an option is invalid."""
        ...


C = TypeVar("C", bound=Config)
LAYERS_FLAG = "--posterior.upper-latent-dims"
FIRST = ("preset", "config", "save_config")
"""Options of the command line that are no options of a recipe."""


def parse(config_type: type[C], arguments: Sequence[str] | None = None, *, program: str | None = None) -> C:
    """Parse and check options from the command line, or from these arguments.

    Args:
        config_type: class of the options.
        arguments: words of the command line; those of this process if not given.
        program: name of the program in its help; that of its file if not given.

    Raises:
        InputError: an option is unknown, or its value is invalid.
        SystemExit: help was asked for and is printed, or the recipe is saved.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    if issubclass(config_type, Recipe):
        return cast(C, _checked_or_saved(arguments))
    config = _parse(config_type, arguments, lambda: complaint_of(config_type, arguments), program)
    config.check()
    return config


def _checked_or_saved(arguments: Sequence[str]) -> Recipe:
    """Return the recipe of a command line; with `--save-config` write it and end."""
    file, words = _take("save-config", [_modern(word) for word in arguments])
    recipe = parse_recipe(words)
    recipe.check()
    if file is not None:
        check_new_file("save-config", Path(file))
        write_toml(recipe, file)
        print(f"recipe in {file}: --config {file} trains it")
        raise SystemExit(0)
    return recipe


def parse_recipe(arguments: Sequence[str]) -> Recipe:
    """Parse the options of a recipe, such as `--preset iaf_vae --prior vamp --prior.num-inputs 50`.

    Options in the file of `--config` come first, so that those among the arguments replace them.
    """
    file, words = _take("config", [_modern(word) for word in arguments])
    recipe, words = _choices(words, file)
    board, words = _take_switch(BOARD, words)
    if {"-h", "--help", "--help-all"} & set(words):
        print(all_choices() if "--help-all" in words else page(recipe))
        raise SystemExit(0)
    known = options(recipe)
    if "beta" in known:
        known[WARMUP] = Option(WARMUP, "", WARMUP, int, 0, Recipe)
    names = {f"option_{number}": option for number, option in enumerate(known.values())}

    def unknown(flag: str) -> str:
        return refusal(flag.removeprefix("--").replace("-", "_"), [*known, *FIRST, *AXES])

    values = _parse(_flat(names), words, lambda: complaint(_kinds(known), words, unknown=unknown))
    found = {option.name: getattr(values, name) for name, option in names.items()}
    warmup_steps = found.pop(WARMUP, 0)
    recipe = warmed_up(replace(recipe, found), warmup_steps)
    return recipe if board is None else with_board(recipe, board)


def _modern(word: str) -> str:
    """Replace the name of an option of version 0.1 in a word such as `--upper-hidden=100`."""
    name, equals, value = word.partition("=")
    if not name.startswith("--"):
        return word
    name = name[2:].replace("-", "_")
    return "--" + ALIASES.get(name, name).replace("_", "-") + equals + value


def _choices(words: Sequence[str], file: str | None) -> tuple[Recipe, list[str]]:
    """Return the recipe of the choices and of a file's options, and the other words."""
    chosen: dict[str, Any] = {}
    words = list(words)
    for name in ("preset", *AXES):
        value, words = _take(name, words)
        chosen |= {} if value is None else {name: value}
    recipe = given(**chosen)
    if file is not None:
        recipe = _from_file(file, chosen)
    layered = any(word.partition("=")[0] == LAYERS_FLAG for word in words)
    return in_layers(recipe) if layered else recipe, words


def _from_file(file: str, chosen: Mapping[str, str]) -> Recipe:
    """Return the recipe of a file, with the choices of the command line in place of its own."""
    try:
        values = read_toml(file)
    except InputError as error:
        raise InputError(f"config: {error}") from None
    try:
        return given(**{**values, **chosen})
    except InputError as error:
        raise InputError(f"{file}: {error}") from None


def _take(name: str, words: Sequence[str]) -> tuple[str | None, list[str]]:
    """Take `--name VALUE` or `--name=VALUE` out of the words."""
    flag = f"--{name}"
    places = [place for place, word in enumerate(words) if word.partition("=")[0] == flag]
    if not places:
        return None, list(words)
    if len(places) > 1:
        raise InputError(f"{name}: is given twice; give it once")
    (place,) = places
    _, equals, value = words[place].partition("=")
    rest = list(words[place + 1 :])
    if not equals:
        if not rest or rest[0].startswith("-"):
            raise InputError(f"{name}: takes one value, got none; write {flag} VALUE")
        value = rest.pop(0)
    return value, [*words[:place], *rest]


def _take_switch(name: str, words: Sequence[str]) -> tuple[bool | None, list[str]]:
    """Take `--name` or `--no-name` out of the words, the last if there are several; None where there is none."""
    switches = {f"--{name}": True, f"--no-{name}": False}
    found = [word for word in words if word.partition("=")[0] in switches]
    if wrong := [word for word in found if "=" in word]:
        value = wrong[0].partition("=")[2]
        raise InputError(f"{name}: takes no value, got {value!r}; give --{name} or --no-{name}")
    return switches[found[-1]] if found else None, [word for word in words if word not in switches]


def _flat(names: Mapping[str, Option]) -> type:
    """Make a dataclass of options under other field names, because the names of options contain dots."""
    import tyro

    fields = [
        (name, Annotated[option.kind, tyro.conf.arg(name=option.flag[2:])], dataclasses.field(default=option.value))
        for name, option in names.items()
    ]
    return dataclasses.make_dataclass("Options", fields)


def _kinds(known: Mapping[str, Option]) -> dict[str, Any]:
    return {flag: option.kind for option in known.values() for flag in flags(option.flag, option.kind)}


def _parse(
    config_type: type[Any], arguments: Sequence[str], explain: Callable[[], str], program: str | None = None
) -> Any:
    """Parse by tyro; an error is one line instead of its box of many."""
    # Imported here: only scripts need it, and only the `experiments` extra installs it.
    import tyro

    try:
        with contextlib.redirect_stderr(io.StringIO()):
            config = (tyro.conf.OmitArgPrefixes,)
            return tyro.cli(config_type, prog=program, args=arguments, registry=_registry(), config=config)
    except SystemExit as stop:
        if stop.code != 2:
            raise
        raise InputError(explain()) from None


def _registry() -> Any:
    """Teach tyro numbers that may be schedules."""
    from tyro import constructors

    registry = constructors.ConstructorRegistry()

    @registry.primitive_rule
    def rule(info: Any) -> Any:
        if info.type != Number:
            return None
        return constructors.PrimitiveConstructorSpec(
            nargs=1,
            metavar="NUMBER",
            instance_from_str=lambda words: parse_number(words[0]),
            is_instance=lambda value: True,
            str_from_instance=lambda value: [str(value)],
        )

    return registry
