"""Figures of what is found inside of networks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from skseq._figures import MOST_NAMES, name_ticks, new_axes, pyplot, text_color
from skseq._lists import is_list_of_rows
from skseq._validation import StrOptions, check_arguments
from skseq._window_array import as_sequences
from skseq.inspection._gradients import integrated_gradients
from skseq.inspection._layers import convolution_filters, top_windows
from skseq.inspection._permutation import permutation_importance

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike
    from sklearn.utils import Bunch

# Heat maps with more cells have no numbers.
_MOST_NUMBERS = 80


def _draw_heat_map(ax, values, x_names, y_names, label, limits, cmap):
    """Draw values of shape (n_y, n_x), with a bar of colours."""
    image = ax.imshow(values, aspect="auto", cmap=cmap, vmin=limits[0], vmax=limits[1])
    name_ticks(ax.xaxis, x_names)
    name_ticks(ax.yaxis, y_names)
    ax.set_xlabel("timestep")
    ax.figure.colorbar(image, ax=ax, label=label)
    if values.size <= _MOST_NUMBERS:
        # Two digits of the largest value.
        n_digits = max(1 - int(np.floor(np.log10(np.abs(limits).max()))), 0)
        for place in np.ndindex(values.shape):
            color = text_color(image.to_rgba(values[place]))
            ax.text(
                place[1], place[0], f"{values[place]:z.{n_digits}f}", ha="center",
                va="center", fontsize="small", color=color,
            )  # fmt: skip
    return image


class PermutationImportanceDisplay:
    """Bar chart or heat map of permutation importances.

    Parameters
    ----------
    importances : ndarray of shape (n_features, n_repeats), \
            (n_timesteps, n_repeats) or (n_timesteps, n_features, n_repeats)
        The importances that `permutation_importance` computes. A 3-D array is drawn as
        a heat map.
    feature_names : array-like of str of shape (n_features,), default=None
        Names of the features (or groups of features). None for importances of
        timesteps.
    timesteps : array-like of shape (n_timesteps,), default=None
        Names of the timesteps (or groups of timesteps). None for importances of
        features.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
        The axes of the figure.
    figure_ : matplotlib.figure.Figure
        The figure.
    artist_ : matplotlib.container.BarContainer or matplotlib.image.AxesImage
        The bars, or the heat map.

    See Also
    --------
    permutation_importance : Computes the importances.

    Examples
    --------
    >>> import numpy as np
    >>> from skseq import DenseClassifier
    >>> from skseq.inspection import PermutationImportanceDisplay
    >>> X = np.random.default_rng(0).normal(size=(100, 6, 3))
    >>> net = DenseClassifier(epochs=5, random_state=0).fit(X, X[:, -1, 0] > 0)
    >>> display = PermutationImportanceDisplay.from_estimator(
    ...     net, X, X[:, -1, 0] > 0, over="cells", random_state=0
    ... )
    >>> display.figure_.savefig("importances.png")  # doctest: +SKIP
    """

    def __init__(
        self,
        importances: np.ndarray,
        *,
        feature_names: ArrayLike | None = None,
        timesteps: ArrayLike | None = None,
    ):
        self.importances = importances
        self.feature_names: Any = feature_names
        self.timesteps: Any = timesteps

    @classmethod
    def from_importances(
        cls,
        result: Bunch,
        *,
        timesteps: ArrayLike | None = None,
        ax: Axes | None = None,
        **kwargs: Any,
    ) -> PermutationImportanceDisplay:
        """Draw a result of `permutation_importance`.

        Parameters
        ----------
        result : sklearn.utils.Bunch
            The result of `permutation_importance`, for a single scorer.
        timesteps : array-like of shape (n_timesteps,), default=None
            Names of the timesteps, such as months. None: the names in the result.
        ax : matplotlib.axes.Axes, default=None
            Axes to draw in. None: a new figure.
        **kwargs : dict
            Arguments of `plot`.

        Returns
        -------
        display : PermutationImportanceDisplay
            The figure that was drawn.

        Raises
        ------
        ValueError
            If the result is for several scorers.
        """
        if "importances" not in result:
            raise ValueError(
                f"result must be the importances for one scorer, got those for "
                f"{list(result)}. Pass one of its values."
            )
        found = result.get("timesteps")
        display = cls(
            result["importances"],
            feature_names=result.get("feature_names"),
            timesteps=found if timesteps is None or found is None else timesteps,
        )
        return display.plot(ax, **kwargs)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: ArrayLike,
        y: ArrayLike | None,
        *,
        timesteps: ArrayLike | None = None,
        ax: Axes | None = None,
        **kwargs: Any,
    ) -> PermutationImportanceDisplay:
        """Compute permutation importances, and draw them.

        Parameters
        ----------
        estimator : estimator
            A fitted estimator.
        X : list of array-like of shape (n_timesteps_i, n_features), or array-like or \
                dataframe of shape (n_samples, n_timesteps, n_features) or \
                (n_samples, n_columns)
            Rows, as for ``predict`` of the estimator.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), or None
            The targets of these rows.
        timesteps : array-like of shape (n_timesteps,), default=None
            Names of the timesteps, such as months. None: the numbers from 0.
        ax : matplotlib.axes.Axes, default=None
            Axes to draw in. None: a new figure.
        **kwargs : dict
            Arguments of `permutation_importance`. ``scoring`` must be a single scorer.

        Returns
        -------
        display : PermutationImportanceDisplay
            The figure that was drawn.
        """
        result: Any = permutation_importance(estimator, X, y, **kwargs)
        return cls.from_importances(result, timesteps=timesteps, ax=ax)

    def plot(
        self,
        ax: Axes | None = None,
        *,
        n_largest: int | None = None,
        cmap: Any = "Blues",
    ) -> PermutationImportanceDisplay:
        """Draw the importances.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Axes to draw in. None: a new figure.
        n_largest : int, default=None
            Number of features to draw, the most important ones. None: all features.
        cmap : str or matplotlib.colors.Colormap, default="Blues"
            Colours of the heat map, from 0 to the largest importance.

        Returns
        -------
        display : PermutationImportanceDisplay
            The display itself.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        mean, std = self.importances.mean(axis=-1), self.importances.std(axis=-1)
        names, timesteps = self.feature_names, self.timesteps
        if mean.ndim == 2 and timesteps is None:
            timesteps = range(len(mean))
        if names is None and (mean.ndim == 2 or timesteps is None):
            names = [f"feature{i}" for i in range(mean.shape[-1])]
        if names is None:
            ax = new_axes(ax, figsize=(7, 3))
            self.artist_ = ax.bar(range(len(mean)), mean, yerr=std)
            name_ticks(ax.xaxis, timesteps)
            ax.set(xlabel="timestep", ylabel="decrease in score")
            self.ax_, self.figure_ = ax, ax.figure
            return self
        order = np.argsort(-mean.reshape(-1, len(names)).max(axis=0), kind="stable")
        kept = order[:n_largest]
        if mean.ndim == 2:
            kept = np.sort(kept)
            ax = new_axes(ax, figsize=(7, max(1.5 + 0.35 * len(kept), 2.5)))
            limits = 0, max(mean.max(), np.finfo(np.float32).tiny)
            self.artist_ = _draw_heat_map(
                ax, mean[:, kept].T, timesteps, [names[i] for i in kept],
                "decrease in score", limits, cmap,
            )  # fmt: skip
        else:
            ax = new_axes(ax, figsize=(6, 1.2 + 0.3 * len(kept)))
            self.artist_ = ax.barh(range(len(kept)), mean[kept], xerr=std[kept])
            ax.set_yticks(range(len(kept)), [str(names[i]) for i in kept])
            ax.invert_yaxis()
            ax.set_xlabel("decrease in score")
        self.ax_, self.figure_ = ax, ax.figure
        return self


class AttributionDisplay:
    """Figure of the contributions of the values of one row to its prediction.

    With the default colours, red values increase the prediction, and blue values
    decrease it.

    Parameters
    ----------
    attributions : ndarray of shape (n_timesteps, n_features) or (n_timesteps,)
        The attributions of one row, from `integrated_gradients` or another method, or
        its `attention_weights`.
    values : ndarray of the shape of ``attributions``, default=None
        The values of the row; needed to draw lines.
    feature_names : array-like of str of shape (n_features,), default=None
        None: ``"feature0"``, ``"feature1"``, ...
    timesteps : array-like of shape (n_timesteps,), default=None
        Names of the timesteps. None: the numbers from 0.
    tokens : list of str, default=None
        The tokens of a text, or other words for the timesteps.

    Attributes
    ----------
    axes_ : ndarray of matplotlib.axes.Axes
        The axes of the figure; for lines, one for each feature.
    figure_ : matplotlib.figure.Figure
        The figure.

    See Also
    --------
    integrated_gradients : Computes attributions.

    Examples
    --------
    >>> import numpy as np
    >>> from skseq import DenseClassifier
    >>> from skseq.inspection import AttributionDisplay
    >>> X = np.random.default_rng(0).normal(size=(100, 12, 2))
    >>> net = DenseClassifier(epochs=5, random_state=0).fit(X, X[:, -1, 0] > 0)
    >>> display = AttributionDisplay.from_estimator(net, X, row=3)
    >>> len(display.axes_)
    2
    """

    def __init__(
        self,
        attributions: np.ndarray,
        values: np.ndarray | None = None,
        *,
        feature_names: ArrayLike | None = None,
        timesteps: ArrayLike | None = None,
        tokens: Sequence[str] | None = None,
    ):
        self.attributions = attributions
        self.values = values
        self.feature_names: Any = feature_names
        self.timesteps: Any = timesteps
        self.tokens = tokens

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        *,
        row: int = 0,
        kind: Literal["auto", "lines", "heatmap", "tokens"] = "auto",
        feature_names: ArrayLike | None = None,
        timesteps: ArrayLike | None = None,
        tokens: Sequence[str] | None = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> AttributionDisplay:
        """Compute integrated gradients of a row, and draw them.

        Parameters
        ----------
        estimator : classifier or regressor of skseq
            A fitted network.
        X : list of array-like of shape (n_timesteps_i, n_features), or array-like or \
                dataframe of shape (n_samples, n_timesteps, n_features) or \
                (n_samples, n_columns)
            Rows, as input of the network (for a pipeline,
            ``pipeline[:-1].transform(X)``). All rows are used for ``baseline="mean"``.
        row : int, default=0
            Position of the row to draw.
        kind : {"auto", "lines", "heatmap", "tokens"}, default="auto"
            See `plot`.
        feature_names : array-like of str of shape (n_features,), default=None
            None: ``"feature0"``, ``"feature1"``, ...
        timesteps : array-like of shape (n_timesteps,), default=None
            Names of the timesteps. None: the numbers from 0.
        tokens : list of str, default=None
            The tokens of the row, one for each timestep, or for the first timesteps.
        ax : matplotlib.axes.Axes or array of them, default=None
            See `plot`.
        **kwargs : dict
            Arguments of `integrated_gradients`.

        Returns
        -------
        display : AttributionDisplay
            The figure that was drawn.
        """
        if not 0 <= row < len(X):
            raise ValueError(f"row must be from 0 to {len(X) - 1}, got {row}.")
        one = X.iloc[[row]] if hasattr(X, "iloc") else as_sequences(X[row : row + 1])
        if isinstance(kwargs.get("baseline"), str):
            attributions = integrated_gradients(estimator, X, **kwargs)[row]
        else:
            attributions = integrated_gradients(estimator, one, **kwargs)[0]
        values = np.asarray(one[0] if is_list_of_rows(one) else one)
        shape = attributions.shape
        if len(shape) == 1 and tokens is None:
            # A row of a table, whose columns are timesteps.
            shape = getattr(estimator, "n_timesteps_in_", shape[0]), -1
        display = cls(
            attributions.reshape(shape),
            np.asarray(values, dtype=float).reshape(shape),
            feature_names=feature_names, timesteps=timesteps, tokens=tokens,
        )  # fmt: skip
        return display.plot(ax, kind=kind)

    def plot(
        self,
        ax: Any = None,
        *,
        kind: Literal["auto", "lines", "heatmap", "tokens"] = "auto",
        cmap: Any = "coolwarm",
        n_characters: int = 70,
    ) -> AttributionDisplay:
        """Draw the attributions.

        Parameters
        ----------
        ax : matplotlib.axes.Axes or array of them, default=None
            Axes to draw in; for lines, one for each feature. None: a new figure.
        kind : {"auto", "lines", "heatmap", "tokens"}, default="auto"
            ``"lines"``: a line of the values of each feature, coloured by the
            attributions. ``"heatmap"``: a heat map of timesteps and features.
            ``"tokens"``: the text, with a background coloured by the attributions.
            ``"auto"``: tokens if they are given, lines for up to 6 features, and
            otherwise a heat map.
        cmap : str or matplotlib.colors.Colormap, default="coolwarm"
            Colours, from negative to positive attributions.
        n_characters : int, default=70
            Maximum number of characters in a line of tokens.

        Returns
        -------
        display : AttributionDisplay
            The display itself.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If lines are to be drawn without ``values``, or tokens without ``tokens``.
        """
        kinds = {"auto", "lines", "heatmap", "tokens"}
        check_arguments(
            "AttributionDisplay.plot", {"kind": [StrOptions(kinds)]}, {"kind": kind}
        )
        table = self.attributions.reshape(len(self.attributions), -1)
        if kind == "auto" and self.tokens is not None:
            kind = "tokens"
        elif kind == "auto":
            is_small = table.shape[1] <= 6 and self.values is not None
            kind = "lines" if is_small else "heatmap"
        plt = pyplot()
        most = max(np.abs(table).max(), np.finfo(np.float32).tiny)
        scale = plt.cm.ScalarMappable(plt.Normalize(-most, most), cmap)
        if kind == "tokens":
            axes = self._plot_tokens(ax, table.sum(axis=1), scale, n_characters)
        elif kind == "lines":
            axes = self._plot_lines(ax, table, scale)
        else:
            height = max(1.5 + 0.35 * table.shape[1], 2.5)
            axes = [new_axes(ax, figsize=(8, height))]
            timesteps, features = self._names(table)
            _draw_heat_map(
                axes[0], table.T, timesteps, features, "attribution", scale.get_clim(),
                cmap,
            )  # fmt: skip
        self.axes_ = np.array(axes, dtype=object)
        self.figure_ = axes[0].figure
        return self

    def _names(self, table):
        timesteps, features = self.timesteps, self.feature_names
        if timesteps is None:
            timesteps = range(len(table))
        if features is None:
            features = [f"feature{i}" for i in range(table.shape[1])]
        return timesteps, features

    def _plot_lines(self, ax, table, scale):
        if self.values is None:
            raise ValueError("kind='lines' needs the values of the row, got None.")
        from matplotlib.collections import LineCollection

        n_features = table.shape[1]
        axes = ax
        if ax is None:
            axes = pyplot().subplots(
                n_features, figsize=(8, 1 + 1.4 * n_features), sharex=True,
                squeeze=False, layout="constrained",
            )[1]  # fmt: skip
        axes = np.ravel(axes)
        if len(axes) != n_features:
            raise ValueError(
                f"ax must hold {n_features} axes, one for each feature, got "
                f"{len(axes)}."
            )
        timesteps, features = self._names(table)
        values, steps = self.values.reshape(table.shape), np.arange(len(table))
        for j, one in enumerate(axes):
            points = np.column_stack([steps, values[:, j]])
            # A piece of the line ends half way to the timesteps beside it.
            middles = (points[1:] + points[:-1]) / 2
            starts = np.vstack([points[:1], middles])
            ends = np.vstack([middles, points[-1:]])
            pieces = np.stack([starts, points, ends], axis=1)
            colors = scale.to_rgba(table[:, j])
            one.add_collection(LineCollection(pieces, colors=colors, lw=3))
            one.plot(*points.T, color="0.4", lw=0.6)
            if len(steps) <= 2 * MOST_NAMES:
                one.scatter(*points.T, color=colors, edgecolor="0.4", zorder=3, lw=0.6)
            one.set_ylabel(features[j])
            one.margins(x=0.02, y=0.15)
        name_ticks(axes[-1].xaxis, timesteps)
        axes[-1].set_xlabel("timestep")
        axes[0].figure.colorbar(scale, ax=axes, label="attribution")
        return axes

    def _plot_tokens(self, ax, sums, scale, n_characters):
        if self.tokens is None:
            raise ValueError("kind='tokens' needs tokens, got None.")
        if len(self.tokens) > len(sums):
            raise ValueError(
                f"tokens must be at most one for each of the {len(sums)} timesteps, "
                f"got {len(self.tokens)}."
            )
        most = max(np.abs(sums).max(), np.finfo(np.float32).tiny)
        scale.set_clim(-most, most)
        lines, length = [[]], 0
        for i, token in enumerate(self.tokens):
            if lines[-1] and length + len(token) > n_characters:
                lines.append([])
                length = 0
            lines[-1].append(i)
            length += len(token) + 2
        ax = new_axes(ax, figsize=(8, 1 + 0.35 * len(lines)))
        ax.axis("off")
        for k, line in enumerate(lines):
            before = None
            for i in line:
                # A text starts where the one before it ends.
                place = (0, 1 - (k + 0.5) / len(lines)) if before is None else (1, 0)
                color = scale.to_rgba(sums[i])
                before = ax.annotate(
                    f" {self.tokens[i]} ",
                    place,
                    xycoords="axes fraction" if before is None else before,
                    va="center" if before is None else "bottom",
                    color=text_color(color),
                    bbox={"facecolor": color, "edgecolor": "none", "pad": 2},
                )
        ax.figure.colorbar(
            scale, ax=ax, orientation="horizontal", label="attribution", aspect=40,
            shrink=0.5,
        )  # fmt: skip
        return [ax]


class FilterDisplay:
    """Figure of the filters of a convolution and the windows they respond to most.

    Parameters
    ----------
    filters : ndarray of shape (kernel_size, n_features, n_filters)
        Weights of the filters, see `convolution_filters`.
    windows : ndarray of shape (n_filters, n_windows, kernel_size, n_features)
        Windows of X with the largest outputs of each filter, see `top_windows`.
    numbers : array-like of int of shape (n_filters,), default=None
        Numbers of the filters, for the titles. None: the numbers from 0.
    feature_names : array-like of str of shape (n_features,), default=None
        None: ``"feature0"``, ``"feature1"``, ...

    Attributes
    ----------
    axes_ : ndarray of matplotlib.axes.Axes of shape (2, n_filters)
        The axes of the filters (first row) and of the windows (second row).
    figure_ : matplotlib.figure.Figure
        The figure.

    See Also
    --------
    top_windows : Finds the windows.

    Examples
    --------
    >>> import numpy as np
    >>> from skseq import Conv1DClassifier
    >>> from skseq.inspection import FilterDisplay
    >>> X = np.random.default_rng(0).normal(size=(100, 20, 1))
    >>> net = Conv1DClassifier(8, kernel_size=5, epochs=2, random_state=0)
    >>> net = net.fit(X, X[:, :, 0].max(axis=1) > 2)
    >>> FilterDisplay.from_estimator(net, X, n_filters=3).axes_.shape
    (2, 3)
    """

    def __init__(
        self,
        filters: np.ndarray,
        windows: np.ndarray,
        *,
        numbers: ArrayLike | None = None,
        feature_names: ArrayLike | None = None,
    ):
        self.filters = filters
        self.windows = windows
        self.numbers: Any = numbers
        self.feature_names: Any = feature_names

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: ArrayLike,
        *,
        n_filters: int = 4,
        n_windows: int = 20,
        feature_names: ArrayLike | None = None,
    ) -> FilterDisplay:
        """Find the windows that filters of the first convolution respond to; draw them.

        Parameters
        ----------
        estimator : classifier or regressor of skseq
            A fitted network with a convolution as first layer.
        X : list of array-like of shape (n_timesteps_i, n_features), or array-like or \
                dataframe of shape (n_samples, n_timesteps, n_features) or \
                (n_samples, n_columns)
            Rows, as input of the network (for a pipeline,
            ``pipeline[:-1].transform(X)``).
        n_filters : int, default=4
            Number of filters to draw, those with the largest outputs.
        n_windows : int, default=20
            Number of windows for each filter.
        feature_names : array-like of str of shape (n_features,), default=None
            Names of the features of X; names of static features are not used. None:
            ``"feature0"``, ``"feature1"``, ...

        Returns
        -------
        display : FilterDisplay
            The figure that was drawn.
        """
        found = top_windows(estimator, X, n_windows=n_windows)
        filters = convolution_filters(estimator)
        # Static features come last, and no filter reads them.
        n_read = found.windows.shape[3] - getattr(estimator, "n_static_", 0)
        if n_read != filters.shape[1]:
            raise ValueError(
                f"X must hold the features that the filters read, got "
                f"{n_read} for filters over {filters.shape[1]}, such "
                f"as the elements of an embedding, or rows that are also scaled by "
                f"themselves (per_row). Take the windows of top_windows."
            )
        if feature_names is not None:
            feature_names = np.asarray(feature_names)[:n_read]
        kept = np.argsort(-found.value.mean(axis=1), kind="stable")[:n_filters]
        display = cls(
            filters[:, :, kept], found.windows[kept, ..., :n_read], numbers=kept,
            feature_names=feature_names,
        )  # fmt: skip
        return display.plot()

    def plot(self) -> FilterDisplay:
        """Draw the filters in a new figure, with a line for each feature.

        Below each filter is the mean of its windows, with a band of one standard
        deviation.

        Returns
        -------
        display : FilterDisplay
            The display itself.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        size, n_features, n_filters = self.filters.shape
        names = self.feature_names
        if names is None:
            names = [f"feature{i}" for i in range(n_features)]
        numbers = range(n_filters) if self.numbers is None else self.numbers
        figure, axes = pyplot().subplots(
            2, n_filters, figsize=(1 + 2.2 * n_filters, 4.2), sharex=True,
            sharey="row", squeeze=False, layout="constrained",
        )  # fmt: skip
        steps = np.arange(size)
        is_inside = ~np.isnan(self.windows)
        counts = np.maximum(is_inside.sum(axis=1), 1)
        values = np.where(is_inside, self.windows, 0)
        mean = values.sum(axis=1) / counts
        away = np.where(is_inside, values - mean[:, None], 0)
        std = np.sqrt((away**2).sum(axis=1) / counts)
        for j, number in enumerate(numbers):
            top, bottom = axes[:, j]
            top.set_title(f"filter {number}")
            top.axhline(0, color="0.8", lw=0.8)
            for f, name in enumerate(names):
                color = f"C{f % 10}"
                marker = "." if size <= MOST_NAMES else None
                top.plot(
                    steps, self.filters[:, f, j], color=color, marker=marker, label=name
                )
                bottom.plot(steps, mean[j, :, f], color=color, marker=marker)
                low, high = mean[j, :, f] - std[j, :, f], mean[j, :, f] + std[j, :, f]
                bottom.fill_between(steps, low, high, color=color, alpha=0.2, lw=0)
            bottom.set_xlabel("timestep in window")
            bottom.xaxis.get_major_locator().set_params(integer=True)
        axes[0, 0].set_ylabel("weight")
        axes[1, 0].set_ylabel("mean of top windows")
        if n_features > 1:
            handles = axes[0, 0].get_legend_handles_labels()[0]
            figure.legend(handles, names, loc="outside right upper")
        self.axes_, self.figure_ = axes, figure
        return self
