"""Scaling of the features of sequences."""

from __future__ import annotations

from copy import copy
from functools import partial
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from sklearn.base import (
    BaseEstimator,
    OneToOneFeatureMixin,
    TransformerMixin,
    clone,
)
from sklearn.preprocessing import RobustScaler, StandardScaler
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, has_fit_parameter

from skseq._lists import as_listed, check_list, is_frame, is_list_of_rows
from skseq._padded import blocks_of, check_padding, is_padding
from skseq._parameters import Declared, parameter
from skseq._persistence import VersionedState
from skseq._reshape import GivesSequences
from skseq._sequences import check_sequences
from skseq._validation import (
    HasMethods,
    Interval,
    StrOptions,
    check_parameters,
    check_weights,
    public_fit,
)

if TYPE_CHECKING:
    from typing import Self

    from numpy.typing import ArrayLike

_DTYPES = [np.float64, np.float32]

# The least standard deviation of logarithms by which they are divided. Otherwise rows
# whose scales are equal but for rounding, such as rows that were standardized before,
# would get a feature of rounding errors.
_LEAST_LOG_STD = 0.01

# What a fit learns by `per_row`, after which it is fitted.
_LEARNED = {
    None: ["scaler_"],
    "standardize": ["n_timesteps_in_"],
    "append": ["scaler_", "log_scale_mean_", "log_scale_std_", "log_scale_range_"],
}


def _keeps_scale(scaler):
    """Check whether rows can be brought back to the units of X."""
    if scaler.per_row == "standardize":
        raise AttributeError(
            "SequenceScaler has no inverse_transform with per_row='standardize', where "
            "the mean and scale of a row are lost. Use per_row='append' or None."
        )
    return True


class SequenceScaler(
    GivesSequences,
    Declared,
    VersionedState,
    OneToOneFeatureMixin,
    TransformerMixin,
    BaseEstimator,
    auto_wrap_output_keys=None,
):
    """Scaler for sequences, with one scale per feature for all timesteps.

    Networks need features on a common scale. In a table with a column for each
    timestep, scikit-learn's scalers scale each timestep of a feature separately, so
    that the level and trend of a sequence are lost. This transformer fits a scaler on
    all timesteps of all sequences, as on a table with a row for each timestep and a
    column for each feature. Padding is ignored, and remains padding.

    If the values of sequences differ by orders of magnitude, the shape of small
    sequences is lost with a common scale. `per_row` additionally scales each sequence
    by itself.

    Attributes
    ----------
    scaler_ : transformer
        The fitted scaler. Not with ``per_row="standardize"``.
    log_scale_mean_, log_scale_std_ : float
        Mean and standard deviation (at least 0.01) of the logarithms of the standard
        deviations of the rows in ``fit``. Only with ``per_row="append"``.
    log_scale_range_ : tuple of float
        The smallest and the largest of these logarithms. Only with
        ``per_row="append"``.
    n_features_in_ : int
        Number of features, or number of columns of a 2-D X.
    n_timesteps_in_ : int
        Number of timesteps of the X of ``fit``, or of its longest sequence for a list.
    feature_names_in_ : ndarray of shape (n_columns,)
        Names of the columns of a dataframe X. Defined only if all names are strings.

    See Also
    --------
    SequencePadder : Pads lists of sequences to arrays.
    sklearn.preprocessing : Scalers for tables.
    sklearn.preprocessing.Normalizer : Scales each row of a table by itself.

    Notes
    -----
    With a scaler that has ``partial_fit``, such as `StandardScaler` or `MinMaxScaler`,
    ``fit`` reads X in blocks of rows, so that X can be a `numpy.memmap` larger than
    memory; ``transform`` returns an array in memory. Other scalers, such as
    `RobustScaler` and `QuantileTransformer`, are fitted on all timesteps at once.

    A long sequence has more timesteps, and thus more influence on the scale, than a
    short one. For equal influence, pass ``sample_weight=1 / lengths``.

    With ``per_row="append"``, the output has the following features, in this order:

    - the inverse hyperbolic sine (asinh) of each feature, after ``scaler``. It is
      linear near 0 and logarithmic for large values [1]_, so that no value is too large
      for a network;
    - each feature, after ``scaler``, minus the mean of the row and divided by the
      standard deviation of the row, both over all timesteps without padding and all
      features, so that relations between features are kept. It is 0 for a constant row;
    - the logarithm of this standard deviation, repeated at all timesteps. It is
      standardized, and clipped to its range in ``fit``. A network with ``n_static=1``
      reads this last feature only once.

    References
    ----------
    .. [1] J. B. Burbidge, L. Magee and A. L. Robb, "Alternative transformations to
       handle extreme values of the dependent variable", Journal of the American
       Statistical Association 83, 1988.

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

    Two sequences with the same shape, the second a hundred times as large:

    >>> X = np.array([[[1.0], [2.0], [3.0]], [[100.0], [200.0], [300.0]]])
    >>> scaler = SequenceScaler(per_row="append").fit(X)
    >>> scaler.get_feature_names_out().tolist()
    ['x0_asinh', 'x0_row', 'log_scale']
    >>> scaler.transform(X).round(2)
    array([[[-0.29, -1.22, -1.  ],
            [-0.28,  0.  , -1.  ],
            [-0.28,  1.22, -1.  ]],
    <BLANKLINE>
           [[ 0.28, -1.22,  1.  ],
            [ 0.78,  0.  ,  1.  ],
            [ 1.16,  1.22,  1.  ]]])
    """

    __module__ = "skseq"

    scaler: Any = parameter(
        default=None,
        constraint=[HasMethods(["fit", "transform"]), None],
        text="""transformer or None
        A scaler of scikit-learn, or a pipeline of scalers, which must keep the number
        of columns. None: `StandardScaler`, or `RobustScaler` with ``per_row="append"``.
        A parameter of the scaler can be set with
        ``set_params(scaler__quantile_range=(5, 95))``.""",
        kw_only=False,
    )
    per_row: Literal["standardize", "append"] | None = parameter(
        default=None,
        constraint=[StrOptions({"standardize", "append"}), None],
        text="""{"standardize", "append"} or None
        Whether and how each row is scaled by itself. ``"standardize"``: each feature of
        a row is standardized over the timesteps of the row; levels and magnitudes are
        lost, and `scaler` must be None. ``"append"``: in addition to the scaled
        features, whose inverse hyperbolic sine is taken, the output contains the
        features standardized by the mean and standard deviation of the row, and the
        logarithm of this standard deviation: 2 n + 1 features in place of n, see Notes.
        A 2-D X then needs `n_timesteps`. None: rows are not scaled by themselves.""",
    )
    mask_value: float | None = parameter(
        default=None,
        constraint=[Real, None],
        text="""float or None
        Value that marks padding: a timestep in which every feature has this value is
        ignored, and remains padding. NaN is possible. None: X has no padding. Not used
        for lists of sequences.""",
    )
    n_timesteps: int | None = parameter(
        default=None,
        constraint=[Interval(Integral, 1, None, closed="left"), None],
        text="""int or None
        Number of timesteps in the columns of a 2-D X. The columns hold all features of
        the first timestep, then all features of the second timestep, and so on. None:
        each column is a timestep of the same feature, so that all columns have one
        scale. Leave it None for a 3-D X.""",
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
            Non-negative weights of rows; each applies to all timesteps of the row. The
            scaler must support weights, as `StandardScaler` does.

        Returns
        -------
        self : SequenceScaler
            The fitted transformer.

        Raises
        ------
        ValueError
            If X or a parameter is invalid, or `scaler` does not support weights.
        TypeError
            If a parameter or X has an invalid type.
        """
        check_parameters(self)
        checked = self._check(X, reset=True)
        self._check_per_row()
        weights = None
        if sample_weight is not None:
            weights = check_weights(sample_weight, len(checked))
        for name in _LEARNED["append"]:
            vars(self).pop(name, None)
        if self.per_row != "standardize":
            self.scaler_ = self._learned(checked, weights)
        if self.per_row == "append":
            self._learn_log_scales(checked, weights)
        return self

    def transform(self, X: ArrayLike) -> Any:
        """Scale sequences.

        Parameters
        ----------
        X : list of array-like of shape (n_timesteps_i, n_features), or array-like or \
                dataframe of shape (n_samples, n_timesteps, n_features) or \
                (n_samples, n_columns)
            Sequences of any length with the same features as in :meth:`fit`, as a list
            or an array; or a table with the same columns as in :meth:`fit`.

        Returns
        -------
        scaled : list of ndarray, or ndarray of the shape of X
            The scaled sequences, as a list, array or table like X. The dtype is that of
            X if it is float32 or float64. With ``per_row="append"``, there are 2 n + 1
            features in place of n; a table contains those of the first timestep first.

        Raises
        ------
        NotFittedError
            If :meth:`fit` was not called before.
        ValueError
            If X has other features than in :meth:`fit`, or if all features of a
            timestep would equal the `mask_value` after scaling.
        """
        check_is_fitted(self, _LEARNED[self.per_row])
        X, given = self._check(X, reset=False), X
        if self.per_row == "standardize":
            return self._each_block(X, given, _standardized_features)
        if self.per_row == "append":
            return self._each_block(X, given, self._appended)
        return self._each_block(X, given, self._plain)

    @available_if(_keeps_scale)
    def inverse_transform(self, X: ArrayLike) -> Any:
        """Scale sequences back to the units of the X of :meth:`fit`.

        Parameters
        ----------
        X : list of array-like of shape (n_timesteps_i, n_features), or array-like or \
                dataframe of shape (n_samples, n_timesteps, n_features) or \
                (n_samples, n_columns)
            Scaled sequences, with the features that :meth:`transform` returns.

        Returns
        -------
        sequences : list of ndarray, or ndarray
            The sequences, as a list, array or table like X, with the features of the X
            of :meth:`fit`. With ``per_row="append"``, they are computed from the first
            n of the 2 n + 1 features, and the others are ignored.

        Raises
        ------
        NotFittedError
            If :meth:`fit` was not called before.
        AttributeError
            If the scaler has no ``inverse_transform``, or with
            ``per_row="standardize"``, because the scales of the rows are not stored.
        ValueError
            As :meth:`transform` does.
        """
        check_is_fitted(self, _LEARNED[self.per_row])
        X, given = self._expecting_scaled(X)._check(X, reset=False), X
        return self._each_block(X, given, self._inverse)

    def get_feature_names_out(
        self, input_features: ArrayLike | None = None
    ) -> np.ndarray:
        """Get the names of the features that :meth:`transform` returns.

        Parameters
        ----------
        input_features : array-like of str of shape (`n_features_in_`,), default=None
            Names of the features of X. They must equal `feature_names_in_` if the X of
            :meth:`fit` had names. None: `feature_names_in_`, or "x0", "x1", ...

        Returns
        -------
        names : ndarray of shape (n_features_out,), object
            The names of the features of X. With ``per_row="append"``:
            ``"{name}_asinh"`` of all features, ``"{name}_row"`` of all features, and
            ``"log_scale"``. For a table, these names are repeated for each timestep,
            with ``"log_scale_t-{lag}"``, where the lag is 0 for the last timestep, 1
            for the timestep before, and so on.

        Raises
        ------
        NotFittedError
            If :meth:`fit` was not called before.
        ValueError
            If `input_features` does not agree with the features seen in :meth:`fit`.
        """
        names = super().get_feature_names_out(input_features)
        if self.per_row != "append":
            return names
        is_table = self._n_dimensions_in == 2
        steps = names.reshape(self.n_timesteps_in_ if is_table else 1, -1)
        lags = [f"_t-{i}" for i in range(len(steps))][::-1] if is_table else [""]
        return np.array(
            [
                name
                for step, lag in zip(steps, lags, strict=True)
                for name in (
                    *(f"{one}_asinh" for one in step),
                    *(f"{one}_row" for one in step),
                    f"log_scale{lag}",
                )
            ],
            dtype=object,
        )

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

    def _check_per_row(self):
        """Raise where `per_row` does not go with another parameter or X."""
        if self.per_row == "standardize" and self.scaler is not None:
            raise ValueError(
                f"scaler must be None with per_row='standardize', where each row is "
                f"standardized by itself, got {self.scaler!r}. Leave it out, or set "
                f"per_row='append' or None."
            )
        is_table = self._n_dimensions_in == 2
        if self.per_row == "append" and is_table and self.n_timesteps is None:
            # A network without it would take each new column as a timestep.
            raise ValueError(
                f"n_timesteps must be set for a 2-D X with per_row='append', which "
                f"adds columns to each timestep, got None. Set n_timesteps, both here "
                f"and in the network after it, for instance to "
                f"{self.n_timesteps_in_} if each column of X is a timestep."
            )

    def _learned(self, X, weights):
        """Fit the scaler on all timesteps, and return it."""
        if self.scaler is not None:
            scaler = clone(self.scaler)
        else:
            scaler = RobustScaler() if self.per_row == "append" else StandardScaler()
        if weights is not None and not has_fit_parameter(scaler, "sample_weight"):
            raise ValueError(
                f"sample_weight must be None with scaler={scaler!r}, whose fit takes "
                f"no weights. Leave it out, or use StandardScaler()."
            )
        in_parts = hasattr(scaler, "partial_fit")

        # Sums of squares that overflow are an error below.
        @np.errstate(over="ignore", invalid="ignore")
        def learn(*values, **options):
            (scaler.partial_fit if in_parts else scaler.fit)(*values, **options)

        for rows in blocks_of(X) if in_parts else [slice(None)]:
            values, counts, _ = _timesteps(X[rows], self.mask_value)
            if self.per_row == "append":
                values = values.astype(np.float64)
            if weights is None:
                learn(values)
                continue
            repeated = np.repeat(weights[rows], counts)
            # In a block without weights, a mean would be NaN.
            if repeated.any():
                learn(values[repeated > 0], sample_weight=repeated[repeated > 0])
        variance = getattr(scaler, "var_", None)
        if variance is not None and not np.isfinite(variance).all():
            raise ValueError(
                f"X must have a finite variance in each feature, got {variance}. "
                f"Divide X by a large number."
            )
        return scaler

    def _learn_log_scales(self, X, weights):
        """Learn how the logarithms of the scales of rows are scaled."""
        parts = []
        for rows in blocks_of(X):
            values, counts, _ = _timesteps(X[rows], self.mask_value)
            parts.append(_standardized(self._bounded(values), counts)[1][:, 0])
        logs = np.concatenate(parts)
        if weights is not None:
            logs, weights = logs[weights > 0], weights[weights > 0]
        known = logs[np.isfinite(logs)]  # not those of rows with one value
        if not len(known):
            known = np.zeros(1)
        low, high = float(known.min()), float(known.max())
        logs = np.maximum(logs, low)
        mean = np.average(logs, weights=weights)
        std = np.sqrt(np.average((logs - mean) ** 2, weights=weights))
        self.log_scale_range_ = low, high
        self.log_scale_mean_ = float(mean)
        self.log_scale_std_ = max(float(std), _LEAST_LOG_STD)

    def _plain(self, values, counts):
        return _of_same_shape(self.scaler_.transform(values), values)

    def _bounded(self, values):
        """Scale values in float64, without infinity."""
        values = values.astype(np.float64)
        with np.errstate(over="ignore"):
            scaled = _of_same_shape(self.scaler_.transform(values), values)
        largest = np.finfo(np.float64).max
        return scaled.clip(-largest, largest)

    def _appended(self, values, counts):
        scaled = self._bounded(values)
        rows, logs = _standardized(scaled, counts)
        logs = (logs.clip(*self.log_scale_range_) - self.log_scale_mean_) / (
            self.log_scale_std_
        )
        return np.hstack([np.arcsinh(scaled), rows, np.repeat(logs, counts, axis=0)])

    def _inverse(self, values, counts):
        if self.per_row != "append":
            return _of_same_shape(self.scaler_.inverse_transform(values), values)
        scaled = np.sinh(values[:, : values.shape[1] // 2].astype(np.float64))
        return _of_same_shape(self.scaler_.inverse_transform(scaled), scaled)

    def _expecting_scaled(self, X):
        """Copy the scaler, as one that expects the features that it gives."""
        other = copy(self)
        # An array has no names to compare, and `transform` gives arrays.
        vars(other).pop("feature_names_in_", None)
        names = self.get_feature_names_out()
        other.n_features_in_ = len(names)
        if is_frame(X):
            other.feature_names_in_ = names
        return other

    def _each_block(self, X, given, scale):
        """Scale the timesteps of X block by block.

        Parameters
        ----------
        X : list of ndarray, or ndarray of shape (n_samples, n_timesteps, n_features)
            Validated sequences.
        given : object
            X as the caller has passed it.
        scale : callable
            Gets values of shape (n_values, n_features) and the counts of timesteps of
            their rows, and returns as many rows.
        """
        if isinstance(X, list):
            made = []
            for rows in blocks_of(X):
                values, counts, _ = _timesteps(X[rows], None)
                values = scale(values, counts).astype(values.dtype, copy=False)
                ends = np.cumsum(counts).tolist()
                made += [values[i:j] for i, j in zip([0, *ends], ends, strict=False)]
            return as_listed(made, given)
        out = None
        for rows in blocks_of(X):
            values, counts, padding = _timesteps(X[rows], self.mask_value)
            values = scale(values, counts)
            if out is None:
                out = np.empty((*X.shape[:2], values.shape[1]), X.dtype)
            if padding.any():
                out[rows][padding] = self.mask_value
                out[rows][~padding] = values
            else:
                out[rows] = values.reshape(out[rows].shape)
            self._check_padding(out[rows], padding)
        return out if self._n_dimensions_in == 3 else out.reshape(len(out), -1)

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
    counts : ndarray of int of shape (n_samples,)
        The number of timesteps of each row.
    padding : ndarray of bool of shape (n_samples, n_timesteps), or None for a list
    """
    if isinstance(X, list):
        return np.concatenate(X), np.array([len(row) for row in X]), None
    padding = check_padding(X, mask_value)
    counts = (~padding).sum(axis=1)
    if padding.any():
        return X[~padding], counts, padding
    values = X.reshape(-1, X.shape[2]).view()
    # With copy=False, a scaler would write into the caller's array.
    values.flags.writeable = False
    return values, counts, padding


def _standardized(values, counts, as_whole=True):
    """Standardize each row by its own mean and standard deviation.

    Parameters
    ----------
    values : ndarray of shape (n_values, n_features), float
        Timesteps of rows, one row after the other.
    counts : ndarray of int of shape (n_rows,)
        The number of timesteps of each row.
    as_whole : bool
        Whether all features of a row have one mean and standard deviation.

    Returns
    -------
    standardized : ndarray of shape (n_values, n_features), float64
        0 in rows with one value.
    logs : ndarray of shape (n_rows, 1 if as_whole else n_features)
        Logarithms of the standard deviations; minus infinity in rows with one value.
    """
    values = values.astype(np.float64)
    starts = np.cumsum(counts) - counts

    def over_rows(function, array):
        found = function.reduceat(array, starts, axis=0)
        return function.reduce(found, axis=1, keepdims=True) if as_whole else found

    def at_timesteps(of_rows):
        return np.repeat(of_rows, counts, axis=0)

    # Divided by the largest value of the row, squares do not overflow.
    largest = over_rows(np.maximum, abs(values))
    largest[largest == 0] = 1
    values /= at_timesteps(largest)
    n_values = counts[:, None] * (values.shape[1] if as_whole else 1)
    values -= at_timesteps(over_rows(np.add, values) / n_values)
    std = np.sqrt(over_rows(np.add, values**2) / n_values)
    is_constant = std <= 10 * np.finfo(np.float64).eps  # up to rounding
    std[is_constant] = 1
    values /= at_timesteps(std)
    values[np.broadcast_to(at_timesteps(is_constant), values.shape)] = 0
    return values, np.where(is_constant, -np.inf, np.log(std) + np.log(largest))


def _standardized_features(values, counts):
    return _standardized(values, counts, as_whole=False)[0]


def _of_same_shape(scaled, values):
    """Get scaled values as an array, or raise if their shape has changed."""
    if scaled.shape != values.shape:
        raise ValueError(
            f"scaler must keep the number of columns, got {scaled.shape[1]} columns "
            f"for {values.shape[1]} features."
        )
    return np.asarray(scaled, dtype=values.dtype)
