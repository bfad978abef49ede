"""Stacked 1-D convolutions."""

from numbers import Integral, Real

from skseq._base import SequenceEstimator
from skseq._classification import SequenceClassifierMixin
from skseq._networks import check_activation
from skseq._validation import StrOptions, check_rates, check_sizes


class _ConvolutionalEstimator(SequenceEstimator):
    """The one ``__init__`` of convolutional estimators, and their network's part."""

    _parameter_constraints = {
        "filters": [Integral, tuple, list],
        "kernel_size": [Integral, tuple, list],
        "padding": [StrOptions({"same", "valid", "causal"})],
        "pool_size": [Integral, tuple, list],
        "pooling": [StrOptions({"mean", "max", "flatten"})],
        "activation": [str, callable, None],
        "dropout": [Real, tuple, list],
        "dense_units": [Integral, tuple, list],
    }

    def __init__(
        self,
        filters=(64, 64),
        *,
        kernel_size=5,
        padding="same",
        pool_size=1,
        pooling="max",
        activation="relu",
        dropout=0.0,
        dense_units=(),
        epochs=30,
        batch_size=32,
        optimizer="adam",
        learning_rate=None,
        optimizer_params=None,
        loss=None,
        loss_params=None,
        metrics=None,
        callbacks=None,
        early_stopping=False,
        validation_split=0.1,
        monitor="loss",
        patience=10,
        min_delta=0.0,
        shuffle=True,
        class_weight=None,
        sampler=None,
        balanced_batches=False,
        output_bias=None,
        n_timesteps=None,
        pretrained=None,
        random_state=None,
        warm_start=False,
        verbose=0,
    ):
        self.filters = filters
        self.kernel_size = kernel_size
        self.padding = padding
        self.pool_size = pool_size
        self.pooling = pooling
        self.activation = activation
        self.dropout = dropout
        self.dense_units = dense_units
        self.epochs = epochs
        self.batch_size = batch_size
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.optimizer_params = optimizer_params
        self.loss = loss
        self.loss_params = loss_params
        self.metrics = metrics
        self.callbacks = callbacks
        self.early_stopping = early_stopping
        self.validation_split = validation_split
        self.monitor = monitor
        self.patience = patience
        self.min_delta = min_delta
        self.shuffle = shuffle
        self.class_weight = class_weight
        self.sampler = sampler
        self.balanced_batches = balanced_batches
        self.output_bias = output_bias
        self.n_timesteps = n_timesteps
        self.pretrained = pretrained
        self.random_state = random_state
        self.warm_start = warm_start
        self.verbose = verbose

    def _network(self):
        filters = check_sizes("filters", self.filters)
        kernel_size = check_sizes("kernel_size", self.kernel_size, len(filters))
        pool_size = check_sizes("pool_size", self.pool_size, len(filters))
        check_activation("activation", self.activation)
        self._check_length(kernel_size, pool_size)
        return {
            "family": "convolutional",
            "filters": filters,
            "kernel_size": kernel_size,
            "padding": self.padding,
            "pool_size": pool_size,
            "pooling": self.pooling,
            "activation": self.activation,
            "dropout": check_rates("dropout", self.dropout, len(filters)),
            "dense_units": check_sizes(
                "dense_units", self.dense_units, may_be_empty=True
            ),
        }

    def _check_length(self, kernel_size, pool_size):
        """Raise if padding="valid" leaves a convolution nothing to run over."""
        if self.padding != "valid":
            return
        length = self.n_timesteps_in_
        for kernel, pool in zip(kernel_size, pool_size, strict=True):
            if kernel > length:
                raise ValueError(
                    f"kernel_size must be at most the number of timesteps with "
                    f"padding='valid', got {kernel} where {length} timesteps of "
                    f"{self.n_timesteps_in_} are left. Use padding='same' or smaller "
                    f"kernels."
                )
            length = -(-(length - kernel + 1) // pool)


class Conv1DClassifier(SequenceClassifierMixin, _ConvolutionalEstimator):
    """Convolutional network over time as a scikit-learn classifier.

    One or more 1-D convolutions [1]_ with optional max pooling, a pooling over all
    timesteps, optional dense layers, and an output for each class. The layers are
    Keras' own.

    Parameters
    ----------
    filters : int or tuple of int, default=(64, 64)
        Number of filters of the convolution, or of each of several stacked ones.

    kernel_size : int or tuple of int, default=5
        Length of the convolution window in timesteps, or one for each layer.

    padding : {"same", "valid", "causal"}, default="same"
        What happens at the ends of a sequence: zeros on both sides, no padding (each
        layer shortens the sequence), or zeros before the start alone, so that no output
        sees a later timestep.

    pool_size : int or tuple of int, default=1
        Each convolution is followed by the maximum over this many timesteps, or one for
        each layer; 1: by nothing.

    pooling : {"max", "mean", "flatten"}, default="max"
        How the last convolution's timesteps become one vector: the maximum or the mean
        over them, or all side by side.

    activation : str, callable or None, default="relu"
        Keras activation of the convolutions and of the hidden dense layers.

    dropout : float or tuple of float, default=0.0
        Fraction in [0, 1) of each convolution's outputs that training drops, or one for
        each layer.

    dense_units : int or tuple of int, default=()
        Widths of hidden dense layers between the convolutional part and the output.

    epochs : int, default=30
        Passes over the training rows.

    batch_size : int, default=32
        Rows for each step of the optimizer.

    optimizer : str, keras.optimizers.Optimizer or class of one, default="adam"
        An object's configuration is used, never the object itself.

    learning_rate : float, keras.optimizers.schedules.LearningRateSchedule or None, \
            default=None
        Step size of the optimizer, in place of an optimizer object's own. None keeps an
        object's own rate, and is 0.005 with a name.

    optimizer_params : dict or None, default=None
        Further arguments of the optimizer, such as ``{"clipnorm": 1.0}``.
        ``set_params(optimizer__clipnorm=1.0)`` sets one.

    loss : str, keras.losses.Loss, callable or None, default=None
        None: ``"binary_crossentropy"`` with two classes, otherwise
        ``"sparse_categorical_crossentropy"``. Losses whose name begins with
        ``"sparse_"`` get labels as ints; others get 0 and 1, or one column for each
        class.

    loss_params : dict or None, default=None
        Arguments of the loss, such as ``{"gamma": 3.0}`` of
        ``"binary_focal_crossentropy"``. ``set_params(loss__gamma=3.0)`` sets one.

    metrics : str, keras.metrics.Metric, callable, list or tuple of those, or None, \
            default=None
        Keras metrics to record in ``history_`` after each epoch.

    callbacks : keras.callbacks.Callback, list or tuple of those, or None, default=None
        They are copied before use; the copies are ``callbacks_``. One with hooks for
        batches makes ``fit`` stop at each batch, which takes several times as long.

    early_stopping : bool, default=False
        Whether to hold out validation rows, to stop when ``monitor`` no longer improves
        on them, and to keep the best epoch's weights.

    validation_split : float or cross-validation splitter, default=0.1
        What ``early_stopping`` holds out: a fraction in (0, 1) of the rows, shuffled
        and stratified by class (and of whole groups, if ``groups`` are given to
        ``fit``), or the last split of a scikit-learn splitter.

    monitor : str or callable, default="loss"
        What is watched on the validation rows: ``"loss"``, the name of a scikit-learn
        scorer such as ``"roc_auc"``, or a scorer.

    patience : int, default=10
        Epochs without improvement after which ``early_stopping`` stops.

    min_delta : float, default=0.0
        The least gain that counts as improvement for ``patience``.

    shuffle : bool, default=True
        Whether each epoch takes the rows in a new order.

    class_weight : dict, "balanced" or None, default=None
        Weights by class label, or ``"balanced"`` for weights inverse to the classes'
        total sample weight in the training rows. They multiply ``sample_weight``.

    sampler : imbalanced-learn sampler or None, default=None
        Resamples the rows to train on, after the rows to watch have been held out; see
        `SequenceResampler`, which takes three dimensions. ``class_weight="balanced"``
        goes by the resampled rows. Its parameters are set as ``sampler__k_neighbors``.

    balanced_batches : bool or dict, default=False
        Whether every batch is drawn with the classes in equal shares, or in those of a
        dict of labels. An epoch has as many steps as without, and rows of a rare class
        come several times. It takes no ``class_weight="balanced"``.

    output_bias : {"prior"} or None, default=None
        ``"prior"`` starts the output at the ratio of the classes in training, so that
        the first epochs need not learn it [2]_. None: the bias starts at zero.

    n_timesteps : int or None, default=None
        With a 2-D X: how many timesteps its columns hold, all features of the first
        timestep first. None: each column is a timestep with one feature.

    pretrained : AutoencoderTransformer, FrozenEstimator of one, or None, default=None
        Autoencoder of the same kind, whose encoder the network starts from: a fitted
        one in `sklearn.frozen.FrozenEstimator`, or an unfitted one that ``fit`` fits on
        its training rows and on ``X_unlabeled``. Rows are then scaled as the
        autoencoder scales them. It halves the timesteps at each layer: set
        ``pool_size=2``.

    random_state : int, RandomState instance or None, default=None
        Determines the first weights, the order of rows, dropout and the rows held out.
        Pass an int for the same result at each call.

    warm_start : bool, default=False
        Whether ``fit`` goes on from the last call for ``epochs`` more, with its
        weights, its optimizer's state and its epoch count.

    verbose : int, default=0
        1 shows a bar over the epochs, on standard error (where that is no terminal: one
        line at the end); 2 prints a line after each epoch.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels, sorted.

    n_classes_ : int
        Number of classes.

    n_features_in_ : int
        Columns of a 2-D X, or features of each timestep of a 3-D X.

    n_timesteps_in_ : int
        Timesteps that the network reads.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, if X was a dataframe whose names are all strings.

    history_ : dict of str to list of float
        A value for each epoch: ``"loss"``, the ``metrics``, and with validation rows
        ``"val_loss"``, ``"val_roc_auc"`` and so on.

    n_iter_ : int
        Epochs run since the first weights were drawn.

    best_epoch_ : int
        Epoch with the best score on the validation rows, counted from 1. Only with
        ``early_stopping`` or ``X_val``.

    best_score_ : float
        That score. Only with ``early_stopping`` or ``X_val``.

    callbacks_ : list of keras.callbacks.Callback
        The copies of ``callbacks`` that were used.

    pretrained_ : AutoencoderTransformer
        The fitted autoencoder that the network started from. Only with ``pretrained``.
    sampler_ : sampler
        As it was fitted on the training rows, or on their numbers where it goes by
        labels alone; imbalanced-learn's own in a `SequenceResampler`. Only with
        ``sampler``.

    model_ : keras.Model
        A new standalone model with a copy of the weights. Editing it changes nothing
        here. With ``pretrained`` it reads scaled rows.

    See Also
    --------
    LSTMClassifier : Long short-term memory.
    GRUClassifier : Gated recurrent units.
    SimpleRNNClassifier : Plain recurrence.
    DenseClassifier : No notion of time.
    SequenceReshaper : From the columns of a table to timesteps.

    References
    ----------
    .. [1] Y. LeCun and Y. Bengio, "Convolutional networks for images, speech, and time
       series", The Handbook of Brain Theory and Neural Networks, 1995.
    .. [2] T.-Y. Lin, P. Goyal, R. Girshick, K. He and P. Dollar, "Focal loss for dense
       object detection", ICCV 2017, where the output starts at a small prior.

    Examples
    --------
    >>> import numpy as np
    >>> from skseq import Conv1DClassifier
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 40, 1))
    >>> y = np.arange(200) % 2
    >>> for row, place in enumerate(rng.integers(0, 36, size=200)):
    ...     X[row, place : place + 4, 0] += 3 * y[row]  # a bump, anywhere
    >>> net = Conv1DClassifier(filters=16, random_state=0).fit(X[:150], y[:150])
    >>> bool(net.score(X[150:], y[150:]) > 0.9)
    True
    """
