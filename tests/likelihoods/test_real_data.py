"""Real data of every kind train a VAE whose held-out bound beats the best model without latent variables."""

import collections
import csv
import functools
import gzip
import json

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from scipy import stats

from jaxvae import elbo_loss
from jaxvae.assemble import assemble
from jaxvae.data.spaces import Counts, Real, Table, Tokens
from jaxvae.facts import Facts
from jaxvae.likelihoods import ColumnsByKind, NegativeBinomialCounts, SharedNormal, WindowedTokens
from jaxvae.nets import MLP, TokenMLP, with_output_bias
from jaxvae.posteriors import DiagonalNormal
from jaxvae.priors import Standard
from jaxvae.training import init_state, make_train_step
from jaxvae.types import Batch


def rows(x, ids):
    return jax.tree.map(lambda array: jnp.asarray(array)[ids], x)


def held_out_bound(space, likelihood, networks, train, test, *, steps, latent_dim=5, mean=None):
    """Train for some steps of 32 examples; the mean ELBO of the test set in nats per example."""
    options = {"posterior": DiagonalNormal(), "prior": Standard(), "likelihood": likelihood}
    model = assemble(Facts(space, latent_dim), networks=networks, **options)
    num = len(jax.tree.leaves(train)[0])
    optimizer = optax.adam(3e-3)
    train_step = make_train_step(functools.partial(elbo_loss, model=model), optimizer)

    @jax.jit
    def run(key):
        params = model.init(key, rows(train, jnp.arange(8)))
        if mean is not None:
            params["decoder"] = with_output_bias(params["decoder"], likelihood.link(mean))

        def step(state, number):
            ids = jax.random.randint(jax.random.fold_in(jax.random.key(7), number), (32,), 0, num)
            return train_step(state, Batch(rows(train, ids), ids, jnp.ones(32)))

        params = jax.lax.scan(step, init_state(key, params, optimizer), jnp.arange(steps))[0].params
        return -elbo_loss(params, jax.random.key(8), jax.tree.map(jnp.asarray, test), model=model)[0]

    return float(run(jax.random.key(0)))


@pytest.mark.slow
def test_counts_of_single_cells(shared_data):
    cells = np.load(shared_data / "counts" / "pbmc68k_reduced.npz")
    train, test = (cells["counts"][cells["split"] == part] for part in (0, 1))
    mean = np.maximum(train.mean(0), 0.01)
    got = held_out_bound(
        Counts(train.shape[1:]), NegativeBinomialCounts(), MLP((64,)), train, test, steps=100, mean=jnp.asarray(mean)
    )
    variance = np.maximum(train.var(0), 1.01 * mean)
    best = stats.nbinom.logpmf(test, mean**2 / (variance - mean), mean / variance).sum(1).mean()
    assert got > best > stats.poisson.logpmf(test, mean).sum(1).mean()


def test_signals_of_days(shared_data):
    folder = shared_data / "signals"
    test, train = (np.loadtxt(folder / f"ItalyPowerDemand_{part}.tsv", dtype=np.float32) for part in ("TRAIN", "TEST"))
    train, test = train[:, 1:], test[:, 1:]
    got = held_out_bound(Real((24,)), SharedNormal(), MLP((64,)), train, test, steps=300)
    assert got > stats.norm.logpdf(test, train.mean(0), train.std(0)).sum(1).mean()


def encoded(path, words, num, length):
    """Encode the first lines of at most `length - 1` words: 0 is padding, 1 the end mark, 2 a rare or unknown word."""
    with gzip.open(path, "rt") as file:
        lines = [line.split() for line in file]
    lines = [line for line in lines if 0 < len(line) < length][:num]
    seen = collections.Counter(word for line in lines for word in line)
    words = words or sorted(word for word, times in seen.items() if times > 4)
    number = {word: 3 + index for index, word in enumerate(words)}
    x = np.zeros((len(lines), length), np.int32)
    for row, line in zip(x, lines):
        row[: len(line) + 1] = [*(number.get(word, 2) for word in line), 1]
    return x, words


@pytest.mark.slow
def test_lines_of_the_treebank(shared_data):
    folder = shared_data / "text" / "ptb"
    train, words = encoded(folder / "ptb.train.txt.gz", (), 1500, 10)
    test, _ = encoded(folder / "ptb.valid.txt.gz", words, 100, 10)
    space = Tokens(3 + len(words), 10)
    likelihood = WindowedTokens(window=2, embedding=32, hidden=(64,), context=16)
    got = held_out_bound(space, likelihood, TokenMLP((64,), embedding=32), train, test, steps=150)
    frequency = (np.bincount(train[train > 0], minlength=space.size) + 1) / ((train > 0).sum() + space.size)
    assert got > np.where(test > 0, np.log(frequency[test]), 0).sum(1).mean()


def test_a_table_with_holes(shared_data):
    table = json.loads((shared_data / "tables" / "penguins.json").read_text())
    with (shared_data / "tables" / "penguins.csv").open() as file:
        cells = np.array(list(csv.reader(file))[1:])
    observed = cells != ""
    assert (~observed).sum() == 19
    categories = [column.get("categories", []) for column in table["columns"]]
    codes = [{str(name): str(code) for code, name in enumerate(names)} for names in categories]
    numbers = np.stack([[code.get(cell, cell) or "nan" for cell in column] for code, column in zip(codes, cells.T)], 1)
    x = numbers.astype(np.float32)
    real = np.array([not names for names in categories])
    x[:, real] = (x[:, real] - np.nanmean(x[:, real], 0)) / np.nanstd(x[:, real], 0)
    order = np.random.default_rng(0).permutation(len(x))
    train, test = ({"x": np.nan_to_num(x[ids]), "observed": observed[ids]} for ids in (order[:280], order[280:]))
    space = Table(tuple(map(len, categories)))
    space.check(train, "train")
    got = held_out_bound(space, ColumnsByKind(), MLP((64,)), train, test, steps=300)
    scores = np.zeros(test["x"].shape)
    for column, size in enumerate(space.columns):
        there = train["x"][train["observed"][:, column], column]
        values = test["x"][:, column]
        counts = np.bincount(there.astype(int) if size else [0], minlength=size)
        scores[:, column] = np.log(counts / counts.sum())[values.astype(int)] if size else stats.norm.logpdf(values)
    assert got > (scores * test["observed"]).sum(1).mean()
