"""Properties of a model that are read from its layers, by their types.

A layer of an unknown type gets the safe default: it may mix the rows of a batch, may
add to the loss, and may not compile with XLA.
"""

from dataclasses import dataclass

from skseq._engine.fingerprints import config_of, is_graph, users_functions
from skseq._engine.keras import is_keras, keras
from skseq._engine.layers import has_twin

# Layers that compute each row of a batch independently of the others, and are at least
# as fast with XLA.
_FOR_XLA = {
    getattr(keras.layers, name)
    for name in (
        "Activation", "AlphaDropout", "AveragePooling1D", "Bidirectional", "Conv1D",
        "Dense", "Dropout", "ELU", "Embedding", "Flatten", "GRU", "GaussianDropout",
        "GaussianNoise", "GlobalAveragePooling1D", "GlobalMaxPooling1D", "InputLayer",
        "LSTM", "LayerNormalization", "LeakyReLU", "Masking", "MaxPooling1D", "PReLU",
        "ReLU", "RepeatVector", "Reshape", "SimpleRNN", "Softmax", "SpatialDropout1D",
        "UnitNormalization", "UpSampling1D",
    )
}  # fmt: skip

# All layers that compute each row independently of the others.
_ROW_BY_ROW = _FOR_XLA | {
    getattr(keras.layers, name)
    for name in (
        "Add", "AdditiveAttention", "Attention", "Average", "AveragePooling2D",
        "AveragePooling3D", "Concatenate", "Conv1DTranspose", "Conv2D",
        "Conv2DTranspose", "Conv3D", "Conv3DTranspose", "ConvLSTM1D", "ConvLSTM2D",
        "ConvLSTM3D", "Cropping1D", "Cropping2D", "Cropping3D", "DepthwiseConv1D",
        "DepthwiseConv2D", "Dot", "EinsumDense", "GlobalAveragePooling2D",
        "GlobalAveragePooling3D", "GlobalMaxPooling2D", "GlobalMaxPooling3D",
        "GroupNormalization", "Identity", "MaxPooling2D", "MaxPooling3D", "Maximum",
        "Minimum", "MultiHeadAttention", "Multiply", "Permute", "Rescaling",
        "SeparableConv1D", "SeparableConv2D", "SpatialDropout2D", "SpatialDropout3D",
        "Subtract", "TimeDistributed", "UpSampling2D", "UpSampling3D", "ZeroPadding1D",
        "ZeroPadding2D", "ZeroPadding3D",
    )
}  # fmt: skip


def layers_of(model):
    """Yield all layers of a model, with those inside of other models and wrappers."""
    for layer in model.layers:
        yield layer
        if is_graph(layer):
            yield from layers_of(layer)
        elif isinstance(layer, keras.layers.Bidirectional):
            yield from (layer.forward_layer, layer.backward_layer)
        elif isinstance(layer, keras.layers.Wrapper):
            yield layer.layer


_RATES = {
    keras.layers.LSTM: "dropout",
    keras.layers.GRU: "dropout",
    keras.layers.SimpleRNN: "dropout",
    keras.layers.Dropout: "rate",
}


def rates(model):
    """Collect the dropout rates that a program takes as run-time values.

    Parameters
    ----------
    model : keras.Model
        Of Keras' own layers.

    Returns
    -------
    rates : dict of str to float
        Rates above 0 of layers that have a faster twin.
    """
    found = {
        _rate_name(i): getattr(layer, _RATES[type(layer)])
        for i, layer in enumerate(layers_of(model))
        if type(layer) in _RATES and has_twin(layer)
    }
    return {name: rate for name, rate in found.items() if rate}


def name_rates(model, names):
    """Set in each layer the name of the run-time value that is its dropout rate.

    Parameters
    ----------
    model : keras.Model
        The result of `skseq._engine.layers.faster` for the model given to `rates`.
    names : collection of str
        The keys of the rates.
    """
    for i, layer in enumerate(layers_of(model)):
        if _rate_name(i) in names:
            layer.rate_name = _rate_name(i)


def _rate_name(i):
    return f"rate of layer {i}"


@dataclass(frozen=True)
class Facts:
    """The properties of a model that its program depends on.

    Attributes
    ----------
    is_rowwise : bool
        Whether a batch may be filled up with rows of weight zero, because no row has an
        effect on the others.
    has_batch_statistics : bool
        Whether a layer uses statistics of the batch.
    has_penalties : bool
        Whether layers may add to the loss.
    suits_xla : bool
        Whether all layers are known to be at least as fast with XLA.
    are_known : bool
        Whether the types of all layers are known.
    parts : list of list of skseq._engine.layers.LayerCall
        See `skseq._engine.layers.faster`.
    """

    is_rowwise: bool
    has_batch_statistics: bool
    has_penalties: bool
    suits_xla: bool
    are_known: bool
    parts: list

    @property
    def calls(self):
        """list of LayerCall: the uses of layers, in the model and in models inside."""
        return [call for part in self.parts for call in part]


def read(model, parts):
    """Read the properties of a model from its layers.

    Parameters
    ----------
    model : keras.Model
        Of Keras' own layers.
    parts : list
        As `skseq._engine.layers.faster` gives them.
    """
    layers = [one for one in layers_of(model) if not is_graph(one)]
    computes_by_row = all(_computes_by_row(*one) for one in _operations_of(model))
    kinds = {type(layer) for layer in layers}
    by_activity = any(layer.activity_regularizer is not None for layer in layers)
    known = _ROW_BY_ROW | {keras.layers.BatchNormalization}
    functions = {name for layer in layers for name in users_functions(layer)}
    return Facts(
        is_rowwise=kinds <= _ROW_BY_ROW
        and computes_by_row
        and not by_activity
        and not any(_is_over_rows(layer) for layer in layers)
        and not any("activation" in name for name in functions),
        has_batch_statistics=keras.layers.BatchNormalization in kinds,
        has_penalties=not kinds <= known
        or by_activity
        or any(variable.regularizer is not None for variable in model.weights),
        suits_xla=kinds <= _FOR_XLA and computes_by_row and not functions,
        are_known=kinds <= known,
        parts=parts,
    )


def _is_over_rows(layer):
    """Check whether a layer or operation works along the axis of the rows."""
    axes = [getattr(layer, name, None) for name in ("axis", "axes")]
    return 0 in keras.tree.flatten(axes)


def _operations_of(model):
    """Yield the operations that are no layers, each with the model that it is in."""
    for operation in model.operations:
        if is_graph(operation):
            yield from _operations_of(operation)
        elif not isinstance(operation, keras.layers.Layer):
            yield operation, model


# Operations on each element of tensors whose first axis is that of the rows.
_ELEMENTWISE = {
    "Abs", "Add", "Cast", "Clip", "Cos", "Divide", "Elu", "Equal", "Exp", "Floor",
    "Gelu", "Greater", "GreaterEqual", "LeakyRelu", "Less", "LessEqual", "Log", "Log1p",
    "LogicalAnd",
    "LogicalNot", "LogicalOr", "Maximum", "Minimum", "Multiply", "Negative", "NotEqual",
    "OnesLike", "Power", "Relu", "Round", "Sigmoid", "Sign", "Silu", "Sin", "Softplus",
    "Sqrt", "Square", "Subtract", "Tanh", "TrueDivide", "Where", "ZerosLike",
}  # fmt: skip

# Operations that are by row unless they work along the first axis.
_ALONG_AXES = {
    "All", "Any", "Concatenate", "Cumsum", "ExpandDims", "LogSoftmax", "Max", "Mean",
    "Min", "Prod", "Repeat", "Softmax", "Squeeze", "Stack", "Std", "Sum", "Take", "Var",
}  # fmt: skip

_ALL_ROWS = {
    "class_name": "__slice__",
    "config": {"start": None, "stop": None, "step": None},
}


def _computes_by_row(operation, model):
    """Check whether an operation is known to compute each row by itself."""
    name = type(operation).__name__
    if not is_keras(operation):
        return False
    if name in _ALONG_AXES:
        axis = getattr(operation, "axis", None)
        n_dimensions = len(_inputs_of(operation)[0].shape)
        axes = keras.tree.flatten(axis)
        return bool(axes) and all(a is not None and a % n_dimensions for a in axes)
    inputs, output = _inputs_of(operation), operation.output
    if name == "Pad":
        return tuple(operation.pad_width[0]) == (0, 0)
    if name == "GetItem":
        layers = config_of(model)["layers"]
        config = next(one for one in layers if one["name"] == operation.name)
        key = config["inbound_nodes"][0]["args"][1]
        first = key[0] if isinstance(key, list | tuple) else key
        return first in (_ALL_ROWS, {"class_name": "__ellipsis__", "config": {}})
    # Without broadcasting over the axis of the rows.
    return name in _ELEMENTWISE and all(
        len(one.shape) == len(output.shape) and one.shape[0] is None for one in inputs
    )


def _inputs_of(operation):
    return keras.tree.flatten(operation.input)
