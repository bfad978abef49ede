"""Programs that are kept for later fits and predictions of the same recipe."""

import threading
from collections import OrderedDict
from contextlib import contextmanager
from typing import Any

from skseq._engine.forks import check_process
from skseq._engine.keras import building
from skseq._engine.program import Program

# Idle programs kept; beyond that the least recently used one goes.
_MAX_PROGRAMS = 32

_LOCK = threading.Lock()
# Programs that no thread is using, by the keys of their recipes.
_idle: OrderedDict[Any, list[Program]] = OrderedDict()


def clear_programs() -> None:
    """Forget all traced programs that are not in use, and free their memory.

    Fitted estimators are not touched: what they need is built again at the next use.

    Examples
    --------
    >>> import skseq
    >>> skseq.clear_programs()
    """
    with _LOCK:
        _idle.clear()


@contextmanager
def borrowed(recipe):
    """A program of this recipe that no other thread is using.

    An exception in the block does not cost the program: tracing is not interrupted, and
    everything else in a program is set anew before it is used.
    """
    check_process()
    key = recipe.key()
    with _LOCK:
        programs = _idle.pop(key, [])
        program = programs.pop() if programs else None
        if programs:
            _idle[key] = programs
    if program is None:
        with building():
            program = Program(recipe)
    try:
        yield program
    finally:
        _give_back(key, program)


def _give_back(key, program):
    with _LOCK:
        _idle.setdefault(key, []).append(program)
        _idle.move_to_end(key)
        while sum(map(len, _idle.values())) > _MAX_PROGRAMS:
            oldest = next(iter(_idle))
            _idle[oldest].pop(0)
            if not _idle[oldest]:
                del _idle[oldest]
