"""Layers with the results of Keras' own layers that are faster on the CPU.

Programs run `faster(model)`; ``model_`` and saved files have Keras' own layers, with
the same weights and configuration. Each layer falls back on Keras' loop where that is
better: with recurrent dropout, and on a GPU, for cuDNN. With a mask the layers run over
the valid timesteps first, and ignore the outputs after those. Where all padding is at
the end of a row, the timesteps are in this order already.

Arrays in the loops are time-major, of shape ``(n_timesteps, n_samples, n_features)``,
so that a timestep is one block of memory.
"""

from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from skseq._engine import loops
from skseq._engine.fingerprints import config_of, is_graph
from skseq._engine.keras import has_gpu, keras, tf
from skseq._engine.stored import copied_model, made_from, users_parts

_tracing_for_xla = False
_values: dict[str, Any] = {}

# Keras' Bidirectional copies its layers from their configuration, and has to find the
# recurrent ones by name.
_registered = keras.saving.register_keras_serializable("skseq")


@contextmanager
def traced(for_xla, values):
    """Set how the functions that are traced in this block will run.

    Only one thread at a time is in such a block.

    Parameters
    ----------
    for_xla : bool
        Whether XLA will compile them.
    values : dict of str to tensor
        Run-time values. The key of a layer's dropout rate is its ``rate_name``.
    """
    global _tracing_for_xla, _values
    before = _tracing_for_xla, _values
    _tracing_for_xla, _values = for_xla, values
    try:
        yield
    finally:
        _tracing_for_xla, _values = before


class _RunTimeRate:
    """A layer whose dropout rate may be a run-time value."""

    # The key of the value, see `name_rates`; None: the rate is a constant.
    rate_name = None

    def _dropped(self, inputs, rate, generator):
        """Apply dropout as `keras.random.dropout` does; the rate may be a tensor."""
        rate = _values.get(self.rate_name, rate)
        seed = tf.cast(generator.next(), tf.int32)
        return tf.nn.experimental.stateless_dropout(inputs, rate=rate, seed=seed)


def _project(x, kernel, bias):
    """Multiply all timesteps by the kernel, as one matrix product."""
    projected = loops.multiplied(x, kernel)
    return projected if bias is None else projected + bias


def _valid_first(mask):
    """Order timesteps such that valid ones come first, in their own order."""
    n_steps = mask.shape[1]
    return tf.argsort(tf.where(mask, 0, n_steps) + tf.range(n_steps), axis=1)


def _put_back(outputs, mask):
    """Put outputs back to the timesteps of a mask.

    Other timesteps get the outputs of the valid timestep before them.

    Parameters
    ----------
    outputs : tensor of shape (n_samples, n_timesteps, units)
        Timesteps are in the order of `_valid_first`.
    mask : tensor of bool of shape (n_samples, n_timesteps)

    Returns
    -------
    outputs : tensor of shape (n_samples, n_timesteps, units)
        Zero before the first valid timestep.
    """
    n_before = tf.cumsum(tf.cast(mask, tf.int32), axis=1)
    outputs = tf.pad(outputs, [[0, 0], [1, 0], [0, 0]])
    return tf.gather(outputs, n_before, batch_dims=1)


# Activations with which a state stays finite over any number of timesteps.
_BOUNDED = {
    keras.activations.tanh,
    keras.activations.sigmoid,
    keras.activations.hard_sigmoid,
    keras.activations.softsign,
}


class _FastLoop(_RunTimeRate):
    """``inner_loop`` of a Keras recurrent layer whose state starts at zero."""

    # Whether each mask is True up to the end of a row and False after it. Outputs at
    # padding are then undefined, but finite.
    right_padded = False

    def __init__(self, *args, dropout=0.0, **kwargs):
        # This class applies the dropout, at a rate that may be a run-time value, and
        # the cell has a rate of 0.
        super().__init__(*args, **kwargs)
        self._rate = dropout
        self._has_dropped = False

    @property
    def dropout(self):
        """float: the dropout rate of the inputs; part of the configuration."""
        return 0.0 if self._has_dropped else self._rate

    def inner_loop(self, sequences, initial_state, mask, training=False):
        """Compute last output, all outputs and states; see `keras.layers.RNN`."""
        cell = self.cell
        if training and self._rate:
            kept = tf.ones_like(sequences[:, :1])  # the same for all steps
            sequences *= self._dropped(kept, self._rate, cell.seed_generator)
        masked = mask is not None
        if cell.recurrent_dropout or has_gpu() or (masked and self.return_state):
            return self._keras_loop(sequences, initial_state, mask, training)
        if masked and self.right_padded:
            if not self._is_bounded():
                return self._keras_loop(sequences, initial_state, mask, training)
            return self._run_to_the_end(sequences, initial_state, mask)
        if self.go_backwards:
            sequences = tf.reverse(sequences, [1])
            mask = tf.reverse(mask, [1]) if masked else None
        if masked:
            sequences = tf.gather(sequences, _valid_first(mask), batch_dims=1)
        x = tf.transpose(sequences, [1, 0, 2])
        states, outputs = self._run(x, *self._weights(), states=initial_state)
        outputs = tf.transpose(outputs, [1, 0, 2])
        if masked:
            outputs = _put_back(outputs, mask)
            if self.zero_output_for_mask:  # set by Bidirectional
                outputs = tf.where(mask[..., None], outputs, 0.0)
            # The states after the last valid step are unknown, and not needed.
            return outputs[:, -1], outputs, list(states)
        return states[0], outputs, list(states)

    def _run_to_the_end(self, sequences, initial_state, mask):
        """Run over all timesteps of rows with padding at the end."""
        n_valid = tf.reduce_sum(tf.cast(mask, tf.int32), axis=1)
        x = tf.transpose(sequences, [1, 0, 2])
        if self.go_backwards:
            x = tf.reverse_sequence(x, n_valid, seq_axis=0, batch_axis=1)
        states, outputs = self._run(x, *self._weights(), states=initial_state)
        places = tf.stack([n_valid - 1, tf.range(tf.shape(n_valid)[0])], axis=1)
        last = tf.gather_nd(outputs, places)
        if self.go_backwards and self.return_sequences:
            # In the order of Keras: the padding, and the valid timesteps backwards.
            outputs = tf.reverse_sequence(outputs, n_valid, seq_axis=0, batch_axis=1)
            outputs = tf.reverse(outputs, [0])
        return last, tf.transpose(outputs, [1, 0, 2]), list(states)

    def _weights(self):
        cell = self.cell
        return [
            None if weight is None else tf.convert_to_tensor(weight)
            for weight in (cell.kernel, cell.recurrent_kernel, cell.bias)
        ]

    def _is_bounded(self):
        gate = getattr(self.cell, "recurrent_activation", self.cell.activation)
        return {self.cell.activation, gate} <= _BOUNDED

    def _is_standard(self):
        """Check for the activations that Keras' layers have by default."""
        sigmoid = keras.activations.sigmoid
        gate = getattr(self.cell, "recurrent_activation", sigmoid)
        return self.cell.activation is keras.activations.tanh and gate is sigmoid

    def _keras_loop(self, *args):
        # Without this, Keras would ask the cell, whose rate is 0, for a dropout mask.
        self._has_dropped = True
        try:
            return super().inner_loop(*args)
        finally:
            self._has_dropped = False

    def _run(self, x, kernel, recurrent_kernel, bias, states):
        """Run over a time-major x; return the last states, and all outputs."""
        raise NotImplementedError


@_registered
class LSTM(_FastLoop, keras.layers.LSTM):
    """Keras' LSTM with one fused kernel for all timesteps, or a loop for XLA."""

    def _run(self, x, kernel, recurrent_kernel, bias, states):
        if _tracing_for_xla or not self._is_standard() or bias is None:
            return self._looped(x, kernel, recurrent_kernel, bias, states)
        outputs, cell = loops.fused_lstm(x, kernel, recurrent_kernel, bias, *states)
        return (outputs[-1], cell), outputs

    def _looped(self, x, kernel, recurrent_kernel, bias, states):
        projected = _project(x, kernel, bias)
        if self._is_standard():
            outputs, cell = loops.lstm(projected, recurrent_kernel, *states)
            return (outputs[-1], cell), outputs
        squash, gate = self.cell.activation, self.cell.recurrent_activation

        def step(z, h, c):
            inner = z + tf.matmul(h, recurrent_kernel)
            i, f, g, o = loops.lstm_gates(inner, squash, gate)
            c = f * c + i * g
            return o * squash(c), c

        return loops.run(step, projected, states)


@_registered
class GRU(_FastLoop, keras.layers.GRU):
    """Keras' GRU with one matrix product for the inputs of all timesteps."""

    def _run(self, x, kernel, recurrent_kernel, bias, states):
        projected = _project(x, kernel, bias[0])
        if self._is_standard():
            outputs = loops.gru(projected, recurrent_kernel, bias[1], *states)
            return (outputs[-1],), outputs
        squash, gate = self.cell.activation, self.cell.recurrent_activation

        def step(z, h):
            inner = tf.matmul(h, recurrent_kernel) + bias[1]
            update, _, _, candidate = loops.gru_gates(z, inner, squash, gate)
            return (update * h + (1 - update) * candidate,)

        return loops.run(step, projected, states)


@_registered
class SimpleRNN(_FastLoop, keras.layers.SimpleRNN):
    """Keras' SimpleRNN with one matrix product for the inputs of all timesteps."""

    def _run(self, x, kernel, recurrent_kernel, bias, states):
        projected = _project(x, kernel, bias)
        if self._is_standard():
            outputs = loops.simple_rnn(projected, recurrent_kernel, *states)
            return (outputs[-1],), outputs
        squash = self.cell.activation

        def step(z, h):
            return (squash(z + tf.matmul(h, recurrent_kernel)),)

        return loops.run(step, projected, states)


class Dropout(_RunTimeRate, keras.layers.Dropout):
    """Keras' Dropout with a rate that may be a run-time value."""

    def call(self, inputs, training=False):
        """Apply dropout; see `keras.layers.Dropout`."""
        if not training or self.rate_name not in _values:
            return super().call(inputs, training)
        return self._dropped(inputs, self.rate, self.seed_generator)


class BatchNormalization(keras.layers.BatchNormalization):
    """Keras' BatchNormalization with one fused kernel in training."""

    def call(self, inputs, training=None, mask=None):
        """Normalize over the rows; see `keras.layers.BatchNormalization`."""
        if not training or not self.trainable or mask is not None or has_gpu():
            return super().call(inputs, training=training, mask=mask)
        shape, n_features = tf.shape(inputs), inputs.shape[-1]
        result = tf.raw_ops.FusedBatchNormV3(
            x=tf.reshape(inputs, [1, 1, -1, n_features]),
            scale=self.gamma,
            offset=self.beta,
            mean=tf.zeros([0]),
            variance=tf.zeros([0]),
            epsilon=self.epsilon,
            is_training=True,
        )
        # The kernel divides the variance by the number of values less one.
        n_values = tf.cast(tf.math.reduce_prod(shape[:-1]), tf.float32)
        variance = result.batch_variance * ((n_values - 1) / n_values)
        for average, value in (
            (self.moving_mean, result.batch_mean),
            (self.moving_variance, variance),
        ):
            kept = average * self.momentum
            average.assign(kept + value * (1 - self.momentum))
        return tf.reshape(result.y, shape)


class Conv1D(keras.layers.Conv1D):
    """Keras' Conv1D, which for XLA is one matrix product over shifted copies.

    The gradient of XLA's own convolution takes thirty times as long on a CPU.
    """

    def call(self, inputs):
        """Compute the convolution; see `keras.layers.Conv1D`."""
        if not _tracing_for_xla or has_gpu():
            return super().call(inputs)
        size, stride, dilation = (
            one[0] for one in (self.kernel_size, self.strides, self.dilation_rate)
        )
        reach = (size - 1) * dilation
        n_steps, before, after = inputs.shape[1], 0, 0
        if self.padding == "causal":
            before = reach
        elif self.padding == "same":
            # As TensorFlow does: the padding that the last window needs, with the
            # smaller half at the start.
            needed = (-(-n_steps // stride) - 1) * stride + reach + 1
            before = max(needed - n_steps, 0) // 2
            after = max(needed - n_steps, 0) - before
        padded = tf.pad(inputs, [[0, 0], [before, after], [0, 0]])
        length = n_steps + before + after - reach
        windows = tf.concat(
            [
                padded[:, i * dilation : i * dilation + length : stride]
                for i in range(size)
            ],
            axis=2,
        )
        n_inputs = windows.shape[2]
        outputs = tf.matmul(
            tf.reshape(windows, [-1, n_inputs]),
            tf.reshape(tf.convert_to_tensor(self.kernel), [n_inputs, self.filters]),
        )
        outputs = tf.reshape(outputs, [-1, windows.shape[1], self.filters])
        if self.use_bias:
            outputs += tf.convert_to_tensor(self.bias)
        return outputs if self.activation is None else self.activation(outputs)


# Keras' own layers and their faster twins.
TWINS = {
    keras.layers.LSTM: LSTM,
    keras.layers.GRU: GRU,
    keras.layers.SimpleRNN: SimpleRNN,
    keras.layers.Dropout: Dropout,
    keras.layers.Conv1D: Conv1D,
    keras.layers.BatchNormalization: BatchNormalization,
}

# The options that twins have, where these don't have all options.
_CONDITIONS = {
    keras.layers.GRU: lambda layer: layer.reset_after and layer.use_bias,
    keras.layers.Dropout: lambda layer: layer.noise_shape is None,
    keras.layers.Conv1D: lambda layer: (
        layer.groups == 1 and layer.data_format == "channels_last"
    ),
    keras.layers.BatchNormalization: lambda layer: (
        layer.axis == -1
        and layer.scale
        and layer.center
        and not (layer.synchronized or getattr(layer, "renorm", False))
    ),
}


def has_twin(layer):
    """Check whether a Keras layer has a faster twin with equal results."""
    cls = type(layer)
    return cls in TWINS and (cls not in _CONDITIONS or _CONDITIONS[cls](layer))


@dataclass(frozen=True)
class LayerCall:
    """A use of a layer in a model, with the shapes of its input and output."""

    layer: keras.layers.Layer
    input_shape: tuple
    output_shape: tuple  # the first of several


def faster(model, right_padded=False):
    """Copy a model with a faster twin in place of each layer that has one.

    Parameters
    ----------
    model : keras.Model
        A functional or sequential model.
    right_padded : bool
        Whether rows have padding at their end alone, and the model masks all outputs of
        recurrent layers at padding.

    Returns
    -------
    model : keras.Model
    parts : list of list of LayerCall
        The uses of layers in the model, and in each model inside it.
    """
    calls = []
    parts = [calls]

    def twin(layer):
        if is_graph(layer):
            inner, inner_parts = faster(layer, right_padded)
            parts.extend(inner_parts)
            return inner
        if type(layer) is keras.layers.Bidirectional:
            both = keras.layers.Bidirectional(
                twin(layer.forward_layer),
                merge_mode=layer.merge_mode,
                backward_layer=twin(layer.backward_layer),
                name=layer.name,
                dtype=layer.dtype_policy,
            )
            for one in (both.forward_layer, both.backward_layer):  # copies
                one.right_padded = right_padded
            return both
        cls = TWINS[type(layer)] if has_twin(layer) else type(layer)
        made = made_from(cls, config_of(layer), users_parts(layer))
        if isinstance(made, _FastLoop):
            made.right_padded = right_padded
        return made

    def call(layer, *args, **kwargs):
        outputs = layer(*args, **kwargs)
        # Operations that are no layer, such as a slice, come here too.
        if isinstance(layer, keras.layers.Layer) and not is_graph(layer):
            first = [keras.tree.flatten(part)[0].shape for part in (args, outputs)]
            calls.append(LayerCall(layer, *first))
        return outputs

    clone = copied_model(model, copy_layer=twin, call_layer=call, copies_models=False)
    return clone, parts
