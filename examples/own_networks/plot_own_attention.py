"""
An attention network of your own in a grid search
=================================================

Write a function that builds a network of a convolution and attention over the
timesteps, and search over its arguments with :class:`~skseq.KerasClassifier`. Attention
is a mean over the timesteps with weights that the network computes for each row. The
figure shows that the weights are high at the timesteps that decide on the class.
"""

# %%
# Noise of 60 timesteps with a wave of 10 timesteps somewhere. It rises first in one
# class, and falls first in the other.
import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import layers
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV, train_test_split

from skseq import KerasClassifier

rng = np.random.default_rng(0)
X = 0.5 * rng.normal(size=(800, 60, 1))
y = np.arange(800) % 2
places = rng.integers(0, 50, size=800)
wave = np.sin(np.linspace(0, 2 * np.pi, 10))
for row, sign, place in zip(X, 2 * y - 1, places, strict=True):
    row[place : place + 10, 0] += sign * wave

X_train, X_test, y_train, y_test, _, places_test = train_test_split(
    X, y, places, random_state=0
)


# %%
# The function returns the mean of the features of a convolution, weighted by attention.
def attention(inputs, filters=16, kernel_size=5):
    x = layers.Conv1D(filters, kernel_size, padding="same", activation="relu")(inputs)
    scores = layers.Dense(1)(layers.Dense(filters, activation="tanh")(x))
    weights = layers.Softmax(axis=1, name="attention")(scores)
    return layers.Flatten()(layers.Dot(axes=1)([weights, x]))


net = KerasClassifier(attention, learning_rate=0.01, epochs=30, random_state=0)
search = GridSearchCV(
    net, {"model__filters": [8, 32], "model__kernel_size": [3, 9]}, cv=3,
    scoring="roc_auc",
)  # fmt: skip
search.fit(X_train, y_train)
for params, score in zip(
    search.cv_results_["params"], search.cv_results_["mean_test_score"], strict=True
):
    print(f"ROC AUC {score:.3f} for {params}")

# %%
# ``model_`` is a Keras model with the weights of the best network, from which the
# attention is read.
best = search.best_estimator_.model_
look = keras.Model(best.input, best.get_layer("attention").output)
weights = look.predict(X_test, verbose=0)[:, :, 0]
score = roc_auc_score(y_test, search.predict_proba(X_test)[:, 1])
print(f"test ROC AUC: {score:.3f}")

highest = weights.argmax(axis=1)
is_found = (places_test <= highest) & (highest < places_test + 10)

fig, axes = plt.subplots(3, 1, figsize=(7, 5), sharex=True, layout="constrained")
for ax, row, attended, place in zip(axes, X_test, weights, places_test, strict=False):
    ax.axvspan(place, place + 9, color="0.88", label="where the wave is")
    ax.plot(row[:, 0], color="C0", lw=1, label="sequence")
    ax.set_ylabel("value")
    twin = ax.twinx()
    twin.fill_between(range(60), attended, color="C1", alpha=0.5, label="attention")
    twin.set_ylim(0, 1)
    twin.set_ylabel("weight")
axes[-1].set_xlabel("timestep")
handles = [*axes[0].get_legend_handles_labels()[0], twin.collections[0]]
fig.legend(
    handles, ["where the wave is", "sequence", "attention"], ncols=3,
    loc="outside lower center",
)  # fmt: skip
fig.suptitle(
    f"The highest attention is at the wave in {is_found.mean():.0%} of the test rows",
    fontsize=14,
)
plt.show()
