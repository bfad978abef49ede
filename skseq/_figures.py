"""What all displays share: matplotlib, new axes, names along an axis, colours."""

import numpy as np

# The most names along an axis.
MOST_NAMES = 30


def pyplot():
    """Import pyplot, or raise an error that says how to get it."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            "A display needs matplotlib: pip install matplotlib"
        ) from error
    return plt


def new_axes(ax, **options):
    """Return the axes, or those of a new figure."""
    if ax is not None:
        return ax
    return pyplot().subplots(layout="constrained", **options)[1]


def name_ticks(axis, names, **options):
    """Write names along an axis; with many of them, some are left out."""
    step = -(-len(names) // MOST_NAMES)
    places = range(0, len(names), step)
    axis.set_ticks(places, [str(names[place]) for place in places], **options)


def text_color(ground):
    """Choose black or white for a text, by the luminance of the ground."""
    return "white" if np.dot(ground[:3], [0.3, 0.59, 0.11]) < 0.5 else "black"
