"""Arguments of Keras' layers: objects of users, bad values, and rows with padding."""

import io

import joblib
import keras
import numpy as np
import pytest
from keras import layers
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone

import skseq
from estimators import AS_KERAS, with_slow
from skseq._engine.layer_params import LAYERS
from skseq._engine.names import accepted

SGD = {
    "optimizer": "sgd", "learning_rate": 0.05, "epochs": 2, "batch_size": 20,
    "shuffle": False, "random_state": 0,
}  # fmt: skip

CONVOLUTION = {
    "filters": 4, "kernel_size": 2, "normalization": None, "pooling": "max",
}  # fmt: skip
FAMILIES = {
    "lstm": (skseq.LSTMClassifier, {"units": 3, "pooling": "flatten"}),
    "gru": (skseq.GRUClassifier, {"units": 3, "pooling": "flatten"}),
    "simple_rnn": (skseq.SimpleRNNClassifier, {"units": 3, "pooling": "flatten"}),
    "conv1d": (skseq.Conv1DClassifier, CONVOLUTION),
    "separable_conv1d": (skseq.Conv1DClassifier, {**CONVOLUTION, "separable": True}),
    "dense": (skseq.DenseClassifier, {"dense_units": 4}),
}


def make(kind, layer_params=None, **params):
    cls, sizes = FAMILIES[kind]
    return cls(**{**AS_KERAS, **SGD, **sizes, "layer_params": layer_params, **params})


# ------------------------------------------------------------- the same by hand


def by_hand(*parts):
    """Make a Keras model of layers, and of functions of a tensor."""
    x = inputs = keras.Input((5, 2))
    for part in parts:
        x = part(x)
    return keras.Model(inputs, layers.Dense(1, activation="sigmoid")(x))


L2 = keras.regularizers.L2(0.02)

PENALTIES = {
    "kernel_regularizer": L2, "bias_regularizer": "l1",
    "activity_regularizer": keras.regularizers.L1L2(0.01, 0.02),
}  # fmt: skip

OF_CELLS = {
    "kernel_regularizer": "l1",
    "recurrent_regularizer": keras.regularizers.L2(0.1),
    "recurrent_constraint": keras.constraints.MaxNorm(0.9),
}

# Each with the kind of network, its parameters, and a function that makes the layers
# between input and output.
CASES = {
    "lstm, penalties": (
        ("lstm", {**PENALTIES, **OF_CELLS}),
        {},
        lambda: [
            layers.LSTM(3, return_sequences=True, **{**PENALTIES, **OF_CELLS}),
            layers.Flatten(),
        ],
    ),
    "lstm, both directions": (
        ("lstm", {**PENALTIES, **OF_CELLS}),
        {"bidirectional": True, "pooling": "last"},
        lambda: [layers.Bidirectional(layers.LSTM(3, **{**PENALTIES, **OF_CELLS}))],
    ),
    "conv1d, groups": (
        ("conv1d", {"groups": 2}),
        {"padding": "valid"},
        lambda: [
            layers.Conv1D(4, 2, groups=2, activation="relu"),
            layers.GlobalMaxPooling1D(),
        ],
    ),
    "separable, causal": (
        ("separable_conv1d", {"dilation_rate": 2}),
        {"padding": "causal", "pooling": "flatten"},
        lambda: [
            layers.ZeroPadding1D((2, 0)),
            layers.SeparableConv1D(4, 2, dilation_rate=2, activation="relu"),
            layers.Flatten(),
        ],
    ),
}  # fmt: skip


@pytest.mark.parametrize("xla", with_slow([False, True], True), ids=["graph", "xla"])
@pytest.mark.parametrize("case", with_slow(CASES, "lstm, penalties", "conv1d, groups"))
def test_options_train_as_layers_put_together_by_hand(
    sequences, case, xla, set_jit_compile
):
    set_jit_compile(xla)
    X, y = sequences
    (kind, layer_params), params, parts = CASES[case]
    net = make(kind, layer_params, **params)
    model = by_hand(*parts())
    model.set_weights(net.initialize(X, y).model_.get_weights())
    x, target = X.astype(np.float32), y.astype(np.float32)[:, None]
    outputs = model.predict(x, verbose=0)
    assert_allclose(net.predict_proba(X)[:, 1], outputs[:, 0], atol=1e-6)
    model.compile(keras.optimizers.SGD(0.05), "binary_crossentropy", run_eagerly=True)
    record = model.fit(x, target, batch_size=20, shuffle=False, epochs=2, verbose=0)
    net.fit(X, y)
    assert_allclose(net.history_["loss"], record.history["loss"], rtol=1e-4)
    for ours, theirs in zip(net.model_.get_weights(), model.get_weights(), strict=True):
        assert_allclose(ours, theirs, atol=1e-4)


# ---------------------------------------------------------- arguments of each layer

VALUES = {
    "initializer": "he_uniform",
    "regularizer": "l2",
    "constraint": "unit_norm",
    "activation": "softsign",
    "bias": False,
    "multiplier": 2,
}
VALUES |= {"strides": 2, "dilation_rate": 2, "groups": 2, "reset_after": False}

ARGUMENTS = [(kind, name) for kind in LAYERS for name in sorted(accepted(LAYERS[kind]))]


@pytest.mark.parametrize(("kind", "name"), ARGUMENTS)
def test_argument_of_a_layer_is_taken_or_refused_with_a_reason(sequences, kind, name):
    X, y = sequences
    value = VALUES.get(name, VALUES.get(name.rpartition("_")[2]))
    of_cell = kind in ("lstm", "gru", "simple_rnn")
    if (kind, name) == ("simple_rnn", "activity_regularizer"):
        with pytest.raises(ValueError, match="Keras ignores 'activity_regularizer'"):
            make(kind, {name: value}).fit(X, y)
        return
    if value is None or (name == "activation" and not of_cell):
        net = make(kind, {name: 1})
        with pytest.raises(ValueError, match=f"must not hold '{name}', got 1"):
            net.fit(X, y)
        return
    model = make(kind, {name: value}).initialize(X, y).model_
    config = model.layers[1 + (kind == "dense")].get_config()[name]
    if isinstance(config, dict):
        config = config["class_name"].lower()
    expected = {"unit_norm": "unitnorm", "he_uniform": "heuniform"}.get(value, value)
    assert config in (expected, (expected,))


@pytest.mark.parametrize(
    ("kind", "layer_params", "error", "message"),
    [
        ("dense", {"kernel_regulariser": "l2"}, ValueError, "'kernel_regularizer'"),
        ("dense", {"units": 3}, ValueError, "got 3. Use the parameter dense_units"),
        ("lstm", {"units": 3}, ValueError, "got 3. Use the parameter units"),
        ("lstm", {"dropout": 0.1}, ValueError, "Use the parameter dropout"),
        ("lstm", {"stateful": True}, ValueError, "must not hold 'stateful'"),
        ("dense", {"kernel_initializer": "he_norml"}, ValueError, "mean 'he_normal'"),
        ("dense", {"kernel_regularizer": 0.1}, ValueError, "0.1} can't be used"),
        ("dense", {"use_bias": "no"}, TypeError, "a bool as 'use_bias', got 'no'"),
        ("conv1d", {"strides": 0}, ValueError, "can't be used with Conv1D"),
        ("conv1d", {"groups": 3}, ValueError, "can't be used with Conv1D"),
        ("conv1d", {"kernel_initializer": "identity"}, ValueError, "2D matrices"),
        ("conv1d", {"strides": 2, "dilation_rate": 2}, ValueError, "strides > 1"),
        (
            "dense", {"kernel_initializer": lambda shape, dtype: np.zeros(3)},
            ValueError, r"tensor of shape \(10, 4\), got \(3,\)",
        ),
        (
            "dense", {"bias_regularizer": lambda w: w}, ValueError,
            r"tensor of shape \(\), got \(4,\)|instance of `keras.regularizers",
        ),
        (
            "lstm", {"activation": keras.layers.PReLU()}, TypeError,
            "Use the parameter layer_activation",
        ),
        ("lstm", ({}, {}), ValueError, "each of the 1 layers, got 2"),
        ("lstm", ("relu",), TypeError, "a dict for each layer, or None, got 'relu'"),
        ("lstm", 3, ValueError, "'layer_params' parameter"),
    ],
)  # fmt: skip
def test_bad_arguments_raise_before_training(
    sequences, kind, layer_params, error, message
):
    net = make(kind)
    net.fit(*sequences)
    weights = net.model_.get_weights()
    with pytest.raises(error, match=message) as caught:
        net.set_params(layer_params=layer_params).fit(*sequences)
    assert "layer_params" in str(caught.value)
    assert_array_equal(net.model_.get_weights()[0], weights[0])


def test_lambda_in_both_directions_raises(sequences):
    params = {"kernel_regularizer": lambda w: keras.ops.sum(w**2)}
    with pytest.raises(ValueError, match="no lambda with bidirectional=True"):
        make("lstm", params, bidirectional=True).fit(*sequences)


# ------------------------------------------------------------------ Keras' objects


def test_initializer_without_a_seed_follows_random_state(sequences):
    initializer = keras.initializers.HeNormal()
    nets = [
        make(
            "dense", {"kernel_initializer": initializer}, dense_units=(4, 4, 4),
            random_state=seed,
        ).initialize(*sequences).model_.get_weights()
        for seed in (0, 0, 1)
    ]  # fmt: skip
    assert_array_equal(nets[0][2], nets[1][2])
    assert np.abs(nets[0][2] - nets[2][2]).max() > 0.1
    # Layers of one size do not share what they drew.
    assert np.abs(nets[0][2] - nets[0][4]).max() > 0.1


class Lasso(keras.regularizers.Regularizer):
    def __init__(self, strength):
        self.strength = strength

    def __call__(self, weights):
        return self.strength * keras.ops.sum(keras.ops.abs(weights))

    def get_config(self):
        return {"strength": self.strength}


def lasso(weights):
    return 0.02 * keras.ops.sum(keras.ops.abs(weights))


@pytest.mark.parametrize("theirs", [Lasso(0.02), lasso], ids=["object", "function"])
@pytest.mark.parametrize(
    ("kind", "params"),
    [
        ("dense", {}),
        ("lstm", {}),
        pytest.param("gru", {"bidirectional": True}, marks=pytest.mark.slow),
        pytest.param("conv1d", {}, marks=pytest.mark.slow),
    ],
)
def test_own_regularizers_count_as_those_of_keras(
    request, sequences, kind, params, theirs
):
    if theirs is lasso:
        request.getfixturevalue("function_regularizers")
    X, y = sequences
    net = make(kind, {"kernel_regularizer": theirs}, **params).fit(X, y)
    keras_own = make(
        kind, {"kernel_regularizer": keras.regularizers.L1(0.02)}, **params
    )
    assert_allclose(
        net.history_["loss"], keras_own.fit(X, y).history_["loss"], rtol=1e-5
    )
    file = io.BytesIO()
    joblib.dump(net, file)
    file.seek(0)
    loaded = joblib.load(file)
    assert_array_equal(loaded.predict_proba(X), net.predict_proba(X))
    assert_array_equal(clone(loaded).fit(X, y).predict_proba(X), net.predict_proba(X))


def test_program_follows_the_state_of_an_own_regularizer(sequences):
    losses = [
        make("dense", {"kernel_regularizer": Lasso(strength)}, epochs=1, batch_size=60)
        .fit(*sequences)
        .history_["loss"][0]
        for strength in (0.0, 0.1, 0.2)
    ]
    assert_allclose(losses[2] - losses[0], 2 * (losses[1] - losses[0]), rtol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("option", ["reset_after", "use_bias"])
def test_rates_of_a_gru_without_a_twin_are_its_own(sequences, option):
    few, many = (
        make("gru", {option: False}, dropout=rate).fit(*sequences).history_["loss"]
        for rate in (0.1, 0.7)
    )
    assert few != many


# ----------------------------------------------------------------- convolutions


@pytest.mark.parametrize(
    ("layer_params", "n_outputs"),
    [(None, 4), ({"strides": 2}, 2), ({"dilation_rate": 3}, 2), ({"strides": 3}, 2)],
)
def test_strides_and_dilation_give_the_length(sequences, layer_params, n_outputs):
    net = make("conv1d", layer_params, padding="valid", pooling="flatten")
    model = net.initialize(*sequences).model_
    assert model.layers[1].output.shape == (None, n_outputs, 4)


# ---------------------------------------------------------------------- padding

PADDED = {
    "attention": ("gru", None, {"pooling": "attention"}),
    "attention, bidirectional": (
        "lstm", {"activation": "relu"}, {"pooling": "attention", "bidirectional": True}
    ),
    "layer normalization": (
        "gru", None, {"pooling": "mean", "normalization": "layer", "dense_units": 3}
    ),
    "no twin": ("gru", {"reset_after": False}, {"pooling": "last"}),
    "strides": ("conv1d", {"strides": 2}, {"pooling": "max"}),
    "dilation": ("conv1d", {"dilation_rate": 2}, {"pooling": "attention"}),
    "separable": (
        "separable_conv1d", {"strides": 2}, {"pooling": "max", "normalization": "layer"}
    ),
    "separable, causal": (
        "separable_conv1d", None, {"pooling": "mean", "padding": "causal"}
    ),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("case", PADDED)
def test_padding_has_no_effect_with_layer_options(sequences, case):
    X, y = sequences
    kind, layer_params, params = PADDED[case]
    lengths = np.array([3, 5, 4])[np.arange(60) % 3]
    rows = [row[:n] for row, n in zip(X, lengths, strict=True)]
    net = make(kind, layer_params, **params).fit(rows, y)
    # Beside a long row there is more padding.
    beside = [*rows, np.zeros((16, 2))]
    assert_allclose(net.predict_proba(beside)[:60], net.predict_proba(rows), atol=1e-6)
    # And the Keras model with NaN as padding computes the same.
    x = np.full((60, net.model_.input_shape[1], 2), np.nan, np.float32)
    for row, n, place in zip(X, lengths, x, strict=True):
        place[:n] = row[:n]
    outputs = net.model_.predict(x, verbose=0)[:, 0]
    assert_allclose(outputs, net.predict_proba(rows)[:, 1], atol=1e-6)


def test_attention_is_a_weighted_mean_of_the_valid_timesteps(sequences):
    X, y = sequences
    rows = [row[: 3 + i % 3] for i, row in enumerate(X)]
    net = make("conv1d", pooling="attention", activation=None, kernel_size=1)
    model = net.fit(rows, y).model_
    kernel, bias, hidden, hidden_bias, score, out, out_bias = model.get_weights()
    h = rows[0] @ kernel[0] + bias
    scores = np.tanh(h @ hidden + hidden_bias) @ score[:, 0]
    weights = np.exp(scores) / np.exp(scores).sum()
    logit = weights @ h @ out + out_bias
    assert_allclose(
        net.predict_proba(rows)[0, 1], 1 / (1 + np.exp(-logit[0])), atol=1e-6
    )


@pytest.mark.parametrize("kind", ["lstm", "conv1d"])
def test_activity_penalty_with_padding_raises(sequences, kind):
    X, y = sequences
    rows = [row[: 3 + i % 3] for i, row in enumerate(X)]
    net = make(kind, {"activity_regularizer": "l2"}, pooling="max")
    net.fit(list(X), y)
    with pytest.raises(ValueError, match="must not hold 'activity_regularizer'"):
        net.fit(rows, y)


# ------------------------------------------------------------- files


@pytest.mark.filterwarnings(
    "ignore:X does not have valid feature names", "ignore:This LSTMClassifier was saved"
)
def test_training_of_a_network_from_version_0_1_goes_on(request):
    net = joblib.load(request.path.parent / "data" / "lstm-0.1.0.joblib")
    X = np.random.default_rng(0).normal(size=(20, 10))
    before = net.n_iter_
    net.set_params(warm_start=True).fit(X, np.resize(net.classes_, 20))
    assert net.n_iter_ > before


def test_summary_of_an_autoencoder_shows_the_layers_of_both_halves(sequences, capsys):
    skseq.AutoencoderTransformer(2, layer_sizes=(3,), epochs=1).fit(
        sequences[0]
    ).summary()
    text = capsys.readouterr().out
    assert "code (Dense)" in text
    assert "decoder_dense_1" in text
