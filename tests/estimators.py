"""The estimators that the common tests run over, each with its settings.

A new estimator needs one entry here, and is then in every common test of its kind.
"""

import inspect
from dataclasses import dataclass, field

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.preprocessing import StandardScaler

import skseq

# Settings under which every network learns scikit-learn's tiny data.
CHECKED = {"epochs": 20, "learning_rate": 0.03}

# Training as Keras does it by default.
AS_KERAS = {"batch_size": 32, "schedule": None, "weight_decay": None}

# Settings under which every network learns the tiny data of `conftest.py` in a moment.
FAST = {**CHECKED, **AS_KERAS, "random_state": 0}


@dataclass(frozen=True)
class Network:
    """The settings that change the size of a network.

    Attributes
    ----------
    small : dict
        So small that it is trained in no time.
    resized : dict
        The same layers in another size.
    other : dict
        Other layers; with something random, where there is something.
    wide : dict
        So wide that matrix products use several threads.
    drawing : dict
        With random numbers in each training step.
    needed : dict
        Without which there is no network.
    plain : dict
        The layers alone.
    """

    small: dict
    resized: dict
    other: dict
    wide: dict
    drawing: dict = field(default_factory=lambda: {"dropout": 0.3})
    needed: dict = field(default_factory=dict)
    plain: dict = field(default_factory=dict)


def with_slow(values, *slow):
    """Make parameters of a test, of which some are run by ``-m ""`` alone."""
    return [
        pytest.param(value, marks=pytest.mark.slow) if value in slow else value
        for value in values
    ]


def mostly_slow(values, *quick):
    """Make parameters of a test, of which all but these are run by ``-m ""`` alone."""
    return with_slow(values, *(value for value in values if value not in quick))


class OwnModel:
    """A function that builds a network, with the same name in each process."""

    def __call__(self, inputs, width=8, rate=0.0):
        import keras

        x = keras.layers.Flatten()(inputs)
        x = keras.layers.Dense(width, activation="relu")(x)
        return keras.layers.Dropout(rate)(x)

    def __repr__(self):
        return "OwnModel()"

    def __eq__(self, other):
        return type(self) is type(other)

    def __hash__(self):
        return hash(type(self))


CLASSIFIERS = {
    "LSTMClassifier": Network(
        small={"units": 4},
        resized={"units": 5},
        other={"units": (6, 5), "recurrent_dropout": 0.2, "dense_units": 4},
        wide={"units": 96},
    ),
    "GRUClassifier": Network(
        small={"units": 4},
        resized={"units": 5},
        other={"units": 6, "bidirectional": True, "dropout": 0.2},
        wide={"units": 96},
    ),
    "SimpleRNNClassifier": Network(
        small={"units": 4},
        resized={"units": 5},
        other={"units": 6, "layer_activation": "leaky_relu"},
        wide={"units": 96},
    ),
    "Conv1DClassifier": Network(
        small={"filters": (4, 3), "kernel_size": 3},
        resized={"filters": 5},
        other={"filters": 6, "pooling": "mean", "dropout": 0.2},
        wide={"filters": 64},
        plain={
            "filters": (64, 64),
            "kernel_size": 5,
            "pool_size": 1,
            "normalization": None,
            "pooling": "max",
        },
    ),
    "DenseClassifier": Network(
        small={"dense_units": (4,)},
        resized={"dense_units": (5,)},
        other={"dense_units": (7, 6), "dropout": 0.2},
        wide={"dense_units": (300, 300)},
    ),
    "KerasClassifier": Network(
        needed={"model": OwnModel()},
        small={"model_params": {"width": 4}},
        resized={"model_params": {"width": 5}},
        other={"model_params": {"width": 6, "rate": 0.2}},
        wide={"model_params": {"width": 300}},
        drawing={"model_params": {"rate": 0.3}},
    ),
}


REGRESSORS = {
    name.replace("Classifier", "Regressor"): settings
    for name, settings in CLASSIFIERS.items()
}


@dataclass(frozen=True)
class Other:
    """An estimator that is neither classifier, regressor nor sampler.

    Attributes
    ----------
    checked : list of dict
        Settings, each for all of scikit-learn's checks.
    """

    checked: list = field(default_factory=lambda: [{}])


OTHERS = {
    "AutoencoderTransformer": Other(
        [
            {"epochs": 20},
            {
                "epochs": 20, "kind": "lstm", "layer_sizes": 8, "variational": True,
                "noise": 0.1,
            },
            {"epochs": 20, "kind": "conv1d", "layer_sizes": 8},
            {
                "epochs": 20, "layer_sizes": 8, "tied_weights": True,
                "normalization": "batch",
            },
        ]
    ),
    "AutoencoderOutlierDetector": Other([{"n_networks": 1}]),
    "SequenceReshaper": Other(
        [{}, {"order": "feature", "static": "drop", "fill_value": 0}]
    ),
    "SequenceScaler": Other(
        [
            {},
            {"scaler": StandardScaler(with_mean=False), "mask_value": np.nan},
            {"per_row": "standardize"},
            {"scaler": StandardScaler(), "per_row": "append", "n_timesteps": 1},
        ]
    ),
    "WindowTransformer": Other([{"n_timesteps": 3, "ordered": True}]),
}  # fmt: skip


def samplers():
    """Make all samplers for imbalanced-learn's checks."""
    from imblearn.combine import SMOTEENN
    from imblearn.over_sampling import RandomOverSampler
    from imblearn.under_sampling import NearMiss, RandomUnderSampler

    return [
        skseq.SequenceResampler(random_state=0),
        skseq.SequenceResampler(RandomOverSampler(), random_state=0),
        skseq.SequenceResampler(RandomUnderSampler(), random_state=0),
        skseq.SequenceResampler(NearMiss()),
        skseq.SequenceResampler(SMOTEENN(), random_state=0),
        skseq.LatentSampler(random_state=0),
        skseq.LatentSampler(RandomUnderSampler(), random_state=0),
        skseq.SequenceAugmenter(random_state=0),
    ]


def names():
    """List the names of all public estimators."""
    values = {name: getattr(skseq, name) for name in skseq.__all__}
    return [
        name
        for name, value in values.items()
        if inspect.isclass(value) and issubclass(value, BaseEstimator)
    ]


def public_methods():
    """Yield the methods of all estimators that are defined in this package."""
    for name in names():
        cls = getattr(skseq, name)
        for method, value in inspect.getmembers(cls, inspect.isfunction):
            if not method.startswith("_") and value.__module__.startswith("skseq."):
                yield pytest.param(value, id=f"{name}.{method}")


def make(name, **params):
    """Make an estimator by the name of its class; networks are plain ones of Keras."""
    networks = {**CLASSIFIERS, **REGRESSORS}
    if name in networks:
        one = networks[name]
        params = {**AS_KERAS, **one.plain, **one.needed, **params}
    return getattr(skseq, name)(**params)


def make_checked(name, **params):
    """Make a network by the name of its class for scikit-learn's checks."""
    needed = {**CLASSIFIERS, **REGRESSORS}[name].needed
    return getattr(skseq, name)(**needed, **CHECKED, **params)


def outputs(network, X):
    """Compute probabilities or predictions, of shape (n_samples, n_outputs)."""
    if hasattr(network, "predict_proba"):
        return network.predict_proba(X)
    return network.predict(X).reshape(len(X), -1)


def checked():
    """Make all estimators for scikit-learn's checks."""
    return [
        *map(make_checked, CLASSIFIERS),
        # In one batch, they would pass by chance the check that is expected to fail.
        *(make_checked(name, batch_size=8) for name in REGRESSORS),
        *(
            make(name, **params)
            for name, other in OTHERS.items()
            for params in other.checked
        ),
    ]
