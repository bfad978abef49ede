"""Dense networks over the flattened or pooled sequence."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral, Real
from typing import TYPE_CHECKING, Literal

from skseq._classification import SequenceClassifier
from skseq._engine.activations import ACTIVATION, check_activations
from skseq._engine.networks import Dense
from skseq._layers import StackedNetwork
from skseq._parameters import parameter
from skseq._regression import SequenceRegressor
from skseq._validation import StrOptions, check_sizes

if TYPE_CHECKING:
    from skseq._engine.types import Activations


class DenseNetwork(StackedNetwork):
    """Mixin with the parameters of dense networks."""

    dense_units: int | Sequence[int] = parameter(
        default=(100,),
        constraint=[Integral, tuple, list],
        text="""int or tuple of int
        Widths of the hidden layers. Without hidden layers the network is logistic
        or linear regression.""",
        kw_only=False,
    )
    activation: Activations = parameter(
        default="relu",
        constraint=[*ACTIVATION, tuple, list],
        text="""str, dict, keras.layers.Layer, callable, None, or tuple of those
        Activation of each hidden layer: the name of a Keras activation, a dict with a
        name and options such as ``{"name": "leaky_relu", "negative_slope": 0.2}``, a
        Keras layer or a function; a tuple has one for each layer. None: no activation.
        """,
    )
    dropout: float | Sequence[float] = parameter(
        default=0.0,
        constraint=[Real, tuple, list],
        text="""float or tuple of float
        Fraction in [0, 1) of the outputs of each hidden layer that training drops, or
        one for each layer. With token ids, one number is also for the features of their
        vectors, which are dropped at all timesteps of a row (Tompson et al., 2015), and
        a tuple may begin with the fraction of these.""",
    )
    pooling: Literal["flatten", "mean", "max", "attention"] = parameter(
        default="flatten",
        constraint=[StrOptions({"flatten", "mean", "max", "attention"})],
        text="""{"flatten", "mean", "max", "attention"}
        How a sequence is passed to the first layer: all timesteps side by side, their
        mean or maximum, or a mean with weights that are learned (Yang et al., 2016).
        The last three suit token ids, whose order then has no effect.""",
    )

    def _network(self, head):
        dense_units = check_sizes("dense_units", self.dense_units, may_be_empty=True)
        n_layers = len(dense_units)
        of_embedding, dropout = self._split_rates(n_layers)
        return Dense(
            **self._shape_in,
            **self._stacked(
                "dense", [(width,) for width in dense_units], "dense_units",
                dropout=of_embedding,
            ),
            head=head,
            dense_units=dense_units,
            activation=check_activations("activation", self.activation, n_layers),
            dropout=dropout,
            pooling=self.pooling,
        )  # fmt: skip


class DenseClassifier(DenseNetwork, SequenceClassifier):
    """Feed-forward network over the flattened sequence as a scikit-learn classifier.

    The timesteps are laid side by side and go through dense layers to an output for
    each class, as in a multilayer perceptron [1]_. The layers are Keras' own. It is the
    baseline: if a network that uses the order of the timesteps is not better, the order
    is of little use. With ``pooling="mean"`` and ``embedding_dim``, it learns from a
    text as from a bag of words.

    See Also
    --------
    LSTMClassifier : Long short-term memory.
    GRUClassifier : Gated recurrent units.
    SimpleRNNClassifier : Plain recurrence.
    Conv1DClassifier : Convolutions over time.
    SequenceReshaper : From the columns of a table to timesteps.

    References
    ----------
    .. [1] D. E. Rumelhart, G. E. Hinton and R. J. Williams, "Learning representations
       by back-propagating errors", Nature 323, 1986.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.preprocessing import scale
    >>> from skseq import DenseClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> net = DenseClassifier(early_stopping=True, monitor="roc_auc_ovr",
    ...                       random_state=0)
    >>> net.fit(scale(X), y).predict_proba(scale(X)).shape
    (150, 3)
    >>> net.best_epoch_ <= net.n_iter_
    True
    """


class DenseRegressor(DenseNetwork, SequenceRegressor):
    """Feed-forward network over the flattened sequence as a scikit-learn regressor.

    The timesteps are laid side by side and go through dense layers to an output for
    each column of y, as in a multilayer perceptron [1]_. The layers are Keras' own. y
    is scaled inside. It is the baseline: if a network that uses the order of the
    timesteps is not better, the order is of little use.

    See Also
    --------
    DenseClassifier : The classifier.
    LSTMRegressor : Long short-term memory.
    GRURegressor : Gated recurrent units.
    SimpleRNNRegressor : Plain recurrence.
    Conv1DRegressor : Convolutions over time.

    References
    ----------
    .. [1] D. E. Rumelhart, G. E. Hinton and R. J. Williams, "Learning representations
       by back-propagating errors", Nature 323, 1986.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.model_selection import cross_val_score
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skseq import DenseRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> net = make_pipeline(StandardScaler(), DenseRegressor(random_state=0))
    >>> bool(cross_val_score(net, X, y, cv=3).mean() > 0.3)
    True
    """
