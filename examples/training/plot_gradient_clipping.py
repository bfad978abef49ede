"""
Clip gradients by norm and by value
===================================

Train a simple recurrent network on sequences of 50 timesteps with plain gradient
descent, with and without a limit on its gradients. The gradient says how each weight
changes the loss. In recurrent networks it is a product over all timesteps, so that it
can become very large (Pascanu, Mikolov and Bengio, 2013): a single step then destroys
what the network has learned. The exercises on clipping have no common figure to compare
with; they set ``clipnorm=1.0`` or ``clipvalue=0.5``, and so does this example.
"""

# %%
# The data
# --------
# Is the mean of the 50 values of a sequence positive? The network must remember all of
# them. 600 sequences to learn from, and 2,000 to test.
import numpy as np

rng = np.random.default_rng(0)
X = rng.normal(size=(2600, 50, 1))
y = X[:, :, 0].mean(axis=1) > 0
X, X_test, y, y_test = X[:600], X[600:], y[:600], y[600:]

# %%
# What clips by default
# ---------------------
# In Keras nothing does. In skseq nothing does in dense and convolutional networks, and
# in all networks with ``schedule=None``. Recurrent networks with a schedule, which is
# the default, limit the norm of all gradients together to 10;
# ``optimizer_params={"global_clipnorm": None}`` removes this limit.
#
# The networks of this example have ``schedule=None``, so that only the limits below are
# used. Plain gradient descent, 50 timesteps and the learning rate of 0.05 are chosen so
# that clipping matters; with the default optimizer it does not, see the end.
#
# - ``clipnorm``: the gradient of each weight array is made shorter where its norm is
#   above the limit. It keeps its direction.
# - ``clipvalue``: each number of the gradient is cut at the limit. The direction
#   changes.
# - ``global_clipnorm``: as ``clipnorm``, for all weight arrays together.
#
# An optimizer takes one of the three.
from skseq import SimpleRNNClassifier

descent = SimpleRNNClassifier(
    32, pooling="last", optimizer="sgd", learning_rate=0.05, schedule=None,
    weight_decay=None, batch_size=64, epochs=30,
)  # fmt: skip
limits = {
    "no limit": None,
    "clipvalue 0.5": {"clipvalue": 0.5},
    "clipnorm 1.0": {"clipnorm": 1.0},
    "clipnorm 0.1": {"clipnorm": 0.1},
}

# %%
# With and without a limit
# ------------------------
# Each network is trained with five seeds. Two fits run at a time, in threads.
import pandas as pd
from joblib import Parallel, delayed, parallel_config
from sklearn.base import clone


def fit(limit, seed):
    net = clone(descent).set_params(optimizer_params=limit, random_state=seed)
    net.fit(X, y)
    return net.history_["loss"], net.score(X_test, y_test)


with parallel_config("threading", n_jobs=2):
    found = Parallel()(
        delayed(fit)(limit, seed) for limit in limits.values() for seed in range(5)
    )
losses = np.array([loss for loss, _ in found]).reshape(len(limits), 5, -1)
scores = np.array([score for _, score in found]).reshape(len(limits), 5)
accuracies = pd.DataFrame(scores.T, columns=list(limits))
accuracies.agg(["mean", "std", "min", "max"]).T.round(3)

# %%
# A constant prediction has a loss of 0.69, and an accuracy of 0.5. Without a limit the
# loss gets little below that, and the accuracies of the seeds differ by more than 0.2.
# Each limit helps, and with a limit on the norm, which keeps the direction, the seeds
# agree most.
import matplotlib.pyplot as plt

fig, ax = plt.subplots(figsize=(6.4, 4.2), layout="constrained")
colors = ["black", "tab:orange", "tab:blue", "tab:green"]
for name, loss, color in zip(limits, losses, colors, strict=True):
    epochs = range(1, loss.shape[1] + 1)
    ax.plot(epochs, loss.mean(axis=0), color=color, lw=2, label=name)
    ax.fill_between(
        epochs, loss.min(axis=0), loss.max(axis=0), color=color, alpha=0.12, lw=0
    )
ax.set(
    xlabel="epoch",
    ylabel="training loss (bands: 5 seeds)",
    ylim=(0, 0.85),
    title="A limit on gradients lets\nthe recurrent network learn",
)
ax.legend(loc="lower left", ncols=2)
plt.show()

# %%
# Search the limit
# ----------------
# ``optimizer__clipnorm`` is a parameter like others in a grid. ``clipnorm`` is a number
# and no switch: a limit that is never reached has no effect, and a low one makes steps
# small, as a low learning rate does.
from sklearn.model_selection import GridSearchCV

search = GridSearchCV(
    clone(descent).set_params(random_state=0),
    {"optimizer__clipnorm": [0.01, 0.1, 1.0, 10.0]},
    cv=3,
    refit=False,
)
with parallel_config("threading", n_jobs=2):
    search.fit(X, y)
columns = ["param_optimizer__clipnorm", "mean_test_score", "std_test_score"]
pd.DataFrame(search.cv_results_)[columns].round(3)

# %%
# The default optimizer
# ---------------------
# Adam, with the schedule and the learning rate that are the defaults. It divides each
# gradient by its usual size, so that a large one makes no large step. The default limit
# makes a difference of 0.001 here, and the seeds differ by 0.03 and more.
adam = {
    f"Adam, {name}": [
        SimpleRNNClassifier(
            32, pooling="last", epochs=30, batch_size=64, optimizer_params=params,
            random_state=seed,
        ).fit(X, y).score(X_test, y_test)
        for seed in range(5)
    ]
    for name, params in {
        "default limit": None, "no limit": {"global_clipnorm": None},
    }.items()
}  # fmt: skip
pd.DataFrame(adam).agg(["mean", "std", "min", "max"]).T.round(3)
