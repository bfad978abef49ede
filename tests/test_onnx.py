"""Models of ONNX: equal to the estimators, checked, and used without TensorFlow."""

import json
import subprocess
import sys
from dataclasses import replace

import keras
import numpy as np
import onnx
import pandas as pd
import pytest
import sklearn
from packaging.version import Version
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import NotFittedError
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, SGDClassifier
from sklearn.metrics import f1_score, make_scorer
from sklearn.model_selection import (
    FixedThresholdClassifier,
    TunedThresholdClassifierCV,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    OneHotEncoder,
    PolynomialFeatures,
    RobustScaler,
    StandardScaler,
)

import skseq
from estimators import with_slow
from skseq.onnx import load, to_onnx

N = 24
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N, 9, 3)).astype(np.float32)
TABLE = X.reshape(N, -1)
LABELS = np.where(np.arange(N) % 2 == 0, "up", "down")
ROWS = [RNG.normal(size=(n, 3)).astype(np.float32) for n in RNG.integers(3, 12, N)]


def with_gaps(value):
    """Put the rows of a list into an array, with padding at random timesteps."""
    gaps = np.full((N, 12, 3), value, np.float32)
    for place, row in zip(gaps, ROWS, strict=True):
        place[np.sort(RNG.choice(12, len(row), replace=False))] = row
    return gaps


def initialized(estimator, X, y):
    """Draw weights without training; no bias or statistic is 0 or 1 then."""
    estimator.initialize(X, y)
    rng = np.random.default_rng(1)
    weights = [w + abs(rng.normal(0, 0.2, w.shape)) for w in estimator._state.weights]
    weights = [w.astype(np.float32) for w in weights]
    estimator._state = replace(estimator._state, weights=weights)
    return estimator


def check_classifier(estimator, served, X):
    probabilities = estimator.predict_proba(X)
    np.testing.assert_allclose(served.predict_proba(X), probabilities, atol=1e-5)
    labels = served.predict(X)
    np.testing.assert_array_equal(labels, estimator.predict(X))
    assert labels.dtype == estimator.classes_.dtype
    np.testing.assert_array_equal(served.classes_, estimator.classes_)


def own_model(inputs):
    """Masks with gaps, which a convolution would see, and several kinds of layers."""
    layers = keras.layers
    x = layers.Bidirectional(layers.GRU(3, return_sequences=True))(inputs)
    x = layers.LSTM(4, return_sequences=True)(x)
    x = layers.TimeDistributed(layers.Dense(3, activation="gelu"))(x)
    scores = layers.Dense(1)(x)
    x = layers.Add()([layers.UnitNormalization()(x), x]) * keras.ops.sigmoid(scores)
    attended = layers.MultiHeadAttention(2, 3)(x, x)
    x = layers.Concatenate()([layers.GlobalAveragePooling1D()(x), attended[:, -1]])
    return layers.PReLU()(x)


TABLE_OF_NETWORKS = {
    "lstm": (skseq.LSTMClassifier(4), X),
    "lstm stacked, both ways": (
        skseq.LSTMClassifier((4, 3), bidirectional=True, pooling="attention"),
        ROWS,
    ),
    "gru of lists": (
        skseq.GRUClassifier(4, normalization="batch", pooling="parts"),
        ROWS,
    ),
    "gru as Keras 1": (
        skseq.GRUClassifier(
            4, layer_params={"reset_after": False, "activation": "elu"}, pooling="mean"
        ),
        X,
    ),
    "rnn": (
        skseq.SimpleRNNClassifier(
            4, layer_activation="prelu", layer_params={"activation": "hard_sigmoid"},
            dense_units=3, normalization="layer", pooling="max",
        ),
        X,
    ),
    "lstm with gaps": (skseq.LSTMClassifier(4, mask_value=np.nan), with_gaps(np.nan)),
    "convolutions": (
        skseq.Conv1DClassifier((4, 3), kernel_size=3, pool_size=2, separable=True),
        ROWS,
    ),
    "causal": (
        skseq.Conv1DClassifier(
            4, kernel_size=3, padding="causal", mask_value=-1, pooling="mean",
            layer_params={"dilation_rate": 2},
        ),
        with_gaps(-1),
    ),
    "valid": (
        skseq.Conv1DClassifier(
            4, kernel_size=3, padding="valid", layer_params={"strides": 2}
        ),
        X,
    ),
    "scales and static": (
        skseq.LSTMClassifier(3, n_static=1, n_networks=2),
        np.dstack([X * np.logspace(-3, 3, N)[:, None, None], X[:, :1].repeat(9, 1)]),
    ),
    "dense": (skseq.DenseClassifier(dense_units=4, pooling="mean"), ROWS),
    "columns": (skseq.DenseClassifier(numeric_embedding="piecewise"), TABLE),
    "periodic": (
        skseq.DenseClassifier(numeric_embedding="periodic", activation="mish"),
        TABLE,
    ),
    "timesteps in columns": (skseq.LSTMClassifier(3, n_timesteps=3), TABLE),
    "logits": (
        skseq.DenseClassifier(
            dense_units=3, loss="binary_crossentropy", loss_params={"from_logits": True}
        ),
        X,
    ),
    "own model": (skseq.KerasClassifier(own_model), X),
}  # fmt: skip


@pytest.mark.parametrize(
    "name",
    with_slow(
        TABLE_OF_NETWORKS,
        "lstm", "gru of lists", "causal", "valid", "dense", "columns", "own model",
    ),
)  # fmt: skip
def test_classifier_of_onnx_is_equal(name):
    network, rows = TABLE_OF_NETWORKS[name]
    network = initialized(network.set_params(random_state=0), rows, LABELS)
    made = to_onnx(network)
    # JSON has no NaN, which other readers refuse.
    json.loads(made.metadata_props[0].value, parse_constant=pytest.fail)
    check_classifier(network, load(made), rows)


def test_mask_with_gaps_of_own_model():
    def model(inputs):
        x = keras.layers.Bidirectional(keras.layers.GRU(3, return_sequences=True))(
            inputs
        )
        x = keras.layers.LSTM(3, return_sequences=True)(x)
        # Reads what a recurrent layer repeats at padding.
        return keras.layers.GlobalMaxPooling1D()(keras.ops.tanh(x))

    def masked(inputs):
        return model(keras.layers.Masking(-1.0)(inputs))

    X = with_gaps(-1)
    network = skseq.KerasClassifier(masked, random_state=0)
    check_classifier(initialized(network, X, LABELS), load(to_onnx(network)), X)


def test_rows_longer_than_in_fit():
    network = initialized(skseq.LSTMClassifier(3, random_state=0), X, LABELS)
    served = load(to_onnx(network, n_timesteps=20))
    rows = [X[0], X[1, :4], np.resize(X[2], (19, 3))]
    check_classifier(network, served, rows)
    with pytest.raises(ValueError, match="at most 20 timesteps, got 25"):
        served.predict([*rows, np.resize(X[3], (25, 3))])


@pytest.mark.parametrize(
    ("network", "rows", "y"),
    [
        (skseq.LSTMRegressor(3), X, 1e6 + X.mean(axis=(1, 2))),
        (
            skseq.DenseRegressor(
                loss="quantile", loss_params={"quantile": (0.1, 0.5, 0.9)}
            ),
            TABLE, X[:, :2, 0],
        ),
    ],
)  # fmt: skip
def test_regressor_of_onnx_is_equal(network, rows, y):
    network = initialized(network.set_params(random_state=0), rows, y)
    served = load(to_onnx(network))
    # In float32, a y of 1e6 would have steps of 0.06.
    np.testing.assert_allclose(
        served.predict(rows), network.predict(rows), rtol=1e-5, atol=1e-5
    )
    if hasattr(network, "quantiles_"):
        expected = network.predict_quantiles(rows)
        np.testing.assert_allclose(served.predict_quantiles(rows), expected, rtol=1e-5)
    else:
        difference = served.predict(rows) - network.predict(rows)
        assert abs(difference).max() < 1e-6


@pytest.mark.parametrize(
    ("params", "rows"),
    [
        ({"kind": "conv1d", "loss": "binary_crossentropy", "scale": "minmax"}, X),
        ({"variational": True, "loss": "huber", "mask_value": -0.1}, with_gaps(-0.1)),
    ],
)
def test_autoencoder_of_onnx_is_equal(params, rows):
    params = {"layer_sizes": 4, "epochs": 1, "random_state": 0, **params}
    autoencoder = skseq.AutoencoderTransformer(2, **params).fit(rows)
    served = load(to_onnx(autoencoder))
    codes = autoencoder.transform(rows)
    np.testing.assert_allclose(served.transform(rows), codes, atol=1e-5)
    expected = autoencoder.inverse_transform(codes)
    np.testing.assert_allclose(served.reconstruct(rows), expected, atol=1e-5)
    expected = autoencoder.score_samples(rows)
    np.testing.assert_allclose(served.score_samples(rows), expected, atol=1e-5)


def test_detector_of_onnx_is_equal():
    autoencoder = skseq.AutoencoderTransformer(2, layer_sizes=4, epochs=1)
    detector = skseq.AutoencoderOutlierDetector(
        autoencoder, n_networks=2, random_state=0
    ).fit(TABLE)
    served = load(to_onnx(detector))
    np.testing.assert_array_equal(served.predict(TABLE), detector.predict(TABLE))
    for name in ("score_samples", "decision_function"):
        found, expected = (getattr(one, name)(TABLE) for one in (served, detector))
        np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("transformer", "rows"),
    [
        (skseq.SequenceReshaper(columns={"a": [0, None]}, fill_value=7.5), TABLE),
        (skseq.SequenceScaler(RobustScaler(), per_row="append"), X),
        (skseq.SequenceScaler(per_row="standardize", mask_value=-1), with_gaps(-1)),
        (skseq.SequenceScaler(n_timesteps=9), TABLE),
        (skseq.SequencePadder(5, truncate="start"), ROWS),
    ],
)  # fmt: skip
def test_transformer_of_onnx_is_equal(transformer, rows):
    expected = transformer.fit_transform(rows)
    found = load(to_onnx(transformer)).transform(rows)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


FRAME = pd.DataFrame(TABLE[:, :3] * 1000, columns=["a", "b", "name of c"]).assign(
    kind=np.resize(["x", "y", "z"], N), count=np.arange(N)
)


def over_a_frame(*scaling, **options):
    prepare = ColumnTransformer(
        [
            ("numbers", make_pipeline(*scaling), ["name of c", "a"]),
            ("kinds", OneHotEncoder(sparse_output=False, **options), ["kind"]),
            ("count", "passthrough", slice(4, 5)),
        ]
    )
    network = skseq.DenseClassifier(dense_units=3, random_state=0)
    initialized(network, prepare.fit_transform(FRAME), LABELS)
    return make_pipeline(prepare, network)


def test_pipeline_over_a_frame():
    pipeline = over_a_frame(StandardScaler())
    served = load(to_onnx(pipeline, X=FRAME))
    check_classifier(pipeline, served, FRAME)
    with pytest.raises(ValueError, match="columns of fit"):
        served.predict(FRAME[["a", "b"]])
    for column, value, message in (
        ("a", np.nan, "finite numbers in column 'a', got nan in row 1"),
        ("a", np.inf, "finite numbers in column 'a', got inf in row 1"),
        ("a", None, "finite numbers in column 'a', got nan in row 1"),
        ("a", "text", "numbers in column 'a'"),
        ("count", pd.NA, "this column as float"),
        ("count", 20.9, r"whole numbers in column 'count'.* got 20\.9"),
        ("kind", pd.NA, "unknown category"),
    ):
        bad = FRAME[:3].astype({column: object})
        bad.loc[1, column] = value
        for rows in (bad, bad.to_numpy(object).tolist()):
            with pytest.raises(ValueError, match=message):
                served.predict(rows)
    with pytest.raises(ValueError, match="at least one row"):
        served.predict(FRAME[:0])
    with pytest.raises(ValueError, match="columns of fit in their order"):
        to_onnx(pipeline, X=FRAME[FRAME.columns[::-1]])
    with pytest.raises(ValueError, match="needs X.* OneHotEncoder"):
        to_onnx(pipeline)


def test_missing_values():
    pipeline = over_a_frame(SimpleImputer(), RobustScaler(), handle_unknown="ignore")
    rows = FRAME.assign(b=np.nan, count=FRAME["count"] + 0.5, kind=["x", None] * 12)
    rows.loc[::3, "a"] = np.nan
    served = load(to_onnx(pipeline, X=rows))
    check_classifier(pipeline, served, rows)
    for column, value in (("a", np.inf), ("count", np.nan)):
        bad = rows.copy()
        bad.loc[1, column] = value
        with pytest.raises(
            ValueError, match=f"column '{column}', got {value} in row 1"
        ):
            served.predict(bad)
    # A scaler passes NaN on, and a network does not read it.
    network = initialized(pipeline[-1], TABLE, LABELS)
    pipeline = make_pipeline(StandardScaler().fit(TABLE), network)
    rows = TABLE.copy()
    rows[1, 2] = np.nan
    with pytest.raises(ValueError, match=r"got nan in X\[1, 2\]"):
        load(to_onnx(pipeline)).predict(rows)


def test_categories_of_a_network():
    frame = pd.DataFrame({"a": TABLE[:, 0], "kind": np.resize(["x", "y", "z"], N)})
    # In float32, these are one number.
    frame["id"] = np.resize([2**24, 2**24 + 1], N)
    frame["number"] = np.resize([1.5, 2.5, 2.0], N)
    frame = frame.astype(dict.fromkeys(["kind", "id", "number"], "category"))
    network = skseq.DenseClassifier(categorical_features="from_dtype", random_state=0)
    network = initialized(network, frame, LABELS)
    served = load(to_onnx(network, X=frame))
    unknown = frame.assign(kind=["x", "w"] * (N // 2), number=np.nan)
    check_classifier(network, served, unknown)
    with pytest.raises(ValueError, match="to_onnx needs X"):
        to_onnx(network)


def test_encoder_as_first_step_names_what_it_needs():
    kinds = np.array([["x", "u"], ["y", "v"]] * (N // 2), dtype=object)
    encoder = OneHotEncoder(sparse_output=False).fit(kinds)
    network = initialized(
        skseq.DenseClassifier((2,), random_state=0), encoder.transform(kinds), LABELS
    )
    pipeline = make_pipeline(encoder, network)
    with pytest.raises(ValueError, match="to_onnx needs X.* OneHotEncoder encodes"):
        to_onnx(pipeline)
    with pytest.raises(ValueError, match=r"X must be a dataframe.* got ndarray\. Pass"):
        to_onnx(pipeline, X=kinds)
    served = load(to_onnx(pipeline, X=pd.DataFrame(kinds)))
    check_classifier(pipeline, served, kinds)


def test_texts():
    texts = ["a good film", "Bad film", "", "good GOOD unknown", "bad bad story"] * 5
    y = np.arange(len(texts)) % 2
    sequencer = skseq.TextSequencer(min_df=2)
    network = skseq.LSTMClassifier(3, embedding_dim=2, random_state=0)
    initialized(network, sequencer.fit_transform(texts), y)
    pipeline = make_pipeline(sequencer, network)
    check_classifier(pipeline, load(to_onnx(pipeline)), texts)
    served = load(to_onnx(network))
    for bad in (-16, 4.5, 2**24):
        with pytest.raises(ValueError, match=f"Token ids .* got {bad}"):
            served.predict([[2, bad, 3]])


NETWORK = skseq.DenseClassifier(dense_units=3, epochs=1, random_state=0)


@pytest.mark.parametrize(
    ("around", "y"),
    [
        (
            CalibratedClassifierCV(NETWORK, cv=2, method="isotonic", ensemble=False),
            np.arange(N) % 3,
        ),
        (
            CalibratedClassifierCV(make_pipeline(StandardScaler(), NETWORK), cv=2),
            LABELS,
        ),
        (
            FixedThresholdClassifier(
                CalibratedClassifierCV(
                    NETWORK, cv=2, method="isotonic", ensemble=False
                ),
                threshold=0.45, pos_label="down",
            ),
            LABELS,
        ),
        (
            TunedThresholdClassifierCV(
                NETWORK, cv=2, scoring=make_scorer(f1_score, pos_label="down")
            ),
            LABELS,
        ),
    ],
)  # fmt: skip
def test_classifiers_around_others(around, y):
    around.fit(TABLE, y)
    served = load(to_onnx(around))
    new = np.random.default_rng(2).normal(size=(200, TABLE.shape[1]))
    check_classifier(around, served, new.astype(np.float32))


@pytest.mark.skipif(
    Version(sklearn.__version__) < Version("1.8"),
    reason="scikit-learn has no temperature",
)
def test_calibration_by_temperature():
    new = np.random.default_rng(2).normal(size=(200, TABLE.shape[1]))
    for y in (LABELS, np.arange(N) % 3):
        around = CalibratedClassifierCV(NETWORK, cv=2, method="temperature")
        served = load(to_onnx(around.fit(TABLE, y)))
        check_classifier(around, served, new.astype(np.float32))
    linear = CalibratedClassifierCV(LogisticRegression(), cv=2, method="temperature")
    threshold = FixedThresholdClassifier(linear).fit(TABLE, LABELS)
    for fitted in (threshold.estimator_, threshold):
        with pytest.raises(ValueError, match="got 'temperature'"):
            to_onnx(fitted)


def test_last_steps_of_scikit_learn():
    new, y = TABLE[::-1] * 1.5, TABLE[:, :2] * 3 + 1
    regression = make_pipeline(StandardScaler(), LinearRegression()).fit(TABLE, y)
    found = load(to_onnx(regression)).predict(new)
    np.testing.assert_allclose(found, regression.predict(new), atol=1e-4)
    for last, message in (
        (SGDClassifier(), "no predict_proba"),
        (KMeans(2, n_init=1), "the last step KMeans"),
    ):
        pipeline = make_pipeline(StandardScaler(), last).fit(TABLE, LABELS)
        with pytest.raises(ValueError, match=message):
            to_onnx(pipeline)


def test_steps_of_scikit_learn():
    unknown = make_pipeline(FunctionTransformer(np.log1p), StandardScaler())
    with pytest.raises(ValueError, match="can't write a step"):
        to_onnx(unknown.fit(abs(TABLE)), X=TABLE)
    missing = FRAME[["kind"]].where(FRAME["a"] > 0)
    encoder = ColumnTransformer([("kinds", OneHotEncoder(), ["kind"])]).fit(missing)
    with pytest.raises(ValueError, match="without a category of missing values"):
        to_onnx(encoder, X=missing)
    single = make_pipeline(StandardScaler(), PolynomialFeatures()).fit(TABLE[:, :2])
    with pytest.warns(UserWarning, match="computed in float32"):
        to_onnx(single)


# ---------------------------------------------------------------------------- files


@pytest.fixture(scope="module")
def network():
    return initialized(skseq.LSTMClassifier(3, random_state=0), X, LABELS == "up")


def test_model_states_its_versions(network, tmp_path):
    path = tmp_path / "network.onnx"
    path.write_text("before")
    made = to_onnx(network, path)
    read = onnx.load(path)
    onnx.checker.check_model(read, full_check=True)
    assert read.ir_version == 8
    opsets = {one.domain: one.version for one in read.opset_import}
    assert opsets[""] <= 18
    (entry,) = read.metadata_props
    assert json.loads(entry.value)["skseq"] == skseq.__version__
    assert made.SerializeToString() == path.read_bytes()
    assert [file.name for file in tmp_path.iterdir()] == ["network.onnx"]


PROCESS = """
import sys
import numpy as np
from skseq.onnx import load
served = load(sys.argv[1])
X = np.load(sys.argv[2])
print(served.predict(X).dtype, served.n_features_in_, served.classes_.tolist())
print(sorted({"keras", "onnx", "scipy", "sklearn", "tensorflow"} & set(sys.modules)))
"""


def test_load_needs_numpy_and_onnxruntime_alone(network, tmp_path):
    to_onnx(network, tmp_path / "network.onnx")
    np.save(tmp_path / "X.npy", X)
    arguments = [sys.executable, "-c", PROCESS, "network.onnx", "X.npy"]
    output = subprocess.run(
        arguments, cwd=tmp_path, capture_output=True, text=True, check=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    ).stdout  # fmt: skip
    assert output == "bool 3 [False, True]\n[]\n"


def test_bad_rows(network):
    served = load(to_onnx(network))
    with pytest.raises(
        ValueError, match=r"shape \(n_samples, 9, 3\).*got \(24, 8, 3\)"
    ):
        served.predict(X[:, 1:])
    bad = X.copy()
    bad[1, 2, 0] = np.nan
    with pytest.raises(ValueError, match=r"got nan in X\[1, 2, 0\]"):
        served.predict(bad)
    with pytest.raises(ValueError, match="n_timesteps=9"):
        served.predict([X[0], X[1, :4]])
    with pytest.raises(ValueError, match="numbers, got dtype"):
        served.predict(X.astype(str))
    with pytest.raises(ValueError, match="at least one row"):
        served.predict(X[:0])
    with pytest.raises(AttributeError, match="a classifier, which has no transform"):
        served.transform(X)


def test_files_that_are_no_model(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"no model")
    with pytest.raises(ValueError, match="which onnxruntime .* can't read"):
        load(path)
    value = onnx.helper.make_tensor_value_info("x", 1, [1])
    node = onnx.helper.make_node("Identity", ["x"], ["y"])
    other = onnx.helper.make_tensor_value_info("y", 1, [1])
    graph = onnx.helper.make_graph([node], "graph", [value], [other])
    opsets = [onnx.helper.make_opsetid("", 18)]
    model = onnx.helper.make_model(graph, opset_imports=opsets, ir_version=8)
    with pytest.raises(ValueError, match="another model of ONNX"):
        load(model)
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "absent")


class Custom(keras.layers.Layer):
    """A layer that calls NumPy."""

    def call(self, inputs):
        return keras.tree.map_structure(_as_numpy, inputs)

    def compute_output_spec(self, inputs):
        return keras.KerasTensor(inputs.shape)


def _as_numpy(x):
    import tensorflow as tf

    return tf.numpy_function(lambda value: value, [x], tf.float32)


def test_unknown_layer_is_named():
    def model(inputs):
        x = Custom(name="special")(inputs)
        return keras.layers.Flatten()(x)

    network = skseq.KerasClassifier(model, random_state=0).initialize(X, LABELS)
    with pytest.raises(ValueError, match="layer 'special' of the class .*Custom"):
        to_onnx(network)


def mish(x):
    return keras.ops.tanh(x) + 1


def tanh(x):
    return keras.ops.sigmoid(x)


def test_function_of_the_name_of_an_activation():
    network = skseq.DenseClassifier(dense_units=3, activation=mish, random_state=0)
    network = initialized(network, TABLE, LABELS)
    check_classifier(network, load(to_onnx(network)), TABLE[::-1] * 1.5)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda inputs: keras.layers.Flatten("channels_first")(inputs), "data_format="),
        (lambda inputs: keras.ops.max(inputs, axis=1, initial=0.5), "initial=0.5"),
        (
            lambda inputs: keras.layers.LSTM(2, activation=tanh)(inputs),
            "one of Keras' own",
        ),
    ],
)
def test_options_of_layers_that_are_refused(function, message):
    network = skseq.KerasClassifier(function, random_state=0).initialize(X, LABELS)
    with pytest.raises(ValueError, match=message):
        to_onnx(network)


@pytest.mark.parametrize(
    ("n_timesteps", "error"),
    [(0, ValueError), (-5, ValueError), (True, TypeError), (2.5, TypeError),
     ("20", TypeError)],
)  # fmt: skip
def test_bad_n_timesteps(network, n_timesteps, error):
    with pytest.raises(error, match="n_timesteps must be .* got"):
        to_onnx(network, n_timesteps=n_timesteps)


def test_to_onnx_refuses(tmp_path):
    with pytest.raises(NotFittedError):
        to_onnx(skseq.LSTMClassifier())
    network = skseq.DenseClassifier(random_state=0).initialize(X, LABELS)
    with pytest.raises(ValueError, match="n_timesteps must be at most 9"):
        to_onnx(network, n_timesteps=10)
    scaler = skseq.SequenceScaler().fit(X)
    with pytest.raises(ValueError, match="n_timesteps must be None for this Sequence"):
        to_onnx(scaler, n_timesteps=20)
    with pytest.raises(FileNotFoundError, match="a folder that exists, got .*absent"):
        to_onnx(scaler, tmp_path / "absent" / "scaler.onnx")


def test_labels_of_other_types_are_refused():
    from skseq.onnx._networks import labels_of

    assert labels_of(np.array([1.0, 2.0])).tolist() == [1, 2]
    with pytest.raises(ValueError, match="texts, bools or whole numbers"):
        labels_of(np.array([0.5, 1.5]))
