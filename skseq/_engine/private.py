"""Every use of a private part of Keras, where no public one serves.

`tests/test_structure.py` has a test for each.
"""

import importlib
from contextlib import contextmanager

from skseq._engine.keras import keras


def initializer_of(variable):
    """Get the initializer of a variable that was made without a value."""
    return variable._initializer


def has_value(variable):
    """Check whether a variable has a value."""
    return variable._value is not None


@contextmanager
def global_seed(seed):
    """Seed the functions of ``keras.random`` that are called without a seed.

    The state of Keras' global generator is the same after the block as before it.
    """
    from keras.src.backend.common import global_state

    name = "global_seed_generator"
    before = global_state.get_global_attribute(name)
    global_state.set_global_attribute(name, keras.random.SeedGenerator(seed))
    try:
        yield
    finally:
        global_state.set_global_attribute(name, before)


def arguments_of(keras_object):
    """Get the arguments of a loss or metric that wraps a function.

    Some of Keras' losses leave arguments out of their configuration.
    """
    return getattr(keras_object, "_fn_kwargs", {})


def schedule_of(keras_object):
    """Get the schedule of an optimizer's learning rate, or None.

    The configuration of the optimizer has only the name of the schedule's class.
    """
    rate = getattr(keras_object, "_learning_rate", None)
    is_schedule = isinstance(rate, keras.optimizers.schedules.LearningRateSchedule)
    return rate if is_schedule else None


def first_epoch(model):
    """Get the epoch at which a callback wants training to start, or None."""
    return model._initial_epoch


def reset_first_epoch(model):
    """Remove the first epoch that an earlier callback has set."""
    model._initial_epoch = None


def choose_comparison(callback):
    """Let a callback choose how it compares values, before its first epoch ends.

    It does so once, and then also changes the sign of its ``min_delta``.
    """
    if getattr(callback, "monitor_op", True) is None:
        callback._set_monitor_op()


def is_excluding_weights(optimizer):
    """Check whether ``exclude_from_weight_decay`` was called on an optimizer.

    The excluded weights are not part of the configuration, so that a copy of the
    optimizer does not have them.
    """
    names = ("_exclude_from_weight_decay", "_exclude_from_weight_decay_pattern")
    return any(getattr(optimizer, name, None) for name in names)


@contextmanager
def values_as_initializers():
    """Let variables be made from a value where they get none.

    Keras' optimizers make such variables, and users' layers do. In a scope without
    values Keras accepts a function alone as the initial value. Only one thread at a
    time is in such a block.
    """
    original = keras.Variable.__init__
    is_own = "__init__" in vars(keras.Variable)

    def init(self, initializer, shape=None, dtype=None, *args, **kwargs):
        is_value = not (callable(initializer) or isinstance(initializer, str))
        if is_value and _in_scope_without_values():
            value = keras.ops.convert_to_tensor(initializer, dtype)
            shape, dtype = value.shape, dtype or value.dtype

            def initializer(shape, dtype=None):
                return keras.ops.cast(value, dtype)

        original(self, initializer, shape, dtype, *args, **kwargs)

    keras.Variable.__init__ = init
    try:
        yield
    finally:
        if is_own:
            keras.Variable.__init__ = original
        else:
            del keras.Variable.__init__


def _in_scope_without_values():
    from keras.src.backend.common.stateless_scope import get_stateless_scope

    scope = get_stateless_scope()
    return scope is not None and not scope.initialize_variables


# The modules with the operations that are nodes of functional models.
_OPERATIONS = tuple(f"keras.src.ops.{name}" for name in ("core", "math", "nn", "numpy"))


def operation_class(module, name):
    """Get the class of an operation by the names in a configuration, or None."""
    if module not in _OPERATIONS:
        return None
    found = getattr(importlib.import_module(module), name, None)
    is_operation = isinstance(found, type) and issubclass(found, keras.Operation)
    return found if is_operation else None
