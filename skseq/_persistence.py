"""Pickled state with the versions under which it was saved."""

import warnings
from importlib import metadata

from sklearn.base import BaseEstimator

from skseq import __version__


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
    """Mixin that warns when pickled state is loaded under another minor version.

    The versions of skseq, scikit-learn and Keras are part of the pickled state, and not
    of the loaded object.
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
        """Convert the state of an earlier version to that of this version."""
        return state
