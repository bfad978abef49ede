"""Compare the ROC AUC of all networks with scikit-learn's models.

    python benchmarks/scores.py [--seeds 5] [cancer] [german] [credit] [defaults]

With ``german`` and ``credit``, the settings come from a search on the training rows.
With ``cancer`` and ``defaults``, all settings are the defaults, and the columns are
standardised. scikit-learn's models have default settings. All models of a seed use the
same stratified split. The script prints the mean and standard deviation over the seeds.
Several classes are scored one-vs-rest.

The credit tables are read from the folder SKSEQ_DATA, or ../shared/data beside the
project, and are skipped if it does not exist.
"""

import argparse
import os
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV, StratifiedKFold, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import skseq

FOLDER = Path(
    os.environ.get("SKSEQ_DATA")
    or Path(__file__).resolve().parent.parent.parent / "shared" / "data"
)
PARTS = ["cancer", "german", "credit", "defaults"]
NETWORKS = {
    name: getattr(skseq, f"{name}Classifier")
    for name in ("LSTM", "GRU", "SimpleRNN", "Conv1D", "Dense")
}


def german_credit():
    table = pd.read_csv(FOLDER / "german_credit.csv")
    y = (table.pop("class") == "bad").astype(int)
    return table, y


def credit_default():
    table = pd.read_csv(FOLDER / "credit_default.csv.gz")
    y = table.pop("default_payment_next_month")
    return table, y


def one_hot():
    return make_column_transformer(
        (
            OneHotEncoder(sparse_output=False, handle_unknown="ignore"),
            make_column_selector(dtype_exclude="number"),
        ),
        remainder="passthrough",
        verbose_feature_names_out=False,
    )


def months():
    """Arrange six monthly timesteps, oldest first, with the static columns at each."""
    return skseq.SequenceReshaper(
        columns={
            "PAY": ["PAY_6", "PAY_5", "PAY_4", "PAY_3", "PAY_2", "PAY_0"],
            "BILL_AMT": [f"BILL_AMT{month}" for month in range(6, 0, -1)],
            "PAY_AMT": [f"PAY_AMT{month}" for month in range(6, 0, -1)],
        }
    )


def peers(seed, *front):
    yield (
        "logistic regression",
        make_pipeline(*front, StandardScaler(), LogisticRegression(max_iter=1000)),
    )
    yield (
        "gradient boosting",
        make_pipeline(*front, GradientBoostingClassifier(random_state=seed)),
    )


def german_credit_models(seed):
    yield from peers(seed, one_hot())
    small = {"epochs": [10, 20], "learning_rate": [0.003], "dropout": [0.3]}
    grids = {
        "LSTM": {**small, "units": [16]},
        "GRU": {**small, "units": [16]},
        "SimpleRNN": {**small, "units": [16]},
        "Conv1D": {**small, "pooling": ["max", "flatten"]},
        "Dense": {
            "dense_units": [(), (100,), (300,)],
            "dropout": [0.0, 0.5],
            "epochs": [5, 10, 20],
            "learning_rate": [0.001],
        },
    }
    for name, network in NETWORKS.items():
        pipeline = make_pipeline(
            one_hot(), StandardScaler(), network(random_state=seed)
        )
        step = pipeline.steps[-1][0]
        yield (
            name,
            GridSearchCV(
                pipeline,
                {f"{step}__{key}": values for key, values in grids[name].items()},
                scoring="roc_auc",
                cv=StratifiedKFold(3, shuffle=True, random_state=seed),
            ),
        )


def credit_default_models(seed):
    yield from peers(seed)
    # As in examples/tables/plot_credit_default.py: by cross-validation on the
    # training rows.
    recurrent = {"pooling": "last"}
    own = {
        "LSTM": recurrent,
        "GRU": recurrent,
        "SimpleRNN": recurrent,
        "Conv1D": {"kernel_size": 3},
        "Dense": {"dense_units": (64, 32)},
    }
    for name, network in NETWORKS.items():
        yield (
            name,
            make_pipeline(
                StandardScaler().set_output(transform="pandas"),
                months(),
                network(
                    epochs=40,
                    batch_size=128,
                    early_stopping=True,
                    monitor="roc_auc",
                    patience=5,
                    random_state=seed,
                    **own[name],
                ),
            ),
        )


def plain_models(seed, *front):
    yield from peers(seed, *front)
    for name, network in NETWORKS.items():
        yield name, make_pipeline(*front, StandardScaler(), network(random_state=seed))


def score(model, X, y):
    probabilities = model.predict_proba(X)
    if probabilities.shape[1] == 2:
        return roc_auc_score(y, probabilities[:, 1])
    return roc_auc_score(y, probabilities, multi_class="ovr")


def compare(title, X, y, models, test_size, seeds):
    scores, seconds = {}, {}
    for seed in range(seeds):
        X_train, X_test, y_train, y_test = train_test_split(
            X, y, test_size=test_size, stratify=y, random_state=seed
        )
        for name, model in models(seed):
            start = time.perf_counter()
            model.fit(X_train, y_train)
            seconds.setdefault(name, []).append(time.perf_counter() - start)
            scores.setdefault(name, []).append(score(model, X_test, y_test))
    reference = np.mean(scores["logistic regression"])
    print(f"\n{title}: {len(y)} rows, {test_size:.0%} for the test, {seeds} seeds")
    print(f"{'':22s}{'ROC AUC':>9s}{'std':>9s}{'vs. logistic':>13s}{'fit, s':>9s}")
    for name, values in scores.items():
        print(
            f"{name:22s}{np.mean(values):9.4f}{np.std(values):9.4f}"
            f"{np.mean(values) - reference:+13.4f}{np.median(seconds[name]):9.2f}",
            flush=True,
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "parts", nargs="*", help=f"any of {', '.join(PARTS)}; default: all"
    )
    parser.add_argument("--seeds", type=int, default=5)
    arguments = parser.parse_args()
    parts, seeds = arguments.parts or PARTS, arguments.seeds
    if not set(parts) <= set(PARTS):
        parser.error(f"parts must be among {PARTS}, got {parts}")
    real = FOLDER.is_dir()
    if not real:
        print(f"The folder {FOLDER} does not exist: the credit tables are skipped.")
    cancer = load_breast_cancer(return_X_y=True)
    if "cancer" in parts:
        compare("Breast cancer", *cancer, plain_models, 0.5, seeds)
    if "german" in parts and real:
        compare(
            "German credit, one-hot encoded, tuned on the training rows",
            *german_credit(), german_credit_models, 0.5, seeds,
        )  # fmt: skip
    if "credit" in parts and real:
        compare(
            "Credit default, six monthly timesteps",
            *credit_default(), credit_default_models, 0.3, seeds,
        )  # fmt: skip
    if "defaults" in parts:
        print("\nDefault settings; each column is a timestep with one feature.")
        for title, (X, y) in {
            "Wine": load_wine(return_X_y=True),
            "Iris": load_iris(return_X_y=True),
            "Digits": load_digits(return_X_y=True),
        }.items():
            compare(title, X, y, plain_models, 0.5, seeds)
        if real:
            compare(
                "German credit, one-hot encoded", *german_credit(),
                lambda seed: plain_models(seed, one_hot()), 0.5, seeds,
            )  # fmt: skip
            compare("Credit default", *credit_default(), plain_models, 0.3, seeds)


if __name__ == "__main__":
    # scikit-learn's gradient boosting and encoders warn about categories that are not
    # in a training half. Warnings of skseq are still shown.
    warnings.filterwarnings("ignore", category=UserWarning, module="sklearn")
    main()
