"""The inputs of a model of ONNX: one for X, or one for each column of a frame."""

from numbers import Integral

import numpy as np
from skl2onnx.common.data_types import (
    DoubleTensorType,
    FloatTensorType,
    Int64TensorType,
    StringTensorType,
)
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.utils import get_tags

from skseq._lists import is_frame
from skseq._padded import PADDING
from skseq._scaler import SequenceScaler
from skseq._text import TextSequencer
from skseq.onnx._load import is_missing
from skseq.onnx._rows import longer, reads_padding, reads_tokens


def of_pipeline(fitted):
    """Get a pipeline of scikit-learn without steps that ``predict`` leaves out.

    Parameters
    ----------
    fitted : estimator
        Of a pipeline of imbalanced-learn, samplers are left out.
    """
    if not isinstance(fitted, Pipeline):
        inner = getattr(fitted, "estimator_", None)
        if inner is not None:
            of_pipeline(inner)
        is_by_temperature = getattr(fitted, "method", None) == "temperature"
        if is_by_temperature and hasattr(_inside(fitted), "decision_function"):
            # skl2onnx would read it as isotonic.
            raise ValueError(
                f"to_onnx needs method='sigmoid' or 'isotonic' of a "
                f"{type(fitted).__name__} around a classifier with a "
                f"decision_function, got 'temperature'. Choose one of these."
            )
        return fitted
    steps = [
        (name, of_pipeline(step))
        for name, step in fitted.steps
        if step is not None
        and step != "passthrough"
        and not (hasattr(step, "fit_resample") and not hasattr(step, "transform"))
    ]
    return steps[0][1] if len(steps) == 1 else Pipeline(steps)


def _inside(model):
    """Get the classifier inside of a threshold or a calibration, or None."""
    parts = getattr(model, "calibrated_classifiers_", None)
    return getattr(model, "estimator_", None) if parts is None else parts[0].estimator


def _first_of(model):
    while isinstance(model, Pipeline):
        model = model.steps[0][1]
    inner = _inside(model)
    return model if inner is None else _first_of(inner)


def _parts_of(transformer):
    """List the transformers of a `ColumnTransformer`, with "passthrough"."""
    return [part for _, part, _ in transformer.transformers_ if part != "drop"]


def _fills_nan(model):
    """Check whether a step has an output without NaN for any input."""
    if isinstance(model, Pipeline):
        for _, step in model.steps:
            if _fills_nan(step):
                return True
            if not _takes_nan(step):
                return False
    if isinstance(model, ColumnTransformer):
        return all(map(_fills_nan, _parts_of(model)))
    is_imputer = type(model).__module__.startswith("sklearn.impute")
    return is_imputer or isinstance(model, OneHotEncoder)


def _takes_nan(model):
    """Check whether an estimator predicts or transforms rows with NaN."""
    inner = _inside(model)
    if inner is not None:
        return _takes_nan(inner)
    if _fills_nan(model):
        return True
    if isinstance(model, Pipeline):
        return all(_takes_nan(step) for _, step in model.steps)
    if isinstance(model, ColumnTransformer):
        return all(map(_takes_nan, _parts_of(model)))
    return model == "passthrough" or get_tags(model).input_tags.allow_nan


def inputs_of(model, X, n_timesteps=None):
    """Choose the inputs of a model.

    Parameters
    ----------
    model : estimator
        The result of `of_pipeline`.
    X : array-like, dataframe or None
        Rows of the kind of fit.
    n_timesteps : int or None
        The parameter of `to_onnx`.

    Returns
    -------
    model : estimator
        Without the step that reads texts, which `load` takes.
    inputs : list of tuple of str and skl2onnx type
    description : dict
        What `load` has to know of them.
    """
    description = {}
    first = _first_of(model)
    if isinstance(first, TextSequencer):
        description["text"] = _text(first)
        model, first = _without_first(model, first)
    if _takes_nan(model):
        description["allows_nan"] = True
    is_by_name = isinstance(first, ColumnTransformer)
    _check_encoders(_parts_of(first) if is_by_name else [first], X)
    if is_by_name and X is None:
        names = list(map(str, getattr(first, "feature_names_in_", ())))
        if names:
            inputs = [(name, DoubleTensorType([None, 1])) for name in names]
            return model, inputs, _of_columns(first, names) | description
    if is_frame(X) and (is_by_name or _has_several_types(X)):
        return model, _by_column(X), _of_columns(first, X.columns) | description
    is_network = hasattr(first, "_recipe") or hasattr(first, "autoencoders_")
    is_single = is_network and not _is_double(first)
    cls = FloatTensorType if is_single else DoubleTensorType
    shape, more = _shape(first, X, n_timesteps)
    if more.get("padding") is not None:
        description.pop("allows_nan", None)
    longest = _longest(model, n_timesteps)
    if longest is not None:
        more["longest"] = longest
    return model, [("X", cls([None, *shape]))], {**description, **more}


def check_arguments(fitted, last, X, n_timesteps):
    """Check two parameters of `to_onnx`.

    Parameters
    ----------
    fitted : estimator
    last : estimator
        Its last step.
    X : array-like, dataframe or None
    n_timesteps : object
    """
    names = getattr(fitted, "feature_names_in_", None)
    if is_frame(X) and names is not None and list(X.columns) != list(names):
        raise ValueError(
            f"X must have the columns of fit in their order, {list(names)[:5]} and so "
            f"on, got {list(X.columns)[:5]}. Pass X[fitted.feature_names_in_]."
        )
    if n_timesteps is None:
        return
    if isinstance(n_timesteps, bool) or not isinstance(n_timesteps, Integral):
        raise TypeError(
            f"n_timesteps must be a whole number or None, got {n_timesteps!r}."
        )
    if n_timesteps < 1:
        raise ValueError(f"n_timesteps must be at least 1, got {n_timesteps}.")
    if not _is_of_any_length(last):
        raise ValueError(
            f"n_timesteps must be None for this {type(last).__name__}, got "
            f"{n_timesteps}. It is for classifiers and regressors that were fitted on "
            f"sequences."
        )


def _is_of_any_length(last):
    is_network = hasattr(last, "_recipe") and hasattr(last, "n_timesteps_in_")
    is_autoencoder = hasattr(last, "reconstruction_error")
    return is_network and not is_autoencoder and is_sequence_network(last)


def _longest(model, n_timesteps):
    """Get the timesteps of the longest row that a model of padded rows reads."""
    steps = [model]
    if isinstance(model, Pipeline):
        steps = [step for _, step in model.steps]
    *before, last = steps
    if not _is_of_any_length(last):
        return None
    if not all(isinstance(step, SequenceScaler) for step in before):
        return None
    if not reads_padding(last) and n_timesteps is None:
        return None
    return int(longer(last._recipe.network, n_timesteps).n_timesteps)


def is_sequence_network(network):
    """Check whether the X of a classifier or regressor may have rows of any length."""
    return network._n_dimensions_in == 3 or reads_tokens(network)


def _without_first(model, first):
    if not isinstance(model, Pipeline) or model.steps[0][1] is not first:
        raise ValueError(
            "to_onnx can write a TextSequencer as the first step of a pipeline alone, "
            "got it elsewhere. Transform texts before, and convert the other steps."
        )
    steps = model.steps[1:]
    rest = steps[0][1] if len(steps) == 1 else Pipeline(steps)
    return rest, _first_of(rest)


def _is_double(first):
    """Check whether an estimator reads rows in float64."""
    return isinstance(first._dtype, tuple) if hasattr(first, "_dtype") else True


def _of_columns(first, names):
    """Describe inputs by column: their names, and those that may hold NaN."""
    names, refuses = list(map(str, names)), set()
    if isinstance(first, ColumnTransformer):
        for _, part, columns in first.transformers_:
            if part != "drop" and not _fills_nan(part):
                refuses.update(_names_among(names, columns))
    else:
        categories = getattr(first, "_categories", None)
        encoded = {} if categories is None else categories._encoders
        refuses.update(name for i, name in enumerate(names) if i not in encoded)
    return {
        "columns": names,
        "allows_nan": [name for name in names if name not in refuses],
    }


def _names_among(names, columns):
    """Get the names of the columns of a part of a `ColumnTransformer`."""
    if not isinstance(columns, slice):
        columns = np.atleast_1d(np.asarray(columns))
        if columns.dtype.kind not in "biu":
            return list(map(str, columns))
    elif isinstance(columns.stop or columns.start, str):
        return names  # which skl2onnx does not know anyway
    return np.array(names, object)[columns].tolist()


def _check_encoders(parts, X):
    """Check the categories that transformers of X encode."""
    for part in parts:
        steps = part.steps if isinstance(part, Pipeline) else [("", part)]
        for _, step in steps:
            categories = getattr(step, "categories_", ())
            if any(is_missing(one) for known in categories for one in known):
                # skl2onnx makes a text of it, which no row has.
                raise ValueError(
                    f"to_onnx needs a {type(step).__name__} without a category of "
                    f"missing values, got one. Put a SimpleImputer(strategy='constant',"
                    f" fill_value='missing') before it."
                )
            is_text = any(one.dtype.kind not in "biuf" for one in categories)
            if X is None and is_text:
                raise ValueError(
                    f"to_onnx needs X, some rows of the data of fit, because "
                    f"{type(step).__name__} encodes columns that are no numbers, got "
                    f"X=None."
                )
            if is_text and not is_frame(X):
                raise ValueError(
                    f"X must be a dataframe, because {type(step).__name__} encodes "
                    f"columns that are no numbers, got {type(X).__name__}. Pass some "
                    f"rows as pandas.DataFrame(X)."
                )


def _shape(first, X, n_timesteps):
    """Get the shape of a row, and what `load` has to know of it."""
    n_features = getattr(first, "n_features_in_", None)
    is_3d = getattr(first, "_n_dimensions_in", 2) == 3
    is_autoencoder = hasattr(first, "reconstruction_error")
    if hasattr(first, "_recipe") and not is_autoencoder:
        if not hasattr(first, "n_timesteps_in_"):
            return list(first._X_shape[1:]), {}
        return _shape_of_network(first, n_timesteps)
    if is_3d:
        n = getattr(first, "n_timesteps_in_", None)
        is_fixed = is_autoencoder or hasattr(first, "autoencoders_")
        value = PADDING
        if is_fixed:
            value = getattr(first, "autoencoder_", first)._padding
        more = {} if value is None else {"padding": _for_json(value)}
        if getattr(first, "mask_value", None) is not None:
            more["mask_value"] = _for_json(first.mask_value)
        return [n if is_fixed else None, n_features], more
    if n_features is None:
        if X is None:
            raise ValueError(
                f"to_onnx needs X, some rows of the data of fit, because "
                f"{type(first).__name__} does not keep the number of columns, got "
                f"X=None."
            )
        n_features = np.shape(X)[1]
    return [int(n_features)], {}


def _for_json(value):
    """Convert a number, with a text for NaN and infinity, which JSON does not have."""
    return float(value) if np.isfinite(value) else str(float(value))


def _shape_of_network(network, n_timesteps):
    n, is_3d = network.n_timesteps_in_, network._n_dimensions_in == 3
    if reads_tokens(network):
        more = {"padding": 0.0, "tokens": True}
        return ([None, 1] if is_3d else [None]), more
    if not is_3d:
        return [int(network.n_features_in_)], {}
    more = {}
    is_padded = reads_padding(network) or n_timesteps is not None
    if is_padded:
        more["padding"] = PADDING
        if network.mask_value is not None:
            more["mask_value"] = _for_json(network.mask_value)
    return [None if is_padded else int(n), int(network.n_features_in_)], more


def _has_several_types(X):
    kinds = {np.asarray(X[name]).dtype.kind for name in X.columns}
    return not kinds <= set("biuf") or any(
        str(X[name].dtype).lower().startswith(("category", "categorical", "enum"))
        for name in X.columns
    )


def _by_column(X):
    inputs = []
    for name in X.columns:
        values = np.asarray(X[name])
        if values.dtype.kind in "biu":
            cls = Int64TensorType
        elif values.dtype.kind == "f":
            cls = DoubleTensorType
        elif all(isinstance(v, str) or is_missing(v) for v in values):
            cls = StringTensorType
        else:
            raise ValueError(
                f"X must hold columns of numbers or texts, got column {name!r} of "
                f"dtype {X[name].dtype}. Convert it."
            )
        inputs.append((str(name), cls([None, 1])))
    return inputs


def _text(sequencer):
    """Describe how texts become token ids, for `load`."""
    if callable(sequencer.analyzer) or callable(sequencer.strip_accents):
        raise ValueError(
            "to_onnx can't write a TextSequencer whose analyzer or strip_accents is a "
            "function, got one. Transform texts before, and convert the other steps."
        )
    from sklearn.feature_extraction.text import CountVectorizer

    words = None
    if sequencer.stop_words is not None:
        words = CountVectorizer(stop_words=sequencer.stop_words).get_stop_words()
    return {
        "vocabulary": {token: int(i) for token, i in sequencer.vocabulary_.items()},
        "max_length": int(sequencer.max_length_),
        "truncate": sequencer.truncate,
        "analyzer": sequencer.analyzer,
        "lowercase": bool(sequencer.lowercase),
        "strip_accents": sequencer.strip_accents,
        "token_pattern": sequencer.token_pattern,
        "stop_words": sorted(words or ()),
    }
