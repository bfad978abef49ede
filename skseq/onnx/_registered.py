"""The converters of this package, registered with skl2onnx."""

import warnings
from functools import cache

import skl2onnx
from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType
from sklearn.base import is_classifier

import skseq
from skseq.onnx import _networks, _thresholds, _transformers
from skseq.onnx._convert import last_of

_CLASSIFIERS = (
    "Conv1DClassifier", "DenseClassifier", "GRUClassifier", "KerasClassifier",
    "LSTMClassifier", "SimpleRNNClassifier",
)  # fmt: skip
_REGRESSORS = tuple(name.replace("Classifier", "Regressor") for name in _CLASSIFIERS)


@cache
def register():
    """Register the converters of this package with skl2onnx, once."""
    networks = _networks
    for name in _CLASSIFIERS:
        skl2onnx.update_registered_converter(
            getattr(skseq, name), f"Skseq{name}", networks.classifier_shapes,
            networks.convert_classifier, options=networks.CLASSIFIER_OPTIONS,
        )  # fmt: skip
    others = {
        **dict.fromkeys(
            _REGRESSORS, (networks.regressor_shapes, networks.convert_regressor)
        ),
        "AutoencoderTransformer": (
            networks.autoencoder_shapes, networks.convert_autoencoder,
        ),
        "AutoencoderOutlierDetector": (
            networks.detector_shapes, networks.convert_detector,
        ),
    }  # fmt: skip
    for name, (shapes, convert) in others.items():
        skl2onnx.update_registered_converter(
            getattr(skseq, name), f"Skseq{name}", shapes, convert,
            parser=networks.parser(),
        )  # fmt: skip
    for name, (shapes, convert) in _transformers.CONVERTERS.items():
        skl2onnx.update_registered_converter(
            getattr(skseq, name), f"Skseq{name}", shapes, convert
        )
    for cls, (shapes, convert) in _thresholds.CONVERTERS.items():
        skl2onnx.update_registered_converter(
            cls, f"Skseq{cls.__name__}", shapes, convert,
            options=networks.CLASSIFIER_OPTIONS,
        )  # fmt: skip


def converted(model, inputs, n_timesteps, opsets, check):
    """Convert a fitted estimator by skl2onnx.

    Parameters
    ----------
    model : estimator
    inputs : list of tuple of str and skl2onnx type
    n_timesteps : int or None
    opsets : dict of str to int
    check : callable
        Gets a model of ONNX, and returns an error if it can't be used, or else None.

    Returns
    -------
    model : onnx.ModelProto
    """
    register()
    last = last_of(model)
    options = {"target_opset": opsets}
    if hasattr(last, "_recipe") or hasattr(last, "autoencoders_"):
        # Not by options, for which skl2onnx reads all attributes, also `model_`.
        parser = _networks.parser(last, n_timesteps)
        options["custom_parsers"] = {type(last): parser}
    elif is_classifier(last):
        options["options"] = {id(last): {"zipmap": False}}
    floats = [
        (name, FloatTensorType(kind.shape) if type(kind) is DoubleTensorType else kind)
        for name, kind in inputs
    ]
    around = {}
    inner = last_of(getattr(last, "estimator_", last))
    if _thresholds.is_of_probabilities(inner):
        around[type(inner)] = _thresholds.convert_calibration
    for kinds, custom in (
        (inputs, around), (inputs, around | _transformers.IN_FLOAT64), (floats, around)
    ):  # fmt: skip
        made = _converted(model, kinds, custom_conversion_functions=custom, **options)
        error = check(made)
        if error is None:
            if kinds is not inputs:
                warnings.warn(
                    f"The steps of this {type(model).__name__} are computed in float32 "
                    f"by the model of ONNX, because onnxruntime has one of their "
                    f"operators for float32 alone. Compare its predictions with those "
                    f"of the estimator.",
                    UserWarning,
                    stacklevel=3,
                )
            return made
    raise ValueError(
        f"onnxruntime can't run the model of {type(model).__name__}: {error} Transform "
        f"X by the first steps before, and convert the steps behind them."
    ) from error


def _converted(model, inputs, **options):
    try:
        with warnings.catch_warnings():
            # skl2onnx calls functions of NumPy and scikit-learn that are deprecated.
            warnings.simplefilter("ignore", DeprecationWarning)
            warnings.simplefilter("ignore", FutureWarning)
            return skl2onnx.convert_sklearn(
                model, type(model).__name__, inputs, **options
            )
    except ValueError:
        raise
    except Exception as error:  # skl2onnx raises errors of many classes
        detail = str(error).strip().split("\n")[0].rstrip(".")
        raise ValueError(
            f"to_onnx can't write a step of {type(model).__name__}: {detail}. "
            f"Transform X by this step before, and convert the steps behind it."
        ) from error
