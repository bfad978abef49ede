"""What the layers of a network have learned: filters and attention."""

from __future__ import annotations

from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils import Bunch

from skseq._engine.layer_outputs import (
    kernel_of,
    names_of_convolutions,
    outputs_of,
    windows_of,
)
from skseq._lists import as_listed
from skseq._validation import Interval, check_arguments
from skseq.inspection._rows import Rows, check_network, check_single

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

_ATTENTION = "attention"


def _convolutions(model, estimator):
    names = names_of_convolutions(model)
    if not names:
        raise ValueError(
            f"estimator must have a convolution over time, got "
            f"{type(estimator).__name__} without keras.layers.Conv1D or "
            f"SeparableConv1D. Use Conv1DClassifier or Conv1DRegressor."
        )
    return names


def convolution_filters(estimator: Any, *, layer: int = 0) -> np.ndarray:
    """Get the weights of the filters of a convolution over time.

    Parameters
    ----------
    estimator : classifier or regressor of skseq
        A fitted network with a `keras.layers.Conv1D` or
        `keras.layers.SeparableConv1D`.
    layer : int, default=0
        Position among the convolutions, counted from the input.

    Returns
    -------
    filters : ndarray of shape (kernel_size, n_features, n_filters)
        The weights. The first axis is time, with the oldest timestep first. For a
        separable convolution, the product of its two weight arrays. The features of the
        first layer are those of X without static features, or for token ids the
        elements of their vectors.

    Raises
    ------
    TypeError
        If the estimator is not a network of skseq.
    NotFittedError
        Before ``fit``.
    ValueError
        If the network has no such convolution.

    See Also
    --------
    top_windows : Finds the parts of sequences to which a filter responds most.

    Examples
    --------
    >>> import numpy as np
    >>> from skseq import Conv1DClassifier
    >>> from skseq.inspection import convolution_filters
    >>> X = np.random.default_rng(0).normal(size=(50, 8, 2))
    >>> net = Conv1DClassifier(filters=16, kernel_size=3, epochs=1)
    >>> convolution_filters(net.fit(X, X[:, 0, 0] > 0)).shape
    (3, 2, 16)
    """
    check_network(estimator)
    check_single(estimator, "the filters of a layer")
    model = estimator.model_
    names = _convolutions(model, estimator)
    is_position = isinstance(layer, Integral) and not isinstance(layer, bool)
    if not is_position or not 0 <= layer < len(names):
        raise ValueError(
            f"layer must be from 0 to {len(names) - 1}, the convolutions of the "
            f"network, got {layer!r}."
        )
    return kernel_of(model, names[layer])


def top_windows(estimator: Any, X: ArrayLike, *, n_windows: int = 5) -> Bunch:
    """Find the parts of sequences to which each filter responds most.

    The filters are those of the first convolution. For each filter, only the window
    with the largest output in each row is considered, so that its windows are from
    different rows.

    Parameters
    ----------
    estimator : classifier or regressor of skseq
        A fitted network with a convolution as first layer, or after the embedding of
        token ids.
    X : list of array-like of shape (n_timesteps_i, n_features), or array-like or \
            dataframe of shape (n_samples, n_timesteps, n_features) or \
            (n_samples, n_columns)
        Rows, as input of the network. For a pipeline, pass
        ``pipeline[:-1].transform(X)``.
    n_windows : int, default=5
        Number of windows for each filter; at most the number of rows.

    Returns
    -------
    found : sklearn.utils.Bunch
        A dict whose keys are also attributes. Windows are in decreasing order of the
        output.

        row : ndarray of int of shape (n_filters, n_windows)
            Position of the row of X.
        start : ndarray of int of shape (n_filters, n_windows)
            The timestep at which the window starts, not counting padding of X. It is
            negative where the convolution reads zeros before the start of the row.
        value : ndarray of shape (n_filters, n_windows)
            The output of the convolution.
        windows : ndarray of shape (n_filters, n_windows, kernel_size, n_features)
            The values of X in the window, and NaN outside of the row.

    Raises
    ------
    TypeError
        If the estimator is not a network of skseq.
    NotFittedError
        Before ``fit``.
    ValueError
        If the network has no convolution, or its first convolution does not read the
        timesteps of X; if the shape of X differs from that in ``fit``, or X has fewer
        than ``n_windows`` rows.

    See Also
    --------
    convolution_filters : Gets the weights of the filters.
    FilterDisplay : Draws filters and their windows.

    Examples
    --------
    The class depends on whether the row has a peak:

    >>> import numpy as np
    >>> from skseq import Conv1DClassifier
    >>> from skseq.inspection import top_windows
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(300, 20, 1), scale=0.2)
    >>> y, place = np.arange(300) % 2, rng.integers(20, size=300)
    >>> X[np.arange(300), place, 0] += 2 * y
    >>> net = Conv1DClassifier(filters=4, kernel_size=3, random_state=0).fit(X, y)
    >>> found = top_windows(net, X)
    >>> found.windows.shape
    (4, 5, 3, 1)
    >>> bool((found.windows[0].max(axis=(1, 2)) > 1.5).all())  # there is a peak
    True
    """
    check_arguments(
        "top_windows",
        {"n_windows": [Interval(Integral, 1, None, closed="left")]},
        {"n_windows": n_windows},
    )
    check_network(estimator)
    check_single(estimator, "the filters of a layer")
    model = estimator.model_
    name = _convolutions(model, estimator)[0]
    rows = Rows(estimator, X)
    if n_windows > len(rows):
        raise ValueError(
            f"n_windows must be at most the number of rows of X, {len(rows)}, got "
            f"{n_windows}."
        )
    kernel = kernel_of(model, name)
    best = np.empty((len(rows), kernel.shape[2]))
    starts = np.empty(best.shape, int)
    for part in rows.parts():
        windows, first = windows_of(part.recipe, model, name)
        lengths = rows.lengths[part.index]
        # The last timestep that a window needs in the row.
        needed = windows.reach if windows.padding == "valid" else 0
        outputs = outputs_of(part.recipe, estimator._state.weights, name, part.rows)
        for chunk, values in outputs:
            places = np.arange(values.shape[1]) * windows.stride
            values[places + needed >= lengths[chunk, None]] = -np.inf
            found = values.argmax(axis=1)
            index = part.index[chunk]
            best[index] = np.take_along_axis(values, found[:, None], axis=1)[:, 0]
            starts[index] = first + found * windows.stride
    steps = np.arange(kernel.shape[0]) * windows.dilation
    row = np.argsort(-best, axis=0, kind="stable")[:n_windows].T
    by_filter = np.arange(best.shape[1])[:, None]
    start = starts[row, by_filter]
    return Bunch(
        row=row,
        start=start,
        value=best[row, by_filter],
        windows=_cut(rows, row, start, steps),
    )


def _cut(rows, row, start, steps):
    """Get the values of windows, NaN outside of the rows."""
    # A table of token ids has no axis of features.
    cube = rows.values.reshape(*rows.values.shape[:2], -1)
    windows = np.full((*row.shape, len(steps), cube.shape[2]), np.nan)
    for place in np.ndindex(row.shape):
        values = cube[row[place]]
        if rows.valid is not None:
            values = values[rows.valid[row[place]]]
        asked = start[place] + steps
        inside = (asked >= 0) & (asked < len(values))
        windows[place][inside] = values[asked[inside]]
    return windows


def attention_weights(estimator: Any, X: ArrayLike) -> Any:
    """Get the attention weight of each timestep of each row.

    Parameters
    ----------
    estimator : classifier or regressor of skseq
        A fitted network with ``pooling="attention"`` [1]_, or a Keras model of your own
        with a layer named "attention" whose outputs are the weights.
    X : list of array-like of shape (n_timesteps_i, n_features), or array-like or \
            dataframe of shape (n_samples, n_timesteps, n_features) or \
            (n_samples, n_columns)
        Rows, as input of the network. For a pipeline, pass
        ``pipeline[:-1].transform(X)``.

    Returns
    -------
    weights : ndarray of shape (n_samples, n_timesteps), or list of ndarray
        The weights, which sum to 1 in each row, and are 0 for padding. If X is a list,
        a list with an array of shape (n_timesteps_i,) for each row. If earlier layers
        shorten the sequences (``pool_size``, strides, ``padding="valid"``), the shape
        is (n_samples, n_windows), with a weight for each of the remaining positions.

    Raises
    ------
    TypeError
        If the estimator is not a network of skseq.
    NotFittedError
        Before ``fit``.
    ValueError
        If the network has no attention, or the shape of X differs from that in ``fit``.

    Notes
    -----
    In a recurrent network, attention is applied to the outputs of a recurrent layer,
    which also depend on earlier timesteps. Therefore a large weight of a timestep may
    be due to earlier timesteps. `integrated_gradients` explains a prediction by the
    values of X themselves.

    References
    ----------
    .. [1] Z. Yang et al., "Hierarchical attention networks for document
       classification", NAACL 2016.

    Examples
    --------
    >>> import numpy as np
    >>> from skseq import GRUClassifier
    >>> from skseq.inspection import attention_weights
    >>> X = np.random.default_rng(0).normal(size=(50, 8, 2))
    >>> net = GRUClassifier(4, pooling="attention", epochs=2, random_state=0)
    >>> weights = attention_weights(net.fit(X, X[:, 0, 0] > 0), X)
    >>> weights.shape
    (50, 8)
    >>> np.allclose(weights.sum(axis=1), 1)
    True
    """
    check_network(estimator)
    check_single(estimator, "the weights of a layer")
    model = estimator.model_
    named = [layer for layer in model.layers if layer.name == _ATTENTION]
    shape = tuple(named[0].output.shape) if named else ()
    if len(shape) not in (2, 3) or (len(shape) == 3 and shape[2] != 1):
        raise ValueError(
            f"estimator must have attention, got {type(estimator).__name__} without a "
            f"layer 'attention' whose outputs are weights of shape (n_samples, "
            f"n_timesteps). Set pooling='attention'."
        )
    rows = Rows(estimator, X)
    found = []
    for part in rows.parts():
        outputs = outputs_of(
            part.recipe, estimator._state.weights, _ATTENTION, part.rows
        )
        weights = np.concatenate([values for _, values in outputs])
        found.append((part, weights.reshape(len(weights), -1)))
    if all(weights.shape[1] == part.rows.shape[1] for part, weights in found):
        return rows.in_place(found)
    return _of_windows(rows, found)


def _of_windows(rows, found):
    """Arrange weights of windows; those at the end of a row without padding are 0."""
    most = max(weights.shape[1] for _, weights in found)
    values = np.zeros((len(rows), most))
    for part, weights in found:
        values[part.index, : weights.shape[1]] = weights
    if not rows.is_list:
        return values
    # A weight is 0 at padding alone, unless it is below the smallest float32.
    return as_listed([row[: np.flatnonzero(row)[-1] + 1] for row in values], rows.given)
