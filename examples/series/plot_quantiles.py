"""
Forecasting with quantiles
==========================

Predict a range instead of one value. A network with ``loss="quantile"`` predicts
several quantiles at once. A quantile of 0.95 is the value below which 95 % of the
targets are expected, so that 90 % are expected between the quantiles 0.05 and 0.95.
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
# Three test days. The range is wide in the evening, where the noise is.
import matplotlib.pyplot as plt

figure, axes = plt.subplots(figsize=(7, 4.2), layout="constrained")
days = slice(24 * 3)
time = np.arange(24 * 3)
axes.fill_between(
    time, quantiles[days, 0], quantiles[days, -1], alpha=0.25, label="5 % to 95 %"
)
axes.fill_between(
    time, quantiles[days, 1], quantiles[days, -2], alpha=0.4, color="C0",
    label="25 % to 75 %",
)  # fmt: skip
axes.plot(time, quantiles[days, 2], color="C0", lw=2, label="median")
axes.plot(time, y_test[days], "k.", markersize=6, label="demand")
axes.set(
    xlabel="hour of the test period",
    ylabel="demand in MW",
    title=f"Three hours ahead, {inside:.0%} of the values are in the 90 % range",
)
axes.set_ylim(top=1500)
axes.legend(loc="upper center", ncols=4)
plt.show()

# %%
# Coverage by hour of the day
# ---------------------------
# A constant range around the median, of the same coverage over all hours, is too narrow
# in the evening, and too wide at night.
when = of_day[n_timesteps - 1 + ahead :][n_train:]
constant = np.quantile(abs(y_test - quantiles[:, 2]), inside)
figure, axes = plt.subplots(figsize=(6.4, 4), layout="constrained")
for label, covered in (
    ("quantiles", (quantiles[:, 0] < y_test) & (y_test < quantiles[:, -1])),
    ("constant range", abs(y_test - quantiles[:, 2]) < constant),
):
    by_hour = [covered[when == h].mean() for h in range(24)]
    axes.plot(by_hour, "o-", label=f"{label}, lowest: {min(by_hour):.0%}")
axes.axhline(0.9, color="black", linestyle=":", label="90 %")
axes.set(
    xlabel="hour of the day",
    ylabel="share of test hours in the range",
    title="A constant range is too narrow in the evening",
)
axes.legend(loc="lower left")
plt.show()
