"""Progress of a whole search, shown by its scorer."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
import threading
import time
import weakref
from numbers import Integral
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np
from sklearn.base import clone
from sklearn.metrics import check_scoring
from sklearn.utils.metadata_routing import get_routing_for_object
from tqdm.std import tqdm

from skseq._engine.progress import choose_tqdm
from skseq._validation import Interval, check_arguments, nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Self

# Seconds between two looks at the scores, and between two lines where there is no
# terminal.
_PAUSE, _LINE_PAUSE = 0.2, 60.0

_COUNT = [Interval(Integral, 1, None, closed="left"), None]
_CONSTRAINTS = {"n_candidates": _COUNT, "n_folds": _COUNT, "metric": [str, None]}

# The estimator that each thread has scored last.
_last = threading.local()


def _is_again(estimator):
    """Check whether the estimator is scored again, on its training rows."""
    before = getattr(_last, "estimator", None)
    _last.estimator = weakref.ref(estimator)
    return before is not None and before() is estimator


def _key(estimator):
    """Hash the parameters, which are those of a candidate in all folds."""
    try:
        # A clone, because the steps of a fitted pipeline differ from fold to fold.
        return joblib.hash(clone(estimator))
    except Exception:  # of any pickle; progress must not end a search
        return None


class _Scores:
    """The scores so far, by candidate."""

    def __init__(self, n_folds):
        self._n_folds = n_folds
        self._scores: dict[str | None, list[float]] = {}
        self.n_fits = 0

    def add(self, line):
        found = json.loads(line)
        self.n_fits += 1
        self._scores.setdefault(found["candidate"], []).append(found["score"])

    def summary(self):
        """Describe the candidates that are done, and the best mean score of them."""
        known = [one for key, one in self._scores.items() if key is not None]
        done = [one for one in known if len(one) >= (self._n_folds or 1)]
        means = [mean for mean in map(np.mean, done) if np.isfinite(mean)]
        parts = {"candidates": len(done)} if self._n_folds else {}
        if means:
            parts["best"] = f"{max(means):.4f}"
        return parts


class _Lines:
    """A line every minute and at the end on standard error, where is no terminal."""

    def __init__(self, total, **options):
        self._total, self._options = total, options
        self._start = self._shown = time.monotonic()
        self.n, self._postfix = 0, {}

    def set_postfix(self, parts, refresh=True):
        self._postfix = parts

    def update(self, n):
        self.n += n
        if time.monotonic() - self._shown >= _LINE_PAUSE:
            self.refresh()

    def refresh(self):
        self._shown = time.monotonic()
        text = ", ".join(f"{name}={value}" for name, value in self._postfix.items())
        line = tqdm.format_meter(
            self.n, self._total, self._shown - self._start, ncols=0, postfix=text,
            prefix=self._options["desc"], unit=self._options["unit"],
        )  # fmt: skip
        print(line, file=sys.stderr)

    def close(self):
        self.refresh()


class SearchProgress:
    """Scorer that shows the progress of a search, and its best score so far.

    Pass it as ``scoring`` to a grid search, random search, halving search or
    ``cross_val_score`` of scikit-learn. It returns the scores of the scorer that it
    wraps. In a ``with`` statement, it shows the number of fits, the time left, and the
    best mean score of the candidates whose folds are done. It works with a single job,
    and with threads or processes on this machine. Fits on other machines are scored,
    but not counted.

    In a terminal or notebook, progress is shown as a bar of tqdm. Otherwise, a line is
    printed to standard error once a minute and at the end.

    Parameters
    ----------
    scoring : str, callable, list, tuple, dict or None, default=None
        The scorer to wrap, as in `sklearn.model_selection.GridSearchCV`. None: the
        method ``score`` of the estimator.
    n_candidates : int, default=None
        Number of candidates, such as ``len(ParameterGrid(param_grid))``. The time left
        is shown only if ``n_candidates`` and ``n_folds`` are given.
    n_folds : int, default=None
        Number of folds. If given, a candidate is considered for the best score only
        when all its folds are done.
    metric : str, default=None
        Name of the metric whose best value is shown, for several metrics. None: the
        first one.

    Notes
    -----
    Scores are collected in a temporary file, to which all processes append, and which
    is removed at the end. Fits that raise an exception, and scores on training rows,
    are not counted. In a halving search over ``n_samples``, the mean score of a
    candidate is over all iterations.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.model_selection import GridSearchCV
    >>> from skseq import DenseClassifier
    >>> from skseq.search import SearchProgress
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> net = DenseClassifier(epochs=2, random_state=0)
    >>> with SearchProgress("roc_auc", n_candidates=2, n_folds=3) as scoring:
    ...     search = GridSearchCV(net, {"dense_units": [8, 16]}, scoring=scoring, cv=3)
    ...     search = search.fit(X, y)
    >>> len(search.cv_results_["mean_test_score"])
    2
    """

    def __init__(
        self,
        scoring: str | Callable | Iterable | Mapping | None = None,
        *,
        n_candidates: int | None = None,
        n_folds: int | None = None,
        metric: str | None = None,
    ):
        arguments = {
            "n_candidates": n_candidates, "n_folds": n_folds, "metric": metric,
        }  # fmt: skip
        check_arguments("SearchProgress", _CONSTRAINTS, arguments)
        several = [] if isinstance(scoring, str) or callable(scoring) else scoring or []
        if metric is not None and several and metric not in several:
            raise ValueError(
                f"metric must be one of the metrics in scoring, got {metric!r}."
                + nearest(metric, several)
            )
        self.scoring: Any = scoring
        self.n_candidates = n_candidates
        self.n_folds = n_folds
        self.metric = metric
        self._path: str | None = None

    def __getstate__(self):
        names = ("scoring", "n_candidates", "n_folds", "metric", "_path")
        return {name: vars(self)[name] for name in names}

    def __call__(self, estimator, X, y=None, sample_weight=None, **params):
        """Score an estimator, and count it.

        Parameters
        ----------
        estimator : estimator
            A fitted one.
        X : array-like of shape (n_samples, ...)
            Rows to score.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            Their targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Their weights.
        **params : dict
            Further arguments of the scorer.

        Returns
        -------
        score : float or dict of str to float
            The result of the scorer.
        """
        if sample_weight is not None:
            params["sample_weight"] = sample_weight
        targets = () if y is None else (y,)
        score = check_scoring(estimator, self.scoring)(estimator, X, *targets, **params)
        if self._path is not None and not _is_again(estimator):
            value = score
            if isinstance(score, dict):
                value = score.get(self.metric or next(iter(score)), np.nan)
            found = {"candidate": _key(estimator), "score": float(value)}
            # The file is gone when the progress has ended, or on another machine.
            with contextlib.suppress(OSError):
                file = os.open(self._path, os.O_WRONLY | os.O_APPEND)
                try:
                    os.write(file, (json.dumps(found) + "\n").encode())
                finally:
                    os.close(file)
        return score

    def get_metadata_routing(self):
        """Get the metadata routing of the wrapped scorer.

        Returns
        -------
        routing : sklearn.utils.metadata_routing.MetadataRequest or MetadataRouter
            The routing of the wrapped scorer.
        """
        scorer = self.scoring
        if not callable(scorer):
            # An estimator of scikit-learn's, to look up the names of metrics.
            from sklearn.dummy import DummyClassifier

            scorer = check_scoring(DummyClassifier(), scorer)
        return get_routing_for_object(scorer)

    def __enter__(self) -> Self:
        if self._path is not None:
            raise RuntimeError(
                "SearchProgress is open already. Make one for each search."
            )
        file, self._path = tempfile.mkstemp(prefix="skseq-progress-", suffix=".jsonl")
        os.close(file)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._show, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *error):
        self._ended.set()
        self._thread.join()
        path, self._path = self._path, None
        os.remove(path)

    def _show(self):
        """Show the scores in the file until the search has ended."""
        total = None
        if self.n_candidates is not None and self.n_folds is not None:
            total = self.n_candidates * self.n_folds
        bar = (choose_tqdm() or _Lines)(total=total, desc="search", unit="fit")
        scores, ended, text = _Scores(self.n_folds), False, ""
        with open(self._path, encoding="utf-8") as file:
            while not ended:
                # Once more after the end, for the scores that came before it.
                ended = self._ended.wait(_PAUSE)
                n_before = scores.n_fits
                # The last line may not be whole yet; on a full disk it never is.
                *lines, text = (text + file.read()).split("\n")
                for line in lines:
                    with contextlib.suppress(ValueError):
                        scores.add(line)
                if scores.n_fits > n_before:
                    bar.set_postfix(scores.summary(), refresh=False)
                bar.update(scores.n_fits - n_before)
        bar.close()
