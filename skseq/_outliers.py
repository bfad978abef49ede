"""Detection of rows that autoencoders reconstruct poorly, or far from others."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral, Real
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from sklearn.base import OutlierMixin, clone
from sklearn.metrics import pairwise_distances_chunked
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from skseq._autoencoder import AutoencoderTransformer, default_autoencoder
from skseq._lists import take_rows
from skseq._padded import PaddedRows
from skseq._parameters import Declared, parameter
from skseq._persistence import VersionedState
from skseq._sequences import check_sequences
from skseq._validation import (
    Interval,
    StrOptions,
    check_parameters,
    check_weights,
    public_fit,
)

if TYPE_CHECKING:
    from typing import Self

    from numpy.typing import ArrayLike

# The number of parts of the training rows, of which each network holds out one.
_N_PARTS = 10

# The largest number of rows to which distances are computed.
_MOST_NEIGHBOURS = 500

# Memory for a block of distances, in MiB.
_BLOCK_MIB = 64


@dataclass(frozen=True)
class _Usual:
    """What is usual: codes of training rows, and values of rows held out.

    Attributes
    ----------
    codes : list of ndarray of shape (n_neighbours, n_components)
        For each network, codes of rows that it was trained on.
    error, distance : tuple of float
        Median and spread of the logarithm in rows held out.
    less : float
        What is subtracted from standardised distances.
    """

    codes: list
    error: tuple
    distance: tuple
    less: float

    def standardised(self, errors, distances):
        """Take the larger of standardised errors and distances."""
        error, distance = (
            (_log(values) - median) / spread
            for values, (median, spread) in (
                (errors, self.error),
                (distances, self.distance),
            )
        )
        return np.maximum(error, distance - self.less)


class AutoencoderOutlierDetector(Declared, OutlierMixin, VersionedState):
    """Outlier detection with autoencoders.

    ``n_networks`` autoencoders are fitted on the training rows, with different seeds
    [1]_. An autoencoder compresses a row to a short code and reconstructs it from the
    code. A short code can represent the patterns that most rows have in common, but not
    rare patterns, so that unusual rows are reconstructed poorly [2]_ [3]_. The *error*
    of a row is its reconstruction error, averaged over the networks.

    If there are outliers among the training rows, the networks also learn to
    reconstruct them. The reconstructions of outliers are then far from those of other
    rows. With ``criterion="both"``, the default for a table, a row is therefore unusual
    if its error or its *distance* is large:

    - The distance of a row is computed between reconstructions, in units of the scaled
      values. The reconstruction of the row is compared with those of at most 500
      training rows, and the mean Euclidean distance to the nearest half of them is
      taken [4]_, averaged over the networks. With so many neighbours, a cluster of
      outliers is also far from its neighbours.
    - Each network holds out a different tenth of the training rows, which is also used
      for ``early_stopping``. The logarithms of errors and distances are standardized by
      their median and median absolute deviation (times 1.4826) in the held-out rows.
      The score of a row is based on the larger of the two.
    - The error is more informative than the distance, unless the network overfits its
      training rows. Therefore the standardized distance is shifted, depending on the
      ratio of the median error of held-out rows to the median error of training rows:
      by -3 for ratios up to 1.6, by +1 for ratios from 2.1 on, and linearly in between.

    The threshold is set such that a fraction ``contamination`` of the training rows are
    outliers.

    A network reconstructs its training rows better than new rows. Among new rows, the
    fraction of outliers is therefore larger than ``contamination``, unless ``X_val`` is
    passed to ``fit``.

    Attributes
    ----------
    autoencoder_ : AutoencoderTransformer
        The first of the fitted autoencoders. Its ``reconstruction_error(X, by="step")``
        and ``by="feature"`` show where a row is unusual.

    autoencoders_ : list of AutoencoderTransformer
        All fitted autoencoders.

    offset_ : float
        The threshold: rows whose ``score_samples`` is lower are outliers.

    n_features_in_ : int
        Number of columns of a 2-D X, or number of features of a 3-D X.

    n_timesteps_in_ : int
        Number of timesteps that the network reads.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns of X. Defined only if X is a dataframe whose column names
        are all strings.

    See Also
    --------
    AutoencoderTransformer : A single autoencoder, with its codes.
    sklearn.ensemble.IsolationForest : Outliers by random splits.
    sklearn.neighbors.LocalOutlierFactor : Outliers by local density.

    References
    ----------
    .. [1] J. Chen, S. Sathe, C. Aggarwal and D. Turaga, "Outlier detection with
       autoencoder ensembles", SDM 2017.
    .. [2] S. Hawkins, H. He, G. Williams and R. Baxter, "Outlier detection using
       replicator neural networks", DaWaK 2002.
    .. [3] P. Malhotra et al., "LSTM-based encoder-decoder for multi-sensor anomaly
       detection", ICML 2016 workshop on anomaly detection.
    .. [4] M. Sugiyama and K. M. Borgwardt, "Rapid distance-based outlier detection via
       sampling", NeurIPS 2013.

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

    __module__ = "skseq"

    autoencoder: AutoencoderTransformer | None = parameter(
        default=None,
        constraint=[AutoencoderTransformer, None],
        text="""AutoencoderTransformer or None
        The autoencoder, which is cloned before it is fitted. None: an autoencoder with
        ``early_stopping`` and a code of 8 numbers, or of half the number of values in a
        row if that is less.""",
        kw_only=False,
    )
    criterion: Literal["auto", "both", "error"] = parameter(
        default="auto",
        constraint=[StrOptions({"auto", "both", "error"})],
        text="""{"auto", "both", "error"}
        What makes a row unusual. ``"error"``: a large reconstruction error. ``"both"``:
        a large error or a large distance to other rows, see above. ``"auto"``:
        ``"both"`` for a table, and ``"error"`` for sequences: a 3-D X, a list, or an
        autoencoder with ``n_timesteps``.""",
    )
    n_networks: int = parameter(
        default=3,
        constraint=[Interval(Integral, 1, None, closed="left")],
        text="""int
        Number of autoencoders, fitted with different seeds. The fit time is
        proportional to it.""",
    )
    contamination: float = parameter(
        default=0.1,
        constraint=[Interval(Real, 0, 0.5, closed="right")],
        text="""float
        Fraction in (0, 0.5] of outliers among the training rows, or among the rows of
        ``X_val`` if they are passed to ``fit``.""",
    )
    random_state: int | np.random.RandomState | None = parameter(
        default=None,
        constraint=["random_state"],
        text="""int, RandomState instance or None
        Determines the seeds of the autoencoders, unless ``autoencoder`` has a
        ``random_state``, and the training rows used for distances. Pass an int for
        reproducible results across multiple calls.""",
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
        """Fit the autoencoders, and the threshold below which rows are outliers.

        Parameters
        ----------
        X : list of array-like of shape (n_timesteps_i, n_features), or array-like or \
                dataframe of shape (n_samples, n_timesteps, n_features) or \
                (n_samples, n_columns)
            Training rows, with or without outliers, without missing values.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights, for the training of the networks. Rows with weight
            zero are not used at all.
        X_val : array-like of the same kind as X, default=None
            Validation rows, used in place of held-out training rows, also by
            ``early_stopping``. The threshold is then set such that a fraction
            ``contamination`` of these rows are outliers.

        Returns
        -------
        self : object
            The fitted detector.

        Raises
        ------
        ValueError
            If the data or a parameter is invalid.
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
        fits = list(self._fit_networks(autoencoder, rows, weights, X_val))
        self.autoencoders_ = [network for network, _, _ in fits]
        self.autoencoder_ = self.autoencoders_[0]
        self._usual = _usual(fits, rows) if self._uses_distances else None
        if X_val is None:
            scores = self._scores(rows)[weights > 0]
        else:
            scores = self._scores(X_val)
        self.offset_ = float(np.percentile(scores, 100 * self.contamination))
        return self

    @property
    def _uses_distances(self):
        if self.criterion != "auto":
            return self.criterion == "both"
        n_timesteps = getattr(self.autoencoder, "n_timesteps", None)
        return self._n_dimensions_in == 2 and n_timesteps is None

    def _fit_networks(self, autoencoder, rows, weights, X_val):
        """Yield fitted networks, the rows trained on by position, and rows held out."""
        rng = check_random_state(autoencoder.random_state)
        used = np.flatnonzero(weights > 0)
        holds_out = self._uses_distances and X_val is None
        if holds_out:
            order, n_parts = rng.permutation(used), min(_N_PARTS, len(used))
        for i in range(self.n_networks):
            network, trained, held_out = autoencoder, used, X_val
            if i:
                seed = rng.randint(np.iinfo(np.int32).max)
                network = clone(autoencoder).set_params(random_state=seed)
            options = {"sample_weight": weights, "X_val": X_val}
            if holds_out:
                chosen = np.sort(order[i % n_parts :: n_parts])
                trained, held_out = np.setdiff1d(used, chosen), take_rows(rows, chosen)
                # By weights, so that each network reads the longest row of a list.
                options["sample_weight"] = weights.copy()
                options["sample_weight"][chosen] = 0
                if network.early_stopping:
                    options |= {
                        "X_val": held_out, "sample_weight_val": weights[chosen],
                    }  # fmt: skip
            yield network.fit(rows, **options), trained, held_out

    # What is usual, if distances are used.
    _records: ClassVar[tuple[type, ...]] = (_Usual,)
    _usual = None

    def _scores(self, X):
        errors = np.mean(
            [network.reconstruction_error(X) for network in self.autoencoders_], axis=0
        )
        if self._usual is None:
            return -errors
        distances = np.mean(
            [
                _distances(network, codes, X)
                for network, codes in zip(
                    self.autoencoders_, self._usual.codes, strict=True
                )
            ],
            axis=0,
        )
        return -self._usual.standardised(errors, distances)

    def _upgraded(self, state):
        # Before version 0.5 there was one network, and its error.
        state = {"criterion": "error", "n_networks": 1, **state}
        if "autoencoder_" in state:
            state.setdefault("autoencoders_", [state["autoencoder_"]])
        return super()._upgraded(state)

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
        """Score how usual rows are; lower scores are more unusual.

        Parameters
        ----------
        X : list of array-like of shape (n_timesteps_i, n_features), or array-like or \
                dataframe of shape (n_samples, n_timesteps, n_features) or \
                (n_samples, n_columns)
            Rows with the same features as the X of ``fit``.

        Returns
        -------
        scores : ndarray of shape (n_samples,)
            The negative error of each row. With ``criterion="both"``: the negative of
            the larger of its standardized error and its standardized distance.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        ValueError
            If the shape or the columns of X differ from those in ``fit``.
        """
        check_is_fitted(self)
        return self._scores(self._check(X))

    def decision_function(self, X: ArrayLike) -> np.ndarray:
        """Compute ``score_samples`` minus ``offset_``.

        Parameters
        ----------
        X : list of array-like of shape (n_timesteps_i, n_features), or array-like or \
                dataframe of shape (n_samples, n_timesteps, n_features) or \
                (n_samples, n_columns)
            Rows with the same features as the X of ``fit``.

        Returns
        -------
        decisions : ndarray of shape (n_samples,)
            Negative for outliers, and otherwise 0 or positive.
        """
        return self.score_samples(X) - self.offset_

    def predict(self, X: ArrayLike) -> np.ndarray:
        """Predict whether rows are outliers.

        Parameters
        ----------
        X : list of array-like of shape (n_timesteps_i, n_features), or array-like or \
                dataframe of shape (n_samples, n_timesteps, n_features) or \
                (n_samples, n_columns)
            Rows with the same features as the X of ``fit``.

        Returns
        -------
        kinds : ndarray of shape (n_samples,)
            -1 for outliers, and 1 for inliers.
        """
        return np.where(self.decision_function(X) < 0, -1, 1)


def _usual(fits, rows):
    """Learn what is usual from fitted networks, rows trained on and rows held out."""
    codes, errors, distances, trained_errors = [], [], [], []
    for network, trained, held_out in fits:
        if len(trained) > _MOST_NEIGHBOURS:
            rng = np.random.default_rng(len(codes))
            trained = rng.choice(trained, _MOST_NEIGHBOURS, replace=False)
        sample = take_rows(rows, np.sort(trained))
        codes.append(np.asarray(network.transform(sample)))
        trained_errors.append(network.reconstruction_error(sample))
        errors.append(network.reconstruction_error(held_out))
        distances.append(_distances(network, codes[-1], held_out))
    error, distance = (
        _median_and_spread(_log(np.concatenate(values)))
        for values in (errors, distances)
    )
    trained_error = np.median(_log(np.concatenate(trained_errors)))
    ratio = np.exp(error[0] - trained_error)
    return _Usual(codes, error, distance, float(np.clip(3 - 8 * (ratio - 1.6), -1, 3)))


def _log(values):
    return np.log(np.maximum(values, np.finfo(np.float32).tiny))


def _median_and_spread(values):
    """Compute median and spread; the latter is the std of a normal distribution."""
    median = np.median(values)
    spread = 1.4826 * np.median(abs(values - median))
    # If most values are equal, their differences have no scale.
    return float(median), float(spread) or 1.0


def _distances(network, codes, X):
    """Measure how far reconstructions are from the nearest half of others."""
    others, rows = (
        network._decoded_scaled(each).reshape(len(each), -1)
        for each in (codes, np.asarray(network.transform(X)))
    )
    n_nearest = (len(others) + 1) // 2

    def nearest(block, start):
        block.partition(n_nearest - 1, axis=1)
        return block[:, :n_nearest].mean(axis=1)

    blocks = pairwise_distances_chunked(
        rows, others, reduce_func=nearest, working_memory=_BLOCK_MIB
    )
    with np.errstate(over="ignore"):  # an infinite distance is a large one
        return np.concatenate(list(blocks))
