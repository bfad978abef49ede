"""Measure files of fitted networks: sizes, load times, what they need, altered bytes.

For a dense network, an LSTM and a pipeline, each fitted on 5,000 synthetic rows, the
script prints for files of joblib (plain and compress=3), skops (stored and deflated)
and Keras (``model_.save``):

- the size;
- in a new process, as a median of several, in seconds of processor time: importing what
  the file needs, loading, loading again, and the first prediction of one row.

    python benchmarks/files.py                the table
    python benchmarks/files.py --repeats 1    with one new process for each line
    python benchmarks/files.py --flips        alter each byte of a small file in turn

With ``--flips``, each byte of a file of skops gets one other value (one random bit),
and 500 files are cut off. The script counts errors and equal predictions, and fails if
predictions differ. It does the same with the bytes inside of the archive, when the
archive is written again with checksums that fit.
"""

import argparse
import io
import json
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np

KINDS = ["joblib", "joblib, compress=3", "skops", "skops, deflated", "keras"]

LOAD = """
import json, sys, time
path, kind, columns = sys.argv[1], sys.argv[2], int(sys.argv[3])
import numpy as np
start = time.process_time()
if kind == "keras":
    import keras
    read, predict = keras.saving.load_model, lambda m, X: np.asarray(m(X))
    X = np.zeros((1, columns // 4, 4), np.float32)
elif kind.startswith("skops"):
    import skops.io, skseq, skseq._keras
    read = lambda path: skops.io.load(path, trusted=skseq.skops_trusted())
    predict, X = lambda m, X: m.predict_proba(X), np.zeros((1, columns))
else:
    import joblib, skseq, skseq._keras
    read = joblib.load
    predict, X = lambda m, X: m.predict_proba(X), np.zeros((1, columns))
times = [time.process_time() - start]
for _ in range(2):
    start = time.process_time()
    model = read(path)
    times.append(time.process_time() - start)
start = time.process_time()
predict(model, X)
times.append(time.process_time() - start)
print(json.dumps(times))
"""


def fitted():
    """Fit the estimators; yields name, estimator and number of columns."""
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    import skseq

    rng = np.random.default_rng(0)
    X = rng.normal(size=(5000, 80))
    y = (X[:, :4].sum(axis=1) > 0).astype(int)
    options = {"n_timesteps": 20, "epochs": 1, "random_state": 0}
    dense = skseq.DenseClassifier(**options)
    lstm = skseq.LSTMClassifier((128, 128), **options)
    yield "DenseClassifier", dense.fit(X, y)
    yield "LSTMClassifier, units=(128, 128)", lstm.fit(X, y)
    yield (
        "StandardScaler, LSTMClassifier",
        make_pipeline(StandardScaler(), lstm).fit(X, y),
    )


def save(estimator, path, kind):
    import joblib
    import skops.io

    if kind == "keras":
        getattr(estimator, "_final_estimator", estimator).model_.save(path)
    elif kind.startswith("skops"):
        how = zipfile.ZIP_DEFLATED if "deflated" in kind else zipfile.ZIP_STORED
        skops.io.dump(estimator, path, compression=how)
    else:
        joblib.dump(estimator, path, compress=3 if "compress" in kind else 0)


def loaded(path, kind, n_repeats):
    """Measure import, loading, loading again and a prediction, in seconds."""
    found = []
    for _ in range(n_repeats):
        command = [sys.executable, "-c", LOAD, str(path), kind, "80"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        found.append(json.loads(done.stdout.splitlines()[-1]))
    return [statistics.median(column) for column in zip(*found, strict=True)]


def table(n_repeats):
    print(
        f"{'file':22} {'kB':>9} {'import':>8} {'load':>8} {'again':>8} {'1st row':>8}"
    )
    with tempfile.TemporaryDirectory() as folder:
        for name, estimator in fitted():
            print(name)
            sizes = {}
            for kind in KINDS:
                path = Path(folder) / ("file.keras" if kind == "keras" else "file")
                save(estimator, path, kind)
                sizes[kind] = path.stat().st_size
                times = "".join(
                    f" {seconds:8.3f}" for seconds in loaded(path, kind, n_repeats)
                )
                print(f"  {kind:20} {sizes[kind] / 1000:9.1f}{times}", flush=True)
            plain = sizes["skops"] / sizes["joblib"]
            small = sizes["skops, deflated"] / sizes["joblib, compress=3"]
            print(f"  skops / joblib: {plain:.2f}, compressed {small:.2f}")


# -------------------------------------------------------------------- altered bytes


def outcome(data, net, X, expected):
    """Load altered data; returns what happened."""
    import skops.io

    import skseq

    try:
        found = skops.io.loads(data, trusted=skseq.skops_trusted()).predict_proba(X)
    except Exception as error:
        return type(error).__name__
    return "same" if np.array_equal(found, expected) else "OTHER PREDICTIONS"


def archive(parts):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as new:
        for name, content in parts.items():
            new.writestr(name, bytes(content))
    return file.getvalue()


def flips():
    import skops.io

    import skseq

    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 5, 2)), np.arange(40) % 2
    net = skseq.DenseClassifier((4,), epochs=1, random_state=0).fit(X, y)
    data, expected = skops.io.dumps(net), net.predict_proba(X)
    counts = Counter()
    start = time.perf_counter()
    for place in range(len(data)):
        altered = bytearray(data)
        altered[place] ^= 1 << rng.integers(8)
        counts[outcome(bytes(altered), net, X, expected)] += 1
    print(f"{len(data)} bytes, each altered: {dict(counts)}")
    cut = Counter(
        outcome(data[:end], net, X, expected)
        for end in rng.integers(len(data), size=500)
    )
    print(f"500 files cut off: {dict(cut)}")
    inside = Counter()
    with zipfile.ZipFile(io.BytesIO(data)) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    for name, content in parts.items():
        for place in range(len(content)):
            altered = bytearray(content)
            altered[place] ^= 1 << rng.integers(8)
            changed = archive({**parts, name: altered})
            inside[outcome(changed, net, X, expected)] += 1
    print(f"{inside.total()} bytes inside, each altered: {dict(inside)}")
    print(f"{time.perf_counter() - start:.0f} s")
    if (counts + cut + inside)["OTHER PREDICTIONS"]:
        sys.exit("An altered file gave other predictions.")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--flips", action="store_true")
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    flips() if options.flips else table(options.repeats)
