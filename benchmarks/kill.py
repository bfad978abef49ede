"""Kill fits with a checkpoint at random moments, and compare what they end with.

    python benchmarks/kill.py                 50 kills, and the cost of writing
    python benchmarks/kill.py --kills 10
    python benchmarks/kill.py --kills 0       the cost alone

Each process trains one network, and gets SIGKILL: every other one at a random moment of
its training, the others inside of a write, at a random one of its steps: half of the
content written, before and after the sync, and between the two renames. The same call
then runs again in a new process, and is killed again, up to five times. What it ends
with has to have the bits of a fit that was never killed: weights, the state of the
optimizer, history, best epoch and score.
"""

import argparse
import hashlib
import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np

import skseq
from skseq._engine import checkpoint

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 8, 3))
Y = (X[:, :, 0].sum(axis=1) > 0).astype(int)

EARLY = {"early_stopping": True, "patience": 8, "monitor": "roc_auc"}
NETWORKS = {
    "LSTM, dropout, early stopping": ("LSTMClassifier", {"dropout": 0.2, **EARLY}),
    "dense, 2 networks": ("DenseRegressor", {"n_networks": 2, "dropout": 0.2}),
    "Conv1D, schedule": ("Conv1DClassifier", {"filters": 8, "schedule": "one_cycle"}),
    "variational autoencoder": ("AutoencoderTransformer", {"variational": True}),
    "dense, averaged weights": (
        "DenseClassifier",
        {"optimizer_params": {"use_ema": True}},
    ),
}

# The most kills of one call, and the last step of a write at which one is killed.
MOST_KILLS = 5
LAST_STEP = 60


def fit(name, folder):
    """Fit a network; ``folder`` may be None."""
    kind, params = NETWORKS[name]
    options = {"epochs": 30, "random_state": 0, "checkpoint_epochs": 1}
    net = getattr(skseq, kind)(**{**options, **params}, checkpoint=folder)
    return net.fit(X, Y, sample_weight=np.arange(300) % 4)


def digest(net):
    """Hash everything that a fit has learned."""
    names = ("history_", "n_iter_", "best_epoch_", "best_score_")
    learned = repr([getattr(net, name, None) for name in names])
    found = hashlib.sha256(learned.encode())
    for array in [*net._state.weights, *net._state.optimizer]:
        found.update(array.tobytes())
    return found.hexdigest()


# ---------------------------------------------------------------------- the process


def kill_at(last):
    """Kill this process at a step of writing, counted from 1."""
    n_steps = 0

    def step():
        nonlocal n_steps
        n_steps += 1
        if n_steps == last:
            os.kill(os.getpid(), signal.SIGKILL)

    def killing(function):
        def call(*args):
            step()
            result = function(*args)
            step()
            return result

        return call

    class Halves:
        """A file that is written in two halves."""

        def __init__(self, *args):
            self._file = open(*args)  # noqa: SIM115

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self._file.close()

        def write(self, content):
            self._file.write(content[: len(content) // 2])
            self._file.flush()
            step()
            self._file.write(content[len(content) // 2 :])

        def __getattr__(self, name):
            return getattr(self._file, name)

    os.fsync, os.replace = killing(os.fsync), killing(os.replace)
    checkpoint.open = Halves


def child(name, folder, last):
    """Fit a network in this process, and print a line before and after it."""
    if last:
        kill_at(last)
    print("begin", flush=True)
    print(digest(fit(name, folder or None)), flush=True)


def start(name, folder, last=0):
    command = [sys.executable, __file__, "--child", name, str(folder), str(last)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


# --------------------------------------------------------------------------- kills


def whole_run(name, folder):
    """Run to the end; return the hash, and the seconds from the line before the fit."""
    process = start(name, folder)
    process.stdout.readline()
    begin = time.perf_counter()
    found = process.stdout.readline().strip()
    seconds = time.perf_counter() - begin
    process.communicate()
    return found, seconds


def killed_run(name, folder, inside, seconds):
    """Run, and kill; return whether it was killed before it had finished."""
    process = start(name, folder, random.randint(1, LAST_STEP) if inside else 0)
    process.stdout.readline()
    if not inside:
        time.sleep(random.uniform(0, seconds))
        process.kill()
    process.communicate()
    return process.returncode == -signal.SIGKILL


def kills(n_kills):
    """Kill, and print a table."""
    print(f"{'network':32}{'kills':>7}{'in writing':>12}{'calls':>7}{'bit-equal':>12}")
    totals = np.zeros(4, int)
    for i, name in enumerate(NETWORKS):
        expected, seconds = whole_run(name, "")
        left = n_kills // len(NETWORKS) + (i < n_kills % len(NETWORKS))
        counts = np.zeros(4, int)
        while left > 0:
            folder, n_here, was_killed = tempfile.mkdtemp(), 0, True
            while was_killed and n_here < min(MOST_KILLS, left):
                inside = bool((counts[0] + n_here) % 2)
                was_killed = killed_run(name, folder, inside, seconds)
                n_here += was_killed
                counts[1] += was_killed and inside
            same = whole_run(name, folder)[0] == expected
            same &= [file.suffix for file in Path(folder).iterdir()] == [".checkpoint"]
            counts += n_here, 0, 1, same
            left -= n_here
            shutil.rmtree(folder)
        totals += counts
        print_row(name, counts)
    print_row("all", totals)


def print_row(name, counts):
    n_kills, n_inside, n_calls, n_same = counts
    equal = f"{n_same} of {n_calls}"
    print(f"{name:32}{n_kills:7}{n_inside:12}{n_calls:7}{equal:>12}", flush=True)


# ---------------------------------------------------------------------------- cost


def costs():
    """Print the time of a write beside that of an epoch."""
    print(f"\n{'network':32}{'MB':>7}{'epoch ms':>10}{'write ms':>10}{'auto %':>8}")
    rows = np.random.default_rng(0).normal(size=(2000, 30, 8)).astype(np.float32)
    labels = (rows[:, :, 0].sum(axis=1) > 0).astype(int)
    for name, cls, params in (
        ("LSTM of 32 units", "LSTMClassifier", {"units": 32}),
        ("LSTM of 256 units", "LSTMClassifier", {"units": 256}),
        ("dense, 3 layers of 1,000", "DenseClassifier", {"dense_units": (1000,) * 3}),
    ):
        net = getattr(skseq, cls)(**params, epochs=6, batch_size=64, random_state=0)
        net.set_params(epochs=1).fit(rows, labels)  # traced
        epochs, writes, share = [], [], 0.0
        write, times = checkpoint.Checkpoint.write, []

        def timed(*args, write=write, times=times, **options):
            begin = time.perf_counter()
            write(*args, **options)
            times.append(time.perf_counter() - begin)

        for every in (1, "auto"):
            folder = tempfile.mkdtemp()
            checkpoint.Checkpoint.write, n_epochs = timed, 6 if every == 1 else 40
            net.set_params(epochs=n_epochs, checkpoint=folder, checkpoint_epochs=every)
            times.clear()
            begin = time.perf_counter()
            net.fit(rows, labels)
            seconds = time.perf_counter() - begin
            checkpoint.Checkpoint.write = write
            megabytes = sum(file.stat().st_size for file in Path(folder).iterdir())
            shutil.rmtree(folder)
            if every == 1:
                writes = [1000 * one for one in times]
                epochs = 1000 * (seconds - sum(times)) / n_epochs
            share = 100 * sum(times) / seconds
        print(
            f"{name:32}{megabytes / 1e6:7.1f}{epochs:10.1f}"
            f"{statistics.median(writes):10.1f}{share:8.1f}",
            flush=True,
        )


def main():
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=None, help="of the moments")
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # that training ended before it converged
    if options.child:
        name, folder, last = options.child
        child(name, folder, int(last))
        return
    random.seed(options.seed)
    if options.kills:
        kills(options.kills)
    costs()


if __name__ == "__main__":
    main()
