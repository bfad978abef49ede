"""Keys that are equal for networks, losses and optimizers with equal graphs."""

import dataclasses
import hashlib
import inspect
import io
import re
import sys
import sysconfig
import threading
import warnings
from functools import cache
from importlib import metadata
from pathlib import Path
from types import CodeType, FunctionType, ModuleType

import cloudpickle
import numpy as np

from skseq._engine.keras import is_keras, keras, tf
from skseq._engine.private import arguments_of, schedule_of


def fingerprint(value, unknown=id):
    """Compute a hashable key that is equal for values that build equal graphs.

    The key of a Keras object is its configuration. The key of a user's function, class
    or object is its code and the values that the code reads, as cloudpickle finds them.

    Parameters
    ----------
    value : object
    unknown : callable
        Gives the key of a function or object that reads a value that can't be pickled.
    """
    if isinstance(value, dict):
        items = [(key, fingerprint(item, unknown)) for key, item in value.items()]
        return tuple(sorted(items, key=lambda item: repr(item[0])))
    if isinstance(value, (list, tuple)):
        return tuple(fingerprint(item, unknown) for item in value)
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and np.isnan(value):
        return "nan"  # equal to itself
    if value is None or isinstance(value, (bool, int, float, str, bytes)):
        return type(value).__name__, value
    if is_own_dataclass(value):
        # A record from an earlier version lacks the fields that were added since.
        fields = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
        return type(value).__qualname__, fingerprint(fields, unknown)
    if is_graph(value):
        return _graph_content(value, unknown)
    if not is_keras(value):
        content = _content(value)
        return "content", unknown(value) if content is None else content
    if inspect.isclass(value) or not hasattr(value, "get_config"):
        return value.__module__, value.__qualname__
    return (
        type(value).__qualname__,
        fingerprint(_config(value), unknown),
        fingerprint(users_functions(value), unknown),
    )


def is_graph(value):
    """Check whether a value is a Keras model whose graph of layers is known."""
    return isinstance(value, keras.Model) and hasattr(value, "operations")


def _graph_content(model, unknown):
    """Compute a key from the layers of a model, and from what connects them."""
    config = config_of(model)
    layers = {layer.name: fingerprint(layer, unknown) for layer in model.layers}
    nodes = [
        (one["name"], layers.get(one["name"], one["config"]), one["inbound_nodes"])
        for one in config["layers"]
    ]
    frozen = [layer.name for layer in model.layers if not layer.trainable]
    ends = config["input_layers"], config["output_layers"]
    return type(model).__qualname__, fingerprint((nodes, frozen, ends), unknown)


def is_own_dataclass(value):
    """Check whether a value is one of this package's own records of options."""
    is_object = dataclasses.is_dataclass(value) and not inspect.isclass(value)
    return is_object and type(value).__module__.startswith("skseq.")


def config_of(keras_object):
    """Get the whole configuration of a Keras object.

    Keras' own configuration has only the names of the user's functions and of the
    classes of their schedules, and lacks some arguments of losses.
    """
    with warnings.catch_warnings():
        # Keras warns that a lambda can't be saved; it is not saved here.
        warnings.simplefilter("ignore")
        config = dict(keras_object.get_config())
    taken = inspect.signature(type(keras_object).__init__).parameters
    for name, value in arguments_of(keras_object).items():
        if name in taken:
            config.setdefault(name, value)
    for name, function in users_functions(keras_object).items():
        # A recurrent layer takes the arguments of its cell.
        name = name.rpartition(".")[2]
        if name in config and not isinstance(function, keras.layers.Layer):
            config[name] = function
    schedule = schedule_of(keras_object)
    if schedule is not None:
        config["learning_rate"] = schedule
    return config


def _config(keras_object):
    """Get the configuration without the name, to which Keras may add a number."""
    config = config_of(keras_object)
    if not isinstance(keras_object, keras.metrics.Metric):  # results have its name
        config.pop("name", None)
    return config


def has_users_code(value):
    """Check whether a value holds code that is not Keras' own, and may change."""
    if isinstance(value, dict):
        return any(map(has_users_code, value.values()))
    if isinstance(value, (list, tuple)):
        return any(map(has_users_code, value))
    if is_own_dataclass(value):
        return has_users_code(vars(value))
    if is_graph(value):
        return any(map(has_users_code, value.layers))
    if not callable(value) and not hasattr(value, "get_config"):
        return False
    return not is_keras(value) or bool(users_functions(value))


def users_functions(keras_object):
    """Collect the user's functions and objects inside a Keras object, by attribute.

    The configuration of the Keras object has only their names.
    """
    if inspect.isclass(keras_object) or not hasattr(keras_object, "__dict__"):
        return {}
    found = {}
    for name, item in vars(keras_object).items():
        if name == "_fn" and isinstance(keras_object, keras.metrics.MeanMetricWrapper):
            name = "fn"
        # Keras wraps the method `build` of each layer.
        if name.startswith("_") or name == "build":
            continue
        parts = enumerate(item) if isinstance(item, list | tuple) else [("", item)]
        for place, part in parts:
            key = f"{name}.{place}".rstrip(".")
            if not callable(part):
                continue
            if not is_keras(part):
                found[key] = part
            elif isinstance(part, keras.layers.Layer):  # the cell of a recurrent layer
                inner = users_functions(part).items()
                found |= {f"{key}.{name}": function for name, function in inner}
    return found


# ------------------------------------------------------------------- by content

_LIBRARIES = [
    Path(sysconfig.get_path(name))
    for name in ("stdlib", "platstdlib", "purelib", "platlib")
]


@cache
def _is_library(name):
    """Check whether a module is installed, and does not change in this process."""
    if not name:
        return False
    root = name.split(".")[0]
    if root in ("__main__", "skseq"):
        return root == "skseq"
    path = getattr(sys.modules.get(name), "__file__", None)
    if path is None:
        return name in sys.builtin_module_names
    path = Path(path)
    in_place = "site-packages" in path.parts or any(
        map(path.is_relative_to, _LIBRARIES)
    )
    return in_place and (root in _VERSIONED or bool(_installed(root)))


# Packages whose versions are part of what keys are compared with.
_VERSIONED = sys.stdlib_module_names | {"keras", "tensorflow", "numpy", "sklearn"}


@cache
def _installed(root):
    """Get a hash of what was installed as a package; empty if none has a record."""
    texts = []
    for name in metadata.packages_distributions().get(root, ()):
        package = metadata.distribution(name)
        # The record has the hash of each file.
        record = (package.read_text("RECORD") or "").splitlines()
        texts += [package.version, *(line for line in record if line.startswith(root))]
    return hashlib.sha256("\n".join(texts).encode()).hexdigest() if texts else ""


# Attributes of a class or module that are not in its source.
_NOT_IN_SOURCE = re.compile(
    "__(dict|weakref|doc|module|abstractmethods|firstlineno|static_attributes"
    "|annotations|name|package|loader|spec|file|cached|builtins)__|_abc_impl"
)

_PLAIN = (bool, int, float, str, bytes, tuple, list, dict, np.ndarray, type(None))

# The kinds of Keras objects that users extend.
KERAS_OBJECTS = (
    keras.layers.Layer,
    keras.losses.Loss,
    keras.metrics.Metric,
    keras.optimizers.Optimizer,
)


def _described(*_):
    """Take the place of an object in a pickle that is never loaded."""


class _Content(cloudpickle.Pickler):
    """Pickles the content of the user's functions, classes and objects."""

    def __init__(self, file):
        super().__init__(file)
        # Without references to earlier objects. Equal strings may be one object in a
        # function and several in its unpickled copy, and the pickles would differ.
        self.fast = True
        self.registered = set()
        self._seen = {}

    def persistent_id(self, obj):
        # In an order that is the same in each process.
        if type(obj) in (set, frozenset):
            items = sorted(obj, key=lambda one: (type(one).__name__, repr(one)))
            return type(obj).__name__, items
        return None

    def reducer_override(self, obj):
        if isinstance(obj, CodeType):
            # Without the place in a file, which each run of a notebook has anew.
            obj = obj.replace(co_filename="", co_firstlineno=1, co_linetable=b"")
            return self.dispatch_table[CodeType](obj)
        # The description goes into the state, which may refer to the object itself.
        if isinstance(obj, KERAS_OBJECTS) and not is_keras(type(obj)):
            return _described, (type(obj),), (_config(obj), _own_attributes(obj))
        if is_keras(type(obj)) and hasattr(obj, "get_config"):
            return _described, (type(obj),), (_config(obj), users_functions(obj))
        if is_keras(type(obj)) and isinstance(obj, list | dict | set):
            # Keras wraps the containers in attributes of layers.
            kind = next(one for one in (list, dict, set) if isinstance(obj, one))
            return _described, (), kind(obj)
        if isinstance(obj, tf.types.experimental.PolymorphicFunction):
            # It holds graphs that can't be pickled once it was traced.
            return _described, (), obj.python_function
        name = getattr(obj, "__name__" if inspect.ismodule(obj) else "__module__", None)
        # A function that a library has made inside another function.
        is_local = "<" in getattr(obj, "__qualname__", "")
        if not isinstance(obj, (FunctionType, ModuleType, type)):
            return super().reducer_override(obj)
        if _is_library(name or "") and not is_local:
            root = name.split(".")[0]
            if root == "skseq" or root in _VERSIONED:
                return super().reducer_override(obj)
            qualname = getattr(obj, "__qualname__", None)
            return _described, (name, qualname, _installed(root))
        if id(obj) in self._seen:  # the object refers to itself, or is used twice
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
        # cloudpickle pickles functions of an importable module by name alone, unless
        # the module is registered.
        module = sys.modules.get(name)
        known = cloudpickle.list_registry_pickle_by_value()
        if module is None or name in known or name == "__main__" or _is_library(name):
            return
        cloudpickle.register_pickle_by_value(module)
        self.registered.add(module)


def _own_attributes(keras_object):
    """Collect the attributes that a user's subclass has set, without weights."""
    if isinstance(keras_object, keras.optimizers.Optimizer):
        return {}  # only its configuration is used
    return {
        name: value
        for name, value in vars(keras_object).items()
        if name not in _keras_attributes()
        and not name.startswith("_self_")  # of TensorFlow's checkpoints
        and not isinstance(value, keras.Variable)
    }


@cache
def _keras_attributes():
    """Collect the attributes that Keras sets in every layer, loss and metric."""
    kinds = keras.layers.Layer, keras.losses.Loss, keras.metrics.Metric
    return {"built"}.union(*(vars(kind(name="bare")) for kind in kinds))


def _source(names):
    return {k: v for k, v in names.items() if not _NOT_IN_SOURCE.fullmatch(k)}


_PICKLING = threading.Lock()


def _content(value):
    """Compute a hash of the content of a value; None if it can't be pickled."""
    file = io.BytesIO()
    pickler = _Content(file)
    with _PICKLING:
        try:
            pickler.dump(value)
        except Exception:  # from any object that a function refers to
            return None
        finally:
            for module in pickler.registered:
                cloudpickle.unregister_pickle_by_value(module)
    return hashlib.sha256(file.getvalue()).hexdigest()
