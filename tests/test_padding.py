"""SequencePadder: lists to padded arrays, and back."""

import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import get_tags

from skseq import SequencePadder, SequenceScaler, _padded

nan = float("nan")
ROWS = [np.array([[1.0, 2]]), np.array([[3.0, 4], [5, 6], [7, 8]])]
ARRAY = np.array(
    [[[1, 2], [nan, nan], [nan, nan]], [[3, 4], [5, 6], [7, 8]]], dtype=float
)


def assert_rows_equal(found, expected):
    assert isinstance(found, list)
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert_array_equal(one, other)


def test_list_is_padded_to_the_longest_row_of_fit():
    padder = SequencePadder()
    assert_array_equal(padder.fit_transform(ROWS), ARRAY)
    assert padder.n_timesteps_ == 3
    assert padder.n_features_in_ == 2
    assert_array_equal(padder.transform(ROWS[:1]), ARRAY[:1])


def test_list_comes_back():
    padder = SequencePadder().fit(ROWS)
    assert_rows_equal(padder.inverse_transform(ARRAY), ROWS)
    assert_rows_equal(padder.inverse_transform(ARRAY[:, :1]), [r[:1] for r in ROWS])


def test_rows_of_any_kind_are_padded():
    objects = np.empty(2, dtype=object)
    objects[:] = ROWS
    for X in (objects, tuple(ROWS), [pd.DataFrame(row) for row in ROWS]):
        assert_array_equal(SequencePadder().fit_transform(X), ARRAY)


def test_padded_array_gets_the_length(monkeypatch):
    monkeypatch.setattr(_padded, "_BLOCK_VALUES", 1)  # a row each
    between = np.insert(ARRAY, 1, nan, axis=1)
    assert_array_equal(SequencePadder().fit_transform(between), ARRAY)
    assert SequencePadder(5).fit_transform(ARRAY).shape == (2, 5, 2)


@pytest.mark.parametrize(
    ("truncate", "last"), [("end", [[3, 4], [5, 6]]), ("start", [[5, 6], [7, 8]])]
)
def test_longer_rows_are_cut(truncate, last):
    padder = SequencePadder(2, truncate=truncate).fit(ROWS)
    expected = np.array([[[1, 2], [nan, nan]], last])
    assert_array_equal(padder.transform(ROWS), expected)
    assert_array_equal(padder.transform(ARRAY), expected)
    # Padding in the array takes no place.
    assert_array_equal(padder.transform(np.insert(ARRAY, 2, nan, axis=1)), expected)


@pytest.mark.parametrize("X", [ROWS, ARRAY])
def test_longer_row_is_named(X):
    message = r"at most n_timesteps_=2 timesteps, got 3 in X\[1\].*truncate='start'"
    with pytest.raises(ValueError, match=message):
        SequencePadder(2).fit(X)
    padder = SequencePadder(2).fit(X[:1])
    with pytest.raises(ValueError, match=message):
        padder.transform(X)


@pytest.mark.parametrize(
    ("dtype", "value", "expected"),
    [
        (np.float32, nan, np.float32),
        (np.int64, nan, np.float64),
        (np.int32, 0, np.int32),
        (np.int8, 1000, np.int32),
        (np.int64, 0.5, np.float64),
    ],
)
def test_array_has_a_dtype_that_holds_rows_and_padding(dtype, value, expected):
    rows = [row.astype(dtype) for row in ROWS]
    padder = SequencePadder(mask_value=value).fit(rows)
    found = padder.transform(rows)
    assert found.dtype == expected
    assert_array_equal(found[0, 1], [value, value])
    assert_rows_equal(padder.inverse_transform(found), rows)


def test_step_like_padding_is_refused():
    with pytest.raises(ValueError, match=r"features of X\[1\] have at timestep 2"):
        SequencePadder(mask_value=0).fit([[[1, 0]], [[1, 1], [0, 1], [0, 0]]])


def test_row_of_padding_alone_is_refused():
    X = np.concatenate([ARRAY, np.full((1, 3, 2), nan)])
    padder = SequencePadder()
    message = "got 1 rows with only mask_value=nan"
    with pytest.raises(ValueError, match=message):
        padder.fit(X)
    with pytest.raises(ValueError, match=message):
        padder.fit(ROWS).inverse_transform(X)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.ones((2, 3)), r"got an array with 2 dim.*SequenceReshaper\(3\)"),
        ([[1.0, 2.0], [1.0]], r"X\[0\] must have the shape .*reshape\(-1, 1\)"),
        ([ROWS[0], ROWS[1][:, :1]], r"X\[1\] must have 2 features"),
        (np.full((2, 3, 2), "a"), "X"),
        (np.ones((2, 3, 2), "M8[D]"), "X must hold numbers, got dtype datetime64"),
    ],
)
def test_other_input_is_refused(X, message):
    with pytest.raises((ValueError, TypeError), match=message):
        SequencePadder().fit(X)


def test_rows_with_other_features_than_in_fit_are_refused():
    padder = SequencePadder().fit(ROWS)
    with pytest.raises(ValueError, match="must have 2 features, as in fit, got 3"):
        padder.transform([np.ones((1, 3)), np.ones((2, 3))])
    with pytest.raises(ValueError, match="expecting 2 features"):
        padder.inverse_transform(np.ones((1, 3, 3)))


def test_fit_that_raises_leaves_the_padder():
    padder = SequencePadder().fit(ROWS)
    with pytest.raises(ValueError, match="dim"):
        padder.fit(np.ones((2, 3)))
    assert_array_equal(padder.transform(ROWS), ARRAY)


def test_padder_before_fit():
    for method in ("transform", "inverse_transform"):
        with pytest.raises(NotFittedError):
            getattr(SequencePadder(), method)(ARRAY)


def test_rows_are_left_as_they_were():
    rows = [row.copy() for row in ROWS]
    padder = SequencePadder()
    X = padder.fit_transform(rows)
    X[:] = 5
    assert_rows_equal(rows, ROWS)
    given = ARRAY.copy()
    padder.transform(given)[:] = 5
    padder.inverse_transform(given)[0][:] = 5
    assert_array_equal(given, ARRAY)


def test_copies_give_the_same(tmp_path):
    padder = SequencePadder(4, mask_value=-1, truncate="end").fit(ROWS)
    assert clone(padder).get_params() == padder.get_params()
    joblib.dump(padder, tmp_path / "padder.joblib")
    for copy in (
        joblib.load(tmp_path / "padder.joblib"),
        pickle.loads(pickle.dumps(padder)),
    ):
        assert_array_equal(copy.transform(ROWS), padder.transform(ROWS))


def test_tags_are_true():
    tags = get_tags(SequencePadder()).input_tags
    assert tags.three_d_array
    assert not tags.two_d_array
    assert tags.allow_nan
    assert not get_tags(SequencePadder(mask_value=0)).input_tags.allow_nan


def test_pipeline_makes_arrays_of_scaled_lists():
    pipeline = make_pipeline(
        SequenceScaler(), SequencePadder(4), FunctionTransformer(np.nan_to_num)
    ).set_output(transform="default")
    found = pipeline.fit_transform(ROWS)
    assert found.shape == (2, 4, 2)
    assert_array_equal(found[0, 1:], 0)
    assert isinstance(SequencePadder().set_output(transform="pandas"), SequencePadder)
