"""Rows whose values are permuted between them, without a copy of X for each time."""

import numpy as np

from skseq._lists import as_listed, checked_rows, is_frame, is_list_of_rows
from skseq._padded import is_padding


class FrameColumns:
    """A dataframe; a unit is a list of positions of columns."""

    def __init__(self, X):
        self._X = X

    def __len__(self):
        return len(self._X)

    @property
    def n_columns(self):
        """int: the number of columns."""
        return self._X.shape[1]

    @property
    def names(self):
        """list: the names of the columns."""
        return list(self._X.columns)

    def column(self, position):
        """Get the values of a column as an array."""
        return np.asarray(self._X[self.names[position]])

    def of_values(self, values):
        """Make a table with these columns, from an array."""
        return type(self._X)(dict(zip(self.names, values.T.tolist(), strict=True)))

    def start(self):
        """Prepare for calls of ``permuted``; an object is used by one thread."""

    def permuted(self, unit, order):
        """Get X in which the rows of a unit are in another order."""
        X = self._X
        if hasattr(X, "iloc"):
            changed = X.copy(deep=False)
            for position in unit:
                changed.isetitem(position, X.iloc[order, position].array)
            return changed
        return X.with_columns([X[self.names[position]][order] for position in unit])

    def restore(self, unit):
        """Bring the rows of a unit back into their order."""


class ArrayColumns:
    """An array of two dimensions; a unit is a list of positions of columns."""

    names = None

    def __init__(self, X):
        self._X = X

    def __len__(self):
        return len(self._X)

    @property
    def n_columns(self):
        """int: the number of columns."""
        return self._X.shape[1]

    def column(self, position):
        """Get the values of a column."""
        return self._X[:, position]

    def of_values(self, values):
        """Make a table with these columns, from an array."""
        return values

    def start(self):
        """Prepare for calls of ``permuted``; an object is used by one thread."""
        self._work = np.array(self._X)

    def permuted(self, unit, order):
        """Get X in which the rows of a unit are in another order."""
        self._work[:, unit] = self._X[order[:, None], unit]
        return self._work

    def restore(self, unit):
        """Bring the rows of a unit back into their order."""
        self._work[:, unit] = self._X[:, unit]


class Sequences:
    """An array of sequences of equal length.

    A unit is a pair: the timesteps, None for all of them, and the features.
    """

    def __init__(self, X):
        self._X = X
        self.n_timesteps, self.n_features = X.shape[1:]

    def __len__(self):
        return len(self._X)

    def is_static(self):
        """Find the features that have one value at all timesteps of each row."""
        X = self._X
        found = [equal(X[:, :, f], X[:, :1, f]).all() for f in range(self.n_features)]
        return np.array(found)

    def start(self):
        """Prepare for calls of ``permuted``; an object is used by one thread."""
        self._work = np.array(self._X)

    def permuted(self, unit, order):
        """Get X in which the rows of a unit are in another order."""
        timesteps, features = unit
        steps = [slice(None)] if timesteps is None else timesteps
        for f in features:
            for t in steps:
                self._work[:, t, f] = self._X[order, t, f]
        return self._work

    def restore(self, unit):
        """Bring the rows of a unit back into their order."""
        self.permuted(unit, slice(None))


class UnequalSequences(Sequences):
    """A list of rows, or an array of sequences with padding.

    Parameters
    ----------
    X : ndarray or list
    valid : ndarray of bool of shape (n_samples, n_timesteps), or None
        The timesteps of an array that are not padding; None for a list.
    """

    def __init__(self, X, valid=None):
        self._listed = X if valid is None else None
        if valid is None:
            self._is_flat = np.ndim(X[0]) == 1  # rows of token ids
            columns = [np.reshape(row, (-1, 1)) for row in X] if self._is_flat else X
            rows = checked_rows(columns, "X", dtype=None, may_be_nan=True)
            self._X = np.concatenate(rows)
            self._lengths = np.array([len(row) for row in rows])
            self._steps = np.arange(len(self._X))
            places = [np.arange(n) for n in self._lengths]
            self._place = np.concatenate(places)
        else:
            self._X = X
            self._lengths = valid.sum(axis=1)
            self._steps = np.flatnonzero(valid)
            self._place = self._steps % X.shape[1]
        self.n_timesteps = int(self._place.max()) + 1 if valid is None else X.shape[1]
        self.n_features = self._X.shape[-1]
        self._row = np.repeat(np.arange(len(self)), self._lengths)
        self._first = self._lengths.cumsum() - self._lengths

    def __len__(self):
        return len(self._lengths)

    @property
    def _flat(self):
        return self._X.reshape(-1, self.n_features)

    def is_static(self):
        """Find the features that have one value at all timesteps of each row."""
        first = self._steps[self._first][self._row]
        found = [
            equal(values[self._steps], values[first]).all() for values in self._flat.T
        ]
        return np.array(found)

    def start(self):
        """Prepare for calls of ``permuted``; an object is used by one thread."""
        # In C order, so that a change of the flat array is one of the rows.
        self._work = np.array(self._X, order="C")
        self._passed = self._work
        if self._listed is not None:
            work = self._work[:, 0] if self._is_flat else self._work
            rows = np.split(work, self._lengths.cumsum()[:-1])
            self._passed = as_listed(rows, self._listed)

    def permuted(self, unit, order):
        """Get X in which the rows of a unit are in another order."""
        timesteps, features = unit
        if timesteps is None:
            self._write(np.arange(len(self._steps)), self._of_rows(order), features)
        else:
            for place in timesteps:
                self._write(*self._of_timestep(place, order), features)
        return self._passed

    def _of_rows(self, order):
        """Find the timesteps at the same relative places in other rows.

        Rows of one length are exchanged as they are.
        """
        n, others = self._lengths[self._row], self._lengths[order][self._row]
        rank = np.arange(len(self._row)) - self._first[self._row]
        return self._first[order][self._row] + (2 * rank + 1) * others // (2 * n)

    def _of_timestep(self, place, order):
        """Find one timestep in the rows that have it, and in other such rows."""
        found = np.flatnonzero(self._place == place)
        at = np.full(len(self), -1)
        at[self._row[found]] = found
        moved = at[order]
        return found, moved[moved >= 0]

    def _write(self, to, source, features):
        work, flat = self._work.reshape(-1, self.n_features), self._flat
        to, source = self._steps[to], self._steps[source]
        work[to[:, None], features] = flat[source[:, None], features]

    def restore(self, unit):
        """Bring the rows of a unit back into their order."""
        work = self._work.reshape(-1, self.n_features)
        work[:, unit[1]] = self._flat[:, unit[1]]


def equal(values, others):
    """Compare arrays, in which NaN equals NaN."""
    missing = (values != values) & (others != others)
    return (values == others) | missing


def permutable(X, mask_value):
    """Make the object that permutes X.

    Parameters
    ----------
    X : array-like, dataframe or list
    mask_value : float or None
        The value of padding in an X of three dimensions.
    """
    if is_list_of_rows(X):
        return UnequalSequences(X)
    if is_frame(X):
        return FrameColumns(X)
    X = np.asarray(X)
    if X.ndim == 2:
        return ArrayColumns(X)
    if X.ndim == 3 and mask_value is not None:
        valid = ~is_padding(X, mask_value)
        return Sequences(X) if valid.all() else UnequalSequences(X, valid)
    if X.ndim == 3:
        return Sequences(X)
    raise ValueError(
        f"X must have 2 dimensions (n_samples, n_columns) or 3 (n_samples, "
        f"n_timesteps, n_features), or be a list of rows, got {X.ndim} dimensions."
    )
