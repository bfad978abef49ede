"""Train on Parquet files that are larger than memory, beside plain loops over them.

The script writes synthetic rows of 24 timesteps and 10 features, as 240 columns of
float32 and a label, into Parquet files with row groups of 32 MB, and then runs each of
these in a new process. As root on Linux, a control group holds the memory of the
process to a limit, which includes pages of files that it reads:

- read: a loop over the batches of the files, which only makes arrays of them;
- sgd: `partial_fit` of scikit-learn's linear classifier on the batches;
- partial_fit: the same of a network;
- fit: ``fit`` of this network on `skseq.open_parquet`, one epoch, which shuffles rows;
- predict: its ``predict_proba``.

It prints seconds, seconds of all cores in use, the ratio of these to the loop that only
reads, and the peak of the anonymous memory (RssAnon).

    python benchmarks/parquet.py                  with 10 GB, in a temporary folder
    python benchmarks/parquet.py --gigabytes 1 --limit 1.0 --runs read partial_fit
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from memory import Measured, anonymous_megabytes

N_TIMESTEPS, N_FEATURES = 24, 10
COLUMNS = [f"f{j}_t{i}" for i in range(N_TIMESTEPS) for j in range(N_FEATURES)]
ROW_BYTES = 4 * len(COLUMNS)
GROUP_ROWS = 2**25 // ROW_BYTES
BATCH_ROWS = 2**13


def write(folder, gigabytes):
    """Write files of at most 1 GB; the label is a noisy function of a bump."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rng = np.random.default_rng(0)
    n_left, number = int(gigabytes * 2**30 / ROW_BYTES), 0
    schema = pa.schema([(name, pa.float32()) for name in COLUMNS] + [("y", pa.int8())])
    while n_left:
        path = folder / f"part-{number:03}.parquet"
        with pq.ParquetWriter(path, schema, use_dictionary=False) as writer:
            for _ in range(2**30 // (GROUP_ROWS * ROW_BYTES)):
                n = min(GROUP_ROWS, n_left)
                if not n:
                    break
                X = rng.standard_normal((n, N_TIMESTEPS, N_FEATURES), np.float32)
                y = rng.integers(2, size=n).astype(np.int8)
                starts = rng.integers(N_TIMESTEPS - 4, size=n)
                for step in range(4):
                    X[np.arange(n), starts + step, 0] += y
                columns = [*np.ascontiguousarray(X.reshape(n, len(COLUMNS)).T), y]
                writer.write_table(pa.table(columns, schema=schema), n)
                n_left -= n
        number += 1


def batches(folder):
    """Yield the rows and labels of batches."""
    import pyarrow.parquet as pq

    for path in sorted(folder.glob("*.parquet")):
        with pq.ParquetFile(path, pre_buffer=False) as file:
            for batch in file.iter_batches(BATCH_ROWS):
                columns = [batch.column(name).to_numpy() for name in COLUMNS]
                yield np.column_stack(columns), batch.column("y").to_numpy()


def network():
    import skseq

    return skseq.Conv1DClassifier(
        (16,), epochs=1, batch_size=512, n_timesteps=N_TIMESTEPS, random_state=0
    )


def read(folder):
    return sum(len(X) for X, _ in batches(folder))


def sgd(folder):
    from sklearn.linear_model import SGDClassifier

    model = SGDClassifier(random_state=0)
    for X, y in batches(folder):
        model.partial_fit(X, y, classes=[0, 1])


def partial_fit(folder):
    model = network()
    for X, y in batches(folder):
        model.partial_fit(X, y, classes=[0, 1])


def opened(folder):
    import pyarrow.parquet as pq

    import skseq

    paths = sorted(folder.glob("*.parquet"))
    y = [pq.read_table(path, columns=["y"])["y"].to_numpy() for path in paths]
    return skseq.open_parquet(folder, COLUMNS), np.concatenate(y)


def fit(folder):
    network().fit(*opened(folder))


def predict(folder):
    X, y = opened(folder)
    model = network().fit(X[:20_000], y[:20_000])
    return np.mean(model.predict(X) == y)


RUNS = {f.__name__: f for f in (read, sgd, partial_fit, fit, predict)}


@contextmanager
def control_group(limit):
    """Make a control group with a limit in GB; yield its folder, or None."""
    root, name = Path("/sys/fs/cgroup"), "memory.max"
    if (root / "memory").exists():  # the first version of control groups
        root, name = root / "memory", "memory.limit_in_bytes"
    group = root / f"skseq-{os.getpid()}"
    try:
        group.mkdir()
        (group / name).write_text(str(int(limit * 2**30)))
    except OSError as error:
        print(f"No limit of memory: {error}")
        yield None
        return
    try:
        yield group
    finally:
        group.rmdir()


def run(name, folder):
    """Run one of them, in this process; print seconds and megabytes."""
    if name not in ("read", "sgd"):
        # Without the import of TensorFlow, and the trace.
        X = np.zeros((2, len(COLUMNS)), np.float32)
        network().fit(X, [0, 1]).predict(X)
    before, start = anonymous_megabytes(), time.process_time()
    with Measured() as measured:
        score = RUNS[name](Path(folder))
    of_cores = time.process_time() - start
    found = measured.seconds, of_cores, before + measured.megabytes, score
    print(json.dumps([None if one is None else float(one) for one in found]))


def measure(folder, limit, names):
    """Yield the name and results of each run; None where it failed."""
    for name in names:
        with control_group(limit) as group:
            command = [sys.executable, __file__, "--call", name, folder]
            if group is not None:
                join = f'echo $$ > {group}/cgroup.procs && exec "$@"'
                command = ["sh", "-c", join, "sh", *command]
            result = subprocess.run(command, stdout=subprocess.PIPE, text=True)
        yield name, json.loads(result.stdout) if result.returncode == 0 else None


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gigabytes", type=float, default=10.0)
    parser.add_argument("--limit", type=float, default=1.0, help="GB")
    parser.add_argument("--folder", help="where the files are written")
    parser.add_argument("--runs", nargs="+", default=list(RUNS), choices=list(RUNS))
    parser.add_argument("--call", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.call:
        run(*options.call)
        sys.exit()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        start = time.perf_counter()
        write(Path(folder), options.gigabytes)
        size = sum(path.stat().st_size for path in Path(folder).iterdir()) / 2**30
        print(f"{size:.1f} GB written in {time.perf_counter() - start:.0f} s")
        first = None
        for name, found in measure(folder, options.limit, options.runs):
            if found is None:
                print(f"{name}: failed", flush=True)
                continue
            seconds, of_cores, megabytes, score = found
            first = first or of_cores
            print(
                f"{name}: {seconds:.1f} s, {of_cores:.1f} s of cores, "
                f"{of_cores / first:.2f} of {options.runs[0]}, peak {megabytes:.0f} MB"
                + (f", accuracy {score:.3f}" if name == "predict" else ""),
                flush=True,
            )
