"""The file in which a fit keeps where it is, so that the same call can go on.

The name of the file is a hash of all that determines the result: the recipe, the first
weights, the rows, the schedule, callbacks, and versions. So no fit reads the file of
another one, and many fits can share a folder.
"""

import contextlib
import errno
import hashlib
import inspect
import math
import os
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import sklearn

from skseq._engine import path
from skseq._engine.fingerprints import fingerprint
from skseq._engine.keras import is_keras, keras, tf
from skseq._engine.private import choose_comparison
from skseq._engine.recipe import Recipe
from skseq._engine.records import NotPlainError, check_plain, from_bytes, to_bytes
from skseq._engine.reports import EpochReports
from skseq._lazy_array import LazyRows

# With "auto", writing takes at most this share of the time, and nothing is written in
# the first second.
_SHARE = 0.05
_LEAST_SECONDS = 1.0

# A temporary file this old was left behind, also on another machine.
_LEFT_BEHIND_SECONDS = 86_400

# The bytes of an array that are hashed at once.
_BLOCK_BYTES = 2**22

# What Keras sets in a callback for each fit; the last one depends on the log's file.
_OF_KERAS = {"params", "_model", "validation_data", "append_header"}


class Checkpoint:
    """Reads and writes the file of one fit.

    Parameters
    ----------
    folder : str or path
    title : str
        The start of the file's name.
    every : int or "auto"
        Epochs between two writes. ``"auto"``: as many as take 20 times as long as a
        write, and at least a second.
    parts : object
        What determines the result, besides the arguments of `find`.
    """

    def __init__(self, folder, title, every, parts):
        self._folder = Path(folder)
        self._title = title
        self._every = every
        self._parts = parts
        self._file = self._earlier = self._key = None
        self._cost = 0.0
        self._written = time.monotonic()
        self._begun = []

    # -------------------------------------------------------------------- the file

    def find(self, recipe, state, rows, schedule, watch):
        """Find the file of a fit; the arguments are those of `skseq._engine.train`.

        Returns
        -------
        record : dict or None
            What was written last, or None for a new fit.
        """
        determined_by = (
            [module.__version__ for module in (keras, tf, np, sklearn)],
            path.chosen_jit_compile(),
            self._parts,
            recipe,
            state,
            rows,
            {k: v for k, v in vars(schedule).items() if k not in _SHOWN},
            [_callback_key(callback) for callback in schedule.callbacks],
            # The function that computes the score is made from `parts`.
            watch and {k: v for k, v in vars(watch).items() if k != "score"},
        )
        self._key = _Digest().of(determined_by).hex()
        self._file = self._folder / f"{self._title}-{self._key}.checkpoint"
        self._earlier = self._file.with_suffix(".earlier")
        self._make_folder()
        self._remove_left_behind()
        for file in (self._file, self._earlier):
            record = self._read(file)
            if record is not None:
                if record["finished"]:  # a killed process may have left the one before
                    self._remove_earlier()
                return record
        return None

    def _make_folder(self):
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            # To find out before training whether files can be written.
            handle, name = self._temporary()
            os.close(handle)
            os.unlink(name)
        except OSError as error:
            if isinstance(error, FileExistsError | NotADirectoryError):
                what = "must be a folder, got the path of a file or inside of one"
            else:
                what = f"must be a folder that can be written to, got {error.strerror}"
            raise type(error)(
                error.errno, f"checkpoint={str(self._folder)!r} {what}."
            ) from error

    def _temporary(self):
        prefix = f"{self._file.stem}.{os.getpid()}-"
        return tempfile.mkstemp(".tmp", prefix, self._folder)

    def _remove_left_behind(self):
        """Remove temporary files of processes that were killed."""
        for file in self._folder.glob(f"{self._file.stem}.*.tmp"):
            with contextlib.suppress(OSError, ValueError):
                pid = int(file.name.split(".")[1].partition("-")[0])
                age = time.time() - file.stat().st_mtime
                if age > _LEFT_BEHIND_SECONDS or not _is_running(pid):
                    file.unlink()

    def _read(self, file):
        """Read a file; return None, with a warning, if it is damaged."""
        try:
            record = from_bytes(file.read_bytes())
            if record["key"] != self._key:
                raise ValueError("it belongs to another fit")
        except FileNotFoundError:
            return None
        except OSError as error:
            raise type(error)(
                error.errno,
                f"checkpoint={str(self._folder)!r} has a file that can't be read, "
                f"{file.name}: {error.strerror}. Make it readable, or delete it.",
            ) from error
        except ValueError as error:
            is_last = file == self._earlier or not self._earlier.exists()
            then = (
                "begins from the start" if is_last else "continues from the file before"
            )
            warnings.warn(
                f"The checkpoint {str(file)!r} is damaged: {error}. The fit {then}.",
                UserWarning,
                stacklevel=2,
            )
            # It must not take the place of the good one before.
            with contextlib.suppress(OSError):
                file.unlink()
            return None
        return record

    def is_due(self, n_epochs):
        """Check whether to write, after a number of epochs."""
        if self._every != "auto":
            return n_epochs % self._every == 0
        waited = time.monotonic() - self._written
        return waited >= max(self._cost * (1 / _SHARE - 1), _LEAST_SECONDS)

    def write(self, record, *, finished):
        """Replace the file as a whole, and keep the one before until the fit ends.

        Parameters
        ----------
        record : dict
        finished : bool
        """
        start = time.monotonic()
        record = {**record, "key": self._key, "finished": finished}
        try:
            content = to_bytes(record)
        except NotPlainError as error:
            raise TypeError(
                f"checkpoint needs logs of numbers and strings, got a "
                f"{type(error.value).__name__} from a callback: {error.value!r}. "
                f"Convert it to a float, or leave out checkpoint."
            ) from error
        try:
            try:
                self._replace(content)
            except FileNotFoundError:  # another process has removed the folder or file
                self._folder.mkdir(parents=True, exist_ok=True)
                self._replace(content)
        except OSError as error:
            raise self._explained(error) from error
        if finished:
            self._remove_earlier()
        self._written = time.monotonic()
        self._cost = self._written - start

    def _remove_earlier(self):
        with contextlib.suppress(OSError):
            self._earlier.unlink(missing_ok=True)

    def _replace(self, content):
        handle, name = self._temporary()
        try:
            with open(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            # Absent at the first time, and where the same call runs twice at once.
            with contextlib.suppress(FileNotFoundError):
                os.replace(self._file, self._earlier)
            os.replace(name, self._file)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(name)
            raise
        # The names too, which a loss of power may undo, where a folder can be synced.
        with contextlib.suppress(OSError):
            folder = os.open(self._folder, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

    def _explained(self, error):
        """Make an error about a write that failed, of the same class."""
        remedy = "Make sure that the folder can be written to"
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            remedy = "Free space on the disk"
        return type(error)(
            error.errno,
            f"checkpoint={str(self._folder)!r} can't be written: {error.strerror}. "
            f"{remedy}, and call fit again: it goes on from the last checkpoint that "
            f"was written.",
        )

    # ------------------------------------------------------------------- callbacks

    def begin(self, callbacks):
        """Note the callbacks' attributes at the start, and raise if one can't be kept.

        Parameters
        ----------
        callbacks : list of keras.callbacks.Callback
            After ``on_train_begin``.
        """
        self._begun = [dict(vars(callback)) for callback in callbacks]
        self.attributes_of(callbacks)

    def attributes_of(self, callbacks):
        """Collect the attributes of each callback that are plain values."""
        return [
            _plain_attributes(callback, begun)
            for callback, begun in zip(callbacks, self._begun, strict=True)
        ]


# The fields of a schedule that have no effect on the result, or are hashed apart.
_SHOWN = {"callbacks", "verbose", "title"}


def _is_running(pid):
    if os.name != "posix":
        return True  # where signal 0 is not only a question
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass
    return True


def _is_code(value):
    """Check whether a value is a function, a class or a module."""
    checks = inspect.isroutine, inspect.isclass, inspect.ismodule
    return any(check(value) for check in checks) or isinstance(value, np.ufunc)


def _plain_attributes(callback, begun):
    """Collect the attributes of a callback that are plain values.

    Functions, classes and modules are code, and stay as they were at the start. So do
    all objects in Keras' own callbacks, such as open files.
    """
    if isinstance(callback, EpochReports):
        raise ValueError(
            "checkpoint can't be used with the callback of skseq.search.prune: a study "
            "that was stopped continues from its storage. Leave out one of the two."
        )
    plain = {}
    for name, value in vars(callback).items():
        if name in _OF_KERAS:
            continue
        try:
            check_plain(value)
        except NotPlainError as error:
            is_same = _is_code(value) and value is begun.get(name)
            if is_same or is_keras(type(callback)) or name == "monitor_op":
                continue
            raise TypeError(
                f"checkpoint needs callbacks whose attributes are numbers, strings, "
                f"NumPy arrays, lists, tuples, dicts and sets of those, or functions "
                f"that don't change, got {type(callback).__name__}.{name} with a "
                f"{type(error.value).__name__}. Keep what the callback has to remember "
                f"in such attributes, or leave out checkpoint."
            ) from error
        plain[name] = value
    return plain


def put_attributes(callbacks, attributes, *, goes_on):
    """Set the attributes of callbacks that were kept.

    Parameters
    ----------
    callbacks : list of keras.callbacks.Callback
    attributes : list of dict
    goes_on : bool
        Whether the callbacks will be called again.
    """
    for callback, plain in zip(callbacks, attributes, strict=True):
        if goes_on and "monitor_op" not in plain:
            choose_comparison(callback)
        vars(callback).update(plain)


def reopen_files(callbacks, n_epochs):
    """Let Keras' CSVLogger write on after the rows of the first epochs.

    By itself it would start a new file. Called before ``on_train_begin``.
    """
    for callback in callbacks:
        is_logger = isinstance(callback, keras.callbacks.CSVLogger)
        if not is_logger or not os.path.exists(callback.filename):
            continue
        with open(callback.filename, "rb+") as file:
            lines = file.readlines()
            after = math.inf
            while lines[1:]:
                epoch = _epoch_of(lines[-1], callback.sep)
                # The rows before are of this fit, or of an earlier one.
                if epoch < n_epochs or after <= epoch < math.inf:
                    break
                after = epoch
                lines.pop()
            file.truncate(sum(map(len, lines)))
        callback.append = True


def _epoch_of(line, separator):
    """Get the epoch of a line of a log; infinity if the line is not whole."""
    epoch = line.partition(separator.encode())[0]
    return int(epoch) if line.endswith(b"\n") and epoch.isdigit() else math.inf


def _callback_key(callback):
    """Collect what determines the effects of a callback."""
    _plain_attributes(callback, vars(callback))  # raises if one can't be kept
    attributes = {k: v for k, v in vars(callback).items() if k not in _OF_KERAS}
    return type(callback), attributes


# ------------------------------------------------------------------------- hashes


def _unknown(value):
    raise ValueError(
        f"checkpoint needs functions and objects with a content that can be compared "
        f"between calls, got {value!r}, which refers to something that can't be "
        f"pickled. Leave that out, or leave out checkpoint."
    )


class _Digest:
    """Hashes values by their content, arrays in blocks.

    An array that is used twice is read once.
    """

    def __init__(self):
        self._known = {}

    def of(self, value):
        """Compute the hash, as bytes."""
        if isinstance(value, np.dtype):
            return _hashed(value.str.encode())
        # Classes and scalars of NumPy have a shape too.
        is_indexed = hasattr(value, "shape") and hasattr(value, "__getitem__")
        if is_indexed and not isinstance(value, type | np.generic):
            return self._of_rows(value)
        if isinstance(value, dict):
            parts = ["dict", *(part for item in value.items() for part in item)]
        elif type(value) in (list, tuple):
            parts = [type(value).__name__, *value]
        elif isinstance(value, set | frozenset):
            return _hashed(b"set", *sorted(map(self.of, value)))
        elif _is_own(value):
            parts = [type(value).__qualname__, *sorted(vars(value).items())]
        else:
            return _hashed(repr(fingerprint(value, _unknown)).encode())
        return _hashed(*map(self.of, parts))

    def _of_rows(self, X):
        if id(X) not in self._known:
            # With the object, whose id another one gets after its end.
            self._known[id(X)] = X, self._read(X)
        return self._known[id(X)][1]

    def _read(self, X):
        if isinstance(X, LazyRows):
            parts = [X.dtype, X.row_shape, X.array.index]
            return _hashed(self.of(parts), _of_blocks(X.array.data))
        if _is_own(X):  # windows over a table, and rows with padding
            return self.of([type(X).__qualname__, *sorted(vars(X).items())])
        if not len(X.shape):
            X = np.reshape(X, (1,))
        if np.dtype(X.dtype).hasobject:
            return self.of(["objects", X.shape, np.asarray(X).tolist()])
        return _of_blocks(X)


def _of_blocks(X):
    """Hash an array, or a dataset of a file, in blocks of rows."""
    dtype = np.dtype(X.dtype)
    found = hashlib.blake2b(f"{dtype.str} {tuple(X.shape)}".encode())
    row_bytes = max(math.prod(X.shape[1:]) * dtype.itemsize, 1)
    n_rows = max(_BLOCK_BYTES // row_bytes, 1)
    for start in range(0, X.shape[0], n_rows):
        block = np.ascontiguousarray(X[start : start + n_rows])
        found.update(block.reshape(-1).view(np.uint8))
    return found.digest()


def _hashed(*parts):
    found = hashlib.blake2b(digest_size=16)
    for part in parts:
        found.update(len(part).to_bytes(8, "little") + part)
    return found.digest()


def _is_own(value):
    """Check whether a value is an object of this package, other than a recipe."""
    if not hasattr(value, "__dict__") or isinstance(value, Recipe):
        return False
    return type(value).__module__.split(".")[0] == "skseq"
