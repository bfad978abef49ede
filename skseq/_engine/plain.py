"""Keras objects as names and configurations, for files that run no code."""

import inspect

from skseq._engine.configurations import is_refused, is_unsafe, name_of, safe_names
from skseq._engine.keras import building, keras
from skseq._engine.private import has_value
from skseq._engine.stored import (
    compiled_with,
    has_layers,
    made_from,
    model_from,
    parts_of,
    skeleton_from,
    storable,
    users_parts,
)

__all__ = ["is_refused", "is_unsafe", "pickled", "read", "write"]

# Attributes of a callback that are set again when training begins.
_OF_TRAINING = ("monitor_op",)


def write(value, writer, place):
    """Convert a Keras object, a class or a function to what JSON can hold.

    Returns
    -------
    content : dict or None
        None: the value is no Keras object, or it can't be kept without code.
    """
    if inspect.isclass(value) or inspect.isfunction(value):
        name = name_of(value)
        return None if name is None else {"keras": name}
    is_model = has_layers(value)
    name = "models.Model" if is_model else name_of(type(value))
    if name is None or users_parts(value):
        return None
    if isinstance(value, keras.callbacks.Callback):
        values = {
            name: item
            for name, item in vars(value).items()
            if name[0] != "_" and name not in _OF_TRAINING
        }
        return {"keras": name, "values": writer.write(values, place)}
    _, config = parts_of(value)
    if _has_unsafe(config):
        return None
    content = {"keras": name, "config": writer.write(config, place)}
    if not is_model:
        return content
    content["is_sequential"] = type(value) is keras.Sequential
    content["has_values"] = all(map(has_value, value.weights))
    compiled = compiled_with(value) if content["has_values"] else {}
    return content | {"compiled": writer.write(compiled, f"{place}.compiled")}


def _has_unsafe(value):
    """Check whether a configuration holds one that is unsafe, or an object."""
    if isinstance(value, dict):
        return is_unsafe(value) or any(map(_has_unsafe, value.values()))
    if isinstance(value, list | tuple):
        return any(map(_has_unsafe, value))
    is_kept = value is None or isinstance(value, bool | int | float | str)
    return not is_kept and hasattr(value, "get_config") and name_of(type(value)) is None


def pickled(value):
    """Get what is pickled in place of a Keras object, or None for other values."""
    if isinstance(value, keras.callbacks.Callback):
        return value
    stored = storable(value)
    return None if stored is value else stored


def read(content, reader):
    """Make what `write` has converted.

    Raises
    ------
    ValueError
        If it names anything but Keras' own parts that run no code.
    """
    name = content["keras"]
    if "is_sequential" in content:
        config = _config_of(content, reader)
        if not content["has_values"]:
            return skeleton_from(config, {})
        compiled = reader.read(content["compiled"])
        return model_from(bool(content["is_sequential"]), config, {}, compiled)
    if name not in safe_names():
        raise ValueError(f"it must name parts of Keras that run no code, got {name!r}.")
    value = safe_names()[name]
    if "values" in content and name.startswith("callbacks."):
        return _callback(value, reader.read(content["values"]))
    if content.keys() == {"keras"}:
        return value
    if "config" not in content or not inspect.isclass(value):
        raise ValueError(f"it must make objects of classes, got {content!r}.")
    config = _config_of(content, reader)
    with building():
        return made_from(value, config)


def _config_of(content, reader):
    config = reader.read(content["config"])
    if not isinstance(config, dict):
        raise ValueError(f"a configuration must be a dict, got {config!r}.")
    return config


def _callback(cls, values):
    taken = inspect.signature(cls).parameters.keys() & values.keys()
    callback = cls(**{name: values[name] for name in taken})
    vars(callback).update(values)
    return callback
