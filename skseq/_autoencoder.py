"""Autoencoders of rows and sequences."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture
from sklearn.utils import check_array, check_random_state
from sklearn.utils.validation import check_is_fitted

from skseq._base import SequenceEstimator
from skseq._engine.activations import ACTIVATION, check_activations
from skseq._engine.networks import Autoencoder, Convolutional, Dense, Recurrent
from skseq._engine.objectives import ELEMENTWISE_LOSSES
from skseq._engine.train import predict
from skseq._padded import PADDING, PaddedRows, compacted
from skseq._parameters import parameter
from skseq._rows import Given
from skseq._scaling import SCALERS, Scaling
from skseq._validation import Interval, StrOptions, check_sizes, naming, public_fit

if TYPE_CHECKING:
    from typing import Self

    from numpy.typing import ArrayLike

    from skseq._engine.types import Activations

# Parameters that not all autoencoders use: the default, and the parameter and its
# values with which they are used.
_USED_BY = {
    "activation": ("relu", "kind", ("dense", "conv1d")),
    "kernel_size": (5, "kind", ("conv1d",)),
    "tied_weights": (False, "kind", ("dense",)),
    "beta": (1.0, "variational", (True,)),
    "beta_warmup": (10, "variational", (True,)),
}

# The largest number of training rows whose codes are kept for `sample`.
_MIXTURE_ROWS = 10_000

# The largest number of values of X kept for `sample` between calls of `partial_fit`.
_KEPT_VALUES = 2**24

# The numbers of Gaussians from which `sample` chooses by BIC.
_MIXTURE_SIZES = (1, 2, 4, 8, 16, 32)


class AutoencoderTransformer(
    ClassNamePrefixFeaturesOutMixin, TransformerMixin, SequenceEstimator
):
    """Autoencoder for nonlinear dimensionality reduction.

    An autoencoder is a nonlinear counterpart of PCA: an encoder reduces each row to a
    *code* (latent vector) of ``n_components`` numbers, and a decoder reconstructs the
    row from the code. Both are trained together to make the reconstruction error small
    [1]_; no labels are used. ``transform`` computes the codes of rows,
    ``inverse_transform`` computes rows from codes, ``score_samples`` measures how well
    rows are reconstructed (unusual rows are reconstructed poorly), and ``sample``
    generates new rows.

    ``kind`` is the kind of layers of the encoder. The decoder has the same layers in
    reverse order:

    - ``"dense"``, for tables and images: all values of a row are read at once;
    - ``"lstm"`` and ``"gru"``, for sequences: they are read timestep by timestep, and
      the decoder gets the code at each timestep [2]_;
    - ``"conv1d"``, for sequences: each layer of the encoder is a convolution with max
      pooling, which halves the number of timesteps, and each layer of the decoder
      doubles it.

    ``variational=True`` makes it a variational autoencoder [3]_: the encoder outputs
    the mean and variance of a normal distribution, from which the code is drawn in
    training. The Kullback-Leibler divergence of this distribution from the standard
    normal distribution is added to the loss, with a weight ``beta`` [4]_ that increases
    over the first epochs [5]_. The codes of all rows then approximately follow a
    standard normal distribution, from which ``sample`` draws new codes. ``noise`` makes
    it a denoising autoencoder [6]_.

    Attributes
    ----------
    mixture_ : sklearn.mixture.GaussianMixture
        The distribution from which ``sample`` draws codes. Set by the first call of
        ``sample``. Not with ``variational=True``.

    See Also
    --------
    AutoencoderOutlierDetector : Outlier detection by the reconstruction error.
    sklearn.decomposition.PCA : The linear counterpart.
    SequenceReshaper : Converts the columns of a table to sequences.

    References
    ----------
    .. [1] G. E. Hinton and R. R. Salakhutdinov, "Reducing the dimensionality of data
       with neural networks", Science 313, 2006.
    .. [2] N. Srivastava, E. Mansimov and R. Salakhutdinov, "Unsupervised learning of
       video representations using LSTMs", ICML 2015.
    .. [3] D. P. Kingma and M. Welling, "Auto-encoding variational Bayes", ICLR 2014.
    .. [4] I. Higgins et al., "beta-VAE: learning basic visual concepts with a
       constrained variational framework", ICLR 2017.
    .. [5] S. R. Bowman et al., "Generating sentences from a continuous space", CoNLL
       2016.
    .. [6] P. Vincent et al., "Extracting and composing robust features with denoising
       autoencoders", ICML 2008.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.decomposition import PCA
    >>> from skseq import AutoencoderTransformer
    >>> X, _ = load_digits(return_X_y=True)
    >>> train, test = X[:900], X[900:]
    >>> autoencoder = AutoencoderTransformer(n_components=2, scale="minmax",
    ...                                      random_state=0).fit(train)
    >>> codes = autoencoder.transform(test)
    >>> codes.shape
    (897, 2)
    >>> pca = PCA(n_components=2).fit(train)
    >>> error = ((test - autoencoder.inverse_transform(codes)) ** 2).mean()
    >>> linear = ((test - pca.inverse_transform(pca.transform(test))) ** 2).mean()
    >>> bool(error < 0.8 * linear)
    True
    >>> autoencoder.get_feature_names_out().tolist()
    ['autoencodertransformer0', 'autoencodertransformer1']
    """

    __module__ = "skseq"

    n_components: int = parameter(
        default=2,
        constraint=[Interval(Integral, 1, None, closed="left")],
        text="""int
        Number of elements of a code, to which each row is reduced.""",
        kw_only=False,
    )
    kind: Literal["dense", "lstm", "gru", "conv1d"] = parameter(
        default="dense",
        constraint=[StrOptions({"dense", "lstm", "gru", "conv1d"})],
        text="""{"dense", "lstm", "gru", "conv1d"}
        The kind of layers of the encoder and the decoder, see above.""",
    )
    layer_sizes: int | Sequence[int] = parameter(
        default=(128, 64),
        constraint=[Integral, tuple, list],
        text="""int or tuple of int
        Number of units (``"dense"``, ``"lstm"``, ``"gru"``) or filters (``"conv1d"``)
        of each layer of the encoder before the code. The decoder has the same layers in
        reverse order. ``"dense"`` accepts ``()``: the codes then span the same space as
        those of PCA.""",
    )
    activation: Activations = parameter(
        default="relu",
        constraint=[*ACTIVATION, tuple, list],
        text="""str, dict, keras.layers.Layer, callable, None, or tuple of those
        Activation of the layers of ``"dense"`` and ``"conv1d"``: the name of a Keras
        activation, a dict with a name and options, a Keras layer, or a function. A
        tuple has one for each layer of the encoder. None: no activation. The code
        itself has no activation.""",
    )
    kernel_size: int | Sequence[int] = parameter(
        default=5,
        constraint=[Integral, tuple, list],
        text="""int or tuple of int
        Number of timesteps that a filter of ``"conv1d"`` covers. A tuple has one for
        each layer.""",
    )
    normalization: Literal["batch"] | None = parameter(
        default=None,
        constraint=[StrOptions({"batch"}), None],
        text="""{"batch"} or None
        ``"batch"``: batch normalization after each layer, except the code and the
        output. The batches of an epoch then have about the same number of rows, because
        the statistics of a small last batch would be inaccurate. None: no
        normalization.""",
    )
    tied_weights: bool = parameter(
        default=False,
        constraint=["boolean"],
        text="""bool
        Whether the decoder of ``"dense"`` uses the transposed weight matrices of the
        encoder in place of its own.""",
    )
    variational: bool = parameter(
        default=False,
        constraint=["boolean"],
        text="""bool
        Whether it is a variational autoencoder, whose codes are drawn from
        distributions in training. ``transform`` returns the means of these
        distributions.""",
    )
    beta: float = parameter(
        default=1.0,
        constraint=[Interval(Real, 0, None, closed="left")],
        text="""float
        Weight of the Kullback-Leibler divergence in the loss of a variational
        autoencoder. As the reconstruction error is a mean over the values of a row, the
        divergence is divided by the number of values. With 1.0 and
        ``"binary_crossentropy"``, the loss is the negative evidence lower bound (ELBO)
        per value.""",
    )
    beta_warmup: int = parameter(
        default=10,
        constraint=[Interval(Integral, 0, None, closed="left")],
        text="""int
        Number of epochs over which the weight of the divergence increases from 0 to
        ``beta``.""",
    )
    noise: float | tuple[str, float] | None = parameter(
        default=None,
        constraint=[Interval(Real, 0, None, closed="left"), tuple, list, None],
        text="""float, tuple or None
        Noise that is added to the input of the network in training, while the network
        has to reconstruct the rows without noise. A float, or ``("gaussian", 0.1)``:
        Gaussian noise with this standard deviation, in units of the scaled values.
        ``("masking", 0.2)``: a fraction in [0, 1) of the values is set to 0. None: no
        noise.""",
    )
    activity_l1: float = parameter(
        default=0.0,
        constraint=[Interval(Real, 0, None, closed="left")],
        text="""float
        Weight of the L1 norm of the codes in the loss, which makes codes sparse.""",
    )
    scale: Literal["standard", "minmax"] | None = parameter(
        default="standard",
        constraint=[StrOptions(set(SCALERS)), None],
        text="""{"standard", "minmax"} or None
        How rows are scaled before the network; the outputs are scaled back.
        ``"standard"``: to mean 0 and variance 1. ``"minmax"``: to [0, 1]. Each column
        of a 2-D X is scaled by itself; in a 3-D X each feature has one scale for all
        timesteps. None: no scaling.""",
    )
    loss: Literal["mse", "mae", "huber", "binary_crossentropy"] = parameter(
        default="mse",
        constraint=[StrOptions(set(ELEMENTWISE_LOSSES))],
        text="""{"mse", "mae", "huber", "binary_crossentropy"}
        The reconstruction error of a value, in units of the scaled values.
        ``"binary_crossentropy"`` needs values in [0, 1]: either ``scale="minmax"``,
        which then clips values outside the range of the training rows, or
        ``scale=None`` with such an X. It also adds a sigmoid to the output.""",
        group="training",
    )
    mask_value: float | None = parameter(
        default=None,
        constraint=[Real, None],
        text="""float or None
        Value that marks padding: a timestep in which every feature has this value is
        ignored. NaN is possible. Recurrent layers skip such timesteps, other layers
        read zeros in their place, and the loss does not include them. None: X has no
        padding. Not needed for a list of sequences of different lengths: it is padded
        internally, to the longest sequence of ``fit``.""",
        group="other",
    )
    epochs: int = 100

    # Rows are scaled in their own precision.
    _dtype = (np.float64, np.float32)

    _default_rate = 0.002

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    @property
    def predict(self):
        """Not available: see ``transform`` and ``inverse_transform``."""
        self._absent("predict")

    _records: ClassVar[tuple[type, ...]] = (*SequenceEstimator._records, Scaling)

    def _saved(self):
        state = super()._saved()
        if self._seen is not None:
            # Training rows must not be in a file.
            state |= {"_codes": self._codes_of_seen_rows(), "_seen": None}
        return state

    # -------------------------------------------------------------------------- fit

    @public_fit
    def fit(
        self,
        X: ArrayLike,
        y: None = None,
        sample_weight: ArrayLike | None = None,
        *,
        X_val: ArrayLike | None = None,
        sample_weight_val: ArrayLike | None = None,
        groups: ArrayLike | None = None,
    ) -> Self:
        """Fit the scaling and the network.

        Parameters
        ----------
        X : list of array-like of shape (n_timesteps_i, n_features), or array-like or \
                dataframe of shape (n_samples, n_timesteps, n_features) or \
                (n_samples, n_columns)
            Training rows, without missing values. ``n_timesteps`` determines how the
            columns of a 2-D X form timesteps.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights. They are divided by their mean, so that only their
            ratios matter. Rows with weight zero are not used.
        X_val : array-like of the same kind as X, default=None
            Validation rows. With ``early_stopping``, they are used in place of held-out
            training rows. Otherwise they do not affect training; their loss after each
            epoch is in ``history_``.
        sample_weight_val : array-like of shape (n_val_samples,), default=None
            Weights of the rows of ``X_val``, for the validation loss.
        groups : array-like of shape (n_samples,), default=None
            Group of each row, such as a customer. ``early_stopping`` holds out whole
            groups, so that no group is in both the training and the validation rows.

        Returns
        -------
        self : object
            The fitted transformer.

        Raises
        ------
        ValueError
            If the data or a parameter is invalid, or if the loss becomes NaN or
            infinite. A transformer that was fitted before keeps its earlier fit.
        TypeError
            If X is sparse, or a parameter has the wrong type.
        """
        given = Given(
            X, None, sample_weight, groups, X_val, sample_weight_val=sample_weight_val
        )
        rows = self._fit(
            given, epochs=self.epochs, schedule=self.schedule,
            early_stopping=self.early_stopping,
            resume=self._continues(), checkpointed=True,
        )  # fmt: skip
        self._keep_codes(rows)
        return self

    @public_fit
    def partial_fit(
        self, X: ArrayLike, y: None = None, sample_weight: ArrayLike | None = None
    ) -> Self:
        """Train for one epoch on X, starting from the current weights.

        The scaling is learned from the rows of the first call.

        Parameters
        ----------
        X : list of array-like of shape (n_timesteps_i, n_features), or array-like or \
                dataframe of shape (n_samples, n_timesteps, n_features) or \
                (n_samples, n_columns)
            A part of the training rows.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights.

        Returns
        -------
        self : object
            The fitted transformer.

        Raises
        ------
        ValueError
            If ``early_stopping`` is True, or the shape of X differs from that in the
            first call.
        """
        self._check_partial()
        resume = self.__sklearn_is_fitted__()
        given = Given(X, None, sample_weight)
        rows = self._fit(given, epochs=1, resume=resume, min_rows=1)
        self._keep_rows(rows, resume)
        return self

    @public_fit
    def initialize(self, X: ArrayLike, y: None = None) -> Self:
        """Learn the scaling and initialize the weights, without training.

        Parameters
        ----------
        X : list of array-like of shape (n_timesteps_i, n_features), or array-like or \
                dataframe of shape (n_samples, n_timesteps, n_features) or \
                (n_samples, n_columns)
            Rows with the shape of the training rows.
        y : None
            Ignored.

        Returns
        -------
        self : object
            The transformer with its initial weights.
        """
        self._keep_codes(self._fit(Given(X), epochs=0))
        return self

    # ---------------------------------------------------------- codes, errors, samples

    def transform(self, X: ArrayLike) -> Any:
        """Encode rows: compute their codes.

        Parameters
        ----------
        X : list of array-like of shape (n_timesteps_i, n_features), or array-like or \
                dataframe of shape (n_samples, n_timesteps, n_features) or \
                (n_samples, n_columns)
            Rows with the same features as the X of ``fit``.

        Returns
        -------
        codes : ndarray or dataframe of shape (n_samples, n_components)
            The code of each row. The dtype is that of X if it is float32 or float64;
            the computation is in float32. A dataframe, if ``set_output`` was called
            accordingly.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        ValueError
            If the shape or the columns of X differ from those in ``fit``.
        """
        rows = self._check(X)
        return self._ask("code", rows).astype(rows.dtype, copy=False)

    def inverse_transform(self, X: ArrayLike) -> np.ndarray:
        """Decode codes: compute rows from codes.

        Parameters
        ----------
        X : array-like or dataframe of shape (n_samples, n_components)
            Codes, from ``transform`` or from elsewhere.

        Returns
        -------
        rows : ndarray of shape (n_samples, n_timesteps, n_features) or \
                (n_samples, n_columns)
            Rows with the shape and units of the X of ``fit``, without padding. After a
            fit on a list of sequences, all rows have the length of the longest one,
            because a code does not contain the length of its row.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        ValueError
            If X does not have ``n_components`` columns.
        """
        check_is_fitted(self)
        with naming("X"):
            codes = check_array(X, dtype=self._dtype, input_name="X", estimator=self)
        if codes.shape[1] != self._n_features_out:
            raise ValueError(
                f"X must have {self._n_features_out} columns, one for each component, "
                f"as transform gives them, got {codes.shape[1]}."
            )
        return self._decoded(codes)

    def score_samples(self, X: ArrayLike) -> np.ndarray:
        """Score how well rows are reconstructed; lower scores are more unusual.

        Parameters
        ----------
        X : list of array-like of shape (n_timesteps_i, n_features), or array-like or \
                dataframe of shape (n_samples, n_timesteps, n_features) or \
                (n_samples, n_columns)
            Rows with the same features as the X of ``fit``.

        Returns
        -------
        scores : ndarray of shape (n_samples,)
            The negative ``reconstruction_error`` of each row.
        """
        return -self.reconstruction_error(X)

    def score(self, X: ArrayLike, y: None = None) -> float:
        """Compute the mean of ``score_samples``, for example for a grid search.

        Scores are only comparable between estimators with the same ``loss`` and
        ``scale``.

        Parameters
        ----------
        X : list of array-like of shape (n_timesteps_i, n_features), or array-like or \
                dataframe of shape (n_samples, n_timesteps, n_features) or \
                (n_samples, n_columns)
            Rows with the same features as the X of ``fit``.
        y : None
            Ignored.

        Returns
        -------
        score : float
            0 for a perfect reconstruction, and otherwise negative.
        """
        return float(self.score_samples(X).mean())

    def reconstruction_error(
        self, X: ArrayLike, by: Literal["row", "step", "feature"] = "row"
    ) -> np.ndarray:
        """Compute reconstruction errors, with ``loss`` in units of the scaled values.

        Parameters
        ----------
        X : list of array-like of shape (n_timesteps_i, n_features), or array-like or \
                dataframe of shape (n_samples, n_timesteps, n_features) or \
                (n_samples, n_columns)
            Rows with the same features as the X of ``fit``.
        by : {"row", "step", "feature"}, default="row"
            What the errors are averaged over: all values of a row, the features of each
            timestep, or the timesteps of each feature. Padding is excluded.

        Returns
        -------
        errors : ndarray of shape (n_samples,), (n_samples, n_timesteps) or \
                (n_samples, n_features)
            The mean errors; 0 for a timestep that is padding.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        ValueError
            If ``by`` is invalid, or the shape of X differs from that in ``fit``.

        Examples
        --------
        >>> import numpy as np
        >>> from skseq import AutoencoderTransformer
        >>> steps = np.linspace(0, 6, 20)
        >>> starts = np.random.default_rng(0).uniform(0, 6, size=(200, 1))
        >>> X = np.sin(starts + steps)[:, :, None]
        >>> autoencoder = AutoencoderTransformer(random_state=0).fit(X)
        >>> odd = X[:1].copy()
        >>> odd[0, 7] += 5
        >>> int(autoencoder.reconstruction_error(odd, by="step").argmax())
        7
        """
        names = {
            "row": "terms",
            "step": "errors_by_step",
            "feature": "errors_by_feature",
        }
        if by not in names:
            raise ValueError(f"by must be one of {sorted(names)}, got {by!r}.")
        errors = self._ask(names[by], self._check(X))
        return (errors[:, 0] if by == "row" else errors).astype(np.float64)

    def sample(
        self,
        n_samples: int = 1,
        random_state: int | np.random.RandomState | None = None,
    ) -> np.ndarray:
        """Generate new rows.

        A variational autoencoder decodes codes from the standard normal distribution.
        For other autoencoders, the first call fits a mixture of at most 32 Gaussians
        (`sklearn.mixture.GaussianMixture`; their number is chosen by the Bayesian
        information criterion) to the codes of at most 10,000 training rows, drawn at
        random, and keeps it as ``mixture_``.

        Parameters
        ----------
        n_samples : int, default=1
            Number of rows.
        random_state : int, RandomState instance or None, default=None
            Pass an int for the same rows at each call.

        Returns
        -------
        rows : ndarray of shape (n_samples, n_timesteps, n_features) or \
                (n_samples, n_columns)
            Rows with the shape and units of the X of ``fit``.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        ValueError
            If ``n_samples`` is not an int of at least 1.
        """
        check_is_fitted(self)
        if not isinstance(n_samples, Integral) or n_samples < 1:
            raise ValueError(
                f"n_samples must be an int of at least 1, got {n_samples!r}."
            )
        rng = check_random_state(random_state)
        if self._recipe.network.variational:
            codes = rng.normal(size=(n_samples, self._n_features_out))
        else:
            if not hasattr(self, "mixture_"):
                self.mixture_ = _fit_mixture(
                    self._codes_of_seen_rows(), int(self._seeds[0])
                )
            mixture = copy(self.mixture_).set_params(random_state=rng)
            # The mixture orders its samples by component.
            codes = rng.permutation(mixture.sample(n_samples)[0])
        return self._decoded(codes)

    # ------------------------------------------------------- between rows and network

    def _check(self, X):
        check_is_fitted(self)
        return self._check_rows(X, reset=False)

    def _ask(self, name, X):
        prepare = None if name == "rows" else self._prepare  # codes are as they are
        return predict(self._recipe, self._state.weights, X, name=name, prepare=prepare)

    def _decoded_scaled(self, codes):
        """Decode codes to rows in scaled values, in the shape that the network has."""
        return self._ask("rows", np.ascontiguousarray(codes, np.float32))

    def _decoded(self, codes):
        rows = self._decoded_scaled(codes)
        rows = self._scaling.inverse(rows.astype(codes.dtype, copy=False))
        return rows if self._n_dimensions_in == 3 else rows.reshape(len(rows), -1)

    # ------------------------------------------------------------ codes for `sample`

    # Codes of training rows, and rows of `partial_fit` that are encoded later.
    _codes = None
    _seen = None

    def _forget_sample(self):
        vars(self).pop("mixture_", None)
        self._codes = self._seen = None
        self._n_features_out = int(self.n_components)

    def _keep_codes(self, rows):
        """Keep the codes of some of the training rows."""
        self._forget_sample()
        if self.variational:
            return
        rng, positions = np.random.default_rng(self._seeds[0]), np.arange(len(rows))
        if len(rows) > _MIXTURE_ROWS:
            positions = rng.choice(len(rows), _MIXTURE_ROWS, replace=False)
        some = rows.take(np.sort(positions))
        self._codes = predict(
            self._recipe, self._state.weights, some.X, some.index, name="code",
            prepare=self._prepare,
        )  # fmt: skip

    def _keep_rows(self, rows, resume):
        """Keep a random sample of the rows of all calls of `partial_fit`.

        Their codes are computed when `sample` needs them, because training changes
        them.
        """
        codes, seen = self._codes, self._seen
        self._forget_sample()
        if self.variational:
            return
        if not resume:
            codes = seen = None
        X = rows.X if rows.index is None else rows.rows()
        if seen is None:
            seen = _SeenRows(np.empty((0, *X.shape[1:]), X.dtype), 0)
        self._codes, self._seen = codes, seen.and_also(X, int(self._seeds[0]))

    def _codes_of_seen_rows(self):
        """Compute the codes of a random sample of all training rows."""
        if self._seen is None:
            return self._codes
        codes = self._ask("code", self._seen.rows)
        if self._codes is not None:
            codes = np.concatenate([self._codes, codes])
        if len(codes) > _MIXTURE_ROWS:
            rng = np.random.default_rng(self._seeds[0])
            codes = codes[rng.choice(len(codes), _MIXTURE_ROWS, replace=False)]
        return codes

    # ------------------------------------------------------- steps of fit, see `_fit`

    # Whether the X of fit was a list.
    _is_of_lists = False

    @property
    def _padding(self):
        """The value of padding in validated rows, or None."""
        if self.mask_value is None and self._is_of_lists:
            return PADDING
        return self.mask_value

    def _check_rows(self, X, *, reset, **options):
        rows = super()._check_rows(
            X, reset=reset, mask_value=self.mask_value, lists=True, **options
        )
        is_list = isinstance(rows, PaddedRows)
        if reset:
            self._is_of_lists = is_list
        if not is_list:
            return rows
        n_timesteps, value = self.n_timesteps_in_, self._padding
        if value is None and (rows.lengths < n_timesteps).any():
            raise ValueError(
                f"X must have rows of {n_timesteps} timesteps, as the array that "
                f"{type(self).__name__} was fitted on, got a list with a row of "
                f"{rows.lengths.min()}. Fit it on a list, or on a padded array with "
                f"mask_value."
            )
        if (value, n_timesteps) == (rows.mask_value, rows.n_timesteps):
            return rows.X
        value = PADDING if value is None else value
        return compacted(rows.X, rows.mask_value, value, n_timesteps)

    @property
    def _prepare(self):
        return self._scaling

    def _before_training(self, given, rows, recipe):
        self._scaling = Scaling(self.scale, self._padding, self.loss)
        # Each column of a table has its own scale, and each feature of sequences.
        X = rows.X
        shape = X.shape[2:] if self._n_dimensions_in == 3 else X.shape[1:]
        self._scaling.fit(X, rows.index, rows.weights, shape)

    def _network_and_loss(self, target):
        for name, (default, of, users) in _USED_BY.items():
            value = getattr(self, name)
            if getattr(self, of) not in users and value != default:
                raise ValueError(
                    f"{name} is used only with {of}={' or '.join(map(repr, users))}, "
                    f"got {name}={value!r} with {of}={getattr(self, of)!r}. Leave "
                    f"{name}={default!r}."
                )
        if self.tied_weights and self.variational:
            raise ValueError(
                "tied_weights must be False with variational=True, got True: a "
                "variational encoder's last layer gives means and variances."
            )
        if self.loss == "binary_crossentropy" and self.scale == "standard":
            raise ValueError(
                "scale must be 'minmax' with loss='binary_crossentropy', or None for "
                "values that are in [0, 1], got 'standard'."
            )
        crossentropy = self.loss == "binary_crossentropy"
        network = Autoencoder(
            **self._shape_in,
            head=None,
            encoder=self._encoder(**self._shape_in),
            n_components=int(self.n_components),
            output_activation="sigmoid" if crossentropy else None,
            tied_weights=bool(self.tied_weights),
            variational=bool(self.variational),
            masked=self._padding is not None,
            beta=float(self.beta),
            beta_warmup=int(self.beta_warmup),
            noise=_check_noise(self.noise),
            activity_l1=float(self.activity_l1),
            input=(self.scale, self._padding),
        )
        return network, self.loss, target

    def _encoder(self, n_timesteps, n_features):
        """Make the encoder as a network of its family, without a head."""
        sizes = check_sizes(
            "layer_sizes", self.layer_sizes, may_be_empty=self.kind == "dense"
        )
        n_layers = len(sizes)
        options = {
            "n_timesteps": n_timesteps,
            "n_features": n_features,
            "head": None,
            "normalization": self.normalization,
            "dropout": (0.0,) * n_layers,
        }
        if self.kind in ("lstm", "gru"):
            return Recurrent(
                **options,
                cell=self.kind,
                units=sizes,
                recurrent_dropout=(0.0,) * n_layers,
                pooling="last",
                layer_activation=(None,) * n_layers,
            )
        options["activation"] = check_activations(
            "activation", self.activation, n_layers
        )
        if self.kind == "dense":
            return Dense(**options, dense_units=sizes)
        return Convolutional(
            **options,
            filters=sizes,
            kernel_size=check_sizes("kernel_size", self.kernel_size, n_layers),
            padding="same",
            pool_size=(2,) * n_layers,
            pooling="flatten",
        )


@dataclass(frozen=True)
class _SeenRows:
    """A random sample of rows, in which all rows so far are equally probable."""

    rows: np.ndarray
    n_seen: int

    def and_also(self, X, seed):
        """Add further rows to the sample (reservoir sampling)."""
        most = min(_MIXTURE_ROWS, max(_KEPT_VALUES // math.prod(X.shape[1:]), 2))
        n_free = max(most - len(self.rows), 0)
        rows = np.concatenate([self.rows, X[:n_free]])
        numbers = self.n_seen + np.arange(len(X))[n_free:]
        places = np.random.default_rng([seed, self.n_seen]).integers(numbers + 1)
        rows[places[places < most]] = X[n_free + np.flatnonzero(places < most)]
        return _SeenRows(rows, self.n_seen + len(X))


def default_autoencoder(shape):
    """Make the autoencoder that other estimators use by default."""
    n_components = min(8, max(math.prod(shape) // 2, 1))
    return AutoencoderTransformer(n_components, early_stopping=True)


def _check_noise(noise):
    """Validate ``noise``, and return its kind and level, or None."""
    if noise is None or isinstance(noise, Real):
        noise = "gaussian", noise or 0.0
    if (
        len(noise) != 2
        or noise[0] not in ("gaussian", "masking")
        or not isinstance(noise[1], Real)
        or not math.isfinite(noise[1])
        or noise[1] < 0
        or (noise[0] == "masking" and noise[1] >= 1)
    ):
        raise ValueError(
            f"noise must be a standard deviation of Gaussian noise, or ('gaussian', "
            f"standard deviation) or ('masking', fraction in [0, 1)), got {noise!r}."
        )
    kind, level = noise
    return (kind, float(level)) if level else None


def _fit_mixture(codes, seed):
    """Fit a mixture of Gaussians to codes; BIC chooses their number."""
    if len(codes) < 2:
        raise ValueError(
            f"sample needs codes of at least 2 training rows, got {len(codes)}. Fit on "
            f"more rows."
        )
    # In float32, covariances may not be positive definite.
    codes = codes.astype(np.float64)
    best, least = None, np.inf
    for size in _MIXTURE_SIZES:
        if size > 1 and 10 * size > len(codes):
            break
        with warnings.catch_warnings():
            # A mixture that has not converged is compared as it is.
            warnings.simplefilter("ignore", ConvergenceWarning)
            mixture = GaussianMixture(size, random_state=seed).fit(codes)
        criterion = mixture.bic(codes)
        if criterion < least:
            best, least = mixture, criterion
    return best


# The name of the class in files of version 0.1.
_Scaling = Scaling
