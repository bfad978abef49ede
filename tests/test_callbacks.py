"""Keras' callbacks: what they do to a fit, and what is left of them."""

import pickle

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose

import skseq
from estimators import AS_KERAS

AVERAGED = {"use_ema": True, "ema_momentum": 0.8}


def dense(**params):
    options = {"epochs": 4, "random_state": 0, **AS_KERAS, **params}
    return skseq.DenseClassifier((4,), **options)


def bits(net):
    return [weights.tobytes() for weights in net.model_.get_weights()]


class Hooks(keras.callbacks.Callback):
    """Records the hooks that are called."""

    def __init__(self):
        super().__init__()
        self.called = []

    def on_epoch_begin(self, epoch, logs=None):
        self.called.append("epoch")

    def on_test_begin(self, logs=None):
        self.called.append("test")

    def on_test_end(self, logs=None):
        self.called.append(sorted(logs))

    def on_epoch_end(self, epoch, logs=None):
        self.called.append(sorted(logs))
        logs["added"] = epoch + 0.5


def test_what_callbacks_write_into_logs_is_in_the_history(sequences):
    X, y = sequences
    scheduler = keras.callbacks.LearningRateScheduler(
        lambda epoch, rate: 0.1 / 2**epoch
    )
    net = dense(callbacks=[scheduler, Hooks()]).fit(X, y)
    assert_allclose(net.history_["learning_rate"], [0.1, 0.05, 0.025, 0.0125])
    assert net.history_["added"] == [0.5, 1.5, 2.5, 3.5]


def test_reduced_rate_is_in_the_history(sequences):
    X, y = sequences
    reduce = keras.callbacks.ReduceLROnPlateau(
        monitor="loss", mode="max", factor=0.5, patience=1, min_delta=0
    )
    net = dense(learning_rate=0.01, callbacks=reduce).fit(X, y)
    assert_allclose(net.history_["learning_rate"], [0.01, 0.01, 0.005, 0.0025])


def test_hooks_for_validation_are_called_where_rows_are_watched(sequences):
    X, y = sequences
    hooks = dense(epochs=1, callbacks=Hooks()).fit(X, y).callbacks_[0]
    assert hooks.called == ["epoch", ["loss"]]
    hooks = dense(epochs=1, callbacks=Hooks()).fit(X, y, X_val=X, y_val=y).callbacks_[0]
    assert hooks.called == ["epoch", "test", ["loss"], ["loss", "val_loss"]]


@pytest.mark.parametrize("on_epoch", [False, True])
def test_swapped_averages_are_those_of_keras(sequences, on_epoch):
    X, y = sequences
    callback = keras.callbacks.SwapEMAWeights(swap_on_epoch=on_epoch)
    net = dense(
        optimizer="sgd", learning_rate=0.1, optimizer_params=AVERAGED, shuffle=False,
        callbacks=callback,
    )  # fmt: skip
    model = net.initialize(X, y).model_
    model.compile(
        keras.optimizers.SGD(0.1, **AVERAGED), "binary_crossentropy", run_eagerly=True
    )
    x, target = X.astype(np.float32), y.astype(np.float32)[:, None]
    record = model.fit(
        x, target, epochs=4, shuffle=False, verbose=0, validation_data=(x, target),
        callbacks=[keras.callbacks.SwapEMAWeights(swap_on_epoch=on_epoch)],
    )  # fmt: skip
    net.fit(X, y, X_val=X, y_val=y)
    assert_allclose(net.history_["val_loss"], record.history["val_loss"], rtol=1e-4)
    for ours, theirs in zip(net.model_.get_weights(), model.get_weights(), strict=True):
        assert_allclose(ours, theirs, atol=1e-4)


def test_early_stopping_gives_averaged_weights(sequences):
    X, _ = sequences
    y = np.random.default_rng(0).integers(2, size=60)  # there is nothing to learn
    params = {
        "optimizer_params": AVERAGED, "early_stopping": True, "patience": 3,
        "validation_split": 0.2, "learning_rate": 0.05,
    }  # fmt: skip
    net = dense(epochs=60, **params).fit(X, y)
    assert net.best_epoch_ < net.n_iter_
    # The same, had it ended at its best epoch: what ends a fit is the average.
    short = dense(epochs=net.best_epoch_, **params).fit(X, y)
    assert bits(net) == bits(short)
    # What was watched is what is given back.
    assert net.best_score_ == short.history_["val_loss"][-1]
    raw = dense(epochs=net.best_epoch_, **{**params, "optimizer_params": None})
    assert bits(raw.fit(X, y)) != bits(net)


def test_averaging_goes_on_from_the_raw_weights_while_rows_are_watched(sequences):
    X, y = sequences
    plain = dense(optimizer_params=AVERAGED).fit(X, y)
    watched = dense(optimizer_params=AVERAGED).fit(X, y, X_val=X, y_val=y)
    assert bits(watched) == bits(plain)


class Interrupt(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        if epoch == 3:
            raise KeyboardInterrupt


def test_backup_goes_on_at_the_epoch_where_it_was_interrupted(sequences, tmp_path):
    X, y = sequences
    backup = keras.callbacks.BackupAndRestore(tmp_path / "backup")
    with pytest.raises(KeyboardInterrupt):
        dense(epochs=10, callbacks=[backup, Interrupt()]).fit(X, y)
    net = dense(epochs=10, callbacks=[backup, Hooks()]).fit(X, y)
    assert net.callbacks_[1].called.count("epoch") == 6
    assert net.n_iter_ == len(net.history_["loss"]) == 10
    assert np.isnan(net.history_["loss"]).tolist() == [True] * 4 + [False] * 6
    # The next fit of the program knows nothing of it.
    assert dense(epochs=2, callbacks=Hooks()).fit(X, y).n_iter_ == 2


def test_stop_before_an_epoch_trains_none_of_it(sequences):
    X, y = sequences

    class Stop(keras.callbacks.Callback):
        def __init__(self, at):
            super().__init__()
            self.at = at

        def on_epoch_begin(self, epoch, logs=None):
            self.model.stop_training = epoch == self.at

    net = dense(epochs=9, callbacks=Stop(2)).fit(X, y)
    assert net.n_iter_ == len(net.history_["loss"]) == 2
    assert bits(net) == bits(dense(epochs=2).fit(X, y))
    net = dense(epochs=9, callbacks=Stop(0)).fit(X, y, X_val=X, y_val=y)
    assert net.n_iter_ == 0
    assert bits(net) == bits(dense().initialize(X, y))
    assert not hasattr(net, "best_epoch_")

    # Averages of weights exist after the first step only.
    net = dense(epochs=9, callbacks=Stop(0), optimizer_params=AVERAGED).fit(X, y)
    assert bits(net) == bits(dense().initialize(X, y))


@pytest.mark.parametrize("params", [None, AVERAGED], ids=["plain", "averaged"])
def test_weights_that_a_callback_sets_at_the_end_are_kept(sequences, params):
    class Sevens(keras.callbacks.Callback):
        def on_train_end(self, logs=None):
            weights = self.model.get_weights()
            self.model.set_weights([np.full_like(one, 7) for one in weights])

    net = dense(callbacks=Sevens(), optimizer_params=params).fit(*sequences)
    assert {value for one in net.model_.get_weights() for value in one.flat} == {7}


def test_initialize_calls_no_callback(sequences, tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("kept")
    dense(callbacks=keras.callbacks.CSVLogger(path)).initialize(*sequences)
    assert path.read_text() == "kept"


@pytest.mark.parametrize("verbose", [0, 1, 2])
def test_text_in_logs_is_in_the_history(sequences, verbose):
    class Phase(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs["phase"] = "warm" if epoch else "cold"

    net = dense(epochs=2, callbacks=Phase(), verbose=verbose).fit(*sequences)
    assert net.history_["phase"] == ["cold", "warm"]


def test_history_of_a_backup_under_warm_start_has_an_entry_for_each_epoch(
    sequences, tmp_path
):
    X, y = sequences
    backup = keras.callbacks.BackupAndRestore(tmp_path / "backup")
    net = dense(epochs=2, warm_start=True).fit(X, y)
    net.set_params(epochs=4, callbacks=[backup, Interrupt()])
    with pytest.raises(KeyboardInterrupt):
        net.fit(X, y)
    net.set_params(callbacks=backup).fit(X, y)
    assert net.n_iter_ == len(net.history_["loss"]) == 6


def test_what_a_callback_has_gathered_is_kept(sequences, tmp_path):
    class Gathering(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            file = open(tmp_path / "file", "w")  # noqa: SIM115
            self.stats = {"losses": [], "file": file}
            self.stats["itself"] = self.stats

        def on_epoch_end(self, epoch, logs=None):
            self.stats["losses"].append(logs["loss"])

        def on_train_end(self, logs=None):
            self.stats["file"].close()

    net = dense(callbacks=Gathering()).fit(*sequences)
    stats = net.callbacks_[0].stats
    assert stats["losses"] == net.history_["loss"]
    assert stats["file"] is None
    assert stats["itself"] is stats


def test_estimator_that_was_fitted_with_tensorboard_is_pickled(sequences, tmp_path):
    X, y = sequences
    net = dense(callbacks=keras.callbacks.TensorBoard(tmp_path)).fit(X, y)
    loaded = pickle.loads(pickle.dumps(net))
    assert (loaded.predict_proba(X) == net.predict_proba(X)).all()
    assert loaded.callbacks_[0].log_dir == str(tmp_path)
    # The estimator's own callback starts anew.
    loaded.fit(X, y)


# ------------------------------------------------------------------------- metrics


def test_metric_with_a_value_for_each_class(three_classes, capsys):
    X, y = three_classes
    net = dense(metrics=["f1_score"], loss="categorical_crossentropy", verbose=2)
    net.fit(X, y, X_val=X, y_val=y)
    assert np.shape(net.history_["f1_score"]) == (4, 3)
    assert np.shape(net.history_["val_f1_score"]) == (4, 3)
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.count("f1_score [0.") == 2


def test_metric_that_does_not_fit_the_target_says_so(three_classes, sequences):
    with pytest.raises(ValueError, match=r"metrics=\['f1_score'\] can't be.*\(None,\)"):
        dense(metrics=["f1_score"]).fit(*three_classes)
    net = dense(metrics=[keras.metrics.F1Score(threshold=0.5)]).fit(*sequences)
    assert np.shape(net.history_["f1_score"]) == (4,)


@pytest.mark.parametrize("word", ["ce", "crossentropy"])
def test_word_that_keras_refuses_is_refused(sequences, word):
    with pytest.raises(ValueError, match=f"metrics must be names .*got '{word}'"):
        dense(metrics=[word]).fit(*sequences)
