"""All rules about token ids: whole numbers, of which 0 is padding and 1 is unknown."""

import numpy as np

from skseq._lists import check_list, holds_texts, is_list_of_rows
from skseq._padded import blocks_of, padded
from skseq._sequences import check_sequences

PADDING_ID = 0
UNKNOWN_ID = 1

# Networks read rows in float32, which has all whole numbers up to this one.
_LARGEST = 2**24 - 1

# The dtypes in which ids are read; others are converted to the first one.
_DTYPES = [
    np.dtype(name)
    for name in (
        "float64", "float32", "float16", "int64", "int32", "int16", "int8", "uint64",
        "uint32", "uint16", "uint8",
    )
]  # fmt: skip


def check_tokens(estimator, X, *, reset, name="X", n_timesteps=None, min_rows=1):
    """Validate rows of token ids.

    Parameters
    ----------
    estimator : estimator
        See `skseq._sequences.check_sequences`.
    X : array-like or dataframe of shape (n_samples, n_timesteps) or (n_samples, \
            n_timesteps, 1), or list of array-like of shape (n_timesteps_i,) or \
            (n_timesteps_i, 1)
    reset : bool
    name : str
    n_timesteps : int or None
    min_rows : int

    Returns
    -------
    X : ndarray of float32 of shape (n_samples, n_timesteps, 1)
        With 0 as padding, at any place.

    Raises
    ------
    ValueError
        With the position of the first value that is no id, or row without ids.
    """
    options = {"reset": reset, "name": name, "n_timesteps": n_timesteps}
    options |= {"min_rows": min_rows, "dtype": _DTYPES, "any_length": True}
    if holds_texts(X):
        raise ValueError(
            f"{name} must hold token ids, got texts. Put TextSequencer() before the "
            f"network, as in make_pipeline(TextSequencer(), network)."
        )
    if getattr(getattr(X, "dtype", None), "kind", "") == "O" and len(X.shape) == 1:
        X = list(X)
    if _is_list(estimator, X, reset):
        columns = [_as_column(row, f"{name}[{i}]") for i, row in enumerate(X)]
        rows = check_list(estimator, columns, **options)
        _check_width(rows[0].shape[1], name)
        for i, row in enumerate(rows):
            _check_values(row, lambda step, _, i=i: f"timestep {step} of {name}[{i}]")
        X = padded(rows, value=PADDING_ID, dtype=np.float32)
    else:
        X = check_sequences(estimator, X, **options)
        _check_width(X.shape[2], name)
        for rows in blocks_of(X):
            _check_values(
                X[rows], lambda i, step, n=rows.start: f"{name}[{n + i}, {step}]"
            )
        X = X.astype(np.float32, copy=False)
    is_empty = (X == PADDING_ID).all(axis=(1, 2))
    if is_empty.any():
        raise ValueError(
            f"Each row of {name} must have an id that is not padding, got only 0 in "
            f"{name}[{is_empty.argmax()}]. Give such rows the id {UNKNOWN_ID}, as "
            f"TextSequencer does with empty texts, or leave them out."
        )
    return X


def _is_list(estimator, X, reset):
    """Check whether X is a list of rows, which may differ in their lengths.

    A list of arrays is one. A list of lists of one length is a table, unless the
    estimator was fitted on a list of rows.
    """
    if is_list_of_rows(X):
        return True
    is_nested = isinstance(X, (list, tuple)) and len(X) > 0
    if not is_nested or (not reset and estimator._n_dimensions_in == 2):
        return False
    kinds = (np.ndarray,) if reset else (np.ndarray, list, tuple)
    return all(isinstance(row, kinds) and np.ndim(row) == 1 for row in X)


def _as_column(row, name):
    """Get a row of ids with one feature."""
    row = row if hasattr(row, "columns") else np.asarray(row)
    if row.shape[0] == 0:
        raise ValueError(
            f"{name} must hold at least one id, got an empty row. Give such rows the "
            f"id {UNKNOWN_ID}, or leave them out."
        )
    return row[:, None] if len(row.shape) == 1 else row


def _check_width(n_features, name):
    if n_features != 1:
        raise ValueError(
            f"{name} must hold one token id for each timestep, got {n_features} "
            f"features. Set embedding_dim=None for features that are numbers, or "
            f"n_timesteps=None for a table whose columns are timesteps."
        )


def _check_values(values, where):
    """Raise at the first value that is no id.

    Parameters
    ----------
    values : ndarray of at least 2 dimensions
    where : callable
        Describes the place of a value from its first two indices.
    """
    is_bad = (values < 0) | (values > _LARGEST)
    if values.dtype.kind == "f":
        is_bad |= values != np.floor(values)
    if not is_bad.any():
        return
    place = tuple(np.argwhere(is_bad)[0].tolist())
    raise ValueError(
        f"Token ids must be whole numbers from 0 to {_LARGEST}, got "
        f"{values[place].item()!r} in {where(*place[:2])}. Make ids of texts with "
        f"TextSequencer, or set embedding_dim=None for features that are numbers."
    )


def n_tokens_in(rows):
    """Compute the number of ids up to the largest one in rows; see `seen_in`."""
    largest = max(float(block.max(initial=0)) for block in _blocks(rows))
    return max(int(largest), UNKNOWN_ID) + 1


def seen_in(rows, n_tokens):
    """Find the ids below a number that rows have.

    Parameters
    ----------
    rows : skseq._rows.Part
        Its X are padded rows of ids.
    n_tokens : int

    Returns
    -------
    seen : ndarray of bool of shape (n_tokens,)
        True for padding and the unknown token too.
    """
    seen = np.zeros(n_tokens, bool)
    seen[[PADDING_ID, UNKNOWN_ID]] = True
    for block in _blocks(rows):
        ids = block[(block > PADDING_ID) & (block < n_tokens)]
        seen[ids.astype(np.intp)] = True
    return seen


def _blocks(rows):
    """Yield the ids of rows that may be larger than memory."""
    X = rows.X.X
    is_used = np.ones(len(X), bool)
    if rows.index is not None:
        is_used[:] = False
        is_used[rows.index] = True
    for part in blocks_of(X):
        yield X[part][is_used[part]]


def with_unknown(X, seen):
    """Replace ids that training has not seen by that of the unknown token.

    Parameters
    ----------
    X : ndarray of float32 of shape (n_samples, n_timesteps, 1)
        With 0 or a negative number as padding.
    seen : ndarray of bool of shape (n_tokens,)
        The network itself replaces larger ids.

    Returns
    -------
    X : ndarray of float32 of shape (n_samples, n_timesteps, 1)
    """
    places = np.clip(X, PADDING_ID, len(seen) - 1).astype(np.intp)
    return np.where(seen[places], X, np.float32(UNKNOWN_ID))


def ids_of(X):
    """Convert rows of ids, as a user passes them, to arrays of whole numbers.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_ids), or list of array-like of shape \
            (n_ids_i,)

    Returns
    -------
    rows : list of ndarray of int of shape (n_ids_i,)
    """
    X = X.to_numpy() if hasattr(X, "to_numpy") else X
    if not np.iterable(X) or isinstance(X, (str, bytes)):
        raise ValueError(
            f"X must hold rows of token ids, got {X!r}. Pass the result of transform."
        )
    rows = []
    for i, row in enumerate(X):
        row = np.asarray(row)
        if row.ndim != 1 or row.dtype.kind not in "iuf":
            raise ValueError(
                f"X must hold rows of token ids, of shape (n_samples, n_ids), got "
                f"{row.dtype} of shape {row.shape} in X[{i}]. Pass the result of "
                f"transform."
            )
        _check_values(row[None], lambda _, place, i=i: f"X[{i}][{place}]")
        rows.append(row.astype(np.int64))
    return rows
