"""Compare methods for imbalanced classes, and two places for a sampler.

    python benchmarks/imbalance.py                  both parts
    python benchmarks/imbalance.py --parts leak     one part: ways or leak

- ``ways`` compares methods with an LSTM and a Conv1D: a baseline without any, class
  weights, samplers, balanced batches and focal loss. scikit-learn's gradient boosting
  and imbalanced-learn's BalancedRandomForestClassifier are fitted on flat rows. The
  measures are ROC AUC, average precision, balanced accuracy and Brier score.
- ``leak`` compares SMOTE inside ``fit``, after the validation rows are held out, with
  SMOTE as a step before the network. It prints the number of epochs, the ROC AUC of
  validation and test rows, and the Brier score.

All models of a seed use the same stratified split, and every method has the defaults of
its library; in ``leak`` the networks use early stopping by ROC AUC on a fifth of the
training rows. TunedThresholdClassifierCV tunes the threshold for balanced accuracy on a
fifth of the training rows, on which the model is not fitted. Results are means over the
seeds, with the standard deviation in brackets.

The sequences are generated: two noisy waves, and in the rare class a bump of 4
timesteps at a random place in one of them. The credit tables are read as in scores.py,
and are skipped if they do not exist. From credit default, 6,000 rows are drawn, and
once more with 5 % defaults.
"""

import argparse
import os
import platform
import warnings
from importlib.metadata import version

import numpy as np
import pandas as pd
from imblearn.combine import SMOTEENN
from imblearn.ensemble import BalancedRandomForestClassifier
from imblearn.over_sampling import SMOTE, RandomOverSampler
from imblearn.pipeline import make_pipeline
from imblearn.under_sampling import RandomUnderSampler
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import (
    average_precision_score,
    balanced_accuracy_score,
    brier_score_loss,
    roc_auc_score,
)
from sklearn.model_selection import TunedThresholdClassifierCV, train_test_split
from sklearn.preprocessing import FunctionTransformer, StandardScaler

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import scores

from skseq import (
    Conv1DClassifier,
    LatentSampler,
    LSTMClassifier,
    SequenceAugmenter,
    SequenceResampler,
)

PARTS = ["ways", "leak"]
EARLY_STOPPING = {
    "epochs": 100,
    "batch_size": 64,
    "early_stopping": True,
    "validation_split": 0.2,
    "monitor": "roc_auc",
    "patience": 8,
}
WAYS = {
    "baseline": {},
    "output_bias='prior'": {"output_bias": "prior"},
    "class weights": {"class_weight": "balanced"},
    "balanced batches": {"balanced_batches": True},
    "focal loss": {"loss": "binary_focal_crossentropy"},
    "RandomOverSampler": {"sampler": RandomOverSampler()},
    "RandomUnderSampler": {"sampler": RandomUnderSampler()},
    "SMOTE": {"sampler": SMOTE()},
    "SMOTEENN": {"sampler": SMOTEENN()},
    "SequenceAugmenter": {"sampler": SequenceAugmenter()},
    "LatentSampler": {"sampler": LatentSampler()},
}
MEASURES = {
    "ROC AUC": roc_auc_score,
    "average precision": average_precision_score,
    "Brier score": brier_score_loss,
}


def bumps(fraction, n_rows=6000, n_steps=30):
    """Generate pairs of noisy waves, with a bump in a fraction of the rows.

    Returns
    -------
    X : ndarray of shape (n_rows, n_steps, 2)
    y : ndarray of shape (n_rows,)
    """
    rng = np.random.default_rng(0)
    y = (np.arange(n_rows) < fraction * n_rows).astype(int)
    starts = rng.uniform(0, 2 * np.pi, (n_rows, 1, 2))
    X = np.sin(starts + np.linspace(0, 9, n_steps)[:, None])
    X += rng.normal(scale=0.5, size=X.shape)
    for row in np.flatnonzero(y):
        step, feature = rng.integers(n_steps - 4), rng.integers(2)
        X[row, step : step + 4, feature] += 1.5
    return X, y


def thinned(X, y, n_rows, fraction=None):
    """Draw rows at random, optionally with a given fraction of class 1."""
    rng = np.random.default_rng(0)
    if fraction is None:
        rows = rng.choice(len(y), n_rows, replace=False)
    else:
        n_rare = round(fraction * n_rows)
        rows = np.r_[
            rng.choice(np.flatnonzero(y == 0), n_rows - n_rare, replace=False),
            rng.choice(np.flatnonzero(y == 1), n_rare, replace=False),
        ]
    return X.iloc[rows], y.iloc[rows]


def flat(X):
    return X.reshape(len(X), -1)


def data():
    """Load a dict by title: X, y, and the steps before networks and before trees."""
    found = {}
    for percent in (1, 5, 20):
        found[f"sequences, {percent} %"] = (
            *bumps(percent / 100), [], [FunctionTransformer(flat)]
        )  # fmt: skip
    if not scores.FOLDER.is_dir():
        print(
            f"The folder {scores.FOLDER} does not exist: the credit tables are skipped."
        )
        return found
    found["German credit, 30 %"] = (
        *scores.german_credit(), [scores.one_hot(), StandardScaler()],
        [scores.one_hot()],
    )  # fmt: skip
    front = [StandardScaler().set_output(transform="pandas"), scores.months()]
    X, y = scores.credit_default()
    for title, fraction in (("22 %", None), ("5 %", 0.05)):
        rows = thinned(X, y, 6000, fraction)
        found[f"credit default, {title}"] = (*rows, front, [])
    return found


def networks(seed, **params):
    yield "LSTM", LSTMClassifier(random_state=seed, **params)
    yield "Conv1D", Conv1DClassifier(random_state=seed, **params)


def trees(seed):
    yield "gradient boosting", HistGradientBoostingClassifier(random_state=seed)
    yield (
        "BalancedRandomForest",
        BalancedRandomForestClassifier(
            sampling_strategy="all", replacement=True, bootstrap=False,
            random_state=seed,
        ),
    )  # fmt: skip


def measure(model, X, y, seed):
    """Fit a model on four fifths of half of the rows, and compute its scores."""
    X_train, X_test, y_train, y_test = train_test_split(
        X, y, test_size=0.5, stratify=y, random_state=seed
    )
    X_fit, X_tune, y_fit, y_tune = train_test_split(
        X_train, y_train, test_size=0.2, stratify=y_train, random_state=seed
    )
    model = clone(model).fit(X_fit, y_fit)
    probabilities = model.predict_proba(X_test)[:, 1]
    figures = {name: of(y_test, probabilities) for name, of in MEASURES.items()}
    tuned = TunedThresholdClassifierCV(
        FrozenEstimator(model), scoring="balanced_accuracy", cv="prefit", refit=False
    ).fit(X_tune, y_tune)
    figures["balanced accuracy"] = balanced_accuracy_score(
        y_test, tuned.predict(X_test)
    )
    return model, figures


def print_means(title, records):
    groups = pd.DataFrame(records).groupby("", sort=False)
    mean, spread = groups.mean(), groups.std(ddof=0)
    names = list(mean.columns)
    print(f"\n{title}\n\n| | " + " | ".join(names) + " |")
    print("|---" + "|---:" * len(names) + "|")
    for key in mean.index:
        cells = [
            f"{mean.loc[key, name]:.1f}"
            if name == "epochs"
            else f"{mean.loc[key, name]:.3f} ({spread.loc[key, name]:.3f})"
            for name in names
        ]
        print(f"| {key} | " + " | ".join(cells) + " |", flush=True)


def run_ways(seeds):
    for title, (X, y, front, before_trees) in data().items():
        records = []
        for seed in range(seeds):
            models = [
                (
                    f"{kind}, {way}",
                    make_pipeline(*front, clone(network).set_params(**params)),
                )
                for kind, network in networks(seed)
                for way, params in WAYS.items()
            ]
            models += [
                (name, make_pipeline(*before_trees, model))
                for name, model in trees(seed)
            ]
            for name, model in models:
                _, figures = measure(model, X, y, seed)
                records.append({"": name, **figures})
        print_means(f"{title}, {len(y)} rows", records)


def run_leak(seeds):
    for title, (X, y, front, _) in data().items():
        records = []
        for seed in range(seeds):
            for kind, network in networks(seed, **EARLY_STOPPING):
                ends = {
                    "no sampler": [network],
                    "SMOTE inside fit": [clone(network).set_params(sampler=SMOTE())],
                    "SMOTE before the network": [
                        SequenceResampler(random_state=seed),
                        network,
                    ],
                }
                for way, end in ends.items():
                    model, figures = measure(make_pipeline(*front, *end), X, y, seed)
                    records.append(
                        {
                            "": f"{kind}, {way}",
                            "epochs": model[-1].n_iter_,
                            "validation ROC AUC": model[-1].best_score_,
                            "test ROC AUC": figures["ROC AUC"],
                            "Brier score": figures["Brier score"],
                        }
                    )
        print_means(f"{title}, {len(y)} rows: two places for SMOTE", records)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()
    names = ["scikit-learn", "imbalanced-learn", "keras", "tensorflow"]
    versions = "".join(f", {name} {version(name)}" for name in names)
    print(f"Python {platform.python_version()}{versions}")
    if "ways" in options.parts:
        run_ways(options.seeds)
    if "leak" in options.parts:
        run_leak(options.seeds)


if __name__ == "__main__":
    # Encoders warn about categories that are not in a training half.
    warnings.filterwarnings("ignore", category=UserWarning, module="sklearn")
    main()
