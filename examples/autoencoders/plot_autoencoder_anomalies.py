"""
Detecting anomalous heartbeats
==============================

The rows are pieces of synthetic electrocardiograms with two leads. In a few of them,
one beat has an anomaly. An autoencoder is fitted without labels and reconstructs such
rows poorly. The reconstruction error of each timestep shows where the anomaly is.
"""

# %%
# The data
# --------
# A beat is a sum of five waves. Pace and heights vary between rows. Each row has 96
# timesteps and begins at a random point of a beat, or, with ``aligned=True``, at the
# same point in all rows. The first whole beat can have one of four anomalies: the P
# wave is missing, the T wave is inverted, the R wave is low, or lead 2 has a loose
# contact and records noise.
import numpy as np

WAVES = {  # position and width as fractions of a beat, height in each lead
    "P": (0.16, 0.035, (0.30, 0.20)),
    "Q": (0.29, 0.020, (-0.20, -0.35)),
    "R": (0.34, 0.022, (1.30, 0.80)),
    "S": (0.39, 0.020, (-0.30, -0.50)),
    "T": (0.60, 0.050, (0.45, 0.35)),
}
WAVE_ANOMALIES = {  # the wave and a factor for its height
    "no P wave": ("P", 0),
    "inverted T wave": ("T", -1),
    "low R wave": ("R", 0.35),
}
KINDS = ["normal", *WAVE_ANOMALIES, "loose contact"]


def electrocardiogram(n_rows, share, rng, aligned=False):
    """Generate rows, and the kind and timesteps of their anomalies."""
    anomalous = rng.random(n_rows) < share
    kinds = np.where(anomalous, rng.choice(KINDS[1:], size=n_rows), "normal")
    steps = np.arange(96)
    length = rng.uniform(38, 50, size=(n_rows, 1))
    start = rng.uniform(-length, 0) if not aligned else -0.3 * length
    sizes = {name: rng.normal(1, 0.1, size=n_rows) for name in WAVES}
    X = rng.normal(0, 0.05, size=(n_rows, len(steps), 2))
    where = np.zeros((n_rows, len(steps)), bool)
    for beat in range(4):
        for name, (position, width, heights) in WAVES.items():
            away = (steps - start - (beat + position) * length) / (width * length)
            size = sizes[name] * rng.normal(1, 0.05, size=n_rows)
            for kind, (wave, factor) in WAVE_ANOMALIES.items():
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
print(f"Anomalous training rows: {(kinds_train != 'normal').sum()} of {len(X_train)}")
print(f"Anomalous test rows: {(kinds_test != 'normal').sum()} of {len(X_test)}")

# %%
# The detectors
# -------------
# All detectors are fitted on the same rows, which include anomalies, without labels.
# Convolutions suit patterns that can occur at any timestep. ``noise`` is added to the
# input of the network, so that it does not memorise its training rows, including the
# anomalies. scikit-learn's detectors need 2-D X, so sequences are flattened for them.
from sklearn.base import clone
from sklearn.ensemble import IsolationForest
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skseq import AutoencoderOutlierDetector, AutoencoderTransformer

autoencoder = AutoencoderTransformer(
    8, kind="conv1d", layer_sizes=(32, 32), kernel_size=7, noise=0.3, epochs=60
)
detector = AutoencoderOutlierDetector(
    autoencoder, n_networks=1, contamination=0.05, random_state=0
)
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
# Which anomalies are detected?
# -----------------------------
# The table shows the ROC AUC for all test rows, and for each kind of anomaly together
# with the normal rows. 0.5 is chance level. Below 0.5, anomalous rows are ranked as
# more normal than the normal ones.
import pandas as pd
from sklearn.metrics import roc_auc_score


def areas(scores, kinds):
    """Compute the ROC AUC for all anomalies and for each kind."""
    result = {"all": roc_auc_score(kinds != "normal", -scores)}
    for kind in KINDS[1:]:
        among = np.isin(kinds, ["normal", kind])
        result[kind] = roc_auc_score(kinds[among] == kind, -scores[among])
    return result


table = {name: areas(score, kinds_test) for name, score in scores.items()}
print(pd.DataFrame(table).T.round(3).to_string())

# %%
# The scores rank rows. ``predict`` compares them with a threshold, which is set such
# that a fraction of ``contamination`` of the training rows are outliers. A network
# reconstructs its training rows better than new rows, so that more of the new rows are
# outliers.
anomalous, outlier = kinds_test != "normal", detector.predict(X_test) == -1
print(f"Predicted outliers: {outlier[anomalous].mean():.0%} of the anomalies", end=", ")
print(f"{outlier[~anomalous].mean():.0%} of the normal test rows")

# %%
# The effect of alignment
# -----------------------
# If rows begin at random points, two normal rows are far apart when they are compared
# value by value. A missing wave adds little to this distance, and a low one even
# reduces it. If all rows begin at the same point of a beat, the comparison is
# meaningful, and the ranking of the three detectors changes. If rows can be aligned, or
# the relevant features measured, a network may not be needed.
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
# Locating the anomalies
# ----------------------
# For each kind of anomaly, the figure shows the row with the largest anomaly score of
# the autoencoder, and for the normal rows the one with the smallest. The colour is the
# reconstruction error of each timestep. The bar marks the true anomaly, which the
# detector does not know. Errors are large there, and sometimes elsewhere too, because
# an anomaly in one beat also affects the reconstruction of the rest.
import matplotlib.pyplot as plt
from matplotlib.colors import LinearSegmentedColormap

errors = detector.autoencoder_.reconstruction_error(X_test, by="step")
figure, axes = plt.subplots(
    len(KINDS), 1, figsize=(9, 9), layout="constrained", sharex=True, sharey=True
)
for ax, kind in zip(axes, KINDS, strict=True):
    rows = np.flatnonzero(kinds_test == kind)
    rows = rows[np.argsort(scores["autoencoder"][rows])]
    row = rows[-1] if kind == "normal" else rows[0]
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
axes[-1].set(xlabel="timestep", xlim=(-0.5, 95.5), ylim=(-1.5, 2.1))
figure.legend(
    [first, second, bar],
    ["lead 1", "lead 2", "true anomaly"],
    loc="outside upper center",
    ncols=3,
)
figure.colorbar(
    shading, ax=axes, label="reconstruction error of the timestep", extend="max"
)

# %%
# The last figure shows the ROC curves for the rows that are not aligned.
from sklearn.metrics import RocCurveDisplay

figure, axes = plt.subplots(figsize=(6, 6), layout="constrained")
for name, score in scores.items():
    RocCurveDisplay.from_predictions(kinds_test != "normal", -score, name=name, ax=axes)
axes.plot([0, 1], [0, 1], "k--", label="chance")
axes.set_title(f"Anomalies in {len(X_test)} test rows, not aligned")
axes.legend(loc="lower right")
plt.show()
