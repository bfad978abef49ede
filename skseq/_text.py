"""From texts to token ids, and back."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping
from numbers import Integral, Real
from typing import TYPE_CHECKING, Literal

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.utils.validation import check_is_fitted

from skseq._lists import is_frame
from skseq._parameters import Declared, parameter
from skseq._persistence import VersionedState
from skseq._tokens import PADDING_ID, UNKNOWN_ID, ids_of
from skseq._validation import Interval, StrOptions, check_parameters, public_fit

if TYPE_CHECKING:
    from typing import Self

    from numpy.typing import ArrayLike

# The first id of a token; smaller ids are padding and the unknown token.
_FIRST = UNKNOWN_ID + 1

# What stands for the unknown token, as in Keras' TextVectorization.
_UNKNOWN = "[UNK]"


class TextSequencer(Declared, VersionedState, TransformerMixin, BaseEstimator):
    """Transformer from texts to rows of token ids.

    Each text is split into tokens (words or characters), as in
    `sklearn.feature_extraction.text.CountVectorizer`, and each token is replaced by an
    integer, its id. The rows are input of a network with an embedding
    (``embedding_dim``). The ids are in the order of the text, followed by padding. The
    id 0 is padding, and the id 1 is the unknown token, which replaces all tokens that
    are not in the vocabulary. A text without tokens becomes a single unknown token.

    Attributes
    ----------
    vocabulary_ : dict of str to int
        Mapping of tokens to ids. Ids start at 2, with the most frequent token in
        ``fit``; tokens of equal frequency are in alphabetical order.
    n_tokens_ : int
        Number of ids, including padding and the unknown token. ``embedding_weights`` of
        a network must have this number of rows.
    max_length_ : int
        Number of ids in a row.

    See Also
    --------
    LSTMClassifier : Reads token ids, with ``embedding_dim``.
    SequencePadder : Pads numeric sequences to one length.

    Examples
    --------
    >>> from skseq import TextSequencer
    >>> sequencer = TextSequencer()
    >>> X = sequencer.fit_transform(["so good", "not so good", ""])
    >>> X
    array([[3, 2, 0],
           [4, 3, 2],
           [1, 0, 0]], dtype=int32)
    >>> sequencer.vocabulary_
    {'good': 2, 'so': 3, 'not': 4}
    >>> sequencer.inverse_transform(X)
    [['so', 'good'], ['not', 'so', 'good'], ['[UNK]']]

    Texts in a pipeline:

    >>> from sklearn.pipeline import make_pipeline
    >>> from skseq import GRUClassifier
    >>> net = GRUClassifier(8, embedding_dim=4, learning_rate=0.02, random_state=0)
    >>> pipeline = make_pipeline(TextSequencer(), net)
    >>> texts = ["so good", "good", "not good", "not so good"] * 10
    >>> labels = ["+", "+", "-", "-"] * 10
    >>> pipeline.fit(texts, labels).predict(["so so good", "not so so good"]).tolist()
    ['+', '-']
    """

    __module__ = "skseq"

    max_features: int | None = parameter(
        default=None,
        constraint=[Interval(Integral, 1, None, closed="left"), None],
        text="""int or None
        Maximum number of tokens in the vocabulary. The most frequent tokens are kept,
        and all others are unknown. None: no maximum.""",
        kw_only=False,
    )
    max_length: int | None = parameter(
        default=None,
        constraint=[Interval(Integral, 1, None, closed="left"), None],
        text="""int or None
        Number of ids in a row. Longer texts are truncated, and shorter ones are padded.
        None: the number of tokens in the longest text of ``fit``.""",
    )
    truncate: Literal["end", "start"] = parameter(
        default="end",
        constraint=[StrOptions({"end", "start"})],
        text="""{"end", "start"}
        Where longer texts are truncated. ``"end"``: the first tokens are kept.
        ``"start"``: the last tokens are kept.""",
    )
    analyzer: Literal["word", "char"] | Callable[[str], Iterable[str]] = parameter(
        default="word",
        constraint=[StrOptions({"word", "char"}), callable],
        text="""{"word", "char"} or callable
        Whether tokens are words or characters. A callable gets a text and returns its
        tokens.""",
    )
    lowercase: bool = parameter(
        default=True,
        constraint=["boolean"],
        text="""bool
        Whether to convert texts to lower case. Not used with a callable ``analyzer``.
        """,
    )
    strip_accents: Literal["ascii", "unicode"] | Callable[[str], str] | None = (
        parameter(
            default=None,
            constraint=[StrOptions({"ascii", "unicode"}), callable, None],
            text="""{"ascii", "unicode"}, callable or None
            How to remove accents, see
            `sklearn.feature_extraction.text.CountVectorizer`. None: accents are kept.
            Not used with a callable ``analyzer``.""",
        )
    )
    token_pattern: str = parameter(
        default=r"(?u)\b\w\w+\b",
        constraint=[str],
        text="""str
        Regular expression that matches a word, for ``analyzer="word"``. By default
        words have at least two letters or digits, as in `CountVectorizer`;
        ``r"\\w+|[^\\w\\s]"`` also matches words of one letter, and punctuation.""",
    )
    stop_words: Literal["english"] | list[str] | None = parameter(
        default=None,
        constraint=[StrOptions({"english"}), list, None],
        text="""{"english"}, list of str or None
        Words to remove, for ``analyzer="word"``. ``"english"``: the list in
        scikit-learn. None: no words are removed.""",
    )
    min_df: int | float = parameter(
        default=1,
        constraint=[
            Interval(Integral, 1, None, closed="left"),
            Interval(Real, 0, 1, closed="both"),
        ],
        text="""int or float
        Minimum document frequency: tokens that occur in fewer texts are unknown. An int
        is a number of texts, a float a fraction of the texts.""",
    )
    max_df: int | float = parameter(
        default=1.0,
        constraint=[
            Interval(Integral, 1, None, closed="left"),
            Interval(Real, 0, 1, closed="both"),
        ],
        text="""int or float
        Maximum document frequency: tokens that occur in more texts are unknown. An int
        is a number of texts, a float a fraction of the texts.""",
    )
    vocabulary: Mapping[str, int] | Iterable[str] | None = parameter(
        default=None,
        constraint=[Mapping, "array-like", set, None],
        text="""dict of str to int, list, array or set of str, or None
        Fixed vocabulary: a mapping of tokens to ids, which start at 2 and have no gaps,
        or the tokens in the order of their ids (a set is sorted). None: the vocabulary
        is learned in ``fit``.""",
    )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.string = True
        return tags

    @public_fit
    def fit(self, X: ArrayLike, y: None = None) -> Self:
        """Learn the vocabulary and the number of ids in a row.

        Parameters
        ----------
        X : array-like of str of shape (n_samples,) or (n_samples, 1), or dataframe \
                with one column
            Texts.
        y : None
            Ignored.

        Returns
        -------
        self : TextSequencer
            The fitted transformer.

        Raises
        ------
        ValueError
            If X contains anything other than texts, or the vocabulary is empty.
        TypeError
            If a parameter or X has an invalid type.
        """
        self._fit(X)
        return self

    @public_fit
    def fit_transform(self, X: ArrayLike, y: None = None) -> np.ndarray:
        """Learn the vocabulary and convert the texts.

        Parameters
        ----------
        X : array-like of str of shape (n_samples,) or (n_samples, 1), or dataframe \
                with one column
            Texts.
        y : None
            Ignored.

        Returns
        -------
        ids : ndarray of int32 of shape (n_samples, `max_length_`)
            Token ids, as in :meth:`transform`.

        Raises
        ------
        ValueError, TypeError
            As :meth:`fit` does.
        """
        return self._rows(*self._fit(X))

    def transform(self, X: ArrayLike) -> np.ndarray:
        """Convert texts to rows of token ids.

        Parameters
        ----------
        X : array-like of str of shape (n_samples,) or (n_samples, 1), or dataframe \
                with one column
            Texts.

        Returns
        -------
        ids : ndarray of int32 of shape (n_samples, `max_length_`)
            Token ids, with 0 (padding) after the end of a text, and 1 for unknown
            tokens. Each row has at least one id that is not 0.

        Raises
        ------
        NotFittedError
            If :meth:`fit` was not called before.
        ValueError, TypeError
            If X contains anything other than texts.
        """
        check_is_fitted(self, "vocabulary_")
        return self._rows(*_encoded(_texts(X), self._analyzer(), self.vocabulary_))

    def inverse_transform(self, X: ArrayLike) -> list[list[str]]:
        """Convert rows of token ids to lists of tokens.

        Parameters
        ----------
        X : array-like of int of shape (n_samples, n_ids)
            Token ids.

        Returns
        -------
        tokens : list of list of str
            The tokens of each row, without padding. ``"[UNK]"`` replaces unknown
            tokens, and truncated tokens are missing.

        Raises
        ------
        NotFittedError
            If :meth:`fit` was not called before.
        ValueError
            If X contains anything other than ids from 0 to ``n_tokens_ - 1``.
        """
        check_is_fitted(self, "vocabulary_")
        rows = ids_of(X)
        for i, row in enumerate(rows):
            if len(row) and row.max() >= self.n_tokens_:
                raise ValueError(
                    f"X must hold ids below n_tokens_={self.n_tokens_}, got "
                    f"{row.max()} in X[{i}]. Pass ids that this TextSequencer gave."
                )
        tokens = [None, _UNKNOWN, *sorted(self.vocabulary_, key=self.vocabulary_.get)]
        return [[tokens[i] for i in row.tolist() if i != PADDING_ID] for row in rows]

    def get_feature_names_out(
        self, input_features: ArrayLike | None = None
    ) -> np.ndarray:
        """Get the names of the columns of ids.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Ignored.

        Returns
        -------
        names : ndarray of shape (`max_length_`,), object
            ``"token0"`` for the first token of a text, and so on.

        Raises
        ------
        NotFittedError
            If :meth:`fit` was not called before.
        """
        check_is_fitted(self, "vocabulary_")
        return np.array([f"token{i}" for i in range(self.max_length_)], dtype=object)

    def _analyzer(self):
        """Get the function from a text to its tokens."""
        try:
            return CountVectorizer(
                lowercase=self.lowercase,
                strip_accents=self.strip_accents,
                token_pattern=self.token_pattern,
                stop_words=self.stop_words,
                analyzer=self.analyzer,
            ).build_analyzer()
        except TypeError as error:  # of a word that is no text
            raise TypeError(
                f"stop_words must be a list of str, got {self.stop_words!r}."
            ) from error
        except re.error as error:
            raise ValueError(
                f"token_pattern must be a valid regular expression, got "
                f"{self.token_pattern!r}: {error}."
            ) from error

    def _fit(self, X):
        """Fit, and return the ids of all tokens and the lengths of the texts."""
        check_parameters(self)
        texts = _texts(X)
        if self.vocabulary is None:
            places = defaultdict(int)
            places.default_factory = places.__len__
            ids, lengths = _encoded(texts, self._analyzer(), places)
            self.vocabulary_, new_ids = self._learn(list(places), ids, lengths)
            ids = new_ids[ids]
        else:
            self.vocabulary_ = _checked(self.vocabulary)
            ids, lengths = _encoded(texts, self._analyzer(), self.vocabulary_)
        self.n_tokens_ = len(self.vocabulary_) + _FIRST
        self.max_length_ = self.max_length
        if self.max_length is None:
            self.max_length_ = max(int(lengths.max()), 1)
        return ids, lengths

    def _learn(self, tokens, places, lengths):
        """Choose the tokens of the vocabulary.

        Parameters
        ----------
        tokens : list of str
        places : ndarray of int
            The place in this list of each token of each text, text after text.
        lengths : ndarray of int of shape (n_samples,)

        Returns
        -------
        vocabulary : dict of str to int
        ids : ndarray of int of shape (n_tokens,)
            The id of each token of the list.
        """
        n_texts = len(lengths)
        counts = np.bincount(places, minlength=len(tokens))
        text = np.repeat(np.arange(n_texts), lengths)
        pairs = np.unique(text * len(tokens) + places) % max(len(tokens), 1)
        n_in = np.bincount(pairs, minlength=len(tokens))
        least, most = (
            value if isinstance(value, Integral) else value * n_texts
            for value in (self.min_df, self.max_df)
        )
        kept = np.flatnonzero((n_in >= least) & (n_in <= most)).tolist()
        if not kept:
            raise ValueError(
                f"X must have a token for the vocabulary, got {len(tokens)} different "
                f"tokens in {n_texts} texts, and none within min_df={self.min_df!r} "
                f"and max_df={self.max_df!r}. Change these, token_pattern or "
                f"stop_words."
            )
        kept.sort(key=lambda i: (-counts[i], tokens[i]))
        kept = kept[: self.max_features]
        ids = np.full(len(tokens), UNKNOWN_ID)
        ids[kept] = np.arange(len(kept)) + _FIRST
        return {tokens[i]: n for n, i in enumerate(kept, _FIRST)}, ids

    def _rows(self, ids, lengths):
        """Put the ids of all texts into rows, with padding."""
        n_columns = self.max_length_
        # What is left out at the start and at the end of each text.
        n_cut = np.maximum(lengths - n_columns, 0)
        place = np.arange(len(ids)) - np.repeat(lengths.cumsum() - lengths, lengths)
        if self.truncate == "start":
            place -= np.repeat(n_cut, lengths)
        is_kept = (place >= 0) & (place < n_columns)
        rows = np.full((len(lengths), n_columns), PADDING_ID, np.int32)
        text = np.repeat(np.arange(len(lengths)), lengths)
        rows[text[is_kept], place[is_kept]] = ids[is_kept]
        rows[lengths == 0, 0] = UNKNOWN_ID
        return rows


def _encoded(texts, analyze, ids):
    """Split texts into tokens.

    Parameters
    ----------
    texts : list of str
    analyze : callable
    ids : dict of str to int
        The number of each token. One that makes missing entries gets all tokens.

    Returns
    -------
    ids : ndarray of int
        The number of each token of each text, text after text.
    lengths : ndarray of int of shape (n_samples,)
    """
    find = ids.__getitem__
    if not isinstance(ids, defaultdict):

        def find(token, get=ids.get):
            return get(token, UNKNOWN_ID)

    found, lengths = [], []
    for text in texts:
        n_before = len(found)
        found.extend(map(find, analyze(text)))
        lengths.append(len(found) - n_before)
    return np.array(found, dtype=np.int64), np.array(lengths)


def _checked(vocabulary):
    """Validate a fixed vocabulary, and return a dict."""
    if isinstance(vocabulary, Mapping):
        found = {token: int(i) for token, i in vocabulary.items()}
        if sorted(found.values()) != list(range(_FIRST, len(found) + _FIRST)):
            raise ValueError(
                f"vocabulary must give each token an id from {_FIRST} without gaps, "
                f"because 0 is padding and 1 the unknown token, got ids from "
                f"{min(found.values(), default=None)} to "
                f"{max(found.values(), default=None)} for {len(found)} tokens. Pass a "
                f"list of the tokens."
            )
    else:
        tokens = sorted(vocabulary) if isinstance(vocabulary, set) else vocabulary
        tokens = np.asarray(tokens, dtype=object).tolist()
        is_list = isinstance(tokens, list)
        if not is_list or not all(isinstance(token, Hashable) for token in tokens):
            raise TypeError(f"vocabulary must hold tokens, got {vocabulary!r}.")
        found = {token: i for i, token in enumerate(tokens, _FIRST)}
        if len(found) < len(tokens):
            twice = next(t for i, t in enumerate(tokens) if t in tokens[:i])
            raise ValueError(
                f"vocabulary must hold each token once, got {twice!r} twice. Leave "
                f"one out."
            )
    if not found:
        raise ValueError(
            "vocabulary must hold at least one token, got none. Pass None to learn "
            "the tokens of X."
        )
    return found


def _texts(X):
    """Validate texts, and return them as a list."""
    expected = (
        "X must be a list, array or series of texts, or a dataframe with one column"
    )
    if isinstance(X, (str, bytes)):
        raise ValueError(f"{expected}, got one {type(X).__name__}. Pass [text].")
    if is_frame(X):
        if len(X.columns) != 1:
            raise ValueError(
                f"{expected}, got {len(X.columns)} columns. Choose one, as in "
                f"X['text'], or use a ColumnTransformer with a TextSequencer for each."
            )
        X = X[X.columns[0]]
    if isinstance(X, (list, tuple)):
        texts = list(X)
    elif hasattr(X, "shape") and hasattr(X, "__array__"):
        values = np.asarray(X, dtype=object)
        if values.ndim == 2 and values.shape[1] == 1:
            values = values[:, 0]
        if values.ndim != 1:
            raise ValueError(
                f"{expected}, got an array of shape {values.shape}. Choose one column."
            )
        texts = values.tolist()
    else:
        raise TypeError(f"{expected}, got {type(X).__name__}. Pass list(X).")
    for i, text in enumerate(texts):
        if not isinstance(text, str):
            raise ValueError(
                f"X must hold texts, got {text!r} of type {type(text).__name__} in "
                f"X[{i}].{_remedy(text)}"
            )
    if not texts:
        raise ValueError("X must hold at least one text, got none.")
    return texts


def _remedy(value):
    """Write the end of a message about something that is no text, after a space."""
    if isinstance(value, bytes):
        return " Decode it, as in text.decode('utf-8')."
    is_nan = isinstance(value, float) and math.isnan(value)
    if value is None or is_nan or type(value).__name__ == "NAType":
        return " Fill in missing texts, for instance with X.fillna('')."
    if isinstance(value, (list, tuple, np.ndarray)):
        return (
            " For texts that are split already, pass ' '.join(tokens), and set "
            "analyzer=str.split."
        )
    return " Convert it with str, or leave it out."
