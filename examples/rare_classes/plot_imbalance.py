"""
Compare methods for imbalanced classes
======================================

Train networks with class weights, with balanced batches, and with over-sampling and
under-sampling, and compare their scores over three seeds. 5 % of the sequences have a
bump and belong to the rare class.
"""

# %%
# The data
# --------
# The sequences are noisy waves. In the rare class, a bump of four timesteps is added at
# a random position.
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
# The methods
# -----------
# All networks have the same parameters, and hold out a fifth of their training rows for
# early stopping. ``sampler`` resamples the other rows.
from imblearn.over_sampling import SMOTE, RandomOverSampler
from imblearn.under_sampling import RandomUnderSampler

from skseq import Conv1DClassifier, LatentSampler, SequenceAugmenter

methods = {
    "no method": {},
    "class weights": {"class_weight": "balanced"},
    "balanced batches": {"balanced_batches": True},
    "random over-sampling": {"sampler": RandomOverSampler()},
    "random under-sampling": {"sampler": RandomUnderSampler()},
    "SMOTE": {"sampler": SMOTE()},
    "scaled copies": {"sampler": SequenceAugmenter()},
    "SMOTE on codes": {"sampler": LatentSampler()},
}
records, last = [], {}
for seed in range(3):
    X, y = waves(4000, seed)
    X_train, X_test, y_train, y_test = train_test_split(
        X, y, test_size=0.5, stratify=y, random_state=0
    )
    for name, params in methods.items():
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
# Ranking and threshold
# ---------------------
# Average precision measures how well rows are ranked, without a threshold. Balanced
# accuracy is the mean share of rows found in the two classes by ``predict``, whose
# threshold is 0.5. Without a method, the network ranks well, but few rare rows have a
# probability above 0.5. Another threshold would have the same effect as most methods,
# see :doc:`/auto_examples/rare_classes/plot_threshold`: they change the ranking by no
# more than the seeds do. Rows decoded from the codes of an autoencoder make it worse.
import matplotlib.pyplot as plt

figure, ax = plt.subplots(figsize=(6.4, 4), layout="constrained")
places = range(len(table))
for score, style, color in (
    ("balanced accuracy", "s", "C1"),
    ("average precision", "o", "black"),
):
    ax.errorbar(
        table[score, "mean"],
        places,
        xerr=table[score, "std"],
        fmt=style,
        color=color,
        ms=9,
        label=score,
    )
ax.axhspan(-0.5, 0.5, color="0.92")
ax.set_yticks(places, table.index, fontsize=13)
ax.set(ylim=(len(table) - 0.5, -0.5), xlim=(0.5, 1.02))
ax.set_xlabel("Score on test rows, mean and std of 3 seeds", fontsize=13)
ax.tick_params(axis="x", labelsize=12)
figure.legend(fontsize=12, loc="outside lower center", ncols=2)
figure.suptitle("Most methods move the threshold, not the ranking", fontsize=15)
plt.show()

# %%
# Generated rows
# --------------
# The noise of a row is measured by the differences between neighbouring timesteps.
# SMOTE interpolates between two rows, so that its rows have less noise than real ones,
# and two bumps at different positions are both lower. Scaled copies stay as noisy as
# real rows. The code of the autoencoder has few components and does not represent a
# bump of four timesteps, so that rows decoded from it have neither noise nor a clear
# bump.
print("Standard deviation of the differences between neighbouring timesteps")
print(f"  real rows        {np.diff(X_train[y_train == 1, :, 0]).std():.2f}")
for name in ("SMOTE", "scaled copies", "SMOTE on codes"):
    rows, _ = last[name].sampler_.fit_resample(X_train, y_train)
    print(f"  {name:16} {np.diff(rows[len(X_train) :, :, 0]).std():.2f}")
