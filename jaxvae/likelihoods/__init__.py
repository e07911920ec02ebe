"""Likelihoods p(x|z): functions or pieces from the decoder's outputs to a distribution over all axes but the first.

`LIKELIHOODS` names their options.
"""

from jaxvae.likelihoods.bernoulli import BernoulliPixels as BernoulliPixels
from jaxvae.likelihoods.bernoulli import ContinuousBernoulliPixels as ContinuousBernoulliPixels
from jaxvae.likelihoods.bernoulli import GreyCrossEntropyPixels as GreyCrossEntropyPixels
from jaxvae.likelihoods.bernoulli import bernoulli as bernoulli
from jaxvae.likelihoods.bernoulli import continuous_bernoulli as continuous_bernoulli
from jaxvae.likelihoods.bernoulli import grey_cross_entropy as grey_cross_entropy
from jaxvae.likelihoods.columns import ColumnsByKind as ColumnsByKind
from jaxvae.likelihoods.columns import ColumnsHead as ColumnsHead
from jaxvae.likelihoods.counts import MultinomialCounts as MultinomialCounts
from jaxvae.likelihoods.counts import NegativeBinomialCounts as NegativeBinomialCounts
from jaxvae.likelihoods.counts import NegativeBinomialHead as NegativeBinomialHead
from jaxvae.likelihoods.counts import PoissonCounts as PoissonCounts
from jaxvae.likelihoods.counts import multinomial as multinomial
from jaxvae.likelihoods.counts import poisson as poisson
from jaxvae.likelihoods.levels import BetaBinomialPixels as BetaBinomialPixels
from jaxvae.likelihoods.levels import LogisticLevels as LogisticLevels
from jaxvae.likelihoods.levels import SoftmaxLevels as SoftmaxLevels
from jaxvae.likelihoods.levels import beta_binomial_levels as beta_binomial_levels
from jaxvae.likelihoods.levels import categorical_levels as categorical_levels
from jaxvae.likelihoods.levels import discretized_logistic as discretized_logistic
from jaxvae.likelihoods.normal import FixedNormal as FixedNormal
from jaxvae.likelihoods.normal import PixelNormal as PixelNormal
from jaxvae.likelihoods.normal import SharedNormal as SharedNormal
from jaxvae.likelihoods.normal import StudentTValues as StudentTValues
from jaxvae.likelihoods.normal import normal as normal
from jaxvae.likelihoods.normal import student_t as student_t
from jaxvae.likelihoods.options import Likelihood as Likelihood
from jaxvae.likelihoods.perceptual import PerceptualPixels as PerceptualPixels
from jaxvae.likelihoods.sequences import DilatedTokens as DilatedTokens
from jaxvae.likelihoods.sequences import HierarchicalTokens as HierarchicalTokens
from jaxvae.likelihoods.sequences import LSTMTokens as LSTMTokens
from jaxvae.likelihoods.sequences import TransformerTokens as TransformerTokens
from jaxvae.likelihoods.tokens import Autoregressive as Autoregressive
from jaxvae.likelihoods.tokens import WindowedTokens as WindowedTokens

LIKELIHOODS: dict[str, type[Likelihood]] = {
    "bernoulli": BernoulliPixels,
    "continuous_bernoulli": ContinuousBernoulliPixels,
    "grey_cross_entropy": GreyCrossEntropyPixels,
    "mse": FixedNormal,
    "normal_shared": SharedNormal,
    "normal_pixel": PixelNormal,
    "student_t": StudentTValues,
    "discretized_logistic": LogisticLevels,
    "categorical_levels": SoftmaxLevels,
    "beta_binomial": BetaBinomialPixels,
    "perceptual": PerceptualPixels,
    "poisson": PoissonCounts,
    "negative_binomial": NegativeBinomialCounts,
    "multinomial": MultinomialCounts,
    "tokens": WindowedTokens,
    "lstm": LSTMTokens,
    "transformer": TransformerTokens,
    "dilated": DilatedTokens,
    "hierarchical": HierarchicalTokens,
    "columns": ColumnsByKind,
}
