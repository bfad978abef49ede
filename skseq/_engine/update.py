"""Updates of the weights by an optimizer, while a step of training is traced."""

import numpy as np

from skseq._engine.keras import tf
from skseq._engine.optimizers import is_rate_value
from skseq._engine.weights import assign


class Update:
    """Updates the parameters of a program.

    Parameters
    ----------
    program : skseq._engine.program.Program
    optimizer : keras.optimizers.Optimizer
        Built for the parameters.
    """

    def __init__(self, program, optimizer):
        self._optimizer = optimizer
        self._parameters, self._layout = program.parameters, program.layout
        self._constraints = [
            variable.constraint for variable in self._layout.untied(program.model)
        ]
        self._n_networks = program.recipe.n_networks
        self._has_plain_rate = is_rate_value(program.recipe.rate)
        if self._layout.is_flat and program.takes_xla:
            self._gradient = tf.Variable(np.zeros(self._layout.n_values, np.float32))

    def __call__(self, gradients, values, factor, xla):
        """Update the parameters.

        Parameters
        ----------
        gradients : list of tensor
            Of the parameters.
        values : dict of str to tensor
            See `Recipe.values`.
        factor : scalar tensor
            By which the learning rate is multiplied.
        xla : bool
            Whether XLA will compile the step.
        """
        if self._layout.is_flat:
            self._update(gradients[0], values, factor, xla)
        else:
            self._apply(gradients, factor)
        if any(self._constraints):
            self._constrain(xla)

    def _constrain(self, xla):
        """Apply the constraints of the weights, as ``optimizer.apply`` does."""
        values = [v.value for v in self._parameters]
        if self._n_networks > 1:
            rows = tf.unstack(values[0])
            constrained = [tf.stack([self._constrained([row], xla)[0] for row in rows])]
        else:
            constrained = self._constrained(values, xla)
        assign(self._parameters, constrained)

    def _constrained(self, values, xla):
        own = [
            weight if constraint is None else tf.convert_to_tensor(constraint(weight))
            for weight, constraint in zip(
                self._layout.own(values), self._constraints, strict=True
            )
        ]
        return [self.joined(own, xla)] if self._layout.is_flat else own

    def joined(self, parts, xla):
        """Join a tensor for each weight into one vector.

        On the CPU, XLA compiles a concatenation to one loop as long as the largest
        part, in which the other parts are read under a mask. Where such reads reach
        beyond the memory of the process, which depends on chance, a step takes a
        hundred times as long. So for XLA each part is written into a variable.
        """
        parts = [tf.reshape(part, [-1]) for part in parts]
        if not xla:
            return tf.concat(parts, 0)
        joined, start = tf.identity(self._gradient), 0
        for part, size in zip(parts, self._layout.sizes, strict=True):
            joined = tf.raw_ops.TensorStridedSliceUpdate(
                input=joined, begin=[start], end=[start + size], strides=[1], value=part
            )
            start += size
        self._gradient.assign(joined)
        return joined

    def _apply(self, gradients, factor):
        """Update the weights by Keras' ``apply``, at a multiple of the rate."""
        optimizer = self._optimizer
        if not self._has_plain_rate:  # it follows a schedule of Keras
            optimizer.apply(gradients, self._parameters)
            return
        rate = tf.identity(optimizer.learning_rate)
        optimizer.learning_rate.assign(rate * factor)
        optimizer.apply(gradients, self._parameters)
        optimizer.learning_rate.assign(rate)

    def _update(self, gradient, values, factor, xla):
        """Update the flat vector as ``optimizer.apply`` does, with options as values.

        Keras' ``apply`` would clip the norm of the whole vector, and it never frees the
        memory of a graph.
        """
        optimizer, flat = self._optimizer, self._parameters[0]
        if "clipnorm" in values:
            parts = tf.split(gradient, self._layout.sizes, axis=-1)
            limit = values["clipnorm"]
            parts = [_clip(part, limit) for part in parts]
            gradient = self.joined(parts, xla) if xla else tf.concat(parts, -1)
        elif "global_clipnorm" in values:
            gradient = _clip(gradient, values["global_clipnorm"])
        elif "clipvalue" in values:
            limit = values["clipvalue"]
            gradient = tf.clip_by_value(gradient, -limit, limit)
        rate = tf.convert_to_tensor(optimizer.learning_rate) * factor
        if "weight_decay" in values:
            flat.assign_sub(flat.value * values["weight_decay"] * rate)
        optimizer.update_step(gradient, flat, rate)
        optimizer.iterations.assign_add(1)


def _clip(gradient, limit):
    """Scale the gradient of each network so that its norm is at most the limit.

    Over a thousand timesteps a gradient may overflow. Then it is zero, since a multiple
    of infinity would make all weights NaN.
    """
    norm = tf.norm(gradient, axis=-1, keepdims=True)
    clipped = gradient * (limit / tf.maximum(norm, limit))
    return tf.where(tf.math.is_finite(norm), clipped, tf.zeros_like(clipped))
