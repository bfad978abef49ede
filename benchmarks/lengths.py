"""Compare the time of a training epoch with and without padding.

Rows have between 1 timestep and all of them, half of the timesteps on average. The rows
with padding are an array with NaN as ``mask_value``, and once more a list; the rows
without padding are as long as the longest of these. The time of an epoch is computed
from the difference between a fit of many epochs and one of few. The three take turns.
The script prints medians and ratios, for the plain path and for XLA.

    python benchmarks/lengths.py            all networks
    python benchmarks/lengths.py lstm gru   those whose name contains one of the words
"""

import sys
import time

import numpy as np

import skseq

LINES = {
    # name: estimator, parameters, (rows, steps, features)
    "LSTM last": ("LSTM", {"pooling": "last"}, (2000, 30, 8)),
    "LSTM mean": ("LSTM", {"pooling": "mean"}, (2000, 30, 8)),
    "LSTM flatten": ("LSTM", {}, (2000, 30, 8)),
    "LSTM attention": ("LSTM", {"pooling": "attention"}, (2000, 30, 8)),
    "LSTM bidirectional": (
        "LSTM", {"pooling": "last", "bidirectional": True}, (2000, 30, 8)
    ),
    "LSTM two layers": ("LSTM", {"units": (32, 32), "pooling": "last"}, (2000, 30, 8)),
    "GRU": ("GRU", {"pooling": "last"}, (2000, 30, 8)),
    "SimpleRNN": ("SimpleRNN", {"pooling": "last"}, (2000, 30, 8)),
    "Conv1D 64-64": ("Conv1D", {}, (1000, 128, 9)),
    "Conv1D 64-64 mean": (
        "Conv1D", {"pool_size": 2, "pooling": "mean"}, (1000, 128, 9)
    ),
    "Conv1D 16": ("Conv1D", {"filters": 16}, (1000, 128, 9)),
}  # fmt: skip

FEW, MANY, TURNS = 2, 8, 7


def rows_of(shape):
    """Make rows without padding, the same with padding, as a list, and labels."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=shape).astype(np.float32)
    lengths = rng.integers(1, shape[1] + 1, size=shape[0])
    lengths[0] = shape[1]
    padded = X.copy()
    padded[np.arange(shape[1]) >= lengths[:, None]] = np.nan
    listed = [row[:length] for row, length in zip(X, lengths, strict=True)]
    return X, padded, listed, rng.integers(0, 2, size=shape[0])


def epoch_seconds(make, X, y):
    """Measure an epoch, as the difference between a long and a short fit."""
    seconds = []
    for epochs in (FEW, MANY):
        start = time.perf_counter()
        make(epochs).fit(X, y)
        seconds.append(time.perf_counter() - start)
    return (seconds[1] - seconds[0]) / (MANY - FEW)


def measure(kind, params, shape):
    """Measure medians of the milliseconds of an epoch: full rows, padded, list."""
    *ways, y = rows_of(shape)

    def maker(is_padded):
        options = {"mask_value": np.nan} if is_padded else {}
        cls = getattr(skseq, f"{kind}Classifier")
        return lambda epochs: cls(epochs=epochs, random_state=0, **params, **options)

    found = []
    for turn in range(TURNS + 1):
        times = [epoch_seconds(maker(i == 1), X, y) for i, X in enumerate(ways)]
        if turn:  # the first one traces
            found.append(times)
    return 1000 * np.median(found, axis=0)


if __name__ == "__main__":
    words = [word.lower() for word in sys.argv[1:]]
    for name, line in LINES.items():
        if words and not any(word in name.lower() for word in words):
            continue
        for way in ("plain", "XLA"):
            skseq.set_jit_compile(way == "XLA")
            full, padded, listed = measure(*line)
            print(
                f"{name}, {way}: {full:.1f} ms, padded array {padded / full:.2f}, "
                f"list {listed / full:.2f}",
                flush=True,
            )
