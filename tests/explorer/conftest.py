"""Two pages of small random models, and one browser for all that is tried on them."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np
import pytest

from jaxvae.data import Split
from jaxvae.data.spaces import Categories
from jaxvae.explorer import explorer_page
from jaxvae.presets import build

BRIGHT = "</script> bright"


class Page(NamedTuple):
    path: Path
    codes: np.ndarray
    """The test images' posterior means, `[40, D]`."""
    decode: Callable
    """`[B, D]`, and class numbers `[B]` where there are classes, -> `[B, H, W, C]`."""


def random_params(model, shape, condition=None):
    """Parameters of every layer, biases too, that no one has trained."""
    like = jax.eval_shape(model.init, jax.random.key(0), jax.ShapeDtypeStruct((1, *shape), np.float32), condition)
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
    shape, given = split.x.shape[1:], split.conditions()
    model = build(preset, shape, **options)
    params = random_params(model, shape, None if given is None else given[:1])
    path.write_text(explorer_page(model, params, split, title=f"A <{preset}>", pixels="ink"), encoding="utf-8")
    codes = jax.jit(lambda x: model.encode(params, x, given).mean)(split.first(40))

    @jax.jit
    def decode(z, labels=None):
        return model.decode(params, z, None if labels is None else jax.nn.one_hot(labels, 3)).mean

    return Page(path, np.asarray(codes), decode)


@pytest.fixture(scope="session")
def pages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    colour = {"latent_dim": 12, "hidden": (6,), "channels": (4, 5), "likelihood": "continuous_bernoulli"}
    return {
        "vae": make_page(folder / "vae.html", "vae", random_split((7, 5, 1)), hidden=(16,), latent_dim=2),
        "conv_vae": make_page(folder / "conv_vae.html", "conv_vae", random_split((9, 7, 3)), **colour),
        "classes": make_page(
            folder / "classes.html", "vae", conditional(random_split((7, 5, 1))), hidden=(16,), latent_dim=2
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
