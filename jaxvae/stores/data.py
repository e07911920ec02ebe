"""Data sets in stores: fetched once for each version, into a cache on this machine."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from pathlib import Path, PurePosixPath

from jaxvae import disk
from jaxvae.errors import InputError
from jaxvae.stores.store import Store, address

CACHE = Path("~/.cache/jaxvae/data")


def fetched(name: str) -> str:
    """Return the path of a data set on this machine, of a file or a folder; a name that is no address stays as it is.

    Raises:
        InputError: there is nothing at the address.
        StoreError: the store cannot be reached.
    """
    if (place := address(name)) is None:
        return name
    above, _, last = place.rpartition("/")
    store = Store(above, "dataset")
    version = store.version(last)
    found = {last: version} if version else {f"{last}/{name}": tag for name, tag in Store(place).list().items()}
    if not found or any(".." in PurePosixPath(part).parts for part in found):
        raise InputError(f"dataset: there is no file or folder at {place}; name another address")
    versions = json.dumps([place, sorted(found.items())], default=str)
    folder = CACHE.expanduser() / hashlib.sha256(versions.encode()).hexdigest()[:16]
    if not folder.exists():
        _fetch(store, list(found), folder)
    return str(folder / last)


def _fetch(store: Store, names: list[str], folder: Path) -> None:
    disk.make_folder(folder.parent)
    part = Path(tempfile.mkdtemp(prefix=f"{folder.name}.", suffix=".part", dir=folder.parent))
    try:
        for name in names:
            store.fetch(name, part / name)
        disk.put(part, folder)
    except OSError:
        shutil.rmtree(part, ignore_errors=True)
        if not folder.exists():  # another process was faster
            raise
