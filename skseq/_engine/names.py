"""Keras' classes by name, and the arguments that their constructors take."""

import inspect
import re

from skseq._engine.configurations import is_refused
from skseq._validation import nearest


def snake_case(name):
    """Convert the name of a class to snake case, as Keras does."""
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return re.sub(r"(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def public_classes(module, base):
    """Collect the subclasses of a class in a module of Keras, as a dict by name."""
    return {
        name: value
        for name, value in vars(module).items()
        if inspect.isclass(value) and issubclass(value, base) and value is not base
    }


def accepted(cls):
    """Collect the arguments of a class, with those that it passes to base classes."""
    names = set()
    for ancestor in inspect.getmro(cls):
        if "__init__" not in vars(ancestor):
            continue
        parameters = inspect.signature(ancestor.__init__).parameters.values()
        names |= {
            parameter.name
            for parameter in parameters
            if parameter.kind
            in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
        }
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            break
    return names - {"self"}


def check_options(parameter, options, cls, also_refused=()):
    """Raise a ValueError if a dict holds names that a class does not take."""
    names = accepted(cls) - set(also_refused)
    for name in options:
        if name not in names:
            raise ValueError(
                f"{parameter} must hold arguments of {cls.__name__}, got "
                f"{name!r}.{nearest(name, names)}"
            )
        _check_configurations(parameter, options[name])


def _check_configurations(parameter, value):
    """Raise for configurations of what is neither Keras' nor registered with it.

    Keras 3.8 would import any module that they name.
    """
    if isinstance(value, list | tuple):
        for one in value:
            _check_configurations(parameter, one)
    if not isinstance(value, dict):
        return
    if is_refused(value):
        raise ValueError(
            f"{parameter} must hold configurations of Keras' own objects, got "
            f"{value!r}. Pass the object itself."
        )
    _check_configurations(parameter, list(value.values()))
