"""
DropConnect, a layer of one's own
=================================

Dropout drops outputs of a layer while a network is trained. DropConnect (Wan et al.,
2013) drops single weights. Keras has no such layer, so that it is written here, in a
function that builds the network for :class:`~skseq.KerasClassifier`. A grid compares
rates of both, on few rows.
"""

# %%
# The layer
# ---------
# A dense layer whose weights are kept with probability ``1 - rate`` in each training
# step, and scaled so that their mean remains. The seed generator is part of the layer,
# so that ``random_state`` of the estimator determines the draws.
import keras


class DropConnect(keras.layers.Dense):
    """A dense layer that drops weights in training."""

    def __init__(self, units, rate=0.5, **kwargs):
        super().__init__(units, **kwargs)
        self.rate = rate
        self.generator = keras.random.SeedGenerator()

    def call(self, inputs, training=False):
        kernel = self.kernel
        if training and self.rate:
            kernel = keras.random.dropout(kernel, self.rate, seed=self.generator)
        return self.activation(keras.ops.matmul(inputs, kernel) + self.bias)

    def get_config(self):
        return {**super().get_config(), "rate": self.rate}


def network(inputs, method="neither", rate=0.0):
    """Build two wide hidden layers, with one of the methods or neither."""
    x = keras.layers.Flatten()(inputs)
    for _ in range(2):
        if method == "DropConnect":
            x = DropConnect(200, rate, activation="relu")(x)
        else:
            x = keras.layers.Dense(200, activation="relu")(x)
        if method == "dropout":
            x = keras.layers.Dropout(rate)(x)
    return x


# %%
# A grid over both methods and their rates
# ----------------------------------------
# 250 digits to learn from in each fold, and all others to test.
import pandas as pd
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, StratifiedShuffleSplit

from skseq import KerasClassifier

X, y = load_digits(return_X_y=True)
X = X / 16
rates = [0.2, 0.4, 0.6, 0.8]
net = KerasClassifier(network, epochs=60, learning_rate=0.002, random_state=0)
grid = GridSearchCV(
    net,
    [
        {"model__method": ["neither"]},
        {"model__method": ["dropout", "DropConnect"], "model__rate": rates},
    ],
    cv=StratifiedShuffleSplit(5, train_size=250, random_state=0),
    refit=False,
).fit(X, y)
results = pd.DataFrame(grid.cv_results_)[
    ["param_model__method", "param_model__rate", "mean_test_score", "std_test_score"]
]
results.columns = ["method", "rate", "accuracy", "spread"]
results.round(4)

# %%
# Both methods help a little, dropout at high rates, and DropConnect at any. The band is
# the standard deviation over the splits, which all methods share.
import matplotlib.pyplot as plt

fig, ax = plt.subplots(figsize=(7, 4), layout="constrained")
base = results[results["method"] == "neither"].iloc[0]
ax.axhline(base["accuracy"], color="black", linestyle=":", label="neither")
for method, color in (("dropout", "tab:blue"), ("DropConnect", "tab:red")):
    part = results[results["method"] == method]
    ax.plot(part["rate"], part["accuracy"], "o-", color=color, label=method)
    low, high = part["accuracy"] - part["spread"], part["accuracy"] + part["spread"]
    ax.fill_between(part["rate"], low, high, color=color, alpha=0.12)
ax.set(xlabel="rate", ylabel="accuracy", title="250 digits to learn from")
ax.legend()
plt.show()
