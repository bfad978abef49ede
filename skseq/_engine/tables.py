"""The first layers over the columns of a table: numbers, and categories."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from skseq._engine.keras import DTYPE, keras
from skseq._engine.parts import make_layer, side_by_side

# Where scaled numbers are smoothly limited.
_LIMIT = 3.0


@dataclass(frozen=True, kw_only=True)
class Columns:
    """The first layers of a dense network over the columns of a table.

    Attributes
    ----------
    numbers : tuple of int
        The columns with numbers.
    embedded : tuple of int
        Those of them that have an embedding.
    kind : {"piecewise", "periodic"} or None
        Of this embedding. None: the numbers are not scaled either.
    size : int
        Of the embedding of a number: the number of bins or of frequencies.
    sigma : float
        The standard deviation of the first frequencies.
    width : int
        The length of the vector that is made of the periodic functions of a number.
    categories : tuple of int
        The columns with codes of categories.
    n_codes : tuple of int
        The number of codes in each of them.
    category_width : int
        The length of the vector of a category.
    """

    numbers: tuple
    embedded: tuple = ()
    kind: str | None = None
    size: int = 0
    sigma: float = 0.0
    width: int = 0
    categories: tuple = ()
    n_codes: tuple = ()
    category_width: int = 0

    NAME: ClassVar = "columns"
    SCALE: ClassVar = "number_scale"
    BINS: ClassVar = "number_bins"

    @property
    def n_features(self):
        """int: the number of features that the first hidden layer reads."""
        width = self.size if self.kind == "piecewise" else self.width
        n_categories = len(self.categories) * self.category_width
        return len(self.numbers) + len(self.embedded) * width + n_categories

    def build(self, x):
        """Add the layers to columns of shape (n_samples, n_columns).

        Returns
        -------
        x : tensor of shape (n_samples, n_features)
            The numbers, scaled unless ``kind`` is None, and the vectors of categories
            and of numbers.
        linear : list of tensor of shape (n_samples, n_features_i)
            What goes to the head beside the hidden layers, as in a linear model (Cheng
            et al., 2016). Nothing if ``kind`` is None.
        """
        table = keras.Input(x.shape[1:], dtype=DTYPE, name="table")
        plain, embedded = self._parts(table)
        linear = [] if self.kind is None else plain
        outputs = [side_by_side(plain + embedded), *linear]
        # One line in a summary of the network.
        x, *linear = keras.Model(table, outputs, name=self.NAME)(x)
        return x, linear

    def _parts(self, x):
        """Add the layers; list numbers and categories, and vectors of numbers."""
        plain, embedded = [], []
        if self.numbers:
            plain.append(self._scaled(x))
        if self.embedded:
            add = self._piecewise if self.kind == "piecewise" else self._periodic
            embedded.append(add(x, plain[0]))
        if self.categories:
            plain.append(self._vectors(x))
        return plain, embedded

    def scale(self, model):
        """List the variables in a model that the training rows determine.

        That of the scale of numbers, and that of their bins, see `_linear`.
        """
        names = [self.SCALE] if self.numbers and self.kind is not None else []
        names += [self.BINS] if self.embedded and self.kind == "piecewise" else []
        columns = model.get_layer(self.NAME)
        return [columns.get_layer(name).embeddings for name in names]

    def _scaled(self, x):
        x = _taken(x, self.numbers)
        if self.kind is None:
            return x
        x = _linear(x, 1, self.SCALE)
        return x / keras.ops.sqrt(1.0 + keras.ops.square(x / _LIMIT))

    def _piecewise(self, x, _):
        """Add a linear function of each number for each of its bins, from 0 to 1."""
        x = _linear(_taken(x, self.embedded), self.size, self.BINS)
        return keras.ops.clip(x, 0.0, 1.0)

    def _periodic(self, _, scaled):
        """Add sines and cosines of each number, and a vector made of them."""
        places = [self.numbers.index(i) for i in self.embedded]
        x = make_layer(
            keras.layers.EinsumDense, "bn,nk->bnk",
            output_shape=(len(self.embedded), self.size),
            kernel_initializer=keras.initializers.RandomNormal(
                stddev=2 * math.pi * self.sigma
            ),
            name="number_frequencies",
        )(_taken(scaled, places))  # fmt: skip
        x = keras.ops.concatenate([keras.ops.sin(x), keras.ops.cos(x)], axis=-1)
        x = make_layer(
            keras.layers.Dense, self.width, activation="relu", name="number_vectors"
        )(x)
        return make_layer(keras.layers.Flatten, name="numbers")(x)

    def _vectors(self, x):
        """Add a vector for each category, from one table for all columns.

        The first vector of each column is that of an unknown category.
        """
        codes = keras.ops.round(_taken(x, self.categories))
        n_codes = np.array(self.n_codes, np.float32)
        is_known = keras.ops.logical_and(
            keras.ops.greater_equal(codes, 0.0), keras.ops.less(codes, n_codes)
        )
        ids = keras.ops.where(is_known, codes + 1.0, keras.ops.zeros_like(codes))
        starts = np.cumsum([0, *(n + 1 for n in self.n_codes)])
        ids = keras.ops.cast(ids + starts[:-1].astype(np.float32), "int32")
        x = make_layer(
            keras.layers.Embedding, int(starts[-1]), self.category_width,
            name="category_vectors",
        )(ids)  # fmt: skip
        return make_layer(keras.layers.Flatten, name="categories")(x)


def _linear(x, n_functions, name):
    """Add linear functions of each column, whose factors and shifts are not trained.

    They are the two rows of a table of vectors: operations on each element are faster
    than an einsum, and suit XLA.
    """
    x = keras.ops.repeat(x, n_functions, axis=-1)
    zero = keras.ops.zeros_like(x[:, :1])
    ids = keras.ops.concatenate([zero, keras.ops.ones_like(zero)], axis=-1)
    vectors = make_layer(
        keras.layers.Embedding, 2, x.shape[-1], trainable=False, name=name
    )(keras.ops.cast(ids, "int32"))
    return x * vectors[:, 0] + vectors[:, 1]


def _taken(x, columns):
    """Take columns of a tensor of shape (n_samples, n_columns)."""
    if list(columns) == list(range(x.shape[-1])):
        return x
    return keras.ops.take(x, np.array(columns, np.int32), axis=-1)
