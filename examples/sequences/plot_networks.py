"""
Compare recurrent and convolutional networks
============================================

Compare nine networks by accuracy, by the time of a fit, and by their number of weights.
They read images of handwritten digits row by row: each of the 8 rows of pixels is a
timestep with 8 features. Logistic regression and a random forest get all 64 pixels as
columns.
"""

# %%
# The data
# --------
# 1,797 digits of scikit-learn. A network gets the table with ``n_timesteps=8``.
from sklearn.datasets import load_digits

X, y = load_digits(return_X_y=True)
X = X / 16
print(f"{len(X)} digits of {X.shape[1]} pixels")

# %%
# The models
# ----------
import keras
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression

from skseq import (
    Conv1DClassifier,
    GRUClassifier,
    LSTMClassifier,
    SimpleRNNClassifier,
)

options = {"n_timesteps": 8, "epochs": 30, "random_state": 0}
last = {**options, "pooling": "last"}
penalty = keras.regularizers.L1L2(l1=1e-6, l2=1e-5)
models = {
    "logistic regression": LogisticRegression(max_iter=1000),
    "random forest": RandomForestClassifier(random_state=0),
    "RNN 64": SimpleRNNClassifier(64, **last),
    "GRU 64": GRUClassifier(64, **last),
    "LSTM 64": LSTMClassifier(64, **last),
    "LSTM 32-32": LSTMClassifier((32, 32), **last),
    "LSTM 64-64": LSTMClassifier((64, 64), **last),
    "LSTM 64-64, L1/L2,\nrecurrent dropout": LSTMClassifier(
        (64, 64), recurrent_dropout=0.2,
        layer_params={"kernel_regularizer": penalty}, **last,
    ),
    "LSTM 64, bidirectional": LSTMClassifier(64, bidirectional=True, **last),
    "CNN 64, causal": Conv1DClassifier(64, kernel_size=3, padding="causal", **options),
    "CNN 64": Conv1DClassifier(64, kernel_size=3, **options),
}  # fmt: skip

# %%
# The comparison
# --------------
# Each model is fitted in three folds. The time is the median of the three. The first
# fit of a network in a process takes longer, because it builds the TensorFlow program,
# so that one epoch is fitted before the measurement.
import pandas as pd
from sklearn.base import clone
from sklearn.model_selection import StratifiedKFold, cross_validate

folds = StratifiedKFold(3, shuffle=True, random_state=0)
rows = {}
for name, model in models.items():
    n_weights = float("nan")
    if hasattr(model, "epochs"):
        n_weights = clone(model).set_params(epochs=1).fit(X, y).model_.count_params()
    found = cross_validate(model, X, y, cv=folds)
    rows[name] = {
        "accuracy": found["test_score"].mean(),
        "lowest fold": found["test_score"].min(),
        "highest fold": found["test_score"].max(),
        "seconds": pd.Series(found["fit_time"]).median(),
        "weights": n_weights,
    }
results = pd.DataFrame(rows).T
results.round(3)

# %%
# The convolutional networks have the highest accuracy and the fewest weights, and are
# among the fastest networks. The recurrent networks are about as good as the random
# forest or better, except the LSTM with two narrow layers. Differences of one
# percentage point are as large as those between the folds of one network. Penalties and
# recurrent dropout take the most time, and gain little on 8 timesteps.
import matplotlib.pyplot as plt

colors = {"RNN": "tab:green", "GRU": "tab:orange", "LSTM": "tab:blue", "CNN": "tab:red"}
fig, (left, right) = plt.subplots(
    1, 2, figsize=(9, 4.6), layout="constrained", sharey=True, width_ratios=(3, 2)
)
of = [colors.get(name.split()[0], "grey") for name in results.index]
left.hlines(results.index, results["lowest fold"], results["highest fold"], of, lw=3)
left.scatter(results["accuracy"], results.index, color=of, s=60, zorder=3)
left.grid(axis="y", alpha=0.3)
left.set(xlabel="accuracy (lines: lowest and highest fold)")
right.barh(results.index, results["seconds"], color=of, alpha=0.6)
for i, n_weights in enumerate(results["weights"]):
    if n_weights == n_weights:
        place = results["seconds"].iloc[i] + 0.02 * results["seconds"].max()
        right.text(place, i, f"{n_weights:,.0f} weights", va="center", fontsize=9)
right.set(xlabel="seconds of a fit", xlim=(0, 1.8 * results["seconds"].max()))
left.invert_yaxis()
best = results["accuracy"].idxmax()
fig.suptitle(
    f"{best} has the highest accuracy, {results.loc[best, 'accuracy']:.3f}", fontsize=14
)
plt.show()
