"""Resampling in the space of an autoencoder's codes."""

from __future__ import annotations

from copy import copy
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.metrics import pairwise_distances_argmin

from skseq._autoencoder import AutoencoderTransformer, default_autoencoder
from skseq._lists import as_given, check_amounts, is_frame, take_rows
from skseq._padded import PaddedRows, check_padding
from skseq._parameters import parameter
from skseq._pretraining import unfrozen
from skseq._resampling import (
    SamplerWithSampler,
    labels_of,
)
from skseq._sequences import check_same_columns, check_sequences
from skseq._validation import HasMethods


def _labels(y):
    """Get the label of each row, also if y has a column for each class."""
    return np.asarray(labels_of(y)[0])


def _nearest(codes, labels, new_codes, new_labels):
    """Find, for each new code, the row of its class with the nearest code."""
    nearest = np.empty(len(new_codes), int)
    for label in np.unique(new_labels):
        rows, new = np.flatnonzero(labels == label), new_labels == label
        nearest[new] = rows[pairwise_distances_argmin(new_codes[new], codes[rows])]
    return nearest


class LatentSampler(SamplerWithSampler):
    """Sampler in the latent space of an autoencoder.

    An autoencoder encodes the training rows to codes (latent vectors), a sampler
    resamples the codes, and new codes are decoded to new rows [1]_. Interpolation
    between two sequences gives a mixture of both. Interpolation between two codes gives
    a sequence that resembles the training rows, as far as the autoencoder has learned
    them. Rows of X that are kept are not changed.

    If the autoencoder has a ``mask_value``, or X is a list of sequences, a new row has
    the same padding or length as the row of its class whose code is nearest.

    Attributes
    ----------
    sampler_ : sampler
        The fitted sampler, for the codes.
    autoencoder_ : AutoencoderTransformer
        The fitted autoencoder.
    n_features_in_ : int
        Number of columns of a 2-D X, or number of features of a 3-D X.
    n_timesteps_in_ : int
        Number of timesteps of X, or of its longest sequence for a list.
    feature_names_in_ : ndarray of shape (n_columns,)
        Names of the columns of a dataframe X. Defined only if all names are strings.

    See Also
    --------
    SequenceResampler : Resamples the values of sequences.
    AutoencoderTransformer : The autoencoder.

    References
    ----------
    .. [1] D. Dablain, B. Krawczyk and N. V. Chawla, "DeepSMOTE: fusing deep learning
       and SMOTE for imbalanced data", IEEE Transactions on Neural Networks and Learning
       Systems 34(9), 2023. There the decoder is also trained on rows permuted within
       their class; here the autoencoder is trained in the usual way.

    Examples
    --------
    >>> import numpy as np
    >>> from skseq import LatentSampler
    >>> steps, rng = np.linspace(0, 6, 20), np.random.default_rng(0)
    >>> X = np.sin(rng.uniform(0, 6, size=(100, 1)) + steps)[:, :, None]
    >>> y = np.repeat([0, 1], [80, 20])
    >>> X_new, y_new = LatentSampler(random_state=0).fit_resample(X, y)
    >>> X_new.shape, np.bincount(y_new).tolist()
    ((160, 20, 1), [80, 80])
    >>> bool((X_new[:100] == X).all())
    True
    """

    __module__ = "skseq"

    autoencoder: Any = parameter(
        default=None,
        constraint=[HasMethods(["transform", "inverse_transform"]), None],
        text="""AutoencoderTransformer, FrozenEstimator or None
        The autoencoder. An unfitted one is fitted on the rows that are resampled. To
        use a fitted one, wrap it in `sklearn.frozen.FrozenEstimator`. None: an
        autoencoder with ``early_stopping`` and a code of 8 numbers, or of half the
        number of values in a row if that is less.""",
    )

    def _fit_resample(self, X, y, **params):
        labels = _labels(y)  # before the autoencoder is fitted, to raise early
        given = X
        inner, _ = unfrozen(self.autoencoder)
        X = check_sequences(
            self, X, reset=True, dtype="numeric",
            n_timesteps=getattr(inner, "n_timesteps", None),
            mask_value=getattr(inner, "mask_value", None), lists=True,
        )  # fmt: skip
        sequences = X
        if isinstance(X, PaddedRows):
            X = [row[:n] for row, n in zip(X.X, X.lengths, strict=True)]
        elif self._n_dimensions_in == 2:
            X = X.reshape(len(X), -1)
        shape = sequences.shape[1:]
        self.autoencoder_ = autoencoder = self._fitted_autoencoder(X, shape)
        check_same_columns(autoencoder, self, "autoencoder")
        # A frozen autoencoder may have been fitted on a dataframe.
        by_name = is_frame(given) and hasattr(autoencoder, "feature_names_in_")
        # `transform` may return a dataframe.
        codes = np.asarray(autoencoder.transform(given if by_name else X))
        new_codes, y, *rest = self._resampled(self._made_sampler(), codes, y, params)
        # A code equal to that of a row of X stands for this row.
        places = {code.tobytes(): i for i, code in enumerate(codes)}
        rows = np.array([places.get(code.tobytes(), -1) for code in new_codes])
        # Several rows may have one code. If the sampler has the indices, use them.
        for known in (getattr(self, "sample_indices_", None), np.arange(len(codes))):
            n_known = 0 if known is None else len(known)
            if n_known and np.array_equal(new_codes[:n_known], codes[known]):
                rows[:n_known] = known
                break
        new = take_rows(X, rows)
        made = rows < 0
        if made.any():
            check_amounts(given, "An autoencoder does not reconstruct them.")
            decoded = autoencoder.inverse_transform(new_codes[made])
            nearest = _nearest(codes, labels, new_codes[made], _labels(y)[made])
            if isinstance(X, list):
                for i, row, near in zip(
                    np.flatnonzero(made), decoded, nearest, strict=True
                ):
                    new[i] = row[: len(X[near])].astype(X[near].dtype)
                return as_given(new, given), y, *rest
            padding = check_padding(sequences, autoencoder.mask_value)
            if padding.any():
                steps = decoded.reshape(-1, *sequences.shape[1:])
                steps[padding[nearest]] = autoencoder.mask_value
            new[made] = decoded.astype(X.dtype, copy=False)
        return as_given(new, given), y, *rest

    def _fitted_autoencoder(self, X, shape):
        given = self.autoencoder
        autoencoder, frozen = unfrozen(given)
        if autoencoder is None:
            autoencoder = default_autoencoder(shape)
        if not isinstance(autoencoder, AutoencoderTransformer):
            raise TypeError(
                f"autoencoder must be an AutoencoderTransformer, a fitted one in "
                f"sklearn.frozen.FrozenEstimator, or None, got {given!r}."
            )
        if frozen:
            return copy(autoencoder)  # the caller may fit it again
        autoencoder = clone(autoencoder)
        if autoencoder.random_state is None:
            autoencoder.set_params(random_state=self.random_state)
        return autoencoder.fit(X)
