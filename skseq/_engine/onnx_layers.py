"""Layers of Keras as operators of ONNX."""

import numpy as np

from skseq._engine.keras import keras
from skseq._engine.onnx_operations import elu, padding_of, rectified
from skseq._engine.onnx_recurrent import bidirectional, recurrent


def value_of(variable):
    """Get the value of a variable."""
    return np.asarray(keras.ops.convert_to_numpy(variable))


def _passed(call):
    """Write a layer that only training needs."""
    return call.name(call.x)


# ----------------------------------------------------------------------- dense layers


def _dense(call):
    layer = call.operation
    y = call.node("MatMul", call.name(call.x), value_of(layer.kernel))
    if layer.use_bias:
        y = call.node("Add", y, value_of(layer.bias))
    return call.activated(y, layer.activation)


def _einsum_dense(call):
    layer = call.operation
    y = call.node(
        "Einsum", call.name(call.x), value_of(layer.kernel), equation=layer.equation
    )
    if layer.bias is not None:
        y = call.node("Add", y, value_of(layer.bias))
    return call.activated(y, layer.activation)


def _embedding(call):
    layer = call.operation
    ids = call.name(call.x, "int64")
    if layer.mask_zero:
        call.mask_out = call.node("Not", call.node("Equal", ids, np.int64(0)))
    return call.node("Gather", value_of(layer.embeddings), ids, axis=0)


# ----------------------------------------------------------------------- convolutions


def _tuple(value, n):
    return (value,) * n if isinstance(value, int) else tuple(value)


def _is_last(layer):
    return layer.data_format == "channels_last"


def _channels_first(call, x, n):
    """Move the channels to the place where ONNX has them."""
    if not _is_last(call.operation):
        return x
    return call.node("Transpose", x, perm=[0, n + 1, *range(1, n + 1)])


def _channels_back(call, x, n):
    if not _is_last(call.operation):
        return x
    return call.node("Transpose", x, perm=[0, *range(2, n + 2), 1])


def _sizes(call, n):
    """Get the sizes over which windows move."""
    shape = call.x.shape
    sizes = shape[1:-1] if _is_last(call.operation) else shape[2:]
    if None in sizes:
        raise ValueError("an input of unknown length")
    return sizes


def _pads(call, n, size, stride, dilation):
    """Compute the padding at the starts and the ends, as TensorFlow does."""
    padding = call.operation.padding
    starts, ends = [], []
    for length, k, s, d in zip(_sizes(call, n), size, stride, dilation, strict=True):
        reach = (k - 1) * d
        start = end = 0
        if padding == "causal":
            start = reach
        elif padding == "same":
            needed = max((-(-length // s) - 1) * s + reach + 1 - length, 0)
            start, end = needed // 2, needed - needed // 2
        starts.append(start)
        ends.append(end)
    return [*starts, *ends]


def _convolved(call, x, kernel, bias, groups, stride, dilation, pads):
    inputs = [x, kernel] if bias is None else [x, kernel, bias]
    return call.node(
        "Conv", *inputs, group=groups, strides=list(stride), dilations=list(dilation),
        pads=pads, kernel_shape=list(kernel.shape[2:]),
    )  # fmt: skip


def _convolution(call):
    layer = call.operation
    kernel = value_of(layer.kernel)
    n = kernel.ndim - 2
    stride, dilation = _tuple(layer.strides, n), _tuple(layer.dilation_rate, n)
    pads = _pads(call, n, kernel.shape[:n], stride, dilation)
    bias = value_of(layer.bias) if layer.use_bias else None
    kernel = np.moveaxis(kernel, [-1, -2], [0, 1])
    x = _channels_first(call, call.name(call.x), n)
    y = _convolved(call, x, kernel, bias, layer.groups, stride, dilation, pads)
    return call.activated(_channels_back(call, y, n), layer.activation)


def _depthwise_kernel(kernel):
    """Convert the kernel of a convolution of each channel by itself."""
    *size, n_in, n_each = kernel.shape
    kernel = np.moveaxis(kernel, [-2, -1], [0, 1])
    return kernel.reshape(n_in * n_each, 1, *size), n_in


def _depthwise(call):
    layer = call.operation
    kernel, n_in = _depthwise_kernel(value_of(layer.kernel))
    n = kernel.ndim - 2
    stride, dilation = _tuple(layer.strides, n), _tuple(layer.dilation_rate, n)
    pads = _pads(call, n, kernel.shape[2:], stride, dilation)
    bias = value_of(layer.bias) if layer.use_bias else None
    x = _channels_first(call, call.name(call.x), n)
    y = _convolved(call, x, kernel, bias, n_in, stride, dilation, pads)
    return call.activated(_channels_back(call, y, n), layer.activation)


def _separable(call):
    layer = call.operation
    kernel, n_in = _depthwise_kernel(value_of(layer.depthwise_kernel))
    n = kernel.ndim - 2
    stride, dilation = _tuple(layer.strides, n), _tuple(layer.dilation_rate, n)
    pads = _pads(call, n, kernel.shape[2:], stride, dilation)
    x = _channels_first(call, call.name(call.x), n)
    y = _convolved(call, x, kernel, None, n_in, stride, dilation, pads)
    kernel = np.moveaxis(value_of(layer.pointwise_kernel), [-1, -2], [0, 1])
    bias = value_of(layer.bias) if layer.use_bias else None
    y = _convolved(call, y, kernel, bias, 1, (1,) * n, (1,) * n, [0] * (2 * n))
    return call.activated(_channels_back(call, y, n), layer.activation)


# --------------------------------------------------------------------------- pooling


def _pooling(kind):
    def write(call):
        layer = call.operation
        n = len(call.x.shape) - 2
        size, stride = _tuple(layer.pool_size, n), _tuple(layer.strides, n)
        options = {"kernel_shape": list(size), "strides": list(stride)}
        options["pads"] = _pads(call, n, size, stride, (1,) * n)
        y = call.node(kind, _channels_first(call, call.name(call.x), n), **options)
        return _channels_back(call, y, n)

    return write


def _global_pooling(kind):
    def write(call):
        layer, x = call.operation, call.name(call.x)
        n = len(call.x.shape) - 2
        axes = np.arange(n) + (1 if _is_last(layer) else 2)
        keeps = int(layer.keepdims)
        if call.mask is None or kind == "ReduceMax":
            return call.node(kind, x, axes, keepdims=keeps)
        valid = call.cast(call.mask, "float32")
        valid = call.node("Unsqueeze", valid, np.array([2 if _is_last(layer) else 1]))
        total = call.node("ReduceSum", call.node("Mul", x, valid), axes, keepdims=keeps)
        count = call.node("ReduceSum", valid, axes, keepdims=keeps)
        return call.node("Div", total, count)

    return write


# --------------------------------------------------------------------- normalization


def _along(layer, values, axis, n):
    """Give values of one axis the dimensions of the input."""
    shape = [1] * n
    shape[axis] = -1
    return values.reshape(shape)


def _batch_normalization(call):
    layer, n = call.operation, len(call.x.shape)
    variance = value_of(layer.moving_variance).astype(np.float64)
    factor = 1 / np.sqrt(variance + layer.epsilon)
    if layer.scale:
        factor = factor * value_of(layer.gamma)
    factor = factor.astype(np.float32)
    mean = value_of(layer.moving_mean)
    mean, factor = (_along(layer, one, layer.axis, n) for one in (mean, factor))
    y = call.node("Mul", call.node("Sub", call.name(call.x), mean), factor)
    if layer.center:
        y = call.node("Add", y, _along(layer, value_of(layer.beta), layer.axis, n))
    return y


def _layer_normalization(call):
    layer, n = call.operation, len(call.x.shape)
    axes = [layer.axis] if isinstance(layer.axis, int) else list(layer.axis)
    axes = sorted(axis % n for axis in axes)
    if axes != list(range(axes[0], n)):
        raise ValueError(f"axis={layer.axis}, which are not the last ones")
    if getattr(layer, "rms_scaling", False):
        raise ValueError("rms_scaling=True")
    shape = [call.x.shape[axis] for axis in axes]
    gamma = value_of(layer.gamma) if layer.scale else np.ones(shape, np.float32)
    options = [value_of(layer.beta)] if layer.center else []
    return call.node(
        "LayerNormalization", call.name(call.x), gamma, *options, axis=axes[0],
        epsilon=float(layer.epsilon),
    )  # fmt: skip


def _unit_normalization(call):
    axes = np.atleast_1d(call.operation.axis)
    x = call.name(call.x)
    total = call.node("ReduceSum", call.node("Mul", x, x), axes, keepdims=1)
    total = call.node("Max", total, np.float32(1e-12))
    return call.node("Div", x, call.node("Sqrt", total))


def _rescaling(call):
    layer = call.operation
    scale, offset = (np.asarray(one, np.float32) for one in (layer.scale, layer.offset))
    return call.node("Add", call.node("Mul", call.name(call.x), scale), offset)


# ---------------------------------------------------------------------------- shapes


def _reshape(call):
    return call.reshape(call.name(call.x), call.outputs.shape)


def _flatten(call):
    if not _is_last(call.operation) and len(call.x.shape) > 2:
        raise ValueError(f"data_format={call.operation.data_format!r}")
    return _reshape(call)


def _permute(call):
    return call.node("Transpose", call.name(call.x), perm=[0, *call.operation.dims])


def _repeat_vector(call):
    x = call.node("Unsqueeze", call.name(call.x), np.array([1]))
    return call.node("Expand", x, np.array([1, call.operation.n, 1]))


def _up_sampling(call):
    n = len(call.x.shape) - 2
    if n > 1 and getattr(call.operation, "interpolation", "nearest") != "nearest":
        raise ValueError(f"interpolation={call.operation.interpolation!r}")
    is_last = n == 1 or _is_last(call.operation)
    x = call.name(call.x)
    for i, size in enumerate(_tuple(call.operation.size, n)):
        axis = i + (1 if is_last else 2)
        places = np.repeat(np.arange(call.x.shape[axis]), size)
        x = call.node("Gather", x, places, axis=axis)
    return x


def _pairs(value, n):
    if isinstance(value, int):
        return [(value, value)] * n
    value = list(value)
    if n == 1 and isinstance(value[0], int):
        return [tuple(value)]
    return [one if isinstance(one, tuple) else (one, one) for one in value]


def _zero_padding(call):
    layer = call.operation
    n = len(call.x.shape) - 2
    around = _pairs(layer.padding, n)
    is_last = getattr(layer, "data_format", "channels_last") == "channels_last"
    none = (0, 0)
    around = [none, *around, none] if is_last else [none, none, *around]
    zero = np.zeros((), np.float32)
    return call.node("Pad", call.name(call.x), padding_of(around), zero)


def _cropping(call):
    layer = call.operation
    n = len(call.x.shape) - 2
    is_last = getattr(layer, "data_format", "channels_last") == "channels_last"
    axes = np.arange(n) + (1 if is_last else 2)
    around = _pairs(layer.cropping, n)
    starts = np.array([start for start, _ in around])
    ends = [call.x.shape[a] - end for a, (_, end) in zip(axes, around, strict=True)]
    return call.node("Slice", call.name(call.x), starts, np.array(ends), axes)


# --------------------------------------------------------------------------- merging


def _tensors(call):
    return [call.name(one, call.dtype) for one in keras.tree.flatten(call.tensors)]


def _same_mask(call):
    """Pass on a mask that all inputs share."""
    masks = {call.graph.mask_of(one) for one in keras.tree.flatten(call.tensors)}
    if len(masks) > 1:
        raise ValueError("inputs with different masks")
    (call.mask_out,) = masks


def _merged(kind):
    def write(call):
        _same_mask(call)
        names = _tensors(call)
        if len({len(one.shape) for one in keras.tree.flatten(call.tensors)}) > 1:
            raise ValueError("inputs of different numbers of dimensions")
        found = names[0]
        for name in names[1:]:
            found = call.node(kind, found, name)
        return found

    return write


def _average(call):
    n = len(keras.tree.flatten(call.tensors))
    return call.node("Div", _merged("Add")(call), np.float32(n))


def _concatenate(call):
    _same_mask(call)
    return call.node("Concat", *_tensors(call), axis=call.operation.axis)


# ------------------------------------------------------------------------ activations


def _activation(call):
    return call.activated(call.name(call.x), call.operation.activation)


def _softmax(call):
    layer, x = call.operation, call.name(call.x)
    axis = layer.axis
    if not isinstance(axis, int):
        if len(axis) > 1:
            raise ValueError("a softmax over several axes")
        axis = axis[0]
    if call.mask is not None:
        is_padding = call.cast(call.node("Not", call.mask), "float32")
        x = call.node("Add", x, call.node("Mul", is_padding, np.float32(-3e38)))
    return call.node("Softmax", x, axis=axis)


def _prelu(call):
    return call.node("PRelu", call.name(call.x), value_of(call.operation.alpha))


def _lambda(call):
    layer = call.operation
    if layer.mask is not None:
        raise ValueError("a mask of its own")
    arguments = layer.arguments or {}
    return call.graph.trace(
        lambda x: layer.function(x, **arguments), [call.x], [call.name(call.x)]
    )


# --------------------------------------------------------------------------- wrappers


def _time_distributed(call):
    layer = call.operation
    _, n_steps, *rest = call.x.shape
    x = call.reshape(call.name(call.x), [None, *rest])
    spec = keras.KerasTensor((None, *rest), dtype=call.x.dtype)
    y = call.graph.trace(layer.layer, [spec], [x])[0]
    return call.reshape(y, [None, n_steps, *call.outputs.shape[2:]])


def _masking(call):
    x, value = call.name(call.x), np.float32(call.operation.mask_value)
    is_other = call.cast(call.node("Not", call.node("Equal", x, value)), "int32")
    axis = np.array([-1])
    mask = call.node("ReduceMax", is_other, axis, keepdims=1)
    call.mask_out = call.cast(call.node("Squeeze", mask, axis), "bool")
    zero = np.float32(0)
    return call.node("Where", call.cast(mask, "bool"), x, zero)


def _by_name(**writers):
    return {getattr(keras.layers, name): write for name, write in writers.items()}


# The writer of each class of layers.
LAYERS = _by_name(
    Activation=_activation,
    ActivityRegularization=_passed,
    Add=_merged("Add"),
    AlphaDropout=_passed,
    Average=_average,
    AveragePooling1D=_pooling("AveragePool"),
    AveragePooling2D=_pooling("AveragePool"),
    BatchNormalization=_batch_normalization,
    Bidirectional=bidirectional,
    Concatenate=_concatenate,
    Conv1D=_convolution,
    Conv2D=_convolution,
    Cropping1D=_cropping,
    Cropping2D=_cropping,
    Dense=_dense,
    DepthwiseConv1D=_depthwise,
    DepthwiseConv2D=_depthwise,
    Dropout=_passed,
    EinsumDense=_einsum_dense,
    ELU=lambda call: elu(call, call.name(call.x), call.operation),
    Embedding=_embedding,
    Flatten=_flatten,
    GaussianDropout=_passed,
    GaussianNoise=_passed,
    GlobalAveragePooling1D=_global_pooling("ReduceMean"),
    GlobalAveragePooling2D=_global_pooling("ReduceMean"),
    GlobalMaxPooling1D=_global_pooling("ReduceMax"),
    GlobalMaxPooling2D=_global_pooling("ReduceMax"),
    GRU=recurrent,
    Identity=_passed,
    Lambda=_lambda,
    LayerNormalization=_layer_normalization,
    LeakyReLU=lambda call: call.node(
        "LeakyRelu", call.name(call.x), alpha=float(call.operation.negative_slope)
    ),
    LSTM=recurrent,
    Masking=_masking,
    Maximum=_merged("Max"),
    MaxPooling1D=_pooling("MaxPool"),
    MaxPooling2D=_pooling("MaxPool"),
    Minimum=_merged("Min"),
    Multiply=_merged("Mul"),
    Permute=_permute,
    PReLU=_prelu,
    ReLU=lambda call: rectified(call, call.name(call.x), call.operation),
    RepeatVector=_repeat_vector,
    Rescaling=_rescaling,
    Reshape=_reshape,
    SeparableConv1D=_separable,
    SeparableConv2D=_separable,
    SimpleRNN=recurrent,
    Softmax=_softmax,
    SpatialDropout1D=_passed,
    SpatialDropout2D=_passed,
    Subtract=_merged("Sub"),
    TimeDistributed=_time_distributed,
    UnitNormalization=_unit_normalization,
    UpSampling1D=_up_sampling,
    UpSampling2D=_up_sampling,
    ZeroPadding1D=_zero_padding,
    ZeroPadding2D=_zero_padding,
)

# Layers behind which there is no mask, or that set it themselves.
ENDS_MASK = set(
    _by_name(
        **dict.fromkeys(
            (
                "Bidirectional",
                "Embedding",
                "Flatten",
                "GlobalAveragePooling1D",
                "GlobalAveragePooling2D",
                "GlobalMaxPooling1D",
                "GlobalMaxPooling2D",
                "GRU",
                "Lambda",
                "LSTM",
                "Masking",
                "MaxPooling1D",
                "AveragePooling1D",
                "Conv1D",
                "SeparableConv1D",
                "DepthwiseConv1D",
                "Permute",
                "Reshape",
                "SimpleRNN",
                "UpSampling1D",
                "ZeroPadding1D",
                "Cropping1D",
                "EinsumDense",
                "RepeatVector",
            )
        )  # fmt: skip
    )
)
