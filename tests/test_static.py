"""Static features: read once, and joined to the result of the layers over time."""

import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from estimators import CLASSIFIERS, FAST, REGRESSORS, make, with_slow
from skseq import (
    AutoencoderTransformer,
    Conv1DClassifier,
    DenseClassifier,
    GRURegressor,
    LSTMClassifier,
    SequenceReshaper,
    make_windows,
)
from skseq.inspection import FilterDisplay, integrated_gradients

NAMES = [name for name in CLASSIFIERS if name != "KerasClassifier"]


def rows_with_static(n_samples=80, n_timesteps=5):
    """Make three features, of which the last two do not change over time."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_samples, n_timesteps, 3))
    X[:, :, 1:] = X[:, :1, 1:]
    return X, (X[:, -1, 0] + 2 * X[:, 0, 1] > 0).astype(int)


@pytest.mark.parametrize(
    "name", with_slow(NAMES, "GRUClassifier", "SimpleRNNClassifier")
)
def test_static_features_are_read_once(name):
    X, y = rows_with_static()
    net = make(name, **FAST, n_static=2).fit(X, y)
    assert net.n_static_ == 2
    assert net.score(X, y) > 0.8
    changed = X.copy()
    changed[:, 1:, 1:] = 9  # only the first timestep counts
    assert_array_equal(net.predict_proba(changed), net.predict_proba(X))
    changed[:, 0, 2] = 9
    assert (net.predict_proba(changed) != net.predict_proba(X)).any()
    assert_allclose(
        net.model_.predict(X.astype(np.float32), verbose=0)[:, -1],
        net.predict_proba(X)[:, 1], atol=1e-6,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "n_inputs", "n_outputs"),
    [
        ("LSTMClassifier", 1, 5 * 4 + 2), ("GRURegressor", 1, 5 * 4 + 2),
        ("Conv1DClassifier", 1, 3 + 2), ("DenseRegressor", 5 + 2, 4),
    ],
)  # fmt: skip
def test_static_features_have_weights_after_the_layers_over_time(
    name, n_inputs, n_outputs
):
    X, y = rows_with_static()
    settings = {**CLASSIFIERS, **REGRESSORS}[name].small
    net = make(name, **settings, epochs=1, n_static=2).fit(X, y)
    weights = net.model_.weights
    assert weights[0].shape[-2] == n_inputs
    assert weights[-2].shape[-2] == n_outputs


def test_number_of_static_features_is_found():
    X, y = rows_with_static()
    net = LSTMClassifier(4, epochs=2, n_static="auto", random_state=0)
    by_number = LSTMClassifier(4, epochs=2, n_static=2, random_state=0).fit(X, y)
    assert net.fit(X, y).n_static_ == 2
    assert_array_equal(net.predict_proba(X), by_number.predict_proba(X))
    X[0, 3, 1] = 7
    assert net.fit(X, y).n_static_ == 1
    X[0, 3, 2] = 7
    assert net.fit(X, y).n_static_ == 0
    # One timestep has nothing over time: all features are as they were.
    assert net.fit(X[:, :1], y).n_static_ == 0


def test_static_features_of_rows_of_unequal_length():
    X, y = rows_with_static()
    rows = [row[: 2 + i % 4] for i, row in enumerate(X)]
    padded = X.copy()
    padded[np.arange(5) >= np.array([len(row) for row in rows])[:, None]] = np.nan
    net = LSTMClassifier(4, pooling="last", epochs=2, n_static="auto", random_state=0)
    listed = net.fit(rows, y).predict_proba(rows)
    assert net.n_static_ == 2
    net.set_params(mask_value=np.nan).fit(padded, y)
    assert net.n_static_ == 2
    assert_array_equal(net.predict_proba(padded), listed)


def test_columns_that_a_reshaper_repeats_are_static():
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(60, 4)), columns=["a_0", "a_1", "a_2", "age"])
    reshaper = SequenceReshaper(columns=r"(?P<feature>a)_(?P<step>\d)")
    net = GRURegressor(4, epochs=2, n_static="auto", random_state=0)
    pipeline = make_pipeline(
        StandardScaler().set_output(transform="pandas"), reshaper, net
    )
    pipeline.fit(table, table["age"])
    assert pipeline[-1].n_static_ == 1
    windows = make_windows(
        table.assign(kind=np.repeat([0, 1, 2], 20)), n_timesteps=3,
        groups=np.repeat([0, 1, 2], 20),
    )  # fmt: skip
    assert net.fit(windows.X, np.arange(54.0)).n_static_ == 1


def test_static_features_survive_pickles_and_going_on():
    X, y = rows_with_static()
    net = DenseClassifier(4, epochs=2, n_static="auto", warm_start=True, random_state=0)
    loaded = pickle.loads(pickle.dumps(net.fit(X, y)))
    assert_array_equal(loaded.predict_proba(X), net.predict_proba(X))
    # Rows in which a further feature does not change are read as in the first fit.
    flat = np.repeat(X[:, :1], 5, axis=1)
    assert loaded.fit(flat, y).n_static_ == 2
    assert loaded.partial_fit(X, y).n_iter_ == 5
    assert loaded.set_params(n_static=2).fit(X, y).n_iter_ == 7


@pytest.mark.parametrize("n_static", [0, 1])
def test_going_on_with_other_static_features_raises(n_static):
    X, y = rows_with_static()
    net = DenseClassifier(4, epochs=1, n_static=2, warm_start=True).fit(X, y)
    net.set_params(n_static=n_static)
    for method in (net.fit, net.partial_fit):
        with pytest.raises(ValueError, match=f"got n_static={n_static} after 2"):
            method(X, y)
        assert net.n_static_ == 2
    assert net.set_params(warm_start=False).fit(X, y).n_static_ == n_static


def test_filters_are_drawn_without_static_features():
    X, y = rows_with_static()
    net = Conv1DClassifier(4, kernel_size=2, epochs=1, n_static=1).fit(X, y)
    pyplot = pytest.importorskip("matplotlib.pyplot")
    names = ["over time", "also over time", "static"]
    display = FilterDisplay.from_estimator(net, X, feature_names=names)
    (legend,) = display.figure_.legends
    assert [text.get_text() for text in legend.get_texts()] == names[:2]
    assert display.windows.shape[3] == display.filters.shape[1] == 2
    pyplot.close(display.figure_)


def test_attributions_of_static_features_are_at_the_first_timestep():
    X, y = rows_with_static()
    net = LSTMClassifier(4, epochs=1, n_static=2, random_state=0).fit(X, y)
    found = integrated_gradients(net, X[:5])
    assert (found[:, 0, 1:] != 0).all()
    assert (found[:, 1:, 1:] == 0).all()


def test_wrong_number_of_static_features_raises():
    X, y = rows_with_static()
    net = DenseClassifier(4, epochs=1)
    with pytest.raises(ValueError, match="features of a timestep, 3, got 3"):
        net.set_params(n_static=3).fit(X, y)
    with pytest.raises(ValueError, match="n_static.*'auto'"):
        net.set_params(n_static="all").fit(X, y)
    autoencoder = AutoencoderTransformer(2, layer_sizes=4)
    net.set_params(n_static=2, pretrained=autoencoder)
    with pytest.raises(ValueError, match="n_static must be 0 with pretrained"):
        net.fit(X, y)
