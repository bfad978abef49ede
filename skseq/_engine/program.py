"""Training programs: a network is traced once, and used by every fit with equal graph.

A `Program` holds a Keras model with its optimizer, and the traced functions that train
it on a chunk of rows and predict with it. Everything that training changes in it is set
before each use and copied out after it, so that no fit affects a later one. Learning
rate, weights and number of rows are values, and need no new trace.
"""

import math
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from skseq._engine import facts, path
from skseq._engine.keras import building, tf
from skseq._engine.layers import faster, traced
from skseq._engine.objectives import Call, make_objective
from skseq._engine.optimizers import is_elementwise
from skseq._engine.reading import in_batches
from skseq._engine.recipe import State
from skseq._engine.skeletons import without_values
from skseq._engine.standalone import compiled, new_optimizer_of
from skseq._engine.update import Update
from skseq._engine.weights import Layout, assign, light, values_of
from skseq._padded import stored_rows

# The number of batch sizes for which a program keeps its traced training.
_MAX_BATCH_SIZES = 8

# The size in bytes of the chunks in which rows go to TensorFlow, so that X may be far
# larger than memory.
_CHUNK_BYTES = 2**23

# The largest number of steps in a chunk. Chunks for XLA are always filled up to it.
_CHUNK_STEPS = 64


def chunk_steps(batch_size, shape):
    """Choose the number of batches in a chunk, for rows of a shape."""
    batch_bytes = 4 * batch_size * math.prod(shape)
    return min(max(_CHUNK_BYTES // batch_bytes, 1), _CHUNK_STEPS)


class Program:
    """A Keras model and its traced functions, for one thread at a time.

    The variables of the traced model itself have no values.

    Parameters
    ----------
    recipe : skseq._engine.recipe.Recipe

    Attributes
    ----------
    model : keras.Model
        The traced model, which can only be called by ``stateless_call``.
    layout : skseq._engine.weights.Layout
        The layout of its weights in ``parameters``.
    parameters : list of keras.Variable
        The variables that the optimizer trains.
    shown : object or None
        The model for callbacks, see `skseq._engine.callbacks`.
    facts : skseq._engine.facts.Facts
    objective : skseq._engine.objectives.Objective
    optimizer : keras.optimizers.Optimizer or None
        None before `prepare_training`.
    takes_xla : bool
        Whether training may go through XLA; set by `prepare_training`.
    holds : list or None
        The list of weights of the last prediction, if they have not changed since.
    """

    def __init__(self, recipe):
        self.recipe = recipe

        def build():
            plain = recipe.network.build()
            model, parts = faster(plain, recipe.network.right_padded)
            facts.name_rates(model, facts.rates(plain))
            return model, facts.read(plain, parts)

        model, self.facts = without_values(build)
        self.model = model
        self.objective = make_objective(recipe, model, self.facts)
        self._n_networks = recipe.n_networks
        self._slim = path.is_slim(self.facts) and self._n_networks == 1
        self._prediction_rows = path.prediction_rows(self.facts)
        self.layout = Layout(
            model,
            recipe.network.tied(model),
            is_elementwise(recipe.optimizer, recipe.optimizer_params),
            self._n_networks,
        )
        self.parameters = self.layout.make_parameters()
        trainable = {id(variable) for variable in model.trainable_variables}
        self._is_trainable = [id(variable) in trainable for variable in model.weights]
        # The values of the model's non-trainable variables, in its order.
        self._others = [
            tf.Variable(np.zeros((*self.layout.several, *v.shape), v.dtype))
            for v in model.non_trainable_variables
        ]
        weights = {id(variable) for variable in model.weights}
        pairs = list(zip(model.non_trainable_variables, self._others, strict=True))
        self._statistics = [ours for v, ours in pairs if id(v) in weights]
        # The state of random numbers that the objective draws, beside those of layers.
        self._draws = tf.Variable(np.zeros(2, np.int32))
        states = [ours for v, ours in pairs if id(v) not in weights]
        self._random_states = [*states, self._draws]
        # Those that training changes. For layers of Keras' own it is known after the
        # first trace.
        self._drawn = {id(self._draws)} if self.objective.draws else set()
        if not self.facts.are_known:
            self._drawn |= set(map(id, states))
        self.optimizer = self.shown = self.holds = None
        self._evaluate = self._penalties = None
        # Traced functions, each with whether it runs in the single-threaded executor.
        # The keys are the name, and the pair of batch size (or None) and XLA.
        self._predict = {}
        self._train = OrderedDict()

    # ---------------------------------------------------------------- what changes

    @property
    def variables(self):
        """list of variable: everything that a step of training changes."""
        return [*self.parameters, *self.optimizer.variables, *self._others]

    def put_weights(self, weights):
        """Set the weights, in the order of the model's ``weights``.

        Those of several networks have these along the first axis.
        """
        self.holds = None
        of_kind = {True: [], False: []}
        for weight, is_trainable in zip(weights, self._is_trainable, strict=True):
            of_kind[is_trainable].append(weight)
        assign(self.parameters, self.layout.join(of_kind[True]))
        assign(self._statistics, of_kind[False])

    def take_weights(self):
        """Copy the weights, in the order of the model's ``weights``."""
        trainable = iter(self.layout.extract(values_of(self.parameters)))
        rest = iter(values_of(self._statistics))
        return [next(trainable if yes else rest) for yes in self._is_trainable]

    def put(self, state):
        """Set everything that training changes, from a `State`."""
        self.put_weights(state.weights)
        assign(self.optimizer.variables, state.optimizer or self._new_optimizer)

    def take(self):
        """Copy everything that training changes, as a `State`.

        The weights are those that training would end with: the average, with an
        optimizer that averages weights.
        """
        optimizer = values_of(self.optimizer.variables)
        with self.averaged():
            return State(self.take_weights(), optimizer)

    def put_target_scale(self, recipe):
        """Set the scale of the target, for losses and metrics in its own units."""
        if recipe.target_scale is not None:
            self.objective.scale.assign(recipe.target_scale)

    def seed(self, rng):
        """Seed the random states, from a `numpy.random.Generator`."""
        for variable in self._random_states:
            seed = rng.integers(2**31)
            # Most layers have a state that they don't use, and this takes 0.1 ms.
            if id(variable) in self._drawn or not self._train:
                seeds = [seed, 0]
                if variable.shape.rank > 1:
                    more = rng.integers(2**31, size=variable.shape[0] - 1)
                    seeds = [[one, 0] for one in (seed, *more.tolist())]
                variable.assign(seeds)

    def finalize(self):
        """End training: an optimizer that averages weights sets the averages."""
        # Before the first step there are none.
        if self.optimizer.use_ema and int(self.optimizer.iterations.numpy()):
            self.optimizer.finalize_variable_values(self.parameters)

    def averaged(self):
        """Get a context in which the weights are those that training would end with."""
        return _Averaged(self)

    # -------------------------------------------------------------------- training

    def prepare_training(self, rows):
        """Make the optimizer and metrics, unless they are there."""
        if self.optimizer is not None:
            return
        recipe = self.recipe
        if not self.layout.is_flat and tf.distribute.has_strategy():
            raise RuntimeError(
                f"optimizer={recipe.optimizer!r} can't be used inside the scope of a "
                f"tf.distribute strategy: networks are trained on one device. Call fit "
                f"outside the scope."
            )
        with building():
            optimizer = new_optimizer_of(recipe)
            optimizer.build(self.parameters)
            self._new_optimizer = [light(v) for v in values_of(optimizer.variables)]
            self._value_names = sorted(recipe.values())
            # Metrics take the rows of a batch without the filling, a varying number,
            # which XLA does not allow.
            self.takes_xla = self.objective.may_fill and not recipe.metrics
            if recipe.metrics:
                self._build_metrics(rows)
            self._update = Update(self, optimizer)
            self.optimizer = optimizer

    def _build_metrics(self, rows):
        # Keras makes the variables of metrics at their first use, which must not be
        # inside a loop of the graph.
        compiled(self.model, self.recipe)
        outputs = np.zeros((1, self.recipe.network.n_outputs), np.float32)
        try:
            parts = self.objective.for_metrics(rows.target[:1], outputs)
            self.model.compute_metrics(None, *parts, sample_weight=None)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"metrics={list(self.recipe.metrics)!r} can't be computed from targets "
                f"of shape {(None, *rows.target.shape[1:])} and outputs of shape "
                f"{(None, outputs.shape[1])}: {error} Choose other metrics, or a loss "
                f"whose target has the shape that they need."
            ) from error

    def _step(self, X, target, weights, n_rows, values, factor, xla):
        """Train on a batch while tracing, and return the sum of the rows' losses.

        Rows after the first ``n_rows`` fill up the batch; they have weight zero. The
        learning rate is multiplied by ``factor``.
        """
        count = tf.cast(n_rows, tf.float32)
        parameters = [tf.identity(v.value) for v in self.parameters]
        others = [tf.identity(v) for v in self._others]
        batch = X, target, weights, count, values, xla
        if self._n_networks == 1:
            total, outputs, gradients, others = self._backward(
                parameters, others, *batch
            )
        else:
            total, outputs, gradients, others = self._backward_of_each(
                parameters + others, *batch
            )
        for variable, new in zip(self._others, others, strict=True):
            if id(variable) in self._drawn:
                variable.assign(new)
        self._update(gradients, values, factor, xla)
        if self.recipe.metrics:
            parts = self.objective.for_metrics(target[:n_rows], outputs[:n_rows])
            self.model.compute_metrics(
                X[:n_rows], *parts, sample_weight=weights[:n_rows]
            )
        return total

    def _map(self, function, specs, stacked):
        """Call a function for each of several networks.

        It is traced once, and TensorFlow runs the calls side by side in its threads.

        Parameters
        ----------
        function : callable
            Of a tuple of tensors.
        specs : TensorSpec, or tuple of those
            Of what it returns.
        stacked : list of tensor
            The arguments, with the networks along the first axis.
        """
        return tf.map_fn(
            function,
            tuple(stacked),
            fn_output_signature=specs,
            parallel_iterations=self._n_networks,
        )

    def _backward_of_each(self, stacked, *batch):
        """Compute means over several networks, and gradients and values of each."""

        def backward(stacked):
            flat, *others = stacked
            total, outputs, (gradient,), others = self._backward([flat], others, *batch)
            return total, outputs, gradient, *others

        specs = (
            tf.TensorSpec([]),
            tf.TensorSpec([None, self.recipe.network.n_outputs]),
            *(tf.TensorSpec(one.shape[1:], one.dtype) for one in stacked),
        )
        total, outputs, gradient, *others = self._map(backward, specs, stacked)
        return tf.reduce_mean(total), tf.reduce_mean(outputs, 0), [gradient], others

    def _backward(self, parameters, others, X, target, weights, count, values, xla):
        """Compute the loss of a batch and its gradients, for one network.

        Returns
        -------
        total : scalar tensor
            The sum of the rows' losses.
        outputs : tensor or None
        gradients : list of tensor
            For each parameter.
        others : list of tensor
            New values of the model's non-trainable variables.
        """
        layout = self.layout
        by_weight = xla and layout.is_flat
        rowwise = self.objective.is_rowwise
        if by_weight:
            parameters = layout.own(parameters)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(parameters)
            own = parameters if by_weight else layout.own(parameters)
            call = Call(self.model, layout.with_tied(own), others)
            loss, outputs = self.objective.train(
                call, X, target, weights, values, self._draws
            )
        # The gradient of a mean takes dozens of operations; its value is known.
        seed = weights / count if rowwise else tf.ones_like(loss)
        penalties = call.penalties
        seeds = [seed, *map(tf.ones_like, penalties)]
        gradients = tape.gradient(
            [loss, *penalties],
            parameters,
            # With loss_scale_factor, the optimizer divides the gradients by it later.
            list(map(self.optimizer.scale_loss, seeds)),
            unconnected_gradients=tf.UnconnectedGradients.ZERO,
        )
        if by_weight:
            gradients = [self._update.joined(gradients, xla)]
        total = tf.reduce_sum(loss * weights) if rowwise else loss * count
        total = tf.add_n([total, *[penalty * count for penalty in penalties]])
        for variable, old, new in zip(self._others, others, call.others, strict=True):
            if new is not old:
                self._drawn.add(id(variable))
        return total, outputs, gradients, call.others

    def _trace_training(self, chunk, batch_size, xla):
        """Trace training on chunks like this one.

        Parameters
        ----------
        chunk : tuple of ndarray
            As `Rows.take` gives it.
        batch_size : int or None
            The size of all batches; chunks are filled up to a multiple of it. None: the
            size is a run-time value, and a chunk's last batch may be smaller.
        xla : bool
            Whether XLA compiles the function, for chunks of ``chunk_steps`` batches.
        """
        shapes = [array.shape[1:] for array in chunk]
        n_chunk = chunk_steps(batch_size, shapes[0]) * batch_size if xla else None

        def train(*inputs):
            *arrays, n_rows, size, values, factors = inputs
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
                    loss = self._step(
                        X, target, weights, n_left, values, factors[start // size], xla
                    )
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
                tf.TensorSpec([n_chunk and n_chunk // batch_size], tf.float32),
            ],
            autograph=False,  # it warns under Python 3.13, and is not needed
            jit_compile=xla or None,
        ).get_concrete_function()

    def train_chunk(self, chunk, batch_size, values, factors, xla):
        """Train on a chunk of rows, which has whole batches unless it is the last one.

        Parameters
        ----------
        chunk : tuple of ndarray
            As `Rows.take` gives it, of at most ``chunk_steps`` batches.
        batch_size : int
        values : dict of str to float
            See `Recipe.values`.
        factors : ndarray of float32
            By which the learning rate is multiplied in each step.
        xla : bool
            Whether to go through what XLA compiled; only if ``takes_xla``.

        Returns
        -------
        loss : float
            The sum over the rows.
        """
        self.holds = None
        values = np.array([values[name] for name in self._value_names], np.float32)
        fills = self.objective.may_fill
        key = (batch_size if fills else None), xla
        n_rows = len(chunk[0])
        if key not in self._train:
            if len(self._train) == _MAX_BATCH_SIZES:
                self._train.popitem(last=False)
            with building():
                self._train[key] = path.trace(
                    lambda: self._trace_training(chunk, *key), self._slim and not xla
                )
        if xla:
            n_steps = chunk_steps(batch_size, chunk[0].shape[1:])
            chunk = _filled(chunk, n_steps * batch_size)
            factors = np.resize(factors, n_steps)
        elif fills:
            chunk = _filled(chunk, n_rows + -n_rows % batch_size)
        sizes = np.int32(n_rows), np.int32(batch_size)
        function, is_single_threaded = self._train[key]
        with path.executor(is_single_threaded):
            return float(function(*chunk, *sizes, values, factors))

    # ------------------------------------------------------------------- validation

    def metric_values(self):
        """Compute the metrics since the last reset, by name.

        A metric with a value for each class gives a list.
        """
        if not self.recipe.metrics:
            return {}
        values = self.model.get_metrics_result()
        values = {name: np.asarray(value, float) for name, value in values.items()}
        return {
            name: value.item() if value.size == 1 else value.tolist()
            for name, value in values.items()
            if name != "loss"
        }

    def reset_metrics(self):
        """Reset the metrics."""
        if self.recipe.metrics:
            self.model.reset_metrics()

    def evaluate(self, rows, outputs, values, batch_size):
        """Compute loss and metrics of rows, as if they were one batch.

        Parameters
        ----------
        rows : Rows
        outputs : ndarray of shape (n_rows, n_outputs)
            The result of `predict` for them, with the objective's ``watched`` as name.
        values : dict of str to float
            See `Recipe.values`. They may differ from those of this program's own
            recipe, because several recipes share a program.
        batch_size : int
            The number of rows in a batch for penalties of layers.

        Returns
        -------
        values : dict of str to float
        """
        penalty = self._penalty(rows, batch_size) if self.facts.has_penalties else 0.0
        if rows.target is None:
            losses = self.objective.total(outputs, values)
            return {"loss": float(np.average(losses, weights=rows.weights)) + penalty}
        if self._evaluate is None:

            def evaluate(target, outputs, weights):
                if self.recipe.metrics:
                    parts = self.objective.for_metrics(target, outputs)
                    self.model.compute_metrics(None, *parts, sample_weight=weights)
                return self.objective.loss(target, outputs, weights)

            with building():
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
        return {"loss": float(loss) + penalty, **self.metric_values()}

    def _penalty(self, rows, batch_size):
        """Compute the mean over batches of the terms that layers add to the loss."""
        shape = rows.X.shape[1:]
        if self._penalties is None:

            def of_network(call, X):
                self.objective.functions[self.objective.watched](call, X)
                return tf.add_n(call.penalties or [tf.constant(0.0)])

            def penalties(X):
                return self._mean(of_network, [])(X)

            with building():
                self._penalties = tf.function(
                    penalties,
                    input_signature=[tf.TensorSpec([None, *shape], tf.float32)],
                    autograph=False,
                ).get_concrete_function()
        total = 0.0
        for start in range(0, len(rows), batch_size):
            positions = np.arange(start, min(start + batch_size, len(rows)))
            X = rows.take(positions)[0].astype(np.float32, copy=False)
            total += float(self._penalties(tf.constant(X))) * len(positions)
        return total / len(rows)

    # ------------------------------------------------------------------- prediction

    def _mean(self, function, shape):
        """Get a function of rows, while tracing: a mean over the networks.

        Parameters
        ----------
        function : callable
            Of a `Call` and rows.
        shape : list of int
            Of its result.
        """
        parameters = [v.value for v in self.parameters]
        others = [tf.identity(v) for v in self._others]
        if self._n_networks == 1:
            call = Call(self.model, self.layout.trainable(parameters), others)
            return lambda rows: function(call, rows)

        def mean(rows):
            def of_network(stacked):
                flat, *others = stacked
                trainable = self.layout.trainable([flat])
                return function(Call(self.model, trainable, others), rows)

            results = self._map(of_network, tf.TensorSpec(shape), parameters + others)
            return tf.reduce_mean(results, 0)

        return mean

    def _trace_prediction(self, name, shape):
        n_rows = self._prediction_rows
        outputs_shape = [n_rows, *self.objective.shapes[name]]

        def predict(X):
            outputs_of = self._mean(self.objective.functions[name], outputs_shape)
            n_batches = tf.shape(X)[0] // n_rows

            def body(i, record):
                batch = X[i * n_rows : (i + 1) * n_rows]
                batch.set_shape([n_rows, *shape])
                return i + 1, record.write(i, outputs_of(batch))

            record = tf.TensorArray(
                tf.float32,
                size=n_batches,
                element_shape=outputs_shape,
            )
            _, record = tf.while_loop(lambda i, _: i < n_batches, body, (0, record))
            return record.concat()

        return tf.function(
            predict,
            input_signature=[tf.TensorSpec([None, *shape], tf.float32)],
            autograph=False,
        ).get_concrete_function()

    def predict(self, X, index=None, *, name="outputs", prepare=None):
        """Compute outputs with the current weights.

        Parameters
        ----------
        X : ndarray of shape (n_samples, ...), PaddedRows, GatheredRows or LazyRows
        index : ndarray of int or None
            The rows of X to predict; None: all.
        name : str
            A key of the objective's ``functions``.
        prepare : callable or None
            See `Rows`.

        Returns
        -------
        outputs : ndarray of shape (n_rows, ...), float32
        """
        shape, size = X.shape[1:], self._prediction_rows
        if name not in self._predict:
            with building():
                self._predict[name] = path.trace(
                    lambda: self._trace_prediction(name, shape), self._slim
                )
        function, is_single_threaded = self._predict[name]
        n_rows = len(X) if index is None else len(index)
        outputs = np.empty((n_rows, *self.objective.shapes[name]), np.float32)
        if stored_rows(X) is not None:
            for rows, part in in_batches(X, index, size):
                outputs[rows] = self.predict(part, name=name, prepare=prepare)
            return outputs

        def run(start):
            rows = slice(start, start + n_chunk)
            chunk = X[rows] if index is None else X[index[rows]]
            n_asked = len(chunk)
            if prepare is not None:
                chunk = prepare(chunk)
            n_missing = -n_asked % size
            if n_missing:
                value = self.recipe.network.filling
                filling = np.full((n_missing, *shape), value, np.float32)
                chunk = np.concatenate([chunk, filling])
            with path.executor(is_single_threaded):
                result = function(tf.constant(chunk)).numpy()
            outputs[rows] = result[:n_asked]

        n_batches, n_threads = -(-n_rows // size), 1
        if n_batches >= 8 and is_single_threaded:
            n_threads = min(path.n_threads(), n_batches // 4)
        # At most a chunk at once, and a share of the rows for each thread.
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


class _Averaged:
    """A context in which a program has the averaged weights of its optimizer."""

    def __init__(self, program):
        self._program = program
        self._raw = None

    def __enter__(self):
        if self._program.optimizer.use_ema:
            self._raw = values_of(self._program.parameters)
            self._program.finalize()

    def __exit__(self, *_):
        if self._raw is not None:
            assign(self._program.parameters, self._raw)


def _filled(chunk, n_rows):
    """Fill up a chunk with copies of the first row that have weight zero."""
    n_missing = n_rows - len(chunk[0])
    if not n_missing:
        return chunk
    chunk = [
        np.concatenate([array, np.repeat(array[:1], n_missing, axis=0)])
        for array in chunk
    ]
    chunk[-1][-n_missing:] = 0
    return chunk
