"""Pickles and copies of Keras objects, from their class and configuration.

Keras' own pickles hold the time at which they were written, so that equal objects give
different files. They also need the user's classes to be registered with Keras.
"""

import dataclasses

from skseq._engine.fingerprints import KERAS_OBJECTS, config_of, is_own_dataclass
from skseq._engine.keras import keras

# Classes whose `from_config` takes no functions.
_BY_CONSTRUCTOR = (keras.layers.Lambda, keras.metrics.MeanMetricWrapper)


def storable(value):
    """Wrap Keras objects, also those in containers and networks, for pickling.

    Unpickling gives the value itself, with new Keras objects.
    """
    return _with_keras_objects(value, _Stored)


def copied(value):
    """Copy the Keras objects of a value, with all their arguments.

    `copy.deepcopy` loses arguments that are not in the configuration.
    """
    return _with_keras_objects(value, lambda one: made_from(*_Stored(one).parts()))


def _with_keras_objects(value, change):
    """Apply a function to the Keras objects of a value.

    Returns the value itself if it holds none.
    """
    if isinstance(value, KERAS_OBJECTS):
        return change(value)
    if type(value) is dict:
        items = {k: _with_keras_objects(item, change) for k, item in value.items()}
        return items if any(items[k] is not value[k] for k in items) else value
    if type(value) in (list, tuple):
        items = [_with_keras_objects(item, change) for item in value]
        changed = any(a is not b for a, b in zip(items, value, strict=True))
        return type(value)(items) if changed else value
    if is_own_dataclass(value):
        fields = _with_keras_objects(dict(vars(value)), change)
        changed = {k: v for k, v in fields.items() if v is not getattr(value, k)}
        return dataclasses.replace(value, **changed) if changed else value
    return value


class _Stored:
    """A wrapper that pickles as the object it holds."""

    def __init__(self, keras_object):
        self._object = keras_object

    def parts(self):
        """Get the class and the configuration of the object."""
        config = config_of(self._object)
        if isinstance(self._object, keras.optimizers.Optimizer):
            config.pop("name", None)  # Keras numbers it
        return type(self._object), config

    def __reduce__(self):
        return made_from, self.parts()


def made_from(cls, config):
    """Make a Keras object from its class and configuration."""
    if cls in _BY_CONSTRUCTOR:
        return cls(**config)
    return cls.from_config(dict(config))
