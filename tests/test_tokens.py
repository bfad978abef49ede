"""Token ids in networks: embeddings, padding, unknown ids."""

import joblib
import keras
import numpy as np
import pandas as pd
import pytest
from imblearn.over_sampling import ADASYN, SMOTE, SMOTEN, RandomOverSampler
from imblearn.under_sampling import NearMiss, RandomUnderSampler
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

import skseq
from estimators import AS_KERAS, mostly_slow
from skseq._engine import cache
from skseq._padded import as_padded
from skseq._rows import Part
from skseq._tokens import n_tokens_in, seen_in, with_unknown

FAST = {"epochs": 3, "learning_rate": 0.03, "random_state": 0, **AS_KERAS}
SMALL = {
    "LSTM": {"units": 4},
    "GRU": {"units": 4, "pooling": "mean"},
    "SimpleRNN": {"units": 4, "pooling": "last"},
    "Conv1D": {"filters": 4, "kernel_size": 3},
    "Dense": {"dense_units": 4},
}

# The class of a row is whether it has the id 5. Rows have three to six ids from 2 to 9.
rng = np.random.default_rng(0)
LENGTHS = np.r_[6, rng.integers(3, 7, size=59)]
X = rng.integers(2, 10, size=(60, 6))
X[0, 5] = 9
X[np.arange(6) >= LENGTHS[:, None]] = 0
Y = (X == 5).any(axis=1).astype(int)
ROWS = [row[:n] for row, n in zip(X, LENGTHS, strict=True)]


def make(kind="Dense", is_classifier=True, **params):
    cls = getattr(skseq, kind + ("Classifier" if is_classifier else "Regressor"))
    tokens = {} if "embedding_weights" in params else {"embedding_dim": 3}
    return cls(**{**SMALL[kind], **FAST, **tokens, **params})


@pytest.fixture(params=mostly_slow(SMALL, "GRU", "Conv1D"))
def make_one(request):
    return lambda **params: make(request.param, **params)


@pytest.fixture(params=["GRU", "Conv1D"])
def make_some(request):
    """Make a network, for what does not depend on its layers."""
    return lambda **params: make(request.param, **params)


@pytest.fixture
def jit_compile():
    """Set the path of training, and set it back."""
    yield skseq.set_jit_compile
    skseq.set_jit_compile("auto")


def table_of(net):
    return net.model_.get_layer("embedding").get_weights()[0]


def bits(net):
    return [weights.tobytes() for weights in net.model_.get_weights()]


# ------------------------------------------------------------------------- networks


def test_network_learns_which_ids_matter(make_one):
    net = make_one(epochs=40).fit(X, Y)
    assert net.score(X, Y) >= 0.9
    assert net.n_tokens_ == 10
    assert table_of(net).shape == (10, 3)


def test_regressor_learns_from_ids():
    amount = 1000.0 + 100 * (X == 5).sum(axis=1)
    net = make("Dense", False, epochs=60, pooling="mean").fit(X, amount)
    assert net.score(X, amount) > 0.8


def test_rows_of_ids_come_in_many_containers(make_some):
    expected = make_some().fit(X, Y)
    for given in (
        X.astype(np.uint8),
        X.astype(float),
        X.astype(np.float32),
        pd.DataFrame(X),
        X[:, :, None],
        ROWS,
        [row.tolist() for row in ROWS],
        [row[:, None] for row in ROWS],
        pd.Series(ROWS),
    ):
        net = make_some().fit(given, Y)
        assert bits(net) == bits(expected)
        assert_array_equal(net.predict_proba(given), expected.predict_proba(X))


def test_padding_changes_nothing_wherever_it_is(make_one):
    expected = make_one(dropout=0.2).fit(X, Y)
    wide = np.zeros((60, 60), int)
    wide[:, 3::10] = X
    net = make_one(dropout=0.2).fit(wide, Y)
    assert bits(net) == bits(expected)
    assert_array_equal(net.predict_proba(wide), expected.predict_proba(X))


def test_list_of_rows_of_one_length_is_predicted_as_a_list():
    net = make(pooling="mean").fit(ROWS, Y)
    one = net.predict_proba([ROWS[1]])
    for rows in ([X[1, : LENGTHS[1]].tolist()], [ROWS[1]], [ROWS[1][:, None]]):
        assert_array_equal(net.predict_proba(rows), one)
    # Arrays of one length are a list of rows in fit too, and nested lists a table.
    whole = [row for row in X if row.all()]
    assert make().fit(whole, np.arange(len(whole)) % 2).n_features_in_ == 1
    table = [row.tolist() for row in whole]
    assert make().fit(table, np.arange(len(table)) % 2).n_features_in_ == 6


def test_keras_model_takes_ids():
    networks = [make(kind) for kind in SMALL]
    networks += [make("GRU", bidirectional=True, pooling="max")]
    for net in networks:
        model = net.fit(X, Y).model_
        expected = net.predict_proba(X)[:, 1:]
        for rows in (X, X[:, :, None], X.astype(np.float32)):
            assert_allclose(np.asarray(model(rows)), expected, atol=1e-6)
        # An id without a vector is the unknown token.
        found = [np.asarray(model(np.where(X == 9, i, X))) for i in (1, 99)]
        assert_array_equal(*found)
    assert_allclose(model.predict(X, verbose=0), expected, atol=1e-6)


def test_keras_model_masks_zeros_where_fit_saw_none():
    rows = X[X.all(axis=1)]
    net = make("GRU").fit(rows, np.arange(len(rows)) % 2)
    short = np.array([[2, 3, 4, 0, 0, 0]])
    assert_allclose(
        np.asarray(net.model_(short)), net.predict_proba(short)[:, 1:], atol=1e-6
    )


def test_vector_of_padding_is_never_trained(make_some):
    first = table_of(make_some().initialize(X, Y))
    last = table_of(make_some().fit(X, Y))
    assert_array_equal(first[0], last[0])
    assert (first[2:] != last[2:]).any(axis=1).all()


def test_xla_gives_the_results_of_the_plain_path(make_some, jit_compile):
    found = []
    for value in (False, True):
        jit_compile(value)
        found.append(make_some().fit(X, Y).predict_proba(X))
    assert_allclose(*found, atol=1e-4)


def test_pooling_of_a_dense_network_ignores_the_order():
    for pooling in ("mean", "max", "attention"):
        net = make(pooling=pooling).fit(ROWS, Y)
        backwards = [row[::-1] for row in ROWS]
        assert_allclose(
            net.predict_proba(backwards), net.predict_proba(ROWS), atol=1e-6
        )
        # Longer rows than in fit can be read.
        twice = np.concatenate([ROWS[0], ROWS[0]])
        assert net.predict_proba([twice]).shape == (1, 2)
    mean = make(pooling="mean", dense_units=()).fit(ROWS, Y)
    table, kernel, bias = mean.model_.get_weights()
    logit = (table[ROWS[3]].mean(axis=0) @ kernel + bias).item()
    assert_allclose(
        mean.predict_proba([ROWS[3]])[0, 1], 1 / (1 + np.exp(-logit)), rtol=1e-5
    )


# --------------------------------------------------------------------------- dropout


def layers_of(net):
    return {layer.name: layer for layer in net.model_.layers}


def test_dropout_is_for_whole_features_of_the_vectors():
    for kind, n_layers in (("Conv1D", 1), ("Dense", 1)):
        layers = layers_of(make(kind, dropout=0.3).initialize(X, Y))
        assert isinstance(layers["embedding_dropout"], keras.layers.SpatialDropout1D)
        assert layers["embedding_dropout"].rate == 0.3
        assert layers["dropout_1"].rate == 0.3
        layers = layers_of(make(kind, dropout=(0.4,) * n_layers).initialize(X, Y))
        assert "embedding_dropout" not in layers
        layers = layers_of(make(kind, dropout=(0.2, 0.4)).initialize(X, Y))
        assert layers["embedding_dropout"].rate == 0.2
        assert layers["dropout_1"].rate == 0.4
        with pytest.raises(ValueError, match="dropout must be one value or one for"):
            make(kind, dropout=(0.1, 0.2, 0.3)).fit(X, Y)
    # The inputs of recurrent layers are dropped in this way anyway.
    layers = layers_of(make("LSTM", dropout=0.3).initialize(X, Y))
    assert "embedding_dropout" not in layers
    assert layers["recurrent_1"].dropout == 0.3


# ------------------------------------------------------------------- ready-made vectors

VECTORS = np.random.default_rng(1).normal(size=(12, 3)).astype(np.float32)


def test_ready_made_vectors_are_the_first_weights(make_some):
    net = make_some(embedding_weights=VECTORS).initialize(X, Y)
    assert net.n_tokens_ == 12
    assert_array_equal(table_of(net), VECTORS)
    plain = make_some().initialize(X, Y)
    others = [weights.tobytes() for weights in plain.model_.get_weights()[1:]]
    assert bits(net)[1:] == others
    trained = make_some(embedding_weights=VECTORS).fit(X, Y)
    changed = (table_of(trained) != VECTORS).any(axis=1)
    # The ids 10 and 11 are not in the rows.
    assert_array_equal(np.flatnonzero(~changed), [0, 1, 10, 11])


def test_frozen_vectors_stay(make_some):
    net = make_some(
        embedding_weights=VECTORS, embedding_trainable=False, early_stopping=True
    ).fit(X, Y)
    assert_array_equal(table_of(net), VECTORS, strict=True)
    loaded = joblib_copy(net)
    assert_array_equal(table_of(loaded), VECTORS)


def test_vectors_are_values_of_one_program():
    skseq.clear_programs()
    for scale in (1, 2, 3):
        net = make(embedding_weights=VECTORS * scale).fit(X, Y)
        assert net.n_tokens_ == 12
    assert len(cache._idle) == 1


def test_all_ids_with_a_ready_made_vector_are_known():
    vectors = VECTORS.copy()
    net = make(embedding_weights=vectors, embedding_dim=3).fit(X, Y)
    rows = np.where(X == 9, 11, X)  # 11 is not in the rows of fit
    assert (net.predict_proba(rows) != net.predict_proba(X)).any()
    unknown = np.where(X == 9, 1, X)
    beyond = np.where(X == 9, 12, X)
    assert (net.predict_proba(rows) != net.predict_proba(unknown)).any()
    assert_array_equal(net.predict_proba(beyond), net.predict_proba(unknown))
    assert_array_equal(vectors, VECTORS)  # the caller's array


@pytest.mark.parametrize(
    ("params", "telling"),
    [
        ({"embedding_weights": VECTORS[:1]}, r"got \(1, 3\)"),
        ({"embedding_weights": VECTORS[0]}, r"got \(3,\)"),
        ({"embedding_weights": [["a"], ["b"]]}, "must hold numbers"),
        ({"embedding_weights": VECTORS * np.nan}, "finite numbers, got nan in row 0"),
        (
            {"embedding_weights": VECTORS, "embedding_dim": 4},
            "number of columns of embedding_weights, 3, or None, got 4",
        ),
        ({"embedding_dim": 0}, "'embedding_dim' parameter"),
        ({"mask_value": 1}, "mask_value must be None with token ids, got 1"),
        ({"mask_value": float("nan")}, "mask_value must be None .* got nan"),
        (
            {"pretrained": skseq.AutoencoderTransformer()},
            "pretrained must be None with token ids, .*embedding_weights",
        ),
        ({"n_timesteps": 3}, "one token id for each timestep, got 2 features"),
    ],
)
def test_parameters_that_do_not_suit_ids_are_refused(params, telling):
    net = make().fit(X, Y)
    before = dict(vars(net))
    net.set_params(**params)
    with pytest.raises(ValueError, match=telling):
        net.fit(X, Y)
    net.set_params(
        **{"mask_value": None, "pretrained": None, "n_timesteps": None},
        embedding_weights=None, embedding_dim=3,
    )  # fmt: skip
    assert vars(net) == before
    assert net.set_params(mask_value=0).fit(X, Y).score(X, Y) > 0


# ------------------------------------------------------------------------ what X may be


@pytest.mark.parametrize(
    ("rows", "telling"),
    [
        (X + 0.5, r"whole numbers from 0 to 16777215, got 2.5 in X\[0, 0\]|in X\["),
        (np.where(X[2, 1] == X, -1, X), r"got -1 in X\["),
        (np.where(X == 9, 2**24, X), "got 16777216 in"),
        (np.where(X == 9, np.nan, X), "contains NaN"),
        ([*ROWS[:-1], np.array([2.0, 2.5])], r"got 2.5 in timestep 1 of X\[59\]"),
        ([*ROWS[:-1], np.array([], int)], r"X\[59\] must hold at least one id"),
        (np.where(np.arange(60)[:, None] == 7, 0, X), r"only 0 in X\[7\]"),
        ([*ROWS[:-1], np.array([0, 0])], r"only 0 in X\[59\]"),
        (np.repeat(X[:, :, None], 2, axis=2), "one token id .* got 2 features"),
        (["so good"] * 60, "must hold token ids, got texts.*TextSequencer"),
        (pd.Series(["so good"] * 60), "must hold token ids, got texts"),
        (np.array(["so good"] * 60), "must hold token ids, got texts"),
        (pd.DataFrame({"text": ["so good"] * 60}), "column 'text'"),
    ],
)
def test_rows_that_hold_no_ids_are_refused(rows, telling):
    net = make()
    with pytest.raises(ValueError, match=telling):
        net.fit(rows, Y)
    assert not hasattr(net, "n_tokens_")


def test_place_of_a_value_that_is_no_id_is_named():
    rows = X.astype(float)
    rows[40, 2] = 3.25
    with pytest.raises(ValueError, match=r"got 3.25 in X_val\[40, 2\]"):
        make().fit(X, Y, X_val=rows, y_val=Y)
    with pytest.raises(ValueError, match=r"got 3.25 in X\[40, 2\]"):
        make().fit(X, Y).predict(rows)


def test_float_that_float32_would_round_to_a_whole_number_is_refused():
    rows = X.astype(float)
    rows[0, 0] = 3 + 1e-9
    with pytest.raises(ValueError, match=r"got 3.000000001 in X\[0, 0\]"):
        make().fit(rows, Y)


# ------------------------------------------------------------------------- unknown ids


def test_id_that_fit_has_not_seen_is_the_unknown_token(make_some):
    rows = np.where(X == 6, 1, X)  # 6 is missing, 1 is there
    net = make_some().fit(rows, Y)
    expected = net.predict_proba(rows)
    for other in (6, 10, 5000, 2**24 - 1):
        assert_array_equal(
            net.predict_proba(np.where(rows == 1, other, rows)), expected
        )
    seven = np.where(rows == 1, 7, rows)
    assert (net.predict_proba(seven) != expected).any()


def test_ids_of_validation_rows_alone_are_unknown():
    rows = np.where(X == 6, 1, X)
    one = make(early_stopping=True).fit(rows, Y, X_val=rows, y_val=Y)
    other = make(early_stopping=True).fit(rows, Y, X_val=X, y_val=Y)
    assert one.n_tokens_ == other.n_tokens_ == 10
    assert one.history_ == other.history_

    # Of rows that are held out too.
    class FirstRows:
        def split(self, X, y=None, groups=None):
            yield np.arange(10, len(X)), np.arange(10)

    held = rows.copy()
    held[0, 0] = 30
    net = make(early_stopping=True, validation_split=FirstRows()).fit(held, Y)
    assert_array_equal(
        net.predict_proba(np.where(rows == 1, 30, rows)), net.predict_proba(rows)
    )


def test_rows_of_weight_zero_teach_no_ids():
    rows = np.vstack([np.where(X == 6, 1, X), [[6, 20, 2, 2, 2, 2]]])
    weights = np.r_[np.ones(60), 0]
    net = make().fit(rows, np.r_[Y, 0], sample_weight=weights)
    assert net.n_tokens_ == 10
    assert bits(net) == bits(make().fit(rows[:60], Y))


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_table_does_not_grow_where_training_goes_on(method):
    rows = np.where(X == 6, 1, X)
    net = make(warm_start=True).fit(rows, Y)
    same = joblib_copy(net)
    getattr(net, method)(np.where(rows == 1, 50, rows), Y)
    getattr(same, method)(rows, Y)
    assert net.n_tokens_ == 10
    assert bits(net) == bits(same)
    # An id below the largest one has a vector, and is known from now on.
    getattr(net, method)(X, Y)
    assert (net.predict_proba(X) != net.predict_proba(rows)).any()


def test_ids_of_rows_are_found_in_blocks(monkeypatch):
    from skseq import _padded

    monkeypatch.setattr(_padded, "_BLOCK_VALUES", 1)  # a row each
    array = np.array([[2, 0], [5, 3], [7, 7]], np.float32)[:, :, None]
    for index, n, expected in ((None, 8, [2, 3, 5, 7]), (np.array([1]), 6, [3, 5])):
        rows = Part(as_padded(array, 0), index, None, np.ones(3))
        assert n_tokens_in(rows) == n
        assert np.flatnonzero(seen_in(rows, n)).tolist() == [0, 1, *expected]
    seen = np.array([True, True, False, True])
    found = with_unknown(
        np.array([[[-9.0], [0], [1], [2], [3], [4]]], np.float32), seen
    )
    assert found.ravel().tolist() == [-9, 0, 1, 1, 3, 4]
    assert found.dtype == np.float32


# ------------------------------------------------------- what else an estimator does


def joblib_copy(net):
    import io

    file = io.BytesIO()
    joblib.dump(net, file)
    file.seek(0)
    return joblib.load(file)


def test_network_with_ids_survives_clone_and_pickle(make_some):
    rows = np.where(X == 6, 1, X)
    net = make_some(dropout=0.2, class_weight="balanced", early_stopping=True)
    net.fit(rows, Y)
    loaded = joblib_copy(net)
    assert_array_equal(loaded.predict_proba(X), net.predict_proba(X))
    assert bits(clone(net).fit(rows, Y)) == bits(net)
    weighted = clone(make_some(embedding_weights=VECTORS))
    assert_array_equal(weighted.embedding_weights, VECTORS)


def test_partial_fit_equals_fit(make_some):
    parts = make_some(dropout=0.2).partial_fit(X, Y, classes=[0, 1])
    parts.partial_fit(X, Y)
    assert bits(parts) == bits(make_some(dropout=0.2, epochs=2).fit(X, Y))


def test_grid_search_over_the_length_of_vectors():
    search = GridSearchCV(
        make(epochs=20), {"embedding_dim": [1, 4]}, cv=2,
        error_score="raise",
    )  # fmt: skip
    search.fit(X, Y)
    best = search.best_estimator_
    assert table_of(best).shape == (10, search.best_params_["embedding_dim"])


def test_fit_without_embedding_forgets_the_tokens():
    net = make().fit(np.where(X == 6, 1, X), Y)
    net.set_params(embedding_dim=None).fit(X, Y)
    assert not hasattr(net, "n_tokens_")
    assert bits(net) == bits(make(embedding_dim=None).fit(X, Y))
    with pytest.raises(ValueError, match="continue with the fitted network"):
        net.set_params(embedding_dim=3, warm_start=True).fit(X, Y)


# ---------------------------------------------------------------------------- samplers

RARE = np.r_[np.flatnonzero(Y == 0), np.flatnonzero(Y == 1)[:8]]


@pytest.mark.parametrize(
    "sampler",
    [
        SMOTE(k_neighbors=2),
        ADASYN(n_neighbors=2),
        skseq.SequenceResampler(SMOTE(k_neighbors=2)),
        skseq.SequenceAugmenter(),
        skseq.LatentSampler(
            SMOTE(k_neighbors=2), autoencoder=skseq.AutoencoderTransformer(2, epochs=1)
        ),
        RandomOverSampler(shrinkage=1.0),
    ],
)
def test_samplers_that_interpolate_are_refused(sampler):
    # Also if ids came as floats, which elsewhere are amounts.
    for rows in (X, X.astype(float), ROWS):
        part = [rows[i] for i in RARE] if rows is ROWS else rows[RARE]
        with pytest.raises(ValueError, match="whole numbers"):
            make(sampler=sampler).fit(part, Y[RARE])


@pytest.mark.parametrize(
    "sampler",
    [RandomOverSampler(), RandomUnderSampler(), NearMiss(), SMOTEN(k_neighbors=2)],
)
def test_samplers_that_keep_ids_work(sampler):
    for rows in (X, X.astype(float)):
        net = make(sampler=sampler).fit(rows[RARE], Y[RARE])
        assert net.n_tokens_ <= 10
        assert net.predict(rows).shape == (60,)
