"""Sample weights and class weights; and nothing of the caller's is changed."""

import copy
import pickle

import joblib
import keras
import numpy as np
import pandas as pd
import pytest
from imblearn.under_sampling import RandomUnderSampler
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone

import skseq
from estimators import AS_KERAS, outputs
from skseq._base import train
from skseq._engine import program


def bits(classifier):
    """Get the weights of a fitted network as bytes."""
    return [weights.tobytes() for weights in classifier.model_.get_weights()]


@pytest.fixture
def weights():
    """Make 60 weights between 0.1 and 5."""
    return np.random.default_rng(1).uniform(0.1, 5, size=60)


# ----------------------------------------------------------------------- sample weights


def test_weights_change_the_fit(make_network, sequences, weights):
    X, y = sequences
    weighted = make_network(epochs=2).fit(X, y, sample_weight=weights)
    assert bits(weighted) != bits(make_network(epochs=2).fit(X, y))


def test_weights_of_one_take_no_memory(sequences, monkeypatch):
    X, y = sequences
    seen = []

    def spy(recipe, state, rows, *args):
        seen.append(rows)
        return train(recipe, state, rows, *args)

    monkeypatch.setattr("skseq._base.train", spy)
    net = skseq.DenseClassifier((3,), epochs=1, random_state=0)
    twos = clone(net).fit(X, y, sample_weight=np.full(60, 2))
    assert bits(twos) == bits(net.fit(X, y))
    assert [rows.weights.strides for rows in seen] == [(4,), (0,)]
    assert seen[0].weights.tolist() == seen[1].weights.tolist() == [1] * 60


def test_equal_weights_are_no_weights(make_network, sequences):
    X, y = sequences
    plain = bits(make_network(epochs=2).fit(X, y))
    for weight in (1.0, 3.0, 1e-30, 1e30):
        net = make_network(epochs=2).fit(X, y, sample_weight=np.full(60, weight))
        assert bits(net) == plain


@pytest.mark.parametrize("factor", [1024, 1000, 1e-12, 1e12])
def test_ratios_of_weights_alone_count(make_network, sequences, weights, factor):
    X, y = sequences
    # One of 16 rows has the whole weight of its batch.
    weights[:8] *= 50
    one = make_network(epochs=3, batch_size=16)
    other = make_network(epochs=3, batch_size=16)
    one.fit(X, y, sample_weight=weights)
    other.fit(X, y, sample_weight=factor * weights)
    if factor == 1024:  # a power of two changes no digit
        assert bits(one) == bits(other)
    assert_allclose(outputs(other, X), outputs(one, X), atol=1e-5)


@pytest.mark.parametrize(
    "kind",
    [list, pd.Series, np.float32, np.int16, np.asfortranarray, lambda w: [*w.tolist()]],
    ids=["list", "series", "float32", "int16", "array", "list of floats"],
)
def test_weights_of_any_kind(make_network, sequences, kind):
    X, y = sequences
    weights = np.arange(60) % 3 + 1
    expected = make_network(epochs=2).fit(X, y, sample_weight=weights)
    given = kind(weights)
    if isinstance(given, pd.Series):
        given.index = np.arange(60)[::-1]
    net = make_network(epochs=2).fit(X, y, sample_weight=given)
    assert bits(net) == bits(expected)


@pytest.mark.parametrize(
    "params",
    [
        {},
        "drawing",
        {"batch_size": 7},
        {"class_weight": "balanced"},
        {"early_stopping": True, "validation_split": 0.3},
        {"early_stopping": True, "validation_split": 0.3, "monitor": "roc_auc"},
    ],
    ids=["plain", "drawing", "batches", "balanced", "loss", "roc_auc"],
)
def test_row_of_weight_zero_is_not_there(make_classifier, sequences, weights, params):
    X, y = sequences
    if params == "drawing":
        params = make_classifier.settings.drawing
    absent = np.random.default_rng(2).random(60) < 0.3
    weights[absent] = 0
    X_marred = X.copy()
    X_marred[absent] = 1e6
    net = make_classifier(epochs=3, **params)
    net.fit(X_marred, y, sample_weight=weights)
    expected = make_classifier(epochs=3, **params)
    expected.fit(X[~absent], y[~absent], sample_weight=weights[~absent])
    assert bits(net) == bits(expected)
    assert net.history_ == expected.history_


def test_row_of_weight_zero_is_not_there_in_partial_fit(
    make_classifier, sequences, weights
):
    X, y = sequences
    weights[:20] = 0
    net = make_classifier()
    net.partial_fit(X, y, classes=[0, 1], sample_weight=weights)
    expected = make_classifier()
    expected.partial_fit(X[20:], y[20:], classes=[0, 1], sample_weight=weights[20:])
    assert bits(net) == bits(expected)


def test_class_whose_rows_all_weigh_zero_is_no_class(make_classifier, three_classes):
    X, y = three_classes
    net = make_classifier(epochs=2).fit(X, y, sample_weight=(y < 2).astype(float))
    assert_array_equal(net.classes_, [0, 1])
    assert bits(net) == bits(make_classifier(epochs=2).fit(X[y < 2], y[y < 2]))
    with pytest.raises(ValueError, match="at least 2 classes, got 1 class"):
        make_classifier().fit(X, y, sample_weight=(y == 2).astype(float))


def test_row_to_watch_of_weight_zero_is_not_there(make_classifier, sequences, weights):
    X, y = sequences
    X_val, y_val = X[40:], y[40:]
    weights_val = weights[40:]
    weights_val[::2] = 0
    net = make_classifier(epochs=3).fit(
        X[:40], y[:40], X_val=X_val, y_val=y_val, sample_weight_val=weights_val
    )
    expected = make_classifier(epochs=3).fit(
        X[:40], y[:40], X_val=X_val[1::2], y_val=y_val[1::2],
        sample_weight_val=weights_val[1::2],
    )  # fmt: skip
    assert net.history_ == expected.history_
    unweighted = make_classifier(epochs=3).fit(X[:40], y[:40], X_val=X_val, y_val=y_val)
    assert net.history_["loss"] == unweighted.history_["loss"]
    assert net.history_["val_loss"] != unweighted.history_["val_loss"]


@pytest.mark.parametrize(
    ("given", "telling"),
    [
        (np.zeros(60), "sample_weight must not be all zero"),
        (np.full(60, -1.0), "sample_weight must not be negative, got"),
        (np.ones(59), r"sample_weight must have one entry.*\(59,\)"),
        (np.ones((60, 2)), r"sample_weight must be 1D.*\(60, 2\)"),
        (np.full(60, np.nan), "sample_weight contains NaN"),
        (np.full(60, np.inf), "sample_weight contains infinity"),
    ],
    ids=["zero", "negative", "too few", "two columns", "NaN", "infinity"],
)
def test_weights_that_mean_nothing_are_refused(
    make_classifier, sequences, given, telling
):
    X, y = sequences
    net = make_classifier(epochs=1).fit(X, y)
    before = bits(net)
    for method in (net.fit, net.partial_fit):
        with pytest.raises(ValueError, match=telling):
            method(X, y, sample_weight=given)
    assert bits(net) == before
    val = {"X_val": X, "y_val": y, "sample_weight_val": given}
    with pytest.raises(ValueError, match=telling.replace("weight", "weight_val")):
        net.fit(X, y, **val)


# Learning rates under which no network blows float32's noise up.
EQUIVALENT = {
    "batch_size": 1000,
    "shuffle": False,
    "epochs": 20,
    "learning_rate": 0.003,
}


@pytest.mark.parametrize("class_weight", [None, "balanced", {0: 2.0, 1: 0.5}])
def test_whole_weights_equal_repeated_rows(make_classifier, sequences, class_weight):
    # In place of scikit-learn's check of the same, which asks for 1e-7.
    X, y = sequences
    times = np.random.default_rng(3).integers(0, 4, size=60)
    weighted = make_classifier(**EQUIVALENT, class_weight=class_weight)
    weighted.fit(X, y, sample_weight=times)
    repeated = make_classifier(**EQUIVALENT, class_weight=class_weight)
    repeated.fit(np.repeat(X, times, axis=0), np.repeat(y, times))
    assert_allclose(
        weighted.predict_proba(X), repeated.predict_proba(X), rtol=0, atol=1e-4
    )
    assert_allclose(
        weighted.history_["loss"], repeated.history_["loss"], rtol=0, atol=1e-4
    )
    # It is no trivial agreement: both learned, and the weights did count.
    assert weighted.history_["loss"][-1] < weighted.history_["loss"][0] - 0.01
    plain = make_classifier(**EQUIVALENT, class_weight=class_weight).fit(X, y)
    difference = plain.predict_proba(X) - weighted.predict_proba(X)
    assert abs(difference).max() > 1e-3


# ------------------------------------------------------------------------ class weights


@pytest.mark.parametrize(
    "labels", [np.array(["no", "yes"]), np.array([False, True]), np.array([-1, 1])]
)
def test_class_weight_is_by_the_callers_labels(make_classifier, sequences, labels):
    X, y = sequences
    by_class = {labels[0].item(): 1, labels[1].item(): 5}
    net = make_classifier(epochs=2, class_weight=by_class).fit(X, labels[y])
    by_row = make_classifier(epochs=2)
    by_row.fit(X, labels[y], sample_weight=np.where(y == 1, 5, 1))
    assert bits(net) == bits(by_row)
    assert bits(net) != bits(make_classifier(epochs=2).fit(X, labels[y]))


def test_class_that_weighs_more_is_predicted_more(make_classifier):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 5, 2)), np.arange(60) % 2
    light, heavy = (
        make_classifier(epochs=5, learning_rate=0.01, class_weight={0: 1, 1: weight})
        .fit(X, y)
        .predict_proba(X)[:, 1]
        .mean()
        for weight in (0.1, 10)
    )
    assert light < 0.4
    assert heavy > 0.6


def test_class_weight_need_not_name_every_class(make_classifier, three_classes):
    X, y = three_classes
    net = make_classifier(epochs=2, class_weight={2: 3}).fit(X, y)
    full = make_classifier(epochs=2, class_weight={0: 1, 1: 1, 2: 3}).fit(X, y)
    assert bits(net) == bits(full)


def test_class_and_sample_weights_multiply(make_classifier, three_classes, weights):
    X, y = three_classes
    both = make_classifier(epochs=2, class_weight={0: 1, 1: 2, 2: 4})
    both.fit(X, y, sample_weight=weights)
    product = make_classifier(epochs=2)
    product.fit(X, y, sample_weight=weights * np.array([1, 2, 4])[y])
    assert bits(both) == bits(product)


def test_balanced_weighs_classes_equally(make_classifier, sequences, weights):
    X, y = sequences
    rows = np.r_[np.flatnonzero(y == 0), np.flatnonzero(y == 1)[:8]]
    X, y, weights = X[rows], y[rows], weights[rows]
    plain = make_classifier(epochs=2, class_weight="balanced").fit(X, y)
    expected = make_classifier(epochs=2)
    expected.fit(X, y, sample_weight=np.where(y == 0, 1 / 30, 1 / 8))
    assert bits(plain) == bits(expected)
    assert bits(plain) != bits(make_classifier(epochs=2).fit(X, y))
    # With weights of rows, the weights of each class have the same sum.
    both = make_classifier(epochs=2, class_weight="balanced")
    both.fit(X, y, sample_weight=weights)
    sums = np.array([weights[y == 0].sum(), weights[y == 1].sum()])
    expected = make_classifier(epochs=2).fit(X, y, sample_weight=weights / sums[y])
    assert_allclose(both.predict_proba(X), expected.predict_proba(X), atol=1e-5)


def test_balanced_changes_nothing_where_classes_are_even(make_classifier, sequences):
    X, y = sequences
    net = make_classifier(epochs=2, class_weight="balanced").fit(X, y)
    assert bits(net) == bits(make_classifier(epochs=2).fit(X, y))


def test_balanced_goes_on_with_warm_start(make_classifier, three_classes):
    X, y = three_classes
    net = make_classifier(epochs=2, class_weight="balanced", warm_start=True).fit(X, y)
    net.fit(X[y < 2], y[y < 2])
    assert net.n_iter_ == 4
    assert np.isfinite(net.history_["loss"]).all()


@pytest.mark.parametrize(
    ("class_weight", "telling"),
    [
        ({0: -1, 1: 2}, "class_weight must not be negative"),
        ({0: 0, 1: 0}, "class_weight must not be"),
        ({"no": 2}, r"\[0, 1\], are not in class_weight"),
        ("even", "'class_weight' parameter of .* must be"),
        ([1, 2], "'class_weight' parameter of .* must be"),
    ],
)
def test_class_weight_that_means_nothing_is_refused(
    make_classifier, sequences, class_weight, telling
):
    with pytest.raises(ValueError, match=telling):
        make_classifier(class_weight=class_weight).fit(*sequences)


# ----------------------------------------------------------------- what is the caller's


def frozen(array):
    array.flags.writeable = False
    return array


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_arrays_of_the_caller_stay_as_they_are(
    make_classifier, sequences, weights, dtype
):
    X, y = sequences
    X = X.astype(dtype)
    arrays = [X, y, weights, X[:20].copy(), y[:20].copy(), weights[:20].copy()]
    before = joblib.hash(arrays)
    for params in (
        {"class_weight": {0: 1, 1: 7}},
        {"class_weight": "balanced", "early_stopping": True},
        {"shuffle": False},
    ):
        net = make_classifier(epochs=2, **params)
        X_val, y_val, weights_val = arrays[3:]
        net.fit(
            X, y, sample_weight=weights, X_val=X_val, y_val=y_val,
            sample_weight_val=weights_val,
        )  # fmt: skip
        net.fit(X, y, weights)
        net.predict_proba(X)
        assert joblib.hash(arrays) == before
    net.partial_fit(X, y, sample_weight=weights)
    assert joblib.hash(arrays) == before


def test_arrays_that_cannot_be_written_are_taken(make_classifier, sequences, weights):
    X, y = sequences
    net = make_classifier(epochs=2, class_weight={0: 1, 1: 7})
    net.fit(frozen(X.astype(np.float32)), frozen(y), sample_weight=frozen(weights))
    net.partial_fit(X, y, sample_weight=weights)
    net.predict(frozen(X[:3]))


def test_predictions_are_the_callers_own(make_network, sequences):
    X, y = sequences
    net = make_network(epochs=2).fit(X, y)
    first = outputs(net, X)
    expected = first.copy()
    first[:] = 0
    net.model_.set_weights([0 * weights for weights in net.model_.get_weights()])
    assert_array_equal(outputs(net, X), expected)


def test_frames_of_the_caller_stay_as_they_are(make_classifier, table, weights):
    X, y = table
    frame = pd.DataFrame(X, columns=[f"c{i}" for i in range(10)])
    labels = pd.Series(np.array(["no", "yes"])[y], dtype="category")
    before = joblib.hash([frame, labels])
    series = pd.Series(weights.copy())
    net = make_classifier(epochs=2, class_weight={"no": 1, "yes": 3})
    net.fit(frame, labels, sample_weight=series).predict(frame)
    assert joblib.hash([frame, labels]) == before
    assert_array_equal(series, weights)


def test_dicts_of_the_caller_stay_as_they_are(make_classifier, sequences):
    params = {
        "class_weight": {0: 1, 1: 2},
        "optimizer_params": {"clipnorm": 1.0},
        "loss_params": {"label_smoothing": 0.1},
        "metrics": ["accuracy"],
        "callbacks": [],
    }
    before = copy.deepcopy(params)
    net = make_classifier(epochs=2, **params)
    net.fit(*sequences)
    net.set_params(optimizer__clipnorm=2.0, loss__label_smoothing=0.2).fit(*sequences)
    assert params == before
    assert net.metrics is params["metrics"]
    assert net.callbacks is params["callbacks"]


def test_objects_of_the_caller_stay_as_they_are(make_classifier, sequences):
    import keras

    X, y = sequences
    optimizer = keras.optimizers.Adam(0.01)
    loss = keras.losses.BinaryCrossentropy(label_smoothing=0.1)
    metric = keras.metrics.AUC(num_thresholds=20, name="area")
    schedule = keras.optimizers.schedules.ExponentialDecay(0.01, 10, 0.9)
    net = make_classifier(
        epochs=2, optimizer=optimizer, loss=loss, metrics=[metric],
        learning_rate=schedule,
    )  # fmt: skip
    configs = [thing.get_config() for thing in (optimizer, loss, metric, schedule)]
    values = [np.array(v.numpy()) for v in metric.variables]
    for _ in range(2):
        net.fit(X, y)
    assert [
        thing.get_config() for thing in (optimizer, loss, metric, schedule)
    ] == configs
    assert not optimizer.built
    assert int(optimizer.iterations.numpy()) == 0
    for variable, value in zip(metric.variables, values, strict=True):
        assert_array_equal(variable.numpy(), value)
    assert len(net.history_["area"]) == 2


def test_activation_layer_of_the_caller_stays_as_it_is(sequences):
    import keras

    import skseq

    layer = keras.layers.PReLU()
    net = skseq.LSTMClassifier(4, layer_activation=layer, epochs=2, random_state=0)
    first = net.fit(*sequences).predict_proba(sequences[0])
    assert not layer.built
    assert_array_equal(net.fit(*sequences).predict_proba(sequences[0]), first)


def recording_callback():
    import keras

    class Recording(keras.callbacks.Callback):
        def __init__(self):
            super().__init__()
            self.losses = []

        def on_epoch_end(self, epoch, logs=None):
            self.losses.append(logs["loss"])

    return Recording()


@pytest.mark.parametrize("lone", [True, False])
def test_callbacks_are_copied(make_network, sequences, lone):
    callback = recording_callback()
    given = callback if lone else [callback]
    net = make_network(epochs=3, callbacks=given)
    for _ in range(2):
        net.fit(*sequences)
        (copied,) = net.callbacks_
        assert copied is not callback
        assert copied.losses == net.history_["loss"]
        assert len(copied.losses) == 3
    assert callback.losses == []
    assert callback.model is None
    assert net.callbacks is given


def test_callback_with_state_starts_anew_in_every_fit(make_classifier, sequences):
    import keras

    callback = keras.callbacks.ReduceLROnPlateau(
        monitor="loss", factor=0.5, patience=1, min_delta=100
    )
    net = make_classifier(epochs=4, callbacks=[callback])
    first = bits(net.fit(*sequences))
    assert bits(net.fit(*sequences)) == first
    assert first != bits(make_classifier(epochs=4).fit(*sequences))


def test_parameters_are_the_same_objects_after_fit(make_classifier, sequences, weights):
    net = make_classifier(
        epochs=2, class_weight={0: 1, 1: 2}, callbacks=[recording_callback()],
        random_state=np.random.RandomState(0),
    )  # fmt: skip
    before = net.get_params(deep=False)
    plain = {k: v for k, v in before.items() if k not in ("callbacks", "random_state")}
    pickled = pickle.dumps(plain)
    net.fit(*sequences, sample_weight=weights)
    after = net.get_params(deep=False)
    assert after.keys() == before.keys()
    assert all(after[name] is value for name, value in before.items())
    assert pickle.dumps(plain) == pickled


# -------------------------------------------------- balanced batches, the output's bias


@pytest.fixture
def rare():
    """Make X of shape (150, 5, 2), and y: 15 of "bad", 45 of "fair", 90 of "good"."""
    rng = np.random.default_rng(0)
    y = rng.permutation(np.repeat(["bad", "fair", "good"], [15, 45, 90]))
    X = rng.normal(size=(150, 5, 2)).astype(np.float32)
    X[:, 0, 0] = np.arange(150) / 100  # tells the row
    return X, y


@pytest.fixture
def drawn(monkeypatch):
    """Record the rows of each batch of training."""
    batches = []
    train_chunk = program.Program.train_chunk

    def spy(self, chunk, batch_size, *args):
        cells = chunk[0].reshape(len(chunk[0]), -1)[:, 0]
        rows = np.rint(cells * 100).astype(int)
        batches.extend(
            rows[start : start + batch_size]
            for start in range(0, len(rows), batch_size)
        )
        return train_chunk(self, chunk, batch_size, *args)

    monkeypatch.setattr(program.Program, "train_chunk", spy)
    return batches


@pytest.mark.parametrize("kind", ["sequences", "table", "memmap"])
def test_every_batch_has_the_classes_in_equal_shares(
    make_classifier, rare, drawn, kind, tmp_path
):
    X, y = rare
    if kind == "table":
        X = X.reshape(150, 10)
    if kind == "memmap":
        np.save(tmp_path / "X.npy", X)
        X = np.load(tmp_path / "X.npy", mmap_mode="r")
    net = make_classifier(epochs=4, batch_size=16, balanced_batches=True, n_timesteps=5)
    net.fit(X, y)
    assert [len(rows) for rows in drawn] == [*[16] * 9, 6] * 4
    for rows in drawn:
        counts = [(y[rows] == label).sum() for label in net.classes_]
        assert max(counts) - min(counts) <= 1
    # A row of a class comes as often as any other, but for the round that is not over.
    for n_batches in (10, 40):
        seen = np.bincount(np.concatenate(drawn[:n_batches]), minlength=150)
        for label in net.classes_:
            assert np.ptp(seen[y == label]) <= 1


def test_batches_have_the_shares_that_are_stated(rare, drawn):
    X, y = rare
    shares = {"good": 2, "bad": 1, "fair": 1}
    net = skseq.DenseClassifier((4,), epochs=2, balanced_batches=shares, random_state=0)
    net.fit(X, y)
    for rows in drawn:
        if len(rows) == 32:
            counts = [(y[rows] == label).sum() for label in ("bad", "fair", "good")]
            assert_allclose(counts, [8, 8, 16], atol=1)


@pytest.mark.parametrize("shuffle", [True, False])
def test_balanced_batches_are_repeatable_and_go_on(rare, shuffle, monkeypatch):
    X, y = rare

    def fit(epochs, **params):
        net = skseq.DenseClassifier(
            (4,), epochs=epochs, balanced_batches=True, shuffle=shuffle,
            random_state=0, **AS_KERAS, **params,
        )  # fmt: skip
        return net.fit(X, y)

    whole = fit(6)
    assert bits(fit(6)) == bits(whole)
    assert bits(fit(3, warm_start=True).fit(X, y)) == bits(whole)
    assert bits(fit(6).set_params(balanced_batches=False).fit(X, y)) != bits(whole)
    monkeypatch.setattr(program, "_CHUNK_STEPS", 1)
    assert bits(fit(6)) == bits(whole)


def test_each_round_and_seed_has_its_own_order(rare, drawn):
    X, y = rare
    orders = []
    for seed in (0, 1):
        skseq.DenseClassifier(
            (4,), epochs=1, balanced_batches=True, random_state=seed
        ).fit(X, y)
        bad = [row for rows in drawn for row in rows if y[row] == "bad"]
        orders += [tuple(bad[:15]), tuple(bad[15:30])]
        drawn.clear()
    assert len({tuple(sorted(order)) for order in orders}) == 1
    assert len(set(orders)) == 4


def test_without_shuffling_all_rows_have_their_turn(rare, drawn):
    X, y = rare
    net = skseq.DenseClassifier(
        (4,), epochs=2, balanced_batches=True, shuffle=False, random_state=0
    ).fit(X, y)
    good = [rows[y[rows] == "good"] for rows in drawn]
    assert_array_equal(np.concatenate(good)[:90], np.flatnonzero(y == "good"))
    assert net.n_iter_ == 2


def test_rows_of_weight_zero_are_in_no_batch(rare, drawn):
    X, y = rare
    weights = np.ones(150)
    weights[::4] = 0
    skseq.DenseClassifier((4,), epochs=3, balanced_batches=True).fit(X, y, weights)
    assert not np.isin(np.arange(0, 150, 4), np.concatenate(drawn)).any()


def test_balanced_batches_of_what_a_call_holds(rare, drawn):
    X, y = rare
    net = skseq.DenseClassifier((4,), balanced_batches=True, random_state=0, **AS_KERAS)
    some = y != "fair"
    net.partial_fit(X[some], y[some], classes=["bad", "fair", "good"])
    first = drawn[0]
    assert (y[first] == "bad").sum() == (y[first] == "good").sum() == 16


def test_balanced_batches_find_more_of_a_rare_class(make_classifier):
    rng = np.random.default_rng(0)
    y = (np.arange(400) % 20 == 0).astype(int)
    X = rng.normal(size=(400, 5, 2)) + 0.4 * y[:, None, None]
    plain, balanced = (
        make_classifier(epochs=3, balanced_batches=value).fit(X, y).predict(X)
        for value in (False, True)
    )
    assert balanced[y == 1].mean() > plain[y == 1].mean()
    assert balanced[y == 1].mean() > 0.8


@pytest.mark.parametrize(
    ("value", "match"),
    [
        ("yes", "'balanced_batches' parameter of DenseClassifier must be"),
        ({"bad": 1, "good": 1}, "a share above 0 for each of the classes"),
        ({"bad": 1, "fair": 1, "best": 1}, "a share above 0 for each of the classes"),
        ({"bad": 1, "fair": 1, "good": 0}, "a share above 0 .*got {'bad'"),
        ({"bad": 1, "fair": 1, "good": "half"}, "a share above 0"),
        ({"bad": 1, "fair": 1, "good": np.inf}, "a share above 0"),
        ({}, "a share above 0"),
    ],
)
def test_shares_that_mean_nothing_are_refused(rare, value, match):
    net = skseq.DenseClassifier((4,), balanced_batches=value)
    with pytest.raises(ValueError, match=match):
        net.fit(*rare)
    assert not net.initialized_


def test_balanced_twice_over_is_refused(rare):
    net = skseq.DenseClassifier(balanced_batches=True, class_weight="balanced")
    with pytest.raises(ValueError, match="class_weight must be a dict or None with ba"):
        net.fit(*rare)
    net.set_params(class_weight={"bad": 2.0}, epochs=1).fit(*rare)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize(
    ("params", "weighted", "ratio"),
    [
        ({}, False, [15, 45, 90]),
        ({}, True, [30, 45, 90]),
        ({"class_weight": "balanced"}, False, [1, 1, 1]),
        ({"class_weight": {"bad": 3.0}}, False, [45, 45, 90]),
        ({"balanced_batches": True}, False, [1, 1, 1]),
        ({"sampler": RandomUnderSampler()}, False, [1, 1, 1]),
        ({"loss": "categorical_crossentropy"}, False, [15, 45, 90]),
    ],
)
def test_output_starts_at_the_ratio_of_training(
    make_classifier, rare, n_classes, params, weighted, ratio
):
    X, y = rare
    if n_classes == 2:
        X, y, ratio = X[y != "good"], y[y != "good"], ratio[:2]
    # Of zeros a network makes nothing but what its biases say.
    X = np.zeros_like(X)
    weights = np.where(y == "bad", 2.0, 1.0) if weighted else None
    net = make_classifier(
        epochs=1, learning_rate=1e-9, output_bias="prior", **params
    ).fit(X, y, weights)
    assert_allclose(net.predict_proba(X)[0], np.divide(ratio, sum(ratio)), rtol=1e-4)
    without = net.set_params(output_bias=None).fit(X, y, weights)
    assert_allclose(without.predict_proba(X)[0], 1 / n_classes, rtol=1e-4)


def test_prior_of_a_class_without_rows_is_that_of_one(rare):
    X, y = rare
    net = skseq.DenseClassifier((4,), output_bias="prior", learning_rate=1e-9)
    some = y != "fair"
    net.partial_fit(np.zeros_like(X[some]), y[some], classes=["bad", "fair", "good"])
    expected = np.array([15, 1, 90]) / 106
    assert_allclose(net.predict_proba(X[:1] * 0)[0], expected, rtol=1e-4)


def test_prior_and_pretrained_weights_start_together(rare):
    X, y = rare
    encoder = skseq.AutoencoderTransformer(layer_sizes=(4,), epochs=1, random_state=0)
    net = skseq.DenseClassifier(
        (4,), pretrained=encoder, output_bias="prior", random_state=0
    ).initialize(X, y)
    model, theirs = net.model_, net.pretrained_.model_.get_layer("encoder")
    assert_array_equal(
        model.get_layer("dense_1").kernel, theirs.get_layer("dense_1").kernel
    )
    bias = np.array(model.get_layer("outputs").bias)
    assert_allclose(bias - bias[0], np.log([1, 3, 6]), rtol=1e-5)


FOCAL = {
    2: ("binary_focal_crossentropy", keras.losses.BinaryFocalCrossentropy),
    3: ("categorical_focal_crossentropy", keras.losses.CategoricalFocalCrossentropy),
}


@pytest.mark.parametrize("n_classes", FOCAL)
def test_focal_losses_by_name_and_as_objects(make_classifier, rare, n_classes):
    X, y = rare
    if n_classes == 2:
        X, y = X[y != "good"], y[y != "good"]
    name, cls = FOCAL[n_classes]
    by_name = make_classifier(epochs=2, loss=name, loss_params={"gamma": 3.0})
    as_object = make_classifier(epochs=2, loss=cls(gamma=3.0))
    assert bits(by_name.fit(X, y)) == bits(as_object.fit(X, y))
    other = make_classifier(epochs=2, loss=name).set_params(loss__gamma=1.0)
    assert bits(other.fit(X, y)) != bits(by_name)
    # What Keras has of the same outputs is what is watched.
    net = by_name.fit(X, y, X_val=X, y_val=y)
    record = net.history_["val_loss"][-1]
    target = (y == net.classes_[1]).astype(float)[:, None]
    if n_classes == 3:
        target = (y[:, None] == net.classes_).astype(float)
    outputs = net.predict_proba(X)[:, 1:] if n_classes == 2 else net.predict_proba(X)
    assert record == pytest.approx(float(cls(gamma=3.0)(target, outputs)), rel=1e-4)


@pytest.mark.parametrize("shuffle", [True, False])
def test_class_with_less_than_a_row_for_each_epoch_takes_turns(
    sequences, shuffle, drawn
):
    X, y = sequences
    X = X.copy()
    X[:, 0, 0] = y / 100  # so that what is drawn are the labels
    skseq.DenseClassifier(
        (2,), epochs=50, balanced_batches={0: 0.99, 1: 0.01}, shuffle=shuffle,
        random_state=0,
    ).fit(X, y)  # fmt: skip
    labels = np.concatenate(drawn)
    assert len(labels) == 50 * 60
    assert labels.sum() == 30  # a hundredth of them, over all epochs


def test_share_that_gives_no_row_at_all_is_trained(sequences):
    X, y = sequences
    net = skseq.DenseClassifier((2,), epochs=3, balanced_batches={0: 0.999, 1: 0.001})
    assert np.isfinite(net.fit(X, y).history_["loss"]).all()


def test_weights_near_the_largest_float_count_by_their_ratios(
    make_classifier, sequences
):
    X, y = sequences
    weights = np.linspace(0.5, 1, 60)
    plain = make_classifier(epochs=2).fit(X, y, sample_weight=weights)
    huge = make_classifier(epochs=2).fit(X, y, sample_weight=1.5e308 * weights)
    assert_allclose(huge.predict_proba(X), plain.predict_proba(X), atol=1e-6)
    start = make_classifier().initialize(X, y)
    assert abs(huge.predict_proba(X) - start.predict_proba(X)).max() > 1e-3
    for class_weight in ({0: 1e308, 1: 1.5e308}, "balanced"):
        net = make_classifier(epochs=2, class_weight=class_weight)
        net.fit(X, y, sample_weight=1.5e308 * weights)
        assert np.isfinite(net.history_["loss"]).all()
        assert abs(net.predict_proba(X) - start.predict_proba(X)).max() > 1e-3
