"""Looking inside of networks, held against values that follow from their weights."""

import sys

import joblib
import keras
import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_array_equal
from scipy.special import expit, logit
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from estimators import FAST, make, mostly_slow, outputs, with_slow
from skseq import (
    Conv1DClassifier,
    DenseClassifier,
    DenseRegressor,
    GRUClassifier,
    KerasClassifier,
    LSTMRegressor,
    SequenceReshaper,
    WindowTransformer,
    inspection,
    make_windows,
)
from skseq.inspection import (
    AttributionDisplay,
    FilterDisplay,
    PermutationImportanceDisplay,
    attention_weights,
    convolution_filters,
    integrated_gradients,
    permutation_importance,
    top_windows,
)

pyplot = pytest.importorskip("matplotlib.pyplot")
pyplot.switch_backend("agg")


@pytest.fixture(autouse=True)
def figures_closed():
    yield
    pyplot.close("all")


def logistic(X, y, **params):
    """Fit a dense network without hidden layers."""
    return DenseClassifier(dense_units=(), **{**FAST, **params}).fit(X, y)


def kernel(net):
    return net.model_.get_layer("outputs").kernel.numpy()


def with_weights(net, X, y, weight, bias=0.0):
    """Make a linear network of these weights, of the shape of a row."""

    def model(inputs):
        x = keras.layers.Flatten()(inputs)
        layer = keras.layers.Dense(1, "sigmoid")
        result = keras.Model(inputs, layer(x))
        layer.set_weights([np.reshape(weight, (-1, 1)), np.array([bias])])
        return result

    return net(model).initialize(X, y)


def one_cell(X, y, step, feature):
    """Make a classifier whose probability depends on one cell alone."""
    weight = np.zeros(X.shape[1:], np.float32)
    weight[step, feature] = 3
    return with_weights(KerasClassifier, X, y, weight)


@pytest.fixture
def rows():
    """Make X of shape (80, 4, 3) and labels by its cell (2, 1)."""
    X = np.random.default_rng(0).normal(size=(80, 4, 3))
    return X, (X[:, 2, 1] > 0).astype(int)


# --------------------------------------------------------------- permutation importance


def test_importance_of_unused_cells_is_zero(rows):
    X, y = rows
    net = one_cell(X, y, 2, 1)
    before = X.copy()
    result = permutation_importance(net, X, y, over="cells", random_state=0)
    assert result.importances.shape == (4, 3, 5)
    used = np.zeros((4, 3), bool)
    used[2, 1] = True
    assert (result.importances[~used] == 0).all()
    # The labels are known from this cell, so that half of them are wrong without it.
    assert 0.3 < result.importances_mean[2, 1] < 0.7
    np.testing.assert_array_equal(X, before)
    np.testing.assert_allclose(
        result.importances_std, result.importances.std(axis=2), atol=1e-12
    )


def test_importance_over_features_and_timesteps_is_that_of_the_cell(rows):
    X, y = rows
    net = one_cell(X, y, 2, 1)
    cells = permutation_importance(net, X, y, over="cells", random_state=0)
    features = permutation_importance(net, X, y, over="features", random_state=0)
    timesteps = permutation_importance(net, X, y, over="timesteps", random_state=0)
    # The permutations are the same for all.
    np.testing.assert_array_equal(features.importances, cells.importances[2])
    np.testing.assert_array_equal(timesteps.importances, cells.importances[:, 1])
    assert features.feature_names.tolist() == ["feature0", "feature1", "feature2"]
    assert timesteps.timesteps.tolist() == [0, 1, 2, 3]
    assert "timesteps" not in features
    assert "feature_names" not in timesteps


def test_importance_keeps_a_feature_together_over_time():
    # The difference of two timesteps is known as long as a row keeps its sequence.
    rng = np.random.default_rng(0)
    X = np.repeat(rng.normal(scale=100, size=(60, 1, 1)), 2, axis=1)
    y = np.arange(60) % 2
    X[:, 1, 0] += np.where(y, 1, -1)
    net = with_weights(KerasClassifier, X, y, [[-3], [3]])
    assert net.score(X, y) == 1
    result = permutation_importance(net, X, y, random_state=0)
    order = np.random.RandomState(0).permutation(60)
    assert result.importances[0, 0] == 1 - (y[order] == y).mean()


@pytest.mark.parametrize("backend", with_slow(["threading", "loky"], "loky"))
def test_importance_is_the_same_for_every_n_jobs(rows, backend):
    X, y = rows
    net = DenseClassifier((4,), **FAST).fit(X, y)
    options = {"over": "cells", "scoring": "neg_log_loss", "random_state": 0}
    one = permutation_importance(net, X, y, **options)
    with joblib.parallel_config(backend):
        two = permutation_importance(net, X, y, n_jobs=2, **options)
    np.testing.assert_array_equal(one.importances, two.importances)


def test_importance_of_a_table_is_that_of_its_sequences(rows):
    X, y = rows
    names = [f"{feature}{step}" for step in range(4) for feature in "abc"]
    table = pd.DataFrame(X.reshape(80, 12), columns=names)
    net = DenseClassifier(n_timesteps=4, **FAST)
    pipeline = make_pipeline(StandardScaler(), net).fit(table, y)
    scaled = pipeline[0].transform(table)
    flat = permutation_importance(pipeline, table, y, over="cells", random_state=0)
    array = permutation_importance(net, scaled, y, over="cells", random_state=0)
    net = DenseClassifier(**FAST).fit(scaled.reshape(X.shape), y)
    cube = permutation_importance(
        net, scaled.reshape(X.shape), y, over="cells", random_state=0
    )
    np.testing.assert_array_equal(flat.importances, cube.importances)
    np.testing.assert_array_equal(array.importances, cube.importances)
    assert table.columns.tolist() == names
    np.testing.assert_array_equal(table, X.reshape(80, 12))


def test_importance_of_polars_is_that_of_pandas(rows):
    X, y = rows
    frame = pd.DataFrame(X.reshape(80, 12)).add_prefix("x")
    net = DenseClassifier(n_timesteps=4, **FAST)
    found = [
        permutation_importance(
            net.fit(one, y), one, y, over="timesteps", random_state=0
        )
        for one in (frame, pl.DataFrame(frame.to_dict("list")))
    ]
    np.testing.assert_array_equal(found[0].importances, found[1].importances)


def test_importance_of_a_plain_table_is_near_scikit_learns(rows):
    from sklearn.inspection import permutation_importance as theirs

    X, y = rows
    X = X.reshape(80, 12)
    model = LinearRegression().fit(X, X[:, 0] - 2 * X[:, 3])
    y = X[:, 0] - 2 * X[:, 3]
    ours = permutation_importance(model, X, y, n_repeats=100, random_state=0)
    theirs = theirs(model, X, y, n_repeats=100, random_state=0)
    np.testing.assert_allclose(
        ours.importances_mean, theirs.importances_mean, rtol=0.1, atol=1e-12
    )


def sales():
    rng = np.random.default_rng(0)
    names = ["size", *(f"{name}_t-{lag}" for lag in range(3) for name in ("a", "b"))]
    X = pd.DataFrame(rng.normal(size=(90, 7)), columns=names)
    return X, (X["size"] + X["b_t-1"] > 0).astype(int)


PATTERN = r"(?P<feature>.+)_t-(?P<lag>[0-9]+)"


def test_importance_finds_columns_in_the_reshaper_of_a_pipeline():
    X, y = sales()
    net = DenseClassifier(**FAST)
    pipeline = make_pipeline(StandardScaler(), SequenceReshaper(columns=PATTERN), net)
    pipeline.set_output(transform="pandas").fit(X, y)
    cells = permutation_importance(pipeline, X, y, over="cells", random_state=0)
    assert cells.feature_names.tolist() == ["a", "b", "size"]
    assert cells.importances_mean.shape == (3, 3)
    assert cells.importances_mean[:, :2].argmax() == 3  # oldest first: t-1, b
    # A static column is permuted as a whole, and belongs to no timestep.
    size = permutation_importance(pipeline, X, y, random_state=0).importances[2]
    np.testing.assert_array_equal(cells.importances[:, 2], [size] * 3)
    steps = permutation_importance(pipeline, X, y, over="timesteps", random_state=0)
    assert steps.importances_mean.argmax() == 1
    search = GridSearchCV(pipeline, {"denseclassifier__epochs": [20]}, cv=2).fit(X, y)
    again = permutation_importance(search, X, y, over="cells", random_state=0)
    np.testing.assert_array_equal(again.importances, cells.importances)


def test_importance_of_static_features_of_sequences_is_that_of_the_whole(rows):
    X, y = rows
    X[:, :, 0] = X[:, :1, 0]
    y = (X[:, 0, 0] > 0).astype(int)
    net = logistic(X, y)
    cells = permutation_importance(net, X, y, over="cells", random_state=0)
    whole = permutation_importance(net, X, y, random_state=0)
    np.testing.assert_array_equal(cells.importances[:, 0], [whole.importances[0]] * 4)
    steps = permutation_importance(net, X, y, over="timesteps", random_state=0)
    assert steps.importances_mean.max() < 0.1 < whole.importances_mean[0]


def test_importance_of_a_group_is_permuted_together():
    # Either of two equal columns is enough, so that only both together count.
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 3, 3))
    X[:, :, 1] = X[:, :, 0]
    y = (X[:, 0, 0] > 0).astype(int)
    weight = np.zeros((3, 3))
    weight[0, :2] = 3
    net = with_weights(KerasClassifier, X, y, weight)
    result = permutation_importance(
        net, X, y, groups={"both": [0, "feature1"]}, n_repeats=20, random_state=0
    )
    assert result.feature_names.tolist() == ["both", "feature2"]
    alone = permutation_importance(net, X, y, n_repeats=20, random_state=0)
    assert 0.4 < result.importances_mean[0] < 0.6
    assert 0.2 < alone.importances_mean[0] < 0.3
    steps = permutation_importance(
        net, X, y, over="timesteps", groups={"late": [1, 2]}, random_state=0
    )
    assert steps.timesteps.tolist() == [0, "late"]
    assert steps.importances_mean[1] == 0


def test_importance_groups_columns_of_any_table():
    X, y = sales()
    X["kind"] = np.where(y, "new", "old")

    def to_numbers(X):
        return X.drop(columns="kind").assign(is_new=X["kind"] == "new").astype(float)

    pipeline = make_pipeline(
        FunctionTransformer(to_numbers), logistic(to_numbers(X), y)
    )
    result = permutation_importance(
        pipeline, X, y, groups={"b": ["b_t-0", "b_t-1", "b_t-2"]}, random_state=0
    )
    assert result.feature_names.tolist() == [
        "size",
        "a_t-0",
        "b",
        "a_t-1",
        "a_t-2",
        "kind",
    ]
    assert result.importances_mean[[1, 3, 4]].max() < 0.1
    assert result.importances_mean[5] > 0.1
    # The steps before the network change the columns.
    with pytest.raises(
        ValueError, match=r"over='cells' needs the timesteps.*reshaper="
    ):
        permutation_importance(pipeline, X, y, over="cells")
    reshaper = SequenceReshaper(columns=PATTERN)
    result = permutation_importance(
        pipeline, X, y, over="cells", reshaper=reshaper, random_state=0
    )
    assert result.feature_names.tolist() == ["a", "b", "size", "kind"]
    assert not hasattr(reshaper, "n_timesteps_")


def test_importance_leaves_cells_without_a_column_out():
    X, y = sales()
    columns = {"a": ["a_t-1", "a_t-0"], "b": [None, "b_t-1"]}
    reshaper = SequenceReshaper(columns=columns, fill_value=0, static="drop")
    pipeline = make_pipeline(reshaper, DenseClassifier(**FAST)).fit(X, y)
    result = permutation_importance(pipeline, X, y, over="cells", random_state=0)
    assert result.importances_mean.argmax() == 3
    assert (result.importances[0, 1] == 0).all()


def test_importance_takes_a_column_as_a_timestep_without_n_timesteps(rows):
    X, y = rows[0][:, :, 1], rows[1]
    net = DenseClassifier(**FAST).fit(X, y)
    found = [
        permutation_importance(net, X, y, over=over, random_state=0).importances.ravel()
        for over in ("features", "timesteps", "cells")
    ]
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])
    assert found[0].reshape(4, 5).mean(axis=1).argmax() == 2


def test_importance_of_rows_of_unequal_length():
    rng = np.random.default_rng(0)
    X = [rng.normal(size=(n, 2)) for n in rng.integers(2, 7, size=80)]
    y = np.array([row[0, 1] > 0 for row in X]).astype(int)
    before = [row.copy() for row in X]
    net = GRUClassifier(6, pooling="mean", **FAST).fit(X, y)
    cells = permutation_importance(net, X, y, over="cells", random_state=0)
    assert cells.importances_mean.shape == (6, 2)
    assert cells.importances_mean.argmax() == 1
    features = permutation_importance(net, X, y, random_state=0)
    assert features.importances_mean.argmax() == 1
    for row, other in zip(X, before, strict=True):
        np.testing.assert_array_equal(row, other)
    # In an array the same rows have the same importances.
    padded = np.full((80, 6, 2), -9.0)
    for place, row in zip(padded, X, strict=True):
        place[: len(row)] = row
    net.set_params(mask_value=-9.0).fit(padded, y)
    for over, other in (("cells", cells), ("features", features)):
        result = permutation_importance(net, padded, y, over=over, random_state=0)
        np.testing.assert_array_equal(result.importances, other.importances)


class Recorder:
    """An estimator that remembers what it is asked to predict."""

    def fit(self, X, y):
        return self

    def score(self, X, y):
        self.seen = [np.array(row) for row in X]
        return 0.0


def test_rows_of_unequal_length_get_values_at_the_same_relative_places():
    X = [np.arange(1.0, 5)[:, None], np.array([[10.0], [20.0]])]
    recorder, seed = Recorder(), 0
    while (np.random.RandomState(seed).permutation(2) == [0, 1]).all():
        seed += 1
    options = {"n_repeats": 1, "random_state": seed}
    permutation_importance(recorder, X, None, **options)
    assert recorder.seen[0].ravel().tolist() == [10, 10, 20, 20]
    assert recorder.seen[1].ravel().tolist() == [2, 4]
    # Timestep 3 is in one row alone.
    permutation_importance(recorder, X, None, over="timesteps", **options)
    assert recorder.seen[0].ravel().tolist() == [1, 2, 3, 4]
    # Both rows have the timesteps 0 and 1.
    groups = {"late": [2, 3], "early": [0, 1]}
    permutation_importance(
        recorder, X, None, over="timesteps", groups=groups, **options
    )
    assert recorder.seen[0].ravel().tolist() == [1, 2, 3, 4]
    permutation_importance(
        recorder, X, None, over="timesteps", groups={"all": [0, 1, 2, 3]}, **options
    )
    assert recorder.seen[0].ravel().tolist() == [10, 20, 3, 4]
    assert recorder.seen[1].ravel().tolist() == [1, 2]


def test_importance_of_rows_of_token_ids_keeps_their_shape():
    X = [np.array([3, 4, 5]), np.array([6, 7])]
    recorder, seed = Recorder(), 0
    while (np.random.RandomState(seed).permutation(2) == [0, 1]).all():
        seed += 1
    options = {"over": "timesteps", "n_repeats": 1, "random_state": seed}
    permutation_importance(recorder, X, None, groups={"all": [0, 1, 2]}, **options)
    assert [row.tolist() for row in recorder.seen] == [[6, 7, 5], [3, 4]]


def test_importance_for_several_scorers_is_a_dict(rows):
    X, y = rows
    net = one_cell(X, y, 2, 1)
    found = permutation_importance(
        net, X, y, scoring=["accuracy", "roc_auc"], random_state=0
    )
    assert set(found) == {"accuracy", "roc_auc"}
    alone = permutation_importance(net, X, y, scoring="roc_auc", random_state=0)
    np.testing.assert_array_equal(found["roc_auc"].importances, alone.importances)


def test_importance_uses_sample_weight(rows):
    X, y = rows
    net = one_cell(X, y, 2, 1)
    weights = np.r_[np.ones(40), np.zeros(40)]
    result = permutation_importance(
        net, X, 1 - y, sample_weight=weights, n_repeats=1, random_state=0
    )
    order = np.random.RandomState(0).permutation(80)
    expected = 0 - (y[order] != y)[:40].mean()
    np.testing.assert_allclose(result.importances[1, 0], expected)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"over": "rows"}, "'over' parameter of permutation_importance"),
        ({"n_repeats": 0}, "'n_repeats'"),
        (
            {"groups": {"g": ["feature7"]}},
            "'g' must hold features.*got 'feature7'.*Did",
        ),
        ({"groups": {"g": [7]}}, "got 7. Expected 0 to 2"),
        ({"groups": {"g": []}}, "must hold some of the features, got none"),
        ({"groups": {"g": [0], "h": [0]}}, "once, got 'feature0' in 'g' and 'h'"),
        ({"feature_names": ["a"]}, "a name for each of the 3 features, got 1"),
        ({"reshaper": SequenceReshaper()}, "reshaper must be None for an X of seq"),
    ],
)
def test_importance_refuses_arguments(rows, options, message):
    X, y = rows
    with pytest.raises(ValueError, match=message):
        permutation_importance(one_cell(X, y, 2, 1), X, y, **options)


def test_importance_refuses_groups_that_are_no_lists(rows):
    with pytest.raises(TypeError, match=r"lists of features, got 'feature0' for 'g'"):
        permutation_importance(one_cell(*rows, 2, 1), *rows, groups={"g": "feature0"})


def test_importance_refuses_images(rows):
    with pytest.raises(ValueError, match="or be a list of rows, got 4 dimensions"):
        permutation_importance(Recorder(), np.zeros((2, 3, 3, 1)), None)


# ----------------------------------------------------------------- integrated gradients


def test_gradients_of_logistic_regression_are_weight_times_value(rows):
    X, y = rows
    net = logistic(X, y)
    weight = kernel(net).reshape(4, 3)
    found = integrated_gradients(net, X, output="log_odds")
    np.testing.assert_allclose(
        found, X.astype(np.float32) * weight, rtol=1e-5, atol=1e-7
    )
    found = integrated_gradients(net, X, output="log_odds", baseline="mean")
    expected = (X - X.mean(axis=0)) * weight
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    # The probability is shared out in the same proportions.
    found = integrated_gradients(net, X, baseline=0.5)
    away = (X - 0.5) * weight
    p = net.predict_proba(X)[:, 1] - net.predict_proba(np.full_like(X, 0.5))[:, 1]
    total = away.sum(axis=(1, 2))
    expected = away * (p / total)[:, None, None]
    np.testing.assert_allclose(found, expected, atol=1e-3)


def test_gradients_of_unused_cells_are_zero(rows):
    X, y = rows
    net = one_cell(X, y, 2, 1)
    found = integrated_gradients(net, X)
    expected = expit(3 * X[:, 2, 1]) - 0.5
    np.testing.assert_allclose(found[:, 2, 1], expected, atol=1e-5)
    found[:, 2, 1] = 0
    assert not found.any()


def test_gradients_sum_to_the_difference_for_every_network(make_network, sequences):
    X, y = sequences
    net = make_network(**make_network.settings.small, epochs=5).fit(X, y)
    found = integrated_gradients(net, X[:20])
    assert found.shape == (20, 5, 2)
    difference = outputs(net, X[:20])[:, -1] - outputs(net, np.zeros_like(X[:1]))[:, -1]
    np.testing.assert_allclose(found.sum(axis=(1, 2)), difference, atol=0.005)


def test_gradients_of_a_saturated_network_are_complete(rows):
    X, y = rows
    net = with_weights(KerasClassifier, X, y, np.full((4, 3), 30.0))
    found = integrated_gradients(net, X, output="log_odds")
    np.testing.assert_allclose(found, 30 * X, rtol=1e-4, atol=1e-4)


def test_gradients_are_complete_where_they_jump(rows):
    # Far from the rows, the gradient of each unit jumps within a short part of the way.
    X, y = rows
    net = DenseClassifier((4,), **FAST).fit(X, y)
    start = np.arange(12.0).reshape(4, 3)
    difference = net.predict_proba(X)[:, 1] - net.predict_proba(start[None])[0, 1]
    for n_steps in (1, 32):
        found = integrated_gradients(net, X, baseline=start, n_steps=n_steps)
        np.testing.assert_allclose(found.sum(axis=(1, 2)), difference, atol=0.001)


@pytest.mark.parametrize("target", [None, 0, [2, 0, 1]])
def test_gradients_are_for_the_class_that_is_asked_for(three_classes, target):
    X, y = three_classes
    net = DenseClassifier((4,), **FAST).fit(X, y)
    X = X[:3]
    classes = net.predict(X) if target is None else np.broadcast_to(target, 3)
    p = net.predict_proba(X)[range(3), classes]
    start = net.predict_proba(np.zeros((1, 5, 2)))[0, classes]
    found = integrated_gradients(net, X, target=target)
    np.testing.assert_allclose(found.sum(axis=(1, 2)), p - start, atol=0.002)
    found = integrated_gradients(net, X, target=target, output="log_odds")
    np.testing.assert_allclose(
        found.sum(axis=(1, 2)), logit(p) - logit(start), rtol=0.002, atol=0.002
    )


def test_gradients_of_the_first_of_two_classes_have_the_other_sign(rows):
    X, y = rows
    y = np.where(y, "up", "down")
    for params in ({}, {"loss": "categorical_crossentropy"}):
        net = logistic(X, y, **params)
        up = integrated_gradients(net, X)
        down = integrated_gradients(net, X, target="down")
        np.testing.assert_allclose(up, -down, atol=1e-6)
        assert (up[y == "up", 2, 1] > 0).all()


def test_gradients_of_a_network_that_gives_logits(rows):
    X, y = rows
    options = {"loss": "binary_crossentropy", "loss_params": {"from_logits": True}}
    net = logistic(X, y, **options)
    found = integrated_gradients(net, X)
    start = net.predict_proba(np.zeros((1, 4, 3)))[0, 1]
    expected = net.predict_proba(X)[:, 1] - start
    np.testing.assert_allclose(found.sum(axis=(1, 2)), expected, atol=0.002)
    found = integrated_gradients(net, X, output="log_odds")
    np.testing.assert_allclose(
        found, X * kernel(net).reshape(4, 3), rtol=1e-4, atol=1e-5
    )


def test_gradients_of_a_regressor_have_the_units_of_y(rows):
    X = rows[0]
    y = 1e6 + 100 * X[:, 2, 1]
    net = DenseRegressor(dense_units=(), **FAST).fit(X, y)
    found = integrated_gradients(net, X)
    weight = kernel(net).reshape(4, 3) * net.target_scale_
    np.testing.assert_allclose(found, X * weight, rtol=1e-4, atol=1e-3)
    both = DenseRegressor(dense_units=(), **FAST).fit(X, np.column_stack([-y, y]))
    found = integrated_gradients(both, X, target=1)
    weight = kernel(both)[:, 1].reshape(4, 3) * both.target_scale_[1]
    np.testing.assert_allclose(found, X * weight, rtol=1e-4, atol=1e-3)


def test_gradients_of_quantiles_are_for_the_prediction(rows):
    X, y = rows[0], rows[0][:, 2, 1]
    loss_params = {"quantile": (0.1, 0.5, 0.9)}
    net = LSTMRegressor(4, loss="quantile", loss_params=loss_params, **FAST).fit(X, y)
    found = integrated_gradients(net, X)
    expected = net.predict(X) - net.predict(np.zeros((1, 4, 3)))
    np.testing.assert_allclose(found.sum(axis=(1, 2)), expected, atol=0.005)


def test_gradients_of_a_table_have_its_shape(rows):
    X, y = rows
    table = X.reshape(80, 12)
    net = DenseClassifier((4,), n_timesteps=4, **FAST).fit(table, y)
    cube = integrated_gradients(DenseClassifier((4,), **FAST).fit(X, y), X)
    found = integrated_gradients(net, table)
    np.testing.assert_allclose(found, cube.reshape(80, 12), atol=1e-6)
    row = np.arange(12.0)
    found = integrated_gradients(net, table, baseline=row)
    np.testing.assert_allclose(
        found, integrated_gradients(net, table, baseline=np.tile(row, (80, 1)))
    )


def test_gradients_of_rows_of_unequal_length():
    rng = np.random.default_rng(0)
    X = [rng.normal(size=(n, 2)) for n in (3, 5, 2, 6) * 10]
    y = np.array([row[0, 0] > 0 for row in X])
    net = GRUClassifier(4, pooling="mean", **FAST).fit(X, y)
    longer = [*X, rng.normal(size=(12, 2))]
    found = integrated_gradients(net, longer, baseline=[0.5, -0.5])
    assert [one.shape for one in found] == [row.shape for row in longer]
    start = [np.tile([0.5, -0.5], (len(row), 1)) for row in longer]
    difference = net.predict_proba(longer)[:, 1] - net.predict_proba(start)[:, 1]
    sums = [one.sum() for one in found]
    np.testing.assert_allclose(sums, difference, atol=0.002)


def test_gradients_at_padding_are_zero():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 5, 2))
    y = (X[:, 2, 0] > 0).astype(int)
    X[:20, :2] = 0  # before the row
    X[20:30, 3:] = 0  # after it
    net = GRUClassifier(4, pooling="max", mask_value=0.0, **FAST).fit(X, y)
    found = integrated_gradients(net, X, baseline="mean")
    padding = (X == 0).all(axis=2)
    assert (found[padding] == 0).all()
    assert (found[~padding] != 0).any(axis=1).all()
    # The same as for the rows without padding.
    rows = [row[~one] for row, one in zip(X, padding, strict=True)]
    alone = integrated_gradients(net, rows, baseline="mean")
    np.testing.assert_allclose(found[~padding], np.concatenate(alone), atol=1e-5)


def of_tokens(inputs):
    x = keras.layers.Embedding(9, 3, mask_zero=True, name="embedding")(inputs)
    return keras.layers.GRU(4)(x)


def test_gradients_of_token_ids_are_over_their_vectors():
    rng = np.random.default_rng(0)
    X = rng.integers(1, 9, size=(60, 6)).astype(float)
    y = (X == 3).any(axis=1).astype(int)
    X[:20, 4:] = 0
    net = KerasClassifier(of_tokens, **FAST).fit(X, y)
    found = integrated_gradients(net, X)
    assert found.shape == X.shape
    assert (found[X == 0] == 0).all()
    assert found[X == 3].mean() > found[(X != 3) & (X != 0)].mean() + 0.05
    # From the network with vectors of zero.
    model = net.model_
    model.get_layer("embedding").set_weights([np.zeros((9, 3))])
    start = model.predict(X, verbose=0)[:, 0]
    expected = net.predict_proba(X)[:, 1] - start
    np.testing.assert_allclose(found.sum(axis=1), expected, atol=0.002)
    with pytest.raises(
        ValueError, match=r"baseline must be 0.0 for a network of token"
    ):
        integrated_gradients(net, X, baseline=1.0)


def test_gradients_of_a_pretrained_network_are_those_of_its_rows(rows):
    from skseq import AutoencoderTransformer

    X, y = rows
    encoder = AutoencoderTransformer(layer_sizes=(4,), epochs=1)
    net = DenseClassifier((4,), pretrained=encoder, **FAST).fit(10 * X + 5, y)
    found = integrated_gradients(net, 10 * X + 5, baseline=5.0)
    start = net.predict_proba(np.full((1, 4, 3), 5.0))[0, 1]
    expected = net.predict_proba(10 * X + 5)[:, 1] - start
    np.testing.assert_allclose(found.sum(axis=(1, 2)), expected, atol=0.002)


def test_gradients_warn_if_they_are_not_complete(rows):
    X, y = rows

    def model(inputs):
        x = keras.ops.sign(keras.layers.Flatten()(inputs) - 0.1)
        return keras.layers.Dense(1)(x)

    net = KerasClassifier(model, **FAST).fit(X, y)
    with pytest.warns(ConvergenceWarning, match="do not sum to the difference"):
        integrated_gradients(net, X[:2])


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"target": 7}, ValueError, r"one of the classes \[0, 1\], got 7\.$"),
        ({"target": "left"}, ValueError, r"the classes \[0, 1\], got 'left'\.$"),
        (
            {"target": [0, 1]},
            ValueError,
            r"one for each of the 80 rows, got shape \(2,",
        ),
        ({"output": "logit"}, ValueError, "'output' parameter of integrated_grad"),
        ({"n_steps": 0}, ValueError, "'n_steps'"),
        ({"baseline": "median"}, ValueError, "or 'mean', got 'median'"),
        ({"baseline": [1, 2]}, ValueError, r"shapes \(3,\), \(4, 3\).*got \(2,\)"),
        ({"baseline": np.nan}, ValueError, "must be finite"),
        ({"baseline": {}}, TypeError, "a number, an array or 'mean', got {}"),
    ],
)
def test_gradients_refuse_arguments(rows, options, error, message):
    X, y = rows
    with pytest.raises(error, match=message):
        integrated_gradients(one_cell(X, y, 2, 1), X, **options)


def test_gradients_of_several_targets_need_one(rows):
    X, y = rows
    net = DenseRegressor((4,), **FAST).fit(X, np.column_stack([y, y]))
    for target in (None, 2, True):
        with pytest.raises(ValueError, match=r"column of y, from 0 to 1, got"):
            integrated_gradients(net, X, target=target)


LOOKS = {
    "integrated_gradients": integrated_gradients,
    "convolution_filters": lambda net, X: convolution_filters(net),
    "top_windows": top_windows,
    "attention_weights": attention_weights,
}


@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)
def test_looks_need_a_fitted_network(rows, look):
    X, y = rows
    with pytest.raises(NotFittedError):
        look(Conv1DClassifier(), X)
    pipeline = make_pipeline(StandardScaler(), DenseClassifier())
    with pytest.raises(TypeError, match=r"got Pipeline\. Pass the network, pipeline"):
        look(pipeline, X)
    search = GridSearchCV(DenseClassifier(**FAST), {"epochs": [1]}, cv=2).fit(X, y)
    with pytest.raises(TypeError, match=r"got GridSearchCV\. Pass its best_estimator_"):
        look(search, X)
    with pytest.raises(TypeError, match="classifier or regressor of skseq, got Linear"):
        look(LinearRegression(), X)


# ------------------------------------------------------------- filters and attention

WINDOWS = [
    {},
    {"padding": "causal"},
    {"padding": "valid"},
    {"layer_params": {"strides": 3}},
    {"layer_params": {"dilation_rate": 2}},
    {"separable": True, "padding": "causal"},
    {"pool_size": 2},
]


@pytest.mark.parametrize(
    "params", mostly_slow(WINDOWS, WINDOWS[3], *WINDOWS[5:]), ids=str
)
@pytest.mark.parametrize("listed", with_slow([False, True], False))
def test_top_windows_give_the_outputs_of_their_filters(params, listed):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 12, 2)).astype(np.float32)
    y = (X[:, 5, 0] > 0).astype(int)
    if listed:
        X = [row[: rng.integers(8, 13)] for row in X]
    net = Conv1DClassifier(4, kernel_size=4, **{**FAST, "epochs": 2}, **params)
    net.fit(X, y)
    found = top_windows(net, X, n_windows=7)
    weight, bias = convolution_filters(net), net.model_.get_layer("convolution_1").bias
    assert found.windows.shape == (4, 7, 4, 2)
    values = np.einsum("onkf,kfo->on", np.nan_to_num(found.windows), weight)
    values = np.maximum(values + bias.numpy()[:, None], 0)
    np.testing.assert_allclose(found.value, values, rtol=1e-4, atol=1e-5)
    assert (np.diff(found.value) <= 0).all()
    assert all(len(set(one)) == 7 for one in found.row.tolist())
    dilation = params.get("layer_params", {}).get("dilation_rate", 1)
    for i, j in np.ndindex(4, 7):
        row, start = X[found.row[i, j]], found.start[i, j]
        places = start + dilation * np.arange(4)
        inside = (places >= 0) & (places < len(row))
        np.testing.assert_array_equal(found.windows[i, j][inside], row[places[inside]])
        assert np.isnan(found.windows[i, j][~inside]).all()


def test_top_window_is_the_one_with_the_largest_output():
    X = np.zeros((3, 6, 1))
    X[0, 2], X[1, 4], X[2, 1] = 1, 3, 2
    y = [0, 1, 0]

    def model(inputs):
        layer = keras.layers.Conv1D(1, 2, padding="valid")
        x = keras.layers.GlobalMaxPooling1D()(layer(inputs))
        layer.set_weights([np.array([[[0.0]], [[1.0]]]), np.zeros(1)])
        return x

    found = top_windows(KerasClassifier(model).initialize(X, y), X, n_windows=3)
    assert found.row.tolist() == [[1, 2, 0]]
    assert found.start.tolist() == [[3, 0, 1]]
    assert found.value.tolist() == [[3, 2, 1]]
    assert found.windows[0, :, :, 0].tolist() == [[0, 3], [0, 2], [0, 1]]


def test_filters_of_a_later_layer(rows):
    X, y = rows
    net = Conv1DClassifier((5, 2), kernel_size=3, **{**FAST, "epochs": 1}).fit(X, y)
    assert convolution_filters(net).shape == (3, 3, 5)
    found = convolution_filters(net, layer=1)
    expected = net.model_.get_layer("convolution_2").kernel.numpy()
    np.testing.assert_array_equal(found, expected)
    with pytest.raises(ValueError, match="layer must be from 0 to 1.*got 2"):
        convolution_filters(net, layer=2)
    with pytest.raises(ValueError, match="at most the number of rows of X, 80, got 81"):
        top_windows(net, X, n_windows=81)


def test_windows_of_token_ids_hold_ids():
    X = np.array([[3, 1, 2, 0], [1, 3, 4, 2]] * 10, float)

    def model(inputs):
        x = keras.layers.Embedding(5, 3, name="embedding")(inputs)
        return keras.layers.GlobalMaxPooling1D()(keras.layers.Conv1D(2, 2)(x))

    net = KerasClassifier(model, **{**FAST, "epochs": 1}).fit(X, [0, 1] * 10)
    found = top_windows(net, X, n_windows=1)
    assert found.windows.shape == (2, 1, 2, 1)
    place = found.start[0, 0]
    expected = X[found.row[0, 0], place : place + 2]
    np.testing.assert_array_equal(found.windows[0, 0, :, 0], expected)


def test_windows_need_a_convolution_over_the_timesteps_of_X(rows):
    X, y = rows
    with pytest.raises(
        ValueError, match="a convolution over time, got DenseClassifier"
    ):
        convolution_filters(logistic(X, y))

    def model(inputs):
        x = keras.layers.MaxPooling1D(2)(inputs)
        return keras.layers.Flatten()(keras.layers.Conv1D(2, 2)(x))

    net = KerasClassifier(model).initialize(X, y)
    with pytest.raises(ValueError, match=r"read the 4 timesteps of X, got .* 2 timest"):
        top_windows(net, X)


@pytest.mark.parametrize("name", ["GRUClassifier", "Conv1DRegressor"])
def test_attention_weights_sum_to_one_and_are_zero_at_padding(sequences, name):
    X, y = sequences
    X[:30, :2] = 0
    net = make(name, pooling="attention", mask_value=0.0, **{**FAST, "epochs": 2})
    weights = attention_weights(net.fit(X, y), X)
    assert weights.shape == (60, 5)
    assert (weights[:30, :2] == 0).all()
    assert (weights[:30, 2:] > 0).all()
    np.testing.assert_allclose(weights.sum(axis=1), 1, rtol=1e-5)
    rows = [row[(row != 0).any(axis=1)] for row in X]
    listed = attention_weights(net, rows)
    assert [len(one) for one in listed] == [3] * 30 + [5] * 30
    np.testing.assert_allclose(np.concatenate(listed), weights[weights > 0], atol=1e-6)


def test_attention_of_equal_timesteps_is_equal():
    X = np.ones((10, 4, 2)) * np.arange(10)[:, None, None]
    net = Conv1DClassifier(3, kernel_size=1, pooling="attention", **FAST)
    weights = attention_weights(net.fit(X, X[:, 0, 0] > 4), X)
    np.testing.assert_allclose(weights, 0.25, atol=1e-6)


def test_attention_over_windows_has_one_weight_for_each():
    rng = np.random.default_rng(0)
    X = [rng.normal(size=(n, 2)) for n in (8, 5, 3) * 5]
    y = np.arange(15) % 2
    net = Conv1DClassifier(3, pool_size=2, pooling="attention", **{**FAST, "epochs": 1})
    weights = attention_weights(net.fit(X, y), X)
    assert [len(one) for one in weights[:3]] == [4, 3, 2]
    np.testing.assert_allclose([one.sum() for one in weights], 1, rtol=1e-5)
    X = np.stack([X[0]] * 15)
    assert attention_weights(net.fit(X, y), X).shape == (15, 4)


def test_attention_of_a_model_of_the_user(rows):
    X, y = rows

    def model(inputs):
        weights = keras.layers.Softmax(axis=1, name="attention")(inputs[:, :, 1:2])
        return keras.layers.Flatten()(keras.layers.Dot(axes=1)([weights, inputs]))

    net = KerasClassifier(model).initialize(X, y)
    expected = np.exp(X[:, :, 1])
    expected /= expected.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(attention_weights(net, X), expected, rtol=1e-5)
    with pytest.raises(ValueError, match="must have attention, got DenseClassifier"):
        attention_weights(logistic(X, y), X)


# ------------------------------------------------------------------------------ figures


def texts(ax):
    return [one.get_text() for one in ax.texts]


def test_display_of_cells_is_a_heat_map(rows):
    X, y = rows
    net = one_cell(X, y, 2, 1)
    display = PermutationImportanceDisplay.from_estimator(
        net, X, y, over="cells", feature_names=["a", "b", "c"], random_state=0,
        timesteps=["Jan", "Feb", "Mar", "Apr"],
    )  # fmt: skip
    mean = permutation_importance(net, X, y, over="cells", random_state=0)
    np.testing.assert_array_equal(display.artist_.get_array(), mean.importances_mean.T)
    assert [one.get_text() for one in display.ax_.get_xticklabels()][2] == "Mar"
    assert [one.get_text() for one in display.ax_.get_yticklabels()] == ["a", "b", "c"]
    assert texts(display.ax_)[6] == f"{mean.importances_mean[2, 1]:.2f}"
    assert texts(display.ax_)[0] == "0.00"


def test_display_of_features_and_timesteps_are_bars():
    importances = np.array([[0.1, 0.3], [0.5, 0.5], [-0.1, 0.1]])
    display = PermutationImportanceDisplay(importances, feature_names=["a", "b", "c"])
    ax = pyplot.subplots()[1]
    assert display.plot(ax, n_largest=2).ax_ is ax
    assert [bar.get_width() for bar in display.artist_] == [0.5, 0.2]
    assert [one.get_text() for one in ax.get_yticklabels()] == ["b", "a"]
    display = PermutationImportanceDisplay(importances, timesteps=[0, 1, "end"]).plot()
    assert [bar.get_height() for bar in display.artist_] == [0.2, 0.5, 0]
    assert display.figure_ is display.ax_.figure


def test_display_of_several_scorers_is_refused(rows):
    X, y = rows
    found = permutation_importance(
        one_cell(X, y, 2, 1), X, y, scoring=["accuracy", "roc_auc"], n_repeats=1
    )
    with pytest.raises(ValueError, match=r"one scorer, got those for \['accuracy', 'r"):
        PermutationImportanceDisplay.from_importances(found)


def test_display_of_attributions_chooses_its_kind(rows):
    X, y = rows
    net = one_cell(X, y, 2, 1)
    display = AttributionDisplay.from_estimator(net, X, row=7)
    np.testing.assert_array_equal(display.attributions, integrated_gradients(net, X)[7])
    np.testing.assert_array_equal(display.values, X[7])
    assert len(display.axes_) == 3
    heat = AttributionDisplay(display.attributions).plot()
    np.testing.assert_array_equal(
        heat.axes_[0].images[0].get_array(), display.attributions.T
    )
    tokens = AttributionDisplay(
        display.attributions, tokens=["not", "so", "bad"]
    ).plot()
    assert texts(tokens.axes_[0]) == [" not ", " so ", " bad "]
    tokens.figure_.canvas.draw()
    mean = AttributionDisplay.from_estimator(net, X, row=7, baseline="mean")
    expected = integrated_gradients(net, X, baseline="mean")[7]
    np.testing.assert_array_equal(mean.attributions, expected)
    for given, row in ((X, 500), (list(X), 500), (X, -1)):
        with pytest.raises(
            ValueError, match=rf"^row must be from 0 to 79, got {row}\.$"
        ):
            AttributionDisplay.from_estimator(net, given, row=row)


def test_display_of_a_row_of_a_table_is_folded(rows):
    X, y = rows
    table = pd.DataFrame(X.reshape(80, 12))
    net = DenseClassifier((4,), n_timesteps=4, **FAST).fit(table, y)
    display = AttributionDisplay.from_estimator(net, table, row=2)
    assert display.attributions.shape == (4, 3)
    np.testing.assert_array_equal(display.values, X[2])


def test_display_of_tokens_is_red_where_they_raise_the_prediction():
    display = AttributionDisplay(np.array([1.0, -1.0, 0.0]), tokens=["a", "b", "c"])
    texts = display.plot(n_characters=4).axes_[0].texts
    up, down, neither = (one.get_bbox_patch().get_facecolor() for one in texts)
    assert up[0] > up[2]
    assert down[2] > down[0]
    assert abs(neither[0] - neither[2]) < 0.05
    display.figure_.canvas.draw()
    # The third token is in a new line.
    bottoms = [one.get_window_extent().y0 for one in texts]
    assert bottoms[0] == pytest.approx(bottoms[1], abs=2)
    assert bottoms[2] < bottoms[0] - 5


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "lines"}, "needs the values of the row"),
        ({"kind": "tokens"}, "needs tokens, got None"),
        ({"kind": "bars"}, "'kind' parameter of AttributionDisplay.plot"),
    ],
)
def test_display_of_attributions_refuses_arguments(options, message):
    with pytest.raises(ValueError, match=message):
        AttributionDisplay(np.ones((3, 2))).plot(**options)


def test_display_refuses_too_many_tokens_and_too_few_axes():
    with pytest.raises(ValueError, match="one for each of the 2 timesteps, got 3"):
        AttributionDisplay(np.ones(2), tokens=["a", "b", "c"]).plot()
    with pytest.raises(ValueError, match="ax must hold 2 axes.*got 1"):
        AttributionDisplay(np.ones((3, 2)), np.ones((3, 2))).plot(pyplot.gca())


def test_display_of_filters_shows_weights_and_mean_windows(rows):
    X, y = rows
    net = Conv1DClassifier(5, kernel_size=3, **{**FAST, "epochs": 2}).fit(X, y)
    display = FilterDisplay.from_estimator(net, X, n_filters=2, n_windows=4)
    assert display.axes_.shape == (2, 2)
    found = top_windows(net, X, n_windows=4)
    kept = np.argsort(-found.value.mean(axis=1))[:2]
    assert [ax.get_title() for ax in display.axes_[0]] == [f"filter {i}" for i in kept]
    weight = convolution_filters(net)[:, 1, kept[0]]
    np.testing.assert_array_equal(display.axes_[0, 0].lines[2].get_ydata(), weight)
    mean = np.nanmean(found.windows[kept[0]], axis=0)[:, 1]
    np.testing.assert_allclose(display.axes_[1, 0].lines[1].get_ydata(), mean)


def test_display_without_matplotlib_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(
        ImportError, match="^A display needs matplotlib: pip install matplotlib$"
    ):
        AttributionDisplay(np.ones((3, 2))).plot()


def test_inspection_lists_its_names():
    assert inspection.__all__ == sorted(inspection.__all__)
    assert all(hasattr(inspection, name) for name in inspection.__all__)


# --------------------------------------------------------------------------- windows


def test_windows_are_looked_into_as_arrays_and_lists():
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(60, 2)), columns=["heat", "load"])
    X, y, *_ = make_windows(table, table["load"] > 0.1, n_timesteps=3)
    net = DenseClassifier(4, epochs=3, random_state=0).fit(X, y)
    assert_array_equal(
        integrated_gradients(net, X), integrated_gradients(net, np.asarray(X))
    )
    result = permutation_importance(net, X, y, over="cells", random_state=0)
    assert result.feature_names.tolist() == ["heat", "load"]
    assert result.importances_mean.shape == (3, 2)
    # Windows with padding are a list.
    X = WindowTransformer(3, ordered=True).fit_transform(table)
    net.fit(X, table["load"] > 0.1)
    rows = integrated_gradients(net, X)
    assert [row.shape for row in rows[:4]] == [(1, 2), (2, 2), (3, 2), (3, 2)]
    result = permutation_importance(net, X, table["load"] > 0.1, random_state=0)
    assert result.feature_names.tolist() == ["heat", "load"]


def test_padded_windows_are_drawn_and_weighted_as_a_list():
    table = np.random.default_rng(0).normal(size=(40, 2))
    y = np.arange(40) % 3
    X = WindowTransformer(3, ordered=True).fit_transform(table)
    net = GRUClassifier(4, pooling="attention", epochs=1, random_state=0).fit(X, y)
    weights = attention_weights(net, X)
    assert isinstance(weights, list)
    assert [len(row) for row in weights[:4]] == [1, 2, 3, 3]
    display = AttributionDisplay.from_estimator(net, X, row=1)
    assert display.attributions.shape == (2, 2)
    # Windows that are no fair test of a score can be looked into, without a warning.
    X, y, *_ = make_windows(table, y, n_timesteps=3)
    net.fit(X[::2], y[::2])
    assert integrated_gradients(net, X[1::2]).shape == (19, 3, 2)
