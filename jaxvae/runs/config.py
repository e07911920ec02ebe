"""Options of `experiments/train.py`, typed and checked."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from pathlib import Path
from typing import Any, Literal, TypeVar

from jaxvae.data import Preparation, is_named
from jaxvae.data.preparation import WHITE
from jaxvae.data.scaling import ScaleName
from jaxvae.runs.checks import check, check_at_least, check_folder, check_seed
from jaxvae.runs.compute import Compute
from jaxvae.runs.selection import Select
from jaxvae.training.nonfinite import OnNonFinite
from jaxvae.types import InputError

PresetName = Literal[
    "auto", "vae", "conv_vae", "autoencoder", "denoising_autoencoder", "kl_only", "iwae", "miwae", "ciwae", "piwae"
]
PosteriorName = Literal["normal", "multivariate_normal", "delta"]
LikelihoodName = Literal[
    "bernoulli", "continuous_bernoulli", "grey_cross_entropy", "mse", "normal_shared", "normal_pixel"
]
ActivationName = Literal["relu", "tanh", "elu", "silu", "softplus"]
GradientName = Literal["standard", "stl", "dreg"]
CorruptionName = Literal["none", "noise", "masking", "salt_and_pepper"]
PATHS = ("data_dir", "run_dir", "reproduce", "init_from", "compilation_cache")
C = TypeVar("C", bound="TrainConfig | Compute")
T = TypeVar("T")


@dataclasses.dataclass(frozen=True)
class TrainConfig:
    """Train a variational autoencoder, evaluate it and draw what it learned.

    Run the same command again to resume an interrupted run; raise --steps to continue a finished one.
    """

    preset: PresetName = "auto"
    """Variant: a row of the table in jaxvae/presets.py; auto is conv_vae for images of your own, else vae."""
    dataset: str = "digits"
    """digits, mnist, fashion_mnist, binarized_mnist, an .npz or array_record file of images, or a folder of them."""
    data_dir: Path | None = None
    """Folder in which tensorflow-datasets keeps its sets; TFDS_DATA_DIR if not given."""
    resize: tuple[int, ...] | None = None
    """Height and width to which images are scaled, or one number for both; other proportions are cut to these first."""
    crop: int | None = None
    """Height and width of the square cut from the centre of each image, after --resize if that is given."""
    background: str | None = None
    """Colour behind transparent pixels, as a name or #rrggbb; white if not given."""
    train_examples: int | None = None
    """Number of training examples to use, the first of the split; all if not given."""
    scale: ScaleName | None = None
    """Scaling of real values by column or channel; if not given, standard for values outside [0, 1], else none."""
    run_dir: Path | None = None
    """Folder for all output; if not given, one under runs/ named after the options."""
    reproduce: Path | None = None
    """Run directory to train again, in RUN_DIR-reproduced or --run-dir; differences are reported."""
    seed: int = 0
    """Seed of all randomness."""
    seeds: int = 1
    """Number of runs trained together, with this seed and the next ones; mean and spread are reported."""

    steps: int = 4000
    """Number of training steps."""
    epochs: float | None = None
    """Passes over the training set, instead of --steps."""
    batch_size: int | None = None
    """Examples per step; 128 if not given, or a tenth of a small training set of your own."""
    learning_rate: float = 1e-3
    """Peak learning rate of Adam."""
    warmup_steps: int = 0
    """Steps over which the learning rate rises from 0."""
    decay: Literal["none", "cosine", "linear"] = "none"
    """Fall of the learning rate to 0 at the last step."""
    weight_decay: float = 0.0
    """Weight decay of AdamW, as a share of the learning rate; kernels decay, biases do not."""
    clip_norm: float | None = None
    """Norm above which a gradient is scaled down."""
    ema_decay: float | None = None
    """Decay of an average of the parameters, such as 0.999, which is then evaluated, sampled and kept."""
    accumulate: int = 1
    """Number of parts of a batch whose gradients are computed one after another, to save memory."""
    precision: Literal["float32", "bfloat16"] = "float32"
    """Floating-point type of the layers; parameters, likelihood and KL are always float32."""
    on_nonfinite: OnNonFinite = "stop"
    """Response to a step with NaN or infinity: stop, skip its update, or skip it and halve the learning rate."""

    latent_dim: int | None = None
    """Number of dimensions of z; the preset's if not given."""
    hidden: tuple[int, ...] | None = None
    """Widths of the dense hidden layers, from the data inwards; the preset's if not given."""
    channels: tuple[int, ...] | None = None
    """Channels of the convolutions, from the image inwards; the preset's if not given."""
    activation: ActivationName | None = None
    """Activation between the layers; the preset's if not given."""
    upper_latent_dims: tuple[int, ...] = ()
    """Numbers of dimensions of further stochastic layers above z, from the lowest to the highest."""
    upper_hidden: tuple[int, ...] = (100, 100)
    """Widths of the dense hidden layers between two stochastic layers, from the lower to the higher."""
    posterior: PosteriorName | None = None
    """Family of q(z|x); the preset's if not given."""
    likelihood: LikelihoodName | None = None
    """Family of p(x|z); if not given the preset's, or normal_shared where pixels are shades and not ink."""
    output_bias: bool = True
    """Start the decoder's last bias at the training set's mean."""
    init_from: Path | None = None
    """Run directory whose parameters training starts from; its networks must have the same sizes."""

    beta: float | None = None
    """Weight of the KL; at 1 the loss is minus the ELBO. The preset's if not given: 1, or 0 for autoencoders."""
    beta_warmup_steps: int = 0
    """Steps over which beta rises from 0."""
    free_bits: float = 0.0
    """Nats of KL per latent dimension and example that the loss leaves out."""
    num_samples: int | None = None
    """Number of samples of z per example and step; the preset's if not given."""
    num_groups: int | None = None
    """Number of groups of samples whose bounds are averaged (MIWAE, PIWAE); the preset's if not given."""
    gradient: GradientName | None = None
    """Estimator of the encoder's gradient (IWAE, MIWAE, CIWAE); the preset's if not given."""
    elbo_share: float | None = None
    """Share of the ELBO in the bound (CIWAE); the preset's if not given."""
    corruption: CorruptionName | None = None
    """Corruption of the encoder's input in training; the preset's if not given."""
    corruption_level: float = 0.3
    """Standard deviation of the noise, or share of the pixels that are masked or set to salt and pepper."""
    binarize: Literal["auto", "dynamic", "none"] = "auto"
    """Sample grey pixels anew from {0, 1} at each use; auto does so for ink images where the likelihood needs it."""

    log_every: int = 100
    """Steps between lines of metrics."""
    checkpoint_every: int | None = None
    """Steps between evaluations, each with a checkpoint; 1000 if not given, or 100 to 1000 for data of your own."""
    select: Select | None = None
    """Checkpoint to report, draw and load: best on validation data, or last; if not given, best where there are any."""
    patience: int | None = None
    """Evaluations without improvement after which training stops; 0 never stops. 5 for data of your own, else 0."""
    tensorboard: bool = True
    """Write TensorBoard files beside metrics.jsonl."""
    figures: bool = True
    """Draw figures at the end."""

    compute: Compute = dataclasses.field(default_factory=Compute)

    def check(self) -> None:
        """Refuse values that are invalid for every data set."""
        self.compute.check()
        for name in ("seeds", "steps", "batch_size", "accumulate", "log_every", "checkpoint_every"):
            check_at_least(1, name, getattr(self, name))
        for name in ("latent_dim", "train_examples", "num_samples", "num_groups"):
            check_at_least(1, name, getattr(self, name))
        check_at_least(0, "patience", self.patience)
        for name in ("epochs", "learning_rate", "clip_norm"):
            value = getattr(self, name)
            check(value is None or 0 < value < math.inf, name, value, "above 0 and finite")
        for name in ("weight_decay", "beta", "free_bits", "warmup_steps", "beta_warmup_steps", "corruption_level"):
            check_at_least(0, name, getattr(self, name))
        for name in ("hidden", "channels", "upper_latent_dims", "upper_hidden"):
            widths = getattr(self, name)
            check(all(width > 0 for width in widths or ()), name, widths, "positive widths")
        self.preparation.check()
        check_seed("seed", self.seed, self.seeds)
        if self.corruption in ("masking", "salt_and_pepper"):
            check(self.corruption_level <= 1, "corruption_level", self.corruption_level, "a share, at most 1")
        check(self.ema_decay is None or 0 < self.ema_decay < 1, "ema_decay", self.ema_decay, "between 0 and 1")
        if self.batch_size is not None:
            most = f"at most {self.batch_size}, a batch"
            check(self.accumulate <= self.batch_size, "accumulate", self.accumulate, most)
        check_folder("run-dir", self.run_dir)

    @property
    def preparation(self) -> Preparation:
        """Size and background of the prepared images."""
        return Preparation(self.resize, self.crop, self.background or WHITE)

    def to_json(self) -> dict[str, Any]:
        """Return plain values, as config.json holds them."""
        return _plain(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> TrainConfig:
        """Invert `to_json`; an unknown field is an error."""
        values = {**values, "compute": _from_plain(Compute, values.get("compute", {}))}
        return _from_plain(cls, values)


MAY_CHANGE = frozenset(
    {"data_dir", "run_dir", "steps", "epochs", "log_every", "checkpoint_every", "tensorboard", "figures", "compute"}
    | {"on_nonfinite", "reproduce", "select", "patience"}
)
"""Fields that do not change a step's numbers, so that a resumed run may have other values."""
LATER = ("scale", "resize", "crop", "background")
"""Fields that count only where they are given, because the configs of earlier versions lack them."""


def identity(config: TrainConfig) -> dict[str, Any]:
    """Return the fields that decide a run's numbers: equal identity, same run.

    Paths are left out, because a data set may move; its fingerprint identifies it.
    """
    # With decay, the learning rate of every step depends on the number of steps.
    may_change = MAY_CHANGE - {"steps"} if config.decay != "none" else MAY_CHANGE
    if not is_named(config.dataset):
        may_change |= {"dataset"}
    values = {name: value for name, value in config.to_json().items() if name not in may_change}
    return {name: value for name, value in values.items() if name not in LATER or value is not None}


def settled(value: T | None) -> T:
    """Return an option of a resolved config, in which every option has a value."""
    assert value is not None
    return value


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    def plain(value: Any) -> Any:
        return _plain(value) if isinstance(value, dict) else str(value) if isinstance(value, Path) else value

    return {name: plain(value) for name, value in values.items()}


def _from_plain(cls: type[C], values: dict[str, Any]) -> C:
    unknown = set(values) - {field.name for field in dataclasses.fields(cls)}
    if unknown:
        raise InputError(f"config.json: unknown fields {sorted(unknown)}; it was written by another version")
    paths = {name: Path(values[name]) for name in PATHS if values.get(name) is not None}
    tuples = {
        name: tuple(values[name])
        for name in ("hidden", "channels", "upper_latent_dims", "upper_hidden", "resize")
        if values.get(name) is not None
    }
    return cls(**{**values, **paths, **tuples})


def default_run_dir(config: TrainConfig) -> Path:
    """Return the folder that belongs to these options, always the same."""
    dataset = config.dataset if is_named(config.dataset) else str(Path(config.dataset).resolve())
    options = json.dumps({"dataset": dataset, **identity(config)}, sort_keys=True)
    tag = hashlib.sha256(options.encode()).hexdigest()[:6]
    return Path("runs") / f"{Path(dataset).stem}-{config.preset}-{tag}"
