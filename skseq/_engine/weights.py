"""How trainable weights lie in a program's variables, and their first values."""

import math

import numpy as np

from skseq._engine.facts import layers_of
from skseq._engine.keras import DTYPE, is_keras, keras, tf
from skseq._engine.private import global_seed, initializer_of


def values_of(variables):
    """Copies of the values of variables, as arrays."""
    # What numpy() gives may share memory with the variable.
    return [np.array(variable.numpy()) for variable in variables]


def light(array):
    """The same values, without memory of their own where all are 0."""
    return array if array.any() else np.broadcast_to(array.dtype.type(0), array.shape)


def assign(variables, values):
    """Set each variable."""
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


class Layout:
    """How the trainable weights of a model lie in the parameters of a program.

    Where the optimizer treats each element by itself, all weights are one flat vector:
    an update is then a dozen operations and not a dozen for each weight. Otherwise each
    weight is a parameter. Weights that are tied to others are none.

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
        """New variables, all 0."""
        return [
            keras.Variable(np.zeros(shape, np.float32), name=name.replace("/", "_"))
            for name, shape in self._parameters.items()
        ]

    def untied(self, model):
        """The trainable variables of a model of this layout, but those tied."""
        variables = model.trainable_variables
        return [v for i, v in enumerate(variables) if i not in self._tied]

    def own(self, values):
        """The weights that are not tied, out of the values of the parameters.

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
        """All trainable weights in the model's order, out of the parameters' values."""
        return self.with_tied(self.own(values))

    def with_tied(self, own):
        """All trainable weights, out of those that are not tied."""
        if not self._tied:
            return own
        transpose = np.transpose if isinstance(own[0], np.ndarray) else tf.transpose
        own, weights = iter(own), []
        for i in range(len(self._shapes) + len(self._tied)):
            source = self._tied.get(i)
            # What is tied comes after its source.
            weights.append(next(own) if source is None else transpose(weights[source]))
        return weights

    def join(self, weights):
        """The parameters' values out of all trainable weights, as arrays."""
        own = [w for i, w in enumerate(weights) if i not in self._tied]
        return self.join_own(own)

    def join_own(self, own):
        """The parameters' values out of the weights that are not tied."""
        return [np.concatenate([np.ravel(w) for w in own])] if self.is_flat else own


# -------------------------------------------------------------------- first values


def _glorot_uniform(rng, shape):
    """Uniform, with a variance of 2 / (fan in + fan out) (Glorot and Bengio, 2010)."""
    fans = math.prod(shape[:-2]) * (shape[-2] + shape[-1])
    limit = np.sqrt(6 / fans)
    return rng.uniform(-limit, limit, shape)


def _orthogonal(rng, shape):
    """Orthonormal columns, or rows where these are fewer (Saxe et al., 2014)."""
    q, r = np.linalg.qr(rng.normal(size=(max(shape), min(shape))))
    q *= np.sign(np.diag(r))  # or they would not be uniform among all such
    return q if shape[0] >= shape[1] else q.T


# What NumPy draws, because Keras takes milliseconds for each weight.
_BY_NUMPY = {
    keras.initializers.GlorotUniform: _glorot_uniform,
    keras.initializers.OrthogonalInitializer: _orthogonal,
}


def draw_weights(model, seed):
    """First weights for a model, each from the distribution of its own initializer.

    Nothing is drawn from a global generator.

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
        # Functions may call them, such as that of an LSTM's bias.
        for owner in {layer, getattr(layer, "cell", layer)}:
            for value in vars(owner).values():
                _reseed(value, seeds)
    return [
        _draw(initializer_of(variable), variable, rng, seeds)
        for variable in model.weights
    ]


def _draw(initializer, variable, rng, seeds):
    """The first value of a variable."""
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
    """Whether an initializer has neither a seed of the user's nor other options."""
    return initializer.get_config() == type(initializer)().get_config()


def _reseed(value, seeds):
    """Give an initializer a seed of ours, unless the user gave it one."""
    is_random = isinstance(value, keras.initializers.Initializer) and hasattr(
        value, "seed"
    )
    if is_random and value.get_config().get("seed") is None:
        value.seed = int(seeds.integers(2**31))
