"""Image files of any kind, against Pillow's own pixels one by one."""

import io
from functools import partial

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from jaxvae.data.headers import Header, read_header, read_headers
from jaxvae.data.images import Page, decode_images
from jaxvae.data.preparation import Preparation
from jaxvae.data.survey import Survey
from jaxvae.errors import InputError

RNG = np.random.default_rng(3)
SMOOTH = np.asarray(Image.fromarray(RNG.integers(0, 256, (6, 5, 3), dtype=np.uint8)).resize((13, 17)))
NOISE = RNG.integers(0, 256, (17, 13, 3), dtype=np.uint8)
IMAGES = [Image.fromarray(image) for image in (SMOOTH, NOISE, SMOOTH[::-1], np.zeros_like(NOISE), 255 - SMOOTH)]
WHITE = np.full((17, 13, 3), 255, np.uint8)


def _file(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def _pixels(file: bytes, mode: str) -> np.ndarray:
    return np.atleast_3d(np.asarray(Image.open(io.BytesIO(file)).convert(mode)))


def _decode(*files: bytes, preparation: Preparation | None = None, survey_of: tuple[bytes, ...] = ()) -> np.ndarray:
    """Pixels of files, whose form is that of `survey_of` if that is given."""
    survey = Survey()
    for number, file in enumerate(survey_of or files):
        survey.add(read_header(io.BytesIO(file), f"{number}.png"), f"{number}.png")
    pages = [Page(f"{number}.png", partial(io.BytesIO, file)) for number, file in enumerate(files)]
    return decode_images(pages, survey.form("set", preparation or Preparation()))


MODES = {
    "PNG": ("L", "RGB", "P", "1"),
    "JPEG": ("L", "RGB", "1", "CMYK"),
    "WEBP": ("L", "RGB", "P"),
    "BMP": ("L", "RGB", "P", "1"),
    "TIFF": ("L", "RGB", "P", "1", "CMYK"),
    "GIF": ("L", "RGB", "P", "1"),
}


@pytest.mark.parametrize(("kind", "mode"), [(kind, mode) for kind, modes in MODES.items() for mode in modes])
def test_every_kind_of_file_is_decoded_as_pillow_does(kind, mode):
    files = [_file(image.convert(mode), kind) for image in IMAGES]
    stored = "L" if Image.open(io.BytesIO(files[0])).mode in ("L", "1") else "RGB"
    np.testing.assert_array_equal(_decode(*files), np.stack([_pixels(file, stored) for file in files]))


def test_grey_among_coloured_gets_three_equal_channels():
    grey, colour = _file(IMAGES[0].convert("L")), _file(IMAGES[1])
    for files in ([grey, grey], [grey, colour]):
        found = _decode(*files, survey_of=(grey, colour))
        np.testing.assert_array_equal(found, np.stack([_pixels(file, "RGB") for file in files]))


@pytest.mark.parametrize("place", [0, 4])
@pytest.mark.parametrize("damage", ["half", "empty", "size", "text"])
def test_a_damaged_file_is_named(place, damage):
    files = [_file(image) for image in IMAGES]
    other = _file(IMAGES[0].crop((0, 0, 13, 1)))  # one row, which must not be spread over all
    damaged = files.copy()
    damaged[place] = {"half": files[place][:300], "empty": b"", "size": other, "text": b"no image"}[damage]
    with pytest.raises(InputError, match=rf"^{place}\.png: not a readable image \(.*repair") as caught:
        _decode(*damaged, survey_of=tuple(files))
    assert "\n" not in str(caught.value)


# Orientation


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF"])
def test_images_are_turned_upright(kind, orientation):
    """Stored as a camera would, each is what it shows; those that lie have the size of those that stand."""
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # Pillow's numbers of the inverse turns
    shown = Image.fromarray(np.kron(RNG.integers(0, 2, (4, 2, 3), dtype=np.uint8) * 255, np.ones((8, 8, 1), np.uint8)))
    stored = shown if orientation == 1 else shown.transpose(Image.Transpose(undo[orientation]))
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"JPEG": {"quality": 100, "subsampling": 0}, "WEBP": {"lossless": True}}.get(kind, {})
    files = [_file(stored, kind, exif=exif, **options), _file(shown, kind, **options)]
    found = _decode(*files)
    assert found.shape == (2, 32, 16, 3)
    assert np.abs(found.astype(int) - np.asarray(shown)).max() < 4


# Transparency


def _layer(mode: str) -> Image.Image:
    """A disc that only alpha shows, in half-transparent grey."""
    y, x = np.mgrid[:17, :13]
    alpha = np.where((y - 8) ** 2 + (x - 6) ** 2 < 25, 128, 0).astype(np.uint8)
    return Image.merge("LA", (Image.new("L", (13, 17), 40), Image.fromarray(alpha))).convert(mode)


@pytest.mark.parametrize(("kind", "mode"), [("PNG", "LA"), ("PNG", "RGBA"), ("WEBP", "RGBA"), ("TIFF", "RGBA")])
@pytest.mark.parametrize(("background", "colour"), [("white", (255, 255, 255)), ("#00ff80", (0, 255, 128))])
def test_transparent_images_are_laid_on_a_background(kind, mode, background, colour):
    options = {"lossless": True, "exact": True} if kind == "WEBP" else {}
    file = _file(_layer(mode), kind, **options)
    found = _decode(file, preparation=Preparation(background=background))[0]
    alpha = np.asarray(_layer("RGBA"))[..., 3:] / 255
    expected = 40 * alpha + np.array(colour) * (1 - alpha)
    assert found.shape[-1] == (1 if mode == "LA" and background == "white" else 3)
    assert np.abs(found - (expected if found.shape[-1] == 3 else expected[..., :1])).max() <= 1


@pytest.mark.parametrize("mode", ["L", "RGB", "P"])
def test_a_transparent_colour_is_background(mode):
    image = IMAGES[1].convert(mode)
    key = image.getpixel((0, 0))
    found = _decode(_file(image, transparency=key), preparation=Preparation(background="black"))
    hidden = np.all(np.atleast_3d(np.asarray(image)) == key, axis=-1)
    expected = np.where(hidden[..., None], 0, np.atleast_3d(np.asarray(image.convert("L" if mode == "L" else "RGB"))))
    np.testing.assert_array_equal(found[0], expected)


def test_an_image_of_which_nothing_is_seen_is_refused():
    white = Image.new("RGB", (13, 17), "white")
    white.putalpha(_layer("RGBA").getchannel("A"))
    with pytest.raises(InputError, match=r"^0\.png: nothing of it can be seen on white; .*--background"):
        _decode(_file(white))
    assert _decode(_file(white), preparation=Preparation(background="black")).std() > 0
    hidden = IMAGES[1].copy()
    hidden.putalpha(0)
    with pytest.raises(InputError, match=r"^0\.png: all its pixels are transparent"):
        _decode(_file(hidden))
    blank = Image.new("RGBA", (13, 17))
    np.testing.assert_array_equal(_decode(_file(blank)), WHITE[None])


# More than 8 bits


DEEP = RNG.integers(0, 65536, (17, 13), dtype=np.uint16)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_16_bit_grey_is_read_as_floats(kind):
    shallow = IMAGES[0].convert("L")
    found = _decode(_file(Image.fromarray(DEEP), kind), _file(shallow))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found[0, ..., 0], DEEP / 65535, atol=1e-7)
    np.testing.assert_allclose(found[1, ..., 0], np.asarray(shallow) / 255, atol=1e-7)
    assert _decode(_file(Image.fromarray(DEEP), kind), _file(IMAGES[0])).shape == (2, 17, 13, 3)


def test_floats_in_the_unit_interval_are_read_as_they_are():
    floats = (DEEP / 65535).astype(np.float32)
    np.testing.assert_array_equal(_decode(_file(Image.fromarray(floats), "TIFF"))[0, ..., 0], floats)
    for wrong in (3 * floats, floats - 1, np.where(floats > 0.5, np.nan, floats)):
        with pytest.raises(InputError, match=r"^0\.png: holds floats from .*; save it as floats in \[0, 1\]"):
            _decode(_file(Image.fromarray(wrong.astype(np.float32)), "TIFF"))
    with pytest.raises(InputError, match="holds 32-bit integers from"):
        _decode(_file(Image.fromarray(DEEP.astype(np.int32)), "TIFF"))


def test_big_endian_16_bit_tiffs_are_read():
    stream = io.BytesIO()
    Image.frombytes("I;16B", (13, 17), DEEP.astype(">u2").tobytes()).save(stream, "TIFF")
    np.testing.assert_allclose(_decode(stream.getvalue())[0, ..., 0], DEEP / 65535, atol=1e-7)


# Pages


def test_previews_in_a_cameras_jpeg_are_no_images_of_their_own():
    file = _file(IMAGES[0], "MPO", save_all=True, append_images=[IMAGES[1]])
    assert [*read_headers(io.BytesIO(file), "0")] == [0]
    assert _decode(file).shape == (1, 17, 13, 3)


def test_smaller_copies_in_a_tiff_are_no_images_of_their_own():
    stream = io.BytesIO()
    with TiffImagePlugin.AppendingTiffWriter(stream) as pages:
        IMAGES[0].resize((6, 8)).save(pages, "TIFF", tiffinfo={254: 1})
        pages.newFrame()
        IMAGES[0].save(pages, "TIFF")
        pages.newFrame()
    assert read_headers(io.BytesIO(stream.getvalue()), "0") == {1: Header(17, 13, 3)}


def test_transparent_16_bit_grey_is_refused():
    file = _file(Image.fromarray(DEEP), transparency=0)
    with pytest.raises(InputError, match=r"^0\.png: not a readable image \(transparent pixels in grey of more"):
        _decode(file)
