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

    A public class defines ``_cell``.
    """

    units: int | Sequence[int] = parameter(
        default=32,
        constraint=[Integral, tuple, list],
        text="""int or tuple of int
        Width of the recurrent layer, or of each of several stacked layers.""",
        kw_only=False,
    )
    bidirectional: bool = parameter(
        default=False,
        constraint=["boolean"],
        text="""bool
        Whether each layer also reads the sequence backwards; its output is then twice
        as wide.""",
    )
    dropout: float | Sequence[float] = parameter(
        default=0.0,
        constraint=[Real, tuple, list],
        text="""float or tuple of float
        Fraction in [0, 1) of the inputs of each layer that training drops, the same
        features at all timesteps of a row, or one for each layer.""",
    )
    recurrent_dropout: float | Sequence[float] = parameter(
        default=0.0,
        constraint=[Real, tuple, list],
        text="""float or tuple of float
        Fraction in [0, 1) of the recurrent state of each layer that training drops, or
        one for each layer.""",
    )
    pooling: Pooling = parameter(
        default="auto",
        constraint=[StrOptions(set(get_args(Pooling)))],
        text="""{"auto", "flatten", "last", "mean", "max", "parts", "attention"}
        How the outputs of the last recurrent layer are passed on: those of all
        timesteps side by side, that of the last timestep, the mean or maximum over the
        timesteps, the maximum beside the means over each quarter of the sequence, or a
        mean with weights that are learned (Yang et al., 2016).
        ``"flatten"`` keeps the timesteps apart, which suits the columns of a table and
        timesteps of a fixed calendar. The others suit long sequences,
        sequences that may be shifted in time, and sequences of different lengths.
        ``"auto"``: ``"flatten"`` for a 2-D X whose columns are timesteps, without
        ``n_timesteps``, and otherwise ``"parts"``.""",
    )
    layer_activation: Activations = parameter(
        default=None,
        constraint=[*ACTIVATION, tuple, list],
        text="""str, dict, keras.layers.Layer, callable, None, or tuple of those
        Activation after each recurrent layer, in addition to those inside the cell: the
        name of a Keras activation, a dict with a name and options such as ``{"name":
        "leaky_relu", "negative_slope": 0.2}``, a Keras layer or a function; a tuple has
        one for each layer, and may have one for each hidden dense layer after these.
        None: no further activation.""",
    )
    dense_units: int | Sequence[int] = parameter(
        default=(),
        constraint=[Integral, tuple, list],
        text="""int or tuple of int
        Widths of hidden dense layers (ReLU) between the recurrent layers and the
        output.""",
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
    """Long short-term memory network as a scikit-learn classifier.

    One or more LSTM layers [1]_, optional dense layers, and an output for each class.
    The layers are Keras' own.

    See Also
    --------
    GRUClassifier : Gated recurrent units.
    SimpleRNNClassifier : Plain recurrence.
    Conv1DClassifier : Convolutions over time.
    DenseClassifier : No notion of time.
    SequenceReshaper : From the columns of a table to timesteps.

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
    """Gated recurrent unit network as a scikit-learn classifier.

    One or more GRU layers [1]_, optional dense layers, and an output for each class.
    The layers are Keras' own, with the reset gate after the matrix product.

    See Also
    --------
    LSTMClassifier : Long short-term memory.
    SimpleRNNClassifier : Plain recurrence.
    Conv1DClassifier : Convolutions over time.
    DenseClassifier : No notion of time.
    SequenceReshaper : From the columns of a table to timesteps.

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
    """Plain recurrent network as a scikit-learn classifier.

    One or more fully connected recurrent layers with tanh [1]_, optional dense layers,
    and an output for each class. The layers are Keras' own. It is fast and small; over
    long sequences `LSTMClassifier` and `GRUClassifier` remember better.

    See Also
    --------
    LSTMClassifier : Long short-term memory.
    GRUClassifier : Gated recurrent units.
    Conv1DClassifier : Convolutions over time.
    DenseClassifier : No notion of time.
    SequenceReshaper : From the columns of a table to timesteps.

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
    """Long short-term memory network as a scikit-learn regressor.

    One or more LSTM layers [1]_, optional dense layers, and an output for each column
    of y. The layers are Keras' own. y is scaled inside.

    See Also
    --------
    LSTMClassifier : The classifier.
    GRURegressor : Gated recurrent units.
    SimpleRNNRegressor : Plain recurrence.
    Conv1DRegressor : Convolutions over time.
    DenseRegressor : No notion of time.

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
    """Gated recurrent network as a scikit-learn regressor.

    One or more GRU layers [1]_, optional dense layers, and an output for each column of
    y. The layers are Keras' own. y is scaled inside. GRUs often do as well as LSTMs
    with a quarter fewer weights.

    See Also
    --------
    GRUClassifier : The classifier.
    LSTMRegressor : Long short-term memory.
    SimpleRNNRegressor : Plain recurrence.
    Conv1DRegressor : Convolutions over time.
    DenseRegressor : No notion of time.

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
    """Plain recurrent network as a scikit-learn regressor.

    One or more fully connected recurrent layers with tanh [1]_, optional dense layers,
    and an output for each column of y. The layers are Keras' own. y is scaled inside.
    It is fast and small; over long sequences `LSTMRegressor` and `GRURegressor`
    remember better.

    See Also
    --------
    SimpleRNNClassifier : The classifier.
    LSTMRegressor : Long short-term memory.
    GRURegressor : Gated recurrent units.
    Conv1DRegressor : Convolutions over time.
    DenseRegressor : No notion of time.

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
