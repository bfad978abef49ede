"""
Reduce dimensions with PCA and an autoencoder, also before t-SNE
================================================================

Compare maps of two components, maps that t-SNE computes from eight components, and the
digits reconstructed from both. Images of digits have 64 pixels, but far fewer degrees
of freedom. PCA finds the directions in which they vary most; the code of an autoencoder
can be nonlinear.
"""

# %%
# The data
# --------
# PCA and the autoencoder are fitted on 60 % of the rows. All figures and numbers below
# are for the other 40 %.
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X, y, test_size=0.4, stratify=y, random_state=0
)
print(len(X_train), "training rows,", len(X_test), "held-out rows")

# %%
# Two and eight components
# ------------------------
# Pixels range from 0 to 16, and many of them are nearly always 0. The default scaling
# would enlarge those to the variance of the others; ``scale="minmax"`` does not.
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
# Information in the codes
# ------------------------
# The error is the mean squared error of the held-out pixels, divided by their variance:
# 0 is a perfect reconstruction, and 1 is the error of the mean image. The accuracy is
# that of a nearest-neighbour classifier on the codes, which are learned without labels.
# The last row shows its accuracy on all 64 pixels for comparison.
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
# Both maps show the same rows. Most digits overlap in the linear map of PCA. The
# nonlinear map of the autoencoder separates them better.
import matplotlib.pyplot as plt
from matplotlib.colors import BoundaryNorm


def scatter(axes, points, title):
    """Draw points coloured by their digits."""
    drawn = axes.scatter(
        *points.T, c=y_test, s=9, cmap="tab10", norm=BoundaryNorm(range(11), 10)
    )
    axes.set(xticks=[], yticks=[])
    axes.set_title(title, fontsize=14)
    return drawn


def add_legend(figure, drawn):
    figure.legend(
        *drawn.legend_elements(num=range(10)),
        ncols=10,
        columnspacing=0.5,
        handletextpad=0,
        fontsize=12,
        loc="outside lower center",
    )


figure, axes = plt.subplots(1, 2, figsize=(6.4, 4), layout="constrained")
for ax, name in zip(axes, ("PCA", "autoencoder"), strict=True):
    drawn = scatter(ax, codes[name, 2], name)
    ax.set_xlabel("First component", fontsize=12)
axes[0].set_ylabel("Second component", fontsize=12)
add_legend(figure, drawn)
figure.suptitle("An autoencoder's two components separate digits better", fontsize=14)
plt.show()

# %%
# Eight components, then t-SNE
# ----------------------------
# t-SNE places similar rows close together. It has no ``transform`` for new rows, and
# its axes have no meaning, so that its maps are for visualisation, while codes can be
# features for other models. Rows with many columns are usually reduced before t-SNE. 64
# columns are not many, and t-SNE performs well on the pixels. The figure shows how well
# it performs on an eighth of the columns. The title of each map gives the fraction of
# points whose nearest point is the same digit.
from sklearn.manifold import TSNE
from sklearn.neighbors import NearestNeighbors

before = {
    "64 pixels": X_test,
    "PCA, 8": codes["PCA", 8],
    "autoencoder, 8": codes["autoencoder", 8],
}
figure, axes = plt.subplots(1, 3, figsize=(8, 4), layout="constrained")
for ax, (name, points) in zip(axes, before.items(), strict=True):
    points = TSNE(random_state=0).fit_transform(points)
    nearest = NearestNeighbors(n_neighbors=1).fit(points).kneighbors()[1][:, 0]
    same = y_test[nearest] == y_test
    drawn = scatter(ax, points, f"{name}\n({same.mean():.1%})")
add_legend(figure, drawn)
figure.suptitle("t-SNE works nearly as well on an eighth of the columns", fontsize=15)
plt.show()

# %%
# Reconstructed digits
# --------------------
# The figure shows one held-out row of each digit and its reconstructions. With two
# components, PCA returns a few blurred shapes, and the autoencoder returns a digit,
# sometimes the wrong one. With eight, both reconstruct most digits, and the autoencoder
# has the smaller error.
import numpy as np

chosen = [np.flatnonzero(y_test == digit)[0] for digit in range(10)]
pictures = {"original": X_test}
for n_components in (2, 8):
    for name in ("PCA", "autoencoder"):
        pictures[f"{name}, {n_components}"] = rows[name, n_components]
figure, axes = plt.subplots(
    len(pictures), 10, figsize=(6.4, 4), layout="constrained", squeeze=False
)
for line, (name, images) in zip(axes, pictures.items(), strict=True):
    for ax, image in zip(line, images[chosen], strict=True):
        ax.imshow(image.reshape(8, 8), cmap="gray_r", vmin=0, vmax=16)
        ax.set(xticks=[], yticks=[])
    line[0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=12)
figure.suptitle("Eight components are enough to reconstruct most digits", fontsize=14)
plt.show()
