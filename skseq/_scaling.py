"""The scaling of rows before the network of an autoencoder, and back after it."""

import math
from copy import copy

import numpy as np
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from skseq._padded import PADDING, check_padding, is_padding

# The number of values in a block of rows from which a scale is learned.
_BLOCK_VALUES = 2**23

SCALERS = {"standard": StandardScaler, "minmax": MinMaxScaler}


class Scaling:
    """The scaling of rows before the network, and back after it.

    A call with rows of shape (n_samples, n_timesteps, n_features) gives the float32
    input of the network, with `PADDING` at timesteps that are padding.
    """

    def __init__(self, scale, mask_value, loss):
        self._scale = scale
        self._mask_value = mask_value
        self._in_unit_range = loss == "binary_crossentropy"
        self._shift = self._factor = None

    def fit(self, X, index, weights, shape):
        """Learn shift and factor of each column, as arrays of a shape."""
        if self._scale is None:
            return
        scaler, n_columns = SCALERS[self._scale](), math.prod(shape)
        size = max(_BLOCK_VALUES // math.prod(X.shape[1:]), 1)
        for start in range(0, len(weights), size):
            rows = slice(start, start + size)
            block = X[rows] if index is None else X[index[rows]]
            if self._mask_value is not None:
                # Scalers ignore NaN.
                padding = is_padding(block, self._mask_value)
                block = np.where(padding[..., None], np.nan, block)
            block = block.reshape(-1, n_columns)
            options = {}
            if self._scale == "standard" and (weights != 1).any():
                repeats = len(block) // len(weights[rows])
                options["sample_weight"] = np.repeat(weights[rows], repeats)
            # A column without values gives NaN, and one whose squares overflow an
            # infinite factor, see below.
            with np.errstate(over="ignore", invalid="ignore"):
                scaler.partial_fit(block, **options)
        if self._scale == "standard":
            shift, factor = scaler.mean_, scaler.scale_
        else:
            shift, factor = scaler.data_min_, 1 / scaler.scale_
        if np.isnan(shift).any():
            raise ValueError(
                f"Each column of X must have a value in some row, got "
                f"{int(np.isnan(shift).sum())} columns that are padding in all rows. "
                f"Drop them."
            )
        if not np.isfinite(factor).all():
            raise ValueError(
                f"X must have a finite variance with scale={self._scale!r}, got values "
                f"that are too large. Scale X to ordinary numbers before."
            )
        self._shift, self._factor = shift.reshape(shape), factor.reshape(shape)

    def __call__(self, X):
        scaled = X if self._shift is None else (X - self._shift) / self._factor
        with np.errstate(over="ignore"):  # checked below
            scaled = scaled.astype(np.float32)
        if self._mask_value is not None:
            padding = check_padding(X, self._mask_value)
            scaled[padding] = 0
        if not np.isfinite(scaled).all():
            raise ValueError(
                f"Values must fit into float32 after scaling with scale="
                f"{self._scale!r}, got some that are too large. Scale X to ordinary "
                f"numbers before."
            )
        if self._in_unit_range:
            if self._scale == "minmax":
                scaled = scaled.clip(0, 1)
            elif scaled.min() < 0 or scaled.max() > 1:
                raise ValueError(
                    f"Values must be in [0, 1] with loss='binary_crossentropy', got "
                    f"{scaled.min()} to {scaled.max()}. Set scale='minmax', or another "
                    f"loss."
                )
        if self._mask_value is not None:
            scaled[padding] = PADDING
        return scaled

    def of_padded_rows(self):
        """Copy the scaling, for rows whose padding is `PADDING` already."""
        scaling = copy(self)
        scaling._mask_value = PADDING
        return scaling

    def inverse(self, rows):
        """Convert the network's outputs to the units of X."""
        if self._shift is None:
            return rows
        dtype = rows.dtype
        return rows * self._factor.astype(dtype) + self._shift.astype(dtype)
