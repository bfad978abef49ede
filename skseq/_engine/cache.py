"""A cache of programs, for later fits and predictions with the same recipe."""

import threading
from collections import OrderedDict
from contextlib import contextmanager
from typing import Any

from skseq._engine.forks import check_process
from skseq._engine.keras import building, check_thread
from skseq._engine.program import Program

# The number of idle programs to keep. Beyond it the least recently used one is removed.
_MAX_PROGRAMS = 32

_LOCK = threading.Lock()
# Programs that are not in use by any thread, by the keys of their recipes.
_idle: OrderedDict[Any, list[Program]] = OrderedDict()


def clear_programs() -> None:
    """Free the memory of all traced programs that are not in use.

    For each kind of network that was fitted, TensorFlow's traced graph (the program) is
    kept, for later fits and predictions with the same parameters. Fitted estimators can
    still be used afterwards: a program is traced again when it is needed.

    Examples
    --------
    >>> import skseq
    >>> skseq.clear_programs()
    """
    with _LOCK:
        _idle.clear()


@contextmanager
def borrowed(recipe):
    """Lend a program of this recipe to one thread, for the length of a block.

    The program is kept also when the block raises: tracing is not interrupted, and
    everything else that training changes is set again before each use.
    """
    check_process()
    check_thread()
    key = recipe.key()
    with _LOCK:
        programs = _idle.pop(key, [])
        program = _next_valid(programs, key)
        if programs:
            _idle[key] = programs
    if program is None:
        with building():
            program = Program(recipe)
    try:
        yield program
    finally:
        _give_back(key, program)


def _next_valid(programs, key):
    """Take a program that still has this key from a list, or return None.

    A program holds the user's objects. Its key is another one if they have changed.
    """
    while programs:
        program = programs.pop()
        if program.recipe.key() == key:
            return program
    return None


def _give_back(key, program):
    with _LOCK:
        _idle.setdefault(key, []).append(program)
        _idle.move_to_end(key)
        # At every moment valid, because an interrupt may come at any.
        while sum(map(len, _idle.values())) > _MAX_PROGRAMS:
            oldest, programs = next(iter(_idle.items()))
            if len(programs) > 1:
                programs.pop(0)
            else:
                del _idle[oldest]
