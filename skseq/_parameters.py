"""Parameters of estimators, each declared once with type, default and description.

A class declares a parameter as::

    class Trained(Declared):
        epochs: int = parameter(
            default=30,
            constraint=[Interval(Integral, 1, None, closed="left")],
            text='''int
            Passes over the training rows.''',
        )

From its declarations and those of its base classes, every subclass of `Declared` gets

- an ``__init__`` with explicit parameters, which stores them unchanged;
- ``_parameter_constraints`` as in scikit-learn;
- the section *Parameters* of its docstring, and the section *Attributes*, joined from
  those of its base classes.

A class changes the default of a parameter of a base class by ``epochs: int = 100``.
A class that defines ``__init__`` itself keeps it, and its docstring.
"""

import inspect
import re
from dataclasses import dataclass, replace
from typing import Any, ClassVar, dataclass_transform

from skseq._validation import unknown_name

# The order of parameters in signatures and docstrings.
GROUPS = ("network", "training", "validation", "classes", "other")


@dataclass(frozen=True)
class Parameter:
    """A declaration, see `parameter`."""

    default: Any
    constraint: list | str
    text: str
    group: str
    kw_only: bool
    annotation: Any = inspect.Parameter.empty

    def lines(self, name):
        """Write the entry in a numpydoc section."""
        kind, _, text = inspect.cleandoc(self.text).partition("\n")
        default = repr(self.default).replace("'", '"')
        head = f"{name} : {kind}, default={default}"
        return [head, *(f"    {line}".rstrip() for line in text.strip().splitlines())]


def parameter(
    *,
    default: Any,
    constraint: list | str,
    text: str,
    group: str = "network",
    kw_only: bool = True,
) -> Any:
    """Declare a parameter.

    Parameters
    ----------
    default : object
    constraint : list or "no_validation"
        As in scikit-learn's ``_parameter_constraints``.
    text : str
        The entry in the docstring: the type in the first line, then the description.
    group : str
        One of `GROUPS`.
    kw_only : bool
        False for the one parameter that can be passed by position.
    """
    return Parameter(default, constraint, text, group, kw_only)


@dataclass_transform(kw_only_default=True, field_specifiers=(parameter,))
class Declared:
    """Base class of classes that declare parameters; see the module's docstring."""

    _parameters: ClassVar[dict[str, Parameter]] = {}
    _own_docstring: ClassVar[str | None] = None

    @classmethod
    def _hint(cls, name, values):
        """Write the end of a message about an unknown parameter, after a space.

        Parameters
        ----------
        name : str
        values : dict
            The other parameters.
        """
        return unknown_name(name, cls._parameters, getattr(cls, "fit", None))

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        cls._own_docstring = vars(cls).get("__doc__")
        cls._parameters = _parameters_of(cls)
        cls._parameter_constraints = {
            **_inherited_constraints(cls),
            **{name: one.constraint for name, one in cls._parameters.items()},
        }
        for name, one in cls._parameters.items():
            if name in vars(cls):
                # The value in an object that is older than the parameter.
                setattr(cls, name, one.default)
        if _has_own_constructor(cls):
            return
        cls.__init__ = _constructor(cls)
        cls.__doc__ = _docstring(cls)


def _parameters_of(cls):
    found = {}
    for base in reversed(cls.__mro__[1:]):
        own = vars(base).get("_parameters", {})
        found |= own
        # A mixin may change the default of a parameter that it does not declare.
        for name in inspect.get_annotations(base).keys() & found.keys() - own.keys():
            found[name] = replace(found[name], default=vars(base)[name])
    annotations = inspect.get_annotations(cls)
    for name, value in list(vars(cls).items()):
        if isinstance(value, Parameter):
            found[name] = replace(value, annotation=annotations[name])
        elif name in found and name in annotations:
            found[name] = replace(found[name], default=value)
    order = sorted(found.items(), key=lambda item: GROUPS.index(item[1].group))
    # The parameter that can be passed by position comes first.
    return dict(sorted(order, key=lambda item: item[1].kw_only))


def _inherited_constraints(cls):
    """Collect the constraints that base classes declare as scikit-learn does."""
    found = {}
    for base in reversed(cls.__mro__[1:]):
        if not issubclass(base, Declared):
            found |= vars(base).get("_parameter_constraints", {})
    return found


def _has_own_constructor(cls):
    """Check whether a class, or a base class before `Declared`, defines __init__."""
    for base in cls.__mro__[: cls.__mro__.index(Declared)]:
        if "__init__" in vars(base):
            return not hasattr(vars(base)["__init__"], "_is_generated")
    return False


def _constructor(cls):
    parameters = [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY
            if one.kw_only
            else inspect.Parameter.POSITIONAL_OR_KEYWORD,
            default=one.default,
            annotation=one.annotation,
        )
        for name, one in cls._parameters.items()
    ]
    myself = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    signature = inspect.Signature([myself, *parameters])
    defaults = {name: one.default for name, one in cls._parameters.items()}

    def __init__(self, *args, **kwargs):
        # As `set_params` takes them: `optimizer__clipnorm` for a key of a dict.
        prefixes = getattr(self, "_dict_parameters", ())
        keys = [name for name in kwargs if name.partition("__")[0] in prefixes]
        keyed = {name: kwargs.pop(name) for name in keys if name not in defaults}
        for name in kwargs:
            if name not in defaults:
                given = signature.bind_partial(self, *args).arguments | kwargs
                raise TypeError(
                    f"{type(self).__name__} got an unexpected parameter {name!r}."
                    f"{self._hint(name, given)}"
                )
        bound = signature.bind(self, *args, **kwargs).arguments
        del bound["self"]
        vars(self).update(defaults | bound)
        if keyed:
            self.set_params(**keyed)

    __init__._is_generated = True
    __init__.__signature__ = signature
    __init__.__qualname__ = f"{cls.__qualname__}.__init__"
    __init__.__module__ = cls.__module__
    return __init__


# ----------------------------------------------------------------------- docstrings

_SECTION = re.compile(r"^(\w[\w ]*)\n-{3,}\n", re.MULTILINE)


def _sections(doc):
    """Split a docstring into the text before the first section, and the sections."""
    if doc is None:
        return "", {}
    head, *parts = _SECTION.split(inspect.cleandoc(doc))
    return head.strip(), dict(zip(parts[::2], map(str.strip, parts[1::2]), strict=True))


def _docstring(cls):
    """Fill in Parameters and Attributes in the docstring of a class."""
    if cls._own_docstring is None:
        return None
    head, sections = _sections(cls._own_docstring)
    attributes = []
    for base in cls.__mro__:
        if issubclass(base, Declared):
            own = _sections(base._own_docstring)[1].get("Attributes")
            attributes += [own] if own else []
    parameters = ["\n".join(one.lines(name)) for name, one in cls._parameters.items()]
    filled = {"Parameters": "\n\n".join(parameters)}
    if attributes:
        filled["Attributes"] = "\n\n".join(attributes)
    parts = [head]
    for title, text in {**filled, **sections, **filled}.items():
        if text:
            parts.append(f"{title}\n{'-' * len(title)}\n{text}")
    return "\n\n".join(parts) + "\n"
