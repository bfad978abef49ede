"""The parts of Keras that have no public name: here alone, each with a test."""

from contextlib import contextmanager

from skseq._engine.keras import keras


def initializer_of(variable):
    """What gives a variable its first value, where it was made without one."""
    return variable._initializer


@contextmanager
def global_seed(seed):
    """A block in which functions of ``keras.random`` without a seed draw from this one.

    The generator from which they draw otherwise is left as it is.
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
    """Arguments that a loss or metric made of a function was given.

    Some of Keras' losses leave arguments out of their configuration.
    """
    return getattr(keras_object, "_fn_kwargs", {})


def first_epoch(model):
    """The epoch at which a callback wants training to start, or None."""
    return model._initial_epoch


def reset_first_epoch(model):
    """Forget what an earlier callback wanted."""
    model._initial_epoch = None


def is_excluding_weights(optimizer):
    """Whether ``exclude_from_weight_decay`` was called on an optimizer.

    The configuration does not have it, and so no copy of the optimizer knows it.
    """
    names = ("_exclude_from_weight_decay", "_exclude_from_weight_decay_pattern")
    return any(getattr(optimizer, name, None) for name in names)
