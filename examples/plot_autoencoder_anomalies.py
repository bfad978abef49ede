"""
Which heartbeat is odd, and where
=================================

Rows are pieces of a made electrocardiogram with two leads. In a few of them something
is wrong with one beat. An autoencoder learns without labels what most rows have in
common; what it can't give back is odd, and the steps at which it fails say where.
"""

# %%
# The data
# --------
# A beat is a sum of five waves. Pace and heights differ from row to row, and a piece of
# 96 steps begins anywhere in a beat, or with ``aligned=True`` at the same place in all.
# Four things can go wrong with the first whole beat: the P wave is missing, the T wave
# is upside down, the R wave is low, or lead 2 has a loose contact and measures noise.
import numpy as np

WAVES = {  # place and width, as parts of a beat, and height in either lead
    "P": (0.16, 0.035, (0.30, 0.20)),
    "Q": (0.29, 0.020, (-0.20, -0.35)),
    "R": (0.34, 0.022, (1.30, 0.80)),
    "S": (0.39, 0.020, (-0.30, -0.50)),
    "T": (0.60, 0.050, (0.45, 0.35)),
}
WRONG = {"no P wave": ("P", 0), "inverted T wave": ("T", -1), "low R wave": ("R", 0.35)}
KINDS = ["usual", *WRONG, "loose contact"]


def electrocardiogram(n_rows, share, rng, aligned=False):
    """Make rows, some with an anomaly, with its kind and its timesteps."""
    odd = rng.random(n_rows) < share
    kinds = np.where(odd, rng.choice(KINDS[1:], size=n_rows), "usual")
    steps = np.arange(96)
    length = rng.uniform(38, 50, size=(n_rows, 1))
    start = rng.uniform(-length, 0) if not aligned else -0.3 * length
    sizes = {name: rng.normal(1, 0.1, size=n_rows) for name in WAVES}
    X = rng.normal(0, 0.05, size=(n_rows, len(steps), 2))
    where = np.zeros((n_rows, len(steps)), bool)
    for beat in range(4):
        for name, (place, width, heights) in WAVES.items():
            away = (steps - start - (beat + place) * length) / (width * length)
            size = sizes[name] * rng.normal(1, 0.05, size=n_rows)
            for kind, (wave, factor) in WRONG.items():
                if beat == 1 and name == wave:
                    size[kinds == kind] *= factor
                    where |= (kinds == kind)[:, None] & (abs(away) < 2)
            X += (size[:, None] * np.exp(-(away**2) / 2))[..., None] * heights
    loose = abs(steps - start - 1.7 * length) < 0.2 * length
    loose &= (kinds == "loose contact")[:, None]
    X[loose, 1] = rng.normal(0, 0.15, size=loose.sum())
    return X, kinds, where | loose


rng = np.random.default_rng(0)
X_train, kinds_train, _ = electrocardiogram(1500, 0.05, rng)
X_test, kinds_test, where_test = electrocardiogram(1000, 0.2, rng)
print(f"Odd rows to learn from: {(kinds_train != 'usual').sum()} of {len(X_train)}")
print(f"Odd rows to test: {(kinds_test != 'usual').sum()} of {len(X_test)}")

# %%
# The detectors
# -------------
# All learn from the same rows, the odd ones among them, and no word on which those are.
# Convolutions suit a shape that may stand anywhere; ``noise`` in what the network reads
# keeps it from learning its rows by heart, odd ones included. scikit-learn's detectors
# read a row as one line of a table.
from sklearn.base import clone
from sklearn.ensemble import IsolationForest
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skseq import AutoencoderOutlierDetector, AutoencoderTransformer

autoencoder = AutoencoderTransformer(
    8, kind="conv1d", layer_sizes=(32, 32), kernel_size=7, noise=0.3, epochs=60
)
detector = AutoencoderOutlierDetector(autoencoder, contamination=0.05, random_state=0)
flatten = FunctionTransformer(lambda X: X.reshape(len(X), -1))
detectors = {
    "autoencoder": detector,
    "isolation forest": make_pipeline(
        flatten, IsolationForest(n_estimators=300, random_state=0)
    ),
    "local outlier factor": make_pipeline(flatten, LocalOutlierFactor(novelty=True)),
}
scores = {
    name: one.fit(X_train).score_samples(X_test) for name, one in detectors.items()
}

# %%
# Which odd rows are found?
# -------------------------
# ROC AUC over all test rows, and for each thing that is wrong alone against the usual
# rows. 0.5 is chance, and less than that takes odd rows for the more usual ones.
import pandas as pd
from sklearn.metrics import roc_auc_score


def areas(scores, kinds):
    """Compute ROC AUC for all anomalies, and for each kind."""
    result = {"all": roc_auc_score(kinds != "usual", -scores)}
    for kind in KINDS[1:]:
        among = np.isin(kinds, ["usual", kind])
        result[kind] = roc_auc_score(kinds[among] == kind, -scores[among])
    return result


table = {name: areas(score, kinds_test) for name, score in scores.items()}
print(pd.DataFrame(table).T.round(3).to_string())

# %%
# The scores say which row is odder than another; ``predict`` draws a line, such that a
# share of ``contamination`` of the training rows is odd. A network knows those better
# than new rows, of which some more fall beyond the line.
odd, called = kinds_test != "usual", detector.predict(X_test) == -1
print(f"Called odd: {called[odd].mean():.0%} of the odd test rows", end=", ")
print(f"{called[~odd].mean():.0%} of the usual ones")

# %%
# Why the others fail
# -------------------
# Where beats begin anywhere, two usual rows are far apart when compared value by value;
# a missing wave adds little to that, and a low one even brings rows nearer. With beats
# that all begin at one place the comparison makes sense, and the same three detectors
# give another picture. Whoever can align rows, or measure what matters in them, may
# need no network.
aligned_train, _, _ = electrocardiogram(1500, 0.05, rng, aligned=True)
aligned_test, kinds_aligned, _ = electrocardiogram(1000, 0.2, rng, aligned=True)
table = {
    name: areas(
        clone(one).fit(aligned_train).score_samples(aligned_test), kinds_aligned
    )
    for name, one in detectors.items()
}
print("Aligned rows:")
print(pd.DataFrame(table).T.round(3).to_string())

# %%
# Where a row is odd
# ------------------
# Of each kind the row that the autoencoder finds the oddest, and of the usual rows the
# most usual one. The colour is the reconstruction error of each step, the bar below is
# what is truly wrong, which the detector was not told. Errors are large there, and at
# times elsewhere too: what is wrong with one beat misleads the network about the rest.
import matplotlib.pyplot as plt
from matplotlib.colors import LinearSegmentedColormap

errors = detector.autoencoder_.reconstruction_error(X_test, by="step")
figure, axes = plt.subplots(
    len(KINDS), 1, figsize=(9, 9), layout="constrained", sharex=True, sharey=True
)
for ax, kind in zip(axes, KINDS, strict=True):
    rows = np.flatnonzero(kinds_test == kind)
    rows = rows[np.argsort(scores["autoencoder"][rows])]
    row = rows[-1] if kind == "usual" else rows[0]
    shading = ax.imshow(
        errors[[row]],
        cmap=LinearSegmentedColormap.from_list("", ["white", "orangered"]),
        vmin=0,
        vmax=2,
        aspect="auto",
        extent=(-0.5, 95.5, -1.5, 2.1),
    )
    (first,) = ax.plot(X_test[row, :, 0], color="black")
    (second,) = ax.plot(X_test[row, :, 1], color="tab:blue")
    truth = np.flatnonzero(where_test[row])
    (bar,) = ax.plot(truth, np.full(len(truth), -1.3), color="tab:green", linewidth=5)
    ax.set_title(kind, loc="left", fontsize="medium")
axes[-1].set(xlabel="step", xlim=(-0.5, 95.5), ylim=(-1.5, 2.1))
figure.legend(
    [first, second, bar],
    ["lead 1", "lead 2", "truly wrong"],
    loc="outside upper center",
    ncols=3,
)
figure.colorbar(
    shading, ax=axes, label="reconstruction error of the step", extend="max"
)

# %%
# The curves of the first table:
from sklearn.metrics import RocCurveDisplay

figure, axes = plt.subplots(figsize=(6, 6), layout="constrained")
for name, score in scores.items():
    RocCurveDisplay.from_predictions(kinds_test != "usual", -score, name=name, ax=axes)
axes.plot([0, 1], [0, 1], "k--", label="chance")
axes.set_title(f"Odd heartbeats among {len(X_test)} test rows, not aligned")
axes.legend(loc="lower right")
plt.show()
