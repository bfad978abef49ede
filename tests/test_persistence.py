"""Saving and loading: bit-equal, small, and free of what is not the user's own."""

import copy
import io
import pickle
import pickletools
import subprocess
import sys
import time
import warnings
from pathlib import Path

import joblib
import keras
import numpy as np
import pandas as pd
import pytest
import sklearn
from numpy.testing import assert_array_equal
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skseq
from estimators import CLASSIFIERS, make, mostly_slow, outputs
from skseq import SequenceReshaper, _persistence
from skseq._state import Reader

LOAD_ELSEWHERE = """
import sys, pathlib, pickle, joblib, numpy as np
folder = pathlib.Path(sys.argv[1])
for path in sorted(folder.glob("*.X.npy")):
    name, X = path.name.removesuffix(".X.npy"), np.load(path)
    loaded = joblib.load(folder / f"{name}.joblib")
    np.save(folder / f"{name}.joblib.npy", loaded.predict_proba(X))
    loaded = pickle.loads((folder / f"{name}.pickle").read_bytes())
    np.save(folder / f"{name}.pickle.npy", loaded.predict_proba(X))
for name in ("unfitted", "user_objects_unfitted"):
    loaded = joblib.load(folder / f"{name}.joblib")
    X, y = np.load(folder / "train_X.npy"), np.load(folder / "train_y.npy")
    np.save(folder / f"{name}.npy", loaded.fit(X, y).predict_proba(X))
"""


def _user_objects():
    return skseq.LSTMClassifier(
        4,
        layer_activation=keras.layers.LeakyReLU(negative_slope=0.2),
        optimizer=keras.optimizers.SGD(0.1, momentum=0.9),
        loss=keras.losses.BinaryFocalCrossentropy(gamma=1.0),
        metrics=[keras.metrics.AUC(name="auc")],
        callbacks=[keras.callbacks.EarlyStopping(monitor="loss", patience=2)],
        epochs=3,
        random_state=0,
    )


def _fitted(X, y):
    """Fit estimators; returns each with rows to predict, by name."""
    table = X.reshape(len(X), -1)
    saved = {}
    for name in CLASSIFIERS:
        estimator = make(name, epochs=2, random_state=0)
        saved[name] = estimator.fit(X, y), X
    saved["user_objects"] = _user_objects().fit(X, y), X
    saved["words"] = (
        skseq.DenseClassifier(epochs=2, random_state=np.random.RandomState(0)).fit(
            X, np.where(y == 1, "bad", "good")
        ),
        X,
    )
    saved["pipeline"] = (
        make_pipeline(
            StandardScaler(),
            SequenceReshaper(n_timesteps=5),
            skseq.GRUClassifier(4, epochs=2, random_state=0),
        ).fit(table, y),
        table,
    )
    saved["grid"] = (
        GridSearchCV(
            make_pipeline(
                StandardScaler(),
                skseq.DenseClassifier(n_timesteps=5, epochs=2, random_state=0),
            ),
            {"denseclassifier__learning_rate": [0.01, 0.03]},
            cv=2,
            scoring="roc_auc",
        ).fit(table, y),
        table,
    )
    return saved


FITTED = (*CLASSIFIERS, "user_objects", "words", "pipeline", "grid")


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    y = np.arange(60) % 2
    X = rng.normal(size=(60, 5, 2)) + y[:, None, None]
    return X, y


@pytest.fixture(scope="module")
def saved(data):
    return _fitted(*data)


@pytest.fixture(scope="module")
def folder(data, saved, tmp_path_factory):
    """Save all estimators, and predict with them in a new process."""
    X, y = data
    folder = tmp_path_factory.mktemp("saved")
    for name, (estimator, rows) in saved.items():
        np.save(folder / f"{name}.X.npy", rows)
        joblib.dump(estimator, folder / f"{name}.joblib")
        (folder / f"{name}.pickle").write_bytes(pickle.dumps(estimator))
    np.save(folder / "train_X.npy", X)
    np.save(folder / "train_y.npy", y)
    unfitted = make("DenseClassifier", epochs=2, random_state=0)
    joblib.dump(unfitted, folder / "unfitted.joblib")
    joblib.dump(_user_objects(), folder / "user_objects_unfitted.joblib")
    done = subprocess.run(
        [sys.executable, "-c", LOAD_ELSEWHERE, str(folder)],
        cwd=Path(skseq.__file__).parents[1],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr, done.stderr
    return folder


COPIES = {
    "pickle": lambda estimator: pickle.loads(pickle.dumps(estimator)),
    "deepcopy": copy.deepcopy,
}


@pytest.mark.parametrize("name", FITTED)
def test_loaded_predictions_are_bit_equal(saved, folder, name):
    estimator, X = saved[name]
    expected = estimator.predict_proba(X)
    for copy_of in COPIES.values():
        copied = copy_of(estimator)
        np.testing.assert_array_equal(copied.predict_proba(X), expected)
        np.testing.assert_array_equal(copied.predict(X), estimator.predict(X))
    loaded = joblib.load(folder / f"{name}.joblib")
    np.testing.assert_array_equal(loaded.predict_proba(X), expected)


@pytest.mark.parametrize("name", FITTED)
@pytest.mark.parametrize("written_by", ["joblib", "pickle"])
def test_fresh_process_predicts_bit_equal(saved, folder, name, written_by):
    estimator, X = saved[name]
    elsewhere = np.load(folder / f"{name}.{written_by}.npy")
    np.testing.assert_array_equal(elsewhere, estimator.predict_proba(X))


def test_fresh_process_fits_what_was_saved_unfitted(data, saved, folder):
    X, _ = data
    for unfitted, name in (
        ("unfitted", "DenseClassifier"),
        ("user_objects_unfitted", "user_objects"),
    ):
        np.testing.assert_array_equal(
            np.load(folder / f"{unfitted}.npy"), saved[name][0].predict_proba(X)
        )


@pytest.mark.parametrize("way", COPIES)
def test_unfitted_estimators_stay_unfitted(make_network, sequences, way):
    X, y = sequences
    estimator = make_network(epochs=1, optimizer_params={"clipnorm": 1.0})
    copied = COPIES[way](estimator)
    assert copied.get_params() == estimator.get_params()
    with pytest.raises(NotFittedError):
        copied.predict(X)
    np.testing.assert_array_equal(
        outputs(copied.fit(X, y), X), outputs(estimator.fit(X, y), X)
    )


@pytest.mark.parametrize("way", COPIES)
def test_copy_is_independent(make_network, sequences, way):
    X, y = sequences
    estimator = make_network(epochs=1).fit(X, y)
    expected = outputs(estimator, X)
    copied = COPIES[way](estimator)
    copied.partial_fit(X, y)
    copied.set_params(optimizer__clipnorm=1.0)
    copied.history_["loss"].clear()
    np.testing.assert_array_equal(outputs(estimator, X), expected)
    assert estimator.n_iter_ == 1
    assert len(estimator.history_["loss"]) == 1
    assert estimator.optimizer_params is None


# -------------------------------------------------------------------- what is in it


@pytest.mark.parametrize("size", ["small", "wide"])
def test_file_is_small(make_network, sequences, tmp_path, size):
    X, y = sequences
    params = getattr(make_network.settings, size)
    estimator = make_network(epochs=2, early_stopping=True, **params).fit(X, y)
    weights = sum(w.nbytes for w in estimator.model_.get_weights())
    limit = 3 * weights + 30_000
    path = tmp_path / "classifier.joblib"
    joblib.dump(estimator, path)
    assert weights < path.stat().st_size <= limit
    assert weights < len(pickle.dumps(estimator)) <= limit


class _Recorder(pickle.Unpickler):
    """Records the names that a pickle imports."""

    def __init__(self, data):
        super().__init__(io.BytesIO(data))
        self.found = set()

    def find_class(self, module, name):
        self.found.add((module, name))
        return super().find_class(module, name)


FOREIGN = ("keras", "tensorflow", "scikeras", "h5py")


def _foreign(data):
    recorder = _Recorder(data)
    recorder.load()
    return {m for m, _ in recorder.found if m.split(".")[0] in FOREIGN}


def test_file_names_nothing_of_keras(make_classifier, sequences):
    X, y = sequences
    fitted = make_classifier(
        epochs=2, early_stopping=True, monitor="roc_auc", metrics=["accuracy", "auc"],
        optimizer="rmsprop", loss="binary_focal_crossentropy",
    ).fit(X, y)  # fmt: skip
    for estimator in (make_classifier(), fitted, make_pipeline(fitted)):
        data = pickle.dumps(estimator, protocol=2)
        assert _foreign(data) == set()
        # In protocol 2 every global is an opcode that shows its module.
        modules = {
            argument.split()[0]
            for opcode, argument, _ in pickletools.genops(data)
            if opcode.name == "GLOBAL"
        }
        assert modules
        assert {m for m in modules if m.split(".")[0] in FOREIGN} == set()


def test_file_keeps_objects_of_keras_without_naming_their_modules(data):
    X, y = data
    estimator = skseq.DenseClassifier(
        epochs=1, optimizer=keras.optimizers.SGD(0.1), metrics=["auc"]
    ).fit(X, y)
    data = pickle.dumps(estimator)
    assert _foreign(data) == set()
    assert isinstance(pickle.loads(data).optimizer, keras.optimizers.SGD)


def _double_loss(y_true, y_pred):
    return 2 * keras.losses.binary_crossentropy(y_true, y_pred)


class _CountEpochs(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.n_epochs = 0

    def on_epoch_end(self, epoch, logs=None):
        self.n_epochs += 1


class _OwnLayer(keras.layers.Layer):
    """A layer of a class that is not registered with Keras."""

    def call(self, x):
        return x * 2.0


def test_layers_in_a_network_are_saved_as_those_in_parameters(sequences):
    X, y = sequences
    net = skseq.DenseClassifier((4,), activation=_OwnLayer(), epochs=2, random_state=0)
    data = pickle.dumps(net.fit(X, y))
    loaded = pickle.loads(data)
    assert_array_equal(loaded.predict_proba(X), net.predict_proba(X))
    time.sleep(1.1)  # Keras' own pickles have the time in seconds
    assert pickle.dumps(net) == data


def test_shallow_copy_is_the_same_estimator(sequences):
    X, y = sequences
    optimizer = keras.optimizers.SGD(0.1)
    net = skseq.DenseClassifier((4,), optimizer=optimizer, epochs=2, random_state=0)
    copied = copy.copy(net.fit(X, y))
    assert vars(copied) == vars(net)
    assert copied.optimizer is optimizer
    expected = net.predict_proba(X)
    net.set_params(epochs=5).fit(X, y)
    assert copied.epochs == 2
    assert_array_equal(copied.predict_proba(X), expected)
    assert_array_equal(copied.fit(X, y).predict_proba(X), expected)


def test_user_objects_come_back(data, saved):
    estimator = saved["user_objects"][0]
    loaded = pickle.loads(pickle.dumps(estimator))
    nameless = [
        one.get_config() | {"name": ""}
        for one in (loaded.optimizer, estimator.optimizer)
    ]
    assert nameless[0] == nameless[1]
    assert loaded.optimizer.momentum == 0.9
    assert loaded.loss.get_config() == estimator.loss.get_config()
    assert loaded.loss.gamma == 1.0
    assert loaded.metrics[0].name == "auc"
    assert loaded.callbacks[0].patience == 2
    assert loaded.callbacks_[0].stopped_epoch == estimator.callbacks_[0].stopped_epoch
    assert loaded.layer_activation.negative_slope == pytest.approx(0.2)
    assert list(loaded.history_) == ["loss", "auc"]


def test_user_functions_and_callbacks_come_back(make_classifier, sequences):
    X, y = sequences
    estimator = make_classifier(
        epochs=3, loss=_double_loss, callbacks=[_CountEpochs()]
    ).fit(X, y)
    loaded = pickle.loads(pickle.dumps(estimator))
    assert loaded.loss is _double_loss
    assert loaded.callbacks[0].n_epochs == 0
    assert loaded.callbacks_[0].n_epochs == 3
    np.testing.assert_array_equal(loaded.predict_proba(X), estimator.predict_proba(X))


@pytest.mark.parametrize(
    "make",
    [
        lambda path: keras.callbacks.CSVLogger(path / "log.csv"),
        lambda path: keras.callbacks.ModelCheckpoint(path / "best.keras"),
        lambda path: keras.callbacks.EarlyStopping(
            monitor="loss", restore_best_weights=True
        ),
        lambda path: keras.callbacks.ReduceLROnPlateau(monitor="loss"),
        lambda path: keras.callbacks.TerminateOnNaN(),
    ],
    ids=["csv", "checkpoint", "early_stopping", "reduce", "terminate"],
)
def test_estimators_with_keras_callbacks_are_saved(sequences, tmp_path, make):
    X, y = sequences
    callback = make(tmp_path)
    try:
        pickle.dumps(callback)
    except AttributeError as error:  # ReduceLROnPlateau holds a lambda in Keras 3.8
        pytest.skip(f"this Keras' own callback can't be pickled: {error}")
    estimator = skseq.DenseClassifier(
        epochs=2, callbacks=[callback], random_state=0
    ).fit(X, y)
    for way in COPIES.values():
        loaded = way(estimator)
        np.testing.assert_array_equal(
            loaded.predict_proba(X), estimator.predict_proba(X)
        )


def test_going_on_after_loading_equals_going_on(make_network, sequences):
    X, y = sequences
    estimator = make_network(epochs=2, optimizer="adam", warm_start=True).fit(X, y)
    loaded = pickle.loads(pickle.dumps(estimator))
    for one in (estimator, loaded):
        one.fit(X, y).partial_fit(X, y)
        assert one.n_iter_ == one.current_epoch == 5
    np.testing.assert_array_equal(outputs(loaded, X), outputs(estimator, X))
    assert loaded.history_ == estimator.history_


# ------------------------------------------------------------------------- versions

INSTALLED = {
    "skseq": skseq.__version__,
    "keras": keras.__version__,
    "scikit-learn": sklearn.__version__,
}


def _load_as_written_under(estimator, **versions):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_persistence, "_versions", lambda: {**INSTALLED, **versions})
        data = pickle.dumps(estimator)
    return pickle.loads(data)


def test_state_records_the_installed_versions():
    _, versions = Reader().content(skseq.SequenceReshaper().__getstate__())
    assert versions == INSTALLED


@pytest.mark.parametrize("package", INSTALLED)
def test_loading_under_another_minor_version_warns_naming_both(
    make_classifier, sequences, package
):
    X, y = sequences
    estimator = make_classifier(epochs=1).fit(X, y)
    major, minor, *_ = INSTALLED[package].split(".")
    for written in (f"{major}.{int(minor) + 1}.0", f"{int(major) + 1}.{minor}.0"):
        with pytest.warns(UserWarning, match=f"under {package} {written}") as caught:
            loaded = _load_as_written_under(estimator, **{package: written})
        assert len(caught) == 1
        assert f"loaded under {package} {INSTALLED[package]}" in str(caught[0].message)
        assert type(estimator).__name__ in str(caught[0].message)
    np.testing.assert_array_equal(loaded.predict_proba(X), estimator.predict_proba(X))


@pytest.mark.parametrize("package", INSTALLED)
def test_loading_under_another_patch_version_is_silent(make_classifier, package):
    major, minor, *_ = INSTALLED[package].split(".")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loaded = _load_as_written_under(
            make_classifier(), **{package: f"{major}.{minor}.99"}
        )
    assert vars(loaded).keys() == vars(make_classifier()).keys()


# --------------------------------------------------------------------------- model_


def test_model_has_a_copy_of_the_weights(make_classifier, sequences):
    X, y = sequences
    estimator = make_classifier(epochs=5).fit(X, y)
    expected = estimator.predict_proba(X)
    model = estimator.model_
    assert isinstance(model, keras.Model)
    assert model.input_shape == (None, 5, 2)
    outputs = np.asarray(model(X.astype(np.float32)))
    np.testing.assert_allclose(outputs[:, 0], expected[:, 1], atol=1e-5)
    model.set_weights([np.zeros_like(w) for w in model.get_weights()])
    np.testing.assert_array_equal(estimator.predict_proba(X), expected)
    again = np.asarray(estimator.model_(X.astype(np.float32)))
    np.testing.assert_array_equal(again, outputs)


def test_model_has_an_output_for_each_of_three_classes(make_classifier, three_classes):
    X, y = three_classes
    estimator = make_classifier(epochs=2).fit(X, y)
    outputs = np.asarray(estimator.model_(X.astype(np.float32)))
    np.testing.assert_allclose(outputs, estimator.predict_proba(X), atol=1e-5)


def test_model_is_saved_by_keras(sequences, tmp_path):
    X, y = sequences
    estimator = skseq.LSTMClassifier(4, epochs=2, random_state=0).fit(X, y)
    estimator.model_.save(tmp_path / "net.keras")
    model = keras.saving.load_model(tmp_path / "net.keras")
    np.testing.assert_allclose(
        np.asarray(model(X.astype(np.float32)))[:, 0],
        estimator.predict_proba(X)[:, 1],
        atol=1e-5,
    )


def test_model_is_absent_before_fit(make_classifier):
    with pytest.raises(AttributeError, match="has no attribute 'model_'"):
        make_classifier().model_  # noqa: B018


# ------------------------------------------------------------ files of earlier versions

OLD = Path(__file__).parent / "data"


# The first, the latest, and between them versions that need the same.
VERSIONS = ["0.1.0", "0.2.0", "0.3.0", "0.4.0", "0.5.0", "0.6.0"]


@pytest.fixture(params=mostly_slow(VERSIONS, VERSIONS[0], VERSIONS[-1]))
def of_earlier(request):
    """Load a file of a version by its name, with the arrays that it must give."""

    def load(name):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            loaded = joblib.load(OLD / f"{name}-{request.param}.joblib")
        said = [str(warning.message) for warning in caught]
        is_of_this = request.param.rpartition(".")[0] in skseq.__version__
        told = any(f"saved under skseq {request.param} and is" in one for one in said)
        assert told is not is_of_this
        return loaded

    return load, np.load(OLD / f"expected-{request.param}.npz")


def test_classifier_of_an_earlier_version_predicts_and_goes_on(of_earlier):
    load, expected = of_earlier
    net = load("lstm")
    table = pd.DataFrame(expected["X"]).add_prefix("c")
    np.testing.assert_allclose(
        net.predict_proba(table), expected["probabilities"], atol=1e-5
    )
    assert net.get_params()["optimizer__clipnorm"] == 1.0
    assert net.layer_activation == ("leaky_relu", None)
    assert [type(layer).__name__ for layer in net.model_.layers[1:4]] == [
        "Bidirectional", "LeakyReLU", "Bidirectional",
    ]  # fmt: skip
    labels = np.where(np.arange(60) % 2, "yes", "no")
    going_on = net.fit(table, labels).predict_proba(table)
    np.testing.assert_allclose(going_on, expected["going_on"], atol=1e-4)
    again = pickle.loads(pickle.dumps(net))
    np.testing.assert_array_equal(again.predict_proba(table), going_on)


def test_autoencoder_of_an_earlier_version_encodes_decodes_and_samples(of_earlier):
    load, expected = of_earlier
    net = load("autoencoder")
    codes = net.transform(expected["Z"])
    np.testing.assert_allclose(codes, expected["codes"], atol=1e-5)
    np.testing.assert_allclose(
        net.inverse_transform(codes), expected["rows"], atol=1e-4
    )
    assert net.sample(3, random_state=0).shape == expected["sample"].shape
    net.partial_fit(expected["Z"])
    assert net.n_iter_ == 4


def test_files_of_earlier_versions_are_small():
    for path in OLD.glob("*.joblib"):
        assert path.stat().st_size < 20_000
