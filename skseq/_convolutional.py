"""Convolutional networks over time."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral, Real
from typing import TYPE_CHECKING, Literal

from skseq._classification import SequenceClassifier
from skseq._engine.activations import ACTIVATION, check_activations
from skseq._engine.networks import Convolutional
from skseq._layers import StackedNetwork
from skseq._parameters import parameter
from skseq._regression import SequenceRegressor
from skseq._validation import StrOptions, check_sizes

if TYPE_CHECKING:
    from skseq._engine.types import Activations


# The timesteps from which on windows are long by default.
_LONG = 50


class ConvolutionalNetwork(StackedNetwork):
    """Mixin with the parameters of convolutional networks."""

    filters: int | Sequence[int] = parameter(
        default=(64, 64, 64),
        constraint=[Integral, tuple, list],
        text="""int or tuple of int
        Number of filters of the convolutional layer, that is, the number of patterns
        that it can learn and of features that it outputs at each timestep. A tuple
        stacks several layers, with the number of filters of each.""",
        kw_only=False,
    )
    kernel_size: int | Sequence[int] | Literal["auto"] = parameter(
        default="auto",
        constraint=[Integral, tuple, list, StrOptions({"auto"})],
        text="""int, tuple of int or "auto"
        Number of timesteps that a filter covers. A tuple has one for each layer.
        ``"auto"``: 7, 5 and then 3 in all further layers; for sequences of at least 50
        timesteps that are not token ids: 15, 9, 5 and then 3.""",
    )
    padding: Literal["same", "valid", "causal"] = parameter(
        default="same",
        constraint=[StrOptions({"same", "valid", "causal"})],
        text="""{"same", "valid", "causal"}
        How the start and the end of a sequence are padded before each convolution.
        ``"same"``: zeros on both sides, so that the number of timesteps does not
        change. ``"valid"``: no padding, so that each layer shortens the sequence.
        ``"causal"``: zeros at the start only, so that no output depends on a later
        timestep.""",
    )
    pool_size: int | Sequence[int] | Literal["auto"] = parameter(
        default="auto",
        constraint=[Integral, tuple, list, StrOptions({"auto"})],
        text="""int, tuple of int or "auto"
        Max pooling after each convolution: the number of successive timesteps of which
        only the maximum is kept. A tuple has one for each layer. 1: no pooling.
        ``"auto"``: 2 after the first and the second layer, except after the last layer,
        for sequences of at least 50 timesteps that are not token ids; otherwise 1.""",
    )
    pooling: Literal["max", "mean", "parts", "attention", "flatten"] = parameter(
        default="parts",
        constraint=[StrOptions({"max", "mean", "parts", "attention", "flatten"})],
        text="""{"max", "mean", "parts", "attention", "flatten"}
        How the outputs of the last convolution at all timesteps become one vector:

        - ``"max"``, ``"mean"``: the maximum or mean over the timesteps;
        - ``"parts"``: the maximum over the timesteps, concatenated with the mean over
          each quarter of the sequence;
        - ``"attention"``: a weighted mean, with weights that are learned (Yang et al.,
          2016);
        - ``"flatten"``: the outputs at all timesteps, concatenated.""",
    )
    separable: bool = parameter(
        default=False,
        constraint=["boolean"],
        text="""bool
        Whether the convolutions are depthwise separable: a convolution over time for
        each feature by itself, and then a linear combination of the features. This
        needs fewer weights (Chollet, 2017).""",
    )
    activation: Activations = parameter(
        default="relu",
        constraint=[*ACTIVATION, tuple, list],
        text="""str, dict, keras.layers.Layer, callable, None, or tuple of those
        Activation of each convolution and hidden dense layer: the name of a Keras
        activation, a dict with a name and options such as ``{"name": "leaky_relu",
        "negative_slope": 0.2}``, a Keras layer, or a function. A tuple has one for each
        convolution, followed by one for each layer of ``dense_units``. None: no
        activation.""",
    )
    dropout: float | Sequence[float] = parameter(
        default=0.0,
        constraint=[Real, tuple, list],
        text="""float or tuple of float
        Dropout after each convolution: the fraction in [0, 1) of its outputs that
        training sets to zero at random. A tuple has one value for each layer. With
        token ids, a single number also applies to the embedding: whole features of the
        token vectors are dropped, at all timesteps of a row (Tompson et al., 2015). A
        tuple may then begin with the value for the embedding.""",
    )
    dense_units: int | Sequence[int] = parameter(
        default=(),
        constraint=[Integral, tuple, list],
        text="""int or tuple of int
        Number of units of each hidden dense layer between the convolutions and the
        output layer. ``()``: no such layer.""",
    )

    _auto_decay = 0.5

    # Whether the rows of fit count as long sequences.
    _is_long = False

    def _learn_lengths(self, whole, held_out, resume):
        super()._learn_lengths(whole, held_out, resume)
        if not resume:
            self._is_long = self._longest >= _LONG and not self._reads_tokens

    def _network(self, head):
        filters = check_sizes("filters", self.filters)
        n_layers = len(filters)
        is_long = self._is_long
        kernel_size, pool_size = self.kernel_size, self.pool_size
        if kernel_size == "auto":
            kernel_size = [15, 9, 5] if is_long else [7, 5]
            kernel_size = [*kernel_size, *[3] * n_layers][:n_layers]
        if pool_size == "auto":
            pools = [2] * min(n_layers - 1, 2) if is_long else []
            pool_size = [*pools, *[1] * n_layers][:n_layers]
        kernel_size = check_sizes("kernel_size", kernel_size, n_layers)
        pool_size = check_sizes("pool_size", pool_size, n_layers)
        dense_units = check_sizes("dense_units", self.dense_units, may_be_empty=True)
        kind = "separable_conv1d" if self.separable else "conv1d"
        sizes = list(zip(filters, kernel_size, strict=True))
        of_embedding, dropout = self._split_rates(n_layers)
        network = Convolutional(
            **self._shape_in,
            **self._stacked(kind, sizes, "filters", dropout=of_embedding),
            separable=bool(self.separable),
            head=head,
            filters=filters,
            kernel_size=kernel_size,
            padding=self.padding,
            pool_size=pool_size,
            pooling=self.pooling,
            activation=check_activations(
                "activation", self.activation, n_layers + len(dense_units)
            ),
            dropout=dropout,
            dense_units=dense_units,
        )
        if self.padding == "valid":
            self._check_length(network)
        return network

    def _check_length(self, network):
        """Raise if a sequence is too short for padding="valid"."""
        length = self.n_timesteps_in_
        for windows in network.windows():
            if windows.padding == "valid" and windows.reach >= length:
                raise ValueError(
                    f"kernel_size must be at most the number of timesteps with "
                    f"padding='valid', got {windows.reach + 1} where {length} "
                    f"timesteps of {self.n_timesteps_in_} are left. Use padding='same' "
                    f"or smaller kernels."
                )
            length = windows.n_after(length)


class Conv1DClassifier(ConvolutionalNetwork, SequenceClassifier):
    """1-D convolutional network for classification.

    The network consists of one or more 1-D convolutions over time [1]_ with optional
    max pooling, a pooling over all timesteps, optional dense layers, and an output
    layer. It finds patterns wherever they occur in a sequence. By default it has three
    convolutions with batch normalization, similar to the fully convolutional network of
    [2]_.

    See Also
    --------
    LSTMClassifier : LSTM network.
    GRUClassifier : GRU network.
    SimpleRNNClassifier : Simple recurrent network.
    DenseClassifier : Dense network on the flattened sequence.
    SequenceReshaper : Converts the columns of a table to sequences.

    References
    ----------
    .. [1] Y. LeCun and Y. Bengio, "Convolutional networks for images, speech, and time
       series", The Handbook of Brain Theory and Neural Networks, 1995.
    .. [2] Z. Wang, W. Yan and T. Oates, "Time series classification from scratch with
       deep neural networks: a strong baseline", IJCNN 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from skseq import Conv1DClassifier
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 40, 1))
    >>> y = np.arange(200) % 2
    >>> for row, place in enumerate(rng.integers(0, 36, size=200)):
    ...     X[row, place : place + 4, 0] += 3 * y[row]  # a bump, anywhere
    >>> net = Conv1DClassifier(filters=16, random_state=0).fit(X[:150], y[:150])
    >>> bool(net.score(X[150:], y[150:]) > 0.9)
    True
    """

    __module__ = "skseq"

    # A regressor is less accurate with it, see the design page.
    normalization: Literal["batch", "layer"] | None = "batch"


class Conv1DRegressor(ConvolutionalNetwork, SequenceRegressor):
    """1-D convolutional network for regression.

    The network consists of one or more 1-D convolutions over time [1]_ with optional
    max pooling, a pooling over all timesteps, optional dense layers, and an output
    layer. It finds patterns wherever they occur in a sequence. By default, y is
    standardized internally, see ``scale_target``.

    See Also
    --------
    Conv1DClassifier : The same network for classification.
    LSTMRegressor : LSTM network.
    GRURegressor : GRU network.
    SimpleRNNRegressor : Simple recurrent network.
    DenseRegressor : Dense network on the flattened sequence.

    References
    ----------
    .. [1] Y. LeCun and Y. Bengio, "Convolutional networks for images, speech, and time
       series", The Handbook of Brain Theory and Neural Networks, 1995.

    Examples
    --------
    >>> import numpy as np
    >>> from skseq import Conv1DRegressor
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.normal(size=(300, 40, 1)), rng.uniform(0, 9, size=300)
    >>> for row, place in enumerate(rng.integers(0, 36, size=300)):
    ...     X[row, place : place + 4, 0] += y[row]  # a bump, anywhere
    >>> net = Conv1DRegressor(filters=16, random_state=0).fit(X[:200], y[:200])
    >>> bool(net.score(X[200:], y[200:]) > 0.8)
    True
    """

    __module__ = "skseq"
