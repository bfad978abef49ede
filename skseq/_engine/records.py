"""Plain values and arrays as bytes with a checksum, with NumPy alone.

Reading them runs no code: the bytes are those of an ``.npz`` file without pickles,
which holds the arrays, and everything else as JSON.
"""

import hashlib
import io
import json
from collections import deque

import numpy as np

from skseq._state import is_plain

_MAGIC = b"skseq record 1\n"
_N_DIGEST = 32

# Containers, by the name in a record. A list is one of JSON.
_CONTAINERS = {
    kind.__name__: kind for kind in (tuple, set, frozenset, deque, bytes, bytearray)
}


class NotPlainError(TypeError):
    """A value is neither plain nor an array.

    Attributes
    ----------
    value : object
        The value, or the item of a container.
    """

    def __init__(self, value):
        super().__init__(f"{type(value)!r} is no plain value")
        self.value = value


def _encoded(value, arrays):
    """Convert a value to what JSON can hold; arrays are appended to a list."""
    kind = type(value)
    if value is None or kind in (bool, int, float, str):
        return value
    if kind is list:
        return [_encoded(item, arrays) for item in value]
    if kind is dict:
        items = [[_encoded(one, arrays) for one in item] for item in value.items()]
        return {"dict": items}
    if kind.__name__ in _CONTAINERS and kind is _CONTAINERS[kind.__name__]:
        content = {kind.__name__: [_encoded(item, arrays) for item in value]}
        if kind is deque:
            content["maxlen"] = value.maxlen
        return content
    is_scalar = isinstance(value, np.generic)
    if (kind is np.ndarray or is_scalar) and is_plain(value.dtype):
        arrays.append(np.asarray(value))
        return {"scalar" if is_scalar else "array": len(arrays) - 1}
    raise NotPlainError(value)


def _decoded(value, arrays):
    if isinstance(value, list):
        return [_decoded(item, arrays) for item in value]
    if not isinstance(value, dict):
        return value
    kind, content = next(iter(value.items()))
    if kind == "dict":
        return {_decoded(k, arrays): _decoded(item, arrays) for k, item in content}
    if kind == "array":
        return arrays[str(content)]
    if kind == "scalar":
        return arrays[str(content)][()]
    options = {"maxlen": value["maxlen"]} if kind == "deque" else {}
    return _CONTAINERS[kind](_decoded(content, arrays), **options)


def check_plain(value):
    """Raise `NotPlainError` unless a value can be part of a record."""
    _encoded(value, [])


def to_bytes(value):
    """Convert a value to bytes.

    Parameters
    ----------
    value : object
        None, a bool, number, string or bytes, an array or scalar of NumPy, or a list,
        tuple, dict, set or deque of those.

    Returns
    -------
    content : bytes

    Raises
    ------
    NotPlainError
        For anything else.
    """
    arrays = []
    text = json.dumps(_encoded(value, arrays)).encode()
    file = io.BytesIO()
    numbered = {str(i): array for i, array in enumerate(arrays)}
    np.savez(file, text=np.frombuffer(text, np.uint8), **numbered)
    content = file.getvalue()
    return b"".join([_MAGIC, hashlib.sha256(content).digest(), content])


def from_bytes(content):
    """Convert the result of `to_bytes` back to the value.

    Raises
    ------
    ValueError
        If a byte has changed or is missing.
    """
    start = len(_MAGIC) + _N_DIGEST
    digest = content[len(_MAGIC) : start]
    if not content.startswith(_MAGIC):
        raise ValueError("it is no record of this version")
    if hashlib.sha256(memoryview(content)[start:]).digest() != digest:
        raise ValueError("its checksum differs")
    try:
        with np.load(io.BytesIO(content[start:]), allow_pickle=False) as arrays:
            return _decoded(json.loads(arrays["text"].tobytes()), arrays)
    except (AttributeError, KeyError, TypeError, StopIteration) as error:
        raise ValueError(f"its content is that of no record, {error!r}") from error
