"""The arguments of layers that users pass as a dict."""

from skseq._engine.fingerprints import config_of
from skseq._engine.keras import building, keras
from skseq._engine.names import accepted, check_options, public_classes, snake_case
from skseq._engine.parts import both_ways, make_layer
from skseq._engine.private import global_seed, initializer_of
from skseq._engine.skeletons import without_values
from skseq._validation import check_per_layer, nearest

# The layers of families.
LAYERS = {
    "lstm": keras.layers.LSTM,
    "gru": keras.layers.GRU,
    "simple_rnn": keras.layers.SimpleRNN,
    "conv1d": keras.layers.Conv1D,
    "separable_conv1d": keras.layers.SeparableConv1D,
    "dense": keras.layers.Dense,
}

# Endings of arguments that have no effect on what given weights compute.
_OF_TRAINING = ("_initializer", "_regularizer", "_constraint")

_TAKEN = {
    "depth_multiplier", "dilation_rate", "groups", "recurrent_activation",
    "reset_after", "strides", "unit_forget_bias", "use_bias",
}  # fmt: skip

# Arguments that Keras takes in any type, although it means a bool.
_BOOLS = ("reset_after", "unit_forget_bias", "use_bias")

# Keras' objects that have names, by the ending of arguments, with their base class.
_NAMED = {
    "initializer": (keras.initializers, keras.initializers.Initializer),
    "regularizer": (keras.regularizers, keras.regularizers.Regularizer),
    "constraint": (keras.constraints, keras.constraints.Constraint),
}

# Arguments in whose place is a parameter of another name.
_ELSEWHERE = {
    "activation": "activation",
    "dropout": "dropout",
    "filters": "filters",
    "go_backwards": "bidirectional",
    "kernel_size": "kernel_size",
    "padding": "padding",
    "recurrent_dropout": "recurrent_dropout",
    "return_sequences": "pooling",
    "seed": "random_state",
}


def check_layer_params(
    layer_params, kind, sizes, sizes_name, n_inputs, bidirectional=False
):
    """Validate arguments of layers, and return a dict for each layer.

    Parameters
    ----------
    layer_params : dict, list or tuple of dict, or None
        The parameter of an estimator: one dict for all layers, or one for each.
    kind : str
        A key of `LAYERS`.
    sizes : list of tuple
        The first arguments of each layer.
    sizes_name : str
        The parameter that has the widths of the layers.
    n_inputs : list of int
        The number of features that each layer gets.
    bidirectional : bool

    Returns
    -------
    params : tuple of dict
        Empty if there are no arguments.
    """
    cls = LAYERS[kind]
    found = check_per_layer(
        "layer_params", layer_params, len(sizes),
        valid=lambda one: one is None or isinstance(one, dict),
        expected="a dict, a tuple with a dict for each layer, or None",
    )  # fmt: skip
    found = tuple(dict(one or {}) for one in found)
    # The activation of a recurrent layer is that inside its cell.
    is_recurrent = issubclass(cls, keras.layers.RNN)
    taken = _TAKEN | ({"activation"} if is_recurrent else set())
    refused = accepted(cls) - {
        name for name in accepted(cls) if name in taken or name.endswith(_OF_TRAINING)
    }
    elsewhere = {**_ELSEWHERE, "units": sizes_name}
    for params, size, n_features in zip(found, sizes, n_inputs, strict=True):
        for name in refused & params.keys():
            remedy = "Leave it out: the estimator sets it"
            if name in elsewhere:
                remedy = f"Use the parameter {elsewhere[name]}"
            raise ValueError(
                f"layer_params must not hold {name!r}, got {params[name]!r}. {remedy}."
            )
        check_options("layer_params", params, cls, refused)
        _check_values(params, cls, size, n_features, bidirectional)
    return found if any(found) else ()


def _check_values(params, cls, size, n_features, bidirectional):
    """Raise unless a layer can be made with these arguments."""
    for name, value in params.items():
        kind = name.rpartition("_")[2]
        if name in _BOOLS and not isinstance(value, bool):
            raise TypeError(
                f"layer_params must hold a bool as {name!r}, got {value!r}. Pass True "
                f"or False."
            )
        if kind == "activation" and isinstance(value, (dict, keras.layers.Layer)):
            raise TypeError(
                f"layer_params must hold the name of a Keras activation or a function "
                f"as {name!r}, got {value!r}. Use the parameter layer_activation for "
                f"an activation after the cell."
            )
        if bidirectional and getattr(value, "__name__", "") == "<lambda>":
            raise ValueError(
                f"layer_params must hold no lambda with bidirectional=True, got "
                f"{value!r} as {name!r}: Keras copies the layer for the second "
                f"direction by names. Use a named function."
            )
        if kind in _NAMED and isinstance(value, str):
            _check_name(name, value, *_NAMED[kind])
    if not params:
        return

    def build():
        layer = make_layer(cls, *size, params=params)
        outer = both_ways(layer, "layer") if bidirectional else layer
        is_flat = cls is keras.layers.Dense
        outer.build((None, n_features) if is_flat else (None, None, n_features))
        config_of(layer)  # from which copies are made
        if params.get("activity_regularizer") and layer.activity_regularizer is None:
            # As Keras 3.15 does for SimpleRNN.
            raise ValueError("this layer of Keras ignores 'activity_regularizer'")
        return outer

    try:
        with building(), global_seed(0):
            _try(without_values(build), params)
    # A user's object may raise anything.
    except Exception as error:
        raise ValueError(
            f"layer_params={params!r} can't be used with {cls.__name__}: {error}"
        ) from error


def _check_name(name, value, module, base):
    try:
        module.get(value)
    except ValueError as error:
        names = {snake_case(one) for one in public_classes(module, base)}
        raise ValueError(
            f"layer_params must hold a name that Keras knows, or an object, as "
            f"{name!r}, got {value!r}.{nearest(value, names)}"
        ) from error


def _try(layer, params):
    """Call what the user has passed for the weights of a layer, once."""
    kinds = {name.rpartition("_")[2] for name in params}
    for weight in layer.trainable_weights:
        shape = tuple(weight.shape)
        if "initializer" in kinds:
            value = initializer_of(weight)(shape, dtype=weight.dtype)
            _check_shape("initializer", value, shape)
        for kind, expected in (("regularizer", ()), ("constraint", shape)):
            function = getattr(weight, kind)
            if function is not None:
                value = function(keras.ops.zeros(shape, weight.dtype))
                _check_shape(kind, value, expected)


def _check_shape(kind, value, shape):
    if keras.ops.shape(value) != shape:
        raise ValueError(
            f"the {kind} of a weight must give a tensor of shape {shape}, got "
            f"{keras.ops.shape(value)}"
        )


def without_those_of_training(layer_params):
    """Leave out the arguments that have no effect on what given weights compute."""
    kept = [
        {k: v for k, v in params.items() if not k.endswith(_OF_TRAINING)}
        for params in layer_params
    ]
    return tuple(kept) if any(kept) else ()
