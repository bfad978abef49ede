"""A user's own Keras model as classifier and regressor."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from skseq._classification import SequenceClassifier
from skseq._engine.metrics import check_metrics
from skseq._engine.models import KERAS_MODEL, MODEL, build_own, load_model
from skseq._engine.optimizers import new_optimizer
from skseq._engine.recipe import State
from skseq._engine.weights import values_of
from skseq._functions import MissingFunction, StoredFunction
from skseq._parameters import Declared, parameter
from skseq._regression import SequenceRegressor
from skseq._supervised import SupervisedEstimator

if TYPE_CHECKING:
    from typing import Self

    from numpy.typing import ArrayLike

    from skseq._engine.types import Loss, Model, Optimizer


class KerasNetwork(Declared):
    """Mixin with the parameters of networks that the user builds."""

    model: Callable[..., Any] | Model | None = parameter(
        default=None,
        constraint=MODEL,
        text="""callable or keras.Model
        A function that builds the network, or a Keras model, whose configuration is
        used but not its weights. The function is called with those of the following
        arguments that are in its signature:

        - ``inputs``: a Keras tensor with the shape of X;
        - ``meta``: a dict that describes the data (``n_features_in_``,
          ``n_timesteps_in_``, ``X_shape_``, ``X_dtype_``, ``target_type_``,
          ``n_outputs_``, ``n_outputs_expected_``, and for classifiers ``classes_`` and
          ``n_classes_``);
        - ``compile_kwargs``: a dict with ``optimizer``, ``loss`` and ``metrics``, for
          ``model.compile``;
        - ``params``: the parameters of the estimator;
        - the arguments in ``model_params``.

        It returns either a tensor, to which the output layer is added, or a complete
        `keras.Model`.""",
        kw_only=False,
    )
    model_params: dict[str, Any] | None = parameter(
        default=None,
        constraint=[dict, None],
        text="""dict or None
        Arguments of the function in ``model``, such as ``{"width": 64}``. A single
        argument can be set with ``set_params(model__width=64)``.""",
    )
    optimizer: Optimizer = None

    _dict_parameters: ClassVar[dict[str, str]] = {
        **SupervisedEstimator._dict_parameters,
        "model": "model_params",
    }

    _takes_any_shape = True

    _too_long = (
        "a model of your own is built for this number of timesteps. Cut longer rows "
        "with"
    )

    # Keras' own: a function brings the rate that suits it.
    _default_rate: ClassVar[float | None] = None

    @classmethod
    def from_keras(
        cls,
        model: str | os.PathLike[str] | Model,
        X: ArrayLike,
        y: ArrayLike,
        *,
        custom_objects: dict[str, Any] | None = None,
        **params: Any,
    ) -> Self:
        """Make a fitted estimator from a trained Keras model.

        The estimator has the weights of the model. ``partial_fit``, or ``fit`` with
        ``warm_start=True``, continues to train them.

        Parameters
        ----------
        model : str, path or keras.Model
            A Keras model, or a file written by ``model.save``.
        X : array-like or dataframe of shape (n_samples, ...)
            Some rows with the shape that the model reads. Only their shape, dtype and
            column names are used.
        y : array-like of shape (n_samples,)
            The targets of these rows. For a classifier, every class must occur; the
            outputs of the model must be in the order of the sorted class labels.
        custom_objects : dict of str to type or callable, default=None
            Your own classes and functions that the file refers to, by name.
        **params : dict
            Parameters of the estimator.

        Returns
        -------
        estimator : object
            A fitted estimator.

        Raises
        ------
        ValueError
            If the inputs or outputs of the model do not match X or y.
        """
        if not isinstance(model, KERAS_MODEL):
            model = load_model(model, custom_objects)
        if "scale_target" in cls._parameters:  # its outputs have the units of y
            params = {"scale_target": False, **params}
        estimator = cls(model, **params).initialize(X, y)
        estimator._state = State(values_of(model.weights), [])
        return estimator

    @classmethod
    def _hint(cls, name, values):
        function = values.get("model")
        if callable(function) and name in inspect.signature(function).parameters:
            return f" Use model__{name}, or model_params."
        return super()._hint(name, values)

    def _saved(self):
        state = super()._saved()
        if callable(self.model) and not isinstance(self.model, KERAS_MODEL):
            owner = f"{type(self).__name__}.model"
            state["model"] = StoredFunction(self.model, owner)
        return state

    def _network(self, head):
        if isinstance(self.model, MissingFunction):
            raise ValueError(
                f"model must be a function or a keras.Model, got {self.model!r}. Set "
                f"it to the function with set_params(model=...)."
            )
        if self.validation_split != 0.1 and not self.early_stopping:
            raise ValueError(
                f"validation_split is used with early_stopping=True, got "
                f"validation_split={self.validation_split!r} and early_stopping="
                f"{self.early_stopping!r}. Set early_stopping=True, or pass X_val and "
                f"y_val to fit for val_loss in history_."
            )
        self._built = build_own(
            self.model, dict(self.model_params or {}), self._offered(),
            self._shape_read[1:], head,
        )  # fmt: skip
        return self._built.network

    @property
    def _shape_read(self):
        """tuple of int: the shape of X as the model reads it."""
        n_samples, n_timesteps, *rest = self._X_shape
        return n_samples, self._longest if rest else n_timesteps, *rest

    def _offered(self):
        """Collect the arguments that the user's function may take."""
        return {
            "inputs": lambda: None,
            "meta": self._meta,
            "params": self.get_params,
            "compile_kwargs": self._for_compile,
        }

    def _for_compile(self):
        optimizer = "adam" if self.optimizer is None else self.optimizer
        options = self.learning_rate, self._optimizer_options(optimizer)
        return {
            "optimizer": new_optimizer(optimizer, *options),
            "loss": self.loss,
            "metrics": list(check_metrics(self.metrics)) or None,
        }

    def _meta(self):
        """Describe the data to the user's function, with the names of SciKeras."""
        names = ("n_features_in_", "n_timesteps_in_", "classes_", "n_classes_")
        found = {name: getattr(self, name, None) for name in names}
        n_outputs = getattr(self, "n_outputs_", 1)
        if found["classes_"] is not None:
            kind = "binary" if found["n_classes_"] == 2 else "multiclass"
        else:
            kind = "continuous" if n_outputs == 1 else "continuous-multioutput"
        return {
            **found,
            "X_shape_": self._shape_read,
            "X_dtype_": np.dtype(np.float32),
            "target_type_": kind,
            "n_outputs_": n_outputs,
            "n_outputs_expected_": n_outputs,
        }

    def _chosen_optimizer(self):
        if self.optimizer is None and self._built.optimizer is not None:
            return self._built.optimizer
        return super()._chosen_optimizer()

    def _chosen_loss(self):
        return self._built.loss if self.loss is None else self.loss

    def _loss_options(self):
        options = super()._loss_options()
        if self.metrics is None and self._built.metrics:
            options["metrics"] = check_metrics(self._built.metrics)
        return options

    def _before_training(self, given, rows, recipe):
        if self.pretrained is not None:
            raise ValueError(
                f"pretrained must be None with a model of your own, got "
                f"{self.pretrained!r}. Set the weights of its layers in the function."
            )
        super()._before_training(given, rows, recipe)

    def _first_state(self, recipe, seed, rows, target):
        state = super()._first_state(recipe, seed, rows, target)
        given = self._built.weights
        weights = [given.get(i, weight) for i, weight in enumerate(state.weights)]
        return State(weights, state.optimizer)

    def _settle(self, *args):
        super()._settle(*args)
        del self._built


class KerasClassifier(KerasNetwork, SequenceClassifier):
    """Classifier with a Keras model of your own.

    A function that you pass builds the network; everything else is as in the other
    classifiers. Functions written for SciKeras [1]_ can be used unchanged.

    See Also
    --------
    LSTMClassifier : LSTM network, configured by parameters.

    References
    ----------
    .. [1] A. García Badaracco, "SciKeras", https://github.com/adriangb/scikeras, 2020.

    Examples
    --------
    >>> import keras
    >>> import numpy as np
    >>> from sklearn.model_selection import GridSearchCV
    >>> from skseq import KerasClassifier
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 8, 2))
    >>> y = np.where(X[:, :, 0].sum(axis=1) > 0, "up", "down")
    >>> def model(inputs, width=16):
    ...     return keras.layers.LSTM(width)(inputs)
    >>> net = KerasClassifier(model, learning_rate=0.01, random_state=0)
    >>> search = GridSearchCV(net, {"model__width": [8, 16]}, cv=2, scoring="roc_auc")
    >>> bool(search.fit(X, y).best_score_ > 0.9)
    True
    """

    __module__ = "skseq"


class KerasRegressor(KerasNetwork, SequenceRegressor):
    """Regressor with a Keras model of your own.

    A function that you pass builds the network; everything else is as in the other
    regressors. Functions written for SciKeras [1]_ can be used unchanged.

    See Also
    --------
    KerasClassifier : The same for classification.
    LSTMRegressor : LSTM network, configured by parameters.

    References
    ----------
    .. [1] A. García Badaracco, "SciKeras", https://github.com/adriangb/scikeras, 2020.

    Examples
    --------
    >>> import keras
    >>> import numpy as np
    >>> from skseq import KerasRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 8, 2))
    >>> y = 1000 + 100 * X[:, :, 0].mean(axis=1)
    >>> def model(inputs, width=16):
    ...     return keras.layers.GRU(width)(inputs)
    >>> net = KerasRegressor(model, learning_rate=0.01, random_state=0)
    >>> bool(net.fit(X, y).score(X, y) > 0.9)
    True
    """

    __module__ = "skseq"

    loss: Loss = None
