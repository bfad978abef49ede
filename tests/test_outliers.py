"""AutoencoderOutlierDetector: what scikit-learn's other outlier detectors promise."""

import io

import joblib
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone, is_outlier_detector
from sklearn.exceptions import NotFittedError
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import get_tags

from estimators import with_slow
from skseq import AutoencoderOutlierDetector, AutoencoderTransformer

KINDS = {
    "dense": {"layer_sizes": (16, 8)},
    "lstm": {"kind": "lstm", "layer_sizes": 16},
    "conv1d": {"kind": "conv1d", "layer_sizes": 8, "kernel_size": 3},
}


@pytest.fixture(params=with_slow(KINDS, "conv1d"))
def make(request):
    def make(contamination=0.1, criterion="both", n_networks=1, **params):
        options = {"epochs": 60, "learning_rate": 0.005, **KINDS[request.param]}
        network = AutoencoderTransformer(**{**options, **params})
        return AutoencoderOutlierDetector(
            network, criterion=criterion, n_networks=n_networks,
            contamination=contamination, random_state=0,
        )  # fmt: skip

    return make


@pytest.fixture
def waves():
    """Make X of shape (200, 8, 2) with an unusual timestep in the first 10 rows."""
    rng = np.random.default_rng(0)
    places = rng.uniform(0, 2 * np.pi, size=(200, 1)) + np.arange(8) / 2
    X = np.stack([np.sin(places), 7 + np.cos(places)], axis=2)
    X += 0.05 * rng.normal(size=X.shape)
    X[:10, 5] += rng.choice([-2, 2], size=(10, 2))
    return X


def test_odd_rows_are_found(make, waves):
    odd = np.arange(200) < 10
    detector = make(contamination=0.05)
    found = detector.fit_predict(waves)
    assert set(found) == {-1, 1}
    assert (found == -1).sum() == 10
    assert (found[:10] == -1).mean() >= 0.8
    assert roc_auc_score(odd, -detector.score_samples(waves)) > 0.95
    steps = detector.autoencoder_.reconstruction_error(waves[:10], by="step")
    assert (steps.argmax(1) == 5).mean() >= 0.8


@pytest.mark.parametrize("contamination", [0.02, 0.25, 0.5])
def test_contamination_is_the_fraction_of_outliers(make, waves, contamination):
    detector = make(contamination=contamination, epochs=2).fit(waves)
    outliers = detector.predict(waves) == -1
    assert outliers.mean() == pytest.approx(contamination, abs=0.006)
    scores = detector.score_samples(waves)
    assert_allclose(detector.offset_, np.percentile(scores, 100 * contamination))
    assert_allclose(detector.decision_function(waves), scores - detector.offset_)
    assert_array_equal(outliers, scores < detector.offset_)


def test_offset_of_given_rows_is_right_for_new_rows(make, waves):
    X, X_val, new = waves[10:70], waves[70:130], waves[130:]
    tight = make(criterion="error", epochs=150).fit(X)
    detector = make(criterion="error", epochs=150).fit(X, X_val=X_val)
    assert (detector.predict(X_val) == -1).mean() == pytest.approx(0.1)
    false_alarms = [(one.predict(new) == -1).mean() for one in (tight, detector)]
    assert abs(false_alarms[1] - 0.1) < min(0.12, abs(false_alarms[0] - 0.1) + 1e-9)
    assert_array_equal(detector.score_samples(new), tight.score_samples(new))
    both = make(epochs=150).fit(X, X_val=X_val)
    assert (both.predict(X_val) == -1).mean() == pytest.approx(0.1)
    assert abs((both.predict(new) == -1).mean() - 0.1) < 0.12
    with pytest.raises(ValueError, match="X_val has 7 timesteps"):
        detector.fit(X, X_val=X_val[:, :7])


def test_rows_of_weight_zero_count_for_nothing(make, waves):
    weights = (np.arange(200) >= 10).astype(float)
    detector = make(epochs=2).fit(waves, sample_weight=weights)
    alone = make(epochs=2).fit(waves[10:])
    assert detector.offset_ == pytest.approx(alone.offset_)
    assert_allclose(detector.score_samples(waves), alone.score_samples(waves))


def test_is_an_outlier_detector_for_two_and_three_dimensions(make, waves):
    detector = make()
    assert is_outlier_detector(detector)
    tags = get_tags(detector)
    assert tags.input_tags.two_d_array
    assert tags.input_tags.three_d_array
    assert not tags.input_tags.allow_nan
    detector = make(epochs=2, n_timesteps=8).fit(waves.reshape(200, 16))
    assert (detector.n_features_in_, detector.n_timesteps_in_) == (16, 8)
    assert detector.predict(waves.reshape(200, 16)).shape == (200,)
    with pytest.raises(ValueError, match="2 dimensions.*got 3"):
        detector.predict(waves)


@pytest.mark.parametrize(
    ("n_columns", "n_components"),
    [(1, 1), pytest.param(5, 2, marks=pytest.mark.slow), (16, 8)],
)
def test_default_network_has_a_narrow_code(waves, n_columns, n_components):
    X = waves.reshape(200, 16)[:, :n_columns]
    detector = AutoencoderOutlierDetector(
        criterion="error", n_networks=1, random_state=0
    )
    same = AutoencoderTransformer(n_components, early_stopping=True, random_state=0)
    assert_array_equal(detector.fit(X).score_samples(X), same.fit(X).score_samples(X))
    assert repr(AutoencoderOutlierDetector(random_state=0)) == (
        "AutoencoderOutlierDetector(random_state=0)"
    )


def test_errors_are_means_over_networks_of_other_seeds(make, waves):
    alone = make(criterion="error", epochs=2).fit(waves).score_samples(waves)
    detector = make(criterion="error", n_networks=2, epochs=2).fit(waves)
    first, second = (one.score_samples(waves) for one in detector.autoencoders_)
    assert detector.autoencoders_[0] is detector.autoencoder_
    assert_array_equal(first, alone)
    assert abs(first - second).max() > 0
    assert_allclose(detector.score_samples(waves), (first + second) / 2)


def distances_to_nearest_half(rows, others):
    distances = np.sqrt(((rows[:, None] - others) ** 2).sum(axis=2))
    return np.sort(distances, axis=1)[:, : (len(others) + 1) // 2].mean(axis=1)


def test_score_is_the_larger_of_error_and_distance():
    rng = np.random.default_rng(0)
    X, X_val, new = rng.normal(size=(3, 41, 8)) * [4, 2, 1, 1, 1, 1, 1, 1]
    network = AutoencoderTransformer(
        4, layer_sizes=16, scale=None, epochs=45, learning_rate=0.01
    )
    detector = AutoencoderOutlierDetector(network, random_state=0).fit(X, X_val=X_val)

    def measure(one, rows):
        back, others = (
            one.inverse_transform(one.transform(each)) for each in (rows, X)
        )
        error = ((rows - back) ** 2).mean(axis=1)
        return error, distances_to_nearest_half(back, others)

    # Axes: networks, error or distance, rows.
    trained, val, of_new = (
        np.array([measure(one, rows) for one in detector.autoencoders_])
        for rows in (X, X_val, new)
    )
    logs = np.log(val.transpose(1, 0, 2).reshape(2, -1))
    medians = np.median(logs, axis=1, keepdims=True)
    spreads = 1.4826 * np.median(abs(logs - medians), axis=1, keepdims=True)
    error, distance = (np.log(of_new.mean(axis=0)) - medians) / spreads
    ratio = np.median(val[:, 0]) / np.median(trained[:, 0])
    assert 1.6 < ratio < 2.1
    less = 3 - 8 * (ratio - 1.6)
    from_error = error > distance - less
    assert 0 < from_error.sum() < 41
    expected = -np.where(from_error, error, distance - less)
    assert_allclose(detector.score_samples(new), expected, rtol=1e-3, atol=1e-3)


def test_a_group_that_is_reconstructed_is_found_by_its_distance():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 4)) * [1, 1, 0.1, 0.1]
    odd = np.arange(200) < 16
    X[odd, :2] = [5, 5] + 0.1 * rng.normal(size=(16, 2))
    # As many components as directions: the group is reconstructed as well as others.
    network = AutoencoderTransformer(2, layer_sizes=(), scale=None, learning_rate=0.02)
    areas = {}
    for criterion in ("both", "error"):
        detector = AutoencoderOutlierDetector(
            network, criterion=criterion, n_networks=1, random_state=0
        )
        areas[criterion] = roc_auc_score(odd, -detector.fit(X).score_samples(X))
    assert areas["both"] > 0.95
    assert areas["error"] < 0.7


def test_distances_are_used_for_tables_by_default(waves):
    network = AutoencoderTransformer(layer_sizes=4, epochs=2)
    detector = AutoencoderOutlierDetector(network, n_networks=1, random_state=0)
    table = waves.reshape(200, 16)

    def same(X, criterion, **params):
        other = clone(detector).set_params(criterion=criterion, **params).fit(X)
        here = clone(detector).set_params(**params).fit(X)
        return np.array_equal(here.score_samples(X), other.score_samples(X))

    for X, params in ((waves, {}), (table, {"autoencoder__n_timesteps": 8})):
        assert same(X, "error", **params)
        assert not same(X, "both", **params)
    assert same(table, "both")
    assert not same(table, "error")


def test_each_network_holds_out_another_tenth(waves, monkeypatch):
    calls = []
    fit = AutoencoderTransformer.fit

    def record(self, X, y=None, sample_weight=None, **options):
        calls.append((sample_weight, options))
        return fit(self, X, y, sample_weight, **options)

    monkeypatch.setattr(AutoencoderTransformer, "fit", record)
    network = AutoencoderTransformer(layer_sizes=4, epochs=1, early_stopping=True)
    weights = 1.0 + np.arange(200)
    weights[:20] = 0
    detector = AutoencoderOutlierDetector(network, criterion="both", random_state=0)
    detector.fit(waves, sample_weight=weights)
    held_out = []
    for trained, options in calls:
        assert (trained[:20] == 0).all()
        places = 20 + np.flatnonzero(trained[20:] == 0)
        assert_array_equal(options["X_val"], waves[places])
        assert_array_equal(options["sample_weight_val"], weights[places])
        held_out += places.tolist()
    assert len(held_out) == len(set(held_out)) == 3 * 18


def test_lists_are_compared_as_padded_arrays(waves):
    X = waves[:60].copy()
    X[::2, 6:] = np.nan
    rows = [row[~np.isnan(row).any(axis=1)] for row in X]
    params = {"layer_sizes": 4, "epochs": 3, "early_stopping": True}
    scores = []
    for given, value in ((rows, None), (X, np.nan)):
        network = AutoencoderTransformer(mask_value=value, **params)
        detector = AutoencoderOutlierDetector(
            network, criterion="both", n_networks=2, random_state=0
        )
        scores.append(detector.fit(given).score_samples(given))
    assert_array_equal(*scores)


def test_constant_and_few_rows_can_be_scored():
    for X in (np.ones((30, 3)), np.eye(2), np.arange(24.0).reshape(12, 2)):
        network = AutoencoderTransformer(1, layer_sizes=4, epochs=1)
        detector = AutoencoderOutlierDetector(network, random_state=0).fit(X)
        assert np.isfinite(detector.score_samples(X)).all()


def test_state_of_a_version_with_one_network_scores_by_its_error(make, waves):
    detector = make(criterion="error", epochs=2).fit(waves)
    state = dict(vars(detector))  # as in files before 0.6
    for name in ("criterion", "n_networks", "autoencoders_", "_usual"):
        del state[name]
    loaded = AutoencoderOutlierDetector.__new__(AutoencoderOutlierDetector)
    loaded.__setstate__(state)
    assert_array_equal(loaded.score_samples(waves), detector.score_samples(waves))
    assert (loaded.criterion, loaded.n_networks) == ("error", 1)
    assert clone(loaded).fit(waves).offset_ == detector.offset_


def test_random_state_is_the_networks_unless_that_has_one(make, waves):
    network = AutoencoderTransformer(epochs=2, random_state=5)
    detector = AutoencoderOutlierDetector(network, random_state=0).fit(waves)
    assert detector.autoencoder_.random_state == 5
    first = make(epochs=2).fit(waves)
    assert_array_equal(
        first.score_samples(waves), make(epochs=2).fit(waves).score_samples(waves)
    )
    assert first.autoencoder.random_state is None
    assert not first.autoencoder.initialized_


def test_copies_score_the_same(make, waves):
    detector = make(epochs=2).fit(waves)
    file = io.BytesIO()
    joblib.dump(detector, file)
    file.seek(0)
    loaded = joblib.load(file)
    assert_array_equal(loaded.score_samples(waves), detector.score_samples(waves))
    again = clone(detector).fit(waves)
    assert again.offset_ == detector.offset_


def test_grid_and_pipeline_reach_the_network(waves):
    odd = np.where(np.arange(200) < 10, -1, 1)
    order = np.random.default_rng(0).permutation(200)
    X, y = waves.reshape(200, 16)[order], odd[order]
    network = AutoencoderTransformer(epochs=40, learning_rate=0.005)
    pipeline = make_pipeline(
        StandardScaler(), AutoencoderOutlierDetector(network, random_state=0)
    )
    grid = GridSearchCV(
        pipeline,
        {"autoencoderoutlierdetector__autoencoder__n_components": [2, 4]},
        cv=3, scoring="roc_auc", error_score="raise",
    ).fit(X, y)  # fmt: skip
    assert grid.best_score_ > 0.9
    assert grid.predict(X).shape == (200,)


@pytest.mark.parametrize(
    ("params", "match"),
    [
        ({"contamination": 0.0}, "contamination.*Got 0.0"),
        ({"contamination": 0.6}, "contamination.*Got 0.6"),
        ({"contamination": "auto"}, "contamination.*Got 'auto'"),
        ({"criterion": "distance"}, "criterion.*Got 'distance'"),
        ({"n_networks": 0}, "n_networks.*Got 0"),
        ({"autoencoder": StandardScaler()}, "autoencoder.*Got StandardScaler"),
        ({"autoencoder__epochs": 0}, "epochs.*Got 0"),
        ({"autoencoder__early_stopping": 3}, "early_stopping.*Got 3"),
    ],
)
def test_fit_refuses_parameters_and_changes_nothing(make, waves, params, match):
    detector = make(epochs=2).fit(waves)
    before = detector.autoencoder_, detector.offset_
    with pytest.raises(ValueError, match=match):
        detector.set_params(**params).fit(waves)
    assert (detector.autoencoder_, detector.offset_) == before


def test_data_that_does_not_fit_is_refused(make, waves):
    detector = make(epochs=2)
    for name in ("predict", "decision_function", "score_samples"):
        with pytest.raises(NotFittedError):
            getattr(detector, name)(waves)
    with pytest.raises(ValueError, match="NaN"):
        detector.fit(np.where(waves == waves[3, 2, 1], np.nan, waves))
    with pytest.raises(ValueError, match="sample_weight must have one entry"):
        detector.fit(waves, sample_weight=np.ones(3))
    assert not hasattr(detector, "offset_")
    with pytest.raises(ValueError, match="7 timesteps"):
        detector.fit(waves).predict(waves[:, :7])
