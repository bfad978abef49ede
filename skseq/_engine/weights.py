"""The layout of trainable weights in a program's variables, and first weights."""

import math

import numpy as np

from skseq._engine.facts import layers_of
from skseq._engine.keras import DTYPE, is_keras, keras, tf
from skseq._engine.private import global_seed, initializer_of


def values_of(variables):
    """Copy the values of variables to arrays."""
    # The result of numpy() may share memory with the variable.
    return [np.array(variable.numpy()) for variable in variables]


def light(array):
    """Replace an array of zeros by one that takes no memory."""
    return array if array.any() else np.broadcast_to(array.dtype.type(0), array.shape)


def assign(variables, values):
    """Set the values of variables."""
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


class Layout:
    """The layout of a model's trainable weights in the parameters of a program.

    Where the optimizer updates each element by itself, all weights are one flat vector:
    an update then takes a dozen operations in all, and not a dozen for each weight.
    Otherwise each weight is a parameter. Weights that are tied to others are left out.

    Parameters
    ----------
    model : keras.Model
    tied : dict of int to int
        See `skseq._engine.networks.Network.tied`.
    is_flat : bool
    """

    def __init__(self, model, tied, is_flat):
        self._tied = tied
        self.is_flat = is_flat
        own = self.untied(model)
        self._shapes = [tuple(variable.shape) for variable in own]
        self.sizes = [math.prod(shape) for shape in self._shapes]
        self.n_values = sum(self.sizes)
        if is_flat:
            self._parameters = {"flat": (self.n_values,)}
        else:
            self._parameters = {v.path: tuple(v.shape) for v in own}

    def make_parameters(self):
        """Make the parameters, with values of 0."""
        return [
            keras.Variable(np.zeros(shape, np.float32), name=name.replace("/", "_"))
            for name, shape in self._parameters.items()
        ]

    def untied(self, model):
        """List the trainable variables of a model that are not tied."""
        variables = model.trainable_variables
        return [v for i, v in enumerate(variables) if i not in self._tied]

    def own(self, values):
        """Extract the weights that are not tied from values of the parameters.

        Parameters
        ----------
        values : list of ndarray or of tensor
        """
        if not self.is_flat:
            return values
        numpy = isinstance(values[0], np.ndarray)
        if numpy:
            parts = np.split(values[0], np.cumsum(self.sizes)[:-1])
        else:
            parts = tf.split(values[0], self.sizes)
        reshape = np.reshape if numpy else tf.reshape
        return [reshape(p, s) for p, s in zip(parts, self._shapes, strict=True)]

    def trainable(self, values):
        """Extract all trainable weights, in the model's order."""
        return self.with_tied(self.own(values))

    def with_tied(self, own):
        """Complete weights that are not tied to all trainable weights."""
        if not self._tied:
            return own
        transpose = np.transpose if isinstance(own[0], np.ndarray) else tf.transpose
        own, weights = iter(own), []
        for i in range(len(self._shapes) + len(self._tied)):
            source = self._tied.get(i)
            # A tied weight comes after its source.
            weights.append(next(own) if source is None else transpose(weights[source]))
        return weights

    def join(self, weights):
        """Convert all trainable weights to values of the parameters, as arrays."""
        own = [w for i, w in enumerate(weights) if i not in self._tied]
        return self.join_own(own)

    def join_own(self, own):
        """Convert weights that are not tied to values of the parameters."""
        return [np.concatenate([np.ravel(w) for w in own])] if self.is_flat else own


# -------------------------------------------------------------------- first values


def _glorot_uniform(rng, shape):
    """Draw uniformly, with a variance of 2 / (fan in + fan out).

    From Glorot and Bengio, 2010, as in Keras.
    """
    fans = math.prod(shape[:-2]) * (shape[-2] + shape[-1])
    limit = np.sqrt(6 / fans)
    return rng.uniform(-limit, limit, shape)


def _orthogonal(rng, shape):
    """Draw orthonormal columns, or rows where these are fewer.

    From Saxe, McClelland and Ganguli, 2014, as in Keras.
    """
    q, r = np.linalg.qr(rng.normal(size=(max(shape), min(shape))))
    q *= np.sign(np.diag(r))  # so that the matrix is uniform among all orthogonal ones
    return q if shape[0] >= shape[1] else q.T


# Initializers that NumPy replaces, because Keras takes milliseconds for each weight.
_BY_NUMPY = {
    keras.initializers.GlorotUniform: _glorot_uniform,
    keras.initializers.OrthogonalInitializer: _orthogonal,
}


def draw_weights(model, seed):
    """Draw first weights for a model, each by its own initializer.

    No global random generator is used.

    Parameters
    ----------
    model : keras.Model
        Without values in its variables.
    seed : int

    Returns
    -------
    weights : list of ndarray, float32
        In the order of ``model.weights``.
    """
    rng, seeds = np.random.default_rng(seed), np.random.default_rng([seed, 1])
    for layer in layers_of(model):
        # Functions may call initializers, such as that of an LSTM's bias.
        for owner in {layer, getattr(layer, "cell", layer)}:
            for value in vars(owner).values():
                _reseed(value, seeds)
    return [
        _draw(initializer_of(variable), variable, rng, seeds)
        for variable in model.weights
    ]


def _draw(initializer, variable, rng, seeds):
    """Draw the first value of a variable."""
    shape = tuple(variable.shape)
    by_numpy = _BY_NUMPY.get(type(initializer))
    if by_numpy is not None and len(shape) > 1 and _is_default(initializer):
        return by_numpy(rng, shape).astype(DTYPE)
    _reseed(initializer, seeds)
    if is_keras(initializer):
        return np.array(initializer(shape, dtype=variable.dtype), DTYPE)
    with global_seed(int(seeds.integers(2**31))):
        return np.array(initializer(shape, dtype=variable.dtype), DTYPE)


def _is_default(initializer):
    """Check whether an initializer has no seed and no other options."""
    return initializer.get_config() == type(initializer)().get_config()


def _reseed(value, seeds):
    """Set the seed of an initializer, unless the user has set it."""
    is_random = isinstance(value, keras.initializers.Initializer) and hasattr(
        value, "seed"
    )
    if is_random and value.get_config().get("seed") is None:
        value.seed = int(seeds.integers(2**31))
