"""
Recognising activities from a sensor
====================================

Classify pieces of four seconds from an accelerometer on the wrist, which records three
axes, by what the person does. The model is scored on persons who are not among the
training rows, because two pieces of one person resemble each other.

The recordings are made up: pace, strength, and position of the sensor differ between
persons. For your own recordings, change the first cell. If nobody is recorded twice,
use ``StratifiedKFold`` in place of ``GroupKFold``.
"""

# %%
# The data
# --------
# X has the shape ``(n_samples, n_timesteps, n_features)``: 16 persons with 25 pieces
# each are 400 samples; four seconds with 25 measurements each are 100 timesteps; the
# three axes are the features. ``y`` has a label for each piece, and ``person`` tells
# who was recorded.
import numpy as np

ACTIVITIES = ["cycling", "running", "sitting", "walking"]
HERTZ = {"cycling": 1.2, "running": 2.6, "sitting": 0.0, "walking": 1.8}
STRENGTH = {"cycling": 0.5, "running": 1.2, "sitting": 0.0, "walking": 0.7}
N_PERSONS, N_PIECES, N_TIMESTEPS = 16, 25, 100


def record(rng, activity, pace, strength, position):
    """Make up a recording of shape (N_TIMESTEPS, 3), in multiples of gravity."""
    seconds = np.arange(N_TIMESTEPS) / 25
    cycle = 2 * np.pi * HERTZ[activity] * pace * seconds + rng.uniform(0, 2 * np.pi)
    swing = np.stack([np.sin(cycle), np.cos(cycle), np.sin(2 * cycle)], axis=1)
    if activity in ("running", "walking"):  # a step is a short impact
        swing += np.maximum(np.sin(cycle), 0)[:, None] ** 8
    movement = STRENGTH[activity] * strength * swing @ position
    return movement + position[0] + rng.normal(0, 0.4, size=(N_TIMESTEPS, 3))


rng = np.random.default_rng(0)
X, y, person = [], [], []
for number in range(N_PERSONS):
    pace, strength = rng.lognormal(0, 0.2, size=2)
    tilt = rng.normal(0, 0.2, size=(3, 3))
    position, _ = np.linalg.qr(np.eye(3) + tilt)  # how the sensor is turned
    for activity in rng.choice(ACTIVITIES, size=N_PIECES):
        X.append(record(rng, activity, pace, strength, position))
        y.append(activity)
        person.append(number)
X, y, person = np.array(X), np.array(y), np.array(person)
print("X:", X.shape, "   labels:", *np.unique(y))

# %%
# Scores on new persons
# ---------------------
# :class:`~sklearn.model_selection.GroupKFold` keeps all pieces of a person on one side.
# Shuffled folds have pieces of the same persons on both sides, and give scores that are
# too high.
# The random forest gets the usual features of each axis: mean, standard deviation, and
# the spectrum.
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import (
    GroupKFold,
    StratifiedKFold,
    cross_val_predict,
    cross_val_score,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skseq import Conv1DClassifier, SequenceScaler


def features(X):
    """Describe each axis: mean, standard deviation, and amplitudes up to 6 Hz."""
    spectrum = np.abs(np.fft.rfft(X, axis=1))[:, 1:25]
    parts = [X.mean(axis=1), X.std(axis=1), spectrum.reshape(len(X), -1)]
    return np.hstack(parts)


models = {
    "Conv1DClassifier": make_pipeline(
        SequenceScaler(), Conv1DClassifier(random_state=0)
    ),
    "random forest": make_pipeline(
        FunctionTransformer(features), RandomForestClassifier(random_state=0)
    ),
}
rows = {}
for name, model in models.items():
    shuffled = StratifiedKFold(4, shuffle=True, random_state=0)
    rows[name] = {
        "new persons": cross_val_score(
            model, X, y, groups=person, cv=GroupKFold(4)
        ).mean(),
        "shuffled pieces": cross_val_score(model, X, y, cv=shuffled).mean(),
    }
table = pd.DataFrame(rows).T.round(3)
print("Accuracy, mean of four folds")
print(table.to_string())

# %%
# Which activities are confused
# -----------------------------
import matplotlib.pyplot as plt
from sklearn.metrics import ConfusionMatrixDisplay

predicted = cross_val_predict(
    models["Conv1DClassifier"], X, y, groups=person, cv=GroupKFold(4)
)
errors = pd.crosstab(y, predicted).reindex(
    index=ACTIVITIES, columns=ACTIVITIES, fill_value=0
)
off = errors.where(~np.eye(len(ACTIVITIES), dtype=bool), 0)
worst = off.stack().idxmax()

figure, axes = plt.subplots(figsize=(6.4, 4.8), layout="constrained")
ConfusionMatrixDisplay.from_predictions(
    y, predicted, normalize="true", values_format=".0%", cmap="Blues", ax=axes,
    colorbar=False,
)  # fmt: skip
axes.set_title(
    f"{np.mean(y == predicted):.0%} of pieces are right; {worst[0]} is taken for "
    f"{worst[1]} most often"
)
axes.set(xlabel="predicted activity", ylabel="true activity")
plt.show()

# %%
# Which axis matters
# ------------------
# The accuracy on the last four persons falls most if the axis that matters is permuted.
# :doc:`/guide/inspection` has more, :doc:`/guide/searches` how to tune the network, and
# :doc:`/guide/lengths` recordings of different lengths.
from skseq.inspection import permutation_importance

is_new = person >= 12
model = models["Conv1DClassifier"].fit(X[~is_new], y[~is_new])
worth = permutation_importance(
    model, X[is_new], y[is_new], feature_names=["x", "y", "z"], random_state=0
)
table = pd.Series(worth.importances_mean, worth.feature_names).round(3)
print("Decrease of the accuracy")
print(table.to_string())
