"""What is random, what is not, and whose random state is used."""

import inspect
import os
import pickle
import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone

import skseq
from estimators import CLASSIFIERS, make, outputs, with_slow


def bits(classifier):
    """Get the weights of a fitted network as bytes."""
    return [weights.tobytes() for weights in classifier.model_.get_weights()]


# ------------------------------------------------------------------ an int random_state


@pytest.mark.parametrize(
    "params",
    [{}, "drawing", {"early_stopping": True, "validation_split": 0.2}],
    ids=["plain", "drawing", "early stopping"],
)
def test_int_repeats_every_bit(make_network, sequences, params):
    X, y = sequences
    if params == "drawing":
        params = make_network.settings.drawing
    net = make_network(epochs=3, **params).fit(X, y)
    first, history = bits(net), net.history_
    assert bits(net.fit(X, y)) == first
    assert net.history_ == history
    again = make_network(epochs=3, **params).fit(X, y)
    assert bits(again) == first
    assert again.history_ == history
    other = make_network(epochs=3, random_state=1, **params).fit(X, y)
    assert bits(other) != first


def interrupting_callback():
    import keras

    def interrupt(epoch, logs):
        if epoch == 1:
            raise KeyboardInterrupt

    return keras.callbacks.LambdaCallback(on_epoch_end=interrupt)


def test_int_repeats_whatever_was_fitted_before(
    make_classifier, sequences, three_classes
):
    X, y = sequences
    settings = make_classifier.settings
    net = make_classifier(epochs=3, **settings.drawing)
    first = bits(net.fit(X, y))
    # Of the same architecture: other rows, rate, batches, weights, a failure.
    clone(net).set_params(learning_rate=1.0, random_state=9).fit(X[:31], y[:31])
    clone(net).set_params(batch_size=7).fit(X, y, sample_weight=np.arange(60))
    with pytest.raises(KeyboardInterrupt):
        clone(net).set_params(callbacks=[interrupting_callback()]).fit(X, y)
    # Of other ones.
    make_classifier(epochs=2, **settings.other).fit(X, y)
    make_classifier(epochs=2, random_state=None).fit(*three_classes)
    make_classifier(epochs=2, optimizer="sgd").fit(X[:, :3], y)
    np.random.seed(5)
    random.seed(5)
    assert bits(clone(net).fit(X, y)) == first


def test_names_in_history_hang_on_nothing_fitted_before(make_classifier, sequences):
    X, y = sequences
    for n_timesteps in (3, 4, 5):
        net = make_classifier(epochs=1, metrics=["AUC", "accuracy"])
        net.fit(X[:, :n_timesteps], y)
        assert sorted(net.history_) == ["AUC", "accuracy", "loss"]


def test_int_repeats_after_programs_were_forgotten(make_classifier, sequences):
    net = make_classifier(epochs=2, **make_classifier.settings.drawing)
    first = bits(net.fit(*sequences))
    before = net.predict_proba(sequences[0])
    skseq.clear_programs()
    assert_array_equal(net.predict_proba(sequences[0]), before)
    assert bits(clone(net).fit(*sequences)) == first


def digest(name, params, X, y):
    """Hash the weights and probabilities of a new estimator."""
    net = getattr(skseq, name)(**{"epochs": 3, "random_state": 0, **params}).fit(X, y)
    found = sha256(net.predict_proba(X).tobytes())
    for weights in net.model_.get_weights():
        found.update(weights.tobytes())
    return found.hexdigest()


SCRIPT = f"""
import pickle, sys
from hashlib import sha256
import skseq

{inspect.getsource(digest)}
xla, X, y, jobs = pickle.load(sys.stdin.buffer)
skseq.set_jit_compile(xla)
print(*[digest(name, params, X, y) for name, params in jobs])
"""

JOBS = [
    (name, params)
    for name, network in CLASSIFIERS.items()
    if not network.needed  # a function, which the other process lacks
    for params in ({}, network.other)
]


def digests_of_a_fresh_process(xla, X, y, jobs):
    root = str(Path(skseq.__file__).parent.parent)
    path = os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])
    result = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        input=pickle.dumps((xla, X, y, jobs)),
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        check=False,
        timeout=300,
    )
    assert result.returncode == 0, result.stderr.decode()
    return result.stdout.decode().split()


@pytest.mark.parametrize("xla", with_slow([False, True], True), ids=["plain", "xla"])
def test_int_repeats_after_others_in_threads_and_in_a_fresh_process(sequences, xla):
    X, y = sequences
    try:
        skseq.set_jit_compile(xla)
        first = [digest(*job, X, y) for job in JOBS]
        for name, params in JOBS:
            other = {**params, "random_state": 1, "learning_rate": 0.1}
            digest(name, other, X[:31], y[:31])
        # Each twice at a time, in programs of their own.
        with ThreadPoolExecutor(4) as pool:
            again = list(pool.map(lambda job: digest(*job, X, y), JOBS * 2))
    finally:
        skseq.set_jit_compile("auto")
    assert again == first * 2
    # In the opposite order, so that what was fitted before is other as well.
    assert digests_of_a_fresh_process(xla, X, y, JOBS[::-1]) == first[::-1]


# ----------------------------------------------------------------- None and RandomState


def test_none_varies_and_follows_the_global_seed(make_classifier, sequences):
    net = make_classifier(epochs=2, random_state=None)
    np.random.seed(3)
    first = bits(net.fit(*sequences))
    second = bits(net.fit(*sequences))
    np.random.seed(3)
    assert first != second
    assert bits(clone(net).fit(*sequences)) == first
    assert bits(clone(net).fit(*sequences)) == second


def test_random_state_instance_advances(make_network, sequences):
    net = make_network(epochs=2, random_state=np.random.RandomState(3))
    first, second = (bits(net.fit(*sequences)) for _ in range(2))
    assert first != second
    again = make_network(epochs=2, random_state=np.random.RandomState(3))
    assert [bits(again.fit(*sequences)) for _ in range(2)] == [first, second]
    other = make_network(epochs=2, random_state=np.random.RandomState(4))
    assert bits(other.fit(*sequences)) not in (first, second)


def test_random_state_instance_is_shared_by_estimators(make_classifier, sequences):
    rng = np.random.RandomState(3)
    one, other = (make_classifier(epochs=1, random_state=rng) for _ in range(2))
    assert bits(one.fit(*sequences)) != bits(other.fit(*sequences))


def test_seed_decides_first_weights_and_order_alike(make_classifier, sequences):
    X, y = sequences
    starts = [
        bits(make_classifier(random_state=seed).initialize(X, y)) for seed in (0, 0, 1)
    ]
    assert starts[0] == starts[1] != starts[2]
    # One epoch from the same first weights, the rows in another order.
    shuffled = make_classifier(epochs=1, batch_size=8).fit(X, y)
    straight = make_classifier(epochs=1, batch_size=8, shuffle=False).fit(X, y)
    assert bits(shuffled) != bits(straight)


def test_bad_random_state_is_refused(make_classifier, sequences):
    with pytest.raises(ValueError, match="random_state"):
        make_classifier(random_state="x").fit(*sequences)


# ----------------------------------------------------------------- global random states


def _equal_states(one, other):
    return one[0] == other[0] and (one[1] == other[1]).all() and one[2:] == other[2:]


@pytest.mark.parametrize("seen", with_slow([False, True], True), ids=["new", "seen"])
def test_int_leaves_global_random_states(make_network, sequences, seen, seed_keras):
    import keras

    X, y = sequences
    # Three units are in no other test, so that the network is built here.
    params = dict(make_network.settings.other)
    name = next(iter(params))
    if isinstance(params[name], dict):
        params[name] = {**params[name], "width": 3}
    else:
        params[name] = 3 if isinstance(params[name], int) else (3, 3)
    if not seen:
        skseq.clear_programs()

    def drawn():
        seed_keras(11)
        yield
        yield (
            random.random(),
            np.random.random_sample(4).tolist(),
            keras.layers.Dense(2)(np.ones((1, 3))).numpy().tolist(),
            keras.random.normal((4,)).numpy().tolist(),
        )

    untouched = drawn()
    next(untouched)
    expected = next(untouched)

    touched = drawn()
    next(touched)
    states = random.getstate(), np.random.get_state()
    net = make_network(
        epochs=2, early_stopping=True, validation_split=0.2, metrics=["accuracy"],
        **params,
    )  # fmt: skip
    outputs(net.fit(X, y), X)
    assert net.model_ is not None
    assert random.getstate() == states[0]
    assert _equal_states(np.random.get_state(), states[1])
    assert next(touched) == expected


def test_none_leaves_states_that_it_does_not_use(make_classifier, sequences):
    state = random.getstate()
    before = np.random.get_state()
    make_classifier(epochs=1, random_state=None).fit(*sequences)
    assert random.getstate() == state
    assert not _equal_states(np.random.get_state(), before)
    before = np.random.get_state()
    rng = np.random.RandomState(0)
    make_classifier(epochs=1, random_state=rng).fit(*sequences)
    assert _equal_states(np.random.get_state(), before)


# ------------------------------------------------------------------------------ threads


def test_two_threads_fit_as_one(make_classifier, sequences, three_classes):
    def fit(job):
        data, seed = job
        drawing = make_classifier.settings.drawing
        net = make_classifier(epochs=3, random_state=seed, **drawing).fit(*data)
        return bits(net), net.predict_proba(data[0]).tobytes()

    jobs = [(data, seed) for seed in range(3) for data in (sequences, three_classes)]
    alone = [fit(job) for job in jobs]
    with ThreadPoolExecutor(2) as threads:
        assert list(threads.map(fit, jobs)) == alone


@pytest.mark.slow
def test_threads_fit_all_classes_at_once(sequences):
    def fit(job):
        name, seed = job
        net = make(name, epochs=3, random_state=seed, **CLASSIFIERS[name].other)
        return bits(net.fit(*sequences))

    jobs = [(name, seed) for name in CLASSIFIERS for seed in range(2)]
    skseq.clear_programs()
    with ThreadPoolExecutor(2) as threads:
        together = list(threads.map(fit, jobs))
    assert together == [fit(job) for job in jobs]


def test_threads_predict_with_one_net(make_classifier, sequences):
    X, y = sequences
    net = make_classifier(epochs=2).fit(X, y)
    other = make_classifier(epochs=2, random_state=1).fit(X, y)
    expected = {id(n): n.predict_proba(X).tobytes() for n in (net, other)}
    jobs = [net, other] * 10
    with ThreadPoolExecutor(4) as threads:
        got = list(threads.map(lambda n: n.predict_proba(X).tobytes(), jobs))
    assert got == [expected[id(n)] for n in jobs]


# -------------------------------------------------------------------- rows beside a row


@pytest.fixture(scope="module")
def many_rows():
    """Make X of shape (300, 30, 2), for prediction."""
    return np.random.default_rng(5).normal(size=(300, 30, 2))


@pytest.mark.parametrize("wide", [False, True], ids=["default", "wide"])
@pytest.mark.parametrize("n_classes", with_slow([2, 3], 3))
def test_prediction_depends_on_no_other_row(make_network, many_rows, wide, n_classes):
    X = many_rows
    net = make_network(epochs=1, learning_rate=0.003)  # or a wide one saturates
    net.set_params(**(make_network.settings.wide if wide else {}))
    net.fit(X[:60], np.arange(60) % n_classes)
    whole = outputs(net, X)
    assert len(np.unique(whole[:, 0])) > 250
    for n_rows in (1, 2, 3, 16, 127, 128, 129, 299):
        assert_array_equal(outputs(net, X[:n_rows]), whole[:n_rows], strict=True)
        assert_array_equal(outputs(net, X[-n_rows:]), whole[-n_rows:])
    for row in (0, 7, 128, 299):
        assert_array_equal(outputs(net, X[row : row + 1]), whole[row : row + 1])
    order = np.random.default_rng(6).permutation(300)
    assert_array_equal(outputs(net, X[order]), whole[order])
    many = [5] * 1200  # fills a whole batch
    assert_array_equal(outputs(net, X[many]), whole[many])
    # A neighbour that is out of all proportion changes nothing either.
    loud = np.concatenate([np.full((1, 30, 2), 1e30), X])
    assert_array_equal(outputs(net, loud)[1:], whole)
