"""Networks that start from an autoencoder's encoder."""

import io

import joblib
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skseq
from estimators import AS_KERAS, mostly_slow
from skseq import AutoencoderTransformer

# A classifier of each family that has an encoder, and the autoencoder that fits it.
PAIRS = {
    "LSTMClassifier": ({"units": (6, 4)}, {"kind": "lstm", "layer_sizes": (6, 4)}),
    "GRUClassifier": ({"units": 6}, {"kind": "gru", "layer_sizes": 6}),
    "Conv1DClassifier": (
        {
            "filters": (6, 4),
            "kernel_size": 3,
            "pool_size": 2,
            "normalization": None,
        },
        {"kind": "conv1d", "layer_sizes": (6, 4), "kernel_size": 3},
    ),
    "DenseClassifier": ({"dense_units": (6, 4)}, {"layer_sizes": (6, 4)}),
}


@pytest.fixture(params=mostly_slow(PAIRS, "LSTMClassifier", "DenseClassifier"))
def name(request):
    return request.param


def autoencoder(name, **params):
    options = {"epochs": 3, "random_state": 0, **PAIRS[name][1], **params}
    return AutoencoderTransformer(**options)


def classifier(name, pretrained, **params):
    options = {"epochs": 3, "random_state": 0, **AS_KERAS, **PAIRS[name][0], **params}
    return getattr(skseq, name)(pretrained=pretrained, **options)


def encoder_weights(fitted):
    """Get the weights of the encoder, without those of the code's layer."""
    return fitted.model_.get_layer("encoder").get_weights()[:-2]


def bits(net):
    return [weights.tobytes() for weights in net.model_.get_weights()]


def test_layers_start_from_the_encoder(name, sequences):
    X, y = sequences
    fitted = autoencoder(name).fit(X)
    expected = encoder_weights(fitted)
    net = classifier(name, FrozenEstimator(fitted)).initialize(X, y)
    ours = net.model_.get_weights()
    assert len(expected) >= 2
    for a, b in zip(ours, expected, strict=False):
        assert_array_equal(a, b)
    # What has no counterpart starts as it would without.
    plain = classifier(name, None).initialize(X, y).model_.get_weights()
    for a, b in zip(ours[len(expected) :], plain[len(expected) :], strict=True):
        assert_array_equal(a, b)
    assert bits(net.pretrained_) == bits(fitted)
    trained = net.fit(X, y).model_.get_weights()
    assert all(abs(a - b).max() > 1e-4 for a, b in zip(trained, ours, strict=True))


def test_frozen_one_is_not_trained_and_survives_copies(name, sequences):
    X, y = sequences
    fitted = autoencoder(name).fit(X)
    before = bits(fitted)
    net = classifier(name, FrozenEstimator(fitted))
    expected = bits(net.fit(X, y))
    assert bits(fitted) == before
    assert bits(clone(net).fit(X, y)) == expected
    file = io.BytesIO()
    joblib.dump(net, file)
    file.seek(0)
    loaded = joblib.load(file)
    assert bits(loaded) == expected
    assert_array_equal(loaded.predict_proba(X), net.predict_proba(X))
    assert bits(loaded.fit(X, y)) == expected


def test_frozen_one_may_be_fitted_again(name, sequences):
    X, y = sequences
    fitted = autoencoder(name).fit(X)
    net = classifier(name, FrozenEstimator(fitted)).fit(X, y)
    expected = net.predict_proba(X)
    fitted.fit(100 * X)
    assert_array_equal(net.predict_proba(X), expected)
    assert type(net.pretrained_.optimizer) is type(fitted.optimizer)


def test_unfitted_one_is_fitted_on_the_training_rows(name, sequences):
    X, y = sequences
    pretrained = autoencoder(name, random_state=None)
    net = classifier(name, pretrained).fit(X, y)
    assert not pretrained.initialized_
    seed = net.pretrained_.random_state
    alone = clone(pretrained).set_params(random_state=seed).fit(X.astype(np.float32))
    assert bits(net.pretrained_) == bits(alone)
    assert bits(clone(net).fit(X, y)) == bits(net)
    other = classifier(name, pretrained, random_state=1).fit(X, y)
    assert bits(other.pretrained_) != bits(alone)


def test_rows_held_out_or_of_weight_zero_are_not_seen(name, sequences):
    X, y = sequences
    net = classifier(name, autoencoder(name), early_stopping=True).fit(X, y)
    shift = net.pretrained_._scaling._shift
    assert abs(shift - X.mean((0, 1))).max() > 1e-4
    weights = (np.arange(60) < 40).astype(float)
    net = classifier(name, autoencoder(name)).fit(X, y, sample_weight=weights)
    assert_allclose(net.pretrained_._scaling._shift, X[:40].mean((0, 1)), atol=1e-5)


def test_rows_without_labels_are_learned_from(name, sequences):
    X, y = sequences
    unlabeled = 3 + 2 * np.random.default_rng(1).normal(size=(200, 5, 2))
    net = classifier(name, autoencoder(name)).fit(X, y, X_unlabeled=unlabeled)
    every = np.concatenate([X, unlabeled]).astype(np.float32)
    assert bits(net.pretrained_) == bits(autoencoder(name).fit(every))


def test_rows_are_scaled_as_the_autoencoder_scales_them(name, sequences):
    X, y = sequences
    raw = 1000 + 50 * X
    fitted = autoencoder(name).fit(raw)
    net = classifier(name, FrozenEstimator(fitted), epochs=30, learning_rate=0.02)
    net.fit(raw, y, X_val=raw, y_val=y)
    assert net.score(raw, y) > 0.9
    scaled = (raw - raw.mean((0, 1))) / raw.std((0, 1))
    outputs = net.model_.predict(scaled.astype(np.float32), verbose=0)
    assert_allclose(net.predict_proba(raw)[:, 1], outputs[:, 0], atol=1e-4)
    assert net.best_score_ == pytest.approx(min(net.history_["val_loss"]))
    unscaled = autoencoder(name, scale=None).fit(scaled)
    same = classifier(
        name, FrozenEstimator(unscaled), epochs=30, learning_rate=0.02
    ).fit(scaled, y)
    assert same.score(scaled, y) > 0.9


@pytest.mark.parametrize("frozen", [False, True])
def test_tables_are_folded_alike(name, table, frozen):
    X, y = table
    pretrained = autoencoder(name)
    if frozen:
        fitted = pretrained.set_params(n_timesteps=5).fit(X.astype(np.float32))
        pretrained = FrozenEstimator(fitted)
    net = classifier(name, pretrained, n_timesteps=5).fit(X, y)
    assert net.pretrained_.n_timesteps_in_ == 5
    assert net.pretrained_.n_features_in_ == 10
    assert net.predict(X).shape == (60,)


def test_going_on_starts_from_where_training_stands(name, sequences):
    X, y = sequences
    twice = classifier(name, autoencoder(name), warm_start=True).fit(X, y)
    twice.fit(X, y)
    once = classifier(name, autoencoder(name), epochs=6).fit(X, y)
    assert bits(twice) == bits(once)
    with pytest.raises(ValueError, match="X_unlabeled must be None where warm_start"):
        twice.fit(X, y, X_unlabeled=X)
    plain = twice.set_params(pretrained=None, warm_start=False).fit(X, y)
    assert not hasattr(plain, "pretrained_")
    assert bits(plain) == bits(classifier(name, None).fit(X, y))


def test_grid_over_parameters_of_the_autoencoder(name, table):
    X, y = table
    net = classifier(name, autoencoder(name), n_timesteps=5, learning_rate=0.05)
    pipeline = make_pipeline(StandardScaler(), net)
    step = name.lower()
    grid = GridSearchCV(
        pipeline,
        {
            f"{step}__pretrained__epochs": [1, 4],
            f"{step}__pretrained__optimizer__clipnorm": [1.0],
        },
        cv=3, scoring="roc_auc", error_score="raise",
    ).fit(X, y)  # fmt: skip
    assert grid.best_score_ > 0.7
    chosen = grid.best_params_[f"{step}__pretrained__epochs"]
    assert grid.best_estimator_[-1].pretrained_.n_iter_ == chosen
    assert net.pretrained.epochs == 3
    assert net.get_params()["pretrained__kind"] == PAIRS[name][1].get("kind", "dense")


@pytest.mark.parametrize(
    ("make", "error", "match"),
    [
        (lambda ae, X: ae.fit(X), ValueError, "unfitted or frozen, got a fitted"),
        (lambda ae, X: FrozenEstimator(ae), ValueError, "FrozenEstimator, got an unfi"),
        (lambda ae, X: "lstm", TypeError, "AutoencoderTransformer or None, got 'lstm'"),
        (
            lambda ae, X: FrozenEstimator(StandardScaler().fit(X[:, 0])),
            TypeError,
            r"got FrozenEstimator\(estimator=StandardScaler",
        ),
    ],
    ids=["fitted", "frozen unfitted", "name", "frozen scaler"],
)
def test_what_is_no_autoencoder_is_refused(name, sequences, make, error, match):
    X, y = sequences
    net = classifier(name, make(autoencoder(name), X))
    with pytest.raises(error, match=f"(?s){match}.*FrozenEstimator"):
        net.fit(X, y)
    assert not net.initialized_


def test_layers_that_do_not_fit_are_listed(sequences):
    X, y = sequences
    fitted = autoencoder("LSTMClassifier").fit(X)
    net = skseq.LSTMClassifier((6, 5), pretrained=FrozenEstimator(fitted), epochs=1)
    with pytest.raises(ValueError, match="recurrent_2") as caught:
        net.fit(X, y)
    message = str(caught.value)
    assert "kernel: (6, 16) in the encoder, (6, 20) in the network" in message
    assert "recurrent_1" not in message
    net.set_params(units=6)
    with pytest.raises(ValueError, match=r"recurrent_2\S+: \(6, 16\) in .*, missing"):
        net.fit(X, y)
    # A network may have further layers of its own.
    assert net.set_params(units=(6, 4, 3)).fit(X, y).n_iter_ == 1


@pytest.mark.parametrize(
    ("name", "params", "autoencoder_params", "match"),
    [
        ("LSTMClassifier", {}, {"kind": "gru"}, "cell='lstm'.*encoder's is 'gru'"),
        ("LSTMClassifier", {}, {"kind": "dense"}, "kind='dense' for a recurrent"),
        (
            "DenseClassifier",
            {"activation": "tanh"},
            {},
            r"activation=\('tanh', 'tanh'\).*'relu'",
        ),
        ("Conv1DClassifier", {"pool_size": 1}, {}, r"pool_size=\(1,\).*is \(2,\)"),
        ("Conv1DClassifier", {"padding": "causal"}, {}, "padding='causal'.*'same'"),
        ("GRUClassifier", {"layer_activation": "relu"}, {}, "layer_activation=.*relu"),
        ("GRUClassifier", {"bidirectional": True}, {}, "recurrent_1.*missing"),
        (
            "DenseClassifier",
            {},
            {"normalization": "batch"},
            "normalization=None.*'batch'",
        ),
        (
            "DenseClassifier",
            {"normalization": "batch"},
            {"normalization": "batch"},
            "normalization before the activation",
        ),
        (
            "LSTMClassifier",
            {"layer_params": {"use_bias": False}},
            {},
            "layer_params=.*use_bias",
        ),
        ("Conv1DClassifier", {"separable": True}, {}, "separable=True"),
        ("DenseClassifier", {}, {"mask_value": 0.0}, "mask_value=None, got 0.0"),
    ],
)
def test_what_would_mean_something_else_is_refused(
    sequences, name, params, autoencoder_params, match
):
    X, y = sequences
    pretrained = autoencoder(name, **autoencoder_params)
    net = classifier(name, pretrained, **params)
    with pytest.raises(ValueError, match=match):
        net.fit(X, y)
    assert not net.initialized_


def test_rows_of_another_shape_are_refused(sequences, table):
    X, y = sequences
    fitted = autoencoder("DenseClassifier").fit(table[0])
    net = classifier("DenseClassifier", FrozenEstimator(fitted))
    message = (
        "the shape of X, sequences of . features, got one that was fitted on a table"
    )
    with pytest.raises(ValueError, match=message):
        net.fit(X, y)
    net = classifier("DenseClassifier", autoencoder("DenseClassifier"))
    with pytest.raises(ValueError, match="X_unlabeled has 4 timesteps"):
        net.fit(X, y, X_unlabeled=X[:, :4])
    with pytest.raises(ValueError, match="contains NaN"):
        net.fit(X, y, X_unlabeled=np.full_like(X, np.nan))


def test_unlabeled_rows_need_an_unfitted_autoencoder(sequences):
    X, y = sequences
    with pytest.raises(ValueError, match="X_unlabeled needs pretrained, got None"):
        classifier("DenseClassifier", None).fit(X, y, X_unlabeled=X)
    fitted = FrozenEstimator(autoencoder("DenseClassifier").fit(X))
    with pytest.raises(ValueError, match="X_unlabeled must be None with a frozen"):
        classifier("DenseClassifier", fitted).fit(X, y, X_unlabeled=X)
    net = classifier("DenseClassifier", None)
    with pytest.raises(ValueError, match="pretrained__epochs needs pretrained, got N"):
        net.set_params(pretrained__epochs=2)


def test_simple_recurrent_network_has_no_encoder_of_its_kind(sequences):
    X, y = sequences
    net = skseq.SimpleRNNClassifier(6, pretrained=autoencoder("GRUClassifier"))
    with pytest.raises(ValueError, match="cell='simple_rnn'.*encoder's is 'gru'"):
        net.fit(X, y)


@pytest.mark.parametrize("name", ["DenseClassifier", "GRUClassifier"])
def test_columns_of_a_frozen_autoencoder_are_compared(name, table):
    X, y = table
    frame = pd.DataFrame(X).add_prefix("c")
    fitted = autoencoder(name, n_timesteps=5).fit(frame)
    net = classifier(name, FrozenEstimator(fitted), n_timesteps=5)
    expected = bits(net.fit(frame, y))
    with pytest.raises(
        ValueError, match="pretrained must be fitted on .*'c9' where it"
    ):
        net.fit(frame[frame.columns[::-1]], y)
    assert bits(net) == expected
    net.fit(X, y)  # an array has no names


def test_going_on_without_an_autoencoder_refuses_one(sequences):
    X, y = sequences
    net = skseq.DenseClassifier((6, 4), epochs=1, warm_start=True).fit(X, y)
    expected = bits(net)
    net.set_params(pretrained=autoencoder("DenseClassifier"))
    for method in (net.fit, net.partial_fit):
        with pytest.raises(
            ValueError, match=r"fitted network, got pretrained=Auto(.|\n)* after None"
        ):
            method(X, y)
    assert bits(net) == expected
