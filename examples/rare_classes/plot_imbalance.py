"""
Comparing methods for imbalanced classes
========================================

Of the sequences in this example, 5 % have a bump and belong to the rare class. Networks
are trained with class weights, with balanced batches, and with over-sampling and
under-sampling. Their scores are compared over several seeds, and the generated rows are
plotted.
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
# The threshold of ``predict`` is 0.5. With class weights, balanced batches and random
# over-sampling, more rows of the rare class are detected, and balanced accuracy is
# higher. Another threshold would have the same effect, see
# :doc:`/auto_examples/rare_classes/plot_threshold`. The other two columns show that no
# method improves the ranking of rows. Under-sampling loses the information in the rows
# that it leaves out.
#
# The left plot shows real rows and generated ones. SMOTE interpolates between two rows,
# so that its rows are smoother than real ones, and two bumps at different positions are
# both lower. Scaled copies keep the bumps. The codes of the autoencoder have few
# components and do not represent such a small part of a row, so that rows decoded from
# them have no bump, but are labelled as the rare class.
import matplotlib.pyplot as plt
from sklearn.metrics import PrecisionRecallDisplay

figure, (left, right) = plt.subplots(1, 2, figsize=(12, 5.5), layout="constrained")
shown = {"real": X_train[y_train == 1]}
for name in ("SMOTE", "scaled copies", "SMOTE on codes"):
    rows, _ = last[name].sampler_.fit_resample(X_train, y_train)
    shown[name] = rows[len(X_train) :]
for i, (name, rows) in enumerate(shown.items()):
    for j in range(3):
        left.plot(rows[j, :, 0] - 5 * (3 * i + j), color=f"C{i}")
    left.annotate(name, (30, -5 * (3 * i + 1)), color=f"C{i}", va="center")
left.set(xlabel="Timestep", xlim=(0, 38), yticks=[], title="Rows of the rare class")
for name in ("no method", "balanced batches", "SMOTE", "random under-sampling"):
    PrecisionRecallDisplay.from_estimator(
        last[name], X_test, y_test, name=name, ax=right
    )
right.legend(loc="lower left")
right.set_title("Precision and recall on test rows")
plt.show()
