"""A class for each family of networks, which builds a Keras model from its options.

A new family is a subclass of `Network` with ``body``. The properties of a model that
its program depends on are read from its layers (`skseq._engine.facts`), not from these
options.
"""

import math
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from skseq._engine.activations import activation_layer, has_weights_by_step
from skseq._engine.fingerprints import fingerprint
from skseq._engine.keras import DTYPE, keras
from skseq._engine.masks import Windows, called, entered, lowered, zeroed
from skseq._engine.parts import (
    Embedding,
    activated,
    beside_scaled,
    both_ways,
    dropped,
    hidden_layer,
    joined,
    make_layer,
    normalized,
    pooled,
    side_by_side,
)
from skseq._padded import PADDING


def rounded(n_timesteps):
    """Round a number of timesteps up, by an eighth at most.

    Rows of nearly the same length then share a program.
    """
    step = max(1, 2 ** (n_timesteps.bit_length() - 4))
    return -(-n_timesteps // step) * step


@dataclass(frozen=True)
class Head:
    """The last layer of a network.

    Attributes
    ----------
    n_outputs : int
    activation : str or None
    """

    n_outputs: int
    activation: str | None

    NAME: ClassVar = "outputs"

    def build(self, x):
        """Add the layer, and return the outputs of shape (n_samples, n_outputs)."""
        return make_layer(
            keras.layers.Dense, self.n_outputs, activation=self.activation,
            name=self.NAME,
        )(x)  # fmt: skip

    def bias(self, model):
        """Get the variable of the bias in a model with this head."""
        return model.get_layer(self.NAME).bias


@dataclass(frozen=True, kw_only=True)
class Network:
    """Base class of the options of a network.

    Attributes
    ----------
    n_timesteps, n_features : int
        Of the sequences that the network reads.
    head : Head or None
        None for the encoder of an autoencoder.
    masked : bool
        Whether rows have padding, see `skseq._engine.masks`.
    fitted_windows : int or None
        The number of timesteps whose windows the layers take, see
        `skseq._engine.masks.Windows`. None: ``n_timesteps``.
    """

    n_timesteps: int
    n_features: int
    head: Head | None
    masked: bool = False
    fitted_windows: int | None = None

    name: ClassVar[str]

    @property
    def n_outputs(self):
        """int: the number of outputs for each row."""
        return self.head.n_outputs

    def output_bias(self, model):
        """Get the variable of the bias of the last layer in a model of this network."""
        return self.head.bias(model)

    # The value of the rows that fill up a batch of predictions.
    filling: ClassVar[float] = 0.0

    # Options that are run-time values of a program. The graph depends only on whether
    # they are 0.
    run_time: ClassVar[tuple] = ()

    def build(self):
        """Build a new Keras model, not compiled.

        Returns
        -------
        model : keras.Model
            From ``(n_samples, n_timesteps, n_features)`` to ``(n_samples, n_outputs)``,
            or for an autoencoder to the shape of its input.
        """
        inputs = self.inputs("sequences")
        outputs = self.head.build(self.body(inputs))
        return keras.Model(inputs, outputs, name=self.name)

    def inputs(self, name):
        """Make the symbolic input of a model."""
        return keras.Input((self.n_timesteps, self.n_features), name=name, dtype=DTYPE)

    def body(self, x):
        """Add the layers between input and head to a symbolic tensor."""
        raise NotImplementedError

    # ------------------------------------------------------------- rows of any length

    @property
    def depends_on_length(self):
        """bool: whether the network is another one for another ``n_timesteps``."""
        return True

    @property
    def shortest(self):
        """int: the least number of timesteps of a row."""
        return 1

    @property
    def right_padded(self):
        """bool: whether rows have padding, at their ends alone."""
        return self.masked

    def check_padding(self):
        """Raise for an option that can't be used with padding."""

    def with_padding(self):
        """Copy a network that is to be fitted to rows with padding."""
        n = self.n_timesteps
        n = n if self.depends_on_length else rounded(n)
        return replace(self, n_timesteps=n, masked=True, fitted_windows=0)

    def for_rows(self, n_timesteps, masked):
        """Copy a fitted network, with the same weights, for rows of another length.

        Parameters
        ----------
        n_timesteps : int
            Only a longer one has an effect.
        masked : bool
            Whether some of these rows are shorter than the network's input.
        """
        is_longer = n_timesteps > self.n_timesteps
        if not is_longer and masked <= self.masked:
            return self
        windows = self.fitted_windows
        return replace(
            self,
            n_timesteps=rounded(n_timesteps) if is_longer else self.n_timesteps,
            masked=True,
            fitted_windows=self.n_timesteps if windows is None else windows,
        )

    def continues(self, fitted):
        """Check whether the weights of a fitted network have the same meaning here."""
        lengths = {} if self.depends_on_length else {"n_timesteps": self.n_timesteps}
        neither = {"masked": False, "fitted_windows": None}
        ours, theirs = replace(self, **neither), replace(fitted, **neither, **lengths)
        return fingerprint(ours) == fingerprint(theirs)

    # ---------------------------------------------------------------------- the graph

    def values(self, epoch=None):
        """Collect run-time values that belong to no layer, as a dict of floats.

        Parameters
        ----------
        epoch : int or None
            Counted from 0, for values that rise over the first epochs. None: as they
            are in the end.
        """
        return {}

    def key(self, unknown=id):
        """Compute a hashable key that is equal for networks with equal graphs.

        For ``unknown`` see `skseq._engine.fingerprints.fingerprint`.
        """
        return fingerprint((type(self).__name__, self._graph_options()), unknown)

    def _graph_options(self):
        options = dict(vars(self))
        for name in self.run_time:
            options[name] = tuple(bool(value) for value in options[name])
        return options

    def tied(self, model):
        """Find the weights of a decoder that are transposed weights of the encoder.

        Returns
        -------
        tied : dict of int to int
            From the position of the decoder's to that of the encoder's weight, among
            the trainable variables of a model.
        """
        return {}


@dataclass(frozen=True, kw_only=True)
class Stacked(Network):
    """Base class of stacked layers of one kind, and hidden dense layers after them.

    Attributes
    ----------
    normalization : {"batch", "layer"} or None
    normalizes_outputs : bool
        Whether the normalization is after the activation, as in autoencoders.
    layer_params : tuple of dict
        Further arguments of each layer; empty if there are none.
    dense_units : tuple of int
    embedding : Embedding or None
        None: rows are numbers.
    n_static : int
        The number of features, the last ones, that are read once, at the first
        timestep, and joined to the result of the layers over time.
    scales_rows : bool
        Whether each row is also scaled by itself.
    """

    normalization: str | None = None
    normalizes_outputs: bool = True
    layer_params: tuple = ()
    dense_units: tuple = ()
    embedding: Embedding | None = None
    n_static: int = 0
    scales_rows: bool = False

    # Whether the normalization is in one place for autoencoders and other networks.
    has_one_order: ClassVar[bool] = False

    def check_padding(self):
        if any(one.get("activity_regularizer") for one in self.layer_params):
            raise ValueError(
                "layer_params must not hold 'activity_regularizer' for rows of "
                "different lengths: the penalty would count the outputs at padding. "
                "Use 'kernel_regularizer'."
            )

    @property
    def filling(self):
        """float: the value of rows that fill up a batch, which is no padding."""
        return 0.0 if self.embedding is None else 1.0

    def _entered(self, x):
        """Get sequences with zeros at padding, and their mask."""
        if self.embedding is not None:
            return self.embedding.build(x)
        return entered(x) if self.masked else (x, None)

    def _parted(self, x, mask):
        """Part sequences into features over time, and static ones or None."""
        static = None
        if self.n_static:
            x, static = x[:, :, : -self.n_static], x[:, 0, -self.n_static :]
        return beside_scaled(x, mask) if self.scales_rows else x, static

    def _params(self, i):
        return self.layer_params[i] if self.layer_params else {}

    def _before(self, name, mask=None):
        """Get the normalization between a layer and its activation, or None."""
        if self.normalization is None or self.normalizes_outputs:
            return None
        return lambda x: normalized(x, self.normalization, name, mask)

    def _after(self, x, name, mask=None):
        """Add the normalization after an activation, if there is one."""
        normalization = self.normalization if self.normalizes_outputs else None
        return normalized(x, normalization, name, mask)

    def _hidden(self, x, activations):
        for i, width in enumerate(self.dense_units):
            normalize = self._before(f"dense_normalization_{i + 1}")
            x = hidden_layer(x, width, activations[i], i, normalize=normalize)
        return x


@dataclass(frozen=True, kw_only=True)
class Recurrent(Stacked):
    """Stacked recurrent layers.

    Attributes
    ----------
    cell : {"lstm", "gru", "simple_rnn"}
    units : tuple of int
        A layer each.
    bidirectional : bool
    dropout, recurrent_dropout : tuple of float
    pooling : {"flatten", "last", "mean", "max", "attention"}
    layer_activation : tuple
        See `skseq._engine.activations`. One for each layer.
    dense_activation : tuple
        One for each hidden dense layer; empty: ReLU.
    """

    cell: str
    units: tuple
    bidirectional: bool = False
    dropout: tuple
    recurrent_dropout: tuple
    pooling: str
    layer_activation: tuple
    dense_activation: tuple = ()

    name = "recurrent"
    run_time = ("dropout",)
    has_one_order = True

    @property
    def depends_on_length(self):
        return self.pooling == "flatten" or any(
            map(has_weights_by_step, self.layer_activation)
        )

    def _graph_options(self):
        options = super()._graph_options()
        # These have no faster twin, whose rate is a run-time value.
        names = ("reset_after", "use_bias") if self.cell == "gru" else ()
        if any(not one.get(name, True) for one in self.layer_params for name in names):
            options["dropout"] = self.dropout
        return options

    def body(self, x):
        x, mask = self._entered(x)
        x, static = self._parted(x, mask)
        for i, width in enumerate(self.units):
            is_last = i == len(self.units) - 1
            layer = make_layer(
                CELLS[self.cell],
                width,
                return_sequences=not is_last or self.pooling != "last",
                dropout=self.dropout[i],
                recurrent_dropout=self.recurrent_dropout[i],
                params=self._params(i),
                name=f"recurrent_{i + 1}",
            )
            if self.bidirectional:
                layer = both_ways(layer, f"bidirectional_{i + 1}")
            x = called(layer, x, mask)
            if not layer.return_sequences:
                mask = None
            x = normalized(x, self.normalization, f"normalization_{i + 1}", mask)
            if self.layer_activation[i] is not None:
                x = activation_layer(self.layer_activation[i], f"activation_{i + 1}")(x)
        if self.pooling != "last":
            x = pooled(x, self.pooling, mask)
        x = joined(x, static)
        relu = ("relu",) * len(self.dense_units)
        return self._hidden(x, self.dense_activation or relu)


CELLS = {
    "lstm": keras.layers.LSTM,
    "gru": keras.layers.GRU,
    "simple_rnn": keras.layers.SimpleRNN,
}


@dataclass(frozen=True, kw_only=True)
class Convolutional(Stacked):
    """Stacked convolutions over time.

    Attributes
    ----------
    filters, kernel_size, pool_size : tuple of int
        A layer each.
    padding : {"same", "valid", "causal"}
    pooling : {"max", "mean", "flatten", "attention"}
    activation : tuple
        One for each convolution, and after these one for each hidden dense layer.
    dropout : tuple of float
    separable : bool
    """

    filters: tuple
    kernel_size: tuple
    padding: str
    pool_size: tuple
    pooling: str
    activation: tuple
    dropout: tuple
    separable: bool = False

    name = "convolutional"
    run_time = ("dropout",)

    @property
    def depends_on_length(self):
        of_convolutions = self.activation[: len(self.filters)]
        return self.pooling == "flatten" or any(
            map(has_weights_by_step, of_convolutions)
        )

    @property
    def shortest(self):
        n = 1
        for windows in self.windows()[::-1]:
            n = windows.n_before(n)
        return n

    def windows(self):
        """List the windows of each convolution, and of the pooling after it."""
        found = []
        for i, size in enumerate(self.kernel_size):
            stride, dilation = (
                _first(self._params(i).get(name, 1))
                for name in ("strides", "dilation_rate")
            )
            found.append(Windows(size, stride, self.padding, dilation))
            # "same" keeps a last, shorter window, so that no sequence is too short.
            found.append(Windows(self.pool_size[i], self.pool_size[i], "same"))
        return found

    def body(self, x):
        x, mask = self._entered(x)
        x, static = self._parted(x, mask)
        fitted = self.n_timesteps
        if self.fitted_windows is not None:
            fitted = self.fitted_windows
        windows = self.windows()
        for i, filters in enumerate(self.filters):
            over_time, over_pool = windows[2 * i : 2 * i + 2]
            x = zeroed(x, mask) if i else x
            x, padding = over_time.extended(x, fitted, 0.0)
            mask = over_time.mask_after(mask, fitted)
            fitted = over_time.n_after(fitted)
            if self.separable and padding == "causal":
                # Keras' separable convolution does not have it.
                x = make_layer(
                    keras.layers.ZeroPadding1D, (over_time.reach, 0),
                    data_format="channels_last", name=f"padding_{i + 1}",
                )(x)  # fmt: skip
                padding = "valid"
            x = activated(
                x,
                self.activation[i],
                f"activation_{i + 1}",
                keras.layers.SeparableConv1D if self.separable else keras.layers.Conv1D,
                filters,
                self.kernel_size[i],
                padding=padding,
                data_format="channels_last",
                name=f"convolution_{i + 1}",
                params=self._params(i),
                normalize=self._before(f"normalization_{i + 1}", mask),
            )
            x = self._after(x, f"normalization_{i + 1}", mask)
            if self.pool_size[i] > 1:
                x = lowered(x, mask)
                x, padding = over_pool.extended(x, fitted, PADDING)
                x = make_layer(
                    keras.layers.MaxPooling1D,
                    self.pool_size[i],
                    padding=padding,
                    data_format="channels_last",
                    name=f"max_pooling_{i + 1}",
                )(x)
                mask = over_pool.mask_after(mask, fitted)
                fitted = over_pool.n_after(fitted)
            x = dropped(x, self.dropout[i], f"dropout_{i + 1}")
        x = joined(pooled(x, self.pooling, mask), static)
        return self._hidden(x, self.activation[len(self.filters) :])


def _first(value):
    """Get the number of timesteps from an argument of a convolution."""
    return value[0] if isinstance(value, list | tuple) else value


@dataclass(frozen=True, kw_only=True)
class Dense(Stacked):
    """Dense layers over one vector for each sequence, those of ``dense_units``.

    Attributes
    ----------
    activation : tuple
    dropout : tuple of float
    pooling : {"flatten", "mean", "max", "attention"}
    input_dropout : tuple of float
        With the rate of what the first layer reads; empty: none.
    columns : Columns or None
        The first layers over the columns of a table. With an embedding of numbers, the
        numbers also go to the head.
    """

    activation: tuple
    dropout: tuple
    pooling: str = "flatten"
    input_dropout: tuple = ()
    columns: Any = None

    name = "dense"
    run_time = ("dropout", "input_dropout")

    @property
    def depends_on_length(self):
        return self.pooling == "flatten"

    def body(self, x):
        x, mask = self._entered(x)
        x, static = self._parted(x, mask)
        x = joined(pooled(x, self.pooling, mask), static)
        x, linear = (x, []) if self.columns is None else self.columns.build(x)
        for rate in self.input_dropout:
            x = dropped(x, rate, "input_dropout")
        for i, width in enumerate(self.dense_units):
            x = hidden_layer(
                x, width, self.activation[i], i, params=self._params(i),
                normalize=self._before(f"normalization_{i + 1}"),
            )  # fmt: skip
            x = self._after(x, f"normalization_{i + 1}")
            x = dropped(x, self.dropout[i], f"dropout_{i + 1}")
        return side_by_side([x, *linear])


# -------------------------------------------------------------------- autoencoders


@dataclass(frozen=True, kw_only=True)
class Autoencoder(Network):
    """An encoder, and a decoder with the same layers in reverse order.

    Attributes
    ----------
    encoder : Recurrent, Convolutional or Dense
        With ``head=None``.
    n_components : int
        Length of a code.
    output_activation : str or None
    tied_weights, variational, masked : bool
    beta : float
    beta_warmup : int
    noise : tuple of str and float, or None
    activity_l1 : float
    input : tuple
        How rows are prepared. The network does not depend on it, but training can only
        continue with rows that are prepared in the same way.
    """

    encoder: Network
    n_components: int
    output_activation: str | None
    tied_weights: bool
    variational: bool
    masked: bool
    beta: float
    beta_warmup: int
    noise: tuple | None
    activity_l1: float
    input: Any

    name = "autoencoder"

    # Padding of autoencoders may be anywhere in a row.
    right_padded = False

    def continues(self, fitted):
        return fingerprint(self) == fingerprint(fitted)

    ENCODER: ClassVar = "encoder"
    DECODER: ClassVar = "decoder"
    CODE: ClassVar = "code"

    def build(self):
        """Build a model that holds two others, the encoder and the decoder."""
        inputs = self.inputs("sequences")
        encoder, decoder = self._encoder(), self._decoder()
        code = encoder(inputs)
        outputs = decoder(code[:, : self.n_components] if self.variational else code)
        return keras.Model(inputs, outputs, name=self.name)

    def _encoder(self):
        rows = self.inputs("rows")
        x = rows
        if self.masked and isinstance(self.encoder, Recurrent):
            x = make_layer(keras.layers.Masking, PADDING, name="masking")(x)
        elif self.masked:
            x = keras.ops.where(keras.ops.equal(x, PADDING), 0.0, x)
        # A variational code is followed by the logarithms of its variances.
        width = self.n_components * (2 if self.variational else 1)
        x = make_layer(keras.layers.Dense, width, name=self.CODE)(self.encoder.body(x))
        return keras.Model(rows, x, name=self.ENCODER)

    def _decoder(self):
        codes = keras.Input((self.n_components,), name="codes", dtype=DTYPE)
        outputs = _DECODERS[type(self.encoder)](codes, self.encoder, self)
        return keras.Model(codes, outputs, name=self.DECODER)

    def values(self, epoch=None):
        values = {}
        if self.noise:
            values["noise"] = self.noise[1]
        if self.activity_l1:
            values["activity_l1"] = self.activity_l1
        if self.variational:
            values["beta"] = self.beta
            if epoch is not None and epoch < self.beta_warmup:
                values["beta"] *= (epoch + 1) / (self.beta_warmup + 1)
        return values

    def _graph_options(self):
        left_out = dict.fromkeys(("beta", "beta_warmup", "input"))
        noise = self.noise and self.noise[0]
        in_use = {"activity_l1": bool(self.activity_l1), "noise": noise}
        return {**vars(self), **left_out, **in_use}

    def tied(self, model):
        if not self.tied_weights:
            return {}
        kernels = {id(layer.kernel) for layer in _dense_layers(model)}
        variables = model.trainable_variables
        places = [i for i, v in enumerate(variables) if id(v) in kernels]
        half = len(places) // 2
        return dict(zip(reversed(places[half:]), places[:half], strict=True))


def _dense_layers(model):
    for part in model.layers:
        for layer in getattr(part, "layers", ()):
            if isinstance(layer, keras.layers.Dense):
                yield layer


def _dense_decoder(x, encoder, network):
    for i in range(len(encoder.dense_units)):
        place = len(encoder.dense_units) - 1 - i
        activation = encoder.activation[place]
        x = hidden_layer(x, encoder.dense_units[place], activation, i, "decoder_")
        x = normalized(x, encoder.normalization, f"decoder_normalization_{i + 1}")
    shape = network.n_timesteps, network.n_features
    x = Head(math.prod(shape), network.output_activation).build(x)
    return make_layer(keras.layers.Reshape, shape, name="rows")(x)


def _recurrent_decoder(x, encoder, network):
    x = make_layer(keras.layers.RepeatVector, network.n_timesteps, name="repeat")(x)
    for i, width in enumerate(reversed(encoder.units)):
        x = make_layer(
            CELLS[encoder.cell],
            width,
            return_sequences=True,
            name=f"decoder_recurrent_{i + 1}",
        )(x)
        x = normalized(x, encoder.normalization, f"decoder_normalization_{i + 1}")
    return Head(network.n_features, network.output_activation).build(x)


def _convolutional_decoder(x, encoder, network):
    filters, activations = encoder.filters, encoder.activation
    lengths = [network.n_timesteps]
    for size in encoder.pool_size:
        lengths.append(-(-lengths[-1] // size))
    shape = lengths.pop(), filters[-1]
    x = hidden_layer(x, math.prod(shape), activations[-1], 0, "decoder_")
    x = make_layer(keras.layers.Reshape, shape, name="reshape")(x)
    for i in reversed(range(len(filters))):
        place = len(filters) - i
        x = make_layer(
            keras.layers.UpSampling1D, encoder.pool_size[i], name=f"up_sampling_{i + 1}"
        )(x)[:, : lengths.pop()]
        x = activated(
            x,
            activations[i - 1] if i else network.output_activation,
            f"decoder_activation_{place}",
            keras.layers.Conv1D,
            filters[i - 1] if i else network.n_features,
            encoder.kernel_size[i],
            padding="same",
            data_format="channels_last",
            name=f"decoder_convolution_{place}" if i else Head.NAME,
        )
        if i:
            name = f"decoder_normalization_{place}"
            x = normalized(x, encoder.normalization, name)
    return x


_DECODERS = {
    Dense: _dense_decoder,
    Recurrent: _recurrent_decoder,
    Convolutional: _convolutional_decoder,
}
