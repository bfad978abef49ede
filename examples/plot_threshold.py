"""
Where to draw the line
======================

A classifier's ``predict`` draws the line at one half. Where one kind of error costs
more than the other, or classes are uneven, another line is better, and scikit-learn's
own tools find it, for networks as for any classifier. Probabilities that a balanced
network gives are not frequencies; scikit-learn's calibration makes them so.
"""

# %%
# The data
# --------
# The sample of credit card clients that ships: six months of payments, 22 % defaults. A
# default that is let through costs the bank five times what it costs to refuse a client
# who would have paid.
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
    """Compute the negative cost of a decision, in units of a refusal by mistake."""
    _, refused, let_through, _ = confusion_matrix(y_true, y_pred).ravel()
    return -(refused + 5 * let_through) / len(y_true)


# %%
# A network with balanced batches
# -------------------------------
# Every batch holds as many clients who default as clients who pay.
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
# Tuned and calibrated
# --------------------
# ``TunedThresholdClassifierCV`` looks for the threshold of the largest gain, in folds
# of the training rows. ``CalibratedClassifierCV`` learns, in folds too, how often a
# client defaults of whom the network says so much. With probabilities that are
# frequencies the best line is known without a search: a refusal pays where five times
# the probability is more than what is left.
from sklearn.calibration import CalibratedClassifierCV
from sklearn.model_selection import FixedThresholdClassifier, TunedThresholdClassifierCV

tuned = TunedThresholdClassifierCV(
    network(), scoring=make_scorer(gain), cv=5, store_cv_results=True
).fit(X_train, y_train)
calibrated = CalibratedClassifierCV(network(balanced_batches=True), cv=5)
by_cost = FixedThresholdClassifier(calibrated, threshold=1 / 6).fit(X_train, y_train)

models = {
    "plain, line at 0.5": plain,
    "balanced batches, line at 0.5": balanced,
    f"plain, line tuned to {tuned.best_threshold_:.2f}": tuned,
    "balanced, calibrated, line at 1/6": by_cost,
}
print("Gain for a client of the test half")
for name, model in models.items():
    print(f"  {name:35s} {gain(y_test, model.predict(X_test)):.3f}")
print(f"  {'nobody refused':35s} {gain(y_test, np.zeros(len(y_test))):.3f}")
print(f"  {'everybody refused':35s} {gain(y_test, np.ones(len(y_test))):.3f}")

# %%
# The line matters more than the network. Balanced batches move it by themselves, to
# where the classes count alike, which is near to this bank's costs by luck; the tuned
# and the calculated line know the costs.
import matplotlib.pyplot as plt
from sklearn.calibration import CalibrationDisplay
from sklearn.metrics import ConfusionMatrixDisplay

figure, (left, middle, right) = plt.subplots(
    1, 3, figsize=(14, 4.2), layout="constrained"
)
results = tuned.cv_results_
left.plot(results["thresholds"], results["scores"])
left.axvline(tuned.best_threshold_, color="black", linestyle=":")
left.set(xlabel="Threshold", ylabel="Gain", title="Gain in the training folds")
for name, model in (
    ("plain", plain),
    ("balanced batches", balanced),
    ("balanced, calibrated", by_cost),
):
    CalibrationDisplay.from_estimator(
        model, X_test, y_test, n_bins=8, strategy="quantile", name=name, ax=middle
    )
middle.set_title("Probabilities and frequencies")
middle.legend(loc="upper left")
ConfusionMatrixDisplay.from_estimator(
    tuned, X_test, y_test, display_labels=["pays", "defaults"], ax=right, colorbar=False
)
right.set_title("The tuned line, on the test half")
plt.show()
