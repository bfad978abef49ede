"""From lists of sequences to padded arrays, and back."""

from __future__ import annotations

from numbers import Integral, Real
from typing import TYPE_CHECKING, Literal

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from skseq._lists import check_list, is_list_of_rows
from skseq._padded import (
    as_padded,
    blocks_of,
    check_padding,
    compacted,
    dtype_with,
    is_padding,
    padded,
    unpadded,
)
from skseq._parameters import Declared, parameter
from skseq._persistence import VersionedState
from skseq._reshape import GivesSequences
from skseq._sequences import check_kind, check_sequences
from skseq._validation import Interval, StrOptions, check_parameters, public_fit

if TYPE_CHECKING:
    from typing import Self

    from numpy.typing import ArrayLike


class SequencePadder(
    GivesSequences,
    Declared,
    VersionedState,
    TransformerMixin,
    BaseEstimator,
    auto_wrap_output_keys=None,
):
    """Transformer that pads sequences of different lengths to one array.

    The networks of this package accept lists of sequences of different lengths, and
    need no padding. This transformer is for other estimators and functions, which need
    an array: sequences shorter than `n_timesteps` are extended at the end by timesteps
    in which every feature has the `mask_value`.

    Attributes
    ----------
    n_timesteps_ : int
        Number of timesteps of the arrays.
    n_features_in_ : int
        Number of features.

    See Also
    --------
    SequenceScaler : Scales lists and padded arrays, without the padding.
    SequenceReshaper : Arranges the columns of a table as sequences.

    Notes
    -----
    The array has the common dtype of the sequences. Integers become floats unless the
    `mask_value` is an integer.

    Examples
    --------
    >>> import numpy as np
    >>> from skseq import SequencePadder
    >>> X = [np.array([[1.0], [2.0]]), np.array([[3.0], [4.0], [5.0]])]
    >>> padder = SequencePadder()
    >>> padder.fit_transform(X)[:, :, 0]
    array([[ 1.,  2., nan],
           [ 3.,  4.,  5.]])

    With ``truncate="start"`` the last timesteps of longer sequences are kept.
    ``inverse_transform`` returns a list without padding:

    >>> padder = SequencePadder(2, truncate="start").fit(X)
    >>> [row.ravel().tolist() for row in padder.inverse_transform(padder.transform(X))]
    [[1.0, 2.0], [4.0, 5.0]]
    """

    __module__ = "skseq"

    n_timesteps: int | None = parameter(
        default=None,
        constraint=[Interval(Integral, 1, None, closed="left"), None],
        text="""int or None
        Number of timesteps of the arrays. None: that of the longest sequence in
        ``fit``.""",
        kw_only=False,
    )
    mask_value: float = parameter(
        default=float("nan"),
        constraint=[Real],
        text="""float or int
        Value that marks padding, in the arrays that are returned and in padded arrays
        that are passed. No timestep of a sequence may have this value in all features.
        NaN is safe, because sequences must not contain missing values.""",
    )
    truncate: Literal["end", "start"] | None = parameter(
        default=None,
        constraint=[StrOptions({"end", "start"}), None],
        text="""{"end", "start"} or None
        Where sequences with more than ``n_timesteps`` timesteps are truncated.
        ``"end"``: the first timesteps are kept. ``"start"``: the last timesteps are
        kept. None: they raise an error.""",
    )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        tags.input_tags.allow_nan = bool(np.isnan(self.mask_value))
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    @public_fit
    def fit(self, X: ArrayLike, y: None = None) -> Self:
        """Learn the numbers of timesteps and features.

        Parameters
        ----------
        X : list of array-like of shape (n_timesteps_i, n_features), or array-like of \
                shape (n_samples, n_timesteps, n_features)
            Rows of different lengths, or an array with padding.
        y : None
            Ignored.

        Returns
        -------
        self : SequencePadder
            The fitted transformer.

        Raises
        ------
        ValueError
            If a sequence contains values that are not finite, has another number of
            features than the others, consists of padding only, contains a timestep that
            equals padding, or is too long.
        TypeError
            If a parameter or X has an invalid type.
        """
        check_parameters(self)
        _, counts = self._check(X, reset=True)
        longest = int(counts.max())
        self.n_timesteps_ = longest if self.n_timesteps is None else self.n_timesteps
        self._check_lengths(counts)
        return self

    def transform(self, X: ArrayLike) -> np.ndarray:
        """Pad sequences to one array.

        Parameters
        ----------
        X : list of array-like of shape (n_timesteps_i, n_features), or array-like of \
                shape (n_samples, n_timesteps, n_features)
            Rows of different lengths, or an array with padding. Its padding may be at
            any timestep.

        Returns
        -------
        sequences : ndarray of shape (n_samples, `n_timesteps_`, n_features)
            A new array, with padding at the end of each row.

        Raises
        ------
        NotFittedError
            If :meth:`fit` was not called before.
        ValueError, TypeError
            As :meth:`fit` does.
        """
        check_is_fitted(self, "n_timesteps_")
        checked, counts = self._check(X, reset=False)
        self._check_lengths(counts)
        return self._padded(checked)

    def inverse_transform(self, X: ArrayLike) -> list:
        """Convert a padded array to a list of sequences without padding.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_timesteps, n_features)
            An array with padding, of any number of timesteps.

        Returns
        -------
        rows : list of ndarray of shape (n_timesteps_i, n_features)
            The timesteps of each sequence that are not padding. Truncated timesteps are
            missing.

        Raises
        ------
        NotFittedError
            If :meth:`fit` was not called before.
        ValueError
            If X has another number of features than in :meth:`fit`, or a row consists
            of padding only.
        """
        check_is_fitted(self, "n_timesteps_")
        checked = self._check_array(X, reset=False)
        check_padding(checked, self.mask_value)
        return unpadded(checked, self.mask_value)

    def _padded(self, X):
        n_timesteps, value = self.n_timesteps_, self.mask_value
        if isinstance(X, list):
            cut = slice(n_timesteps)
            if self.truncate == "start":
                cut = slice(-n_timesteps, None)
            dtype = dtype_with(X[0].dtype, value)
            return padded([row[cut] for row in X], n_timesteps, value, dtype)
        shape = (len(X), n_timesteps, X.shape[2])
        out = np.empty(shape, dtype_with(X.dtype, value))
        for rows in blocks_of(X):
            block = X[rows].astype(out.dtype, copy=False)
            if self.truncate == "start":
                valid = ~is_padding(block, value)
                n_left = valid[:, ::-1].cumsum(axis=1)[:, ::-1]
                block = np.where((n_left > n_timesteps)[..., None], value, block)
            out[rows] = compacted(block, value, value, n_timesteps)
        return out

    def _check(self, X, reset):
        """Validate X, and return a list or an array, and the lengths of its rows."""
        if not is_list_of_rows(X):
            X = self._check_array(X, reset)
            return X, as_padded(X, self.mask_value).lengths
        rows = check_list(self, X, reset=reset, dtype=None, any_length=True)
        for i, row in enumerate(rows if not np.isnan(self.mask_value) else []):
            like = is_padding(row[None], self.mask_value)[0]
            if like.any():
                raise ValueError(
                    f"mask_value must differ from all timesteps of X, got mask_value="
                    f"{self.mask_value!r}, which all features of X[{i}] have at "
                    f"timestep {like.argmax()}. Set mask_value=float('nan')."
                )
        return rows, np.array([len(row) for row in rows])

    def _check_array(self, X, reset):
        X = check_sequences(
            self, X, reset=reset, dtype="numeric", mask_value=self.mask_value,
            any_length=True,
        )  # fmt: skip
        if self._n_dimensions_in == 2:
            raise ValueError(
                f"X must be a list of arrays of shape (n_timesteps_i, n_features), or "
                f"an array of 3 dimensions, got an array with 2 dimensions. Arrange "
                f"the columns of a table with SequenceReshaper({X.shape[1]}), or with "
                f"fewer timesteps."
            )
        check_kind(X)
        return X

    def _check_lengths(self, counts):
        if self.truncate is None and counts.max() > self.n_timesteps_:
            i = int((counts > self.n_timesteps_).argmax())
            raise ValueError(
                f"X must have rows of at most n_timesteps_={self.n_timesteps_} "
                f"timesteps, got {counts[i]} in X[{i}]. Set truncate='start' to keep "
                f"the newest timesteps, 'end' to keep the oldest, or n_timesteps."
            )
