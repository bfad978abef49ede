"""What the documentation and the packaging say, held against what is there."""

import doctest
import importlib.util
import re
import textwrap
import tomllib
from pathlib import Path

import numpy as np
import pytest
from imblearn.over_sampling import ADASYN, SMOTE
from imblearn.pipeline import make_pipeline as make_sampling_pipeline
from imblearn.under_sampling import RandomUnderSampler
from packaging.requirements import Requirement
from packaging.version import Version
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import BaggingClassifier, StackingClassifier, VotingClassifier
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.inspection import partial_dependence, permutation_importance
from sklearn.metrics import RocCurveDisplay
from sklearn.model_selection import (
    FixedThresholdClassifier,
    GridSearchCV,
    HalvingGridSearchCV,
    RandomizedSearchCV,
    TunedThresholdClassifierCV,
    cross_val_predict,
    cross_val_score,
    learning_curve,
    train_test_split,
    validation_curve,
)
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

import skseq

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))[
    "project"
]


def read(path):
    return (ROOT / path).read_text(encoding="utf-8")


# ------------------------------------------------------------ code in the pages

# Code of another language needs no check; that of Python must run, or say why not.
NOT_PYTHON = {"bash", "console", "docker", "ini", "json", "text", "toml", "yaml"}
DOCS = ROOT / "docs"
PAGES = sorted(
    str(path.relative_to(DOCS))
    for pattern in ("*.rst", "*.md", "start/*", "guide/*", "benchmarks/*.md")
    for path in DOCS.glob(pattern)
    if path.suffix in {".rst", ".md"}
)
DIRECTIVE = re.compile(
    r"^(?P<indent> *)(?:\.\. not run: (?P<reason>.+)\n\n(?P=indent))?"
    r"\.\. code-block::[ ]*(?P<language>\S*)\n(?:(?P=indent)   :.+\n)*\n"
    r"(?P<code>(?:(?P=indent)   .*\n| *\n)+)"
    r"|^```(?P<fence>\w*)\n(?P<fenced>(?:.*\n)*?)```$",
    re.MULTILINE,
)


def parts_of(page):
    """Split a page into text, which may hold doctests, and blocks of code."""
    text, end = read(f"docs/{page}") + "\n", 0
    for found in DIRECTIVE.finditer(text):
        yield "text", text[end : found.start()], None
        end = found.end()
        language = found["language"] or found["fence"] or "none"
        code = found["fenced"] or textwrap.dedent(found["code"] or "")
        yield language, code, found["reason"]
    yield "text", text[end:], None


def has_code(page):
    parts = list(parts_of(page))
    return any(">>>" in part for kind, part, _ in parts if kind == "text") or any(
        kind != "text" for kind, *_ in parts
    )


@pytest.mark.parametrize("page", [page for page in PAGES if has_code(page)])
def test_code_of_a_page_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    runner = doctest.DocTestRunner(optionflags=flags)
    names = {"__name__": "__main__"}
    n_attempted = n_prompts = 0
    for kind, part, reason in parts_of(page):
        if kind == "text":
            test = doctest.DocTestParser().get_doctest(part, names, page, page, 0)
            test.globs = names  # shared by all parts, and not a copy
            result = runner.run(test, clear_globs=False)
            assert result.failed == 0
            n_attempted += result.attempted
            n_prompts += part.count(">>> ") - part.count("# doctest: +SKIP")
        elif kind == "python":
            package = re.fullmatch(r"needs (\w+)", reason or "")
            if package and importlib.util.find_spec(package[1]) is None:
                continue
            if package or not reason:
                exec(compile(part, page, "exec"), names)
        else:
            assert kind in NOT_PYTHON, f"{page}: a block of {kind}"
    assert n_attempted == n_prompts  # none is hidden, say by a wrong indent


def test_readme_code_runs():
    (code,) = re.findall(r"```python\n(.*?)```", read("README.md"), re.DOTALL)
    names = {}
    exec(code, names)
    assert len(names["search"].cv_results_["params"]) == 2
    assert 0.65 < names["search"].best_score_ < 1


def test_readme_has_one_line_for_the_job_and_one_for_the_tests():
    lines = [line for line in read("README.md").splitlines() if "-m venv" in line]
    assert len(lines) == 2
    for line, last in zip(
        lines,
        ["python examples/quickstart.py", "python -m pytest -n 2"],
        strict=True,
    ):
        assert line.startswith("python3 -m venv ")
        assert line.endswith(f"&& .venv/bin/{last}")


# ------------------------------------------------------------ what the pages refer to


@pytest.mark.parametrize(
    "page", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "skseq/data/README.md"]
)
def test_links_to_files_lead_somewhere(page):
    links = re.findall(r"\]\((?!https?:)([^)#]+)", read(page))
    for link in links:
        assert ((ROOT / page).parent / link).exists(), link
    if page == "README.md":
        assert len(links) > 3


def test_contributing_lists_every_module():
    listed = set(re.findall(r"\b(_?\w+\.py)\b", read("CONTRIBUTING.md")))
    modules = {path.name for path in (ROOT / "skseq").rglob("*.py")}
    assert modules <= listed
    for command in re.findall(
        r"(?:tests|benchmarks|examples)/\w+\.py", read("README.md")
    ):
        assert (ROOT / command).exists(), command


def test_benchmarks_that_the_page_names_exist():
    pages = ["docs/benchmarks.md", *ROOT.glob("docs/benchmarks/*.md")]
    named = {
        name for page in pages for name in re.findall(r"benchmarks/\w+\.py", read(page))
    }
    assert len(named) > 10
    for script in named:
        assert (ROOT / script).exists(), script


def test_api_page_lists_every_public_name():
    listed = set(
        re.findall(r"^   ([A-Za-z][\w.]+)$", read("docs/api.rst"), re.MULTILINE)
    )
    modules = {"datasets", "inspection", "onnx", "search"}
    expected = {*skseq.__all__} - {"__version__"} - modules
    for module in modules:
        expected |= {f"{module}.{name}" for name in getattr(skseq, module).__all__}
    assert listed == expected


def test_extras_that_the_texts_name_exist():
    named = set()
    for path in [
        *ROOT.glob("*.md"),
        *(DOCS / page for page in PAGES),
        *ROOT.glob("skseq/**/*.py"),
    ]:
        text = path.read_text(encoding="utf-8")
        for extras in re.findall(
            r'pip install (?:-e )?"?(?:skseq|\.)\[([\w,]+)\]', text
        ):
            named.update(extras.split(","))
    assert named
    assert named <= set(PROJECT["optional-dependencies"])


def test_oldest_versions_are_the_lower_bounds():
    oldest = dict(
        re.findall(r"^([\w-]+)==(\S+)$", read(".ci/oldest.txt"), re.MULTILINE)
    )
    bounds = {}
    requirements = [
        *PROJECT["dependencies"],
        *(r for extra in PROJECT["optional-dependencies"].values() for r in extra),
    ]
    for requirement in map(Requirement, requirements):
        (*_, bound) = [None, *requirement.specifier]
        if bound is not None:
            assert bound.operator == ">=", requirement
            bounds[requirement.name] = bound.version
    for requirement in map(Requirement, PROJECT["dependencies"]):
        assert requirement.name in oldest
    for name, version in oldest.items():
        assert Version(version) == Version(bounds[name]), name


# ------------------------------------------------------ the user guide's table of tools


def _fit_all(*estimators):
    return lambda net, X, y: [make(net).fit(X, y).predict(X) for make in estimators]


def _sampled(sampler):
    return lambda net, X, y: make_sampling_pipeline(sampler, net).fit(X, y).predict(X)


def _in_front(transformer):
    return lambda net, X, y: make_pipeline(transformer, net).fit(X, y).predict(X)


def _draw_roc(net, X, y):
    pyplot = pytest.importorskip("matplotlib.pyplot")
    pyplot.close(RocCurveDisplay.from_estimator(net.fit(X, y), X, y).figure_)


SCALED = ColumnTransformer([("scale", StandardScaler(), [0])], remainder="passthrough")
TOOLS = {
    "train_test_split": lambda net, X, y: train_test_split(X, y, stratify=y),
    "Pipeline": _fit_all(make_pipeline),
    "cross_val_score": lambda net, X, y: cross_val_score(
        net, X, y, cv=2, scoring="roc_auc", error_score="raise"
    ),
    "cross_val_predict": lambda net, X, y: cross_val_predict(
        net, X, y, cv=2, method="predict_proba"
    ),
    "GridSearchCV": _fit_all(
        lambda net: GridSearchCV(net, {"epochs": [1, 2]}, cv=2, error_score="raise")
    ),
    "RandomizedSearchCV": _fit_all(
        lambda net: RandomizedSearchCV(
            net, {"epochs": [1, 2]}, n_iter=1, cv=2, error_score="raise"
        )
    ),
    "HalvingGridSearchCV": _fit_all(
        lambda net: HalvingGridSearchCV(
            net, {"batch_size": [16, 32]}, resource="epochs", min_resources=1,
            max_resources=3, cv=2, error_score="raise",
        )
    ),
    "learning_curve": lambda net, X, y: learning_curve(
        net, X, y, cv=2, train_sizes=[0.5], shuffle=True, error_score="raise"
    ),
    "validation_curve": lambda net, X, y: validation_curve(
        net, X, y, param_name="epochs", param_range=[1], cv=2, error_score="raise"
    ),
    "CalibratedClassifierCV": _fit_all(lambda net: CalibratedClassifierCV(net, cv=2)),
    "TunedThresholdClassifierCV": _fit_all(
        lambda net: TunedThresholdClassifierCV(net, cv=2)
    ),
    "FixedThresholdClassifier": _fit_all(
        lambda net: FixedThresholdClassifier(net, threshold=0.3)
    ),
    "VotingClassifier": _fit_all(
        lambda net: VotingClassifier([("net", net)], voting="soft")
    ),
    "StackingClassifier": _fit_all(
        lambda net: StackingClassifier([("net", net)], cv=2)
    ),
    "StackingClassifier(passthrough=True)": _fit_all(
        lambda net: StackingClassifier([("net", net)], cv=2, passthrough=True)
    ),
    "BaggingClassifier": _fit_all(lambda net: BaggingClassifier(net, n_estimators=2)),
    "OneVsRestClassifier": _fit_all(OneVsRestClassifier),
    "OneVsOneClassifier": _fit_all(OneVsOneClassifier),
    "MultiOutputClassifier": lambda net, X, y: MultiOutputClassifier(net).fit(
        X, np.column_stack([y, 1 - y])
    ),
    "ClassifierChain": lambda net, X, y: ClassifierChain(net).fit(
        X, np.column_stack([y, 1 - y])
    ),
    "permutation_importance": lambda net, X, y: permutation_importance(
        net.fit(X, y), X, y, n_repeats=1
    ),
    "partial_dependence": lambda net, X, y: partial_dependence(
        net.fit(X, y), X, [0], kind="average", grid_resolution=3
    ),
    "RocCurveDisplay.from_estimator": _draw_roc,
    "StandardScaler before the network": _in_front(StandardScaler()),
    "ColumnTransformer before the network": _in_front(SCALED),
    "FunctionTransformer before the network": _in_front(FunctionTransformer(np.tanh)),
    "SMOTE in imbalanced-learn's Pipeline": _sampled(SMOTE()),
    "ADASYN in imbalanced-learn's Pipeline": _sampled(ADASYN()),
    "RandomUnderSampler in imbalanced-learn's Pipeline": _sampled(RandomUnderSampler()),
}  # fmt: skip


def _table_of_tools():
    """Read the user guide's table: the tool, and "yes" or "no" for 2-D and 3-D."""
    text = read("docs/guide/inputs.rst")
    cells = r"   \* - (.+)\n     - (yes|no)\n     - (yes|no)\n"
    return [
        (tool.replace("`", ""), two, three)
        for tool, two, three in re.findall(cells, text)
    ]


def test_table_of_tools_has_a_test_for_each_row():
    assert [tool for tool, *_ in _table_of_tools()] == list(TOOLS)


@pytest.mark.parametrize(("tool", "two", "three"), _table_of_tools())
def test_table_of_tools_is_true(tool, two, three):
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], [40, 20])
    X = rng.normal(size=(60, 5, 2)) + y[:, None, None]
    net = skseq.DenseClassifier((4,), epochs=1, random_state=0)
    for data, expected in ((X.reshape(60, 10), two), (X, three)):
        if expected == "yes":
            TOOLS[tool](net, data, y)
        else:
            with pytest.raises(ValueError, match=r"dim 3|2D|same number of dimensions"):
                TOOLS[tool](net, data, y)


# ------------------------------------------------------------------------- a release


def test_version_is_the_same_everywhere():
    version = skseq.__version__
    assert re.search(r"^version: (\S+)", read("CITATION.cff"), re.M)[1] == version
    recipe = read("conda/meta.yaml")
    assert re.search(r'set version = "(\S+)"', recipe)[1] == version
    assert re.search(r"^## (\S+)", read("CHANGELOG.md"), re.M)[1] == version


def test_recipe_has_the_dependencies_of_the_package():
    recipe = read("conda/meta.yaml")
    listed = re.search(r"  run:\n((?:    - .+\n)+)", recipe)[1]
    listed = {Requirement(line[6:]) for line in listed.splitlines()}
    python = Requirement(f"python{PROJECT['requires-python']}")
    assert listed == {*map(Requirement, PROJECT["dependencies"]), python}


def test_table_of_versions_has_the_oldest():
    rows = re.findall(
        r"   \* - (\S+)\n     - (\S+)\n     - (\S+)\n",
        read("docs/development/compatibility.rst"),
    )
    oldest = dict(re.findall(r"^([\w-]+)==(\S+)$", read(".ci/oldest.txt"), re.M))
    pages = {name.lower(): version for name, version, _ in rows}
    assert f">={pages.pop('python')}" == PROJECT["requires-python"]
    assert len(pages) > 8
    for name, version in pages.items():
        assert version == oldest[name], name


def test_every_example_has_a_place_in_the_gallery():
    names = {path.name for path in (ROOT / "examples").rglob("*.py")}
    listed = re.findall(r'"((?:plot_|grid_|quick)\w+)"', read("docs/gallery.py"))
    assert {f"{name}.py" for name in listed} == names
