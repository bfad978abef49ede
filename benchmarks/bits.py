"""Hash the weights, predictions and histories of several hundred fits.

A change that must not change results is checked on one machine: run
``python benchmarks/bits.py --write before.json`` on the old commit, and
``python benchmarks/bits.py --against before.json`` on the new one, which prints the
fits that differ. One run takes about five minutes.
"""

import argparse
import hashlib
import io
import json
import sys
import warnings
from pathlib import Path

import joblib
import keras
import numpy as np
import pandas as pd
from imblearn.over_sampling import SMOTE
from imblearn.under_sampling import RandomUnderSampler
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, scale

import skseq
from skseq.datasets import load_credit_default

RECURRENT = {
    "lstm": skseq.LSTMClassifier,
    "gru": skseq.GRUClassifier,
    "rnn": skseq.SimpleRNNClassifier,
}
CLASSIFIERS = {
    **RECURRENT,
    "conv": skseq.Conv1DClassifier,
    "dense": skseq.DenseClassifier,
}

# Each path by the value of `set_jit_compile`.
PATHS = {"": "auto", " xla": True}


# ---------------------------------------------------------------------------- data

rng = np.random.default_rng(0)
Y = np.arange(150) % 2
X = rng.normal(size=(150, 6, 3)) + 0.7 * Y[:, None, None]
Y_THREE = np.arange(150) % 3
X_THREE = rng.normal(size=(150, 6, 3)) + 0.7 * Y_THREE[:, None, None]
Y_RARE = (rng.random(150) < 0.2).astype(int)
X_RARE = X + Y_RARE[:, None, None]
WEIGHTS = rng.random(150)
WEIGHTS[::7] = 0
TABLE, Y_TABLE = load_breast_cancer(return_X_y=True)
TABLE = scale(TABLE)
DIGITS = load_digits().data
WAVES = np.sin(rng.uniform(0, 6, size=(200, 1)) + np.linspace(0, 6, 20))[:, :, None]
WAVES = WAVES + 0.05 * rng.normal(size=WAVES.shape)
PADDED = WAVES.copy()
for row, length in enumerate(rng.integers(5, 21, size=200)):
    PADDED[row, length:] = -9.0
Y_PADDED = np.arange(200) % 5 == 0


# ---------------------------------------------------------------------------- fits

# By name: a function that fits, X for predictions, and the value of `set_jit_compile`.
FITS = {}


def add(name, cls, params=None, X=X, y=Y, *, xla="auto", **options):
    """Add a fit of a classifier."""
    params = {"epochs": 4, "random_state": 0, **(params or {})}
    FITS[name] = lambda: cls(**params).fit(X, y, **options), X, xla


def add_autoencoder(name, X=WAVES, *, xla="auto", options=None, **params):
    """Add a fit of an autoencoder."""
    params = {"epochs": 5, "random_state": 0, **params}
    transformer = skseq.AutoencoderTransformer
    FITS[name] = lambda: transformer(**params).fit(X, **(options or {})), X, xla


def add_sampler(name, sampler, X=X_RARE, y=Y_RARE):
    """Add a call of a sampler."""
    FITS[name] = lambda: sampler.fit_resample(X, y), None, "auto"


def by_batch(batch, logs):
    """Do nothing, as a batch-level hook."""


def add_classifiers():
    """Add the options that all classifiers share."""
    schedules = keras.optimizers.schedules
    options = {
        "sgd": {"optimizer": "sgd"},
        "adamw": {"optimizer": "adamw"},
        "nadam": {"optimizer": "nadam"},
        "rmsprop": {"optimizer": "rmsprop"},
        "lion": {"optimizer": "lion"},
        "lamb": {"optimizer": "lamb"},
        "dense units": {"dense_units": (7, 5)},
        "schedule": {"learning_rate": schedules.ExponentialDecay(0.02, 5, 0.5)},
        "cosine": {
            "learning_rate": schedules.CosineDecay(
                1e-3, 20, warmup_target=1e-2, warmup_steps=5
            )
        },
        "focal": {
            "loss": "binary_focal_crossentropy",
            "loss_params": {"gamma": 1.5},
        },
        "softmax": {"loss": "categorical_crossentropy"},
        "splitter": {"early_stopping": True, "validation_split": TimeSeriesSplit(3)},
        "plateau": {
            "epochs": 6,
            "callbacks": keras.callbacks.ReduceLROnPlateau(
                monitor="loss", mode="max", patience=1
            ),
        },
        "by batch": {
            "callbacks": keras.callbacks.LambdaCallback(on_train_batch_end=by_batch)
        },
    }
    on_both_paths = {
        "default": {},
        "dropout": {"dropout": 0.3},
        "clip": {"optimizer_params": {"clipnorm": 0.1}},
        "batch 7": {"batch_size": 7, "shuffle": False},
        "early": {
            "early_stopping": True,
            "monitor": "roc_auc",
            "patience": 2,
            "epochs": 8,
        },
    }
    for key, cls in CLASSIFIERS.items():
        for tag, xla in PATHS.items():
            for name, params in on_both_paths.items():
                add(f"{key} {name}{tag}", cls, params, xla=xla)
            add(f"{key} three classes{tag}", cls, {}, X_THREE, Y_THREE, xla=xla)
            params = {"class_weight": {0: 1, 1: 2}}
            add(f"{key} weights{tag}", cls, params, xla=xla, sample_weight=WEIGHTS)
            params = {"balanced_batches": True, "output_bias": "prior"}
            add(f"{key} balanced{tag}", cls, params, X_RARE, Y_RARE, xla=xla)
        for name, params in options.items():
            add(f"{key} {name}", cls, params)
        add(f"{key} table", cls, {"n_timesteps": 6}, TABLE, Y_TABLE)
        add(f"{key} table of steps", cls, {"epochs": 2}, TABLE, Y_TABLE)
        frame = pd.DataFrame(TABLE, columns=[f"c{i}" for i in range(30)])
        labels = np.where(Y_TABLE, "yes", "no")
        add(f"{key} frame", cls, {"n_timesteps": 6}, frame, labels)
        params = {"metrics": ["accuracy", "AUC"]}
        add(f"{key} metrics", cls, params, X_val=X[:40], y_val=Y[:40])
        params = {"sampler": SMOTE(), "class_weight": "balanced"}
        add(f"{key} smote", cls, params, X_RARE, Y_RARE)
        params = {"sampler": RandomUnderSampler(), "early_stopping": True}
        add(f"{key} under", cls, params, X_RARE, Y_RARE)
        params = {"early_stopping": True, "validation_split": 0.3}
        add(f"{key} groups", cls, params, groups=np.arange(150) // 5)
        for how in ("warm", "saved", "initialized", "partial"):
            FITS[f"{key} {how}"] = continued(cls, how), X, "auto"


def continued(cls, how):
    """Get a function that trains in several calls."""
    params = {"epochs": 4, "random_state": 0}

    def run():
        if how == "initialized":
            return cls(**params).initialize(X, Y)
        if how == "partial":
            net = cls(**params)
            for part in (slice(0, 60), slice(60, 150), slice(0, 7)):
                net.partial_fit(X[part], Y[part], classes=[0, 1])
            return net
        net = cls(**params, warm_start=True, dropout=0.2).fit(X, Y)
        return (saved_and_loaded(net) if how == "saved" else net).fit(X, Y)

    return run


def saved_and_loaded(estimator):
    """Save an estimator to memory, and load it."""
    file = io.BytesIO()
    joblib.dump(estimator, file)
    file.seek(0)
    return joblib.load(file)


def add_layers():
    """Add options of layers."""
    deep = {"units": (8, 6), "dropout": 0.2}
    for key, cls in RECURRENT.items():
        for tag, xla in PATHS.items():
            params = {**deep, "bidirectional": True, "pooling": "max"}
            add(f"{key} bidirectional{tag}", cls, params, xla=xla)
            params = {**deep, "dropout": (0.1, 0.2), "pooling": "mean"}
            add(f"{key} stacked{tag}", cls, params, xla=xla)
            params = {"units": 8, "recurrent_dropout": 0.2, "pooling": "last"}
            add(f"{key} recurrent dropout{tag}", cls, params, xla=xla)
            add(f"{key} wide{tag}", cls, {"units": 100, "epochs": 2}, xla=xla)
        for name, activation in {
            "leaky": {"name": "leaky_relu", "negative_slope": 0.2},
            "prelu": keras.layers.PReLU(),
            "elu": ("elu", None),
        }.items():
            params = {"units": (6, 5), "layer_activation": activation}
            add(f"{key} {name}", cls, params)
    for tag, xla in PATHS.items():
        add(
            f"conv causal{tag}",
            skseq.Conv1DClassifier,
            {
                "filters": (8, 6),
                "kernel_size": (3, 2),
                "padding": "causal",
                "pool_size": (2, 1),
                "pooling": "mean",
                "activation": "tanh",
            },
            xla=xla,
        )
        add(
            f"conv valid{tag}",
            skseq.Conv1DClassifier,
            {
                "filters": (8, 6),
                "kernel_size": 2,
                "padding": "valid",
                "pooling": "flatten",
                "dropout": (0.1, 0.2),
            },
            xla=xla,
        )
        for name, params in {
            "deep": {
                "dense_units": (40, 20),
                "dropout": (0.1, 0.3),
                "activation": "elu",
            },
            "none": {"dense_units": ()},
            "large": {"dense_units": (300, 300), "epochs": 2},
        }.items():
            add(f"dense {name}{tag}", skseq.DenseClassifier, params, xla=xla)
    for name, params in {
        "ema": {"optimizer_params": {"use_ema": True}},
        "accumulation": {"optimizer_params": {"gradient_accumulation_steps": 2}},
        "sum": {"loss": keras.losses.MeanSquaredError(reduction="sum")},
        "sgd object": {"optimizer": keras.optimizers.SGD(0.05, momentum=0.9)},
    }.items():
        add(f"dense {name}", skseq.DenseClassifier, params)
    long = np.tile(X, (4, 3, 1)), np.tile(Y, 4)
    add("dense chooses xla", skseq.DenseClassifier, {"epochs": 600}, *long)


def add_tools():
    """Add a pipeline, a grid and pretrained networks."""
    credit, defaults = load_credit_default(return_X_y=True)
    net = skseq.LSTMClassifier(units=8, epochs=3, random_state=0)
    pipeline = make_pipeline(StandardScaler(), net)
    FITS["pipeline"] = lambda: pipeline.fit(credit, defaults), credit, "auto"
    grid = GridSearchCV(
        skseq.DenseClassifier((9,), epochs=3, random_state=0),
        {"learning_rate": [0.001, 0.01], "dropout": [0, 0.3]},
        scoring="roc_auc",
        cv=3,
    )
    FITS["grid"] = lambda: grid.fit(X, Y), X, "auto"
    for key, kind, params in (
        ("lstm", "lstm", {"units": (6, 4)}),
        ("gru", "gru", {"units": (6, 4)}),
        ("conv", "conv1d", {"filters": (6, 4), "pool_size": 2}),
        ("dense", "dense", {"dense_units": (6, 4)}),
    ):
        for frozen in (False, True):

            def run(cls=CLASSIFIERS[key], kind=kind, params=params, frozen=frozen):
                autoencoder = skseq.AutoencoderTransformer(
                    kind=kind, layer_sizes=(6, 4), epochs=3, random_state=0
                )
                if frozen:
                    autoencoder = FrozenEstimator(autoencoder.fit(X))
                net = cls(pretrained=autoencoder, epochs=4, random_state=0, **params)
                return net.fit(X, Y)

            tag = " frozen" if frozen else ""
            FITS[f"{key} pretrained{tag}"] = run, X, "auto"


def add_autoencoders():
    """Add autoencoders and the outlier detector."""
    for kind in ("dense", "lstm", "gru", "conv1d"):
        small = {"kind": kind, "layer_sizes": 8}
        deep = {"kind": kind, "layer_sizes": (12, 8)}
        for tag, xla in PATHS.items():
            name = f"autoencoder {kind}{tag}"
            add_autoencoder(name, xla=xla, **deep)
            add_autoencoder(f"{name} variational", xla=xla, variational=True, **small)
            noise = {"noise": 0.1, "activity_l1": 0.01}
            add_autoencoder(f"{name} noise", xla=xla, **noise, **small)
            add_autoencoder(f"{name} padded", PADDED, xla=xla, mask_value=-9.0, **small)
        name = f"autoencoder {kind}"
        add_autoencoder(f"{name} normalized", normalization="batch", **deep)
        groups = {"groups": np.arange(200) // 4}
        add_autoencoder(f"{name} early", early_stopping=True, options=groups, **small)
        masking = {"noise": ("masking", 0.2), "loss": "mae"}
        add_autoencoder(f"{name} masking", **masking, **small)
        minmax = {"scale": "minmax", "loss": "binary_crossentropy"}
        add_autoencoder(f"{name} minmax", **minmax, **small)
    for tag, xla in PATHS.items():
        tied = {"layer_sizes": (12, 8), "tied_weights": True}
        add_autoencoder(f"autoencoder tied{tag}", xla=xla, **tied)
    unscaled = {"loss": "huber", "scale": None, "activation": "tanh"}
    add_autoencoder("autoencoder unscaled", layer_sizes=(12, 8), **unscaled)
    add_autoencoder("autoencoder digits", DIGITS, epochs=3)
    options = {"sample_weight": np.arange(200) % 4, "X_val": WAVES[:40]}
    add_autoencoder("autoencoder weights", layer_sizes=8, options=options)

    def partial():
        autoencoder = skseq.AutoencoderTransformer(layer_sizes=8, random_state=0)
        return autoencoder.partial_fit(WAVES[:60]).partial_fit(WAVES[60:])

    FITS["autoencoder partial"] = partial, WAVES, "auto"
    detector = skseq.AutoencoderOutlierDetector(random_state=0)
    FITS["outliers"] = lambda: detector.fit(WAVES), WAVES, "auto"


def add_samplers():
    """Add all samplers, with and without padding."""
    padded = {"mask_value": -9.0, "random_state": 0}
    add_sampler("resampler", skseq.SequenceResampler(random_state=0))
    add_sampler("resampler padded", skseq.SequenceResampler(**padded), PADDED, Y_PADDED)
    add_sampler("augmenter", skseq.SequenceAugmenter(random_state=0))
    add_sampler("augmenter padded", skseq.SequenceAugmenter(**padded), PADDED, Y_PADDED)
    add_sampler("latent", skseq.LatentSampler(random_state=0))
    autoencoder = skseq.AutoencoderTransformer(
        kind="gru", layer_sizes=8, epochs=3, mask_value=-9.0
    )
    latent = skseq.LatentSampler(autoencoder=autoencoder, random_state=0)
    add_sampler("latent padded", latent, PADDED, Y_PADDED)


# -------------------------------------------------------------------------- hashes


def digest(*arrays):
    """Hash the dtypes, shapes and bytes of arrays."""
    found = hashlib.sha256()
    for array in map(np.asarray, arrays):
        found.update(f"{array.dtype} {array.shape}".encode())
        found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()[:16]


def hashes(run, X, xla):
    """Run a fit, and hash everything that it gives."""
    skseq.set_jit_compile(xla)
    try:
        fitted = run()
    finally:
        skseq.set_jit_compile("auto")
    if X is None:
        return {"rows": digest(fitted[0]), "labels": digest(fitted[1])}
    found = {}
    net = fitted
    if hasattr(fitted, "best_estimator_"):
        found["scores"] = digest(fitted.cv_results_["mean_test_score"])
        net = fitted.best_estimator_
    if hasattr(net, "steps"):
        net = net[-1]
    net = getattr(net, "autoencoder_", net)
    found["weights"] = digest(*net.model_.get_weights())
    for name, values in net.history_.items():
        found[f"history: {name}"] = digest(values)
    if isinstance(net, skseq.AutoencoderTransformer):
        codes = net.transform(X)
        found["codes"] = digest(codes)
        found["reconstruction"] = digest(net.inverse_transform(codes))
        for by in ("row", "step", "feature"):
            found[f"error by {by}"] = digest(net.reconstruction_error(X, by=by))
        found["sample"] = digest(net.sample(3, random_state=0))
    if hasattr(fitted, "score_samples"):
        found["score_samples"] = digest(fitted.score_samples(X))
    if hasattr(fitted, "predict_proba"):
        found["predict_proba"] = digest(fitted.predict_proba(X))
        loaded = saved_and_loaded(fitted)
        found["loaded"] = digest(loaded.predict_proba(X))
    return found


def main():
    """Parse the command line, and write or compare hashes."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--write", metavar="FILE", help="write the hashes to a file")
    parser.add_argument("--against", metavar="FILE", help="compare them with a file")
    parser.add_argument("--only", default="", help="run fits with this in their name")
    options = parser.parse_args()
    if not options.write and not options.against:
        parser.error("--write or --against is needed")
    warnings.simplefilter("ignore")  # of early stopping and the like, in short fits
    add_classifiers()
    add_layers()
    add_tools()
    add_autoencoders()
    add_samplers()
    found = {}
    for name, one in FITS.items():
        if options.only in name:
            found[name] = hashes(*one)
            print(".", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    if options.write:
        Path(options.write).write_text(json.dumps(found, indent=1), encoding="utf-8")
        print(f"{len(found)} fits, all in {options.write}")
    if options.against:
        before = json.loads(Path(options.against).read_text(encoding="utf-8"))
        n_different = 0
        for name, now in found.items():
            then = before.get(name, {})
            different = [key for key in now | then if now.get(key) != then.get(key)]
            n_different += bool(different)
            if different:
                print(f"{name}: {', '.join(different)}")
        print(f"{len(found)} fits, {n_different} of them differ")


if __name__ == "__main__":
    main()
