"""The parameters of fits that can be killed and go on."""

from __future__ import annotations

import os
from numbers import Integral
from typing import Literal

import numpy as np

from skseq import __version__
from skseq._engine.checkpoint import Checkpoint
from skseq._parameters import Declared, parameter
from skseq._validation import Interval, StrOptions


class Checkpointed(Declared):
    """Mixin with the parameters of checkpoints."""

    checkpoint: str | os.PathLike[str] | None = parameter(
        default=None,
        constraint=[str, os.PathLike, None],
        text="""str, path or None
        Folder in which ``fit`` regularly saves its state. If the process is stopped,
        the same call of ``fit`` continues from the saved state, and gives exactly the
        result of an uninterrupted fit. Each fit has its own file, named after a hash of
        everything that determines its result, so that the fits of a search can share a
        folder. ``random_state`` must be an int. ``partial_fit`` does not use
        checkpoints. See "Continue a fit or a search that was killed" in the user
        guide.""",
        group="other",
    )
    checkpoint_epochs: int | Literal["auto"] = parameter(
        default="auto",
        constraint=[Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        text="""int or "auto"
        Number of epochs between two checkpoints. ``"auto"``: such that the epochs
        between two checkpoints take at least 20 times as long as writing one, and at
        least a second.""",
        group="other",
    )

    def _saved(self):
        saved = super()._saved()
        if isinstance(saved.get("checkpoint"), os.PathLike):
            # Objects of paths are not in files of skops.
            saved["checkpoint"] = os.fspath(saved["checkpoint"])
        return saved

    def _check_checkpoint(self):
        """Raise unless two calls with the same parameters are the same."""
        seed = self.random_state
        is_int = isinstance(seed, Integral) and not isinstance(seed, bool | np.bool_)
        if self.checkpoint is not None and not is_int:
            raise ValueError(
                f"random_state must be an int with checkpoint, got {seed!r}: without a "
                f"seed, no call can continue an earlier one. Set random_state=0."
            )

    def _new_checkpoint(self, given):
        """Make the checkpoint of a fit with these arguments, or return None."""
        if self.checkpoint is None:
            return None
        # What a scorer may read, besides what the engine gets.
        arrays = [given.y, given.sample_weight, given.y_val, given.sample_weight_val]
        arrays = [None if one is None else np.asarray(one) for one in arrays]
        parts = [
            __version__,
            getattr(self, "monitor", None),
            getattr(self, "classes_", None),
            # The labels of a classifier are known by their codes.
            [one for one in arrays if one is None or one.dtype.kind in "fiub"],
        ]
        name, every = type(self).__name__, self.checkpoint_epochs
        return Checkpoint(self.checkpoint, name, every, parts)
