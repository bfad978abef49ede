"""Regressors: the scale of y, outputs, losses, quantiles, and scikit-learn's tools."""

import pickle
import warnings

import joblib
import keras
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone, is_regressor
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_diabetes
from sklearn.ensemble import StackingRegressor
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.linear_model import Ridge
from sklearn.metrics import (
    get_scorer,
    get_scorer_names,
    mean_absolute_error,
    mean_pinball_loss,
)
from sklearn.model_selection import GridSearchCV, GroupShuffleSplit, TimeSeriesSplit
from sklearn.model_selection import cross_val_score as cross_validated
from sklearn.multioutput import MultiOutputRegressor, RegressorChain
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import get_tags

import skseq
from estimators import FAST, with_slow
from skseq._engine.losses import Quantile, make_loss, make_rowwise_loss


def dense(**params):
    """Make a small dense regressor."""
    return skseq.DenseRegressor((8,), **{**FAST, **params})


def bits(network):
    """Get the weights of a fitted network as bytes."""
    return [weights.tobytes() for weights in network.model_.get_weights()]


@pytest.fixture
def data():
    """Make X of shape (80, 5, 2), and a y of about 1000 +- 170."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 5, 2))
    return X, 1000 + 100 * X[:, -1, 0] + 100 * X[:, 0, 1]


@pytest.fixture
def two_targets(data):
    """Make X of shape (80, 5, 2), and a y of shape (80, 2) in unequal units."""
    X, y = data
    return X, np.column_stack([y, 0.001 * X[:, 2, 0]])


# ----------------------------------------------------------------------- what is fitted


def test_regressor_has_only_tags_that_are_true(make_regressor):
    net = make_regressor()
    tags = get_tags(net)
    assert is_regressor(net)
    assert tags.estimator_type == "regressor"
    assert tags.target_tags.multi_output
    assert tags.target_tags.single_output
    assert tags.target_tags.required
    assert tags.classifier_tags is None
    assert not tags.regressor_tags.poor_score
    assert not tags.non_deterministic
    assert tags.input_tags.three_d_array


def test_regressor_learns_y_in_its_own_units(make_regressor, data):
    X, y = data
    net = make_regressor(epochs=40).fit(X, y)
    assert net.score(X, y) > 0.9
    assert net.predict(X).shape == (80,)
    assert net.n_outputs_ == 1
    assert_allclose(net.target_shift_, [y.mean()])
    assert_allclose(net.target_scale_, [y.std()])
    assert not hasattr(net, "quantiles_")
    assert not hasattr(net, "predict_proba")


def test_without_scaling_the_same_settings_fail(data):
    X, y = data
    net = dense(scale_target=False).fit(X, y)
    assert_array_equal([*net.target_shift_, *net.target_scale_], [0, 1])
    assert net.score(X, y) < 0
    assert dense().fit(X, y).score(X, y) > 0.9


def test_units_of_y_change_no_weight(data):
    X, y = data
    # A power of two changes no digit of the scaled target.
    assert bits(dense().fit(X, 1024 * y)) == bits(dense().fit(X, y))


def test_several_outputs_count_equally(make_regressor, two_targets):
    X, y = two_targets
    net = make_regressor(epochs=60).fit(X, y)
    assert net.n_outputs_ == 2
    assert net.predict(X).shape == (80, 2)
    scores = [1 - ((net.predict(X) - y)[:, i].var() / y[:, i].var()) for i in (0, 1)]
    assert min(scores) > 0.8


@pytest.mark.parametrize("kind", [list, pd.Series, np.float32, np.int32, object])
def test_y_of_any_kind(data, kind):
    X, y = data
    y = y.round()
    given = y.astype(kind) if kind not in (list, pd.Series) else kind(y)
    assert_array_equal(dense().fit(X, given).predict(X), dense().fit(X, y).predict(X))


def test_y_of_one_column_gives_one_column(data):
    X, y = data
    flat, column = dense().fit(X, y), dense().fit(X, pd.DataFrame({"y": y}))
    assert column.predict(X).shape == (80, 1)
    assert_array_equal(column.predict(X)[:, 0], flat.predict(X))
    assert column.score(X, y) == flat.score(X, y)


def test_constant_y_is_predicted(data):
    X, _ = data
    net = dense().fit(X, np.full(80, 7.0))
    assert_array_equal(net.target_scale_, [1])
    assert_allclose(net.predict(X), 7, atol=0.1)


def test_large_offset_keeps_the_digits_of_float64(data):
    X, _ = data
    small = X[:, 0, 0].round(3)
    here = dense().fit(X, small)
    far = dense().fit(X, 1e6 + small)
    assert_allclose(far.predict(X) - 1e6, here.predict(X), atol=1e-4)


@pytest.mark.parametrize(
    ("change", "error", "match"),
    [
        (
            lambda y: np.where(y > 1000, np.nan, y),
            ValueError,
            "Input y contains NaN. Leave out rows",
        ),
        (lambda y: np.where(y > 1000, np.inf, y), ValueError, "y contains infinity"),
        (lambda y: y[:70], ValueError, "y must have one entry for each of the 80 rows"),
        (lambda y: y.astype(complex), ValueError, "y must hold numbers: Complex data"),
        (
            lambda y: [f"{v} m" for v in y],
            ValueError,
            r"y must hold numbers: .*convert.*m'\)?\. For labels use a classifier",
        ),
        (lambda y: [[1], [1, 2]] * 40, ValueError, "y must hold numbers: .*inhomog"),
        (
            lambda y: y.reshape(80, 1, 1),
            ValueError,
            r"y must have shape .*\(80, 1, 1\)",
        ),
        (lambda y: np.empty((80, 0)), ValueError, "y must hold numbers: .*0 feature"),
        (lambda y: 1e200 * y, ValueError, "y must have a finite variance"),
        (lambda y: 1e300 * (y > 1000), ValueError, "y must have a finite variance"),
        (lambda y: None, ValueError, "y to be passed.*Pass an array of numbers"),
    ],
)
def test_y_that_means_nothing_is_refused(data, change, error, match):
    X, y = data
    net = dense().fit(X, y)
    before = bits(net)
    with pytest.raises(error, match=match):
        net.fit(X, change(y))
    assert bits(net) == before


def test_partial_fit_refuses_values_far_from_the_first_ones(data):
    X, y = data
    net = dense().partial_fit(X, y)
    with pytest.raises(ValueError, match="y must fit into float32 after scaling, got"):
        net.partial_fit(X, 1e300 * (y > 1000))


def test_sparse_y_is_refused(data):
    from scipy.sparse import csr_array

    X, y = data
    with pytest.raises(TypeError, match="Sparse data was passed for y"):
        dense().fit(X, csr_array(y[:, None]))


# ------------------------------------------------------------------ what the scale sees


def test_scale_is_that_of_weighted_training_rows(data):
    X, y = data
    weights = np.arange(80) % 3.0  # a third is left out
    split = GroupShuffleSplit(1, test_size=0.25, random_state=0)
    groups = np.arange(80) // 4
    net = dense(early_stopping=True, validation_split=split)
    net.fit(X, y, weights, groups=groups)
    used = np.flatnonzero(weights)
    rest, _ = next(split.split(X[used], y[used], groups[used]))
    rest = used[rest]
    mean = np.average(y[rest], weights=weights[rest])
    assert_allclose(net.target_shift_, [mean])
    variance = np.average((y[rest] - mean) ** 2, weights=weights[rest])
    assert_allclose(net.target_scale_, [np.sqrt(variance)])


@pytest.mark.parametrize("params", [{}, {"early_stopping": True, "monitor": "r2"}])
def test_row_of_weight_zero_is_not_there(make_regressor, data, params):
    X, y = data
    weights = np.random.default_rng(0).uniform(1, 2, size=80)
    weights[::5] = 0
    marred = np.where(weights > 0, y, 1e9)
    net = make_regressor(epochs=2, **params).fit(X, marred, weights)
    rows = weights > 0
    other = make_regressor(epochs=2, **params).fit(X[rows], y[rows], weights[rows])
    assert bits(net) == bits(other)
    assert_array_equal(net.predict(X), other.predict(X))


def test_whole_weights_equal_repeated_rows(make_regressor, data):
    X, y = data
    weights = np.arange(80) % 4
    params = {"epochs": 3, "batch_size": 200, "shuffle": False, "learning_rate": 0.003}
    weighted = make_regressor(**params).fit(X, y, weights)
    repeated = make_regressor(**params).fit(X.repeat(weights, 0), y.repeat(weights))
    assert_allclose(weighted.predict(X), repeated.predict(X), rtol=1e-4)


def test_scale_is_kept_where_training_goes_on(data):
    X, y = data
    net = dense(warm_start=True).partial_fit(X[:40], y[:40])
    shift, scale = net.target_shift_, net.target_scale_
    assert_allclose(shift, [y[:40].mean()])
    net.partial_fit(X[40:], y[40:] + 500).fit(X, y)
    assert_array_equal([net.target_shift_, net.target_scale_], [shift, scale])
    net.set_params(warm_start=False).fit(X, y)
    assert_allclose(net.target_shift_, [y.mean()])


def test_going_on_refuses_another_number_of_columns(two_targets):
    X, y = two_targets
    net = dense(warm_start=True).fit(X, y)
    for method in (net.fit, net.partial_fit):
        with pytest.raises(ValueError, match="y must have 2 columns.*got 1"):
            method(X, y[:, 0])
    with pytest.raises(ValueError, match="y_val must have 2 columns.*got 1"):
        net.fit(X, y, X_val=X, y_val=y[:, 0])


def test_fits_that_share_a_program_keep_their_own_scale(data):
    X, y = data
    skseq.clear_programs()
    params = {"metrics": ["mae"], "loss": "huber"}
    alone = dense(**params).fit(X, 1000 * y)
    skseq.clear_programs()
    dense(**params).fit(X, y)
    shared = dense(**params).fit(X, 1000 * y)
    assert bits(shared) == bits(alone)
    assert shared.history_ == alone.history_


# ------------------------------------------------- validation rows, metrics, callbacks


def test_loss_is_of_the_scaled_and_metrics_of_the_whole_y(data):
    X, y = data
    net = dense(epochs=30, metrics=["mae", "mse"], batch_size=80)
    net.fit(X, y, X_val=X, y_val=y)
    errors = net.predict(X) - y
    assert_allclose(net.history_["val_mae"][-1], abs(errors).mean(), rtol=1e-4)
    assert_allclose(net.history_["val_mse"][-1], (errors**2).mean(), rtol=1e-4)
    assert_allclose(net.history_["val_loss"][-1], (errors**2).mean() / y.var(), 1e-4)
    # In one batch, the metrics of an epoch are those before its step.
    assert_allclose(net.history_["mae"][1:], net.history_["val_mae"][:-1], rtol=1e-3)


@pytest.mark.parametrize("monitor", ["r2", "neg_mean_absolute_error", "max_error"])
def test_monitor_sees_the_units_of_y(data, monitor):
    X, y = data
    if monitor not in get_scorer_names():  # the name before scikit-learn 1.7
        monitor = f"neg_{monitor}"
    net = dense(early_stopping=True, monitor=monitor, patience=2)
    net.fit(X[:60], y[:60], X_val=X[60:], y_val=y[60:])
    assert_allclose(net.best_score_, get_scorer(monitor)(net, X[60:], y[60:]))


def test_monitor_may_be_a_function_of_the_fitted_regressor(two_targets):
    X, y = two_targets

    def largest(estimator, X, y):
        return -abs(estimator.predict(X) - y)[:, 0].max()

    net = dense(early_stopping=True, monitor=largest, random_state=1)
    net.fit(X, y, X_val=X, y_val=y)
    assert_allclose(net.best_score_, largest(net, X, y))


@pytest.mark.parametrize("monitor", ["accuracy", "roc_auc", "neg_log_loss"])
def test_monitor_of_classes_is_refused(data, monitor):
    X, y = data
    with pytest.raises(ValueError, match=f"'{monitor}' can't be.*'r2'"):
        dense(early_stopping=True, monitor=monitor).fit(X, y)


def test_held_out_rows_are_whole_groups_in_their_share(data):
    X, y = data
    net = dense(epochs=1, early_stopping=True, monitor=lambda e, X, y: -len(set(y)))
    groups = np.arange(80) // 8
    net.fit(X, y=groups.astype(float), groups=groups)
    assert net.best_score_ == -1  # one of ten groups
    net.set_params(monitor=lambda e, X, y: len(y)).fit(X, y)
    assert net.best_score_ == 8  # a tenth of the rows


def test_model_has_the_units_of_y(two_targets, tmp_path):
    X, y = two_targets
    net = dense().fit(X, y)
    net.model_.save(tmp_path / "model.keras")
    for model in (net.model_, keras.models.load_model(tmp_path / "model.keras")):
        assert_allclose(model.predict(X, verbose=0), net.predict(X), rtol=1e-4)


def test_model_of_callbacks_has_the_units_of_y(data):
    X, y = data

    class Watching(keras.callbacks.Callback):
        def on_train_end(self, logs=None):
            self.seen = self.model.predict(X, verbose=0)[:, 0]

    for factor in (1, 10):  # with the same program
        net = dense(callbacks=Watching()).fit(X, factor * y)
        assert_allclose(net.callbacks_[0].seen, net.predict(X), rtol=1e-4)


# ------------------------------------------------------------------------------- losses


@pytest.mark.parametrize(
    "loss",
    [
        "mse", pytest.param("mae", marks=pytest.mark.slow), "mape", "msle",
        pytest.param("huber", marks=pytest.mark.slow),
        pytest.param("log_cosh", marks=pytest.mark.slow),
        "poisson", "quantile", "MeanSquaredError",
        keras.losses.mean_absolute_error, keras.losses.Huber(50.0),
        keras.losses.MeanSquaredError(reduction="sum"),
        lambda y, outputs: keras.ops.mean((y - outputs) ** 2, -1),
    ],
)  # fmt: skip
def test_every_loss_for_numbers_learns(data, loss):
    X, y = data
    net = dense(loss=loss, epochs=40).fit(X, y)
    assert net.score(X, y) > 0.8


def test_cosine_similarity_learns_a_direction(data):
    X, _ = data
    y = X[:, 0] + 3
    net = dense(loss="cosine_similarity").fit(X, y)
    unit = [v / np.linalg.norm(v, axis=1, keepdims=True) for v in (net.predict(X), y)]
    assert (unit[0] * unit[1]).sum(axis=1).mean() > 0.98


@pytest.mark.parametrize(
    "loss",
    ["binary_crossentropy", "hinge", "kl_divergence", keras.losses.Dice()],
)
def test_loss_of_classes_is_refused(data, loss):
    X, y = data
    with pytest.raises(
        ValueError, match="loss must be for regression, got .* for classifiers"
    ):
        dense(loss=loss).fit(X, y)


@pytest.mark.parametrize(("loss", "params"), [("huber", {"delta": 3.0}), ("mape", {})])
def test_loss_that_depends_on_units_is_in_those_of_y(data, loss, params):
    X, y = data
    net = dense(loss=loss, loss_params=params, epochs=3).fit(X, y, X_val=X, y_val=y)
    expected = keras.losses.get(loss)(y[:, None], net.predict(X)[:, None], **params)
    assert_allclose(net.history_["val_loss"][-1], np.mean(expected), rtol=1e-3)


def test_own_function_sees_the_units_of_y(data):
    X, y = data

    def beyond_1200(y, outputs):
        return keras.ops.mean(keras.ops.relu(1200 - y) * (y - outputs) ** 2, -1)

    net = dense(loss=beyond_1200, epochs=3).fit(X, y, X_val=X, y_val=y)
    expected = np.maximum(1200 - y, 0) * (y - net.predict(X)) ** 2
    assert_allclose(net.history_["val_loss"][-1], expected.mean(), rtol=1e-3)


@pytest.mark.parametrize("loss", ["poisson", "msle"])
def test_numbers_that_are_not_negative_have_such_predictions(loss):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(100, 3))
    y = rng.poisson(50 * np.exp(X[:, 0]))
    net = dense(loss=loss).fit(X, y)
    assert_array_equal(net.target_shift_, [0])
    assert_allclose(net.target_scale_, [y.mean()])
    assert net.predict(X - [50, 0, 0]).min() >= 0
    with pytest.raises(ValueError, match="y must not be negative.*got -"):
        net.fit(X, y - 100)


@pytest.mark.parametrize(
    "loss", with_slow(["mse", "huber", "poisson", "quantile"], "mse", "huber")
)
def test_loss_through_xla_is_the_same(data, loss, set_jit_compile):
    X, y = data
    without = dense(loss=loss, epochs=3).fit(X, y)
    set_jit_compile(True)
    through = dense(loss=loss, epochs=3).fit(X, y)
    assert_allclose(through.predict(X), without.predict(X), rtol=1e-4)


# ---------------------------------------------------------------------------- quantiles


def test_loss_of_quantiles_is_that_of_scikit_learn():
    rng = np.random.default_rng(0)
    y, outputs = rng.normal(size=(50, 2)), rng.normal(size=(50, 6))
    loss = Quantile((0.1, 0.5, 0.8))
    expected = np.mean(
        [
            mean_pinball_loss(y[:, i // 3], outputs[:, i], alpha=(0.1, 0.5, 0.8)[i % 3])
            for i in range(6)
        ]
    )
    assert_allclose(float(loss(y, outputs)), expected, rtol=1e-5)
    rows = make_rowwise_loss("quantile", {"quantile": (0.1, 0.5, 0.8)})
    assert_allclose(np.mean(rows(y, outputs)), expected, rtol=1e-5)


def test_loss_of_quantiles_is_saved_by_keras():
    loss = make_loss("quantile", {"quantile": 0.9})
    copy = keras.losses.deserialize(keras.losses.serialize(loss))
    assert copy.quantiles == (0.9,)


@pytest.mark.parametrize("wanted", [0.1, 0.9])
def test_share_of_rows_below_a_quantile(wanted):
    rng = np.random.default_rng(0)
    X = rng.uniform(size=(600, 1))
    y = 100 * rng.exponential(1 + X[:, 0])
    net = dense(loss="quantile", loss_params={"quantile": wanted}).fit(X, y)
    assert np.mean(y < net.predict(X)) == pytest.approx(wanted, abs=0.05)
    assert_array_equal(net.predict_quantiles(X), net.predict(X)[:, None])


def test_quantiles_never_cross(make_regressor, two_targets):
    X, y = two_targets
    levels = (0.1, 0.45, 0.6, 0.9)
    net = make_regressor(loss="quantile", loss_params={"quantile": levels})
    net.initialize(X, y)  # before training, outputs are in any order
    assert_array_equal(net.quantiles_, levels)
    quantiles = net.predict_quantiles(X)
    assert quantiles.shape == (80, 2, 4)
    assert (np.diff(quantiles, axis=2) >= 0).all()
    assert (np.diff(net.model_.predict(X, verbose=0).reshape(80, 2, 4)) < 0).any()
    assert_array_equal(net.predict(X), quantiles[:, :, 1])  # the nearest to 0.5
    assert_array_equal(pickle.loads(pickle.dumps(net)).predict_quantiles(X), quantiles)


def test_quantiles_of_one_target_have_two_dimensions(data):
    X, y = data
    params = {"loss": "quantile", "loss_params": {"quantile": [0.1, 0.9]}}
    net = dense(**params, metrics=["mae"]).fit(X, y, X_val=X, y_val=y)
    assert net.predict_quantiles(X).shape == (80, 2)
    assert net.predict_quantiles(X).mean() == pytest.approx(y.mean(), abs=100)
    outputs = net.model_.predict(X, verbose=0)
    assert_allclose(net.history_["val_mae"][-1], abs(outputs[:, 0] - y).mean(), 1e-3)


def test_quantiles_may_change_where_training_goes_on(data):
    net = dense(loss="quantile", loss_params={"quantile": 0.9}, warm_start=True)
    net.fit(*data).set_params(loss__quantile=0.1).fit(*data)
    assert_array_equal(net.quantiles_, [0.1])
    with pytest.raises(ValueError, match="continue with the fitted network"):
        net.set_params(loss__quantile=(0.1, 0.9)).fit(*data)
    assert_array_equal(net.quantiles_, [0.1])


def test_quantiles_need_their_loss(data):
    X, y = data
    net = dense()
    with pytest.raises(NotFittedError):
        net.predict_quantiles(X)
    with pytest.raises(ValueError, match="loss='quantile', got loss='mse'.*fit again"):
        net.fit(X, y).predict_quantiles(X)
    net.set_params(loss="quantile").fit(X, y)
    assert_array_equal(net.quantiles_, [0.5])
    assert not hasattr(net.set_params(loss="mae").fit(X, y), "quantiles_")


@pytest.mark.parametrize("bad", [0, 1.0, (0.9, 0.1), (0.5, 0.5), (), float("nan")])
def test_quantile_that_means_nothing_is_refused(data, bad):
    net = dense(loss="quantile", loss_params={"quantile": bad})
    with pytest.raises(ValueError, match=r"quantile must be a number in \(0, 1\)"):
        net.fit(*data)


def test_quantile_as_a_parameter_is_pointed_to_its_place():
    with pytest.raises(TypeError, match="'quantile'. Use loss_params={'quantile': "):
        skseq.DenseRegressor(loss="quantile", quantile=0.9)


def test_classifier_refuses_the_loss_of_quantiles(sequences):
    with pytest.raises(
        ValueError, match="loss must be for classification, got 'quantile'"
    ):
        skseq.DenseClassifier(loss="quantile").fit(*sequences)


# ----------------------------------------------------------------- scores with defaults


def test_defaults_are_no_worse_than_those_of_scikit_learn():
    X, y = load_diabetes(return_X_y=True)

    def score(net):
        return cross_validated(make_pipeline(StandardScaler(), net), X, y, cv=3).mean()

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        theirs = score(MLPRegressor(random_state=0))
    ours = score(skseq.DenseRegressor(random_state=0))
    assert ours > max(theirs, 0.35)


def test_defaults_learn_carbon_monoxide_from_sensors(real_data):
    path = real_data("air_quality.csv.gz")
    table = pd.read_csv(path, na_values=[-200, -200.0])
    sensors = [name for name in table if name.startswith("PT08")]
    table = table[[*sensors, "T", "RH", "AH", "CO(GT)"]].dropna()
    y = table.pop("CO(GT)")
    first = slice(len(y) * 7 // 10)  # the rest is later
    later = slice(len(y) * 7 // 10, None)
    net = make_pipeline(StandardScaler(), skseq.DenseRegressor(random_state=0))
    net.fit(table[first], y[first])
    assert net.score(table[later], y[later]) > 0.65


# -------------------------------------------------------------------------- other tools


def test_pretrained_gives_the_first_weights(data):
    X, y = data
    autoencoder = skseq.AutoencoderTransformer(
        2, kind="lstm", layer_sizes=4, epochs=1, random_state=0
    )
    net = skseq.LSTMRegressor(4, pooling="last", pretrained=autoencoder, **FAST)
    net.fit(X, y, X_unlabeled=X)
    assert hasattr(net, "pretrained_")
    assert net.score(X, y) > 0.3


def test_tools_for_targets(data, two_targets):
    X, y = data
    table = X.reshape(80, 10)
    net = dense(epochs=30)
    logs = TransformedTargetRegressor(net, func=np.log, inverse_func=np.exp)
    assert logs.fit(X, y).score(X, y) > 0.8
    both = two_targets[1] / [1000, 0.001]  # the chain adds a column of y to X
    for tool in (MultiOutputRegressor(net), RegressorChain(net)):
        fitted = tool.fit(table, both)
        assert fitted.predict(table).shape == (80, 2)
        assert fitted.score(table, both) > 0.7
    stack = StackingRegressor([("net", net), ("ridge", Ridge())], cv=2)
    assert stack.fit(table, y).score(table, y) > 0.9


@pytest.mark.parametrize(
    "scoring", ["r2", "neg_mean_absolute_percentage_error", "d2_absolute_error_score"]
)
def test_searches_by_any_score_in_threads(data, scoring):
    X, y = data
    grid = {"loss__quantile": [0.1, 0.5]}
    search = GridSearchCV(
        dense(loss="quantile"), grid, scoring=scoring, cv=TimeSeriesSplit(2), n_jobs=2,
        error_score="raise",
    )  # fmt: skip
    with joblib.parallel_config("threading"):
        search.fit(X, y)
    assert search.best_params_ == {"loss__quantile": 0.5}


def test_scores_of_splits_by_time(data):
    X, y = data
    scores = cross_validated(
        dense(epochs=40), X, y, cv=TimeSeriesSplit(3), error_score="raise"
    )
    assert scores[-1] > 0.8


def test_clone_and_pickle_keep_all(data):
    X, y = data
    net = dense(loss="huber", loss_params={"delta": 30.0}).fit(X, y)
    assert_array_equal(pickle.loads(pickle.dumps(net)).predict(X), net.predict(X))
    assert_array_equal(clone(net).fit(X, y).predict(X), net.predict(X))
    error = mean_absolute_error(y, net.predict(X))
    assert error < 100
