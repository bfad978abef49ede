"""Layers of programs: what Keras' own compute, by both paths, values and gradients."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from estimators import mostly_slow, with_slow
from skseq._engine.layers import TWINS, traced

LAYERS = {
    "lstm": keras.layers.LSTM,
    "gru": keras.layers.GRU,
    "simple_rnn": keras.layers.SimpleRNN,
    "convolution": keras.layers.Conv1D,
    "normalization": keras.layers.BatchNormalization,
}
RECURRENT = ("lstm", "gru", "simple_rnn")

X = np.random.default_rng(0).normal(size=(7, 9, 3)).astype(np.float32)


def results(layer, x, *, xla, **call):
    """Compute outputs, and the gradients of a weighted sum of them."""

    def run(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            outputs = layer(x, **call)
            places = tf.reshape(
                tf.range(tf.size(outputs), dtype=tf.float32), tf.shape(outputs)
            )
            total = tf.reduce_sum(tf.sin(places) * outputs)
        variables = [v.value for v in layer.trainable_variables]
        return outputs, tape.gradient(total, [x, *variables])

    with traced(xla, {}):
        function = tf.function(run, jit_compile=xla, autograph=False)
        return function.get_concrete_function(tf.TensorSpec(x.shape))(tf.constant(x))


def assert_same(name, options, *, xla, wrap=lambda layer: layer, x=X, **call):
    plain, fast = wrap(LAYERS[name](**options)), wrap(TWINS[LAYERS[name]](**options))
    plain.build(x.shape)
    fast.build(x.shape)
    fast.set_weights(plain.get_weights())
    expected = results(plain, x, xla=False, **call)
    found = results(fast, x, xla=xla, **call)
    np.testing.assert_allclose(found[0], expected[0], atol=1e-6)
    for a, b in zip(found[1], expected[1], strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


@pytest.mark.parametrize("xla", [False, True], ids=["graph", "xla"])
@pytest.mark.parametrize("whole", [False, True], ids=["last", "sequences"])
@pytest.mark.parametrize("name", with_slow(RECURRENT, "simple_rnn"))
def test_recurrent_layers_are_keras_own(name, whole, xla):
    assert_same(name, {"units": 5, "return_sequences": whole}, xla=xla)


@pytest.mark.parametrize("n_features", [2, 3])
def test_gradients_of_a_wide_lstm_are_keras_own(n_features):
    options = {"units": 100, "return_sequences": True}
    assert_same("lstm", options, xla=False, x=X[..., :n_features])


@pytest.mark.parametrize("xla", [False, True], ids=["graph", "xla"])
def test_gradient_of_the_last_states_is_keras_own(xla):
    """A cell state that is passed on has a gradient of its own."""

    def last_state(layer):
        inputs = keras.Input(X.shape[1:])
        _, *states = layer(inputs)
        return keras.Model(inputs, states[-1])

    for units in (5, 100):
        options = {"units": units, "return_state": True}
        assert_same("lstm", options, xla=xla, wrap=last_state)


@pytest.mark.slow
@pytest.mark.parametrize("xla", [False, True], ids=["graph", "xla"])
@pytest.mark.parametrize("name", RECURRENT)
def test_bidirectional_layers_are_keras_own(name, xla):
    assert_same(
        name, {"units": 4, "return_sequences": True}, xla=xla,
        wrap=keras.layers.Bidirectional,
    )  # fmt: skip


@pytest.mark.parametrize("name", mostly_slow(RECURRENT, "lstm"))
@pytest.mark.parametrize("dropout", ["dropout", "recurrent_dropout"])
def test_dropped_units_are_those_of_keras(name, dropout):
    assert_same(name, {"units": 4, dropout: 0.4, "seed": 1}, xla=False, training=True)


def test_other_activations_take_the_loop():
    assert_same("lstm", {"units": 4, "activation": "relu"}, xla=False)


MASKS = {
    "right": np.arange(9) < np.array([9, 3, 5, 1, 9, 2, 7])[:, None],
    "left": np.arange(9) >= np.array([0, 3, 5, 1, 8, 2, 7])[:, None],
    "between": np.random.default_rng(1).random((7, 9)) < 0.6,
    "all": np.arange(7)[:, None] + np.zeros((1, 9)) != 3,
}


@pytest.mark.parametrize("xla", with_slow([False, True], True), ids=["graph", "xla"])
@pytest.mark.parametrize(
    "whole", with_slow([False, True], False), ids=["last", "sequences"]
)
@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("name", with_slow(RECURRENT, "simple_rnn"))
def test_masked_steps_are_skipped_as_in_keras(name, mask, whole, xla):
    options = {"units": 4, "return_sequences": whole}
    assert_same(name, options, xla=xla, mask=tf.constant(MASKS[mask]))


@pytest.mark.parametrize("name", mostly_slow(RECURRENT, "lstm"))
def test_masked_steps_are_skipped_backwards_too(name):
    assert_same(
        name, {"units": 4, "return_sequences": True}, xla=False,
        wrap=keras.layers.Bidirectional, mask=tf.constant(MASKS["between"]),
    )  # fmt: skip


@pytest.mark.parametrize("padding", ["same", "valid", "causal"])
@pytest.mark.parametrize(
    "options",
    [{}, {"dilation_rate": 2}, {"strides": 2}, {"activation": "relu", "strides": 3}],
    ids=lambda options: "-".join(options) or "plain",
)
@pytest.mark.parametrize("size", [1, 2, 3])
def test_convolution_for_xla_is_keras_own(padding, options, size):
    options = {"filters": 4, "kernel_size": size, "padding": padding, **options}
    plain = LAYERS["convolution"](**options)
    fast = TWINS[keras.layers.Conv1D](**options)
    plain.build(X.shape)
    fast.build(X.shape)
    fast.set_weights(plain.get_weights())
    with traced(True, {}):
        found = tf.function(fast, autograph=False)(tf.constant(X))
    np.testing.assert_allclose(found, plain(X), atol=1e-6)


def test_gradient_of_the_convolution_for_xla_is_keras_own():
    assert_same("convolution", {"filters": 4, "kernel_size": 3}, xla=True)


@pytest.mark.parametrize("x", [X, X[:, 0], X[:1, :1]], ids=["3-D", "2-D", "one"])
def test_normalization_over_the_batch_is_keras_own(x):
    options = {"momentum": 0.9}
    layers = [
        LAYERS["normalization"](**options),
        TWINS[LAYERS["normalization"]](**options),
    ]
    for layer in layers:
        layer.build(x.shape)
        layer.set_weights(
            [np.array(w) for w in ([2, 3, 4], [0, 1, 2], [1] * 3, [2] * 3)]
        )
    expected, found = (
        results(one, 3 * x + 1, xla=False, training=True) for one in layers
    )
    np.testing.assert_allclose(found[0], expected[0], atol=1e-5)
    for a, b in zip(found[1], expected[1], strict=True):
        np.testing.assert_allclose(a, b, atol=1e-4)
    for a, b in zip(*(one.get_weights() for one in layers), strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-5)
    at_rest = [np.asarray(one(x, training=False)) for one in layers]
    np.testing.assert_allclose(*at_rest, rtol=1e-6)


def test_frozen_normalization_keeps_its_averages():
    layer = TWINS[LAYERS["normalization"]]()
    layer.build(X.shape)
    layer.trainable = False
    before = layer.get_weights()
    results(layer, X, xla=False, training=True)
    np.testing.assert_array_equal(before[2], layer.get_weights()[2])
