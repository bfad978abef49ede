"""The boundary: every rule about the shape and kind of what a caller passes in.

Also the only place that imports scikit-learn's parameter constraints, which are not
public, though most packages built on scikit-learn use them.
"""

import difflib
import functools
from numbers import Integral, Real

import numpy as np
import scipy.sparse
from sklearn.utils import check_array, column_or_1d
from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    StrOptions,
    validate_parameter_constraints,
)
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import validate_data

__all__ = [
    "HasMethods",
    "Interval",
    "StrOptions",
    "check_labels",
    "check_parameters",
    "check_per_layer",
    "check_rates",
    "check_rows",
    "check_sequences",
    "check_sizes",
    "check_weights",
    "nearest",
    "restores_on_error",
]


def check_parameters(estimator):
    """Raise if a parameter is outside the classes' ``_parameter_constraints``.

    Each class of the MRO declares those of the parameters that it adds.
    """
    constraints = {}
    for cls in reversed(type(estimator).__mro__):
        constraints |= vars(cls).get("_parameter_constraints", {})
    validate_parameter_constraints(
        constraints,
        estimator.get_params(deep=False),
        caller_name=type(estimator).__name__,
    )


def nearest(name, names):
    """The end of a message that suggests a name, or lists them; starts with a space."""
    close = difflib.get_close_matches(str(name), [str(n) for n in names], n=1)
    if close:
        return f" Did you mean {close[0]!r}?"
    return f" Expected one of {sorted(str(n) for n in names)}."


def restores_on_error(method):
    """Make a fit-like method leave the estimator as it was when it raises.

    Also a ``RandomState`` parameter is wound back. This holds for every exception, a
    ``KeyboardInterrupt`` among them, as long as the method replaces attributes and does
    not change their values in place.
    """

    @functools.wraps(method)
    def wrapper(self, *args, **kwargs):
        before = dict(vars(self))
        random_state = before.get("random_state")
        if isinstance(random_state, np.random.RandomState):
            random_before = random_state.get_state()
        try:
            return method(self, *args, **kwargs)
        except BaseException:
            vars(self).clear()
            vars(self).update(before)
            if isinstance(random_state, np.random.RandomState):
                random_state.set_state(random_before)
            raise

    return wrapper


def check_per_layer(name, value, n_layers=None, *, valid, expected):
    """One value for each layer, as a tuple.

    Parameters
    ----------
    name : str
        The parameter, for messages.
    value : object, list or tuple
        One value for all layers, or a list or tuple with one for each.
    n_layers : int or None
        How many are needed; None: as many as ``value`` holds, a lone value is one.
    valid : callable
        Tells whether one value will do.
    expected : str
        What one value has to be, for messages.
    """
    if not isinstance(value, (list, tuple)):
        values = (value,) * (1 if n_layers is None else n_layers)
    else:
        values = tuple(value)
    if n_layers is not None and len(values) != n_layers:
        raise ValueError(
            f"{name} must be one value or one for each of the {n_layers} layers, got "
            f"{len(values)}: {value!r}."
        )
    for one in values:
        if not valid(one):
            error = ValueError if isinstance(one, Real) else TypeError
            raise error(f"{name} must be {expected}, got {one!r} in {value!r}.")
    return values


def _is_number(value, kind):
    return isinstance(value, kind) and not isinstance(value, (bool, np.bool_))


def check_sizes(name, value, n_layers=None, *, may_be_empty=False):
    """Ints of at least 1, one for each layer, as a tuple."""
    sizes = check_per_layer(
        name,
        value,
        n_layers,
        valid=lambda one: _is_number(one, Integral) and one >= 1,
        expected="an int of at least 1, or a tuple of such ints",
    )
    if not sizes and not may_be_empty:
        raise ValueError(f"{name} must hold at least one layer, got {value!r}.")
    return tuple(int(size) for size in sizes)


def check_rates(name, value, n_layers):
    """Fractions in [0, 1), one for each layer, as a tuple."""
    rates = check_per_layer(
        name,
        value,
        n_layers,
        valid=lambda one: _is_number(one, Real) and 0 <= one < 1,
        expected="a fraction in [0, 1), or a tuple of such fractions",
    )
    return tuple(float(rate) for rate in rates)


def _n_dimensions(X, name):
    shape = getattr(X, "shape", None)
    if shape is not None:
        return len(shape)
    try:
        return np.asarray(X).ndim
    except ValueError as error:
        raise ValueError(
            f"{name} must be an array in which every row has the same number of "
            f"timesteps and features, got rows of different lengths. Pad them to one "
            f"length."
        ) from error


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
):
    """Validate X and give it as sequences.

    Parameters
    ----------
    estimator : estimator
        Gets ``n_features_in_``, ``n_timesteps_in_``, ``feature_names_in_`` and
        ``_n_dimensions_in`` when ``reset``; is held against them otherwise.
    X : array-like or dataframe of shape (n_samples, n_timesteps, n_features) or \
            (n_samples, n_columns)
    reset : bool
        Whether X is what the estimator is being fitted on.
    name : str
        What messages call X.
    n_timesteps : int or None
        For 2-D X: how many timesteps its columns hold, step by step. None: each column
        is a timestep with one feature.
    min_rows : int
        The least number of rows.
    dtype : dtype or list of dtype
        What X is turned into; of a list the first, unless X has one of it.
    may_be_nan : bool
        Whether X may hold NaN.

    Returns
    -------
    X : ndarray of shape (n_samples, n_timesteps, n_features), C-ordered
    """
    if scipy.sparse.issparse(X):
        raise TypeError(
            f"{name} must be dense, got a sparse {type(X).__name__}. Sparse data is "
            f"not supported; use {name}.toarray()."
        )
    n_dimensions = _n_dimensions(X, name)
    caller = type(estimator).__name__
    if n_dimensions not in (2, 3):
        raise ValueError(
            f"{name} must have 2 dimensions (n_samples, n_columns) or 3 (n_samples, "
            f"n_timesteps, n_features), got {n_dimensions}. Reshape your data, for "
            f"instance {name}.reshape(1, -1) if it is a single row."
        )
    if not reset and n_dimensions != estimator._n_dimensions_in:
        raise ValueError(
            f"{name} must have {estimator._n_dimensions_in} dimensions, as the X that "
            f"{caller} was fitted on, got {n_dimensions}."
        )
    checks = {
        "dtype": dtype,
        "order": "C",
        "ensure_min_samples": min_rows,
        "ensure_all_finite": "allow-nan" if may_be_nan else True,
    }
    try:
        # A float64 too large for float32 becomes an infinity, which is then refused.
        with np.errstate(over="ignore"):
            if n_dimensions == 2:
                X = validate_data(estimator, X, reset=reset, **checks)
            else:
                X = check_array(
                    X, allow_nd=True, input_name=name, estimator=caller, **checks
                )
    except ValueError as error:
        if f"nput {name} " in str(error):
            raise
        raise ValueError(f"{name} can't be used: {error}") from error
    if X.ndim == 3:
        X = _check_cube(estimator, X, reset, name, n_timesteps)
    else:
        X = _fold_columns(estimator, X, reset, name, n_timesteps)
    if reset:
        estimator._n_dimensions_in = n_dimensions
    return X


def _check_cube(estimator, X, reset, name, n_timesteps):
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
    for what, got, fitted in (
        ("timesteps", X.shape[1], estimator.n_timesteps_in_),
        ("features", X.shape[2], estimator.n_features_in_),
    ):
        if got != fitted:
            raise ValueError(
                f"{name} has {got} {what}, but {type(estimator).__name__} is expecting "
                f"{fitted} {what} as input."
            )
    return X


def _fold_columns(estimator, X, reset, name, n_timesteps):
    n_columns = X.shape[1]
    if reset:
        if n_timesteps is None:
            n_timesteps = n_columns
        if n_columns % n_timesteps:
            raise ValueError(
                f"n_timesteps={n_timesteps} must divide the number of columns of "
                f"{name}, got {n_columns} columns. Drop or add columns, or let "
                f"SequenceReshaper arrange them."
            )
        estimator.n_timesteps_in_ = n_timesteps
    return X.reshape(len(X), estimator.n_timesteps_in_, -1)


def check_rows(name, values, n_rows):
    """Raise unless an array has an entry for each row of X."""
    shape = np.asarray(values).shape
    if shape[:1] != (n_rows,):
        raise ValueError(
            f"{name} must have one entry for each of the {n_rows} rows of "
            f"{'X_val' if name.endswith('_val') else 'X'}, got an array of shape "
            f"{shape}: inconsistent numbers of samples."
        )


def check_labels(y, n_rows, name="y"):
    """Validate class labels.

    Returns
    -------
    y : ndarray of shape (n_samples,)
    """
    if y is None:
        raise ValueError(
            f"The estimator requires {name} to be passed, but the target {name} is "
            f"None. Give an array of class labels."
        )
    y = np.asarray(y)
    if y.ndim > 1 and type_of_target(y).startswith("multilabel"):
        raise ValueError(
            f"{name} must hold one label per row, got a multilabel indicator of shape "
            f"{y.shape}. Multilabel targets are not supported; fit one classifier "
            f"per label, for instance with sklearn.multioutput.MultiOutputClassifier."
        )
    y = column_or_1d(y, warn=True)
    check_rows(name, y, n_rows)
    if y.dtype.kind == "f" or y.dtype == object:
        check_array(
            y.reshape(-1, 1), dtype=None, ensure_all_finite=True, input_name=name
        )
    try:
        np.unique(y)
    except TypeError as error:
        kinds = sorted({type(label).__name__ for label in y})
        raise ValueError(
            f"{name} must hold labels of one kind, which can be sorted, got {kinds}. "
            f"Turn them all into strings, or fill in what is missing."
        ) from error
    check_classification_targets(y)
    return y


def check_weights(weights, n_rows, name="sample_weight"):
    """Validate sample weights.

    Returns
    -------
    weights : ndarray of shape (n_samples,), float64
        A fresh array; ones where ``weights`` is None.
    """
    if weights is None:
        return np.ones(n_rows)
    if isinstance(weights, Real):
        weights = np.full(n_rows, weights)
    weights = check_array(
        weights, ensure_2d=False, allow_nd=True, dtype=np.float64, copy=True,
        input_name=name,
    )  # fmt: skip
    if weights.ndim != 1:
        raise ValueError(
            f"{name} must be 1D, one weight for each row, got shape {weights.shape}."
        )
    check_rows(name, weights, n_rows)
    if (weights < 0).any():
        raise ValueError(
            f"{name} must not be negative, got {weights.min()!r} as its smallest."
        )
    if not weights.any():
        raise ValueError(f"{name} must not be all zero: no row would be left.")
    return weights
