"""The order of rows in an epoch, with NumPy alone."""

import numpy as np

# An X larger than this many bytes is shuffled in blocks of neighbouring rows: first the
# blocks, then the rows within as many blocks as fit in this many bytes. Reading from
# disk then stays nearly sequential.
_SHUFFLED_BYTES = 2**28
_BLOCK_BYTES = 2**18


def epoch_order(schedule, epoch, n_rows, row_bytes, blocks=None):
    """Compute the order of rows in an epoch.

    Parameters
    ----------
    schedule : skseq._engine.recipe.Schedule
    epoch : int
        Counted from 0.
    n_rows : int
    row_bytes : int
        Bytes that a row of X takes as float32.
    blocks : tuple or None
        See `skseq._lazy_array.LazyRows.stored`.

    Returns
    -------
    order : ndarray of int of shape (n_rows,)
    stops : ndarray of int
        The ends of the parts of the order that are read from a file at once.
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

        parts = [balanced(*schedule.strata, epoch, arrange)]
    elif schedule.shuffle:
        parts = _shuffled_parts(n_rows, row_bytes, rng, blocks)
    else:
        parts = [_positions(n_rows, n_rows)]
    if len(parts) == 1:
        size = max(_SHUFFLED_BYTES // row_bytes, 1)
        return parts[0], np.append(np.arange(size, n_rows, size), n_rows), rng
    return np.concatenate(parts), np.cumsum([len(part) for part in parts]), rng


def _positions(n_rows, *bounds):
    """Make a range of positions, in small integers: there is one for each row."""
    return np.arange(*bounds, dtype=np.int32 if n_rows < 2**30 else np.int64)


def is_in_blocks(n_rows, row_bytes):
    """Check whether rows are shuffled in blocks."""
    return n_rows * row_bytes > _SHUFFLED_BYTES


def shuffled(n_rows, row_bytes, rng):
    """Draw a random order of rows, in blocks if X is large."""
    return np.concatenate(_shuffled_parts(n_rows, row_bytes, rng))


def _shuffled_parts(n_rows, row_bytes, rng, blocks=None):
    """Draw a random order of rows, in parts that are shuffled each."""
    if not is_in_blocks(n_rows, row_bytes):
        return [rng.permutation(_positions(n_rows, n_rows))]
    if blocks is not None:
        return _shuffled_blocks(*blocks, n_rows, row_bytes, rng)
    block = max(_BLOCK_BYTES // row_bytes, 1)
    starts = rng.permutation(_positions(n_rows, 0, n_rows, block))
    together = max(_SHUFFLED_BYTES // (block * row_bytes), 1)
    within, order = _positions(n_rows, block), []
    for first in range(0, len(starts), together):
        rows = starts[first : first + together, None] + within
        order.append(rng.permutation(rows[rows < n_rows]))
    return order


def _shuffled_blocks(places, starts, n_rows, row_bytes, rng):
    """Shuffle blocks of unequal sizes, then the rows of as many as fit in memory."""
    sizes = np.diff(starts, append=n_rows)
    n_together = _SHUFFLED_BYTES // row_bytes
    if sizes.max() > max(_BLOCK_BYTES // row_bytes, 1):
        # A large block takes memory once more while it is read.
        n_together //= 2
    together, n_held = [[]], 0
    for block in rng.permutation(len(starts)).tolist():
        if n_held and n_held + sizes[block] > n_together:
            together.append([])
            n_held = 0
        together[-1].append(block)
        n_held += sizes[block]
    parts = []
    for blocks in together:
        rows = [_positions(n_rows, starts[i], starts[i] + sizes[i]) for i in blocks]
        rows = rng.permutation(np.concatenate(rows))
        parts.append(rows if places is None else places[rows])
    return parts


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
