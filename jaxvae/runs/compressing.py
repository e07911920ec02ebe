"""Compression of examples by a trained model into a file, and back."""

from __future__ import annotations

import base64
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import jax
import numpy as np

from jaxvae import stores
from jaxvae.coding import container, stream
from jaxvae.coding.grids import MOST_POINTS
from jaxvae.coding.latents import Buckets, Latent
from jaxvae.coding.machine import check_same, digest, fingerprint
from jaxvae.coding.model import ModelCodec, divide, model_codec
from jaxvae.data import Split
from jaxvae.data.rows import gather, num_rows
from jaxvae.data.scaling import Scaling
from jaxvae.data.spaces import Table, Tokens
from jaxvae.data.spaces.table import INTEGER, OBSERVED, POSITIVE, REAL, X
from jaxvae.data.spaces.values import full_scale
from jaxvae.errors import InputError
from jaxvae.options.groups import Select
from jaxvae.report.files import whole_file
from jaxvae.runs.directory import load_run
from jaxvae.runs.portable import check_version, codec_for, codec_of
from jaxvae.runs.run import Run
from jaxvae.types import Space

MASK_BITS = 16
"""Bits of the masses of missing values."""
Progress = Callable[[Iterable[Any]], Iterable[Any]]


class Compressed(NamedTuple):
    """Sizes of a file of examples, in bits."""

    num: int
    """Number of examples."""
    values: int
    """Number of values of all examples: pixels, cells, or tokens that are no padding."""
    file: int
    """All of it."""
    head: int
    """Header and table of blocks."""
    lent: float
    """Initial bits, of which the coding begins, and which no example needs."""
    net: float
    """Information that the examples added."""

    @property
    def flush(self) -> float:
        """Bits by which the heads of the lanes are longer than their information."""
        return self.file - self.head - self.lent - self.net


def compress(
    run: Run,
    split: Split,
    path: Path,
    *,
    latent_bits: int = 12,
    portable: bool = False,
    lost_words: int | None = None,
    progress: Progress = iter,
) -> Compressed:
    """Write examples into a file.

    Args:
        run: trained model.
        split: examples as the run reads them, from `run.as_split`.
        path: file.
        latent_bits: bits of the number of buckets of a latent dimension.
        portable: whether integer networks code, which give the same bits on every machine.
        lost_words: number of words that are not in the run's vocabulary; of text whose words are not at hand, all
            unknown ones count.
        progress: wrapper of the loop over blocks.

    Raises:
        InputError: model or examples are of a kind that is not coded, or words would be lost.
    """
    if run.condition is not None:
        raise InputError("run-dir: this run has conditions, which a file does not hold; name one without")
    stored = gather(split.x, slice(None))
    x = run.space.read(None, stored)
    lanes = stream.num_lanes(num_rows(stored))
    codec, described = codec_for(run, x, latent_bits) if portable else _codec_for(run, x, lanes, latent_bits)
    _check_words(run.space, x, lost_words)
    _check_values(codec, x, stored)
    try:
        coded = stream.encode(codec.of, x, stored, lanes, progress)
    except FloatingPointError as error:
        raise InputError(f"run-dir: {error} for these examples; train it again, with --clip-norm") from error
    header = {
        "run": stores.named(str(run.folder and run.folder.resolve())),
        "step": run.step,
        "model": digest(run.params),
        "lanes": lanes,
        "latent_bits": latent_bits,
        "dtypes": jax.tree.map(lambda array: array.dtype.str, stored),
        **described,
    }
    with whole_file(path) as part, part.open("wb") as file:
        head = container.write(file, header, coded.blocks, coded.parts)
    size = head + 4 * sum(map(len, coded.parts))
    return Compressed(num_rows(stored), num_values(run.space, x), 8 * size, 8 * head, coded.lent_bits, coded.bits)


class Opened(NamedTuple):
    """File of examples with the run that decodes it."""

    path: Path
    head: container.Head
    run: Run

    def examples(self) -> Iterator[Any]:
        """Yield the stored examples of one block after another, each checked.

        Raises:
            InputError: the file is damaged, or decodes to other examples than were written.
        """
        with self.path.open("rb") as file:
            file.seek(self.head.num_bytes)
            yield from self._decoded(file)

    def _decoded(self, file: BinaryIO) -> Iterator[Any]:
        header, blocks = self.head.header, self.head.blocks
        codec = codec_of(self.run, header) if "portable" in header else _codec_of(self.run, header)
        words = container.read_words(file, blocks, self.path)
        found = stream.decode(codec.of, words, blocks, header["lanes"])
        for number, block in enumerate(blocks):
            try:
                steps = next(found)
                stored = _unread(jax.tree.map(lambda *parts: np.concatenate(parts), *steps), header["dtypes"])
                if stream.checksum(stored) != block.examples_crc:
                    raise stream.DifferentNumbersError
            except (stream.DifferentNumbersError, FloatingPointError):
                raise _differs(self.path, number, len(blocks)) from None
            yield stored
        try:
            next(found, None)
        except stream.DifferentNumbersError:
            raise _differs(self.path, len(blocks) - 1, len(blocks)) from None


def open_file(path: Path, run_dir: Path | None = None) -> Opened:
    """Open a file of examples.

    Args:
        path: file.
        run_dir: run directory of the model; that which the file names if not given.

    Raises:
        InputError: there is no such file, it is damaged, or this is another model or machine than wrote it.
    """
    if not path.is_file():
        raise InputError(f"file: there is no file {path}; name one that was written by jaxvae compress")
    with path.open("rb") as file:
        head = container.read_head(file, path)
    if "portable" in head.header:
        check_version(head.header)
    else:
        check_same(head.header["machine"])
    with stores.reading(run_dir or Path(head.header["run"])) as folder:
        if not folder.is_dir():
            raise InputError(
                f"run-dir: there is no {folder}, whose model wrote the file; give the folder with --run-dir"
            )
        return Opened(path, head, _run_of(folder, head.header, path))


def _run_of(folder: Path, header: Mapping[str, Any], path: Path) -> Run:
    """Return the run with the checkpoint that wrote a file."""
    run = load_run(folder)
    selects: tuple[Select, ...] = ("last", "best") if run.facts.get("validation") else ("last",)
    for other in itertools.chain([run], (load_run(folder, select=select) for select in selects)):
        if digest(other.params) == header["model"]:
            return other
    raise InputError(
        f"run-dir: the model in {folder} is another than the one of step {header['step']} that wrote {path}; name its "
        "run directory"
    )


def num_values(space: Space, x: Any) -> int:
    """Return the number of values of examples: pixels, observed cells, tokens up to the end mark."""
    if isinstance(space, Tokens):
        return int((x != space.padding).sum())
    return int(x[OBSERVED].sum()) if isinstance(space, Table) else int(x.size)


def _codec_for(run: Run, x: Any, lanes: int, bits: int) -> tuple[ModelCodec, dict[str, Any]]:
    """Return the codec for some examples, and what a header must hold of it."""
    statistics, latents = _statistics(run, x), divide(run.model, run.params, run.space, bits)
    lower = {"buckets": _packed(latents[:-1])} if latents[1:] else {}
    return _codec(run, statistics, lanes, latents), {"machine": fingerprint(), "statistics": statistics, **lower}


def _codec_of(run: Run, header: Mapping[str, Any]) -> ModelCodec:
    """Return the codec that a header describes."""
    latents = divide(run.model, run.params, run.space, header["latent_bits"])
    if "buckets" in header:
        latents = [*_unpacked(header["buckets"], header["latent_bits"]), latents[-1]]
    return _codec(run, header["statistics"], header["lanes"], latents)


def _codec(run: Run, statistics: Mapping[str, Any], lanes: int, latents: Sequence[Latent]) -> ModelCodec:
    if isinstance(run.space, Table):
        statistics = {**statistics, "points": [_points(run, *grid) for grid in enumerate(statistics["grids"])]}
    return model_codec(run.model, run.params, run.space, statistics, width=lanes, latents=latents)


def _points(run: Run, column: int, grid: list[int] | None) -> np.ndarray | None:
    """Return the values of a column as the networks read them, from the first, the number and the decimals."""
    if grid is None:
        return None
    first, num, decimals = grid
    values = ((first + np.arange(num)) / 10**decimals).astype(np.float32)
    rows = np.zeros((num, run.space.shape[0]), np.float32)
    rows[:, column] = values
    known = run.facts.get("scaling")
    return np.asarray(Scaling.from_json(known).apply(rows)[:, column] if known else values, np.float64)


def _statistics(run: Run, x: Any) -> dict[str, Any]:
    """Return what a decoder must know of the examples.

    They are the largest values; of a table also how often values are missing, and the first number, count and decimals
    of the numbers between the least and the largest of each column that is not discrete.
    """
    space = run.space
    if not isinstance(space, Table):
        return {"most": [int(np.max(x, initial=0))] if space.kind == "counts" else [0]}
    largest = np.max(np.where(x[OBSERVED], x[X], 0), axis=0, initial=0).astype(np.int64)
    most = [size - 1 if size else int(value) for size, value in zip(space.columns, largest)]
    whole = 1 << MASK_BITS
    missing = np.clip(np.round((1 - x[OBSERVED].mean(axis=0)) * whole), 1, whole - 1)
    own, names = run.in_own_units(x), run.facts["names"]
    real = space.of_kind(REAL, INTEGER, POSITIVE)
    grids = [
        _grid(name, names.get("decimals", {}).get(name), own[X][own[OBSERVED][:, number], number])
        if real[number]
        else None
        for number, name in enumerate(names["columns"])
    ]
    return {"most": most, "missing": missing.astype(int).tolist(), "grids": grids}


def _grid(name: str, decimals: int | None, values: np.ndarray) -> list[int]:
    """Return the first number, the count and the decimals of a column's grid."""
    if decimals is None:
        raise InputError(f"dataset: column {name} holds numbers of more than six decimals; round them, or leave it out")
    whole = np.round(np.float64(values) * 10**decimals).astype(np.int64)
    first, last = (int(whole.min()), int(whole.max())) if len(whole) else (0, 0)
    if last - first >= MOST_POINTS:
        raise InputError(
            f"dataset: column {name} has {decimals} decimals over a range of {last - first + 1:,} steps, and at most "
            f"{MOST_POINTS:,} are coded; round it"
        )
    return [first, last - first + 1, decimals]


def _check_words(space: Space, x: Any, lost: int | None) -> None:
    """Refuse words that would come back as unknown ones."""
    if not isinstance(space, Tokens):
        return
    if lost := int((x == space.unknown).sum()) if lost is None else lost:
        raise InputError(
            f"dataset: {lost:,} of its words are not in the run's vocabulary, and would be lost; leave their sentences "
            "out, or train with --units characters"
        )


def _check_values(codec: ModelCodec, x: Any, stored: Any) -> None:
    """Refuse values to which p(x|z) gives no probability, and those with more digits than the networks read."""
    nearest = codec.nearest(x)
    for given, found in zip(jax.tree.leaves(x), jax.tree.leaves(nearest)):
        if (wrong := given != found).any():
            raise InputError(
                f"dataset: its value {given[wrong].flat[0]:g} is none that the run's likelihood gives a probability; "
                "compress with a run whose likelihood scores it"
            )
    again = _unread(nearest, jax.tree.map(lambda array: array.dtype.str, stored))
    if not all(np.array_equal(*pair) for pair in zip(jax.tree.leaves(again), jax.tree.leaves(stored))):
        raise InputError("dataset: its values have more digits than the networks read; save them as bytes or float32")


def _unread(x: Any, dtypes: Any) -> Any:
    """Invert `Space.read`: values in [0, 1] become bytes where these are stored."""

    def one(array: np.ndarray, dtype: str) -> np.ndarray:
        blank = np.empty(0, dtype)
        return np.round(array * full_scale(blank)).astype(dtype) if blank.dtype == np.uint8 else array.astype(dtype)

    return jax.tree.map(one, x, dtypes)


def _packed(buckets: Sequence[Any]) -> list[list[str]]:
    """Return the normals of lower layers as text: 4 bytes a number."""
    return [[base64.b85encode(np.float32(a).tobytes()).decode() for a in (one.mean, one.std)] for one in buckets]


def _unpacked(packed: list[list[str]], bits: int) -> list[Buckets]:
    normals = ([np.frombuffer(base64.b85decode(text), np.float32) for text in one] for one in packed)
    return [Buckets(mean, std, bits) for mean, std in normals]


def _differs(path: Path, number: int, num: int) -> InputError:
    return InputError(
        f"file: block {number + 1} of {num} of {path} decodes to other examples than were written, because the "
        "networks' numbers are others here; decompress it where it was written"
    )
