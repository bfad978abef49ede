"""`to_onnx`: a fitted estimator or pipeline as one model of ONNX."""

from __future__ import annotations

import importlib.util
import json
import os
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import (
    is_classifier,
    is_clusterer,
    is_outlier_detector,
    is_regressor,
)
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from skseq import __version__

if TYPE_CHECKING:
    import onnx

# ONNX Runtime reads these since version 1.14.
OPSETS = {"": 18, "ai.onnx.ml": 3}
IR_VERSION = 8


def to_onnx(
    fitted: Any,
    path: str | os.PathLike | None = None,
    *,
    X: Any = None,
    n_timesteps: int | None = None,
) -> onnx.ModelProto:
    """Convert a fitted estimator or pipeline to ONNX.

    Parameters
    ----------
    fitted : estimator
        A fitted network, autoencoder, outlier detector or transformer of this package;
        or a `sklearn.pipeline.Pipeline`, a `CalibratedClassifierCV`, a
        `FixedThresholdClassifier` or a `TunedThresholdClassifierCV` that contains one.
        Other steps of a pipeline must be supported by skl2onnx.
    path : str, os.PathLike or None, default=None
        File to which the model is written. An existing file is replaced atomically.
        None: the model is only returned.
    X : array-like or dataframe, default=None
        Some rows with the columns of the X of ``fit``. Only needed for a dataframe
        whose columns are not all numeric: each column is then an input of the model,
        with its name.
    n_timesteps : int or None, default=None
        Maximum number of timesteps of the sequences that the model can read. Only for a
        network that reads sequences, alone or as the last step of a pipeline. Sequences
        may be shorter. None: the number of timesteps of the longest sequence in
        ``fit``.

    Returns
    -------
    model : onnx.ModelProto
        The model, checked by `onnx.checker.check_model`, with opset 18 (``ai.onnx.ml``
        3) or earlier and IR version 8. Its ``metadata_props`` contain the information
        that `load` needs.

    Raises
    ------
    NotFittedError
        If `fitted` was not fitted.
    FileNotFoundError
        If the folder of `path` does not exist.
    ImportError
        If onnx or skl2onnx is not installed.
    TypeError
        If `n_timesteps` is not an integer.
    ValueError
        If a layer, a step of a pipeline or a kind of X is not supported, `X` has other
        columns than in ``fit``, or `n_timesteps` is below 1 or not supported for this
        estimator.

    Warns
    -----
    UserWarning
        If onnxruntime supports an operator of a step only in float32, so that the steps
        are computed in float32.

    See Also
    --------
    load : Loads the model, for predictions with NumPy and onnxruntime only.

    Examples
    --------
    >>> import numpy as np
    >>> from skseq import LSTMClassifier
    >>> from skseq.onnx import load, to_onnx
    >>> X = np.random.default_rng(0).normal(size=(60, 8, 2))
    >>> y = np.where(X[:, :, 0].mean(axis=1) > 0, "up", "down")
    >>> net = LSTMClassifier(units=8, epochs=1, random_state=0).fit(X, y)
    >>> served = load(to_onnx(net))
    >>> bool((served.predict(X) == net.predict(X)).all())
    True
    """
    _import_packages()
    from skseq.onnx import _registered
    from skseq.onnx._inputs import check_arguments, inputs_of, of_pipeline

    check_is_fitted(fitted)
    if path is not None and not Path(path).parent.is_dir():
        raise FileNotFoundError(
            f"path must be in a folder that exists, got {os.fspath(path)!r}. Make "
            f"{os.fspath(Path(path).parent)!r} before."
        )
    _check_last(last_of(fitted))
    check_arguments(fitted, last_of(fitted), X, n_timesteps)
    model, inputs, description = inputs_of(of_pipeline(fitted), X, n_timesteps)
    made = _registered.converted(model, inputs, n_timesteps, OPSETS, _checked)
    made.ir_version = IR_VERSION
    description |= _described(fitted, model)
    entry = made.metadata_props.add()
    entry.key, entry.value = "skseq", json.dumps(description, allow_nan=False)
    if path is not None:
        _write(made, Path(path))
    return made


def _import_packages():
    try:
        import onnx  # noqa: F401
        import skl2onnx  # noqa: F401
    except ImportError as error:
        raise ImportError(
            f"to_onnx needs onnx and skl2onnx: pip install onnx skl2onnx. Got: {error}"
        ) from error


def _checked(model):
    """Check a model, also by onnxruntime if it is installed; return an error or None.

    Operators of scikit-learn's steps may exist for float32 alone in onnxruntime.
    """
    import onnx

    model.ir_version = IR_VERSION
    try:
        onnx.checker.check_model(model)
    except onnx.checker.ValidationError as error:
        return error
    if importlib.util.find_spec("onnxruntime") is None:
        return None
    from skseq.onnx._load import session_of

    try:
        session_of(model.SerializeToString())
    except Exception as error:  # which onnxruntime has no public classes for
        return error
    return None


def _write(model, path):
    """Write a file in one step, so that there is never a part of it."""
    content = model.SerializeToString()
    # Not by tempfile, whose files their owner alone can read.
    part = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        with open(part, "xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


# ---------------------------------------------------------------------- description


def last_of(fitted):
    """Get the last step of pipelines, or the estimator itself."""
    while isinstance(fitted, Pipeline):
        fitted = fitted.steps[-1][1]
    return fitted


def _check_last(last):
    is_without = is_classifier(last) and not hasattr(last, "predict_proba")
    if is_clusterer(last) or is_without:
        what = "predict_proba" if is_without else "a model for `load`"
        raise ValueError(
            f"to_onnx can't write the last step {type(last).__name__}, which has no "
            f"{what}. Convert the steps before it, or calibrate a classifier by "
            f"CalibratedClassifierCV."
        )


def _kind(last):
    if is_classifier(last):
        return "classifier"
    if is_regressor(last):
        return "regressor"
    if is_outlier_detector(last):
        return "detector"
    return "autoencoder" if hasattr(last, "reconstruction_error") else "transformer"


def _described(fitted, model):
    """Describe a model for `load`, as a dict for JSON."""
    last = last_of(model)
    found = {
        "skseq": __version__,
        "estimator": type(fitted).__name__,
        "kind": _kind(last),
        "n_features_in": int(getattr(model, "n_features_in_", 0)) or None,
    }
    names = getattr(fitted, "feature_names_in_", None)
    if names is not None:
        found["feature_names_in"] = [str(name) for name in names]
    if found["kind"] == "classifier":
        classes = np.asarray(last.classes_)
        found["classes"] = classes.tolist()
        found["classes_dtype"] = classes.dtype.str
    elif found["kind"] == "regressor":
        found["n_dimensions_out"] = int(getattr(last, "_n_dimensions_out", 1))
    elif found["kind"] == "detector":
        found["offset"] = float(getattr(last, "offset_", 0.0))
    return found
