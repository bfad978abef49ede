"""The rows of a fit: as passed by the caller, validated, and held out."""

import math
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold, train_test_split

from skseq._engine.order import is_in_blocks
from skseq._lazy_array import as_lazy
from skseq._lists import take_rows
from skseq._validation import check_groups
from skseq._window_array import SeenWindows, WindowArray, overlap, purged


@dataclass(frozen=True)
class Given:
    """The arguments of a method that trains, as passed by the caller.

    Attributes
    ----------
    X, y, sample_weight, groups
        Rows to train on. Validation rows may be held out of them.
    X_val, y_val, sample_weight_val
        Validation rows, in place of rows held out.
    X_unlabeled
        Further rows without labels.
    classes
        All classes; None: those in y.
    """

    X: Any
    y: Any = None
    sample_weight: Any = None
    groups: Any = None
    X_val: Any = None
    y_val: Any = None
    sample_weight_val: Any = None
    X_unlabeled: Any = None
    classes: Any = None

    def opened(self):
        """Take arrays in files as `LazyArray`."""
        return replace(
            self, X=as_lazy(self.X), X_val=as_lazy(self.X_val, "X_val"),
            X_unlabeled=as_lazy(self.X_unlabeled, "X_unlabeled"),
        )  # fmt: skip


@dataclass(frozen=True)
class Part:
    """A part of the validated rows: all of them, those held out, or those to train on.

    Attributes
    ----------
    X : ndarray of shape (n_samples, n_timesteps, n_features), PaddedRows, \
            GatheredRows or LazyRows
        All rows. X may be larger than memory, and is not copied.
    index : ndarray of int of shape (n_rows,) or None
        The rows of X in this part, in this order; None: all of them.
    codes : ndarray of shape (n_rows,) or (n_rows, n_targets)
        The encoded target.
    weights : ndarray of shape (n_rows,)
    """

    X: np.ndarray
    index: np.ndarray | None
    codes: np.ndarray
    weights: np.ndarray

    def __len__(self):
        return len(self.weights)

    def take(self, positions):
        """Take the rows at some positions."""
        index = positions if self.index is None else self.index[positions]
        return replace(
            self, index=index, codes=self.codes[positions],
            weights=self.weights[positions],
        )  # fmt: skip

    def in_order(self):
        """Take the rows in the order in which they are in X."""
        return self if self.index is None else self.take(np.argsort(self.index))

    def rows(self):
        """Get the rows of X in this part; a copy, unless these are all of an array."""
        return self.X[:] if self.index is None else self.X[self.index]


def hold_out(whole, given, target, validation_split, seed):
    """Split rows into those to train on and those to validate with.

    Parameters
    ----------
    whole : Part
        All rows with weight.
    given : Given
        The arguments of the caller, with their groups.
    target : Labels, Numbers or RowsThemselves
        See `skseq._targets`.
    validation_split : float or cross-validation splitter
        The parameter of an estimator. For windows that share rows, a fraction is that
        of whole groups or of the last windows of each.
    seed : int

    Returns
    -------
    rest, held_out : Part
    """
    if isinstance(validation_split, (type, str)):
        # They have a method `split` too.
        raise TypeError(
            f"validation_split must be a fraction or a splitter object, got "
            f"{validation_split!r}. Pass an object, such as KFold(5)."
        )
    more = "more rows" if given.groups is None else "rows of more groups"
    remedy = (
        f"Pass {more}, set validation_split to another fraction or splitter, or pass "
        f"{target.VALIDATION_ROWS} to fit."
    )
    groups = None
    if given.groups is not None:
        groups = take_rows(check_groups(given.groups, len(whole.X)), whole.index)
    windows = None
    if isinstance(given.X, WindowArray):
        windows = take_rows(given.X, whole.index)
    try:
        strata = target.strata(whole.codes)
        if windows is not None and _is_fraction(validation_split) and overlap(windows):
            rest, held_out = _split_windows(
                windows, strata, groups, validation_split, seed
            )
        else:
            rest, held_out = _split(
                whole, strata, given, groups, validation_split, seed
            )
        target.check_parts(whole.codes, rest, held_out)
    except ValueError as error:
        if groups is None and "'groups' parameter" in str(error):
            remedy = "Pass groups to fit: the group of each row."
        raise ValueError(
            f"validation_split={validation_split!r} can't split {len(whole)} rows: "
            f"{str(error).rstrip('.')}. {remedy}"
        ) from error
    if windows is not None:
        n_unfair = SeenWindows(windows[rest]).count_unfair(windows[held_out])
        if n_unfair:
            raise ValueError(
                f"validation_split={validation_split!r} must hold out windows that do "
                f"not overlap training windows, got {n_unfair} of {len(held_out)} "
                f"held-out windows with targets in rows of training windows. Use "
                f"PurgedSplit({validation_split!r})."
            )
    if groups is not None:
        both = np.intersect1d(groups[rest], groups[held_out])
        if len(both):
            raise ValueError(
                f"validation_split={validation_split!r} must keep every group on one "
                f"side, got {len(both)} groups on both. Use a splitter that takes "
                f"groups, such as GroupShuffleSplit."
            )
    rest, held_out = whole.take(rest), whole.take(held_out)
    if is_in_blocks(len(whole), 4 * math.prod(whole.X.shape[1:])):
        # A fraction is drawn in a random order. Of a large X, rows that are neighbours
        # are read together.
        return rest.in_order(), held_out.in_order()
    return rest, held_out


def _is_fraction(validation_split):
    return not hasattr(validation_split, "split")


def _split(whole, strata, given, groups, validation_split, seed):
    """Split the rows with weight: positions to train on, positions held out."""
    if not _is_fraction(validation_split):
        # The splitter gets X and y as passed by the caller, copied only if rows are
        # left out. The last split is used: that of a TimeSeriesSplit has most rows.
        X = take_rows(given.X, whole.index)
        y = None if given.y is None else take_rows(given.y, whole.index)
        *_, (rest, held_out) = validation_split.split(X, y, groups)
        return rest, held_out
    if groups is not None:
        return _split_groups(strata, groups, validation_split, seed)
    return train_test_split(
        np.arange(len(whole)), test_size=validation_split, stratify=strata,
        random_state=seed,
    )  # fmt: skip


def _split_groups(strata, groups, fraction, seed):
    """Hold out whole groups with about a fraction of the rows of each class."""
    swapped = fraction > 0.5
    n_splits = round(1 / (1 - fraction if swapped else fraction))
    n_groups = len(np.unique(groups))
    if n_groups < 2:
        raise ValueError(f"groups must hold at least 2 groups, got {n_groups}.")
    n_splits = min(n_splits, n_groups)
    splitter = StratifiedGroupKFold(n_splits, shuffle=True, random_state=seed)
    splits = splitter.split(strata, strata, groups)
    # In scikit-learn 1.6 the first split does not depend on the seed.
    large, small = next(islice(splits, seed % n_splits, None))
    return (small, large) if swapped else (large, small)


def _split_windows(windows, strata, groups, fraction, seed):
    """Hold out windows that share no row with the windows to train on.

    Whole groups, if there are enough of them, and otherwise the last windows of each
    group. Windows to train on that share rows with them are left out.
    """
    of = windows.group_of()
    if groups is not None or len(np.unique(of)) * min(fraction, 1 - fraction) >= 1:
        by = of if groups is None else groups
        rest, held_out = _split_groups(strata, by, fraction, seed)
    else:
        order = np.lexsort((windows.ends, of))
        sizes = np.bincount(of, minlength=1)
        place = np.arange(len(of)) - np.repeat(sizes.cumsum() - sizes, sizes)
        is_last = place >= sizes[of[order]] - np.round(fraction * sizes[of[order]])
        held_out, rest = np.sort(order[is_last]), np.sort(order[~is_last])
    rest = purged(windows, rest, held_out)
    for what, part in (("train on", rest), ("validate with", held_out)):
        if not len(part):
            raise ValueError(
                f"no windows to {what} remain where windows that share rows are kept "
                f"apart"
            )
    return rest, held_out
