"""Outlier detection by what an autoencoder can't give back."""

from numbers import Real

import numpy as np
from sklearn.base import OutlierMixin, clone
from sklearn.utils.validation import check_is_fitted

from skseq._autoencoder import AutoencoderTransformer, default_autoencoder
from skseq._persistence import VersionedState
from skseq._validation import (
    Interval,
    check_parameters,
    check_sequences,
    check_weights,
    restores_on_error,
)


class AutoencoderOutlierDetector(OutlierMixin, VersionedState):
    """Tells rows and sequences that an autoencoder can't reconstruct.

    An `AutoencoderTransformer` is fitted on the training rows. What most of them have
    in common passes its narrow code; what is rare does not, and such rows come back
    wrong [1]_ [2]_. The rows with the largest errors, a fraction of ``contamination``
    of the training rows, are outliers.

    It learns what is usual from the training rows, and does best when few or none of
    them are outliers. With many, `sklearn.ensemble.IsolationForest` is often better.
    A network gives back the rows that it was trained on better than new ones, of which
    then more than ``contamination`` are called outliers; ``X_val`` in ``fit`` sets that
    right.

    Parameters
    ----------
    autoencoder : AutoencoderTransformer or None, default=None
        The network; it is cloned before ``fit``. None: one with ``early_stopping`` and
        a code of 8 numbers, or of half as many as a row has, where these are fewer.

    contamination : float, default=0.1
        Fraction in (0, 0.5] of the training rows, or of the rows in ``X_val``, that are
        taken for outliers.

    random_state : int, RandomState instance or None, default=None
        Of the autoencoder, unless that has one of its own. Pass an int for the same
        result at each call.

    Attributes
    ----------
    autoencoder_ : AutoencoderTransformer
        The fitted network. Its ``reconstruction_error(X, by="step")`` and
        ``by="feature"`` tell what makes a row unusual.

    offset_ : float
        ``score_samples`` below which a row is an outlier.

    n_features_in_ : int
        Columns of a 2-D X, or features of each timestep of a 3-D X.

    n_timesteps_in_ : int
        Timesteps that the network reads.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, if X was a dataframe whose names are all strings.

    See Also
    --------
    AutoencoderTransformer : The network, with its codes.
    sklearn.ensemble.IsolationForest : Rows that few random cuts set apart.
    sklearn.neighbors.LocalOutlierFactor : Rows in sparser places than their neighbours.

    References
    ----------
    .. [1] S. Hawkins, H. He, G. Williams and R. Baxter, "Outlier detection using
       replicator neural networks", DaWaK 2002.
    .. [2] P. Malhotra et al., "LSTM-based encoder-decoder for multi-sensor anomaly
       detection", ICML 2016 workshop on anomaly detection.

    Examples
    --------
    >>> import numpy as np
    >>> from skseq import AutoencoderOutlierDetector
    >>> steps = np.linspace(0, 6, 20)
    >>> starts = np.random.default_rng(0).uniform(0, 6, size=(200, 1))
    >>> X = np.sin(starts + steps)[:, :, None]
    >>> X[:10] = -np.abs(X[:10])
    >>> detector = AutoencoderOutlierDetector(contamination=0.05, random_state=0)
    >>> outliers = detector.fit_predict(X) == -1
    >>> int(outliers.sum())
    10
    """

    _parameter_constraints = {
        "autoencoder": [AutoencoderTransformer, None],
        "contamination": [Interval(Real, 0, 0.5, closed="right")],
        "random_state": ["random_state"],
    }

    def __init__(self, autoencoder=None, *, contamination=0.1, random_state=None):
        self.autoencoder = autoencoder
        self.contamination = contamination
        self.random_state = random_state

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags

    @restores_on_error
    def fit(self, X, y=None, sample_weight=None, *, X_val=None):
        """Fit the autoencoder, and the offset that tells outliers.

        Parameters
        ----------
        X : array-like or dataframe of shape (n_samples, n_timesteps, n_features) or \
                (n_samples, n_columns)
            Training rows, outliers among them or not, without missing values.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights in the training of the network, not negative. A row of weight zero
            is none of which ``contamination`` are outliers.
        X_val : array-like of the same kind as X, default=None
            Rows that the network is not trained on. The offset is then such that a
            fraction of ``contamination`` of them are outliers; ``early_stopping``
            watches them.

        Returns
        -------
        self : object
            The fitted detector.

        Raises
        ------
        ValueError
            If the data or a parameter is not as it must be.
        TypeError
            If X is sparse, or a parameter has the wrong type.
        """
        check_parameters(self)
        n_timesteps = getattr(self.autoencoder, "n_timesteps", None)
        X = self._check(X, reset=True, n_timesteps=n_timesteps, min_rows=2)
        if self.autoencoder is None:
            autoencoder = default_autoencoder(X.shape[1:])
        else:
            autoencoder = clone(self.autoencoder)
        if autoencoder.random_state is None:
            autoencoder.set_params(random_state=self.random_state)
        weights = check_weights(sample_weight, len(X))
        if X_val is not None:
            X_val = self._check(X_val, name="X_val")
        self.autoencoder_ = autoencoder.fit(X, sample_weight=weights, X_val=X_val)
        if X_val is None:
            scores = autoencoder.score_samples(X)[weights > 0]
        else:
            scores = autoencoder.score_samples(X_val)
        self.offset_ = float(np.percentile(scores, 100 * self.contamination))
        return self

    def _check(self, X, *, reset=False, **options):
        """X in the dimensions in which it came."""
        X = check_sequences(
            self, X, reset=reset, dtype=AutoencoderTransformer._dtype, **options
        )
        return X if self._n_dimensions_in == 3 else X.reshape(len(X), -1)

    def score_samples(self, X):
        """How well rows can be reconstructed; higher is more usual.

        Parameters
        ----------
        X : array-like or dataframe of shape (n_samples, n_timesteps, n_features) or \
                (n_samples, n_columns)
            Rows of the kind that the detector was fitted on.

        Returns
        -------
        scores : ndarray of shape (n_samples,)
            The autoencoder's.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        ValueError
            If X has another shape or other columns than the X of ``fit``.
        """
        check_is_fitted(self)
        return self.autoencoder_.score_samples(self._check(X))

    def decision_function(self, X):
        """``score_samples`` less ``offset_``.

        Parameters
        ----------
        X : array-like or dataframe of shape (n_samples, n_timesteps, n_features) or \
                (n_samples, n_columns)
            Rows of the kind that the detector was fitted on.

        Returns
        -------
        decisions : ndarray of shape (n_samples,)
            Negative for outliers.
        """
        return self.score_samples(X) - self.offset_

    def predict(self, X):
        """Whether rows are outliers.

        Parameters
        ----------
        X : array-like or dataframe of shape (n_samples, n_timesteps, n_features) or \
                (n_samples, n_columns)
            Rows of the kind that the detector was fitted on.

        Returns
        -------
        kinds : ndarray of shape (n_samples,)
            -1 for outliers, 1 for all others.
        """
        return np.where(self.decision_function(X) < 0, -1, 1)
