"""Pickles and copies of Keras objects, from their class and configuration.

Keras' own pickles hold the time at which they were written, so that equal objects give
different files. They also need the user's classes to be registered with Keras.
"""

import dataclasses
import inspect
import pickle

from skseq._engine.fingerprints import (
    KERAS_OBJECTS,
    config_of,
    is_graph,
    is_own_dataclass,
    users_functions,
)
from skseq._engine.keras import building, is_keras, keras
from skseq._engine.private import has_value
from skseq._engine.skeletons import without_values

# Parts of layers. A user's own are plain objects of Python.
_PARTS = (
    keras.initializers.Initializer,
    keras.regularizers.Regularizer,
    keras.constraints.Constraint,
)

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
    return _with_keras_objects(value, _copy)


def _with_keras_objects(value, change):
    """Apply a function to the Keras objects of a value.

    Returns the value itself if it holds none.
    """
    is_part = isinstance(value, _PARTS) and is_keras(type(value))
    if isinstance(value, KERAS_OBJECTS) or is_part:
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

    def __reduce__(self):
        _check_lambdas(self._object)
        cls, config = parts_of(self._object)
        if has_layers(self._object):
            parts = config, users_parts(self._object)
            if not all(map(has_value, self._object.weights)):
                return skeleton_from, parts
            is_sequential = cls is keras.Sequential
            compiled = storable(compiled_with(self._object))
            return model_from, (is_sequential, *parts, compiled)
        users = users_parts(self._object)
        # Without them, files are as those of version 0.1.
        return made_from, (cls, config, users) if users else (cls, config)


def parts_of(keras_object):
    """Get the class and the configuration of an object."""
    config = config_of(keras_object)
    if isinstance(keras_object, keras.optimizers.Optimizer):
        config.pop("name", None)  # Keras numbers it
    return type(keras_object), config


def made_from(cls, config, users=None):
    """Make a Keras object from its class and configuration.

    Parameters
    ----------
    cls : type
    config : dict
    users : dict or None
        The result of `users_parts`.
    """
    with keras.saving.custom_object_scope(users or {}):
        if cls in _BY_CONSTRUCTOR:
            return cls(**config)
        return cls.from_config(dict(config))


# Functions for models, so that a file does not hold the name of Keras' private class.


def skeleton_from(config, users):
    """Make a functional model without values."""
    with building():
        return without_values(lambda: made_from(keras.Model, config, users))


def model_from(is_sequential, config, users, compiled):
    """Make a model, and compile it with the arguments, if there are any."""
    cls = keras.Sequential if is_sequential else keras.Model
    with building():
        return _compiled(made_from(cls, config, users), compiled)


# Their names in files of versions before 0.6.
_skeleton_from, _model_from = skeleton_from, model_from


def _copy(keras_object):
    if has_layers(keras_object):
        with building():
            copy = copied_model(keras_object)
            return _compiled(copy, copied(compiled_with(keras_object)))
    copy = made_from(*parts_of(keras_object), users_parts(keras_object))
    if not is_keras(type(keras_object)):
        _check_config(keras_object, copy)
    return copy


def _check_config(keras_object, copy):
    """Raise if the configuration of a user's object lacks an argument.

    A subclass of a layer that does not extend its `get_config` has the default values
    of its own arguments in each copy.
    """
    config = keras_object.get_config()
    for name in inspect.signature(type(keras_object).__init__).parameters:
        value, copied_value = (vars(one).get(name) for one in (keras_object, copy))
        is_plain = isinstance(value, bool | int | float | str)
        if name not in config and is_plain and value != copied_value:
            raise ValueError(
                f"{type(keras_object).__name__}.get_config() must return all arguments "
                f"of __init__, got a dict without {name!r}: a copy has {name}="
                f"{copied_value!r} in place of {value!r}. Let it return "
                f"{{**super().get_config(), {name!r}: self.{name}}}."
            )


# -------------------------------------------------------------------------- models


def has_layers(value):
    """Check whether a value is a model that is copied layer by layer."""
    return is_graph(value) or type(value) is keras.Sequential


def copied_model(
    model, *, copy_layer=_copy, call_layer=None, copies_models=True, inputs=None
):
    """Copy a Keras model layer by layer, without compiling it.

    Parameters
    ----------
    model : keras.Model
        Functional or sequential. A copy of a sequential model that has an input is
        functional.
    copy_layer : callable
        Copies a layer or an operation.
    call_layer : callable or None
        Called as ``call_layer(layer, *args, **kwargs)`` in place of the layer, except
        inside of models inside the model.
    copies_models : bool
        Whether models inside the model are copied in the same way. False: by
        ``copy_layer``.
    inputs : keras.KerasTensor or None
        The input of the copy; None: a new one.
    """
    if isinstance(model, keras.Sequential) and not model.built:
        layers = [copy_layer(layer) for layer in model.layers]
        return keras.Sequential(layers, name=model.name)

    def copy(part):
        if copies_models and has_layers(part):
            return copied_model(part, copy_layer=copy_layer)
        return copy_layer(part)

    # Not compiled, and with the layers of a sequential model.
    if isinstance(model, keras.Sequential):
        ends = model.inputs[0], model.outputs[0]
    else:
        ends = model.input, model.output
    graph = keras.Model(*ends, name=model.name)
    with keras.saving.custom_object_scope(users_parts(model)):
        clone = keras.models.clone_model(
            graph, clone_function=copy, call_function=call_layer, input_tensors=inputs
        )
    return clone


def applied(model, x):
    """Apply a copy of a functional model to a tensor, and return the output.

    Unlike in a call of the model, the layers become those of the model that is being
    built, and pass on the mask of the tensor.
    """
    outputs = {}

    def call(layer, *args, **kwargs):
        result = layer(*args, **kwargs)
        outputs.setdefault(layer.name, []).append(keras.tree.flatten(result))
        return result

    copied_model(model, call_layer=call, inputs=x)
    name, call_index, tensor_index = keras.tree.flatten(
        config_of(model)["output_layers"]
    )
    return outputs[name][call_index][tensor_index]


def compiled_with(model):
    """Get the arguments with which a user has compiled a model.

    Returns
    -------
    arguments : dict
        ``"optimizer"``, ``"loss"`` and ``"metrics"``; empty if it is not compiled.
    """
    if not model.compiled:
        return {}
    config = model.get_compile_config() or {}
    for name in ("loss_weights", "weighted_metrics"):
        if config.get(name):
            raise ValueError(
                f"model must be compiled without {name}, got {config[name]!r}. Use "
                f"sample_weight or class_weight, and the parameter metrics."
            )
    try:
        metrics = keras.saving.deserialize_keras_object(config.get("metrics"))
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"model must be compiled with metrics of Keras, got metrics that Keras "
            f"can't read back: {error} Pass them as the parameter metrics."
        ) from error
    return {
        "optimizer": model.optimizer,
        "loss": model.loss,
        "metrics": metrics or None,
    }


def _compiled(model, arguments):
    if arguments:
        model.compile(**arguments)
    return model


def users_parts(keras_object):
    """Collect the user's classes and functions inside a Keras object.

    Keras' configurations have only their names.

    Returns
    -------
    parts : dict of str to type or callable
        By the names in a configuration.
    """
    found = {}
    for part in _inner(keras_object, set()):
        is_named = inspect.isfunction(part) or inspect.isclass(part)
        code = part if is_named else type(part)
        if part is keras_object or is_keras(code):
            continue
        name = keras.saving.get_registered_name(code)
        if found.setdefault(name, code) is not code:
            raise ValueError(
                f"model must not use two different classes or functions of the name "
                f"{name!r}, because Keras finds them by name. Rename one of them."
            )
    return found


def _inner(value, seen):
    """Yield a Keras object, the objects in its attributes, and the user's functions."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for part in value:
            yield from _inner(part, seen)
        return
    has_config = hasattr(value, "get_config") and not isinstance(value, type)
    if not has_config or id(value) in seen:
        return
    seen.add(id(value))
    yield value
    yield from users_functions(value).values()
    if isinstance(value, keras.Model):
        yield from _inner(value.layers, seen)
    else:
        yield from _inner(dict(vars(value)), seen)


def _check_lambdas(keras_object):
    """Raise for layers whose function can't be pickled."""
    layers = getattr(keras_object, "layers", [keras_object])
    for layer in layers:
        if isinstance(layer, keras.Model):
            _check_lambdas(layer)
            continue
        function = getattr(layer, "function", None)
        if not isinstance(layer, keras.layers.Lambda):
            continue
        name = getattr(function, "__qualname__", "")
        if "<" in name:
            raise pickle.PicklingError(
                f"The model can't be saved: its layer {layer.name!r} is a "
                f"keras.layers.Lambda with the function {name!r}, which is a lambda or "
                f"a function inside of another. Use a function at the top level of a "
                f"module, an operation of keras.ops, or a layer class of your own."
            )
