"""What programs read from a model's layers, with layers that the user passes in."""

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import skseq
from estimators import AS_KERAS, mostly_slow, with_slow
from skseq._engine import cache, facts
from skseq._engine.keras import building
from skseq._engine.layers import faster
from skseq._engine.path import prediction_rows
from skseq._engine.skeletons import without_values
from skseq._engine.weights import draw_weights


def name_of(value):
    """Name a test case, because the repr of an object differs between processes."""
    if isinstance(value, str | bool):
        return str(value)
    return getattr(value, "__name__", type(value).__name__)


def bits(net):
    return [weights.tobytes() for weights in net.model_.get_weights()]


def recurrent(layer, **params):
    """Make a small network with a user's layer after the recurrent one."""
    options = {"pooling": "last", "epochs": 3, "random_state": 0, **AS_KERAS, **params}
    return skseq.LSTMClassifier(4, layer_activation=layer, **options)


def facts_of(net):
    with cache.borrowed(net._recipe) as program:
        return program.facts


# --------------------------------------------------------------------- what draws


@pytest.mark.parametrize(
    "layer",
    [
        keras.layers.GaussianDropout(0.3),
        keras.layers.GaussianNoise(0.3),
        keras.layers.AlphaDropout(0.3),
    ],
    ids=name_of,
)
def test_layer_that_draws_repeats_with_the_seed(sequences, layer):
    X, y = sequences
    net = recurrent(layer)
    first = bits(net.fit(X, y))
    assert bits(net.fit(X, y)) == first
    assert bits(recurrent(layer, random_state=1).fit(X, y)) != first
    assert bits(recurrent(None).fit(X, y)) != first
    once = recurrent(layer, epochs=6).fit(X, y)
    twice = recurrent(layer, warm_start=True).fit(X, y).fit(X, y)
    assert bits(twice) == bits(once)


# ------------------------------------------------------------ statistics of batches


class Shift(keras.layers.Layer):
    """A user's own layer that subtracts the mean of the batch."""

    def call(self, x):
        return x - keras.ops.mean(x, axis=0, keepdims=True)


def one_step(layer, sequences, batch_size=50):
    """Fit without a change of weights, on 60 rows in two batches."""
    X, y = sequences
    return recurrent(
        layer, epochs=1, batch_size=batch_size, shuffle=False, optimizer="sgd",
        learning_rate=1e-12,
    ).fit(X, y)  # fmt: skip


def test_batch_normalization_averages_the_rows_that_are_there(sequences):
    net = one_step(keras.layers.BatchNormalization(momentum=0.0), sequences)
    lstm, normalization = net.model_.layers[1:3]
    outputs = np.asarray(lstm(sequences[0].astype(np.float32)))
    # 60 rows are shared out evenly over two steps, of which the last counts.
    moving_mean = normalization.get_weights()[2]
    assert_allclose(moving_mean, outputs[30:].mean(axis=0), atol=1e-6)


def test_batch_normalization_learns_and_is_saved(sequences):
    X, y = sequences
    net = recurrent(keras.layers.BatchNormalization(), epochs=20, learning_rate=0.03)
    assert net.fit(X, y).score(X, y) > 0.9
    outputs = net.model_.predict(X.astype(np.float32), verbose=0)
    assert_allclose(outputs[:, 0], net.predict_proba(X)[:, 1], atol=1e-6)


def test_no_row_is_invented_for_a_layer_that_nobody_knows(sequences):
    X, y = sequences
    net = recurrent(Shift(), epochs=2, batch_size=40, shuffle=False, optimizer="sgd")
    model = net.initialize(X, y).model_
    model.compile(keras.optimizers.SGD(0.01), "binary_crossentropy", run_eagerly=True)
    x, target = X.astype(np.float32), y.astype(np.float32)[:, None]
    record = model.fit(x, target, batch_size=40, shuffle=False, epochs=2, verbose=0)
    net.fit(X, y)
    for ours, theirs in zip(net.model_.get_weights(), model.get_weights(), strict=True):
        assert_allclose(ours, theirs, atol=1e-5)
    assert_allclose(net.history_["loss"], record.history["loss"], rtol=1e-5)


@pytest.mark.parametrize(
    ("layer", "is_rowwise"),
    [
        (keras.layers.PReLU(), True),
        (keras.layers.LayerNormalization(), True),
        (keras.layers.Softmax(axis=0), False),
        (keras.layers.BatchNormalization(), False),
        (keras.layers.ActivityRegularization(0.1), False),
        (Shift(), False),
        (lambda x: x - keras.ops.mean(x, axis=0), False),
        ("tanh", True),
    ],
    ids=name_of,
)
def test_rows_fill_up_batches_only_where_layers_are_known(sequences, layer, is_rowwise):
    net = recurrent(layer).initialize(*sequences)
    assert facts_of(net).is_rowwise is is_rowwise
    with cache.borrowed(net._recipe) as program:
        assert program.objective.may_fill is is_rowwise


# ------------------------------------------------------------------------ penalties


@pytest.mark.parametrize(
    "layer",
    [
        keras.layers.ActivityRegularization(l2=0.5),
        keras.layers.Dense(4, kernel_regularizer="l2", bias_regularizer="l1"),
        keras.layers.Dense(4, activity_regularizer=keras.regularizers.L2(0.3)),
    ],
    ids=["activity layer", "weights", "activity"],
)
def test_penalties_count_as_in_keras(sequences, layer):
    X, y = sequences
    options = {"epochs": 3, "batch_size": 50, "shuffle": False, "optimizer": "sgd"}
    net = recurrent(layer, learning_rate=0.05, **options)
    model = net.initialize(X, y).model_
    model.compile(keras.optimizers.SGD(0.05), "binary_crossentropy", run_eagerly=True)
    x, target = X.astype(np.float32), y.astype(np.float32)[:, None]
    record = model.fit(
        x, target, batch_size=50, shuffle=False, epochs=3, verbose=0,
        validation_data=(x[:20], target[:20]), validation_batch_size=50,
    )  # fmt: skip
    net.fit(X, y, X_val=X[:20], y_val=y[:20])
    for ours, theirs in zip(net.model_.get_weights(), model.get_weights(), strict=True):
        assert_allclose(ours, theirs, atol=1e-5)
    for name in ("loss", "val_loss"):
        assert_allclose(net.history_[name], record.history[name], rtol=1e-5)


# --------------------------------------------------------------------- first weights


def test_weights_start_from_their_own_initializer(sequences):
    X, y = sequences
    prelu = {"name": "prelu", "alpha_initializer": "uniform"}

    def slopes(seed):
        skseq.clear_programs()  # or the initializer would be one and the same
        net = recurrent(prelu, random_state=seed).initialize(X, y)
        return net.model_.layers[2].get_weights()[0]

    first = slopes(0)
    assert 0 < np.abs(first).max() <= 0.05  # Keras' "uniform"
    assert_array_equal(slopes(0), first)
    assert not np.array_equal(slopes(1), first)


def _own_initializer(shape, dtype=None):
    return keras.random.normal(shape, mean=5.0, dtype=dtype)  # of Keras' own generator


INITIALIZERS = {
    "he_normal": lambda w: w.std() == pytest.approx(np.sqrt(2 / 50), rel=0.1),
    "lecun_uniform": lambda w: np.abs(w).max() == pytest.approx(np.sqrt(3 / 50), 0.1),
    "zeros": lambda w: not w.any(),
    "random_normal": lambda w: w.std() == pytest.approx(0.05, rel=0.1),
    _own_initializer: lambda w: w.mean() == pytest.approx(5, abs=0.1),
    keras.initializers.Constant(0.3): lambda w: (w == np.float32(0.3)).all(),
}


@pytest.mark.slow
@pytest.mark.parametrize("initializer", INITIALIZERS, ids=name_of)
def test_drawn_weights_follow_initializer_and_seed(initializer, seed_keras):
    def build():
        inputs = keras.Input((50,))
        layer = keras.layers.Dense(60, kernel_initializer=initializer)
        return keras.Model(inputs, layer(inputs))

    seed_keras(3)
    expected = keras.random.normal((4,)).numpy()
    seed_keras(3)
    with building():
        weights = [draw_weights(without_values(build), s)[0] for s in (0, 0, 1)]
    assert INITIALIZERS[initializer](weights[0])
    assert_array_equal(weights[0], weights[1])
    if len(np.unique(weights[0])) > 1:
        assert not np.array_equal(weights[0], weights[2])
    assert_array_equal(keras.random.normal((4,)).numpy(), expected)


def test_seed_of_the_users_is_kept():
    def build():
        inputs = keras.Input((50,))
        initializer = keras.initializers.GlorotUniform(seed=7)
        return keras.Model(
            inputs, keras.layers.Dense(60, kernel_initializer=initializer)(inputs)
        )

    with building():
        model = without_values(build)
        first, second = (draw_weights(model, seed)[0] for seed in (0, 1))
    assert_array_equal(first, second)


class Attention(keras.layers.Layer):
    """A layer with layers of its own, two of which draw."""

    def __init__(self, **options):
        super().__init__(**options)
        self.attention = keras.layers.MultiHeadAttention(2, 3, dropout=0.3)
        self.dropout = keras.layers.Dropout(0.2)

    def build(self, shape):
        self.attention.build(shape, shape)

    def call(self, x, training=None):
        return self.dropout(self.attention(x, x, training=training), training=training)


def test_weights_of_layers_inside_of_a_layer_follow_the_seed(sequences):
    X, y = sequences

    def initialized(seed):
        skseq.clear_programs()
        net = recurrent(Attention(), pooling="mean", random_state=seed)
        return net.initialize(X, y)

    first, other = initialized(0), initialized(1)
    assert bits(initialized(0)) == bits(first)
    pairs = zip(first.model_.weights, other.model_.weights, strict=True)
    kernels = [pair for pair in pairs if pair[0].path.endswith("kernel")]
    assert len(kernels) == 7  # two of the LSTM, four of the attention, the outputs'
    for one, another in kernels:
        assert not np.array_equal(one, another), one.path
    net = recurrent(Attention(), pooling="mean")
    assert bits(net.fit(X, y)) == bits(net.fit(X, y))


def test_bias_of_an_lstm_with_a_random_initializer_follows_the_seed():
    # Keras calls this initializer from a function of its own.
    def build():
        inputs = keras.Input((5, 2))
        layer = keras.layers.LSTM(4, bias_initializer="random_normal")
        return keras.Model(inputs, layer(inputs))

    with building():
        biases = [draw_weights(without_values(build), s)[2] for s in (0, 0, 1)]
    assert_array_equal(biases[0], biases[1])
    assert not np.array_equal(biases[0], biases[2])
    assert_array_equal(biases[0][4:8], 1)  # the forget gate


# ------------------------------------------------------------------- whole models


def test_layer_that_is_used_twice_is_counted_twice():
    def build():
        inputs = keras.Input((5, 4))
        layer = keras.layers.Dense(4)
        outputs = keras.layers.Flatten()(layer(layer(inputs)))
        return keras.Model(inputs, outputs)

    def read():
        model = build()
        return facts.read(model, faster(model)[1])

    found = without_values(read)
    shapes = [call.output_shape for call in found.calls]
    assert shapes == [(None, 5, 4), (None, 5, 4), (None, 20)]
    assert prediction_rows(found) == 1152


def test_faster_model_has_the_layers_weights_and_outputs_of_the_plain_one():
    inputs = keras.Input((6, 3))
    x = keras.layers.Bidirectional(
        keras.layers.LSTM(4, return_sequences=True, dropout=0.2)
    )(inputs)
    x = keras.layers.Conv1D(5, 3, activation="relu")(x)
    inner = keras.Input((4, 5))
    part = keras.Model(inner, keras.layers.GRU(3)(inner), name="part")
    outputs = keras.layers.Dropout(0.3)(part(x))
    plain = keras.Model(inputs, outputs)
    fast, _ = faster(plain)
    assert [w.path for w in fast.weights] == [w.path for w in plain.weights]
    fast.set_weights(plain.get_weights())
    X = np.random.default_rng(0).normal(size=(7, 6, 3)).astype(np.float32)
    assert_allclose(fast(X), plain(X), atol=1e-6)
    kinds = [type(layer).__module__.split(".")[0] for layer in facts.layers_of(fast)]
    assert kinds.count("skseq") == 5  # forward, backward, Conv1D, GRU and Dropout
    rates = facts.rates(plain)
    assert sorted(rates.values()) == [0.2, 0.2, 0.3]
    facts.name_rates(fast, rates)
    named = [getattr(one, "rate_name", None) for one in facts.layers_of(fast)]
    assert [name for name in named if name] == list(rates)


@pytest.mark.slow
@pytest.mark.parametrize("xla", [False, True])
@pytest.mark.parametrize("optimizer", ["adam", "nadam"])
def test_constraints_hold(sequences, optimizer, xla, set_jit_compile):
    set_jit_compile(xla)
    layer = {"name": "prelu", "alpha_constraint": "non_neg"}
    net = skseq.DenseClassifier(
        (8,), activation=layer, optimizer=optimizer, epochs=20, learning_rate=0.1,
        schedule=None, weight_decay=None, random_state=0, batch_size=60, shuffle=False,
    )  # fmt: skip
    model = net.initialize(*sequences).model_
    alpha = next(weights for weights in net.fit(*sequences).model_.weights[2:3])
    assert alpha.path.endswith("alpha")
    assert alpha.numpy().min() == 0
    X, y = sequences
    model.compile(optimizer, "binary_crossentropy", run_eagerly=True)
    model.optimizer.learning_rate = 0.1
    x, target = X.astype(np.float32), y.astype(np.float32)[:, None]
    model.fit(x, target, batch_size=60, shuffle=False, epochs=20, verbose=0)
    for ours, theirs in zip(net.model_.get_weights(), model.get_weights(), strict=True):
        assert_allclose(ours, theirs, atol=2e-3)


OTHER_LAYERS = [
    keras.layers.GRU(4, reset_after=False, return_sequences=True),
    keras.layers.GRU(4, use_bias=False, return_sequences=True),
    keras.layers.SimpleRNN(4, use_bias=False, return_sequences=True),
    keras.layers.LSTM(4, use_bias=False, return_sequences=True),
    keras.layers.Conv1D(4, 2, groups=2),
    keras.layers.Dropout(0.5, noise_shape=(None, 1, 4)),
]


@pytest.mark.parametrize(
    "layer",
    mostly_slow(OTHER_LAYERS, OTHER_LAYERS[0]),
    ids=name_of,
)
def test_layers_with_options_that_a_twin_lacks_are_keras_own(
    sequences, layer, set_jit_compile
):
    X, y = sequences
    for xla in (False, True):
        set_jit_compile(xla)
        net = recurrent(layer, pooling="mean").fit(X, y)
        outputs = net.model_.predict(X.astype(np.float32), verbose=0)
        assert_allclose(outputs[:, 0], net.predict_proba(X)[:, 1], atol=1e-6)
    if isinstance(layer, keras.layers.Dropout):
        x = keras.Input((5, 4))
        plain = keras.Model(x, layer(x))
        assert facts.rates(plain) == {}  # no rate is a run-time value
        model, _ = faster(plain)
        outputs = model(np.ones((3, 5, 4), np.float32), training=True).numpy()
        assert_array_equal(outputs, outputs[:, :1].repeat(5, axis=1))


def test_shared_activation_layer_is_one_layer_each(sequences):
    X, y = sequences
    layer = keras.layers.PReLU()
    for net in (
        skseq.DenseClassifier((4, 3), activation=layer, epochs=2),
        skseq.Conv1DClassifier((4, 3), dense_units=2, activation=layer, epochs=2),
        skseq.LSTMClassifier((4, 3), layer_activation=layer, epochs=2),
        skseq.AutoencoderTransformer(layer_sizes=(4, 3), activation=layer, epochs=2),
    ):
        model = net.fit(X, y).model_
        found = [one for one in facts.layers_of(model) if type(one) is type(layer)]
        assert len({one.name for one in found}) == len(found) >= 2
        assert not layer.built


@pytest.mark.parametrize(
    "activation",
    [
        {"name": "leaky_relu", "negative_slope": 0.4},
        keras.layers.LeakyReLU(negative_slope=0.4),
        "prelu",
        ("relu", "tanh"),
        lambda x: x * x,
        keras.layers.Activation(lambda x: x * x),
    ],
    ids=["dict", "layer", "name of a layer", "tuple", "lambda", "layer of a lambda"],
)
@pytest.mark.parametrize(
    "name", with_slow(["DenseClassifier", "Conv1DClassifier"], "Conv1DClassifier")
)
def test_activation_takes_what_layer_activation_takes(sequences, name, activation):
    X, y = sequences
    sizes = {"dense_units": (4, 3)} if name[0] == "D" else {"filters": (4, 3)}
    net = getattr(skseq, name)(activation=activation, epochs=2, **sizes).fit(X, y)
    outputs = net.model_(X.astype(np.float32))
    assert_allclose(np.asarray(outputs)[:, 0], net.predict_proba(X)[:, 1], atol=1e-6)
