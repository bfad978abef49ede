"""Windows over the rows of a table, which are gathered when they are asked for."""

from __future__ import annotations

import warnings
import weakref
from dataclasses import dataclass, replace

import numpy as np

from skseq._padded import PADDING, PaddedRows, blocks_of, dtype_with


@dataclass(frozen=True, eq=False, repr=False)
class WindowArray:
    """Array of overlapping windows that stores the rows of the table only once.

    `make_windows` and `WindowTransformer` return it. As windows overlap, an ordinary
    array of all windows has up to `n_timesteps` times as many values as the table. This
    object behaves like that array, of shape (n_windows, n_timesteps, n_features), but
    stores only the table and the position of each window. The networks of this package
    copy the windows of each batch when they need them. Indexing windows with a slice or
    an array gives another `WindowArray` over the same table; this is also what
    scikit-learn's `cross_val_score` and `GridSearchCV` do. Indexing with an integer, or
    with indices of timesteps and features, gives an array, and
    ``numpy.asarray(windows)`` gives an array of all windows.

    Attributes
    ----------
    table : ndarray of shape (n_rows, n_features)
        The rows, ordered by group and time.
    ends : ndarray of int32 or int64 of shape (n_windows,)
        Position of the last row of each window in ``table``.
    n_timesteps : int
        Number of timesteps of a window.
    lengths : ndarray of int of shape (n_windows,) or None
        Number of rows of each window. If it is less than `n_timesteps`, the first
        timesteps of the window are padding. None: no window has padding.
    n_ahead : int
        Number of rows after a window that are its target, see `horizon` of
        `make_windows`.
    group_starts : ndarray of int of shape (n_groups,)
        Position of the first row of each group in ``table``.
    order : ndarray of int of shape (n_rows,) or None
        Position of each row of ``table`` in the original X; -1 for rows that are from
        ``fit`` (the history of `WindowTransformer`). None: the order is the same.
    mask_value : float
        Value that marks padding.
    names : list or None
        Names of the features, if X is a dataframe.
    """

    __module__ = "skseq"

    table: np.ndarray
    ends: np.ndarray
    n_timesteps: int
    lengths: np.ndarray | None = None
    n_ahead: int = 0
    group_starts: np.ndarray | None = None
    order: np.ndarray | None = None
    mask_value: float = np.nan
    names: list | None = None

    ndim = 3

    @property
    def shape(self) -> tuple[int, int, int]:
        """tuple of int: (n_windows, n_timesteps, n_features)."""
        return len(self.ends), self.n_timesteps, self.table.shape[1]

    @property
    def dtype(self) -> np.dtype:
        """dtype: the dtype of the windows."""
        if self.lengths is None:
            return self.table.dtype
        return dtype_with(self.table.dtype, self.mask_value)

    @property
    def rows(self) -> np.ndarray:
        """ndarray of int of shape (n_windows, n_timesteps): positions in X.

        The positions of the rows of each window in the original X; -1 for padding and
        for rows that are from ``fit`` (the history of `WindowTransformer`).
        """
        places, valid = self._places(np.arange(len(self)), at_end=False)
        rows = places if self.order is None else self.order[places]
        return rows if valid is None else np.where(valid, rows, -1)

    def __len__(self):
        return len(self.ends)

    def __repr__(self):
        return (
            f"WindowArray of shape {self.shape}, dtype {self.dtype}, over a table of "
            f"shape {self.table.shape}"
        )

    def __getitem__(self, key):
        key, *rest = key if isinstance(key, tuple) else (key,)
        if key is Ellipsis:
            key, rest = slice(None), [Ellipsis, *rest]
        if np.ndim(key) == 0 and not isinstance(key, slice):
            if not -len(self) <= key < len(self):
                raise IndexError(f"There are {len(self)} windows, got index {key}.")
            window = self.gathered(np.array([key]))[0]
            return window[tuple(rest)] if rest else window
        index = key if isinstance(key, slice) else np.asarray(key)
        if not isinstance(index, slice) and not index.size:
            index = index.astype(int)  # an empty list
        lengths = None if self.lengths is None else self.lengths[index]
        taken = replace(self, ends=self.ends[index], lengths=lengths)
        if any(one is not Ellipsis and one != slice(None) for one in rest):
            return np.asarray(taken)[(slice(None), *rest)]
        return taken

    def __array__(self, dtype=None, copy=None):
        if copy is False:
            raise ValueError("An array of windows is a copy, got copy=False.")
        array = np.empty(self.shape, self.dtype if dtype is None else dtype)
        for rows in blocks_of(self):
            array[rows] = self.gathered(np.arange(len(self))[rows])
        return array

    def _places(self, index, at_end):
        """Find the rows of windows in the table, and which are no padding."""
        ends, steps = self.ends[index, None], np.arange(self.n_timesteps)
        if self.lengths is None:
            return ends - (self.n_timesteps - 1) + steps, None
        counts = self.lengths[index, None]
        if at_end:
            return np.minimum(ends - counts + 1 + steps, ends), steps < counts
        first = self.n_timesteps - counts
        return ends - (self.n_timesteps - 1) + np.maximum(steps, first), steps >= first

    def gathered(self, index, dtype=None, fill=None):
        """Copy windows to an array.

        Parameters
        ----------
        index : ndarray of int of shape (n,)
        dtype : dtype or None
            None: ``dtype``.
        fill : float or None
            The value of padding, which is then at the end of a row. None:
            ``mask_value``, at the start.

        Returns
        -------
        windows : ndarray of shape (n, n_timesteps, n_features)
        """
        places, valid = self._places(index, at_end=fill is not None)
        windows = self.table[places]
        with np.errstate(over="ignore"):  # checked before
            windows = windows.astype(dtype or self.dtype, copy=False)
        if valid is not None:
            windows[~valid] = self.mask_value if fill is None else fill
        return windows

    def firsts(self):
        """Find the first row of each window, as positions in ``table``."""
        counts = self.n_timesteps if self.lengths is None else self.lengths
        return self.ends - counts + 1

    def group_of(self):
        """Find the group of each window, counted from 0."""
        return np.searchsorted(self.group_starts, self.ends, side="right") - 1


def covered(windows, reach=0):
    """Find the rows that windows and their targets are made of.

    Parameters
    ----------
    windows : WindowArray
    reach : int
        Rows within this distance in the same group count too.

    Returns
    -------
    covered : ndarray of bool of shape (n_rows,)
        For the rows of ``windows.table``.
    """
    firsts, lasts = windows.firsts(), windows.ends + windows.n_ahead
    if reach:
        bounds = np.append(windows.group_starts, len(windows.table))
        groups = windows.group_of()
        firsts = np.maximum(firsts - reach, bounds[groups])
        lasts = np.minimum(lasts + reach, bounds[groups + 1] - 1)
    changes = np.zeros(len(windows.table) + 1, windows.ends.dtype)
    np.add.at(changes, firsts, 1)
    np.add.at(changes, lasts + 1, -1)
    return np.cumsum(changes[:-1], dtype=changes.dtype) > 0


def touches(windows, rows, targets_only=False):
    """Find the windows that are made of some rows.

    Parameters
    ----------
    windows : WindowArray
    rows : ndarray of bool of shape (n_rows,)
        Of ``windows.table``.
    targets_only : bool
        Whether the rows of the target count alone: the last one, or those after it.

    Returns
    -------
    found : ndarray of bool of shape (n_windows,)
    """
    before = np.zeros(len(rows) + 1, windows.ends.dtype)
    np.cumsum(rows, out=before[1:])
    firsts = windows.ends + (windows.n_ahead > 0) if targets_only else windows.firsts()
    return before[windows.ends + windows.n_ahead + 1] > before[firsts]


def purged(windows, train, test, embargo=0):
    """Leave out training windows that share rows with a test window.

    Parameters
    ----------
    windows : WindowArray
    train, test : ndarray of int
        Positions of windows.
    embargo : int
        Windows with rows within this distance of a test window are left out too.

    Returns
    -------
    train : ndarray of int
    """
    return train[~touches(windows[train], covered(windows[test], embargo))]


def overlap(windows):
    """Check whether two of some windows share a row."""
    order = np.argsort(windows.ends, kind="stable")
    firsts, lasts = windows.firsts()[order], (windows.ends + windows.n_ahead)[order]
    return bool((firsts[1:] <= lasts[:-1]).any())


class SeenWindows:
    """The windows of a fit, to find windows that are no fair test.

    It keeps no data alive, and can't be pickled.

    Parameters
    ----------
    windows : WindowArray
    """

    def __init__(self, windows):
        self._table = weakref.ref(windows.table)
        self._rows = covered(windows)
        self._ends = np.zeros(len(windows.table), bool)
        self._ends[windows.ends] = True

    def count_unfair(self, windows):
        """Count windows that are not of the fit, with targets in rows that it read."""
        if windows.table is not self._table():
            return 0
        unfair = touches(windows, self._rows, targets_only=True)
        return int((unfair & ~self._ends[windows.ends]).sum())

    def warn_of_unfair(self, windows, name, stacklevel):
        """Warn of windows that are no fair test."""
        n_unfair = self.count_unfair(windows)
        if n_unfair:
            warnings.warn(
                f"{n_unfair} of {len(windows)} windows in {name} have their targets in "
                f"rows of the training windows: scores on them are too optimistic. "
                f"Split windows with PurgedSplit, or by time with "
                f"TimeSeriesSplit(gap=horizon), or gap=horizon * n_series in a panel.",
                UserWarning,
                stacklevel=stacklevel + 1,
            )


@dataclass(frozen=True)
class GatheredRows:
    """Windows whose rows are gathered by an index or slice, for the engine.

    Attributes
    ----------
    windows : WindowArray
    dtype : dtype
        That of the rows.
    fill : float or None
        See `WindowArray.gathered`.
    """

    windows: WindowArray
    dtype: np.dtype
    fill: float | None = None

    @property
    def shape(self):
        """tuple of int: (n_windows, n_timesteps, n_features)."""
        return self.windows.shape

    def __len__(self):
        return len(self.windows)

    def __getitem__(self, rows):
        index = np.arange(len(self))[rows] if isinstance(rows, slice) else rows
        return self.windows.gathered(index, self.dtype, self.fill)


def as_rows(windows: WindowArray, dtype, mask_value) -> GatheredRows | PaddedRows:
    """Get validated windows in the form in which networks read rows.

    Parameters
    ----------
    windows : WindowArray
    dtype : dtype
    mask_value : float or None
        Of the network.
    """
    if windows.lengths is None or (windows.lengths == windows.n_timesteps).all():
        return GatheredRows(replace(windows, lengths=None), dtype)
    if mask_value is not None:
        return GatheredRows(replace(windows, mask_value=mask_value), dtype)
    rows = GatheredRows(windows, dtype, PADDING)
    return PaddedRows(rows, PADDING, windows.lengths, windows.n_timesteps, True)


def check_finite(windows: WindowArray, name: str, dtype, is_nan_padding: bool) -> None:
    """Raise at the first row of a window that has a value that is not finite.

    Parameters
    ----------
    windows : WindowArray
    name : str
        The name of the windows in messages.
    dtype : dtype
        In which values must be finite.
    is_nan_padding : bool
        Whether rows in which all features are NaN are padding.
    """
    is_read = covered(replace(windows, n_ahead=0))
    for block in blocks_of(windows.table):
        with np.errstate(over="ignore"):
            values = windows.table[block].astype(dtype, copy=False)
        bad = ~np.isfinite(values) & is_read[block, None]
        if is_nan_padding:
            bad &= ~np.isnan(values).all(axis=1, keepdims=True)
        if not bad.any():
            continue
        row, feature = np.argwhere(bad)[0].tolist()
        value, row = values[row, feature], row + block.start
        if windows.order is not None:
            row = int(windows.order[row])
        what = feature if windows.names is None else repr(windows.names[feature])
        where = f"in feature {what} of row {row} of the table"
        if np.isnan(value):
            raise ValueError(
                f"{name} must have no missing values, got windows with NaN {where}. "
                f"Fill them in, for instance with sklearn.impute.SimpleImputer, before "
                f"windows are made, or leave out windows with missing values by "
                f"make_windows(dropna=True)."
            )
        raise ValueError(
            f"{name} must hold finite numbers, got windows with infinity, or a value "
            f"too large for {np.dtype(dtype)}, {where}."
        )


def as_sequences(X):
    """Copy windows to an array, or to a list of rows if some have padding.

    Parameters
    ----------
    X : object
        Anything but windows is returned as it is.
    """
    if not isinstance(X, WindowArray):
        return X
    counts = X.lengths
    if counts is None or (counts == X.n_timesteps).all():
        return np.asarray(X)
    rows = X.gathered(np.arange(len(X)), X.table.dtype, fill=0)
    return [row[:n] for row, n in zip(rows, counts, strict=True)]
