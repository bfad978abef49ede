"""What a program is built from, and what it is given to train on and to watch."""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from skseq._engine import facts
from skseq._engine.fingerprints import fingerprint, has_users_code
from skseq._engine.keras import building, keras, without_values
from skseq._engine.networks import Network
from skseq._engine.optimizers import (
    is_rate_value,
    optimizer_key,
    option_values,
    own_rate,
)
from skseq._engine.stored import storable

# Networks whose rates of dropout are remembered; reading them means building a model.
_MAX_RATES = 256
_rates: OrderedDict[Any, dict[str, float]] = OrderedDict()


def _rates_of(network):
    key = network.key(), fingerprint([getattr(network, n) for n in network.run_time])
    if key not in _rates:
        with building():
            _rates[key] = facts.rates(without_values(network.build))
        if len(_rates) > _MAX_RATES:
            _rates.popitem(last=False)
    return _rates[key]


@dataclass(frozen=True)
class Recipe:
    """All that a program is built from, as plain values and the caller's own objects.

    Attributes
    ----------
    network : skseq._engine.networks.Network
    optimizer, optimizer_params, loss, loss_params
        As the estimator's parameters.
    learning_rate : float, schedule or None
        A float is no part of the key.
    metrics : tuple
        As `skseq._engine.metrics.check_metrics` gives it.
    """

    # What is worked out once, and is no part of a recipe's content.
    __slots__ = ("__dict__", "__weakref__", "_key", "_token")

    network: Network
    optimizer: Any
    optimizer_params: dict | None
    learning_rate: Any
    loss: Any
    loss_params: dict | None
    metrics: tuple

    @property
    def rate(self):
        """float or None: the learning rate; None where it follows a schedule."""
        if self.learning_rate is None:
            return own_rate(self.optimizer)
        return float(self.learning_rate) if is_rate_value(self.learning_rate) else None

    def values(self, epoch=None):
        """Run-time values of training, besides the learning rate: a dict of floats.

        Parameters
        ----------
        epoch : int or None
            Counted from 0, for values that rise over the first epochs. None: as they
            are in the end.
        """
        return {
            **option_values(self.optimizer, self.optimizer_params),
            **_rates_of(self.network),
            **self.network.values(epoch),
        }

    def key(self):
        """A hashable value, equal for recipes of the same program.

        With code of the user's it is worked out anew at each call, because a value that
        the code reads may have changed. Where such a value can't be told, the key is
        this recipe's own.
        """
        if hasattr(self, "_key"):
            return self._key
        if not hasattr(self, "_token"):
            object.__setattr__(self, "_token", object())

        def unknown(value):
            return self._token

        rest = self.loss, self.loss_params, self.metrics
        key = (
            self.network.key(unknown),
            optimizer_key(
                self.optimizer, self.optimizer_params, self.learning_rate, unknown
            ),
            fingerprint(rest, unknown),
        )
        if not has_users_code(vars(self)):
            object.__setattr__(self, "_key", key)
        return key

    def optimizer_key(self):
        """A hashable value, equal where the states of two optimizers mean the same."""
        return optimizer_key(self.optimizer, self.optimizer_params, self.learning_rate)

    def __getstate__(self):
        # The key holds identities of objects, which another process does not have.
        return storable(dict(vars(self)))


@dataclass(frozen=True)
class State:
    """What training changes, as arrays.

    Attributes
    ----------
    weights : list of ndarray
        In the order of the Keras model's ``weights``.
    optimizer : list of ndarray
        In the order of the optimizer's ``variables``; empty for a new optimizer.
    """

    weights: list
    optimizer: list


@dataclass
class Rows:
    """Rows to train on or to watch.

    Attributes
    ----------
    X : ndarray of shape (n_samples, n_timesteps, n_features)
        It may be a `numpy.memmap`; no copy of it is made.
    index : ndarray of int of shape (n_rows,) or None
        The rows of X that count, in this order; None: all of them.
    target : ndarray of shape (n_rows, n_outputs) or (n_rows,), or None
        In the form that the loss takes. None: rows are to be reconstructed.
    weights : ndarray of shape (n_rows,), float32
        With a mean of 1.
    prepare : callable or None
        From rows of X to what the network reads, float32; None: they are that.
    """

    X: np.ndarray
    index: np.ndarray | None
    target: np.ndarray | None
    weights: np.ndarray
    prepare: Any = None

    def __len__(self):
        return len(self.weights)

    def take(self, positions):
        """X, target (unless None) and weights at positions of the rows that count."""
        X = self.X[positions if self.index is None else self.index[positions]]
        if self.prepare is not None:
            X = self.prepare(X)
        target = [] if self.target is None else [self.target[positions]]
        return [X, *target, self.weights[positions]]


@dataclass
class Watch:
    """A validation part, and how it is watched.

    Attributes
    ----------
    rows : Rows
    monitor : str
        Key of the epoch's record, such as ``"val_loss"``.
    greater_is_better : bool
    score : callable or None
        From the network's outputs of shape (n_samples, n_outputs) to a float; None
        where ``monitor`` is the loss.
    patience : int or None
        Epochs without improvement before training stops; None: never, and the last
        weights are kept.
    min_delta : float
    """

    rows: Rows
    monitor: str
    greater_is_better: bool
    score: Any
    patience: int | None
    min_delta: float


@dataclass
class Schedule:
    """How to train.

    Attributes
    ----------
    epochs : int
    batch_size : int
    first_epoch : int
        Epochs that were run before, so that going on equals not having stopped.
    shuffle : bool
    seed : int
        Of the order of rows and of dropout; both depend on it and the epoch alone.
    strata : tuple of two ndarrays, or None
        The class of each row, as ints, and the share of each class in every batch. An
        epoch then draws as many rows as there are, those of small classes repeatedly.
    learning_rate : float or None
        Set before the first epoch; None leaves the optimizer's.
    callbacks : list of keras.callbacks.Callback
    verbose : int
    title : str
        What a bar over the epochs is called.
    """

    epochs: int
    batch_size: int
    first_epoch: int
    shuffle: bool
    seed: int
    strata: Any = None
    learning_rate: float | None = None
    callbacks: list = field(default_factory=list)
    verbose: int = 0
    title: str = "fit"


def new_recipe(*, optimizer, learning_rate, default_rate, **parts):
    """A recipe in which a name as optimizer has a default learning rate."""
    if learning_rate is None and not isinstance(optimizer, keras.optimizers.Optimizer):
        learning_rate = default_rate
    return Recipe(optimizer=optimizer, learning_rate=learning_rate, **parts)
