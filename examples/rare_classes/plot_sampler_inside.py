"""
Combine SMOTE with early stopping
=================================

Compare two places for SMOTE: before the network in a pipeline, and inside its ``fit``.
A network with early stopping holds out validation rows. If SMOTE is a step before the
network in a pipeline, half of these rows are generated, by interpolation between rows
that the network is trained on, and its validation score is too high. With ``sampler=``,
``fit`` first holds out rows, and then resamples the rest.
"""

# %%
# The data
# --------
# The data is the sample of credit card clients that is part of skseq: six months of
# payments, with 22 % defaults. In other data this class is often rarer, so defaults are
# reduced to 8 % of the rows. Half of all rows are for testing.
import numpy as np
import pandas as pd
from imblearn.over_sampling import SMOTE
from imblearn.pipeline import make_pipeline
from sklearn.base import clone
from sklearn.metrics import brier_score_loss, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from skseq import GRUClassifier, SequenceResampler, SequenceReshaper
from skseq.datasets import load_credit_default

X, y = load_credit_default(return_X_y=True)
months = {
    "PAY": ["PAY_6", "PAY_5", "PAY_4", "PAY_3", "PAY_2", "PAY_0"],
    "BILL_AMT": [f"BILL_AMT{month}" for month in range(6, 0, -1)],
    "PAY_AMT": [f"PAY_AMT{month}" for month in range(6, 0, -1)],
}
rng = np.random.default_rng(0)
defaults = np.flatnonzero(y == 1)
n_kept = round(0.08 / 0.92 * (y == 0).sum())
kept = np.r_[np.flatnonzero(y == 0), rng.choice(defaults, n_kept, replace=False)]
X, y = X.iloc[kept], y.iloc[kept].to_numpy()
print(f"{len(y)} rows, {y.sum()} defaults")

# %%
# SMOTE before the network and inside fit
# ---------------------------------------
# All networks have the same parameters, and stop when the ROC AUC on a fifth of their
# rows has not improved for ten epochs. The reshaper converts columns to timesteps.


steps = [
    StandardScaler().set_output(transform="pandas"),
    SequenceReshaper(columns=months),
]


def models(seed):
    network = GRUClassifier(
        units=32,
        epochs=100,
        early_stopping=True,
        validation_split=0.2,
        monitor="roc_auc",
        random_state=seed,
    )
    smote = SMOTE(random_state=seed)
    ends = {
        "no sampler": [network],
        "SMOTE before network": [SequenceResampler(smote), network],
        "SMOTE inside fit": [clone(network).set_params(sampler=smote)],
    }
    return {name: clone(make_pipeline(*steps, *end)) for name, end in ends.items()}


records, last = [], {}
for seed in range(5):
    X_train, X_test, y_train, y_test = train_test_split(
        X, y, test_size=0.5, stratify=y, random_state=seed
    )
    for name, model in models(seed).items():
        model.fit(X_train, y_train)
        probabilities = model.predict_proba(X_test)[:, 1]
        records.append(
            {
                "": name,
                "epochs": model[-1].n_iter_,
                "validation ROC AUC": model[-1].best_score_,
                "test ROC AUC": roc_auc_score(y_test, probabilities),
                "test Brier score": brier_score_loss(y_test, probabilities),
            }
        )
        last[name] = model[-1], probabilities
table = pd.DataFrame(records).groupby("", sort=False).mean()
print(table.round(3).to_string())

# %%
# A validation score that is too high
# -----------------------------------
# With SMOTE before the network, the validation ROC AUC is much higher than the test ROC
# AUC, and the network is trained for more epochs than are useful. With SMOTE inside
# ``fit``, both scores are close. SMOTE inside ``fit`` is not better here than no
# sampler. This is common, because interpolated rows seldom improve the ranking.
import matplotlib.pyplot as plt

figure, ax = plt.subplots(figsize=(6.4, 4), layout="constrained")
for place, (_, row) in enumerate(table.iterrows()):
    test, validation = row["test ROC AUC"], row["validation ROC AUC"]
    ax.plot([test, validation], [place] * 2, color="0.7", lw=5)
    ax.plot(validation, place, "s", color="C1", ms=13, label="validation rows")
    ax.plot(test, place, "o", color="black", ms=13, label="test rows")
names = ["no sampler", "SMOTE before\nthe network", "SMOTE\ninside fit"]
ax.set_yticks(range(3), names, fontsize=14)
ax.set(ylim=(2.5, -0.5), xlim=(0.6, 1))
ax.tick_params(axis="x", labelsize=12)
ax.set_xlabel("ROC AUC, mean of 5 seeds", fontsize=13)
ax.legend(*(part[:2] for part in ax.get_legend_handles_labels()), fontsize=13)
before = table.loc["SMOTE before network"]
figure.suptitle(
    f"SMOTE before the network: validation {before['validation ROC AUC']:.2f}, "
    f"test {before['test ROC AUC']:.2f}",
    fontsize=14,
)
plt.show()

# %%
# Probabilities that are too high
# -------------------------------
# The probabilities of a network that was trained with SMOTE correspond to data in which
# half of the clients default, as the Brier score above and this figure show. If
# probabilities matter, use no sampler, or calibrate them.
figure, ax = plt.subplots(figsize=(6.4, 4), layout="constrained")
for name, color in (("SMOTE inside fit", "C1"), ("no sampler", "black")):
    predicted = pd.Series(last[name][1])
    groups = pd.qcut(predicted, 6, labels=False)
    ax.plot(
        predicted.groupby(groups).mean(),
        pd.Series(y_test).groupby(groups).mean(),
        "o-",
        color=color,
        label=name,
        lw=3,
        ms=9,
    )
ax.plot([0, 1], [0, 1], ":", color="0.5", lw=2, label="calibrated")
ax.set(xlim=(0, 0.8), ylim=(0, 0.8))
ax.set_xlabel("Predicted probability of default", fontsize=13)
ax.set_ylabel("Share of defaults", fontsize=13)
ax.tick_params(labelsize=12)
ax.legend(fontsize=13, loc="upper left")
figure.suptitle("SMOTE makes the probabilities too high", fontsize=15)
plt.show()
