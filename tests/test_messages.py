"""Messages that newcomers meet: they name the place, what came, and what to do."""

import datetime
import re

import keras
import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

import skseq

# What is done with a classifier, X, y and the columns of X as a table, and the message.
MESSAGES = {
    "words in a frame": (
        lambda net, X, y, table: net.fit(table.assign(c3="word"), y),
        r"X must hold numbers, got column 'c3' of dtype (object|str)\. .*OneHotEncoder",
    ),
    "categories in a frame": (
        lambda net, X, y, table: net.fit(
            table.assign(c3=pd.Categorical(["a", "b"] * 30)), y
        ),
        r"X must hold numbers, got column 'c3' of dtype category\. .*OneHotEncoder",
    ),
    "words in a frame of polars": (
        lambda net, X, y, table: net.fit(
            pl.DataFrame(table).with_columns(c3=pl.lit("word")), y
        ),
        r"X must hold numbers, got column 'c3' of dtype String\. .*OneHotEncoder",
    ),
    "dates in a frame": (
        lambda net, X, y, table: net.fit(
            table.assign(c3=pd.Timestamp("2020-01-02")), y
        ),
        r"X must hold numbers, got column 'c3' of dtype datetime64.*days since",
    ),
    "dates with a time zone in a frame": (
        lambda net, X, y, table: net.fit(
            table.assign(c3=pd.Timestamp("2020-01-02", tz="Europe/Berlin")), y
        ),
        r"column 'c3' of dtype datetime64\[.*Europe/Berlin\]\. .*days since",
    ),
    "dates of Python in a frame": (
        lambda net, X, y, table: net.fit(table.assign(c3=datetime.date(2020, 1, 2)), y),
        r"X must hold numbers, got column 'c3' of dtype object\. .*days since",
    ),
    "only dates in a frame": (
        lambda net, X, y, table: net.fit(
            pd.DataFrame({"c0": pd.date_range("2020-01-01", periods=60)}), y
        ),
        r"X must hold numbers, got column 'c0' of dtype datetime64",
    ),
    "words in X_val": (
        lambda net, X, y, table: net.fit(table, y, X_val=table.assign(c3="a"), y_val=y),
        r"X_val must hold numbers, got column 'c3' of dtype",
    ),
    "roc_auc of several classes": (
        lambda net, X, y, table: net.set_params(
            early_stopping=True, monitor="roc_auc"
        ).fit(X, np.arange(60) % 3),
        r"monitor='roc_auc' is for two classes, got 3\. Use 'roc_auc_ovr'",
    ),
    "one-hot labels": (
        lambda net, X, y, table: net.fit(X, np.eye(3)[np.arange(60) % 3]),
        r"y must hold one label per row, got .*\(60, 3\).*y\.argmax\(axis=1\)",
    ),
    "splitter without its groups": (
        lambda net, X, y, table: net.set_params(
            early_stopping=True, validation_split=GroupKFold(3)
        ).fit(X, y),
        r"validation_split=GroupKFold\((.|\n)*Pass groups to fit",
    ),
    "array of objects that are no sequences": (
        lambda net, X, y, table: net.fit(
            np.array([row[: 1 + i % 3, 0] for i, row in enumerate(X)], dtype=object), y
        ),
        r"X\[0\] must have the shape \(n_timesteps, n_features\).*reshape\(-1, 1\)",
    ),
    "groups of two columns": (
        lambda net, X, y, table: net.fit(X, y, groups=np.ones((60, 2))),
        r"groups must have one dimension.*got shape \(60, 2\).*Join",
    ),
}


@pytest.mark.parametrize("case", MESSAGES)
def test_message_names_place_and_remedy(make_classifier, sequences, case):
    X, y = sequences
    table = pd.DataFrame(X.reshape(60, 10), columns=[f"c{i}" for i in range(10)])
    call, match = MESSAGES[case]
    net = make_classifier(epochs=1)
    with pytest.raises(ValueError, match=match):
        call(net, X, y, table)
    assert not net.initialized_


def test_texts_name_the_way_to_ids(make_classifier):
    for texts in (["so good"] * 4, pd.Series(["so good"] * 4, index=[5, 6, 7, 8])):
        with pytest.raises(ValueError, match=r"got texts.*TextSequencer.*embedding"):
            make_classifier().fit(texts, [0, 1, 0, 1])


def test_sparse_categories_in_a_pipeline_name_the_remedy(make_classifier):
    table = pd.DataFrame({"kind": ["a", "b"] * 10})
    pipeline = make_pipeline(OneHotEncoder(), make_classifier(epochs=1))
    match = r"X must be dense, got a sparse .*OneHotEncoder\(sparse_output=False\)"
    with pytest.raises(TypeError, match=match):
        pipeline.fit(table, [0, 1] * 10)
    pipeline.set_params(onehotencoder__sparse_output=False)
    assert pipeline.fit(table, [0, 1] * 10).predict(table).shape == (20,)


ARGUMENTS = {
    "validation_data": (
        lambda net, X, y: net.fit(X, y, validation_data=(X, y)),
        r"Classifier\.fit\(\) got .*'validation_data'\. Use X_val and y_val",
    ),
    "epochs": (
        lambda net, X, y: net.fit(X, y, epochs=3),
        r"Classifier\.fit\(\) .*'epochs'\. It is a parameter .*Classifier\(epochs=",
    ),
    "sample_weights": (
        lambda net, X, y: net.partial_fit(X, y, sample_weights=None),
        r"Classifier\.partial_fit\(\) .*'sample_weights'\. Use sample_weight",
    ),
    "validation_data of the constructor": (
        lambda net, X, y: type(net)(validation_data=(X, y)),
        r"Classifier got .*'validation_data'\. Pass X_val and y_val to fit\.",
    ),
    "model": (
        lambda net, X, y: type(net)(model=None),
        r"Classifier got an unexpected parameter 'model'\. The estimator builds its",
    ),
    "max_iter": (
        lambda net, X, y: type(net)(max_iter=10),
        r"Classifier got an unexpected parameter 'max_iter'\. Use epochs\.",
    ),
}


@pytest.mark.parametrize("case", ARGUMENTS)
def test_unknown_argument_names_class_and_parameter(make_classifier, sequences, case):
    call, match = ARGUMENTS[case]
    net = make_classifier()
    if case == "model" and net._takes_any_shape:
        return
    with pytest.raises(TypeError, match=match):
        call(net, *sequences)
    with pytest.raises(ValueError, match=r"Invalid parameter 'max_iter' .*Use epochs"):
        net.set_params(max_iter=3)


@pytest.mark.parametrize(
    ("name", "method", "what"),
    [
        ("LSTMClassifier", "fit", "label"),
        ("DenseClassifier", "partial_fit", "label"),
        ("KerasRegressor", "fit", "number"),
        ("LSTMRegressor", "initialize", "number"),
        ("SequenceAugmenter", "fit_resample", "label"),
    ],
)
def test_missing_y_names_the_public_class(sequences, name, method, what):
    X, _ = sequences
    call = getattr(getattr(skseq, name)(), method)
    match = re.escape(f"{name}.{method}() needs y: {method}(X, y). Pass a {what} for")
    for arguments in ({"args": (X,), "kwargs": {}}, {"args": (), "kwargs": {"X": X}}):
        with pytest.raises(TypeError, match=f"^{match} each row\\.$"):
            call(*arguments["args"], **arguments["kwargs"])


@pytest.mark.parametrize(
    ("params", "remedy"),
    [({}, " To read rows of any length, pass a list of arrays to fit."),
     ({"pooling": "flatten"}, "")],
)  # fmt: skip
def test_array_of_another_length_names_lists(sequences, params, remedy):
    X, y = sequences
    net = skseq.LSTMClassifier(2, epochs=1, **params).fit(X, y)
    with pytest.raises(ValueError, match=f"expecting 5 timesteps as input.{remedy}$"):
        net.predict(X[:, 1:])
    if remedy:
        net.fit(list(X), y).predict(X[:, 1:])


def test_texts_in_an_array_of_objects_are_named(make_network, sequences):
    X, y = sequences
    words = X.astype(object)
    words[3, 1, 0] = "a"
    with pytest.raises(ValueError, match="^X must hold numbers, got 'a'. Encode texts"):
        make_network().fit(words, y)
    words[3, 1, 0] = "1.5"
    make_network(epochs=1).fit(words, y)


class Pages:
    """Batches, as Keras' data sets give them."""

    def __len__(self):
        return 2

    def __getitem__(self, number):
        return np.zeros((number + 1, 2)), np.zeros(number + 1)


@pytest.mark.parametrize(
    ("name", "unknown", "hint"),
    [
        ("DenseClassifier", "model", "set dense_units to choose its layers."),
        ("DenseClassifier", "alpha", "Use weight_decay."),
        ("AutoencoderTransformer", "model", "set layer_sizes to choose its layers."),
        ("AutoencoderTransformer", "units", "Use layer_sizes."),
        ("DenseClassifier", "units", "Did you mean 'dense_units'?"),
        ("LSTMRegressor", "class_weight", "Leave it out: regressors have no classes;"),
        ("KerasRegressor", "class_weights", "pass sample_weight to fit."),
        ("AutoencoderTransformer", "validation_data", "Pass X_val to fit."),
        ("AutoencoderTransformer", "y_valid", "Expected one of "),
        ("AutoencoderOutlierDetector", "alpha", "Expected one of "),
        ("SequenceReshaper", "alpha", "Expected one of "),
        ("SequenceReshaper", "model", "Did you mean "),
        ("SequenceAugmenter", "eval_set", "Expected one of "),
        ("LSTMClassifier", "hidden_size", "Use units."),
        ("LSTMClassifier", "return_sequences", "Leave it out: units may be a tuple"),
        ("LSTMClassifier", "predict__batch_size", "Leave it out: predictions"),
        ("LSTMClassifier", "fit__epochs", "Use epochs."),
        ("LSTMClassifier", "module__hidden", "builds its own network."),
        ("KerasClassifier", "module__hidden", "Use model__hidden."),
    ],
)
def test_hints_name_what_the_class_has(name, unknown, hint):
    match = re.escape(f"unexpected parameter {unknown!r}.") + ".*" + re.escape(hint)
    with pytest.raises(TypeError, match=match):
        getattr(skseq, name)(**{unknown: 1})


@pytest.mark.parametrize(
    "X", [(row for row in range(3)), {"a": 1}, {1.0, 2.0}, Pages()], ids=type
)
def test_object_that_is_no_array_is_named(X):
    match = f"^X must be an array, .* type {type(X).__name__}. Pass arrays, or call par"
    with pytest.raises(TypeError, match=match):
        skseq.LSTMClassifier().fit(X, [0, 1, 0])


def test_dataframe_with_a_series_in_each_cell_is_named():
    cells = [pd.Series([1.0, 2.0]), pd.Series([2.0, 3.0, 4.0])]
    with pytest.raises(ValueError, match=r"in each cell of column 'a'.*column_stack"):
        skseq.LSTMClassifier().fit(pd.DataFrame({"a": cells, "b": cells}), [0, 1])


def test_hint_of_an_autoencoder_has_no_labels():
    with pytest.raises(TypeError, match=r"'validation_data'\. Use X_val\.$"):
        skseq.AutoencoderTransformer().fit(np.ones((4, 2)), validation_data=1)


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("DenseClassifier", "or pass X_val and y_val to fit."),
        ("AutoencoderTransformer", "or pass X_val to fit."),
    ],
)
def test_one_group_can_not_be_split(sequences, name, remedy):
    X, y = sequences
    net = getattr(skseq, name)(epochs=1, early_stopping=True)
    match = f"groups, got 1. Pass rows of more groups, .*{remedy}$"
    with pytest.raises(ValueError, match=match):
        net.fit(X, y, groups=np.zeros(60))


def test_groups_of_one_column_are_groups(make_classifier, sequences):
    X, y = sequences
    groups = np.arange(60) // 4
    params = {"epochs": 2, "early_stopping": True, "validation_split": 0.3}
    flat = make_classifier(**params).fit(X, y, groups=groups)
    column = make_classifier(**params).fit(X, y, groups=groups[:, None])
    assert flat.history_ == column.history_


# ------------------------------------------------------------- optimizers and losses


def test_loss_scale_optimizer_is_refused(sequences):
    optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1))
    with pytest.raises(
        ValueError, match="LossScaleOptimizer.*Pass its inner_optimizer"
    ):
        skseq.DenseClassifier(optimizer=optimizer).fit(*sequences)


@pytest.mark.skipif(
    not hasattr(keras.optimizers, "MultiOptimizer"), reason="Keras has no such class"
)
def test_optimizer_of_several_optimizers_is_refused(sequences):
    parts = [(keras.optimizers.SGD(0.1), "outputs/.*")]
    optimizer = keras.optimizers.MultiOptimizer(keras.optimizers.Adam(0.1), parts)
    with pytest.raises(ValueError, match="one optimizer for all weights, got"):
        skseq.DenseClassifier(optimizer=optimizer).fit(*sequences)
    with pytest.raises(ValueError, match="name of a Keras optimizer"):
        skseq.DenseClassifier(optimizer="multioptimizer").fit(*sequences)


@pytest.mark.parametrize("name", ["clipnorm", "global_clipnorm", "clipvalue"])
def test_negative_limit_of_the_gradient_is_refused(sequences, name):
    for params in (
        {"optimizer_params": {name: -1.0}},
        {"optimizer": keras.optimizers.SGD(0.1, **{name: -1.0})},
    ):
        with pytest.raises(ValueError, match=f"positive {name}, or None, got -1.0"):
            skseq.DenseClassifier(**params).fit(*sequences)


@pytest.mark.skipif(
    not hasattr(keras.optimizers, "Muon"), reason="Keras has Muon from 3.11 on"
)
def test_paths_of_weights_that_an_optimizer_excludes_are_those_of_keras(sequences):
    def weights(layers):
        optimizer = keras.optimizers.Muon(0.01, exclude_layers=layers)
        net = skseq.DenseClassifier((4,), epochs=2, optimizer=optimizer, random_state=0)
        return net.fit(*sequences).model_.get_weights()

    by_path, by_layer, none = map(weights, (["dense_1/kernel"], ["dense_1"], []))
    assert np.array_equal(by_path[0], by_layer[0])
    assert not np.array_equal(by_path[0], none[0])


@pytest.mark.parametrize(
    ("loss", "name"),
    [("focal", "binary_focal_crossentropy"), ("RMSE", "mse"), ("rmse", "mse")],
)
def test_loss_of_another_library_names_that_of_keras(sequences, loss, name):
    with pytest.raises(ValueError, match=f"Keras loss, got '{loss}'. Use '{name}'.$"):
        skseq.DenseRegressor(loss=loss).fit(*sequences)


def test_metric_that_is_named_as_the_loss_is_refused(sequences):
    def loss(y_true, y_pred):
        return keras.ops.mean(y_pred, axis=-1)

    for metric in (loss, keras.metrics.Accuracy(name="loss")):
        with pytest.raises(ValueError, match="must not be named 'loss'"):
            skseq.DenseClassifier(metrics=[metric]).fit(*sequences)


class Powered(keras.losses.Loss):
    def __init__(self, power=2.0, **options):
        super().__init__(**options)
        self.power = power

    def call(self, y_true, y_pred):
        return keras.ops.mean(abs(y_true - y_pred) ** self.power, axis=-1)


class Derived(Powered):
    def __init__(self, **options):
        super().__init__(**options)


def test_arguments_of_a_users_base_class_are_taken(sequences):
    params = {"epochs": 2, "random_state": 0}
    found, expected = (
        skseq.DenseClassifier(loss=cls, loss_params={"power": 3.0}, **params)
        .fit(*sequences)
        .history_
        for cls in (Derived, Powered)
    )
    assert found == expected
    with pytest.raises(ValueError, match="arguments of Derived, got 'powr'.*'power'"):
        skseq.DenseClassifier(loss=Derived, loss_params={"powr": 3.0}).fit(*sequences)


def test_loss_scale_factor_changes_no_weight(sequences):
    X, y = sequences
    params = {"epochs": 4, "random_state": 0, "optimizer": "sgd", "learning_rate": 0.1}
    plain = skseq.DenseClassifier((4,), **params).fit(X, y)
    scaled = skseq.DenseClassifier(
        (4,), **params, optimizer_params={"loss_scale_factor": 512.0}
    ).fit(X, y)
    start = skseq.DenseClassifier((4,), **params).initialize(X, y)
    weights = [net.model_.get_weights() for net in (plain, scaled, start)]
    for expected, found, first in zip(*weights, strict=True):
        assert_allclose(found, expected, atol=1e-5)
        assert abs(found - first).max() > 1e-3


def test_weights_that_decay_excludes_are_not_lost_silently(sequences):
    optimizer = keras.optimizers.AdamW(0.01)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    net = skseq.DenseClassifier(optimizer=optimizer)
    for call in (lambda: net.fit(*sequences), lambda: clone(net)):
        with pytest.raises(
            ValueError, match="exclude no weights from weight decay, got"
        ):
            call()
    clone(skseq.DenseClassifier(optimizer=keras.optimizers.AdamW(0.01))).fit(*sequences)


@pytest.mark.skipif(
    not hasattr(keras.losses, "CategoricalGeneralizedCrossEntropy"),
    reason="Keras has this loss from 3.9 on",
)
@pytest.mark.parametrize("n_classes", [2, 3])
def test_generalized_cross_entropy_gets_indices(sequences, n_classes):
    X, _ = sequences
    net = skseq.DenseClassifier(
        (4,), epochs=2, loss="categorical_generalized_cross_entropy"
    ).fit(X, np.arange(60) % n_classes)
    assert net.model_.output_shape == (None, n_classes)
    assert np.isfinite(net.history_["loss"]).all()


@pytest.mark.parametrize("optimizer", ["adam", "nadam"])
def test_scope_of_a_strategy_trains_or_says_why_not(sequences, optimizer):
    import tensorflow as tf

    skseq.clear_programs()
    net = skseq.DenseClassifier((3,), epochs=1, optimizer=optimizer)
    with tf.distribute.MirroredStrategy(["CPU:0"]).scope():
        if optimizer == "adam":
            net.fit(*sequences)
        else:
            with pytest.raises(RuntimeError, match="'nadam' can't .*outside the scope"):
                net.fit(*sequences)
    skseq.clear_programs()
    net.fit(*sequences)


def _infinite_where_sure(y_true, y_pred):
    error = keras.ops.mean((y_true - y_pred) ** 2, axis=-1)
    return keras.ops.where(y_pred[:, 0] > 0.9, np.inf, error)


def test_infinite_validation_loss_raises(sequences):
    X, y = sequences
    far = 100 * X  # of which the network is sure
    net = skseq.DenseClassifier(
        (), epochs=3, early_stopping=True, loss=_infinite_where_sure, optimizer="sgd",
        learning_rate=1e-9, random_state=0,
    )  # fmt: skip
    with pytest.raises(
        ValueError, match="The val_loss must stay finite, got inf in ep"
    ):
        net.fit(0.01 * X, y, X_val=far, y_val=y)
    assert not net.initialized_


# ------------------------------------------------------------------ scikit-learn's own


def test_skipped_validation_of_parameters_is_skipped(sequences):
    net = skseq.DenseClassifier(epochs=1, shuffle="yes")
    with pytest.raises(ValueError, match="'shuffle' parameter"):
        net.fit(*sequences)
    with sklearn.config_context(skip_parameter_validation=True):
        net.fit(*sequences)


def test_equal_optimizer_objects_hash_alike(sequences):
    import joblib

    def make(rate):
        return skseq.AutoencoderTransformer(
            layer_sizes=3, epochs=1, random_state=0,
            optimizer=keras.optimizers.Adam(rate),
        )  # fmt: skip

    assert joblib.hash(make(0.01)) == joblib.hash(make(0.01))
    assert joblib.hash(make(0.01)) != joblib.hash(make(0.02))
    fitted = [make(0.01).fit(sequences[0]) for _ in range(2)]
    assert joblib.hash(fitted[0]) == joblib.hash(fitted[1])


def test_pipeline_with_memory_reuses_a_transformer_with_an_optimizer(
    sequences, tmp_path, monkeypatch
):
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import Pipeline

    X, y = sequences
    fits = []
    fit = skseq.AutoencoderTransformer._fit

    def spy(self, *args, **options):
        fits.append(self)
        return fit(self, *args, **options)

    monkeypatch.setattr(skseq.AutoencoderTransformer, "_fit", spy)
    for _ in range(2):
        codes = skseq.AutoencoderTransformer(
            layer_sizes=3, epochs=1, random_state=0,
            optimizer=keras.optimizers.Adam(0.01),
        )  # fmt: skip
        steps = [("codes", codes), ("model", LogisticRegression())]
        Pipeline(steps, memory=str(tmp_path)).fit(X, y)
    assert len(fits) == 1


def test_scorer_of_the_users_meets_what_a_classifier_has(sequences):
    X, y = sequences
    seen = []

    def scorer(estimator, X, y):
        logarithms = estimator.predict_log_proba(X)
        assert_array_equal(np.exp(logarithms).argmax(1), estimator.predict(X))
        seen.append((estimator.n_classes_, logarithms.shape, len(X), len(y)))
        return 0.5

    skseq.DenseClassifier(
        epochs=1, early_stopping=True, validation_split=0.2, monitor=scorer
    ).fit(X, y)
    assert seen == [(2, (12, 2), 12, 12)]


def test_splitter_and_scorer_see_what_the_caller_gave():
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(60, 10)), columns=list("abcdefghij"))
    labels = pd.Series(np.where(np.arange(60) % 2, "p", "q"), index=table.index)
    weights = np.ones(60)
    weights[[3, 50]] = 0
    seen = []

    class Splitter:
        def get_n_splits(self, X=None, y=None, groups=None):
            return 1

        def split(self, X, y=None, groups=None):
            seen.append((X, y))
            yield np.arange(40), np.arange(40, len(X))

    def scorer(estimator, X, y):
        seen.append((X, y))
        return 0.5

    skseq.DenseClassifier(
        n_timesteps=5, epochs=1, early_stopping=True, validation_split=Splitter(),
        monitor=scorer,
    ).fit(table, labels, sample_weight=weights)  # fmt: skip
    kept = np.flatnonzero(weights)
    (X, y), (X_val, y_val) = seen
    pd.testing.assert_frame_equal(X, table.iloc[kept])
    pd.testing.assert_series_equal(y, labels.iloc[kept])
    pd.testing.assert_frame_equal(X_val, table.iloc[kept[40:]])
    pd.testing.assert_series_equal(y_val, labels.iloc[kept[40:]])
