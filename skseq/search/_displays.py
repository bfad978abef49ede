"""Figures of the results of a search: correlations, scores, times."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from skseq._figures import new_axes, text_color
from skseq._validation import nearest
from skseq.search._results import (
    Results,
    as_numbers,
    is_numeric,
    name_of,
    pareto_front,
    rank_correlations,
    short_names,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

# Heat maps with more columns have no numbers.
_MOST_NUMBERED = 18

# The most values of a number that are drawn one by one; others are put into quarters.
_MOST_VALUES = 8


def _words(name):
    """Write a column such as mean_test_score as words."""
    words = name.removeprefix("mean_").replace("_", " ")
    return "time of a trial" if words == "duration" else words


class SearchCorrelationDisplay:
    """Heat map of rank correlations between parameters, times and scores of a search.

    A parameter whose values are not numbers is one-hot encoded: it has a column for
    each value. Parameters with the same value in all candidates are left out.

    Parameters
    ----------
    correlations : ndarray of shape (n_columns, n_columns)
        Spearman's rank correlations [1]_.
    names : sequence of str of shape (n_columns,)
        Names of the columns.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
        The axes of the figure.
    figure_ : matplotlib.figure.Figure
        The figure.
    image_ : matplotlib.image.AxesImage
        The heat map.

    See Also
    --------
    optuna.visualization.plot_param_importances : Plots importances of parameters.

    References
    ----------
    .. [1] C. Spearman, "The proof and measurement of association between two things",
       American Journal of Psychology 15(1), 1904. https://doi.org/10.2307/1412159

    Examples
    --------
    >>> from skseq.search import SearchCorrelationDisplay
    >>> results = {
    ...     "param_units": [8, 16, 32, 64],
    ...     "param_optimizer": ["adam", "sgd", "adam", "sgd"],
    ...     "mean_fit_time": [1.0, 1.1, 1.9, 4.0],
    ...     "mean_test_score": [0.7, 0.6, 0.9, 0.8],
    ... }
    >>> display = SearchCorrelationDisplay.from_search(results)
    >>> display.names[:3]
    ['units', 'optimizer = adam', 'optimizer = sgd']
    >>> float(display.correlations[0, 3])  # between units and time
    1.0
    """

    def __init__(self, correlations: np.ndarray, names: Sequence[str]):
        self.correlations = correlations
        self.names = names

    @classmethod
    def from_search(
        cls, search: Any, *, ax: Axes | None = None, **kwargs: Any
    ) -> SearchCorrelationDisplay:
        """Compute the correlations for a search, and draw them.

        Parameters
        ----------
        search : estimator, optuna.study.Study, dict or dataframe
            A fitted search of scikit-learn or its ``cv_results_``, or a study of Optuna
            or its ``trials_dataframe()``.
        ax : matplotlib.axes.Axes, default=None
            Axes to draw in. None: a new figure.
        **kwargs : dict
            Arguments of `plot`.

        Returns
        -------
        display : SearchCorrelationDisplay
            The figure that was drawn.

        Raises
        ------
        ValueError
            If there are fewer than three candidates, or no scores.
        """
        results = Results(search)
        labels = dict(
            zip(results.parameters, short_names(list(results.parameters)), strict=True)
        )
        columns = as_numbers({labels[n]: v for n, v in results.parameters.items()})
        for name, values in {**results.times, **results.scores}.items():
            columns[_words(name)] = values
        n_candidates = len(next(iter(columns.values())))
        if n_candidates < 3:
            raise ValueError(
                f"search must have at least 3 candidates for correlations, got "
                f"{n_candidates}."
            )
        display = cls(rank_correlations(list(columns.values())), list(columns))
        return display.plot(ax, **kwargs)

    def plot(
        self, ax: Axes | None = None, *, cmap: Any = "coolwarm"
    ) -> SearchCorrelationDisplay:
        """Draw the correlations of each pair of columns.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Axes to draw in. None: a new figure.
        cmap : str or matplotlib.colors.Colormap, default="coolwarm"
            Colours, from -1 to 1.

        Returns
        -------
        display : SearchCorrelationDisplay
            The display itself.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        n = len(self.names)
        size = 2.5 + (0.45 if n <= _MOST_NUMBERED else 0.25) * n
        ax = new_axes(ax, figsize=(size + 1, size))
        # Each pair once, and no column with itself.
        shown = np.where(np.tri(n, k=-1, dtype=bool), self.correlations, np.nan)[
            1:, :-1
        ]
        self.image_ = ax.imshow(shown, cmap=cmap, vmin=-1, vmax=1)
        ax.set_xticks(range(n - 1), self.names[:-1], rotation=90)
        ax.set_yticks(range(n - 1), self.names[1:])
        ax.spines[:].set_visible(False)
        ax.figure.colorbar(self.image_, ax=ax, label="rank correlation", shrink=0.7)
        if n <= _MOST_NUMBERED:
            for place in np.argwhere(np.isfinite(shown)):
                value = shown[tuple(place)]
                ax.text(
                    place[1], place[0], f"{value:z.2f}", ha="center", va="center",
                    fontsize="x-small", color=text_color(self.image_.to_rgba(value)),
                )  # fmt: skip
        self.ax_, self.figure_ = ax, ax.figure
        return self


def _group(values):
    """Sort candidates by the values of a parameter: names, and a mask for each."""
    filled = [value for value in values if value is not None]
    if is_numeric(values) and len(set(filled)) > _MOST_VALUES:
        numbers = np.array(values, dtype=float)
        edges = np.unique(np.nanquantile(numbers, [0, 0.25, 0.5, 0.75, 1]))
        inside = np.clip(
            np.searchsorted(edges, numbers, "right") - 1, 0, len(edges) - 2
        )
        groups = [
            (f"{low:.3g} to {high:.3g}", (inside == i) & np.isfinite(numbers))
            for i, (low, high) in enumerate(zip(edges[:-1], edges[1:], strict=True))
        ]
    else:
        distinct = {repr(value): value for value in filled}
        if is_numeric(values):
            distinct = dict(sorted(distinct.items(), key=lambda item: item[1]))
        written = np.array([repr(value) for value in values])
        groups = [(name_of(v), written == key) for key, v in distinct.items()]
    if len(filled) < len(values):
        groups.append(("not set", np.array([value is None for value in values])))
    return groups


class SearchScoresDisplay:
    """Histogram of the scores of a search, or scores by the values of a parameter.

    Without ``by``, a histogram is drawn. With ``by``, each value of this parameter has
    a row, which contains a point for each candidate, a bar from the first to the third
    quartile, and a circle at the median.

    Parameters
    ----------
    scores : ndarray of shape (n_candidates,)
        Mean scores of the candidates.
    metric : str, default="score"
        Name of the metric.
    by : str, default=None
        Name of the parameter. None: a histogram.
    values : ndarray of shape (n_candidates,), default=None
        Values of this parameter.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
        The axes of the figure.
    figure_ : matplotlib.figure.Figure
        The figure.

    See Also
    --------
    optuna.visualization.plot_edf : Plots cumulative distributions of several studies.
    optuna.visualization.plot_slice : Plots scores by the values of each parameter.

    Examples
    --------
    >>> from skseq.search import SearchScoresDisplay
    >>> results = {
    ...     "param_units": [8, 8, 16, 16],
    ...     "mean_test_score": [0.7, 0.6, 0.9, 0.8],
    ... }
    >>> display = SearchScoresDisplay.from_search(results, by="units")
    >>> [label.get_text() for label in display.ax_.get_yticklabels()]
    ['8', '16']
    """

    def __init__(
        self,
        scores: np.ndarray,
        *,
        metric: str = "score",
        by: str | None = None,
        values: np.ndarray | None = None,
    ):
        self.scores = scores
        self.metric = metric
        self.by = by
        self.values = values

    @classmethod
    def from_search(
        cls,
        search: Any,
        *,
        by: str | None = None,
        metric: str | None = None,
        ax: Axes | None = None,
    ) -> SearchScoresDisplay:
        """Draw the scores of a search.

        Parameters
        ----------
        search : estimator, optuna.study.Study, dict or dataframe
            A fitted search of scikit-learn or its ``cv_results_``, or a study of Optuna
            or its ``trials_dataframe()``.
        by : str, default=None
            Name of a parameter. Each of its values has a row; for a numeric parameter
            with more than 8 values, the candidates are split into quarters by the
            value. None: a histogram of all candidates.
        metric : str, default=None
            Name of the metric, for a search with several metrics.
        ax : matplotlib.axes.Axes, default=None
            Axes to draw in. None: a new figure.

        Returns
        -------
        display : SearchScoresDisplay
            The figure that was drawn.

        Raises
        ------
        ValueError
            If the search has no such metric, or the parameter has the same value in all
            candidates.
        """
        results = Results(search)
        metric = results.metric(metric)
        scores = results.scores[f"mean_test_{metric}"]
        if by is None:
            return cls(scores, metric=metric).plot(ax)
        names = list(results.parameters)
        found = dict(zip(short_names(names), names, strict=True)) | dict(
            zip(names, names, strict=True)
        )
        if by not in found:
            raise ValueError(
                f"by must be a parameter that differs between candidates, got {by!r}."
                + nearest(by, found)
            )
        values = results.parameters[found[by]]
        return cls(scores, metric=metric, by=by, values=values).plot(ax)

    def plot(self, ax: Axes | None = None) -> SearchScoresDisplay:
        """Draw the scores, except scores that are not finite.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Axes to draw in. None: a new figure.

        Returns
        -------
        display : SearchScoresDisplay
            The display itself.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        scores = self.scores
        if self.values is None:
            ax = new_axes(ax, figsize=(6, 3))
            ax.hist(scores[np.isfinite(scores)], bins="auto", color="C0", ec="white")
            ax.set_ylabel("candidates")
        else:
            groups = _group(self.values)
            ax = new_axes(ax, figsize=(6, 1.2 + 0.45 * len(groups)))
            rng = np.random.default_rng(0)
            for row, (_, inside) in enumerate(groups):
                one = scores[inside & np.isfinite(scores)]
                # Moved a little up and down, so that equal scores can be told apart.
                moved = row + rng.uniform(-0.25, 0.25, len(one))
                ax.plot(one, moved, "o", color="C0", alpha=0.4, ms=4, mec="none")
                if len(one):
                    low, middle, high = np.quantile(one, [0.25, 0.5, 0.75])
                    ax.plot([low, high], [row, row], color="C1", lw=4, zorder=3)
                    ax.plot(middle, row, "o", color="white", mec="C1", mew=2, zorder=4)
            ax.set_yticks(range(len(groups)), [name for name, _ in groups])
            ax.set_ylim(len(groups) - 0.5, -0.5)
            ax.set_ylabel(self.by or "")
        ax.set_xlabel(f"test {self.metric.replace('_', ' ')}")
        self.ax_, self.figure_ = ax, ax.figure
        return self


class SearchTimesDisplay:
    """Scatter plot of the scores of a search against the fit times.

    A line connects the candidates on the Pareto front: no other candidate is both
    faster and better. Error bars are standard deviations over folds.

    Parameters
    ----------
    times : ndarray of shape (n_candidates,)
        Times of the candidates, in seconds.
    scores : ndarray of shape (n_candidates,)
        Mean scores of the candidates.
    times_std, scores_std : ndarray of shape (n_candidates,), default=None
        Standard deviations of the times and scores.
    greater_is_better : bool, default=True
        Whether larger scores are better.
    names : tuple of str, default=("fit time", "test score")
        Names of the times and scores, for the axes.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
        The axes of the figure.
    figure_ : matplotlib.figure.Figure
        The figure.
    pareto_front_ : ndarray of int of shape (n_front,)
        Positions of the candidates on the Pareto front, the fastest first.

    See Also
    --------
    optuna.visualization.plot_pareto_front : Plots a study with two objectives.

    Examples
    --------
    >>> from skseq.search import SearchTimesDisplay
    >>> results = {
    ...     "param_units": [8, 16, 32, 64],
    ...     "mean_fit_time": [1.0, 1.1, 1.9, 4.0],
    ...     "mean_test_score": [0.7, 0.6, 0.9, 0.8],
    ... }
    >>> display = SearchTimesDisplay.from_search(results)
    >>> display.pareto_front_.tolist()
    [0, 2]
    """

    def __init__(
        self,
        times: np.ndarray,
        scores: np.ndarray,
        *,
        times_std: np.ndarray | None = None,
        scores_std: np.ndarray | None = None,
        greater_is_better: bool = True,
        names: tuple[str, str] = ("fit time", "test score"),
    ):
        self.times = times
        self.scores = scores
        self.times_std = times_std
        self.scores_std = scores_std
        self.greater_is_better = greater_is_better
        self.names = names

    @classmethod
    def from_search(
        cls,
        search: Any,
        *,
        metric: str | None = None,
        greater_is_better: bool = True,
        ax: Axes | None = None,
    ) -> SearchTimesDisplay:
        """Draw the scores of a search against the fit times.

        Parameters
        ----------
        search : estimator, optuna.study.Study, dict or dataframe
            A fitted search of scikit-learn or its ``cv_results_``, or a study of Optuna
            or its ``trials_dataframe()``.
        metric : str, default=None
            Name of the metric, for a search with several metrics.
        greater_is_better : bool, default=True
            Whether larger scores are better: True for searches of scikit-learn, and
            False for a study of Optuna that minimizes.
        ax : matplotlib.axes.Axes, default=None
            Axes to draw in. None: a new figure.

        Returns
        -------
        display : SearchTimesDisplay
            The figure that was drawn.

        Raises
        ------
        ValueError
            If the search has no times, or no such metric.
        """
        results = Results(search)
        name = f"mean_test_{results.metric(metric)}"
        if not {"mean_fit_time", "duration"} & set(results.times):
            raise ValueError(
                f"search must have times in a column mean_fit_time, got the columns "
                f"{sorted(results.columns)}."
            )
        time = "mean_fit_time" if "mean_fit_time" in results.times else "duration"
        display = cls(
            results.times[time], results.scores[name],
            times_std=results.deviations(time), scores_std=results.deviations(name),
            greater_is_better=greater_is_better, names=(_words(time), _words(name)),
        )  # fmt: skip
        return display.plot(ax)

    def plot(self, ax: Axes | None = None) -> SearchTimesDisplay:
        """Draw scores and times.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Axes to draw in. None: a new figure.

        Returns
        -------
        display : SearchTimesDisplay
            The display itself.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        ax = new_axes(ax, figsize=(6, 4))
        sign = 1 if self.greater_is_better else -1
        self.pareto_front_ = front = pareto_front(self.times, sign * self.scores)
        ax.errorbar(
            self.times, self.scores, xerr=self.times_std, yerr=self.scores_std,
            fmt="o", color="C0", ms=4, ecolor="0.8", elinewidth=1, label="candidates",
        )  # fmt: skip
        ax.plot(
            self.times[front], self.scores[front], "s-", color="C1", ms=6,
            drawstyle="steps-post", zorder=3, label="Pareto front",
        )  # fmt: skip
        finite = self.times[np.isfinite(self.times)]
        if len(finite) and finite.min() > 0 and finite.max() > 20 * finite.min():
            ax.set_xscale("log")
        ax.set(xlabel=f"{self.names[0]} (s)", ylabel=self.names[1])
        ax.legend()
        self.ax_, self.figure_ = ax, ax.figure
        return self
