"""Masks of sequences as operators of ONNX.

A mask is the name of a tensor of bool of shape (n_samples, n_timesteps). For the
``writer`` see `skseq._engine.onnx_graph`.
"""

import numpy as np

_BOOL, _INT32, _INT64 = 9, 6, 7


def lengths_of(writer, mask):
    """Count the valid timesteps of each row, as int32."""
    valid = writer.node("Cast", mask, to=_INT32)
    return writer.node("ReduceSum", valid, np.array([1]), keepdims=0)


def places_of(writer, mask):
    """Get the place of each valid timestep among them; -1 before the first one."""
    valid = writer.node("Cast", mask, to=_INT64)
    return writer.node("Sub", writer.node("CumSum", valid, np.int64(1)), np.int64(1))


def order_of(writer, mask):
    """Get the timesteps in the order in which valid ones come first."""
    valid = writer.node("Cast", mask, to=_INT64)
    ones = writer.node("Add", writer.node("Mul", valid, np.int64(0)), np.int64(1))
    steps = writer.node("CumSum", ones, np.int64(1))
    last = writer.node("Mul", writer.node("Sub", ones, valid), np.int64(2**40))
    n_steps = writer.node("Gather", writer.node("Shape", mask), np.array([1]), axis=0)
    keys = writer.node("Add", steps, last)
    return writer.node("TopK", keys, n_steps, n_outputs=2, axis=1, largest=0)[1]


def taken(writer, x, places):
    """Take timesteps of each row.

    Parameters
    ----------
    x : str
        Of shape (n_samples, n_timesteps, n_features).
    places : str
        Of int64, of shape (n_samples, n_places).
    """
    size = writer.node("Gather", writer.node("Shape", x), np.array([2]), axis=0)
    shape = writer.node("Concat", writer.node("Shape", places), size, axis=0)
    places = writer.node("Unsqueeze", places, np.array([2]))
    places = writer.node("Expand", places, shape)
    return writer.node("GatherElements", x, places, axis=1)


def factors_of(writer, mask):
    """Get 1 for each valid timestep and 0 for padding, with an axis of features."""
    valid = writer.node("Cast", mask, to=1)
    return writer.node("Unsqueeze", valid, np.array([2]))
