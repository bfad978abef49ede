"""Windows over series and panels, as arrays and in networks."""

import pickle
from datetime import date, timedelta
from functools import partial

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from estimators import make
from skseq import (
    DenseClassifier,
    DenseRegressor,
    LSTMClassifier,
    SequenceScaler,
    WindowTransformer,
    make_windows,
)
from skseq._padded import PADDING
from skseq._window_array import as_rows

NAN = np.nan


def values(windows):
    """Get the first feature of all windows as nested lists."""
    return np.asarray(windows)[:, :, 0].tolist()


@pytest.fixture
def panel():
    """Make a panel of two machines, in no order, with a label."""
    return pd.DataFrame(
        {
            "machine": ["b", "a", "a", "b", "a", "b"],
            "hour": [1, 2, 1, 2, 3, 4],
            "heat": [50.0, 20, 10, 60, 30, 80],
            "flow": [5.0, 2, 1, 6, 3, 8],
            "fails": [0, 1, 0, 0, 1, 1],
        }
    )


@pytest.fixture
def random_panel():
    """Make a long panel in random order, of 5 groups with gaps in their times."""
    rng = np.random.default_rng(0)
    time = np.concatenate(
        [np.sort(rng.choice(60, 20, replace=False)) for _ in range(5)]
    )
    table = pd.DataFrame({"group": np.repeat([3, 1, 4, 0, 5], 20), "time": time})
    table["a"], table["b"] = rng.normal(size=(2, 100))
    table["y"] = rng.normal(size=100)
    return table.sample(frac=1, random_state=0)


# ----------------------------------------------------------------------- make_windows


def test_windows_of_a_series_hold_the_label_in_their_last_row():
    X, y, groups, time = make_windows(
        np.arange(5.0), ["v", "w", "x", "y", "z"], n_timesteps=3
    )
    assert X.shape == (3, 3, 1)
    assert values(X) == [[0, 1, 2], [1, 2, 3], [2, 3, 4]]
    assert y.tolist() == ["x", "y", "z"]
    assert groups is time is None
    assert X.rows.tolist() == [[0, 1, 2], [1, 2, 3], [2, 3, 4]]


@pytest.mark.parametrize(
    ("horizon", "expected"),
    [(1, [3, 4, 5]), (2, [[3, 4], [4, 5]]), (3, [[3, 4, 5]])],
)
def test_windows_have_the_next_values_as_targets(horizon, expected):
    windows = make_windows(np.arange(6), n_timesteps=3, horizon=horizon)
    assert windows.y.tolist() == expected
    assert len(windows.X) == len(expected)


def test_several_targets_are_side_by_side_for_each_later_row():
    series = np.arange(5)
    y = np.column_stack([series, 10 * series])
    windows = make_windows(series, y, n_timesteps=2, horizon=2)
    assert windows.y.tolist() == [[2, 20, 3, 30], [3, 30, 4, 40]]


def test_windows_start_after_each_step():
    windows = make_windows(np.arange(7), n_timesteps=3, step=2)
    assert values(windows.X) == [[0, 1, 2], [2, 3, 4], [4, 5, 6]]


def test_windows_of_a_panel_are_in_their_group_and_in_the_order_of_time(panel):
    windows = make_windows(panel, "fails", n_timesteps=2, groups="machine", time="hour")
    assert values(windows.X) == [[10, 20], [50, 60], [20, 30], [60, 80]]
    assert windows.y.tolist() == [1, 0, 1, 1]
    assert windows.groups.tolist() == ["a", "b", "a", "b"]
    assert windows.time.tolist() == [2, 2, 3, 4]
    assert windows.X.rows.tolist() == [[2, 1], [0, 3], [1, 4], [3, 5]]
    # Neither of the columns that say where a row belongs, nor the label, is a feature.
    assert windows.X.names == ["heat", "flow"]


@pytest.mark.parametrize("as_frame", [pd.DataFrame, pl.DataFrame])
@pytest.mark.parametrize(("horizon", "max_gap"), [(0, None), (0, 5), (2, 4), (1, None)])
def test_windows_are_those_of_a_plain_loop(random_panel, as_frame, horizon, max_gap):
    found = {}
    for group, rows in random_panel.groupby("group"):
        rows, start = rows.sort_values("time"), 0
        time = rows["time"].to_numpy()
        while start + 4 + horizon <= len(rows):
            part = rows.iloc[start : start + 4]
            gaps = np.diff(time[start : start + 4 + horizon])
            later = rows["y"].iloc[start + 4 : start + 4 + horizon]
            if max_gap is None or (gaps <= max_gap).all():
                target = later.tolist() if horizon else [part["y"].iloc[-1]]
                key = group, part["time"].iloc[-1]
                found[key] = part[["a", "b"]].to_numpy().tolist(), target
            start += 1
    features = random_panel.drop(columns="y")
    windows = make_windows(
        as_frame(features.to_dict("list")),
        random_panel["y"], n_timesteps=4, horizon=horizon, groups="group", time="time",
        max_gap=max_gap,
    )  # fmt: skip
    X = np.asarray(windows.X)
    assert len(X) == len(found) > 10
    for window, target, *key in zip(
        X, windows.y, windows.groups, windows.time, strict=True
    ):
        expected = found[tuple(key)]
        assert window.tolist() == expected[0]
        assert np.ravel(target).tolist() == expected[1]


def test_groups_and_time_are_names_positions_or_arrays(panel):
    features = panel[["heat", "flow"]]
    expected = make_windows(
        features, n_timesteps=2, groups=panel["machine"], time=panel["hour"]
    )
    numbers = panel.assign(machine=panel["machine"] == "b").to_numpy(float)[:, :4]
    for windows in (
        make_windows(
            panel.drop(columns="fails"), n_timesteps=2, groups="machine", time="hour"
        ),
        make_windows(numbers, n_timesteps=2, groups=0, time=1),
    ):
        assert_array_equal(windows.X, expected.X)
        assert windows.time.tolist() == expected.time.tolist()


def test_several_columns_make_a_group(panel):
    by_one = make_windows(panel, n_timesteps=2, groups="machine", time="hour")
    twice = panel.assign(site=["s"] * 6)
    by_two = make_windows(twice, n_timesteps=2, groups=["site", "machine"], time="hour")
    assert_array_equal(by_two.X, by_one.X)
    assert by_two.groups.tolist() == [0, 1, 0, 1]


def test_dates_in_the_index_are_the_time():
    days = pd.to_datetime(["2020-01-03", "2020-01-01", "2020-01-02", "2020-01-09"])
    series = pd.Series([3.0, 1.0, 2.0, 9.0], index=days)
    windows = make_windows(series, n_timesteps=2, max_gap=timedelta(days=1))
    assert values(windows.X) == [[1, 2], [2, 3]]
    assert windows.time.astype("datetime64[D]").tolist() == [
        date(2020, 1, 2), date(2020, 1, 3),
    ]  # fmt: skip
    zoned = series.tz_localize("Europe/Rome")
    assert values(make_windows(zoned, n_timesteps=2).X) == [[1, 2], [2, 3], [3, 9]]


@pytest.mark.parametrize(
    "time",
    [
        [date(2020, 1, 2), date(2020, 1, 1), date(2020, 1, 3)],
        pd.to_datetime(["2020-01-02", "2020-01-01", "2020-01-03"]).tolist(),
        np.array(["2020-01-02", "2020-01-01", "2020-01-03"], "datetime64[s]"),
        [0.2, 0.1, 0.3],
    ],
)
def test_time_of_any_kind_orders_rows(time):
    windows = make_windows([2, 1, 3], n_timesteps=3, time=time)
    assert values(windows.X) == [[1, 2, 3]]


def test_windows_with_missing_values_are_left_out_if_asked():
    series = np.array([0, 1, NAN, 3, 4, 5, 6.0])
    y = np.array([0, 1, 2, 3, NAN, 5, 6.0])
    kept = make_windows(series, y, n_timesteps=2)
    assert len(kept.X) == 6
    windows = make_windows(series[:, None] * [1, 1], y + 9, n_timesteps=2, dropna=True)
    assert values(windows.X) == [[0, 1], [4, 5], [5, 6]]
    ahead = make_windows(series, y, n_timesteps=2, horizon=1, dropna=True)
    assert ahead.y.tolist() == [2, 5, 6]
    labels = np.array(["a", None, "b", "c", "d", "e", "f"], object)
    assert make_windows(series, labels, n_timesteps=1, dropna=True).y.tolist() == [
        "a", "c", "d", "e", "f",
    ]  # fmt: skip


def test_table_in_order_is_not_copied():
    table = np.arange(20.0).reshape(10, 2)
    assert make_windows(table, n_timesteps=3).X.table is table
    windows = make_windows(
        table, n_timesteps=3, groups=np.repeat([7, 2], 5), time=np.tile(np.arange(5), 2)
    )
    assert windows.X.table is table
    assert len(windows.X) == 6
    shuffled = make_windows(table, n_timesteps=3, time=np.arange(10)[::-1])
    assert values(shuffled.X)[0] == [18, 16, 14]
    assert table[0, 0] == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_timesteps": 0}, "n_timesteps must be an int of at least 1, got 0"),
        ({"horizon": -1}, "horizon must be an int of at least 0, got -1"),
        ({"step": 1.5}, "step must be an int of at least 1, got 1.5"),
        ({"n_timesteps": 9}, "needs 9 successive rows, got at most 3 in a group"),
        ({"groups": "machin"}, "groups must be the name of .*'machin'.*'machine'"),
        ({"time": "hours"}, "time must be the name of a column.*'hours'.*hour"),
        ({"time": ["hour", "heat"]}, "time must be one column"),
        ({"time": "machine"}, "time must hold numbers or dates, got dtype object"),
        ({"y": "fail"}, "y must be the name of a column.*'fail'.*fails"),
        ({"y": [1, 2]}, "y must have one entry for each of the 6 rows"),
        ({"X": np.zeros(6), "time": [5, 4, 3, 5, 1, 0], "groups": None, "y": None},
         "time must differ between the rows of X, got 5 in rows 0 and 3.*Pass groups"),
        ({"time": [1, 1, 2, 1, 3, 3]},
         "time must differ between the rows of a group, got 1 in rows 0 and 3"),
        ({"max_gap": timedelta(1)}, "max_gap must be a number for times of dtype int"),
        ({"time": None, "max_gap": 2}, "max_gap needs time"),
        ({"y": None, "horizon": 1}, "y must be the target to predict"),
        ({"X": np.zeros((2, 2, 2))}, "X must have 2 dimensions"),
    ],
)  # fmt: skip
def test_wrong_argument_of_make_windows_raises(panel, arguments, message):
    options = {
        "X": panel, "y": "fails", "n_timesteps": 2, "groups": "machine", "time": "hour",
    }  # fmt: skip
    with pytest.raises((ValueError, TypeError), match=message):
        make_windows(**{**options, **arguments})


def test_missing_times_and_groups_raise(panel):
    with pytest.raises(
        ValueError, match="time must have no missing values, got nan in"
    ):
        make_windows([1, 2], n_timesteps=1, time=[1, NAN])
    for missing in (NAN, None, pd.NA, pd.NaT):
        with pytest.raises(ValueError, match="groups must have no missing.*row 1"):
            make_windows([1, 2], n_timesteps=1, groups=["a", missing])
    with pytest.raises(ValueError, match="got column 'machine' of dtype"):
        make_windows(panel, n_timesteps=1)
    dates = panel.assign(hour=pd.to_datetime(panel["hour"]))
    with pytest.raises(
        ValueError, match="got column 'hour' of .* Pass its name as time"
    ):
        make_windows(dates, n_timesteps=1, groups="machine")
    with pytest.raises(TypeError, match=r"max_gap must be a timedelta.*hours=1\)"):
        make_windows(dates, n_timesteps=1, groups="machine", time="hour", max_gap=1)
    numbers = panel[["hour", "heat"]].to_numpy()
    with pytest.raises(
        ValueError, match=r"position of a column.*set_output\(transform"
    ):
        WindowTransformer(2, time="hour").fit(numbers)


def test_target_among_the_features_raises():
    table = np.arange(12.0).reshape(6, 2)
    with pytest.raises(ValueError, match=r"y must not be a feature, got column 1 of X"):
        make_windows(table, table[:, 1], n_timesteps=2)
    make_windows(table, table[:, 1], n_timesteps=2, horizon=1)


# -------------------------------------------------------------------- the window array


def test_index_over_windows_gives_windows_over_the_same_table():
    X = make_windows(np.arange(10.0), n_timesteps=3).X
    for index in ([1, 4], np.array([1, 4]), np.arange(8) % 3 == 1, slice(1, 5, 3)):
        part = X[index]
        assert part.table is X.table
        assert values(part)[:2] == [[1, 2, 3], [4, 5, 6]]
        assert_array_equal(X[index, ...], part)
    assert X[-1].tolist() == [[7], [8], [9]]
    assert X[0, 1].tolist() == [1]
    assert X[:, 1, 0].tolist() == list(range(1, 9))
    assert X[[]].shape == (0, 3, 1)
    assert [window[0, 0] for window in X] == list(range(8))
    with pytest.raises(IndexError, match="There are 8 windows, got index 8"):
        X[8]


def test_window_array_is_an_array_for_numpy():
    table = np.arange(8, dtype=np.float32)[:, None]
    X = make_windows(table, n_timesteps=3).X
    assert (X.ndim, X.dtype, len(X)) == (3, np.float32, 6)
    expected = np.lib.stride_tricks.sliding_window_view(table[:, 0], 3)[..., None]
    assert_array_equal(X, expected)
    assert np.asarray(X, np.float64).dtype == np.float64
    assert X.__array__().base is None
    with pytest.raises(ValueError, match="is a copy"):
        X.__array__(copy=False)
    assert repr(X) == (
        "WindowArray of shape (6, 3, 1), dtype float32, over a table of shape (8, 1)"
    )


def test_pickled_windows_are_the_same(panel):
    X = make_windows(panel, n_timesteps=2, groups="machine", time="hour").X
    loaded = pickle.loads(pickle.dumps(X))
    assert_array_equal(loaded, X)
    assert_array_equal(loaded.rows, X.rows)


# ------------------------------------------------------------------- WindowTransformer


def test_each_row_has_the_rows_before_it(panel):
    to_windows = WindowTransformer(3, groups="machine", time="hour")
    X = to_windows.fit_transform(panel[["machine", "hour", "heat"]])
    assert_array_equal(
        np.asarray(X)[:, :, 0],
        [[NAN, NAN, 50], [NAN, 10, 20], [NAN, NAN, 10], [NAN, 50, 60], [10, 20, 30],
         [50, 60, 80]],
    )  # fmt: skip
    assert X.rows.tolist() == [
        [-1, -1, 0], [-1, 2, 1], [-1, -1, 2], [-1, 0, 3], [2, 1, 4], [0, 3, 5],
    ]  # fmt: skip
    to_windows.set_params(max_gap=1, mask_value=-1.0)
    X = to_windows.fit_transform(panel[["machine", "hour", "heat"]])
    assert values(X)[5] == [-1, -1, 80]


def test_later_rows_have_the_rows_of_fit_before_them(panel):
    panel = panel[["machine", "hour", "heat"]]
    to_windows = WindowTransformer(3, groups="machine", time="hour").fit(panel)
    assert sorted(to_windows.history_["heat"]) == [20, 30, 60, 80]
    later = pd.DataFrame(
        {"machine": ["c", "a", "b"], "hour": [9, 9, 3], "heat": [0.0, 90, 70]}
    )
    X = to_windows.transform(later)
    # The row of hour 3 does not see that of hour 4.
    expected = [[NAN, NAN, 0], [20, 30, 90], [NAN, 60, 70]]
    assert_array_equal(np.asarray(X)[:, :, 0], expected)
    assert X.rows.tolist() == [[-1, -1, 0], [-1, -1, 1], [-1, -1, 2]]
    assert len(to_windows.transform(later[:1]).table) == 1  # no past of group c
    # The rows of fit again are not their own past.
    assert_array_equal(to_windows.transform(panel), to_windows.fit_transform(panel))


@pytest.mark.parametrize("as_frame", [pd.DataFrame, pl.DataFrame, np.asarray])
def test_history_is_passed_in_place_of_the_rows_of_fit(as_frame):
    rows = {"t": [1.0, 2, 3, 4], "v": [10.0, 20, 30, 40]}
    table = as_frame(
        rows if as_frame is not np.asarray else np.array([*rows.values()]).T
    )
    time = 0 if as_frame is np.asarray else "t"
    to_windows = WindowTransformer(3, time=time).fit(table[:2])
    assert values(to_windows.transform(table[3:])) == [[10, 20, 40]]
    assert values(to_windows.transform(table[3:], history=table[1:])) == [[20, 30, 40]]


def test_ordered_rows_have_a_past_only_if_it_is_passed():
    table = np.arange(5.0)[:, None]
    to_windows = WindowTransformer(2, ordered=True).fit(table[:3])
    assert to_windows.history_ is None
    assert_array_equal(np.asarray(to_windows.transform(table[3:]))[0, :, 0], [NAN, 3])
    assert values(to_windows.transform(table[3:], history=table[:3])) == [
        [2, 3],
        [3, 4],
    ]


def test_no_row_sees_a_later_one(random_panel):
    y = (random_panel["a"] > 0).to_numpy()
    X = random_panel.drop(columns="y")
    pipeline = make_pipeline(
        WindowTransformer(5, groups="group", time="time"),
        LSTMClassifier(4, epochs=2, random_state=0),
    ).fit(X, y)
    changed, later = X.copy(), (X["time"] > 30).to_numpy()
    changed.loc[later, ["a", "b"]] = 1e3
    before, after = pipeline.predict_proba(X), pipeline.predict_proba(changed)
    assert 0 < later.sum() < 100
    assert_array_equal(before[~later], after[~later])
    assert (before[later] != after[later]).any(axis=1).all()


def test_number_of_timesteps_is_an_axis_of_a_grid():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(
        {"g": np.repeat(np.arange(12), 20), "t": np.tile(np.arange(20), 12)}
    )
    X["x"] = rng.normal(size=240)
    # The label is known two rows later.
    y = (X.groupby("g")["x"].shift(2).fillna(0) > 0).to_numpy()
    scale = ColumnTransformer(
        [("scale", StandardScaler(), ["x"])], remainder="passthrough",
        verbose_feature_names_out=False,
    ).set_output(transform="pandas")  # fmt: skip
    net = LSTMClassifier(8, epochs=20, learning_rate=0.02, random_state=0)
    grid = GridSearchCV(
        make_pipeline(scale, WindowTransformer(groups="g", time="t"), net),
        {"windowtransformer__n_timesteps": [1, 2, 3]},
        scoring="roc_auc", cv=GroupKFold(3),
    ).fit(X, y, groups=X["g"])  # fmt: skip
    assert grid.best_params_ == {"windowtransformer__n_timesteps": 3}
    assert grid.best_score_ > 0.9 > 0.6 > grid.cv_results_["mean_test_score"][1]


def test_history_goes_through_a_pipeline_by_metadata_routing():
    table = np.arange(12.0).reshape(6, 2)
    with sklearn.config_context(enable_metadata_routing=True):
        to_windows = WindowTransformer(3, time=0).set_transform_request(history=True)
        net = DenseRegressor(2, epochs=1, random_state=0)
        pipeline = make_pipeline(to_windows, net).fit(table, table[:, 1])
        found = pipeline.predict(table[4:], history=table[:4])
    assert_array_equal(found, pipeline.predict(table)[4:])


def test_transformer_is_cloned_and_pickled(panel):
    panel = panel[["machine", "hour", "heat"]]
    to_windows = WindowTransformer(3, groups="machine", time="hour", max_gap=2)
    assert clone(to_windows).get_params()["max_gap"] == 2
    loaded = pickle.loads(pickle.dumps(to_windows.fit(panel)))
    assert_array_equal(loaded.transform(panel), to_windows.transform(panel))
    assert to_windows.set_output(transform="pandas") is to_windows


@pytest.mark.parametrize(
    ("params", "message"),
    [
        (
            {"time": None},
            "time must name the column with the time of each row, got None",
        ),
        ({"ordered": True}, "ordered must be False where the time of rows is known"),
        ({"groups": "maschine"}, "groups must be the name of a column.*'maschine'"),
        ({"groups": None}, "got column 'machine' of dtype"),
        ({"n_timesteps": 0}, "n_timesteps"),
        ({"max_gap": timedelta(1)}, "max_gap must be a number for times"),
    ],
)
def test_wrong_parameter_of_the_transformer_raises_and_changes_nothing(
    panel, params, message
):
    panel = panel[["machine", "hour", "heat"]]
    to_windows = WindowTransformer(2, groups="machine", time="hour").fit(panel)
    before = to_windows.history_
    with pytest.raises((ValueError, TypeError), match=message):
        to_windows.set_params(**params).fit_transform(panel)
    assert to_windows.history_ is before


def test_table_that_holds_no_numbers_is_refused():
    with pytest.raises(
        ValueError, match="X (must hold numbers|can't be used): Complex data"
    ):
        WindowTransformer(2, ordered=True).fit(np.ones((5, 2), complex))


def test_transformer_that_is_not_fitted_raises(panel):
    with pytest.raises(NotFittedError):
        WindowTransformer(2, time="hour").transform(panel)
    with pytest.raises(ValueError, match="at least 1 row, got 0"):
        WindowTransformer(2, time="hour").fit(panel[:0])


def test_other_transformers_get_an_array(panel):
    panel = panel[["machine", "hour", "heat"]]
    X = WindowTransformer(2, groups="machine", time="hour").fit_transform(panel)
    scaled = SequenceScaler(mask_value=NAN).fit_transform(X)
    assert np.isnan(scaled[0, 0, 0])
    assert np.nanmean(scaled) == pytest.approx(0)


# ------------------------------------------------------------------ windows in networks


def test_network_gives_windows_the_bits_of_an_array(make_network):
    rng = np.random.default_rng(0)
    table = rng.normal(size=(70, 2))
    X, y, *_ = make_windows(table, np.arange(70) % 2, n_timesteps=5)
    lazy, whole = make_network(epochs=2), make_network(epochs=2)
    lazy.fit(X, y), whole.fit(np.asarray(X), y)
    assert_array_equal(lazy.predict(X), whole.predict(np.asarray(X)))
    # Also after rows were chosen, and with validation rows.
    weights = np.arange(66) % 3.0
    for one, rows in ((lazy, X), (whole, np.asarray(X))):
        one.fit(rows[:60], y[:60], weights[:60], X_val=rows[60:], y_val=y[60:])
    assert_array_equal(lazy.predict(X), whole.predict(np.asarray(X)))
    assert lazy.history_ == whole.history_


@pytest.mark.parametrize(
    "name", ["LSTMClassifier", "Conv1DRegressor", "DenseClassifier"]
)
def test_network_gives_windows_with_padding_the_bits_of_a_list(name):
    table = np.random.default_rng(0).normal(size=(40, 3))
    table[:, 0] = np.repeat(np.arange(10), 4)
    y = np.arange(40) % 2
    X = WindowTransformer(3, groups=0, ordered=True).fit_transform(table)
    rows = [row[~np.isnan(row).all(axis=1)] for row in np.asarray(X)]
    assert sorted(map(len, rows))[:20] == [1] * 10 + [2] * 10
    make_network = partial(make, name, random_state=0)
    lazy, listed = make_network(epochs=2).fit(X, y), make_network(epochs=2).fit(rows, y)
    assert_array_equal(lazy.predict(X), listed.predict(rows))
    masked = make_network(epochs=2, mask_value=NAN).fit(X, y)
    assert_array_equal(masked.predict(X), listed.predict(rows))
    # All rows with a full window, after a fit with shorter ones.
    assert_array_equal(lazy.predict(X[2::4]), listed.predict(rows[2::4]))


def test_windows_remain_a_table_in_networks():
    table = np.arange(20.0).reshape(10, 2)
    full = as_rows(make_windows(table, n_timesteps=3).X, np.float32, None)
    padded = WindowTransformer(3, ordered=True).fit_transform(table)
    padded = as_rows(padded, np.float32, None)
    assert padded.at_once() is padded  # rows of a list are padded once
    assert full.windows.table is table is padded.X.windows.table
    assert padded[:2].tolist()[0][1:] == [[PADDING, PADDING]] * 2


def test_windows_in_predict_may_be_longer_than_those_in_fit():
    table = np.random.default_rng(0).normal(size=(40, 1))
    y = np.arange(40) % 2
    to_windows = WindowTransformer(6, groups=1, ordered=True)
    table = np.column_stack([table, np.repeat(np.arange(10), 4)])
    net = DenseClassifier(4, epochs=1, random_state=0)
    net.fit(to_windows.fit_transform(table), y)
    assert net.n_timesteps_in_ == 6
    table[:, 1] = 0
    assert net.predict(to_windows.transform(table)).shape == (40,)


def test_missing_and_infinite_values_in_windows_raise():
    table = pd.DataFrame({"x": np.arange(8.0), "z": np.arange(8.0)})
    table.loc[5, "z"] = NAN
    X, y, *_ = make_windows(table, np.arange(8) % 2, n_timesteps=2)
    net = DenseClassifier(4, epochs=1)
    with pytest.raises(
        ValueError, match=r"got windows with NaN in feature 'z' of row 5"
    ):
        net.fit(X, y)
    # Rows in no window are not read.
    net.fit(X[:4], y[:4])
    table.loc[5, "z"] = 1e300
    with pytest.raises(ValueError, match=r"too large for float32, in feature 'z'"):
        net.predict(make_windows(table, n_timesteps=2).X)


def test_windows_of_another_shape_raise():
    table = np.arange(20.0).reshape(10, 2)
    y = np.arange(8) % 2
    net = DenseClassifier(4, epochs=1).fit(make_windows(table, n_timesteps=3).X, y)
    with pytest.raises(ValueError, match="X has 2 timesteps.*expecting 3"):
        net.predict(make_windows(table, n_timesteps=2).X)
    with pytest.raises(ValueError, match="X has 1 features.*expecting 2"):
        net.predict(make_windows(table[:, 0], n_timesteps=3).X)
    with pytest.raises(ValueError, match="at least 2 windows, got 1"):
        net.fit(make_windows(table, n_timesteps=10).X, [0])
    with pytest.raises(ValueError, match="n_timesteps=2 does not agree with X"):
        net.set_params(n_timesteps=2).fit(make_windows(table, n_timesteps=3).X, y)
    flat = DenseClassifier(4, epochs=1).fit(table, np.arange(10) % 2)
    with pytest.raises(ValueError, match="X must have 2 dimensions"):
        flat.predict(make_windows(table, n_timesteps=3).X)
