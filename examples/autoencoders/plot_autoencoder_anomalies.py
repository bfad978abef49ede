"""
Find anomalous heartbeats without labels
========================================

Detect anomalies in synthetic electrocardiograms with two leads. In a few recordings,
one beat has an anomaly. An autoencoder learns to compress and to reconstruct the
recordings. It is fitted without labels, and reconstructs unusual recordings poorly. The
reconstruction error of each timestep shows where the anomaly is.
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
# Where is the anomaly?
# ---------------------
# The lines are lead 1 of two test rows: the normal row with the smallest anomaly score,
# and the row with the largest score of those with an inverted T wave. The detector does
# not know which wave is inverted. The heat map has the reconstruction error of each
# timestep: the mean squared error of both leads. It is largest at the inverted wave. It
# is also a little larger at other timesteps, because one unusual beat affects the code
# of the whole row.
import matplotlib.pyplot as plt

errors = detector.autoencoder_.reconstruction_error(X_test, by="step")
shown = {}
for kind, choose in (("normal", np.argmax), ("inverted T wave", np.argmin)):
    candidates = np.flatnonzero(kinds_test == kind)
    shown[kind] = candidates[choose(scores["autoencoder"][candidates])]

figure, (top, bottom) = plt.subplots(
    2, 1, figsize=(6.4, 4), height_ratios=(2.2, 1), sharex=True, layout="constrained"
)
rows = list(shown.values())
for row, height in zip(rows, (2.2, 0), strict=True):
    top.plot(X_test[row, :, 0] + height, color="0.35", lw=2.5)
    anomaly = np.where(where_test[row], X_test[row, :, 0] + height, np.nan)
    top.plot(anomaly, color="orangered", lw=5)
labels = ["normal", "inverted\nT wave"]
top.set_yticks([2.2, 0], labels, fontsize=14)
top.tick_params(length=0)
top.spines[:].set_visible(False)
shading = bottom.imshow(errors[rows], cmap="OrRd", vmin=0, vmax=4, aspect="auto")
bottom.axhline(0.5, color="white", lw=4)
bottom.set_yticks([0, 1], labels, fontsize=14)
bottom.set_xlabel("Timestep", fontsize=13)
bottom.tick_params(axis="x", labelsize=12)
colorbar = figure.colorbar(shading, ax=bottom, ticks=[0, 2, 4], extend="max")
colorbar.set_label("Error", fontsize=13)
figure.suptitle("The error is large where the heartbeat is unusual", fontsize=15)
plt.show()

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
unaligned = pd.DataFrame(table).T
print(unaligned.round(3).to_string())

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
aligned = pd.DataFrame(table).T
print("Aligned rows:")
print(aligned.round(3).to_string())

figure, ax = plt.subplots(figsize=(6.4, 4), layout="constrained")
for place, name in enumerate(detectors):
    pair = unaligned.loc[name, "all"], aligned.loc[name, "all"]
    ax.plot(pair, [place] * 2, color="0.7", lw=5)
    ax.plot(pair[0], place, "o", color="C0", ms=13, label="random beginning")
    ax.plot(pair[1], place, "s", color="C1", ms=13, label="aligned")
ax.axvline(0.5, color="0.5", linestyle=":", lw=2)
ax.text(0.505, 2.35, "at random", color="0.4", fontsize=13)
ax.set(xlim=(0.45, 1.02), ylim=(2.5, -0.5))
ax.set_yticks(range(3), [name.replace(" ", "\n", 1) for name in detectors], fontsize=14)
ax.tick_params(axis="x", labelsize=12)
ax.set_xlabel("ROC AUC on test rows", fontsize=13)
ax.legend(*(part[:2] for part in ax.get_legend_handles_labels()), fontsize=13)
figure.suptitle("Only the autoencoder needs no alignment", fontsize=15)
plt.show()

# %%
# All kinds of anomalies
# ----------------------
# For each kind of anomaly, the figure shows the row with the largest anomaly score of
# the autoencoder, and for the normal rows the one with the smallest. The colour is the
# reconstruction error of each timestep. The bar marks the true anomaly, which the
# detector does not know. Errors are large there, and sometimes elsewhere too, because
# an anomaly in one beat also affects the reconstruction of the rest.
from matplotlib.colors import LinearSegmentedColormap

figure, axes = plt.subplots(
    len(KINDS), 1, figsize=(7, 7), layout="constrained", sharex=True, sharey=True
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
axes[-1].set(xlabel="Timestep", xlim=(-0.5, 95.5), ylim=(-1.5, 2.1))
figure.legend(
    [first, second, bar],
    ["lead 1", "lead 2", "true anomaly"],
    loc="outside lower center",
    ncols=3,
)
figure.colorbar(shading, ax=axes, label="Reconstruction error", extend="max")
figure.suptitle("Each kind of anomaly raises the error near its place")
plt.show()
