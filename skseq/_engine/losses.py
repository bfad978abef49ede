"""Keras losses, and the form of target that each of them takes."""

import inspect
import re

from skseq._engine.fingerprints import config_of
from skseq._engine.keras import DTYPE, is_keras, keras
from skseq._engine.names import check_options, public_classes, snake_case
from skseq._validation import nearest

# The constraint of the parameter ``loss``.
LOSS = [str, keras.losses.Loss, callable, None]

_LOSSES = {
    snake_case(name): cls
    for name, cls in public_classes(keras.losses, keras.losses.Loss).items()
    if name not in ("CTC", "Dice", "Tversky")
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
        return self.function(y_true, y_pred)


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
    elif callable(loss):
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
        raise ValueError(
            f"loss must be the name of a Keras loss, got {loss!r}."
            f"{nearest(loss, _LOSSES)}"
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
}  # fmt: skip


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
    made = make_loss(loss)
    if isinstance(made, _FunctionLoss):
        name = getattr(loss, "__name__", "") if is_keras(loss) else ""
    else:
        # A user's subclass takes the same form as Keras' own class.
        name = next((c.__name__ for c in type(made).__mro__ if is_keras(c)), "")
    name = snake_case(name)
    if name.startswith("sparse_") or name in _OF_INDICES:
        return "index"
    return "indicator" if "categorical" in name else None
