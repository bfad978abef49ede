"""Which configurations of Keras may be in a file that runs no code.

Keras imports the classes that a configuration names. Only classes and functions that
are listed here are made from a file. None of them runs code that is in the file, reads
another file, or connects to anything.
"""

import inspect
from functools import cache

from skseq._engine.keras import keras
from skseq._engine.private import operation_class

# Not in it: Lambda; layers around other libraries (TFSMLayer, JaxLayer, FlaxLayer,
# TorchModuleWrapper); and those that read a vocabulary from a file (StringLookup,
# IntegerLookup, TextVectorization).
_LAYERS = [
    "Activation", "ActivityRegularization", "Add", "AdditiveAttention", "AlphaDropout",
    "Attention", "Average", "AveragePooling1D", "AveragePooling2D", "AveragePooling3D",
    "BatchNormalization", "Bidirectional", "CategoryEncoding", "Concatenate", "Conv1D",
    "Conv1DTranspose", "Conv2D", "Conv2DTranspose", "Conv3D", "Conv3DTranspose",
    "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D", "Cropping1D", "Cropping2D", "Cropping3D",
    "Dense", "DepthwiseConv1D", "DepthwiseConv2D", "Discretization", "Dot", "Dropout",
    "ELU", "EinsumDense", "Embedding", "Flatten", "GRU", "GRUCell", "GaussianDropout",
    "GaussianNoise", "GlobalAveragePooling1D", "GlobalAveragePooling2D",
    "GlobalAveragePooling3D", "GlobalMaxPooling1D", "GlobalMaxPooling2D",
    "GlobalMaxPooling3D", "GroupNormalization", "GroupQueryAttention", "Identity",
    "InputLayer", "LSTM", "LSTMCell", "LayerNormalization", "LeakyReLU", "Masking",
    "MaxPooling1D", "MaxPooling2D", "MaxPooling3D", "Maximum", "Minimum",
    "MultiHeadAttention", "Multiply", "Normalization", "PReLU", "Permute",
    "RMSNormalization", "RNN", "ReLU", "RepeatVector", "Rescaling", "Reshape",
    "ReversibleEmbedding", "SeparableConv1D", "SeparableConv2D", "SimpleRNN",
    "SimpleRNNCell", "Softmax", "SpatialDropout1D", "SpatialDropout2D",
    "SpatialDropout3D", "StackedRNNCells", "Subtract", "TimeDistributed",
    "UnitNormalization", "UpSampling1D", "UpSampling2D", "UpSampling3D",
    "ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D",
]  # fmt: skip

# Modules in which every public subclass of a class is plain arithmetic, but those
# that wrap a function.
_ARITHMETIC = {
    "constraints": keras.constraints.Constraint,
    "initializers": keras.initializers.Initializer,
    "losses": keras.losses.Loss,
    "metrics": keras.metrics.Metric,
    "optimizers": keras.optimizers.Optimizer,
    "optimizers.schedules": keras.optimizers.schedules.LearningRateSchedule,
    "regularizers": keras.regularizers.Regularizer,
}
_WRAPPERS = (keras.metrics.MeanMetricWrapper,)

# Callbacks that write no file and call no function.
_CALLBACKS = ["EarlyStopping", "ReduceLROnPlateau", "TerminateOnNaN"]

# The modules of which Keras takes a class by its name without the module.
_SHORT = ("initializers", "regularizers", "constraints")

_FUNCTIONS = ("activations", "losses", "metrics", "ops")

# The other names in configurations: of a class, with the module.
_MODELS = {
    ("keras", "Sequential"), ("keras.src.models.functional", "Functional"),
    ("keras.src.models.sequential", "Sequential"), ("keras", "Model"),
    ("keras.models", "Sequential"), ("keras.models", "Model"),
}  # fmt: skip
_POLICIES = {("keras", "DTypePolicy"), ("keras.dtype_policies", "DTypePolicy")}
_VALUES = ("__keras_tensor__", "__ellipsis__", "__slice__", "__numpy__", "__tensor__")

# Keys that Keras reads in a configuration.
_KEYS = {
    "module", "class_name", "config", "registered_name", "build_config",
    "compile_config", "shared_object_id", "name", "inbound_nodes",
}  # fmt: skip


@cache
def safe_names():
    """Collect what may be named in a file, as a dict of name to class or function.

    A name is that of a public module of Keras and of a member, as in
    ``"optimizers.Adam"``.
    """
    found = {f"layers.{name}": getattr(keras.layers, name, None) for name in _LAYERS}
    found |= {
        f"callbacks.{name}": getattr(keras.callbacks, name) for name in _CALLBACKS
    }
    for module, base in _ARITHMETIC.items():
        for name, value in _members(module):
            is_kind = inspect.isclass(value) and issubclass(value, base)
            if is_kind and value is not base and value not in _WRAPPERS:
                found[f"{module}.{name}"] = value
    for module in _FUNCTIONS:
        for name, value in _members(module):
            if inspect.isfunction(value) and name not in (
                "get", "serialize", "deserialize",
            ):  # fmt: skip
                found[f"{module}.{name}"] = value
    # A layer that this version of Keras does not have is in no file that it reads.
    return {name: value for name, value in found.items() if value is not None}


@cache
def _names_of():
    """Collect the first name of each class or function."""
    found = {}
    for name, value in safe_names().items():
        found.setdefault(value, name)
    return found


def name_of(value):
    """Get the name of a class or function of Keras that may be in a file, or None."""
    return _names_of().get(value)


def _members(module):
    value = keras
    for part in module.split("."):
        value = getattr(value, part)
    return [(name, one) for name, one in vars(value).items() if name[0] != "_"]


def is_unsafe(value):
    """Check whether a dict is a configuration that names what is not listed here.

    Its values are not checked.
    """
    if "spec_name" in value:
        return True
    if "class_name" not in value:
        return False
    name, module = value["class_name"], value.get("module")
    if module is None and not isinstance(name, str):
        return False  # the weights of classes, for example
    if not isinstance(name, str) or not value.keys() <= _KEYS:
        return True
    if name in _VALUES:
        return False
    if module is None and value.keys() <= {"class_name", "config"}:
        # Keras looks in its own lists alone, as it does for a name.
        return not any(f"{kind}.{name}" in safe_names() for kind in _SHORT)
    if not isinstance(module, str) or value.get("registered_name") not in (None, name):
        return True
    if (module, name) in _MODELS | _POLICIES:
        return False
    short = module.removeprefix("keras.")
    return f"{short}.{name}" not in safe_names() and not operation_class(module, name)


def is_refused(value):
    """Check whether a dict is a configuration that is unsafe, and not registered.

    Keras finds a class that is registered in this process without an import.
    """
    if not is_unsafe(value):
        return False
    name = value.get("class_name")
    # Keras treats names such as "__lambda__" before it looks for registered ones.
    if not isinstance(name, str) or name.startswith("__"):
        return True
    name = value.get("registered_name") or name
    return not isinstance(name, str) or not keras.saving.get_registered_object(name)
