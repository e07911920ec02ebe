"""VAE as an estimator of scikit-learn: in a Pipeline, in GridSearchCV, beside PCA."""

from __future__ import annotations

import dataclasses
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, DensityMixin, TransformerMixin
from sklearn.utils import check_array, check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from jaxvae import api
from jaxvae.data import Dataset, Split
from jaxvae.data.spaces import Pixels, Real
from jaxvae.runs.run import Run

LARGEST_SEED = 2**31 - 1


class VAE(ClassNamePrefixFeaturesOutMixin, TransformerMixin, DensityMixin, BaseEstimator):
    """Variational autoencoder of rows of numbers.

    Columns are brought to mean 0 and deviation 1, as `train.py` does; samples and densities are in their units.

    Parameters:
        latent_dim: number of dimensions of a code.
        preset: name of a variant whose codes are vectors, such as `vae`, `iwae`, `beta_tc_vae` or `vamp_vae`.
        likelihood: `normal_shared` for real numbers, or `bernoulli` for values in [0, 1].
        hidden: widths of the hidden layers.
        steps: number of training steps.
        batch_size: examples per step.
        learning_rate: learning rate of Adam.
        num_samples: number of importance samples of `score_samples`.
        options: further options of `train.py` by name, such as `{"beta": 4.0}`.
        verbose: show a progress bar.
        random_state: seed of all randomness.

    Attributes:
        run_: the trained model, a `jaxvae.Run`.
        n_features_in_: number of columns.

    >>> from sklearn.datasets import load_iris
    >>> VAE(steps=10, random_state=0).fit_transform(load_iris().data).shape
    (150, 2)
    """

    def __init__(
        self,
        latent_dim: int = 2,
        *,
        preset: str = "vae",
        likelihood: str = "normal_shared",
        hidden: tuple[int, ...] = (400,),
        steps: int = 2000,
        batch_size: int = 128,
        learning_rate: float = 1e-3,
        num_samples: int = 100,
        options: dict[str, Any] | None = None,
        verbose: bool = False,
        random_state: Any = None,
    ) -> None:
        self.latent_dim = latent_dim
        self.preset = preset
        self.likelihood = likelihood
        self.hidden = hidden
        self.steps = steps
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.num_samples = num_samples
        self.options = options
        self.verbose = verbose
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: Any = None) -> VAE:
        """Train on all rows `[N, D]`; y is not used.

        Raises:
            InputError: an option is invalid.
            ValueError: rows are no finite numbers, or fewer than two.
        """
        x = np.asarray(validate_data(self, X, dtype=np.float32, ensure_min_samples=2))
        seed = int(check_random_state(self.random_state).randint(LARGEST_SEED))
        known = {"likelihood": self.likelihood, "steps": self.steps, "learning_rate": self.learning_rate}
        sizes = {"latent_dim": self.latent_dim, "hidden": self.hidden, "batch_size": min(self.batch_size, len(x))}
        quiet = {"quiet": not self.verbose, "tensorboard": False, "figures": False}
        options = {**known, **sizes, **quiet, "seed": seed, "select": "last", **(self.options or {})}
        split = Split(x, space=self._space(x))
        with tempfile.TemporaryDirectory(prefix="jaxvae-") as folder:
            run = api.train(
                api.preset(self.preset, **options), Dataset("X", split, split), run_dir=Path(folder) / "run"
            )
        self.run_: Run = dataclasses.replace(run, folder=None, data=None, others=())
        self._n_features_out = run.recipe.latent_dim
        return self

    def transform(self, X: ArrayLike) -> np.ndarray:
        """Return codes `[N, latent_dim]`, means of q(z|x)."""
        check_is_fitted(self)
        return np.asarray(self.run_.encode(self._check(X)).mean)

    def inverse_transform(self, X: ArrayLike) -> np.ndarray:
        """Return rows `[N, D]`, means of p(x|z), of codes `[N, latent_dim]`."""
        check_is_fitted(self)
        return np.asarray(self.run_.decode(check_array(X, dtype=np.float32)))

    def score_samples(self, X: ArrayLike) -> np.ndarray:
        """Return `[N]` estimates of log p(x) from below, in nats, by importance weights."""
        check_is_fitted(self)
        return self.run_.log_px(self._check(X), self.num_samples)

    def score(self, X: ArrayLike, y: Any = None) -> float:
        """Return the mean of `score_samples`, by which a search chooses."""
        return float(self.score_samples(X).mean())

    def sample(self, n_samples: int = 1) -> np.ndarray:
        """Return rows `[n_samples, D]`: means of p(x|z) at z ~ p(z)."""
        check_is_fitted(self)
        seed = int(check_random_state(self.random_state).randint(LARGEST_SEED))
        return np.asarray(self.run_.sample(n_samples, seed=seed))

    def __sklearn_tags__(self) -> Any:
        """Return what scikit-learn knows of it: codes are float32, whatever the rows are."""
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []
        return tags

    def _check(self, X: ArrayLike) -> np.ndarray:
        return np.asarray(validate_data(self, X, dtype=np.float32, reset=False))

    def _space(self, X: np.ndarray) -> Pixels | Real:
        if self.likelihood != "bernoulli":
            return Real(X.shape[1:])
        space = Pixels(X.shape[1:], "binary" if np.isin(X, (0, 1)).all() else "ink")
        space.check(X, "X")
        return space
