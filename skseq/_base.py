"""The base class of all networks: SciKeras' BaseWrapper as a scikit-learn estimator.

No other module imports SciKeras. `SequenceEstimator._fit` has the steps of ``fit``.
"""

from __future__ import annotations

# Before SciKeras, because its message says what to do if Keras can't be imported.
import skseq._engine.keras  # noqa: F401

# isort: split
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from scikeras.wrappers import BaseWrapper
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from skseq._checkpoint import Checkpointed
from skseq._engine import plain
from skseq._engine.callbacks import CALLBACKS, copies_of
from skseq._engine.optimizers import (
    LEARNING_RATE,
    LIMITS,
    OPTIMIZER,
    check_no_exclusions,
    check_optimizer,
)
from skseq._engine.rates import SCHEDULES, choose_batch_size, choose_epochs
from skseq._engine.recipe import RECORDS, Rows, Schedule, State, Watch, new_recipe
from skseq._engine.stored import copied
from skseq._engine.train import initial_state, predict, standalone_model, train
from skseq._lists import take_rows
from skseq._nested import NestedParameters
from skseq._parameters import parameter
from skseq._persistence import VersionedState
from skseq._rows import Part, hold_out
from skseq._sequences import check_sequences
from skseq._targets import RowsThemselves
from skseq._validation import (
    HasMethods,
    Interval,
    StrOptions,
    check_groups,
    check_outputs,
    check_parameters,
    check_weights,
    with_mean_one,
)
from skseq._window_array import SeenWindows, WindowArray

if TYPE_CHECKING:
    from skseq._engine.types import Callbacks, LearningRate, Model, Optimizer

# scikit-learn's check_estimator refuses a class in the MRO that has `_more_tags` and
# does not define `__sklearn_tags__`, such as BaseWrapper. Define the method that it
# inherits.
if "__sklearn_tags__" not in vars(BaseWrapper):
    BaseWrapper.__sklearn_tags__ = BaseEstimator.__sklearn_tags__  # type: ignore


# The largest norm of a gradient of recurrent networks, unless another is chosen. Usual
# norms are far smaller.
_CLIPNORM = 10.0


class SequenceEstimator(Checkpointed, NestedParameters, VersionedState, BaseWrapper):
    """Base class of all networks.

    Attributes
    ----------
    n_features_in_ : int
        Number of columns of a 2-D X, or number of features of a 3-D X.

    n_timesteps_in_ : int
        Number of timesteps of X. For a list of sequences or a padded X, that of the
        longest sequence. For a 2-D X, the number of timesteps that its columns hold.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns of X. Defined only if X is a dataframe whose column names
        are all strings.

    history_ : dict of str to list
        The values of each epoch, by name: ``"loss"`` and the ``metrics`` on the
        training rows; ``"val_loss"`` and so on, if there are validation rows; and the
        entries that ``callbacks`` add to their logs. A metric with a value for each
        class has a list for each epoch.

    n_iter_ : int
        Number of epochs of training since the weights were initialized.

    best_epoch_ : int
        Epoch with the best score on the validation rows, counted from 1. Only with
        ``early_stopping`` or ``X_val``.

    best_score_ : float
        Score of ``best_epoch_`` on the validation rows. Only with ``early_stopping`` or
        ``X_val``.

    callbacks_ : list of keras.callbacks.Callback
        The copies of ``callbacks`` that were used in training.

    model_ : keras.Model
        The trained network as a new Keras model, with a copy of the weights. Changes of
        this model do not change the estimator.
    """

    epochs: int | Literal["auto"] = parameter(  # type: ignore[assignment]
        default=30,
        constraint=[Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        text="""int or "auto"
        Number of epochs. An epoch is one pass over the training rows. ``"auto"``: as
        many epochs as make 600 steps of the optimizer (one step for each batch of
        rows), but at least 12, or 24 in recurrent networks. So small data sets get more
        epochs.""",
        group="training",
    )
    batch_size: int | Literal["auto"] = parameter(  # type: ignore[assignment]
        default=32,
        constraint=[Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        text="""int or "auto"
        Number of rows in a batch. The optimizer updates the weights once for each
        batch. ``"auto"``: 16 for fewer than 500 training rows, 32 for fewer than 5000,
        and otherwise 128.""",
        group="training",
    )
    optimizer: Optimizer = parameter(
        default="adam",
        constraint=OPTIMIZER,
        text="""str, keras.optimizers.Optimizer, class of one, or None
        The optimizer: the name of a Keras optimizer such as ``"adam"``, an optimizer
        object, which is copied before use, or its class. None: ``"adam"``; for a Keras
        model of your own that is compiled, the optimizer it was compiled with.""",
        group="training",
    )
    learning_rate: LearningRate = parameter(
        default=None,
        constraint=LEARNING_RATE,
        text="""float, keras.optimizers.schedules.LearningRateSchedule or None
        Learning rate, the step size of the optimizer. It replaces the learning rate of
        an optimizer object. None: the learning rate of the optimizer object, if there
        is one, and otherwise a default that depends on the network:

        - classifiers: 0.01; 0.003 if each column of a table is a timestep, and for
          dense networks on token ids or on fewer than 500 sequences;
        - regressors: 0.005; 0.003 for dense networks;
        - autoencoders: 0.002;
        - a Keras model of your own: the default of its optimizer.""",
        group="training",
    )
    schedule: Literal["one_cycle", "cosine"] | None = parameter(
        default=None,
        constraint=[StrOptions(set(SCHEDULES)), None],
        text="""{"one_cycle", "cosine"} or None
        How the learning rate changes over the steps of ``fit``. ``"one_cycle"``: it
        rises to ``learning_rate`` in the first 30 % of the steps, and then falls to
        nearly zero (Smith and Topin, 2019). ``"cosine"``: it falls from
        ``learning_rate`` to zero (Loshchilov and Hutter, 2017). None: it is constant.
        It is always constant in ``partial_fit``. If ``learning_rate`` or the optimizer
        has a Keras schedule, only that schedule is used.

        With a schedule, recurrent networks limit the norm of the gradient to 10
        (Pascanu, Mikolov and Bengio, 2013) if the optimizer is given by name or by
        default. Another limit in ``optimizer_params``, such as ``{"clipnorm": 1.0}``,
        replaces this one. To remove it, set ``optimizer_params={"global_clipnorm":
        None}``.""",
        group="training",
    )
    weight_decay: float | Literal["auto"] | None = parameter(
        default="auto",
        constraint=[Interval(Real, 0, None, closed="left"), StrOptions({"auto"}), None],
        text="""float, "auto" or None
        Weight decay, which keeps the weights small (Loshchilov and Hutter, 2019): each
        step of the optimizer multiplies them by ``1 - weight_decay * learning_rate``.
        It is used if the optimizer is given by name or by default, and
        ``optimizer_params`` has no ``weight_decay``. None: the default of the Keras
        optimizer, which is no decay for most optimizers. ``"auto"`` depends on the
        network:

        - convolutional networks: 0.5;
        - dense networks with hidden layers: 0.5 for a table and for fewer than 500
          sequences; otherwise None;
        - recurrent networks: 0.1 for sequences of at most 12 timesteps; 1 if each
          column of a table of fewer than 1,000 rows is a timestep; otherwise None;
        - dense and recurrent networks on token ids, and all other networks: None.""",
        group="training",
    )
    optimizer_params: dict[str, Any] | None = parameter(
        default=None,
        constraint=[dict, None],
        text="""dict or None
        Further arguments of the optimizer, such as ``{"clipnorm": 1.0}``. A single
        argument can be set with ``set_params(optimizer__clipnorm=1.0)``.""",
        group="training",
    )
    callbacks: Callbacks = parameter(  # type: ignore[assignment]
        default=None,
        constraint=CALLBACKS,
        text="""keras.callbacks.Callback, list or tuple of those, or None
        Keras callbacks: objects whose methods are called during training, for instance
        after each epoch. They are copied before use; the copies are in ``callbacks_``.
        Callbacks with methods that are called for each batch make training several
        times slower.""",
        group="training",
    )
    shuffle: bool = parameter(
        default=True,
        constraint=["boolean"],
        text="""bool
        Whether to shuffle the training rows before each epoch.""",
        group="training",
    )
    early_stopping: bool = parameter(
        default=False,
        constraint=["boolean"],
        text="""bool
        Whether to hold out validation rows, to stop training when the score on them no
        longer improves, and to keep the weights of the best epoch. The score is the
        loss, or the ``monitor`` of a classifier or regressor.""",
        group="validation",
    )
    validation_split: float | Any = parameter(
        default=0.1,
        constraint=[Interval(Real, 0, 1, closed="neither"), HasMethods("split")],
        text="""float or cross-validation splitter
        The training rows that ``early_stopping`` holds out for validation. A fraction
        in (0, 1): rows drawn at random, stratified by class in classifiers; whole
        groups, if ``groups`` are passed to ``fit``. A scikit-learn splitter: the test
        rows of its last split.""",
        group="validation",
    )
    patience: int = parameter(
        default=10,
        constraint=[Interval(Integral, 1, None, closed="left")],
        text="""int
        Number of epochs without improvement after which ``early_stopping`` stops
        training.""",
        group="validation",
    )
    min_delta: float = parameter(
        default=0.0,
        constraint=[Interval(Real, 0, None, closed="left")],
        text="""float
        Smallest change of the score that counts as an improvement for ``patience``.""",
        group="validation",
    )
    n_timesteps: int | None = parameter(
        default=None,
        constraint=[Interval(Integral, 1, None, closed="left"), None],
        text="""int or None
        Number of timesteps in the columns of a 2-D X. The columns hold all features of
        the first timestep, then all features of the second timestep, and so on. None:
        each column is a timestep with one feature. Leave it None for a 3-D X.""",
        group="other",
    )
    random_state: int | np.random.RandomState | None = parameter(
        default=None,
        constraint=["random_state"],
        text="""int, RandomState instance or None
        Determines the initial weights, the order of rows, all random draws during
        training, and the validation rows that are held out. Pass an int for
        reproducible results across multiple calls.""",
        group="other",
    )
    warm_start: bool = parameter(
        default=False,
        constraint=["boolean"],
        text="""bool
        Whether a further call of ``fit`` continues training: it starts from the current
        weights and the current state of the optimizer, and trains for another
        ``epochs`` epochs. False: each call of ``fit`` starts anew.""",
        group="other",
    )
    verbose: int = parameter(
        default=0,
        constraint=["verbose"],
        text="""int
        How progress is shown. 0: not at all. 1: a progress bar over the epochs on
        standard error (a single line at the end, if that is neither a terminal nor a
        notebook). 2: a printed line after each epoch.""",
        group="other",
    )

    _dict_parameters: ClassVar[dict[str, str]] = {"optimizer": "optimizer_params"}

    # The dtype of validated rows, or a tuple of accepted ones.
    _dtype: ClassVar[Any] = np.float32

    # Whether a table stays one, and X may have more than three dimensions.
    _takes_any_shape = False

    # The windows of the last fit, in this process.
    _seen_windows: ClassVar[SeenWindows | None] = None

    # The default learning rate; None: that of Keras.
    _default_rate: ClassVar[float | None] = None

    # ------------------------------------------------- parameters, as BaseEstimator's

    # BaseWrapper lists every parameter on a line of its own.
    __repr__ = BaseEstimator.__repr__

    def __sklearn_clone__(self):
        check_no_exclusions(self.optimizer)
        params = self.get_params(deep=False)
        copies = {name: copied(value) for name, value in params.items()}
        copies = {name: c for name, c in copies.items() if c is not params[name]}
        # Without Keras objects, because copy.deepcopy needs the user's classes to be
        # registered with Keras, and loses arguments.
        plain = object.__new__(type(self))
        vars(plain).update(vars(self) | dict.fromkeys(copies))
        clone = super(SequenceEstimator, plain).__sklearn_clone__()
        vars(clone).update(copies)
        return clone

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags

    def __sklearn_is_fitted__(self):
        return "_state" in vars(self)

    _records: ClassVar[tuple[type, ...]] = RECORDS
    _keras_state: ClassVar[Any] = plain

    def _saved(self):
        return {k: v for k, v in super()._saved().items() if k != "_seen_windows"}

    def __copy__(self):
        # By default copy.copy would use the state for pickling.
        new = object.__new__(type(self))
        vars(new).update(vars(self))
        return new

    def _upgraded(self, state):
        from skseq._training import upgraded  # imported here, for old files alone

        return upgraded(state)

    # ------------------------------------------------- public attributes of SciKeras

    def _absent(self, name):
        raise AttributeError(
            f"{type(self).__name__!r} object has no attribute {name!r}"
        )

    @property
    def initialized_(self) -> bool:
        """bool: whether the network has weights, so that ``predict`` can be called."""
        return self.__sklearn_is_fitted__()

    @property
    def current_epoch(self) -> int:
        """int: epochs since the weights were initialized; 0 before ``fit``."""
        return getattr(self, "n_iter_", 0)

    @property
    def model_(self) -> Model:
        """keras.Model: the trained network as a new model, with a copy of the weights.

        Changes of this model do not change the estimator.
        """
        if not self.__sklearn_is_fitted__():
            self._absent("model_")
        return standalone_model(self._recipe, self._state.weights)

    def summary(self) -> None:
        """Print the layers, with their output shapes and numbers of weights.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        """
        check_is_fitted(self)
        self.model_.summary(expand_nested=True)

    @property
    def feature_encoder(self):
        """Not available: transform X in a `sklearn.pipeline.Pipeline`."""
        self._absent("feature_encoder")

    @property
    def target_encoder(self):
        """Not available: ``fit`` encodes the class labels, see ``classes_``."""
        self._absent("target_encoder")

    @property
    def scorer(self):
        """Not available: see ``score`` and `sklearn.metrics.make_scorer`."""
        self._absent("scorer")

    # ------------------------------------------------------------- the steps of fit

    def _fit(
        self, given, *, epochs, schedule=None, resume=False, early_stopping=False,
        min_rows=2, checkpointed=False,
    ):  # fmt: skip
        """Train; called by methods that are decorated with `public_fit`.

        Parameters
        ----------
        given : Given
        epochs : int or "auto"
            0: only draw the first weights.
        schedule : str or None
        resume : bool
            Whether to continue with the current weights.
        early_stopping : bool
        min_rows : int
            The smallest number of rows that is accepted.
        checkpointed : bool
            Whether ``checkpoint`` is used.

        Returns
        -------
        rows : Part
            The training rows, before they were resampled.
        """
        check_parameters(self)
        if checkpointed:
            self._check_checkpoint()
        given = given.opened()
        whole, target = self._validate(given, resume, min_rows)
        held_out = self._validate_held_out(given, target)
        self._learn_lengths(whole, held_out, resume)
        callbacks = copies_of(self.callbacks)
        recipe, target = self._new_recipe(target)
        recipe, whole, held_out = self._padded(recipe, whole, held_out, resume)
        if not resume:
            rng = check_random_state(self.random_state)
            self._seeds = rng.randint(2**31 - 1, size=3)
        rest = whole
        if held_out is None and early_stopping:
            rest, held_out = hold_out(
                whole, given, target, self.validation_split, int(self._seeds[2])
            )
        if not resume:
            self._before_training(given, rest, recipe)
        self._learn_rows(rest, resume)
        recipe, target = self._scale_target(recipe, rest, target, resume)
        rows = self._resample(given, rest, target) if epochs else rest
        watch = None
        if held_out is not None:
            watch = self._make_watch(given, held_out, target, early_stopping)
        state, rate = self._starting_state(recipe, rows, target, resume)
        batch_size = self.batch_size
        if batch_size == "auto":
            batch_size = choose_batch_size(len(rows))
        if epochs == "auto":
            epochs = choose_epochs(len(rows), batch_size, self._least_epochs)
        plan = Schedule(
            epochs=epochs,
            batch_size=batch_size,
            first_epoch=self.n_iter_ if resume else 0,
            shuffle=self.shuffle,
            seed=int(self._seeds[1]),
            strata=self._batch_strata(rows, target),
            learning_rate=rate,
            rates=schedule,
            callbacks=callbacks if epochs else [],
            verbose=self.verbose,
            title=self._title(),
        )
        checkpoint = self._new_checkpoint(given) if checkpointed else None
        outcome = train(
            recipe, state, self._rows(rows, target), plan, watch, checkpoint
        )
        self._settle(recipe, callbacks, resume, *outcome)
        vars(self).pop("_seen_windows", None)
        if isinstance(given.X, WindowArray):
            self._seen_windows = SeenWindows(given.X)
        return rest

    def _continues(self):
        """Check whether ``fit`` continues from the last call."""
        check_parameters(self)
        return bool(self.warm_start) and self.__sklearn_is_fitted__()

    def _check_partial(self):
        """Raise if a parameter of `partial_fit` needs all rows at once."""
        if self.early_stopping:
            raise ValueError(
                "early_stopping must be False with partial_fit, got True: no rows can "
                "be held out over several calls."
            )

    def _validate(self, given, resume, min_rows):
        """Validate the rows, leave out those of weight zero, and learn the target."""
        X = self._check_rows(
            given.X, reset=not resume, n_timesteps=self.n_timesteps, min_rows=min_rows
        )
        if not resume:
            self._X_shape = X.shape
        y = self._target_kind.check(given.y, len(X))
        weights = check_weights(given.sample_weight, len(X))
        if given.groups is not None:
            check_groups(given.groups, len(X))
        index = None if (weights > 0).all() else np.flatnonzero(weights)
        y, weights = take_rows(y, index), take_rows(weights, index)
        target = self._learn_target(y, given.classes, resume)
        return Part(X, index, target.encode(y), weights), target

    def _validate_held_out(self, given, target):
        """Validate the validation rows that were passed, or return None."""
        if given.X_val is None:
            for name in ("y_val", "sample_weight_val"):
                if getattr(given, name) is not None:
                    raise ValueError(f"{name} needs X_val, got X_val=None.")
            return None
        X = self._check_rows(given.X_val, reset=False, name="X_val")
        if isinstance(given.X, WindowArray) and isinstance(given.X_val, WindowArray):
            seen = SeenWindows(given.X)
            seen.warn_of_unfair(given.X_val, "X_val", stacklevel=6)
        y = target.check(given.y_val, len(X), "y_val")
        weights = check_weights(given.sample_weight_val, len(X), "sample_weight_val")
        index = np.flatnonzero(weights)
        codes = target.encode(y, "y_val")
        return Part(X, index, codes[index], weights[index])

    def _new_recipe(self, target):
        """Make the recipe of the program, and the target in the form of its loss."""
        network, loss, target = self._network_and_loss(target)
        optimizer = self._chosen_optimizer()
        options = self._optimizer_options(optimizer)
        check_optimizer(optimizer, self.learning_rate, options)
        recipe = new_recipe(
            network=network,
            optimizer=optimizer,
            optimizer_params=options,
            learning_rate=self.learning_rate,
            default_rate=self._default_rate,
            loss=loss,
            **self._loss_options(),
        )
        default = self._parameters["schedule"].default
        if recipe.rate is None and self.schedule not in (None, default):
            raise ValueError(
                f"schedule must be None where the learning rate has a schedule of "
                f"Keras, got {self.schedule!r}. Choose one of the two."
            )
        return recipe, target

    def _starting_state(self, recipe, rows, target, resume):
        """Get the state to start from, and the learning rate to set in it."""
        if not resume:
            state = self._first_state(recipe, int(self._seeds[0]), rows, target)
            return state, recipe.rate
        before, changed = self._recipe, self._changed_network(recipe)
        if changed:
            raise ValueError(
                f"warm_start and partial_fit continue with the fitted network, got "
                f"{changed}. Undo this change, or call fit with "
                f"warm_start=False."
            )
        if before.optimizer_key() != recipe.optimizer_key():
            # The state of another optimizer can't be used.
            return State(self._state.weights, []), recipe.rate
        # A rate that a callback has changed is kept, unless the parameter has changed.
        return self._state, recipe.rate if recipe.rate != before.rate else None

    def _changed_network(self, recipe):
        """Describe a parameter that has changed the network, for a message."""
        before = getattr(self, "n_timesteps_in_", None)
        if self._n_dimensions_in == 2 and self.n_timesteps not in (None, before):
            return f"n_timesteps={self.n_timesteps} after {before}"
        same = recipe.network.continues(self._recipe.network)
        return None if same else "parameters that change its layers"

    def _settle(self, recipe, callbacks, resume, state, history, best, first_epoch):
        """Set the fitted attributes."""
        n_new = len(history.get("loss", ()))
        before = self.history_ if resume else {}
        self._recipe, self._state = recipe, state
        self.callbacks_ = callbacks
        self.n_iter_ = first_epoch + n_new
        self.history_ = {
            # A callback may have continued at a later epoch than the last fit's end.
            name: (before.get(name, []) + [np.nan] * first_epoch)[:first_epoch]
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
        """dict: the shape of the network's input."""
        n_features = self.n_features_in_
        if self._n_dimensions_in == 2:
            n_features //= self.n_timesteps_in_
        return {"n_timesteps": self.n_timesteps_in_, "n_features": n_features}

    # ------------------------------------- steps of fit that differ between networks

    def _chosen_optimizer(self):
        """Get the optimizer to train with."""
        return "adam" if self.optimizer is None else self.optimizer

    def _optimizer_options(self, optimizer):
        """Get the further arguments of an optimizer."""
        options, decay = dict(self.optimizer_params or {}), self.weight_decay
        if decay == "auto":
            decay = self._auto_decay
        if not isinstance(optimizer, str):
            return options
        if decay is not None:
            options.setdefault("weight_decay", float(decay))
        has_limit = any(name in options for name in LIMITS)
        if self._clips and self.schedule is not None and not has_limit:
            options["global_clipnorm"] = _CLIPNORM
        return options

    # Whether the norm of the gradient is limited by default.
    _clips = False

    @property
    def _auto_decay(self):
        """float or None: the weight decay, unless it is chosen."""
        return None

    # With "auto" as epochs: the least number.
    _least_epochs = 12

    # The class or object that checks y before the target is learned.
    _target_kind: ClassVar[Any] = RowsThemselves()

    def _learn_target(self, y, classes, resume):
        """Learn the target from y, and set its attributes, such as ``classes_``."""
        return self._target_kind

    def _network_and_loss(self, target):
        """Make the network, the loss, and the target in the form of the loss."""
        raise NotImplementedError

    def _loss_options(self):
        """Get the arguments of the loss, and the metrics."""
        return {"loss_params": {}, "metrics": ()}

    def _check_rows(self, X, **options):
        """Call `check_sequences`, with the options of this network."""
        return check_sequences(self, X, dtype=self._dtype, windows=True, **options)

    def _learn_lengths(self, whole, held_out, resume):
        """Learn the lengths of rows, before the recipe is made."""

    def _padded(self, recipe, whole, held_out, resume):
        """Bring rows and network to one number of timesteps."""
        return recipe, whole, held_out

    def _before_training(self, given, rows, recipe):
        """Prepare training with the training rows, before they are resampled."""

    def _learn_rows(self, rows, resume):
        """Learn from the training rows how rows are prepared."""

    def _scale_target(self, recipe, rows, target, resume):
        """Scale the target by the training rows."""
        return recipe, target

    def _resample(self, given, rows, target):
        """Resample the training rows."""
        return rows

    def _batch_strata(self, rows, target):
        """Compute the strata of `skseq._engine.recipe.Schedule`."""
        return

    def _first_state(self, recipe, seed, rows, target):
        return initial_state(recipe, seed)

    def _row_weights(self, rows, target):
        """Compute the weights to train with."""
        return rows.weights

    @property
    def _prepare(self):
        """callable or None: converts rows to the network's input."""
        return

    def _monitored(self, given, held_out, target):
        """Get the fields of `skseq._engine.recipe.Watch` that describe the score."""
        return {"monitor": "val_loss", "greater_is_better": False, "score": None}

    # ------------------------------------------------------------------ rows to train

    def _rows(self, rows, target, weights=None):
        """Convert a part to the rows of the engine, with weights of mean 1."""
        weights = self._row_weights(rows, target) if weights is None else weights
        coded, weights = target.for_loss(rows.codes), with_mean_one(weights)
        return Rows(rows.X, rows.index, coded, weights, self._prepare)

    def _make_watch(self, given, held_out, target, early_stopping):
        """Describe how validation rows are scored."""
        return Watch(
            **self._monitored(given, held_out, target),
            rows=self._rows(held_out, target, held_out.weights),
            patience=self.patience if early_stopping else None,
            min_delta=self.min_delta,
        )

    def _outputs(self, X):
        """Compute the network's outputs for X, of shape (n_samples, n_outputs)."""
        check_is_fitted(self)
        rows = self._check_rows(X, reset=False)
        if self._seen_windows is not None and isinstance(X, WindowArray):
            self._seen_windows.warn_of_unfair(X, "X", stacklevel=4)
        outputs = self._predict(rows)
        check_outputs(outputs)
        return outputs

    def _predict(self, X):
        """Compute the outputs for validated rows."""
        return predict(self._recipe, self._state.weights, X, prepare=self._prepare)
