"""Operations of ``keras.ops`` as operators of ONNX, by the names of their classes."""

import math

import numpy as np

from skseq._engine.keras import keras

# Operators of one tensor and no arguments.
_UNARY = {
    "Abs": "Abs", "Absolute": "Abs", "Arccos": "Acos", "Arccosh": "Acosh",
    "Arcsin": "Asin", "Arcsinh": "Asinh", "Arctan": "Atan", "Arctanh": "Atanh",
    "Ceil": "Ceil", "Cos": "Cos", "Cosh": "Cosh", "Erf": "Erf", "Exp": "Exp",
    "Floor": "Floor", "Identity": "Identity", "Isnan": "IsNaN", "Log": "Log",
    "LogicalNot": "Not", "Negative": "Neg", "Reciprocal": "Reciprocal", "Relu": "Relu",
    "Round": "Round", "Sigmoid": "Sigmoid", "Sign": "Sign", "Sin": "Sin",
    "Sinh": "Sinh", "Softplus": "Softplus", "Softsign": "Softsign", "Sqrt": "Sqrt",
    "StopGradient": "Identity", "Tan": "Tan", "Tanh": "Tanh",
}  # fmt: skip

_BINARY = {
    "Add": "Add", "Divide": "Div", "LogicalAnd": "And", "LogicalOr": "Or",
    "LogicalXor": "Xor", "Matmul": "MatMul", "Maximum": "Max", "Minimum": "Min",
    "Multiply": "Mul", "Power": "Pow", "Subtract": "Sub", "TrueDivide": "Div",
}  # fmt: skip

_COMPARISONS = {
    "Equal": "Equal", "Greater": "Greater", "GreaterEqual": "GreaterOrEqual",
    "Less": "Less", "LessEqual": "LessOrEqual",
}  # fmt: skip

_REDUCTIONS = {
    "Logsumexp": "ReduceLogSumExp", "Max": "ReduceMax", "Mean": "ReduceMean",
    "Min": "ReduceMin", "Prod": "ReduceProd", "Sum": "ReduceSum",
}  # fmt: skip


def writer_of(operation):
    """Get the function that writes an operation, or None.

    Parameters
    ----------
    operation : keras.Operation

    Returns
    -------
    write : callable or None
        Takes a `skseq._engine.onnx_graph.Call`, and returns names of tensors.
    """
    name = type(operation).__name__
    for kinds, write in (
        (_UNARY, _unary),
        (_BINARY, _binary),
        (_COMPARISONS, _compared),
        (_REDUCTIONS, _reduced),
    ):
        if name in kinds:
            return lambda call: write(call, kinds[name])
    return _OPERATIONS.get(name)


def _unary(call, kind):
    x = call.args[0]
    dtype = x.dtype if kind in ("IsNaN", "Not") else call.dtype
    return call.node(kind, call.name(x, dtype))


def _binary(call, kind):
    first, second = (call.name(x, call.dtype) for x in call.args[:2])
    return call.node(kind, first, second)


def _compared(call, kind):
    return call.node(kind, *_of_one_dtype(call, call.args[:2]))


def _of_one_dtype(call, values):
    """Name values of two dtypes in the one to which Keras brings them."""
    types = [getattr(one, "dtype", type(one)) for one in values]
    types = [str(one) if isinstance(one, np.dtype) else one for one in types]
    dtype = keras.backend.result_type(*types)
    if dtype == "bool":  # which ONNX does not order
        dtype = "int32"
    return [call.name(one, dtype) for one in values]


def _reduced(call, kind):
    if getattr(call.operation, "initial", None) is not None:
        raise ValueError(f"initial={call.operation.initial!r}")
    return _reduce(call, kind, call.name(call.args[0], call.dtype))


def _reduce(call, kind, x):
    axes = [] if call.operation.axis is None else [axes_of(call.operation.axis)]
    keeps = int(getattr(call.operation, "keepdims", False))
    return call.node(kind, x, *axes, keepdims=keeps)


def axes_of(axis):
    """Get an axis, or several, as an array."""
    return np.array(keras.tree.flatten(axis), np.int64)


def _truth(kind):
    """Make a writer of a reduction of bool, which ONNX has not."""

    def write(call):
        found = _reduce(call, kind, call.name(call.args[0], "int32"))
        return call.cast(found, "bool")

    return write


def _variance(call):
    x = call.name(call.args[0], call.dtype)
    axes = call.operation.axis
    axes = range(len(call.args[0].shape)) if axes is None else axes
    axes = axes_of(list(axes) if isinstance(axes, range) else axes)
    shifted = call.node("Sub", x, call.node("ReduceMean", x, axes, keepdims=1))
    found = call.node(
        "ReduceMean", call.node("Mul", shifted, shifted), axes,
        keepdims=int(call.operation.keepdims),
    )  # fmt: skip
    is_std = type(call.operation).__name__ == "Std"
    return call.node("Sqrt", found) if is_std else found


def _where(call):
    condition, *values = call.args
    values = [call.name(one, call.dtype) for one in values]
    return call.node("Where", call.name(condition, "bool"), *values)


def _cast(call):
    return call.name(call.args[0], call.dtype)


def _constant_like(value):
    def write(call):
        shape = call.node("Shape", call.name(call.args[0]))
        fill = call.args[1] if value is None else value
        constant = np.array(np.asarray(fill), call.dtype).reshape(1)
        found = call.node("ConstantOfShape", shape, value=constant)
        return found

    return write


def _expanded(call):
    return call.node("Unsqueeze", call.name(call.args[0]), axes_of(call.operation.axis))


def _squeezed(call):
    axis = call.operation.axis
    if axis is None:
        axis = [i for i, size in enumerate(call.args[0].shape) if size == 1]
    return call.node("Squeeze", call.name(call.args[0]), axes_of(axis))


def _taken(call):
    x, indices = call.args
    axis = call.operation.axis
    name = call.name(x)
    if axis is None:
        name, axis = call.node("Reshape", name, np.array([-1], np.int64)), 0
    return call.node("Gather", name, call.name(indices, "int64"), axis=int(axis))


def _item(call):
    x, key = call.args
    key = key if isinstance(key, tuple) else (key,)
    n_given = sum(part is not None and part is not Ellipsis for part in key)
    if Ellipsis not in key:
        key = (*key, Ellipsis)
    place = next(i for i, part in enumerate(key) if part is Ellipsis)
    missing = (slice(None),) * (len(x.shape) - n_given)
    starts, ends, axes, steps, dropped, added = [], [], [], [], [], []
    axis = n_out = 0
    for part in (*key[:place], *missing, *key[place + 1 :]):
        if part is None:
            added.append(n_out)
            n_out += 1
            continue
        if isinstance(part, slice):
            bounds = part.start, part.stop, part.step
            if any(b is not None and not isinstance(b, int) for b in bounds):
                raise ValueError("an index that is a tensor")
            step = part.step or 1
            start, stop = part.start, part.stop
            if start is None:
                start = 0 if step > 0 else np.iinfo(np.int64).max
            if stop is None:
                limits = np.iinfo(np.int64)
                stop = limits.max if step > 0 else limits.min
            if part != slice(None):
                bounds = start, stop, axis, step
                for values, bound in zip(
                    (starts, ends, axes, steps), bounds, strict=True
                ):
                    values.append(bound)
            n_out += 1
        elif isinstance(part, (int, np.integer)):
            starts.append(int(part))
            ends.append(int(part) + 1 if part != -1 else np.iinfo(np.int64).max)
            axes.append(axis)
            steps.append(1)
            dropped.append(axis)
        else:
            raise ValueError("an index that is a tensor")
        axis += 1
    name = call.name(x)
    if axes:
        bounds = (np.array(one, np.int64) for one in (starts, ends, axes, steps))
        name = call.node("Slice", name, *bounds)
    if dropped:
        name = call.node("Squeeze", name, np.array(dropped, np.int64))
    if added:
        name = call.node("Unsqueeze", name, np.array(added, np.int64))
    return name


def _padded(call):
    x, value = call.args
    operation = call.operation
    if operation.mode != "constant":
        raise ValueError(f"padding of the mode {operation.mode!r}")
    return call.node(
        "Pad", call.name(x), padding_of(operation.pad_width),
        call.name(0 if value is None else value, call.dtype), mode="constant",
    )  # fmt: skip


def padding_of(pad_width):
    """Convert pairs of padding of each axis to the order of ONNX."""
    return np.array(pad_width, np.int64).T.reshape(-1)


def _repeated(call):
    x = call.args[0]
    repeats, axis = call.operation.repeats, call.operation.axis
    size = None if axis is None else x.shape[axis]
    if size is None:
        raise ValueError("a repetition along an axis of unknown size")
    return call.node(
        "Gather", call.name(x), np.repeat(np.arange(size), repeats), axis=int(axis)
    )


def _clipped(call):
    x, operation = call.args[0], call.operation
    return call.node(
        "Clip", call.name(x, call.dtype), call.name(operation.x_min, call.dtype),
        call.name(operation.x_max, call.dtype),
    )  # fmt: skip


def _einsum(call):
    names = [call.name(one, call.dtype) for one in call.args]
    return call.node("Einsum", *names, equation=call.operation.subscripts)


def _reshaped(call):
    return call.reshape(call.name(call.args[0]), call.outputs.shape)


def _transposed(call):
    axes = call.operation.axes
    n = len(call.args[0].shape)
    axes = list(range(n))[::-1] if axes is None else [axis % n for axis in axes]
    return call.node("Transpose", call.name(call.args[0]), perm=axes)


def _swapped(call):
    axes = list(range(len(call.args[0].shape)))
    i, j = call.operation.axis1, call.operation.axis2
    axes[i], axes[j] = axes[j], axes[i]
    return call.node("Transpose", call.name(call.args[0]), perm=axes)


def _moved(call):
    n = len(call.args[0].shape)
    sources = [i % n for i in keras.tree.flatten(call.operation.source)]
    targets = [i % n for i in keras.tree.flatten(call.operation.destination)]
    order = [i for i in range(n) if i not in sources]
    for target, source in sorted(zip(targets, sources, strict=True)):
        order.insert(target, source)
    return call.node("Transpose", call.name(call.args[0]), perm=order)


def _concatenated(call):
    names = [call.name(one, call.dtype) for one in call.args[0]]
    return call.node("Concat", *names, axis=call.operation.axis)


def _stacked(call):
    axis = call.operation.axis % len(call.outputs.shape)
    at = np.array([axis], np.int64)
    parts = [
        call.node("Unsqueeze", call.name(one, call.dtype), at) for one in call.args[0]
    ]
    return call.node("Concat", *parts, axis=axis)


def _split(call):
    axis = call.operation.axis
    sizes = np.array([part.shape[axis] for part in call.outputs], np.int64)
    return call.node(
        "Split", call.name(call.args[0]), sizes, n_outputs=len(sizes), axis=axis
    )


def _cumulated(call):
    axis = call.operation.axis
    if axis is None:
        raise ValueError("a cumulative sum without an axis")
    return call.node("CumSum", call.name(call.args[0], call.dtype), np.int64(axis))


def _flipped(call):
    axes = axes_of(call.operation.axis)
    starts, limit = np.full(len(axes), -1), np.iinfo(np.int64).min
    return call.node(
        "Slice", call.name(call.args[0]), starts, np.full(len(axes), limit), axes,
        starts,
    )  # fmt: skip


def _place_of(kind):
    def write(call):
        axis = call.operation.axis
        if axis is None:
            raise ValueError("the place of an extreme value without an axis")
        keeps = int(call.operation.keepdims)
        found = call.node(kind, call.name(call.args[0]), axis=axis, keepdims=keeps)
        return call.cast(found, call.dtype)

    return write


def _formula(function):
    """Make a writer of a function of a tensor, which is made of other operators."""

    def write(call):
        return function(call, call.name(call.args[0], call.dtype), call.operation)

    return write


def _axis(operation):
    axis = operation.axis
    if isinstance(axis, (tuple, list)):
        if len(axis) > 1:
            raise ValueError("a softmax over several axes")
        axis = axis[0]
    return int(axis)


def rectified(call, x, operation):
    """Write a rectified linear function with slope, limit and threshold."""
    slope, most = operation.negative_slope or 0.0, operation.max_value
    threshold = operation.threshold or 0.0
    if threshold:
        is_above = call.node("Greater", x, np.float32(threshold))
        if not slope:
            y = call.node("Where", is_above, x, np.float32(0))
        else:
            low = call.node("Mul", call.node("Sub", x, np.float32(threshold)),
                            np.float32(slope))  # fmt: skip
            y = call.node("Where", is_above, x, low)
    elif slope:
        y = call.node("LeakyRelu", x, alpha=float(slope))
    else:
        y = call.node("Relu", x)
    return y if most is None else call.node("Min", y, np.float32(most))


def elu(call, x, operation):
    """Write the exponential linear unit."""
    return call.node("Elu", x, alpha=float(operation.alpha))


def _gelu(call, x, operation):
    half = call.node("Mul", x, np.float32(0.5))
    if operation.approximate:
        cube = call.node("Mul", call.node("Mul", x, x), x)
        inner = call.node("Add", x, call.node("Mul", cube, np.float32(0.044715)))
        factor = np.float32(math.sqrt(2 / math.pi))
        share = call.node("Tanh", call.node("Mul", inner, factor))
    else:
        scaled = call.node("Mul", x, np.float32(1 / math.sqrt(2)))
        share = call.node("Erf", scaled)
    return call.node("Mul", half, call.node("Add", share, np.float32(1)))


def _hard_sigmoid(call, x, _=None):
    return call.node("HardSigmoid", x, alpha=1 / 6, beta=0.5)


def _shrunk(call, x, operation):
    threshold = np.float32(operation.threshold)
    is_large = call.node("Greater", call.node("Abs", x), threshold)
    zero = np.float32(0)
    if type(operation).__name__ == "HardShrink":
        return call.node("Where", is_large, x, zero)
    less = call.node("Mul", call.node("Sign", x), threshold)
    return call.node("Where", is_large, call.node("Sub", x, less), zero)


def _sparse_plus(call, x, _):
    curve = call.node("Mul", np.float32(0.25), call.node("Mul", *[
        call.node("Add", x, np.float32(1))] * 2))  # fmt: skip
    inner = call.node("Where", call.node("Less", x, np.float32(1)), curve, x)
    is_low = call.node("LessOrEqual", x, np.float32(-1))
    return call.node("Where", is_low, np.float32(0), inner)


def _sparse_sigmoid(call, x, _):
    half = call.node("Mul", call.node("Add", x, np.float32(1)), np.float32(0.5))
    return call.node("Clip", half, np.float32(0), np.float32(1))


def _squareplus(call, x, operation):
    root = call.node("Add", call.node("Mul", x, x), np.float32(operation.b))
    return call.node(
        "Mul", call.node("Add", x, call.node("Sqrt", root)), np.float32(0.5)
    )


def _gated(call, x, operation):
    first, second = call.node("Split", x, n_outputs=2, axis=operation.axis,
                              num_outputs=2)  # fmt: skip
    return call.node("Mul", first, call.node("Sigmoid", second))


def _threshold(call, x, operation):
    is_above = call.node("Greater", x, np.float32(operation.threshold))
    return call.node("Where", is_above, x, np.float32(operation.default_value))


def _attended(call):
    query, key, value, bias, mask, scale = call.args[:6]
    if call.operation.is_causal:
        raise ValueError("attention that is causal")
    if getattr(call.operation, "attn_logits_soft_cap", None) is not None:
        raise ValueError("attention whose scores have a limit")
    q, k, v = (
        call.node("Transpose", call.name(one), perm=[0, 2, 1, 3])
        for one in (query, key, value)
    )
    scale = query.shape[-1] ** -0.5 if scale is None else scale
    k = call.node("Transpose", k, perm=[0, 1, 3, 2])
    scores = call.node("Mul", call.node("MatMul", q, k), np.float32(scale))
    if bias is not None:
        scores = call.node("Add", scores, call.name(bias, call.dtype))
    if mask is not None:
        low = np.float32(0.7 * np.finfo(np.float32).min)
        scores = call.node("Where", call.name(mask, "bool"), scores, low)
    weights = call.node("Softmax", scores, axis=-1)
    return call.node("Transpose", call.node("MatMul", weights, v), perm=[0, 2, 1, 3])


_OPERATIONS = {
    "All": _truth("ReduceMin"),
    "Any": _truth("ReduceMax"),
    "Argmax": _place_of("ArgMax"),
    "Argmin": _place_of("ArgMin"),
    "Cast": _cast,
    "Celu": _formula(lambda c, x, op: c.node("Celu", x, alpha=float(op.alpha))),
    "Clip": _clipped,
    "Concatenate": _concatenated,
    "Cumsum": _cumulated,
    "DotProductAttention": _attended,
    "Einsum": _einsum,
    "Elu": _formula(elu),
    "ExpandDims": _expanded,
    "Expm1": _formula(lambda c, x, _: c.node("Sub", c.node("Exp", x), np.float32(1))),
    "Flip": _flipped,
    "FullLike": _constant_like(None),
    "Gelu": _formula(_gelu),
    "GetItem": _item,
    "Glu": _formula(_gated),
    "HardShrink": _formula(_shrunk),
    "HardSigmoid": _formula(_hard_sigmoid),
    "HardSilu": _formula(lambda c, x, _: c.node("Mul", x, _hard_sigmoid(c, x))),
    "HardTanh": _formula(
        lambda c, x, _: c.node("Clip", x, np.float32(-1), np.float32(1))
    ),
    "LeakyRelu": _formula(
        lambda c, x, op: c.node("LeakyRelu", x, alpha=float(op.negative_slope))
    ),
    "Log1p": _formula(lambda c, x, _: c.node("Log", c.node("Add", x, np.float32(1)))),
    "LogSigmoid": _formula(
        lambda c, x, _: c.node("Neg", c.node("Softplus", c.node("Neg", x)))
    ),
    "LogSoftmax": _formula(lambda c, x, op: c.node("LogSoftmax", x, axis=_axis(op))),
    "Mish": _formula(
        lambda c, x, _: c.node("Mul", x, c.node("Tanh", c.node("Softplus", x)))
    ),
    "Moveaxis": _moved,
    "NotEqual": lambda call: call.node("Not", _compared(call, "Equal")),
    "OnesLike": _constant_like(1),
    "Pad": _padded,
    "ReLU": _formula(rectified),
    "Relu6": _formula(lambda c, x, _: c.node("Clip", x, np.float32(0), np.float32(6))),
    "Repeat": _repeated,
    "Reshape": _reshaped,
    "Rsqrt": _formula(lambda c, x, _: c.node("Reciprocal", c.node("Sqrt", x))),
    "Selu": _formula(lambda c, x, _: c.node("Selu", x)),
    "Silu": _formula(lambda c, x, _: c.node("Mul", x, c.node("Sigmoid", x))),
    "SoftShrink": _formula(_shrunk),
    "Softmax": _formula(lambda c, x, op: c.node("Softmax", x, axis=_axis(op))),
    "SparsePlus": _formula(_sparse_plus),
    "SparseSigmoid": _formula(_sparse_sigmoid),
    "Split": _split,
    "Square": _formula(lambda c, x, _: c.node("Mul", x, x)),
    "Squareplus": _formula(_squareplus),
    "Squeeze": _squeezed,
    "Stack": _stacked,
    "Std": _variance,
    "Swapaxes": _swapped,
    "Take": _taken,
    "TanhShrink": _formula(lambda c, x, _: c.node("Sub", x, c.node("Tanh", x))),
    "Threshold": _formula(_threshold),
    "Transpose": _transposed,
    "Var": _variance,
    "Where": _where,
    "ZerosLike": _constant_like(0),
}

# Activations that can't be called with a symbolic tensor.
_NOT_SYMBOLIC = {"hard_silu": "HardSilu", "hard_swish": "HardSilu", "mish": "Mish"}


def writer_of_activation(function):
    """Get the writer of an activation that can't be called symbolically, or None."""
    name = getattr(function, "__name__", "")
    if name not in _NOT_SYMBOLIC or not is_activation(function, name):
        return None
    return _OPERATIONS[_NOT_SYMBOLIC[name]]


def is_activation(function, name):
    """Check whether a function is the one of Keras, not another one of its name."""
    known = getattr(keras.activations, name, None), getattr(keras.ops, name, None)
    return any(function is one for one in known)
