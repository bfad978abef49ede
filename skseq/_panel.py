"""A table of series: its features, groups and time, ordered by group and time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from numbers import Integral, Real

import numpy as np

from skseq._lists import is_frame
from skseq._sequences import checked_table
from skseq._validation import nearest

# A longest time between two rows.
GAP = [Real, timedelta, np.timedelta64, None]


@dataclass(frozen=True)
class Panel:
    """Rows of one or several series, ordered by group and time.

    Attributes
    ----------
    table : ndarray of shape (n_rows, n_features)
        Not copied if the rows were in order.
    group_starts : ndarray of int of shape (n_groups,)
        The first row of each group.
    labels : ndarray of shape (n_groups,)
        The group's label; its number, if several columns make a group.
    time : ndarray of shape (n_rows,) or None
    order : ndarray of int of shape (n_rows,) or None
        The position of each row in the X that was passed. None: both have one order.
    names : list or None
        The names of the features.
    """

    table: np.ndarray
    group_starts: np.ndarray
    labels: np.ndarray
    time: np.ndarray | None
    order: np.ndarray | None
    names: list | None

    def checked_gap(self, max_gap):
        """Convert a longest time between rows for the times of the rows, or raise."""
        if max_gap is None:
            return None
        if self.time is None:
            raise ValueError(
                f"max_gap needs time, got max_gap={max_gap!r} and time=None. Pass the "
                f"time of each row."
            )
        dtype = self.time.dtype
        is_duration = isinstance(max_gap, timedelta | np.timedelta64)
        if is_duration == (dtype.kind in "mM"):
            return np.timedelta64(max_gap) if is_duration else max_gap
        if is_duration:
            expected, example = "a number", "a number in the units of time"
        else:
            expected = "a timedelta"
            example = "for instance datetime.timedelta(hours=1)"
        raise TypeError(
            f"max_gap must be {expected} for times of dtype {dtype}, got {max_gap!r}. "
            f"Pass {example}."
        )

    def places(self, max_gap):
        """Count the rows before each row, in its group and without a gap.

        Parameters
        ----------
        max_gap : number, timedelta or None
        """
        gap = self.checked_gap(max_gap)
        is_first = np.zeros(len(self.table), bool)
        is_first[self.group_starts] = True
        if gap is not None:
            is_first[1:] |= np.diff(self.time) > gap
        rows = np.arange(len(self.table), dtype=row_dtype(len(self.table)))
        return rows - np.maximum.accumulate(np.where(is_first, rows, 0))


def row_dtype(n_rows):
    """Choose the dtype of positions of rows."""
    return np.int32 if n_rows < 2**31 else np.int64


def columns_of(X, value):
    """Find the columns that a parameter names; None if it is no name of columns.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_columns) or dataframe
    value : object
        A name, or position in an array; or a list of these.

    Returns
    -------
    columns : list or None
    """
    listed = value if isinstance(value, list | tuple) else [value]
    known = _names_in(X)
    is_named = all(_is_name(X, one) and one in known for one in listed)
    return list(listed) if is_named and len(listed) else None


def _names_in(X):
    return list(X.columns) if is_frame(X) else list(range(X.shape[1]))


def _is_name(X, value):
    return isinstance(value, str | Integral if is_frame(X) else Integral)


def checked_columns(X, name, value, may_be_list=False):
    """Get the columns that a parameter names, or raise."""
    columns = columns_of(X, value)
    if columns is not None:
        if len(columns) > 1 and not may_be_list:
            raise ValueError(f"{name} must be one column, got {value!r}.")
        return columns
    known = _names_in(X)
    if is_frame(X):
        what = "the name of a column"
        listed = value if isinstance(value, list | tuple) else [value]
        unknown = [one for one in listed if _is_name(X, one) and one not in known]
        hint = nearest(unknown[0], known) if unknown else ""
    else:
        what = "the position of a column"
        hint = " An array has no names: let the step before keep them, by its method "
        hint += "set_output(transform='pandas')."
    raise ValueError(
        f"{name} must be {what} of X{' or a list of them' if may_be_list else ''}, got "
        f"{value!r} for {len(known)} columns.{hint}"
    )


def read(estimator, X, groups, time, drop=()):
    """Read a table of series, and put its rows in order.

    Parameters
    ----------
    estimator : object
        Named in messages.
    X : ndarray or dataframe of shape (n_rows, n_columns)
    groups, time : list of columns, array of shape (n_rows,) or None
        Columns are left out of the features.
    drop : list
        Further columns that are no features.
    """
    left_out = list(drop)
    for part in (groups, time):
        left_out += part if isinstance(part, list) else []
    table, names = checked_table(estimator, X, left_out)
    labels, time = row_keys(X, groups, time)
    return _ordered(table, None if groups is None else labels, time, names)


def row_keys(X, groups, time):
    """Get the group and time of each row; for the arguments see `read`.

    Returns
    -------
    labels : ndarray of shape (n_rows,)
        Zeros, without groups.
    time : ndarray of shape (n_rows,) or None
    """
    n_rows = len(X)
    if groups is None:
        labels = np.zeros(n_rows, np.int8)
    else:
        is_columns = isinstance(groups, list)
        labels = _labels([_column(X, c) for c in groups] if is_columns else [groups], X)
    if time is None:
        time = calendar(X)
    if time is None:
        return labels, None
    time = _times(_column(X, time[0]) if isinstance(time, list) else time)
    if time.shape != (n_rows,):
        raise ValueError(
            f"time must have one entry for each of the {n_rows} rows of X, got an "
            f"array of shape {time.shape}."
        )
    return labels, time


def calendar(X):
    """Get the index of a pandas dataframe or series if it holds dates, or None."""
    index = getattr(X, "index", None)
    dtype = getattr(index, "dtype", None)
    return index if getattr(dtype, "kind", None) == "M" else None


def _column(X, column):
    return X[column] if is_frame(X) else X[:, column]


def _labels(parts, X):
    """Get the label of each row's group; a number, for several columns."""
    arrays, n_rows = [], len(X)
    for part in parts:
        values = np.asarray(part)
        if values.shape != (n_rows,):
            raise ValueError(
                f"groups must have one entry for each of the {n_rows} rows of X, got "
                f"an array of shape {values.shape}."
            )
        if is_missing(values).any():
            raise ValueError(
                f"groups must have no missing values, got one in row "
                f"{is_missing(values).argmax()}. Fill them in, or leave out such rows."
            )
        arrays.append(values)
    if len(arrays) == 1:
        return arrays[0]
    codes = np.zeros(n_rows, np.int64)
    for values in arrays:
        found, inverse = np.unique(values, return_inverse=True)
        codes = np.unique(codes * len(found) + inverse, return_inverse=True)[1]
    return codes


def is_missing(values):
    """Find missing values in an array of any dtype: NaN, NaT, None and pandas.NA."""
    if values.dtype != object:
        return values != values
    # Neither is equal to itself, and the truth of NA is not known.
    equal = [one is not None and one == one for one in values.ravel().tolist()]
    found = [one is not True and one is not np.True_ for one in equal]
    return np.array(found, bool).reshape(values.shape)


def _times(values):
    """Get times as an array of numbers or dates."""
    zone = getattr(getattr(values, "dt", values), "tz", None)
    if zone is not None:
        accessor = values.dt if hasattr(values, "dt") else values
        values = accessor.tz_convert(None)
    times = np.asarray(values)
    if times.dtype.kind == "O" and len(times) and not isinstance(times[0], str):
        try:
            times = times.astype("datetime64[us]")
        except (TypeError, ValueError):
            times = np.asarray(values, object)
    if times.dtype.kind not in "iufmM":
        raise TypeError(
            f"time must hold numbers or dates, got dtype {times.dtype}"
            f"{f' such as {times[0]!r}' if times.size else ''}. Convert it, for "
            f"instance by pandas.to_datetime."
        )
    bad = np.isnat(times) if times.dtype.kind in "mM" else ~np.isfinite(times)
    if bad.any():
        raise ValueError(
            f"time must have no missing values, got {times[bad][0]} in row "
            f"{bad.argmax()}. Leave out such rows."
        )
    return times


def _ordered(table, labels, time, names):
    """Put rows in order, without copies where they are."""
    n_rows, order = len(table), None
    starts = _starts(labels, n_rows)
    if labels is not None and len(set(labels[starts].tolist())) < len(starts):
        # Rows of a group are not side by side.
        codes = np.unique(labels, return_inverse=True)[1]
        keys = (codes,) if time is None else (time, codes)
        order = np.lexsort(keys)
    elif time is not None:
        falls = time[1:] < time[:-1]
        falls[starts[1:] - 1] = False
        if falls.any():
            codes = np.repeat(np.arange(len(starts)), np.diff(starts, append=n_rows))
            order = np.lexsort((time, codes))
    if order is not None:
        table = table[order]
        labels = None if labels is None else labels[order]
        time = None if time is None else time[order]
        starts = _starts(labels, n_rows)
    if time is not None:
        same = time[1:] == time[:-1]
        same[starts[1:] - 1] = False
        if same.any():
            row = int(same.argmax())
            rows = [row, row + 1] if order is None else order[[row, row + 1]].tolist()
            what = "a group" if labels is not None else "X"
            raise ValueError(
                f"time must differ between the rows of {what}, got {time[row]} in rows "
                f"{rows[0]} and {rows[1]}. Pass groups if X holds several series, or "
                f"leave out duplicates."
            )
    found = np.zeros(1, int) if labels is None else labels[starts]
    return Panel(np.ascontiguousarray(table), starts, found, time, order, names)


def _starts(labels, n_rows):
    """Find the rows that have another label than the row before."""
    if labels is None:
        return np.zeros(1, int)
    return np.flatnonzero(np.concatenate([[n_rows > 0], labels[1:] != labels[:-1]]))
