"""
From a table to a tuned and saved sequence classifier
=====================================================

Predict which credit card clients will not pay next month. The columns of a table hold
six months of payments side by side, and are converted to sequences. An LSTM, a network
that reads a sequence step by step, is tuned with
:class:`~sklearn.model_selection.GridSearchCV`, compared with logistic regression and
gradient boosting, and saved. The script takes about a minute on two cores.

The data is a sample of 2,000 clients that is part of skseq: I-C. Yeh, *Default of
Credit Card Clients*, UCI 350, https://doi.org/10.24432/C55S3H, CC BY 4.0.
"""

# %%
# A table
# -------
# Each row is a client. y is 1 if the client did not pay (22 % of the clients), else 0.
# 600 clients are for testing.
from sklearn.model_selection import train_test_split

from skseq.datasets import load_credit_default

X, y = load_credit_default(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X, y, test_size=0.3, stratify=y, random_state=0
)
print("Table:", X_train.shape, "= 1,400 clients for training, 23 columns")

# %%
# From columns to sequences
# -------------------------
# A sequence has *timesteps*, here the months, and the same features at each of them.
# The mapping lists the columns of each feature, oldest month first. The numbers in the
# names count backwards in time: columns that end in 6 are the oldest, and the payment
# status of the newest month is ``PAY_0`` (there is no ``PAY_1``). The other columns,
# such as the age, belong to no month and are repeated at every timestep.
from skseq import SequenceReshaper

reshaper = SequenceReshaper(
    columns={
        "PAY": ["PAY_6", "PAY_5", "PAY_4", "PAY_3", "PAY_2", "PAY_0"],
        "BILL_AMT": [f"BILL_AMT{month}" for month in range(6, 0, -1)],
        "PAY_AMT": [f"PAY_AMT{month}" for month in range(6, 0, -1)],
    }
)
sequences = reshaper.fit_transform(X_train)
print("Sequences:", sequences.shape, "= 1,400 clients, 6 months, 8 features")
print("Features:", ", ".join(reshaper.sequence_features_))

# %%
# A pipeline
# ----------
# Networks need features of similar size, so the columns are standardised first. With
# ``set_output`` they keep their names, by which the reshaper finds them. An *epoch* is
# one pass over the training rows.
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from skseq import LSTMClassifier

pipeline = Pipeline(
    [
        ("scale", StandardScaler()),
        ("reshape", reshaper),
        ("lstm", LSTMClassifier(epochs=15, random_state=0)),
    ]
).set_output(transform="pandas")

# %%
# Tuning
# ------
# ``units`` is the number of values that the LSTM remembers from month to month, and
# ``learning_rate`` the size of the steps by which its weights are changed. ``sampler``
# is a sampler of imbalanced-learn that ``fit`` applies to its training rows. SMOTE adds
# rows of the rare class. It does not always improve the scores, so the grid also tries
# the network without it. Eight candidates in three folds are 24 fits.
from imblearn.over_sampling import SMOTE
from sklearn.model_selection import GridSearchCV

search = GridSearchCV(
    pipeline,
    {
        "lstm__sampler": [None, SMOTE(random_state=0)],
        "lstm__units": [8, 32],
        "lstm__learning_rate": [0.001, 0.005],
    },
    scoring="roc_auc",
    cv=3,
)
print("\nTuning the LSTM with 24 fits takes up to a minute ...", flush=True)
search.fit(X_train, y_train)
for name, value in search.best_params_.items():
    print(f"Best {name.removeprefix('lstm__')}: {value}")

# %%
# Is the LSTM better than simpler models?
# ---------------------------------------
# The test rows have not been used so far. The ROC AUC is the probability that a client
# who did not pay gets a higher score than a client who paid: 0.5 is random, 1 is
# perfect. With 600 test clients it is known to about 0.025, so smaller differences mean
# nothing.
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline

models = {
    "Tuned LSTM": search.best_estimator_,
    "Logistic regression": make_pipeline(StandardScaler(), LogisticRegression()),
    "Gradient boosting": HistGradientBoostingClassifier(random_state=0),
}
scores, aucs = {}, {}
print("\nROC AUC on 600 test clients")
for name, model in models.items():
    if name != "Tuned LSTM":
        model.fit(X_train, y_train)
    scores[name] = model.predict_proba(X_test)[:, 1]
    aucs[name] = roc_auc_score(y_test, scores[name])
    print(f"  {name:20} {aucs[name]:.3f}")

# %%
# Saving, and loading in another process
# --------------------------------------
# The file holds the parameters and weights of the whole pipeline. A new process loads
# it and predicts the same probabilities.
import subprocess
import sys
from pathlib import Path

import joblib

output = Path("quickstart_output")
output.mkdir(exist_ok=True)
joblib.dump(search.best_estimator_, output / "model.joblib")
print(f"\nThe model is in {output / 'model.joblib'}")

code = f"""
import joblib
from skseq.datasets import load_credit_default

model = joblib.load({str(output / "model.joblib")!r})
X, y = load_credit_default(return_X_y=True)
clients = X.loc[{list(X_test.index[:3])}]
print(model.predict_proba(clients)[:, 1].round(3))
"""
loaded = subprocess.run(
    [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, check=True
)
print("Probability of default of three test clients")
print("  this process:", search.predict_proba(X_test[:3])[:, 1].round(3))
print("  a new process:", loaded.stdout.strip())

# %%
# ROC curves
# ----------
# Each point of a curve is a threshold: how many of the defaults are found, and how many
# of the paying clients are called defaults by mistake.
import matplotlib.pyplot as plt
from sklearn.metrics import roc_curve

figure, ax = plt.subplots(figsize=(6.4, 4), layout="constrained")
styles = {"Tuned LSTM": "-", "Logistic regression": "--", "Gradient boosting": ":"}
for name, style in styles.items():
    mistakes, found, _ = roc_curve(y_test, scores[name])
    ax.plot(mistakes, found, style, lw=3, label=f"{name} ({aucs[name]:.2f})")
ax.set(xlim=(0, 1), ylim=(0, 1.02))
ax.set_xlabel("Paying clients called defaults (share)", fontsize=13)
ax.set_ylabel("Defaults found (share)", fontsize=13)
ax.tick_params(labelsize=12)
ax.legend(title="ROC AUC", title_fontsize=13, fontsize=13, handlelength=3)
best = aucs["Tuned LSTM"] == max(aucs.values())
figure.suptitle(
    "The LSTM finds defaults at least as well as simpler models"
    if best
    else "The LSTM finds defaults about as well as simpler models",
    fontsize=14,
)
figure.savefig(output / "roc.png", dpi=150)
print(f"The picture is in {output / 'roc.png'}")

# %%
# Your own data
# -------------
# X is a table with one row for each client, machine or person, and numbers in all its
# columns. In place of ``columns=`` above, list your own columns, oldest first, the same
# number for each feature. y has one label for each row, numbers or strings. Data that
# is already an array of shape ``(n_samples, n_timesteps, n_features)`` needs no
# reshaper, and :class:`~skseq.SequenceScaler` takes the place of ``StandardScaler``. A
# long series is cut into sequences by :func:`~skseq.make_windows`.
