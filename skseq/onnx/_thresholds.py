"""Converters of classifiers around others: thresholds, and calibration.

skl2onnx has none for `FixedThresholdClassifier`, and that for
`TunedThresholdClassifierCV` gives the labels without the threshold. Its isotonic
calibration has steps in place of lines, and it has no calibration by temperature.
"""

import numpy as np
from skl2onnx.common.data_types import Int64TensorType, StringTensorType
from sklearn.calibration import CalibratedClassifierCV
from sklearn.model_selection import (
    FixedThresholdClassifier,
    TunedThresholdClassifierCV,
)

from skseq.onnx._networks import classifier_shapes, labels_of, write_labels
from skseq.onnx._writer import DOUBLE, Writer


def alias_of(estimator):
    """Get the name under which skl2onnx knows the class of an estimator."""
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
    fitted, method = estimator.estimator_, estimator.response_method
    has_probabilities = hasattr(fitted, "predict_proba")
    if method == "decision_function" or not has_probabilities:
        raise ValueError(
            f"to_onnx needs a threshold of probabilities, got response_method="
            f"{method!r} and {type(fitted).__name__}. Set "
            f"response_method='predict_proba'."
        )
    found = _probabilities(scope, operator, fitted)
    classes, positive = np.asarray(estimator.classes_), _positive_of(estimator)
    place = 1 if positive is None else int(np.flatnonzero(classes == positive)[0])
    score = writer.node("Gather", found, np.int64(place), axis=1)
    threshold = getattr(estimator, "best_threshold_", None)
    if threshold is None:
        threshold = 0.5 if estimator.threshold == "auto" else estimator.threshold
    score = writer.cast(score, DOUBLE)
    is_positive = writer.node("GreaterOrEqual", score, np.float64(threshold))
    places = writer.node("Where", is_positive, np.int64(place), np.int64(1 - place))
    write_labels(writer, operator, places)
    writer.output(found, operator.outputs[1])


def _positive_of(estimator):
    """Get the label whose probability has the threshold, or None for the last one."""
    if hasattr(estimator, "pos_label"):
        return estimator.pos_label
    # Of TunedThresholdClassifierCV: that of its scorer, which has no public name.
    return estimator._curve_scorer._get_pos_label()


def _probabilities(scope, operator, fitted):
    """Declare the operator of a classifier inside of another one.

    Returns
    -------
    name : str
        Of its probabilities.
    """
    inner = scope.declare_local_operator(alias_of(fitted), fitted)
    inner.inputs = operator.inputs
    is_text = labels_of(np.asarray(fitted.classes_)).dtype == object
    kind = StringTensorType if is_text else Int64TensorType
    label = scope.declare_local_variable("label_inner", kind())
    cls = type(operator.outputs[1].type)
    found = scope.declare_local_variable("probabilities_inner", cls())
    inner.outputs.append(label)
    inner.outputs.append(found)
    return found.full_name


# ----------------------------------------------------------------------- calibration


def is_of_probabilities(estimator):
    """Check whether a calibration reads probabilities, as that of a network does."""
    if not isinstance(estimator, CalibratedClassifierCV):
        return False
    inner = estimator.calibrated_classifiers_[0].estimator
    return not hasattr(inner, "decision_function")


def convert_calibration(scope, operator, container):
    """Write `CalibratedClassifierCV`, with the lines of isotonic calibration."""
    writer, estimator = Writer(scope, container), operator.raw_operator
    parts = [
        _calibrated(scope, writer, operator, one)
        for one in estimator.calibrated_classifiers_
    ]
    total = writer.node("Sum", *parts) if len(parts) > 1 else parts[0]
    found = writer.node("Div", total, np.float64(len(parts)))
    write_labels(writer, operator, writer.node("ArgMax", found, axis=1, keepdims=0))
    writer.output(found, operator.outputs[1])


def _calibrated(scope, writer, operator, one):
    """Write one classifier and its calibrators, in float64."""
    found = _probabilities(scope, operator, one.estimator)
    if one.method == "temperature":
        return _by_temperature(writer, one, found)
    found = writer.cast(found, DOUBLE)
    places = np.searchsorted(one.classes, one.estimator.classes_)
    if len(one.classes) == 2:
        score = writer.node("Gather", found, np.array([1]), axis=1)
        score = _by_calibrator(writer, one.calibrators[0], score)
        rest = writer.node("Sub", np.float64(1), score)
        return writer.node("Concat", rest, score, axis=1)
    first = writer.node("Gather", found, np.array([0]), axis=1)
    columns = [writer.node("Mul", first, np.float64(0))] * len(one.classes)
    for i, (place, calibrator) in enumerate(zip(places, one.calibrators, strict=True)):
        score = writer.node("Gather", found, np.array([i]), axis=1)
        columns[place] = _by_calibrator(writer, calibrator, score)
    scores = writer.node("Concat", *columns, axis=1)
    total = writer.node("ReduceSum", scores, np.array([1]), keepdims=1)
    is_zero = writer.node("Equal", total, np.float64(0))
    shares = writer.node(
        "Div", scores, writer.node("Where", is_zero, np.float64(1), total)
    )
    return writer.node("Where", is_zero, np.float64(1 / len(columns)), shares)


def _by_temperature(writer, one, found):
    """Write a calibrator of logits, which scikit-learn makes of probabilities."""
    if len(one.classes) == 2:
        score = writer.node("Gather", found, np.array([1]), axis=1)
        found = writer.node(
            "Concat", writer.node("Sub", np.float32(1), score), score, axis=1
        )
    logits = writer.node("Add", writer.cast(found, DOUBLE), np.float64(1e-12))
    logits = writer.node("Log", logits)
    logits = writer.node("Mul", logits, np.float64(one.calibrators[0].beta_))
    return writer.node("Softmax", logits, axis=1)


def _by_calibrator(writer, calibrator, score):
    """Write a calibrator for scores of shape (n_samples, 1)."""
    if hasattr(calibrator, "a_"):
        x = writer.node("Mul", score, np.float64(-calibrator.a_))
        x = writer.node("Add", x, np.float64(-calibrator.b_))
        return writer.node("Sigmoid", x)
    x, y = (
        np.asarray(one, np.float64)
        for one in (calibrator.X_thresholds_, calibrator.y_thresholds_)
    )
    keeps = np.r_[True, np.diff(x) > 0]
    x, y = x[keeps], y[keeps]
    if len(x) == 1:
        return writer.node("Add", writer.node("Mul", score, np.float64(0)), y[0])
    # A line from each threshold to the next one: the sum of what is passed of each.
    passed = writer.node("Max", writer.node("Sub", score, x[None, :-1]), np.float64(0))
    passed = writer.node("Min", passed, np.diff(x)[None])
    rises = writer.node("Mul", passed, (np.diff(y) / np.diff(x))[None])
    total = writer.node("ReduceSum", rises, np.array([1]), keepdims=1)
    return writer.node("Add", total, y[0])


CONVERTERS = {
    FixedThresholdClassifier: (classifier_shapes, convert_threshold),
    TunedThresholdClassifierCV: (classifier_shapes, convert_threshold),
}
