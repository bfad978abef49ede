"""Whether TensorFlow can run in this process: it does not survive a fork."""

import os
import sys
import threading
from pathlib import Path

# Whether TensorFlow was running when this process was forked from its parent.
_forked_while_running = False

# The process in which the check has passed.
_checked_in = None


def _is_running():
    """Whether TensorFlow was used in this process, or in its parent before a fork."""
    tensorflow = sys.modules.get("tensorflow")
    if tensorflow is None:
        return False
    try:
        threading_options = tensorflow.config.threading
        n_threads = threading_options.get_inter_op_parallelism_threads()
        # The number can be set only before TensorFlow starts.
        threading_options.set_inter_op_parallelism_threads(n_threads + 1)
    except RuntimeError:
        return True
    except AttributeError:  # TensorFlow is being imported
        return False
    threading_options.set_inter_op_parallelism_threads(n_threads)
    return False


def _has_threads():
    """Whether TensorFlow has threads in this process; True where nobody can tell."""
    try:
        tasks = os.listdir("/proc/self/task")
        names = [Path(f"/proc/self/task/{task}/comm").read_text() for task in tasks]
    except OSError:
        return True
    if any(name.startswith("tf_") for name in names):
        return True
    version = sys.modules["tensorflow"].__version__.split(".")[:2]
    # Older versions don't name their threads, of which others may be some as well.
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
    # A parent that imported TensorFlow alone left no note, but its threads are gone.
    if _forked_while_running or (_is_running() and not _has_threads()):
        raise RuntimeError(
            "TensorFlow was used in the parent of this process and does not survive a "
            "fork: fit and predict would hang. Use joblib's default backend 'loky', "
            "threads (joblib.parallel_config('threading')), or the start method "
            "'spawn' of multiprocessing."
        )
    _checked_in = os.getpid()
