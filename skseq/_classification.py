"""What classifiers add to the networks: labels, probabilities, uneven classes."""

from numbers import Real

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.class_weight import compute_class_weight

from skseq._networks import loss_name
from skseq._pretraining import (
    check_encoder,
    check_pretrained,
    fit_autoencoder,
    start_from,
)
from skseq._training import Rows, initial_state, with_output_bias
from skseq._validation import (
    HasMethods,
    StrOptions,
    check_labels,
    check_sequences,
    restores_on_error,
)


class _FittedView(ClassifierMixin, BaseEstimator):
    """Probabilities that are there already, in a form that scorers take."""

    def __init__(self, classes, probabilities):
        self.classes_ = classes
        self._probabilities = probabilities

    def predict_proba(self, X):
        return self._probabilities

    def predict(self, X):
        return self.classes_[self._probabilities.argmax(axis=1)]


class SequenceClassifierMixin(ClassifierMixin):
    """Labels, probabilities, class weights; before `SequenceEstimator` in the MRO."""

    _parameter_constraints = {
        "class_weight": [dict, StrOptions({"balanced"}), None],
        "sampler": [HasMethods("fit_resample"), None],
        "balanced_batches": ["boolean", dict],
        "output_bias": [StrOptions({"prior"}), None],
    }

    @restores_on_error
    def fit(
        self,
        X,
        y,
        sample_weight=None,
        *,
        X_val=None,
        y_val=None,
        sample_weight_val=None,
        groups=None,
        X_unlabeled=None,
    ):
        """Fit the network.

        Parameters
        ----------
        X : array-like or dataframe of shape (n_samples, n_timesteps, n_features) or \
                (n_samples, n_columns)
            Training sequences, without missing values. The columns of a 2-D X are read
            step by step, see ``n_timesteps``.
        y : array-like of shape (n_samples,)
            Class labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights, not negative. Only their ratios count; a row of weight zero is a
            row that is not there. A ``sampler`` that makes rows takes none.
        X_val : array-like of the same kind as X, default=None
            Rows to watch. With ``early_stopping`` they are watched in place of rows
            held out; without it they are only recorded in ``history_``.
        y_val : array-like of shape (n_val_samples,), default=None
            Labels of ``X_val``.
        sample_weight_val : array-like of shape (n_val_samples,), default=None
            Weights of ``X_val``, in its loss and its score.
        groups : array-like of shape (n_samples,), default=None
            Groups that ``early_stopping`` keeps on one side when it holds out rows.
        X_unlabeled : array-like of the same kind as X, default=None
            Rows without labels, which an unfitted ``pretrained`` is fitted on, together
            with the training rows of X. A pipeline hands them on as they are: give them
            as its steps before the network would.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If the data or a parameter is not as it must be, or the loss does not stay
            finite. A fitted estimator is then as it was.
        TypeError
            If X is sparse, or a parameter has the wrong type.
        """
        resume = bool(self.warm_start) and self.__sklearn_is_fitted__()
        if resume and X_unlabeled is not None:
            raise ValueError(
                "X_unlabeled must be None where warm_start goes on, got an array: the "
                "network has started already."
            )
        return self._train(
            X, y, sample_weight, epochs=self.epochs, resume=resume, X_val=X_val,
            y_val=y_val, sample_weight_val=sample_weight_val, groups=groups,
            X_unlabeled=X_unlabeled, early_stopping=self.early_stopping,
        )  # fmt: skip

    @restores_on_error
    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """Train for one epoch over X, going on from where training stands.

        Parameters
        ----------
        X : array-like or dataframe of shape (n_samples, n_timesteps, n_features) or \
                (n_samples, n_columns)
            Some of the training sequences.
        y : array-like of shape (n_samples,)
            Their class labels.
        classes : array-like of shape (n_classes,), default=None
            All labels that will ever come. Needed at the first call; may be left out
            later.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights, not negative.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If ``classes`` is missing at the first call, ``y`` holds a label that is not
            in it, ``early_stopping`` is True, ``class_weight`` is ``"balanced"``, or
            there is a ``sampler``.
        """
        if self.early_stopping:
            raise ValueError(
                "early_stopping must be False with partial_fit, got True: which rows "
                "would be held out is not defined over calls."
            )
        if isinstance(self.class_weight, str):
            raise ValueError(
                f"class_weight must be a dict or None with partial_fit, got "
                f"{self.class_weight!r}: the class frequencies are not known. Give "
                f"sklearn.utils.class_weight.compute_class_weight's weights as a dict."
            )
        if self.sampler is not None:
            raise ValueError(
                f"sampler must be None with partial_fit, got {self.sampler!r}: the "
                f"rows of one call say little of all. Resample X and y before."
            )
        resume = self.__sklearn_is_fitted__()
        if classes is None and not resume:
            raise ValueError(
                "classes must be passed on the first call to partial_fit, got None."
            )
        return self._train(
            X, y, sample_weight, epochs=1, resume=resume, classes=classes, min_rows=1
        )

    @restores_on_error
    def initialize(self, X, y):
        """Draw the first weights without training, so that ``predict`` works.

        Parameters
        ----------
        X : array-like or dataframe of shape (n_samples, n_timesteps, n_features) or \
                (n_samples, n_columns)
            Sequences of the shape that is to come.
        y : array-like of shape (n_samples,)
            Labels that hold every class.

        Returns
        -------
        self : object
            The estimator with its first weights.
        """
        return self._train(X, y, None, epochs=0, resume=False)

    def predict_proba(self, X):
        """Probabilities of the classes.

        Parameters
        ----------
        X : array-like or dataframe of shape (n_samples, n_timesteps, n_features) or \
                (n_samples, n_columns)
            Sequences of the kind that the estimator was fitted on.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes)
            Columns in the order of ``classes_``; rows sum to 1.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        ValueError
            If X has another shape or other columns than the X of ``fit``.
        """
        return _probabilities(self._outputs(X))

    def predict_log_proba(self, X):
        """Logarithms of ``predict_proba``.

        Parameters
        ----------
        X : array-like or dataframe of shape (n_samples, n_timesteps, n_features) or \
                (n_samples, n_columns)
            Sequences of the kind that the estimator was fitted on.

        Returns
        -------
        log_probabilities : ndarray of shape (n_samples, n_classes)
            Columns in the order of ``classes_``.
        """
        with np.errstate(divide="ignore"):  # a probability of 0 is minus infinity
            return np.log(self.predict_proba(X))

    def predict(self, X):
        """The most probable class of each row.

        Parameters
        ----------
        X : array-like or dataframe of shape (n_samples, n_timesteps, n_features) or \
                (n_samples, n_columns)
            Sequences of the kind that the estimator was fitted on.

        Returns
        -------
        labels : ndarray of shape (n_samples,)
            Labels as they were given to ``fit``.
        """
        probabilities = self.predict_proba(X)
        return self.classes_[probabilities.argmax(axis=1)]

    # ------------------------------------------- what `SequenceEstimator._train` asks

    @property
    def _prepare(self):
        """What the network reads, from rows; None where it is the rows themselves."""
        autoencoder = getattr(self, "pretrained_", None)
        return None if autoencoder is None else autoencoder._prepare

    def _settle_before(self, X, index, weights, X_unlabeled, recipe, seeds):
        vars(self).pop("pretrained_", None)
        check_pretrained(self.pretrained, X_unlabeled)
        if self.pretrained is None:
            return
        check_encoder(self.pretrained, recipe.network)

        if X_unlabeled is not None:
            X_unlabeled = check_sequences(
                self, X_unlabeled, reset=False, name="X_unlabeled"
            )
        self.pretrained_ = fit_autoencoder(
            self.pretrained, X, index, X_unlabeled, self.n_timesteps,
            self._n_dimensions_in == 2,
            int(np.random.default_rng(seeds[0]).integers(2**31)),
        )  # fmt: skip

    def _resample(self, X, index, y, weights, seed):
        vars(self).pop("sampler_", None)
        if self.sampler is None:
            return X, index, y, weights
        # Not above: imbalanced-learn is an extra.
        from skseq._resampling import resample_training

        self.sampler_, X, index, labels, weights = resample_training(
            self.sampler, X, index, self.classes_[y], weights,
            flat=self._n_dimensions_in == 2, seed=seed,
        )  # fmt: skip
        if len(np.unique(labels)) < 2:
            raise ValueError(
                f"sampler must leave rows of at least 2 classes, got class "
                f"{labels[0]!r} alone from {self.sampler!r}."
            )
        return X, index, self._encode(labels, "y"), weights

    def _batch_strata(self, y):
        shares = self._shares(y)
        return None if shares is None else (y, shares)

    def _shares(self, y):
        """The share of each class in a batch, in the order of ``classes_``, or None."""
        if not self.balanced_batches and not isinstance(self.balanced_batches, dict):
            return None
        if isinstance(self.class_weight, str):
            raise ValueError(
                "class_weight must be a dict or None with balanced_batches, got "
                "'balanced': rare classes would count twice over. Choose one of both."
            )
        shares = np.ones(self.n_classes_)
        if isinstance(self.balanced_batches, dict):
            given = self.balanced_batches
            shares = [given.get(label, np.nan) for label in self.classes_.tolist()]
            if (
                len(given) != len(shares)
                or not all(isinstance(share, Real) for share in shares)
                or not np.isfinite(shares).all()
                or min(shares) <= 0
            ):
                raise ValueError(
                    f"balanced_batches must be a bool, or a dict with a share above 0 "
                    f"for each of the classes {self.classes_.tolist()}, got {given!r}."
                )
        # A class of warm_start's or partial_fit's may have no row now.
        shares = shares * (np.bincount(y, minlength=self.n_classes_) > 0)
        return shares / shares.sum()

    def _first_state(self, recipe, seed, y, weights):
        state = initial_state(recipe, seed)
        if self.output_bias == "prior":
            logarithms = np.log(self._prior(y, weights))
            if recipe.network["n_outputs"] == 1:
                logarithms = logarithms[1:] - logarithms[:1]
            state = with_output_bias(recipe, state, logarithms)
        if self.pretrained is None:
            return state
        return start_from(self.pretrained_, recipe, state)

    def _prior(self, y, weights):
        """The classes' ratio as training sees it; one of no rows has that of a row."""
        weights = weights / weights.mean()
        if self.class_weight is not None:
            weights = weights * self._class_weights(y, weights)[y]
        totals = np.bincount(y, weights=weights, minlength=self.n_classes_)
        shares = self._shares(y)
        if shares is not None:
            totals *= (
                shares * len(y) / np.maximum(np.bincount(y, minlength=len(shares)), 1)
            )
        least = weights[weights > 0].min()
        totals = np.where(totals > 0, totals, least)
        return totals / totals.sum()

    def _check_target(self, y, n_rows, name="y"):
        if y is None and name == "y_val":
            raise ValueError("X_val needs y_val, got y_val=None.")
        return check_labels(y, n_rows, name)

    def _encode_target(self, y, *, resume, classes):
        """Settle ``classes_`` and give y as indices into it."""
        found = np.unique(y if classes is None else classes)
        if not resume:
            if len(found) < 2:
                raise ValueError(
                    f"y must hold labels of at least 2 classes, got 1 class: "
                    f"{found[0]!r}."
                )
            self.classes_, self.n_classes_ = found, len(found)
        elif classes is not None and not np.array_equal(found, self.classes_):
            raise ValueError(
                f"classes must be the same at every call, got {found} after "
                f"{self.classes_}."
            )
        return self._encode(y, "y")

    def _encode(self, y, name):
        """Indices into ``classes_``."""
        known = np.isin(y, self.classes_)
        if not known.all():
            raise ValueError(
                f"{name} must hold labels of the classes {self.classes_} alone, got "
                f"{np.unique(y[~known])}."
            )
        return np.searchsorted(self.classes_, y)

    def _head(self):
        """The loss, and the head's part of a network's dict."""
        loss = self.loss
        if loss is None:
            loss = (
                "binary_crossentropy"
                if self.n_classes_ == 2
                else "sparse_categorical_crossentropy"
            )
        if self.n_classes_ == 2 and "categorical" not in loss_name(loss):
            return loss, {"n_outputs": 1, "output_activation": "sigmoid"}
        return loss, {"n_outputs": self.n_classes_, "output_activation": "softmax"}

    def _rows(self, X, index, y, weights, recipe, *, class_weight=False):
        """Encoded labels in the form of the loss, and weights with a mean of 1."""
        if class_weight:
            weights = weights * self._class_weights(y, weights)[y]
        if recipe.network["n_outputs"] == 1:
            target = y.astype(np.float32).reshape(-1, 1)
        elif loss_name(recipe.loss).startswith("sparse_"):
            target = y.astype(np.int32)
        else:
            target = np.eye(self.n_classes_, dtype=np.float32)[y]
        weights = (weights / weights.mean()).astype(np.float32)
        return Rows(X, index, target, weights, self._prepare)

    def _class_weights(self, y, weights):
        """A weight for each class, in the order of ``classes_``."""
        if self.class_weight == "balanced":
            totals = np.bincount(y, weights=weights, minlength=self.n_classes_)
            # A class of warm_start's that has no row now has nothing to weigh.
            return 1 / np.where(totals > 0, totals, 1)
        given = compute_class_weight(
            self.class_weight, classes=self.classes_, y=self.classes_
        )
        if not np.isfinite(given).all() or (given < 0).any() or not given[y].any():
            raise ValueError(
                f"class_weight must not be negative, infinite, NaN, or zero for every "
                f"class, got {self.class_weight!r}."
            )
        return given

    def _strata(self, y):
        return y

    def _check_parts(self, y, rest, held_out, remedy):
        for part, rows in (("rest", rest), ("held-out part", held_out)):
            if len(np.unique(y[rows])) < 2:
                raise ValueError(
                    f"validation_split={self.validation_split!r} must leave at least 2 "
                    f"classes on either side, got a {part} of {len(rows)} rows with a "
                    f"single class. {remedy}"
                )

    def _as_fitted(self, outputs, y):
        """What a scorer needs: an estimator with these outputs, and labels."""
        view = _FittedView(self.classes_, _probabilities(outputs))
        return view, self.classes_[y]


def _probabilities(outputs):
    """Outputs of shape (n_samples, 1 or n_classes) as rows that sum to 1, float64."""
    outputs = outputs.astype(np.float64)
    if outputs.shape[1] == 1:
        return np.hstack([1 - outputs, outputs])
    return outputs / outputs.sum(axis=1, keepdims=True)
