"""Export: a trained model in forms that other programs read.

Each is a function of a run and a folder, which writes files there and returns their paths.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from jaxvae.export import hub, javascript, onnx, safetensors, stablehlo
from jaxvae.runs.run import Run


class Row(NamedTuple):
    """One form."""

    write: Callable[[Run, Path], list[Path]]
    module: str = "jax"
    """Module that it needs."""
    extra: str = ""
    """Extra of jaxvae that installs the module."""


EXPORTS: Mapping[str, Row] = {
    "safetensors": Row(safetensors.write, "safetensors", "export"),
    "stablehlo": Row(stablehlo.write, "flatbuffers", "export"),
    "onnx": Row(onnx.write, "jax2onnx", "onnx"),
    "javascript": Row(javascript.write),
    "hub": Row(hub.write, "safetensors", "export"),
}
"""Forms by name."""
