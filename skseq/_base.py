"""The bridge: scikeras' BaseWrapper made into a scikit-learn 1.6+ citizen.

The only importer of scikeras. `SequenceEstimator` has what every network shares.
"""

# First, for it tells what to do where Keras would fail to be imported.
from skseq._networks import check_metrics, check_optimizer, keras

# isort: split
import copy
import inspect
from numbers import Integral, Real

import numpy as np
from scikeras.wrappers import BaseWrapper
from sklearn.base import BaseEstimator
from sklearn.metrics import check_scoring, get_scorer, get_scorer_names
from sklearn.model_selection import StratifiedGroupKFold, train_test_split
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from skseq._persistence import VersionedState
from skseq._training import (
    Recipe,
    Schedule,
    State,
    Watch,
    initial_state,
    predict,
    standalone_model,
    train,
)
from skseq._validation import (
    HasMethods,
    Interval,
    check_parameters,
    check_rows,
    check_sequences,
    check_weights,
    nearest,
)

# scikit-learn's check_estimator takes a class of the MRO that has `_more_tags` and no
# `__sklearn_tags__` of its own for one that was never ported. BaseWrapper is such a
# class; it gets the method that it inherits anyhow.
if "__sklearn_tags__" not in vars(BaseWrapper):
    BaseWrapper.__sklearn_tags__ = BaseEstimator.__sklearn_tags__

# Parameters that are dicts, whose keys can be set as `optimizer__clipnorm`.
_DICT_PARAMETERS = {"optimizer": "optimizer_params", "loss": "loss_params"}

# Parameters that are estimators, whose own can be set as `sampler__k_neighbors`.
_NESTED_PARAMETERS = ("pretrained", "sampler")


class SequenceEstimator(VersionedState, BaseWrapper):
    """What every network shares; abstract.

    A family (`_RecurrentEstimator`, ...) adds the one ``__init__`` of its estimators
    and ``_network``, which gives its part of a network's dict.
    """

    _parameter_constraints = {
        "epochs": [Interval(Integral, 1, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "optimizer": [str, keras.optimizers.Optimizer, type],
        "learning_rate": [
            Interval(Real, 0, None, closed="neither"),
            keras.optimizers.schedules.LearningRateSchedule,
            None,
        ],
        "optimizer_params": [dict, None],
        "loss": [str, keras.losses.Loss, callable, None],
        "loss_params": [dict, None],
        "metrics": [str, list, tuple, keras.metrics.Metric, callable, None],
        "callbacks": [list, tuple, keras.callbacks.Callback, None],
        "early_stopping": ["boolean"],
        "validation_split": [
            Interval(Real, 0, 1, closed="neither"),
            HasMethods("split"),
        ],
        "monitor": [str, callable],
        "patience": [Interval(Integral, 1, None, closed="left")],
        "min_delta": [Interval(Real, 0, None, closed="left")],
        "shuffle": ["boolean"],
        "n_timesteps": [Interval(Integral, 1, None, closed="left"), None],
        "random_state": ["random_state"],
        "warm_start": ["boolean"],
        "verbose": ["verbose"],
    }

    # ------------------------------------------------- parameters, as BaseEstimator's

    @classmethod
    def _get_param_names(cls):
        # BaseWrapper reads the instance's __dict__, where fitted state is as well.
        parameters = inspect.signature(cls.__init__).parameters
        return sorted(name for name in parameters if name != "self")

    def get_params(self, deep=True):
        """Parameters of this estimator.

        Parameters
        ----------
        deep : bool, default=True
            Also list each key of ``optimizer_params`` as ``optimizer__<key>``, of
            ``loss_params`` as ``loss__<key>``, and each parameter of ``pretrained`` and
            ``sampler``.

        Returns
        -------
        params : dict
            Values by name.
        """
        params = {name: getattr(self, name) for name in self._get_param_names()}
        if deep:
            for prefix, name in _DICT_PARAMETERS.items():
                for key, value in (params.get(name) or {}).items():
                    params[f"{prefix}__{key}"] = value
            for name in _NESTED_PARAMETERS:
                inner = params.get(name)
                # Anything else is for `fit` to refuse.
                if hasattr(inner, "get_params") and not isinstance(inner, type):
                    for key, value in inner.get_params().items():
                        params[f"{name}__{key}"] = value
        return params

    def set_params(self, **params):
        """Set parameters of this estimator.

        Parameters
        ----------
        **params : dict
            Values by name. ``optimizer__<key>`` sets a key of a new
            ``optimizer_params``, ``loss__<key>`` one of a new ``loss_params``,
            ``pretrained__<name>`` a parameter of ``pretrained``, and so with
            ``sampler``.

        Returns
        -------
        self : object
            This estimator.

        Raises
        ------
        ValueError
            If there is no parameter of a name; the message suggests the nearest.
        """
        names = self._get_param_names()
        plain, keyed, nested = {}, {}, {}
        for name, value in params.items():
            prefix, _, key = name.partition("__")
            if key and _DICT_PARAMETERS.get(prefix) in names:
                keyed.setdefault(_DICT_PARAMETERS[prefix], {})[key] = value
            elif key and prefix in _NESTED_PARAMETERS and prefix in names:
                nested.setdefault(prefix, {})[key] = value
            elif name in names:
                plain[name] = value
            else:
                raise ValueError(
                    f"Invalid parameter {name!r} for estimator "
                    f"{type(self).__name__}.{nearest(name, names)}"
                )
        for name, value in plain.items():
            setattr(self, name, value)
        for name, items in keyed.items():
            setattr(self, name, {**(getattr(self, name) or {}), **items})
        for name, items in nested.items():
            if getattr(self, name) is None:
                raise ValueError(f"{name}__{next(iter(items))} needs {name}, got None.")
            getattr(self, name).set_params(**items)
        return self

    # BaseWrapper lists every parameter on a line of its own.
    __repr__ = BaseEstimator.__repr__

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags

    def __sklearn_is_fitted__(self):
        return "_state" in vars(self)

    # What check_sequences gives; another than float32 for who prepares rows by chunks.
    _dtype = np.float32

    # Where neither an optimizer object nor the user says. Keras' 0.001 takes several
    # times the epochs on a table of some hundred rows.
    _default_rate = 0.005

    # --------------------------------------------------- what scikeras has in public

    def _absent(self, name):
        raise AttributeError(
            f"{type(self).__name__!r} object has no attribute {name!r}"
        )

    @property
    def initialized_(self):
        """bool: whether there are weights, so that ``predict`` works."""
        return self.__sklearn_is_fitted__()

    @property
    def current_epoch(self):
        """int: epochs run since the weights were drawn; 0 before ``fit``."""
        return getattr(self, "n_iter_", 0)

    @property
    def model_(self):
        """keras.Model: a new standalone model with a copy of the weights.

        Editing it changes nothing in this estimator.
        """
        if not self.__sklearn_is_fitted__():
            self._absent("model_")
        return standalone_model(self._recipe, self._state.weights)

    @property
    def feature_encoder(self):
        """Not there: transform X in a `sklearn.pipeline.Pipeline`."""
        self._absent("feature_encoder")

    @property
    def target_encoder(self):
        """Not there: labels are encoded inside ``fit``, see ``classes_``."""
        self._absent("target_encoder")

    @property
    def scorer(self):
        """Not there: see ``score`` and `sklearn.metrics.make_scorer`."""
        self._absent("scorer")

    # -------------------------------------------------------------------------- fit

    def _check_callbacks(self):
        """Copies of the caller's callbacks."""
        callbacks = self.callbacks
        if callbacks is None:
            callbacks = []
        elif isinstance(callbacks, keras.callbacks.Callback):
            callbacks = [callbacks]
        for callback in callbacks:
            if not isinstance(callback, keras.callbacks.Callback):
                raise TypeError(
                    f"callbacks must be keras.callbacks.Callback objects, got "
                    f"{callback!r}."
                )
        return [copy.deepcopy(callback) for callback in callbacks]

    def _check_monitor(self):
        """The scorer of ``monitor``; None where it is the loss."""
        if self.monitor == "loss":
            return None
        if isinstance(self.monitor, str):
            try:
                return get_scorer(self.monitor)
            except ValueError as error:
                names = ["loss", *get_scorer_names()]
                raise ValueError(
                    f"monitor must be 'loss' or the name of a scikit-learn scorer, got "
                    f"{self.monitor!r}.{nearest(self.monitor, names)}"
                ) from error
        return check_scoring(self, scoring=self.monitor)

    def _new_recipe(self):
        loss, head = self._head()
        network = {
            **self._network(),
            "n_timesteps": self.n_timesteps_in_,
            "n_features": self.n_features_in_
            if self._n_dimensions_in == 3
            else self.n_features_in_ // self.n_timesteps_in_,
            **head,
        }
        rate = self.learning_rate
        if rate is None and not isinstance(self.optimizer, keras.optimizers.Optimizer):
            rate = self._default_rate
        recipe = Recipe(
            network=network,
            optimizer=self.optimizer,
            optimizer_params=dict(self.optimizer_params or {}),
            learning_rate=rate,
            loss=loss,
            loss_params=dict(self.loss_params or {}),
            metrics=check_metrics(self.metrics),
        )
        check_optimizer(self.optimizer, self.learning_rate, self.optimizer_params)
        return recipe

    def _train(self, X, y, sample_weight, *, epochs, resume, classes=None,
               X_val=None, y_val=None, sample_weight_val=None, groups=None,
               X_unlabeled=None, early_stopping=False, min_rows=2):  # fmt: skip
        """Validate, train and store; called under `restores_on_error`."""
        check_parameters(self)
        X = check_sequences(
            self, X, reset=not resume, n_timesteps=self.n_timesteps, min_rows=min_rows,
            dtype=self._dtype,
        )  # fmt: skip
        y = self._check_target(y, len(X))
        weights = check_weights(sample_weight, len(X))
        if groups is not None:
            check_rows("groups", groups, len(X))
            groups = np.asarray(groups)
        # Of X itself no rows are copied out, for it may be larger than memory.
        index = None
        if not (weights > 0).all():
            index = np.flatnonzero(weights)
            y, weights = y[index], weights[index]
            groups = None if groups is None else groups[index]
        y = self._encode_target(y, resume=resume, classes=classes)
        scorer = self._check_monitor()
        callbacks = self._check_callbacks()
        recipe = self._new_recipe()

        given = self._check_given(X_val, y_val, sample_weight_val)
        rng = None if resume else check_random_state(self.random_state)
        seeds = self._seeds if resume else rng.randint(2**31 - 1, size=3)
        if given is None and early_stopping:
            rest, held_out = self._hold_out(X, index, y, groups, int(seeds[2]))
            before = np.arange(len(X)) if index is None else index
            given = X, before[held_out], y[held_out], weights[held_out]
            index, y, weights = before[rest], y[rest], weights[rest]
        if not resume:
            self._settle_before(X, index, weights, X_unlabeled, recipe, seeds)
        rows = X, index, y, weights
        if epochs:
            # Of what is left to train on, so that what is watched is as it came.
            rows = self._resample(*rows, int(seeds[2]))
        watch = None
        if given is not None:
            watch = self._make_watch(*given, recipe, scorer, early_stopping)

        if resume:
            state, learning_rate = self._go_on(recipe)
            first_epoch, history_before = self.n_iter_, self.history_
        else:
            state = self._first_state(recipe, int(seeds[0]), *rows[2:])
            learning_rate = recipe.rate
            first_epoch, history_before = 0, {}
        state, history, best = train(
            recipe,
            state,
            self._rows(*rows, recipe, class_weight=True),
            Schedule(
                epochs=epochs,
                batch_size=self.batch_size,
                first_epoch=first_epoch,
                shuffle=self.shuffle,
                seed=int(seeds[1]),
                strata=self._batch_strata(rows[2]),
                learning_rate=learning_rate,
                callbacks=callbacks,
                verbose=self.verbose,
            ),
            watch,
        )
        n_new = len(history.get("loss", ()))
        self._recipe, self._state, self._seeds = recipe, state, seeds
        self._settle_after(X, index)
        self.callbacks_ = callbacks
        self.n_iter_ = first_epoch + n_new
        self.history_ = {
            name: history_before.get(name, [np.nan] * first_epoch)
            + history.get(name, [np.nan] * n_new)
            for name in {**history_before, **history}
        }
        for name in ("best_epoch_", "best_score_"):
            vars(self).pop(name, None)
        if best is not None:
            self.best_epoch_ = first_epoch + best[0] + 1
            self.best_score_ = best[1]
        return self

    def _settle_before(self, X, index, weights, X_unlabeled, recipe, seeds):
        """Before the first training: learn what it needs from the training rows."""

    def _resample(self, X, index, y, weights, seed):
        """The rows to train on, as `_rows` takes them."""
        return X, index, y, weights

    def _batch_strata(self, y):
        """What `skseq._training.Schedule` has of this name."""

    def _first_state(self, recipe, seed, y, weights):
        return initial_state(recipe, seed)

    def _settle_after(self, X, index):
        """After training: learn what else is to be known of the training rows."""

    def _go_on(self, recipe):
        """The state to go on from, and the learning rate to set in it."""
        before = self._recipe
        if before.network_key() != recipe.network_key():
            raise ValueError(
                "warm_start and partial_fit go on with the network that was fitted, "
                "got parameters of another one. Set them back, or call fit with "
                "warm_start=False."
            )
        if before.optimizer_key() != recipe.optimizer_key():
            # Another optimizer's state means nothing to this one.
            return State(self._state.weights, []), recipe.rate
        # A rate that a callback lowered stays, unless the user sets another.
        return self._state, recipe.rate if recipe.rate != before.rate else None

    def _check_given(self, X_val, y_val, sample_weight_val):
        """Rows to watch that the caller gave, as `_make_watch` takes them; or None."""
        if X_val is None:
            for name, value in (
                ("y_val", y_val),
                ("sample_weight_val", sample_weight_val),
            ):
                if value is not None:
                    raise ValueError(f"{name} needs X_val, got X_val=None.")
            return None
        X_val = check_sequences(
            self, X_val, reset=False, name="X_val", dtype=self._dtype
        )
        y_val = self._check_target(y_val, len(X_val), "y_val")
        weights = check_weights(sample_weight_val, len(X_val), "sample_weight_val")
        index = np.flatnonzero(weights)
        y_val = self._encode(y_val, "y_val")
        return X_val, index, y_val[index], weights[index]

    def _hold_out(self, X, index, y, groups, seed):
        """Of the rows that count, the positions to train on and those to watch."""
        split = self.validation_split
        remedy = (
            "Give more rows, set validation_split to another fraction or splitter, or "
            "give X_val and y_val to fit."
        )
        strata = self._strata(y)
        try:
            if hasattr(split, "split"):
                # The last split: of a TimeSeriesSplit the one with most rows.
                # It may look at X, which is copied only where rows are left out.
                X = X if index is None else X[index]
                *_, (rest, held_out) = split.split(X, y, groups)
            elif groups is not None:
                rest, held_out = _split_groups(strata, groups, split, seed)
            else:
                rest, held_out = train_test_split(
                    np.arange(len(y)), test_size=split, stratify=strata,
                    random_state=seed,
                )  # fmt: skip
        except ValueError as error:
            raise ValueError(
                f"validation_split={split!r} can't split {len(y)} rows: {error} "
                f"{remedy}"
            ) from error
        if groups is not None:
            both = np.intersect1d(groups[rest], groups[held_out])
            if len(both):
                raise ValueError(
                    f"validation_split={split!r} must keep every group on one side, "
                    f"got {len(both)} groups on both. Use a splitter that takes "
                    f"groups, such as GroupShuffleSplit."
                )
        self._check_parts(y, rest, held_out, remedy)
        return rest, held_out

    def _make_watch(self, X, index, y, weights, recipe, scorer, early_stopping):
        rows = self._rows(X, index, y, weights, recipe)
        monitor, greater_is_better, score = "val_loss", False, None
        if scorer is not None:
            monitor, greater_is_better = "val_score", True
            if isinstance(self.monitor, str):
                monitor = f"val_{self.monitor}"
            options = {} if (weights == 1).all() else {"sample_weight": weights}

            # scikit-learn's scorers hand X on to the estimator, which has its outputs.
            seen = X[:0] if isinstance(self.monitor, str) else X[index]

            def score(outputs):
                estimator, y_true = self._as_fitted(outputs, y)
                try:
                    value = scorer(estimator, seen, y_true, **options)
                except (TypeError, ValueError) as error:
                    raise ValueError(
                        f"monitor={self.monitor!r} can't be computed on the "
                        f"validation rows: {error}"
                    ) from error
                if not np.isfinite(value):
                    raise ValueError(
                        f"monitor={self.monitor!r} must be a finite number on the "
                        f"validation rows, got {value}. See that they hold every class."
                    )
                return value

        return Watch(
            rows=rows,
            monitor=monitor,
            greater_is_better=greater_is_better,
            score=score,
            patience=self.patience if early_stopping else None,
            min_delta=self.min_delta,
        )

    def _outputs(self, X):
        """What the network gives for X, of shape (n_samples, n_outputs)."""
        check_is_fitted(self)
        X = check_sequences(self, X, reset=False)
        return predict(self._recipe, self._state.weights, X, prepare=self._prepare)


def _split_groups(strata, groups, fraction, seed):
    """Hold out whole groups, about a fraction of the rows, classes in proportion."""
    swapped = fraction > 0.5
    n_splits = round(1 / (1 - fraction if swapped else fraction))
    n_groups = len(np.unique(groups))
    if n_groups < 2:
        raise ValueError(f"groups must hold at least 2 groups, got {n_groups}.")
    splitter = StratifiedGroupKFold(
        min(n_splits, n_groups), shuffle=True, random_state=seed
    )
    splits = list(splitter.split(strata, strata, groups))
    # In scikit-learn 1.6 the first split does not depend on the seed.
    large, small = splits[seed % len(splits)]
    return (small, large) if swapped else (large, small)
