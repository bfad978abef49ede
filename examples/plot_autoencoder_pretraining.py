"""
Few labels, many sequences
==========================

Sequences are often there for the taking, and labels are what costs. A network can learn
what sequences look like before it is told what they mean: an autoencoder learns from
all of them, and a classifier starts from its encoder. Here is what that is worth, over
the number of labels.
"""

# %%
# The data
# --------
# Someone writes a digit, seen through a slit: a timestep is a column of 8 pixels. It
# begins at any of nine steps of 16, and there is noise. Of the rows to learn from, few
# have a label in what follows. All are scaled by the same numbers before any model sees
# them, so that no model has the better scale.
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

rng = np.random.default_rng(0)
images, y = load_digits(return_X_y=True)
X = rng.normal(0, 0.1, size=(len(y), 16, 8))
for row, first in enumerate(rng.integers(0, 9, size=len(y))):
    X[row, first : first + 8] += images[row].reshape(8, 8).T / 16

X_train, X_test, y_train, y_test = train_test_split(
    X, y, test_size=0.4, stratify=y, random_state=0
)
center, spread = X_train.mean(axis=(0, 1)), X_train.std(axis=(0, 1))
X_train, X_test = (X_train - center) / spread, (X_test - center) / spread
print(X_train.shape, "to learn from,", X_test.shape, "to test")

# %%
# A classifier that starts from an autoencoder
# --------------------------------------------
# ``pretrained`` has the network's kind and sizes. ``fit`` first fits it, on the rows
# with labels and on those in ``X_unlabeled``, and then trains all layers on the labels.
from skseq import AutoencoderTransformer, LSTMClassifier

settings = {"units": 64, "pooling": "last", "epochs": 40, "batch_size": 16}
labelled, unlabelled = train_test_split(
    np.arange(len(y_train)), train_size=50, stratify=y_train, random_state=0
)
from_scratch = LSTMClassifier(**settings, random_state=0)
from_scratch.fit(X_train[labelled], y_train[labelled])

autoencoder = AutoencoderTransformer(16, kind="lstm", layer_sizes=64, epochs=60)
pretrained = LSTMClassifier(**settings, pretrained=autoencoder, random_state=0)
pretrained.fit(X_train[labelled], y_train[labelled], X_unlabeled=X_train[unlabelled])
print("Accuracy with 50 labels")
print(f"  from random weights: {from_scratch.score(X_test, y_test):.3f}")
print(f"  from the autoencoder: {pretrained.score(X_test, y_test):.3f}")

# %%
# One autoencoder for many classifiers
# ------------------------------------
# The autoencoder takes longer than the classifier, and is the same for all that is to
# be tried. Fitted once and put into scikit-learn's ``FrozenEstimator``, it is left as
# it is by ``fit``, ``clone`` and searches; each classifier starts from a copy of its
# weights. Here a search chooses the step size with 50 labels.
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV

autoencoder.set_params(random_state=0).fit(X_train)
frozen = FrozenEstimator(autoencoder)
search = GridSearchCV(
    LSTMClassifier(**settings, pretrained=frozen, random_state=0),
    {"learning_rate": [0.002, 0.005]},
    cv=3,
)
search.fit(X_train[labelled], y_train[labelled])
print("Chosen:", search.best_params_)
print(f"Accuracy with 50 labels: {search.score(X_test, y_test):.3f}")

# %%
# Over the number of labels
# -------------------------
# The same network, for the same epochs, from random weights and from the autoencoder,
# five times each: with other rows that have labels, other weights and another order of
# rows. Beside them is logistic regression on the pixels, and on the autoencoder's codes
# as they are.
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

flatten = FunctionTransformer(lambda X: X.reshape(len(X), -1))
logistic = LogisticRegression(max_iter=1000)
models = {
    "LSTM, pretrained": LSTMClassifier(**settings, pretrained=frozen),
    "LSTM": LSTMClassifier(**settings),
    "Logistic regression on codes": make_pipeline(frozen, logistic),
    "Logistic regression on pixels": make_pipeline(flatten, logistic),
}
results = []
for n_labels in (20, 50, 100, 200, 400):
    for seed in range(5):
        rows, _ = train_test_split(
            np.arange(len(y_train)),
            train_size=n_labels,
            stratify=y_train,
            random_state=seed,
        )
        for name, model in models.items():
            if isinstance(model, LSTMClassifier):
                model.set_params(random_state=seed)
            model.fit(X_train[rows], y_train[rows])
            results.append((name, n_labels, seed, model.score(X_test, y_test)))
results = pd.DataFrame(results, columns=["model", "labels", "seed", "accuracy"])
accuracies = results.pivot_table("accuracy", "labels", "model", "mean")[list(models)]
print(accuracies.round(3).to_string())

# %%
# What to make of it
# ------------------
# What pretraining adds, within each seed, as mean and range:
both = results.pivot_table("accuracy", ["labels", "seed"], "model")
gain = both["LSTM, pretrained"] - both["LSTM"]
for n_labels, gains in gain.groupby("labels"):
    print(
        f"{n_labels:4} labels: {gains.mean():+.3f} ({gains.min():+.3f} to "
        f"{gains.max():+.3f})"
    )

# %%
# Much with few labels, and little once there are hundreds: labels then teach the same.
# Codes alone, with a linear model, do well with few labels and fall behind with many,
# for they can't adapt. The pixels say little to a linear model, as a digit may begin
# anywhere; for digits in one place it would be a hard one to beat.
import matplotlib.pyplot as plt

figure, axes = plt.subplots(figsize=(7, 5), layout="constrained")
for name in models:
    curve = results[results["model"] == name].groupby("labels")["accuracy"]
    style = "-" if name.startswith("LSTM") else "--"
    (line,) = axes.plot(curve.mean(), style, marker="o", label=name)
    axes.fill_between(
        curve.mean().index, curve.min(), curve.max(), color=line.get_color(), alpha=0.15
    )
axes.set_xscale("log")
ticks = list(accuracies.index)
axes.set_xticks(ticks, labels=ticks)
axes.minorticks_off()
axes.set(xlabel="rows with labels", ylabel="accuracy on test rows")
axes.set_title(f"{len(X_train)} sequences, some with labels: mean and range of 5 seeds")
axes.legend()
plt.show()
