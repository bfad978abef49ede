"""The house: where Keras is named, which way imports flow, how large a room may be."""

import ast
import graphlib
import io
import tokenize
from pathlib import Path

import keras
import numpy as np
import pytest

import skseq
from skseq._engine import private
from skseq._engine.skeletons import without_values

PACKAGE = Path(skseq.__file__).parent
MODULES = {
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts): path
    for path in sorted(PACKAGE.rglob("*.py"))
}
FRAMEWORKS = {"keras", "tensorflow", "tf"}


def tree_of(module):
    return ast.parse(MODULES[module].read_text(encoding="utf-8"))


def imported(module):
    """Find the modules of the package that a module imports at import time."""
    found, hidden = set(), set()
    tree = tree_of(module)
    for node in ast.walk(tree):
        is_type_checking = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(
            node.test
        )
        if is_type_checking or isinstance(node, ast.FunctionDef):
            hidden |= set(map(id, ast.walk(node))) - {id(node)}
    for node in ast.walk(tree):
        if id(node) in hidden:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name for name in inner if name in MODULES} or {node.module}
    return {name for name in found if name in MODULES}


@pytest.mark.parametrize("module", [m for m in MODULES if "._engine" not in m])
def test_keras_is_named_in_the_engine_alone(module):
    # Comments and docstrings may name it, and `skseq._engine.keras` as a module.
    tree = tree_of(module)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names = {node.module.split(".")[0]} | {alias.name for alias in node.names}
        elif isinstance(node, ast.Name):
            names = {node.id}
        else:
            continue
        assert not names & FRAMEWORKS, (module, node.lineno)


def test_scikeras_and_imbalanced_learn_are_imported_in_their_rooms():
    importers = {"scikeras": set(), "imblearn": set()}
    for module in MODULES:
        for node in ast.walk(tree_of(module)):
            if isinstance(node, ast.ImportFrom):
                importers.get(node.module.split(".")[0], set()).add(module)
    assert importers == {
        "scikeras": {"skseq._base"},
        "imblearn": {"skseq._resampling"},
    }


# The way that imports flow; what stands in one line does not import one another.
WAY = """
_engine.forks
__init__
_state _figures _engine.order
_validation _persistence _functions
_parameters _padded
_lists _window_array
_lazy_array
_sequences _parquet
_panel _splits _tokens _tables
_targets _scaling _rows _engine.keras
_engine.private
_engine.configurations _engine.onnx_masks _engine.onnx_operations
_engine.onnx_recurrent
_engine.onnx_layers
_engine.skeletons _engine.fingerprints _engine.names _engine.loops
_engine.progress _engine.rates _engine.types _engine.masks
_engine.records _engine.reading _engine.reports
_engine.stored
_engine.optimizers _engine.losses _engine.metrics _engine.activations _engine.plain
_engine.parts
_engine.layer_params _engine.tables
_engine.networks _engine.layers
_engine.facts
_engine.path _engine.weights _engine.models
_engine.recipe
_engine.objectives _engine.standalone _engine.update _engine.checkpoint
_engine.program _engine.onnx_graph
_engine.cache _engine.callbacks
_engine.apart
_engine.train
_engine.gradients _engine.layer_outputs
_training _nested _checkpoint
_base
_pretraining
_supervised
_classification _regression _layers
_recurrent _convolutional _dense _keras _autoencoder
_reshape _resampling datasets
_outliers _latent _padding _scaler _text _windows
inspection._rows inspection._permuting
inspection._gradients inspection._layers inspection._units
inspection._permutation
inspection._displays
inspection
onnx._load onnx._writer
onnx._rows
onnx._networks
onnx._thresholds
onnx._transformers onnx._inputs
onnx._convert
onnx._registered
onnx
search._dask search._history search._progress search._pruning search._results
search._displays
search
"""


def test_imports_flow_one_way():
    rank = {
        f"skseq.{name}".removesuffix(".__init__"): i
        for i, line in enumerate(WAY.split("\n"))
        for name in line.split()
    }
    modules = {name.removesuffix(".__init__"): name for name in MODULES}
    assert rank.keys() | {"skseq._engine"} == modules.keys()
    graph = {}
    for short, module in modules.items():
        names = {name.removesuffix(".__init__") for name in imported(module)}
        graph[short] = names - {"skseq._engine"}
        for name in graph[short]:
            assert rank[name] < rank.get(short, 0), f"{short} imports {name}"
    graphlib.TopologicalSorter(graph).prepare()


@pytest.mark.parametrize(
    "name",
    ["_reshape", "_resampling", "_padding", "_scaler", "_splits", "_text", "_windows"],
)
def test_shaping_transformers_need_nothing_of_the_engine(name):
    allowed = {"_lists", "_padded", "_parameters", "_persistence", "_sequences"}
    allowed |= {"_panel", "_tokens", "_validation", "_window_array"}
    allowed |= {"_reshape"} - {name}
    assert {m.removeprefix("skseq.") for m in imported(f"skseq.{name}")} <= allowed


@pytest.mark.parametrize("module", MODULES)
def test_room_has_at_most_some_450_lines_of_code(module):
    source = MODULES[module].read_text(encoding="utf-8")
    texts = set()
    for node in ast.walk(ast.parse(source)):
        is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
        if is_text and node.end_lineno > node.lineno:
            texts |= set(range(node.lineno, node.end_lineno + 1))
    lines = {
        line
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type
        not in (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT)
        for line in range(token.start[0], token.end[0] + 1)
    }
    assert len(lines - texts) <= 450


def test_concrete_classes_are_final():
    public = {
        cls for name in skseq.__all__ if isinstance(cls := getattr(skseq, name), type)
    }
    for cls in public:
        assert not public & set(cls.__mro__[1:]), cls


# ---------------------------------------------------------- what has no public name


def test_initializer_of_a_variable_that_has_no_value():
    def build():
        inputs = keras.Input((3,))
        return keras.Model(inputs, keras.layers.Dense(2)(inputs))

    kernel, bias = without_values(build).weights
    assert isinstance(private.initializer_of(kernel), keras.initializers.GlorotUniform)
    assert isinstance(private.initializer_of(bias), keras.initializers.Zeros)


def test_global_seed_is_for_a_block(seed_keras):
    seed_keras(5)
    before = keras.random.normal((3,)).numpy()
    seed_keras(5)
    with private.global_seed(1):
        first = keras.random.normal((3,)).numpy()
    with private.global_seed(1):
        np.testing.assert_array_equal(keras.random.normal((3,)).numpy(), first)
    np.testing.assert_array_equal(keras.random.normal((3,)).numpy(), before)


def test_arguments_of_a_loss_that_its_configuration_lacks():
    assert private.arguments_of(keras.losses.Huber(delta=0.3))["delta"] == 0.3
    assert private.arguments_of(keras.losses.Huber) == {}


def test_first_epoch_that_a_backup_asks_for(tmp_path):
    inputs = keras.Input((3,))
    model = keras.Model(inputs, keras.layers.Dense(2)(inputs))
    assert private.first_epoch(model) is None
    (tmp_path / "training_metadata.json").write_text('{"epoch": 4, "batch": 0}')
    callback = keras.callbacks.BackupAndRestore(tmp_path)
    callback.set_model(model)
    callback.on_train_begin()
    assert private.first_epoch(model) == 4
    private.reset_first_epoch(model)
    assert private.first_epoch(model) is None


def test_weights_that_an_optimizer_excludes_from_decay():
    optimizer = keras.optimizers.AdamW()
    assert not private.is_excluding_weights(optimizer)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    assert private.is_excluding_weights(optimizer)
