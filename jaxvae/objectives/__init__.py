"""Objectives: pure functions `(params, key, x, *, model, ...) -> (loss, aux)`."""

from collections.abc import Callable
from typing import Any

from jaxvae.objectives.ablations import kl_only_loss as kl_only_loss
from jaxvae.objectives.adversarial import adversarial_autoencoder_loss as adversarial_autoencoder_loss
from jaxvae.objectives.adversarial import factor_vae_loss as factor_vae_loss
from jaxvae.objectives.averages import with_averages as with_averages
from jaxvae.objectives.batch_free_bits import batch_free_bits_loss as batch_free_bits_loss
from jaxvae.objectives.denoising import CORRUPTIONS as CORRUPTIONS
from jaxvae.objectives.denoising import denoising as denoising
from jaxvae.objectives.elbo import elbo_loss as elbo_loss
from jaxvae.objectives.elbo import elbo_terms as elbo_terms
from jaxvae.objectives.few_labels import few_labels_loss as few_labels_loss
from jaxvae.objectives.hybrid import hybrid_loss as hybrid_loss
from jaxvae.objectives.importance import importance_weighted_bound as importance_weighted_bound
from jaxvae.objectives.importance import log_importance_weights as log_importance_weights
from jaxvae.objectives.importance import log_mean_exp as log_mean_exp
from jaxvae.objectives.iwae import ciwae_loss as ciwae_loss
from jaxvae.objectives.iwae import iwae_loss as iwae_loss
from jaxvae.objectives.iwae import piwae_loss as piwae_loss
from jaxvae.objectives.m_elbo import m_elbo_loss as m_elbo_loss
from jaxvae.objectives.mmd import info_vae_loss as info_vae_loss
from jaxvae.objectives.not_miwae import not_miwae_loss as not_miwae_loss
from jaxvae.objectives.quantized import quantized_loss as quantized_loss
from jaxvae.objectives.total_correlation import beta_tc_loss as beta_tc_loss
from jaxvae.objectives.weights import weighted_mean as weighted_mean
from jaxvae.objectives.word_dropout import word_dropout as word_dropout

OBJECTIVES: dict[str, Callable[..., Any]] = {
    "elbo": elbo_loss,
    "batch_free_bits": batch_free_bits_loss,
    "kl_only": kl_only_loss,
    "m_elbo": m_elbo_loss,
    "hybrid": hybrid_loss,
    "few_labels": few_labels_loss,
    "iwae": iwae_loss,
    "ciwae": ciwae_loss,
    "piwae": piwae_loss,
    "not_miwae": not_miwae_loss,
    "beta_tc": beta_tc_loss,
    "info": info_vae_loss,
    "factor": factor_vae_loss,
    "adversarial": adversarial_autoencoder_loss,
    "quantized": quantized_loss,
}
"""Objectives by name. Their options are their own keyword-only arguments."""
