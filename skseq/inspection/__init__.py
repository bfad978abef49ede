"""Inspect fitted networks: importances, attributions, filters and attention."""

from skseq.inspection._displays import (
    AttributionDisplay,
    FilterDisplay,
    PermutationImportanceDisplay,
)
from skseq.inspection._gradients import integrated_gradients
from skseq.inspection._layers import (
    attention_weights,
    convolution_filters,
    top_windows,
)
from skseq.inspection._permutation import permutation_importance

__all__ = [
    "AttributionDisplay",
    "FilterDisplay",
    "PermutationImportanceDisplay",
    "attention_weights",
    "convolution_filters",
    "integrated_gradients",
    "permutation_importance",
    "top_windows",
]
