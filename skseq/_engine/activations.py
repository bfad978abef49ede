"""Activations after layers: from names, dicts, functions and layers to Keras layers."""

import inspect

from skseq._engine.keras import DTYPE, keras
from skseq._engine.names import check_options
from skseq._validation import check_per_layer, nearest

# What a single activation may be.
ACTIVATION = [str, dict, keras.layers.Layer, callable, None]

# Activations that are layers in Keras because they have options or weights.
_LAYERS = {
    "elu": keras.layers.ELU,
    "leaky_relu": keras.layers.LeakyReLU,
    "prelu": keras.layers.PReLU,
    "relu": keras.layers.ReLU,
    "softmax": keras.layers.Softmax,
}


def check_activations(activations, n_layers):
    """The activations of ``layer_activation``, one for each layer, as a tuple."""
    activations = check_per_layer(
        "layer_activation",
        activations,
        n_layers,
        valid=_is_activation,
        expected="the name of a Keras activation, a dict with a name and options, a "
        "Keras layer or a function",
    )
    for activation in activations:
        if isinstance(activation, dict):
            _check_options(activation)
        elif isinstance(activation, str):
            _check_name(activation)
    return activations


def _is_activation(activation):
    return (
        activation is None
        or isinstance(activation, (str, dict))
        or (callable(activation) and not inspect.isclass(activation))
    )


def _check_options(activation):
    options = dict(activation)
    name = options.pop("name", None)
    if name not in _LAYERS:
        raise ValueError(
            f"layer_activation must be a dict with the 'name' of an activation that "
            f"has options, got {activation!r}.{nearest(name, _LAYERS)}"
        )
    cls = _LAYERS[name]
    check_options("layer_activation", options, cls)
    try:
        cls(**options)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"layer_activation={activation!r} can't be used: {error}"
        ) from error


def _check_name(activation):
    if activation in _LAYERS:
        return
    try:
        keras.activations.get(activation)
    except ValueError as error:
        names = [n for n in dir(keras.activations) if n[0] != "_" and n.islower()]
        names = {*names, *_LAYERS} - {"get", "serialize", "deserialize"}
        raise ValueError(
            f"layer_activation must be the name of a Keras activation, got "
            f"{activation!r}.{nearest(activation, names)}"
        ) from error


def is_function(activation):
    """Whether a layer can compute an activation by itself.

    Not where Keras has a layer of that name with weights or with other defaults than
    its function.
    """
    if isinstance(activation, str):
        return activation not in ("leaky_relu", "prelu")
    return not isinstance(activation, (dict, keras.layers.Layer))


def activation_layer(activation, name):
    """A new layer that computes an activation; never the caller's own object."""
    if isinstance(activation, keras.layers.Layer):
        return type(activation).from_config({**activation.get_config(), "name": name})
    options = {"name": activation} if isinstance(activation, str) else activation
    if isinstance(options, dict):
        cls = _LAYERS.get(options["name"])
        if cls is not None:
            return cls(**{**options, "name": name}, dtype=DTYPE)
    return keras.layers.Activation(activation, name=name, dtype=DTYPE)
