"""Pickles that know which versions wrote them."""

import warnings
from importlib import metadata

from sklearn.base import BaseEstimator

from skseq import __version__


def _versions():
    return {
        "skseq": __version__,
        # Not by importing them, because a reshaper is to load no Keras.
        "scikit-learn": metadata.version("scikit-learn"),
        "keras": metadata.version("keras"),
    }


def _minor(version):
    return version.split(".")[:2]


class VersionedState(BaseEstimator):
    """Mixin: pickled state that warns when it is loaded under another minor version.

    The versions of skseq, scikit-learn and Keras travel with the state and are gone
    from the loaded object.
    """

    def __getstate__(self):
        return {**super().__getstate__(), "_versions": _versions()}

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
        super().__setstate__(self._upgraded(state))

    def _upgraded(self, state):
        """The state as this version has it, from that of an earlier version."""
        return state
