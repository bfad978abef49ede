"""Compare two places for columns that do not change over time, on credit default.

    python benchmarks/static.py [--seeds 5] [--rows 30000]

The table has six months of three features, and five columns of the client, 14 after
one-hot encoding, which SequenceReshaper repeats at each timestep. They are read at each
timestep, or, with ``n_static``, once, after the recurrent or convolutional layers; both
also with a hidden dense layer of 32 units before the output. All ways of
a seed have the same rows: a stratified 30 % is held out, and early stopping watches the
ROC AUC of a tenth of the others. The table is read from the folder SKSEQ_DATA. The
script prints means over the seeds, the differences to ``repeated`` of the same seed,
and the seconds of a fit and of an epoch.
"""

import argparse
import os
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skseq import Conv1DClassifier, LSTMClassifier, SequenceReshaper

FOLDER = Path(os.environ.get("SKSEQ_DATA", "."))
STATIC = ["LIMIT_BAL", "AGE", "SEX", "EDUCATION", "MARRIAGE"]
MONTHS = {
    "PAY": ["PAY_6", "PAY_5", "PAY_4", "PAY_3", "PAY_2", "PAY_0"],
    "BILL_AMT": [f"BILL_AMT{month}" for month in range(6, 0, -1)],
    "PAY_AMT": [f"PAY_AMT{month}" for month in range(6, 0, -1)],
}


def ways(kind, options):
    if kind == "lstm":
        network = LSTMClassifier(32, pooling="last", **options)
    else:
        network = Conv1DClassifier((64, 64), kernel_size=3, **options)
    for more, dense_units in (("", ()), (", hidden", 32)):
        network.set_params(dense_units=dense_units)
        yield f"repeated{more}", network.set_params(n_static=0)
        yield f"n_static{more}", network.set_params(n_static="auto")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--rows", type=int, default=30_000)
    arguments = parser.parse_args()
    table = pd.read_csv(FOLDER / "credit_default.csv.gz")
    y = table.pop("default_payment_next_month").to_numpy()
    encoder = OneHotEncoder(sparse_output=False, handle_unknown="ignore")
    encode = make_column_transformer(
        (encoder, ["SEX", "EDUCATION", "MARRIAGE"]),
        remainder="passthrough",
        verbose_feature_names_out=False,
    )
    prepare = make_pipeline(
        encode, StandardScaler(), SequenceReshaper(columns=MONTHS)
    ).set_output(transform="pandas")
    rows = []
    for seed in range(arguments.seeds):
        chosen = np.random.default_rng(seed).permutation(len(y))[: arguments.rows]
        train, test = train_test_split(
            chosen, test_size=0.3, stratify=y[chosen], random_state=seed
        )
        X = prepare.fit(table.iloc[train]).transform(table).astype(np.float32)
        options = {
            "epochs": 30, "batch_size": 128, "early_stopping": True, "patience": 5,
            "monitor": "roc_auc", "random_state": seed,
        }  # fmt: skip
        for kind in ("lstm", "conv1d"):
            for way, net in ways(kind, options):
                net.set_params(epochs=1).fit(X[train], y[train])  # traces
                net.set_params(epochs=30)
                start = time.perf_counter()
                net.fit(X[train], y[train])
                seconds = time.perf_counter() - start
                auc = roc_auc_score(y[test], net.predict_proba(X[test])[:, 1])
                rows.append((kind, way, auc, seconds, seconds / net.n_iter_))
    found = pd.DataFrame(rows, columns=["kind", "way", "auc", "fit", "epoch"])
    print("| network | static columns | ROC AUC | to repeated | fit | epoch |")
    print("|---|---|---:|---:|---:|---:|")
    for (kind, way), part in found.groupby(["kind", "way"], sort=False):
        base = way.replace("n_static", "repeated")
        of_base = found[(found["kind"] == kind) & (found["way"] == base)]
        apart = part["auc"].to_numpy() - of_base["auc"].to_numpy()
        print(
            f"| {kind} | {way} | {part['auc'].mean():.4f} | {apart.mean():+.4f} "
            f"({apart.min():+.4f} to {apart.max():+.4f}) | "
            f"{part['fit'].median():.1f} s | {part['epoch'].median():.2f} s |"
        )


if __name__ == "__main__":
    main()
