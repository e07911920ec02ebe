"""Pages of small random models, and one browser for all that is tried on them."""

import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np
import pytest

from jaxvae.data import Split
from jaxvae.data.spaces import Categories, Tokens
from jaxvae.explorer import explorer_page
from jaxvae.options import given
from jaxvae.presets import build
from jaxvae.priors import MixturePrior

BRIGHT = "</script> bright"


class Page(NamedTuple):
    path: Path
    codes: np.ndarray
    """The test images' posterior means, `[40, D]`."""
    decode: Callable
    """`[B, D]`, and class numbers `[B]` where there are classes, -> `[B, H, W, C]`, or rows of tokens `[B, T]`."""


def random_params(model, x, condition=None):
    """Parameters of every layer, biases too, that no one has trained."""
    like = jax.eval_shape(model.init, jax.random.key(0), x, condition)
    rng = np.random.default_rng(1)
    return jax.tree.map(lambda leaf: 0.4 * rng.normal(size=leaf.shape).astype(np.float32), like)


def random_split(shape):
    """Forty images of three classes; every second one is bright."""
    numbers = np.arange(40, dtype=np.int32)
    grey = np.random.default_rng(2).integers(0, 60, (40, *shape))
    bright = (numbers % 2).reshape(-1, *[1] * len(shape))
    return Split((grey + 190 * bright).astype(np.uint8), numbers % 3, {BRIGHT: numbers % 2})


def conditional(split):
    """Every seventh image is of an unknown class."""
    labels = np.where(np.arange(40) % 7 == 6, -1, split.label)
    return split._replace(condition=labels, condition_space=Categories(3))


def make_page(path, preset, split, **options):
    shape, conditions = split.x.shape[1:], split.conditions()
    prior = options.pop("prior", None)
    model = build(preset, shape, **options)
    model = model if prior is None else dataclasses.replace(model, prior=prior)
    x = jax.ShapeDtypeStruct((1, *shape), np.float32)
    params = random_params(model, x, None if conditions is None else conditions[:1])
    path.write_text(explorer_page(model, params, split, title=f"A <{preset}>", pixels="ink"), encoding="utf-8")
    codes = jax.jit(lambda x: model.encode(params, x, conditions).mean)(split.first(40))

    @jax.jit
    def decode(z, labels=None):
        return model.decode(params, z, None if labels is None else jax.nn.one_hot(labels, 3)).mean

    return Page(path, np.asarray(codes), decode)


def random_rows(space):
    """Forty rows of tokens of any length."""
    rng = np.random.default_rng(3)
    rows = rng.integers(3, space.size, (40, space.length))
    end = rng.integers(1, space.length, 40)[:, None]
    at = np.arange(space.length)
    return Split(np.where(at < end, rows, np.where(at == end, space.end, space.padding)).astype(np.int32), space=space)


def make_sequences(path, preset, space, facts, **options):
    split = random_rows(space)
    model = given(preset=preset, latent_dim=12, hidden=(8,), **options).build(space)
    params = random_params(model, space.zeros(1))
    path.write_text(explorer_page(model, params, split, title="Rows", pixels="tokens", facts=facts), encoding="utf-8")
    codes = jax.jit(lambda x: model.encode(params, x).mean)(split.x)
    return Page(path, np.asarray(codes), jax.jit(lambda z: model.decode(params, z).point))


WORDS = ["<pad>", "<end>", "<unk>", "</b>", *(f"word{number}" for number in range(16))]
MELODY = {"pitches": list(range(57, 83)), "steps_per_bar": 16, "bars": 2}


@pytest.fixture(scope="session")
def pages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    small_lstm = {"likelihood.hidden": (16,), "likelihood.embedding": 8}
    colour = {"latent_dim": 12, "hidden": (6,), "channels": (4, 5), "likelihood": "continuous_bernoulli"}
    return {
        "vae": make_page(folder / "vae.html", "vae", random_split((7, 5, 1)), hidden=(16,), latent_dim=2),
        "conv_vae": make_page(folder / "conv_vae.html", "conv_vae", random_split((9, 7, 3)), **colour),
        "classes": make_page(
            folder / "classes.html", "vae", conditional(random_split((7, 5, 1))), hidden=(16,), latent_dim=2
        ),
        "mixture": make_page(
            folder / "mixture.html",
            "vae",
            random_split((7, 5, 1)),
            hidden=(16,),
            latent_dim=2,
            prior=MixturePrior((2,), 3),
        ),
        "sentences": make_sequences(
            folder / "sentences.html", "lstm_vae", Tokens(20, 14), {"words": WORDS}, **small_lstm
        ),
        "melodies": make_sequences(
            folder / "melodies.html", "hierarchical_melody_vae", Tokens(31, 33), MELODY, **small_lstm
        ),
    }


@pytest.fixture(scope="session")
def browser():
    """Headless Chromium, driven by the machine's own chromedriver; nothing is downloaded."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    chromium, chromedriver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (chromium and chromedriver):
        pytest.skip("no browser: install chromium and chromedriver (Debian: chromium, chromium-driver)")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(chromedriver))
    yield driver
    driver.quit()


@pytest.fixture
def opened(browser, pages):
    """Open a page by its name or path; at the end nothing may have gone wrong or been asked of a network."""

    def open_page(name, *, phone=False):
        width, height = (360, 740) if phone else (1200, 1000)
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": phone}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        browser.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": phone})
        page = pages.get(name)
        browser.get((page.path if page else name).as_uri())
        return page

    browser.get_log("browser")
    yield open_page
    assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []
    assert browser.execute_script("return performance.getEntriesByType('resource').map((entry) => entry.name)") == []


@pytest.fixture
def words():
    return WORDS


@pytest.fixture
def melody():
    return MELODY
