"""The parameters that all families have for their layers, and for token ids."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from numbers import Integral
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from skseq._engine.layer_params import check_layer_params
from skseq._engine.optimizers import is_elementwise
from skseq._engine.parts import Embedding
from skseq._engine.train import with_vectors
from skseq._padded import as_padded, count_static, range_of_scales
from skseq._parameters import Declared, parameter
from skseq._supervised import SupervisedEstimator
from skseq._tokens import (
    PADDING_ID,
    check_tokens,
    n_tokens_in,
    seen_in,
    with_unknown,
)
from skseq._validation import Interval, StrOptions, check_rates

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


# The ratio of the quartiles of the standard deviations of rows from which on rows are
# scaled by themselves by default.
_MANY_SCALES = 10


# From this number of rows on, a table is large for the choice of defaults.
MANY_ROWS = 1000


class TokenNetwork(Declared):
    """Mixin with the parameters of networks that read token ids.

    Attributes
    ----------
    n_tokens_ : int
        Number of token ids that have a vector: the largest id in ``fit`` plus 1, or the
        number of rows of ``embedding_weights``. Only with an embedding.
    """

    embedding_dim: int | None = parameter(
        default=None,
        constraint=[Interval(Integral, 1, None, closed="left"), None],
        text="""int or None
        Embedding of token ids (words or other categories as integers): the length of
        the vector that the network learns for each id (Bengio et al., 2003). X then
        consists of integers, either 2-D, with each column a timestep, or 3-D with one
        feature. The id 0 is padding. The id 1 is the unknown token; ids that are not in
        the training rows are treated as unknown. `TextSequencer` makes such ids from
        texts. None: X consists of numeric features, unless ``embedding_weights`` are
        set.""",
    )
    embedding_weights: ArrayLike | None = parameter(
        default=None,
        constraint=["array-like", None],
        text="""array-like of shape (n_tokens, embedding_dim) or None
        Initial vectors of the token ids 0, 1, 2 and so on, such as pretrained word2vec
        vectors. ``embedding_dim`` is then not needed. None: small random numbers.""",
    )
    embedding_trainable: bool = parameter(
        default=True,
        constraint=["boolean"],
        text="""bool
        Whether training changes the vectors of the token ids.""",
    )

    # The ids that training has seen; None: all that have a vector.
    _seen = None

    @property
    def _reads_tokens(self):
        return self.embedding_dim is not None or self.embedding_weights is not None

    def _embedding(self, dropout):
        """Get the first layer of the network, or None."""
        if not self._reads_tokens:
            return None
        width = self.embedding_dim
        if self.embedding_weights is not None:
            width = np.shape(self.embedding_weights)[1]
        return Embedding(
            n_tokens=self.n_tokens_,
            width=int(width),
            trainable=bool(self.embedding_trainable),
            dropout=dropout,
        )

    def _split_rates(self, n_layers):
        """Get the rate of ``dropout`` for the embedding, and that of each layer."""
        rates = self.dropout
        if not self._reads_tokens:
            return 0.0, check_rates("dropout", rates, n_layers)
        is_for_all = not isinstance(rates, list | tuple)
        if is_for_all or len(rates) == n_layers + 1:
            first, *rest = check_rates("dropout", rates, n_layers + 1)
            return first, tuple(rest)
        return 0.0, check_rates("dropout", rates, n_layers)

    # ------------------------------------------------------- steps of fit, see `_fit`

    def _validate(self, given, resume, min_rows):
        if self._reads_tokens:
            self._check_options()
        return super()._validate(given, resume, min_rows)

    def _check_options(self):
        """Raise for parameters that can't be used with token ids."""
        for name, value, remedy in (
            ("mask_value", self.mask_value or None, "Leave it out: 0 is padding."),
            ("pretrained", self.pretrained, "Pass vectors as embedding_weights."),
        ):
            if value is not None:
                raise ValueError(
                    f"{name} must be None with token ids, got {value!r}. {remedy}"
                )
        if self.embedding_weights is None:
            return
        try:
            vectors = np.asarray(self.embedding_weights, np.float32)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"embedding_weights must hold numbers, got an array that can't be "
                f"used: {error}"
            ) from error
        if vectors.ndim != 2 or len(vectors) < 2 or not vectors.shape[1]:
            raise ValueError(
                f"embedding_weights must have the shape (n_tokens, embedding_dim), "
                f"with a row for each id from 0, padding, and 1, the unknown token, "
                f"got {vectors.shape}."
            )
        if self.embedding_dim not in (None, vectors.shape[1]):
            raise ValueError(
                f"embedding_dim must be the number of columns of embedding_weights, "
                f"{vectors.shape[1]}, or None, got {self.embedding_dim}."
            )
        if not np.isfinite(vectors).all():
            place = np.argwhere(~np.isfinite(vectors))[0].tolist()
            raise ValueError(
                f"embedding_weights must hold finite numbers, got "
                f"{vectors[tuple(place)]} in row {place[0]}."
            )

    def _check_rows(self, X, **options):
        if not self._reads_tokens:
            return super()._check_rows(X, **options)
        return as_padded(check_tokens(self, X, **options), PADDING_ID)

    def _learn_lengths(self, whole, held_out, resume):
        super()._learn_lengths(whole, held_out, resume)
        if resume and hasattr(self, "n_tokens_"):
            return
        vars(self).pop("n_tokens_", None)
        if self.embedding_weights is not None:
            self.n_tokens_ = len(self.embedding_weights)
        elif self._reads_tokens:
            self.n_tokens_ = n_tokens_in(whole)

    def _learn_rows(self, rows, resume):
        super()._learn_rows(rows, resume)
        before = self._seen if resume else False
        vars(self).pop("_seen", None)
        if not self._reads_tokens or self.embedding_weights is not None:
            return
        if before is None:
            return
        seen = seen_in(rows, self.n_tokens_) | before
        if not seen.all():
            self._seen = seen

    @property
    def _prepare(self):
        if self._seen is None:
            return super()._prepare
        return partial(with_unknown, seen=self._seen)

    def _first_state(self, recipe, seed, rows, target):
        state = super()._first_state(recipe, seed, rows, target)
        if self.embedding_weights is None:
            return state
        return with_vectors(recipe, state, self.embedding_weights)


class StackedNetwork(TokenNetwork):
    """Mixin with the parameters of stacked layers.

    Attributes
    ----------
    n_static_ : int
        Number of static features, see ``n_static``.
    """

    if not TYPE_CHECKING:  # mypy would compare them with those of SciKeras
        epochs: int | Literal["auto"] = "auto"
        batch_size: int | Literal["auto"] = "auto"
    schedule: Literal["one_cycle", "cosine"] | None = "one_cycle"

    normalization: Literal["batch", "layer"] | None = parameter(
        default=None,
        constraint=[StrOptions({"batch", "layer"}), None],
        text="""{"batch", "layer"} or None
        Normalization of the outputs of each layer, before the activation. ``"batch"``:
        each feature is standardized over the rows of a batch (Ioffe and Szegedy, 2015).
        ``"layer"``: each row is standardized over its features (Ba, Kiros and Hinton,
        2016). None: no normalization.""",
    )
    layer_params: dict[str, Any] | tuple[dict[str, Any], ...] | None = parameter(
        default=None,
        constraint=[dict, tuple, list, None],
        text="""dict, tuple of dict or None
        Further arguments of the Keras layers, such as ``{"kernel_initializer":
        "he_normal", "kernel_regularizer": keras.regularizers.L2(1e-4)}``. A tuple has a
        dict for each layer. A single argument can be set with
        ``set_params(layer__kernel_initializer="he_normal")``.""",
    )

    n_static: int | Literal["auto"] = parameter(
        default=0,
        constraint=[Interval(Integral, 0, None, closed="left"), StrOptions({"auto"})],
        text="""int or "auto"
        Number of static features: features that do not change over time, such as the
        age of a customer. They must be the last features of each timestep. The network
        reads them only once, and concatenates them with the output of the layers over
        time. ``"auto"``: as many of the last features as are constant over time in
        every row of X, such as those that `SequenceReshaper` repeats at each timestep.
        """,
    )

    per_row: Literal["auto", "append"] | None = parameter(
        default="auto",
        constraint=[StrOptions({"auto", "append"}), None],
        text="""{"auto", "append"} or None
        Whether the network additionally reads each row standardized by itself, for rows
        of very different magnitude, whose shape would otherwise be lost. ``"append"``:
        the features are replaced by their inverse hyperbolic sine, and the same number
        of features is appended: each feature minus the mean of the row, divided by the
        standard deviation of the row, both over all timesteps and features. ``"auto"``:
        ``"append"`` if the third quartile of the standard deviations of the rows is at
        least 10 times the first; never for a table in which each column is a timestep,
        for token ids, or with ``pretrained``. None: no such scaling.""",
    )

    n_networks: int = parameter(
        default=1,
        constraint=[Interval(Integral, 1, None, closed="left")],
        text="""int
        Number of networks that are trained at the same time, from different initial
        weights. Their outputs are averaged (deep ensemble), which is usually more
        accurate than a single network (Lakshminarayanan, Pritzel and Blundell, 2017).
        """,
        group="training",
    )

    _dict_parameters: ClassVar[dict[str, str]] = {
        **SupervisedEstimator._dict_parameters,
        "layer": "layer_params",
    }

    # The number of rows of the first fit, and whether the network scales each row by
    # itself.
    _n_rows = 0
    _scales_rows = False

    def _learn_lengths(self, whole, held_out, resume):
        super()._learn_lengths(whole, held_out, resume)
        if not resume:
            self._n_rows = len(whole)
        self._learn_static(whole, resume)
        if resume and self.per_row == "auto":
            return
        obstacle = self._one_scale_by()
        if self.per_row == "append" and obstacle:
            raise ValueError(
                f"per_row must be 'auto' or None with {obstacle}, got {self.per_row!r}."
            )
        self._scales_rows = self.per_row == "append"
        if self.per_row == "auto" and not obstacle:
            self._scales_rows = range_of_scales(whole.X) >= _MANY_SCALES

    def _one_scale_by(self):
        """Say why rows can't be scaled by themselves; an empty string if they can."""
        if self._is_table:
            return "a 2-D X without n_timesteps, whose columns have scales of their own"
        if self._reads_tokens:
            return "token ids"
        return "pretrained" if self.pretrained is not None else ""

    def _learn_static(self, whole, resume):
        if resume and self.n_static == "auto":
            return
        self.n_static_ = self.n_static
        if self.n_static == "auto":
            self.n_static_ = 0 if self._reads_tokens else count_static(whole.X)
        elif self.n_static >= self._shape_in["n_features"]:
            raise ValueError(
                f"n_static must be less than the number of features of a timestep, "
                f"{self._shape_in['n_features']}, got {self.n_static}. Use a "
                f"DenseClassifier or DenseRegressor for a table without sequences."
            )
        if self.n_static_ and self.pretrained is not None:
            raise ValueError(
                f"n_static must be 0 with pretrained, whose encoder reads all features "
                f"over time, got {self.n_static!r}."
            )

    def _new_recipe(self, target):
        recipe, target = super()._new_recipe(target)
        if self.n_networks == 1:
            return recipe, target
        if not is_elementwise(recipe.optimizer, recipe.optimizer_params):
            raise ValueError(
                f"n_networks must be 1 with an optimizer that does not update each "
                f"weight independently, got n_networks={self.n_networks} and optimizer="
                f"{self.optimizer!r} with optimizer_params={self.optimizer_params!r}. "
                f"Use 'adam' or 'sgd'."
            )
        return replace(recipe, n_networks=int(self.n_networks)), target

    def _changed_network(self, recipe):
        before = self._recipe.n_networks
        if recipe.n_networks != before:
            return f"n_networks={self.n_networks} after {before}"
        before = self._recipe.network.n_static
        if recipe.network.n_static != before:
            return f"n_static={self.n_static} after {before}"
        before = self._recipe.network.scales_rows
        if recipe.network.scales_rows != before:
            return f"per_row={self.per_row!r} after {'append' if before else None!r}"
        return super()._changed_network(recipe)

    def _stacked(
        self, kind, sizes, sizes_name, bidirectional=False, dropout=0.0, n_inputs=None
    ):
        """Get the options of the network that all families have.

        For the arguments see `skseq._engine.layer_params.check_layer_params`; `dropout`
        is that of the embedding, and `n_inputs` the number of features that the first
        layer reads, unless they are those of X.
        """
        shape = self._shape_in
        embedding = self._embedding(dropout)
        n_features = shape["n_features"] if embedding is None else embedding.width
        is_flat = kind == "dense" and self.pooling == "flatten"
        n_static = getattr(self, "n_static_", 0)
        n_first = (n_features - n_static) * (shape["n_timesteps"] if is_flat else 1)
        n_first *= 2 if self._scales_rows else 1
        n_first += n_static if kind == "dense" else 0
        n_first = n_first if n_inputs is None else n_inputs
        widths = [size[0] * (2 if bidirectional else 1) for size in sizes]
        return {
            "normalization": self.normalization,
            # Without normalization as in files of earlier versions.
            "normalizes_outputs": self.normalization is None,
            "layer_params": check_layer_params(
                self.layer_params, kind, sizes, sizes_name,
                n_inputs=[n_first, *widths][: len(sizes)], bidirectional=bidirectional,
            ),
            "embedding": embedding,
            "n_static": n_static,
            "scales_rows": self._scales_rows,
            # So that the model always takes 0 as padding.
            "masked": embedding is not None,
        }  # fmt: skip
