"""Schedules of the learning rate over all steps of a fit.

A schedule is an array of factors, one for each step, by which the learning rate is
multiplied. They are values to a program, which needs no new trace for another schedule.
"""

import numpy as np

# The share of the steps in which the rate rises, and the factors with which it starts
# and ends, as in Smith and Topin (2019) and in PyTorch.
_RISING = 0.3
_FIRST = 1 / 25
_LAST = _FIRST / 1e4


def _between(start, end, progress):
    """Go from one factor to another along half a period of a cosine."""
    return end + (start - end) * (1 + np.cos(np.pi * progress)) / 2


def one_cycle(progress):
    """Compute the factors at a share of all steps, in [0, 1]."""
    rising = _between(_FIRST, 1.0, progress / _RISING)
    falling = _between(1.0, _LAST, (progress - _RISING) / (1 - _RISING))
    return np.where(progress < _RISING, rising, falling)


def cosine(progress):
    """Compute the factors at a share of all steps, in [0, 1]."""
    return _between(1.0, 0.0, progress)


SCHEDULES = {"one_cycle": one_cycle, "cosine": cosine}


def factors(schedule, first, last, n_steps):
    """Compute the factors of some steps of a fit.

    Parameters
    ----------
    schedule : {"one_cycle", "cosine"} or None
        None: the factors are 1.
    first, last : int
        The first step, counted from 0, and the one after the last.
    n_steps : int
        The number of steps in the fit.

    Returns
    -------
    factors : ndarray of shape (last - first,), float32
    """
    if schedule is None:
        return np.ones(last - first, np.float32)
    # In the middle of each step, so that no step has a rate of 0.
    progress = (np.arange(first, last) + 0.5) / n_steps
    return SCHEDULES[schedule](progress).astype(np.float32)


# With "auto" as epochs: the number of steps to train for.
_AUTO_STEPS = 600

# With "auto" as batch size: numbers of training rows, and the batch size below them.
_BATCH_SIZES = {500: 16, 5000: 32}
_LARGEST_BATCH = 128


def choose_batch_size(n_rows):
    """Choose the number of rows in a batch."""
    return next(
        (size for limit, size in _BATCH_SIZES.items() if n_rows < limit), _LARGEST_BATCH
    )


def choose_epochs(n_rows, batch_size, least):
    """Choose the number of epochs by the number of steps in them.

    Parameters
    ----------
    n_rows, batch_size : int
    least : int
        The least number of epochs.
    """
    n_steps = -(-n_rows // batch_size)
    return max(-(-_AUTO_STEPS // n_steps), least)
