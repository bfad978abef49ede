"""
Simple, dense and recurrent networks on one table
=================================================

The breast cancer data of scikit-learn, half of it for training, is a table on which
many a tutorial compares networks. Its 30 columns are no sequence; read one after the
other as 30 timesteps of one feature they are still something that a recurrent network
can learn. Here are a network without hidden layers, a dense one and three recurrent
ones beside scikit-learn's logistic regression and gradient boosting.
"""

# %%
# The data
# --------
# Half of the 569 rows train, half test, with the classes in proportion. ``malignant``
# is what is to be found: it becomes class 1.
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
# All networks keep their default settings. ``dense_units=()`` has no hidden layer: it
# is logistic regression, trained by Adam. A 2-D X without ``n_timesteps`` is read as
# one column a timestep, so the recurrent networks take the table as it is.
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
# What a network learns depends on its first weights and on the order of the rows: each
# is fitted with three seeds, and the table gives mean and range. The curves are those
# of the first seed. What has no random part is fitted once.
import matplotlib.pyplot as plt
import pandas as pd
from sklearn.base import clone
from sklearn.metrics import RocCurveDisplay, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

n_seeds = 3
figure, axes = plt.subplots(figsize=(6, 6), layout="constrained")
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
            RocCurveDisplay.from_predictions(y_test, scores, name=name, ax=axes)
    rows.append(
        {
            "model": name,
            "mean ROC AUC": sum(aucs) / len(aucs),
            "least": min(aucs),
            "largest": max(aucs),
        }
    )
table = pd.DataFrame(rows).set_index("model").round(4)
print(table.sort_values("mean ROC AUC", ascending=False))

# %%
# Which one is best says little on 285 test rows: some of the models differ by less than
# a network differs from itself with another seed. A column order that means nothing
# gives a recurrent network nothing that the other models lack.
means = table["mean ROC AUC"]
networks = means.drop(["Logistic regression", "Gradient boosting"])
for baseline in ("Logistic regression", "Gradient boosting"):
    behind = networks[networks < means[baseline]]
    print(f"Networks behind {baseline.lower()}: {', '.join(behind.index) or 'none'}")

# %%
# The upper left corner of the curves, where they differ:
axes.set(xlim=(-0.01, 0.4), ylim=(0.6, 1.005), aspect="equal")
axes.set_title("Breast cancer, 50 % for the test, seed 0")
axes.legend(loc="lower right")
plt.show()
