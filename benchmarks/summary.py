"""Draw the main results: time of a grid search, and accuracy on sequences.

    python benchmarks/summary.py [--out summary.png]

Nothing is measured here. The figures are those of docs/benchmarks/grid_search.csv (by
grid.py) and docs/benchmarks/accuracy.csv (by accuracy.py): seconds of a cold search in
one job, and the mean accuracy over the twelve packaged sets of sequences, each as the
mean over its seeds. The default of --out is docs/benchmarks/summary.png.
"""

import argparse
from pathlib import Path

import matplotlib
import pandas as pd

matplotlib.use("agg")
import matplotlib.pyplot as plt

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "benchmarks"
# Names on the axis: those of skseq are the classes of the package.
NAMES = {
    "MiniRocket": "MiniRocket",
    "MultiRocketHydra": "MultiRocket-Hydra",
    "Conv1D": "Conv1DClassifier",
    "GRU": "GRUClassifier",
    "1-NN DTW": "1-NN DTW",
    "LSTM": "LSTMClassifier",
    "Dense": "DenseClassifier",
    "logistic regression": "logistic regression",
}
OURS, OTHERS = "#c2500f", "#8a9099"


def search_seconds():
    """Read the seconds of a cold grid search in one job, by library."""
    table = pd.read_csv(FOLDER / "grid_search.csv")
    table = table[table["jobs"] == "one job"]
    return table.set_index(table["library"].str.split().str[0])["cold_seconds"]


def accuracies():
    """Compute the mean accuracy over the packaged sets, by method."""
    table = pd.read_csv(FOLDER / "accuracy.csv")
    table = table[(table["group"] == "packaged") & table["method"].isin(NAMES)]
    table = table.groupby(["method", "set"])["accuracy"].mean().unstack()
    return table.mean(axis=1).rename(NAMES)


def bars(figure, values, labels, ours, title):
    """Draw horizontal bars, the first value on top, with a label at each end."""
    ax = figure.subplots()
    colors = [OURS if name in ours else OTHERS for name in values.index]
    drawn = ax.barh(values.index, values, color=colors, height=0.72)
    ax.bar_label(drawn, labels, padding=5)
    ax.invert_yaxis()
    ax.set_xlim(0, values.max() * 1.25)
    ax.set_xticks([])
    ax.tick_params(axis="y", length=0)
    ax.spines[:].set_visible(False)
    figure.suptitle(title, x=0.02, ha="left", fontweight="bold", fontsize=14)


def draw(path):
    """Draw both panels, one above the other, readable on a narrow screen."""
    plt.rcParams.update({"font.size": 13})
    figure = plt.figure(figsize=(6.2, 7.2), layout="constrained")
    above, below = figure.subfigures(2, 1, height_ratios=[4, 9])
    seconds = search_seconds()
    skorch, scikeras = seconds[["skorch", "SciKeras"]] / seconds["skseq"]
    bars(
        above, seconds, [f"{value:.1f} s" for value in seconds], {"skseq"},
        f"Grid search over an LSTM: skseq is {skorch:.1f} times\n"
        f"as fast as skorch, {scikeras:.0f} times as fast as SciKeras",
    )  # fmt: skip
    found = accuracies().sort_values(ascending=False)
    best, conv = (found[NAMES[name]] for name in ("MiniRocket", "Conv1D"))
    bars(
        below, found, [f"{value:.3f}" for value in found],
        {name for name in found.index if name.endswith("Classifier")},
        "Mean accuracy on 12 sets of sequences:\n"
        f"MiniRocket {best:.2f}, Conv1DClassifier {conv:.2f}",
    )  # fmt: skip
    figure.savefig(path, dpi=150)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=FOLDER / "summary.png")
    draw(parser.parse_args().out)


if __name__ == "__main__":
    main()
