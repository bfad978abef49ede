"""From the columns of a table to sequences, and back."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import assert_all_finite
from sklearn.utils.validation import check_is_fitted

from skseq._padded import dtype_with
from skseq._parameters import Declared, parameter
from skseq._persistence import VersionedState
from skseq._sequences import check_kind, checked_array, timesteps_of
from skseq._validation import (
    Interval,
    StrOptions,
    check_parameters,
    nearest,
    public_fit,
)

if TYPE_CHECKING:
    from typing import Self

    from numpy.typing import ArrayLike

# The number of rows in a block. With tens of columns a block fits in a processor's
# cache, and a call for each of its columns takes little time beside the copying.
_BLOCK_ROWS = 8192

_NAMELESS = (
    "X has no column names. Pass a dataframe whose column names are strings (in a "
    "pipeline by set_output(transform='pandas') on the steps before)"
)


def _unprefixed(is_wanted, names):
    """Get the remedy for names with the prefix of a ColumnTransformer, or ""."""
    if not any(is_wanted(name.partition("__")[2]) for name in names):
        return ""
    return (
        " To keep the names of columns without the name of a step, use "
        "ColumnTransformer(verbose_feature_names_out=False)."
    )


def _listed(values, at_most=8):
    """List values for a message, and count those that are too many."""
    values = [repr(v) for v in values]
    more = len(values) - at_most
    return ", ".join(values[:at_most]) + (f" and {more} more" if more > 0 else "")


def _check_not_infinite(X, estimator):
    with np.errstate(invalid="ignore"):  # of infinity less infinity
        assert_all_finite(
            X,
            allow_nan=True,
            estimator_name=type(estimator).__name__,
            input_name="X",
        )


def _gather(X, columns, fill_value, estimator):
    """Copy columns into a new table.

    The check for infinity reads each block while it is in the cache, which is faster
    than a pass over the whole table before. The columns of a table in Fortran order,
    such as a dataframe, stay contiguous, because writing rows would take twice as long.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_columns)
    columns : ndarray of shape (n_out,), int
        The column of X for each column of the result, -1 for the fill value.
    fill_value : number or None
    estimator : estimator
        Named in the message about infinity.

    Returns
    -------
    out : ndarray of shape (n_samples, n_out)
        In the memory order of X.
    """
    missing = np.flatnonzero(columns < 0)
    dtype = dtype_with(X.dtype, fill_value) if len(missing) else X.dtype
    by_column = X.flags.f_contiguous and not X.flags.c_contiguous
    out = np.empty((len(X), len(columns)), dtype, order="F" if by_column else "C")
    in_order = np.array_equal(columns, np.arange(X.shape[1]))
    pairs = [(j, c) for j, c in enumerate(columns.tolist()) if c >= 0]
    for start in range(0, len(X), _BLOCK_ROWS):
        block = X[start : start + _BLOCK_ROWS]
        part = out[start : start + _BLOCK_ROWS]
        _check_not_infinite(block, estimator)
        if by_column:
            for j, column in pairs:
                part[:, j] = block[:, column]
        elif in_order:
            part[...] = block
        else:
            # mode="clip" writes straight into out; "raise" would buffer it.
            np.take(
                block.astype(dtype, copy=False), columns, axis=1, out=part, mode="clip"
            )
        if len(missing):
            part[:, missing] = fill_value
    return out


def _arrange_by_count(n_columns, n_timesteps, order):
    remedy = "set columns to those that belong to a sequence"
    n_timesteps = timesteps_of(n_columns, n_timesteps, remedy)
    index = np.arange(n_columns)
    n_features = n_columns // n_timesteps
    if order == "step":
        index = index.reshape(n_timesteps, n_features)
    else:
        index = index.reshape(n_features, n_timesteps).T
    return [f"feature{i}" for i in range(n_features)], index


def _compile(columns):
    """Compile the pattern, and find which of "step" and "lag" it has."""
    try:
        pattern = re.compile(columns)
    except re.error as error:
        raise ValueError(
            f"columns must be a valid regular expression, got {columns!r}: {error}."
        ) from error
    if not isinstance(pattern.pattern, str):
        raise TypeError(
            f"columns must be a regular expression over str, got one over bytes: "
            f"{pattern.pattern!r}."
        )
    groups = set(pattern.groupindex)
    if "feature" not in groups or len(groups & {"step", "lag"}) != 1:
        raise ValueError(
            f"columns must have the named group 'feature' and one of 'step' (a larger "
            f"one is later) and 'lag' (a larger one is older), got "
            f"{pattern.pattern!r} with the groups {sorted(groups)}. For instance "
            f"'(?P<feature>.+)_t-(?P<lag>[0-9]+)' for a column 'sales_t-2'."
        )
    return pattern, "lag" if "lag" in groups else "step"


def _find_by_pattern(columns, names):
    """Find the columns of each feature and step by a pattern for their names.

    Returns
    -------
    found : dict of str to dict of int to int
        The columns by feature and step; a larger step is later.
    steps : list of int
        All steps, oldest first.
    word : {"step", "lag"}
        The name of a step in the pattern.
    sign : {1, -1}
        The factor from the number in a name to the step.
    """
    pattern, word = _compile(columns)
    if names is None:
        raise ValueError(
            f"columns is a regular expression, but {_NAMELESS}, or map features to "
            f"positions, for instance columns={{'sales': [0, 1, 2]}}."
        )
    sign = -1 if word == "lag" else 1
    found = {}
    for column, name in enumerate(names):
        match = pattern.fullmatch(name)
        if match is None:
            continue
        feature, number = match["feature"], match[word]
        if not feature or not re.fullmatch(r"[+-]?[0-9]+", number or ""):
            raise ValueError(
                f"columns: the group {word!r} must match an integer and 'feature' a "
                f"name, got {word}={number!r} and feature={feature!r} for the column "
                f"{name!r}. Change the pattern, or map features to columns."
            )
        by_step = found.setdefault(feature, {})
        step = sign * int(number)
        if step in by_step:
            raise ValueError(
                f"columns: feature {feature!r} must have one column for {word} "
                f"{sign * step}, got two: {names[by_step[step]]!r} and {name!r}."
            )
        by_step[step] = column
    if not found:
        raise ValueError(
            f"columns={pattern.pattern!r} must match the whole name of some columns of "
            f"X, got none among {_listed(names)}."
            f"{_unprefixed(pattern.fullmatch, names)}"
        )
    steps = sorted(set().union(*found.values()))
    return found, steps, word, sign


def _column_position(entry, feature, positions, n_columns):
    """Find the position of a column that a mapping gives by name or position."""
    if isinstance(entry, str):
        if positions is None:
            raise ValueError(
                f"columns: feature {feature!r} names the column {entry!r}, but "
                f"{_NAMELESS}, or give positions."
            )
        if entry not in positions:
            raise ValueError(
                f"columns: feature {feature!r} names the column {entry!r}, which X "
                f"does not have.{_unprefixed(lambda name: name == entry, positions)}"
                f"{nearest(entry, positions)}"
            )
        if len(positions[entry]) > 1:
            raise ValueError(
                f"columns: feature {feature!r} names the column {entry!r}, which X has "
                f"{len(positions[entry])} times. Rename them, or give positions."
            )
        return positions[entry][0]
    if isinstance(entry, Integral) and not isinstance(entry, bool):
        if not -n_columns <= entry < n_columns:
            raise ValueError(
                f"columns: feature {feature!r} must have positions from 0 to "
                f"{n_columns - 1}, the columns of X, got {entry}."
            )
        return int(entry) % n_columns
    raise TypeError(
        f"columns: feature {feature!r} must give names (str) or positions (int) of "
        f"columns, or None for a missing step, got {entry!r}."
    )


def _find_by_mapping(columns, names, n_columns):
    """Find the columns that a mapping lists; returns as `_find_by_pattern` does."""
    if not columns:
        raise ValueError("columns must map at least one feature, got an empty mapping.")
    positions = None
    if names is not None:
        positions = {}
        for column, name in enumerate(names):
            positions.setdefault(name, []).append(column)
    found, lengths, used = {}, {}, {}
    for feature, entries in columns.items():
        if not isinstance(feature, str):
            raise TypeError(
                f"columns must have names of features (str) as keys, got {feature!r}."
            )
        # A set has no order, and the order gives the steps.
        if not isinstance(entries, Iterable) or isinstance(
            entries, (str, bytes, set, frozenset, Mapping)
        ):
            raise TypeError(
                f"columns: feature {feature!r} must have a list of columns, oldest "
                f"first, got {entries!r}."
            )
        entries = list(entries)
        lengths[feature] = len(entries)
        found[feature] = {}
        for step, entry in enumerate(entries):
            if entry is None:
                continue
            column = _column_position(entry, feature, positions, n_columns)
            if column in used:
                raise ValueError(
                    f"columns must use a column once, got {entry!r} for feature "
                    f"{feature!r} and again for feature {used[column]!r}."
                )
            used[column] = feature
            found[feature][step] = column
        if not found[feature]:
            raise ValueError(
                f"columns: feature {feature!r} must have at least one column, got "
                f"{entries!r}."
            )
    if len(set(lengths.values())) > 1:
        counts = ", ".join(f"{f!r}: {n}" for f, n in lengths.items())
        raise ValueError(
            f"columns must list as many columns for each feature, got {counts}. Put "
            f"None where a step is missing, and set fill_value."
        )
    return found, list(range(next(iter(lengths.values())))), "step", 1


def _arrange_found(found, steps, word, sign, fill_value):
    """Arrange columns as an array of steps and features, -1 for a missing one."""
    index = np.full((len(steps), len(found)), -1, dtype=np.intp)
    for f, (feature, by_step) in enumerate(found.items()):
        lacking = [sign * step for step in steps if step not in by_step]
        if lacking and fill_value is None:
            raise ValueError(
                f"columns: feature {feature!r} must have a column for each of the "
                f"{len(steps)} steps, but lacks {word} {_listed(lacking)}. Add the "
                f"columns, or set fill_value to a number (or np.nan) for their place."
            )
        index[:, f] = [by_step.get(step, -1) for step in steps]
    return list(found), index


class GivesSequences:
    """Mixin of transformers whose results are sequences, and no table."""

    def set_output(self, *, transform: str | None = None) -> Self:
        """Do nothing, because sequences are always returned as a 3-D array.

        The method exists so that ``set_output`` can be called on a pipeline with this
        step.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"}, default=None
            Ignored.

        Returns
        -------
        self : object
            The transformer itself.
        """
        return self


class SequenceReshaper(
    GivesSequences,
    Declared,
    VersionedState,
    TransformerMixin,
    BaseEstimator,
    auto_wrap_output_keys=None,
):
    """Transformer from the columns of a table to sequences.

    A table often contains sequences, such as the bills of six months in six columns.
    This transformer converts each row to a sequence of shape (n_timesteps, n_features),
    with the oldest timestep first, as input of recurrent and convolutional networks.
    The columns of a sequence are given by their number and order, by a regular
    expression for their names, or by an explicit mapping. ``fit`` only determines which
    column is which timestep and feature.

    Attributes
    ----------
    n_timesteps_ : int
        Number of timesteps of the sequences.
    sequence_features_ : ndarray of shape (n_features,), object
        Names of the features on the last axis of the sequences: those in `columns`, or
        "feature0", "feature1", ... without `columns`; followed by the static columns.
    n_features_in_ : int
        Number of columns seen during :meth:`fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,), object
        Names of the columns seen during :meth:`fit`. Defined only if X has column names
        that are all strings.

    See Also
    --------
    LSTMClassifier : Reads sequences, or a table with the parameter `n_timesteps`.
    sklearn.compose.ColumnTransformer : Preprocesses columns, before this step.

    Notes
    -----
    A table may contain NaN, which is kept, but no infinite values. The sequences have
    the common dtype of the columns: integers remain integers unless `fill_value` is not
    an integer. The memory order (C or Fortran) of the table is kept.

    Sequences are always returned as a 3-D array: in a pipeline with
    ``set_output(transform="pandas")``, the steps before this one return dataframes, and
    this one returns an array.

    Examples
    --------
    By the number of timesteps, with two features, a and b:

    >>> import numpy as np
    >>> from skseq import SequenceReshaper
    >>> X = np.array([[1, 10, 2, 20], [3, 30, 4, 40]])  # a old, b old, a new, b new
    >>> SequenceReshaper(n_timesteps=2).fit_transform(X)
    array([[[ 1, 10],
            [ 2, 20]],
    <BLANKLINE>
           [[ 3, 30],
            [ 4, 40]]])

    By a regular expression, with columns in any order; the age of a shop is static:

    >>> import pandas as pd
    >>> sales = pd.DataFrame(
    ...     [[7, 6, 5, 1], [9, 8, 7, 3]],
    ...     columns=["sales_t-0", "sales_t-1", "sales_t-2", "age"],
    ... )
    >>> reshaper = SequenceReshaper(columns=r"(?P<feature>.+)_t-(?P<lag>[0-9]+)")
    >>> sequences = reshaper.fit_transform(sales)
    >>> sequences[0]
    array([[5, 1],
           [6, 1],
           [7, 1]])
    >>> reshaper.sequence_features_
    array(['sales', 'age'], dtype=object)
    >>> reshaper.inverse_transform(sequences)
    array([[7, 6, 5, 1],
           [9, 8, 7, 3]])

    By a mapping, with the oldest column first, and a timestep without a column:

    >>> reshaper = SequenceReshaper(
    ...     columns={
    ...         "pay": ["PAY_3", "PAY_2", "PAY_0"],
    ...         "bill": [None, "BILL2", "BILL1"],
    ...     },
    ...     fill_value=np.nan,
    ... )
    >>> credit = pd.DataFrame(
    ...     [[0, 2, 3, 100, 200]], columns=["PAY_0", "PAY_2", "PAY_3", "BILL1", "BILL2"]
    ... )
    >>> reshaper.fit_transform(credit)
    array([[[  3.,  nan],
            [  2., 200.],
            [  0., 100.]]])
    """

    __module__ = "skseq"

    n_timesteps: int | None = parameter(
        default=None,
        constraint=[Interval(Integral, 1, None, closed="left"), None],
        text="""int or None
        Number of timesteps in the columns; it must divide the number of columns. If
        `columns` are given, they determine the number of timesteps, and this parameter
        must be None or agree. If both are None, each column is a timestep with one
        feature.""",
        kw_only=False,
    )
    order: Literal["step", "feature"] = parameter(
        default="step",
        constraint=[StrOptions({"step", "feature"})],
        text="""{"step", "feature"}
        Order of the columns if `columns` is None, with the oldest timestep first.
        "step": all features of the first timestep, then all features of the second
        timestep, and so on. "feature": all timesteps of the first feature, then all
        timesteps of the second feature, and so on.""",
    )
    columns: str | re.Pattern | Mapping[str, Iterable[Any]] | None = parameter(
        default=None,
        constraint=[str, re.Pattern, Mapping, None],
        text="""str, re.Pattern, mapping or None
        The columns that belong to sequences.

        - A regular expression that matches whole column names (``re.fullmatch``), with
          the named group ``feature`` and one of the named groups ``step`` and ``lag``,
          which match an integer. A larger step is later, a larger lag is older. The
          sorted steps or lags of all features together are the timesteps.
        - A mapping from each feature to the list of its columns, oldest first, given by
          name or position. None in a list is a timestep for which the feature has no
          column.

        None: all columns, see `n_timesteps` and `order`.""",
    )
    static: Literal["repeat", "drop", "error"] = parameter(
        default="repeat",
        constraint=[StrOptions({"repeat", "drop", "error"})],
        text="""{"repeat", "drop", "error"}
        What to do with columns that belong to no sequence: repeat their value at every
        timestep, as features after those of the sequences; drop them; or raise an
        error.""",
    )
    fill_value: float | None = parameter(
        default=None,
        constraint=[Interval(Real, None, None, closed="neither"), "nan", None],
        text="""float, int or None
        Value for timesteps for which a feature has no column; NaN is possible. None:
        such a timestep raises an error.""",
    )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    @public_fit
    def fit(self, X: ArrayLike, y: None = None) -> Self:
        """Find the columns of every timestep and feature.

        Parameters
        ----------
        X : array-like or dataframe of shape (n_samples, n_columns)
            The table. NaN is allowed.
        y : None
            Ignored.

        Returns
        -------
        self : SequenceReshaper
            The fitted transformer.

        Raises
        ------
        ValueError
            If X is not a table of finite numbers or NaN, if a parameter is invalid, or
            if the columns of X do not match the parameters. A transformer that was
            fitted before keeps its earlier fit.
        TypeError
            If X is sparse or an array of dates, or if `columns` holds something other
            than names and positions.
        """
        _check_not_infinite(self._fit(X), self)
        return self

    @public_fit
    def fit_transform(self, X: ArrayLike, y: None = None) -> np.ndarray:
        """Fit to X, and arrange its columns as sequences.

        The result is that of ``fit(X).transform(X)``.

        Parameters
        ----------
        X : array-like or dataframe of shape (n_samples, n_columns)
            The table. NaN is allowed.
        y : None
            Ignored.

        Returns
        -------
        sequences : ndarray of shape (n_samples, n_timesteps, n_features)
            A new array, oldest timestep first.

        Raises
        ------
        ValueError, TypeError
            As :meth:`fit` does.
        """
        return self._arrange(self._fit(X))

    def transform(self, X: ArrayLike) -> np.ndarray:
        """Arrange the columns of a table as sequences.

        Parameters
        ----------
        X : array-like or dataframe of shape (n_samples, n_columns)
            A table with the columns seen in :meth:`fit`. NaN is allowed.

        Returns
        -------
        sequences : ndarray of shape (n_samples, n_timesteps, n_features)
            A new array, oldest timestep first, in the common dtype of X.

        Raises
        ------
        NotFittedError
            If :meth:`fit` was not called before.
        ValueError
            If X is not a table of finite numbers or NaN, or has other columns than in
            :meth:`fit`.
        TypeError
            If X is sparse or an array of dates.
        """
        check_is_fitted(self, "n_timesteps_")
        return self._arrange(self._check_table(X, reset=False))

    def inverse_transform(self, X: ArrayLike) -> np.ndarray:
        """Restore the table from which sequences were made.

        Static columns get their values from the newest timestep. Values from
        `fill_value` are dropped.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_timesteps, n_features)
            Sequences from :meth:`transform`. NaN is allowed.

        Returns
        -------
        table : ndarray of shape (n_samples, n_columns)
            A new array in the dtype of X, its columns in the order seen in :meth:`fit`.

        Raises
        ------
        NotFittedError
            If :meth:`fit` was not called before.
        ValueError
            If X holds something other than finite numbers and NaN, if it has another
            shape, or if static columns were dropped.
        TypeError
            If X is sparse or an array of dates.
        """
        check_is_fitted(self, "n_timesteps_")
        if self._dropped:
            raise ValueError(
                f"inverse_transform can't restore the columns that static='drop' left "
                f"out: {_listed(self._dropped)}. Fit with static='repeat'."
            )
        sequences = checked_array(
            self, X, 3, False, "X", dtype="numeric", ensure_2d=False,
            ensure_all_finite=False,
        )  # fmt: skip
        check_kind(sequences)
        expected = (self.n_timesteps_, len(self.sequence_features_))
        if sequences.ndim != 3 or sequences.shape[1:] != expected:
            remedy = ""
            if sequences.shape[1:] == (expected[0] * expected[1],):
                remedy = f" Use X.reshape(-1, {expected[0]}, {expected[1]})."
            raise ValueError(
                f"X must have the shape (n_samples, n_timesteps={expected[0]}, "
                f"n_features={expected[1]}) that transform gives, got "
                f"{sequences.shape}."
                f"{remedy}"
            )
        # The newest timestep comes last, and gives the static columns.
        flat = self._index.ravel()
        back = np.empty(self.n_features_in_, dtype=np.intp)
        back[flat[flat >= 0]] = np.flatnonzero(flat >= 0)
        return _gather(sequences.reshape(len(sequences), -1), back, None, self)

    def get_feature_names_out(
        self, input_features: ArrayLike | None = None
    ) -> np.ndarray:
        """Get the names of the columns of the flattened sequences, step by step.

        These are the names of the columns of ``transform(X).reshape(len(X), -1)``.

        Parameters
        ----------
        input_features : array-like of str of shape (`n_features_in_`,), default=None
            Names of the columns of the table; used for static columns if X had no
            names in :meth:`fit`, and otherwise compared with `feature_names_in_`.

        Returns
        -------
        names : ndarray of shape (n_timesteps * n_features,), object
            Names ``"{feature}_t-{lag}"``, where the lag is 0 for the newest timestep, 1
            for the timestep before, and so on.

        Raises
        ------
        NotFittedError
            If :meth:`fit` was not called before.
        ValueError
            If `input_features` does not agree with the columns seen in :meth:`fit`.
        """
        check_is_fitted(self, "n_timesteps_")
        features = self.sequence_features_
        if input_features is not None:
            names = np.asarray(input_features, dtype=object)
            fitted = getattr(self, "feature_names_in_", None)
            if fitted is not None and not np.array_equal(fitted, names):
                raise ValueError("input_features is not equal to feature_names_in_")
            if len(names) != self.n_features_in_:
                raise ValueError(
                    f"input_features should have length equal to number of features "
                    f"({self.n_features_in_}), got {len(names)}"
                )
            n_sequence = len(features) - len(self._repeated)
            features = np.concatenate([features[:n_sequence], names[self._repeated]])
        return np.array(
            [
                f"{feature}_t-{lag}"
                for lag in reversed(range(self.n_timesteps_))
                for feature in features
            ],
            dtype=object,
        )

    def _check_table(self, X, *, reset):
        X = checked_array(
            self, X, 2, reset, "X", dtype="numeric", ensure_all_finite=False
        )
        check_kind(X)
        return X

    def _arrange(self, X):
        out = _gather(X, self._index.ravel(), self._fill_value, self)
        return out.reshape(len(X), *self._index.shape)

    def _fit(self, X):
        """Fit without the check for infinity, and return the table as an array."""
        if isinstance(self.columns, list | tuple):
            raise TypeError(
                f"columns must map each feature to its columns, oldest first, got a "
                f"{type(self.columns).__name__}: {self.columns!r}. For instance "
                f"columns={{'sales': ['sales_1', 'sales_2']}}; to use some "
                f"columns of X alone, pass X[columns] and leave columns=None."
            )
        check_parameters(self)
        X = self._check_table(X, reset=True)
        n_columns = X.shape[1]
        names = getattr(self, "feature_names_in_", None)
        if self.columns is None:
            features, index = _arrange_by_count(n_columns, self.n_timesteps, self.order)
        else:
            if self.order != "step":
                raise ValueError(
                    f"order must be 'step' together with columns, got {self.order!r}: "
                    f"it is only used for columns that are found by count."
                )
            if isinstance(self.columns, Mapping):
                found = _find_by_mapping(self.columns, names, n_columns)
            else:
                found = _find_by_pattern(self.columns, names)
            features, index = _arrange_found(*found, self.fill_value)
            if self.n_timesteps not in (None, len(index)):
                raise ValueError(
                    f"n_timesteps={self.n_timesteps} does not agree with columns, "
                    f"which gives {len(index)} timesteps. Leave n_timesteps=None."
                )
        static = np.setdiff1d(np.arange(n_columns), index)
        static_names = [f"x{i}" if names is None else names[i] for i in static]
        self._dropped = []
        if len(static) and self.static == "error":
            raise ValueError(
                f"static='error', and columns leaves out {len(static)} columns of X: "
                f"{_listed(static_names)}. Add them to columns, or use static='repeat' "
                f"or 'drop'."
            )
        if self.static == "drop":
            self._dropped, static, static_names = static_names, static[:0], []
        twice = sorted(set(features) & set(static_names))
        if twice:
            raise ValueError(
                f"columns: the features {_listed(twice)} have the name of a column "
                f"that belongs to no sequence. Add the column to columns, rename it, "
                f"or use static='drop'."
            )
        self._repeated = static
        self._index = np.hstack([index, np.tile(static, (len(index), 1))])
        self._fill_value = self.fill_value
        self.n_timesteps_ = len(index)
        self.sequence_features_ = np.array(features + static_names, dtype=object)
        return X
