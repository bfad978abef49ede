"""
Forecasting with quantiles
==========================

A forecast is more useful with a range. A network with ``loss="quantile"`` predicts
several quantiles at once, and the space between two of them holds a known share of the
values.
"""

# %%
# The data
# --------
# A year of hourly demand for power, made up of a daily cycle, of changes that last for
# some hours, and of noise that is largest in the evening.
import numpy as np

rng = np.random.default_rng(0)
hour = np.arange(24 * 365)
of_day = hour % 24
usual = 900 + 250 * np.sin(2 * np.pi * (of_day - 8) / 24)
lasting = np.zeros(len(hour))
for i, shock in enumerate(rng.normal(0, 25, len(hour) - 1)):
    lasting[i + 1] = 0.9 * lasting[i] + shock
spread = 15 + 60 * np.exp(-((of_day - 19) ** 2) / 8)
demand = usual + lasting + spread * rng.normal(size=len(hour))

# %%
# The last 24 hours are a sequence of 24 timesteps. Each has the demand, and the time of
# day as sine and cosine. y is the demand three hours after the last of them. The last
# quarter of the year is held out.
ahead, n_timesteps = 3, 24
angle = 2 * np.pi * of_day / 24
table = np.column_stack([demand, np.sin(angle), np.cos(angle)])
windows = np.lib.stride_tricks.sliding_window_view(table, n_timesteps, axis=0)
X = windows[:-ahead].reshape(len(windows) - ahead, -1)
y = demand[n_timesteps - 1 + ahead :]
n_train = len(y) * 3 // 4
X_train, X_test, y_train, y_test = X[:n_train], X[n_train:], y[:n_train], y[n_train:]

# %%
# The network
# -----------
# ``sliding_window_view`` puts all timesteps of a feature side by side, and
# ``SequenceReshaper`` makes sequences of them. The target needs no scaler: the network
# scales it, and predicts in megawatts.
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skseq import GRURegressor, SequenceReshaper

levels = (0.05, 0.25, 0.5, 0.75, 0.95)
model = make_pipeline(
    StandardScaler(),
    SequenceReshaper(n_timesteps, order="feature"),
    GRURegressor(
        units=16,
        pooling="last",
        epochs=15,
        loss="quantile",
        loss_params={"quantile": levels},
        random_state=0,
    ),
).fit(X_train, y_train)

# %%
# ``predict`` gives the median. A pipeline has no ``predict_quantiles``, but its last
# step has.
from sklearn.metrics import mean_absolute_error, mean_pinball_loss

quantiles = model[-1].predict_quantiles(model[:-1].transform(X_test))
same_hour = demand[n_timesteps - 1 + ahead - 24 : -24][n_train:]
print("Mean absolute error in MW")
print(f"  demand 24 hours before  {mean_absolute_error(y_test, same_hour):.1f}")
print(f"  median of the network   {mean_absolute_error(y_test, quantiles[:, 2]):.1f}")
print("quantile   share of test hours below   pinball loss in MW")
for i, level in enumerate(levels):
    share = np.mean(y_test < quantiles[:, i])
    loss = mean_pinball_loss(y_test, quantiles[:, i], alpha=level)
    print(f"  {level:.2f}               {share:.3f}               {loss:6.2f}")
inside = np.mean((quantiles[:, 0] < y_test) & (y_test < quantiles[:, -1]))
print(f"{inside:.1%} of the test hours are between the outer quantiles, of 90 %.")

# %%
# The range follows the noise: it is wide in the evening. A constant range around the
# median, of the same coverage over all hours, would be too narrow there, and too wide
# at night.
import matplotlib.pyplot as plt

figure, (left, right) = plt.subplots(
    1, 2, figsize=(14, 4.2), layout="constrained", width_ratios=(2, 1)
)
days = slice(24 * 7)
time = np.arange(24 * 7) / 24
left.fill_between(
    time, quantiles[days, 0], quantiles[days, -1], alpha=0.25, label="5 % to 95 %"
)
left.fill_between(
    time, quantiles[days, 1], quantiles[days, -2], alpha=0.4, color="C0",
    label="25 % to 75 %",
)  # fmt: skip
left.plot(time, quantiles[days, 2], color="C0", label="Median")
left.plot(time, y_test[days], "k.", markersize=4, label="Demand")
left.set(xlabel="Day", ylabel="Demand in MW", title="Forecasts for three hours ahead")
left.set_ylim(top=1500)
left.legend(loc="upper center", ncols=4)
when = of_day[n_timesteps - 1 + ahead :][n_train:]
width = quantiles[:, -1] - quantiles[:, 0]
constant = np.quantile(abs(y_test - quantiles[:, 2]), inside)
for label, covered in (
    ("Quantiles", (quantiles[:, 0] < y_test) & (y_test < quantiles[:, -1])),
    ("Constant range", abs(y_test - quantiles[:, 2]) < constant),
):
    right.plot([covered[when == h].mean() for h in range(24)], "o-", label=label)
right.axhline(0.9, color="black", linestyle=":")
right.set(xlabel="Hour", ylabel="Share of test hours inside", title="Coverage by hour")
right.legend(loc="lower left")
plt.show()
