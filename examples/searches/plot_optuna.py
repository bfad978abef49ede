"""
A search by Optuna that prunes
==============================

A study of Optuna proposes the parameters of networks by what it has learned from those
before. Most proposals are poor, and this is visible after a few epochs:
:func:`skseq.search.prune` ends their training early. Needs ``pip install
"skseq[optuna]"``.
"""

# %%
# The data
# --------
# The data is the sample of credit card clients that is part of skseq: six months of
# payment status, bill and payment, one timestep each.
from sklearn.model_selection import StratifiedKFold, train_test_split
from sklearn.preprocessing import StandardScaler

from skseq.datasets import load_credit_default

frame, y = load_credit_default(return_X_y=True)
status = ["PAY_6", "PAY_5", "PAY_4", "PAY_3", "PAY_2", "PAY_0"]
columns = [
    name
    for month, pay in zip(range(6, 0, -1), status, strict=True)
    for name in (pay, f"BILL_AMT{month}", f"PAY_AMT{month}")
]
X, X_test, y, y_test = train_test_split(
    frame[columns].to_numpy(), y.to_numpy(), test_size=0.5, stratify=y, random_state=0
)
scaler = StandardScaler().fit(X)
X, X_test = scaler.transform(X), scaler.transform(X_test)

# %%
# The study
# ---------
# Each trial trains a network in three folds. The callback reports the ROC AUC on the
# held out rows after each epoch. The median pruner ends a trial whose best value so far
# is below the median of the other trials at the same epoch of the same fold. The study
# is in a file, so that the same lines go on with it after a stop.
import tempfile
from pathlib import Path

import numpy as np
import optuna

from skseq import GRUClassifier
from skseq.search import prune

EPOCHS = 12
folds = StratifiedKFold(3, shuffle=True, random_state=0)


def network(params):
    return GRUClassifier(
        units=params["units"], learning_rate=params["learning_rate"], epochs=EPOCHS,
        n_timesteps=6, monitor="roc_auc", random_state=0,
    )  # fmt: skip


def objective(trial):
    trial.suggest_categorical("units", [8, 16])
    trial.suggest_float("learning_rate", 1e-5, 1e-1, log=True)
    net = network(trial.params).set_params(callbacks=prune(trial, "val_roc_auc"))
    scores = []
    for train, test in folds.split(X, y):
        net.fit(X[train], y[train], X_val=X[test], y_val=y[test])
        scores.append(net.history_["val_roc_auc"][-1])
    return np.mean(scores)


optuna.logging.set_verbosity(optuna.logging.WARNING)
folder = tempfile.TemporaryDirectory()
study = optuna.create_study(
    study_name="credit",
    storage=f"sqlite:///{Path(folder.name) / 'search.db'}",
    load_if_exists=True,
    direction="maximize",
    sampler=optuna.samplers.TPESampler(seed=0),
    pruner=optuna.pruners.MedianPruner(n_startup_trials=4, n_warmup_steps=2),
)
study.optimize(objective, n_trials=20)

# %%
# What it found
# -------------
# The score of the best trial is the best of many, and so a little too good. The test
# rows were not used before.
from sklearn.metrics import roc_auc_score

epochs = [len(trial.intermediate_values) for trial in study.trials]
best = network(study.best_params).fit(X, y)
auc = roc_auc_score(y_test, best.predict_proba(X_test)[:, 1])
print(f"Best parameters: {study.best_params}")
print(f"ROC AUC in the folds {study.best_value:.3f}, on test rows {auc:.3f}")
print(f"Epochs trained: {sum(epochs)} of {3 * EPOCHS * len(epochs)}")

# %%
# Trials that were pruned end early, most of them in the first fold. Vertical lines are
# the ends of folds. ``optuna.visualization`` has more figures of a study.
import matplotlib.pyplot as plt

figure, (left, right) = plt.subplots(1, 2, figsize=(12, 4.2), layout="constrained")
pruned = optuna.trial.TrialState.PRUNED
for trial in study.trials:
    color = "tab:gray" if trial.state == pruned else "tab:blue"
    steps, values = zip(*trial.intermediate_values.items(), strict=True)
    left.plot(np.add(steps, 1), values, ".-", color=color, alpha=0.6)
    right.scatter(trial.params["learning_rate"], values[-1], color=color)
for fold in (1, 2):
    left.axvline(fold * EPOCHS + 0.5, color="black", linestyle=":")
left.set(xlabel="Epoch over all folds", ylabel="ROC AUC", title="Trials")
right.set(
    xlabel="Learning rate", xscale="log", ylabel="Last ROC AUC",
    title="Blue: complete, gray: pruned",
)  # fmt: skip
plt.show()
