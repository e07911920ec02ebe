"""Event files: scalars at once and in order, the config, figures and the summary beside them."""

import json
import struct
import sys
import time

import numpy as np
import pytest
from PIL import Image
from tensorboardX.proto.event_pb2 import Event, SessionLog
from tensorboardX.record_writer import masked_crc32c

from jaxvae.trackers import About, tensorboard
from jaxvae.trackers.tensorboard import Board


def events(path):
    """The events of a TensorBoard file: each a length, its checksum, as many bytes, their checksum."""
    content, found = path.read_bytes(), []
    while content:
        header, check, rest = content[:8], content[8:12], content[12:]
        assert struct.unpack("<I", check)[0] == masked_crc32c(header)
        (length,) = struct.unpack("<Q", header)
        data, check, content = rest[:length], rest[length : length + 4], rest[length + 4 :]
        assert struct.unpack("<I", check)[0] == masked_crc32c(data)
        found.append(Event.FromString(data))
    return found


def board(folder, first_step=0):
    return Board(About(folder, {"preset": "vae"}, {}, first_step))


def test_scalars_are_there_at_once_and_in_order_whatever_the_clock_says(tmp_path, monkeypatch):
    board(tmp_path).log(10, {"train/loss": 1.5})
    monkeypatch.setattr(time, "time", lambda: 1e8)
    board(tmp_path, first_step=20)
    first, second = sorted((tmp_path / "tensorboard").iterdir())
    version, start, config, scalars = events(first)
    (text,) = config.summary.value
    assert (text.tag, text.metadata.plugin_data.plugin_name) == ("config/text_summary", "text")
    assert json.loads(text.tensor.string_val[0]) == {"preset": "vae"}
    assert version.file_version == "brain.Event:2"
    assert (start.step, start.session_log.status) == (1, SessionLog.START)
    assert [(scalars.step, value.tag, value.simple_value) for value in scalars.summary.value] == [
        (10, "train/loss", 1.5)
    ]
    assert events(second)[1].step == 21, "TensorBoard forgets what the first file says of steps from here on"


def test_figures_and_the_summary_come_at_the_end(tmp_path):
    tracker = board(tmp_path)
    Image.fromarray(np.zeros((3, 4), np.uint8)).save(tmp_path / "loss.png")
    tracker.log(30, {"train/loss": 1.0})
    tracker.figure("figures/loss.png", tmp_path / "loss.png")
    tracker.finish({"test_elbo": -2.0, "select": "best"})
    (file,) = (tmp_path / "tensorboard").iterdir()
    picture, scalars, text = events(file)[-3:]
    assert picture.summary.value[0].image.encoded_image_string == (tmp_path / "loss.png").read_bytes()
    (elbo,) = scalars.summary.value
    assert (scalars.step, elbo.tag, elbo.simple_value) == (30, "summary/test_elbo", -2.0)
    assert json.loads(text.summary.value[0].tensor.string_val[0]) == {"test_elbo": -2.0, "select": "best"}


def test_torch_is_not_imported_for_it_and_can_be_afterwards(tmp_path, monkeypatch):
    (tmp_path / "torch.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    with tensorboard._torch_hidden(), pytest.raises(ModuleNotFoundError):
        import torch
    import torch

    with tensorboard._torch_hidden():
        assert sys.modules["torch"] is torch
    assert sys.modules["torch"] is torch
