"""
An autoencoder before t-SNE
===========================

Pictures of digits have 64 pixels and far fewer ways to differ. PCA finds directions in
which they vary most; an autoencoder learns a code that need not be linear. Here are
both: as a map of two components, as the step before t-SNE, and by the digits that
they give back.
"""

# %%
# The data
# --------
# The codes are learned from 60 % of the rows. All pictures and numbers below are of the
# other 40 %, which neither PCA nor the autoencoder has seen.
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X, y, test_size=0.4, stratify=y, random_state=0
)
print(len(X_train), "rows to learn from,", len(X_test), "held out")

# %%
# Two and eight components
# ------------------------
# Pixels go from 0 to 16 and many of them are nearly always 0. ``scale="minmax"`` keeps
# those as small as they are; the default would blow them up to the size of the others.
from sklearn.decomposition import PCA

from skseq import AutoencoderTransformer

models = {}
for n_components in (2, 8):
    models["PCA", n_components] = PCA(n_components, random_state=0)
    models["autoencoder", n_components] = AutoencoderTransformer(
        n_components, layer_sizes=(256, 128), scale="minmax", random_state=0
    )
codes = {key: model.fit(X_train).transform(X_test) for key, model in models.items()}
rows = {key: model.inverse_transform(codes[key]) for key, model in models.items()}

# %%
# What a code keeps
# -----------------
# The error is the mean square over held-out pixels, as a fraction of their variance: 0
# gives everything back, 1 no more than the mean picture does. The accuracy says whether
# a digit's nearest neighbour among the training rows is the same digit, by codes alone:
# labels have no part in learning them. All 64 pixels stand in the last row, for what
# there is to be kept.
import pandas as pd
from sklearn.neighbors import KNeighborsClassifier

table = []
for (name, n_components), model in models.items():
    key = name, n_components
    neighbours = KNeighborsClassifier(1).fit(model.transform(X_train), y_train)
    table.append(
        {
            "model": name,
            "components": n_components,
            "error": ((X_test - rows[key]) ** 2).mean() / X_test.var(axis=0).mean(),
            "1-NN accuracy": neighbours.score(codes[key], y_test),
        }
    )
table.append(
    {
        "model": "all pixels",
        "components": X.shape[1],
        "error": 0.0,
        "1-NN accuracy": KNeighborsClassifier(1)
        .fit(X_train, y_train)
        .score(X_test, y_test),
    }
)
table = pd.DataFrame(table).round(3)
print(table.to_string(index=False))

# %%
# Two components as a map
# -----------------------
# The same rows, the same number of components. What is linear has to lay most digits
# over each other; the autoencoder has room to bend its axes, and draws them apart.
import matplotlib.pyplot as plt
from matplotlib.colors import BoundaryNorm


def scatter(axes, points, title):
    """Draw points in the colours of their digits."""
    drawn = axes.scatter(
        *points.T, c=y_test, s=9, cmap="tab10", norm=BoundaryNorm(range(11), 10)
    )
    axes.set(xticks=[], yticks=[], title=title)
    return drawn


def add_legend(figure, drawn):
    figure.legend(
        *drawn.legend_elements(num=range(10)), title="digit", loc="outside right center"
    )


figure, axes = plt.subplots(1, 2, figsize=(9, 4.4), layout="constrained")
for ax, name in zip(axes, ("PCA", "autoencoder"), strict=True):
    drawn = scatter(ax, codes[name, 2], name)
    ax.set(xlabel="first component", ylabel="second component")
add_legend(figure, drawn)
figure.suptitle("Two components, held-out rows")

# %%
# Eight components, then t-SNE
# ----------------------------
# t-SNE keeps neighbours together. It has no ``transform`` for new rows, and its axes
# have no meaning: a map is to look at, and codes are what a model can go on with. Where
# rows have many columns, something that reduces them usually comes before t-SNE; 64 are
# not that many, and it does well with the pixels as they are. What is to be seen is how
# much of that is left with an eighth of the columns. Over each map stands how often the
# nearest point in it is the same digit.
from sklearn.manifold import TSNE
from sklearn.neighbors import NearestNeighbors

before = {
    "64 pixels": X_test,
    "8 components of PCA": codes["PCA", 8],
    "8 codes of the autoencoder": codes["autoencoder", 8],
}
figure, axes = plt.subplots(1, 3, figsize=(12, 4.4), layout="constrained")
for ax, (name, points) in zip(axes, before.items(), strict=True):
    points = TSNE(random_state=0).fit_transform(points)
    nearest = NearestNeighbors(n_neighbors=1).fit(points).kneighbors()[1][:, 0]
    same = y_test[nearest] == y_test
    drawn = scatter(ax, points, f"{name}\nneighbours of one digit: {same.mean():.1%}")
add_legend(figure, drawn)
figure.suptitle("t-SNE of held-out rows")

# %%
# What comes back
# ---------------
# One held-out row for each digit, and what is left of it. With two components PCA knows
# a few blurred shapes; the autoencoder draws a digit, at times another one. With eight,
# both give most digits back, the autoencoder with a smaller error.
import numpy as np

chosen = [np.flatnonzero(y_test == digit)[0] for digit in range(10)]
pictures = {"original": X_test}
for n_components in (2, 8):
    for name in ("PCA", "autoencoder"):
        pictures[f"{name}, {n_components}"] = rows[name, n_components]
figure, axes = plt.subplots(
    len(pictures), 10, figsize=(8, 4.4), layout="constrained", squeeze=False
)
for line, (name, images) in zip(axes, pictures.items(), strict=True):
    for ax, image in zip(line, images[chosen], strict=True):
        ax.imshow(image.reshape(8, 8), cmap="gray_r", vmin=0, vmax=16)
        ax.set(xticks=[], yticks=[])
    line[0].set_ylabel(name, rotation=0, ha="right", va="center")
figure.suptitle("Held-out digits, and what is reconstructed of them")
plt.show()
