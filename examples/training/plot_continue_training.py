"""
Save a network, and continue its training later
===============================================

Train a network for 20 epochs (an epoch is one pass over the training rows), save it
with joblib, load it in another process, and train it for 20 more epochs. The result has
the same bits as one fit of 40 epochs. The example also updates a network with new rows,
and repeats a fit that was killed, which continues from its last checkpoint.
"""

# %%
# The data
# --------
# The sample of credit card clients that is part of skseq: six months of payment
# status, bill and payment. The last 500 rows stand for clients who come later.
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skseq import LSTMClassifier
from skseq.datasets import load_credit_default

frame, y = load_credit_default(return_X_y=True)
status = ["PAY_6", "PAY_5", "PAY_4", "PAY_3", "PAY_2", "PAY_0"]
columns = [
    name
    for month, pay in zip(range(6, 0, -1), status, strict=True)
    for name in (pay, f"BILL_AMT{month}", f"PAY_AMT{month}")
]
X, y = frame[columns].to_numpy(float), y.to_numpy()
X, X_new, y, y_new = X[:-500], X[-500:], y[:-500], y[-500:]
print("training rows:", X.shape, "   rows that come later:", X_new.shape)

# %%
# One fit of 40 epochs
# --------------------
# ``schedule=None`` keeps the learning rate constant. With the default,
# ``schedule="one_cycle"``, each fit raises and lowers the rate over its own epochs, so
# that two fits differ from one. An int as ``random_state`` makes fits repeatable.
options = {
    "units": 16,
    "n_timesteps": 6,
    "learning_rate": 0.002,
    "schedule": None,
    "random_state": 0,
}
whole = make_pipeline(StandardScaler(), LSTMClassifier(epochs=40, **options))
whole.fit(X, y)
print(f"epochs: {whole[-1].n_iter_}   last loss: {whole[-1].history_['loss'][-1]:.4f}")

# %%
# The first part, and a file
# --------------------------
# ``warm_start=True`` tells the network that the next ``fit`` continues. The file has
# what this needs: the weights, the state of the optimizer, the random state, and the
# number of epochs.
import tempfile
from pathlib import Path

import joblib

folder = Path(tempfile.mkdtemp())
first = make_pipeline(
    StandardScaler(), LSTMClassifier(epochs=20, warm_start=True, **options)
)
first.fit(X, y)
joblib.dump(first, folder / "model.joblib")
joblib.dump((X, y), folder / "rows.joblib")
print(f"epochs: {first[-1].n_iter_}   last loss: {first[-1].history_['loss'][-1]:.4f}")

# %%
# The second part, in another process
# -----------------------------------
# ``fit`` gets the same rows again. The scaler learns the same means from them, and the
# network continues for another 20 epochs.
import subprocess
import sys

CONTINUE = """
import sys
from pathlib import Path
import joblib

folder = Path(sys.argv[1])
model = joblib.load(folder / "model.joblib")
model.fit(*joblib.load(folder / "rows.joblib"))
joblib.dump(model, folder / "model.joblib")
"""
subprocess.run([sys.executable, "-c", CONTINUE, str(folder)], check=True)
second = joblib.load(folder / "model.joblib")
same = bool((second.predict_proba(X) == whole.predict_proba(X)).all())
print("epochs:", second[-1].n_iter_)
print("probabilities have the same bits as those of the unbroken fit:", same)

# %%
# ``history_`` has the losses of both parts. They lie on those of the unbroken fit.
import matplotlib.pyplot as plt

unbroken, parts = whole[-1].history_["loss"], second[-1].history_["loss"]
fig, ax = plt.subplots(figsize=(6.4, 4.2), layout="constrained")
ax.plot(range(1, 41), unbroken, color="0.75", lw=7, label="one fit of 40 epochs")
ax.plot(range(1, 21), parts[:20], "o-", ms=4, label="first process, then saved")
ax.plot(range(21, 41), parts[20:], "s-", ms=4, label="loaded in a second process")
ax.axvline(20.5, color="black", linestyle=":")
ax.set(
    xlabel="epoch",
    ylabel="training loss (log loss)",
    title="A saved network continues "
    + ("exactly where it stopped" if same else "where it stopped"),
)
ax.legend()
plt.show()

# %%
# New rows
# --------
# ``partial_fit`` trains one epoch on the rows that are passed, and needs no old ones.
# A pipeline has no ``partial_fit``: pass the rows through its scaler, and call the
# method of its last step. Here the clients who come later arrive in five batches of
# 100. Each batch is scored before the network learns from it.
from sklearn.metrics import log_loss

scaler, network = second[0], second[-1]
for start in range(0, 500, 100):
    batch = slice(start, start + 100)
    rows = scaler.transform(X_new[batch])
    loss = log_loss(y_new[batch], network.predict_proba(rows))
    network.partial_fit(rows, y_new[batch])
    print(f"rows {start:3} to {start + 99}: log loss before the update {loss:.3f}")

# %%
# A fit that is killed
# --------------------
# With a folder as ``checkpoint``, ``fit`` writes its state to a file while it trains.
# The process below is killed as soon as there is such a file. The same call in this
# process reads the file, and trains the epochs that are missing. The result has the
# same bits as that of a fit without interruption. By default, a file is written at most
# once a second. Here it is written after every five epochs.
import time

FIT = """
import sys
import joblib

model, rows = joblib.load(sys.argv[1])
model.fit(*rows)
"""
long = make_pipeline(
    StandardScaler(),
    LSTMClassifier(
        epochs=40, checkpoint=folder / "checkpoints", checkpoint_epochs=5, **options
    ),
)
joblib.dump((long, (X, y)), folder / "job.joblib")
process = subprocess.Popen([sys.executable, "-c", FIT, str(folder / "job.joblib")])
while process.poll() is None and not list(folder.glob("checkpoints/*.checkpoint")):
    time.sleep(0.01)
process.kill()
process.wait()
print("return code of the killed process:", process.returncode)

long.fit(X, y)
same = bool((long.predict_proba(X) == whole.predict_proba(X)).all())
print("epochs:", long[-1].n_iter_, "   same bits as the unbroken fit:", same)
