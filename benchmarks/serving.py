"""Compare predictions of a model of ONNX with those of the estimator it was made from.

    python benchmarks/serving.py [--rows 100000] [--environments]

The rows have 30 timesteps of 8 features. The script prints

- for a fresh process that imports `skseq.onnx`, loads a file and predicts: the seconds
  of import and load, those of the processor, the anonymous memory, and whether
  TensorFlow is imported; beside it a process that loads the estimator by joblib;
- for several networks: the time of one row, and of many rows, by both ways, in turn in
  this process, with the largest difference of a probability. Medians of several calls.

With ``--environments`` it also builds two environments in a temporary folder, with pip:
one with onnxruntime and NumPy, one with all that fits networks, and prints their sizes.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import joblib
import numpy as np

from skseq import Conv1DClassifier, DenseClassifier, GRUClassifier, LSTMClassifier
from skseq.onnx import load, to_onnx

NETWORKS = {
    "LSTM 32 units": LSTMClassifier(32, pooling="last"),
    "LSTM 128 units": LSTMClassifier(128, pooling="last"),
    "LSTM 32 units, lists": LSTMClassifier(32, pooling="last"),
    "GRU 32 units": GRUClassifier(32, pooling="last"),
    "Conv1D 64-64": Conv1DClassifier((64, 64)),
    "Dense 100": DenseClassifier(),
}

PROCESS = """
import json, sys, time
start = time.perf_counter()
{imports}
model = {load}(sys.argv[1])
loaded = time.perf_counter() - start
spent = time.process_time()
import numpy as np
X = np.load(sys.argv[2])[:1]
start = time.perf_counter()
model.predict_proba(X)
first = time.perf_counter() - start
with open("/proc/self/status") as file:
    (line,) = [one for one in file if one.startswith("RssAnon")]
memory = int(line.split()[1]) / 1024
print(json.dumps([loaded, spent, first, memory, "tensorflow" in sys.modules]))
"""
WAYS = {
    "ONNX": ("from skseq.onnx import load", "load", "network.onnx"),
    "joblib": ("import joblib", "joblib.load", "network.joblib"),
}


def in_fresh_processes(folder, repeats):
    print("| way | import and load | processor | first row | memory | TensorFlow |")
    print("|---|---|---|---|---|---|")
    for way, (imports, loads, name) in WAYS.items():
        code = PROCESS.format(imports=imports, load=loads)
        command = [
            sys.executable,
            "-c",
            code,
            str(folder / name),
            str(folder / "X.npy"),
        ]
        found = []
        for _ in range(repeats):
            run = subprocess.run(command, capture_output=True, text=True, check=True)
            found.append(json.loads(run.stdout.splitlines()[-1]))
        loaded, spent, first, memory = (
            statistics.median(one[i] for one in found) for i in range(4)
        )
        size = (folder / name).stat().st_size / 1024
        print(
            f"| {way}, {size:.0f} KB | {loaded:.2f} s | {spent:.2f} s | "
            f"{first * 1000:.1f} ms | {memory:.0f} MB | "
            f"{'yes' if found[0][4] else 'no'} |",
            flush=True,
        )


def median_of(calls, repeats):
    """Time functions in turn, and get the median of each."""
    times = [[] for _ in calls]
    for _ in range(repeats):
        for call, found in zip(calls, times, strict=True):
            start = time.perf_counter()
            call()
            found.append(time.perf_counter() - start)
    return [statistics.median(found) for found in times]


def of_networks(X, y, n_rows):
    print(f"\n| network | one row | ratio | {n_rows:,} rows | ratio | difference |")
    print("|---|---|---|---|---|---|")
    many = np.resize(X, (n_rows, *X.shape[1:]))
    for name, network in NETWORKS.items():
        train, rows = X, many
        if "lists" in name:
            train = [row[: 10 + i % 21] for i, row in enumerate(X)]
            rows = [row[: 10 + i % 21] for i, row in enumerate(many)]
        network.set_params(epochs=1, random_state=0).fit(train, y)
        served = load(to_onnx(network))
        one = rows[:1]
        ours, theirs = network.predict_proba(rows), served.predict_proba(rows)
        calls = [
            lambda one=one, way=way: way.predict_proba(one) for way in (network, served)
        ]
        for call in calls:
            call()
        single = median_of(calls, 300)
        calls = [
            lambda rows=rows, way=way: way.predict_proba(rows)
            for way in (network, served)
        ]
        whole = median_of(calls, 3)
        print(
            f"| {name} | {single[1] * 1000:.3f} ms, ours {single[0] * 1000:.2f} ms | "
            f"{single[1] / single[0]:.2f} | {whole[1]:.2f} s, ours {whole[0]:.2f} s | "
            f"{whole[1] / whole[0]:.2f} | {abs(ours - theirs).max():.1e} |",
            flush=True,
        )


def of_environments():
    root = Path(__file__).resolve().parents[1]
    print("\n| environment | size |\n|---|---|")
    for name, what in (
        ("onnxruntime, numpy, skseq --no-deps", ["onnxruntime", "numpy"]),
        ("skseq with TensorFlow", [str(root)]),
    ):
        with tempfile.TemporaryDirectory() as folder:
            python = Path(folder) / "bin" / "python"
            subprocess.run([sys.executable, "-m", "venv", folder], check=True)
            pip = [python, "-m", "pip", "install", "--quiet", "--no-cache-dir"]
            subprocess.run([*pip, *what], check=True)
            subprocess.run([*pip, "--no-deps", str(root)], check=True)
            subprocess.run(
                [python, "-m", "pip", "uninstall", "--quiet", "--yes", "pip"],
                check=True,
            )
            files = [one for one in Path(folder).rglob("*") if one.is_file()]
            size = sum(one.stat().st_size for one in files if not one.is_symlink())
            print(f"| {name} | {size / 2**20:.0f} MB |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--environments", action="store_true")
    arguments = parser.parse_args()
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2000, 30, 8)).astype(np.float32)
    y = (X[:, :, 0].mean(axis=1) > 0).astype(int)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        np.save(folder / "X.npy", X)
        network = LSTMClassifier(32, epochs=1, random_state=0).fit(X, y)
        joblib.dump(network, folder / "network.joblib")
        to_onnx(network, folder / "network.onnx")
        in_fresh_processes(folder, arguments.repeats)
    of_networks(X, y, arguments.rows)
    if arguments.environments:
        of_environments()


if __name__ == "__main__":
    main()
