"""All rules about padding.

NaN has one meaning: with ``mask_value=nan``, a timestep is padding if all its features
are NaN. Any other NaN is a missing value.
"""

import math
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np

# The value of padding in the input of networks. No other value is as small.
PADDING = float(np.finfo(np.float32).min)


def is_padding(X, mask_value):
    """Find the timesteps that are padding: every feature has the mask value.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_timesteps, n_features)
    mask_value : float or None
        None: there is no padding.

    Returns
    -------
    padding : ndarray of bool of shape (n_samples, n_timesteps)
    """
    if mask_value is None:
        return np.zeros(X.shape[:2], bool)
    if np.isnan(mask_value):
        return np.isnan(X).all(axis=2)
    # In the precision of X, because 0.1 differs between float32 and float64.
    value = X.dtype.type(mask_value) if X.dtype.kind == "f" else float(mask_value)
    return (value == X).all(axis=2)


def check_padding(X, mask_value):
    """Find the timesteps that are padding, as `is_padding` does.

    Raises
    ------
    ValueError
        If all timesteps of a row are padding.
    """
    padding = is_padding(X, mask_value)
    n_empty = padding.all(axis=1).sum()
    if n_empty:
        raise ValueError(
            f"Each row must have a timestep that is not padding, got {n_empty} rows "
            f"with only mask_value={mask_value!r}. Leave them out."
        )
    return padding


def dtype_with(dtype, value):
    """Find the dtype nearest to a given one that can hold a value."""
    if dtype.kind == "f":
        return np.result_type(dtype, np.min_scalar_type(float(value)))
    if isinstance(value, Integral):
        found = np.result_type(dtype, np.min_scalar_type(int(value)))
        return found if found.kind in "iu" else np.dtype(np.float64)
    return np.dtype(np.float64)


# --------------------------------------------------------- rows of unequal length

# The number of values in a block of rows.
_BLOCK_VALUES = 2**20


def blocks_of(X):
    """Yield slices of the rows of a list, or of an array larger than memory.

    The blocks of rows in a file may be arrays of positions, in the order of the file.
    """
    stored = stored_rows(X)
    if stored is not None:
        yield from stored.passes()
        return
    largest = max(map(np.size, X)) if isinstance(X, list) else math.prod(X.shape[1:])
    size = max(_BLOCK_VALUES // largest, 1)
    for start in range(0, len(X), size):
        yield slice(start, start + size)


def stored_rows(X):
    """Get the rows in a file that X reads, a `LazyRows`; None for other rows."""
    X = X.X if isinstance(X, PaddedRows) else X
    return X if hasattr(X, "passes") else None


def lengths(X, mask_value):
    """Count the timesteps of each row that are not padding.

    Parameters
    ----------
    X : ndarray or memmap of shape (n_samples, n_timesteps, n_features)
    mask_value : float or None

    Returns
    -------
    counts : ndarray of int of shape (n_samples,)
    """
    counts = np.full(len(X), X.shape[1])
    if mask_value is not None:
        for rows in blocks_of(X):
            counts[rows] -= is_padding(X[rows], mask_value).sum(axis=1)
    return counts


def padded(rows, n_timesteps=None, value=PADDING, dtype=None):
    """Make one array of rows of different lengths, with padding after each row.

    Parameters
    ----------
    rows : list of ndarray of shape (n_timesteps_i, n_features)
        Valid rows, of at most `n_timesteps`.
    n_timesteps : int or None
        None: those of the longest row.
    value : float
        The value of padding.
    dtype : dtype or None
        None: that of the rows, but float32 for float16.

    Returns
    -------
    X : ndarray of shape (n_samples, n_timesteps, n_features), C-ordered
    """
    if n_timesteps is None:
        n_timesteps = max(map(len, rows))
    if dtype is None:
        dtype = rows[0].dtype
        if dtype == np.float16:  # which holds no PADDING
            dtype = np.dtype(np.float32)
    X = np.full((len(rows), n_timesteps, rows[0].shape[1]), value, dtype)
    for place, row in zip(X, rows, strict=True):
        place[: len(row)] = row
    return X


def unpadded(X, mask_value):
    """Make a list of the rows of an array, without padding.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_timesteps, n_features)
    mask_value : float or None

    Returns
    -------
    rows : list of ndarray of shape (n_timesteps_i, n_features)
        Copies.
    """
    valid = ~is_padding(X, mask_value)
    ends = valid.sum(axis=1).cumsum().tolist()
    values = X[valid]
    return [values[i:j] for i, j in zip([0, *ends[:-1]], ends, strict=True)]


def compacted(X, mask_value, value, n_timesteps):
    """Move the timesteps that are not padding to the front of each row, in order.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_timesteps_in, n_features)
    mask_value : float or None
    value : float
        The value of padding in the result.
    n_timesteps : int
        Timesteps of the result. Longer rows are cut at the end.

    Returns
    -------
    X : ndarray of shape (n_samples, n_timesteps, n_features), C-ordered
        A new array in the dtype of X.
    """
    padding = is_padding(X, mask_value)
    moved = np.full((len(X), n_timesteps, X.shape[2]), value, X.dtype)
    if (padding[:, :-1] <= padding[:, 1:]).all():  # already at the front
        n_common = min(n_timesteps, X.shape[1])
        moved[:, :n_common] = X[:, :n_common]
        moved[:, :n_common][padding[:, :n_common]] = value
        return moved
    place = (~padding).cumsum(axis=1)
    counts = place[:, -1:]
    moved[np.arange(n_timesteps) < counts] = X[~padding & (place <= n_timesteps)]
    return moved


@dataclass(frozen=True)
class PaddedRows:
    """Rows of different lengths, in an array with padding.

    Rows that are read, by a slice or by indices, have their valid timesteps at the
    front, and `PADDING` after them.

    Attributes
    ----------
    X : ndarray, memmap, GatheredRows or LazyRows of shape (n_samples, n_timesteps_in, \
            n_features)
        It is not copied, except by ``at_once``.
    mask_value : float
        The value of padding in X.
    lengths : ndarray of int of shape (n_samples,)
        The numbers of valid timesteps.
    n_timesteps : int
        Timesteps of the rows that are read, at least those of the longest row.
    is_ready : bool
        Whether rows of X have `PADDING`, at the end alone.
    """

    X: Any
    mask_value: float | None
    lengths: np.ndarray
    n_timesteps: int
    is_ready: bool = False

    @property
    def shape(self):
        """tuple of int: the shape of all rows as they are read."""
        return len(self.X), self.n_timesteps, self.X.shape[2]

    @property
    def dtype(self):
        """dtype: that of the rows."""
        return self.X.dtype

    def __len__(self):
        return len(self.X)

    def __getitem__(self, rows):
        X = self.X[rows]
        if self.is_ready and X.shape[1] == self.n_timesteps:
            return X
        return compacted(X, self.mask_value, PADDING, self.n_timesteps)

    def at_once(self):
        """Move all padding to the end now, for rows that are read several times.

        Rows on disk, which may be larger than memory, stay where they are, and windows
        over a table remain so.
        """
        base = self.X
        if not isinstance(base, np.ndarray):
            return self
        while base is not None:
            if isinstance(base, np.memmap):
                return self
            base = getattr(base, "base", None)
        return PaddedRows(self[:], PADDING, self.lengths, self.n_timesteps, True)


def as_padded(X, mask_value):
    """Get padded rows from validated sequences.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_timesteps, n_features), or PaddedRows
    mask_value : float or None

    Returns
    -------
    X : PaddedRows

    Raises
    ------
    ValueError
        If all timesteps of a row are padding.
    """
    if isinstance(X, PaddedRows):
        return X
    counts = lengths(X, mask_value)
    if not counts.all():
        check_padding(X[np.flatnonzero(counts == 0)], mask_value)  # raises
    return PaddedRows(X, mask_value, counts, int(counts.max()))


def count_static(X):
    """Count the last features that have one value at all timesteps of each row.

    Parameters
    ----------
    X : ndarray, memmap, GatheredRows or PaddedRows of shape (n_samples, n_timesteps, \
            n_features)
        Padding is `PADDING`, at the end of a row.

    Returns
    -------
    count : int
        0 if all features are such, as with one timestep.
    """
    is_static = np.ones(X.shape[2], bool)
    for rows in blocks_of(X):
        block = X[rows]
        same = (block == block[:, :1]) | (block == PADDING)
        is_static &= same.all(axis=(0, 1))
        if not is_static[-1]:
            return 0
    changing = np.flatnonzero(~is_static)
    return len(is_static) - 1 - int(changing[-1]) if len(changing) else 0


# The largest number of rows whose scales are compared, of large rows fewer.
_SCALED_ROWS = 1000


def range_of_scales(X):
    """Compare the standard deviations of the rows, over timesteps and features.

    Parameters
    ----------
    X : ndarray, memmap, GatheredRows or PaddedRows of shape (n_samples, n_timesteps, \
            n_features)
        Padding is `PADDING`, at the end of a row. If there are many rows, some of them
        are read.

    Returns
    -------
    ratio : float
        The third quartile divided by the first. Features count alike, and rows with one
        value are left out.
    """
    n_rows = max(4 * _BLOCK_VALUES // math.prod(X.shape[1:]), _SCALED_ROWS // 10)
    n_rows = min(n_rows, _SCALED_ROWS, len(X))
    rows = np.asarray(X[np.linspace(0, len(X) - 1, n_rows).astype(int)], np.float64)
    rows = np.where(rows == PADDING, np.nan, rows)
    scale = np.nanstd(rows, axis=(0, 1))
    rows /= np.where(scale > 0, scale, 1)
    scales = np.nanstd(rows, axis=(1, 2))
    # A row with one value may have a deviation by rounding.
    scales = scales[scales > 1e-12 * np.nanmax(abs(rows))]
    low, high = np.quantile(scales, [0.25, 0.75]) if len(scales) else (1, 1)
    return float(high / low)
