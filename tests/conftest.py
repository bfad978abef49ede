"""Tiny seeded data, every classifier in turn, and real data."""

import os
from pathlib import Path

import numpy as np
import pytest

import skseq
from estimators import CLASSIFIERS, FAST, REGRESSORS, make, mostly_slow


def _maker(name, settings):
    def make_one(**params):
        return make(name, **{**FAST, **params})

    make_one.settings = settings
    return make_one


# The others differ from these in their layers alone, which have tests of their own, and
# models of the user's have those in test_keras.
FEW = ("LSTMClassifier", "DenseRegressor")


@pytest.fixture(params=mostly_slow(CLASSIFIERS, *FEW))
def make_classifier(request):
    """Make a classifier from parameters; runs a test once for each class.

    ``make_classifier.settings`` has the entry of the class in `estimators`.
    """
    return _maker(request.param, CLASSIFIERS[request.param])


@pytest.fixture(params=mostly_slow(REGRESSORS, *FEW))
def make_regressor(request):
    """Make a regressor, as ``make_classifier`` makes a classifier."""
    return _maker(request.param, REGRESSORS[request.param])


@pytest.fixture(
    params=mostly_slow(
        [*CLASSIFIERS, "LSTMRegressor", "DenseRegressor", "KerasRegressor"], *FEW
    )
)
def make_network(request):
    """Make a classifier or regressor, as ``make_classifier`` makes a classifier.

    The layers of a regressor are those of a classifier: three stand for all.

    The labels 0 and 1 of the data are numbers for a regressor. ``make_network.first``
    has what the first call of ``partial_fit`` needs.
    """
    make_one = _maker(request.param, {**CLASSIFIERS, **REGRESSORS}[request.param])
    make_one.first = {"classes": [0, 1]} if request.param in CLASSIFIERS else {}
    return make_one


def _draw(n_samples, n_classes, seed=0):
    rng = np.random.default_rng(seed)
    y = np.arange(n_samples) % n_classes
    X = rng.normal(size=(n_samples, 5, 2)) + 1.5 * (y[:, None, None] - n_classes / 2)
    order = rng.permutation(n_samples)
    return X[order], y[order]


@pytest.fixture
def sequences():
    """Make X of shape (60, 5, 2), float64, and y of two separable classes."""
    return _draw(60, 2)


@pytest.fixture
def three_classes():
    """Make X of shape (60, 5, 2) and y of three classes."""
    return _draw(60, 3)


@pytest.fixture
def table(sequences):
    """Make a table of shape (60, 10) of the flattened ``sequences``, and y."""
    X, y = sequences
    return X.reshape(60, 10), y


@pytest.fixture
def real_data():
    """Get the path of a file of real data by its name, or skip the test."""
    folder = Path(
        os.environ.get("SKSEQ_DATA")
        or Path(__file__).resolve().parent.parent.parent / "shared" / "data"
    )

    def find(name):
        path = folder / name
        if not path.exists():
            pytest.skip(f"real data absent: {name}; set SKSEQ_DATA to its folder")
        return path

    return find


@pytest.fixture
def seed_keras():
    """Seed all global generators, Keras' own too, by ``seed_keras(seed)``."""
    import keras

    def seed(value):
        # Before Keras 3.15, set_random_seed does not restart Keras' own generator.
        keras.utils.clear_session()
        keras.utils.set_random_seed(value)

    return seed


@pytest.fixture
def function_regularizers():
    """Skip a test where Keras takes no functions as regularizers, as before 3.9."""
    import keras

    layer = keras.layers.Dense(1, kernel_regularizer=keras.ops.sum)
    try:
        layer.build((None, 1))
    except ValueError:
        pytest.skip("this Keras takes no functions as regularizers")


@pytest.fixture
def set_jit_compile():
    yield skseq.set_jit_compile
    skseq.set_jit_compile("auto")
