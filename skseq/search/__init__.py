"""Hyperparameter search: pruning, Dask clusters, progress, and figures of results.

Names are loaded when they are first used, so that each needs only its own extra.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from skseq.search._dask import dask_config
    from skseq.search._displays import (
        SearchCorrelationDisplay,
        SearchScoresDisplay,
        SearchTimesDisplay,
    )
    from skseq.search._history import LearningHistoryDisplay
    from skseq.search._progress import SearchProgress
    from skseq.search._pruning import prune

__all__ = [
    "LearningHistoryDisplay",
    "SearchCorrelationDisplay",
    "SearchProgress",
    "SearchScoresDisplay",
    "SearchTimesDisplay",
    "dask_config",
    "prune",
]

_MODULES = {
    "LearningHistoryDisplay": "_history",
    "SearchCorrelationDisplay": "_displays",
    "SearchProgress": "_progress",
    "SearchScoresDisplay": "_displays",
    "SearchTimesDisplay": "_displays",
    "dask_config": "_dask",
    "prune": "_pruning",
}


def __getattr__(name):
    if name not in _MODULES:
        raise AttributeError(f"module 'skseq.search' has no attribute {name!r}")
    module = importlib.import_module(f"skseq.search.{_MODULES[name]}")
    value = globals()[name] = getattr(module, name)
    return value


def __dir__():
    return sorted({*globals(), *__all__})
