"""Maps of codes on a plane."""

from __future__ import annotations

from jaxvae import latent
from jaxvae.commands.sample_options import SampleConfig
from jaxvae.report import figures
from jaxvae.report.gallery import Gallery
from jaxvae.runs.progress import announce
from jaxvae.runs.trained import Trained

MAPPED = {"pca": 5000, "tsne": 2000}
"""Maximum number of test images in a map, by method; t-SNE is slow."""


def draw_view(config: SampleConfig, trained: Trained, gallery: Gallery) -> None:
    """Draw codes of test images on a plane."""
    name = str(config.view)
    shown = trained.test_split(MAPPED[name])
    codes = trained.encode(shown)
    announce(f"map of {len(codes)} codes by {name}")
    points, axes = latent.VIEWS[name](codes)
    title = f"posterior means of {shown.num_examples} test images"
    with gallery.figure(f"latent-{name}.png") as path:
        names = trained.data.classes
        figures.save_latent_scatter(path, points, shown.label, axes=axes, title=title, names=names)
