"""A figure of the training of a network, epoch by epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from skseq._figures import new_axes
from skseq._validation import nearest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

# Where searches, regressors of transformed targets, thresholds and detectors have the
# estimator that they fitted.
_INSIDE = ("best_estimator_", "regressor_", "estimator_", "autoencoder_")


def _find_network(estimator):
    """Find the fitted network in a pipeline, a search or another meta-estimator."""
    network: Any = estimator
    while not isinstance(getattr(network, "history_", None), dict):
        if isinstance(network, Pipeline):
            network = network.steps[-1][1]
            continue
        names = [name for name in _INSIDE if hasattr(network, name)]
        if not names:
            if hasattr(network, "fit"):
                check_is_fitted(network)
            raise TypeError(
                f"estimator must be a fitted network of skseq, a pipeline whose last "
                f"step is one, or a search with refit=True, got {estimator!r}."
            )
        network = getattr(network, names[0])
    return network


class LearningHistoryDisplay:
    """Learning curve: the loss, or another metric, over the epochs of a fit.

    Parameters
    ----------
    history : dict of str to list of float of shape (n_epochs,)
        The ``history_`` of a network: the values of ``"loss"``, ``"val_loss"`` and so
        on for each epoch.
    best_epoch : int, default=None
        Epoch to mark, counted from 1. None: no mark.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
        The axes of the figure.
    figure_ : matplotlib.figure.Figure
        The figure.
    lines_ : list of matplotlib.lines.Line2D
        The lines for training and validation.

    See Also
    --------
    sklearn.model_selection.LearningCurveDisplay : Draws scores by number of rows.
    sklearn.model_selection.ValidationCurveDisplay : Draws scores by a parameter.

    Examples
    --------
    >>> import numpy as np
    >>> from skseq import DenseClassifier
    >>> from skseq.search import LearningHistoryDisplay
    >>> X = np.random.default_rng(0).normal(size=(100, 6, 3))
    >>> net = DenseClassifier(epochs=5, early_stopping=True, random_state=0)
    >>> display = LearningHistoryDisplay.from_estimator(net.fit(X, X[:, -1, 0] > 0))
    >>> [line.get_label() for line in display.lines_]
    ['training', 'validation']
    """

    def __init__(
        self,
        history: Mapping[str, Sequence[float]],
        *,
        best_epoch: int | None = None,
    ):
        self.history = history
        self.best_epoch = best_epoch

    @classmethod
    def from_estimator(
        cls, estimator: Any, *, metric: str = "loss", ax: Axes | None = None
    ) -> LearningHistoryDisplay:
        """Draw the learning curve of a fitted network.

        Parameters
        ----------
        estimator : estimator
            A fitted network, a `sklearn.pipeline.Pipeline` with a network as last step,
            or a search with ``refit=True`` over one of these. For a search, the best
            network is used.
        metric : str, default="loss"
            Name of the metric, see `plot`.
        ax : matplotlib.axes.Axes, default=None
            Axes to draw in. None: a new figure.

        Returns
        -------
        display : LearningHistoryDisplay
            The figure that was drawn.

        Raises
        ------
        TypeError
            If the estimator contains no network.
        sklearn.exceptions.NotFittedError
            If the network is not fitted.
        """
        network = _find_network(estimator)
        best = getattr(network, "best_epoch_", None)
        return cls(network.history_, best_epoch=best).plot(ax, metric=metric)

    def plot(
        self, ax: Axes | None = None, *, metric: str = "loss"
    ) -> LearningHistoryDisplay:
        """Draw a metric over the epochs.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Axes to draw in. None: a new figure.
        metric : str, default="loss"
            Name of an entry of the history, such as ``"loss"``. If there is also an
            entry with the prefix ``"val_"``, both are drawn.

        Returns
        -------
        display : LearningHistoryDisplay
            The display itself.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If the history has no such metric.
        """
        if metric not in self.history:
            raise ValueError(
                f"metric must be an entry of the history, got {metric!r}."
                + nearest(metric, self.history)
            )
        ax = new_axes(ax, figsize=(6, 3.5))
        from matplotlib.ticker import MaxNLocator

        kinds = [
            ("training", metric, "C0", "-"),
            ("validation", f"val_{metric}", "C1", "--"),
        ]
        self.lines_: list[Any] = []
        for label, name, color, style in kinds:
            if name in self.history:
                values = np.asarray(self.history[name], dtype=float)
                epochs = np.arange(1, len(values) + 1)
                # A metric with a value for each class has a line for each of them.
                lines = ax.plot(
                    epochs,
                    values,
                    color=color,
                    ls=style,
                    marker="." if len(values) <= 50 else None,
                )
                lines[0].set_label(label)
                self.lines_ += lines
        if self.best_epoch is not None:
            label = f"best epoch: {self.best_epoch}"
            ax.axvline(self.best_epoch, color="0.4", ls=":", label=label)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.set(xlabel="epoch", ylabel=metric)
        ax.legend()
        self.ax_, self.figure_ = ax, ax.figure
        return self
