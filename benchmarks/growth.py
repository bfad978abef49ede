"""Measure how the time of an epoch grows with rows, timesteps and units.

The network is an LSTM on the plain path, with batches of 32 and one feature. The growth
with units is measured with XLA too. The time of an epoch is the difference between fits
of two epochs and of one, as a median of 3, or measured once for a million rows. The
script prints a table, with the exponent of the growth between neighbouring values; 1
means linear growth.

    python benchmarks/growth.py                       the table
    python benchmarks/growth.py --picture growth.png  the table and a picture of it
"""

import argparse

import numpy as np
from epochs import data, seconds

import skseq

BASE = {"rows": 1000, "timesteps": 30, "units": 32}
VALUES = {
    "rows": (1_000, 10_000, 100_000, 1_000_000),
    "timesteps": (10, 30, 100, 300, 1000),
    "units": (8, 16, 32, 64, 128, 256),
}


def epoch_seconds(rows, timesteps, units, xla):
    """Measure the median seconds of an epoch."""
    X, y = data((rows, timesteps, 1))
    skseq.set_jit_compile(xla)
    one = skseq.LSTMClassifier(units, pooling="last", epochs=1)
    two = skseq.LSTMClassifier(units, pooling="last", epochs=2)
    one.fit(X[:100], y[:100])
    repeats = 3 if rows < 1_000_000 else 1
    found = [seconds(two.fit, X, y) - seconds(one.fit, X, y) for _ in range(repeats)]
    skseq.set_jit_compile("auto")
    return np.median(found)


def measure():
    """Measure the seconds of an epoch for each quantity (and path) and value."""
    found = {}
    for name, values in VALUES.items():
        for xla in (False, True) if name == "units" else (False,):
            key = f"{name}, XLA" if xla else name
            found[key] = {
                value: epoch_seconds(**{**BASE, name: value}, xla=xla)
                for value in values
            }
    return found


def exponent(times):
    """Fit the slope of log time against log value by least squares."""
    return np.polyfit(np.log(list(times)), np.log(list(times.values())), 1)[0]


def table(found):
    """Write the table in Markdown."""
    yield "| | " + "epoch, s (exponent since the value before) |"
    yield "|---|---|"
    for name, times in found.items():
        cells, before = [], None
        for value, time in times.items():
            exponent = ""
            if before is not None:
                slope = np.log(time / times[before]) / np.log(value / before)
                exponent = f" ({slope:.2f})"
            cells.append(f"{value:,}: {time:.3g}{exponent}")
            before = value
        yield f"| {name} | {'; '.join(cells)} |"


def draw(found, path):
    """Draw a panel for each quantity, with logarithmic axes."""
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(VALUES), figsize=(10, 3.4), layout="constrained")
    for ax, name in zip(axes, VALUES, strict=True):
        for key, times in found.items():
            if key.split(",")[0] == name:
                label = "XLA" if key.endswith("XLA") else "plain path"
                ax.loglog(list(times), list(times.values()), "o-", label=label)
        first, last = VALUES[name][0], VALUES[name][-1]
        start = found[name][first]
        ax.loglog(
            [first, last], [start, start * last / first], ":", color="0.5",
            label="linear",
        )  # fmt: skip
        others = ", ".join(f"{v:,} {k}" for k, v in BASE.items() if k != name)
        ax.set(xlabel=name, title=others)
        ax.title.set_fontsize("medium")
        ax.legend(frameon=False)
    axes[0].set_ylabel("seconds per epoch")
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--picture")
    options = parser.parse_args()
    found = measure()
    print("\n".join(table(found)))
    if options.picture:
        draw(found, options.picture)
