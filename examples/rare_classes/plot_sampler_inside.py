"""
Combining SMOTE with early stopping
===================================

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
# With SMOTE before the network, the validation ROC AUC is much higher than the test ROC
# AUC, and the network overfits for more than twice as many epochs. With SMOTE inside
# ``fit``, both scores are close.
#
# SMOTE inside ``fit`` is not better here than no sampler. This is common, because
# interpolated rows seldom improve the ranking. Its probabilities correspond to data in
# which half of the clients default, as the Brier score and the right plot show. If
# probabilities matter, use no sampler, or calibrate them.
import matplotlib.pyplot as plt
from sklearn.calibration import CalibrationDisplay

figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.5), layout="constrained")
colors = dict(zip(last, ["0.5", "tab:red", "tab:blue"], strict=True))
for name, (network, probabilities) in last.items():
    scores = network.history_["val_roc_auc"]
    test_score = roc_auc_score(y_test, probabilities)
    left.plot(np.arange(1, len(scores) + 1), scores, color=colors[name], label=name)
    left.axhline(test_score, color=colors[name], linestyle=":")
    CalibrationDisplay.from_predictions(
        y_test, probabilities, n_bins=6, strategy="quantile", name=name, ax=right,
        color=colors[name],
    )  # fmt: skip
left.set(
    xlabel="Epoch", ylabel="ROC AUC", title="Validation (solid) and test rows (dotted)"
)
left.legend()
right.set_title("Calibration on test rows")
right.legend(loc="upper left")
plt.show()
