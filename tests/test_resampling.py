"""Samplers of sequences: SequenceResampler, LatentSampler, SequenceAugmenter."""

import io
import subprocess
import sys
from operator import attrgetter

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
from imblearn.combine import SMOTEENN
from imblearn.over_sampling import (
    ADASYN,
    SMOTE,
    SMOTEN,
    SMOTENC,
    BorderlineSMOTE,
    RandomOverSampler,
)
from imblearn.pipeline import make_pipeline
from imblearn.under_sampling import (
    ClusterCentroids,
    NearMiss,
    RandomUnderSampler,
    TomekLinks,
)
from imblearn.utils.estimator_checks import parametrize_with_checks
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import (
    FixedThresholdClassifier,
    GridSearchCV,
    StratifiedKFold,
    TunedThresholdClassifierCV,
)
from sklearn.preprocessing import StandardScaler

import skseq
from estimators import AS_KERAS, samplers
from skseq import LatentSampler, SequenceAugmenter, SequenceResampler

NO_SPARSE_FRAMES = {
    "check_samplers_pandas_sparse": (
        "It takes whoever takes dataframes to take sparse columns; autoencoders and "
        "copies with noise are dense."
    )
}


def expected_failures(sampler):
    return {} if isinstance(sampler, SequenceResampler) else NO_SPARSE_FRAMES


checks = parametrize_with_checks(samplers(), expected_failed_checks=expected_failures)


@pytest.mark.parametrize(checks.args[0], list(checks.args[1]), **checks.kwargs)
def test_sampler_passes_check_of_imbalanced_learn(estimator, check):
    check(estimator)


@pytest.fixture
def imbalanced():
    """Make X of shape (90, 6, 2) and y: 70 rows of 0 and 20 of 1, in random order."""
    rng = np.random.default_rng(0)
    y = rng.permutation(np.repeat([0, 1], [70, 20]))
    return rng.normal(size=(90, 6, 2)) + y[:, None, None], y


def flattened(X):
    return X.reshape(len(X), -1)


# ----------------------------------------------------------------- as on a flat table


@pytest.mark.parametrize(
    "sampler",
    [
        None,
        SMOTE(k_neighbors=3),
        ADASYN(),
        BorderlineSMOTE(),
        RandomOverSampler(),
        RandomUnderSampler(),
        ClusterCentroids(),
        TomekLinks(),
        SMOTEENN(),
    ],
    ids=lambda sampler: type(sampler).__name__,
)
def test_it_is_the_sampler_on_flattened_rows(imbalanced, sampler):
    X, y = imbalanced
    before = X.copy()
    resampler = SequenceResampler(sampler, random_state=0)
    X_new, y_new = resampler.fit_resample(X, y)
    reference = SMOTE() if sampler is None else clone(sampler)
    if "random_state" in reference.get_params():
        reference.set_params(random_state=0)
    X_flat, y_flat = reference.fit_resample(flattened(X), y)
    assert_array_equal(flattened(X_new), X_flat)
    assert_array_equal(y_new, y_flat)
    assert X_new.shape[1:] == (6, 2)
    assert_array_equal(X, before)
    assert resampler.sampling_strategy_ == reference.sampling_strategy_
    assert (resampler.n_features_in_, resampler.n_timesteps_in_) == (2, 6)
    assert hasattr(resampler, "sample_indices_") == hasattr(
        reference, "sample_indices_"
    )
    if hasattr(resampler, "sample_indices_"):
        assert_array_equal(X_new, X[resampler.sample_indices_])


def test_random_state_reaches_samplers_without_one(imbalanced):
    X, y = imbalanced
    inner = SMOTEENN(smote=SMOTE(random_state=7))
    resampler = SequenceResampler(inner, random_state=3).fit(X, y)
    assert resampler.sampler_.random_state == 3
    assert resampler.sampler_.smote.random_state == 7
    assert inner.random_state is None
    one, two = (SequenceResampler(random_state=3).fit_resample(X, y) for _ in range(2))
    assert_array_equal(one[0], two[0])
    other = SequenceResampler(random_state=4).fit_resample(X, y)
    assert not np.array_equal(one[0], other[0])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_and_kind_are_kept(imbalanced, dtype):
    X, y = imbalanced
    X_new, y_new = SequenceResampler().fit_resample(X.astype(dtype), pd.Series(y))
    assert X_new.dtype == dtype
    assert isinstance(y_new, pd.Series)
    names = [f"t{i}" for i in range(12)]
    frame = pd.DataFrame(flattened(X), columns=names).astype({"t3": np.float32})
    resampler = SequenceResampler(mask_value=-9.0, n_timesteps=6, random_state=0)
    X_new, _ = resampler.fit_resample(frame, y)
    assert list(X_new.columns) == names
    assert_array_equal(X_new.dtypes, frame.dtypes)
    assert_array_equal(resampler.feature_names_in_, names)
    plain, _ = SequenceResampler(random_state=0).fit_resample(frame, y)
    assert_allclose(X_new, plain, rtol=1e-6)


@pytest.mark.parametrize("sampler", [SequenceResampler(), SequenceAugmenter()])
def test_lists_give_lists(imbalanced, sampler):
    X, y = imbalanced
    sampler = clone(sampler).set_params(random_state=0)
    X_new, y_new = sampler.fit_resample(X.tolist(), y.tolist())
    assert isinstance(X_new, list)
    assert isinstance(y_new, list)
    assert_array_equal(X_new, sampler.fit_resample(X, y)[0])


@pytest.fixture
def unequal(imbalanced):
    """Make a list of 90 rows of 3 to 6 timesteps, the array padded with NaN, and y."""
    X, y = imbalanced
    n_steps = np.random.default_rng(1).integers(3, 7, size=90)
    rows = [row[:n] for row, n in zip(X, n_steps, strict=True)]
    X[np.arange(6) >= n_steps[:, None]] = np.nan
    return rows, X, y


def assert_rows_equal(found, expected):
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert_array_equal(one, other, strict=True)


@pytest.mark.parametrize(
    "sampler",
    [
        SequenceResampler(),
        SequenceResampler(RandomOverSampler()),
        SequenceResampler(TomekLinks()),
        SequenceAugmenter(),
    ],
)
def test_list_of_unequal_rows_is_resampled_as_the_padded_array(unequal, sampler):
    rows, X, y = unequal
    sampler = clone(sampler).set_params(random_state=0)
    of_array = clone(sampler).set_params(mask_value=np.nan)
    new, y_new = sampler.fit_resample(rows, y)
    padded, y_expected = of_array.fit_resample(X, y)
    assert isinstance(new, list)
    assert_rows_equal(new, [row[~np.isnan(row[:, 0])] for row in padded])
    assert_array_equal(y_new, y_expected)
    assert (sampler.n_features_in_, sampler.n_timesteps_in_) == (2, 6)
    assert sampler.mask_value is None
    assert sampler.sampling_strategy_ == of_array.sampling_strategy_
    assert hasattr(sampler, "sample_indices_") == hasattr(of_array, "sample_indices_")
    objects = np.empty(90, dtype=object)
    objects[:] = rows
    as_objects, _ = sampler.fit_resample(objects, y)
    assert as_objects.dtype == object
    assert_rows_equal(list(as_objects), new)


@pytest.mark.parametrize("sampler", [SequenceResampler(), SequenceAugmenter()])
def test_list_after_a_dataframe_has_no_names(unequal, sampler):
    rows, X, y = unequal
    frame = pd.DataFrame(flattened(np.nan_to_num(X))).rename(columns=str)
    sampler.fit(frame, y).fit(rows, y)
    assert not hasattr(sampler, "feature_names_in_")
    assert sampler.n_features_in_ == 2


def test_ids_in_a_list_remain_ids(unequal):
    rows, _, y = unequal
    ids = [np.arange(len(row))[:, None] for row in rows]
    resampler = SequenceResampler(RandomOverSampler(), random_state=0)
    new, _ = resampler.fit_resample(ids, y)
    assert_rows_equal(new, [ids[i] for i in resampler.sample_indices_])
    for sampler in (SequenceResampler(random_state=0), SequenceAugmenter()):
        with pytest.raises(ValueError, match="whole numbers"):
            sampler.fit_resample([7 * one for one in ids], y)


@pytest.mark.parametrize("sampler", [SequenceResampler(), SequenceAugmenter()])
def test_bad_row_of_a_list_is_named(unequal, sampler):
    rows, _, y = unequal
    with pytest.raises(ValueError, match=r"X\[1\] must have 2 features"):
        sampler.fit_resample([rows[0], rows[1][:, :1], *rows[2:]], y)


def test_copies_survive_pickling(imbalanced):
    X, y = imbalanced
    resampler = SequenceResampler(SMOTE(k_neighbors=2), random_state=0).fit(X, y)
    file = io.BytesIO()
    joblib.dump(resampler, file)
    file.seek(0)
    again = joblib.load(file)
    assert_array_equal(again.fit_resample(X, y)[0], resampler.fit_resample(X, y)[0])


# ---------------------------------------------------------------------------- padding


@pytest.fixture(params=["end", "start"])
def lengths(request):
    """Make X of shape (120, 9, 2) with padding, y, and the padding, by a mask value.

    Rows are 5 steps long with values around 0, or 9 with values around 100; a quarter
    are of class 1.
    """

    def make(mask_value):
        rng = np.random.default_rng(1)
        long = rng.random(120) < 0.5
        X = rng.uniform(-1, 1, size=(120, 9, 2)) + 100 * long[:, None, None]
        steps = np.arange(9) if request.param == "end" else np.arange(9)[::-1]
        padding = ~long[:, None] & (steps >= 5)
        X[padding] = mask_value
        return X, (np.arange(120) % 4 == 0).astype(int), padding

    return make


def padded(X, mask_value):
    same = np.isnan(X) if np.isnan(mask_value) else mask_value == X
    assert_array_equal(same.all(axis=2), same.any(axis=2))
    return same.all(axis=2)


@pytest.mark.parametrize("mask_value", [-999.0, 0.0, np.nan])
@pytest.mark.parametrize("sampler", [None, BorderlineSMOTE(), SMOTEENN()])
def test_new_rows_have_the_length_of_those_they_are_made_from(
    lengths, mask_value, sampler
):
    X, y, padding = lengths(mask_value)
    resampler = SequenceResampler(sampler, mask_value=mask_value, random_state=0)
    X_new, y_new = resampler.fit_resample(X, y)
    new = padded(X_new, mask_value)
    patterns = {row.tobytes() for row in padding}
    assert {row.tobytes() for row in new} == patterns
    # Short rows lie between short ones, long rows between long ones.
    short = new.any(axis=1)
    assert abs(X_new[short][~new[short]]).max() <= 1
    assert abs(X_new[~short] - 100).max() <= 1
    if sampler is None:
        assert np.bincount(y_new).tolist() == [90, 90]
        assert_array_equal(X_new[:120], X)


def test_rows_of_one_length_are_neighbours_however_far():
    rng = np.random.default_rng(0)
    long = np.arange(80) % 2 == 0
    # The second feature tells the length, and is next to nothing beside the first.
    X = np.stack([rng.normal(0, 1e4, (80, 9)), np.repeat(long[:, None], 9, 1)], axis=2)
    X[~long, 5:] = -1
    y = (np.arange(80) < 20).astype(int)
    X_new, _ = SequenceResampler(mask_value=-1, random_state=0).fit_resample(X, y)
    made = X_new[80:]
    assert set(np.unique(made[:, 0, 1])) == {0, 1}
    assert_array_equal((made[:, 5:, 0] == -1).all(axis=1), made[:, 0, 1] == 0)


def test_of_two_lengths_the_new_row_has_the_shorter():
    # One long and one short row in class 1: each is the other's only neighbour.
    X = np.ones((12, 6, 1))
    X[:, :, 0] += np.arange(12)[:, None]
    X[0, 4:] = np.nan
    y = np.repeat([1, 0], [2, 10])
    resampler = SequenceResampler(
        SMOTE(k_neighbors=1), mask_value=np.nan, random_state=0
    )
    X_new, y_new = resampler.fit_resample(X, y)
    made = X_new[12:]
    assert len(made) == 8
    assert_array_equal(np.isnan(made[..., 0]), np.isnan(X[[0] * 8, :, 0]))
    assert ((made[:, :4] >= 1) & (made[:, :4] <= 2)).all()


def test_rows_without_a_common_timestep_give_one_with_some():
    X = np.full((12, 6, 1), -1.0)
    X[:6, :2] = 1 + np.arange(6)[:, None, None]
    X[6:, 4:] = 1 + np.arange(6)[:, None, None]
    y = np.array([1, 0, 0, 0, 0, 0] * 2)
    resampler = SequenceResampler(SMOTE(k_neighbors=1), mask_value=-1, random_state=0)
    X_new, _ = resampler.fit_resample(X, y)
    assert (X_new != -1).any(axis=(1, 2)).all()


def test_under_samplers_take_padded_rows_as_they_are(lengths):
    X, y, _ = lengths(np.nan)
    for sampler in (RandomUnderSampler(), NearMiss()):
        resampler = SequenceResampler(sampler, mask_value=np.nan, random_state=0)
        X_new, y_new = resampler.fit_resample(X, y)
        assert_array_equal(X_new, X[resampler.sample_indices_])
        assert np.bincount(y_new).tolist() == [30, 30]


def test_augmented_rows_keep_their_padding(lengths):
    for mask_value in (-999.0, np.nan):
        X, y, padding = lengths(mask_value)
        augmenter = SequenceAugmenter(mask_value=mask_value, random_state=0)
        X_new, _ = augmenter.fit_resample(X, y)
        source = augmenter.sample_indices_
        assert_array_equal(padded(X_new, mask_value), padding[source])
        cells = ~padding[source]
        assert abs(X_new[cells] - X[source][cells]).max() < 60
        assert (X_new[120:] != X[source[120:]])[cells[120:]].all()


# ------------------------------------------------------------- categories and token ids


@pytest.fixture
def mixed(imbalanced):
    """Replace the second feature of ``imbalanced`` by three categories."""
    X, y = imbalanced
    X = X.copy()
    X[..., 1] = np.random.default_rng(2).integers(3, size=X.shape[:2])
    return X, y


@pytest.mark.parametrize("features", [[1], [False, True], np.array([1])])
@pytest.mark.parametrize("sampler", [None, SMOTENC([0], k_neighbors=3)])
@pytest.mark.parametrize("mask_value", [None, -1.0])
def test_categories_stay_categories(mixed, features, sampler, mask_value):
    X, y = mixed
    if mask_value is not None:
        X[::3, 4:] = mask_value
    resampler = SequenceResampler(
        sampler,
        categorical_features=features,
        mask_value=mask_value,
        random_state=0,
    )
    X_new, y_new = resampler.fit_resample(X, y)
    assert isinstance(resampler.sampler_, SMOTENC)
    assert np.bincount(y_new).tolist() == [70, 70]
    assert set(np.unique(X_new[..., 1])) == set(np.unique(X[..., 1]))
    made = X_new[90:, :, 0]
    assert not np.isin(made[made != -1], X[..., 0]).all()


def test_categories_where_padded_rows_vote(mixed):
    # Four short rows and two long ones: each has neighbours of the other length.
    X, y = mixed[0][:46], np.repeat([1, 0], [6, 40])
    X[:4, 2:] = -1
    resampler = SequenceResampler(
        categorical_features=[1], mask_value=-1, random_state=0
    )
    made = resampler.fit_resample(X, y)[0][46:]
    assert np.isin(made[..., 1], [-1, 0, 1, 2]).all()
    assert (made[:, 2:, 1] != -1).any()


def test_categories_of_columns_and_of_folded_columns(mixed):
    X, y = mixed
    table = flattened(X)
    by_column = SequenceResampler(
        categorical_features=np.arange(1, 12, 2), random_state=0
    ).fit_resample(table, y)
    by_feature = SequenceResampler(
        categorical_features=[1], n_timesteps=6, random_state=0
    ).fit_resample(table, y)
    cube = SequenceResampler(categorical_features=[1], random_state=0)
    X_new, _ = cube.fit_resample(X, y)
    assert_array_equal(by_column[0], by_feature[0])
    assert_array_equal(by_column[0], flattened(X_new))


@pytest.mark.parametrize("shape", [(90, 8), (90, 8, 1), (90, 4, 2)])
@pytest.mark.parametrize("sampler", [None, ADASYN(), ClusterCentroids(), SMOTEENN()])
def test_token_ids_are_not_interpolated(imbalanced, shape, sampler):
    ids = np.random.default_rng(0).integers(1, 500, size=shape)
    with pytest.raises(ValueError, match=r"token ids.*RandomOverSampler.*SMOTEN"):
        SequenceResampler(sampler, random_state=0).fit_resample(ids, imbalanced[1])


@pytest.mark.parametrize(
    "sampler", [RandomOverSampler(), RandomUnderSampler(), NearMiss(), SMOTEN()]
)
def test_token_ids_go_through_samplers_that_take_or_vote(imbalanced, sampler):
    ids = np.random.default_rng(0).integers(1, 500, size=(90, 8, 1))
    ids[::2, 5:] = 0
    resampler = SequenceResampler(sampler, mask_value=0, random_state=0)
    X_new, y_new = resampler.fit_resample(ids, imbalanced[1])
    assert X_new.dtype == ids.dtype
    assert len(set(np.bincount(y_new))) == 1
    assert np.isin(X_new, ids).all()
    assert_array_equal((X_new == 0).all(axis=(0, 2)), False)


# ------------------------------------------------------------------------- in pipelines


class CountRows(TransformerMixin, BaseEstimator):
    """A transformer that records the number of rows."""

    def fit(self, X, y=None):
        self.fitted_on_ = len(X)
        return self

    def transform(self, X):
        return X


@pytest.mark.parametrize(
    "sampler",
    [
        SequenceResampler(random_state=0),
        SequenceAugmenter(random_state=0),
        LatentSampler(random_state=0),
    ],
    ids=lambda sampler: type(sampler).__name__,
)
def test_only_training_rows_are_resampled(imbalanced, sampler):
    X, y = imbalanced
    net = skseq.GRUClassifier(4, epochs=3, random_state=0)
    model = make_pipeline(clone(sampler), CountRows(), net).fit(X, y)
    assert model[1].fitted_on_ == 140
    assert model.predict_proba(X).shape == (90, 2)
    rest = net.fit(*clone(sampler).fit_resample(X, y))
    assert_array_equal(model.predict_proba(X), rest.predict_proba(X))


def test_parameters_of_the_sampler_are_searched(imbalanced):
    X, y = imbalanced
    model = make_pipeline(
        SequenceResampler(SMOTE(), random_state=0),
        skseq.DenseClassifier((4,), epochs=3, random_state=0),
    )
    search = GridSearchCV(
        model,
        {"sequenceresampler__sampler__k_neighbors": [2, 5]},
        scoring="roc_auc",
        cv=3,
    ).fit(X, y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    best = search.best_estimator_[0]
    assert (
        best.sampler_.k_neighbors
        == search.best_params_["sequenceresampler__sampler__k_neighbors"]
    )


def test_table_before_a_network(imbalanced):
    X, y = imbalanced
    frame = pd.DataFrame(flattened(X)).add_prefix("c")
    model = make_pipeline(
        StandardScaler().set_output(transform="pandas"),
        SequenceResampler(random_state=0),
        skseq.LSTMClassifier(4, n_timesteps=6, epochs=2, random_state=0),
    ).fit(frame, y)
    assert_array_equal(model[-1].feature_names_in_, frame.columns)
    assert model.predict(frame).shape == (90,)


# ------------------------------------------------------------------- inside a network


def dense(sampler=None, **params):
    return skseq.DenseClassifier(
        (8,), epochs=5, random_state=0, **AS_KERAS, **{"sampler": sampler, **params}
    )


def bits(net):
    return [weights.tobytes() for weights in net.model_.get_weights()]


class FarOff(SequenceAugmenter):
    """A sampler that makes rows with all values equal to 50."""

    def _fit_resample(self, X, y):
        X_new, y_new = super()._fit_resample(X, y)
        X_new[len(X) :] = 50
        return X_new, y_new


@pytest.mark.parametrize("way", ["fraction", "splitter", "groups", "X_val"])
def test_watched_rows_are_real_and_in_their_ratio(imbalanced, way):
    X, y = imbalanced
    seen = []

    def watch(estimator, X, y):
        seen.append((X, y, estimator.predict_proba(X)))
        return 0.0

    params, options, n_held_out = {}, {}, 27
    if way == "X_val":
        options = {"X_val": X[:27], "y_val": y[:27]}
        X, y = X[27:], y[27:]
    else:
        split = StratifiedKFold(3) if way == "splitter" else 0.3
        n_held_out = 30 if way == "splitter" else 27
        params = {"validation_split": split}
        if way == "groups":
            options = {"groups": np.arange(90) // 3}
            n_held_out = 30
    net = dense(FarOff(), early_stopping=True, monitor=watch, **params)
    net.fit(X, y, **options)
    assert seen
    rows, labels, _ = seen[0]
    assert len(rows) == len(labels) == n_held_out
    assert not (rows == 50).any()
    assert 0.1 < labels.mean() < 0.35
    # As many rows are made as the training part lacks, and none of the rest.
    rest = (
        imbalanced[1].sum() - labels.sum(),
        (imbalanced[1] == 0).sum() - (labels == 0).sum(),
    )
    assert net.sampler_.sampling_strategy_ == {1: rest[1] - rest[0]}


@pytest.mark.parametrize("shape", ["table", "sequences"])
@pytest.mark.parametrize(
    "sampler",
    [
        SMOTE(random_state=3),
        SMOTEENN(random_state=3),
        RandomUnderSampler(random_state=3),
        SequenceResampler(BorderlineSMOTE(), random_state=3),
        SequenceAugmenter(random_state=3),
    ],
    ids=lambda sampler: type(sampler).__name__,
)
def test_without_held_out_rows_it_is_resampling_before(imbalanced, shape, sampler):
    X, y = imbalanced
    X = X.astype(np.float32)
    if shape == "table":
        X = flattened(X)
    alone = sampler
    if shape == "sequences" and type(sampler).__module__.startswith("imblearn"):
        alone = SequenceResampler(sampler)
    inside = dense(sampler).fit(X, y)
    before = dense().fit(*clone(alone).fit_resample(X, y))
    assert bits(inside) == bits(before)
    assert not hasattr(sampler, "sampling_strategy_")
    assert_array_equal(inside.predict(X), before.predict(X))


def test_sampler_is_seeded_by_the_fit(imbalanced):
    X, y = imbalanced
    one, two = (dense(SMOTE()).fit(X, y) for _ in range(2))
    assert bits(one) == bits(two)
    other = dense(SMOTE()).set_params(random_state=1).fit(X, y)
    assert other.sampler_.random_state != one.sampler_.random_state
    assert dense(SMOTE(random_state=5)).fit(X, y).sampler_.sampler_.random_state == 5


def test_balanced_class_weight_uses_the_resampled_rows(imbalanced):
    X, y = imbalanced
    assert bits(dense(SMOTE(), class_weight="balanced").fit(X, y)) == bits(
        dense(SMOTE()).fit(X, y)
    )
    assert bits(dense(class_weight="balanced").fit(X, y)) != bits(dense().fit(X, y))


def test_sampler_gets_the_labels_of_the_user(imbalanced):
    X, y = imbalanced
    labels = np.array(["good", "bad"])[y]
    sampler = SMOTE(sampling_strategy={"bad": 40})
    net = dense(sampler).fit(X, labels)
    assert net.sampler_.sampling_strategy_ == {"bad": 20}
    assert set(net.predict(X)) <= {"good", "bad"}


def test_weights_go_with_rows_that_are_taken(imbalanced):
    X, y = imbalanced
    X = X.astype(np.float32)
    weights = np.random.default_rng(0).uniform(0.5, 2, size=90)
    weights[::7] = 0
    for sampler in (
        RandomUnderSampler(random_state=3),
        RandomOverSampler(random_state=3),
    ):
        inside = dense(sampler).fit(X, y, weights)
        kept = np.flatnonzero(weights)
        before = SequenceResampler(sampler).fit(X[kept], y[kept])
        rows = kept[before.sample_indices_]
        assert bits(inside) == bits(dense().fit(X[rows], y[rows], weights[rows]))
    with pytest.raises(ValueError, match="sample_weight must be None.*SMOTE"):
        dense(SMOTE()).fit(X, y, weights)
    assert bits(dense(SMOTE()).fit(X, y, np.full(90, 2.0))) == bits(
        dense(SMOTE()).fit(X, y)
    )


def test_encoder_is_pretrained_on_real_rows(imbalanced):
    X, y = imbalanced[0].astype(np.float32), imbalanced[1]
    encoder = skseq.AutoencoderTransformer(layer_sizes=(8,), epochs=3, random_state=0)
    net = dense(SMOTE(), pretrained=encoder).fit(X, y)
    alone = clone(encoder).fit(X)
    assert_array_equal(net.pretrained_.transform(X), alone.transform(X))


def test_going_on_resamples_alike(imbalanced):
    X, y = imbalanced
    once = dense(SMOTE()).set_params(epochs=6).fit(X, y)
    twice = dense(SMOTE(), warm_start=True).set_params(epochs=3)
    assert bits(twice.fit(X, y).fit(X, y)) == bits(once)


def test_nothing_is_resampled_without_training(imbalanced):
    X, y = imbalanced
    net = dense(SMOTE(k_neighbors=500)).initialize(X, y)
    assert not hasattr(net, "sampler_")
    net.set_params(sampler=SMOTE()).fit(X, y)
    assert net.predict_proba(X).shape == (90, 2)
    net.set_params(sampler=None).fit(X, y)
    assert not hasattr(net, "sampler_")


def test_every_classifier_has_a_sampler_that_grids_search(make_classifier, imbalanced):
    X, y = imbalanced
    net = make_classifier(epochs=2, sampler=SMOTE())
    search = GridSearchCV(
        net,
        {"sampler__k_neighbors": [2, 4], "epochs": [1, 2]},
        scoring="roc_auc",
        cv=2,
    ).fit(X, y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    again = clone(search.best_estimator_)
    assert again.sampler is not search.best_estimator_.sampler
    assert again.get_params()["sampler__k_neighbors"] == again.sampler.k_neighbors
    file = io.BytesIO()
    joblib.dump(search.best_estimator_, file)
    file.seek(0)
    assert_array_equal(joblib.load(file).predict(X), search.predict(X))


@pytest.fixture
def sampled(monkeypatch):
    """Record the pairs of X and y that a SequenceResampler gets."""
    seen = []
    fit_resample = SequenceResampler.fit_resample

    def spy(self, X, y):
        seen.append((X, y))
        return fit_resample(self, X, y)

    monkeypatch.setattr(SequenceResampler, "fit_resample", spy)
    return seen


@pytest.mark.parametrize(
    "sampler", [SMOTE(), RandomOverSampler(shrinkage=0.5), TomekLinks()]
)
def test_sampler_is_shown_the_rows_that_count(imbalanced, sampled, sampler):
    X, y = imbalanced
    counts = np.arange(90) % 3 > 0
    dense(sampler).fit(X, y, sample_weight=counts)
    ((rows, labels),) = sampled
    assert_array_equal(rows, X[counts].astype(np.float32))
    assert_array_equal(labels, y[counts])


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("sampler", [RandomUnderSampler(), RandomOverSampler()])
def test_memmap_of_which_rows_are_taken_is_not_copied(
    tmp_path, monkeypatch, sampled, sampler, early_stopping
):
    path = tmp_path / "X.npy"
    rng = np.random.default_rng(0)
    y = (np.arange(400) % 10 == 0).astype(int)
    np.save(path, rng.normal(size=(400, 5, 2)).astype(np.float32))
    X = np.load(path, mmap_mode="r")
    trained_on = []
    rows_of = skseq.DenseClassifier._rows

    def spy(self, rows, *args):
        trained_on.append(rows.X)
        return rows_of(self, rows, *args)

    monkeypatch.setattr(skseq.DenseClassifier, "_rows", spy)
    options = {"early_stopping": early_stopping, "monitor": "roc_auc"}
    net = dense(sampler, **options).fit(X, y)
    assert all(np.shares_memory(rows, X) for rows in trained_on)
    # Samplers that use labels alone are shown no rows, which had to be gathered.
    assert [rows.size for rows, _ in sampled] == [360 if early_stopping else 400]
    monkeypatch.undo()
    # In a SequenceResampler it is shown them, and takes the same.
    shown = dense(SequenceResampler(sampler), **options).fit(np.array(X), y)
    assert_array_equal(shown.sampler_.sample_indices_, net.sampler_.sample_indices_)
    assert_array_equal(shown.predict_proba(X), net.predict_proba(X))


@pytest.mark.parametrize(
    ("params", "y", "match"),
    [
        ({"sampler": "SMOTE"}, None, "'sampler' parameter of DenseClassifier must be"),
        ({"sampler": StandardScaler()}, None, "'sampler' parameter of DenseClassifie"),
        ({"sampler": SMOTE}, None, "class"),
        (
            {"sampler": SMOTE()},
            np.repeat([0, 1], [86, 4]),
            "SMOTE can't resample 86 rows of class 0 and 4 rows of class 1: .*lower k_",
        ),
        (
            {"sampler": SMOTE(sampling_strategy=0.1)},
            None,
            "SMOTE can't resample.*increase the ratio",
        ),
        (
            {"sampler": RandomUnderSampler(sampling_strategy={0: 0})},
            None,
            "sampler must leave rows of at least 2 classes",
        ),
    ],
)
def test_fit_refuses_samplers_that_will_not_do(imbalanced, params, y, match):
    X, y = imbalanced[0], imbalanced[1] if y is None else y
    net = dense(**params)
    with pytest.raises((ValueError, TypeError), match=f"(?s){match}"):
        net.fit(X, y)
    assert not net.initialized_
    with pytest.raises(ValueError, match="sampler__a needs sampler, got None"):
        dense().set_params(sampler__a=1)


def test_partial_fit_takes_no_sampler(imbalanced):
    with pytest.raises(ValueError, match="sampler must be None with partial_fit"):
        dense(SMOTE()).partial_fit(*imbalanced, classes=[0, 1])


@pytest.fixture
def rare():
    """Make X of shape (600, 5, 2), and y with a tenth of ones."""
    rng = np.random.default_rng(0)
    y = (np.arange(600) % 10 == 0).astype(int)
    return rng.normal(size=(600, 5, 2)) + 0.7 * y[:, None, None], y


@pytest.mark.parametrize("place", ["before", "inside"])
def test_thresholds_and_calibration_over_samplers(rare, place):
    X, y = rare
    if place == "inside":
        model = dense(SMOTE())
    else:
        model = make_pipeline(SequenceResampler(random_state=0), dense())
    model = model.fit(X, y)
    probabilities = model.predict_proba(X)[:, 1]
    assert probabilities.mean() > 0.2
    calibrated = CalibratedClassifierCV(model, cv=3).fit(X, y)
    assert calibrated.predict_proba(X)[:, 1].mean() == pytest.approx(0.1, abs=0.02)
    fixed = FixedThresholdClassifier(FrozenEstimator(model), threshold=0.8)
    assert_array_equal(fixed.fit(X, y).predict(X), probabilities >= 0.8)
    tuned = TunedThresholdClassifierCV(
        model, scoring="f1", cv=3, store_cv_results=True, random_state=0
    ).fit(X, y)
    assert tuned.best_score_ == tuned.cv_results_["scores"].max()
    # A network that takes half of all rows for 1 wants a high threshold.
    assert tuned.best_threshold_ > 0.5
    refitted = tuned.estimator_.predict_proba(X)[:, 1]
    assert_array_equal(tuned.predict(X), refitted >= tuned.best_threshold_)


# ------------------------------------------------------------------------ LatentSampler


@pytest.fixture
def sines():
    """Make X of shape (120, 20, 1) of sines with random phases, and y with 24 ones."""
    rng = np.random.default_rng(0)
    X = np.sin(rng.uniform(0, 2 * np.pi, size=(120, 1)) + np.linspace(0, 6, 20))
    return X[:, :, None], (np.arange(120) % 5 == 0).astype(int)


def test_decoded_rows_are_sequences_of_the_kind():
    # Sines from half of the circle: one number says which.
    rng = np.random.default_rng(0)
    X = np.sin(rng.uniform(0, np.pi, size=(120, 1)) + np.linspace(0, 6, 20))[..., None]
    y = (np.arange(120) % 10 == 0).astype(int)
    smote = SMOTE(k_neighbors=11)
    sampler = LatentSampler(
        smote, autoencoder=_autoencoder(n_components=1, epochs=300), random_state=0
    )
    X_new, y_new = sampler.fit_resample(X, y)
    assert np.bincount(y_new).tolist() == [108, 108]
    assert_array_equal(X_new[:120], X)
    assert sampler.autoencoder_.random_state == 0
    between, _ = SequenceResampler(smote, random_state=0).fit_resample(X, y)
    # What lies between two sines is flatter than they are; a decoded row is not.
    spread = X.std(axis=1).mean()
    flatter = between[120:].std(axis=1).mean() / spread
    decoded = X_new[120:].std(axis=1).mean() / spread
    assert flatter < 0.93
    assert 0.97 < decoded < 1.03


def _autoencoder(**params):
    return skseq.AutoencoderTransformer(
        **{"layer_sizes": (32, 16), "epochs": 100, **params}
    )


def test_rows_that_are_taken_are_rows_of_x(sines):
    X, y = sines
    autoencoder = _autoencoder(epochs=2)
    sampler = LatentSampler(
        RandomUnderSampler(), autoencoder=autoencoder, random_state=0
    )
    X_new, y_new = sampler.fit_resample(X, y)
    assert_array_equal(X_new, X[sampler.sample_indices_])
    assert np.bincount(y_new).tolist() == [24, 24]
    assert not autoencoder.initialized_


@pytest.mark.parametrize("sampler", [RandomUnderSampler(), SMOTE()])
def test_rows_that_share_a_code_are_told_apart(sines, sampler, monkeypatch):
    X, y = sines
    fitted = _autoencoder(epochs=1, random_state=0).fit(X)
    monkeypatch.setattr(
        skseq.AutoencoderTransformer, "transform", lambda self, X: np.zeros((len(X), 2))
    )
    latent = LatentSampler(sampler, autoencoder=FrozenEstimator(fitted), random_state=0)
    X_new, y_new = latent.fit_resample(X, y)
    rows = getattr(latent, "sample_indices_", np.arange(120))
    assert_array_equal(X_new[: len(rows)], X[rows])
    assert_array_equal(y_new[: len(rows)], y[rows])


def test_frozen_autoencoder_is_used_as_it_is(sines):
    X, y = sines
    fitted = _autoencoder(epochs=2, random_state=1).fit(X)
    sampler = LatentSampler(autoencoder=FrozenEstimator(fitted), random_state=0)
    X_new, _ = clone(sampler).fit_resample(X, y)
    codes, _ = SMOTE(random_state=0).fit_resample(fitted.transform(X), y)
    assert_array_equal(X_new[120:], fitted.inverse_transform(codes[120:]))


@pytest.mark.parametrize("flat", [False, True])
@pytest.mark.parametrize("one_hot", [False, True])
def test_decoded_rows_are_padded_as_the_nearest_of_their_class(sines, flat, one_hot):
    X, y = sines
    labels = y + 2 * (np.arange(120) % 5 == 1)
    # Rows of the first class are long; of the others some have 5 steps and some 9.
    lengths = np.where(labels == 0, 20, np.where(np.arange(120) % 2, 5, 9))
    X[np.arange(20) >= lengths[:, None]] = -9
    X = X[..., 0] if flat else X
    y = np.eye(3, dtype=int)[labels] if one_hot else labels
    autoencoder = _autoencoder(n_components=2, mask_value=-9.0, epochs=20)
    sampler = LatentSampler(autoencoder=autoencoder, random_state=0)
    X_new, y_new = sampler.fit_resample(X, y)
    assert X_new.shape == (216, *X.shape[1:])
    assert_array_equal(X_new[:120], X)
    made = X_new[120:].reshape(96, 20)
    new_labels = (y_new.argmax(axis=1) if one_hot else y_new)[120:]
    codes = sampler.autoencoder_.transform(X)
    new_codes, _ = SMOTE(random_state=0).fit_resample(codes, labels)
    for row, code, label in zip(made, new_codes[120:], new_labels, strict=True):
        of_class = np.flatnonzero(labels == label)
        distances = ((codes[of_class] - code) ** 2).sum(axis=1)
        length = lengths[of_class[distances.argmin()]]
        assert_array_equal(row == -9, np.arange(20) >= length)
    assert set((made != -9).sum(axis=1)) == {5, 9}


def test_table_of_named_columns_through_codes(sines):
    X, y = sines
    frame = pd.DataFrame(flattened(X)).add_prefix("c")
    sampler = LatentSampler(autoencoder=_autoencoder(epochs=2), random_state=0)
    X_new, y_new = sampler.fit_resample(frame, pd.Series(y))
    assert list(X_new.columns) == list(frame.columns)
    assert_array_equal(X_new[:120], frame)
    assert len(X_new) == len(y_new) == 192


# -------------------------------------------------------------------- SequenceAugmenter


def test_copies_without_noise_are_copies(imbalanced):
    X, y = imbalanced
    augmenter = SequenceAugmenter(jitter=0, scaling=0, random_state=0)
    X_new, y_new = augmenter.fit_resample(X, y)
    assert_allclose(X_new, X[augmenter.sample_indices_], atol=1e-12)
    assert_array_equal(X_new[:90], X)
    assert_array_equal(y_new, y[augmenter.sample_indices_])
    assert (y_new[90:] == 1).all()


def test_noise_and_factors_have_their_size():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2000, 5, 2)) * [1, 100] + [0, 50]
    y = np.repeat([0, 1], [1800, 200])
    jittered = SequenceAugmenter(jitter=0.2, scaling=0, random_state=0)
    X_new, _ = jittered.fit_resample(X, y)
    noise = (X_new - X[jittered.sample_indices_])[2000:]
    assert_allclose(noise.std(axis=(0, 1)), [0.2, 20], rtol=0.05)
    scaled = SequenceAugmenter(jitter=0, scaling=0.3, random_state=0)
    X_new, _ = scaled.fit_resample(X, y)
    mean = X.mean(axis=0)
    factors = ((X_new - mean) / (X[scaled.sample_indices_] - mean))[2000:]
    # One for each feature, at all timesteps, around 1.
    assert_allclose(factors.std(axis=1), 0, atol=1e-9)
    assert factors[:, 0].mean() == pytest.approx(1, abs=0.02)
    assert_allclose(factors[:, 0].std(axis=0), [0.3, 0.3], rtol=0.06)


def test_sampling_strategy_of_the_augmenter(imbalanced):
    X, y = imbalanced
    for strategy, expected in (
        ({1: 50}, [70, 50]),
        (0.5, [70, 35]),
        ("all", [70, 70]),
    ):
        augmenter = SequenceAugmenter(sampling_strategy=strategy, random_state=0)
        assert np.bincount(augmenter.fit_resample(X, y)[1]).tolist() == expected
    for sampler in (SequenceAugmenter(), SequenceResampler()):
        with pytest.raises(ValueError, match="y must be no frame of polars"):
            sampler.fit(X, pl.DataFrame({"label": y}))
    with pytest.raises(ValueError, match="sampling_strategy can't be used: .*'a'"):
        SequenceAugmenter(sampling_strategy={"a": 1}).fit(X, y)
    with pytest.raises(ValueError, match="y must hold class labels: Unknown label"):
        SequenceAugmenter().fit(X, y * 1e300)


# -------------------------------------------------------------------------- bad input


class _WithoutLabels(BaseEstimator):
    def fit_resample(self, X):
        return X


class _RowsAlone(BaseEstimator):
    def fit_resample(self, X, y=None):
        return X


class _FewerRows(BaseEstimator):
    def fit_resample(self, X, y):
        return X[::2], y


BAD = {
    "sampler is none": (
        SequenceResampler(StandardScaler()),
        {},
        "The 'sampler' parameter of SequenceResampler must be .*fit_resample",
    ),
    "sampler by name": (
        SequenceResampler("SMOTE"),
        {},
        "The 'sampler' parameter of SequenceResampler must be",
    ),
    "few neighbours": (
        SequenceResampler(),
        {"y": np.repeat([0, 1], [86, 4])},
        "SMOTE can't resample 86 rows of class 0 and 4 rows of class 1: .*lower k_n",
    ),
    "one class": (
        SequenceResampler(),
        {"y": np.zeros(90, int)},
        "SMOTE can't resample 90 rows of class 0: .*class",
    ),
    "ratio": (
        SequenceResampler(SMOTE(sampling_strategy=0.1)),
        {},
        "SMOTE can't resample 70 rows of class 0 and 20 rows of class 1: .*the ratio",
    ),
    "unknown class": (
        SequenceResampler(SMOTE(sampling_strategy={7: 10})),
        {},
        "SMOTE can't resample .* class is/are not present",
    ),
    "nan": (
        SequenceResampler(),
        {"X": np.full((90, 6, 2), np.nan)},
        "contains NaN.*mask_value",
    ),
    "row of padding": (
        SequenceResampler(mask_value=-1),
        {"X": np.full((90, 6, 2), -1.0)},
        "got 90 rows with only mask_value=-1",
    ),
    "n_timesteps": (
        SequenceResampler(mask_value=-1, n_timesteps=5),
        {"X": np.zeros((90, 12))},
        "n_timesteps=5 must divide the number of columns",
    ),
    "categories by index": (
        SequenceResampler(categorical_features=[2]),
        {},
        "categorical_features must be indices of X's 2 features",
    ),
    "categories by name": (
        SequenceResampler(categorical_features=["a"]),
        {},
        "categorical_features must be indices",
    ),
    "categories through SMOTE": (
        SequenceResampler(SMOTE(), categorical_features=[1]),
        {"X": np.random.default_rng(0).integers(3, size=(90, 6, 2)).astype(float)},
        "X holds categories, and SMOTE interpolates between them.*SMOTENC",
    ),
    "whole numbers to augment": (
        SequenceAugmenter(),
        {"X": np.arange(90 * 12).reshape(90, 6, 2)},
        r"got whole numbers of dtype int64 in X, which .* token ids\. Noise would",
    ),
    "list of whole numbers to augment": (
        SequenceAugmenter(),
        {"X": np.arange(90 * 12).reshape(90, 12).tolist()},
        "got whole numbers of dtype int64 in X",
    ),
    "takes no y": (
        SequenceResampler(_WithoutLabels()),
        {},
        r"sampler must have fit_resample\(X, y\), got _WithoutLabels with "
        r"fit_resample\(X\): .*FunctionSampler",
    ),
    "gives no labels": (
        SequenceResampler(_RowsAlone()),
        {},
        "sampler must return rows and as many labels, got <class 'numpy.ndarray'> from "
        "fit_resample of _RowsAlone",
    ),
    "gives fewer rows than labels": (
        LatentSampler(_FewerRows(), autoencoder=_autoencoder(epochs=1)),
        {},
        "sampler must return rows and as many labels, got <class 'tuple'>",
    ),
    "length of y": (SequenceResampler(), {"y": np.zeros(3)}, "inconsistent"),
    "no y": (SequenceResampler(), {"y": None}, "y must hold class labels.*got None"),
    "no y to augment": (SequenceAugmenter(), {"y": None}, "y must hold class labels"),
    "four dimensions": (
        SequenceResampler(),
        {"X": np.zeros((90, 6, 2, 1))},
        "X must have 2 dimensions .* or 3 .*got 4",
    ),
    "amounts for labels": (
        SequenceResampler(),
        {"y": np.linspace(0, 1, 90)},
        "SMOTE can't resample 90 different values in y: Unknown label type",
    ),
    "two ids through codes": (
        LatentSampler(autoencoder=_autoencoder(epochs=1)),
        {"X": np.random.default_rng(0).integers(50, size=(90, 6))},
        r"X must hold measured values, .* in X, which look like token ids\. An auto",
    ),
    "autoencoder": (
        LatentSampler(autoencoder=StandardScaler()),
        {},
        "autoencoder must be an AutoencoderTransformer.*got StandardScaler",
    ),
    "padding alone through codes": (
        LatentSampler(autoencoder=_autoencoder(mask_value=0.0, epochs=1)),
        {"X": np.arange(90.0)[:, None, None] * np.ones((90, 6, 2))},
        "Each row must have a timestep that is not padding, got 1 rows",
    ),
    "nan through codes": (
        LatentSampler(autoencoder=_autoencoder(epochs=1)),
        {"X": np.full((90, 6, 2), np.nan)},
        "contains NaN",
    ),
    "nan to augment": (
        SequenceAugmenter(),
        {"X": np.full((90, 6, 2), np.nan)},
        "X must have no missing values, got NaN.*mask_value",
    ),
    "one class to augment": (
        SequenceAugmenter(),
        {"y": np.zeros(90, int)},
        "y must hold labels of at least 2 classes, got 1 class",
    ),
    "negative jitter": (SequenceAugmenter(jitter=-1), {}, "'jitter' parameter"),
    "length of y to augment": (
        SequenceAugmenter(),
        {"y": np.arange(3) % 2},
        "y must have one entry for each of the 90 rows",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_refused(imbalanced, name):
    sampler, changed, match = BAD[name]
    X, y = imbalanced
    with pytest.raises((ValueError, TypeError), match=f"(?s){match}"):
        clone(sampler).fit_resample(**{"X": X, "y": y, **changed})


@pytest.mark.parametrize("method", ["fit", "fit_resample"])
def test_failed_fit_changes_nothing(imbalanced, method):
    X, y = imbalanced
    for sampler in (SequenceResampler(), LatentSampler(), SequenceAugmenter()):
        if isinstance(sampler, LatentSampler):
            sampler.set_params(autoencoder=_autoencoder(epochs=1))
        sampler.fit_resample(X, y)
        before = dict(vars(sampler))
        with pytest.raises(ValueError, match="class"):
            getattr(sampler, method)(X[:40, :3], np.zeros(40, int))
        assert vars(sampler) == before
        with pytest.raises(ValueError, match="can't resample|number of samples in a"):
            sampler.set_params(**_too_few(sampler)).fit(X[:, :3], y)
        assert sampler.n_timesteps_in_ == 6
        if not isinstance(sampler, SequenceAugmenter):
            continue
        with pytest.raises(
            TypeError, match=rf"SequenceAugmenter\.{method}\(\) got .*'a'"
        ):
            getattr(sampler, method)(X, y, a=1)
        with pytest.raises(ValueError, match="y must hold class labels, got None"):
            getattr(sampler, method)(X, None)


def _too_few(sampler):
    strategy = {"sampling_strategy": {0: 1}}
    augments = isinstance(sampler, SequenceAugmenter)
    return strategy if augments else {"sampler": SMOTE(**strategy)}


# ----------------------------------------------------------------------------- imports


def _run(code):
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=300
    )


def test_resampling_loads_no_tensorflow():
    done = _run(
        "import sys, numpy as np, skseq\n"
        "X, y = np.random.rand(30, 4, 2), np.arange(30) % 3 == 0\n"
        "skseq.SequenceResampler().fit_resample(X, y)\n"
        "skseq.SequenceAugmenter().fit_resample(X, y)\n"
        "assert not {'tensorflow', 'keras'} & set(sys.modules)"
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_without_imbalanced_learn_it_says_what_to_install():
    done = _run(
        "import sys; sys.modules['imblearn'] = None\n"
        "import skseq; skseq.DenseClassifier; skseq.SequenceResampler"
    )
    assert done.returncode != 0
    assert "pip install imbalanced-learn" in done.stderr


# ---------------------------------------------------------------- whole numbers, frames


@pytest.mark.parametrize("name", ["LSTMClassifier", "DenseClassifier"])
def test_ids_are_refused_inside_a_network_too(name):
    rng = np.random.default_rng(0)
    ids, y = rng.integers(1000, size=(60, 5, 2)), np.repeat([0, 1], [48, 12])
    net = getattr(skseq, name)(epochs=1, sampler=SMOTE(), random_state=0)
    for X in (ids, ids.reshape(60, 10), ids.tolist()):
        with pytest.raises(
            ValueError, match="whole numbers, such as token ids, and SMO"
        ):
            net.fit(X, y)
        assert not hasattr(net, "sampler_")
        # Amounts are amounts, and rows that are taken as they are stay ids.
        net.fit(np.asarray(X, float), y)
        clone(net).set_params(sampler=RandomOverSampler()).fit(X, y)
        clone(net).set_params(sampler=SMOTEN()).fit(X, y)
        vars(net).pop("sampler_")


def test_sampler_that_was_fitted_is_gone_where_none_is_used(imbalanced):
    X, y = imbalanced
    net = skseq.DenseClassifier((4,), epochs=1, sampler=RandomOverSampler())
    assert hasattr(net.fit(X, y), "sampler_")
    assert not hasattr(net.initialize(X, y), "sampler_")
    net.fit(X, y).set_params(sampler=None, warm_start=True)
    assert not hasattr(net.fit(X, y), "sampler_")


@pytest.mark.parametrize("container", ["pandas", "polars"])
def test_whole_numbers_in_a_frame_are_not_augmented(imbalanced, container):
    X, y = imbalanced
    table = pd.DataFrame(flattened(X)).add_prefix("c").round()
    frame = pytest.importorskip(container).DataFrame
    SequenceAugmenter().fit_resample(frame(table), y)
    with pytest.raises(
        ValueError, match="whole numbers of dtype int64 in column 'c3', .*Noise would"
    ):
        SequenceAugmenter().fit_resample(frame(table.astype({"c3": int})), y)


def test_codes_of_whole_numbers_in_a_frame_are_refused(imbalanced):
    X, y = imbalanced
    table = pd.DataFrame(10 * flattened(X)).add_prefix("c")
    sampler = LatentSampler(random_state=0)
    new, _ = sampler.fit_resample(table, y)
    assert all(dtype.kind == "f" for dtype in new.dtypes)
    table["c3"] = table["c3"].astype(int)
    with pytest.raises(
        ValueError, match="got whole numbers of dtype int64 in column 'c3"
    ):
        sampler.fit_resample(table, y)
    # Rows that are taken as they are may hold them.
    new, _ = LatentSampler(RandomUnderSampler(), random_state=0).fit_resample(table, y)
    assert new["c3"].dtype.kind == "i"


@pytest.mark.parametrize(
    "sampler",
    [
        SequenceResampler(random_state=0),
        SequenceResampler(RandomOverSampler(), random_state=0),
        SequenceResampler(n_timesteps=6, mask_value=-9.0, random_state=0),
        SequenceAugmenter(random_state=0),
        LatentSampler(random_state=0),
    ],
    ids=str,
)
def test_frames_of_polars_give_frames_of_polars(imbalanced, sampler):
    X, y = imbalanced
    names = [f"c{i}" for i in range(12)]
    table = pl.DataFrame(flattened(X), schema=names)
    new, labels = sampler.fit_resample(table, y)
    assert isinstance(new, pl.DataFrame)
    assert new.schema == table.schema
    assert sampler.feature_names_in_.tolist() == names
    expected, same = sampler.fit_resample(flattened(X), y)
    assert_allclose(new.to_numpy(), expected, rtol=1e-6)
    assert_array_equal(labels, same)


def test_augmenter_is_as_exact_on_an_offset_in_float32(imbalanced):
    X, y = imbalanced
    sampler = SequenceAugmenter(scaling=0, random_state=0)
    far = (1e4 + X).astype(np.float32)
    new, _ = sampler.fit_resample(far, y)
    assert new.dtype == np.float32
    near, _ = sampler.fit_resample(X, y)
    assert_allclose(new.astype(float) - 1e4, near, atol=2e-3)  # float32's own grid
    noise = new[90:].astype(float) - far[sampler.sample_indices_[90:]]
    assert noise.std() == pytest.approx(0.05 * X.std(0).mean(), rel=0.1)


def test_columns_of_a_frozen_autoencoder_are_compared(imbalanced):
    X, y = imbalanced
    table = pd.DataFrame(flattened(X)).add_prefix("c")
    fitted = skseq.AutoencoderTransformer(layer_sizes=4, epochs=1).fit(table)
    sampler = LatentSampler(autoencoder=FrozenEstimator(fitted), random_state=0)
    sampler.fit_resample(table, y)
    with pytest.raises(
        ValueError, match="autoencoder must be .*got 'c11' where it has"
    ):
        sampler.fit_resample(table[table.columns[::-1]], y)


# ----------------------------------------------------- frames of codes, frozen encoders


@pytest.mark.parametrize("container", ["pandas", "polars"])
@pytest.mark.parametrize("frozen", [False, True])
def test_codes_may_be_frames(imbalanced, container, frozen):
    X, y = imbalanced
    autoencoder = _autoencoder(epochs=1, layer_sizes=4, random_state=0)
    autoencoder = FrozenEstimator(autoencoder.fit(X)) if frozen else autoencoder
    sampler = LatentSampler(autoencoder=autoencoder, random_state=0)
    net = skseq.DenseClassifier((4,), epochs=1, random_state=0, sampler=sampler)
    expected, _ = sampler.fit_resample(X, y)
    probabilities = net.fit(X, y).predict_proba(X)
    with config_context(transform_output=container):
        assert_array_equal(clone(sampler).fit_resample(X, y)[0], expected)
        assert_array_equal(clone(net).fit(X, y).predict_proba(X), probabilities)
    (autoencoder.estimator if frozen else autoencoder).set_output(transform=container)
    assert_array_equal(clone(sampler).fit_resample(X, y)[0], expected)


def test_frozen_autoencoder_may_be_fitted_again(imbalanced):
    X, y = imbalanced
    fitted = _autoencoder(epochs=1, layer_sizes=4).fit(X)
    sampler = LatentSampler(autoencoder=FrozenEstimator(fitted)).fit(X, y)
    codes = fitted.transform(X)
    fitted.fit(100 * X)
    assert_array_equal(sampler.autoencoder_.transform(X), codes)


# --------------------------------------------------- timesteps and categories of tables


@pytest.mark.parametrize(
    ("sampler", "part"),
    [
        (SequenceAugmenter(), "sampler_"),
        (SequenceResampler(mask_value=-9.0), "sampler_"),
        (LatentSampler(autoencoder=_autoencoder(epochs=1)), "sampler_.autoencoder_"),
    ],
    ids=["augmenter", "resampler", "latent"],
)
def test_sampler_reads_the_timesteps_of_the_network(imbalanced, sampler, part):
    X, y = imbalanced
    params = {"dense_units": (4,), "epochs": 1, "sampler": sampler}
    for n_timesteps, expected in ((6, 6), (None, 12)):
        net = skseq.DenseClassifier(n_timesteps=n_timesteps, **params)
        net.fit(flattened(X), y)
        assert attrgetter(part)(net).n_timesteps_in_ == expected
    own = clone(sampler)
    name = "autoencoder__n_timesteps" if part != "sampler_" else "n_timesteps"
    net = skseq.DenseClassifier(n_timesteps=6, **params)
    net.set_params(sampler=own.set_params(**{name: 4})).fit(flattened(X), y)
    assert attrgetter(part)(net).n_timesteps_in_ == 4


def test_missing_category_is_a_category(imbalanced):
    X, y = imbalanced
    X = X.copy()
    X[::3, 0, 0] = np.nan
    sampler = SequenceResampler(
        RandomOverSampler(), categorical_features=[0], random_state=0
    )
    new, _ = sampler.fit_resample(X, y)
    assert_array_equal(new, X[sampler.sample_indices_])


@pytest.mark.parametrize("sampler", [None, RandomOverSampler()], ids=str)
def test_no_categories_are_none(imbalanced, sampler):
    X, y = imbalanced
    expected, _ = SequenceResampler(sampler, random_state=0).fit_resample(X, y)
    for features in ([], [False, False]):
        resampler = SequenceResampler(
            sampler, categorical_features=features, random_state=0
        )
        assert_array_equal(resampler.fit_resample(X, y)[0], expected)


def test_features_without_values_in_lists_of_rows():
    X, y = [np.array([[np.nan, i]] * (1 + i % 2)) for i in range(8)], [0, 1] * 4
    new, _ = SequenceResampler(RandomOverSampler()).fit_resample(X, y)
    assert_array_equal(new[3], X[3])
    with pytest.raises(ValueError, match="SMOTE can't resample.*X contains NaN"):
        SequenceResampler(SMOTE(k_neighbors=1)).fit(X, y)


def test_columns_of_labels_may_be_lists(imbalanced):
    X, y = imbalanced
    columns = np.eye(2, dtype=int)[y]
    sampler = SequenceResampler(RandomOverSampler(), random_state=0)
    expected = sampler.fit_resample(X, columns)[1]
    assert_array_equal(sampler.fit_resample(X, columns.tolist())[1], expected)
