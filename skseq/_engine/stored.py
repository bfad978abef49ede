"""Keras objects in files: as a class and a configuration.

Keras' own pickles hold the time at which they were written, so that equal objects give
different files, and need user's classes to be registered with Keras.
"""

from skseq._engine.fingerprints import config_of
from skseq._engine.keras import keras

_KINDS = (
    keras.layers.Layer,
    keras.losses.Loss,
    keras.metrics.Metric,
    keras.optimizers.Optimizer,
)


def storable(value):
    """A value whose Keras objects, also those in dicts, lists and tuples, pickle so.

    What is unpickled is the value itself, with new objects.
    """
    if type(value) is dict:
        return {name: storable(item) for name, item in value.items()}
    if type(value) in (list, tuple):
        return type(value)(storable(item) for item in value)
    return _Stored(value) if isinstance(value, _KINDS) else value


class _Stored:
    """Pickles as the object that it holds."""

    def __init__(self, keras_object):
        self._object = keras_object

    def __reduce__(self):
        config = config_of(self._object)
        if isinstance(self._object, keras.optimizers.Optimizer):
            config.pop("name", None)  # Keras numbers it
        return made_from, (type(self._object), config)


def made_from(cls, config):
    """A new Keras object."""
    return cls.from_config(dict(config))
