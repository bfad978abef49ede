"""Calls of the user's Keras callbacks, with a Keras model in the state of the fit."""

import copy
import inspect
import io
from contextlib import suppress
from types import ModuleType

from skseq._engine.keras import building, keras, tf
from skseq._engine.private import first_epoch, reset_first_epoch
from skseq._engine.reports import EpochReports
from skseq._engine.standalone import compiled, whole_model
from skseq._engine.weights import assign, in_one_model, of_one_model, values_of
from skseq._validation import HasMethods


class _CallbackOrClass(HasMethods):
    """The constraint of a callback; `copies_of` says what to do with a class."""

    def __str__(self):
        return "a keras.callbacks.Callback"


# The constraint of the parameter ``callbacks``.
CALLBACKS = [list, tuple, _CallbackOrClass(["set_model", "on_epoch_end"]), None]

# Keras' callbacks whose hooks for batches do nothing, with the condition for that.
_QUIET = {
    keras.callbacks.TerminateOnNaN: lambda callback: True,
    keras.callbacks.ModelCheckpoint: lambda callback: callback.save_freq == "epoch",
    keras.callbacks.BackupAndRestore: lambda callback: callback.save_freq == "epoch",
}

_BATCH_HOOKS = (
    "on_batch_begin",
    "on_batch_end",
    "on_train_batch_begin",
    "on_train_batch_end",
)


def copies_of(callbacks):
    """Copy the caller's callbacks into a list."""
    if callbacks is None:
        callbacks = []
    elif not isinstance(callbacks, (list, tuple)):
        callbacks = [callbacks]
    for callback in callbacks:
        if not isinstance(callback, keras.callbacks.Callback):
            got, remedy = repr(callback), ""
            if inspect.isclass(callback):
                name = callback.__name__
                is_public = getattr(keras.callbacks, name, None) is callback
                got = f"the class {'keras.callbacks.' * is_public}{name}"
                if issubclass(callback, keras.callbacks.Callback):
                    remedy = f" Pass an object: {name}()."
            raise TypeError(
                f"callbacks must be keras.callbacks.Callback objects, got {got}."
                f"{remedy}"
            )
    return [copy.deepcopy(callback) for callback in callbacks]


def needs_batches(callback):
    """Check whether a callback has to be called for each batch."""
    quiet = _QUIET.get(type(callback))
    if quiet is not None and quiet(callback):
        return False
    plain = keras.callbacks.Callback
    return any(
        getattr(getattr(callback, hook), "__func__", None) is not getattr(plain, hook)
        for hook in _BATCH_HOOKS
    )


class _Shown:
    """A compiled model of Keras' own layers in the state of a program.

    Parameters
    ----------
    program : skseq._engine.program.Program
    recipe : skseq._engine.recipe.Recipe
        Of this program, with the run-time values for the model.
    """

    def __init__(self, program, recipe):
        self._program = program
        self.values = recipe.values(), recipe.target_scale
        self._n_networks = recipe.n_networks
        with building():
            self.model = compiled(whole_model(recipe), recipe)
            self.model.optimizer.build(program.layout.untied(self.model))

    def _slots(self):
        """Pair each flat variable of the program's optimizer with the model's ones.

        The model of several networks does not show these.
        """
        program = self._program
        if self._n_networks > 1:
            return
        for slot in program.optimizer.variables:
            if tuple(slot.shape) != (program.layout.n_values,):
                continue
            ending = slot.name.removeprefix(program.parameters[0].name)
            theirs = self.model.optimizer.variables
            yield slot, [v for v in theirs if v.name.endswith(ending)]

    def show(self):
        """Copy the program's state into the model."""
        program, theirs = self._program, self.model.optimizer
        ours = program.optimizer
        weights = program.take_weights()
        self.model.set_weights(in_one_model(weights, self._n_networks))
        if not program.layout.is_flat:
            assign(theirs.variables, values_of(ours.variables))
            return
        for slot, parts in self._slots():
            assign(parts, program.layout.own(values_of([slot])))
        theirs.iterations.assign(ours.iterations)
        if isinstance(ours.learning_rate, keras.Variable):
            theirs.learning_rate = float(ours.learning_rate.numpy())

    def take_over(self):
        """Copy the model's state into the program."""
        program, theirs = self._program, self.model.optimizer
        ours = program.optimizer
        weights = self.model.get_weights()
        program.put_weights(of_one_model(weights, self._n_networks))
        if not program.layout.is_flat:
            assign(ours.variables, values_of(theirs.variables))
            return
        for slot, parts in self._slots():
            slot.assign(program.layout.join_own(values_of(parts))[0])
        ours.iterations.assign(theirs.iterations)
        if isinstance(ours.learning_rate, keras.Variable):
            ours.learning_rate = float(theirs.learning_rate.numpy())


class Callbacks:
    """Calls the hooks of callbacks, and copies their changes of the model back.

    Parameters
    ----------
    callbacks : list of keras.callbacks.Callback
    program : skseq._engine.program.Program
    recipe : skseq._engine.recipe.Recipe
    n_epochs, n_steps : int
        Epochs in all, and steps of an epoch.
    """

    def __init__(self, callbacks, program, recipe, n_epochs, n_steps):
        self._callbacks = callbacks
        self.by_batch = any(map(needs_batches, callbacks))
        # SwapEMAWeights puts averaged weights into the model by itself.
        self.swaps_averages = any(
            isinstance(callback, keras.callbacks.SwapEMAWeights)
            for callback in callbacks
        )
        self._shown = model = None
        if not all(isinstance(callback, EpochReports) for callback in callbacks):
            values = recipe.values(), recipe.target_scale
            if program.shown is None or program.shown.values != values:
                program.shown = _Shown(program, recipe)
            self._shown = program.shown
            model = self._shown.model
            model.stop_training = False
            reset_first_epoch(model)
        params = {"verbose": 0, "epochs": n_epochs, "steps": n_steps}
        for callback in callbacks:
            callback.set_params(params)
            callback.set_model(model)

    def __call__(self, hook, *args):
        """Call a hook of each callback, and return True if training has to stop.

        Callbacks may add entries to a dict of logs.
        """
        if self._shown is not None:
            self._shown.show()
        for callback in self._callbacks:
            getattr(callback, hook)(*args)
        if self._shown is None:
            return False
        self._shown.take_over()
        return self._shown.model.stop_training

    def first_epoch(self):
        """Get the epoch at which a callback wants training to start, or None."""
        return None if self._shown is None else first_epoch(self._shown.model)

    def let_go(self):
        """Remove from the callbacks the model, and what can't be pickled."""
        for callback in self._callbacks:
            # At the end of training it closes its file, but not after an error.
            if isinstance(callback, keras.callbacks.CSVLogger):
                with suppress(AttributeError, OSError):  # not opened; a full disk
                    callback.csv_file.close()
            # The callback's own method may not accept None.
            keras.callbacks.Callback.set_model(callback, None)
            for name, value in vars(callback).items():
                if _is_open_only_in_training(value):
                    setattr(callback, name, None)
                elif isinstance(value, dict):  # TensorBoard has its writers in one
                    for key, item in list(value.items()):
                        if _is_open_only_in_training(item):
                            value[key] = None


def _is_open_only_in_training(value):
    """Check whether an attribute is a closed file or a part of TensorFlow."""
    if isinstance(value, io.IOBase):  # CSVLogger keeps its file
        return value.closed
    return isinstance(value, (tf.summary.SummaryWriter, ModuleType))
