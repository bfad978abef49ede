"""The order of rows in an epoch, with NumPy alone."""

import numpy as np

# An X larger than this many bytes is shuffled in blocks of neighbouring rows: first the
# blocks, then the rows within as many blocks as fit in this many bytes. Reading from
# disk then stays nearly sequential.
_SHUFFLED_BYTES = 2**28
_BLOCK_BYTES = 2**18


def epoch_order(schedule, epoch, n_rows, row_bytes):
    """Compute the order of rows in an epoch.

    Parameters
    ----------
    schedule : skseq._engine.recipe.Schedule
    epoch : int
        Counted from 0.
    n_rows : int
    row_bytes : int
        Bytes that a row of X takes as float32.

    Returns
    -------
    order : ndarray of int of shape (n_rows,)
    rng : numpy.random.Generator
        For further draws in this epoch. Its state depends only on the schedule's seed
        and the epoch.
    """
    rng = np.random.default_rng([schedule.seed, epoch])
    if schedule.strata is not None:

        def arrange(rows, *of):
            if not schedule.shuffle:
                return rows
            rng = np.random.default_rng([schedule.seed, 2, *of])
            return rows[shuffled(len(rows), row_bytes, rng)]

        return balanced(*schedule.strata, epoch, arrange), rng
    if schedule.shuffle:
        return shuffled(n_rows, row_bytes, rng), rng
    return np.arange(n_rows), rng


def shuffled(n_rows, row_bytes, rng):
    """Draw a random order of rows, in blocks if X is large."""
    if n_rows * row_bytes <= _SHUFFLED_BYTES:
        return rng.permutation(n_rows)
    block = max(_BLOCK_BYTES // row_bytes, 1)
    starts = rng.permutation(np.arange(0, n_rows, block))
    together = max(_SHUFFLED_BYTES // (block * row_bytes), 1)
    order = []
    for first in range(0, len(starts), together):
        rows = starts[first : first + together, None] + np.arange(block)
        order.append(rng.permutation(rows[rows < n_rows]))
    return np.concatenate(order)


def balanced(classes, shares, epoch, arrange):
    """Order rows so that every batch has the classes in given shares.

    The order has as many rows as there are. Each class continues through its rows from
    epoch to epoch, so that every row of it is used once before any is used again.

    Parameters
    ----------
    classes : ndarray of int of shape (n_rows,)
    shares : ndarray of shape (n_classes,)
        They sum to 1; 0 for a class without rows.
    epoch : int
        Counted from 0.
    arrange : callable
        ``arrange(rows, label, n_rounds)`` orders the rows of a class, which were all
        used ``n_rounds`` times before.
    """
    n_rows = len(classes)
    present = np.flatnonzero(shares)
    is_rare = n_rows * shares < 1
    # The rows of each class are placed at even distances, then all are merged.
    places, labels, n_before = [], [], {}
    for label in present:
        share = shares[label]
        if not is_rare[label]:
            # Further places, for rare classes that have no row in this epoch.
            n_places = int(np.ceil(n_rows * share)) + is_rare[present].sum()
            place = (np.arange(n_places) + 0.5) / share
        else:
            # A class with less than one row for each epoch is placed over all epochs.
            turns = np.arange(*_turns(epoch, n_rows * share))
            n_before[label] = turns[0] if len(turns) else 0
            place = (turns + 0.5) / share - epoch * n_rows
        places.append(place)
        labels.append(np.full(len(place), label))
    turns = np.concatenate(labels)
    turns = turns[np.argsort(np.concatenate(places), kind="stable")[:n_rows]]
    order = np.empty(n_rows, int)
    for label in np.unique(turns):
        turn, rows = np.flatnonzero(turns == label), np.flatnonzero(classes == label)
        n_taken = n_before.get(label, epoch * len(turn))
        n_rounds, first = divmod(n_taken, len(rows))
        drawn = [
            arrange(rows, label, n_rounds + i)
            for i in range(-(-(first + len(turn)) // len(rows)))
        ]
        order[turn] = np.concatenate(drawn)[first : first + len(turn)]
    return order


def _turns(epoch, per_epoch):
    """Compute the first turn of an epoch, and the first of the next one."""
    first, last = (
        int(np.ceil(number * per_epoch - 0.5)) for number in (epoch, epoch + 1)
    )
    return first, last
