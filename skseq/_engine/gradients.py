"""Integrals of a network's gradients along a path to its rows."""

from dataclasses import dataclass, replace

import numpy as np

from skseq._engine.facts import layers_of
from skseq._engine.keras import building, keras, tf
from skseq._engine.parts import Embedding
from skseq._engine.train import standalone_model

# Numbers in the points of a path that are computed at once, and the largest number of
# points.
_CHUNK_VALUES = 2**18
_CHUNK_POINTS = 1024


@dataclass(frozen=True)
class Score:
    """What is computed from the outputs of a network, a number for each row.

    Attributes
    ----------
    kind : {"probability", "log_odds", "number"}
        Of a class, or an output itself.
    from_logits : bool
        Whether the outputs of the network are before sigmoid or softmax.
    n_quantiles : int
        Outputs for each number.
    middle : int
        The place of the one that is predicted, once they are sorted.
    """

    kind: str
    from_logits: bool = False
    n_quantiles: int = 1
    middle: int = 0

    def of(self, outputs, target):
        """Compute the number of each row.

        Parameters
        ----------
        outputs : tensor of shape (n_rows, n_outputs)
        target : tensor of int of shape (n_rows,)
            The class or number that is asked for.
        """
        if self.kind == "number":
            shape = [tf.shape(outputs)[0], -1, self.n_quantiles]
            numbers = tf.sort(tf.reshape(outputs, shape), axis=2)[:, :, self.middle]
            return tf.gather(numbers, target, batch_dims=1)
        if outputs.shape[1] == 1:
            return self._of_two(outputs[:, 0], target)
        return self._of_several(outputs, target)

    def _of_two(self, outputs, target):
        is_second = tf.equal(target, 1)
        if self.kind == "log_odds":
            logits = outputs if self.from_logits else _logits(outputs)
            return tf.where(is_second, logits, -logits)
        second = tf.sigmoid(outputs) if self.from_logits else outputs
        return tf.where(is_second, second, 1 - second)

    def _of_several(self, outputs, target):
        if self.from_logits and self.kind == "log_odds":
            asked = tf.one_hot(target, outputs.shape[1], on_value=True, off_value=False)
            others = tf.where(asked, outputs.dtype.min, outputs)
            own = tf.gather(outputs, target, batch_dims=1)
            return own - tf.reduce_logsumexp(others, axis=1)
        if self.from_logits:
            shares = tf.nn.softmax(outputs)
        else:
            shares = outputs / tf.reduce_sum(outputs, axis=1, keepdims=True)
        share = tf.gather(shares, target, batch_dims=1)
        return _logits(share) if self.kind == "log_odds" else share


def _logits(shares):
    shares = tf.clip_by_value(shares, 1e-7, 1 - 1e-7)
    return tf.math.log(shares) - tf.math.log1p(-shares)


class Path:
    """The straight path from a baseline to rows, in the space that a network reads.

    For a network with a layer "embedding" the path is from zero to the vectors of the
    ids.

    Parameters
    ----------
    recipe : Recipe
        The outputs of its network are those of the scaled target.
    weights : list of ndarray
    score : Score

    Attributes
    ----------
    is_of_vectors : bool
        Whether the network reads token ids.
    """

    def __init__(self, recipe, weights, score):
        model = standalone_model(replace(recipe, target_scale=None), weights)
        if score.kind != "number" and not score.from_logits:
            # Gradients of a saturated sigmoid or softmax are 0 in float32.
            score = replace(score, from_logits=_without_activation(model))
        self._embedding = _embedding_of(model)
        shape, dtype = model.inputs[0].shape[1:], model.inputs[0].dtype
        rows = tf.TensorSpec([None, *shape], dtype)
        with building():
            self._function = tf.function(
                lambda *point: self._trace(model, score, *point),
                input_signature=[
                    rows,
                    rows,
                    tf.TensorSpec([None], tf.float32),
                    tf.TensorSpec([None], tf.int32),
                ],
                autograph=False,
            ).get_concrete_function()
        self._dtype, self.is_of_vectors = dtype, self._embedding is not None

    def _trace(self, model, score, rows, baseline, places, target):
        """Compute gradients times differences, and the scores, at points of paths."""
        moved = []

        def entered(values, way):
            by_row = [-1] + [1] * (len(values.shape) - 1)
            point = values - (1 - tf.reshape(places, by_row)) * way
            tape.watch(point)
            moved.append((point, way))
            return point

        with tf.GradientTape(watch_accessed_variables=False) as tape:
            if self._embedding is None:
                outputs = model(entered(rows, rows - baseline), training=False)
            else:
                # The model is a copy of its own, so that the call can be replaced.
                call = type(self._embedding).call

                def called(ids):
                    vectors = call(self._embedding, ids)
                    return entered(vectors, vectors)

                self._embedding.call = called
                outputs = model(rows, training=False)
            scores = score.of(outputs, target)
        ((point, way),) = moved
        gradients = tape.gradient(
            scores, point, unconnected_gradients=tf.UnconnectedGradients.ZERO
        )
        products = gradients * way
        if self._embedding is not None:
            products = tf.reduce_sum(products, axis=-1)
        return tf.reshape(products, tf.shape(rows)), scores

    def scores(self, rows, baseline, target, places):
        """Compute the score at a place of each path: 0 baseline, 1 row.

        Parameters
        ----------
        rows, baseline : ndarray
        target : ndarray of int of shape (n_rows,)
        places : ndarray of shape (n_rows,)

        Returns
        -------
        scores : ndarray of shape (n_rows,), float64
        """
        chunks = self._at(rows, baseline, target, places[:, None])
        return np.concatenate([scores for _, _, scores in chunks])

    def integrals(self, rows, baseline, target, starts, ends, n_points):
        """Integrate the gradients along a part of each path, by Gauss and Legendre.

        Parameters
        ----------
        rows, baseline, target
            As for ``scores``.
        starts, ends : ndarray of shape (n_rows,)
            The places between which to integrate.
        n_points : int

        Returns
        -------
        integrals : ndarray of the shape of rows, float64
        """
        nodes, weights = np.polynomial.legendre.leggauss(n_points)
        lengths = ends - starts
        places = starts[:, None] + lengths[:, None] * (nodes + 1) / 2
        weights = lengths[:, None] * weights / 2
        total = np.zeros(rows.shape)
        for points, products, _ in self._at(rows, baseline, target, places):
            by_row = (-1,) + (1,) * (products.ndim - 1)
            products *= weights.ravel()[points].reshape(by_row)
            found, first = np.unique(points // n_points, return_index=True)
            total[found] += np.add.reduceat(products, first)
        return total

    def _at(self, rows, baseline, target, places):
        """Yield numbers of points, products and scores, for all places of each row."""
        size = max(_CHUNK_VALUES // max(rows[0].size, 1), 1)
        size = min(size, _CHUNK_POINTS)
        for start in range(0, places.size, size):
            points = np.arange(start, min(start + size, places.size))
            row = points // places.shape[1]
            products, scores = self._function(
                tf.constant(rows[row], self._dtype),
                tf.constant(baseline[row], self._dtype),
                tf.constant(places.ravel()[points], tf.float32),
                tf.constant(target[row], tf.int32),
            )
            yield points, products.numpy().astype(float), scores.numpy().astype(float)


def _embedding_of(model):
    """Find the layer with the vectors of token ids, or None."""
    for layer in layers_of(model):
        if layer.name == Embedding.NAME and isinstance(layer, keras.layers.Embedding):
            return layer
    return None


def _without_activation(model):
    """Take sigmoid or softmax from the last layer; False if there is none."""
    last = model.layers[-1]
    known = (keras.activations.sigmoid, keras.activations.softmax)
    if (
        type(last) not in (keras.layers.Dense, keras.layers.Activation)
        or last.activation not in known
    ):
        return False
    last.activation = keras.activations.linear
    return True
