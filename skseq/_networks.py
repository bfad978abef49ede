"""From plain options to Keras layers, losses, metrics and optimizers.

The only file that names Keras layers. A *network* is a dict of plain values (and of
Keras objects that the user passed in) that says all about the graph; `build_network`
turns it into a Keras model. What is drawn at random is drawn by `draw_weights` from a
seed, so that one graph serves every seed.
"""

import functools
import importlib.util
import inspect
import json
import math
import os
import random
import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from numbers import Real

import numpy as np

from skseq._validation import nearest


def _import_keras():
    remedy = (
        "skseq runs Keras on TensorFlow. Unset the environment variable KERAS_BACKEND, "
        "or set KERAS_BACKEND=tensorflow, and see that ~/.keras/keras.json names no "
        "other backend."
    )
    wanted = os.environ.get("KERAS_BACKEND") or "tensorflow"
    if wanted != "tensorflow":
        raise ImportError(
            f"KERAS_BACKEND must be 'tensorflow', got {wanted!r}. {remedy}"
        )
    if importlib.util.find_spec("tensorflow") is None:
        raise ImportError(
            f"TensorFlow is not installed: pip install tensorflow. {remedy}"
        )
    # TensorFlow tells on standard error, at every start, which devices it lacks.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras

    if keras.config.backend() != "tensorflow":
        raise ImportError(
            f"Keras' backend must be 'tensorflow', got {keras.config.backend()!r}: the "
            f"environment variable KERAS_BACKEND or ~/.keras/keras.json says so. "
            f"{remedy}"
        )
    return keras


keras = _import_keras()

# Whatever the user's global policy, so that a fitted estimator means the same anywhere.
_DTYPE = "float32"


# ------------------------------------------------------------------ names to objects


def _snake(name):
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return re.sub(r"(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def _public_classes(module, base):
    return {
        name: value
        for name, value in vars(module).items()
        if inspect.isclass(value) and issubclass(value, base) and value is not base
    }


def _accepted(cls):
    """Names that a Keras class' constructor takes, its base class' among them."""
    names = set()
    for ancestor in inspect.getmro(cls):
        if ancestor.__module__.startswith("keras.") or ancestor is cls:
            signature = inspect.signature(ancestor.__init__)
            kinds = [p.kind for p in signature.parameters.values()]
            names.update(
                name
                for name, parameter in signature.parameters.items()
                if parameter.kind
                in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
            )
            if inspect.Parameter.VAR_KEYWORD not in kinds:
                break
    return names - {"self"}


def _check_options(parameter, options, cls, also_refused=()):
    accepted = _accepted(cls) - set(also_refused)
    for name in options:
        if name not in accepted:
            raise ValueError(
                f"{parameter} must hold arguments of keras' {cls.__name__}, got "
                f"{name!r}.{nearest(name, accepted)}"
            )


_OPTIMIZERS = {
    name.lower(): cls
    for name, cls in _public_classes(
        keras.optimizers, keras.optimizers.Optimizer
    ).items()
    if name != "LossScaleOptimizer"
}


def is_rate_value(rate):
    """Tell a learning rate that is a number from a schedule and from None."""
    return isinstance(rate, Real)


def _optimizer_class(optimizer):
    """The class of an optimizer as the user gave it, and its configuration."""
    if isinstance(optimizer, str):
        cls = _OPTIMIZERS.get(optimizer.lower())
        if cls is None:
            raise ValueError(
                f"optimizer must be the name of a Keras optimizer, got {optimizer!r}."
                f"{nearest(optimizer.lower(), _OPTIMIZERS)}"
            )
        return cls, {}
    if isinstance(optimizer, keras.optimizers.Optimizer):
        return type(optimizer), optimizer.get_config()
    if inspect.isclass(optimizer) and issubclass(optimizer, keras.optimizers.Optimizer):
        return optimizer, {}
    raise TypeError(
        f"optimizer must be a name or a keras.optimizers.Optimizer, got {optimizer!r}."
    )


def make_optimizer(optimizer, learning_rate=None, optimizer_params=None):
    """A fresh Keras optimizer.

    Parameters
    ----------
    optimizer : str, keras.optimizers.Optimizer or class of one
        An object gives its configuration; it is not used itself.
    learning_rate : float, keras.optimizers.schedules.LearningRateSchedule or None
        None: the object's own; Keras' default with a name or a class.
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
    _check_options("optimizer_params", options, cls, also_refused=["learning_rate"])
    config.update(options)
    if learning_rate is not None:
        if is_rate_value(learning_rate):
            learning_rate = float(learning_rate)  # Keras takes no int
        config["learning_rate"] = learning_rate
    try:
        return cls.from_config(config)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"optimizer_params={optimizer_params!r} can't be used with "
            f"{cls.__name__}: {error}"
        ) from error


def check_optimizer(optimizer, learning_rate, optimizer_params):
    """Raise what `make_optimizer` would raise, and make none where nothing can fail."""
    cls, _ = _optimizer_class(optimizer)
    has_plain_rate = learning_rate is None or is_rate_value(learning_rate)
    if optimizer_params or not has_plain_rate or not is_keras(cls):
        make_optimizer(optimizer, learning_rate, optimizer_params)


# Optimizers that treat each element of a weight by itself, so that all weights can be
# one vector. Nadam does as well, but counts its steps where only `apply` does it.
_ELEMENTWISE = {
    getattr(keras.optimizers, name)
    for name in (
        "SGD", "Adam", "AdamW", "Adamax", "RMSprop", "Adagrad", "Adadelta", "Ftrl",
        "Lion",
    )
}  # fmt: skip

# Options of these that programs take as values, so that they need no new trace.
_VALUE_OPTIONS = ("weight_decay", "clipnorm", "global_clipnorm", "clipvalue")


@functools.cache
def _defaults(cls):
    parameters = inspect.signature(cls).parameters.values()
    return {parameter.name: parameter.default for parameter in parameters}


def _full_config(optimizer, optimizer_params):
    cls, config = _optimizer_class(optimizer)
    return cls, {**_defaults(cls), **config, **(optimizer_params or {})}


def is_elementwise(optimizer, optimizer_params):
    """Whether an update of all weights as one vector is that of each by itself."""
    cls, config = _full_config(optimizer, optimizer_params)
    return cls in _ELEMENTWISE and not any(
        config.get(name)
        for name in ("use_ema", "gradient_accumulation_steps", "loss_scale_factor")
    )


def option_values(optimizer, optimizer_params):
    """An elementwise optimizer's options that are values, those that are in use.

    Returns
    -------
    values : dict of str to float
    """
    if not is_elementwise(optimizer, optimizer_params):
        return {}
    _, config = _full_config(optimizer, optimizer_params)
    return {name: float(config[name]) for name in _VALUE_OPTIONS if config.get(name)}


def without_values(optimizer, optimizer_params):
    """What tells optimizers apart, without what is a value: for `fingerprint`."""
    if not is_elementwise(optimizer, optimizer_params):
        return optimizer, optimizer_params
    cls, config = _full_config(optimizer, optimizer_params)
    used = option_values(optimizer, optimizer_params)
    config |= dict.fromkeys(used, "a value")
    if is_rate_value(config["learning_rate"]):
        config["learning_rate"] = "a value"
    del config["name"]
    return cls, config


def own_rate(optimizer):
    """The learning rate of an optimizer before the user's parameter; may be None."""
    rate = _optimizer_class(optimizer)[1]["learning_rate"]
    return float(rate) if is_rate_value(rate) else None


_LOSSES = {
    _snake(name): cls
    for name, cls in _public_classes(keras.losses, keras.losses.Loss).items()
    if name not in ("CTC", "Dice", "Tversky")
}


class _FunctionLoss(keras.losses.Loss):
    """A function of ``(y_true, y_pred)`` as a loss."""

    def __init__(self, function):
        super().__init__(name=getattr(function, "__name__", "loss"))
        self.function = function

    def call(self, y_true, y_pred):
        return self.function(y_true, y_pred)


def make_loss(loss, loss_params=None):
    """A Keras loss from a name, a function or a loss.

    Returns
    -------
    loss : keras.losses.Loss
        The caller's own object if it is one and ``loss_params`` is empty.
    """
    options = dict(loss_params or {})
    if isinstance(loss, str):
        name = _snake(loss)
        if name not in _LOSSES:
            try:
                name = _snake(getattr(keras.losses.get(loss), "__name__", ""))
            except ValueError:
                name = ""
        if name not in _LOSSES:
            raise ValueError(
                f"loss must be the name of a Keras loss, got {loss!r}."
                f"{nearest(loss, _LOSSES)}"
            )
        cls, config = _LOSSES[name], {}
    elif isinstance(loss, keras.losses.Loss):
        if not options:
            return loss
        cls, config = type(loss), loss.get_config()
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
    _check_options("loss_params", options, cls)
    try:
        return cls.from_config({**config, **options})
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"loss_params={loss_params!r} can't be used with {cls.__name__}: {error}"
        ) from error


# Losses that are a mean over the rows of what each row gives by itself.
_ROWWISE = {
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
    """The loss of each row by itself.

    Returns
    -------
    loss : keras.losses.Loss or None
        From target and outputs to an array of shape (n_rows,). None where the loss of a
        batch may be something else than the mean of that.
    """
    made = make_loss(loss, loss_params)
    if type(made) not in _ROWWISE or made.dtype != _DTYPE:
        return None
    config = made.get_config()
    is_mean = config["reduction"] in ("sum_over_batch_size", "mean")
    leaves_out = config.get("ignore_class") is not None
    if not is_mean or leaves_out or config.get("axis", -1) != -1:
        return None
    return type(made).from_config({**config, "reduction": None})


def loss_name(loss):
    """The snake-case name of a loss as `make_loss` takes it."""
    made = make_loss(loss)
    return made.name if isinstance(made, _FunctionLoss) else _snake(type(made).__name__)


# Keras resolves these by the shape of the target.
_METRIC_WORDS = ("accuracy", "acc", "crossentropy", "ce")


def check_metrics(metrics):
    """Validate ``metrics`` and give them as a tuple.

    Parameters
    ----------
    metrics : None, str, keras.metrics.Metric, callable, or list or tuple of those
    """
    if metrics is None:
        return ()
    if not isinstance(metrics, (list, tuple)):
        metrics = (metrics,)
    for metric in metrics:
        if isinstance(metric, str):
            if metric in _METRIC_WORDS:
                continue
            try:
                keras.metrics.get(metric)
            except ValueError as error:
                names = [_snake(n) for n in dir(keras.metrics) if n[0] != "_"]
                raise ValueError(
                    f"metrics must be names of Keras metrics, got {metric!r}."
                    f"{nearest(metric, [*_METRIC_WORDS, *names])}"
                ) from error
        elif not isinstance(metric, keras.metrics.Metric) and not callable(metric):
            raise TypeError(
                f"metrics must be names, functions or keras.metrics.Metric objects, "
                f"got {metric!r}."
            )
    return tuple(metrics)


def _fresh(thing):
    """A Keras object anew from its configuration; anything else as it is.

    What has variables of its own (a metric, a PReLU) must not be the caller's object,
    or training would change it.
    """
    if isinstance(thing, (keras.metrics.Metric, keras.layers.Layer)):
        return type(thing).from_config(thing.get_config())
    return thing


def make_metrics(metrics):
    """Metrics that a model can be compiled with, from what `check_metrics` gave."""
    return [_fresh(metric) for metric in metrics] or None


def check_activation(name, activation):
    """Raise unless ``activation`` is a Keras activation's name, a function or None."""
    if activation is None or (callable(activation) and not inspect.isclass(activation)):
        return
    if not isinstance(activation, str):
        raise TypeError(
            f"{name} must be the name of a Keras activation or a function, got "
            f"{activation!r}."
        )
    try:
        keras.activations.get(activation)
    except ValueError as error:
        names = [n for n in dir(keras.activations) if n[0] != "_" and n.islower()]
        raise ValueError(
            f"{name} must be the name of a Keras activation, got {activation!r}."
            f"{nearest(activation, set(names) - {'get', 'serialize', 'deserialize'})}"
        ) from error


# Activations that are layers in Keras because they have options or weights.
_ACTIVATION_LAYERS = {
    "elu": keras.layers.ELU,
    "leaky_relu": keras.layers.LeakyReLU,
    "prelu": keras.layers.PReLU,
    "relu": keras.layers.ReLU,
    "softmax": keras.layers.Softmax,
}


def check_layer_activation(activation):
    """Raise unless ``activation`` can follow a layer: see `_activation_layer`."""
    if isinstance(activation, dict):
        options = dict(activation)
        name = options.pop("name", None)
        if name not in _ACTIVATION_LAYERS:
            raise ValueError(
                f"layer_activation must be a dict with the 'name' of an activation "
                f"that has options, got {activation!r}."
                f"{nearest(name, _ACTIVATION_LAYERS)}"
            )
        cls = _ACTIVATION_LAYERS[name]
        _check_options("layer_activation", options, cls)
        try:
            cls(**options)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"layer_activation={activation!r} can't be used: {error}"
            ) from error
    elif not isinstance(activation, keras.layers.Layer) and (
        activation not in _ACTIVATION_LAYERS
        if isinstance(activation, str)
        else activation is not None
    ):
        check_activation("layer_activation", activation)


def _activation_layer(activation, name):
    if isinstance(activation, keras.layers.Layer):
        return type(activation).from_config({**activation.get_config(), "name": name})
    options = {"name": activation} if isinstance(activation, str) else activation
    if isinstance(options, dict):
        cls = _ACTIVATION_LAYERS.get(options["name"])
        if cls is not None:
            return cls(**{**options, "name": name}, dtype=_DTYPE)
    return keras.layers.Activation(activation, name=name, dtype=_DTYPE)


# -------------------------------------------------------------------------- building

# The layers that a program may have others for, see `build_network`.
LAYERS = {
    "lstm": keras.layers.LSTM,
    "gru": keras.layers.GRU,
    "simple_rnn": keras.layers.SimpleRNN,
    "convolution": keras.layers.Conv1D,
    "dropout": keras.layers.Dropout,
}


def _seeded(**more):
    """Fixed seeds, for Keras draws missing ones from Python's global state."""
    return {
        "kernel_initializer": keras.initializers.GlorotUniform(seed=0),
        "dtype": _DTYPE,
        **more,
    }


def _recurrent(x, options, layers):
    units = options["units"]
    for i, width in enumerate(units):
        layer = layers[options["cell"]](
            width,
            return_sequences=i < len(units) - 1 or options["pooling"] != "last",
            dropout=options["dropout"][i],
            recurrent_dropout=options["recurrent_dropout"][i],
            recurrent_initializer=keras.initializers.Orthogonal(seed=0),
            name=f"recurrent_{i + 1}",
            **_seeded(seed=0),
        )
        if options["bidirectional"]:
            layer = keras.layers.Bidirectional(
                layer, name=f"bidirectional_{i + 1}", dtype=_DTYPE
            )
        x = layer(x)
        x = _normalization(x, options, f"normalization_{i + 1}")
        activation = options["layer_activation"][i]
        if activation is not None:
            x = _activation_layer(activation, f"activation_{i + 1}")(x)
    if options["pooling"] != "last":
        x = _pooling(x, options["pooling"])
    return _hidden(x, options["dense_units"], "relu")


def _convolutional(x, options, layers):
    for i, filters in enumerate(options["filters"]):
        x = layers["convolution"](
            filters,
            options["kernel_size"][i],
            padding=options["padding"],
            activation=options["activation"],
            data_format="channels_last",
            name=f"convolution_{i + 1}",
            **_seeded(),
        )(x)
        x = _normalization(x, options, f"normalization_{i + 1}")
        if options["pool_size"][i] > 1:
            # "same" keeps a last, shorter window, so that no sequence is too short.
            x = keras.layers.MaxPooling1D(
                options["pool_size"][i],
                padding="same",
                data_format="channels_last",
                name=f"max_pooling_{i + 1}",
                dtype=_DTYPE,
            )(x)
        x = _dropout(x, options["dropout"][i], f"dropout_{i + 1}", layers)
    x = _pooling(x, options["pooling"])
    return _hidden(x, options["dense_units"], options["activation"])


def _dense(x, options, layers):
    x = _pooling(x, "flatten")
    for i, width in enumerate(options["dense_units"]):
        x = _hidden_layer(x, width, options["activation"], f"dense_{i + 1}")
        x = _normalization(x, options, f"normalization_{i + 1}")
        x = _dropout(x, options["dropout"][i], f"dropout_{i + 1}", layers)
    return x


_POOLINGS = {
    "mean": keras.layers.GlobalAveragePooling1D,
    "max": keras.layers.GlobalMaxPooling1D,
    "flatten": keras.layers.Flatten,
}


def _pooling(x, pooling):
    """One vector for a sequence."""
    layer = _POOLINGS[pooling]
    return layer(data_format="channels_last", name="pooling", dtype=_DTYPE)(x)


def _dropout(x, rate, name, layers):
    if not rate:
        return x
    return layers["dropout"](rate, seed=0, name=name, dtype=_DTYPE)(x)


def _normalization(x, options, name):
    if options.get("normalization") != "batch":
        return x
    # Keras' momentum of 0.99 takes some 500 steps to forget where the averages began.
    return keras.layers.BatchNormalization(momentum=0.9, name=name, dtype=_DTYPE)(x)


def _hidden_layer(x, width, activation, name):
    return keras.layers.Dense(width, activation=activation, name=name, **_seeded())(x)


def _hidden(x, dense_units, activation):
    for i, width in enumerate(dense_units):
        x = _hidden_layer(x, width, activation, f"dense_{i + 1}")
    return x


# ------------------------------------------------------------- encoders and decoders

# What marks a timestep as padding in what networks read: no value is that small.
PADDING = float(np.finfo(np.float32).min)


def _huber(target, outputs):
    error = keras.ops.abs(target - outputs)
    return keras.ops.where(error <= 1, 0.5 * error * error, error - 0.5)


def _binary_crossentropy(target, outputs):
    outputs = keras.ops.clip(outputs, 1e-7, 1 - 1e-7)
    unlikely = (1 - target) * keras.ops.log(1 - outputs)
    return -(target * keras.ops.log(outputs) + unlikely)


# What a reconstruction costs, from input and output to the error of each cell.
ELEMENTWISE_LOSSES = {
    "mse": lambda target, outputs: keras.ops.square(target - outputs),
    "mae": lambda target, outputs: keras.ops.abs(target - outputs),
    "huber": _huber,
    "binary_crossentropy": _binary_crossentropy,
}


def _dense_decoder(x, network, layers):
    encoder = network["encoder"]
    for i, width in enumerate(reversed(encoder["dense_units"])):
        x = _hidden_layer(x, width, encoder["activation"], f"decoder_dense_{i + 1}")
        x = _normalization(x, encoder, f"decoder_normalization_{i + 1}")
    shape = network["n_timesteps"], network["n_features"]
    x = _hidden_layer(x, math.prod(shape), network["output_activation"], "outputs")
    return keras.layers.Reshape(shape, name="rows", dtype=_DTYPE)(x)


def _recurrent_decoder(x, network, layers):
    encoder = network["encoder"]
    n_steps = network["n_timesteps"]
    x = keras.layers.RepeatVector(n_steps, name="repeat", dtype=_DTYPE)(x)
    for i, width in enumerate(reversed(encoder["units"])):
        x = layers[encoder["cell"]](
            width,
            return_sequences=True,
            recurrent_initializer=keras.initializers.Orthogonal(seed=0),
            name=f"decoder_recurrent_{i + 1}",
            **_seeded(seed=0),
        )(x)
        x = _normalization(x, encoder, f"decoder_normalization_{i + 1}")
    return _hidden_layer(
        x, network["n_features"], network["output_activation"], "outputs"
    )


def _convolutional_decoder(x, network, layers):
    encoder = network["encoder"]
    filters, activation = encoder["filters"], encoder["activation"]
    lengths = [network["n_timesteps"]]
    for size in encoder["pool_size"]:
        lengths.append(-(-lengths[-1] // size))
    shape = lengths.pop(), filters[-1]
    x = _hidden_layer(x, math.prod(shape), activation, "decoder_dense_1")
    x = keras.layers.Reshape(shape, name="reshape", dtype=_DTYPE)(x)
    for i in reversed(range(len(filters))):
        name = f"decoder_convolution_{len(filters) - i}" if i else "outputs"
        x = keras.layers.UpSampling1D(
            encoder["pool_size"][i], name=f"up_sampling_{i + 1}", dtype=_DTYPE
        )(x)[:, : lengths.pop()]
        x = layers["convolution"](
            filters[i - 1] if i else network["n_features"],
            encoder["kernel_size"][i],
            padding="same",
            activation=activation if i else network["output_activation"],
            data_format="channels_last",
            name=name,
            **_seeded(),
        )(x)
        if i:
            x = _normalization(x, encoder, name.replace("convolution", "normalization"))
    return x


_DECODERS = {
    "dense": _dense_decoder,
    "recurrent": _recurrent_decoder,
    "convolutional": _convolutional_decoder,
}


def _autoencoder(inputs, network, layers):
    """A model that gives back its input, of two that are called encoder and decoder."""
    encoder, n_components = network["encoder"], network["n_components"]
    family = encoder["family"]
    rows = keras.Input(inputs.shape[1:], name="rows", dtype=_DTYPE)
    x = rows
    if network["masked"] and family == "recurrent":
        x = keras.layers.Masking(PADDING, name="masking", dtype=_DTYPE)(x)
    elif network["masked"]:
        x = keras.ops.where(keras.ops.equal(x, PADDING), 0.0, x)
    x = _FAMILIES[family](x, encoder, layers)
    # A variational code is followed by the logarithms of its variances.
    width = n_components * (2 if network["variational"] else 1)
    x = _hidden_layer(x, width, None, "code")
    encoder = keras.Model(rows, x, name="encoder")

    code = keras.Input((n_components,), name="codes", dtype=_DTYPE)
    decoder = keras.Model(
        code, _DECODERS[family](code, network, layers), name="decoder"
    )
    x = encoder(inputs)
    return decoder(x[:, :n_components] if network["variational"] else x)


def tied_kernels(network, model):
    """The decoder's weights that are the encoder's, transposed.

    Returns
    -------
    tied : dict of int to int
        From place to place among the model's trainable variables.
    """
    if not network.get("tied_weights"):
        return {}
    places = [i for i, v in enumerate(model.trainable_variables) if v.name == "kernel"]
    half = len(places) // 2
    return dict(zip(reversed(places[half:]), places[:half], strict=True))


# ---------------------------------------------------------- what a network's dict says


def recurrent_widths(network):
    """Widths of a network's recurrent layers, if it has no others to speak of."""
    network = network.get("encoder", network)
    if network["family"] != "recurrent" or network["bidirectional"]:
        return ()
    return network["units"]


def network_values(network, epoch=None):
    """What programs take as values: rates of dropout, weights of losses.

    Parameters
    ----------
    network : dict
    epoch : int or None
        Counted from 0, for what rises over the first epochs; None: as in the end.

    Returns
    -------
    values : dict of str to float
        Those that are not zero, rates by the layers' names.
    """
    if network["family"] != "autoencoder":
        layer = "recurrent" if network["family"] == "recurrent" else "dropout"
        rates = enumerate(network["dropout"])
        return {f"{layer}_{i + 1}": rate for i, rate in rates if rate}
    values = {}
    if network["noise"]:
        values["noise"] = network["noise"][1]
    if network["activity_l1"]:
        values["activity_l1"] = network["activity_l1"]
    if network["variational"]:
        values["beta"] = network["beta"]
        if epoch is not None and epoch < network["beta_warmup"]:
            values["beta"] *= (epoch + 1) / (network["beta_warmup"] + 1)
    return values


def without_network_values(network):
    """What tells networks apart, without what is a value: for `fingerprint`."""
    names = tuple(network_values(network))
    if network["family"] != "autoencoder":
        return {**network, "dropout": names} if names else network
    noise = network["noise"] and network["noise"][0]
    left_out = dict.fromkeys(("activity_l1", "beta", "beta_warmup", "input"))
    return {**network, **left_out, "noise": noise, "values": names}


def draws_in_training(network):
    """Whether a network's graph draws random numbers in training."""
    if network["family"] == "autoencoder":
        return network["variational"]
    names = ("dropout", "recurrent_dropout")
    return any(rate for name in names for rate in network.get(name, ()))


# A family of networks: its name in a network's dict, and the layers between input and
# head. A new one needs an entry here and an abstract class with its parameters.
_FAMILIES = {
    "recurrent": _recurrent,
    "convolutional": _convolutional,
    "dense": _dense,
}


@contextmanager
def float32_globally():
    """Keras' defaults for the time of a block, for losses and metrics go by them."""
    floatx, policy = keras.config.floatx(), keras.config.dtype_policy()
    if floatx == policy.name == "float32":
        yield
        return
    keras.config.set_floatx("float32")
    keras.config.set_dtype_policy("float32")
    try:
        yield
    finally:
        keras.config.set_floatx(floatx)
        keras.config.set_dtype_policy(policy)


@contextmanager
def _python_random_kept():
    """Keras draws a seed from Python's global state for each layer given none."""
    state = random.getstate()
    try:
        yield
    finally:
        random.setstate(state)


def build_network(network, layers=LAYERS):
    """A Keras model.

    Parameters
    ----------
    network : dict
        ``family``, ``n_timesteps``, ``n_features``, ``output_activation`` and the
        family's own options; ``n_outputs``, or for an autoencoder ``encoder``, a dict
        of another family's options.
    layers : dict of str to class
        What to build with in place of `LAYERS`.

    Returns
    -------
    model : keras.Model
        From ``(n_samples, n_timesteps, n_features)`` to ``(n_samples, n_outputs)``, or
        for an autoencoder to its input's shape; not compiled, with weights that
        `draw_weights` is to replace.
    """
    with _python_random_kept():
        inputs = keras.Input(
            (network["n_timesteps"], network["n_features"]), name="sequences",
            dtype=_DTYPE,
        )  # fmt: skip
        if network["family"] == "autoencoder":
            outputs = _autoencoder(inputs, network, layers)
        else:
            outputs = _hidden_layer(
                _FAMILIES[network["family"]](inputs, network, layers),
                network["n_outputs"],
                network["output_activation"],
                "outputs",
            )
        return keras.Model(inputs, outputs, name=network["family"])


def build_graph_only(network, layers):
    """As `build_network`, without values in the model's variables.

    Such a model can be called by ``stateless_call`` alone. It takes no memory for
    weights, and none of what TensorFlow keeps for good of each new variable's shape.
    """

    def build():
        with keras.StatelessScope(initialize_variables=False):
            return build_network(network, layers)

    # At the end of a thread's next such scope Keras gives values to the variables that
    # were made without. A thread of its own has no next one.
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(build).result()


def _glorot_uniform(rng, shape):
    """Uniform, with a variance of 2 / (fan in + fan out) (Glorot and Bengio, 2010)."""
    fans = math.prod(shape[:-2]) * (shape[-2] + shape[-1])
    limit = np.sqrt(6 / fans)
    return rng.uniform(-limit, limit, shape)


def _orthogonal(rng, shape):
    """Orthonormal columns, or rows where these are fewer (Saxe et al., 2014)."""
    q, r = np.linalg.qr(rng.normal(size=(max(shape), min(shape))))
    q *= np.sign(np.diag(r))  # or they would not be uniform among all such
    return q if shape[0] >= shape[1] else q.T


# By the names that Keras gives to weights that it draws.
_DRAWN = {"kernel": _glorot_uniform, "recurrent_kernel": _orthogonal}


def draw_weights(model, seed):
    """First weights for a model, from the distributions that Keras draws from.

    Not by Keras' initializers, which take milliseconds for each weight.

    Parameters
    ----------
    model : keras.Model
        From `build_graph_only`.
    seed : int

    Returns
    -------
    weights : list of ndarray, float32
        In the order of ``model.weights``.
    """
    rng = np.random.default_rng(seed)
    weights = []
    for variable in model.weights:
        if variable.name in _DRAWN:
            weight = _DRAWN[variable.name](rng, tuple(variable.shape))
        else:
            # In this scope a variable without value gives what it would start with.
            with keras.StatelessScope(initialize_variables=False):
                weight = variable.value
        weights.append(np.array(weight, _DTYPE))
    return weights


def is_keras(value):
    """Whether a class, function or object is one of Keras' own."""
    module = getattr(value, "__module__", None) or type(value).__module__
    return module.split(".")[0] == "keras"


def fingerprint(value):
    """A hashable key, equal for values that build equal graphs.

    Keras' own objects count by their configuration; functions and other objects by
    their identity.
    """
    if isinstance(value, dict):
        return tuple(sorted((key, fingerprint(item)) for key, item in value.items()))
    if isinstance(value, (list, tuple)):
        return tuple(fingerprint(item) for item in value)
    if isinstance(value, np.generic):
        value = value.item()
    is_object = hasattr(value, "get_config") and not inspect.isclass(value)
    if is_object and is_keras(value):
        config = json.dumps(value.get_config(), sort_keys=True, default=repr)
        return (type(value).__qualname__, config)
    try:
        hash(value)
    except TypeError:
        return (type(value).__qualname__, id(value))
    return (type(value).__qualname__, value)


__all__ = [
    "ELEMENTWISE_LOSSES",
    "LAYERS",
    "PADDING",
    "build_graph_only",
    "build_network",
    "check_activation",
    "check_layer_activation",
    "check_metrics",
    "check_optimizer",
    "draw_weights",
    "draws_in_training",
    "fingerprint",
    "float32_globally",
    "is_elementwise",
    "is_keras",
    "is_rate_value",
    "keras",
    "loss_name",
    "make_loss",
    "make_metrics",
    "make_optimizer",
    "make_rowwise_loss",
    "network_values",
    "option_values",
    "own_rate",
    "recurrent_widths",
    "tied_kernels",
    "without_network_values",
    "without_values",
]
