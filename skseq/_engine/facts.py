"""Properties of a model that are read from its layers, by their types.

A layer of an unknown type gets the safe default: it may mix the rows of a batch, may
add to the loss, and may not compile with XLA.
"""

from dataclasses import dataclass

from skseq._engine.fingerprints import users_functions
from skseq._engine.keras import keras
from skseq._engine.layers import has_twin

# Layers that compute each row of a batch independently of the others.
_ROW_BY_ROW = {
    getattr(keras.layers, name)
    for name in (
        "Activation", "AlphaDropout", "AveragePooling1D", "Bidirectional", "Conv1D",
        "Dense", "DepthwiseConv1D", "Dropout", "ELU", "Embedding", "Flatten", "GRU",
        "GaussianDropout", "GaussianNoise", "GlobalAveragePooling1D",
        "GlobalMaxPooling1D", "InputLayer", "LSTM", "LayerNormalization", "LeakyReLU",
        "Masking", "MaxPooling1D", "PReLU", "ReLU", "RepeatVector", "Reshape",
        "SeparableConv1D", "SimpleRNN", "Softmax", "SpatialDropout1D",
        "UnitNormalization", "UpSampling1D",
    )
}  # fmt: skip

# Layers that are known to be at least as fast with XLA.
_FOR_XLA = _ROW_BY_ROW - {
    keras.layers.DepthwiseConv1D,
    keras.layers.SeparableConv1D,
}


def layers_of(model):
    """Yield all layers of a model, with those inside of other models and wrappers."""
    for layer in model.layers:
        yield layer
        if isinstance(layer, keras.Model):
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
    layers = [one for one in layers_of(model) if not isinstance(one, keras.Model)]
    kinds = {type(layer) for layer in layers}
    by_activity = any(layer.activity_regularizer is not None for layer in layers)
    known = _ROW_BY_ROW | {keras.layers.BatchNormalization}
    functions = {name for layer in layers for name in users_functions(layer)}
    return Facts(
        is_rowwise=kinds <= _ROW_BY_ROW
        and not by_activity
        and not any(_is_over_rows(layer) for layer in layers)
        and not any("activation" in name for name in functions),
        has_batch_statistics=keras.layers.BatchNormalization in kinds,
        has_penalties=not kinds <= known
        or by_activity
        or any(variable.regularizer is not None for variable in model.weights),
        suits_xla=kinds <= _FOR_XLA and not functions,
        are_known=kinds <= known,
        parts=parts,
    )


def _is_over_rows(layer):
    """Check whether a layer works along the axis of the rows."""
    axis = getattr(layer, "axis", None)
    return 0 in (axis if isinstance(axis, (list, tuple)) else [axis])
