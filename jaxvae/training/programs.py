"""Programs that differ in numbers alone, joined to one program that takes these numbers as arguments.

A learning rate or a weight of an objective is a constant of the traced step. Steps with other constants have the same
operations on the same shapes, so that `vmap` computes them together. A number that adds or removes operations, such as
a weight decay of 0, makes another program.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import jax
import numpy as np
from jax.extend.core import ClosedJaxpr, Jaxpr, JaxprEqn, Literal, Var

Place: TypeAlias = tuple[int | str, ...]
"""Path to a number: equation and argument, after those of the calls around it."""
Numbers: TypeAlias = Mapping[Place, Any]
CONSTANTS, RESULTS = "constants", "results"
CALLS = {
    "jit": "jaxpr",
    "closed_call": "call_jaxpr",
    "custom_jvp_call": "call_jaxpr",
    "custom_vjp_call": "call_jaxpr",
}
"""Calls by name, each with the parameter that holds its program."""
RULES = ("custom_jvp_call", "custom_vjp_call")
"""Calls that hold rules of differentiation; a training step is differentiated already, so these do not matter."""


class Unlike(ValueError):
    """Difference of two programs that is no number; the message names it."""


class Joined(NamedTuple):
    """One program for several, each with its own numbers."""

    numbers: list[np.ndarray]
    """Numbers of all programs, stacked along a first axis."""
    call: Callable[..., list[Any]]
    """Function of one program's numbers and its arguments, flat; returns its results, flat."""


def join(programs: Sequence[ClosedJaxpr]) -> Joined:
    """Join programs; mapped over `numbers`, the result computes what each of them does alone.

    >>> programs = [jax.make_jaxpr(lambda x, slope=slope: slope * x + 1)(0.0) for slope in (2.0, 3.0)]
    >>> joined = join(programs)
    >>> print(jax.vmap(joined.call, in_axes=(0, None))(joined.numbers, 5.0)[0])
    [11. 16.]

    Raises:
        Unlike: the programs differ in more than numbers.
    """
    numbers = dict(_differences(programs, ()))

    def call(own: list[Any], *arguments: Any) -> list[Any]:
        return _evaluate(programs[0], arguments, dict(zip(numbers, own)), ())

    return Joined(list(numbers.values()), call)


def _differences(programs: Sequence[ClosedJaxpr], path: Place) -> Iterator[tuple[Place, np.ndarray]]:
    """Yield the numbers in which programs differ, those of all stacked, with their places."""
    if all(program is programs[0] for program in programs):
        return
    jaxprs, known = [program.jaxpr for program in programs], [dict[Var, int]() for _ in programs]

    def define(several: Sequence[Sequence[Var]]) -> None:
        for variables in _rows(several):
            _check(len({variable.aval for variable in variables}) == 1, "other shapes")
            for names, variable in zip(known, variables):
                names[variable] = len(names)

    def read(place: Place, several: Sequence[Sequence[Var | Literal]]) -> Iterator[tuple[Place, np.ndarray]]:
        for number, atoms in enumerate(_rows(several)):
            if all(isinstance(atom, Literal) for atom in atoms):
                yield from _stacked((*place, number), [atom.val for atom in atoms])
            else:
                _check(not any(isinstance(atom, Literal) for atom in atoms), "other operations")
                _check(len({names.get(atom) for names, atom in zip(known, atoms)}) == 1, "other operations")

    for number, values in enumerate(_rows([program.consts for program in programs])):
        yield from _stacked((*path, CONSTANTS, number), values)
    define([[*jaxpr.constvars, *jaxpr.invars] for jaxpr in jaxprs])
    for number, equations in enumerate(_rows([jaxpr.eqns for jaxpr in jaxprs])):
        _check(len({equation.primitive for equation in equations}) == 1, "other operations")
        yield from read((*path, number), [equation.invars for equation in equations])
        yield from _differences_inside(equations, (*path, number))
        define([equation.outvars for equation in equations])
    yield from read((*path, RESULTS), [jaxpr.outvars for jaxpr in jaxprs])


def _differences_inside(equations: Sequence[JaxprEqn], path: Place) -> Iterator[tuple[Place, np.ndarray]]:
    """Compare the parameters of an operation, and yield the numbers of programs that it calls."""
    primitive = equations[0].primitive.name
    for name in equations[0].params:
        values = [equation.params[name] for equation in equations]
        if _programs(values[0]):
            for number, programs in enumerate(_rows([_programs(value) for value in values])):
                found = list(_differences(programs, (*path, name, number)))
                _check(not found or primitive in (*CALLS, *CONTROL), f"other numbers inside {primitive}")
                yield from found
        elif primitive not in RULES:
            _check(all(_equal(value, values[0]) for value in values), "other operations")


def _stacked(place: Place, values: Sequence[Any]) -> Iterator[tuple[Place, np.ndarray]]:
    if all(value is values[0] for value in values):
        return
    _check(len({jax.typeof(value) for value in values}) == 1, "other shapes")
    dtype = jax.typeof(values[0]).dtype
    _check(not jax.dtypes.issubdtype(dtype, jax.dtypes.extended), "other keys")
    arrays = [np.asarray(value, dtype) for value in values]
    if any(array.tobytes() != arrays[0].tobytes() for array in arrays):
        yield place, np.stack(arrays)


def _programs(value: Any) -> list[ClosedJaxpr]:
    """Return the programs that a parameter holds: one, those of branches, or none."""
    several = value if isinstance(value, (tuple, list)) else (value,)
    if not all(isinstance(one, (ClosedJaxpr, Jaxpr)) for one in several):
        return []
    return [one if isinstance(one, ClosedJaxpr) else ClosedJaxpr(one, ()) for one in several]


def _rows(several: Sequence[Sequence[Any]]) -> Iterator[tuple[Any, ...]]:
    _check(len({len(one) for one in several}) == 1, "other operations")
    return zip(*several)


def _equal(one: Any, other: Any) -> bool:
    return one is other or np.array_equal(one, other) if isinstance(one, np.ndarray) else bool(one == other)


def _check(alike: bool, difference: str) -> None:
    if not alike:
        raise Unlike(difference)


def _evaluate(program: ClosedJaxpr, arguments: Sequence[Any], numbers: Numbers, path: Place) -> list[Any]:
    """Evaluate a program with other numbers at some places."""
    jaxpr, values = program.jaxpr, dict[Var, Any]()

    def read(place: Place, atoms: Sequence[Var | Literal]) -> list[Any]:
        own = [atom.val if isinstance(atom, Literal) else values[atom] for atom in atoms]
        return [numbers.get((*place, number), value) for number, value in enumerate(own)]

    constants = [numbers.get((*path, CONSTANTS, number), value) for number, value in enumerate(program.consts)]
    values.update(zip([*jaxpr.constvars, *jaxpr.invars], [*constants, *arguments]))
    for number, equation in enumerate(jaxpr.eqns):
        place = (*path, number)
        results = _apply(equation, read(place, equation.invars), numbers, place)
        values.update(zip(equation.outvars, results))
    return read((*path, RESULTS), jaxpr.outvars)


def _apply(equation: JaxprEqn, arguments: list[Any], numbers: Numbers, path: Place) -> list[Any]:
    """Apply one operation; a call is evaluated as its operations, and so is a loop or choice with numbers inside."""
    name, params = equation.primitive.name, equation.params
    # A place inside is longer than that of an argument.
    has_numbers = any(len(place) > len(path) + 1 and place[: len(path)] == path for place in numbers)
    if name not in CALLS and not has_numbers:
        results = equation.primitive.bind(*arguments, **params)
        return list(results) if equation.primitive.multiple_results else [results]

    def inside(key: str) -> list[Callable[..., list[Any]]]:
        """Return functions for the programs that a parameter holds."""

        def function(number: int, program: ClosedJaxpr) -> Callable[..., list[Any]]:
            return lambda *arguments: _evaluate(program, arguments, numbers, (*path, key, number))

        return [function(number, program) for number, program in enumerate(_programs(params[key]))]

    if name in CONTROL:
        return CONTROL[name](params, inside, arguments)
    return inside(CALLS[name])[0](*arguments)


def _branches(params: Mapping[str, Any], inside: Callable[[str], Any], arguments: list[Any]) -> list[Any]:
    index, *operands = arguments
    return list(jax.lax.switch(index, inside("branches"), *operands))


def _loop(params: Mapping[str, Any], inside: Callable[[str], Any], arguments: list[Any]) -> list[Any]:
    body, num_consts, num_carry = inside("jaxpr")[0], params["num_consts"], params["num_carry"]
    consts, rest = arguments[:num_consts], arguments[num_consts:]

    def step(carry: list[Any], slices: list[Any]) -> tuple[list[Any], list[Any]]:
        results = body(*consts, *carry, *slices)
        return results[:num_carry], results[num_carry:]

    options = {name: params[name] for name in ("length", "reverse", "unroll")}
    carry, stacked = jax.lax.scan(step, rest[:num_carry], rest[num_carry:], **options)
    return [*carry, *stacked]


CONTROL = {"cond": _branches, "scan": _loop}
"""Operations that run a program once or several times."""
