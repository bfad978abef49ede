"""What the values of a row add to its prediction."""

from __future__ import annotations

import warnings
from numbers import Integral
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from sklearn.base import is_classifier
from sklearn.exceptions import ConvergenceWarning

from skseq._engine.gradients import Path, Score
from skseq._padded import blocks_of
from skseq._targets import middle
from skseq._validation import Interval, StrOptions, check_arguments
from skseq.inspection._rows import Rows, check_network, check_single

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

# What the sum over a row may lack, as a part of the difference between the predictions,
# or of 1 (for regressors: of the scale of y) if that is larger.
_TOLERANCE = 1e-3

# How often a part of a path is halved.
_MOST_HALVINGS = 14


def integrated_gradients(
    estimator: Any,
    X: ArrayLike,
    *,
    target: Any = None,
    output: Literal["probability", "log_odds"] = "probability",
    baseline: float | ArrayLike | Literal["mean"] = 0.0,
    n_steps: int = 32,
) -> Any:
    """Compute the contribution of each value of a row to its prediction.

    The contributions (attributions) are computed by the method of integrated gradients
    [1]_: the gradient of the prediction is integrated along the straight line from a
    baseline row to the row, and multiplied by the difference of the two rows. The
    attributions of a row sum to the prediction for the row minus the prediction for the
    baseline.

    Parameters
    ----------
    estimator : classifier or regressor of skseq
        A fitted network. For a pipeline, pass its last step, ``pipeline[-1]``.
    X : list of array-like of shape (n_timesteps_i, n_features), or array-like or \
            dataframe of shape (n_samples, n_timesteps, n_features) or \
            (n_samples, n_columns)
        Rows, as input of the network. For a pipeline, pass
        ``pipeline[:-1].transform(X)``.
    target : label, int, or array-like of shape (n_samples,), default=None
        What to explain. For classifiers: a class label, for all rows or for each row.
        None: the second class of two, or with more classes the predicted class of each
        row. For regressors: the position of a column of y. None if y has one column.
    output : {"probability", "log_odds"}, default="probability"
        For classifiers, whether to explain the probability of the class or its log
        odds. For regressors, the prediction in the units of y is always explained.
    baseline : float, array-like or "mean", default=0.0
        The row to compare with, which should contain no information on the target: a
        number, an array with a number for each feature, or an array of the shape of a
        row or of X. "mean": the mean of X at each timestep; for rows of different
        lengths, the mean of each feature. After a `StandardScaler`, 0 is the mean of
        the training rows. For token ids it must be 0, which stands for a vector of
        zeros in place of the vector of each id.
    n_steps : int, default=32
        Number of points of the numerical integration (Gauss-Legendre quadrature). A
        part of the line with a relative error of more than 0.001 is halved, with this
        number of points in each half.

    Returns
    -------
    attributions : ndarray of the shape of X, or list of ndarray
        A number for each value of X, which is 0 for padding; a list if X is a list. For
        token ids, the sum over the elements of the vector of the id.

    Raises
    ------
    TypeError
        If the estimator is not a network of skseq.
    NotFittedError
        Before ``fit``.
    ValueError
        If the shape of X differs from that in ``fit``, or an argument is invalid.

    Warns
    -----
    ConvergenceWarning
        If the attributions of some rows still do not sum to the difference of the
        predictions.

    See Also
    --------
    AttributionDisplay : Draws the attributions of one row.
    permutation_importance : Computes importances for a score on many rows.

    References
    ----------
    .. [1] M. Sundararajan, A. Taly and Q. Yan, "Axiomatic attribution for deep
       networks", ICML 2017. https://arxiv.org/abs/1703.01365

    Examples
    --------
    The class depends on the last timestep of the first feature:

    >>> import numpy as np
    >>> from skseq import DenseClassifier
    >>> from skseq.inspection import integrated_gradients
    >>> X = np.random.default_rng(0).normal(size=(300, 4, 2))
    >>> net = DenseClassifier(random_state=0).fit(X, X[:, -1, 0] > 0)
    >>> attributions = integrated_gradients(net, X)
    >>> attributions.shape
    (300, 4, 2)
    >>> int(np.abs(attributions).mean(axis=0).argmax())  # the cell 3, 0
    6
    >>> p = net.predict_proba(X)[:, 1]
    >>> at_zero = net.predict_proba(np.zeros((1, 4, 2)))[:, 1]
    >>> np.allclose(attributions.sum(axis=(1, 2)), p - at_zero, atol=0.01)
    True
    """
    check_arguments(
        "integrated_gradients",
        {
            "output": [StrOptions({"probability", "log_odds"})],
            "n_steps": [Interval(Integral, 1, None, closed="left")],
        },
        {"output": output, "n_steps": n_steps},
    )
    check_network(estimator)
    rows = Rows(estimator, X)
    score, codes, unit = _score(estimator, rows.given, len(rows), target, output)
    start = _baseline(rows, baseline, () if rows.is_list else np.shape(rows.given))
    found, n_incomplete = [], 0
    for part in rows.parts():
        path = Path(part.recipe, estimator._state.weights, score)
        if path.is_of_vectors:
            check_single(estimator, "paths to the vectors of token ids")
        if path.is_of_vectors and np.any(start):
            raise ValueError(
                f"baseline must be 0.0 for a network of token ids, the zero vector, "
                f"got {baseline!r}."
            )
        begin, asked = rows.like(start, part), codes[part.index]
        values = np.empty(part.rows.shape)
        for block in blocks_of(part.rows):
            values[block], n_lacking = _integrated(
                path, part.rows[block], begin[block], asked[block], n_steps
            )
            n_incomplete += n_lacking
        found.append((part, values * unit))
    if n_incomplete:
        warnings.warn(
            f"The attributions of {n_incomplete} rows do not sum to the difference "
            f"between their predictions and that of the baseline. The prediction of "
            f"the network jumps between them; choose a baseline nearer to the rows, "
            f"such as 'mean'.",
            ConvergenceWarning,
            stacklevel=2,
        )
    return rows.shaped(rows.in_place(found))


def _integrated(path, rows, baseline, codes, n_steps):
    """Integrate along each path; also count the rows whose sums are not complete.

    The integral over each part of a path is known from the scores at its ends, so that
    only those parts are halved where the gradient jumps.
    """
    values, lacking = np.zeros(rows.shape), np.zeros(len(rows))
    row, start, end = np.arange(len(rows)), np.zeros(len(rows)), np.ones(len(rows))
    low = path.scores(rows, baseline, codes, start)
    high = path.scores(rows, baseline, codes, end)
    allowed = _TOLERANCE * np.maximum(np.abs(high - low), 1)
    for n_left in reversed(range(_MOST_HALVINGS + 1)):
        found = path.integrals(
            rows[row], baseline[row], codes[row], start, end, n_steps
        )
        error = found.reshape(len(found), -1).sum(axis=1) - (high - low)
        is_left = (np.abs(error) > allowed[row] / 8) & (n_left > 0)
        np.add.at(values, row[~is_left], found[~is_left])
        np.add.at(lacking, row[~is_left], error[~is_left])
        row, start, end, low, high = (
            one[is_left] for one in (row, start, end, low, high)
        )
        if not len(row):
            break
        middle = (start + end) / 2
        between = path.scores(rows[row], baseline[row], codes[row], middle)
        row = np.concatenate([row, row])
        start, end = np.concatenate([start, middle]), np.concatenate([middle, end])
        low, high = np.concatenate([low, between]), np.concatenate([between, high])
    return values, int((np.abs(lacking) > allowed).sum())


def _score(estimator, X, n_rows, target, output):
    """Get the score, what is asked for in each row, and the unit of the score."""
    if not is_classifier(estimator):
        column = _column(estimator, target)
        quantiles = getattr(estimator, "quantiles_", None)
        options = {}
        if quantiles is not None:
            options = {"n_quantiles": len(quantiles), "middle": middle(quantiles)}
        codes = np.full(n_rows, column, np.int32)
        return Score("number", **options), codes, estimator.target_scale_[column]
    score = Score(output, from_logits=estimator._from_logits)
    classes = estimator.classes_
    if target is None and len(classes) == 2:
        return score, np.ones(n_rows, np.int32), 1.0
    labels = estimator.predict(X) if target is None else np.asarray(target)
    if labels.ndim and labels.shape != (n_rows,):
        raise ValueError(
            f"target must be one label, or one for each of the {n_rows} rows, got "
            f"shape {labels.shape}."
        )
    codes = np.searchsorted(classes, labels)
    is_known = classes[np.minimum(codes, len(classes) - 1)] == labels
    if not np.all(is_known):
        unknown = np.ravel(labels)[~np.ravel(is_known)].tolist()[0]
        raise ValueError(
            f"target must be one of the classes {classes.tolist()}, got {unknown!r}."
        )
    return score, np.broadcast_to(codes, (n_rows,)).astype(np.int32), 1.0


def _column(estimator, target):
    n_columns = estimator.n_outputs_
    if target is None and n_columns == 1:
        return 0
    is_column = isinstance(target, Integral) and not isinstance(target, bool)
    if not is_column or not 0 <= target < n_columns:
        raise ValueError(
            f"target must be the position of a column of y, from 0 to "
            f"{n_columns - 1}, got {target!r}."
        )
    return int(target)


def _baseline(rows, baseline, shape):
    """Make the baseline of each row, of the shape of the validated X."""
    values, expected = rows.values, "a number, an array or 'mean'"
    if isinstance(baseline, str):
        if baseline != "mean":
            raise ValueError(f"baseline must be {expected}, got {baseline!r}.")
        if rows.valid is None:
            mean = values.mean(axis=0, dtype=float)
        else:
            mean = values[rows.valid].mean(axis=0, dtype=float)
        return np.broadcast_to(mean.astype(np.float32), values.shape)
    try:
        given = np.asarray(baseline, np.float32)
    except (TypeError, ValueError) as error:
        raise TypeError(f"baseline must be {expected}, got {baseline!r}.") from error
    if not np.isfinite(given).all():
        raise ValueError("baseline must be finite, got NaN or infinity.")
    found = given.shape
    if rows.is_list:
        allowed = [(), values.shape[2:]]
    else:
        allowed = [(), shape[-1:], shape[1:], shape]
    if found not in allowed:
        names = ", ".join(map(str, allowed[1:]))
        raise ValueError(
            f"baseline must be a number or have one of the shapes {names}, got {found}."
        )
    if found in (shape[1:], shape) and not rows.is_list:
        given = given.reshape(*found[: -len(shape[1:])], *values.shape[1:])
    return np.broadcast_to(given, values.shape)
