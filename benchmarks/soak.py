"""Fit many times in one process, with failures in the middle, and see what is left.

Fits of all families and kinds follow one another: classifiers, regressors, autoencoder,
detector, samplers, several networks, early stopping, callbacks, lists of rows, a
user's own model, with and without XLA, and grid searches in threads and in processes.
Every third one fails: an exception or an interrupt from a callback, Ctrl-C at a random
moment, bad rows or labels, a full disk, a killed worker process. After a failure, a
fitted estimator must predict the same bits as before; every fit that does not fail must
predict the same bits as the first one of its kind.

After every 100 fits a line has the anonymous memory of the process (RssAnon, only on
Linux), its threads, open files and child processes, files in its temporary folder, and
the programs and graphs that are alive. The last line says how much the memory has grown
since the first 200 fits, and when each of the others was largest for the first time.

    python benchmarks/soak.py               2,000 fits, ten minutes on two idle cores
    python benchmarks/soak.py --fits 400    fewer
"""

import argparse
import gc
import hashlib
import itertools
import os
import signal
import tempfile
import threading
import time
import warnings
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
import keras
import numpy as np
from imblearn.over_sampling import SMOTE
from joblib.externals.loky import get_reusable_executor
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

import skseq
from skseq._engine import cache

# ------------------------------------------------------------------------------ fits

N_ROWS = 120
RNG = np.random.default_rng(0)
LABELS = np.arange(N_ROWS) % 2
# Two shapes, so that there are two programs of each kind.
SHAPES = [
    RNG.normal(size=(N_ROWS, *shape)) + LABELS[:, None, None]
    for shape in ((6, 3), (10, 2))
]


def own_model(inputs):
    return keras.layers.Dense(4, activation="relu")(keras.layers.Flatten()(inputs))


OPTIONS = {"epochs": 4, "batch_size": 16, "random_state": 0}
AUTOENCODER = skseq.AutoencoderTransformer(layer_sizes=6, epochs=4, random_state=0)
SEARCH = GridSearchCV(
    skseq.DenseClassifier((6,), **OPTIONS), {"learning_rate": [0.01, 0.003]}, cv=2,
    n_jobs=2, error_score="raise",
)  # fmt: skip


@dataclass(frozen=True)
class Kind:
    """A kind of fit.

    Attributes
    ----------
    estimator : estimator
    callbacks : str
        The name of its parameter with callbacks.
    xla : bool
    of_lists : bool
        Whether the rows have different lengths.
    n_fits : int
    backend : str
        That of joblib. Searches in worker processes are rare.
    """

    estimator: Any
    callbacks: str = "callbacks"
    xla: bool = False
    of_lists: bool = False
    n_fits: int = 1
    backend: str = "threading"

    @property
    def processes(self):
        return self.backend == "loky"


KINDS = {
    "LSTM": Kind(skseq.LSTMClassifier(6, **OPTIONS)),
    "GRU, early stopping": Kind(
        skseq.GRUClassifier(5, early_stopping=True, patience=2, **OPTIONS)
    ),
    "LSTM, lists": Kind(
        skseq.LSTMClassifier(5, pooling="mean", **OPTIONS), of_lists=True
    ),
    "RNN regressor": Kind(skseq.SimpleRNNRegressor(6, **OPTIONS)),
    "Conv1D": Kind(skseq.Conv1DClassifier(6, kernel_size=3, **OPTIONS)),
    "Conv1D, XLA": Kind(skseq.Conv1DRegressor(6, kernel_size=3, **OPTIONS), xla=True),
    "Dense, sampler": Kind(
        skseq.DenseClassifier((7,), sampler=SMOTE(random_state=0), **OPTIONS)
    ),
    "Dense, 3 networks, XLA": Kind(
        skseq.DenseClassifier((5,), n_networks=3, **OPTIONS), xla=True
    ),
    "own model": Kind(skseq.KerasClassifier(own_model, **OPTIONS)),
    "autoencoder": Kind(AUTOENCODER),
    "detector": Kind(
        skseq.AutoencoderOutlierDetector(AUTOENCODER, n_networks=2, random_state=0),
        callbacks="autoencoder__callbacks",
    ),
    "LatentSampler": Kind(
        skseq.LatentSampler(autoencoder=AUTOENCODER, random_state=0),
        callbacks="autoencoder__callbacks",
    ),
    "search, threads": Kind(SEARCH, callbacks="estimator__callbacks", n_fits=5),
    "search, processes": Kind(
        SEARCH, callbacks="estimator__callbacks", n_fits=5, backend="loky"
    ),
}  # fmt: skip


def fit(kind, estimator, X, y):
    """Fit an estimator, or resample; return its outputs for the rows."""
    if hasattr(estimator, "fit_resample"):
        return estimator.fit_resample(X, y)[0]
    with joblib.parallel_config(kind.backend):
        estimator.fit(X, y)
    return outputs(estimator, X)


def outputs(estimator, X):
    for method in ("predict_proba", "decision_function", "transform", "predict"):
        if hasattr(estimator, method):
            return getattr(estimator, method)(X)
    raise TypeError(estimator)


def digest(array):
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


# -------------------------------------------------------------------------- failures


class Fail(keras.callbacks.Callback):
    """Raises in the second epoch."""

    def __init__(self, error):
        super().__init__()
        self.error = error

    def on_epoch_end(self, epoch, logs=None):
        if epoch == 1:
            raise self.error("on purpose")


class Die(keras.callbacks.Callback):
    """Kills the process that trains, if a file exists, which it removes."""

    def __init__(self, path):
        super().__init__()
        self.path = str(path)

    def on_epoch_end(self, epoch, logs=None):
        with suppress(FileNotFoundError):
            os.unlink(self.path)
            os.kill(os.getpid(), signal.SIGKILL)


def fail_in_callback(kind, estimator, X, y, callback):
    estimator.set_params(**{kind.callbacks: [callback]})
    fit(kind, estimator, X, y)


def fail_by_exception(kind, estimator, X, y, rng):
    fail_in_callback(kind, estimator, X, y, Fail(RuntimeError))


def fail_by_interrupt(kind, estimator, X, y, rng):
    fail_in_callback(kind, estimator, X, y, Fail(KeyboardInterrupt))


def fail_by_full_disk(kind, estimator, X, y, rng):
    fail_in_callback(kind, estimator, X, y, keras.callbacks.CSVLogger("/dev/full"))


def fail_by_signal(kind, estimator, X, y, rng):
    """Send Ctrl-C at a random moment of a fit, or of the next one."""
    # A shell that starts a program in the background lets it ignore Ctrl-C.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    delay = rng.uniform(0, 0.1)
    timer = threading.Timer(delay, os.kill, [os.getpid(), signal.SIGINT])
    try:
        timer.start()
        while timer.is_alive():
            fit(kind, estimator, X, y)
    finally:
        timer.join()
        signal.signal(signal.SIGINT, before)


def fail_by_nan(kind, estimator, X, y, rng):
    bad = [np.array(row) for row in X]
    bad[rng.integers(len(bad))][0, 0] = np.nan
    fit(kind, estimator, bad if kind.of_lists else np.stack(bad), y)


def fail_by_labels(kind, estimator, X, y, rng):
    if hasattr(estimator, "transform") or hasattr(estimator, "decision_function"):
        raise ValueError("has no labels")
    fit(kind, estimator, X, y[:-1])


def fail_by_death(kind, estimator, X, y, rng):
    path = Path(tempfile.gettempdir()) / "die"
    path.touch()
    try:
        fail_in_callback(kind, estimator, X, y, Die(path))
    finally:
        path.unlink(missing_ok=True)


FAILURES = {
    "exception": fail_by_exception,
    "interrupt": fail_by_interrupt,
    "Ctrl-C": fail_by_signal,
    "full disk": fail_by_full_disk,
    "NaN": fail_by_nan,
    "labels": fail_by_labels,
}


# --------------------------------------------------------------------- what is alive


def count_children():
    count = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, parent = stat.read_text().rpartition(")")[2].split()[:2]
            count += int(parent) == os.getpid() and state != "Z"
    return count


def measure(folder):
    """Measure what is alive in this process, by the title of a column."""
    gc.collect()
    status = Path("/proc/self/status").read_text()
    (rss,) = [line for line in status.splitlines() if line.startswith("RssAnon")]
    with cache._LOCK:
        n_programs = sum(map(len, cache._idle.values()))
    return {
        "MB": int(rss.split()[1]) / 1024,
        "threads": len(os.listdir("/proc/self/task")),
        "Python's": threading.active_count(),
        "open files": len(os.listdir("/proc/self/fd")),
        "children": count_children(),
        "temporary files": sum(1 for _ in Path(folder).rglob("*")),
        "programs": n_programs,
        "graphs": sum(type(o).__name__ == "FuncGraph" for o in gc.get_objects()),
    }


def run(n_fits, folder, kinds=tuple(KINDS), every=100, seed=0, say=print):
    """Fit many times.

    Returns
    -------
    measured : list of dict
        After every ``every`` fits; the first one at the start.
    failed : dict of str to int
        The number of failures of each kind.
    """
    rng, start = np.random.default_rng(seed), time.perf_counter()
    known, failed, done, measured = {}, {}, 0, [{"fits": 0, **measure(folder)}]
    hows = itertools.cycle(FAILURES)
    plain = [name for name in kinds if not KINDS[name].processes]
    rare = [name for name in kinds if KINDS[name].processes]
    order = itertools.cycle([*plain * 4, *rare, *plain * 36])
    for turn, name in enumerate(order):
        if done >= min(measured[-1]["fits"] + every, n_fits):
            now = {"fits": done, **measure(folder)}
            now["minutes"] = (time.perf_counter() - start) / 60
            measured.append(now)
            say(now)
        if done >= n_fits:
            return measured, failed
        kind = KINDS[name]
        # Lists take a program for each length, and more than 32 would be removed.
        shape = 0 if kind.of_lists else turn % 2
        n_rows = int(rng.choice([60, N_ROWS]))
        X, y = SHAPES[shape][:n_rows], LABELS[:n_rows]
        if kind.of_lists:
            X = [row[: 2 + i % 4] for i, row in enumerate(X)]
        skseq.set_jit_compile(kind.xla)
        estimator = clone(kind.estimator)
        if kind.processes or (turn + turn // len(plain)) % 3 == 0:
            how = "killed worker" if kind.processes else next(hows)
            _fail(kind, how, estimator, X, y, rng)
            failed[how] = failed.get(how, 0) + 1
            done += kind.n_fits
            estimator.set_params(**{kind.callbacks: None})
        found = digest(fit(kind, estimator, X, y))
        done += kind.n_fits
        if known.setdefault((name, shape, n_rows), found) != found:
            raise AssertionError(f"{name}, {n_rows} rows: other bits than at first")
        if kind.processes:
            get_reusable_executor().shutdown(wait=True, kill_workers=True)


def _fail(kind, how, estimator, X, y, rng):
    """Let a fit fail, half of the time that of a fitted estimator."""
    before = None
    if rng.random() < 0.5 and not kind.processes and hasattr(estimator, "fit"):
        fit(kind, estimator, X, y)
        if not hasattr(estimator, "fit_resample"):
            before = digest(outputs(estimator, X))
    fail = FAILURES.get(how, fail_by_death)
    try:
        fail(kind, estimator, X, y, rng)
    except BaseException as error:
        error.__traceback__ = None  # it holds the frames
        if kind.processes:
            get_reusable_executor().shutdown(wait=True, kill_workers=True)
    else:
        raise AssertionError(f"{kind.estimator}: no failure by {how}")
    if before is not None and digest(outputs(estimator, X)) != before:
        raise AssertionError(f"{kind.estimator}: changed by a fit that failed ({how})")


def verdict(measured):
    """Say what has grown, and when."""
    after = [row for row in measured if row["fits"] >= 200] or measured[-1:]
    grown = after[-1]["MB"] - after[0]["MB"]
    parts = [f"memory {grown:+.1f} MB since {after[0]['fits']} fits"]
    for name in [n for n in after[0] if n not in ("fits", "MB", "minutes")]:
        largest = max(measured, key=lambda row: row[name])  # the first of them
        parts.append(f"{name} at most {largest[name]}, from {largest['fits']} fits on")
    return "; ".join(parts)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fits", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kinds", nargs="*", default=list(KINDS), choices=list(KINDS))
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder:
        tempfile.tempdir = os.environ["TMPDIR"] = folder
        os.environ["JOBLIB_TEMP_FOLDER"] = folder
        measured, failed = run(
            options.fits, folder, options.kinds, seed=options.seed,
            say=lambda row: print(row, flush=True),
        )  # fmt: skip
    names = list(measured[-1])
    print("\n|", " | ".join(names), "|")
    print("|", "---|" * len(names))
    for row in measured[1:]:
        values = map(row.get, names)
        cells = [f"{v:.1f}" if isinstance(v, float) else f"{v:,}" for v in values]
        print("|", " | ".join(cells), "|")
    print("\nfailures:", ", ".join(f"{n} {how}" for how, n in failed.items()))
    print(verdict(measured))
