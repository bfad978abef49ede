"""Results of a search as columns: parameters, times and scores of all candidates."""

import numpy as np
from scipy.stats import rankdata
from sklearn.utils.validation import check_is_fitted

from skseq._validation import nearest

# Longer names of values are cut.
_MOST_CHARACTERS = 28


def _shorten(text):
    text = " ".join(text.split())
    half = _MOST_CHARACTERS // 2 - 1
    return text if len(text) <= _MOST_CHARACTERS else f"{text[:half]}…{text[-half:]}"


def _from_trials(frame):
    """Give the columns of Optuna's trials the names of `cv_results_`."""
    if "state" in frame:
        frame = frame[frame["state"] == "COMPLETE"]
    columns = {}
    for name in frame:
        for before, after in {
            "params_": "param_",
            "user_attrs_": "",
            "values_": "mean_test_",
        }.items():
            if name.startswith(before):
                columns[after + name.removeprefix(before)] = frame[name].to_numpy()
    if "value" in frame:
        columns.setdefault("mean_test_score", frame["value"].to_numpy())
    if "duration" in frame and "mean_fit_time" not in columns:
        columns["duration"] = frame["duration"].dt.total_seconds().to_numpy()
    return columns


def _plain(values):
    """Convert values of a parameter; where a candidate has none there is None."""
    if isinstance(values, np.ma.MaskedArray):
        values = np.where(np.ma.getmaskarray(values), None, values.data)
    result = np.empty(len(values), dtype=object)
    # Assigned one by one, because NumPy would make tuples another dimension.
    for i, value in enumerate(values):
        value = value.item() if isinstance(value, np.generic) else value
        result[i] = None if isinstance(value, float) and np.isnan(value) else value
    return result


class Results:
    """Parameters, times and scores of candidates.

    Attributes
    ----------
    parameters : dict of str to ndarray of shape (n_candidates,), dtype object
        Values of the parameters that are not the same in all candidates.
    times : dict of str to ndarray of shape (n_candidates,)
        Seconds, by the names of their columns.
    scores : dict of str to ndarray of shape (n_candidates,)
        Mean scores, ``"mean_test_score"`` and so on.
    columns : dict of str to ndarray
        All columns.
    """

    def __init__(self, search):
        self.columns = _read(search)
        self.parameters = {}
        for name in self.columns:
            if name.startswith("param_") or name == "n_resources":
                values = _plain(self.columns[name])
                if len(set(map(repr, values))) > 1:
                    self.parameters[name.removeprefix("param_")] = values
        self.times = self._numbers("mean_fit_time", "mean_score_time", "duration")
        self.scores = self._numbers(
            *(n for n in self.columns if n.startswith(("mean_test_", "mean_train_")))
        )
        if not self.scores:
            raise ValueError(
                f"search must have scores in a column mean_test_score, or "
                f"mean_test_<metric>, got the columns {sorted(self.columns)}."
            )

    def _numbers(self, *names):
        return {
            name: np.asarray(self.columns[name], dtype=float)
            for name in names
            if name in self.columns
        }

    def metric(self, metric):
        """Return the name of the metric that is drawn, or raise if it is unclear."""
        known = [
            name.removeprefix("mean_test_")
            for name in self.scores
            if name.startswith("mean_test_")
        ]
        if metric is None and "score" in known:
            return "score"
        if metric is None and len(known) == 1:
            return known[0]
        if metric is None:
            raise ValueError(
                f"metric must be one of {known}, because the search has several, "
                f"got None."
            )
        if metric not in known:
            raise ValueError(
                f"metric must be a metric of the search, got {metric!r}."
                + nearest(metric, known)
            )
        return metric

    def deviations(self, name):
        """Return the standard deviations over folds of a mean, or None."""
        found = self._numbers(name.replace("mean_", "std_", 1))
        return next(iter(found.values()), None)


def _read(search):
    if hasattr(search, "trials_dataframe"):  # a study, or OptunaSearchCV
        return _from_trials(search.trials_dataframe())
    if hasattr(search, "fit") and not hasattr(search, "cv_results_"):
        check_is_fitted(search)
    results = getattr(search, "cv_results_", search)
    if hasattr(results, "columns"):
        if {"state", "value"} & set(results.columns):
            return _from_trials(results)
        return {str(name): results[name].to_numpy() for name in results.columns}
    if not isinstance(results, dict):
        raise TypeError(
            f"search must be a fitted search of scikit-learn, a study of Optuna, or a "
            f"dict or dataframe like cv_results_, got {type(search).__name__}."
        )
    return results


def short_names(names):
    """Leave out the steps before names of parameters, where they stay distinct."""
    last = [name.rpartition("__")[2] for name in names]
    return [
        short if last.count(short) == 1 else name
        for name, short in zip(names, last, strict=True)
    ]


def is_numeric(values):
    """Check whether the values of a parameter that are set are numbers."""
    return all(isinstance(value, int | float) for value in values if value is not None)


def name_of(value):
    """Write a value of a parameter as a name of at most 28 characters."""
    return _shorten(value if isinstance(value, str) else repr(value))


def as_numbers(parameters):
    """Make columns of numbers of parameters: one for each value of a category.

    Parameters
    ----------
    parameters : dict of str to ndarray of shape (n_candidates,), dtype object

    Returns
    -------
    columns : dict of str to ndarray of shape (n_candidates,)
        NaN where a candidate does not have a numeric parameter.
    """
    columns = {}
    for name, values in parameters.items():
        if is_numeric(values) and len(set(values) - {None}) > 1:
            columns[name] = np.array(values, dtype=float)
            continue
        written = np.array([repr(value) for value in values])
        distinct = {repr(value): value for value in values}
        for key, value in distinct.items():
            columns[f"{name} = {name_of(value)}"] = (written == key).astype(float)
    return columns


def rank_correlations(columns):
    """Compute Spearman's correlations of columns, over rows where both have values.

    Parameters
    ----------
    columns : list of ndarray of shape (n_candidates,)

    Returns
    -------
    correlations : ndarray of shape (n_columns, n_columns)
        NaN for columns that are constant where both have values.
    """
    result = np.full((len(columns), len(columns)), np.nan)
    for i, one in enumerate(columns):
        for j, other in enumerate(columns[: i + 1]):
            both = np.isfinite(one) & np.isfinite(other)
            ranks = [rankdata(one[both]), rankdata(other[both])]
            if all(np.ptp(r) > 0 if len(r) else False for r in ranks):
                result[i, j] = result[j, i] = np.corrcoef(*ranks)[0, 1]
    return result


def pareto_front(times, scores):
    """Find the rows to which no other is both faster and better.

    Parameters
    ----------
    times, scores : ndarray of shape (n_candidates,)
        Shorter times and larger scores are better.

    Returns
    -------
    front : ndarray of int of shape (n_front,)
        Places of the rows, the fastest first.
    """
    order = np.lexsort((-scores, times))
    order = order[np.isfinite(times[order]) & np.isfinite(scores[order])]
    before = np.maximum.accumulate(np.r_[-np.inf, scores[order]])[:-1]
    return order[scores[order] > before]
