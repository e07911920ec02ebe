"""Corruptions of the encoder's input, with their strength."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

from jaxvae.objectives.denoising import masking, noise, salt_and_pepper
from jaxvae.options.checks import check, check_at_least


@dataclasses.dataclass(frozen=True)
class Clean:
    """The encoder sees the examples as they are."""


@dataclasses.dataclass(frozen=True)
class Noise:
    """The encoder sees examples with normal noise."""

    function: ClassVar[Any] = staticmethod(noise)
    level: float = 0.3
    """Standard deviation of the noise."""

    def check(self) -> None:
        """Refuse a level that is no standard deviation."""
        check_at_least(0, "corruption-level", self.level)


@dataclasses.dataclass(frozen=True)
class Masking:
    """The encoder sees examples with values set to 0."""

    function: ClassVar[Any] = staticmethod(masking)
    level: float = 0.3
    """Share of the values that are set to 0."""

    def check(self) -> None:
        """Refuse a level that is no share."""
        check_share(self.level)


@dataclasses.dataclass(frozen=True)
class SaltAndPepper:
    """The encoder sees examples with values set to 0 or 1."""

    function: ClassVar[Any] = staticmethod(salt_and_pepper)
    level: float = 0.3
    """Share of the values that are set to 0 or 1."""

    def check(self) -> None:
        """Refuse a level that is no share."""
        check_share(self.level)


def check_share(level: float) -> None:
    """Refuse a number outside [0, 1]."""
    check_at_least(0, "corruption-level", level)
    check(level <= 1, "corruption-level", level, "a share, at most 1")


CORRUPTIONS: dict[str, type] = {"none": Clean, "noise": Noise, "masking": Masking, "salt_and_pepper": SaltAndPepper}
