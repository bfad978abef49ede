"""Checks of parameters, labels, groups and weights, and their error messages.

No other module imports scikit-learn's parameter constraints, which are not public.
"""

import difflib
import functools
import inspect
import re
from collections.abc import Callable
from contextlib import contextmanager
from numbers import Integral, Real
from typing import Any, TypeVar, cast

import numpy as np
from sklearn import get_config
from sklearn.base import is_regressor
from sklearn.utils import check_array
from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    StrOptions,
    validate_parameter_constraints,
)

__all__ = [
    "HasMethods",
    "Interval",
    "StrOptions",
    "check_arguments",
    "check_groups",
    "check_parameters",
    "check_per_layer",
    "check_rates",
    "check_rows",
    "check_sizes",
    "check_weights",
    "distinct_labels",
    "ending",
    "naming",
    "nearest",
    "public_fit",
    "unknown_name",
    "with_finite_sum",
]


_Method = TypeVar("_Method", bound=Callable[..., Any])


# ----------------------------------------------------------------------- parameters


def check_parameters(estimator):
    """Raise if a parameter is outside the constraints that its class declares."""
    if get_config()["skip_parameter_validation"]:
        return
    validate_parameter_constraints(
        estimator._parameter_constraints,
        estimator.get_params(deep=False),
        caller_name=type(estimator).__name__,
    )


def check_arguments(function, constraints, arguments):
    """Raise if an argument of a function is outside the constraints for it.

    Parameters
    ----------
    function : str
        The name of the function, for messages.
    constraints : dict of str to list
    arguments : dict of str to object
    """
    validate_parameter_constraints(constraints, arguments, caller_name=function)


def nearest(name, names):
    """Write the end of a message that suggests a name, after a space."""
    close = difflib.get_close_matches(str(name), [str(n) for n in names], n=1)
    if close:
        return f" Did you mean {close[0]!r}?"
    return f" Expected one of {sorted(str(n) for n in names)}."


# Names in other libraries, and the names here.
_NAMES_ELSEWHERE = {
    "build_fn": "model",
    "module": "model",
    "max_iter": "epochs",
    "n_epochs": "epochs",
    "nb_epoch": "epochs",
    "max_epochs": "epochs",
    "lr": "learning_rate",
    "learning_rate_init": "learning_rate",
    "solver": "optimizer",
    "hidden_layer_sizes": "dense_units",
    "activation": "layer_activation",
    "alpha": "weight_decay",
    "validation_fraction": "validation_split",
    "n_iter_no_change": "patience",
    "tol": "min_delta",
    "quantile": "loss_params={'quantile': ...}",
    "validation_data": "X_val and y_val",
    "eval_set": "X_val and y_val",
    "X_valid": "X_val",
    "y_valid": "y_val",
    "class_weights": "class_weight",
    "sample_weights": "sample_weight",
    "units": "layer_sizes",
    "hidden_size": "units",
    "num_layers": "units",
    "criterion": "loss",
    "train_split": "validation_split",
    "restore_best_weights": "early_stopping",
}

# Names in other libraries that need no parameter here.
_NOT_NEEDED = {
    "run_eagerly": "Leave it out: networks are trained by a traced graph.",
    "validation_batch_size": "Leave it out: it has no effect on the results.",
    "input_shape": "Leave it out: fit reads the shape of X.",
    "input_size": "Leave it out: fit reads the shape of X.",
    "return_sequences": (
        "Leave it out: units may be a tuple with one number for each layer, and "
        "pooling chooses the timesteps of the last one."
    ),
    "device": "Leave it out: TensorFlow uses a GPU if it finds one.",
    "steps_per_epoch": "Leave it out: an epoch is one pass over the training rows.",
}

# Other libraries route arguments to their parts by these prefixes.
_ROUTES = {
    "predict": "Leave it out: predictions have no options.",
    "module": "Leave it out: the estimator builds its own network.",
    "iterator_train": "Leave it out: batch_size and shuffle are parameters.",
    "iterator_valid": "Leave it out: validation rows need no batches.",
}

# Parameters with the sizes of layers.
_SIZES = ("units", "filters", "layer_sizes", "dense_units")


def _name_here(name, names):
    """Get the names that take the place of a name elsewhere, or an empty string."""
    known = _NAMES_ELSEWHERE.get(name, "").split(" and ")
    return " and ".join(one for one in known if one.partition("=")[0] in names)


def unknown_name(name, names, fit=None):
    """Write the end of a message about an unknown name, after a space.

    Parameters
    ----------
    name : str
    names : container of str
        The names that are known.
    fit : callable or None
        For the name of a parameter of an estimator: its method ``fit``, which may have
        an argument in its place.
    """
    if known := _name_here(name, names):
        return f" Use {known}."
    if name in _NOT_NEEDED:
        return f" {_NOT_NEEDED[name]}"
    # The names that SciKeras routes to methods of Keras.
    route, _, rest = name.partition("__")
    if route in ("fit", "compile") and rest in names:
        return f" Use {rest}."
    if rest and route == "module" and "model" in names:
        return f" Use model__{rest}."
    if rest and route in _ROUTES and route not in names:
        return f" {_ROUTES[route]}"
    if rest and route in ("callbacks", "metrics") and route in names:
        return f" Pass objects as {route}, with their arguments."
    if fit and (known := _name_here(name, inspect.signature(fit).parameters)):
        return f" Pass {known} to fit."
    sizes = [one for one in _SIZES if one in names]
    if sizes and name in ("model", "build_fn", "module"):
        return (
            f" The estimator builds its own network; set {' and '.join(sizes)} to "
            f"choose its layers."
        )
    return nearest(name, names)


def check_per_layer(name, value, n_layers=None, *, valid=None, expected=None):
    """Validate a parameter with a value for each layer, and return a tuple.

    Parameters
    ----------
    name : str
        The name of the parameter, for messages.
    value : object, list or tuple
        One value for all layers, or a list or tuple with one for each.
    n_layers : int or None
        The number of layers; None: as many as there are values.
    valid : callable or None
        Checks one value; None: no check.
    expected : str or None
        Describes a valid value, for messages.
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
        if valid is not None and not valid(one):
            error = ValueError if isinstance(one, Real) else TypeError
            where = f" in {value!r}" if isinstance(value, (list, tuple)) else ""
            raise error(f"{name} must be {expected}, got {one!r}{where}.")
    return values


def _is_number(value, kind):
    return isinstance(value, kind) and not isinstance(value, (bool, np.bool_))


def check_sizes(name, value, n_layers=None, *, may_be_empty=False):
    """Validate ints of at least 1 for each layer, and return a tuple."""
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
    """Validate fractions in [0, 1) for each layer, and return a tuple."""
    rates = check_per_layer(
        name,
        value,
        n_layers,
        valid=lambda one: _is_number(one, Real) and 0 <= one < 1,
        expected="a fraction in [0, 1), or a tuple of such fractions",
    )
    return tuple(float(rate) for rate in rates)


# ------------------------------------------------------------------------- methods


def public_fit(method: _Method) -> _Method:
    """Make a method that fits leave the estimator unchanged when it raises.

    A ``RandomState`` parameter is restored too. This holds for every exception, also a
    ``KeyboardInterrupt``, if the method replaces attributes and does not change their
    values in place. Messages about an unknown argument, and about y if it is missing,
    name the public class.
    """
    signature = inspect.signature(method)
    names = set(signature.parameters) - {"self"}
    takes_any = any(p.kind is p.VAR_KEYWORD for p in signature.parameters.values())
    y = signature.parameters.get("y")
    needs_y = y is not None and y.default is y.empty

    @functools.wraps(method)
    def wrapper(self, *args, **kwargs):
        where = f"{type(self).__name__}.{method.__name__}()"
        unknown = () if takes_any else [name for name in kwargs if name not in names]
        if unknown:
            hint = unknown_name(unknown[0], names)
            if unknown[0] in self.get_params(deep=False):
                hint = (
                    f" It is a parameter of the estimator: {type(self).__name__}"
                    f"({unknown[0]}=...)."
                )
            raise TypeError(
                f"{where} got an unexpected keyword argument {unknown[0]!r}.{hint}"
            )
        if needs_y and "y" not in kwargs and len(args) + ("X" in kwargs) == 1:
            raise TypeError(
                f"{where} needs y: {method.__name__}(X, y). Pass a "
                f"{'number' if is_regressor(self) else 'label'} for each row."
            )
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

    return cast(_Method, wrapper)


# ------------------------------------------------------- labels, groups and weights


@contextmanager
def naming(name, problem="can't be used"):
    """Make errors that another package raises about an array name it.

    Parameters
    ----------
    name : str
        The name of the array.
    problem : str
        What follows it in a message, before the other package's own.
    """
    try:
        # What overflows is infinite, which is an error.
        with np.errstate(over="ignore", invalid="ignore"):
            yield
    except (TypeError, ValueError) as error:
        if re.search(rf"(?<!['\"])\b{name}\b", str(error)):  # no value in quotes
            raise
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"{name} {problem}: {error}") from error


@contextmanager
def ending(part, remedy):
    """Append a remedy to errors whose message contains some words.

    Parameters
    ----------
    part : str
        The words.
    remedy : str
    """
    try:
        yield
    except ValueError as error:
        if part not in str(error):
            raise
        raise ValueError(f"{str(error).rstrip('.')}. {remedy}") from error


def check_rows(name, values, n_rows):
    """Raise unless an array has an entry for each row of X."""
    shape = np.asarray(values).shape
    if shape[:1] != (n_rows,):
        raise ValueError(
            f"{name} must have one entry for each of the {n_rows} rows of "
            f"{'X_val' if name.endswith('_val') else 'X'}, got an array of shape "
            f"{shape}: inconsistent numbers of samples."
        )


def distinct_labels(y):
    """Get the sorted labels of y, or raise if there is only one."""
    labels = np.unique(y)
    if len(labels) < 2:
        raise ValueError(
            f"y must hold labels of at least 2 classes, got 1 class: "
            f"{labels.tolist()[0]!r}."
        )
    return labels


def sorted_values(name, values, kind):
    """Get the different values of an array, or raise if they can't be sorted.

    Parameters
    ----------
    name : str
        The name of the array, for messages.
    values : ndarray of shape (n_samples,)
    kind : str
        What the values are, such as ``"labels"``, for messages.
    """
    try:
        return np.unique(values)
    except TypeError as error:
        kinds = sorted({type(value).__name__ for value in values})
        raise ValueError(
            f"{name} must hold {kind} of one type that can be sorted, got {kinds}. "
            f"Convert all {kind} to strings, or fill in missing {kind}."
        ) from error


def check_groups(groups, n_rows):
    """Validate groups of rows, and return an array of shape (n_samples,)."""
    with naming("groups", "must hold one value for each row"):
        groups = np.asarray(groups)
    check_rows("groups", groups, n_rows)
    if groups.shape == (n_rows, 1):
        groups = groups[:, 0]
    if groups.ndim != 1:
        raise ValueError(
            f"groups must have one dimension, the group of each row, got shape "
            f"{groups.shape}. Join the columns into one, for instance as strings."
        )
    found = sorted_values("groups", groups, "values")
    if (found != found).any():
        raise ValueError("groups must have no missing values, got NaN. Fill them in.")
    return groups


def check_outputs(outputs):
    """Raise if an output of a network, of shape (n_samples, ...), is not finite."""
    if not np.isfinite(outputs).all():
        (bad, *_), *_ = np.argwhere(~np.isfinite(outputs))
        raise ValueError(
            f"The outputs of the network must be finite, got "
            f"{outputs[bad].ravel()[0]} for X[{bad}], whose values may be too large. "
            f"Scale X as in fit, or leave out such rows."
        )


def check_weights(weights, n_rows, name="sample_weight"):
    """Validate sample weights.

    Returns
    -------
    weights : ndarray of shape (n_samples,), float64
        A new array. Where ``weights`` is None, ones that take no memory and can't be
        written to.
    """
    if weights is None:
        return np.broadcast_to(np.float64(1), n_rows)
    if isinstance(weights, Real):
        weights = np.full(n_rows, weights)
    problem = "must hold one number for each row, got an array that can't be used"
    with naming(name, problem):
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
    return with_finite_sum(weights)


def with_mean_one(weights):
    """Scale weights to a mean of 1, as float32."""
    if weights.strides == (0,):  # those of `check_weights` that take no memory
        return np.broadcast_to(np.float32(1), weights.shape)
    return (weights / weights.mean()).astype(np.float32)


def with_finite_sum(weights):
    """Scale weights down if their sum is not finite."""
    with np.errstate(over="ignore"):
        is_finite = np.isfinite(weights.sum())
    return weights if is_finite else weights / weights.max()
