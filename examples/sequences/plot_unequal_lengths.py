"""
Sequences of unequal length
===========================

Classify recordings of 20 to 80 timesteps, which are passed to a network as a list of
arrays. Each recording has a short event, which rises fast and falls slowly, or rises
slowly and falls fast. The figure compares ways of pooling, which is the step from the
outputs at all timesteps to one output for a row.
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
    row = rng.normal(0, 0.3, size=rng.integers(20, 81))
    start = rng.integers(len(row) - len(EVENT) + 1)
    row[start : start + len(EVENT)] += KINDS[kind]
    return row[:, None]


y = rng.choice(list(KINDS), size=400)
X = [recording(kind) for kind in y]
[row.shape for row in X[:4]]

# %%
# scikit-learn's functions take such a list. ``SequenceScaler`` scales all rows in the
# same way.
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline

from skseq import Conv1DClassifier, GRUClassifier, SequenceScaler

networks = {
    f"GRU, {pooling}": GRUClassifier(24, pooling=pooling, epochs=25, random_state=0)
    for pooling in ("flatten", "last", "mean", "max")
}
networks["Conv1D, max"] = Conv1DClassifier(
    24, kernel_size=9, pooling="max", epochs=25, random_state=0
)
scores = {
    name: cross_val_score(make_pipeline(SequenceScaler(), net), X, y, cv=3)
    for name, net in networks.items()
    if name != "GRU, flatten"
}

# %%
# With ``pooling="flatten"`` each timestep has its own weights, so that a row that is
# longer than all rows of ``fit`` raises an error. This happens in cross-validation.
# Here zeros are appended to all rows, up to 80 timesteps.
from skseq import SequencePadder

pipeline = make_pipeline(
    SequenceScaler(),
    SequencePadder(80, mask_value=0.0),
    networks["GRU, flatten"],
)
scores = {"GRU, flatten": cross_val_score(pipeline, X, y, cv=3), **scores}
{name: round(float(values.mean()), 2) for name, values in scores.items()}

# %%
# The event may be at any place in a row. With weights for each timestep, a network has
# to learn it at each place separately, and 267 training rows are not enough for this.
# The other ways of pooling do not depend on the place.
fig, (left, right) = plt.subplots(1, 2, figsize=(8.4, 4), layout="constrained")
for kind, color in zip(KINDS, ("tab:blue", "tab:orange"), strict=True):
    for i, place in enumerate(np.flatnonzero(y == kind)[:3]):
        offset = -1.8 * (2 * i + (kind == "slow rise"))
        left.plot(X[place][:, 0] + offset, color=color, label=kind if i == 0 else None)
left.set(xlabel="timestep", ylabel="value", yticks=[], title="Six recordings")
left.legend(loc="upper right")
names = list(scores)
means = [values.mean() for values in scores.values()]
right.barh(names, means, color=["tab:red", *["tab:blue"] * 4], alpha=0.4)
for name, values in scores.items():
    right.plot(values, [name] * len(values), "k.")
right.axvline(0.5, color="black", linestyle=":")
right.set(xlim=(0, 1), xlabel="accuracy (dots: folds)", title="Networks")
right.invert_yaxis()
fig.suptitle(
    f"Events at any place: {means[0]:.0%} are right with pooling='flatten',\n"
    f"{min(means[1:]):.0%} to {max(means[1:]):.0%} with other ways of pooling",
    fontsize=13,
)
plt.show()
