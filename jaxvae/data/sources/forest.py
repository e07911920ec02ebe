"""Trees of a few species: strings of a stochastic L-system whose entropy is known, and their drawings.

A string such as `oak F [ + F ] [ - F ]` says which branches leave each piece of wood, F: + to the left, - to the right,
and one without brackets goes on in its direction. A drawing of it has further angles and lengths, which vary from tree
to tree and a little from branch to branch.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from jaxvae.data.dataset import Dataset, Split
from jaxvae.data.partition import TEST, TRAIN, VALIDATION, divide, divided
from jaxvae.data.preparation import Preparation
from jaxvae.data.sources.grammar import Either, Phrase, entropy, sample
from jaxvae.data.sources.sentences import whole_set
from jaxvae.data.spaces import Pixels

SIDE = 32
"""Height and width of a drawing, in pixels."""
SIZES = {TRAIN: 6000, VALIDATION: 500, TEST: 1000}
"""Number of drawings of each part; each part is drawn from a seed of its own."""
STRINGS = {TRAIN: 20000, VALIDATION: 1000, TEST: 2000}
"""Number of strings of each part, from the same seeds."""
SEED = 7


class Shape(NamedTuple):
    """Numbers that vary from tree to tree."""

    angle: float
    """Angle between a branch and what it leaves, in degrees."""
    ratio: float
    """Length of a branch over that of what it leaves."""
    bend: float
    """Relative change of a branch's angle to the vertical: above 0 it hangs, below 0 it rises."""
    trunk: float
    """Length of the trunk's first piece, as a part of the picture."""


class Species(NamedTuple):
    """Rules of growth: what leaves a piece of wood, and how a tree of this species looks."""

    side: float
    """Probability of each side branch."""
    onward: float
    """Probability that the piece goes on in its direction; 0 for a trunk that only forks."""
    generations: int
    """Largest number of pieces one after another above the trunk's first."""
    steps: int
    """Generations that a side branch loses."""
    shape: Shape
    """Mean numbers."""
    width: float
    """Width of the trunk, in pixels."""


SPECIES = {
    "oak": Species(0.8, 0.0, 3, 1, Shape(34, 0.8, -0.1, 0.22), 2.6),
    "poplar": Species(0.65, 0.92, 4, 3, Shape(22, 0.85, -0.35, 0.195), 2.2),
    "pine": Species(0.85, 0.95, 5, 5, Shape(75, 0.8, 0.2, 0.195), 2.0),
    "willow": Species(0.75, 0.0, 3, 1, Shape(44, 0.8, 0.45, 0.22), 2.4),
}
DEVIATION = Shape(0.12, 0.05, 0.06, 0.1)
"""Standard deviation between trees; of angle and trunk relative to the species' mean."""
JITTER = 0.12
"""Relative standard deviation of angles and lengths between the branches of one tree."""
TAPER = 0.75
"""Width of a branch over that of what it leaves."""


def wood(species: Species, generations: int, *, is_trunk: bool = False) -> Phrase:
    """Return the strings that grow from a piece of wood; on the trunk's first piece nothing is left out."""
    if generations <= 0:
        return "F"

    def maybe(phrase: Phrase, probability: float) -> Phrase:
        return phrase if is_trunk else Either(("", phrase), (1 - probability, probability))

    thinner = wood(species, generations - species.steps)
    sides: list[Phrase] = [("[", sign, thinner, "]") for sign in "+-"]
    further = maybe(wood(species, generations - 1), species.onward) if species.onward else ""
    return "F", *(maybe(side, species.side) for side in sides), further


GRAMMAR = Either(tuple((name, wood(species, species.generations, is_trunk=True)) for name, species in SPECIES.items()))
"""Strings of all species, which begin with the species' name: none can be made in two ways."""


class Piece(NamedTuple):
    """Straight piece of wood; x and y of both ends are parts of the picture, y upwards."""

    x: float
    y: float
    end_x: float
    end_y: float
    width: float
    """Width in pixels."""


def draw_shape(species: Species, random: np.random.Generator) -> Shape:
    """Draw the numbers of one tree."""
    scale = Shape(species.shape.angle, 1, 1, species.shape.trunk)
    noise = random.standard_normal(len(scale))
    return Shape(*(mean + size * std * e for mean, size, std, e in zip(species.shape, scale, DEVIATION, noise)))


def pieces(words: Sequence[str], shape: Shape, width: float, random: np.random.Generator) -> Iterator[Piece]:
    """Yield the pieces of the tree that brackets, turns and F describe, with jitter; other words are passed over."""
    x, y, angle, length = 0.5, 0.03, 0.0, shape.trunk
    stack = []
    for word in words:
        if word == "[":
            stack.append((x, y, angle, length, width))
        elif word == "]":
            x, y, angle, length, width = stack.pop()
        elif word in "+-":
            turn = math.radians(shape.angle) * (1 + JITTER * random.standard_normal())
            angle = (angle + (turn if word == "-" else -turn)) * (1 + shape.bend)
        elif word == "F":
            step = length * (1 + JITTER * random.standard_normal())
            angle += JITTER / 2 * random.standard_normal()
            end_x, end_y = x + step * math.sin(angle), y + step * math.cos(angle)
            yield Piece(x, y, end_x, end_y, width)
            x, y, length, width = end_x, end_y, length * shape.ratio, width * TAPER


def drawing(tree: Sequence[Piece], side: int = SIDE) -> np.ndarray:
    """Draw pieces as `[side, side]` uint8 ink, row 0 at the top; the ink of a pixel falls with its distance to them."""
    x, y, end_x, end_y, width = np.array(tree, np.float32).T[:, :, None, None]
    middle = (np.arange(side, dtype=np.float32) + 0.5) / side
    across, up = middle - x, (1 - middle)[:, None] - y
    dx, dy = end_x - x, end_y - y
    along = np.clip((across * dx + up * dy) / np.maximum(dx**2 + dy**2, 1e-9), 0, 1)
    distance = side * np.hypot(across - along * dx, up - along * dy)
    # An edge is one pixel wide; wood thinner than a pixel is paler.
    ink = np.clip(0.5 + width / 2 - distance, 0, np.minimum(width, 1)).max(axis=0)
    return np.round(255 * ink).astype(np.uint8)


def load_forest() -> Dataset:
    """Draw 7,500 trees of 32x32 pixels, always the same: the species is the label, the numbers of each tree attributes.

    No two trees share their string, numbers and jitter, so that no test tree is a variation of one for training.
    """
    images, labels, shapes = [], [], []
    names, parts = [*SPECIES], np.repeat([*SIZES], [*SIZES.values()])
    for part, num in SIZES.items():
        random = np.random.Generator(np.random.PCG64((SEED, part)))
        for _ in range(num):
            name, *words = sample(GRAMMAR, random).split()
            shape = draw_shape(SPECIES[name], random)
            images.append(drawing([*pieces(words, shape, SPECIES[name].width, random)]))
            labels.append(names.index(name))
            shapes.append(shape)
    attributes = dict(zip(Shape._fields, np.array(shapes, np.float32).T))
    whole = Split(np.stack(images)[..., None], np.array(labels, np.int32), attributes)
    return divide("forest", whole, parts, Pixels((SIDE, SIDE, 1), "ink"))._replace(classes=tuple(names))


def load_brackets() -> Dataset:
    """Draw 20,000 strings to train, 1,000 to validate and 2,000 to test, always the same; facts hold the entropy."""
    lines = [
        sample(GRAMMAR, random)
        for part, num in STRINGS.items()
        for random in [np.random.Generator(np.random.PCG64((SEED, part)))]
        for _ in range(num)
    ]
    whole = whole_set("brackets", lines, np.repeat([*STRINGS], [*STRINGS.values()]), Preparation())
    return divided("brackets", "brackets", whole._replace(facts={**whole.facts, "entropy": entropy(GRAMMAR)}))
