"""The sets of TFDS: read, prepared from their original files, and refused where they cannot be had."""

import functools
import hashlib
import shutil
import socket
import subprocess
import sys
import threading
import time
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import tensorflow_datasets as tfds

from jaxvae.data import Dataset, load
from jaxvae.data.sources import tfds_prepare, tfds_sets
from jaxvae.errors import InputError

# Counted from the label files of MNIST and published with it.
MNIST_TRAIN_DIGITS = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
TEST_FILES = dict.fromkeys(("train", "test"), tfds_sets.TFDS_SETS["mnist"]["test"])


@functools.cache
def _prepared(name: str, shared: Path) -> Dataset:
    return load(name, shared / "tfds")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mnist", {"train": (60000, 33.318421), "test": (10000, 33.791224)}),
        ("fashion_mnist", {"train": (60000, 72.940352), "test": (10000, 73.146567)}),
        (
            "binarized_mnist",
            {"train": (50000, 0.130562), "validation": (10000, 0.131127), "test": (10000, 0.132512)},
        ),
    ],
)
def test_prepared_sets_have_their_known_sizes_and_means(shared_data, name, expected):
    data = _prepared(name, shared_data)
    assert data.name == name
    assert data.pixels == ("binary" if name == "binarized_mnist" else "ink")
    assert (data.validation is None) is ("validation" not in expected)
    for split, (size, mean) in expected.items():
        image = getattr(data, split).x
        assert image.shape == (size, 28, 28, 1)
        assert image.dtype == np.uint8
        assert abs(image.mean() / (255 if data.pixels == "binary" else 1) - mean) < 1e-6


@pytest.mark.parametrize("name", tfds_sets.TFDS_SETS)
def test_images_and_labels_are_those_that_tfds_decodes(shared_data, name):
    data = _prepared(name, shared_data)
    source = tfds.builder(name, data_dir=shared_data / "tfds").as_data_source("test")
    chosen = range(0, len(source), 50)
    scale = 255 if data.pixels == "binary" else 1
    np.testing.assert_array_equal(data.test.x[::50], scale * np.stack([source[i]["image"] for i in chosen]))
    if data.pixels == "binary":
        assert data.test.label is None
    else:
        assert data.test.label.dtype == np.int32
        np.testing.assert_array_equal(data.test.label[::50], [source[i]["label"] for i in chosen])


@pytest.mark.parametrize("name", tfds_sets.TFDS_SETS)
def test_an_opened_set_is_the_loaded_one(shared_data, name):
    loaded, opened = _prepared(name, shared_data), load(name, shared_data / "tfds", stream=True)
    assert opened._replace(train=0, test=0, validation=0) == loaded._replace(train=0, test=0, validation=0)
    for one, other in zip(opened[1:4], loaded[1:4]):
        assert (one is None) is (other is None)
        if other:
            assert not isinstance(one.x, np.ndarray)
            assert (one.x.shape, one.x.dtype) == (other.x.shape, other.x.dtype)
            ids = np.random.default_rng(0).integers(0, len(other.x), (3, 50))
            np.testing.assert_array_equal(one.x[ids], other.x[ids])
            np.testing.assert_array_equal(one.x[-20:], other.x[-20:])
            np.testing.assert_array_equal(one.label, other.label)


def test_values_and_labels(shared_data):
    assert set(np.unique(_prepared("binarized_mnist", shared_data).train.x)) == {0, 255}
    assert np.bincount(_prepared("mnist", shared_data).train.label).tolist() == MNIST_TRAIN_DIGITS
    assert np.bincount(_prepared("fashion_mnist", shared_data).train.label).tolist() == [6000] * 10


def test_classes_are_called_as_tfds_calls_them(shared_data):
    classes = _prepared("fashion_mnist", shared_data).classes
    assert (classes[0], classes[9]) == ("T-shirt/top", "Ankle boot")
    assert _prepared("mnist", shared_data).classes == tuple("0123456789")
    assert _prepared("binarized_mnist", shared_data).classes == ()


def test_folder_comes_from_the_environment(shared_data, monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", str(shared_data / "tfds"))
    assert load("mnist").fingerprint() == _prepared("mnist", shared_data).fingerprint()


def test_import_is_light():
    heavy = {"sklearn", "PIL", "tensorflow_datasets", "tensorflow", "grain", "array_record"}
    code = f"import sys, jaxvae.data; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", ["mnits", "mnist.npz", "no/such/folder"])
def test_unknown_name_is_refused(name):
    with pytest.raises(
        InputError, match="neither one of digits, grammar, forest, brackets, mnist, fashion_mnist, binarized_mnist"
    ) as caught:
        load(name)
    assert ("did you mean 'mnist'?" in str(caught.value)) is name.startswith("mn")
    assert repr(name) in str(caught.value)


# Preparing


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def serve(monkeypatch):
    """Serve a folder in place of MNIST's host, under the sizes and checksums that TFDS registers."""
    servers = []

    def start(folder: Path) -> ThreadingHTTPServer:
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=folder))
        threading.Thread(target=server.serve_forever).start()
        servers.append(server)
        _set_host(monkeypatch, server.server_port)
        return server

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def _set_host(monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    builder = tfds.builder_cls("mnist")
    infos = {f"http://127.0.0.1:{port}/{info.filename}": info for info in builder.url_infos.values()}
    monkeypatch.setattr(builder, "url_infos", infos)
    monkeypatch.setenv("no_proxy", "127.0.0.1")


def _raw(shared: Path, folder: Path, damaged: str | None = None) -> Path:
    """Copy the original test files; flip a bit in the middle of one."""
    folder.mkdir()
    for name in TEST_FILES["test"]:
        content = bytearray((shared / "raw" / "mnist" / name).read_bytes())
        content[len(content) // 2] ^= name == damaged
        (folder / name).write_bytes(content)
    return folder


def _sorted_test_set(data: Dataset) -> list[tuple[bytes, int]]:
    return sorted((image.tobytes(), int(label)) for image, label in zip(data.test.x, data.test.label))


@pytest.mark.slow
def test_mnist_is_downloaded_and_prepared_like_tfds_does(shared_data, serve, tmp_path, capfd):
    server = serve(shared_data / "raw" / "mnist")
    data = load("mnist", tmp_path)
    assert data.fingerprint() == _prepared("mnist", shared_data).fingerprint()
    assert "tensorflow" not in sys.modules
    assert capfd.readouterr().out == ""

    server.shutdown()  # from here on without a network
    server.server_close()
    assert load("mnist", tmp_path).test.num_examples == 10000
    source = tfds.builder("mnist", data_dir=tmp_path).as_data_source("train")
    assert len(source) == 60000
    np.testing.assert_array_equal(source[7]["image"], data.train.x[7])


@pytest.mark.slow
def test_original_files_in_a_folder_replace_the_download(shared_data, monkeypatch, tmp_path):
    # The test files stand for the training files too, which saves ten seconds.
    monkeypatch.setitem(tfds_sets.TFDS_SETS, "mnist", TEST_FILES)
    data = load("mnist", tmp_path, manual_dir=shared_data / "raw" / "mnist")
    assert data.train.num_examples == 10000
    assert _sorted_test_set(data) == _sorted_test_set(_prepared("mnist", shared_data))


def test_text_files_of_binarized_mnist_are_read(monkeypatch, tmp_path):
    pixels = np.random.default_rng(2).integers(0, 2, (3, 20, 784))
    manual = tmp_path / "data" / "downloads" / "manual"
    manual.mkdir(parents=True)
    infos = {}
    for (name,), rows in zip(tfds_sets.TFDS_SETS["binarized_mnist"].values(), pixels):
        text = "".join(" ".join(map(str, row)) + "\n" for row in rows).encode()
        (manual / name).write_bytes(text)
        infos[f"http://127.0.0.1/{name}"] = tfds.download.checksums.UrlInfo(
            len(text), hashlib.sha256(text).hexdigest(), name
        )
    monkeypatch.setattr(tfds.builder_cls("binarized_mnist"), "url_infos", infos)

    data = load("binarized_mnist", tmp_path / "data")
    for split, rows in zip((data.train, data.validation, data.test), pixels):
        expected = sorted((255 * rows).tolist())
        assert sorted(split.x.reshape(20, 784).tolist()) == expected


@pytest.mark.parametrize("damaged", TEST_FILES["test"])
@pytest.mark.parametrize("by_http", [True, False])
def test_damaged_original_is_refused(shared_data, serve, monkeypatch, tmp_path, damaged, by_http):
    monkeypatch.setitem(tfds_sets.TFDS_SETS, "mnist", TEST_FILES)
    folder = _raw(shared_data, tmp_path / "raw", damaged)
    serve(folder)
    with pytest.raises(InputError, match=f"^mnist: .*{damaged}.*wrong checksum.*remove that file") as caught:
        load("mnist", tmp_path / "data", None if by_http else folder)
    assert "\n" not in str(caught.value)
    assert not list((tmp_path / "data").glob("mnist/*"))


@pytest.mark.slow
def test_failed_preparation_does_not_stand_in_the_way_of_the_next(shared_data, serve, monkeypatch, tmp_path):
    monkeypatch.setitem(tfds_sets.TFDS_SETS, "mnist", TEST_FILES)
    folder = _raw(shared_data, tmp_path / "raw", TEST_FILES["test"][0])
    serve(folder)
    with pytest.raises(InputError):
        load("mnist", tmp_path / "data")
    shutil.rmtree(folder)
    _raw(shared_data, folder)
    data = load("mnist", tmp_path / "data")
    assert _sorted_test_set(data) == _sorted_test_set(_prepared("mnist", shared_data))


def test_missing_original_is_refused(serve, tmp_path):
    serve(tmp_path)
    with pytest.raises(InputError, match=r"^mnist: cannot prepare .*404"):
        load("mnist", tmp_path / "data")


def _refused_without_network(tmp_path: Path) -> str:
    begin = time.monotonic()
    with pytest.raises(InputError, match="cannot be reached") as caught:
        load("mnist", tmp_path / "data")
    assert time.monotonic() - begin < 10
    assert not (tmp_path / "data").exists()
    return str(caught.value)


def test_no_network_is_one_error_with_the_remedy(monkeypatch, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    _set_host(monkeypatch, port)
    message = _refused_without_network(tmp_path)
    assert "\n" not in message
    for part in (f"127.0.0.1:{port}", str(tmp_path / "data" / "downloads" / "manual")):
        assert part in message
    for part in (*sum(tfds_sets.TFDS_SETS["mnist"].values(), ()), "--data-dir", "TFDS_DATA_DIR"):
        assert part in message


def test_silent_server_is_no_network(monkeypatch, tmp_path):
    assert tfds_prepare.REACH_SECONDS < 10
    monkeypatch.setattr(tfds_prepare, "REACH_SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        _set_host(monkeypatch, silent.getsockname()[1])
        _refused_without_network(tmp_path)


def test_failing_server_is_no_network(serve, monkeypatch, tmp_path):
    monkeypatch.setattr(_Quiet, "do_HEAD", lambda self: self.send_error(503))
    serve(tmp_path)
    _refused_without_network(tmp_path)


# Damage


def test_damaged_prepared_set_is_refused(shared_data, tmp_path):
    source = shared_data / "tfds" / "binarized_mnist" / "1.0.0"
    folder = tmp_path / "binarized_mnist" / "1.0.0"
    folder.mkdir(parents=True)
    for file in source.glob("*.json"):
        shutil.copyfile(file, folder / file.name)
    with pytest.raises(InputError, match=r"^binarized_mnist: split 'train' in .* remove that folder"):
        load("binarized_mnist", tmp_path)

    for file in source.glob("*record*"):
        (folder / file.name).write_bytes(file.read_bytes()[:100_000])
    with pytest.raises(InputError, match=r"^binarized_mnist: split 'train' in .* remove that folder") as caught:
        load("binarized_mnist", tmp_path)
    assert "\n" not in str(caught.value)


def test_unwritable_folder_is_refused(shared_data, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(InputError, match=r"^mnist: cannot prepare"):
        load("mnist", tmp_path / "file", manual_dir=shared_data / "raw" / "mnist")
