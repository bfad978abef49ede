"""
From a table to a tuned and saved sequence classifier
=====================================================

This example predicts which credit card clients will not pay next month. The columns of
a table hold six months of payments side by side, and are converted to six timesteps. An
LSTM is tuned with :class:`~sklearn.model_selection.GridSearchCV`, and the best model is
saved and loaded in another process.

The data is a sample of 2,000 clients that is part of skseq: I-C. Yeh, *Default of
Credit Card Clients*, UCI 350, https://doi.org/10.24432/C55S3H, CC BY 4.0.
"""

# %%
# From columns to sequences
# -------------------------
# Each payment column belongs to one month. The numbers in their names count backwards
# in time: columns that end in 6 are the oldest, and the status of the newest month is
# ``PAY_0``, not ``PAY_1``. The mapping lists the columns of each feature, oldest month
# first. The other columns, such as the limit and the age, belong to no month and are
# repeated at every timestep.
from sklearn.model_selection import train_test_split

from skseq import SequenceReshaper
from skseq.datasets import load_credit_default

X, y = load_credit_default(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X, y, test_size=0.3, stratify=y, random_state=0
)

reshaper = SequenceReshaper(
    columns={
        "PAY": ["PAY_6", "PAY_5", "PAY_4", "PAY_3", "PAY_2", "PAY_0"],
        "BILL_AMT": [f"BILL_AMT{month}" for month in range(6, 0, -1)],
        "PAY_AMT": [f"PAY_AMT{month}" for month in range(6, 0, -1)],
    }
)
sequences = reshaper.fit_transform(X_train)
print("Shape of the table:", X_train.shape)
print("Shape of the sequences:", sequences.shape)
print("Features of each timestep:", ", ".join(reshaper.sequence_features_))

# %%
# A pipeline
# ----------
# ``StandardScaler`` and ``SMOTE`` accept only tables, so they come before the reshaper.
# SMOTE balances the classes, only in the training rows. It does not always improve the
# scores, so the grid below also tries the pipeline without it. It interpolates
# categories such as ``EDUCATION`` like numbers; if that matters, use ``SMOTENC``.
from imblearn.over_sampling import SMOTE
from imblearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from skseq import LSTMClassifier

pipeline = Pipeline(
    [
        ("scale", StandardScaler()),
        ("smote", SMOTE(random_state=0)),
        ("reshape", reshaper),
        ("lstm", LSTMClassifier(epochs=15, random_state=0)),
    ]
).set_output(transform="pandas")  # the reshaper finds the columns by their names

# %%
# Tuning
# ------
import pandas as pd
from sklearn.model_selection import GridSearchCV

search = GridSearchCV(
    pipeline,
    {
        "smote": [SMOTE(random_state=0), "passthrough"],
        "lstm__units": [8, 32],
        "lstm__learning_rate": [0.001, 0.005],
    },
    scoring="roc_auc",
    cv=3,
)
search.fit(X_train, y_train)

table = pd.DataFrame(search.cv_results_)
table = pd.DataFrame(
    {
        "units": table["param_lstm__units"],
        "learning_rate": table["param_lstm__learning_rate"],
        "SMOTE": table["param_smote"].map(lambda step: step != "passthrough"),
        "mean ROC AUC": table["mean_test_score"].round(4),
        "std": table["std_test_score"].round(4),
        "rank": table["rank_test_score"],
    }
).sort_values("rank")
print(table.to_string(index=False))

# %%
# The test rows have not been used so far.
test_auc = search.score(X_test, y_test)
print(f"Test ROC AUC: {test_auc:.4f}")

# %%
# Saving, and loading in another process
# --------------------------------------
# The file holds parameters and weights, and no graph. The process that loads it gives
# the same probabilities, bit for bit.
import subprocess
import sys
from pathlib import Path

import joblib

output = Path("quickstart_output")
output.mkdir(exist_ok=True)
model_path = output / "model.joblib"
joblib.dump(search.best_estimator_, model_path)
rows_path = output / "test_rows.joblib"
joblib.dump(X_test, rows_path)
print(f"Saved the model to {model_path} ({model_path.stat().st_size / 1000:.0f} kB)")

code = """
import sys, joblib
model, rows = (joblib.load(path) for path in sys.argv[1:])
print(model.predict_proba(rows).tobytes().hex())
"""
loaded = subprocess.run(
    [sys.executable, "-c", code, str(model_path), str(rows_path)],
    stdout=subprocess.PIPE,
    text=True,
    check=True,
)
here = search.predict_proba(X_test)
equal = loaded.stdout.strip() == here.tobytes().hex()
print(f"{len(here)} predictions of the loaded model are equal bit for bit: {equal}")
if not equal:
    raise SystemExit("The predictions of the loaded model differ.")

# %%
# ROC curve on the test rows
# --------------------------
import matplotlib.pyplot as plt
from sklearn.metrics import RocCurveDisplay

figure, axes = plt.subplots(figsize=(5, 5), layout="constrained")
RocCurveDisplay.from_estimator(
    search, X_test, y_test, name="Tuned LSTM", plot_chance_level=True, ax=axes
)
axes.set_title("Default of credit card clients, 600 test rows")
picture_path = output / "roc.png"
figure.savefig(picture_path, dpi=150)
print(f"Saved the picture to {picture_path}")
