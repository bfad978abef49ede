"""What an import says; forks, one processor, threads, interrupts, notebooks."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
import types
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_array_equal

import skseq
from estimators import mostly_slow, with_slow
from skseq._engine import cache, layers, path, program, progress, recipe
from skseq._engine.keras import building
from skseq._engine.networks import Dense, Head

ROOT = Path(skseq.__file__).parents[1]


def run_python(code, *, timeout=240, **environment):
    """Run code in a new Python process; None as a value removes a variable."""
    variables = {**os.environ, **environment}
    return subprocess.run(
        [sys.executable, "-c", code],
        env={name: value for name, value in variables.items() if value is not None},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=timeout,
    )


FIT = """
import numpy as np, skseq
X, y = np.random.default_rng(0).normal(size=(60, 5, 2)), np.arange(60) % 2
"""


# ----------------------------------------------------------------- what an import says


@pytest.mark.parametrize("level", with_slow([None, "2"], "2"))
def test_first_fit_says_nothing_and_imports_no_more_than_it_needs(level):
    code = f"{FIT}skseq.GRUClassifier(4, epochs=1).fit(X, y).predict(X)\n"
    code += "import os, sys\nprint(os.environ.get('TF_CPP_MIN_LOG_LEVEL'))\n"
    code += "print(sorted({'tensorflow', 'tqdm'} & {*sys.modules}))"
    result = run_python(code, TF_CPP_MIN_LOG_LEVEL=level)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    assert result.stdout.splitlines() == [str(level), "['tensorflow']"]


@pytest.mark.slow
def test_user_who_has_set_a_level_gets_what_it_asks_for():
    code = "import os, skseq; skseq.LSTMClassifier\n"
    code += "print(os.environ['TF_CPP_MIN_LOG_LEVEL'])"
    result = run_python(code, TF_CPP_MIN_LOG_LEVEL="0")
    assert result.stdout.strip() == "0"
    assert "TensorFlow" in result.stderr or "oneDNN" in result.stderr


@pytest.mark.slow
def test_errors_go_on_to_standard_error_also_when_the_process_dies():
    code = """
from skseq._engine import keras
with keras._without_startup_lines():
    import os
    os.write(2, b"I0000 port.cc:153] oneDNN custom operations are on. You may see\\n")
    os.write(2, b"E0000 something.cc:1] the disk is on fire\\n")
    os.write(2, b"This CPU has no AVX.")
    os.abort()
"""
    result = run_python(code, TF_CPP_MIN_LOG_LEVEL=None)
    assert result.returncode != 0
    assert "oneDNN" not in result.stderr
    assert "the disk is on fire\nThis CPU has no AVX." in result.stderr


@pytest.mark.slow
def test_import_in_an_embedded_python():
    code = f"import sys; sys.executable = None\n{FIT}"
    code += "skseq.DenseClassifier(epochs=1).fit(X, y)"
    done = run_python(code, TF_CPP_MIN_LOG_LEVEL=None)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_star_import_without_imbalanced_learn():
    code = """
import sys
sys.modules["imblearn"] = None
import importlib.util
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *_: None if name == "imblearn" else find(name)
from skseq import *
print(LSTMClassifier.__name__, "SequenceResampler" in globals())
import skseq
try:
    skseq.SequenceResampler
except ImportError as error:
    print(error)
"""
    result = run_python(code)
    assert result.returncode == 0, result.stderr
    first, second = result.stdout.strip().splitlines()
    assert first == "LSTMClassifier False"
    assert "pip install imbalanced-learn" in second


# ------------------------------------------------------------------------------ forks

USE = {
    "skseq loaded, TensorFlow used by somebody else": (
        "import skseq\nimport tensorflow as tf\ntf.constant(1.0) + 1\n",
        "",
        "RuntimeError",
    ),
    "nothing of skseq loaded": (
        "import tensorflow as tf\ntf.constant(1.0) + 1\n",
        "",
        "RuntimeError",
    ),
    "TensorFlow imported and not used": ("import tensorflow, skseq\n", "", "fitted"),
    "TensorFlow used in the child alone": (
        "import skseq\n",
        "import tensorflow as tf\ntf.constant(1.0) + 1\n",
        "fitted",
    ),
}


@pytest.mark.skipif(
    "fork" not in multiprocessing.get_all_start_methods(), reason="no fork here"
)
@pytest.mark.parametrize(
    "case",
    with_slow(USE, "nothing of skseq loaded", "TensorFlow imported and not used"),
)
def test_fork_fits_or_raises_and_never_hangs(case):
    before, after, expected = USE[case]
    code = f"""
import os, signal
{before}
if os.fork():
    print(os.wait()[1])
else:
    signal.alarm(60)
    {after.replace(chr(10), chr(10) + "    ")}
    try:
        import numpy as np, skseq
        X, y = np.zeros((20, 3, 1)), np.arange(20) % 2
        skseq.DenseClassifier((2,), epochs=1).fit(X, y)
        print("fitted", flush=True)
    except RuntimeError as error:
        print("RuntimeError", "does not survive a fork" in str(error), flush=True)
    os._exit(0)
"""
    result = run_python(code)
    first, status = result.stdout.strip().splitlines()
    assert first in (expected, f"{expected} True")
    assert status == "0"


# ---------------------------------------------------------------------- one processor

# Things inside of which TensorFlow branches or calls a function.
BRANCHING = """
import keras, tensorflow as tf
def branching(x):
    return tf.cond(tf.reduce_sum(x) > 0, lambda: tf.nn.relu(x), lambda: x)
@tf.function
def called(x):
    return tf.cond(tf.reduce_sum(x) > 0, lambda: x, lambda: 2 * x)
def loss(y_true, y_pred):
    return tf.reduce_mean(called(tf.square(y_true - y_pred)), -1)
schedule = keras.optimizers.schedules.CosineDecay(
    1e-4, 300, warmup_target=3e-3, warmup_steps=5
)
PARAMS = [{}, {"optimizer": "adamw", "learning_rate": schedule},
          {"layer_activation": branching}, {"loss": loss},
          {"optimizer_params": {"gradient_accumulation_steps": 2}}]
"""


@pytest.mark.parametrize(
    "name", with_slow(["LSTMClassifier", "GRUClassifier"], "GRUClassifier")
)
def test_nothing_hangs_on_one_processor(name):
    code = f"""
import os
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {{min(os.sched_getaffinity(0))}})
{FIT}{BRANCHING}
for params in PARAMS:
    net = skseq.{name}(4, epochs=2, random_state=0, **params)
    net.fit(X, y).predict(X)
print("done")
"""
    assert run_python(code).stdout.strip() == "done"


@pytest.mark.slow
def test_nothing_hangs_with_more_fits_than_processors(sequences):
    X, y = sequences
    names = {}
    exec(BRANCHING, names)
    jobs = [params for params in names["PARAMS"] for _ in range(4)]

    def fit(params):
        return skseq.LSTMClassifier(4, epochs=2, random_state=0, **params).fit(X, y)

    with ThreadPoolExecutor(8) as pool:
        assert len(list(pool.map(fit, jobs, timeout=200))) == len(jobs)


def test_networks_that_branch_leave_the_single_threaded_executor(sequences):
    X, y = sequences
    names = {}
    exec(BRANCHING, names)
    for params, expected in zip(
        names["PARAMS"], (True, False, False, False, False), strict=True
    ):
        net = skseq.LSTMClassifier(4, epochs=1, **params).fit(X, y)
        with cache.borrowed(net._recipe) as borrowed:
            assert [single for _, single in borrowed._train.values()] == [expected]


# ----------------------------------------------------------------- threads and errors


def test_threads_leave_the_users_policy(sequences):
    X, y = sequences
    keras.config.set_floatx("float64")
    try:
        skseq.clear_programs()
        with ThreadPoolExecutor(4) as pool:
            list(
                pool.map(
                    lambda width: skseq.DenseClassifier((width,), epochs=2).fit(X, y),
                    range(2, 12),
                )
            )
        assert keras.config.floatx() == "float64"
    finally:
        keras.config.set_floatx("float32")


def test_threads_read_rates_while_others_are_removed(monkeypatch):
    def read(model):
        time.sleep(1e-3)
        return {}

    monkeypatch.setattr(recipe, "_MAX_RATES", 1)
    monkeypatch.setattr(recipe.facts, "rates", read)
    networks = [
        Dense(
            n_timesteps=3, n_features=1, head=Head(1, None), dense_units=(n,),
            activation=("relu",), dropout=(0.0,),
        )
        for n in range(1, 4)
    ]  # fmt: skip
    with ThreadPoolExecutor(3) as threads:
        assert list(threads.map(recipe._rates_of, networks * 20)) == [{}] * 60


def test_users_policy_holds_in_callbacks(sequences):
    X, y = sequences
    seen = []
    callback = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: seen.append(keras.config.floatx())
    )
    keras.config.set_floatx("float64")
    try:
        skseq.DenseClassifier((2,), epochs=1, callbacks=callback).fit(X, y)
    finally:
        keras.config.set_floatx("float32")
    assert seen == ["float64"]


class Fail(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        raise RuntimeError("pruned")


def _fail(estimator, X, y):
    raise ValueError("no score today")


def _infinite(y_true, y_pred):
    return keras.ops.mean((y_true - y_pred) ** 2, axis=-1) * float("inf")


FAILURES = {
    "callback": ({"callbacks": [Fail()]}, RuntimeError),
    "scorer": ({"early_stopping": True, "monitor": _fail}, ValueError),
    "loss": ({"loss": _infinite}, ValueError),
}


@pytest.mark.parametrize("case", FAILURES)
def test_program_survives_what_did_not_interrupt_its_tracing(
    sequences, monkeypatch, case
):
    X, y = sequences
    built = []

    class Counted(program.Program):
        def __init__(self, recipe):
            super().__init__(recipe)
            built.append(recipe)

    skseq.clear_programs()
    monkeypatch.setattr(cache, "Program", Counted)
    params, error = FAILURES[case]
    for _ in range(3):
        net = skseq.DenseClassifier((3,), epochs=2, random_state=0, **params)
        with pytest.raises(error):
            net.fit(X, y)
    assert len(built) == 1
    # What failed is in no later fit.
    if case == "callback":
        after = skseq.DenseClassifier((3,), epochs=2, random_state=0).fit(X, y)
        assert len(built) == 1
        skseq.clear_programs()
        fresh = skseq.DenseClassifier((3,), epochs=2, random_state=0).fit(X, y)
        assert_array_equal(after.predict_proba(X), fresh.predict_proba(X))
    skseq.clear_programs()


def test_refused_row_costs_no_program(sequences, monkeypatch):
    X, _ = sequences
    net = skseq.AutoencoderTransformer(layer_sizes=3, epochs=1, mask_value=-1.0).fit(X)
    net.transform(X)
    monkeypatch.setattr(cache, "Program", None)  # none is built any more
    with pytest.raises(ValueError, match="that is not padding"):
        net.transform(np.full_like(X, -1.0))
    net.transform(X)


def test_interrupt_while_tracing_takes_effect_after_it():
    reached = []
    with pytest.raises(KeyboardInterrupt):  # noqa: PT012
        with building():
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.01)
            reached.append("the end of the block")
        reached.append("after the block")
    assert reached == ["the end of the block"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_interrupted_fits_leave_tensorflow_eager(sequences):
    X, y = sequences
    params = {"epochs": 3, "dropout": 0.2, "random_state": 0}
    expected = skseq.GRUClassifier(4, **params).fit(X, y).predict_proba(X)
    n_interrupted = 0
    for delay in np.linspace(0.01, 0.5, 12):
        skseq.clear_programs()
        timer = threading.Timer(delay, os.kill, (os.getpid(), signal.SIGINT))
        try:
            timer.start()
            skseq.GRUClassifier(4, **params).fit(X, y).predict(X)
            timer.join()
            time.sleep(0.05)
        except KeyboardInterrupt:
            n_interrupted += 1
        timer.join()
        assert tf.executing_eagerly()
    assert n_interrupted == 12
    found = skseq.GRUClassifier(4, **params).fit(X, y).predict_proba(X)
    assert_array_equal(found, expected)


# ------------------------------------------------------------------------------- GPUs


@pytest.mark.parametrize(
    "name",
    mostly_slow(
        ["LSTMClassifier", "GRUClassifier", "SimpleRNNClassifier"], "LSTMClassifier"
    ),
)
@pytest.mark.parametrize("bidirectional", with_slow([False, True], False))
def test_recurrent_layers_drop_inputs_by_keras_loop(
    sequences, monkeypatch, name, bidirectional
):
    # With a GPU, Keras' own loop runs, which may call cuDNN.
    X, y = sequences
    monkeypatch.setattr(layers, "has_gpu", lambda: True)
    monkeypatch.setattr(path, "has_gpu", lambda: True)
    skseq.clear_programs()
    params = {"dropout": 0.4, "bidirectional": bidirectional, "random_state": 0}
    net = getattr(skseq, name)(4, epochs=3, **params).fit(X, y)
    plain = getattr(skseq, name)(4, epochs=3, **{**params, "dropout": 0.0}).fit(X, y)
    assert not np.allclose(net.predict_proba(X), plain.predict_proba(X))
    outputs = net.model_(X.astype(np.float32))
    np.testing.assert_allclose(
        np.asarray(outputs)[:, 0], net.predict_proba(X)[:, 1], atol=1e-5
    )
    skseq.clear_programs()


# -------------------------------------------------------------------------- notebooks


@pytest.fixture
def notebook(monkeypatch):
    """Imitate a cell of a notebook without ipywidgets."""
    shell = types.SimpleNamespace(config={"IPKernelApp": {}})
    module = types.ModuleType("IPython")
    module.get_ipython = lambda: shell
    monkeypatch.setitem(sys.modules, "IPython", module)
    find = progress.importlib.util.find_spec
    monkeypatch.setattr(
        progress.importlib.util,
        "find_spec",
        lambda name, *args: None if name == "ipywidgets" else find(name, *args),
    )


def test_notebook_without_widgets_gets_a_bar_of_text(sequences, notebook, capsys):
    X, y = sequences
    skseq.DenseClassifier(epochs=3, verbose=1).fit(X, y)
    assert "3/3" in capsys.readouterr().err


def test_bar_says_what_is_fitted(sequences, monkeypatch, capsys):
    X, y = sequences
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    skseq.LSTMClassifier(5, epochs=2, learning_rate=0.01, verbose=1).fit(X, y)
    last = capsys.readouterr().err.split("\r")[-1]
    assert "LSTMClassifier(units=5, epochs=2, learning_rate=0.01)" in last
