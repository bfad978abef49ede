"""Dense networks over the flattened or pooled sequence."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from skseq._classification import SequenceClassifier
from skseq._engine.activations import ACTIVATION, check_activations
from skseq._engine.networks import Dense
from skseq._engine.recipe import RECORDS
from skseq._engine.tables import Columns
from skseq._engine.train import with_scale
from skseq._layers import MANY_ROWS, StackedNetwork
from skseq._lists import is_list_of_rows
from skseq._padded import PaddedRows
from skseq._parameters import parameter
from skseq._regression import SequenceRegressor
from skseq._tables import (
    Categories,
    bins_of,
    robust_scale_of,
    sample_of,
    varied_columns,
)
from skseq._validation import StrOptions, check_rates, check_sizes, nearest
from skseq._window_array import WindowArray

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from skseq._engine.types import Activations

# The options of each embedding of numbers, with their defaults.
_EMBEDDINGS = {
    "piecewise": {"n_bins": 8},
    "periodic": {"n_frequencies": 8, "sigma": 0.3, "width": 8},
}
# The number of sequences below which a classifier has a lower learning rate, and a
# network a weight decay.
_FEW_ROWS = 500
_EXPECTED = {Integral: "an int of at least 1", Real: "a positive number"}


class DenseNetwork(StackedNetwork):
    """Mixin with the parameters of dense networks.

    Attributes
    ----------
    dense_units_ : tuple of int
        Number of units of each hidden layer.
    dropout_ : tuple of float
        The dropout of the input of the first layer, followed by the dropout of each
        hidden layer.
    is_categorical_ : ndarray of bool of shape (`n_features_in_`,)
        Mask of the columns of X that are categorical. Only with
        ``categorical_features``.
    """

    dense_units: int | Sequence[int] | Literal["auto"] = parameter(
        default="auto",
        constraint=[Integral, tuple, list, StrOptions({"auto"})],
        text="""int, tuple of int, or "auto"
        Number of units of each hidden layer. ``()``: no hidden layer; the network is
        then a logistic or linear regression. ``"auto"``: one hidden layer, of 128 units
        for a table, and of 100 units for sequences.""",
        kw_only=False,
    )
    activation: Activations = parameter(
        default="relu",
        constraint=[*ACTIVATION, tuple, list],
        text="""str, dict, keras.layers.Layer, callable, None, or tuple of those
        Activation of each hidden layer: the name of a Keras activation, a dict with a
        name and options such as ``{"name": "leaky_relu", "negative_slope": 0.2}``, a
        Keras layer, or a function. A tuple has one for each layer. None: no activation.
        """,
    )
    dropout: float | Sequence[float] | Literal["auto"] = parameter(
        default="auto",
        constraint=[Real, tuple, list, StrOptions({"auto"})],
        text="""float, tuple of float, or "auto"
        Dropout after each hidden layer: the fraction in [0, 1) of its outputs that
        training sets to zero at random. A tuple has one value for each layer; it may
        begin with a value for the input of the first layer. With token ids, a single
        number also applies to the embedding, and a tuple may begin with the value for
        the embedding: whole features of the token vectors are dropped, at all timesteps
        of a row (Tompson et al., 2015).

        ``"auto"`` is 0 for sequences and without hidden layers. For a table it depends
        on the number of rows:

        - classifiers: 0.2 for the input and 0.5 for each hidden layer with fewer than
          1,000 rows; otherwise 0 and 0.3;
        - regressors: 0 for the input and 0.3 for each hidden layer with fewer than
          1,000 rows; otherwise 0 and 0.1.""",
    )
    pooling: Literal["flatten", "mean", "max", "attention"] = parameter(
        default="flatten",
        constraint=[StrOptions({"flatten", "mean", "max", "attention"})],
        text="""{"flatten", "mean", "max", "attention"}
        How a sequence is passed to the first layer: all timesteps, concatenated
        (``"flatten"``); their mean or maximum; or a weighted mean with weights that are
        learned (``"attention"``, Yang et al., 2016). The last three ignore the order of
        the timesteps, and suit token ids.""",
    )
    numeric_embedding: (
        Literal["auto", "piecewise", "periodic"] | dict[str, Any] | None
    ) = parameter(
        default="auto",
        constraint=[StrOptions({"auto", *_EMBEDDINGS}), dict, None],
        text="""{"auto", "piecewise", "periodic"}, dict or None
        Embedding of the numeric columns of a table: the first layer reads a vector for
        each number, in addition to the number itself (Gorishniy et al., 2022). A table
        is a 2-D X without padding, whose columns are neither token ids nor grouped by
        ``n_timesteps``. The columns are first scaled by their median and interquartile
        range in the training rows, and extreme values are smoothly limited, so that X
        needs no scaler. The scaled numbers are also connected directly to the outputs,
        as in a linear model (Cheng et al., 2016). Columns with only two values get no
        vector.

        - ``"piecewise"``: one element for each of 8 bins, whose edges are quantiles of
          the training rows: 0 below the bin, 1 above it, and linear within it. It takes
          almost no time.
        - ``"periodic"``: sines and cosines of the number with 8 frequencies that are
          learned, followed by a dense layer with 8 units and ReLU, shared by all
          columns. The initial frequencies are normally distributed with standard
          deviation 0.3. A step of training takes several times as long.

        A dict has a name and options, such as ``{"name": "piecewise", "n_bins": 16}``
        or ``{"name": "periodic", "n_frequencies": 8, "sigma": 0.3, "width": 8}``.
        ``"auto"``: ``"piecewise"`` for a table, if there are hidden layers, and
        otherwise None. None: the columns are used as they are, without scaling.""",
    )
    categorical_features: ArrayLike | Literal["from_dtype"] | None = parameter(
        default=None,
        constraint=["array-like", StrOptions({"from_dtype"}), None],
        text="""array-like of int, bool or str, "from_dtype" or None
        The categorical columns of a table, as in
        `sklearn.ensemble.HistGradientBoostingClassifier`: integer positions, a boolean
        mask, or the names of columns of a dataframe; ``"from_dtype"``: the columns of a
        dataframe with a categorical dtype. The network learns an embedding, a vector
        for each category (Guo and Berkhahn, 2016), whose length is the fourth root of
        the largest number of categories in a column. Values are integer codes from 0,
        such as those of `sklearn.preprocessing.OrdinalEncoder`; in a dataframe they may
        also be categories or strings. Negative codes, missing categories, and
        categories that are not in the training rows are treated as unknown. None: no
        column is categorical.""",
    )

    @property
    def _auto_decay(self):
        # Without hidden layers it is a linear model, which has no penalty by default.
        is_table, is_few = self._varied is not None, self._n_rows < _FEW_ROWS
        decays = is_table or (is_few and not self._reads_tokens)
        return 0.5 if decays and self.dense_units_ else None

    # How values of categories become codes, and how many codes each column has.
    _categories: Categories | None = None

    _records: ClassVar[tuple[type, ...]] = (*RECORDS, Categories)
    _n_codes: tuple = ()

    # Which columns of a table are numbers with more than two values; None for other
    # rows.
    _varied = None

    # With "auto" as dropout: the rate of what the first layer reads, and that of each
    # layer, for a small table and for a large one.
    _auto_dropout: ClassVar = ((0.2, 0.5), (0.0, 0.3))

    def _check_rows(self, X, **options):
        reset = options["reset"]
        if reset:
            for attribute in ("_categories", "is_categorical_"):
                vars(self).pop(attribute, None)
        if self.categorical_features is None:
            return super()._check_rows(X, **options)
        if reset:
            is_list = is_list_of_rows(X) or isinstance(X, WindowArray)
            self._require_table("categorical_features", is_list or np.ndim(X) != 2)
            self._categories = Categories(self.categorical_features, X)
        X = self._categories.encode(X)
        rows = super()._check_rows(X, **options)
        self._categories.check(rows, options.get("name", "X"))
        if reset:
            self.is_categorical_ = self._categories.is_categorical
        return rows

    def _require_table(self, parameter, has_timesteps):
        """Raise where a parameter can't be used, because X is no table."""
        obstacle = self._no_table_by(has_timesteps)
        if obstacle:
            raise ValueError(
                f"{parameter} needs a 2-D X whose columns are no timesteps, got "
                f"{getattr(self, parameter)!r} with {obstacle}. Set {parameter}=None."
            )

    def _no_table_by(self, has_timesteps):
        """Say why X is no table; an empty string if it is one."""
        if self._reads_tokens:
            return "token ids"
        for name, value in (
            ("mask_value", None), ("pretrained", None), ("pooling", "flatten"),
            ("n_timesteps", None), ("n_static", 0),
        ):  # fmt: skip
            if np.any(getattr(self, name) != value):  # an array is refused later
                return f"{name}={getattr(self, name)!r}"
        return "rows of timesteps" if has_timesteps else ""

    def _learn_lengths(self, whole, held_out, resume):
        super()._learn_lengths(whole, held_out, resume)
        X = whole.X
        has_timesteps = self._n_dimensions_in != 2 or isinstance(X, PaddedRows)
        if self.numeric_embedding not in ("auto", None):
            self._require_table("numeric_embedding", has_timesteps)
        if not resume:
            is_table = not self._no_table_by(has_timesteps)
            self._varied = varied_columns(X) if is_table else None
            self._n_codes = ()
            if self._categories is not None:
                self._varied &= ~self.is_categorical_
                self._n_codes = self._categories.n_codes(X)
        self.dense_units_, self.dropout_ = self._sizes()

    def _sizes(self):
        """Choose the widths of the hidden layers, and the rates of dropout."""
        units, rates = self.dense_units, self.dropout
        is_table, is_large = self._varied is not None, self._n_rows >= MANY_ROWS
        if units == "auto":
            units = 128 if is_table else 100
        units = check_sizes("dense_units", units, may_be_empty=True)
        n_layers = len(units)
        if rates == "auto":
            drops = is_table and n_layers > 0
            first, of_layers = self._auto_dropout[is_large] if drops else (0.0, 0.0)
            return units, (first, *(of_layers for _ in units))
        is_sequence = isinstance(rates, list | tuple)
        if is_sequence and len(rates) == n_layers + 1 and not self._reads_tokens:
            return units, check_rates("dropout", rates, n_layers + 1)
        first, of_each = self._split_rates(n_layers)
        return units, (first, *of_each)

    # -------------------------------------------------------------------- the network

    def _columns(self):
        """Get the first layers over the columns of a table, or None."""
        name, options = self._embedding_of_numbers()
        if self._varied is None or (name is None and self._categories is None):
            return None
        is_number = np.ones(len(self._varied), bool)
        if self._categories is not None:
            is_number = ~self.is_categorical_
        embedded = np.flatnonzero(self._varied) if name else ()
        return Columns(
            numbers=_as_ints(np.flatnonzero(is_number)),
            embedded=_as_ints(embedded),
            kind=name,
            size=options.get("n_bins", options.get("n_frequencies", 0)),
            sigma=float(options.get("sigma", 0)),
            width=options.get("width", 0),
            categories=_as_ints(np.flatnonzero(~is_number)),
            n_codes=self._n_codes,
            # By the rule of thumb of the fourth root.
            category_width=math.ceil(max(self._n_codes, default=0) ** 0.25),
        )

    def _embedding_of_numbers(self):
        """Get the name of the embedding of numbers, or None, and its options."""
        chosen = self.numeric_embedding
        if chosen == "auto":
            is_deep_table = self._varied is not None and self.dense_units_
            chosen = "piecewise" if is_deep_table else None
        if chosen is None:
            return None, {}
        options = dict(chosen) if isinstance(chosen, dict) else {"name": chosen}
        name = options.pop("name", None)
        if name not in _EMBEDDINGS:
            raise ValueError(
                f"numeric_embedding must be a dict with the 'name' of an embedding, "
                f"got {chosen!r}.{nearest(name, _EMBEDDINGS)}"
            )
        defaults = _EMBEDDINGS[name]
        for key, value in options.items():
            if key not in defaults:
                raise ValueError(
                    f"numeric_embedding must hold options of {name!r}, got {key!r}."
                    f"{nearest(key, defaults)}"
                )
            kind = Real if key == "sigma" else Integral
            if isinstance(value, bool) or not isinstance(value, kind) or not value > 0:
                raise ValueError(
                    f"numeric_embedding must hold {_EXPECTED[kind]} as {key!r}, got "
                    f"{value!r}."
                )
        return name, {**defaults, **options}

    def _network(self, head):
        dense_units, (first_rate, *dropout) = self.dense_units_, self.dropout_
        columns = self._columns()
        n_inputs = None if columns is None else columns.n_features
        return Dense(
            **self._shape_in,
            **self._stacked(
                "dense", [(width,) for width in dense_units], "dense_units",
                dropout=first_rate if self._reads_tokens else 0.0, n_inputs=n_inputs,
            ),
            head=head,
            dense_units=dense_units,
            activation=check_activations(
                "activation", self.activation, len(dense_units)
            ),
            dropout=tuple(dropout),
            pooling=self.pooling,
            input_dropout=(first_rate,) * (first_rate > 0 and not self._reads_tokens),
            columns=columns,
        )  # fmt: skip

    def _first_state(self, recipe, seed, rows, target):
        state = super()._first_state(recipe, seed, rows, target)
        columns = recipe.network.columns
        if columns is None or columns.kind is None:
            return state
        table = sample_of(rows.X, rows.index)
        values = []
        if columns.numbers:
            values.append(robust_scale_of(table[:, columns.numbers]))
        if columns.embedded and columns.kind == "piecewise":
            values.append(bins_of(table[:, columns.embedded], columns.size))
        values = [np.reshape(one, (2, -1)) for one in values]
        return with_scale(recipe, state, values)


def _as_ints(values):
    return tuple(int(value) for value in values)


class DenseClassifier(DenseNetwork, SequenceClassifier):
    """Dense (feed-forward) network for classification.

    A multilayer perceptron [1]_ for tables and for flattened sequences. For sequences
    it is a baseline: if a recurrent or convolutional network is not better, the order
    of the timesteps is of little use. With ``pooling="mean"`` and ``embedding_dim`` it
    is a bag-of-words model for texts.

    The numeric columns of a table are scaled and embedded by the network itself [2]_,
    see ``numeric_embedding``, and so are the columns in ``categorical_features`` [3]_.
    The default dropout depends on the number of rows.

    See Also
    --------
    LSTMClassifier : LSTM network.
    GRUClassifier : GRU network.
    SimpleRNNClassifier : Simple recurrent network.
    Conv1DClassifier : 1-D convolutional network.
    SequenceReshaper : Converts the columns of a table to sequences.

    References
    ----------
    .. [1] D. E. Rumelhart, G. E. Hinton and R. J. Williams, "Learning representations
       by back-propagating errors", Nature 323, 1986.
    .. [2] Y. Gorishniy, I. Rubachev and A. Babenko, "On embeddings for numerical
       features in tabular deep learning", NeurIPS 2022.
    .. [3] C. Guo and F. Berkhahn, "Entity embeddings of categorical variables",
       arXiv:1604.06737, 2016.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.preprocessing import scale
    >>> from skseq import DenseClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> net = DenseClassifier(early_stopping=True, monitor="roc_auc_ovr",
    ...                       random_state=0)
    >>> net.fit(scale(X), y).predict_proba(scale(X)).shape
    (150, 3)
    >>> net.best_epoch_ <= net.n_iter_
    True
    """

    __module__ = "skseq"

    @property
    def _default_rate(self):
        is_low = self._reads_tokens or self._n_rows < _FEW_ROWS
        return 0.003 if is_low else super()._default_rate


class DenseRegressor(DenseNetwork, SequenceRegressor):
    """Dense (feed-forward) network for regression.

    A multilayer perceptron [1]_ for tables and for flattened sequences. For sequences
    it is a baseline: if a recurrent or convolutional network is not better, the order
    of the timesteps is of little use. By default, y is standardized internally, see
    ``scale_target``.

    The numeric columns of a table are scaled and embedded by the network itself [2]_,
    see ``numeric_embedding``, and so are the columns in ``categorical_features`` [3]_.
    The default dropout depends on the number of rows.

    See Also
    --------
    DenseClassifier : The same network for classification.
    LSTMRegressor : LSTM network.
    GRURegressor : GRU network.
    SimpleRNNRegressor : Simple recurrent network.
    Conv1DRegressor : 1-D convolutional network.

    References
    ----------
    .. [1] D. E. Rumelhart, G. E. Hinton and R. J. Williams, "Learning representations
       by back-propagating errors", Nature 323, 1986.
    .. [2] Y. Gorishniy, I. Rubachev and A. Babenko, "On embeddings for numerical
       features in tabular deep learning", NeurIPS 2022.
    .. [3] C. Guo and F. Berkhahn, "Entity embeddings of categorical variables",
       arXiv:1604.06737, 2016.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.model_selection import cross_val_score
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skseq import DenseRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> net = make_pipeline(StandardScaler(), DenseRegressor(random_state=0))
    >>> bool(cross_val_score(net, X, y, cv=3).mean() > 0.3)
    True
    """

    __module__ = "skseq"

    _default_rate = 0.003

    # The target has more to tell than a class.
    _auto_dropout = ((0.0, 0.3), (0.0, 0.1))
