"""The classifiers in and under scikit-learn's and imbalanced-learn's tools."""

import joblib
import matplotlib
import numpy as np
import pandas as pd
import pytest
from imblearn.over_sampling import ADASYN, SMOTE
from imblearn.pipeline import Pipeline as SamplingPipeline
from imblearn.under_sampling import RandomUnderSampler
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.base import clone, is_classifier
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import BaggingClassifier, StackingClassifier, VotingClassifier
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.inspection import permutation_importance
from sklearn.metrics import RocCurveDisplay, get_scorer, roc_auc_score
from sklearn.model_selection import (
    FixedThresholdClassifier,
    GridSearchCV,
    HalvingGridSearchCV,
    RandomizedSearchCV,
    StratifiedKFold,
    TunedThresholdClassifierCV,
    check_cv,
    cross_val_predict,
    cross_val_score,
    cross_validate,
    learning_curve,
    train_test_split,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

import skseq

matplotlib.use("Agg")


@pytest.fixture
def sequences(sequences):
    """Move the two classes apart, so that every tool finds them."""
    X, y = sequences
    return X + 1.5 * y[:, None, None], y


@pytest.fixture
def three_classes(three_classes):
    X, y = three_classes
    return X + 1.5 * y[:, None, None], y


@pytest.fixture(params=["2-D", "3-D"])
def data(request, sequences, table):
    """Make X with two or three dimensions, and y of two classes."""
    return table if request.param == "2-D" else sequences


@pytest.fixture(params=["2-D", "3-D"])
def data_of_three(request, three_classes):
    """Make X with two or three dimensions, and y of three classes."""
    X, y = three_classes
    return (X.reshape(60, 10) if request.param == "2-D" else X), y


@pytest.fixture
def uneven():
    """Make X of shape (150, 10) with 30 rows of the second class, which overlap."""
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], [120, 30])
    X = rng.normal(size=(150, 10)) + 0.7 * y[:, None]
    order = rng.permutation(150)
    return X[order], y[order]


def assert_learns(estimator, X, y):
    """Fit on 40 rows and check the probabilities and labels of 20 others."""
    estimator.fit(X[:40], y[:40])
    probabilities = estimator.predict_proba(X[40:])
    assert probabilities.shape == (20, len(np.unique(y)))
    assert_allclose(probabilities.sum(axis=1), 1)
    labels = estimator.predict(X[40:])
    assert labels.shape == (20,)
    assert np.mean(labels == y[40:]) >= 0.8
    return estimator


# ------------------------------------------------------------------------------- scores


def test_integer_cv_is_stratified(make_classifier, data):
    # Sorted labels: folds that are cut as the rows stand would hold a single class.
    X, y = data
    order = np.argsort(y)
    net = make_classifier(epochs=5)
    cv = check_cv(3, y[order], classifier=is_classifier(net))
    assert isinstance(cv, StratifiedKFold)
    scores = cross_val_score(
        net, X[order], y[order], cv=3, scoring="roc_auc", error_score="raise"
    )
    assert scores.shape == (3,)
    assert (scores > 0.9).all()


def test_scores_of_two_classes(make_classifier, data):
    names = ["roc_auc", "average_precision", "accuracy", "neg_log_loss"]
    result = cross_validate(
        make_classifier(learning_rate=0.01), *data, cv=3, scoring=names,
        error_score="raise",
    )  # fmt: skip
    for name in names[:3]:
        assert result[f"test_{name}"].shape == (3,)
        assert result[f"test_{name}"].mean() >= 0.85
    assert np.isfinite(result["test_neg_log_loss"]).all()
    assert result["test_neg_log_loss"].mean() > -np.log(2)  # better than guessing


def test_scores_of_three_classes(make_classifier, data_of_three):
    names = ["roc_auc_ovr", "roc_auc_ovo", "f1_macro", "neg_log_loss"]
    result = cross_validate(
        make_classifier(learning_rate=0.01), *data_of_three, cv=3, scoring=names,
        error_score="raise",
    )  # fmt: skip
    for name in names[:3]:
        assert result[f"test_{name}"].shape == (3,)
        assert result[f"test_{name}"].mean() >= 0.8
    assert np.isfinite(result["test_neg_log_loss"]).all()
    assert result["test_neg_log_loss"].mean() > -np.log(3)  # better than guessing


def test_score_takes_weights(make_classifier, data):
    X, y = data
    net = make_classifier(epochs=2).fit(X, y)
    y = np.where(np.arange(60) < 20, 1 - net.predict(X), net.predict(X))
    assert net.score(X, y) == pytest.approx(2 / 3)
    # 20 wrong rows of weight 4 and 40 right ones of weight 1.
    weights = np.where(np.arange(60) < 20, 4, 1)
    assert net.score(X, y, sample_weight=weights) == pytest.approx(40 / 120)


# ------------------------------------------------------------------ pipelines, searches


def test_pipeline_scales_a_table(make_classifier, table):
    X, y = table
    pipeline = make_pipeline(StandardScaler(), make_classifier(n_timesteps=5))
    assert_learns(pipeline, 1000 * X + 5000, y)


def test_pipeline_takes_sequences(make_classifier, sequences):
    X, y = sequences
    pipeline = make_pipeline(FunctionTransformer(np.tanh), make_classifier())
    assert_learns(pipeline, X, y)
    direct = make_classifier().fit(np.tanh(X[:40]), y[:40])
    assert_array_equal(
        pipeline.predict_proba(X), direct.predict_proba(np.tanh(X)), strict=True
    )


def test_reshaper_in_a_pipeline_equals_n_timesteps(make_classifier, table):
    X, y = table
    reshaped = make_pipeline(
        StandardScaler(), skseq.SequenceReshaper(n_timesteps=5), make_classifier()
    )
    read = make_pipeline(StandardScaler(), make_classifier(n_timesteps=5))
    assert_learns(reshaped, X, y)
    read.fit(X[:40], y[:40])
    assert_array_equal(reshaped.predict_proba(X), read.predict_proba(X))


def test_grid_search_finds_what_learns(make_classifier, data):
    grid = GridSearchCV(
        make_classifier(epochs=10),
        {"learning_rate": [1e-9, 0.03], "batch_size": [16, 32]},
        cv=3,
        scoring=["roc_auc", "neg_log_loss"],
        refit="neg_log_loss",
        error_score="raise",
    )
    assert_learns(grid, *data)
    assert grid.best_params_["learning_rate"] == 0.03
    assert grid.best_estimator_.learning_rate == 0.03
    assert grid.best_estimator_.n_iter_ == 10
    for name in ("roc_auc", "neg_log_loss"):
        scores = grid.cv_results_[f"mean_test_{name}"]
        assert scores.shape == (4,)
        assert np.isfinite(scores).all()
    assert grid.n_features_in_ == data[0].shape[-1]


def test_grid_search_over_three_classes(make_classifier, data_of_three):
    grid = GridSearchCV(
        make_classifier(epochs=10), {"learning_rate": [1e-9, 0.03]}, cv=3,
        scoring="roc_auc_ovr", error_score="raise",
    )  # fmt: skip
    grid.fit(*data_of_three)
    assert grid.best_params_ == {"learning_rate": 0.03}
    assert grid.best_score_ > 0.9


def test_randomized_search_draws_from_distributions(make_classifier, data):
    from scipy.stats import loguniform

    search = RandomizedSearchCV(
        make_classifier(epochs=10), {"learning_rate": loguniform(0.01, 0.1)}, n_iter=3,
        cv=2, scoring="roc_auc", random_state=0, error_score="raise",
    )  # fmt: skip
    assert_learns(search, *data)
    rates = [params["learning_rate"] for params in search.cv_results_["params"]]
    assert len(set(rates)) == 3
    assert search.best_score_ > 0.8


def test_halving_search_over_epochs(make_classifier, data):
    search = HalvingGridSearchCV(
        make_classifier(), {"learning_rate": [1e-9, 1e-8, 0.02, 0.05]}, cv=2,
        resource="epochs", min_resources=3, max_resources=12, factor=2,
        scoring="neg_log_loss", random_state=0, error_score="raise",
    )  # fmt: skip
    assert_learns(search, *data)
    assert search.n_resources_ == [3, 6, 12]
    assert search.n_candidates_ == [4, 2, 1]
    assert search.best_params_["epochs"] == 12
    assert search.best_params_["learning_rate"] >= 0.02
    assert search.best_estimator_.n_iter_ == 12


@pytest.mark.parametrize(
    ("cls", "kind"),
    [
        (skseq.DenseClassifier, "table"),
        pytest.param(skseq.LSTMClassifier, "sequences", marks=pytest.mark.slow),
    ],
)
def test_processes_and_threads_give_the_scores_of_one_job(cls, kind, request):
    data = request.getfixturevalue(kind)
    grid = GridSearchCV(
        cls(epochs=3, dropout=0.2, random_state=0), {"learning_rate": [0.01, 0.03]},
        cv=3, scoring="neg_log_loss", error_score="raise",
    )  # fmt: skip
    alone = clone(grid).fit(*data)
    for backend in ("loky", "threading"):
        with joblib.parallel_config(backend, n_jobs=2):
            parallel = clone(grid).fit(*data)
        for fold in range(3):
            assert_array_equal(
                parallel.cv_results_[f"split{fold}_test_score"],
                alone.cv_results_[f"split{fold}_test_score"],
            )
        assert_array_equal(
            parallel.predict_proba(data[0]), alone.predict_proba(data[0])
        )


def test_threads_fit_every_class(make_classifier, sequences):
    net = make_classifier(epochs=3, **make_classifier.settings.drawing)
    alone = cross_val_predict(net, *sequences, cv=4, method="predict_proba")
    with joblib.parallel_config("threading", n_jobs=2):
        parallel = cross_val_predict(net, *sequences, cv=4, method="predict_proba")
    assert_array_equal(parallel, alone)


# ---------------------------------------------------------------------- meta-estimators


@pytest.mark.parametrize("ensemble", [True, False])
def test_calibration_gives_probabilities(make_classifier, data, ensemble):
    calibrated = CalibratedClassifierCV(make_classifier(), cv=2, ensemble=ensemble)
    assert_learns(calibrated, *data)
    assert len(calibrated.calibrated_classifiers_) == (2 if ensemble else 1)


def test_calibration_passes_weights_on(make_classifier, data):
    X, y = data
    weights = np.where(np.arange(60) < 40, 1.0, 0.0)
    calibrated = CalibratedClassifierCV(make_classifier(epochs=5), cv=2)
    one, other = (
        clone(calibrated).fit(X, y, sample_weight=w).predict_proba(X)
        for w in (weights, np.ones(60))
    )
    assert not np.array_equal(one, other)


def test_soft_voting_averages_probabilities(make_classifier, data):
    X, y = data
    net = make_classifier()
    others = [("a", net), ("b", clone(net).set_params(random_state=1))]
    voting = assert_learns(VotingClassifier(others, voting="soft"), X, y)
    parts = [part.predict_proba(X) for part in voting.estimators_]
    assert not np.array_equal(*parts)
    assert_allclose(voting.predict_proba(X), np.mean(parts, axis=0))


def test_stacking_learns_over_probabilities(make_classifier, data):
    stack = StackingClassifier([("net", make_classifier())], cv=2)
    assert_learns(stack, *data)
    assert stack.stack_method_ == ["predict_proba"]
    assert stack.final_estimator_.n_features_in_ == 1


def test_stacking_passes_columns_through(make_classifier, table):
    net = make_classifier(n_timesteps=5)
    stack = StackingClassifier([("net", net)], cv=2, passthrough=True)
    assert_learns(stack, *table)
    assert stack.final_estimator_.n_features_in_ == 1 + 10


def test_one_vs_rest_fits_a_net_for_each_class(make_classifier, data_of_three):
    ovr = assert_learns(OneVsRestClassifier(make_classifier()), *data_of_three)
    assert len(ovr.estimators_) == 3
    assert all(part.n_classes_ == 2 for part in ovr.estimators_)


def test_tuned_threshold_moves_the_decision(make_classifier, data):
    X, y = data
    net = make_classifier()
    tuned = TunedThresholdClassifierCV(net, cv=2, scoring="balanced_accuracy")
    assert_learns(tuned, X, y)
    assert 0 <= tuned.best_threshold_ <= 1
    assert tuned.best_score_ > 0.8
    expected = tuned.estimator_.predict_proba(X)[:, 1] >= tuned.best_threshold_
    assert_array_equal(tuned.predict(X), expected.astype(int))


def test_fixed_threshold_moves_the_decision(make_classifier, data):
    X, y = data
    # Hardly trained, so that no probability has come to 1.
    net = make_classifier(epochs=1, learning_rate=0.001).fit(X, y)
    positive = net.predict_proba(X)[:, 1]
    threshold = np.sort(positive)[-3]
    fixed = FixedThresholdClassifier(
        clone(net), threshold=threshold, response_method="predict_proba"
    ).fit(X, y)
    assert_array_equal(fixed.predict(X), (positive >= threshold).astype(int))
    assert fixed.predict(X).sum() == 3


def test_learning_curve_rises(make_classifier, data):
    sizes, train, test = learning_curve(
        make_classifier(epochs=5, learning_rate=0.003), *data, train_sizes=[8, 40],
        cv=3, shuffle=True, random_state=0, scoring="neg_log_loss", error_score="raise",
    )  # fmt: skip
    assert_array_equal(sizes, [8, 40])
    assert train.shape == test.shape == (2, 3)
    assert np.isfinite(test).all()
    assert test[1].mean() > test[0].mean()


def test_roc_curve_is_drawn(make_classifier, data):
    from matplotlib import pyplot

    X, y = data
    net = make_classifier().fit(X[:40], y[:40])
    display = RocCurveDisplay.from_estimator(net, X[40:], y[40:])
    try:
        expected = roc_auc_score(y[40:], net.predict_proba(X[40:])[:, 1])
        assert display.roc_auc == pytest.approx(expected)
        assert display.roc_auc > 0.8
    finally:
        pyplot.close(display.figure_)


def test_bagging_draws_rows_and_columns(make_classifier, table):
    bagging = BaggingClassifier(
        make_classifier(n_timesteps=2), n_estimators=3, max_samples=0.8,
        max_features=0.6, random_state=0,
    )  # fmt: skip
    assert_learns(bagging, *table)
    assert [len(columns) for columns in bagging.estimators_features_] == [6, 6, 6]
    assert {net.n_features_in_ for net in bagging.estimators_} == {6}
    seeds = {net.random_state for net in bagging.estimators_}
    assert len(seeds) == 3


def test_permutation_importance_finds_the_column_that_counts(make_classifier):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 6))
    y = (X[:, 5] > 0).astype(int)
    net = make_classifier(n_timesteps=3).fit(X, y)
    result = permutation_importance(
        net, X, y, scoring="roc_auc", n_repeats=3, random_state=0
    )
    assert result.importances.shape == (6, 3)
    assert result.importances_mean.argmax() == 5
    assert result.importances_mean[5] > 0.2


def test_column_transformer_in_front(make_classifier, table):
    X, y = table
    frame = pd.DataFrame(1000 * X, columns=[f"c{i}" for i in range(10)])
    frame["kind"] = np.array(["a", "b", "c"])[np.arange(60) % 3]
    front = ColumnTransformer(
        [
            ("scale", StandardScaler(), [f"c{i}" for i in range(10)]),
            ("encode", OneHotEncoder(sparse_output=False), ["kind"]),
        ]
    )
    pipeline = make_pipeline(front, make_classifier())
    assert_learns(pipeline, frame, y)
    assert pipeline[-1].n_features_in_ == 13
    in_frames = clone(pipeline).set_output(transform="pandas").fit(frame[:40], y[:40])
    assert list(in_frames[-1].feature_names_in_[-3:]) == [
        "encode__kind_a",
        "encode__kind_b",
        "encode__kind_c",
    ]
    assert_array_equal(in_frames.predict_proba(frame), pipeline.predict_proba(frame))


# --------------------------------------------------------------------- metadata routing


def test_search_routes_weights_to_fit_and_score(make_classifier, table):
    X, y = table
    weights = np.random.default_rng(0).uniform(0.1, 5, size=60)
    net = make_classifier(epochs=5, n_timesteps=5)
    with config_context(enable_metadata_routing=True):
        routed = make_pipeline(
            StandardScaler().set_fit_request(sample_weight=False),
            clone(net).set_fit_request(sample_weight=True),
        )
        # Not the pipeline's own score: scikit-learn 1.6 can't route to it.
        scorer = get_scorer("accuracy").set_score_request(sample_weight=True)
        grid = GridSearchCV(
            routed,
            {"standardscaler__with_mean": [True]},
            cv=2,
            scoring=scorer,
            error_score="raise",
        ).fit(X, y, sample_weight=weights)
        result = cross_validate(
            routed,
            X,
            y,
            cv=2,
            scoring=scorer,
            params={"sample_weight": weights},
            error_score="raise",
        )
    scaled = StandardScaler().fit_transform(X)
    weighted = clone(net).fit(scaled, y, sample_weight=weights)
    plain = clone(net).fit(scaled, y)
    got = grid.predict_proba(X)
    assert_array_equal(got, weighted.predict_proba(scaled))
    assert not np.array_equal(got, plain.predict_proba(scaled))
    assert_array_equal(
        result["test_score"],
        [grid.cv_results_[f"split{fold}_test_score"][0] for fold in range(2)],
    )


def test_requests_name_all_that_fit_takes(make_classifier):
    extras = {"sample_weight", "X_val", "y_val", "sample_weight_val", "groups"}
    with config_context(enable_metadata_routing=True):
        net = make_classifier().set_fit_request(**dict.fromkeys(extras, True))
        net.set_partial_fit_request(classes=True, sample_weight=True)
        routing = clone(net).get_metadata_routing()
    assert set(routing.consumes("fit", extras)) == extras
    given = {"classes", "sample_weight"}
    assert set(routing.consumes("partial_fit", given)) == given
    assert set(routing.consumes("score", {"sample_weight"})) == set()


def test_one_vs_rest_routes_partial_fit(make_classifier, three_classes):
    X, y = three_classes
    weights = np.random.default_rng(0).uniform(0.1, 5, size=60)
    with config_context(enable_metadata_routing=True):
        net = make_classifier().set_partial_fit_request(
            sample_weight=True, classes=True
        )
        ovr = OneVsRestClassifier(net)
        ovr.partial_fit(X, y, classes=[0, 1, 2], sample_weight=weights)
    direct = make_classifier().partial_fit(
        X, (y == 2).astype(int), classes=[0, 1], sample_weight=weights
    )
    assert ovr.estimators_[2].n_iter_ == 1
    assert_array_equal(ovr.estimators_[2].predict_proba(X), direct.predict_proba(X))


def test_pipeline_transforms_the_rows_to_watch(make_classifier, table):
    X, y = table
    X = 1000 * X + 5000
    net = make_classifier(epochs=5, n_timesteps=5)
    with config_context(enable_metadata_routing=True):
        pipeline = Pipeline(
            [
                ("scale", StandardScaler()),
                ("net", clone(net).set_fit_request(X_val=True, y_val=True)),
            ],
            transform_input=["X_val"],
        )
        pipeline.fit(X[:40], y[:40], X_val=X[40:], y_val=y[40:])
    scaler = StandardScaler().fit(X[:40])
    direct = net.fit(
        scaler.transform(X[:40]), y[:40], X_val=scaler.transform(X[40:]), y_val=y[40:]
    )
    assert pipeline["net"].history_ == direct.history_
    assert len(direct.history_["val_loss"]) == 5
    # Rows that were not scaled would give a loss in the hundreds.
    assert direct.history_["val_loss"][-1] < 0.5


# --------------------------------------------------------------------- imbalanced-learn

SAMPLERS = [
    SMOTE(k_neighbors=3, random_state=0),
    RandomUnderSampler(random_state=0),
    ADASYN(n_neighbors=3, random_state=0),
]


@pytest.mark.parametrize("sampler", SAMPLERS, ids=lambda s: type(s).__name__)
def test_sampler_in_front_changes_the_rows_of_fit_alone(
    make_classifier, uneven, sampler
):
    X, y = uneven
    net = make_classifier(epochs=5, n_timesteps=5)
    pipeline = SamplingPipeline([("sample", clone(sampler)), ("net", clone(net))])
    pipeline.fit(X, y)
    X_new, y_new = clone(sampler).fit_resample(X, y)
    assert abs(y_new.mean() - 0.5) < 0.1
    direct = clone(net).fit(X_new, y_new)
    assert pipeline.predict(X).shape == (150,)
    assert_array_equal(pipeline.predict_proba(X), direct.predict_proba(X))
    plain = clone(net).fit(X, y)
    assert not np.array_equal(plain.predict_proba(X), direct.predict_proba(X))


@pytest.mark.parametrize("sampler", SAMPLERS, ids=lambda s: type(s).__name__)
def test_sampler_in_a_search(make_classifier, uneven, sampler):
    # With seed 0 a network that learns nothing ranks these few rows well, by chance.
    pipeline = SamplingPipeline(
        [
            ("scale", StandardScaler()),
            ("sample", sampler),
            ("net", make_classifier(epochs=10, n_timesteps=5, random_state=1)),
        ]
    )
    grid = GridSearchCV(
        pipeline, {"net__learning_rate": [1e-9, 0.03]}, cv=3, scoring="roc_auc",
        error_score="raise",
    ).fit(*uneven)  # fmt: skip
    assert grid.best_params_ == {"net__learning_rate": 0.03}
    assert grid.best_score_ > 0.7


def test_sampler_before_held_out_rows(make_classifier, uneven):
    # SMOTE's new rows stand last; the part held out must have both classes.
    net = make_classifier(
        epochs=5, n_timesteps=5, early_stopping=True, monitor="roc_auc"
    )
    pipeline = SamplingPipeline([("sample", SMOTE(random_state=0)), ("net", net)])
    pipeline.fit(*uneven)
    assert np.isfinite(pipeline["net"].history_["val_roc_auc"]).all()
    assert pipeline["net"].best_score_ > 0.6


# ---------------------------------------------------------------------------- real data


def test_credit_table_is_tuned_from_frame_to_score(real_data):
    table = pd.read_csv(real_data("credit_default.csv.gz"), nrows=5000)
    y = table.pop("default_payment_next_month")
    X, X_test, y, y_test = train_test_split(
        table, y, train_size=3000, stratify=y, random_state=0
    )
    months = {
        "pay": ["PAY_6", "PAY_5", "PAY_4", "PAY_3", "PAY_2", "PAY_0"],
        "bill": [f"BILL_AMT{month}" for month in range(6, 0, -1)],
        "amount": [f"PAY_AMT{month}" for month in range(6, 0, -1)],
    }
    net = skseq.LSTMClassifier(
        16, pooling="flatten", batch_size=64, epochs=8, schedule=None, random_state=0
    )
    pipeline = SamplingPipeline(
        [
            ("scale", StandardScaler()),
            ("sample", RandomUnderSampler(random_state=0)),
            ("reshape", skseq.SequenceReshaper(columns=months)),
            ("net", net),
        ]
    ).set_output(transform="pandas")
    grid = GridSearchCV(
        pipeline,
        {"net__learning_rate": [1e-7, 0.01], "net__optimizer__clipnorm": [1.0]},
        cv=3, scoring="roc_auc", error_score="raise",
    ).fit(X, y)  # fmt: skip
    net = grid.best_estimator_["net"]
    assert (net.n_timesteps_in_, net.n_features_in_) == (6, 3 + 5)
    assert grid.best_params_["net__learning_rate"] == 0.01
    assert grid.best_score_ > 0.7
    assert roc_auc_score(y_test, grid.predict_proba(X_test)[:, 1]) > 0.7


def test_mixed_table_goes_through_an_encoder_into_every_network(
    make_classifier, real_data
):
    table = pd.read_csv(real_data("german_credit.csv"))
    y = table.pop("class")
    categories = list(table.select_dtypes(exclude="number").columns)
    encode = ColumnTransformer(
        [
            (
                "categories",
                OneHotEncoder(handle_unknown="ignore", sparse_output=False),
                categories,
            )
        ],
        remainder=StandardScaler(),
        verbose_feature_names_out=False,
    ).set_output(transform="pandas")
    pipeline = make_pipeline(encode, make_classifier(epochs=15, learning_rate=0.003))
    train, test = np.arange(1000) % 3 > 0, np.arange(1000) % 3 == 0
    pipeline.fit(table[train], y[train])
    assert {"purpose_new_car", "duration"} < {*pipeline[-1].feature_names_in_}
    found = pipeline.predict_proba(table[test])[:, 1]
    assert roc_auc_score(y[test] == "good", found) > 0.7
    unseen = table[test].assign(purpose="boat")
    assert pipeline.predict_proba(unseen).shape == (334, 2)
