"""Many fits in one process, with failures in the middle: nothing is left over."""

import importlib.util
from pathlib import Path

import keras
import pytest

import skseq
from skseq._engine import cache, train

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def soak():
    """Get the module of the benchmark."""
    spec = importlib.util.spec_from_file_location("soak", ROOT / "benchmarks/soak.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    skseq.set_jit_compile("auto")


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs Linux")
def test_failures_leave_nothing(soak, tmp_path):
    kinds = ["LSTM", "Dense, sampler", "search, threads"]
    soak.run(1, tmp_path, kinds, say=lambda row: None)
    skseq.clear_programs()
    before = soak.measure(tmp_path)
    # Also checks that fits after failures give the bits of the first ones.
    _, failed = soak.run(60, tmp_path, kinds, every=30, say=lambda row: None)
    assert set(failed) == set(soak.FAILURES)
    assert not cache._LOCK.locked()
    skseq.clear_programs()
    after = soak.measure(tmp_path)
    for name in ("Python's", "open files", "children", "temporary files", "graphs"):
        assert after[name] <= before[name], name


class FailAtStart(keras.callbacks.Callback):
    def set_model(self, model):
        if model is not None:
            raise RuntimeError("no model today")


def test_callback_that_fails_at_the_start_leaves_no_thread(sequences, monkeypatch):
    opened = []
    monkeypatch.setattr(train, "Apart", lambda *_: opened.append("threads"))
    monkeypatch.setattr(train, "earns_xla", lambda *_: True)
    net = skseq.DenseClassifier((3,), n_networks=2, callbacks=FailAtStart())
    with pytest.raises(RuntimeError, match="no model today"):
        net.fit(*sequences)
    assert not opened


def test_programs_are_removed_also_after_an_interrupt_in_between(monkeypatch):
    monkeypatch.setattr(cache, "_MAX_PROGRAMS", 1)
    skseq.clear_programs()
    cache._idle["interrupted"] = []
    for key in "ab":
        cache._give_back(key, object())
    assert list(cache._idle) == ["b"]
    skseq.clear_programs()
