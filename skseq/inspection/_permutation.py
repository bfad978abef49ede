"""How much a score falls when values are permuted between rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from numbers import Integral
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from joblib import effective_n_jobs
from sklearn.metrics import check_scoring
from sklearn.utils import Bunch, check_random_state
from sklearn.utils.parallel import Parallel, delayed

from skseq._reshape import SequenceReshaper
from skseq._validation import HasMethods, Interval, StrOptions, check_arguments
from skseq._window_array import WindowArray, as_sequences
from skseq.inspection._permuting import Sequences, permutable
from skseq.inspection._units import arranged, final_of, units_of

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

_CONSTRAINTS = {
    "estimator": [HasMethods("fit")],
    "over": [StrOptions({"features", "timesteps", "cells"})],
    "groups": [Mapping, None],
    "reshaper": [SequenceReshaper, None],
    "feature_names": ["array-like", None],
    "n_repeats": [Interval(Integral, 1, None, closed="left")],
    "n_jobs": [Integral, None],
    "random_state": ["random_state"],
}


def permutation_importance(
    estimator: Any,
    X: ArrayLike,
    y: ArrayLike | None,
    *,
    over: Literal["features", "timesteps", "cells"] = "features",
    groups: Mapping[Any, Sequence[Any]] | None = None,
    reshaper: SequenceReshaper | None = None,
    feature_names: Sequence[str] | None = None,
    scoring: str | Callable[..., Any] | Sequence[str] | Mapping[str, Any] | None = None,
    n_repeats: int = 5,
    n_jobs: int | None = None,
    random_state: int | np.random.RandomState | None = None,
    sample_weight: ArrayLike | None = None,
) -> Bunch | dict[str, Bunch]:
    """Compute permutation importances of features, timesteps or both.

    This is `sklearn.inspection.permutation_importance` [1]_ for sequences: the values
    of a feature, of a timestep, or of a feature at one timestep are permuted between
    rows, and the score is computed again. The importance is the decrease of the score.

    Parameters
    ----------
    estimator : estimator
        A fitted estimator: a network, a pipeline, a search, or any other.
    X : list of array-like of shape (n_timesteps_i, n_features), or array-like or \
            dataframe of shape (n_samples, n_timesteps, n_features) or \
            (n_samples, n_columns)
        Rows, as for ``predict`` of the estimator; preferably test rows. X is not
        changed.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs), or None
        The targets of these rows.
    over : {"features", "timesteps", "cells"}, default="features"
        What is permuted.

        - ``"features"``: all timesteps of a feature together.
        - ``"timesteps"``: all features of a timestep together, except features that are
          constant over time in each row, such as the static columns that
          `SequenceReshaper` repeats.
        - ``"cells"``: a feature at a single timestep. A feature that is constant over
          time in each row is permuted at all timesteps together, and all of its cells
          get this importance.
    groups : dict of str to list, default=None
        Features that are permuted together, for instance the columns of a one-hot
        encoded category: the name of each group, and the list of its features, given by
        name or position. With ``over="timesteps"``: lists of timesteps, counted from 0.
        Features or timesteps in no group are permuted separately.
    reshaper : SequenceReshaper, default=None
        Determines the timestep and the feature of each column of a 2-D X; fitted or
        unfitted. None: the `SequenceReshaper` in the pipeline or ``n_timesteps`` of the
        network is used, if the steps before them keep the columns of X. Otherwise, and
        if each column is a timestep, each column is a feature.
    feature_names : array-like of str of shape (n_features,), default=None
        Names of the features. None: the names in the reshaper, the dataframe or the
        `WindowArray`, or ``"feature0"``, ``"feature1"``, ...
    scoring : str, callable, list, tuple or dict, default=None
        As in scikit-learn: the name of a scorer, a scorer, or several of them. None:
        the method ``score`` of the estimator.
    n_repeats : int, default=5
        Number of permutations. The same permutations are used for all features and
        timesteps.
    n_jobs : int, default=None
        Number of jobs to run in parallel. None: 1, unless in a
        `joblib.parallel_config`. The result does not depend on it. Threads
        (``joblib.parallel_config("threading")``) are often faster than processes, each
        of which has to load TensorFlow.
    random_state : int, RandomState instance or None, default=None
        Determines the permutations. Pass an int for reproducible results across
        multiple calls.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the rows in the score.

    Returns
    -------
    result : sklearn.utils.Bunch, or dict of str to sklearn.utils.Bunch
        The importances; for several scorers, a dict of the names of the scorers to
        their importances. The keys of a Bunch are also attributes:

        importances : ndarray of shape (n_features, n_repeats), \
                (n_timesteps, n_repeats) or (n_timesteps, n_features, n_repeats)
            The decrease of the score for each permutation.
        importances_mean : ndarray of shape (n_features,), (n_timesteps,) or \
                (n_timesteps, n_features)
            The mean decrease over the permutations.
        importances_std : ndarray of the shape of ``importances_mean``
            The standard deviation over the permutations.
        feature_names : ndarray of str
            Names of the features and groups. Not with ``over="timesteps"``.
        timesteps : ndarray
            The timesteps, counted from 0, and groups. Not with ``over="features"``.

    Raises
    ------
    ValueError
        If an argument is invalid, or if with ``over="timesteps"`` or ``"cells"`` the
        timesteps of the columns of X are not known.
    TypeError
        If ``groups`` is not a dict of lists.

    See Also
    --------
    PermutationImportanceDisplay : Draws the result.
    integrated_gradients : Explains the prediction of a single row.

    Notes
    -----
    *Rows of different lengths* keep their lengths. With ``over="features"``, a row gets
    the values of another row at the same relative positions in time. With
    ``"timesteps"`` and ``"cells"``, a timestep is permuted among the rows that have
    this timestep. In a list, timesteps are counted from the start of each row; in a
    padded array, a timestep is a position on the second axis. Padding is recognized by
    the ``mask_value`` of the network.

    Correlated features share their importance: if one of them is permuted, the network
    still gets the information from the others. Permute them as a group.

    References
    ----------
    .. [1] L. Breiman, "Random forests", Machine Learning 45, 2001.

    Examples
    --------
    The class depends on the last timestep of the first feature:

    >>> import numpy as np
    >>> from skseq import DenseClassifier
    >>> from skseq.inspection import permutation_importance
    >>> X = np.random.default_rng(0).normal(size=(300, 3, 2))
    >>> y = X[:, -1, 0] > 0
    >>> net = DenseClassifier(random_state=0).fit(X, y)
    >>> result = permutation_importance(net, X, y, over="cells", random_state=0)
    >>> result.importances_mean.shape
    (3, 2)
    >>> int(result.importances_mean.argmax())  # the cell 2, 0
    4
    """
    check_arguments(
        "permutation_importance",
        _CONSTRAINTS,
        {
            "estimator": estimator,
            "over": over,
            "groups": groups,
            "reshaper": reshaper,
            "feature_names": feature_names,
            "n_repeats": n_repeats,
            "n_jobs": n_jobs,
            "random_state": random_state,
        },
    )
    if feature_names is None and isinstance(X, WindowArray):
        feature_names = X.names
    X = as_sequences(X)
    final, _ = final_of(estimator)
    rows = permutable(X, getattr(final, "mask_value", None))
    columns = names = None
    if not isinstance(rows, Sequences):
        columns, names = arranged(estimator, rows, reshaper)
    elif reshaper is not None:
        raise ValueError(
            "reshaper must be None for an X of sequences, got one. It is for the "
            "columns of a 2-D X."
        )
    units = units_of(rows, over, groups, columns, names, feature_names)
    rng = check_random_state(random_state)
    orders = [rng.permutation(len(rows)) for _ in range(n_repeats)]
    scorer = check_scoring(estimator, scoring=scoring)
    options = {} if sample_weight is None else {"sample_weight": sample_weight}
    baseline = scorer(estimator, X, y, **options)
    n_parts = min(effective_n_jobs(n_jobs), len(units.members))
    parts = np.array_split(np.arange(len(units.members)), n_parts)
    found = Parallel(n_jobs=n_jobs)(
        delayed(_permuted_scores)(
            estimator, rows, y, [units.members[i] for i in part], orders, scorer,
            options,
        )
        for part in parts
    )  # fmt: skip
    scores = [one for part in found for one in part]
    if not isinstance(baseline, dict):
        return _result(baseline, scores, units)
    return {
        name: _result(value, [[one[name] for one in each] for each in scores], units)
        for name, value in baseline.items()
    }


def _permuted_scores(estimator, rows, y, members, orders, scorer, options):
    """Compute the scores for some units, a list for each."""
    rows = copy(rows)  # each thread has one
    rows.start()
    scores = []
    for unit in members:
        permuted = (rows.permuted(unit, order) for order in orders)
        scores.append([scorer(estimator, X, y, **options) for X in permuted])
        rows.restore(unit)
    return scores


def _result(baseline, scores, units):
    importances = (baseline - np.array(scores))[units.places]
    return Bunch(
        importances=importances,
        importances_mean=importances.mean(axis=-1),
        importances_std=importances.std(axis=-1),
        **units.names,
    )
