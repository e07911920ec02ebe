"""Table of variants: each row is a recipe and its paper. A new variant is a new row."""

from __future__ import annotations

from typing import Any

from jaxvae.likelihoods import (
    FixedNormal,
    HierarchicalTokens,
    LSTMTokens,
    MultinomialCounts,
    NegativeBinomialCounts,
    PixelNormal,
    TransformerTokens,
)
from jaxvae.nets import Conv, CountMLP, Signal, Spatial, TokenLSTM, TokenMLP, TokenTransformer, Topics
from jaxvae.objectives import OBJECTIVES
from jaxvae.options.auto import Auto
from jaxvae.options.corruptions import Masking
from jaxvae.options.from_signature import options_of
from jaxvae.options.recipe import Recipe
from jaxvae.posteriors import IAF, GumbelSoftmax, Planar, Point, VectorQuantized
from jaxvae.priors import Dirichlet, UniformCategories, UniformCodes, Vamp


def objective(name: str, **options: Any) -> Any:
    """Return the options of an objective."""
    return options_of(OBJECTIVES[name])(**options)


KINGMA = "Kingma & Welling 2014, https://arxiv.org/abs/1312.6114"
BOWMAN = "Bowman et al. 2016, https://arxiv.org/abs/1511.06349"
OORD = "van den Oord et al. 2017, https://arxiv.org/abs/1711.00937"
ROBERTS = "Roberts et al. 2018, https://arxiv.org/abs/1803.05428"
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
    "signal_vae": Recipe(networks=Signal(), likelihood=PixelNormal(least_scale=0.01), paper=KINGMA),
    "autoencoder": AUTOENCODER,
    "denoising_autoencoder": Recipe(
        posterior=Point(),
        likelihood=FixedNormal(),
        objective=objective("elbo", beta=0.0),
        corruption=Masking(),
        paper="Vincent et al. 2010, https://jmlr.org/papers/v11/vincent10a.html",
    ),
    "token_vae": Recipe(networks=TokenMLP(), paper=BOWMAN),
    "lstm_vae": Recipe(networks=TokenLSTM(), latent_dim=32, likelihood=LSTMTokens(), paper=BOWMAN),
    "transformer_vae": Recipe(
        networks=TokenTransformer(),
        latent_dim=32,
        likelihood=TransformerTokens(),
        paper="Li et al. 2020, https://arxiv.org/abs/2004.04092",
    ),
    "melody_vae": Recipe(
        networks=TokenLSTM(embedding=64), latent_dim=64, likelihood=LSTMTokens(embedding=64), paper=ROBERTS
    ),
    "hierarchical_melody_vae": Recipe(
        networks=TokenLSTM(embedding=64), latent_dim=64, likelihood=HierarchicalTokens(), paper=ROBERTS
    ),
    "scvi": Recipe(
        networks=CountMLP(),
        latent_dim=10,
        likelihood=NegativeBinomialCounts(zero_inflated=True, library=True),
        paper="Lopez et al. 2018, https://doi.org/10.1038/s41592-018-0229-2",
    ),
    "nvdm": Recipe(
        networks=Topics(hidden=(500,), activation="relu", mixed=False),
        latent_dim=50,
        likelihood=MultinomialCounts(),
        paper="Miao et al. 2016, https://arxiv.org/abs/1511.06038",
    ),
    "prod_lda": Recipe(
        networks=Topics(),
        latent_dim=50,
        prior=Dirichlet(),
        likelihood=MultinomialCounts(),
        paper="Srivastava & Sutton 2017, https://arxiv.org/abs/1703.01488",
    ),
    "conditional_vae": Recipe(condition="label", paper="Kingma et al. 2014, https://arxiv.org/abs/1406.5298"),
    "few_labels_vae": Recipe(
        condition="label",
        objective=objective("few_labels"),
        paper="Kingma et al. 2014, https://arxiv.org/abs/1406.5298",
    ),
    "kl_only": Recipe(objective=objective("kl_only"), paper=KINGMA),
    "iwae": Recipe(
        objective=objective("iwae"), paper="Burda, Grosse & Salakhutdinov 2016, https://arxiv.org/abs/1509.00519"
    ),
    "miwae": Recipe(objective=objective("iwae", num_samples=8, num_groups=8), paper=RAINFORTH),
    "ciwae": Recipe(objective=objective("ciwae"), paper=RAINFORTH),
    "piwae": Recipe(objective=objective("piwae"), paper=RAINFORTH),
    "vamp_vae": Recipe(prior=Vamp(), paper="Tomczak & Welling 2018, https://arxiv.org/abs/1705.07120"),
    "iaf_vae": Recipe(posterior=IAF(), paper="Kingma et al. 2016, https://arxiv.org/abs/1606.04934"),
    "planar_vae": Recipe(posterior=Planar(), paper="Rezende & Mohamed 2015, https://arxiv.org/abs/1505.05770"),
    "vq_vae": Recipe(
        latent_dim=32,
        posterior=VectorQuantized(),
        prior=UniformCodes(),
        objective=objective("quantized"),
        paper=OORD,
    ),
    "conv_vq_vae": Recipe(
        networks=Spatial(),
        latent_dim=64,
        posterior=VectorQuantized(code_dim=64),
        prior=UniformCodes(),
        objective=objective("quantized"),
        paper=OORD,
    ),
    "gumbel_vae": Recipe(
        posterior=GumbelSoftmax(),
        prior=UniformCategories(),
        paper="Jang, Gu & Poole 2017, https://arxiv.org/abs/1611.01144",
    ),
    "beta_tc_vae": Recipe(objective=objective("beta_tc"), paper="Chen et al. 2018, https://arxiv.org/abs/1802.04942"),
    "info_vae": Recipe(objective=objective("info"), paper="Zhao et al. 2017, https://arxiv.org/abs/1706.02262"),
    "factor_vae": Recipe(objective=objective("factor"), paper="Kim & Mnih 2018, https://arxiv.org/abs/1802.05983"),
    "adversarial_autoencoder": Recipe(
        posterior=Point(),
        likelihood=FixedNormal(),
        # With a weight of some nats the codes run away from the decoder: a unit variance leaves it less to gain.
        objective=objective("adversarial", adversarial_weight=0.1),
        paper="Makhzani et al. 2015, https://arxiv.org/abs/1511.05644",
    ),
}
