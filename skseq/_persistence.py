"""Pickled state with the versions under which it was saved, see `skseq._state`."""

import warnings
from importlib import metadata
from typing import Any, ClassVar

from sklearn.base import BaseEstimator

from skseq import _MODULES, __version__
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
        return writer.state(self._saved(), type(self).__name__, _versions())

    def __setstate__(self, state):
        reader = Reader(self._records, self._keras_state)
        try:
            attributes, written = reader.content(state)
        except Exception as error:  # whatever the damage is
            raise ValueError(
                f"This {type(self).__name__} can't be loaded: {error} The file is "
                f"damaged, was changed, or is of a later version. Save the estimator "
                f"again."
            ) from error
        here = _versions()
        for package, version in written.items():
            found = here.get(package, "unknown")
            if _minor(version) != _minor(found):
                warnings.warn(
                    f"This {type(self).__name__} was saved under {package} {version} "
                    f"and is being loaded under {package} {found}. It may "
                    f"give other results or fail; load it under {version}, or fit it "
                    f"again.",
                    UserWarning,
                    stacklevel=2,
                )
        super().__setstate__(self._upgraded(attributes))

    def _upgraded(self, state):
        """Convert the state of an earlier version to that of this version."""
        return state


def skops_trusted() -> list[str]:
    """List the types of this package that skops may load.

    Files of skops contain numbers, strings and arrays, and no code. `skops.io.load`
    only makes objects of types that it trusts by default, or that are in its argument
    ``trusted``. Types of other packages, such as samplers of imbalanced-learn, are not
    in this list.

    Returns
    -------
    names : list of str
        Public names, such as ``"skseq.LSTMClassifier"``, for the argument ``trusted``
        of `skops.io.load`.

    See Also
    --------
    skops.io.get_untrusted_types : Lists the types of a file that skops does not trust.

    Examples
    --------
    >>> import numpy as np
    >>> import skops.io
    >>> import skseq
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(100, 6, 2))
    >>> y = np.where(X[:, 0, 0] > 0, "up", "down")
    >>> net = skseq.DenseClassifier(epochs=2, random_state=0).fit(X, y)
    >>> data = skops.io.dumps(net)
    >>> skops.io.get_untrusted_types(data=data)
    ['skseq.DenseClassifier']
    >>> loaded = skops.io.loads(data, trusted=skseq.skops_trusted())
    >>> bool((loaded.predict_proba(X) == net.predict_proba(X)).all())
    True
    """
    # Estimators, and a splitter that may be a parameter of one.
    classes = [name for name in _MODULES if name[0].isupper() and name[-5:] != "Array"]
    return [f"skseq.{name}" for name in classes]
