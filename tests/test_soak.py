"""Many fits in one process, with failures in the middle: nothing is left over."""

import importlib.util
import threading
from pathlib import Path

import keras
import pytest
from numpy.testing import assert_array_equal

import skseq
from skseq._engine import cache

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def soak():
    """Get the module of the benchmark."""
    spec = importlib.util.spec_from_file_location("soak", ROOT / "benchmarks/soak.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    skseq.set_jit_compile("auto")


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs Linux")
def test_failures_leave_nothing(soak, tmp_path):
    skseq.clear_programs()
    kinds = ["LSTM", "Dense, sampler", "detector", "search, threads"]
    # Also checks that fits after failures give the bits of the first ones.
    measured, failed = soak.run(80, tmp_path, kinds, every=40, say=lambda row: None)
    assert set(failed) > {"exception", "interrupt", "Ctrl-C"}
    _, first, last = measured
    for name in ("Python's", "open files", "children", "temporary files", "graphs"):
        assert last[name] <= first[name], name
    assert not cache._LOCK.locked()
    skseq.clear_programs()


class FailAtStart(keras.callbacks.Callback):
    def set_model(self, model):
        if model is not None:
            raise RuntimeError("no model today")


def test_callback_that_fails_at_the_start_leaves_no_thread(sequences):
    X, y = sequences
    skseq.set_jit_compile(True)
    try:
        params = {"n_networks": 2, "epochs": 2, "random_state": 0}
        net = skseq.DenseClassifier((3,), **params).fit(X, y)
        expected, n_threads = net.predict_proba(X), threading.active_count()
        n_idle = sum(map(len, cache._idle.values()))
        with pytest.raises(RuntimeError, match="no model today") as caught:
            net.set_params(callbacks=FailAtStart()).fit(X, y)
        # Before the traceback is released, which holds the frames.
        assert threading.active_count() == n_threads
        assert sum(map(len, cache._idle.values())) == n_idle
        assert caught
        assert_array_equal(net.predict_proba(X), expected)
    finally:
        skseq.set_jit_compile("auto")


def test_programs_are_removed_also_after_an_interrupt_in_between(monkeypatch):
    class Programs(list):
        """Has lost its program by an interrupt, and has not been removed."""

    monkeypatch.setattr(cache, "_MAX_PROGRAMS", 1)
    skseq.clear_programs()
    cache._idle["empty"] = Programs()
    for key in "ab":
        cache._give_back(key, object())
    assert list(cache._idle) == ["b"]
    skseq.clear_programs()
