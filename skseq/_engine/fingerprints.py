"""Values that tell whether two networks, losses or optimizers would be traced alike."""

import dataclasses
import hashlib
import inspect
import io
import json
import re
import sys
import sysconfig
import threading
import warnings
from functools import cache
from pathlib import Path
from types import FunctionType, ModuleType

import cloudpickle
import numpy as np

from skseq._engine.keras import is_keras, keras
from skseq._engine.private import arguments_of


def fingerprint(value, unknown=id):
    """A hashable key that is equal for values that build equal graphs.

    Keras' own objects are told apart by their configuration. Functions, classes and
    objects of the user's are told apart by what they do: their code, and the values
    that it reads, as cloudpickle finds them.

    Parameters
    ----------
    value : object
    unknown : callable
        What stands for a function or object that reads something that can't be pickled.
    """
    if isinstance(value, dict):
        items = [(key, fingerprint(item, unknown)) for key, item in value.items()]
        return tuple(sorted(items, key=lambda item: item[0]))
    if isinstance(value, (list, tuple)):
        return tuple(fingerprint(item, unknown) for item in value)
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and np.isnan(value):
        return "nan"  # equal to itself
    if value is None or isinstance(value, (bool, int, float, str, bytes)):
        return type(value).__name__, value
    if dataclasses.is_dataclass(value) and not inspect.isclass(value):
        return type(value).__qualname__, fingerprint(vars(value), unknown)
    if not is_keras(value):
        content = _content(value)
        return "content", unknown(value) if content is None else content
    if inspect.isclass(value) or not hasattr(value, "get_config"):
        return value.__module__, value.__qualname__
    return (
        type(value).__qualname__,
        json.dumps(_config(value), sort_keys=True, default=repr),
        fingerprint(users_functions(value), unknown),
    )


def config_of(keras_object):
    """The whole configuration of a Keras object.

    Keras itself gives no more than the names of the user's functions, and leaves out
    some arguments of losses.
    """
    with warnings.catch_warnings():
        # Keras warns that a lambda can't be saved, which it is not here.
        warnings.simplefilter("ignore")
        config = dict(keras_object.get_config())
    taken = inspect.signature(type(keras_object).__init__).parameters
    for name, value in arguments_of(keras_object).items():
        if name in taken:
            config.setdefault(name, value)
    for name, function in users_functions(keras_object).items():
        name = name.rpartition(".")[
            2
        ]  # a recurrent layer has the arguments of its cell
        if name in config:
            config[name] = function
    return config


def _config(keras_object):
    """The configuration, without a name that Keras may have numbered."""
    config = config_of(keras_object)
    if not isinstance(keras_object, keras.metrics.Metric):  # those are told by name
        config.pop("name", None)
    return config


def has_users_code(value):
    """Whether there is code in a value that is not Keras' own, and so may change."""
    if isinstance(value, dict):
        return any(map(has_users_code, value.values()))
    if isinstance(value, (list, tuple)):
        return any(map(has_users_code, value))
    if dataclasses.is_dataclass(value) and not inspect.isclass(value):
        return has_users_code(vars(value))
    if not callable(value) and not hasattr(value, "get_config"):
        return False
    return not is_keras(value) or bool(users_functions(value))


def users_functions(keras_object):
    """The user's functions and objects that an object of Keras' own holds, by name.

    Its configuration has no more than their names.
    """
    if inspect.isclass(keras_object) or not hasattr(keras_object, "__dict__"):
        return {}
    found = {}
    for name, item in vars(keras_object).items():
        if name.startswith("_") or not callable(item):
            continue
        if not is_keras(item):
            found[name] = item
        elif isinstance(item, keras.layers.Layer):  # the cell of a recurrent layer
            inner = users_functions(item).items()
            found |= {f"{name}.{key}": function for key, function in inner}
    return found


# ------------------------------------------------------------------- by content

_LIBRARIES = [
    Path(sysconfig.get_path(name))
    for name in ("stdlib", "platstdlib", "purelib", "platlib")
]


@cache
def _is_library(name):
    """Whether a module is installed, and so does not change while a process runs."""
    if not name:
        return False
    root = name.split(".")[0]
    if root in ("__main__", "skseq"):
        return root == "skseq"
    path = getattr(sys.modules.get(name), "__file__", None)
    if path is None:
        return name in sys.builtin_module_names
    path = Path(path)
    return "site-packages" in path.parts or any(map(path.is_relative_to, _LIBRARIES))


# What a class or module has besides what its source says.
_NOT_IN_SOURCE = re.compile(
    "__(dict|weakref|doc|module|abstractmethods|firstlineno|static_attributes"
    "|annotations|name|package|loader|spec|file|cached|builtins)__|_abc_impl"
)

_PLAIN = (bool, int, float, str, bytes, tuple, list, dict, np.ndarray, type(None))

_KERAS_OBJECTS = (
    keras.layers.Layer,
    keras.losses.Loss,
    keras.metrics.Metric,
    keras.optimizers.Optimizer,
)


def _described(*_):
    """Stands for an object in a pickle that nobody loads."""


class _Content(cloudpickle.Pickler):
    """Pickles what the user's functions, classes and Keras objects consist of."""

    def __init__(self, file):
        super().__init__(file)
        # No references to what was written before: equal strings would be one string
        # in some functions and several in others, such as those that were unpickled.
        self.fast = True
        self.registered = set()
        self._seen = {}

    def reducer_override(self, obj):
        # What is described goes into the state, which may refer to the object itself.
        if isinstance(obj, _KERAS_OBJECTS):
            own = {k: v for k, v in vars(obj).items() if k != "name" and k[0] != "_"}
            own = {k: _plain(v) for k, v in own.items() if isinstance(v, _PLAIN)}
            return _described, (type(obj),), (_config(obj), own)
        name = getattr(obj, "__name__" if inspect.ismodule(obj) else "__module__", None)
        is_local = "<" in getattr(obj, "__qualname__", "")  # a library's, in a function
        kinds = (FunctionType, ModuleType, type)
        if not isinstance(obj, kinds) or (_is_library(name or "") and not is_local):
            return super().reducer_override(obj)
        if id(obj) in self._seen:  # it refers to itself, or is used twice
            return _described, (self._seen[id(obj)],)
        self._seen[id(obj)] = len(self._seen)
        if inspect.ismodule(obj):
            own = {
                name: item
                for name, item in vars(obj).items()
                if isinstance(item, _PLAIN)
                or getattr(item, "__module__", None) == obj.__name__
            }
            return _described, (obj.__name__,), _source(own)
        if inspect.isclass(obj):
            return _described, (obj.__qualname__, obj.__bases__), _source(vars(obj))
        self._pickle_by_value(name)
        return super().reducer_override(obj)

    def _pickle_by_value(self, name):
        # cloudpickle knows functions of an importable module by name alone, unless it
        # is told that the module may change.
        module = sys.modules.get(name)
        known = cloudpickle.list_registry_pickle_by_value()
        if module is None or name in known or name == "__main__" or _is_library(name):
            return
        cloudpickle.register_pickle_by_value(module)
        self.registered.add(module)


def _plain(value):
    """A list or dict as it is without what Keras keeps track of in it."""
    for kind in (list, dict):
        if isinstance(value, kind):
            return kind(value)
    return value


def _source(names):
    return {k: v for k, v in names.items() if not _NOT_IN_SOURCE.fullmatch(k)}


_PICKLING = threading.Lock()


def _content(value):
    """A hash of what a value consists of; None if that can't be pickled."""
    file = io.BytesIO()
    pickler = _Content(file)
    with _PICKLING:
        try:
            pickler.dump(value)
        except Exception:  # whatever the objects raise that a function refers to
            return None
        finally:
            for module in pickler.registered:
                cloudpickle.unregister_pickle_by_value(module)
    return hashlib.sha256(file.getvalue()).hexdigest()
