"""Searches over the parameters of networks, by other libraries' engines.

Names are loaded when they are first used, so that each needs only its own extra.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from skseq.search._pruning import prune

__all__ = ["prune"]

_MODULES = {"prune": "_pruning"}


def __getattr__(name):
    if name not in _MODULES:
        raise AttributeError(f"module 'skseq.search' has no attribute {name!r}")
    module = importlib.import_module(f"skseq.search.{_MODULES[name]}")
    value = globals()[name] = getattr(module, name)
    return value


def __dir__():
    return sorted({*globals(), *__all__})
