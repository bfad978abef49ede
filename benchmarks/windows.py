"""Measure time and memory of windows over the rows of a series and of a panel.

    python benchmarks/windows.py                    a million rows, 8 features, 64 steps
    python benchmarks/windows.py --rows 100000

Each result is from a new process: the seconds, and the highest anonymous memory
(RssAnon, only on Linux) above the start, as a multiple of the table. Targets, groups
and times of the windows, a few values for each row, are part of it.

- ``make_windows`` beside pandas, which shifts the table by each number of rows
  (``groupby.shift`` for a panel), and beside a plain loop that stacks slices.
- One epoch of a dense network over windows, without and with early stopping, and its
  predictions; the same on an array of all windows (float32), and on the rows of the
  table themselves, which shows what any fit of as many rows needs.
"""

import argparse
import json
import subprocess
import sys

import numpy as np
from memory import Measured

N_FEATURES, N_STEPS, N_GROUPS = 8, 64, 100


def data(n_rows, is_panel):
    rng = np.random.default_rng(0)
    table, y = rng.normal(size=(n_rows, N_FEATURES)), rng.normal(size=n_rows)
    if not is_panel:
        return table, y, {}
    n_each = n_rows // N_GROUPS
    groups, time = np.repeat(np.arange(N_GROUPS), n_each), np.arange(n_rows) % n_each
    return table[: len(groups)], y[: len(groups)], {
        "groups": groups, "time": time[: len(groups)],
    }  # fmt: skip


def by_skseq(table, y, keys):
    from skseq import make_windows

    with Measured() as measured:
        make_windows(table, y, n_timesteps=N_STEPS, **keys)
    return measured


def by_pandas(table, y, keys):
    import pandas as pd

    frame = pd.DataFrame(table)
    with Measured() as measured:
        by = frame.groupby(keys["groups"]) if keys else frame
        shifted = [by.shift(i) for i in reversed(range(N_STEPS))]
        wide = pd.concat(shifted, axis=1).dropna()
        wide.to_numpy().reshape(len(wide), N_STEPS, N_FEATURES)
    return measured


def by_loop(table, y, keys):
    groups = keys.get("groups", np.zeros(len(table), int))
    with Measured() as measured:
        np.stack(
            [
                table[i : i + N_STEPS]
                for i in range(len(table) - N_STEPS + 1)
                if groups[i] == groups[i + N_STEPS - 1]
            ]
        )
    return measured


def fit(table, y, keys, kind, early_stopping):
    """Fit a network on windows, an array of them, or the rows of the table."""
    from skseq import DenseRegressor, make_windows

    def make():
        return DenseRegressor(
            8, epochs=1, batch_size=1024, early_stopping=early_stopping, random_state=0
        )

    X, y, *_ = make_windows(table, y, n_timesteps=N_STEPS, **keys)
    if kind == "array":
        X = np.asarray(X, np.float32)
    if kind == "rows":
        X = table[-len(X) :]
    # Traces the programs, and fills TensorFlow's pools.
    make().fit(X[:5000], y[:5000]).predict(X[:5000])
    with Measured() as fitted:
        net = make().fit(X, y)
    with Measured() as predicted:
        net.predict(X)
    return fitted, predicted


WAYS = {"make_windows": by_skseq, "pandas": by_pandas, "loop": by_loop}


def call(way, n_rows, is_panel, *args):
    """Measure in this process, and print seconds and megabytes."""
    table, y, keys = data(n_rows, is_panel)
    found = fit(table, y, keys, *args) if way == "fit" else WAYS[way](table, y, keys)
    for one in found if isinstance(found, tuple) else [found]:
        print(one.seconds, one.megabytes / (table.nbytes / 2**20))


def in_new_process(*args):
    command = [sys.executable, __file__, "--call", json.dumps(args)]
    result = subprocess.run(
        command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        text=True,
    )  # fmt: skip
    return [map(float, line.split()) for line in result.stdout.splitlines()]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--call", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.call:
        call(*json.loads(options.call))
        sys.exit()
    print("| | seconds | memory / table |")
    print("|---|---:|---:|")

    def line(name, seconds, tables):
        print(f"| {name} | {seconds:.2f} | {tables:.2f} |", flush=True)

    for is_panel in (False, True):
        what = f"panel of {N_GROUPS}" if is_panel else "series"
        for way in WAYS:
            (found,) = in_new_process(way, options.rows, is_panel)
            line(f"{what}, {way}", *found)
        for kind in ("windows", "array", "rows"):
            for early_stopping in (False, True):
                fitted, predicted = in_new_process(
                    "fit", options.rows, is_panel, kind, early_stopping
                )
                more = ", early stopping" if early_stopping else ""
                line(f"{what}, fit on {kind}{more}", *fitted)
            line(f"{what}, predict on {kind}", *predicted)
