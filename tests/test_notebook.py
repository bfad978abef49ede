"""A notebook, run without a screen: what its cells show."""

import os

import nbformat
import pytest
from nbclient import NotebookClient

CELLS = {
    "repr": """
import numpy as np
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skseq import GRUClassifier
pipeline = make_pipeline(
    StandardScaler(), GRUClassifier(8, n_timesteps=4, epochs=3, verbose=1)
)
pipeline""",
    "fit": """
X = np.random.default_rng(0).normal(size=(80, 8))
y = X[:, -1] > 0
pipeline.fit(X, y)""",
    "figure": """
from skseq.search import LearningHistoryDisplay
LearningHistoryDisplay.from_estimator(pipeline[-1]);""",
    "error": "pipeline.predict(X[:, :5])",
}


@pytest.fixture(scope="module")
def outputs():
    """Run all cells, and get the outputs of each by its name."""
    # The kernel draws into the notebook, whatever draws for the tests.
    env = {name: one for name, one in os.environ.items() if name != "MPLBACKEND"}
    notebook = nbformat.v4.new_notebook()
    notebook.cells = [nbformat.v4.new_code_cell(code) for code in CELLS.values()]
    client = NotebookClient(notebook, timeout=300, kernel_name="python3")
    client.allow_errors = True
    client.execute(env=env)
    return {
        name: cell.outputs for name, cell in zip(CELLS, notebook.cells, strict=True)
    }


def kinds(outputs):
    return {
        kind
        for output in outputs
        for kind in output.get("data", {}).keys() | {output.output_type}
    }


def test_estimator_is_shown_as_a_diagram(outputs):
    (shown,) = outputs["repr"]
    assert "GRUClassifier" in shown.data["text/html"]
    assert "n_timesteps" in shown.data["text/html"]


def test_fit_shows_a_bar_and_nothing_else(outputs):
    *progress, shown = outputs["fit"]
    text = "".join(output.get("text", "") for output in progress)
    bars = [output for output in progress if output.output_type == "display_data"]
    assert "3/3" in text or bars
    assert "cuda" not in text.lower()
    assert "Warning" not in text
    assert "text/html" in shown.data


def test_display_draws_a_picture(outputs):
    assert "image/png" in kinds(outputs["figure"])


def test_error_is_one_of_ours(outputs):
    (error,) = outputs["error"]
    assert error.ename == "ValueError"
    assert "X has 5 features" in error.evalue
