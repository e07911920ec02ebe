"""Options that every recipe has: data, training, output and compute."""

from __future__ import annotations

import dataclasses
import math
import os
import re
from pathlib import Path
from typing import Literal, TypeVar

from jaxvae.data import Preparation
from jaxvae.data.preparation import WHITE
from jaxvae.data.scaling import ScaleName
from jaxvae.errors import InputError, did_you_mean
from jaxvae.options.checks import check, check_at_least, check_folder, check_seed
from jaxvae.packages import check_installed
from jaxvae.stores import address
from jaxvae.trackers import TRACKERS
from jaxvae.training.nonfinite import OnNonFinite
from jaxvae.training.optimizer import DecayName

Select = Literal["last", "best"]
T = TypeVar("T")


@dataclasses.dataclass(frozen=True)
class Data:
    """Data set, its preparation and its scaling."""

    dataset: str = "digits"
    """Name of a set (digits, forest, grammar, brackets, mnist and others), or path of a file or folder of your own;
    tfds:NAME and hf:NAME, and functions of your own, module:function, are read too."""
    data_dir: Path | None = None
    """Folder in which tensorflow-datasets keeps its sets; TFDS_DATA_DIR if not given."""
    resize: tuple[int, ...] | None = None
    """Height and width to which images are scaled, or one number for both; other proportions are cut to these first."""
    crop: int | None = None
    """Height and width of the square cut from the centre of images; after --resize if that is given."""
    background: str | None = None
    """Colour behind transparent pixels, as a name or #rrggbb; white if not given."""
    columns: str = ""
    """Kinds of a table's columns, such as age=integer,name=drop; guessed from the values if not given. Kinds are real,
    integer, positive, count, categorical, categorical:50 (the most frequent), ordinal and ordinal:low/middle/high."""
    window_length: int | None = None
    """Time steps of the windows into which a long series is cut, [T] or [T, C] in an .npy, .npz, .csv or .parquet."""
    window_stride: int | None = None
    """Time steps from one window to the next; 1 if not given."""
    train_examples: int | None = None
    """Number of training examples to use, the first of the split; all if not given."""
    only: tuple[str, ...] = ()
    """Classes of the training and validation examples, by name or number; all if not given. Test data keep all."""
    labelled: int | None = None
    """Training examples that keep their labels, as many of each class; all others become unknown, -1."""
    labelled_seed: int = 0
    """Seed that chooses which examples keep their labels."""
    scale: ScaleName | None = None
    """Scaling of real values by column or channel; if not given, standard for values outside [0, 1], else none."""
    binarize: Literal["auto", "dynamic", "none"] = "auto"
    """Sample grey pixels anew from {0, 1} at each use; auto does so for ink images where the likelihood needs it."""

    def check(self) -> None:
        """Refuse values that are invalid for every data set."""
        check_at_least(1, "train_examples", self.train_examples)
        check_at_least(1, "labelled", self.labelled)
        check_seed("labelled_seed", self.labelled_seed)
        self.preparation.check()

    @property
    def preparation(self) -> Preparation:
        """Size and background of the prepared images, windows of a series, and kinds of a table's columns."""
        of_images, of_tables = (self.resize, self.crop, self.background or WHITE), self.columns
        return Preparation(*of_images, window=self.window_length, stride=self.window_stride, columns=of_tables)


@dataclasses.dataclass(frozen=True)
class Train:
    """Length, optimizer and start of a training."""

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
    labelled_per_batch: int | None = None
    """Labelled examples in each batch, beside unlabelled ones; as they come if not given."""
    length_buckets: int | None = None
    """Number of lengths to which rows of tokens are padded; such as 4, and each batch holds rows of like length."""
    learning_rate: float = 1e-3
    """Peak learning rate of Adam."""
    warmup_steps: int = 0
    """Steps over which the learning rate rises from 0."""
    decay: DecayName = "none"
    """Fall of the learning rate to 0 at the last step."""
    weight_decay: float = 0.0
    """Weight decay of AdamW, as a share of the learning rate; kernels decay, biases do not."""
    clip_norm: float | None = None
    """Norm above which a gradient is scaled down."""
    ema_decay: float | None = None
    """Decay of an average of the parameters, such as 0.999; the average is then evaluated, sampled and kept."""
    accumulate: int = 1
    """Number of parts of a batch whose gradients are taken in turn; this saves memory."""
    precision: Literal["float32", "bfloat16"] = "float32"
    """Floating-point type of the layers; parameters, likelihood and KL are always float32."""
    on_nonfinite: OnNonFinite = "stop"
    """Response to a step with NaN or infinity: stop, skip its update, or skip it and halve the learning rate."""
    output_bias: bool = True
    """Start the decoder's last bias at the training set's mean."""
    init_from: Path | None = None
    """Run directory whose parameters training starts from; its networks must have the same sizes."""
    init_parts: tuple[str, ...] = ()
    """Parts that --init-from gives, such as encoder; all others begin afresh, and all are given if none is named."""
    word_dropout: float = 0.0
    """Share of the words hidden from a decoder of tokens in training; it still predicts them, and 1 hides all."""
    inference_steps: int = 1
    """Steps of the encoder for one of the decoder, see --help-all; all else waits with the decoder, to the end of
    the run, or as --inference-until or --inference-patience says (aggressive inference training)."""
    inference_until: int | None = None
    """Step at which --inference-steps ends; after it all parts learn at each step. The whole run if not given."""
    inference_patience: int | None = None
    """Evaluations without growth of the codes' mutual information after which --inference-steps ends, such as 3."""
    train_only: tuple[str, ...] = ()
    """Parts that learn, such as prior; all others stay as they began, and all learn if none is named."""

    def check(self) -> None:
        """Refuse values that are invalid for every data set."""
        for name in (
            "seeds",
            "steps",
            "batch_size",
            "labelled_per_batch",
            "length_buckets",
            "accumulate",
            "inference_steps",
            "inference_until",
            "inference_patience",
        ):
            check_at_least(1, name, getattr(self, name))
        for name in ("epochs", "learning_rate", "clip_norm"):
            value = getattr(self, name)
            check(value is None or 0 < value < math.inf, name, value, "above 0 and finite")
        for name in ("weight_decay", "warmup_steps"):
            check_at_least(0, name, getattr(self, name))
        for name in ("inference_until", "inference_patience"):
            if getattr(self, name) is not None and self.inference_steps == 1:
                option = name.replace("_", "-")
                raise InputError(f"{option}: ends --inference-steps; give that, such as 10, or leave it out")
        if self.init_parts and self.init_from is None:
            raise InputError("init-parts: names parts of a run; give that run by --init-from, or leave it out")
        check(0 <= self.word_dropout <= 1, "word_dropout", self.word_dropout, "a share, from 0 to 1")
        check_seed("seed", self.seed, self.seeds)
        check(self.ema_decay is None or 0 < self.ema_decay < 1, "ema_decay", self.ema_decay, "between 0 and 1")
        if self.batch_size is not None:
            most = f"at most {self.batch_size}, a batch"
            check(self.accumulate <= self.batch_size, "accumulate", self.accumulate, most)


@dataclasses.dataclass(frozen=True)
class Output:
    """Run directory, metrics, checkpoints and figures."""

    run_dir: Path | None = None
    """Folder for all output; if not given, one under runs/ named after the options."""
    reproduce: Path | None = None
    """Run directory to train again, in RUN_DIR-reproduced or --run-dir; differences are reported."""
    log_every: int = 100
    """Steps between lines of metrics."""
    checkpoint_every: int | None = None
    """Steps between evaluations, each with a checkpoint; 1000 if not given, or 100 to 1000 for data of your own."""
    select: Select | None = None
    """Checkpoint to report, draw and load: best on validation data, or last; if not given, best where there are any."""
    patience: int | None = None
    """Evaluations without improvement after which training stops; 0 never stops. 5 for data of your own, else 0."""
    track: tuple[str, ...] = ("tensorboard",)
    """Trackers that get metrics, figures and summary too: tensorboard, wandb, mlflow; none if no name follows."""
    figures: bool = True
    """Draw figures at the end."""
    quiet: bool = False
    """Show no progress bar, and print errors and warnings alone."""

    def check(self) -> None:
        """Refuse values that are invalid for every data set."""
        for name in ("log_every", "checkpoint_every"):
            check_at_least(1, name, getattr(self, name))
        check_at_least(0, "patience", self.patience)
        for name in self.track:
            if name not in TRACKERS:
                raise InputError(
                    f"track: must be some of {', '.join(TRACKERS)}, got {name!r}{did_you_mean(name, TRACKERS)}"
                )
            check_installed(f"track {name}", TRACKERS[name].module, TRACKERS[name].extra)
        if (place := address(self.run_dir)) is not None:
            check_installed(f"run-dir {place}", "obstore", "stores")
            if "mlflow" in self.track and "MLFLOW_TRACKING_URI" not in os.environ:
                raise InputError(
                    f"track: mlflow keeps its runs beside the run directory, and {place} is in a store; set "
                    "MLFLOW_TRACKING_URI to another place"
                )
            return
        if re.match(r"[a-z][a-z0-9+]+:(/|$)", str(self.run_dir)):
            asked = str(self.run_dir).replace(":/", "://", 1)  # a path has lost a slash
            raise InputError(f"run-dir: {asked} is no folder; stores are s3://BUCKET/... and gs://BUCKET/...")
        check_folder("run-dir", self.run_dir)


@dataclasses.dataclass(frozen=True)
class Compute:
    """Devices, processes, and the path of steps and examples to them."""

    devices: int | None = None
    """Number of devices to train on; all if not given."""
    dispatch: Literal["auto", "step", "scan", "pmap", "sharded"] = "auto"
    """One step per call (step), a loop of steps on the device (scan), or a loop on several devices (pmap, sharded)."""
    input: Literal["auto", "resident", "stream"] = "auto"
    """Keep the training set on the device, or stream it; auto streams sets larger than a quarter of the memory."""
    deterministic: bool = False
    """Use only GPU kernels with reproducible results, at some cost in speed; a CPU is deterministic anyway."""
    compilation_cache: Path | None = Path("~/.cache/jaxvae")
    """Folder in which compiled programs are kept between runs; None disables the cache."""
    coordinator: str | None = None
    """HOST:PORT of process 0 in training by several processes; found automatically on SLURM, TPU pods and GKE."""
    num_processes: int | None = None
    """Number of processes, found automatically in the same places; 1 trains alone, even on a cluster."""
    process_id: int | None = None
    """Index of this process, from 0; found automatically in the same places."""
    join_timeout: float = 300.0
    """Seconds to wait for the other processes to join."""

    def check(self) -> None:
        """Refuse values that are invalid on every machine."""
        if self.devices is not None and self.devices < 1:
            raise InputError(f"devices: must be at least 1, got {self.devices}")
        if not 0 < self.join_timeout < math.inf:
            raise InputError(f"join-timeout: must be above 0 and finite, got {self.join_timeout}")
        if self.coordinator is None:
            if self.process_id is not None or self.num_processes not in (None, 1):
                raise InputError(
                    "coordinator: not given; give HOST:PORT of process 0 with --num-processes, --process-id"
                )
            return
        if not re.fullmatch(r".+:\d+", self.coordinator):
            raise InputError(f"coordinator: {self.coordinator!r} is no HOST:PORT; give one, such as 10.0.0.1:1234")
        if not 0 < int(self.coordinator.rsplit(":", 1)[1]) < 2**16:
            raise InputError(f"coordinator: the port of {self.coordinator!r} must be from 1 to 65535")
        if self.num_processes is None or self.process_id is None:
            raise InputError("coordinator: needs --num-processes and --process-id too")
        if not 0 <= self.process_id < self.num_processes:
            raise InputError(f"process-id: must be from 0 to {self.num_processes - 1}, got {self.process_id}")


def settled(value: T | None) -> T:
    """Return an option of a settled recipe, in which every option has a value."""
    assert value is not None
    return value
