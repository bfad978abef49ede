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

from skseq import AutoencoderOutlierDetector, AutoencoderTransformer

KINDS = {
    "dense": {"layer_sizes": (16, 8)},
    "lstm": {"kind": "lstm", "layer_sizes": 16},
    "conv1d": {"kind": "conv1d", "layer_sizes": 8, "kernel_size": 3},
}


@pytest.fixture(params=KINDS)
def make(request):
    def make(contamination=0.1, **params):
        options = {"epochs": 60, "learning_rate": 0.005, **KINDS[request.param]}
        network = AutoencoderTransformer(**{**options, **params})
        return AutoencoderOutlierDetector(
            network, contamination=contamination, random_state=0
        )

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
    assert_array_equal(scores, detector.autoencoder_.score_samples(waves))


def test_offset_of_given_rows_is_right_for_new_rows(make, waves):
    X, X_val, new = waves[10:70], waves[70:130], waves[130:]
    tight = make(epochs=150).fit(X)
    detector = make(epochs=150).fit(X, X_val=X_val)
    assert (detector.predict(X_val) == -1).mean() == pytest.approx(0.1)
    false_alarms = [(one.predict(new) == -1).mean() for one in (tight, detector)]
    assert abs(false_alarms[1] - 0.1) < min(0.12, abs(false_alarms[0] - 0.1) + 1e-9)
    assert_array_equal(detector.score_samples(new), tight.score_samples(new))
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


@pytest.mark.parametrize(("n_columns", "n_components"), [(1, 1), (5, 2), (16, 8)])
def test_default_network_has_a_narrow_code(waves, n_columns, n_components):
    X = waves.reshape(200, 16)[:, :n_columns]
    detector = AutoencoderOutlierDetector(random_state=0).fit(X)
    same = AutoencoderTransformer(n_components, early_stopping=True, random_state=0)
    assert_array_equal(detector.score_samples(X), same.fit(X).score_samples(X))
    assert repr(detector) == "AutoencoderOutlierDetector(random_state=0)"


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
