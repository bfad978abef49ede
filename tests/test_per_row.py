"""Networks that also scale each row by itself."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import skseq
from estimators import with_slow
from skseq import Conv1DClassifier

FAST = {"epochs": 2, "batch_size": 16, "random_state": 0}
NETWORKS = {
    "Conv1DClassifier": {"filters": 4},
    "LSTMClassifier": {"units": 4},
    "Conv1DRegressor": {"filters": 4},
    "DenseClassifier": {"dense_units": 4},
}


def shapes(n_rows=120, n_features=1, spread=3.0):
    """Draw rows of a rising or falling line, of sizes that differ by 10**spread."""
    rng = np.random.default_rng(0)
    y = rng.integers(2, size=n_rows)
    line = np.linspace(-1, 1, 20) * (2 * y[:, None] - 1)
    X = line[:, :, None] + rng.normal(scale=0.5, size=(n_rows, 20, n_features))
    return X * 10 ** rng.uniform(-spread, spread, (n_rows, 1, 1)), y


def beside_scaled(row):
    scaled = (row - row.mean()) / row.std()
    return np.concatenate([np.arcsinh(row), scaled], axis=1)


def test_small_rows_are_seen_as_well_as_large_ones():
    X, y = shapes(400)
    options = {"random_state": 0, "epochs": 20}
    one_scale = Conv1DClassifier(per_row=None, **options).fit(X[:200], y[:200])
    found = Conv1DClassifier(**options).fit(X[:200], y[:200])
    assert found.score(X[200:], y[200:]) > 0.95
    assert one_scale.score(X[200:], y[200:]) < 0.85


@pytest.mark.parametrize(("name", "options"), NETWORKS.items())
@pytest.mark.parametrize("n_features", with_slow([1, 3], 1))
def test_network_reads_what_the_docstring_says(name, options, n_features):
    X, y = shapes(n_features=n_features, spread=1.0)
    make = getattr(skseq, name)
    found = make(per_row="append", **options, **FAST).fit(X, y)
    features = np.stack([beside_scaled(row) for row in X])
    expected = make(per_row=None, **options, **FAST).fit(features, y)
    assert_allclose(found.predict(X), expected.predict(features), atol=1e-4)
    outputs = found.model_(X.astype(np.float32))
    assert_allclose(
        outputs, expected.model_(features.astype(np.float32)), rtol=1e-3, atol=1e-4
    )


def test_padding_is_no_part_of_the_row():
    X, y = shapes()
    rows = [row[: 5 + i % 15] for i, row in enumerate(X)]
    options = {"filters": 4, **FAST}
    found = Conv1DClassifier(per_row="append", **options).fit(rows, y)
    features = [beside_scaled(row) for row in rows]
    expected = Conv1DClassifier(per_row=None, **options).fit(features, y)
    assert_allclose(
        found.predict_proba(rows), expected.predict_proba(features), atol=1e-4
    )


@pytest.mark.parametrize("kind", with_slow(["array", "list", "mask_value"], "array"))
def test_auto_looks_at_the_scales_of_valid_timesteps(kind):
    (X, y), (alike, _) = shapes(), shapes(spread=0.3)
    options = {"filters": 2, **FAST}
    if kind == "list":
        X, alike = ([row[: 10 + i % 10] for i, row in enumerate(A)] for A in (X, alike))
    if kind == "mask_value":
        options["mask_value"] = 1e6
        X[:, 15:], alike[:, 15:] = 1e6, 1e6
    for rows, expected in ((X, 2), (alike, 1)):
        net = Conv1DClassifier(**options).fit(rows, y)
        assert net.model_.get_layer("convolution_1").kernel.shape[1] == expected


def test_features_count_alike():
    X, y = shapes(n_features=2, spread=0.3)
    X[:, :, 0] *= 1e6
    net = Conv1DClassifier(2, **FAST).fit(X, y)
    assert net.model_.get_layer("convolution_1").kernel.shape[1] == 2


def test_rows_with_one_value():
    X, y = shapes(spread=1.0)
    X[:5] = 1e4 + np.arange(5)[:, None, None]
    net = Conv1DClassifier(4, per_row="append", **FAST).fit(X, y)
    near = net.predict_proba(X[:5])
    assert np.isfinite(near).all()
    # Rounding errors of a mean are no shape.
    assert_allclose(near, near[[0] * 5], atol=0.01)
    alike, _ = shapes(spread=0.3)
    alike[::2] = 0.1
    net = Conv1DClassifier(4, **FAST).fit(alike, y)
    assert net.model_.get_layer("convolution_1").kernel.shape[1] == 1
    constant = np.zeros_like(X)
    assert np.isfinite(Conv1DClassifier(4, **FAST).fit(constant, y).predict(X)).all()


@pytest.mark.parametrize(
    ("X", "options", "obstacle"),
    [
        (np.eye(30), {}, "a 2-D X without n_timesteps"),
        (np.ones((30, 4), int), {"embedding_dim": 2}, "token ids"),
    ],
)
def test_rows_that_have_no_scale_of_their_own(X, options, obstacle):
    y = np.arange(30) % 2
    net = Conv1DClassifier(per_row="append", **options, **FAST)
    with pytest.raises(ValueError, match=f"per_row must be .*{obstacle}.*'append'"):
        net.fit(X, y)
    assert_array_equal(net.set_params(per_row="auto").fit(X, y).classes_, [0, 1])


def test_continued_training_keeps_the_scales():
    (X, y), (alike, _) = shapes(), shapes(spread=0.3)
    net = Conv1DClassifier(2, warm_start=True, **FAST).fit(X, y)
    before = net.model_.count_params()
    assert net.fit(alike, y).model_.count_params() == before
    net.set_params(per_row=None)
    with pytest.raises(ValueError, match="per_row=None after .append"):
        net.fit(X, y)


@pytest.mark.slow
def test_windows_of_long_sequences_are_long():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(30, 50, 1)), np.arange(30) % 2

    def sizes(net):
        layers = [net.model_.get_layer(f"convolution_{i}") for i in (1, 2, 3)]
        pools = [one for one in net.model_.layers if "max_pooling" in one.name]
        return [one.kernel_size[0] for one in layers], [one.pool_size for one in pools]

    long = Conv1DClassifier(2, warm_start=True, **FAST).set_params(filters=(2, 2, 2))
    assert sizes(long.fit(X, y)) == ([15, 9, 5], [(2,), (2,)])
    short = Conv1DClassifier((2, 2, 2), **FAST).fit(X[:, :49], y)
    assert sizes(short) == ([7, 5, 3], [])
    text = Conv1DClassifier((2, 2, 2), embedding_dim=2, **FAST)
    assert sizes(text.fit(rng.integers(1, 9, (30, 60)), y)) == ([7, 5, 3], [])
