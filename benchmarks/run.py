"""Check the goals for training programs, and print a line for each of them.

    python benchmarks/run.py                       half an hour on two cores
    python benchmarks/run.py --picture growth.png  also draws the picture of growth

A line has the goal, the measured value, and whether the goal is met. skseq and the
other libraries (`pip install torch skorch scikeras`) are measured in the same run.
README.md in this folder explains what is compared, and why the comparison is fair.
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

# Largest ratio to PyTorch's epoch: of the plain path, and of XLA if it is measured.
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
    verdict = "met" if holds else "not met"
    print(f"| {what} | {goal} | {found} | {verdict} |", flush=True)


def at_most(what, value, limit, unit=""):
    line(what, f"at most {limit:g}{unit}", f"{value:.3g}{unit}", value <= limit)


def run_grid():
    cold, warm, threads, scores = grid.compare(5, 1, True)
    for name, seconds in cold.items():
        found = f"cold {seconds:.1f} s, ROC AUC {scores[name]:.4f}"
        print(f"<!-- grid search, {name}: {found} -->")
    faster = cold["scikeras"] / cold["skseq"]
    line(
        "grid search, cold, one job: speedup over SciKeras",
        "at least 14", f"{faster:.1f}", faster >= 14,
    )  # fmt: skip
    at_most(
        "grid search, cold, one job: ratio to skorch",
        cold["skseq"] / cold["skorch"], 0.65,
    )  # fmt: skip
    line(
        "the same network as a function in KerasClassifier: speedup over SciKeras",
        "at least 10", f"{cold['scikeras'] / cold['function']:.1f}",
        cold["scikeras"] / cold["function"] >= 10,
    )  # fmt: skip
    at_most(
        "function in KerasClassifier, warm, one job: ratio to LSTMClassifier",
        warm["function"] / warm["skseq"], 1.2,
    )  # fmt: skip
    worse = scores["skorch"] - scores["skseq"]
    line(
        "grid search: best ROC AUC minus skorch's",
        "at least -0.005", f"{-worse:+.4f}", worse <= 0.005,
    )  # fmt: skip
    at_most(
        "grid search, warm, two threads: ratio to skorch, warm, one job",
        threads / warm["skorch"], 0.35,
    )  # fmt: skip
    return [
        f"grid search, {name}: cold {seconds:.1f} s, best ROC AUC {scores[name]:.4f}"
        for name, seconds in cold.items()
    ]


def run_epochs():
    for name, limits in EPOCHS.items():
        times = epochs.measure(name)
        for way, limit in zip(("plain", "XLA"), limits, strict=True):
            if limit is not None:
                ratio = times[way] / times["PyTorch"]
                at_most(f"epoch, {name}, {way}: ratio to PyTorch", ratio, limit)


def run_costs():
    at_most("first fit of an LSTM minus the second", costs.first_fit(), 0.5, " s")
    at_most("warm fit: time outside its epochs", costs.fit_overhead(), 30, " ms")
    alone, through = costs.one_row()
    at_most("prediction of one row, warm", alone, 2, " ms")
    at_most("prediction of one row in a pipeline with a scaler", through, 3, " ms")
    many = costs.many_rows()
    for n_batch in (128, 1024):
        at_most(
            f"prediction of 100,000 rows: ratio to PyTorch in batches of {n_batch:,}",
            many["skseq"] / many[n_batch], 1,
        )  # fmt: skip
    at_most(
        "loading and first prediction in a new process",
        costs.load_and_predict(),
        0.5,
        " s",
    )


def run_memory(gigabytes):
    few, each, memmaps = memory.measure(gigabytes)
    at_most(
        "memory: growth over 200 fits of 20 architectures, after the first 20",
        few, 20, " MB",
    )  # fmt: skip
    for name, grown in each.items():
        at_most(
            "memory: growth for each of 200 architectures, after the cache is full, "
            f"{name}",
            grown, 1, " MB",
        )  # fmt: skip
    for early_stopping, (above, _) in memmaps.items():
        how = "with" if early_stopping else "without"
        at_most(
            f"memory: fit on a memmap of {gigabytes:g} GB, {how} early stopping, "
            "peak above start",
            above, 600, " MB",
        )  # fmt: skip


def run_growth(picture):
    found = growth.measure()
    for name in ("rows", "timesteps"):
        slope = growth.exponent(found[name])
        line(
            f"exponent of the growth with {name}",
            "at most 1.1", f"{slope:.2f}", slope <= 1.1,
        )  # fmt: skip
    print()
    print("\n".join(growth.table(found)))
    if picture:
        growth.draw(found, picture)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--gigabytes", type=float, default=4.0, help="size of the memmap"
    )
    parser.add_argument("--picture", help="path of the picture of growth")
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
