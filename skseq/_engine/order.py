"""The order in which an epoch takes rows; NumPy alone."""

import numpy as np

# An X larger than this is shuffled by blocks of neighbouring rows: blocks change
# places, and rows within so many bytes of blocks. Reading stays near to sequential.
_SHUFFLED_BYTES = 2**28
_BLOCK_BYTES = 2**18


def epoch_order(schedule, epoch, n_rows, row_bytes):
    """The positions of rows in the order of an epoch, and a generator for what follows.

    Parameters
    ----------
    schedule : skseq._engine.recipe.Schedule
    epoch : int
        Counted from 0.
    n_rows : int
    row_bytes : int
        Bytes that a row of X takes.

    Returns
    -------
    order : ndarray of int of shape (n_rows,)
    rng : numpy.random.Generator
        It depends on the schedule's seed and the epoch alone.
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
    """A random order of rows; of a large X such that reading is near to sequential."""
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
    """An order of as many rows as there are, with the classes evenly in their shares.

    From epoch to epoch each class goes on through its rows, all of them before any
    comes again.

    Parameters
    ----------
    classes : ndarray of int of shape (n_rows,)
    shares : ndarray of shape (n_classes,)
        They sum to 1; 0 where there is no row.
    epoch : int
        Counted from 0.
    arrange : callable
        From a class' rows, the class and how often it has gone through them, to an
        order of them.
    """
    n_rows = len(classes)
    present = np.flatnonzero(shares)
    is_rare = n_rows * shares < 1
    # Each class by itself stands at even distances; together they take turns.
    places, labels, n_before = [], [], {}
    for label in present:
        share = shares[label]
        if not is_rare[label]:
            # The others fill the places of rare classes that have no turn.
            n_places = int(np.ceil(n_rows * share)) + is_rare[present].sum()
            place = (np.arange(n_places) + 0.5) / share
        else:
            # With less than a row for each epoch, a class is counted over all epochs.
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
    """The first turn of an epoch, and the first of the next one."""
    first, last = (
        int(np.ceil(number * per_epoch - 0.5)) for number in (epoch, epoch + 1)
    )
    return first, last
