"""Melodies in event archives and folders of MIDI files, as rows of event tokens."""

from __future__ import annotations

import logging
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from jaxvae.data.dataset import Dataset, Split
from jaxvae.data.memory import check_fits
from jaxvae.data.partition import SPLITS, TRAIN, Whole, divided, tenths
from jaxvae.data.preparation import Preparation, refuse_sizes
from jaxvae.data.sequences import PITCHES
from jaxvae.data.sources.archive import read_archive
from jaxvae.data.sources.arrays import digest
from jaxvae.data.sources.recipes import IMAGES, MIDI
from jaxvae.data.spaces import Tokens
from jaxvae.data.spaces.tokens import END
from jaxvae.errors import InputError
from jaxvae.music.events import FIRST, STEPS_PER_BAR, tokens
from jaxvae.music.midi import read_midi
from jaxvae.music.tunes import Tune, regular_bars, top_line, variants
from jaxvae.music.windows import transposed, windows

logger = logging.getLogger(__name__)

_BARS = 2
_TICKS_PER_STEP = 6
"""Number of ticks in a 16th note of an event archive."""
_NEEDED = ("note", "offset", "time_signature")
_ARRAYS = (*_NEEDED, "name", "bar_start", "bar_offset", "split")
"""Names of the arrays of an event archive."""


def holds_melodies(path: Path) -> bool:
    """Return True for an event archive, and for a folder with MIDI files and no images."""
    if path.is_dir():
        files = [file.suffix.lower() for file in path.rglob("*")]
        return not MIDI.isdisjoint(files) and IMAGES.isdisjoint(files)
    if path.suffix.lower() != ".npz" or not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return {f"{name}.npy" for name in _NEEDED} <= {*archive.namelist()}


def open_melodies(paths: Sequence[Path], preparation: Preparation) -> Dataset:
    """Read the melodies of archives and folders, as windows of some bars of 4/4 or 2/2 on the grid of 16th notes.

    An archive holds the notes of its tunes (`note` `[n, 3]`: start, length, MIDI pitch; 24 ticks to a quarter note)
    with `offset` `[N + 1]` and `time_signature` `[N, 2]`, perhaps with `name`, `bar_start` and `bar_offset`, `split`.
    Tunes are divided, not windows: as the archive says, else 80/10/10, where variants of a tune stay together. Every
    window occurs once, and in one split.

    Raises:
        InputError: a file cannot be read, or no window is on the grid.
    """
    what = " and ".join(map(str, paths))
    refuse_sizes(preparation, what)
    tunes = [tune for path in paths for tune in (_folder(path) if path.is_dir() else _archive(path))]
    bars, transpose = preparation.sequences.bars or _BARS, preparation.sequences.transpose or 0
    parts = _tune_parts(what, tunes)
    melodies = [(part, notes) for tune, part in zip(tunes, parts) if part >= 0 for notes in windows(tune, bars)]
    if not melodies:
        raise InputError(f"{what}: holds no {bars} bars of 4/4 with all notes on the grid; give fewer --bars")
    pitches = _range([notes[:, 2] for _, notes in melodies], transpose)
    length = bars * STEPS_PER_BAR
    check_fits(f"{what}: {len(melodies)} windows", 4 * len(melodies) * length * (1 + 2 * transpose), "give fewer bars")
    rows = np.stack([tokens(notes, length, pitches) for _, notes in melodies])
    rows, row_parts = _distinct(*_with_copies(rows, np.array([part for part, _ in melodies]), transpose, len(pitches)))
    _check_parts(what, row_parts)
    facts = {PITCHES: pitches, "steps_per_bar": STEPS_PER_BAR, "bars": bars}
    space = Tokens(FIRST + len(pitches), length + 1, digest=digest(facts))
    rows = np.pad(rows, ((0, 0), (0, 1)), constant_values=END)
    name = "+".join(path.resolve().name.split(".")[0] for path in paths)
    return divided(what, name, Whole(Split(rows), row_parts, space, facts=facts))


def _archive(path: Path) -> list[Tune]:
    arrays, _ = read_archive(path, _ARRAYS, useful=lambda header: False)
    note, offset, meter = (arrays[name] for name in _NEEDED)
    if note.ndim != 2 or note.shape[1] != 3 or meter.shape != (len(offset) - 1, 2) or offset[-1] != len(note):
        found = f"note {note.shape}, offset {offset.shape}, time_signature {meter.shape}"
        raise InputError(f"{path}: holds {found}; give [n, 3], [N + 1] and [N, 2], for N tunes with n notes")
    if ((note[:, :2] < [0, 1]) | (note[:, 2:] < 0) | (note[:, 2:] > 127)).any():
        raise InputError(f"{path}: array 'note' holds times or pitches out of range; give start, length, MIDI pitch")
    num = len(meter)
    if "split" in arrays and (arrays["split"].shape != (num,) or not {*arrays["split"].tolist()} <= {*SPLITS.values()}):
        raise InputError(f"{path}: array 'split' holds no part number of each tune; use 0 train, 1 validation, 2 test")
    names, parts = arrays.get("name", np.arange(num)), arrays.get("split", np.full(num, -1)).tolist()

    def tune(number: int) -> Tune:
        notes = top_line(note[offset[number] : offset[number + 1]].astype(np.int64))
        bars, part = _bars(arrays, number, notes), parts[number]
        return Tune(str(names[number]), notes, _TICKS_PER_STEP, bars, part if part >= 0 else None)

    return [tune(number) for number in range(num)]


def _bars(arrays: dict[str, np.ndarray], number: int, notes: np.ndarray) -> np.ndarray:
    """Return the bounds of a tune's bars: as stored, where the last one may be short, or those of its meter."""
    if "bar_start" in arrays:
        starts = arrays["bar_start"][slice(*arrays["bar_offset"][number : number + 2])]
        return np.append(starts, notes[-1:, :2].sum(axis=1))
    numerator, denominator = map(int, arrays["time_signature"][number])
    return regular_bars(notes, _TICKS_PER_STEP * STEPS_PER_BAR * numerator // denominator)


def _folder(path: Path) -> list[Tune]:
    files = sorted(file for file in path.rglob("*") if file.suffix.lower() in MIDI and not file.name.startswith("."))
    return [read_midi(file) for file in files]


def _tune_parts(what: str, tunes: Sequence[Tune]) -> np.ndarray:
    """Return the part number of each tune; -1 for one that is near tunes of two different splits.

    A tune without a split belongs to that of its variants, and the other groups of variants are divided 80/10/10.
    """
    if all(tune.part is not None for tune in tunes):
        return np.array([tune.part for tune in tunes])
    group = variants([tune.notes[:, 2] for tune in tunes])
    given: dict[int, set[int]] = {}
    for number, tune in zip(group, tunes):
        given.setdefault(int(number), set()).update(() if tune.part is None else (tune.part,))
    free = [number for number, known in given.items() if not known]
    drawn = dict(zip(free, tenths(what, len(free)).tolist() if len(free) > 1 else [TRAIN]))
    chosen = {number: drawn.get(number, min(known) if len(known) == 1 else -1) for number, known in given.items()}
    return np.array([chosen[int(number)] if tune.part is None else tune.part for number, tune in zip(group, tunes)])


def _range(pitch: Sequence[np.ndarray], transpose: int) -> list[int]:
    """Return the MIDI numbers of all pitches, with those of transposed copies."""
    every = np.concatenate(pitch)
    return [*range(max(int(every.min()) - transpose, 0), min(int(every.max()) + transpose, 127) + 1)]


def _with_copies(rows: np.ndarray, parts: np.ndarray, transpose: int, num: int) -> tuple[np.ndarray, np.ndarray]:
    """Return rows and part numbers with transposed copies of the training rows behind them."""
    intervals = [interval for interval in range(-transpose, transpose + 1) if interval]
    copies = [transposed(rows[parts == TRAIN], interval, num) for interval in intervals]
    rows = np.concatenate([rows, *copies])
    return rows, np.pad(parts, (0, len(rows) - len(parts)), constant_values=TRAIN)


def _distinct(rows: np.ndarray, parts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return every row once, in the split that is held out longest: test, else validation, else train."""
    order = np.argsort(-parts, kind="stable")
    flat = np.ascontiguousarray(rows[order].astype(np.uint8)).view(f"V{rows.shape[1]}").ravel()
    first = np.sort(order[np.unique(flat, return_index=True)[1]])
    return rows[first], parts[first]


def _check_parts(what: str, parts: np.ndarray) -> None:
    """Log the numbers of windows, and refuse a set without training or test windows."""
    numbers = {name: int((parts == SPLITS[name]).sum()) for name in ("train", "validation", "test")}
    shown = ", ".join(f"{number} {name}" for name, number in numbers.items())
    if not numbers["train"] or not numbers["test"]:
        raise InputError(f"{what}: its different windows are {shown}; give fewer --bars, or more tunes")
    logger.info("melodies: %d different windows (%s), each in one split", len(parts), shown)
