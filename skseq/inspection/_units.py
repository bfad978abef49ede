"""Which values of X are permuted together."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from numbers import Integral

import numpy as np
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from skseq._reshape import SequenceReshaper
from skseq._validation import nearest
from skseq.inspection._permuting import Sequences, equal


@dataclass(frozen=True)
class Units:
    """What is permuted, and where its importance belongs.

    Attributes
    ----------
    members : list
        A unit each, as the object that permutes X takes it.
    places : ndarray of int
        The position of a unit, of the shape of the result.
    names : dict of str to ndarray
        Names along the axes of the result.
    """

    members: list
    places: np.ndarray
    names: dict


# -------------------------------------------------------------- columns of a table


def final_of(estimator):
    """Find the last step of an estimator, and the steps before it."""
    before = []
    while True:
        for name in ("best_estimator_", "estimator_", "estimator"):
            if hasattr(estimator, name):
                estimator = getattr(estimator, name)
                break
        else:
            steps = getattr(estimator, "steps", None)
            if not steps:
                return estimator, before
            before += [step for _, step in steps[:-1]]
            estimator = steps[-1][1]


def _keeps_columns(steps, names):
    """Check whether steps of a pipeline keep the columns of a table in their places."""
    found = list(names)
    for step in steps:
        if step is None or step == "passthrough":
            continue
        try:
            found = list(step.get_feature_names_out(np.array(found, dtype=object)))
        except (AttributeError, ValueError):
            return False
    return found == list(names)


def _columns_of(reshaper, table):
    """Find the column of each timestep and feature, -1 for none."""
    n = table.n_columns
    # In a second row each column differs by n, and filled values do not.
    X = table.of_values(np.array([np.arange(n), np.arange(n) + n]))
    try:
        check_is_fitted(reshaper)
    except ValueError:
        reshaper = clone(reshaper).fit(X)
    first, second = reshaper.transform(X)
    columns = np.where(second - first == n, first, -1).astype(int)
    return columns, reshaper.sequence_features_.tolist()


def arranged(estimator, table, reshaper):
    """Find the columns of the timesteps and features of a table.

    Returns
    -------
    columns : ndarray of int of shape (n_timesteps, n_features), or None
    names : list of str, or None
        Of the features.
    """
    if reshaper is not None:
        return _columns_of(reshaper, table)
    final, before = final_of(estimator)
    places = [i for i, one in enumerate(before) if isinstance(one, SequenceReshaper)]
    names = table.names or [f"x{i}" for i in range(table.n_columns)]
    if not _keeps_columns(before[: places[0]] if places else before, names):
        return None, None
    if places:
        return _columns_of(before[places[0]], table)
    n_timesteps = getattr(final, "n_timesteps", None)
    if n_timesteps is not None:
        return _columns_of(SequenceReshaper(n_timesteps), table)
    if hasattr(final, "n_timesteps"):
        return np.arange(table.n_columns)[:, None], None
    return None, None


# --------------------------------------------------------------------------- units


def units_of(rows, over, groups, columns, names, feature_names):
    """List the units.

    Parameters
    ----------
    rows : FrameColumns, ArrayColumns or Sequences
    over : {"features", "timesteps", "cells"}
    groups : dict or None
    columns : ndarray of int of shape (n_timesteps, n_features), or None
        Those of a table.
    names : list of str or None
        The features of a table.
    feature_names : array-like of str or None
        Those given by the caller.
    """
    if isinstance(rows, Sequences):
        shape = rows.n_timesteps, rows.n_features
        is_static = None if over == "features" else rows.is_static()

        def member(timesteps, features):
            return timesteps, features
    else:
        columns, names = _of_table(rows, over, columns, names)
        shape = columns.shape
        is_static = None if over == "features" else _static_columns(rows, columns)

        def member(timesteps, features):
            steps = slice(None) if timesteps is None else timesteps
            found = np.unique(columns[steps][:, features])
            return found[found >= 0].tolist()

    names = _feature_names(feature_names, names, shape[1])
    if over == "timesteps":
        units, labels = _grouped(groups, list(range(shape[0])), "timesteps")
        changing = np.flatnonzero(~is_static).tolist()
        members = [member(unit, changing) for unit in units]
        return Units(members, np.arange(len(units)), {"timesteps": labels})
    units, labels = _grouped(groups, names, "features")
    if over == "features":
        members = [member(None, unit) for unit in units]
        return Units(members, np.arange(len(units)), {"feature_names": labels})
    members, places = [], np.empty((shape[0], len(units)), int)
    for j, unit in enumerate(units):
        if is_static[unit].all():
            places[:, j] = len(members)
            members.append(member(None, unit))
            continue
        for t in range(shape[0]):
            places[t, j] = len(members)
            members.append(member([t], unit))
    axes = {"timesteps": np.arange(shape[0]), "feature_names": labels}
    return Units(members, places, axes)


def _of_table(table, over, columns, names):
    """Choose what the features of a table are."""
    if over == "features" and (columns is None or columns.shape[1] == 1):
        # Each column is a feature of its own.
        return np.arange(table.n_columns)[None], table.names
    if columns is None:
        raise ValueError(
            f"over={over!r} needs the timesteps of the columns of X, and the estimator "
            f"does not tell them. Pass reshaper=SequenceReshaper(...), which finds the "
            f"columns, or the rows as the network gets them: "
            f"permutation_importance(pipeline[-1], pipeline[:-1].transform(X), y)."
        )
    return columns, names


def _static_columns(table, columns):
    """Find the features that have one value at all timesteps."""
    if len(columns) == 1:
        return np.zeros(columns.shape[1], bool)
    return np.array([_is_repeated(table, one) for one in columns.T])


def _is_repeated(table, columns):
    first = table.column(columns[0])
    return columns.min() >= 0 and all(
        column == columns[0] or equal(table.column(column), first).all()
        for column in columns
    )


def _feature_names(given, found, n_features):
    if given is None:
        return [f"feature{i}" for i in range(n_features)] if found is None else found
    given = list(given)
    if len(given) != n_features:
        raise ValueError(
            f"feature_names must have a name for each of the {n_features} features, "
            f"got {len(given)}."
        )
    return given


def _grouped(groups, names, what):
    """List the positions in each group, a group of its own for each other name.

    Returns
    -------
    units : list of list of int
    labels : ndarray
        The names of the groups, at the place of their first member.
    """
    used = {}
    for label, members in (groups or {}).items():
        for position in _positions(label, members, names, what):
            if position in used:
                raise ValueError(
                    f"groups must hold each of the {what} once, got "
                    f"{names[position]!r} in {used[position]!r} and {label!r}."
                )
            used[position] = label
    found = {}
    for position, name in enumerate(names):
        # A group may have the name of a feature that is not in it.
        key = (True, used[position]) if position in used else (False, position)
        label = used.get(position, name)
        found.setdefault(key, (label, []))[1].append(position)
    labels = np.array([label for label, _ in found.values()], dtype=object)
    return [unit for _, unit in found.values()], labels


def _positions(label, members, names, what):
    """Find the positions of the members of a group, by name or position."""
    if isinstance(members, str | Mapping) or not isinstance(members, Iterable):
        raise TypeError(
            f"groups must map names to lists of {what}, got {members!r} for {label!r}."
        )
    positions = []
    for one in members:
        if one in names:
            positions.append(names.index(one))
        elif isinstance(one, Integral) and 0 <= one < len(names):
            positions.append(int(one))
        else:
            hint = f" Expected 0 to {len(names) - 1}."
            if isinstance(one, str):
                hint = nearest(one, names)
            raise ValueError(
                f"groups: {label!r} must hold {what} of X, got {one!r}.{hint}"
            )
    if not positions:
        raise ValueError(f"groups: {label!r} must hold some of the {what}, got none.")
    return positions
