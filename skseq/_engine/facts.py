"""What can be read from a model's layers, by their types.

A layer of a type that is not known here gets the sound default: it may mix the rows of
a batch, may add to the loss, and may do what XLA can't.
"""

from dataclasses import dataclass

from skseq._engine.fingerprints import users_functions
from skseq._engine.keras import keras

# Layers that compute each row of a batch by itself.
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

# Layers that XLA is known to compile to something that is not slower.
_FOR_XLA = _ROW_BY_ROW - {
    keras.layers.DepthwiseConv1D,
    keras.layers.SeparableConv1D,
}
_FOR_XLA.add(keras.layers.BatchNormalization)


def layers_of(model):
    """All layers of a model, those inside of models, wrappers and RNNs included."""
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
    """Rates of dropout that are run-time values: those of layers that have a twin.

    Parameters
    ----------
    model : keras.Model
        Of Keras' own layers.

    Returns
    -------
    rates : dict of str to float
        Those that are not 0.
    """
    found = {
        _rate_name(i): getattr(layer, _RATES[type(layer)])
        for i, layer in enumerate(layers_of(model))
        if type(layer) in _RATES
    }
    return {name: rate for name, rate in found.items() if rate}


def name_rates(model, names):
    """Tell the twins which run-time value is their rate.

    Parameters
    ----------
    model : keras.Model
        What `skseq._engine.layers.faster` made of the model that `rates` read.
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
    """What a program has to know of its model.

    Attributes
    ----------
    is_rowwise : bool
        Whether rows of weight zero may fill up a batch, and change nothing.
    has_batch_statistics : bool
        Whether what the rows of a batch have in common counts.
    has_penalties : bool
        Whether layers may add to the loss.
    suits_xla : bool
        Whether all layers are known to be compiled well.
    are_known : bool
        Whether each layer is of a type that is known here.
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
        """list of LayerCall: the uses of layers, wherever they are."""
        return [call for part in self.parts for call in part]


def read(model, parts):
    """The facts of a model.

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
    """Whether a layer that works along an axis was given that of the rows."""
    axis = getattr(layer, "axis", None)
    return 0 in (axis if isinstance(axis, (list, tuple)) else [axis])
