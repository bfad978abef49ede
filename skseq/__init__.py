"""Recurrent, convolutional and dense networks for sequences, in scikit-learn.

Names are loaded when they are first used, so that ``import skseq`` and the transformers
load no TensorFlow.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from skseq import datasets
    from skseq._autoencoder import AutoencoderTransformer
    from skseq._convolutional import Conv1DClassifier
    from skseq._dense import DenseClassifier
    from skseq._latent import LatentSampler
    from skseq._outliers import AutoencoderOutlierDetector
    from skseq._recurrent import GRUClassifier, LSTMClassifier, SimpleRNNClassifier
    from skseq._resampling import SequenceAugmenter, SequenceResampler
    from skseq._reshape import SequenceReshaper
    from skseq._training import clear_programs, set_jit_compile

__version__ = "0.1.0"

__all__ = [
    "AutoencoderOutlierDetector",
    "AutoencoderTransformer",
    "Conv1DClassifier",
    "DenseClassifier",
    "GRUClassifier",
    "LSTMClassifier",
    "LatentSampler",
    "SequenceAugmenter",
    "SequenceResampler",
    "SequenceReshaper",
    "SimpleRNNClassifier",
    "__version__",
    "clear_programs",
    "datasets",
    "set_jit_compile",
]

_MODULES = {
    "AutoencoderOutlierDetector": "_outliers",
    "AutoencoderTransformer": "_autoencoder",
    "Conv1DClassifier": "_convolutional",
    "DenseClassifier": "_dense",
    "GRUClassifier": "_recurrent",
    "LSTMClassifier": "_recurrent",
    "LatentSampler": "_latent",
    "SequenceAugmenter": "_resampling",
    "SequenceResampler": "_resampling",
    "SequenceReshaper": "_reshape",
    "SimpleRNNClassifier": "_recurrent",
    "clear_programs": "_training",
    "set_jit_compile": "_training",
}


def __getattr__(name):
    if name == "datasets":
        return importlib.import_module("skseq.datasets")
    if name not in _MODULES:
        raise AttributeError(f"module 'skseq' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"skseq.{_MODULES[name]}"), name)
    globals()[name] = value
    return value


def __dir__():
    return sorted({*globals(), *__all__})
