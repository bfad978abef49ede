"""Keras losses and the loss of quantiles, and the target that each of them takes."""

import inspect
import re

import numpy as np

from skseq._engine.fingerprints import config_of
from skseq._engine.keras import DTYPE, is_keras, keras
from skseq._engine.names import check_options, public_classes, snake_case
from skseq._validation import nearest

# The constraint of the parameter ``loss``.
LOSS = [str, keras.losses.Loss, callable]


@keras.saving.register_keras_serializable(package="skseq")
class Quantile(keras.losses.Loss):
    """The mean over outputs of the loss of quantiles, from Koenker and Bassett, 1978.

    Parameters
    ----------
    quantile : float or sequence of float
        In (0, 1), in increasing order. For each column of the target there is an output
        for each of them.
    """

    def __init__(
        self,
        quantile=0.5,
        reduction="sum_over_batch_size",
        name="quantile",
        dtype=None,
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.quantiles = tuple(np.ravel(np.asarray(quantile, float)).tolist())
        steps = np.diff([0, *self.quantiles, 1])
        if len(steps) < 2 or not (steps > 0).all():
            raise ValueError(
                f"quantile must be a number in (0, 1), or several in increasing order, "
                f"got {quantile!r}."
            )

    def get_config(self):
        return {**super().get_config(), "quantile": self.quantiles}

    def call(self, y_true, y_pred):
        n_quantiles = len(self.quantiles)
        errors = keras.ops.repeat(y_true, n_quantiles, axis=-1) - y_pred
        n_targets = y_pred.shape[-1] // n_quantiles
        levels = np.tile(np.array(self.quantiles, DTYPE), n_targets)
        losses = keras.ops.maximum(levels * errors, (levels - 1) * errors)
        return keras.ops.mean(losses, axis=-1)


_LOSSES = {
    snake_case(name): cls
    for name, cls in public_classes(keras.losses, keras.losses.Loss).items()
    if name not in ("CTC", "Dice", "Tversky")
} | {"quantile": Quantile}

# Names of losses in other libraries, and the names here.
_LOSSES_ELSEWHERE = {
    "focal": "binary_focal_crossentropy",
    "focal_loss": "binary_focal_crossentropy",
    "rmse": "mse",
    "root_mean_squared_error": "mse",
}

# Names that TensorFlow accepts for a scope. At others it raises, and Keras then keeps
# the scope for the rest of the process.
_SCOPE_NAME = re.compile(r"[A-Za-z0-9.][A-Za-z0-9_.\\/>-]*")


class _FunctionLoss(keras.losses.Loss):
    """A function of ``(y_true, y_pred)`` as a loss."""

    def __init__(self, function):
        super().__init__(name="loss")
        self.function = function

    def call(self, y_true, y_pred):
        losses = self.function(y_true, y_pred)
        if losses is None:
            raise ValueError(
                f"loss must return the losses of the rows, got None from "
                f"{self.function!r}. Add a return statement."
            )
        return losses


def make_loss(loss, loss_params=None):
    """Make a Keras loss from a name, a class, a function or a loss.

    Returns
    -------
    loss : keras.losses.Loss
        The caller's own object if it is one and ``loss_params`` is empty.
    """
    options = dict(loss_params or {})
    if isinstance(loss, str):
        cls, config = _class_of_name(loss), {}
    elif isinstance(loss, keras.losses.Loss):
        if not _SCOPE_NAME.fullmatch(loss.name):
            raise ValueError(
                f"loss must have a name of letters, digits and underscores, got "
                f"{loss.name!r}. Give it another name."
            )
        if not options:
            return loss
        cls, config = type(loss), config_of(loss)
    elif inspect.isclass(loss) and issubclass(loss, keras.losses.Loss):
        cls, config = loss, {}
    elif callable(loss) and not inspect.isclass(loss):
        if options:
            raise ValueError(
                f"loss_params must be None with a function as loss, got {options!r}. "
                f"Use functools.partial."
            )
        return _FunctionLoss(loss)
    else:
        raise TypeError(
            f"loss must be a name, a function or a keras.losses.Loss, got {loss!r}."
        )
    check_options("loss_params", options, cls)
    try:
        return cls.from_config({**config, **options})
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"loss_params={loss_params!r} can't be used with {cls.__name__}: {error}"
        ) from error


def _class_of_name(loss):
    name = snake_case(loss)
    if name not in _LOSSES:
        try:
            name = snake_case(getattr(keras.losses.get(loss), "__name__", ""))
        except ValueError:
            name = ""
    if name not in _LOSSES:
        known = _LOSSES_ELSEWHERE.get(snake_case(loss))
        raise ValueError(
            f"loss must be the name of a Keras loss, got {loss!r}."
            f"{f' Use {known!r}.' if known else nearest(loss, _LOSSES)}"
        )
    return _LOSSES[name]


# Losses that are a mean over rows, to which each row adds by itself.
ROWWISE = {
    getattr(keras.losses, name)
    for name in (
        "BinaryCrossentropy", "BinaryFocalCrossentropy", "CategoricalCrossentropy",
        "CategoricalFocalCrossentropy", "CategoricalHinge", "CosineSimilarity", "Hinge",
        "Huber", "KLDivergence", "LogCosh", "MeanAbsoluteError",
        "MeanAbsolutePercentageError", "MeanSquaredError",
        "MeanSquaredLogarithmicError", "Poisson", "SparseCategoricalCrossentropy",
        "SquaredHinge",
    )
} | {Quantile}  # fmt: skip


def make_rowwise_loss(loss, loss_params=None):
    """Make a loss that gives a value for each row.

    Returns
    -------
    loss : keras.losses.Loss or None
        From target and outputs to an array of shape (n_rows,). None where the loss of a
        batch may differ from the mean of those values.
    """
    made = make_loss(loss, loss_params)
    if type(made) not in ROWWISE or made.dtype != DTYPE:
        return None
    config = config_of(made)
    is_mean = config["reduction"] in ("sum_over_batch_size", "mean")
    leaves_out = config.get("ignore_class") is not None
    if not is_mean or leaves_out or config.get("axis", -1) != -1:
        return None
    return type(made).from_config({**config, "reduction": None})


def takes_logits(loss, loss_params=None):
    """Check whether a loss takes the outputs of a network before sigmoid or softmax."""
    made = make_loss(loss, loss_params)
    return bool(getattr(made, "from_logits", config_of(made).get("from_logits")))


def smooths_labels(loss):
    """Check whether a loss has the argument ``label_smoothing``."""
    return "label_smoothing" in config_of(make_loss(loss))


# Losses whose target is the index of the class, although the name does not say so.
_OF_INDICES = {"categorical_generalized_cross_entropy"}


def target_form(loss):
    """Tell in which form a loss takes classes.

    Returns
    -------
    form : {"index", "indicator"} or None
        ``"index"``: the index of the class. ``"indicator"``: a column for each class.
        Both need an output for each class. None: unknown, as for a user's function.
    """
    name = _known_name(loss)
    if name == "quantile":
        raise ValueError(
            "loss must be for classification, got 'quantile', which is for regressors."
        )
    if name.startswith("sparse_") or name in _OF_INDICES:
        return "index"
    return "indicator" if "categorical" in name else None


def _known_name(loss):
    """Get the name of a loss, or that of the class it is derived from, or ""."""
    made = make_loss(loss)
    if isinstance(made, _FunctionLoss):
        name = getattr(loss, "__name__", "") if is_keras(loss) else ""
    else:
        # A user's subclass takes the same target as Keras' own class.
        known = (c for c in type(made).__mro__ if is_keras(c) or c is Quantile)
        name = next((c.__name__ for c in known), "")
    return snake_case(name)


# Losses for numbers, and in which units each is computed. With "scaled", the best
# weights don't depend on the units, and with "differences" not on an offset.
_UNITS = {
    "mean_squared_error": "scaled",
    "mean_absolute_error": "scaled",
    "quantile": "scaled",
    "huber": "differences",
    "log_cosh": "differences",
    "mean_absolute_percentage_error": "own",
    "mean_squared_logarithmic_error": "own",
    "poisson": "own",
    "cosine_similarity": "own",
}

# Losses for numbers that are not negative.
_NOT_NEGATIVE = ("poisson", "mean_squared_logarithmic_error")


def takes_negative(loss):
    """Tell whether a loss for numbers takes negative ones.

    Raises
    ------
    ValueError
        If it is one of Keras' losses for classes.
    """
    name = _known_name(loss)
    is_users = name in ("", "loss")
    if not is_users and name not in _UNITS:
        raise ValueError(
            f"loss must be for regression, got {loss!r}, which is for classifiers. Use "
            f"one of {sorted(_UNITS)}, or a function."
        )
    return name not in _NOT_NEGATIVE


def units_of(loss):
    """Tell in which units a loss for numbers is computed.

    Returns
    -------
    units : {"scaled", "differences", "own"}
        ``"scaled"``: those of the scaled target. ``"own"``: those of y.
        ``"differences"``: those of y, without an offset that is added to all values.
    """
    cls = type(make_loss(loss))
    if cls is _FunctionLoss:
        cls = loss
    is_users = cls is not Quantile and not is_keras(cls)
    return "own" if is_users else _UNITS[_known_name(loss)]


def quantiles_of(loss, loss_params=None):
    """Get the quantiles of a loss, as a tuple, or None for other losses."""
    return getattr(make_loss(loss, loss_params), "quantiles", None)
