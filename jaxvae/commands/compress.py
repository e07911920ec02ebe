"""Compress a data set without loss, by a trained model."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Literal

from jaxvae.data import Dataset, Split, is_place, load
from jaxvae.data.new import new_lost_words
from jaxvae.data.rows import gather
from jaxvae.data.spaces.shown import noun
from jaxvae.errors import InputError
from jaxvae.judges.compressors import check_installed, compare
from jaxvae.options import Compute
from jaxvae.options.checks import check, check_output
from jaxvae.options.groups import Select
from jaxvae.report.tables import markdown_table
from jaxvae.runs import Run, load_run
from jaxvae.runs.compressing import Compressed, compress
from jaxvae.runs.compute import set_up
from jaxvae.runs.data import load_data
from jaxvae.runs.progress import named_bar

END = ".vae"
SplitName = Literal["train", "validation", "test"]
COLUMNS = {"bits": ("bits per value", ".4f"), "bytes": ("bytes", ",.0f")}


@dataclasses.dataclass(frozen=True)
class CompressConfig:
    """Write examples into a file by bits-back coding; jaxvae decompress returns them bit for bit."""

    run_dir: Path
    """Run directory of a training."""
    out: Path
    """File to write, of a name that ends in .vae."""
    dataset: str | None = None
    """Examples: path of a file or folder, all of them; or name of a set. That of the run if not given."""
    split: SplitName = "test"
    """Split of a set by name."""
    num: int | None = None
    """Number of examples, the first ones; all if not given."""
    latent_bits: int = 12
    """Bits of the number of buckets of a latent dimension; fewer make the file longer."""
    portable: bool = False
    """Code by integer networks, so that any machine can decompress the file; for pixels and dense layers."""
    compare: bool = False
    """Also compress the same values by gzip, bz2, lzma, zstd and an adaptive coder, images by PNG, WebP and JPEG XL."""
    overwrite: bool = False
    """Replace the file if it exists."""
    select: Select | None = None
    """Checkpoint to use: best on validation data, or last; the one that the run reports if not given."""
    data_dir: Path | None = None
    """Folder in which tensorflow-datasets keeps its sets, if it has changed since training."""

    def check(self) -> None:
        """Refuse values that are invalid for every run."""
        check_output("out", self.out, [END], overwrite=self.overwrite)
        check(1 <= self.latent_bits <= 16, "latent-bits", self.latent_bits, "from 1 to 16")
        check(self.num is None or self.num >= 1, "num", self.num, "at least 1")


def main(config: CompressConfig) -> int:
    """Load the run, compress the examples and print what they take."""
    set_up(Compute(num_processes=1))
    if config.compare:
        check_installed()
    run = load_run(config.run_dir, select=config.select)
    split, lost_words = _examples(config, run)
    done = compress(
        run,
        split,
        config.out,
        latent_bits=config.latent_bits,
        portable=config.portable,
        lost_words=lost_words,
        progress=named_bar("compressing"),
    )
    print(_told(run, done, config.out))
    if config.compare:
        stored = gather(split.x, slice(None))
        rows = {"this file": done.file, "its examples alone": done.net, **compare(stored)}
        table = {name: {"bits": bits / done.values, "bytes": bits / 8} for name, bits in rows.items()}
        print(f"\n{markdown_table(table, COLUMNS)}")
    return 0


def _examples(config: CompressConfig, run: Run) -> tuple[Split, int | None]:
    """Return the examples as the run reads its own, and where it is known the number of words that would be lost."""
    lost_words = None
    if config.dataset is not None and is_place(config.dataset):
        split, lost_words = run.as_split(config.dataset), new_lost_words(config.dataset, run.facts)
    elif config.dataset is not None:
        data = load(config.dataset, config.data_dir or run.recipe.data.data_dir, stream=True)
        split = run.as_split(gather(_named(data, config.split).x, slice(None)))
    else:
        data = load_data(run, config.data_dir, stream=True)
        split, lost_words = _named(data, config.split), data.facts.get("lost_words", {}).get(config.split)
    return split if config.num is None else split.head(config.num), lost_words


def _named(data: Dataset, name: SplitName) -> Split:
    if (found := getattr(data, name)) is None:
        raise InputError(f"split: {data.name} has no {name} split; name another")
    return found


def _told(run: Run, done: Compressed, path: Path) -> str:
    values = max(done.values, 1)
    lines = [
        f"{done.num:,} {noun(run.space)} of {done.values:,} values in {done.file // 8:,} bytes: {path}",
        f"net   {done.net / values:.4f} bits per value, the examples alone",
        f"gross {done.file / values:.4f} bits per value, of which initial bits {done.lent / values:.4f}, "
        f"ends of the lanes {done.flush / values:.4f}, header and checksums {done.head / values:.4f}",
    ]
    return "\n".join(lines)
