"""The layout of pickled state: bytes, large arrays, and objects of other packages.

The bytes have a text in JSON, and after it the values of small arrays. The records of
this package, such as the options of a network, and Keras objects are in the text: by
name, with their fields or their configuration. So a file names no private class, and
one of skops needs to trust the public classes of estimators alone.
"""

import hashlib
import json
import math
from collections import OrderedDict
from contextlib import contextmanager
from dataclasses import MISSING, fields, is_dataclass
from types import FunctionType

import numpy as np

# The version of the layout. A later one must read the earlier ones.
LAYOUT = 1

# Arrays with more bytes are not copied. Each costs some 600 bytes in a file of skops.
_LARGE = 2**16

_DIGEST_SIZE = 32

# The types of NumPy's scalars whose values JSON holds: all but long doubles.
_SCALARS = np.typecodes["AllInteger"] + "?efdU"

# The keys of the state.
_OF_LAYOUT = {"content", "arrays", "objects"}

# Containers are in the text, where their content is checked.
_CONTAINERS = (dict, list, tuple, set, frozenset)


def is_plain(dtype):
    """Check whether its text says all of a dtype: it has no fields and no objects."""
    try:
        return not dtype.hasobject and np.dtype(dtype.str) == dtype
    except TypeError:  # of other packages
        return False


class NeedsCode:
    """A wrapper of a value for pickles, which skops refuses.

    Parameters
    ----------
    value : object
        It is made by code that a file without code can't hold.
    place : str
        The estimator and its parameter, for messages.
    pickled : object
        What is pickled in its place, and unpickles as the value. None: the value.
    """

    def __init__(self, value, place, pickled=None):
        self.value = value
        self.place = place
        self._pickled = value if pickled is None else pickled

    def __reduce__(self):
        # Not the class itself, which skops would take for harmless.
        return _needs_code, (self._pickled, self.place)

    def __getstate__(self):
        # skops asks for it, and pickle does not.
        raise TypeError(refusal(self.place, self.value))


def _needs_code(value, place):
    return NeedsCode(value, place)


def refusal(place, value):
    """Write the message for a value that a file without code can't hold."""
    name, _, parameter = place.partition(".")
    parameter = parameter.partition("[")[0]
    return (
        f"{place} must be free of code of your own to be saved by skops, got "
        f"{value!r}. Save it with joblib, whose files run code when they are loaded; "
        f"or save a copy.deepcopy of this {name} whose {parameter!r} is None, a name, "
        f"or an object of Keras without functions."
    )


class Writer:
    """Converts the attributes of an estimator to plain state.

    Parameters
    ----------
    records : tuple of type
        The classes of this package whose attributes are in the text.
    engine : module or None
        With functions for Keras objects, such as `skseq._engine.plain`. None: there are
        none.
    """

    def __init__(self, records=(), engine=None):
        self._names = {cls: cls.__name__ for cls in records}
        self._engine = engine
        self._places, self._alive = {}, []
        self._layouts, self._small = [], []
        self._arrays, self._objects = [], []
        self._within = 0  # Keras objects and records that are being written

    def state(self, attributes, owner, versions):
        """Get the state, as a dict.

        Parameters
        ----------
        attributes : dict of str to object
        owner : str
            The name of the estimator, for messages.
        versions : dict of str to str
        """
        values = {
            name: self.write(value, f"{owner}.{name}")
            for name, value in attributes.items()
        }
        text = {
            "layout": LAYOUT,
            "versions": versions,
            "attributes": values,
            "arrays": self._layouts,
        }
        text = json.dumps(text, separators=(",", ":")).encode()
        content = len(text).to_bytes(8) + text + b"".join(self._small)
        state = {"content": _digest_of(content, self._arrays) + content}
        lists = {"arrays": self._arrays, "objects": self._objects}
        return state | {name: one for name, one in lists.items() if one}

    def write(self, value, place):
        """Convert a value to what JSON can hold."""
        kind = type(value)
        if value is None or kind in (bool, int, float, str):
            return value
        if kind is list:
            return self._items(value, place)
        if kind is tuple:
            return {"tuple": self._items(value, place)}
        if kind is dict:
            return self._dict(value, place)
        if kind is OrderedDict:  # in samplers of imbalanced-learn
            return {"ordered": self._pairs(value, place)}
        if isinstance(value, np.generic) and value.dtype.char in _SCALARS:
            return {"scalar": [value.dtype.str, value.item()]}
        if kind in (np.ndarray, np.memmap):
            return self._array(np.asarray(value), place)
        if kind in self._names:
            with _one_more(self):
                values = {
                    name: self.write(item, f"{place}.{name}")
                    for name, item in vars(value).items()
                }
            return {"record": self._names[kind], "values": values}
        return self._other(value, place)

    def _items(self, values, place):
        return [self.write(one, f"{place}[{i}]") for i, one in enumerate(values)]

    def _dict(self, value, place):
        if self._engine is not None and self._engine.is_unsafe(value):
            return self._other(value, place)
        if all(type(key) is str for key in value):
            items = {k: self.write(v, f"{place}[{k!r}]") for k, v in value.items()}
            return {"dict": items}
        return {"pairs": self._pairs(value, place)}

    def _pairs(self, value, place):
        return [
            [self.write(k, place), self.write(v, f"{place}[{k!r}]")]
            for k, v in value.items()
        ]

    def _array(self, array, place):
        if array.dtype.kind == "O":
            items = self._items(array.ravel().tolist(), place)
            return {"objects": [list(array.shape), items]}
        if not is_plain(array.dtype):
            return self._object(NeedsCode(array, place))
        n_known = len(self._places)
        place = self._place_of(array, self._layouts)
        if len(self._places) > n_known:
            is_large = array.nbytes > _LARGE
            self._layouts[place] = [array.dtype.str, list(array.shape), is_large]
            if is_large:
                self._arrays.append(array)
            else:
                self._small.append(array.tobytes())
        return {"array": place}

    def _other(self, value, place):
        if self._engine is not None:
            with _one_more(self):
                found = self._engine.write(value, self, place)
            if found is not None:
                return found
            pickled = self._engine.pickled(value)
            if pickled is not None:
                return self._object(NeedsCode(value, place, pickled))
        if self._within or isinstance(value, (FunctionType, type, *_CONTAINERS)):
            return self._object(NeedsCode(value, place))
        return self._object(value)

    def _object(self, value):
        return {"object": self._place_of(value, self._objects)}

    def _place_of(self, value, values):
        # What is one array or object stays one. An id is for an object that is alive.
        if id(value) not in self._places:
            self._alive.append(value)
            self._places[id(value)] = len(values)
            values.append(value)
        return self._places[id(value)]


class Reader:
    """Converts plain state back to the attributes of an estimator.

    A text from anywhere makes nothing but numbers, strings, containers, the records,
    and Keras objects that run no code of others.
    """

    def __init__(self, records=(), engine=None):
        self._records = {cls.__name__: cls for cls in records}
        self._engine = engine
        self._within = 0  # Keras objects and records that are being read

    def content(self, state):
        """Get the attributes and the versions that wrote them, as two dicts.

        Raises
        ------
        ValueError
            If the state is damaged.
        """
        if "content" not in state:  # of a version before 0.6
            attributes = dict(state)
            versions = attributes.pop("_versions", {})
            self._check_all(attributes)
            return attributes, versions
        digest, content = (
            state["content"][:_DIGEST_SIZE],
            state["content"][_DIGEST_SIZE:],
        )
        large, self._objects = state.get("arrays", []), state.get("objects", [])
        if _digest_of(content, large) != digest:
            raise ValueError("its digest must be that of its content, got another.")
        end = 8 + int.from_bytes(content[:8])
        text = json.loads(content[8:end])
        if text["layout"] != LAYOUT:
            raise ValueError(f"its layout must be {LAYOUT}, got {text['layout']}.")
        self._arrays = list(_arrays(text["arrays"], content[end:], iter(large)))
        attributes = {k: self.read(v) for k, v in text["attributes"].items()}
        # What a subclass has added to the state.
        added = {k: v for k, v in state.items() if k not in _OF_LAYOUT}
        self._check_all(added)
        return attributes | added, text["versions"]

    def read(self, one):
        """Convert what JSON holds to a value."""
        if type(one) is list:
            return [self.read(item) for item in one]
        if type(one) is not dict:
            return one
        kind, content = next(iter(one.items()))
        if kind not in _READ:
            raise ValueError(f"its values must be of a known kind, got {kind!r}.")
        return getattr(self, f"_read_{kind}")(content, one)

    def _read_tuple(self, content, _):
        return tuple(self.read(content))

    def _read_dict(self, content, _):
        return self._checked({name: self.read(one) for name, one in content.items()})

    def _read_pairs(self, content, _):
        return self._checked({self.read(key): self.read(one) for key, one in content})

    def _read_ordered(self, content, one):
        return OrderedDict(self._read_pairs(content, one))

    def _checked(self, value):
        if self._engine is not None and self._engine.is_unsafe(value):
            raise _not_of_keras(value)
        return value

    def _check_all(self, value):
        """Check the configurations in a value, and in the containers in it."""
        if isinstance(value, dict):
            if self._engine is not None and self._engine.is_refused(value):
                raise _not_of_keras(value)
            value = list(value.values())
        if isinstance(value, np.ndarray) and value.dtype.hasobject:
            value = value.ravel().tolist()
        if isinstance(value, list | tuple):
            for one in value:
                self._check_all(one)

    def _read_scalar(self, content, _):
        dtype, value = content
        return np.dtype(dtype).type(value)

    def _read_array(self, content, _):
        return self._arrays[content]

    def _read_objects(self, content, _):
        shape, items = content
        array = np.empty(len(items), object)
        for i, item in enumerate(items):
            array[i] = self.read(item)
        return array.reshape(shape)

    def _read_object(self, content, _):
        value = self._objects[content]
        if isinstance(value, NeedsCode):  # from a pickle
            return value.value
        # Keras would look into any object that can be iterated, unchecked.
        if self._within or isinstance(value, (*_CONTAINERS, np.ndarray)):
            raise ValueError(
                f"its objects must be no containers, and no part of a record or of a "
                f"Keras object, got {value!r}."
            )
        return value

    def _read_record(self, content, one):
        cls = self._records[content]
        with _one_more(self):
            values = {name: self.read(item) for name, item in one["values"].items()}
        if is_dataclass(cls):
            _check_fields(cls, values)
        record = object.__new__(cls)
        vars(record).update(values)
        return record

    def _read_keras(self, content, one):
        if self._engine is None:
            raise ValueError(f"it must have no objects of Keras, got {content!r}.")
        with _one_more(self):
            return self._engine.read(one, self)


_READ = {
    name.removeprefix("_read_") for name in vars(Reader) if name.startswith("_read_")
}


@contextmanager
def _one_more(converter):
    """Count a Keras object or record while its parts are converted."""
    converter._within += 1
    try:
        yield
    finally:
        converter._within -= 1


def _not_of_keras(value):
    return ValueError(f"a configuration must be of Keras' own classes, got {value!r}.")


def _check_fields(cls, values):
    """Raise unless values have names of fields, and all that have no default."""
    known = {field.name: field.default is MISSING for field in fields(cls)}
    wrong = [name for name in values if name not in known]
    wrong += [name for name, needed in known.items() if needed and name not in values]
    if wrong:
        raise ValueError(f"{cls.__name__} must have its fields, got {wrong} amiss.")


def _arrays(layouts, values, large):
    """Make each array of its dtype, shape and values."""
    start = 0
    for dtype, shape, is_large in layouts:
        if is_large:
            yield next(large)
            continue
        dtype = np.dtype(dtype)
        size = math.prod(shape) * dtype.itemsize
        part = values[start : start + size]
        start += size
        yield np.frombuffer(part, dtype).reshape(shape).copy()


def _digest_of(content, arrays):
    """Compute a hash of bytes and of arrays, with their dtypes and shapes."""
    found = hashlib.sha256(content)
    for array in arrays:
        found.update(f"{array.dtype.str}{array.shape}".encode())
        found.update(np.ascontiguousarray(array).view(np.uint8).reshape(-1).data)
    return found.digest()
