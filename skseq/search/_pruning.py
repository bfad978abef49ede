"""Pruning of Optuna's trials by the epochs of a network."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from skseq._validation import check_arguments

try:
    import optuna
except ImportError as error:
    raise ImportError("skseq.search.prune needs Optuna: pip install optuna") from error

if TYPE_CHECKING:
    from skseq._engine.types import Callback

_CONSTRAINTS = {"monitor": [str], "greater_is_better": ["boolean", None]}


class _Reports:
    """Reports the epochs of all fits of a trial.

    Callbacks are copied for each fit. Their copies share this object, because a copy of
    the trial would report to a copy of the study.
    """

    def __init__(self, trial, monitor, sign):
        self._trial = trial
        self._monitor = monitor
        self._sign = sign
        self._n_steps = 0
        self._pruned = None
        self._lock = threading.Lock()

    def __deepcopy__(self, memo):
        return self

    def __reduce__(self):
        # Without the trial: its storage may contain a password, and a copy of a study
        # in memory would get the reports.
        return _Reports, (None, self._monitor, self._sign)

    def begin(self, n_epochs):
        """Reserve the steps of another fit, and return the first of them."""
        if self._trial is None:
            raise RuntimeError(
                "The trial of skseq.search.prune is not here, because pickles do not "
                "contain it. Run the folds of a trial in one job or in threads "
                "(joblib.parallel_config('threading')), and set callbacks=None in a "
                "network that was loaded from a file."
            )
        with self._lock:
            self._raise_if_pruned()
            first = self._n_steps
            self._n_steps += n_epochs
        return first

    def report(self, first, epoch, logs):
        """Report an epoch, and raise if the trial is pruned."""
        if self._monitor not in logs:
            raise ValueError(
                f"monitor must be an entry of the logs of an epoch, which are "
                f"{sorted(logs)}, got {self._monitor!r}. Entries that begin with "
                f"'val_' need early_stopping=True, or X_val in fit; for instance "
                f"'val_roc_auc' needs monitor='roc_auc' in the network."
            )
        value = float(logs[self._monitor])
        with self._lock:
            self._raise_if_pruned()
            self._trial.report(self._sign * value, first + epoch)
            if self._trial.should_prune():
                self._pruned = (
                    f"Pruned after epoch {epoch + 1}: {self._monitor}={value}."
                )
            self._raise_if_pruned()

    def _raise_if_pruned(self):
        if self._pruned is not None:
            raise optuna.TrialPruned(self._pruned)


def prune(
    trial: optuna.trial.BaseTrial,
    monitor: str = "val_loss",
    *,
    greater_is_better: bool | None = None,
) -> Callback:
    """Make a callback that reports each epoch to an Optuna trial, and may prune it.

    Pruning is the early end of unpromising trials. After each epoch, the monitored
    value is reported to the trial. If the pruner of the study then decides to prune the
    trial, the callback raises `optuna.TrialPruned`, which ends ``fit`` and the trial.
    The traced graph of the network is kept for other trials.

    If a trial fits several networks in sequence, such as those of the folds of a
    cross-validation, their epochs are numbered consecutively: with 20 epochs, those of
    the second fit are the steps 20 to 39 of the trial. So pruners compare the same
    epochs of the same folds, provided that ``epochs`` is the same in all trials. Unlike
    other callbacks, this one does not slow down training.

    Parameters
    ----------
    trial : optuna.trial.Trial
        The trial. An `optuna.trial.FixedTrial` is never pruned.
    monitor : str, default="val_loss"
        Name of the value to report, an entry of ``history_``. Entries that begin with
        ``val_`` need ``early_stopping=True``, or ``X_val`` in ``fit``. If a classifier
        has ``monitor="roc_auc"``, there is an entry ``"val_roc_auc"``.
    greater_is_better : bool or None, default=None
        Whether greater values are better. If the direction of the study is different,
        the negative value is reported. None: smaller values of ``"loss"`` and
        ``"val_loss"`` are better; for other entries, the direction of the study is
        used.

    Returns
    -------
    callback : keras.callbacks.Callback
        A callback for the parameter ``callbacks`` of any network, also within a
        pipeline. Copies of the callback refer to the same trial. Its pickles do not
        contain the trial.

    Raises
    ------
    ImportError
        If Optuna is not installed.
    TypeError
        If ``trial`` is not a trial.
    RuntimeError
        If the study has several objectives.

    See Also
    --------
    optuna.study.Study.optimize : Runs the trials of a study.

    Notes
    -----
    By default, scikit-learn's ``cross_val_score`` and ``GridSearchCV`` catch exceptions
    of ``fit``. For pruning, set their ``error_score="raise"``.

    ``optuna_integration.KerasPruningCallback`` does the same for a Keras model, but
    can't be used here: an estimator copies its callbacks, and this callback is copied
    with its trial and study. For a study in memory, the values would be reported to the
    copy, and no trial would be pruned.

    Examples
    --------
    >>> import optuna
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skseq import DenseClassifier
    >>> from skseq.search import prune
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> def objective(trial):
    ...     rate = trial.suggest_float("learning_rate", 1e-5, 1e-1, log=True)
    ...     net = DenseClassifier(
    ...         learning_rate=rate, epochs=10, early_stopping=True, random_state=0,
    ...         callbacks=prune(trial),
    ...     )
    ...     return make_pipeline(StandardScaler(), net).fit(X, y)[-1].best_score_
    >>> optuna.logging.set_verbosity(optuna.logging.WARNING)
    >>> study = optuna.create_study(
    ...     sampler=optuna.samplers.RandomSampler(seed=0),
    ...     pruner=optuna.pruners.MedianPruner(n_startup_trials=2),
    ... )
    >>> study.optimize(objective, n_trials=6)
    >>> [len(trial.intermediate_values) for trial in study.trials]  # epochs
    [10, 10, 1, 1, 1, 10]
    """
    check_arguments(
        "prune",
        _CONSTRAINTS,
        {"monitor": monitor, "greater_is_better": greater_is_better},
    )
    if not isinstance(trial, optuna.trial.BaseTrial):
        raise TypeError(
            f"trial must be an optuna.trial.Trial, which a study passes to its "
            f"objective, got {trial!r}."
        )
    from skseq._engine.reports import EpochReports  # imported here, for it loads Keras

    sign = 1
    if isinstance(trial, optuna.Trial):
        maximizes = trial.study.direction == optuna.study.StudyDirection.MAXIMIZE
        if greater_is_better is None and monitor in ("loss", "val_loss"):
            greater_is_better = False
        if greater_is_better not in (None, maximizes):
            sign = -1
    return EpochReports(_Reports(trial, monitor, sign))
