"""Samplers for sequences, with the methods of imbalanced-learn.

No other module imports imbalanced-learn.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from copy import copy
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import clone
from sklearn.utils import check_array, check_random_state, get_tags
from sklearn.utils.multiclass import check_classification_targets, type_of_target

from skseq._lists import (
    as_given,
    check_amounts,
    checked_rows,
    is_frame,
    is_list_of_rows,
    is_pandas,
    take_rows,
)
from skseq._padded import PADDING, PaddedRows, check_padding, padded, unpadded
from skseq._parameters import Declared, parameter
from skseq._persistence import VersionedState
from skseq._sequences import check_kind, check_sequences
from skseq._validation import (
    HasMethods,
    Interval,
    check_parameters,
    check_rows,
    distinct_labels,
    naming,
    public_fit,
)

if TYPE_CHECKING:
    from typing import Self

    from numpy.typing import ArrayLike

try:
    from imblearn.base import BaseSampler
    from imblearn.over_sampling import SMOTE, SMOTENC, RandomOverSampler
    from imblearn.over_sampling.base import BaseOverSampler
    from imblearn.under_sampling import RandomUnderSampler
    from imblearn.utils import check_sampling_strategy, check_target_type
except ImportError as error:
    raise ImportError(
        "The samplers need imbalanced-learn: pip install imbalanced-learn"
    ) from error

# A new row has a timestep if its length indicator is at least this fraction of the
# weight. It is less between rows of different lengths.
_ALL_OF_IT = 1 - 1e-6


class ResampledSequences(Declared):
    """Mixin with the parameters of samplers that describe sequences.

    Attributes
    ----------
    n_features_in_ : int
        Number of columns of a 2-D X, or number of features of a 3-D X.
    n_timesteps_in_ : int
        Number of timesteps of X, or of its longest sequence for a list. Not defined if
        X is a table that was passed to a sampler unchanged.
    feature_names_in_ : ndarray of shape (n_columns,)
        Names of the columns of a dataframe X. Defined only if all names are strings.
    """

    mask_value: float | None = parameter(
        default=None,
        constraint=[Real, None],
        text="""float or None
        Value that marks padding: a timestep in which every feature has this value is
        padding, and remains padding. NaN is possible. None: X has no padding. Not used
        for lists of sequences.""",
    )
    n_timesteps: int | None = parameter(
        default=None,
        constraint=[Interval(Integral, 1, None, closed="left"), None],
        text="""int or None
        Number of timesteps in the columns of a 2-D X. The columns hold all features of
        the first timestep, then all features of the second timestep, and so on. None:
        each column is a timestep with one feature; in the ``sampler`` of a network,
        ``n_timesteps`` of the network is used.""",
    )


class SamplerWithSampler(Declared, VersionedState, BaseSampler):
    """Base class of samplers that contain another sampler.

    Attributes
    ----------
    sampling_strategy_ : dict
        Number of rows to generate, or to keep, for each class; from the fitted
        ``sampler``.
    sample_indices_ : ndarray of shape (n_new_samples,)
        Position of the row of X that each resampled row is, or is generated from. Only
        if ``sampler`` has this attribute.
    """

    sampler: Any = parameter(
        default=None,
        constraint=[HasMethods("fit_resample"), None],
        text="""sampler or None
        A sampler of imbalanced-learn, for over-sampling, under-sampling or both. None:
        `SMOTE`. A parameter of the sampler can be set with
        ``set_params(sampler__k_neighbors=3)``.""",
        kw_only=False,
    )
    random_state: int | np.random.RandomState | None = parameter(
        default=None,
        constraint=["random_state"],
        text="""int, RandomState instance or None
        Passed to ``sampler`` (and to the autoencoder of `LatentSampler`), unless
        they have a ``random_state`` themselves.""",
        group="other",
    )

    _sampling_type = "bypass"

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.input_tags.sparse = False
        inner = getattr(self._inner_tags(), "sampler_tags", None)
        if inner is not None:
            tags.sampler_tags.sample_indices = inner.sample_indices
        return tags

    def _inner_tags(self):
        return get_tags(SMOTE() if self.sampler is None else self.sampler)

    def _made_sampler(self, **params):
        """Clone the sampler, or make SMOTE, and set the random state."""
        sampler = SMOTE() if self.sampler is None else clone(self.sampler)
        sampler.set_params(**params)
        for name, value in sampler.get_params().items():
            is_seed = name.rpartition("__")[2] == "random_state"
            if is_seed and value is None and self.random_state is not None:
                sampler.set_params(**{name: self.random_state})
        return sampler

    def _resampled(self, sampler, X, y, params):
        """Resample a table; errors list the classes and name the sampler."""
        name = type(sampler).__name__
        check_rows("y", y, np.shape(X)[0])
        if isinstance(y, list) and np.ndim(y) > 1:  # a column for each class
            y = np.asarray(y)
        try:
            inspect.signature(sampler.fit_resample).bind(X, y, **params)
        except TypeError as error:
            raise TypeError(
                f"sampler must have fit_resample(X, y), got {name} with "
                f"fit_resample{inspect.signature(sampler.fit_resample)}: {error}. Use "
                f"a sampler of imbalanced-learn, or its FunctionSampler."
            ) from error
        try:
            with np.errstate(invalid="ignore"):  # labels are cast to integers
                found = sampler.fit_resample(X, y, **params)
        except (AttributeError, TypeError, ValueError) as error:
            kind = TypeError if isinstance(error, TypeError) else ValueError
            raise kind(
                f"{name} can't resample {_counts(y)}: "
                f"{str(error).rstrip('.')}.{_remedy(str(error))}"
            ) from error
        if (
            not isinstance(found, tuple)
            or len({np.shape(a)[0] for a in found[:2]}) != 1
        ):
            raise ValueError(
                f"sampler must return rows and as many labels, got {type(found)} from "
                f"fit_resample of {name}. Use a sampler of imbalanced-learn, or its "
                f"FunctionSampler."
            )
        X, y, *rest = found
        self.sampler_ = sampler
        self._take_over("sampling_strategy_", "sample_indices_")
        return X, y, *rest

    def _take_over(self, *names):
        """Copy fitted attributes of the sampler, and delete those it does not have."""
        for name in names:
            vars(self).pop(name, None)
            if hasattr(self.sampler_, name):
                setattr(self, name, getattr(self.sampler_, name))

    @public_fit
    def fit_resample(self, X: ArrayLike, y: ArrayLike, **params: Any) -> tuple:
        """Resample rows.

        Parameters
        ----------
        X : list of array-like of shape (n_timesteps_i, n_features), or array-like or \
                dataframe of shape (n_samples, n_timesteps, n_features) or \
                (n_samples, n_columns)
            Training rows.
        y : array-like of shape (n_samples,)
            Class labels.
        **params : dict
            Passed to ``fit_resample`` of ``sampler``.

        Returns
        -------
        X_resampled : list of arrays, or array or dataframe of shape (n_new_samples, \
                n_timesteps, n_features) or (n_new_samples, n_columns)
            The resampled rows, with the type and dtype of X.
        y_resampled : array of shape (n_new_samples,)
            The labels of these rows, with the type of y.

        Raises
        ------
        ValueError
            If ``sampler`` can't resample these rows, or would interpolate between
            integers (such as token ids) or between categories.
        TypeError
            If a parameter has an invalid type.
        """
        check_parameters(self)
        _check_given(y)
        return self._fit_resample(X, y, **params)

    @public_fit
    def fit(self, X: ArrayLike, y: ArrayLike, **params: Any) -> Self:
        """Fit by resampling X and y once; ``fit_resample`` returns the rows.

        Parameters
        ----------
        X : list of array-like of shape (n_timesteps_i, n_features), or array-like or \
                dataframe of shape (n_samples, n_timesteps, n_features) or \
                (n_samples, n_columns)
            Training rows.
        y : array-like of shape (n_samples,)
            Class labels.
        **params : dict
            Passed to ``fit_resample``.

        Returns
        -------
        self : object
            The fitted sampler.
        """
        self.fit_resample(X, y, **params)
        return self


def _check_given(y, check=type_of_target):
    if y is None:
        raise ValueError("y must hold class labels, got None.")
    if is_frame(y) and not is_pandas(y):
        raise ValueError(
            "y must be no frame of polars, which imbalanced-learn does not take. Pass "
            "y.to_numpy()."
        )
    with naming("y", "must hold class labels"):
        check(y)


def labels_of(y):
    """Get the label of each row, and whether y has a column for each class."""
    with naming("y", "must hold class labels"):
        y = np.asarray(y) if isinstance(y, (list, tuple)) else y
        return check_target_type(y, indicate_one_vs_all=True)


def _counts(y):
    """Count the rows of each class, for a message."""
    y = np.asarray(y)
    if y.ndim > 1 and y.shape[1] > 1:
        return f"y of shape {y.shape}"
    try:
        labels, counts = np.unique(y, return_counts=True)
    except TypeError:  # labels of several types
        return f"{len(y)} rows"
    if len(labels) > 20:
        return f"{len(labels)} different values in y"
    return " and ".join(
        f"{n} rows of class {label!r}"
        for label, n in zip(labels.tolist(), counts, strict=True)
    )


def _remedy(message):
    """Write the end of a message that names the remedy, after a space."""
    if "n_neighbors" in message:
        return (
            " A class has too few rows for this number of neighbours: lower "
            "k_neighbors, or use RandomOverSampler, which needs no neighbours."
        )
    if "contains NaN" in message:
        return (
            " Fill in the missing values, set mask_value=float('nan') if whole "
            "timesteps are padding, or use RandomOverSampler or RandomUnderSampler."
        )
    return ""


class SequenceResampler(ResampledSequences, SamplerWithSampler):
    """Sampler for sequences, based on any sampler of imbalanced-learn.

    Each sequence is flattened to a row of a table, the rows are resampled by
    ``sampler``, and the results are reshaped to sequences. So a 3-D X can be resampled
    before a network, as a step of an `imblearn.pipeline.Pipeline`. By default the
    sampler is SMOTE [1]_, which generates new rows of a class by interpolation between
    neighbouring rows of the class.

    *Padding remains padding.* With ``mask_value``, sequences of equal length are nearer
    neighbours than sequences of different lengths. A timestep of a new sequence is
    padding if it is padding in one of the sequences from which it is generated: between
    sequences of different lengths, the new one has the shorter length. Padding may be
    at any timestep, not only at the end. A list of sequences of different lengths is
    resampled in the same way, and a list is returned.

    *Categories remain categories.* With ``categorical_features`` the sampler is SMOTENC
    [1]_: a new row gets the most frequent category of its neighbours. If X consists of
    integers, such as token ids, samplers that interpolate raise an error.

    Attributes
    ----------
    sampler_ : sampler
        The fitted sampler, for the flattened rows.

    See Also
    --------
    LatentSampler : Resamples the codes of an autoencoder.
    SequenceAugmenter : Over-samples by noisy and scaled copies.

    Notes
    -----
    The distance of two sequences is computed from the differences at each timestep, so
    that sequences with a shift in time are far from each other. Scale features first,
    as for any method that uses distances.

    References
    ----------
    .. [1] N. V. Chawla, K. W. Bowyer, L. O. Hall and W. P. Kegelmeyer, "SMOTE:
       synthetic minority over-sampling technique", Journal of Artificial Intelligence
       Research 16, 2002; in imbalanced-learn.

    Examples
    --------
    >>> import numpy as np
    >>> from skseq import SequenceResampler
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.normal(size=(100, 6, 2)), np.repeat([0, 1], [90, 10])
    >>> X_new, y_new = SequenceResampler(random_state=0).fit_resample(X, y)
    >>> X_new.shape, np.bincount(y_new).tolist()
    ((180, 6, 2), [90, 90])
    """

    __module__ = "skseq"

    categorical_features: ArrayLike | None = parameter(
        default=None,
        constraint=["array-like", None],
        text="""array-like of int or bool, or None
        The categorical features of a timestep (or columns of a 2-D X without
        ``n_timesteps``), as indices or as a boolean mask. ``sampler`` must then be
        None, a SMOTENC, whose own ``categorical_features`` are replaced, or a sampler
        that generates no new values.""",
    )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        # A table goes to the sampler unchanged.
        inner = self._inner_tags().input_tags
        for name in ("sparse", "string", "allow_nan"):
            setattr(tags.input_tags, name, getattr(inner, name))
        return tags

    def _fit_resample(self, X, y, **params):
        if is_list_of_rows(X):
            return self._resampled_sequences(X, y, params)
        # Whole numbers in a dataframe may be amounts, and need not be ids.
        whole = getattr(getattr(X, "dtype", None), "kind", "O") in "biu"
        special = self.mask_value is not None or self.categorical_features is not None
        # imbalanced-learn refuses dataframes of polars.
        of_polars = is_frame(X) and not is_pandas(X)
        if special or whole or of_polars or np.ndim(X) != 2:
            return self._resampled_sequences(X, y, params)
        vars(self).pop("n_timesteps_in_", None)
        resampled = self._resampled(self._made_sampler(), X, y, params)
        self._take_over("n_features_in_", "feature_names_in_")
        return resampled

    def _resampled_sequences(self, X, y, params):
        given = X
        X = check_sequences(
            self, X, reset=True, n_timesteps=self.n_timesteps, dtype=None,
            may_be_nan=True, lists=True,
        )  # fmt: skip
        check_kind(X)
        is_list = isinstance(X, PaddedRows)
        if is_list:
            X, padding = X.X, np.arange(X.n_timesteps) >= X.lengths[:, None]
        else:
            padding = check_padding(X, self.mask_value)
        is_category = self._categories(X)
        # In floating point, so that interpolated ids and categories can be found.
        flat = X.reshape(len(X), -1).astype(np.result_type(X, np.float32), copy=False)
        flat = _filled(flat, padding, is_category)
        table, weight = _with_lengths(flat, padding)
        columns = {}
        if self.categorical_features is not None and (
            isinstance(self.sampler, SMOTENC)
            # SMOTENC can't do without categories.
            or (self.sampler is None and is_category.any())
        ):
            # A list, because SMOTENC compares it with a string.
            chosen = np.flatnonzero(is_category.ravel()).tolist()
            columns = {"categorical_features": chosen}
        table, y, *rest = self._resampled(
            self._made_sampler(**columns), table, y, params
        )
        new = table[:, : flat.shape[1]]
        whole = X.dtype.kind != "f" and not is_frame(given)
        self._check_values(new, flat, whole, is_category.ravel())
        new = new.astype(X.dtype).reshape(len(new), *X.shape[1:])
        present = _present(table[:, flat.shape[1] :], padding, weight)
        if is_list:
            new = [row[steps] for row, steps in zip(new, present, strict=True)]
        elif padding.any():
            new[~present] = self.mask_value
        if self._n_dimensions_in == 2:
            new = new.reshape(len(new), -1)
        return as_given(new, given), y, *rest

    def _made_sampler(self, **params):
        if "categorical_features" not in params or self.sampler is not None:
            return super()._made_sampler(**params)
        return SMOTENC(**params, random_state=self.random_state)

    def _categories(self, X):
        """Find the categories in a flattened row, by timestep and feature."""
        features = self.categorical_features
        by_column = self._n_dimensions_in == 2 and self.n_timesteps is None
        n_features = X.shape[1] if by_column else X.shape[2]
        chosen = np.zeros(n_features, bool)
        if features is not None:
            features = np.asarray(features, None if np.size(features) else int)
            mask = features.dtype == bool
            if (
                features.ndim != 1
                or (mask and len(features) != n_features)
                or (not mask and features.dtype.kind not in "iu")
                or (not mask and not np.isin(features, np.arange(n_features)).all())
            ):
                raise ValueError(
                    f"categorical_features must be indices of X's {n_features} "
                    f"{'columns' if by_column else 'features'}, or a mask of as many, "
                    f"got {self.categorical_features!r}."
                )
            chosen[features] = True
        return np.broadcast_to(chosen.reshape(-1, X.shape[2]), X.shape[1:])

    def _check_values(self, new, flat, whole, is_category):
        """Raise if new ids or categories differ from all in their column of X."""
        for column in range(flat.shape[1]) if whole else np.flatnonzero(is_category):
            known = np.isin(new[:, column], flat[:, column]) | np.isnan(new[:, column])
            if known.all():
                continue
            what = "whole numbers, such as token ids" if whole else "categories"
            remedy = (
                "SMOTEN, which takes a majority vote" if whole else "SMOTENC or None"
            )
            also = ""
            if whole:
                also = ", or X.astype(float) without embedding_dim if they are numeric"
            raise ValueError(
                f"X holds {what}, and {type(self.sampler_).__name__} interpolates "
                f"between them, got {new[~known, column][0]}. Use a sampler that does "
                f"not change rows, such as RandomOverSampler or RandomUnderSampler, or "
                f"{remedy}{also}."
            )


def _filled(flat, padding, is_category):
    """Replace padding in flattened rows by ordinary values."""
    if not padding.any():
        return flat
    cells = np.array(flat.reshape(*padding.shape, -1))
    for feature in range(cells.shape[2]):
        values = cells[..., feature]
        present = values[~padding]
        # The fill value of a category has to be a category of that column.
        if is_category[:, feature].any():
            filling = present[0]
        else:
            filling = 0 if np.isnan(present).all() else np.nanmean(present)
        values[padding] = filling
    return cells.reshape(len(cells), -1)


def _with_lengths(flat, padding):
    """Add a column for each timestep that is padding in some rows.

    Returns
    -------
    table : ndarray of shape (n_samples, n_columns)
    weight : float
        The value in a new column if the row has the timestep, and otherwise 0. It is
        larger than the distance between any two rows, so that rows of equal length are
        nearer to each other than to all others.
    """
    lacking = padding.any(axis=0)
    if not lacking.any():
        return flat, 0.0
    # NaN only for a feature without values, of which nanmax would warn.
    spread = np.fmax.reduce(flat, axis=0) - np.fmin.reduce(flat, axis=0)
    weight = 2 * float(np.sqrt(np.nansum(spread.astype(float) ** 2))) or 1.0
    return np.hstack([flat, weight * ~padding[:, lacking]]), weight


def _present(lengths, padding, weight):
    """Find the timesteps of new rows: those of all rows they are made from."""
    lacking = padding.any(axis=0)
    present = np.ones((len(lengths), len(lacking)), bool)
    threshold = _ALL_OF_IT * weight
    if lacking.all():
        # Rows padded on different sides may have no timestep in common.
        threshold = np.minimum(threshold, lengths.max(axis=1, keepdims=True))
    present[:, lacking] = lengths >= threshold
    return present


class SequenceAugmenter(ResampledSequences, BaseOverSampler):
    """Over-sampler by scaled and noisy copies of sequences.

    A new row is a copy of a random row of its class. Each of its features is multiplied
    by a random factor, the same for all timesteps, and random noise is added to each
    value [1]_. Both are relative to the training rows, for each feature and timestep:
    the factor multiplies the deviation from their mean, and the noise is in units of
    their standard deviation.

    For shifts, warping and cropping in time, use a library such as tsaug or aeon.

    Attributes
    ----------
    sampling_strategy_ : dict
        Number of new rows of each class.
    sample_indices_ : ndarray of shape (n_new_samples,)
        Position of the row of X that each resampled row is, or is a copy of.

    See Also
    --------
    SequenceResampler : Generates rows between neighbouring rows of a class.

    References
    ----------
    .. [1] T. T. Um et al., "Data augmentation of wearable sensor data for Parkinson's
       disease monitoring using convolutional neural networks", ICMI 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from skseq import SequenceAugmenter
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.normal(size=(100, 6, 2)), np.repeat([0, 1], [90, 10])
    >>> X_new, y_new = SequenceAugmenter(random_state=0).fit_resample(X, y)
    >>> X_new.shape, np.bincount(y_new).tolist()
    ((180, 6, 2), [90, 90])
    """

    __module__ = "skseq"

    sampling_strategy: float | str | dict[Any, int] | Callable[..., Any] = parameter(
        default="auto",
        constraint=BaseOverSampler._parameter_constraints["sampling_strategy"],
        text="""float, str, dict or callable
        Number of rows of each class after resampling, as in the over-samplers of
        imbalanced-learn. ``"auto"``: each class gets as many rows as the largest class.
        """,
    )
    jitter: float = parameter(
        default=0.05,
        constraint=[Interval(Real, 0, None, closed="left")],
        text="""float
        Standard deviation of the noise, relative to the standard deviation of the
        feature at the timestep.""",
    )
    scaling: float = parameter(
        default=0.1,
        constraint=[Interval(Real, 0, None, closed="left")],
        text="""float
        Standard deviation of the random factors, whose mean is 1.""",
    )
    random_state: int | np.random.RandomState | None = parameter(
        default=None,
        constraint=["random_state"],
        text="""int, RandomState instance or None
        Determines the rows that are copied, the factors and the noise. Pass an int
        for reproducible results across multiple calls.""",
        group="other",
    )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.input_tags.sparse = False
        tags.input_tags.allow_nan = self.mask_value is not None and bool(
            np.isnan(self.mask_value)
        )
        tags.sampler_tags.sample_indices = True
        return tags

    @public_fit
    def fit_resample(self, X: ArrayLike, y: ArrayLike) -> tuple:
        """Add copies of rows of the rare classes.

        Parameters
        ----------
        X : list of array-like of shape (n_timesteps_i, n_features), or array-like or \
                dataframe of shape (n_samples, n_timesteps, n_features) or \
                (n_samples, n_columns)
            Training rows.
        y : array-like of shape (n_samples,)
            Class labels.

        Returns
        -------
        X_resampled : list of arrays, or array or dataframe of shape (n_new_samples, \
                n_timesteps, n_features) or (n_new_samples, n_columns)
            The rows of X, followed by the copies.
        y_resampled : array of shape (n_new_samples,)
            The labels of these rows, with the type of y.

        Raises
        ------
        ValueError
            If X, y or a parameter is invalid, or X consists of integers.
        """
        _check_given(y, check_classification_targets)
        return self._fit_resample_any(X, y)

    @public_fit
    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Fit by resampling X and y once; ``fit_resample`` returns the rows.

        Parameters
        ----------
        X : list of array-like of shape (n_timesteps_i, n_features), or array-like or \
                dataframe of shape (n_samples, n_timesteps, n_features) or \
                (n_samples, n_columns)
            Training rows.
        y : array-like of shape (n_samples,)
            Class labels.

        Returns
        -------
        self : object
            The fitted sampler.
        """
        self.fit_resample(X, y)
        return self

    def _fit_resample_any(self, X, y):
        if is_list_of_rows(X):
            return self._fit_resample_list(X, y)
        # imbalanced-learn refuses dataframes of polars.
        of_polars = is_frame(X) and not is_pandas(X)
        if of_polars:
            check_amounts(X, "Noise would change them.")
        new, y = super().fit_resample(X.to_numpy() if of_polars else X, y)
        if of_polars:
            self.feature_names_in_ = np.array(X.columns, dtype=object)
            new = as_given(new, X)
        return new, y

    def _fit_resample_list(self, X, y):
        check_amounts(X, "Noise would change them.")
        rows = checked_rows(X, "X", dtype=[np.float64, np.float32])
        of_array = copy(self)
        of_array.mask_value = float("nan")
        new, y = of_array.fit_resample(padded(rows, value=np.nan), y)
        params = self.get_params(deep=False)
        vars(self).clear()
        vars(self).update(vars(of_array) | params)
        return as_given(unpadded(new, np.nan), X), y

    # Overrides a method of BaseSampler, which accepts only a 2-D X.
    def _check_X_y(self, X, y):
        given = X
        y, binarize_y = labels_of(y)
        dtype = [np.float64, np.float32]
        X = check_sequences(
            self, X, reset=True, n_timesteps=self.n_timesteps, dtype=dtype,
            may_be_nan=True,
        )  # fmt: skip
        check_amounts(given, "Noise would change them.")
        check_rows("y", y, len(X))
        y = check_array(y, ensure_2d=False, dtype=None, input_name="y")
        distinct_labels(y)
        with naming("sampling_strategy"):
            check_sampling_strategy(self.sampling_strategy, y, self._sampling_type)
        return X, y, binarize_y

    def _fit_resample(self, X, y):
        rng = check_random_state(self.random_state)
        padding = check_padding(X, self.mask_value)
        if np.isnan(X[~padding]).any():
            raise ValueError(
                "X must have no missing values, got NaN. Fill them in, or set "
                "mask_value=float('nan') if whole timesteps are padding."
            )
        present = ~padding[..., None]
        n_present = np.maximum(present.sum(axis=0), 1)
        # In float64, because small deviations from a large mean are lost in float32.
        values = X.astype(np.float64, copy=False)
        mean = np.where(present, values, 0).sum(axis=0) / n_present
        deviations = np.where(present, values - mean, 0)
        with np.errstate(over="ignore", invalid="ignore"):
            std = np.sqrt((deviations**2).sum(axis=0) / n_present)
        if not np.isfinite(std).all():
            raise ValueError(
                f"X must have a finite variance, got values up to "
                f"{abs(values[~padding]).max()}. Divide X by a large number."
            )
        drawn = [
            rng.choice(np.flatnonzero(y == label), n_rows)
            for label, n_rows in self.sampling_strategy_.items()
        ]
        drawn = np.concatenate(drawn) if drawn else np.empty(0, int)
        factors = rng.normal(1, self.scaling, size=(len(drawn), 1, X.shape[2]))
        noise = rng.normal(0, self.jitter, size=(len(drawn), *X.shape[1:]))
        made = mean + deviations[drawn] * factors + noise * std
        made = np.where(present[drawn], made, X[drawn]).astype(X.dtype)
        self.sample_indices_ = np.concatenate([np.arange(len(X)), drawn])
        new = np.concatenate([X, made])
        if self._n_dimensions_in == 2:
            new = new.reshape(len(new), -1)
        return new, y[self.sample_indices_]


def _uses_labels_alone(sampler):
    if type(sampler) is RandomOverSampler:
        return sampler.shrinkage is None
    return type(sampler) is RandomUnderSampler


def _are_equal(rows, others):
    if isinstance(rows, list):
        return all(map(np.array_equal, rows, others))
    return np.array_equal(rows, others)


def resample_training(sampler, X, index, y, weights, *, flat, whole, seed):
    """Resample training rows.

    Parameters
    ----------
    sampler : sampler
        A sampler of imbalanced-learn or of this module; it is not changed.
    X : ndarray of shape (n_rows, n_timesteps, n_features) or PaddedRows
    index : ndarray of shape (n_samples,) or None
        The rows of X to resample; None: all.
    y : ndarray of shape (n_samples,)
    weights : ndarray of shape (n_samples,)
    flat : bool
        Whether the sampler gets a table, as the caller has passed it. A sampler for
        sequences then gets ``n_timesteps``.
    whole : bool
        Whether X was passed as whole numbers, which must not be interpolated.
    seed : int
        Used if the sampler has no random state.

    Returns
    -------
    sampler : sampler
        The fitted copy.
    X : ndarray of shape (n_new_rows, n_timesteps, n_features) or PaddedRows
        The same object if all new rows are rows of X.
    index : ndarray of shape (n_new_samples,) or None
        The resampled rows of this X; None: all.
    y : ndarray of shape (n_new_samples,)
    weights : ndarray of shape (n_new_samples,)

    Raises
    ------
    ValueError
        If there are new rows, and weights differ.
    """
    unread = _uses_labels_alone(sampler)
    # The sampler gets a list of rows without padding.
    is_padded = isinstance(X, PaddedRows)
    sampler = clone(sampler)
    if not isinstance(sampler, (SamplerWithSampler, SequenceAugmenter)):
        sampler = SequenceResampler(sampler)
    elif is_padded or (flat and X.shape[2] > 1):
        params = sampler.get_params()
        for name in ("n_timesteps", "autoencoder__n_timesteps"):
            if name in params and (is_padded or params[name] is None):
                sampler.set_params(**{name: None if is_padded else X.shape[1]})
    if sampler.random_state is None:
        sampler.set_params(random_state=seed)
    # In the type of the X that was passed, which the sampler checks.
    dtype = np.int64 if whole else X.dtype
    if unread:
        # X may be larger than memory. The sampler gets row numbers in place of rows.
        rows = np.arange(len(y), dtype=float)[:, None]
    else:
        rows = X[:] if index is None else X[index]
        if is_padded:
            rows = [row.astype(dtype) for row in unpadded(rows, PADDING)]
        else:
            rows = rows.reshape(len(rows), -1) if flat else rows
            rows = rows.astype(dtype, copy=False)
    new, y, *_ = sampler.fit_resample(rows, y)
    taken = getattr(sampler, "sample_indices_", None)
    if taken is not None and (unread or _are_equal(new, take_rows(rows, taken))):
        index = taken if index is None else index[taken]
        return sampler, X, index, y, weights[taken]
    if (weights != weights[0]).any():
        raise ValueError(
            f"sample_weight must be None, or the same for all rows, with a sampler "
            f"that makes new rows, got {sampler!r} and weights from {weights.min()} to "
            f"{weights.max()}: a new row has no weight. Use RandomOverSampler or "
            f"RandomUnderSampler, or leave out one of the two."
        )
    if is_padded:
        counts = np.array([len(row) for row in new])
        new = padded(new, X.n_timesteps, dtype=X.dtype)
        new = PaddedRows(new, PADDING, counts, X.n_timesteps)
    else:
        new = new.reshape(-1, *X.shape[1:]).astype(X.dtype, copy=False)
    return sampler, new, None, y, np.ones(len(y))
