"""
Search with Optuna, and prune poor trials
=========================================

Search for the parameters of a network with Optuna, which chooses new parameters from
the scores of those before. The score of poor ones is low after a few epochs already:
:func:`skseq.search.prune` ends their training early. The example needs ``pip install
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
# is in a file. If the search is stopped, the same code continues it.
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
# The best trial
# --------------
# The score of the best trial is the highest of many, and so a little too high. The test
# rows were not used before.
from sklearn.metrics import roc_auc_score

epochs = [len(trial.intermediate_values) for trial in study.trials]
best = network(study.best_params).fit(X, y)
auc = roc_auc_score(y_test, best.predict_proba(X_test)[:, 1])
print(f"Best parameters: {study.best_params}")
print(f"ROC AUC in the folds {study.best_value:.3f}, on test rows {auc:.3f}")
print(f"Epochs trained: {sum(epochs)} of {3 * EPOCHS * len(epochs)}")

# %%
# Pruned trials end early, most of them in the first fold. Dotted lines are the ends of
# folds.
import matplotlib.pyplot as plt

pruned = optuna.trial.TrialState.PRUNED
kinds = {"complete": "tab:blue", "pruned": "tab:red"}
figure, axes = plt.subplots(figsize=(7, 4.2), layout="constrained")
for trial in study.trials:
    kind = "pruned" if trial.state == pruned else "complete"
    steps, values = zip(*trial.intermediate_values.items(), strict=True)
    axes.plot(np.add(steps, 1), values, ".-", color=kinds[kind], alpha=0.6, label=kind)
for fold in (1, 2):
    axes.axvline(fold * EPOCHS + 0.5, color="black", linestyle=":")
axes.set(
    xlabel=f"epoch over all folds ({EPOCHS} in each)",
    ylabel="ROC AUC on held out rows",
    title=f"Pruning: {sum(epochs)} of {3 * EPOCHS * len(epochs)} epochs were trained",
)
lines = dict(zip(*axes.get_legend_handles_labels()[::-1], strict=True))
axes.legend(lines.values(), lines, loc="lower right")
plt.show()

# %%
# The learning rates of all trials, and the last ROC AUC that each has reported.
# ``optuna.visualization`` has more figures of a study.
figure, axes = plt.subplots(figsize=(6.4, 4), layout="constrained")
for kind, color in kinds.items():
    trials = [t for t in study.trials if (t.state == pruned) == (kind == "pruned")]
    rates = [trial.params["learning_rate"] for trial in trials]
    last = [trial.intermediate_values[trial.last_step] for trial in trials]
    axes.scatter(rates, last, color=color, s=50, label=kind)
axes.set(
    xlabel="learning rate",
    xscale="log",
    ylabel="last ROC AUC",
    title=f"The best learning rate is {study.best_params['learning_rate']:.2g}",
)
axes.legend(loc="upper left")
plt.show()
