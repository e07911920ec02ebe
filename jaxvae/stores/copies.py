"""Copies on this machine of what lies in a store: fetched, worked on, and put back.

A step of `checkpoints/` is complete in a store when its seal is there, which is put last and deleted first; what is
incomplete is not fetched.
"""

from __future__ import annotations

import atexit
import contextlib
import dataclasses
import re
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

import jax

from jaxvae.errors import InputError
from jaxvae.stores import lease
from jaxvae.stores.lease import Lease
from jaxvae.stores.store import Store, StoreError, address

SEAL = "sha256.json"
FIRST_READ, SUMMARY = "config.json", "summary.json"
"""Files that are put after those beside them: who finds them finds the others."""
OF_A_STEP = re.compile(r"(?P<step>(.*/)?checkpoints/\d+)/.+")
UNFINISHED = re.compile(r"\.part$|^\..*\.part\b")
TRANSFERS = 8
"""Number of objects under way at once."""
TRIES = 5
"""Number of times that a run is fetched which is changed meanwhile."""
FACTS = {"in_store": "facts"}
"""Metadata of an option whose folder is read without checkpoints."""
_named: dict[str, str] = {}
C = TypeVar("C")


class WorkingCopy:
    """Folder of this machine with the files under an address.

    Args:
        place: address in a store.
        option: name of the option that gave it, in messages.
        lease: lock of the address, for who may also replace and delete objects.
    """

    def __init__(self, place: str, *, option: str = "run-dir", lease: Lease | None = None) -> None:
        self.place, self._option, self._lease = place, option, lease
        self._store = Store(place, option)
        self._parent = Path(tempfile.mkdtemp(prefix="jaxvae-")).resolve()
        self.folder = self._parent / PurePosixPath(place).name
        self.folder.mkdir()
        self._known: dict[str, Any] = {}
        _named[str(self.folder)] = place
        atexit.register(self._remove)

    def fetch(self, *, checkpoints: bool = True) -> None:
        """Fetch what is complete.

        Raises:
            StoreError: the store cannot be reached, or the files change all the time.
        """
        for _ in range(TRIES):
            found = self._store.list()
            there = [name for name in complete(found) if checkpoints or not OF_A_STEP.fullmatch(name)]
            with contextlib.suppress(FileNotFoundError):  # a training has deleted it since
                self._each(lambda name: self._store.fetch(name, self.folder / name), there)
                break
        else:
            raise StoreError(f"{self._option}: {self.place} was changed again and again; try later")
        for name in set(_files(self.folder)) - set(there):
            (self.folder / name).unlink()
        # What is incomplete is not here, and so the next upload deletes it.
        self._known = {**dict.fromkeys(filter(_is_kept, found)), **_files(self.folder)}

    def upload(self) -> list[str]:
        """Put what has changed here, and with a lease delete what is gone; return the names of what was put.

        At any moment a reader finds complete checkpoints, the lines of metrics that they count, and no summary of a
        later one.

        Raises:
            StoreError: the store cannot be reached, or another process has taken the run over.
        """
        try:
            return self._upload()
        except InputError as error:  # a bucket or credentials that are gone since
            raise StoreError(str(error)) from None

    def _upload(self) -> list[str]:
        if self._lease is not None:
            self._lease.renew()
        here = _files(self.folder)
        changed = {name for name, stat in here.items() if self._known.get(name) != stat}
        gone = set() if self._lease is None else set(self._known) - set(here)
        steps, plain = _divided(changed)
        old_steps, old = _divided(gone)
        last = {name for name in plain if PurePosixPath(name).name in (FIRST_READ, SUMMARY)}
        self._delete(old)
        self._put(plain - last, here)
        self._put({name for name in last if name.endswith(FIRST_READ)}, here)
        self._put({name for name in steps if not name.endswith(f"/{SEAL}")}, here)
        self._put({name for name in steps if name.endswith(f"/{SEAL}")}, here)
        self._delete({name for name in old_steps if name.endswith(f"/{SEAL}")})
        self._delete({name for name in old_steps if not name.endswith(f"/{SEAL}")})
        self._put({name for name in last if name.endswith(SUMMARY)}, here)
        return sorted(changed)

    def _put(self, names: Collection[str], here: dict[str, Any]) -> None:
        self._each(lambda name: self._store.put(name, self.folder / name), names)
        self._known |= {name: here[name] for name in names}

    def _delete(self, names: Collection[str]) -> None:
        if names:
            self._store.delete(names)
        for name in names:
            del self._known[name]

    def _each(self, act: Callable[[str], None], names: Iterable[str]) -> None:
        with ThreadPoolExecutor(TRANSFERS) as pool:
            list(pool.map(act, names))

    def keep(self) -> None:
        """Leave the folder on this disk at the end of the process."""
        atexit.unregister(self._remove)

    def _remove(self) -> None:
        shutil.rmtree(self._parent, ignore_errors=True)


def complete(names: Collection[str]) -> list[str]:
    """Return the names of files that are no lock and of no step without a seal.

    >>> complete(["config.json", "lock", "checkpoints/1/meta.json", "checkpoints/2/a", "checkpoints/2/sha256.json"])
    ['config.json', 'checkpoints/2/a', 'checkpoints/2/sha256.json']
    """
    of_steps = {name: match["step"] for name in names if (match := OF_A_STEP.fullmatch(name))}
    sealed = {step for name, step in of_steps.items() if name == f"{step}/{SEAL}"}
    return [name for name in names if _is_kept(name) and of_steps.get(name) in {None, *sealed}]


def _is_kept(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return (
        bool(parts)
        and parts[-1] != lease.NAME
        and ".." not in parts
        and not any(UNFINISHED.search(part) for part in parts)
    )


def _files(folder: Path) -> dict[str, tuple[int, int]]:
    """Return size and time of the last change of all complete files by name."""
    stats = {path.relative_to(folder).as_posix(): path.stat() for path in folder.rglob("*") if path.is_file()}
    return {name: (stat.st_size, stat.st_mtime_ns) for name, stat in stats.items() if _is_kept(name)}


def _divided(names: Collection[str]) -> tuple[set[str], set[str]]:
    """Return the names of files of steps, and the others."""
    steps = {name for name in names if OF_A_STEP.fullmatch(name)}
    return steps, set(names) - steps


def named(text: str) -> str:
    """Return a text with the addresses of working copies in place of their folders."""
    for folder, place in _named.items():
        text = text.replace(folder, place)
    return text


@contextlib.contextmanager
def _errors_named() -> Iterator[None]:
    """Name addresses in what is said of bad input, too."""
    try:
        yield
    except InputError as error:  # those of the system are about the folder, as on a full disk
        error.args = tuple(named(part) if isinstance(part, str) else part for part in error.args)
        raise


@contextlib.contextmanager
def training(run_dir: Path) -> Iterator[tuple[Path, Callable[[], Any]]]:
    """Hold a run directory for training: yield its folder on this machine, and the function that uploads it.

    Raises:
        InputError: another process trains there.
        StoreError: the store cannot be reached; the folder is then left on this disk.
    """
    if (place := address(run_dir)) is None:
        yield run_dir, lambda: None
        return
    if jax.process_count() > 1:
        raise InputError(
            f"run-dir: {place} is for one process, and {jax.process_count()} train together; name a folder on a disk "
            "that they share"
        )
    with lease.hold(Store(place)) as held, _errors_named():
        copy = WorkingCopy(place, lease=held)
        copy.fetch()
        try:
            try:
                yield copy.folder, copy.upload
            except Exception as error:
                if not isinstance(error, StoreError):
                    with contextlib.suppress(StoreError):
                        copy.upload()
                raise
            copy.upload()
        except StoreError as error:
            copy.keep()
            raise StoreError(f"{error}; what was not uploaded is in {copy.folder}") from None


@contextlib.contextmanager
def reading(run_dir: Path) -> Iterator[Path]:
    """Yield a run directory's folder on this machine, which stays there until the process ends.

    Raises:
        InputError: there is nothing at the address.
        StoreError: the store cannot be reached.
    """
    with _errors_named():
        yield run_dir if (place := address(run_dir)) is None else _to_read(place).folder


def _to_read(place: str, *, option: str = "run-dir", checkpoints: bool = True) -> WorkingCopy:
    copy = WorkingCopy(place, option=option)
    copy.fetch(checkpoints=checkpoints)
    if not _files(copy.folder):
        raise InputError(f"{option}: there is nothing at {place}; name the run directory of a training")
    return copy


@contextlib.contextmanager
def copies_of(config: C) -> Iterator[C]:
    """Yield options of a command with folders of this machine for run directories in stores.

    At the end, what the command wrote into them is uploaded, and named.

    Raises:
        InputError: another option names something in a store.
    """
    copies: list[WorkingCopy] = []

    def here(field: dataclasses.Field[Any], path: Any) -> Any:
        place = address(path) if isinstance(path, Path) else None
        if place is None:
            return path
        option, facts = field.name.replace("_", "-"), field.metadata == FACTS
        if field.name != "run_dir" and not facts:
            raise InputError(f"{option}: {place} is in a store, which this option does not reach; name a local path")
        copies.append(_to_read(place, option=option, checkpoints=not facts))
        return copies[-1].folder

    changed: dict[str, Any] = {}
    for field in dataclasses.fields(config):  # type: ignore[arg-type]
        value = getattr(config, field.name)
        several = isinstance(value, tuple)
        changed[field.name] = tuple(here(field, one) for one in value) if several else here(field, value)
    with _errors_named():
        yield dataclasses.replace(config, **changed) if copies else config  # type: ignore[type-var]
    for copy in copies:
        if new := copy.upload():
            shown = ", ".join(new[:3]) + (f" and {len(new) - 3} more" if len(new) > 3 else "")
            print(f"uploaded to {copy.place}: {shown}")
