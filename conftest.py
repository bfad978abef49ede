"""What tests and doctests need before anything else."""

import doctest
import inspect
import os

# OpenMP's threads, in scikit-learn, must not spin while another test has the processor:
# with two tests at once, a fit that spins takes up to twenty times as long.
os.environ["OMP_WAIT_POLICY"] = "PASSIVE"

import skseq

# Doctests of public classes: these say that their module is ``skseq``.

_is_from_module = doctest.DocTestFinder._from_module


def _from_module(self, module, item):
    # Otherwise doctest takes them for imported ones where they are defined.
    if inspect.isclass(item) and item.__module__ == "skseq":
        return module.__name__ == f"skseq.{skseq._MODULES[item.__name__]}"
    return _is_from_module(self, module, item)


doctest.DocTestFinder._from_module = _from_module
