"""Doctests of public classes: these say that their module is ``skseq``."""

import doctest
import inspect

import skseq

_is_from_module = doctest.DocTestFinder._from_module


def _from_module(self, module, item):
    # Otherwise doctest takes them for imported ones where they are defined.
    if inspect.isclass(item) and item.__module__ == "skseq":
        return module.__name__ == f"skseq.{skseq._MODULES[item.__name__]}"
    return _is_from_module(self, module, item)


doctest.DocTestFinder._from_module = _from_module
