"""Networks: the layers that parameters ask for, their first weights, and no globals."""

import keras
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

import skseq
from estimators import mostly_slow
from skseq._engine.losses import ROWWISE, make_rowwise_loss
from skseq._engine.parts import pooled

CELLS = {
    "LSTMClassifier": keras.layers.LSTM,
    "GRUClassifier": keras.layers.GRU,
    "SimpleRNNClassifier": keras.layers.SimpleRNN,
}


def layers(estimator, sequences):
    """Get the Keras layers of a network, without the input."""
    X, y = sequences
    model = estimator.initialize(X, y).model_
    return [
        layer
        for layer in model.layers
        if not isinstance(layer, keras.layers.InputLayer)
    ]


def kinds(estimator, sequences):
    return [type(layer).__name__ for layer in layers(estimator, sequences)]


# --------------------------------------------------------------------------- recurrent


@pytest.fixture(params=mostly_slow(CELLS, "GRUClassifier"))
def recurrent(request):
    """Get the class of a recurrent estimator, and the Keras layer of its cell."""

    def make(units=3, **params):
        params = {"pooling": "last", "random_state": 0, **params}
        return getattr(skseq, request.param)(units, **params)

    return make, CELLS[request.param]


def test_units_give_a_layer_each(recurrent, sequences):
    make, cell = recurrent
    for units, widths in ((3, [3]), ((4, 3, 2), [4, 3, 2]), ([5, 2], [5, 2])):
        *cells, head = layers(make(units), sequences)
        assert [type(layer) for layer in cells] == [cell] * len(widths)
        assert [layer.units for layer in cells] == widths
        sequences_kept = [layer.return_sequences for layer in cells]
        assert sequences_kept == [True] * (len(widths) - 1) + [False]
        assert isinstance(head, keras.layers.Dense)


def test_cells_are_keras_defaults(recurrent, sequences):
    make, cell = recurrent
    layer, _ = layers(make(3), sequences)
    ours, default = layer.get_config(), cell(3).get_config()
    for name in ("activation", "recurrent_activation", "use_bias", "reset_after"):
        assert ours.get(name) == default.get(name)
    assert layer.dropout == layer.recurrent_dropout == 0


def test_number_of_weights_is_the_textbooks(sequences):
    # Four gates of 2 inputs, 3 units and a bias; a head of 3 weights and a bias.
    X, y = sequences
    model = skseq.LSTMClassifier(3, pooling="last").initialize(X, y).model_
    assert model.count_params() == 4 * (2 * 3 + 3 * 3 + 3) + 3 + 1
    model = skseq.SimpleRNNClassifier(3, pooling="last").initialize(X, y).model_
    assert model.count_params() == 2 * 3 + 3 * 3 + 3 + 3 + 1
    # Three gates, and a second bias for the recurrent part.
    model = skseq.GRUClassifier(3, pooling="last").initialize(X, y).model_
    assert model.count_params() == 3 * (2 * 3 + 3 * 3 + 2 * 3) + 3 + 1


@pytest.mark.parametrize(
    ("pooling", "layer", "n_outputs"),
    [
        ("flatten", "Flatten", 5 * 4),
        ("mean", "GlobalAveragePooling1D", 4),
        ("max", "GlobalMaxPooling1D", 4),
    ],
)
def test_recurrent_pooling_is_over_all_timesteps(
    recurrent, sequences, pooling, layer, n_outputs
):
    make, cell = recurrent
    found = layers(make((3, 4), pooling=pooling), sequences)
    assert [type(one).__name__ for one in found] == [
        cell.__name__, cell.__name__, layer, "Dense",
    ]  # fmt: skip
    assert found[1].output.shape == (None, 5, 4)
    assert found[3].kernel.shape == (n_outputs, 1)


def test_bidirectional_doubles_the_width(recurrent, sequences):
    make, cell = recurrent
    first, second, head = layers(make((4, 3), bidirectional=True), sequences)
    for layer, width in ((first, 4), (second, 3)):
        assert isinstance(layer, keras.layers.Bidirectional)
        assert isinstance(layer.forward_layer, cell)
        assert isinstance(layer.backward_layer, cell)
        assert layer.backward_layer.go_backwards
        assert layer.forward_layer.units == width
    assert first.output.shape == (None, 5, 8)
    assert second.output.shape == (None, 6)
    assert head.kernel.shape == (6, 1)


def test_bidirectional_directions_start_apart(sequences):
    X, y = sequences
    estimator = skseq.LSTMClassifier(4, bidirectional=True, random_state=0)
    layer = estimator.initialize(X, y).model_.layers[1]
    forward = layer.forward_layer.get_weights()[0]
    assert not np.array_equal(forward, layer.backward_layer.get_weights()[0])


def test_dropout_is_one_value_or_one_per_layer(recurrent, sequences):
    make, _ = recurrent
    cells = layers(make((4, 3), dropout=0.1, recurrent_dropout=(0.2, 0.3)), sequences)
    assert [layer.dropout for layer in cells[:-1]] == [0.1, 0.1]
    assert [layer.recurrent_dropout for layer in cells[:-1]] == [0.2, 0.3]


@pytest.mark.parametrize("name", ["dropout", "recurrent_dropout"])
def test_recurrent_dropout_acts_in_training_alone(recurrent, sequences, name):
    make, _ = recurrent
    X, y = sequences
    params = {"epochs": 3}
    plain = make(**params).fit(X, y)
    dropped = make(**params, **{name: 0.5}).fit(X, y)
    again = make(**params, **{name: 0.5}).fit(X, y)
    assert not np.allclose(plain.predict_proba(X), dropped.predict_proba(X))
    np.testing.assert_array_equal(dropped.predict_proba(X), again.predict_proba(X))
    np.testing.assert_array_equal(dropped.predict_proba(X), dropped.predict_proba(X))


def _cube(x):
    return x * x * x


LAYER_ACTIVATIONS = {
    "name": ("tanh", np.tanh),
    "layer_name": ("leaky_relu", lambda x: np.where(x > 0, x, 0.3 * x)),
    "layer": (
        keras.layers.LeakyReLU(negative_slope=0.2),
        lambda x: np.where(x > 0, x, 0.2 * x),
    ),
    "dict": (
        {"name": "leaky_relu", "negative_slope": 0.1},
        lambda x: np.where(x > 0, x, 0.1 * x),
    ),
    "dict_elu": (
        {"name": "elu", "alpha": 0.5},
        lambda x: np.where(x > 0, x, 0.5 * np.expm1(x)),
    ),
    "keras_function": (keras.activations.relu, lambda x: np.maximum(x, 0)),
    "own_function": (_cube, lambda x: x**3),
}


@pytest.mark.parametrize("form", LAYER_ACTIVATIONS)
def test_layer_activation_follows_each_layer(recurrent, sequences, form):
    make, cell = recurrent
    X, y = sequences
    activation, by_hand = LAYER_ACTIVATIONS[form]
    estimator = make(3, layer_activation=activation, epochs=1)
    first, after, _ = layers(estimator, sequences)
    assert isinstance(first, cell)
    x = np.linspace(-2, 2, 9, dtype=np.float32)
    np.testing.assert_allclose(np.asarray(after(x)), by_hand(x), rtol=1e-5, atol=1e-6)
    estimator.fit(X, y)
    assert estimator.layer_activation is activation


def test_layer_activation_is_one_value_or_one_per_layer(recurrent, sequences):
    make, cell = recurrent
    one = {"name": "leaky_relu", "negative_slope": 0.1}
    assert kinds(make((4, 3), layer_activation=one), sequences) == [
        cell.__name__, "LeakyReLU", cell.__name__, "LeakyReLU", "Dense",
    ]  # fmt: skip
    each = ({"name": "leaky_relu", "negative_slope": 0.1}, None)
    assert kinds(make((4, 3), layer_activation=each), sequences) == [
        cell.__name__, "LeakyReLU", cell.__name__, "Dense",
    ]  # fmt: skip
    slopes = tuple({"name": "leaky_relu", "negative_slope": s} for s in (0.1, 0.4))
    found = layers(make((4, 3), layer_activation=slopes), sequences)
    assert [layer.negative_slope for layer in found[1:4:2]] == pytest.approx([0.1, 0.4])


def test_prelu_learns_without_changing_the_callers_layer(sequences):
    X, y = sequences
    layer = keras.layers.PReLU()
    estimator = skseq.LSTMClassifier(
        3, layer_activation=layer, epochs=5, learning_rate=0.1, random_state=0
    ).fit(X, y)
    assert not layer.built
    slopes = estimator.model_.layers[2].get_weights()[0]
    assert np.abs(slopes).max() > 0  # Keras starts them at 0


def test_dense_units_stand_before_the_head(recurrent, sequences):
    make, cell = recurrent
    found = layers(make(3, dense_units=(6, 4)), sequences)
    assert [type(layer).__name__ for layer in found] == [cell.__name__, *["Dense"] * 3]
    assert [layer.units for layer in found[1:]] == [6, 4, 1]
    assert [layer.activation.__name__ for layer in found[1:]] == [
        "relu", "relu", "sigmoid",
    ]  # fmt: skip
    assert [layer.units for layer in layers(make(3, dense_units=6), sequences)[1:]] == [
        6, 1,
    ]  # fmt: skip


# ----------------------------------------------------------------------- convolutional


# Convolutions, and the maximum over their outputs.
PLAIN = {"normalization": None, "pooling": "max"}


def test_filters_give_a_convolution_each(sequences):
    estimator = skseq.Conv1DClassifier(
        (4, 3), kernel_size=(3, 2), activation="tanh", **PLAIN
    )
    first, second, pooling, head = layers(estimator, sequences)
    assert first.kernel.shape == (3, 2, 4)
    assert second.kernel.shape == (2, 4, 3)
    assert first.activation.__name__ == second.activation.__name__ == "tanh"
    assert first.output.shape == (None, 5, 4)
    assert isinstance(pooling, keras.layers.GlobalMaxPooling1D)
    assert head.kernel.shape == (3, 1)
    assert kinds(skseq.Conv1DClassifier(4, **PLAIN), sequences) == [
        "Conv1D", "GlobalMaxPooling1D", "Dense",
    ]  # fmt: skip


def test_normalization_stands_between_convolution_and_activation(sequences):
    assert kinds(skseq.Conv1DClassifier((4, 3), pooling="max"), sequences) == [
        "Conv1D", "BatchNormalization", "ReLU", "Conv1D", "BatchNormalization", "ReLU",
        "GlobalMaxPooling1D", "Dense",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("padding", "length"), [("same", 5), ("valid", 3), ("causal", 5)]
)
def test_padding_gives_the_length(sequences, padding, length):
    estimator = skseq.Conv1DClassifier(4, kernel_size=3, padding=padding)
    assert layers(estimator, sequences)[0].output.shape == (None, length, 4)


def test_causal_padding_looks_at_no_later_step(sequences):
    # tanh, for relu may be 0 on both sides of a change.
    estimator = skseq.Conv1DClassifier(
        4, kernel_size=3, padding="causal", activation="tanh", random_state=0
    )
    convolution = layers(estimator, sequences)[0]
    X = np.zeros((1, 5, 2), np.float32)
    before = np.asarray(convolution(X))
    X[0, 3] = 1
    changed = np.any(np.asarray(convolution(X)) != before, axis=(0, 2))
    assert changed.tolist() == [False, False, False, True, True]


def test_pool_size_keeps_a_shorter_last_window(sequences):
    estimator = skseq.Conv1DClassifier((4, 4), pool_size=(2, 1), **PLAIN)
    found = layers(estimator, sequences)
    assert kinds(estimator, sequences) == [
        "Conv1D", "MaxPooling1D", "Conv1D", "GlobalMaxPooling1D", "Dense",
    ]  # fmt: skip
    assert found[1].output.shape == (None, 3, 4)  # 5 steps in windows of 2
    X = np.arange(5, dtype=np.float32).reshape(1, 5, 1)
    np.testing.assert_array_equal(np.asarray(found[1](X)).ravel(), [1, 3, 4])


@pytest.mark.parametrize(
    ("pooling", "by_hand"),
    [
        ("mean", lambda x: x.mean(axis=1)),
        ("max", lambda x: x.max(axis=1)),
        ("flatten", lambda x: x.reshape(len(x), -1)),
    ],
)
def test_pooling_is_as_by_hand(sequences, pooling, by_hand):
    layer = layers(skseq.Conv1DRegressor(4, pooling=pooling), sequences)[1]
    x = np.random.default_rng(0).normal(size=(3, 5, 4)).astype(np.float32)
    np.testing.assert_allclose(np.asarray(layer(x)), by_hand(x), rtol=1e-6)


@pytest.mark.parametrize(
    ("n_timesteps", "means"),
    [
        (8, [0.5, 2.5, 4.5, 6.5]),
        (6, [1, 2, 3, 4]),
        (4, [0, 1, 2, 3]),
        (2, [0, 1, 0, 0]),
    ],
)
def test_parts_are_the_maximum_and_four_means(n_timesteps, means):
    inputs = keras.Input((n_timesteps, 1))
    model = keras.Model(inputs, pooled(inputs, "parts"))
    x = np.arange(n_timesteps, dtype=np.float32).reshape(1, -1, 1)
    np.testing.assert_allclose(model(x), [[n_timesteps - 1, *means]], rtol=1e-6)


def test_automatic_pooling_keeps_columns_apart(recurrent, sequences):
    make, _ = recurrent
    X, y = sequences
    table, ids = X.reshape(60, 10), np.abs(X[:, :, 0]).astype(int) + 1
    last = []
    for rows, params in (
        (X, {}),
        (table, {"n_timesteps": 5}),
        (ids, {"embedding_dim": 2}),
        (table, {}),
    ):
        net = make(2, pooling="auto", epochs=1, **params).fit(rows, y)
        last.append(net.model_.get_layer("outputs").input.shape[1])
    assert last == [10, 10, 10, 20]


def test_automatic_kernels_are_shorter_in_later_layers(sequences):
    for n_layers, expected in ((1, [7]), (4, [7, 5, 3, 3])):
        estimator = skseq.Conv1DClassifier((2,) * n_layers)
        found = [
            layer.kernel_size[0]
            for layer in layers(estimator, sequences)
            if isinstance(layer, keras.layers.Conv1D)
        ]
        assert found == expected


def test_convolutional_dropout_and_dense_units(sequences):
    estimator = skseq.Conv1DClassifier(
        (4, 3), dropout=(0.1, 0.2), dense_units=(5,), **PLAIN
    )
    found = layers(estimator, sequences)
    assert [type(layer).__name__ for layer in found] == [
        "Conv1D", "Dropout", "Conv1D", "Dropout", "GlobalMaxPooling1D",
        "Dense", "Dense",
    ]  # fmt: skip
    assert [found[1].rate, found[3].rate] == [0.1, 0.2]
    assert [found[-2].units, found[-1].units] == [5, 1]


# ------------------------------------------------------------------------------- dense


def test_dense_layers_are_as_asked(sequences):
    estimator = skseq.DenseClassifier((6, 4), activation="tanh", dropout=(0.1, 0.2))
    found = layers(estimator, sequences)
    assert [type(layer).__name__ for layer in found] == [
        "Flatten", "Dense", "Dropout", "Dense", "Dropout", "Dense",
    ]  # fmt: skip
    assert found[1].kernel.shape == (10, 6)
    assert found[3].kernel.shape == (6, 4)
    assert found[1].activation.__name__ == "tanh"
    assert [found[2].rate, found[4].rate] == [0.1, 0.2]


def test_activation_may_be_a_function_or_none(sequences):
    _, hidden, _ = layers(skseq.DenseClassifier((4,), activation=_cube), sequences)
    assert hidden.activation is _cube
    _, hidden, _ = layers(skseq.DenseClassifier((4,), activation=None), sequences)
    assert hidden.activation.__name__ == "linear"


def test_no_hidden_layer_is_logistic_regression():
    rng = np.random.default_rng(0)
    y = np.arange(200) % 2
    X = rng.normal(size=(200, 3)) + 0.7 * y[:, None]
    estimator = skseq.DenseClassifier(
        (), epochs=600, batch_size=200, learning_rate=0.05, random_state=0
    ).fit(X, y)
    kernel, bias = estimator.model_.get_weights()
    assert kernel.shape == (3, 1)
    peer = LogisticRegression(C=1e6, max_iter=1000).fit(X, y)
    np.testing.assert_allclose(kernel[:, 0], peer.coef_[0], atol=1e-2)
    np.testing.assert_allclose(bias, peer.intercept_, atol=1e-2)
    np.testing.assert_allclose(
        estimator.predict_proba(X), peer.predict_proba(X), atol=1e-2
    )


def test_no_hidden_layer_is_multinomial_regression():
    rng = np.random.default_rng(1)
    y = np.arange(240) % 3
    X = rng.normal(size=(240, 2)) + np.array([[0, 0], [1, 0], [0, 1]])[y]
    estimator = skseq.DenseClassifier(
        (), epochs=600, batch_size=240, learning_rate=0.05, random_state=0
    ).fit(X, y)
    peer = LogisticRegression(C=1e6, max_iter=1000).fit(X, y)
    np.testing.assert_allclose(
        estimator.predict_proba(X), peer.predict_proba(X), atol=1e-2
    )


# ------------------------------------------------------------- heads and first weights


def test_head_follows_classes_and_loss(make_classifier, sequences, three_classes):
    head = layers(make_classifier(), sequences)[-1]
    assert (head.units, head.activation.__name__) == (1, "sigmoid")
    head = layers(make_classifier(), three_classes)[-1]
    assert (head.units, head.activation.__name__) == (3, "softmax")
    for loss in ("categorical_crossentropy", "sparse_categorical_crossentropy"):
        head = layers(make_classifier(loss=loss), sequences)[-1]
        assert (head.units, head.activation.__name__) == (2, "softmax")


def test_softmax_of_two_classes_learns(sequences):
    X, y = sequences
    for loss in ("categorical_crossentropy", "sparse_categorical_crossentropy"):
        estimator = skseq.DenseClassifier(
            loss=loss, epochs=20, learning_rate=0.03, random_state=0
        ).fit(X, y)
        probabilities = estimator.predict_proba(X)
        np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-12)
        assert estimator.score(X, y) > 0.9


@pytest.mark.parametrize(
    "cls",
    sorted(ROWWISE, key=lambda cls: cls.__name__),
    ids=lambda cls: cls.__name__,
)
def test_rowwise_losses_have_the_mean_of_the_whole(cls):
    rng = np.random.default_rng(0)
    outputs = rng.dirichlet(np.ones(3), 7).astype(np.float32)
    target = np.eye(3, dtype=np.float32)[rng.integers(3, size=7)]
    if cls is keras.losses.SparseCategoricalCrossentropy:
        target = target.argmax(1)
    rows = make_rowwise_loss(cls())(target, outputs)
    assert rows.shape == (7,)
    np.testing.assert_allclose(np.mean(rows), cls()(target, outputs), rtol=1e-5)


@pytest.mark.parametrize(
    "loss",
    [
        keras.losses.Circle(),
        keras.losses.MeanSquaredError(reduction="sum"),
        keras.losses.MeanSquaredError(dtype="float64"),
        keras.losses.CategoricalCrossentropy(axis=0),
        keras.losses.SparseCategoricalCrossentropy(ignore_class=0),
        lambda y_true, y_pred: y_pred[:, 0],
    ],
)
def test_other_losses_are_not_taken_for_rowwise(loss):
    assert make_rowwise_loss(loss) is None


def _variables(estimator, sequences):
    X, y = sequences
    model = estimator.initialize(X, y).model_
    return {v.path: np.asarray(v.value) for v in model.weights}


def test_kernels_are_glorot_uniform(make_classifier, sequences):
    kernels = {
        path: value
        for path, value in _variables(make_classifier(), sequences).items()
        if path.endswith("/kernel")
    }
    assert len(kernels) >= 2
    for path, kernel in kernels.items():
        *receptive, n_in, n_out = kernel.shape
        field = int(np.prod(receptive))
        limit = np.sqrt(6 / (field * n_in + field * n_out))
        assert np.abs(kernel).max() <= limit, path
        if kernel.size >= 256:
            assert np.abs(kernel).max() > 0.9 * limit, path
            # A uniform distribution's standard deviation.
            assert kernel.std() == pytest.approx(limit / np.sqrt(3), rel=0.15), path
            assert abs(kernel.mean()) < 0.15 * limit, path


def test_recurrent_kernels_are_orthogonal(recurrent, sequences):
    make, _ = recurrent
    found = _variables(make(8), sequences)
    (kernel,) = (v for path, v in found.items() if path.endswith("recurrent_kernel"))
    assert kernel.shape[0] == 8
    np.testing.assert_allclose(kernel @ kernel.T, np.eye(8), atol=1e-5)


def test_biases_are_zero_but_the_lstms_forget_gate(make_classifier, sequences):
    estimator = make_classifier()
    for path, bias in _variables(estimator, sequences).items():
        if not path.endswith("bias"):
            continue
        expected = np.zeros_like(bias)
        if "lstm" in path or (
            isinstance(estimator, skseq.LSTMClassifier) and "recurrent" in path
        ):
            units = bias.size // 4
            expected[units : 2 * units] = 1  # gates i, f, c, o
        np.testing.assert_array_equal(bias, expected)


def test_first_weights_follow_random_state(make_classifier, sequences):
    X, y = sequences
    weights = [
        make_classifier(random_state=seed).initialize(X, y).model_.get_weights()
        for seed in (0, 1, 0)
    ]
    for first, other, again in zip(*weights, strict=True):
        np.testing.assert_array_equal(first, again)
        if first.any() and len(np.unique(first)) > 2:  # a kernel
            assert not np.array_equal(first, other)


def test_equal_layers_start_apart(sequences):
    estimator = skseq.DenseClassifier((10, 10, 10), random_state=0)
    _, *hidden, _ = layers(estimator, sequences)
    first, second, third = (layer.get_weights()[0] for layer in hidden)
    assert not np.array_equal(first, second)
    assert not np.array_equal(second, third)


# ------------------------------------------------------------- independent of globals


@pytest.fixture
def keras_settings():
    """Restore Keras' global settings after a test."""
    before = (
        keras.config.floatx(),
        keras.config.dtype_policy(),
        keras.config.image_data_format(),
    )
    yield keras.config
    keras.config.set_floatx(before[0])
    keras.config.set_dtype_policy(before[1])
    keras.config.set_image_data_format(before[2])
    skseq.clear_programs()


GLOBALS = {
    "floatx_64": lambda config: config.set_floatx("float64"),
    "floatx_16": lambda config: config.set_floatx("float16"),
    "policy_64": lambda config: config.set_dtype_policy("float64"),
    "mixed_16": lambda config: config.set_dtype_policy("mixed_float16"),
    "mixed_b16": lambda config: config.set_dtype_policy("mixed_bfloat16"),
    "channels_first": lambda config: config.set_image_data_format("channels_first"),
}


@pytest.mark.parametrize(
    ("name", "setting"),
    [
        ("DenseClassifier", "floatx_64"),
        ("DenseClassifier", "mixed_b16"),
        ("LSTMClassifier", "mixed_16"),
        ("Conv1DClassifier", "channels_first"),
        *(
            pytest.param(name, setting, marks=pytest.mark.slow)
            for name, settings in {
                "DenseClassifier": (
                    "floatx_16",
                    "policy_64",
                    "mixed_16",
                    "channels_first",
                ),
                "LSTMClassifier": ("floatx_64", "channels_first"),
                "Conv1DClassifier": ("floatx_64", "mixed_16"),
            }.items()
            for setting in settings
        ),
    ],
)
def test_results_do_not_depend_on_keras_globals(
    sequences, keras_settings, name, setting
):
    X, y = sequences

    def fit():
        return getattr(skseq, name)(
            dense_units=(4,), dropout=0.2, metrics=["accuracy"], epochs=3,
            random_state=0,
        ).fit(X, y, X_val=X, y_val=y)  # fmt: skip

    expected = fit()
    probabilities = expected.predict_proba(X)
    skseq.clear_programs()
    GLOBALS[setting](keras_settings)
    # What was fitted before means the same now, and a new fit is the same.
    np.testing.assert_array_equal(expected.predict_proba(X), probabilities)
    estimator = fit()
    np.testing.assert_array_equal(estimator.predict_proba(X), probabilities)
    assert estimator.history_ == expected.history_
    assert {w.dtype for w in estimator.model_.get_weights()} == {np.dtype("float32")}
    outputs = np.asarray(estimator.model_(X.astype(np.float32)))
    np.testing.assert_allclose(outputs[:, 0], probabilities[:, 1], atol=1e-5)


@pytest.mark.parametrize("form", ["layer", "dict", "name"])
def test_layer_activations_do_not_depend_on_keras_globals(
    sequences, keras_settings, form
):
    X, y = sequences

    def fit():
        return skseq.LSTMClassifier(
            3, layer_activation=activation, epochs=2, random_state=0
        ).fit(X, y)

    activation = LAYER_ACTIVATIONS[form][0]
    expected = fit().predict_proba(X)
    skseq.clear_programs()
    keras_settings.set_dtype_policy("mixed_float16")
    np.testing.assert_array_equal(fit().predict_proba(X), expected)


def test_fit_leaves_keras_globals_alone(sequences, keras_settings):
    X, y = sequences
    keras_settings.set_floatx("float64")
    keras_settings.set_image_data_format("channels_first")
    skseq.GRUClassifier(3, epochs=1).fit(X, y).predict(X)
    assert keras_settings.floatx() == "float64"
    assert keras_settings.image_data_format() == "channels_first"
