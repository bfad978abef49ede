"""A user's own Keras model as a network."""

import inspect
from dataclasses import dataclass
from typing import Any

import numpy as np

from skseq._engine.facts import layers_of
from skseq._engine.fingerprints import has_users_code, is_graph
from skseq._engine.keras import DTYPE, building, is_keras, keras
from skseq._engine.networks import Network
from skseq._engine.skeletons import without_values_but_assigned
from skseq._engine.stored import applied, compiled_with, copied_model, has_layers
from skseq._padded import PADDING
from skseq._validation import nearest

# The constraint of the parameter ``model``.
MODEL = [callable, keras.Model, None]

KERAS_MODEL = keras.Model

# Methods of a model class with which Keras would train in another way.
_TRAINING_METHODS = (
    "fit", "train_step", "train_on_batch", "compute_loss", "test_step", "predict",
    "predict_step",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class OwnModel(Network):
    """A user's own model.

    Attributes
    ----------
    model : keras.Model
        A functional model whose variables have no values.
    head : Head or None
        The last layer, if it was added to the user's layers.
    """

    n_timesteps: int = 0
    n_features: int = 0
    head: Any = None
    model: Any

    name = "own"

    # A slot for a value that is computed once, and does not belong to the content.
    __slots__ = ("_key",)

    @property
    def n_outputs(self):
        return self.model.output.shape[-1]

    def key(self, unknown=id):
        # The model never changes.
        if has_users_code(self.model):
            return super().key(unknown)
        if not hasattr(self, "_key"):
            object.__setattr__(self, "_key", super().key())
        return self._key

    # A user's mask may have gaps.
    right_padded = False

    def build(self):
        if not self.masked:
            return copied_model(self.model)
        # Keras hands its mask on to the layers that take one.
        inputs = keras.Input(self.model.input.shape[1:], name="rows", dtype=DTYPE)
        x = keras.layers.Masking(PADDING, name="masking", dtype=DTYPE)(inputs)
        return keras.Model(inputs, applied(self.model, x), name=self.model.name)

    def output_bias(self, model):
        if self.head is not None:
            return self.head.bias(model)
        last = model.layers[-1]
        if type(last) is not keras.layers.Dense or last.bias is None:
            raise ValueError(
                f"output_bias='prior' needs a model whose last layer is a "
                f"keras.layers.Dense with a bias, got {type(last).__name__}. Let the "
                f"function return a tensor, so that this layer is added, or set "
                f"output_bias=None."
            )
        return last.bias


@dataclass(frozen=True)
class Built:
    """A user's model, and what came with it.

    Attributes
    ----------
    network : OwnModel
    weights : dict of int to ndarray
        The values that the function has set, by the position of the weight.
    optimizer, loss, metrics
        With which the user has compiled the model; None where they have not.
    """

    network: OwnModel
    weights: dict
    optimizer: Any = None
    loss: Any = None
    metrics: Any = None


def build_own(model, options, offered, shape, head):
    """Build a user's model.

    Parameters
    ----------
    model : callable or keras.Model
        A function that returns a tensor or a `keras.Model`, or a model, of which the
        configuration is used.
    options : dict
        Arguments of the function.
    offered : dict of str to callable
        Makes further arguments. The function gets those that its signature names.
    shape : tuple of int
        The shape of a row of X.
    head : Head
        Added to a tensor.

    Returns
    -------
    built : Built
    """
    if model is None:
        raise ValueError(
            "model must be a function that returns a tensor or a keras.Model, or a "
            "keras.Model, got None. For instance: def model(inputs): return "
            "keras.layers.LSTM(32)(inputs)."
        )
    if isinstance(model, keras.Model):
        offered = {}
        if options:
            raise ValueError(
                f"model_params must be None with a keras.Model as model, got "
                f"{options!r}. Pass a function that takes them and returns the model."
            )
    else:
        offered = _taken(model, options, offered)
    # Here, because the thread that builds can't wait for this one.
    given = {name: make() for name, make in offered.items()}

    def build():
        inputs = keras.Input(shape, name="inputs", dtype=DTYPE)
        if isinstance(model, keras.Model):
            made = model
        else:
            if "inputs" in given:
                given["inputs"] = inputs
            made = model(**given, **options)
        return made, _graph(made, inputs, head)

    with building():
        (made, graph), scope = without_values_but_assigned(build)
        _check_layers(graph)
        is_model = isinstance(made, keras.Model)
        source = made if is_model else graph
        assigned = enumerate(map(scope.get_current_value, source.weights))
        weights = {i: np.asarray(one) for i, one in assigned if one is not None}
        added = None if is_model else head
        compiled = compiled_with(made) if is_model else {}
    network = OwnModel(model=graph, head=added, n_timesteps=shape[0])
    return Built(network, weights, **compiled)


def load_model(path, custom_objects=None):
    """Load a model from a file of Keras."""
    with building():
        return keras.models.load_model(path, custom_objects=custom_objects)


def _taken(function, options, offered):
    """Choose the offered arguments that a function takes, or raise for its options."""
    name = getattr(function, "__name__", type(function).__name__)
    parameters = inspect.signature(function).parameters
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    for key in options:
        if key in offered:
            raise ValueError(
                f"model_params must not hold {key!r}, which {name}() always gets, got "
                f"{options[key]!r}. Leave it out."
            )
        if key not in parameters and not takes_any:
            raise ValueError(
                f"model_params must hold arguments of {name}(), got {key!r}."
                f"{nearest(key, parameters.keys() - offered.keys())}"
            )
    for key, one in parameters.items():
        is_required = one.default is one.empty and one.kind not in (
            one.VAR_KEYWORD, one.VAR_POSITIONAL,
        )  # fmt: skip
        if is_required and key not in options and key not in offered:
            raise ValueError(
                f"model_params must hold {key!r}, which {name}() needs, got "
                f"{sorted(options)}. Set model_params={{{key!r}: ...}}, or give it a "
                f"default."
            )
    return {key: value for key, value in offered.items() if key in parameters}


def _check_training(model):
    """Raise for a model class that changes how Keras trains."""
    cls = type(model)
    if is_keras(cls):
        return
    for name in _TRAINING_METHODS:
        if getattr(cls, name) is not getattr(keras.Model, name):
            raise ValueError(
                f"model must be trained as Keras trains, got the class {cls.__name__}, "
                f"which has its own {name}(). It would not be called. Use add_loss in "
                f"a layer, or the parameter loss."
            )


def _check_layers(model):
    """Raise for layers that can't be trained by a program."""
    for layer in layers_of(model):
        if isinstance(layer, keras.layers.SpectralNormalization):
            raise ValueError(
                f"model must not use keras.layers.SpectralNormalization, got the layer "
                f"{layer.name!r}: it sets a trained weight in each step, which a "
                f"training program does not keep. Use kernel_constraint, such as "
                f"keras.constraints.MaxNorm."
            )
        if getattr(layer, "stateful", False):
            raise ValueError(
                f"model must not use stateful layers, got {layer.name!r}: each row is "
                f"a whole sequence. Set stateful=False."
            )


def _graph(made, inputs, head):
    """Make a functional model without values, with the inputs."""
    if isinstance(made, keras.KerasTensor):
        if len(made.shape) != 2 or made.shape[-1] is None:
            raise ValueError(
                f"The tensor that model returns must have shape (n_samples, n_units), "
                f"got {made.shape}. Add a pooling layer or keras.layers.Flatten, or "
                f"set return_sequences=False in the last recurrent layer."
            )
        outputs = head.build(made)
        try:
            graph = keras.Model(inputs, outputs, name="model")
            kinds = [type(layer) for layer in graph.layers]
            if kinds.count(keras.layers.InputLayer) > 1:  # Keras 3.8 does not look
                raise ValueError("it is computed from another input")
        except ValueError as error:
            raise ValueError(
                f"The tensor that model returns must be computed from its argument "
                f"inputs: {error}."
            ) from error
        return graph
    if not isinstance(made, keras.Model):
        raise TypeError(f"model must return a tensor or a keras.Model, got {made!r}.")
    _check_training(made)
    if has_layers(made) and (made.built or is_graph(made)):
        graph = _on_inputs(made, inputs)
    else:
        # A sequential model without input gets one from this call. A subclass of
        # keras.Model becomes a layer.
        outputs = made(inputs)
        if type(made) is keras.Sequential:
            graph = copied_model(made)
        else:
            graph = keras.Model(inputs, outputs, name="model")
    outputs = graph.outputs
    if len(outputs) != 1 or len(outputs[0].shape) != 2 or outputs[0].shape[-1] is None:
        shapes = [tuple(one.shape) for one in outputs]
        raise ValueError(
            f"model must have one output of shape (n_samples, n_outputs), got "
            f"{shapes[0] if len(shapes) == 1 else shapes}. Add a pooling layer or "
            f"keras.layers.Flatten before the last layer."
        )
    return graph


def _on_inputs(model, inputs):
    """Copy a model with an input of known shape."""
    if len(model.inputs) != 1:
        raise ValueError(
            f"model must have one input, X, got {len(model.inputs)} inputs: "
            f"{[one.name for one in model.inputs]}. Take the parts of X inside the "
            f"model, as in inputs[:, :, :3]."
        )
    asked = model.inputs[0]
    ours, theirs = inputs.shape[1:], asked.shape[1:]
    if len(ours) != len(theirs) or any(
        their not in (None, our) for our, their in zip(ours, theirs, strict=True)
    ):
        raise ValueError(
            f"model must take rows of the shape of X, {tuple(ours)}, got a model for "
            f"{tuple(theirs)}. Take the shape from meta['X_shape_'][1:], or from the "
            f"argument inputs."
        )
    if asked.dtype != DTYPE:
        inputs = keras.ops.cast(inputs, asked.dtype)
    return copied_model(model, inputs=inputs)
