"""Keras' classes by name, and the arguments that their constructors take."""

import inspect
import re

from skseq._engine.keras import keras as _keras  # noqa: F401  it says why Keras fails
from skseq._validation import nearest


def snake_case(name):
    """The name of a class in snake case, as Keras writes it."""
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return re.sub(r"(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def public_classes(module, base):
    """The subclasses of a class that a module of Keras has, by their names."""
    return {
        name: value
        for name, value in vars(module).items()
        if inspect.isclass(value) and issubclass(value, base) and value is not base
    }


def _accepted(cls):
    """Names that a Keras class' constructor takes, those of its base class included."""
    names = set()
    for ancestor in inspect.getmro(cls):
        if ancestor.__module__.startswith("keras.") or ancestor is cls:
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
    accepted = _accepted(cls) - set(also_refused)
    for name in options:
        if name not in accepted:
            raise ValueError(
                f"{parameter} must hold arguments of keras' {cls.__name__}, got "
                f"{name!r}.{nearest(name, accepted)}"
            )
