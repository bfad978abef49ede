"""Recurrences over time as loops, with gradients written by hand.

Gradients through a loop that are derived step by step take several times as long. Here
the gates of all timesteps are computed once more as one matrix product; the loop
backwards has the recurrence alone, and the gradients of the weights are one matrix
product over all timesteps. This is backpropagation through time (Werbos, 1990),
rearranged as in libraries for GPUs (Appleyard, Kocisky and Blunsom, 2016).

Arrays are time-major, of shape ``(n_timesteps, n_samples, n_features)``. Activations
are the hyperbolic tangent, and the logistic function for gates.
"""

from skseq._engine.keras import tf


def run(step, projected, states):
    """Run ``step(projected[t], *states) -> states`` over time.

    Returns
    -------
    last : list of tensor of shape (n_samples, units)
    outputs : tensor of shape (n_timesteps, n_samples, units)
        The first state after each step.
    """
    last, records = _recorded(step, projected, states, 1)
    return last, records[0]


def _recorded(step, projected, states, n_recorded):
    """Run over time, and stack the first states of all timesteps."""
    # A Python int, from which XLA knows the size of the gradient's stacks.
    n_steps = projected.shape[0]
    records = [_record(n_steps, state) for state in states[:n_recorded]]

    def body(t, records, *states):
        states = step(projected[t], *states)
        records = [
            record.write(t, x) for record, x in zip(records, states, strict=False)
        ]
        return t + 1, records, *states

    _, records, *last = tf.while_loop(
        lambda t, *_: t < n_steps,
        body,
        (0, records, *states),
        maximum_iterations=n_steps,
    )
    return last, [record.stack() for record in records]


def _record(n_steps, state):
    return tf.TensorArray(tf.float32, size=n_steps, element_shape=state.shape)


def _backwards(step, n_steps, states):
    """Run ``step(t, *states) -> x, *states`` backwards, and stack x of all timesteps.

    Returns
    -------
    records : tensor of shape (n_timesteps, n_samples, n_features)
    last : list of tensor
    """

    def body(t, record, *states):
        x, *states = step(t, *states)
        return t - 1, record.write(t, x), *states

    _, record, *last = tf.while_loop(
        lambda t, *_: t >= 0,
        body,
        (n_steps - 1, _record(n_steps, states[0]), *states),
        maximum_iterations=n_steps,
    )
    return record.stack(), last


def multiplied(x, kernel):
    """Multiply the features of all timesteps by a matrix, as one product."""
    flat = tf.matmul(tf.reshape(x, [-1, x.shape[2]]), kernel)
    return tf.reshape(flat, [x.shape[0], -1, kernel.shape[1]])


def _gradient_of_kernel(states, gradients):
    """Sum the products of a state and a gradient over all timesteps and samples."""
    states = tf.reshape(states, [-1, states.shape[2]])
    gradients = tf.reshape(gradients, [-1, gradients.shape[2]])
    return tf.matmul(states, gradients, transpose_a=True)


def _before(first, states):
    """Get the states before each timestep from those after it."""
    return tf.concat([first[None], states[:-1]], axis=0)


def simple_rnn(projected, kernel, first):
    """Run a plain recurrence, ``h = tanh(projected[t] + h @ kernel)``.

    Parameters
    ----------
    projected : tensor of shape (n_timesteps, n_samples, units)
    kernel : tensor of shape (units, units)
    first : tensor of shape (n_samples, units)

    Returns
    -------
    outputs : tensor of shape (n_timesteps, n_samples, units)
    """

    @tf.custom_gradient
    def outputs_of(projected, kernel, first):
        def step(z, h):
            return (tf.tanh(z + tf.matmul(h, kernel)),)

        _, outputs = run(step, projected, (first,))

        def gradient(of_outputs):
            slope = 1 - tf.square(outputs)

            def back(t, d):
                d = (of_outputs[t] + d) * slope[t]
                return d, tf.matmul(d, kernel, transpose_b=True)

            inner, (of_first,) = _backwards(
                back, outputs.shape[0], (tf.zeros_like(first),)
            )
            of_kernel = _gradient_of_kernel(_before(first, outputs), inner)
            return inner, of_kernel, of_first

        return outputs, gradient

    return outputs_of(projected, kernel, first)


def gru(projected, kernel, bias, first):
    """Run gated recurrent units whose reset gate acts after the matrix product.

    Parameters
    ----------
    projected : tensor of shape (n_timesteps, n_samples, 3 * units)
        For the update gate, the reset gate and the candidate.
    kernel : tensor of shape (units, 3 * units)
    bias : tensor of shape (3 * units,)
        Added to the product of a state and the kernel.
    first : tensor of shape (n_samples, units)

    Returns
    -------
    outputs : tensor of shape (n_timesteps, n_samples, units)
    """

    @tf.custom_gradient
    def outputs_of(projected, kernel, bias, first):
        def step(z, h):
            update, _, _, candidate = gru_gates(z, tf.matmul(h, kernel) + bias)
            return (update * h + (1 - update) * candidate,)

        _, outputs = run(step, projected, (first,))

        def gradient(of_outputs):
            before = _before(first, outputs)
            update, reset, inner, candidate = gru_gates(
                projected, multiplied(before, kernel) + bias
            )
            # The gradients of what goes into the gates, per gradient of the state.
            of_candidate = (1 - update) * (1 - tf.square(candidate))
            of_update = (before - candidate) * update * (1 - update)
            of_reset = of_candidate * inner * reset * (1 - reset)
            to_inner = tf.concat([of_update, of_reset, of_candidate * reset], axis=-1)

            def back(t, d):
                d += of_outputs[t]
                inner = tf.tile(d, [1, 3]) * to_inner[t]
                return d, d * update[t] + tf.matmul(inner, kernel, transpose_b=True)

            of_states, (of_first,) = _backwards(
                back, outputs.shape[0], (tf.zeros_like(first),)
            )
            inner = tf.tile(of_states, [1, 1, 3]) * to_inner
            n_gates = 2 * first.shape[1]
            of_projected = tf.concat(
                [inner[..., :n_gates], of_states * of_candidate], axis=-1
            )
            of_kernel = _gradient_of_kernel(before, inner)
            return of_projected, of_kernel, tf.reduce_sum(inner, [0, 1]), of_first

        return outputs, gradient

    return outputs_of(projected, kernel, bias, first)


def gru_gates(projected, inner, squash=tf.tanh, gate=tf.sigmoid):
    """Compute the gates and the candidate of gated recurrent units.

    Returns
    -------
    update, reset, inner, candidate : tensor
        ``inner`` is the part of the candidate that the reset gate multiplies.
    """
    z, r, candidate = tf.split(projected, 3, axis=-1)
    inner_z, inner_r, inner_candidate = tf.split(inner, 3, axis=-1)
    update, reset = gate(z + inner_z), gate(r + inner_r)
    candidate = squash(candidate + reset * inner_candidate)
    return update, reset, inner_candidate, candidate


def lstm(projected, kernel, first, first_cell):
    """Run long short-term memory.

    Parameters
    ----------
    projected : tensor of shape (n_timesteps, n_samples, 4 * units)
        For the input gate, the forget gate, the candidate and the output gate.
    kernel : tensor of shape (units, 4 * units)
    first, first_cell : tensor of shape (n_samples, units)

    Returns
    -------
    outputs : tensor of shape (n_timesteps, n_samples, units)
    last_cell : tensor of shape (n_samples, units)
    """

    @tf.custom_gradient
    def outputs_of(projected, kernel, first, first_cell):
        def step(z, h, c):
            i, f, g, o = lstm_gates(z + tf.matmul(h, kernel))
            c = f * c + i * g
            return o * tf.tanh(c), c

        _, (outputs, cells) = _recorded(step, projected, (first, first_cell), 2)

        def gradient(of_outputs, of_last_cell):
            before = _before(first, outputs)
            gates = lstm_gates(projected + multiplied(before, kernel))
            inner, *of_states = _lstm_backwards(
                gates, cells, first_cell, kernel, of_outputs, of_last_cell
            )
            return inner, _gradient_of_kernel(before, inner), *of_states

        return (outputs, cells[-1]), gradient

    return outputs_of(projected, kernel, first, first_cell)


def _lstm_backwards(gates, cells, first_cell, kernel, of_outputs, of_last_cell):
    """Compute gradients of a long short-term memory.

    Returns
    -------
    inner : tensor of shape (n_timesteps, n_samples, 4 * units)
        Of what goes into the gates.
    of_first, of_first_cell : tensor of shape (n_samples, units)
    """
    i, f, g, o = gates
    squashed = tf.tanh(cells)
    of_cells = o * (1 - tf.square(squashed))
    to_inner = tf.concat(
        [
            g * i * (1 - i),
            _before(first_cell, cells) * f * (1 - f),
            i * (1 - tf.square(g)),
            squashed * o * (1 - o),
        ],
        axis=-1,
    )

    def back(t, inner, of_cell):
        d = of_outputs[t] + tf.matmul(inner, kernel, transpose_b=True)
        of_cell += d * of_cells[t]
        inner = tf.concat([of_cell, of_cell, of_cell, d], axis=-1) * to_inner[t]
        return inner, inner, of_cell * f[t]

    inner, (of_first_step, of_first_cell) = _backwards(
        back, cells.shape[0], (tf.zeros_like(to_inner[0]), of_last_cell)
    )
    of_first = tf.matmul(of_first_step, kernel, transpose_b=True)
    return inner, of_first, of_first_cell


# Up to this many units the gradient of TensorFlow's kernel is as fast. It adds to the
# gradient of the weights at each timestep, and more of them do not fit into a cache.
_WIDE = 96


def fused_lstm(x, kernel, recurrent_kernel, bias, first, first_cell):
    """Run long short-term memory in one TensorFlow kernel.

    Parameters
    ----------
    x : tensor of shape (n_timesteps, n_samples, n_features)
    kernel : tensor of shape (n_features, 4 * units)
        See `lstm`.
    recurrent_kernel : tensor of shape (units, 4 * units)
    bias : tensor of shape (4 * units,)
    first, first_cell : tensor of shape (n_samples, units)

    Returns
    -------
    outputs : tensor of shape (n_timesteps, n_samples, units)
    last_cell : tensor of shape (n_samples, units)
    """
    arguments = x, kernel, recurrent_kernel, bias, first, first_cell
    if first.shape[1] <= _WIDE:
        result = _block_lstm(*arguments)
        return result.h, result.cs[-1]

    @tf.custom_gradient
    def outputs_of(x, kernel, recurrent_kernel, bias, first, first_cell):
        result = _block_lstm(x, kernel, recurrent_kernel, bias, first, first_cell)
        cells = tf.ensure_shape(result.cs, [x.shape[0], *first.shape])

        def gradient(of_outputs, of_last_cell):
            gates = result.i, result.f, result.ci, result.o
            inner, *of_states = _lstm_backwards(
                gates, cells, first_cell, recurrent_kernel, of_outputs, of_last_cell
            )
            return (
                multiplied(inner, tf.transpose(kernel)),
                _gradient_of_kernel(x, inner),
                _gradient_of_kernel(_before(first, result.h), inner),
                tf.reduce_sum(inner, [0, 1]),
                *of_states,
            )

        return (result.h, cells[-1]), gradient

    return outputs_of(*arguments)


def _block_lstm(x, kernel, recurrent_kernel, bias, first, first_cell):
    # Not BlockLSTMV2: it takes Keras' order of gates, but the gradient registered for
    # it is that of the first version, and wrong.
    units = first.shape[1]
    parts = [kernel, recurrent_kernel, bias[None]]
    if x.shape[2] % 2:
        # The kernel prints a warning for an odd number of features.
        x = tf.pad(x, [[0, 0], [0, 0], [0, 1]])
        parts.insert(1, tf.zeros([1, 4 * units]))
    i, f, c, o = tf.split(tf.concat(parts, 0), 4, axis=1)
    weights = tf.concat([i, c, f, o], 1)
    no_peephole = tf.zeros([units])
    return tf.raw_ops.BlockLSTM(
        seq_len_max=tf.cast(tf.shape(x)[0], tf.int64),
        x=x,
        h_prev=first,
        cs_prev=first_cell,
        w=weights[:-1],
        wci=no_peephole,
        wcf=no_peephole,
        wco=no_peephole,
        b=weights[-1],
        forget_bias=0.0,
        cell_clip=-1.0,
        use_peephole=False,
    )


def lstm_gates(inner, squash=tf.tanh, gate=tf.sigmoid):
    """Compute the input gate, forget gate, candidate and output gate of an LSTM."""
    i, f, g, o = tf.split(inner, 4, axis=-1)
    return gate(i), gate(f), squash(g), gate(o)
