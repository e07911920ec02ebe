"""Independent figures: one that fails gives a warning, and affects neither the others nor the run."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path

from jaxvae.errors import first_line

logger = logging.getLogger(__name__)


class Gallery:
    """Folder of figures.

    Args:
        folder: folder for the figures.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.missing: list[str] = []
        """Names of the figures that could not be drawn."""

    @contextlib.contextmanager
    def figure(self, name: str) -> Iterator[Path]:
        """Yield the path of a figure; an error while it is computed or drawn becomes one warning that names it."""
        try:
            yield self.folder / name
        except Exception as error:
            self.missing.append(name)
            with contextlib.suppress(OSError):
                (self.folder / name).unlink(missing_ok=True)  # an incomplete figure is removed
            reason = f"{type(error).__name__}: {first_line(error)}"
            logger.warning("figure %s cannot be drawn (%s); all else is", name, reason)
