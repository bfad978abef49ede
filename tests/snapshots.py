"""Snapshots of objects, to see whether a call has changed something."""

import hashlib

import keras
import numpy as np
import pandas as pd
import polars as pl
import scipy.sparse


def snapshot(value):
    """Convert the content of a value to nested tuples, and arrays to hashes."""
    kind = type(value).__qualname__
    if isinstance(value, np.ma.MaskedArray):
        return kind, snapshot(value.data), snapshot(np.ma.getmaskarray(value))
    if isinstance(value, np.ndarray):
        content = value.tobytes() if value.dtype != object else repr(value.tolist())
        digest = hashlib.sha256(
            content if isinstance(content, bytes) else content.encode()
        ).hexdigest()
        return kind, str(value.dtype), value.shape, value.strides, digest
    if isinstance(value, pd.DataFrame):
        return kind, tuple(value.columns), snapshot(value.to_numpy())
    if isinstance(value, pd.Series):
        return kind, snapshot(value.index.to_numpy()), snapshot(value.to_numpy())
    if isinstance(value, pl.DataFrame):
        return kind, tuple(value.columns), repr(value.rows())
    if isinstance(value, pl.Series):
        return kind, repr(value.to_list())
    if scipy.sparse.issparse(value):
        return kind, value.shape, snapshot(value.toarray())
    if isinstance(value, np.random.RandomState):
        return kind, snapshot(value.get_state())
    if isinstance(value, dict):
        return kind, tuple((key, snapshot(item)) for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return kind, tuple(snapshot(item) for item in value)
    if isinstance(value, keras.optimizers.Optimizer):
        return (
            kind,
            repr(value.get_config()),
            snapshot([v.numpy() for v in value.variables]),
        )
    if not callable(value) and hasattr(value, "__dict__"):
        return kind, snapshot(vars(value))
    return kind, repr(value)
