"""Compare searches over the parameters of a GRU: time, traces and the ROC AUC found.

The data is the credit card clients of Taiwan, six months of three columns. The first
rows, drawn at random, are for the search, by 3 folds, and all others for the test. The
candidates have 8, 16 or 32 units, a learning rate from 1e-4 to 1e-1, and a dropout of
0 or 0.3. The grid has 24 of them. Halving begins with the same grid. Optuna's studies
have as many trials, and draw the learning rate from the whole range. Each search starts
without traced programs, in one job. Seconds of the processors depend less on other
programs that run. "Epochs" are those that are trained in all folds.
The best candidate is trained on all rows of the search for the ROC AUC on the test.

    python benchmarks/searches.py
    python benchmarks/searches.py --seeds 3 --rows 6000
"""

import argparse
import os
import time
from pathlib import Path

import numpy as np
import optuna
import pandas as pd
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    StratifiedKFold,
    cross_val_score,
    train_test_split,
)
from sklearn.preprocessing import StandardScaler

import skseq
from skseq._engine import cache, program
from skseq.datasets import load_credit_default
from skseq.search import prune

EPOCHS, FOLDS = 18, 3
GRID = {
    "units": [8, 16, 32],
    "learning_rate": [1e-4, 1e-3, 1e-2, 1e-1],
    "dropout": [0.0, 0.3],
}
N_TRIALS = 24
PAY = ["PAY_6", "PAY_5", "PAY_4", "PAY_3", "PAY_2", "PAY_0"]
COLUMNS = [
    name
    for i, pay in enumerate(PAY)
    for name in (pay, f"BILL_AMT{6 - i}", f"PAY_AMT{6 - i}")
]


class Counted(program.Program):
    """A program that counts traces of training and rows that are trained on."""

    n_traces = n_rows = 0

    def _trace_training(self, *args):
        Counted.n_traces += 1
        return super()._trace_training(*args)

    def train_chunk(self, chunk, *args):
        Counted.n_rows += len(chunk[0])
        return super().train_chunk(chunk, *args)


def load(n_rows):
    """Load rows for the search, and for the test."""
    path = Path(os.environ.get("SKSEQ_DATA", "")) / "credit_default.csv.gz"
    if os.environ.get("SKSEQ_DATA") and path.exists():
        frame = pd.read_csv(path)
        y = frame["default_payment_next_month"]
    else:
        frame, y = load_credit_default(return_X_y=True)
    X = frame[COLUMNS].to_numpy(float)
    n_rows = min(n_rows, len(X) // 2)
    X, X_test, y, y_test = train_test_split(
        X, y.to_numpy(), train_size=n_rows, stratify=y, random_state=0
    )
    scaler = StandardScaler().fit(X)
    return scaler.transform(X), y, scaler.transform(X_test), y_test


def network(seed, **params):
    return skseq.GRUClassifier(
        epochs=EPOCHS, n_timesteps=6, batch_size=32, random_state=seed, **params
    )


def folds(seed):
    return StratifiedKFold(FOLDS, shuffle=True, random_state=seed)


def grid(X, y, seed):
    search = GridSearchCV(
        network(seed), GRID, cv=folds(seed), scoring="roc_auc", refit=False
    ).fit(X, y)
    return search.best_params_, search.best_score_


def halving(X, y, seed, **resource):
    search = HalvingGridSearchCV(
        network(seed), GRID, factor=3, cv=folds(seed), scoring="roc_auc", refit=False,
        random_state=seed, **resource,
    ).fit(X, y)  # fmt: skip
    return search.best_params_, search.best_score_


def halving_epochs(X, y, seed):
    return halving(
        X, y, seed, resource="epochs", min_resources=EPOCHS // 9, max_resources=EPOCHS
    )


def halving_rows(X, y, seed):
    return halving(X, y, seed, min_resources=len(X) // 9, max_resources=len(X))


def study(X, y, seed, sampler, pruner=None):
    """Run a study whose trials prune over epochs and folds, if there is a pruner."""

    def objective(trial):
        params = {
            "units": trial.suggest_categorical("units", GRID["units"]),
            "learning_rate": trial.suggest_float("learning_rate", 1e-4, 1e-1, log=True),
            "dropout": trial.suggest_categorical("dropout", GRID["dropout"]),
        }
        net = network(seed, **params)
        if pruner is None:
            return cross_val_score(
                net, X, y, cv=folds(seed), scoring="roc_auc", error_score="raise"
            ).mean()
        net.set_params(monitor="roc_auc", callbacks=prune(trial, "val_roc_auc"))
        scores = []
        for train, test in folds(seed).split(X, y):
            net.fit(X[train], y[train], X_val=X[test], y_val=y[test])
            scores.append(net.history_["val_roc_auc"][-1])
        return np.mean(scores)

    found = optuna.create_study(
        direction="maximize", sampler=sampler, pruner=pruner, study_name="searches"
    )
    found.optimize(objective, n_trials=N_TRIALS)
    return found.best_params, found.best_value


def median_pruner():
    return optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=2)


def hyperband_pruner():
    return optuna.pruners.HyperbandPruner(min_resource=2, max_resource=EPOCHS * FOLDS)


def tpe(seed):
    return optuna.samplers.TPESampler(seed=seed)


SEARCHES = {
    "grid": grid,
    "halving over epochs": halving_epochs,
    "halving over rows": halving_rows,
    "TPE": lambda X, y, seed: study(X, y, seed, tpe(seed)),
    "TPE, median pruner": lambda X, y, seed: study(
        X, y, seed, tpe(seed), median_pruner()
    ),
    "TPE, Hyperband": lambda X, y, seed: study(
        X, y, seed, tpe(seed), hyperband_pruner()
    ),
    "GP": lambda X, y, seed: study(X, y, seed, optuna.samplers.GPSampler(seed=seed)),
    "GP, median pruner": lambda X, y, seed: study(
        X, y, seed, optuna.samplers.GPSampler(seed=seed), median_pruner()
    ),
}


def measure(search, X, y, X_test, y_test, seed):
    """Measure both kinds of seconds, traces, epochs, and both scores of a search."""
    skseq.clear_programs()
    Counted.n_traces = Counted.n_rows = 0
    start, start_cpu = time.perf_counter(), time.process_time()
    params, score = search(X, y, seed)
    seconds = time.perf_counter() - start
    seconds_cpu = time.process_time() - start_cpu
    epochs = Counted.n_rows / (len(X) * (FOLDS - 1))
    traces = Counted.n_traces
    params = {name: value for name, value in params.items() if name in GRID}
    net = network(seed, **params).fit(X, y)
    test = roc_auc_score(y_test, net.predict_proba(X_test)[:, 1])
    return seconds, seconds_cpu, traces, epochs, score, test


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=2000, help="rows for the search")
    parser.add_argument("--seeds", type=int, default=1, help="repetitions")
    options = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    cache.Program = Counted
    data = load(options.rows)
    print(f"{len(data[0])} rows for the search, {len(data[2])} for the test")
    try:
        import torch  # noqa: F401
    except ImportError:
        print("without PyTorch, which the Gaussian process needs: pip install torch")
        SEARCHES = {n: s for n, s in SEARCHES.items() if not n.startswith("GP")}
    reference = None
    for name, search in SEARCHES.items():
        runs = [measure(search, *data, seed) for seed in range(options.seeds)]
        seconds, cpu, traces, epochs, score, test = np.median(runs, axis=0)
        reference = reference or (seconds, cpu)
        print(
            f"{name:20s} {seconds:6.1f} s, {cpu:6.1f} s of the processors, ratios to "
            f"the grid {seconds / reference[0]:.2f} and {cpu / reference[1]:.2f}, "
            f"{traces:2.0f} traces, {epochs:5.0f} epochs, best ROC AUC in folds "
            f"{score:.4f}, test {test:.4f}",
            flush=True,
        )
