"""The base class of classifiers: labels, probabilities, imbalanced classes."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from sklearn.base import ClassifierMixin

from skseq._engine.losses import LOSS, smooths_labels, takes_logits, target_form
from skseq._engine.networks import Head
from skseq._engine.train import with_output_bias
from skseq._lists import is_frame, is_whole
from skseq._parameters import parameter
from skseq._rows import Given, Part
from skseq._supervised import SupervisedEstimator
from skseq._targets import Labels, check_classes, learn_labels, log_of, probabilities
from skseq._validation import HasMethods, Interval, StrOptions, public_fit

if TYPE_CHECKING:
    from typing import Self

    from numpy.typing import ArrayLike

    from skseq._engine.types import Loss


class SequenceClassifier(ClassifierMixin, SupervisedEstimator):
    """Base class of classifiers.

    A family defines ``_network``, which makes the network for a head.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The class labels, sorted.

    n_classes_ : int
        Number of classes.

    sampler_ : sampler
        The sampler, fitted on the training rows, or on their row numbers if it uses
        only the labels. A sampler of imbalanced-learn is wrapped in a
        `SequenceResampler`. Only with ``sampler``.
    """

    loss: Loss = parameter(
        default=None,
        constraint=[*LOSS, None],
        text="""str, keras.losses.Loss, callable or None
        The loss, the function that training minimizes: the name of a Keras loss, a loss
        object, or a function ``loss(y_true, y_pred)``. None: ``"binary_crossentropy"``
        (log loss) for two classes, and otherwise ``"sparse_categorical_crossentropy"``.
        Keras' own losses get the labels in the form that they need. Your own function
        or loss gets 0 and 1 for two classes, and otherwise one-hot encoded labels.""",
        group="training",
    )
    label_smoothing: float = parameter(
        default=0.0,
        constraint=[Interval(Real, 0, 1, closed="left")],
        text="""float
        Fraction in [0, 1) of each label that is distributed evenly over all classes, so
        that predicted probabilities are less extreme (Szegedy et al., 2016). For
        ``loss=None`` and for the cross-entropies of Keras that have a parameter of this
        name.""",
        group="training",
    )
    class_weight: dict[Any, float] | Literal["balanced"] | None = parameter(
        default=None,
        constraint=[dict, StrOptions({"balanced"}), None],
        text="""dict, "balanced" or None
        Weight of each class: a dict ``{label: weight}``, or ``"balanced"`` for weights
        inversely proportional to the class frequencies (total sample weights) in the
        training rows. They are multiplied with ``sample_weight``.""",
        group="classes",
    )
    sampler: Any = parameter(
        default=None,
        constraint=[HasMethods("fit_resample"), None],
        text="""imbalanced-learn sampler or None
        Sampler that resamples the training rows in ``fit``, after validation rows were
        held out. Sequences are flattened for samplers of imbalanced-learn, see
        `SequenceResampler`. ``class_weight="balanced"`` is computed from the resampled
        rows. A parameter of the sampler can be set with
        ``set_params(sampler__k_neighbors=3)``.""",
        group="classes",
    )
    balanced_batches: bool | dict[Any, float] = parameter(
        default=False,
        constraint=["boolean", dict],
        text="""bool or dict
        Whether each batch is drawn such that all classes have equal shares. A dict
        ``{label: share}`` sets other shares. The number of steps in an epoch does not
        change: in an epoch, rows of a rare class are used several times. Not with
        ``class_weight="balanced"``.""",
        group="classes",
    )
    output_bias: Literal["prior"] | None = parameter(
        default=None,
        constraint=[StrOptions({"prior"}), None],
        text="""{"prior"} or None
        Initial bias of the output layer. ``"prior"``: the network first predicts the
        class frequencies of the training rows, so that it need not learn them in the
        first epochs (T.-Y. Lin et al., "Focal loss for dense object detection", ICCV
        2017). None: zero.""",
        group="classes",
    )

    _nested_parameters = (*SupervisedEstimator._nested_parameters, "sampler")
    _target_kind = Labels

    @property
    def _default_rate(self):
        return 0.003 if self._is_table else 0.01

    # Whether the loss takes outputs before sigmoid or softmax.
    _from_logits = False

    @public_fit
    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        X_val: ArrayLike | None = None,
        y_val: ArrayLike | None = None,
        sample_weight_val: ArrayLike | None = None,
        groups: ArrayLike | None = None,
        X_unlabeled: ArrayLike | None = None,
    ) -> Self:
        """Fit the network.

        Parameters
        ----------
        X : list of array-like of shape (n_timesteps_i, n_features), or array-like or \
                dataframe of shape (n_samples, n_timesteps, n_features) or \
                (n_samples, n_columns)
            Training sequences, without missing values. ``n_timesteps`` determines how
            the columns of a 2-D X form timesteps.
        y : array-like of shape (n_samples,)
            Class labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights. They are divided by their mean, so that only their
            ratios matter. Rows with weight zero are not used. Not with a ``sampler``
            that generates new rows.
        X_val : array-like of the same kind as X, default=None
            Validation rows. With ``early_stopping``, they are used in place of held-out
            training rows. Otherwise they do not affect training; their loss and
            ``monitor`` after each epoch are in ``history_``.
        y_val : array-like of shape (n_val_samples,), default=None
            Labels of ``X_val``.
        sample_weight_val : array-like of shape (n_val_samples,), default=None
            Weights of the rows of ``X_val``, for the validation loss and score.
        groups : array-like of shape (n_samples,), default=None
            Group of each row, such as a customer. ``early_stopping`` holds out whole
            groups, so that no group is in both the training and the validation rows.
        X_unlabeled : array-like of the same kind as X, default=None
            Further rows, without labels. An unfitted autoencoder in ``pretrained`` is
            fitted on these rows and on the training rows of X. The earlier steps of a
            pipeline do not transform these rows: transform them before you pass them.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If the data or a parameter is invalid, or if the loss becomes NaN or
            infinite. An estimator that was fitted before keeps its earlier fit.
        TypeError
            If X is sparse, or a parameter has the wrong type.
        """
        given = Given(
            X, y, sample_weight, groups, X_val, y_val, sample_weight_val, X_unlabeled
        )
        self._fit_all(given)
        return self

    @public_fit
    def partial_fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        classes: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Train for one epoch on X, starting from the current weights.

        Parameters
        ----------
        X : list of array-like of shape (n_timesteps_i, n_features), or array-like or \
                dataframe of shape (n_samples, n_timesteps, n_features) or \
                (n_samples, n_columns)
            A part of the training sequences.
        y : array-like of shape (n_samples,)
            The class labels of these rows.
        classes : array-like of shape (n_classes,), default=None
            All class labels that occur in any call. Required in the first call.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If ``classes`` is missing in the first call, ``y`` has a label that is not
            in ``classes``, ``early_stopping`` is True, ``class_weight`` is
            ``"balanced"``, or ``sampler`` is set.
        """
        self._check_partial()
        if isinstance(self.class_weight, str):
            raise ValueError(
                f"class_weight must be a dict or None with partial_fit, got "
                f"{self.class_weight!r}: the class frequencies are not known. Pass the "
                f"weights of sklearn.utils.class_weight.compute_class_weight as a dict."
            )
        if self.sampler is not None:
            raise ValueError(
                f"sampler must be None with partial_fit, got {self.sampler!r}: a "
                f"sampler needs all rows at once. Resample X and y before."
            )
        resume = self.__sklearn_is_fitted__()
        if classes is None and not resume:
            raise ValueError(
                "classes must be passed on the first call to partial_fit, got None. "
                "Pass all labels that can come, for instance classes=np.unique(y)."
            )
        given = Given(X, y, sample_weight, classes=classes)
        self._fit(given, epochs=1, resume=resume, min_rows=1)
        return self

    @public_fit
    def initialize(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Initialize the weights without training, so that ``predict`` can be called.

        Parameters
        ----------
        X : list of array-like of shape (n_timesteps_i, n_features), or array-like or \
                dataframe of shape (n_samples, n_timesteps, n_features) or \
                (n_samples, n_columns)
            Sequences with the shape of the training sequences.
        y : array-like of shape (n_samples,)
            Class labels; every class must occur.

        Returns
        -------
        self : object
            The estimator with its initial weights.
        """
        self._fit(Given(X, y), epochs=0)
        return self

    def predict_proba(self, X: ArrayLike) -> np.ndarray:
        """Predict class probabilities.

        Parameters
        ----------
        X : list of array-like of shape (n_timesteps_i, n_features), or array-like or \
                dataframe of shape (n_samples, n_timesteps, n_features) or \
                (n_samples, n_columns)
            Sequences with the same features as the X of ``fit``.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes)
            Columns in the order of ``classes_``; rows sum to 1.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        ValueError
            If the shape or the columns of X differ from those in ``fit``, or a row has
            more timesteps than the network can read.
        """
        return probabilities(self._outputs(X), self._from_logits)

    def predict_log_proba(self, X: ArrayLike) -> np.ndarray:
        """Predict logarithms of class probabilities.

        Parameters
        ----------
        X : list of array-like of shape (n_timesteps_i, n_features), or array-like or \
                dataframe of shape (n_samples, n_timesteps, n_features) or \
                (n_samples, n_columns)
            Sequences with the same features as the X of ``fit``.

        Returns
        -------
        log_probabilities : ndarray of shape (n_samples, n_classes)
            Columns in the order of ``classes_``.
        """
        return log_of(self.predict_proba(X))

    def predict(self, X: ArrayLike) -> np.ndarray:
        """Predict the most probable class of each row.

        Parameters
        ----------
        X : list of array-like of shape (n_timesteps_i, n_features), or array-like or \
                dataframe of shape (n_samples, n_timesteps, n_features) or \
                (n_samples, n_columns)
            Sequences with the same features as the X of ``fit``.

        Returns
        -------
        labels : ndarray of shape (n_samples,)
            Class labels, as in the y of ``fit``.
        """
        best = self.predict_proba(X).argmax(axis=1)
        return self.classes_[best]

    # ------------------------------------------------------- steps of fit, see `_fit`

    def _learn_target(self, y, classes, resume):
        vars(self).pop("sampler_", None)  # of an earlier fit
        if not resume:
            target = learn_labels(y, classes)
            self.classes_, self.n_classes_ = target.classes, len(target.classes)
            return target
        if classes is not None:
            found = check_classes(classes)
            if not np.array_equal(found, self.classes_):
                raise ValueError(
                    f"classes must be the same at every call, got {found} after "
                    f"{self.classes_}."
                )
        return Labels(self.classes_)

    def _network_and_loss(self, target):
        n_classes = len(target.classes)
        form = None if self.loss is None else target_form(self.loss)
        if n_classes == 2 and form is None:
            head = Head(1, "sigmoid")
        else:
            head = Head(n_classes, "softmax")
        if self.loss is not None and takes_logits(self.loss, self.loss_params):
            head = Head(head.n_outputs, None)
        network = self._network(head)
        loss = self._chosen_loss()
        self._check_outputs(network.n_outputs, n_classes, loss)
        if loss is None and network.n_outputs == 1:
            loss = "binary_crossentropy"
        elif loss is None:
            smooth = self.label_smoothing > 0
            loss = f"{'' if smooth else 'sparse_'}categorical_crossentropy"
        form = target_form(loss)
        form = "column" if network.n_outputs == 1 else form or "indicator"
        self._from_logits = takes_logits(loss, self.loss_params)
        return network, loss, Labels(target.classes, form, self._from_logits)

    def _loss_options(self):
        options = super()._loss_options()
        if not self.label_smoothing:
            return options
        loss, params = self._chosen_loss(), options["loss_params"]
        if loss is not None and not smooths_labels(loss):
            raise ValueError(
                f"label_smoothing must be 0 with a loss that does not smooth labels, "
                f"got label_smoothing={self.label_smoothing} and loss={loss!r}. Use "
                f"loss=None."
            )
        if params.setdefault("label_smoothing", self.label_smoothing) != (
            self.label_smoothing
        ):
            raise ValueError(
                f"label_smoothing must equal that in loss_params, got "
                f"{self.label_smoothing} and {self.loss_params!r}. Leave it out of "
                f"loss_params."
            )
        return options

    def _check_outputs(self, n_outputs, n_classes, loss):
        """Raise unless a model has the outputs that the classes and the loss need."""
        allowed, expected = {n_classes}, f"{n_classes} outputs, one for each class,"
        if n_classes == 2 and (loss is None or target_form(loss) is None):
            allowed, expected = {1, 2}, "1 output with sigmoid, or 2 with softmax,"
        if n_outputs not in allowed:
            raise ValueError(
                f"model must have {expected} for {n_classes} classes and loss="
                f"{loss!r}, got {n_outputs}. Let the function return the tensor before "
                f"the last layer, which is then added."
            )

    def _resample(self, given, rows, target):
        if self.sampler is None:
            return rows
        # Imported here, because imbalanced-learn is an extra.
        from skseq._resampling import resample_training

        # Whole numbers in a dataframe may be amounts, and need not be ids.
        whole = self._reads_tokens or not is_frame(given.X) and is_whole(given.X)
        self.sampler_, X, index, labels, weights = resample_training(
            self.sampler, rows.X, rows.index, target.classes[rows.codes], rows.weights,
            flat=self._n_dimensions_in == 2, whole=whole, seed=int(self._seeds[2]),
        )  # fmt: skip
        if len(np.unique(labels)) < 2:
            raise ValueError(
                f"sampler must leave rows of at least 2 classes, got class "
                f"{labels.tolist()[0]!r} alone from {self.sampler!r}."
            )
        return Part(X, index, target.encode(labels), weights)

    def _batch_strata(self, rows, target):
        shares = self._shares(rows, target)
        return None if shares is None else (rows.codes, shares)

    def _shares(self, rows, target):
        shares = target.shares(self.balanced_batches, rows.codes)
        if shares is not None and isinstance(self.class_weight, str):
            raise ValueError(
                "class_weight must be a dict or None with balanced_batches, got "
                "'balanced': rare classes would be weighted twice. Set one of the two."
            )
        return shares

    def _row_weights(self, rows, target):
        weights = rows.weights
        if self.class_weight is None:
            return weights
        by_class = target.class_weights(self.class_weight, rows.codes, weights)
        return weights * by_class[rows.codes]

    def _first_state(self, recipe, seed, rows, target):
        state = super()._first_state(recipe, seed, rows, target)
        if self.output_bias != "prior":
            return state
        weights = rows.weights / rows.weights.mean()
        if self.class_weight is not None:
            by_class = target.class_weights(self.class_weight, rows.codes, weights)
            weights = weights * by_class[rows.codes]
        shares = self._shares(rows, target)
        logarithms = np.log(target.prior(rows.codes, weights, shares))
        if recipe.network.n_outputs == 1:
            logarithms = logarithms[1:] - logarithms[:1]
        return with_output_bias(recipe, state, logarithms)
