"""The code of the page on calibration and conformal prediction."""

import re
from pathlib import Path

import numpy as np
import pytest
import sklearn
from packaging.version import Version

PAGE = Path(__file__).resolve().parents[1] / "docs" / "guide" / "probabilities.rst"
BLOCKS = re.findall(
    r"\.\. code-block:: python\n\n((?:   .*\n|\n)+)", PAGE.read_text(encoding="utf-8")
)


def block(part):
    """Find the block of the page that imports something, without its indentation."""
    (found,) = [one for one in BLOCKS if part in one]
    return re.sub("^   ", "", found, flags=re.MULTILINE)


@pytest.fixture(scope="module")
def names():
    """Run the first block: digits in three parts, and a network."""
    result = {"np": np}
    exec(block("load_digits"), result)
    return result


def run(part, names):
    result = dict(names)
    exec(block(part), result)
    return result


def test_temperature_calibrates(names):
    if Version(sklearn.__version__) < Version("1.8"):
        pytest.skip("scikit-learn has method='temperature' since version 1.8")
    found = run('method="temperature"', names)
    assert found["after"] < found["before"] - 0.01
    X = names["X_test"]
    np.testing.assert_array_equal(
        found["calibrated"].predict(X), names["net"].predict(X)
    )


def test_mapie_sets_cover_the_classes(names):
    pytest.importorskip("mapie", reason="MAPIE is not installed")
    found = run("mapie.classification", names)
    y = names["y_test"]
    # 400 rows held out and 597 tested: a standard deviation of about 0.014.
    assert 0.92 < found["coverage"] < 0.99
    assert 0.9 < found["size"] < 1.2
    cross = found["cross_sets"][np.arange(len(y)), y, 0].mean()
    assert 0.92 < cross < 0.99


def test_crepes_sets_cover_the_classes(names):
    pytest.importorskip("crepes", reason="crepes is not installed")
    sets = run("from crepes", names)["crepes_sets"]
    y = names["y_test"]
    assert 0.92 < sets[np.arange(len(y)), y].mean() < 0.99


def test_mapie_intervals_cover_the_numbers(names):
    pytest.importorskip("mapie", reason="MAPIE is not installed")
    found = run("mapie.regression", names)
    # 120 rows held out and 122 tested: a standard deviation of about 0.04.
    assert 0.8 < found["interval_coverage"] < 0.99
    low, high = found["cross_intervals"][:, 0, 0], found["cross_intervals"][:, 1, 0]
    assert 0.8 < ((low <= found["r_test"]) & (found["r_test"] <= high)).mean() <= 1
