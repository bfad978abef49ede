"""All rules about the columns of a table: numbers that have bins, and categories."""

import numpy as np
from sklearn.preprocessing import OrdinalEncoder

from skseq._lists import is_frame
from skseq._padded import blocks_of
from skseq._validation import nearest

# The number of rows, evenly spread, from which quantiles are computed.
_MOST_ROWS = 100_000

# Codes are whole numbers in float32, and each has a vector.
_LARGEST_CODE = 99_999


# -------------------------------------------------------------------------- numbers


def varied_columns(X):
    """Find the columns with more than two values.

    A linear function of two values is any function of them.

    Parameters
    ----------
    X : ndarray, memmap or LazyRows of shape (n_samples, n_timesteps, n_features)

    Returns
    -------
    columns : ndarray of bool of shape (n_timesteps * n_features,)
    """
    lows, highs = [], []
    for rows in blocks_of(X):
        block = X[rows]
        lows.append(block.min(axis=0))
        highs.append(block.max(axis=0))
    low, high = np.min(lows, axis=0), np.max(highs, axis=0)
    is_varied = np.zeros(low.shape, bool)
    for rows in blocks_of(X):
        block = X[rows]
        is_varied |= ((block != low) & (block != high)).any(axis=0)
    return is_varied.ravel()


def sample_of(X, index):
    """Take at most 100,000 rows, evenly spread, as a table of float64."""
    n_rows = len(X) if index is None else len(index)
    chosen = np.linspace(0, n_rows - 1, min(n_rows, _MOST_ROWS)).round().astype(int)
    rows = X[chosen if index is None else index[chosen]]
    return rows.reshape(len(rows), -1).astype(np.float64)


def edges_of(values, n_bins):
    """Find the edges of the bins of a column.

    Parameters
    ----------
    values : ndarray of shape (n_rows,)
    n_bins : int

    Returns
    -------
    edges : ndarray of shape (n_edges,)
        Sorted, distinct, and at most ``n_bins + 1``: quantiles; and where several of
        them are one value, also quantiles of the distinct values.
    """
    edges = np.unique(np.quantile(values, np.linspace(0, 1, n_bins + 1)))
    n_left = n_bins + 1 - len(edges)
    distinct = np.unique(values)
    if n_left:
        # Only the values between those that are edges already.
        others = np.setdiff1d(distinct, edges)
        if len(others):
            shares = (np.arange(n_left) + 0.5) / n_left
            more = np.quantile(others, shares, method="nearest")
            edges = np.union1d(edges, more)
    return edges


def bins_of(table, n_bins):
    """Compute the linear functions of each column that rise from 0 to 1 over a bin.

    Parameters
    ----------
    table : ndarray of shape (n_rows, n_columns)
    n_bins : int

    Returns
    -------
    factors, shifts : ndarray of shape (n_columns, n_bins)
        Zeros for bins that a column has not.
    """
    factors, shifts = np.zeros((2, table.shape[1], n_bins))
    for i, values in enumerate(table.T):
        edges = edges_of(values, n_bins)
        widths = np.diff(edges)
        factors[i, : len(widths)] = 1 / widths
        shifts[i, : len(widths)] = -edges[:-1] / widths
    return factors, shifts


def robust_scale_of(table):
    """Compute the linear function of each column with median 0 and usual spread 1.

    The spread is that of the middle half of the values, in units of a normal
    distribution; half the range, where these are equal; and 1, where all are.

    Parameters
    ----------
    table : ndarray of shape (n_rows, n_columns)

    Returns
    -------
    factors, shifts : ndarray of shape (n_columns,)
    """
    low, median, high = np.quantile(table, [0.25, 0.5, 0.75], axis=0)
    with np.errstate(over="ignore"):
        spread = (high - low) / 1.349
    half = table.max(axis=0) / 2 - table.min(axis=0) / 2
    # The inverse of a smaller number is not finite in float32.
    least = np.finfo(np.float32).tiny
    spread = np.where(
        (spread >= least) & np.isfinite(spread),
        spread,
        np.where(half >= least, half, 1.0),
    )
    return 1 / spread, -median / spread


# ----------------------------------------------------------------------- categories


class Categories:
    """The columns of a table that are categories, and how their values become codes.

    Attributes
    ----------
    is_categorical : ndarray of bool of shape (n_columns,)
    """

    def __init__(self, chosen, X):
        """Learn which columns are categories.

        Parameters
        ----------
        chosen : "from_dtype" or array-like
            The parameter ``categorical_features``.
        X : array-like or dataframe of shape (n_samples, n_columns)
        """
        self.is_categorical = _mask_of(chosen, X)
        self._encoders = {}
        if not is_frame(X):
            return
        for position in np.flatnonzero(self.is_categorical):
            column = X[X.columns[position]]
            if not _holds_numbers(column):
                encoder = OrdinalEncoder(
                    handle_unknown="use_encoded_value", unknown_value=-1,
                    encoded_missing_value=-1,
                )  # fmt: skip
                self._encoders[int(position)] = encoder.fit(_as_table(column))

    def encode(self, X):
        """Copy a dataframe with codes in place of categories that are no numbers."""
        if not is_frame(X) or not self._encoders:
            return X
        if X.shape[1] != len(self.is_categorical):
            return X  # which the check of X says
        names = list(X.columns)
        codes = {
            names[position]: encoder.transform(_as_table(X[names[position]]))[:, 0]
            for position, encoder in self._encoders.items()
        }
        if hasattr(X, "assign"):  # of pandas
            return X.assign(**codes)
        replaced = [type(X[name])(name, values) for name, values in codes.items()]
        return X.with_columns(*replaced)

    def check(self, X, name):
        """Raise unless the codes of validated rows are whole numbers.

        Parameters
        ----------
        X : ndarray or LazyRows of shape (n_samples, n_timesteps, n_features)
        name : str
            The name of X in messages.
        """
        columns = np.flatnonzero(self.is_categorical)
        for rows in blocks_of(X):
            block = X[rows]
            codes = block.reshape(len(block), -1)[:, columns]
            bad = (codes != np.round(codes)) | (codes > _LARGEST_CODE)
            if bad.any():
                i, j = np.argwhere(bad)[0]
                row = np.arange(len(X))[rows][i]
                raise ValueError(
                    f"{name} must hold codes of categories in column {columns[j]}, "
                    f"which is one of categorical_features: whole numbers from 0 to "
                    f"{_LARGEST_CODE}, or negative ones for unknown, got "
                    f"{codes[i, j]} in row {row}. Make them with OrdinalEncoder."
                )

    def n_codes(self, X):
        """Count the codes of each column of categories: up to the largest one."""
        columns, largest = np.flatnonzero(self.is_categorical), 0
        for rows in blocks_of(X):
            block = X[rows]
            codes = block.reshape(len(block), -1)[:, columns]
            largest = np.maximum(largest, codes.max(axis=0))
        return tuple(int(one) + 1 for one in np.broadcast_to(largest, len(columns)))


def _mask_of(chosen, X):
    """Get the columns that ``categorical_features`` chooses, as a mask."""
    n_columns = X.shape[1] if hasattr(X, "shape") else np.shape(X)[1]
    names = list(X.columns) if is_frame(X) else None
    if isinstance(chosen, str):  # "from_dtype"
        is_category = [_is_category(X[name]) for name in names or ()]
        return np.array(is_category or np.zeros(n_columns), bool)
    chosen = np.asarray(chosen)
    mask = np.zeros(n_columns, bool)
    if chosen.dtype.kind == "b" and chosen.shape == mask.shape:
        return chosen.copy()
    if chosen.dtype.kind in "OUT" and names is not None and chosen.ndim == 1:
        unknown = [name for name in chosen.tolist() if name not in names]
        if unknown:
            raise ValueError(
                f"categorical_features must hold names of columns of X, got "
                f"{unknown[0]!r}.{nearest(unknown[0], names)}"
            )
        mask[[names.index(name) for name in chosen.tolist()]] = True
        return mask
    if not chosen.size:
        return mask
    if (
        chosen.dtype.kind in "iu"
        and chosen.ndim == 1
        and chosen.min() > -1
        and chosen.max() < n_columns
    ):
        mask[chosen] = True
        return mask
    raise ValueError(
        f"categorical_features must be 'from_dtype', positions of columns from 0 to "
        f"{n_columns - 1}, names of columns of a dataframe, or a mask with an entry "
        f"for each column, got {chosen.tolist()}."
    )


def _is_category(column):
    return str(column.dtype).lower().startswith(("category", "categorical", "enum"))


def _holds_numbers(column):
    return not _is_category(column) and np.asarray(column).dtype.kind in "biuf"


def _as_table(column):
    return np.asarray(column, object).reshape(-1, 1)
