"""
A price that is hard to predict
===============================

Predict the price of gold on the next day from the prices of the last twenty days.
Networks are compared with ridge regression, and with a forecast that needs no model:
the next price is the last one. No model is much better than this forecast, and most are
worse. What a network can predict is how far the price may move, as a range.

The daily prices from 2013 to 2022 are read from the file ``gold_price.csv``, if it is
in the folder SKSEQ_DATA. It is not part of skseq. Without the file, a random walk of
the same length is used.
"""

# %%
# The data
# --------
import os
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.dates import DateFormatter

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
# Networks on prices are worse than the last price: they have to learn that the next
# price is close to the last one, and their errors in this are larger than the change of
# a day. Forecasts of returns are added to the last price, and differ little from it. A
# plot of such forecasts over the prices looks nearly perfect nevertheless, because they
# follow the prices one day later.
saved = table["error saved"].drop("last price")
fig, ax = plt.subplots(figsize=(6.8, 4.4), layout="constrained")
colors = ["tab:red" if value < 0 else "tab:green" for value in saved]
ax.barh(saved.index, 100 * saved.clip(lower=-1), color=colors, alpha=0.6)
for i, value in enumerate(saved):
    ax.text(3, i, f"{value:.1%}", va="center", fontsize=10)
ax.axvline(0, color="black")
ax.set(
    xlim=(-103, 25),
    xlabel="squared error saved, in % of that of the last price (bars end at -100 %)",
    title="No forecast is better than the last price"
    if saved.max() <= 0
    else f"The best forecast saves {saved.max():.1%} of the squared error",
)
ax.invert_yaxis()
plt.show()

# %%
# The range of the next day
# -------------------------
# The size of the changes is easier to predict than their direction, because weeks of
# small changes and weeks of large changes follow each other. A network with the
# quantile loss predicts a range for each day, in which 90 % of the prices are expected.
# The share of the test days that it holds is measured.
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

fig, ax = plt.subplots(figsize=(7, 4.2), layout="constrained")
shown = slice(-120, None)
dates = of_prices.time[test][shown]
ax.fill_between(
    dates, low[shown], high[shown], color="tab:blue", alpha=0.25,
    label="90 % range of the GRU",
)  # fmt: skip
ax.plot(dates, true[test][shown], "k.-", markersize=3, lw=0.8, label="next price")
ax.set(
    xlabel="end of the window",
    ylabel="price in US dollars per ounce" if path.exists() else "price",
    title=f"The range of the network holds {inside:.0%} of the prices of the test days",
)
ax.xaxis.set_major_formatter(DateFormatter("%b %Y"))
ax.legend()
plt.show()
