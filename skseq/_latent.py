"""Over-sampling in the space of an autoencoder's codes."""

import numpy as np
from sklearn.base import clone
from sklearn.metrics import pairwise_distances_argmin

from skseq._autoencoder import AutoencoderTransformer, default_autoencoder
from skseq._pretraining import unfrozen
from skseq._resampling import (
    SamplerWithSampler,
    as_given,
    check_target_type,
    is_frame,
    padding_of,
)
from skseq._validation import HasMethods, check_sequences


def _labels(y):
    """One label for each row, also where y has a column for each class."""
    return np.asarray(check_target_type(y, indicate_one_vs_all=True)[0])


def _nearest(codes, labels, new_codes, new_labels):
    """Of each new code, the row of its class with the nearest code."""
    nearest = np.empty(len(new_codes), int)
    for label in np.unique(new_labels):
        rows, new = np.flatnonzero(labels == label), new_labels == label
        nearest[new] = rows[pairwise_distances_argmin(new_codes[new], codes[rows])]
    return nearest


class LatentSampler(SamplerWithSampler):
    """Resamples in the space of an autoencoder's codes.

    The training rows are encoded by an autoencoder, a sampler resamples the codes, and
    what it made is decoded [1]_. A row between two sequences is a mixture of both; a
    code between two codes is decoded to a sequence of the kind that the autoencoder has
    learned. Rows that are taken as they are, and not made, are rows of X itself.

    Where the autoencoder has a ``mask_value``, a new row is padded as the row of its
    class whose code is nearest to its own.

    Parameters
    ----------
    sampler : sampler or None, default=None
        A sampler of imbalanced-learn that resamples the codes. None: `SMOTE`. Its
        parameters are set as ``sampler__k_neighbors``.

    autoencoder : AutoencoderTransformer, FrozenEstimator or None, default=None
        An unfitted one is fitted on the rows that are resampled; a fitted one is given
        in `sklearn.frozen.FrozenEstimator`. None: one with early stopping, and 8
        numbers in a code, or half as many as a row has values if that is less.

    random_state : int, RandomState instance or None, default=None
        Handed on to sampler and autoencoder where they have none.

    Attributes
    ----------
    sampler_ : sampler
        As it was fitted on the codes.
    autoencoder_ : AutoencoderTransformer
        What encodes and decodes.
    sampling_strategy_ : dict
        The sampler's: rows to make, or to keep, by class.
    sample_indices_ : ndarray of shape (n_new_samples,)
        The sampler's, where it has them: which row of X each is, or is made from.
    n_features_in_ : int
        Columns of a 2-D X, features per timestep of a 3-D X.
    n_timesteps_in_ : int
        Timesteps of X.
    feature_names_in_ : ndarray of shape (n_columns,)
        Column names of a dataframe X. Defined only if all are strings.

    See Also
    --------
    SequenceResampler : Resamples the values of sequences.
    AutoencoderTransformer : The network.

    References
    ----------
    .. [1] D. Dablain, B. Krawczyk and N. V. Chawla, "DeepSMOTE: fusing deep learning
       and SMOTE for imbalanced data", IEEE Transactions on Neural Networks and Learning
       Systems 34(9), 2023. There the decoder is also trained on rows permuted within
       their class; here the autoencoder is trained as any other.

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

    _parameter_constraints = {
        "sampler": [HasMethods("fit_resample"), None],
        "autoencoder": [HasMethods(["transform", "inverse_transform"]), None],
        "random_state": ["random_state"],
    }

    def __init__(self, sampler=None, *, autoencoder=None, random_state=None):
        self.sampler = sampler
        self.autoencoder = autoencoder
        self.random_state = random_state

    def _fit_resample(self, X, y, **params):
        labels = _labels(y)  # it raises not as late as when the autoencoder is fitted
        given = X
        n_timesteps = getattr(unfrozen(self.autoencoder)[0], "n_timesteps", None)
        X = check_sequences(
            self, X, reset=True, n_timesteps=n_timesteps, dtype="numeric"
        )
        sequences = X
        if self._n_dimensions_in == 2:
            X = X.reshape(len(X), -1)
        self.autoencoder_ = autoencoder = self._fitted_autoencoder(X)
        codes = autoencoder.transform(X)
        new_codes, y, *rest = self._resampled(self._made_sampler(), codes, y, params)
        # A code that is a row's own stands for that row.
        places = {code.tobytes(): i for i, code in enumerate(codes)}
        rows = np.array([places.get(code.tobytes(), -1) for code in new_codes])
        # Rows may share a code; where it is known which is meant, it is that one.
        for known in (getattr(self, "sample_indices_", None), np.arange(len(codes))):
            n_known = 0 if known is None else len(known)
            if n_known and np.array_equal(new_codes[:n_known], codes[known]):
                rows[:n_known] = known
                break
        new = X[rows]
        made = rows < 0
        if made.any():
            if X.dtype.kind != "f" and not is_frame(given):
                raise ValueError(
                    f"X must hold amounts, got whole numbers of dtype {X.dtype}, such "
                    f"as token ids, which an autoencoder can't give back. Use "
                    f"SequenceResampler with RandomOverSampler, or X.astype(float)."
                )
            decoded = autoencoder.inverse_transform(new_codes[made])
            padding = padding_of(sequences, autoencoder.mask_value)
            if padding.any():
                nearest = _nearest(codes, labels, new_codes[made], _labels(y)[made])
                steps = decoded.reshape(-1, *sequences.shape[1:])
                steps[padding[nearest]] = autoencoder.mask_value
            new[made] = decoded.astype(X.dtype, copy=False)
        return as_given(new, given), y, *rest

    def _fitted_autoencoder(self, X):
        given = self.autoencoder
        autoencoder, frozen = unfrozen(given)
        if autoencoder is None:
            autoencoder = default_autoencoder(X.shape[1:])
        if not isinstance(autoencoder, AutoencoderTransformer):
            raise TypeError(
                f"autoencoder must be an AutoencoderTransformer, a fitted one in "
                f"sklearn.frozen.FrozenEstimator, or None, got {given!r}."
            )
        if frozen:
            return autoencoder
        autoencoder = clone(autoencoder)
        if autoencoder.random_state is None:
            autoencoder.set_params(random_state=self.random_state)
        return autoencoder.fit(X)
