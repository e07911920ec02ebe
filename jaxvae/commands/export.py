"""Write a trained model in forms that other programs read: encoder, decoder and sampler for any number of examples.

`safetensors` are the parameters, `stablehlo` programs that run wherever JAX does, `onnx` ones for ONNX Runtime,
`javascript` a decoder for web pages, and `hub` a folder with a model card, which `--push` sends.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import jax

import jaxvae
from jaxvae.errors import InputError, did_you_mean
from jaxvae.export import EXPORTS
from jaxvae.export.hub import push
from jaxvae.export.programs import programs
from jaxvae.options import Compute
from jaxvae.options.checks import check_folder
from jaxvae.options.groups import Select
from jaxvae.packages import check_installed
from jaxvae.report import write_json
from jaxvae.runs import Run, load_run
from jaxvae.runs.compute import set_up
from jaxvae.runs.data import check_one_layer
from jaxvae.runs.progress import say


@dataclasses.dataclass(frozen=True)
class ExportConfig:
    """Write a trained model in forms that other programs read."""

    run_dir: Path
    """Run directory of a training."""
    to: tuple[str, ...] = ()
    """Forms to write: safetensors, stablehlo, onnx, javascript, hub."""
    select: Select | None = None
    """Checkpoint to use: best on validation data, or last; the one that the run reports if not given."""
    best: bool = False
    """Use the checkpoint that is best on validation data, as --select best does."""
    out: Path | None = None
    """Folder to write to; DIR/export if not given."""
    push: str | None = None
    """OWNER/NAME on the Hugging Face hub to which the folder of --to hub is sent."""
    public: bool = False
    """Let everyone see what --push sends; otherwise only its owner does."""

    def check(self) -> None:
        """Refuse values that are invalid for every run."""
        if not self.to:
            raise InputError(f"to: no form is given; name some of {', '.join(EXPORTS)}")
        for name in self.to:
            if name not in EXPORTS:
                raise InputError(f"to: must be some of {', '.join(EXPORTS)}, got {name!r}{did_you_mean(name, EXPORTS)}")
            check_installed(f"to {name}", EXPORTS[name].module, EXPORTS[name].extra)
        if self.push is not None and "hub" not in self.to:
            raise InputError("push: sends the folder of --to hub; give both")
        check_folder("out", self.out)


def main(config: ExportConfig) -> int:
    """Load the run and write its forms."""
    set_up(Compute(num_processes=1))
    run = load_run(config.run_dir, select="best" if config.best else config.select)
    check_one_layer(run)
    folder = config.out or config.run_dir / "export"
    folder.mkdir(parents=True, exist_ok=True)
    for name in config.to:
        for path in EXPORTS[name].write(run, folder):
            say(f"{path} ({path.stat().st_size / 1e6:.2f} MB)")
    write_json(folder / "export.json", describe(run))
    if config.push is not None:
        print(f"sent to {push(folder / 'hub', config.push, private=not config.public)}")
    return 0


def describe(run: Run) -> dict[str, object]:
    """Return what a program that runs the model has to know: inputs and outputs, and the facts of the data."""
    facts = {name: run.facts[name] for name in ("name", "shape", "pixels", "classes", "scaling") if name in run.facts}
    return {
        "jaxvae": jaxvae.__version__,
        "jax": jax.__version__,
        "preset": run.recipe.preset,
        "step": run.step,
        "binarize": run.recipe.data.binarize,
        "condition": None if run.condition is None else run.condition.to_json(),
        "data": {**facts, "name": Path(str(facts.get("name", ""))).name},
        "programs": {program.name: program.describe() for program in programs(run)},
    }
