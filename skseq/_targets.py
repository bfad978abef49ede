"""What is learned from: class labels, or the rows themselves.

A target says how y is checked and encoded, in which form a loss takes it, by what rows
are stratified when some are held out, and what a scikit-learn scorer is shown.
"""

from numbers import Real

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_array, column_or_1d
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets, type_of_target

from skseq._validation import check_rows, with_finite_sum


class RowsThemselves:
    """The target of an autoencoder, which is to give back what it reads."""

    def check(self, y, n_rows, name="y"):
        """Nothing of each row."""
        return np.zeros(n_rows, int)

    def encode(self, y, name="y"):
        """y as it is."""
        return y

    def for_loss(self, codes):
        """None: what is read is the target."""
        return

    def check_parts(self, codes, rest, held_out):
        """Any rows will do on either side."""


class Labels:
    """Class labels, encoded as indices into the sorted classes.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        Sorted.
    form : {"column", "index", "indicator"} or None
        In which a loss takes them; None as long as that is not known.
    """

    def __init__(self, classes, form=None):
        self.classes = classes
        self.form = form

    @staticmethod
    def check(y, n_rows, name="y"):
        """y as an array of labels of shape (n_samples,)."""
        return check_labels(y, n_rows, name)

    def encode(self, y, name="y"):
        """Indices into the classes."""
        known = np.isin(y, self.classes)
        if not known.all():
            raise ValueError(
                f"{name} must hold labels of the classes {self.classes} alone, got "
                f"{np.unique(y[~known])}."
            )
        return np.searchsorted(self.classes, y)

    def for_loss(self, codes):
        """Encoded labels in the form that the loss takes."""
        if self.form == "column":
            return codes.astype(np.float32).reshape(-1, 1)
        if self.form == "index":
            return codes.astype(np.int32)
        return np.eye(len(self.classes), dtype=np.float32)[codes]

    def check_parts(self, codes, rest, held_out):
        """Raise unless there are two classes on either side of a split."""
        for part, rows in (("rest", rest), ("held-out part", held_out)):
            if len(np.unique(codes[rows])) < 2:
                raise ValueError(
                    f"it must leave at least 2 classes on either side, got a {part} of "
                    f"{len(rows)} rows with a single class."
                )

    def check_monitor(self, monitor):
        """Raise if a scorer is for two classes and there are more."""
        if monitor == "roc_auc" and len(self.classes) > 2:
            raise ValueError(
                f"monitor='roc_auc' is for two classes, got {len(self.classes)}. Use "
                f"'roc_auc_ovr', the mean of each class against the rest."
            )

    def scored(self, outputs):
        """An estimator with these outputs, for scikit-learn's scorers."""
        return _Scored(self.classes, probabilities(outputs))

    # ----------------------------------------------------------------- uneven classes

    def class_weights(self, class_weight, codes, weights):
        """A weight for each class, from the parameter of this name."""
        if isinstance(class_weight, str):  # "balanced"
            totals = np.bincount(codes, weights=weights, minlength=len(self.classes))
            # A class of warm_start's that has no row now has nothing to weigh.
            return 1 / np.where(totals > 0, totals, 1)
        given = compute_class_weight(class_weight, classes=self.classes, y=self.classes)
        given = with_finite_sum(given) if np.isfinite(given).all() else given
        if not np.isfinite(given).all() or (given < 0).any() or not given[codes].any():
            raise ValueError(
                f"class_weight must not be negative, infinite, NaN, or zero for every "
                f"class, got {class_weight!r}."
            )
        return given

    def shares(self, balanced_batches, codes):
        """The share of each class in a batch, or None, from the parameter.

        Parameters
        ----------
        balanced_batches : bool or dict
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
        # A class of warm_start's or partial_fit's may have no row now.
        shares = shares * (np.bincount(codes, minlength=n_classes) > 0)
        return shares / shares.sum()

    def prior(self, codes, weights, shares):
        """The classes' ratio as training sees it.

        A class without rows has the ratio of one row.

        Parameters
        ----------
        codes : ndarray of int of shape (n_samples,)
        weights : ndarray of shape (n_samples,)
            Of samples, times those of their classes.
        shares : ndarray of shape (n_classes,) or None
            As `shares` gives them.
        """
        n_classes = len(self.classes)
        totals = np.bincount(codes, weights=weights, minlength=n_classes)
        if shares is not None:
            counts = np.bincount(codes, minlength=n_classes)
            totals *= shares * len(codes) / np.maximum(counts, 1)
        totals = np.where(totals > 0, totals, weights[weights > 0].min())
        return totals / totals.sum()


class _Scored(ClassifierMixin, BaseEstimator):
    """Probabilities that are there already, in a form that scorers take."""

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


def probabilities(outputs):
    """Outputs of shape (n_samples, 1 or n_classes) as rows that sum to 1, float64."""
    outputs = outputs.astype(np.float64)
    if outputs.shape[1] == 1:
        return np.hstack([1 - outputs, outputs])
    return outputs / outputs.sum(axis=1, keepdims=True)


def log_of(probabilities):
    """Logarithms; that of 0 is minus infinity."""
    with np.errstate(divide="ignore"):
        return np.log(probabilities)


def check_labels(y, n_rows, name="y"):
    """Validate class labels.

    Returns
    -------
    y : ndarray of shape (n_samples,)
    """
    if y is None and name == "y_val":
        raise ValueError("X_val needs y_val, got y_val=None.")
    if y is None:
        raise ValueError(
            f"The estimator requires {name} to be passed, but the target {name} is "
            f"None. Give an array of class labels."
        )
    y = np.asarray(y)
    if y.ndim > 1 and type_of_target(y).startswith("multilabel"):
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
    y = column_or_1d(y, warn=True)
    check_rows(name, y, n_rows)
    if y.dtype.kind == "f" or y.dtype == object:
        check_array(
            y.reshape(-1, 1), dtype=None, ensure_all_finite=True, input_name=name
        )
    try:
        np.unique(y)
    except TypeError as error:
        kinds = sorted({type(label).__name__ for label in y})
        raise ValueError(
            f"{name} must hold labels of one kind, which can be sorted, got {kinds}. "
            f"Turn them all into strings, or fill in what is missing."
        ) from error
    check_classification_targets(y)
    return y


def learn_labels(y, classes):
    """The classes of a first fit, as `Labels`.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
    classes : array-like or None
        All classes that there are; None: those in y.
    """
    found = np.unique(y if classes is None else classes)
    if len(found) < 2:
        raise ValueError(
            f"y must hold labels of at least 2 classes, got 1 class: {found[0]!r}."
        )
    return Labels(found)
