"""Arguments of any kind: a method works, or says what is wrong and changes nothing.

Hypothesis draws the arguments. By default there are few examples, always the same.
With a number in the environment variable ``SKSEQ_FUZZ``, each test draws that many at
random, of all estimators::

    SKSEQ_FUZZ=2000 python -m pytest tests/test_fuzzing.py
"""

import ast
import copy
import functools
import inspect
import os
import re
import traceback
import warnings
from pathlib import Path

import imblearn
import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse
import sklearn
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from imblearn.over_sampling import RandomOverSampler
from snapshots import snapshot

import skseq
from estimators import CLASSIFIERS, REGRESSORS, make

N_EXAMPLES = int(os.environ.get("SKSEQ_FUZZ", 0))


def examples(n_examples):
    """Run a test with this many examples, unless the environment asks for more."""
    return settings(
        max_examples=N_EXAMPLES or n_examples,
        derandomize=not N_EXAMPLES,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


# ------------------------------------------------------------------------ estimators

N_ROWS, N_STEPS, N_FEATURES = 12, 3, 2
X = np.random.default_rng(0).normal(size=(N_ROWS, N_STEPS, N_FEATURES))
Y = np.arange(N_ROWS) % 2
TABLE = X.reshape(N_ROWS, -1)
TEXTS = [f"one two {'three ' * (i % 3)}" for i in range(N_ROWS)]


def _autoencoder():
    return skseq.AutoencoderTransformer(layer_sizes=3, epochs=1, random_state=0)


OTHERS = {
    "AutoencoderTransformer": _autoencoder,
    "AutoencoderOutlierDetector": lambda: skseq.AutoencoderOutlierDetector(
        _autoencoder(), n_networks=2, random_state=0
    ),
    "LatentSampler": lambda: skseq.LatentSampler(
        RandomOverSampler(), autoencoder=_autoencoder(), random_state=0
    ),
    "SequenceResampler": lambda: skseq.SequenceResampler(
        RandomOverSampler(), random_state=0
    ),
    "SequenceAugmenter": lambda: skseq.SequenceAugmenter(random_state=0),
    "SequencePadder": skseq.SequencePadder,
    "SequenceReshaper": lambda: skseq.SequenceReshaper(N_STEPS),
    "SequenceScaler": skseq.SequenceScaler,
    "TextSequencer": skseq.TextSequencer,
    "WindowTransformer": lambda: skseq.WindowTransformer(2, ordered=True),
}
NETWORKS = [*CLASSIFIERS, *REGRESSORS]
NAMES = [*NETWORKS, *OTHERS]
if not N_EXAMPLES:
    # All networks share their checks, and an autoencoder takes time.
    NAMES = ["DenseClassifier", "LSTMRegressor", *OTHERS]
    for slow in ("AutoencoderOutlierDetector", "LatentSampler"):
        NAMES.remove(slow)

# Those that take tables, or texts, and no sequences.
TABLES = ["SequenceReshaper", "WindowTransformer"]


def new(name):
    """Make an estimator that is fitted in a moment."""
    if name in OTHERS:
        return OTHERS[name]()
    small = {**CLASSIFIERS, **REGRESSORS}[name].small
    return make(name, **small, epochs=1, random_state=0)


def good_X(name):
    """Get an X that an estimator takes."""
    if name == "TextSequencer":
        return TEXTS
    return TABLE if name in TABLES else X


@functools.cache
def _fitted(name):
    return new(name).fit(good_X(name), Y)


def fitted(name):
    """Copy an estimator that was fitted on `good_X` and `Y`."""
    return copy.deepcopy(_fitted(name))


# ------------------------------------------------------------------------- arguments

NUMBERS = ["?", "i1", "u8", "i8", "f2", "f4", "f8", "g", ">f4", ">f8", ">i2"]
OTHER_DTYPES = ["c8", "c16", "O", "U", "S", "M8[D]", "m8[s]", "V", "ma"]
SPECIAL = [np.nan, np.inf, -np.inf, 1e38, -1e38, 1e300, 1e-300, -0.0]


@np.errstate(over="ignore", invalid="ignore")
def as_dtype(values, dtype):
    """Convert an array of float64 to any dtype, also one that holds no numbers."""
    if dtype == "?":
        return values > 0
    if dtype in ("U", "S"):
        return np.round(values, 2).astype(dtype)
    if dtype == "V":
        pairs = np.zeros(values.shape, [("a", "f4"), ("b", "i4")])
        pairs["a"] = values
        return pairs
    if dtype == "ma":
        return np.ma.masked_array(values, values > 1)
    if dtype[0] in "Mm":
        return (values * 10).astype("i8").astype(dtype)
    if np.dtype(dtype).kind in "iu":
        values = np.nan_to_num(values).clip(-100, 100) * 10
        return values.clip(0 if "u" in dtype else -128, 127).astype(dtype)
    return values.astype(dtype)


def layouts(array):
    """Make arrays with the values of an array in other orders, strides and flags."""
    if not array.ndim:
        return {"C": array}
    read_only = array.copy()
    read_only.flags.writeable = False
    return {
        "C": array,
        "Fortran": np.asfortranarray(array),
        "read-only": read_only,
        "spread": np.repeat(array, 2, axis=0)[::2],
        "backwards": array[::-1].copy()[::-1],
    }


def containers(array):
    """Make containers other than an array with the values of an array."""
    found = {"list": array.tolist(), "object": array.astype(object)}
    if array.ndim:
        found["rows"] = list(array)
        found["tuple"] = tuple(array)
    if array.ndim == 1 and array.dtype != "g":  # pandas can't hold it
        found["series"] = pd.Series(list(array))
    if array.ndim == 2 and array.dtype.names is None and array.dtype != "g":
        columns = [f"c{i}" for i in range(array.shape[1])]
        found["pandas"] = pd.DataFrame(array.tolist(), columns=columns)
        found["numbered"] = pd.DataFrame(array.tolist())
        if not np.ma.isMaskedArray(array):
            found["polars"] = pl.DataFrame(array.tolist(), schema=columns, orient="row")
            found["strings"] = found["pandas"].astype(str)
            found["category"] = found["pandas"].astype("category")
        if array.dtype.kind in "fiub" and array.dtype != "f2":
            found["csr"] = scipy.sparse.csr_array(array.astype("f8"))
    if array.ndim == 3 and len(array) and array.shape[1] > 1:
        found["ragged"] = [row[: 1 + i % 2] for i, row in enumerate(array)]
        found["ragged lists"] = [row.tolist() for row in found["ragged"]]
        found["ragged object"] = np.empty(len(array), object)
        for i, row in enumerate(found["ragged"]):
            found["ragged object"][i] = row
    return found


SINGLE = [
    None, 0, 3.5, np.nan, True, "word", b"bytes", "", [], (), {}, {"a": [1, 2]}, [[]],
    [[[]]], [None] * N_ROWS, [[1], [1, 2]], [[[1.0]], [[1.0, 2.0]]], ["a"] * N_ROWS,
    [["a"]] * N_ROWS, [{}] * N_ROWS, [[None]] * N_ROWS, set(range(N_ROWS)), object(),
    int, range(N_ROWS), [pd.NA] * N_ROWS, [1, "a", None] * 4, np.float32(2),
    [[[["a"]]]], [np.zeros((2, 2)), None] * 6, [np.zeros((2, 2)), 3] * 6,
    [object()] * N_ROWS,
]  # fmt: skip


@st.composite
def arrays(draw, shapes, dtypes):
    """Draw an array of any dtype and layout, at times with special values."""
    shape = draw(st.sampled_from(shapes))
    rng = np.random.default_rng(draw(st.integers(0, 9)))
    values = rng.normal(size=shape)
    if values.size and draw(st.integers(0, 3)) == 0:
        values.flat[draw(st.integers(0, values.size - 1))] = draw(
            st.sampled_from(SPECIAL)
        )
    if draw(st.integers(0, 7)) == 0:
        with np.errstate(invalid="ignore", over="ignore"):
            values *= draw(st.sampled_from([0.0, 1e-42, 1e37, 1e300]))
    array = as_dtype(np.asarray(values), draw(st.sampled_from(dtypes)))
    found = layouts(array)
    return found[draw(st.sampled_from(sorted(found)))]


@st.composite
def anything(draw, shapes, dtypes=(*NUMBERS, *NUMBERS, *OTHER_DTYPES)):
    """Draw an argument in any container."""
    kind = draw(st.integers(0, 9))
    if kind == 0:
        return copy.copy(draw(st.sampled_from(SINGLE)))
    array = draw(arrays(shapes, dtypes))
    if kind < 6:
        return array
    found = containers(array)
    return found[draw(st.sampled_from(sorted(found)))]


def shapes_of(n_rows):
    """List shapes of X, those that fit the estimators more often."""
    usual = [(n_rows, N_STEPS, N_FEATURES)] * 4 + [(n_rows, N_STEPS * N_FEATURES)] * 2
    steps, features = N_STEPS, N_FEATURES
    return [
        *usual, (), (n_rows,), (1, steps, features), (0, steps, features), (0, 6),
        (n_rows, 0), (n_rows, 0, features), (n_rows, steps, 0), (n_rows, 1, 1),
        (n_rows, steps + 1, features), (n_rows, steps, features + 1), (n_rows, 1),
        (n_rows, steps, features, 1), (0,), (0, 0, 0), (n_rows, 5),
        (2, steps, features),
    ]  # fmt: skip


XS = anything(shapes_of(N_ROWS))
TEXT_XS = anything([(N_ROWS,), (3,), (0,), (N_ROWS, 1)], ["U", "U", "S", "O", "f8"])
VECTORS = anything(
    [(N_ROWS,)] * 4 + [(), (N_ROWS - 1,), (N_ROWS, 1), (N_ROWS, 2), (0,)]
)
WORDS = np.where(Y, "yes", "no")
LABELS = st.one_of(
    VECTORS,
    st.sampled_from(
        [
            WORDS, WORDS.tolist(), pd.Series(WORDS, dtype="category"),
            WORDS.astype("S"), np.where(Y, "a", None), ["a", 1] * 6, np.zeros(N_ROWS),
            np.arange(N_ROWS), Y.astype(bool), Y.astype("u1"), Y.astype("f2"),
            Y.astype(complex), Y.astype("M8[D]"), Y + 0.5, Y * 1e300, Y * np.nan,
            Y[:-1], Y[:, None],
            np.eye(3)[Y], np.eye(3, dtype=int)[Y], [[1], [2, 3]] * 6, [(1, 2)] * N_ROWS,
            pd.Series(Y, index=range(50, 50 + N_ROWS)), pl.Series(Y),
            pd.Series([1, None] * 6, dtype="Int64"), np.ma.masked_array(Y, Y),
            scipy.sparse.csr_array(Y[:, None]),
        ]
    ),
)  # fmt: skip

ARGUMENTS = {
    "X": XS, "y": LABELS, "sample_weight": VECTORS, "groups": VECTORS, "X_val": XS,
    "y_val": LABELS, "sample_weight_val": VECTORS, "X_unlabeled": XS, "classes": LABELS,
    "history": XS,
}  # fmt: skip

LEARNING = ["fit", "partial_fit", "initialize", "fit_resample", "fit_transform"]
USING = [
    "predict", "predict_proba", "predict_log_proba", "transform", "score",
    "score_samples", "decision_function", "inverse_transform", "reconstruction_error",
]  # fmt: skip


def methods(name, candidates):
    """List the methods that an estimator has."""
    return [method for method in candidates if hasattr(new(name), method)]


# ------------------------------------------------------------------------ what holds

OWN = [Path(package.__file__).parent for package in (skseq, sklearn, imblearn)]


@functools.cache
def _lines_that_raise(path):
    tree = ast.parse(path.read_text())
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Raise)]
    return {line for node in found for line in range(node.lineno, node.end_lineno + 1)}


def check_clear(error, names):
    """Check that an error was raised on purpose, and names one of some things."""
    shown = "".join(traceback.format_exception(error)[-12:])
    assert isinstance(error, (ValueError, TypeError)), shown
    where = traceback.extract_tb(error.__traceback__)[-1]
    path = Path(where.filename)
    assert any(path.is_relative_to(package) for package in OWN), shown
    assert where.lineno in _lines_that_raise(path), shown
    assert re.search(rf"\b({'|'.join(names)})\b", str(error)), shown


def call(estimator, method, arguments, names):
    """Call a method, and check what holds whatever the arguments are.

    Returns
    -------
    result : object or None
        None if the method has raised a clear error.
    """
    before, passed = snapshot(vars(estimator)), snapshot(arguments)
    result = None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # Those of NumPy say nothing to a user.
            warnings.simplefilter("error", RuntimeWarning)
            result = getattr(estimator, method)(**arguments)
    except Exception as error:
        check_clear(error, names)
        assert snapshot(vars(estimator)) == before
    if method in USING:
        assert snapshot(vars(estimator)) == before
    assert snapshot(arguments) == passed
    return result


NAMED = [*ARGUMENTS, "features?", "columns?", "monitor", "validation_split", "resample"]


@pytest.mark.parametrize("name", NAMES)
@examples(6)
@given(data=st.data())
def test_fit_takes_anything(name, data):
    estimator = fitted(name) if data.draw(st.booleans(), "fitted") else new(name)
    method = data.draw(st.sampled_from(methods(name, LEARNING)), "method")
    arguments = {"X": good_X(name), "y": Y}
    names = inspect.signature(getattr(estimator, method)).parameters
    if method == "partial_fit" and "classes" in names:
        arguments["classes"] = [0, 1]
    possible = ["X", *(one for one in names if one in ARGUMENTS)]
    for one in data.draw(st.lists(st.sampled_from(possible), min_size=1, max_size=2)):
        text = one == "X" and name == "TextSequencer"
        arguments[one] = data.draw(TEXT_XS if text else ARGUMENTS[one], one)
    if "X_val" in arguments and "y_val" in names:
        arguments.setdefault("y_val", Y)
    call(estimator, method, arguments, NAMED)


@pytest.mark.parametrize("name", [name for name in NAMES if methods(name, USING)])
@examples(5)
@given(data=st.data())
def test_fitted_estimator_takes_anything(name, data):
    estimator = fitted(name)
    method = data.draw(st.sampled_from(methods(name, USING)), "method")
    given_X = data.draw(TEXT_XS if name == "TextSequencer" else XS, "X")
    arguments = {"X": given_X}
    if method == "score":
        arguments["y"] = Y
    # Another number of rows than in y is seen by scikit-learn.
    names = [*NAMED, "samples"] if method == "score" else NAMED
    result = call(estimator, method, arguments, names)
    if result is None or method == "score" or name == "TextSequencer":
        return
    assert len(result) == len(given_X)
    if name in NETWORKS and method != "predict_log_proba":
        assert np.isfinite(result).all()
        if method == "predict_proba":
            np.testing.assert_allclose(result.sum(axis=1), 1)


@pytest.mark.parametrize(
    "name", ["DenseClassifier", "AutoencoderTransformer", "SequenceScaler"]
)
@pytest.mark.parametrize("n_dimensions", [2, 3])
def test_equal_values_give_equal_bits(name, n_dimensions):
    values = X if n_dimensions == 3 else TABLE
    values = values.astype("f4").astype("f8")  # so that all dtypes hold them
    method = "predict_proba" if name in NETWORKS else "transform"
    estimator = new(name).fit(values, Y)
    expected = getattr(estimator, method)(values)
    others = {
        **layouts(values),
        **containers(values),
        **{dtype: values.astype(dtype) for dtype in (">f8", "g", "O")},
    }
    if name == "DenseClassifier":  # the others keep float32
        others |= {dtype: values.astype(dtype) for dtype in ("f4", ">f4")}
    for kind, other in others.items():
        if kind in ("csr", "category") or kind.startswith("ragged"):
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of names of columns
            found = getattr(estimator, method)(other)
        np.testing.assert_array_equal(np.asarray(found), expected, kind)


JUNK = [
    -1, 0, 1, 2.5, 0.5, np.nan, np.inf, -np.inf, "word", "", None, True, [], (), {},
    [1, 2], (1, "a"), {"a": 1}, np.int64(3), np.float32(0.5), np.array([1, 2]),
    object(), b"x", int, 1j, [None], ["relu"], (0.1,), (0,), set(), range(3),
    np.bool_(True), lambda *_: None, np.array(3), pd.NA, "auto", [[]], {1: 2}, {0: "a"},
    "3",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
@examples(5)
@given(data=st.data())
def test_parameters_take_anything(name, data):
    estimator = fitted(name) if data.draw(st.booleans(), "fitted") else new(name)
    possible = sorted(set(estimator.get_params(deep=False)) - {"verbose"})
    changed = data.draw(st.lists(st.sampled_from(possible), min_size=1, max_size=2))
    for one in changed:
        # A user's function raises what it raises, and Keras if it is an activation.
        is_any = name != "TextSequencer" and not one.endswith("activation")
        junk = [value for value in JUNK if is_any or not callable(value)]
        estimator.set_params(**{one: data.draw(st.sampled_from(junk), one)})
    arguments = {"X": good_X(name), "y": Y}
    call(estimator, methods(name, ["fit_resample", "fit"])[0], arguments, changed)
