"""Keras layers for activations, from names, dicts, functions and layers."""

import inspect

from skseq._engine.fingerprints import config_of
from skseq._engine.keras import DTYPE, is_keras, keras
from skseq._engine.names import check_options
from skseq._engine.stored import made_from
from skseq._validation import check_per_layer, nearest

# The constraint of a single activation.
ACTIVATION = [str, dict, keras.layers.Layer, callable, None]

# Activations with options or weights, which are layers in Keras.
_LAYERS = {
    "elu": keras.layers.ELU,
    "leaky_relu": keras.layers.LeakyReLU,
    "prelu": keras.layers.PReLU,
    "relu": keras.layers.ReLU,
    "softmax": keras.layers.Softmax,
}


def check_activations(parameter, activations, n_layers):
    """Validate activations and return one for each layer, as a tuple.

    Parameters
    ----------
    parameter : str
        The name of the parameter, for messages.
    activations : object, list or tuple
        One for all layers, or a list or tuple with one for each.
    n_layers : int
    """
    found = check_per_layer(parameter, activations, n_layers)
    for activation in found:
        if isinstance(activation, dict):
            _check_options(parameter, activation)
        elif isinstance(activation, str):
            _check_name(parameter, activation)
        elif activation is not None and (
            not callable(activation) or inspect.isclass(activation)
        ):
            raise TypeError(
                f"{parameter} must be the name of a Keras activation, a dict with a "
                f"name and options, a Keras layer or a function, got {activation!r}."
            )
    return found


def _check_options(parameter, activation):
    options = dict(activation)
    name = options.pop("name", None)
    if name not in _LAYERS:
        raise ValueError(
            f"{parameter} must be a dict with the 'name' of an activation that "
            f"has options, got {activation!r}.{nearest(name, _LAYERS)}"
        )
    cls = _LAYERS[name]
    check_options(parameter, options, cls)
    try:
        cls(**options)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{parameter}={activation!r} can't be used: {error}"
        ) from error


def _check_name(parameter, activation):
    if activation in _LAYERS:
        return
    try:
        keras.activations.get(activation)
    except ValueError as error:
        names = [n for n in dir(keras.activations) if n[0] != "_" and n.islower()]
        names = {*names, *_LAYERS} - {"get", "serialize", "deserialize"}
        raise ValueError(
            f"{parameter} must be the name of a Keras activation, got "
            f"{activation!r}.{nearest(activation, names)}"
        ) from error


def is_function(activation):
    """Check whether an activation can be the argument of another layer."""
    if isinstance(activation, str):
        return activation != "prelu"  # it has weights
    return not isinstance(activation, (dict, keras.layers.Layer))


def has_weights_by_step(activation):
    """Check whether an activation may have a weight for each timestep.

    It is not known of a layer of the user's own class.
    """
    if isinstance(activation, keras.layers.Layer) and not is_keras(type(activation)):
        return True
    if activation is None or is_function(activation):
        return False
    layer = activation_layer(activation, "activation")
    is_prelu = isinstance(layer, keras.layers.PReLU)
    return is_prelu and 1 not in (layer.shared_axes or ())


def activation_layer(activation, name):
    """Make a layer that computes an activation; a layer of the user's is copied."""
    if isinstance(activation, keras.layers.Layer):
        return made_from(type(activation), {**config_of(activation), "name": name})
    options = {"name": activation} if isinstance(activation, str) else activation
    if isinstance(options, dict):
        cls = _LAYERS.get(options["name"])
        if cls is not None:
            return cls(**{**options, "name": name}, dtype=DTYPE)
    return keras.layers.Activation(activation, name=name, dtype=DTYPE)
