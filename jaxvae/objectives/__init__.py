"""What is optimised: pure functions `(params, key, x, *, model, ...) -> (loss, aux)`."""

from jaxvae.objectives.elbo import elbo_loss as elbo_loss
from jaxvae.objectives.elbo import elbo_terms as elbo_terms
