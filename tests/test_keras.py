"""A user's own Keras model: its arguments, its training, its files, its errors."""

import pickle
import random
import re
import subprocess
import sys
import threading
import types

import joblib
import keras
import numpy as np
import pytest
from keras import layers, ops
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skseq
from estimators import AS_KERAS, mostly_slow
from skseq import KerasClassifier, KerasRegressor


def lstm(inputs, width=6):
    """Build the network of most tests."""
    return layers.LSTM(width)(inputs)


# ------------------------------------------------------------- layers, against Keras


class Scaling(layers.Layer):
    """A layer with a weight, a penalty, a loss and an option."""

    def __init__(self, factor=2.0, **options):
        super().__init__(**options)
        self.factor = factor

    def build(self, shape):
        self.scale = self.add_weight(
            shape=(shape[-1],), initializer="ones", regularizer="l2", name="scale"
        )

    def call(self, x):
        self.add_loss(1e-2 * ops.mean(ops.square(x)))
        return x * self.scale * self.factor

    def get_config(self):
        return {**super().get_config(), "factor": self.factor}


class Counting(layers.Layer):
    """A layer with a variable that is no weight of a matrix, and one of integers."""

    def __init__(self, **options):
        super().__init__(**options)
        self.gain = keras.Variable(np.full(2, 2.0, np.float32), name="gain")
        self.count = self.add_weight(
            shape=(), dtype="int32", initializer="zeros", trainable=False, name="count"
        )

    def call(self, x, training=False):
        if training:
            self.count.assign(self.count + 1)
        return x * self.gain


class Noise(layers.Layer):
    """A layer that draws random numbers."""

    def __init__(self, **options):
        super().__init__(**options)
        self.generator = keras.random.SeedGenerator()

    def call(self, x, training=False):
        if not training:
            return x
        return x + keras.random.normal(ops.shape(x), seed=self.generator)


class Cell(layers.Layer):
    """A recurrent cell."""

    def __init__(self, units, **options):
        super().__init__(**options)
        self.units = self.state_size = self.output_size = units

    def build(self, shape):
        self.kernel = self.add_weight(shape=(shape[-1], self.units), name="kernel")
        self.recurrent = self.add_weight(shape=(self.units, self.units), name="inner")

    def call(self, x, states, training=False):
        state = ops.tanh(x @ self.kernel + states[0] @ self.recurrent)
        return state, [state]

    def get_config(self):
        return {**super().get_config(), "units": self.units}


class Whole(keras.Model):
    """A model whose graph is not known."""

    def __init__(self, units=4):
        super().__init__()
        self.units = units
        self.inner = layers.LSTM(units)
        self.last = layers.Dense(1, activation="sigmoid")

    def call(self, x):
        return self.last(self.inner(x))

    def get_config(self):
        return {"units": self.units}


def halved(x):
    return ops.relu(x) / 2


def centred(x):
    return x - ops.mean(x, axis=0)


def _shared(inputs):
    twice = layers.Dense(4, activation="tanh")
    return twice(twice(layers.Dense(4)(layers.Flatten()(inputs))))


def _branches(inputs):
    left = layers.LSTM(3)(inputs)
    right = layers.GlobalMaxPooling1D()(layers.Conv1D(4, 3, padding="same")(inputs))
    return layers.Concatenate()([left, right])


def _nested(inputs):
    rows = keras.Input(inputs.shape[1:])
    inner = keras.Model(rows, layers.LSTM(3)(layers.Conv1D(4, 2)(rows)))
    return keras.Sequential([layers.Dense(5), layers.Dense(4)])(inner(inputs))


def _transformer(inputs):
    attended = layers.MultiHeadAttention(2, 3)(inputs, inputs)
    x = layers.LayerNormalization()(inputs + attended)
    return layers.GlobalAveragePooling1D()(x)


NETWORKS = {
    "lstm": lstm,
    "bidirectional": lambda inputs: layers.Bidirectional(layers.GRU(4))(inputs),
    "attention": lambda inputs: layers.Flatten()(layers.Attention()([inputs, inputs])),
    "transformer": _transformer,
    "masking": lambda inputs: layers.LSTM(4)(layers.Masking()(inputs)),
    "separable": lambda inputs: layers.Flatten()(layers.SeparableConv1D(3, 3)(inputs)),
    "depthwise": lambda inputs: layers.Flatten()(layers.DepthwiseConv1D(3)(inputs)),
    "time_distributed": lambda inputs: layers.LSTM(3)(
        layers.TimeDistributed(layers.Dense(5, activation="relu"))(inputs)
    ),
    "batch_normalization": lambda inputs: layers.Flatten()(
        layers.BatchNormalization()(inputs)
    ),
    "group_normalization": lambda inputs: layers.Flatten()(
        layers.GroupNormalization(2)(inputs)
    ),
    "unit_normalization": lambda inputs: layers.Flatten()(
        layers.UnitNormalization()(inputs)
    ),
    "own_layer": lambda inputs: layers.Flatten()(Scaling(3.0)(inputs)),
    "own_variables": lambda inputs: layers.Flatten()(Counting()(inputs)),
    "own_cell": lambda inputs: layers.RNN(Cell(4))(inputs),
    "own_cells": lambda inputs: layers.RNN([Cell(4), Cell(3)])(inputs),
    "own_activation": lambda inputs: layers.Dense(4, activation=halved)(
        layers.Flatten()(inputs)
    ),
    "lambda": lambda inputs: layers.Flatten()(
        layers.Lambda(lambda one: one * 2)(inputs)
    ),
    "states": lambda inputs: layers.Concatenate()(
        layers.LSTM(4, return_state=True)(inputs)[1:]
    ),
    "operations": lambda inputs: ops.mean(
        layers.LSTM(4, return_sequences=True)(inputs)[:, 2:] * 2.0, axis=1
    ),
    "over_rows": lambda inputs: ops.max(
        inputs - ops.mean(inputs, axis=0, keepdims=True), axis=1
    ),
    "shared": _shared,
    "branches": _branches,
    "nested": _nested,
    "subclass": lambda: Whole(4),
    "sequential": lambda: keras.Sequential(
        [layers.GRU(4), layers.Dense(1, activation="sigmoid")]
    ),
}


# Layers run as Keras runs them; these have states, masks, updates or cells.
FEW = (
    "lstm", "masking", "batch_normalization", "own_variables", "own_cell", "subclass",
)  # fmt: skip


@pytest.mark.parametrize("name", mostly_slow(NETWORKS, *FEW))
def test_network_trains_as_in_keras(sequences, name):
    X, y = sequences
    net = KerasClassifier(
        NETWORKS[name], optimizer="sgd", learning_rate=0.05, epochs=3, batch_size=60,
        shuffle=False, random_state=0, warm_start=True,
    )  # fmt: skip
    model = net.initialize(X, y).model_
    net.fit(X, y)
    model.compile(keras.optimizers.SGD(0.05), "binary_crossentropy")
    X = X.astype(np.float32)
    target = y.astype(np.float32)[:, None]
    history = model.fit(X, target, epochs=3, batch_size=60, shuffle=False, verbose=0)
    assert_allclose(net.history_["loss"], history.history["loss"], atol=1e-5)
    for ours, theirs in zip(net.model_.get_weights(), model.get_weights(), strict=True):
        assert_allclose(ours, theirs, atol=1e-4)
    if name != "over_rows":  # predictions run in batches of another size
        assert_allclose(
            net.predict_proba(X)[:, 1:], net.model_.predict(X, verbose=0), atol=1e-6
        )


@pytest.mark.parametrize(
    "name",
    mostly_slow(["own_layer", "nested", "subclass", "own_cell"], "nested", "subclass"),
)
def test_copy_has_the_same_program_and_the_same_bits(sequences, name):
    net = KerasClassifier(NETWORKS[name], epochs=2, random_state=0).fit(*sequences)
    copy = clone(net).fit(*sequences)
    assert copy._recipe.key() == net._recipe.key()
    assert_array_equal(
        copy.predict_proba(sequences[0]), net.predict_proba(sequences[0])
    )


def test_layer_that_draws_repeats_with_the_seed(sequences):
    def fit(seed):
        net = KerasClassifier(
            lambda inputs: layers.Flatten()(Noise()(inputs)), epochs=2,
            random_state=seed,
        )  # fmt: skip
        return net.fit(*sequences).predict_proba(sequences[0])

    assert_array_equal(fit(0), fit(0))
    assert not np.array_equal(fit(0), fit(1))


class Forgetful(layers.Dense):
    """A layer whose copies have the default rate."""

    def __init__(self, units, rate=0.5, **options):
        super().__init__(units, **options)
        self.rate = rate

    def call(self, x):
        return super().call(x) * self.rate


def forgetful(inputs, rate=0.5):
    return Forgetful(3, rate)(layers.Flatten()(inputs))


def test_layer_that_loses_an_argument_in_copies_raises(sequences):
    net = KerasClassifier(forgetful, epochs=1).fit(*sequences)
    with pytest.raises(
        ValueError,
        match=r"Forgetful.get_config\(\) must return all .* 'rate': a copy has rate="
        r"0.5 in place of 0.2. Let it return .*get_config\(\), 'rate': self.rate}",
    ):
        net.set_params(model__rate=0.2).fit(*sequences)


def test_seeds_that_keras_draws_are_no_part_of_the_program(sequences):
    def key(seed):
        random.seed(seed)  # from which Keras draws that of a SeedGenerator
        net = KerasClassifier(
            lambda inputs: layers.Flatten()(Noise()(inputs)), epochs=1, random_state=0
        )
        return net.fit(*sequences)._recipe.key()

    assert key(1) == key(2)


def test_function_gives_the_network_of_the_family(sequences):
    X, y = sequences
    options = {"epochs": 3, "learning_rate": 0.01, "random_state": 0, **AS_KERAS}
    own = KerasClassifier(lstm, model__width=8, **options).fit(X, y)
    family = skseq.LSTMClassifier(8, pooling="last", **options).fit(X, y)
    assert_array_equal(own.predict_proba(X), family.predict_proba(X))


@pytest.mark.parametrize("xla", [False, True])
def test_both_paths_train_alike(sequences, set_jit_compile, xla):
    X, y = sequences
    expected = KerasClassifier(_branches, epochs=2, random_state=0).fit(X, y)
    set_jit_compile(xla)
    net = KerasClassifier(_branches, epochs=2, random_state=0).fit(X, y)
    assert_allclose(net.predict_proba(X), expected.predict_proba(X), atol=1e-5)


# ------------------------------------------------------- what the function is given


def test_function_gets_what_its_signature_names(three_classes):
    seen = {}

    def model(inputs, meta, compile_kwargs, params, width=3):
        seen.update(meta=meta, compile_kwargs=compile_kwargs, params=params)
        return layers.LSTM(width)(inputs)

    X, y = three_classes
    labels = np.array(["a", "b", "c"])[y]
    net = KerasClassifier(
        model, model__width=5, optimizer="rmsprop", optimizer__learning_rate=0.25,
        metrics=["accuracy"], epochs=1,
    )  # fmt: skip
    net.fit(X, labels)
    meta = seen["meta"]
    assert meta["classes_"].tolist() == ["a", "b", "c"]
    assert meta["X_shape_"] == (60, 5, 2)
    expected = {
        "n_features_in_": 2, "n_timesteps_in_": 5, "n_classes_": 3, "n_outputs_": 1,
        "n_outputs_expected_": 1, "target_type_": "multiclass",
    }  # fmt: skip
    assert expected.items() <= meta.items()
    optimizer = seen["compile_kwargs"]["optimizer"]
    assert type(optimizer) is keras.optimizers.RMSprop
    assert seen["compile_kwargs"]["metrics"] == ["accuracy"]
    assert seen["params"]["model__width"] == 5
    assert net.model_.output_shape == (None, 3)


def _from_scikeras(hidden_layer_dim, meta, compile_kwargs):
    """Build a model in the way of SciKeras' guide."""
    model = keras.Sequential()
    model.add(keras.Input(shape=meta["X_shape_"][1:]))
    model.add(layers.Dense(meta["n_features_in_"], activation="relu"))
    model.add(layers.Dense(hidden_layer_dim, activation="relu"))
    if meta["target_type_"] == "binary":
        model.add(layers.Dense(1, activation="sigmoid"))
        loss = "binary_crossentropy"
    else:
        model.add(layers.Dense(meta["n_classes_"], activation="softmax"))
        loss = "sparse_categorical_crossentropy"
    model.compile(loss=loss, optimizer=compile_kwargs["optimizer"])
    return model


@pytest.mark.parametrize("n_classes", [2, 3])
def test_function_of_scikeras_runs_unchanged(sequences, three_classes, n_classes):
    X, y = sequences if n_classes == 2 else three_classes
    X = X.reshape(60, 10)
    net = KerasClassifier(
        model=_from_scikeras, model__hidden_layer_dim=20, optimizer="adam",
        optimizer__learning_rate=0.02, epochs=20, random_state=0,
    )  # fmt: skip
    assert net.fit(X, y).score(X, y) > 0.9
    search = GridSearchCV(
        net, {"model__hidden_layer_dim": [2, 20], "optimizer__learning_rate": [0.01]},
        cv=2,
    )  # fmt: skip
    search.fit(X, y)
    assert search.best_estimator_.learning_rate == 0.01
    assert search.best_estimator_.get_params()["model__hidden_layer_dim"] in (2, 20)


def _compiled():
    model = keras.Sequential([keras.Input((5, 2)), layers.GRU(3), layers.Dense(2)])
    model.compile(
        keras.optimizers.SGD(0.25, momentum=0.5),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return model


def test_compiled_model_brings_optimizer_loss_and_metrics(sequences):
    net = KerasClassifier(_compiled, epochs=2, random_state=0).fit(*sequences)
    assert type(net._recipe.optimizer) is keras.optimizers.SGD
    assert net._recipe.rate == 0.25
    assert list(net.history_) == ["loss", "accuracy"]
    logits = net.model_.predict(sequences[0].astype(np.float32), verbose=0)
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert_allclose(net.predict_proba(sequences[0]), expected, atol=1e-6)


def test_parameters_replace_what_the_model_was_compiled_with(sequences):
    net = KerasClassifier(
        _compiled, optimizer="adam", learning_rate=0.01, epochs=1,
        metrics=["sparse_categorical_crossentropy"],
    )  # fmt: skip
    net.fit(*sequences)
    assert net._recipe.optimizer == "adam"
    assert list(net.history_) == ["loss", "sparse_categorical_crossentropy"]


def test_learning_rate_defaults_to_that_of_keras(sequences):
    net = KerasClassifier(lstm, epochs=1).fit(*sequences)
    assert net._recipe.rate == 0.001
    net = KerasClassifier(lstm, optimizer="sgd", epochs=1).fit(*sequences)
    assert net._recipe.rate == 0.01


def test_weights_that_the_function_sets_are_the_first_ones(sequences):
    kernel = np.arange(30, dtype=np.float32).reshape(10, 3) / 100

    def model(inputs):
        embedding = layers.Dense(3, trainable=False, name="known")
        x = embedding(layers.Flatten()(inputs))
        embedding.set_weights([kernel, np.ones(3)])
        return layers.Dense(4)(x)

    net = KerasClassifier(model, epochs=2, random_state=0).fit(*sequences)
    found = net.model_.get_layer("known").get_weights()
    assert_array_equal(found[0], kernel)
    assert_array_equal(found[1], np.ones(3))
    other = clone(net).set_params(random_state=1).initialize(*sequences)
    assert_array_equal(other.model_.get_layer("known").get_weights()[0], kernel)


def test_model_is_used_by_its_configuration(sequences):
    X, y = sequences
    model = keras.Sequential([keras.Input((5, 2)), layers.LSTM(4), layers.Dense(1)])
    model.compile("sgd", keras.losses.BinaryCrossentropy(from_logits=True))
    weights = model.get_weights()
    net = KerasClassifier(model, epochs=2, random_state=0).fit(X, y)
    for one, other in zip(weights, model.get_weights(), strict=True):
        assert_array_equal(one, other)
    again = clone(net).fit(X, y)
    assert_array_equal(again.predict_proba(X), net.predict_proba(X))
    loaded = pickle.loads(pickle.dumps(net))
    assert_array_equal(loaded.fit(X, y).predict_proba(X), net.predict_proba(X))


# ------------------------------------------------------------------- shapes of X


@pytest.mark.parametrize(
    ("shape", "n_timesteps", "seen"),
    [
        ((60, 10), None, (None, 10)),
        ((60, 10), 5, (None, 5, 2)),
        ((60, 5, 2), None, (None, 5, 2)),
        ((60, 5, 2, 1), None, (None, 5, 2, 1)),
    ],
)
def test_model_reads_x_as_it_is(sequences, shape, n_timesteps, seen):
    X, y = sequences
    X = X.reshape(shape)
    net = KerasClassifier(
        lambda inputs: layers.Dense(4)(layers.Flatten()(inputs)), epochs=1,
        n_timesteps=n_timesteps, random_state=0,
    )  # fmt: skip
    net.fit(X, y)
    assert net.model_.input_shape == seen
    assert net.predict_proba(X).shape == (60, 2)
    with pytest.raises(ValueError, match="X "):
        net.predict(X[:, 1:])


def test_images_are_classified():
    rng = np.random.default_rng(0)
    y = np.arange(80) % 2
    X = rng.normal(size=(80, 6, 6, 1)) + y[:, None, None, None]

    def model(inputs):
        x = layers.Conv2D(4, 3, activation="relu")(inputs)
        return layers.GlobalMaxPooling2D()(x)

    net = KerasClassifier(model, learning_rate=0.02, epochs=20, random_state=0)
    assert cross_val_score(net, X, y, cv=2, scoring="roc_auc").mean() > 0.9


def test_ids_are_embedded():
    rng = np.random.default_rng(0)
    ids = rng.integers(1, 30, size=(120, 6))
    y = (ids == 7).any(axis=1).astype(int)
    ids[:, 4:] *= rng.integers(0, 2, size=(120, 1))  # 0 is padding

    def model(meta):
        x = inputs = keras.Input((6,), dtype="int32")
        x = layers.Embedding(30, 8, mask_zero=True)(x)
        x = layers.Dense(1, activation="sigmoid")(layers.LSTM(8)(x))
        return keras.Model(inputs, x)

    net = KerasClassifier(model, learning_rate=0.02, epochs=40, random_state=0)
    assert net.fit(ids, y).score(ids, y) > 0.9


def test_pipeline_scales_a_table(table):
    pipeline = make_pipeline(
        StandardScaler(), KerasClassifier(lstm, n_timesteps=5, epochs=2)
    )
    assert pipeline.fit(*table).predict(table[0]).shape == (60,)


# ------------------------------------------------------------------------- programs


SOURCE = """
from keras import layers
RATE = {rate}
def model(inputs):
    return layers.Dropout(RATE)(layers.LSTM(4)(inputs))
"""


def _cell(rate):
    module = types.ModuleType("__main__")
    exec(SOURCE.format(rate=rate), vars(module))
    return module.model


def test_program_belongs_to_what_the_function_does(sequences):
    def key(function):
        net = KerasClassifier(function, epochs=1).fit(*sequences)
        return net._recipe.key()

    assert key(_cell(0.1)) == key(_cell(0.1))
    assert key(_cell(0.1)) != key(_cell(0.2))

    def closed_over(width):
        return lambda inputs: layers.LSTM(width)(inputs)

    assert key(closed_over(3)) == key(closed_over(3))
    assert key(closed_over(3)) != key(closed_over(4))


def test_worker_processes_give_the_scores_of_one(sequences):
    net = KerasClassifier(lambda inputs: lstm(inputs, 3), epochs=2, random_state=0)
    alone = cross_val_score(net, *sequences, cv=2, scoring="roc_auc")
    with joblib.parallel_config("loky", n_jobs=2):
        assert_array_equal(
            cross_val_score(net, *sequences, cv=2, scoring="roc_auc"), alone
        )


# -------------------------------------------------------------------------- pickles


LOADING = """
import sys, joblib, numpy as np, keras
net = joblib.load(sys.argv[1])
X = np.load(sys.argv[2])
np.save(sys.argv[3], net.predict_proba(X))
print(net.model)
"""

SAVING = """
import sys, joblib, numpy as np
from keras import layers
from skseq import KerasClassifier, KerasRegressor

def model(inputs, width=4):
    return layers.LSTM(width)(inputs)

X, y = np.load(sys.argv[2]), np.arange(60) % 2
net = KerasClassifier(model, epochs=1, random_state=0).fit(X, y)
joblib.dump(net, sys.argv[1])
np.save(sys.argv[3], net.predict_proba(X))
"""


def test_file_needs_no_function_to_predict(tmp_path, sequences):
    np.save(tmp_path / "X.npy", sequences[0])
    found = []
    for script in (SAVING, LOADING):
        arguments = [tmp_path / n for n in ("net.joblib", "X.npy", "found.npy")]
        run = subprocess.run(
            [sys.executable, "-c", script, *map(str, arguments)], check=True,
            capture_output=True, text=True,
        )  # fmt: skip
        found.append(np.load(tmp_path / "found.npy"))
    assert_array_equal(*found)
    assert "function model" in run.stdout


def test_function_that_is_gone_is_told_of_in_fit(sequences, monkeypatch):
    module = types.ModuleType("gone")
    exec(SOURCE.format(rate=0.0), vars(module))
    module.model.__module__ = "gone"
    monkeypatch.setitem(sys.modules, "gone", module)
    X, y = sequences
    net = KerasClassifier(module.model, epochs=1, random_state=0).fit(X, y)
    data = pickle.dumps(net)
    monkeypatch.delitem(sys.modules, "gone")
    loaded = pickle.loads(data)
    assert_array_equal(loaded.predict_proba(X), net.predict_proba(X))
    assert repr(loaded.model) == "<function model, not found: No module named 'gone'>"
    again = pickle.loads(pickle.dumps(loaded))
    assert repr(again.model) == repr(loaded.model)
    with pytest.raises(ValueError, match=r"model must be .*set_params\(model="):
        loaded.fit(X, y)
    loaded.set_params(model=module.model).fit(X, y)
    assert_array_equal(loaded.predict_proba(X), net.predict_proba(X))


def test_function_that_cannot_be_pickled_is_refused(sequences):
    lock = threading.Lock()

    def model(inputs):
        with lock:
            return lstm(inputs)

    net = KerasClassifier(model, epochs=1).fit(*sequences)
    match = (
        r"KerasClassifier.model can't be pickled.* object\. Got .*top level of a mod"
    )
    with pytest.raises(pickle.PicklingError, match=match):
        pickle.dumps(net)


def test_layer_with_a_lambda_is_refused_in_a_file(sequences):
    net = KerasClassifier(NETWORKS["lambda"], epochs=1).fit(*sequences)
    with pytest.raises(pickle.PicklingError, match="layer 'lambda'.*top level"):
        pickle.dumps(net)


@pytest.mark.parametrize("name", ["own_layer", "own_cell", "own_activation", "nested"])
def test_saved_network_predicts_bit_equal(sequences, name):
    X, y = sequences
    net = KerasClassifier(NETWORKS[name], epochs=1, random_state=0).fit(X, y)
    loaded = pickle.loads(pickle.dumps(net))
    assert_array_equal(loaded.predict_proba(X), net.predict_proba(X))
    loaded.set_params(warm_start=True).fit(X, y)
    net.set_params(warm_start=True).fit(X, y)
    assert_array_equal(loaded.predict_proba(X), net.predict_proba(X))


# ------------------------------------------------------------------------ from_keras


def _trained(X, y):
    model = keras.Sequential(
        [keras.Input((5, 2)), layers.GRU(4), layers.Dense(2, activation="softmax")]
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(X.astype(np.float32), y, epochs=2, verbose=0)
    return model


def test_trained_model_predicts_and_goes_on(tmp_path, sequences):
    X, y = sequences
    model = _trained(X, y)
    model.save(tmp_path / "model.keras")
    labels = np.array(["no", "yes"])[y]
    for source in (model, tmp_path / "model.keras"):
        net = KerasClassifier.from_keras(source, X, labels, random_state=0)
        assert net.classes_.tolist() == ["no", "yes"]
        expected = model.predict(X.astype(np.float32), verbose=0)
        assert_allclose(net.predict_proba(X), expected, atol=1e-6)
        net.partial_fit(X, labels)
        assert net.n_iter_ == 1
        assert net.history_["loss"][0] < 1
        assert not np.allclose(net.predict_proba(X), expected, atol=1e-6)


def test_trained_model_must_fit_the_labels(sequences):
    X, y = sequences
    model = _trained(X, y)
    with pytest.raises(ValueError, match="model must have 3 outputs.*got 2"):
        KerasClassifier.from_keras(model, X, np.arange(60) % 3)


# ------------------------------------------------------------------------- messages


class Stepping(keras.Model):
    """A model that trains in its own way."""

    def train_step(self, data):
        raise NotImplementedError


def _two_inputs():
    one, other = keras.Input((5, 2)), keras.Input((5, 2))
    return keras.Model([one, other], layers.LSTM(3)(one + other))


def _sequential(*parts):
    return lambda: keras.Sequential(parts)


REFUSED = {
    "none": (None, ValueError, "model must be a function .*got None"),
    "text": ("lstm", ValueError, "'model' parameter .*Got 'lstm'"),
    "not_a_tensor": (
        lambda inputs: 3, TypeError, "model must return a tensor or a .*got 3"
    ),
    "sequence": (
        lambda inputs: layers.LSTM(3, return_sequences=True)(inputs),
        ValueError,
        r"tensor that model returns must have shape .*got \(None, 5, 3\).*pooling",
    ),
    "other_inputs": (
        lambda inputs: keras.Input((4,)),
        ValueError,
        "must be computed from its argument inputs",
    ),
    "shape": (
        _sequential(keras.Input((9, 2)), layers.LSTM(3)),
        ValueError,
        r"rows of the shape of X, \(5, 2\), got a model for \(9, 2\)",
    ),
    "outputs": (
        _sequential(keras.Input((5, 2)), layers.LSTM(3)),
        ValueError,
        "model must have 1 output with sigmoid, or 2 with softmax, .*got 3",
    ),
    "sequence_of_outputs": (
        _sequential(keras.Input((5, 2)), layers.LSTM(3, return_sequences=True)),
        ValueError,
        r"model must have one output of shape .*got \(None, 5, 3\)",
    ),
    "two_inputs": (_two_inputs, ValueError, "model must have one input, X, got 2"),
    "own_training": (
        lambda: Stepping(), ValueError, r"class Stepping, .*own train_step\(\)"
    ),
    "spectral": (
        lambda inputs: layers.SpectralNormalization(layers.Dense(3))(
            layers.Flatten()(inputs)
        ),
        ValueError,
        "SpectralNormalization",
    ),
    "needs": (
        lambda inputs, width: layers.LSTM(width)(inputs),
        ValueError,
        r"model_params must hold 'width', which .*needs, got \[\]",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_model_is_refused_before_training(sequences, case):
    model, error, match = REFUSED[case]
    net = KerasClassifier(lstm, epochs=1, random_state=0).fit(*sequences)
    before = net.predict_proba(sequences[0])
    with pytest.raises(error, match=match):
        net.set_params(model=model).fit(*sequences)
    assert_array_equal(net.predict_proba(sequences[0]), before)


PARAMETERS = {
    "nearest": ({"model__widht": 3}, r"model_params .*lstm\(\), got 'widht'.*'width'"),
    "given_anyway": ({"model__inputs": 3}, "model_params must not hold 'inputs'"),
    "pretrained": (
        {"pretrained": skseq.AutoencoderTransformer()}, "pretrained must be None"
    ),
    "validation_split": (
        {"validation_split": 0.2}, "validation_split is used with early_stopping=True"
    ),
    "categorical": (
        {"loss": "categorical_crossentropy", "model": NETWORKS["sequential"]},
        "model must have 2 outputs, one for each class, .*got 1",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", PARAMETERS)
def test_parameters_are_refused(sequences, case):
    params, match = PARAMETERS[case]
    net = KerasClassifier(lstm, epochs=1).set_params(**params)
    with pytest.raises(ValueError, match=match):
        net.fit(*sequences)


@pytest.mark.parametrize(
    ("params", "match"),
    [
        ({"build_fn": lstm}, r"'build_fn'\. Use model\."),
        ({"model": lstm, "width": 3}, r"'width'\. Use model__width"),
        ({"fit__epochs": 3}, r"'fit__epochs'\. Use epochs\."),
        ({"run_eagerly": True}, r"'run_eagerly'\. Leave it out"),
        ({"callbacks__patience": 3}, r"'callbacks__patience'\. Pass objects as call"),
    ],
)
def test_names_of_scikeras_are_told_of(params, match):
    with pytest.raises(TypeError, match=f"unexpected parameter {match}"):
        KerasClassifier(**params)
    match = match.replace(r"\.", " .*", 1)
    with pytest.raises(ValueError, match=f"Invalid parameter {match}"):
        KerasClassifier(params.pop("model", None)).set_params(**params)


def test_outputs_must_be_probabilities(sequences):
    X, y = sequences
    model = keras.Sequential([keras.Input((5, 2)), layers.LSTM(4), layers.Dense(1)])
    net = KerasClassifier(model, loss="mse", epochs=1, learning_rate=0.1).fit(X, y)
    match = "outputs of the network must be probabilities, got values from"
    with pytest.raises(ValueError, match=match):
        net.predict_proba(100 * X)


def test_model_in_params_takes_no_options(sequences):
    model = keras.Sequential([keras.Input((5, 2)), layers.LSTM(4), layers.Dense(1)])
    net = KerasClassifier(model, model__width=3)
    with pytest.raises(ValueError, match="model_params must be None with a keras"):
        net.fit(*sequences)


@pytest.mark.parametrize("is_fitted", [False, True])
def test_function_that_uses_a_network_is_told_of_it(sequences, is_fitted):
    inner = skseq.DenseClassifier(epochs=1).fit(*sequences)

    def model(inputs):
        if is_fitted:
            inner.predict(sequences[0])
        else:
            skseq.DenseClassifier(epochs=1).fit(*sequences)
        return lstm(inputs)

    with pytest.raises(RuntimeError, match="inside of the function that builds"):
        KerasClassifier(model).fit(*sequences)


def test_error_of_the_function_is_not_hidden(sequences):
    def model(inputs):
        raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match=re.escape("mine")):
        KerasClassifier(model).fit(*sequences)


# ------------------------------------------------------------------------ regressors


def test_regressor_learns_in_the_units_of_y(sequences):
    X, _ = sequences
    y = 1000 + 170 * X[:, :, 0].mean(axis=1)
    net = KerasRegressor(lstm, learning_rate=0.02, epochs=60, random_state=0)
    assert net.fit(X, y).score(X, y) > 0.9
    assert_allclose(
        net.model_.predict(X.astype(np.float32), verbose=0)[:, 0], net.predict(X),
        rtol=1e-5,
    )  # fmt: skip


def _mlp(meta, compile_kwargs):
    """Build a regressor in the way of SciKeras' guide."""
    model = keras.Sequential([keras.Input(shape=(meta["n_features_in_"],))])
    model.add(layers.Dense(20, activation="relu"))
    model.add(layers.Dense(meta["n_outputs_"]))
    model.compile(loss="mae", optimizer=compile_kwargs["optimizer"])
    return model


@pytest.mark.parametrize("n_outputs", [1, 3])
def test_regressor_of_scikeras_runs_unchanged(table, n_outputs):
    X, _ = table
    y = X[:, :n_outputs] if n_outputs > 1 else X[:, 0]
    net = KerasRegressor(
        model=_mlp, optimizer="adam", optimizer__learning_rate=0.02, epochs=40,
        random_state=0,
    )  # fmt: skip
    assert net.fit(X, y).score(X, y) > 0.8
    assert net._recipe.loss == "mae"
    assert net.predict(X).shape == y.shape


def test_quantiles_of_a_function(sequences):
    X, _ = sequences
    net = KerasRegressor(
        lstm, loss="quantile", loss__quantile=(0.1, 0.9), epochs=2, random_state=0
    )
    assert net.fit(X, X[:, 0, 0]).predict_quantiles(X).shape == (60, 2)


def test_model_of_a_regressor_needs_an_output_for_each_column(sequences):
    X, _ = sequences
    model = keras.Sequential([keras.Input((5, 2)), layers.LSTM(3)])
    with pytest.raises(ValueError, match="model must have 2 outputs for y of 2 colu"):
        KerasRegressor(model).fit(X, X[:, 0])


def test_trained_regressor_predicts_in_the_units_of_y(sequences):
    X, _ = sequences
    y = 100 + X[:, 0, 0]
    model = keras.Sequential([keras.Input((5, 2)), layers.Flatten(), layers.Dense(1)])
    net = KerasRegressor.from_keras(model, X, y)
    expected = model.predict(X.astype(np.float32), verbose=0)[:, 0]
    assert_allclose(net.predict(X), expected, atol=1e-5)


# --------------------------------------------------------- rows of unequal length


def _unequal(X):
    return [row[: 2 + i % 4] for i, row in enumerate(X)]


@pytest.mark.parametrize("whole", [False, True])
def test_layers_skip_padding_of_a_list(sequences, whole):
    X, y = sequences
    rows = _unequal(X)

    def model(inputs):
        if not whole:
            return layers.LSTM(4)(inputs)
        outputs = layers.Dense(1, activation="sigmoid")(layers.LSTM(4)(inputs))
        return keras.Model(inputs, outputs)

    options = {"learning_rate": 0.02, "epochs": 2, "random_state": 0, **AS_KERAS}
    net = KerasClassifier(model, **options).fit(rows, y)
    family = skseq.LSTMClassifier(4, pooling="last", **options).fit(rows, y)
    assert_allclose(net.predict_proba(rows), family.predict_proba(rows), atol=1e-5)
    for row, expected in zip(rows[:5], net.predict_proba(rows)[:5], strict=True):
        assert_allclose(net.predict_proba([row])[0], expected, atol=1e-6)
    padded = np.full((60, 50, 2), -7.0)
    for place, row in zip(padded, rows, strict=True):
        place[: len(row)] = row
    masked = KerasClassifier(model, mask_value=-7.0, **options).fit(padded, y)
    assert_array_equal(masked.predict_proba(padded), net.predict_proba(rows))
    match = "rows of at most 5 timesteps.*a model of your own .*SequencePadder"
    with pytest.raises(ValueError, match=match):
        net.predict([np.zeros((6, 2))])


@pytest.mark.parametrize("shape", [(60, 10), (60, 5, 2, 1)])
def test_mask_value_is_for_sequences(sequences, shape):
    X, y = sequences
    net = KerasClassifier(lstm, mask_value=0.0)
    with pytest.raises(ValueError, match="mask_value must be None for an X of"):
        net.fit(X.reshape(shape), y)
