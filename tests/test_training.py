"""Training: programs, agreement with Keras, callbacks, metrics and losses."""

import csv
import gc
import multiprocessing
import pickle
import sys
import weakref

import joblib
import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.base import clone
from sklearn.metrics import accuracy_score, roc_auc_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skseq
from estimators import AS_KERAS, CLASSIFIERS, make, mostly_slow, with_slow
from skseq._base import train
from skseq._engine import cache, order, path, program
from skseq._engine.callbacks import needs_batches
from skseq._engine.optimizers import make_optimizer

# ---------------------------------------------------------------------------- programs


@pytest.fixture
def built(monkeypatch):
    """Record each program that is built, from an empty cache."""
    programs = []

    class Counted(program.Program):
        def __init__(self, recipe):
            super().__init__(recipe)
            programs.append(weakref.ref(self))
            self.n_traces = 0

        def _trace_training(self, *args):
            self.n_traces += 1
            return super()._trace_training(*args)

    skseq.clear_programs()
    monkeypatch.setattr(cache, "Program", Counted)
    yield programs
    skseq.clear_programs()


def test_second_fit_traces_nothing(make_classifier, sequences, built):
    X, y = sequences
    estimator = make_classifier(epochs=2).fit(X, y)
    estimator.predict(X)
    assert len(built) == 1
    estimator.fit(X, y).predict(X[:7])
    clone(estimator).fit(X, y)
    estimator.partial_fit(X, y)
    assert len(built) == 1
    assert built[0]().n_traces == 1


@pytest.mark.parametrize(
    "params",
    [
        {"learning_rate": 0.001},
        {"learning_rate": 1},
        {"learning_rate": np.float32(0.2)},
        {"optimizer": keras.optimizers.Adam(0.5)},
        {"random_state": 7},
        {"epochs": 1},
        {"shuffle": False},
        {"class_weight": {0: 1, 1: 3}},
        {"class_weight": "balanced"},
        {"early_stopping": True, "monitor": "roc_auc", "patience": 1},
        {"callbacks": [keras.callbacks.TerminateOnNaN()]},
        {"warm_start": True},
    ],
    ids=lambda params: "-".join(params),
)
def test_parameters_that_need_no_new_program(sequences, built, params):
    X, y = sequences
    fast = {"learning_rate": 0.1, "epochs": 2, "weight_decay": None}
    skseq.DenseClassifier(**fast).fit(X, y)
    skseq.DenseClassifier(**{**fast, **params}).fit(X, y)
    assert [program().n_traces for program in built] == [1]


def test_data_that_needs_no_new_program(sequences, built):
    X, y = sequences
    estimator = skseq.DenseClassifier(epochs=1).fit(X, y)
    estimator.fit(X[:33], y[:33]).fit(np.repeat(X, 5, axis=0), np.repeat(y, 5))
    estimator.fit(X, np.where(y, "a", "b"), sample_weight=np.arange(60))
    estimator.fit(X.astype(np.float32), y, X_val=X[:9], y_val=y[:9])
    estimator.predict(np.repeat(X, 5, axis=0))
    assert [program().n_traces for program in built] == [1]


def test_batch_sizes_are_traced_once_each_and_are_bounded(
    sequences, built, monkeypatch
):
    X, y = sequences
    for batch_size in (8, 16, 8, 16):
        skseq.DenseClassifier(batch_size=batch_size, epochs=1).fit(X, y)
    # More than the rows: one for many numbers of rows.
    for batch_size, n_rows in ((70, 60), (500, 60), (500, 50), (64, 60)):
        skseq.DenseClassifier(batch_size=batch_size, epochs=1).fit(
            X[:n_rows], y[:n_rows]
        )
    assert [program().n_traces for program in built] == [3]
    monkeypatch.setattr(program, "_MAX_BATCH_SIZES", 3)
    for batch_size in (9, 16, 64, 8):  # 8 went for 9
        skseq.DenseClassifier(batch_size=batch_size, epochs=1).fit(X, y)
    assert [program().n_traces for program in built] == [5]


@pytest.mark.parametrize(
    "params",
    [
        {"dense_units": (5,)},
        {"optimizer": "sgd"},
        {"optimizer_params": {"clipnorm": 1.0}},
        {"learning_rate": keras.optimizers.schedules.ExponentialDecay(0.1, 9, 0.9)},
        {"loss": "mse"},
        {"metrics": ["accuracy"]},
        {"activation": "tanh"},
    ],
    ids=lambda params: "-".join(params),
)
def test_parameters_that_need_a_new_program(sequences, built, params):
    X, y = sequences
    skseq.DenseClassifier((4,), epochs=1).fit(X, y)
    skseq.DenseClassifier(**{"dense_units": (4,), "epochs": 1, **params}).fit(X, y)
    assert len(built) == 2


@pytest.mark.parametrize(
    "name", ["weight_decay", "clipnorm", "global_clipnorm", "clipvalue"]
)
def test_options_of_the_optimizer_are_values(sequences, built, name):
    X, y = sequences
    expected = {}
    for value in (0.01, 0.1, None):
        estimator = skseq.DenseClassifier(
            epochs=3, optimizer="sgd", random_state=0, optimizer_params={name: value}
        ).fit(X, y)
        expected[value] = estimator.predict_proba(X)
    assert len(built) == 2  # one without the option
    assert not np.array_equal(expected[0.01], expected[0.1])
    assert not np.array_equal(expected[0.01], expected[None])


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("LSTMClassifier", {"units": 4}),
        pytest.param(
            "GRUClassifier",
            {"units": (4, 3), "bidirectional": True},
            marks=pytest.mark.slow,
        ),
        pytest.param(
            "SimpleRNNClassifier",
            {"units": 4, "recurrent_dropout": 0.2},
            marks=pytest.mark.slow,
        ),
        pytest.param("Conv1DClassifier", {"filters": 4}, marks=pytest.mark.slow),
        ("DenseClassifier", {"dense_units": 4}),
    ],
)
def test_rates_of_dropout_are_values(sequences, built, name, params):
    X, y = sequences

    def make(rate):
        options = {"epochs": 2, "random_state": 0, "dropout": rate, **params}
        return getattr(skseq, name)(**options)

    expected = make(0.1).fit(X, y).predict_proba(X)
    skseq.clear_programs()
    built.clear()
    other = make(0.6).fit(X, y).predict_proba(X)
    found = make(0.1).fit(X, y)
    assert len(built) == 1
    np.testing.assert_array_equal(found.predict_proba(X), expected)
    assert not np.array_equal(other, expected)


class Inspector(keras.callbacks.Callback):
    """Records the values of the model that it sees."""

    def on_train_batch_end(self, batch, logs=None):
        rates = {getattr(one, "rate", 0) for one in self.model.layers}
        self.found = max(rates), self.model.optimizer.weight_decay


def test_callbacks_see_the_values_of_their_own_fit(sequences, built):
    X, y = sequences
    for rate, decay in ((0.1, 0.01), (0.6, 0.2)):
        estimator = skseq.DenseClassifier(
            epochs=1, dropout=rate, optimizer_params={"weight_decay": decay},
            callbacks=Inspector(),
        ).fit(X, y)  # fmt: skip
        assert estimator.callbacks_[0].found == (rate, decay)
    assert len(built) == 1


@pytest.mark.parametrize(
    ("name", "params", "expected"),
    [
        ("DenseClassifier", {}, 0.5),
        ("DenseClassifier", {"n_timesteps": None}, 0.5),
        ("DenseClassifier", {"n_timesteps": None, "dense_units": ()}, None),
        pytest.param("Conv1DRegressor", {}, 0.5, marks=pytest.mark.slow),
        ("LSTMClassifier", {}, 0.1),
        ("LSTMClassifier", {"n_timesteps": None}, 1.0),
        ("LSTMClassifier", {"weight_decay": 0.1}, 0.1),
        ("DenseClassifier", {"weight_decay": None}, None),
        ("DenseClassifier", {"weight_decay": 0}, 0),
        ("DenseClassifier", {"optimizer_params": {"weight_decay": 0.2}}, 0.2),
        ("DenseClassifier", {"optimizer": keras.optimizers.SGD()}, None),
    ],
)
def test_weight_decay_by_default(sequences, name, params, expected):
    X, y = sequences
    params = {"n_timesteps": X.shape[1], **params}
    estimator = getattr(skseq, name)(epochs=1, callbacks=Inspector(), **params)
    estimator.fit(X.reshape(len(X), -1), y)
    assert estimator.callbacks_[0].found[1] == expected


@pytest.mark.slow
@pytest.mark.parametrize(("n_rows", "expected"), [(499, 0.5), (500, None)])
def test_weight_decay_of_dense_networks_is_for_few_sequences(n_rows, expected):
    X, y = np.zeros((n_rows, 2, 1)), np.arange(n_rows) % 2
    net = skseq.DenseClassifier(epochs=1, callbacks=Inspector()).fit(X, y)
    assert net.callbacks_[0].found[1] == expected


@pytest.mark.slow
@pytest.mark.parametrize(("n_timesteps", "expected"), [(12, 0.1), (13, None)])
def test_weight_decay_of_recurrent_networks_is_for_short_sequences(
    n_timesteps, expected
):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(20, n_timesteps, 1)), np.arange(20) % 2
    net = skseq.GRUClassifier(epochs=1, callbacks=Inspector()).fit(X, y)
    assert net.callbacks_[0].found[1] == expected
    # It stays when longer rows come later.
    longer = [np.zeros((20, 1)), np.ones((20, 1))]
    lists = skseq.GRUClassifier(callbacks=Inspector())
    lists.partial_fit(list(X), y, classes=[0, 1]).partial_fit(longer, [0, 1])
    assert lists.callbacks_[0].found[1] == expected


def test_another_fit_of_the_program_changes_no_prediction(sequences, built):
    X, y = sequences
    first = skseq.DenseClassifier(epochs=1, random_state=0).fit(X, y)
    expected = first.predict_proba(X)
    second = skseq.DenseClassifier(epochs=1, random_state=1).fit(X, y)
    np.testing.assert_array_equal(first.predict_proba(X), expected)
    assert not np.array_equal(second.predict_proba(X), expected)
    assert len(built) == 1


def test_grid_over_learning_rates_builds_one_program(table, built):
    X, y = table
    GridSearchCV(
        make_pipeline(StandardScaler(), skseq.DenseClassifier(n_timesteps=5, epochs=1)),
        {"denseclassifier__learning_rate": [0.001, 0.01, 0.1]},
        cv=3,
        scoring="roc_auc",
    ).fit(X, y)
    assert len(built) == 1


def test_cache_is_bounded(sequences, built, monkeypatch):
    X, y = sequences
    monkeypatch.setattr(cache, "_MAX_PROGRAMS", 2)
    estimators = [
        skseq.DenseClassifier((width,), epochs=1, random_state=0).fit(X, y)
        for width in (2, 3, 4, 5)
    ]
    expected = [estimator.predict_proba(X) for estimator in estimators]
    # 4 for fitting; then each was gone when its turn to predict came.
    assert len(built) == 8
    gc.collect()
    assert sum(program() is not None for program in built) == 2
    for estimator, probabilities in zip(estimators, expected, strict=True):
        np.testing.assert_array_equal(estimator.predict_proba(X), probabilities)


def test_traced_networks_keep_no_variables_of_their_own(sequences):
    X, y = sequences
    skseq.clear_programs()
    estimator = skseq.DenseClassifier((41,), epochs=1).fit(X, y)
    estimator.predict(X)
    with keras.StatelessScope():
        pass  # Keras gives values to what has none at the end of such a scope
    gc.collect()
    shapes = [
        tuple(one.shape) for one in gc.get_objects() if isinstance(one, tf.Variable)
    ]
    assert (10, 41) not in shapes
    assert (10 * 41 + 41 + 41 + 1,) in shapes  # all in one vector


@pytest.mark.parametrize("optimizer", ["adam", keras.optimizers.SGD])
def test_optimizers_have_the_same_names_of_variables(optimizer):
    # TensorFlow keeps memory for each new name.
    first, second = (make_optimizer(optimizer) for _ in range(2))
    assert [v.path for v in first.variables] == [v.path for v in second.variables]


def test_clear_programs_empties_the_cache_and_changes_no_result(
    make_classifier, sequences, built
):
    X, y = sequences
    estimator = make_classifier(epochs=3).fit(X, y)
    expected = estimator.predict_proba(X)
    models = [weakref.ref(program().model) for program in built]
    skseq.clear_programs()
    gc.collect()
    assert [program() for program in built] == [None]
    assert [model() for model in models] == [None]
    np.testing.assert_array_equal(estimator.predict_proba(X), expected)
    estimator.fit(X, y)
    np.testing.assert_array_equal(estimator.predict_proba(X), expected)
    assert len(built) == 2


def test_fit_does_not_depend_on_what_was_fitted_before(make_classifier, sequences):
    X, y = sequences

    def fit(**params):
        params = {"epochs": 3, "metrics": ["accuracy"], **params}
        return make_classifier(**params).fit(X, y)

    first = fit()
    other = fit(random_state=9, learning_rate=0.2, batch_size=9, shuffle=False)
    again = fit()
    np.testing.assert_array_equal(first.predict_proba(X), again.predict_proba(X))
    assert first.history_ == again.history_
    assert not np.array_equal(first.predict_proba(X), other.predict_proba(X))


def _predict_in_child(estimator, X, connection):
    outcomes = []
    for call in (
        lambda: estimator.predict(X),
        lambda: estimator.fit(X, np.arange(len(X)) % 2),
    ):
        try:
            call()
            outcomes.append("no error")
        except RuntimeError as error:
            outcomes.append(str(error))
    connection.send(outcomes)


@pytest.mark.skipif(
    "fork" not in multiprocessing.get_all_start_methods(), reason="no fork here"
)
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:os.fork:RuntimeWarning")
def test_forked_child_raises_at_once(sequences):
    X, y = sequences
    estimator = skseq.DenseClassifier((2,), epochs=1).fit(X, y)
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    child = context.Process(target=_predict_in_child, args=(estimator, X, theirs))
    child.start()
    try:
        assert ours.poll(60), "the child hangs"
        outcomes = ours.recv()
    finally:
        child.join(10)
        if child.is_alive():
            child.kill()
    for outcome in outcomes:
        assert "does not survive a fork" in outcome
        assert "'loky'" in outcome
        assert "'spawn'" in outcome


# ------------------------------------------------------------------------ which path


def _earns_xla(X, y, n_steps, name="DenseClassifier", **params):
    recipe = getattr(skseq, name)(**params).initialize(X, y)._recipe
    with cache.borrowed(recipe) as borrowed:
        return path.earns_xla(recipe, borrowed.facts, n_steps)


def test_xla_is_for_much_work(sequences):
    X, y = sequences
    assert not _earns_xla(X, y, 100)
    assert _earns_xla(X, y, 100_000)


@pytest.mark.parametrize("name", ["LSTM", "GRU", "SimpleRNN"])
@pytest.mark.parametrize("units", [32, 128])
def test_xla_is_not_for_recurrent_networks(sequences, name, units):
    assert not _earns_xla(*sequences, 10**9, f"{name}Classifier", units=units)


class OwnOptimizer(keras.optimizers.SGD):
    """A user's own optimizer."""


def test_xla_is_not_for_functions_of_the_users(sequences):
    X, y = sequences
    for params in (
        {"loss": _squared},
        {"metrics": [_squared]},
        {"optimizer": OwnOptimizer(0.1)},
    ):
        assert not _earns_xla(X, y, 10**9, **params)


def test_path_can_be_set_by_hand(sequences, built, set_jit_compile):
    X, y = sequences
    set_jit_compile(True)
    assert _earns_xla(X, y, 1)
    set_jit_compile(False)
    assert not _earns_xla(X, y, 10**9)
    with pytest.raises(ValueError, match="'auto', True or False, got 'yes'"):
        set_jit_compile("yes")


def test_path_is_not_chosen_by_what_is_compiled(make_classifier, sequences):
    X, y = sequences
    expected = make_classifier(epochs=2).fit(X, y).predict_proba(X)
    try:
        skseq.set_jit_compile(True)
        make_classifier(epochs=2).fit(X, y)
    finally:
        skseq.set_jit_compile("auto")
    again = make_classifier(epochs=2).fit(X, y).predict_proba(X)
    np.testing.assert_array_equal(again, expected)


# ------------------------------------------------------------------------------ chunks


def test_chunks_change_no_bit(make_classifier, sequences, monkeypatch):
    X, y = sequences
    params = {"epochs": 2, "batch_size": 7}
    expected = make_classifier(**params).fit(X, y).predict_proba(X)
    monkeypatch.setattr(program, "_CHUNK_BYTES", 1000)  # three batches
    assert program.chunk_steps(7, X.shape[1:]) == 3
    found = make_classifier(**params).fit(X, y).predict_proba(X)
    np.testing.assert_array_equal(found, expected)


def test_large_data_is_shuffled_by_blocks(monkeypatch):
    monkeypatch.setattr(order, "_SHUFFLED_BYTES", 400)
    monkeypatch.setattr(order, "_BLOCK_BYTES", 40)
    rows = order.shuffled(1000, 4, np.random.default_rng(0))
    assert sorted(rows) == list(range(1000))
    # Each 100 rows are ten blocks of neighbours, from all over.
    for start in range(0, 900, 100):
        part = rows[start : start + 100]
        assert len(np.unique(part // 10)) <= 11
        assert np.ptp(part) > 300
        assert np.abs(np.diff(part)).mean() > 50
    assert not np.array_equal(rows, order.shuffled(1000, 4, np.random.default_rng(1)))


@pytest.mark.parametrize("early_stopping", [False, True])
def test_no_copy_of_a_memmap_is_made(tmp_path, monkeypatch, early_stopping):
    rng = np.random.default_rng(0)
    X = np.memmap(tmp_path / "X.dat", np.float32, "w+", shape=(500, 4, 2))
    X[:] = rng.normal(size=X.shape)
    y = (X.sum(axis=(1, 2)) > 0).astype(int)
    seen = []

    def spy(recipe, state, rows, schedule, watch, *rest):
        seen.extend([rows.X] if watch is None else [rows.X, watch.rows.X])
        return train(recipe, state, rows, schedule, watch, *rest)

    monkeypatch.setattr("skseq._base.train", spy)
    params = {
        "epochs": 3, "early_stopping": early_stopping, "monitor": "roc_auc",
        "random_state": 0,
    }  # fmt: skip
    estimator = skseq.DenseClassifier(**params).fit(X, y, sample_weight=1.0 + (y == 1))
    assert len(seen) == 1 + early_stopping
    assert all(np.shares_memory(one, X) for one in seen)
    plain = skseq.DenseClassifier(**params).fit(
        np.array(X), y, sample_weight=1.0 + (y == 1)
    )
    np.testing.assert_array_equal(plain.predict_proba(X), estimator.predict_proba(X))


# --------------------------------------------------------------- agreement with Keras

OPTIMIZERS = {
    "sgd": keras.optimizers.SGD,
    "adam": keras.optimizers.Adam,
    "adamw": keras.optimizers.AdamW,
    "adamax": keras.optimizers.Adamax,
    "nadam": keras.optimizers.Nadam,
    "rmsprop": keras.optimizers.RMSprop,
    "adagrad": keras.optimizers.Adagrad,
    "adadelta": keras.optimizers.Adadelta,
    "ftrl": keras.optimizers.Ftrl,
    "lion": keras.optimizers.Lion,
    "lamb": keras.optimizers.Lamb,
}
RATES = {"sgd": 0.05, "adadelta": 1.0, "lion": 0.002, "ftrl": 0.05}


def _agrees_with_keras(
    name, X, y, *, optimizer, loss, keras_loss, weights=None, options=None, rate=None
):
    """Train with Keras from the same first weights, and compare all weights."""
    options = options or {}
    rate = rate or RATES.get(optimizer, 0.01)
    estimator = make(
        name, **CLASSIFIERS[name].small, epochs=4, batch_size=16, shuffle=False,
        optimizer=optimizer, learning_rate=rate, loss=loss,
        optimizer_params=options, random_state=0,
    )  # fmt: skip
    model = estimator.initialize(X, y).model_
    first = model.get_weights()
    made = OPTIMIZERS[optimizer](learning_rate=rate, **options)
    model.compile(made, loss=keras_loss, run_eagerly=True, jit_compile=False)
    target = y.astype(np.float32)
    if "categorical" in str(loss):
        target = y if str(loss).startswith("sparse") else np.eye(3, dtype=np.float32)[y]
    record = model.fit(
        X.astype(np.float32), target, sample_weight=weights, epochs=4, batch_size=16,
        shuffle=False, verbose=0,
    )  # fmt: skip
    estimator.fit(X, y, sample_weight=weights)
    ours = estimator.model_.get_weights()
    assert any(np.abs(a - b).max() > 1e-3 for a, b in zip(first, ours, strict=True))
    for a, b in zip(model.get_weights(), ours, strict=True):
        np.testing.assert_allclose(b, a, atol=1e-4)
    np.testing.assert_allclose(
        estimator.history_["loss"], record.history["loss"], rtol=1e-4
    )


@pytest.mark.parametrize(
    "optimizer",
    mostly_slow(OPTIMIZERS, "adam", "adamw", "nadam", "lamb"),
)
@pytest.mark.parametrize(
    ("name", "xla"),
    [
        pytest.param("LSTMClassifier", False, marks=pytest.mark.slow),
        ("DenseClassifier", False),
        pytest.param("DenseClassifier", True, marks=pytest.mark.slow),
    ],
)
def test_training_agrees_with_keras_for_each_optimizer(
    sequences, name, xla, optimizer, set_jit_compile
):
    X, y = sequences
    set_jit_compile(xla)
    _agrees_with_keras(
        name, X, y, optimizer=optimizer, loss="binary_crossentropy",
        keras_loss="binary_crossentropy",
    )  # fmt: skip


@pytest.mark.parametrize("xla", with_slow([False, True], True), ids=["graph", "xla"])
@pytest.mark.parametrize(
    "name", with_slow(CLASSIFIERS, "GRUClassifier", "SimpleRNNClassifier")
)
def test_training_agrees_with_keras_for_each_network(
    sequences, name, xla, set_jit_compile
):
    X, y = sequences
    set_jit_compile(xla)
    # 60 rows are three batches of 16 and one of 12.
    _agrees_with_keras(
        name, X, y, optimizer="adam", loss="binary_crossentropy",
        keras_loss="binary_crossentropy",
    )  # fmt: skip


@pytest.mark.parametrize("optimizer", with_slow(["sgd", "adamw"], "sgd"))
@pytest.mark.parametrize(
    "options",
    [
        {"weight_decay": 0.1},
        pytest.param({"clipnorm": 0.05}, marks=pytest.mark.slow),
        pytest.param({"global_clipnorm": 0.05}, marks=pytest.mark.slow),
        pytest.param({"clipvalue": 0.01}, marks=pytest.mark.slow),
        {"clipnorm": 0.05, "weight_decay": 0.1},
    ],
    ids=lambda options: "-".join(options),
)
@pytest.mark.parametrize("xla", with_slow([False, True], True), ids=["graph", "xla"])
def test_training_agrees_with_keras_for_each_option(
    sequences, optimizer, options, xla, set_jit_compile
):
    X, y = sequences
    set_jit_compile(xla)
    _agrees_with_keras(
        "GRUClassifier", X, y, optimizer=optimizer, loss="binary_crossentropy",
        keras_loss="binary_crossentropy", options=options,
    )  # fmt: skip


@pytest.mark.parametrize("loss", ["binary_focal_crossentropy", "mse"])
@pytest.mark.parametrize(
    "name",
    with_slow(["SimpleRNNClassifier", "Conv1DClassifier"], "SimpleRNNClassifier"),
)
def test_training_agrees_with_keras_for_each_binary_loss(sequences, name, loss):
    X, y = sequences
    _agrees_with_keras(name, X, y, optimizer="adam", loss=loss, keras_loss=loss)


@pytest.mark.parametrize(
    "loss", ["sparse_categorical_crossentropy", "categorical_crossentropy"]
)
@pytest.mark.parametrize(
    "name", with_slow(["LSTMClassifier", "DenseClassifier"], "LSTMClassifier")
)
def test_training_agrees_with_keras_for_each_multiclass_loss(three_classes, name, loss):
    X, y = three_classes
    _agrees_with_keras(name, X, y, optimizer="adam", loss=loss, keras_loss=loss)


@pytest.mark.slow
@pytest.mark.parametrize("reduction", ["sum", "sum_over_batch_size"])
def test_training_agrees_with_keras_for_each_reduction(sequences, reduction):
    X, y = sequences
    loss = keras.losses.MeanSquaredError(reduction=reduction)
    _agrees_with_keras(
        "DenseClassifier", X, y, optimizer="adam", loss=loss, keras_loss=loss
    )


def test_training_agrees_with_keras_with_weights(sequences):
    X, y = sequences
    weights = np.linspace(0.5, 1.5, 60)  # a mean of 1, as ours are scaled to
    _agrees_with_keras(
        "DenseClassifier", X, y, optimizer="sgd", rate=0.1, weights=weights,
        loss="binary_crossentropy", keras_loss="binary_crossentropy",
    )  # fmt: skip


# -------------------------------------------------------------------------- callbacks


class Watcher(keras.callbacks.Callback):
    """Records the hooks that are called, with those of batches."""

    def __init__(self):
        super().__init__()
        self.calls = []

    def on_train_begin(self, logs=None):
        self.calls.append("train begin")
        assert isinstance(self.model, keras.Model)
        assert self.params["epochs"] == 2
        assert self.params["steps"] == 2

    def on_epoch_begin(self, epoch, logs=None):
        self.calls.append(f"epoch {epoch} begin")

    def on_train_batch_begin(self, batch, logs=None):
        self.calls.append(f"batch {batch} begin")

    def on_train_batch_end(self, batch, logs=None):
        self.calls.append(f"batch {batch} end")
        assert np.isfinite(logs["loss"])

    def on_epoch_end(self, epoch, logs=None):
        self.calls.append(f"epoch {epoch} end")

    def on_train_end(self, logs=None):
        self.calls.append("train end")


def test_callbacks_are_copied_and_hold_no_model_after(make_classifier, sequences):
    X, y = sequences
    watcher = Watcher()
    for callbacks in ([watcher], (watcher,), watcher):
        estimator = make_classifier(epochs=2, callbacks=callbacks).fit(X, y)
        assert estimator.callbacks is callbacks
        assert watcher.calls == []
        assert watcher.model is None
        (copied,) = estimator.callbacks_
        assert copied is not watcher
        assert copied.model is None
        assert copied.calls == [
            "train begin",
            "epoch 0 begin", "batch 0 begin", "batch 0 end",
            "batch 1 begin", "batch 1 end", "epoch 0 end",
            "epoch 1 begin", "batch 0 begin", "batch 0 end",
            "batch 1 begin", "batch 1 end", "epoch 1 end",
            "train end",
        ]  # fmt: skip


def test_no_callbacks_gives_an_empty_list(sequences):
    X, y = sequences
    assert skseq.DenseClassifier(epochs=1).fit(X, y).callbacks_ == []


def test_batch_hooks_change_no_result(make_classifier, sequences):
    X, y = sequences
    drawing = make_classifier.settings.drawing
    params = {"epochs": 2, "metrics": ["accuracy", "auc"], **drawing}
    plain = make_classifier(**params).fit(X, y)
    hooked = make_classifier(**params, callbacks=[Watcher()]).fit(X, y)
    np.testing.assert_allclose(
        hooked.predict_proba(X), plain.predict_proba(X), atol=1e-6
    )
    assert list(hooked.history_) == list(plain.history_)
    for name, values in plain.history_.items():
        np.testing.assert_allclose(hooked.history_[name], values, rtol=1e-5)


def test_batch_hooks_change_no_weight(make_classifier, sequences):
    X, y = sequences
    plain = make_classifier(epochs=3).fit(X, y)
    hooked = make_classifier(epochs=3, callbacks=[Inspector()]).fit(X, y)
    pairs = zip(hooked.model_.get_weights(), plain.model_.get_weights(), strict=True)
    for found, expected in pairs:
        np.testing.assert_allclose(found, expected, atol=1e-5)


def test_going_on_after_batch_hooks_is_going_on_without_them(sequences):
    X, y = sequences
    # Adam and momentum: what the optimizer has gathered counts in the next epoch.
    for optimizer in ("adam", keras.optimizers.SGD(0.05, momentum=0.9)):
        params = {"epochs": 3, "optimizer": optimizer, "random_state": 0}
        plain = skseq.DenseClassifier(**params).fit(X, y)
        callback = keras.callbacks.LambdaCallback(
            on_train_batch_end=lambda batch, logs: None
        )
        assert needs_batches(callback)
        hooked = skseq.DenseClassifier(**params, callbacks=callback).fit(X, y)
        hooked.set_params(callbacks=None).partial_fit(X, y)
        hooked_last = clone(plain).fit(X, y).set_params(callbacks=callback)
        skseq.clear_programs()  # or Keras' optimizer would know the state from before
        hooked_last.partial_fit(X, y)
        expected = plain.partial_fit(X, y).predict_proba(X)
        for estimator in (hooked, hooked_last):
            np.testing.assert_allclose(estimator.predict_proba(X), expected, atol=1e-6)


def test_lambda_callback_with_batch_hooks_is_called(sequences):
    X, y = sequences
    batches, epochs = [], []
    callback = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: batches.append(batch),
        on_epoch_end=lambda epoch, logs: epochs.append((epoch, logs["loss"])),
    )
    estimator = skseq.DenseClassifier(epochs=2, batch_size=25, callbacks=callback)
    estimator.fit(X, y)
    assert batches == [0, 1, 2, 0, 1, 2]
    assert [epoch for epoch, _ in epochs] == [0, 1]
    assert [loss for _, loss in epochs] == estimator.history_["loss"]


def test_keras_early_stopping_stops_and_restores(make_classifier, sequences):
    X, y = sequences
    callback = keras.callbacks.EarlyStopping(
        monitor="loss", mode="max", patience=2, restore_best_weights=True
    )
    # The loss falls, so that with mode "max" the first epoch stays the best.
    estimator = make_classifier(epochs=20, learning_rate=0.01, callbacks=callback)
    estimator.fit(X, y)
    assert estimator.n_iter_ == 3
    assert estimator.callbacks_[0].best_epoch == 0
    first = make_classifier(epochs=1, learning_rate=0.01).fit(X, y)
    np.testing.assert_array_equal(estimator.predict_proba(X), first.predict_proba(X))


def test_keras_early_stopping_watches_given_rows(sequences):
    X, y = sequences
    callback = keras.callbacks.EarlyStopping(monitor="val_loss", patience=1)
    estimator = skseq.DenseClassifier(
        epochs=30, learning_rate=1.0, callbacks=callback, random_state=0
    ).fit(X, y, X_val=X, y_val=1 - y)
    assert estimator.n_iter_ < 30


def test_stop_training_stops(make_classifier, sequences):
    X, y = sequences

    class StopEpoch(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = epoch == 1

    class StopBatch(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.stop_training = True

    estimator = make_classifier(epochs=9, callbacks=[StopEpoch()]).fit(X, y)
    assert estimator.n_iter_ == 2
    estimator = make_classifier(epochs=9, callbacks=[StopBatch()]).fit(X, y)
    assert estimator.n_iter_ == 1
    # The program that was stopped serves the next fit as new.
    assert make_classifier(epochs=3).fit(X, y).n_iter_ == 3


class Rates(keras.callbacks.Callback):
    """Records the learning rate at the beginning of each epoch."""

    def __init__(self):
        super().__init__()
        self.rates = []

    def on_epoch_begin(self, epoch, logs=None):
        self.rates.append(float(self.model.optimizer.learning_rate))


def test_reduce_on_plateau_lowers_the_rate_of_this_fit_alone(sequences):
    X, y = sequences
    reduce = keras.callbacks.ReduceLROnPlateau(
        monitor="loss", mode="max", factor=0.5, patience=1, min_delta=0
    )
    params = {"epochs": 4, "learning_rate": 0.01, "random_state": 0}
    plain = skseq.DenseClassifier(**params).fit(X, y)
    reduced = skseq.DenseClassifier(**params, callbacks=[reduce, Rates()]).fit(X, y)
    rates = reduced.callbacks_[1].rates
    np.testing.assert_allclose(rates, [0.01, 0.01, 0.005, 0.0025], rtol=1e-6)
    assert not np.array_equal(reduced.predict_proba(X), plain.predict_proba(X))
    again = skseq.DenseClassifier(**params, callbacks=[Rates()]).fit(X, y)
    np.testing.assert_allclose(again.callbacks_[0].rates, [0.01] * 4, rtol=1e-6)
    np.testing.assert_array_equal(again.predict_proba(X), plain.predict_proba(X))


def test_learning_rate_scheduler_sets_the_rate(make_classifier, sequences):
    X, y = sequences
    scheduler = keras.callbacks.LearningRateScheduler(
        lambda epoch, rate: 0.1 / (epoch + 1)
    )
    # A rate from the first epoch on, so what was noted before it is not looked at.
    estimator = make_classifier(epochs=3, callbacks=[scheduler, Rates()]).fit(X, y)
    rates = estimator.callbacks_[1].rates
    np.testing.assert_allclose(rates, [0.1, 0.05, 0.1 / 3], rtol=1e-6)


def test_model_checkpoint_saves_a_model_that_keras_loads(
    make_classifier, sequences, tmp_path
):
    X, y = sequences
    path = tmp_path / "net-{epoch}.keras"
    checkpoint = keras.callbacks.ModelCheckpoint(path)
    estimator = make_classifier(epochs=2, callbacks=[checkpoint]).fit(X, y)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["net-1.keras", "net-2.keras"]
    model = keras.saving.load_model(tmp_path / "net-2.keras", compile=False)
    np.testing.assert_allclose(
        np.asarray(model(X.astype(np.float32)))[:, 0],
        estimator.predict_proba(X)[:, 1],
        atol=1e-5,
    )


@pytest.mark.parametrize("update_freq", ["epoch", 1])
def test_tensorboard_writes_what_history_has(sequences, tmp_path, update_freq):
    X, y = sequences
    callback = keras.callbacks.TensorBoard(tmp_path, update_freq=update_freq)
    assert needs_batches(callback)
    estimator = skseq.DenseClassifier(epochs=3, callbacks=callback, random_state=0)
    estimator.fit(X, y)
    (path,) = (tmp_path / "train").glob("*.v2")
    found = [
        float(tf.make_ndarray(value.tensor))
        for event in tf.compat.v1.train.summary_iterator(str(path))
        for value in event.summary.value
        if value.tag == "epoch_loss"
    ]
    np.testing.assert_allclose(found, estimator.history_["loss"], rtol=1e-6)


def test_csv_logger_writes_each_epoch(sequences, tmp_path):
    X, y = sequences
    path = tmp_path / "log.csv"
    logger = keras.callbacks.CSVLogger(path)
    estimator = skseq.DenseClassifier(
        epochs=3, callbacks=[logger], metrics=["accuracy"]
    ).fit(X, y)
    with path.open() as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["0", "1", "2"]
    np.testing.assert_allclose(
        [float(row["loss"]) for row in rows], estimator.history_["loss"]
    )
    np.testing.assert_allclose(
        [float(row["accuracy"]) for row in rows], estimator.history_["accuracy"]
    )


def _not_finite(y_true, y_pred):
    return keras.ops.sum(y_pred, axis=-1) * float("nan")


@pytest.mark.parametrize("callbacks", [None, [keras.callbacks.TerminateOnNaN()]])
def test_loss_that_is_not_finite_raises_and_changes_nothing(
    make_classifier, sequences, callbacks
):
    X, y = sequences
    estimator = make_classifier(epochs=2).fit(X, y)
    before, expected = dict(vars(estimator)), estimator.predict_proba(X)
    estimator.set_params(loss=_not_finite, callbacks=callbacks)
    with pytest.raises(ValueError, match="must stay finite, got nan in epoch 1"):
        estimator.fit(X, y)
    estimator.set_params(loss=None, callbacks=None)
    assert vars(estimator) == before
    np.testing.assert_array_equal(estimator.predict_proba(X), expected)


def test_loss_that_becomes_infinite_names_the_epoch(sequences):
    X, y = sequences

    class Explode(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                weights = self.model.get_weights()
                self.model.set_weights([w + np.nan for w in weights])

    estimator = skseq.DenseClassifier(epochs=5, callbacks=[Explode()])
    with pytest.raises(ValueError, match="in epoch 3. Standardise X"):
        estimator.fit(X, y)
    assert not estimator.__sklearn_is_fitted__()


# ------------------------------------------------------------------- metrics and losses

FROZEN = {"learning_rate": 1e-12, "optimizer": "sgd", "epochs": 2, "random_state": 0}


def test_accuracy_is_right_where_weights_stand_still(make_classifier, sequences):
    X, y = sequences
    estimator = make_classifier(**FROZEN, metrics=["accuracy"]).fit(X, y)
    expected = accuracy_score(y, estimator.predict(X))
    np.testing.assert_allclose(
        estimator.history_["accuracy"], [expected] * 2, rtol=1e-6
    )


def test_accuracy_of_three_classes_is_right(make_classifier, three_classes):
    X, y = three_classes
    for loss in (None, "categorical_crossentropy"):
        estimator = make_classifier(**FROZEN, metrics="accuracy", loss=loss)
        estimator.fit(X, y, X_val=X[:20], y_val=y[:20])
        expected = accuracy_score(y, estimator.predict(X))
        np.testing.assert_allclose(
            estimator.history_["accuracy"], [expected] * 2, rtol=1e-6
        )
        expected = accuracy_score(y[:20], estimator.predict(X[:20]))
        np.testing.assert_allclose(
            estimator.history_["val_accuracy"], [expected] * 2, rtol=1e-6
        )


def test_metric_objects_names_and_functions_are_right(sequences):
    X, y = sequences

    def brier(y_true, y_pred):
        return keras.ops.mean(keras.ops.square(y_true - y_pred), axis=-1)

    auc = keras.metrics.AUC(name="area", num_thresholds=1000)
    metrics = [auc, "precision", keras.metrics.Recall(name="hit_rate"), brier]
    estimator = skseq.DenseClassifier(**FROZEN, metrics=metrics).fit(X, y)
    probabilities, labels = estimator.predict_proba(X)[:, 1], estimator.predict(X)
    last = {name: values[-1] for name, values in estimator.history_.items()}
    assert set(last) == {"loss", "area", "precision", "hit_rate", "brier"}
    assert last["area"] == pytest.approx(roc_auc_score(y, probabilities), abs=5e-3)
    assert last["precision"] == pytest.approx(y[labels == 1].mean(), rel=1e-6)
    assert last["hit_rate"] == pytest.approx(labels[y == 1].mean(), rel=1e-6)
    assert last["brier"] == pytest.approx(((y - probabilities) ** 2).mean(), rel=1e-5)
    assert float(auc.result()) == 0  # the caller's object has counted nothing
    assert metrics[0] is auc


def test_metric_names_do_not_depend_on_what_was_built_before(sequences):
    X, y = sequences
    for _ in range(3):
        estimator = skseq.DenseClassifier((3,), epochs=1, metrics=["auc", "precision"])
        assert list(estimator.fit(X, y).history_) == ["loss", "auc", "precision"]
        skseq.clear_programs()


def test_metrics_start_anew_with_each_epoch(sequences):
    X, y = sequences
    half = np.concatenate([X[y == 0][:20], X[y == 1][:5]])
    labels = np.repeat([0, 1], [20, 5])
    estimator = skseq.DenseClassifier(
        **{**FROZEN, "epochs": 3}, metrics=[keras.metrics.TrueNegatives(name="tn")]
    ).fit(half, labels)
    expected = (estimator.predict(half)[labels == 0] == 0).sum()
    assert estimator.history_["tn"] == [expected] * 3


def _squared(y_true, y_pred):
    return keras.ops.mean(keras.ops.square(y_pred - y_true), axis=-1)


def test_loss_in_any_form_trains_alike(sequences):
    X, y = sequences
    params = {"epochs": 2, "random_state": 0}
    expected = skseq.DenseClassifier(**params, loss="mse").fit(X, y).predict_proba(X)
    for loss in (
        "MeanSquaredError",
        "mean_squared_error",
        keras.losses.MeanSquaredError(),
        keras.losses.MeanSquaredError,
        keras.losses.mean_squared_error,
        _squared,
    ):
        estimator = skseq.DenseClassifier(**params, loss=loss).fit(X, y)
        np.testing.assert_allclose(estimator.predict_proba(X), expected, atol=1e-6)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("by_dict", [False, True], ids=["parameter", "loss_params"])
def test_smoothed_labels_are_shared_out_over_the_classes(request, n_classes, by_dict):
    X, y = request.getfixturevalue("three_classes" if n_classes == 3 else "sequences")
    params = {"label_smoothing": 0.3}
    if by_dict:
        loss = "categorical" if n_classes == 3 else "binary"
        params = {"loss": f"{loss}_crossentropy", "loss_params": params}
    net = skseq.DenseClassifier(
        (4,), epochs=1, learning_rate=1e-9, random_state=0, **params
    ).fit(X, y)
    target = 0.7 * np.eye(n_classes)[y] + 0.3 / n_classes
    expected = -(target * net.predict_log_proba(X)).sum(axis=1).mean()
    assert net.history_["loss"][0] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"loss": "hinge"}, "label_smoothing must be 0 with .* loss='hinge'"),
        (
            {"loss_params": {"label_smoothing": 0.1}},
            "label_smoothing must equal that in loss_params, got 0.3",
        ),
    ],
)
def test_smoothing_that_can_not_be_raises(sequences, params, message):
    with pytest.raises(ValueError, match=message):
        skseq.DenseClassifier(label_smoothing=0.3, **params).fit(*sequences)


def test_loss_params_reach_the_loss(sequences):
    X, y = sequences
    params = {"epochs": 3, "random_state": 0}
    smooth = keras.losses.BinaryCrossentropy(label_smoothing=0.3)
    expected = skseq.DenseClassifier(**params, loss=smooth).fit(X, y)
    by_name = skseq.DenseClassifier(**params, loss="binary_crossentropy")
    by_name.set_params(loss__label_smoothing=0.3).fit(X, y)
    np.testing.assert_array_equal(by_name.predict_proba(X), expected.predict_proba(X))
    plain = skseq.DenseClassifier(**params).fit(X, y)
    assert not np.array_equal(plain.predict_proba(X), expected.predict_proba(X))


class ScaledError(keras.losses.Loss):
    """A user's own loss, not registered with Keras: squared error times a factor."""

    def __init__(self, factor=2.0, name="scaled_error", **kwargs):
        super().__init__(name=name, **kwargs)
        self.factor = factor

    def call(self, y_true, y_pred):
        return self.factor * _squared(y_true, y_pred)

    def get_config(self):
        return {**super().get_config(), "factor": self.factor}


OBJECTS = {
    "optimizer": {"optimizer": keras.optimizers.SGD(0.05, momentum=0.9)},
    "optimizer_class": {"optimizer": keras.optimizers.Nadam, "learning_rate": 0.01},
    "schedule": {
        "learning_rate": keras.optimizers.schedules.ExponentialDecay(0.05, 4, 0.5)
    },
    "schedule_in_optimizer": {
        "optimizer": keras.optimizers.Adam(
            keras.optimizers.schedules.CosineDecay(0.05, 10)
        )
    },
    "loss": {"loss": keras.losses.BinaryFocalCrossentropy(gamma=1.0)},
    "own_loss": {"loss": ScaledError(3.0)},
    "loss_function": {"loss": _squared},
    "metric": {"metrics": [keras.metrics.AUC(name="auc"), _squared]},
}


@pytest.mark.parametrize(
    "name",
    mostly_slow(OBJECTS, "optimizer", "schedule", "loss", "loss_function"),
)
def test_keras_objects_survive_clone_grid_and_joblib(table, tmp_path, name):
    X, y = table
    estimator = skseq.DenseClassifier(
        (4,), n_timesteps=5, epochs=3, random_state=0, **OBJECTS[name]
    )
    expected = estimator.fit(X, y).predict_proba(X)
    for other in (clone(estimator), pickle.loads(pickle.dumps(clone(estimator)))):
        np.testing.assert_array_equal(other.fit(X, y).predict_proba(X), expected)
    joblib.dump(estimator, tmp_path / "model.joblib")
    loaded = joblib.load(tmp_path / "model.joblib")
    np.testing.assert_array_equal(loaded.predict_proba(X), expected)
    assert loaded.history_ == estimator.history_
    going_on = estimator.partial_fit(X, y).predict_proba(X)
    np.testing.assert_allclose(
        loaded.partial_fit(X, y).predict_proba(X), going_on, atol=1e-6
    )
    grid = GridSearchCV(clone(estimator), {"batch_size": [16, 32]}, cv=2).fit(X, y)
    assert np.isfinite(grid.cv_results_["mean_test_score"]).all()


def test_grid_over_objects_and_routed_parameters(table):
    X, y = table
    grid = GridSearchCV(
        make_pipeline(StandardScaler(), skseq.DenseClassifier((3,), epochs=1)),
        {
            "denseclassifier__optimizer": ["adam", keras.optimizers.SGD(0.1)],
            "denseclassifier__optimizer__clipnorm": [0.5, 1.0],
        },
        cv=2,
        scoring="roc_auc",
    ).fit(X, y)
    assert len(grid.cv_results_["params"]) == 4
    best = grid.best_estimator_[-1]
    clipnorm = grid.best_params_["denseclassifier__optimizer__clipnorm"]
    assert best.optimizer_params == {"clipnorm": clipnorm}


def test_optimizer_objects_keep_their_rate_and_are_not_changed(sequences):
    X, y = sequences
    optimizer = keras.optimizers.SGD(0.25)
    estimator = skseq.DenseClassifier(
        epochs=1, optimizer=optimizer, callbacks=[Rates()], random_state=0
    ).fit(X, y)
    assert estimator.callbacks_[0].rates == [0.25]
    estimator.set_params(learning_rate=0.5).fit(X, y)
    assert estimator.callbacks_[0].rates == [0.5]
    assert not optimizer.built
    assert float(optimizer.learning_rate) == 0.25
    assert int(optimizer.iterations) == 0


@pytest.mark.parametrize("xla", [False, True], ids=["graph", "xla"])
def test_learning_rate_schedule_counts_batches(sequences, xla, set_jit_compile):
    X, y = sequences
    set_jit_compile(xla)
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5, staircase=True)
    estimator = skseq.DenseClassifier(
        epochs=3, batch_size=30, learning_rate=schedule, callbacks=[Rates()]
    ).fit(X, y)
    # Two batches an epoch, so that the rate halves with each epoch.
    np.testing.assert_allclose(estimator.callbacks_[0].rates, [0.1, 0.05, 0.025])


def test_averaging_optimizer_hands_over_its_average(sequences):
    X, y = sequences
    params = {"use_ema": True, "ema_momentum": 0.5}
    estimator = skseq.DenseClassifier(
        (), epochs=3, shuffle=False, optimizer="sgd", learning_rate=0.1,
        optimizer_params=params, random_state=0, **AS_KERAS,
    )  # fmt: skip
    model = estimator.initialize(X, y).model_
    model.compile(
        keras.optimizers.SGD(0.1, **params), loss="binary_crossentropy",
        run_eagerly=True, jit_compile=False,
    )  # fmt: skip
    model.fit(
        X.astype(np.float32), y.astype(np.float32), epochs=3, shuffle=False, verbose=0
    )
    for a, b in zip(
        model.get_weights(), estimator.fit(X, y).model_.get_weights(), strict=True
    ):
        np.testing.assert_allclose(b, a, atol=1e-5)


# ---------------------------------------------------------------------------- verbosity


def test_two_prints_a_line_per_epoch(make_classifier, sequences, capsys):
    X, y = sequences
    make_classifier(epochs=3, verbose=2, metrics=["accuracy"]).fit(
        X, y, X_val=X, y_val=y
    )
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    for epoch, line in enumerate(lines, start=1):
        assert line.startswith(f"epoch {epoch} of 3: loss ")
        for name in ("accuracy", "val_loss", "val_accuracy"):
            assert f"{name} " in line


def test_one_draws_a_bar_in_a_terminal(sequences, capsys, monkeypatch):
    X, y = sequences
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    # tqdm cuts the line at the width of the terminal.
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("LINES", "40")
    skseq.DenseClassifier(epochs=4, verbose=1).fit(X, y, X_val=X, y_val=y)
    captured = capsys.readouterr()
    assert captured.out == ""
    last = captured.err.split("\r")[-1]
    for text in ("100%", "4/4", "loss=", "val_loss=", "epoch/s"):
        assert text in last


@pytest.mark.parametrize("verbose", [1, True])
def test_one_writes_a_line_where_no_terminal_is(sequences, capsys, verbose):
    X, y = sequences
    skseq.DenseClassifier(epochs=4, verbose=verbose).fit(X, y, X_val=X, y_val=y)
    captured = capsys.readouterr()
    assert captured.out == ""
    (line,) = captured.err.splitlines()
    assert line.startswith("DenseClassifier(epochs=4): 4 of 4 epochs, loss ")
    assert "\r" not in line


def test_progress_in_a_search_has_the_number_of_the_fit(sequences, capsys):
    pytest.importorskip("sklearn.callback", reason="needs scikit-learn 1.9")
    X, y = sequences
    net = skseq.DenseClassifier((3,), epochs=2, verbose=1, random_state=0)
    for estimator in (net, make_pipeline(skseq.SequenceScaler(), net)):
        prefix = "" if estimator is net else "denseclassifier__"
        grid = {f"{prefix}learning_rate": [0.1, 0.2]}
        GridSearchCV(estimator, grid, cv=2, n_jobs=1).fit(X, y)
        lines = capsys.readouterr().err.splitlines()
        starts = ["fit 1 of 4: D", "fit 2 of 4: D", "fit 3 of 4: D", "fit 4 of 4: D"]
        assert [line[:13] for line in lines] == [*starts, "DenseClassifi"]
        assert "learning_rate=0.2" in lines[2]


@pytest.mark.parametrize("verbose", [0, False])
def test_nothing_is_said_by_default(sequences, capsys, verbose):
    X, y = sequences
    assert skseq.DenseClassifier().verbose == 0
    skseq.DenseClassifier(epochs=2, verbose=verbose).fit(X, y)
    assert capsys.readouterr() == ("", "")
