"""Operators of ONNX, written into a model that skl2onnx makes."""

import numpy as np
from onnx import TensorProto, numpy_helper
from skl2onnx.common.data_types import (
    DoubleTensorType,
    FloatTensorType,
    Int64TensorType,
)

FLOAT, DOUBLE = TensorProto.FLOAT, TensorProto.DOUBLE
INT64, BOOL = TensorProto.INT64, TensorProto.BOOL


class Writer:
    """Writes operators into a container of skl2onnx; see `skseq._engine.onnx_graph`.

    Parameters
    ----------
    scope : skl2onnx.common._topology.Scope
        Makes names.
    container : skl2onnx.common._container.ModelComponentContainer
    """

    def __init__(self, scope, container):
        self._scope, self._container = scope, container
        self._constants = {}

    def node(self, kind, *inputs, n_outputs=None, domain="", **attributes):
        """Write an operator.

        Parameters
        ----------
        kind : str
        *inputs : str or ndarray
            Names, or constants.
        n_outputs : int or None
            None: one output, whose name is returned. Otherwise a list of names is.
        domain : str
        **attributes
            An array is an attribute of one tensor.
        """
        inputs = [x if isinstance(x, str) else self.constant(x) for x in inputs]
        outputs = [
            self._scope.get_unique_variable_name(f"skseq_{kind}")
            for _ in range(n_outputs or 1)
        ]
        for name, value in attributes.items():
            if isinstance(value, np.ndarray):
                attributes[name] = numpy_helper.from_array(value)
        self._container.add_node(
            kind, inputs, outputs, op_domain=domain,
            name=self._scope.get_unique_operator_name(f"skseq_{kind}"), **attributes,
        )  # fmt: skip
        return outputs[0] if n_outputs is None else outputs

    def constant(self, value):
        """Write an array, and return its name."""
        value = np.asarray(value)
        if value.dtype.kind in "iu" and value.dtype != np.int32:
            value = value.astype(np.int64)
        if value.dtype.kind in "US":
            value = value.astype(object)
        key = None
        if value.dtype.kind != "O":
            key = value.dtype.str, value.shape, value.tobytes()
            if key in self._constants:
                return self._constants[key]
        name = self._scope.get_unique_variable_name("skseq_constant")
        tensor = numpy_helper.from_array(
            np.ascontiguousarray(value).reshape(value.shape), name
        )
        self._container.initializers.append(tensor)
        if key is not None:
            self._constants[key] = name
        return name

    def cast(self, name, to):
        """Write a conversion to an element type of ONNX."""
        return self.node("Cast", name, to=to)

    def output(self, name, variable):
        """Give a tensor the name and the type of an output of an operator."""
        wanted = _element_type(variable)
        inner = name if wanted is None else self.cast(name, wanted)
        self._container.add_node(
            "Identity", [inner], [variable.full_name],
            name=self._scope.get_unique_operator_name("skseq_output"),
        )  # fmt: skip


def _element_type(variable):
    for cls, kind in (
        (DoubleTensorType, DOUBLE), (FloatTensorType, FLOAT), (Int64TensorType, INT64),
    ):  # fmt: skip
        if type(variable.type) is cls:
            return kind
    return None
