"""Advice on arrays of an `.npz` file with names of other libraries, which are not guessed silently."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from jaxvae.data.sources.archive import ArrayHeader

_IMAGE = ("images", "img", "imgs", "inputs", "features", "pictures", "pixels", "faces", "samples", "arr_0")
_LABEL = ("labels", "y", "target", "targets", "class", "label_ids")
_PARTS = {"train": 0, "valid": 1, "val": 1, "test": 2}


def image_advice(headers: Mapping[str, ArrayHeader]) -> str:
    """Return advice on an archive without images under a known name."""
    by_lower = {name.lower(): name for name in headers}
    if parts := _parts(by_lower):
        arrays = ", ".join(f"f[{name!r}]" for name in parts)
        numbers = list(parts.values())
        return (
            f"its splits are arrays of their own: join them, numpy.savez(file, image=numpy.concatenate([{arrays}]), "
            f"split=numpy.repeat({numbers}, [len(x) for x in [{arrays}]])), and label likewise"
        )
    for name in _IMAGE:
        if name in by_lower:
            return f"did you mean {by_lower[name]!r}? save it under this name: numpy.savez(file, image=...)"
    others = "numbers as 'x', counts as 'counts', words as 'tokens'"
    return f"save images under this name, {others}: numpy.savez(file, image=...)"


def misnamed_label(headers: Mapping[str, ArrayHeader], num_examples: int) -> str | None:
    """Return the name of an array that seems to hold labels, if none is called `label`."""
    if "label" in headers:
        return None
    for name, header in headers.items():
        classes = header.dtype.kind in "iuUS" or len(header.shape) == 2  # one-hot
        is_position = name.lower() == "y" and {"x", "X"} & headers.keys()
        if name.lower() in _LABEL and header.shape[:1] == (num_examples,) and classes and not is_position:
            return name
    return None


def label_advice(label: np.ndarray, num_examples: int) -> str:
    """Return advice on labels that are not one integer for each example, if their number agrees."""
    if label.shape[:1] != (num_examples,):
        return ""
    if label.ndim == 1 and label.dtype.kind in "US":
        return "save its numbers and names: classes, label = numpy.unique(label, return_inverse=True)"
    if label.ndim == 1 and label.dtype.kind in "fb":
        return "number the classes: classes, label = numpy.unique(label, return_inverse=True)"
    if label.ndim == 2 and label.shape[1] == 1:
        return "give label[:, 0]"
    if label.ndim == 2 and label.shape[1] > 1:
        return "give label.argmax(1) if it is one-hot"
    return ""


def _parts(by_lower: Mapping[str, str]) -> dict[str, int]:
    """Return arrays of images, such as x_train and x_test, with the part numbers of their splits."""
    for image in ("x_{}", "{}_x", "{}_images", "images_{}", "{}_data", "{}_image", "image_{}", "{}", "x{}", "{}x"):
        found = {image.format(part): number for part, number in _PARTS.items() if image.format(part) in by_lower}
        if {0, 2} <= set(found.values()):
            return {by_lower[name]: number for name, number in found.items()}
    return {}
