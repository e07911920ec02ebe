"""Single cells: counts of their genes, with columns that describe each."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from jaxvae.data.classes import class_order
from jaxvae.data.conditions import ATTRIBUTES
from jaxvae.data.dataset import Split
from jaxvae.data.memory import check_fits
from jaxvae.data.partition import Whole
from jaxvae.data.preparation import Preparation, refuse_sizes
from jaxvae.data.sources.arrays import examples
from jaxvae.data.sources.columns import Column, number_column, roles
from jaxvae.errors import InputError


class Cells(NamedTuple):
    """Cells as AnnData holds them."""

    counts: np.ndarray
    """`[cells, genes]` matrix X."""
    genes: np.ndarray
    """`[genes]` their names."""
    columns: list[Column]
    """Columns of `obs` that hold numbers or categories."""


def whole_set(what: str, cells: Cells, preparation: Preparation) -> Whole:
    """Make a data set of cells; columns are attributes, categories by their numbers, if no labels or splits.

    Raises:
        InputError: X holds no counts, or labels or splits cannot be used.
    """
    refuse_sizes(preparation, what)
    rows, space, facts = examples(f"{what}: X", "counts", cells.counts, cells.genes)
    label, classes, parts, others = roles(what, cells.columns)
    if categories := {one.name: list(one.categories) for one in others if one.categories}:
        facts = {**facts, ATTRIBUTES: categories}
    return Whole(Split(rows, label, {one.name: one.values for one in others}), parts, space, classes, facts)


def is_anndata(thing: Any) -> bool:
    """Return True for an AnnData, recognised by its parts."""
    return all(hasattr(thing, name) for name in ("X", "obs", "var_names"))


def read_anndata(what: str, adata: Any, *, described: bool = True) -> Cells:
    """Read an AnnData as an `.h5ad` file of it would be read.

    Args:
        what: name of the AnnData in messages.
        adata: cells with their counts in `X`.
        described: read the columns of `obs`, too.

    Raises:
        InputError: X is missing, or larger than the memory, or a column of `obs` cannot be used.
    """
    if adata.X is None:
        raise InputError(f"{what}: X is missing; adata.X = adata.layers['counts'] puts counts there")
    adata = adata.to_memory() if getattr(adata, "isbacked", False) else adata
    obs, genes = adata.obs, np.array([str(name) for name in adata.var_names])
    # Sorted, as the groups of a file are.
    names = sorted(obs.columns, key=str) if described else []
    found = [_column(f"{what}: obs {name!r}", str(name), obs[name]) for name in names]
    return Cells(dense(f"{what}: X", adata.X), genes, [column for column in found if column is not None])


def is_sparse(thing: Any) -> bool:
    """Return True for a sparse matrix of SciPy."""
    return hasattr(thing, "toarray") and hasattr(thing, "nnz")


def dense(what: str, matrix: Any) -> np.ndarray:
    """Convert a matrix, sparse or not, to a dense array of its own type.

    Raises:
        InputError: it would take more memory than there is.
    """
    if is_sparse(matrix):
        # Dense, and once more as int32.
        needed = int(np.prod(matrix.shape, dtype=np.float64)) * (np.dtype(matrix.dtype).itemsize + 4)
        check_fits(f"{what} {tuple(matrix.shape)}", needed, "keep fewer columns")
        matrix = matrix.toarray()
    return np.asarray(matrix)


def _column(what: str, name: str, series: Any) -> Column | None:
    """Convert a column of pandas: numbers, categories and repeated words; None for others, such as names of cells."""
    if hasattr(series, "cat"):
        codes = series.cat.codes.to_numpy().astype(np.int32)
        return Column(name, codes, codes >= 0, tuple(str(word) for word in series.cat.categories))
    values = series.to_numpy()
    if values.dtype.kind in "iuf":
        return number_column(what, name, values, np.ones(len(values), bool))
    words = values.tolist()
    known = np.array([isinstance(word, str) for word in words], bool)
    categories = class_order(word for word in words if isinstance(word, str))
    # AnnData writes words to a file as categories where they repeat.
    if values.dtype.kind not in "OUT" or len(categories) >= len(words) or not categories:
        return None
    code = {word: number for number, word in enumerate(categories)}
    return Column(name, np.array([code.get(word, -1) for word in words], np.int32), known, categories)
