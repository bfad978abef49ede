"""The base class of regressors: numbers, scaled inside, and quantiles."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from sklearn.base import RegressorMixin

from skseq._engine.losses import LOSS, quantiles_of, takes_negative
from skseq._engine.networks import Head
from skseq._parameters import parameter
from skseq._rows import Given
from skseq._supervised import SupervisedEstimator
from skseq._targets import Numbers
from skseq._validation import public_fit

if TYPE_CHECKING:
    from typing import Self

    from numpy.typing import ArrayLike

    from skseq._engine.types import Loss


class SequenceRegressor(RegressorMixin, SupervisedEstimator):
    """Base class of regressors.

    A family defines ``_network``, which makes the network for a head.

    Attributes
    ----------
    n_outputs_ : int
        Number of columns of y.

    target_shift_ : ndarray of shape (`n_outputs_`,)
        The number that is subtracted from each column of y before training: the mean of
        the column over the training rows, or 0.

    target_scale_ : ndarray of shape (`n_outputs_`,)
        The number by which each column of y is then divided. The predictions of
        ``predict`` and of ``model_`` are in the units of y.

    quantiles_ : ndarray of shape (n_quantiles,)
        The quantile levels that the network predicts, such as 0.5 for the median. Only
        with ``loss="quantile"``.
    """

    epochs: int | Literal["auto"] = 50  # type: ignore[assignment]

    loss: Loss = parameter(
        default="mse",
        constraint=[*LOSS, None],
        text="""str, keras.losses.Loss, callable or None
        The loss, the function that training minimizes: the name of a Keras loss for
        regression, ``"quantile"`` (pinball loss; the quantile levels are set in
        ``loss_params``, by default 0.5), a loss object, or a function ``loss(y_true,
        y_pred)``. ``"mse"``, ``"mae"`` and ``"quantile"`` are computed on the scaled
        target, so that all columns of y have the same influence. All other losses, and
        ``delta`` of ``"huber"``, are in the units of y. ``"poisson"`` and
        ``"mean_squared_logarithmic_error"`` need a non-negative y; predictions are then
        positive. None: ``"mse"``; for a Keras model of your own that is compiled, the
        loss it was compiled with.""",
        group="training",
    )
    scale_target: bool = parameter(
        default=True,
        constraint=["boolean"],
        text="""bool
        Whether each column of y is standardized for training, with the weighted mean
        and standard deviation of the training rows. If the loss needs a non-negative y
        (see ``loss``), y is divided by its mean instead. Predictions are in the units
        of y in any case. ``warm_start`` and ``partial_fit`` keep the mean and standard
        deviation of the first call.""",
        group="training",
    )

    _target_kind = Numbers

    _default_rate: ClassVar[float | None] = 0.005

    @classmethod
    def _hint(cls, name, values):
        if name in ("class_weight", "class_weights"):
            return (
                " Leave it out: regressors have no classes; pass sample_weight to fit."
            )
        return super()._hint(name, values)

    @public_fit
    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        X_val: ArrayLike | None = None,
        y_val: ArrayLike | None = None,
        sample_weight_val: ArrayLike | None = None,
        groups: ArrayLike | None = None,
        X_unlabeled: ArrayLike | None = None,
    ) -> Self:
        """Fit the network.

        Parameters
        ----------
        X : array-like or dataframe of shape (n_samples, n_timesteps, n_features) or \
                (n_samples, n_columns)
            Training sequences, without missing values. ``n_timesteps`` determines how
            the columns of a 2-D X form timesteps.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Target values, without missing values. The columns of a 2-D y may be several
            targets, or several future timesteps of one target.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights. They are divided by their mean, so that only their
            ratios matter. Rows with weight zero are not used.
        X_val : array-like of the same kind as X, default=None
            Validation rows. With ``early_stopping``, they are used in place of held-out
            training rows. Otherwise they do not affect training; their loss and
            ``monitor`` after each epoch are in ``history_``.
        y_val : array-like of the same kind as y, default=None
            Target values of ``X_val``.
        sample_weight_val : array-like of shape (n_val_samples,), default=None
            Weights of the rows of ``X_val``, for the validation loss and score.
        groups : array-like of shape (n_samples,), default=None
            Group of each row, such as a customer. ``early_stopping`` holds out whole
            groups, so that no group is in both the training and the validation rows.
        X_unlabeled : array-like of the same kind as X, default=None
            Further rows, without y. An unfitted autoencoder in ``pretrained`` is fitted
            on these rows and on the training rows of X. The earlier steps of a pipeline
            do not transform these rows: transform them before you pass them.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If the data or a parameter is invalid, or if the loss becomes NaN or
            infinite. An estimator that was fitted before keeps its earlier fit.
        TypeError
            If X is sparse, or a parameter has the wrong type.
        """
        given = Given(
            X, y, sample_weight, groups, X_val, y_val, sample_weight_val, X_unlabeled
        )
        self._fit_all(given)
        return self

    @public_fit
    def partial_fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> Self:
        """Train for one epoch on X, starting from the current weights.

        The first call determines how y is scaled (see ``scale_target``): pass it rows
        whose targets have a typical range.

        Parameters
        ----------
        X : array-like or dataframe of shape (n_samples, n_timesteps, n_features) or \
                (n_samples, n_columns)
            A part of the training sequences.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            The target values of these rows.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If ``y`` has a different number of columns than in the first call, or
            ``early_stopping`` is True.
        """
        self._check_partial()
        resume = self.__sklearn_is_fitted__()
        self._fit(Given(X, y, sample_weight), epochs=1, resume=resume, min_rows=1)
        return self

    @public_fit
    def initialize(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Initialize the weights without training, so that ``predict`` can be called.

        Parameters
        ----------
        X : array-like or dataframe of shape (n_samples, n_timesteps, n_features) or \
                (n_samples, n_columns)
            Sequences with the shape of the training sequences.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Target values, from which the scaling is learned.

        Returns
        -------
        self : object
            The estimator with its initial weights.
        """
        self._fit(Given(X, y), epochs=0)
        return self

    def predict(self, X: ArrayLike) -> np.ndarray:
        """Predict the target.

        Parameters
        ----------
        X : array-like or dataframe of shape (n_samples, n_timesteps, n_features) or \
                (n_samples, n_columns)
            Sequences with the same features as the X of ``fit``.

        Returns
        -------
        predictions : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Predictions, in the units of y, and 1-D or 2-D as the y of ``fit``. If the
            network predicts several quantiles, the one nearest to 0.5 is returned.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        ValueError
            If the shape or the columns of X differ from those in ``fit``.
        """
        outputs = self._outputs(X)
        return self._fitted_target().predicted(outputs)

    def predict_quantiles(self, X: ArrayLike) -> np.ndarray:
        """Predict the quantiles of the target, with ``loss="quantile"``.

        Parameters
        ----------
        X : array-like or dataframe of shape (n_samples, n_timesteps, n_features) or \
                (n_samples, n_columns)
            Sequences with the same features as the X of ``fit``.

        Returns
        -------
        quantiles : ndarray of shape (n_samples, n_quantiles) or \
                (n_samples, n_outputs, n_quantiles)
            Quantiles in the order of ``quantiles_``. They are sorted along the last
            axis, so that a higher quantile is never below a lower one [1]_.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        ValueError
            If the estimator was fitted with another loss, or the shape of X differs
            from that in ``fit``.

        References
        ----------
        .. [1] V. Chernozhukov, I. Fernández-Val and A. Galichon, "Quantile and
           probability curves without crossing", Econometrica 78(3), 2010.

        Examples
        --------
        >>> import numpy as np
        >>> from skseq import DenseRegressor
        >>> X = np.random.default_rng(0).uniform(1, 2, size=(500, 1))
        >>> y = X[:, 0] * np.random.default_rng(1).normal(10, 1, size=500)
        >>> net = DenseRegressor(loss="quantile", random_state=0,
        ...                      loss_params={"quantile": (0.1, 0.5, 0.9)})
        >>> low, middle, high = net.fit(X, y).predict_quantiles(X).T
        >>> bool(0.7 < np.mean((low < y) & (y < high)) < 0.9)
        True
        """
        outputs = self._outputs(X)
        target = self._fitted_target()
        if target.quantiles is None:
            raise ValueError(
                f"predict_quantiles needs a fit with loss='quantile', got "
                f"loss={self._recipe.loss!r}. Set loss='quantile' and loss_params="
                f"{{'quantile': (0.1, 0.5, 0.9)}}, and fit again."
            )
        return target.by_quantile(outputs)

    # ------------------------------------------------------- steps of fit, see `_fit`

    def _fitted_target(self):
        """Get the target of the last fit."""
        return Numbers(
            self.n_outputs_,
            self._n_dimensions_out,
            quantiles=quantiles_of(self._recipe.loss, self._recipe.loss_params),
            shift=self.target_shift_,
            scale=self.target_scale_,
        )

    def _learn_target(self, y, classes, resume):
        if not resume:
            self.n_outputs_ = 1 if y.ndim == 1 else y.shape[1]
            self._n_dimensions_out = y.ndim
        return Numbers(
            self.n_outputs_,
            self._n_dimensions_out,
            takes_negative(self.loss or "mse"),
            quantiles_of(self.loss or "mse", self.loss_params),
        )

    def _network_and_loss(self, target):
        n_outputs = target.n_targets * len(target.quantiles or [None])
        activation = None if target.takes_negative else "softplus"
        network = self._network(Head(n_outputs, activation))
        if network.n_outputs != n_outputs:
            raise ValueError(
                f"model must have {n_outputs} outputs for y of {target.n_targets} "
                f"columns and loss={self.loss!r}, got {network.n_outputs}. Let the "
                f"function return the tensor before the last layer, which is then "
                f"added."
            )
        loss = self._chosen_loss() or "mse"
        return network, loss, replace(target, takes_negative=takes_negative(loss))

    def _scale_target(self, recipe, rows, target, resume):
        if not resume:
            target = target.scaled(rows.codes, rows.weights, self.scale_target)
            self.target_shift_, self.target_scale_ = target.shift, target.scale
        vars(self).pop("quantiles_", None)
        if target.quantiles is not None:
            self.quantiles_ = np.array(target.quantiles)
        shift, scale = self.target_shift_, self.target_scale_
        target = replace(target, shift=shift, scale=scale)
        scale = tuple(shift.tolist()), tuple(scale.tolist())
        return replace(recipe, target_scale=scale), target

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
