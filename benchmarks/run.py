"""All of what training programs are held to, a line each: goal, measured, holds or not.

    python benchmarks/run.py                       half an hour on two cores
    python benchmarks/run.py --picture growth.png  with the picture of growth

The peers (`pip install torch skorch scikeras`) run beside skseq in the same run. What
each line compares, and why that is fair, is in README.md beside this file.
"""

import argparse
import os
import platform
import time
from importlib.metadata import version

import costs
import epochs
import grid
import growth
import memory
import torch

# Ratios to PyTorch's epoch by line: the plain path's, and XLA's where it is tried.
EPOCHS = {
    "LSTM 32 units, 569 rows": (0.85, None),
    "LSTM 32 units, 5,000 rows": (0.85, None),
    "LSTM 32 units, 5,000 rows, balanced batches": (0.85, None),
    "LSTM 64 units, 8 features": (1.1, 1.1),
    "LSTM 128 units, 8 features": (1.6, 1.6),
    "LSTM bidirectional, 32 units": (0.6, None),
    "LSTM two layers, 32 units": (1.0, None),
    "GRU 32 units": (0.85, 0.35),
    "Dense 300-300": (1.0, 0.65),
    "Conv1D 64-64": (1.1, 0.8),
}


def line(what, goal, found, holds):
    verdict = "holds" if holds else "does not hold"
    print(f"| {what} | {goal} | {found} | {verdict} |", flush=True)


def at_most(what, value, limit, unit=""):
    line(what, f"at most {limit:g}{unit}", f"{value:.3g}{unit}", value <= limit)


def run_grid():
    cold, warm, threads, scores = grid.compare(5, 1, True)
    for name, seconds in cold.items():
        print(
            f"<!-- grid, {name}: cold {seconds:.1f} s, ROC AUC {scores[name]:.4f} -->"
        )
    faster = cold["scikeras"] / cold["skseq"]
    line(
        "grid, cold, one job: times faster than SciKeras",
        "at least 14", f"{faster:.1f}", faster >= 14,
    )  # fmt: skip
    at_most("grid, cold, one job: to skorch", cold["skseq"] / cold["skorch"], 0.65)
    worse = scores["skorch"] - scores["skseq"]
    line(
        "grid: best ROC AUC within 0.005 of skorch's",
        "at most 0.005 below", f"{-worse:+.4f}", worse <= 0.005,
    )  # fmt: skip
    at_most(
        "grid, two threads, warm: to skorch's warm one job",
        threads / warm["skorch"], 0.35,
    )  # fmt: skip
    return [
        f"grid, {name}: cold {seconds:.1f} s, best ROC AUC {scores[name]:.4f}"
        for name, seconds in cold.items()
    ]


def run_epochs():
    for name, limits in EPOCHS.items():
        times = epochs.measure(name)
        for way, limit in zip(("plain", "XLA"), limits, strict=True):
            if limit is not None:
                ratio = times[way] / times["PyTorch"]
                at_most(f"epoch, {name}, {way}: to PyTorch", ratio, limit)


def run_costs():
    at_most("first fit of an LSTM more than the second", costs.first_fit(), 0.5, " s")
    at_most("a warm fit beside its epochs", costs.fit_overhead(), 30, " ms")
    alone, through = costs.one_row()
    at_most("one row, warm", alone, 2, " ms")
    at_most("one row through a pipeline with a scaler", through, 3, " ms")
    many = costs.many_rows()
    for n_batch in (128, 1024):
        at_most(
            f"100,000 rows: to PyTorch in batches of {n_batch:,}",
            many["skseq"] / many[n_batch], 1,
        )  # fmt: skip
    at_most(
        "load and first prediction in a new process",
        costs.load_and_predict(),
        0.5,
        " s",
    )


def run_memory(gigabytes):
    few, each, memmaps = memory.measure(gigabytes)
    at_most("200 fits of 20 architectures, after 20", few, 20, " MB")
    for name, grown in each.items():
        at_most(f"each of 200 architectures beyond the cache, {name}", grown, 1, " MB")
    for early_stopping, (above, _) in memmaps.items():
        how = "with" if early_stopping else "without"
        at_most(
            f"memmap of {gigabytes:g} GB, {how} early stopping, above start",
            above, 600, " MB",
        )  # fmt: skip


def run_growth(picture):
    found = growth.measure()
    for name in ("rows", "timesteps"):
        slope = growth.exponent(found[name])
        line(
            f"growth with {name}: exponent", "at most 1.1", f"{slope:.2f}", slope <= 1.1
        )
    print()
    print("\n".join(growth.table(found)))
    if picture:
        growth.draw(found, picture)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gigabytes", type=float, default=4.0, help="of the memmap")
    parser.add_argument("--picture", help="a file for the picture of growth")
    options = parser.parse_args()
    torch.set_num_threads(2)
    start = time.perf_counter()
    names = ("scikit-learn", "keras", "tensorflow", "torch", "skorch", "scikeras")
    print(f"{os.cpu_count()} cores, Python {platform.python_version()}", end="")
    print("".join(f", {name} {version(name)}" for name in names))
    print("\n| what | goal | measured | |\n|---|---|---|---|")
    behind = run_grid()
    run_epochs()
    run_costs()
    run_memory(options.gigabytes)
    run_growth(options.picture)
    print("", *behind, sep="\n")
    print(f"\n{(time.perf_counter() - start) / 60:.0f} minutes")
