"""Estimates over a whole split, and functions over many examples."""

from jaxvae.evaluation.active_units import active_units as active_units
from jaxvae.evaluation.annealed_log_likelihood import AnnealedEstimate as AnnealedEstimate
from jaxvae.evaluation.annealed_log_likelihood import Sandwich as Sandwich
from jaxvae.evaluation.annealed_log_likelihood import annealed_log_likelihood as annealed_log_likelihood
from jaxvae.evaluation.annealed_log_likelihood import bidirectional as bidirectional
from jaxvae.evaluation.anomalies import anomaly_scores as anomaly_scores
from jaxvae.evaluation.blocks import Bar as Bar
from jaxvae.evaluation.blocks import in_blocks as in_blocks
from jaxvae.evaluation.decomposition import KLDecomposition as KLDecomposition
from jaxvae.evaluation.decomposition import decompose_kl as decompose_kl
from jaxvae.evaluation.elbo import ElboEstimate as ElboEstimate
from jaxvae.evaluation.elbo import elbo_of_each as elbo_of_each
from jaxvae.evaluation.elbo import evaluate_elbo as evaluate_elbo
from jaxvae.evaluation.log_likelihood import LogLikelihood as LogLikelihood
from jaxvae.evaluation.log_likelihood import log_marginal_likelihood as log_marginal_likelihood
from jaxvae.evaluation.quadrature import Evidence as Evidence
from jaxvae.evaluation.quadrature import log_evidence as log_evidence
from jaxvae.evaluation.quadrature import log_joint as log_joint
from jaxvae.evaluation.regret import has_regret as has_regret
from jaxvae.evaluation.regret import likelihood_regret as likelihood_regret
from jaxvae.evaluation.sequences import CodeUse as CodeUse
from jaxvae.evaluation.sequences import TokenAccuracy as TokenAccuracy
from jaxvae.evaluation.sequences import code_use as code_use
from jaxvae.evaluation.sequences import greedy_accuracy as greedy_accuracy
from jaxvae.evaluation.sequences import token_accuracy as token_accuracy
from jaxvae.evaluation.standard_error import standard_error as standard_error
