"""Objectives: the loss of a batch in training, and the outputs after training.

An objective has

- ``corrupt``: a change to a chunk of rows before the network reads them in training;
- ``train``: the losses of a batch, while tracing;
- ``functions``: a dict of functions after training, which take a `Call` and a batch of
  rows and return a tensor; ``shapes``: the shape of a row of that tensor;
- ``watched``: the name of the function whose outputs are evaluated on validation rows;
- ``is_rowwise``: whether there is a loss for each row, with the mean as the batch's;
- ``may_fill``: whether a batch may be filled up with rows of weight zero;
- ``shares_out``: whether all batches of an epoch have about the same number of rows,
  because statistics of a last batch of few rows would be poor;
- ``draws``: whether ``train`` draws random numbers itself.
"""

import math

import numpy as np

from skseq._engine.keras import keras, tf
from skseq._engine.losses import (
    make_loss,
    make_rowwise_loss,
    quantiles_of,
    units_of,
)
from skseq._engine.networks import Autoencoder
from skseq._padded import PADDING
from skseq._targets import middle


def _huber(target, outputs):
    error = keras.ops.abs(target - outputs)
    return keras.ops.where(error <= 1, 0.5 * error * error, error - 0.5)


def _binary_crossentropy(target, outputs):
    outputs = keras.ops.clip(outputs, 1e-7, 1 - 1e-7)
    unlikely = (1 - target) * keras.ops.log(1 - outputs)
    return -(target * keras.ops.log(outputs) + unlikely)


# Losses of a reconstruction: functions of input and output, for each cell.
ELEMENTWISE_LOSSES = {
    "mse": lambda target, outputs: keras.ops.square(target - outputs),
    "mae": lambda target, outputs: keras.ops.abs(target - outputs),
    "huber": _huber,
    "binary_crossentropy": _binary_crossentropy,
}


class Call:
    """Calls models with given values of the variables, and keeps changed values.

    Attributes
    ----------
    penalties : list of scalar tensors
        Terms that layers add to the loss.
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
        """list of tensors: current values of the model's non-trainable variables."""
        return list(self._others.values())

    def __call__(self, part, inputs, *, training=False):
        """Call the model, or a model inside it, and return the outputs."""
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
    """The objective of networks whose outputs are compared with a target."""

    watched = "outputs"
    draws = False

    def __init__(self, recipe, model, facts):
        self._model = model
        self._loss = make_loss(recipe.loss, recipe.loss_params)
        self._row_loss = make_rowwise_loss(recipe.loss, recipe.loss_params)
        self.is_rowwise = self._row_loss is not None
        self.may_fill = self.is_rowwise and facts.is_rowwise
        self.shares_out = facts.has_batch_statistics
        self.functions = {"outputs": lambda call, X: call(model, X)}
        self.shapes = {"outputs": (recipe.network.n_outputs,)}

    def corrupt(self, chunk, options, rng):
        """Return the chunk unchanged."""
        return chunk

    def train(self, call, X, target, weights, options, draws):
        """Compute the losses of the rows, or else of the batch, and the outputs."""
        outputs = call(self._model, X, training=True)
        if self.is_rowwise:
            return self._row_loss(*self._for_loss(target, outputs)), outputs
        loss = self.loss(target, outputs, weights)
        # A loss object from the user has its own dtype.
        return tf.cast(loss, tf.float32), outputs

    def loss(self, target, outputs, weights):
        """Compute the loss of a batch."""
        target, outputs = self._for_loss(target, outputs)
        return self._loss(target, outputs, sample_weight=weights)

    def _for_loss(self, target, outputs):
        """Convert target and outputs to the units of the loss."""
        return target, outputs

    def for_metrics(self, target, outputs):
        """Convert target and outputs to what metrics compare."""
        return target, outputs


class Regression(Prediction):
    """The objective of regressors, whose networks learn a scaled target.

    Attributes
    ----------
    scale : tf.Variable of shape (2, n_targets)
        What is subtracted from each column of the target, and by what it is then
        divided. It is a variable, because fits with other rows share a program.
    """

    def __init__(self, recipe, model, facts):
        super().__init__(recipe, model, facts)
        self._units = units_of(recipe.loss)
        self._quantiles = quantiles_of(recipe.loss, recipe.loss_params)
        self.scale = tf.Variable(np.zeros(np.shape(recipe.target_scale), np.float32))

    def _for_loss(self, target, outputs):
        if self._units == "scaled":
            return target, outputs
        shift, scale = tf.unstack(self.scale)
        if self._units == "differences":
            shift = 0.0
        return target * scale + shift, outputs * scale + shift

    def for_metrics(self, target, outputs):
        """Convert target and outputs to the units of the target.

        Of several quantiles, metrics get the one that is predicted.
        """
        if self._quantiles is not None:
            outputs = outputs[:, middle(self._quantiles) :: len(self._quantiles)]
        shift, scale = tf.unstack(self.scale)
        return target * scale + shift, outputs * scale + shift


class Reconstruction:
    """The objective of autoencoders, whose outputs are compared with their input.

    The loss of a row is a mean over its cells without padding, plus terms of the code:
    an L1 penalty and, for a variational autoencoder, the Kullback-Leibler divergence
    from a standard normal distribution, divided by the number of cells like the error.
    """

    watched = "terms"
    is_rowwise = True

    def __init__(self, recipe, model, facts):
        network = recipe.network
        self._encoder = model.get_layer(network.ENCODER)
        self._decoder = model.get_layer(network.DECODER)
        self._error = ELEMENTWISE_LOSSES[recipe.loss]
        self._masked = network.masked
        self._noise = network.noise and network.noise[0]
        self._variational = self.draws = network.variational
        self.shares_out = facts.has_batch_statistics
        self.may_fill = facts.is_rowwise
        n_steps, n_features = network.n_timesteps, network.n_features
        self.functions = {
            "code": lambda call, X: self._encode(call, X)[0],
            "rows": lambda call, code: call(self._decoder, code),
            "terms": lambda call, X: self._terms(call, X, X),
            "errors_by_step": self._errors_by_step,
            "errors_by_feature": self._errors_by_feature,
        }
        self.shapes = {
            "code": (network.n_components,),
            "rows": (n_steps, n_features),
            "terms": (3,),
            "errors_by_step": (n_steps,),
            "errors_by_feature": (n_features,),
        }

    def total(self, terms, options):
        """Compute the loss of each row from its terms, as NumPy or TensorFlow array."""
        error, activity, divergence = (terms[:, i] for i in range(3))
        weight = options.get("activity_l1", 0.0)
        return error + weight * activity + options.get("beta", 0.0) * divergence

    def corrupt(self, chunk, options, rng):
        """Add noise, if asked for: noisy rows, the original rows as target, weights.

        NumPy draws noise in a twentieth of the time that TensorFlow takes.
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
        """Compute the loss of each row; there are no outputs for metrics."""
        seed = tf.identity(draws)
        if self._variational:
            draws.assign_add([0, 1])
        clean = X if target is None else target
        terms = self._terms(call, clean, X, seed=seed, training=True)
        return self.total(terms, options), None

    def _encode(self, call, X, training=False):
        """Compute the code, or its mean and the logarithm of its variance."""
        code = call(self._encoder, X, training=training)
        if not self._variational:
            return code, None
        mean, log_variance = tf.split(code, 2, axis=1)
        # An extreme row would give an infinite variance.
        return mean, tf.clip_by_value(log_variance, -20.0, 20.0)

    def _terms(self, call, X, noisy, seed=None, training=False):
        """Compute error, activity and divergence of each row.

        With a seed, a variational code is drawn, and else it is the mean.
        """
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
        """Compute the error of each cell, 0 for padding."""
        outputs = call(self._decoder, code, training=training)
        if not self._masked:
            return self._error(X, outputs)
        valid = self._valid(X)[..., None]
        # Also before the error, because its gradient at padding would be infinite.
        errors = self._error(tf.where(valid, X, 0.0), outputs)
        return tf.where(valid, errors, 0.0)

    def _valid(self, X):
        """Tell which timesteps are no padding, of shape (n_rows, n_timesteps)."""
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


def make_objective(recipe, model, facts):
    """Make the objective for a recipe.

    Parameters
    ----------
    recipe : Recipe
    model : keras.Model
        Of the program.
    facts : skseq._engine.facts.Facts
    """
    if isinstance(recipe.network, Autoencoder):
        objective = Reconstruction
    else:
        objective = Prediction if recipe.target_scale is None else Regression
    return objective(recipe, model, facts)
