"""Rows of different lengths: lists, padded arrays, and the way between them."""

import re

import numpy as np
import pandas as pd
import pytest
import scipy.sparse

from skseq import LSTMClassifier, _padded
from skseq._lists import checked_rows, is_list_of_rows
from skseq._padded import PADDING, compacted, lengths, padded, unpadded

nan = float("nan")
SHORT, LONG = np.ones((1, 2)), np.array([[1.0, 2], [3, 4], [5, 6]])


def objects(*rows):
    """Make a 1-D array of objects, also of rows of one length."""
    X = np.empty(len(rows), dtype=object)
    X[:] = rows
    return X


# ------------------------------------------------------------------- what is a list


@pytest.mark.parametrize(
    "X",
    [
        [SHORT, LONG],
        (SHORT, LONG),
        [LONG, LONG],
        [SHORT],
        objects(SHORT, LONG),
        pd.Series([SHORT, LONG]),
        [pd.DataFrame(SHORT), pd.DataFrame(LONG)],
        [[[1, 2]], [[1, 2], [3, 4]]],
        [LONG, None],
        [[1.0, 2.0], [1.0, 2.0, 3.0]],
    ],
)
def test_list_of_rows_is_found(X):
    assert is_list_of_rows(X)


@pytest.mark.parametrize(
    "X",
    [
        np.ones((2, 3, 2)),
        np.ones((2, 3)),
        np.array([[1, None], [2, 3]], dtype=object),
        np.array(["a", "b"], dtype=object),
        [[1.0, 2.0], [3.0, 4.0]],
        [np.ones(2), np.ones(2)],
        pd.DataFrame(LONG),
        [],
        [1.0, 2.0],
        ["ab", "c"],
        "text",
        None,
        scipy.sparse.csr_array(LONG),
    ],
)
def test_tables_arrays_and_other_objects_are_no_list_of_rows(X):
    assert not is_list_of_rows(X)


# ----------------------------------------------------------------------- the checks


def test_checked_rows_are_float_arrays_of_one_dtype():
    rows = checked_rows([LONG, [[7, 8]], pd.DataFrame({"a": [1], "b": [2]})], "X")
    assert [row.dtype for row in rows] == [np.float32] * 3
    np.testing.assert_array_equal(rows[0], LONG)
    np.testing.assert_array_equal(rows[1], [[7, 8]])
    np.testing.assert_array_equal(rows[2], [[1, 2]])


@pytest.mark.parametrize(
    ("dtypes", "asked", "expected"),
    [
        ("ff", [np.float64, np.float32], np.float32),
        ("fd", [np.float64, np.float32], np.float64),
        ("ii", [np.float64, np.float32], np.float64),
        ("ii", None, np.int32),
    ],
)
def test_checked_rows_keep_a_common_dtype(dtypes, asked, expected):
    X = [np.ones((i + 1, 2), dtype) for i, dtype in enumerate(dtypes)]
    assert {row.dtype for row in checked_rows(X, "X", dtype=asked)} == {
        np.dtype(expected)
    }


def test_checked_rows_are_not_copied_where_they_are_right():
    assert checked_rows([LONG], "X", dtype=np.float64)[0] is LONG


@pytest.mark.parametrize(
    ("bad", "error", "message"),
    [
        (np.ones(3), ValueError, "reshape(-1, 1) for rows with one feature"),
        (np.ones((2, 2, 2)), ValueError, "got (2, 2, 2). Each row of a list"),
        (np.ones((0, 2)), ValueError, "got (0, 2). Leave out rows without timesteps"),
        (np.ones((2, 0)), ValueError, "got (2, 0). Leave out"),
        (np.ones((2, 3)), ValueError, "must have 2 features, as X[0], got 3"),
        ([[1, nan]], ValueError, "got NaN in feature 1 of timestep 0. Fill them in"),
        ([[1, 2], [np.inf, 2]], ValueError, "got infinity or a value too large"),
        ([[1, 1e300]], ValueError, "too large for float32 in feature 1 of timestep 0"),
        ([[1, 2], [3]], ValueError, "timesteps with different numbers of features"),
        ([["a", "b"]], ValueError, "must hold numbers, got dtype <U1. Encode"),
        (
            np.array([["2020-01-01"] * 2], "M8[D]"),
            ValueError,
            "got dtype datetime64[D]. Convert it to numbers",
        ),
        (None, ValueError, "must have the shape (n_timesteps, n_features)"),
        (scipy.sparse.csr_array(LONG), TypeError, "must be dense, got a sparse"),
    ],
)
def test_bad_row_is_named_by_its_position(bad, error, message):
    with pytest.raises(error, match=re.escape("X[2]")) as raised:
        checked_rows([LONG, SHORT, bad, SHORT], "X")
    assert message in str(raised.value)


def test_checked_rows_have_the_features_of_fit():
    message = re.escape("X_val[0] must have 3 features, as in fit, got 2")
    with pytest.raises(ValueError, match=message):
        checked_rows([LONG], "X_val", n_features=3)


def test_dataframes_in_a_list_have_the_same_columns():
    frames = [pd.DataFrame(LONG, columns=["a", "b"])]
    frames.append(frames[0][["b", "a"]])
    with pytest.raises(ValueError, match=r"X\[1\] must have the columns .*'a', 'b'"):
        checked_rows(frames, "X")


def test_checked_rows_may_hold_nan_but_no_infinity():
    rows = checked_rows([np.array([[1, nan]])], "X", may_be_nan=True)
    np.testing.assert_array_equal(rows[0], [[1, nan]])
    with pytest.raises(ValueError, match="finite"):
        checked_rows([np.array([[1, np.inf]])], "X", may_be_nan=True)


def test_first_bad_value_is_found_in_a_later_block(monkeypatch):
    monkeypatch.setattr(_padded, "_BLOCK_VALUES", 6)  # of one long row
    X = [LONG, SHORT, np.array([[1, 2], [3, nan]])]
    with pytest.raises(ValueError, match=r"X\[2\].* feature 1 of timestep 1"):
        checked_rows(X, "X")


# ------------------------------------------------------- lists, arrays, and back


def test_padded_array_has_the_value_after_each_row():
    X = padded([SHORT, LONG], value=-1)
    np.testing.assert_array_equal(
        X, [[[1, 1], [-1, -1], [-1, -1]], [[1, 2], [3, 4], [5, 6]]]
    )
    assert X.flags.c_contiguous


def test_padded_array_has_a_length_and_a_dtype():
    X = padded([SHORT], 3, dtype=np.float32)
    assert X.shape == (1, 3, 2)
    assert X.dtype == np.float32
    assert (X[0, 1:] == PADDING).all()


@pytest.mark.parametrize("value", [PADDING, nan, 0.0])
def test_unpadded_rows_are_those_that_were_padded(value):
    rows = unpadded(padded([SHORT, LONG], 5, value=value), value)
    np.testing.assert_array_equal(rows[0], SHORT)
    np.testing.assert_array_equal(rows[1], LONG)


def test_unpadded_row_has_the_steps_between_padding_in_order():
    X = np.array([[[nan, nan], [1, 2], [nan, nan], [3, nan]]])
    np.testing.assert_array_equal(unpadded(X, nan)[0], [[1, 2], [3, nan]])


def test_lengths_are_counted_in_blocks(monkeypatch):
    monkeypatch.setattr(_padded, "_BLOCK_VALUES", 1)
    X = padded([SHORT, LONG, SHORT], 4, value=nan)
    assert lengths(X, nan).tolist() == [1, 3, 1]
    assert lengths(X, None).tolist() == [4, 4, 4]


@pytest.mark.parametrize("n_timesteps", [1, 2, 3, 5])
def test_compacted_rows_begin_with_their_steps(n_timesteps):
    X = np.array([[[0.0], [1], [0], [2]], [[3], [4], [5], [0]]])
    expected = np.array([[1, 2, -1, -1, -1], [3, 4, 5, -1, -1]])[:, :n_timesteps]
    found = compacted(X, 0, -1, n_timesteps)
    np.testing.assert_array_equal(found[:, :, 0], expected)
    # Padding at the end alone takes a shorter way.
    found = compacted(X[1:], 0, -1, n_timesteps)
    np.testing.assert_array_equal(found[:, :, 0], expected[1:])


def test_compacted_rows_without_a_mask_value_are_cut_or_extended():
    X = np.arange(6.0).reshape(1, 3, 2)
    np.testing.assert_array_equal(compacted(X, None, -1, 2), X[:, :2])
    np.testing.assert_array_equal(compacted(X, None, -1, 4)[0, 3], [-1, -1])


def test_float16_rows_have_the_predictions_of_float32():
    rng, y = np.random.default_rng(0), np.arange(12) % 2
    halves = [rng.normal(size=(1 + i % 3, 2)).astype(np.float16) for i in range(12)]
    found, expected = (
        LSTMClassifier(3, epochs=2, random_state=0).fit(X, y).predict_proba(X)
        for X in (halves, [row.astype(np.float32) for row in halves])
    )
    np.testing.assert_array_equal(found, expected)
