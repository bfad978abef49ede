"""Converters of the transformers of this package for skl2onnx."""

import numpy as np
from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType
from sklearn.impute import SimpleImputer

from skseq.onnx._rows import compacted, folded, is_any, table_of, values_of
from skseq.onnx._thresholds import alias_of
from skseq.onnx._writer import DOUBLE, FLOAT, INT64, Writer


def _kind_of(operator):
    """Get the type of ONNX that a transformer keeps: float or double."""
    is_double = any(type(one.type) is DoubleTensorType for one in operator.inputs)
    return (DoubleTensorType, DOUBLE) if is_double else (FloatTensorType, FLOAT)


def _shapes(shape_of):
    def set_shapes(operator):
        n = operator.inputs[0].type.shape[0] if operator.inputs[0].type.shape else None
        shape = shape_of(operator.raw_operator)
        if shape is None:
            shape = operator.inputs[0].type.shape[1:]
        operator.outputs[0].type = _kind_of(operator)[0]([n, *shape])

    return set_shapes


# ------------------------------------------------------------------- SequenceReshaper


def _reshaper_shape(reshaper):
    return reshaper._index.shape


def _convert_reshaper(scope, operator, container):
    writer, reshaper = Writer(scope, container), operator.raw_operator
    _, kind = _kind_of(operator)
    table = table_of(writer, operator.inputs, kind)
    index = reshaper._index
    found = writer.node("Gather", table, np.maximum(index, 0), axis=1)
    if (index < 0).any():
        fill = np.array(reshaper._fill_value, np.float64)
        found = writer.node(
            "Where", index >= 0, found, writer.cast(writer.constant(fill), kind)
        )
    writer.output(found, operator.outputs[0])


# --------------------------------------------------------------------- SequencePadder


def _padder_shape(padder):
    return padder.n_timesteps_, padder.n_features_in_


def _convert_padder(scope, operator, container):
    writer, padder = Writer(scope, container), operator.raw_operator
    _, kind = _kind_of(operator)
    dtype = np.float64 if kind == DOUBLE else np.float32
    x, n = table_of(writer, operator.inputs, kind), padder.n_timesteps_
    padding = is_any(writer, x, values_of(padder.mask_value, dtype))
    if padder.truncate == "start":
        valid = writer.cast(writer.node("Not", padding), INT64)
        axis = np.int64(1)
        n_left = writer.node("CumSum", valid, axis, reverse=1)
        is_old = writer.node("Greater", n_left, np.int64(n))
        padding = writer.node("Or", padding, is_old)
    found = compacted(writer, x, padding, dtype(padder.mask_value), n)
    writer.output(found, operator.outputs[0])


# --------------------------------------------------------------------- SequenceScaler


def _scaler_shape(scaler):
    if scaler.per_row != "append":
        return None
    n_features = len(scaler.get_feature_names_out())
    if scaler._n_dimensions_in == 2:
        return (n_features,)
    return None, n_features


def _convert_scaler(scope, operator, container):
    writer, scaler = Writer(scope, container), operator.raw_operator
    given = table_of(writer, operator.inputs, DOUBLE)
    x = folded(writer, scaler, given)
    valid = None
    if scaler._n_dimensions_in == 3 or scaler.mask_value is not None:
        values = values_of(scaler.mask_value, np.float64)
        padding = is_any(writer, x, values)
        valid = writer.node("Unsqueeze", writer.node("Not", padding), np.array([2]))
        padded, x = x, writer.node("Where", valid, x, np.float64(0))
    if scaler.per_row == "standardize":
        found = _standardized(writer, x, valid, (1,))[0]
    else:
        found = _by_feature(scope, writer, scaler, x)
        if scaler.per_row == "append":
            found = _appended(writer, scaler, found, valid)
    if valid is not None:
        # The value of padding is that of the input, which later steps know.
        value = writer.node(
            "Slice", padded, np.array([0]), np.array([1]), np.array([2])
        )
        found = writer.node("Where", valid, found, value)
    if scaler._n_dimensions_in == 2:
        n_columns = len(scaler.get_feature_names_out())
        found = writer.node("Reshape", found, np.array([-1, n_columns]))
    writer.output(found, operator.outputs[0])


def _by_feature(scope, writer, scaler, x):
    """Write the scaler over all timesteps, by its own converter."""
    inner = scaler.scaler_
    n_features = inner.n_features_in_
    flat = writer.node("Reshape", x, np.array([-1, n_features]))
    variable = scope.declare_local_variable(
        "timesteps", DoubleTensorType([None, n_features])
    )
    operator = scope.declare_local_operator(alias_of(inner), inner)
    operator.inputs.append(variable)
    writer.output(flat, variable)
    scaled = scope.declare_local_variable(
        "scaled", DoubleTensorType([None, n_features])
    )
    operator.outputs.append(scaled)
    # Where the scaler gives float32, as some do.
    found = writer.cast(scaled.full_name, DOUBLE)
    return writer.node("Reshape", found, writer.node("Shape", x))


def _standardized(writer, x, valid, axes):
    """Standardize each row over its valid timesteps.

    Parameters
    ----------
    x : str
        Of float64, of shape (n_samples, n_timesteps, n_features), 0 at padding.
    valid : str or None
    axes : tuple of int
        (1,) for each feature by itself, (1, 2) for a row as a whole.

    Returns
    -------
    standardized : str
    logs : str
        Logarithms of standard deviations, with the axes as 1.
    """
    axes = np.array(axes)

    def mean(values):
        if valid is None:
            return writer.node("ReduceMean", values, axes, keepdims=1)
        values = writer.node("Where", valid, values, np.float64(0))
        weights = writer.node("Mul", writer.cast(valid, DOUBLE), _ones(writer, x))
        total = writer.node("ReduceSum", values, axes, keepdims=1)
        count = writer.node("ReduceSum", weights, axes, keepdims=1)
        return writer.node("Div", total, count)

    largest = writer.node("ReduceMax", writer.node("Abs", x), axes, keepdims=1)
    is_zero = writer.node("Equal", largest, np.float64(0))
    largest = writer.node("Where", is_zero, np.float64(1), largest)
    x = writer.node("Div", x, largest)
    x = writer.node("Sub", x, mean(x))
    std = writer.node("Sqrt", mean(writer.node("Mul", x, x)))
    limit = np.float64(10 * np.finfo(np.float64).eps)
    is_constant = writer.node("LessOrEqual", std, limit)
    divisor = writer.node("Where", is_constant, np.float64(1), std)
    found = writer.node("Div", x, divisor)
    found = writer.node("Where", is_constant, np.float64(0), found)
    logs = writer.node("Add", writer.node("Log", divisor), writer.node("Log", largest))
    logs = writer.node("Where", is_constant, np.float64(-np.inf), logs)
    return found, logs


def _ones(writer, x):
    return writer.node(
        "ConstantOfShape", writer.node("Shape", x), value=np.ones(1, np.float64)
    )


def _appended(writer, scaler, scaled, valid):
    """Write the features of `SequenceScaler` with ``per_row="append"``."""
    if valid is not None:
        scaled = writer.node("Where", valid, scaled, np.float64(0))
    rows, logs = _standardized(writer, scaled, valid, (1, 2))
    low, high = (np.float64(one) for one in scaler.log_scale_range_)
    logs = writer.node("Min", writer.node("Max", logs, low), high)
    logs = writer.node("Sub", logs, np.float64(scaler.log_scale_mean_))
    logs = writer.node("Div", logs, np.float64(scaler.log_scale_std_))
    one = writer.node("Slice", scaled, np.array([0]), np.array([1]), np.array([2]))
    logs = writer.node("Expand", logs, writer.node("Shape", one))
    curved = _arcsinh(writer, scaled)
    return writer.node("Concat", curved, rows, logs, axis=2)


def _arcsinh(writer, x):
    """Write the inverse hyperbolic sine, which ONNX Runtime has in float32 alone."""
    size = writer.node("Abs", x)
    root = writer.node(
        "Sqrt", writer.node("Add", writer.node("Mul", size, size), np.float64(1))
    )
    found = writer.node("Log", writer.node("Add", size, root))
    return writer.node("Mul", writer.node("Sign", x), found)


def _convert_imputer(scope, operator, container):
    writer, imputer = Writer(scope, container), operator.raw_operator
    if imputer.add_indicator or not np.isnan(imputer.missing_values):
        raise ValueError(
            "to_onnx needs a SimpleImputer with missing_values=nan and "
            "add_indicator=False, got another one. Impute X before."
        )
    x = table_of(writer, operator.inputs, DOUBLE)
    values = np.asarray(imputer.statistics_, np.float64)
    is_kept = ~np.isnan(values)
    if not is_kept.all():  # columns without a value are left out
        x = writer.node("Gather", x, np.flatnonzero(is_kept), axis=1)
    x = writer.node("Where", writer.node("IsNaN", x), values[is_kept], x)
    writer.output(x, operator.outputs[0])


# Converters in place of those of skl2onnx, where onnxruntime has no float64.
IN_FLOAT64 = {SimpleImputer: _convert_imputer}

CONVERTERS = {
    "SequencePadder": (_shapes(_padder_shape), _convert_padder),
    "SequenceReshaper": (_shapes(_reshaper_shape), _convert_reshaper),
    "SequenceScaler": (_shapes(_scaler_shape), _convert_scaler),
}
