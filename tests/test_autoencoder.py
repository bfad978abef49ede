"""AutoencoderTransformer: codes, errors, samples, and its place in scikit-learn."""

import io
import pickle
import subprocess
import sys
import threading

import joblib
import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.manifold import TSNE
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV, GroupShuffleSplit
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

import skseq
from estimators import mostly_slow, with_slow
from skseq import AutoencoderTransformer
from skseq._base import train
from skseq._engine import cache, program
from skseq._padded import PADDING

# Small networks, one of each kind, that train in a moment.
KINDS = {
    "dense": {"layer_sizes": (8, 6)},
    "lstm": {"kind": "lstm", "layer_sizes": (6, 5)},
    "gru": {"kind": "gru", "layer_sizes": 6},
    "conv1d": {"kind": "conv1d", "layer_sizes": (6, 5), "kernel_size": 3},
}
FAST = {"epochs": 5, "random_state": 0}


@pytest.fixture(params=mostly_slow(KINDS, "lstm"))
def make(request):
    """Make a transformer from parameters; runs a test once for each kind."""
    return lambda **params: AutoencoderTransformer(
        **{**FAST, **KINDS[request.param], **params}
    )


def dense(**params):
    return AutoencoderTransformer(**{**FAST, **KINDS["dense"], **params})


@pytest.fixture
def waves():
    """Make X of shape (90, 7, 2): a sine and a cosine with phases all over."""
    rng = np.random.default_rng(0)
    places = rng.uniform(0, 2 * np.pi, size=(90, 1)) + np.arange(7) / 2
    waves = np.stack([5 + np.sin(places), 100 + 20 * np.cos(places)], axis=2)
    return waves + 0.01 * rng.normal(size=waves.shape)


@pytest.fixture
def padded(waves):
    """Pad the end of two thirds of the rows of ``waves`` by -1."""
    lengths = 3 + 2 * (np.arange(90) % 3)
    padding = np.arange(7) >= lengths[:, None]
    X = waves.copy()
    X[padding] = -1
    return X, padding


def bits(transformer):
    return [weights.tobytes() for weights in transformer.model_.get_weights()]


def reloaded(estimator):
    file = io.BytesIO()
    joblib.dump(estimator, file)
    file.seek(0)
    return joblib.load(file)


def standardised(X):
    return (X - X.mean((0, 1))) / X.std((0, 1))


ERRORS = {
    "mse": lambda a, b: (a - b) ** 2,
    "mae": lambda a, b: abs(a - b),
    "huber": lambda a, b: np.where(abs(a - b) <= 1, (a - b) ** 2 / 2, abs(a - b) - 0.5),
    "binary_crossentropy": lambda a, b: -(a * np.log(b) + (1 - a) * np.log(1 - b)),
}

# ---------------------------------------------------------------------- what is learned


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_codes_beat_pca_on_a_curved_line(waves, kind):
    # One number tells the place on the circle; PCA needs two.
    X = standardised(waves).astype(np.float32)
    sizes = 16 if kind in ("lstm", "gru") else (32, 16)
    net = AutoencoderTransformer(
        1, **{**KINDS[kind], "layer_sizes": sizes}, epochs=100, learning_rate=0.01,
        random_state=0,
    ).fit(X[:60])  # fmt: skip
    flat = X.reshape(90, -1)
    pca = PCA(1).fit(flat[:60])
    linear = flat[60:] - pca.inverse_transform(pca.transform(flat[60:]))
    ours = X[60:] - net.inverse_transform(net.transform(X[60:]))
    assert (ours**2).mean() < 0.75 * (linear**2).mean()
    assert_allclose(-net.score(X[60:]), (ours**2).mean(), rtol=0.05)


def test_without_layers_it_spans_what_pca_does(waves):
    X = standardised(waves).reshape(90, -1)
    net = AutoencoderTransformer(
        2, layer_sizes=(), scale=None, epochs=300, learning_rate=0.003, random_state=0
    ).fit(X)
    pca = PCA(2).fit(X)
    least = ((X - pca.inverse_transform(pca.transform(X))) ** 2).mean()
    assert least <= -net.score(X) <= least + 1e-4  # of a variance of 1


def test_shapes_of_sequences(make, waves):
    net = make(n_components=3)
    codes = net.fit_transform(waves)
    assert codes.shape == (90, 3)
    assert_array_equal(net.transform(waves), codes)
    assert net.inverse_transform(codes[:4]).shape == (4, 7, 2)
    assert net.sample(5, random_state=0).shape == (5, 7, 2)
    assert net.reconstruction_error(waves[:4]).shape == (4,)
    assert net.reconstruction_error(waves[:4], by="step").shape == (4, 7)
    assert net.reconstruction_error(waves[:4], by="feature").shape == (4, 2)
    assert (net.n_features_in_, net.n_timesteps_in_) == (2, 7)
    assert net.model_(np.zeros((3, 7, 2), np.float32)).shape == (3, 7, 2)


@pytest.mark.parametrize("n_timesteps", [None, 7])
def test_shapes_of_tables(make, waves, n_timesteps):
    X = waves.reshape(90, 14)
    net = make(n_timesteps=n_timesteps)
    codes = net.fit_transform(X)
    assert net.inverse_transform(codes[:4]).shape == (4, 14)
    assert net.sample(5, random_state=0).shape == (5, 14)
    n_steps, n_features = (14, 1) if n_timesteps is None else (7, 2)
    assert net.reconstruction_error(X, by="step").shape == (90, n_steps)
    assert net.reconstruction_error(X, by="feature").shape == (90, n_features)
    assert (net.n_features_in_, net.n_timesteps_in_) == (14, n_steps)


@pytest.mark.parametrize("n_steps", with_slow([1, 2, 5, 6], 2, 5))
def test_any_number_of_timesteps_is_given_back(make, n_steps):
    X = np.random.default_rng(0).normal(size=(20, n_steps, 3))
    net = make(epochs=2).fit(X)
    assert net.inverse_transform(net.transform(X)).shape == X.shape


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_is_kept(make, waves, dtype):
    X = waves.astype(dtype)
    net = make().fit(X)
    codes = net.transform(X)
    assert codes.dtype == dtype
    assert net.inverse_transform(codes).dtype == dtype


def test_model_holds_encoder_and_decoder(make, waves):
    net = make(scale=None).fit(waves)
    model = net.model_
    X = waves.astype(np.float32)
    codes = model.get_layer("encoder").predict(X, verbose=0)
    assert_allclose(codes, net.transform(X), rtol=1e-4, atol=1e-4)
    rows = model.get_layer("decoder").predict(codes, verbose=0)
    assert_allclose(rows, net.inverse_transform(codes), rtol=1e-4, atol=1e-4)
    assert_allclose(model.predict(X, verbose=0), rows, rtol=1e-3, atol=1e-3)


def test_decoder_mirrors_the_encoder():
    X = np.zeros((4, 12, 3))
    X[0] = 1
    for name, encoder, decoder in (
        ("dense", [(36, 8), (8, 6), (6, 2)], [(2, 6), (6, 8), (8, 36)]),
        (
            "conv1d",
            [(3, 3, 6), (3, 6, 5), (15, 2)],
            [(2, 15), (3, 5, 6), (3, 6, 3)],
        ),
    ):
        net = AutoencoderTransformer(**KINDS[name]).initialize(X)
        for part, shapes in (("encoder", encoder), ("decoder", decoder)):
            weights = net.model_.get_layer(part).get_weights()
            assert [w.shape for w in weights[::2]] == shapes


@pytest.mark.parametrize("shape", [(90, 7, 2), (90, 14)])
def test_scales_are_of_columns_or_of_features(waves, shape):
    X = waves.reshape(shape)
    net = dense().fit(X)
    axes = tuple(range(len(shape) - 1))
    scaler = StandardScaler().fit(X.reshape(-1, shape[-1]))
    expected = dense(scale=None).fit((X - X.mean(axes)) / X.std(axes))
    assert_allclose(net.transform(X), expected.transform((X - X.mean(axes)) / scaler.scale_), atol=1e-4)  # noqa: E501  # fmt: skip


def test_minmax_scale_is_scikit_learns(waves):
    X = waves.reshape(90, 14)
    scaler = MinMaxScaler().fit(X)
    net = dense(scale="minmax").fit(X)
    plain = dense(scale=None).fit(scaler.transform(X))
    assert_allclose(net.transform(X), plain.transform(scaler.transform(X)), atol=1e-4)
    assert_allclose(
        net.inverse_transform(net.transform(X)),
        scaler.inverse_transform(plain.inverse_transform(net.transform(X))),
        rtol=1e-5,
    )


def test_raw_table_works_in_its_own_precision():
    rng = np.random.default_rng(0)
    t = rng.uniform(-1, 1, size=200)
    X = np.stack([1e9 + t, 1e-9 * t, np.full(200, 7.0)], axis=1)
    net = AutoencoderTransformer(1, layer_sizes=(16,), random_state=0).fit(X)
    back = net.inverse_transform(net.transform(X))
    assert np.corrcoef(back[:, 0] - 1e9, t)[0, 1] > 0.99
    assert np.corrcoef(back[:, 1], t)[0, 1] > 0.99
    assert_allclose(back[:, 2], 7, atol=0.2)


# ------------------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("scale", "loss"),
    [
        ("minmax", "mse"),
        ("standard", "mae"),
        pytest.param("standard", "mse", marks=pytest.mark.slow),
        *(
            pytest.param("minmax", loss, marks=pytest.mark.slow)
            for loss in ERRORS
            if loss != "mse"
        ),
    ],
)
def test_errors_are_those_of_the_loss(make, waves, loss, scale):
    net = make(loss=loss, scale=scale).fit(waves)
    back = net.inverse_transform(net.transform(waves))
    if scale == "standard":
        shift, factor = waves.mean((0, 1)), waves.std((0, 1))
    else:
        shift, factor = waves.min((0, 1)), np.ptp(waves, axis=(0, 1))
    cells = ERRORS[loss]((waves - shift) / factor, (back - shift) / factor)
    tolerance = {"rtol": 1e-3, "atol": 1e-5}
    rows = net.reconstruction_error(waves)
    assert_allclose(rows, cells.mean((1, 2)), **tolerance)
    by_step = net.reconstruction_error(waves, by="step")
    assert_allclose(by_step, cells.mean(2), **tolerance)
    by_feature = net.reconstruction_error(waves, by="feature")
    assert_allclose(by_feature, cells.mean(1), **tolerance)
    assert_array_equal(net.score_samples(waves), -rows)
    assert net.score(waves) == pytest.approx(-rows.mean())


def test_training_loss_is_the_error(make, waves):
    # At that rate the weights of all steps are the same.
    net = make(learning_rate=1e-12, epochs=1, batch_size=16).fit(waves)
    assert net.history_["loss"][0] == pytest.approx(-net.score(waves), rel=1e-4)


def test_odd_step_and_feature_are_found(make, waves):
    net = make(epochs=60, learning_rate=0.01).fit(waves)
    odd = waves[:20].copy()
    odd[:, 4, 1] += 200
    assert (net.score_samples(odd) < net.score_samples(waves).min()).all()
    assert (net.reconstruction_error(odd, by="step").argmax(1) == 4).mean() > 0.8
    assert (net.reconstruction_error(odd, by="feature").argmax(1) == 1).all()


def test_sigmoid_keeps_reconstructions_in_range(make, waves):
    net = make(loss="binary_crossentropy", scale="minmax").fit(waves)
    far = 100 * np.random.default_rng(0).normal(size=(50, 2))
    rows = net.inverse_transform(far)
    assert rows[..., 0].min() >= waves[..., 0].min() - 1e-4
    assert rows[..., 1].max() <= waves[..., 1].max() + 1e-3
    # Rows beyond the training rows' range count as at its border.
    beyond = np.maximum(waves, waves.max((0, 1)) + 5)
    border = np.broadcast_to(waves.max((0, 1)), waves.shape)
    assert_allclose(net.transform(beyond), net.transform(border), atol=1e-5)


# ---------------------------------------------------------------- agreement with Keras


def _trained_in_keras(net, X, epochs=3, batch_size=16):
    """Train with Keras' own fit, from the first weights of ``net`` for X."""
    model = net.initialize(X).model_
    model.compile(
        keras.optimizers.SGD(net.learning_rate), loss=net.loss, jit_compile=False
    )
    model.fit(X, X, epochs=epochs, batch_size=batch_size, shuffle=False, verbose=0)
    return model.get_weights()


@pytest.mark.parametrize(
    ("loss", "xla"),
    [
        ("mse", False),
        pytest.param("mae", False, marks=pytest.mark.slow),
        pytest.param("huber", False, marks=pytest.mark.slow),
        pytest.param("mse", True, marks=pytest.mark.slow),
    ],
)
def test_training_agrees_with_keras(make, waves, loss, xla, set_jit_compile):
    set_jit_compile(xla)
    X = standardised(waves).astype(np.float32)
    net = make(
        scale=None, loss=loss, optimizer="sgd", learning_rate=0.05, shuffle=False,
        epochs=3, batch_size=16,
    )  # fmt: skip
    expected = _trained_in_keras(net, X)
    first = net.initialize(X).model_.get_weights()
    ours = net.fit(X).model_.get_weights()
    assert any(abs(a - b).max() > 1e-3 for a, b in zip(first, ours, strict=True))
    for a, b in zip(ours, expected, strict=True):
        assert_allclose(a, b, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("xla", with_slow([False, True], True), ids=["graph", "xla"])
def test_batch_normalization_agrees_with_keras(make, waves, xla, set_jit_compile):
    # 90 rows in batches of at most 16 are six of 15.
    set_jit_compile(xla)
    X = standardised(waves).astype(np.float32)
    net = make(
        scale=None, normalization="batch", optimizer="sgd", learning_rate=0.05,
        shuffle=False, epochs=3, batch_size=16,
    )  # fmt: skip
    expected = _trained_in_keras(net, X, batch_size=15)
    names = [v.name for v in net.initialize(X).model_.weights]
    assert "moving_mean" in names
    ours = net.fit(X).model_.get_weights()
    for a, b in zip(ours, expected, strict=True):
        assert_allclose(a, b, atol=2e-4)
    moved = [w for w, n in zip(ours, names, strict=True) if n == "moving_mean"]
    assert all(abs(w).max() > 1e-3 for w in moved)


def test_rows_of_weight_zero_and_repeated_rows_count_as_they_should(make, waves):
    weights = np.arange(90) % 3
    repeated = np.repeat(waves, weights, axis=0)
    params = {"batch_size": 90, "epochs": 2, "shuffle": False}
    weighted = make(**params).fit(waves, sample_weight=weights)
    plain = make(**params).fit(repeated)
    assert_allclose(weighted.transform(waves), plain.transform(waves), atol=1e-4)
    left_out = make(**params).fit(waves, sample_weight=(weights > 0).astype(float))
    without = make(**params).fit(waves[weights > 0])
    assert bits(left_out) == bits(without)


@pytest.mark.parametrize("optimizer", ["sgd", "lamb"])
def test_tied_weights_are_transposes(waves, optimizer):
    X = waves.reshape(90, 14)
    net = dense(tied_weights=True, optimizer=optimizer)
    for fitted in (net.initialize(X), net.fit(X), net.partial_fit(X), reloaded(net)):
        kernels = [w for w in fitted.model_.get_weights() if w.ndim == 2]
        assert len(kernels) == 6
        for ours, theirs in zip(kernels[:3], reversed(kernels[3:]), strict=True):
            assert_array_equal(ours, theirs.T)


def test_tied_weights_move_by_both_gradients(waves):
    X = standardised(waves).astype(np.float32).reshape(90, 14)
    net = dense(
        tied_weights=True, scale=None, optimizer="sgd", learning_rate=0.1, epochs=1,
        batch_size=90,
    )  # fmt: skip
    model = net.initialize(X).model_
    cube = X[:, :, None]
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((model(cube) - cube) ** 2)
    gradients = tape.gradient(loss, [v.value for v in model.trainable_variables])
    before = model.get_weights()
    net.fit(X)
    after = net.model_.get_weights()
    for kernel, bias, mirrored in ((0, 1, 10), (2, 3, 8), (4, 5, 6)):
        both = gradients[kernel] + tf.transpose(gradients[mirrored])
        assert_allclose(after[kernel], before[kernel] - 0.1 * both, atol=1e-5)
        assert_allclose(after[bias], before[bias] - 0.1 * gradients[bias], atol=1e-5)


@pytest.mark.parametrize("optimizer", ["adam", "lamb"])
def test_callbacks_see_a_model_in_the_state_of_the_fit(waves, optimizer):
    seen = []

    class Look(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append(self.model.get_weights())

    X = waves.reshape(90, 14)
    params = {"tied_weights": True, "optimizer": optimizer, "noise": 0.1}
    watched = dense(callbacks=Look(), **params).fit(X)
    assert len(seen) == 5 * 3
    for a, b in zip(seen[-1], watched.model_.get_weights(), strict=True):
        assert_array_equal(a, b)
    assert bits(watched) == bits(dense(**params).fit(X))


# ----------------------------------------------------------- noise, sparse, variational


def corrupted(X, noise, **params):
    net = AutoencoderTransformer(noise=noise, **params).initialize(np.ones((4, 50, 2)))
    with cache.borrowed(net._recipe) as borrowed:
        objective = borrowed.objective
    rng = np.random.default_rng(0)
    weights = np.ones(len(X), np.float32)
    noisy, clean, kept = objective.corrupt([X, weights], net._recipe.values(), rng)
    assert clean is X
    assert kept is weights
    assert noisy.dtype == np.float32
    return noisy


def test_gaussian_noise_has_its_level():
    X = np.ones((200, 50, 2), np.float32)
    noisy = corrupted(X, 0.3)
    assert noisy.mean() == pytest.approx(1, abs=0.01)
    assert noisy.std() == pytest.approx(0.3, rel=0.02)
    assert_array_equal(corrupted(X, ("gaussian", 0.3)), noisy)


def test_masking_noise_sets_a_fraction_to_zero():
    X = np.full((200, 50, 2), 5, np.float32)
    noisy = corrupted(X, ("masking", 0.2))
    assert set(np.unique(noisy)) == {0, 5}
    assert (noisy == 0).mean() == pytest.approx(0.2, abs=0.01)


@pytest.mark.parametrize("noise", [0.3, ("masking", 0.5)])
def test_noise_leaves_padding_alone(noise):
    X = np.ones((20, 50, 2), np.float32)
    X[:, 30:] = PADDING
    noisy = corrupted(X, noise, mask_value=-1.0)
    assert_array_equal(noisy[:, 30:], X[:, 30:])
    assert (noisy[:, :30] != 1).any()


@pytest.mark.parametrize("noise", [0.3, ("masking", 0.2)])
def test_noise_does_not_depend_on_chunks(waves, noise, monkeypatch):
    expected = bits(dense(noise=noise, batch_size=16).fit(waves))
    monkeypatch.setattr(program, "_CHUNK_STEPS", 1)
    assert bits(dense(noise=noise, batch_size=16).fit(waves)) == expected


def test_noise_is_for_training_alone_and_differs_by_step(make, waves):
    plain = make().fit(waves)
    noisy = make(noise=0.5).fit(waves)
    assert bits(noisy) != bits(plain)
    assert bits(make(noise=0.5).fit(waves)) == bits(noisy)
    assert bits(make(noise=0.0).fit(waves)) == bits(plain)
    assert_array_equal(noisy.transform(waves), noisy.transform(waves))
    # With all but nothing left of a row, the best guess is the mean of all rows.
    blind = make(noise=("masking", 0.99), epochs=30).fit(waves)
    assert blind.history_["loss"][-1] > 0.7


def test_denoised_rows_are_nearer_to_what_they_were(waves):
    rng = np.random.default_rng(1)
    noisy = waves + rng.normal(size=waves.shape) * 0.5 * waves.std((0, 1))
    net = AutoencoderTransformer(noise=0.5, epochs=300, random_state=0).fit(waves)
    back = net.inverse_transform(net.transform(noisy))
    spread = waves.var((0, 1))
    before, after = (((x - waves) ** 2 / spread).mean() for x in (noisy, back))
    assert after < 0.5 * before


def test_activity_penalty_is_the_sum_of_the_codes(make, waves):
    net = make(activity_l1=0.5, learning_rate=1e-12, epochs=1).fit(waves)
    penalty = 0.5 * abs(net.transform(waves)).sum(1).mean()
    expected = -net.score(waves) + penalty
    assert net.history_["loss"][0] == pytest.approx(expected, rel=1e-4)
    small = make(activity_l1=1.0, epochs=40, learning_rate=0.01).fit(waves)
    large = make(epochs=40, learning_rate=0.01).fit(waves)
    assert abs(small.transform(waves)).mean() < 0.5 * abs(large.transform(waves)).mean()


def _divergence(net, X):
    """Compute the divergence of each row by the textbook formula."""
    encoded = net.model_.get_layer("encoder").predict(net._scaling(X), verbose=0)
    mean, log_variance = np.split(encoded.astype(np.float64), 2, axis=1)
    assert_allclose(net.transform(X), mean, rtol=1e-4, atol=1e-5)
    return (np.exp(log_variance) + mean**2 - 1 - log_variance).sum(1) / 2


def test_variational_loss_is_error_and_divergence(make, waves):
    net = make(variational=True, beta=0.7, beta_warmup=3, epochs=2)
    net.fit(waves, X_val=waves)
    expected = -net.score(waves) + 0.7 * _divergence(net, waves).mean() / 14
    assert net.history_["val_loss"][-1] == pytest.approx(expected, rel=1e-4)
    assert net.best_score_ == min(net.history_["val_loss"])


def test_watched_loss_has_the_values_of_its_own_fit(waves):
    # All of these fits share a program.
    params = {"variational": True, "beta_warmup": 0, "learning_rate": 1e-12}
    for beta, activity_l1 in ((0.5, 0.1), (3.0, 0.1), (3.0, 2.0)):
        net = dense(beta=beta, activity_l1=activity_l1, epochs=1, **params)
        net.fit(waves, X_val=waves)
        expected = -net.score(waves) + beta * _divergence(net, waves).mean() / 14
        expected += activity_l1 * abs(net.transform(waves)).sum(1).mean()
        assert net.best_score_ == pytest.approx(expected, rel=1e-4)


def test_divergence_of_a_row_far_off_is_finite(waves):
    far = waves[:3] * 1e4
    net = dense(variational=True).fit(waves, X_val=far)
    assert np.isfinite(net.history_["val_loss"]).all()


def test_weight_of_divergence_rises_to_beta(waves):
    net = dense(variational=True, beta=2.0, beta_warmup=3).fit(waves)
    values = [net._recipe.values(epoch)["beta"] for epoch in range(5)]
    assert values == [0.5, 1.0, 1.5, 2.0, 2.0]
    assert net._recipe.values()["beta"] == 2.0
    at_once = dense(variational=True, beta=2.0, beta_warmup=0).fit(waves)
    assert at_once._recipe.values(0)["beta"] == 2.0
    assert bits(at_once) != bits(net)


def test_drawn_codes_are_those_of_the_distribution(waves):
    # The mean error over many draws, in training, against that of draws by NumPy.
    net = dense(
        variational=True, beta=0.0, learning_rate=1e-12, epochs=200, scale=None
    ).fit(standardised(waves))
    X = standardised(waves).astype(np.float32)
    encoded = net.model_.get_layer("encoder").predict(X, verbose=0)
    mean, log_variance = np.split(encoded, 2, axis=1)
    rng = np.random.default_rng(0)
    errors = []
    for _ in range(200):
        codes = mean + np.exp(log_variance / 2) * rng.normal(size=mean.shape)
        errors.append(((net.inverse_transform(codes) - X) ** 2).mean())
    assert np.mean(net.history_["loss"]) == pytest.approx(np.mean(errors), rel=0.01)
    assert np.std(net.history_["loss"]) > 0


class Losses(keras.callbacks.Callback):
    """Records the mean loss of an epoch after each batch."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def on_train_batch_end(self, batch, logs=None):
        self.seen.append(logs["loss"])


def test_each_step_draws_anew(waves):
    # The same rows in both batches, and weights that stand still.
    net = dense(
        variational=True, beta=0.0, learning_rate=1e-12, epochs=1, batch_size=45,
        shuffle=False, callbacks=Losses(),
    ).fit(np.tile(waves[:45], (2, 1, 1)))  # fmt: skip
    first, mean_of_both = net.callbacks_[0].seen
    assert mean_of_both != pytest.approx(first, rel=1e-4)


def test_large_beta_makes_codes_standard_normal(make, waves):
    params = {"variational": True, "epochs": 60, "learning_rate": 0.01}
    strong = make(beta=50.0, **params).fit(waves)
    weak = make(beta=0.01, **params).fit(waves)
    assert _divergence(strong, waves).mean() < 0.1
    assert _divergence(weak, waves).mean() > 1
    assert weak.score(waves) > strong.score(waves)


# ------------------------------------------------------------------------------ padding


def test_padding_counts_in_no_error(make, padded):
    X, padding = padded
    net = make(mask_value=-1.0).fit(X)
    back = net.inverse_transform(net.transform(X))
    valid = X[~padding]
    shift, factor = valid.mean(0), valid.std(0)
    cells = ((X - back) / factor) ** 2 * ~padding[..., None]
    n_valid = (~padding).sum(1)
    tolerance = {"rtol": 1e-3, "atol": 1e-5}
    assert_allclose(
        net.reconstruction_error(X), cells.sum((1, 2)) / (2 * n_valid), **tolerance
    )
    assert_allclose(net.reconstruction_error(X, by="step"), cells.mean(2), **tolerance)
    assert_allclose(
        net.reconstruction_error(X, by="feature"),
        cells.sum(1) / n_valid[:, None],
        **tolerance,
    )
    assert_allclose(net._scaling._shift, shift)
    assert_allclose(net._scaling._factor, factor)
    one = make(mask_value=-1.0, learning_rate=1e-12, epochs=1).fit(X)
    assert one.history_["loss"][0] == pytest.approx(-one.score(X), rel=1e-4)


@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_recurrent_layers_skip_padding(waves, kind):
    net = AutoencoderTransformer(**FAST, **KINDS[kind], mask_value=-1.0).fit(waves)
    right, left = np.full((2, 90, 7, 2), -1.0)
    right[:, :4] = left[:, 3:] = waves[:, :4]
    between = np.full((90, 7, 2), -1.0)
    between[:, [0, 2, 3, 6]] = waves[:, :4]
    assert_allclose(net.transform(left), net.transform(right), atol=1e-5)
    assert_allclose(net.transform(between), net.transform(right), atol=1e-5)
    shifted = np.full((90, 7, 2), -1.0)
    shifted[:, :3] = waves[:, :3]
    assert abs(net.transform(shifted) - net.transform(right)).max() > 1e-3


@pytest.mark.parametrize("xla", with_slow([False, True], True), ids=["graph", "xla"])
def test_value_of_padding_is_of_no_matter(make, padded, xla, set_jit_compile):
    set_jit_compile(xla)
    X, padding = padded
    other = X.copy()
    other[padding] = -777
    first = make(mask_value=-1.0).fit(X)
    second = make(mask_value=-777.0).fit(other)
    assert bits(first) == bits(second)
    assert_array_equal(first.transform(X), second.transform(other))
    assert bits(make().fit(X)) != bits(first)


def test_padding_of_tables_is_by_timestep(padded):
    X, _ = padded
    net = dense(mask_value=-1.0, n_timesteps=7).fit(X.reshape(90, 14))
    assert_allclose(net._scaling._shift[0], X[:, 0].mean(0))
    assert_allclose(net._scaling._shift[6], X[X[:, 6, 0] != -1, 6].mean(0))


def test_rows_and_columns_of_padding_alone_are_refused(make, padded):
    X, _ = padded
    X[[3, 5]] = -1
    with pytest.raises(ValueError, match="got 2 rows with only mask_value=-1.0"):
        make(mask_value=-1.0).fit(X)
    X = X[6:]
    X[:, 6] = -1
    with pytest.raises(ValueError, match="got 2 columns that are padding in all"):
        make(mask_value=-1.0, n_timesteps=7).fit(X.reshape(84, 14))


# ---------------------------------------------------------------------------- new rows


def test_sample_is_as_the_training_rows_are(waves):
    net = AutoencoderTransformer(epochs=200, random_state=0).fit(waves)
    assert not hasattr(net, "mixture_")
    rows = net.sample(400, random_state=0)
    assert isinstance(net.mixture_, GaussianMixture)
    # All rows lie on one circle: sine and cosine square to 1.
    radius = (rows[..., 0] - 5) ** 2 + ((rows[..., 1] - 100) / 20) ** 2
    assert 0.8 < np.median(radius) < 1.2
    assert_allclose(rows.mean(0), waves.mean(0), atol=4)
    # No order by the components of the mixture.
    components = net.mixture_.predict(net.transform(rows))
    assert len(np.unique(components)) > 1
    assert (np.diff(components) != 0).sum() > 100


def test_sample_of_codes_on_a_line_far_from_1():
    line = np.random.default_rng(0).normal(size=(100, 1)) * [1000, 1000, 2000]
    net = AutoencoderTransformer(3, layer_sizes=(), scale=None, **FAST).fit(line)
    assert np.isfinite(net.sample(5, random_state=0)).all()


def test_sample_of_a_variational_one_comes_from_the_prior(make, waves):
    net = make(variational=True).fit(waves)
    rows = net.sample(30, random_state=5)
    codes = np.random.RandomState(5).normal(size=(30, 2))
    assert_array_equal(rows, net.inverse_transform(codes))
    assert not hasattr(net, "mixture_")


@pytest.mark.parametrize("variational", [False, True])
def test_sample_is_repeatable(make, waves, variational):
    net = make(variational=variational).fit(waves)
    first = net.sample(3, random_state=0)
    assert_array_equal(net.sample(3, random_state=0), first)
    assert_array_equal(reloaded(net).sample(3, random_state=0), first)
    assert not np.array_equal(net.sample(3, random_state=1), first)
    state = np.random.RandomState(0)
    assert_array_equal(net.sample(3, random_state=state), first)
    assert not np.array_equal(net.sample(3, random_state=state), first)
    assert net.sample().shape == (1, 7, 2)


def test_mixture_is_of_the_last_fit(waves):
    net = dense().fit(waves)
    net.sample(2)
    first = net.mixture_
    net.fit(waves[:50])
    assert not hasattr(net, "mixture_")
    net.sample(2)
    assert net.mixture_ is not first


def test_codes_of_many_rows_are_kept_in_part(waves, monkeypatch):
    monkeypatch.setattr("skseq._autoencoder._MIXTURE_ROWS", 20)
    net = dense().fit(waves)
    assert net._codes.shape == (20, 2)
    codes = net.transform(waves).astype(np.float32)
    assert all((codes == code).all(1).any() for code in net._codes)
    assert net.sample(5, random_state=0).shape == (5, 7, 2)


# ------------------------------------------------------------- watching, going on, bits


def test_early_stopping_keeps_the_best_epoch(make, waves):
    net = make(
        early_stopping=True, validation_split=0.3, patience=3, epochs=200,
        learning_rate=0.05, n_components=1,
    ).fit(waves)  # fmt: skip
    losses = net.history_["val_loss"]
    assert net.n_iter_ == len(losses) < 200
    assert net.best_epoch_ == np.argmin(losses) + 1
    assert net.n_iter_ == net.best_epoch_ + 3
    assert net.best_score_ == min(losses)


def test_given_rows_are_watched_and_not_trained_on(make, waves):
    net = make(early_stopping=True).fit(waves[:60], X_val=waves[60:])
    assert net.best_score_ == pytest.approx(-net.score(waves[60:]), rel=1e-4)
    weights = np.arange(30) % 2
    only = make(early_stopping=True).fit(
        waves[:60], X_val=waves[60:], sample_weight_val=weights
    )
    expected = -only.score(waves[60:][weights > 0])
    assert only.best_score_ == pytest.approx(expected, rel=1e-4)
    plain = make().fit(waves[:60])
    recorded = make().fit(waves[:60], X_val=waves[60:])
    assert bits(recorded) == bits(plain)
    assert len(recorded.history_["val_loss"]) == 5


def test_scale_is_of_the_rows_that_train(waves):
    X = waves.copy()
    X[60:] += 1000
    groups = np.arange(90) >= 60
    net = dense(
        early_stopping=True,
        validation_split=GroupShuffleSplit(1, test_size=0.5, random_state=0),
    )
    net.fit(X, groups=groups)
    assert_allclose(net._scaling._shift, X[:60].mean((0, 1)), rtol=1e-4)


@pytest.mark.parametrize(
    "params",
    [{}, {"noise": 0.2}, {"variational": True, "beta_warmup": 4},
     {"tied_weights": True}, {"normalization": "batch"}],
    ids=str,
)  # fmt: skip
def test_two_fits_that_go_on_are_one_of_twice_the_epochs(waves, params):
    twice = dense(epochs=3, warm_start=True, **params).fit(waves)
    twice.fit(waves)
    once = dense(epochs=6, **params).fit(waves)
    assert bits(twice) == bits(once)
    assert twice.history_ == once.history_
    loaded = reloaded(dense(epochs=3, warm_start=True, **params).fit(waves))
    assert bits(loaded.fit(waves)) == bits(once)


def test_partial_fit_is_one_epoch_and_keeps_the_scale(make, waves):
    steps = make()
    for _ in range(3):
        steps.partial_fit(waves)
    assert steps.n_iter_ == 3
    assert bits(steps) == bits(make(epochs=3).fit(waves))
    shift = steps._scaling._shift
    steps.partial_fit(waves + 50)
    assert_array_equal(steps._scaling._shift, shift)
    assert_allclose(shift, waves.mean((0, 1)))


def test_initialize_draws_weights_without_training(make, waves):
    net = make().initialize(waves)
    assert net.n_iter_ == 0
    assert net.transform(waves).shape == (90, 2)
    assert net.initialized_


@pytest.mark.parametrize(
    "params",
    [{"n_components": 3}, {"scale": "minmax"}, {"variational": True},
     {"mask_value": 0}],
    ids=str,
)  # fmt: skip
def test_going_on_refuses_another_network(waves, params):
    net = dense(warm_start=True).fit(waves)
    before = bits(net)
    with pytest.raises(ValueError, match="continue with the fitted network"):
        net.set_params(**params).fit(waves)
    assert bits(net) == before


@pytest.mark.parametrize("variational", with_slow([False, True], False))
def test_random_state_repeats_bit_for_bit(make, waves, variational):
    params = {"noise": 0.1, "variational": variational}
    first = make(**params).fit(waves)
    assert bits(make(**params).fit(waves)) == bits(first)
    make(n_components=1).fit(waves)
    skseq.clear_programs()
    again = make(**params).fit(waves)
    assert bits(again) == bits(first)
    assert_array_equal(again.transform(waves), first.transform(waves))
    assert bits(make(**params, random_state=1).fit(waves)) != bits(first)


@pytest.mark.slow
def test_threads_give_the_same_bits(waves):
    nets = [
        AutoencoderTransformer(**FAST, **KINDS[kind], variational=v)
        for kind in KINDS
        for v in (False, True)
    ]
    expected = [bits(clone(net).fit(waves)) for net in nets]
    found = {}

    def fit(i):
        found[i] = bits(clone(nets[i]).fit(waves))

    threads = [threading.Thread(target=fit, args=(i,)) for i in range(len(nets))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found[i] for i in range(len(nets))] == expected


def test_a_row_does_not_depend_on_the_rows_beside_it(make, waves):
    net = make().fit(waves)
    for name in ("transform", "score_samples"):
        ask = getattr(net, name)
        together = ask(waves)
        assert_array_equal(ask(waves[7:8]), together[7:8])
        assert_array_equal(ask(waves[::-1])[::-1], together)


LOAD_ELSEWHERE = """
import sys, pathlib, joblib, numpy as np
folder = pathlib.Path(sys.argv[1])
X = np.load(folder / "X.npy")
for path in folder.glob("*.joblib"):
    net = joblib.load(path)
    codes = net.transform(X)
    np.savez(
        path.with_suffix(".npz"), codes=codes, rows=net.inverse_transform(codes),
        sample=net.sample(5, random_state=0), scores=net.score_samples(X),
        further=net.partial_fit(X).transform(X),
    )
"""


@pytest.mark.slow
def test_another_process_gives_the_same_bits(waves, tmp_path):
    nets = {
        f"{kind}-{variational}": AutoencoderTransformer(
            **FAST, **KINDS[kind], variational=variational, noise=0.1
        ).fit(waves)
        for kind in ("lstm", "conv1d")
        for variational in (False, True)
    }
    np.save(tmp_path / "X.npy", waves)
    for name, net in nets.items():
        joblib.dump(net, tmp_path / f"{name}.joblib")
    subprocess.run([sys.executable, "-c", LOAD_ELSEWHERE, str(tmp_path)], check=True)
    for name, net in nets.items():
        there = np.load(tmp_path / f"{name}.npz")
        codes = net.transform(waves)
        assert_array_equal(there["codes"], codes)
        assert_array_equal(there["rows"], net.inverse_transform(codes))
        assert_array_equal(there["sample"], net.sample(5, random_state=0))
        assert_array_equal(there["scores"], net.score_samples(waves))
        assert_array_equal(there["further"], net.partial_fit(waves).transform(waves))


@pytest.mark.slow
def test_values_need_no_new_program(waves, monkeypatch):
    built = []

    class Counted(program.Program):
        def __init__(self, recipe):
            super().__init__(recipe)
            built.append(recipe)

    monkeypatch.setattr(cache, "Program", Counted)
    skseq.clear_programs()
    params = {"variational": True, "noise": 0.1, "activity_l1": 0.1}
    dense(**params).fit(waves)
    for more in (
        {"beta": 0.5}, {"beta_warmup": 2}, {"noise": 0.3}, {"activity_l1": 0.5},
        {"learning_rate": 0.1}, {"scale": None}, {"epochs": 2}, {"random_state": 3},
    ):  # fmt: skip
        dense(**{**params, **more}).fit(waves).transform(waves)
    assert len(built) == 1
    for more in (
        {"n_components": 3}, {"noise": None}, {"noise": ("masking", 0.1)},
        {"variational": False}, {"activity_l1": 0.0}, {"loss": "mae"},
        {"mask_value": 0.0},
    ):  # fmt: skip
        dense(**{**params, **more}).fit(waves)
    assert len(built) == 8


@pytest.mark.parametrize("early_stopping", [False, True])
def test_no_copy_of_a_memmap_is_made(tmp_path, monkeypatch, early_stopping):
    X = np.memmap(tmp_path / "X.dat", np.float64, "w+", shape=(500, 4, 2))
    X[:] = np.random.default_rng(0).normal(size=X.shape)
    seen = []

    def spy(recipe, state, rows, schedule, watch, *rest):
        seen.extend([rows.X] if watch is None else [rows.X, watch.rows.X])
        return train(recipe, state, rows, schedule, watch, *rest)

    monkeypatch.setattr("skseq._base.train", spy)
    params = {"early_stopping": early_stopping}
    net = dense(**params).fit(X)
    assert len(seen) == 1 + early_stopping
    assert all(np.shares_memory(one, X) for one in seen)
    assert bits(net) == bits(dense(**params).fit(np.array(X)))


def test_scale_of_blocks_is_that_of_all(waves, monkeypatch):
    whole = dense().fit(waves)
    monkeypatch.setattr("skseq._scaling._BLOCK_VALUES", 100)
    parts = dense().fit(waves, sample_weight=np.full(90, 2.0))
    assert_allclose(parts._scaling._shift, whole._scaling._shift)
    assert_allclose(parts._scaling._factor, whole._scaling._factor)


# ------------------------------------------------------------------- in scikit-learn


def test_set_output_and_names(waves):
    net = dense(n_components=3).fit(waves.reshape(90, 14))
    names = [f"autoencodertransformer{i}" for i in range(3)]
    assert net.get_feature_names_out().tolist() == names
    codes = net.transform(waves.reshape(90, 14))
    frame = net.set_output(transform="pandas").transform(waves.reshape(90, 14))
    assert frame.columns.tolist() == names
    assert_array_equal(frame.to_numpy(), codes)
    frame = net.set_output(transform="polars").transform(waves.reshape(90, 14))
    assert frame.columns == names
    assert_array_equal(frame.to_numpy(), codes)
    index = pd.Index(range(10, 100))
    table = pd.DataFrame(
        waves.reshape(90, 14), index=index, columns=[f"c{i}" for i in range(14)]
    )
    net = dense().set_output(transform="pandas").fit(table)
    assert net.transform(table).index.equals(index)
    assert net.feature_names_in_.tolist() == table.columns.tolist()
    with pytest.raises(ValueError, match="feature names"):
        net.transform(table[table.columns[::-1]])


def test_grid_over_components_in_front_of_a_classifier(table):
    X, y = table
    pipeline = make_pipeline(dense(epochs=20), LogisticRegression())
    grid = GridSearchCV(
        pipeline, {"autoencodertransformer__n_components": [1, 3]}, cv=3,
        scoring="roc_auc", error_score="raise",
    ).fit(X, y)  # fmt: skip
    assert grid.best_score_ > 0.9
    assert reloaded(grid).score(X, y) == grid.score(X, y)


def test_grid_without_labels(make, waves):
    grid = GridSearchCV(
        make(epochs=60, learning_rate=0.01), {"n_components": [1, 4]}, cv=3,
        error_score="raise",
    ).fit(waves)  # fmt: skip
    assert grid.best_params_ == {"n_components": 4}
    best = grid.best_estimator_
    assert_allclose(grid.score(waves), best.score_samples(waves).mean())


def test_columns_and_unions(waves):
    table = pd.DataFrame(waves.reshape(90, 14), columns=[f"c{i}" for i in range(14)])
    columns = ColumnTransformer(
        [("codes", dense(), list(table.columns[:10]))], remainder="passthrough"
    ).set_output(transform="pandas")
    out = columns.fit_transform(table)
    assert out.columns[:2].tolist() == [
        "codes__autoencodertransformer0", "codes__autoencodertransformer1"
    ]  # fmt: skip
    assert out.shape == (90, 6)
    union = FeatureUnion([("pca", PCA(2)), ("codes", dense(n_components=3))])
    assert union.fit_transform(table).shape == (90, 5)
    assert union.get_feature_names_out()[-1] == "codes__autoencodertransformer2"


def test_embedding_and_clustering_after_it(make, waves):
    two = np.concatenate([waves, waves + [50, 500]])
    net = make(epochs=40, learning_rate=0.01)
    labels = make_pipeline(net, KMeans(2, n_init=3, random_state=0)).fit_predict(two)
    assert len(set(labels[:90])) == len(set(labels[90:])) == 1
    assert labels[0] != labels[-1]
    embedded = make_pipeline(net, TSNE(random_state=0)).fit_transform(waves)
    assert embedded.shape == (90, 2)


def test_keys_of_optimizer_params_are_parameters(waves):
    net = dense().set_params(optimizer__clipnorm=1e-6, optimizer="sgd")
    assert net.get_params()["optimizer__clipnorm"] == 1e-6
    assert clone(net).optimizer_params == {"clipnorm": 1e-6}
    still = clone(net).initialize(waves).transform(waves)
    assert_allclose(net.fit(waves).transform(waves), still, atol=1e-5)
    with pytest.raises(ValueError, match="Invalid parameter 'loss__delta'"):
        net.set_params(loss__delta=2.0)


def test_there_is_no_predict():
    assert not hasattr(dense(), "predict")
    with pytest.raises(AttributeError, match="has no attribute 'predict'"):
        dense().predict(np.zeros((2, 2)))


# ---------------------------------------------------------------------------- bad input

BAD_PARAMETERS = [
    ({"n_components": 0}, "n_components.*Got 0"),
    ({"kind": "transformer"}, "kind.*'transformer'"),
    ({"layer_sizes": (8, 0)}, "layer_sizes must be an int of at least 1.*got 0"),
    ({"kind": "lstm", "layer_sizes": ()}, r"layer_sizes must hold.*got \(\)"),
    ({"activation": "rellu"}, "activation must be.*got 'rellu'.*'relu'"),
    (
        {"kind": "gru", "activation": "tanh"},
        "activation is used only with kind='dense'",
    ),
    ({"kernel_size": 3}, "kernel_size is used only with kind='conv1d', got"),
    ({"kind": "conv1d", "kernel_size": (3,)}, "kernel_size must be one value or one"),
    (
        {"kind": "lstm", "tied_weights": True},
        "tied_weights is used only with kind='dense'",
    ),
    ({"tied_weights": True, "variational": True}, "tied_weights must be False with"),
    ({"beta": 2.0}, "beta is used only with variational=True, got beta=2.0"),
    ({"beta_warmup": 2}, "beta_warmup is used only with variational=True"),
    ({"beta": -1.0, "variational": True}, "beta.*Got -1.0"),
    ({"normalization": "layer"}, "normalization.*'layer'"),
    ({"noise": -0.1}, "noise.*Got -0.1"),
    ({"noise": ("masking", 1.0)}, r"noise must be.*got \('masking', 1.0\)"),
    ({"noise": ("salt", 0.1)}, r"noise must be.*got \('salt', 0.1\)"),
    ({"noise": (0.1,)}, r"noise must be.*got \(0.1,\)"),
    ({"noise": ("gaussian", "much")}, r"noise must be.*got \('gaussian', 'much'\)"),
    ({"noise": ("gaussian", np.nan)}, r"noise must be.*got \('gaussian', nan\)"),
    ({"noise": ("gaussian", np.inf)}, r"noise must be.*got \('gaussian', inf\)"),
    ({"noise": ("masking", np.nan)}, r"noise must be.*got \('masking', nan\)"),
    ({"activity_l1": -1}, "activity_l1.*Got -1"),
    ({"scale": "robust"}, "scale.*'robust'"),
    ({"loss": "poisson"}, "loss.*'poisson'"),
    ({"loss": "binary_crossentropy"}, "scale must be 'minmax'.*got 'standard'"),
    (
        {"loss": "binary_crossentropy", "scale": None},
        r"in \[0, 1\] with loss='binary_crossentropy', got .* Set scale='minmax'",
    ),
    ({"n_timesteps": 3}, "n_timesteps=3 does not agree"),
    ({"epochs": 0}, "epochs.*Got 0"),
    ({"optimizer": "adan"}, "optimizer must be.*got 'adan'.*'adam'"),
    ({"early_stopping": True, "validation_split": 1.5}, "validation_split.*Got 1.5"),
]


def state(net):
    found = {name: value for name, value in vars(net).items() if name != "model_"}
    return {name: repr(value) for name, value in found.items()}, bits(net)


@pytest.mark.parametrize(
    ("params", "match"), BAD_PARAMETERS, ids=lambda value: str(value)[:40]
)
def test_fit_refuses_parameters(waves, params, match):
    with pytest.raises((ValueError, TypeError), match=match):
        dense(**params).fit(waves)
    net = dense().fit(waves).set_params(**params)
    before = state(net)
    with pytest.raises((ValueError, TypeError), match=match):
        net.fit(waves)
    assert state(net) == before


def test_parameters_of_other_kinds_may_stand_at_their_default(waves):
    for kind in KINDS.values():
        net = AutoencoderTransformer(**FAST, **kind)
        net.set_params(beta=1.0, beta_warmup=10, tied_weights=False)
        assert net.fit(waves).n_iter_ == 5


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda X: np.where(X[3, 2, 1] == X, np.nan, X), "contains NaN"),
        (lambda X: X * np.inf, "infinity"),
        (lambda X: X[:, :, 0].tolist()[:5] + [[1.0]], r"X\[0\].*reshape\(-1, 1\)"),
        (lambda X: X[:0], "0 sample"),
        (lambda X: X[0, 0], "got 1"),
        (lambda X: np.full(X.shape, "a"), "X must hold numbers, got 'a'"),
    ],
)
def test_fit_refuses_data(make, waves, method, change, match):
    net = make().fit(waves)
    before = state(net)
    with pytest.raises(ValueError, match=match):
        getattr(net, method)(change(waves))
    assert state(net) == before
    with pytest.raises(ValueError, match=match):
        getattr(make(), method)(change(waves))


def test_values_too_large_are_refused(waves):
    with pytest.raises(ValueError, match="fit into float32 after scaling"):
        dense(scale=None).fit(waves * 1e300)
    with pytest.raises(ValueError, match="X must have a finite variance"):
        dense(scale="standard").fit(waves * 1e300)
    assert dense().fit(waves * 1e100).transform(waves * 1e100).shape == (90, 2)


def test_asking_refuses_what_does_not_fit(make, waves):
    net = make().fit(waves)
    for name in ("transform", "score_samples", "score", "reconstruction_error"):
        with pytest.raises(ValueError, match="6 timesteps"):
            getattr(net, name)(waves[:, :6])
        with pytest.raises(ValueError, match="3 dimensions"):
            getattr(net, name)(waves.reshape(90, 14))
    with pytest.raises(ValueError, match=r"X must have 2 columns.*got 3"):
        net.inverse_transform(np.zeros((4, 3)))
    with pytest.raises(ValueError, match="NaN"):
        net.inverse_transform(np.full((4, 2), np.nan))
    with pytest.raises(ValueError, match=r"by must be one of .*'step'.*got 'cell'"):
        net.reconstruction_error(waves, by="cell")
    for n_samples in (0, 2.5, "many"):
        with pytest.raises(ValueError, match="n_samples must be an int of at least 1"):
            net.sample(n_samples)


@pytest.mark.parametrize(
    "name", ["transform", "inverse_transform", "score_samples", "score", "sample"]
)
def test_asking_before_fit_raises_not_fitted(name):
    from sklearn.exceptions import NotFittedError

    arguments = (5,) if name == "sample" else (np.zeros((3, 2)),)
    with pytest.raises(NotFittedError):
        getattr(dense(), name)(*arguments)


def test_sample_of_one_row_says_what_it_needs(waves):
    net = dense().partial_fit(waves[:1])
    with pytest.raises(ValueError, match="at least 2 training rows, got 1"):
        net.sample()


def test_given_rows_must_fit(make, waves):
    net = make()
    with pytest.raises(ValueError, match="X_val has 6 timesteps"):
        net.fit(waves, X_val=waves[:, :6])
    with pytest.raises(ValueError, match="sample_weight_val needs X_val"):
        net.fit(waves, sample_weight_val=np.ones(3))
    with pytest.raises(ValueError, match="early_stopping must be False with partial"):
        make(early_stopping=True).partial_fit(waves)


def test_interrupted_fit_changes_nothing(make, waves):
    class Stop(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            raise KeyboardInterrupt

    net = make().fit(waves)
    net.set_params(callbacks=Stop(), n_components=3, scale="minmax")
    before = state(net)
    codes = net.transform(waves)
    with pytest.raises(KeyboardInterrupt):
        net.fit(waves + 3)
    assert state(net) == before
    assert_array_equal(net.transform(waves), codes)


# ---------------------------------------------------------------------------- real data


def test_credit_panel_is_reconstructed_better_than_by_pca(real_data):
    table = pd.read_csv(real_data("credit_default.csv.gz"))
    X = table.drop(columns="default_payment_next_month").to_numpy(float)[:4000]
    train, test = X[:2000], X[2000:]
    scaler = StandardScaler().fit(train)
    pca = make_pipeline(scaler, PCA(4)).fit(train)
    back = scaler.transform(pca.inverse_transform(pca.transform(test)))
    linear = ((back - scaler.transform(test)) ** 2).mean()
    net = AutoencoderTransformer(4, epochs=30, random_state=0).fit(train)
    assert -net.score(test) < 0.8 * linear


# ------------------------------------------------------------------ padding by NaN


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_nan_is_padding_where_all_features_are(waves, kind):
    X = np.concatenate([waves, 2 * waves], axis=2)
    padded, by_nan = X.copy(), X.copy()
    padded[::2, 4:] = -9.0
    by_nan[::2, 4:] = np.nan
    params = {**FAST, **KINDS[kind]}
    expected = AutoencoderTransformer(**params, mask_value=-9.0).fit(padded)
    net = AutoencoderTransformer(**params, mask_value=np.nan).fit(by_nan, X_val=by_nan)
    assert_array_equal(net.transform(by_nan), expected.transform(padded))
    errors = net.reconstruction_error(by_nan, by="step")
    assert not errors[::2, 4:].any()
    # Going on knows that it is the same padding.
    assert net.set_params(warm_start=True).fit(by_nan).n_iter_ == 2 * params["epochs"]
    by_nan[1, 2, 0] = np.nan
    for call in (net.transform, net.fit, clone(net).fit):
        with pytest.raises(
            ValueError, match="X must have no missing values, got NaN in"
        ):
            call(by_nan)


def test_detector_and_sampler_take_padding_by_nan(waves):
    X = waves.copy()
    X[::2, 4:] = np.nan
    net = AutoencoderTransformer(layer_sizes=4, epochs=1, mask_value=np.nan)
    detector = skseq.AutoencoderOutlierDetector(net, random_state=0).fit(X, X_val=X)
    assert set(detector.predict(X)) == {-1, 1}
    sampler = skseq.LatentSampler(autoencoder=net, random_state=0)
    new, _ = sampler.fit_resample(X, np.arange(len(X)) < 20)
    assert set(np.isnan(new).any(axis=2).sum(axis=1)) == {0, X.shape[1] - 4}


def test_mask_value_is_compared_in_the_precision_of_X(waves):
    X = waves.astype(np.float32)
    X[::2, 4:] = 0.1
    for mask_value in (0.1, np.float64(0.1), np.float32(0.1)):
        net = AutoencoderTransformer(
            layer_sizes=4, epochs=1, mask_value=mask_value, random_state=0
        ).fit(X)
        assert not net.reconstruction_error(X, by="step")[::2, 4:].any()


# -------------------------------------------------------- lists of unequal length


@pytest.fixture
def listed(waves):
    """Make a list of 90 rows of 3, 5 or 7 steps, and the same padded with NaN."""
    X = waves.copy()
    n_steps = 3 + 2 * (np.arange(90) % 3)
    X[np.arange(7) >= n_steps[:, None]] = np.nan
    return [row[:n] for row, n in zip(waves, n_steps, strict=True)], X


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_list_is_read_as_the_padded_array(listed, kind):
    rows, X = listed
    params = {**FAST, **KINDS[kind]}
    expected = AutoencoderTransformer(**params, mask_value=np.nan).fit(X, X_val=X)
    net = AutoencoderTransformer(**params).fit(rows, X_val=rows)
    assert net.history_ == expected.history_
    codes = net.transform(rows)
    assert_array_equal(codes, expected.transform(X), strict=True)
    assert_array_equal(codes, expected.transform(rows))  # of one fitted on an array
    for by in ("row", "step", "feature"):
        assert_array_equal(
            net.reconstruction_error(rows, by), expected.reconstruction_error(X, by)
        )
    # A code does not hold the length of a row.
    assert net.inverse_transform(codes).shape == (90, 7, 2)
    assert net.n_timesteps_in_ == 7
    assert net.mask_value is None


def test_shorter_rows_are_encoded_alone(listed):
    rows, _ = listed
    net = dense().fit(rows)
    assert_allclose(net.transform(rows[:1]), net.transform(rows)[:1], atol=1e-5)
    copy = reloaded(net)
    assert_array_equal(copy.transform(rows[:1]), net.transform(rows[:1]))


def test_longer_rows_than_in_fit_are_refused(listed):
    rows, _ = listed
    net = dense().fit(rows[:2])  # of 3 and 5 steps
    with pytest.raises(ValueError, match=r"X\[2\] has 7 timesteps.*at most 5"):
        net.transform(rows)


def test_shorter_rows_need_padding_in_fit(waves, listed):
    net = dense().fit(waves)
    assert_array_equal(net.transform(list(waves)), net.transform(waves))
    with pytest.raises(ValueError, match="rows of 7 timesteps.*list with a row of 3"):
        net.transform(listed[0])


def test_training_goes_on_with_shorter_rows(listed):
    rows, X = listed
    by_list = dense().partial_fit(rows).partial_fit(rows[:2])
    by_array = dense(mask_value=np.nan).partial_fit(X).partial_fit(X[:2])
    assert bits(by_list) == bits(by_array)
    # An array without padding is another input than a padded one.
    whole = dense(epochs=2).fit(rows).fit(X[2::3])
    assert bits(whole) == bits(dense(epochs=2).fit(X[2::3]))


def test_lists_with_early_stopping_and_groups(listed):
    rows, X = listed
    params = {"early_stopping": True, "validation_split": 0.3}
    groups = np.arange(90) // 6
    net = dense(**params).fit(rows, groups=groups)
    expected = dense(**params, mask_value=np.nan).fit(X, groups=groups)
    assert net.history_ == expected.history_


def test_detector_takes_lists(listed):
    rows, X = listed
    net = dense(epochs=2)
    by_list = skseq.AutoencoderOutlierDetector(net).fit(rows, X_val=rows[:30])
    net = clone(net).set_params(mask_value=np.nan)
    by_array = skseq.AutoencoderOutlierDetector(net).fit(X, X_val=X[:30])
    assert_array_equal(by_list.predict(rows), by_array.predict(X))
    assert_array_equal(by_list.score_samples(rows[:5]), by_array.score_samples(X[:5]))
    assert by_list.n_timesteps_in_ == 7
    default = skseq.AutoencoderOutlierDetector(random_state=0).fit(rows[:9])
    assert default.autoencoder_.n_components == 7  # half of 7 * 2


def test_latent_sampler_takes_lists(listed):
    rows, X = listed
    y = (np.arange(90) < 20).astype(int)
    net = AutoencoderTransformer(layer_sizes=4, epochs=1)
    sampler = skseq.LatentSampler(autoencoder=net, random_state=0)
    new, y_new = sampler.fit_resample(rows, y)
    net = clone(net).set_params(mask_value=np.nan)
    of_array = skseq.LatentSampler(autoencoder=net, random_state=0)
    padded, _ = of_array.fit_resample(X, y)
    assert np.bincount(y_new).tolist() == [70, 70]
    for row, expected in zip(new, padded, strict=True):
        assert_array_equal(row, expected[~np.isnan(expected[:, 0])])
    # By default, with a code for the longest row.
    default = skseq.LatentSampler(random_state=0)
    few, _ = default.fit_resample(rows[10:30], y[10:30] ^ (np.arange(20) < 4))
    assert {len(row) for row in few} == {3, 5, 7}
    assert default.autoencoder_.n_components == 7


# ----------------------------------------------------- `sample` after `partial_fit`


def test_sample_knows_the_rows_of_every_call(make, waves, monkeypatch):
    asked = []
    ask = AutoencoderTransformer._ask

    def spy(self, name, X):
        asked.append(name)
        return ask(self, name, X)

    monkeypatch.setattr(AutoencoderTransformer, "_ask", spy)
    net = make()
    for rows in (waves[:40], waves[40:47]):
        net.partial_fit(rows)
    assert asked == []  # codes are made when they are asked for
    net.sample()
    assert asked.count("code") == 1
    # As the network encodes the rows now.
    assert_array_equal(net._codes_of_seen_rows(), net.transform(waves[:47]))


def test_sample_after_loading_knows_rows_and_holds_none(make, waves):
    net = make().partial_fit(waves[:40]).partial_fit(waves[40:47])
    loaded = pickle.loads(pickle.dumps(net))
    assert loaded._seen is None
    assert_array_equal(loaded.sample(5, random_state=0), net.sample(5, random_state=0))
    loaded.partial_fit(waves[47:50])
    assert len(loaded._codes_of_seen_rows()) == 50
    loaded.fit(waves[:30])
    assert len(loaded._codes_of_seen_rows()) == 30


def test_rows_that_are_kept_are_bounded_and_from_all_calls(waves, monkeypatch):
    monkeypatch.setattr("skseq._autoencoder._MIXTURE_ROWS", 60)
    net = AutoencoderTransformer(layer_sizes=4, scale=None, random_state=0)
    marked = waves.copy()
    for call in range(10):
        marked[:, 0] = call
        net.partial_fit(marked)
    kept = net._seen.rows
    assert len(kept) == 60
    counts = np.bincount(kept[:, 0, 0].astype(int), minlength=10)
    assert counts.min() >= 1
    assert counts.max() <= 16
