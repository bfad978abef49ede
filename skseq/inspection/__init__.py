"""Look inside fitted networks."""

from skseq.inspection._gradients import integrated_gradients
from skseq.inspection._layers import (
    attention_weights,
    convolution_filters,
    top_windows,
)

__all__ = [
    "attention_weights",
    "convolution_filters",
    "integrated_gradients",
    "top_windows",
]
