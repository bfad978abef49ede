"""Fits that are interrupted or killed, and go on: `checkpoint`."""

import errno
import importlib
import os
import random
import signal
import subprocess
import sys
from collections import deque
from dataclasses import replace
from pathlib import Path

import keras
import killed
import ml_dtypes
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

import skseq
from estimators import AS_KERAS
from skseq._engine import checkpoint as engine
from skseq._engine import fingerprints, train
from skseq._engine.records import NotPlainError, from_bytes, to_bytes
from skseq._engine.reports import EpochReports
from skseq._window_array import GatheredRows

ROOT = Path(skseq.__file__).parents[1]


class Interrupted(BaseException):  # which a search does not catch
    pass


@pytest.fixture
def interrupt(monkeypatch):
    """Interrupt training at the end of an epoch, counted from 0; None: never again."""
    record = train._Training._record
    at, run = [None], []

    def recorded(self, epoch, logs):
        if epoch == at[0]:
            raise Interrupted
        run.append(epoch)
        record(self, epoch, logs)

    def set_epoch(epoch):
        at[0] = epoch
        run.clear()
        return run

    monkeypatch.setattr(train._Training, "_record", recorded)
    return set_epoch


def dense(**params):
    params = {"epochs": 6, "random_state": 0, "checkpoint_epochs": 1, **params}
    return skseq.DenseClassifier((4,), **{**AS_KERAS, **params})


def content(net):
    """Collect everything that a fit learns."""
    names = ("history_", "n_iter_", "best_epoch_", "best_score_")
    callbacks = [
        {
            name: repr(value)
            for name, value in vars(callback).items()
            if name not in ("params", "_model", "monitor_op")
        }
        for callback in net.callbacks_
    ]
    arrays = net._state.weights + net._state.optimizer
    fitted = [repr(getattr(net, name, None)) for name in names]
    return [array.tobytes() for array in arrays], fitted, callbacks


def files_in(folder):
    return sorted(path.name for path in Path(folder).iterdir())


# ------------------------------------------------------------------------- records


@pytest.mark.parametrize(
    "value",
    [
        {"a": [1, 2.5, None, True, "é"], (1, "b"): {3: float("inf")}},
        {"set": {1, 2}, "deque": deque([1, (2,)], maxlen=3), "bytes": b"\x00\xff"},
        [np.float32(0.1), np.int64(3), np.bool_(True), np.datetime64("2020-01-02")],
    ],
)
def test_record_gives_back_values_and_types(value):
    found = from_bytes(to_bytes(value))
    assert found == value
    assert repr(found) == repr(value)


@pytest.mark.parametrize("dtype", ["float32", "uint8", "U3", "complex128"])
def test_record_gives_back_arrays(dtype):
    array = np.arange(6).astype(dtype).reshape(2, 3)
    found = from_bytes(to_bytes([array]))[0]
    assert (found.dtype, found.tolist()) == (array.dtype, array.tolist())


@pytest.mark.parametrize(
    "value",
    [
        object(), np.array([None]), len, [{"a": open}], np.zeros(2, [("a", "f4")]),
        np.zeros(2, ml_dtypes.bfloat16),
    ],
)  # fmt: skip
def test_record_refuses_what_is_not_plain(value):
    with pytest.raises(NotPlainError):
        to_bytes(value)


def test_record_with_any_changed_byte_is_refused():
    whole = to_bytes({"weights": np.arange(5.0)})
    for i in range(len(whole)):
        changed = bytearray(whole)
        changed[i] ^= 1
        with pytest.raises(ValueError, match="checksum|record"):
            from_bytes(bytes(changed))
        with pytest.raises(ValueError, match="checksum|record"):
            from_bytes(whole[:i])


# ------------------------------------------------------------------ going on with fits


def keras_model(inputs):
    x = keras.layers.Flatten()(inputs)
    x = keras.layers.BatchNormalization()(keras.layers.Dense(5)(x))
    return keras.layers.Dropout(0.2)(x)


EARLY = {"early_stopping": True, "patience": 2, "learning_rate": 0.1, "dropout": 0.3}
AVERAGES = {"optimizer_params": {"use_ema": True}}


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("DenseClassifier", {"dense_units": 4, "monitor": "roc_auc", **EARLY}),
        ("LSTMClassifier", {"units": 4, "dropout": 0.2, "balanced_batches": True}),
        ("KerasClassifier", {"model": keras_model, "metrics": ["AUC"], **AVERAGES}),
        ("AutoencoderTransformer", {"variational": True, "noise": 0.1}),
    ],
)
def test_interrupted_fit_goes_on_with_the_same_bits(
    name, params, sequences, tmp_path, interrupt
):
    X, y = sequences
    params = {"epochs": 5, "random_state": 0, "checkpoint_epochs": 1, **params}
    net = getattr(skseq, name)(**params)
    weights = np.arange(60) % 3
    expected = clone(net).fit(X, y, weights)
    net.checkpoint = tmp_path
    interrupt(3)
    with pytest.raises(Interrupted):
        clone(net).fit(X, y, weights)
    run = interrupt(None)
    found = clone(net).fit(X, y, weights)
    assert run[0] == 3
    assert content(found) == content(expected)
    predict = "transform" if name.startswith("Auto") else "predict"
    ours, theirs = (getattr(one, predict)(X) for one in (found, expected))
    np.testing.assert_array_equal(ours, theirs)
    # The file of a finished fit is read, and nothing is trained.
    run = interrupt(None)
    assert content(clone(net).fit(X, y, weights)) == content(expected)
    assert not run
    assert [Path(file).suffix for file in files_in(tmp_path)] == [".checkpoint"]


def test_continued_fit_goes_on_from_its_own_file(sequences, tmp_path, interrupt):
    net = dense(warm_start=True, checkpoint=tmp_path, epochs=4)
    interrupt(6)
    with pytest.raises(Interrupted):
        clone(net).fit(*sequences).fit(*sequences)
    run = interrupt(None)
    found = clone(net).fit(*sequences).fit(*sequences)
    assert run == [6, 7]
    net.checkpoint = None
    assert content(found) == content(net.fit(*sequences).fit(*sequences))
    assert found.n_iter_ == 8


def test_fit_through_xla_goes_on(sequences, tmp_path, interrupt, set_jit_compile):
    set_jit_compile(True)
    expected = dense(n_networks=2).fit(*sequences)
    interrupt(2)
    with pytest.raises(Interrupted):
        dense(n_networks=2, checkpoint=tmp_path).fit(*sequences)
    run = interrupt(None)
    found = dense(n_networks=2, checkpoint=tmp_path).fit(*sequences)
    assert run == [2, 3, 4, 5]
    assert content(found) == content(expected)
    # Without XLA bits may differ, and it is another fit.
    set_jit_compile(False)
    run = interrupt(None)
    dense(n_networks=2, checkpoint=tmp_path).fit(*sequences)
    assert len(run) == 6


def test_search_skips_what_is_finished(sequences, tmp_path, interrupt):
    net = dense(checkpoint=tmp_path)
    search = GridSearchCV(net, {"epochs": [2, 4]}, cv=2, refit=False)
    interrupt(3)
    with pytest.raises(Interrupted):
        clone(search).fit(*sequences)
    run = interrupt(None)
    found = clone(search).fit(*sequences)
    # The last epoch of the second candidate's first fold, and its second fold.
    assert run == [3, 0, 1, 2, 3]
    expected = clone(search).set_params(estimator__checkpoint=None).fit(*sequences)
    key = "mean_test_score"
    assert found.cv_results_[key].tolist() == expected.cv_results_[key].tolist()
    run = interrupt(None)
    clone(search).fit(*sequences)
    assert not run
    assert len(files_in(tmp_path)) == 4


def test_pretrained_autoencoder_has_its_own_file(sequences, tmp_path, interrupt):
    autoencoder = skseq.AutoencoderTransformer(layer_sizes=4, epochs=2)
    net = dense(pretrained=autoencoder)
    expected = clone(net).fit(*sequences, X_unlabeled=sequences[0])
    net.checkpoint = tmp_path
    interrupt(3)
    with pytest.raises(Interrupted):
        clone(net).fit(*sequences, X_unlabeled=sequences[0])
    run = interrupt(None)
    found = clone(net).fit(*sequences, X_unlabeled=sequences[0])
    assert run == [3, 4, 5]
    assert content(found) == content(expected)
    names = [file.partition("-")[0] for file in files_in(tmp_path)]
    assert names == ["AutoencoderTransformer", "DenseClassifier"]


def test_calls_with_several_rows_do_not_use_it(sequences, tmp_path):
    dense(checkpoint=tmp_path).partial_fit(*sequences, classes=[0, 1])
    dense(checkpoint=tmp_path).initialize(*sequences)
    assert files_in(tmp_path) == []


# ----------------------------------------------------------------------- callbacks


class Remembers(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.seen, self.best, self.last = [], {"epoch": (0, 1)}, np.zeros(2)
        self.recent, self.function = deque(maxlen=2), np.less

    def on_epoch_end(self, epoch, logs=None):
        self.seen.append(logs["loss"])
        self.recent.append(epoch)
        self.best["epoch"] = epoch, self.seen[-1]
        self.last = self.last + epoch
        logs["n_seen"] = len(self.seen)


@pytest.mark.parametrize(
    "callbacks",
    [
        [
            Remembers(),
            keras.callbacks.ReduceLROnPlateau(monitor="loss", mode="max", patience=1),
            keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.7),
        ],
        keras.callbacks.EarlyStopping(
            monitor="loss", patience=2, min_delta=0.03, restore_best_weights=True
        ),
    ],
    ids=["several", "stopping"],
)
def test_callbacks_go_on_with_their_attributes(
    callbacks, sequences, tmp_path, interrupt
):
    net = dense(callbacks=callbacks, learning_rate=0.01)
    expected = clone(net).fit(*sequences)
    net.checkpoint = tmp_path
    interrupt(2)
    with pytest.raises(Interrupted):
        clone(net).fit(*sequences)
    run = interrupt(None)
    found = clone(net).fit(*sequences)
    assert run[0] == 2
    assert content(found) == content(expected)
    assert content(clone(net).fit(*sequences)) == content(expected)


# Keras leaves the file open if training is interrupted.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_log_in_a_file_is_that_of_one_fit(sequences, tmp_path, interrupt):
    texts, appends = [], []
    for checkpoint in (None, tmp_path / "checkpoint"):
        log = tmp_path / "log.csv"
        net = dense(callbacks=keras.callbacks.CSVLogger(log), checkpoint=checkpoint)
        if checkpoint is not None:
            interrupt(3)  # after the callback has written the row of this epoch
            with pytest.raises(Interrupted):
                clone(net).fit(*sequences)
            interrupt(None)
        net.fit(*sequences)
        texts.append(log.read_text())
        appends.append(net.callbacks_[0].append)
    assert appends == [False, False]
    assert texts[0] == texts[1]
    assert len(texts[0].splitlines()) == 7


@pytest.mark.parametrize(
    ("epochs", "kept"),
    [
        ([0, 1, 2, 3, 4], 3),  # the rows of one fit
        ([0, 1, 2, 3, 0, 1, 2, 3, 4], 7),  # after those of an earlier one
        ([0, 1, 2, 3, 4, 3, 4], 5),
        ([3, 3], 1),
    ],
)
def test_log_keeps_the_rows_of_earlier_fits(epochs, kept, tmp_path):
    log = tmp_path / "log.csv"
    rows = ["epoch,loss", *(f"{epoch},0.5" for epoch in epochs)]
    log.write_text("\n".join(rows) + "\n4,0.")
    engine.reopen_files([keras.callbacks.CSVLogger(log, append=True)], 3)
    assert log.read_text().splitlines() == rows[: kept + 1]


def test_callback_of_a_pruned_search_is_named(sequences, tmp_path):
    net = dense(callbacks=[EpochReports(None)], checkpoint=tmp_path)
    with pytest.raises(ValueError, match=r"can't be used with .*search\.prune"):
        net.fit(*sequences)


class HoldsAnObject(keras.callbacks.Callback):
    def __init__(self, begins):
        super().__init__()
        self.state = 0 if begins else [object()]

    def on_epoch_end(self, epoch, logs=None):
        self.state = self  # what `begins` has hidden until now


@pytest.mark.parametrize("begins", [False, True])
def test_callback_that_can_not_be_kept_is_named(begins, sequences, tmp_path):
    net = dense(callbacks=HoldsAnObject(begins), checkpoint=tmp_path)
    with pytest.raises(TypeError, match=r"HoldsAnObject\.state with a .*leave out"):
        net.fit(*sequences)


class LogsAnObject(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        logs["thing"] = object()


def test_log_that_can_not_be_kept_is_named(sequences, tmp_path):
    net = dense(callbacks=LogsAnObject(), checkpoint=tmp_path)
    with pytest.raises(TypeError, match="logs of numbers and strings, got a object"):
        net.fit(*sequences)


# ------------------------------------------------------------------- other fits' files


@pytest.mark.parametrize(
    "change",
    ["X", "y", "weight", "groups", "rate of dropout", "seed", "size"],
)
def test_another_fit_has_another_file(change, sequences, tmp_path, interrupt):
    def fit(change=None):
        X, y = (array.copy() for array in sequences)
        weights, params = np.ones(60), {"dropout": 0.1, "early_stopping": True}
        if change == "X":
            X[7, 2, 1] += 1e-3
        elif change == "y":
            y[[0, 1]] = y[[1, 0]] if y[0] != y[1] else 1 - y[[0, 1]]
        elif change == "weight":
            weights[3] = 2
        params |= {
            "rate of dropout": {"dropout": 0.2},
            "seed": {"random_state": 1},
            "size": {"batch_size": 16},
        }.get(change, {})
        groups = np.arange(60) // 3 if change == "groups" else None
        net = dense(**{"epochs": 2, "checkpoint": tmp_path, **params})
        return net.fit(X, y, weights, groups=groups)

    fit()
    run = interrupt(None)
    fit()
    assert not run
    fit(change)
    assert run
    assert len(files_in(tmp_path)) == 2


def test_code_of_installed_packages_is_told_apart(tmp_path, monkeypatch):
    folder = tmp_path / "site-packages"
    info = folder / "skseq_tested-1.0.dist-info"
    info.mkdir(parents=True)
    monkeypatch.syspath_prepend(folder)

    def digest(source, record=None):
        (folder / "skseq_tested.py").write_text(source)
        names = {"cloudpickle": ["cloudpickle"]}
        if record is not None:
            names["skseq_tested"] = ["skseq_tested"]
        monkeypatch.setattr(
            fingerprints.metadata, "packages_distributions", lambda: names
        )
        if record is not None:
            (info / "METADATA").write_text("Name: skseq_tested\nVersion: 1.0\n")
            (info / "RECORD").write_text(f"skseq_tested.py,sha256={record},30\n")
        for function in (fingerprints._is_library, fingerprints._installed):
            function.cache_clear()
        sys.modules.pop("skseq_tested", None)
        importlib.invalidate_caches()
        return engine._Digest().of(importlib.import_module("skseq_tested").f)

    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    first, second = "def f(x): return x + 1\n", "def f(x): return x + 22\n"
    # Without a record of what was installed, as a folder that was copied.
    assert digest(first) == digest(first) != digest(second)
    assert digest(first, "a") == digest(first, "a") != digest(first, "b")
    monkeypatch.undo()
    sys.modules.pop("skseq_tested")
    fingerprints._is_library.cache_clear()
    fingerprints._installed.cache_clear()


def test_versions_of_what_computes_scores_are_in_the_hash(
    sequences, tmp_path, monkeypatch
):
    dense(checkpoint=tmp_path, epochs=1).fit(*sequences)
    monkeypatch.setattr(engine.sklearn, "__version__", "0")
    dense(checkpoint=tmp_path, epochs=1).fit(*sequences)
    assert len(files_in(tmp_path)) == 2


def test_rows_are_hashed_by_their_content_in_blocks(tmp_path, monkeypatch):
    X = np.random.default_rng(0).normal(size=(50, 4, 3)).astype(np.float32)
    expected = engine._Digest().of(X)
    monkeypatch.setattr(engine, "_BLOCK_BYTES", 100)
    stored = np.memmap(tmp_path / "X", X.dtype, "w+", shape=X.shape)
    stored[:] = X
    assert engine._Digest().of(stored) == expected
    stored[49, 3, 2] += 1
    assert engine._Digest().of(stored) != expected


def test_windows_are_hashed_without_being_gathered(monkeypatch):
    table = np.random.default_rng(0).normal(size=(40, 2)).astype(np.float32)
    windows, *_ = skseq.make_windows(table, table[:, 0], n_timesteps=5, horizon=1)
    monkeypatch.setattr(type(windows), "gathered", None)
    first = engine._Digest().of(GatheredRows(windows, np.float32))
    assert engine._Digest().of(GatheredRows(windows, np.float32)) == first
    assert engine._Digest().of(GatheredRows(windows, np.dtype("float64"))) != first
    windows = replace(windows, table=windows.table + 1)
    assert engine._Digest().of(GatheredRows(windows, np.float32)) != first


# ------------------------------------------------------------------ what goes wrong


@pytest.mark.parametrize("seed", [None, np.random.RandomState(0)])
def test_seed_must_be_an_int(seed, sequences, tmp_path):
    net = dense(random_state=seed, checkpoint=tmp_path)
    with pytest.raises(ValueError, match="random_state must be an int with checkpoint"):
        net.fit(*sequences)


def test_folder_that_is_a_file(sequences, tmp_path):
    file = tmp_path / "file"
    file.write_text("mine")
    for path in (file, file / "inside"):
        with pytest.raises(OSError, match="checkpoint=.* must be a folder, got"):
            dense(checkpoint=str(path)).fit(*sequences)
    assert file.read_text() == "mine"


def test_folder_that_can_not_be_written_to(sequences, tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(engine.tempfile, "mkstemp", refuse)
    with pytest.raises(PermissionError, match="checkpoint=.*can be written to, got"):
        dense(checkpoint=tmp_path).fit(*sequences)


@pytest.mark.parametrize(
    ("function", "at", "n_kept"),
    # Two calls for each write; the second of `fsync` is for the folder.
    [("fsync", 0, 0), ("fsync", 4, 2), ("replace", 5, 2), ("replace", 6, 3)],
)
def test_write_that_fails_keeps_the_last_checkpoint(
    function, at, n_kept, sequences, tmp_path, monkeypatch, interrupt
):
    net = dense(checkpoint=tmp_path)
    real, calls = getattr(os, function), []

    def fail(*args):
        calls.append(args)
        if len(calls) > at:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(*args)

    with monkeypatch.context() as patch:
        patch.setattr(os, function, fail)
        with pytest.raises(OSError, match="can't be written: No space.* Free space"):
            clone(net).fit(*sequences)
    assert not [file for file in files_in(tmp_path) if file.endswith(".tmp")]
    run = interrupt(None)
    found = clone(net).fit(*sequences)
    assert run[0] == n_kept
    assert content(found) == content(dense().fit(*sequences))


@pytest.mark.parametrize(
    ("damage", "n_damaged", "first"),
    [("cut", 1, 3), ("changed", 1, 3), ("empty", 2, 0)],
)
def test_damaged_file_gives_way_to_the_one_before(
    damage, n_damaged, first, sequences, tmp_path, interrupt
):
    net = dense(checkpoint=tmp_path)
    interrupt(4)
    with pytest.raises(Interrupted):
        clone(net).fit(*sequences)
    files = sorted(tmp_path.iterdir())
    assert [file.suffix for file in files] == [".checkpoint", ".earlier"]
    for file in files[:n_damaged]:
        whole = file.read_bytes()
        damaged = {"cut": whole[:-9], "empty": b"", "changed": b"x" + whole[1:]}
        file.write_bytes(damaged[damage])
    run = interrupt(None)
    then = "continues from the file before" if first else "begins from the start"
    with pytest.warns(UserWarning, match="checkpoint '.* is damaged") as caught:
        found = clone(net).fit(*sequences)
    assert then in str(caught[-1].message)
    assert run[0] == first
    assert content(found) == content(dense().fit(*sequences))


def test_file_that_can_not_be_opened_is_kept(sequences, tmp_path, monkeypatch):
    net = dense(checkpoint=tmp_path)
    clone(net).fit(*sequences)

    def refuse(path):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(PermissionError, match=r"checkpoint=.*can't be read, Dense.*"):
        net.fit(*sequences)
    assert len(files_in(tmp_path)) == 1


def test_temporary_files_of_ended_processes_are_removed(sequences, tmp_path):
    net = dense(checkpoint=tmp_path)
    clone(net).fit(*sequences)
    stem = Path(files_in(tmp_path)[0]).stem
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    alive = f"{stem}.{os.getpid()}-x.tmp"
    for name in (f"{stem}.{ended.pid}-x.tmp", alive, "mine.tmp"):
        (tmp_path / name).write_text("")
    clone(net).fit(*sequences)
    assert set(files_in(tmp_path)) == {f"{stem}.checkpoint", alive, "mine.tmp"}


def test_file_before_the_last_one_of_a_killed_process_is_removed(sequences, tmp_path):
    net = skseq.DenseClassifier(epochs=1, random_state=0, checkpoint=tmp_path)
    net.fit(*sequences)
    (file,) = tmp_path.glob("*.checkpoint")
    # It was killed after its last write, before it removed this one.
    file.with_suffix(".earlier").write_bytes(file.read_bytes())
    net.fit(*sequences)
    assert list(tmp_path.iterdir()) == [file]


def test_folder_removed_while_training_is_made_again(sequences, tmp_path):
    folder = tmp_path / "folder"

    def remove(epoch, logs):
        for file in folder.iterdir():
            file.unlink()
        folder.rmdir()

    callback = keras.callbacks.LambdaCallback(on_epoch_end=remove)
    dense(callbacks=callback, checkpoint=folder).fit(*sequences)
    assert len(files_in(folder)) == 1


def test_writing_takes_a_small_share_of_the_time(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(engine.time, "monotonic", lambda: now[0])
    checkpoint = engine.Checkpoint("folder", "name", "auto", None)
    now[0] += 0.9
    assert not checkpoint.is_due(1)
    now[0] += 0.1
    assert checkpoint.is_due(1)
    checkpoint._cost, checkpoint._written = 0.2, now[0]
    now[0] += 3.7
    assert not checkpoint.is_due(2)
    now[0] += 0.2
    assert checkpoint.is_due(2)
    every = engine.Checkpoint("folder", "name", 3, None)
    assert [every.is_due(n) for n in range(1, 7)] == [False, False, True] * 2


# ----------------------------------------------------------------- killed processes


@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
def test_killed_process_goes_on_with_the_same_bits(tmp_path):
    # It kills itself while it writes. This process has other hashes of strings.
    # By import, since functions of another module are other functions.
    code = "import sys, killed; killed.kill_at(int(sys.argv[2])); "
    code += "list(killed.fits(sys.argv[1]))"
    command = [sys.executable, "-c", code, tmp_path, str(random.randrange(3, 30))]
    paths = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    seed = str(random.randrange(2**32))
    environment = {**os.environ, "PYTHONPATH": paths, "PYTHONHASHSEED": seed}
    process = subprocess.run(command, env=environment, timeout=400)
    assert process.returncode == -signal.SIGKILL
    assert files_in(tmp_path)
    found, expected = (
        [killed.digest(net) for net in killed.fits(folder)]
        for folder in (tmp_path, None)
    )
    assert found == expected
    files = [Path(file).suffix for file in files_in(tmp_path)]
    assert files == [".checkpoint"] * len(expected)
