"""The public signatures, pinned: whoever changes one changes this file knowingly. And everything public has a word."""

import ast
import inspect
from pathlib import Path

import pytest

import jaxvae
from jaxvae import VAE, distributions, evaluation, objectives, rng

PACKAGE = Path(jaxvae.__file__).parent
SIGNATURES = [
    # To sample: key first.
    (jaxvae.reparameterize, "(key, mean, log_var)"),
    (rng.root, "(seed)"),
    (rng.stream, "(key, name, step=None)"),
    (rng.example_keys, "(key, ids)"),
    (rng.sample_keys, "(key, num_samples)"),
    # To differentiate: params first; everything hyper is keyword-only.
    (
        jaxvae.elbo_loss,
        "(params, key, x, *, model, condition=None, weights=None, beta=1.0, num_samples=1, free_bits=0.0, "
        "free_bits_of='dimension')",
    ),
    (jaxvae.elbo_terms, "(params, key, x, *, model, condition=None, num_samples=1)"),
    (
        objectives.importance_weighted_bound,
        "(params, key, x, *, model, num_samples, condition=None, block_size=50)",
    ),
    (
        objectives.iwae_loss,
        "(params, key, x, *, model, condition=None, weights=None, beta=1.0, num_samples=5, num_groups=1, "
        "gradient='standard')",
    ),
    (
        evaluation.log_marginal_likelihood,
        "(params, key, x, *, model, num_samples=5000, condition=None, block_size=100, samples_at_once=20, "
        "progress=<built-in function iter>)",
    ),
    (
        evaluation.annealed_log_likelihood,
        "(params, key, x, *, model, num_temperatures=1000, num_chains=16, num_leapfrog=10, start='prior', "
        "condition=None, block_size=100, progress=<built-in function iter>)",
    ),
    (evaluation.decompose_kl, "(key, posterior, prior, *, block_size=20, progress=<built-in function iter>)"),
    (
        objectives.kl_only_loss,
        "(params, key, x, *, model, condition=None, weights=None, beta=1.0, num_samples=1, free_bits=0.0)",
    ),
    (
        objectives.ciwae_loss,
        "(params, key, x, *, model, condition=None, weights=None, beta=1.0, num_samples=64, num_groups=1, "
        "gradient='standard', elbo_share=0.05)",
    ),
    (
        objectives.denoising(jaxvae.elbo_loss, objectives.CORRUPTIONS["noise"], 0.1),
        "(params, key, x, *, model, condition=None, weights=None, beta=1.0, num_samples=1, free_bits=0.0, "
        "free_bits_of='dimension')",
    ),
    (objectives.denoising, "(objective, corruption, level)"),
    (
        evaluation.log_evidence,
        "(params, x, *, model, tolerance=0.001, half_width=8.0, spacing=0.4, block_size=100, max_points=262144)",
    ),
    (evaluation.evaluate_elbo, "(params, key, batches, *, model, num_samples=1)"),
    # From Python: what is trained first, then the data.
    (jaxvae.preset, "(name='auto', **options)"),
    (
        jaxvae.train,
        "(recipe=None, data=None, *, label=None, attributes=None, run_dir=None, callbacks=(), draw=False)",
    ),
    (jaxvae.load, "(run_dir, *, select=None, model=None, params=None, classes=())"),
    (jaxvae.Run.encode, "(self, x, condition=None)"),
    (jaxvae.Run.reconstruct, "(self, x, condition=None)"),
    (jaxvae.Run.decode, "(self, z, condition=None)"),
    (jaxvae.Run.sample, "(self, num, *, seed=0, condition=None)"),
    (jaxvae.Run.log_px, "(self, x, num_samples=100, *, condition=None, seed=0)"),
    (jaxvae.Run.elbo, "(self, x, *, condition=None, seed=0)"),
    (VAE.init, "(self, key, x, condition=None)"),
    (VAE.encode, "(self, params, x, condition=None)"),
    (VAE.decode, "(self, params, z, condition=None)"),
    (VAE.sample, "(self, params, key, num, condition=None)"),
    (VAE.reconstruct, "(self, params, x, condition=None)"),
    (jaxvae.Functions, "(encode, decode, prior)"),
    # Divergences: the posterior first, the prior second.
    (jaxvae.kl_divergence, "(q, p, value=None)"),
    (distributions.kl_per_dimension, "(q, p, value=None, *, log_q=None)"),
    (jaxvae.gaussian_kl, "(mean, log_var, prior_mean=0.0, prior_log_var=0.0)"),
    (jaxvae.multivariate_gaussian_kl, "(mean, cholesky, prior_mean, prior_cholesky)"),
]
DISTRIBUTIONS = [thing for thing in vars(distributions).values() if isinstance(thing, type)]


def signature(function):
    """Its names, defaults and stars, without annotations."""
    whole = inspect.signature(function)
    bare = [parameter.replace(annotation=inspect.Parameter.empty) for parameter in whole.parameters.values()]
    return str(inspect.Signature(bare))


@pytest.mark.parametrize(("function", "expected"), SIGNATURES, ids=lambda v: getattr(v, "__qualname__", ""))
def test_signature(function, expected):
    assert signature(function) == expected


@pytest.mark.parametrize("family", DISTRIBUTIONS, ids=lambda f: f.__name__)
def test_every_distribution_samples_by_key_and_scores_a_value(family):
    assert signature(family.sample) == "(self, key)"
    if hasattr(family, "log_prob"):
        assert signature(family.log_prob) == "(self, value)"
    else:
        assert signature(family.sample_and_log_prob) == "(self, key)"


def public(tree):
    """`(name, node)` of a module's public functions and classes, and of the classes' public methods and `__call__`."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and (node.name == "__call__" or node.name[0] != "_"):
            yield node.name, node
            if isinstance(node, ast.ClassDef):
                yield from ((f"{node.name}.{name}", method) for name, method in public(node))


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_everything_public_has_a_docstring(path):
    tree = ast.parse(path.read_text())
    assert ast.get_docstring(tree), "the module itself"
    assert [name for name, node in public(tree) if not ast.get_docstring(node)] == []


@pytest.mark.parametrize("name", [name for name in vars(jaxvae) if not name.startswith("_")])
def test_every_public_name_has_a_docstring(name):
    assert inspect.getdoc(getattr(jaxvae, name))
