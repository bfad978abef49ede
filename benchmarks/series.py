"""Compare forecasts of two series, gold and air, over several seeds.

    python benchmarks/series.py [--seeds 5] [gold] [air]

The data, windows and models are those of the examples ``plot_gold_price.py`` and
``plot_air_quality.py``; the tables are read from the folder SKSEQ_DATA, and are skipped
if they are not there. The script prints the mean over the seeds, the lowest and the
highest value, and the seconds of a fit.

- ``gold``: the next price from the last 20 days. The score is the share of the squared
  error of the last price that a forecast saves, on the last 500 of 2,563 days.
- ``air``: carbon monoxide in three hours from the last 24 hours of nine columns. The
  score is R2, the mean of four blocks with PurgedSplit.
"""

import argparse
import os
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import RidgeCV
from sklearn.metrics import r2_score
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skseq import (
    Conv1DRegressor,
    DenseRegressor,
    GRURegressor,
    LSTMRegressor,
    PurgedSplit,
    SequenceScaler,
    make_windows,
)

FOLDER = Path(os.environ.get("SKSEQ_DATA", "."))
flatten = FunctionTransformer(lambda X: X.reshape(len(X), -1))


def gold_models(seed):
    options = {"epochs": 30, "random_state": seed}
    yield "ridge", make_pipeline(flatten, RidgeCV(np.logspace(-2, 4, 13)))
    yield "LSTM", LSTMRegressor(16, pooling="last", **options)
    yield "GRU", GRURegressor(16, pooling="last", **options)
    yield "Conv1D", Conv1DRegressor((16, 16), padding="causal", **options)
    yield "Dense", DenseRegressor(32, **options)


def gold(n_seeds):
    table = pd.read_csv(FOLDER / "gold_price.csv", parse_dates=["date"])
    price = table.set_index("date")["close"]
    returns = np.log(price).diff().dropna()
    prices = make_windows(price[1:], n_timesteps=20, horizon=1)
    last, true = price.loc[prices.time].to_numpy()[-500:], prices.y[-500:]
    parts = {
        "prices": prices, "returns": make_windows(returns, n_timesteps=20, horizon=1),
    }  # fmt: skip
    for kind, windows in parts.items():
        for seed in range(n_seeds):
            for name, model in gold_models(seed):
                pipeline = make_pipeline(SequenceScaler(), model)
                start = time.perf_counter()
                pipeline.fit(windows.X[:-500], windows.y[:-500])
                seconds = time.perf_counter() - start
                found = pipeline.predict(windows.X[-500:])
                if kind == "returns":
                    found = last * np.exp(found)
                saved = 1 - np.mean((found - true) ** 2) / np.mean((last - true) ** 2)
                yield f"{name}, {kind}", saved, seconds


def air_models(seed):
    options = {"epochs": 12, "batch_size": 64, "dropout": 0.2, "random_state": seed}
    boosting = HistGradientBoostingRegressor(random_state=seed)
    yield "ridge", make_pipeline(flatten, RidgeCV(np.logspace(0, 5, 11)))
    yield "gradient boosting", make_pipeline(flatten, boosting)
    yield (
        "Conv1D, causal",
        Conv1DRegressor(
            (32, 32), kernel_size=3, padding="causal", pooling="flatten", **options
        ),
    )
    yield (
        "LSTM, bidirectional",
        LSTMRegressor(24, bidirectional=True, pooling="last", **options),
    )


def air(n_seeds):
    table = pd.read_csv(
        FOLDER / "air_quality.csv.gz", parse_dates=["datetime"], index_col="datetime",
        na_values=[-200, -200.0],
    ).drop(columns=["NMHC(GT)", "C6H6(GT)", "NOx(GT)", "NO2(GT)"])  # fmt: skip
    sensors, hour = table.ffill(limit=3), 2 * np.pi * table.index.hour / 24
    sensors["sin hour"], sensors["cos hour"] = np.sin(hour), np.cos(hour)
    X, y, *_ = make_windows(
        sensors, table["CO(GT)"].to_numpy(), n_timesteps=24, horizon=3, dropna=True,
        max_gap=pd.Timedelta(hours=1),
    )  # fmt: skip
    y, now = y[:, -1], X.names.index("CO(GT)")
    splits = list(PurgedSplit(KFold(4)).split(X, y))

    def score(found):
        return np.mean([r2_score(y[test], found[test]) for _, test in splits])

    yield "last value", score(X[:, -1, now]), 0.0
    yield "same hour, day before", score(X[:, 2, now]), 0.0
    for seed in range(n_seeds):
        for name, model in air_models(seed):
            found, pipeline = np.empty(len(y)), make_pipeline(SequenceScaler(), model)
            start = time.perf_counter()
            for train, test in splits:
                found[test] = pipeline.fit(X[train], y[train]).predict(X[test])
            yield name, score(found), (time.perf_counter() - start) / len(splits)


PARTS = {"gold": (gold, "gold_price.csv"), "air": (air, "air_quality.csv.gz")}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="part", help=", ".join(PARTS))
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()
    for part in options.parts or PARTS:
        function, file = PARTS[part]
        if not (FOLDER / file).exists():
            print(f"\n{part}: no {file} in SKSEQ_DATA")
            continue
        rows = pd.DataFrame(function(options.seeds), columns=["model", "score", "s"])
        by_model = rows.groupby("model", sort=False)
        print(f"\n{part}\n\n| model | mean | lowest | highest | seconds |")
        print("|---|---:|---:|---:|---:|")
        for name, found in by_model:
            score = found["score"]
            print(
                f"| {name} | {score.mean():.3f} | {score.min():.3f} | "
                f"{score.max():.3f} | {found['s'].median():.1f} |"
            )
