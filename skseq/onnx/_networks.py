"""Converters of networks for skl2onnx: classifiers, regressors, autoencoders."""

import numpy as np
from skl2onnx.common.data_types import (
    DoubleTensorType,
    FloatTensorType,
    Int64TensorType,
    StringTensorType,
)
from sklearn.base import is_classifier, is_outlier_detector, is_regressor

from skseq._engine.onnx_graph import add_errors, add_network
from skseq._outliers import _log
from skseq._padded import PADDING
from skseq._targets import middle
from skseq.onnx._rows import folded, for_network, scaled, table_of
from skseq.onnx._writer import DOUBLE, FLOAT, Writer

# Without it, skl2onnx turns probabilities into a list of dicts.
CLASSIFIER_OPTIONS = {
    "zipmap": [True, False, "columns"],
    "output_class_labels": [False, True],
    "nocl": [True, False],
}


def parser(last=None, n_timesteps=None):
    """Make a parser for skl2onnx, which declares an operator and its outputs.

    Parameters
    ----------
    last : estimator or None
        The estimator that gets all outputs, and this number of timesteps.
    n_timesteps : int or None
        Of the longest row.
    """

    def parse(scope, model, inputs, custom_parsers=None):
        return _declared(scope, model, inputs, last, n_timesteps)

    return parse


def _declared(scope, model, inputs, last, n_timesteps):
    operator = scope.declare_local_operator(f"Skseq{type(model).__name__}", model)
    operator.inputs = inputs
    is_last = model is last
    operator.n_timesteps = n_timesteps if is_last else None
    is_double = any(isinstance(one.type, DoubleTensorType) for one in inputs)
    same = DoubleTensorType if is_double else FloatTensorType
    if is_classifier(model):
        outputs = [("label", Int64TensorType), ("probabilities", same)]
    elif is_outlier_detector(model):
        outputs = [("label", Int64TensorType), ("scores", DoubleTensorType)]
    elif is_regressor(model):
        outputs = [("variable", DoubleTensorType)]
        if is_last and hasattr(model, "quantiles_"):
            outputs.append(("quantiles", DoubleTensorType))
    else:
        outputs = [("variable", same)]
        if is_last:
            outputs += [("reconstruction", same), ("score_samples", same)]
    for name, cls in outputs:
        operator.outputs.append(scope.declare_local_variable(name, cls()))
    return operator.outputs


def _n_rows(operator):
    return operator.inputs[0].type.shape[0] if operator.inputs[0].type.shape else None


# ----------------------------------------------------------------------- classifiers


def labels_of(classes):
    """Get class labels as ONNX has them: texts, or whole numbers.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)

    Returns
    -------
    labels : ndarray of shape (n_classes,)
    """
    if classes.dtype.kind in "biu":
        return classes.astype(np.int64)
    if all(isinstance(one, str) for one in classes.tolist()):
        return classes.astype(object)
    numbers = None
    if classes.dtype.kind == "f" or classes.dtype == object:
        try:
            numbers = classes.astype(np.float64)
        except (TypeError, ValueError):
            numbers = None
    if numbers is not None and (numbers == np.round(numbers)).all():
        return numbers.astype(np.int64)
    raise ValueError(
        f"to_onnx needs class labels that are texts, bools or whole numbers, got "
        f"{classes.tolist()[:5]}. Encode y with LabelEncoder before fit."
    )


def classifier_shapes(operator):
    """Set the shapes and types of the outputs of a classifier."""
    classes = labels_of(np.asarray(operator.raw_operator.classes_))
    n = _n_rows(operator)
    is_text = classes.dtype == object
    operator.outputs[0].type = (StringTensorType if is_text else Int64TensorType)([n])
    cls = type(operator.outputs[1].type)
    cls = cls if cls in (FloatTensorType, DoubleTensorType) else FloatTensorType
    operator.outputs[1].type = cls([n, len(classes)])


def write_labels(writer, operator, places):
    """Write the labels of a classifier from places among its classes."""
    classes = labels_of(np.asarray(operator.raw_operator.classes_))
    label = writer.node("Gather", classes, places, axis=0)
    writer.output(label, operator.outputs[0])


def convert_classifier(scope, operator, container):
    """Write a classifier: labels, and probabilities in the order of the classes."""
    writer, estimator = Writer(scope, container), operator.raw_operator
    outputs = _outputs(writer, operator)
    is_single = estimator._recipe.network.n_outputs == 1
    if estimator._from_logits:
        outputs = writer.node("Sigmoid" if is_single else "Softmax", outputs)
    if is_single:
        rest = writer.node("Sub", np.float32(1), outputs)
        found = writer.node("Concat", rest, outputs, axis=1)
    else:
        total = writer.node("ReduceSum", outputs, np.array([1]), keepdims=1)
        found = writer.node("Div", outputs, total)
    write_labels(writer, operator, writer.node("ArgMax", found, axis=1, keepdims=0))
    writer.output(found, operator.outputs[1])


def _outputs(writer, operator):
    """Write the network of a classifier or regressor."""
    estimator = operator.raw_operator
    n_timesteps = getattr(operator, "n_timesteps", None)
    rows, network, right_padded = for_network(
        writer, estimator, operator.inputs, n_timesteps
    )
    return add_network(
        writer, estimator._recipe, estimator._state.weights, rows, network=network,
        right_padded=right_padded,
    )  # fmt: skip


# ------------------------------------------------------------------------ regressors


def regressor_shapes(operator):
    """Set the shapes and types of the outputs of a regressor."""
    n, estimator = _n_rows(operator), operator.raw_operator
    shape = [n, estimator.n_outputs_]
    operator.outputs[0].type = DoubleTensorType(shape)
    if len(operator.outputs) > 1:
        n_quantiles = len(estimator.quantiles_)
        operator.outputs[1].type = DoubleTensorType([*shape, n_quantiles])


def convert_regressor(scope, operator, container):
    """Write a regressor, whose outputs are in the units of y, in float64."""
    writer, estimator = Writer(scope, container), operator.raw_operator
    outputs = writer.cast(_outputs(writer, operator), DOUBLE)
    target = estimator._fitted_target()
    n_targets, quantiles = target.n_targets, target.quantiles
    n_each = 1 if quantiles is None else len(quantiles)
    shape = np.array([-1, n_targets, n_each])
    outputs = writer.node("Reshape", outputs, shape)
    if n_each > 1:
        outputs = writer.node(
            "TopK", outputs, np.array([n_each]), n_outputs=2, axis=2, largest=0
        )[0]
    scale, shift = target.scale[:, None], target.shift[:, None]
    outputs = writer.node("Add", writer.node("Mul", outputs, scale), shift)
    place = 0 if quantiles is None else middle(quantiles)
    predicted = writer.node("Gather", outputs, np.int64(place), axis=2)
    writer.output(predicted, operator.outputs[0])
    if len(operator.outputs) > 1:
        writer.output(outputs, operator.outputs[1])


# ---------------------------------------------------------------------- autoencoders


def autoencoder_shapes(operator):
    """Set the shapes of the outputs of an autoencoder."""
    n, estimator = _n_rows(operator), operator.raw_operator
    cls = type(operator.outputs[0].type)
    operator.outputs[0].type = cls([n, estimator._n_features_out])
    if len(operator.outputs) > 1:
        shape = [estimator.n_features_in_]
        if estimator._n_dimensions_in == 3:
            shape.insert(0, estimator.n_timesteps_in_)
        operator.outputs[1].type = cls([n, *shape])
        operator.outputs[2].type = cls([n])


def convert_autoencoder(scope, operator, container):
    """Write an autoencoder."""
    writer, estimator = Writer(scope, container), operator.raw_operator
    x = table_of(writer, operator.inputs, DOUBLE)
    found = _Autoencoder(writer, estimator, x)
    writer.output(found.codes, operator.outputs[0])
    if len(operator.outputs) == 1:
        return
    rows, scaling = writer.cast(found.rows, DOUBLE), estimator._scaling
    if scaling._shift is not None:
        factor, shift = (
            np.asarray(one, np.float64) for one in (scaling._factor, scaling._shift)
        )
        rows = writer.node("Add", writer.node("Mul", rows, factor), shift)
    if estimator._n_dimensions_in == 2:
        rows = writer.node("Reshape", rows, np.array([-1, estimator.n_features_in_]))
    writer.output(rows, operator.outputs[1])
    errors = writer.cast(found.errors, DOUBLE)
    writer.output(writer.node("Neg", errors), operator.outputs[2])


class _Autoencoder:
    """The operators of an autoencoder.

    Attributes
    ----------
    codes : str
        Of float32, of shape (n_samples, n_components).
    rows : str
        Reconstructed rows in scaled values, of float32, of shape (n_samples,
        n_timesteps, n_features).
    errors : str
        Of shape (n_samples,).
    """

    def __init__(self, writer, estimator, x):
        self._writer, self._estimator = writer, estimator
        network = estimator._recipe.network
        x = folded(writer, estimator, x)
        padding = []
        if network.masked:
            value = estimator._padding
            padding = [value, float(np.float32(value)), PADDING]
        self._clean, self._valid = scaled(
            writer, x, estimator._scaling, list(dict.fromkeys(padding))
        )
        codes = self._part(network.ENCODER, self._clean)
        if network.variational:
            codes = writer.node(
                "Slice", codes, np.array([0]), np.array([network.n_components]),
                np.array([1]),
            )  # fmt: skip
        self.codes = codes
        self.rows = self.decoded(codes)
        self.errors = self._errors()

    def decoded(self, codes):
        """Write the decoder for codes."""
        return self._part(self._estimator._recipe.network.DECODER, codes)

    def _part(self, name, x):
        recipe, state = self._estimator._recipe, self._estimator._state
        return add_network(self._writer, recipe, state.weights, x, part=name)

    def _errors(self):
        writer, loss = self._writer, self._estimator._recipe.loss
        clean, valid = self._clean, self._valid
        if valid is not None:
            clean = writer.node("Where", valid, clean, np.float32(0))
        network = self._estimator._recipe.network
        shape = network.n_timesteps, network.n_features
        errors = add_errors(writer, loss, clean, self.rows, shape)
        axes = np.array([1, 2])
        if valid is None:
            return writer.node("ReduceMean", errors, axes, keepdims=0)
        errors = writer.node("Where", valid, errors, np.float32(0))
        total = writer.node("ReduceSum", errors, axes, keepdims=0)
        count = writer.node("ReduceSum", writer.cast(valid, FLOAT), axes, keepdims=0)
        n_features = np.float32(network.n_features)
        return writer.node("Div", total, writer.node("Mul", count, n_features))


# ------------------------------------------------------------------------- outliers


def detector_shapes(operator):
    """Set the shapes of the outputs of a detector."""
    n = _n_rows(operator)
    operator.outputs[0].type = Int64TensorType([n])
    operator.outputs[1].type = DoubleTensorType([n])


def convert_detector(scope, operator, container):
    """Write a detector of outliers."""
    writer, estimator = Writer(scope, container), operator.raw_operator
    x = table_of(writer, operator.inputs, DOUBLE)
    usual = estimator._usual
    errors, distances = [], []
    for i, network in enumerate(estimator.autoencoders_):
        found = _Autoencoder(writer, network, x)
        errors.append(writer.cast(found.errors, DOUBLE))
        if usual is not None:
            others = network._decoded_scaled(usual.codes[i])
            distances.append(_distances(writer, found.rows, others))
    scores = _mean(writer, errors)
    if usual is not None:
        error = _standardised(writer, scores, *usual.error)
        distance = _standardised(writer, _mean(writer, distances), *usual.distance)
        distance = writer.node("Sub", distance, np.float64(usual.less))
        scores = writer.node("Max", error, distance)
    decision = writer.node(
        "Sub", writer.node("Neg", scores), np.float64(estimator.offset_)
    )
    is_outlier = writer.node("Less", decision, np.float64(0))
    label = writer.node("Where", is_outlier, np.int64(-1), np.int64(1))
    writer.output(label, operator.outputs[0])
    writer.output(decision, operator.outputs[1])


def _mean(writer, names):
    total = writer.node("Sum", *names) if len(names) > 1 else names[0]
    return writer.node("Div", total, np.float64(len(names)))


def _standardised(writer, values, median, spread):
    least = np.float64(np.exp(_log(0.0)))
    logs = writer.node("Log", writer.node("Max", values, least))
    return writer.node(
        "Div", writer.node("Sub", logs, np.float64(median)), np.float64(spread)
    )


def _distances(writer, rows, others):
    """Write the mean distance of reconstructions from the nearest half of others."""
    others = others.reshape(len(others), -1).astype(np.float64)
    n_nearest = (len(others) + 1) // 2
    rows = writer.cast(rows, DOUBLE)
    rows = writer.node("Reshape", rows, np.array([-1, others.shape[1]]))
    squares = writer.node("ReduceSum", writer.node("Mul", rows, rows), np.array([1]))
    both = writer.node("MatMul", rows, np.ascontiguousarray(others.T))
    squares = writer.node("Add", squares, (others**2).sum(axis=1)[None])
    squares = writer.node("Sub", squares, writer.node("Mul", both, np.float64(2)))
    found = writer.node("Sqrt", writer.node("Max", squares, np.float64(0)))
    nearest = writer.node(
        "TopK", found, np.array([n_nearest]), n_outputs=2, axis=1, largest=0, sorted=0
    )[0]
    return writer.node("ReduceMean", nearest, np.array([1]), keepdims=0)
