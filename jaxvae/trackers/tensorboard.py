"""Event file for TensorBoard, written by the training thread.

tensorboardX writes in another thread. On a full disk that thread dies with a traceback, and the run waits for it
forever; a killed run loses its buffer. Here each write is in the file, or an error.
"""

from __future__ import annotations

import contextlib
import json
import struct
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from jaxvae.trackers.tracker import About, scalars


class Board:
    """Event file `RUN/tensorboard/events.N.tfevents`; TensorBoard discards later steps of earlier files."""

    known_as: str | None = None

    def __init__(self, about: About) -> None:
        with _torch_hidden():
            from tensorboardX.proto.event_pb2 import Event, SessionLog

        folder = about.run_dir / "tensorboard"
        folder.mkdir(exist_ok=True)
        # Numbered: TensorBoard reads files in the order of their names, which must not depend on the clock.
        self._path = folder / f"events.{len(list(folder.iterdir())):06d}.tfevents"
        self._step = about.first_step
        self._append(Event(file_version="brain.Event:2"))
        self._append(Event(step=about.first_step + 1, session_log=SessionLog(status=SessionLog.START)))
        self._text("config", json.dumps(about.config, indent=2))

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Append one value per name."""
        self._step = step
        self._summary(*({"tag": name, "simple_value": value} for name, value in values.items()))

    def figure(self, name: str, path: Path) -> None:
        """Append a picture; figures of other kinds stay in their files alone."""
        from tensorboardX.proto.summary_pb2 import Summary

        if path.suffix in (".png", ".gif"):
            self._summary({"tag": name, "image": Summary.Image(encoded_image_string=path.read_bytes())})

    def finish(self, summary: Mapping[str, Any]) -> None:
        """Append the final numbers as scalars of the last step, and all of them as a text."""
        if summary:
            self.log(self._step, {f"summary/{name}": value for name, value in scalars(summary).items()})
            self._text("summary", json.dumps(summary, indent=2))

    def _text(self, tag: str, text: str) -> None:
        from tensorboardX.proto.summary_pb2 import SummaryMetadata
        from tensorboardX.proto.tensor_pb2 import TensorProto
        from tensorboardX.proto.tensor_shape_pb2 import TensorShapeProto

        plugin = SummaryMetadata(plugin_data=SummaryMetadata.PluginData(plugin_name="text"))
        shape = TensorShapeProto(dim=[TensorShapeProto.Dim(size=1)])
        markdown = "\n".join(f"    {line}" for line in text.splitlines())
        tensor = TensorProto(dtype="DT_STRING", string_val=[markdown.encode()], tensor_shape=shape)
        self._summary({"tag": f"{tag}/text_summary", "metadata": plugin, "tensor": tensor})

    def _summary(self, *values: Mapping[str, Any]) -> None:
        from tensorboardX.proto.event_pb2 import Event
        from tensorboardX.proto.summary_pb2 import Summary

        summary = Summary(value=[Summary.Value(**value) for value in values])
        self._append(Event(step=self._step, summary=summary))

    def _append(self, event: Any) -> None:
        event.wall_time = time.time()
        with self._path.open("ab") as file:
            file.write(_record(event.SerializeToString()))


def _record(data: bytes) -> bytes:
    """Encode a TFRecord: the length, its checksum, the data, their checksum."""
    from tensorboardX.record_writer import masked_crc32c

    length = struct.pack("<Q", len(data))
    return length + struct.pack("<I", masked_crc32c(length)) + data + struct.pack("<I", masked_crc32c(data))


@contextlib.contextmanager
def _torch_hidden() -> Iterator[None]:
    """Keep an import from importing torch: tensorboardX does so where it can, which takes seconds, for no use here."""
    if "torch" in sys.modules:
        yield
        return
    sys.modules["torch"] = None  # type: ignore[assignment]  # as if it were not installed
    try:
        yield
    finally:
        del sys.modules["torch"]
