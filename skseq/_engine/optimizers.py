"""Keras optimizers, and those of their options that are run-time values."""

import functools
import inspect
from numbers import Real

from skseq._engine.fingerprints import config_of, fingerprint
from skseq._engine.keras import building, is_keras, keras
from skseq._engine.names import check_options, public_classes
from skseq._engine.private import is_excluding_weights
from skseq._validation import Interval, nearest

# The constraints of the parameters ``optimizer`` and ``learning_rate``.
OPTIMIZER = [str, keras.optimizers.Optimizer, type, None]
LEARNING_RATE = [
    Interval(Real, 0, None, closed="neither"),
    keras.optimizers.schedules.LearningRateSchedule,
    None,
]

_OPTIMIZERS = {
    name.lower(): cls
    for name, cls in public_classes(
        keras.optimizers, keras.optimizers.Optimizer
    ).items()
    if name not in ("LossScaleOptimizer", "MultiOptimizer")
}

# Optimizers that update each element of a weight by itself, so that all weights can be
# one vector. Nadam does so too, but counts its steps in `apply`, which is not used.
_ELEMENTWISE = {
    getattr(keras.optimizers, name)
    for name in (
        "SGD", "Adam", "AdamW", "Adamax", "RMSprop", "Adagrad", "Adadelta", "Ftrl",
        "Lion",
    )
}  # fmt: skip

# Options of these optimizers that are values at run time, and need no new trace.
_VALUE_OPTIONS = ("weight_decay", "clipnorm", "global_clipnorm", "clipvalue")

# Limits of the gradient. Keras ignores negative ones.
LIMITS = _VALUE_OPTIONS[1:]

_RUN_TIME = "a run-time value"


def is_rate_value(rate):
    """Check whether a learning rate is a number, and not a schedule or None."""
    return isinstance(rate, Real)


def is_object(optimizer):
    """Check whether an optimizer is an object, which has a learning rate."""
    return isinstance(optimizer, keras.optimizers.Optimizer)


def _optimizer_class(optimizer):
    """Get the class of an optimizer, and its configuration if it is an object."""
    if isinstance(optimizer, str):
        cls = _OPTIMIZERS.get(optimizer.lower())
        if cls is None:
            raise ValueError(
                f"optimizer must be the name of a Keras optimizer, got {optimizer!r}."
                f"{nearest(optimizer.lower(), _OPTIMIZERS)}"
            )
        return cls, {}
    if is_object(optimizer):
        return type(optimizer), config_of(optimizer)
    if inspect.isclass(optimizer) and issubclass(optimizer, keras.optimizers.Optimizer):
        return optimizer, {}
    raise TypeError(
        f"optimizer must be a name or a keras.optimizers.Optimizer, got {optimizer!r}."
    )


def make_optimizer(optimizer, learning_rate=None, optimizer_params=None):
    """Make a new Keras optimizer.

    Parameters
    ----------
    optimizer : str, keras.optimizers.Optimizer or class of one
        The configuration of an object is used, never the object itself.
    learning_rate : float, keras.optimizers.schedules.LearningRateSchedule or None
        None: the object's own rate, or Keras' default with a name or a class.
    optimizer_params : dict or None
        Further arguments of the optimizer.
    """
    options = dict(optimizer_params or {})
    cls, config = _optimizer_class(optimizer)
    if "learning_rate" in options:
        raise ValueError(
            f"optimizer_params must not hold 'learning_rate', got "
            f"{options['learning_rate']!r}. Use the parameter learning_rate."
        )
    check_options("optimizer_params", options, cls, also_refused=["learning_rate"])
    config.update(options)
    if learning_rate is not None:
        if is_rate_value(learning_rate):
            learning_rate = float(learning_rate)  # Keras takes no int
        config["learning_rate"] = learning_rate
    if "name" in _defaults(cls):
        # Keras numbers optimizers without a name, and their variables are named after
        # them. TensorFlow keeps 35 kB for each new name of a variable, for good.
        config.setdefault("name", cls.__name__.lower())
    try:
        return cls.from_config(config)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"optimizer_params={optimizer_params!r} can't be used with "
            f"{cls.__name__}: {error}"
        ) from error


def new_optimizer(optimizer, learning_rate=None, optimizer_params=None):
    """Make an optimizer as `make_optimizer` does, outside of a program."""
    with building():
        return make_optimizer(optimizer, learning_rate, optimizer_params)


def check_optimizer(optimizer, learning_rate, optimizer_params):
    """Raise if an optimizer can't be made, or if a copy of it would train otherwise."""
    cls, _ = _optimizer_class(optimizer)
    if issubclass(cls, keras.optimizers.LossScaleOptimizer):
        raise ValueError(
            f"optimizer must not be a LossScaleOptimizer, got {optimizer!r}: it is "
            f"made for training in float16, and networks are trained in float32. Pass "
            f"its inner_optimizer."
        )
    if cls is getattr(keras.optimizers, "MultiOptimizer", None):
        raise ValueError(
            f"optimizer must be one optimizer for all weights, got {optimizer!r}. Pass "
            f"one of its optimizers."
        )
    for name, value in _full_config(optimizer, optimizer_params)[1].items():
        if name in LIMITS and value is not None and value < 0:
            raise ValueError(
                f"optimizer_params must hold a positive {name}, or None, got {value!r}."
            )
    check_no_exclusions(optimizer)
    has_plain_rate = learning_rate is None or is_rate_value(learning_rate)
    if optimizer_params or not has_plain_rate or not is_keras(cls):
        make_optimizer(optimizer, learning_rate, optimizer_params)


def check_no_exclusions(optimizer):
    """Raise if an optimizer object leaves weights out of its weight decay."""
    if is_object(optimizer) and is_excluding_weights(optimizer):
        raise ValueError(
            f"optimizer must exclude no weights from weight decay, got {optimizer!r} "
            f"after exclude_from_weight_decay: Keras does not copy the excluded "
            f"weights, and the call would be ignored. Leave out the call, or set "
            f"weight_decay=None."
        )


@functools.cache
def _defaults(cls):
    parameters = inspect.signature(cls).parameters.values()
    return {parameter.name: parameter.default for parameter in parameters}


def _full_config(optimizer, optimizer_params):
    cls, config = _optimizer_class(optimizer)
    return cls, {**_defaults(cls), **config, **(optimizer_params or {})}


def is_elementwise(optimizer, optimizer_params):
    """Check whether all weights can be updated as one vector, with equal results."""
    cls, config = _full_config(optimizer, optimizer_params)
    return cls in _ELEMENTWISE and not any(
        config.get(name)
        for name in ("use_ema", "gradient_accumulation_steps", "loss_scale_factor")
    )


def option_values(optimizer, optimizer_params):
    """Collect the options that are run-time values, and are in use.

    Returns
    -------
    values : dict of str to float
    """
    if not is_elementwise(optimizer, optimizer_params):
        return {}
    _, config = _full_config(optimizer, optimizer_params)
    return {name: float(config[name]) for name in _VALUE_OPTIONS if config.get(name)}


def optimizer_key(optimizer, optimizer_params, learning_rate, unknown=id):
    """Compute a hashable key that is equal for interchangeable optimizer states.

    It is the optimizer's configuration, without the options that are passed at run
    time. For ``unknown`` see `fingerprint`.
    """
    cls, config = _full_config(optimizer, optimizer_params)
    config.pop("name", None)
    if learning_rate is not None:
        config["learning_rate"] = learning_rate
    if is_rate_value(config.get("learning_rate")):
        config["learning_rate"] = _RUN_TIME
    used = option_values(optimizer, optimizer_params)
    config |= dict.fromkeys(used, _RUN_TIME)
    return fingerprint((cls, config), unknown)


def own_rate(optimizer):
    """Get the learning rate that an optimizer has; None where it is a schedule."""
    rate = _full_config(optimizer, None)[1]["learning_rate"]
    return float(rate) if is_rate_value(rate) else None
