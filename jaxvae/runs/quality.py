"""Quality of the images that a trained run generates, beside that of as many training images."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from jaxvae import rng
from jaxvae.data import Dataset, Split
from jaxvae.data.attributes import MEASURES
from jaxvae.data.spaces import INK
from jaxvae.errors import InputError
from jaxvae.evaluation import in_blocks, standard_error
from jaxvae.features import Classifier, FeatureNetwork, read_features, write_features
from jaxvae.judges.classifiers import fit_classifier, pooled, probabilities
from jaxvae.judges.quality import frechet_distance, precision_recall
from jaxvae.latent import nearest
from jaxvae.runs.directory import Run
from jaxvae.runs.lines import Line
from jaxvae.runs.progress import Bars
from jaxvae.runs.samples import are_pictures, save_stages
from jaxvae.runs.trained import Trained
from jaxvae.types import Params

CLASSIFIER, PICTURE = "classifier.npz", "quality.png"
"""Files in the run directory: the classifier of its training images, and the samples most like training images."""
MOST, COMPARED, STYLES, SHOWN = 5000, 1000, 200, 16
"""Maximum numbers of images for features, for pixels and for styles, and number in the picture."""


class Features(NamedTuple):
    """Network whose values compare images."""

    network: FeatureNetwork
    params: Params


def quality(
    run: Run, data: Dataset, folder: Path, features: Path | None = None, bars: Bars = lambda name: iter
) -> list[Line]:
    """Judge samples p(x|z) of the prior, shown by their means, against test images; draw the most copied.

    The same numbers of training images stand beside them: they are what a perfect model would have. The features are
    those of a file or, without one, of a classifier that is trained on the run's training images and kept beside it.

    Args:
        run: trained run from `load_run`.
        data: its data set, with the training examples that it used.
        folder: folder of the classifier and the picture, the run directory.
        features: file of a feature network, see `jaxvae.features`.
        bars: progress bars of the loops.

    Raises:
        InputError: examples are no pictures, or there is neither a file nor a label of each image.
    """
    check_pictures(data)
    judge = features_of(folder, data, features, bars)
    test = data.test.head(min(MOST, data.train.num_examples))
    samples = sample(run, test)
    lines = distances(judge, data, samples)
    return [*lines, *_asked(judge, Trained(run, data, folder), test, samples), *_copies(folder, data, test, samples)]


def check_pictures(data: Dataset) -> None:
    """Refuse examples that are no pictures.

    Raises:
        InputError: they are something else.
    """
    if not are_pictures(data) or len(data.space.shape) != 3:
        raise InputError(f"quality: is for images [H, W, C], the run's examples are {data.space.kind}; leave it out")


def features_of(folder: Path, data: Dataset, path: Path | None, bars: Bars = lambda name: iter) -> Features:
    """Read a feature network, or the run's own classifier, which is trained the first time."""
    if path is not None:
        return Features(*read_features(path))
    own = folder / CLASSIFIER
    if own.exists():
        return Features(*read_features(own))
    train = data.train
    if train.label is None:
        raise InputError("quality: the images have no labels to train a classifier on; give --features FILE")
    known = train.take(np.flatnonzero(train.label >= 0))
    found = Features(*fit_classifier(known.first(known.num_examples), known.label, bar=bars("classifier")))
    write_features(own, *found)
    return found


def sample(run: Run, split: Split) -> np.ndarray:
    """Return one decoded sample of the prior for each example of a split, each under the example's condition."""
    keys = rng.sample_keys(rng.stream(rng.root(run.recipe.train.seed), "quality"), split.num_examples)
    return in_blocks(lambda keys, given: run.model.sample_each(run.params, keys, given), keys, split.conditions())


def distances(judge: Features, data: Dataset, samples: np.ndarray) -> list[Line]:
    """Compare N samples, and as many training images, with the first N test images by a network's features."""
    num = len(samples)
    chosen = np.sort(np.random.default_rng(0).choice(data.train.num_examples, num, replace=False))
    test, train = data.test.head(num), data.train.take(chosen)
    real, held_out, generated = (
        pooled(judge.network, judge.params, images) for images in (test.first(num), train.first(num), samples)
    )
    return [
        *_distances(judge, real, generated, "", "samples"),
        *_distances(judge, real, held_out, "training_", "training images"),
    ]


def _distances(judge: Features, real: np.ndarray, other: np.ndarray, prefix: str, what: str) -> list[Line]:
    num, name = len(real), judge.network.kind
    shares = precision_recall(real, other)
    how = f"features of {name}, {what} against test images"
    return [
        Line(f"{prefix}frechet_distance", how, 1, num, frechet_distance(real, other)),
        Line(f"{prefix}precision", f"{how}, k = 3", 1, num, shares.precision),
        Line(f"{prefix}recall", f"{how}, k = 3", 1, num, shares.recall),
    ]


def _asked(judge: Features, trained: Trained, test: Split, samples: np.ndarray) -> list[Line]:
    """Return the share of samples that the classifier takes for the class that was asked for."""
    if trained.run.recipe.condition != "label" or not isinstance(judge.network, Classifier):
        return []
    right = probabilities(judge.network, judge.params, samples).argmax(1) == test.label
    of_real = probabilities(judge.network, judge.params, test.first(test.num_examples)).argmax(1) == test.label
    return [
        _share("condition_accuracy", "samples of the class that was asked for, by the classifier", right),
        _share("test_accuracy", "test images of their class, by the classifier", of_real),
        *_styles(judge, trained, test.head(STYLES)),
    ]


def _styles(judge: Features, trained: Trained, test: Split) -> list[Line]:
    """Judge test images whose codes are decoded as every class: whether they are of it, and keep slant and width."""
    num_classes = probabilities(judge.network, judge.params, test.first(1)).shape[1]
    images = trained.as_every_class(trained.encode(test), num_classes)
    flat = images.reshape(-1, *images.shape[2:])
    found = probabilities(judge.network, judge.params, flat).argmax(1).reshape(images.shape[:2])
    lines = [_share("style_accuracy", "test images, decoded as each class", (found == np.arange(num_classes)).ravel())]
    if trained.data.pixels not in INK or images.shape[-1] != 1:
        return lines
    for name, measure in MEASURES.items():
        of_rows = measure(test.first(test.num_examples))
        of_images = measure(flat).reshape(images.shape[:2])
        kept = [np.corrcoef(of_rows, column)[0, 1] for column in of_images.T if column.std() > 0]
        how = f"correlation of the {name} of images and of theirs as each class, mean over classes"
        lines.append(Line(f"{name}_kept", how, 1, test.num_examples, float(np.mean(kept))))
    return lines


def _share(name: str, how: str, right: np.ndarray) -> Line:
    return Line(name, how, 1, len(right), float(right.mean()), standard_error(right))


def _copies(folder: Path, data: Dataset, test: Split, samples: np.ndarray) -> list[Line]:
    """Compare the distances to the nearest training image with those of test images; draw the nearest."""
    num, training = min(COMPARED, len(samples)), data.train.first(data.train.num_examples)
    found = nearest(samples[:num], training, 1)
    distances, of_test = np.ravel(found.distances), np.ravel(nearest(test.first(num), training, 1).distances)
    order = np.argsort(distances)[:SHOWN]
    copied = training[np.ravel(found.indices)[order]]
    stages: dict[str, Any] = {"sample": samples[order], "nearest training image": copied}
    save_stages(folder / PICTURE, data, stages, "samples most like a training image, and that image below")
    # A model that copies is nearer than nearly all test images are.
    near = distances < np.quantile(of_test, 0.01)
    how = "to the nearest training image, by pixels"
    return [
        Line("nearest_distance", f"median distance of samples {how}", 1, num, float(np.median(distances))),
        Line("test_nearest_distance", f"median of test images {how}", 1, num, float(np.median(of_test))),
        _share("copied", "samples nearer than 99 of 100 test images", near),
    ]
