"""The top level: lazy names, the backend, what ships, and what docstrings say."""

import ast
import importlib
import inspect
import os
import pickle
import re
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest
from numpydoc.docscrape import ClassDoc, FunctionDoc

import skseq
from estimators import names, public_methods, with_slow

ROOT = Path(skseq.__file__).parents[1]
ESTIMATORS = names()


def run_python(code, **environment):
    """Run code in a new Python process."""
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_import_without_estimators_loads_no_tensorflow():
    uses = [
        "import skseq",
        "dir(skseq), skseq.__version__",
        "skseq.SequenceReshaper(n_timesteps=2).fit_transform([[1, 2]])",
        "skseq.datasets",
        "from skseq.datasets import load_credit_default; load_credit_default()",
    ]
    code = "import sys\nheavy = {'keras', 'scikeras', 'tensorflow'}\n"
    code += "".join(f"{use}\nprint(sorted(heavy & {{*sys.modules}}))\n" for use in uses)
    result = run_python(code)
    assert result.returncode == 0, result.stderr
    assert result.stdout.split() == ["[]"] * len(uses)


@pytest.mark.parametrize("backend", with_slow(["torch", "jax"], "torch"))
@pytest.mark.parametrize(
    "use",
    [
        "import skseq; skseq.LSTMClassifier",
        "from skseq import DenseClassifier",
        "from skseq import clear_programs",
        # What unpickling an estimator does.
        "import importlib; importlib.import_module('skseq._recurrent')",
    ],
)
def test_other_backend_is_refused_by_name(backend, use):
    result = run_python(use, KERAS_BACKEND=backend)
    assert result.returncode == 1
    last = result.stderr.strip().splitlines()[-1]
    assert re.match(f"ImportError: .*KERAS_BACKEND.*'tensorflow'.*{backend}", last)


@pytest.mark.parametrize("backend", with_slow(["torch", "jax"], "torch"))
def test_other_backend_leaves_transformers_alone(backend):
    code = "from skseq import SequenceReshaper, datasets; SequenceReshaper()"
    result = run_python(code, KERAS_BACKEND=backend)
    assert result.returncode == 0, result.stderr


def test_all_lists_every_name_there_is():
    assert skseq.__all__ == sorted(skseq.__all__)
    assert set(skseq.__all__) <= set(dir(skseq))
    for name in skseq.__all__:
        assert getattr(skseq, name) is not None
    # The names that type checkers see, those that `__getattr__` gives and `__all__`.
    tree = ast.parse(Path(skseq.__file__).read_text(encoding="utf-8"))
    seen = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module.startswith("skseq")
        for alias in node.names
        if alias.asname is None
    }
    assert seen | {"__version__"} == set(skseq.__all__)


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="'skseq' has no attribute 'LSTM'"):
        skseq.LSTM  # noqa: B018


def test_class_of_the_top_level_pickles_by_name():
    assert pickle.loads(pickle.dumps(skseq.LSTMClassifier)) is skseq.LSTMClassifier


def test_version_is_that_of_the_changelog():
    assert re.fullmatch(r"\d+\.\d+\.\d+", skseq.__version__)
    changelog = ROOT / "CHANGELOG.md"
    if not changelog.exists():
        pytest.skip("not a source tree: no CHANGELOG.md beside the package")
    latest = re.search(r"^## (\S+)", changelog.read_text(encoding="utf-8"), re.M)
    assert latest[1] == skseq.__version__


def test_marker_for_type_checkers_ships():
    assert (files("skseq") / "py.typed").is_file()


def documented(cls):
    """Read the parameters and defaults in the docstring of a class, in order."""
    found = {}
    for parameter in ClassDoc(cls)["Parameters"]:
        default = re.search(r"default=(.*)$", parameter.type)
        found[parameter.name] = default and default[1]
    return found


@pytest.mark.parametrize("name", ESTIMATORS)
def test_docstring_has_every_parameter_with_its_default(name):
    cls = getattr(skseq, name)
    signature = inspect.signature(cls).parameters
    docs = documented(cls)
    assert list(docs) == list(signature)
    for parameter in signature.values():
        expected = repr(parameter.default).replace("'", '"')
        assert (docs[parameter.name] or "").replace("'", '"') == expected, parameter


@pytest.mark.parametrize("name", ESTIMATORS)
def test_docstring_has_the_sections_of_a_public_class(name):
    docs = ClassDoc(getattr(skseq, name))
    for section in ("Summary", "Extended Summary", "Attributes", "Examples"):
        assert docs[section], section


def public_functions():
    yield from public_methods()
    for module in ("datasets", "inspection", "onnx", "search"):
        for name in importlib.import_module(f"skseq.{module}").__all__:
            found = getattr(getattr(skseq, module), name)
            if inspect.isfunction(found):
                yield pytest.param(found, id=name)
    yield pytest.param(skseq.clear_programs, id="clear_programs")


@pytest.mark.parametrize("function", list(public_functions()))
def test_docstring_of_a_function_has_its_parameters_with_their_defaults(function):
    docs = FunctionDoc(function)
    assert docs["Summary"]
    found = {p.name.lstrip("*"): p.type for p in docs["Parameters"]}
    signature = inspect.signature(function).parameters
    assert list(found) == [name for name in signature if name != "self"]
    for name, kind in found.items():
        default = signature[name].default
        if default is not inspect.Parameter.empty and kind != "None":
            expected = repr(default).replace("'", '"')
            assert kind.endswith(f"default={expected}"), name
