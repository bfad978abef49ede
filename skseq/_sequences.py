"""Checks of sequences."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import scipy.sparse
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data

from skseq._lazy_array import LazyArray, LazyRows, as_lazy, positions_of
from skseq._lists import (
    DATES,
    WORDS,
    check_list,
    holds_texts,
    is_date,
    is_frame,
    is_list_of_rows,
    is_no_number,
)
from skseq._padded import PADDING, PaddedRows, blocks_of, padded
from skseq._validation import naming
from skseq._window_array import WindowArray, as_rows, check_finite


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
    # NumPy would read a generator as one object, and a data set perhaps without an end.
    is_iterable = hasattr(X, "__iter__") or hasattr(X, "__getitem__")
    if is_iterable and not (isinstance(X, Sequence) or hasattr(X, "__array__")):
        raise TypeError(
            f"{name} must be an array, a dataframe or a list of sequences, got an "
            f"object of type {type(X).__name__}. Pass arrays, or call partial_fit for "
            f"each batch."
        )
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
    windows=False,
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
    windows : bool
        Whether a `WindowArray` is returned as rows that are gathered later, and a large
        `LazyArray` as rows that are read later. Otherwise they are taken as arrays.

    Returns
    -------
    X : ndarray of shape (n_samples, n_timesteps, n_features), C-ordered, PaddedRows, \
            GatheredRows or LazyRows
        `PaddedRows` for a list of rows and for windows with padding, `GatheredRows` for
        other windows, `LazyRows` for a large array in a file. With ``as_is`` of the
        shape of X.
    """
    if isinstance(X, WindowArray) and windows:
        return _check_windows(
            estimator, X, reset, name, n_timesteps, min_rows, dtype, mask_value,
            any_length,
        )  # fmt: skip
    X = as_lazy(X, name)
    if isinstance(X, LazyArray):
        if windows and not X.fits_in_memory:
            return _check_lazy(
                estimator, X, name, min_rows, mask_value,
                reset=reset, n_timesteps=n_timesteps, dtype=dtype, as_is=as_is,
                any_length=any_length,
            )  # fmt: skip
        X = X.loaded(dtype)
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
    _check_dense(X, name)
    n_dimensions = _n_dimensions(X, name)
    if n_dimensions == 1 and holds_texts(X):
        raise ValueError(
            f"{name} must hold numbers, got texts. Put TextSequencer() before the "
            f"network, and set embedding_dim of the network, for instance to 32."
        )
    if n_dimensions < 2 or (n_dimensions > 3 and not as_is):
        more = " or more" if as_is else ""
        if n_dimensions > 3:
            remedy = (
                f"Join the last dimensions, for instance "
                f"{name}.reshape(*{name}.shape[:2], -1)."
            )
        else:
            remedy = (
                f"Reshape your data, for instance {name}.reshape(1, -1) if it is a "
                f"single row. make_windows cuts a long series into sequences."
            )
        raise ValueError(
            f"{name} must have 2 dimensions (n_samples, n_columns) or 3{more} "
            f"(n_samples, n_timesteps, n_features), got {n_dimensions}. {remedy}"
        )
    _check_n_dimensions(estimator, n_dimensions, reset, name)
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
    if is_masked_by_nan and X.dtype.kind == "f":
        _check_whole_steps(X, name)
    if reset:
        estimator._n_dimensions_in = n_dimensions
    return X


def _check_n_dimensions(estimator, n_dimensions, reset, name):
    if reset or n_dimensions == estimator._n_dimensions_in:
        return
    remedies = {
        (3, 2): f" For a single sequence pass {name}[None]; reshape a table to "
        f"(n_samples, n_timesteps, n_features).",
        (2, 3): f" Pass a table with the columns of fit, for instance "
        f"{name}.reshape(len({name}), -1).",
    }
    raise ValueError(
        f"{name} must have {estimator._n_dimensions_in} dimensions, as the X that "
        f"{type(estimator).__name__} was fitted on, got {n_dimensions}."
        f"{remedies.get((estimator._n_dimensions_in, n_dimensions), '')}"
    )


def _check_windows(
    estimator, X, reset, name, n_timesteps, min_rows, dtype, mask_value, any_length
):
    """Validate windows, and return rows that are gathered later."""
    if len(X) < min_rows:
        raise ValueError(
            f"{name} must have at least {min_rows} windows, got {len(X)}: a minimum of "
            f"{min_rows} is required by {type(estimator).__name__}."
        )
    _check_n_dimensions(estimator, 3, reset, name)
    _check_cube(estimator, X, reset, name, n_timesteps, any_length)
    if isinstance(dtype, list | tuple):
        dtype = X.dtype if X.dtype in dtype else dtype[0]
    is_masked_by_nan = mask_value is not None and np.isnan(mask_value)
    check_finite(X, name, dtype, is_masked_by_nan)
    if reset:
        estimator._n_dimensions_in = 3
    return as_rows(X, dtype, mask_value)


def _check_lazy(estimator, X, name, min_rows, mask_value, **options):
    """Validate a large array in a file, and return rows that are read later."""
    if len(X) < min_rows:
        raise ValueError(
            f"{name} must have at least {min_rows} rows, got {len(X)}: a minimum of "
            f"{min_rows} is required by {type(estimator).__name__}."
        )
    # One row stands for shape, dtype and names.
    row = check_sequences(
        estimator, X[:1].loaded(options["dtype"]), name=name, may_be_nan=True,
        **options,
    )  # fmt: skip
    is_masked_by_nan = mask_value is not None and np.isnan(mask_value)
    check = partial(_check_finite, name, is_masked_by_nan)
    rows = LazyRows(X, row.dtype, row.shape[1:])
    if not options["reset"]:
        return replace(rows, check=check)  # when they are read
    for positions in blocks_of(rows):
        check(rows[positions], positions_of(positions, len(rows)))
    return rows


def _check_finite(name, is_masked_by_nan, block, numbers):
    """Raise at the first value of a block that is not finite.

    Parameters
    ----------
    name : str
        The name of X in messages.
    is_masked_by_nan : bool
        Whether timesteps in which all features are NaN are padding.
    block : ndarray of shape (n_rows, n_timesteps, n_features)
    numbers : ndarray of int of shape (n_rows,)
        Those of the rows in X.
    """
    bad = np.isinf(block) if is_masked_by_nan else ~np.isfinite(block)
    if bad.any():
        i, *rest = np.argwhere(bad)[0].tolist()
        if np.isnan(block[i, *rest]):
            raise ValueError(
                f"{name} must have no missing values, got NaN in {name}[{numbers[i]}]. "
                f"Fill them in, or leave out rows with missing values, before the file "
                f"is written."
            )
        raise ValueError(
            f"{name} must hold finite numbers, got infinity, or a value too large for "
            f"{block.dtype}, in {name}[{numbers[i]}]."
        )
    if is_masked_by_nan:
        _check_whole_steps(block, name, numbers)


def _check_whole_steps(X, name, numbers=None):
    """Raise at NaN in some features of a timestep alone.

    In messages, rows have the given numbers.
    """
    for rows in blocks_of(X):
        missing = np.isnan(X[rows])
        bad = (missing.any(axis=2) & ~missing.all(axis=2)).any(axis=1)
        if bad.any():
            number = rows.start + bad.argmax()
            number = number if numbers is None else numbers[number]
            raise ValueError(
                f"{name} must have no missing values, got NaN in some features of a "
                f"timestep of {name}[{number}]: with "
                f"mask_value=nan, a timestep is padding only where all features are "
                f"NaN. Fill in the missing values, for instance with "
                f"sklearn.impute.SimpleImputer on the rows of {name}.reshape(-1, "
                f"{X.shape[2]}) that are not padding."
            )


def _check_dense(X, name):
    if scipy.sparse.issparse(X):
        raise TypeError(
            f"{name} must be dense, got a sparse {type(X).__name__}. Sparse data is "
            f"not supported: use {name}.toarray(), or in a pipeline "
            f"OneHotEncoder(sparse_output=False) or "
            f"ColumnTransformer(sparse_threshold=0)."
        )


def checked_array(estimator, X, n_dimensions, reset, name, **checks):
    """Call scikit-learn's check of X; errors name X, or a column of a dataframe."""
    _check_dense(X, name)
    if checks["dtype"] is not None:
        _check_columns(X, name, is_date, DATES)
    with naming(name):
        try:
            if n_dimensions == 2:
                return validate_data(estimator, X, reset=reset, **checks)
            caller = type(estimator).__name__
            return check_array(
                X, allow_nd=True, input_name=name, estimator=caller, **checks
            )
        except (TypeError, ValueError) as error:
            if f"nput {name} " not in str(error):
                _check_columns(X, name, is_no_number, WORDS)
                _check_no_text(X, name)
            raise


def checked_table(estimator, X, left_out=(), name="X"):
    """Validate a table, which may hold NaN, and leave out columns.

    Parameters
    ----------
    estimator : object
        Named in messages.
    X : ndarray or dataframe of shape (n_rows, n_columns)
    left_out : list
        Columns: names of a dataframe, positions in an array.
    name : str
        The name of X in messages.

    Returns
    -------
    table : ndarray of shape (n_rows, n_left)
        Not copied if X is an array of numbers and no column is left out.
    names : list or None
        The names of its columns, for a dataframe.
    """
    _check_dense(X, name)
    names = None
    if is_frame(X):
        names = [c for c in X.columns if c not in left_out]
        X = X[names]
        _check_columns(X, name, is_date, f"Pass its name as time. {DATES}")
        _check_columns(X, name, is_no_number, WORDS)
    elif left_out:
        kept = [c for c in range(X.shape[1]) if c not in left_out]
        X = X[:, kept]
    if not X.shape[1]:
        raise ValueError(
            f"{name} must have a column that is a feature, got only {left_out}."
        )
    with naming(name, "must hold numbers"):
        table = check_array(
            X, dtype="numeric", ensure_all_finite=False, input_name=name,
            estimator=estimator,
        )  # fmt: skip
    return table, names


def _check_columns(X, name, is_bad, remedy):
    """Raise an error that names the first bad column of a dataframe."""
    if not is_frame(X):
        return
    for column in X.columns:
        values = np.asarray(X[column])
        if values.ndim == 1 and is_bad(values):
            if values.dtype.kind == "O" and np.ndim(values[0]):
                raise ValueError(
                    f"{name} must hold numbers, got a series or array in each cell of "
                    f"column {column!r}. Pass a list of sequences: [np.column_stack("
                    f"row) for row in {name}.to_numpy()]."
                )
            raise ValueError(
                f"{name} must hold numbers, got column {column!r} of dtype "
                f"{X[column].dtype}. {remedy}"
            )


def _check_no_text(X, name):
    """Raise an error that names the first text of an array, if it is no number."""
    values = np.asarray(X)
    for value in values.ravel().tolist() if values.dtype.kind in "OSUT" else ():
        if isinstance(value, (str, bytes)) and is_no_number(np.asarray(value)):
            raise ValueError(
                f"{name} must hold numbers, got {value!r}. Encode texts as numbers, "
                f"for instance by OneHotEncoder in a ColumnTransformer."
            )


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
    any_length_remedy = getattr(estimator, "_any_length_remedy", "")
    for what, got, fitted, remedy in (
        ("timesteps", X.shape[1], n_expected, any_length_remedy),
        ("features", X.shape[2], estimator.n_features_in_, ""),
    ):
        if got != fitted:
            raise ValueError(
                f"{name} has {got} {what}, but {type(estimator).__name__} is expecting "
                f"{fitted} {what} as input.{remedy}"
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
    return int(n_timesteps)  # True is an int of Python, and no size of NumPy


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
