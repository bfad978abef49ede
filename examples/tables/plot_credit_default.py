"""
Compare networks for the default of credit card clients
=======================================================

Predict the default of credit card clients in Taiwan from six months of payments. An
LSTM, a GRU, a convolutional and a dense network are compared with logistic regression
and gradient boosting on the same rows.

I-C. Yeh, *Default of Credit Card Clients*, UCI 350, https://doi.org/10.24432/C55S3H,
CC BY 4.0. The whole table has 30,000 rows and is not part of skseq. It is used if its
file is in the folder given by the environment variable ``SKSEQ_DATA``, or in
``shared/data`` in the working directory or one of its parents. Otherwise a sample of
2,000 rows is used, which is part of skseq, and the scores are less precise.
"""

# %%
# The data
# --------
import os
from pathlib import Path

import pandas as pd
from sklearn.model_selection import train_test_split

from skseq.datasets import load_credit_default


def find_whole_table():
    """Find the path of the whole table, or None."""
    folders = [Path.cwd(), *Path.cwd().parents]
    folders = [folder / "shared" / "data" for folder in folders]
    if os.environ.get("SKSEQ_DATA"):
        folders.insert(0, Path(os.environ["SKSEQ_DATA"]))
    for folder in folders:
        path = folder / "credit_default.csv.gz"
        if path.exists():
            return path
    return None


path = find_whole_table()
if path is None:
    X, y = load_credit_default(return_X_y=True)
    print(f"Sample: {len(X)} rows")
else:
    table = pd.read_csv(path)
    X = table.drop(columns="default_payment_next_month")
    y = table["default_payment_next_month"]
    print(f"Whole table: {len(X)} rows")

X_train, X_test, y_train, y_test = train_test_split(
    X, y, test_size=0.3, stratify=y, random_state=0
)

# %%
# From columns to months
# ----------------------
# The numbers in the column names count backwards in time. The mapping lists the columns
# of each feature, oldest month first. Limit, sex, education, marriage and age belong to
# no month and are repeated at every timestep.
import numpy as np
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skseq import SequenceReshaper

reshaper = SequenceReshaper(
    columns={
        "PAY": ["PAY_6", "PAY_5", "PAY_4", "PAY_3", "PAY_2", "PAY_0"],
        "BILL_AMT": [f"BILL_AMT{month}" for month in range(6, 0, -1)],
        "PAY_AMT": [f"PAY_AMT{month}" for month in range(6, 0, -1)],
    }
)


def make_sequence_pipeline(network):
    """Make a pipeline of a scaler, the reshaper and a network."""
    pipeline = make_pipeline(StandardScaler(), reshaper, network)
    # The reshaper finds the columns by their names.
    return pipeline.set_output(transform="pandas")


months = reshaper.fit_transform(X_train)
print("Shape of a sequence:", months.shape[1:])
print("Features:", ", ".join(reshaper.sequence_features_))
print("Payment status of the first client, April to September:", months[0, :, 0])

# %%
# The models
# ----------
# With early stopping, each network holds out a tenth of its training rows and computes
# the ROC AUC on them. It stops when this has not improved for five epochs, and restores
# the best weights. Parameters that differ from the defaults were chosen by
# cross-validation on the training rows of the whole table, without the test rows.
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from skseq import Conv1DClassifier, DenseClassifier, GRUClassifier, LSTMClassifier

training = {
    "epochs": 40,
    "batch_size": 128,
    "early_stopping": True,
    "monitor": "roc_auc",
    "patience": 5,
    "random_state": 0,
}
networks = {
    "LSTM": make_sequence_pipeline(LSTMClassifier(pooling="last", **training)),
    "GRU": make_sequence_pipeline(GRUClassifier(pooling="last", **training)),
    "Conv1D": make_sequence_pipeline(Conv1DClassifier(kernel_size=3, **training)),
    "Dense": make_sequence_pipeline(DenseClassifier(dense_units=(64, 32), **training)),
}
others = {
    "Logistic regression": make_pipeline(StandardScaler(), LogisticRegression()),
    "Gradient boosting": HistGradientBoostingClassifier(random_state=0),
}

# %%
# Results
# -------
import time

from sklearn.metrics import average_precision_score, roc_auc_score

rows = []
for name, model in {**networks, **others}.items():
    start = time.perf_counter()
    model.fit(X_train, y_train)
    seconds = time.perf_counter() - start
    scores = model.predict_proba(X_test)[:, 1]
    rows.append(
        {
            "model": name,
            "ROC AUC": roc_auc_score(y_test, scores),
            "average precision": average_precision_score(y_test, scores),
            "epochs": str(model[-1].n_iter_) if name in networks else "",
            "seconds": round(seconds, 1),
        }
    )
result = pd.DataFrame(rows).set_index("model").round(4)
print(result.sort_values("ROC AUC", ascending=False))

# %%
# Which differences are meaningful?
# ---------------------------------
# With other test rows the ROC AUC would be a little different. Its standard error, by
# Hanley and McNeil (1982), says how much. Differences smaller than it mean nothing. If
# gradient boosting is as good as the networks, use it: it is faster and needs no
# scaling.
import matplotlib.pyplot as plt

aucs = result["ROC AUC"].sort_values()
positive, negative = int((y_test == 1).sum()), int((y_test == 0).sum())
q1, q2 = aucs / (2 - aucs), 2 * aucs**2 / (1 + aucs)
variance = aucs * (1 - aucs) + (positive - 1) * (q1 - aucs**2)
errors = np.sqrt((variance + (negative - 1) * (q2 - aucs**2)) / (positive * negative))
print(f"Standard error of the ROC AUC on {len(y_test)} rows: {errors.max():.4f}")
near = (aucs > aucs.iloc[-1] - errors.iloc[-1]).sum()

figure, ax = plt.subplots(figsize=(6.4, 4), layout="constrained")
for place, name in enumerate(aucs.index):
    color = "C0" if name in networks else "C1"
    ax.errorbar(aucs[name], place, xerr=errors[name], fmt="o", color=color, ms=11, lw=3)
ax.set_yticks(range(len(aucs)), aucs.index, fontsize=14)
for label in ax.get_yticklabels():
    label.set_color("C0" if label.get_text() in networks else "C1")
ax.tick_params(axis="x", labelsize=12)
ax.set_xlabel(f"ROC AUC on {len(y_test):,} test rows, with standard error", fontsize=13)
figure.suptitle(
    f"{near} of {len(aucs)} models are within a standard error of the best"
    if near > 1
    else f"{aucs.index[-1]} is best, by more than a standard error",
    fontsize=14,
)
plt.show()
