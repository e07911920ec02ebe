"""Command `python -m jaxvae.train`, the same as `jaxvae train`; in Python, `jaxvae.train` is a function."""

from jaxvae.commands.train import main
from jaxvae.options import Recipe
from jaxvae.runs.command_line import run_script

if __name__ == "jaxvae.train":  # as an attribute of the package, the module would hide the function
    raise ImportError("jaxvae.train: is a function, not a module; write `from jaxvae import train`")

if __name__ == "__main__":
    run_script(main, Recipe)
