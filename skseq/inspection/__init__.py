"""Look inside fitted networks."""

from skseq.inspection._gradients import integrated_gradients

__all__ = ["integrated_gradients"]
