"""Event file for TensorBoard, written by the training thread.

tensorboardX writes in another thread. On a full disk that thread dies with a traceback, and the run waits for it
forever; a killed run loses its buffer. Here each write is in the file, or an error.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any


class Board:
    """Event file to which scalars are appended; TensorBoard discards later steps of earlier files."""

    def __init__(self, folder: Path, *, first_step: int) -> None:
        from tensorboardX.proto.event_pb2 import Event, SessionLog

        folder.mkdir(exist_ok=True)
        # Numbered: TensorBoard reads files in the order of their names, which must not depend on the clock.
        self._path = folder / f"events.{len(list(folder.iterdir())):06d}.tfevents"
        self._append(Event(file_version="brain.Event:2"))
        self._append(Event(step=first_step + 1, session_log=SessionLog(status=SessionLog.START)))

    def write(self, step: int, scalars: Mapping[str, float]) -> None:
        """Append one value per name."""
        from tensorboardX.proto.event_pb2 import Event
        from tensorboardX.proto.summary_pb2 import Summary

        values = [Summary.Value(tag=name, simple_value=value) for name, value in scalars.items()]
        self._append(Event(step=step, summary=Summary(value=values)))

    def _append(self, event: Any) -> None:
        event.wall_time = time.time()
        with self._path.open("ab") as file:
            file.write(_record(event.SerializeToString()))


def _record(data: bytes) -> bytes:
    """Encode a TFRecord: the length, its checksum, the data, their checksum."""
    from tensorboardX.record_writer import masked_crc32c

    length = struct.pack("<Q", len(data))
    return length + struct.pack("<I", masked_crc32c(length)) + data + struct.pack("<I", masked_crc32c(data))
