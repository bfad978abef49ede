"""Measure the time of fits and predictions apart from the training itself.

The script prints the time of

- the first fit of a new LSTM architecture minus that of the second: tracing;
- a fit of a warm architecture without its epochs: checks, weights, metadata;
- ``predict_proba`` of one row, alone and in a pipeline with a scaler;
- ``predict_proba`` of 100,000 rows, and its ratio to PyTorch with batches of 128 and of
  1,024 rows and the same number of threads;
- ``joblib.load`` and the first prediction, in a new process that has imported
  TensorFlow and Keras.

The times are medians, for an LSTM of 32 units and 30 timesteps of one feature.

    python benchmarks/costs.py
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import joblib
import numpy as np
import torch
from epochs import Network, data, seconds
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skseq

SHAPE = (569, 30, 1)


def estimator(**params):
    return skseq.LSTMClassifier(**{"units": 32, "pooling": "last", **params})


def first_fit(repeats=5):
    """Measure the seconds of a first fit minus those of the second."""
    X, y = data(SHAPE)
    estimator(units=9, epochs=1).fit(X, y)  # one-time work of TensorFlow
    found = []
    for units in range(10, 10 + repeats):
        new = estimator(units=units, epochs=1)
        first = seconds(new.fit, X, y)
        found.append(first - seconds(new.fit, X, y))
    return np.median(found)


def fit_overhead(repeats=11):
    """Measure the milliseconds of a warm fit outside its epochs."""
    X, y = data(SHAPE)
    one, three = estimator(epochs=1), estimator(epochs=3)
    one.fit(X, y)
    found = []
    for _ in range(repeats):
        short, long = seconds(one.fit, X, y), seconds(three.fit, X, y)
        found.append(short - (long - short) / 2)
    return 1e3 * np.median(found)


def one_row(repeats=200):
    """Measure the milliseconds for one row, alone and in a pipeline with a scaler."""
    X, y = data(SHAPE)
    fitted = estimator(epochs=1).fit(X, y)
    table = X[:, :, 0]
    pipeline = make_pipeline(StandardScaler(), estimator(epochs=1)).fit(table, y)
    alone = [seconds(fitted.predict_proba, X[:1]) for _ in range(repeats)]
    through = [seconds(pipeline.predict_proba, table[:1]) for _ in range(repeats)]
    return 1e3 * np.median(alone), 1e3 * np.median(through)


def many_rows(repeats=5, n_rows=100_000):
    """Measure the seconds for many rows, in PyTorch for each batch size."""
    X, y = data((n_rows, *SHAPE[1:]))
    fitted = estimator(epochs=1).fit(X[:1000], y[:1000])
    network, tensor = Network("LSTM", {"units": 32}, *SHAPE[1:]), torch.tensor(X)

    def theirs(n_batch):
        with torch.no_grad():
            parts = [
                network(tensor[i : i + n_batch]) for i in range(0, n_rows, n_batch)
            ]
            return torch.sigmoid(torch.cat(parts)).numpy()

    runs = {
        "skseq": lambda: fitted.predict_proba(X),
        128: lambda: theirs(128),
        1024: lambda: theirs(1024),
    }
    found = {name: [] for name in runs}
    for run in runs.values():
        run()
    for _ in range(repeats):
        for name, run in runs.items():
            found[name].append(seconds(run))
    return {name: np.median(times) for name, times in found.items()}


def load_and_predict(repeats=5):
    """Measure the seconds of loading and a first prediction in a new process."""
    X, y = data(SHAPE)
    code = (
        "import sys, time, numpy as np, sklearn.pipeline, joblib, tensorflow, keras\n"
        "X = np.load(sys.argv[2])\n"
        "start = time.perf_counter()\n"
        "joblib.load(sys.argv[1]).predict_proba(X[:1])\n"
        "print(time.perf_counter() - start)"
    )
    with tempfile.TemporaryDirectory() as folder:
        model, rows = Path(folder) / "model.joblib", Path(folder) / "X.npy"
        joblib.dump(estimator(epochs=1).fit(X, y), model)
        np.save(rows, X)
        found = [
            float(
                subprocess.run(
                    [sys.executable, "-c", code, model, rows],
                    check=True, stdout=subprocess.PIPE, text=True,
                ).stdout
            )
            for _ in range(repeats)
        ]  # fmt: skip
    return np.median(found)


if __name__ == "__main__":
    torch.set_num_threads(2)
    print(f"first fit minus the second: {first_fit():.2f} s")
    print(f"warm fit, time outside its epochs: {fit_overhead():.0f} ms")
    alone, through = one_row()
    print(f"prediction of one row: {alone:.2f} ms, in a pipeline {through:.2f} ms")
    many = many_rows()
    print(
        f"prediction of 100,000 rows: {many['skseq']:.2f} s, ratio to PyTorch "
        f"in batches of 128 rows {many['skseq'] / many[128]:.2f}, "
        f"of 1,024 rows {many['skseq'] / many[1024]:.2f}"
    )
    print(f"loading and first prediction, new process: {load_and_predict():.2f} s")
