"""Pickled state with the versions under which it was saved, see `skseq._state`."""

import warnings
from importlib import metadata
from typing import Any, ClassVar

from sklearn.base import BaseEstimator

from skseq import __version__
from skseq._state import Reader, Writer


def _versions():
    return {
        "skseq": __version__,
        # Without an import, so that a reshaper loads no Keras.
        "scikit-learn": metadata.version("scikit-learn"),
        "keras": metadata.version("keras"),
    }


def _minor(version):
    return version.split(".")[:2]


class VersionedState(BaseEstimator):
    """Mixin for pickled state of plain values, with the versions that wrote it.

    The versions of skseq, scikit-learn and Keras are part of the pickled state, and not
    of the loaded object. It warns when state is loaded under another minor version.
    """

    # The classes of this package of which attributes hold objects.
    _records: ClassVar[tuple[type, ...]] = ()

    # The module that converts Keras objects, where there may be any.
    _keras_state: ClassVar[Any] = None

    def _saved(self):
        """Get the attributes to save, as a new dict."""
        return dict(super().__getstate__())

    def __getstate__(self):
        writer = Writer(self._records, self._keras_state)
        state = writer.state(self._saved(), type(self).__name__)
        return {**state, "_versions": _versions()}

    def __setstate__(self, state):
        state = dict(state)
        written = state.pop("_versions", {})
        here = _versions()
        for package, version in written.items():
            if _minor(version) != _minor(here[package]):
                warnings.warn(
                    f"This {type(self).__name__} was saved under {package} {version} "
                    f"and is being loaded under {package} {here[package]}. It may "
                    f"give other results or fail; load it under {version}, or fit it "
                    f"again.",
                    UserWarning,
                    stacklevel=2,
                )
        reader = Reader(self._records, self._keras_state)
        try:
            state = reader.attributes(state)
        except Exception as error:  # whatever the damage is
            raise ValueError(
                f"This {type(self).__name__} can't be loaded: {error} The file is "
                f"damaged, was changed, or is of a later version. Save the estimator "
                f"again."
            ) from error
        super().__setstate__(self._upgraded(state))

    def _upgraded(self, state):
        """Convert the state of an earlier version to that of this version."""
        return state
