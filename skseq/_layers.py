"""The parameters that all families have for their layers."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from skseq._engine.layer_params import check_layer_params
from skseq._parameters import Declared, parameter
from skseq._supervised import SupervisedEstimator
from skseq._validation import StrOptions


class StackedNetwork(Declared):
    """Mixin with the parameters of stacked layers."""

    normalization: Literal["batch", "layer"] | None = parameter(
        default=None,
        constraint=[StrOptions({"batch", "layer"}), None],
        text="""{"batch", "layer"} or None
        Normalization between each layer and its activation: over the rows of a batch
        (Ioffe and Szegedy, 2015) or over the features (Ba, Kiros and Hinton, 2016).""",
    )
    layer_params: dict[str, Any] | tuple[dict[str, Any], ...] | None = parameter(
        default=None,
        constraint=[dict, tuple, list, None],
        text="""dict, tuple of dict or None
        Further arguments of the Keras layers, such as ``{"kernel_initializer":
        "he_normal", "kernel_regularizer": keras.regularizers.L2(1e-4)}``; a tuple has a
        dict for each layer. ``set_params(layer__kernel_initializer="he_normal")`` sets
        one.""",
    )

    _dict_parameters: ClassVar[dict[str, str]] = {
        **SupervisedEstimator._dict_parameters,
        "layer": "layer_params",
    }

    def _stacked(self, kind, sizes, sizes_name, bidirectional=False):
        """Get the options of the network that all families have.

        For the arguments see `skseq._engine.layer_params.check_layer_params`.
        """
        shape = self._shape_in
        n_first = shape["n_features"] * (shape["n_timesteps"] if kind == "dense" else 1)
        widths = [size[0] * (2 if bidirectional else 1) for size in sizes]
        return {
            "normalization": self.normalization,
            # Without normalization as in files of earlier versions.
            "normalizes_outputs": self.normalization is None,
            "layer_params": check_layer_params(
                self.layer_params, kind, sizes, sizes_name,
                n_inputs=[n_first, *widths][: len(sizes)], bidirectional=bidirectional,
            ),
        }  # fmt: skip
