"""Checks of sequences, and all rules about padding.

NaN has one meaning: with ``mask_value=nan``, a timestep is padding if all its features
are NaN. Any other NaN is a missing value.
"""

import math
from dataclasses import dataclass
from numbers import Integral

import numpy as np
import scipy.sparse
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data

# The value of padding in the input of networks. No other value is as small.
PADDING = float(np.finfo(np.float32).min)


# ------------------------------------------------------------------------ padding


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


# ------------------------------------------------------------------------ any rows


def is_frame(X):
    """Check whether X is a dataframe of pandas, polars or another library."""
    return hasattr(X, "columns") and hasattr(X, "shape") and not callable(X.columns)


def take_rows(X, index):
    """Take rows of an argument of the caller, and keep its type.

    Parameters
    ----------
    X : array, dataframe, series or list
    index : ndarray of int or None
        None: X itself.
    """
    if index is None:
        return X
    if hasattr(X, "iloc"):
        return X.iloc[index]
    if isinstance(X, (list, tuple)):
        return [X[i] for i in index]
    return X[index]


# --------------------------------------------------------- rows of unequal length

# The number of values in a block of rows.
_BLOCK_VALUES = 2**20


def blocks_of(X):
    """Yield slices of the rows of a list, or of an array larger than memory."""
    largest = max(map(np.size, X)) if isinstance(X, list) else math.prod(X.shape[1:])
    size = max(_BLOCK_VALUES // largest, 1)
    for start in range(0, len(X), size):
        yield slice(start, start + size)


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
        None: that of the rows.

    Returns
    -------
    X : ndarray of shape (n_samples, n_timesteps, n_features), C-ordered
    """
    if n_timesteps is None:
        n_timesteps = max(map(len, rows))
    shape = (len(rows), n_timesteps, rows[0].shape[1])
    X = np.full(shape, value, rows[0].dtype if dtype is None else dtype)
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
    X : ndarray or memmap of shape (n_samples, n_timesteps_in, n_features)
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

    X: np.ndarray
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

        Rows on disk, which may be larger than memory, stay where they are.
        """
        base = self.X
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
        check_padding(X[counts == 0], mask_value)  # raises
    return PaddedRows(X, mask_value, counts, int(counts.max()))


def _depth(row):
    """Get the number of dimensions of an array, dataframe or nested list."""
    shape = getattr(row, "shape", None)
    if isinstance(shape, tuple):
        return len(shape)
    if isinstance(row, (list, tuple)):
        return 1 + (_depth(row[0]) if len(row) else 0)
    return 0


def is_list_of_rows(X):
    """Check whether X is a list of rows, which may differ in their lengths.

    A list of 2-D arrays of one length is one too. A list of rows of a table is not.

    Parameters
    ----------
    X : object
    """
    if not isinstance(X, (list, tuple)):
        kind = getattr(getattr(X, "dtype", None), "kind", None)
        if kind != "O" or _depth(X) != 1:
            return False
    depths = {_depth(row) for row in X}
    if depths == {1}:
        # Not an array of numbers; `checked_rows` says what to do.
        return len({len(row) for row in X}) > 1
    return len(depths) > 0 and max(depths) > 1


def is_whole(X):
    """Check whether an array-like or list of rows, no dataframe, holds integers."""
    parts = X if is_list_of_rows(X) else [X]
    return all(np.asarray(part).dtype.kind in "biu" for part in parts)


def as_listed(rows, given):
    """Put a list of rows into an array of objects, if they came in one."""
    if isinstance(given, (list, tuple)):
        return rows
    array = np.empty(len(rows), dtype=object)
    for i, row in enumerate(rows):  # `array[:] = rows` fails for equal lengths
        array[i] = row
    return array


def checked_rows(X, name, n_features=None, dtype=np.float32, may_be_nan=False):
    """Validate a list of rows of different lengths.

    Parameters
    ----------
    X : list, tuple or 1-D array of objects, of array-likes or dataframes of shape \
            (n_timesteps_i, n_features)
    name : str
        The name of X in messages.
    n_features : int or None
        The number of features that each row must have. None: as the first row.
    dtype : dtype, list of dtype, "numeric" or None
        The dtype of the result. For a list: the common dtype of the rows if it is in
        the list, and otherwise the first one. None or "numeric": the common dtype.
    may_be_nan : bool
        Whether rows may hold NaN.

    Returns
    -------
    rows : list of ndarray of shape (n_timesteps_i, n_features)
        Not copied where they are arrays of this dtype.

    Raises
    ------
    ValueError, TypeError
        With the position of the first row that can't be used.
    """
    columns = None
    rows = []
    for i, row in enumerate(X):
        if type(row) is not np.ndarray or row.dtype.kind not in "fiub":
            if is_frame(row):
                columns = _same_names(f"{name}[{i}]", row, columns)
            row = _checked_row(f"{name}[{i}]", row)
        if row.ndim != 2 or 0 in row.shape:
            raise _shape_error(f"{name}[{i}]", row.shape)
        rows.append(row)
    found = [row.shape[1] for row in rows]
    fitted = "as in fit" if n_features else f"as {name}[0]"
    n_features = n_features or found[0]
    for i, n_found in enumerate(found):
        if n_found != n_features:
            raise ValueError(
                f"{name}[{i}] must have {n_features} features, {fitted}, got "
                f"{n_found}. Rows are arrays of shape (n_timesteps, n_features), and "
                f"may differ in their timesteps alone."
            )
    common = np.result_type(*{row.dtype for row in rows})
    if isinstance(dtype, list):
        dtype = common if common in dtype else dtype[0]
    keeps_dtype = dtype is None or isinstance(dtype, str)
    dtype = np.dtype(common if keeps_dtype else dtype)
    with np.errstate(over="ignore"):  # checked below
        rows = [row.astype(dtype, order="C", copy=False) for row in rows]
    if dtype.kind == "f":
        _check_finite(rows, name, may_be_nan)
    return rows


def _same_names(name, row, columns):
    names = list(row.columns)
    if columns is not None and names != columns:
        raise ValueError(
            f"{name} must have the columns of the rows before, {columns}, in this "
            f"order, got {names}."
        )
    return names


def _checked_row(name, row):
    """Convert a row to an array of numbers."""
    if scipy.sparse.issparse(row):
        raise TypeError(
            f"{name} must be dense, got a sparse {type(row).__name__}. Sparse data is "
            f"not supported; use toarray()."
        )
    try:
        array = np.asarray(row)
    except ValueError as error:
        raise ValueError(
            f"{name} must be an array of shape (n_timesteps, n_features), got "
            f"timesteps with different numbers of features: {error}"
        ) from error
    if array.ndim != 2:
        raise _shape_error(name, array.shape)
    if array.dtype.kind == "O" and not _is_no_number(array):
        array = array.astype(np.float64)
    if array.dtype.kind not in "fiub":
        remedy = _DATES if _is_date(array) else _WORDS
        raise ValueError(f"{name} must hold numbers, got dtype {array.dtype}. {remedy}")
    return array


def _shape_error(name, shape):
    if len(shape) == 1:
        remedy = "Use row.reshape(-1, 1) for rows with one feature."
    elif len(shape) == 2:
        remedy = "Leave out rows without timesteps or features."
    else:
        remedy = "Each row of a list must be one sequence."
    return ValueError(
        f"{name} must have the shape (n_timesteps, n_features), with at least one "
        f"timestep and feature, got {shape}. {remedy}"
    )


def _check_finite(rows, name, may_be_nan):
    """Raise at the first row with a value that is not finite."""
    for block in blocks_of(rows):
        # One call for many rows is faster than a call for each.
        values = np.concatenate(rows[block])
        bad = np.isinf(values) if may_be_nan else ~np.isfinite(values)
        if not bad.any():
            continue
        step, feature = np.argwhere(bad)[0].tolist()
        ends = np.cumsum([len(row) for row in rows[block]])
        i = block.start + int(np.searchsorted(ends, step, side="right"))
        row = rows[i]
        step -= int(ends[i - block.start]) - len(row)
        where = f"in feature {feature} of timestep {step}"
        if np.isnan(row[step, feature]):
            raise ValueError(
                f"{name}[{i}] must have no missing values, got NaN {where}. Fill them "
                f"in, for instance with pandas.DataFrame(row).ffill().bfill(), or "
                f"leave out timesteps that were not recorded."
            )
        raise ValueError(
            f"{name}[{i}] must hold finite numbers, got infinity or a value too large "
            f"for {row.dtype} {where}."
        )


# ------------------------------------------------------------------------ the checks


def _n_dimensions(X, name):
    unequal = ValueError(
        f"{name} must be an array in which every row has the same number of timesteps "
        f"and features, got rows of different lengths. Pad them to one length."
    )
    shape = getattr(X, "shape", None)
    if shape is not None:
        # NumPy keeps sequences of different lengths as an array of objects.
        if (
            len(shape) == 1
            and np.asarray(X).dtype.kind == "O"
            and any(np.ndim(row) for row in X)
        ):
            raise unequal
        return len(shape)
    try:
        return np.asarray(X).ndim
    except ValueError as error:
        raise unequal from error


def check_sequences(
    estimator,
    X,
    *,
    reset,
    name="X",
    n_timesteps=None,
    min_rows=1,
    dtype=np.float32,
    may_be_nan=False,
    mask_value=None,
    as_is=False,
    any_length=False,
    lists=False,
):
    """Validate X, and return it as sequences.

    Parameters
    ----------
    estimator : estimator
        With ``reset``, its ``n_features_in_``, ``n_timesteps_in_``,
        ``feature_names_in_`` and ``_n_dimensions_in`` are set. Otherwise X is compared
        with them.
    X : array-like or dataframe of shape (n_samples, n_timesteps, n_features) or \
            (n_samples, n_columns)
    reset : bool
        Whether the estimator is being fitted on X.
    name : str
        The name of X in messages.
    n_timesteps : int or None
        For a 2-D X: the number of timesteps in its columns, step by step. None: each
        column is a timestep with one feature.
    min_rows : int
        The smallest number of rows that is accepted.
    dtype : dtype or list of dtype
        The dtype of the result. For a list: the dtype of X if it is in the list, and
        otherwise the first one.
    may_be_nan : bool
        Whether X may hold NaN.
    mask_value : float or None
        NaN: X may hold NaN in timesteps that are padding.
    any_length : bool
        Whether a 3-D X or the rows of a list may have another number of timesteps than
        in the fit. Otherwise the rows of a list may be shorter.
    lists : bool
        Whether X may be a list of rows.
    as_is : bool
        Whether a 2-D X without ``n_timesteps`` stays a table, and X may have more than
        3 dimensions.

    Returns
    -------
    X : ndarray of shape (n_samples, n_timesteps, n_features), C-ordered, or PaddedRows
        `PaddedRows` for a list of rows. With ``as_is`` of the shape of X.
    """
    if lists and is_list_of_rows(X):
        rows = check_list(
            estimator, X, reset=reset, name=name, n_timesteps=n_timesteps,
            min_rows=min_rows, dtype=dtype, may_be_nan=may_be_nan,
            any_length=any_length,
        )  # fmt: skip
        counts = np.array([len(row) for row in rows])
        # Whole numbers remain whole.
        value = PADDING if rows[0].dtype.kind == "f" else 0
        X = padded(rows, value=value)
        return PaddedRows(X, value, counts, X.shape[1], is_ready=value == PADDING)
    if scipy.sparse.issparse(X):
        raise TypeError(
            f"{name} must be dense, got a sparse {type(X).__name__}. Sparse data is "
            f"not supported; use {name}.toarray()."
        )
    n_dimensions = _n_dimensions(X, name)
    caller = type(estimator).__name__
    if n_dimensions < 2 or (n_dimensions > 3 and not as_is):
        more = " or more" if as_is else ""
        raise ValueError(
            f"{name} must have 2 dimensions (n_samples, n_columns) or 3{more} "
            f"(n_samples, n_timesteps, n_features), got {n_dimensions}. Reshape your "
            f"data, for instance {name}.reshape(1, -1) if it is a single row."
        )
    if not reset and n_dimensions != estimator._n_dimensions_in:
        raise ValueError(
            f"{name} must have {estimator._n_dimensions_in} dimensions, as the X that "
            f"{caller} was fitted on, got {n_dimensions}."
        )
    is_masked_by_nan = mask_value is not None and np.isnan(mask_value)
    X = checked_array(
        estimator,
        X,
        n_dimensions,
        reset,
        name,
        dtype=dtype,
        order="C",
        ensure_min_samples=min_rows,
        ensure_all_finite="allow-nan" if may_be_nan or is_masked_by_nan else True,
    )
    if X.ndim == 3:
        X = _check_cube(estimator, X, reset, name, n_timesteps, any_length)
    elif X.ndim == 2 and (not as_is or _is_folded(estimator, reset, n_timesteps)):
        X = _fold_columns(estimator, X, reset, name, n_timesteps)
    else:
        _check_as_is(estimator, X, reset, name, n_timesteps, mask_value)
    if is_masked_by_nan:
        _check_whole_steps(X, name)
    if reset:
        estimator._n_dimensions_in = n_dimensions
    return X


def _check_whole_steps(X, name):
    """Raise at NaN in some features of a timestep alone."""
    for rows in blocks_of(X):
        missing = np.isnan(X[rows])
        bad = (missing.any(axis=2) & ~missing.all(axis=2)).any(axis=1)
        if bad.any():
            raise ValueError(
                f"{name} must have no missing values, got NaN in some features of a "
                f"timestep of {name}[{rows.start + bad.argmax()}]: with "
                f"mask_value=nan, a timestep is padding only where all features are "
                f"NaN. Fill in the missing values, for instance with "
                f"sklearn.impute.SimpleImputer on the rows of {name}.reshape(-1, "
                f"{X.shape[2]}) that are not padding."
            )


def check_list(
    estimator,
    X,
    *,
    reset,
    name="X",
    n_timesteps=None,
    min_rows=1,
    dtype=np.float32,
    may_be_nan=False,
    any_length=False,
):
    """Validate a list of rows, and return a list of arrays; see `check_sequences`."""
    caller = type(estimator).__name__
    if len(X) < min_rows:
        raise ValueError(
            f"{name} must have at least {min_rows} rows, got {len(X)}: a minimum of "
            f"{min_rows} is required by {caller}."
        )
    if reset and n_timesteps is not None:
        raise ValueError(
            f"n_timesteps must be None for a list of rows, got {n_timesteps}. It is "
            f"for the columns of a table."
        )
    if not reset and estimator._n_dimensions_in != 3:
        raise ValueError(
            f"{name} must have 2 dimensions, as the X that {caller} was fitted on, got "
            f"a list of rows. Arrange their values in the columns of a table."
        )
    if isinstance(dtype, tuple):
        dtype = list(dtype)
    rows = checked_rows(
        X, name, None if reset else estimator.n_features_in_, dtype, may_be_nan
    )
    counts = [len(row) for row in rows]
    longest = max(counts)
    if reset:
        vars(estimator).pop("feature_names_in_", None)
        estimator.n_timesteps_in_, estimator.n_features_in_ = longest, rows[0].shape[1]
        estimator._n_dimensions_in = 3
    elif longest > estimator.n_timesteps_in_ and not any_length:
        raise ValueError(
            f"{name}[{counts.index(longest)}] has {longest} timesteps, but {caller} is "
            f"expecting at most {estimator.n_timesteps_in_}, those of the longest row "
            f"of fit. Cut longer rows, for instance with SequencePadder."
        )
    return rows


_DATES = "Convert it to numbers, such as days since a date or the month, or drop it."
_WORDS = (
    "Encode it as numbers, for instance by OneHotEncoder in a ColumnTransformer, or "
    "drop it."
)


def checked_array(estimator, X, n_dimensions, reset, name, **checks):
    """Call scikit-learn's check of X; errors name X, or a column of a dataframe."""
    if checks["dtype"] is not None:
        _check_columns(X, name, _is_date, _DATES)
    try:
        # A float64 too large for float32 becomes infinity, which raises below.
        with np.errstate(over="ignore"):
            if n_dimensions == 2:
                return validate_data(estimator, X, reset=reset, **checks)
            caller = type(estimator).__name__
            return check_array(
                X, allow_nd=True, input_name=name, estimator=caller, **checks
            )
    except (TypeError, ValueError) as error:
        if f"nput {name} " in str(error):
            raise
        _check_columns(X, name, _is_no_number, _WORDS)
        if isinstance(error, TypeError):
            raise
        raise ValueError(f"{name} can't be used: {error}") from error


def _check_columns(X, name, is_bad, remedy):
    """Raise an error that names the first bad column of a dataframe."""
    if not is_frame(X):
        return
    for column in X.columns:
        values = np.asarray(X[column])
        if values.ndim == 1 and is_bad(values):
            raise ValueError(
                f"{name} must hold numbers, got column {column!r} of dtype "
                f"{X[column].dtype}. {remedy}"
            )


def _is_date(values):
    return values.dtype.kind in "Mm"


def _is_no_number(values):
    try:
        values.astype(float)
    except (TypeError, ValueError):
        return True
    return _is_date(values)


def check_kind(X):
    """Raise unless an array holds numbers."""
    if X.dtype.kind not in "biuf":
        raise TypeError(
            f"X must hold numbers, got dtype {X.dtype}. Encode such columns as numbers "
            f"first."
        )


def _check_cube(estimator, X, reset, name, n_timesteps, any_length):
    if 0 in X.shape[1:]:
        raise ValueError(
            f"{name} must have at least one timestep and one feature, got shape "
            f"{X.shape}."
        )
    if reset:
        if n_timesteps is not None and n_timesteps != X.shape[1]:
            raise ValueError(
                f"n_timesteps={n_timesteps} does not agree with {name}, which has "
                f"{X.shape[1]} timesteps. Leave n_timesteps=None for a 3-D {name}."
            )
        vars(estimator).pop("feature_names_in_", None)
        estimator.n_timesteps_in_, estimator.n_features_in_ = X.shape[1:]
    n_expected = X.shape[1] if any_length else estimator.n_timesteps_in_
    for what, got, fitted in (
        ("timesteps", X.shape[1], n_expected),
        ("features", X.shape[2], estimator.n_features_in_),
    ):
        if got != fitted:
            raise ValueError(
                f"{name} has {got} {what}, but {type(estimator).__name__} is expecting "
                f"{fitted} {what} as input."
            )
    return X


def _check_as_is(estimator, X, reset, name, n_timesteps, mask_value):
    """Check a table, or an X of more than three dimensions, such as images."""
    if reset:
        for what, value in (("n_timesteps", n_timesteps), ("mask_value", mask_value)):
            if value is not None:
                raise ValueError(
                    f"{what} must be None for an {name} of {X.ndim} dimensions, got "
                    f"{value}. Set n_timesteps for a table whose rows are sequences."
                )
        vars(estimator).pop("n_timesteps_in_", None)
        if X.ndim > 3:
            vars(estimator).pop("feature_names_in_", None)
            estimator.n_features_in_ = X.shape[-1]
    elif X.shape[1:] != estimator._X_shape[1:]:
        raise ValueError(
            f"{name} must have rows of shape {estimator._X_shape[1:]}, as the X that "
            f"{type(estimator).__name__} was fitted on, got {X.shape[1:]}."
        )


def _is_folded(estimator, reset, n_timesteps):
    """Check whether the columns of a table are timesteps, or were in ``fit``."""
    return n_timesteps is not None if reset else hasattr(estimator, "n_timesteps_in_")


def _fold_columns(estimator, X, reset, name, n_timesteps):
    if reset:
        remedy = "arrange them with SequenceReshaper"
        estimator.n_timesteps_in_ = timesteps_of(X.shape[1], n_timesteps, remedy, name)
    return X.reshape(len(X), estimator.n_timesteps_in_, -1)


def timesteps_of(n_columns, n_timesteps, remedy, name="X"):
    """Get the number of timesteps in columns, or raise if it does not divide them.

    Parameters
    ----------
    n_columns : int
    n_timesteps : int or None
        None: each column is a timestep.
    remedy : str
        The end of the message.
    name : str
        The name of X in the message.
    """
    if n_timesteps is None:
        return n_columns
    if n_columns % n_timesteps:
        raise ValueError(
            f"n_timesteps={n_timesteps} must divide the number of columns of {name}, "
            f"got {n_columns} columns. Drop or add columns, or {remedy}."
        )
    return n_timesteps


def check_same_columns(fitted, estimator, what):
    """Raise if the columns of X differ from those that a part was fitted on.

    Parameters
    ----------
    fitted : estimator
        The part, such as an autoencoder that was fitted before.
    estimator : estimator
        The estimator that has validated X.
    what : str
        The name of the part in messages.
    """
    theirs = getattr(fitted, "feature_names_in_", None)
    ours = getattr(estimator, "feature_names_in_", None)
    if theirs is not None and ours is not None and not np.array_equal(theirs, ours):
        differing = [
            f"{our!r} where it has {their!r}"
            for our, their in zip(ours, theirs, strict=False)
            if our != their
        ]
        raise ValueError(
            f"{what} must be fitted on the columns of X in the same order, got "
            f"{', '.join(differing[:3]) or f'{len(ours)} columns for {len(theirs)}'}. "
            f"Pass X with the columns {theirs[:3].tolist()} and so on, or fit it again."
        )
