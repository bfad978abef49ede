"""A walk over a Keras model that writes each layer and operation for ONNX.

Nothing here imports ONNX. Operators go to a writer with two methods: ``node(kind,
*inputs, n_outputs=None, **attributes)``, which returns the name of the output or a list
of names, and ``constant(array)``, which returns a name. Where a node takes a name, it
takes an array too.
"""

import inspect
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from skseq._engine.fingerprints import is_graph
from skseq._engine.keras import DTYPE, building, is_keras, keras
from skseq._engine.objectives import ELEMENTWISE_LOSSES
from skseq._engine.onnx_layers import ENDS_MASK, LAYERS
from skseq._engine.onnx_operations import writer_of, writer_of_activation
from skseq._engine.standalone import whole_model
from skseq._engine.weights import in_one_model

# The numbers of element types in ONNX.
_TYPES = {
    "float32": 1, "uint8": 2, "int8": 3, "int16": 5, "int32": 6, "int64": 7, "bool": 9,
    "float16": 10, "float64": 11,
}  # fmt: skip


def add_network(
    writer, recipe, weights, rows, *, network=None, part=None,
    right_padded=False,
):  # fmt: skip
    """Write a network, whose outputs are those before the scale of a target.

    Parameters
    ----------
    writer : object
        See the module.
    recipe : skseq._engine.recipe.Recipe
    weights : list of ndarray
    rows : str
        The name of the input of the network.
    network : skseq._engine.networks.Network or None
        With other lengths of rows; None: that of the recipe.
    part : str or None
        The name of a model inside of the network, to write it alone.
    right_padded : bool
        Whether padding is at the end of rows alone.

    Returns
    -------
    outputs : str
        The name of the outputs.
    """
    recipe = replace(recipe, target_scale=None)
    if network is not None:
        recipe = replace(recipe, network=network)
    with building():
        model = whole_model(recipe)
        model.set_weights(in_one_model(weights, recipe.n_networks))
        model = model if part is None else model.get_layer(part)
        return Graph(writer, right_padded).add(model, rows)[0]


def add_errors(writer, loss, rows, outputs, shape):
    """Write the error of each value of a reconstruction.

    Parameters
    ----------
    writer : object
    loss : str
        A key of `skseq._engine.objectives.ELEMENTWISE_LOSSES`.
    rows, outputs : str
    shape : tuple of int
        Of a row.
    """
    with building():
        specs = [keras.KerasTensor((None, *shape), dtype=DTYPE)] * 2
        function = ELEMENTWISE_LOSSES[loss]
        return Graph(writer).trace(function, specs, [rows, outputs])[0]


class Graph:
    """The tensors of Keras models that are being written, by their names in ONNX."""

    def __init__(self, writer, right_padded=False):
        self.writer = writer
        self.right_padded = right_padded
        # With the tensor, so that its id stays taken.
        self._names = {}
        self._masks = {}

    def add(self, model, *names, mask=None):
        """Write a model.

        Parameters
        ----------
        model : keras.Model
            Functional or sequential.
        *names : str
            Of its inputs.
        mask : str or None
            The name of the mask of the first input.

        Returns
        -------
        outputs : list of str
        """
        if isinstance(model, keras.Sequential):
            model = keras.Model(model.inputs, model.outputs, name=model.name)
        inputs = keras.tree.map_structure(
            lambda x: keras.Input(batch_shape=x.shape, dtype=x.dtype), model.input
        )
        for tensor, name in zip(keras.tree.flatten(inputs), names, strict=True):
            self._put(tensor, name, mask)

        def call(operation, *args, **kwargs):
            outputs = operation(*args, **kwargs)
            self._write(operation, args, kwargs, outputs)
            return outputs

        copy = keras.models.clone_model(
            model, clone_function=lambda part: part, call_function=call,
            input_tensors=inputs,
        )  # fmt: skip
        outputs = keras.tree.flatten(copy.output)
        self.mask_out = self.mask_of(outputs[0])
        return [self.name(tensor) for tensor in outputs]

    def trace(self, function, specs, names, mask=None):
        """Write a function of symbolic tensors.

        Parameters
        ----------
        function : callable
        specs : list of keras.KerasTensor
            Of the shapes and dtypes of its arguments.
        names : list of str
        mask : str or None

        Returns
        -------
        outputs : list of str
        """
        inputs = [keras.Input(batch_shape=x.shape, dtype=x.dtype) for x in specs]
        outputs = function(*inputs)
        flat = keras.tree.flatten(outputs)
        if len(flat) == 1 and flat[0] is inputs[0]:
            return names[:1]
        return self.add(keras.Model(inputs, flat), *names, mask=mask)

    # -------------------------------------------------------------------- tensors

    def _put(self, tensor, name, mask=None):
        self._names[id(tensor)] = tensor, name
        self._masks[id(tensor)] = mask

    def mask_of(self, tensor):
        """Get the name of the mask of a tensor, or None."""
        return self._masks.get(id(tensor))

    def name(self, value, dtype=None):
        """Get the name of a tensor or of a constant, in a dtype."""
        if isinstance(value, keras.KerasTensor):
            name = self._names[id(value)][1]
            same = dtype is None or dtype == value.dtype
            return name if same else self.cast(name, dtype)
        if isinstance(value, str):
            return value
        if not isinstance(value, (np.ndarray, np.generic, int, float, bool, list)):
            value = keras.ops.convert_to_numpy(value)
        return self.writer.constant(np.asarray(value, dtype))

    def cast(self, name, dtype):
        """Write a conversion to a dtype."""
        return self.writer.node("Cast", name, to=_TYPES[dtype])

    # ----------------------------------------------------------------- operations

    def _write(self, operation, args, kwargs, outputs):
        call = Call(self, operation, args, kwargs, outputs)
        try:
            names = self._names_of(call)
        except (AttributeError, NotImplementedError, TypeError, ValueError) as error:
            if isinstance(error, UnknownLayer):
                raise
            raise _unknown(operation, error) from error
        names = names if isinstance(names, list) else [names]
        flat = keras.tree.flatten(outputs)
        for tensor, name in zip(flat, names, strict=True):
            self._put(tensor, name, call.mask_out)

    def _names_of(self, call):
        operation = call.operation
        write = LAYERS.get(type(operation))
        if write is not None:
            if type(operation) not in ENDS_MASK:
                call.mask_out = call.mask
            return write(call)
        if is_graph(operation) or type(operation) is keras.Sequential:
            names = [self.name(one) for one in keras.tree.flatten(call.tensors)]
            names = self.add(operation, *names, mask=call.mask)
            call.mask_out = self.mask_out
            return names
        if not isinstance(operation, keras.layers.Layer):
            write = writer_of(operation) if is_keras(type(operation)) else None
            if write is None:
                raise NotImplementedError("an operation that is not known")
            return write(call)
        return self._traced(call)

    def _traced(self, call):
        """Write a layer of another class by the operations that its call consists of.

        A layer that calls another library with its tensors raises an error here.
        """
        layer = call.operation
        if call.mask is not None and getattr(layer, "supports_masking", False):
            raise NotImplementedError("a mask")
        options = dict(call.options)
        if "training" in inspect.signature(layer.call).parameters:
            options["training"] = False
        flat = keras.tree.flatten(call.tensors)
        if not all(isinstance(one, keras.KerasTensor) for one in flat):
            raise NotImplementedError("an argument that is no tensor")

        def function(*tensors):
            return layer.call(
                *keras.tree.pack_sequence_as(call.tensors, list(tensors)), **options
            )

        return self.trace(function, flat, [self.name(one) for one in flat])


@dataclass
class Call:
    """A call of a layer or an operation, while it is written.

    Attributes
    ----------
    graph : Graph
    operation : keras.Operation
    given, options
        The arguments, by place and by name.
    outputs : keras.KerasTensor, or a list of them
    mask_out : str or None
        The name of the mask of the outputs.
    """

    graph: Graph
    operation: Any
    given: tuple
    options: dict
    outputs: Any
    mask_out: str | None = None

    @property
    def args(self):
        """list: the arguments in the order of the signature, with defaults."""
        bound = inspect.signature(self.operation.call).bind(*self.given, **self.options)
        bound.apply_defaults()
        values = []
        for name, parameter in bound.signature.parameters.items():
            value = bound.arguments[name]
            if parameter.kind is parameter.VAR_POSITIONAL:
                values.extend(value)
            elif parameter.kind is not parameter.VAR_KEYWORD:
                values.append(value)
        return values

    @property
    def tensors(self):
        """tuple: the arguments that were given by place."""
        return self.given

    @property
    def x(self):
        """keras.KerasTensor: the first argument."""
        return keras.tree.flatten(self.given)[0]

    @property
    def dtype(self):
        """str: of the first output."""
        return keras.tree.flatten(self.outputs)[0].dtype

    @property
    def mask(self):
        """str or None: the name of the mask that the call gets."""
        given = self.options.get("mask")
        if given is not None:
            return self.name(given)
        return self.graph.mask_of(self.x)

    def node(self, kind, *inputs, **options):
        """Write an operator; see the module."""
        return self.graph.writer.node(kind, *inputs, **options)

    def name(self, value, dtype=None):
        """Name a tensor or a constant, see `Graph`."""
        return self.graph.name(value, dtype)

    def cast(self, name, dtype):
        """Write a conversion, see `Graph`."""
        return self.graph.cast(name, dtype)

    def reshape(self, name, shape):
        """Write a change to a shape, of which one size may be unknown."""
        sizes = [-1 if size is None else int(size) for size in shape]
        if sizes.count(-1) > 1:
            raise NotImplementedError("a shape with two unknown sizes")
        return self.node("Reshape", name, np.array(sizes, np.int64))

    def activated(self, name, function, like=None):
        """Write an activation of the outputs.

        Parameters
        ----------
        name : str
        function : callable
        like : keras.KerasTensor or None
            Of the shape of the tensor; None: the outputs.
        """
        if function is None:
            return name
        write = writer_of_activation(function)
        like = self.outputs if like is None else like
        if write is not None:
            graph = Graph(self.graph.writer)
            graph._put(like, name)
            return write(Call(graph, keras.layers.Identity(), (like,), {}, like))
        # A layer, or a function.
        return self.graph.trace(function, [like], [name])[0]


class UnknownLayer(ValueError):
    """A layer or an operation of a model that ONNX can't be written for."""


def _unknown(operation, error):
    cls = type(operation)
    is_layer = isinstance(operation, keras.layers.Layer)
    kind = "layer" if is_layer else "operation"
    detail = str(error).split("\n")[0][:200]
    return UnknownLayer(
        f"to_onnx can't write the {kind} {operation.name!r} of the class "
        f"{cls.__module__}.{cls.__qualname__}: {detail.rstrip('.')}. Replace it by "
        f"layers of Keras that to_onnx knows, or by a layer whose call consists of "
        f"operations of keras.ops; see the page on serving. The estimator itself can "
        f"be kept with joblib."
    )
