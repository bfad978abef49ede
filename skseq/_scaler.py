"""Scaling of the features of sequences."""

from __future__ import annotations

from functools import partial
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import (
    BaseEstimator,
    OneToOneFeatureMixin,
    TransformerMixin,
    clone,
)
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted, has_fit_parameter

from skseq._lists import as_listed, check_list, is_list_of_rows
from skseq._padded import blocks_of, check_padding, is_padding, lengths
from skseq._parameters import Declared, parameter
from skseq._persistence import VersionedState
from skseq._reshape import GivesSequences
from skseq._sequences import check_sequences
from skseq._validation import (
    HasMethods,
    Interval,
    check_parameters,
    check_weights,
    public_fit,
)

if TYPE_CHECKING:
    from typing import Self

    from numpy.typing import ArrayLike

_DTYPES = [np.float64, np.float32]


class SequenceScaler(
    GivesSequences,
    Declared,
    VersionedState,
    OneToOneFeatureMixin,
    TransformerMixin,
    BaseEstimator,
    auto_wrap_output_keys=None,
):
    """Scale each feature of sequences alike at all timesteps.

    Networks need features on a common scale. scikit-learn's scalers take tables, and
    would scale each timestep of a feature by itself, so that the level and trend of a
    sequence are lost. Here a scaler learns from all timesteps of all rows, as from the
    rows of one table with a column for each feature. Padding is left out, and remains
    padding.

    Attributes
    ----------
    scaler_ : transformer
        The scaler, fitted on the timesteps of all rows.
    n_features_in_ : int
        Features of a timestep; for a 2-D X, its columns.
    n_timesteps_in_ : int
        Timesteps of the X of ``fit``, or of the longest row of a list.
    feature_names_in_ : ndarray of shape (n_columns,)
        Column names of a dataframe X. Defined only if all are strings.

    See Also
    --------
    SequencePadder : Makes arrays of lists.
    sklearn.preprocessing : The scalers.

    Notes
    -----
    Scalers with ``partial_fit``, such as `StandardScaler` and `MinMaxScaler`, read X in
    blocks of rows, so that it can be a `numpy.memmap` larger than memory; the result
    is an array in memory. Others, such as `RobustScaler` and `QuantileTransformer`, get
    all timesteps at once.

    For a short and a long sequence to count alike, pass ``sample_weight=1 / lengths``.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.preprocessing import MinMaxScaler
    >>> from skseq import SequenceScaler
    >>> X = [np.array([[1.0], [2.0]]), np.array([[3.0], [4.0], [5.0]])]
    >>> scaler = SequenceScaler(MinMaxScaler()).fit(X)
    >>> [row.ravel().tolist() for row in scaler.transform(X)]
    [[0.0, 0.25], [0.5, 0.75, 1.0]]
    >>> padded = np.array([[[1.0], [2.0], [np.nan]]])
    >>> SequenceScaler(mask_value=np.nan).fit_transform(padded).ravel()
    array([-1.,  1., nan])
    """

    scaler: Any = parameter(
        default=None,
        constraint=[HasMethods(["fit", "transform"]), None],
        text="""transformer or None
        A scaler of scikit-learn, or a pipeline of scalers, which keeps the number of
        columns. None: `StandardScaler`. ``set_params(scaler__quantile_range=(5, 95))``
        sets a parameter of the scaler.""",
        kw_only=False,
    )
    mask_value: float | None = parameter(
        default=None,
        constraint=[Real, None],
        text="""float or None
        Timesteps in which every feature has this value are padding, and remain padding;
        NaN is possible. None: there is no padding. Not used for lists of sequences.""",
    )
    n_timesteps: int | None = parameter(
        default=None,
        constraint=[Interval(Integral, 1, None, closed="left"), None],
        text="""int or None
        For a 2-D X: the number of timesteps in its columns, which hold all features of
        the first timestep, then all of the second, and so on. None: each column is a
        timestep with one feature, so that all columns have one scale.""",
    )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.input_tags.allow_nan = self.mask_value is not None and bool(
            np.isnan(self.mask_value)
        )
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    @public_fit
    def fit(
        self,
        X: ArrayLike,
        y: None = None,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Learn the scale of each feature.

        Parameters
        ----------
        X : list of array-like of shape (n_timesteps_i, n_features), or array-like or \
                dataframe of shape (n_samples, n_timesteps, n_features) or \
                (n_samples, n_columns)
            Sequences.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights, not negative, each for all timesteps of a row. The scaler must take
            weights, as `StandardScaler` does.

        Returns
        -------
        self : SequenceScaler
            The fitted transformer.

        Raises
        ------
        ValueError
            If X or a parameter can't be used, or `scaler` takes no weights.
        TypeError
            If a parameter or X has the wrong type.
        """
        check_parameters(self)
        checked = self._check(X, reset=True)
        scaler = StandardScaler() if self.scaler is None else clone(self.scaler)
        weights = None
        if sample_weight is not None:
            weights = check_weights(sample_weight, len(checked))
            if not has_fit_parameter(scaler, "sample_weight"):
                raise ValueError(
                    f"sample_weight must be None with scaler={scaler!r}, whose fit "
                    f"takes no weights. Leave it out, or use StandardScaler()."
                )
        in_parts = hasattr(scaler, "partial_fit")
        learn = scaler.partial_fit if in_parts else scaler.fit
        for rows in blocks_of(checked) if in_parts else [slice(None)]:
            values, _ = _timesteps(checked[rows], self.mask_value)
            if weights is None:
                learn(values)
                continue
            repeated = np.repeat(weights[rows], self._lengths(checked[rows]))
            # In a block without weights, a mean would be NaN.
            if repeated.any():
                learn(values[repeated > 0], sample_weight=repeated[repeated > 0])
        self.scaler_ = scaler
        return self

    def transform(self, X: ArrayLike) -> Any:
        """Scale sequences.

        Parameters
        ----------
        X : list of array-like of shape (n_timesteps_i, n_features), or array-like or \
                dataframe of shape (n_samples, n_timesteps, n_features) or \
                (n_samples, n_columns)
            Sequences with the features of :meth:`fit`, of any length, as a list or an
            array. A table must have the columns of :meth:`fit`.

        Returns
        -------
        scaled : list of ndarray, or ndarray of the shape of X
            Of the same kind as X, and of its dtype if that is float32 or float64.

        Raises
        ------
        NotFittedError
            If :meth:`fit` was not called before.
        ValueError
            If X has other features than in :meth:`fit`, or a timestep would have the
            `mask_value` in all features after scaling.
        """
        check_is_fitted(self, "scaler_")
        return self._scaled(X, self.scaler_.transform)

    def inverse_transform(self, X: ArrayLike) -> Any:
        """Bring scaled sequences to the units of the X of :meth:`fit`.

        Parameters
        ----------
        X : list of array-like of shape (n_timesteps_i, n_features), or array-like or \
                dataframe of shape (n_samples, n_timesteps, n_features) or \
                (n_samples, n_columns)
            Scaled sequences.

        Returns
        -------
        sequences : list of ndarray, or ndarray of the shape of X
            Of the same kind as X.

        Raises
        ------
        NotFittedError
            If :meth:`fit` was not called before.
        AttributeError
            If the scaler has no ``inverse_transform``.
        ValueError
            As :meth:`transform` does.
        """
        check_is_fitted(self, "scaler_")
        return self._scaled(X, self.scaler_.inverse_transform)

    def _check(self, X, reset):
        """Validate X, and return a list of rows or an array of sequences."""
        check = (
            check_list
            if is_list_of_rows(X)
            else partial(check_sequences, mask_value=self.mask_value)
        )
        return check(
            self, X, reset=reset, n_timesteps=self.n_timesteps, dtype=_DTYPES,
            any_length=True,
        )  # fmt: skip

    def _scaled(self, X, scale):
        given = X
        X = self._check(X, reset=False)
        if isinstance(X, list):
            made = []
            for rows in blocks_of(X):
                values, _ = _timesteps(X[rows], None)
                values = _of_same_shape(scale(values), values)
                ends = np.cumsum(self._lengths(X[rows])).tolist()
                made += [values[i:j] for i, j in zip([0, *ends], ends, strict=False)]
            return as_listed(made, given)
        out = np.empty_like(X, subok=False)
        for rows in blocks_of(X):
            values, padding = _timesteps(X[rows], self.mask_value)
            values = _of_same_shape(scale(values), values)
            if padding.any():
                out[rows][padding] = self.mask_value
                out[rows][~padding] = values
            else:
                out[rows] = values.reshape(X[rows].shape)
            self._check_padding(out[rows], padding)
        return out if self._n_dimensions_in == 3 else out.reshape(len(out), -1)

    def _lengths(self, X):
        if isinstance(X, list):
            return [len(row) for row in X]
        return lengths(X, self.mask_value)

    def _check_padding(self, scaled, padding):
        """Raise if scaling has made a timestep equal to padding."""
        if self.mask_value is None or np.isnan(self.mask_value):
            return
        n_more = int((is_padding(scaled, self.mask_value) & ~padding).sum())
        if n_more:
            raise ValueError(
                f"mask_value must differ from all timesteps after scaling, got "
                f"mask_value={self.mask_value!r}, which all features of {n_more} "
                f"timesteps have. Pad with NaN and set mask_value=float('nan'), or "
                f"pass a list."
            )


def _timesteps(X, mask_value):
    """Collect the timesteps of rows in a table.

    Parameters
    ----------
    X : list of ndarray, or ndarray of shape (n_samples, n_timesteps, n_features)
    mask_value : float or None

    Returns
    -------
    values : ndarray of shape (n_values, n_features)
    padding : ndarray of bool of shape (n_samples, n_timesteps), or None for a list
    """
    if isinstance(X, list):
        return np.concatenate(X), None
    padding = check_padding(X, mask_value)
    if padding.any():
        return X[~padding], padding
    values = X.reshape(-1, X.shape[2]).view()
    # With copy=False, a scaler would write into the caller's array.
    values.flags.writeable = False
    return values, padding


def _of_same_shape(scaled, values):
    """Get scaled values as an array, or raise if their shape has changed."""
    if scaled.shape != values.shape:
        raise ValueError(
            f"scaler must keep the number of columns, got {scaled.shape[1]} columns "
            f"for {values.shape[1]} features."
        )
    return np.asarray(scaled, dtype=values.dtype)
