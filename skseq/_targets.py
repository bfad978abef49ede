"""Targets: class labels, numbers, or the rows themselves.

A target checks and encodes y, converts it to the form that a loss takes, weighs and
stratifies rows, and makes network outputs available to scikit-learn's scorers.
"""

from dataclasses import dataclass, replace
from numbers import Real

import numpy as np
from scipy.special import expit, softmax
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_array, column_or_1d
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets, type_of_target

from skseq._validation import (
    check_rows,
    distinct_labels,
    ending,
    naming,
    sorted_values,
    with_finite_sum,
)


class RowsThemselves:
    """The target of an autoencoder, which has no y.

    Attributes
    ----------
    VALIDATION_ROWS : str
        The arguments of ``fit`` with validation rows, for messages.
    """

    VALIDATION_ROWS = "X_val"

    def check(self, y, n_rows, name="y"):
        """Return an array of zeros in place of y."""
        return np.zeros(n_rows, int)

    def encode(self, y, name="y"):
        """Return y unchanged."""
        return y

    def for_loss(self, codes):
        """Return None: the input of the network is the target."""
        return

    def strata(self, codes):
        """Get the stratum of each row, the same for all."""
        return codes

    def check_parts(self, codes, rest, held_out):
        """Accept any rows on either side of a split."""


class Labels:
    """Class labels, encoded as indices into the sorted classes.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        Sorted.
    form : {"column", "index", "indicator"} or None
        The form in which the loss takes labels; None: not known yet.
    from_logits : bool
        Whether the loss takes outputs before sigmoid or softmax.
    """

    VALIDATION_ROWS = "X_val and y_val"
    MONITOR_REMEDY = "Check that they hold every class."

    def __init__(self, classes, form=None, from_logits=False):
        self.classes = classes
        self.form = form
        self.from_logits = from_logits

    @staticmethod
    def check(y, n_rows, name="y"):
        """Validate y, and return an array of labels of shape (n_samples,)."""
        return check_labels(y, n_rows, name)

    def encode(self, y, name="y"):
        """Encode labels as indices into the classes."""
        with naming(name, "must hold labels of the type of the classes"):
            known = np.isin(y, self.classes)
        if not known.all():
            raise ValueError(
                f"{name} must hold only labels of the classes {self.classes}, got "
                f"{np.unique(y[~known])}."
            )
        return np.searchsorted(self.classes, y).astype(np.int32)

    def for_loss(self, codes):
        """Convert encoded labels to the form that the loss takes."""
        if self.form == "column":
            return codes.astype(np.float32).reshape(-1, 1)
        if self.form == "index":
            return codes.astype(np.int32)
        return np.eye(len(self.classes), dtype=np.float32)[codes]

    def strata(self, codes):
        """Get the stratum of each row, its class."""
        return codes

    def check_parts(self, codes, rest, held_out):
        """Raise unless both sides of a split have at least two classes."""
        for part, rows in (("rest", rest), ("held-out part", held_out)):
            if len(np.unique(codes[rows])) < 2:
                raise ValueError(
                    f"both parts must have at least 2 classes, but the {part} has "
                    f"{len(rows)} rows of one class."
                )

    def check_monitor(self, monitor):
        """Raise if there are more classes than a scorer can handle."""
        if monitor == "roc_auc" and len(self.classes) > 2:
            raise ValueError(
                f"monitor='roc_auc' is for two classes, got {len(self.classes)}. Use "
                f"'roc_auc_ovr', the mean of each class against the rest."
            )

    def scored(self, outputs):
        """Make an estimator with these outputs, for scikit-learn's scorers."""
        return _Scored(self.classes, probabilities(outputs, self.from_logits))

    # ----------------------------------------------------------------- uneven classes

    def class_weights(self, class_weight, codes, weights):
        """Compute a weight for each class from the parameter ``class_weight``."""
        if isinstance(class_weight, str):  # "balanced"
            totals = np.bincount(codes, weights=weights, minlength=len(self.classes))
            # With warm_start, a class may have no row in this call.
            return 1 / np.where(totals > 0, totals, 1)
        try:
            given = compute_class_weight(
                class_weight, classes=self.classes, y=self.classes
            )
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"class_weight must be a dict from the classes {self.classes.tolist()} "
                f"to numbers, got {class_weight!r}: {error}"
            ) from error
        given = with_finite_sum(given) if np.isfinite(given).all() else given
        if not np.isfinite(given).all() or (given < 0).any() or not given[codes].any():
            raise ValueError(
                f"class_weight must not be negative, infinite, NaN, or zero for every "
                f"class, got {class_weight!r}."
            )
        return given

    def shares(self, balanced_batches, codes):
        """Compute the share of each class in a batch, or None.

        Parameters
        ----------
        balanced_batches : bool or dict
            The parameter of an estimator.
        codes : ndarray of int of shape (n_samples,)
        """
        n_classes = len(self.classes)
        if not balanced_batches and not isinstance(balanced_batches, dict):
            return None
        shares = np.ones(n_classes)
        if isinstance(balanced_batches, dict):
            given = balanced_batches
            shares = [given.get(label, np.nan) for label in self.classes.tolist()]
            if (
                len(given) != len(shares)
                or not all(isinstance(share, Real) for share in shares)
                or not np.isfinite(shares).all()
                or min(shares) <= 0
            ):
                raise ValueError(
                    f"balanced_batches must be a bool, or a dict with a share above 0 "
                    f"for each of the classes {self.classes.tolist()}, got {given!r}."
                )
        # With warm_start or partial_fit, a class may have no row in this call.
        shares = shares * (np.bincount(codes, minlength=n_classes) > 0)
        return shares / shares.sum()

    def prior(self, codes, weights, shares):
        """Compute the ratio of the classes in training.

        A class without rows has the ratio of one row.

        Parameters
        ----------
        codes : ndarray of int of shape (n_samples,)
        weights : ndarray of shape (n_samples,)
            Sample weights, multiplied by class weights.
        shares : ndarray of shape (n_classes,) or None
            The result of the method ``shares``.
        """
        n_classes = len(self.classes)
        totals = np.bincount(codes, weights=weights, minlength=n_classes)
        if shares is not None:
            counts = np.bincount(codes, minlength=n_classes)
            totals *= shares * len(codes) / np.maximum(counts, 1)
        totals = np.where(totals > 0, totals, weights[weights > 0].min())
        return totals / totals.sum()


class _Scored(ClassifierMixin, BaseEstimator):
    """A classifier with given probabilities, for scorers."""

    def __init__(self, classes, probabilities):
        self.classes_ = classes
        self.n_classes_ = len(classes)
        self._probabilities = probabilities

    def predict_proba(self, X):
        return self._probabilities

    def predict_log_proba(self, X):
        return log_of(self._probabilities)

    def predict(self, X):
        return self.classes_[self._probabilities.argmax(axis=1)]


@dataclass(frozen=True)
class Numbers:
    """Numbers to predict, of shape (n_samples, n_targets) once encoded.

    Attributes
    ----------
    n_targets : int
    n_dimensions : int
        1 for a y of shape (n_samples,), and else 2.
    takes_negative : bool
        Whether there may be numbers below 0.
    quantiles : tuple of float or None
        Those that the network predicts; None: it predicts the target itself.
    shift, scale : ndarray of shape (n_targets,), or None
        What is subtracted from each column, and by what it is then divided. None: not
        known yet.
    """

    n_targets: int
    n_dimensions: int
    takes_negative: bool = True
    quantiles: tuple | None = None
    shift: np.ndarray | None = None
    scale: np.ndarray | None = None

    VALIDATION_ROWS = "X_val and y_val"
    MONITOR_REMEDY = (
        "Use a scorer for numbers, such as 'r2' or 'neg_mean_absolute_error', and "
        "check that there are several rows."
    )

    @staticmethod
    def check(y, n_rows, name="y"):
        """Validate y, and return an array of float64 of one or two dimensions."""
        return check_numbers(y, n_rows, name)

    def encode(self, y, name="y"):
        """Convert y to two dimensions."""
        y = y.reshape(len(y), -1)
        if y.shape[1] != self.n_targets:
            raise ValueError(
                f"{name} must have {self.n_targets} columns, one for each output of "
                f"the network, got {y.shape[1]}."
            )
        if not self.takes_negative and (y < 0).any():
            raise ValueError(
                f"{name} must not be negative with this loss, got {y.min()} as its "
                f"smallest. Choose another loss, such as 'mse'."
            )
        return y

    def scaled(self, codes, weights, is_scaled):
        """Learn the scale of training rows.

        With losses for numbers that are not negative, 0 is no arbitrary point, and the
        scale is the mean.

        Parameters
        ----------
        codes : ndarray of shape (n_samples, n_targets)
        weights : ndarray of shape (n_samples,)
        is_scaled : bool
            False: the target stays as it is.
        """
        shift, scale = np.zeros(self.n_targets), np.ones(self.n_targets)
        weights = weights / weights.mean()  # equal weights are then exactly 1
        if is_scaled and self.takes_negative:
            with np.errstate(over="ignore", invalid="ignore"):  # checked below
                scaler = StandardScaler().fit(codes, sample_weight=weights)
            shift, scale = scaler.mean_, scaler.scale_
        elif is_scaled:
            mean = np.average(codes, axis=0, weights=weights)
            scale = np.where(mean > 0, mean, 1.0)
        if not np.isfinite([shift, scale]).all():
            raise ValueError(
                f"y must have a finite variance, got values up to {abs(codes).max()}. "
                f"Divide y by a large number."
            )
        return replace(self, shift=shift, scale=scale)

    def for_loss(self, codes):
        """Scale the encoded target, for the network to learn."""
        with np.errstate(over="ignore"):  # checked below
            scaled = ((codes - self.shift) / self.scale).astype(np.float32)
        if not np.isfinite(scaled).all():
            raise ValueError(
                f"y must fit into float32 after scaling, got values up to "
                f"{abs(codes).max()}. Divide y by a large number."
            )
        return scaled

    def strata(self, codes):
        """Get the stratum of each row, the same for all."""
        return np.zeros(len(codes), int)

    def check_parts(self, codes, rest, held_out):
        """Accept any rows on either side of a split."""

    def check_monitor(self, monitor):
        """Accept any scorer; whether it takes numbers is seen when it is called."""

    def scored(self, outputs):
        """Make an estimator with these outputs, for scikit-learn's scorers."""
        return _Predicted(self.predicted(outputs))

    def predicted(self, outputs):
        """Convert outputs of the network to predictions of the shape of y.

        Of several quantiles, the one that is nearest to 0.5 is predicted.
        """
        by_quantile = self.by_quantile(outputs)
        place = 0 if self.quantiles is None else middle(self.quantiles)
        return by_quantile[..., place]

    def by_quantile(self, outputs):
        """Convert outputs of the network to an array with a last axis of quantiles.

        They are sorted, which never increases their loss (Chernozhukov, Fernández-Val
        and Galichon, 2010).
        """
        outputs = outputs.reshape(len(outputs), self.n_targets, -1).astype(np.float64)
        outputs = np.sort(outputs, axis=2)
        outputs = outputs * self.scale[:, None] + self.shift[:, None]
        return outputs[:, 0] if self.n_dimensions == 1 else outputs


class _Predicted(RegressorMixin, BaseEstimator):
    """A regressor with given predictions, for scorers."""

    def __init__(self, predictions):
        self.predictions = predictions

    def predict(self, X):
        return self.predictions


def middle(quantiles):
    """Find the place of the quantile that is nearest to 0.5."""
    return int(np.abs(np.subtract(quantiles, 0.5)).argmin())


def probabilities(outputs, from_logits=False):
    """Convert outputs of shape (n_samples, 1 or n_classes) to probabilities.

    Parameters
    ----------
    outputs : ndarray
    from_logits : bool
        Whether they are before sigmoid or softmax.

    Returns
    -------
    probabilities : ndarray of shape (n_samples, n_classes), float64
        Rows sum to 1.
    """
    outputs = outputs.astype(np.float64)
    if from_logits:
        is_single = outputs.shape[1] == 1
        outputs = expit(outputs) if is_single else softmax(outputs, axis=1)
    if outputs.size and (outputs.min() < 0 or outputs.max() > 1):
        raise ValueError(
            f"The outputs of the network must be probabilities, got values from "
            f"{outputs.min():.3g} to {outputs.max():.3g}. End the model with sigmoid "
            f"or softmax, or set loss_params={{'from_logits': True}}."
        )
    if outputs.shape[1] == 1:
        return np.hstack([1 - outputs, outputs])
    return outputs / outputs.sum(axis=1, keepdims=True)


def log_of(probabilities):
    """Compute logarithms; that of 0 is minus infinity."""
    with np.errstate(divide="ignore"):
        return np.log(probabilities)


def check_labels(y, n_rows, name="y"):
    """Validate class labels.

    Returns
    -------
    y : ndarray of shape (n_samples,)
    """
    _check_passed(y, name, "class labels")
    with naming(name, "must hold class labels"):
        y = np.asarray(y)
        kind = type_of_target(y) if y.ndim > 1 else ""
    if kind.startswith("multilabel"):
        one_hot = (np.asarray(y.sum(axis=1)) == 1).all()
        remedy = (
            f"With a single 1 in each row, {name}.argmax(axis=1) gives the labels."
            if one_hot
            else "Fit one classifier per label, for instance with "
            "sklearn.multioutput.MultiOutputClassifier."
        )
        raise ValueError(
            f"{name} must hold one label per row, got a multilabel indicator of shape "
            f"{y.shape}. Multilabel targets are not supported. {remedy}"
        )
    with naming(name, "must hold class labels"):
        y = column_or_1d(y, warn=True)
        check_rows(name, y, n_rows)
        if y.dtype.kind == "f" or y.dtype == object:
            with ending("contains NaN", "Leave out rows without a label."):
                check_array(
                    y.reshape(-1, 1), dtype=None, ensure_all_finite=True,
                    input_name=name,
                )  # fmt: skip
        sorted_values(name, y, "labels")
        check_classification_targets(y)
    return y


def _check_passed(y, name, kind):
    if y is None and name == "y_val":
        raise ValueError("X_val needs y_val, got y_val=None.")
    if y is None:
        raise ValueError(
            f"The estimator requires {name} to be passed, but the target {name} is "
            f"None. Pass an array of {kind}."
        )


def check_numbers(y, n_rows, name="y"):
    """Validate numbers to predict.

    Returns
    -------
    y : ndarray of shape (n_samples,) or (n_samples, n_targets), float64
    """
    _check_passed(y, name, "numbers")
    with (
        ending(
            "convert string", "For labels use a classifier, such as LSTMClassifier."
        ),
        ending("contains NaN", "Leave out rows without a number to predict."),
        naming(name, "must hold numbers"),
    ):
        y = check_array(
            y, dtype=np.float64, ensure_2d=False, allow_nd=True, input_name=name
        )
    check_rows(name, y, n_rows)
    if y.ndim > 2:
        raise ValueError(
            f"{name} must have shape (n_samples,) or (n_samples, n_outputs), got shape "
            f"{y.shape}. Reshape it to a row of numbers for each sample."
        )
    return y


def check_classes(classes):
    """Validate the argument ``classes``, and return a sorted array."""
    labels = np.ravel(np.asarray(classes, dtype=object)).tolist()
    try:
        n_different = len(sorted(set(labels)))
        is_usable = n_different >= 2 and all(label == label for label in labels)
    except TypeError:  # of several types
        is_usable = False
    if not is_usable:
        raise ValueError(
            f"classes must hold at least 2 labels of one type, got {labels}. Pass all "
            f"labels that y can hold."
        )
    return np.unique(classes)


def learn_labels(y, classes):
    """Find the classes of a first fit, as `Labels`.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
    classes : array-like or None
        All classes; None: those in y.
    """
    if classes is not None:
        return Labels(check_classes(classes))
    return Labels(distinct_labels(y))
