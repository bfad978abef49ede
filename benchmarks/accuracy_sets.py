"""The sets of accuracy.py, by name: ``SETS["GunPoint"].split(seed)``.

- ``packaged``: sequences that are inside aeon, sktime and tslearn, with their own
  training and test part, whatever the seed. ``Chinatown`` is aeon's ``UnitTest``: the
  training part of Chinatown, and 22 rows of its test part.
- ``tables``: tables of scikit-learn, split in halves. The digits are also 8 timesteps
  of 8 features.
- ``credit``: German credit, split in halves, and credit default, with 30 % for the
  test, read as in scores.py. Credit default is also 6 months of 3 features.
- ``made``: sequences with a known structure, drawn anew for each seed: 200 rows for
  training and 1,000 for the test.
- ``large``: the same, with up to 100,000 rows for training.

Rows of unequal length are lists of arrays of shape (n_timesteps, n_features). Splits
are stratified.
"""

from collections.abc import Callable
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import numpy as np
import scores
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
from sklearn.model_selection import train_test_split

GROUPS = ["packaged", "tables", "credit", "made", "large"]


class Set(NamedTuple):
    """A classification problem, loaded when it is split."""

    group: str
    kind: str  # "sequences" or "table"
    split: Callable  # seed -> X_train, X_test, y_train, y_test

    @property
    def fixed(self):
        """Whether all seeds have the same rows."""
        return self.group == "packaged"


def folder(package):
    """Find the folder of an installed package, without its import."""
    spec = find_spec(package)
    if spec is None:
        raise ImportError(
            f"The packaged sets need {package}: pip install aeon sktime tslearn"
        )
    return Path(spec.submodule_search_locations[0])


@cache
def ts_file(package, name, part):
    path = folder(package) / "datasets" / "data" / name / f"{name}_{part}.ts"
    from aeon.datasets import load_from_ts_file

    X, y = load_from_ts_file(str(path))
    X = [row.T.astype(np.float32) for row in X]
    equal = len({len(row) for row in X}) == 1
    return (np.stack(X) if equal else X), y


def packaged(package, name, seed):
    (X_train, y_train), (X_test, y_test) = (
        ts_file(package, name, part) for part in ("TRAIN", "TEST")
    )
    return X_train, X_test, y_train, y_test


def trace(seed):
    parts = ("X_train", "X_test", "y_train", "y_test")
    with np.load(folder("tslearn") / ".cached_datasets" / "Trace.npz") as data:
        return [data[part] for part in parts]


def halves(load, seed, test_size=0.5):
    X, y = load()
    X_train, X_test, y_train, y_test = train_test_split(
        X, y, test_size=test_size, stratify=y, random_state=seed
    )
    return X_train, X_test, np.asarray(y_train), np.asarray(y_test)


def pixels():
    X, y = load_digits(return_X_y=True)
    return X.reshape(-1, 8, 8), y


def months():
    """Load six months of three features, oldest first."""
    table, y = scores.credit_default()
    names = [["PAY_6", "PAY_5", "PAY_4", "PAY_3", "PAY_2", "PAY_0"]]
    names += [
        [f"{name}{month}" for month in range(6, 0, -1)]
        for name in ("BILL_AMT", "PAY_AMT")
    ]
    return np.stack([table[columns].to_numpy() for columns in names], axis=-1), y


def wave(width):
    return np.sin(np.linspace(0, np.pi, width))


def add(X, shape, starts, rows):
    """Add a shape to the first feature of some rows, each at its own timestep."""
    steps = starts[:, None] + np.arange(len(shape))
    X[np.flatnonzero(rows)[:, None], steps, 0] += shape


def bumps(rng, n_rows):
    """Classes: a narrow, a medium or a wide bump, anywhere."""
    y = rng.integers(3, size=n_rows)
    X = rng.normal(scale=0.5, size=(n_rows, 60, 1))
    for label, width in enumerate((6, 12, 24)):
        rows = y == label
        add(X, 2 * wave(width), rng.integers(60 - width, size=rows.sum()), rows)
    return X, y


def frequency(rng, n_rows):
    """Classes: a sine of 5, 6 or 7 periods, with any phase."""
    y = rng.integers(3, size=n_rows)
    time = np.linspace(0, 2 * np.pi, 60) * (5 + y)[:, None]
    X = np.sin(time + rng.uniform(0, 2 * np.pi, (n_rows, 1)))[:, :, None]
    return X + rng.normal(size=X.shape), y


def order(rng, n_rows):
    """Classes: a bump before a dip, or after it, anywhere."""
    y = rng.integers(2, size=n_rows)
    X = rng.normal(scale=0.5, size=(n_rows, 60, 1))
    # Both shapes have 8 timesteps.
    early, late = np.sort(rng.integers(43, size=(2, n_rows)), axis=0)
    late += 9
    every = np.ones(n_rows, bool)
    add(X, 2 * wave(8), np.where(y == 0, early, late), every)
    add(X, -2 * wave(8), np.where(y == 0, late, early), every)
    return X, y


def memory(rng, n_rows):
    """Classes: the sign of the first timestep, before 150 of noise."""
    y = rng.integers(2, size=n_rows)
    X = rng.normal(size=(n_rows, 150, 1))
    X[:, 0, 0] = (2 * y - 1) * (1 + np.abs(X[:, 0, 0]))
    return X, y


def chance(rng, n_rows):
    """Classes that have nothing to do with the sequences."""
    return rng.normal(size=(n_rows, 60, 1)), rng.integers(2, size=n_rows)


def rare(rng, n_rows):
    """Classes: noise, or in 5 % of the rows a bump anywhere."""
    y = rng.permutation(np.arange(n_rows) < 0.05 * n_rows).astype(int)
    X = rng.normal(scale=0.5, size=(n_rows, 60, 1))
    add(X, 2 * wave(12), rng.integers(48, size=y.sum()), y == 1)
    return X, y


def made(draw, n_rows, seed):
    """Draw rows for training, and 1,000 rows for the test."""
    rng = np.random.default_rng(seed)
    (X_train, y_train), (X_test, y_test) = draw(rng, n_rows), draw(rng, 1000)
    return X_train.astype(np.float32), X_test.astype(np.float32), y_train, y_test


SETS = {
    name: Set("packaged", "sequences", partial(packaged, package, file))
    for package, name, file in [
        ("aeon", "ACSF1", "ACSF1"),
        ("aeon", "ArrowHead", "ArrowHead"),
        ("aeon", "BasicMotions", "BasicMotions"),
        ("aeon", "Chinatown", "UnitTest"),
        ("aeon", "Covid3Month", "Covid3Month_disc"),
        ("aeon", "GunPoint", "GunPoint"),
        ("aeon", "ItalyPowerDemand", "ItalyPowerDemand"),
        ("aeon", "JapaneseVowels", "JapaneseVowels"),
        ("aeon", "OSULeaf", "OSULeaf"),
        ("aeon", "PickupGestureWiimoteZ", "PickupGestureWiimoteZ"),
        ("sktime", "PLAID", "PLAID"),
    ]
}
SETS["Trace"] = Set("packaged", "sequences", trace)
for name, load in {
    "breast cancer": load_breast_cancer,
    "wine": load_wine,
    "iris": load_iris,
    "digits": load_digits,
}.items():
    SETS[name] = Set("tables", "table", partial(halves, partial(load, return_X_y=True)))
SETS["digits, 8x8"] = Set("tables", "sequences", partial(halves, pixels))
SETS["German credit"] = Set("credit", "table", partial(halves, scores.german_credit))
SETS["credit default"] = Set(
    "credit", "table", partial(halves, scores.credit_default, test_size=0.3)
)
SETS["credit default, months"] = Set(
    "credit", "sequences", partial(halves, months, test_size=0.3)
)
for group, draw, n_rows in [
    *(("made", draw, 200) for draw in (bumps, frequency, order, memory, chance, rare)),
    ("large", memory, 2_000),
    ("large", rare, 5_000),
    ("large", bumps, 20_000),
    ("large", frequency, 100_000),
]:
    SETS[f"{draw.__name__}, {n_rows:,}"] = Set(
        group, "sequences", partial(made, draw, n_rows)
    )
