"""TextSequencer: from texts to token ids, and back."""

import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import NotFittedError, SkipTestWarning
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import parametrize_with_checks

from skseq import LSTMClassifier, TextSequencer

TEXTS = ["so good", "Not so good!", "so so"]


def test_ids_are_in_the_order_of_the_text_and_by_frequency():
    sequencer = TextSequencer()
    X = sequencer.fit_transform(TEXTS)
    # "so" is there four times, "good" twice, "not" once.
    assert sequencer.vocabulary_ == {"so": 2, "good": 3, "not": 4}
    assert_array_equal(X, [[2, 3, 0], [4, 2, 3], [2, 2, 0]])
    assert X.dtype == np.int32
    assert sequencer.n_tokens_ == 5
    assert sequencer.max_length_ == 3


def test_tokens_of_one_frequency_are_in_alphabetical_order():
    found = TextSequencer().fit(["dd bb", "cc aa"]).vocabulary_
    assert found == {"aa": 2, "bb": 3, "cc": 4, "dd": 5}


def test_fit_and_transform_equal_fit_transform():
    for params in ({}, {"max_features": 1, "max_length": 2, "truncate": "start"}):
        sequencer = TextSequencer(**params)
        X = sequencer.fit_transform(TEXTS)
        assert_array_equal(sequencer.transform(TEXTS), X)


def test_unknown_and_empty_texts_are_never_padding_alone():
    sequencer = TextSequencer().fit(TEXTS)
    X = sequencer.transform(["", "bad", "so bad", "?"])
    assert_array_equal(X, [[1, 0, 0], [1, 0, 0], [2, 1, 0], [1, 0, 0]])
    X = TextSequencer().fit_transform(["", "so"])
    assert_array_equal(X, [[1], [2]])


def test_long_texts_are_cut_at_one_end():
    end = TextSequencer(max_length=2).fit(TEXTS)
    start = TextSequencer(max_length=2, truncate="start").fit(TEXTS)
    assert_array_equal(end.transform(TEXTS[1:]), [[4, 2], [2, 2]])
    assert_array_equal(start.transform(TEXTS[1:]), [[2, 3], [2, 2]])
    longest = TextSequencer(truncate="start").fit(TEXTS)
    assert_array_equal(longest.transform(["not so so good"]), [[2, 2, 3]])
    assert TextSequencer(max_length=9).fit_transform(TEXTS).shape == (3, 9)


@pytest.mark.parametrize(
    "params",
    [
        {"max_features": 3},
        {"min_df": 2},
        {"min_df": 0.5},
        {"max_df": 1},
        {"max_df": 0.5},
        {"lowercase": False},
        {"strip_accents": "unicode"},
        {"analyzer": "char"},
        {"analyzer": str.split},
        {"token_pattern": r"\w+|!"},
        {"stop_words": ["so"]},
        {"stop_words": "english"},
    ],
)
def test_vocabulary_is_that_of_count_vectorizer(params):
    texts = [*TEXTS, "Café au lait", "a café so good"]
    found = TextSequencer(**params).fit(texts).vocabulary_
    assert found.keys() == CountVectorizer(**params).fit(texts).vocabulary_.keys()
    assert sorted(found.values()) == list(range(2, len(found) + 2))


def test_max_features_keeps_the_ids_of_the_most_frequent():
    few = TextSequencer(2).fit(TEXTS)
    assert few.vocabulary_ == {"so": 2, "good": 3}
    assert few.n_tokens_ == 4
    assert_array_equal(few.transform(TEXTS), [[2, 3, 0], [1, 2, 3], [2, 2, 0]])


def test_characters_are_tokens():
    sequencer = TextSequencer(analyzer="char", lowercase=False)
    X = sequencer.fit_transform(["ACGT", "AA"])
    assert sequencer.vocabulary_ == {"A": 2, "C": 3, "G": 4, "T": 5}
    assert_array_equal(X, [[2, 3, 4, 5], [2, 2, 0, 0]])
    found = sequencer.inverse_transform(X)
    assert ["".join(row) for row in found] == ["ACGT", "AA"]


@pytest.mark.parametrize(
    "vocabulary",
    [
        {"good": 3, "so": 2},
        ["so", "good"],
        np.array(["so", "good"]),
        pd.Series(["so", "good"]),
    ],
)
def test_vocabulary_can_be_given(vocabulary):
    sequencer = TextSequencer(vocabulary=vocabulary)
    assert_array_equal(
        sequencer.fit_transform(TEXTS), [[2, 3, 0], [1, 2, 3], [2, 2, 0]]
    )
    assert sequencer.vocabulary_ == {"so": 2, "good": 3}


def test_vocabulary_of_another_and_a_set():
    fitted = TextSequencer().fit(TEXTS)
    again = TextSequencer(vocabulary=fitted.vocabulary_).fit(["so"])
    assert again.vocabulary_ == fitted.vocabulary_
    assert again.vocabulary_ is not fitted.vocabulary_
    assert TextSequencer(vocabulary={"so", "good"}).fit(TEXTS).vocabulary_ == {
        "good": 2,
        "so": 3,
    }


@pytest.mark.parametrize(
    ("vocabulary", "telling"),
    [
        ({"so": 0}, "from 2 without gaps.*got ids from 0 to 0 for 1 tokens"),
        ({"so": 2, "good": 4}, "without gaps.*from 2 to 4 for 2"),
        (["so", "good", "so"], "each token once, got 'so' twice"),
        ([], "at least one token"),
        (np.array(3), r"must hold tokens, got array\(3\)"),
        ([["so"]], r"must hold tokens, got \[\['so'\]\]"),
    ],
)
def test_vocabulary_that_is_wrong_is_refused(vocabulary, telling):
    with pytest.raises((ValueError, TypeError), match=telling):
        TextSequencer(vocabulary=vocabulary).fit(TEXTS)


def test_stop_words_that_are_no_words_are_refused():
    with pytest.raises(TypeError, match=r"stop_words must be a list of str, got \[\["):
        TextSequencer(stop_words=[["so"]]).fit(TEXTS)


@pytest.mark.parametrize(
    "make",
    [
        tuple,
        np.array,
        lambda texts: np.array(texts, dtype=object),
        lambda texts: np.array(texts, dtype=object)[:, None],
        pd.Series,
        lambda texts: pd.Series(texts, dtype="string"),
        lambda texts: pd.DataFrame({"text": texts}),
        pl.Series,
        lambda texts: pl.DataFrame({"text": texts}),
    ],
)
def test_texts_come_in_many_containers(make):
    assert_array_equal(
        TextSequencer().fit_transform(make(TEXTS)),
        [[2, 3, 0], [4, 2, 3], [2, 2, 0]],
    )


@pytest.mark.parametrize(
    ("X", "error", "telling"),
    [
        ("so good", ValueError, r"got one str. Pass \[text\]"),
        (b"so", ValueError, "got one bytes"),
        (["so", 3], ValueError, r"got 3 of type int in X\[1\]"),
        (["so", None], ValueError, r"got None .* in X\[1\].*Fill in missing texts"),
        (["so", float("nan")], ValueError, r"got nan .*in X\[1\].*fillna"),
        (pd.Series(["so", pd.NA]), ValueError, r"in X\[1\].*Fill in"),
        (["so", b"good"], ValueError, r"of type bytes in X\[1\].*Decode"),
        ([["so", "good"]], ValueError, r"X\[0\].*split already"),
        (np.zeros((2, 3)), ValueError, r"got an array of shape \(2, 3\)"),
        (pd.DataFrame({"a": ["b"], "c": ["d"]}), ValueError, "got 2 columns"),
        ([], ValueError, "at least one text"),
        ((text for text in TEXTS), TypeError, r"got generator. Pass list\(X\)"),
        (None, TypeError, "got NoneType"),
    ],
)
def test_what_holds_no_texts_is_refused(X, error, telling):
    with pytest.raises(error, match=telling):
        TextSequencer().fit(X)
    if not hasattr(X, "send"):
        with pytest.raises(error, match=telling):
            TextSequencer().fit(TEXTS).transform(X)


def test_fit_without_tokens_leaves_the_fitted_state():
    sequencer = TextSequencer().fit(TEXTS)
    before = dict(vars(sequencer))
    for params in ({"min_df": 4}, {"max_df": 0.1}, {"stop_words": ["so"]}):
        sequencer.set_params(**params)
        with pytest.raises(ValueError, match="must have a token for the vocabulary"):
            sequencer.fit(["so", "", "so"])
        sequencer.set_params(min_df=1, max_df=1.0, stop_words=None)
    assert vars(sequencer) == before


def test_pattern_that_is_wrong_is_refused():
    with pytest.raises(ValueError, match=r"token_pattern must be .* got '\['"):
        TextSequencer(token_pattern="[").fit(TEXTS)
    with pytest.raises(ValueError, match="'max_length' parameter"):
        TextSequencer(max_length=0).fit(TEXTS)


def test_transform_before_fit():
    for name in ("transform", "inverse_transform"):
        with pytest.raises(NotFittedError):
            getattr(TextSequencer(), name)(TEXTS)
    with pytest.raises(NotFittedError):
        TextSequencer().get_feature_names_out()


def test_ids_come_back_as_tokens():
    sequencer = TextSequencer(1).fit(TEXTS)
    X = sequencer.transform(TEXTS)
    expected = [["so", "[UNK]"], ["[UNK]", "so", "[UNK]"], ["so", "so"]]
    for ids in (X, X.astype(float), X.tolist(), pd.DataFrame(X)):
        assert sequencer.inverse_transform(ids) == expected
    assert sequencer.inverse_transform([[2], [0, 2, 1]]) == [["so"], ["so", "[UNK]"]]


@pytest.mark.parametrize(
    ("X", "telling"),
    [
        ([[2, 3]], r"below n_tokens_=3, got 3 in X\[0\]"),
        ([[2, -1]], r"got -1 in X\[0\]\[1\]"),
        ([[2], [0.5]], r"got 0.5 in X\[1\]\[0\]"),
        ([["so"]], "must hold rows of token ids"),
        ([2, 3], r"of shape \(\) in X\[0\]"),
    ],
)
def test_ids_without_token_are_refused(X, telling):
    with pytest.raises(ValueError, match=telling):
        TextSequencer(1).fit(TEXTS).inverse_transform(X)


def test_output_can_be_a_dataframe():
    sequencer = TextSequencer().set_output(transform="pandas")
    X = sequencer.fit_transform(pd.DataFrame({"text": TEXTS}, index=[7, 8, 9]))
    assert X.columns.tolist() == ["token0", "token1", "token2"]
    assert X.index.tolist() == [7, 8, 9]
    assert X.loc[8].tolist() == [4, 2, 3]
    assert sequencer.get_feature_names_out().tolist() == X.columns.tolist()


def test_columns_of_a_table_become_ids_by_column_transformer():
    table = pd.DataFrame({"number": [0.5, 1.5, 2.5], "text": TEXTS})
    for column in ("text", ["text"]):
        transformer = ColumnTransformer([("text", TextSequencer(), column)])
        assert_array_equal(
            transformer.fit_transform(table), [[2, 3, 0], [4, 2, 3], [2, 2, 0]]
        )
        names = transformer.get_feature_names_out()
        assert names.tolist() == ["text__token0", "text__token1", "text__token2"]


def test_sequencer_is_an_estimator():
    with pytest.warns(SkipTestWarning, match="requires input"):
        checks = list(parametrize_with_checks([TextSequencer()]).args[1])
    for estimator, check in checks:
        check(estimator)
    tags = get_tags(TextSequencer()).input_tags
    assert tags.string
    assert not tags.two_d_array


def test_sequencer_survives_clone_and_pickle():
    sequencer = TextSequencer(2, analyzer="char").fit(TEXTS)
    loaded = pickle.loads(pickle.dumps(sequencer))
    assert_array_equal(loaded.transform(TEXTS), sequencer.transform(TEXTS))
    copy = clone(sequencer)
    assert not hasattr(copy, "vocabulary_")
    assert repr(copy) == "TextSequencer(analyzer='char', max_features=2)"


def test_grid_search_over_the_vocabulary():
    texts = ["so good", "good", "not good", "not so good"] * 5
    labels = [1, 1, 0, 0] * 5
    net = LSTMClassifier(
        4, embedding_dim=4, epochs=15, learning_rate=0.05, random_state=0
    )
    search = GridSearchCV(
        make_pipeline(TextSequencer(), net),
        {"textsequencer__max_features": [1, 3]}, cv=2, error_score="raise",
    )  # fmt: skip
    search.fit(texts, labels)
    # Without "not", the classes can't be told apart.
    assert search.best_params_ == {"textsequencer__max_features": 3}
    assert search.score(texts, labels) == 1


def test_sequencer_needs_no_tensorflow():
    code = (
        "import sys; from skseq import TextSequencer; "
        "TextSequencer().fit(['so good']); assert 'tensorflow' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
