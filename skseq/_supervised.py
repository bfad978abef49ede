"""The base class of networks with a target: loss, metrics, monitor, pretraining."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.metrics import check_scoring, get_scorer, get_scorer_names

from skseq._base import SequenceEstimator
from skseq._engine.metrics import METRICS, check_metrics
from skseq._parameters import parameter
from skseq._pretraining import (
    check_encoder,
    check_pretrained,
    fit_autoencoder,
    start_from,
)
from skseq._sequences import check_same_columns, check_sequences, take_rows
from skseq._validation import nearest

if TYPE_CHECKING:
    from skseq._engine.types import Metrics


class SupervisedEstimator(SequenceEstimator):
    """Base class of networks with a target.

    Attributes
    ----------
    pretrained_ : AutoencoderTransformer
        The fitted autoencoder with whose weights training started; the input of
        ``model_`` is then scaled by this autoencoder. Only with ``pretrained``.
    """

    loss_params: dict[str, Any] | None = parameter(
        default=None,
        constraint=[dict, None],
        text="""dict or None
        Arguments of the loss, such as ``{"gamma": 3.0}`` of
        ``"binary_focal_crossentropy"``, or ``{"quantile": 0.9}`` of ``"quantile"``.
        ``set_params(loss__gamma=3.0)`` sets one.""",
        group="training",
    )
    metrics: Metrics = parameter(  # type: ignore[assignment]
        default=None,
        constraint=METRICS,
        text="""str, keras.metrics.Metric, callable, list or tuple of those, or None
        Keras metrics to record in ``history_`` after each epoch.""",
        group="training",
    )
    monitor: str | Callable[..., float] = parameter(
        default="loss",
        constraint=[str, callable],
        text="""str or callable
        The score on the validation rows that decides on the best epoch: ``"loss"``, the
        name of a scikit-learn scorer such as ``"roc_auc"`` or ``"r2"``, or a
        scorer.""",
        group="validation",
    )
    pretrained: Any = parameter(
        default=None,
        constraint="no_validation",
        text="""AutoencoderTransformer, FrozenEstimator of one, or None
        Autoencoder whose encoder gives the first weights of the layers; it must have
        layers of the same kind. Either a fitted one in
        `sklearn.frozen.FrozenEstimator`, or an unfitted one that ``fit`` fits on its
        training rows and on ``X_unlabeled``. Rows are then scaled by the autoencoder. A
        convolutional network needs ``pool_size=2``, because the autoencoder halves the
        number of timesteps at each layer.""",
        group="other",
    )

    _dict_parameters: ClassVar[dict[str, str]] = {
        **SequenceEstimator._dict_parameters,
        "loss": "loss_params",
    }
    _nested_parameters: ClassVar[tuple[str, ...]] = ("pretrained",)

    def _loss_options(self):
        return {
            "loss_params": dict(self.loss_params or {}),
            "metrics": check_metrics(self.metrics),
        }

    def _new_recipe(self, target):
        if self.monitor != "loss":
            self._check_monitor()
        return super()._new_recipe(target)

    def _fit_all(self, given):
        """Take the steps of the public method ``fit``."""
        resume = bool(self.warm_start) and self.__sklearn_is_fitted__()
        if resume and given.X_unlabeled is not None:
            raise ValueError(
                "X_unlabeled must be None where warm_start continues, got an array: "
                "pretraining comes before the first fit."
            )
        self._fit(
            given, epochs=self.epochs, resume=resume, early_stopping=self.early_stopping
        )

    def _network(self, head):
        """Make the network of the family, with this head."""
        raise NotImplementedError

    # --------------------------------------------------------------------- monitor

    def _monitored(self, given, held_out, target):
        if self.monitor == "loss":
            return super()._monitored(given, held_out, target)
        scorer = self._check_monitor()
        target.check_monitor(self.monitor)
        if given.X_val is None:
            X, y = given.X, given.y
        else:
            X, y = given.X_val, given.y_val
        weights = held_out.weights
        options = {} if (weights == 1).all() else {"sample_weight": weights}
        # scikit-learn's own scorers pass X to the estimator, which has its outputs.
        is_named = isinstance(self.monitor, str)
        X = held_out.X[:0] if is_named else take_rows(X, held_out.index)
        y = take_rows(y, held_out.index)

        def score(outputs):
            try:
                value = scorer(target.scored(outputs), X, y, **options)
            except (AttributeError, TypeError, ValueError) as error:
                raise ValueError(
                    f"monitor={self.monitor!r} can't be computed on the validation "
                    f"rows: {str(error).rstrip('.')}. {target.MONITOR_REMEDY}"
                ) from error
            if not np.isfinite(value):
                raise ValueError(
                    f"monitor={self.monitor!r} must be a finite number on the "
                    f"validation rows, got {value}. {target.MONITOR_REMEDY}"
                )
            return value

        name = f"val_{self.monitor}" if is_named else "val_score"
        return {"monitor": name, "greater_is_better": True, "score": score}

    def _check_monitor(self):
        """Get the scorer that ``monitor`` names, or raise."""
        if not isinstance(self.monitor, str):
            return check_scoring(self, scoring=self.monitor)
        try:
            return get_scorer(self.monitor)
        except ValueError as error:
            names = ["loss", *get_scorer_names()]
            raise ValueError(
                f"monitor must be 'loss' or the name of a scikit-learn scorer, got "
                f"{self.monitor!r}.{nearest(self.monitor, names)}"
            ) from error

    # ------------------------------------------------------------------ pretraining

    @property
    def _prepare(self):
        autoencoder = getattr(self, "pretrained_", None)
        return None if autoencoder is None else autoencoder._prepare

    def _before_training(self, given, rows, recipe):
        vars(self).pop("pretrained_", None)
        check_pretrained(self.pretrained, given.X_unlabeled)
        if self.pretrained is None:
            return
        check_encoder(self.pretrained, recipe.network)
        X_unlabeled = given.X_unlabeled
        if X_unlabeled is not None:
            X_unlabeled = check_sequences(
                self, X_unlabeled, reset=False, name="X_unlabeled"
            )
        seed = int(np.random.default_rng(self._seeds[0]).integers(2**31))
        self.pretrained_ = fit_autoencoder(
            self.pretrained, rows, X_unlabeled, self.n_timesteps,
            self._n_dimensions_in == 2, seed,
        )  # fmt: skip
        check_same_columns(self.pretrained_, self, "pretrained")

    def _changed_network(self, recipe):
        if self.pretrained is not None and not hasattr(self, "pretrained_"):
            return f"pretrained={self.pretrained!r} after None"
        return super()._changed_network(recipe)

    def _first_state(self, recipe, seed, rows, target):
        state = super()._first_state(recipe, seed, rows, target)
        if self.pretrained is None:
            return state
        return start_from(self.pretrained_, recipe, state)
