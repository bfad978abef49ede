"""The import of Keras on TensorFlow, and Keras' settings while something is built."""

import importlib.util
import os
import random
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager, suppress

# Lines that TensorFlow writes to standard error at each start, and that need no action
# by the user. All other lines are passed on to standard error.
_STARTUP_LINES = "|".join(
    [
        r"All log messages before absl::InitializeLog\(\) is called",
        r"port\.cc:\d+\] oneDNN custom operations are on",
        r"cudart_stub\.cc:\d+\] Could not find cuda drivers",
        # Without a driver or a GPU. With both, the line says what is wrong.
        r"\.cc:\d+\] failed call to cuInit: .*(\(303\)|NO_DEVICE|no CUDA-capable)",
        r"cuda_(blas|dnn|fft)\.cc:\d+\] Unable to register cu\w+ factory",
        r"computation_placer\.cc:\d+\] computation placer already registered",
        r"cpu_feature_guard\.cc:\d+\] This TensorFlow binary is optimized",
        r"^To enable the following instructions: ",
    ]
)

# The filter is a separate process, so that nothing is lost if the import ends this one.
_FILTER = """
import os, re, sys
known = re.compile(sys.argv[1].encode())
for line in sys.stdin.buffer:
    if not known.search(line):
        os.write(2, line)
"""


@contextmanager
def _without_startup_lines():
    """Leave TensorFlow's usual messages out of standard error during a block."""
    # With "0" the user asks for all messages. Other levels do not hide these lines.
    level = os.environ.get("TF_CPP_MIN_LOG_LEVEL")
    if level == "0" or os.name != "posix" or not sys.executable:
        yield
        return
    try:
        before = os.dup(2)
    except OSError:  # no standard error
        yield
        return
    try:
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _FILTER, _STARTUP_LINES],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
        )
    except (OSError, ValueError):  # no processes
        os.close(before)
        yield
        return
    os.dup2(process.stdin.fileno(), 2)
    process.stdin.close()
    # TensorFlow reads this once: from now on it reports warnings and errors alone.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")
    try:
        yield
    finally:
        if level is None:
            del os.environ["TF_CPP_MIN_LOG_LEVEL"]
        os.dup2(before, 2)
        os.close(before)
        # Unless a child of TensorFlow's import still holds standard error.
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=5)


def _import_keras():
    remedy = (
        "skseq runs Keras on TensorFlow. Unset the environment variable KERAS_BACKEND, "
        "or set KERAS_BACKEND=tensorflow, and see that ~/.keras/keras.json names no "
        "other backend."
    )
    wanted = os.environ.get("KERAS_BACKEND") or "tensorflow"
    if wanted != "tensorflow":
        raise ImportError(
            f"KERAS_BACKEND must be 'tensorflow', got {wanted!r}. {remedy}"
        )
    if "tensorflow" not in sys.modules:
        if importlib.util.find_spec("tensorflow") is None:
            raise ImportError(
                f"TensorFlow is not installed: pip install tensorflow. {remedy}"
            )
        with _without_startup_lines():
            import tensorflow

            if not os.path.exists("/dev/nvidiactl"):
                # TensorFlow looks for a GPU only once, and logs an error without one.
                tensorflow.config.list_physical_devices("GPU")
    import keras

    if keras.config.backend() != "tensorflow":
        raise ImportError(
            f"Keras' backend must be 'tensorflow', got {keras.config.backend()!r}: the "
            f"environment variable KERAS_BACKEND or ~/.keras/keras.json says so. "
            f"{remedy}"
        )
    return keras


keras = _import_keras()

import tensorflow as tf  # noqa: E402

# The data type of all networks, whatever the user's global policy is, so that a fitted
# estimator gives the same results in every process.
DTYPE = "float32"


def has_gpu():
    """Check whether programs run on a GPU."""
    return bool(tf.config.list_logical_devices("GPU"))


def is_keras(value):
    """Check whether a class, function or object is one of Keras' own."""
    module = getattr(value, "__module__", None) or type(value).__module__
    return module.split(".")[0] == "keras"


# ------------------------------------------------------------ building and tracing

# Building and tracing change state that all threads share.
_BUILDING = threading.RLock()

# Threads in which a user's function builds a model, while another thread has the lock.
BUILDERS: set[int] = set()


def check_thread():
    """Raise in a function of the user that builds a model."""
    if threading.get_ident() in BUILDERS:
        raise RuntimeError(
            "Networks of skseq can't be fitted or predict inside of the function that "
            "builds a model, because its variables have no values yet. Do so before, "
            "and pass the result as an argument in model_params."
        )


@contextmanager
def building():
    """Enter a block in which Keras objects are made or functions are traced.

    Only one thread at a time is in such a block. Keras' global data types are float32
    inside it, because losses, metrics and optimizers read them. Ctrl-C takes effect at
    the end of the block, because TensorFlow does not recover from an interrupted trace.
    """
    check_thread()
    with _interrupts_deferred(), _BUILDING, _float32_globally(), _python_random_kept():
        yield


@contextmanager
def _interrupts_deferred():
    handler = None
    if threading.current_thread() is threading.main_thread():
        handler = signal.getsignal(signal.SIGINT)
    if not callable(handler):  # another thread, or a signal without a Python handler
        yield
        return
    arrived = []
    signal.signal(
        signal.SIGINT, lambda *signal_and_frame: arrived.append(signal_and_frame)
    )
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
        if arrived:
            handler(*arrived[0])


@contextmanager
def _float32_globally():
    floatx, policy = keras.config.floatx(), keras.config.dtype_policy()
    if floatx == policy.name == DTYPE:
        yield
        return
    keras.config.set_floatx(DTYPE)
    keras.config.set_dtype_policy(DTYPE)
    try:
        yield
    finally:
        keras.config.set_floatx(floatx)
        keras.config.set_dtype_policy(policy)


@contextmanager
def _python_random_kept():
    # Keras draws a seed from Python's generator for each object without one.
    state = random.getstate()
    try:
        yield
    finally:
        random.setstate(state)
