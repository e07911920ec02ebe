"""Train a classifier of images: `python experiments/classifier.py --dataset mnist` writes classifier-mnist.npz.

It serves as features in `evaluate.py --quality --features FILE` and in the likelihood `perceptual`, and as an
independent judge of generated images. It learns from the training split alone.
"""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path

import numpy as np

from jaxvae.data import load
from jaxvae.data.places import stem
from jaxvae.features import write_features
from jaxvae.judges.classifiers import fit_classifier, probabilities
from jaxvae.options import Compute
from jaxvae.options.checks import check_at_least, check_output, check_seed
from jaxvae.runs.command_line import run_script
from jaxvae.runs.compute import set_up
from jaxvae.runs.data import training_labels
from jaxvae.runs.progress import bar


@dataclasses.dataclass(frozen=True)
class ClassifierConfig:
    """Train a convolutional network to tell the classes of images apart."""

    dataset: str = "digits"
    """Data set with labels, as in train.py."""
    data_dir: Path | None = None
    """Folder in which tensorflow-datasets keeps its sets; TFDS_DATA_DIR if not given."""
    steps: int = 2000
    """Number of training steps, of 128 images each."""
    seed: int = 0
    """Seed of all randomness."""
    out: Path | None = None
    """File of the network, an .npz; classifier-DATASET.npz if not given."""
    overwrite: bool = False
    """Replace the file if it exists."""

    def check(self) -> None:
        """Refuse values that are invalid for every data set."""
        check_at_least(1, "steps", self.steps)
        check_seed("seed", self.seed)
        check_output("out", self.file, (".npz",), overwrite=self.overwrite)

    @property
    def file(self) -> Path:
        """File of the network."""
        return self.out or Path(f"classifier-{stem(self.dataset)}.npz")


def main(config: ClassifierConfig) -> int:
    """Train, print the accuracy on test images, and write the file."""
    set_up(Compute(num_processes=1))
    data = load(config.dataset, config.data_dir)
    labels = training_labels(data, config.dataset, "to tell apart")
    images = data.train.first(data.train.num_examples)
    with_bar = functools.partial(bar, desc="classifier", unit="step")
    network, params = fit_classifier(images, labels, steps=config.steps, seed=config.seed, bar=with_bar)
    found = probabilities(network, params, data.test.first(data.test.num_examples)).argmax(1)
    print(f"accuracy {np.mean(found == data.test.label):.4f} on {len(found):,} test images")
    write_features(config.file, network, params)
    print(f"written to {config.file}")
    return 0


if __name__ == "__main__":
    run_script(main, ClassifierConfig)
