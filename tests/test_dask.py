"""Searches on a cluster of Dask whose workers are killed."""

import os
import pickle
import signal
import time

import joblib
import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    RandomizedSearchCV,
    cross_val_score,
)

from skseq.search import _dask, dask_config

dask = pytest.importorskip("dask")
distributed = pytest.importorskip("distributed")

# The sockets of a worker that was killed are closed by the garbage collector.
pytestmark = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)


@pytest.fixture(scope="module")
def processes():
    """Start two worker processes, which a nanny starts again when they die.

    The scheduler gives a job up when its worker dies, and not at the fourth time.
    """
    option = {"distributed.scheduler.allowed-failures": 0}
    with (
        dask.config.set(option),
        distributed.LocalCluster(
            2,
            threads_per_worker=1,
            dashboard_address=":0",
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def threads():
    """Start two workers in this process."""
    with (
        distributed.LocalCluster(
            2,
            processes=False,
            threads_per_worker=1,
            dashboard_address=":0",
        ) as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
    ):
        yield client


@pytest.fixture
def numbers():
    """Make X of shape (3000, 4), which is too large to be sent with each job, and y."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(3000, 4))
    return X, (X[:, 0] + rng.normal(size=3000) > 0).astype(int)


def killing(folder, n_kills):
    """Make a scorer that kills the process in which it runs, at its first calls."""
    for i in range(n_kills):
        (folder / str(i)).touch()

    def score(estimator, X, y):
        for i in range(n_kills):
            try:
                (folder / str(i)).unlink()
            except FileNotFoundError:
                continue
            os.kill(os.getpid(), signal.SIGKILL)
        return -np.square(estimator.predict_proba(X)[:, 1] - y).mean()

    return score


@pytest.mark.slow
def test_search_loses_nothing_when_workers_are_killed(processes, numbers, tmp_path):
    # Two jobs kill both workers, and with them all data.
    # No networks, because each worker that starts again would load TensorFlow.
    X, y = numbers
    grid = {"C": [1e-4, 1e-2, 1, 100]}

    def search(n_kills):
        return GridSearchCV(
            LogisticRegression(), grid, cv=3, scoring=killing(tmp_path, n_kills),
            error_score="raise",
        )  # fmt: skip

    expected = search(0).fit(X, y)
    with dask_config(processes):
        found = search(2).fit(X, y)
    assert not list(tmp_path.iterdir())
    for name, values in expected.cv_results_.items():
        if "score" in name and "time" not in name:
            np.testing.assert_array_equal(found.cv_results_[name], values)
    np.testing.assert_array_equal(found.predict_proba(X), expected.predict_proba(X))


@pytest.mark.slow
def test_job_without_retries_is_lost_with_its_worker(processes, tmp_path):
    X, y = np.zeros((40, 1)), np.arange(40) % 2
    with dask_config(processes, retries=0), pytest.raises(distributed.KilledWorker):
        cross_val_score(DummyClassifier(), X, y, cv=2, scoring=killing(tmp_path, 1))


SEARCHES = {
    "grid": lambda: GridSearchCV(RidgeClassifier(), {"alpha": [1, 1e5]}),
    "random": lambda: RandomizedSearchCV(
        RidgeClassifier(), {"alpha": [1, 1e5]}, n_iter=2, random_state=0
    ),
    "halving": lambda: HalvingGridSearchCV(
        RidgeClassifier(), {"alpha": [1, 1e3, 1e5]}, random_state=0
    ),
}


@pytest.mark.parametrize("name", SEARCHES)
def test_search_is_that_of_one_job(threads, numbers, name):
    expected = SEARCHES[name]().fit(*numbers)
    with dask_config(threads):
        found = SEARCHES[name]().fit(*numbers)
    np.testing.assert_array_equal(
        found.cv_results_["mean_test_score"], expected.cv_results_["mean_test_score"]
    )


def test_importance_is_that_of_one_job(threads, numbers):
    net = RidgeClassifier().fit(*numbers)
    expected = permutation_importance(net, *numbers, random_state=0)
    with dask_config(threads):
        found = permutation_importance(net, *numbers, random_state=0)
    np.testing.assert_array_equal(found.importances, expected.importances)


def test_data_is_sent_once(threads, numbers, monkeypatch):
    X, y = numbers
    weights = np.ones(len(y))
    shapes = []
    submit = threads.submit

    def counted(*args, key, **kwargs):
        if key.startswith("data-"):
            shapes.append(getattr(pickle.loads(args[1]), "shape", None))
        return submit(*args, key=key, **kwargs)

    monkeypatch.setattr(threads, "submit", counted)
    search = GridSearchCV(RidgeClassifier(), {"alpha": [1, 2, 3]}, cv=2)
    with dask_config(threads):
        search.fit(X, y, sample_weight=weights)
    assert shapes.count((3000, 4)) == 1  # X
    assert shapes.count((3000,)) == 2  # y and the weights


def test_list_of_sequences_is_sent_once(threads):
    rows = [np.full((5, 2), float(i)) for i in range(500)]
    with dask_config(threads):
        sums = joblib.Parallel()(
            joblib.delayed(lambda rows, i: rows[i].sum())(rows, i) for i in range(20)
        )
    assert sums == [10.0 * i for i in range(20)]


def test_jobs_of_a_program_go_to_the_same_worker():
    backend = _dask._DaskBackend(None, 0)
    for rate in (0.1, 0.2, 0.3):
        for units in (8, 16):
            parameters = {"net__learning_rate": rate, "net__units": units}
            calls = ((print, (), {"parameters": parameters}),)
            job = _dask._Job(calls, _dask._program_of(calls), None, 0)
            backend._pending.append(job)
    found = {"a": [], "b": []}
    for worker in "ababab":
        job = backend._next(worker)
        backend._pending.remove(job)
        backend._programs[worker].add(job.program)
        found[worker].append(tuple(job.calls[0][2]["parameters"].values()))
    assert found == {
        "a": [(0.1, 8), (0.2, 8), (0.3, 8)],
        "b": [(0.1, 16), (0.2, 16), (0.3, 16)],
    }


def test_results_leave_nothing_in_the_cluster(threads, numbers):
    with dask_config(threads):
        cross_val_score(RidgeClassifier(), *numbers)
    tasks = threads.cluster.scheduler.tasks
    for _ in range(200):
        if not tasks:
            break
        time.sleep(0.01)
    assert not tasks


def test_error_of_a_job_is_raised(threads, numbers):
    def score(estimator, X, y):
        raise ValueError("no score today")

    with dask_config(threads), pytest.raises(ValueError, match="no score today"):
        cross_val_score(RidgeClassifier(), *numbers, scoring=score, error_score="raise")
    with dask_config(threads):
        assert len(cross_val_score(RidgeClassifier(), *numbers)) == 5


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({"client": "tcp://x"}, TypeError, "client must be a distributed.Client, got"),
        ({"retries": -1}, ValueError, "retries must be at least 0, got -1"),
        ({"retries": 1.5}, TypeError, "retries must be an int, got 1.5"),
    ],
)
def test_invalid_arguments_raise(threads, arguments, error, match):
    with pytest.raises(error, match=match):
        dask_config(**{"client": threads, **arguments})
