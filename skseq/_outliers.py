"""Detection of rows that an autoencoder reconstructs poorly."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING

import numpy as np
from sklearn.base import OutlierMixin, clone
from sklearn.utils.validation import check_is_fitted

from skseq._autoencoder import AutoencoderTransformer, default_autoencoder
from skseq._padded import PaddedRows
from skseq._parameters import Declared, parameter
from skseq._persistence import VersionedState
from skseq._sequences import check_sequences
from skseq._validation import Interval, check_parameters, check_weights, public_fit

if TYPE_CHECKING:
    from typing import Self

    from numpy.typing import ArrayLike


class AutoencoderOutlierDetector(Declared, OutlierMixin, VersionedState):
    """Detect rows that an autoencoder reconstructs poorly.

    An `AutoencoderTransformer` is fitted on the training rows. Its short code has room
    for the patterns that most rows share, and not for rare ones, so that rare rows are
    reconstructed poorly [1]_ [2]_. The rows with the largest errors, a fraction of
    ``contamination`` of the training rows, are outliers.

    The detector works best when few or none of the training rows are outliers. With
    many, `sklearn.ensemble.IsolationForest` is often better. A network reconstructs its
    training rows better than new rows, so that more than a fraction of
    ``contamination`` of new rows are outliers; ``X_val`` in ``fit`` corrects this.

    Attributes
    ----------
    autoencoder_ : AutoencoderTransformer
        The fitted network. Its ``reconstruction_error(X, by="step")`` and
        ``by="feature"`` show where a row is unusual.

    offset_ : float
        Rows with a lower value of ``score_samples`` are outliers.

    n_features_in_ : int
        Columns of a 2-D X, or features of each timestep of a 3-D X.

    n_timesteps_in_ : int
        Timesteps that the network reads.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, if X was a dataframe whose names are all strings.

    See Also
    --------
    AutoencoderTransformer : The network, with its codes.
    sklearn.ensemble.IsolationForest : Outliers by random splits.
    sklearn.neighbors.LocalOutlierFactor : Outliers by local density.

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

    autoencoder: AutoencoderTransformer | None = parameter(
        default=None,
        constraint=[AutoencoderTransformer, None],
        text="""AutoencoderTransformer or None
        The network; ``fit`` clones it. None: an autoencoder with ``early_stopping`` and
        a code of 8 numbers, or half the number of values in a row if that is less.""",
        kw_only=False,
    )
    contamination: float = parameter(
        default=0.1,
        constraint=[Interval(Real, 0, 0.5, closed="right")],
        text="""float
        Fraction in (0, 0.5] of outliers among the training rows, or among the rows of
        ``X_val`` if that is passed.""",
    )
    random_state: int | np.random.RandomState | None = parameter(
        default=None,
        constraint=["random_state"],
        text="""int, RandomState instance or None
        Passed to the autoencoder, unless that has its own. Pass an int for the same
        result at each call.""",
    )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags

    @public_fit
    def fit(
        self,
        X: ArrayLike,
        y: None = None,
        sample_weight: ArrayLike | None = None,
        *,
        X_val: ArrayLike | None = None,
    ) -> Self:
        """Fit the autoencoder, and the threshold below which rows are outliers.

        Parameters
        ----------
        X : list of array-like of shape (n_timesteps_i, n_features), or array-like or \
                dataframe of shape (n_samples, n_timesteps, n_features) or \
                (n_samples, n_columns)
            Training rows, with or without outliers, without missing values.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights in the training of the network, not negative. Rows of weight zero
            are ignored when the threshold is set.
        X_val : array-like of the same kind as X, default=None
            Rows that the network is not trained on. The threshold is then set such that
            a fraction of ``contamination`` of them are outliers, and
            ``early_stopping`` uses them as validation rows.

        Returns
        -------
        self : object
            The fitted detector.

        Raises
        ------
        ValueError
            If the data or a parameter can't be used.
        TypeError
            If X is sparse, or a parameter has the wrong type.
        """
        check_parameters(self)
        n_timesteps = getattr(self.autoencoder, "n_timesteps", None)
        rows = self._check(X, reset=True, n_timesteps=n_timesteps, min_rows=2)
        if self.autoencoder is None:
            in_3d = self._n_dimensions_in == 3
            n_steps = self.n_timesteps_in_ if in_3d else 1
            autoencoder = default_autoencoder((n_steps, self.n_features_in_))
        else:
            autoencoder = clone(self.autoencoder)
        if autoencoder.random_state is None:
            autoencoder.set_params(random_state=self.random_state)
        weights = check_weights(sample_weight, len(rows))
        if X_val is not None:
            X_val = self._check(X_val, name="X_val")
        self.autoencoder_ = autoencoder.fit(rows, sample_weight=weights, X_val=X_val)
        if X_val is None:
            scores = autoencoder.score_samples(rows)[weights > 0]
        else:
            scores = autoencoder.score_samples(X_val)
        self.offset_ = float(np.percentile(scores, 100 * self.contamination))
        return self

    def _check(self, X, *, reset=False, **options):
        """Validate X, and return it with its own number of dimensions, or as a list."""
        checked = check_sequences(
            self, X, reset=reset, dtype=AutoencoderTransformer._dtype,
            mask_value=getattr(self.autoencoder, "mask_value", None), lists=True,
            **options,
        )  # fmt: skip
        if isinstance(checked, PaddedRows):
            return X
        if self._n_dimensions_in == 3:
            return checked
        return checked.reshape(len(checked), -1)

    def score_samples(self, X: ArrayLike) -> np.ndarray:
        """Score how well rows are reconstructed; higher is more usual.

        Parameters
        ----------
        X : list of array-like of shape (n_timesteps_i, n_features), or array-like or \
                dataframe of shape (n_samples, n_timesteps, n_features) or \
                (n_samples, n_columns)
            Rows of the kind that the detector was fitted on.

        Returns
        -------
        scores : ndarray of shape (n_samples,)
            The scores of the autoencoder.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        ValueError
            If X has another shape or other columns than the X of ``fit``.
        """
        check_is_fitted(self)
        return self.autoencoder_.score_samples(self._check(X))

    def decision_function(self, X: ArrayLike) -> np.ndarray:
        """Compute ``score_samples`` minus ``offset_``.

        Parameters
        ----------
        X : list of array-like of shape (n_timesteps_i, n_features), or array-like or \
                dataframe of shape (n_samples, n_timesteps, n_features) or \
                (n_samples, n_columns)
            Rows of the kind that the detector was fitted on.

        Returns
        -------
        decisions : ndarray of shape (n_samples,)
            Negative for outliers.
        """
        return self.score_samples(X) - self.offset_

    def predict(self, X: ArrayLike) -> np.ndarray:
        """Predict whether rows are outliers.

        Parameters
        ----------
        X : list of array-like of shape (n_timesteps_i, n_features), or array-like or \
                dataframe of shape (n_samples, n_timesteps, n_features) or \
                (n_samples, n_columns)
            Rows of the kind that the detector was fitted on.

        Returns
        -------
        kinds : ndarray of shape (n_samples,)
            -1 for outliers, 1 for all others.
        """
        return np.where(self.decision_function(X) < 0, -1, 1)
