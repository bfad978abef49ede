"""Pickles of functions that are parameters of estimators."""

import pickle
import sys

import cloudpickle

from skseq._state import refusal

_PYTHON = sys.version_info[:2]


class StoredFunction:
    """A wrapper that pickles as the function it holds.

    Functions of an importable module are pickled by name, and all others with their
    code. Unpickling gives the function, or a `MissingFunction` where it can't be made.
    So an estimator that was fitted in a notebook can be loaded without the notebook.

    Parameters
    ----------
    function : callable
    owner : str
        The estimator and its parameter, for messages.
    """

    def __init__(self, function, owner):
        self._function = function
        self._owner = owner

    def __getstate__(self):
        # skops asks for it, and pickle does not.
        raise TypeError(refusal(self._owner, self._function))

    def __reduce__(self):
        function = self._function
        if isinstance(function, MissingFunction):
            return function.__reduce__()
        try:
            content = cloudpickle.dumps(function)
        except Exception as error:  # from any object that a function refers to
            raise pickle.PicklingError(
                f"{self._owner} can't be pickled: {str(error).rstrip('.')}. Got "
                f"{function!r}. Define it at the top level of a module, or let it "
                f"refer only to what can be pickled."
            ) from error
        return _loaded, (content, _PYTHON, _name_of(function))


class MissingFunction:
    """Takes the place of a function that could not be loaded.

    Parameters
    ----------
    content : bytes
        The pickled function.
    python : tuple of int
        The version of Python under which it was pickled.
    name : str
    reason : str
        Why it could not be loaded.
    """

    def __init__(self, content, python, name, reason):
        self._parts = content, python, name
        self.__name__ = name
        self.reason = reason

    def __repr__(self):
        return f"<function {self.__name__}, not found: {self.reason}>"

    def __call__(self, *args, **kwargs):
        """Raise, because the function is missing."""
        raise RuntimeError(
            f"The function {self.__name__} can't be called: it was not found when the "
            f"estimator was loaded ({self.reason}). Predictions work without it. To "
            f"fit again, set the parameter to the function."
        )

    def __reduce__(self):
        return _loaded, self._parts


def _name_of(function):
    return getattr(function, "__qualname__", type(function).__qualname__)


def _loaded(content, python, name):
    # The code of a function is for one version of Python.
    if tuple(python) != _PYTHON:
        written = ".".join(map(str, python))
        return MissingFunction(content, python, name, f"saved under Python {written}")
    try:
        return pickle.loads(content)
    except Exception as error:  # from any module that the function needs
        return MissingFunction(content, python, name, str(error))
