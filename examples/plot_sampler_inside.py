"""
Where to put SMOTE
==================

A network that stops early needs rows to watch. Where SMOTE stands before it in a
pipeline, the network holds out rows of which half were made by SMOTE, each between two
rows that it trains on. It watches what it has all but seen. ``sampler=`` holds rows out
first, and resamples the rest.
"""

# %%
# The data
# --------
# The sample of credit card clients that ships: six months of payments, 22 % defaults.
# To make the class as rare as it is elsewhere, defaults are thinned out to 8 % of the
# rows; half of them are kept for the test.
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
# Two places for one sampler
# --------------------------
# Both networks are the same, both stop when ROC AUC on a fifth of their rows grows no
# better for ten epochs. The reshaper turns columns into months.


front = [
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
        "SMOTE in front": [SequenceResampler(smote), network],
        "SMOTE inside": [clone(network).set_params(sampler=smote)],
    }
    return {name: clone(make_pipeline(*front, *end)) for name, end in ends.items()}


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
                "watched ROC AUC": model[-1].best_score_,
                "test ROC AUC": roc_auc_score(y_test, probabilities),
                "test Brier score": brier_score_loss(y_test, probabilities),
            }
        )
        last[name] = model[-1], probabilities
table = pd.DataFrame(records).groupby("", sort=False).mean()
print(table.round(3).to_string())

# %%
# With SMOTE in front, the network watches a ROC AUC that is far from what new rows will
# show, and trains several times as long on what it has learned by heart. Inside, what
# it watches is what it gets.
#
# SMOTE inside is no better here than no sampler, which is common: the ranking of rows
# seldom gains from rows between rows. Its probabilities are those of a world in which
# half of the clients default, as the Brier score and the second picture show. Where
# probabilities matter, do without, or calibrate them.
import matplotlib.pyplot as plt
from sklearn.calibration import CalibrationDisplay

figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.5), layout="constrained")
colors = dict(zip(last, ["0.5", "tab:red", "tab:blue"], strict=True))
for name, (network, probabilities) in last.items():
    watched = network.history_["val_roc_auc"]
    true = roc_auc_score(y_test, probabilities)
    left.plot(np.arange(1, len(watched) + 1), watched, color=colors[name], label=name)
    left.axhline(true, color=colors[name], linestyle=":")
    CalibrationDisplay.from_predictions(
        y_test, probabilities, n_bins=6, strategy="quantile", name=name, ax=right,
        color=colors[name],
    )  # fmt: skip
left.set(
    xlabel="Epoch", ylabel="ROC AUC", title="Watched (lines) and on new rows (dotted)"
)
left.legend()
right.set_title("Calibration on new rows")
right.legend(loc="upper left")
plt.show()
