"""
Training on an array in a file
==============================

Fit and cross-validate a network on a ``numpy.memmap``: an array in a file, of which
only the rows in use are read. The figure compares the memory of a fit on the file with
that of a fit on an array in memory. The file of this example has 96 MB, so that it runs
in some seconds. On a file of 4 GB, a fit took at most 206 MB above its start, and 466
MB with early stopping (:doc:`/benchmarks`).
"""

# %%
# Write the file
# --------------
# The file is written in blocks, so that the whole array is never in memory. Here it has
# 30,000 sequences of 50 timesteps and 16 features, as float32: noise, with a small
# shift of the first feature in one class. Scale values before you store them, and store
# float32. y, one number for each row, is an ordinary array.
import tempfile
from pathlib import Path

import numpy as np

N_ROWS, N_TIMESTEPS, N_FEATURES, BLOCK = 30_000, 50, 16, 2_000
path = Path(tempfile.mkdtemp()) / "X.npy"
rng = np.random.default_rng(0)
y = rng.integers(0, 2, size=N_ROWS)
file = np.lib.format.open_memmap(
    path, mode="w+", dtype=np.float32, shape=(N_ROWS, N_TIMESTEPS, N_FEATURES)
)
for start in range(0, N_ROWS, BLOCK):
    rows = slice(start, start + BLOCK)
    values = rng.standard_normal((BLOCK, N_TIMESTEPS, N_FEATURES), dtype=np.float32)
    values[:, :, 0] += 0.3 * y[rows, None]
    file[rows] = values
file.flush()
del file

X = np.load(path, mmap_mode="r")
print(type(X).__name__, X.shape, X.dtype, f"{X.nbytes / 1e6:.0f} MB")

# %%
# Fit on the file
# ---------------
# The memmap is passed like any array. A slice of neighbouring rows, ``X[:20_000]``,
# reads nothing yet.
from sklearn.metrics import roc_auc_score

from skseq import Conv1DClassifier

net = Conv1DClassifier(
    8, kernel_size=3, normalization=None, epochs=1, batch_size=256, random_state=0
)
net.fit(X[:20_000], y[:20_000])
probabilities = net.predict_proba(X[20_000:])[:, 1]
print(f"test ROC AUC: {roc_auc_score(y[20_000:], probabilities):.3f}")

# %%
# Memory of a fit
# ---------------
# The function measures the memory that a call takes at most, above its start. It counts
# the memory of the process itself. Pages of the file that the operating system holds,
# and can drop at any time, are not counted. The function needs Linux; elsewhere it
# returns NaN.
import threading


def megabytes():
    """Read the memory of this process."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    found = [int(line.split()[1]) for line in lines if line.startswith("RssAnon")]
    return found[0] * 1024 / 1e6 if found else float("nan")


def peak_of(function):
    """Call a function, and return the highest memory above that at the start."""
    done, seen = threading.Event(), [megabytes()]

    def watch():
        while not done.wait(0.002):
            seen.append(megabytes())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        function()
    finally:
        done.set()
        watcher.join()
    return max(seen) - seen[0]


sizes = [7_500, 15_000, 22_500, 30_000]
peaks = {
    "array in memory": [
        peak_of(lambda n=n: net.fit(np.array(X[:n]), y[:n])) for n in sizes
    ],
    "array in a file (memmap)": [
        peak_of(lambda n=n: net.fit(X[:n], y[:n])) for n in sizes
    ],
}

# %%
# An array in memory takes as many bytes as the file has. A fit on the file reads a few
# MB at a time, for which the memory of the first fit is used again. From files of more
# than 256 MB, it reads blocks of rows that have at most 256 MB together. The time of an
# epoch grows in proportion to the number of rows.
import matplotlib.pyplot as plt

fig, ax = plt.subplots(figsize=(6.4, 4.2), layout="constrained")
size_in_mb = [X[:n].nbytes / 1e6 for n in sizes]
for (name, values), color in zip(peaks.items(), ("tab:grey", "tab:blue"), strict=True):
    ax.plot(size_in_mb, values, "o-", color=color, lw=2.5)
    ax.annotate(
        f"{name}: {values[-1]:.0f} MB",
        (size_in_mb[-1], values[-1]),
        xytext=(-8, 10),
        textcoords="offset points",
        ha="right",
        color=color,
        fontsize=12,
    )
ax.set(
    xlabel="size of X in MB",
    ylabel="memory of a fit, above its start, in MB",
    title="A fit on a memmap does not load the array into memory",
    xlim=(0, 100),
    ylim=(-5, 120),
)
plt.show()

# %%
# Cross-validation by positions
# -----------------------------
# scikit-learn takes the rows of each fold by an array of positions. Such an index of a
# memmap copies rows into memory: the training and test rows of a fold are the whole
# array again. :class:`~skseq.LazyArray` holds the positions only. Training rows of at
# most 256 MB, as here, are then read into memory by ``fit``, and more are read in
# blocks. With a file of 768 MB, in which the training rows of a fold have 512 MB, the
# same cross-validation on a ``LazyArray`` took 297 MB.
from sklearn.model_selection import cross_val_score

from skseq import LazyArray

scores = {}


def validate(name, X):
    """Keep the scores of three folds."""
    scores[name] = cross_val_score(net, X, y, cv=3, scoring="roc_auc")


for name, data in {"memmap": X, "LazyArray": LazyArray(X)}.items():
    peak = peak_of(lambda name=name, data=data: validate(name, data))
    print(f"{name:10} ROC AUC {scores[name].round(3)}   memory {peak:.0f} MB")
print("equal scores:", bool((scores["memmap"] == scores["LazyArray"]).all()))
