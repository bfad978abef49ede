"""What programs compute of a batch: the losses to train on, and what is asked after.

An objective has

- ``corrupt``: what training does to a chunk of rows before the network reads it;
- ``train``: losses of a batch, while tracing;
- ``functions``: by name, what a batch of rows is turned into after training, from a
  `Call` and the rows to a tensor; ``shapes``: the shape of a row of it;
- ``watched``: the name of the function that tells how good rows are that are watched;
- ``is_rowwise``: whether losses are given for each row, and their mean is the batch's;
- ``may_fill``: whether rows of weight zero may fill up a batch, and change nothing;
- ``shares_out``: whether an epoch's rows are shared out evenly over its steps, for what
  the rows of a batch have in common counts, and a last one of few would spoil it.
"""

# First, for it tells what to do where Keras would fail to be imported.
from skseq._networks import ELEMENTWISE_LOSSES, PADDING, make_loss, make_rowwise_loss

# isort: split
import math

import numpy as np
import tensorflow as tf


class Call:
    """Calls models with values given for the variables, and keeps what they change.

    Attributes
    ----------
    penalties : list of scalar tensors
        What layers add to the loss.
    """

    def __init__(self, model, trainable, others):
        self._trainable = dict(
            zip(map(id, model.trainable_variables), trainable, strict=True)
        )
        self._others = dict(
            zip(map(id, model.non_trainable_variables), others, strict=True)
        )
        self.penalties = []

    @property
    def others(self):
        """list of tensors: values of the model's non-trainable variables by now."""
        return list(self._others.values())

    def __call__(self, part, inputs, *, training=False):
        """Outputs of the model, or of a model inside it."""
        others = [id(variable) for variable in part.non_trainable_variables]
        outputs, changed, penalties = part.stateless_call(
            [self._trainable[id(variable)] for variable in part.trainable_variables],
            [self._others[variable] for variable in others],
            inputs,
            training=training,
            return_losses=True,
        )
        self._others.update(zip(others, changed, strict=True))
        self.penalties += penalties
        return outputs


class Prediction:
    """Outputs of the network are held against a target."""

    watched = "outputs"
    shares_out = False

    def __init__(self, recipe, model):
        self._model = model
        self.loss = make_loss(recipe.loss, recipe.loss_params)
        self._row_loss = make_rowwise_loss(recipe.loss, recipe.loss_params)
        self.is_rowwise = self.may_fill = self._row_loss is not None
        self.functions = {"outputs": lambda call, X: call(model, X)}
        self.shapes = {"outputs": (recipe.network["n_outputs"],)}

    def corrupt(self, chunk, options, rng):
        """The chunk as it is."""
        return chunk

    def train(self, call, X, target, weights, options, draws):
        """The loss of each row, or of the batch if it can't be had, and the outputs."""
        outputs = call(self._model, X, training=True)
        if self.is_rowwise:
            return self._row_loss(target, outputs), outputs
        loss = self.loss(target, outputs, sample_weight=weights)
        # A loss object of the caller's has a dtype of its own.
        return tf.cast(loss, tf.float32), outputs


class Reconstruction:
    """The network is to give back its input, through a code.

    The loss of a row is a mean over its cells, padding left out, plus what is asked of
    the code: an L1 penalty, and for a variational one the Kullback-Leibler divergence
    from a standard normal, divided by the number of cells as the error is.
    """

    watched = "terms"
    is_rowwise = True

    def __init__(self, recipe, model):
        network = recipe.network
        self._encoder = model.get_layer("encoder")
        self._decoder = model.get_layer("decoder")
        self._error = ELEMENTWISE_LOSSES[recipe.loss]
        self._masked = network["masked"]
        self._noise = network["noise"] and network["noise"][0]
        self._variational = network["variational"]
        # Rows that fill a batch would count in its statistics.
        self.shares_out = network["encoder"]["normalization"] == "batch"
        self.may_fill = not self.shares_out
        n_steps, n_features = network["n_timesteps"], network["n_features"]
        self.functions = {
            "code": lambda call, X: self._encode(call, X)[0],
            "rows": lambda call, code: call(self._decoder, code),
            "terms": lambda call, X: self._terms(call, X, X),
            "errors_by_step": self._errors_by_step,
            "errors_by_feature": self._errors_by_feature,
        }
        self.shapes = {
            "code": (network["n_components"],),
            "rows": (n_steps, n_features),
            "terms": (3,),
            "errors_by_step": (n_steps,),
            "errors_by_feature": (n_features,),
        }

    def total(self, terms, options):
        """The loss of each row; NumPy's or TensorFlow's."""
        error, activity, divergence = (terms[:, i] for i in range(3))
        weight = options.get("activity_l1", 0.0)
        return error + weight * activity + options.get("beta", 0.0) * divergence

    def corrupt(self, chunk, options, rng):
        """With noise: noisy rows to read, the rows as target, and weights.

        NumPy draws it in a twentieth of the time that TensorFlow takes.
        """
        if not self._noise:
            return chunk
        X, weights = chunk
        level = np.float32(options["noise"])
        if self._noise == "gaussian":
            noisy = X + level * rng.standard_normal(X.shape, np.float32)
        else:
            noisy = np.where(rng.random(X.shape, np.float32) < level, 0, X)
        if self._masked:
            noisy = np.where((X != PADDING).any(axis=2)[..., None], noisy, X)
        return [noisy.astype(np.float32, copy=False), X, weights]

    def train(self, call, X, target, weights, options, draws):
        """The loss of each row, and None."""
        seed = tf.identity(draws)
        if self._variational:
            draws.assign_add([0, 1])
        clean = X if target is None else target
        terms = self._terms(call, clean, X, seed=seed, training=True)
        return self.total(terms, options), None

    def _encode(self, call, X, training=False):
        """The code, or its mean, and the logarithm of its variance or None."""
        code = call(self._encoder, X, training=training)
        if not self._variational:
            return code, None
        mean, log_variance = tf.split(code, 2, axis=1)
        # A row far off would give an infinity.
        return mean, tf.clip_by_value(log_variance, -20.0, 20.0)

    def _terms(self, call, X, noisy, seed=None, training=False):
        """Error, activity and divergence of each row; with a seed the code is drawn."""
        code, log_variance = self._encode(call, noisy, training)
        activity = tf.reduce_sum(tf.abs(code), 1)
        divergence = tf.zeros_like(activity)
        if self._variational:
            variance = tf.exp(log_variance)
            divergence = 0.5 * tf.reduce_sum(
                variance + code * code - 1 - log_variance, 1
            )
            if seed is not None:
                normal = tf.random.stateless_normal(tf.shape(code), seed)
                code += tf.sqrt(variance) * normal
        errors = self._errors(call, X, code, training)
        if self._masked:
            n_cells = X.shape[2] * self._n_valid(X)
            error = tf.reduce_sum(errors, [1, 2]) / n_cells
        else:
            n_cells = float(math.prod(X.shape[1:]))
            error = tf.reduce_mean(errors, [1, 2])
        return tf.stack([error, activity, divergence / n_cells], 1)

    def _errors(self, call, X, code, training=False):
        """The error of each cell, 0 where it is padding."""
        outputs = call(self._decoder, code, training=training)
        if not self._masked:
            return self._error(X, outputs)
        valid = self._valid(X)[..., None]
        # Before the error as well, for of padding it would have an infinite gradient.
        errors = self._error(tf.where(valid, X, 0.0), outputs)
        return tf.where(valid, errors, 0.0)

    def _valid(self, X):
        """Whether timesteps are no padding, of shape (n_rows, n_timesteps)."""
        return tf.reduce_any(X != PADDING, axis=2)

    def _n_valid(self, X):
        return tf.reduce_sum(tf.cast(self._valid(X), tf.float32), 1)

    def _errors_by_step(self, call, X):
        errors = self._errors(call, X, self._encode(call, X)[0])
        return tf.reduce_mean(errors, 2)

    def _errors_by_feature(self, call, X):
        errors = self._errors(call, X, self._encode(call, X)[0])
        if not self._masked:
            return tf.reduce_mean(errors, 1)
        return tf.reduce_sum(errors, 1) / self._n_valid(X)[:, None]


def make_objective(recipe, model):
    """What a program of this recipe computes.

    Parameters
    ----------
    recipe : Recipe
    model : keras.Model
        From `skseq._networks.build_graph_only`.
    """
    autoencoder = recipe.network["family"] == "autoencoder"
    return (Reconstruction if autoencoder else Prediction)(recipe, model)
