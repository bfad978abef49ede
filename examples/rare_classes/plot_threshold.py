"""
Tuning the decision threshold and calibrating probabilities
===========================================================

The threshold of a classifier's ``predict`` is 0.5. If one kind of error costs more than
the other, or classes are imbalanced, another threshold is better. scikit-learn's tools
find it for networks as for any classifier. The probabilities of a network trained on
balanced batches are not calibrated; scikit-learn's calibration corrects them.
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


def gain(y_true, y_pred):
    """Compute the negative mean cost, where refusing a client who pays costs 1."""
    _, refused, accepted, _ = confusion_matrix(y_true, y_pred).ravel()
    return -(refused + 5 * accepted) / len(y_true)


# %%
# A network with balanced batches
# -------------------------------
# Each batch contains as many clients who default as clients who pay.
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


plain = network().fit(X_train, y_train)
balanced = network(balanced_batches=True).fit(X_train, y_train)

# %%
# Tuning and calibration
# ----------------------
# ``TunedThresholdClassifierCV`` searches for the threshold with the largest gain, by
# cross-validation on the training rows. ``CalibratedClassifierCV`` fits a map from the
# outputs of the network to the observed frequency of defaults, also by
# cross-validation. For calibrated probabilities p, the best threshold is known without
# a search: refusing a client pays off if 5 p > 1 - p, so the threshold is 1/6.
from sklearn.calibration import CalibratedClassifierCV
from sklearn.model_selection import FixedThresholdClassifier, TunedThresholdClassifierCV

tuned = TunedThresholdClassifierCV(
    network(), scoring=make_scorer(gain), cv=5, store_cv_results=True
).fit(X_train, y_train)
calibrated = CalibratedClassifierCV(network(balanced_batches=True), cv=5)
by_cost = FixedThresholdClassifier(calibrated, threshold=1 / 6).fit(X_train, y_train)

models = {
    "plain, threshold 0.5": plain,
    "balanced batches, threshold 0.5": balanced,
    f"plain, tuned threshold {tuned.best_threshold_:.2f}": tuned,
    "balanced, calibrated, threshold 1/6": by_cost,
}
print("Mean gain per test client")
for name, model in models.items():
    print(f"  {name:35s} {gain(y_test, model.predict(X_test)):.3f}")
print(f"  {'no client refused':35s} {gain(y_test, np.zeros(len(y_test))):.3f}")
print(f"  {'all clients refused':35s} {gain(y_test, np.ones(len(y_test))):.3f}")

# %%
# The threshold matters more than the network. Balanced batches have an effect like that
# of a threshold for classes of equal weight, which happens to be near the best one for
# these costs. The tuned and the calculated threshold take the costs into account.
import matplotlib.pyplot as plt
from sklearn.calibration import CalibrationDisplay
from sklearn.metrics import ConfusionMatrixDisplay

figure, (left, middle, right) = plt.subplots(
    1, 3, figsize=(14, 4.2), layout="constrained"
)
results = tuned.cv_results_
left.plot(results["thresholds"], results["scores"])
left.axvline(tuned.best_threshold_, color="black", linestyle=":")
left.set(xlabel="Threshold", ylabel="Gain", title="Gain in cross-validation")
for name, model in (
    ("plain", plain),
    ("balanced batches", balanced),
    ("balanced, calibrated", by_cost),
):
    CalibrationDisplay.from_estimator(
        model, X_test, y_test, n_bins=8, strategy="quantile", name=name, ax=middle
    )
middle.set_title("Calibration on test rows")
middle.legend(loc="upper left")
ConfusionMatrixDisplay.from_estimator(
    tuned, X_test, y_test, display_labels=["pays", "defaults"], ax=right, colorbar=False
)
right.set_title("Tuned threshold on test rows")
plt.show()
