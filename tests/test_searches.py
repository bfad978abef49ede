"""Searches by Optuna and by halving, and pruning by the epochs of networks."""

import os
import pickle
import shutil
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path

import numpy as np
import optuna
import pytest
import sklearn
from joblib import parallel_config
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.trial import TrialState
from packaging.version import Version
from sklearn.base import clone
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    KFold,
    cross_val_score,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skseq
from skseq._engine import cache, program
from skseq.search import prune

# OptunaSearchCV and heartbeats of Optuna are experimental. optuna-integration uses a
# module of Optuna that is deprecated.
pytestmark = [
    pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning"),
    pytest.mark.filterwarnings("ignore:.optuna.terminator. module:FutureWarning"),
]

CV = KFold(2)


@pytest.fixture(autouse=True)
def quiet():
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    yield
    optuna.logging.set_verbosity(before)


@pytest.fixture
def storage_at():
    """Open storages by their URL, and close them after the test."""
    opened = []

    def open_storage(url, **params):
        opened.append(optuna.storages.RDBStorage(url, **params))
        return opened[-1]

    yield open_storage
    for storage in opened:
        storage.remove_session()
        storage.engine.dispose()


class After(optuna.pruners.BasePruner):
    """Prunes the trials of some numbers once they have reported a step."""

    def __init__(self, step, numbers=(0,)):
        self.step, self.numbers = step, numbers

    def prune(self, study, trial):
        return trial.number in self.numbers and trial.last_step >= self.step


def dense(trial=None, reported="loss", **params):
    options = {"epochs": 4, "random_state": 0, **params}
    if trial is not None:
        options["callbacks"] = prune(trial, reported)
    return skseq.DenseClassifier((4,), **options)


def rate(trial):
    return trial.suggest_float("learning_rate", 1e-4, 1e-1, log=True)


def study_of(**params):
    return optuna.create_study(
        sampler=optuna.samplers.RandomSampler(seed=0),
        **{"pruner": optuna.pruners.NopPruner(), **params},
    )


def summary(study):
    """List what a trial has found, without times."""
    return [(t.state, t.params, t.value, t.intermediate_values) for t in study.trials]


# ------------------------------------------------------------------------ the callback


def test_epochs_are_reported_to_the_study(table):
    losses = []

    def objective(trial):
        # Pipelines, searches and fit copy the callback.
        pipe = clone(make_pipeline(StandardScaler(), dense(trial))).fit(*table)
        losses.append(pipe[-1].history_["loss"])
        return losses[-1][-1]

    study = study_of()
    study.optimize(objective, n_trials=2)
    for trial, loss in zip(study.trials, losses, strict=True):
        assert trial.intermediate_values == dict(enumerate(loss))


def count_programs(monkeypatch):
    """Make a list to which each trace of training is added, from an empty cache."""
    traced = []

    class Counted(program.Program):
        def _trace_training(self, *args):
            traced.append(self.recipe)
            return super()._trace_training(*args)

    skseq.clear_programs()
    monkeypatch.setattr(cache, "Program", Counted)
    return traced


def test_pruned_trial_ends_after_the_epoch_and_keeps_the_program(table, monkeypatch):
    traced = count_programs(monkeypatch)
    study = study_of(pruner=After(1, numbers=(0, 2)))
    nets = []

    def objective(trial):
        nets.append(dense(trial, learning_rate=rate(trial)))
        return nets[-1].fit(*table).history_["loss"][-1]

    study.optimize(objective, n_trials=4)
    assert len(traced) == 1
    assert [len(trial.intermediate_values) for trial in study.trials] == [2, 4, 2, 4]
    assert [t.state for t in study.trials[:2]] == [
        TrialState.PRUNED, TrialState.COMPLETE,
    ]  # fmt: skip
    assert not nets[0].initialized_
    # What was pruned in between leaves nothing in the program.
    trial = study.trials[3]
    alone = dense(learning_rate=trial.params["learning_rate"]).fit(*table)
    assert alone.history_["loss"][-1] == trial.value


def test_message_of_a_pruned_trial(table):
    trial = study_of(pruner=After(1)).ask()
    with pytest.raises(optuna.TrialPruned, match=r"after epoch 2: loss=\d\.\d+"):
        dense(trial).fit(*table)


@pytest.mark.parametrize(
    "run",
    [
        lambda net, X, y: cross_val_score(net, X, y, cv=CV, error_score="raise"),
        lambda net, X, y: GridSearchCV(
            net, {"epochs": [4]}, cv=CV, error_score="raise", refit=False
        ).fit(X, y),
    ],
    ids=["cross_val_score", "GridSearchCV"],
)
def test_epochs_of_folds_are_numbered_on(table, run):
    study = study_of(pruner=After(5))
    trial = study.ask()
    with pytest.raises(optuna.TrialPruned, match="after epoch 2"):
        run(dense(trial), *table)
    values = trial.storage.get_trial(trial._trial_id).intermediate_values
    X, y = table
    first, second = (
        dense().fit(X[train], y[train]).history_["loss"] for train, _ in CV.split(X)
    )
    assert values == dict(enumerate(first + second[:2]))


def test_folds_after_a_pruned_one_do_not_train(table):
    # Without error_score="raise", scikit-learn goes on with the next fold.
    trial = study_of(pruner=After(1)).ask()
    with pytest.raises(ValueError, match="All the 2 fits failed"):
        cross_val_score(dense(trial), *table, cv=CV)
    assert trial.storage.get_trial(trial._trial_id).last_step == 1


def test_folds_in_threads_share_the_trial(table):
    trial = study_of().ask()
    with parallel_config("threading"):
        scores = cross_val_score(dense(trial), *table, cv=CV, n_jobs=2)
    steps = trial.storage.get_trial(trial._trial_id).intermediate_values
    assert sorted(steps) == list(range(8))
    assert (scores == cross_val_score(dense(), *table, cv=CV)).all()


@pytest.mark.parametrize(
    ("direction", "monitor", "better", "sign"),
    [
        ("minimize", "val_loss", None, 1),
        ("maximize", "val_loss", None, -1),
        ("maximize", "val_roc_auc", None, 1),
        ("minimize", "val_accuracy", None, 1),
        ("minimize", "val_accuracy", True, -1),
        ("maximize", "val_accuracy", True, 1),
        ("maximize", "val_accuracy", False, -1),
    ],
)
def test_values_are_reported_in_the_direction_of_the_study(
    table, direction, monitor, better, sign
):
    trial = study_of(direction=direction).ask()
    callback = prune(trial, monitor, greater_is_better=better)
    net = dense(
        epochs=1, metrics=["accuracy"], monitor="roc_auc", callbacks=callback
    ).fit(*table, X_val=table[0], y_val=table[1])
    (value,) = trial.storage.get_trial(trial._trial_id).intermediate_values.values()
    assert value == sign * net.history_[monitor][0]


def test_entry_that_is_not_in_the_logs(table):
    trial = study_of().ask()
    with pytest.raises(ValueError, match=r"are \['loss'\], got 'val_loss'.*X_val"):
        dense(trial, "val_loss").fit(*table)
    with pytest.raises(ValueError, match=r"'val_roc_auc' needs monitor='roc_auc' in"):
        dense(trial, "val_roc_auc").fit(*table, X_val=table[0], y_val=table[1])


def test_what_is_no_trial_or_monitor():
    with pytest.raises(TypeError, match=r"trial must be an optuna.*got 3"):
        prune(3)
    with pytest.raises(ValueError, match="'monitor' parameter of prune must be"):
        prune(study_of().ask(), 3)
    study = optuna.create_study(directions=["minimize", "maximize"])
    with pytest.raises(RuntimeError, match="single direction"):
        prune(study.ask())


def test_fixed_trial_is_never_pruned(table):
    assert dense(optuna.trial.FixedTrial({})).fit(*table).n_iter_ == 4


def test_without_optuna_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    monkeypatch.delitem(sys.modules, "skseq.search._pruning")
    monkeypatch.delitem(vars(skseq.search), "prune", raising=False)
    with pytest.raises(ImportError, match="pip install optuna"):
        skseq.search.prune  # noqa: B018
    assert "prune" in dir(skseq.search)
    with pytest.raises(AttributeError, match="no attribute 'prun'"):
        skseq.search.prun  # noqa: B018


def test_pickles_do_not_contain_the_trial(table, tmp_path, storage_at):
    study = study_of(storage=storage_at(f"sqlite:///{tmp_path}/secret.db"))
    net = dense(study.ask()).fit(*table)
    data = pickle.dumps(net)
    assert b"secret.db" not in data
    loaded = pickle.loads(data)
    assert (loaded.predict_proba(table[0]) == net.predict_proba(table[0])).all()
    with pytest.raises(RuntimeError, match=r"threads.*set callbacks=None in a network"):
        loaded.fit(*table)
    loaded.set_params(callbacks=None).fit(*table)


# ------------------------------------------------------------------------------ studies


def tpe(seed=0):
    return optuna.samplers.TPESampler(seed=seed, n_startup_trials=3)


def gp(seed=0):
    pytest.importorskip("torch", reason="optuna.samplers.GPSampler needs torch")
    return optuna.samplers.GPSampler(seed=seed, n_startup_trials=3)


def five_epochs(table):
    def objective(trial):
        params = {
            "learning_rate": rate(trial),
            "batch_size": trial.suggest_categorical("batch_size", [16, 32]),
        }
        net = dense(trial, epochs=5, **params)
        return net.fit(*table).history_["loss"][-1]

    return objective


@pytest.mark.parametrize("make_sampler", [tpe, gp])
@pytest.mark.parametrize(
    "pruner",
    [
        optuna.pruners.MedianPruner(n_startup_trials=2),
        optuna.pruners.HyperbandPruner(max_resource=5),
    ],
    ids=["median", "hyperband"],
)
def test_same_seeds_give_the_same_trials(table, make_sampler, pruner):
    found = []
    for _ in range(2):
        # Hyperband draws its brackets from the name of the study.
        study = optuna.create_study(
            sampler=make_sampler(), pruner=pruner, study_name="one"
        )
        study.optimize(five_epochs(table), n_trials=7)
        found.append(summary(study))
    assert found[0] == found[1]
    states = {state for state, *_ in found[0]}
    assert states == {TrialState.COMPLETE, TrialState.PRUNED}


def test_study_that_was_stopped_goes_on(table, tmp_path, storage_at):
    url = f"sqlite:///{tmp_path}/search.db"
    path = tmp_path / "sampler.pickle"
    pruner = optuna.pruners.MedianPruner(n_startup_trials=2)

    def keep_sampler(study, trial):
        path.write_bytes(pickle.dumps(study.sampler))

    def stop(study, trial):
        if trial.number == 3:
            study.stop()

    whole = optuna.create_study(sampler=tpe(), pruner=pruner)
    whole.optimize(five_epochs(table), n_trials=6)
    named = {"study_name": "net", "load_if_exists": True, "pruner": pruner}
    study = optuna.create_study(sampler=tpe(), storage=storage_at(url), **named)
    study.optimize(five_epochs(table), n_trials=6, callbacks=[keep_sampler, stop])
    assert len(study.trials) == 4
    sampler = pickle.loads(path.read_bytes())
    again = optuna.create_study(sampler=sampler, storage=storage_at(url), **named)
    again.optimize(five_epochs(table), n_trials=2)
    assert summary(again) == summary(whole)


# What another process runs: a trial, which does not end if there is an argument more.
CHILD = """
    import sys, time
    import numpy as np, optuna
    import skseq
    from skseq.search import prune

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    storage = optuna.storages.RDBStorage(sys.argv[1], heartbeat_interval=1)
    study = optuna.load_study(study_name="net", storage=storage)
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 5)), np.arange(60) % 2

    def objective(trial):
        rate = trial.suggest_float("learning_rate", 1e-4, 1e-1, log=True)
        net = skseq.DenseClassifier(
            (4,), epochs=2, learning_rate=rate, callbacks=prune(trial, "loss")
        )
        loss = net.fit(X, y).history_["loss"][-1]
        print("trained", flush=True)
        if len(sys.argv) > 2:
            time.sleep(600)
        return loss

    study.optimize(objective, n_trials=1)
    storage.remove_session()
    storage.engine.dispose()
"""


def in_another_process(*args):
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(CHILD), *args],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )


def retrying():
    """Make the arguments of a storage that runs trials of killed processes again."""
    name, parameter = "HeartbeatStale", "heartbeat_stale"
    if not hasattr(optuna.storages, f"Retry{name}TrialCallback"):  # before Optuna 4.9
        name, parameter = "Failed", "failed"
    callback = getattr(optuna.storages, f"Retry{name}TrialCallback")(max_retry=3)
    return {
        "heartbeat_interval": 1,
        "grace_period": 2,
        f"{parameter}_trial_callback": callback,
    }


def one_rate(table):
    def objective(trial):
        net = dense(trial, epochs=2, learning_rate=rate(trial))
        return net.fit(*table).history_["loss"][-1]

    return objective


@pytest.mark.slow
def test_trial_of_a_killed_process_runs_again(table, tmp_path, storage_at):
    url = f"sqlite:///{tmp_path}/search.db"
    study = study_of(study_name="net", storage=storage_at(url, **retrying()))
    with in_another_process(url, "waits") as process:
        assert process.stdout.readline() == "trained\n"
        study.optimize(one_rate(table), n_trials=1)  # by two processes at a time
        process.kill()
    deadline = time.monotonic() + 60
    # A study looks for killed trials before it starts one of its own.
    while study.trials[0].state == TrialState.RUNNING:
        assert time.monotonic() < deadline
        time.sleep(0.5)
        study.optimize(one_rate(table), n_trials=1)
    study.optimize(one_rate(table), n_trials=1)
    killed, *others = study.trials
    assert killed.state == TrialState.FAIL
    assert {trial.state for trial in others} == {TrialState.COMPLETE}
    (again,) = [t for t in others if t.system_attrs.get("failed_trial") == 0]
    assert again.params == killed.params


def postgresql_programs():
    """Find the folder of PostgreSQL's programs, or skip the test."""
    pytest.importorskip("psycopg", reason="no driver for PostgreSQL: psycopg")
    found = shutil.which("initdb")
    folders = [Path(found).parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for folder in folders:
        if (folder / "initdb").exists():
            return folder
    pytest.skip("no PostgreSQL server: initdb is not found")


@pytest.fixture
def postgresql():
    """Run a server on a Unix socket, and return the URL of its database."""
    programs, user = postgresql_programs(), {}
    # Not pytest's folder: names of sockets are short, and other users can't enter it.
    with tempfile.TemporaryDirectory() as folder:
        if os.getuid() == 0:  # as whom the server refuses to run
            user = {"user": "nobody", "cwd": folder}
            shutil.chown(folder, "nobody")

        def call(name, *args):
            subprocess.run(
                [programs / name, "-D", f"{folder}/data", *args],
                check=True, stdout=subprocess.DEVNULL, **user,
            )  # fmt: skip

        options = f"-c listen_addresses= -c unix_socket_directories={folder}"
        call("initdb", "-U", "tester", "-A", "trust", "--no-sync")
        call("pg_ctl", "-w", "-l", f"{folder}/log", "-o", options, "start")
        try:
            yield f"postgresql+psycopg://tester@/postgres?host={folder}"
        finally:
            call("pg_ctl", "-m", "immediate", "stop")


def test_study_in_postgresql_is_shared_and_resumed(table, postgresql, storage_at):
    def open_study():
        return study_of(
            study_name="net", storage=storage_at(postgresql), load_if_exists=True,
            pruner=After(1, numbers=(1,)),
        )  # fmt: skip

    study = open_study()
    study.optimize(one_rate(table), n_trials=4, n_jobs=2)
    with in_another_process(postgresql) as process:
        open_study().optimize(one_rate(table), n_trials=2)
        process.communicate()
    assert process.returncode == 0
    assert sorted(trial.number for trial in study.trials) == list(range(7))
    states = [trial.state for trial in study.trials]
    assert states.count(TrialState.PRUNED) == 1
    assert states.count(TrialState.COMPLETE) == 6
    assert list(study.trials[1].intermediate_values) == [0, 1]


# --------------------------------------------------------------------- OptunaSearchCV


def search_cv(estimator, prefix="", **params):
    if Version(sklearn.__version__) < Version("1.7"):
        pytest.skip("scikit-learn 1.6 can't read the tags of OptunaSearchCV 4.1")
    from optuna_integration import OptunaSearchCV

    distributions = {
        f"{prefix}learning_rate": FloatDistribution(1e-4, 1e-1, log=True),
        f"{prefix}dense_units": CategoricalDistribution([2, 4]),
    }
    options = {"cv": CV, "n_trials": 4, "random_state": 0, "scoring": "roc_auc"}
    return OptunaSearchCV(estimator, distributions, **{**options, **params})


def test_optuna_search_cv_over_a_pipeline(table):
    X, y = table
    net = dense(early_stopping=True, validation_split=0.2, monitor="roc_auc")
    pipe = make_pipeline(StandardScaler(), net)
    search = search_cv(pipe, "denseclassifier__", error_score="raise").fit(X, y)
    assert len(search.trials_) == 4
    assert search.best_score_ == max(trial.value for trial in search.trials_)
    best = clone(pipe).set_params(**search.best_params_)
    scores = cross_val_score(best, X, y, cv=CV, scoring="roc_auc")
    assert search.best_score_ == scores.mean()
    assert (search.predict_proba(X) == best.fit(X, y).predict_proba(X)).all()
    assert list(search.classes_) == [0, 1]
    # Threads train the same networks, in another order.
    threads = search_cv(
        pipe, "denseclassifier__", error_score="raise", n_jobs=2,
        study=optuna.create_study(direction="maximize", sampler=tpe()),
    ).fit(X, y)  # fmt: skip
    for trial in threads.trials_:
        net = clone(pipe).set_params(**trial.params)
        assert (
            trial.value == cross_val_score(net, X, y, cv=CV, scoring="roc_auc").mean()
        )


def test_optuna_search_cv_prunes_over_the_epochs_of_all_folds(table):
    study = optuna.create_study(direction="maximize", sampler=tpe(), pruner=After(1))
    search = search_cv(
        dense(), enable_pruning=True, max_iter=3, study=study, error_score="raise"
    ).fit(*table)
    lengths = [len(trial.intermediate_values) for trial in search.trials_]
    assert lengths == [2, 3, 3, 3]
    # The last score of each is that of networks of three epochs.
    X, y = table
    best = dense(epochs=3, schedule=None).set_params(**search.best_params_)
    scores = cross_val_score(best, X, y, cv=CV, scoring="roc_auc")
    np.testing.assert_allclose(search.best_score_, scores.mean(), atol=0.02)


# ------------------------------------------------------------------------------ halving


def test_halving_over_epochs_shares_programs(table, monkeypatch):
    built = count_programs(monkeypatch)
    grid = {"dense_units": [(2,), (4,)], "learning_rate": [0.001, 0.01, 0.1]}
    search = HalvingGridSearchCV(
        dense(), grid, resource="epochs", min_resources=3, max_resources=9, factor=3,
        cv=CV, scoring="roc_auc", refit=False, random_state=0, error_score="raise",
    ).fit(*table)  # fmt: skip
    assert search.n_resources_ == [3, 9]
    assert search.n_candidates_ == [6, 2]
    assert len(built) == 2
    results = search.cv_results_
    # Each round trains new networks.
    for params, score in zip(
        results["params"], results["mean_test_score"], strict=True
    ):
        net = dense().set_params(**params)
        assert score == cross_val_score(net, *table, cv=CV, scoring="roc_auc").mean()


def test_halving_over_rows_shares_programs(table, monkeypatch):
    built = count_programs(monkeypatch)
    grid = {"dense_units": [(2,), (4,)], "learning_rate": [0.001, 0.01]}
    search = HalvingGridSearchCV(
        dense(batch_size=8), grid, min_resources=30, factor=2, cv=CV, random_state=0,
        error_score="raise",
    ).fit(*table)  # fmt: skip
    assert search.n_resources_ == [30, 60]
    assert len(built) == 2
    assert search.best_estimator_.n_iter_ == 4
