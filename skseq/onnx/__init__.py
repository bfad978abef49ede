"""Export of fitted estimators to ONNX, and predictions without TensorFlow.

`to_onnx` needs ``pip install onnx skl2onnx``; `load` needs NumPy and
onnxruntime alone.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from skseq.onnx._convert import to_onnx
    from skseq.onnx._load import OnnxModel, load

__all__ = ["OnnxModel", "load", "to_onnx"]

_MODULES = {"OnnxModel": "_load", "load": "_load", "to_onnx": "_convert"}


def __getattr__(name):
    if name not in _MODULES:
        raise AttributeError(f"module 'skseq.onnx' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"skseq.onnx.{_MODULES[name]}"), name)
    globals()[name] = value
    return value


def __dir__():
    return sorted({*globals(), *__all__})
