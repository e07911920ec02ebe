"""Table of variants: each row is a recipe and its paper. A new variant is a new row."""

from __future__ import annotations

from typing import Any

from jaxvae.likelihoods import FixedNormal
from jaxvae.nets import Conv
from jaxvae.objectives import OBJECTIVES
from jaxvae.options.auto import Auto
from jaxvae.options.corruptions import Masking
from jaxvae.options.from_signature import options_of
from jaxvae.options.recipe import Recipe
from jaxvae.posteriors import Point


def objective(name: str, **options: Any) -> Any:
    """Return the options of an objective."""
    return options_of(OBJECTIVES[name])(**options)


KINGMA = "Kingma & Welling 2014, https://arxiv.org/abs/1312.6114"
RAINFORTH = "Rainforth et al. 2018, https://arxiv.org/abs/1802.04537"
AUTOENCODER = Recipe(
    posterior=Point(),
    likelihood=FixedNormal(),
    objective=objective("elbo", beta=0.0),
    paper="Hinton & Salakhutdinov 2006, https://doi.org/10.1126/science.1127647",
)
PRESETS = {
    "auto": Recipe(networks=Auto(), paper=KINGMA),
    "vae": Recipe(paper=KINGMA),
    "conv_vae": Recipe(networks=Conv(), paper=KINGMA),
    "autoencoder": AUTOENCODER,
    "denoising_autoencoder": Recipe(
        posterior=Point(),
        likelihood=FixedNormal(),
        objective=objective("elbo", beta=0.0),
        corruption=Masking(),
        paper="Vincent et al. 2010, https://jmlr.org/papers/v11/vincent10a.html",
    ),
    "conditional_vae": Recipe(condition="label", paper="Kingma et al. 2014, https://arxiv.org/abs/1406.5298"),
    "kl_only": Recipe(objective=objective("kl_only"), paper=KINGMA),
    "iwae": Recipe(
        objective=objective("iwae"), paper="Burda, Grosse & Salakhutdinov 2016, https://arxiv.org/abs/1509.00519"
    ),
    "miwae": Recipe(objective=objective("iwae", num_samples=8, num_groups=8), paper=RAINFORTH),
    "ciwae": Recipe(objective=objective("ciwae"), paper=RAINFORTH),
    "piwae": Recipe(objective=objective("piwae"), paper=RAINFORTH),
}
