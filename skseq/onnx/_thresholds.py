"""Converters of classifiers around others: thresholds, and calibration.

skl2onnx has none for `FixedThresholdClassifier`, and that for
`TunedThresholdClassifierCV` gives the labels without the threshold.
"""

import numpy as np
from skl2onnx.common.data_types import Int64TensorType, StringTensorType
from sklearn.base import is_classifier
from sklearn.model_selection import (
    FixedThresholdClassifier,
    TunedThresholdClassifierCV,
)
from sklearn.pipeline import Pipeline

from skseq.onnx._networks import classifier_shapes, labels_of, write_labels
from skseq.onnx._writer import FLOAT, Writer


def alias_of(estimator):
    """Get the name under which skl2onnx knows the class of an estimator."""
    from skl2onnx import supported_converters  # noqa: F401
    from skl2onnx._supported_operators import sklearn_operator_name_map

    if type(estimator) not in sklearn_operator_name_map:
        raise ValueError(
            f"to_onnx can't write {type(estimator).__name__}, which skl2onnx does not "
            f"know."
        )
    return sklearn_operator_name_map[type(estimator)]


def convert_threshold(scope, operator, container):
    """Write a classifier with a threshold: its labels, and probabilities."""
    writer, estimator = Writer(scope, container), operator.raw_operator
    fitted = estimator.estimator_
    if isinstance(fitted, Pipeline) or not is_classifier(fitted):
        raise ValueError(
            f"to_onnx needs a threshold around a classifier, got one around "
            f"{type(fitted).__name__}. Put the steps before it into a pipeline around "
            f"the threshold."
        )
    method = estimator.response_method
    inner = scope.declare_local_operator(alias_of(fitted), fitted)
    inner.inputs = operator.inputs
    is_text = labels_of(np.asarray(fitted.classes_)).dtype == object
    kind = StringTensorType if is_text else Int64TensorType
    label = scope.declare_local_variable("label_inner", kind())
    cls = type(operator.outputs[1].type)
    found = scope.declare_local_variable("probabilities_inner", cls())
    inner.outputs.append(label)
    inner.outputs.append(found)
    if method == "decision_function" or (
        method == "auto" and not hasattr(fitted, "predict_proba")
    ):
        raise ValueError(
            f"to_onnx needs a threshold of probabilities, got response_method="
            f"{method!r}. Set response_method='predict_proba'."
        )
    classes = np.asarray(estimator.classes_)
    label_of = estimator.pos_label
    place = 1 if label_of is None else int(np.flatnonzero(classes == label_of)[0])
    score = writer.node("Gather", found.full_name, np.int64(place), axis=1)
    threshold = getattr(estimator, "best_threshold_", None)
    if threshold is None:
        threshold = estimator.threshold
        threshold = 0.5 if threshold == "auto" else threshold
    score = writer.cast(score, FLOAT)
    is_positive = writer.node("GreaterOrEqual", score, np.float32(threshold))
    places = writer.node("Where", is_positive, np.int64(place), np.int64(1 - place))
    write_labels(writer, operator, places)
    writer.output(found.full_name, operator.outputs[1])


CONVERTERS = {
    FixedThresholdClassifier: (classifier_shapes, convert_threshold),
    TunedThresholdClassifierCV: (classifier_shapes, convert_threshold),
}
