"""
Explain the predictions of a network
====================================

Explain why a network expects a credit card client to default, from six months of
payments. Permutation importance shows which values the score of the network depends on.
Integrated gradients show how the values of one client change its prediction.

The data is the sample of 2,000 clients that is part of skseq: I-C. Yeh, *Default of
Credit Card Clients*, UCI 350, https://doi.org/10.24432/C55S3H, CC BY 4.0.
"""

# %%
# The network
# -----------
# A reshaper arranges the columns of the table as six months of payment status, bill and
# payment. What belongs to no month, such as the age, is repeated in each of them.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skseq import GRUClassifier, SequenceReshaper
from skseq.datasets import load_credit_default
from skseq.inspection import (
    AttributionDisplay,
    PermutationImportanceDisplay,
    integrated_gradients,
    permutation_importance,
)

X, y = load_credit_default(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X, y, test_size=0.4, stratify=y, random_state=0
)
months = ["April", "May", "June", "July", "August", "September"]
initials = ["Apr", "May", "Jun", "Jul", "Aug", "Sep"]
reshaper = SequenceReshaper(
    columns={
        "months late": ["PAY_6", "PAY_5", "PAY_4", "PAY_3", "PAY_2", "PAY_0"],
        "bill": [f"BILL_AMT{month}" for month in range(6, 0, -1)],
        "paid": [f"PAY_AMT{month}" for month in range(6, 0, -1)],
    }
)
network = GRUClassifier(
    16, pooling="last", epochs=60, early_stopping=True, monitor="roc_auc",
    random_state=0,
)  # fmt: skip
pipeline = make_pipeline(StandardScaler(), reshaper, network)
pipeline.set_output(transform="pandas").fit(X_train, y_train)
scores = pipeline.predict_proba(X_test)[:, 1]
print(f"ROC AUC on {len(X_test)} test rows: {roc_auc_score(y_test, scores):.3f}")

# %%
# Which values matter?
# --------------------
# Each value is exchanged between the test rows, one month and one feature at a time. A
# feature without months is exchanged as a whole, so that its cells have one colour.
result = permutation_importance(
    pipeline, X_test, y_test, over="cells", scoring="roc_auc", n_repeats=10,
    random_state=0,
)  # fmt: skip
month, feature = np.unravel_index(
    result.importances_mean.argmax(), result.importances_mean.shape
)
figure, ax = plt.subplots(figsize=(6.4, 4), layout="constrained")
display = PermutationImportanceDisplay.from_importances(
    result, timesteps=initials, ax=ax
)
for number in display.ax_.texts:
    number.set_visible(False)
display.ax_.set_xlabel("Month", fontsize=13)
display.ax_.tick_params(labelsize=13)
figure.axes[-1].set_ylabel("Decrease in ROC AUC", fontsize=13)
figure.suptitle(
    f"Most important: {result.feature_names[feature]} in {months[month]}", fontsize=15
)
plt.show()

# %%
# The payment status of the last month counts the most: how many months a client is
# late. Do the months before tell nothing? The months of a feature are alike, and one
# stands in for another: as a whole, the status is worth more than any of its cells.
together = permutation_importance(
    pipeline, X_test, y_test, scoring="roc_auc", n_repeats=10, random_state=0
)
for name, cells, whole in zip(
    result.feature_names,
    result.importances_mean.max(axis=0),
    together.importances_mean,
    strict=True,
):
    print(f"{name:11} largest of its cells {cells:6.3f}, as a whole {whole:6.3f}")

# %%
# What one client's values add
# ----------------------------
# Integrated gradients compare a client with the mean client, who is 0 after scaling.
# They sum to the difference between the two predicted probabilities.
transform = pipeline[:-1].transform
attributions = integrated_gradients(network, transform(X_test))
start = network.predict_proba(np.zeros((1, 6, 8)))[0, 1]
lacking = attributions.sum(axis=(1, 2)) - (scores - start)
print(f"Probability of the mean client {start:.2f}; sums differ by {lacking.std():.5f}")

# Of the clients who were late in summer and have caught up, the one with the highest
# predicted probability.
raw = SequenceReshaper(columns=reshaper.columns).fit_transform(X_test)
caught_up = (raw[:, 2:4, 0].min(axis=1) >= 2) & (raw[:, 5, 0] <= 0)
client = np.flatnonzero(caught_up)[scores[caught_up].argmax()]
names = reshaper.sequence_features_
static = dict(zip(names[3:], attributions[client, :, 3:].sum(axis=0), strict=True))
print("Added by", ", ".join(f"{name} {value:+.2f}" for name, value in static.items()))

# %%
# The client was months late until August, which raises the probability the most. That
# nothing is due in September lowers it by less. The colours are the attributions, in
# units of the predicted probability.
figure, axes = plt.subplots(
    3, 1, figsize=(6.4, 4), height_ratios=(2, 1, 1), sharex=True, layout="constrained"
)
display = AttributionDisplay(
    attributions[client, :, :3],
    raw[client, :, :3],
    feature_names=["Months\nlate", "Bill", "Paid"],
    timesteps=initials,
).plot(ax=axes)
for ax in axes:
    ax.yaxis.label.set_size(13)
axes[-1].tick_params(axis="x", labelsize=13)
axes[-1].set_xlabel("Month (amounts in NT dollars)", fontsize=13)
largest = np.abs(attributions[client, :, :3].sum(axis=1)).argmax()
figure.suptitle(
    f"Predicted probability {scores[client]:.2f} (mean client {start:.2f}):\n"
    f"{months[largest]} changes it most",
    fontsize=14,
)
plt.show()
