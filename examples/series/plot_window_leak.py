"""
Shuffled folds of overlapping windows
=====================================

Compare four ways of cross-validation on windows over a time series. Windows overlap. If
they are shuffled into folds, nearly every test window has a neighbour among the
training windows that shares most of its rows. The score is then too high, even if there
is nothing to learn. Three splits in the order of time are compared with it, and with
the score on a new series.
"""

# %%
# Two series
# ----------
# Sensors drift slowly, and so does the state of the machine that is to be predicted. In
# the first series, the state has nothing to do with the sensors. In the second one, the
# first sensor shows it, under much noise.
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd


def drifting(rng, n_rows, n_columns=1):
    """Generate series that change by 2 % at each step."""
    values = rng.normal(size=(n_rows, n_columns))
    for i in range(1, n_rows):
        values[i] = 0.98 * values[i - 1] + 0.2 * values[i]
    return values


def series(rng, is_related, n_rows=2000):
    """Generate three sensors, and the state of the machine."""
    sensors, state = drifting(rng, n_rows, 3), drifting(rng, n_rows)[:, 0] > 0
    if is_related:
        sensors[:, 0] = 1.2 * state + rng.normal(size=n_rows)
    return sensors, state.astype(int)


rng = np.random.default_rng(0)
kinds = {"nothing to learn": False, "something to learn": True}
known = {name: series(rng, is_related) for name, is_related in kinds.items()}
new = {name: series(rng, is_related, 8000) for name, is_related in kinds.items()}

# %%
# Four splits, and a new series
# -----------------------------
# The score that a cross-validation should estimate is that on a new series of the same
# kind, for a network that is fitted on all windows. Shuffled folds raise a warning,
# which is recorded here.
import warnings

from sklearn.metrics import roc_auc_score
from sklearn.model_selection import KFold, TimeSeriesSplit, cross_val_score

from skseq import GRUClassifier, PurgedSplit, make_windows

splits = {
    "KFold, shuffled": KFold(5, shuffle=True, random_state=0),
    "KFold": KFold(5),
    "PurgedSplit(KFold)": PurgedSplit(KFold(5)),
    "TimeSeriesSplit": TimeSeriesSplit(5),
}
net = GRUClassifier(16, epochs=10, learning_rate=0.01, random_state=0)
scores, messages = {}, set()
for name, (sensors, state) in known.items():
    X, y, *_ = make_windows(sensors, state, n_timesteps=24)
    for split, cv in splits.items():
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            scores[name, split] = cross_val_score(net, X, y, cv=cv, scoring="roc_auc")
        messages |= {f"{split}: {one.message}" for one in caught[:1]}
    X_new, y_new, *_ = make_windows(*new[name], n_timesteps=24)
    found = net.fit(X, y).predict_proba(X_new)[:, 1]
    scores[name, "new series"] = np.array([roc_auc_score(y_new, found)])
print("\n".join(sorted(messages)))
table = pd.Series({key: value.mean() for key, value in scores.items()}).unstack(0)
table[list(kinds)].loc[[*splits, "new series"]].round(2)

# %%
# Shuffled folds report a good model where there is nothing to learn, because training
# windows have read the rows of the targets in the test. With ``KFold`` without
# shuffling, this is so for windows at the end of a test fold only. They are few here,
# because a fold is much longer than a window. They are more with long windows, or with
# targets far ahead. ``PurgedSplit`` and ``TimeSeriesSplit`` have no such windows.
fig, axes = plt.subplots(1, 2, figsize=(8.4, 3.8), sharey=True, layout="constrained")
for ax, name in zip(axes, kinds, strict=True):
    for i, split in enumerate(splits):
        values = scores[name, split]
        color = "tab:red" if i == 0 else "tab:blue"
        ax.barh(i, values.mean(), color=color, alpha=0.5)
        ax.plot(values, np.full(len(values), i), "k.", markersize=4)
    expected = scores[name, "new series"][0]
    ax.axvline(expected, color="black", label="on a new series")
    ax.axvline(0.5, color="black", linestyle=":", label="at random")
    ax.set(xlim=(0.2, 1), xlabel="ROC AUC (dots: folds)", title=name.capitalize())
    ax.set_yticks(range(len(splits)), splits)
axes[0].invert_yaxis()
fig.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
fig.suptitle("Shuffled folds report scores that are too high", fontsize=14)
plt.show()
