"""The choice of how a network is run, by its layers and the amount of work.

The choice depends on nothing else, in particular not on which programs are compiled
already, so that a seed gives the same weights whatever was fitted before.
"""

import math
from contextlib import nullcontext

import joblib

from skseq._engine.fingerprints import has_users_code
from skseq._engine.keras import has_gpu, keras, tf

# Up to this many units operations are small.
_WIDE = 96

_RECURRENT = (keras.layers.LSTM, keras.layers.GRU, keras.layers.SimpleRNN)

_jit_compile: str | bool = "auto"


def set_jit_compile(value: str | bool) -> None:
    """Set whether networks are trained with XLA, in the whole process.

    Parameters
    ----------
    value : {"auto", True, False}
        True: XLA, TensorFlow's just-in-time compiler, is used wherever possible; it is
        not possible with ``metrics``, with batch normalization, or with your own loss
        or layers. False: XLA is never used. ``"auto"``, the initial setting: XLA is
        used where the time saved exceeds the time of compilation, see "Make training
        faster" in the user guide.

    Raises
    ------
    ValueError
        If ``value`` is something else.

    Examples
    --------
    >>> import skseq
    >>> skseq.set_jit_compile(False)
    >>> skseq.set_jit_compile("auto")
    """
    global _jit_compile
    if not (value == "auto" or isinstance(value, bool)):
        raise ValueError(f"value must be 'auto', True or False, got {value!r}.")
    _jit_compile = value


def chosen_jit_compile() -> str | bool:
    """Get the value that `set_jit_compile` has set."""
    return _jit_compile


# ---------------------------------------------------------------------------- XLA

# The time that XLA saves, in ms for a step of training, measured on two cores with
# batches of 32; and the time it has to save before its compilation (0.5 to 1.5 s) pays.
_SAVED_BY_CONVOLUTIONS = 0.1
_SAVED_BY_DENSE_LAYERS = 0.15
_HAS_TO_SAVE = 1000


def _saved_by_xla(calls):
    """Estimate the milliseconds saved in a step, from the uses of layers."""
    # Its loops over time copy what has been recorded so far.
    if any(map(_recurrent_layers, calls)):
        return 0
    for kind, saved in (
        (keras.layers.Conv1D, _SAVED_BY_CONVOLUTIONS),
        (keras.layers.Dense, _SAVED_BY_DENSE_LAYERS),
    ):
        if any(isinstance(call.layer, kind) for call in calls):
            return saved
    return 0


def _recurrent_layers(call):
    """Get the recurrent layers in a call: none, one, or those of two directions."""
    layers = [call.layer]
    if isinstance(call.layer, keras.layers.Bidirectional):
        layers = [call.layer.forward_layer, call.layer.backward_layer]
    return [layer for layer in layers if isinstance(layer, _RECURRENT)]


def earns_xla(recipe, facts, n_steps):
    """Decide whether XLA's compilation pays for this many steps of training.

    Parameters
    ----------
    recipe : skseq._engine.recipe.Recipe
    facts : skseq._engine.facts.Facts
        Of the recipe's network.
    n_steps : int
    """
    if _jit_compile != "auto":
        return _jit_compile
    # The user's functions and objects may not compile with XLA.
    theirs = recipe.optimizer, recipe.learning_rate, recipe.loss, recipe.metrics
    if has_users_code(theirs) or not facts.suits_xla or has_gpu():
        return False
    # XLA draws the random numbers of dropout ten times slower. Without columns the path
    # is as it was, because it has an effect on the last bits.
    has_columns = getattr(recipe.network, "columns", None) is not None
    if has_columns and any(
        isinstance(call.layer, keras.layers.Dropout) for call in facts.calls
    ):
        return False
    saved = sum(_saved_by_xla(calls) for calls in facts.parts)
    return n_steps * saved >= _HAS_TO_SAVE


# --------------------------------------------------------------------- prediction

# Predictions always run over batches of exactly this many rows, the last one filled up.
# Matrix products of other sizes may differ in the last bit, and the prediction for a
# row must not depend on the rows beside it. TensorFlow's matrix products take rows in
# groups of 4, 6, 8 or 24, by the processor, and a last, smaller group may differ in the
# last bit too. So the number is a multiple of 24.
_PREDICTION_ROWS = 72

# Networks of few operations take larger batches, up to these numbers of rows and this
# number of multiplications. Many rows then take half the time, and a single row one or
# two milliseconds more.
_MOST_ROWS_OF_CONVOLUTIONS = 288
_MOST_ROWS_OF_DENSE_LAYERS = 1152
_MORE_PREDICTION_WORK = 2**27


def prediction_rows(facts):
    """Choose the number of rows in a batch of predictions."""
    if not facts.are_known or any(map(_recurrent_layers, facts.calls)):
        return _PREDICTION_ROWS
    convolves = any(isinstance(call.layer, keras.layers.Conv1D) for call in facts.calls)
    most = _MOST_ROWS_OF_CONVOLUTIONS if convolves else _MOST_ROWS_OF_DENSE_LAYERS
    work = max(sum(map(_multiplications, facts.calls)), 1)
    rows = _PREDICTION_ROWS
    while 2 * rows <= min(most, _MORE_PREDICTION_WORK // work):
        rows *= 2
    return rows


def _multiplications(call):
    """Estimate the multiplications for a row: each weight at each timestep."""
    n_weights = sum(math.prod(weight.shape) for weight in call.layer.weights)
    return math.prod(call.output_shape[1:-1]) * n_weights


# ---------------------------------------------------------------------- executors


def is_slim(facts):
    """Check whether a network is a chain of operations too small for two threads."""
    layers = [layer for call in facts.calls for layer in _recurrent_layers(call)]
    wide = (keras.layers.Bidirectional, keras.layers.Conv1D)
    return (
        bool(layers)
        and max(layer.units for layer in layers) <= _WIDE
        and not any(isinstance(call.layer, wide) for call in facts.calls)
        and not has_gpu()
    )


def executor(is_single_threaded):
    """Get the context in which a function is traced and called.

    In a slim network, handing an operation to another thread takes more time than it
    saves.
    """
    if not is_single_threaded:
        return nullcontext()
    return tf.experimental.function_executor_type("SINGLE_THREADED_EXECUTOR")


def n_threads():
    """Get the number of threads in which TensorFlow runs operations side by side."""
    chosen = tf.config.threading.get_inter_op_parallelism_threads()
    return chosen or joblib.cpu_count()


def trace(make, slim):
    """Trace a function, in the single-threaded executor where that is possible.

    Parameters
    ----------
    make : callable
        Traces the function.
    slim : bool
        See `is_slim`.

    Returns
    -------
    function : callable
    is_single_threaded : bool
    """
    if slim:
        with executor(True):
            function = make()
        if not _waits_for_threads(function):
            return function, True
    return make(), False


def _waits_for_threads(function):
    """Check whether the single-threaded executor would wait for another thread.

    It hands ``tf.cond`` and calls of functions, as in a schedule, layer or loss, to
    TensorFlow's pool of threads, and waits for them in a thread of the same pool. With
    one processor, or with as many fits at once as there are processors, it would wait
    for ever. It runs loops by itself.
    """
    graph = function.graph.as_graph_def()
    nodes = list(graph.node)
    for part in graph.library.function:
        nodes.extend(part.node_def)
    return any(
        node.op not in ("While", "StatelessWhile")
        and any(
            value.HasField("func") or value.list.func for value in node.attr.values()
        )
        for node in nodes
    )
