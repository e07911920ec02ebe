"""What a run is asked to do: every option of `experiments/train.py`, typed and checked."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any, Literal

from jaxvae.types import InputError

PresetName = Literal["vae", "conv_vae"]
PosteriorName = Literal["normal", "multivariate_normal", "delta"]
LikelihoodName = Literal[
    "bernoulli", "continuous_bernoulli", "grey_cross_entropy", "mse", "normal_shared", "normal_pixel"
]


@dataclasses.dataclass(frozen=True)
class TrainConfig:
    """Train a variational autoencoder, evaluate it and draw what it learned.

    Run the same command again to resume an interrupted run; raise --steps to continue a finished one.
    """

    preset: PresetName = "vae"
    """Variant: a row of the table in jaxvae/presets.py."""
    dataset: str = "digits"
    """digits, mnist, fashion_mnist, binarized_mnist, an .npz file with an array `image`, or a folder of images."""
    data_dir: Path | None = None
    """Where tensorflow-datasets keeps its sets; TFDS_DATA_DIR if not given."""
    run_dir: Path | None = None
    """Where everything is written; a folder under runs/ named after the options if not given."""
    seed: int = 0
    """All randomness comes from this number."""

    steps: int = 4000
    """Training steps."""
    epochs: float | None = None
    """Passes over the training set, instead of --steps."""
    batch_size: int = 128
    """Examples per step."""
    learning_rate: float = 1e-3
    """Of Adam."""

    latent_dim: int | None = None
    """Dimensions of z; the preset's if not given."""
    hidden: tuple[int, ...] | None = None
    """Widths of the dense hidden layers, from the data inwards; the preset's if not given."""
    channels: tuple[int, ...] | None = None
    """Channels of the convolutions, from the image inwards; the preset's if not given."""
    posterior: PosteriorName | None = None
    """Family of q(z|x); the preset's if not given."""
    likelihood: LikelihoodName | None = None
    """Family of p(x|z); if not given the preset's, or normal_shared where pixels are shades and not ink."""
    output_bias: bool = True
    """Begin with the decoder's last bias at the training set's mean."""

    beta: float = 1.0
    """Weight of the KL; 1 makes the loss minus the ELBO."""
    free_bits: float = 0.0
    """Nats per latent dimension that are not charged for."""
    num_samples: int = 1
    """Draws of z per example and step."""
    binarize: Literal["auto", "dynamic", "none"] = "auto"
    """Draw grey pixels afresh from {0, 1} at each use; auto does so where the likelihood needs it."""

    log_every: int = 100
    """Steps between lines of metrics."""
    checkpoint_every: int = 1000
    """Steps between evaluations, each with a checkpoint."""
    tensorboard: bool = True
    """Write TensorBoard files beside metrics.jsonl."""

    def check(self) -> None:
        """Refuse what no data set could make right."""
        for name in ("steps", "batch_size", "log_every", "checkpoint_every", "num_samples"):
            _check(getattr(self, name) >= 1, name, getattr(self, name), "at least 1")
        for name in ("epochs", "learning_rate", "latent_dim"):
            value = getattr(self, name)
            _check(value is None or value > 0, name, value, "above 0")
        for name in ("beta", "free_bits"):
            _check(getattr(self, name) >= 0, name, getattr(self, name), "0 or more")
        for name in ("hidden", "channels"):
            widths = getattr(self, name)
            _check(all(width > 0 for width in widths or ()), name, widths, "positive widths")
        _check(0 <= self.seed < 2**32, "seed", self.seed, "from 0 to 4294967295")

    def to_json(self) -> dict[str, Any]:
        """Plain values, as config.json holds them."""
        values = dataclasses.asdict(self)
        return {name: str(value) if isinstance(value, Path) else value for name, value in values.items()}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> TrainConfig:
        """The inverse of `to_json`; an unknown field is an error."""
        unknown = set(values) - {field.name for field in dataclasses.fields(cls)}
        if unknown:
            raise InputError(f"config.json: unknown fields {sorted(unknown)}; it was written by another version")
        paths = {name: Path(values[name]) for name in ("data_dir", "run_dir") if values.get(name) is not None}
        tuples = {name: tuple(values[name]) for name in ("hidden", "channels") if values.get(name) is not None}
        return cls(**{**values, **paths, **tuples})


MAY_CHANGE = frozenset({"data_dir", "run_dir", "steps", "epochs", "log_every", "checkpoint_every", "tensorboard"})
"""Fields that do not decide a run's numbers, so that a resumed run may have other values."""


def identity(config: TrainConfig) -> dict[str, Any]:
    """The fields that decide a run's numbers: equal identity, same run."""
    return {name: value for name, value in config.to_json().items() if name not in MAY_CHANGE}


def default_run_dir(config: TrainConfig) -> Path:
    """A folder that the same options always lead to."""
    tag = hashlib.sha256(json.dumps(identity(config), sort_keys=True).encode()).hexdigest()[:6]
    return Path("runs") / f"{Path(config.dataset).stem}-{config.preset}-{tag}"


def _check(condition: bool, name: str, value: Any, wanted: str) -> None:
    if not condition:
        raise InputError(f"{name.replace('_', '-')}: must be {wanted}, got {value}")
