"""Jobs of joblib on the workers of a Dask cluster, which may die at any time."""

import io
import pickle
import threading
import weakref
from uuid import uuid4

import cloudpickle
import joblib
from joblib.parallel import ParallelBackendBase

try:
    import dask
    import distributed
    from dask.sizeof import sizeof
except ImportError as error:
    raise ImportError(
        'skseq.search.dask_config needs Dask: pip install "skseq[dask]"'
    ) from error

# Larger objects go to the cluster once, and not with every job, in bytes.
_LARGE = 10_000
# Containers that joblib and scikit-learn make anew for each job. Their items are sent.
_MADE_FOR_EACH_JOB = (dict, tuple)


def dask_config(client=None, *, retries=3):
    """Run the jobs of scikit-learn and joblib on a Dask cluster, in a ``with`` block.

    A job whose worker dies runs again on another one. Differently from joblib's own
    backend, ``joblib.parallel_config("dask")``, this also holds for the data: a large
    array is sent to the cluster once, as a task, which the scheduler repeats where no
    worker has the array any more. (joblib scatters it. Scattered data is lost with its
    worker, and all jobs that need it are cancelled.)

    All parallel functions of scikit-learn run in it unchanged, such as
    :class:`~sklearn.model_selection.GridSearchCV` and
    :func:`~sklearn.model_selection.cross_val_score`, where their ``n_jobs`` is None.
    Parallel functions within a job use one thread.

    Parameters
    ----------
    client : distributed.Client, default=None
        The client of a cluster. None is the client that was made last.
    retries : int, default=3
        How often a job is submitted again after the scheduler gave it up, which it does
        if several workers died that had the job (Dask's option
        ``distributed.scheduler.allowed-failures``, 3 by default).

    Returns
    -------
    config : joblib.parallel_config
        A context manager.

    Raises
    ------
    ImportError
        If Dask is not installed.
    TypeError, ValueError
        If there is no client, or a parameter is invalid.

    Notes
    -----
    An interrupt (Ctrl-C) cancels all jobs that no worker has begun.

    Examples
    --------
    >>> from distributed import Client, LocalCluster
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.linear_model import RidgeClassifier
    >>> from sklearn.model_selection import GridSearchCV
    >>> from skseq.search import dask_config
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> search = GridSearchCV(RidgeClassifier(), {"alpha": [1, 10]})
    >>> with LocalCluster(2, processes=False, dashboard_address=None) as cluster:
    ...     with Client(cluster) as client, dask_config(client):
    ...         search = search.fit(X, y)
    >>> search.best_params_
    {'alpha': 1}
    """
    if client is None:
        try:
            client = distributed.get_client()
        except ValueError as error:
            raise ValueError(
                "client=None needs a client that exists, got none. Make one before: "
                "client = distributed.Client(address_of_the_scheduler)"
            ) from error
    if not isinstance(client, distributed.Client):
        raise TypeError(f"client must be a distributed.Client, got {client!r}")
    if not isinstance(retries, int) or isinstance(retries, bool):
        raise TypeError(f"retries must be an int, got {retries!r}")
    if retries < 0:
        raise ValueError(f"retries must be at least 0, got {retries!r}")
    return joblib.parallel_config(_DaskBackend(client, retries), n_jobs=-1)


class _DaskBackend(ParallelBackendBase):
    """A backend of joblib that submits each batch of calls as a task of Dask."""

    default_n_jobs = -1
    supports_retrieve_callback = True

    def __init__(self, client, retries):
        super().__init__()
        self.client = client
        self.retries = retries
        self._lock = threading.RLock()
        self._data = {}
        # The client forgets a task whose future nobody holds.
        self._running = {}

    def effective_n_jobs(self, n_jobs):
        self.client.wait_for_workers(1)
        n_threads = sum(self.client.ncores().values())
        # joblib would run a single job in the process of the client.
        return max(2, n_threads if n_jobs is None or n_jobs < 0 else n_jobs)

    def get_nested_backend(self):
        return joblib.parallel.SequentialBackend(nesting_level=1), None

    def submit(self, func, callback=None):
        return self._submit(tuple(func.items), callback, self.retries)

    apply_async = submit  # the name before joblib 1.5

    def _submit(self, calls, callback, retries):
        with self._lock:
            stream, futures = io.BytesIO(), []
            _Pickler(stream, self._future_of, futures).dump(calls)
            name = getattr(calls[0][0], "__name__", type(calls[0][0]).__name__)
            future = self.client.submit(
                _run, stream.getvalue(), futures, key=f"{name}-{uuid4().hex}"
            )
            self._running[future] = (calls, callback, retries)
        future.add_done_callback(self._done)
        return future

    def _future_of(self, value):
        """Send an object to the cluster, or find it there."""
        get, future = self._data.get(id(value), (lambda: None, None))
        if get() is not value or future.status in ("error", "cancelled", "lost"):
            # The warning of large graphs recommends to scatter the data.
            limit = {"distributed.admin.large-graph-warning-threshold": "1 PiB"}
            with dask.config.set(limit):
                future = self.client.submit(
                    pickle.loads, cloudpickle.dumps(value), key=f"data-{uuid4().hex}"
                )
            self._data[id(value)] = (self._reference(value), future)
        return future

    def _reference(self, value):
        key = id(value)
        try:
            return weakref.ref(value, lambda _: self._data.pop(key, None))
        except TypeError:  # a list
            return lambda: value

    def _done(self, future):
        with self._lock:
            calls, callback, retries = self._running.pop(future, (None, None, None))
        if calls is None:  # the call of joblib was interrupted
            return
        given_up = future.cancelled() or (
            future.status == "error"
            and isinstance(future.exception(), distributed.KilledWorker)
        )
        if given_up and retries and self.client.status == "running":
            self._submit(calls, callback, retries - 1)
        else:
            callback(future)

    def retrieve_result_callback(self, out):
        return out.result()

    def abort_everything(self, ensure_ready=True):
        with self._lock:
            futures = list(self._running)
            self._running.clear()
        self.client.cancel(futures)

    def stop_call(self):
        with self._lock:
            self._data.clear()


class _Pickler(cloudpickle.Pickler):
    """Pickle calls, with numbers of futures in the place of large objects."""

    def __init__(self, stream, future_of, futures):
        super().__init__(stream)
        self._future_of = future_of
        self._futures = futures

    def persistent_id(self, obj):
        if isinstance(obj, _MADE_FOR_EACH_JOB) or sizeof(obj) < _LARGE:
            return None
        future = self._future_of(obj)
        if future not in self._futures:
            self._futures.append(future)
        return self._futures.index(future)


class _Unpickler(pickle.Unpickler):
    def __init__(self, stream, values):
        super().__init__(stream)
        self._values = values

    def persistent_load(self, pid):
        return self._values[pid]


def _run(pickled, values):
    """Run a batch of calls in a worker."""
    calls = _Unpickler(io.BytesIO(pickled), values).load()
    with joblib.parallel_config("sequential"):
        return [function(*args, **kwargs) for function, args, kwargs in calls]
