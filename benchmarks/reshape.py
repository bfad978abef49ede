"""Compare the time and peak memory of SequenceReshaper with a copy of the table.

Run ``python benchmarks/reshape.py``. Each table has a million rows and 36 columns (six
features over six timesteps). Time is the median of five runs of ``transform``, in turn
with five of ``X.copy()``, and is divided by the median of these. Memory is the largest
amount that is allocated during one ``transform``, including the result, and is divided
by that of the copy.
"""

import argparse
import statistics
import time
import tracemalloc

import numpy as np
import pandas as pd

from skseq import SequenceReshaper

N_STEPS = 6
N_FEATURES = 6
N_REPEATS = 5

# The columns are ordered by feature, and the newest month of each is first.
NAMES = [f"{f}_t-{lag}" for f in "abcdef" for lag in range(N_STEPS)]
PATTERN = r"(?P<feature>[a-e])_t-(?P<lag>\d)"


def tables(n_rows):
    """Yield the name of each table, a function that makes it, and its arrangements."""
    rng = np.random.default_rng(0)
    order = rng.permutation(N_STEPS * N_FEATURES).reshape(N_FEATURES, N_STEPS).tolist()
    arrangements = {
        "by count, step order": {"n_timesteps": N_STEPS},
        "by count, feature order": {"n_timesteps": N_STEPS, "order": "feature"},
        "by position, shuffled": {
            "columns": {f"f{i}": columns for i, columns in enumerate(order)}
        },
        "by position, one missing, NaN": {
            "columns": {"a": [None, *range(5)], "b": list(range(5, 11))},
            "static": "drop",
            "fill_value": np.nan,
        },
    }
    by_name = {
        "by count, step order": arrangements["by count, step order"],
        "by pattern": {"columns": PATTERN.replace("a-e", "a-f")},
        "by pattern, six static": {"columns": PATTERN},
    }

    def values(dtype=np.float64):
        return rng.standard_normal((n_rows, N_STEPS * N_FEATURES)).astype(dtype)

    def with_nan():
        X = values()
        X[::10, ::5] = np.nan
        return X

    def mixed():
        frame = pd.DataFrame(values(), columns=NAMES)
        return frame.astype(dict.fromkeys(NAMES[::2], np.int64))

    yield "float64, C order", values, arrangements
    yield "float64, F order", lambda: np.asfortranarray(values()), arrangements
    yield "float64, C order, NaN", with_nan, arrangements
    yield "float32, C order", lambda: values(np.float32), arrangements
    yield "pandas, float64", lambda: pd.DataFrame(values(), columns=NAMES), by_name
    yield "pandas, float64 and int64", mixed, by_name


def seconds(function):
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def peak_bytes(function):
    tracemalloc.start()
    function()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def measure(X, params):
    """Measure the median seconds and the peak bytes of transform and copy."""
    reshaper = SequenceReshaper(**params).fit(X)
    ours, copies = [], []
    for _ in range(N_REPEATS):
        ours.append(seconds(lambda: reshaper.transform(X)))
        copies.append(seconds(lambda: X.copy()))
    return (
        statistics.median(ours),
        statistics.median(copies),
        peak_bytes(lambda: reshaper.transform(X)),
        peak_bytes(lambda: X.copy()),
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    n_rows = parser.parse_args().rows
    print(f"{n_rows} rows, {N_STEPS * N_FEATURES} columns, medians of {N_REPEATS}")
    titles = ("ms", "copy ms", "ratio", "MB", "ratio")
    head = f"{'arrangement':<32}" + "".join(f"{title:>9}" for title in titles)
    for name, make, arrangements in tables(n_rows):
        print(f"\n{name}\n{head}")
        X = make()
        for label, params in arrangements.items():
            ours, copy, peak, copy_peak = measure(X, params)
            print(
                f"{label:<32}{1e3 * ours:>9.0f}{1e3 * copy:>9.0f}{ours / copy:>9.2f}"
                f"{peak / 1e6:>9.0f}{peak / copy_peak:>9.2f}"
            )


if __name__ == "__main__":
    main()
