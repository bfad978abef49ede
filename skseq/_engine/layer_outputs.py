"""Weights and outputs of single layers of a fitted network."""

import numpy as np

from skseq._engine.keras import building, keras
from skseq._engine.masks import Windows
from skseq._engine.networks import Convolutional
from skseq._engine.train import standalone_model
from skseq._engine.weights import values_of

CONVOLUTIONS = (keras.layers.Conv1D, keras.layers.SeparableConv1D)

# Rows that are computed at once.
_CHUNK_ROWS = 256


def names_of_convolutions(model):
    """List the names of the convolutions over time, from input to output."""
    return [layer.name for layer in model.layers if isinstance(layer, CONVOLUTIONS)]


def kernel_of(model, name):
    """Get the weights of a convolution.

    Those of a separable convolution are multiplied.

    Returns
    -------
    kernel : ndarray of shape (kernel_size, n_features, n_filters), float32
    """
    layer = model.get_layer(name)
    if not isinstance(layer, keras.layers.SeparableConv1D):
        return values_of([layer.kernel])[0]
    by_feature, mixing = values_of([layer.depthwise_kernel, layer.pointwise_kernel])
    mixing = mixing.reshape(*by_feature.shape[1:], -1)
    return np.einsum("kfm,fmo->kfo", by_feature, mixing)


def windows_of(recipe, model, name):
    """Find the windows of the first convolution, in timesteps of its rows.

    Parameters
    ----------
    recipe : Recipe
        Of the network that reads the rows.
    model : keras.Model
        A network with the same layers.
    name : str
        The convolution.

    Returns
    -------
    windows : Windows
    first : int
        The timestep at which the first window starts, which may be below 0.
    """
    layer, network = model.get_layer(name), recipe.network
    if isinstance(network, Convolutional):
        # Its layer may get timesteps that were added before.
        windows, fitted = network.windows()[0], network.fitted_windows
        return windows, windows.first(network.n_timesteps if fitted is None else fitted)
    windows = Windows(
        layer.kernel_size[0], layer.strides[0], layer.padding, layer.dilation_rate[0]
    )
    n_read = layer.input.shape[1]
    if n_read != network.n_timesteps:
        raise ValueError(
            f"The first convolution must read the {network.n_timesteps} timesteps of "
            f"X, got {name!r} over {n_read} timesteps."
        )
    return windows, windows.first(n_read)


def outputs_of(recipe, weights, name, rows):
    """Yield slices of rows, and the outputs of a layer for them.

    Parameters
    ----------
    recipe : Recipe
    weights : list of ndarray
    name : str
        A layer of the network.
    rows : ndarray
    """
    model = standalone_model(recipe, weights)
    with building():
        part = keras.Model(model.input, model.get_layer(name).output)
    for start in range(0, len(rows), _CHUNK_ROWS):
        chunk = slice(start, start + _CHUNK_ROWS)
        yield chunk, np.array(part(rows[chunk], training=False))
