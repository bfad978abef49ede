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
    """Nonlinear dimensionality reduction with an invertible code, like PCA.

    An encoder reduces each row to a *code* of ``n_components`` numbers, and a decoder
    is trained together with it to reconstruct the row from the code [1]_.
    ``transform`` computes the codes of rows, ``inverse_transform`` computes rows from
    codes, ``score_samples`` measures how well rows are reconstructed (badly if they are
    unusual), and ``sample`` generates new rows. No labels are used.

    The layers are Keras' own. The decoder has the layers of the encoder in reverse
    order:

    - ``"dense"`` reads all values of a row at once, for a table or an image;
    - ``"lstm"`` and ``"gru"`` read a sequence step by step; the decoder gets the code
      at each timestep [2]_;
    - ``"conv1d"`` halves the number of timesteps at each layer (maximum of two), and
      the decoder doubles it.

    With ``variational=True`` the encoder gives the mean and variance of a normal
    distribution, from which training draws the code. The Kullback-Leibler divergence of
    this distribution from the standard normal distribution is then part of the loss
    [3]_, with a weight ``beta`` [4]_ that rises over the first epochs [5]_. Codes then
    fill the space without holes, which suits ``sample``. With ``noise`` it is a
    denoising autoencoder [6]_.

    Attributes
    ----------
    mixture_ : sklearn.mixture.GaussianMixture
        The distribution from which ``sample`` draws codes. Not if ``variational``; only
        after the first ``sample``.

    See Also
    --------
    AutoencoderOutlierDetector : Detects rows that are reconstructed poorly.
    sklearn.decomposition.PCA : The linear counterpart.
    SequenceReshaper : From the columns of a table to timesteps.

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
        Length of a code.""",
        kw_only=False,
    )
    kind: Literal["dense", "lstm", "gru", "conv1d"] = parameter(
        default="dense",
        constraint=[StrOptions({"dense", "lstm", "gru", "conv1d"})],
        text="""{"dense", "lstm", "gru", "conv1d"}
        The layers of encoder and decoder.""",
    )
    layer_sizes: int | Sequence[int] = parameter(
        default=(128, 64),
        constraint=[Integral, tuple, list],
        text="""int or tuple of int
        Units or filters of the encoder's layers before the code, one for each layer;
        the decoder has the same in reverse order. ``"dense"`` accepts ``()``; its codes
        then span the same space as PCA.""",
    )
    activation: Activations = parameter(
        default="relu",
        constraint=[*ACTIVATION, tuple, list],
        text="""str, dict, keras.layers.Layer, callable, None, or tuple of those
        Activation of the layers of ``"dense"`` and ``"conv1d"``: the name of a Keras
        activation, a dict with a name and options, a Keras layer or a function; a tuple
        has one for each layer of the encoder. Codes have no activation.""",
    )
    kernel_size: int | Sequence[int] = parameter(
        default=5,
        constraint=[Integral, tuple, list],
        text="""int or tuple of int
        Length of the convolution window of ``"conv1d"`` in timesteps, or one for each
        layer.""",
    )
    normalization: Literal["batch"] | None = parameter(
        default=None,
        constraint=[StrOptions({"batch"}), None],
        text="""{"batch"} or None
        Whether batch normalization follows each layer, except the code and the output.
        All batches of an epoch then have about the same number of rows, because the
        statistics of a last batch of few rows would be poor.""",
    )
    tied_weights: bool = parameter(
        default=False,
        constraint=["boolean"],
        text="""bool
        Whether the decoder of ``"dense"`` uses the transposed kernels of the encoder.
        """,
    )
    variational: bool = parameter(
        default=False,
        constraint=["boolean"],
        text="""bool
        Whether codes are distributions. ``transform`` gives their means.""",
    )
    beta: float = parameter(
        default=1.0,
        constraint=[Interval(Real, 0, None, closed="left")],
        text="""float
        Weight of the divergence of a variational code. The error is a mean over the
        values of a row, and therefore the divergence is divided by their number: with
        1.0 and ``"binary_crossentropy"`` the loss is the negative evidence lower bound
        for each value.""",
    )
    beta_warmup: int = parameter(
        default=10,
        constraint=[Interval(Integral, 0, None, closed="left")],
        text="""int
        Epochs over which the weight of the divergence rises to ``beta``.""",
    )
    noise: float | tuple[str, float] | None = parameter(
        default=None,
        constraint=[Interval(Real, 0, None, closed="left"), tuple, list, None],
        text="""float, tuple or None
        Noise that training adds to the input, but not to the rows that are to be
        reconstructed: a standard deviation of Gaussian noise in units of the scaled
        values, also as ``("gaussian", 0.1)``, or ``("masking", 0.2)`` to set a fraction
        in [0, 1) of the values to 0. None: no noise.""",
    )
    activity_l1: float = parameter(
        default=0.0,
        constraint=[Interval(Real, 0, None, closed="left")],
        text="""float
        Weight of the sum of a code's absolute values in the loss, for sparse codes.""",
    )
    scale: Literal["standard", "minmax"] | None = parameter(
        default="standard",
        constraint=[StrOptions(set(SCALERS)), None],
        text="""{"standard", "minmax"} or None
        The scaling of rows before the network, undone after it: to mean 0 and variance
        1, or to [0, 1]. Each column of a 2-D X has its own scale; a feature of a 3-D X
        has one scale for all timesteps. None: no scaling.""",
    )
    loss: Literal["mse", "mae", "huber", "binary_crossentropy"] = parameter(
        default="mse",
        constraint=[StrOptions(set(ELEMENTWISE_LOSSES))],
        text="""{"mse", "mae", "huber", "binary_crossentropy"}
        Error of a reconstructed value, in units of the scaled values.
        ``"binary_crossentropy"`` needs values in [0, 1], by ``scale="minmax"`` or by
        themselves with ``scale=None``, and adds a sigmoid to the output; ``"minmax"``
        then clips values outside the range of the training rows.""",
        group="training",
    )
    mask_value: float | None = parameter(
        default=None,
        constraint=[Real, None],
        text="""float or None
        Timesteps in which every feature has this value are padding; NaN is possible.
        Recurrent layers skip them, other layers read zeros, and errors at padding do
        not count. None: there is no padding. A list of sequences of different lengths
        needs none: its rows are padded inside, to the longest row of ``fit``.""",
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
            Training rows, without missing values. The columns of a 2-D X are read step
            by step, see ``n_timesteps``.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights, not negative. Only their ratios count; rows of weight zero are left
            out.
        X_val : array-like of the same kind as X, default=None
            Validation rows. With ``early_stopping`` they replace rows held out; without
            it they are only recorded in ``history_``.
        sample_weight_val : array-like of shape (n_val_samples,), default=None
            Weights of ``X_val``, in its loss.
        groups : array-like of shape (n_samples,), default=None
            Groups of rows. ``early_stopping`` holds out whole groups.

        Returns
        -------
        self : object
            The fitted transformer.

        Raises
        ------
        ValueError
            If the data or a parameter can't be used, or the loss is not finite. A
            fitted transformer then stays as it was.
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
        """Train for one epoch over X, continuing from where training stands.

        The scale is learned from the rows of the first call.

        Parameters
        ----------
        X : list of array-like of shape (n_timesteps_i, n_features), or array-like or \
                dataframe of shape (n_samples, n_timesteps, n_features) or \
                (n_samples, n_columns)
            Some of the training rows.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights, not negative.

        Returns
        -------
        self : object
            The fitted transformer.

        Raises
        ------
        ValueError
            If ``early_stopping`` is True, or X has another shape than before.
        """
        self._check_partial()
        resume = self.__sklearn_is_fitted__()
        given = Given(X, None, sample_weight)
        rows = self._fit(given, epochs=1, resume=resume, min_rows=1)
        self._keep_rows(rows, resume)
        return self

    @public_fit
    def initialize(self, X: ArrayLike, y: None = None) -> Self:
        """Learn the scale and draw the first weights, without training.

        Parameters
        ----------
        X : list of array-like of shape (n_timesteps_i, n_features), or array-like or \
                dataframe of shape (n_samples, n_timesteps, n_features) or \
                (n_samples, n_columns)
            Rows of the shape that will be trained on.
        y : None
            Ignored.

        Returns
        -------
        self : object
            The transformer with its first weights.
        """
        self._keep_codes(self._fit(Given(X), epochs=0))
        return self

    # ---------------------------------------------------------- codes, errors, samples

    def transform(self, X: ArrayLike) -> Any:
        """Encode rows.

        Parameters
        ----------
        X : list of array-like of shape (n_timesteps_i, n_features), or array-like or \
                dataframe of shape (n_samples, n_timesteps, n_features) or \
                (n_samples, n_columns)
            Rows of the kind that the transformer was fitted on.

        Returns
        -------
        codes : ndarray or dataframe of shape (n_samples, n_components)
            Of X's dtype if that is float32 or float64; computed in float32. A
            dataframe if ``set_output`` asks for one.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        ValueError
            If X has another shape or other columns than the X of ``fit``.
        """
        rows = self._check(X)
        return self._ask("code", rows).astype(rows.dtype, copy=False)

    def inverse_transform(self, X: ArrayLike) -> np.ndarray:
        """Decode codes.

        Parameters
        ----------
        X : array-like or dataframe of shape (n_samples, n_components)
            Codes, from ``transform`` or any others.

        Returns
        -------
        rows : ndarray of shape (n_samples, n_timesteps, n_features) or \
                (n_samples, n_columns)
            Rows with the shape and units of the X of ``fit``, without padding. For
            lists, an array with the timesteps of the longest row: a code does not hold
            the length of its row.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        ValueError
            If X has another number of columns than ``n_components``.
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
        """Score how well rows are reconstructed; higher is more usual.

        Parameters
        ----------
        X : list of array-like of shape (n_timesteps_i, n_features), or array-like or \
                dataframe of shape (n_samples, n_timesteps, n_features) or \
                (n_samples, n_columns)
            Rows of the kind that the transformer was fitted on.

        Returns
        -------
        scores : ndarray of shape (n_samples,)
            The negative of ``reconstruction_error``.
        """
        return -self.reconstruction_error(X)

    def score(self, X: ArrayLike, y: None = None) -> float:
        """Compute the mean of ``score_samples``, for searches without labels.

        Scores are comparable between candidates of equal ``loss`` and ``scale``.

        Parameters
        ----------
        X : list of array-like of shape (n_timesteps_i, n_features), or array-like or \
                dataframe of shape (n_samples, n_timesteps, n_features) or \
                (n_samples, n_columns)
            Rows of the kind that the transformer was fitted on.
        y : None
            Ignored.

        Returns
        -------
        score : float
            Zero for a perfect reconstruction, and else negative.
        """
        return float(self.score_samples(X).mean())

    def reconstruction_error(
        self, X: ArrayLike, by: Literal["row", "step", "feature"] = "row"
    ) -> np.ndarray:
        """Compute the error of the reconstruction, by ``loss`` in the scaled values.

        Parameters
        ----------
        X : list of array-like of shape (n_timesteps_i, n_features), or array-like or \
                dataframe of shape (n_samples, n_timesteps, n_features) or \
                (n_samples, n_columns)
            Rows of the kind that the transformer was fitted on.
        by : {"row", "step", "feature"}, default="row"
            The mean is over all values of a row, over the features of each timestep, or
            over the timesteps of each feature. Padding is left out.

        Returns
        -------
        errors : ndarray of shape (n_samples,), (n_samples, n_timesteps) or \
                (n_samples, n_features)
            0 at a timestep that is padding.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        ValueError
            If ``by`` is none of these, or X has another shape than the X of ``fit``.

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
