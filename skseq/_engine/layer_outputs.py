"""Weights and outputs of single layers of a fitted network."""

import numpy as np

from skseq._engine.keras import building, keras
from skseq._engine.masks import Windows
from skseq._engine.networks import Convolutional
from skseq._engine.train import standalone_model

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
        return np.array(layer.kernel)
    by_feature, mixing = np.array(layer.depthwise_kernel), np.array(
        layer.pointwise_kernel
    )
    mixing = mixing.reshape(*by_feature.shape[1:], -1)
    return np.einsum("kfm,fmo->kfo", by_feature, mixing)


def windows_of(recipe, model, name):
    """Find the windows of the first convolution, in timesteps of its rows.

    Returns
    -------
    first : int
        The timestep at which the first window starts, which may be below 0.
    stride, dilation : int
    """
    layer, network = model.get_layer(name), recipe.network
    n_fitted = network.n_timesteps
    if isinstance(network, Convolutional):
        # Its layer may get timesteps that were added before.
        windows = network.windows()[0]
        if network.fitted_windows is not None:
            n_fitted = network.fitted_windows
    else:
        windows = Windows(
            layer.kernel_size[0], layer.strides[0], layer.padding,
            layer.dilation_rate[0],
        )  # fmt: skip
        n_fitted = layer.input.shape[1]
    return windows.first(n_fitted), windows.stride, windows.dilation


def outputs_of(recipe, weights, name, rows):
    """Compute the outputs of a layer for rows.

    Parameters
    ----------
    recipe : Recipe
    weights : list of ndarray
    name : str
        A layer of the network.
    rows : ndarray

    Returns
    -------
    outputs : ndarray, float32
    """
    model = standalone_model(recipe, weights)
    with building():
        part = keras.Model(model.inputs, model.get_layer(name).output)
        return part.predict(rows, batch_size=_CHUNK_ROWS, verbose=0)
