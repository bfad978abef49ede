"""SequenceScaler: one scale a feature at all timesteps, padding left out."""

import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.exceptions import NotFittedError
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


@pytest.mark.parametrize("per_row", ["standardize", "append"])
def test_rows_are_scaled_by_themselves_in_blocks(per_row, tmp_path, monkeypatch):
    X = np.random.default_rng(0).normal(size=(7, 4, 2)).astype(np.float32)
    expected = SequenceScaler(per_row=per_row).fit_transform(X)
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    monkeypatch.setattr(_padded, "_BLOCK_VALUES", 24)  # of three rows
    assert_array_equal(SequenceScaler(per_row=per_row).fit_transform(mapped), expected)


@pytest.mark.parametrize(
    "scaler",
    [
        StandardScaler(copy=False),
        RobustScaler(copy=False),
        PowerTransformer(copy=False),
        make_pipeline(MinMaxScaler(copy=False), StandardScaler(copy=False)),
    ],
)
@pytest.mark.parametrize("per_row", [None, "append"])
def test_scaler_without_copies_leaves_X(scaler, per_row):
    X = np.arange(24.0).reshape(3, 4, 2)
    for given in (X, list(X)):
        SequenceScaler(scaler, per_row=per_row).fit(given).transform(given)
        assert_array_equal(X, np.arange(24.0).reshape(3, 4, 2))


# ------------------------------------------------------------- each row by itself

# A row of 0, 1, 2, and the same a thousand times as large, with one feature.
SIZES = np.array([[[0.0], [1.0], [2.0]], [[0.0], [1000.0], [2000.0]]])
STANDARD = [-np.sqrt(1.5), 0, np.sqrt(1.5)]


def as_they_are():
    """Make a scaler that leaves values as they are."""
    return FunctionTransformer()


def test_rows_are_standardized_by_themselves():
    X = np.concatenate([SIZES, 7 - SIZES], axis=2)  # the second feature falls
    found = SequenceScaler(per_row="standardize").fit_transform(X)
    expected = np.transpose([STANDARD, STANDARD[::-1]])
    assert_allclose(found, [expected] * 2, atol=1e-12)


def test_rows_standardized_as_a_whole_are_appended():
    X = np.concatenate([SIZES, SIZES + [[[3]], [[3000]]]], axis=2)
    scaler = SequenceScaler(as_they_are(), per_row="append").fit(X)
    found = scaler.transform(X)
    assert found.shape == (2, 3, 5)
    assert_allclose(found[:, :, :2], np.arcsinh(X))
    # 0 to 5 have the mean 2.5 and the variance 35 / 12.
    as_a_whole = (np.array([[0, 3], [1, 4], [2, 5]]) - 2.5) / np.sqrt(35 / 12)
    assert_allclose(found[:, :, 2:4], [as_a_whole] * 2)
    assert_allclose(found[:, :, 4], [[-1] * 3, [1] * 3])
    low, high = scaler.log_scale_range_
    assert_allclose(low, np.log(35 / 12) / 2)
    assert_allclose(high - low, np.log(1000))
    assert_allclose(scaler.log_scale_mean_, (low + high) / 2)
    assert_allclose(scaler.log_scale_std_, np.log(1000) / 2)


def test_values_are_scaled_by_median_and_quartiles_before_asinh():
    X = np.array([[[1.0], [2.0], [3.0], [4.0], [5.0]]])  # quartiles 2 and 4
    scaler = SequenceScaler(per_row="append").fit(X)
    assert isinstance(scaler.scaler_, RobustScaler)
    expected = np.arcsinh([-1, -0.5, 0, 0.5, 1])
    assert_allclose(scaler.transform(X)[0, :, 0], expected)


@pytest.mark.parametrize("value", [nan, -7.0])
@pytest.mark.parametrize("per_row", ["standardize", "append"])
def test_padding_is_no_part_of_a_row(per_row, value):
    listed = SequenceScaler(per_row=per_row).fit_transform(ROWS)
    scaler = SequenceScaler(per_row=per_row, mask_value=value)
    found = scaler.fit_transform(padded(value))
    assert_array_equal(found[0, 1:3], listed[0])
    assert_array_equal(found[1, :3], listed[1])
    assert_array_equal(found[0, [0, 3]], np.full((2, found.shape[2]), value))
    assert_array_equal(scaler.transform(ROWS)[1], listed[1])


def test_row_with_one_value_is_zero_at_the_smallest_scale():
    flat = np.full((2, 3, 1), 0.1)
    flat[1, 1] = np.nextafter(0.1, 1)  # as after rounding
    X = np.concatenate([SIZES, flat, 1e30 * flat])
    assert_array_equal(SequenceScaler(per_row="standardize").fit_transform(X)[2:], 0)
    scaler = SequenceScaler(as_they_are(), per_row="append").fit(X)
    found = scaler.transform(X)
    assert_array_equal(found[2:, :, 1], 0)
    assert_array_equal(found[2:, :, 2], np.full((4, 3), found[0, 0, 2]))
    # One row in six has the large scale.
    assert_allclose(found[:2, 0, 2], [-np.sqrt(1 / 5), np.sqrt(5)])


def test_rows_with_one_value_alone_have_no_scale():
    X = np.arange(3.0).reshape(3, 1, 1)  # of a single timestep
    assert_array_equal(SequenceScaler(per_row="standardize").fit_transform(X), 0)
    scaler = SequenceScaler(per_row="append").fit(X)
    assert_allclose(
        scaler.transform(X)[:, 0], np.arcsinh([[-1, 0, 0], [0] * 3, [1, 0, 0]])
    )
    assert_array_equal(scaler.transform(SIZES)[:, :, 2], 0)


@pytest.mark.parametrize("factor", [1e6, 1e-6])
def test_row_of_an_unseen_size_is_moderate(factor):
    scaler = SequenceScaler(per_row="append").fit(SIZES)
    known, found = scaler.transform(SIZES), scaler.transform(factor * SIZES)
    assert abs(found).max() < 25
    assert_allclose(found[:, :, 1], known[:, :, 1], atol=1e-9)
    assert_allclose(found[:, :, 2], np.full((2, 3), np.sign(np.log(factor))))


@pytest.mark.parametrize(
    ("dtype", "large", "small"),
    [(np.float32, 3e38, 1e-44), (np.float64, 1e308, 1e-320)],
)
def test_extreme_values_stay_finite(dtype, large, small):
    X = np.array([[-1, 1, 1], [-large, large, large], [-small, small, small]], dtype)
    expected = np.array([-np.sqrt(2), np.sqrt(0.5), np.sqrt(0.5)])
    found = SequenceScaler(per_row="standardize").fit_transform(X[:, :, None])
    assert_allclose(found[:, :, 0], [expected] * 3, rtol=1e-5)
    scaler = SequenceScaler(per_row="append").fit(X[:, :, None])
    found = scaler.transform(X[:, :, None])
    assert found.dtype == dtype
    assert_allclose(found[0, :, 1], expected, rtol=1e-5)
    assert_allclose(found[1, :, 1], expected, rtol=1e-5)
    few = SequenceScaler(per_row="append").fit(1e-9 * SIZES.astype(dtype))
    found = few.transform(X[:, :, None])
    assert np.isfinite(found).all()
    assert abs(found).max() < 720  # the asinh of the largest number
    assert_allclose(found[:, 0, 2], [1, 1, -1], rtol=1e-6)


def test_rows_of_one_size_have_no_feature_of_rounding_errors():
    X = np.concatenate([SIZES[:1], SIZES[:1] * (1 + 1e-6)])
    found = SequenceScaler(per_row="append").fit_transform(X)
    assert_allclose(found[:, 0, 2], [-5e-5, 5e-5], rtol=1e-3)


@pytest.mark.parametrize("per_row", ["standardize", "append"])
def test_float32_is_scaled_as_float64(per_row):
    X = np.random.default_rng(0).gamma(1, size=(9, 4, 2)).astype(np.float32)
    scaler = SequenceScaler(per_row=per_row)
    found, expected = scaler.fit_transform(X), scaler.fit_transform(X.astype(float))
    assert found.dtype == np.float32
    assert_array_equal(found, expected.astype(np.float32))


def test_log_scale_is_a_static_feature():
    found = SequenceScaler(per_row="append").fit_transform(SIZES)
    assert _padded.count_static(found) == 1


def test_appended_features_of_a_table_come_step_by_step():
    X = np.concatenate([SIZES, SIZES[::-1]], axis=2)
    expected = SequenceScaler(per_row="append").fit_transform(X)
    frame = pd.DataFrame(X.reshape(2, 6), columns=["a1", "b1", "a2", "b2", "a3", "b3"])
    scaler = SequenceScaler(per_row="append", n_timesteps=3).fit(frame)
    found = scaler.transform(frame)
    assert_array_equal(found, expected.reshape(2, 15))
    names = scaler.get_feature_names_out()
    assert names[:5].tolist() == [
        "a1_asinh", "b1_asinh", "a1_row", "b1_row", "log_scale_t-2",
    ]  # fmt: skip
    assert names[-1] == "log_scale_t-0"
    assert len(set(names)) == 15
    assert_allclose(scaler.inverse_transform(found), frame)
    named = pd.DataFrame(found, columns=names)
    assert_allclose(scaler.inverse_transform(named), frame)


def test_appended_features_of_sequences_have_names():
    scaler = SequenceScaler(per_row="append").fit(ROWS)
    expected = ["x0_asinh", "x1_asinh", "x0_row", "x1_row", "log_scale"]
    assert scaler.get_feature_names_out().tolist() == expected
    assert scaler.get_feature_names_out(["u", "v"])[2] == "u_row"
    with pytest.raises(ValueError, match="input_features should have length"):
        scaler.get_feature_names_out(["u"])
    scaler.set_params(per_row="standardize").fit(ROWS)
    assert scaler.get_feature_names_out().tolist() == ["x0", "x1"]


def test_table_needs_n_timesteps_for_appended_features():
    with pytest.raises(ValueError, match="n_timesteps must be set .* 4 if each column"):
        SequenceScaler(per_row="append").fit(np.ones((2, 4)))


@pytest.mark.parametrize("scaler", [None, StandardScaler()])
def test_appended_features_go_back(scaler):
    rows = [1e4 * row for row in ROWS]
    of_lists = SequenceScaler(scaler, per_row="append").fit(rows)
    assert_rows_equal(of_lists.inverse_transform(of_lists.transform(rows)), rows)
    X = 1e4 * padded(nan).astype(np.float32)
    of_arrays = SequenceScaler(scaler, per_row="append", mask_value=nan).fit(X)
    found = of_arrays.inverse_transform(of_arrays.transform(X))
    assert found.dtype == np.float32
    assert_allclose(found, X, rtol=1e-5, atol=0.01)
    with pytest.raises(ValueError, match="X has 2 features, .* is expecting 5"):
        of_arrays.inverse_transform(X)
    assert of_arrays.n_features_in_ == 2


def test_rows_standardized_by_themselves_do_not_go_back():
    scaler = SequenceScaler(per_row="standardize").fit(ROWS)
    assert not hasattr(scaler, "inverse_transform")
    assert hasattr(scaler.set_params(per_row=None), "inverse_transform")
    scaler.set_params(per_row="standardize")
    with pytest.raises(AttributeError) as error:
        scaler.inverse_transform(ROWS)
    assert "mean and scale of a row are lost" in str(error.value.__cause__)


def test_scaler_is_refused_where_rows_are_standardized_by_themselves():
    scaler = SequenceScaler(RobustScaler(), per_row="standardize")
    with pytest.raises(ValueError, match="scaler must be None .*got RobustScaler"):
        scaler.fit(ROWS)


def test_padding_that_appended_features_make_is_refused():
    X = np.array([[[3.0], [3.0], [7.0]]])  # the padding is at the end
    scaler = SequenceScaler(per_row="append", mask_value=0).fit(X)
    X[0, 2] = 0
    with pytest.raises(ValueError, match="mask_value=0, which all features of 2 times"):
        scaler.fit(X).transform(X)


def test_weights_count_for_the_scales_of_rows():
    X = np.concatenate([SIZES, 1e9 * SIZES])
    weighted = SequenceScaler(StandardScaler(), per_row="append")
    weighted.fit(X, sample_weight=[3, 1, 0, 0])
    repeated = SequenceScaler(StandardScaler(), per_row="append")
    repeated.fit(X[[0, 0, 0, 1]])
    assert_allclose(weighted.log_scale_mean_, repeated.log_scale_mean_)
    assert_allclose(weighted.log_scale_std_, repeated.log_scale_std_)
    assert_allclose(weighted.log_scale_range_, repeated.log_scale_range_)


def test_fit_forgets_what_another_per_row_has_learned():
    scaler = SequenceScaler(per_row="append").fit(ROWS)
    assert not hasattr(scaler.set_params(per_row=None).fit(ROWS), "log_scale_mean_")
    assert not hasattr(scaler.set_params(per_row="standardize").fit(ROWS), "scaler_")
    with pytest.raises(NotFittedError):
        scaler.set_params(per_row="append").transform(ROWS)


def test_scaler_of_a_version_without_per_row_is_read():
    scaler = SequenceScaler(MinMaxScaler()).fit(ROWS)
    state = dict(vars(scaler))  # as in files before 0.6
    del state["per_row"]
    old = SequenceScaler.__new__(SequenceScaler)
    old.__setstate__(state)
    assert old.get_params()["per_row"] is None
    assert_rows_equal(old.transform(ROWS), SCALED)


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


@pytest.mark.parametrize("per_row", [None, "append"])
def test_copies_give_the_same(tmp_path, per_row):
    scaler = SequenceScaler(RobustScaler(), per_row=per_row).fit(ROWS)
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


@pytest.mark.parametrize("per_row", [None, "append"])
def test_set_output_gives_arrays_all_the_same(per_row):
    X = np.stack([ROWS[0], ROWS[0] + 1])
    scaler = SequenceScaler(per_row=per_row)
    expected = scaler.fit_transform(X)
    pipeline = make_pipeline(clone(scaler)).set_output(transform="pandas")
    assert_array_equal(pipeline.fit_transform(X), expected)
    with config_context(transform_output="pandas"):
        assert_array_equal(scaler.fit_transform(X), expected)
