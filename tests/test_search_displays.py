"""Figures of searches and fits, and the progress of a search."""

import json
import os
import pickle
import runpy
import subprocess
import sys
from pathlib import Path

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    cross_val_score,
    cross_validate,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skseq
from skseq import search as skseq_search
from skseq.search import (
    LearningHistoryDisplay,
    SearchCorrelationDisplay,
    SearchProgress,
    SearchScoresDisplay,
    SearchTimesDisplay,
)

plt = pytest.importorskip("matplotlib.pyplot")
plt.switch_backend("Agg")

# Scores of six candidates: three sizes, two optimizers.
RESULTS = {
    "param_net__units": [8, 16, 32, 8, 16, 32],
    "param_net__optimizer": ["adam", "adam", "adam", "sgd", "sgd", "sgd"],
    "param_net__epochs": [5] * 6,
    "mean_fit_time": np.array([1.0, 2.0, 4.0, 1.5, 2.5, 5.0]),
    "std_fit_time": np.full(6, 0.1),
    "mean_test_score": np.array([0.6, 0.8, 0.9, 0.5, 0.7, 0.95]),
    "std_test_score": np.full(6, 0.01),
}


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def fitted():
    """Fit a network with early stopping inside a pipeline inside a search."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 6))
    net = skseq.DenseClassifier(
        (4,), epochs=4, early_stopping=True, metrics=["accuracy"], random_state=0
    )
    search = GridSearchCV(
        make_pipeline(StandardScaler(), net),
        {"denseclassifier__learning_rate": [0.01, 0.1]},
        cv=2,
    )
    return search.fit(X, (X[:, 0] > 0).astype(int))


def texts(labels):
    return [label.get_text() for label in labels]


# --------------------------------------------------------------------------- epochs


def test_history_display_finds_the_network_in_search_and_pipeline(fitted):
    pipeline = fitted.best_estimator_
    for estimator in (fitted, pipeline, pipeline[-1]):
        display = LearningHistoryDisplay.from_estimator(estimator)
        history = pipeline[-1].history_
        for line, name in zip(display.lines_, ["loss", "val_loss"], strict=True):
            np.testing.assert_array_equal(line.get_ydata(), history[name])
            np.testing.assert_array_equal(line.get_xdata(), [1, 2, 3, 4])
        marks = display.ax_.lines[-1]
        assert set(marks.get_xdata()) == {pipeline[-1].best_epoch_}
        plt.close(display.figure_)


def test_history_display_draws_another_metric_in_given_axes(fitted):
    ax = plt.figure().add_subplot()
    display = LearningHistoryDisplay.from_estimator(fitted, metric="accuracy", ax=ax)
    assert display.ax_ is ax
    assert display.figure_ is ax.figure
    assert ax.get_ylabel() == "accuracy"
    with pytest.raises(ValueError, match="got 'acuracy'. Did you mean 'accuracy'"):
        display.plot(metric="acuracy")


def test_history_display_draws_a_line_for_each_class():
    history = {"loss": [3, 2, 1], "f1": [[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]]}
    display = LearningHistoryDisplay(history).plot(metric="f1")
    assert [line.get_ydata().tolist() for line in display.lines_] == [
        [0.1, 0.3, 0.5],
        [0.2, 0.4, 0.6],
    ]
    assert texts(display.ax_.get_legend().get_texts()) == ["training"]


def test_history_display_of_a_detector_is_that_of_its_autoencoder():
    X = np.random.default_rng(0).normal(size=(40, 4))
    net = skseq.AutoencoderTransformer(2, epochs=2)
    detector = skseq.AutoencoderOutlierDetector(net, n_networks=1, random_state=0)
    display = LearningHistoryDisplay.from_estimator(detector.fit(X))
    assert len(display.lines_[0].get_ydata()) == 2


def test_history_display_rejects_what_is_not_fitted_or_no_network(fitted):
    for estimator in (clone(fitted), clone(fitted.estimator), skseq.GRUClassifier()):
        with pytest.raises(NotFittedError):
            LearningHistoryDisplay.from_estimator(estimator)
    other = LogisticRegression().fit([[0], [1]], [0, 1])
    with pytest.raises(TypeError, match="must be a fitted network of skseq.*got Log"):
        LearningHistoryDisplay.from_estimator(other)


# ---------------------------------------------------------------------- correlations


def test_correlations_are_those_of_ranks():
    display = SearchCorrelationDisplay.from_search(RESULTS)
    assert display.names == [
        "units", "optimizer = adam", "optimizer = sgd", "fit time", "test score",
    ]  # fmt: skip
    table = dict(zip(display.names, display.correlations, strict=True))
    np.testing.assert_allclose(table["optimizer = adam"][:3], [0, 1, -1], atol=1e-12)
    # Ranks 1.5, 3.5, 5.5 twice, and of the scores 2, 4, 5, 1, 3, 6: 32 / sqrt(32 * 35)
    expected = 16 / np.sqrt(16 * 17.5)
    np.testing.assert_allclose(table["units"][-1], expected)
    assert "net__epochs" not in " ".join(display.names)
    # Each pair once.
    assert display.image_.get_array().shape == (4, 4)
    assert len(display.ax_.texts) == 10


def test_correlations_leave_out_candidates_without_a_parameter():
    masked = np.ma.masked_all(6, dtype=object)
    masked[:3] = [3, 2, 1]
    results = {**RESULTS, "param_kernel": masked}
    display = SearchCorrelationDisplay.from_search(results)
    row = display.names.index("kernel")
    assert display.correlations[row, -1] == pytest.approx(-1)
    # The optimizer is the same in these three candidates.
    assert np.isnan(display.correlations[row, display.names.index("optimizer = adam")])


def test_correlations_keep_and_cut_names():
    long = {"name": "leaky_relu", "negative_slope": 0.3}
    results = {
        "param_a__units": [1, 2, 3],
        "param_b__units": [1, 3, 2],
        "param_b__activation": ["relu", long, "relu"],
        "mean_test_score": [1.0, 2.0, 3.0],
    }
    names = SearchCorrelationDisplay.from_search(results).names
    assert names[:2] == ["a__units", "b__units"]
    assert all(len(name) <= len("activation = ") + 28 for name in names)


def test_correlations_need_three_candidates():
    results = {"param_a": [1, 2], "mean_test_score": [1, 2]}
    with pytest.raises(ValueError, match="at least 3 candidates.*got 2"):
        SearchCorrelationDisplay.from_search(results)


# --------------------------------------------------------------------------- scores


def test_scores_by_a_parameter_have_a_row_for_each_value():
    display = SearchScoresDisplay.from_search(RESULTS, by="optimizer")
    assert texts(display.ax_.get_yticklabels()) == ["adam", "sgd"]
    points = [line.get_xdata().tolist() for line in display.ax_.lines[::3]]
    assert points == [[0.6, 0.8, 0.9], [0.5, 0.7, 0.95]]
    medians = [line.get_xdata() for line in display.ax_.lines[2::3]]
    np.testing.assert_allclose(np.ravel(medians), [0.8, 0.7])


def test_scores_by_a_number_are_sorted_or_put_into_quarters():
    few = SearchScoresDisplay.from_search(RESULTS, by="net__units")
    assert texts(few.ax_.get_yticklabels()) == ["8", "16", "32"]
    rates = np.arange(1, 13) / 100
    many = {"param_rate": rates, "mean_test_score": rates}
    display = SearchScoresDisplay.from_search(many, by="rate")
    points = [line.get_xdata() for line in display.ax_.lines[::3]]
    assert [len(one) for one in points] == [3, 3, 3, 3]
    assert texts(display.ax_.get_yticklabels())[0] == "0.01 to 0.0375"


def test_scores_in_one_histogram_leave_out_failed_fits():
    results = {**RESULTS, "mean_test_score": [0.1, 0.2, np.nan, 0.3, 0.4, 0.5]}
    display = SearchScoresDisplay.from_search(results)
    assert sum(bar.get_height() for bar in display.ax_.patches) == 5


def test_scores_name_the_parameters_and_metrics_there_are():
    with pytest.raises(ValueError, match="differs between candidates, got 'epochs'"):
        SearchScoresDisplay.from_search(RESULTS, by="epochs")
    two = {"param_a": [1, 2], "mean_test_auc": [1, 2], "mean_test_f1": [1, 2]}
    with pytest.raises(ValueError, match=r"one of \['auc', 'f1'\].*got None"):
        SearchScoresDisplay.from_search(two)
    with pytest.raises(ValueError, match="got 'score'"):
        SearchScoresDisplay.from_search(two, metric="score")
    assert SearchScoresDisplay.from_search(two, metric="f1").metric == "f1"


# ---------------------------------------------------------------------------- times


def test_times_mark_the_front():
    display = SearchTimesDisplay.from_search(RESULTS)
    assert display.pareto_front_.tolist() == [0, 1, 2, 5]
    assert display.ax_.get_xlabel() == "fit time (s)"
    # A loss: only the first is best, but for the slower one with less.
    display = SearchTimesDisplay.from_search(RESULTS, greater_is_better=False)
    assert display.pareto_front_.tolist() == [0, 3]


def test_times_draw_deviations_over_folds():
    display = SearchTimesDisplay.from_search(RESULTS)
    horizontal, vertical = display.ax_.collections
    lengths = [np.ptp(part[:, 0]) for part in horizontal.get_segments()]
    np.testing.assert_allclose(lengths, 0.2)
    lengths = [np.ptp(part[:, 1]) for part in vertical.get_segments()]
    np.testing.assert_allclose(lengths, 0.02)


def test_times_must_be_there():
    with pytest.raises(ValueError, match="must have times in a column mean_fit_time"):
        SearchTimesDisplay.from_search({"mean_test_score": [1, 2]})


def test_displays_read_searches_and_frames(fitted):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(RESULTS)
    display = SearchCorrelationDisplay.from_search(frame)
    expected = SearchCorrelationDisplay.from_search(RESULTS)
    np.testing.assert_array_equal(display.correlations, expected.correlations)
    times = SearchTimesDisplay.from_search(fitted)
    np.testing.assert_array_equal(times.scores, fitted.cv_results_["mean_test_score"])
    with pytest.raises(NotFittedError):
        SearchTimesDisplay.from_search(clone(fitted))
    with pytest.raises(TypeError, match="search must be a fitted search.*got list"):
        SearchTimesDisplay.from_search([1, 2])
    with pytest.raises(ValueError, match="must have scores in a column"):
        SearchTimesDisplay.from_search({"param_a": [1, 2]})


def test_displays_read_a_study_of_optuna():
    optuna = pytest.importorskip("optuna")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        sampler=optuna.samplers.GridSampler({"units": [8, 16, 32]}, seed=0)
    )

    def objective(trial):
        units = trial.suggest_categorical("units", [8, 16, 32])
        trial.set_user_attr("std_test_score", 0.1)
        return -float(units)

    study.optimize(objective, n_trials=3)
    for search in (study, study.trials_dataframe()):
        display = SearchTimesDisplay.from_search(search)
        assert sorted(display.scores) == [-32, -16, -8]
        assert display.names == ("time of a trial", "test score")
        np.testing.assert_array_equal(display.scores_std, 0.1)
        correlations = SearchCorrelationDisplay.from_search(search)
        assert correlations.names[0] == "units"
        assert correlations.correlations[0, -1] == pytest.approx(-1)


# -------------------------------------------------------------------------- progress

X = np.random.default_rng(0).normal(size=(40, 3))
Y = (X[:, 0] > 0).astype(int)
GRID = {"C": [0.01, 1.0, 100.0]}


@pytest.mark.parametrize(
    ("backend", "n_jobs"), [("threading", 1), ("threading", 2), ("loky", 2)]
)
def test_progress_counts_fits_and_keeps_scores(backend, n_jobs, capsys):
    plain = GridSearchCV(LogisticRegression(), GRID, cv=2, scoring="roc_auc")
    expected = plain.fit(X, Y).cv_results_["mean_test_score"]
    progress = SearchProgress("roc_auc", n_candidates=3, n_folds=2)
    search = clone(plain).set_params(n_jobs=n_jobs, return_train_score=True)
    with joblib.parallel_config(backend), progress as scoring:
        search.set_params(scoring=scoring).fit(X, Y)
    np.testing.assert_array_equal(search.cv_results_["mean_test_score"], expected)
    line = capsys.readouterr().err.strip().splitlines()[-1]
    # Train scores are not counted: six fits.
    assert line.startswith("search: 100% 6/6 [")
    assert line.endswith(f"candidates=3, best={expected.max():.4f}]")


def test_progress_without_numbers_counts_alone(capsys):
    with SearchProgress(["roc_auc", "accuracy"], metric="accuracy") as scoring:
        found = cross_validate(LogisticRegression(), X, Y, cv=4, scoring=scoring)
    line = capsys.readouterr().err.strip().splitlines()[-1]
    assert line.startswith("search: 4fit [")
    # All folds are one candidate.
    assert line.endswith(f"best={found['test_accuracy'].mean():.4f}]")


def test_progress_of_halving_and_of_a_pipeline(capsys):
    pipeline = make_pipeline(StandardScaler(), LogisticRegression())
    grid = {"logisticregression__C": [0.01, 1.0, 100.0]}
    with SearchProgress(n_folds=2) as scoring:
        search = HalvingGridSearchCV(
            pipeline, grid, cv=2, scoring=scoring, min_resources=12, random_state=0
        ).fit(X, Y)
    line = capsys.readouterr().err.strip().splitlines()[-1]
    n_fits = 2 * sum(search.n_candidates_)
    assert line.startswith(f"search: {n_fits}fit [")
    assert "candidates=3," in line


def test_progress_shows_a_line_while_it_runs(capsys, monkeypatch):
    monkeypatch.setattr("skseq.search._progress._PAUSE", 0.01)
    monkeypatch.setattr("skseq.search._progress._LINE_PAUSE", 0.0)
    with SearchProgress(n_candidates=1, n_folds=2) as scoring:
        cross_val_score(LogisticRegression(), X, Y, cv=2, scoring=scoring)
        path = scoring._path
        assert os.path.exists(path)
    lines = capsys.readouterr().err.strip().splitlines()
    assert lines[-1].startswith("search: 100% 2/2")
    assert not os.path.exists(path)


def test_progress_ends_with_an_exception_and_scores_after_its_end(capsys):
    def fail():
        with SearchProgress("accuracy") as scoring:
            found.append(scoring)
            raise RuntimeError("stop")

    found = []
    with pytest.raises(RuntimeError, match="stop"):
        fail()
    assert capsys.readouterr().err.startswith("search: 0fit")
    model = LogisticRegression().fit(X, Y)
    copy = pickle.loads(pickle.dumps(found[0]))
    assert copy(model, X, Y) == model.score(X, Y)


def test_progress_is_open_once():
    with SearchProgress() as scoring, pytest.raises(RuntimeError, match="open already"):
        scoring.__enter__()


def test_progress_passes_weights_on():
    weights = np.where(Y == 1, 1.0, 0.0)
    model = LogisticRegression().fit(X, Y)
    scoring = SearchProgress("accuracy")
    expected = model.score(X, Y, sample_weight=weights)
    assert scoring(model, X, Y, sample_weight=weights) == expected


def test_progress_checks_its_numbers():
    with pytest.raises(ValueError, match="'n_folds' parameter of SearchProgress"):
        SearchProgress(n_folds=0)


def test_progress_writes_scores_that_anything_can_read(tmp_path):
    scoring = SearchProgress("accuracy")
    scoring._path = str(tmp_path / "scores.jsonl")
    (tmp_path / "scores.jsonl").touch()
    cross_val_score(LogisticRegression(), X, Y, cv=2, scoring=scoring)
    lines = (tmp_path / "scores.jsonl").read_text().splitlines()
    found = [json.loads(line) for line in lines]
    assert len({one["candidate"] for one in found}) == 1
    assert len(found) == 2


def test_callbacks_of_scikit_learn_show_a_search_over_networks(capsys):
    callback = pytest.importorskip("sklearn.callback", reason="scikit-learn 1.9")
    pytest.importorskip("rich")
    net = skseq.DenseClassifier((2,), epochs=1, random_state=0)
    search = GridSearchCV(net, {"learning_rate": [0.1, 0.2]}, cv=2, refit=False)
    # With a depth of 1 it would warn of networks, which have no callbacks of this kind.
    search.set_callbacks(callback.ProgressBar(max_propagation_depth=0)).fit(X, Y)
    assert "GridSearchCV" in capsys.readouterr().out


# ------------------------------------------------------------------------- 144 networks


@pytest.mark.slow
def test_grid_of_144_networks_is_stopped_and_goes_on(tmp_path, monkeypatch):
    optuna = pytest.importorskip("optuna")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    monkeypatch.delenv("SKSEQ_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
    path = Path(__file__).resolve().parents[1] / "examples" / "searches" / "grid_144.py"
    example = runpy.run_path(str(path))
    sizes = [len(values) for values in example["GRID"].values()]
    assert np.prod(sizes) * 3 / sizes[0] == 144
    studies = [example["main"](["--n", str(n)]) for n in (2, 1)]
    assert [len(study.trials) for study in studies] == [3, 3]
    params = [tuple(trial.params.values()) for trial in studies[1].trials]
    assert len(set(params)) == 3
    lines = (tmp_path / "grid_144.csv").read_text().splitlines()
    assert len(lines) == 4
    assert "std_test_score" in lines[0]
    for name in ("correlations", "scores"):
        assert (tmp_path / f"grid_144_{name}.png").stat().st_size > 10_000


# ---------------------------------------------------------------------------- module


def test_search_lists_its_names():
    assert skseq_search.__all__ == sorted(skseq_search.__all__)
    assert all(hasattr(skseq_search, name) for name in skseq_search.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        skseq_search.nothing  # noqa: B018


def test_figures_load_no_tensorflow_and_name_the_extra():
    code = (
        "import sys; sys.modules['matplotlib.pyplot'] = None\n"
        "from skseq.search import SearchTimesDisplay, SearchProgress\n"
        "try:\n    SearchTimesDisplay.from_search(\n"
        "        {'mean_fit_time': [1, 2], 'mean_test_score': [1, 2]})\n"
        "except ImportError as error:\n    print(error)\n"
        "print('tensorflow' in sys.modules)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120
    )
    lines = result.stdout.splitlines()
    assert lines == ["A display needs matplotlib: pip install matplotlib", "False"]
