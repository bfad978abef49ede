"""Chunks of rows in the order of an epoch; rows in a file are read in larger parts."""

import math
from dataclasses import replace

import numpy as np

from skseq._lazy_array import IN_MEMORY_BYTES, positions_of
from skseq._padded import stored_rows


def in_memory(rows):
    """Read rows from their file if they fit into memory; others as they are.

    Parameters
    ----------
    rows : skseq._engine.recipe.Rows
    """
    n_bytes = 4 * len(rows) * math.prod(rows.X.shape[1:])
    if stored_rows(rows.X) is None or n_bytes > IN_MEMORY_BYTES:
        return rows
    X = rows.X[:] if rows.index is None else rows.X[rows.index]
    return replace(rows, X=X, index=None)


def in_batches(X, index, size):
    """Read rows from a file, in the order in which they are stored.

    Yields
    ------
    positions : ndarray of int
        In the index, or in X.
    part : ndarray
        The rows at these positions: whole batches of ``size``, except at the end. The
        last bit of an output may depend on the place of a row in its batch.
    """
    n_rows = len(X) if index is None else len(index)
    rest, n_read = (np.arange(0), X[:0]), 0
    for rows in stored_rows(X).passes(index):
        part = X[rows] if index is None else X[index[rows]]
        new = positions_of(rows, n_rows), part
        positions, part = (np.concatenate(pair) for pair in zip(rest, new, strict=True))
        n_read += len(new[0])
        n_whole = len(part) if n_read == n_rows else len(part) // size * size
        rest = positions[n_whole:], part[n_whole:]
        yield positions[:n_whole], part[:n_whole]


class Reader:
    """Takes chunks of rows.

    Parameters
    ----------
    rows : skseq._engine.recipe.Rows
    """

    def __init__(self, rows):
        self._rows = rows
        self._stored = stored_rows(rows.X)
        # How rows are stored, see `skseq._lazy_array.LazyRows.stored`.
        self.blocks = None if self._stored is None else self._stored.stored(rows.index)
        self._order = self._stops = self._first = self._part = None

    def begin(self, order, stops):
        """Begin an epoch, with its order and the ends of parts of it."""
        self._order, self._stops = order, stops
        self._first = self._part = None

    def take(self, start, stop):
        """Take the rows from ``start`` to ``stop`` of the order, as `Rows.take`."""
        rows, order = self._rows, self._order
        if self._stored is None:
            return rows.take(order[start:stop])
        taken, stop = [], min(stop, len(order))
        while start < stop:
            i = int(np.searchsorted(self._stops, start, side="right"))
            first, end = self._stops[i - 1] if i else 0, self._stops[i]
            if self._first != first:
                self._part = None  # before the next part takes its memory
                self._part, self._first = self._read(order[first:end]), first
            end = min(stop, end)
            taken.append(self._part.take(np.arange(start - first, end - first)))
            start = end
        if len(taken) == 1:
            return taken[0]
        return [np.concatenate(each) for each in zip(*taken, strict=True)]

    def _read(self, positions):
        """Read some rows into memory, in this order."""
        rows = self._rows
        index = positions if rows.index is None else rows.index[positions]
        return replace(
            rows, X=rows.X[index], index=None,
            target=None if rows.target is None else rows.target[positions],
            weights=rows.weights[positions],
        )  # fmt: skip
