"""The recipe of a program, and the rows and schedule to train with."""

import threading
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from skseq._engine import facts
from skseq._engine.fingerprints import fingerprint, has_users_code
from skseq._engine.keras import building
from skseq._engine.models import OwnModel
from skseq._engine.networks import (
    Autoencoder,
    Convolutional,
    Dense,
    Head,
    Network,
    Recurrent,
)
from skseq._engine.optimizers import (
    is_object,
    is_rate_value,
    optimizer_key,
    option_values,
    own_rate,
)
from skseq._engine.parts import Embedding
from skseq._engine.skeletons import without_values
from skseq._engine.stored import storable
from skseq._engine.tables import Columns

# The number of networks whose dropout rates are kept, because reading them means to
# build a model.
_MAX_RATES = 256
_rates: OrderedDict[Any, dict[str, float]] = OrderedDict()
_LOCK = threading.Lock()


def _rates_of(network):
    key = network.key(), fingerprint([getattr(network, n) for n in network.run_time])
    with _LOCK:
        found = _rates.get(key)
    if found is None:
        with building():
            found = facts.rates(without_values(network.build))
        with _LOCK:
            _rates[key] = found
            if len(_rates) > _MAX_RATES:
                _rates.popitem(last=False)
    return found


@dataclass(frozen=True)
class Recipe:
    """Everything that a program is built from, as plain values and the user's objects.

    Attributes
    ----------
    network : skseq._engine.networks.Network
    optimizer, optimizer_params, loss, loss_params
        The estimator's parameters.
    learning_rate : float, schedule or None
        A float is not part of the key.
    metrics : tuple
        The result of `skseq._engine.metrics.check_metrics`.
    target_scale : tuple of two tuples of float, or None
        Of a regressor: what is subtracted from each column of the target, and by what
        it is then divided. The values are not part of the key.
    n_networks : int
        Networks with different first weights, whose outputs are averaged.
    """

    # Slots for values that are computed once, and don't belong to the content.
    __slots__ = ("__dict__", "__weakref__", "_key", "_others", "_rates", "_token")

    network: Network
    optimizer: Any
    optimizer_params: dict | None
    learning_rate: Any
    loss: Any
    loss_params: dict | None
    metrics: tuple
    target_scale: tuple | None = None
    n_networks: int = 1

    @property
    def rate(self):
        """float or None: the learning rate; None where it follows a schedule."""
        if self.learning_rate is None:
            return own_rate(self.optimizer)
        return float(self.learning_rate) if is_rate_value(self.learning_rate) else None

    def values(self, epoch=None):
        """Collect the run-time values of training but the learning rate, as floats.

        Parameters
        ----------
        epoch : int or None
            Counted from 0, for values that rise over the first epochs. None: as they
            are in the end.
        """
        if not hasattr(self, "_rates"):
            object.__setattr__(self, "_rates", _rates_of(self.network))
        return {
            **option_values(self.optimizer, self.optimizer_params),
            **self._rates,
            **self.network.values(epoch),
        }

    def key(self):
        """Compute a hashable key that is equal for recipes of the same program.

        With code from the user it is computed at each call, because a value that the
        code reads may have changed. Where such a value can't be pickled, no other
        recipe has the same key.
        """
        if hasattr(self, "_key"):
            return self._key
        if not hasattr(self, "_token"):
            object.__setattr__(self, "_token", object())

        def unknown(value):
            return self._token

        is_regressor = self.target_scale is not None
        rest = (
            self.loss, self.loss_params, self.metrics, is_regressor, self.n_networks
        )  # fmt: skip
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

    def with_network(self, network):
        """Copy the recipe with a copy of its network for rows of another length.

        The same recipe is returned for an equal network, because its key takes time.
        """
        if network is self.network:
            return self
        if not hasattr(self, "_others"):
            object.__setattr__(self, "_others", {})
        lengths = network.n_timesteps, network.masked
        if lengths not in self._others:
            self._others[lengths] = replace(self, network=network)
        return self._others[lengths]

    def optimizer_key(self):
        """Compute a key that is equal for interchangeable optimizer states."""
        return optimizer_key(self.optimizer, self.optimizer_params, self.learning_rate)

    def __getstate__(self):
        # Without the key: it may hold ids of objects, which another process lacks.
        return storable(dict(vars(self)))


@dataclass(frozen=True)
class State:
    """Everything that training changes, as arrays.

    Attributes
    ----------
    weights : list of ndarray
        In the order of the Keras model's ``weights``. Those of several networks have
        these along the first axis.
    optimizer : list of ndarray
        In the order of the optimizer's ``variables``; empty for a new optimizer.
    """

    weights: list
    optimizer: list


# The classes whose fields are in the state of an estimator.
RECORDS: tuple[type, ...] = (
    Autoencoder, Columns, Convolutional, Dense, Embedding, Head, OwnModel, Recipe,
    Recurrent, State,
)  # fmt: skip


@dataclass
class Rows:
    """Rows to train on or to validate with.

    Attributes
    ----------
    X : ndarray of shape (n_samples, n_timesteps, n_features) or PaddedRows
        It may be a `numpy.memmap`; it is not copied.
    index : ndarray of int of shape (n_rows,) or None
        The rows of X to use, in this order; None: all of them.
    target : ndarray of shape (n_rows, n_outputs) or (n_rows,), or None
        In the form that the loss takes. None: the rows themselves are the target.
    weights : ndarray of shape (n_rows,), float32
        With a mean of 1.
    prepare : callable or None
        Converts rows of X to the float32 input of the network; None: no conversion.
    """

    X: np.ndarray
    index: np.ndarray | None
    target: np.ndarray | None
    weights: np.ndarray
    prepare: Any = None

    def __len__(self):
        return len(self.weights)

    def take(self, positions):
        """Take X, target (unless None) and weights at positions of the index."""
        X = self.X[positions if self.index is None else self.index[positions]]
        if self.prepare is not None:
            X = self.prepare(X)
        target = [] if self.target is None else [self.target[positions]]
        return [X, *target, self.weights[positions]]


@dataclass
class Watch:
    """The validation rows, and how an epoch is scored on them.

    Attributes
    ----------
    rows : Rows
    monitor : str
        Key of the epoch's logs, such as ``"val_loss"``.
    greater_is_better : bool
    score : callable or None
        Computes a float from the network's outputs of shape (n_samples, n_outputs).
        None: ``monitor`` is the loss or a metric.
    patience : int or None
        Epochs without improvement before training stops; None: training does not stop,
        and the last weights are kept.
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
        The number of epochs that were run before.
    shuffle : bool
    seed : int
        The order of rows and all random draws of an epoch depend on it and on the
        number of the epoch alone.
    strata : tuple of two ndarrays, or None
        The class of each row, as ints, and the share of each class in every batch. An
        epoch then has as many rows as before, those of small classes several times.
    learning_rate : float or None
        Set before the first epoch; None: the optimizer's rate is kept.
    rates : str or None
        How the learning rate changes, see `skseq._engine.rates`.
    callbacks : list of keras.callbacks.Callback
    verbose : int
    title : str
        The title of a bar over the epochs.
    """

    epochs: int
    batch_size: int
    first_epoch: int
    shuffle: bool
    seed: int
    strata: Any = None
    learning_rate: float | None = None
    rates: str | None = None
    callbacks: list = field(default_factory=list)
    verbose: int = 0
    title: str = "fit"


def new_recipe(*, optimizer, learning_rate, default_rate, **parts):
    """Make a recipe, with a default learning rate for an optimizer's name or class."""
    if learning_rate is None and not is_object(optimizer):
        learning_rate = own_rate(optimizer) if default_rate is None else default_rate
    return Recipe(optimizer=optimizer, learning_rate=learning_rate, **parts)
