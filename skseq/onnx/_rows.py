"""Rows on their way into a network, as operators of ONNX."""

import numpy as np
from skl2onnx.common.data_types import Int64TensorType, StringTensorType

from skseq._engine.onnx_masks import lengths_of, order_of, taken
from skseq._padded import PADDING
from skseq._tokens import PADDING_ID, UNKNOWN_ID
from skseq.onnx._writer import BOOL, DOUBLE, FLOAT, INT64


def table_of(writer, inputs, to=FLOAT, categories=None):
    """Put the inputs of an operator into one tensor of numbers.

    Parameters
    ----------
    writer : Writer
    inputs : list of skl2onnx variables
        One for X, or one of shape (n_samples, 1) for each column of a table.
    to : int
        The element type.
    categories : skseq._tables.Categories or None

    Returns
    -------
    name : str
    """
    encoders = {} if categories is None else categories._encoders
    if len(inputs) == 1 and not encoders:
        return writer.cast(inputs[0].full_name, to)
    if len(inputs) == 1:
        raise ValueError(
            "to_onnx needs X, some rows of the dataframe of fit, for a network with "
            "categorical_features that are no numbers, got X=None."
        )
    columns = []
    for place, variable in enumerate(inputs):
        name, encoder = variable.full_name, encoders.get(place)
        if encoder is not None:
            columns.append(_codes(writer, variable, encoder))
        elif isinstance(variable.type, StringTensorType):
            raise ValueError(
                f"X must hold numbers for this network, got texts in the column "
                f"{variable.raw_name!r}. Encode it, or name it in "
                f"categorical_features."
            )
        else:
            columns.append(writer.cast(name, FLOAT))
    return writer.cast(writer.node("Concat", *columns, axis=1), to)


def _codes(writer, variable, encoder):
    """Write the codes of a column of categories; -1 for unknown and missing ones."""
    known = [one for one in encoder.categories_[0] if one is not None and one == one]
    codes = [float(i) for i, one in enumerate(encoder.categories_[0]) if one in known]
    name = variable.full_name
    if isinstance(variable.type, StringTensorType):
        keys = {"keys_strings": [str(one) for one in known]}
    elif all(float(one).is_integer() for one in known):
        if not isinstance(variable.type, Int64TensorType):
            # Other numbers get a key that no category has.
            whole = writer.cast(name, INT64)
            is_whole = writer.node("Equal", name, writer.node("Floor", name))
            other = np.int64(min(map(int, known), default=0) - 1)
            name = writer.node("Where", is_whole, whole, other)
        # In float32, some numbers above 2 ** 24 would be one category.
        keys = {"keys_int64s": [int(one) for one in known]}
    else:
        name = writer.cast(name, FLOAT)
        keys = {"keys_floats": [float(one) for one in known]}
    return writer.node(
        "LabelEncoder", name, domain="ai.onnx.ml", values_floats=codes,
        default_float=-1.0, **keys,
    )  # fmt: skip


def is_any(writer, x, values):
    """Find the timesteps of which each feature has one of some values.

    Parameters
    ----------
    x : str
        Of shape (n_samples, n_timesteps, n_features).
    values : list of ndarray
        Of no dimension and of the dtype of x; NaN is possible.

    Returns
    -------
    found : str
        Of bool, of shape (n_samples, n_timesteps).
    """
    found = None
    for value in values:
        if np.isnan(value):
            same = writer.node("IsNaN", x)
        else:
            same = writer.node("Equal", x, value)
        same = writer.cast(same, INT64)
        same = writer.node("ReduceMin", same, np.array([2]), keepdims=0)
        found = same if found is None else writer.node("Max", found, same)
    return writer.cast(found, BOOL)


def values_of(mask_value, dtype):
    """List the values that padding may have, also in the other precision."""
    if mask_value is None:
        return [dtype(PADDING)]
    values = [dtype(mask_value), dtype(np.float32(mask_value))]
    values.append(dtype(PADDING))
    return list({str(value): value for value in values}.values())


def compacted(writer, x, padding, value, n_timesteps=None):
    """Move the timesteps that are not padding to the front of each row.

    Parameters
    ----------
    x : str
        Of shape (n_samples, n_timesteps_in, n_features).
    padding : str
        Of bool, of shape (n_samples, n_timesteps_in).
    value : ndarray
        The value of padding in the result.
    n_timesteps : int or None
        Timesteps of the result; None: as many as there are.

    Returns
    -------
    x : str
        Of shape (n_samples, n_timesteps, n_features).
    """
    valid = writer.node("Not", padding)
    moved = taken(writer, x, order_of(writer, valid))
    counts = writer.cast(lengths_of(writer, valid), INT64)
    n_steps = writer.node("Gather", writer.node("Shape", x), np.int64(1), axis=0)
    steps = writer.node("Range", np.int64(0), n_steps, np.int64(1))
    is_row = writer.node("Less", steps, writer.node("Unsqueeze", counts, np.array([1])))
    is_row = writer.node("Unsqueeze", is_row, np.array([2]))
    moved = writer.node("Where", is_row, moved, value)
    return moved if n_timesteps is None else resized(writer, moved, value, n_timesteps)


def resized(writer, x, value, n_timesteps):
    """Cut rows at the end, or add padding there."""
    shape = writer.node("Shape", x)
    n_rows, n_features = (
        writer.node("Gather", shape, np.array([axis]), axis=0) for axis in (0, 2)
    )
    ends = writer.node("Concat", n_rows, np.array([n_timesteps]), n_features, axis=0)
    more = writer.node("Expand", value.reshape(1, 1, 1), ends)
    longer = writer.node("Concat", x, more, axis=1)
    return writer.node(
        "Slice", longer, np.array([0]), np.array([n_timesteps]), np.array([1])
    )


def folded(writer, estimator, x):
    """Give the columns of a table the shape of sequences."""
    n_features = estimator.n_features_in_
    if estimator._n_dimensions_in == 2:
        n_features //= estimator.n_timesteps_in_
        return writer.node(
            "Reshape", x, np.array([-1, estimator.n_timesteps_in_, n_features])
        )
    return x


def for_network(writer, estimator, inputs, n_timesteps=None):
    """Write what comes before the network of a classifier or regressor.

    Parameters
    ----------
    writer : Writer
    estimator : fitted classifier or regressor
    inputs : list of skl2onnx variables
    n_timesteps : int or None
        Of the longest row that shall be read; None: as in fit.

    Returns
    -------
    rows : str
        The input of the network.
    network : skseq._engine.networks.Network
    right_padded : bool
        Whether all masks of the network have padding at the end alone.
    """
    network = estimator._recipe.network
    categories = getattr(estimator, "_categories", None)
    x = table_of(writer, inputs, FLOAT, categories)
    if not hasattr(estimator, "n_timesteps_in_"):
        return x, network, network.right_padded  # of any shape
    if reads_tokens(estimator):
        if estimator._n_dimensions_in == 2:
            x = writer.node("Unsqueeze", x, np.array([2]))
        network = longer(network, n_timesteps)
        zero = np.zeros((), np.float32)
        x = compacted(
            writer, x, is_any(writer, x, [np.float32(PADDING_ID), np.float32(PADDING)]),
            zero, network.n_timesteps,
        )  # fmt: skip
        if estimator._seen is not None:
            x = _with_unknown(writer, x, estimator._seen)
        return x, network, network.right_padded
    x = folded(writer, estimator, x)
    if reads_padding(estimator) or n_timesteps is not None:
        network = longer(network, n_timesteps)
        padding = is_any(writer, x, values_of(estimator.mask_value, np.float32))
        value = np.float32(PADDING)
        x = compacted(writer, x, padding, value, network.n_timesteps)
    pretrained = getattr(estimator, "pretrained_", None)
    if pretrained is not None:
        x = scaled(writer, writer.cast(x, DOUBLE), pretrained._scaling, [PADDING])[0]
    return x, network, network.right_padded


def longer(network, n_timesteps):
    """Copy a network for padded rows of at most a number of timesteps."""
    n_timesteps = n_timesteps or network.n_timesteps
    if n_timesteps > network.n_timesteps and network.depends_on_length:
        raise ValueError(
            f"n_timesteps must be at most {network.n_timesteps}, the timesteps of the "
            f"longest row of fit, got {n_timesteps}: with pooling='flatten', in a "
            f"dense network and in a Keras model of your own, each timestep has its "
            f"own weights. Leave n_timesteps=None."
        )
    return network.for_rows(n_timesteps, True)


def reads_tokens(estimator):
    """Check whether the rows of an estimator are token ids."""
    return bool(getattr(estimator, "_reads_tokens", False))


def reads_padding(estimator):
    """Check whether a classifier or regressor was fitted on padded rows or lists."""
    return (
        reads_tokens(estimator)
        or estimator.mask_value is not None
        or bool(estimator._any_length)
    )


def _with_unknown(writer, x, seen):
    """Replace ids that training has not seen."""
    largest = np.float32(len(seen) - 1)
    ids = writer.node("Clip", x, np.float32(PADDING_ID), largest)
    is_seen = writer.node("Gather", np.asarray(seen), writer.cast(ids, INT64), axis=0)
    return writer.node("Where", is_seen, x, np.float32(UNKNOWN_ID))


def scaled(writer, x, scaling, padding_values):
    """Write the scaling of an autoencoder.

    Parameters
    ----------
    x : str
        Of float64, of shape (n_samples, n_timesteps, n_features).
    scaling : skseq._scaling.Scaling
    padding_values : list of float
        Empty: there is no padding.

    Returns
    -------
    rows : str
        The input of the network.
    valid : str or None
        Of bool, of shape (n_samples, n_timesteps, 1): what is no padding.
    """
    valid = None
    if padding_values:
        padding = is_any(writer, x, [np.float64(one) for one in padding_values])
        valid = writer.node("Unsqueeze", writer.node("Not", padding), np.array([2]))
        # Padding may be NaN, or overflow.
        x = writer.node("Where", valid, x, np.float64(0))
    if scaling._shift is not None:
        shift = np.asarray(scaling._shift, np.float64)
        factor = np.asarray(scaling._factor, np.float64)
        x = writer.node("Div", writer.node("Sub", x, shift), factor)
    x = writer.cast(x, FLOAT)
    if scaling._in_unit_range and scaling._scale == "minmax":
        x = writer.node("Clip", x, np.float32(0), np.float32(1))
    if valid is not None:
        x = writer.node("Where", valid, x, np.float32(PADDING))
    return x, valid
