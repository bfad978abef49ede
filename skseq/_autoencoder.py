"""Autoencoders: codes of rows and sequences, learned without labels."""

import math
import warnings
from copy import copy
from numbers import Integral, Real

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.utils import check_array, check_random_state
from sklearn.utils.validation import check_is_fitted

from skseq._base import SequenceEstimator
from skseq._networks import ELEMENTWISE_LOSSES, PADDING, check_activation
from skseq._training import Rows, predict
from skseq._validation import (
    Interval,
    StrOptions,
    check_sequences,
    check_sizes,
    restores_on_error,
)

# Parameters that not all autoencoders use: the default, and where they are used.
_USED_BY = {
    "activation": ("relu", "kind", ("dense", "conv1d")),
    "kernel_size": (5, "kind", ("conv1d",)),
    "tied_weights": (False, "kind", ("dense",)),
    "beta": (1.0, "variational", (True,)),
    "beta_warmup": (10, "variational", (True,)),
}

# Rows of training whose codes are kept for `sample`, at most.
_MIXTURE_ROWS = 10_000

# Numbers of Gaussians among which `sample` chooses by BIC.
_MIXTURE_SIZES = (1, 2, 4, 8, 16, 32)

# Rows from which a scale is learned go through memory in blocks of so many values.
_BLOCK_VALUES = 2**23

_SCALERS = {"standard": StandardScaler, "minmax": MinMaxScaler}


class _Scaling:
    """How rows are scaled before the network, and back after it.

    Called with rows of shape (n_samples, n_timesteps, n_features), it gives what the
    network reads, float32, with `PADDING` at timesteps that are padding.
    """

    def __init__(self, scale, mask_value, loss):
        self._scale = scale
        self._mask_value = mask_value
        self._in_unit_range = loss == "binary_crossentropy"
        self._shift = self._factor = None

    def fit(self, X, index, weights, shape):
        """Learn shift and factor of each column; ``shape`` arranges them."""
        if self._scale is None:
            return
        scaler, n_columns = _SCALERS[self._scale](), math.prod(shape)
        size = max(_BLOCK_VALUES // math.prod(X.shape[1:]), 1)
        for start in range(0, len(weights), size):
            rows = slice(start, start + size)
            block = X[rows] if index is None else X[index[rows]]
            if self._mask_value is not None:
                # Scalers leave NaN out.
                block = np.where(self._is_padding(block)[..., None], np.nan, block)
            block = block.reshape(-1, n_columns)
            options = {}
            if self._scale == "standard" and (weights != 1).any():
                repeats = len(block) // len(weights[rows])
                options["sample_weight"] = np.repeat(weights[rows], repeats)
            with np.errstate(invalid="ignore"):  # of a column without values, see below
                scaler.partial_fit(block, **options)
        if self._scale == "standard":
            shift, factor = scaler.mean_, scaler.scale_
        else:
            shift, factor = scaler.data_min_, 1 / scaler.scale_
        if np.isnan(shift).any():
            raise ValueError(
                f"Each column of X must have a value in some row, got "
                f"{int(np.isnan(shift).sum())} that are padding in all. Drop them."
            )
        self._shift, self._factor = shift.reshape(shape), factor.reshape(shape)

    def _is_padding(self, X):
        """Timesteps in which every feature is the mask value."""
        return (self._mask_value == X).all(axis=2)

    def __call__(self, X):
        scaled = X if self._shift is None else (X - self._shift) / self._factor
        with np.errstate(over="ignore"):  # it is told of below
            scaled = scaled.astype(np.float32)
        if self._mask_value is not None:
            padding = self._is_padding(X)
            empty = padding.all(axis=1).sum()
            if empty:
                raise ValueError(
                    f"Each row must have a timestep that is no padding, got {empty} "
                    f"rows with mask_value={self._mask_value!r} alone. Leave them out."
                )
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

    def inverse(self, rows):
        """Rows in the units of X, from what the network gives."""
        if self._shift is None:
            return rows
        dtype = rows.dtype
        return rows * self._factor.astype(dtype) + self._shift.astype(dtype)


class AutoencoderTransformer(
    ClassNamePrefixFeaturesOutMixin, TransformerMixin, SequenceEstimator
):
    """Learned codes of rows and sequences, and the way back: what PCA does, not linear.

    A network reads a row through a bottleneck of ``n_components`` numbers, its *code*,
    and is trained to give the row back [1]_. ``transform`` gives the codes,
    ``inverse_transform`` rows from codes, ``score_samples`` how well a row can be given
    back, which tells unusual rows, and ``sample`` new rows. No labels are used.

    The layers are Keras' own. Encoder and decoder mirror each other:

    - ``"dense"`` reads all values of a row at once, as a table or an image;
    - ``"lstm"`` and ``"gru"`` read a sequence step by step; the decoder gets the code
      at each timestep [2]_;
    - ``"conv1d"`` halves the number of timesteps at each layer (maximum of two), the
      decoder doubles it.

    With ``variational=True`` the encoder gives the mean and variance of a normal
    distribution, training draws the code from it, and its Kullback-Leibler divergence
    from the standard normal is part of the loss [3]_, with the factor ``beta`` [4]_
    that rises over the first epochs [5]_. Codes then fill the space without holes,
    which is what ``sample`` wants. ``noise`` makes it a denoising autoencoder [6]_.

    Parameters
    ----------
    n_components : int, default=2
        Numbers in a code.

    kind : {"dense", "lstm", "gru", "conv1d"}, default="dense"
        The layers of encoder and decoder.

    layer_sizes : int or tuple of int, default=(128, 64)
        Units or filters of the encoder's layers before the code, one for each layer;
        the decoder has the same in reverse order. ``"dense"`` may have none, and spans
        what PCA does.

    activation : str, callable or None, default="relu"
        Keras activation of the layers of ``"dense"`` and ``"conv1d"``. Codes have none.

    kernel_size : int or tuple of int, default=5
        Timesteps that each convolution of ``"conv1d"`` spans, one for all layers or one
        for each.

    normalization : {"batch"} or None, default=None
        Whether batch normalization follows each layer but the code and the output. The
        rows of an epoch are then shared out evenly over its steps, for a last batch of
        few rows would spoil what is normalized.

    tied_weights : bool, default=False
        Whether the decoder of ``"dense"`` uses the encoder's kernels, transposed.

    variational : bool, default=False
        Whether codes are distributions. ``transform`` gives their means.

    beta : float, default=1.0
        Weight of the divergence of a variational code. As the error is a mean over the
        cells of a row, the divergence is divided by their number: with 1.0 and
        ``"binary_crossentropy"`` the loss is the evidence lower bound, for each cell.

    beta_warmup : int, default=10
        Epochs over which the weight of the divergence rises to ``beta``.

    noise : float, tuple or None, default=None
        What training does to the rows that it reads, and not to those it is to give
        back: a standard deviation of Gaussian noise in units of the scaled values, also
        as ``("gaussian", 0.1)``, or ``("masking", 0.2)`` for a fraction in [0, 1) of
        the values that is set to 0.

    activity_l1 : float, default=0.0
        Weight of the sum of a code's absolute values in the loss, for sparse codes.

    scale : {"standard", "minmax"} or None, default="standard"
        How rows are scaled before the network and back after it: to mean 0 and variance
        1, or to [0, 1]. Columns of a 2-D X have a scale each, features of a 3-D X one
        for all timesteps. None: rows are taken as they are.

    loss : {"mse", "mae", "huber", "binary_crossentropy"}, default="mse"
        Error of a reconstructed value, in units of the scaled values.
        ``"binary_crossentropy"`` is for values in [0, 1], with ``scale="minmax"`` or
        None, and puts a sigmoid after the output; ``"minmax"`` then clips rows that lie
        outside the training rows' range.

    mask_value : float or None, default=None
        Timesteps in which every feature has this value are padding: recurrent layers
        skip them, other layers read zeros, and no error counts there.

    epochs : int, default=100
        Passes over the training rows.

    batch_size : int, default=32
        Rows for each step of the optimizer.

    optimizer : str, keras.optimizers.Optimizer or class of one, default="adam"
        An object's configuration is used, never the object itself.

    learning_rate : float, keras.optimizers.schedules.LearningRateSchedule or None, \
            default=None
        Step size of the optimizer, in place of an optimizer object's own. None keeps an
        object's own rate, and is 0.002 with a name.

    optimizer_params : dict or None, default=None
        Further arguments of the optimizer, such as ``{"clipnorm": 1.0}``.
        ``set_params(optimizer__clipnorm=1.0)`` sets one.

    callbacks : keras.callbacks.Callback, list or tuple of those, or None, default=None
        They are copied before use; the copies are ``callbacks_``. One with hooks for
        batches makes ``fit`` stop at each batch, which takes several times as long.

    early_stopping : bool, default=False
        Whether to hold out validation rows, to stop when the loss no longer improves on
        them, and to keep the best epoch's weights.

    validation_split : float or cross-validation splitter, default=0.1
        What ``early_stopping`` holds out: a fraction in (0, 1) of the rows, shuffled
        (and of whole groups, if ``groups`` are given to ``fit``), or the last split of
        a scikit-learn splitter.

    patience : int, default=10
        Epochs without improvement after which ``early_stopping`` stops.

    min_delta : float, default=0.0
        The least gain that counts as improvement for ``patience``.

    shuffle : bool, default=True
        Whether each epoch takes the rows in a new order.

    n_timesteps : int or None, default=None
        With a 2-D X: how many timesteps its columns hold, all features of the first
        timestep first. None: each column is a timestep with one feature.

    random_state : int, RandomState instance or None, default=None
        Determines the first weights, the order of rows, noise, drawn codes and the rows
        held out. Pass an int for the same result at each call.

    warm_start : bool, default=False
        Whether ``fit`` goes on from the last call for ``epochs`` more, with its
        weights, its scale, its optimizer's state and its epoch count.

    verbose : int, default=0
        1 shows a bar over the epochs, on standard error (where that is no terminal: one
        line at the end); 2 prints a line after each epoch.

    Attributes
    ----------
    n_features_in_ : int
        Columns of a 2-D X, or features of each timestep of a 3-D X.

    n_timesteps_in_ : int
        Timesteps that the network reads.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, if X was a dataframe whose names are all strings.

    history_ : dict of str to list of float
        A value for each epoch: ``"loss"``, and with validation rows ``"val_loss"``, in
        which ``beta`` has its full weight.

    n_iter_ : int
        Epochs run since the first weights were drawn.

    best_epoch_ : int
        Epoch with the least loss on the validation rows, counted from 1. Only with
        ``early_stopping`` or ``X_val``.

    best_score_ : float
        That loss. Only with ``early_stopping`` or ``X_val``.

    callbacks_ : list of keras.callbacks.Callback
        The copies of ``callbacks`` that were used.

    mixture_ : sklearn.mixture.GaussianMixture
        What ``sample`` draws codes from. Not if ``variational``; only after the first
        ``sample``.

    model_ : keras.Model
        A new standalone model with a copy of the weights, from scaled rows to scaled
        rows. Its layers ``"encoder"`` and ``"decoder"`` are models too.

    See Also
    --------
    AutoencoderOutlierDetector : Tells rows that can't be reconstructed.
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

    _parameter_constraints = {
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "kind": [StrOptions({"dense", "lstm", "gru", "conv1d"})],
        "layer_sizes": [Integral, tuple, list],
        "activation": [str, callable, None],
        "kernel_size": [Integral, tuple, list],
        "normalization": [StrOptions({"batch"}), None],
        "tied_weights": ["boolean"],
        "variational": ["boolean"],
        "beta": [Interval(Real, 0, None, closed="left")],
        "beta_warmup": [Interval(Integral, 0, None, closed="left")],
        "noise": [Interval(Real, 0, None, closed="left"), tuple, list, None],
        "activity_l1": [Interval(Real, 0, None, closed="left")],
        "scale": [StrOptions(set(_SCALERS)), None],
        "loss": [StrOptions(set(ELEMENTWISE_LOSSES))],
        "mask_value": [Real, None],
    }

    def __init__(
        self,
        n_components=2,
        *,
        kind="dense",
        layer_sizes=(128, 64),
        activation="relu",
        kernel_size=5,
        normalization=None,
        tied_weights=False,
        variational=False,
        beta=1.0,
        beta_warmup=10,
        noise=None,
        activity_l1=0.0,
        scale="standard",
        loss="mse",
        mask_value=None,
        epochs=100,
        batch_size=32,
        optimizer="adam",
        learning_rate=None,
        optimizer_params=None,
        callbacks=None,
        early_stopping=False,
        validation_split=0.1,
        patience=10,
        min_delta=0.0,
        shuffle=True,
        n_timesteps=None,
        random_state=None,
        warm_start=False,
        verbose=0,
    ):
        self.n_components = n_components
        self.kind = kind
        self.layer_sizes = layer_sizes
        self.activation = activation
        self.kernel_size = kernel_size
        self.normalization = normalization
        self.tied_weights = tied_weights
        self.variational = variational
        self.beta = beta
        self.beta_warmup = beta_warmup
        self.noise = noise
        self.activity_l1 = activity_l1
        self.scale = scale
        self.loss = loss
        self.mask_value = mask_value
        self.epochs = epochs
        self.batch_size = batch_size
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.optimizer_params = optimizer_params
        self.callbacks = callbacks
        self.early_stopping = early_stopping
        self.validation_split = validation_split
        self.patience = patience
        self.min_delta = min_delta
        self.shuffle = shuffle
        self.n_timesteps = n_timesteps
        self.random_state = random_state
        self.warm_start = warm_start
        self.verbose = verbose

    # What other networks have as parameters, and this one has not.
    monitor = "loss"
    metrics = loss_params = None

    # Rows are scaled in the precision in which they come.
    _dtype = (np.float64, np.float32)

    _default_rate = 0.002

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    @property
    def predict(self):
        """Not there: see ``transform`` and ``inverse_transform``."""
        self._absent("predict")

    # -------------------------------------------------------------------------- fit

    @restores_on_error
    def fit(
        self,
        X,
        y=None,
        sample_weight=None,
        *,
        X_val=None,
        sample_weight_val=None,
        groups=None,
    ):
        """Fit scale and network.

        Parameters
        ----------
        X : array-like or dataframe of shape (n_samples, n_timesteps, n_features) or \
                (n_samples, n_columns)
            Training rows, without missing values. The columns of a 2-D X are read step
            by step, see ``n_timesteps``.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights, not negative. Only their ratios count; a row of weight zero is a
            row that is not there.
        X_val : array-like of the same kind as X, default=None
            Rows to watch. With ``early_stopping`` they are watched in place of rows
            held out; without it they are only recorded in ``history_``.
        sample_weight_val : array-like of shape (n_val_samples,), default=None
            Weights of ``X_val``, in its loss.
        groups : array-like of shape (n_samples,), default=None
            Groups that ``early_stopping`` keeps on one side when it holds out rows.

        Returns
        -------
        self : object
            The fitted transformer.

        Raises
        ------
        ValueError
            If the data or a parameter is not as it must be, or the loss does not stay
            finite. A fitted transformer is then as it was.
        TypeError
            If X is sparse, or a parameter has the wrong type.
        """
        resume = bool(self.warm_start) and self.__sklearn_is_fitted__()
        return self._train(
            X, None, sample_weight, epochs=self.epochs, resume=resume, X_val=X_val,
            sample_weight_val=sample_weight_val, groups=groups,
            early_stopping=self.early_stopping,
        )  # fmt: skip

    @restores_on_error
    def partial_fit(self, X, y=None, sample_weight=None):
        """Train for one epoch over X, going on from where training stands.

        The scale is that of the first call's rows.

        Parameters
        ----------
        X : array-like or dataframe of shape (n_samples, n_timesteps, n_features) or \
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
        if self.early_stopping:
            raise ValueError(
                "early_stopping must be False with partial_fit, got True: which rows "
                "would be held out is not defined over calls."
            )
        resume = self.__sklearn_is_fitted__()
        return self._train(X, None, sample_weight, epochs=1, resume=resume, min_rows=1)

    @restores_on_error
    def initialize(self, X, y=None):
        """Learn the scale and draw the first weights, without training.

        Parameters
        ----------
        X : array-like or dataframe of shape (n_samples, n_timesteps, n_features) or \
                (n_samples, n_columns)
            Rows of the shape that is to come.
        y : None
            Ignored.

        Returns
        -------
        self : object
            The transformer with its first weights.
        """
        return self._train(X, None, None, epochs=0, resume=False)

    # --------------------------------------------------------------- what is learned

    def transform(self, X):
        """Codes of rows.

        Parameters
        ----------
        X : array-like or dataframe of shape (n_samples, n_timesteps, n_features) or \
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
        X = self._check(X)
        return self._ask("code", X).astype(X.dtype, copy=False)

    def inverse_transform(self, X):
        """Rows from codes.

        Parameters
        ----------
        X : array-like or dataframe of shape (n_samples, n_components)
            Codes, as ``transform`` gives them or any others.

        Returns
        -------
        rows : ndarray of shape (n_samples, n_timesteps, n_features) or \
                (n_samples, n_columns)
            As the X of ``fit`` was, in its units. Where rows were padded, these are
            not.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        ValueError
            If X has another number of columns than ``n_components``.
        """
        check_is_fitted(self)
        codes = check_array(X, dtype=self._dtype, input_name="X", estimator=self)
        if codes.shape[1] != self._n_features_out:
            raise ValueError(
                f"X must have {self._n_features_out} columns, one for each component, "
                f"as transform gives them, got {codes.shape[1]}."
            )
        return self._decoded(codes)

    def score_samples(self, X):
        """How well rows can be reconstructed; higher is more usual.

        Parameters
        ----------
        X : array-like or dataframe of shape (n_samples, n_timesteps, n_features) or \
                (n_samples, n_columns)
            Rows of the kind that the transformer was fitted on.

        Returns
        -------
        scores : ndarray of shape (n_samples,)
            The negative of ``reconstruction_error``.
        """
        return -self.reconstruction_error(X)

    def score(self, X, y=None):
        """The mean of ``score_samples``, for searches without labels.

        It compares candidates of equal ``loss`` and ``scale``.

        Parameters
        ----------
        X : array-like or dataframe of shape (n_samples, n_timesteps, n_features) or \
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

    def reconstruction_error(self, X, by="row"):
        """Error of the reconstruction, as ``loss`` measures it in the scaled values.

        Parameters
        ----------
        X : array-like or dataframe of shape (n_samples, n_timesteps, n_features) or \
                (n_samples, n_columns)
            Rows of the kind that the transformer was fitted on.
        by : {"row", "step", "feature"}, default="row"
            Over what the mean is taken: all values of a row; the features of each
            timestep; or the timesteps of each feature. Padding is left out.

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
            If ``by`` is another, or X has another shape than the X of ``fit``.

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

    def sample(self, n_samples=1, random_state=None):
        """New rows.

        A variational autoencoder decodes codes from the standard normal distribution.
        Another one has no distribution of codes: at its first call ``sample`` fits a
        mixture of Gaussians (`sklearn.mixture.GaussianMixture`, at most 32, their
        number by the Bayesian information criterion) to the codes of the training rows,
        of at most 10,000 of them drawn at random, and keeps it as ``mixture_``.

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
            As the X of ``fit`` was, in its units.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        ValueError
            If ``n_samples`` is no int of at least 1.
        """
        check_is_fitted(self)
        if not isinstance(n_samples, Integral) or n_samples < 1:
            raise ValueError(
                f"n_samples must be an int of at least 1, got {n_samples!r}."
            )
        rng = check_random_state(random_state)
        if self._recipe.network["variational"]:
            codes = rng.normal(size=(n_samples, self._n_features_out))
        else:
            if not hasattr(self, "mixture_"):
                self.mixture_ = _fit_mixture(self._codes, int(self._seeds[0]))
            mixture = copy(self.mixture_).set_params(random_state=rng)
            # They come component by component.
            codes = rng.permutation(mixture.sample(n_samples)[0])
        return self._decoded(codes)

    # ------------------------------------------------------- between rows and network

    def _check(self, X):
        check_is_fitted(self)
        return check_sequences(self, X, reset=False, dtype=self._dtype)

    def _ask(self, name, X):
        prepare = None if name == "rows" else self._prepare  # codes are as they are
        return predict(self._recipe, self._state.weights, X, name=name, prepare=prepare)

    @property
    def _prepare(self):
        """What the network reads, from rows; see `skseq._training.Rows`."""
        return self._scaling

    def _decoded(self, codes):
        rows = self._ask("rows", np.ascontiguousarray(codes, np.float32))
        rows = self._scaling.inverse(rows.astype(codes.dtype, copy=False))
        return rows if self._n_dimensions_in == 3 else rows.reshape(len(rows), -1)

    # ----------------------------------------- what `SequenceEstimator._train` asks

    def _network(self):
        for name, (default, of, users) in _USED_BY.items():
            value = getattr(self, name)
            if getattr(self, of) not in users and value != default:
                raise ValueError(
                    f"{name} is used with {of}={' or '.join(map(repr, users))} alone, "
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
        return {
            "family": "autoencoder",
            "encoder": self._encoder(),
            "n_components": int(self.n_components),
            "tied_weights": bool(self.tied_weights),
            "variational": bool(self.variational),
            "beta": float(self.beta),
            "beta_warmup": int(self.beta_warmup),
            "noise": _check_noise(self.noise),
            "activity_l1": float(self.activity_l1),
            "masked": self.mask_value is not None,
            # Of no concern to the network, but to going on with it.
            "input": (self.scale, self.mask_value),
        }

    def _encoder(self):
        """The encoder as a network of the family that it is of."""
        recurrent = self.kind in ("lstm", "gru")
        sizes = check_sizes(
            "layer_sizes", self.layer_sizes, may_be_empty=self.kind == "dense"
        )
        options = {
            "normalization": self.normalization,
            "dropout": (0.0,) * len(sizes),
            "activation": self.activation,
        }
        if not recurrent:
            check_activation("activation", self.activation)
        if self.kind == "dense":
            return {**options, "family": "dense", "dense_units": sizes}
        options["dense_units"] = ()
        if recurrent:
            return {
                **options,
                "family": "recurrent",
                "cell": self.kind,
                "units": sizes,
                "bidirectional": False,
                "recurrent_dropout": (0.0,) * len(sizes),
                "pooling": "last",
                "layer_activation": (None,) * len(sizes),
            }
        return {
            **options,
            "family": "convolutional",
            "filters": sizes,
            "kernel_size": check_sizes("kernel_size", self.kernel_size, len(sizes)),
            "padding": "same",
            "pool_size": (2,) * len(sizes),
            "pooling": "flatten",
        }

    def _head(self):
        crossentropy = self.loss == "binary_crossentropy"
        return self.loss, {"output_activation": "sigmoid" if crossentropy else None}

    def _check_target(self, y, n_rows, name="y"):
        return np.zeros(n_rows, int)

    def _encode_target(self, y, *, resume, classes):
        return y

    def _encode(self, y, name):
        return y

    def _strata(self, y):
        return y

    def _check_parts(self, y, rest, held_out, remedy):
        """Any rows will do."""

    def _rows(self, X, index, y, weights, recipe, *, class_weight=False):
        weights = (weights / weights.mean()).astype(np.float32)
        return Rows(X, index, None, weights, self._prepare)

    def _settle_before(self, X, index, weights, X_unlabeled, recipe, seeds):
        self._scaling = _Scaling(self.scale, self.mask_value, self.loss)
        # The columns of a table have a scale each; a feature of sequences has one.
        shape = X.shape[2:] if self._n_dimensions_in == 3 else X.shape[1:]
        self._scaling.fit(X, index, weights, shape)

    def _settle_after(self, X, index):
        self._n_features_out = int(self.n_components)
        vars(self).pop("mixture_", None)
        self._codes = None
        if not self.variational:
            n_rows = len(X) if index is None else len(index)
            rng = np.random.default_rng(self._seeds[0])
            rows = np.arange(n_rows)
            if n_rows > _MIXTURE_ROWS:
                rows = np.sort(rng.choice(n_rows, _MIXTURE_ROWS, replace=False))
            self._codes = self._ask("code", X[rows if index is None else index[rows]])


def default_autoencoder(shape):
    """What others use that are given no autoencoder, for rows of a shape."""
    n_components = min(8, max(math.prod(shape) // 2, 1))
    return AutoencoderTransformer(n_components, early_stopping=True)


def _check_noise(noise):
    """None, or the kind of noise and its level."""
    if noise is None or isinstance(noise, Real):
        noise = "gaussian", noise or 0.0
    if (
        len(noise) != 2
        or noise[0] not in ("gaussian", "masking")
        or not isinstance(noise[1], Real)
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
    """A mixture of Gaussians for codes, their number by the Bayesian criterion."""
    if len(codes) < 2:
        raise ValueError(
            f"sample needs codes of at least 2 training rows, got {len(codes)}. Fit on "
            f"more rows."
        )
    codes = codes.astype(np.float64)  # or covariances are not positive to its precision
    best, least = None, np.inf
    for size in _MIXTURE_SIZES:
        if size > 1 and 10 * size > len(codes):
            break
        with warnings.catch_warnings():
            # One that has not settled is compared as it is.
            warnings.simplefilter("ignore", ConvergenceWarning)
            mixture = GaussianMixture(size, random_state=seed).fit(codes)
        criterion = mixture.bic(codes)
        if criterion < least:
            best, least = mixture, criterion
    return best
