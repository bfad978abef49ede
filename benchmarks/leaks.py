"""Make ten leaks on purpose, and print what is measured, what is true and what is said.

    python benchmarks/leaks.py             all of them
    python benchmarks/leaks.py windows     those whose name contains the word

All data is generated, so that the truth is known: for each leak, the same model is
fitted without the leak, and scored on new data of the same kind. *Measured* is the
score that somebody sees who makes the mistake. *Said* is the warning or error of
skseq; an empty entry means that nothing is said, because a leak before ``fit`` leaves
no trace in what a network gets. All scores are means over three seeds: ROC AUC (0.5 is
chance), or R2 for numbers (0 is the mean).
"""

import os
import sys
import warnings

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from imblearn.over_sampling import SMOTE
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    StratifiedKFold,
    TimeSeriesSplit,
    cross_val_predict,
    cross_val_score,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skseq import (
    DenseClassifier,
    DenseRegressor,
    GRUClassifier,
    make_windows,
)

SEEDS = range(3)


def slow(rng, n_rows, n_series=1, persistence=0.98):
    """Draw slowly varying series, of shape (n_rows, n_series), with variance 1."""
    series = np.zeros((n_rows, n_series))
    noise = rng.normal(size=(n_rows, n_series)) * np.sqrt(1 - persistence**2)
    series[0] = rng.normal(size=n_series)
    for i in range(1, n_rows):
        series[i] = persistence * series[i - 1] + noise[i]
    return series


def unrelated(rng, n_rows=1000):
    """Draw slow features, and slow labels that have nothing to do with them."""
    return slow(rng, n_rows, 3), (slow(rng, n_rows)[:, 0] > 0).astype(int)


def network(seed, **params):
    params = {"epochs": 30, "random_state": seed, **params}
    return DenseClassifier((64,), **params)


def auc_on(net, X, y):
    return roc_auc_score(y, net.predict_proba(X)[:, 1])


def shuffled_folds_over_windows(seed):
    rng = np.random.default_rng(seed)
    X, y, *_ = make_windows(*unrelated(rng), n_timesteps=12)
    folds = KFold(5, shuffle=True, random_state=seed)
    scores = cross_val_score(network(seed), X, y, cv=folds, scoring="roc_auc")
    new = make_windows(*unrelated(rng, 4000), n_timesteps=12)
    return scores.mean(), auc_on(network(seed).fit(X, y), new.X, new.y)


def early_stopping_on_shuffled_windows(seed):
    rng = np.random.default_rng(seed)
    X, y, *_ = make_windows(*unrelated(rng), n_timesteps=12)
    splitter = KFold(5, shuffle=True, random_state=seed)
    options = {"early_stopping": True, "monitor": "roc_auc"}
    try:
        network(seed, validation_split=splitter, **options).fit(X, y)
    except ValueError as error:
        SAID.append(f"ValueError: {error}")
    # An array hides that its rows are windows.
    net = network(seed, validation_split=splitter, **options).fit(np.asarray(X), y)
    new = make_windows(*unrelated(rng, 4000), n_timesteps=12)
    return net.best_score_, auc_on(net, np.asarray(new.X), new.y)


def target_in_the_last_row_of_a_window(seed):
    rng = np.random.default_rng(seed)
    series = rng.normal(size=1200)
    try:
        make_windows(series, series, n_timesteps=12)
    except ValueError as error:
        SAID.append(f"ValueError: {error}")
    windows = np.lib.stride_tricks.sliding_window_view(series, 13)[..., None]
    X, y = windows[:, 1:], windows[:, -1, 0]
    net = DenseRegressor((64,), random_state=seed)
    half = len(X) // 2
    measured = net.fit(X[:half], y[:half]).score(X[half:], y[half:])
    # When the value has to be predicted, it is not there yet.
    X = windows[:, :-1]
    return measured, net.fit(X[:half], y[:half]).score(X[half:], y[half:])


def average_over_later_rows_as_a_feature(seed):
    rng = np.random.default_rng(seed)
    steps = rng.normal(size=2400)
    y = (np.append(steps[1:], 0) > 0).astype(int)
    centred = np.convolve(steps, np.ones(5) / 5, mode="same")
    trailing = np.convolve(steps, np.ones(5) / 5)[: len(steps)]
    half = len(steps) // 2

    def score(feature):
        X, target, *_ = make_windows(
            np.column_stack([steps, feature]), y, n_timesteps=8
        )
        net = network(seed).fit(X[:half], target[:half])
        return auc_on(net, X[half + 8 :], target[half + 8 :])

    return score(centred), score(trailing)


def targets_that_reach_into_the_test(seed):
    rng = np.random.default_rng(seed)
    # Whether the sum of the next 50 values of noise is positive.
    table, noise = slow(rng, 3000, 3, 0.995), rng.normal(size=3000)
    windows = make_windows(table, noise, n_timesteps=5, horizon=50)
    y = (windows.y.sum(axis=1) > 0).astype(int)
    net = network(seed)

    def score(cv):
        true, found = [], []
        for train, test in cv.split(windows.X):
            # The first predictions after the training rows.
            test = test[:15]
            net.fit(windows.X[train], y[train])
            found.append(net.predict_proba(windows.X[test])[:, 1])
            true.append(y[test])
        return roc_auc_score(np.concatenate(true), np.concatenate(found))

    return score(TimeSeriesSplit(15)), score(TimeSeriesSplit(15, gap=50))


def patients(rng, n_patients):
    """Draw recordings of patients who differ in their level, and have any label."""
    group = np.repeat(np.arange(n_patients), 8)
    level, label = rng.normal(size=(n_patients, 1, 6)), rng.integers(0, 2, n_patients)
    X = level[group] + 0.3 * rng.normal(size=(len(group), 10, 6))
    return X, label[group], group


def groups_on_both_sides(seed):
    rng = np.random.default_rng(seed)
    X, y, _ = patients(rng, 60)
    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
    net = GRUClassifier(16, pooling="mean", random_state=seed)
    measured = cross_val_score(net, X, y, cv=folds, scoring="roc_auc").mean()
    X_new, y_new, _ = patients(rng, 200)
    return measured, auc_on(net.fit(X, y), X_new, y_new)


def rows_that_repeat(seed):
    rng = np.random.default_rng(seed)

    def draw(n_rows):
        X, y = rng.normal(size=(n_rows, 8, 2)), rng.integers(0, 2, n_rows)
        return X + 0.1 * y[:, None, None], y

    X, y = draw(300)
    again = rng.integers(0, 300, 300)
    X, y = np.concatenate([X, X[again]]), np.concatenate([y, y[again]])
    net = network(seed)
    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
    measured = cross_val_score(net, X, y, cv=folds, scoring="roc_auc").mean()
    return measured, auc_on(net.fit(X, y), *draw(4000))


def columns_chosen_before_the_split(seed):
    rng = np.random.default_rng(seed)
    X, y = rng.normal(size=(200, 2000)), np.arange(200) % 2
    chosen = SelectKBest(f_classif, k=20)
    net = network(seed, n_timesteps=10)
    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
    kept = chosen.fit_transform(X, y)
    measured = cross_val_score(net, kept, y, cv=folds, scoring="roc_auc").mean()
    pipeline = make_pipeline(chosen, net).fit(X, y)
    X_new, y_new = rng.normal(size=(2000, 2000)), np.arange(2000) % 2
    return measured, auc_on(pipeline, X_new, y_new)


def scaled_with_the_rows_of_the_test(seed):
    rng = np.random.default_rng(seed)
    # Each fold is a day with its own level, and y says whether a value is above it.
    # Scaled by its own rows, each day tells its level.
    days = np.repeat(rng.normal(size=10) * 3, 40)
    X = (days + rng.normal(size=400))[:, None]
    y = (X[:, 0] > days).astype(int)
    net = network(seed, epochs=60)
    cv, groups = GroupKFold(10), np.repeat(np.arange(10), 40)
    by_day = np.concatenate(
        [StandardScaler().fit_transform(X[groups == day]) for day in range(10)]
    )
    measured = cross_val_predict(
        net, by_day, y, cv=cv, groups=groups, method="predict_proba"
    )
    true = cross_val_predict(
        make_pipeline(StandardScaler(), net), X, y, cv=cv, groups=groups,
        method="predict_proba",
    )  # fmt: skip
    return roc_auc_score(y, measured[:, 1]), roc_auc_score(y, true[:, 1])


def smote_before_the_split(seed):
    rng = np.random.default_rng(seed)

    def draw(n_rows):
        return rng.normal(size=(n_rows, 12)), (rng.random(n_rows) < 0.1).astype(int)

    X, y = draw(600)
    net = network(seed, n_timesteps=6)
    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
    more = SMOTE(random_state=seed).fit_resample(X, y)
    measured = cross_val_score(net, *more, cv=folds, scoring="roc_auc").mean()
    inside = network(seed, n_timesteps=6, sampler=SMOTE()).fit(X, y)
    return measured, auc_on(inside, *draw(4000))


LEAKS = [
    shuffled_folds_over_windows,
    early_stopping_on_shuffled_windows,
    target_in_the_last_row_of_a_window,
    average_over_later_rows_as_a_feature,
    targets_that_reach_into_the_test,
    groups_on_both_sides,
    rows_that_repeat,
    columns_chosen_before_the_split,
    scaled_with_the_rows_of_the_test,
    smote_before_the_split,
]
SAID: list[str] = []


def run(leak):
    """Measure a leak over all seeds, and collect what is said."""
    SAID.clear()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        measured, true = np.mean([leak(seed) for seed in SEEDS], axis=0)
    said = SAID + [f"UserWarning: {one.message}" for one in caught]
    return measured, true, said[0] if said else ""


if __name__ == "__main__":
    words = [word.lower() for word in sys.argv[1:]]
    print("| leak | measured | true | said |")
    print("|---|---:|---:|---|")
    for leak in LEAKS:
        name = leak.__name__.replace("_", " ")
        if not words or any(word in name for word in words):
            measured, true, said = run(leak)
            print(f"| {name} | {measured:.2f} | {true:.2f} | {said} |", flush=True)
