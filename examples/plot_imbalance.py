"""
Ways with a rare class
======================

Five sequences of a hundred have a bump somewhere. What helps a network to find it:
weights, batches with the classes in equal shares, rows that are drawn again, left out
or made? Here they are side by side, over seeds, with a picture of what is made.
"""

# %%
# The data
# --------
# A noisy wave, and in the rare class a bump of four steps at any place.
import numpy as np
import pandas as pd
from sklearn.metrics import (
    average_precision_score,
    balanced_accuracy_score,
    roc_auc_score,
)
from sklearn.model_selection import train_test_split


def waves(n_rows, seed):
    rng = np.random.default_rng(seed)
    y = (np.arange(n_rows) % 20 == 0).astype(int)
    starts = rng.uniform(0, 2 * np.pi, (n_rows, 1))
    X = np.sin(starts + np.linspace(0, 9, 30)) + rng.normal(0, 0.3, (n_rows, 30))
    for row in np.flatnonzero(y):
        step = rng.integers(26)
        X[row, step : step + 4] += 1.5
    return X[:, :, None], y


# %%
# Side by side
# ------------
# All networks are the same, and hold a fifth of their training rows out to stop by.
# ``sampler`` resamples what is left.
from imblearn.over_sampling import SMOTE, RandomOverSampler
from imblearn.under_sampling import RandomUnderSampler

from skseq import Conv1DClassifier, LatentSampler, SequenceAugmenter

ways = {
    "nothing": {},
    "class weights": {"class_weight": "balanced"},
    "balanced batches": {"balanced_batches": True},
    "rows drawn again": {"sampler": RandomOverSampler()},
    "rows left out": {"sampler": RandomUnderSampler()},
    "SMOTE": {"sampler": SMOTE()},
    "stretched copies": {"sampler": SequenceAugmenter()},
    "SMOTE of codes": {"sampler": LatentSampler()},
}
records, last = [], {}
for seed in range(3):
    X, y = waves(4000, seed)
    X_train, X_test, y_train, y_test = train_test_split(
        X, y, test_size=0.5, stratify=y, random_state=0
    )
    for name, params in ways.items():
        network = Conv1DClassifier(
            filters=32,
            pooling="max",
            epochs=60,
            early_stopping=True,
            validation_split=0.2,
            monitor="roc_auc",
            random_state=seed,
            **params,
        ).fit(X_train, y_train)
        probabilities = network.predict_proba(X_test)[:, 1]
        records.append(
            {
                "": name,
                "ROC AUC": roc_auc_score(y_test, probabilities),
                "average precision": average_precision_score(y_test, probabilities),
                "balanced accuracy": balanced_accuracy_score(
                    y_test, network.predict(X_test)
                ),
            }
        )
        last[name] = network
table = pd.DataFrame(records).groupby("", sort=False).agg(["mean", "std"])
print(table.round(3).to_string())

# %%
# Where ``predict`` draws its line at one half, weights, balanced batches and repeated
# rows find more of what is rare: that is balanced accuracy. A threshold would do as
# much, see :ref:`sphx_glr_auto_examples_plot_threshold.py`. None of them ranks rows
# better than doing nothing does, as the other two columns show; leaving rows out costs
# what the network would have learned from them.
#
# The picture shows what is made. SMOTE's rows lie between two rows, and are smoother
# than any; where two bumps stood at two places, both are lower. Stretched copies keep
# what they are copies of. An autoencoder of a few numbers leaves out what is so small a
# part of a row as a bump is: rows that are made of its codes are waves without one, and
# labelled as if they had one.
import matplotlib.pyplot as plt
from sklearn.metrics import PrecisionRecallDisplay

figure, (left, right) = plt.subplots(1, 2, figsize=(12, 5.5), layout="constrained")
shown = {"real": X_train[y_train == 1]}
for name in ("SMOTE", "stretched copies", "SMOTE of codes"):
    rows, _ = last[name].sampler_.fit_resample(X_train, y_train)
    shown[name] = rows[len(X_train) :]
for i, (name, rows) in enumerate(shown.items()):
    for j in range(3):
        left.plot(rows[j, :, 0] - 5 * (3 * i + j), color=f"C{i}")
    left.annotate(name, (30, -5 * (3 * i + 1)), color=f"C{i}", va="center")
left.set(xlabel="Timestep", xlim=(0, 38), yticks=[], title="Rows of the rare class")
for name in ("nothing", "balanced batches", "SMOTE", "rows left out"):
    PrecisionRecallDisplay.from_estimator(
        last[name], X_test, y_test, name=name, ax=right
    )
right.legend(loc="lower left")
right.set_title("What is found, and how much of it is right")
plt.show()
