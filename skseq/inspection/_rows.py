"""Rows as the networks of an estimator read them, and results in the shape of X."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skseq._lazy_array import LazyArray, as_lazy
from skseq._lists import as_listed, is_list_of_rows
from skseq._padded import PADDING, PaddedRows, is_padding
from skseq._supervised import SupervisedEstimator
from skseq._window_array import as_sequences


def check_network(estimator):
    """Raise unless an estimator is a fitted network with a target."""
    if isinstance(estimator, SupervisedEstimator):
        check_is_fitted(estimator)
        return
    remedy = ""
    if hasattr(estimator, "steps"):
        remedy = (
            " Pass the network, pipeline[-1], and the rows as it gets them, "
            "pipeline[:-1].transform(X)."
        )
    elif hasattr(estimator, "best_estimator_"):
        remedy = " Pass its best_estimator_."
    raise TypeError(
        f"estimator must be a fitted classifier or regressor of skseq, got "
        f"{type(estimator).__name__}.{remedy}"
    )


def check_single(estimator, what):
    """Raise for an average of several networks."""
    n_networks = estimator._recipe.n_networks
    if n_networks > 1:
        raise ValueError(
            f"estimator must be one network, for {what}, got one with n_networks="
            f"{n_networks}. Fit it with n_networks=1."
        )


@dataclass(frozen=True)
class Part:
    """The rows of X that one network reads.

    Attributes
    ----------
    recipe : skseq._engine.recipe.Recipe
        Of the network.
    rows : ndarray of shape (n_rows, n_timesteps, n_features)
        As the network reads them, with padding at the end.
    index : ndarray of int of shape (n_rows,)
        Their places in X.
    """

    recipe: Any
    rows: np.ndarray
    index: np.ndarray


class Rows:
    """Validated rows of X.

    Parameters
    ----------
    estimator : SupervisedEstimator
        A fitted one.
    X : array-like, dataframe or list
        As for ``predict``.

    Attributes
    ----------
    given : array-like, dataframe or list
        X; windows as an array or a list of rows.
    values : ndarray
        The validated X, with padding after the rows of a list.
    valid : ndarray of bool of shape (n_samples, n_timesteps), or None
        The timesteps of ``values`` that are not padding; None: all of them.
    is_list : bool
    """

    def __init__(self, estimator, X):
        X = as_lazy(X)
        X = X.loaded(None) if isinstance(X, LazyArray) else X
        self.given = as_sequences(X)
        checked = estimator._check_rows(self.given, reset=False)
        self.is_list = is_list_of_rows(self.given)
        self.values, self.valid = checked, None
        if isinstance(checked, PaddedRows):
            self.values = checked.X
            self.valid = ~is_padding(checked.X, checked.mask_value)
        self._estimator = estimator
        self._parts = [
            (recipe, rows, np.arange(len(checked)) if index is None else index)
            for recipe, rows, index in estimator._by_network(checked)
        ]

    def __len__(self):
        return len(self.values)

    @property
    def lengths(self):
        """ndarray of int of shape (n_samples,): timesteps that are not padding."""
        if self.valid is None:
            return np.full(len(self), self.values.shape[1])
        return self.valid.sum(axis=1)

    def parts(self):
        """Yield the rows of each network, as `Part`."""
        for recipe, rows, index in self._parts:
            yield Part(recipe, self._prepared(rows[index]), index)

    def like(self, values, part):
        """Arrange values of the shape of ``values`` as the rows of a part are."""
        values = values[part.index]
        if self.valid is not None:
            moved = np.full(part.rows.shape, PADDING, np.float32)
            moved[self._front(part)] = values[self.valid[part.index]]
            values = moved
        return self._prepared(values)

    def _prepared(self, rows):
        prepare = self._estimator._prepare
        return rows if prepare is None else prepare(rows)

    def _front(self, part):
        """Find the timesteps of the rows of a part that are not padding."""
        return np.arange(part.rows.shape[1]) < self.lengths[part.index, None]

    def in_place(self, found):
        """Bring values for the timesteps of all parts to the places of X.

        Parameters
        ----------
        found : list of tuple of Part and ndarray
            Values of shape (n_rows, n_timesteps, ...), as the rows of the part.

        Returns
        -------
        values : ndarray, or list of ndarray
            In the order of X, 0 at padding. A list for a list.
        """
        if self.valid is None:
            ((_, values),) = found
        else:
            n_timesteps, rest = self.values.shape[1], found[0][1].shape[2:]
            values = np.zeros((len(self), n_timesteps, *rest))
            for part, one in found:
                block = np.zeros((len(part.index), n_timesteps, *rest))
                block[self.valid[part.index]] = one[self._front(part)]
                values[part.index] = block
        if not self.is_list:
            return values
        rows = zip(values, self.given, strict=True)
        return as_listed([row[: len(given)] for row, given in rows], self.given)

    def shaped(self, values):
        """Bring a number for each value of X into the shape of X."""
        if not self.is_list:
            return values.reshape(np.shape(self.given))
        # Rows of token ids may have one dimension.
        rows = zip(values, self.given, strict=True)
        return as_listed([row.reshape(np.shape(one)) for row, one in rows], self.given)
