"""What is optimised: pure functions `(params, key, x, *, model, ...) -> (loss, aux)`."""

from jaxvae.objectives.ablations import kl_only_loss as kl_only_loss
from jaxvae.objectives.denoising import CORRUPTIONS as CORRUPTIONS
from jaxvae.objectives.denoising import denoising as denoising
from jaxvae.objectives.elbo import elbo_loss as elbo_loss
from jaxvae.objectives.elbo import elbo_terms as elbo_terms
