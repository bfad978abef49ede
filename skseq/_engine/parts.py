"""Layers, and groups of layers, that networks are put together from."""

from dataclasses import dataclass
from typing import ClassVar

from skseq._engine.activations import activation_layer, is_function
from skseq._engine.keras import DTYPE, keras
from skseq._engine.masks import called, lowered, mean, zeroed
from skseq._engine.stored import copied, users_parts
from skseq._padded import PADDING


def make_layer(cls, *args, params=None, **options):
    """Make a layer.

    Parameters
    ----------
    cls : type
    *args, **options
        Arguments of the layer.
    params : dict or None
        Further arguments from the user. Their Keras objects are copied.
    """
    return cls(*args, dtype=DTYPE, **options, **copied(params or {}))


def both_ways(layer, name):
    """Make a bidirectional layer from a recurrent one."""
    # Keras copies the layer from its configuration.
    with keras.saving.custom_object_scope(users_parts(layer)):
        return make_layer(keras.layers.Bidirectional, layer, name=name)


def activated(
    x, activation, activation_name, cls, *args, normalize=None, params=None, **options
):
    """Add a layer with an activation, which is a second layer if it has weights.

    Parameters
    ----------
    x : tensor
    activation : object
        See `skseq._engine.activations`.
    activation_name : str
        Of the second layer.
    cls, *args, params, **options
        See `make_layer`.
    normalize : callable or None
        Applied between layer and activation.
    """
    if normalize is None and is_function(activation):
        options["activation"] = activation
        return make_layer(cls, *args, params=params, **options)(x)
    x = make_layer(cls, *args, params=params, **options)(x)
    if normalize is not None:
        x = normalize(x)
    if activation is None:
        return x
    return activation_layer(activation, activation_name)(x)


def hidden_layer(x, width, activation, i, prefix="", **more):
    """Add a dense layer; for ``more`` see `activated`."""
    return activated(
        x, activation, f"{prefix}dense_activation_{i + 1}", keras.layers.Dense, width,
        name=f"{prefix}dense_{i + 1}", **more,
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Embedding:
    """The first layer of a network whose rows are token ids.

    Attributes
    ----------
    n_tokens : int
        The number of ids.
    width : int
        The length of the vector of a token.
    trainable : bool
    dropout : float
        The fraction of features that training drops at all timesteps of a row.
    """

    n_tokens: int
    width: int
    trainable: bool = True
    dropout: float = 0.0

    NAME: ClassVar = "embedding"

    def build(self, x):
        """Add the layer to ids of shape (n_samples, n_timesteps, 1).

        The id 0 and negative numbers are padding. Ids without a vector are read as 1,
        the unknown token.

        Returns
        -------
        x : tensor of shape (n_samples, n_timesteps, width)
            With zeros at padding, so that training does not change the vector of 0.
        mask : tensor of bool of shape (n_samples, n_timesteps)
        """
        x = keras.ops.maximum(keras.ops.squeeze(x, -1), 0.0)
        ids = keras.ops.cast(x, "int32")
        mask = keras.ops.greater(ids, 0)
        is_known = keras.ops.less(ids, self.n_tokens)
        ids = keras.ops.where(is_known, ids, keras.ops.ones_like(ids))
        x = make_layer(
            keras.layers.Embedding, self.n_tokens, self.width,
            trainable=self.trainable, name=self.NAME,
        )(ids)  # fmt: skip
        if self.dropout:
            drop = keras.layers.SpatialDropout1D
            x = make_layer(drop, self.dropout, name=f"{self.NAME}_dropout")(x)
        return zeroed(x, mask), mask

    def table(self, model):
        """Get the variable of the vectors in a model with this layer."""
        return model.get_layer(self.NAME).embeddings


# The least standard deviation of a row, as a share of its mean, since a row with one
# value has rounding errors.
_LEAST_SCALE = 1e-6


def beside_scaled(x, mask):
    """Put sequences on a logarithmic scale, beside each row standardized as a whole.

    The scale is the inverse hyperbolic sine. Each row is standardized over its valid
    timesteps and all features.
    """
    shift = _mean_of_row(x, mask)
    scaled = x - shift
    scale = keras.ops.sqrt(_mean_of_row(keras.ops.square(scaled), mask))
    least = _LEAST_SCALE * keras.ops.abs(shift) + keras.config.epsilon() ** 2
    scaled = zeroed(scaled / (scale + least), mask)
    return side_by_side([keras.ops.arcsinh(x), scaled])


def _mean_of_row(x, mask):
    over_time = keras.ops.mean(x, axis=1) if mask is None else mean(x, mask)
    return keras.ops.expand_dims(keras.ops.mean(over_time, -1, keepdims=True), 1)


def joined(x, static):
    """Put the static features of each row, unless they are None, beside a vector."""
    return x if static is None else side_by_side([x, static])


def side_by_side(parts):
    """Put vectors side by side."""
    return parts[0] if len(parts) == 1 else keras.ops.concatenate(parts, axis=-1)


def normalized(x, normalization, name, mask=None):
    """Add a normalization: "batch", "layer" or None."""
    if normalization is None:
        return x
    if normalization == "layer":
        return make_layer(keras.layers.LayerNormalization, name=name)(x)
    # With Keras' momentum of 0.99 the first values of the averages count for some 500
    # steps.
    layer = make_layer(keras.layers.BatchNormalization, momentum=0.9, name=name)
    return called(layer, x, mask)


def dropped(x, rate, name):
    """Add dropout, unless the rate is 0."""
    return make_layer(keras.layers.Dropout, rate, name=name)(x) if rate else x


_POOLINGS = {
    "mean": keras.layers.GlobalAveragePooling1D,
    "max": keras.layers.GlobalMaxPooling1D,
    "flatten": keras.layers.Flatten,
}


def pooled(x, pooling, mask=None):
    """Add layers that give one vector for each sequence."""
    if pooling == "attention":
        return _attended(x, mask)
    if pooling == "parts":
        return side_by_side([pooled(x, "max", mask), _means_of_parts(x, mask)])
    layer = make_layer(_POOLINGS[pooling], data_format="channels_last", name="pooling")
    if pooling == "mean":
        return layer(x) if mask is None else mean(x, mask)
    return layer(lowered(x, mask) if pooling == "max" else zeroed(x, mask))


# The number of parts of a sequence whose means are taken.
_N_PARTS = 4


def _means_of_parts(x, mask):
    """Compute the means over parts of a sequence, side by side.

    Part i begins at timestep i * (n // 4), and all parts are as long as the last one,
    which ends with the sequence. A sequence of fewer than four timesteps is continued
    with zeros.
    """
    n = x.shape[1]
    if mask is None:
        if n < _N_PARTS:
            x = keras.ops.pad(x, [[0, 0], [0, _N_PARTS - n], [0, 0]])
        step = max(n // _N_PARTS, 1)
        means = make_layer(
            keras.layers.AveragePooling1D,
            max(n - (_N_PARTS - 1) * step, 1),
            strides=step,
            data_format="channels_last",
            name="pooling_of_parts",
        )(x)
        flatten = make_layer(
            keras.layers.Flatten, data_format="channels_last", name="parts"
        )
        return flatten(means)
    valid = keras.ops.cast(mask, DTYPE)
    place = keras.ops.cumsum(valid, axis=1) - 1
    n = keras.ops.sum(valid, axis=1, keepdims=True)
    step = keras.ops.maximum(keras.ops.floor(n / _N_PARTS), 1)
    length = keras.ops.maximum(n - (_N_PARTS - 1) * step, 1)
    parts = []
    for i in range(_N_PARTS):
        after = place - i * step
        is_in = keras.ops.logical_and(
            keras.ops.greater_equal(after, 0), keras.ops.less(after, length)
        )
        is_in = keras.ops.cast(keras.ops.logical_and(is_in, mask), DTYPE)
        weights = keras.ops.expand_dims(is_in / length, -1)
        parts.append(keras.ops.sum(x * weights, axis=1))
    return side_by_side(parts)


def _attended(x, mask):
    """Add the mean over the timesteps, with weights that are learned.

    The score of a timestep with features h is v tanh(W h + b), and the weights are the
    softmax of the scores (Yang et al., 2016, after Bahdanau et al., 2015). Padding has
    weight zero.
    """
    scores = make_layer(
        keras.layers.Dense, x.shape[-1], activation="tanh", name="attention_hidden"
    )(x)
    scores = make_layer(keras.layers.Dense, 1, use_bias=False, name="attention_score")(
        scores
    )
    scores = keras.ops.squeeze(scores, -1)
    if mask is not None:
        scores = keras.ops.where(mask, scores, PADDING)
    weights = make_layer(keras.layers.Softmax, name="attention")(scores)
    return keras.ops.sum(keras.ops.expand_dims(weights, -1) * x, axis=1)
