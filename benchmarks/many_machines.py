"""Search on one job, threads, processes and Dask, with workers that are killed.

The search has 72 scores: 9 candidates of 3 architectures, in 8 folds of breast cancer,
as 30 timesteps of one feature. All ways must give the same scores, bit for bit.

- ``speed``: seconds of the first search and of the second one, which traces nothing.
- ``kills``: a worker of the Dask cluster is killed every few seconds, when both of them
  run; counted are the searches that end with the scores of one job.
- ``plan``: searches on 8 and 64 workers, simulated from the time of a fit and that of a
  trace: each free worker takes the next job. Compared are jobs in order, and those
  of one architecture on the same worker, as `skseq.search.dask_config` gives them out.
"""

import argparse
import heapq
import os
import signal
import threading
import time
from collections import Counter, OrderedDict

import joblib
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import GridSearchCV
from sklearn.preprocessing import StandardScaler

import skseq

GRID = {"units": [8, 16, 32], "learning_rate": [1e-3, 3e-3, 1e-2]}
N_FOLDS = 8


def data():
    X, y = load_breast_cancer(return_X_y=True)
    return StandardScaler().fit_transform(X), y


def scores_of(config, epochs):
    """Return the 72 scores and the seconds of a search."""
    net = skseq.LSTMClassifier(epochs=epochs, random_state=0)
    search = GridSearchCV(net, GRID, scoring="roc_auc", cv=N_FOLDS, refit=False)
    start = time.perf_counter()
    with config:
        results = search.fit(*data()).cv_results_
    seconds = time.perf_counter() - start
    folds = [results[f"split{i}_test_score"] for i in range(N_FOLDS)]
    return np.column_stack(folds), seconds


def bytes_of(client):
    """Count the bytes that workers sent to one another so far."""
    return sum(
        client.run(
            lambda dask_worker: dask_worker.transfer_outgoing_bytes_total
        ).values()
    )


def cluster_of_two():
    from distributed import LocalCluster

    return LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None)


def speed(epochs):
    from distributed import Client

    from skseq.search import dask_config

    print(
        "| way | first search, s | second, s | scores of one job |\n|---|---|---|---|"
    )
    ways = {
        "one job": lambda: joblib.parallel_config(n_jobs=1),
        "threads": lambda: joblib.parallel_config("threading", n_jobs=2),
        "processes (loky)": lambda: joblib.parallel_config("loky", n_jobs=2),
    }
    expected = None

    def measure(name, make):
        nonlocal expected
        skseq.clear_programs()
        first, seconds = scores_of(make(), epochs)
        again, warm = scores_of(make(), epochs)
        expected = first if expected is None else expected
        equal = np.array_equal(first, expected) and np.array_equal(again, expected)
        print(f"| {name} | {seconds:.1f} | {warm:.1f} | {equal} |", flush=True)

    for name, make in ways.items():
        measure(name, make)
    with cluster_of_two() as cluster, Client(cluster) as client:
        measure("Dask, dask_config", lambda: dask_config(client))
        print(f"\nBytes between the workers of dask_config: {bytes_of(client):,}\n")
    with cluster_of_two() as cluster, Client(cluster) as client:
        measure("Dask, joblib's backend", lambda: joblib.parallel_config("dask"))
    return expected


def kills(epochs, repetitions, seconds, config_name, expected):
    from distributed import Client

    from skseq.search import dask_config

    whole = lost = n_kills = 0
    for _ in range(repetitions):
        done = threading.Event()
        with cluster_of_two() as cluster, Client(cluster) as client:

            def kill(cluster=cluster, client=client, done=done):
                nonlocal n_kills
                while not done.wait(seconds):
                    if len(client.ncores()) == 2:
                        nanny = list(cluster.workers.values())[n_kills % 2]
                        os.kill(nanny.process.pid, signal.SIGKILL)
                        n_kills += 1

            thread = threading.Thread(target=kill)
            thread.start()
            try:
                if config_name == "dask_config":
                    config = dask_config(client)
                else:
                    config = joblib.parallel_config("dask")
                found, _ = scores_of(config, epochs)
                whole += np.array_equal(found, expected)
            except BaseException as error:
                print(type(error).__name__, str(error)[:80])
                lost += 1
            finally:
                done.set()
                thread.join()
    print(
        f"{config_name}: {repetitions} searches of 72 scores, {n_kills} workers "
        f"killed, {whole} searches with all scores of one job, {lost} lost",
        flush=True,
    )


def simulate(jobs, n_workers, fit, trace, by_program, n_kept=32):
    """Return traces and seconds of jobs, each the number of its architecture."""
    jobs = list(jobs)
    held = [OrderedDict() for _ in range(n_workers)]
    free = [(0.0, worker) for worker in range(n_workers)]
    n_traces, end = 0, 0.0
    while jobs:
        start, worker = heapq.heappop(free)
        own = held[worker]
        job = jobs[0]
        if by_program:
            n_left = Counter(jobs)
            n_holders = Counter(program for programs in held for program in programs)
            job = next((job for job in jobs if job in own), None)
            if job is None:
                job = max(n_left, key=lambda job: n_left[job] / (1 + n_holders[job]))
        jobs.remove(job)
        n_traces += job not in own
        stop = start + fit + trace * (job not in own)
        own[job] = None
        own.move_to_end(job)
        if len(own) > n_kept:
            own.popitem(last=False)
        heapq.heappush(free, (stop, worker))
        end = max(end, stop)
    return n_traces, end


def plan(fits, trace):
    print(
        f"\nSimulated, a trace of {trace:g} s: candidates of 36 architectures with 4 "
        "learning rates each, 5 folds\n\n"
        "| fit, s | workers | traces, in order | s | traces, by architecture | s |"
        "\n|---|---|---|---|---|---|"
    )
    jobs = [a for _ in range(4) for a in range(36) for _ in range(5)]
    for fit in fits:
        for n_workers in (1, 2, 8, 64):
            row = []
            for by_program in (False, True):
                n_traces, seconds = simulate(jobs, n_workers, fit, trace, by_program)
                row += [str(n_traces), f"{seconds:.0f}"]
            print(f"| {fit:g} | {n_workers} | {' | '.join(row)} |")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", default=["speed", "kills", "plan"])
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--every", type=float, default=4, help="seconds between kills")
    parser.add_argument("--trace", type=float, default=0.6, help="seconds of a trace")
    parser.add_argument("--fits", type=float, nargs="*", default=[0.3, 1.0, 5.0])
    options = parser.parse_args()
    expected = None
    if "speed" in options.parts:
        expected = speed(options.epochs)
    if "kills" in options.parts:
        if expected is None:
            expected, _ = scores_of(joblib.parallel_config(n_jobs=1), options.epochs)
        for name in ("dask_config", "joblib's backend"):
            kills(options.epochs, options.repetitions, options.every, name, expected)
    if "plan" in options.parts:
        plan(options.fits, options.trace)
