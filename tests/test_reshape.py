"""SequenceReshaper: values a person can compute, errors, scikit-learn's contract."""

import pickle
import re
import subprocess
import sys

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse
from numpy.testing import assert_array_equal
from sklearn import config_context
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skseq import SequenceReshaper

STEP = r"(?P<feature>.+)_m(?P<step>-?\d+)"
LAG = r"(?P<feature>.+)_t-(?P<lag>\d+)"
CREDIT = {
    "PAY": ["PAY_6", "PAY_5", "PAY_4", "PAY_3", "PAY_2", "PAY_0"],
    "BILL_AMT": [f"BILL_AMT{i}" for i in range(6, 0, -1)],
    "PAY_AMT": [f"PAY_AMT{i}" for i in range(6, 0, -1)],
}


class LastStep(BaseEstimator):
    """A classifier by the sign of the first feature at the last timestep."""

    def fit(self, X, y):
        self.shape_, self.type_ = X.shape, type(X)
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return self.classes_[(X[:, -1, 0] > 0).astype(int)]

    def score(self, X, y):
        return float(np.mean(self.predict(X) == y))


def state_of(estimator):
    return pickle.dumps(vars(estimator))


# Values


def test_by_count_step_order_keeps_columns_in_place():
    X = np.array([[1, 10, 2, 20, 3, 30], [4, 40, 5, 50, 6, 60]])
    reshaper = SequenceReshaper(n_timesteps=3)
    sequences = reshaper.fit_transform(X)
    assert sequences.tolist() == [
        [[1, 10], [2, 20], [3, 30]],
        [[4, 40], [5, 50], [6, 60]],
    ]
    assert sequences.dtype == X.dtype
    assert reshaper.n_timesteps_ == 3
    assert reshaper.n_features_in_ == 6
    assert reshaper.sequence_features_.tolist() == ["feature0", "feature1"]
    assert_array_equal(reshaper.inverse_transform(sequences), X)


def test_by_count_feature_order_turns_columns():
    X = np.array([[1, 2, 3, 10, 20, 30]])
    reshaper = SequenceReshaper(n_timesteps=3, order="feature")
    sequences = reshaper.fit_transform(X)
    assert sequences.tolist() == [[[1, 10], [2, 20], [3, 30]]]
    assert_array_equal(reshaper.inverse_transform(sequences), X)


def test_no_parameter_makes_each_column_a_timestep():
    sequences = SequenceReshaper().fit_transform([[1.0, 2.0, 3.0]])
    assert sequences.tolist() == [[[1.0], [2.0], [3.0]]]


def test_pattern_with_step_sorts_numbers_and_not_text():
    X = pd.DataFrame([[10, 2, -1, 9]], columns=["a_m10", "a_m2", "a_m-1", "a_m9"])
    reshaper = SequenceReshaper(columns=STEP)
    assert reshaper.fit_transform(X)[0, :, 0].tolist() == [-1, 2, 9, 10]
    assert_array_equal(reshaper.inverse_transform([[[-1], [2], [9], [10]]]), X)


@pytest.mark.parametrize(
    "columns", [LAG, re.compile(LAG.replace("_t", "_T"), re.IGNORECASE)]
)
def test_pattern_with_lag_puts_the_largest_lag_first(columns):
    X = pd.DataFrame(
        [[7, 70, 5, 6, 50, 60]],
        columns=["sales_t-0", "price_t-0", "sales_t-2", "sales_t-1", "price_t-2",
                 "price_t-1"],
    )  # fmt: skip
    reshaper = SequenceReshaper(columns=columns)
    sequences = reshaper.fit_transform(X)
    assert sequences.tolist() == [[[5, 50], [6, 60], [7, 70]]]
    assert reshaper.sequence_features_.tolist() == ["sales", "price"]
    assert_array_equal(reshaper.inverse_transform(sequences), X)


def test_pattern_matches_whole_names_only():
    X = pd.DataFrame([[1, 2, 3]], columns=["a_m1", "a_m2", "a_m2_flag"])
    reshaper = SequenceReshaper(columns=STEP, static="drop").fit(X)
    assert reshaper.transform(X).tolist() == [[[1], [2]]]


def test_mapping_by_name_position_and_none():
    X = pd.DataFrame([[0, 2, 3, 100, 200]], columns=["p0", "p2", "p3", "b1", "b2"])
    columns = {"pay": ["p3", 1, np.int64(0)], "bill": (None, -1, "b1")}
    reshaper = SequenceReshaper(columns=columns, fill_value=-9)
    sequences = reshaper.fit_transform(X)
    assert sequences.tolist() == [[[3, -9], [2, 200], [0, 100]]]
    assert sequences.dtype.kind == "i"
    assert_array_equal(reshaper.inverse_transform(sequences), X)
    assert columns == {"pay": ["p3", 1, 0], "bill": (None, -1, "b1")}


def test_mapping_by_position_takes_an_array_without_names():
    X = np.array([[1.0, 2.0, 3.0, 4.0]])
    columns = {"b": [3, 2], "a": np.array([1, 0])}
    reshaper = SequenceReshaper(columns=columns)
    assert reshaper.fit_transform(X).tolist() == [[[4.0, 2.0], [3.0, 1.0]]]
    assert_array_equal(reshaper.inverse_transform(reshaper.transform(X)), X)


def test_static_repeat_appends_to_every_step():
    X = pd.DataFrame([[9, 1, 2, 8]], columns=["age", "a_m1", "a_m2", "sex"])
    reshaper = SequenceReshaper(columns=STEP)
    sequences = reshaper.fit_transform(X)
    assert sequences.tolist() == [[[1, 9, 8], [2, 9, 8]]]
    assert reshaper.sequence_features_.tolist() == ["a", "age", "sex"]
    assert_array_equal(reshaper.inverse_transform(sequences), X)


def test_inverse_reads_static_at_the_newest_step():
    reshaper = SequenceReshaper(columns={"a": [0, 1]}).fit([[1.0, 2.0, 9.0]])
    assert reshaper.inverse_transform([[[3.0, 5.0], [4.0, 6.0]]]).tolist() == [
        [3, 4, 6]
    ]


def test_static_drop_leaves_out_and_inverse_names_what_is_gone():
    X = pd.DataFrame([[9, 1, 2]], columns=["age", "a_m1", "a_m2"])
    reshaper = SequenceReshaper(columns=STEP, static="drop")
    assert reshaper.fit_transform(X).tolist() == [[[1], [2]]]
    assert reshaper.sequence_features_.tolist() == ["a"]
    with pytest.raises(ValueError, match="static='drop' left out: 'age'"):
        reshaper.inverse_transform([[[1], [2]]])


def test_static_drop_inverts_when_nothing_was_dropped():
    reshaper = SequenceReshaper(columns={"a": [1, 0]}, static="drop").fit([[1, 2]])
    assert reshaper.inverse_transform([[[2], [1]]]).tolist() == [[1, 2]]


def test_static_error_names_the_columns():
    X = pd.DataFrame([[9, 1, 2]], columns=["age", "a_m1", "a_m2"])
    with pytest.raises(ValueError, match="static='error', .* 1 columns of X: 'age'"):
        SequenceReshaper(columns=STEP, static="error").fit(X)
    reshaper = SequenceReshaper(columns=STEP, static="error")
    assert reshaper.fit_transform(X[["a_m1", "a_m2"]]).tolist() == [[[1], [2]]]


@pytest.mark.parametrize("fill_value", [0, 0.5, np.nan])
@pytest.mark.parametrize("order", ["C", "F"])
def test_fill_value_stands_for_a_missing_step(fill_value, order):
    X = np.array([[1, 2, 10], [3, 4, 30]], dtype=np.int64, order=order)
    frame = pd.DataFrame(X, columns=["a_m1", "a_m2", "b_m2"])
    reshaper = SequenceReshaper(columns=STEP, fill_value=fill_value)
    sequences = reshaper.fit_transform(frame)
    assert_array_equal(
        sequences, [[[1, fill_value], [2, 10]], [[3, fill_value], [4, 30]]]
    )
    assert sequences.dtype == (np.int64 if fill_value == 0 else np.float64)
    assert_array_equal(reshaper.inverse_transform(sequences), X)


@pytest.mark.parametrize(
    ("dtype", "fill_value", "expected"),
    [
        (np.float32, 70_000, np.float32),
        (np.float32, 0.1, np.float32),
        (np.float32, 1e300, np.float64),
        (np.int8, 0.1, np.float64),
        (np.int8, -1000, np.int16),
        (np.int32, -1, np.int32),
        (bool, 0, np.uint8),
        (np.int64, 10**30, np.float64),
    ],
)
def test_fill_value_changes_the_dtype_as_little_as_it_must(dtype, fill_value, expected):
    X = np.ones((2, 3), dtype=dtype)
    reshaper = SequenceReshaper(
        columns={"a": [0, 1], "b": [None, 2]}, fill_value=fill_value
    )
    sequences = reshaper.fit_transform(X)
    assert sequences.dtype == expected
    assert_array_equal(sequences[:, 0, 1], np.array(fill_value, dtype=expected))


def test_steps_are_the_union_over_features():
    X = pd.DataFrame([[1, 3, 20, 30]], columns=["a_m1", "a_m3", "b_m2", "b_m3"])
    sequences = SequenceReshaper(columns=STEP, fill_value=0).fit_transform(X)
    assert sequences.tolist() == [[[1, 0], [0, 20], [3, 30]]]


@pytest.mark.parametrize(
    ("columns", "n_columns"),
    [(None, 6), ({"a": [5, 0, 3], "b": [1, None, 2]}, 6)],
)
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64, np.int8, bool])
def test_memory_order_and_blocks_change_no_value(
    monkeypatch, columns, n_columns, dtype
):
    monkeypatch.setattr("skseq._reshape._BLOCK_ROWS", 7)
    X = np.random.default_rng(0).integers(0, 100, (50, n_columns)).astype(dtype)
    reshaper = SequenceReshaper(
        columns=columns, fill_value=None if columns is None else 0
    )
    expected = reshaper.fit_transform(X)
    if columns is None:
        assert_array_equal(expected, X[:, :, np.newaxis])
    else:
        assert_array_equal(expected[:, :, 0], X[:, [5, 0, 3]])
        assert_array_equal(expected[:, :, 1], X[:, [1, 0, 2]] * np.array([1, 0, 1]))
        assert_array_equal(expected[:, :, 2], X[:, [4, 4, 4]])
    wide = np.repeat(X, 2, axis=1)
    for other in (np.asfortranarray(X), wide[:, ::2], X[::-1][::-1]):
        got = reshaper.transform(other)
        assert_array_equal(got, expected)
        assert got.dtype == expected.dtype
        order = "F" if other.flags.f_contiguous else "C"
        assert got.reshape(50, -1).flags[f"{order}_CONTIGUOUS"]
        assert_array_equal(reshaper.inverse_transform(np.asfortranarray(got)), X)


@pytest.mark.parametrize("params", [{}, {"columns": {"a": [1, 0]}}])
def test_transform_and_inverse_never_share_memory_with_x(params):
    X = np.array([[1.0, 2.0], [3.0, 4.0]])
    reshaper = SequenceReshaper(**params)
    for sequences in (reshaper.fit_transform(X), reshaper.transform(X)):
        sequences[:] = 0
        assert X.tolist() == [[1.0, 2.0], [3.0, 4.0]]
    reshaper.inverse_transform(sequences)[:] = 1
    assert not sequences.any()


def test_nan_stays_where_it_is():
    X = np.array([[np.nan, 1.0, 2.0, np.nan]])
    reshaper = SequenceReshaper(n_timesteps=2)
    sequences = reshaper.fit_transform(X)
    assert_array_equal(sequences, [[[np.nan, 1.0], [2.0, np.nan]]])
    assert_array_equal(reshaper.inverse_transform(sequences), X)


# Names and frames


def test_feature_names_out_are_flattened_step_by_step():
    X = pd.DataFrame([[9, 1, 2, 3]], columns=["age", "a_m1", "a_m2", "a_m3"])
    reshaper = SequenceReshaper(columns=STEP).fit(X)
    names = reshaper.get_feature_names_out()
    assert names.tolist() == [
        "a_t-2",
        "age_t-2",
        "a_t-1",
        "age_t-1",
        "a_t-0",
        "age_t-0",
    ]
    assert names.dtype == object
    assert reshaper.feature_names_in_.tolist() == list(X.columns)
    assert_array_equal(reshaper.get_feature_names_out(X.columns), names)
    with pytest.raises(ValueError, match="not equal to feature_names_in_"):
        reshaper.get_feature_names_out(["age", "a_m1", "a_m2", "b"])


def test_feature_names_out_by_count_and_with_given_static_names():
    X = np.ones((2, 3))
    reshaper = SequenceReshaper(columns={"a": [0, 1]}).fit(X)
    assert not hasattr(reshaper, "feature_names_in_")
    assert reshaper.get_feature_names_out().tolist() == [
        "a_t-1", "x2_t-1", "a_t-0", "x2_t-0",
    ]  # fmt: skip
    assert reshaper.get_feature_names_out(["p", "q", "age"]).tolist() == [
        "a_t-1", "age_t-1", "a_t-0", "age_t-0",
    ]  # fmt: skip
    with pytest.raises(ValueError, match=r"should have length .* \(3\), got 2"):
        reshaper.get_feature_names_out(["p", "q"])
    by_count = SequenceReshaper(n_timesteps=3).fit(X)
    assert by_count.get_feature_names_out().tolist() == [
        "feature0_t-2", "feature0_t-1", "feature0_t-0",
    ]  # fmt: skip


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_frames_give_names_and_are_held_to_them(frame):
    X = frame({"a_m2": [2.0, 4.0], "a_m1": [1.0, 3.0]})
    reshaper = SequenceReshaper(columns=STEP).fit(X)
    assert reshaper.transform(X).tolist() == [[[1.0], [2.0]], [[3.0], [4.0]]]
    with pytest.raises(ValueError, match="must be in the same order"):
        reshaper.transform(X[["a_m1", "a_m2"]])
    with pytest.raises(ValueError, match="unseen at fit time:\n- b"):
        reshaper.transform(frame({"a_m2": [2.0], "b": [1.0]}))
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        reshaper.transform(np.ones((1, 2)))


def test_frame_of_several_dtypes_gets_the_common_one():
    X = pd.DataFrame({"a_m1": [1, 2], "a_m2": [0.5, 1.5], "flag": [True, False]})
    sequences = SequenceReshaper(columns=STEP).fit_transform(X)
    assert sequences.tolist() == [[[1, 1], [0.5, 1]], [[2, 0], [1.5, 0]]]
    assert sequences.dtype == np.float64


def test_pandas_missing_values_become_nan():
    X = pd.DataFrame({"a_m1": pd.array([1, None], "Int64"), "a_m2": [3, 4]})
    sequences = SequenceReshaper(columns=STEP).fit_transform(X)
    assert_array_equal(sequences, [[[1.0], [3.0]], [[np.nan], [4.0]]])


def test_fit_on_an_array_forgets_the_names_of_a_frame():
    reshaper = SequenceReshaper().fit(pd.DataFrame({"a": [1], "b": [2]}))
    reshaper.fit(np.ones((1, 3)))
    assert not hasattr(reshaper, "feature_names_in_")
    assert reshaper.n_timesteps_ == 3


@pytest.mark.parametrize("container", ["pandas", "polars"])
def test_set_output_of_a_pipeline_stops_at_the_reshaper(container):
    X = pd.DataFrame({"a_m2": [2.0, -4.0, 5.0], "a_m1": [1.0, 3.0, 0.0]})
    y = np.array(["up", "down", "up"])
    model = make_pipeline(StandardScaler(), SequenceReshaper(columns=STEP), LastStep())
    model.set_output(transform=container)
    assert model.fit(X, y)[-1].type_ is np.ndarray
    assert model[-1].shape_ == (3, 2, 1)
    assert model.predict(X).tolist() == ["up", "down", "up"]
    assert type(model[:-1].transform(X)) is np.ndarray
    reshaper = SequenceReshaper()
    assert reshaper.set_output(transform=container) is reshaper
    assert type(reshaper.fit_transform(X)) is np.ndarray
    with config_context(transform_output=container):
        assert type(reshaper.fit_transform(X)) is np.ndarray
        assert type(reshaper.transform(X)) is np.ndarray


def test_grid_search_sets_parameters_through_a_pipeline():
    X = np.array([[1.0, -1.0, 1.0, -1.0]] * 3 + [[-1.0, 1.0, -1.0, 1.0]] * 3)
    y = np.array([0, 0, 0, 1, 1, 1])
    model = make_pipeline(SequenceReshaper(), LastStep())
    columns = [{"a": [0, 1]}, {"a": [1, 2]}]
    grid = GridSearchCV(model, {"sequencereshaper__columns": columns}, cv=3)
    grid.fit(X[[0, 3, 1, 4, 2, 5]], y[[0, 3, 1, 4, 2, 5]])
    assert grid.best_params_ == {"sequencereshaper__columns": columns[0]}
    assert grid.best_score_ == 1.0
    assert grid.cv_results_["mean_test_score"].tolist() == [1.0, 0.0]


# Persistence and state


@pytest.mark.parametrize("columns", [LAG, re.compile(LAG)])
def test_joblib_round_trip_gives_the_same_sequences(tmp_path, columns):
    X = pd.DataFrame({"a_t-0": [2, 4], "a_t-1": [1, 3], "age": [8, 9]})
    reshaper = SequenceReshaper(columns=columns).fit(X)
    joblib.dump(reshaper, tmp_path / "reshaper.joblib")
    loaded = joblib.load(tmp_path / "reshaper.joblib")
    assert_array_equal(loaded.transform(X), reshaper.transform(X))
    assert_array_equal(loaded.inverse_transform(loaded.transform(X)), X)
    assert loaded.get_params() == reshaper.get_params()
    assert clone(loaded).get_params() == reshaper.get_params()


def test_reshaper_imports_no_tensorflow():
    code = (
        "import sys; from skseq import SequenceReshaper;"
        "SequenceReshaper().fit([[1.]]);"
        "print(sorted({'tensorflow', 'keras', 'scikeras'} & set(sys.modules)))"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert shown.stdout.strip() == "[]"


GOOD = pd.DataFrame({"a_m1": [1.0, 2.0], "a_m2": [3.0, 4.0], "age": [5.0, 6.0]})


def renamed(*names):
    return pd.DataFrame(np.ones((2, len(names))), columns=list(names))


BAD_FITS = {
    "divide": ({"n_timesteps": 2}, GOOD, ValueError, "n_timesteps=2 must divide .* 3"),
    "zero": ({"n_timesteps": 0}, GOOD, ValueError, "'n_timesteps' .* Got 0"),
    "float": ({"n_timesteps": 1.0}, GOOD, ValueError, "'n_timesteps' .* Got 1.0"),
    "order": ({"order": "time"}, GOOD, ValueError, "'order' .* Got 'time'"),
    "order-columns": (
        {"order": "feature", "columns": STEP}, GOOD, ValueError,
        "order must be 'step' together with columns, got 'feature'",
    ),
    "static": ({"static": "keep"}, GOOD, ValueError, "'static' .* Got 'keep'"),
    "static-error": (
        {"columns": STEP, "static": "error"}, GOOD, ValueError, "static='error'.*'age'",
    ),
    "fill": ({"fill_value": "0"}, GOOD, ValueError, "'fill_value' .* Got '0'"),
    "fill-inf": ({"fill_value": np.inf}, GOOD, ValueError, "'fill_value' .* Got inf"),
    "list": ({"columns": ["a_m1"]}, GOOD, TypeError, r"got a list: \['a_m1'\]"),
    "agree": (
        {"n_timesteps": 3, "columns": STEP}, GOOD, ValueError,
        "n_timesteps=3 does not agree with columns, which gives 2",
    ),
    "regex": ({"columns": "(a"}, GOOD, ValueError, "columns must be a valid .* '\\(a'"),
    "bytes": ({"columns": re.compile(b"a")}, GOOD, TypeError, "columns .* over bytes"),
    "groups": (
        {"columns": r"(?P<name>.+)_m(?P<step>\d)"}, GOOD, ValueError,
        r"columns must have the named group 'feature' .* \['name', 'step'\]",
    ),
    "both": (
        {"columns": r"(?P<feature>.+)_m(?P<step>\d)(?P<lag>\d)"}, GOOD, ValueError,
        "columns must have .* one of 'step'",
    ),
    "no-number": (
        {"columns": "(?P<feature>.+)_(?P<step>.+)"}, GOOD, ValueError,
        "columns: the group 'step' must match an integer .*'m1'.*'a_m1'",
    ),
    "optional": (
        {"columns": r"(?P<feature>age|a)(_m(?P<step>\d+))?"}, GOOD, ValueError,
        "must match an integer .* step=None and feature='age'",
    ),
    "no-names": (
        {"columns": STEP}, GOOD.to_numpy(), ValueError,
        "columns .* X has no column names",
    ),
    "names-of-a-pipeline": (
        {"columns": STEP}, GOOD.to_numpy(), ValueError,
        r"in a pipeline by set_output\(transform='pandas'\) on the steps before",
    ),
    "number-names": (
        {"columns": STEP}, pd.DataFrame(np.ones((2, 2))), ValueError,
        "columns .* X has no column names",
    ),
    "none-match": (
        {"columns": r"(?P<feature>b)_m(?P<step>\d)"}, GOOD, ValueError,
        "columns=.* must match .* none among 'a_m1', 'a_m2', 'age'",
    ),
    "none-match-with-prefix": (
        {"columns": r"(?P<feature>a)_m(?P<step>\d)"}, GOOD.add_prefix("scale__"),
        ValueError, r"none among 'scale__a_m1'.*verbose_feature_names_out=False",
    ),
    "same-step": (
        {"columns": STEP}, renamed("a_m1", "a_m01"), ValueError,
        "'a' must have one column for step 1, got two: 'a_m1' and 'a_m01'",
    ),
    "same-lag": (
        {"columns": LAG}, renamed("a_t-1", "a_t-01"), ValueError,
        "columns: feature 'a' must have one column for lag 1, got two",
    ),
    "lacks-step": (
        {"columns": STEP}, renamed("a_m1", "a_m2", "a_m3", "b_m2"), ValueError,
        "columns: feature 'b' .* lacks step 1, 3. .*fill_value",
    ),
    "lacks-lag": (
        {"columns": LAG}, renamed("a_t-1", "a_t-2", "b_t-1"), ValueError,
        "columns: feature 'b' .* lacks lag 2",
    ),
    "static-name": (
        {"columns": STEP}, renamed("a_m1", "a_m2", "a"), ValueError,
        "columns: the features 'a' have the name of a column",
    ),
    "empty": ({"columns": {}}, GOOD, ValueError, "columns must map at least one"),
    "key": ({"columns": {1: ["a_m1"]}}, GOOD, TypeError, "columns must have .* got 1"),
    "string": (
        {"columns": {"a": "a_m1"}}, GOOD, TypeError,
        "columns: feature 'a' must have a list of columns, .* 'a_m1'",
    ),
    "set": ({"columns": {"a": {"a_m1", "a_m2"}}}, GOOD, TypeError, "columns: .* list"),
    "kind": (
        {"columns": {"a": ["a_m1", 1.0]}}, GOOD, TypeError, "feature 'a' .* got 1.0",
    ),
    "bool": ({"columns": {"a": [True]}}, GOOD, TypeError, "feature 'a' .* got True"),
    "unknown": (
        {"columns": {"a": ["a_m1", "a_n2"]}}, GOOD, ValueError,
        "columns: feature 'a' names the column 'a_n2', .* Did you mean 'a_m2'",
    ),
    "unknown-with-prefix": (
        {"columns": {"a": ["a_m1", "a_m2"]}}, GOOD.add_prefix("scale__"), ValueError,
        "names the column 'a_m1', .*verbose_feature_names_out=False",
    ),
    "names-array": (
        {"columns": {"a": ["a_m1"]}}, GOOD.to_numpy(), ValueError,
        "columns: feature 'a' names the column 'a_m1', but X has no column names",
    ),
    "ambiguous": (  # scikit-learn itself refuses the frame from some version on
        {"columns": {"a": ["a"]}}, renamed("a", "a"), ValueError,
        "column 'a', which X has 2 times|unique column names.*\n.*'a' 2 times",
    ),
    "position": (
        {"columns": {"a": [0, 3]}}, GOOD, ValueError,
        "columns: feature 'a' must have positions from 0 to 2, .* got 3",
    ),
    "twice": (
        {"columns": {"a": ["a_m1", "a_m2"], "b": ["age", -3]}}, GOOD, ValueError,
        "columns must use a column once, got -3 for feature 'b' and .* feature 'a'",
    ),
    "lengths": (
        {"columns": {"a": ["a_m1", "a_m2"], "b": ["age"]}}, GOOD, ValueError,
        "columns must list as many columns for each feature, got 'a': 2, 'b': 1",
    ),
    "only-none": (
        {"columns": {"a": ["a_m1"], "b": [None]}, "fill_value": 0}, GOOD, ValueError,
        "columns: feature 'b' must have at least one column",
    ),
    "none-unfilled": (
        {"columns": {"a": ["a_m1", "a_m2"], "b": [None, "age"]}}, GOOD, ValueError,
        "columns: feature 'b' .* lacks step 0. .*fill_value",
    ),
    "infinity": ({}, GOOD.replace(1.0, np.inf), ValueError, "X contains infinity"),
    "infinities": (
        {}, np.array([[np.inf, -np.inf]], "f2"), ValueError, "X contains infinity",
    ),
    "1d": ({}, np.ones(3), ValueError, "Expected 2D array, got 1D"),
    "3d": ({}, np.ones((2, 2, 2)), ValueError, "dim 3"),
    "no-rows": ({}, np.ones((0, 3)), ValueError, "0 sample"),
    "no-columns": ({}, np.ones((3, 0)), ValueError, r"0 feature\(s\)"),
    "sparse": (
        {}, scipy.sparse.csr_array(np.eye(3)), TypeError,
        r"X must be dense, got a sparse csr_array.*OneHotEncoder\(sparse_output=False",
    ),
    "text": ({}, [["a", "b"]], ValueError, "X must hold numbers, got 'a'"),
    "text-column": (
        {}, GOOD.assign(age="old"), ValueError,
        r"X must hold numbers, got column 'age' of dtype \w+\. .*OneHotEncoder",
    ),
    "date-column": (
        {}, GOOD.assign(age=pd.Timestamp("2020-01-02")), ValueError,
        "X must hold numbers, got column 'age' of dtype datetime64.*days since",
    ),
    "complex": ({}, np.ones((2, 2), dtype=complex), ValueError, "Complex data"),
    "dates": (
        {}, np.zeros((2, 2), dtype="datetime64[s]"), TypeError, "X must hold numbers",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD_FITS)
@pytest.mark.parametrize("method", ["fit", "fit_transform"])
def test_fit_refuses_bad_input_and_changes_nothing(case, method):
    params, X, error, message = BAD_FITS[case]
    fresh = SequenceReshaper(**params)
    before = state_of(fresh)
    with pytest.raises(error, match=message):
        getattr(fresh, method)(X)
    assert state_of(fresh) == before

    fitted = SequenceReshaper(columns=STEP).fit(GOOD)
    sequences = fitted.transform(GOOD)
    fitted.set_params(**{**SequenceReshaper().get_params(), **params})
    before = state_of(fitted)
    with pytest.raises(error, match=message):
        getattr(fitted, method)(X)
    assert state_of(fitted) == before
    assert_array_equal(fitted.transform(GOOD), sequences)


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        (GOOD.to_numpy()[:, :2], ValueError, "2 features, .* expecting 3 features"),
        (GOOD.to_numpy() * np.inf, ValueError, "X contains infinity"),
        (scipy.sparse.csr_array(np.eye(3)), TypeError, "[Ss]parse"),
        (np.ones((0, 3)), ValueError, "0 sample"),
        (np.full((1, 3), "a"), ValueError, "X must hold numbers, got 'a'"),
    ],
)
def test_transform_refuses_bad_tables(X, error, message):
    reshaper = SequenceReshaper(columns={"a": [0, 1]}).fit(GOOD.to_numpy())
    before = state_of(reshaper)
    with pytest.raises(error, match=message):
        reshaper.transform(X)
    assert state_of(reshaper) == before


def test_transform_finds_infinity_in_a_later_block(monkeypatch):
    monkeypatch.setattr("skseq._reshape._BLOCK_ROWS", 4)
    X = np.ones((10, 2))
    reshaper = SequenceReshaper().fit(X)
    X[9, 1] = -np.inf
    with pytest.raises(ValueError, match="X contains infinity"):
        reshaper.transform(X)


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        (
            np.ones((2, 4)),
            ValueError,
            r"n_timesteps=2.*got \(2, 4\).*reshape\(-1, 2, 2\)",
        ),
        (np.ones(4), ValueError, r"n_timesteps=2, n_features=2\).*got \(4,\)"),
        (np.ones((2, 2, 3)), ValueError, r"n_features=2\).*got \(2, 2, 3\)"),
        (np.ones((2, 3, 2)), ValueError, r"n_timesteps=2.*got \(2, 3, 2\)"),
        (np.ones((2, 2, 2, 1)), ValueError, r"got \(2, 2, 2, 1\)"),
        (np.full((2, 2, 2), np.inf), ValueError, "X contains infinity"),
        (scipy.sparse.csr_array(np.eye(4)), TypeError, "[Ss]parse"),
        (np.full((1, 2, 2), "a"), ValueError, "X must hold numbers, got 'a'"),
    ],
)
def test_inverse_refuses_other_shapes_and_kinds(X, error, message):
    reshaper = SequenceReshaper(columns={"a": [0, 1]}).fit(GOOD.to_numpy())
    with pytest.raises(error, match=message):
        reshaper.inverse_transform(X)


def test_methods_need_fit_first():
    for call in (
        lambda: SequenceReshaper().transform(GOOD),
        lambda: SequenceReshaper().inverse_transform(np.ones((1, 2, 1))),
        lambda: SequenceReshaper().get_feature_names_out(),
    ):
        with pytest.raises(NotFittedError, match="SequenceReshaper"):
            call()


def test_parameters_set_after_fit_change_nothing_before_the_next_fit():
    reshaper = SequenceReshaper(
        columns={"a": [0, 1], "b": [None, 2]}, fill_value=7.0
    ).fit(GOOD.to_numpy())
    before = reshaper.transform(GOOD.to_numpy())
    reshaper.set_params(columns=None, fill_value=0.0, static="drop")
    assert_array_equal(reshaper.transform(GOOD.to_numpy()), before)
    assert before[:, 0, 1].tolist() == [7.0, 7.0]


# Real data


def test_credit_table_becomes_six_months_oldest_first(real_data):
    table = pd.read_csv(real_data("credit_default.csv.gz"))
    X = table.drop(columns="default_payment_next_month")
    reshaper = SequenceReshaper(columns=CREDIT)
    sequences = reshaper.fit_transform(X)
    assert sequences.shape == (len(X), 6, 8)
    assert reshaper.sequence_features_.tolist() == [
        *("PAY", "BILL_AMT", "PAY_AMT"),
        *("LIMIT_BAL", "SEX", "EDUCATION", "MARRIAGE", "AGE"),
    ]
    # The first customer: PAY_0 .. PAY_6 are 2, 2, -1, -1, -2, -2.
    assert sequences[0, :, 0].tolist() == [-2, -2, -1, -1, 2, 2]
    assert sequences[0, :, 1].tolist() == [0, 0, 0, 689, 3102, 3913]
    assert sequences[0, :, 2].tolist() == [0, 0, 0, 0, 689, 0]
    assert sequences[0, 5, 3:].tolist() == [20000, 2, 2, 1, 24]
    assert_array_equal(sequences[:, 5, 1], X["BILL_AMT1"])
    assert_array_equal(sequences[:, 0, 4], X["SEX"])
    assert_array_equal(reshaper.inverse_transform(sequences), X.to_numpy())


def test_credit_table_by_pattern_agrees_with_the_mapping(real_data):
    table = pd.read_csv(real_data("credit_default.csv.gz"))
    X = table.drop(columns="default_payment_next_month").rename(
        columns={"PAY_0": "PAY_1"}
    )
    pattern = r"(?P<feature>PAY|BILL_AMT|PAY_AMT)_?(?P<lag>[1-6])"
    mapping = {**CREDIT, "PAY": [f"PAY_{i}" for i in range(6, 0, -1)]}
    by_pattern = SequenceReshaper(columns=pattern, n_timesteps=6).fit(X)
    by_mapping = SequenceReshaper(columns=mapping).fit(X)
    assert by_pattern.sequence_features_.tolist()[:3] == list(CREDIT)
    assert_array_equal(by_pattern.transform(X), by_mapping.transform(X))
