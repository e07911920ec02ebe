"""Objects under one address of a store, by obstore, with errors of one line."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeAlias

from jaxvae.errors import InputError, first_line
from jaxvae.packages import needed_by

EXTRA = "stores"
ADDRESS = re.compile(r"(s3|gs):/+([^/].*)")
RETRIES: dict[str, Any] = {"max_retries": 10, "retry_timeout": timedelta(minutes=2)}
"""Patience with a network that fails: waits from 0.1 s, each twice as long, up to 15 s."""
CREDENTIALS = {
    "s3": "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or install boto3 for a profile of `aws configure`",
    "gs": "GOOGLE_APPLICATION_CREDENTIALS, or run `gcloud auth application-default login`",
}
METADATA_SERVERS = ("169.254.169.254", "metadata.google.internal", "169.254.170.2")
"""Hosts that are asked for credentials where there are no others."""
Version: TypeAlias = dict[str, str]


class StoreError(OSError):
    """Failure of a store: it cannot be reached, or it does not let us in."""


def address(path: str | Path | None) -> str | None:
    """Return the address of what lies in a store, None for what lies on this disk; a `Path` has lost a slash of it.

    >>> address(Path("s3://models/runs/a")), address("gs://models/a.npz"), address("runs/a")
    ('s3://models/runs/a', 'gs://models/a.npz', None)
    """
    match = ADDRESS.fullmatch("" if path is None else str(Path(path)))
    return match and f"{match[1]}://{match[2]}"


class Store:
    """Objects whose names begin with an address; their names here are the rest.

    Args:
        address: address in a store.
        option: name of the option that gave it, in messages.

    Raises:
        InputError: obstore is not installed.
    """

    def __init__(self, address: str, option: str = "run-dir") -> None:
        self.address, self._option = address, option
        self._obstore = needed_by(f"{option}: {address}", "obstore", EXTRA)
        with self._told():
            self._store = self._obstore.store.from_url(
                address,
                retry_config=RETRIES,
                client_options={"allow_http": True},  # of an endpoint that the user names, such as MinIO's
                **_profile(address),
            )

    def list(self) -> dict[str, str]:
        """Return the tags of all objects by name; with its content an object's tag changes."""
        with self._told():
            listed = [one for block in self._obstore.list(self._store) for one in block]
        return {one["path"]: one["e_tag"] or one["version"] for one in listed}

    def read(self, name: str) -> bytes:
        """Return the content of a small object.

        Raises:
            FileNotFoundError: there is none.
        """
        with self._told():
            return bytes(self._obstore.get(self._store, name).bytes())

    def fetch(self, name: str, path: Path) -> None:
        """Write an object into a file, with the time of its last change.

        Raises:
            FileNotFoundError: there is none.
        """
        with self._told():
            got = self._obstore.get(self._store, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as file:
                for block in got.stream():
                    file.write(block)
            changed = got.meta["last_modified"].timestamp()
        os.utime(path, (changed, changed))

    def put(self, name: str, path: Path) -> None:
        """Put a file, which is there whole or not at all."""
        with self._told():
            self._obstore.put(self._store, name, path)

    def put_if(self, name: str, content: bytes, before: Version | None) -> Version | None:
        """Put a small object if it is still that of a version, or with None if there is none.

        Returns:
            Its new version; None where another was there.
        """
        errors = self._obstore.exceptions
        try:
            with self._told():
                put = self._obstore.put(self._store, name, content, mode=before or "create", use_multipart=False)
        except (errors.AlreadyExistsError, errors.PreconditionError, FileNotFoundError):
            return None
        return _version(put)

    def version(self, name: str) -> Version | None:
        """Return the version of an object; None if there is none."""
        try:
            with self._told():
                return _version(self._obstore.head(self._store, name))
        except FileNotFoundError:
            return None

    def delete(self, names: Iterable[str]) -> None:
        """Delete objects, those that exist."""
        with self._told():
            self._obstore.delete(self._store, [*names])

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        errors = self._obstore.exceptions
        try:
            yield
        except (errors.AlreadyExistsError, errors.PreconditionError):
            raise
        except FileNotFoundError as error:
            if "NoSuchBucket" not in str(error):
                raise
            raise self._refusal(error) from None
        except (errors.BaseError, ValueError) as error:
            raise self._refusal(error) from None

    def _refusal(self, error: Exception) -> Exception:
        text, where = str(error), f"{self._option}: {self.address}"
        if "NoSuchBucket" in text:
            return InputError(f"{where}: there is no such bucket; make it, or name another")
        if any(host in text for host in METADATA_SERVERS):
            remedy = CREDENTIALS[self.address.partition(":")[0]]
            return InputError(f"{where}: no credentials were found; set {remedy}")
        said = re.search("<Message>(.*?)</Message>", text)
        return StoreError(f"{where} cannot be reached: {said[1] if said else first_line(error)}")


def _version(found: Any) -> Version:
    # S3 tells versions apart by their tag, Google by their generation.
    return {name: found[name] for name in ("e_tag", "version") if found.get(name) is not None}


def _profile(address: str) -> dict[str, Any]:
    """Return credentials of `aws configure`, which obstore alone does not read."""
    if not address.startswith("s3:") or "AWS_ACCESS_KEY_ID" in os.environ or not importlib.util.find_spec("boto3"):
        return {}
    import boto3
    from obstore.auth.boto3 import Boto3CredentialProvider

    session = boto3.Session()
    if not (os.environ.get("AWS_PROFILE") or "default" in session.available_profiles):
        return {}
    return {"credential_provider": Boto3CredentialProvider(session)}
