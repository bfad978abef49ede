"""Recurrent, convolutional and dense networks for sequences, in scikit-learn.

Names are loaded when they are first used, so that ``import skseq`` and the transformers
load no TensorFlow.
"""

import importlib
import importlib.util
from typing import TYPE_CHECKING

# Imported now, to note in a forked process whether TensorFlow was running.
from skseq._engine import forks as _forks  # noqa: F401

if TYPE_CHECKING:
    from skseq import datasets, inspection, onnx, search
    from skseq._autoencoder import AutoencoderTransformer
    from skseq._convolutional import Conv1DClassifier, Conv1DRegressor
    from skseq._dense import DenseClassifier, DenseRegressor
    from skseq._engine.cache import clear_programs
    from skseq._engine.path import set_jit_compile
    from skseq._keras import KerasClassifier, KerasRegressor
    from skseq._latent import LatentSampler
    from skseq._lazy_array import LazyArray
    from skseq._outliers import AutoencoderOutlierDetector
    from skseq._padding import SequencePadder
    from skseq._parquet import open_parquet
    from skseq._persistence import skops_trusted
    from skseq._recurrent import (
        GRUClassifier,
        GRURegressor,
        LSTMClassifier,
        LSTMRegressor,
        SimpleRNNClassifier,
        SimpleRNNRegressor,
    )
    from skseq._resampling import SequenceAugmenter, SequenceResampler
    from skseq._reshape import SequenceReshaper
    from skseq._scaler import SequenceScaler
    from skseq._splits import PurgedSplit
    from skseq._text import TextSequencer
    from skseq._window_array import WindowArray
    from skseq._windows import WindowTransformer, make_windows

__version__ = "0.7.0"

__all__ = [
    "AutoencoderOutlierDetector",
    "AutoencoderTransformer",
    "Conv1DClassifier",
    "Conv1DRegressor",
    "DenseClassifier",
    "DenseRegressor",
    "GRUClassifier",
    "GRURegressor",
    "KerasClassifier",
    "KerasRegressor",
    "LSTMClassifier",
    "LSTMRegressor",
    "LatentSampler",
    "LazyArray",
    "PurgedSplit",
    "SequenceAugmenter",
    "SequencePadder",
    "SequenceResampler",
    "SequenceReshaper",
    "SequenceScaler",
    "SimpleRNNClassifier",
    "SimpleRNNRegressor",
    "TextSequencer",
    "WindowArray",
    "WindowTransformer",
    "__version__",
    "clear_programs",
    "datasets",
    "inspection",
    "make_windows",
    "onnx",
    "open_parquet",
    "search",
    "set_jit_compile",
    "skops_trusted",
]

_MODULES = {
    "AutoencoderOutlierDetector": "_outliers",
    "AutoencoderTransformer": "_autoencoder",
    "Conv1DClassifier": "_convolutional",
    "Conv1DRegressor": "_convolutional",
    "DenseClassifier": "_dense",
    "DenseRegressor": "_dense",
    "GRUClassifier": "_recurrent",
    "GRURegressor": "_recurrent",
    "KerasClassifier": "_keras",
    "KerasRegressor": "_keras",
    "LSTMClassifier": "_recurrent",
    "LSTMRegressor": "_recurrent",
    "LatentSampler": "_latent",
    "LazyArray": "_lazy_array",
    "PurgedSplit": "_splits",
    "SequenceAugmenter": "_resampling",
    "SequencePadder": "_padding",
    "SequenceResampler": "_resampling",
    "SequenceReshaper": "_reshape",
    "SequenceScaler": "_scaler",
    "SimpleRNNClassifier": "_recurrent",
    "SimpleRNNRegressor": "_recurrent",
    "TextSequencer": "_text",
    "WindowArray": "_window_array",
    "WindowTransformer": "_windows",
    "clear_programs": "_engine.cache",
    "make_windows": "_windows",
    "open_parquet": "_parquet",
    "set_jit_compile": "_engine.path",
    "skops_trusted": "_persistence",
}

# Without imbalanced-learn, `from skseq import *` leaves out the samplers.
if importlib.util.find_spec("imblearn") is None:
    __all__ = [
        name for name in __all__ if _MODULES.get(name) not in ("_resampling", "_latent")
    ]


def __getattr__(name):
    if name in ("datasets", "inspection", "onnx", "search"):
        return importlib.import_module(f"skseq.{name}")
    if name not in _MODULES:
        raise AttributeError(f"module 'skseq' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"skseq.{_MODULES[name]}"), name)
    globals()[name] = value
    return value


def __dir__():
    return sorted({*globals(), *__all__})
