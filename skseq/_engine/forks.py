"""The check that TensorFlow can run in this process: it does not survive a fork."""

import os
import sys
import threading
from pathlib import Path

# Whether TensorFlow was running in the parent when this process was forked.
_forked_while_running = False

# The id of the process in which the check has passed.
_checked_in = None


def _is_running():
    """Check whether TensorFlow was used, here or in the parent before a fork."""
    tensorflow = sys.modules.get("tensorflow")
    if tensorflow is None:
        return False
    try:
        threading_options = tensorflow.config.threading
        n_threads = threading_options.get_inter_op_parallelism_threads()
        # TensorFlow raises if the number is set after its start.
        threading_options.set_inter_op_parallelism_threads(n_threads + 1)
    except RuntimeError:
        return True
    except AttributeError:  # TensorFlow is being imported
        return False
    threading_options.set_inter_op_parallelism_threads(n_threads)
    return False


def _has_threads():
    """Check whether TensorFlow has threads in this process; True if unknown."""
    try:
        tasks = os.listdir("/proc/self/task")
        names = [Path(f"/proc/self/task/{task}/comm").read_text() for task in tasks]
    except OSError:
        return True
    if any(name.startswith("tf_") for name in names):
        return True
    version = sys.modules["tensorflow"].__version__.split(".")[:2]
    # Older versions don't name their threads, which then can't be told from others.
    return tuple(map(int, version)) < (2, 21) and len(names) > threading.active_count()


def _remember():
    global _forked_while_running
    _forked_while_running = _forked_while_running or _is_running()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_remember)


def check_process():
    """Raise a RuntimeError if TensorFlow would hang in this process."""
    global _checked_in
    if _checked_in == os.getpid():
        return
    # A parent that used TensorFlow without skseq left no note, but its threads are
    # gone.
    if _forked_while_running or (_is_running() and not _has_threads()):
        raise RuntimeError(
            "TensorFlow was used in the parent of this process and does not survive a "
            "fork: fit and predict would hang. Use joblib's default backend 'loky', "
            "threads (joblib.parallel_config('threading')), or the start method "
            "'spawn' of multiprocessing."
        )
    _checked_in = os.getpid()
