"""Jobs of joblib on the workers of a Dask cluster, which may die at any time."""

import concurrent.futures
import contextlib
import io
import pickle
import threading
import weakref
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any
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
        "skseq.search.dask_config needs Dask: pip install distributed"
    ) from error

from skseq._lists import is_frame

# Larger objects go to the cluster once, and not with every job, in bytes.
_LARGE = 10_000
# Containers that joblib and scikit-learn make anew for each job. Their items are sent.
_MADE_FOR_EACH_JOB = (dict, tuple, bytes)
# Jobs that a worker has for each of its threads: one runs, one waits.
_JOBS_OF_A_THREAD = 2
# Parameters of networks whose values need no program of their own.
_VALUES = frozenset(
    {
        "class_weight", "dropout", "early_stopping", "epochs", "learning_rate",
        "min_delta", "monitor", "patience", "random_state", "recurrent_dropout",
        "shuffle", "validation_split", "verbose", "warm_start",
    }
)  # fmt: skip


def dask_config(client=None, *, retries=3):
    """Run parallel jobs of scikit-learn on a Dask cluster, in a ``with`` block.

    If a worker dies, its jobs run again on other workers, and the data is sent again.
    (With joblib's own backend, ``joblib.parallel_config("dask")``, data is scattered:
    it is lost with the worker, and all jobs that need it are cancelled.) A large array
    is sent to the cluster only once.

    Candidates of a search that can use the same traced TensorFlow graph, for instance
    those that differ only in the learning rate, are preferably sent to the same worker,
    so that the graph is traced less often.

    All parallel functions of scikit-learn, such as
    :class:`~sklearn.model_selection.GridSearchCV` and
    :func:`~sklearn.model_selection.cross_val_score`, can be used in the block, unless
    their ``n_jobs`` is 1. They use all threads of all workers. Nested parallel
    functions within a job use one thread.

    Parameters
    ----------
    client : distributed.Client, default=None
        The client of the cluster. None: the client that was created last.
    retries : int, default=3
        How often a job is submitted again after the scheduler has given it up. The
        scheduler does so after the deaths of several workers that were running the job
        (Dask's option ``distributed.scheduler.allowed-failures``, by default 3).

    Returns
    -------
    config : joblib.parallel_config
        The context manager.

    Raises
    ------
    ImportError
        If Dask is not installed.
    TypeError, ValueError
        If there is no client, or an argument is invalid.

    Notes
    -----
    An interrupt (Ctrl-C) cancels all jobs that no worker has started.

    Examples
    --------
    >>> from distributed import Client, LocalCluster
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.linear_model import RidgeClassifier
    >>> from sklearn.model_selection import GridSearchCV
    >>> from skseq.search import dask_config
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> search = GridSearchCV(RidgeClassifier(), {"alpha": [1, 10]})
    >>> with LocalCluster(2, processes=False, dashboard_address=":0") as cluster:
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


@dataclass(eq=False)
class _Job:
    calls: tuple[Any, ...]  # functions, with their arguments
    program: Any
    callback: Any
    retries: int
    worker: str | None = None  # the address of the worker that it was meant for


def _program_of(calls):
    """Compute a key that is equal for jobs that probably share a program.

    It is only about speed: scikit-learn's searches pass the parameters of a candidate
    under this name today. Without it all jobs are alike, and run in their order.
    """
    parameters = calls[0][2].get("parameters")
    if not isinstance(parameters, dict):
        return None
    return frozenset(
        (name, repr(value))
        for name, value in parameters.items()
        if name.rpartition("__")[2] not in _VALUES
    )


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
        self._pending = []
        # The client forgets a task whose future nobody holds.
        self._running = {}
        self._programs = defaultdict(set)  # that each worker has

    def configure(self, n_jobs=1, parallel=None, **kwargs):
        if parallel is not None:
            # All jobs must be known, to choose among them for a worker.
            parallel.pre_dispatch = "all"
        return super().configure(n_jobs, parallel, **kwargs)

    def effective_n_jobs(self, n_jobs):
        if n_jobs == 1:
            return 1
        self.client.wait_for_workers(1)
        # joblib would run a single job in the process of the client.
        return max(2, sum(self.client.ncores().values()))

    def get_nested_backend(self):
        return joblib.parallel.SequentialBackend(nesting_level=1), None

    def submit(self, func, callback=None):
        calls = tuple(func.items)
        job = _Job(calls, _program_of(calls), callback, self.retries)
        with self._lock:
            self._pending.append(job)
        return job

    apply_async = submit  # the name before joblib 1.5

    @contextlib.contextmanager
    def retrieval_context(self):
        self._dispatch()  # joblib has submitted all jobs
        yield

    def _dispatch(self):
        """Give each worker the next jobs."""
        with self._lock:
            n_threads = self.client.ncores() if self._pending else {}
            for worker in self._programs.keys() - n_threads.keys():
                del self._programs[worker]
            n_jobs = Counter(job.worker for job in self._running.values())
            for depth in range(1, _JOBS_OF_A_THREAD + 1):
                for worker, n in n_threads.items():
                    while self._pending and n_jobs[worker] < depth * n:
                        self._start(self._next(worker), worker)
                        n_jobs[worker] += 1
            if self._pending and not self._running:  # all workers died
                self._start(self._pending[0], None)

    def _next(self, worker):
        """Choose a job whose program the worker has, or else one that most needs it."""
        own = self._programs[worker]
        n_jobs = Counter()
        for job in self._pending:
            if job.program in own:
                return job
            n_jobs[job.program] += 1
        n_workers = Counter(p for programs in self._programs.values() for p in programs)
        scarce = {p: n / (1 + n_workers[p]) for p, n in n_jobs.items()}
        return max(self._pending, key=lambda job: scarce[job.program])

    def _start(self, job, worker):
        stream, futures = io.BytesIO(), []
        _Pickler(stream, self._future_of, futures).dump(job.calls)
        function = job.calls[0][0]
        name = getattr(function, "__name__", type(function).__name__)
        # Another worker may take it, if this one has died or is slow.
        place = {"workers": [worker], "allow_other_workers": True} if worker else {}
        future = self.client.submit(
            _run, stream.getvalue(), futures, key=f"{name}-{uuid4().hex}", **place
        )
        self._pending.remove(job)
        job.worker = worker
        self._programs[worker].add(job.program)
        self._running[future] = job
        future.add_done_callback(self._done)

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
            job = self._running.pop(future, None)
        if job is None:  # the call of joblib was interrupted
            return
        given_up = future.cancelled() or (
            future.status == "error"
            and isinstance(future.exception(), distributed.KilledWorker)
        )
        if given_up and job.retries and self.client.status == "running":
            job.retries -= 1
            with self._lock:
                self._pending.insert(0, job)
        else:
            job.callback(future)
        try:
            self._dispatch()
        except Exception as error:  # a job that can't be pickled, or no scheduler
            self._fail(error)

    def _fail(self, error):
        """Give an error to joblib, which waits for the jobs that have not begun."""
        failed = concurrent.futures.Future()
        failed.set_exception(error)
        with self._lock:
            jobs, self._pending = self._pending, []
        for job in jobs:
            job.callback(failed)

    def retrieve_result_callback(self, out):
        return out.result()

    def abort_everything(self, ensure_ready=True):
        with self._lock:
            futures = list(self._running)
            self._pending.clear()
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
        # Dask does not know the size of all dataframes.
        is_table = not isinstance(obj, type) and is_frame(obj)
        is_small = not is_table and sizeof(obj) < _LARGE
        if is_small or isinstance(obj, _MADE_FOR_EACH_JOB):
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
