"""
New digits from an autoencoder
==============================

The decoder of an autoencoder draws a row from any code. New rows are a matter of codes
that are likely: ``sample`` draws some and decodes them. A plain autoencoder and a
variational one write digits here, and the plane of a code of two numbers is drawn.
"""

# %%
# The data
# --------
# One half of the digits is learned from; the other is there to compare with.
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X, y, test_size=0.5, stratify=y, random_state=0
)

# %%
# Two ways to likely codes
# ------------------------
# A plain autoencoder puts codes where it likes. ``sample`` learns afterwards where they
# are, as a mixture of Gaussians over the codes of the training rows.
#
# A variational one is trained to have codes that are standard normal as a whole, and
# draws from just that. It pays for this with blurred pictures: a code is a small cloud,
# and nearby codes have to look alike. ``beta`` is the price of a code's departure from
# the standard normal, 1 that of theory; a smaller one gives sharper pictures. It may
# have more units and learn for longer than the plain one, which then begins to know its
# training rows by heart, and draws worse.
#
# Ink goes from none to full, so ``scale="minmax"`` with ``loss="binary_crossentropy"``
# fits: each pixel is the probability of ink, and what is drawn never leaves its range.
from skseq import AutoencoderTransformer

ink = {"scale": "minmax", "loss": "binary_crossentropy", "random_state": 0}
plain = AutoencoderTransformer(8, **ink)
variational = AutoencoderTransformer(
    8, variational=True, beta=0.5, layer_sizes=(256, 128), epochs=400, **ink
)
samples = {}
for name, model in {"plain": plain, "variational": variational}.items():
    samples[name] = model.fit(X_train).sample(len(X_test), random_state=0)
print("Gaussians for the codes of the plain one:", plain.mixture_.n_components)

# %%
# How good are they?
# ------------------
# Two distances to the nearest neighbour say different things. From samples to held-out
# digits: a sample that is no digit is far from all. From held-out digits to samples: a
# kind of digit that is never drawn is far from all. For scale there are real digits, as
# if the training rows were a sample, and codes that ignore what is likely: each number
# of the plain one's code is drawn by itself, as normal as its mean and spread tell. The
# first column flatters blurred pictures, as the mean of many is near to most.
import numpy as np
import pandas as pd
from sklearn.neighbors import NearestNeighbors


def mean_distance(rows, others):
    """Compute the mean distance of rows to the nearest of other rows."""
    return NearestNeighbors(n_neighbors=1).fit(others).kneighbors(rows)[0].mean()


codes = plain.transform(X_train)
rng = np.random.default_rng(0)
careless = rng.normal(codes.mean(axis=0), codes.std(axis=0), size=(len(X_test), 8))
drawn = {
    "real, training rows": X_train,
    "variational": samples["variational"],
    "plain": samples["plain"],
    "plain, careless codes": plain.inverse_transform(careless),
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
# Real ones and new ones
# ----------------------
import matplotlib.pyplot as plt


def mosaic(images, n_columns):
    """Arrange pictures of 8 x 8 pixels in one picture."""
    images = np.pad(
        images.reshape(-1, n_columns, 8, 8), [(0, 0), (0, 0), (1, 1), (1, 1)]
    )
    return images.transpose(0, 2, 1, 3).reshape(-1, 10 * n_columns)


pictures = {
    "Real, held out": X_test,
    "Plain autoencoder": samples["plain"],
    "Variational autoencoder": samples["variational"],
}
figure, axes = plt.subplots(1, 3, figsize=(11, 4.2), layout="constrained")
for ax, (title, images) in zip(axes, pictures.items(), strict=True):
    ax.imshow(mosaic(images[:64], 8), cmap="gray_r", vmin=0, vmax=16)
    ax.set(xticks=[], yticks=[], title=title)

# %%
# The plane of a code
# -------------------
# With two components the whole space of codes can be drawn. On the left is where the
# held-out digits are in it, on the right what ``inverse_transform`` makes of each
# place: one digit turns into the next without a hole between them. Two numbers are few
# for ten digits, so ``beta`` is smaller still.
from matplotlib.colors import BoundaryNorm

plane = AutoencoderTransformer(
    2, variational=True, beta=0.25, layer_sizes=(256, 128), epochs=300, **ink
).fit(X_train)
places = np.linspace(-2.4, 2.4, 16)
step = places[1] - places[0]
first, second = np.meshgrid(places, places[::-1])
grid = plane.inverse_transform(np.column_stack([first.ravel(), second.ravel()]))

figure, axes = plt.subplots(
    1, 2, figsize=(11, 5.8), layout="constrained", sharex=True, sharey=True
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
axes[0].set(title="Codes of held-out digits", ylabel="second component", aspect="equal")
axes[1].set(title="What is decoded at each place")
for ax in axes:
    ax.set(xlabel="first component", xlim=(-edge, edge), ylim=(-edge, edge))
figure.legend(
    *points.legend_elements(num=range(10)), title="digit", loc="outside right center"
)
plt.show()
