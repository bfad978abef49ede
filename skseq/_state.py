"""The layout of pickled state: a text in JSON, arrays, and objects of other packages.

The records of this package, such as the options of a network, and Keras objects are in
the text: by name, with their fields or their configuration. So a file names no private
class, and one of skops needs to trust the public classes of estimators alone.
"""

import hashlib
import json
from dataclasses import MISSING, fields, is_dataclass
from types import FunctionType

import numpy as np

# The version of the layout. A later one must read the earlier ones.
LAYOUT = 1

# Containers are in the text, where their content is checked.
_CONTAINERS = (dict, list, tuple, set, frozenset)


class NeedsCode:
    """A wrapper of a value for pickles, which skops refuses.

    Parameters
    ----------
    value : object
        It is made by code that a file without code can't hold.
    place : str
        The estimator and its parameter, for messages.
    """

    def __init__(self, value, place):
        self.value = value
        self.place = place

    def __reduce__(self):
        return NeedsCode, (self.value, self.place)

    def __getstate__(self):
        # skops asks for it, and pickle does not.
        raise TypeError(refusal(self.place, self.value))


def refusal(place, value):
    """Write the message for a value that a file without code can't hold."""
    name, _, parameter = place.partition(".")
    parameter = parameter.partition("[")[0]
    return (
        f"{place} must be free of code of your own to be saved by skops, got "
        f"{value!r}. Use joblib, whose files run code when they are loaded; or save a "
        f"copy.deepcopy of this {name} in which {parameter!r} is a name, numbers, or "
        f"an object of Keras without functions."
    )


class Writer:
    """Converts the attributes of an estimator to plain state.

    Parameters
    ----------
    records : tuple of type
        The classes of this package whose attributes are in the text.
    keras : module or None
        With the functions ``write`` and ``wrapped`` for Keras objects. None: there are
        none.
    """

    def __init__(self, records=(), keras=None):
        self._names = {cls: cls.__name__ for cls in records}
        self._keras = keras
        self._places = {}
        self.arrays, self.objects = [], []

    def state(self, attributes, owner):
        """Get the state, as a dict.

        Parameters
        ----------
        attributes : dict of str to object
        owner : str
            The name of the estimator, for messages.
        """
        content = {
            name: self.write(value, f"{owner}.{name}")
            for name, value in attributes.items()
        }
        text = json.dumps(content, separators=(",", ":"))
        return {
            "layout": LAYOUT,
            "content": text,
            "arrays": self.arrays,
            "objects": self.objects,
            "digest": digest_of(text, self.arrays),
        }

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
        is_number = isinstance(value, np.generic) and value.dtype.kind in "biuf"
        if is_number and value.dtype.itemsize <= 8:
            return {"scalar": [value.dtype.str, value.item()]}
        if kind in (np.ndarray, np.memmap):
            return self._array(np.asarray(value), place)
        if kind in self._names:
            values = {
                name: self.write(item, f"{place}.{name}")
                for name, item in vars(value).items()
            }
            return {"record": self._names[kind], "values": values}
        return self._other(value, place)

    def _items(self, values, place):
        return [self.write(one, f"{place}[{i}]") for i, one in enumerate(values)]

    def _dict(self, value, place):
        if self._keras is not None and self._keras.is_unsafe(value):
            return self._other(value, place)
        if all(type(key) is str for key in value):
            items = {k: self.write(v, f"{place}[{k!r}]") for k, v in value.items()}
            return {"dict": items}
        pairs = [
            [self.write(k, place), self.write(v, f"{place}[{k!r}]")]
            for k, v in value.items()
        ]
        return {"pairs": pairs}

    def _array(self, array, place):
        if array.dtype.kind == "O":
            items = self._items(array.ravel().tolist(), place)
            return {"objects": [list(array.shape), items]}
        if array.dtype.hasobject:
            return self._object(array)
        return {"array": self._place_of(array, self.arrays)}

    def _other(self, value, place):
        if self._keras is not None:
            found = self._keras.write(value, self, place)
            if found is not None:
                return found
            wrapped = self._keras.wrapped(value)
            if wrapped is not value:
                return self._object(NeedsCode(wrapped, place))
        if isinstance(value, (FunctionType, type, *_CONTAINERS)):
            return self._object(NeedsCode(value, place))
        return self._object(value)

    def _object(self, value):
        return {"object": self._place_of(value, self.objects)}

    def _place_of(self, value, values):
        # What is one array or object stays one.
        if id(value) not in self._places:
            self._places[id(value)] = len(values)
            values.append(value)
        return self._places[id(value)]


class Reader:
    """Converts plain state back to the attributes of an estimator.

    A text from anywhere makes nothing but numbers, strings, containers, the records,
    and Keras objects that run no code of others.
    """

    def __init__(self, records=(), keras=None):
        self._records = {cls.__name__: cls for cls in records}
        self._keras = keras

    def attributes(self, state):
        """Get the attributes, as a dict.

        Raises
        ------
        ValueError
            If the state is damaged.
        """
        if "layout" not in state:  # of a version before 0.6
            self._check_all(state)
            return state
        if state.get("layout") != LAYOUT:
            raise ValueError(f"its layout must be {LAYOUT}, got {state.get('layout')}.")
        text, self._arrays, self._objects = (
            state[name] for name in ("content", "arrays", "objects")
        )
        if digest_of(text, self._arrays) != state["digest"]:
            raise ValueError("its digest must be that of its content, got another.")
        return {name: self.read(one) for name, one in json.loads(text).items()}

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

    def _checked(self, value):
        if self._keras is not None and self._keras.is_unsafe(value):
            raise ValueError(
                f"a configuration must be of Keras' own classes, got {value!r}."
            )
        return value

    def _check_all(self, value):
        """Check the configurations in a value, and in the containers in it."""
        if isinstance(value, dict):
            self._checked(value)
            value = list(value.values())
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
        array[:] = self.read(items)
        return array.reshape(shape)

    def _read_object(self, content, _):
        value = self._objects[content]
        if isinstance(value, NeedsCode):  # from a pickle
            return value.value
        if isinstance(value, _CONTAINERS):
            raise ValueError(f"its objects must be no containers, got {value!r}.")
        return value

    def _read_record(self, content, one):
        cls = self._records[content]
        values = {name: self.read(item) for name, item in one["values"].items()}
        if is_dataclass(cls):
            _check_fields(cls, values)
        record = object.__new__(cls)
        vars(record).update(values)
        return record

    def _read_keras(self, content, one):
        if self._keras is None:
            raise ValueError(f"it must have no objects of Keras, got {content!r}.")
        return self._keras.read(one, self)


_READ = {
    name.removeprefix("_read_") for name in vars(Reader) if name.startswith("_read_")
}


def _check_fields(cls, values):
    """Raise unless values have names of fields, and all that have no default."""
    known = {field.name: field.default is MISSING for field in fields(cls)}
    wrong = [name for name in values if name not in known]
    wrong += [name for name, needed in known.items() if needed and name not in values]
    if wrong:
        raise ValueError(f"{cls.__name__} must have its fields, got {wrong} amiss.")


def digest_of(text, arrays):
    """Compute a hash of a text and of arrays, with their dtypes and shapes."""
    found = hashlib.sha256(text.encode())
    for array in arrays:
        found.update(f"{array.dtype.str}{array.shape}".encode())
        found.update(np.ascontiguousarray(array).view(np.uint8).reshape(-1).data)
    return found.hexdigest()
