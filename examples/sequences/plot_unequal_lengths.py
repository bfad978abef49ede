"""
Sequences of unequal length
===========================

Rows are recordings of 20 to 80 timesteps. Somewhere in each recording a short event
takes place, which rises fast and decays slowly, or the other way round. A network takes
the recordings as a list. The figure shows which pooling suits such rows.
"""

# %%
# The data
# --------
# Both events have the same height, length and area, so that they differ in their shape
# alone.
import matplotlib.pyplot as plt
import numpy as np

rng = np.random.default_rng(0)
EVENT = np.r_[np.linspace(0, 1, 4), np.linspace(1, 0, 9)[1:]]
KINDS = {"fast rise": EVENT, "slow rise": EVENT[::-1]}


def recording(kind):
    """Generate a recording with one event of a kind."""
    row = rng.normal(0, 0.15, size=rng.integers(20, 81))
    start = rng.integers(len(row) - len(EVENT) + 1)
    row[start : start + len(EVENT)] += KINDS[kind]
    return row[:, None]


y = rng.choice(list(KINDS), size=400)
X = [recording(kind) for kind in y]
[row.shape for row in X[:4]]

# %%
# A list goes into scikit-learn's tools as it is. All rows are scaled alike.
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline

from skseq import Conv1DClassifier, GRUClassifier, SequenceScaler

networks = {
    f"GRU, {pooling}": GRUClassifier(24, pooling=pooling, epochs=25, random_state=0)
    for pooling in ("flatten", "last", "mean", "max")
}
networks["Conv1D, max"] = Conv1DClassifier(24, kernel_size=9, epochs=25, random_state=0)
scores = {
    name: cross_val_score(make_pipeline(SequenceScaler(), net), X, y, cv=3)
    for name, net in networks.items()
    if name != "GRU, flatten"
}

# %%
# With ``pooling="flatten"`` each timestep has its own weights. A row longer than all
# rows of ``fit`` then raises an error, which happens in cross-validation. Here all rows
# are filled up to 80 timesteps with zeros, as if these were recorded.
from skseq import SequencePadder

pipeline = make_pipeline(
    SequenceScaler(),
    SequencePadder(80, mask_value=0.0),
    networks["GRU, flatten"],
)
scores = {"GRU, flatten": cross_val_score(pipeline, X, y, cv=3), **scores}
{name: round(float(values.mean()), 2) for name, values in scores.items()}

# %%
# The event may be anywhere in a row. The maximum finds it there, and the last output
# remembers it. In the mean over a long row it is one part of many, and with weights for
# each timestep it has to be learned at each place anew.
fig, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
for kind, color in zip(KINDS, ("tab:blue", "tab:orange"), strict=True):
    for i, place in enumerate(np.flatnonzero(y == kind)[:3]):
        offset = -1.8 * (2 * i + (kind == "slow rise"))
        left.plot(X[place][:, 0] + offset, color=color, label=kind if i == 0 else None)
left.set(xlabel="timestep", yticks=[], title="Recordings")
left.legend(loc="upper right")
names = list(scores)
right.barh(names, [values.mean() for values in scores.values()], color="lightgrey")
for name, values in scores.items():
    right.plot(values, [name] * len(values), "k.")
right.axvline(0.5, color="black", linestyle=":")
right.set(xlim=(0, 1), xlabel="accuracy (dots: folds)", title="Network and pooling")
right.invert_yaxis()
plt.show()
