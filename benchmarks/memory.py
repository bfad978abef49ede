"""Measure the memory that fits keep, and that a fit on a large memmap takes.

The script measures the anonymous memory of a process (RssAnon, only on Linux). Each
result is from a new process:

- the growth over 200 fits and predictions of 20 architectures in turn, after the first
  20 fits;
- the same with 200 architectures, so that programs are removed from the cache: the
  growth for each architecture after the cache is full, on the plain path and with XLA;
- the peak during one epoch on a float32 memmap, minus the memory before it, with and
  without early stopping.

    python benchmarks/memory.py                  with a memmap of 4 GB
    python benchmarks/memory.py --gigabytes 1    with a smaller memmap
"""

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np


def anonymous_megabytes():
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("RssAnon is not in /proc/self/status.")


class Measured:
    """A context that measures seconds, and megabytes above the start."""

    def __enter__(self):
        self._done, self._peaks = threading.Event(), []
        self._before = anonymous_megabytes()
        self._watcher = threading.Thread(target=self._watch)
        self._watcher.start()
        self._start = time.perf_counter()
        return self

    def _watch(self):
        while not self._done.wait(0.005):
            self._peaks.append(anonymous_megabytes())

    def __exit__(self, *_):
        self.seconds = time.perf_counter() - self._start
        self._done.set()
        self._watcher.join()
        self.megabytes = max([*self._peaks, anonymous_megabytes()]) - self._before


def fits(n_architectures, after, xla):
    """Measure the megabytes after the first fits and after all 200."""
    import skseq

    skseq.set_jit_compile(xla)
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 10, 2)).astype(np.float32)
    y = (X.sum((1, 2)) > 0).astype(int)
    for i in range(200):
        if i == after:
            before = anonymous_megabytes()
        estimator = skseq.LSTMClassifier(
            16, dense_units=(4 + i % n_architectures,), epochs=2, random_state=0
        )
        estimator.fit(X, y).predict(X[:3])
    return before, anonymous_megabytes()


def memmap(gigabytes, early_stopping):
    """Measure the megabytes above the start during a fit, and its seconds."""
    import skseq

    n_rows = int(gigabytes * 2**30 / (4 * 30 * 8))
    with tempfile.TemporaryDirectory() as folder:
        X = np.memmap(
            Path(folder) / "X.dat", np.float32, "w+", shape=(n_rows, 30, 8)
        )  # fmt: skip
        rng = np.random.default_rng(0)
        block = rng.normal(size=(10_000, 30, 8)).astype(np.float32)
        for start in range(0, n_rows, len(block)):
            rows = X[start : start + len(block)]
            rows[:] = block[: len(rows)]
        y = (np.arange(n_rows) % 2).astype(np.int8)
        estimator = skseq.DenseClassifier(
            (8,), epochs=1, batch_size=512, early_stopping=early_stopping,
            monitor="roc_auc", random_state=0,
        )  # fmt: skip
        estimator.fit(X[:1000], y[:1000])
        with Measured() as measured:
            estimator.fit(X, y)
        return measured.megabytes, measured.seconds


def in_new_process(function, *args):
    command = [sys.executable, __file__, "--call", json.dumps([function, *args])]
    result = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return [float(value) for value in result.stdout.split()]


def measure(gigabytes):
    """Measure the memory that fits keep, and that a fit on a memmap takes.

    Returns
    -------
    few : float
        Megabytes that 200 fits of 20 architectures keep.
    each : dict of str to float
        Megabytes that each of 200 architectures keeps, for ``"plain"`` and ``"XLA"``.
    memmaps : dict of bool to tuple of float
        Without and with early stopping: megabytes above start, seconds of an epoch.
    """
    before, after = in_new_process("fits", 20, 20, False)
    few, each, memmaps = after - before, {}, {}
    for name, xla in (("plain", False), ("XLA", True)):
        before, after = in_new_process("fits", 200, 40, xla)
        each[name] = (after - before) / 160
    for early_stopping in (False, True):
        memmaps[early_stopping] = in_new_process("memmap", gigabytes, early_stopping)
    return few, each, memmaps


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gigabytes", type=float, default=4.0)
    parser.add_argument("--call", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.call:
        function, *args = json.loads(options.call)
        print(*{"fits": fits, "memmap": memmap}[function](*args))
        sys.exit()
    few, each, memmaps = measure(options.gigabytes)
    print(f"200 fits of 20 architectures: growth after the first 20 {few:.0f} MB")
    for name, grown in each.items():
        print(
            f"200 architectures, {name}: growth for each one after the first 40 "
            f"{grown:.2f} MB"
        )
    for early_stopping, (above, time) in memmaps.items():
        print(
            f"memmap of {options.gigabytes:g} GB, early stopping {early_stopping}: "
            f"peak {above:.0f} MB above start, {time:.0f} s per epoch"
        )
