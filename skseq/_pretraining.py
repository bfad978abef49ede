"""First weights of a network from the encoder of an autoencoder."""

from copy import copy
from dataclasses import replace

import numpy as np
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator

from skseq._engine.fingerprints import fingerprint
from skseq._engine.layer_params import without_those_of_training
from skseq._engine.recipe import State
from skseq._engine.train import named_weights
from skseq._padded import PADDING, PaddedRows, as_padded

# Options that encoder and network must have in common, besides the shapes of their
# weights, and the last layer for which they are compared.
_COMMON = {
    "cell": None,
    "padding": None,
    "activation": None,
    "layer_activation": None,
    "normalization": None,
    "pool_size": -1,
}


def unfrozen(pretrained):
    """Get the autoencoder, and whether it is frozen."""
    frozen = isinstance(pretrained, FrozenEstimator)
    return pretrained.estimator if frozen else pretrained, frozen


def check_pretrained(pretrained, X_unlabeled, mask_value):
    """Validate the parameter ``pretrained``.

    Parameters
    ----------
    pretrained : object
        Valid are an unfitted autoencoder, a fitted one in `FrozenEstimator`, and None.
    X_unlabeled : array-like or None
    mask_value : float or None
        Of the network.
    """
    remedy = (
        "Pass sklearn.frozen.FrozenEstimator(autoencoder) with a fitted "
        "AutoencoderTransformer, or an unfitted AutoencoderTransformer."
    )
    if pretrained is None:
        if X_unlabeled is not None:
            raise ValueError(f"X_unlabeled needs pretrained, got None. {remedy}")
        return
    inner, frozen = unfrozen(pretrained)
    if not hasattr(type(inner), "_encoder"):
        raise TypeError(
            f"pretrained must be an AutoencoderTransformer or None, got "
            f"{pretrained!r}. {remedy}"
        )
    if inner.__sklearn_is_fitted__() != frozen:
        raise ValueError(
            f"pretrained must be "
            f"{'fitted in FrozenEstimator' if frozen else 'unfitted or frozen'}, got "
            f"{'an unfitted' if frozen else 'a fitted'} {inner!r}: clone and grid "
            f"searches would discard its weights. {remedy}"
        )
    if frozen and X_unlabeled is not None:
        raise ValueError(
            "X_unlabeled must be None with a frozen autoencoder, which is fitted "
            "already, got an array. Set pretrained to an unfitted "
            "AutoencoderTransformer."
        )
    # By their texts, because NaN is not equal to itself.
    if inner.mask_value is not None and str(inner.mask_value) != str(mask_value):
        ours = "None" if mask_value is None else f"{mask_value!r} or None"
        raise ValueError(
            f"pretrained must have the network's mask_value={ours}, got "
            f"{inner.mask_value!r}. Set both to the same value."
        )


def check_encoder(pretrained, network):
    """Raise unless encoder and network compute the same with the same weights.

    Parameters
    ----------
    pretrained : estimator
        Validated by `check_pretrained`.
    network : skseq._engine.networks.Network
    """
    autoencoder, _ = unfrozen(pretrained)
    encoder = autoencoder._encoder(network.n_timesteps, network.n_features)
    if type(encoder) is not type(network):
        raise ValueError(
            f"pretrained must have layers of the network's kind, got kind="
            f"{autoencoder.kind!r} for a {network.name} network."
        )
    differing = []
    for name, last in _COMMON.items():
        theirs, ours = getattr(encoder, name, None), getattr(network, name, None)
        if isinstance(theirs, tuple) and isinstance(ours, tuple):
            theirs = theirs[:last]
            # `start_from` raises for missing layers.
            n_both = min(len(theirs), len(ours))
            theirs, ours = theirs[:n_both], ours[:n_both]
        if fingerprint(ours) != fingerprint(theirs):
            differing.append(f"{name}={ours!r} (the encoder's is {theirs!r})")
    if network.normalization and not network.has_one_order:
        differing.append("normalization before the activation (the encoder's is after)")
    params = without_those_of_training(network.layer_params)
    if params or getattr(network, "separable", False):
        options = "separable=True" if not params else f"layer_params={params!r}"
        differing.append(f"{options} (the encoder has Keras' defaults)")
    if differing:
        raise ValueError(
            f"A pretrained network must have the options of the encoder, got "
            f"{', '.join(differing)}. Set both to the same value."
        )


def fit_autoencoder(pretrained, rows, X_unlabeled, flat, defaults):
    """Fit the autoencoder for pretraining, unless it is frozen.

    Parameters
    ----------
    pretrained : estimator
        Validated by `check_pretrained`.
    rows : skseq._rows.Part
        The training rows.
    X_unlabeled : ndarray of shape (n_more, n_timesteps, n_features), PaddedRows or None
    flat : bool
        Whether X is a table.
    defaults : dict of str to object
        Parameters of an unfitted autoencoder in place of None.

    Raises
    ------
    ValueError
        If a frozen autoencoder was fitted on rows of another shape, or rows are those
        of a table with padding.
    """
    autoencoder, frozen = unfrozen(pretrained)
    is_padded = any(isinstance(X, PaddedRows) for X in (rows.X, X_unlabeled))
    if flat and is_padded:
        raise ValueError(
            "pretrained must be None for a table with padding: an autoencoder has a "
            "scale for each of its columns, got mask_value and a 2-D X. Pass sequences "
            "of 3 dimensions, or a list."
        )
    # The caller may fit a frozen autoencoder again.
    autoencoder = copy(autoencoder) if frozen else clone(autoencoder)
    if not frozen:
        for name, value in defaults.items():
            if getattr(autoencoder, name) is None:
                autoencoder.set_params(**{name: value})
        X = rows.rows()
        if is_padded:
            autoencoder.set_params(mask_value=PADDING)
        if X_unlabeled is not None:
            X = _joined(X, X_unlabeled)
        autoencoder.fit(X.reshape(len(X), -1) if flat else X)
    here = _describe(flat, *rows.X.shape[1:])
    fitted_on = autoencoder._recipe.network
    there = _describe(
        autoencoder._n_dimensions_in == 2, fitted_on.n_timesteps, fitted_on.n_features
    )
    if there != here:
        raise ValueError(
            f"pretrained must be fitted on rows of the shape of X, {here}, got one "
            f"that was fitted on {there}."
        )
    return autoencoder


def _joined(X, more):
    """Join rows, with padding after the shorter ones."""
    if isinstance(more, PaddedRows) or X.shape[1] != more.shape[1]:
        n_timesteps = max(X.shape[1], more.shape[1])
        X, more = (
            replace(as_padded(part, mask_value), n_timesteps=n_timesteps)[:]
            for part, mask_value in ((X, PADDING), (more, None))
        )
    return np.concatenate([X, more[:]])


def _describe(flat, n_timesteps, n_features):
    # The scale of sequences is the same for all timesteps, whose number may differ.
    if not flat:
        return f"sequences of {n_features} features"
    return f"a table of {n_timesteps} timesteps of {n_features} columns"


def start_from(autoencoder, recipe, state):
    """Copy the encoder's weights to the layers of the same names in a state.

    Raises
    ------
    ValueError
        If a layer of the encoder has no counterpart of its name and shape.
    """
    ours = named_weights(recipe, state.weights)
    network = autoencoder._recipe.network
    theirs = named_weights(
        autoencoder._recipe, autoencoder._state.weights, network.ENCODER
    )
    theirs = {
        path: weight
        for path, weight in theirs.items()
        if not path.startswith(f"{network.CODE}/")
    }
    several = int(recipe.n_networks > 1)
    unfit = [
        f"{path}: {weight.shape} in the encoder, "
        f"{ours[path].shape[several:] if path in ours else 'missing'} in the network"
        for path, weight in theirs.items()
        if path not in ours or ours[path].shape[several:] != weight.shape
    ]
    if unfit:
        raise ValueError(
            "Each layer of the pretrained encoder must have a counterpart of its name "
            "and shape in the network, got\n  " + "\n  ".join(unfit) + "\nSet the "
            "network's layer sizes to the autoencoder's layer_sizes, leave "
            "normalization=None, and fit both on rows of one shape."
        )
    for path, weight in theirs.items():
        ours[path] = np.array(np.broadcast_to(weight, ours[path].shape))
    return State(list(ours.values()), state.optimizer)
