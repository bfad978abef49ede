"""
Generate digits with an autoencoder
===================================

Generate new digits with a plain and a variational autoencoder. The decoder of an
autoencoder computes a row from any code. ``sample`` draws codes from an estimate of
their distribution and decodes them. The last figure shows how the decoded digits change
over a code of two components.
"""

# %%
# The data
# --------
# Half of the digits are training data. The other half is held out for comparison.
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X, y, test_size=0.5, stratify=y, random_state=0
)

# %%
# Plain and variational autoencoders
# ----------------------------------
# The codes of a plain autoencoder can have any distribution. At its first call,
# ``sample`` fits a mixture of Gaussians to the codes of the training rows, and draws
# codes from it.
#
# A variational autoencoder is trained such that the codes of all rows together are
# approximately standard normal, and ``sample`` draws codes from the standard normal
# distribution. Its pictures are more blurred, because noise is added to each code in
# training, and nearby codes must be decoded to similar pictures. ``beta`` is the weight
# of the penalty for codes that deviate from the standard normal distribution. In theory
# it is 1; a smaller value gives sharper pictures. The variational autoencoder can have
# more units and train for more epochs. With as many, the plain one would begin to
# memorise its training rows, and generate worse digits.
#
# All pixels have a smallest and a largest value, so ``scale="minmax"`` with
# ``loss="binary_crossentropy"`` is suitable: each pixel is treated as a probability,
# and generated pixels stay in this range.
from skseq import AutoencoderTransformer

pixels = {"scale": "minmax", "loss": "binary_crossentropy", "random_state": 0}
plain = AutoencoderTransformer(8, **pixels)
variational = AutoencoderTransformer(
    8, variational=True, beta=0.5, layer_sizes=(256, 128), epochs=400, **pixels
)
samples = {}
for name, model in {"plain": plain, "variational": variational}.items():
    samples[name] = model.fit(X_train).sample(len(X_test), random_state=0)
print("Components of the Gaussian mixture:", plain.mixture_.n_components)

# %%
# Quality of the generated digits
# -------------------------------
# Two mean distances to the nearest neighbour measure the quality. The distance from
# generated to held-out digits is large if generated rows do not look like digits. The
# distance from held-out to generated digits is large if some kinds of digits are never
# generated. The training rows are a reference for real digits. A second reference
# ignores how the components of a code depend on each other: each component of the
# plain autoencoder's code is drawn independently, from a normal distribution with its
# mean and standard deviation. The first distance favours blurred pictures, because the
# mean of many digits is close to most of them.
import numpy as np
import pandas as pd
from sklearn.neighbors import NearestNeighbors


def mean_distance(rows, others):
    """Compute the mean distance of rows to their nearest neighbours in others."""
    return NearestNeighbors(n_neighbors=1).fit(others).kneighbors(rows)[0].mean()


codes = plain.transform(X_train)
rng = np.random.default_rng(0)
independent = rng.normal(codes.mean(axis=0), codes.std(axis=0), size=(len(X_test), 8))
drawn = {
    "training rows": X_train,
    "variational": samples["variational"],
    "plain": samples["plain"],
    "plain, independent components": plain.inverse_transform(independent),
}
table = pd.DataFrame(
    {
        name: {
            "to held-out digits": mean_distance(rows, X_test),
            "from held-out digits": mean_distance(X_test, rows),
        }
        for name, rows in drawn.items()
    }
).T
print(table.round(1))

# %%
# Real and generated digits
# -------------------------
import matplotlib.pyplot as plt


def mosaic(images, n_columns):
    """Arrange images of 8 x 8 pixels in one image."""
    images = np.pad(
        images.reshape(-1, n_columns, 8, 8), [(0, 0), (0, 0), (1, 1), (1, 1)]
    )
    return images.transpose(0, 2, 1, 3).reshape(-1, 10 * n_columns)


pictures = {
    "real": X_test,
    "plain": samples["plain"],
    "variational": samples["variational"],
}
figure, axes = plt.subplots(1, 3, figsize=(6.4, 4), layout="constrained")
for ax, (title, images) in zip(axes, pictures.items(), strict=True):
    ax.imshow(mosaic(images[:24], 4), cmap="gray_r", vmin=0, vmax=16)
    ax.set(xticks=[], yticks=[])
    ax.set_title(title, fontsize=15)
figure.suptitle("Most generated digits can be read", fontsize=15)
plt.show()

# %%
# A code of two components
# ------------------------
# With two components, the whole space of codes can be plotted. The left plot shows the
# codes of the held-out digits, the right plot a grid of codes decoded by
# ``inverse_transform``: the digits change into each other without gaps. Two components
# are few for ten digits, so ``beta`` is even smaller.
from matplotlib.colors import BoundaryNorm

plane = AutoencoderTransformer(
    2, variational=True, beta=0.25, layer_sizes=(256, 128), epochs=300, **pixels
).fit(X_train)
places = np.linspace(-2.4, 2.4, 16)
step = places[1] - places[0]
first, second = np.meshgrid(places, places[::-1])
grid = plane.inverse_transform(np.column_stack([first.ravel(), second.ravel()]))

figure, axes = plt.subplots(
    1, 2, figsize=(6.4, 4.4), layout="constrained", sharex=True, sharey=True
)
points = axes[0].scatter(
    *plane.transform(X_test).T,
    c=y_test,
    s=9,
    cmap="tab10",
    norm=BoundaryNorm(range(11), 10),
)
edge = places[-1] + step / 2
axes[1].imshow(mosaic(grid, 16), cmap="gray_r", extent=(-edge, edge, -edge, edge))
axes[0].set_title("held-out digits", fontsize=13)
axes[0].set(ylabel="Second component", aspect="equal")
axes[1].set_title("decoded from a grid", fontsize=13)
for ax in axes:
    ax.set(xlabel="First component", xlim=(-edge, edge), ylim=(-edge, edge))
figure.legend(
    *points.legend_elements(num=range(10)),
    ncols=10,
    columnspacing=0.5,
    handletextpad=0,
    loc="outside lower center",
)
figure.suptitle("Codes that are close are decoded to similar digits", fontsize=14)
plt.show()
