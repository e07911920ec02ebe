"""Command `python -m jaxvae`, the same as `jaxvae`."""

from jaxvae.commands.console import main

if __name__ == "__main__":
    main()
