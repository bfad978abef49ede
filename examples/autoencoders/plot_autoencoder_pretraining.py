"""
Pretrain a classifier on sequences without labels
=================================================

Compare a classifier that starts from the weights of an autoencoder with one that starts
from random weights. Sequences are often easy to collect, and labels expensive. An
autoencoder can be fitted on all sequences, with and without labels. Its encoder, the
layers that compress a sequence, has the first weights for the classifier.
"""

# %%
# The data
# --------
# The sequences are images of digits, read from left to right: each timestep is a column
# of 8 pixels. A sequence has 16 timesteps, the digit begins at one of the first nine,
# and noise is added. Only a few of the training rows will have labels. All rows are
# scaled in the same way, so that no model has an advantage by its scaling.
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
print("Shape of the training data:", X_train.shape)
print("Shape of the test data:", X_test.shape)

# %%
# A classifier that starts from an autoencoder
# --------------------------------------------
# The autoencoder passed as ``pretrained`` has the same kind and sizes of layers as the
# classifier. ``fit`` first fits it, on the rows with labels and on those in
# ``X_unlabeled``, and then trains all layers of the classifier on the rows with labels.
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
# Fitting the autoencoder takes longer than fitting the classifier, and all classifiers
# can use the same one. If it is fitted once and passed in scikit-learn's
# ``FrozenEstimator``, then ``fit``, ``clone`` and searches do not change it, and each
# classifier starts from a copy of its weights. Here a grid search chooses the learning
# rate with 50 labels.
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
print("Best parameters:", search.best_params_)
print(f"Accuracy with 50 labels: {search.score(X_test, y_test):.3f}")

# %%
# Accuracy by number of labels
# ----------------------------
# The same network is trained for the same number of epochs, from random weights and
# from the autoencoder. Both are repeated with five seeds, which change the rows with
# labels, the random weights and the order of the rows. For comparison, logistic
# regression is fitted on the pixels and on the codes of the autoencoder.
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
# The effect of pretraining
# -------------------------
# The output shows how much pretraining changes the accuracy: the mean and range, over
# the seeds, of the difference between the two networks with the same seed.
both = results.pivot_table("accuracy", ["labels", "seed"], "model")
gain = both["LSTM, pretrained"] - both["LSTM"]
for n_labels, gains in gain.groupby("labels"):
    print(
        f"{n_labels:4} labels: {gains.mean():+.3f} ({gains.min():+.3f} to "
        f"{gains.max():+.3f})"
    )

# %%
# Pretraining helps much with few labels, and little with hundreds, which contain enough
# information by themselves. Logistic regression on the codes performs well with few
# labels, and worse than the networks with many, because the codes are not trained on
# labels. Logistic regression on the pixels performs poorly, because a digit may begin
# at different timesteps; with digits at a fixed position it would be hard to beat.
import matplotlib.pyplot as plt

figure, ax = plt.subplots(figsize=(6.4, 4), layout="constrained")
styles = {
    "LSTM, pretrained": ("o-", "C1"),
    "LSTM": ("s-", "C0"),
    "Logistic regression on codes": ("--", "0.3"),
    "Logistic regression on pixels": (":", "0.3"),
}
for name, (style, color) in styles.items():
    ax.plot(accuracies[name], style, color=color, lw=3, ms=9, label=name)
ax.set_xscale("log")
ticks = list(accuracies.index)
ax.set_xticks(ticks, labels=ticks)
ax.minorticks_off()
ax.tick_params(labelsize=12)
ax.set_ylim(0, 1)
ax.set_xlabel("Number of labels", fontsize=13)
ax.set_ylabel("Accuracy on test rows", fontsize=13)
ax.legend(fontsize=12, loc="lower right", handlelength=3.5)
few = accuracies.loc[50]
figure.suptitle(
    f"50 labels: accuracy {few['LSTM']:.2f}, with pretraining "
    f"{few['LSTM, pretrained']:.2f}",
    fontsize=15,
)
plt.show()
