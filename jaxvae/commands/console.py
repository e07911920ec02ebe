"""Console command `jaxvae`, which runs a subcommand by its name."""

from __future__ import annotations

import importlib
import sys
from typing import NamedTuple, NoReturn

import jaxvae
from jaxvae.errors import did_you_mean
from jaxvae.runs.command_line import run_script


class Command(NamedTuple):
    """Subcommand, a module of this package with `main`."""

    options: str
    """Name of its class of options."""
    summary: str


COMMANDS = {
    "train": Command("Recipe", "Train a model, or resume a training; without options, on small digits."),
    "sample": Command("SampleConfig", "Draw samples, reconstructions and traversals of a trained model."),
    "evaluate": Command("EvaluateConfig", "Estimate ELBO and log p(x) of a trained model on test data."),
    "encode": Command("EncodeConfig", "Write the codes of a data set, or of new examples, to a file."),
    "impute": Command("ImputeConfig", "Fill the missing values of a table, with their uncertainty."),
    "anomaly": Command("AnomalyConfig", "Score examples by how little they are like the training data."),
    "compress": Command("CompressConfig", "Compress a data set without loss, by a trained model."),
    "decompress": Command("DecompressConfig", "Return the examples of a compressed file, bit for bit."),
    "sweep": Command("SweepConfig", "Search options of a training for the best bound on validation data."),
    "runs": Command("RunsConfig", "List all runs under a folder, and compare them."),
    "export": Command("ExportConfig", "Write a trained model for other programs: StableHLO, ONNX, safetensors, a hub."),
    "explore": Command("ExploreConfig", "Write a trained model as one web page with its latent space."),
}


def main() -> NoReturn:
    """Run the subcommand that the command line names, and exit."""
    name, *arguments = sys.argv[1:] or ["--help"]
    if name in ("-h", "--help"):
        print(page())
        raise SystemExit(0)
    if name == "--version":
        print(jaxvae.__version__)
        raise SystemExit(0)
    if name not in COMMANDS:
        hint = did_you_mean(name, COMMANDS)
        print(f"error: {name!r}: no such command{hint}; jaxvae --help lists them all", file=sys.stderr)
        raise SystemExit(2)
    module = importlib.import_module(f"jaxvae.commands.{name}")
    run_script(module.main, getattr(module, COMMANDS[name].options), arguments, program=f"jaxvae {name}")


def page() -> str:
    """Return the help: every subcommand with its summary."""
    lines = [f"  {name:<12}{command.summary}" for name, command in COMMANDS.items()]
    return "\n".join(
        [
            "Usage: jaxvae COMMAND [OPTIONS]",
            "",
            "Train variational autoencoders, draw what they learned, evaluate them and explore them.",
            "",
            "Commands:",
            *lines,
            "",
            "`jaxvae COMMAND --help` lists the options of a command, `jaxvae --version` prints the version.",
        ]
    )
