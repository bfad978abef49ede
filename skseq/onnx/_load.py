"""`load`: predictions of a model of ONNX, with NumPy and onnxruntime alone."""

from __future__ import annotations

import json
import os
import re
import unicodedata
from typing import Any

import numpy as np

_TYPES = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(int64)": np.int64,
    "tensor(string)": object,
}


# The largest token id of networks, which read ids in float32.
_LARGEST_ID = 2**24 - 1


def load(
    path: str | os.PathLike | bytes | Any, *, n_threads: int | None = None
) -> OnnxModel:
    """Load a model that was written by `to_onnx`.

    Parameters
    ----------
    path : str, os.PathLike, bytes or onnx.ModelProto
        The file, its content, or the result of `to_onnx`.
    n_threads : int or None, default=None
        Number of threads of onnxruntime for a call. None: one for each processor core.

    Returns
    -------
    model : OnnxModel
        The model, with the methods of the estimator.

    Raises
    ------
    FileNotFoundError
        If the file does not exist.
    ImportError
        If onnxruntime is not installed.
    ValueError
        If the file was not written by `to_onnx`, or onnxruntime can't read it.

    See Also
    --------
    to_onnx : Writes the model; contains an example.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise ImportError(
            f"load needs onnxruntime: pip install onnxruntime. Got: {error}"
        ) from error
    if hasattr(path, "SerializeToString"):
        content, name = path.SerializeToString(), "the model"
    elif isinstance(path, bytes):
        content, name = path, "the content"
    else:
        name = os.fspath(path)
        with open(path, "rb") as file:
            content = file.read()
    try:
        session = session_of(content, n_threads)
    except Exception as error:  # which onnxruntime has no public classes for
        raise ValueError(
            f"path must be a model that skseq.onnx.to_onnx has written, got {name}, "
            f"which onnxruntime {onnxruntime.__version__} can't read: {error}"
        ) from error
    entries = session.get_modelmeta().custom_metadata_map
    if "skseq" not in entries:
        raise ValueError(
            f"path must be a model that skseq.onnx.to_onnx has written, got {name}, "
            f"another model of ONNX. Use onnxruntime.InferenceSession for it."
        )
    return OnnxModel(session, json.loads(entries["skseq"]))


def session_of(content, n_threads=None):
    """Make a session of onnxruntime from the content of a file."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    if n_threads is not None:
        options.intra_op_num_threads = n_threads
    return onnxruntime.InferenceSession(
        content, options, providers=["CPUExecutionProvider"]
    )


class OnnxModel:
    """ONNX model with the prediction methods of the original estimator.

    `load` returns such an object. Its methods depend on the estimator. Classifier:
    ``predict`` and ``predict_proba``. Regressor: ``predict``, and ``predict_quantiles``
    if it was fitted with ``loss="quantile"``. Autoencoder: ``transform``,
    ``reconstruct`` and ``score_samples``. Outlier detector: ``predict``,
    ``decision_function`` and ``score_samples``. Transformer: ``transform``.

    Attributes
    ----------
    kind : {"classifier", "regressor", "autoencoder", "detector", "transformer"}
        The kind of the original estimator.
    classes_ : ndarray of shape (n_classes,)
        Class labels. Only of a classifier.
    n_features_in_ : int
        Number of columns of a 2-D X, or number of features of a 3-D X.
    feature_names_in_ : ndarray of str
        Names of the columns of X, if the estimator was fitted on a dataframe.
    description : dict
        Information about the estimator, written by `to_onnx`.
    session : onnxruntime.InferenceSession
        The session of onnxruntime.
    """

    def __init__(self, session, description):
        self.session = session
        self.description = description
        self.kind = description["kind"]
        self.n_features_in_ = description["n_features_in"]
        if "feature_names_in" in description:
            self.feature_names_in_ = np.array(description["feature_names_in"], object)
        if "classes" in description:
            self.classes_ = np.array(
                description["classes"], np.dtype(description["classes_dtype"])
            )
        for key in {"padding", "mask_value"} & set(description):
            # JSON has NaN as a text.
            description[key] = float(description[key])
        self._inputs = [
            (one.name, _TYPES[one.type], one.shape) for one in session.get_inputs()
        ]
        self._outputs = [one.name for one in session.get_outputs()]
        self._text = None
        if "text" in description:
            self._text = _Texts(description["text"])

    def __repr__(self):
        return f"OnnxModel({self.description['estimator']}, {self.kind})"

    # ------------------------------------------------------------------- methods

    def predict(self, X: Any) -> np.ndarray:
        """Predict class labels, target values, or whether rows are outliers.

        Parameters
        ----------
        X : array-like, dataframe, or list of array-like of shape (n_timesteps_i, \
                n_features)
            Rows with the same features as the X of ``fit``.

        Returns
        -------
        predictions : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Class labels, as in the y of ``fit``; target values in the units of y; or -1
            for outliers and 1 for inliers.

        Raises
        ------
        ValueError
            If the shape of X differs from that in ``fit``, or X contains values that
            are not finite numbers.
        """
        self._check("predict", "classifier", "regressor", "detector")
        found = self._run(X, 0)
        if self.kind == "classifier":
            return found.astype(self.classes_.dtype, copy=False)
        is_1d = self.description.get("n_dimensions_out") == 1
        # A regressor of scikit-learn may have several outputs.
        if is_1d and found.size == len(found):
            return found.reshape(len(found))
        return found

    def predict_proba(self, X: Any) -> np.ndarray:
        """Predict class probabilities.

        Parameters
        ----------
        X : array-like, dataframe, or list of array-like
            As for `predict`.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes)
            Columns in the order of ``classes_``.
        """
        self._check("predict_proba", "classifier")
        return self._run(X, 1)

    def predict_quantiles(self, X: Any) -> np.ndarray:
        """Predict quantiles, for a regressor that was fitted with ``loss="quantile"``.

        Parameters
        ----------
        X : array-like, dataframe, or list of array-like
            As for `predict`.

        Returns
        -------
        quantiles : ndarray of shape (n_samples, n_quantiles) or \
                (n_samples, n_outputs, n_quantiles)
        """
        self._check("predict_quantiles", "regressor")
        if len(self._outputs) < 2:
            raise AttributeError("predict_quantiles needs a fit with loss='quantile'.")
        found = self._run(X, 1)
        return found[:, 0] if self.description["n_dimensions_out"] == 1 else found

    def transform(self, X: Any) -> np.ndarray:
        """Compute the codes of an autoencoder, or the output of a transformer.

        Parameters
        ----------
        X : array-like, dataframe, or list of array-like
            As for `predict`.

        Returns
        -------
        transformed : ndarray of shape (n_samples, ...)
        """
        self._check("transform", "autoencoder", "transformer")
        return self._run(X, 0)

    def reconstruct(self, X: Any) -> np.ndarray:
        """Reconstruct rows: encode and decode them.

        Parameters
        ----------
        X : array-like, dataframe, or list of array-like
            As for `predict`.

        Returns
        -------
        rows : ndarray of shape (n_samples, ...)
            The reconstructed rows, with the shape and units of the input of the
            autoencoder. In a pipeline, this is the output of the steps before the
            autoencoder.
        """
        self._check("reconstruct", "autoencoder")
        return self._run(X, 1)

    def score_samples(self, X: Any) -> np.ndarray:
        """Score how usual rows are; lower scores are more unusual.

        Parameters
        ----------
        X : array-like, dataframe, or list of array-like
            As for `predict`.

        Returns
        -------
        scores : ndarray of shape (n_samples,)
        """
        self._check("score_samples", "autoencoder", "detector")
        if self.kind == "detector":
            return self._run(X, 1) + self.description["offset"]
        return self._run(X, 2)

    def decision_function(self, X: Any) -> np.ndarray:
        """Compute scores that are negative for outliers.

        Parameters
        ----------
        X : array-like, dataframe, or list of array-like
            As for `predict`.

        Returns
        -------
        decisions : ndarray of shape (n_samples,)
        """
        self._check("decision_function", "detector")
        return self._run(X, 1)

    def _check(self, method, *kinds):
        if self.kind not in kinds:
            raise AttributeError(
                f"This model of ONNX is a {self.kind}, which has no {method}."
            )

    # --------------------------------------------------------------------- input

    def _run(self, X, place):
        feed = self._feed(X)
        try:
            return self.session.run([self._outputs[place]], feed)[0]
        except Exception as error:  # which onnxruntime has no public classes for
            raise ValueError(
                f"X must hold values that {self.description['estimator']} reads, got "
                f"others, such as an unknown category: {error}. Replace them by those "
                f"of fit."
            ) from error

    def _feed(self, X):
        """Convert X to the inputs of the model."""
        if self._text is not None:
            X = self._text.rows(X)
        if len(self._inputs) > 1 or "columns" in self.description:
            return self._feed_columns(X)
        name, dtype, shape = self._inputs[0]
        if type(X) is not np.ndarray:
            X = self._as_array(X, dtype, shape)
        if X.ndim != len(shape):
            raise self._shape_error(X.shape)
        for got, expected in zip(X.shape[1:], shape[1:], strict=True):
            if isinstance(expected, int) and got != expected:
                raise self._shape_error(X.shape)
        if X.dtype != dtype or not X.flags.c_contiguous:
            if X.dtype.kind not in "biufO":
                raise ValueError(f"X must hold numbers, got dtype {X.dtype}.")
            try:
                X = np.ascontiguousarray(X, dtype)
            except (TypeError, ValueError) as error:
                raise ValueError(f"X must hold numbers, got {error}.") from error
        _check_has_rows(X)
        self._check_values(X)
        return {name: X}

    def _as_array(self, X, dtype, shape):
        names = getattr(self, "feature_names_in_", None)
        if hasattr(X, "columns") and hasattr(X, "shape"):
            self._check_names(list(X.columns), names)
            return np.asarray(X)
        if len(shape) == 3 and isinstance(X, (list, tuple)) and len(X):
            rows = [np.asarray(row) for row in X]
            if len({row.shape for row in rows}) > 1 or rows[0].ndim == 2:
                return self._padded(rows, dtype, shape)
        if self.description.get("tokens") and isinstance(X, (list, tuple)):
            rows = [np.asarray(row) for row in X]
            if len({len(row) for row in rows}) > 1:
                return self._padded([row.reshape(-1, 1) for row in rows], dtype, shape)[
                    ..., 0
                ]
        try:
            return np.asarray(X)
        except ValueError as error:
            raise ValueError(
                f"X must be an array of shape {self._shape(shape)}, got rows of "
                f"different lengths."
            ) from error

    def _padded(self, rows, dtype, shape):
        """Make an array of a list of rows."""
        n_features = shape[2] if len(shape) == 3 else 1
        for i, row in enumerate(rows):
            if row.ndim == 1 and self.description.get("tokens"):
                rows[i] = row = row[:, None]
            if row.ndim != 2 or row.shape[1] != n_features or not len(row):
                raise ValueError(
                    f"X[{i}] must have the shape (n_timesteps, {n_features}), got "
                    f"{row.shape}."
                )
        longest = max(map(len, rows))
        n_timesteps = shape[1] if isinstance(shape[1], int) else longest
        if longest > n_timesteps:
            raise ValueError(
                f"X must have rows of at most {n_timesteps} timesteps, those of the "
                f"longest row of fit, got {longest}. Cut longer rows."
            )
        value = self.description.get("padding")
        if value is None and any(len(row) < n_timesteps for row in rows):
            raise ValueError(
                f"X must have rows of {n_timesteps} timesteps, got a list with a row "
                f"of {min(map(len, rows))}. Write the model with to_onnx(..., "
                f"n_timesteps={n_timesteps}) to read shorter rows."
            )
        made = np.full((len(rows), n_timesteps, n_features), value or 0, dtype)
        for place, row in zip(made, rows, strict=True):
            place[: len(row)] = row
            if not np.isfinite(place[: len(row)]).all():
                raise ValueError("X must hold finite numbers, got NaN or infinity.")
        return made

    def _check_values(self, X):
        if self.description.get("tokens"):
            _check_ids(X)
        # A sum is finite if all values are, unless it overflows.
        with np.errstate(over="ignore", invalid="ignore"):
            is_finite = np.isfinite(X.sum())
        if not is_finite and not np.isfinite(X).all() and not self._is_padding_nan(X):
            bad = np.argwhere(~np.isfinite(X))[0].tolist()
            raise ValueError(
                f"X must hold finite numbers, got {X[tuple(bad)]} in X{bad}. Fill in "
                f"missing values before, as before fit."
            )
        longest = self.description.get("longest")
        if longest is not None and X.shape[1] > longest:
            counts = (~self._is_padding(X)).sum(axis=1)
            if counts.max() > longest:
                raise ValueError(
                    f"X must have rows of at most {longest} timesteps, got "
                    f"{counts.max()} in X[{counts.argmax()}]. Cut them, or write the "
                    f"model with to_onnx(..., n_timesteps={counts.max()})."
                )
        if "padding" in self.description:
            is_empty = self._is_padding(X).all(axis=1)
            if is_empty.any():
                raise ValueError(
                    f"Each row must have a timestep that is not padding, got none in "
                    f"X[{is_empty.argmax()}]. Leave such rows out."
                )

    def _is_padding(self, X):
        """Find the timesteps that are padding."""
        X = X.reshape(*X.shape[:2], -1)
        padding = np.zeros(X.shape[:2], bool)
        for key in ("padding", "mask_value"):
            value = self.description.get(key)
            if value is None:
                continue
            if value != value:
                padding |= np.isnan(X).all(axis=2)
            else:
                padding |= (X.dtype.type(value) == X).all(axis=2)
        return padding

    def _is_padding_nan(self, X):
        if self.description.get("allows_nan"):
            return not np.isinf(X).any()
        values = [self.description.get(key) for key in ("padding", "mask_value")]
        if X.ndim != 3 or not any(v is not None and v != v for v in values):
            return False
        bad = ~np.isfinite(X)
        return bool(
            (np.isnan(X) == bad).all() and (bad.all(axis=2) | ~bad.any(axis=2)).all()
        )

    def _feed_columns(self, X):
        """Convert the columns of a dataframe or an array to inputs."""
        expected = self.description["columns"]
        if hasattr(X, "columns"):
            self._check_names(list(X.columns), expected)
            columns = {str(name): np.asarray(X[name]) for name in X.columns}
        else:
            X = np.asarray(X, object)
            if X.ndim != 2 or X.shape[1] != len(expected):
                raise ValueError(
                    f"X must have the shape (n_samples, {len(expected)}), with the "
                    f"columns {expected[:5]}, got {X.shape}."
                )
            columns = dict(zip(expected, X.T, strict=True))
        _check_has_rows(X)
        # The names of inputs may be others: ONNX has no spaces in them.
        return {
            name: self._column(columns[column], dtype, column)
            for column, (name, dtype, _) in zip(expected, self._inputs, strict=True)
        }

    def _column(self, values, dtype, name):
        if dtype is object:
            values = ["" if is_missing(v) else str(v) for v in values.tolist()]
            return np.array(values, object).reshape(-1, 1)
        try:
            if values.dtype == object:
                values = [np.nan if is_missing(v) else v for v in values.tolist()]
            values = np.asarray(values)
            made = values.reshape(-1, 1)
            if made.dtype.kind not in "biu":
                made = made.astype(np.float64)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"X must hold numbers in column {name!r}, got something else: {error}"
            ) from error
        is_whole = dtype == np.int64
        allowed = self.description.get("allows_nan", ())  # True: in all columns
        allows_nan = not is_whole and (allowed is True or name in allowed)
        bad = np.isinf(made) if allows_nan else ~np.isfinite(made)
        if bad.any():
            remedy = "Fill in missing values before, as before fit"
            if is_whole:
                remedy += ", or give to_onnx an X with this column as float"
            raise ValueError(
                f"X must hold finite numbers in column {name!r}, got {made[bad][0]} in "
                f"row {bad.argmax()}. {remedy}."
            )
        if is_whole and made.dtype.kind == "f" and (made != np.round(made)).any():
            raise ValueError(
                f"X must hold whole numbers in column {name!r}, as the X of to_onnx, "
                f"got {made[made != np.round(made)][0]}. Give to_onnx an X with this "
                f"column as float."
            )
        return made.astype(dtype)

    @staticmethod
    def _check_names(found, expected):
        found = [str(name) for name in found]
        if expected is not None and found != [str(name) for name in expected]:
            missing = [name for name in expected if name not in found]
            detail = f"without {missing[:3]}" if missing else "in another order"
            raise ValueError(
                f"X must have the columns of fit, {list(expected)[:5]} and so on, got "
                f"columns {detail}. Pass X[model.feature_names_in_]."
            )

    def _shape_error(self, shape):
        return ValueError(
            f"X must have the shape {self._shape(self._inputs[0][2])}, as the X that "
            f"{self.description['estimator']} was fitted on, got {tuple(shape)}."
        )

    def _shape(self, shape):
        names = ["n_samples", "n_timesteps", "n_features"]
        if len(shape) == 2 and not self.description.get("tokens"):
            names[1] = "n_columns"
        parts = [
            str(size) if isinstance(size, int) else name
            for size, name in zip(shape, [*names, *["..."] * len(shape)], strict=False)
        ]
        return f"({', '.join(parts)})"


def _check_ids(X):
    # The smallest float32 is padding of lists, and NaN has an error of its own.
    is_bad = (X < 0) & (np.finfo(np.float32).min != X) | (X > _LARGEST_ID)
    is_bad |= (np.floor(X) != X) & np.isfinite(X)
    if is_bad.any():
        place = np.argwhere(is_bad)[0].tolist()
        raise ValueError(
            f"Token ids must be whole numbers from 0 to {_LARGEST_ID}, got "
            f"{X[tuple(place)]} in X{place}. Make ids as before fit."
        )


def is_missing(value):
    """Check for None, NaN, or the NA of pandas, whose comparisons have no truth."""
    return value is None or type(value).__name__ == "NAType" or bool(value != value)


def _check_has_rows(X):
    if not len(X):
        raise ValueError("X must have at least one row, got none.")


class _Texts:
    """Texts to token ids, as a `TextSequencer` does.

    Parameters
    ----------
    options : dict
        What `to_onnx` has written.
    """

    def __init__(self, options):
        self._options = options
        self._find = re.compile(options["token_pattern"]).findall
        self._stop_words = set(options["stop_words"])

    def rows(self, texts):
        """Convert texts to ids of shape (n_samples, n_timesteps)."""
        if isinstance(texts, (str, bytes)):
            raise ValueError(
                f"X must be a list, array or series of texts, got one "
                f"{type(texts).__name__}. Pass [text]."
            )
        if hasattr(texts, "columns"):
            texts = texts[texts.columns[0]]
        texts = np.asarray(texts, object).reshape(-1).tolist()
        longest, vocabulary = self._options["max_length"], self._options["vocabulary"]
        rows = np.zeros((len(texts), longest), np.float32)
        for i, (row, text) in enumerate(zip(rows, texts, strict=True)):
            if not isinstance(text, str):
                raise ValueError(f"X must hold texts, got {text!r} in X[{i}].")
            ids = [vocabulary.get(token, 1) for token in self._tokens(text)] or [1]
            start = self._options["truncate"] == "start"
            ids = ids[-longest:] if start else ids[:longest]
            row[: len(ids)] = ids
        return rows

    def _tokens(self, text):
        options = self._options
        if options["lowercase"]:
            text = text.lower()
        if options["strip_accents"] is not None:
            text = _without_accents(text, options["strip_accents"])
        if options["analyzer"] == "char":
            return re.sub(r"\s\s+", " ", text)
        return [one for one in self._find(text) if one not in self._stop_words]


def _without_accents(text, kind):
    text = unicodedata.normalize("NFKD", text)
    if kind == "ascii":
        return text.encode("ASCII", "ignore").decode("ASCII")
    return "".join(one for one in text if not unicodedata.combining(one))
