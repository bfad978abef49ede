"""
From a table to a tuned, saved sequence classifier
==================================================

Who will not pay next month? A table of credit card clients holds six months of
payments side by side. Here those columns become six timesteps, an LSTM is tuned over
them with :class:`~sklearn.model_selection.GridSearchCV`, and the winner is saved and
loaded in another process.

The data is a sample of 2,000 clients that ships with skseq: I-C. Yeh, *Default of
Credit Card Clients*, UCI 350, https://doi.org/10.24432/C55S3H, CC BY 4.0.
"""

# %%
# A table that holds sequences
# ----------------------------
# Every payment column stands for a month. Time runs backwards in their names: those
# that end in 6 are the oldest, and ``PAY_0`` is what one would expect to be ``PAY_1``.
# A mapping says which column is which step, oldest first. The other columns, such as
# the limit and the age, belong to no month and are repeated at every step.
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
print("From", X_train.shape, "to", sequences.shape)
print("Features of a timestep:", ", ".join(reshaper.sequence_features_))

# %%
# A pipeline
# ----------
# ``StandardScaler`` and ``SMOTE`` read tables, so they stand before the reshaper.
# SMOTE evens out the classes, in the training rows alone. It is not always for the
# better: the grid below decides. (It also draws codes such as ``EDUCATION`` in between;
# where that matters, use ``SMOTENC``.)
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
# Tuned like any classifier
# -------------------------
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
# The test rows were not used so far.
test_auc = search.score(X_test, y_test)
print(f"Test ROC AUC: {test_auc:.4f}")

# %%
# Saved, and loaded in another process
# ------------------------------------
# The file holds parameters and weights, no graph. The process that loads it gives the
# same probabilities, to the last bit.
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
print(f"{len(here)} predictions of the loaded model are equal, bit for bit: {equal}")
if not equal:
    raise SystemExit("The loaded model predicts something else.")

# %%
# What it can tell
# ----------------
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
