"""Masks of padded sequences while a model is built, and windows over time.

A mask is a symbolic tensor of bool of shape (n_samples, n_timesteps), or None for a
network without padding. It is True up to the end of a row, and False after it. All
functions but `mean` return their input where the mask is None.
"""

from dataclasses import dataclass

from skseq._engine.keras import DTYPE, keras
from skseq._padded import PADDING


def entered(x):
    """Get sequences with zeros at padding, and their mask.

    A timestep is padding if no feature is above `PADDING`. So NaN is padding too, which
    is easier to write for users of the Keras model. They have to fill in other NaN.
    """
    is_valid = keras.ops.greater(x, PADDING)
    mask = keras.ops.any(is_valid, axis=-1)
    return keras.ops.where(is_valid, x, keras.ops.zeros_like(x)), mask


def _factors(mask):
    """Get 1 for each valid timestep, and 0 for padding."""
    return keras.ops.expand_dims(keras.ops.cast(mask, DTYPE), -1)


# Not `where`, whose gradient takes TensorFlow several times as long as a convolution if
# the mask has to be repeated for all features. Values at padding are finite.


def zeroed(x, mask):
    """Write zeros at padding."""
    return x if mask is None else x * _factors(mask)


def lowered(x, mask):
    """Write the smallest number at padding, so that maxima are over the other steps."""
    return x if mask is None else x + PADDING * (1 - _factors(mask))


def mean(x, mask):
    """Compute the mean over the valid timesteps."""
    factors = _factors(mask)
    return keras.ops.sum(x * factors, axis=1) / keras.ops.sum(factors, axis=1)


def called(layer, x, mask):
    """Call a layer that takes a mask."""
    # Without the argument, a layer finds the mask of an earlier layer.
    return layer(x) if mask is None else layer(x, mask=mask)


@dataclass(frozen=True)
class Windows:
    """The windows of a layer over time.

    With ``padding="same"``, Keras puts padding on both sides, and more at the start the
    less the stride divides the number of timesteps. A row would be windowed differently
    the more padding it has. So each layer takes the windows of one number of timesteps,
    ``fitted``, however many there are; 0 stands for any multiple of all strides.

    Attributes
    ----------
    size, stride : int
    padding : {"same", "valid", "causal"}
    dilation : int
    """

    size: int
    stride: int
    padding: str
    dilation: int = 1

    @property
    def reach(self):
        """int: timesteps from the first to the last one in a window."""
        return (self.size - 1) * self.dilation

    def n_after(self, n):
        """Compute the number of windows over a number of timesteps."""
        if self.padding == "valid":
            n -= self.reach
        return max(-(-n // self.stride), 0)

    def n_before(self, n):
        """Compute the least number of timesteps that give a number of windows."""
        return (n - 1) * self.stride + 1 + self.reach * (self.padding == "valid")

    def _start(self, n):
        """Compute the timesteps that "same" adds at the start, as TensorFlow does."""
        needed = (-(-n // self.stride) - 1) * self.stride + self.reach + 1 - n
        return max(needed, 0) // 2

    def first(self, fitted):
        """Compute the timestep at which the first window starts, 0 or below."""
        if self.padding == "causal":
            return -self.reach
        return -self._start(fitted) if self.padding == "same" else 0

    def _shift(self, fitted):
        return self._start(fitted) - self._start(0) if self.padding == "same" else 0

    def extended(self, x, fitted, value):
        """Add timesteps where Keras' windows would differ from those fitted on.

        Returns
        -------
        x : tensor
        padding : {"same", "valid", "causal"}
            The argument of Keras' layer.
        """
        n = x.shape[1]
        if self.padding != "same" or self._start(n) == self._start(fitted):
            return x, self.padding
        n_windows = -(-(n + self._shift(fitted)) // self.stride)
        start = self._start(fitted)
        end = max((n_windows - 1) * self.stride + self.reach + 1 - start - n, 0)
        around = [[0, 0], [start, end], [0, 0]]
        return keras.ops.pad(x, around, constant_values=value), "valid"

    def mask_after(self, mask, fitted):
        """Get the mask of the windows: those that start before the end of a row.

        Without padding at the ends, these are those that end there.
        """
        first = self.reach if self.padding == "valid" else -self._shift(fitted)
        if mask is None or (first == 0 and self.stride == 1):
            return mask
        places = [max(place, 0) for place in range(first, mask.shape[1], self.stride)]
        return keras.ops.take(mask, places, axis=1)
