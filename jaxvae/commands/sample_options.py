"""Options of `jaxvae sample`."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Literal

import numpy as np

from jaxvae.errors import InputError
from jaxvae.options.checks import check, check_at_least, check_folder, check_output, check_seed
from jaxvae.options.groups import Select

FIGURES = ("reconstruct", "attribute", "interpolate", "traverse", "vary", "neighbours", "styles", "view")
"""Options that ask for a figure, in the order of drawing; the first two may still refuse names, before any output."""
TABLES = (".csv", ".parquet")
"""Ends of the names of files for rows."""
UNDECODED = {"neighbours", "view"}
"""Options whose figures show codes and images as they are."""
OWNERS = {
    "spherical": ["interpolate"],
    "strength": ["attribute"],
    "image": ["traverse", "attribute"],
    "widen": ["vary"],
}
"""Required options by option, one of which must be given."""


@dataclasses.dataclass(frozen=True)
class SampleConfig:
    """Draw samples, reconstructions and variations of a trained model, or only the figures that are asked for."""

    run_dir: Path
    """Run directory of a training."""
    reconstruct: str | None = None
    """Examples of one's own to reconstruct: path of a picture, of a folder of pictures, or of a file of examples."""
    interpolate: tuple[int, ...] | None = None
    """Test images to interpolate between, at least two."""
    spherical: bool = False
    """Interpolate along arcs around the origin instead of straight lines."""
    traverse: tuple[int, ...] | None = None
    """Latent dimensions to traverse, one after another; all if none is given."""
    attribute: tuple[str, ...] | None = None
    """Attributes to change: a class, slant, width, or one of the set's. Several are changed independently."""
    strength: tuple[float, ...] | None = None
    """Strengths; 1 leads from the mean code without the attribute to that with it. -1.5 to 1.5 if not given."""
    image: tuple[int, ...] | None = None
    """Test images to traverse around (the first if not given), and to change attributes of (the first eight)."""
    vary: int | None = None
    """Test image of which random variations are drawn."""
    widen: tuple[float, ...] | None = None
    """Factors by which the posterior is widened for variations, one row each; 1 2 4 8 if not given."""
    neighbours: tuple[int, ...] | None = None
    """Test images whose nearest training images, by their codes, are drawn."""
    styles: tuple[int, ...] | None = None
    """Test images in whose style every class is drawn, of a run with --condition label."""
    view: Literal["pca", "tsne"] | None = None
    """Method for a map of the test images' codes, for more than two latent dimensions."""
    condition: str | None = None
    """Condition to decode with, of a conditional run: a class by name or number, or NAME=NUMBER,... of attributes."""
    num: int | None = None
    """Number of samples (64, or 10 of each class), reconstructions (64), variations or neighbours (10 if not given)."""
    steps: int = 11
    """Number of images from one end of an interpolation or a traversal to the other."""
    select: Select | None = None
    """Checkpoint to use: best on validation data, or last; the one that the run reports if not given."""
    best: bool = False
    """Use the checkpoint that is best on validation data, as --select best does."""
    seed: int = 0
    """Seed of all randomness."""
    data_dir: Path | None = None
    """Folder in which tensorflow-datasets keeps its sets, if it has changed since training."""
    dataset: str | None = None
    """Path of the run's data set, if it has changed since training."""
    out: Path | None = None
    """Folder for the figures, DIR/samples if not given; or a .csv or .parquet file, for --num rows of a table."""
    given: str | None = None
    """Values of some columns of a table, such as cut=Ideal,carat=1.5, given which the others are drawn into --out."""
    overwrite: bool = False
    """Replace the file of --out if it exists."""

    @property
    def asked(self) -> list[str]:
        """Options that ask for a figure, of those that were given."""
        return [name for name in FIGURES if getattr(self, name) is not None]

    @property
    def rows_file(self) -> Path | None:
        """File for rows of a table, if --out names one."""
        return self.out if self.out is not None and self.out.suffix.lower() in TABLES else None

    def check(self) -> None:
        """Refuse values that are invalid for every run."""
        check_at_least(1, "num", self.num)
        check_at_least(2, "steps", self.steps)
        check_seed("seed", self.seed)
        if (file := self.rows_file) is not None:
            check_output("out", file, TABLES, overwrite=self.overwrite)
            if self.asked:
                raise InputError(f"{self.asked[0]}: draws a figure, and --out {file} is for rows; leave one out")
            check(
                self.dataset is None, "dataset", self.dataset, "left out with --out FILE.csv, whose rows need no data"
            )
        else:
            check_folder("out", self.out)
            check(self.given is None, "given", self.given, "given with --out FILE.csv or FILE.parquet alone")
            check(not self.overwrite, "overwrite", self.overwrite, "given with --out FILE.csv or FILE.parquet alone")
        check(bool(np.isfinite(self.strength or 0).all()), "strength", self.strength, "finite numbers")
        for width in self.widen or ():
            check_at_least(0, "widen", width)
        for name in ("interpolate", "attribute", "strength", "image", "widen", "neighbours", "styles"):
            given, least = getattr(self, name), 2 if name == "interpolate" else 1
            if given is not None and len(given) < least:
                raise InputError(f"{name}: name at least {least}, got {len(given)}")
        if self.condition is not None and self.styles is not None:
            raise InputError("condition: --styles draws every class; leave it out")
        if self.condition is not None and self.asked and {*self.asked} <= UNDECODED:
            raise InputError(f"condition: --{' and --'.join(self.asked)} decode no codes; leave it out")
        for name, owners in OWNERS.items():
            if getattr(self, name) and all(getattr(self, owner) is None for owner in owners):
                raise InputError(f"{name}: goes with --{' or --'.join(owners)}; give that too, or leave it out")
