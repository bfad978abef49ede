"""Compare regressors with scikit-learn's, by R2 on rows that were not trained on.

    python benchmarks/regression.py [--seeds 5] [diabetes] [friedman] [houses] [air]

All settings are the defaults, and the columns are standardised. ``MLP, scaled y`` has a
standardised target, by TransformedTargetRegressor; all others get y as it is. All
models of a seed use the same rows. The script prints medians over the seeds, and the
median time of a fit.

- ``diabetes``: 442 patients of scikit-learn's table, of which a quarter is held out.
- ``friedman``: 1,000 rows of make_friedman1 with noise of variance 1.
- ``houses``: 4,000 made-up districts, with a price that depends on income, on distances
  to two centres, and on the age of houses, and is cut off at a maximum.
- ``air``: carbon monoxide in the air of an Italian city, measured by a reference
  analyser, from eight cheap sensors of the hour; the last 30 % of the hours are held
  out. ``air, 6 hours`` is the same from the sensors of the last six hours, as timesteps
  for the networks over time. The table is read from the folder SKSEQ_DATA, or
  ../shared/data beside the project, and is skipped if it does not exist.
"""

import argparse
import os
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_diabetes, make_friedman1
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skseq

FOLDER = Path(
    os.environ.get("SKSEQ_DATA")
    or Path(__file__).resolve().parent.parent.parent / "shared" / "data"
)
SENSORS = [
    "PT08.S1(CO)", "PT08.S2(NMHC)", "PT08.S3(NOx)", "PT08.S4(NO2)", "PT08.S5(O3)",
    "T", "RH", "AH",
]  # fmt: skip


def diabetes(seed):
    return train_test_split(*load_diabetes(return_X_y=True), random_state=seed)


def friedman(seed):
    X, y = make_friedman1(1000, noise=1.0, random_state=seed)
    return train_test_split(X, y, random_state=seed)


def houses(seed):
    rng = np.random.default_rng(seed)
    n = 4000
    income, age = rng.lognormal(1.3, 0.45, n), rng.integers(1, 53, n)
    rooms = rng.gamma(9, 0.6, n) * income**0.15
    household = rng.gamma(12, 0.25, n)
    place = np.where(rng.random((n, 1)) < 0.6, (0.0, 0.0), (3.5, -3.0))
    place = place + rng.normal(size=(n, 2))
    near = [np.linalg.norm(place - centre, axis=1) for centre in ((0, 0), (3.5, -3))]
    value = 40 * income * (1 + 0.8 * np.exp(-near[0]) + 0.5 * np.exp(-near[1]))
    value *= (rooms / household) ** 0.3 * (1 + 0.004 * age)
    y = np.minimum(1000 * value * rng.lognormal(0, 0.2, n), 500_000)
    X = np.column_stack([income, age, rooms, household, place])
    return train_test_split(X, y, random_state=seed)


def air(seed, n_hours=1):
    table = pd.read_csv(FOLDER / "air_quality.csv.gz", na_values=[-200, -200.0])
    y = table["CO(GT)"].to_numpy()[n_hours - 1 :]
    X = np.lib.stride_tricks.sliding_window_view(table[SENSORS], n_hours, axis=0)
    X = X.transpose(0, 2, 1).reshape(len(y), -1)  # step by step
    known = np.isfinite(y) & np.isfinite(X).all(axis=1)
    X, y = X[known], y[known]
    n_train = int(0.7 * len(y))
    return X[:n_train], X[n_train:], y[:n_train], y[n_train:]


def air_6_hours(seed):
    return air(seed, n_hours=6)


def models(seed, n_timesteps):
    yield "ridge", RidgeCV(np.logspace(-3, 3, 13))
    yield "gradient boosting", HistGradientBoostingRegressor(random_state=seed)
    mlp = MLPRegressor(random_state=seed)
    yield "MLP", mlp
    yield "MLP, scaled y", TransformedTargetRegressor(mlp, transformer=StandardScaler())
    yield "Dense", skseq.DenseRegressor(random_state=seed)
    if n_timesteps == 1:
        return
    for name in ("LSTM", "GRU", "SimpleRNN", "Conv1D"):
        network = getattr(skseq, f"{name}Regressor")
        yield name, network(n_timesteps=n_timesteps, random_state=seed)


PARTS = {
    "diabetes": [("diabetes", diabetes, 1)],
    "friedman": [("friedman", friedman, 1)],
    "houses": [("houses", houses, 1)],
    "air": [("air", air, 1), ("air, 6 hours", air_6_hours, 6)],
}


def compare(title, data, n_timesteps, n_seeds):
    scores, seconds = {}, {}
    for seed in range(n_seeds):
        X_train, X_test, y_train, y_test = data(seed)
        for name, model in models(seed, n_timesteps):
            pipeline = make_pipeline(StandardScaler(), model)
            start = time.perf_counter()
            pipeline.fit(X_train, y_train)
            seconds.setdefault(name, []).append(time.perf_counter() - start)
            scores.setdefault(name, []).append(pipeline.score(X_test, y_test))
    print(f"\n{title}: {len(y_train)} training rows\n")
    print("| model | median R2 | lowest | highest | seconds |")
    print("|---|---:|---:|---:|---:|")
    for name, found in scores.items():
        print(
            f"| {name} | {np.median(found):.3f} | {min(found):.3f} | {max(found):.3f} "
            f"| {np.median(seconds[name]):.2f} |",
            flush=True,
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("parts", nargs="*", metavar="part", help=", ".join(PARTS))
    parser.add_argument("--seeds", type=int, default=5)
    arguments = parser.parse_args()
    unknown = set(arguments.parts) - set(PARTS)
    if unknown:
        parser.error(f"part must be one of {list(PARTS)}, got {sorted(unknown)}")
    # With its defaults, scikit-learn's network often does not converge.
    warnings.simplefilter("ignore", ConvergenceWarning)
    for part in arguments.parts or PARTS:
        if part == "air" and not FOLDER.exists():
            print("\nair: no data, set SKSEQ_DATA")
            continue
        for title, data, n_timesteps in PARTS[part]:
            compare(title, data, n_timesteps, arguments.seeds)


if __name__ == "__main__":
    main()
