"""Arrays in files, of which rows are read when they are needed."""

from __future__ import annotations

import importlib.util
import math
import operator
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy.sparse

from skseq._lists import is_frame
from skseq._window_array import WindowArray

# An array that takes at most this many bytes is read into memory as a whole.
IN_MEMORY_BYTES = 2**28

# Rows that are read together: small chunks are read in blocks of at least the first
# number of bytes, a call reads about the second, and a pass over all rows has blocks of
# about the third.
_BLOCK_BYTES = 2**18
_READ_BYTES = 2**24
_PASS_BYTES = 2**25


@dataclass(frozen=True, eq=False, repr=False)
class LazyArray:
    """Array in a file, whose rows are read only when they are needed.

    Wrap an HDF5 dataset or a Zarr array in this class to split it by
    `train_test_split`, `cross_val_score` or `GridSearchCV` without reading it into
    memory. (The ``fit`` and ``predict`` of the networks also accept such objects
    directly.) Indexing rows with a slice or an array reads nothing, and gives another
    `LazyArray`. Indexing with an integer, or with indices of further axes, gives an
    array, and ``numpy.asarray(X)`` reads all rows.

    Parameters
    ----------
    data : array-like of shape (n_rows, n_columns) or (n_rows, n_timesteps, n_features)
        An object with the attributes `shape`, `dtype` and `ndim` that supports
        ``data[start:stop]``, such as an h5py dataset, a Zarr array or a `numpy.memmap`.
        If it has an attribute `chunks`, rows are read in whole chunks. The file must
        remain open and must not change.
    index : ndarray of int of shape (n_samples,), default=None
        Positions of the rows of ``data`` to use, in any order, possibly with
        repetitions. None: all rows.
    names : list of str, default=None
        Names of the columns.

    Raises
    ------
    TypeError
        If ``data`` is not such an object, or does not contain numbers.
    ValueError
        If ``data`` has fewer than two dimensions, or its file is closed.

    See Also
    --------
    open_parquet : Opens columns of Parquet files as a LazyArray.

    Notes
    -----
    A `LazyArray` over an h5py dataset can be pickled and used in several processes of
    joblib, which open the file again by its name. The file must be open in read-only
    mode.

    Examples
    --------
    >>> import numpy as np
    >>> from skseq import LazyArray
    >>> X = LazyArray(np.arange(12.0).reshape(4, 3))
    >>> X[[3, 0]]
    LazyArray of shape (2, 3), dtype float64, over data of shape (4, 3)
    >>> np.asarray(X[[3, 0]])
    array([[ 9., 10., 11.],
           [ 0.,  1.,  2.]])
    """

    data: Any
    index: np.ndarray | None = None
    names: list | None = None

    def __post_init__(self):
        if not all(hasattr(self.data, name) for name in ("shape", "dtype", "ndim")):
            raise TypeError(
                f"data must be an object with shape, dtype and ndim, such as a dataset "
                f"of h5py, got {type(self.data).__name__}."
            )
        if len(self.data.shape) < 2:
            raise ValueError(
                f"data must have the shape (n_rows, n_columns) or (n_rows, "
                f"n_timesteps, n_features), got {tuple(self.data.shape)}."
            )
        if np.dtype(self.data.dtype).kind not in "biuf":
            raise TypeError(
                f"data must hold numbers, got dtype {self.data.dtype}. Store columns "
                f"of other types as numbers."
            )
        # As they are now: a file may grow or be closed.
        object.__setattr__(self, "_data_shape", tuple(map(int, self.data.shape)))
        object.__setattr__(self, "_dtype", np.dtype(self.data.dtype))
        object.__setattr__(self, "_chunks", getattr(self.data, "chunks", None))

    @property
    def ndim(self) -> int:
        """int: number of dimensions."""
        return len(self._data_shape)

    @property
    def shape(self) -> tuple[int, ...]:
        """tuple of int: the number of rows, and the shape of each."""
        return len(self), *self._data_shape[1:]

    @property
    def dtype(self) -> np.dtype:
        """dtype: the dtype of ``data``."""
        return self._dtype

    def __len__(self):
        return self._data_shape[0] if self.index is None else len(self.index)

    def __repr__(self):
        return (
            f"LazyArray of shape {self.shape}, dtype {self.dtype}, over data of shape "
            f"{self._data_shape}"
        )

    def __getitem__(self, key):
        key, *rest = key if isinstance(key, tuple) else (key,)
        if key is Ellipsis:
            key, rest = slice(None), [Ellipsis, *rest]
        if np.ndim(key) == 0 and not isinstance(key, slice):
            key = operator.index(key)
            if not -len(self) <= key < len(self):
                raise IndexError(f"There are {len(self)} rows, got index {key}.")
            row = self.read(np.array([key]) % len(self))[0]
            return row[tuple(rest)] if rest else row
        if isinstance(key, slice):
            key = np.arange(*key.indices(len(self)))
        key = np.asarray(key)
        if key.ndim > 1:
            raise IndexError(f"Rows must be a 1-D index, got shape {key.shape}.")
        if not key.size:
            key = key.astype(int)  # an empty list
        places = np.arange(len(self)) if self.index is None else self.index
        taken = replace(self, index=places[key])
        if not all(
            one is Ellipsis or (isinstance(one, slice) and one == slice(None))
            for one in rest
        ):
            return taken.read()[(slice(None), *rest)]
        return taken

    def __array__(self, dtype=None, copy=None):
        if copy is False:
            raise ValueError("An array in a file is read into a copy, got copy=False.")
        return self.read(dtype=dtype)

    def __reduce__(self):
        return _unpickled, (_storable(self.data), self.index, self.names)

    # ------------------------------------------------------------------- how to read

    @property
    def row_bytes(self) -> int:
        """int: the bytes of a row as float32."""
        return 4 * math.prod(self._data_shape[1:])

    @property
    def fits_in_memory(self) -> bool:
        """bool: whether the array is small enough to be read as a whole."""
        return len(self) * self.row_bytes <= IN_MEMORY_BYTES

    def loaded(self, dtype):
        """Read all rows; into a dataframe if there are names, and pandas.

        Parameters
        ----------
        dtype : dtype, list of dtype, "numeric" or None
            See `skseq._sequences.check_sequences`.
        """
        if isinstance(dtype, (list, tuple)):
            dtype = self.dtype if self.dtype in dtype else dtype[0]
        values = self.read(dtype=None if isinstance(dtype, str) else dtype)
        if self.names is None or importlib.util.find_spec("pandas") is None:
            return values
        import pandas as pd

        return pd.DataFrame(values, columns=self.names, copy=False)

    def _chunk_starts(self):
        """Find the first row of each chunk, or None where data has no chunks."""
        if not self._chunks:
            return None
        if isinstance(self._chunks[0], tuple):  # of unequal sizes
            return np.cumsum([0, *self._chunks[0][:-1]])
        return np.arange(0, self._data_shape[0], self._chunks[0])

    def block_starts(self):
        """Find the first rows of blocks of ``data`` that are best read together.

        Returns
        -------
        starts : ndarray of int of shape (n_blocks,)
        is_coarse : bool
            Whether the chunks of ``data`` are larger than blocks need to be.
        """
        n_rows, size = self._data_shape[0], max(_BLOCK_BYTES // self.row_bytes, 1)
        starts = self._chunk_starts()
        if starts is None:
            return np.arange(0, n_rows, size), False
        sizes = np.diff(starts, append=n_rows)
        if sizes.max(initial=0) <= size:
            # The first chunk of each block.
            return starts[np.unique(starts // size, return_index=True)[1]], False
        most = max(IN_MEMORY_BYTES // self.row_bytes, 1)
        if sizes.max() > most:
            parts = [
                np.arange(i, i + n, most) for i, n in zip(starts, sizes, strict=True)
            ]
            starts = np.concatenate(parts)
        return starts, True

    def in_file(self):
        """Find how rows are stored.

        Returns
        -------
        order : ndarray of int of shape (n_rows,) or None
            The rows in the order of the file; None: it is their own.
        starts : ndarray of int of shape (n_blocks,)
            The first place of each block in this order, see `block_starts`.
        is_coarse : bool
        """
        starts, is_coarse = self.block_starts()
        if self.index is None:
            return None, starts, is_coarse
        order, places = None, self.index
        if (np.diff(places) < 0).any():
            order = np.argsort(places, kind="stable")
            places = places[order]
        starts = np.unique(np.searchsorted(places, starts))
        return order, starts[starts < len(places)], is_coarse

    def passes(self):
        """Yield positions of all rows in the order of the file, for one pass.

        Yields
        ------
        rows : slice or ndarray of int
        """
        if not len(self):
            return
        order, starts, _ = self.in_file()
        size = max(_PASS_BYTES // self.row_bytes, 1)
        bounds = [0]
        for stop in starts.tolist():
            if stop - bounds[-1] >= size:
                bounds.append(stop)
        if bounds[-1] < len(self):
            bounds.append(len(self))
        for start, stop in zip(bounds[:-1], bounds[1:], strict=True):
            yield slice(start, stop) if order is None else order[start:stop]

    def read(self, rows=None, dtype=None):
        """Read rows into an array.

        Parameters
        ----------
        rows : slice, ndarray of int of shape (n,) or None
            Positions, not negative, in any order. None: all rows.
        dtype : dtype or None
            None: ``dtype``.

        Returns
        -------
        values : ndarray of shape (n, ...)
        """
        rows = positions_of(slice(None) if rows is None else rows, len(self))
        places = rows if self.index is None else self.index[rows]
        values = np.empty((len(places), *self._data_shape[1:]), dtype or self.dtype)
        if not len(places):
            return values
        order = None
        if (np.diff(places) < 0).any():
            order = np.argsort(places, kind="stable")
            places = places[order]
        starts, _ = self.block_starts()
        blocks = np.searchsorted(starts, places, side="right") - 1
        # Rows of neighbouring blocks are read by one call, up to a number of rows.
        firsts = np.flatnonzero(np.diff(blocks, prepend=-1)).tolist()
        size, cuts = max(_READ_BYTES // self.row_bytes, 1), [0]
        for first, end in zip(firsts[1:], (*firsts, len(places))[2:], strict=True):
            is_apart = blocks[first] > blocks[first - 1] + 1
            if is_apart or places[end - 1] - places[cuts[-1]] >= size:
                cuts.append(first)
        for first, end in zip(cuts, (*cuts[1:], len(places)), strict=True):
            start, stop = int(places[first]), int(places[end - 1]) + 1
            block = self._read_slice(start, stop)
            asked = places[first:end] - start
            if len(asked) != len(block) or (np.diff(asked) != 1).any():
                block = block[asked]
            with np.errstate(over="ignore"):  # checked by the caller
                values[slice(first, end) if order is None else order[first:end]] = block
        return values

    def _read_slice(self, start, stop):
        """Read neighbouring rows of ``data``."""
        try:
            block = np.asarray(self.data[start:stop])
        except (OSError, RuntimeError, ValueError) as error:
            kind = OSError if isinstance(error, OSError) else ValueError
            raise kind(
                f"Rows {start} to {stop - 1} of the array can't be read: {error}. Its "
                f"file must be open, and unchanged, as long as the array is used."
            ) from error
        if len(block) != stop - start:
            raise ValueError(
                f"The array must have {self._data_shape[0]} rows as before, got "
                f"{start + len(block)} rows now. Don't change its file while it is "
                f"read."
            )
        return block


def _storable(data):
    """Get something that can be pickled in place of a dataset."""
    if type(data).__module__.split(".")[0] != "h5py":
        return data
    if data.file.mode != "r":
        raise ValueError(
            f"A LazyArray over an HDF5 dataset can be pickled only if its file is open "
            f"for reading alone, got mode {data.file.mode!r}. Open it with "
            f"h5py.File(path, 'r'), or run jobs in threads, by "
            f"joblib.parallel_config('threading')."
        )
    return _InFile(os.path.abspath(data.file.filename), data.name)


@dataclass(frozen=True)
class _InFile:
    """The place of an HDF5 dataset."""

    path: str
    name: str


def _unpickled(data, index, names):
    if isinstance(data, _InFile):
        import h5py  # the dataset was made by it

        data = h5py.File(data.path, "r")[data.name]
    return LazyArray(data, index, names)


def as_lazy(X, name="X"):
    """Get a `LazyArray` over an array in a file; anything else as it is.

    Parameters
    ----------
    X : object
    name : str
        The name of X in messages.
    """
    if isinstance(X, (np.ndarray, np.generic, list, tuple, LazyArray, WindowArray)):
        return X
    if scipy.sparse.issparse(X) or is_frame(X) or hasattr(X, "iloc"):
        return X
    try:
        # Tensors, which are in memory, have dtypes of their own.
        is_array = isinstance(X.dtype, np.dtype) and len(X.shape) > 1
    except (AttributeError, TypeError):
        return X
    except (OSError, RuntimeError, ValueError) as error:
        raise ValueError(
            f"{name} can't be read: {error}. Is its file closed? Keep it open."
        ) from error
    if not is_array or not hasattr(X, "__getitem__"):
        return X
    try:
        return LazyArray(X)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{name} can't be read: {error}") from error


def positions_of(rows, n_rows):
    """Get the positions of a slice; those of an index are the index itself."""
    return np.arange(*rows.indices(n_rows)) if isinstance(rows, slice) else rows


@dataclass(frozen=True)
class LazyRows:
    """Rows of a `LazyArray` in the form in which networks read them, for the engine.

    Attributes
    ----------
    array : LazyArray
    dtype : dtype
        That of the rows.
    row_shape : tuple of int
        That of each row, (n_timesteps, n_features).
    check : callable or None
        ``check(values, numbers)`` raises at a value that can't be used, with the number
        of its row. None: rows were checked before.
    """

    array: LazyArray
    dtype: np.dtype
    row_shape: tuple
    check: Callable | None = None

    @property
    def shape(self):
        """tuple of int: the number of rows, and the shape of each."""
        return len(self.array), *self.row_shape

    def __len__(self):
        return len(self.array)

    def __getitem__(self, rows):
        values = self.array.read(rows, self.dtype).reshape(-1, *self.row_shape)
        if self.check is not None:
            self.check(values, positions_of(rows, len(self)))
        return values

    def passes(self, index=None):
        """Yield positions in an index (None: all rows); see `LazyArray.passes`."""
        array = self.array if index is None else self.array[index]
        return array.passes()

    def stored(self, index):
        """Find the blocks in which rows are stored.

        Parameters
        ----------
        index : ndarray of int of shape (n_rows,) or None
            Rows; None: all.

        Returns
        -------
        blocks : tuple or None
            Positions in the index, in the order of the file (None: as they are), and
            the first place of each block in this order. None: neighbours are stored
            side by side, in small blocks or none.
        """
        array = self.array if index is None else self.array[index]
        order, starts, is_coarse = array.in_file()
        return None if order is None and not is_coarse else (order, starts)
