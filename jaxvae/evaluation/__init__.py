"""Estimates over a whole split."""

from jaxvae.evaluation.elbo import ElboEstimate as ElboEstimate
from jaxvae.evaluation.elbo import evaluate_elbo as evaluate_elbo
