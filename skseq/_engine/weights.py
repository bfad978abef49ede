"""The layout of trainable weights in a program's variables, and first weights."""

import math
from contextlib import ExitStack

import numpy as np

from skseq._engine.keras import DTYPE, is_keras, keras, tf
from skseq._engine.private import global_seed, initializer_of


def values_of(variables):
    """Copy the values of variables to arrays."""
    # The result of numpy() may share memory with the variable.
    return [np.array(variable.numpy()) for variable in variables]


def in_one_model(weights, n_networks):
    """List the weights of several networks as a model has them that holds all."""
    if n_networks == 1:
        return weights
    return [weight[i] for i in range(n_networks) for weight in weights]


def of_one_model(weights, n_networks):
    """Get the weights of several networks from those of a model that holds all."""
    if n_networks == 1:
        return weights
    n_each = len(weights) // n_networks
    return [np.stack(weights[i::n_each]) for i in range(n_each)]


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
    n_networks : int
        With several, arrays of weights have the networks along the first axis, and the
        one parameter is a matrix with a row for each of them.
    """

    def __init__(self, model, tied, is_flat, n_networks=1):
        self._tied = tied
        self._n_networks = n_networks
        # The shape of what each of several networks has, before that of a variable.
        self.several = (n_networks,) if n_networks > 1 else ()
        self.is_flat = is_flat
        own = self.untied(model)
        self._shapes = [tuple(variable.shape) for variable in own]
        self.sizes = [math.prod(shape) for shape in self._shapes]
        self.n_values = sum(self.sizes)
        if is_flat:
            self._parameters = {"flat": (*self.several, self.n_values)}
        else:
            self._parameters = {v.path: tuple(v.shape) for v in own}

    def make_parameters(self):
        """Make the parameters, with values of 0."""
        return [_zeros(*parameter) for parameter in self._parameters.items()]

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

    def extract(self, values):
        """Extract all trainable weights of all networks from arrays."""
        if self._n_networks == 1:
            return self.trainable(values)
        each = [self.trainable([flat]) for flat in values[0]]
        return [np.stack(weight) for weight in zip(*each, strict=True)]

    def join(self, weights):
        """Convert all trainable weights to values of the parameters, as arrays."""
        own = [w for i, w in enumerate(weights) if i not in self._tied]
        if self._n_networks == 1:
            return self.join_own(own)
        return [np.stack([self.join_own(each)[0] for each in zip(*own, strict=True)])]

    def join_own(self, own):
        """Convert weights that are not tied to values of the parameters."""
        return [np.concatenate([np.ravel(w) for w in own])] if self.is_flat else own


def _zeros(path, shape):
    """Make a variable of a path, by which an optimizer may exclude it."""
    *scopes, name = path.split("/")
    with ExitStack() as stack:
        for scope in scopes:
            stack.enter_context(keras.name_scope(scope))
        return keras.Variable(np.zeros(shape, np.float32), name=name)


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
    n_rows, n_columns = math.prod(shape[:-1]), shape[-1]
    size = max(n_rows, n_columns), min(n_rows, n_columns)
    q, r = np.linalg.qr(rng.normal(size=size))
    q *= np.sign(np.diag(r))  # so that the matrix is uniform among all orthogonal ones
    return (q if n_rows >= n_columns else q.T).reshape(shape)


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
    seed : int or list of int

    Returns
    -------
    weights : list of ndarray, float32
        In the order of ``model.weights``.
    """
    rng = np.random.default_rng(seed)
    seeds = np.random.default_rng([*np.atleast_1d(seed).tolist(), 1])
    unseeded = [
        initializer
        for initializer in _initializers_of(model, set())
        if getattr(initializer, "seed", None) is not None
        and initializer.get_config().get("seed") is None
    ]
    chosen_by_keras = [initializer.seed for initializer in unseeded]
    # Functions may call initializers, such as that of an LSTM's bias.
    for initializer in unseeded:
        initializer.seed = _next_seed(seeds)
    try:
        return [
            _draw(initializer_of(variable), variable, rng, seeds, chosen_by_keras)
            for variable in model.weights
        ]
    finally:
        for initializer, value in zip(unseeded, chosen_by_keras, strict=True):
            initializer.seed = value


def _initializers_of(value, seen):
    """Yield all initializers of a layer and of the layers in its attributes."""
    if isinstance(value, keras.initializers.Initializer):
        yield value
        return
    if isinstance(value, keras.layers.Layer) and id(value) not in seen:
        seen.add(id(value))
        parts = vars(value).values()
    elif isinstance(value, dict):
        parts = value.values()
    elif isinstance(value, list | tuple):
        parts = value
    else:
        return
    for part in parts:
        yield from _initializers_of(part, seen)


def _draw(initializer, variable, rng, seeds, chosen_by_keras):
    """Draw the first value of a variable."""
    shape = tuple(variable.shape)
    by_numpy = _BY_NUMPY.get(type(initializer))
    if by_numpy is not None and len(shape) > 1 and _is_default(initializer):
        return by_numpy(rng, shape).astype(DTYPE)
    if is_keras(initializer):
        if getattr(initializer, "seed", None) is not None:
            configured = initializer.get_config().get("seed")
            # EinsumDense passes on a seed that Keras has chosen as if the user had.
            if configured is None or configured in chosen_by_keras:
                initializer.seed = _next_seed(seeds)
        return np.array(initializer(shape, dtype=variable.dtype))
    with global_seed(_next_seed(seeds)):
        return np.array(initializer(shape, dtype=variable.dtype), variable.dtype)


def _next_seed(seeds):
    return int(seeds.integers(2**31))


def _is_default(initializer):
    """Check whether an initializer has no seed and no other options."""
    return initializer.get_config() == type(initializer)().get_config()
