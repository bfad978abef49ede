"""The base class of networks with a target: loss, metrics, monitor, pretraining."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.metrics import check_scoring, get_scorer, get_scorer_names

from skseq._base import SequenceEstimator
from skseq._engine.metrics import METRICS, check_metrics
from skseq._engine.train import predict
from skseq._lists import is_list_of_rows, take_rows
from skseq._padded import PaddedRows, as_padded
from skseq._parameters import parameter
from skseq._pretraining import (
    check_encoder,
    check_pretrained,
    fit_autoencoder,
    start_from,
)
from skseq._sequences import check_same_columns
from skseq._validation import nearest
from skseq._window_array import GatheredRows

if TYPE_CHECKING:
    from skseq._engine.types import Metrics


class SupervisedEstimator(SequenceEstimator):
    """Base class of networks with a target.

    Attributes
    ----------
    pretrained_ : AutoencoderTransformer
        The fitted autoencoder whose encoder gave the initial weights. The input of
        ``model_`` must be scaled as in this autoencoder. Only with ``pretrained``.
    """

    loss_params: dict[str, Any] | None = parameter(
        default=None,
        constraint=[dict, None],
        text="""dict or None
        Arguments of the loss, such as ``{"gamma": 3.0}`` for
        ``"binary_focal_crossentropy"``, or ``{"quantile": 0.9}`` for ``"quantile"``. A
        single argument can be set with ``set_params(loss__gamma=3.0)``.""",
        group="training",
    )
    metrics: Metrics = parameter(  # type: ignore[assignment]
        default=None,
        constraint=METRICS,
        text="""str, keras.metrics.Metric, callable, list or tuple of those, or None
        Keras metrics, such as ``"accuracy"`` or ``"mae"``, that are computed after each
        epoch and recorded in ``history_``. They do not affect training.""",
        group="training",
    )
    monitor: str | Callable[..., float] = parameter(
        default="loss",
        constraint=[str, callable],
        text="""str or callable
        The score on the validation rows that determines the best epoch: ``"loss"``, the
        name of a scikit-learn scorer such as ``"roc_auc"`` or ``"r2"``, or a scorer
        object.""",
        group="validation",
    )
    mask_value: float | None = parameter(
        default=None,
        constraint=[Real, None],
        text="""float or None
        Value that marks padding: a timestep in which every feature has this value is
        ignored. NaN is possible. Recurrent layers skip such timesteps; convolutions and
        ``pooling="flatten"`` read zeros in their place; means, maxima and batch
        normalization use the other timesteps only. With sequences of different lengths,
        prefer a ``pooling`` other than ``"flatten"``. None: X has no padding. Not
        needed for a list of sequences of different lengths.""",
        group="other",
    )
    pretrained: Any = parameter(
        default=None,
        constraint="no_validation",
        text="""AutoencoderTransformer, FrozenEstimator of one, or None
        Autoencoder whose encoder gives the initial weights of the layers (transfer
        learning). It needs layers of the same kind and size as the network. An unfitted
        autoencoder is fitted by ``fit``, on its training rows and on ``X_unlabeled``.
        To use a fitted one, wrap it in `sklearn.frozen.FrozenEstimator`. The network
        then reads X as it is scaled by the autoencoder. A convolutional network needs
        ``pool_size=2``, because the autoencoder halves the number of timesteps at each
        layer.""",
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

    def _chosen_loss(self):
        """Get the loss to train with; None for the default of the network."""
        return self.loss

    def _new_recipe(self, target):
        if self.monitor != "loss":
            self._check_monitor()
        return super()._new_recipe(target)

    def _fit_all(self, given):
        """Take the steps of the public method ``fit``."""
        resume = self._continues()
        if resume and given.X_unlabeled is not None:
            raise ValueError(
                "X_unlabeled must be None where warm_start continues, got an array: "
                "pretraining comes before the first fit."
            )
        self._fit(
            given, epochs=self.epochs, schedule=self.schedule, resume=resume,
            early_stopping=self.early_stopping, checkpointed=True,
        )  # fmt: skip

    def _network(self, head):
        """Make the network of the family, with this head."""
        raise NotImplementedError

    # Whether rows are token ids.
    _reads_tokens = False

    @property
    def _is_table(self):
        """bool: whether each column of X is a timestep, with weights of its own."""
        flat = self._n_dimensions_in == 2 and self.n_timesteps is None
        return flat and not self._reads_tokens

    # ----------------------------------------------------- rows of different lengths

    # The number of timesteps of the longest row of fit, and whether rows of other
    # lengths were passed. A file of an earlier version has neither.
    _longest = None
    _any_length = False

    # The end of the message about a row that is too long.
    _too_long = (
        "with pooling='flatten', in a dense network and in an activation with weights, "
        "each timestep has its own weights. Set pooling='mean' or 'max' to read rows "
        "of any length, or cut them with"
    )

    @property
    def _any_length_remedy(self):
        """str: the end of the message about an array of another length than in fit."""
        if getattr(self, "pooling", "flatten") == "flatten":
            return ""
        return " To read rows of any length, pass a list of arrays to fit."

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        is_nan = self.mask_value is not None and self.mask_value != self.mask_value
        tags.input_tags.allow_nan = is_nan
        return tags

    def _check_rows(self, X, **options):
        # An array of another length is an error, unless rows may have any length.
        any_length = (
            self.mask_value is not None or self._any_length or is_list_of_rows(X)
        )
        X = super()._check_rows(
            X, mask_value=self.mask_value, any_length=any_length, lists=True,
            as_is=self._takes_any_shape, **options,
        )  # fmt: skip
        return X if self.mask_value is None else as_padded(X, self.mask_value)

    def _learn_lengths(self, whole, held_out, resume):
        longest = max(
            _longest_of(part.X) for part in (whole, held_out) if part is not None
        )
        is_padded = isinstance(whole.X, PaddedRows)
        if resume:
            is_padded |= self._any_length
            longest = max(longest, self._longest or self.n_timesteps_in_)
        self._longest, self._any_length = int(longest), is_padded
        if self._n_dimensions_in == 3:
            self.n_timesteps_in_ = self._longest

    @property
    def _shape_in(self):
        return {**super()._shape_in, "n_timesteps": self._longest}

    def _padded(self, recipe, whole, held_out, resume):
        parts = {"X": whole, "X_val": held_out}
        parts = {name: part for name, part in parts.items() if part is not None}
        counts = np.concatenate([_lengths_of(part.X) for part in parts.values()])
        network, fitted = recipe.network, self._recipe.network if resume else None
        if resume:
            network = replace(network, n_timesteps=fitted.n_timesteps)
        for name, part in parts.items():
            self._check_lengths(_lengths_of(part.X), network, name)
        is_padded = bool((counts < network.n_timesteps).any())
        if is_padded:
            network.check_padding()
        if resume and network.continues(fitted):
            network = fitted.for_rows(int(counts.max()), is_padded)
        elif is_padded:
            network = network.with_padding()
        for name, part in parts.items():
            X = _of_length(part.X, network)
            parts[name] = replace(
                part, X=X.at_once() if isinstance(X, PaddedRows) else X
            )
        recipe = replace(recipe, network=network)
        return recipe, parts["X"], parts.get("X_val")

    def _check_lengths(self, counts, network, name="X"):
        """Raise at a row that is too long or too short for the network."""
        shortest, longest = network.shortest, network.n_timesteps
        if counts.min() < shortest:
            raise ValueError(
                f"{name} must have rows of at least {shortest} timesteps for the "
                f"convolutions with padding='valid', got {counts.min()} in "
                f"{name}[{counts.argmin()}]. Use padding='same', smaller kernels, or "
                f"leave out such rows."
            )
        if network.depends_on_length and counts.max() > longest:
            raise ValueError(
                f"{name} must have rows of at most {longest} timesteps, those of the "
                f"longest row of fit, got {counts.max()} in {name}[{counts.argmax()}]: "
                f"{self._too_long} SequencePadder({longest}, truncate='start')."
            )

    def _predict(self, X):
        outputs = np.empty((len(X), self._recipe.network.n_outputs), np.float32)
        for recipe, rows, index in self._by_network(X):
            outputs[slice(None) if index is None else index] = predict(
                recipe, self._state.weights, rows, index, prepare=self._prepare
            )
        return outputs

    def _by_network(self, X):
        """Yield the recipe of each network that predicts rows of X, with its rows.

        The network of a row must not depend on the rows beside it.

        Yields
        ------
        recipe : Recipe
        rows : ndarray or PaddedRows
            All rows of X, with the number of timesteps that this network reads.
        index : ndarray of int or None
            The rows for this network; None: all of them.
        """
        network, counts = self._recipe.network, _lengths_of(X)
        self._check_lengths(counts, network)
        programs = {}
        for count in np.unique(counts).tolist():
            one = network.for_rows(count, count < network.n_timesteps)
            recipe = self._recipe.with_network(one)
            programs.setdefault(id(recipe), (recipe, []))[1].append(count)
        for recipe, of_length in programs.values():
            index = None
            if len(programs) > 1:
                index = np.flatnonzero(np.isin(counts, of_length))
            yield recipe, _of_length(X, recipe.network), index

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
        return None if autoencoder is None else autoencoder._scaling.of_padded_rows()

    def _before_training(self, given, rows, recipe):
        vars(self).pop("pretrained_", None)
        check_pretrained(self.pretrained, given.X_unlabeled, self.mask_value)
        if self.pretrained is None:
            return
        check_encoder(self.pretrained, recipe.network)
        X_unlabeled = given.X_unlabeled
        if X_unlabeled is not None:
            X_unlabeled = self._check_rows(X_unlabeled, reset=False, name="X_unlabeled")
        seed = int(np.random.default_rng(self._seeds[0]).integers(2**31))
        defaults = {"random_state": seed, "n_timesteps": self.n_timesteps}
        if isinstance(self.random_state, Integral):  # a file that is found again
            defaults |= {"checkpoint": self.checkpoint}
        self.pretrained_ = fit_autoencoder(
            self.pretrained, rows, X_unlabeled, self._n_dimensions_in == 2, defaults
        )
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


def _lengths_of(X):
    """Get the number of valid timesteps of each row."""
    return X.lengths if isinstance(X, PaddedRows) else np.full(len(X), X.shape[1])


def _longest_of(X):
    """Get the number of timesteps of the longest row, or of windows."""
    is_list = isinstance(X, PaddedRows) and not isinstance(X.X, GatheredRows)
    return X.lengths.max() if is_list else X.shape[1]


def _of_length(X, network):
    """Get rows with the number of timesteps that a network reads."""
    if not network.masked:
        # No row has padding; an array may have some that all rows have.
        if not isinstance(X, PaddedRows):
            return X
        if X.X.shape[1] == network.n_timesteps:
            return X.X
    return replace(as_padded(X, None), n_timesteps=network.n_timesteps)
