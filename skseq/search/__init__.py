"""Searches over parameters: on many machines.

Names are loaded when they are first used, because each needs an optional package.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from skseq.search._dask import dask_config

__all__ = ["dask_config"]

_MODULES = {"dask_config": "_dask"}


def __getattr__(name):
    if name not in _MODULES:
        raise AttributeError(f"module 'skseq.search' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"skseq.search.{_MODULES[name]}"), name)
    globals()[name] = value
    return value


def __dir__():
    return sorted({*globals(), *__all__})
