"""
Comparing simple, dense and recurrent networks on a table
=========================================================

Many tutorials compare networks on the breast cancer data of scikit-learn. Its 30
columns are not a sequence, but a recurrent network can read them as 30 timesteps with
one feature. This example compares a network without hidden layers, a dense network and
three recurrent networks with scikit-learn's logistic regression and gradient boosting.
"""

# %%
# The data
# --------
# Half of the 569 rows are for training and half for testing, stratified by class.
# ``malignant`` is the positive class, with label 1.
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split

data = load_breast_cancer(as_frame=True)
X, y = data.data, (data.target == 0).astype(int)
X_train, X_test, y_train, y_test = train_test_split(
    X, y, test_size=0.5, stratify=y, random_state=0
)

# %%
# The models
# ----------
# All networks have their default parameters, except that ``dense_units=()`` removes the
# hidden layer: the network is then logistic regression, trained with Adam. In a 2-D X
# without ``n_timesteps``, each column is a timestep with one feature, so the recurrent
# networks accept the table directly.
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from skseq import DenseClassifier, GRUClassifier, LSTMClassifier, SimpleRNNClassifier

models = {
    "Logistic regression": LogisticRegression(),
    "Gradient boosting": HistGradientBoostingClassifier(random_state=0),
    "Simple network": DenseClassifier(dense_units=()),
    "Dense network": DenseClassifier(),
    "Simple RNN": SimpleRNNClassifier(),
    "LSTM": LSTMClassifier(),
    "GRU": GRUClassifier(),
}

# %%
# The results of a network depend on its random weights and the order of the rows, so
# each network is fitted with three seeds, and the table shows the mean and range. The
# other models have no random part and are fitted once. The figure shows the curves of
# the first seed.
import pandas as pd
from sklearn.base import clone
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

n_seeds = 3
curves = {}
rows = []
for name, model in models.items():
    is_network = type(model).__module__.startswith("skseq.")
    aucs = []
    for seed in range(n_seeds if is_network else 1):
        if is_network:
            model = clone(model).set_params(random_state=seed)
        fitted = make_pipeline(StandardScaler(), model).fit(X_train, y_train)
        scores = fitted.predict_proba(X_test)[:, 1]
        aucs.append(roc_auc_score(y_test, scores))
        if seed == 0:
            curves[name] = scores
    rows.append(
        {
            "model": name,
            "mean ROC AUC": sum(aucs) / len(aucs),
            "min": min(aucs),
            "max": max(aucs),
        }
    )
table = pd.DataFrame(rows).set_index("model").round(4)
print(table.sort_values("mean ROC AUC", ascending=False))

# %%
# The ranking means little with 285 test rows: some models differ by less than the same
# network with different seeds. Recurrent networks have no advantage here, because the
# order of the columns has no meaning.
means = table["mean ROC AUC"]
networks = means.drop(["Logistic regression", "Gradient boosting"])
for baseline in ("Logistic regression", "Gradient boosting"):
    worse = networks[networks < means[baseline]]
    print(f"Networks worse than {baseline.lower()}: {', '.join(worse.index) or 'none'}")

# %%
# The figure shows the upper left corner, where the curves differ.
import matplotlib.pyplot as plt
from sklearn.metrics import RocCurveDisplay

figure, axes = plt.subplots(figsize=(6, 6), layout="constrained")
for name, scores in curves.items():
    RocCurveDisplay.from_predictions(y_test, scores, name=name, ax=axes)
axes.set(xlim=(-0.01, 0.4), ylim=(0.6, 1.005), aspect="equal")
axes.set_title("Breast cancer, half of the rows for testing, seed 0")
axes.legend(loc="lower right")
plt.show()
