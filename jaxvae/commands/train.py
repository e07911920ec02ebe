"""Train a VAE, evaluate it and draw what it learned."""

from __future__ import annotations

from jaxvae.options import Recipe
from jaxvae.runs.compute import set_up
from jaxvae.runs.drawing import draw
from jaxvae.runs.reproduce import reproduce
from jaxvae.runs.training import train_run


def main(recipe: Recipe) -> int:
    """Run one experiment from its options to its figures; returns the exit code."""
    if recipe.output.reproduce is not None:
        return reproduce(recipe, draw=draw)
    set_up(recipe.compute)
    return train_run(recipe, draw=draw)
