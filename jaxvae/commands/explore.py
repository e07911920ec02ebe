"""Write a trained model as one web page, in which its latent space is explored."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from jaxvae.explorer import explorer_page
from jaxvae.options import Compute
from jaxvae.options.checks import check_at_least, check_file
from jaxvae.options.groups import Select
from jaxvae.runs import load_run
from jaxvae.runs.compute import set_up
from jaxvae.runs.data import check_images, check_one_layer, load_data
from jaxvae.runs.progress import say


@dataclasses.dataclass(frozen=True)
class ExploreConfig:
    """Write one HTML file with the trained decoder: sliders, a map of the test examples, and the decoded one."""

    run_dir: Path
    """Run directory of a training."""
    select: Select | None = None
    """Checkpoint to use: best on validation data, or last; the one that the run reports if not given."""
    best: bool = False
    """Use the checkpoint that is best on validation data, as --select best does."""
    num_images: int = 500
    """Maximum number of test images, sentences or melodies in the page; fewer where they are large."""
    data_dir: Path | None = None
    """Folder in which tensorflow-datasets keeps its sets, if it has changed since training."""
    dataset: str | None = None
    """Path of the run's data set, if it has changed since training."""
    out: Path | None = None
    """File to write; DIR/explorer.html if not given."""

    def check(self) -> None:
        """Refuse values that are invalid for every run."""
        check_at_least(2, "num_images", self.num_images)
        check_file("out", self.out)


def main(config: ExploreConfig) -> int:
    """Load the run and write the page."""
    set_up(Compute(num_processes=1))
    run = load_run(config.run_dir, select="best" if config.best else config.select)
    check_one_layer(run)
    data = load_data(run, config.data_dir, config.dataset)
    if data.space.kind != "tokens":
        check_images(data)
    page = explorer_page(
        run.model,
        run.params,
        data.test,
        title=f"The latent space of {data.name}",
        pixels=data.pixels,
        classes=data.classes,
        facts=data.facts,
        num_images=config.num_images,
    )
    path = config.out or config.run_dir / "explorer.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding="utf-8")
    say(f"{path} ({path.stat().st_size / 1e6:.1f} MB): open it in a browser")
    return 0
