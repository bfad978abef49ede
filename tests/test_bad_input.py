"""Bad input: what is said, and that nothing is changed by it.

Each case runs on an unfitted and on a fitted estimator of every class. After the error,
the whole state of the estimator, X, y and weights are what they were.
"""

import copy
import math
import re

import keras
import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GroupShuffleSplit, KFold, TimeSeriesSplit
from snapshots import snapshot

N_ROWS, N_STEPS, N_FEATURES = 60, 5, 2


def test_snapshot_sees_every_change(make_classifier, sequences):
    X, y = sequences
    estimator = make_classifier(epochs=1).fit(X, y)
    before = snapshot(estimator)
    assert snapshot(copy.deepcopy(estimator)) == before
    estimator._state.weights[0][0] += 1
    changed = snapshot(estimator)
    assert changed != before
    estimator.history_["loss"].append(0.0)
    assert snapshot(estimator) != changed


_fitted = {}


def fitted(make_classifier, X, y):
    """Copy an estimator of this class that was fitted on X and y."""
    name = type(make_classifier()).__name__
    if (name, X.ndim) not in _fitted:
        _fitted[name, X.ndim] = make_classifier(epochs=2).fit(X, y)
    return copy.deepcopy(_fitted[name, X.ndim])


def check_refused(estimator, method, arguments, error, match):
    """Check that a call raises, and changes neither estimator nor arguments."""
    probe = None
    if hasattr(estimator, "n_features_in_"):
        is_3d = estimator._n_dimensions_in == 3
        steps = [estimator.n_timesteps_in_] if is_3d else []
        probe = np.linspace(-1, 1, 4 * math.prod(steps) * estimator.n_features_in_)
        probe = probe.reshape(4, *steps, estimator.n_features_in_)
        probabilities = estimator.predict_proba(probe)
    before, given = snapshot(estimator), snapshot(arguments)
    with pytest.raises(error, match=match):
        getattr(estimator, method)(**arguments)
    assert snapshot(estimator) == before
    assert snapshot(arguments) == given
    if probe is None:
        with pytest.raises(NotFittedError):
            estimator.predict(np.zeros((2, N_STEPS, N_FEATURES)))
    else:
        np.testing.assert_array_equal(estimator.predict_proba(probe), probabilities)


# ------------------------------------------------------------------ data, both states


def _with(array, value, at=(3,)):
    changed = array.astype(np.result_type(array, type(value)))
    changed[at] = value
    return changed


def _2d(X):
    return X.reshape(len(X), -1)


# What is changed in the arguments of fit, the error, the telling part of its message.
BAD_DATA = {
    "nan": (lambda X, y: {"X": _with(X, np.nan)}, ValueError, "X contains NaN"),
    "nan_2d": (lambda X, y: {"X": _with(_2d(X), np.nan)}, ValueError, "X contains NaN"),
    "infinity": (lambda X, y: {"X": _with(X, np.inf)}, ValueError, "X contains inf"),
    "minus_infinity": (
        lambda X, y: {"X": _with(X, -np.inf)},
        ValueError,
        "X contains inf",
    ),
    "too_large_for_float32": (
        lambda X, y: {"X": _with(X, 1e300)},
        ValueError,
        "X contains inf.*too large for dtype.*float32",
    ),
    "empty": (
        lambda X, y: {"X": X[:0], "y": y[:0]},
        ValueError,
        r"X can't be used: Found array with 0 sample.*shape=\(0, 5, 2\)",
    ),
    "empty_2d": (
        lambda X, y: {"X": _2d(X)[:0], "y": y[:0]},
        ValueError,
        "X can't be used: Found array with 0 sample",
    ),
    "no_columns": (
        lambda X, y: {"X": np.empty((60, 0))},
        ValueError,
        r"X can't be used: Found array with 0 feature.*shape=\(60, 0\)",
    ),
    "no_timesteps": (
        lambda X, y: {"X": np.empty((60, 0, 2))},
        ValueError,
        r"X must have at least one timestep.*got shape \(60, 0, 2\)",
    ),
    "no_features": (
        lambda X, y: {"X": np.empty((60, 5, 0))},
        ValueError,
        r"X must have at least one timestep.*got shape \(60, 5, 0\)",
    ),
    "one_row": (
        lambda X, y: {"X": X[:1], "y": y[:1]},
        ValueError,
        "X can't be used: Found array with 1 sample",
    ),
    "one_class": (
        lambda X, y: {"y": np.full(60, "good")},
        ValueError,
        "y must hold labels of at least 2 classes, got 1 class: .*good",
    ),
    "0_dimensions": (lambda X, y: {"X": 1.0}, ValueError, "X must have 2 .*got 0"),
    "1_dimension": (
        lambda X, y: {"X": X[:, 0, 0]},
        ValueError,
        r"X must have 2 dimensions.*got 1\. Reshape your data.*make_windows cuts",
    ),
    "4_dimensions": (
        lambda X, y: {"X": X[..., None]},
        ValueError,
        r"X must have 2 dim.* or 3 .*got 4\. Join .*X\.reshape\(\*X\.shape\[:2\], -1\)",
    ),
    "sparse": (
        lambda X, y: {"X": scipy.sparse.csr_matrix(_2d(X))},
        TypeError,
        r"X must be dense, got a sparse csr_matrix.*toarray\(\)",
    ),
    "sparse_array": (
        lambda X, y: {"X": scipy.sparse.coo_array(_2d(X))},
        TypeError,
        "X must be dense, got a sparse coo_array",
    ),
    "strings": (
        lambda X, y: {"X": np.full(X.shape, "word")},
        ValueError,
        r"X must hold numbers, got 'word'\. Encode texts .*OneHotEncoder in a Column",
    ),
    "strings_in_a_frame": (
        lambda X, y: {"X": pd.DataFrame(_2d(X)).astype({3: str}).assign(**{"a": "b"})},
        (ValueError, TypeError),
        "X|feature names",
    ),
    "complex": (
        lambda X, y: {"X": X + 1j},
        ValueError,
        "X can't be used: Complex data not supported",
    ),
    "structured": (
        lambda X, y: {"X": np.zeros(X.shape, [("a", "f4"), ("b", "i4")])},
        TypeError,
        "X can't be used: Cannot cast",
    ),
    "bytes_y": (
        lambda X, y: {"y": np.where(y, b"yes", b"no")},
        TypeError,
        "y must hold class labels: Support for labels represented as bytes",
    ),
    "complex_y": (
        lambda X, y: {"y": y + 0j},
        ValueError,
        "y must hold class labels: Complex data not supported",
    ),
    "lists_of_labels": (
        lambda X, y: {"y": [[0], [0, 1]] * 30},
        ValueError,
        "y must hold class labels: ",
    ),
    "ragged": (
        lambda X, y: {"X": [row[:, : 1 + i % 2].tolist() for i, row in enumerate(X)]},
        ValueError,
        r"X\[1\] must have 1 features, as X\[0\], got 2",
    ),
    "no_y": (lambda X, y: {"y": None}, ValueError, "requires y to be passed"),
    "short_y": (
        lambda X, y: {"y": y[:-1]},
        ValueError,
        r"y must have one entry for each of the 60 rows of X, got .*\(59,\)",
    ),
    "long_y": (
        lambda X, y: {"y": np.tile(y, 2)},
        ValueError,
        r"y must have one entry for each of the 60 rows of X, got .*\(120,\)",
    ),
    "nan_in_y": (
        lambda X, y: {"y": _with(y.astype(float), np.nan)},
        ValueError,
        r"y contains NaN\. Leave out rows without a label\.$",
    ),
    "none_in_y": (
        lambda X, y: {"y": np.where(y == 1, "a", None)},
        (ValueError, TypeError),
        r"\by must|\by can't|y contains|label type",
    ),
    "continuous_y": (
        lambda X, y: {"y": y + 0.25 * np.arange(60)},
        ValueError,
        r"\by must hold class labels: Unknown label type: continuous",
    ),
    "multilabel_y": (
        lambda X, y: {"y": np.column_stack([y, 1 - y, y])},
        ValueError,
        r"y must hold one label per row, got a multilabel indicator of shape \(60, 3\)",
    ),
    "short_weights": (
        lambda X, y: {"sample_weight": np.ones(59)},
        ValueError,
        r"sample_weight must have one entry for each of the 60 rows.*\(59,\)",
    ),
    "two_dimensional_weights": (
        lambda X, y: {"sample_weight": np.ones((60, 2))},
        ValueError,
        r"sample_weight must be 1D.*got shape \(60, 2\)",
    ),
    "negative_weights": (
        lambda X, y: {"sample_weight": _with(np.ones(60), -0.5)},
        ValueError,
        "sample_weight must not be negative, got .*-0.5",
    ),
    "nan_in_weights": (
        lambda X, y: {"sample_weight": _with(np.ones(60), np.nan)},
        ValueError,
        "sample_weight contains NaN",
    ),
    "all_weights_zero": (
        lambda X, y: {"sample_weight": np.zeros(60)},
        ValueError,
        "sample_weight must not be all zero",
    ),
    "weights_leave_one_class": (
        lambda X, y: {"sample_weight": (y == 1).astype(float)},
        ValueError,
        "y must hold labels of at least 2 classes, got 1 class: 1",
    ),
    "string_weights": (
        lambda X, y: {"sample_weight": np.full(60, "heavy")},
        ValueError,
        "sample_weight must hold one number for each row, got .*string to .*heavy",
    ),
    "short_groups": (
        lambda X, y: {"groups": np.arange(59)},
        ValueError,
        r"groups must have one entry for each of the 60 rows of X, got .*\(59,\)",
    ),
    "groups_of_several_lengths": (
        lambda X, y: {"groups": [[1], [1, 2]] * 30},
        ValueError,
        "groups must hold one value for each row",
    ),
    "groups_of_two_types": (
        lambda X, y: {"groups": [None, "a"] * 30},
        ValueError,
        r"groups must hold values of one type .*sorted, got \['NoneType', 'str'\]",
    ),
    "groups_of_none": (
        lambda X, y: {"groups": [None] * 60},
        ValueError,
        r"groups must hold values of one type .*got \['NoneType'\]\. .*fill in",
    ),
    "nan_in_groups": (
        lambda X, y: {"groups": _with(np.arange(60), np.nan)},
        ValueError,
        "groups must have no missing values, got NaN",
    ),
    "continuous_y_val": (
        lambda X, y: {"X_val": X, "y_val": y + 0.25 * np.arange(60)},
        ValueError,
        "y_val must hold class labels: Unknown label type: continuous",
    ),
    "string_sample_weight_val": (
        lambda X, y: {"X_val": X, "y_val": y, "sample_weight_val": ["heavy"] * 60},
        ValueError,
        "sample_weight_val must hold one number for each row, got .*heavy",
    ),
    "X_val_without_y_val": (
        lambda X, y: {"X_val": X},
        ValueError,
        "X_val needs y_val, got y_val=None",
    ),
    "y_val_without_X_val": (
        lambda X, y: {"y_val": y},
        ValueError,
        "y_val needs X_val, got X_val=None",
    ),
    "sample_weight_val_without_X_val": (
        lambda X, y: {"sample_weight_val": np.ones(60)},
        ValueError,
        "sample_weight_val needs X_val, got X_val=None",
    ),
    "nan_in_X_val": (
        lambda X, y: {"X_val": _with(X, np.nan), "y_val": y},
        ValueError,
        "X_val contains NaN",
    ),
    "nan_in_2d_X_val": (
        lambda X, y: {"X": _2d(X), "X_val": _with(_2d(X), np.nan), "y_val": y},
        ValueError,
        "X_val",
    ),
    "X_val_of_other_dimensions": (
        lambda X, y: {"X_val": _2d(X), "y_val": y},
        ValueError,
        "X_val must have 3 dimensions.*got 2",
    ),
    "X_val_of_other_timesteps": (
        lambda X, y: {"X_val": X[:, 1:], "y_val": y},
        ValueError,
        "X_val has 4 timesteps, but .*Classifier is expecting 5 timesteps",
    ),
    "X_val_of_other_features": (
        lambda X, y: {"X_val": X[..., :1], "y_val": y},
        ValueError,
        "X_val has 1 features, but .*Classifier is expecting 2 features",
    ),
    "X_val_of_other_columns": (
        lambda X, y: {"X": _2d(X), "X_val": _2d(X)[:, 1:], "y_val": y},
        ValueError,
        "X_val.*9 features.*expecting 10 features",
    ),
    "short_y_val": (
        lambda X, y: {"X_val": X, "y_val": y[:-1]},
        ValueError,
        r"y_val must have one entry for each of the 60 rows of X.*got .*\(59,\)",
    ),
    "unseen_label_in_y_val": (
        lambda X, y: {"X_val": X, "y_val": _with(y, 7)},
        ValueError,
        r"y_val must hold only labels of the classes \[0 1\], got \[7\]",
    ),
    "short_sample_weight_val": (
        lambda X, y: {"X_val": X, "y_val": y, "sample_weight_val": np.ones(3)},
        ValueError,
        r"sample_weight_val must have one entry for each of the 60 rows.*\(3,\)",
    ),
    "negative_sample_weight_val": (
        lambda X, y: {"X_val": X, "y_val": y, "sample_weight_val": -np.ones(60)},
        ValueError,
        "sample_weight_val must not be negative, got .*-1",
    ),
}


@pytest.mark.parametrize("case", BAD_DATA)
def test_fit_refuses_data(make_classifier, sequences, case):
    X, y = sequences
    change, error, match = BAD_DATA[case]
    if case == "4_dimensions" and make_classifier()._takes_any_shape:
        return  # as images, see `test_keras.py`
    arguments = {"X": X, "y": y, **change(X, y)}
    for estimator in (make_classifier(), fitted(make_classifier, X, y)):
        check_refused(estimator, "fit", arguments, error, match)


# ------------------------------------------------------------ parameters of all classes


def _nothing(y_true, y_pred):
    pass


# Parameters, the error and the telling part of its message. What scikit-learn's
# constraints refuse is InvalidParameterError: a ValueError and a TypeError.
BAD_PARAMETERS = {
    "epochs_zero": ({"epochs": 0}, ValueError, "'epochs' parameter .*Got 0"),
    "epochs_float": ({"epochs": 2.5}, TypeError, "'epochs' parameter .*Got 2.5"),
    "batch_size_zero": ({"batch_size": 0}, ValueError, "'batch_size' .*Got 0"),
    "validation_split_one": (
        {"early_stopping": True, "validation_split": 1.0},
        ValueError,
        "'validation_split' parameter .*Got 1.0",
    ),
    "validation_split_zero": (
        {"early_stopping": True, "validation_split": 0.0},
        ValueError,
        "'validation_split' parameter .*Got 0.0",
    ),
    "validation_split_int": (
        {"early_stopping": True, "validation_split": 5},
        ValueError,
        "validation_split.*[Gg]ot 5",
    ),
    "validation_split_none": (
        {"early_stopping": True, "validation_split": None},
        ValueError,
        "validation_split.*[Gg]ot None",
    ),
    "validation_split_too_small": (
        {"early_stopping": True, "validation_split": 0.001},
        ValueError,
        "validation_split=0.001 can't split 60 rows.*Pass more rows",
    ),
    "validation_split_needs_groups": (
        {"early_stopping": True, "validation_split": GroupShuffleSplit(1)},
        ValueError,
        r"validation_split=GroupShuffleSplit\((.|\n)*'groups' parameter .*None",
    ),
    "validation_split_too_many_splits": (
        {"early_stopping": True, "validation_split": TimeSeriesSplit(99)},
        ValueError,
        "validation_split=TimeSeriesSplit.*can't split 60 rows",
    ),
    "validation_split_class": (
        {"early_stopping": True, "validation_split": KFold},
        TypeError,
        r"validation_split must be .*got <class .*KFold'>\. Pass an object",
    ),
    "validation_split_word": (
        {"early_stopping": True, "validation_split": "group"},
        TypeError,
        "validation_split must be a fraction or a splitter object, got 'group'",
    ),
    "patience_zero": ({"patience": 0}, ValueError, "'patience' .*Got 0"),
    "min_delta_negative": ({"min_delta": -1.0}, ValueError, "'min_delta' .*Got -1.0"),
    "early_stopping_word": (
        {"early_stopping": "yes"},
        TypeError,
        "'early_stopping' .*Got 'yes'",
    ),
    "shuffle_word": ({"shuffle": "batch"}, TypeError, "'shuffle' .*Got 'batch'"),
    "learning_rate_zero": ({"learning_rate": 0.0}, ValueError, "'learning_rate' .*Got"),
    "learning_rate_nan": (
        {"learning_rate": np.nan},
        ValueError,
        "'learning_rate' .*na",
    ),
    "n_timesteps_zero": ({"n_timesteps": 0}, ValueError, "'n_timesteps' .*Got 0"),
    "n_timesteps_disagrees": (
        {"n_timesteps": 4},
        ValueError,
        "n_timesteps=4 does not agree with X, which has 5 timesteps",
    ),
    "random_state_word": (
        {"random_state": "a"},
        ValueError,
        "'random_state' .*Got 'a'",
    ),
    "verbose_negative": ({"verbose": -1}, ValueError, "'verbose' .*Got -1"),
    "warm_start_word": ({"warm_start": "yes"}, TypeError, "'warm_start' .*Got 'yes'"),
    "optimizer_unknown": (
        {"optimizer": "adamm"},
        ValueError,
        r"optimizer must be .*got 'adamm'\. Did you mean 'adam'\?",
    ),
    "optimizer_number": ({"optimizer": 3}, TypeError, "'optimizer' .*Got 3"),
    "optimizer_other_class": (
        {"optimizer": dict},
        TypeError,
        "optimizer must be .*got <class 'dict'>",
    ),
    "optimizer_params_unknown": (
        {"optimizer__clipnrom": 1.0},
        ValueError,
        r"optimizer_params .*Adam, got 'clipnrom'\. Did you mean 'clipnorm'\?",
    ),
    "optimizer_params_learning_rate": (
        {"optimizer_params": {"learning_rate": 0.1}},
        ValueError,
        "optimizer_params must not hold 'learning_rate', got 0.1",
    ),
    "optimizer_params_value": (
        {"optimizer__clipnorm": 1.0, "optimizer__clipvalue": 1.0},
        ValueError,
        "optimizer_params=.*clipvalue.* can't be used with Adam",
    ),
    "optimizer_params_list": (
        {"optimizer_params": ["clipnorm"]},
        TypeError,
        "'optimizer_params' .*Got",
    ),
    "loss_unknown": (
        {"loss": "binary_crossentropi"},
        ValueError,
        r"loss must be .*'binary_crossentropi'\. Did you mean 'binary_crossentropy'",
    ),
    "loss_number": ({"loss": 3}, TypeError, "'loss' .*Got 3"),
    "loss_class": ({"loss": int}, TypeError, "loss must be a name, .*got .*int"),
    "loss_without_return": (
        {"loss": _nothing},
        ValueError,
        "loss must return the losses of the rows, got None from .*_nothing",
    ),
    "loss_params_unknown": (
        {"loss": "binary_crossentropy", "loss__label_smothing": 0.1},
        ValueError,
        r"loss_params .*got 'label_smothing'\. Did you mean 'label_smoothing'\?",
    ),
    "loss_params_value": (
        {"loss": "binary_crossentropy", "loss__reduction": "mode"},
        ValueError,
        "loss_params=.*mode.* can't be used with BinaryCrossentropy",
    ),
    "loss_params_of_a_function": (
        {"loss": keras.losses.mean_squared_error, "loss__axis": 1},
        ValueError,
        "loss_params must be None with a function as loss, got {'axis': 1}",
    ),
    "metrics_unknown": (
        {"metrics": ["accuracy", "accuracie"]},
        ValueError,
        r"metrics must be .*got 'accuracie'\. Did you mean 'accuracy'\?",
    ),
    "metrics_number": ({"metrics": [3]}, TypeError, "metrics must be .*got 3"),
    "monitor_unknown": (
        {"monitor": "roc_acu"},
        ValueError,
        r"monitor must be .*got 'roc_acu'\. Did you mean 'roc_auc'\?",
    ),
    "monitor_number": ({"monitor": 3}, TypeError, "'monitor' .*Got 3"),
    "callbacks_word": (
        {"callbacks": ["EarlyStopping"]},
        TypeError,
        "callbacks must be keras.callbacks.Callback objects, got 'EarlyStopping'",
    ),
    "callbacks_class": (
        {"callbacks": [keras.callbacks.TerminateOnNaN]},
        TypeError,
        r"got the class keras\.callbacks\.TerminateOnNaN\. Pass an object: Terminate",
    ),
    "callbacks_class_alone": (
        {"callbacks": keras.callbacks.EarlyStopping},
        TypeError,
        r"got the class keras\.callbacks\.EarlyStopping\. Pass an object: EarlyStop",
    ),
    "callbacks_number": (
        {"callbacks": 3},
        TypeError,
        r"'callbacks' parameter .* a keras\.callbacks\.Callback or None\. Got 3",
    ),
    "class_weight_word": (
        {"class_weight": "balancd"},
        ValueError,
        "'class_weight' parameter .*Got 'balancd'",
    ),
    "class_weight_other_labels": (
        {"class_weight": {"a": 1, "b": 2}},
        ValueError,
        r"class_weight must be a dict from the classes \[0, 1\] to numbers, got {'a'",
    ),
    "class_weight_string": (
        {"class_weight": {0: "heavy"}},
        ValueError,
        "class_weight must be a dict .* to numbers, got {0: 'heavy'}: could not conv",
    ),
    "class_weight_negative": (
        {"class_weight": {0: -1.0, 1: 1.0}},
        ValueError,
        "class_weight must .*negative.*got {0: -1.0, 1: 1.0}",
    ),
    "class_weight_all_zero": (
        {"class_weight": {0: 0.0, 1: 0.0}},
        ValueError,
        "class_weight must .*zero for every class, got",
    ),
    "class_weight_nan": (
        {"class_weight": {0: np.nan, 1: 1.0}},
        ValueError,
        "class_weight must .*nan",
    ),
}


@pytest.mark.parametrize("case", BAD_PARAMETERS)
def test_fit_refuses_parameters(make_classifier, sequences, case):
    X, y = sequences
    params, error, match = BAD_PARAMETERS[case]
    for estimator in (make_classifier(), fitted(make_classifier, X, y)):
        estimator.set_params(**params)
        arguments = {"X": X, "y": y, "sample_weight": np.ones(N_ROWS)}
        check_refused(estimator, "fit", arguments, error, match)


def test_n_timesteps_must_divide_the_columns(make_classifier, table):
    X, y = table
    match = "n_timesteps=3 must divide the number of columns of X, got 10 columns"
    for estimator in (make_classifier(), fitted(make_classifier, X, y)):
        estimator.set_params(n_timesteps=3)
        check_refused(estimator, "fit", {"X": X, "y": y}, ValueError, match)


def test_set_params_refuses_unknown_names_and_suggests(make_classifier):
    estimator = make_classifier()
    before = snapshot(estimator)
    with pytest.raises(ValueError, match=r"'epoch' .*Did you mean 'epochs'\?"):
        estimator.set_params(learning_rate=1.0, epoch=3)
    with pytest.raises(ValueError, match="'optimiser__clipnorm' for estimator"):
        estimator.set_params(optimiser__clipnorm=1.0)
    assert snapshot(estimator) == before


# ----------------------------------------------------------- parameters of one family

RECURRENT = ("LSTMClassifier", "GRUClassifier", "SimpleRNNClassifier")
CONVOLUTIONAL = ("Conv1DClassifier",)
DENSE = ("DenseClassifier",)

BAD_FAMILY_PARAMETERS = [
    (RECURRENT, {"units": 2.5}, TypeError, "'units' parameter .*Got 2.5"),
    (RECURRENT, {"units": "8"}, TypeError, "units.* [Gg]ot '8'"),
    (RECURRENT, {"units": 0}, ValueError, r"units must be an int of .*got 0\.$"),
    (RECURRENT, {"units": True}, (ValueError, TypeError), "units.* [Gg]ot True"),
    (RECURRENT, {"units": ()}, ValueError, r"units must hold at least one.*got \(\)"),
    (RECURRENT, {"units": (8, 0)}, ValueError, r"units must be .*got 0 in \(8, 0\)"),
    (RECURRENT, {"units": (8, 2.5)}, ValueError, "units must be .*got 2.5"),
    (RECURRENT, {"bidirectional": "both"}, TypeError, "'bidirectional' .*Got 'both'"),
    (RECURRENT, {"dropout": 1.0}, ValueError, r"dropout must be .*\[0, 1\).*got 1.0"),
    (RECURRENT, {"dropout": -0.1}, ValueError, "dropout must be a fraction.*got -0.1"),
    (
        RECURRENT,
        {"units": (4, 4), "dropout": (0.1, 0.1, 0.1)},
        ValueError,
        "dropout must be one value or one for each of the 2 layers, got 3",
    ),
    (
        RECURRENT,
        {"recurrent_dropout": 1.0},
        ValueError,
        "recurrent_dropout must be a fraction.*got 1.0",
    ),
    (
        RECURRENT,
        {"recurrent_dropout": (0.1, 0.2)},
        ValueError,
        "recurrent_dropout must be one value or one for each of the 1 layers, got 2",
    ),
    (
        RECURRENT,
        {"layer_activation": "leaky_rellu"},
        ValueError,
        "layer_activation must be .*got 'leaky_rellu'.* Did you mean 'leaky_relu'",
    ),
    (
        RECURRENT,
        {"layer_activation": {"name": "leaky_rellu", "negative_slope": 0.1}},
        ValueError,
        "layer_activation must be .*got .*leaky_rellu.* Did you mean 'leaky_relu'",
    ),
    (
        RECURRENT,
        {"layer_activation": {"negative_slope": 0.1}},
        ValueError,
        "layer_activation must be a dict with the 'name'.*got {'negative_slope': 0.1}",
    ),
    (
        RECURRENT,
        {"layer_activation": {"name": "leaky_relu", "negative_slop": 0.1}},
        ValueError,
        "layer_activation .*LeakyReLU, got 'negative_slop'.*mean 'negative_slope'",
    ),
    (
        RECURRENT,
        {"layer_activation": {"name": "leaky_relu", "negative_slope": -0.1}},
        ValueError,
        "layer_activation=.*-0.1.* can't be used",
    ),
    (
        RECURRENT,
        {"layer_activation": ("relu", "tanh")},
        ValueError,
        "layer_activation must be one value or one for each of the 1 layers, got 2",
    ),
    (RECURRENT, {"layer_activation": 3}, TypeError, "layer_activation.*[Gg]ot 3"),
    (
        RECURRENT,
        {"layer_activation": (3,)},
        TypeError,
        "layer_activation must be .*got 3",
    ),
    (
        RECURRENT,
        {"layer_activation": keras.layers.LeakyReLU},
        TypeError,
        "layer_activation must be .*got <class",
    ),
    (CONVOLUTIONAL, {"filters": ()}, ValueError, "filters must hold at least one"),
    (CONVOLUTIONAL, {"filters": 2.5}, TypeError, "'filters' parameter .*Got 2.5"),
    (CONVOLUTIONAL, {"filters": (8, 0)}, ValueError, "filters must be .*got 0"),
    (CONVOLUTIONAL, {"kernel_size": 0}, ValueError, "kernel_size must be .*got 0"),
    (
        CONVOLUTIONAL,
        {"kernel_size": (3, 3, 3)},
        ValueError,
        "kernel_size must be one value or one for each of the 2 layers, got 3",
    ),
    (
        CONVOLUTIONAL,
        {"kernel_size": 6, "padding": "valid"},
        ValueError,
        "kernel_size must be at most the number of timesteps .*got 6 where 5 timesteps",
    ),
    (
        CONVOLUTIONAL,
        {"kernel_size": (4, 3), "padding": "valid"},
        ValueError,
        "kernel_size must be .*got 3 where 2 timesteps of 5 are left",
    ),
    (
        CONVOLUTIONAL,
        {"kernel_size": (2, 3), "padding": "valid", "pool_size": (2, 1)},
        ValueError,
        "kernel_size must be .*got 3 where 2 timesteps of 5 are left",
    ),
    (CONVOLUTIONAL, {"padding": "full"}, ValueError, "'padding' .*Got 'full'"),
    (CONVOLUTIONAL, {"pool_size": 0}, ValueError, "pool_size must be .*got 0"),
    (
        CONVOLUTIONAL,
        {"pool_size": (2,)},
        ValueError,
        "pool_size must be one value or one for each of the 2 layers, got 1",
    ),
    (CONVOLUTIONAL, {"pooling": "avg"}, ValueError, "'pooling' parameter .*Got 'avg'"),
    (
        CONVOLUTIONAL + DENSE,
        {"dropout": 1.0},
        ValueError,
        "dropout must be a fraction.*got 1.0",
    ),
    (
        CONVOLUTIONAL + DENSE,
        {"dropout": (0.1,) * 5},
        ValueError,
        "dropout must be one value or one for each of the . layers?, got 5",
    ),
    (
        CONVOLUTIONAL + DENSE,
        {"activation": "rellu"},
        ValueError,
        r"activation must be .*got 'rellu'\. Did you mean 'relu'\?",
    ),
    (
        CONVOLUTIONAL + DENSE,
        {"activation": keras.layers.ReLU},
        TypeError,
        "activation must be .*got <class",
    ),
    (
        RECURRENT + CONVOLUTIONAL + DENSE,
        {"dense_units": 2.5},
        TypeError,
        "'dense_units' parameter .*Got 2.5",
    ),
    (
        RECURRENT + CONVOLUTIONAL + DENSE,
        {"dense_units": (4, 0)},
        ValueError,
        r"dense_units must be .*got 0 in \(4, 0\)",
    ),
]


@pytest.mark.parametrize(
    ("classes", "params", "error", "match"),
    BAD_FAMILY_PARAMETERS,
    ids=[f"{i}-{'-'.join(case[1])}" for i, case in enumerate(BAD_FAMILY_PARAMETERS)],
)
def test_fit_refuses_family_parameters(sequences, classes, params, error, match):
    import skseq

    X, y = sequences
    for name in classes:

        def make(name=name, **more):
            return getattr(skseq, name)(**{"learning_rate": 0.03, **more})

        size = {"filters": (8, 8)} if classes == CONVOLUTIONAL else {}
        for estimator in (make(), fitted(make, X, y)):
            estimator.set_params(**{**size, **params})
            check_refused(estimator, "fit", {"X": X, "y": y}, error, match)


# ----------------------------------------------------- predicting, going on, validating

PREDICTING = ("predict", "predict_proba", "predict_log_proba")


@pytest.mark.parametrize("method", PREDICTING)
def test_predicting_before_fit_raises_not_fitted(make_classifier, sequences, method):
    X, _ = sequences
    check_refused(make_classifier(), method, {"X": X}, NotFittedError, "not fitted yet")


def test_score_before_fit_raises_not_fitted(make_classifier, sequences):
    X, y = sequences
    estimator = make_classifier()
    check_refused(estimator, "score", {"X": X, "y": y}, NotFittedError, "not fitted")


BAD_X_TO_PREDICT = {
    "timesteps": (3, lambda X: X[:, 1:], "X has 4 timesteps.*expecting 5 timesteps"),
    "features": (3, lambda X: X[..., :1], "X has 1 features.*expecting 2 features"),
    "dimensions": (3, _2d, r"X must have 3 dim.*got 2\. For a .*X\[None\]; reshape"),
    "one_dimension": (3, lambda X: X[0, 0], "X must have 2 dim.*got 1"),
    "empty": (3, lambda X: X[:0], "X can't be used: Found array with 0 sample"),
    "nan": (3, lambda X: _with(X, np.nan), "X contains NaN"),
    "columns": (2, lambda X: _2d(X)[:, 1:], "X has 9 features.*expecting 10 features"),
    "dimensions_2d": (2, lambda X: X, r"X must .*got 3\. Pass .*X\.reshape\(len\(X\)"),
    "nan_2d": (2, lambda X: _with(_2d(X), np.nan), "X contains NaN"),
}


@pytest.mark.parametrize("case", BAD_X_TO_PREDICT)
def test_predicting_refuses_data(make_classifier, sequences, case):
    X, y = sequences
    n_dimensions, change, match = BAD_X_TO_PREDICT[case]
    estimator = fitted(make_classifier, X if n_dimensions == 3 else _2d(X), y)
    for method in PREDICTING:
        check_refused(estimator, method, {"X": change(X)}, ValueError, match)


@pytest.mark.parametrize("case", BAD_X_TO_PREDICT)
def test_going_on_refuses_data(make_classifier, sequences, case):
    X, y = sequences
    n_dimensions, change, match = BAD_X_TO_PREDICT[case]
    estimator = fitted(make_classifier, X if n_dimensions == 3 else _2d(X), y)
    bad = change(X)
    arguments = {"X": bad, "y": y[: len(bad)]}
    check_refused(estimator, "partial_fit", arguments, ValueError, match)
    estimator.set_params(warm_start=True)
    check_refused(estimator, "fit", arguments, ValueError, match)


def test_partial_fit_refuses_unseen_labels(make_classifier, sequences):
    X, y = sequences
    unseen = _with(y, 2)
    match = r"y must hold only labels of the classes \[0 1\], got \[2\]"
    first = {"X": X, "y": unseen, "classes": [0, 1]}
    check_refused(make_classifier(), "partial_fit", first, ValueError, match)
    estimator = fitted(make_classifier, X, y)
    check_refused(estimator, "partial_fit", {"X": X, "y": unseen}, ValueError, match)
    match = r"classes must be the same at every call, got \[0 1 2\] after \[0 1\]"
    more = {"X": X, "y": y, "classes": [0, 1, 2]}
    check_refused(estimator, "partial_fit", more, ValueError, match)


def test_partial_fit_refuses_labels_of_another_type(make_classifier, sequences):
    X, y = sequences
    net = make_classifier().partial_fit(X, y, classes=[0, 1])
    with pytest.raises(TypeError, match="y must hold labels of the type of the class"):
        net.partial_fit(X, y.astype([("a", int)]))


def test_partial_fit_needs_classes_at_first(make_classifier, sequences):
    X, y = sequences
    match = r"classes must be passed .*partial_fit, got None\. .*classes=np\.unique\(y"
    arguments = {"X": X, "y": y}
    check_refused(make_classifier(), "partial_fit", arguments, ValueError, match)


@pytest.mark.parametrize(
    "classes",
    [[], [0], np.array([0]), [0, None], [0, "a"], [0, 1, np.nan]],
    ids=str,
)
def test_classes_are_labels_of_one_type(make_classifier, sequences, classes):
    X, y = sequences
    match = "classes must hold at least 2 labels of one type, got "
    match += re.escape(str(np.array(classes, object).tolist()))
    arguments = {"X": X, "y": y, "classes": classes}
    for estimator in (make_classifier(), fitted(make_classifier, X, y)):
        check_refused(estimator, "partial_fit", arguments, ValueError, match)


@pytest.mark.parametrize(
    ("params", "match"),
    [
        ({"early_stopping": True}, "early_stopping must be False .*got True"),
        ({"class_weight": "balanced"}, "class_weight must be .*got 'balanced'"),
    ],
)
def test_partial_fit_refuses_what_needs_all_rows(
    make_classifier, sequences, params, match
):
    X, y = sequences
    arguments = {"X": X, "y": y, "classes": [0, 1]}
    for estimator in (make_classifier(), fitted(make_classifier, X, y)):
        estimator.set_params(**params)
        check_refused(estimator, "partial_fit", arguments, ValueError, match)


def test_warm_start_refuses_new_classes_and_another_network(make_classifier, sequences):
    X, y = sequences
    estimator = fitted(make_classifier, X, y).set_params(warm_start=True)
    match = r"y must hold only labels of the classes \[0 1\], got \[5\]"
    check_refused(estimator, "fit", {"X": X, "y": _with(y, 5)}, ValueError, match)
    estimator.set_params(**make_classifier.settings.other)
    match = "warm_start and partial_fit continue with the fitted network"
    for method in ("fit", "partial_fit"):
        check_refused(estimator, method, {"X": X, "y": y}, ValueError, match)


def test_warm_start_refuses_other_timesteps(make_classifier, table):
    X, y = table
    estimator = make_classifier(epochs=1, n_timesteps=5, warm_start=True).fit(X, y)
    match = "continue with the fitted network, got n_timesteps=2 after 5"
    for method in ("fit", "partial_fit"):
        estimator.set_params(n_timesteps=2)
        check_refused(estimator, method, {"X": X, "y": y}, ValueError, match)
        estimator.set_params(n_timesteps=5)
        getattr(estimator, method)(X, y)


def test_early_stopping_refuses_a_class_of_one_row(make_classifier, sequences):
    X, _ = sequences
    y = np.arange(N_ROWS) == 7
    match = "validation_split=0.1 can't split 60 rows.*Pass more rows"
    for estimator in (make_classifier(), fitted(make_classifier, *sequences)):
        estimator.set_params(early_stopping=True)
        check_refused(estimator, "fit", {"X": X, "y": y}, ValueError, match)


# ------------------------------------------------------------- what fails half-way


class Raise(keras.callbacks.Callback):
    """Raises ``error`` in a hook, after a number of epochs."""

    def __init__(self, hook, error, at_epoch):
        super().__init__()
        self.hook, self.error, self.at_epoch = hook, error, at_epoch
        self.n_begun = 0

    def _at(self, hook):
        if hook == self.hook and self.n_begun == self.at_epoch:
            raise self.error(f"raised in {hook}")

    def on_train_begin(self, logs=None):
        self._at("on_train_begin")

    def on_epoch_begin(self, epoch, logs=None):
        self.n_begun += 1
        self._at("on_epoch_begin")

    def on_epoch_end(self, epoch, logs=None):
        self._at("on_epoch_end")

    def on_train_end(self, logs=None):
        self._at("on_train_end")


class RaiseInBatch(Raise):
    """Raises after the first batch of an epoch."""

    def on_train_batch_end(self, batch, logs=None):
        self._at("on_train_batch_end")


INTERRUPTIONS = [
    (Raise, "on_train_begin", RuntimeError, 0),
    (Raise, "on_epoch_end", RuntimeError, 2),
    (Raise, "on_train_end", OSError, 3),
    (RaiseInBatch, "on_train_batch_end", KeyboardInterrupt, 2),
]


@pytest.mark.parametrize(
    ("callback", "hook", "error", "at_epoch"),
    INTERRUPTIONS,
    ids=[f"{hook}-{error.__name__}" for _, hook, error, _ in INTERRUPTIONS],
)
def test_interrupted_fit_changes_nothing(
    make_classifier, sequences, callback, hook, error, at_epoch
):
    X, y = sequences
    weights = np.linspace(0.5, 1.5, N_ROWS)
    expected = make_classifier(epochs=2).fit(X, y, weights).predict_proba(X)
    for warm_start in (False, True):
        for estimator in (make_classifier(), fitted(make_classifier, X, y)):
            estimator.set_params(
                epochs=3,
                callbacks=[callback(hook, error, at_epoch)],
                random_state=np.random.RandomState(3),
                warm_start=warm_start,
            )
            arguments = {"X": X, "y": y, "sample_weight": weights}
            check_refused(estimator, "fit", arguments, error, f"raised in {hook}")
    # Nothing of what was interrupted is left in what later fits share.
    again = make_classifier(epochs=2).fit(X, y, weights).predict_proba(X)
    np.testing.assert_array_equal(again, expected)


def test_interrupted_partial_fit_changes_nothing(make_classifier, sequences):
    X, y = sequences
    arguments = {"X": X, "y": y, "classes": [0, 1]}
    for estimator in (make_classifier(), fitted(make_classifier, X, y)):
        estimator.set_params(
            callbacks=RaiseInBatch("on_train_batch_end", KeyboardInterrupt, 1),
            random_state=np.random.RandomState(3),
        )
        check_refused(estimator, "partial_fit", arguments, KeyboardInterrupt, "raised")


def test_failing_scorer_in_epoch_2_changes_nothing(make_classifier, sequences):
    X, y = sequences
    for estimator in (make_classifier(), fitted(make_classifier, X, y)):
        calls = []

        def scorer(estimator, X, y, calls=calls):
            calls.append(len(X))
            if len(calls) == 2:
                raise ValueError("no score today")
            return 0.5

        estimator.set_params(early_stopping=True, monitor=scorer, epochs=3)
        match = "monitor=.*can't be computed on the validation rows: no score today"
        check_refused(estimator, "fit", {"X": X, "y": y}, ValueError, match)
        assert calls == [6, 6]


def test_loss_that_is_not_finite_changes_nothing(make_classifier, sequences):
    X, y = sequences
    for estimator in (make_classifier(), fitted(make_classifier, X, y)):
        estimator.set_params(loss=_infinite_loss, random_state=np.random.RandomState(0))
        match = re.compile(r"loss must stay finite, got (nan|inf) in epoch 1\. Stand")
        check_refused(estimator, "fit", {"X": X, "y": y}, ValueError, match)


def _infinite_loss(y_true, y_pred):
    return keras.ops.sum(y_pred, axis=-1) * float("inf")


def test_random_state_goes_on_after_a_fit_and_not_after_a_failure(
    make_classifier, sequences
):
    X, y = sequences
    generator = np.random.RandomState(0)
    start = snapshot(generator)
    estimator = make_classifier(random_state=generator, epochs=1)
    with pytest.raises(ValueError, match="X contains NaN"):
        estimator.fit(_with(X, np.nan), y)
    assert snapshot(generator) == start
    estimator.fit(X, y)
    assert snapshot(generator) != start
