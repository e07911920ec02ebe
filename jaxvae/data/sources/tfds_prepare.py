"""Preparation of a set by TFDS: downloaded, compared with its checksums and written, where its host can be reached."""

from __future__ import annotations

import contextlib
import re
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jaxvae.errors import InputError, first_line

REACH_SECONDS = 8.0
"""Longest time in which a host must answer."""
_MOST_NAMED = 6
"""Largest number of original files that a message names."""
NEEDS_TENSORFLOW = "needs tensorflow, which is not installed; pip install tensorflow: a prepared set is read without it"


def prepare_set(
    what: str, builder: Any, manual_dir: Path | None, split_generators: Callable[[Any], Any] | None = None
) -> None:
    """Let TFDS download and write a set; its folder appears only once it is complete.

    Args:
        what: name of the set in messages.
        builder: builder of TFDS.
        manual_dir: folder with original files, used in place of a download; `<data_dir>/downloads/manual` if not given.
        split_generators: function that reads the original files, in place of the builder's own, which needs TensorFlow.

    Raises:
        InputError: original files cannot be had or differ, or the set cannot be written.
    """
    import tensorflow_datasets as tfds
    from tensorflow_datasets.core.download.download_manager import NonMatchingChecksumError

    manual_dir = manual_dir or Path(builder.data_dir_root) / "downloads" / "manual"
    _check_source(what, builder, manual_dir)
    if split_generators is not None:
        # A method of the instance instead of a subclass, which TFDS would register as another set.
        builder._split_generators = split_generators
    own = split_generators is not None
    config = tfds.download.DownloadConfig(manual_dir=manual_dir, force_checksums_validation=own)
    try:
        with contextlib.redirect_stdout(sys.stderr):
            builder.download_and_prepare(download_config=config, file_format="array_record")
    except NonMatchingChecksumError as error:
        raise InputError(f"{what}: {first_line(error)}; remove that file and try again") from error
    except ImportError as error:
        raise InputError(f"{what}: its preparation {missing(error)}") from error
    except Exception as error:  # each set reads its original files in its own way
        raise InputError(f"{what}: cannot prepare {builder.data_path}: {first_line(error)}") from error


def missing(error: ImportError) -> str:
    """Describe a package that is not installed, with the remedy."""
    named = re.search(r"No module named '(\w+)", str(error))  # TFDS raises errors anew, without their names
    package = named[1] if named else first_line(error)
    if package == "tensorflow":
        return NEEDS_TENSORFLOW
    return f"needs {package}, which is not installed; install it, or name a prepared set"


def _check_source(what: str, builder: Any, manual_dir: Path) -> None:
    """Refuse a set whose original files are neither at hand nor to be had."""
    urls = {info.filename: url for url, info in (builder.url_infos or {}).items()}
    absent = [name for name in urls if not (manual_dir / name).exists()]
    if absent and not _answers(urls[absent[0]]):
        host = urllib.parse.urlsplit(urls[absent[0]]).netloc
        files = ", ".join(absent[:_MOST_NAMED]) + (" ..." if len(absent) > _MOST_NAMED else "")
        raise InputError(
            f"{what}: not prepared in {builder.data_path}, and {host} cannot be reached; put the original {files} into "
            f"{manual_dir}, or name the folder of TFDS that has the set (--data-dir or TFDS_DATA_DIR)"
        )


def _answers(url: str) -> bool:
    """Return True if a server answers within seconds; TFDS would retry for minutes."""
    answered = threading.Event()

    def ask() -> None:
        try:
            urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=REACH_SECONDS).close()
            answered.set()
        except urllib.error.HTTPError as error:
            error.close()
            if error.code < 500:  # TFDS reports these, but would retry a failing server for minutes
                answered.set()
        except OSError:
            pass

    # A thread, because DNS look-ups have no timeout.
    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(REACH_SECONDS)
    return answered.is_set()
