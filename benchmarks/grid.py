"""Compare a grid search over an LSTM with skorch (PyTorch) and SciKeras.

The data is breast cancer, as 30 timesteps of one feature. The grid has units
{8, 16, 32} and learning rates {1e-3, 1e-2}, with the same 3 folds for all libraries.
The network is one LSTM layer whose last output goes to one logit. It is trained for 20
epochs by Adam, with batches of 32. ``GridSearchCV(scoring="roc_auc", refit=False)``
runs in one job, with two threads for each library's own operations. "function" is the
same network as a user's function in ``skseq.KerasClassifier``. "Cold" is the first
search of a new process, without the imports, and "warm" is the median of the searches
that follow. skseq also runs with ``n_jobs=2`` in joblib's threads.

    python benchmarks/grid.py               skseq and skorch
    python benchmarks/grid.py --scikeras    also SciKeras, once, as it takes minutes
"""

import argparse
import subprocess
import sys
import time

import numpy as np
from joblib import parallel_config
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.preprocessing import StandardScaler

UNITS, RATES = (8, 16, 32), (1e-3, 1e-2)
EPOCHS, BATCH = 20, 32


def skseq_estimator():
    import skseq

    estimator = skseq.LSTMClassifier(
        pooling="last", epochs=EPOCHS, batch_size=BATCH, random_state=0
    )
    return estimator, {"units": UNITS, "learning_rate": RATES}, np.int64


def function_estimator():
    import keras

    import skseq

    def build(inputs, units=8):
        return keras.layers.LSTM(units)(inputs)

    estimator = skseq.KerasClassifier(
        build, epochs=EPOCHS, batch_size=BATCH, random_state=0
    )
    return estimator, {"model__units": UNITS, "learning_rate": RATES}, np.int64


def skorch_estimator():
    import torch
    from skorch import NeuralNetBinaryClassifier

    torch.set_num_threads(2)
    torch.manual_seed(0)

    class Network(torch.nn.Module):
        def __init__(self, units=8):
            super().__init__()
            self.body = torch.nn.LSTM(1, units, batch_first=True)
            self.head = torch.nn.Linear(units, 1)

        def forward(self, x):
            return self.head(self.body(x)[0][:, -1]).squeeze(-1)

    estimator = NeuralNetBinaryClassifier(
        Network, optimizer=torch.optim.Adam, max_epochs=EPOCHS, batch_size=BATCH,
        iterator_train__shuffle=True, train_split=None, verbose=0,
    )  # fmt: skip
    return estimator, {"module__units": UNITS, "lr": RATES}, np.float32


def scikeras_estimator():
    import keras
    from scikeras.wrappers import KerasClassifier

    def build(units=8, rate=1e-3):
        model = keras.Sequential(
            [
                keras.Input((30, 1)),
                keras.layers.LSTM(units),
                keras.layers.Dense(1, activation="sigmoid"),
            ]
        )
        model.compile(keras.optimizers.Adam(rate), "binary_crossentropy")
        return model

    class Classifier(KerasClassifier):
        """Add the tags of a classifier to SciKeras', which scores NaN without them."""

        def __sklearn_tags__(self):
            tags = super().__sklearn_tags__()
            tags.estimator_type = "classifier"
            return tags

    estimator = Classifier(
        build, units=8, rate=1e-3, epochs=EPOCHS, batch_size=BATCH, verbose=0,
        random_state=0,
    )  # fmt: skip
    return estimator, {"units": UNITS, "rate": RATES}, np.int64


ESTIMATORS = {
    "skseq": skseq_estimator,
    "function": function_estimator,
    "skorch": skorch_estimator,
    "scikeras": scikeras_estimator,
}


def grid_seconds(estimator, grid, dtype, n_jobs=1):
    """Measure the seconds of a search and its best ROC AUC."""
    X, y = load_breast_cancer(return_X_y=True)
    X = StandardScaler().fit_transform(X).astype(np.float32)[:, :, None]
    search = GridSearchCV(
        estimator, {name: list(values) for name, values in grid.items()},
        scoring="roc_auc", cv=StratifiedKFold(3, shuffle=True, random_state=0),
        refit=False, n_jobs=n_jobs,
    )  # fmt: skip
    start = time.perf_counter()
    with parallel_config("threading"):
        search.fit(X, y.astype(dtype))
    return time.perf_counter() - start, search.best_score_


def child(name, n_warm):
    """Print the seconds and the score of one cold search and some warm ones."""
    made = ESTIMATORS[name]()
    for _ in range(1 + n_warm):
        print("one job", *grid_seconds(*made), flush=True)
    if name == "skseq":
        for _ in range(1 + n_warm):
            print("two threads", *grid_seconds(*made, n_jobs=2), flush=True)


def measure(name, n_warm):
    """Measure the seconds of each kind of run, and the scores, in a new process."""
    command = [sys.executable, __file__, "--child", name, "--warm", str(n_warm)]
    lines = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found, scores = {}, []
    for line in lines.stdout.splitlines():
        *kind, seconds, score = line.split()
        found.setdefault(" ".join(kind), []).append(float(seconds))
        scores.append(float(score))
    return found, scores


def compare(repeats, n_warm, with_scikeras):
    """Compute medians over new processes.

    Returns
    -------
    cold, warm : dict of str to float
        Seconds of each library, in one job.
    threads : float
        Seconds of skseq's warm search in two threads.
    scores : dict of str to float
        Best ROC AUC of each library.
    """
    names = ["skseq", "function", "skorch"]
    runs = {name: [] for name in names}
    for _ in range(repeats):
        for name in names:
            runs[name].append(measure(name, n_warm))
    if with_scikeras:
        runs["scikeras"] = [measure("scikeras", 0)]
    cold = {n: np.median([r["one job"][0] for r, _ in runs[n]]) for n in runs}
    warm = {n: np.median([r["one job"][1:] for r, _ in runs[n]]) for n in names}
    threads = np.median([r["two threads"][1:] for r, _ in runs["skseq"]])
    scores = {n: np.median([scores[0] for _, scores in runs[n]]) for n in runs}
    return cold, warm, threads, scores


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scikeras", action="store_true")
    parser.add_argument(
        "--repeats", type=int, default=5, help="number of cold searches"
    )
    parser.add_argument(
        "--warm", type=int, default=1, help="warm searches after each cold one"
    )
    parser.add_argument("--child", choices=ESTIMATORS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(options.child, options.warm)
        sys.exit()
    cold, warm, threads, scores = compare(
        options.repeats, options.warm, options.scikeras
    )
    for name in cold:
        print(
            f"{name:9s} cold {cold[name]:6.1f} s, "
            + (f"warm {warm[name]:6.1f} s, " if name in warm else "")
            + f"best ROC AUC {scores[name]:.4f}, cold time of skseq / {name}: "
            f"{cold['skseq'] / cold[name]:.2f}"
        )
    print(
        f"skseq, two threads, warm {threads:.1f} s: ratio to skorch in one job, "
        f"cold {threads / cold['skorch']:.2f}, warm {threads / warm['skorch']:.2f}"
    )
