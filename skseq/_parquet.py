"""Columns of Parquet files as an array."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from skseq._lazy_array import LazyArray

# Rows are decoded in batches of about this many bytes, so that a large row group does
# not have to fit into memory.
_BATCH_BYTES = 2**24


def open_parquet(
    source: str | os.PathLike | Sequence[str | os.PathLike],
    columns: Sequence[str] | None = None,
) -> LazyArray:
    """Open columns of Parquet files as an array, and read its rows when needed.

    This function needs pyarrow. Parquet files consist of row groups, which are read as
    a whole. When a network is trained on the array, it reads the row groups in random
    order, each once per epoch, and shuffles the rows of several row groups together, up
    to 256 MB. A good size of row groups is 8 to 64 MB: rows of larger ones are shuffled
    less thoroughly, and a row group of more than 256 MB is decoded several times per
    epoch.

    Parameters
    ----------
    source : str, path, or sequence of those
        A file, several files, or a folder, whose files with names that end in
        ``.parquet`` are read in the order of their names.
    columns : sequence of str, default=None
        Names of numeric columns, in the order that the array shall have. None: all
        columns.

    Returns
    -------
    X : LazyArray of shape (n_rows, n_columns)
        The array, with the common dtype of the columns. Missing values are NaN.

    Raises
    ------
    ImportError
        If pyarrow is not installed.
    FileNotFoundError
        If a file is missing, or a folder has no Parquet file.
    TypeError
        If ``columns`` is a string.
    ValueError
        If a column is missing or does not contain numbers, or if the columns have
        different types in different files.

    See Also
    --------
    LazyArray : Array for HDF5, Zarr and other files.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import pandas as pd
    >>> from skseq import open_parquet
    >>> table = pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0], "label": [0, 1]})
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = Path(folder.name) / "part-0.parquet"
    >>> table.to_parquet(path)
    >>> X = open_parquet(path, columns=["b", "a"])
    >>> X
    LazyArray of shape (2, 2), dtype float64, over data of shape (2, 2)
    >>> X[1]
    array([4., 2.])
    >>> folder.cleanup()
    """
    if isinstance(columns, str):
        raise TypeError(f"columns must be a sequence of names, got {columns!r}.")
    if columns is not None and not len(columns):
        raise ValueError("columns must name at least one column, got none.")
    data = _Columns(_paths(source), columns)
    return LazyArray(data, names=data.names)


def _parquet():
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise ImportError("open_parquet needs pyarrow: pip install pyarrow") from error
    return pyarrow.parquet


def _paths(source):
    if not isinstance(source, (str, os.PathLike)):
        paths = [Path(one) for one in source]
    elif Path(source).is_dir():
        paths = sorted(Path(source).glob("*.parquet"))
    else:
        paths = [Path(source)]
    if not paths:
        raise FileNotFoundError(
            f"source must have a file that ends in .parquet, got {source!r} without "
            f"one."
        )
    return [path.absolute() for path in paths]


class _Columns:
    """Columns of Parquet files; rows are read by slices.

    Attributes
    ----------
    shape, dtype, ndim
        As those of an array.
    chunks : tuple of two tuples of int
        The numbers of rows of all row groups, and the number of columns.
    names : list of str
    """

    ndim = 2

    def __init__(self, paths, columns):
        parquet, self.names, types = _parquet(), columns, None
        self._files, self._groups = [], []
        for path in paths:
            with parquet.ParquetFile(path) as file:
                metadata, schema = file.metadata, file.schema_arrow
            if self.names is None:
                self.names = schema.names
            self.names = list(self.names)
            found = _types_of(schema, self.names, path)
            types = types or found
            if found != types:
                name = next(n for n in types if types[n] != found[n])
                raise ValueError(
                    f"All files must have columns of the same types, got column "
                    f"{name!r} of {types[name]} in {paths[0]} and of {found[name]} in "
                    f"{path}."
                )
            self._files.append((path, metadata, _stamp(path)))
            for i in range(metadata.num_row_groups):
                group = len(self._files) - 1, i, metadata.row_group(i).num_rows
                if group[2]:
                    self._groups.append(group)
        sizes = tuple(size for *_, size in self._groups)
        self.shape = sum(sizes), len(self.names)
        self.chunks = sizes, (len(self.names),)
        self._starts = np.cumsum([0, *sizes])
        self.dtype = np.result_type(*types.values())

    def __getitem__(self, rows):
        start, stop, _ = rows.indices(self.shape[0])
        values = np.empty((max(stop - start, 0), self.shape[1]), self.dtype)
        for i in range(
            np.searchsorted(self._starts, start, side="right") - 1,
            np.searchsorted(self._starts, stop),
        ):
            first = int(self._starts[i])
            for batch in self._batches(*self._groups[i][:2], stop - first):
                a, b = max(start, first), min(stop, first + len(batch))
                if a < b:
                    _copy(batch.slice(a - first, b - a), values[a - start : b - start])
                first += len(batch)
        return values

    def _batches(self, number, group, n_rows):
        """Yield the first rows of a row group, in batches."""
        path, metadata, stamp = self._files[number]
        if _stamp(path) != stamp:
            raise OSError(f"{path} has changed since it was opened")
        size = max(_BATCH_BYTES // (self.dtype.itemsize * self.shape[1]), 1)
        with _parquet().ParquetFile(path, metadata=metadata) as file:
            for batch in file.iter_batches(
                size, row_groups=[group], columns=self.names
            ):
                yield batch.select(self.names)
                n_rows -= len(batch)
                if n_rows <= 0:
                    return


def _stamp(path):
    found = os.stat(path)
    return found.st_size, found.st_mtime_ns


def _types_of(schema, names, path):
    """Get the dtype of each column."""
    types = {}
    for name in names:
        if schema.names.count(name) != 1:
            raise ValueError(
                f"columns must be names of columns of {path}, got {name!r}, which is "
                f"there {schema.names.count(name)} times."
            )
        try:
            dtype = np.dtype(schema.field(name).type.to_pandas_dtype())
        except (NotImplementedError, TypeError):
            dtype = np.dtype(object)
        if dtype.kind not in "biuf":
            raise ValueError(
                f"columns must hold numbers, got {name!r} of type "
                f"{schema.field(name).type}. Pass the names of others as columns, or "
                f"store it as numbers."
            )
        types[name] = dtype
    return types


# So many values of a column are copied at once, because rows of the result that are in
# the processor's cache take the next column faster.
_CACHED_ROWS = 512


def _copy(batch, values):
    """Copy the columns of a batch into an array of rows."""
    columns = []
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        if column.null_count:
            if values.dtype.kind != "f":
                raise ValueError(
                    f"column {name!r} of whole numbers must have no missing values, "
                    f"got {column.null_count}"
                )
            column = column.cast("double")
        columns.append(column.to_numpy(zero_copy_only=False))
    for start in range(0, len(values), _CACHED_ROWS):
        rows = slice(start, start + _CACHED_ROWS)
        for j, column in enumerate(columns):
            values[rows, j] = column[rows]
