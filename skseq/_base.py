"""The bridge: SciKeras' BaseWrapper as a scikit-learn estimator; the steps of ``fit``.

The only importer of SciKeras. `SequenceEstimator` has what every network shares.
"""

from __future__ import annotations

# Before SciKeras, because it says what to do where Keras can't be imported.
import skseq._engine.keras  # noqa: F401

# isort: split
import inspect
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from scikeras.wrappers import BaseWrapper
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from skseq._engine.callbacks import CALLBACKS, copies_of
from skseq._engine.fingerprints import fingerprint
from skseq._engine.optimizers import (
    LEARNING_RATE,
    OPTIMIZER,
    check_no_exclusions,
    check_optimizer,
)
from skseq._engine.recipe import Rows, Schedule, State, Watch, new_recipe
from skseq._engine.stored import copied, storable
from skseq._engine.train import initial_state, predict, standalone_model, train
from skseq._parameters import Declared, parameter
from skseq._persistence import VersionedState
from skseq._rows import Part, hold_out
from skseq._sequences import check_sequences, take_rows
from skseq._targets import RowsThemselves
from skseq._validation import (
    HasMethods,
    Interval,
    check_groups,
    check_parameters,
    check_weights,
    unknown_name,
)

if TYPE_CHECKING:
    from typing import Self

    from skseq._engine.types import Callbacks, LearningRate, Model, Optimizer

# scikit-learn's check_estimator takes a class of the MRO that has `_more_tags` and no
# `__sklearn_tags__` of its own for one that was never ported. BaseWrapper is such a
# class; it gets the method that it inherits anyhow.
if "__sklearn_tags__" not in vars(BaseWrapper):
    BaseWrapper.__sklearn_tags__ = BaseEstimator.__sklearn_tags__  # type: ignore


class SequenceEstimator(Declared, VersionedState, BaseWrapper):
    """What every network shares; abstract.

    Attributes
    ----------
    n_features_in_ : int
        Columns of a 2-D X, or features of each timestep of a 3-D X.

    n_timesteps_in_ : int
        Timesteps that the network reads.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, if X was a dataframe whose names are all strings.

    history_ : dict of str to list
        A value for each epoch: ``"loss"``, the ``metrics``, with validation rows
        ``"val_loss"`` and so on, and what ``callbacks`` add to their logs. A metric
        with a value for each class has a list of them for each epoch.

    n_iter_ : int
        Epochs run since the first weights were drawn.

    best_epoch_ : int
        Epoch with the best score on the validation rows, counted from 1. Only with
        ``early_stopping`` or ``X_val``.

    best_score_ : float
        That score. Only with ``early_stopping`` or ``X_val``.

    callbacks_ : list of keras.callbacks.Callback
        The copies of ``callbacks`` that were used.

    model_ : keras.Model
        A new standalone model with a copy of the weights. Editing it changes nothing
        in the estimator.
    """

    epochs: int = parameter(
        default=30,
        constraint=[Interval(Integral, 1, None, closed="left")],
        text="""int
        Passes over the training rows.""",
        group="training",
    )
    batch_size: int = parameter(
        default=32,
        constraint=[Interval(Integral, 1, None, closed="left")],
        text="""int
        Rows for each step of the optimizer.""",
        group="training",
    )
    optimizer: Optimizer = parameter(
        default="adam",
        constraint=OPTIMIZER,
        text="""str, keras.optimizers.Optimizer or class of one
        The optimizer. The configuration of an object is used, never the object itself.
        """,
        group="training",
    )
    learning_rate: LearningRate = parameter(
        default=None,
        constraint=LEARNING_RATE,
        text="""float, keras.optimizers.schedules.LearningRateSchedule or None
        Step size of the optimizer; it replaces the rate of an optimizer object. None:
        the rate of an optimizer object; with a name or a class 0.005, and 0.002 for
        autoencoders.""",
        group="training",
    )
    optimizer_params: dict[str, Any] | None = parameter(
        default=None,
        constraint=[dict, None],
        text="""dict or None
        Further arguments of the optimizer, such as ``{"clipnorm": 1.0}``.
        ``set_params(optimizer__clipnorm=1.0)`` sets one.""",
        group="training",
    )
    callbacks: Callbacks = parameter(  # type: ignore[assignment]
        default=None,
        constraint=CALLBACKS,
        text="""keras.callbacks.Callback, list or tuple of those, or None
        Keras callbacks. They are copied before use; the copies are ``callbacks_``.
        Callbacks with batch-level hooks make training several times slower.""",
        group="training",
    )
    shuffle: bool = parameter(
        default=True,
        constraint=["boolean"],
        text="""bool
        Whether each epoch takes the rows in a new order.""",
        group="training",
    )
    early_stopping: bool = parameter(
        default=False,
        constraint=["boolean"],
        text="""bool
        Whether to hold out validation rows, stop when their loss (or the ``monitor`` of
        a classifier) no longer improves, and keep the weights of the best epoch.""",
        group="validation",
    )
    validation_split: float | Any = parameter(
        default=0.1,
        constraint=[Interval(Real, 0, 1, closed="neither"), HasMethods("split")],
        text="""float or cross-validation splitter
        What ``early_stopping`` holds out: a fraction in (0, 1) of the rows, drawn at
        random with the classes in proportion (and as whole groups, if ``groups`` are
        given to ``fit``), or the test part of a scikit-learn splitter's last split.""",
        group="validation",
    )
    patience: int = parameter(
        default=10,
        constraint=[Interval(Integral, 1, None, closed="left")],
        text="""int
        Epochs without improvement after which ``early_stopping`` stops.""",
        group="validation",
    )
    min_delta: float = parameter(
        default=0.0,
        constraint=[Interval(Real, 0, None, closed="left")],
        text="""float
        The least gain that counts as improvement for ``patience``.""",
        group="validation",
    )
    n_timesteps: int | None = parameter(
        default=None,
        constraint=[Interval(Integral, 1, None, closed="left"), None],
        text="""int or None
        For a 2-D X: the number of timesteps in its columns, which hold all features of
        the first timestep, then all of the second, and so on. None: each column is a
        timestep with one feature.""",
        group="other",
    )
    random_state: int | np.random.RandomState | None = parameter(
        default=None,
        constraint=["random_state"],
        text="""int, RandomState instance or None
        Determines the first weights, the order of rows, everything that training draws
        and the rows held out. Pass an int for the same result at each call.""",
        group="other",
    )
    warm_start: bool = parameter(
        default=False,
        constraint=["boolean"],
        text="""bool
        Whether ``fit`` continues from the last call for another ``epochs`` epochs, with
        its weights, the state of its optimizer and its epoch count.""",
        group="other",
    )
    verbose: int = parameter(
        default=0,
        constraint=["verbose"],
        text="""int
        Progress on the screen: 0 shows none; 1 shows a bar over the epochs on standard
        error (one line at the end where that is no terminal or notebook); 2 prints a
        line after each epoch.""",
        group="other",
    )

    # Parameters that are dicts, whose keys can be set as `optimizer__clipnorm`.
    _dict_parameters: ClassVar[dict[str, str]] = {"optimizer": "optimizer_params"}

    # Parameters that are estimators, whose own can be set as `sampler__k_neighbors`.
    _nested_parameters: ClassVar[tuple[str, ...]] = ()

    # The data type of validated rows; a tuple where a family prepares them by itself.
    _dtype: ClassVar[Any] = np.float32

    # Where neither an optimizer object nor the user gives one. Keras' 0.001 takes
    # several times the epochs on a table of some hundred rows.
    _default_rate = 0.005

    # ------------------------------------------------- parameters, as BaseEstimator's

    @classmethod
    def _get_param_names(cls):
        # BaseWrapper reads the instance's __dict__, where fitted state is as well.
        parameters = inspect.signature(cls.__init__).parameters
        return sorted(name for name in parameters if name != "self")

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Get the parameters of this estimator.

        Parameters
        ----------
        deep : bool, default=True
            Whether to list also each key of ``optimizer_params`` as
            ``optimizer__<key>``, and so with other parameters that are dicts, and the
            parameters of each parameter that is an estimator.

        Returns
        -------
        params : dict
            Values by name.
        """
        params = {name: getattr(self, name) for name in self._get_param_names()}
        if deep:
            for prefix, name in self._dict_parameters.items():
                for key, value in (params[name] or {}).items():
                    params[f"{prefix}__{key}"] = value
            for name in self._nested_parameters:
                inner = params[name]
                # Anything else is for `fit` to refuse.
                if hasattr(inner, "get_params") and not isinstance(inner, type):
                    for key, value in inner.get_params().items():
                        params[f"{name}__{key}"] = value
        return params

    def set_params(self, **params: Any) -> Self:
        """Set parameters of this estimator.

        Parameters
        ----------
        **params : dict
            Values by name. ``optimizer__<key>`` sets a key of a new
            ``optimizer_params``, and so with other parameters that are dicts;
            ``sampler__<name>`` sets a parameter of ``sampler``, and so with other
            parameters that are estimators.

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
        plain: dict[str, Any] = {}
        keyed: dict[str, dict[str, Any]] = {}
        nested: dict[str, dict[str, Any]] = {}
        for name, value in params.items():
            prefix, _, key = name.partition("__")
            if key and prefix in self._dict_parameters:
                keyed.setdefault(self._dict_parameters[prefix], {})[key] = value
            elif key and prefix in self._nested_parameters:
                nested.setdefault(prefix, {})[key] = value
            elif name in names:
                plain[name] = value
            else:
                raise ValueError(
                    f"Invalid parameter {name!r} for estimator "
                    f"{type(self).__name__}.{unknown_name(name, names)}"
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

    def __sklearn_clone__(self):
        check_no_exclusions(self.optimizer)
        clone = super().__sklearn_clone__()
        for name, value in self.get_params(deep=False).items():
            copy = copied(value)
            if copy is not value:
                setattr(clone, name, copy)
        return clone

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags

    def __sklearn_is_fitted__(self):
        return "_state" in vars(self)

    def __getstate__(self):
        return storable(super().__getstate__())

    def _upgraded(self, state):
        from skseq._training import upgraded  # not above: it is for old files alone

        return upgraded(state)

    # --------------------------------------------------- what scikeras has in public

    def _absent(self, name):
        raise AttributeError(
            f"{type(self).__name__!r} object has no attribute {name!r}"
        )

    @property
    def initialized_(self) -> bool:
        """bool: whether there are weights, so that ``predict`` works."""
        return self.__sklearn_is_fitted__()

    @property
    def current_epoch(self) -> int:
        """int: epochs run since the weights were drawn; 0 before ``fit``."""
        return getattr(self, "n_iter_", 0)

    @property
    def model_(self) -> Model:
        """keras.Model: a new standalone model with a copy of the weights.

        Editing it changes nothing in this estimator.
        """
        if not self.__sklearn_is_fitted__():
            self._absent("model_")
        return standalone_model(self._recipe, self._state.weights)

    @property
    def feature_encoder(self):
        """Not available: transform X in a `sklearn.pipeline.Pipeline`."""
        self._absent("feature_encoder")

    @property
    def target_encoder(self):
        """Not available: labels are encoded inside ``fit``, see ``classes_``."""
        self._absent("target_encoder")

    @property
    def scorer(self):
        """Not available: see ``score`` and `sklearn.metrics.make_scorer`."""
        self._absent("scorer")

    # ------------------------------------------------------------- the steps of fit

    def _fit(self, given, *, epochs, resume=False, early_stopping=False, min_rows=2):
        """Train on what the caller gave; called inside `public_fit`.

        Parameters
        ----------
        given : Given
        epochs : int
            0: only draw the first weights.
        resume : bool
            Whether to continue from where training stands.
        early_stopping : bool
        min_rows : int
            The least number of rows.

        Returns
        -------
        rows : Part
            The training rows, before they were resampled.
        """
        check_parameters(self)
        whole, target = self._validate(given, resume, min_rows)
        callbacks = copies_of(self.callbacks)
        recipe, target = self._new_recipe(target)
        if not resume:
            rng = check_random_state(self.random_state)
            self._seeds = rng.randint(2**31 - 1, size=3)
        rest, held_out = whole, self._validate_held_out(given, target)
        if held_out is None and early_stopping:
            rest, held_out = hold_out(
                whole, given, target, self.validation_split, int(self._seeds[2])
            )
        if not resume:
            self._before_training(given, rest, recipe)
        rows = self._resample(given, rest, target) if epochs else rest
        watch = None
        if held_out is not None:
            watch = self._make_watch(given, held_out, target, early_stopping)
        state, rate = self._starting_state(recipe, rows, target, resume)
        schedule = Schedule(
            epochs=epochs,
            batch_size=self.batch_size,
            first_epoch=self.n_iter_ if resume else 0,
            shuffle=self.shuffle,
            seed=int(self._seeds[1]),
            strata=self._batch_strata(rows, target),
            learning_rate=rate,
            callbacks=callbacks,
            verbose=self.verbose,
            title=self._title(),
        )
        outcome = train(recipe, state, self._rows(rows, target), schedule, watch)
        self._settle(recipe, callbacks, resume, *outcome)
        return rest

    def _check_partial(self):
        """Raise if `partial_fit` is asked for what needs all rows."""
        if self.early_stopping:
            raise ValueError(
                "early_stopping must be False with partial_fit, got True: which rows "
                "would be held out is not defined over calls."
            )

    def _validate(self, given, resume, min_rows):
        """Step 1: the rows that count, validated, and their target."""
        X = check_sequences(
            self, given.X, reset=not resume, n_timesteps=self.n_timesteps,
            min_rows=min_rows, dtype=self._dtype, **self._padding_options(),
        )  # fmt: skip
        y = self._target_kind.check(given.y, len(X))
        weights = check_weights(given.sample_weight, len(X))
        if given.groups is not None:
            check_groups(given.groups, len(X))
        index = None if (weights > 0).all() else np.flatnonzero(weights)
        y, weights = take_rows(y, index), take_rows(weights, index)
        target = self._learn_target(y, given.classes, resume)
        return Part(X, index, target.encode(y), weights), target

    def _validate_held_out(self, given, target):
        """Rows to watch that the caller gave, or None."""
        if given.X_val is None:
            for name in ("y_val", "sample_weight_val"):
                if getattr(given, name) is not None:
                    raise ValueError(f"{name} needs X_val, got X_val=None.")
            return None
        X = check_sequences(
            self, given.X_val, reset=False, name="X_val", dtype=self._dtype,
            **self._padding_options(),
        )  # fmt: skip
        y = target.check(given.y_val, len(X), "y_val")
        weights = check_weights(given.sample_weight_val, len(X), "sample_weight_val")
        index = np.flatnonzero(weights)
        codes = target.encode(y, "y_val")
        return Part(X, index, codes[index], weights[index])

    def _new_recipe(self, target):
        """Step 2: what the program is built from, and the target in the loss' form."""
        check_optimizer(self.optimizer, self.learning_rate, self.optimizer_params)
        network, loss, target = self._network_and_loss(target)
        recipe = new_recipe(
            network=network,
            optimizer=self.optimizer,
            optimizer_params=dict(self.optimizer_params or {}),
            learning_rate=self.learning_rate,
            default_rate=self._default_rate,
            loss=loss,
            **self._loss_options(),
        )
        return recipe, target

    def _starting_state(self, recipe, rows, target, resume):
        """Step 5: the state to start from, and the learning rate to set in it."""
        if not resume:
            state = self._first_state(recipe, int(self._seeds[0]), rows, target)
            return state, recipe.rate
        before = self._recipe
        if fingerprint(before.network) != fingerprint(recipe.network):
            raise ValueError(
                "warm_start and partial_fit continue with the network that was fitted, "
                "got parameters of another one. Set them back, or call fit with "
                "warm_start=False."
            )
        if before.optimizer_key() != recipe.optimizer_key():
            # Another optimizer's state means nothing to this one.
            return State(self._state.weights, []), recipe.rate
        # A rate that a callback lowered stays, unless the user sets another.
        return self._state, recipe.rate if recipe.rate != before.rate else None

    def _settle(self, recipe, callbacks, resume, state, history, best, first_epoch):
        """Step 7: the attributes that a fit leaves behind."""
        n_new = len(history.get("loss", ()))
        before = self.history_ if resume else {}
        self._recipe, self._state = recipe, state
        self.callbacks_ = callbacks
        self.n_iter_ = first_epoch + n_new
        self.history_ = {
            name: before.get(name, [np.nan] * first_epoch)
            + history.get(name, [np.nan] * n_new)
            for name in {**before, **history}
        }
        for name in ("best_epoch_", "best_score_"):
            vars(self).pop(name, None)
        if best is not None:
            self.best_epoch_ = best[0] + 1
            self.best_score_ = best[1]

    @property
    def _shape_in(self):
        """The shape of sequences, as networks take it."""
        n_features = self.n_features_in_
        if self._n_dimensions_in == 2:
            n_features //= self.n_timesteps_in_
        return {"n_timesteps": self.n_timesteps_in_, "n_features": n_features}

    # ------------------------------------------- what networks do differently in fit

    # What checks y, before the target of a fit is known.
    _target_kind: ClassVar[Any] = RowsThemselves()

    def _learn_target(self, y, classes, resume):
        """The target, and the attributes that say what was learned of y."""
        return self._target_kind

    def _network_and_loss(self, target):
        """The network, the loss, and the target in the form that the loss takes."""
        raise NotImplementedError

    def _loss_options(self):
        """Arguments of the loss, and metrics."""
        return {"loss_params": {}, "metrics": ()}

    def _padding_options(self):
        """What `check_sequences` has to know of padding."""
        return {}

    def _before_training(self, given, rows, recipe):
        """Learn from the training rows what is needed before the network sees them."""

    def _resample(self, given, rows, target):
        """Step 4: the rows to train on, out of those that are not held out."""
        return rows

    def _batch_strata(self, rows, target):
        """See `skseq._engine.recipe.Schedule`."""
        return

    def _first_state(self, recipe, seed, rows, target):
        return initial_state(recipe, seed)

    def _row_weights(self, rows, target):
        """Weights to train with."""
        return rows.weights

    @property
    def _prepare(self):
        """What turns rows into what the network reads; None: nothing."""
        return

    def _monitored(self, given, held_out, target):
        """What is watched: its key in the history, greater is better, its function."""
        return {"monitor": "val_loss", "greater_is_better": False, "score": None}

    # ------------------------------------------------------------------ rows to train

    def _rows(self, rows, target, weights=None):
        """Rows as the engine takes them, with weights of a mean of 1."""
        weights = self._row_weights(rows, target) if weights is None else weights
        weights = (weights / weights.mean()).astype(np.float32)
        return Rows(
            rows.X, rows.index, target.for_loss(rows.codes), weights, self._prepare
        )

    def _make_watch(self, given, held_out, target, early_stopping):
        """Step 6: how validation rows are watched."""
        return Watch(
            **self._monitored(given, held_out, target),
            rows=self._rows(held_out, target, held_out.weights),
            patience=self.patience if early_stopping else None,
            min_delta=self.min_delta,
        )

    def _title(self):
        """What a progress bar is called: the class and its changed parameters."""
        changed = [
            f"{name}={getattr(self, name)!r}"
            for name, one in self._parameters.items()
            if repr(getattr(self, name)) != repr(one.default)
            and name not in ("random_state", "verbose")
        ]
        title = f"{type(self).__name__}({', '.join(changed)})"
        return title if len(title) <= 72 else f"{title[:69]}..."

    def _outputs(self, X):
        """What the network gives for X, of shape (n_samples, n_outputs)."""
        check_is_fitted(self)
        X = check_sequences(self, X, reset=False)
        return predict(self._recipe, self._state.weights, X, prepare=self._prepare)
