"""Rows of different lengths in networks: padding changes no result, wherever it is."""

from dataclasses import replace

import joblib
import keras
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import StackingClassifier, VotingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import (
    GridSearchCV,
    TunedThresholdClassifierCV,
    cross_val_predict,
    cross_val_score,
    train_test_split,
)
from sklearn.pipeline import make_pipeline

import skseq
from estimators import FAST, with_slow
from skseq._engine.masks import Windows
from skseq._engine.networks import Convolutional, Dense, Head, Recurrent, rounded
from skseq._engine.recipe import new_recipe
from skseq._engine.train import initial_state, predict, standalone_model
from skseq._padded import PADDING, padded

rng = np.random.default_rng(0)
LENGTHS = np.r_[9, rng.integers(2, 9, size=47)]
ROWS = [rng.normal(size=(n, 2)).astype(np.float32) for n in LENGTHS]
Y = np.array([int(row[:, 0].mean() > 0) for row in ROWS])


@pytest.fixture
def jit_compile():
    """Set the path of training, and set it back."""
    yield skseq.set_jit_compile
    skseq.set_jit_compile("auto")


# ------------------------------------------------------- against rows without padding

COMMON = {"n_features": 2, "head": Head(1, "sigmoid")}


def recurrent(n, cell="gru", **options):
    return Recurrent(
        n_timesteps=n, cell=cell, units=(4, 3), dropout=(0.0, 0.0),
        recurrent_dropout=(0.0, 0.0), layer_activation=(None, "leaky_relu"),
        **COMMON, **options,
    )  # fmt: skip


def convolutional(n, **options):
    options = {"pool_size": (1, 1), "padding": "same", **options}
    return Convolutional(
        n_timesteps=n, filters=(4, 3), kernel_size=(4, 3), activation=("elu", "relu"),
        dropout=(0.0, 0.0), **COMMON, **options,
    )  # fmt: skip


def recipe_of(network):
    return new_recipe(
        network=network, optimizer="adam", optimizer_params={}, learning_rate=None,
        default_rate=0.005, loss="binary_crossentropy", loss_params={}, metrics=(),
    )  # fmt: skip


def assert_padding_has_no_effect(make, options):
    """Compare rows with padding, each row alone, and Keras' own model."""
    rng = np.random.default_rng(2)
    few = [ROWS[0], *(rng.normal(size=(n, 2)).astype(np.float32) for n in (8, 7, 6))]
    network = make(9, **options).with_padding()
    recipe = recipe_of(network)
    # Also biases and statistics of batches differ from 0 and 1.
    weights = [
        weight + rng.uniform(0.05, 0.25, size=weight.shape).astype(np.float32)
        for weight in initial_state(recipe, 0).weights
    ]
    X = padded(few, network.n_timesteps)
    found = predict(recipe, weights, X)
    assert np.ptp(found) > 1e-4
    for row, expected in zip(few, found, strict=True):
        alone = replace(make(len(row), **options), fitted_windows=0).build()
        alone.set_weights(weights)
        np.testing.assert_allclose(alone(row[None])[0], expected, atol=1e-6)
    longer = network.for_rows(90, True)
    more = padded(few, longer.n_timesteps)
    np.testing.assert_allclose(
        predict(recipe_of(longer), weights, more), found, atol=1e-6
    )
    model = standalone_model(recipe, weights)
    for value in (PADDING, np.nan):
        rows = padded(few, network.n_timesteps, value)
        np.testing.assert_allclose(model(rows), found, atol=1e-6)


@pytest.mark.parametrize("normalization", with_slow([None, "batch"], None))
@pytest.mark.parametrize(
    "bidirectional", with_slow([False, True], False), ids=["forward", "both"]
)
@pytest.mark.parametrize(
    "pooling", with_slow(["last", "mean", "max", "parts"], "last", "max")
)
def test_recurrent_networks_give_the_outputs_of_each_row_alone(
    pooling, bidirectional, normalization
):
    options = {"bidirectional": bidirectional, "normalization": normalization}
    assert_padding_has_no_effect(recurrent, {"pooling": pooling, **options})


@pytest.mark.slow
@pytest.mark.parametrize("cell", ["lstm", "simple_rnn"])
def test_other_cells_give_the_outputs_of_each_row_alone(cell):
    options = {"pooling": "mean", "bidirectional": True, "normalization": "layer"}
    assert_padding_has_no_effect(recurrent, {"cell": cell, **options})


@pytest.mark.parametrize("normalization", with_slow([None, "batch"], None))
@pytest.mark.parametrize("pool_size", with_slow([(1, 1), (2, 1), (3, 4)], (1, 1)))
@pytest.mark.parametrize("pooling", with_slow(["mean", "max", "parts"], "max"))
def test_convolutional_networks_give_the_outputs_of_each_row_alone(
    pooling, pool_size, normalization
):
    options = {"pool_size": pool_size, "normalization": normalization}
    assert_padding_has_no_effect(convolutional, {"pooling": pooling, **options})


@pytest.mark.parametrize("padding", ["causal", "valid"])
def test_convolutions_of_each_padding_give_the_outputs_of_each_row_alone(padding):
    assert_padding_has_no_effect(convolutional, {"pooling": "mean", "padding": padding})


@pytest.mark.parametrize("make", [recurrent, convolutional])
def test_flattened_outputs_are_zero_at_padding(make):
    network = make(9, pooling="flatten").with_padding()
    recipe = recipe_of(network)
    weights = initial_state(recipe, 0).weights
    found = predict(recipe, weights, padded(ROWS[:4], 9))
    model = standalone_model(recipe, weights)
    flat = keras.Model(model.input, model.get_layer("pooling").output)
    values = np.array(flat(padded(ROWS[:4], 9))).reshape(4, 9, -1)
    for row, length in zip(values, LENGTHS, strict=False):
        assert row[:length].any()
        assert not row[length:].any()
    np.testing.assert_allclose(found, model(padded(ROWS[:4], 9)), atol=1e-6)


def test_dense_networks_read_zeros_at_padding():
    options = {"dense_units": (4,), "activation": ("relu",), "dropout": (0.0,)}
    network = Dense(n_timesteps=9, **options, **COMMON).with_padding()
    recipe = recipe_of(network)
    weights = initial_state(recipe, 0).weights
    plain = replace(network, masked=False)
    np.testing.assert_allclose(
        predict(recipe, weights, padded(ROWS, 9)),
        predict(recipe_of(plain), weights, padded(ROWS, 9, 0.0)),
        atol=1e-6,
    )


@pytest.mark.parametrize("n", [6, 7, 9])
def test_windows_of_a_fit_without_padding_are_kept(n):
    # Keras puts 1 of 2 missing steps before 6, and none of 1 before 7.
    fitted = convolutional(n, pooling="flatten", pool_size=(4, 1))
    recipe = recipe_of(fitted)
    weights = initial_state(recipe, 0).weights
    X = np.stack([row[-n:] for row in ROWS if len(row) >= n])
    masked = fitted.for_rows(n, True)
    assert masked.masked
    np.testing.assert_allclose(
        predict(recipe_of(masked), weights, X), predict(recipe, weights, X), atol=1e-6
    )


@pytest.mark.parametrize(
    ("windows", "n_after", "n_before"),
    [
        (Windows(3, 1, "same"), 9, 2),
        (Windows(2, 2, "same"), 5, 3),
        (Windows(3, 1, "valid"), 7, 4),
        (Windows(3, 2, "valid"), 4, 5),
        (Windows(3, 1, "causal", dilation=2), 9, 2),
    ],
)
def test_windows_are_counted(windows, n_after, n_before):
    assert windows.n_after(9) == n_after
    assert windows.n_before(2) == n_before
    assert windows.n_after(n_before) == 2


def test_lengths_are_rounded_up_by_an_eighth_at_most():
    assert [rounded(n) for n in (1, 7, 15, 17, 33, 100)] == [1, 7, 15, 18, 36, 104]


def test_unbounded_activations_take_a_loop_that_stops_at_padding():
    # With weights of 2, the state grows by a factor of 2 in each step.
    options = {"pooling": "last", "cell": "simple_rnn"}
    network = replace(recurrent(9, **options), units=(2,), layer_activation=(None,))
    network = network.with_padding().for_rows(500, True)
    recipe = recipe_of(network)
    weights = [np.full_like(w, 0.1) for w in initial_state(recipe, 0).weights]
    X = padded(ROWS[:3], network.n_timesteps)
    assert np.isfinite(predict(recipe, weights, X)).all()


# -------------------------------------------------------------------------- in `fit`

POOLINGS = {
    "LSTMClassifier": ("last", "mean", "max", "flatten"),
    "GRUClassifier": ("last", "flatten"),
    "SimpleRNNClassifier": ("mean",),
    "Conv1DClassifier": ("max", "mean", "parts", "flatten"),
    "DenseClassifier": (None,),
}
FEW = {
    ("LSTMClassifier", "last"),
    ("Conv1DClassifier", "parts"),
    ("DenseClassifier", None),
}
CASES = [
    pytest.param(
        name,
        pooling,
        id=f"{name}-{pooling}",
        marks=() if (name, pooling) in FEW else pytest.mark.slow,
    )
    for name, poolings in POOLINGS.items()
    for pooling in poolings
]


def make(name, pooling, **params):
    size = {"Dense": "dense_units", "Conv1": "filters"}.get(name[:5], "units")
    params = {size: (4,), **FAST, "epochs": 3, **params}
    if pooling is not None:
        params["pooling"] = pooling
    return getattr(skseq, name)(**params)


@pytest.mark.parametrize(("name", "pooling"), CASES)
def test_lists_and_arrays_with_ten_times_the_padding_give_one_network(name, pooling):
    expected = make(name, pooling).fit(ROWS, Y)
    assert expected.n_timesteps_in_ == 9
    found = make(name, pooling, mask_value=np.nan).fit(padded(ROWS, 90, np.nan), Y)
    assert found.n_timesteps_in_ == 9
    for a, b in zip(expected.model_.weights, found.model_.weights, strict=True):
        np.testing.assert_array_equal(a, b)
    probabilities = expected.predict_proba(ROWS)
    for X in (padded(ROWS, 9, np.nan), padded(ROWS, 90, np.nan), ROWS):
        np.testing.assert_array_equal(found.predict_proba(X), probabilities)
    # Nor does a row depend on the rows beside it.
    np.testing.assert_array_equal(expected.predict_proba(ROWS[3:5]), probabilities[3:5])


@pytest.mark.parametrize(
    "name", ["GRUClassifier", "LSTMClassifier", "Conv1DClassifier"]
)
def test_both_paths_learn_the_same_from_padded_rows(name, jit_compile):
    outputs = []
    for xla in (False, True):
        jit_compile(xla)
        pooling = "max" if name == "Conv1DClassifier" else "last"
        net = make(name, pooling, epochs=2).fit(ROWS, Y)
        outputs.append(net.predict_proba(ROWS))
    np.testing.assert_allclose(*outputs, atol=1e-4)


def test_training_is_that_of_keras_with_its_mask():
    net = make("LSTMClassifier", "last", epochs=1, batch_size=48, shuffle=False)
    start = clone(net).initialize(ROWS, Y).model_
    found = net.fit(ROWS, Y).model_
    inputs = keras.Input((None, 2))
    x = keras.layers.Masking(PADDING)(inputs)
    x = keras.layers.LSTM(4)(x)
    model = keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid")(x))
    model.set_weights(start.get_weights())
    model.compile(keras.optimizers.Adam(net.learning_rate), "binary_crossentropy")
    model.fit(padded(ROWS), Y, epochs=1, batch_size=48, shuffle=False, verbose=0)
    for a, b in zip(found.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


class NormalizedClassifier(skseq.Conv1DClassifier):
    def _network(self, head):
        return replace(super()._network(head), normalization="batch")


def test_statistics_of_batches_leave_padding_out():
    net = NormalizedClassifier(
        1, kernel_size=1, activation=None, epochs=1, batch_size=48, learning_rate=1e-12,
        random_state=0,
    )  # fmt: skip
    net.fit(ROWS, Y)
    kernel, bias, _, _, mean, variance, *_ = net.model_.get_weights()
    values = np.concatenate(ROWS) @ kernel[0] + bias
    # The moving averages start at 0 and 1, and the momentum is 0.9.
    np.testing.assert_allclose(mean, 0.1 * values.mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(variance, 0.9 + 0.1 * values.var(axis=0), atol=1e-6)


def test_padding_may_be_at_any_timestep():
    X = padded(ROWS, 12, 0.0)
    spread = np.zeros((len(ROWS), 20, 2), np.float32)
    for place, row in zip(spread, ROWS, strict=True):
        place[np.sort(rng.choice(20, len(row), replace=False))] = row
    net = make("GRUClassifier", "last", mask_value=0).fit(X, Y)
    np.testing.assert_array_equal(net.predict_proba(spread), net.predict_proba(X))


def test_tables_may_have_padding():
    X = padded(ROWS, 10, np.nan)
    params = {"mask_value": float("nan")}
    expected = make("LSTMClassifier", "last", **params).fit(X, Y).predict_proba(X)
    net = make("LSTMClassifier", "last", n_timesteps=10, **params)
    table = X.reshape(len(X), -1)
    np.testing.assert_array_equal(net.fit(table, Y).predict_proba(table), expected)
    assert (net.n_features_in_, net.n_timesteps_in_) == (20, 10)


def test_lists_of_one_length_give_the_network_of_an_array():
    X = np.stack([row[:2] for row in ROWS])
    expected = make("LSTMClassifier", "flatten").fit(X, Y)
    found = make("LSTMClassifier", "flatten").fit(list(X), Y)
    assert not found._recipe.network.masked
    np.testing.assert_array_equal(found.predict_proba(X), expected.predict_proba(X))


def test_x_is_read_in_place(tmp_path):
    X = np.lib.format.open_memmap(
        tmp_path / "X.npy", "w+", np.float32, (len(ROWS), 30, 2)
    )
    X[:] = padded(ROWS, 30, np.nan)
    before = X.copy()
    net = make("GRUClassifier", "last", mask_value=np.nan).fit(X, Y)
    np.testing.assert_array_equal(X, before)
    np.testing.assert_array_equal(net.predict_proba(X), net.predict_proba(ROWS))


# ---------------------------------------------------------------------- other lengths

LONG = [*ROWS[:2], rng.normal(size=(40, 2)).astype(np.float32)]


@pytest.mark.parametrize(
    ("name", "pooling"),
    [
        ("LSTMClassifier", "last"),
        ("GRUClassifier", "mean"),
        ("Conv1DClassifier", "max"),
    ],
)
def test_longer_rows_are_read_whole(name, pooling):
    net = make(name, pooling).fit(ROWS, Y)
    found = net.predict_proba(LONG)
    np.testing.assert_array_equal(found[:2], net.predict_proba(ROWS[:2]))
    alone = replace(net._recipe.network, n_timesteps=40, masked=False).build()
    alone.set_weights(net.model_.get_weights())
    np.testing.assert_allclose(found[2, 1], alone(LONG[2][None])[0, 0], atol=1e-6)


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("LSTMClassifier", {"pooling": "flatten"}),
        ("LSTMClassifier", {"pooling": "mean", "layer_activation": "prelu"}),
        ("Conv1DClassifier", {"pooling": "flatten"}),
        ("Conv1DClassifier", {"pooling": "max", "activation": "prelu"}),
        ("DenseClassifier", {"pooling": None}),
    ],
)
def test_longer_rows_raise_where_each_timestep_has_weights(name, params):
    net = make(name, **params).fit(ROWS, Y)
    with pytest.raises(ValueError, match=r"at most 9 timesteps.*got 40 in X\[2\]"):
        net.predict(LONG)


def test_a_network_fitted_to_an_array_reads_lists():
    X = np.stack([row[:2] for row in ROWS])
    net = make("LSTMClassifier", "last").fit(X, Y)
    found = net.predict_proba([*X[:3], X[3, :1]])
    np.testing.assert_array_equal(found[:3], net.predict_proba(X[:3]))
    with pytest.raises(ValueError, match="1 timesteps"):
        net.predict(X[:, :1])


def test_training_continues_with_rows_of_other_lengths():
    net = make("LSTMClassifier", "last", warm_start=True)
    net.fit(ROWS[:24], Y[:24])
    net.fit([*ROWS[24:], LONG[2]], [*Y[24:], 0])
    assert (net.n_iter_, net.n_timesteps_in_) == (6, 40)
    net.partial_fit([row[:2] for row in ROWS], Y)
    assert (net.n_iter_, net.n_timesteps_in_) == (7, 40)
    fixed = make("LSTMClassifier", "flatten").partial_fit(ROWS, Y, classes=[0, 1])
    fixed.partial_fit([row[:2] for row in ROWS], Y)
    with pytest.raises(ValueError, match=r"got 40 in X\[2\]"):
        fixed.partial_fit(LONG, [0, 1, 1])


# -------------------------------------------------------------- parameters and methods


def test_validation_rows_may_be_longer_and_padded_otherwise():
    net = make("LSTMClassifier", "flatten", mask_value=0, early_stopping=True)
    net.fit(ROWS, Y, X_val=padded(LONG, 50, 0.0), y_val=[0, 1, 0])
    assert net.n_timesteps_in_ == 40
    assert len(net.history_["val_loss"]) == 3


@pytest.mark.parametrize(
    "params",
    [
        {"early_stopping": True, "validation_split": 0.4},
        {"early_stopping": True, "monitor": "roc_auc", "validation_split": 0.3},
        {"class_weight": "balanced"},
        {"balanced_batches": True},
        {"metrics": ["accuracy"]},
        {"dropout": 0.2, "recurrent_dropout": 0.1},
    ],
    ids=lambda params: "-".join(params),
)
def test_lists_go_through_options_of_training(params):
    net = make("LSTMClassifier", "last", **params)
    net.fit(ROWS, Y, sample_weight=np.ones(len(Y)), groups=np.arange(len(Y)))
    assert net.predict(ROWS).shape == Y.shape


def test_a_callable_monitor_gets_rows_as_passed():
    seen = []

    def scorer(estimator, X, y):
        seen.append(X)
        return 0.5

    net = make("LSTMClassifier", "last", early_stopping=True, monitor=scorer)
    net.fit(ROWS, Y)
    assert all(any(row is one for one in ROWS) for row in seen[0])


@pytest.mark.parametrize("name", ["SMOTE", "RandomOverSampler"])
def test_samplers_get_lists(name):
    over_sampling = pytest.importorskip("imblearn.over_sampling")
    few = np.r_[np.flatnonzero(Y == 0)[:8], np.flatnonzero(Y == 1)]
    X, y = [ROWS[i] for i in few], Y[few]
    sampler = getattr(over_sampling, name)()
    net = make("LSTMClassifier", "last", sampler=sampler).fit(X, y)
    table = make(
        "LSTMClassifier", "last", sampler=sampler, mask_value=np.nan, n_timesteps=9
    ).fit(padded(X, 9, np.nan).reshape(len(X), -1), y)
    np.testing.assert_array_equal(
        net.predict_proba(X),
        table.predict_proba(padded(X, 9, np.nan).reshape(len(X), -1)),
    )


@pytest.mark.parametrize("frozen", [False, True])
def test_pretraining_takes_lists(frozen):
    autoencoder = skseq.AutoencoderTransformer(
        kind="lstm", layer_sizes=4, epochs=2, random_state=0
    )
    if frozen:
        autoencoder = FrozenEstimator(autoencoder.fit(ROWS))
    net = make("LSTMClassifier", "last", pretrained=autoencoder)
    net.fit(ROWS, Y, **({} if frozen else {"X_unlabeled": ROWS[:5] + LONG}))
    one = net.predict_proba(ROWS[3:4])
    np.testing.assert_array_equal(one, net.predict_proba(ROWS)[3:4])
    scaled = net.pretrained_._scaling.of_padded_rows()(ROWS[0][None])
    np.testing.assert_allclose(
        net.predict_proba(ROWS[:1])[0, 1], net.model_(scaled)[0, 0], atol=1e-6
    )


def test_pretraining_and_the_network_have_one_mask_value():
    autoencoder = skseq.AutoencoderTransformer(kind="lstm", mask_value=0)
    net = make("LSTMClassifier", "last", mask_value=np.nan, pretrained=autoencoder)
    with pytest.raises(ValueError, match="mask_value=nan or None, got 0"):
        net.fit(padded(ROWS, 9, np.nan), Y)


def test_the_keras_model_reads_rows_padded_with_nan(tmp_path):
    net = make("GRUClassifier", "mean", bidirectional=True).fit(ROWS, Y)
    net.model_.save(tmp_path / "net.keras")
    model = keras.models.load_model(tmp_path / "net.keras")
    padder = skseq.SequencePadder(model.input_shape[1])
    np.testing.assert_allclose(
        model.predict(padder.fit_transform(ROWS), verbose=0)[:, 0],
        net.predict_proba(ROWS)[:, 1],
        atol=1e-6,
    )


# ------------------------------------------------------------- scikit-learn's tools

NET = make("LSTMClassifier", "last")


@pytest.mark.parametrize(
    "make_meta",
    [
        lambda net: make_pipeline(skseq.SequenceScaler(), net),
        lambda net: GridSearchCV(net, {"units": [2, 3]}, cv=2),
        lambda net: CalibratedClassifierCV(net, cv=2),
        lambda net: VotingClassifier([("a", net), ("b", net)], voting="soft"),
        lambda net: StackingClassifier([("a", net)], cv=2),
        lambda net: TunedThresholdClassifierCV(net, cv=2),
        lambda net: FrozenEstimator(clone(net).fit(ROWS, Y)),
    ],
    ids=["pipeline", "grid", "calibrated", "voting", "stacking", "threshold", "frozen"],
)
def test_lists_go_through_scikit_learns_estimators(make_meta):
    X_train, X_test, y_train, y_test = train_test_split(
        ROWS, Y, stratify=Y, random_state=0
    )
    meta = make_meta(NET).fit(X_train, y_train)
    assert meta.predict(X_test).shape == y_test.shape


def test_lists_go_through_cross_validation(tmp_path):
    assert len(cross_val_score(NET, ROWS, Y, cv=3)) == 3
    # Without a meta-estimator in between, arrays of objects do as well.
    rows = np.empty(len(ROWS), dtype=object)
    rows[:] = ROWS
    found = cross_val_predict(NET, rows, Y, cv=3, method="predict_proba")
    np.testing.assert_array_equal(
        found, cross_val_predict(NET, ROWS, Y, cv=3, method="predict_proba")
    )
    net = clone(NET).fit(ROWS, Y)
    joblib.dump(net, tmp_path / "net.joblib")
    loaded = joblib.load(tmp_path / "net.joblib")
    np.testing.assert_array_equal(loaded.predict_proba(LONG), net.predict_proba(LONG))


# ------------------------------------------------------------------------------ errors

NAN = padded(ROWS, 9, np.nan)
PARTLY = NAN.copy()
PARTLY[3, 0, 1] = np.nan
EMPTY = NAN.copy()
EMPTY[2] = np.nan


@pytest.mark.parametrize(
    ("X", "params", "message"),
    [
        (PARTLY, {"mask_value": np.nan}, r"NaN in some features .* of X\[3\].*Imputer"),
        (EMPTY, {"mask_value": np.nan}, "1 rows with only mask_value=nan"),
        ([*ROWS[:-1], np.ones((2, 3))], {}, r"X\[47\] must have 2 features"),
        ([*ROWS[:-1], np.ones((0, 2))], {}, r"X\[47\] must have the shape"),
        ([row[:, 0] for row in ROWS], {}, r"reshape\(-1, 1\)"),
        ([*ROWS[:-1], PARTLY[3]], {}, r"X\[47\] must have no missing values"),
        (ROWS, {"n_timesteps": 3}, "n_timesteps must be None for a list"),
        (NAN, {}, "NaN"),
        (NAN, {"mask_value": "nan"}, "mask_value"),
    ],
)  # fmt: skip
def test_errors_name_the_row_and_the_remedy(X, params, message):
    with pytest.raises((ValueError, TypeError), match=message):
        make("LSTMClassifier", "last", **params).fit(X, Y)


def test_rows_shorter_than_the_convolutions_raise():
    net = skseq.Conv1DClassifier((2, 2), kernel_size=3, padding="valid")
    with pytest.raises(ValueError, match=r"at least 5 timesteps.*got 2 in X\["):
        net.fit(ROWS, Y)


def test_tables_and_lists_are_told_apart():
    net = make("LSTMClassifier", "last").fit(ROWS, Y)
    with pytest.raises(ValueError, match="must have 3 dimensions"):
        net.predict(np.ones((2, 18)))
    net.fit(np.ones((2, 18)), [0, 1])
    with pytest.raises(ValueError, match="got a list of rows"):
        net.predict(ROWS)


# ---------------------------------------------------------- dense networks with pooling


@pytest.mark.parametrize("pooling", with_slow(["mean", "max", "attention"], "max"))
def test_pooled_dense_network_reads_rows_of_any_length(pooling):
    net = skseq.DenseClassifier(4, pooling=pooling, **FAST).fit(ROWS, Y)
    wide = np.full((48, 30, 2), np.nan, np.float32)
    for place, row in zip(wide, ROWS, strict=True):
        place[5 : 5 + len(row)] = row
    masked = skseq.DenseClassifier(4, pooling=pooling, mask_value=np.nan, **FAST)
    np.testing.assert_array_equal(
        masked.fit(wide, Y).predict_proba(wide), net.predict_proba(ROWS)
    )
    twice = [np.concatenate([row, row]) for row in ROWS]  # the same mean and maximum
    np.testing.assert_allclose(
        net.predict_proba(twice), net.predict_proba(ROWS), atol=1e-6
    )
