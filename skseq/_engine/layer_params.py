"""The arguments of layers that users pass as a dict."""

from skseq._engine.keras import building, keras
from skseq._engine.names import accepted, check_options
from skseq._engine.skeletons import without_values
from skseq._engine.stored import copied
from skseq._validation import check_per_layer

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


def check_layer_params(layer_params, kind, sizes, sizes_name):
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
    taken = _TAKEN | ({"activation"} if issubclass(cls, keras.layers.RNN) else set())
    refused = accepted(cls) - {
        name for name in accepted(cls) if name in taken or name.endswith(_OF_TRAINING)
    }
    elsewhere = {**_ELSEWHERE, "units": sizes_name}
    for params, size in zip(found, sizes, strict=True):
        for name in refused & params.keys():
            remedy = "Leave it out: the estimator sets it"
            if name in elsewhere:
                remedy = f"Use the parameter {elsewhere[name]}"
            raise ValueError(
                f"layer_params must not hold {name!r}, got {params[name]!r}. {remedy}."
            )
        check_options("layer_params", params, cls, refused)
        _check_values(cls, size, params)
    return found if any(found) else ()


def _check_values(cls, size, params):
    if not params:
        return
    try:
        with building():
            without_values(lambda: cls(*size, **copied(params)))
    except (TypeError, ValueError, AttributeError) as error:
        raise ValueError(
            f"layer_params={params!r} can't be used with {cls.__name__}: {error}"
        ) from error


def without_those_of_training(layer_params):
    """Leave out the arguments that have no effect on what given weights compute."""
    kept = [
        {k: v for k, v in params.items() if not k.endswith(_OF_TRAINING)}
        for params in layer_params
    ]
    return tuple(kept) if any(kept) else ()
