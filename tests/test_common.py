"""One contract for all networks: what scikit-learn believes an estimator to be."""

import inspect
import io
import pickle

import joblib
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone, is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import estimator_html_repr, get_tags
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.validation import check_is_fitted

import skseq
from estimators import CLASSIFIERS, FAST, REGRESSORS, checked, outputs

CLASSES = [getattr(skseq, name) for name in [*CLASSIFIERS, *REGRESSORS]]

WITH_FIRST = [*CLASSES, skseq.AutoencoderTransformer, skseq.AutoencoderOutlierDetector]


def expected_failures(estimator):
    if isinstance(estimator, (skseq.SequenceReshaper, skseq.SequenceScaler)):
        return {}
    if isinstance(estimator, skseq.WindowTransformer):
        reason = "A window has the rows before its own."
        names = "sample_order_invariance", "subset_invariance"
        return {f"check_methods_{name}": reason for name in names}
    return {
        "check_sample_weight_equivalence_on_dense_data": (
            "It asks for weights and repeated rows to agree to 1e-7, which float32 and "
            "mini-batches don't allow; test_weights.py holds it to 1e-4 in one batch."
        )
    }


checks = parametrize_with_checks(checked(), expected_failed_checks=expected_failures)


# The others have code of their own, or stand for several.
CHECKED_SLOWLY = (
    skseq.SimpleRNNClassifier, skseq.GRUClassifier, skseq.SimpleRNNRegressor,
    skseq.Conv1DClassifier, skseq.GRURegressor, skseq.LSTMRegressor,
    skseq.Conv1DRegressor, skseq.KerasRegressor,
)  # fmt: skip


def with_slow_ones(cases):
    for case in cases:
        values, marks = getattr(case, "values", case), list(getattr(case, "marks", ()))
        estimator = values[0]
        is_variant = isinstance(estimator, skseq.AutoencoderTransformer) and (
            estimator.kind != "dense" or estimator.tied_weights
        )
        if is_variant or isinstance(estimator, CHECKED_SLOWLY):
            marks.append(pytest.mark.slow)
        yield pytest.param(*values, marks=marks)


# scikit-learn 1.6 gives a generator, which pytest 9 warns of.
@pytest.mark.parametrize(
    checks.args[0], list(with_slow_ones(checks.args[1])), **checks.kwargs
)
def test_estimator_passes_check_of_scikit_learn(estimator, check):
    check(estimator)


def bits(network):
    """Get the weights of a fitted network as bytes."""
    return [weights.tobytes() for weights in network.model_.get_weights()]


def reloaded(estimator):
    file = io.BytesIO()
    joblib.dump(estimator, file)
    file.seek(0)
    return joblib.load(file)


# ------------------------------------------------------------------------ kind and tags


def test_classifier_has_only_tags_that_are_true(make_classifier):
    tags = get_tags(make_classifier())
    assert tags.estimator_type == "classifier"
    assert tags.classifier_tags.multi_class
    assert not tags.classifier_tags.multi_label
    assert not tags.classifier_tags.poor_score
    assert not tags.non_deterministic
    assert not tags.no_validation
    assert tags.target_tags.required
    assert tags.input_tags.two_d_array
    assert tags.input_tags.three_d_array
    assert not tags.input_tags.sparse
    assert not tags.input_tags.allow_nan


def test_classifier_is_classifier(make_classifier):
    assert is_classifier(make_classifier())


def test_fit_sets_what_it_promises(make_classifier, three_classes):
    X, y = three_classes
    net = make_classifier(epochs=3)
    assert net.fit(X, y) is net
    assert_array_equal(net.classes_, [0, 1, 2])
    assert net.n_classes_ == 3
    assert net.n_features_in_ == 2
    assert net.n_timesteps_in_ == 5
    assert net.n_iter_ == 3
    assert list(net.history_) == ["loss"]
    assert len(net.history_["loss"]) == 3
    assert net.history_["loss"][2] < net.history_["loss"][0]
    assert net.callbacks_ == []
    assert not hasattr(net, "best_epoch_")


def test_fit_learns_two_and_three_classes(make_classifier, sequences, three_classes):
    for X, y in (sequences, three_classes):
        net = make_classifier().fit(X[:40], y[:40])
        assert net.score(X[40:], y[40:]) >= 0.8
        assert net.predict_proba(X).shape == (60, y.max() + 1)


def test_columns_of_a_table_are_read_step_by_step(make_network, sequences):
    X, y = sequences
    in_3d = make_network().fit(X, y)
    in_2d = make_network(n_timesteps=5).fit(X.reshape(60, 10), y)
    assert in_2d.n_features_in_ == 10
    assert in_2d.n_timesteps_in_ == 5
    assert bits(in_2d) == bits(in_3d)
    assert_array_equal(
        outputs(in_2d, X.reshape(60, 10)), outputs(in_3d, X), strict=True
    )


def test_table_without_n_timesteps_has_one_feature_a_timestep(make_network, table):
    X, y = table
    net = make_network(epochs=2)
    if hasattr(net, "numeric_embedding"):  # dense networks do more for a table
        net.set_params(dense_units=4, dropout=0.0, numeric_embedding=None)
    elif hasattr(net, "pooling"):  # which by default depends on the kind of X
        net.set_params(pooling="flatten")
    in_3d = clone(net)
    net.fit(X, y)
    if net._takes_any_shape:  # the model reads a table
        assert not hasattr(net, "n_timesteps_in_")
        return
    assert net.n_timesteps_in_ == 10
    in_3d.fit(X[:, :, None], y)
    assert bits(net) == bits(in_3d)


def test_fitted_is_told_by_scikit_learn(make_network, sequences):
    net = make_network(epochs=1)
    with pytest.raises(NotFittedError):
        check_is_fitted(net)
    with pytest.raises(NotFittedError):
        net.predict(sequences[0])
    check_is_fitted(net.fit(*sequences))
    with pytest.raises(NotFittedError):
        check_is_fitted(clone(net))


# --------------------------------------------------------------------------- parameters


@pytest.mark.parametrize("cls", WITH_FIRST)
def test_constructor_is_keyword_only_but_the_first(cls):
    first, *others = inspect.signature(cls).parameters.values()
    assert first.kind is first.POSITIONAL_OR_KEYWORD
    assert {parameter.kind for parameter in others} == {first.KEYWORD_ONLY}
    assert all(p.default is not p.empty for p in (first, *others))


@pytest.mark.parametrize("cls", WITH_FIRST)
def test_constructor_stores_what_it_is_given(cls):
    given = {name: object() for name in inspect.signature(cls).parameters}
    net = cls(**given)
    assert vars(net).keys() == given.keys()
    assert all(getattr(net, name) is value for name, value in given.items())
    assert net.get_params(deep=False) == given


def test_fit_leaves_parameters_as_they_were(make_classifier, table):
    given = {"epochs": 2, "n_timesteps": 5, "optimizer_params": {"clipnorm": 1.0}}
    net = make_classifier(**given)
    before = net.get_params(deep=False)
    net.fit(*table)
    after = net.get_params(deep=False)
    assert all(after[name] is value for name, value in before.items())
    assert given["optimizer_params"] == {"clipnorm": 1.0}


def test_get_params_lists_keys_of_dicts_when_deep(make_network):
    net = make_network(
        optimizer_params={"clipnorm": 1.0}, loss_params={"label_smoothing": 0.1}
    )
    deep = net.get_params()
    assert deep["optimizer__clipnorm"] == 1.0
    assert deep["loss__label_smoothing"] == 0.1
    assert deep["optimizer_params"] == {"clipnorm": 1.0}
    assert not [name for name in net.get_params(deep=False) if "__" in name]
    assert not [name for name in make_network().get_params() if "__" in name]


def test_set_params_takes_all_that_get_params_gives(make_network):
    net = make_network(optimizer_params={"clipnorm": 1.0}, batch_size=7)
    other = type(net)().set_params(**net.get_params())
    assert other.get_params() == net.get_params()


def test_set_params_makes_a_new_dict(make_network):
    given = {"clipnorm": 1.0}
    net = make_network(optimizer_params=given)
    assert net.set_params(optimizer__clipnorm=2.0, optimizer__ema_momentum=0.5) is net
    assert net.optimizer_params == {"clipnorm": 2.0, "ema_momentum": 0.5}
    assert given == {"clipnorm": 1.0}


def test_set_params_sets_keys_after_the_dict_whatever_the_order(make_network):
    for names in (
        ("optimizer_params", "optimizer__momentum"),
        ("optimizer__momentum", "optimizer_params"),
    ):
        values = {"optimizer_params": {"clipnorm": 1.0}, "optimizer__momentum": 0.9}
        net = make_network(optimizer="sgd")
        net.set_params(**{name: values[name] for name in names})
        assert net.optimizer_params == {"clipnorm": 1.0, "momentum": 0.9}
        assert values["optimizer_params"] == {"clipnorm": 1.0}


def test_set_params_on_a_clone_leaves_its_source(make_network):
    net = make_network().set_params(optimizer__clipnorm=1.0)
    copy = clone(net).set_params(optimizer__clipnorm=2.0)
    assert net.optimizer_params == {"clipnorm": 1.0}
    assert copy.optimizer_params == {"clipnorm": 2.0}
    copy.optimizer_params["clipnorm"] = 3.0
    assert net.get_params()["optimizer__clipnorm"] == 1.0


@pytest.mark.parametrize("copied", [clone, lambda e: pickle.loads(pickle.dumps(e))])
def test_keys_of_dicts_survive_copies_in_a_pipeline(make_network, copied):
    pipeline = Pipeline([("scale", StandardScaler()), ("net", make_network())])
    pipeline.set_params(net__optimizer__clipnorm=1.0, net__loss__label_smoothing=0.1)
    copy = copied(pipeline)
    assert copy.get_params()["net__optimizer__clipnorm"] == 1.0
    assert copy["net"].loss_params == {"label_smoothing": 0.1}


def test_set_keys_reach_the_training(make_classifier, table):
    X, y = table
    plain = make_classifier(epochs=2, optimizer="sgd")
    clipped = clone(plain).set_params(optimizer__clipnorm=1e-6)
    smoothed = clone(plain).set_params(loss__label_smoothing=0.2)
    start = clone(plain).initialize(X, y).predict_proba(X)
    assert_allclose(clipped.fit(X, y).predict_proba(X), start, atol=1e-5)
    assert abs(plain.fit(X, y).predict_proba(X) - start).max() > 1e-3
    assert bits(smoothed.fit(X, y)) != bits(plain)


def test_grid_over_a_key_of_a_dict_in_a_pipeline(make_classifier, table):
    X, y = table
    net = make_classifier(optimizer="sgd", learning_rate=0.1, n_timesteps=5)
    pipeline = Pipeline([("scale", StandardScaler()), ("net", net)])
    grid = GridSearchCV(
        pipeline, {"net__optimizer__clipnorm": [1e-6, 1.0]}, cv=3,
        scoring="neg_log_loss", error_score="raise",
    ).fit(X, y)  # fmt: skip
    frozen, learning = grid.cv_results_["mean_test_score"]
    assert learning > frozen + 0.05
    assert grid.best_params_ == {"net__optimizer__clipnorm": 1.0}
    assert grid.best_estimator_["net"].optimizer_params == {"clipnorm": 1.0}
    assert net.optimizer_params is None
    copy = reloaded(grid)
    assert copy.best_estimator_["net"].optimizer_params == {"clipnorm": 1.0}
    assert_array_equal(copy.predict_proba(X), grid.predict_proba(X))


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("learning_rat", "learning_rate"),
        ("epoch", "epochs"),
        ("optimiser", "optimizer"),
        ("callback", "callbacks"),
    ],
)
def test_set_params_suggests_the_near_name(make_network, name, near):
    net = make_network()
    before = net.get_params()
    with pytest.raises(ValueError, match=f"Invalid parameter '{name}'.*'{near}'"):
        net.set_params(batch_size=5, **{name: 1})
    assert net.get_params() == before


@pytest.mark.parametrize("name", ["module", "module__units", "fit__epochs", "units__0"])
def test_set_params_refuses_routes_that_are_not_there(make_network, name):
    with pytest.raises(ValueError, match=f"Invalid parameter '{name}'"):
        make_network().set_params(**{name: 1})


@pytest.mark.parametrize("cls", WITH_FIRST)
def test_constructor_refuses_an_unknown_name(cls):
    with pytest.raises(TypeError, match="learning_rat"):
        cls(learning_rat=0.1)


@pytest.mark.parametrize(
    ("params", "telling"),
    [
        ({"optimizer__clip_norm": 1.0}, "optimizer_params.*'clip_norm'.*'clipnorm'"),
        ({"loss__smoothing": 0.1}, "loss_params.*'smoothing'.*'label_smoothing'"),
        (
            {"optimizer_params": {"learning_rate": 0.1}},
            "optimizer_params.*parameter learning_rate",
        ),
    ],
)
def test_fit_refuses_an_unknown_key_of_a_dict(make_classifier, table, params, telling):
    with pytest.raises(ValueError, match=telling):
        make_classifier().set_params(**params).fit(*table)


def test_learning_rate_is_set_under_the_name_of_its_optimizer_too(make_classifier):
    net = make_classifier().set_params(optimizer__learning_rate=0.1)
    assert net.learning_rate == 0.1
    assert net.optimizer_params is None


def test_constructor_takes_keys_of_dicts_as_set_params_does(make_classifier):
    net = make_classifier(
        optimizer__clipnorm=1.0, loss_params={"alpha": 0.5}, loss__gamma=3
    )
    assert net.optimizer_params == {"clipnorm": 1.0}
    assert net.loss_params == {"alpha": 0.5, "gamma": 3}
    assert clone(net).get_params()["loss__gamma"] == 3


def test_learning_rate_none_keeps_that_of_an_optimizer_object(make_classifier, table):
    from keras.optimizers import SGD

    def fit(optimizer, **params):
        net = make_classifier(epochs=2, optimizer=optimizer, **params)
        return bits(net.fit(*table))

    slow, fast = SGD(0.001), SGD(0.1)
    assert fit(slow, learning_rate=None) != fit(fast, learning_rate=None)
    assert fit(slow, learning_rate=None) == fit("sgd", learning_rate=0.001)
    assert fit(fast, learning_rate=None) == fit("sgd", learning_rate=0.1)
    assert fit(fast, learning_rate=0.02) == fit("sgd", learning_rate=0.02)
    # Of Keras' SGD, or of networks for the columns of a table.
    default = 0.01 if make_classifier()._takes_any_shape else 0.003
    assert fit("sgd", learning_rate=None) == fit(SGD(default), learning_rate=None)
    assert float(slow.learning_rate) == pytest.approx(0.001)
    assert not slow.built
    assert not fast.built


def test_optimizer_object_keeps_its_options(make_network, table):
    from keras.optimizers import SGD

    def fit(optimizer, **params):
        net = make_network(epochs=2, optimizer=optimizer, **params)
        return bits(net.fit(*table))

    with_momentum = fit(SGD(momentum=0.9))
    assert with_momentum == fit("sgd", optimizer_params={"momentum": 0.9})
    assert with_momentum == fit(SGD, optimizer_params={"momentum": 0.9})
    assert with_momentum != fit("sgd")


def test_optimizer_object_survives_clone_and_pickle(make_network, table):
    from keras.optimizers import SGD

    net = make_network(epochs=2, optimizer=SGD(0.05, momentum=0.9), learning_rate=None)
    copy = clone(net)
    loaded = pickle.loads(pickle.dumps(net))
    expected = bits(net.fit(*table))
    assert bits(copy.fit(*table)) == expected
    assert bits(loaded.fit(*table)) == expected


# --------------------------------------------------------------------------------- repr


def test_repr_shows_only_what_is_not_default(make_network, sequences):
    net = make_network()
    if net._takes_any_shape:
        net.model = None
    changed = [
        f"{name}={value!r}"
        for name, value in {**FAST, **make_network.settings.plain}.items()
        if value != type(net)._parameters[name].default
    ]
    expected = f"{type(net).__name__}({', '.join(sorted(changed))})"
    assert " ".join(repr(net).split()) == expected
    assert str(net) == repr(net)
    net = make_network(epochs=1).fit(*sequences)
    if net._takes_any_shape:
        net.model = None
    trained = expected.replace("epochs=20", "epochs=1")
    assert " ".join(repr(net).split()) == trained
    assert repr(type(net)()) == f"{type(net).__name__}()"


def test_repr_in_html_shows_name_parameters_and_state(make_network, sequences):
    net = make_network(epochs=3)
    html = estimator_html_repr(net)
    assert type(net).__name__ in html
    assert "random_state=0" in html
    assert "Not fitted" in html
    html = estimator_html_repr(net.fit(*sequences))
    assert "Not fitted" not in html
    pipeline = Pipeline([("scale", StandardScaler()), ("net", net)])
    assert type(net).__name__ in estimator_html_repr(pipeline)


# ------------------------------------------------------------- what scikeras has public


def test_initialize_draws_weights_without_training(make_network, sequences):
    X, y = sequences
    net = make_network(**make_network.settings.drawing)
    assert not net.initialized_
    assert net.initialize(X, y) is net
    assert net.initialized_
    assert net.current_epoch == net.n_iter_ == 0
    assert net.history_ == {}
    assert outputs(net, X).shape[0] == 60
    for _ in range(2):
        net.partial_fit(X, y)
    whole = make_network(**make_network.settings.drawing, epochs=2)
    assert bits(net) == bits(whole.fit(X, y))


def test_current_epoch_counts(make_network, sequences):
    net = make_network(epochs=2)
    assert net.current_epoch == 0
    assert not net.initialized_
    assert net.fit(*sequences).current_epoch == 2
    assert net.partial_fit(*sequences).current_epoch == 3
    assert net.initialized_


@pytest.mark.parametrize("name", ["feature_encoder", "target_encoder", "scorer"])
def test_leftover_of_scikeras_is_absent(make_network, sequences, name):
    net = make_network(epochs=1)
    for estimator in (net, net.fit(*sequences)):
        assert not hasattr(estimator, name)
        with pytest.raises(AttributeError, match=f"no attribute {name!r}"):
            getattr(estimator, name)


@pytest.mark.parametrize("name", ["model_", "history_", "callbacks_", "classes_"])
def test_fitted_attribute_is_absent_before_fit(make_network, name):
    net = make_network()
    assert not hasattr(net, name)
    with pytest.raises(AttributeError, match=name):
        getattr(net, name)


def test_model_is_a_keras_model_of_its_own(make_network, three_classes):
    import keras

    X, y = three_classes
    net = make_network().fit(X, y)
    before = outputs(net, X)
    model = net.model_
    assert isinstance(model, keras.Model)
    assert_allclose(model.predict(X, verbose=0), before, atol=1e-6)
    model.set_weights([np.zeros_like(weights) for weights in model.get_weights()])
    assert_array_equal(outputs(net, X), before)
    assert net.model_ is not model
    assert_allclose(net.model_.predict(X, verbose=0), before, atol=1e-6)


# -------------------------------------------------------------- partial_fit, warm_start


def test_partial_fit_is_one_epoch(make_network, sequences):
    X, y = sequences
    # A net that is to run 20 epochs in fit runs one at a time here.
    parts = make_network(**make_network.settings.drawing)
    for n_iter in (1, 2, 3):
        assert parts.partial_fit(X, y, **make_network.first) is parts
        assert parts.n_iter_ == n_iter
        assert len(parts.history_["loss"]) == n_iter
    whole = make_network(**make_network.settings.drawing, epochs=3).fit(X, y)
    assert bits(parts) == bits(whole)
    assert parts.history_ == whole.history_


def test_partial_fit_goes_on_from_fit(make_network, sequences):
    X, y = sequences
    net = make_network(epochs=2).fit(X, y).partial_fit(X, y)
    assert bits(net) == bits(make_network(epochs=3).fit(X, y))


def test_partial_fit_takes_rows_of_some_classes(make_classifier, three_classes):
    X, y = three_classes
    net = make_classifier()
    net.partial_fit(X[y == 2][:1], y[y == 2][:1], classes=[0, 1, 2])
    assert_array_equal(net.classes_, [0, 1, 2])
    for _ in range(20):
        for part in (slice(0, 30), slice(30, 60)):
            net.partial_fit(X[part], y[part])
    assert net.n_iter_ == 41
    assert net.score(X, y) >= 0.8


def test_partial_fit_needs_classes_at_the_first_call(make_classifier, sequences):
    X, y = sequences
    net = make_classifier()
    with pytest.raises(ValueError, match="classes must be passed on the first call"):
        net.partial_fit(X, y)
    assert not hasattr(net, "classes_")
    net.partial_fit(X, y, classes=np.array([1, 0]))
    assert_array_equal(net.classes_, [0, 1])
    net.partial_fit(X, y)


@pytest.mark.parametrize(
    ("labels", "classes", "telling"),
    [
        ([0, 2], None, r"y must hold only labels of the classes \[0 1\], got \[2\]"),
        ([0, 1], [0, 1, 2], r"classes must be the same at every call"),
    ],
)
def test_partial_fit_refuses_other_classes(
    make_classifier, sequences, labels, classes, telling
):
    X, y = sequences
    net = make_classifier(epochs=1).partial_fit(X, y, classes=[0, 1])
    before = bits(net)
    with pytest.raises(ValueError, match=telling):
        net.partial_fit(X, np.array(labels)[y], classes=classes)
    assert bits(net) == before
    assert net.n_iter_ == 1
    assert_array_equal(net.classes_, [0, 1])


def test_first_partial_fit_refuses_a_label_outside_classes(make_classifier, sequences):
    X, y = sequences
    net = make_classifier()
    with pytest.raises(ValueError, match=r"classes \[0 2\], got \[1\]"):
        net.partial_fit(X, y, classes=[0, 2])
    assert not net.initialized_


@pytest.mark.parametrize(
    "params", [{"early_stopping": True}, {"class_weight": "balanced"}]
)
def test_partial_fit_refuses_what_needs_all_rows(make_classifier, sequences, params):
    X, y = sequences
    net = make_classifier(**params)
    with pytest.raises(ValueError, match=f"{next(iter(params))} must be .*partial_fit"):
        net.partial_fit(X, y, classes=[0, 1])
    assert not net.initialized_


def test_partial_fit_takes_class_weight_as_a_dict(make_classifier, sequences):
    X, y = sequences
    weighted = make_classifier(class_weight={0: 1, 1: 3})
    weighted.partial_fit(X, y, classes=[0, 1])
    plain = make_classifier()
    plain.partial_fit(X, y, classes=[0, 1], sample_weight=np.array([1, 3])[y])
    assert bits(weighted) == bits(plain)


def test_fit_without_warm_start_starts_anew(make_classifier, sequences, three_classes):
    net = make_classifier(epochs=2).fit(*three_classes)
    net.partial_fit(*three_classes).fit(*sequences)
    assert net.n_iter_ == 2
    assert_array_equal(net.classes_, [0, 1])
    assert bits(net) == bits(make_classifier(epochs=2).fit(*sequences))


def test_warm_start_goes_on_where_fit_stopped(make_network, sequences):
    X, y = sequences
    drawing = make_network.settings.drawing
    params = {**drawing, "warm_start": True}
    twice = make_network(epochs=3, **params).fit(X, y)
    assert bits(twice) == bits(make_network(epochs=3, **drawing).fit(X, y))
    twice.fit(X, y)
    once = make_network(epochs=6, **params).fit(X, y)
    assert twice.n_iter_ == once.n_iter_ == 6
    assert twice.history_ == once.history_
    assert bits(twice) == bits(once)
    assert_array_equal(outputs(twice, X), outputs(once, X))


def test_warm_start_takes_new_epochs_and_learning_rate(make_network, sequences):
    X, y = sequences
    net = make_network(epochs=2, warm_start=True).fit(X, y)
    same = reloaded(net).set_params(epochs=1).fit(X, y)
    slow = reloaded(net).set_params(epochs=1, learning_rate=1e-12).fit(X, y)
    assert same.n_iter_ == slow.n_iter_ == 3
    assert_allclose(outputs(slow, X), outputs(net, X), atol=1e-6)
    assert abs(outputs(same, X) - outputs(net, X)).max() > 1e-4


def test_warm_start_refuses_new_classes(make_classifier, sequences, three_classes):
    X, y = sequences
    net = make_classifier(epochs=2, warm_start=True).fit(X, y)
    before = bits(net)
    with pytest.raises(ValueError, match=r"labels of the classes \[0 1\]"):
        net.fit(*three_classes)
    assert bits(net) == before
    assert net.n_iter_ == 2
    assert_array_equal(net.classes_, [0, 1])


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_going_on_refuses_another_network(make_network, sequences, method):
    X, y = sequences
    net = make_network(epochs=2, warm_start=True).fit(X, y)
    before = outputs(net, X)
    net.set_params(**make_network.settings.resized)
    with pytest.raises(ValueError, match="continue with the fitted network"):
        getattr(net, method)(X, y)
    assert_array_equal(outputs(net, X), before)
    assert net.n_iter_ == 2
    net.set_params(warm_start=False).fit(X, y)
    assert not np.array_equal(outputs(net, X), before)


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_going_on_refuses_another_shape(make_network, sequences, method):
    X, y = sequences
    net = make_network(epochs=1, warm_start=True).fit(X, y)
    before = bits(net)
    for other, telling in (
        (X[:, :4], "4 timesteps"),
        (X[:, :, :1], "1 feature"),
        (X.reshape(60, 10), "3 dimensions"),
    ):
        with pytest.raises(ValueError, match=telling):
            getattr(net, method)(other, y)
    assert bits(net) == before


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_going_on_after_loading_equals_going_on(
    make_network, sequences, method, optimizer
):
    X, y = sequences
    params = {**make_network.settings.drawing, "optimizer": optimizer}
    if optimizer == "sgd":
        params["optimizer_params"] = {"momentum": 0.9}
    net = make_network(epochs=3, warm_start=True, **params).fit(X, y)
    loaded = reloaded(net)
    assert bits(loaded) == bits(net)
    for estimator in (net, loaded):
        for _ in range(2):
            getattr(estimator, method)(X, y)
    assert loaded.n_iter_ == net.n_iter_ > 3
    assert loaded.history_ == net.history_
    assert bits(loaded) == bits(net)


def test_going_on_keeps_the_state_of_the_optimizer(make_network, sequences):
    # One epoch of Adam with moments at zero is another than the fourth.
    X, y = sequences
    net = make_network(epochs=3, shuffle=False, warm_start=True).fit(X, y)
    forgetful = reloaded(net)
    forgetful._state.optimizer.clear()
    net.set_params(epochs=1).fit(X, y)
    forgetful.set_params(epochs=1).fit(X, y)
    assert bits(net) != bits(forgetful)
