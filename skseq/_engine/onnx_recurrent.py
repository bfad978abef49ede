"""Recurrent layers of Keras as ONNX's LSTM, GRU and RNN."""

from dataclasses import dataclass

import numpy as np

from skseq._engine.keras import keras
from skseq._engine.onnx_masks import (
    factors_of,
    lengths_of,
    order_of,
    places_of,
    taken,
)
from skseq._engine.onnx_operations import is_activation

# The operator of each layer, and where its gates are among those of Keras.
_KINDS = {
    keras.layers.LSTM: ("LSTM", (0, 3, 1, 2)),
    keras.layers.GRU: ("GRU", (0, 1, 2)),
    keras.layers.SimpleRNN: ("RNN", (0,)),
}

# Keras' activations in cells of ONNX, with their arguments.
_ACTIVATIONS = {
    "elu": ("Elu", 1.0),
    "hard_sigmoid": ("HardSigmoid", 1 / 6, 0.5),
    "leaky_relu": ("LeakyRelu", 0.2),
    "linear": ("Affine", 1.0, 0.0),
    "relu": ("Relu",),
    "sigmoid": ("Sigmoid",),
    "softplus": ("Softplus",),
    "softsign": ("Softsign",),
    "tanh": ("Tanh",),
}


@dataclass(frozen=True)
class _Rows:
    """The input of a layer.

    Attributes
    ----------
    x : str
        Of shape (n_timesteps, n_samples, n_features), valid timesteps first.
    mask : str or None
    lengths, places : str or None
        See `skseq._engine.onnx_masks`. No places: padding is at the end.
    """

    x: str
    mask: str | None = None
    lengths: str | None = None
    places: str | None = None


def _rows_of(call):
    x, mask, writer = call.name(call.x), call.mask, call.graph.writer
    places = lengths = None
    if mask is not None:
        lengths = lengths_of(writer, mask)
        if not call.graph.right_padded:
            places = places_of(writer, mask)
            x = taken(writer, x, order_of(writer, mask))
    x = call.node("Transpose", x, perm=[1, 0, 2])
    return _Rows(x, mask, lengths, places)


def _check(call):
    if len(keras.tree.flatten(call.tensors)) > 1 or call.options.get("initial_state"):
        raise ValueError("an initial state")
    if getattr(call.operation, "return_state", False):
        raise ValueError("return_state=True")


def recurrent(call):
    """Write an LSTM, a GRU or a SimpleRNN layer."""
    _check(call)
    layer = call.operation
    if layer.return_sequences:
        call.mask_out = call.mask
    return _run(call, layer, _rows_of(call), layer.zero_output_for_mask)


def bidirectional(call):
    """Write a bidirectional layer."""
    _check(call)
    layer, rows = call.operation, _rows_of(call)
    if layer.return_sequences:
        call.mask_out = call.mask
    both = []
    for one in (layer.forward_layer, layer.backward_layer):
        if type(one) not in _KINDS:
            raise ValueError(f"a layer of the class {type(one).__name__}")
        # Keras brings the outputs of the backward layer to the order of the input.
        both.append(_run(call, one, rows, one.zero_output_for_mask, in_order=True))
    mode = layer.merge_mode
    if mode is None:
        return both
    if mode == "concat":
        return call.node("Concat", *both, axis=-1)
    y = call.node("Mul" if mode == "mul" else "Add", *both)
    return call.node("Mul", y, np.float32(0.5)) if mode == "ave" else y


def _reversed(call, y):
    start, end = np.array([-1]), np.array([np.iinfo(np.int64).min])
    return call.node("Slice", y, start, end, np.array([1]), start)


def _run(call, layer, rows, zeroes, in_order=False):
    """Write one direction; the outputs are those of Keras, or in order of time."""
    kind, order = _KINDS[type(layer)]
    weights = _weights(layer.cell, order, getattr(layer, "reset_after", True))
    inputs = [rows.x, *weights]
    if rows.lengths is not None:
        inputs += [*[""] * (4 - len(inputs)), rows.lengths]
    options = {"hidden_size": int(layer.units), **_activations(layer, kind)}
    if kind == "GRU":
        options["linear_before_reset"] = int(layer.reset_after)
    if layer.go_backwards:
        options["direction"] = "reverse"
    if not layer.return_sequences:
        last = call.node(kind, *inputs, n_outputs=2, **options)[1]
        return call.node("Squeeze", last, np.array([0]))
    y = call.node(kind, *inputs, n_outputs=2, **options)[0]
    y = call.node("Transpose", call.node("Squeeze", y, np.array([1])), perm=[1, 0, 2])
    if rows.places is not None:
        y = _spread(call, y, rows, layer, zeroes)
    return _reversed(call, y) if layer.go_backwards and not in_order else y


def _spread(call, y, rows, layer, zeroes):
    """Bring outputs from the front of rows to the places of their timesteps.

    At padding, Keras repeats the output of the timestep before.
    """
    if layer.go_backwards and not zeroes:
        raise ValueError("go_backwards=True with a mask")
    writer, zero = call.graph.writer, np.int64(0)
    y = taken(writer, y, call.node("Max", rows.places, zero))
    has_output = rows.mask if zeroes else call.node("GreaterOrEqual", rows.places, zero)
    return call.node("Mul", y, factors_of(writer, has_output))


def _weights(cell, order, reset_after):
    """Convert kernels and biases, with an axis for the direction.

    Returns
    -------
    kernel : ndarray of shape (1, n_gates * units, n_features)
    recurrent_kernel : ndarray of shape (1, n_gates * units, units)
    bias : ndarray of shape (1, 2 * n_gates * units)
        Left out without biases.
    """

    def ordered(values):
        gates = np.split(values, len(order), axis=-1)
        return np.concatenate([gates[i] for i in order], axis=-1)

    kernels = [
        ordered(keras.ops.convert_to_numpy(one)).T[None]
        for one in (cell.kernel, cell.recurrent_kernel)
    ]
    if not cell.use_bias:
        return kernels
    bias = np.atleast_2d(keras.ops.convert_to_numpy(cell.bias))
    if len(bias) == 1:
        bias = np.concatenate([bias, np.zeros_like(bias)])
    return [*kernels, ordered(bias).reshape(1, -1)]


def _activations(layer, kind):
    """Get the attributes for the activations of a cell."""
    functions = [layer.activation]
    if kind != "RNN":
        functions.insert(0, layer.recurrent_activation)
    if kind == "LSTM":
        functions.append(layer.activation)
    names, alphas, betas = [], [], []
    for function in functions:
        name = keras.activations.serialize(function)
        is_known = isinstance(name, str) and name in _ACTIVATIONS
        if not is_known or not is_activation(function, name):
            raise ValueError(
                f"the activation {name!r} inside of a cell, which must be one of "
                f"Keras' own {sorted(_ACTIVATIONS)}"
            )
        kind_of, *arguments = _ACTIVATIONS[name]
        names.append(kind_of)
        alphas += arguments[:1]
        betas += arguments[1:]
    options = {"activations": names}
    if alphas:
        options["activation_alpha"] = alphas
    if betas:
        options["activation_beta"] = betas
    return options
