"""Labels, dtypes, frames and memory orders: what may come, and what comes back."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import skseq


def bits(classifier):
    """Get the weights of a fitted network as bytes."""
    return [weights.tobytes() for weights in classifier.model_.get_weights()]


# ------------------------------------------------------------------------------- labels

# Kind of label -> the labels of class 0 and class 1 in their sorted order.
PAIRS = {
    "str": np.array(["no", "yes"]),
    "bool": np.array([False, True]),
    "negative int": np.array([-7, -2]),
    "minus one and one": np.array([-1, 1]),
    "int8": np.array([3, 100], dtype=np.int8),
    "uint64": np.array([0, 2**63], dtype=np.uint64),
    "float": np.array([0.0, 1.0]),
    "object": np.array(["no", "yes"], dtype=object),
    "bytes of text": np.array(["ä", "ö"]),
}


@pytest.mark.parametrize("kind", PAIRS)
def test_labels_come_back_as_they_were_given(make_classifier, sequences, kind):
    X, y = sequences
    labels = PAIRS[kind]
    net = make_classifier().fit(X, labels[y])
    assert_array_equal(net.classes_, labels)
    assert net.classes_.dtype == labels.dtype
    predicted = net.predict(X)
    assert predicted.dtype == labels.dtype
    assert net.score(X, labels[y]) >= 0.8
    plain = make_classifier().fit(X, y)
    assert_array_equal(predicted, labels[plain.predict(X)])
    assert_array_equal(net.predict_proba(X), plain.predict_proba(X))


def _series(values, dtype):
    return pd.Series(values, index=np.arange(len(values))[::-1], dtype=dtype)


CONTAINERS = {
    "list": (list, ["no", "yes"]),
    "categorical": (pd.Categorical, ["no", "yes"]),
    "categorical series": (lambda v: _series(v, "category"), ["no", "yes"]),
    "categorical of ints": (pd.Categorical, [-3, 4]),
    "series of objects": (lambda v: _series(v, object), ["no", "yes"]),
    "series of strings": (lambda v: _series(v, "string"), ["no", "yes"]),
    "nullable ints": (lambda v: _series(v, "Int64"), [-3, 4]),
    "nullable bools": (lambda v: _series(v, "boolean"), [False, True]),
    "polars series": (pl.Series, ["no", "yes"]),
    "polars categorical": (lambda v: pl.Series(v, dtype=pl.Categorical), ["no", "yes"]),
}


@pytest.mark.parametrize("kind", CONTAINERS)
def test_labels_in_any_container(make_classifier, sequences, kind):
    X, y = sequences
    container, labels = CONTAINERS[kind]
    net = make_classifier(epochs=5).fit(X, container([labels[i] for i in y]))
    assert list(net.classes_) == labels
    plain = make_classifier(epochs=5).fit(X, y)
    assert bits(net) == bits(plain)
    assert list(net.predict(X)) == [labels[i] for i in plain.predict(X)]


def test_classes_are_sorted_and_columns_follow_them(make_classifier, three_classes):
    X, y = three_classes
    labels = np.array(["mid", "top", "low"])
    net = make_classifier().fit(X, labels[y])
    assert_array_equal(net.classes_, ["low", "mid", "top"])
    probabilities = net.predict_proba(X)
    assert probabilities.shape == (60, 3)
    assert_array_equal(net.predict(X), net.classes_[probabilities.argmax(axis=1)])
    assert net.score(X, labels[y]) >= 0.8
    assert probabilities[y == 2, 0].mean() > 0.5


def test_unused_category_is_no_class(make_classifier, sequences):
    X, y = sequences
    labels = pd.Categorical(
        np.array(["no", "yes"])[y], categories=["maybe", "no", "yes"], ordered=True
    )
    net = make_classifier(epochs=1).fit(X, labels)
    assert_array_equal(net.classes_, ["no", "yes"])


def test_column_of_labels_is_taken_with_a_warning(make_classifier, sequences):
    from sklearn.exceptions import DataConversionWarning

    X, y = sequences
    with pytest.warns(DataConversionWarning, match="column-vector y"):
        net = make_classifier(epochs=1).fit(X, y[:, None])
    assert net.predict(X).shape == (60,)


def test_multilabel_is_refused_by_name(make_classifier, sequences):
    X, y = sequences
    net = make_classifier()
    with pytest.raises(ValueError, match=r"[Mm]ultilabel.*not supported"):
        net.fit(X, np.column_stack([y, 1 - y]))
    assert not hasattr(net, "classes_")


@pytest.mark.parametrize(
    ("labels", "telling"),
    [
        (np.linspace(0, 1, 60), "continuous"),
        (np.where(np.arange(60) < 30, 0.0, np.nan), "NaN"),
        (np.array([["no", "yes"], ["a", "b"]] * 30), r"shape \(60, 2\)"),
        (None, "requires y to be passed"),
        (np.arange(59) % 2, "59"),
    ],
    ids=["continuous", "NaN", "two columns", "None", "too few"],
)
def test_target_of_another_kind_is_refused(make_classifier, sequences, labels, telling):
    with pytest.raises(ValueError, match=telling):
        make_classifier().fit(sequences[0], labels)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_probabilities_and_their_logarithms(
    make_classifier, sequences, three_classes, n_classes
):
    X, y = sequences if n_classes == 2 else three_classes
    net = make_classifier(epochs=3).fit(X, y)
    probabilities = net.predict_proba(X)
    assert probabilities.dtype == np.float64
    assert probabilities.shape == (60, n_classes)
    assert (probabilities >= 0).all()
    assert_allclose(probabilities.sum(axis=1), 1, atol=1e-15)
    logarithms = net.predict_log_proba(X)
    assert_allclose(np.exp(logarithms), probabilities, atol=1e-12)
    assert_array_equal(logarithms.argmax(axis=1), probabilities.argmax(axis=1))


@pytest.mark.parametrize("n_classes", [2, 3])
def test_logarithm_of_no_probability_is_minus_infinity(
    sequences, three_classes, n_classes
):
    # Far beyond the training rows an output is 0 or 1 in float32.
    X, y = sequences if n_classes == 2 else three_classes
    net = skseq.DenseClassifier(epochs=5, random_state=0).fit(X, y)
    logarithms = net.predict_log_proba(1e5 * X)
    assert not np.isnan(logarithms).any()
    assert (logarithms <= 0).all()
    assert np.isneginf(logarithms).any()


# -------------------------------------------------------------------- dtypes and orders


@pytest.mark.parametrize("dimensions", [2, 3])
@pytest.mark.parametrize(
    "dtype",
    [np.float64, np.float16, ">f8", np.longdouble, np.int64, np.int8, np.uint8, object],
    ids=lambda dtype: np.dtype(dtype).name + np.dtype(dtype).byteorder,
)
def test_dtype_counts_for_nothing(make_classifier, sequences, dtype, dimensions):
    # Small whole numbers are the same in every dtype.
    X, y = sequences
    X = np.clip(np.round(X * 10), -60, 60) + (60 if dtype is np.uint8 else 0)
    X = X if dimensions == 3 else X.reshape(60, 10)
    expected = make_classifier(epochs=2).fit(X.astype(np.float32), y)
    net = make_classifier(epochs=2).fit(X.astype(dtype), y)
    assert bits(net) == bits(expected)
    assert_array_equal(
        net.predict_proba(X.astype(dtype)), expected.predict_proba(X), strict=True
    )


@pytest.mark.parametrize("dimensions", [2, 3])
def test_bools_are_zeros_and_ones(make_classifier, sequences, dimensions):
    X, y = sequences
    X = X > 0
    X = X if dimensions == 3 else X.reshape(60, 10)
    net = make_classifier(epochs=10).fit(X, y)
    assert net.score(X, y) >= 0.7
    assert bits(net) == bits(make_classifier(epochs=10).fit(X.astype(float), y))


def test_nested_lists_are_arrays(make_classifier, sequences):
    X, y = sequences
    net = make_classifier(epochs=2).fit(X.tolist(), y.tolist())
    assert bits(net) == bits(make_classifier(epochs=2).fit(X, y))
    assert_array_equal(net.predict(X.tolist()), net.predict(X))


def _spread(X):
    """Make a view with the values of X that is not contiguous in memory."""
    wide = np.full([2 * n for n in X.shape], 99.0)
    view = wide[tuple(slice(None, None, 2) for _ in X.shape)]
    view[...] = X
    return view


def _backward(X):
    """Make a view with the values of X and negative strides."""
    every = tuple(slice(None, None, -1) for _ in X.shape)
    return X[every].copy()[every]


def _read_only(X):
    X = X.copy()
    X.flags.writeable = False
    return X


LAYOUTS = {
    "Fortran": np.asfortranarray,
    "spread": _spread,
    "backward": _backward,
    "read-only": _read_only,
    "last axis first": lambda X: np.moveaxis(np.moveaxis(X, -1, 0).copy(), 0, -1),
}


@pytest.mark.parametrize("dimensions", [2, 3])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_memory_order_changes_no_bit(make_classifier, sequences, layout, dimensions):
    X, y = sequences
    X = X if dimensions == 3 else X.reshape(60, 10)
    other = LAYOUTS[layout](X)
    assert_array_equal(other, X)
    weights = np.linspace(0.5, 2, 60)
    expected = make_classifier(epochs=2).fit(X, y, sample_weight=weights)
    net = make_classifier(epochs=2).fit(
        other, LAYOUTS[layout](y).astype(int), sample_weight=LAYOUTS[layout](weights)
    )
    assert bits(net) == bits(expected)
    probabilities = expected.predict_proba(X)
    assert_array_equal(net.predict_proba(other), probabilities)
    assert_array_equal(net.predict_proba(LAYOUTS[layout](X[:7])), probabilities[:7])


# ------------------------------------------------------------------------------- frames

NAMES = [f"{feature}_{step}" for step in range(5) for feature in "ab"]


def _frame(kind, X, names=NAMES):
    if kind == "pandas":
        return pd.DataFrame(X, columns=names, index=np.arange(len(X)) * 3 + 5)
    if kind == "pandas nullable":
        return pd.DataFrame(X, columns=names).convert_dtypes()
    return pl.DataFrame(X, schema=list(names), orient="row")


FRAMES = ["pandas", "pandas nullable", "polars"]


@pytest.mark.parametrize("kind", FRAMES)
def test_frame_is_read_as_its_array(make_classifier, table, kind):
    X, y = table
    frame = _frame(kind, X)
    net = make_classifier(epochs=2, n_timesteps=5).fit(frame, y)
    assert_array_equal(net.feature_names_in_, NAMES)
    assert net.n_features_in_ == 10
    expected = make_classifier(epochs=2, n_timesteps=5).fit(X, y)
    assert not hasattr(expected, "feature_names_in_")
    assert bits(net) == bits(expected)
    assert_array_equal(net.predict_proba(frame), expected.predict_proba(X))


@pytest.mark.parametrize("kind", FRAMES)
@pytest.mark.parametrize("method", ["predict", "predict_proba", "partial_fit"])
@pytest.mark.parametrize(
    ("names", "telling"),
    [
        ([*NAMES[1:], NAMES[0]], "must be in the same order"),
        (NAMES[:9], "missing:\n- b_4"),
        ([*NAMES[:9], "other"], "unseen at fit time:\n- other"),
        ([*NAMES, "more"], "unseen at fit time:\n- more"),
    ],
    ids=["reordered", "missing", "renamed", "more"],
)
def test_frame_with_other_columns_is_refused(table, kind, method, names, telling):
    X, y = table
    net = skseq.DenseClassifier(epochs=1, random_state=0).fit(_frame(kind, X), y)
    wide = np.hstack([X, X])[:, : len(names)]
    arguments = [y] if method == "partial_fit" else []
    with pytest.raises(ValueError, match=telling):
        getattr(net, method)(_frame(kind, wide, names), *arguments)


def test_names_are_checked_by_every_class(make_classifier, table):
    X, y = table
    frame = _frame("pandas", X)
    net = make_classifier(epochs=1).fit(frame, y)
    with pytest.raises(ValueError, match="must be in the same order"):
        net.predict(frame[NAMES[::-1]])
    with pytest.warns(UserWarning, match="X does not have valid feature names"):
        without = net.predict_proba(X)
    assert_array_equal(without, net.predict_proba(frame))
    plain = make_classifier(epochs=1).fit(X, y)
    with pytest.warns(UserWarning, match="X has feature names, but"):
        plain.predict(frame)


def test_names_of_the_rows_to_watch_are_checked(make_classifier, table):
    X, y = table
    frame = _frame("pandas", X)
    net = make_classifier(epochs=2).fit(frame, y, X_val=frame[:20], y_val=y[:20])
    assert len(net.history_["val_loss"]) == 2
    with pytest.raises(ValueError, match="must be in the same order"):
        net.fit(frame, y, X_val=frame[NAMES[::-1]], y_val=y)


def test_frame_without_names_has_none(make_classifier, table):
    X, y = table
    net = make_classifier(epochs=1).fit(pd.DataFrame(X), y)
    assert not hasattr(net, "feature_names_in_")
    assert net.predict(pd.DataFrame(X)).shape == (60,)


def test_names_are_forgotten_by_the_next_fit(make_classifier, sequences, table):
    X, y = table
    net = make_classifier(epochs=1).fit(_frame("pandas", X), y)
    net.fit(X, y)
    assert not hasattr(net, "feature_names_in_")
    net.fit(_frame("pandas", X), y)
    net.fit(*sequences)
    assert not hasattr(net, "feature_names_in_")
    assert (net.n_timesteps_in_, net.n_features_in_) == (5, 2)


# --------------------------------------------------------------------------- dimensions


def test_net_of_a_table_refuses_sequences(make_classifier, sequences, table):
    X, y = table
    net = make_classifier(epochs=1, n_timesteps=5).fit(X, y)
    for method in (net.predict, net.predict_proba, net.predict_log_proba):
        with pytest.raises(ValueError, match="X must have 2 dimensions.*got 3"):
            method(sequences[0])
    with pytest.raises(ValueError, match="X must have 2 dimensions.*got 3"):
        net.partial_fit(*sequences)


def test_net_of_sequences_refuses_a_table(make_classifier, sequences, table):
    net = make_classifier(epochs=1).fit(*sequences)
    for method in (net.predict, net.predict_proba, net.predict_log_proba):
        with pytest.raises(ValueError, match="X must have 3 dimensions.*got 2"):
            method(table[0])
    with pytest.raises(ValueError, match="X must have 3 dimensions.*got 2"):
        net.partial_fit(*table)


def test_fit_refuses_rows_to_watch_of_other_dimensions(
    make_classifier, sequences, table
):
    X, y = sequences
    with pytest.raises(ValueError, match="X_val must have 3 dimensions.*got 2"):
        make_classifier(epochs=1).fit(X, y, X_val=table[0], y_val=y)


def test_next_fit_takes_other_dimensions(make_classifier, sequences, table):
    net = make_classifier(epochs=1).fit(*sequences)
    net.fit(*table)
    assert net.predict(table[0]).shape == (60,)
    with pytest.raises(ValueError, match="X must have 2 dimensions"):
        net.predict(sequences[0])
