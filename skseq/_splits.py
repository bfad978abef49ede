"""Cross-validation of windows."""

from __future__ import annotations

from collections.abc import Iterator
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import clone
from sklearn.model_selection import BaseCrossValidator, check_cv

from skseq._window_array import WindowArray, purged

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


class PurgedSplit(BaseCrossValidator):
    """Cross-validator for windows, without overlap of training and test windows.

    Neighbouring windows of a time series have most of their rows in common. If one of
    them is a training window and the other one a test window, the score is too
    optimistic. This cross-validator takes the splits of another one, and removes all
    training windows that have a row, or a row of their target, in common with a test
    window (purging, [1]_).

    Parameters
    ----------
    cv : int, cross-validation splitter or iterable, default=5
        The cross-validator whose splits are used. An int is the number of folds of a
        `KFold` without shuffling.
    embargo : int, default=0
        Number of rows before and after a test window, in its group, that no training
        window may contain either.
    windows : WindowTransformer or None, default=None
        For a pipeline that makes windows from a table X: the `WindowTransformer` of the
        pipeline, which determines the rows of each window. None: X is a `WindowArray`.

    See Also
    --------
    sklearn.model_selection.TimeSeriesSplit : Tests on later rows. For a single series
        with a sufficient ``gap``, no purging is needed.
    sklearn.model_selection.StratifiedGroupKFold : Tests on other groups, which have no
        rows in common.

    References
    ----------
    .. [1] M. Lopez de Prado, "Advances in Financial Machine Learning", chapter 7,
       Wiley, 2018.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.model_selection import KFold
    >>> from skseq import PurgedSplit, make_windows
    >>> X, y, *_ = make_windows(np.arange(12.0), n_timesteps=3, horizon=1)
    >>> for train, test in PurgedSplit(KFold(2)).split(X, y):
    ...     print(train, test)
    [8] [0 1 2 3 4]
    [0 1] [5 6 7 8]
    """

    __module__ = "skseq"

    def __init__(self, cv: Any = 5, *, embargo: int = 0, windows: Any = None) -> None:
        self.cv = cv
        self.embargo = embargo
        self.windows = windows

    def __repr__(self):
        more = f", embargo={self.embargo!r}" if self.embargo else ""
        more += f", windows={self.windows!r}" if self.windows is not None else ""
        return f"PurgedSplit({self.cv!r}{more})"

    def _checked_cv(self):
        if not isinstance(self.embargo, Integral) or self.embargo < 0:
            raise ValueError(
                f"embargo must be an int of at least 0, got {self.embargo!r}."
            )
        return check_cv(self.cv)

    def get_n_splits(
        self, X: Any = None, y: Any = None, groups: ArrayLike | None = None
    ) -> int:
        """Get the number of splits.

        Parameters
        ----------
        X, y, groups : object
            As in :meth:`split`; needed by some cross-validators.

        Returns
        -------
        n_splits : int
            Number of splits.
        """
        return self._checked_cv().get_n_splits(X, y, groups)

    def split(
        self, X: Any, y: Any = None, groups: ArrayLike | None = None
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Generate the positions of training and test windows.

        Parameters
        ----------
        X : WindowArray of shape (n_windows, n_timesteps, n_features), or array-like \
                or dataframe of shape (n_rows, n_columns)
            The windows, or a table if `windows` is set.
        y : array-like of shape (n_windows,), default=None
            The targets, for cross-validators that need them.
        groups : array-like of shape (n_windows,), default=None
            The groups, for cross-validators that need them.

        Yields
        ------
        train, test : ndarray of int
            Positions in X.

        Raises
        ------
        ValueError
            If a parameter has an invalid value, or no training window remains in a
            split.
        TypeError
            If X is not a `WindowArray`, and `windows` is None.
        """
        cv, windows = self._checked_cv(), self._windows_of(X)
        for i, parts in enumerate(cv.split(X, y, groups)):
            train, test = map(np.asarray, parts)
            kept = purged(windows, train, test, self.embargo)
            if not len(kept):
                raise ValueError(
                    f"cv={self.cv!r} must leave training windows, got none in split "
                    f"{i}: all {len(train)} share rows with a test window"
                    f"{', or are too near to one' if self.embargo else ''}. Use "
                    f"contiguous folds, such as KFold(5) without shuffle, fewer "
                    f"timesteps, or whole groups, such as GroupKFold()."
                )
            yield kept, test

    def _windows_of(self, X):
        if isinstance(X, WindowArray):
            return X
        if self.windows is None:
            raise TypeError(
                f"X must be the windows of make_windows, got {type(X).__name__}: the "
                f"rows of other arrays are not known. For a table that becomes windows "
                f"in a pipeline, pass windows=WindowTransformer(...)."
            )
        if not hasattr(self.windows, "fit_transform") or isinstance(self.windows, type):
            raise TypeError(
                f"windows must be a WindowTransformer or None, got {self.windows!r}."
            )
        return clone(self.windows).fit_transform(X)

    def get_metadata_routing(self) -> Any:
        """Get the metadata routing of `cv`.

        Returns
        -------
        routing : MetadataRequest
            Whether groups are requested.
        """
        cv = self._checked_cv()
        if hasattr(cv, "get_metadata_routing"):
            return cv.get_metadata_routing()
        return super().get_metadata_routing()
