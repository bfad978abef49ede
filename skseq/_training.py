"""Training programs: a network's graph, traced once and used by every fit like it.

A `Program` holds a Keras model with its optimizer, and the traced functions that train
it on a chunk of rows and predict with it. Everything in it that training changes is put
in before use and taken out after, so that nothing of one fit reaches the next. Learning
rate, weights and number of rows are values and need no new trace.
"""

# First, for it tells what to do where Keras would fail to be imported.
from skseq._networks import (
    build_graph_only,
    build_network,
    draw_weights,
    draws_in_training,
    fingerprint,
    float32_globally,
    is_elementwise,
    is_keras,
    is_rate_value,
    keras,
    make_loss,
    make_metrics,
    make_optimizer,
    network_values,
    option_values,
    own_rate,
    recurrent_widths,
    tied_kernels,
    without_network_values,
    without_values,
)

# isort: split
import io
import math
import os
import threading
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import joblib
import numpy as np
import tensorflow as tf

from skseq._layers import FAST_LAYERS, has_gpu, traced
from skseq._objectives import Call, make_objective
from skseq._progress import make_bar

# Predicting always runs over batches of exactly this many rows, the last one filled up
# with zeros: matrix products of other sizes may differ in the last bit, and a row's
# prediction must not depend on the rows beside it.
_PREDICTION_ROWS = 64

# Families whose operations are few take more, up to so many rows and about so many
# multiplications: for many rows in half the time, and for a single one in one or two
# milliseconds more.
_MORE_PREDICTION_ROWS = {"dense": 1024, "convolutional": 256}
_MORE_PREDICTION_WORK = 2**27

# Idle programs kept; beyond that the least recently used one goes.
_MAX_PROGRAMS = 32

# Up to this width the fused kernel is as fast as XLA, and single operations are small.
_WIDE = 96

# Batch sizes for which a program keeps its traced training.
_MAX_BATCH_SIZES = 8

# Rows go to TensorFlow in chunks of about this size, so that X may be far larger than
# memory.
_CHUNK_BYTES = 2**23

# Steps of a chunk at most; XLA's chunks always have so many, filled up with zeros.
_CHUNK_STEPS = 64

# An X larger than this is shuffled by blocks of neighbouring rows: blocks change
# places, and rows within so many bytes of blocks. Reading stays near to sequential.
_SHUFFLED_BYTES = 2**28
_BLOCK_BYTES = 2**18


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

    # The key is worked out once, and is no part of a recipe's content.
    __slots__ = ("__dict__", "__weakref__", "_key")

    network: dict
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

    def network_key(self):
        """A hashable value, equal for recipes whose weights mean the same."""
        return fingerprint(self.network)

    def values(self, epoch=None):
        """What training takes as values, beside the learning rate: a dict of floats.

        Parameters
        ----------
        epoch : int or None
            Counted from 0, for values that rise over the first epochs; None: as they
            are in the end.
        """
        return {
            **option_values(self.optimizer, self.optimizer_params),
            **network_values(self.network, epoch),
        }

    def optimizer_key(self):
        """A hashable value, equal where optimizers' states mean the same."""
        rate = self.learning_rate
        return fingerprint(
            (
                without_values(self.optimizer, self.optimizer_params),
                "a value" if rate is None or is_rate_value(rate) else rate,
            )
        )

    def key(self):
        """A hashable value, equal for recipes of the same program."""
        if not hasattr(self, "_key"):
            network = without_network_values(self.network)
            rest = network, self.loss, self.loss_params, self.metrics
            key = self.optimizer_key(), fingerprint(rest)
            object.__setattr__(self, "_key", key)
        return self._key

    def __getstate__(self):
        # The key holds identities of objects, which another process has not.
        return dict(vars(self))


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


def _values(variables):
    # Copies: what numpy() gives may share memory with the variable.
    return [np.array(variable.numpy()) for variable in variables]


def _light(array):
    """The same values, without memory of their own where all are 0."""
    return array if array.any() else np.broadcast_to(array.dtype.type(0), array.shape)


def _assign(variables, values):
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


class Program:
    """A Keras model and its traced functions; used by one thread at a time.

    All trainable weights live in one flat vector where the optimizer treats each
    element by itself: an update is then a dozen operations and not a dozen for each
    weight. The traced model's own variables hold nothing; a callback sees another one.
    """

    def __init__(self, recipe):
        self.recipe = recipe
        self.model = model = build_graph_only(recipe.network, FAST_LAYERS)
        self.objective = make_objective(recipe, model)
        trainable = {id(variable) for variable in model.trainable_variables}
        self._is_trainable = [id(variable) in trainable for variable in model.weights]
        # Of the trainable weights, those that are another one transposed.
        self._tied = tied_kernels(recipe.network, model)
        own = self._untied(model)
        self._shapes = [tuple(variable.shape) for variable in own]
        self._sizes = [math.prod(shape) for shape in self._shapes]
        self._prediction_rows = _prediction_rows(recipe.network, model)
        self._is_flat = is_elementwise(recipe.optimizer, recipe.optimizer_params)
        if self._is_flat:
            shapes = {"flat": (sum(self._sizes),)}
        else:
            shapes = {v.path: v.shape for v in own}
        self.parameters = [
            keras.Variable(np.zeros(shape, np.float32), name=name.replace("/", "_"))
            for name, shape in shapes.items()
        ]
        # What else the model's variables are to hold, in its order.
        self._others = [
            tf.Variable(np.zeros(v.shape, v.dtype))
            for v in model.non_trainable_variables
        ]
        drawn_from = {id(variable) for variable in random_states(model)}
        pairs = list(zip(model.non_trainable_variables, self._others, strict=True))
        states = [ours for v, ours in pairs if id(v) in drawn_from]
        # Of the network's layers, and of what the objective draws by itself.
        self._draws = tf.Variable(np.zeros(2, np.int32))
        self.random_states = []
        if draws_in_training(recipe.network):
            self.random_states = [*states, self._draws]
        self._statistics = [ours for v, ours in pairs if id(v) not in drawn_from]
        self.optimizer = self._shown = self._shown_values = None
        self.holds = None  # the very list of weights that was put in last, untrained
        self._evaluate = None
        self._predict = {}  # name -> function
        self._train = OrderedDict()  # (batch size or None, by XLA or not) -> function

    # ---------------------------------------------------------------- what changes

    def _untied(self, model):
        """The trainable variables of a model of this network, but those tied."""
        variables = model.trainable_variables
        return [v for i, v in enumerate(variables) if i not in self._tied]

    def _own(self, values):
        """The weights that are not tied, out of the parameters' values.

        Parameters
        ----------
        values : list of ndarray or of tensor
        """
        if not self._is_flat:
            return values
        numpy = isinstance(values[0], np.ndarray)
        if numpy:
            parts = np.split(values[0], np.cumsum(self._sizes)[:-1])
        else:
            parts = tf.split(values[0], self._sizes)
        reshape = np.reshape if numpy else tf.reshape
        return [reshape(p, s) for p, s in zip(parts, self._shapes, strict=True)]

    def _trainable(self, values):
        """All trainable weights in the model's order, out of the parameters' values."""
        return self._with_tied(self._own(values))

    def _with_tied(self, own):
        if not self._tied:
            return own
        transpose = np.transpose if isinstance(own[0], np.ndarray) else tf.transpose
        own, weights = iter(own), []
        for i in range(len(self._shapes) + len(self._tied)):
            source = self._tied.get(i)
            # What is tied comes after its source.
            weights.append(next(own) if source is None else transpose(weights[source]))
        return weights

    def _join(self, weights):
        """The parameters' values out of all trainable weights."""
        own = [w for i, w in enumerate(weights) if i not in self._tied]
        return [np.concatenate([np.ravel(w) for w in own])] if self._is_flat else own

    def put_weights(self, weights):
        """Set the weights, in the order of the model's ``weights``."""
        trainable = [
            w for w, yes in zip(weights, self._is_trainable, strict=True) if yes
        ]
        _assign(self.parameters, self._join(trainable))
        rest = [
            w for w, yes in zip(weights, self._is_trainable, strict=True) if not yes
        ]
        _assign(self._statistics, rest)
        self.holds = None

    def take_weights(self):
        """Copies of the weights, in the order of the model's ``weights``."""
        trainable = iter(self._trainable(_values(self.parameters)))
        rest = iter(_values(self._statistics))
        return [next(trainable if yes else rest) for yes in self._is_trainable]

    def put(self, state):
        """Set everything that training changes.

        Parameters
        ----------
        state : State
            An empty ``optimizer`` means a new one.
        """
        self.put_weights(state.weights)
        _assign(self.optimizer.variables, state.optimizer or self._new_optimizer)

    def take(self):
        """Copies of everything that training changes, as a `State`."""
        return State(self.take_weights(), _values(self.optimizer.variables))

    # ------------------------------------------------------------ for Keras' eyes

    def _slots(self, optimizer):
        """Pairs of a variable of our optimizer and those of one for each weight."""
        n_all = (sum(self._sizes),)
        ours = [v for v in self.optimizer.variables if tuple(v.shape) == n_all]
        for slot in ours:
            ending = slot.name.removeprefix(self.parameters[0].name)
            theirs = [v for v in optimizer.variables if v.name.endswith(ending)]
            yield slot, theirs

    def show(self, recipe):
        """A compiled model of Keras' own layers in this program's state.

        Parameters
        ----------
        recipe : Recipe
            Of this program, with the values that the model is to have.

        Returns
        -------
        model : keras.Model
            The same at every call with the same values.
        """
        if self._shown is None or self._shown_values != recipe.values():
            with _TRACING:
                model = self._compiled(build_network(recipe.network), recipe)
                model.optimizer.build(self._untied(model))
                self._shown, self._shown_values = model, recipe.values()
        model, optimizer = self._shown, self._shown.optimizer
        model.set_weights(self.take_weights())
        if self._is_flat:
            for slot, theirs in self._slots(optimizer):
                _assign(theirs, self._own(_values([slot])))
            optimizer.iterations.assign(self.optimizer.iterations)
            if self._has_rate:
                optimizer.learning_rate = float(self.optimizer.learning_rate.numpy())
        else:
            _assign(optimizer.variables, _values(self.optimizer.variables))
        return model

    def heed(self):
        """Take over what was done to the model that `show` gave."""
        model, optimizer = self._shown, self._shown.optimizer
        self.put_weights(model.get_weights())
        if self._is_flat:
            for slot, theirs in self._slots(optimizer):
                slot.assign(np.concatenate([np.ravel(v) for v in _values(theirs)]))
            self.optimizer.iterations.assign(optimizer.iterations)
            if self._has_rate:
                self.optimizer.learning_rate = float(optimizer.learning_rate.numpy())
        else:
            _assign(self.optimizer.variables, _values(optimizer.variables))

    def _compiled(self, model, recipe):
        model.compile(
            optimizer=make_optimizer(
                recipe.optimizer, recipe.learning_rate, recipe.optimizer_params
            ),
            loss=make_loss(recipe.loss, recipe.loss_params),
            metrics=make_metrics(recipe.metrics),
            jit_compile=False,
        )
        return model

    # -------------------------------------------------------------------- training

    def prepare_training(self, rows):
        """Make what only training needs, unless that is done."""
        if self.optimizer is not None:
            return
        recipe = self.recipe
        with _TRACING:
            optimizer = make_optimizer(
                recipe.optimizer, recipe.learning_rate, recipe.optimizer_params
            )
            optimizer.build(self.parameters)
            self._new_optimizer = [_light(v) for v in _values(optimizer.variables)]
            self._value_names = sorted(recipe.values())
            self._has_rate = isinstance(optimizer.learning_rate, keras.Variable)
            # Metrics count rows that are, a number that varies and XLA can't have.
            self.takes_xla = self.objective.may_fill and not recipe.metrics
            if recipe.metrics:
                # Keras resolves them, and makes their variables at their first use,
                # which must not be inside a loop of the graph.
                self._compiled(self.model, recipe)
                outputs = np.zeros((1, recipe.network["n_outputs"]), np.float32)
                self.model.compute_metrics(
                    None, rows.target[:1], outputs, sample_weight=None
                )
            if self._is_flat and self.takes_xla:
                self._gradient = tf.Variable(np.zeros(sum(self._sizes), np.float32))
            self.optimizer = optimizer

    def _step(self, X, target, weights, n_rows, options, xla):
        """Train on a batch; the sum of its rows' losses. Called while tracing.

        Rows beyond the first ``n_rows`` have weight zero and don't count.
        """
        by_weight = xla and self._is_flat
        count = tf.cast(n_rows, tf.float32)
        values = [tf.identity(v.value) for v in self.parameters]
        others = [tf.identity(v) for v in self._others]
        rowwise = self.objective.is_rowwise
        if by_weight:
            values = self._own(values)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(values)
            own = values if by_weight else self._own(values)
            call = Call(self.model, self._with_tied(own), others)
            loss, outputs = self.objective.train(
                call, X, target, weights, options, self._draws
            )
        # The gradient of a mean takes dozens of operations; its value is known.
        seed = weights / count if rowwise else tf.ones_like(loss)
        penalties = call.penalties
        gradients = tape.gradient(
            [loss, *penalties], values, [seed, *map(tf.ones_like, penalties)],
            unconnected_gradients=tf.UnconnectedGradients.ZERO,
        )  # fmt: skip
        if by_weight:
            gradients = [self._joined(gradients, xla)]
        for variable, old, new in zip(self._others, others, call.others, strict=True):
            if new is not old:
                variable.assign(new)
        if self._is_flat:
            self._update(gradients[0], options, xla)
        else:
            self.optimizer.apply(gradients, self.parameters)
        if self.recipe.metrics:
            self.model.compute_metrics(
                *(array[:n_rows] for array in (X, target, outputs)),
                sample_weight=weights[:n_rows],
            )
        total = tf.reduce_sum(loss * weights) if rowwise else loss * count
        return tf.add_n([total, *[penalty * count for penalty in penalties]])

    def _joined(self, gradients, xla):
        """The gradients of each weight as one vector.

        On the CPU, XLA makes of a concatenation a loop as long as the largest part, in
        which it reads the others under a mask. Where such reads reach beyond the
        process' memory, by chance of how buffers lie, a step takes a hundred times as
        long. So it gets them by way of a variable, each put into its place.
        """
        parts = [tf.reshape(gradient, [-1]) for gradient in gradients]
        if not xla:
            return tf.concat(parts, 0)
        joined, start = tf.identity(self._gradient), 0
        for part, size in zip(parts, self._sizes, strict=True):
            joined = tf.raw_ops.TensorStridedSliceUpdate(
                input=joined, begin=[start], end=[start + size], strides=[1], value=part
            )
            start += size
        self._gradient.assign(joined)
        return joined

    def _update(self, gradient, options, xla):
        """What ``optimizer.apply`` does, on the flat vector, with options as values.

        Keras' ``apply`` would clip the norm of the whole vector, and it leaves a graph
        behind for each trace.
        """
        optimizer, flat = self.optimizer, self.parameters[0]
        if "clipnorm" in options:
            parts = tf.split(gradient, self._sizes)
            limit = options["clipnorm"]
            gradient = self._joined([_clip(part, limit) for part in parts], xla)
        elif "global_clipnorm" in options:
            gradient = _clip(gradient, options["global_clipnorm"])
        elif "clipvalue" in options:
            limit = options["clipvalue"]
            gradient = tf.clip_by_value(gradient, -limit, limit)
        rate = tf.convert_to_tensor(optimizer.learning_rate)
        if "weight_decay" in options:
            flat.assign_sub(flat.value * options["weight_decay"] * rate)
        optimizer.update_step(gradient, flat, rate)
        optimizer.iterations.assign_add(1)

    def _trace_training(self, chunk, batch_size, xla):
        """Trace training on chunks like this one.

        Parameters
        ----------
        chunk : tuple of ndarray
            As `Rows.take` gives it.
        batch_size : int or None
            Of all batches; the chunk is filled up to a multiple of it. None: a value,
            and a chunk's last batch is smaller.
        xla : bool
            Then a chunk always has ``chunk_steps`` batches.
        """
        shapes = [array.shape[1:] for array in chunk]
        n_chunk = chunk_steps(batch_size, shapes[0]) * batch_size if xla else None

        def train(*inputs):
            *arrays, n_rows, size, values = inputs
            values = dict(zip(self._value_names, tf.unstack(values), strict=True))

            def body(start, total):
                n_left = tf.minimum(size, n_rows - start)
                n_batch = n_left if batch_size is None else batch_size
                parts = [
                    tf.slice(array, [start, *[0] * len(shape)], [n_batch, *shape])
                    for array, shape in zip(arrays, shapes, strict=True)
                ]
                X, *target, weights = parts
                target = target[0] if target else None
                with traced(xla, values):
                    loss = self._step(X, target, weights, n_left, values, xla)
                return start + size, total + loss

            _, total = tf.while_loop(
                lambda start, total: start < n_rows, body, (0, tf.constant(0.0))
            )
            return total

        return tf.function(
            train,
            input_signature=[
                *(
                    tf.TensorSpec([n_chunk, *shape], array.dtype)
                    for array, shape in zip(chunk, shapes, strict=True)
                ),
                tf.TensorSpec([], tf.int32),
                tf.TensorSpec([], tf.int32),
                tf.TensorSpec([len(self._value_names)], tf.float32),
            ],
            autograph=False,  # it warns under Python 3.13, and is not needed
            jit_compile=xla or None,
        ).get_concrete_function()

    def train_chunk(self, chunk, batch_size, values, xla):
        """Run over a chunk of rows, all but an epoch's last of whole batches.

        Parameters
        ----------
        chunk : tuple of ndarray
            As `Rows.take` gives it, of at most ``chunk_steps`` batches.
        batch_size : int
        values : dict of str to float
            See `Recipe.values`.
        xla : bool
            Whether to go through what XLA compiled; only if ``takes_xla``.

        Returns
        -------
        loss : float
            The sum over the rows.
        """
        values = np.array([values[name] for name in self._value_names], np.float32)
        fills = self.objective.may_fill
        key = (batch_size if fills else None), xla
        n_rows = len(chunk[0])
        if key not in self._train:
            if len(self._train) == _MAX_BATCH_SIZES:
                self._train.popitem(last=False)
            with _TRACING, _executor(self.recipe.network, xla):
                self._train[key] = self._trace_training(chunk, *key)
        if xla:
            n_steps = chunk_steps(batch_size, chunk[0].shape[1:])
            chunk = _filled(chunk, n_steps * batch_size)
        elif fills:
            chunk = _filled(chunk, n_rows + -n_rows % batch_size)
        sizes = np.int32(n_rows), np.int32(batch_size)
        with _executor(self.recipe.network, xla):
            return float(self._train[key](*chunk, *sizes, values))

    # ------------------------------------------------------------------- validation

    def metric_values(self):
        """The metrics' values since the last reset, by name."""
        if not self.recipe.metrics:
            return {}
        values = self.model.get_metrics_result()
        return {name: float(value) for name, value in values.items() if name != "loss"}

    def reset_metrics(self):
        """Forget what the metrics have counted."""
        if self.recipe.metrics:
            self.model.reset_metrics()

    def evaluate(self, rows, outputs, values):
        """Loss and metrics of rows, as on a batch of all of them.

        Parameters
        ----------
        rows : Rows
        outputs : ndarray of shape (n_rows, n_outputs)
            What `predict` gives for them, asked for the objective's ``watched``.
        values : dict of str to float
            See `Recipe.values`; not this program's own recipe's, for others share it.

        Returns
        -------
        values : dict of str to float
        """
        if rows.target is None:
            losses = self.objective.total(outputs, values)
            return {"loss": float(np.average(losses, weights=rows.weights))}
        if self._evaluate is None:

            def evaluate(target, outputs, weights):
                if self.recipe.metrics:
                    self.model.compute_metrics(
                        None, target, outputs, sample_weight=weights
                    )
                return self.objective.loss(target, outputs, sample_weight=weights)

            with _TRACING:
                self._evaluate = tf.function(
                    evaluate,
                    input_signature=[
                        tf.TensorSpec([None, *array.shape[1:]], array.dtype)
                        for array in (rows.target, outputs, rows.weights)
                    ],
                    autograph=False,
                ).get_concrete_function()
        self.reset_metrics()
        loss = self._evaluate(rows.target, outputs, rows.weights)
        return {"loss": float(loss), **self.metric_values()}

    # ------------------------------------------------------------------- prediction

    def _trace_prediction(self, name, shape):
        n_rows = self._prediction_rows
        function = self.objective.functions[name]

        def predict(X):
            trainable = self._trainable([v.value for v in self.parameters])
            others = [tf.identity(v) for v in self._others]
            n_batches = tf.shape(X)[0] // n_rows

            def body(i, record):
                batch = X[i * n_rows : (i + 1) * n_rows]
                batch.set_shape([n_rows, *shape])
                outputs = function(Call(self.model, trainable, others), batch)
                return i + 1, record.write(i, outputs)

            record = tf.TensorArray(
                tf.float32,
                size=n_batches,
                element_shape=[n_rows, *self.objective.shapes[name]],
            )
            _, record = tf.while_loop(lambda i, _: i < n_batches, body, (0, record))
            return record.concat()

        return tf.function(
            predict,
            input_signature=[tf.TensorSpec([None, *shape], tf.float32)],
            autograph=False,
        ).get_concrete_function()

    def predict(self, X, index=None, *, name="outputs", prepare=None):
        """What the network gives with the weights that it has.

        Parameters
        ----------
        X : ndarray of shape (n_samples, ...)
        index : ndarray of int or None
            The rows of X that are asked for; None: all.
        name : str
            Which of the objective's ``functions``.
        prepare : callable or None
            See `Rows`.

        Returns
        -------
        outputs : ndarray of shape (n_rows, ...), float32
        """
        network, shape, size = self.recipe.network, X.shape[1:], self._prediction_rows
        if name not in self._predict:
            with _TRACING, _executor(network):
                self._predict[name] = self._trace_prediction(name, shape)
        n_rows = len(X) if index is None else len(index)
        outputs = np.empty((n_rows, *self.objective.shapes[name]), np.float32)

        def run(start):
            rows = slice(start, start + n_chunk)
            chunk = X[rows] if index is None else X[index[rows]]
            n_asked = len(chunk)
            if prepare is not None:
                chunk = prepare(chunk)
            n_missing = -n_asked % size
            if n_missing:
                filling = np.zeros((n_missing, *shape), np.float32)
                chunk = np.concatenate([chunk, filling])
            with _executor(network):
                result = self._predict[name](tf.constant(chunk)).numpy()
            outputs[rows] = result[:n_asked]

        n_batches, n_threads = -(-n_rows // size), 1
        if n_batches >= 8 and _is_slim(network):
            n_threads = tf.config.threading.get_inter_op_parallelism_threads()
            n_threads = min(n_threads or joblib.cpu_count(), n_batches // 4)
        # No more than a chunk at once, and a share of the work for each thread.
        n_chunk = max(_CHUNK_BYTES // (4 * size * math.prod(shape)), 1)
        n_chunk = size * max(min(n_chunk, -(-n_batches // n_threads)), 1)
        starts = range(0, n_rows, n_chunk)
        if n_threads == 1:
            for start in starts:
                run(start)
        else:
            with ThreadPoolExecutor(n_threads) as pool:
                list(pool.map(run, starts))
        return outputs


def random_states(model):
    """The variables that a model's layers draw from."""
    known = {id(variable) for variable in model.weights}
    return [variable for variable in model.variables if id(variable) not in known]


def chunk_steps(batch_size, shape):
    """How many batches of rows of a shape go to TensorFlow at once."""
    batch_bytes = 4 * batch_size * math.prod(shape)
    return min(max(_CHUNK_BYTES // batch_bytes, 1), _CHUNK_STEPS)


def _prediction_rows(network, model):
    """How many rows predictions of a network always run over at once."""
    family = network.get("encoder", network)["family"]
    if family not in _MORE_PREDICTION_ROWS:
        return _PREDICTION_ROWS
    fitting = max(_MORE_PREDICTION_WORK // _multiplications(model), _PREDICTION_ROWS)
    return min(1 << (fitting.bit_length() - 1), _MORE_PREDICTION_ROWS[family])


def _multiplications(model):
    """About how many a row takes: each weight one at each timestep of the output."""
    return sum(
        _multiplications(layer)
        if hasattr(layer, "layers")
        else math.prod(layer.output.shape[1:-1])
        * sum(math.prod(weight.shape) for weight in layer.weights)
        for layer in model.layers
    )


def _is_slim(network):
    """Whether operations come one after another, and none is worth two threads."""
    widths = recurrent_widths(network)
    return bool(widths) and max(widths) <= _WIDE and not has_gpu()


def _executor(network, xla=False):
    """The context for tracing and calling a function of a network.

    Handing each operation of a slim network to another thread takes more time than it
    saves.
    """
    if xla or not _is_slim(network):
        return nullcontext()
    return tf.experimental.function_executor_type("SINGLE_THREADED_EXECUTOR")


def _filled(chunk, n_rows):
    """A chunk with copies of the first row that have weight zero."""
    n_missing = n_rows - len(chunk[0])
    if not n_missing:
        return chunk
    chunk = [
        np.concatenate([array, np.repeat(array[:1], n_missing, axis=0)])
        for array in chunk
    ]
    chunk[-1][-n_missing:] = 0
    return chunk


def _clip(gradient, limit):
    """Scale a gradient so that its norm is at most the limit."""
    norm = tf.norm(gradient)
    return gradient * (limit / tf.maximum(norm, limit))


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

    def update(self, epoch, score, take):
        """Take note of an epoch, and by ``take()`` of its state; True to stop."""
        signed = self._sign * score
        if self.epoch is None or signed > self._sign * self.score:
            self.epoch, self.score = epoch, score
            if self._watch.patience is not None:
                self.state = take()
        # The best weights are the best ones, however small the gain; only the patience
        # asks for a gain of min_delta.
        if signed > self._reference + self._watch.min_delta:
            self._reference = signed
            self._waited = 0
        else:
            self._waited += 1
        return self._watch.patience is not None and self._waited >= self._watch.patience


def _shuffled(n_rows, row_bytes, rng):
    """An order of rows; of many bytes' rows such that reading is near to sequential."""
    if n_rows * row_bytes <= _SHUFFLED_BYTES:
        return rng.permutation(n_rows)
    block = max(_BLOCK_BYTES // row_bytes, 1)
    starts = rng.permutation(np.arange(0, n_rows, block))
    together = max(_SHUFFLED_BYTES // (block * row_bytes), 1)
    order = []
    for first in range(0, len(starts), together):
        rows = starts[first : first + together, None] + np.arange(block)
        order.append(rng.permutation(rows[rows < n_rows]))
    return np.concatenate(order)


def _balanced(classes, shares, epoch, arrange):
    """An order of as many rows as there are, with the classes evenly in their shares.

    From epoch to epoch each class goes on through its rows, all of them before any
    comes again.

    Parameters
    ----------
    classes : ndarray of int of shape (n_rows,)
    shares : ndarray of shape (n_classes,)
        They sum to 1; 0 where there is no row.
    epoch : int
        Counted from 0.
    arrange : callable
        From a class' rows, the class and how often it has gone through them, to an
        order of them.
    """
    # Each class by itself stands at even distances; together they take turns.
    n_drawn = np.ceil(len(classes) * shares).astype(int)
    present = np.flatnonzero(n_drawn)
    places = [(np.arange(n_drawn[label]) + 0.5) / shares[label] for label in present]
    turns = np.repeat(present, n_drawn[present])
    turns = turns[np.argsort(np.concatenate(places), kind="stable")[: len(classes)]]
    order = np.empty(len(classes), int)
    for label in present:
        turn, rows = np.flatnonzero(turns == label), np.flatnonzero(classes == label)
        n_rounds, first = divmod(epoch * len(turn), len(rows))
        drawn = [
            arrange(rows, label, n_rounds + i)
            for i in range(-(-(first + len(turn)) // len(rows)))
        ]
        order[turn] = np.concatenate(drawn)[first : first + len(turn)]
    return order


# Keras' callbacks that have batch hooks and, as they are set, do nothing in them.
_QUIET = {
    keras.callbacks.TerminateOnNaN: lambda callback: True,
    keras.callbacks.ModelCheckpoint: lambda callback: callback.save_freq == "epoch",
}

_BATCH_HOOKS = (
    "on_batch_begin",
    "on_batch_end",
    "on_train_batch_begin",
    "on_train_batch_end",
)


def needs_batches(callback):
    """Whether a callback has to be called for each batch."""
    quiet = _QUIET.get(type(callback))
    if quiet is not None and quiet(callback):
        return False
    plain = keras.callbacks.Callback
    return any(
        getattr(getattr(callback, hook), "__func__", None) is not getattr(plain, hook)
        for hook in _BATCH_HOOKS
    )


# ---------------------------------------------------------------------- which path

_jit_compile = "auto"


def set_jit_compile(value):
    """Choose whether training goes through XLA, for the whole process.

    Parameters
    ----------
    value : {"auto", True, False}
        ``"auto"``, the default at import: by architecture and amount of work, see the
        user guide's page on speed. True: wherever it can be, which is not with
        ``metrics`` and not with a loss of one's own.

    Raises
    ------
    ValueError
        If ``value`` is another.

    Examples
    --------
    >>> import skseq
    >>> skseq.set_jit_compile(False)
    >>> skseq.set_jit_compile("auto")
    """
    global _jit_compile
    if not (value == "auto" or isinstance(value, bool)):
        raise ValueError(f"value must be 'auto', True or False, got {value!r}.")
    _jit_compile = value


# What XLA saves, in ms for a step of training, measured on two cores with batches of
# 32; and what it has to save before its compilation (0.5 to 1.5 s) pays.
_SAVED_PER_TIMESTEP = {"gru": 0.07, "simple_rnn": 0.018}
_SAVED_PER_STEP = {"convolutional": 0.1, "dense": 0.15}
_HAS_TO_SAVE = 1000


def _saved_by_xla(network, batch_size):
    if network["family"] == "autoencoder":
        inner = {**network["encoder"], "n_timesteps": network["n_timesteps"]}
        return 2 * _saved_by_xla(inner, batch_size)  # of the decoder as much
    if network["family"] != "recurrent":
        return _SAVED_PER_STEP[network["family"]]
    if network["cell"] == "lstm":
        per_timestep = sum(
            2.7e-9 * batch_size * units**3
            for units in network["units"]
            if units > _WIDE
        )
    else:
        per_timestep = _SAVED_PER_TIMESTEP[network["cell"]] * len(network["units"])
    directions = 2 if network["bidirectional"] else 1
    return per_timestep * directions * network["n_timesteps"]


def earns_xla(recipe, batch_size, n_steps):
    """Whether XLA's compilation pays for training of so many steps.

    Decided by architecture and amount of work alone, and not by what is compiled
    already, so that a seed gives the same weights whatever was fitted before.
    """
    if _jit_compile != "auto":
        return _jit_compile
    # Functions and objects of the user's may do what XLA can't.
    theirs = any(
        (callable(one) or hasattr(one, "get_config")) and not is_keras(one)
        for one in _leaves(vars(recipe))
    )
    if theirs or has_gpu():
        return False
    return n_steps * _saved_by_xla(recipe.network, batch_size) >= _HAS_TO_SAVE


def _leaves(value):
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        return [leaf for item in value for leaf in _leaves(item)]
    return [value]


class _Epochs:
    """What happens around each epoch, whoever trains in between."""

    def __init__(self, program, recipe, rows, schedule, watch):
        self._program = program
        self._recipe = recipe
        self._rows = rows
        self._schedule = schedule
        self._watch = watch
        self.best = None if watch is None else _BestEpoch(watch)
        self.history = {}
        self.last = schedule.first_epoch + schedule.epochs
        self._bar = make_bar(schedule.verbose, schedule.epochs)

    def order(self, epoch, random_states):
        """The epoch's order of rows; what is drawn in training starts anew."""
        rng = np.random.default_rng([self._schedule.seed, epoch])
        schedule, order = self._schedule, np.arange(len(self._rows))
        row_bytes = 4 * math.prod(self._rows.X.shape[1:])
        if schedule.strata is not None:

            def arrange(rows, *of):
                if not schedule.shuffle:
                    return rows
                rng = np.random.default_rng([schedule.seed, 2, *of])
                return rows[_shuffled(len(rows), row_bytes, rng)]

            order = _balanced(*schedule.strata, epoch, arrange)
        elif schedule.shuffle:
            order = _shuffled(len(order), row_bytes, rng)
        # After the order, which must not depend on how many draw.
        for variable in random_states:
            variable.assign([rng.integers(2**31), 0])
        return order

    def watched(self, epoch, logs, take):
        """Complete an epoch's record in place; True if training is to stop."""
        if not np.isfinite(logs["loss"]):
            raise ValueError(
                f"The loss must stay finite, got {logs['loss']} in epoch {epoch + 1}. "
                f"Standardise X (StandardScaler), lower learning_rate, or clip "
                f"gradients with optimizer_params={{'clipnorm': 1.0}}."
            )
        if self._watch is None:
            return False
        rows = self._watch.rows
        outputs = self._program.predict(
            rows.X, rows.index, name=self._program.objective.watched,
            prepare=rows.prepare,
        )  # fmt: skip
        values = self._program.evaluate(rows, outputs, self._recipe.values())
        logs |= {f"val_{name}": value for name, value in values.items()}
        if self._watch.score is not None:
            logs[self._watch.monitor] = float(self._watch.score(outputs))
        return self.best.update(
            epoch - self._schedule.first_epoch, logs[self._watch.monitor], take
        )

    def record(self, epoch, logs):
        """Add an epoch's record, with what callbacks put into it, to the history."""
        for name, value in {"loss": logs["loss"], **logs}.items():
            self.history.setdefault(name, []).append(float(value))
        self._bar.update(epoch + 1, self.last, logs)

    def close(self):
        self._bar.close()


def initial_state(recipe, seed):
    """Weights before the first epoch, as a `State` with a new optimizer."""
    with _borrowed(recipe) as program:
        # In and out again, for weights that are tied to others.
        program.put_weights(draw_weights(program.model, seed))
        return State(program.take_weights(), [])


def named_weights(recipe, weights, part=None):
    """Weights by the paths of their variables.

    Parameters
    ----------
    recipe : Recipe
    weights : list of ndarray
    part : str or None
        A model within the network, whose weights alone are asked for.

    Returns
    -------
    named : dict of str to ndarray
        In the order of ``weights``.
    """
    with _borrowed(recipe) as program:
        model = program.model
        asked = model if part is None else model.get_layer(part)
        asked = {id(variable) for variable in asked.weights}
        return {
            variable.path: weight
            for variable, weight in zip(model.weights, weights, strict=True)
            if id(variable) in asked
        }


def with_output_bias(recipe, state, bias):
    """A state in which the output layer's bias is another."""
    named = named_weights(recipe, state.weights)
    named["outputs/bias"] = np.asarray(bias, np.float32)
    return State(list(named.values()), state.optimizer)


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
            program.optimizer.learning_rate = schedule.learning_rate
        epochs = _Epochs(program, recipe, rows, schedule, watch)
        try:
            _run(program, recipe, rows, schedule, epochs)
        finally:
            epochs.close()
            for callback in schedule.callbacks:
                _let_go(callback)
        best = epochs.best
        if best is not None and best.state is not None:
            state = best.state
        else:
            state = program.take()
    return state, epochs.history, None if best is None else (best.epoch, best.score)


def _let_go(callback):
    """Part a callback from the model, for the program goes on to other fits."""
    # Not by the callback's own method, which may expect a model.
    keras.callbacks.Callback.set_model(callback, None)
    # CSVLogger keeps its file, closed, which no pickle takes.
    for name, value in vars(callback).items():
        if isinstance(value, io.IOBase) and value.closed:
            setattr(callback, name, None)


class _Callbacks:
    """Calls the user's epoch-level callbacks, which see a model of Keras' own."""

    def __init__(self, program, recipe, schedule, epochs, n_steps):
        self._program = program
        self._recipe = recipe
        self._list = self.model = None
        self.by_batch = any(map(needs_batches, schedule.callbacks))
        if schedule.callbacks:
            self.model = program.show(recipe)
            self.model.stop_training = False
            self._list = keras.callbacks.CallbackList(
                schedule.callbacks, model=self.model, epochs=epochs.last, verbose=0,
                steps=n_steps,
            )  # fmt: skip

    def __call__(self, hook, *args):
        """Call a hook; True if training is to stop."""
        if self._list is None:
            return False
        self._program.show(self._recipe)
        getattr(self._list, hook)(*args)
        self._program.heed()
        return self.model.stop_training


def _run(program, recipe, rows, schedule, epochs):
    """Train epoch by epoch."""
    # With fewer rows than that, not each number of rows is to have a trace of its own.
    batch_size = min(schedule.batch_size, 1 << (len(rows) - 1).bit_length())
    n_steps = -(-len(rows) // batch_size)
    if program.objective.shares_out:
        batch_size = -(-len(rows) // n_steps)
    xla = program.takes_xla and earns_xla(recipe, batch_size, n_steps * schedule.epochs)
    size = batch_size * chunk_steps(batch_size, rows.X.shape[1:])
    call, logs = _Callbacks(program, recipe, schedule, epochs, n_steps), {}
    if call.by_batch:
        size = batch_size
    call("on_train_begin")
    for epoch in range(schedule.first_epoch, epochs.last):
        order = epochs.order(epoch, program.random_states)
        values = recipe.values(epoch)
        noise = np.random.default_rng([schedule.seed, epoch, 1])
        stop = call("on_epoch_begin", epoch)
        program.reset_metrics()
        total, n_rows = 0.0, 0
        for start in range(0, len(rows), size):
            chunk = rows.take(order[start : start + size])
            chunk = program.objective.corrupt(chunk, values, noise)
            if call.by_batch:
                call("on_train_batch_begin", start // size)
            total += program.train_chunk(chunk, batch_size, values, xla)
            n_rows += len(chunk[0])
            logs = {"loss": total / n_rows}
            if call.by_batch:
                logs |= program.metric_values()
                stop = call("on_train_batch_end", start // size, logs)
                if stop:
                    break
        logs |= program.metric_values()
        stop |= epochs.watched(epoch, logs, program.take)
        stop |= call("on_epoch_end", epoch, logs)
        epochs.record(epoch, logs)
        if stop:
            break
    if schedule.epochs:
        # For an optimizer that averages weights and hands them over at the end.
        program.optimizer.finalize_variable_values(program.parameters)
    call("on_train_end", logs)


def predict(recipe, weights, X, *, name="outputs", prepare=None):
    """What a network gives for rows.

    Parameters
    ----------
    recipe : Recipe
    weights : list of ndarray
    X : ndarray of shape (n_samples, ...)
    name : str
        Which of the objective's ``functions``.
    prepare : callable or None
        See `Rows`.

    Returns
    -------
    outputs : ndarray of shape (n_samples, ...), float32
    """
    with _borrowed(recipe) as program:
        if program.holds is not weights:
            program.put_weights(weights)
            program.holds = weights
        return program.predict(X, name=name, prepare=prepare)


def standalone_model(recipe, weights):
    """A Keras model of its own with copies of the weights."""
    with _TRACING, float32_globally():
        model = build_network(recipe.network)
    model.set_weights(weights)
    return model
