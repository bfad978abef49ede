"""The parts of Keras that have no public name: here alone, each with a test."""

from skseq._engine.keras import keras as _keras  # noqa: F401  it says why Keras fails


def initializer_of(variable):
    """What gives a variable its first value, where it was made without one."""
    return variable._initializer


def global_seed_generator():
    """What draws for functions of ``keras.random`` that are given no seed."""
    from keras.src.random.seed_generator import global_seed_generator

    return global_seed_generator()


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
