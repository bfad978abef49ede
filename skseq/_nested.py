"""Parameters that are dicts or estimators, whose items are parameters too."""

from __future__ import annotations

import inspect
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar

from skseq._parameters import Declared

if TYPE_CHECKING:
    from typing import Self

# Parameters that are not in the title of a progress bar.
_UNTITLED = {"random_state", "verbose", "checkpoint", "checkpoint_epochs"}


class NestedParameters(Declared):
    """Mixin with ``get_params`` and ``set_params`` for such parameters."""

    # Parameters that are dicts, by the prefix with which their keys can be set, as in
    # `optimizer__clipnorm`.
    _dict_parameters: ClassVar[dict[str, str]] = {}

    # Parameters that are estimators, whose parameters can be set as in
    # `sampler__k_neighbors`.
    _nested_parameters: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def _get_param_names(cls):
        # BaseWrapper reads the instance's __dict__, where fitted state is as well.
        parameters = inspect.signature(cls.__init__).parameters
        return sorted(name for name in parameters if name != "self")

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Get the parameters of this estimator.

        Parameters
        ----------
        deep : bool, default=True
            Whether to include the items of parameters that are dicts, such as
            ``optimizer__<key>`` for each key of ``optimizer_params``, and the
            parameters of parameters that are estimators.

        Returns
        -------
        params : dict
            Parameter names mapped to their values.
        """
        params = {name: getattr(self, name) for name in self._get_param_names()}
        if deep:
            for prefix, name in self._dict_parameters.items():
                items = params.get(name)
                # A tuple has a dict for each layer.
                for key, value in (items if isinstance(items, dict) else {}).items():
                    params[f"{prefix}__{key}"] = value
            for name in self._nested_parameters:
                inner: Any = params.get(name)
                # `fit` raises for anything else.
                if hasattr(inner, "get_params") and not isinstance(inner, type):
                    for key, value in inner.get_params().items():
                        params[f"{name}__{key}"] = value
        return params

    def set_params(self, **params: Any) -> Self:
        """Set parameters of this estimator.

        Parameters
        ----------
        **params : dict
            Parameter names and values. ``optimizer__<key>`` sets a key of
            ``optimizer_params``, of which a copy is made; this also works for other
            parameters that are dicts. ``sampler__<name>`` sets a parameter of
            ``sampler``; this also works for other parameters that are estimators.

        Returns
        -------
        self : object
            This estimator.

        Raises
        ------
        ValueError
            If there is no parameter with one of the names. The message suggests the
            most similar name.
        """
        names = self._get_param_names()
        plain: dict[str, Any] = {}
        keyed: dict[str, dict[str, Any]] = {}
        nested: dict[str, dict[str, Any]] = {}
        for name, value in params.items():
            prefix, _, key = name.partition("__")
            if name == "optimizer__learning_rate":
                plain["learning_rate"] = value
            elif key and prefix in self._dict_parameters:
                keyed.setdefault(self._dict_parameters[prefix], {})[key] = value
            elif key and prefix in self._nested_parameters:
                nested.setdefault(prefix, {})[key] = value
            elif name in names:
                plain[name] = value
            else:
                raise ValueError(
                    f"Invalid parameter {name!r} for estimator "
                    f"{type(self).__name__}.{self._hint(name, vars(self))}"
                )
        for name, value in plain.items():
            setattr(self, name, value)
        for name, items in keyed.items():
            before: Any = getattr(self, name)
            if isinstance(before, list | tuple):  # a dict for each layer
                each = [{**(one or {}), **items} for one in before]
                setattr(self, name, type(before)(each))
            else:
                setattr(self, name, {**(before or {}), **items})
        for name, items in nested.items():
            if getattr(self, name) is None:
                raise ValueError(f"{name}__{next(iter(items))} needs {name}, got None.")
            getattr(self, name).set_params(**items)
        return self

    def _title(self):
        """Write the title of a progress bar: the class and its changed parameters.

        In a search of scikit-learn 1.9 or newer, the number of the fit is before it.
        """
        changed = [
            f"{name}={getattr(self, name)!r}"
            for name, one in self._parameters.items()
            if repr(getattr(self, name)) != repr(one.default) and name not in _UNTITLED
        ]
        title = f"{type(self).__name__}({', '.join(changed)})"
        title = title if len(title) <= 72 else f"{title[:69]}..."
        return f"{_place_in_search(self)}{title}"


def _place_in_search(estimator):
    # scikit-learn sets this attribute during a fit inside of another estimator. It is
    # experimental: a test tells if it changes, and a fit does not depend on it.
    context = getattr(estimator, "_parent_callback_ctx", None)
    with suppress(AttributeError, TypeError):
        while context is not None:
            names = (context.task_name, context.source_task_name)
            if "candidate-split-evaluation" in names:
                return f"fit {context.task_id + 1} of {context.parent.max_subtasks}: "
            context = context.parent
    return ""
