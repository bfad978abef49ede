"""SequenceScaler: one scale a feature at all timesteps, padding left out."""

import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    PolynomialFeatures,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)

from skseq import SequenceScaler, _padded

nan = float("nan")

# The first feature is 0 to 4, the second 10 to 50.
ROWS = [
    np.array([[0.0, 10], [1, 20]]),
    np.array([[2.0, 30], [3, 40], [4, 50]]),
]
SCALED = [
    np.array([[0.0, 0.0], [0.25, 0.25]]),
    np.array([[0.5, 0.5], [0.75, 0.75], [1.0, 1.0]]),
]


class LastLevel(ClassifierMixin, BaseEstimator):
    """A classifier by the sign of the first feature at the last timestep."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.array([int(row[-1, 0] > 0) for row in X])


def assert_rows_equal(found, expected):
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert_allclose(one, other)


def padded(value):
    X = np.full((2, 4, 2), value)
    X[0, 1:3], X[1, :3] = ROWS  # also before a row
    return X


# ----------------------------------------------------------------------- the values


def test_list_is_scaled_by_the_steps_of_all_rows():
    scaler = SequenceScaler(MinMaxScaler()).fit(ROWS)
    assert scaler.scaler_.data_max_.tolist() == [4, 50]
    assert_rows_equal(scaler.transform(ROWS), SCALED)
    assert_rows_equal(scaler.inverse_transform(SCALED), ROWS)
    assert scaler.n_features_in_ == 2
    assert scaler.n_timesteps_in_ == 3


@pytest.mark.parametrize("value", [nan, -7.0])
def test_padding_is_left_out_and_remains(value):
    scaler = SequenceScaler(MinMaxScaler(), mask_value=value)
    X = padded(value)
    scaled = scaler.fit_transform(X)
    expected = X.copy()
    expected[0, 1:3], expected[1, :3] = SCALED
    assert_array_equal(scaled, expected)
    assert_allclose(scaler.inverse_transform(scaled), X)


def test_array_is_scaled_as_its_flattened_timesteps(monkeypatch):
    X = np.random.default_rng(0).normal(5, 3, size=(20, 4, 3)).astype(np.float32)
    flat = StandardScaler().fit(X.reshape(-1, 3))
    expected = flat.transform(X.reshape(-1, 3)).reshape(X.shape)
    assert_array_equal(SequenceScaler().fit_transform(X), expected)
    monkeypatch.setattr(_padded, "_BLOCK_VALUES", 36)  # of three rows
    in_blocks = SequenceScaler().fit(X)
    assert in_blocks.scaler_.n_samples_seen_ == 80
    assert_allclose(in_blocks.transform(X), expected, rtol=1e-5)
    assert_rows_equal(SequenceScaler().fit(list(X)).transform(list(X)), expected)


def test_table_is_folded_to_timesteps():
    table = np.array([[0.0, 10, 1, 20], [2, 30, 4, 50]])
    scaler = SequenceScaler(MinMaxScaler(), n_timesteps=2)
    expected = [[0, 0, 0.25, 0.25], [0.5, 0.5, 1, 1]]
    assert scaler.fit_transform(table).tolist() == expected
    assert scaler.n_features_in_ == 4
    assert scaler.n_timesteps_in_ == 2
    frame = pd.DataFrame(table, columns=list("abcd"))
    assert scaler.fit_transform(frame).tolist() == expected
    assert scaler.get_feature_names_out().tolist() == list("abcd")


def test_table_without_n_timesteps_has_one_scale():
    found = SequenceScaler(MinMaxScaler()).fit_transform([[0.0, 2], [3, 4]])
    assert found.tolist() == [[0, 0.5], [0.75, 1]]


SCALERS = [
    None,
    MaxAbsScaler(),
    RobustScaler(),
    PowerTransformer(),
    QuantileTransformer(n_quantiles=4),
    make_pipeline(RobustScaler(), MinMaxScaler()),
]


@pytest.mark.parametrize("scaler", SCALERS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_any_scaler_gives_the_same_for_lists_and_arrays(scaler, dtype):
    rng = np.random.default_rng(0)
    X = rng.gamma(2, size=(8, 5, 2)).astype(dtype)
    X[:4, 3:] = nan
    rows = [row[:3] for row in X[:4]] + list(X[4:])
    of_arrays = SequenceScaler(scaler, mask_value=nan).fit(X)
    of_lists = SequenceScaler(scaler).fit(rows)
    scaled, listed = of_arrays.transform(X), of_lists.transform(rows)
    assert {scaled.dtype, *(row.dtype for row in listed)} == {np.dtype(dtype)}
    assert_rows_equal(
        [row[: len(one)] for row, one in zip(scaled, rows, strict=True)], listed
    )
    assert np.isnan(scaled[:4, 3:]).all()
    # What was fitted on one takes the other.
    assert_rows_equal(of_arrays.transform(rows), listed)
    back = of_arrays.inverse_transform(scaled)
    assert_allclose(back, X, rtol=1e-3, atol=1e-4)


def test_integers_are_scaled_as_float64():
    (row,) = SequenceScaler(MinMaxScaler()).fit_transform([np.array([[1], [3]])])
    assert row.dtype == np.float64
    assert row.tolist() == [[0.0], [1.0]]


# --------------------------------------------------------------------- what X may be


def test_result_is_of_the_kind_of_X():
    objects = np.empty(2, dtype=object)
    objects[:] = ROWS
    scaler = SequenceScaler().fit(objects)
    found = scaler.transform(objects)
    assert found.shape == (2,)
    assert found.dtype == object
    of_one_length = scaler.transform(objects[[0, 0]])
    assert of_one_length.shape == (2,)
    assert isinstance(scaler.transform(tuple(ROWS)), list)
    assert_rows_equal(found, scaler.transform(ROWS))


def test_array_may_have_another_length_than_in_fit():
    scaler = SequenceScaler(MinMaxScaler()).fit(ROWS[1][None])
    assert scaler.transform(np.array([[[2.0, 50]]])).tolist() == [[[0, 1]]]
    with pytest.raises(ValueError, match="3 features, but SequenceScaler is expecting"):
        scaler.transform(np.ones((1, 3, 3)))


@pytest.mark.parametrize("scaler", [None, RobustScaler()])
def test_memmap_is_read_and_left(scaler, tmp_path):
    X = np.arange(24, dtype=np.float32).reshape(3, 4, 2)
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    found = SequenceScaler(scaler).fit_transform(mapped)
    assert type(found) is np.ndarray
    assert_array_equal(found, SequenceScaler(scaler).fit_transform(X))


@pytest.mark.parametrize(
    "scaler",
    [
        StandardScaler(copy=False),
        RobustScaler(copy=False),
        PowerTransformer(copy=False),
        make_pipeline(MinMaxScaler(copy=False), StandardScaler(copy=False)),
    ],
)
def test_scaler_without_copies_leaves_X(scaler):
    X = np.arange(24.0).reshape(3, 4, 2)
    for given in (X, list(X)):
        SequenceScaler(scaler).fit(given).transform(given)
        assert_array_equal(X, np.arange(24.0).reshape(3, 4, 2))


# ------------------------------------------------------------------------- weights


def test_weights_count_for_all_steps_of_a_row(monkeypatch):
    monkeypatch.setattr(_padded, "_BLOCK_VALUES", 1)  # a row each
    X = [*ROWS, np.full((9, 2), 1e3)]
    weighted = SequenceScaler().fit(X, sample_weight=[3, 1, 0])
    repeated = SequenceScaler().fit([ROWS[0]] * 3 + [ROWS[1]])
    assert_allclose(weighted.scaler_.mean_, repeated.scaler_.mean_)
    assert_allclose(weighted.scaler_.scale_, repeated.scaler_.scale_)
    in_array = SequenceScaler(mask_value=nan)
    in_array.fit(padded(nan), sample_weight=[3, 1])
    assert_allclose(in_array.scaler_.mean_, repeated.scaler_.mean_)


def test_weights_by_length_make_rows_count_alike():
    X = [np.array([[0.0]]), np.array([[4.0]] * 3)]
    scaler = SequenceScaler().fit(X, sample_weight=[1, 1 / 3])
    assert_allclose(scaler.scaler_.mean_, [2])


def test_weights_are_refused_by_a_scaler_without_them():
    with pytest.raises(ValueError, match="None with scaler=RobustScaler.*no weights"):
        SequenceScaler(RobustScaler()).fit(ROWS, sample_weight=[1, 2])


def test_weights_have_one_entry_a_row():
    with pytest.raises(ValueError, match="one entry for each of the 2 rows"):
        SequenceScaler().fit(ROWS, sample_weight=[1, 2, 3])


# -------------------------------------------------------------------------- errors


def test_padding_that_scaling_makes_is_refused():
    X = np.array([[[2.0], [4.0], [0.0]]])
    scaler = SequenceScaler(MinMaxScaler(), mask_value=0).fit(X)
    with pytest.raises(ValueError, match="mask_value=0, which all features of 1 times"):
        scaler.transform(X)
    X[X == 0] = nan
    scaler.set_params(mask_value=nan)
    assert_array_equal(scaler.fit_transform(X)[0, :, 0], [0, 1, nan])


def test_step_with_some_nan_is_refused():
    X = padded(nan)
    X[1, 1, 0] = nan
    with pytest.raises(ValueError, match="NaN in some features of a timestep"):
        SequenceScaler(mask_value=nan).fit(X)
    with pytest.raises(ValueError, match=r"X\[0\] must have no missing values"):
        SequenceScaler(mask_value=nan).fit([np.array([[nan, 1.0]])])


@pytest.mark.parametrize(
    ("scaler", "message"),
    [
        (PolynomialFeatures(), "scaler must keep the number of columns, got 6 columns"),
        (FunctionTransformer(lambda X: X[:1]), "scaler must keep"),
    ],
)
def test_transformer_that_is_no_scaler_is_refused(scaler, message):
    with pytest.raises(ValueError, match=message):
        SequenceScaler(scaler).fit_transform(ROWS)


def test_scaler_without_inverse_has_none():
    scaler = SequenceScaler(Normalizer()).fit(ROWS)
    with pytest.raises(AttributeError, match="inverse_transform"):
        scaler.inverse_transform(ROWS)


def test_list_after_a_table_is_refused():
    scaler = SequenceScaler().fit(np.ones((2, 4)))
    with pytest.raises(ValueError, match="2 dimensions.*got a list of rows"):
        scaler.transform(ROWS)


def test_fit_that_raises_leaves_the_scaler():
    scaler = SequenceScaler(MinMaxScaler()).fit(ROWS)
    with pytest.raises(ValueError, match=r"X\[1\] must have 2 features"):
        scaler.fit([np.ones((1, 2)), np.ones((1, 3))])
    assert_rows_equal(scaler.transform(ROWS), SCALED)


# ------------------------------------------------------------------- scikit-learn


def test_parameters_of_the_scaler_are_nested():
    scaler = SequenceScaler(StandardScaler())
    copy = clone(scaler).set_params(scaler__with_mean=False)
    assert copy.get_params()["scaler__with_mean"] is False
    assert scaler.scaler.with_mean
    copy.fit(ROWS)
    assert not hasattr(copy.scaler, "mean_")  # a clone is fitted
    assert_allclose(copy.transform(ROWS)[0][0, 0], 0)


def test_copies_give_the_same(tmp_path):
    scaler = SequenceScaler(RobustScaler()).fit(ROWS)
    joblib.dump(scaler, tmp_path / "scaler.joblib")
    for copy in (
        joblib.load(tmp_path / "scaler.joblib"),
        pickle.loads(pickle.dumps(scaler)),
    ):
        assert_rows_equal(copy.transform(ROWS), scaler.transform(ROWS))


def test_lists_go_through_searches_and_scores():
    rng = np.random.default_rng(0)
    y = np.arange(24) % 2
    X = [rng.normal(100 + 5 * label, 1, (3 + i % 4, 1)) for i, label in enumerate(y)]
    pipeline = make_pipeline(SequenceScaler(), LastLevel())
    assert cross_val_score(pipeline, X, y).mean() > 0.9
    grid = {"sequencescaler__scaler": [StandardScaler(), MaxAbsScaler()]}
    search = GridSearchCV(pipeline, grid, error_score="raise").fit(X, y)
    assert isinstance(search.best_params_["sequencescaler__scaler"], StandardScaler)


def test_set_output_gives_arrays_all_the_same():
    X = np.stack([ROWS[0], ROWS[0] + 1])
    expected = SequenceScaler().fit_transform(X)
    pipeline = make_pipeline(SequenceScaler()).set_output(transform="pandas")
    assert_array_equal(pipeline.fit_transform(X), expected)
    with config_context(transform_output="pandas"):
        assert_array_equal(SequenceScaler().fit_transform(X), expected)
