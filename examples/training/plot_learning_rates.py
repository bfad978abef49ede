"""
Compare learning-rate schedules
===============================

Train one network with five schedules: a constant learning rate, exponential decay,
a cosine, one cycle (the default), and a rate that is lowered when the loss no longer
falls. The learning rate is the length of the steps in which training changes the
weights. Long steps learn fast, and short ones at the end find the best weights nearby.

Courses show these schedules on images that are downloaded. Here they are used on
scikit-learn's digits, so that accuracies can't be compared with those of a course.
"""

# %%
# The data
# --------
# A recurrent network reads each digit from top to bottom, as 8 timesteps with 8
# features.
from sklearn.datasets import load_digits

X, y = load_digits(return_X_y=True)
X = X / 16

# %%
# Five schedules
# --------------
# ``schedule`` knows ``"one_cycle"``, ``"cosine"`` and None, which is a constant rate.
# ``learning_rate`` also takes a schedule of Keras, and ``callbacks`` a Keras callback
# that changes the rate; both need ``schedule=None``. All schedules have the same highest
# rate, and all networks the same limit on gradients, which only schedules of skseq set
# by default.
import keras

rate, epochs, n_train, batch_size = 0.01, 12, 898, 32
n_steps = epochs * -(-n_train // batch_size)
decay = keras.optimizers.schedules.ExponentialDecay(
    rate, decay_steps=n_steps, decay_rate=0.05
)
plateau = keras.callbacks.ReduceLROnPlateau(monitor="loss", factor=0.3, patience=1)
schedules = {
    "constant": {"schedule": None},
    "ReduceLROnPlateau": {"schedule": None, "callbacks": [plateau]},
    "ExponentialDecay": {"schedule": None, "learning_rate": decay},
    "cosine": {"schedule": "cosine"},
    "one_cycle": {"schedule": "one_cycle"},
}
options = {
    "learning_rate": rate,
    "epochs": epochs,
    "batch_size": batch_size,
    "n_timesteps": 8,
    "optimizer_params": {"global_clipnorm": 10.0},
}

# %%
# Five seeds
# ----------
# A seed determines the split into halves, the first weights and the order of rows. All
# schedules see the same five splits.
import numpy as np
import pandas as pd
from joblib import Parallel, delayed, parallel_config
from sklearn.model_selection import train_test_split

from skseq import GRUClassifier


def fit(params, seed):
    X_train, X_test, y_train, y_test = train_test_split(
        X, y, train_size=n_train, stratify=y, random_state=seed
    )
    net = GRUClassifier(32, **{**options, **params}, random_state=seed)
    net.fit(X_train, y_train)
    return net.score(X_test, y_test), net.history_


with parallel_config("threading", n_jobs=2):
    found = Parallel()(
        delayed(fit)(params, seed) for params in schedules.values() for seed in range(5)
    )
scores = pd.DataFrame(
    np.reshape([score for score, _ in found], (-1, 5)).T, columns=list(schedules)
)
scores.agg(["mean", "std", "min", "max"]).T.round(4)

# %%
# The rates over the steps, and the accuracies
# --------------------------------------------
# The callback writes its rates into ``history_``, one for each epoch; the line shows
# those of the first seed.
import matplotlib.pyplot as plt

step = np.arange(n_steps)
progress = (step + 0.5) / n_steps


def along_cosine(start, end, share):
    return end + (start - end) * (1 + np.cos(np.pi * share)) / 2


lowered = found[list(schedules).index("ReduceLROnPlateau") * 5][1]["learning_rate"]
rates = {
    "constant": np.full(n_steps, rate),
    "ReduceLROnPlateau": np.repeat(lowered, n_steps // epochs),
    "ExponentialDecay": [float(decay(i)) for i in step],
    "cosine": along_cosine(rate, 0, progress),
    "one_cycle": np.where(
        progress < 0.3,
        along_cosine(rate / 25, rate, progress / 0.3),
        along_cosine(rate, rate / 25e4, (progress - 0.3) / 0.7),
    ),
}
fig, (left, right) = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
for i, (name, values) in enumerate(rates.items()):
    left.plot(step, values, color=f"C{i}", lw=2)
    right.plot(scores[name], np.full(5, i), "o", color=f"C{i}", alpha=0.5)
    right.plot(scores[name].mean(), i, "|", color="black", ms=22, mew=2)
left.set(xlabel="step", ylabel="learning rate", ylim=0)
right.set_yticks(range(len(rates)), list(rates))
for tick, i in zip(right.get_yticklabels(), range(len(rates)), strict=True):
    tick.set_color(f"C{i}")
right.set(xlabel="test accuracy (5 seeds, line: mean)")
right.invert_yaxis()
fig.suptitle("Rates that fall to the end score higher than a constant one")
plt.show()
