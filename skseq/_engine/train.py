"""The loop over epochs, and the functions that estimators call."""

import math
from contextlib import suppress
from dataclasses import replace

import numpy as np

from skseq._engine.apart import Apart
from skseq._engine.cache import borrowed
from skseq._engine.callbacks import Callbacks
from skseq._engine.checkpoint import put_attributes, reopen_files
from skseq._engine.keras import building
from skseq._engine.order import epoch_order
from skseq._engine.path import earns_xla
from skseq._engine.program import chunk_steps
from skseq._engine.progress import make_bar
from skseq._engine.rates import factors
from skseq._engine.reading import Reader, in_memory
from skseq._engine.recipe import State
from skseq._engine.standalone import whole_model
from skseq._engine.weights import draw_weights, in_one_model, values_of


def initial_state(recipe, seed):
    """Draw the first weights, as a `State` with a new optimizer."""
    with borrowed(recipe) as program:
        with building():
            weights = draw_weights(program.model, seed)
            if recipe.n_networks > 1:
                more = [
                    draw_weights(program.model, [seed, i + 1])
                    for i in range(1, recipe.n_networks)
                ]
                weights = [np.stack(each) for each in zip(weights, *more, strict=True)]
        # Through the program, for weights that are tied to others.
        program.put_weights(weights)
        return State(program.take_weights(), [])


def named_weights(recipe, weights, part=None):
    """Give weights the paths of their variables as names.

    Parameters
    ----------
    recipe : Recipe
    weights : list of ndarray
    part : str or None
        The name of a model within the network, for its weights only.

    Returns
    -------
    named : dict of str to ndarray
        In the order of ``weights``.
    """
    with borrowed(recipe) as program:
        model = program.model
        asked = model if part is None else model.get_layer(part)
        asked = {id(variable) for variable in asked.weights}
        return {
            variable.path: weight
            for variable, weight in zip(model.weights, weights, strict=True)
            if id(variable) in asked
        }


def with_output_bias(recipe, state, bias):
    """Copy a state with another bias of the output layer."""
    return _with_values(
        recipe, state, lambda model: [recipe.network.output_bias(model)], [bias]
    )


def with_vectors(recipe, state, vectors):
    """Copy a state with other vectors of the tokens."""
    return _with_values(
        recipe, state, lambda model: [recipe.network.embedding.table(model)], [vectors]
    )


def with_scale(recipe, state, values):
    """Copy a state with other variables of the scale of columns, in their order."""
    return _with_values(recipe, state, recipe.network.columns.scale, values)


def _with_values(recipe, state, variables_of, values):
    with borrowed(recipe) as program:
        variables = variables_of(program.model)
        asked = dict(zip(map(id, variables), values, strict=True))
        weights = [
            np.array(np.broadcast_to(asked[id(variable)], weight.shape), np.float32)
            if id(variable) in asked
            else weight
            for variable, weight in zip(
                program.model.weights, state.weights, strict=True
            )
        ]
    return State(weights, state.optimizer)


def predict(recipe, weights, X, index=None, *, name="outputs", prepare=None):
    """Compute the outputs of a network for rows.

    Parameters
    ----------
    recipe : Recipe
    weights : list of ndarray
    X : ndarray of shape (n_samples, ...) or PaddedRows
    index : ndarray of int of shape (n_rows,) or None
        The rows of X to predict; None: all of them.
    name : str
        A key of the objective's ``functions``.
    prepare : callable or None
        See `skseq._engine.recipe.Rows`.

    Returns
    -------
    outputs : ndarray of shape (n_rows, ...), float32
    """
    with borrowed(recipe) as program:
        if program.holds is not weights:
            program.put_weights(weights)
            program.holds = weights
        return program.predict(X, index, name=name, prepare=prepare)


def standalone_model(recipe, weights):
    """Build a Keras model with copies of the weights."""
    with building():
        model = whole_model(recipe)
    model.set_weights(in_one_model(weights, recipe.n_networks))
    return model


def train(recipe, state, rows, schedule, watch=None, checkpoint=None):
    """Train a network.

    Parameters
    ----------
    recipe : Recipe
    state : State
        Where to start; not changed.
    rows : Rows
    schedule : Schedule
    watch : Watch or None
    checkpoint : skseq._engine.checkpoint.Checkpoint or None
        Where the fit is kept, and from where it goes on.

    Returns
    -------
    state : State
    history : dict of str to list
        One value for each epoch run.
    best : tuple of int and float, or None
        The number of the best epoch, counted from 0 over all fits, and its score.
    first_epoch : int
        The schedule's, or the one at which a callback continued from a backup.
    """
    rows = in_memory(rows)
    if watch is not None:
        watch = replace(watch, rows=in_memory(watch.rows))
    record = None
    if checkpoint is not None:
        record = checkpoint.find(recipe, state, rows, schedule, watch)
        if record is not None and record["finished"]:
            attributes = record["callbacks"]
            put_attributes(schedule.callbacks, attributes, goes_on=False)
            return _outcome(record)
    with borrowed(recipe) as program:
        program.prepare_training(rows)
        program.put(state)
        program.put_target_scale(recipe)
        if schedule.learning_rate is not None:
            program.optimizer.learning_rate = schedule.learning_rate
        training = _Training(program, recipe, rows, schedule, watch, checkpoint, record)
        try:
            training.run()
            best = training.best
            if best is not None and best.state is not None:
                state = best.state
            else:
                # With the changes that callbacks have made at the end.
                state = training.raw_state()
        finally:
            training.close()
    found = None if best is None or best.epoch is None else (best.epoch, best.score)
    record = {
        "state": vars(state),
        "history": training.history,
        "found": found,
        "first_epoch": training.first_epoch,
    }
    if checkpoint is not None:
        attributes = checkpoint.attributes_of(schedule.callbacks)
        checkpoint.write({**record, "callbacks": attributes}, finished=True)
    return _outcome(record)


def _outcome(record):
    """Get what `train` returns from the record of a finished fit."""
    names = "history", "found", "first_epoch"
    return State(**record["state"]), *(record[name] for name in names)


class _BestEpoch:
    """Remembers the best epoch and says when to stop."""

    def __init__(self, watch):
        self._watch = watch
        self._sign = 1 if watch.greater_is_better else -1
        self.epoch = None
        self.score = None
        self.state = None
        self._reference = -np.inf
        self._waited = 0

    def update(self, epoch, score, take):
        """Compare an epoch with the best one; return True if training has to stop.

        ``take()`` copies the state of the program.
        """
        signed = self._sign * score
        if self.epoch is None or signed > self._sign * self.score:
            self.epoch, self.score = epoch, score
            if self._watch.patience is not None:
                self.state = take()
        # Any gain makes an epoch the best one; min_delta counts for the patience alone.
        if signed > self._reference + self._watch.min_delta:
            self._reference = signed
            self._waited = 0
        else:
            self._waited += 1
        return self._watch.patience is not None and self._waited >= self._watch.patience

    def content(self):
        """Get everything that changes, as plain values and arrays."""
        content = {k: v for k, v in vars(self).items() if k not in ("_watch", "_sign")}
        return {**content, "state": self.state and vars(self.state)}

    def restore(self, content):
        """Set everything that changes, from the result of `content`."""
        state = content["state"] and State(**content["state"])
        vars(self).update(content, state=state)


class _Training:
    """One call of `train`."""

    def __init__(self, program, recipe, rows, schedule, watch, checkpoint, record):
        self._program = program
        self._recipe = recipe
        self._rows = rows
        self._reader = Reader(rows)
        self._schedule = schedule
        self._watch = watch
        self._checkpoint = checkpoint
        self._record_before = record
        self.best = None if watch is None else _BestEpoch(watch)
        self.history = {}
        self.first_epoch = schedule.first_epoch
        self._last = schedule.first_epoch + schedule.epochs
        # With few rows, the next power of two, so that one trace serves several numbers
        # of rows.
        self._batch_size = min(schedule.batch_size, 1 << (len(rows) - 1).bit_length())
        n_steps = -(-len(rows) // self._batch_size)
        if program.objective.shares_out:
            self._batch_size = -(-len(rows) // n_steps)
        self._xla = program.takes_xla and earns_xla(
            recipe, program.facts, n_steps * schedule.epochs
        )
        self._call = Callbacks(schedule.callbacks, program, recipe, self._last, n_steps)
        self._n_steps = n_steps
        n_chunk = chunk_steps(self._batch_size, rows.X.shape[1:])
        self._chunk_rows = self._batch_size * (1 if self._call.by_batch else n_chunk)
        n_done = 0 if record is None else record["epoch"] - record["first_epoch"]
        self._bar = make_bar(schedule.verbose, schedule.epochs, schedule.title, n_done)
        # Last, because it has to be closed, also if a callback raises above.
        self._apart = None
        if self._xla and recipe.n_networks > 1:
            self._apart = Apart(program, recipe, rows)

    def close(self):
        """Release the callbacks and close the bar."""
        self._bar.close()
        self._call.let_go()
        if self._apart is not None:
            self._apart.close()

    def run(self):
        """Train until the last epoch, or until early stopping or a callback stops."""
        call, logs, before = self._call, {}, self._record_before
        if before is not None:
            reopen_files(self._schedule.callbacks, before["epoch"])
        call("on_train_begin")
        if call.first_epoch():
            self.first_epoch = call.first_epoch()
        start = self.first_epoch
        if self._checkpoint is not None:
            self._checkpoint.begin(self._schedule.callbacks)
            if before is not None:
                start, logs = self._go_on(before)
        for epoch in range(start, self._last):
            if call("on_epoch_begin", epoch):
                break
            logs, stop = self._train_epoch(epoch)
            self._check_finite("loss", logs["loss"], epoch)
            if self._watch is not None:
                stop |= self._validate(epoch, logs)
            stop |= call("on_epoch_end", epoch, logs)
            self._record(epoch, logs)
            if stop:
                break
            self._keep(epoch + 1, logs)
        self._program.finalize()
        call("on_train_end", logs)

    def raw_state(self):
        """Copy weights and optimizer as they are; `Program.take` gives averages."""
        optimizer = values_of(self._program.optimizer.variables)
        return State(self._program.take_weights(), optimizer)

    def _keep(self, n_epochs, logs):
        """Write a checkpoint if it is due; the one of the last epoch comes later."""
        checkpoint = self._checkpoint
        if checkpoint is None or n_epochs == self._last:
            return
        if not checkpoint.is_due(n_epochs):
            return
        record = {
            "epoch": n_epochs,
            "first_epoch": self.first_epoch,
            "state": vars(self.raw_state()),
            "history": self.history,
            "best": self.best and self.best.content(),
            "logs": logs,
            "callbacks": checkpoint.attributes_of(self._schedule.callbacks),
        }
        checkpoint.write(record, finished=False)

    def _go_on(self, record):
        """Take over a checkpoint; return the next epoch, and the logs of the last."""
        self.first_epoch, self.history = record["first_epoch"], record["history"]
        self._program.put(State(**record["state"]))
        if self.best is not None:
            self.best.restore(record["best"])
        attributes = record["callbacks"]
        put_attributes(self._schedule.callbacks, attributes, goes_on=True)
        return record["epoch"], record["logs"]

    def _train_epoch(self, epoch):
        """Train for an epoch; return its logs, and whether a callback wants to stop."""
        program, schedule, call = self._program, self._schedule, self._call
        self._begin(epoch)
        values = self._recipe.values(epoch)
        noise = np.random.default_rng([schedule.seed, epoch, 1])
        program.reset_metrics()
        total, n_rows, stop, logs = 0.0, 0, False, {}
        for start in range(0, len(self._rows), self._chunk_rows):
            chunk = self._reader.take(start, start + self._chunk_rows)
            chunk = program.objective.corrupt(chunk, values, noise)
            if call.by_batch:
                call("on_train_batch_begin", start // self._chunk_rows)
            total += (self._apart or program).train_chunk(
                chunk, self._batch_size, values, self._factors(epoch, start), self._xla
            )
            n_rows += len(chunk[0])
            logs = {"loss": total / n_rows}
            if call.by_batch:
                logs |= program.metric_values()
                stop = call("on_train_batch_end", start // self._chunk_rows, logs)
                if stop:
                    break
        return logs | program.metric_values(), stop

    def _factors(self, epoch, start):
        """Compute the factors of the learning rate for the chunk from a row on."""
        schedule = self._schedule
        before = (epoch - schedule.first_epoch) * self._n_steps
        first = start // self._batch_size
        last = min(first + self._chunk_rows // self._batch_size, self._n_steps)
        n_steps = self._n_steps * schedule.epochs
        return factors(schedule.rates, before + first, before + last, n_steps)

    def _begin(self, epoch):
        """Compute the epoch's order of rows, and seed the random states."""
        row_bytes = 4 * math.prod(self._rows.X.shape[1:])
        order, stops, rng = epoch_order(
            self._schedule, epoch, len(self._rows), row_bytes, self._reader.blocks
        )
        self._reader.begin(order, stops)
        # After the order, which must not depend on the number of random states.
        self._program.seed(rng)

    def _validate(self, epoch, logs):
        """Add validation to an epoch's logs; return True if training has to stop."""
        program, rows, call = self._program, self._watch.rows, self._call
        call("on_test_begin")
        call("on_test_batch_begin", 0)
        values = self._recipe.values()
        if call.swaps_averages:
            found, outputs = self._evaluate(rows, values)
        else:
            with program.averaged():
                found, outputs = self._evaluate(rows, values)
        call("on_test_batch_end", 0, found)
        call("on_test_end", found)
        logs |= {f"val_{name}": value for name, value in found.items()}
        self._check_finite("val_loss", logs["val_loss"], epoch)
        if self._watch.score is not None:
            logs[self._watch.monitor] = float(self._watch.score(outputs))
        return self.best.update(epoch, logs[self._watch.monitor], program.take)

    def _evaluate(self, rows, values):
        program = self._program
        outputs = program.predict(
            rows.X, rows.index, name=program.objective.watched, prepare=rows.prepare
        )
        return program.evaluate(rows, outputs, values, self._batch_size), outputs

    def _check_finite(self, name, value, epoch):
        if not np.isfinite(value):
            raise ValueError(
                f"The {name} must stay finite, got {value} in epoch {epoch + 1}. "
                f"Standardise X (StandardScaler), lower learning_rate, or clip "
                f"gradients with optimizer_params={{'clipnorm': 1.0}}."
            )

    def _record(self, epoch, logs):
        """Add an epoch's logs, with the entries of callbacks, to the history."""
        for name, value in {"loss": logs["loss"], **logs}.items():
            with suppress(TypeError, ValueError):  # a text from a callback
                value = np.asarray(value, float).tolist()
            self.history.setdefault(name, []).append(value)
        self._bar.update(epoch + 1, self._last, logs)
