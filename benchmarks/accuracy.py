"""Compare the accuracy of networks, no setting changed, with that of other classifiers.

    python benchmarks/accuracy.py                            quick methods, small sets
    python benchmarks/accuracy.py --slow --sets all          all of them
    python benchmarks/accuracy.py --sets packaged GunPoint --methods Conv1D MiniRocket
    python benchmarks/accuracy.py --resume --picture docs/benchmarks/accuracy.png
    python benchmarks/accuracy.py --ablation --methods Conv1D --out ablation.csv

The sets are in accuracy_sets.py. Each result is a row of the CSV file, written when it
is there; with ``--resume``, what the file has is not run again.

- Networks have their defaults and a ``random_state``, after a ``SequenceScaler`` for
  sequences and a ``StandardScaler`` for tables, where a column is a timestep. Methods
  that end in ``0.4`` have the defaults of version 0.4, and those that end in
  ``squashed`` have skrub's ``SquashingScaler`` in front. With ``pooling="flatten"``,
  test rows longer than all training rows lose their first timesteps.
- The other classifiers have the defaults of their libraries. Those that need rows of
  equal length get zeros at the end, as in aeon's ``Padder``. Columns of text are
  one-hot encoded.
- A method is left out of a set that is too large for it: 1-NN DTW where all pairs of
  training and test rows have more than 1e11 pairs of timesteps, and ridge regression on
  random convolutions with more than 10,000 rows, whose features fill the memory.
- Seconds are those of ``fit`` and of the prediction of all test rows, with all threads
  that the process may use (``taskset`` limits them), and the processor's seconds of
  both, which other programs change less. Networks are traced anew in each fit. aeon's
  compiled functions are called once before.
- The log loss has probabilities of at least 1e-7. It, the Brier score and ROC AUC (the
  mean over the classes, each against all others) are empty for methods without
  probabilities.

With ``--ablation``, one part of the defaults is changed at a time. The test parts
are not read: a seed is a fold of repeated 5-fold cross-validation inside the training
part of seed 0. Settings are chosen by these results. The table has the differences to
the defaults.
"""

import argparse
import os
import time
import warnings
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import joblib
import numpy as np
import pandas as pd
import scores
from accuracy_sets import GROUPS, SETS
from scipy.stats import friedmanchisquare, studentized_range
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import RepeatedStratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import skseq

THREADS = joblib.cpu_count()
MEASURES = {"accuracy": 1, "auc": 1, "log_loss": -1, "brier": -1}  # 1: more is better
KEY = ["set", "method", "seed"]
COLUMNS = [
    "set", "group", "kind", "method", "seed", "n_train", "threads", *MEASURES,
    "fit_seconds", "predict_seconds", "cpu_seconds",
]  # fmt: skip

TRAINING_04 = {
    "epochs": 30,
    "batch_size": 32,
    "optimizer": "adam",
    "learning_rate": 0.005,
    "schedule": None,
    "weight_decay": None,
    "label_smoothing": 0.0,
    "per_row": None,
    "normalization": None,
    "dropout": 0.0,
    "output_bias": None,
    "early_stopping": False,
}
RECURRENT_04 = {
    **TRAINING_04,
    "units": 32,
    "bidirectional": False,
    "recurrent_dropout": 0.0,
    "pooling": "flatten",
    "dense_units": (),
}
DEFAULTS_04 = {
    "Conv1D": {
        **TRAINING_04,
        "filters": (64, 64),
        "kernel_size": 5,
        "padding": "same",
        "pool_size": 1,
        "separable": False,
        "activation": "relu",
        "pooling": "max",
        "dense_units": (),
    },
    "LSTM": RECURRENT_04,
    "GRU": RECURRENT_04,
    "Dense": {
        **TRAINING_04,
        "dense_units": (100,),
        "activation": "relu",
        "pooling": "flatten",
    },
}
# What --ablation changes in all networks, and in one kind of network.
TRAINING_PARTS = {
    "no schedule": {"schedule": None},
    "cosine": {"schedule": "cosine"},
    "rate of 0.005": {"learning_rate": 0.005},
    "30 epochs": {"epochs": 30, "batch_size": 32},
    "weight decay of 0.3": {"weight_decay": 0.3},
    "label smoothing": {"label_smoothing": 0.1},
    "output bias": {"output_bias": "prior"},
    "5 networks": {"n_networks": 5},
}
ABLATIONS = {
    "Conv1D": {
        "no normalization": {"normalization": None},
        "two layers": {"filters": (64, 64)},
        "short windows": {"kernel_size": (7, 5, 3), "pool_size": 1},
        "no pooling between layers": {"pool_size": 1},
        "no weight decay": {"weight_decay": None},
        "rows not scaled": {"per_row": None},
        "maximum pooling": {"pooling": "max"},
        "mean pooling": {"pooling": "mean"},
    },
    "LSTM": {
        "layer normalization": {"normalization": "layer"},
        "bidirectional": {"bidirectional": True},
        "flat": {"pooling": "flatten"},
        "maximum pooling": {"pooling": "max"},
        "last timestep": {"pooling": "last"},
    },
    "Dense": {
        "batch normalization": {"normalization": "batch"},
        "no dropout": {"dropout": 0.0},
        "no embedding": {"numeric_embedding": None},
        "two layers": {"dense_units": (100, 100)},
    },
}
for name, parts in ABLATIONS.items():
    parts |= TRAINING_PARTS | {"version 0.4": DEFAULTS_04[name]}


def as_they_are(X, length):
    return X


class Method(NamedTuple):
    """A classifier, and what it can read."""

    make: Callable  # seed, X -> estimator
    rows: Callable = as_they_are  # rows, longest length -> rows
    kinds: tuple = ("sequences", "table")
    fits: Callable = lambda X_train, X_test: True
    probabilities: bool = True
    random: bool = True
    slow: bool = False
    needs: tuple = ()


def padded(X, length):
    """Add zeros to the ends of the rows."""
    return np.stack([np.pad(row, ((0, length - len(row)), (0, 0))) for row in X])


def channels_first(X, length):
    return np.ascontiguousarray(padded(X, length).transpose(0, 2, 1), dtype=float)


def unequal_channels_first(X, length):
    return [np.ascontiguousarray(row.T, dtype=float) for row in X]


def flat(X, length):
    if hasattr(X, "columns") or np.ndim(X[0]) == 1:
        return X
    return padded(X, length).reshape(len(X), -1)


def encoder(X):
    """List the step that encodes columns of text, if there may be any."""
    return [scores.one_hot()] if hasattr(X, "columns") else []


def newest(X, length):
    return [row[-length:] for row in X]


def network(name, seed, X, squash=False, **params):
    """Put a network behind the steps that its rows need."""
    front = encoder(X)
    if not front and np.ndim(X[0]) == 2:
        front = [skseq.SequenceScaler()]
    elif squash:
        from skrub import SquashingScaler

        front.append(SquashingScaler())
    else:
        front.append(StandardScaler())
    model = getattr(skseq, f"{name}Classifier")(random_state=seed, **params)
    if isinstance(X, list) and model.pooling == "flatten":
        longest = {"length": max(map(len, X))}
        front.insert(0, FunctionTransformer(newest, kw_args=longest))
    return make_pipeline(*front, model)


def logistic_regression(seed, X):
    return make_pipeline(
        *encoder(X), StandardScaler(), LogisticRegression(max_iter=1000)
    )


def gradient_boosting(seed, X):
    return make_pipeline(*encoder(X), HistGradientBoostingClassifier(random_state=seed))


def rocket(name, seed, X):
    from aeon.classification import convolution_based

    make = getattr(convolution_based, f"{name}Classifier")
    return make(n_jobs=THREADS, random_state=seed)


def deep(name, seed, X):
    from aeon.classification import deep_learning

    return getattr(deep_learning, f"{name}Classifier")(random_state=seed)


def nearest(seed, X):
    from aeon.classification.distance_based import KNeighborsTimeSeriesClassifier

    return KNeighborsTimeSeriesClassifier(distance="dtw", n_jobs=THREADS)


def ridge_fits(X_train, X_test):
    return len(X_train) <= 10_000


def pairs_fit(X_train, X_test):
    return sum(map(len, X_train)) * sum(map(len, X_test)) <= 1e11


NETWORKS = {}
for name, params in DEFAULTS_04.items():
    NETWORKS[name] = Method(partial(network, name))
    NETWORKS[f"{name}, 5 networks"] = Method(partial(network, name, n_networks=5))
    NETWORKS[f"{name}, 0.4"] = Method(partial(network, name, **params))
NETWORKS["Dense, squashed"] = Method(
    partial(network, "Dense", squash=True), kinds=("table",), needs=("skrub",)
)
AEON = {"rows": channels_first, "kinds": ("sequences",)}
RIDGE = {**AEON, "fits": ridge_fits, "probabilities": False}
PEERS = {
    "MiniRocket": Method(partial(rocket, "MiniRocket"), **RIDGE, needs=("aeon",)),
    "MultiRocketHydra": Method(
        partial(rocket, "MultiRocketHydra"), **RIDGE, needs=("aeon", "torch")
    ),
    "InceptionTime": Method(
        partial(deep, "InceptionTime"), **AEON, slow=True, needs=("aeon",)
    ),
    "LITETime": Method(partial(deep, "LITETime"), **AEON, slow=True, needs=("aeon",)),
    "1-NN DTW": Method(
        nearest, unequal_channels_first, ("sequences",), pairs_fit,
        probabilities=False, random=False, needs=("aeon",),
    ),
    "logistic regression": Method(logistic_regression, flat, random=False),
    "gradient boosting": Method(gradient_boosting, flat, random=False),
}  # fmt: skip
METHODS = {**NETWORKS, **PEERS}


def measure(model, probabilities, X_train, X_test, y_train, y_test):
    """Fit a model, and compute the columns of its results."""
    skseq.clear_programs()
    start, cpu = time.perf_counter(), time.process_time()
    model.fit(X_train, y_train)
    fitted = time.perf_counter()
    found = (model.predict_proba if probabilities else model.predict)(X_test)
    row = {
        "fit_seconds": fitted - start,
        "predict_seconds": time.perf_counter() - fitted,
        "cpu_seconds": time.process_time() - cpu,
    }
    if not probabilities:
        return {"accuracy": np.mean(found == y_test), **row}
    hit = y_test[:, None] == model.classes_
    likely = np.clip(found[hit], 1e-7, 1)
    auc = np.nan
    if hit.any(axis=0).all():
        auc = np.mean(
            [roc_auc_score(hit[:, i], found[:, i]) for i in range(hit.shape[1])]
        )
    brier = np.mean(np.sum((found - hit) ** 2, axis=1))
    return {
        "accuracy": np.mean(model.classes_[found.argmax(axis=1)] == y_test),
        "auc": auc,
        "log_loss": -np.mean(np.log(likely)),
        # As in scikit-learn: the square of one probability for two classes.
        "brier": brier / 2 if len(model.classes_) == 2 else brier,
        **row,
    }


def compile_first(model, X, y):
    """Call the functions that numba compiles."""
    few = np.concatenate([np.flatnonzero(y == label)[:3] for label in np.unique(y)])
    few = take(X, few), y[few]
    model.fit(*few).predict(few[0])


def take(X, rows):
    if hasattr(X, "iloc"):
        return X.iloc[rows]
    return [X[row] for row in rows] if isinstance(X, list) else X[rows]


def fold(data, seed):
    """Split the training part of seed 0."""
    X, _, y, _ = data.split(0)
    folds = RepeatedStratifiedKFold(n_splits=5, n_repeats=seed // 5 + 1, random_state=0)
    train, test = list(folds.split(np.zeros(len(y)), y))[seed]
    return take(X, train), take(X, test), y[train], y[test]


def run(jobs, split, path):
    """Measure what the file does not have yet, and write each row when it is there.

    Parameters
    ----------
    jobs : list of (str, str, Method, int)
        Set, name of the method, method, seed.
    split : callable
        (set, seed) -> X_train, X_test, y_train, y_test.

    Returns
    -------
    DataFrame
        The rows of the jobs, also those that the file already had.
    """
    done = set()
    if path.exists():
        done = set(pd.read_csv(path)[KEY].itertuples(index=False, name=None))
    for title, name, method, seed in jobs:
        if (title, name, seed) in done:
            continue
        data = SETS[title]
        X_train, X_test, y_train, y_test = split(data, seed)
        if not method.fits(X_train, X_test):
            continue
        model, length = method.make(seed, X_train), 0
        if method.rows is not as_they_are and data.kind == "sequences":
            length = max(map(len, [*X_train, *X_test]))
        X_train, X_test = (method.rows(X, length) for X in (X_train, X_test))
        if "aeon" in method.needs and not method.slow:
            compile_first(clone(model), X_train, y_train)
        row = {
            "set": title, "group": data.group, "kind": data.kind, "method": name,
            "seed": seed, "n_train": len(y_train), "threads": THREADS,
            **measure(model, method.probabilities, X_train, X_test, y_train, y_test),
        }  # fmt: skip
        print(
            f"{title:24s}{name:24s}{seed:3d}{row['accuracy']:8.4f}"
            f"{row['fit_seconds']:9.2f} s",
            flush=True,
        )
        row = pd.DataFrame([row], columns=COLUMNS)
        row.to_csv(
            path, mode="a", index=False, header=not path.exists(), float_format="%.6g"
        )
    found = pd.read_csv(path)
    wanted = pd.MultiIndex.from_tuples([(job[0], job[1], job[3]) for job in jobs])
    return found[pd.MultiIndex.from_frame(found[KEY]).isin(wanted)]


def by_set(found, measure):
    """Arrange means over the seeds: a row for each method, a column for each set."""
    means = found.groupby(["method", "set"], sort=False)[measure].mean()
    return means.unstack().reindex(
        index=found["method"].unique(), columns=found["set"].unique()
    )


def ranks(found, measure="accuracy"):
    """Compute the ranks of the methods that have results on all sets; 1 is the best."""
    complete = by_set(found, measure).dropna()
    # Rounded, since equal accuracies may differ in the last bit of their means.
    return (complete * MEASURES[measure]).round(9).rank(ascending=False)


def tables(found, measures):
    """Write a table in Markdown for each group of sets and measure."""
    for group in [group for group in GROUPS if group in set(found["group"])]:
        part = found[found["group"] == group]
        wall = part.assign(wall=part["fit_seconds"] + part["predict_seconds"])
        times = [by_set(wall, "wall"), by_set(part, "cpu_seconds")]
        for measure in measures:
            means = by_set(part, measure).dropna(how="all")
            if means.empty:
                continue
            spread = part.groupby(["method", "set"])[measure].std(ddof=0)
            mean_rank = ranks(part, measure).mean(axis=1)
            names = [*means.columns, "mean", "mean rank", "time", "cpu"]
            yield f"\n{group}, {measure.replace('_', ' ')}\n"
            yield "| | " + " | ".join(names) + " |"
            yield "|---" + "|---:" * len(names) + "|"
            for name in means.index:
                cells = [
                    ""
                    if np.isnan(value)
                    else f"{value:.3f} ({spread[name, title]:.3f})"
                    for title, value in means.loc[name].items()
                ]
                if name in mean_rank.index:
                    cells += [f"{means.loc[name].mean():.4f}", f"{mean_rank[name]:.2f}"]
                else:
                    cells += ["", ""]
                cells += [
                    f"{(seconds.loc[name] / seconds.iloc[0]).median():.2f}"
                    for seconds in times
                ]
                yield f"| {name} | " + " | ".join(cells) + " |"
    yield (
        f"\nIn brackets: standard deviation over the seeds. Ranks are among methods "
        f"with results on all sets of the group. Time is the median over the sets of "
        f"the seconds of fit and prediction, relative to {found['method'].iloc[0]}; "
        f"cpu is the same for the seconds of the processor."
    )


def differences(found, measures):
    """Write a table of what a change of the defaults gives."""
    names = [measure.replace("_", " ") for measure in measures]
    yield "\n| | " + " | ".join(names) + " | sets better | sets worse | cpu |"
    yield "|---" + "|---:" * (len(names) + 3) + "|"
    cpu = by_set(found, "cpu_seconds")
    for name in cpu.index:
        default = name.split(",")[0]
        if name == default:
            continue
        changes = {}
        for measure in measures:
            means = by_set(found, measure)
            changes[measure] = means.loc[name] - means.loc[default]
        cells = [f"{change.mean():+.4f}" for change in changes.values()]
        first = changes[measures[0]].round(9) * MEASURES[measures[0]]
        cells += [f"{(first > 0).sum()}", f"{(first < 0).sum()}"]
        cells.append(f"{(cpu.loc[name] / cpu.loc[default]).median():.2f}")
        yield f"| {name} | " + " | ".join(cells) + " |"
    yield (
        f"\nMean differences to the defaults on {cpu.shape[1]} sets. The sets are "
        f"better or worse by {names[0]}; cpu is the median ratio of seconds."
    )


def draw(found, path):
    """Draw the mean ranks on packaged sets and on tables.

    Half of Nemenyi's critical difference is on both sides of a rank: methods whose
    lines have no rank in common differ at the level of 0.05 [1]_.

    .. [1] J. Demsar, "Statistical comparisons of classifiers over multiple data sets",
       Journal of Machine Learning Research 7, 2006.
    """
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    found = found[(found["group"] == "packaged") | (found["kind"] == "table")]
    kinds = list(found["kind"].unique())
    figure, axes = plt.subplots(
        1,
        len(kinds),
        figsize=(5.5 * len(kinds), 5),
        layout="constrained",
        squeeze=False,
    )
    for ax, kind in zip(axes[0], kinds, strict=True):
        rank = ranks(found[found["kind"] == kind])
        n_methods, n_sets = rank.shape
        critical = studentized_range.ppf(0.95, n_methods, np.inf) * np.sqrt(
            n_methods * (n_methods + 1) / (12 * n_sets)
        )
        mean = rank.mean(axis=1).sort_values(ascending=False)
        ax.errorbar(
            mean, mean.index, xerr=critical / 2, fmt="o", capsize=3, elinewidth=1
        )
        ax.axvline(mean.iloc[-1] + critical / 2, ls=":", color="0.5")
        title = f"{n_sets} sets of {kind if kind == 'sequences' else 'tables'}"
        if n_methods > 2 and n_sets > 1:
            title += f" (Friedman p = {friedmanchisquare(*rank.to_numpy()).pvalue:.1g})"
        ax.set(xlabel="mean rank of accuracy, 1 is the best", title=title)
        ax.title.set_fontsize("medium")
        ax.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=120)


def ablations():
    """Make a method for each change of the defaults."""
    found = {}
    for name, parts in ABLATIONS.items():
        found[name] = NETWORKS[name]
        for part, params in parts.items():
            found[f"{name}, {part}"] = Method(partial(network, name, **params))
    return found


def chosen(parser, names, groups, what):
    """List the names that are given, or are in given groups, in their order."""
    unknown = set(names) - set(groups) - set(sum(groups.values(), []))
    if unknown:
        parser.error(f"{what} must be among {[*groups, *groups['all']]}, got {unknown}")
    wanted = {name for key in names for name in groups.get(key, [key])}
    return [name for name in groups["all"] if name in wanted]


def chosen_methods(parser, options):
    """Make a dict of the methods by name."""
    wanted = list(options.methods)
    if options.ablation:
        methods = ablations()
        groups = {name: [] for name in ABLATIONS}
        for name in methods:
            groups[name.split(",")[0]].append(name)
        wanted += [name.split(",")[0] for name in wanted]  # what they are compared with
    else:
        methods = METHODS
        groups = {"networks": list(NETWORKS), "peers": list(PEERS)}
    names = chosen(parser, wanted, {"all": list(methods), **groups}, "--methods")
    methods = {
        name: methods[name]
        for name in names
        if options.slow or not methods[name].slow or name in options.methods
    }
    missing = {need for method in methods.values() for need in method.needs}
    missing = sorted(need for need in missing if find_spec(need) is None)
    if missing:
        raise SystemExit(f"Some methods need: pip install {' '.join(missing)}")
    return methods


def chosen_sets(parser, options):
    """List the names of the sets."""
    groups = {"all": list(SETS), **{group: [] for group in GROUPS}}
    for title, data in SETS.items():
        groups[data.group].append(title)
    titles = chosen(parser, options.sets, groups, "--sets")
    if not scores.FOLDER.is_dir():
        print(f"The folder {scores.FOLDER} does not exist: credit is skipped.")
        titles = [title for title in titles if SETS[title].group != "credit"]
    return titles


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--sets", nargs="+", default=GROUPS[:-1],
        help=f"all, {', '.join(GROUPS)}, or names of sets",
    )  # fmt: skip
    parser.add_argument(
        "--methods", nargs="+", default=["all"],
        help="all, networks, peers, or names of methods",
    )  # fmt: skip
    parser.add_argument("--slow", action="store_true", help="also the slow methods")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument(
        "--out", type=Path, help="default: docs/benchmarks/accuracy.csv"
    )
    parser.add_argument("--resume", action="store_true", help="keep the rows of --out")
    parser.add_argument("--measures", nargs="+", choices=MEASURES, default=[*MEASURES])
    parser.add_argument("--picture", help="path of a picture of the ranks")
    parser.add_argument("--ablation", action="store_true")
    options = parser.parse_args()

    methods = chosen_methods(parser, options)
    titles = chosen_sets(parser, options)
    jobs = [
        (title, name, method, seed)
        for title in titles
        for name, method in methods.items()
        if SETS[title].kind in method.kinds
        for seed in range(options.seeds)
        # Other seeds are the same model on the same rows.
        if seed == 0 or options.ablation or method.random or not SETS[title].fixed
    ]
    split = fold if options.ablation else lambda data, seed: data.split(seed)
    folder = Path(__file__).resolve().parent.parent / "docs" / "benchmarks"
    out = options.out or folder / "accuracy.csv"
    if out.exists() and not options.resume:
        parser.error(f"{out} exists: remove it, or add to it with --resume")
    found = run(jobs, split, out)
    table = differences if options.ablation else tables
    print("\n".join(table(found, options.measures)))
    if options.picture:
        draw(found, options.picture)


if __name__ == "__main__":
    # scikit-learn's encoder warns about categories that are not in a training half.
    warnings.filterwarnings("ignore", category=UserWarning, module="sklearn")
    main()
