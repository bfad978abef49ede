"""Windows over the rows of series and panels."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted, validate_data

from skseq._lists import is_frame, take_rows
from skseq._panel import (
    GAP,
    calendar,
    checked_columns,
    columns_of,
    is_missing,
    read,
    row_dtype,
    row_keys,
)
from skseq._parameters import Declared, parameter
from skseq._persistence import VersionedState
from skseq._reshape import GivesSequences
from skseq._validation import Interval, check_parameters, naming, public_fit
from skseq._window_array import WindowArray, touches

if TYPE_CHECKING:
    from typing import Self

    from numpy.typing import ArrayLike


class Windows(NamedTuple):
    """The result of `make_windows`.

    Attributes
    ----------
    X : WindowArray of shape (n_windows, n_timesteps, n_features)
        The windows. ``X.rows`` contains the positions of their rows in the table.
    y : ndarray of shape (n_windows,) or (n_windows, n_targets), or None
        The target of each window.
    groups : ndarray of shape (n_windows,) or None
        The group of each window. If several columns define the groups, the number of
        the group.
    time : ndarray of shape (n_windows,) or None
        The time of the last row of each window.
    """

    X: WindowArray
    y: np.ndarray | None
    groups: np.ndarray | None
    time: np.ndarray | None


def make_windows(
    X: ArrayLike,
    y: ArrayLike | str | None = None,
    *,
    n_timesteps: int,
    horizon: int = 0,
    step: int = 1,
    groups: Any = None,
    time: Any = None,
    max_gap: float | timedelta | np.timedelta64 | None = None,
    dropna: bool = False,
) -> Windows:
    """Make windows with targets from a time series, or a panel of several series.

    A window consists of `n_timesteps` successive rows of one group. Its target is the
    value of y in its last row (``horizon=0``), or the values of y in the next `horizon`
    rows (forecasting).

    Parameters
    ----------
    X : array-like or dataframe of shape (n_rows, n_columns) or (n_rows,)
        The table. Its rows may be in any order if `time` is known, and must otherwise
        be in the order of time.
    y : array-like of shape (n_rows,) or (n_rows, n_targets), or name of a column of X
        The target of each row. A column of X is also used as a feature if `horizon` is
        at least 1, and is not used as a feature otherwise. None: the only feature of X,
        which needs a `horizon` of at least 1.
    n_timesteps : int
        Number of rows of a window.
    horizon : int, default=0
        Number of rows after a window whose y is its target. 0: the target is y in the
        last row of the window. To predict only one later row, select its column of the
        resulting y.
    step : int, default=1
        Number of rows from the start of a window to the start of the next window.
    groups : name of a column or list of names, or array-like of shape (n_rows,)
        The series that each row belongs to, such as a customer or a machine. Columns of
        X, given by name or, for an array, by position, are not used as features. None:
        X is a single series.
    time : name of a column, or array-like of shape (n_rows,)
        The time of each row, as numbers or dates, without duplicates in a group. A
        column of X is not used as a feature. None: the index of a pandas dataframe, if
        it consists of dates; otherwise the rows must be in the order of time.
    max_gap : number or timedelta, default=None
        Longest time between two successive rows of a window and its target. Windows
        with a longer gap are left out. None: no limit.
    dropna : bool, default=False
        Whether to leave out windows with missing values in the features or the target.

    Returns
    -------
    windows : Windows
        A named tuple of ``X``, ``y``, ``groups`` and ``time``. The windows are in the
        order of time, if it is known, and otherwise in the order of X. ``X`` is a
        `WindowArray`, which stores the table only once, without a copy if it is an
        array whose rows are already in order. ``y``, ``groups`` and ``time`` are
        arrays, or None.

    Raises
    ------
    ValueError
        If an argument has an invalid value, two rows of a group have the same time, y
        is one of the features with ``horizon=0``, or no group has enough rows for a
        window.
    TypeError
        If an argument has an invalid type.

    See Also
    --------
    WindowTransformer : Makes a window for each row, in a pipeline.
    PurgedSplit : Cross-validation without overlap of training and test windows.

    Examples
    --------
    >>> import numpy as np
    >>> from skseq import make_windows
    >>> windows = make_windows(np.arange(6.0), n_timesteps=3, horizon=1)
    >>> np.asarray(windows.X)[:, :, 0]
    array([[0., 1., 2.],
           [1., 2., 3.],
           [2., 3., 4.]])
    >>> windows.y
    array([3., 4., 5.])

    A panel, with rows in any order:

    >>> import pandas as pd
    >>> table = pd.DataFrame(
    ...     {
    ...         "machine": ["b", "a", "a", "b", "a"],
    ...         "hour": [1, 2, 1, 2, 3],
    ...         "heat": [50, 20, 10, 60, 30],
    ...         "fails": [0, 0, 0, 1, 1],
    ...     }
    ... )
    >>> windows = make_windows(
    ...     table, "fails", n_timesteps=2, groups="machine", time="hour"
    ... )
    >>> np.asarray(windows.X)[:, :, 0].tolist()
    [[10, 20], [50, 60], [20, 30]]
    >>> windows.y.tolist(), windows.groups.tolist(), windows.time.tolist()
    ([0, 1, 1], ['a', 'b', 'a'], [2, 2, 3])
    """
    for name, value, least in (
        ("n_timesteps", n_timesteps, 1),
        ("horizon", horizon, 0),
        ("step", step, 1),
    ):
        if not isinstance(value, Integral) or value < least:
            raise ValueError(
                f"{name} must be an int of at least {least}, got {value!r}."
            )
    given = _table(X)
    groups = _columns_or_values(given, "groups", groups, may_be_list=True)
    time = _columns_or_values(given, "time", time)
    target, drop = _target(given, y, horizon)
    panel = read("make_windows", given, groups, time, drop)
    places = panel.places(max_gap)
    ends = _ends_of(places, n_timesteps, horizon, step)
    if not len(ends):
        raise ValueError(
            f"n_timesteps={n_timesteps} with horizon={horizon} needs "
            f"{n_timesteps + horizon} successive rows, got at most "
            f"{int(places.max()) + 1} in a group without a gap. Use fewer timesteps."
        )
    windows = WindowArray(
        panel.table, ends, int(n_timesteps), n_ahead=int(horizon),
        group_starts=panel.group_starts, order=panel.order, names=panel.names,
    )  # fmt: skip
    if target is None and horizon:
        if panel.table.shape[1] > 1:
            raise ValueError(
                f"y must be the target to predict, got None for a table of "
                f"{panel.table.shape[1]} features. Pass y, an array or the name of a "
                f"column."
            )
        target = panel.table[:, 0]
    elif target is not None and panel.order is not None:
        target = target[panel.order]
    if target is not None and not horizon:
        _check_no_leak(target, panel)
    if dropna:
        windows = windows[~_with_missing(windows, target)]
    if panel.time is not None and len(panel.group_starts) > 1:
        windows = windows[np.argsort(panel.time[windows.ends], kind="stable")]
    ends = windows.ends
    return Windows(
        windows,
        None if target is None else _targets(target, ends, horizon),
        None if groups is None else panel.labels[windows.group_of()],
        None if panel.time is None else panel.time[ends],
    )


def _table(X):
    """Get a table with named or numbered columns."""
    if is_frame(X):
        return X
    if hasattr(X, "to_frame"):
        return X.to_frame()
    X = np.asarray(X)
    if X.ndim not in (1, 2):
        raise ValueError(
            f"X must have 2 dimensions (n_rows, n_columns), or 1 for a series, got "
            f"{X.ndim}."
        )
    return X[:, None] if X.ndim == 1 else X


def _columns_or_values(X, name, value, may_be_list=False):
    if value is None:
        return None
    if np.ndim(value) == 1 and len(value) == len(X):
        columns = columns_of(X, value) if is_frame(X) else None
        if columns is None and isinstance(value, list | tuple):
            values = np.asarray(value)
            # NumPy makes a text of a missing value beside texts.
            return np.asarray(value, object) if values.dtype.kind == "U" else values
        return value if columns is None else columns
    return checked_columns(X, name, value, may_be_list)


def _target(X, y, horizon):
    """Get the target, and the columns of it that are no features."""
    if y is None:
        return None, []
    if isinstance(y, str):
        (column,) = checked_columns(X, "y", y)
        return np.asarray(X[column]), [] if horizon else [column]
    y = np.asarray(y)
    if y.ndim not in (1, 2) or len(y) != len(X):
        raise ValueError(
            f"y must have one entry for each of the {len(X)} rows of X, got an array "
            f"of shape {y.shape}."
        )
    return (y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y), []


def _ends_of(places, n_timesteps, horizon, step):
    """Find the last rows of full windows."""
    is_end = places >= n_timesteps - 1
    if step > 1:
        is_end &= (places - (n_timesteps - 1)) % step == 0
    if horizon:
        is_end[-horizon:] = False
        is_end[:-horizon] &= places[horizon:] == places[:-horizon] + horizon
    return np.flatnonzero(is_end).astype(row_dtype(len(places)))


def _check_no_leak(y, panel):
    """Raise if the target of a window is one of its values."""
    if y.ndim > 1 or y.dtype.kind not in "iufb":
        return
    for i in range(panel.table.shape[1]):
        column = panel.table[:, i]
        # A look at some rows first, because there may be millions.
        if (column[:100] == y[:100]).all() and np.array_equal(column, y):
            name = i if panel.names is None else repr(panel.names[i])
            raise ValueError(
                f"y must not be a feature, got column {name} of X: with horizon=0 a "
                f"window ends with the row of its target. Set horizon=1 to predict the "
                f"next value, or leave out the column."
            )


def _with_missing(windows, y):
    """Find the windows with a missing value, in the table or the target."""
    missing = np.zeros(len(windows.table), bool)
    if windows.table.dtype.kind == "f":
        missing = np.isnan(windows.table).any(axis=1)
    found = touches(replace(windows, n_ahead=0), missing)
    if y is not None:
        missing = is_missing(y)
        missing = missing.any(axis=1) if missing.ndim > 1 else missing
        found |= touches(windows, missing, targets_only=True)
    return found


def _targets(y, ends, horizon):
    if not horizon:
        return y[ends]
    if horizon == 1:
        return y[ends + 1]
    return y[ends[:, None] + np.arange(1, horizon + 1)].reshape(len(ends), -1)


class WindowTransformer(
    GivesSequences,
    Declared,
    VersionedState,
    TransformerMixin,
    BaseEstimator,
    auto_wrap_output_keys=None,
):
    """Transformer that makes a window of each row and the rows before it.

    The window of a row consists of this row and the rows before it in its group, in the
    order of time, and never of later rows. There is one window for each row, in the
    order of the rows. So y does not change, and the transformer can be a step of a
    pipeline, in which ``windowtransformer__n_timesteps`` can be tuned. Windows at the
    start of a group have fewer rows; their first timesteps are padding.

    Attributes
    ----------
    n_features_in_ : int
        Number of columns seen during :meth:`fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns seen during :meth:`fit`. Defined only if X has column names
        that are all strings.
    history_ : dataframe, ndarray or None
        The last ``n_timesteps - 1`` rows of each group in :meth:`fit`, with all
        columns. :meth:`transform` uses them as the rows before those of its X. None if
        ``ordered``.

    See Also
    --------
    make_windows : Makes windows with targets, such as later values.
    PurgedSplit : Cross-validation without overlap of training and test windows.

    Notes
    -----
    The result is a `WindowArray`, which stores the table only once. The networks of
    this package read it batch by batch, and recognize its padding. Other transformers
    convert it to an array with `n_timesteps` times as many values as the table.
    Therefore put scalers before this step.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from skseq import WindowTransformer
    >>> table = pd.DataFrame(
    ...     {
    ...         "machine": ["a", "a", "b", "a", "b"],
    ...         "hour": [1, 2, 1, 3, 2],
    ...         "heat": [10.0, 20, 50, 30, 60],
    ...     }
    ... )
    >>> to_windows = WindowTransformer(3, groups="machine", time="hour")
    >>> np.asarray(to_windows.fit_transform(table))[:, :, 0]
    array([[nan, nan, 10.],
           [nan, 10., 20.],
           [nan, nan, 50.],
           [10., 20., 30.],
           [nan, 50., 60.]])

    The windows of later rows start with rows of ``fit``:

    >>> later = pd.DataFrame({"machine": ["b", "a"], "hour": [3, 4], "heat": [70, 40]})
    >>> np.asarray(to_windows.transform(later))[:, :, 0]
    array([[50., 60., 70.],
           [20., 30., 40.]])
    """

    __module__ = "skseq"

    n_timesteps: int = parameter(
        default=10,
        constraint=[Interval(Integral, 1, None, closed="left")],
        text="""int
        Number of timesteps of a window: a row and up to ``n_timesteps - 1`` rows before
        it.""",
        kw_only=False,
    )
    groups: Any = parameter(
        default=None,
        constraint="no_validation",
        text="""name of a column, list of names, or None
        Columns that define the series that each row belongs to, such as a customer or a
        machine; for an array, the position of a column. They are not used as features.
        None: X is a single series.""",
    )
    time: Any = parameter(
        default=None,
        constraint="no_validation",
        text="""name of a column or None
        Column with the time of each row, as numbers or dates, without duplicates in a
        group; for an array, the position of a column. It is not used as a feature.
        None: the index of a pandas dataframe, if it consists of dates; otherwise
        ``ordered=True`` is needed.""",
    )
    max_gap: float | timedelta | np.timedelta64 | None = parameter(
        default=None,
        constraint=GAP,
        text="""number, timedelta or None
        Longest time between two successive rows of a window. Rows before a longer gap
        are not part of the window. None: no limit.""",
    )
    ordered: bool = parameter(
        default=False,
        constraint=["boolean"],
        text="""bool
        Whether the rows of X are in the order of time, so that no ``time`` is needed.
        The rows of ``fit`` are then not used in the windows of ``transform``.""",
    )
    mask_value: float = parameter(
        default=float("nan"),
        constraint=[Real],
        text="""float
        Value that marks padding.""",
    )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    @public_fit
    def fit(self, X: ArrayLike, y: None = None) -> Self:
        """Learn the columns, and keep the last rows of each group.

        Parameters
        ----------
        X : array-like or dataframe of shape (n_rows, n_columns)
            Rows in any order.
        y : None
            Ignored.

        Returns
        -------
        self : WindowTransformer
            The fitted transformer.

        Raises
        ------
        ValueError
            If X does not have the columns ``groups`` and ``time``, two rows of a group
            have the same time, or the order of the rows is not known.
        TypeError
            If a parameter or the times of rows have an invalid type.
        """
        self._fit(X)
        return self

    @public_fit
    def fit_transform(self, X: ArrayLike, y: None = None) -> WindowArray:
        """Fit to X, and make a window for each of its rows.

        Parameters
        ----------
        X : array-like or dataframe of shape (n_rows, n_columns)
            Rows in any order.
        y : None
            Ignored.

        Returns
        -------
        windows : WindowArray of shape (n_rows, n_timesteps, n_features)
            A window for each row.
        """
        panel = self._fit(X)
        return self._windows(panel, len(panel.table))

    def transform(self, X: ArrayLike, history: ArrayLike | None = None) -> WindowArray:
        """Make a window for each row.

        Parameters
        ----------
        X : array-like or dataframe of shape (n_rows, n_columns)
            Rows in any order.
        history : array-like or dataframe of shape (n_past, n_columns), default=None
            Rows to use as the rows before those of X, in place of the rows of
            :meth:`fit`. In a pipeline, pass it by metadata routing, with
            ``set_transform_request(history=True)``.

        Returns
        -------
        windows : WindowArray of shape (n_rows, n_timesteps, n_features)
            A window for each row, in the order of X.

        Raises
        ------
        NotFittedError
            If :meth:`fit` was not called before.
        ValueError, TypeError
            As :meth:`fit` does.
        """
        check_is_fitted(self, "history_")
        table = joined = self._checked(X, reset=False)
        past = self.history_
        if history is not None:
            past = self._checked(history, reset=False, name="history")
        if past is not None and len(past):
            past = self._past(past, table)
            joined = _joined(past, table) if len(past) else table
        return self._windows(self._read(joined), len(table))

    def _fit(self, X):
        check_parameters(self)
        table = self._checked(X, reset=True)
        panel = self._read(table)
        panel.checked_gap(self.max_gap)  # raises for one of the wrong type
        self._keep_history(table, panel)
        return panel

    def _checked(self, X, reset, name="X"):
        """Check the columns of X, and get a table."""
        if not is_frame(X):
            with naming(name):
                X = check_array(
                    X, dtype=None, ensure_all_finite=False, input_name=name,
                    estimator=self,
                )  # fmt: skip
        validate_data(self, X, reset=reset, skip_check_array=True)
        if not len(X):
            raise ValueError(
                f"{name} must have at least 1 row, got 0 sample(s): a minimum of 1 is "
                f"required by {type(self).__name__}."
            )
        has_time = self.time is not None or calendar(X) is not None
        if has_time == bool(self.ordered):
            raise ValueError(
                "time must name the column with the time of each row, got None. Set "
                "ordered=True if the rows of X are in the order of time."
                if not has_time
                else f"ordered must be False where the time of rows is known, got "
                f"True with time={self.time!r}."
            )
        return X

    def _read(self, X):
        groups, time = self._columns(X)
        return read(self, X, groups, time)

    def _columns(self, X):
        groups = time = None
        if self.groups is not None:
            groups = checked_columns(X, "groups", self.groups, may_be_list=True)
        if self.time is not None:
            time = checked_columns(X, "time", self.time)
        return groups, time

    def _past(self, past, X):
        """Leave out rows of the past that X has too, and those of other groups."""
        groups, time = self._columns(X)
        (labels, times), (past_labels, past_times) = (
            row_keys(part, groups, time) for part in (X, past)
        )
        known = set(labels.tolist())
        keep = np.array([label in known for label in past_labels.tolist()])
        if times is not None:
            near = (times >= past_times.min()) & (times <= past_times.max())
            both = set(zip(labels[near].tolist(), times[near].tolist(), strict=True))
            keys = zip(past_labels.tolist(), past_times.tolist(), strict=True)
            keep &= np.array([key not in both for key in keys])
        return take_rows(past, np.flatnonzero(keep))

    def _keep_history(self, X, panel):
        self.history_ = None
        if self.ordered:
            return
        ends = np.append(panel.group_starts[1:], len(panel.table))
        starts = np.maximum(panel.group_starts, ends - (self.n_timesteps - 1))
        kept = np.concatenate(
            [np.arange(i, j) for i, j in zip(starts, ends, strict=True)]
        )
        kept = kept if panel.order is None else panel.order[kept]
        self.history_ = take_rows(X, kept)

    def _windows(self, panel, n_rows):
        """Make windows that end in the last rows that were passed."""
        places = panel.places(self.max_gap)
        ends = np.arange(len(panel.table), dtype=places.dtype)
        if panel.order is not None:
            ends[panel.order] = np.arange(len(ends))
        ends = ends[len(ends) - n_rows :]
        n_past = len(panel.table) - n_rows
        order = panel.order
        if n_past:
            rows = np.arange(len(panel.table)) if order is None else order
            order = np.maximum(rows - n_past, -1)
        return WindowArray(
            panel.table, ends, int(self.n_timesteps),
            lengths=np.minimum(places[ends] + 1, self.n_timesteps),
            group_starts=panel.group_starts, order=order,
            mask_value=self.mask_value, names=panel.names,
        )  # fmt: skip


def _joined(past, X):
    """Put rows before others, in a table of the kind of the others."""
    if not is_frame(X):
        return np.concatenate([past, X])
    if type(past) is not type(X):
        past = type(X)({name: np.asarray(past[name]) for name in X.columns})
    if hasattr(X, "iloc"):
        import pandas as pd  # optional: X is a dataframe of pandas

        return pd.concat([past, X])
    return past.vstack(X)
