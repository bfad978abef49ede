"""
Forecast the air quality of a city, three hours ahead
=====================================================

Predict the carbon monoxide in three hours from the measurements of the last 24 hours,
some of which are missing. A causal convolutional network, a bidirectional LSTM,
gradient boosting and ridge regression get the same windows. The baselines are the last
known value, and the value of the same hour on the day before.

The measurements are those of a year in a street of an Italian city (De Vito et al.,
2008; UCI 360), in the file ``air_quality.csv.gz``, if it is in the folder SKSEQ_DATA.
It is not part of skseq. Without the file, made-up measurements with a daily cycle are
used.
"""

# %%
# Missing values
# --------------
# A sixth of the values of carbon monoxide are missing. In the features, up to three
# missing values in sequence are filled with the last value before them, which uses no
# later values. The target is not filled: windows without a target are left out.
import os
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

path = Path(os.environ.get("SKSEQ_DATA", "."), "air_quality.csv.gz")
target = "CO(GT)"
if path.exists():
    table = pd.read_csv(
        path, parse_dates=["datetime"], index_col="datetime", na_values=[-200, -200.0]
    ).drop(columns=["NMHC(GT)", "C6H6(GT)", "NOx(GT)", "NO2(GT)"])
else:
    rng = np.random.default_rng(0)
    hours = pd.date_range("2004-03-10 18:00", periods=6000, freq="h")
    weather = pd.Series(rng.normal(size=6000)).ewm(halflife=12).mean().to_numpy()
    traffic = 1 + np.sin(2 * np.pi * (hours.hour.to_numpy() - 12) / 12) ** 2
    level = traffic * np.exp(weather + 0.2 * rng.normal(size=6000))
    table = pd.DataFrame({target: level}, index=hours)
    for i in range(8):
        table[f"sensor {i}"] = level ** (0.5 + 0.1 * i) + 0.3 * rng.normal(size=6000)
    table[rng.random(table.shape) < 0.1] = np.nan
sensors = table.ffill(limit=3)
hour = 2 * np.pi * table.index.hour / 24
sensors["sin hour"], sensors["cos hour"] = np.sin(hour), np.cos(hour)
table.isna().mean().round(3).to_dict()

# %%
# Windows
# -------
# The target is the value after three hours, the last of a horizon of 3.
from skseq import make_windows

AHEAD = 3
X, y, _, time = make_windows(
    sensors, table[target].to_numpy(), n_timesteps=24, horizon=AHEAD, dropna=True,
    max_gap=pd.Timedelta(hours=1),
)  # fmt: skip
y = y[:, -1]
print(f"{len(table)} hours, {len(y)} windows without missing values")

# %%
# Cross-validation in blocks
# --------------------------
# Four blocks of a quarter of the time each are the tests. Training windows that share
# an hour with a test window are left out. Three of the blocks are older than some
# training windows. To test on later hours alone, use ``TimeSeriesSplit(gap=AHEAD)``.
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import RidgeCV
from sklearn.metrics import r2_score
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skseq import Conv1DRegressor, LSTMRegressor, PurgedSplit, SequenceScaler

flatten = FunctionTransformer(lambda X: X.reshape(len(X), -1))
options = {"epochs": 12, "batch_size": 64, "random_state": 0}
models = {
    "ridge": make_pipeline(flatten, RidgeCV(np.logspace(0, 5, 11))),
    "gradient boosting": make_pipeline(
        flatten, HistGradientBoostingRegressor(random_state=0)
    ),
    "Conv1D, causal": Conv1DRegressor(
        (32, 32), kernel_size=3, padding="causal", pooling="flatten", dropout=0.2,
        **options,
    ),
    "LSTM, bidirectional": LSTMRegressor(
        24, bidirectional=True, pooling="last", dropout=0.2, **options
    ),
}  # fmt: skip
now = X.names.index(target)
found = {
    "last value": X[:, -1, now],
    "same hour, day before": X[:, AHEAD - 1, now],
}
splits = list(PurgedSplit(KFold(4)).split(X, y))
for name, model in models.items():
    found[name] = np.empty(len(y))
    pipeline = make_pipeline(SequenceScaler(), model)
    for train, test in splits:
        found[name][test] = pipeline.fit(X[train], y[train]).predict(X[test])
scores = pd.DataFrame(
    {
        name: [r2_score(y[b], values[b]) for _, b in splits]
        for name, values in found.items()
    },
    index=[f"block {i + 1}" for i in range(4)],
).T
scores["mean"] = scores.mean(axis=1)
scores.round(3)

# %%
# On the real measurements, all models are far better than the baselines. Differences
# between models are smaller than those between blocks.
from matplotlib.dates import DateFormatter

of_models = scores.loc[list(models), "mean"]
baseline = scores.loc["same hour, day before", "mean"]
fig, ax = plt.subplots(figsize=(6.8, 4), layout="constrained")
for i, name in enumerate(scores.index):
    color = "tab:blue" if name in models else "tab:grey"
    blocks = scores.loc[name].drop("mean").clip(lower=-0.1)
    ax.barh(i, scores.loc[name, "mean"].clip(-0.1), color=color, alpha=0.4)
    ax.plot(blocks, [i] * 4, ".", color=color, markersize=9)
ax.axvline(0, color="black")
ax.set_yticks(range(len(scores)), scores.index, fontsize=11)
ax.set(
    xlim=(-0.12, 1),
    xlabel="R$^2$ (dots: blocks, cut at -0.1)",
    title=f"R$^2$ of the models: {of_models.min():.2f} to {of_models.max():.2f}; "
    f"of the day before: {baseline:.2f}",
)
ax.invert_yaxis()
plt.show()

# %%
# A week of the last block. The forecasts follow the daily cycle, and miss the height of
# single evenings.
fig, ax = plt.subplots(figsize=(7, 4), layout="constrained")
later = time + np.timedelta64(AHEAD, "h")
_, test = splits[-1]
week = test[-200:-40]
ax.plot(later[week], y[week], "k.", markersize=5, label="measured")
for name, color in (("LSTM, bidirectional", "tab:blue"), ("ridge", "tab:orange")):
    ax.plot(later[week], found[name][week], color=color, lw=1.5, label=name)
ax.set(
    xlabel="day",
    ylabel="carbon monoxide in mg / m$^3$",
    title="Forecasts for three hours ahead follow the daily cycle",
)
ax.xaxis.set_major_formatter(DateFormatter("%d %b"))
ax.legend(ncols=3, loc="upper center")
ax.set_ylim(top=1.15 * ax.get_ylim()[1])
plt.show()
