"""Averages of several networks."""

import pickle

import joblib
import keras
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator

import skseq
from estimators import mostly_slow
from skseq import (
    AutoencoderTransformer,
    Conv1DClassifier,
    DenseClassifier,
    DenseRegressor,
    GRUClassifier,
    LSTMClassifier,
    LSTMRegressor,
)
from skseq.inspection import (
    attention_weights,
    convolution_filters,
    integrated_gradients,
)

FAMILIES = {
    "lstm": (LSTMClassifier, {"units": 4, "dropout": 0.2}),
    "gru": (GRUClassifier, {"units": 4, "bidirectional": True, "pooling": "max"}),
    "conv": (Conv1DClassifier, {"filters": 4, "kernel_size": 3}),
    "batch": (
        Conv1DClassifier,
        {"filters": 4, "kernel_size": 3, "normalization": "batch", "pooling": "parts"},
    ),
    "dense": (DenseClassifier, {"dense_units": 5, "dropout": 0.3}),
}
OPTIONS = {"epochs": 3, "batch_size": 16, "random_state": 0}


@pytest.fixture(params=mostly_slow(FAMILIES, "lstm", "batch", "dense"))
def make_average(request):
    """Make a classifier of three small networks, of each family."""
    cls, options = FAMILIES[request.param]

    def make_one(**params):
        return cls(**{**options, "n_networks": 3, **OPTIONS, **params})

    return make_one


def test_prediction_is_the_mean_of_the_networks(make_average, sequences):
    X, y = sequences
    net = make_average().fit(X, y)
    networks = [net.model_.get_layer(f"network_{i}") for i in (1, 2, 3)]
    each = [np.asarray(one(X))[:, 0] for one in networks]
    np.testing.assert_allclose(net.predict_proba(X)[:, 1], np.mean(each, 0), atol=1e-6)
    assert np.std(each, axis=0).max() > 0.01  # they differ


def test_networks_are_trained_as_alone(sequences):
    X, y = sequences
    net = DenseClassifier(dense_units=5, n_networks=3, **OPTIONS).fit(X, y)
    alone = DenseClassifier(dense_units=5, **OPTIONS).fit(X, y)
    for one, of_several in zip(
        alone.model_.get_weights(),
        net.model_.get_layer("network_1").get_weights(),
        strict=True,
    ):
        np.testing.assert_allclose(of_several, one, atol=1e-5)


@pytest.mark.slow
def test_training_through_xla_gives_the_same(sequences, set_jit_compile):
    X, y = sequences
    found = []
    for xla in (False, True):
        set_jit_compile(xla)
        net = GRUClassifier(4, n_networks=3, **OPTIONS).fit(X, y)
        found.append((net.predict_proba(X), net.history_["loss"]))
    np.testing.assert_allclose(found[0][0], found[1][0], atol=1e-4)
    np.testing.assert_allclose(found[0][1], found[1][1], rtol=1e-4)


def test_seed_gives_the_same_bits(make_average, sequences):
    X, y = sequences
    net = make_average().fit(X, y)
    skseq.clear_programs()
    again = clone(net).fit(X, y)
    np.testing.assert_array_equal(net.predict_proba(X), again.predict_proba(X))
    np.testing.assert_array_equal(net.predict_proba(X[:7]), net.predict_proba(X)[:7])


def test_file_has_all_networks(make_average, sequences, tmp_path):
    X, y = sequences
    net = make_average().fit(X, y)
    joblib.dump(net, tmp_path / "net.joblib")
    loaded = joblib.load(tmp_path / "net.joblib")
    np.testing.assert_array_equal(loaded.predict_proba(X), net.predict_proba(X))
    net.model_.save(tmp_path / "net.keras")
    model = keras.saving.load_model(tmp_path / "net.keras")
    np.testing.assert_allclose(
        np.asarray(model(X))[:, 0], net.predict_proba(X)[:, 1], atol=1e-6
    )


def test_training_goes_on_for_all_networks(make_average, sequences):
    X, y = sequences
    net = make_average(epochs=2, warm_start=True, schedule=None).fit(X, y)
    net = pickle.loads(pickle.dumps(net)).fit(X, y)
    whole = make_average(epochs=4, schedule=None).fit(X, y)
    np.testing.assert_allclose(net.predict_proba(X), whole.predict_proba(X), atol=1e-5)
    assert net.n_iter_ == 4
    net.set_params(n_networks=2)
    with pytest.raises(ValueError, match="got n_networks=2 after 3"):
        net.fit(X, y)
    net.set_params(n_networks=3).partial_fit(X, y)
    assert net.n_iter_ == 5


def test_loss_is_the_mean_and_validation_is_of_the_average(sequences):
    X, y = sequences
    net = DenseClassifier(
        dense_units=5, n_networks=3, learning_rate=1e-9, schedule=None, metrics="mse",
        **OPTIONS,
    ).fit(X, y, X_val=X, y_val=y)  # fmt: skip
    each = [
        np.asarray(net.model_.get_layer(f"network_{i}")(X))[:, 0] for i in (1, 2, 3)
    ]
    losses = [-np.log(np.where(y, p, 1 - p)).mean() for p in each]
    np.testing.assert_allclose(net.history_["loss"][-1], np.mean(losses), rtol=1e-4)
    p = np.mean(each, axis=0)
    found = [net.history_[f"{name}"][-1] for name in ("mse", "val_mse", "val_loss")]
    expected = [np.mean((p - y) ** 2)] * 2 + [-np.log(np.where(y, p, 1 - p)).mean()]
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_early_stopping_keeps_the_best_average(make_average, sequences):
    X, y = sequences
    net = make_average(epochs=5, early_stopping=True, patience=2, monitor="roc_auc")
    net.fit(X, y)
    assert net.best_score_ == max(net.history_["val_roc_auc"])


def test_regressor_averages_in_units_of_y(sequences):
    X, y = sequences
    y = 1000 + 50 * X[:, :, 0].mean(1)
    options = {**OPTIONS, "epochs": 20, "learning_rate": 0.02}
    net = LSTMRegressor(4, n_networks=2, **options).fit(X, y)
    assert net.score(X, y) > 0.8
    np.testing.assert_allclose(np.asarray(net.model_(X))[:, 0], net.predict(X))
    quantiles = DenseRegressor(
        loss="quantile", loss_params={"quantile": (0.1, 0.9)}, n_networks=2, **OPTIONS
    ).fit(X, y)
    assert quantiles.predict_quantiles(X).shape == (60, 2)


@pytest.mark.parametrize(
    "params",
    [
        pytest.param({"optimizer_params": {"clipnorm": 0.01}}, marks=pytest.mark.slow),
        {"optimizer_params": {"global_clipnorm": 0.01}},
        pytest.param({"optimizer_params": {"clipvalue": 0.01}}, marks=pytest.mark.slow),
        pytest.param({"optimizer": "adamw"}, marks=pytest.mark.slow),
        {"layer_params": {"kernel_regularizer": keras.regularizers.L2(0.1)}},
        {"layer_params": {"kernel_constraint": keras.constraints.MaxNorm(0.5)}},
    ],
    ids=lambda params: str(next(iter(params.values())))[:30],
)
def test_options_are_for_each_network(sequences, params):
    X, y = sequences
    found = [
        DenseClassifier(dense_units=5, n_networks=n, **OPTIONS, **params).fit(
            X, y, X_val=X, y_val=y
        )
        for n in (1, 3)
    ]
    alone, several = (net.model_ for net in found)
    for one, of_several in zip(
        alone.get_weights(), several.get_layer("network_1").get_weights(), strict=True
    ):
        np.testing.assert_allclose(of_several, one, atol=1e-5)
    penalty = "layer_params" in params
    assert (found[1].history_["val_loss"][-1] > 1) == (
        penalty and "regularizer" in str(params)
    )


def test_first_weights_reach_all_networks(sequences):
    X, y = sequences
    net = DenseClassifier(
        n_networks=2, output_bias="prior", **{**OPTIONS, "epochs": 1},
        learning_rate=1e-9,
    ).fit(X[y | (np.arange(60) % 3 == 0)], y[y | (np.arange(60) % 3 == 0)])  # fmt: skip
    biases = [net.model_.get_layer(f"network_{i}").get_weights()[-1] for i in (1, 2)]
    np.testing.assert_allclose(biases[0], biases[1], atol=1e-6)
    assert abs(biases[0][0]) > 0.1
    ids = np.random.default_rng(0).integers(2, 6, size=(60, 5))
    vectors = np.random.default_rng(1).normal(size=(6, 3))
    net = LSTMClassifier(
        2, embedding_weights=vectors, embedding_trainable=False, n_networks=2, **OPTIONS
    ).fit(ids, y)
    for i in (1, 2):
        layer = net.model_.get_layer(f"network_{i}").get_layer("embedding")
        np.testing.assert_allclose(layer.get_weights()[0], vectors, rtol=1e-6)
    with pytest.raises(ValueError, match="one network, for paths to the vectors"):
        integrated_gradients(net, ids)


def test_pretrained_weights_are_in_each_network(sequences):
    X, y = sequences
    autoencoder = AutoencoderTransformer(
        kind="lstm", layer_sizes=(4,), epochs=1, random_state=0
    ).fit(X)
    net = LSTMClassifier(
        4, pretrained=FrozenEstimator(autoencoder), n_networks=2, learning_rate=1e-9,
        **OPTIONS,
    ).fit(X, y)  # fmt: skip
    first, second = (
        net.model_.get_layer(f"network_{i}").get_layer("recurrent_1").get_weights()
        for i in (1, 2)
    )
    np.testing.assert_allclose(first[0], second[0], atol=1e-6)


def test_rows_of_different_lengths(sequences):
    X, y = sequences
    rows = [row[: 2 + i % 4] for i, row in enumerate(X)]
    net = GRUClassifier(4, pooling="parts", n_networks=2, **OPTIONS).fit(rows, y)
    alone = np.concatenate([net.predict_proba([row]) for row in rows])
    np.testing.assert_array_equal(net.predict_proba(rows), alone)


def test_callbacks_see_the_average(sequences):
    X, y = sequences
    rates = []

    class Watch(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            rates.append(float(self.model.optimizer.learning_rate.numpy()))

        def on_train_end(self, logs=None):
            self.first = np.asarray(self.model(X[:3].astype("float32")))

    reduce = keras.callbacks.ReduceLROnPlateau(
        monitor="loss", patience=1, factor=0.5, min_delta=10
    )
    net = DenseClassifier(
        n_networks=2, callbacks=[Watch(), reduce], **{**OPTIONS, "learning_rate": 0.1}
    ).fit(X, y)
    np.testing.assert_allclose(rates, [0.1, 0.1, 0.05])
    np.testing.assert_allclose(
        net.callbacks_[0].first[:, 0], net.predict_proba(X[:3])[:, 1], atol=1e-6
    )


def test_optimizer_of_whole_weights_raises(sequences):
    X, y = sequences
    net = DenseClassifier(n_networks=2, optimizer="nadam", **OPTIONS)
    with pytest.raises(ValueError, match="n_networks must be 1 .*optimizer='nadam'"):
        net.fit(X, y)


def test_inspection_of_several_networks(sequences):
    X, y = sequences
    net = Conv1DClassifier(4, kernel_size=3, n_networks=2, **OPTIONS).fit(X, y)
    with pytest.raises(ValueError, match="one network, for the filters .*n_networks=2"):
        convolution_filters(net)
    with pytest.raises(ValueError, match="one network, for the weights"):
        attention_weights(net, X)
    found = integrated_gradients(net, X)
    p = net.predict_proba(X)[:, 1]
    at_zero = net.predict_proba(np.zeros((1, 5, 2)))[:, 1]
    np.testing.assert_allclose(found.sum(axis=(1, 2)), p - at_zero, atol=0.01)
