"""Schedules of the learning rate, and the number of steps of a fit."""

import keras
import numpy as np
import pytest
from sklearn.base import clone

from estimators import with_slow
from skseq import DenseClassifier, KerasClassifier, LSTMClassifier
from skseq._engine.rates import choose_batch_size, choose_epochs, factors


def test_one_cycle_rises_for_three_tenths_and_falls_to_zero():
    found = factors("one_cycle", 0, 1000, 1000)
    assert found.argmax() in (299, 300)
    np.testing.assert_allclose(found[[0, 299]], [1 / 25, 1], atol=1e-4)
    # Halfway up it is at the mean of its ends, as a cosine is.
    np.testing.assert_allclose(found[149:151].mean(), (1 + 1 / 25) / 2, atol=1e-4)
    np.testing.assert_allclose(found[649:651].mean(), 0.5, atol=1e-4)
    assert 0 < found[-1] < 1e-5
    assert found.dtype == np.float32


def test_cosine_falls_from_one_to_zero():
    found = factors("cosine", 0, 4, 4)
    expected = (1 + np.cos(np.pi * np.array([1, 3, 5, 7]) / 8)) / 2
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_steps_of_a_chunk_are_those_of_the_whole():
    whole = factors("one_cycle", 0, 50, 50)
    parts = [factors("one_cycle", i, i + 10, 50) for i in range(0, 50, 10)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    np.testing.assert_array_equal(factors(None, 3, 6, 50), [1, 1, 1])


@pytest.mark.parametrize("optimizer", with_slow(["adam", "adamw", "nadam"], "adam"))
@pytest.mark.parametrize("xla", with_slow([False, True], True), ids=["graph", "xla"])
@pytest.mark.parametrize("schedule", with_slow(["one_cycle", "cosine"], "cosine"))
def test_schedule_is_that_of_keras_with_the_same_rates(
    sequences, schedule, xla, optimizer, set_jit_compile
):
    X, y = sequences
    set_jit_compile(xla)
    # 60 rows are 4 steps, 3 epochs are 12.
    rates = 0.02 * factors(schedule, 0, 12, 12)
    by_keras = keras.optimizers.schedules.PiecewiseConstantDecay(
        list(range(11)), rates.tolist()
    )
    options = {"epochs": 3, "batch_size": 16, "optimizer": optimizer}
    options |= {"random_state": 0, "dense_units": 5}
    ours = DenseClassifier(learning_rate=0.02, schedule=schedule, **options)
    theirs = DenseClassifier(learning_rate=by_keras, schedule=None, **options)
    constant = DenseClassifier(learning_rate=0.02, schedule=None, **options)
    found, expected, other = (
        net.fit(X, y).predict_proba(X) for net in (ours, theirs, constant)
    )
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert np.abs(found - other).max() > 1e-3


@pytest.mark.parametrize("chunk_bytes", [1, 2**23])
def test_schedule_does_not_depend_on_chunks(sequences, monkeypatch, chunk_bytes):
    X, y = sequences
    monkeypatch.setattr("skseq._engine.program._CHUNK_BYTES", chunk_bytes)
    net = DenseClassifier(
        epochs=3, batch_size=7, schedule="one_cycle", random_state=0
    ).fit(X, y)
    monkeypatch.undo()
    again = DenseClassifier(
        epochs=3, batch_size=7, schedule="one_cycle", random_state=0
    ).fit(X, y)
    np.testing.assert_array_equal(net.predict_proba(X), again.predict_proba(X))


def test_callbacks_with_batch_hooks_get_the_same_schedule(sequences):
    X, y = sequences
    hook = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: None)
    options = {"epochs": 3, "batch_size": 16, "schedule": "cosine", "random_state": 0}
    plain = DenseClassifier(**options).fit(X, y)
    called = DenseClassifier(callbacks=hook, **options).fit(X, y)
    np.testing.assert_array_equal(plain.predict_proba(X), called.predict_proba(X))


def test_partial_fit_has_a_constant_rate(sequences):
    X, y = sequences
    options = {"batch_size": 16, "random_state": 0}
    net = DenseClassifier(schedule="one_cycle", **options)
    net.partial_fit(X, y, classes=[0, 1])
    constant = DenseClassifier(schedule=None, epochs=1, **options).fit(X, y)
    np.testing.assert_array_equal(net.predict_proba(X), constant.predict_proba(X))


def test_warm_start_takes_a_new_cycle(sequences):
    X, y = sequences
    options = {"epochs": 4, "random_state": 0, "warm_start": True}
    net = DenseClassifier(schedule="one_cycle", **options).fit(X, y)
    before = net.predict_proba(X)
    net.fit(X, y)
    assert net.n_iter_ == 8
    # A rate of nearly zero, with which the first cycle ended, would change nothing.
    assert np.abs(net.predict_proba(X) - before).max() > 1e-3


def test_schedule_beside_a_schedule_of_keras_raises(sequences):
    X, y = sequences
    decay = keras.optimizers.schedules.ExponentialDecay(0.01, 100, 0.9)
    for params in (
        {"learning_rate": decay},
        {"optimizer": keras.optimizers.Adam(decay)},
    ):
        net = DenseClassifier(schedule="cosine", epochs=1, **params)
        with pytest.raises(ValueError, match="schedule must be None where .* 'cosine'"):
            net.fit(X, y)
        DenseClassifier(epochs=1, **params).fit(X, y)


def test_schedule_of_a_model_of_the_users(sequences):
    X, y = sequences

    def model(inputs):
        return keras.layers.Dense(3)(keras.layers.Flatten()(inputs))

    options = {"epochs": 3, "learning_rate": 0.02, "random_state": 0}
    constant = KerasClassifier(model, **options).fit(X, y)
    cycle = KerasClassifier(model, schedule="one_cycle", **options).fit(X, y)
    assert np.abs(constant.predict_proba(X) - cycle.predict_proba(X)).max() > 1e-3


@pytest.mark.parametrize(
    ("n_rows", "batch_size", "n_epochs"),
    [(10, 16, 600), (160, 16, 60), (165, 16, 55), (1000, 32, 19), (30_000, 128, 12)],
)
def test_epochs_by_steps(n_rows, batch_size, n_epochs):
    assert choose_epochs(n_rows, batch_size, least=12) == n_epochs
    assert choose_batch_size(n_rows) == batch_size


def test_automatic_numbers_are_those_of_training_rows(sequences):
    X, y = np.tile(sequences[0], (9, 1, 1)), np.tile(sequences[1], 9)
    # Of 540 rows a half is held out: 270 are 17 steps of 16 rows.
    net = LSTMClassifier(
        2, epochs="auto", batch_size="auto", early_stopping=True, patience=1,
        validation_split=0.5, learning_rate=1e-9, min_delta=1.0, random_state=0,
    ).fit(X, y)  # fmt: skip
    assert net.n_iter_ == 2
    net = LSTMClassifier(2, epochs="auto", batch_size="auto", random_state=0)
    weights = np.arange(540) < 320
    assert net.fit(X, y, sample_weight=weights).n_iter_ == 30


@pytest.mark.parametrize(("n_rows", "rate"), [(499, 0.003), (500, 0.01)])
def test_rate_of_dense_networks_is_by_the_number_of_sequences(n_rows, rate):
    X = np.random.default_rng(0).normal(size=(n_rows, 3, 2))
    y = np.arange(n_rows) % 2
    net = DenseClassifier(epochs=1, random_state=0)
    expected = clone(net).set_params(learning_rate=rate).fit(X, y)
    np.testing.assert_array_equal(
        net.fit(X, y).predict_proba(X), expected.predict_proba(X)
    )
    other = clone(net).set_params(learning_rate=0.005).fit(X, y)
    assert not np.array_equal(net.predict_proba(X), other.predict_proba(X))


def test_recurrent_networks_have_more_epochs():
    X, y = np.random.default_rng(0).normal(size=(2000, 2, 1)), np.arange(2000) % 2
    assert LSTMClassifier(1, random_state=0).fit(X, y).n_iter_ == 24
    assert DenseClassifier((), batch_size=32, random_state=0).fit(X, y).n_iter_ == 12


def with_overflow(y_true, y_pred):
    """Have a finite value, and a gradient that is not finite."""
    overflow = keras.ops.mean(keras.ops.sqrt(0 * y_pred), axis=-1)
    return keras.losses.binary_crossentropy(y_true, y_pred) + overflow


@pytest.mark.parametrize("n_networks", with_slow([1, 2], 1))
@pytest.mark.parametrize("xla", [False, True])
def test_recurrent_networks_outlive_a_gradient_that_overflows(
    sequences, n_networks, xla, set_jit_compile
):
    set_jit_compile(xla)
    options = {"epochs": 2, "loss": with_overflow, "random_state": 0}
    net = LSTMClassifier(2, n_networks=n_networks, **options).fit(*sequences)
    assert all(np.isfinite(one).all() for one in net.model_.get_weights())
    net.set_params(optimizer_params={"global_clipnorm": None})
    with pytest.raises(ValueError, match="The loss must stay finite"):
        net.fit(*sequences)


def test_gradients_are_limited_with_a_schedule(sequences):
    X, y = 1e3 * sequences[0], sequences[1]

    def fitted(cls=LSTMClassifier, **options):
        net = cls(2, epochs=1, random_state=0, optimizer="sgd", **options)
        return net.fit(X, y).predict_proba(X)

    limited, low = fitted(), fitted(optimizer_params={"global_clipnorm": 10.0})
    np.testing.assert_array_equal(limited, low)
    for options in (
        {"schedule": None},
        {"optimizer_params": {"clipvalue": 0.01}},
        {"optimizer_params": {"global_clipnorm": 1e-3}},
    ):
        assert not np.array_equal(limited, fitted(**options))


@pytest.mark.parametrize("name", ["epochs", "batch_size", "schedule"])
def test_unknown_choices_raise(sequences, name):
    with pytest.raises(ValueError, match=f"'{name}' parameter.*Got 'all' instead"):
        DenseClassifier(**{name: "all"}).fit(*sequences)
