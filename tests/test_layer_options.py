"""Layer options, held against the same network put together by hand in Keras."""

import inspect
import pickle

import keras
import numpy as np
import pytest
from keras import layers
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV

import skseq
from estimators import make, mostly_slow, with_slow
from skseq._engine.layer_params import LAYERS
from skseq._engine.names import accepted

INITIALIZERS = [
    "glorot_normal", "glorot_uniform", "he_normal", "he_uniform", "lecun_normal",
    "lecun_uniform", "orthogonal", "random_normal", "random_uniform",
    "truncated_normal", "variance_scaling", "ones", "zeros",
]  # fmt: skip


def _attention(x):
    scores = layers.Dense(x.shape[-1], activation="tanh")(x)
    scores = layers.Dense(1, use_bias=False)(scores)
    weights = layers.Softmax(axis=1)(scores)
    return layers.Flatten()(layers.Dot(axes=1)([weights, x]))


def _twice(regularizer):
    return {"kernel_regularizer": regularizer, "bias_regularizer": regularizer}


class Doubled(keras.regularizers.Regularizer):
    """A user's own regularizer."""

    def __call__(self, x):
        return 2e-2 * keras.ops.sum(keras.ops.square(x))

    def get_config(self):
        return {}


def of_weights(x):
    return 1e-2 * keras.ops.sum(keras.ops.abs(x))


# Estimator, parameters, and the same network between input and last layer.
TABLE = {
    "dense_l2": (
        "DenseClassifier",
        {"dense_units": 7, "layer_params": _twice(keras.regularizers.L2(1e-2))},
        lambda x: layers.Dense(7, activation="relu", **_twice("l2"))(
            layers.Flatten()(x)
        ),
    ),
    "dense_activity": (
        "DenseClassifier",
        {"dense_units": 7, "layer__activity_regularizer": "l1"},
        lambda x: layers.Dense(7, activation="relu", activity_regularizer="l1")(
            layers.Flatten()(x)
        ),
    ),
    "dense_constraint": (
        "DenseClassifier",
        {"dense_units": 7, "layer__kernel_constraint": keras.constraints.MaxNorm(0.5)},
        lambda x: layers.Dense(
            7, activation="relu", kernel_constraint=keras.constraints.MaxNorm(0.5)
        )(layers.Flatten()(x)),
    ),
    "dense_no_bias": (
        "DenseClassifier",
        {"dense_units": (7, 5), "layer_params": ({"use_bias": False}, {})},
        lambda x: layers.Dense(5, activation="relu")(
            layers.Dense(7, activation="relu", use_bias=False)(layers.Flatten()(x))
        ),
    ),
    "dense_layer_normalization": (
        "DenseClassifier",
        {"dense_units": 7, "normalization": "layer", "activation": "elu"},
        lambda x: layers.ELU()(
            layers.LayerNormalization()(layers.Dense(7)(layers.Flatten()(x)))
        ),
    ),
    "dense_batch_normalization": (
        "DenseClassifier",
        {"dense_units": 7, "normalization": "batch",
         "activation": {"name": "leaky_relu", "negative_slope": 0.1}},
        lambda x: layers.LeakyReLU(0.1)(
            layers.BatchNormalization(momentum=0.9)(layers.Dense(7)(layers.Flatten()(x)))
        ),
    ),
    "dense_own_regularizer": (
        "DenseClassifier",
        {"dense_units": 7, "layer__kernel_regularizer": Doubled()},
        lambda x: layers.Dense(
            7, activation="relu", kernel_regularizer=keras.regularizers.L2(2e-2)
        )(layers.Flatten()(x)),
    ),
    "dense_function": (
        "DenseClassifier",
        {"dense_units": 7, "layer__kernel_regularizer": of_weights},
        lambda x: layers.Dense(
            7, activation="relu", kernel_regularizer=keras.regularizers.L1(1e-2)
        )(layers.Flatten()(x)),
    ),
    "lstm_recurrent_l1l2": (
        "LSTMClassifier",
        {"units": 4, "pooling": "last",
         "layer__recurrent_regularizer": keras.regularizers.L1L2(1e-3, 1e-2)},
        lambda x: layers.LSTM(
            4, recurrent_regularizer=keras.regularizers.L1L2(1e-3, 1e-2)
        )(x),
    ),
    "lstm_cell": (
        "LSTMClassifier",
        {"units": 4, "pooling": "mean", "layer_params":
         {"activation": "relu", "recurrent_activation": "hard_sigmoid",
          "unit_forget_bias": False}},
        lambda x: layers.GlobalAveragePooling1D()(
            layers.LSTM(
                4, activation="relu", recurrent_activation="hard_sigmoid",
                unit_forget_bias=False, return_sequences=True,
            )(x)
        ),
    ),
    "lstm_both_ways": (
        "LSTMClassifier",
        {"units": 4, "pooling": "last", "bidirectional": True,
         "layer__kernel_regularizer": Doubled()},
        lambda x: layers.Bidirectional(
            layers.LSTM(4, kernel_regularizer=keras.regularizers.L2(2e-2))
        )(x),
    ),
    "lstm_attention": (
        "LSTMClassifier",
        {"units": 4, "pooling": "attention"},
        lambda x: _attention(layers.LSTM(4, return_sequences=True)(x)),
    ),
    "gru_reset_before": (
        "GRUClassifier",
        {"units": 4, "pooling": "max", "layer__reset_after": False},
        lambda x: layers.GlobalMaxPooling1D()(
            layers.GRU(4, reset_after=False, return_sequences=True)(x)
        ),
    ),
    "gru_no_bias": (
        "GRUClassifier",
        {"units": 4, "pooling": "last", "layer__use_bias": False},
        lambda x: layers.GRU(4, use_bias=False)(x),
    ),
    "rnn_normalized": (
        "SimpleRNNClassifier",
        {"units": 4, "pooling": "last", "normalization": "layer",
         "layer_activation": ("prelu", "elu"), "dense_units": 5},
        lambda x: layers.ELU()(
            layers.LayerNormalization()(
                layers.Dense(5)(
                    layers.PReLU()(
                        layers.LayerNormalization()(layers.SimpleRNN(4)(x))
                    )
                )
            )
        ),
    ),
    "conv_strides": (
        "Conv1DClassifier",
        {"filters": 4, "kernel_size": 3, "layer__strides": 2},
        lambda x: layers.GlobalMaxPooling1D()(
            layers.Conv1D(4, 3, strides=2, padding="same", activation="relu")(x)
        ),
    ),
    "conv_dilation": (
        "Conv1DClassifier",
        {"filters": 4, "kernel_size": 2, "layer__dilation_rate": 2,
         "padding": "causal", "pooling": "attention"},
        lambda x: _attention(
            layers.Conv1D(
                4, 2, dilation_rate=2, padding="causal", activation="relu"
            )(x)
        ),
    ),
    "conv_batch_normalization": (
        "Conv1DClassifier",
        {"filters": 4, "kernel_size": 3, "normalization": "batch"},
        lambda x: layers.GlobalMaxPooling1D()(
            layers.ReLU()(
                layers.BatchNormalization(momentum=0.9)(
                    layers.Conv1D(4, 3, padding="same")(x)
                )
            )
        ),
    ),
    "conv_separable": (
        "Conv1DClassifier",
        {"filters": 4, "kernel_size": 3, "separable": True, "pooling": "mean",
         "layer_params": {"depth_multiplier": 2, "pointwise_regularizer": "l2"}},
        lambda x: layers.GlobalAveragePooling1D()(
            layers.SeparableConv1D(
                4, 3, padding="same", activation="relu", depth_multiplier=2,
                pointwise_regularizer="l2",
            )(x)
        ),
    ),
}  # fmt: skip


def _estimator(case, **params):
    name, options, _ = TABLE[case]
    return make(
        name, optimizer="sgd", learning_rate=0.05, epochs=3, batch_size=60,
        shuffle=False, random_state=0, **options, **params,
    )  # fmt: skip


CASES = mostly_slow(
    TABLE,
    "dense_constraint", "dense_batch_normalization", "dense_function",
    "lstm_recurrent_l1l2", "lstm_cell", "conv_batch_normalization", "conv_separable",
)  # fmt: skip


@pytest.mark.parametrize("xla", with_slow([False, True], True))
@pytest.mark.parametrize("case", CASES)
def test_option_trains_as_in_keras(request, sequences, set_jit_compile, case, xla):
    if case == "dense_function":
        request.getfixturevalue("function_regularizers")
    set_jit_compile(xla)
    X, y = sequences
    X = X.astype(np.float32)
    net = _estimator(case, warm_start=True).initialize(X, y)
    inputs = keras.Input((5, 2))
    outputs = layers.Dense(1, activation="sigmoid")(TABLE[case][2](inputs))
    model = keras.Model(inputs, outputs)
    model.set_weights(net.model_.get_weights())
    assert_allclose(net.predict_proba(X)[:, 1:], model.predict(X, verbose=0), atol=1e-5)
    model.compile(keras.optimizers.SGD(0.05), "binary_crossentropy")
    target = y.astype(np.float32)[:, None]
    history = model.fit(X, target, epochs=3, batch_size=60, shuffle=False, verbose=0)
    net.fit(X, y, X_val=X, y_val=y)
    assert_allclose(net.history_["loss"], history.history["loss"], atol=1e-4)
    for ours, theirs in zip(net.model_.get_weights(), model.get_weights(), strict=True):
        assert_allclose(ours, theirs, atol=1e-4)
    evaluated = model.evaluate(X, target, batch_size=60, verbose=0)
    assert net.history_["val_loss"][-1] == pytest.approx(evaluated, abs=1e-4)


@pytest.mark.parametrize("case", CASES)
def test_option_is_saved_and_cloned(request, sequences, case):
    if case == "dense_function":
        request.getfixturevalue("function_regularizers")
    X, y = sequences
    net = _estimator(case).fit(X, y)
    loaded = pickle.loads(pickle.dumps(net))
    assert_array_equal(loaded.predict_proba(X), net.predict_proba(X))
    for copy in (clone(net), loaded):
        assert copy.fit(X, y)._recipe.key() == net._recipe.key()
        assert_array_equal(copy.predict_proba(X), net.predict_proba(X))


@pytest.mark.parametrize("case", ["conv_strides", "conv_dilation", "lstm_attention"])
def test_padding_has_no_effect_with_options(sequences, case):
    X, y = sequences
    rows = [row[: 3 + i % 3] for i, row in enumerate(X)]
    net = _estimator(case).fit(rows, y)
    together = net.predict_proba(rows)
    for row, expected in zip(rows[:3], together[:3], strict=True):
        assert_allclose(net.predict_proba([row])[0], expected, atol=1e-6)
    padded = np.full((60, 50, 2), -9.0)
    for place, row in zip(padded, rows, strict=True):
        place[: len(row)] = row
    masked = _estimator(case, mask_value=-9.0).fit(padded, y)
    assert_allclose(masked.predict_proba(padded), together, atol=1e-6)


@pytest.mark.parametrize(
    "initializer", mostly_slow(INITIALIZERS, "glorot_normal", "zeros")
)
def test_every_initializer_follows_the_seed(table, initializer):
    net = make("DenseClassifier", layer__kernel_initializer=initializer, epochs=1)

    def weights(seed):
        net.set_params(random_state=seed).initialize(*table)
        return net.model_.get_layer("dense_1").get_weights()[0]

    assert_array_equal(weights(0), weights(0))
    if initializer not in ("ones", "zeros"):
        assert not np.array_equal(weights(0), weights(1))


def test_initializer_object_is_copied(table):
    initializer = keras.initializers.HeNormal(seed=3)
    net = make(
        "DenseClassifier", dense_units=(10, 10), random_state=0,
        numeric_embedding=None, layer_params={"kernel_initializer": initializer},
    )  # fmt: skip
    model = net.initialize(*table).model_
    first, second = (model.get_layer(f"dense_{i}").get_weights()[0] for i in (1, 2))
    assert_array_equal(first, second)  # the seed is the user's
    assert net.layer_params["kernel_initializer"] is initializer


@pytest.mark.parametrize("kind", mostly_slow(LAYERS, "lstm"))
def test_each_argument_of_the_layer_is_taken_or_refused(kind):
    names = {
        "lstm": "LSTMClassifier", "gru": "GRUClassifier", "dense": "DenseClassifier",
        "simple_rnn": "SimpleRNNClassifier", "conv1d": "Conv1DClassifier",
        "separable_conv1d": "Conv1DClassifier",
    }  # fmt: skip
    options = {"separable": True} if kind == "separable_conv1d" else {}
    X, y = np.random.default_rng(0).normal(size=(12, 5, 2)), np.arange(12) % 2
    defaults = {
        name: one.default
        for ancestor in reversed(inspect.getmro(LAYERS[kind]))
        for name, one in inspect.signature(ancestor.__init__).parameters.items()
    }
    kept = ("initializer", "regularizer", "constraint", "use_bias", "activation")
    for name in sorted(accepted(LAYERS[kind]) - {"cell", "rank"}):
        value = defaults.get(name)
        net = make(names[kind], epochs=1, layer_params={name: value}, **options)
        if name.endswith(kept) and name != "activation":
            net.fit(X, y)
            continue
        try:
            net.fit(X, y)
        except ValueError as error:
            message = str(error)
        else:
            message = "taken"
        assert message == "taken" or f"must not hold {name!r}" in message


REFUSED = {
    "unknown": ({"kernel_regulariser": "l2"}, "Dense, got 'kernel_regul.*'kernel_regu"),
    "parameter": ({"units": 3}, "must not hold 'units', got 3. Use the .* dense_units"),
    "activation": ({"activation": "elu"}, "Use the parameter activation"),
    "set": ({"name": "x"}, "must not hold 'name', got 'x'. Leave it out"),
    "value": ({"kernel_initializer": "he"}, "as 'kernel_initializer', got 'he'"),
    "number_of_layers": (({}, {}), "one for each of the 1 layers, got 2"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_bad_options_are_refused(table, case):
    params, match = REFUSED[case]
    net = make("DenseClassifier", epochs=1, random_state=0).fit(*table)
    before = net.predict_proba(table[0])
    with pytest.raises(ValueError, match=f"layer_params.*{match}"):
        net.set_params(layer_params=params).fit(*table)
    assert_array_equal(net.predict_proba(table[0]), before)


def test_strides_and_dilation_are_refused_together(sequences):
    params = {"strides": 2, "dilation_rate": 2}
    net = make("Conv1DClassifier", layer_params=params)
    with pytest.raises(ValueError, match="layer_params=.*can't be used with Conv1D"):
        net.fit(*sequences)


def test_dilated_kernel_must_fit_into_the_sequence(sequences):
    net = make(
        "Conv1DClassifier", kernel_size=3, padding="valid", layer__dilation_rate=3
    )
    with pytest.raises(ValueError, match="kernel_size must be at most .*got 7 where 5"):
        net.fit(*sequences)


def test_keys_of_a_tuple_are_set_in_each_layer():
    net = make("LSTMClassifier", units=(3, 4), layer_params=({"use_bias": False}, None))
    assert "layer__use_bias" not in net.get_params()
    net.set_params(layer__kernel_initializer="he_normal")
    assert net.layer_params == (
        {"use_bias": False, "kernel_initializer": "he_normal"},
        {"kernel_initializer": "he_normal"},
    )
    net.set_params(layer_params={"use_bias": False})
    assert net.get_params()["layer__use_bias"] is False


@pytest.mark.slow
def test_options_are_axes_of_a_grid(table):
    slopes = [{"name": "leaky_relu", "negative_slope": s} for s in (0.1, 0.3)]
    grid = {
        "dense_units": [(8,), (8, 8)],
        "activation": slopes,
        "layer__kernel_initializer": ["he_normal", "lecun_normal"],
    }
    search = GridSearchCV(make("DenseClassifier", epochs=1, random_state=0), grid, cv=2)
    assert len(search.fit(*table).cv_results_["params"]) == 8


def test_well_known_recipe_is_one_line(sequences):
    net = make(
        "DenseClassifier", dense_units=(20, 20), activation="elu", dropout=0.2,
        normalization="batch", layer__kernel_initializer="he_normal", epochs=20,
        learning_rate=0.02, random_state=0,
    )  # fmt: skip
    assert net.fit(*sequences).score(*sequences) > 0.9
    kinds = [type(layer).__name__ for layer in net.model_.layers]
    assert kinds[2:6] == ["Dense", "BatchNormalization", "ELU", "Dropout"]


def test_summary_prints_layers_shapes_and_numbers_of_weights(sequences, capsys):
    net = make("LSTMClassifier", units=4, epochs=1)
    with pytest.raises(NotFittedError):
        net.summary()
    net.fit(*sequences).summary()
    text = capsys.readouterr().out
    assert "recurrent_1 (LSTM)" in text
    assert "(None, 5, 4)" in text
    assert "112" in text  # 4 * 4 * (2 + 4 + 1)


def test_model_can_be_drawn(sequences):
    pytest.importorskip("pydot", reason="pydot is not installed")
    net = make("LSTMClassifier", units=4, pooling="attention", epochs=1)
    dot = keras.utils.model_to_dot(net.fit(*sequences).model_, show_shapes=True)
    assert "attention" in dot.to_string()


@pytest.mark.usefixtures("function_regularizers")
def test_program_differs_with_the_code_of_a_regularizer(table):
    def key(rate):
        def regularizer(x):
            return rate * keras.ops.sum(x * x)

        net = make("DenseClassifier", layer__kernel_regularizer=regularizer, epochs=1)
        return net.fit(*table)._recipe.key()

    assert key(0.1) == key(0.1)
    assert key(0.1) != key(0.2)


@pytest.mark.slow
def test_saved_attention_network_is_loaded_by_keras_alone(sequences, tmp_path):
    net = skseq.LSTMClassifier(4, pooling="attention", epochs=1).fit(*sequences)
    net.model_.save(tmp_path / "net.keras")
    loaded = keras.models.load_model(tmp_path / "net.keras")
    X = sequences[0].astype(np.float32)
    assert_allclose(
        loaded.predict(X, verbose=0)[:, 0], net.predict_proba(X)[:, 1], atol=1e-6
    )
