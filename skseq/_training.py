"""Training programs: a network's graph, traced once and used by every fit like it.

A `Program` holds a Keras model with its optimizer, and the traced functions that train
it for an epoch and predict with it. Everything in it that training changes is put in
before use and taken out after, so that nothing of one fit reaches the next. Learning
rate, weights and number of rows are values and need no new trace.
"""

# First, for it tells what to do where Keras would fail to be imported.
from skseq._networks import (
    build_network,
    draw_weights,
    fingerprint,
    float32_globally,
    is_rate_value,
    keras,
    make_loss,
    make_metrics,
    make_optimizer,
)

# isort: split
import io
import os
import threading
from collections import OrderedDict
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import tensorflow as tf

# Predicting always runs over batches of exactly this many rows, the last one filled up
# with zeros: matrix products of other sizes may differ in the last bit, and a row's
# prediction must not depend on the rows beside it.
PREDICTION_ROWS = 128

# Idle programs kept; beyond that the least recently used one goes.
_MAX_PROGRAMS = 64


@dataclass(frozen=True)
class Recipe:
    """All that a program is built from, as plain values and the caller's own objects.

    Attributes
    ----------
    network : dict
        See `skseq._networks.build_network`.
    optimizer, optimizer_params, loss, loss_params
        As the estimator's parameters.
    learning_rate : float, schedule or None
        A float is left out of what tells recipes apart.
    metrics : tuple
        As `skseq._networks.check_metrics` gives it.
    """

    network: dict
    optimizer: Any
    optimizer_params: dict | None
    learning_rate: Any
    loss: Any
    loss_params: dict | None
    metrics: tuple

    def key(self):
        """A hashable value, equal for recipes of the same program."""
        rate = self.learning_rate
        return fingerprint(
            {
                **vars(self),
                "learning_rate": "a value" if is_rate_value(rate) else rate,
            }
        )


@dataclass(frozen=True)
class State:
    """What training changes, as arrays.

    Attributes
    ----------
    weights : list of ndarray
        In the order of the Keras model's ``weights``.
    optimizer : list of ndarray
        In the order of the optimizer's ``variables``.
    """

    weights: list
    optimizer: list


@dataclass
class Rows:
    """Rows to train on or to watch.

    Attributes
    ----------
    X : ndarray of shape (n_samples, n_timesteps, n_features), float32
    target : ndarray of shape (n_samples, n_outputs) or (n_samples,)
        In the form that the loss takes.
    weights : ndarray of shape (n_samples,), float32
        With a mean of 1.
    """

    X: np.ndarray
    target: np.ndarray
    weights: np.ndarray


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
    learning_rate : float or None
        Set before the first epoch; None leaves the optimizer's.
    callbacks : list of keras.callbacks.Callback
    verbose : int
    """

    epochs: int
    batch_size: int
    first_epoch: int
    shuffle: bool
    seed: int
    learning_rate: float | None = None
    callbacks: list = field(default_factory=list)
    verbose: int = 0


def _assign(variables, values):
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def _values(variables):
    # Copies: what numpy() gives may share memory with the variable.
    return [np.array(variable.value.numpy()) for variable in variables]


class Program:
    """A Keras model and its traced functions; used by one thread at a time."""

    def __init__(self, recipe):
        self.recipe = recipe
        self.model = build_network(recipe.network)
        self.built_weights = _values(self.model.weights)
        known = {id(variable) for variable in self.model.weights}
        self._dropout_states = [
            variable for variable in self.model.variables if id(variable) not in known
        ]
        self._train_epoch = None
        self._predict_batch = None

    @property
    def optimizer(self):
        return self.model.optimizer

    def _compile(self):
        """Give the model what only training needs."""
        recipe = self.recipe
        optimizer = make_optimizer(
            recipe.optimizer, recipe.learning_rate, recipe.optimizer_params
        )
        self.model.compile(
            optimizer=optimizer,
            loss=make_loss(recipe.loss, recipe.loss_params),
            metrics=make_metrics(recipe.metrics),
            jit_compile=False,
        )
        optimizer.build(self.model.trainable_variables)
        self._new_optimizer = _values(optimizer.variables)

    def _trace_training(self, rows):
        n_timesteps, n_features = rows.X.shape[1:]
        model = self.model
        with_metrics = bool(self.recipe.metrics)

        def train_epoch(X, target, weights, order, batch_size):
            n_rows = tf.shape(order)[0]

            def step(start, total):
                batch = order[start : start + batch_size]
                X_batch = tf.gather(X, batch)
                target_batch = tf.gather(target, batch)
                weights_batch = tf.gather(weights, batch)
                with tf.GradientTape() as tape:
                    outputs = model(X_batch, training=True)
                    loss = model.compute_loss(
                        x=X_batch,
                        y=target_batch,
                        y_pred=outputs,
                        sample_weight=weights_batch,
                        training=True,
                    )
                variables = [v.value for v in model.trainable_variables]
                gradients = tape.gradient(loss, variables)
                model.optimizer.apply(gradients, model.trainable_variables)
                if with_metrics:
                    model.compute_metrics(
                        X_batch, target_batch, outputs, sample_weight=weights_batch
                    )
                # A loss object of the caller's has a dtype of its own.
                n_batch = tf.cast(tf.shape(batch)[0], tf.float32)
                return start + batch_size, total + tf.cast(loss, tf.float32) * n_batch

            _, total = tf.while_loop(
                lambda start, total: start < n_rows, step, (0, tf.constant(0.0))
            )
            return total / tf.cast(n_rows, tf.float32)

        def spec(array):
            return tf.TensorSpec([None, *array.shape[1:]], array.dtype)

        return tf.function(
            train_epoch,
            input_signature=[
                tf.TensorSpec([None, n_timesteps, n_features], tf.float32),
                spec(rows.target),
                tf.TensorSpec([None], tf.float32),
                tf.TensorSpec([None], tf.int32),
                tf.TensorSpec([], tf.int32),
            ],
            autograph=False,  # it warns under Python 3.13, and is not needed
        ).get_concrete_function()

    def prepare_training(self, rows):
        """Trace what trains, unless that is done."""
        if self._train_epoch is None:
            with _TRACING:
                self._compile()
                if self.recipe.metrics:
                    # Keras makes the metrics' variables at their first use, which must
                    # not be inside a loop of the graph.
                    outputs = np.zeros(
                        (1, self.recipe.network["n_outputs"]), np.float32
                    )
                    self.model.compute_metrics(
                        None, rows.target[:1], outputs, sample_weight=None
                    )
                self._train_epoch = self._trace_training(rows)

    def put(self, state):
        """Set everything that training changes.

        Parameters
        ----------
        state : State
            An empty ``optimizer`` means a new one.
        """
        _assign(self.model.weights, state.weights)
        _assign(self.optimizer.variables, state.optimizer or self._new_optimizer)

    def take(self):
        """Copies of everything that training changes, as a `State`."""
        return State(_values(self.model.weights), _values(self.optimizer.variables))

    def seed_dropout(self, seeds):
        """Start every dropout layer's stream anew."""
        for variable in self._dropout_states:
            variable.assign([seeds.integers(2**31), 0])

    def train_epoch(self, tensors, order, batch_size):
        """Run over rows in the given order; the mean loss over them."""
        loss = self._train_epoch(*tensors, order, np.int32(batch_size))
        return float(loss)

    def metric_values(self):
        """The metrics' values since the last reset, by name."""
        values = self.model.get_metrics_result()
        return {name: float(value) for name, value in values.items() if name != "loss"}

    def evaluate(self, rows, outputs):
        """Loss and metrics of outputs that `predict` gave, as on a batch of all rows.

        Returns
        -------
        values : dict of str to float
        """
        loss = self.model.compute_loss(
            y=rows.target, y_pred=outputs, sample_weight=rows.weights, training=False
        )
        values = {"loss": float(loss)}
        if self.recipe.metrics:
            self.model.reset_metrics()
            self.model.compute_metrics(
                None, rows.target, outputs, sample_weight=rows.weights
            )
            values |= self.metric_values()
        return values

    def predict(self, X):
        """Outputs of the network with the weights that it has.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_timesteps, n_features), float32

        Returns
        -------
        outputs : ndarray of shape (n_samples, n_outputs), float32
        """
        if self._predict_batch is None:
            shape = [PREDICTION_ROWS, *X.shape[1:]]
            with _TRACING:
                self._predict_batch = tf.function(
                    lambda batch: self.model(batch, training=False),
                    input_signature=[tf.TensorSpec(shape, tf.float32)],
                    autograph=False,
                ).get_concrete_function()
        outputs = np.empty((len(X), self.recipe.network["n_outputs"]), np.float32)
        for start in range(0, len(X), PREDICTION_ROWS):
            batch = X[start : start + PREDICTION_ROWS]
            n_rows = len(batch)
            if n_rows < PREDICTION_ROWS:
                filled = np.zeros((PREDICTION_ROWS, *X.shape[1:]), np.float32)
                filled[:n_rows] = batch
                batch = filled
            result = self._predict_batch(tf.constant(batch))
            outputs[start : start + n_rows] = result.numpy()[:n_rows]
        return outputs


# ----------------------------------------------------------------------------- cache

# Building and tracing go through state that Keras shares between threads.
_TRACING = threading.RLock()
_CACHE = threading.Lock()
_idle = OrderedDict()  # recipe key -> programs that no thread is using
_owner = None  # the process in which TensorFlow runs


def clear_programs():
    """Forget all traced programs that are not in use, and free their memory.

    Fitted estimators are not touched: what they need is built again at the next use.

    Examples
    --------
    >>> import skseq
    >>> skseq.clear_programs()
    """
    with _CACHE:
        _idle.clear()


@contextmanager
def _borrowed(recipe):
    """A program of this recipe that no other thread is using."""
    global _owner
    if _owner is None:
        _owner = os.getpid()
    elif _owner != os.getpid():
        raise RuntimeError(
            "TensorFlow was used in this process' parent and does not survive a fork: "
            "fit and predict would hang. Use joblib's default backend 'loky', threads "
            "(joblib.parallel_config('threading')), or multiprocessing's 'spawn'."
        )
    key = recipe.key()
    with _CACHE:
        programs = _idle.pop(key, [])
        program = programs.pop() if programs else None
        if programs:
            _idle[key] = programs
    with float32_globally():
        if program is None:
            with _TRACING:
                program = Program(recipe)
        # Not in a `finally`: one that was interrupted may be half traced.
        yield program
    with _CACHE:
        _idle.setdefault(key, []).append(program)
        _idle.move_to_end(key)
        while sum(map(len, _idle.values())) > _MAX_PROGRAMS:
            oldest = next(iter(_idle))
            _idle[oldest].pop(0)
            if not _idle[oldest]:
                del _idle[oldest]


# -------------------------------------------------------------------------- training


class _BestEpoch:
    """Remembers the best epoch and tells when to stop."""

    def __init__(self, watch):
        self._watch = watch
        self._sign = 1 if watch.greater_is_better else -1
        self.epoch = None
        self.score = None
        self.state = None
        self._reference = -np.inf
        self._waited = 0

    def update(self, epoch, score, program):
        """Take note of an epoch; True if training is to stop."""
        signed = self._sign * score
        if self.epoch is None or signed > self._sign * self.score:
            self.epoch, self.score = epoch, score
            if self._watch.patience is not None:
                self.state = program.take()
        # The best weights are the best ones, however small the gain; only the patience
        # asks for a gain of min_delta.
        if signed > self._reference + self._watch.min_delta:
            self._reference = signed
            self._waited = 0
        else:
            self._waited += 1
        return self._watch.patience is not None and self._waited >= self._watch.patience


_BATCH_HOOKS = (
    "on_batch_begin",
    "on_batch_end",
    "on_train_batch_begin",
    "on_train_batch_end",
)


def _has_batch_hooks(callback):
    plain = keras.callbacks.Callback
    return any(
        getattr(getattr(callback, hook), "__func__", None) is not getattr(plain, hook)
        for hook in _BATCH_HOOKS
    )


def _train_by_batches(program, tensors, order, batch_size, callbacks):
    """As ``program.train_epoch``, with the callbacks' batch hooks in between."""
    total = 0.0
    for batch, start in enumerate(range(0, len(order), batch_size)):
        rows = order[start : start + batch_size]
        callbacks.on_train_batch_begin(batch)
        loss = program.train_epoch(tensors, rows, batch_size)
        total += loss * len(rows)
        logs = {"loss": total / (start + len(rows)), **program.metric_values()}
        callbacks.on_train_batch_end(batch, logs)
        if program.model.stop_training:
            return total / (start + len(rows))
    return total / len(order)


def initial_state(recipe, seed):
    """Weights before the first epoch, as a `State` with a new optimizer."""
    with _borrowed(recipe) as program:
        return State(draw_weights(program.model, program.built_weights, seed), [])


def train(recipe, state, rows, schedule, watch=None):
    """Train a network.

    Parameters
    ----------
    recipe : Recipe
    state : State
        Where to start; not changed. An empty ``optimizer`` means a new one.
    rows : Rows
    schedule : Schedule
    watch : Watch or None

    Returns
    -------
    state : State
    history : dict of str to list of float
        One value for each epoch run.
    best : tuple of int and float, or None
        The best epoch, counted from 0 at the first epoch of this call, and its score.
    """
    with _borrowed(recipe) as program:
        program.prepare_training(rows)
        program.put(state)
        if schedule.learning_rate is not None:
            program.optimizer.learning_rate = float(schedule.learning_rate)
        history, best = _run_epochs(program, rows, schedule, watch)
        if best is not None and best.state is not None:
            state = best.state
        else:
            state = program.take()
    return state, history, None if best is None else (best.epoch, best.score)


def _run_epochs(program, rows, schedule, watch):
    model = program.model
    tensors = [tf.constant(array) for array in (rows.X, rows.target, rows.weights)]
    best = None if watch is None else _BestEpoch(watch)
    last_epoch = schedule.first_epoch + schedule.epochs
    n_rows = len(rows.X)
    callbacks = keras.callbacks.CallbackList(
        schedule.callbacks,
        model=model,
        epochs=last_epoch,
        verbose=0,
        steps=-(-n_rows // schedule.batch_size),
    )
    by_batches = any(map(_has_batch_hooks, schedule.callbacks))
    history = {}
    model.stop_training = False
    callbacks.on_train_begin()
    logs = {}
    try:
        for epoch in range(schedule.first_epoch, last_epoch):
            seeds = np.random.default_rng([schedule.seed, epoch])
            program.seed_dropout(seeds)
            if schedule.shuffle:
                order = seeds.permutation(n_rows).astype(np.int32)
            else:
                order = np.arange(n_rows, dtype=np.int32)
            model.reset_metrics()
            callbacks.on_epoch_begin(epoch)
            if by_batches:
                loss = _train_by_batches(
                    program, tensors, order, schedule.batch_size, callbacks
                )
            else:
                loss = program.train_epoch(tensors, order, schedule.batch_size)
            _check_loss(loss, epoch)
            logs = {"loss": loss, **program.metric_values()}
            if watch is not None:
                logs |= _watched(program, watch)
            for name, value in logs.items():
                history.setdefault(name, []).append(value)
            if schedule.verbose:
                record = ", ".join(
                    f"{name} {value:.4f}" for name, value in logs.items()
                )
                print(f"epoch {epoch + 1} of {last_epoch}: {record}")
            stop = best is not None and best.update(
                epoch - schedule.first_epoch, logs[watch.monitor], program
            )
            callbacks.on_epoch_end(epoch, logs)
            if stop or model.stop_training:
                break
        if schedule.epochs:
            # For an optimizer that averages weights and hands them over at the end.
            model.optimizer.finalize_variable_values(model.trainable_variables)
        callbacks.on_train_end(logs)
    finally:
        for callback in schedule.callbacks:
            # The program goes on to other fits. Not by the callback's own method, which
            # may expect a model.
            keras.callbacks.Callback.set_model(callback, None)
            # CSVLogger keeps its file, closed, which no pickle takes.
            for name, value in vars(callback).items():
                if isinstance(value, io.IOBase) and value.closed:
                    setattr(callback, name, None)
    return history, best


def _check_loss(loss, epoch):
    if not np.isfinite(loss):
        raise ValueError(
            f"The loss must stay finite, got {loss} in epoch {epoch + 1}. Standardise "
            f"X (StandardScaler), lower learning_rate, or clip gradients with "
            f"optimizer_params={{'clipnorm': 1.0}}."
        )


def _watched(program, watch):
    outputs = program.predict(watch.rows.X)
    values = program.evaluate(watch.rows, outputs)
    record = {f"val_{name}": value for name, value in values.items()}
    if watch.score is not None:
        record[watch.monitor] = float(watch.score(outputs))
    return record


def predict(recipe, weights, X):
    """Outputs of a network.

    Parameters
    ----------
    recipe : Recipe
    weights : list of ndarray
    X : ndarray of shape (n_samples, n_timesteps, n_features), float32

    Returns
    -------
    outputs : ndarray of shape (n_samples, n_outputs), float32
    """
    with _borrowed(recipe) as program:
        _assign(program.model.weights, weights)
        return program.predict(X)


def standalone_model(recipe, weights):
    """A Keras model of its own with copies of the weights."""
    with _TRACING, float32_globally():
        model = build_network(recipe.network)
    model.set_weights(weights)
    return model
