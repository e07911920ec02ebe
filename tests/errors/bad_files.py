"""Files with something wrong in them, each made by a function of the folder that it is to lie in."""

import io
import json
import pickle
import shutil
import struct
import tempfile
import zipfile
import zlib
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

GREY = np.random.default_rng(0).integers(0, 256, (20, 8, 8), dtype=np.uint8)
SHADES = (GREY / 255).astype(np.float32)


def several(*makers):
    return lambda folder: [make(folder) for make in makers]


def text(name, content=""):
    def make(folder):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)

    return make


def empty_folder(name):
    return lambda folder: (folder / name).mkdir(parents=True)


def npz(name, **arrays):
    return lambda folder: np.savez(folder / name, **arrays)


def without_end(name, make, share=0.5):
    """What `make` makes, but of the file `name` only the beginning."""

    def cut(folder):
        make(folder)
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[: int(len(content) * share)])

    return cut


def image_folder(name, kind="png", images=GREY):
    def make(folder):
        (folder / name).mkdir()
        for number, image in enumerate(images):
            Image.fromarray(image).save(folder / name / f"{number:02}.{kind}")

    return make


def image_archive(name, kind, cut=0):
    """Image files in an archive, each without its last bytes."""
    files = [io.BytesIO() for _ in GREY]
    for image, file in zip(GREY, files):
        Image.fromarray(image).save(file, kind)
    contents = [file.getvalue()[: len(file.getvalue()) - cut] for file in files]
    offset = np.cumsum([0, *map(len, contents)])
    return npz(name, **{kind: np.frombuffer(b"".join(contents), np.uint8), "offset": offset})


def large_png(name, size):
    """A PNG of a few bytes whose header claims `size` by `size` pixels."""

    def make(folder):
        stream = io.BytesIO()
        Image.new("RGB", (1, 1)).save(stream, "PNG")
        content = stream.getvalue()
        header = b"IHDR" + struct.pack(">II", size, size) + content[24:29]
        (folder / name).write_bytes(content[:12] + header + struct.pack(">I", zlib.crc32(header)) + content[33:])

    return make


def claiming(name, shape):
    """An archive of a few bytes whose header claims images of this shape."""

    def make(folder):
        stream = io.BytesIO()
        np.lib.format.write_array_header_1_0(stream, {"descr": "|u1", "fortran_order": False, "shape": shape})
        with zipfile.ZipFile(folder / name, "w") as archive:
            archive.writestr("image.npy", stream.getvalue())

    return make


class Trap:
    """What a pickle may do to whoever opens it: here it makes a file, and the test would see it."""

    def __reduce__(self):
        return (open, ("unpickled", "w"))


def trapped(name):
    assert b"unpickled" in pickle.dumps(Trap())
    return npz(name, image=np.array([Trap()] * 20, object))


OPTIONS = {"hidden": (4,), "latent_dim": 3}


@cache
def _never_trained() -> Path:
    """A run directory as train.py leaves it, of a model that took no step."""
    from jaxvae.checkpoint import Checkpoints
    from jaxvae.data import load
    from jaxvae.options import given
    from jaxvae.runs.directory import about, open_run_dir
    from jaxvae.runs.parts import build_parts, initial_state
    from jaxvae.runs.settle import settle

    data = load("digits")
    run_dir = Path(tempfile.mkdtemp()) / "run"
    config = settle(given(run_dir=run_dir, **OPTIONS), data)
    state = initial_state(config, build_parts(config, data.space))
    with open_run_dir(config, data):
        Checkpoints(run_dir / "checkpoints").save(0, state, about(run_dir), score=0.0)
    return run_dir


def pressed(name, **portable):
    """A file of no examples of `run`, in the portable mode, as compress writes them."""

    def make(folder):
        from jaxvae.coding import container
        from jaxvae.coding.machine import digest
        from jaxvae.runs import load_run

        run()(folder)
        header = {"run": "run", "step": 0, "model": digest(load_run(folder / "run").params), "portable": portable}
        with (folder / name).open("wb") as file:
            container.write(file, header, [], [])

    return make


def run(**changes):
    """A run of the digits, `run`, with three latent dimensions; in its config.json something may be changed."""

    def make(folder):
        shutil.copytree(_never_trained(), folder / "run")
        path = folder / "run" / "config.json"
        config = json.loads(path.read_text())
        for part, options in changes.items():
            config[part] = {**config.get(part, {}), **options} if isinstance(options, dict) else options
        path.write_text(json.dumps(config))

    return make
