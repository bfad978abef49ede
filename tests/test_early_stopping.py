"""Validation inside fit: which rows are watched, when training stops, what is kept."""

import numpy as np
import pytest
import sklearn
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    log_loss,
    make_scorer,
    roc_auc_score,
)
from sklearn.model_selection import (
    GroupKFold,
    GroupShuffleSplit,
    LeaveOneGroupOut,
    PredefinedSplit,
    ShuffleSplit,
    StratifiedKFold,
    StratifiedShuffleSplit,
    TimeSeriesSplit,
)
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

import skseq

N_ROWS = 100


class Spy:
    """A monitor that records the rows it gets, and returns scores from a list."""

    def __init__(self, scores=(0.5,)):
        self.scores = list(scores)
        self.seen = []

    def __call__(self, estimator, X, y):
        self.seen.append((X.copy(), y.copy()))
        return self.scores[min(len(self.seen), len(self.scores)) - 1]

    @property
    def rows(self):
        """list: the row numbers of `numbered` that were held out, in order."""
        return np.round(self.seen[0][0][:, 0, 0] * N_ROWS).astype(int)

    @property
    def labels(self):
        return self.seen[0][1]


@pytest.fixture
def numbered():
    """Make X of shape (100, 3, 1) of row numbers, and y of 80 zeros and 20 ones."""
    X = np.random.default_rng(0).normal(size=(N_ROWS, 3, 1))
    X[:, 0, 0] = np.arange(N_ROWS) / N_ROWS
    return X, np.repeat([0, 1], [80, 20])


@pytest.fixture
def overlapping():
    """Make training and validation rows of two classes that overlap."""
    rng = np.random.default_rng(3)
    y = np.arange(120) % 2
    X = rng.normal(size=(120, 4, 2)) + 0.5 * y[:, None, None]
    return X[:70], y[:70], X[70:], y[70:]


def held_out(**params):
    """Make a spy and a small network that it monitors."""
    spy = Spy()
    params = {"random_state": 0, "epochs": 1, "early_stopping": True, **params}
    return spy, skseq.DenseClassifier((2,), monitor=spy, **params)


# ----------------------------------------------------------- which rows are held out


def test_held_out_rows_are_stratified_and_shuffled(make_classifier, numbered):
    X, y = numbered
    chosen = []
    for seed in (0, 1, 0):
        spy = Spy()
        make_classifier(
            epochs=1, early_stopping=True, validation_split=0.2, monitor=spy,
            random_state=seed,
        ).fit(X, y)  # fmt: skip
        assert np.bincount(spy.labels).tolist() == [16, 4]
        np.testing.assert_array_equal(y[spy.rows], spy.labels)
        assert len(set(spy.rows)) == 20
        chosen.append(set(spy.rows))
    last = set(range(80, 100))
    assert chosen[0] == chosen[2]
    assert chosen[0] != chosen[1]
    assert all(rows != last for rows in chosen)


@pytest.mark.parametrize(("fraction", "n_held_out"), [(0.1, 10), (0.25, 25), (0.5, 50)])
def test_held_out_fraction_is_of_the_rows(numbered, fraction, n_held_out):
    X, y = numbered
    spy, estimator = held_out(validation_split=fraction)
    estimator.fit(X, y)
    assert len(spy.rows) == n_held_out
    assert spy.labels.mean() == pytest.approx(0.2, abs=0.01)


def test_held_out_rows_are_not_trained_on(numbered):
    X, y = numbered
    spy, estimator = held_out(epochs=3, shuffle=False)
    expected = estimator.fit(X, y).predict_proba(X)
    changed = X.copy()
    changed[spy.rows, 1:] = 1e3
    _, estimator = held_out(epochs=3, shuffle=False)
    np.testing.assert_array_equal(estimator.fit(changed, y).predict_proba(X), expected)


class _HoldsOutLargeValues:
    """A user's own splitter that reads X."""

    def split(self, X, y=None, groups=None):
        large = X[:, 0, 0] >= np.median(X[:, 0, 0])
        yield np.flatnonzero(~large), np.flatnonzero(large)


@pytest.mark.parametrize("every_second", [False, True])
def test_splitter_may_look_at_X(numbered, every_second):
    X, _ = numbered
    y = np.arange(N_ROWS) // 2 % 2
    weights = np.ones(N_ROWS)
    if every_second:
        weights[::2] = 0
    spy, estimator = held_out(validation_split=_HoldsOutLargeValues())
    estimator.fit(X, y, sample_weight=weights)
    counted = np.flatnonzero(weights)
    assert sorted(spy.rows) == counted[len(counted) // 2 :].tolist()


def test_rows_of_weight_zero_are_not_held_out(numbered):
    X, y = numbered
    weights = (np.arange(N_ROWS) % 2).astype(float)

    class WeightedSpy(Spy):
        def __call__(self, estimator, X, y, sample_weight=None):
            return super().__call__(estimator, X, y)

    spy = WeightedSpy()
    skseq.DenseClassifier(
        (2,), epochs=1, early_stopping=True, validation_split=0.2, monitor=spy
    ).fit(X, y, sample_weight=weights)
    assert len(spy.rows) == 10
    assert (spy.rows % 2 == 1).all()


SPLITTERS = {
    "time_series": TimeSeriesSplit(4),
    "predefined": PredefinedSplit(np.where(np.arange(N_ROWS) % 5 == 2, 0, -1)),
    "stratified_k_fold": StratifiedKFold(5),
    "shuffled_k_fold": StratifiedKFold(5, shuffle=True, random_state=1),
    "shuffle_split": ShuffleSplit(1, test_size=30, random_state=0),
    "stratified_shuffle_split": StratifiedShuffleSplit(1, random_state=0),
}


@pytest.mark.parametrize("name", SPLITTERS)
def test_splitter_chooses_its_last_split(numbered, name):
    X, y = numbered
    y = np.arange(N_ROWS) % 2  # both classes at any time
    splitter = SPLITTERS[name]
    *_, (_, expected) = splitter.split(X, y)
    spy, estimator = held_out(validation_split=splitter)
    estimator.fit(X, y)
    assert sorted(spy.rows) == sorted(expected)


def test_time_series_split_holds_out_the_latest_rows(numbered):
    X, _ = numbered
    spy, estimator = held_out(validation_split=TimeSeriesSplit(4))
    estimator.fit(X, np.arange(N_ROWS) % 2)
    assert spy.rows.tolist() == list(range(80, 100))


GROUPS = np.arange(N_ROWS) // 5 % 10  # 10 groups of 10 rows, in two blocks each


@pytest.mark.parametrize(
    "split",
    [
        0.1,
        0.3,
        0.5,
        0.75,
        GroupShuffleSplit(1, test_size=0.3, random_state=0),
        GroupKFold(5),
        LeaveOneGroupOut(),
    ],
    ids=lambda split: str(split).split("(")[0],
)
def test_groups_never_stand_on_both_sides(make_classifier, numbered, split):
    X, _ = numbered
    y = np.arange(N_ROWS) % 2
    for groups in (GROUPS, np.array(list("abcdefghij"))[GROUPS]):
        spy = Spy()
        make_classifier(
            epochs=1, early_stopping=True, validation_split=split, monitor=spy
        ).fit(X, y, groups=groups)
        inside, outside = groups[spy.rows], np.delete(groups, spy.rows)
        assert len(spy.rows) > 0
        assert set(inside).isdisjoint(outside)
        if isinstance(split, float):
            assert len(spy.rows) == pytest.approx(split * N_ROWS, abs=10)


def test_groups_are_shuffled_by_random_state(numbered):
    X, _ = numbered
    chosen = set()
    for seed in range(6):
        spy, estimator = held_out(random_state=seed)
        estimator.fit(X, np.arange(N_ROWS) % 2, groups=GROUPS)
        chosen.add(tuple(sorted(set(GROUPS[spy.rows]))))
    assert len(chosen) > 1


@pytest.mark.filterwarnings("ignore:The groups parameter is ignored:UserWarning")
def test_splitter_that_mixes_groups_is_refused(numbered):
    X, _ = numbered
    _, estimator = held_out(validation_split=StratifiedKFold(5))
    match = "must keep every group on one side, got .* groups on both"
    with pytest.raises(ValueError, match=match):
        estimator.fit(X, np.arange(N_ROWS) % 2, groups=GROUPS)


def test_single_group_is_refused(numbered):
    X, y = numbered
    _, estimator = held_out()
    with pytest.raises(ValueError, match="groups must hold at least 2 groups, got 1"):
        estimator.fit(X, y, groups=np.zeros(N_ROWS))


def test_held_out_part_with_a_single_class_is_refused_with_the_remedy(
    make_classifier, numbered
):
    X, y = numbered  # the ones come last
    estimator = make_classifier(
        early_stopping=True, validation_split=TimeSeriesSplit(9), monitor="roc_auc"
    )
    match = "the held-out part has 10 rows of one class. .*pass X_val and y_val"
    with pytest.raises(ValueError, match=match):
        estimator.fit(X, y)
    first_rows = PredefinedSplit(np.where(np.arange(N_ROWS) < 90, -1, 0))
    estimator.set_params(validation_split=first_rows)
    with pytest.raises(ValueError, match="validation_split=PredefinedSplit"):
        estimator.fit(X, y)
    estimator.set_params(validation_split=TimeSeriesSplit(2))
    with pytest.raises(ValueError, match="the rest has 67 rows of one class"):
        estimator.fit(X, y)


# ----------------------------------------------------------------------- when it stops


def test_patience_counts_epochs_without_a_better_score(make_classifier, numbered):
    X, y = numbered
    spy = Spy([0.5, 0.6, 0.55, 0.6, 0.59, 0.9])
    estimator = make_classifier(
        epochs=20, early_stopping=True, monitor=spy, patience=3
    ).fit(X, y)
    # 0.6 in epoch 2 is the best; 3, 4 (equal is not better) and 5 are waited for.
    assert estimator.n_iter_ == 5
    assert estimator.best_epoch_ == 2
    assert estimator.best_score_ == 0.6
    assert estimator.history_["val_score"] == [0.5, 0.6, 0.55, 0.6, 0.59]
    assert {len(values) for values in estimator.history_.values()} == {5}


def test_min_delta_is_what_patience_asks_for(make_classifier, numbered):
    X, y = numbered
    spy = Spy([0.5, 0.55, 0.65, 0.7, 0.74, 0.9])
    estimator = make_classifier(
        epochs=20, early_stopping=True, monitor=spy, patience=2, min_delta=0.1
    ).fit(X, y)
    # 0.65 gains more than 0.1 on 0.5; 0.70 and 0.74 gain less on 0.65. The best weights
    # are those of 0.74 all the same.
    assert estimator.n_iter_ == 5
    assert estimator.best_epoch_ == 5
    assert estimator.best_score_ == 0.74


def test_epochs_bound_training_that_goes_on_getting_better(numbered):
    X, y = numbered
    spy = Spy(np.arange(30) / 30)
    estimator = skseq.DenseClassifier(
        (2,), epochs=7, early_stopping=True, monitor=spy, patience=1
    ).fit(X, y)
    assert estimator.n_iter_ == estimator.best_epoch_ == 7
    assert len(spy.seen) == 7


# ------------------------------------------------------------------------ what is kept


@pytest.mark.parametrize("monitor", ["loss", "roc_auc", "neg_log_loss"])
def test_best_weights_are_restored(make_classifier, overlapping, monitor):
    X, y, X_val, y_val = overlapping
    watched = make_classifier(
        epochs=30, early_stopping=True, monitor=monitor, patience=4, learning_rate=0.1
    ).fit(X, y, X_val=X_val, y_val=y_val)
    assert watched.best_epoch_ < watched.n_iter_ == len(watched.history_["loss"])
    plain = make_classifier(epochs=watched.best_epoch_, learning_rate=0.1).fit(X, y)
    np.testing.assert_array_equal(
        watched.predict_proba(X_val), plain.predict_proba(X_val)
    )
    longer = make_classifier(epochs=watched.n_iter_, learning_rate=0.1).fit(X, y)
    assert not np.array_equal(watched.predict_proba(X_val), longer.predict_proba(X_val))
    best = plain.history_["loss"]
    assert watched.history_["loss"][: len(best)] == best


SCORES = {
    "roc_auc": lambda y, p: roc_auc_score(y, p[:, 1]),
    "average_precision": lambda y, p: average_precision_score(y, p[:, 1]),
    "neg_log_loss": lambda y, p: -log_loss(y, p),
    "accuracy": lambda y, p: accuracy_score(y, p.argmax(axis=1)),
}


@pytest.mark.parametrize("monitor", SCORES)
def test_monitor_is_scikit_learns_score_of_the_restored_weights(
    make_classifier, overlapping, monitor
):
    X, y, X_val, y_val = overlapping
    estimator = make_classifier(
        epochs=12, early_stopping=True, monitor=monitor, patience=3
    ).fit(X, y, X_val=X_val, y_val=y_val)
    values = estimator.history_[f"val_{monitor}"]
    by_hand = SCORES[monitor](y_val, estimator.predict_proba(X_val))
    assert estimator.best_score_ == by_hand
    assert values[estimator.best_epoch_ - 1] == by_hand
    assert max(values) == by_hand
    assert values.index(by_hand) + 1 == estimator.best_epoch_
    assert list(estimator.history_) == ["loss", "val_loss", f"val_{monitor}"]


def test_loss_is_the_validation_rows_log_loss(make_classifier, overlapping):
    X, y, X_val, y_val = overlapping
    estimator = make_classifier(epochs=12, early_stopping=True, patience=3).fit(
        X, y, X_val=X_val, y_val=y_val
    )
    by_hand = log_loss(y_val, estimator.predict_proba(X_val))
    assert estimator.best_score_ == pytest.approx(by_hand, rel=1e-4)
    assert estimator.best_score_ == min(estimator.history_["val_loss"])
    assert list(estimator.history_) == ["loss", "val_loss"]


def test_callable_scorer_is_watched(overlapping):
    X, y, X_val, y_val = overlapping
    scorer = make_scorer(accuracy_score)
    estimator = skseq.DenseClassifier(
        epochs=8, early_stopping=True, monitor=scorer, random_state=0
    ).fit(X, y, X_val=X_val, y_val=y_val)
    assert estimator.best_score_ == accuracy_score(y_val, estimator.predict(X_val))
    assert max(estimator.history_["val_score"]) == estimator.best_score_


@pytest.mark.parametrize("monitor", ["roc_auc_ovr", "neg_log_loss", "accuracy", "loss"])
def test_monitor_of_three_classes_with_string_labels(three_classes, monitor):
    X, y = three_classes
    y = np.array(["low", "mid", "top"])[y]
    estimator = skseq.GRUClassifier(
        4, epochs=6, early_stopping=True, monitor=monitor, validation_split=0.25,
        random_state=0,
    ).fit(X, y)  # fmt: skip
    name = "val_loss" if monitor == "loss" else f"val_{monitor}"
    best = min if monitor == "loss" else max
    assert estimator.best_score_ == best(estimator.history_[name])
    assert estimator.predict(X).dtype == y.dtype


def test_binary_scorer_of_strings_takes_the_callers_labels(overlapping):
    X, y, X_val, y_val = overlapping
    words = np.array(["bad", "good"])
    estimator = skseq.DenseClassifier(
        epochs=5, early_stopping=True, monitor="roc_auc", random_state=0
    ).fit(X, words[y], X_val=X_val, y_val=words[y_val])
    expected = roc_auc_score(y_val, estimator.predict_proba(X_val)[:, 1])
    assert estimator.best_score_ == expected


def test_roc_auc_of_three_classes_says_what_is_wrong(three_classes):
    X, y = three_classes
    estimator = skseq.DenseClassifier(early_stopping=True, monitor="roc_auc")
    with pytest.raises(
        ValueError, match="monitor='roc_auc' is for two .*'roc_auc_ovr'"
    ):
        estimator.fit(X, y)


@pytest.mark.filterwarnings("ignore:Only one class is present")
def test_score_that_is_not_finite_says_what_is_wrong(overlapping):
    X, y, X_val, _ = overlapping
    estimator = skseq.DenseClassifier(early_stopping=True, monitor="roc_auc")
    match = "monitor='roc_auc' (must be a finite number|can't be computed)"
    with pytest.raises(ValueError, match=match):
        estimator.fit(X, y, X_val=X_val, y_val=np.ones(len(X_val), dtype=int))


# ------------------------------------------------------------ without, and given rows


def test_nothing_is_held_out_without_early_stopping(make_classifier, numbered):
    X, y = numbered
    spy = Spy()
    estimator = make_classifier(epochs=2, monitor=spy, patience=1).fit(X, y)
    assert spy.seen == []
    assert list(estimator.history_) == ["loss"]
    assert estimator.n_iter_ == 2
    assert not hasattr(estimator, "best_epoch_")
    assert not hasattr(estimator, "best_score_")


def test_given_rows_are_only_recorded_without_early_stopping(
    make_classifier, overlapping
):
    X, y, X_val, y_val = overlapping
    estimator = make_classifier(
        epochs=4, monitor="roc_auc", patience=1, metrics=["accuracy"]
    ).fit(X, y, X_val=X_val, y_val=y_val)
    plain = make_classifier(epochs=4).fit(X, y)
    np.testing.assert_array_equal(estimator.predict_proba(X), plain.predict_proba(X))
    assert estimator.n_iter_ == 4
    assert list(estimator.history_) == [
        "loss", "accuracy", "val_loss", "val_accuracy", "val_roc_auc",
    ]  # fmt: skip
    probabilities = estimator.predict_proba(X_val)
    assert estimator.history_["val_roc_auc"][-1] == roc_auc_score(
        y_val, probabilities[:, 1]
    )
    assert estimator.history_["val_accuracy"][-1] == pytest.approx(
        accuracy_score(y_val, estimator.predict(X_val)), rel=1e-6
    )


def test_given_rows_replace_held_out_ones(overlapping):
    X, y, X_val, y_val = overlapping
    spy = Spy()
    skseq.DenseClassifier(epochs=1, early_stopping=True, monitor=spy).fit(
        X, y, X_val=X_val, y_val=y_val
    )
    seen, labels = spy.seen[0]
    np.testing.assert_array_equal(seen, X_val)
    np.testing.assert_array_equal(labels, y_val)


def test_given_weights_count_in_score_and_loss(overlapping):
    X, y, X_val, y_val = overlapping
    weights = np.linspace(0, 3, len(y_val))
    estimator = skseq.DenseClassifier(
        epochs=6, early_stopping=True, monitor="roc_auc", random_state=0
    ).fit(X, y, X_val=X_val, y_val=y_val, sample_weight_val=weights)
    probabilities = estimator.predict_proba(X_val)
    score = roc_auc_score(y_val, probabilities[:, 1], sample_weight=weights)
    assert estimator.best_score_ == pytest.approx(score, rel=1e-12)
    loss = log_loss(y_val, probabilities, sample_weight=weights)
    recorded = estimator.history_["val_loss"][estimator.best_epoch_ - 1]
    assert recorded == pytest.approx(loss, rel=1e-4)


def test_weights_of_held_out_rows_count_in_the_score(numbered):
    X, y = numbered
    weights = np.linspace(1, 2, N_ROWS)

    def scorer(estimator, X, y, sample_weight):
        rows = np.round(X[:, 0, 0] * N_ROWS).astype(int)
        np.testing.assert_array_equal(sample_weight, weights[rows])
        return 0.5

    estimator = skseq.DenseClassifier(epochs=1, early_stopping=True, monitor=scorer)
    estimator.fit(X, y, sample_weight=weights)
    assert estimator.best_score_ == 0.5


def test_refit_without_watching_forgets_the_best_epoch(make_classifier, numbered):
    X, y = numbered
    estimator = make_classifier(epochs=2, early_stopping=True, monitor="roc_auc")
    estimator.fit(X, y)
    assert 1 <= estimator.best_epoch_ <= 2
    estimator.set_params(early_stopping=False).fit(X, y)
    assert not hasattr(estimator, "best_epoch_")
    assert not hasattr(estimator, "best_score_")
    assert list(estimator.history_) == ["loss"]


def test_best_epoch_counts_on_with_warm_start(numbered):
    X, y = numbered
    spy = Spy([0.1, 0.2, 0.3, 0.2, 0.1])
    estimator = skseq.DenseClassifier(
        epochs=2, early_stopping=True, monitor=spy, warm_start=True, random_state=0
    ).fit(X, y)
    assert estimator.best_epoch_ == 2
    estimator.fit(X, y)
    assert estimator.n_iter_ == 4
    assert estimator.best_epoch_ == 3
    assert estimator.history_["val_score"] == [0.1, 0.2, 0.3, 0.2]


def test_given_rows_go_through_a_pipelines_steps(overlapping):
    X, y, X_val, y_val = overlapping
    X, X_val = X.reshape(len(X), -1), X_val.reshape(len(X_val), -1)
    spy = Spy()
    with sklearn.config_context(enable_metadata_routing=True):
        classifier = skseq.LSTMClassifier(
            4, n_timesteps=4, epochs=1, early_stopping=True, monitor=spy
        ).set_fit_request(X_val=True, y_val=True)
        pipeline = Pipeline(
            [("scale", StandardScaler()), ("net", classifier)],
            transform_input=["X_val"],
        )
        pipeline.fit(X, y, X_val=X_val, y_val=y_val)
    scaled = StandardScaler().fit(X).transform(X_val)
    np.testing.assert_array_equal(spy.seen[0][0], scaled)


def test_score_is_deterministic_given_random_state(make_classifier, numbered):
    X, y = numbered
    fits = [
        make_classifier(epochs=4, early_stopping=True, monitor="roc_auc").fit(X, y)
        for _ in range(2)
    ]
    assert fits[0].history_ == fits[1].history_
    assert fits[0].best_epoch_ == fits[1].best_epoch_
    np.testing.assert_array_equal(*(fit.predict_proba(X) for fit in fits))
