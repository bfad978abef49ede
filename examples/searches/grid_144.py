"""
A grid of 144 networks
======================

Compare 144 LSTM networks on three kinds of data: a table, short series, and text. For
each kind, the grid has three sizes, two slopes of leaky ReLU, two optimizers, two batch
sizes, and one or two layers. The scores are kept in an Optuna study in SQLite: if the
script is stopped, the next call continues with the networks that are missing.

.. code-block:: bash

   python examples/searches/grid_144.py             # all of them
   python examples/searches/grid_144.py --n 6       # at most six more, then stop

All networks together take less than half an hour on two cores: 8 to 32 units, 8 epochs,
three folds, 569 patients, 2,000 clients and 3,000 tweets. The results do not apply to
larger networks or longer training. The figures are on the page :doc:`/guide/tracking`.
"""

# %%
# The data
# --------
# - *table*: breast cancer, 30 columns, read as 30 timesteps of one feature;
# - *series*: six months of repayment status, bill and payment of credit card clients;
# - *text*: is a tweet about a debate negative? The file is not part of skseq. It is
#   used if it is in the folder SKSEQ_DATA; otherwise there are two kinds of data, and
#   96 networks.
import argparse
import os
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import StratifiedKFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skseq import LSTMClassifier, SequenceScaler, TextSequencer
from skseq.datasets import load_credit_default

TWEETS = Path(os.environ.get("SKSEQ_DATA", "."), "gop_debate_sentiment.csv.gz")


def load_series():
    """Load six months of three features, the oldest first."""
    X, y = load_credit_default(return_X_y=True)
    months = [
        X[[f"PAY_{month}", f"BILL_AMT{max(month, 1)}", f"PAY_AMT{max(month, 1)}"]]
        for month in (6, 5, 4, 3, 2, 0)
    ]
    return np.stack([one.to_numpy(np.float32) for one in months], axis=1), y.to_numpy()


def load_text():
    """Load 3,000 tweets, each text once."""
    tweets = pd.read_csv(TWEETS).drop_duplicates("text").sample(3000, random_state=0)
    return tweets["text"].to_numpy(), (tweets["sentiment"] == "Negative").to_numpy(int)


DATA = {
    "table": (load_breast_cancer(return_X_y=True), StandardScaler()),
    "series": (load_series(), SequenceScaler()),
}
if TWEETS.exists():
    DATA["text"] = load_text(), TextSequencer(min_df=2, max_length=24)

# %%
# The networks
# ------------
GRID = {
    "data": list(DATA),
    "units": [8, 16, 32],
    "negative_slope": [0.01, 0.3],
    "optimizer": ["adam", "rmsprop"],
    "batch_size": [32, 128],
    "n_layers": [1, 2],
}


def make_network(params):
    """Make a pipeline of the transformer of the data and an LSTM."""
    slope = {"name": "leaky_relu", "negative_slope": params["negative_slope"]}
    return make_pipeline(
        DATA[params["data"]][1],
        LSTMClassifier(
            units=(params["units"],) * params["n_layers"],
            layer_activation=slope,
            optimizer=params["optimizer"],
            batch_size=params["batch_size"],
            embedding_dim=16 if params["data"] == "text" else None,
            epochs=8,
            random_state=0,
        ),
    )


def objective(trial):
    """Score a network, and keep scores and times under scikit-learn's names."""
    params = {name: trial.suggest_categorical(name, GRID[name]) for name in GRID}
    X, y = DATA[params["data"]][0]
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    found = cross_validate(
        make_network(params), X, y, cv=folds, scoring="roc_auc", error_score="raise"
    )
    for name, values in found.items():
        trial.set_user_attr(f"mean_{name}", float(values.mean()))
        trial.set_user_attr(f"std_{name}", float(values.std()))
    return trial.user_attrs["mean_test_score"]


# %%
# The figures
# -----------
# ROC AUCs of different data can't be compared. So there is also the *gain*: the score
# of a network minus the mean score of all networks on the same data.


def draw(study, folder):
    """Save the table of results, the correlations, and the distributions."""
    import matplotlib.pyplot as plt

    from skseq.search import (
        SearchCorrelationDisplay,
        SearchScoresDisplay,
        SearchTimesDisplay,
    )

    table = study.trials_dataframe(("params", "user_attrs", "state"))
    table = table[table["state"] == "COMPLETE"].drop(columns="state")
    table.columns = [
        name.replace("params_", "param_").replace("user_attrs_", "")
        for name in table.columns
    ]
    # Processes side by side may both fit the last ones.
    table = table.drop_duplicates([f"param_{name}" for name in GRID])
    score = table["mean_test_score"]
    table["mean_test_gain"] = score - score.groupby(table["param_data"]).transform(
        "mean"
    )
    table = table.sort_values([f"param_{name}" for name in GRID], ignore_index=True)
    table.round(4).to_csv(folder / "grid_144.csv", index=False)
    figures = {}
    if len(table) > 2:
        figures["correlations"] = SearchCorrelationDisplay.from_search(table).figure_
    fig, axes = plt.subplots(2, 2, figsize=(10, 7), layout="constrained")
    several = [name for name in GRID if table[f"param_{name}"].nunique() > 1]
    SearchScoresDisplay.from_search(table, metric="score", ax=axes[0, 0])
    SearchTimesDisplay.from_search(table, metric="score", ax=axes[0, 1])
    for by, ax in zip(["data", "batch_size"], axes[1], strict=True):
        if by in several:
            metric = "score" if by == "data" else "gain"
            SearchScoresDisplay.from_search(table, by=by, metric=metric, ax=ax)
    figures["scores"] = fig
    for name, figure in figures.items():
        figure.savefig(folder / f"grid_144_{name}.png", dpi=80)
        plt.close(figure)


# %%
# The search
# ----------
# ``GridSampler`` draws the networks in random order, each of them once, and reads from
# the database which ones are finished. Two threads share the TensorFlow programs that
# skseq has built.


def main(arguments=None):
    """Continue the study, and draw its results."""
    import optuna

    parser = argparse.ArgumentParser(description=__doc__.split("\n")[1])
    parser.add_argument("--n", type=int, help="networks to fit now; default: all")
    parser.add_argument("--jobs", type=int, default=2, help="threads")
    parser.add_argument("--storage", default="grid_144.db", help="file of the study")
    parser.add_argument("--out", default=".", help="folder for table and pictures")
    options = parser.parse_args(arguments)
    study = optuna.create_study(
        study_name=f"grid of {'-'.join(DATA)}",
        storage=f"sqlite:///{options.storage}",
        sampler=optuna.samplers.GridSampler(GRID, seed=0),
        direction="maximize",
        load_if_exists=True,
    )
    if not study.sampler.is_exhausted(study):
        study.optimize(objective, n_trials=options.n, n_jobs=options.jobs)
    draw(study, Path(options.out))
    return study


if __name__ == "__main__":
    main()
