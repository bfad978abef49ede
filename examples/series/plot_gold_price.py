"""
A price that is hard to predict
===============================

The price of gold on the next day, from the prices of the last twenty days. Networks are
compared with ridge regression, and with a forecast that needs no model: the price stays
as it is. The figure shows that nobody beats it by much, if at all, and what a network
can tell all the same: how far the price may move.

The prices are those in the file ``gold_price.csv`` in the folder SKSEQ_DATA, daily from
2013 to 2022. Without the file, a random walk of the same length stands in for them.
"""

# %%
# The data
# --------
import os
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

path = Path(os.environ.get("SKSEQ_DATA", "."), "gold_price.csv")
if path.exists():
    price = pd.read_csv(path, parse_dates=["date"], index_col="date")["close"]
    source = "gold"
else:
    days = pd.bdate_range("2013-01-02", periods=2583)
    steps = 0.0095 * np.random.default_rng(0).standard_t(5, size=len(days)) * 0.77
    price = pd.Series(1500 * np.exp(np.cumsum(steps)), index=days)
    source = "a random walk"
print(f"{len(price)} days of {source}, from {price.min():.0f} to {price.max():.0f}")

# %%
# Windows of prices, and windows of returns
# -----------------------------------------
# The target is the price of the next day, or the next return (the logarithm of the
# ratio to the price before). Dates in the index are the time of each row. The last 500
# days are the test.
from skseq import make_windows

returns = np.log(price).diff().dropna()
of_prices = make_windows(price[1:], n_timesteps=20, horizon=1)
of_returns = make_windows(returns, n_timesteps=20, horizon=1)
last = price.loc[of_prices.time].to_numpy()  # the price at the end of each window
true = of_prices.y
train, test = slice(None, -500), slice(-500, None)
of_prices.X.shape, of_prices.time[[0, -1]].astype("datetime64[D]").tolist()

# %%
# Eleven forecasts
# ----------------
# All of them get the same windows, standardised. A forecast of a return is converted to
# a price. The last column is the share of the squared error of the last price that a
# forecast saves: above 0 it is better than no model.
from sklearn.linear_model import RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skseq import (
    Conv1DRegressor,
    DenseRegressor,
    GRURegressor,
    LSTMRegressor,
    SequenceScaler,
)

flatten = FunctionTransformer(lambda X: X.reshape(len(X), -1))
options = {"epochs": 30, "random_state": 0}
models = {
    "ridge": make_pipeline(flatten, RidgeCV(np.logspace(-2, 4, 13))),
    "LSTM": LSTMRegressor(16, pooling="last", **options),
    "GRU": GRURegressor(16, pooling="last", **options),
    "Conv1D": Conv1DRegressor((16, 16), padding="causal", **options),
    "Dense": DenseRegressor(32, **options),
}
forecasts = {"last price": last[test]}
for kind, windows in (("prices", of_prices), ("returns", of_returns)):
    for name, model in models.items():
        pipeline = make_pipeline(SequenceScaler(), model)
        pipeline.fit(windows.X[train], windows.y[train])
        found = pipeline.predict(windows.X[test])
        if kind == "returns":
            found = last[test] * np.exp(found)
        forecasts[f"{name}, {kind}"] = found
errors = {name: found - true[test] for name, found in forecasts.items()}
table = pd.DataFrame(
    {
        "mean absolute error": {k: np.abs(e).mean() for k, e in errors.items()},
        "error saved": {
            k: 1 - np.square(e).mean() / np.square(errors["last price"]).mean()
            for k, e in errors.items()
        },
    }
)
table.round({"mean absolute error": 2, "error saved": 3})

# %%
# Networks on prices are worse than no model: they have to learn that the next price is
# the last one, and what they miss of it is more than a day's change. On returns they
# start from the last price, and differ little from it. A plot of such forecasts over
# the prices looks perfect all the same, because it follows them a day late.
#
# The range of the next day
# -------------------------
# The size of the changes is easier to predict than their direction, because quiet and
# wild weeks follow each other. A network with the quantile loss gives a range for each
# day; its share of the test days is compared with the promised 90 %.
quantiles = GRURegressor(
    16, pooling="last", loss="quantile",
    loss_params={"quantile": (0.05, 0.5, 0.95)}, **options,
)  # fmt: skip
size = make_windows(
    np.column_stack([returns, returns.abs()]), returns, n_timesteps=20, horizon=1
)
ranges = make_pipeline(SequenceScaler(), quantiles).fit(size.X[train], size.y[train])
scaled = ranges[0].transform(size.X[test])
low, _, high = last[test] * np.exp(ranges[-1].predict_quantiles(scaled).T)
inside = np.mean((low < true[test]) & (true[test] < high))
print(f"inside of the range: {inside:.1%} of the days")

fig, (left, right) = plt.subplots(
    1, 2, figsize=(11, 4.2), layout="constrained", width_ratios=(2, 3)
)
saved = table["error saved"].drop("last price")
colors = ["tab:red" if value < 0 else "tab:green" for value in saved]
left.barh(saved.index, saved.clip(lower=-1), color=colors, alpha=0.6)
for i, value in enumerate(saved):
    left.text(0.02, i, f"{value:.1%}", va="center", fontsize=9)
left.axvline(0, color="black")
left.set(
    xlim=(-1.05, 0.35), xlabel="squared error saved, beside the last price",
    title="Better than no model?",
)  # fmt: skip
left.invert_yaxis()
shown = slice(-120, None)
dates = of_prices.time[test][shown]
right.fill_between(
    dates, low[shown], high[shown], color="tab:blue", alpha=0.25,
    label="90 % range of the GRU",
)  # fmt: skip
right.plot(dates, true[test][shown], "k.-", markersize=3, lw=0.8, label="next price")
right.set(title=f"Ranges of the next price of {source}", ylabel="price")
right.tick_params(axis="x", rotation=30)
right.legend()
plt.show()
