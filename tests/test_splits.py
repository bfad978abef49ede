"""Windows that share rows are kept apart: `PurgedSplit`, validation rows, warnings."""

import pickle
import warnings

import numpy as np
import pytest
import sklearn
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    LeaveOneGroupOut,
    TimeSeriesSplit,
    cross_val_score,
)
from sklearn.pipeline import make_pipeline

from skseq import (
    AutoencoderTransformer,
    DenseClassifier,
    DenseRegressor,
    PurgedSplit,
    WindowTransformer,
    make_windows,
)
from skseq._engine import train as engine
from skseq._window_array import overlap


def series(n_rows=12, **options):
    table = np.random.default_rng(0).normal(size=(n_rows, 1))
    y = np.arange(n_rows) // 2 % 2
    return make_windows(table, y, **{"n_timesteps": 3, **options})


def parts(splitter, X, *more):
    return [(a.tolist(), b.tolist()) for a, b in splitter.split(X, *more)]


# ------------------------------------------------------------------------ PurgedSplit


def test_windows_with_a_row_in_common_are_left_out():
    # Ten windows: window i has the rows i to i + 2.
    X = series().X
    assert parts(PurgedSplit(KFold(2)), X) == [
        ([7, 8, 9], [0, 1, 2, 3, 4]),
        ([0, 1, 2], [5, 6, 7, 8, 9]),
    ]
    assert parts(PurgedSplit(KFold(5)), X)[2] == ([0, 1, 8, 9], [4, 5])
    assert parts(PurgedSplit([([0, 1, 2, 3, 9], [5])]), X) == [([0, 1, 2, 9], [5])]
    assert PurgedSplit().get_n_splits(X) == 5


def test_rows_of_the_target_count():
    # Nine windows: window i has the rows i to i + 2, and the target in row i + 3.
    X = series(horizon=1).X
    assert parts(PurgedSplit([(np.arange(9), [4])]), X) == [([0, 8], [4])]


def test_embargo_keeps_a_distance_within_the_group():
    X = series().X
    one_test = [(np.arange(10), [4])]
    assert parts(PurgedSplit(one_test), X) == [([0, 1, 7, 8, 9], [4])]
    assert parts(PurgedSplit(one_test, embargo=2), X) == [([9], [4])]
    by_group = series(groups=np.repeat([0, 1], 6)).X  # four windows in each group
    assert parts(PurgedSplit([(np.arange(8), [0])], embargo=9), by_group) == [
        ([4, 5, 6, 7], [0])
    ]


def test_rows_are_compared_in_their_order_in_time():
    # Rows 5, 4, ..., 0, so that the windows in the order of time are the same.
    X = series(6, n_timesteps=2, time=np.arange(6)[::-1]).X
    assert X.rows.tolist() == [[5, 4], [4, 3], [3, 2], [2, 1], [1, 0]]
    assert parts(PurgedSplit([([0, 1, 3, 4], [2])]), X) == [([0, 4], [2])]


def test_splitters_get_targets_and_groups():
    X, y, groups, _ = series(groups=np.repeat([0, 1, 2], 4))
    # Groups share no row: nothing is left out.
    assert parts(PurgedSplit(LeaveOneGroupOut()), X, y, groups) == parts(
        LeaveOneGroupOut(), X, y, groups
    )
    assert PurgedSplit(LeaveOneGroupOut()).get_n_splits(X, y, groups) == 3


def test_rows_of_a_table_become_windows_in_a_pipeline():
    table = np.column_stack([np.arange(12.0), np.random.default_rng(0).normal(size=12)])
    windows = WindowTransformer(3, time=0)
    order = np.random.default_rng(1).permutation(12)
    (train, test), *_ = PurgedSplit(
        [(np.flatnonzero(order != 5), np.flatnonzero(order == 5))], windows=windows
    ).split(table[order])
    assert order[test].tolist() == [5]
    # Row 5 has the rows 3 to 5; the windows of rows 3 to 7 have one of these.
    assert sorted(order[train]) == [0, 1, 2, 8, 9, 10, 11]
    assert not hasattr(windows, "history_")


def test_purged_split_works_in_scikit_learn():
    X, y, *_ = series(60, n_timesteps=4)
    net = DenseClassifier(4, epochs=2, random_state=0)
    splitter = PurgedSplit(KFold(3))
    assert cross_val_score(net, X, y, cv=splitter).shape == (3,)
    grid = GridSearchCV(net, {"epochs": [1, 2]}, cv=splitter, scoring="roc_auc")
    assert grid.fit(X, y).n_splits_ == 3
    by_hand = [
        clone(net).fit(X[a], y[a]).score(X[b], y[b]) for a, b in splitter.split(X)
    ]
    assert cross_val_score(net, X, y, cv=splitter).tolist() == by_hand
    table = np.random.default_rng(0).normal(size=(60, 2))
    pipeline = make_pipeline(WindowTransformer(4, ordered=True), net)
    splitter = PurgedSplit(KFold(3), windows=pipeline[0])
    grid = GridSearchCV(
        pipeline, {"windowtransformer__n_timesteps": [2, 4]}, cv=splitter
    )
    assert grid.fit(table, np.arange(60) % 2).n_splits_ == 3


def test_groups_are_routed_to_the_splitter_inside():
    X, y, groups, _ = series(24, groups=np.repeat([0, 1, 2, 3], 6))
    net = DenseClassifier(4, epochs=1, random_state=0)
    with sklearn.config_context(enable_metadata_routing=True):
        net.set_fit_request(groups=False)
        scores = cross_val_score(
            net, X, y, cv=PurgedSplit(GroupKFold(4)), params={"groups": groups}
        )
    assert len(scores) == 4


def test_wrong_use_of_purged_split_raises():
    X, y, *_ = series()
    with pytest.raises(ValueError, match="embargo must be an int of at least 0"):
        next(PurgedSplit(embargo=-1).split(X))
    with pytest.raises(TypeError, match="X must be the windows of make_windows"):
        next(PurgedSplit().split(np.asarray(X)))
    with pytest.raises(TypeError, match="windows must be a WindowTransformer or None"):
        next(PurgedSplit(windows=WindowTransformer).split(np.zeros((9, 2))))
    shuffled = PurgedSplit(KFold(2, shuffle=True, random_state=0))
    with pytest.raises(ValueError, match="got none in split 0: all 5 share rows"):
        list(shuffled.split(X))
    assert repr(PurgedSplit(KFold(2), embargo=3)) == (
        "PurgedSplit(KFold(n_splits=2, random_state=None, shuffle=False), embargo=3)"
    )


# --------------------------------------------------------------------- early stopping


@pytest.fixture
def split_of(monkeypatch):
    """Get the last rows of the windows that a fit trains on, and validates with."""
    found = []

    def train(recipe, state, rows, schedule, watch=None, checkpoint=None):
        ends = rows.X.windows.ends
        of = [
            ends if one.index is None else ends[one.index] for one in (rows, watch.rows)
        ]
        found[:] = [np.sort(part).tolist() for part in of]
        return engine.train(recipe, state, rows, schedule, watch)

    monkeypatch.setattr("skseq._base.train", train)
    return lambda net, *args, **options: (net.fit(*args, **options), found)[1]


def test_last_windows_are_held_out_without_rows_in_common(split_of):
    X, y, *_ = series(42)  # the last rows of 40 windows are 2, 3, ..., 41
    net = DenseClassifier(4, epochs=1, early_stopping=True, validation_split=0.25)
    for random_state in (0, 1):
        rest, held_out = split_of(net.set_params(random_state=random_state), X, y)
        assert held_out == list(range(32, 42))
        assert rest == list(range(2, 30))
    rest, held_out = split_of(
        AutoencoderTransformer(2, epochs=1, early_stopping=True), X
    )
    assert held_out == list(range(38, 42))
    # In each of a few groups; rows 0 to 20 and 21 to 41.
    X, y, *_ = series(42, groups=np.repeat([0, 1], 21))
    rest, held_out = split_of(net.set_params(validation_split=0.2), X, y)
    assert held_out == [17, 18, 19, 20, 38, 39, 40, 41]
    assert rest == [*range(2, 15), *range(23, 36)]


def test_whole_groups_are_held_out_where_there_are_many(split_of):
    X, y, groups, _ = series(60, groups=np.repeat(np.arange(10), 6))
    net = DenseClassifier(4, epochs=1, early_stopping=True, random_state=0)
    rest, held_out = split_of(net, X, y)
    assert len(held_out) == 4  # the windows of one group
    assert len({end // 6 for end in held_out}) == 1
    assert len(rest) == 36
    # Groups that are passed are kept whole, and windows with rows in common apart.
    X, y, *_ = series(62)
    by_ten = np.repeat(np.arange(6), 10)
    net.set_params(validation_split=0.2)
    rest, held_out = split_of(net, X, y, groups=by_ten)
    of = {(end - 2) // 10 for end in held_out}
    assert len(held_out) == 10 * len(of) < 30
    near = {end + i for end in held_out for i in (-2, -1, 0, 1, 2)}
    assert rest == [end for end in range(2, 62) if end not in near]


def test_windows_without_common_rows_are_split_by_chance():
    X, y, *_ = series(60, step=3)
    assert not overlap(X)
    net = DenseClassifier(4, epochs=1, early_stopping=True, random_state=0)
    whole = clone(net).fit(np.asarray(X), y)
    assert net.fit(X, y).history_ == whole.history_


def test_splitter_that_leaks_raises_and_names_the_remedy(split_of):
    X, y, *_ = series(42)
    net = DenseClassifier(4, epochs=1, early_stopping=True, random_state=0)
    net.set_params(validation_split=KFold(4, shuffle=True, random_state=0))
    with pytest.raises(ValueError, match="got 10 of 10 held-out windows .* Use Pur"):
        net.fit(X, y)
    # Validation on later rows is fair, and so is a purged split.
    net.set_params(validation_split=TimeSeriesSplit(3))
    assert split_of(net, X, y)[1] == list(range(32, 42))
    net.set_params(validation_split=PurgedSplit(KFold(4)))
    rest, held_out = split_of(net, X, y)
    assert held_out == list(range(32, 42))
    assert rest == list(range(2, 30))


def test_too_few_windows_to_hold_out_raise():
    X, y, *_ = series(8, n_timesteps=6)
    net = DenseClassifier(4, epochs=1, early_stopping=True, validation_split=0.34)
    with pytest.raises(ValueError, match="can't split 3 rows: no windows to train"):
        net.fit(X, y)


# --------------------------------------------------------------------------- warnings


def test_unfair_test_windows_raise_a_warning():
    X, y, *_ = series(42)
    net = DenseClassifier(4, epochs=1, random_state=0).fit(X[:30], y[:30])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        net.predict(X[:30]), net.predict(X[30:])
        net.predict(np.asarray(X)), net.predict(series(42).X)
    net.fit(X[::2], y[::2])
    message = "19 of 20 windows in X have their targets in rows of the training"
    # The last window, with the rows 39 to 41, ends after that of rows 38 to 40.
    with pytest.warns(UserWarning, match=message):
        net.predict_proba(X[1::2])
    with pytest.warns(UserWarning, match="windows in X_val have their targets in rows"):
        net.fit(X[::2], y[::2], X_val=X[1::2], y_val=y[1::2])
    # Not in another process, which has another table.
    loaded = pickle.loads(pickle.dumps(net))
    assert_array_equal(loaded.predict(X), net.predict(np.asarray(X)))


def test_shuffled_folds_warn_and_purged_folds_do_not():
    X, y, *_ = series(60, horizon=1)
    net = DenseRegressor(4, epochs=1, random_state=0)
    with pytest.warns(UserWarning, match="scores on them are too optimistic"):
        cross_val_score(net, X, y, cv=KFold(3, shuffle=True, random_state=0))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cross_val_score(net, X, y, cv=PurgedSplit(KFold(3)))
        cross_val_score(net, X, y, cv=TimeSeriesSplit(3, gap=1))
