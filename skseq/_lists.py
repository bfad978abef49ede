"""Lists of rows, and other kinds of rows that a caller may pass."""

import datetime

import numpy as np
import scipy.sparse

from skseq._padded import blocks_of


def is_frame(X):
    """Check whether X is a dataframe of pandas, polars or another library."""
    return hasattr(X, "columns") and hasattr(X, "shape") and not callable(X.columns)


def is_pandas(X):
    """Check whether X is a dataframe of pandas."""
    return is_frame(X) and hasattr(X, "iloc")


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


def holds_texts(X):
    """Check whether X is a text, or a list, array or series of texts."""
    if len(getattr(X, "shape", (0,))) == 1 and hasattr(X, "__iter__"):
        X = X if isinstance(X, (str, bytes)) else next(iter(X), None)
    return isinstance(X, (str, bytes))


# ------------------------------------------------------------------------ lists


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
    # An array in a file is not read.
    dtypes = [getattr(part, "dtype", None) for part in parts]
    return all(
        (dtype if isinstance(dtype, np.dtype) else np.asarray(part).dtype).kind in "biu"
        for part, dtype in zip(parts, dtypes, strict=True)
    )


def as_listed(rows, given):
    """Put a list of rows into an array of objects, if they came in one."""
    if isinstance(given, (list, tuple)):
        return rows
    array = np.empty(len(rows), dtype=object)
    for i, row in enumerate(rows):  # `array[:] = rows` fails for equal lengths
        array[i] = row
    return array


def as_given(rows, given):
    """Convert rows to the type of container of X."""
    if isinstance(rows, list):
        is_nested = all(isinstance(row, (list, tuple)) for row in given)
        return as_listed([r.tolist() for r in rows] if is_nested else rows, given)
    if is_pandas(given):
        return type(given)(rows, columns=given.columns).astype(given.dtypes)
    if is_frame(given):  # of polars
        return type(given)(rows, schema=list(given.columns)).cast(dict(given.schema))
    return rows.tolist() if isinstance(given, list) else rows


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
    if array.dtype.kind == "O" and not is_no_number(array):
        array = array.astype(np.float64)
    if array.dtype.kind not in "fiub":
        remedy = DATES if is_date(array) else WORDS
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


# ------------------------------------------------------------ what is no number

DATES = "Convert it to numbers, such as days since a date or the month, or drop it."
WORDS = (
    "Encode it as numbers, for instance by OneHotEncoder in a ColumnTransformer, or "
    "drop it."
)


def is_date(values):
    if values.dtype.kind == "O":
        # Dates with a time zone are objects in an array.
        kinds = (datetime.date, datetime.timedelta)
        return any(isinstance(value, kinds) for value in values.ravel()[:1])
    return values.dtype.kind in "Mm"


def is_no_number(values):
    if values.dtype.kind == "c":  # scikit-learn says so
        return False
    try:
        values.astype(float)
    except (TypeError, ValueError):
        return True
    return is_date(values)


def check_amounts(X, why):
    """Raise if X, as passed by the caller, holds integers.

    Parameters
    ----------
    X : array-like or dataframe
    why : str
        A sentence about token ids.
    """
    if is_list_of_rows(X):
        rows = checked_rows(X, "X", dtype=None, may_be_nan=True)
        dtypes = {"X": rows[0].dtype}
    elif is_frame(X):
        dtypes = {f"column {name!r}": np.asarray(X[name]).dtype for name in X.columns}
    else:
        dtypes = {"X": np.asarray(X).dtype}
    for name, dtype in dtypes.items():
        if dtype.kind in "biu":
            raise ValueError(
                f"X must hold measured values, got whole numbers of dtype {dtype} in "
                f"{name}, which look like token ids. {why} Use SequenceResampler with "
                f"RandomOverSampler, or X.astype(float) if they are measured values."
            )
