"""Fits for processes that are killed: ``python killed.py FOLDER [CALL]``.

It prints a hash of what each fit has learned. With CALL, the process kills itself at
this call of a function that writes a checkpoint. Without a FOLDER, there are none.
"""

import hashlib
import json
import os
import signal
import sys

import numpy as np

import skseq

# Each process has another order of these, by the hashes of strings and bytes.
KINDS = {("relu", "a"), ("tanh", "b"), ("elu", "c"), ("gelu", "d")}


def model(inputs, kind="relu"):
    import keras

    is_known = kind in {"relu", "tanh", None} and (kind, "a") in KINDS
    if not is_known or kind.encode() not in {b"relu", b"tanh", b"elu"}:
        raise ValueError(kind)
    x = keras.layers.Flatten()(inputs)
    return keras.layers.Dropout(0.2)(keras.layers.Dense(6, activation=kind)(x))


def fits(folder):
    """Yield fitted networks; ``folder`` may be None."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 6, 3))
    y = (X[:, :, 0].sum(axis=1) > 0).astype(int)
    params = {"random_state": 0, "checkpoint": folder or None, "checkpoint_epochs": 1}
    early = {"early_stopping": True, "monitor": "roc_auc", "patience": 3}
    net = skseq.KerasClassifier(model, epochs=6, warm_start=True, **early, **params)
    yield net.fit(X, y)
    yield net.fit(X, y, sample_weight=np.arange(120) % 3)


def digest(net):
    """Hash the weights, the state of the optimizer, and the history."""
    found = hashlib.sha256(repr((net.history_, net.n_iter_)).encode())
    found.update(repr(getattr(net, "best_score_", None)).encode())
    for array in [*net._state.weights, *net._state.optimizer]:
        found.update(array.tobytes())
    return found.hexdigest()


def kill_at(n):
    """Kill this process at the n-th call of a function that writes."""
    calls = []

    def killing(function):
        def call(*args):
            calls.append(function)
            if len(calls) >= n:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*args)

        return call

    os.fsync, os.replace = killing(os.fsync), killing(os.replace)


if __name__ == "__main__":
    if len(sys.argv) > 2:
        kill_at(int(sys.argv[2]))
    print(json.dumps([digest(net) for net in fits(sys.argv[1])]))
