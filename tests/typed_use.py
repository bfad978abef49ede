"""What a type checker sees: `mypy` reads this file, which is never run.

Each ``type: ignore`` is a mistake that has to be found, for mypy reports those that are
not needed.
"""

from typing import Literal, assert_type

import numpy as np

import skseq


def uses() -> None:
    X, y = np.zeros((4, 3, 1)), np.array([0, 1, 0, 1])

    net = skseq.LSTMClassifier(16, dropout=(0.1, 0.2), optimizer="adam", epochs=3)
    assert_type(net, skseq.LSTMClassifier)
    assert_type(net.epochs, int | Literal["auto"])
    assert_type(net.fit(X, y, groups=[1, 1, 2, 2]), skseq.LSTMClassifier)
    assert_type(net.partial_fit(X, y, classes=[0, 1]).initialized_, bool)
    assert_type(net.predict_proba(X), np.ndarray)
    assert_type(net.set_params(epochs=2), skseq.LSTMClassifier)

    skseq.GRUClassifier(units=[8, 4], layer_activation=np.tanh, class_weight="balanced")
    skseq.Conv1DClassifier((8, 8), kernel_size=3, padding="causal")
    skseq.DenseClassifier((), activation={"name": "leaky_relu"}, sampler=None)
    regressor = skseq.GRURegressor(8, loss="quantile", loss_params={"quantile": 0.9})
    assert_type(regressor.fit(X, y).predict_quantiles(X), np.ndarray)
    assert_type(regressor.partial_fit(X, y), skseq.GRURegressor)
    assert_type(skseq.DenseRegressor((8,), scale_target=False).n_networks, int)
    skseq.AutoencoderTransformer(3, kind="gru", mask_value=float("nan")).transform(X)
    skseq.AutoencoderOutlierDetector(contamination=0.05).fit(X, X_val=X).predict(X)
    skseq.SequenceReshaper(6, order="step", columns={"a": ["a1", "a0"]})
    skseq.SequenceResampler(n_timesteps=3).fit_resample(X, y)
    skseq.SequenceAugmenter(jitter=0.1, random_state=0)
    skseq.LatentSampler(autoencoder=skseq.AutoencoderTransformer())
    skseq.GRUClassifier(checkpoint="folder", checkpoint_epochs="auto", random_state=0)
    skseq.set_jit_compile(False)
    skseq.clear_programs()

    skseq.LSTMClassifier(epoch=3)  # type: ignore[call-arg]
    skseq.LSTMClassifier(16, 3)  # type: ignore[arg-type, call-arg]
    skseq.LSTMClassifier(epochs="3")  # type: ignore[arg-type]
    skseq.LSTMClassifier(pooling="lst")  # type: ignore[arg-type]
    skseq.DenseClassifier(units=3)  # type: ignore[call-arg]
    skseq.AutoencoderTransformer(class_weight="balanced")  # type: ignore[call-arg]
    skseq.DenseRegressor(checkpoint=True)  # type: ignore[arg-type]
    skseq.DenseRegressor(class_weight="balanced")  # type: ignore[call-arg]
    net.fit(X, y, validation_data=(X, y))  # type: ignore[call-arg]
    net.fit(X)  # type: ignore[call-arg]
    skseq.set_jit_compile(None)  # type: ignore[arg-type]
