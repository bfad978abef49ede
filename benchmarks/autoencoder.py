"""Compare autoencoders with other libraries: codes, outlier detection and time.

    python benchmarks/autoencoder.py                 all parts
    python benchmarks/autoencoder.py --parts time    one of codes anomalies credit time

- ``codes`` fits half of the digits, with 2 and 8 components. It prints the
  reconstruction error of held-out rows, divided by that of PCA, and the accuracy of the
  nearest neighbour among the codes of the training rows. skseq is compared with PCA,
  the same network in plain Keras, and UMAP.
- ``anomalies`` prints the ROC AUC of the score for rare rows, where half of the rows
  are held out. The training half of a table contains either its share of rare rows,
  without labels, or none; in the first case, its own rare rows are scored too.
  Sequences are altered only in the held-out half. The lines of skseq that name a
  network have one network and its error alone. skseq is compared with
  IsolationForest, LocalOutlierFactor, the reconstruction error of PCA, and PyOD's
  AutoEncoder, on standardised flat rows.
- ``credit`` compares logistic regression on codes and on the table.
- ``time`` measures a warm ``fit``, and ``transform`` of 100,000 rows, in turn with the
  same network in PyTorch and in Keras. For reliable times, run this part alone, on an
  idle machine: if another program is running, PyTorch's threads spin while they wait
  for each other, and a fit takes about 50 times as long. The environment variable
  ``OMP_WAIT_POLICY=passive`` prevents most of this.

All models of a seed use the same split. These settings were fixed before their scores
were known: "skseq" in ``codes``, and in ``anomalies`` those with the defaults of
AutoencoderTransformer and with 8 components. The other variants, the default network of
the detector (at most 8 components, early stopping), and its score of error and distance
(on these and 30 other tables and sets of sequences, seeds 0 to 4) were chosen with such
scores in view, so these scores are no evidence for them. Credit default is trained for
40 epochs with batches of 128, as in scores.py. A library that is not installed is
skipped with a message.
"""

import argparse
import os
import platform
import warnings
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier, LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import scores

from skseq import AutoencoderOutlierDetector, AutoencoderTransformer

PARTS = ["codes", "anomalies", "credit", "time"]
PACKAGES = {"umap": "umap-learn", "pyod": "pyod", "torch": "torch"}
RATE = 0.002


@cache  # prints the message only once
def installed(module):
    if find_spec(module) is not None:
        return True
    print(f"{module} is not installed and is skipped: pip install {PACKAGES[module]}")
    return False


def table(titles, rows):
    print("\n| " + " | ".join(titles) + " |")
    print("|---" + "|---:" * (len(titles) - 1) + "|", flush=True)
    for row in rows:
        print("| " + " | ".join(row) + " |", flush=True)


def verdict(holds):
    return "met" if holds else "not met"


# ------------------------------------------------------------------------------ codes

VARIANTS = {
    "skseq": {},
    "skseq, early stopping": {"early_stopping": True},
    "skseq, denoising": {"noise": 0.1},
    "skseq, variational, beta 0.01": {"variational": True, "beta": 0.01},
    "skseq, variational, crossentropy": {
        "variational": True,
        "loss": "binary_crossentropy",
    },
    "skseq, standardised": {"scale": "standard"},
}


def pca_codes(train, test, n_components, seed):
    """Compute the codes of training and test rows, and reconstruct the test rows."""
    pca = PCA(n_components, random_state=seed).fit(train)
    codes = pca.transform(test)
    return pca.transform(train), codes, pca.inverse_transform(codes)


def skseq_codes(train, test, n_components, seed, **params):
    ours = AutoencoderTransformer(
        n_components, **{"scale": None, **params}, random_state=seed
    ).fit(train)
    codes = ours.transform(test)
    return ours.transform(train), codes, ours.inverse_transform(codes)


def keras_codes(train, test, n_components, seed):
    import keras

    keras.utils.set_random_seed(seed)
    encoder, decoder = keras_network("dense", train.shape[1:], (128, 64), n_components)
    model = keras_compiled(encoder, decoder)
    model.fit(train, train, epochs=100, batch_size=32, verbose=0)
    codes = encoder.predict(test, verbose=0)
    return (
        encoder.predict(train, verbose=0),
        codes,
        decoder.predict(codes, verbose=0),
    )


def umap_codes(train, test, n_components, seed):
    from umap import UMAP

    umap = UMAP(n_components=n_components, random_state=seed, n_jobs=1).fit(train)
    return umap.embedding_, umap.transform(test), None


def run_codes(seeds):
    X, y = load_digits(return_X_y=True)
    X = X / 16
    ways = {"PCA": pca_codes}
    for name, params in VARIANTS.items():
        ways[name] = lambda *args, params=params: skseq_codes(*args, **params)
    ways["plain Keras, same network"] = keras_codes
    if installed("umap"):
        ways["UMAP"] = umap_codes
    print(f"\nDigits, 898 training and 899 held-out rows, medians of {seeds} seeds")
    for n_components in (2, 8):
        ratios, accuracies = {}, {}
        for seed in range(seeds):
            train, test, y_train, y_test = train_test_split(
                X, y, test_size=0.5, stratify=y, random_state=seed
            )
            for name, way in ways.items():
                codes_train, codes, back = way(train, test, n_components, seed)
                nearest = KNeighborsClassifier(1).fit(codes_train, y_train)
                accuracies.setdefault(name, []).append(nearest.score(codes, y_test))
                if back is None:
                    continue
                error = ((back - test) ** 2).mean()
                if name == "PCA":
                    linear = error
                ratios.setdefault(name, []).append(error / linear)
        ratios = {name: np.median(found) for name, found in ratios.items()}
        accuracies = {name: np.median(found) for name, found in accuracies.items()}
        table(
            [f"{n_components} components", "error / PCA's", "1-neighbour accuracy"],
            [
                [
                    name,
                    f"{ratios[name]:.3f}" if name in ratios else "-",
                    f"{accuracies[name]:.3f}",
                ]
                for name in ways
            ],
        )
        holds = verdict(ratios["skseq"] <= 0.9)
        print(f"\nGoal: error of skseq at most 0.9 times that of PCA: {holds}.")
        if n_components == 2:
            holds = verdict(accuracies["skseq"] > accuracies["PCA"])
            print(f"Goal: accuracy of skseq above that of PCA: {holds}.")


# -------------------------------------------------------------------------- anomalies

N_CODE = 8

# The detector of versions before 0.5.
ONE_NETWORK = {"criterion": "error", "n_networks": 1}


def detector(**params):
    """Make a function that returns a detector with one network for a seed."""

    def make(seed):
        autoencoder = AutoencoderTransformer(**params)
        return AutoencoderOutlierDetector(autoencoder, **ONE_NETWORK, random_state=seed)

    return make


class PCAError(BaseEstimator):
    """Score rows by the reconstruction error of PCA with ``N_CODE`` components."""

    def fit(self, X, y=None):
        self.pca_ = PCA(min(N_CODE, *X.shape)).fit(X)
        return self

    def score_samples(self, X):
        back = self.pca_.inverse_transform(self.pca_.transform(X))
        return -((back - X) ** 2).mean(axis=1)


class PyODError(BaseEstimator):
    def __init__(self, seed):
        self.seed = seed

    def fit(self, X, y=None):
        from pyod.models.auto_encoder import AutoEncoder

        self.model_ = AutoEncoder(random_state=self.seed, verbose=0).fit(X)
        return self

    def score_samples(self, X):
        return -self.model_.decision_function(X)


def standardised(make):
    def made(seed):
        return make_pipeline(StandardScaler(), make(seed))

    return made


def anomaly_models(sequences):
    """Make a dict of functions, by name, that return a model for a seed."""
    code = {"n_components": N_CODE}
    models = {
        "skseq": lambda seed: AutoencoderOutlierDetector(random_state=seed),
        "skseq, one network": lambda seed: AutoencoderOutlierDetector(
            criterion="both", n_networks=1, random_state=seed
        ),
        "skseq, error alone": lambda seed: AutoencoderOutlierDetector(
            criterion="error", random_state=seed
        ),
        "skseq, one network, error alone": lambda seed: AutoencoderOutlierDetector(
            **ONE_NETWORK, random_state=seed
        ),
        "skseq, default AutoencoderTransformer": detector(),
        f"skseq, {N_CODE} components": detector(**code),
    }
    if sequences:
        # The default is the error alone.
        del models["skseq, error alone"], models["skseq, one network"]
        models["skseq, error and distance"] = lambda seed: AutoencoderOutlierDetector(
            criterion="both", random_state=seed
        )
        models[f"skseq, LSTM, {N_CODE} components"] = detector(
            kind="lstm", layer_sizes=32, **code
        )
        models[f"skseq, Conv1D, {N_CODE} components"] = detector(
            kind="conv1d", layer_sizes=(32, 32), **code
        )
    models["IsolationForest"] = lambda seed: IsolationForest(random_state=seed)
    models["LocalOutlierFactor"] = lambda seed: LocalOutlierFactor(novelty=True)
    models["PCA reconstruction error"] = lambda seed: PCAError()
    if installed("pyod") and installed("torch"):
        models["PyOD's AutoEncoder"] = PyODError
    return {
        name: make if name.startswith("skseq") else standardised(make)
        for name, make in models.items()
    }


def with_rare(X, rare, fraction, seed, n_rows=None):
    """Draw rows at random, with a fraction of rare ones.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_columns)
    rare : ndarray of bool, shape (n_samples,)
    fraction : float
        Share of rare rows among the returned rows.
    seed : int
    n_rows : int or None
        Number of returned rows. None: all rows that are not rare are returned.

    Returns
    -------
    X, rare : ndarray
    """
    rng = np.random.default_rng(seed)
    usual, unusual = np.flatnonzero(~rare), np.flatnonzero(rare)
    n_usual = len(usual) if n_rows is None else round((1 - fraction) * n_rows)
    n_unusual = round(n_usual * fraction / (1 - fraction))
    rows = np.r_[
        rng.choice(usual, n_usual, replace=False),
        rng.choice(unusual, n_unusual, replace=False),
    ]
    return X[rows], rare[rows]


def tables():
    """Make a dict of functions, by title, that draw rows for a seed.

    The functions also return which of the rows are rare.
    """
    X_cancer, y_cancer = load_breast_cancer(return_X_y=True)
    X_wine, y_wine = load_wine(return_X_y=True)
    X_digits, y_digits = load_digits(return_X_y=True)
    found = {
        "cancer": lambda seed: with_rare(X_cancer, y_cancer == 0, 0.1, seed),
        "wine": lambda seed: with_rare(X_wine, y_wine == 2, 0.1, seed),
        "digits": lambda seed: with_rare(X_digits, y_digits == seed % 10, 0.05, seed),
    }
    if (scores.FOLDER / "credit_default.csv.gz").is_file():
        X, y = scores.credit_default()
        X, y = X.to_numpy(float), y.to_numpy() == 1
        found["credit default"] = lambda seed: with_rare(X, y, 0.05, seed, 6000)
    else:
        print(f"credit_default.csv.gz is not in {scores.FOLDER} and is skipped.")
    return found


def air_quality():
    """Load days of 24 hours, with sensors, temperature and humidity as features."""
    path = scores.FOLDER / "air_quality.csv.gz"
    air = pd.read_csv(path, parse_dates=["datetime"], index_col="datetime")
    air = air.filter(regex=r"^PT08|^T$|^RH$|^AH$").replace(-200, np.nan)
    air = air.interpolate(limit_direction="both")
    whole = air.groupby(air.index.date).transform("size") == 24
    return air[whole].to_numpy().reshape(-1, 24, air.shape[1])


def sines(n_rows=800, n_steps=30):
    """Generate pairs of noisy waves of random length, height and phase."""
    rng = np.random.default_rng(0)
    cycles, height = rng.uniform([1, 0.5], [2, 1.5], (n_rows, 2)).T
    start = rng.uniform(0, 2 * np.pi, n_rows)
    angles = start[:, None] + 2 * np.pi * np.outer(cycles, np.arange(n_steps) / n_steps)
    X = height[:, None, None] * np.sin(angles[..., None] - [0, np.pi / 2])
    return X + rng.normal(scale=0.1, size=X.shape)


def stuck(row, spread, rng):
    """Keep one sensor constant from a random time in the first half."""
    step, sensor = rng.integers(len(row) // 2), rng.integers(row.shape[1])
    row[step:, sensor] = row[step, sensor]
    return row


def spike(row, spread, rng):
    """Move one value by three standard deviations."""
    step, sensor = rng.integers(len(row)), rng.integers(row.shape[1])
    row[step, sensor] += rng.choice([-3, 3]) * spread[sensor]
    return row


def shifted(row, spread, rng):
    """Swap the two halves of a sequence."""
    return np.roll(row, len(row) // 2, axis=0)


ALTERATIONS = {"stuck": stuck, "spike": spike, "shifted": shifted}


def altered(X, seed):
    """Alter a twentieth of the rows in each way, and keep the rest.

    Returns
    -------
    rows : dict of str to ndarray
    rest : ndarray
    """
    rng = np.random.default_rng(seed)
    spread = X.std(axis=(0, 1))
    order, n_each = rng.permutation(len(X)), round(len(X) / 20)
    rows = {}
    for i, (name, alter) in enumerate(ALTERATIONS.items()):
        chosen = order[i * n_each : (i + 1) * n_each]
        rows[name] = np.stack([alter(X[row].copy(), spread, rng) for row in chosen])
    return rows, X[order[len(ALTERATIONS) * n_each :]]


def area(model, usual, unusual):
    values = -np.r_[model.score_samples(usual), model.score_samples(unusual)]
    return roc_auc_score(np.repeat([0, 1], [len(usual), len(unusual)]), values)


def flat(X):
    return X.reshape(len(X), -1)


def print_areas(titles, found):
    table(
        titles,
        [
            [name, *(f"{np.median(values):.3f}" for values in areas.values())]
            for name, areas in found.items()
        ],
    )
    table(
        [f"{titles[0]}mean ± standard deviation", *titles[1:]],
        [
            [
                name,
                *(
                    f"{np.mean(values):.3f} ± {np.std(values):.3f}"
                    for values in areas.values()
                ),
            ]
            for name, areas in found.items()
        ],
    )


def run_tables(seeds):
    data, models = tables(), anomaly_models(sequences=False)
    settings = {"with rare rows": {}, "without rare rows": {}}
    same_rows = {}
    for title, draw in data.items():
        for seed in range(seeds):
            X, rare = draw(seed)
            train, test, rare_train, rare = train_test_split(
                X, rare, test_size=0.5, stratify=rare, random_state=seed
            )
            for name, make in models.items():
                for setting, found in settings.items():
                    rows = train if setting == "with rare rows" else train[~rare_train]
                    areas = found.setdefault(name, {}).setdefault(title, [])
                    model = make(seed).fit(rows)
                    areas.append(area(model, test[~rare], test[rare]))
                    if rows is train:
                        areas = same_rows.setdefault(name, {}).setdefault(title, [])
                        areas.append(area(model, train[~rare_train], train[rare_train]))
    print(
        f"\nROC AUC of rare rows, medians of {seeds} seeds. Rare rows are malignant "
        f"tumours (10 %), the third kind of wine (10 %), one digit, which differs "
        f"between seeds (5 %), and defaults (5 % of 6,000 rows). PCA has {N_CODE} "
        f"components."
    )
    for setting, found in settings.items():
        print(f"\nTraining {setting}:")
        print_areas(["", *data], found)
    print("\nTraining with rare rows, and scores of the training rows themselves:")
    print_areas(["", *data], same_rows)


def run_sequences(seeds):
    data = {"sines": sines()}
    if (scores.FOLDER / "air_quality.csv.gz").is_file():
        data = {"air quality": air_quality(), **data}
    else:
        print(f"air_quality.csv.gz is not in {scores.FOLDER} and is skipped.")
    models = anomaly_models(sequences=True)
    for title, X in data.items():
        found = {}
        for seed in range(seeds):
            train, test = train_test_split(X, test_size=0.5, random_state=seed)
            unusual, usual = altered(test, seed)
            unusual["all"] = np.concatenate(list(unusual.values()))
            for name, make in models.items():
                shape = (lambda X: X) if name.startswith("skseq") else flat
                model = make(seed).fit(shape(train))
                for way, rows in unusual.items():
                    areas = found.setdefault(name, {}).setdefault(way, [])
                    areas.append(area(model, shape(usual), shape(rows)))
        print(
            f"\nROC AUC of altered sequences, {title}: {len(X)} sequences of "
            f"{X.shape[1]} timesteps and {X.shape[2]} features. 5 % of the held-out "
            f"sequences are altered in each way. Medians of {seeds} seeds. PCA has "
            f"{N_CODE} components."
        )
        print_areas(["", *ALTERATIONS, "all"], found)


def run_anomalies(seeds):
    run_tables(seeds)
    run_sequences(seeds)


# ----------------------------------------------------------------------------- credit


def code_models(seed, *front, **params):
    """Yield logistic regressions on the table and on codes of 8 components."""
    codes = {
        "logistic regression": (),
        "PCA": (PCA(N_CODE, random_state=seed),),
        "autoencoder": (AutoencoderTransformer(N_CODE, random_state=seed, **params),),
        "variational": (
            AutoencoderTransformer(
                N_CODE, variational=True, beta=0.1, random_state=seed, **params
            ),
        ),
    }
    for name, step in codes.items():
        yield (
            name,
            make_pipeline(
                *front, StandardScaler(), *step, StandardScaler(),
                LogisticRegression(max_iter=1000),
            ),
        )  # fmt: skip


def run_credit(seeds):
    if not scores.FOLDER.is_dir():
        print(
            f"The folder {scores.FOLDER} does not exist: the credit tables are skipped."
        )
        return
    print(f"\nLogistic regression on the table and on codes of {N_CODE} components.")
    scores.compare(
        "German credit, one-hot encoded", *scores.german_credit(),
        lambda seed: code_models(seed, scores.one_hot()), 0.5, seeds,
    )  # fmt: skip
    scores.compare(
        "Credit default", *scores.credit_default(),
        lambda seed: code_models(seed, epochs=40, batch_size=128), 0.3, seeds,
    )  # fmt: skip


# ------------------------------------------------------------------------------- time

N_MANY = 100_000

LINES = {
    # name: kind, units or filters of the encoder's layers, n_components, shape of the
    # training rows, epochs
    "Dense 128-64-2-64-128": ("dense", (128, 64), 2, (899, 64), 50),
    "LSTM 32-4-32": ("lstm", (32,), 4, (1000, 30, 3), 10),
    "GRU 32-4-32": ("gru", (32,), 4, (1000, 30, 3), 10),
    "Conv1D 32-32-4-32-32": ("conv1d", (32, 32), 4, (1000, 64, 3), 10),
}


def rows_for(shape, n_rows):
    if len(shape) == 2:
        X = load_digits().data[: shape[0]] / 16
        return np.resize(X, (n_rows, *shape[1:])).astype(np.float32)
    rng = np.random.default_rng(0)
    return rng.normal(size=(n_rows, *shape[1:])).astype(np.float32)


def keras_network(kind, shape, sizes, n_components):
    """Build the same encoder and decoder as skseq in plain Keras."""
    from keras import Input, Sequential, layers

    code = layers.Dense(n_components)
    if kind == "dense":
        encoder = [layers.Dense(size, "relu") for size in sizes]
        decoder = [layers.Dense(size, "relu") for size in reversed(sizes)]
        decoder.append(layers.Dense(shape[0]))
    elif kind in ("lstm", "gru"):
        cell = layers.LSTM if kind == "lstm" else layers.GRU
        encoder = [cell(*sizes)]
        decoder = [
            layers.RepeatVector(shape[0]),
            cell(*sizes, return_sequences=True),
            layers.Dense(shape[1]),
        ]
    else:
        first, second = sizes
        encoder = [
            layers.Conv1D(first, 5, padding="same", activation="relu"),
            layers.MaxPooling1D(),
            layers.Conv1D(second, 5, padding="same", activation="relu"),
            layers.MaxPooling1D(),
            layers.Flatten(),
        ]
        decoder = [
            layers.Dense(shape[0] // 4 * second, "relu"),
            layers.Reshape((shape[0] // 4, second)),
            layers.UpSampling1D(),
            layers.Conv1D(first, 5, padding="same", activation="relu"),
            layers.UpSampling1D(),
            layers.Conv1D(shape[1], 5, padding="same"),
        ]
    return (
        Sequential([Input(shape), *encoder, code]),
        Sequential([Input((n_components,)), *decoder]),
    )


def keras_compiled(encoder, decoder):
    import keras

    model = keras.Sequential([encoder, decoder])
    model.compile(keras.optimizers.Adam(RATE), "mse")
    return model


def torch_network(kind, shape, sizes, n_components):
    """Build the same network in PyTorch, where convolutions read features first."""
    import torch
    from torch import nn

    class Last(nn.Module):
        """Return the output of a recurrent layer at the last timestep."""

        def __init__(self, layer):
            super().__init__()
            self.layer = layer

        def forward(self, x):
            return self.layer(x)[0][:, -1]

    class Each(Last):
        """Return the outputs of a recurrent layer that gets a code at each timestep."""

        def forward(self, code):
            return self.layer(code[:, None].expand(-1, shape[0], -1))[0]

    if kind == "dense":
        widths = [shape[0], *sizes]
        encoder, decoder = [], []
        for before, after in zip(widths, sizes, strict=False):
            encoder += [nn.Linear(before, after), nn.ReLU()]
        encoder.append(nn.Linear(widths[-1], n_components))
        widths = [n_components, *reversed(sizes)]
        for before, after in zip(widths, reversed(sizes), strict=False):
            decoder += [nn.Linear(before, after), nn.ReLU()]
        decoder.append(nn.Linear(widths[-1], shape[0]))
    elif kind in ("lstm", "gru"):
        cell = nn.LSTM if kind == "lstm" else nn.GRU
        encoder = [
            Last(cell(shape[1], *sizes, batch_first=True)),
            nn.Linear(*sizes, n_components),
        ]
        decoder = [
            Each(cell(n_components, *sizes, batch_first=True)),
            nn.Linear(*sizes, shape[1]),
        ]
    else:
        (n_steps, n_features), (first, second) = shape, sizes
        n_flat = n_steps // 4 * second
        encoder = [
            nn.Conv1d(n_features, first, 5, padding="same"), nn.ReLU(), nn.MaxPool1d(2),
            nn.Conv1d(first, second, 5, padding="same"), nn.ReLU(), nn.MaxPool1d(2),
            nn.Flatten(), nn.Linear(n_flat, n_components),
        ]  # fmt: skip
        decoder = [
            nn.Linear(n_components, n_flat), nn.ReLU(),
            nn.Unflatten(1, (second, n_steps // 4)),
            nn.Upsample(scale_factor=2),
            nn.Conv1d(second, first, 5, padding="same"), nn.ReLU(),
            nn.Upsample(scale_factor=2),
            nn.Conv1d(first, n_features, 5, padding="same"),
        ]  # fmt: skip
    torch.manual_seed(0)
    return nn.Sequential(*encoder), nn.Sequential(*decoder)


def torch_rows(kind, X):
    import torch

    X = torch.tensor(X)
    return X.transpose(1, 2).contiguous() if kind == "conv1d" else X


def torch_fit(encoder, decoder, X, epochs, batch_size=32):
    """Train with the usual loop of PyTorch."""
    import torch

    parameters = [*encoder.parameters(), *decoder.parameters()]
    optimizer = torch.optim.Adam(parameters, RATE)
    loss_of = torch.nn.MSELoss()
    for _ in range(epochs):
        order = torch.randperm(len(X))
        for start in range(0, len(X), batch_size):
            rows = X[order[start : start + batch_size]]
            optimizer.zero_grad()
            loss_of(decoder(encoder(rows)), rows).backward()
            optimizer.step()


def in_one_thread(function, *args):
    import torch

    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    function(*args)
    torch.set_num_threads(n_threads)


def torch_transform(encoder, X, n_batch):
    import torch

    with torch.inference_mode():
        parts = [encoder(X[i : i + n_batch]) for i in range(0, len(X), n_batch)]
        return torch.cat(parts).numpy()


def in_turn(runs, repeats):
    """Measure the median seconds of runs that take turns, after one run of each."""
    from epochs import seconds

    found = {name: [] for name in runs}
    for run in runs.values():
        run()
    for _ in range(repeats):
        for name, run in runs.items():
            found[name].append(seconds(run))
    return {name: np.median(times) for name, times in found.items()}


def measure_fit(name, repeats):
    """Measure the median seconds of a fit with each library."""
    kind, sizes, n_components, shape, epochs = LINES[name]
    X = rows_for(shape, shape[0])
    ours = AutoencoderTransformer(
        n_components, kind=kind, layer_sizes=sizes, scale=None, epochs=epochs,
        random_state=0,
    )  # fmt: skip
    model = keras_compiled(*keras_network(kind, shape[1:], sizes, n_components))
    networks = torch_network(kind, shape[1:], sizes, n_components)
    X_torch = torch_rows(kind, X)
    return in_turn(
        {
            "skseq": lambda: ours.fit(X),
            "PyTorch": lambda: torch_fit(*networks, X_torch, epochs),
            "one thread": lambda: in_one_thread(torch_fit, *networks, X_torch, epochs),
            "Keras": lambda: model.fit(X, X, 32, epochs, verbose=0),
        },
        repeats,
    )


def measure_transform(name, repeats):
    """Measure the median seconds of many codes, in PyTorch for each batch size."""
    kind, sizes, n_components, shape, _ = LINES[name]
    X = rows_for(shape, N_MANY)
    ours = AutoencoderTransformer(
        n_components, kind=kind, layer_sizes=sizes, scale=None, epochs=1
    ).fit(X[: shape[0]])
    encoder, _ = torch_network(kind, shape[1:], sizes, n_components)
    X_torch = torch_rows(kind, X)
    return in_turn(
        {
            "skseq": lambda: ours.transform(X),
            128: lambda: torch_transform(encoder.eval(), X_torch, 128),
            1024: lambda: torch_transform(encoder.eval(), X_torch, 1024),
        },
        repeats,
    )


def time_rows(measure, repeats):
    """Yield the table's rows: the seconds and ratios of each network."""
    for name in LINES:
        first, *others = times = list(measure(name, repeats).values())
        ratios = [f"{first / other:.2f}" for other in others]
        yield [name, *(f"{time:.3f}" for time in times), *ratios]


def run_time(repeats):
    if not installed("torch"):
        return
    import torch

    print(
        f"\n{os.cpu_count()} cores, load before the start {os.getloadavg()[0]:.1f}; "
        f"PyTorch with {torch.get_num_threads()} threads unless stated otherwise; "
        f"medians of {repeats} turns, goals in brackets"
    )
    table(
        [
            "warm `fit`", "skseq, s", "PyTorch, s", "PyTorch, one thread, s",
            "Keras, s", "ratio to PyTorch (at most 1)",
            "ratio to PyTorch, one thread (at most 1)", "ratio to Keras (at most 0.5)",
        ],
        time_rows(measure_fit, repeats),
    )  # fmt: skip
    table(
        [
            f"`transform` of {N_MANY:,} rows", "skseq, s",
            "PyTorch, batches of 128, s", "PyTorch, batches of 1,024, s",
            "ratio to PyTorch, batches of 128 (at most 1)",
            "ratio to PyTorch, batches of 1,024 (at most 1)",
        ],
        time_rows(measure_transform, repeats),
    )  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument(
        "--repeats", type=int, default=5, help="measurements of each time"
    )
    options = parser.parse_args()
    names = [
        "scikit-learn", "keras", "tensorflow",
        *(package for module, package in PACKAGES.items() if find_spec(module)),
    ]  # fmt: skip
    versions = "".join(f", {name} {version(name)}" for name in names)
    print(f"Python {platform.python_version()}{versions}")
    # Time is first, because the other parts leave memory and threads in use.
    if "time" in options.parts:
        run_time(options.repeats)
    if "codes" in options.parts:
        run_codes(options.seeds)
    if "anomalies" in options.parts:
        run_anomalies(options.seeds)
    if "credit" in options.parts:
        run_credit(options.seeds)


if __name__ == "__main__":
    # These are warnings of other libraries: UMAP's about its threads, and
    # scikit-learn's about unknown categories.
    warnings.filterwarnings("ignore", module="umap|sklearn|pyod")
    main()
