"""Recipe as a TOML file, with the names of the command line."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from jaxvae.errors import InputError
from jaxvae.options.given import given, preset
from jaxvae.options.names import UNPREFIXED, options
from jaxvae.options.recipe import AXES, Recipe, kind_of
from jaxvae.options.stored import plain


def read_toml(path: str | Path) -> dict[str, Any]:
    """Read the options of a recipe, by their names as `given` takes them.

    An option of a choice is a quoted name, `"prior.num_inputs" = 50`, or stands in the choice's table: `kind = "vamp"`
    and `num_inputs = 50` in `[prior]`.

    Raises:
        InputError: the file cannot be read, is no TOML, or gives an option twice.
    """
    found: dict[str, Any] = {}
    for name, value in _flat(parse_toml(path)):
        if name in found:
            raise InputError(f"{path}: {name} is given twice; give it once")
        found[name] = value
    return found


def parse_toml(path: str | Path) -> dict[str, Any]:
    """Read a TOML file.

    Raises:
        InputError: the file cannot be read, or is no TOML.
    """
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}; name a TOML file") from error
    except ValueError as error:
        raise InputError(
            f'{path}: is no TOML ({error}); write NAME = VALUE, and quote names with dots: "prior.num_inputs" = 50'
        ) from error


def write_toml(recipe: Recipe, path: str | Path) -> None:
    """Write the preset of a recipe and every option that differs from it, so that `read_toml` gives the same recipe.

    Raises:
        InputError: an options class of one's own has no name.
        FileExistsError: the file exists.
    """
    # Imported here: only this function needs it, and only the `experiments` extra installs it.
    import tomli_w

    text = tomli_w.dumps(differences(recipe))
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with Path(path).open("x", encoding="utf-8") as file:
        file.write(text)


def differences(recipe: Recipe) -> dict[str, Any]:
    """Return the preset of a recipe and every option that differs from it, as plain values by name.

    >>> differences(given(preset="vae", prior="vamp", hidden=(50,)))
    {'preset': 'vae', 'prior': 'vamp', 'hidden': [50]}
    """
    row = preset(recipe.preset)
    kinds = {axis: (getattr(recipe, axis), table) for axis, table in AXES.items()}
    chosen = {
        axis: kind_of(value, table)
        for axis, (value, table) in kinds.items()
        if value is not None and type(value) is not type(getattr(row, axis))
    }
    known = options(given(row, **chosen))
    changed = {name: one.value for name, one in options(recipe).items() if one.value != known[name].value}
    # TOML has no null; the command line spells it the same way.
    values = {name: "None" if value is None else plain(value, {}) for name, value in changed.items()}
    return {"preset": recipe.preset, **chosen, **values}


def _flat(values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the options of tables too, under their names on the command line."""
    for name, value in values.items():
        if not isinstance(value, Mapping):
            yield name, value
            continue
        prefix = "" if name in UNPREFIXED else f"{name}."
        for field, option in value.items():
            yield (name if field == "kind" and name in AXES else prefix + field), option
