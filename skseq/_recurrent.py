"""LSTM, GRU and simple recurrent networks."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral, Real
from typing import TYPE_CHECKING, Literal, get_args

from skseq._classification import SequenceClassifier
from skseq._engine.activations import ACTIVATION, check_activations
from skseq._engine.networks import Recurrent
from skseq._layers import MANY_ROWS, StackedNetwork
from skseq._parameters import parameter
from skseq._regression import SequenceRegressor
from skseq._validation import StrOptions, check_rates, check_sizes

if TYPE_CHECKING:
    from skseq._engine.types import Activations


# The timesteps up to which sequences are short by default.
_SHORT = 12

Pooling = Literal["auto", "flatten", "last", "mean", "max", "parts", "attention"]


class RecurrentNetwork(StackedNetwork):
    """Mixin with the parameters of recurrent networks.

    A public class defines ``_cell``, the name of the recurrent layer.
    """

    units: int | Sequence[int] = parameter(
        default=32,
        constraint=[Integral, tuple, list],
        text="""int or tuple of int
        Number of units of the recurrent layer, which is the length of its state and of
        its output at each timestep. A tuple stacks several layers, with the number of
        units of each.""",
        kw_only=False,
    )
    bidirectional: bool = parameter(
        default=False,
        constraint=["boolean"],
        text="""bool
        Whether each recurrent layer also reads the sequence from the last timestep to
        the first. The two outputs are concatenated, so that the output has ``2 *
        units`` features.""",
    )
    dropout: float | Sequence[float] = parameter(
        default=0.0,
        constraint=[Real, tuple, list],
        text="""float or tuple of float
        Dropout of the inputs of each recurrent layer: the fraction in [0, 1) of
        features that training sets to zero at random, the same ones at all timesteps of
        a row. A tuple has one value for each layer.""",
    )
    recurrent_dropout: float | Sequence[float] = parameter(
        default=0.0,
        constraint=[Real, tuple, list],
        text="""float or tuple of float
        Dropout of the recurrent state of each layer: the fraction in [0, 1) that
        training sets to zero at random. A tuple has one value for each layer.""",
    )
    pooling: Pooling = parameter(
        default="auto",
        constraint=[StrOptions(set(get_args(Pooling)))],
        text="""{"auto", "flatten", "last", "mean", "max", "parts", "attention"}
        How the outputs of the last recurrent layer at all timesteps become one vector:

        - ``"last"``: the output at the last timestep;
        - ``"mean"``, ``"max"``: the mean or maximum over the timesteps;
        - ``"parts"``: the maximum over the timesteps, concatenated with the mean over
          each quarter of the sequence;
        - ``"attention"``: a weighted mean, with weights that are learned (Yang et al.,
          2016);
        - ``"flatten"``: the outputs at all timesteps, concatenated;
        - ``"auto"``: ``"flatten"`` if each column of a 2-D X is a timestep (no
          ``n_timesteps``), and otherwise ``"parts"``.

        ``"flatten"`` gives each timestep its own weights, which suits tables and
        timesteps with a fixed meaning, such as months. The others suit long sequences,
        sequences of different lengths, and patterns that may occur at any time.""",
    )
    layer_activation: Activations = parameter(
        default=None,
        constraint=[*ACTIVATION, tuple, list],
        text="""str, dict, keras.layers.Layer, callable, None, or tuple of those
        Further activation after each recurrent layer, in addition to the activations
        inside the layer: the name of a Keras activation, a dict with a name and options
        such as ``{"name": "leaky_relu", "negative_slope": 0.2}``, a Keras layer, or a
        function. A tuple has one for each recurrent layer, optionally followed by one
        for each layer of ``dense_units``. None: no further activation.""",
    )
    dense_units: int | Sequence[int] = parameter(
        default=(),
        constraint=[Integral, tuple, list],
        text="""int or tuple of int
        Number of units of each hidden dense layer, with ReLU activation, between the
        recurrent layers and the output layer. ``()``: no such layer.""",
    )

    _least_epochs = 24
    _clips = True

    # Whether the rows of fit count as short sequences.
    _is_short = False

    def _learn_lengths(self, whole, held_out, resume):
        super()._learn_lengths(whole, held_out, resume)
        if not resume:
            is_sequence = not (self._is_table or self._reads_tokens)
            self._is_short = is_sequence and self._longest <= _SHORT

    @property
    def _auto_decay(self):
        if self._is_short:
            return 0.1
        return 1.0 if self._is_table and self._n_rows < MANY_ROWS else None

    def _network(self, head):
        pooling = self.pooling
        if pooling == "auto":
            pooling = "flatten" if self._is_table else "parts"
        units = check_sizes("units", self.units)
        n_layers = len(units)
        dense_units = check_sizes("dense_units", self.dense_units, may_be_empty=True)
        activations = self.layer_activation
        n_all = n_layers + len(dense_units)
        is_for_all = isinstance(activations, list | tuple) and len(activations) == n_all
        activations = check_activations(
            "layer_activation", activations, n_all if is_for_all else n_layers
        )
        return Recurrent(
            **self._shape_in,
            **self._stacked(
                self._cell, [(width,) for width in units], "units",
                bool(self.bidirectional),
            ),
            head=head,
            cell=self._cell,
            units=units,
            bidirectional=bool(self.bidirectional),
            dropout=check_rates("dropout", self.dropout, n_layers),
            recurrent_dropout=check_rates(
                "recurrent_dropout", self.recurrent_dropout, n_layers
            ),
            pooling=pooling,
            layer_activation=activations[:n_layers],
            dense_activation=activations[n_layers:],
            dense_units=dense_units,
        )  # fmt: skip


class LSTMClassifier(RecurrentNetwork, SequenceClassifier):
    """LSTM network for classification.

    The network consists of one or more LSTM layers (long short-term memory, [1]_),
    optional dense layers, and an output layer. An LSTM layer reads a sequence timestep
    by timestep, and can learn dependencies over many timesteps.

    See Also
    --------
    GRUClassifier : GRU network.
    SimpleRNNClassifier : Simple recurrent network.
    Conv1DClassifier : 1-D convolutional network.
    DenseClassifier : Dense network on the flattened sequence.
    SequenceReshaper : Converts the columns of a table to sequences.

    References
    ----------
    .. [1] S. Hochreiter and J. Schmidhuber, "Long short-term memory", Neural
       Computation 9(8), 1997.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.model_selection import cross_val_score
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skseq import LSTMClassifier
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> net = LSTMClassifier(n_timesteps=3, epochs=10, random_state=0)
    >>> pipeline = make_pipeline(StandardScaler(), net)
    >>> scores = cross_val_score(pipeline, X, y, cv=3, scoring="roc_auc")
    >>> bool(scores.mean() > 0.97)
    True
    """

    __module__ = "skseq"

    _cell = "lstm"


class GRUClassifier(RecurrentNetwork, SequenceClassifier):
    """GRU network for classification.

    The network consists of one or more GRU layers (gated recurrent unit, [1]_),
    optional dense layers, and an output layer. A GRU layer reads a sequence timestep by
    timestep, like an LSTM layer, with a quarter fewer weights. As by default in Keras,
    the reset gate is applied after the matrix product.

    See Also
    --------
    LSTMClassifier : LSTM network.
    SimpleRNNClassifier : Simple recurrent network.
    Conv1DClassifier : 1-D convolutional network.
    DenseClassifier : Dense network on the flattened sequence.
    SequenceReshaper : Converts the columns of a table to sequences.

    References
    ----------
    .. [1] K. Cho et al., "Learning phrase representations using RNN encoder-decoder for
       statistical machine translation", EMNLP 2014.

    Examples
    --------
    >>> import numpy as np
    >>> from skseq import GRUClassifier
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 8, 2))
    >>> y = np.where(X[:, :, 0].sum(axis=1) > 0, "up", "down")
    >>> net = GRUClassifier(units=8, random_state=0).fit(X, y)
    >>> net.classes_.tolist()
    ['down', 'up']
    >>> net.predict_proba(X).shape
    (200, 2)
    >>> bool(net.score(X, y) > 0.9)
    True
    """

    __module__ = "skseq"

    _cell = "gru"


class SimpleRNNClassifier(RecurrentNetwork, SequenceClassifier):
    """Simple recurrent network (RNN) for classification.

    The network consists of one or more fully connected recurrent layers with tanh
    activation [1]_, optional dense layers, and an output layer. It has fewer weights
    than `LSTMClassifier` and `GRUClassifier`, but is worse at dependencies over many
    timesteps.

    See Also
    --------
    LSTMClassifier : LSTM network.
    GRUClassifier : GRU network.
    Conv1DClassifier : 1-D convolutional network.
    DenseClassifier : Dense network on the flattened sequence.
    SequenceReshaper : Converts the columns of a table to sequences.

    References
    ----------
    .. [1] J. L. Elman, "Finding structure in time", Cognitive Science 14(2), 1990.

    Examples
    --------
    >>> import numpy as np
    >>> from skseq import SimpleRNNClassifier
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 5, 2))
    >>> y = (X[:, -1, 0] > X[:, -2, 0]).astype(int)
    >>> net = SimpleRNNClassifier(units=8, random_state=0).fit(X, y)
    >>> bool(net.score(X, y) > 0.9)
    True
    """

    __module__ = "skseq"

    _cell = "simple_rnn"


class LSTMRegressor(RecurrentNetwork, SequenceRegressor):
    """LSTM network for regression.

    The network consists of one or more LSTM layers (long short-term memory, [1]_),
    optional dense layers, and an output layer. An LSTM layer reads a sequence timestep
    by timestep, and can learn dependencies over many timesteps. By default, y is
    standardized internally, see ``scale_target``.

    See Also
    --------
    LSTMClassifier : The same network for classification.
    GRURegressor : GRU network.
    SimpleRNNRegressor : Simple recurrent network.
    Conv1DRegressor : 1-D convolutional network.
    DenseRegressor : Dense network on the flattened sequence.

    References
    ----------
    .. [1] S. Hochreiter and J. Schmidhuber, "Long short-term memory", Neural
       Computation 9(8), 1997.

    Examples
    --------
    Predict the next value of a sine from its last ten values:

    >>> import numpy as np
    >>> from skseq import LSTMRegressor
    >>> series = 1000 + 170 * np.sin(np.arange(300) / 5)
    >>> windows = np.lib.stride_tricks.sliding_window_view(series, 11)
    >>> X, y = (windows[:, :10] - 1000) / 170, windows[:, 10]
    >>> net = LSTMRegressor(units=8, random_state=0).fit(X[:200], y[:200])
    >>> bool(net.score(X[200:], y[200:]) > 0.99)
    True
    """

    __module__ = "skseq"

    _cell = "lstm"


class GRURegressor(RecurrentNetwork, SequenceRegressor):
    """GRU network for regression.

    The network consists of one or more GRU layers (gated recurrent unit, [1]_),
    optional dense layers, and an output layer. A GRU layer reads a sequence timestep by
    timestep, and is often as accurate as an LSTM layer, with a quarter fewer weights.
    By default, y is standardized internally, see ``scale_target``.

    See Also
    --------
    GRUClassifier : The same network for classification.
    LSTMRegressor : LSTM network.
    SimpleRNNRegressor : Simple recurrent network.
    Conv1DRegressor : 1-D convolutional network.
    DenseRegressor : Dense network on the flattened sequence.

    References
    ----------
    .. [1] K. Cho et al., "Learning phrase representations using RNN encoder-decoder for
       statistical machine translation", EMNLP 2014.

    Examples
    --------
    Predict the next two values of a sine, one in each column of y:

    >>> import numpy as np
    >>> from skseq import GRURegressor
    >>> series = np.sin(np.arange(300) / 5)
    >>> windows = np.lib.stride_tricks.sliding_window_view(series, 12)
    >>> net = GRURegressor(units=8, random_state=0)
    >>> net.fit(windows[:, :10], windows[:, 10:]).predict(windows[:3, :10]).shape
    (3, 2)
    """

    __module__ = "skseq"

    _cell = "gru"


class SimpleRNNRegressor(RecurrentNetwork, SequenceRegressor):
    """Simple recurrent network (RNN) for regression.

    The network consists of one or more fully connected recurrent layers with tanh
    activation [1]_, optional dense layers, and an output layer. It has fewer weights
    than `LSTMRegressor` and `GRURegressor`, but is worse at dependencies over many
    timesteps. By default, y is standardized internally, see ``scale_target``.

    See Also
    --------
    SimpleRNNClassifier : The same network for classification.
    LSTMRegressor : LSTM network.
    GRURegressor : GRU network.
    Conv1DRegressor : 1-D convolutional network.
    DenseRegressor : Dense network on the flattened sequence.

    References
    ----------
    .. [1] J. L. Elman, "Finding structure in time", Cognitive Science 14(2), 1990.

    Examples
    --------
    >>> import numpy as np
    >>> from skseq import SimpleRNNRegressor
    >>> X = np.random.default_rng(0).normal(size=(200, 5, 1))
    >>> y = X[:, -1, 0] - X[:, -2, 0]
    >>> net = SimpleRNNRegressor(units=8, random_state=0).fit(X, y)
    >>> bool(net.score(X, y) > 0.9)
    True
    """

    __module__ = "skseq"

    _cell = "simple_rnn"
