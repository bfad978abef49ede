"""
Choose a threshold on the ROC curve
===================================

Choose the threshold of ``predict`` for a network, by the costs of its errors. The
default is 0.5. If one kind of error costs more than the other, or classes are
imbalanced, another threshold is better. scikit-learn's tools find it for networks as
for any classifier. The last part corrects the probabilities of a network that was
trained on balanced batches.
"""

# %%
# The data
# --------
# The data is the sample of credit card clients that is part of skseq: six months of
# payments, with 22 % defaults. Accepting a client who defaults costs the bank five
# times as much as refusing a client who would have paid.
import numpy as np
from sklearn.metrics import confusion_matrix, make_scorer
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skseq import GRUClassifier, SequenceReshaper
from skseq.datasets import load_credit_default

X, y = load_credit_default(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X, y, test_size=0.5, stratify=y, random_state=0
)


def cost(y_true, y_pred):
    """Compute the mean cost of a client, where refusing a client who pays costs 1."""
    _, refused, accepted, _ = confusion_matrix(y_true, y_pred).ravel()
    return (refused + 5 * accepted) / len(y_true)


# %%
# A network, and the search for its threshold
# -------------------------------------------
# ``TunedThresholdClassifierCV`` searches for the threshold with the lowest cost, by
# cross-validation on the training rows. Its ``estimator_`` is the network, fitted on
# all training rows, which predicts with the threshold 0.5.
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import TunedThresholdClassifierCV

months = {
    "PAY": ["PAY_6", "PAY_5", "PAY_4", "PAY_3", "PAY_2", "PAY_0"],
    "BILL_AMT": [f"BILL_AMT{month}" for month in range(6, 0, -1)],
    "PAY_AMT": [f"PAY_AMT{month}" for month in range(6, 0, -1)],
}


def network(**params):
    return make_pipeline(
        StandardScaler().set_output(transform="pandas"),
        SequenceReshaper(columns=months),
        GRUClassifier(units=16, epochs=15, random_state=0, **params),
    )


lowest_cost = make_scorer(cost, greater_is_better=False)
tuned = TunedThresholdClassifierCV(network(), scoring=lowest_cost, cv=5)
tuned.fit(X_train, y_train)
plain = tuned.estimator_
probabilities = plain.predict_proba(X_test)[:, 1]
print(f"Threshold: {tuned.best_threshold_:.2f}")
print(f"ROC AUC on test rows: {roc_auc_score(y_test, probabilities):.3f}")

# %%
# The threshold on the ROC curve
# ------------------------------
# Each point of the ROC curve is a threshold: the share of the defaults that are found,
# and the share of the paying clients who are refused. The threshold does not change the
# curve. A lower threshold moves along it to the upper right.
import matplotlib.pyplot as plt
from sklearn.metrics import roc_curve

refused, found, _ = roc_curve(y_test, probabilities)
figure, ax = plt.subplots(figsize=(6.4, 4), layout="constrained")
ax.plot(refused, found, color="0.4", lw=3)
costs = []
for threshold, color in ((0.5, "C0"), (tuned.best_threshold_, "C1")):
    positive = probabilities >= threshold
    costs.append(cost(y_test, positive))
    point = positive[y_test == 0].mean(), positive[y_test == 1].mean()
    ax.plot(*point, "o", color=color, ms=14)
    ax.annotate(
        f"threshold {threshold:.2f}\ncost {costs[-1]:.2f}",
        point,
        (18, -38),
        textcoords="offset points",
        color=color,
        fontsize=15,
    )
ax.set(xlim=(0, 1), ylim=(0, 1.02))
ax.set_xlabel("Paying clients refused (share)", fontsize=13)
ax.set_ylabel("Defaults found (share)", fontsize=13)
ax.tick_params(labelsize=12)
figure.suptitle(
    f"A threshold of {tuned.best_threshold_:.2f} changes the cost of a client "
    f"from {costs[0]:.2f} to {costs[1]:.2f}",
    fontsize=13,
)
plt.show()

# %%
# Balanced batches and calibration
# --------------------------------
# With balanced batches, each batch contains as many clients who default as clients who
# pay, and predicted probabilities are too high. ``CalibratedClassifierCV`` fits a map
# from the outputs of the network to the observed frequency of defaults, by
# cross-validation. For calibrated probabilities p, the best threshold is known without
# a search: refusing a client pays off if 5 p > 1 - p, so the threshold is 1/6.
from sklearn.calibration import CalibratedClassifierCV
from sklearn.model_selection import FixedThresholdClassifier

balanced = network(balanced_batches=True).fit(X_train, y_train)
calibrated = CalibratedClassifierCV(network(balanced_batches=True), cv=5)
by_cost = FixedThresholdClassifier(calibrated, threshold=1 / 6).fit(X_train, y_train)

models = {
    "plain, threshold 0.5": plain,
    "balanced batches, threshold 0.5": balanced,
    f"plain, tuned threshold {tuned.best_threshold_:.2f}": tuned,
    "balanced, calibrated, threshold 1/6": by_cost,
}
print("Mean cost of a test client")
for name, model in models.items():
    print(f"  {name:35s} {cost(y_test, model.predict(X_test)):.3f}")
print(f"  {'no client refused':35s} {cost(y_test, np.zeros(len(y_test))):.3f}")
print(f"  {'all clients refused':35s} {cost(y_test, np.ones(len(y_test))):.3f}")

# %%
# The threshold changes the cost more than the way of training does. Balanced batches
# have an effect like that of a threshold for classes of equal weight, which happens to
# be near the best one for these costs. The tuned and the calculated threshold use the
# costs.
import pandas as pd

figure, ax = plt.subplots(figsize=(6.4, 4), layout="constrained")
for name, model, color in (
    ("balanced batches", balanced, "C1"),
    ("balanced, calibrated", by_cost, "C0"),
):
    predicted = pd.Series(model.predict_proba(X_test)[:, 1], index=y_test.index)
    groups = pd.qcut(predicted, 8, labels=False)
    ax.plot(
        predicted.groupby(groups).mean(),
        y_test.groupby(groups).mean(),
        "o-",
        color=color,
        label=name,
        lw=3,
        ms=9,
    )
ax.plot([0, 1], [0, 1], ":", color="0.5", lw=2, label="calibrated")
ax.set(xlim=(0, 1), ylim=(0, 1))
ax.set_xlabel("Predicted probability of default", fontsize=13)
ax.set_ylabel("Share of defaults", fontsize=13)
ax.tick_params(labelsize=12)
ax.legend(fontsize=13, loc="upper left")
figure.suptitle("Calibration corrects probabilities that are too high", fontsize=15)
plt.show()
