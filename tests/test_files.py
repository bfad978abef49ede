"""Files of skops, which run no code when they are loaded."""

import copy
import doctest
import functools
import importlib
import inspect
import io
import json
import pickle
import warnings
import zipfile
from pathlib import Path

import joblib
import keras
import ml_dtypes
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.model_selection import TunedThresholdClassifierCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

import skseq
from estimators import CLASSIFIERS, REGRESSORS, make, names
from skseq import _state
from skseq._engine.configurations import is_refused, is_unsafe, safe_names
from skseq._engine.private import operation_class

sio = pytest.importorskip("skops.io")

FOLDER = Path(__file__).parent / "data"
ALL_NAMES = [*names(), "PurgedSplit"]


def _again(estimator, trusted=()):
    """Save and load an estimator."""
    return sio.loads(sio.dumps(estimator), trusted=[*skseq.skops_trusted(), *trusted])


def _dense(**params):
    return skseq.DenseClassifier((4,), **{"epochs": 2, "random_state": 0, **params})


@pytest.fixture(scope="module")
def fitted():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 5, 2)), np.arange(40) % 2
    return _dense(epochs=1).fit(X, y), X


# ----------------------------------------------------------------- what is in a file


def test_trusted_types_are_the_public_estimators():
    assert sorted(skseq.skops_trusted()) == sorted(f"skseq.{one}" for one in ALL_NAMES)


@pytest.mark.parametrize("name", ALL_NAMES)
def test_class_has_its_public_path(name):
    cls = getattr(skseq, name)
    module = importlib.import_module(f"skseq.{skseq._MODULES[name]}")
    assert cls.__module__ == "skseq"
    assert pickle.loads(f"c{module.__name__}\n{name}\n.".encode()) is cls
    found = {test.name for test in doctest.DocTestFinder().find(module)}
    assert f"{module.__name__}.{name}" in found
    assert inspect.getsource(cls.__init__)


@pytest.mark.parametrize("name", ALL_NAMES)
def test_unfitted_estimator_comes_back(name):
    if name in {**CLASSIFIERS, **REGRESSORS} and "Keras" not in name:
        estimator = make(name, random_state=3)
    else:
        estimator = getattr(skseq, name)()
    data = sio.dumps(estimator)
    assert sio.get_untrusted_types(data=data) == [f"skseq.{name}"]
    assert repr(_again(estimator)) == repr(estimator)


def test_file_is_at_most_twice_that_of_joblib(fitted):
    net, _ = fitted
    for compression, compress in ((zipfile.ZIP_STORED, 0), (zipfile.ZIP_DEFLATED, 3)):
        file = io.BytesIO()
        joblib.dump(net, file, compress=compress)
        data = sio.dumps(net, compression=compression, compresslevel=compress or None)
        assert len(data) <= 2 * len(file.getvalue())


def test_large_arrays_are_apart_and_one_array_stays_one():
    large, small = np.zeros((300, 300)), np.arange(6.0).reshape(2, 3)[:, ::2]
    word = np.array([["a", None]], object)
    writer = _state.Writer()
    values = {"a": large, "b": [large, small], "c": (word, np.float32(0.1), np.nan)}
    state = writer.state(values, "Owner", {})
    assert state["arrays"] == [large]
    found, _ = _state.Reader().content(pickle.loads(pickle.dumps(state)))
    assert found["a"] is found["b"][0]
    assert_array_equal(found["b"][1], [[0, 2], [3, 5]])
    assert_array_equal(found["c"][0], word)
    assert found["c"][1] == np.float32(0.1)
    assert type(found["c"][1]) is np.float32


@pytest.mark.parametrize("dtype", [[("a", "f4"), ("b", "i8")], "bfloat16", "O,i4"])
def test_arrays_of_other_types_are_pickled(dtype):
    array = np.zeros(3, ml_dtypes.bfloat16 if dtype == "bfloat16" else dtype)
    state = pickle.loads(pickle.dumps(_state.Writer().state({"a": array}, "A", {})))
    found = _state.Reader().content(state)[0]["a"]
    assert found.dtype == array.dtype
    assert_array_equal(found, array)


class _Adding(skseq.DenseClassifier):
    def __getstate__(self):
        return super().__getstate__() | {"extra": 5}


def test_what_a_subclass_adds_to_the_state_is_kept():
    state = _Adding(dropout=0.1).__getstate__()
    net = object.__new__(_Adding)
    net.__setstate__(state)
    assert (net.extra, net.dropout) == (5, 0.1)
    with pytest.raises(ValueError, match="Keras' own classes"):
        net.__setstate__(state | {"extra": [EVIL]})


def test_version_of_another_package_is_named():
    net = object.__new__(skseq.DenseClassifier)
    with pytest.warns(UserWarning, match="under other 1.0 and .* other unknown"):
        net.__setstate__({"_versions": {"other": "1.0"}})


def test_path_of_a_checkpoint_is_text_in_a_file(tmp_path):
    assert _again(_dense(checkpoint=tmp_path)).checkpoint == str(tmp_path)


# ------------------------------------------------------------------- what comes back


def _with_objects():
    return skseq.LSTMClassifier(
        3,
        layer_activation=keras.layers.LeakyReLU(negative_slope=0.2),
        layer_params={"kernel_regularizer": keras.regularizers.L2(0.001)},
        optimizer=keras.optimizers.SGD(
            keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9), momentum=0.9
        ),
        loss=keras.losses.BinaryFocalCrossentropy(gamma=1.0),
        metrics=[keras.metrics.AUC(name="auc"), keras.metrics.binary_accuracy],
        callbacks=[keras.callbacks.EarlyStopping(monitor="loss", patience=2)],
        class_weight={0: 1.0, 1: 2.0},
        epochs=2,
        random_state=0,
        warm_start=True,
    )


def test_objects_of_keras_are_kept_and_training_goes_on(sequences):
    X, y = sequences
    net = _with_objects().fit(X, y)
    loaded = _again(net)
    assert_array_equal(loaded.predict_proba(X), net.predict_proba(X))
    assert loaded.loss.gamma == 1.0
    assert loaded.optimizer.momentum == 0.9
    assert loaded.metrics[1] is keras.metrics.binary_accuracy
    assert loaded.class_weight == {0: 1.0, 1: 2.0}
    assert loaded.callbacks_[0].wait == net.callbacks_[0].wait
    for one in (net, loaded):
        one.fit(X, y)
    assert_array_equal(loaded.predict_proba(X), net.predict_proba(X))
    assert loaded.history_ == net.history_


def _own_model():
    inputs = keras.Input((5, 2))
    x = keras.layers.Bidirectional(keras.layers.GRU(2))(inputs[:, :, :1])
    x = keras.layers.Dropout(0.1)(keras.ops.tanh(x) * 2.0)
    return keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid")(x))


def test_model_of_layers_is_kept_by_its_configuration(sequences):
    X, y = sequences
    model = _own_model()
    model.compile(optimizer=keras.optimizers.SGD(0.1), loss="mse", metrics=["auc"])
    net = skseq.KerasClassifier(model, epochs=1, random_state=0).fit(X, y)
    loaded = _again(net)
    assert_array_equal(loaded.predict_proba(X), net.predict_proba(X))
    assert_array_equal(loaded.fit(X, y).predict_proba(X), net.predict_proba(X))


def test_function_is_replaced_by_the_model_that_it_made(sequences):
    X, y = sequences
    net = skseq.KerasClassifier(lambda inputs: keras.layers.GRU(2)(inputs), epochs=1)
    net.fit(X, y)
    expected = net.predict_proba(X)
    with pytest.raises(TypeError, match=r"KerasClassifier\.model must be free of code"):
        sio.dumps(net)
    loaded = _again(net.set_params(model=net.model_))
    assert_array_equal(loaded.predict_proba(X), expected)


def test_pipeline_with_a_threshold_comes_back(table):
    X, y = table
    net = _dense(epochs=1, n_timesteps=5)
    steps = make_pipeline(StandardScaler(), skseq.SequenceReshaper(n_timesteps=5), net)
    tuned = TunedThresholdClassifierCV(steps, cv=2).fit(X, y)
    data = sio.dumps(tuned)
    others = set(sio.get_untrusted_types(data=data)) - set(skseq.skops_trusted())
    assert all(name.startswith("sklearn.") for name in others)
    assert_array_equal(_again(tuned, others).predict(X), tuned.predict(X))


def test_sampler_comes_back(sequences):
    pytest.importorskip("imblearn")
    from imblearn.over_sampling import RandomOverSampler

    X, y = sequences
    sampler = skseq.SequenceResampler(RandomOverSampler(), random_state=0)
    sampler.fit_resample(X[10:], y[10:])
    others = set(sio.get_untrusted_types(data=sio.dumps(sampler)))
    others -= set(skseq.skops_trusted())
    assert all(name.startswith("imblearn.") for name in others)
    loaded = _again(sampler, others)
    for one, other in zip(
        loaded.fit_resample(X[10:], y[10:]), sampler.fit_resample(X[10:], y[10:]),
        strict=True,
    ):  # fmt: skip
        assert_array_equal(one, other)


def test_autoencoder_and_detector_come_back(sequences):
    X, _ = sequences
    network = skseq.AutoencoderTransformer(2, layer_sizes=4, epochs=1, random_state=0)
    network.fit(X)
    loaded = _again(network)
    assert_array_equal(loaded.transform(X), network.transform(X))
    assert_array_equal(
        loaded.sample(3, random_state=0), network.sample(3, random_state=0)
    )
    detector = skseq.AutoencoderOutlierDetector(
        network, n_networks=2, criterion="both", random_state=0
    ).fit(X)
    loaded = _again(detector)
    assert loaded.autoencoder_ is loaded.autoencoders_[0]
    assert_array_equal(loaded.score_samples(X), detector.score_samples(X))


def test_transformers_come_back():
    frame = pd.DataFrame({"id": [0, 0, 1, 1], "v": [1.0, 2.0, 3.0, 4.0]})
    for transformer, rows in (
        (skseq.SequenceReshaper(n_timesteps=2), np.arange(8.0).reshape(2, 4)),
        (skseq.SequenceScaler(), np.arange(12.0).reshape(2, 3, 2)),
        (skseq.SequencePadder(), [[[1.0]], [[2.0], [3.0]]]),
        (skseq.TextSequencer(), ["on the way", "the way home"]),
        (skseq.WindowTransformer(n_timesteps=2, ordered=True), frame),
    ):
        transformer.fit(rows)
        loaded = _again(transformer)
        assert_array_equal(
            np.asarray(loaded.transform(rows)), np.asarray(transformer.transform(rows))
        )


# ----------------------------------------------------------------- what is not kept


def _doubled(y_true, y_pred):
    return 2 * keras.losses.binary_crossentropy(y_true, y_pred)


def _scaled(y_true, y_pred, factor):
    return factor * keras.losses.binary_crossentropy(y_true, y_pred)


class _OwnLayer(keras.layers.Layer):
    def call(self, x):
        return 2.0 * x


def _with_lambda():
    return keras.Sequential(
        [keras.Input((5, 2)), keras.layers.Lambda(abs), keras.layers.Flatten()]
    )


REFUSED = {
    "loss": lambda: _dense(loss=_doubled),
    "activation": lambda: _dense(activation=_OwnLayer()),
    "callbacks": lambda: _dense(callbacks=keras.callbacks.CSVLogger("log.csv")),
    "metrics": lambda: _dense(metrics=[keras.metrics.MeanMetricWrapper(_doubled)]),
    "layer_params": lambda: _dense(
        layer_params={"kernel_initializer": {"class_name": "Own", "config": {}}}
    ),
    "model": lambda: skseq.KerasClassifier(_with_lambda()),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_needs_code_is_refused_by_name(name):
    with pytest.raises(TypeError, match=rf"Classifier\.{name}.* must be free of code"):
        sio.dumps(REFUSED[name]())


# -------------------------------------------------------------------- altered files


def _rewritten(net, change):
    """Load state whose text is changed by a function, with a digest that fits."""
    content = net.__getstate__()["content"][32:]
    end = 8 + int.from_bytes(content[:8])
    text = json.loads(content[8:end])
    objects = change(text["attributes"]) or []
    text = json.dumps(text).encode()
    content = len(text).to_bytes(8) + text + content[end:]
    state = {"content": _state._digest_of(content, []) + content, "objects": objects}
    new = object.__new__(type(net))
    new.__setstate__(state)
    return new


EVIL = {"module": "os", "class_name": "system", "config": {}, "registered_name": None}
LAMBDA = {"module": "keras.layers", "class_name": "Lambda", "config": {}}


# What Keras would iterate, or convert to a dict.
PAIRS = np.array([["layer", EVIL], ["name", "x"]], object)
STEPS = Pipeline([("a", Pipeline([("k", "layer"), ("v", LAMBDA)]))])
CELLS = {"dict": {"cells": {"tuple": {"object": 0}}}}


def _keras(name, config):
    return {"keras": f"layers.{name}", "config": config}


def _set(value, objects=()):
    def change(attributes):
        attributes["layer_params"] = value
        return list(objects)

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_set({"dict": EVIL | {"config": None}}), "Keras' own classes"),
        (_set({"pairs": [[k, str(v)] for k, v in EVIL.items()]}), "Keras' own classes"),
        (_set({"dict": {"k": {"dict": LAMBDA | {"config": 0}}}}), "Keras' own classes"),
        (_set({"object": 0}, [{"k": EVIL}]), "no containers"),
        (_set({"keras": "layers.Lambda", "config": {"dict": {}}}), "run no code"),
        (_set({"keras": "utils.get_file"}), "run no code"),
        (_set({"record": "Popen", "values": {}}), "'Popen'"),
        (_set({"record": "Head", "values": {"width": 1}}), "have its fields"),
        (_set({"code": "1"}), "known kind"),
        (_set(_keras("Bidirectional", {"object": 0}), [PAIRS]), "no part of"),
        (_set(_keras("TimeDistributed", {"object": 0}), [STEPS]), "no part of"),
        (_set(_keras("StackedRNNCells", CELLS), [np.array([EVIL])]), "no part of"),
        (
            _set({"record": "Head", "values": {"units": {"object": 0}}}, [PAIRS]),
            "no part of",
        ),
        (_set({"tuple": {"object": 0}}, [np.array([EVIL])]), "no containers"),
        (_set(_keras("Bidirectional", [["layer", 1]])), "must be a dict"),
        (_set({"keras": "ops.arange", "values": {"dict": {"start": 5}}}), "of classes"),
        (_set({"keras": "layers.Dense", "values": {"dict": {"units": 5}}}), "classes"),
        (_set({"keras": "ops.scan", "config": {"dict": {}}}), "of classes"),
    ],
)
def test_text_that_asks_for_code_is_refused(fitted, change, message):
    with pytest.raises(ValueError, match=message):
        _rewritten(fitted[0], change)


def test_state_of_earlier_versions_can_not_ask_for_code():
    net = object.__new__(skseq.DenseClassifier)
    with pytest.raises(ValueError, match="Keras' own classes"):
        net.__setstate__({"_versions": {}, "layer_params": ({"a": EVIL},)})
    with pytest.raises(ValueError, match="Keras' own classes"):
        net.__setstate__({"_versions": {}, "layer_params": {"a": np.array([EVIL])}})


@keras.saving.register_keras_serializable("ours")
class _Registered(keras.initializers.Zeros):
    pass


REGISTERED = {
    "module": None, "class_name": "_Registered", "config": {},
    "registered_name": "ours>_Registered",
}  # fmt: skip


@pytest.mark.parametrize(
    "value",
    [
        {"kernel_initializer": {"class_name": "HeNormal", "config": {}}},
        {"kernel_regularizer": {"class_name": "L2", "config": {"l2": 0.1}}},
        {"kernel_initializer": REGISTERED},
        {"class_name": 1.0, "b": 2.0},  # no configuration, but weights of classes
    ],
)
def test_usual_configurations_are_taken_in_fit_and_from_earlier_versions(
    value, sequences
):
    net = object.__new__(skseq.DenseClassifier)
    net.__setstate__({"_versions": {}, "layer_params": value})
    assert net.layer_params == value
    if "b" not in value:
        _dense(layer_params=value, epochs=1).fit(*sequences)


def test_objects_in_records_and_in_keras_objects_are_pickled(sequences):
    net = _dense(loss=functools.partial(_scaled, factor=2.0)).fit(*sequences)
    loaded = pickle.loads(pickle.dumps(net))
    assert loaded.loss.keywords == {"factor": 2.0}
    loaded.fit(*sequences)
    with pytest.raises(TypeError, match="must be free of code"):
        sio.dumps(net)


def test_configuration_of_other_modules_is_refused_in_fit(sequences):
    with pytest.raises(ValueError, match=r"layer_params must hold configurations of"):
        _dense(layer_params={"kernel_initializer": EVIL}).fit(*sequences)


def test_configurations_that_run_code_are_unsafe():
    dense = {"module": "keras.layers", "class_name": "Dense", "config": {}}
    assert not is_unsafe(dense)
    assert not is_unsafe({"name": "leaky_relu"})
    short = {"class_name": "HeNormal", "config": {}}
    assert not is_unsafe(short)
    assert is_unsafe(short | {"class_name": "Lambda"})
    assert is_unsafe(short | {"module": "os"})
    assert is_refused(REGISTERED | {"class_name": "__lambda__"})
    for change in (
        {"registered_name": "own>Dense"}, {"module": "keras.src.utils"},
        {"class_name": "Lambda"}, {"class_name": "function"}, {"spec_name": "a"},
        {"class_name": "__lambda__"}, {"class_name": "StringLookup"},
        {"module": "keras.utils", "class_name": "get_file"}, {"module": None},
        {"class_name": 1},
    ):  # fmt: skip
        assert is_unsafe(dense | change), change
    modules = {name.rpartition(".")[0] for name in safe_names()}
    assert "utils" not in modules
    assert "saving" not in modules


def test_operations_are_found_by_the_names_in_configurations():
    assert operation_class("keras.src.ops.numpy", "GetItem") is not None
    assert operation_class("keras.src.ops.numpy", "np") is None
    assert operation_class("os", "system") is None


def _same(load, data, expected, X):
    """Check that data give an error, or the same predictions."""
    try:
        loaded = load(data)
        found = loaded.predict_proba(X)
    except Exception:
        return False
    assert_array_equal(found, expected)
    return True


def test_altered_files_give_an_error_or_the_same_predictions(fitted):
    net, X = fitted
    data, expected = sio.dumps(net), net.predict_proba(X)

    def load(data):
        return sio.loads(data, trusted=skseq.skops_trusted())

    rng = np.random.default_rng(0)
    # The directory at the end has most bytes that matter without being content.
    places = [*rng.integers(len(data), size=150), *range(len(data) - 60, len(data))]
    for place in places:
        altered = bytearray(data)
        altered[place] ^= 1 << rng.integers(8)
        _same(load, bytes(altered), expected, X)
    for end in rng.integers(len(data), size=20):
        assert not _same(load, data[:end], expected, X)


def _with_altered(data, rng):
    """Write a file again with one byte of one of its parts altered, and its CRC."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(file, "w") as new:
        parts = {name: bytearray(old.read(name)) for name in old.namelist()}
        part = parts[list(parts)[rng.integers(len(parts))]]
        part[rng.integers(len(part))] ^= 1 << rng.integers(8)
        for name, content in parts.items():
            new.writestr(name, bytes(content))
    return file.getvalue()


def test_digest_finds_changes_that_the_archive_does_not(fitted):
    net, X = fitted
    data, expected = sio.dumps(net), net.predict_proba(X)
    rng = np.random.default_rng(0)
    for _ in range(100):
        altered = _with_altered(data, rng)
        _same(
            lambda data: sio.loads(data, trusted=skseq.skops_trusted()),
            altered, expected, X,
        )  # fmt: skip
    state = net.__getstate__()
    for place in rng.integers(len(state["content"]), size=100):
        content = bytearray(state["content"])
        content[place] ^= 1
        with pytest.raises(ValueError, match="can't be loaded"):
            object.__new__(type(net)).__setstate__({"content": bytes(content)})


# ------------------------------------------------------------------- files of before


@pytest.fixture
def of_layout_1():
    with warnings.catch_warnings():
        # Of the version that wrote them.
        warnings.simplefilter("ignore", UserWarning)
        lstm, autoencoder = (
            sio.load(FOLDER / f"{name}-layout-1.skops", trusted=skseq.skops_trusted())
            for name in ("lstm", "autoencoder")
        )
    return lstm, autoencoder, np.load(FOLDER / "expected-layout-1.npz")


def test_files_of_the_first_layout_predict_and_go_on(of_layout_1):
    lstm, autoencoder, expected = of_layout_1
    table = pd.DataFrame(expected["X"]).add_prefix("c")
    labels = np.where(np.arange(60) % 2, "yes", "no")
    for name, found, atol in (
        ("probabilities", lstm.predict_proba(table), 1e-5),
        ("codes", autoencoder.transform(expected["Z"]), 1e-5),
        ("going_on", lstm.fit(table, labels).predict_proba(table), 1e-4),
    ):
        np.testing.assert_allclose(found, expected[name], atol=atol)


def test_copies_need_no_file(fitted):
    net, X = fitted
    copied = copy.deepcopy(net)
    assert_array_equal(copied.predict_proba(X), net.predict_proba(X))
