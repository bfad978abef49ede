"""The sample that ships: its shape, its source, and how it was drawn."""

import subprocess
import sys

import pandas as pd
from pandas.testing import assert_frame_equal, assert_series_equal
from sklearn.model_selection import train_test_split

from skseq.datasets import load_credit_default

TARGET = "default_payment_next_month"


def test_credit_default_bunch_has_scikit_learns_keys():
    credit = load_credit_default()
    assert sorted(credit) == [
        "DESCR", "data", "feature_names", "filename", "frame", "target",
    ]  # fmt: skip
    assert credit.data.shape == (2000, 23)
    assert list(credit.data.columns) == credit.feature_names
    assert credit.feature_names[:7] == [
        "LIMIT_BAL", "SEX", "EDUCATION", "MARRIAGE", "AGE", "PAY_0", "PAY_2",
    ]  # fmt: skip
    assert credit.target.name == TARGET
    assert credit.target.value_counts().to_dict() == {0: 1558, 1: 442}
    assert_frame_equal(credit.frame, credit.data.assign(**{TARGET: credit.target}))
    assert not credit.frame.isna().any(axis=None)


def test_credit_default_description_names_source_and_licence():
    description = load_credit_default().DESCR
    for telling in ("UCI", "10.24432/C55S3H", "CC BY 4.0", "Yeh", "random_state=0"):
        assert telling in description


def test_credit_default_return_X_y_gives_data_and_target():
    credit = load_credit_default()
    X, y = load_credit_default(return_X_y=True)
    assert_frame_equal(X, credit.data)
    assert_series_equal(y, credit.target)


def test_credit_default_calls_share_nothing():
    X, y = load_credit_default(return_X_y=True)
    X.iloc[:, :] = 0
    assert load_credit_default().data["LIMIT_BAL"].min() > 0


def test_credit_default_without_pandas_names_the_install():
    code = (
        "import sys; sys.modules['pandas'] = None\n"
        "from skseq.datasets import load_credit_default\n"
        "try:\n    load_credit_default()\n"
        "except ImportError as error:\n    print(error)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120
    )
    expected = "load_credit_default needs pandas: pip install pandas"
    assert result.stdout.strip() == expected


def test_credit_default_is_drawn_as_its_description_says(real_data):
    credit = pd.read_csv(real_data("credit_default.csv.gz"))
    sample, _ = train_test_split(
        credit, train_size=2000, stratify=credit[TARGET], random_state=0
    )
    expected = sample.sort_index().reset_index(drop=True)
    assert_frame_equal(load_credit_default().frame, expected)
