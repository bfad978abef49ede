"""Keys of programs: by what the user's code does, and not by who it is."""

import dataclasses
import functools
import importlib
import pickle
import sys
import threading
import weakref

import cloudpickle
import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_array_equal
from sklearn.base import clone

import skseq
from estimators import AS_KERAS
from skseq._engine import cache, program
from skseq._engine.fingerprints import config_of, fingerprint, has_users_code

FACTOR = 1.0


def scaled_error(y_true, y_pred, factor=1.0):
    return FACTOR * factor * keras.ops.mean((y_true - y_pred) ** 2, axis=-1)


def scaled(x):
    return FACTOR * x


class ScaledLoss(keras.losses.Loss):
    """A user's own loss."""

    def __init__(self, factor=1.0, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, y_true, y_pred):
        return scaled_error(y_true, y_pred, self.factor)

    def get_config(self):
        return {**super().get_config(), "factor": self.factor}


class Attributed(keras.losses.Loss):
    """A loss whose configuration lacks all that it was made with."""

    def __init__(self, **attributes):
        super().__init__()
        vars(self).update(attributes)

    def call(self, y_true, y_pred):
        (factor,) = (getattr(self, name) for name in ("_a", "a") if hasattr(self, name))
        return scaled_error(y_true, y_pred, factor() if callable(factor) else factor)


@dataclasses.dataclass
class Factor:
    """A user's object."""

    value: float

    def __call__(self):
        return self.value


def dataclass_with(value):
    """Make an object of a class that has no data, but its own code."""

    @dataclasses.dataclass
    class Error:
        def __call__(self, y_true, y_pred):
            return scaled_error(y_true, y_pred, value)

    return Error()


class Halving(keras.optimizers.schedules.LearningRateSchedule):
    """A schedule that is not registered with Keras."""

    def __init__(self, rate):
        self.rate = rate

    def __call__(self, step):
        return self.rate * 0.5 ** keras.ops.cast(step, "float32")

    def get_config(self):
        return {"rate": self.rate}


class Unlisted(ScaledLoss):
    """A loss with an attribute that is not in its configuration."""

    def get_config(self):
        return keras.losses.Loss.get_config(self)


@pytest.fixture
def n_built(monkeypatch):
    """Count the programs that were built so far."""
    built = []

    class Counted(program.Program):
        def __init__(self, recipe):
            super().__init__(recipe)
            built.append(weakref.ref(self))

    skseq.clear_programs()
    monkeypatch.setattr(cache, "Program", Counted)
    yield lambda: len(built)
    skseq.clear_programs()


def fit(sequences, **params):
    options = {"epochs": 2, "optimizer": "sgd", "random_state": 0, **AS_KERAS, **params}
    return skseq.DenseClassifier((4,), **options).fit(*sequences)


# ----------------------------------------------------------------------- what counts


def test_global_that_a_function_reads_counts(monkeypatch):
    for function in (scaled_error, functools.partial(scaled_error, factor=2)):
        before = fingerprint(function)
        monkeypatch.setattr(sys.modules[__name__], "FACTOR", 2.0)
        assert fingerprint(function) != before
        monkeypatch.setattr(sys.modules[__name__], "FACTOR", 1.0)
        assert fingerprint(function) == before


def test_arguments_attributes_and_closures_count():
    def make(number):
        return lambda y_true, y_pred: number * (y_true - y_pred)

    assert fingerprint(make(1)) == fingerprint(make(1))
    assert fingerprint(make(1)) != fingerprint(make(2))
    assert fingerprint(functools.partial(scaled_error, factor=2)) == fingerprint(
        functools.partial(scaled_error, factor=2)
    )
    assert fingerprint(functools.partial(scaled_error, factor=2)) != fingerprint(
        functools.partial(scaled_error, factor=3)
    )
    for cls in (ScaledLoss, Unlisted):
        loss = cls()
        before = fingerprint(loss)
        assert fingerprint(cls()) == before
        loss.factor = 3.0
        assert fingerprint(loss) != before


CELL = """
class Double(keras.layers.Layer):
    def call(self, x):
        return 2 * x
"""


def test_cell_that_is_run_again_gives_the_same_key():
    def run(code):
        names = {"keras": keras, "__name__": "__main__"}
        exec(code, names)
        return fingerprint(names["Double"]), fingerprint(names["Double"]())

    assert run(CELL) == run(CELL)
    assert run(CELL) != run(CELL.replace("2 * x", "3 * x"))


def test_function_that_came_through_a_pickle_has_one_key():
    number = 3

    def loss(y_true, y_pred):
        return number * (y_true - y_pred)

    data = cloudpickle.dumps(loss)
    copies = [cloudpickle.loads(data) for _ in range(2)]
    assert fingerprint(copies[0]) == fingerprint(copies[1]) == fingerprint(loss)


def test_keras_own_objects_count_by_configuration():
    assert fingerprint(keras.losses.Huber(0.5)) == fingerprint(keras.losses.Huber(0.5))
    assert fingerprint(keras.losses.Huber(0.5)) != fingerprint(keras.losses.Huber(0.6))
    assert fingerprint(keras.optimizers.SGD) != fingerprint(keras.optimizers.Adam)
    assert fingerprint(keras.losses.mean_squared_error) == fingerprint(
        keras.losses.mean_squared_error
    )
    assert fingerprint(float("nan")) == fingerprint(float("nan"))


def test_function_in_an_object_of_keras_counts(monkeypatch):
    # Both configurations hold the name of the function alone.
    layer, same = (keras.layers.Activation(scaled) for _ in range(2))
    assert fingerprint(layer) == fingerprint(same)
    before = fingerprint(layer)
    monkeypatch.setattr(sys.modules[__name__], "FACTOR", 2.0)
    assert fingerprint(layer) != before
    assert has_users_code(layer)
    assert not has_users_code(keras.layers.PReLU())
    lstm = keras.layers.LSTM(3, activation=scaled)
    assert has_users_code([lstm])
    assert config_of(lstm)["activation"] is scaled


def test_module_that_a_function_names_counts(tmp_path, monkeypatch):
    (tmp_path / "users_module.py").write_text("NUMBER = 1.0\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    users_module = importlib.import_module("users_module")

    def loss(y_true, y_pred):
        return users_module.NUMBER * (y_true - y_pred)

    before = fingerprint(loss)
    users_module.NUMBER = 2.0
    assert fingerprint(loss) != before
    users_module.NUMBER = 1.0
    assert fingerprint(loss) == before
    assert cloudpickle.list_registry_pickle_by_value() == set()


def test_content_that_cant_be_told_is_left_to_the_caller():
    lock = threading.Lock()

    def loss(y_true, y_pred):
        return y_true if lock else y_pred

    assert fingerprint(loss) == fingerprint(loss)  # by identity
    assert fingerprint([loss], unknown=lambda function: "?") == (("content", "?"),)


# -------------------------------------------------------------------------- in fits


def test_clones_and_equal_objects_share_a_program(sequences, n_built):
    X, y = sequences
    makers = (
        lambda: functools.partial(scaled_error, factor=2.0),
        lambda: ScaledLoss(2),
    )
    for n_losses, make in enumerate(makers, start=1):
        net = fit(sequences, loss=make())
        pickle.loads(pickle.dumps(clone(net))).fit(X, y)
        fit(sequences, loss=make())
        assert n_built() == n_losses


def test_changed_attribute_of_a_loss_is_trained_with(sequences):
    loss = ScaledLoss()
    slow = fit(sequences, loss=loss).model_.get_weights()
    loss.factor = 5.0
    fast = fit(sequences, loss=loss).model_.get_weights()
    expected = fit(sequences, loss=ScaledLoss(5.0)).model_.get_weights()
    assert_array_equal(fast[0], expected[0])
    assert not np.array_equal(fast[0], slow[0])


def test_changed_global_is_trained_and_predicted_with(sequences, monkeypatch):
    X, y = sequences
    net = fit(sequences, activation=scaled)
    expected, weights = net.predict_proba(X), net.model_.get_weights()
    monkeypatch.setattr(sys.modules[__name__], "FACTOR", 3.0)
    changed = net.predict_proba(X)
    assert abs(changed - expected).max() > 1e-3
    skseq.clear_programs()
    assert_array_equal(net.predict_proba(X), changed)
    other = fit(sequences, activation=scaled).model_.get_weights()
    assert not np.array_equal(other[0], weights[0])
    monkeypatch.setattr(sys.modules[__name__], "FACTOR", 1.0)
    assert_array_equal(net.predict_proba(X), expected)


@pytest.mark.parametrize(
    "make",
    [
        lambda value: Attributed(_a=value),
        lambda value: Attributed(a=keras.ops.convert_to_tensor(value)),
        pytest.param(lambda value: Attributed(a=Factor(value)), marks=pytest.mark.slow),
        lambda value: Attributed(a=lambda: value),
        pytest.param(dataclass_with, marks=pytest.mark.slow),
    ],
    ids=["private", "tensor", "object", "function", "dataclass"],
)
def test_attributes_that_no_configuration_has_are_trained_with(sequences, make):
    slow, fast = (fit(sequences, loss=make(value)).history_ for value in (1.0, 5.0))
    assert fast["loss"][0] == pytest.approx(5 * slow["loss"][0], rel=0.01)
    skseq.clear_programs()
    assert fit(sequences, loss=make(5.0)).history_ == fast


def test_program_of_a_loss_that_was_changed_later_is_not_used(sequences):
    X, y = sequences
    loss = ScaledLoss()
    fit(sequences, loss=loss)
    loss.factor = 5.0  # of the object that the program holds
    # The validation is traced now.
    net = fit(sequences, loss=ScaledLoss(), early_stopping=True, validation_split=0.3)
    skseq.clear_programs()
    assert clone(net).fit(X, y).history_ == net.history_


@pytest.mark.parametrize("optimizer", ["SGD", "Nadam"])
def test_schedule_of_an_optimizer_object_and_a_rate_have_programs_each(
    sequences, optimizer
):
    def weights(rate):
        schedule = keras.optimizers.schedules.ExponentialDecay(0.5, 1, 0.01)
        made = getattr(keras.optimizers, optimizer)(schedule)
        return fit(sequences, optimizer=made, learning_rate=rate).model_.get_weights()

    rates = 0.1, None, 0.1
    first, other, again = map(weights, rates)
    assert_array_equal(first[0], again[0])
    assert not np.array_equal(first[0], other[0])
    skseq.clear_programs()
    assert_array_equal(other[0], weights(None)[0])


def test_schedule_in_an_optimizer_object_needs_no_registration(sequences):
    net = fit(sequences, optimizer=keras.optimizers.SGD(Halving(0.1)))
    weights = net.model_.get_weights()[0]
    expected = fit(sequences, learning_rate=Halving(0.1)).model_.get_weights()[0]
    assert_array_equal(weights, expected)
    for copy in (clone(net), pickle.loads(pickle.dumps(net))):
        assert_array_equal(copy.fit(*sequences).model_.get_weights()[0], weights)
    other = fit(sequences, optimizer=keras.optimizers.SGD(Halving(0.5)))
    assert not np.array_equal(other.model_.get_weights()[0], weights)


def test_traced_function_keeps_its_key():
    function = tf.function(scaled)
    before = fingerprint(function)
    function(tf.zeros(3))
    assert fingerprint(function) == before
    assert fingerprint(tf.function(scaled_error)) != before


def test_large_arrays_in_a_configuration_count():
    alpha = np.ones(2000)
    before = fingerprint(keras.losses.CategoricalFocalCrossentropy(alpha=alpha))
    alpha[1000] = 2
    after = fingerprint(keras.losses.CategoricalFocalCrossentropy(alpha=alpha))
    assert before != after


def test_functions_in_lambda_layers_and_metrics_are_kept(sequences):
    metric = keras.metrics.MeanMetricWrapper(scaled_error, name="error", factor=2.0)
    net = fit(sequences, activation=keras.layers.Lambda(scaled), metrics=[metric])
    plain = fit(sequences, activation=scaled)
    assert_array_equal(net.model_.get_weights()[0], plain.model_.get_weights()[0])
    assert list(net.history_) == ["loss", "error"]
    for copy in (clone(net), pickle.loads(pickle.dumps(net))):
        assert copy.fit(*sequences).history_ == net.history_


def test_unreadable_function_is_traced_for_each_fit(sequences, n_built):
    X, y = sequences
    numbers = [1.0, threading.Lock()]

    def loss(y_true, y_pred):
        return numbers[0] * keras.ops.mean((y_true - y_pred) ** 2, axis=-1)

    first = fit(sequences, loss=loss)
    first.predict(X)
    first.predict(X)
    assert n_built() == 1
    numbers[0] = 5.0
    second = fit(sequences, loss=loss)
    assert n_built() == 2
    assert not np.array_equal(first.predict_proba(X), second.predict_proba(X))


def test_name_of_a_users_loss_does_not_choose_the_head(sequences, three_classes):
    def categorical_error(y_true, y_pred):
        return keras.ops.mean((y_true - y_pred) ** 2, axis=-1)

    def sparse_error(y_true, y_pred):
        assert y_pred.shape[1:] == y_true.shape[1:] == (3,)
        return keras.ops.mean((y_true - y_pred) ** 2, axis=-1)

    assert fit(sequences, loss=categorical_error).model_.output_shape == (None, 1)
    assert fit(three_classes, loss=sparse_error).model_.output_shape == (None, 3)

    class OwnCrossentropy(keras.losses.SparseCategoricalCrossentropy):
        pass

    own = fit(three_classes, loss=OwnCrossentropy())
    expected = fit(three_classes, loss="sparse_categorical_crossentropy")
    np.testing.assert_allclose(
        own.model_.get_weights()[0], expected.model_.get_weights()[0], atol=1e-5
    )


@pytest.mark.parametrize(
    ("loss", "name"),
    [
        (keras.losses.Huber(0.05), "delta"),
        (keras.losses.CosineSimilarity(axis=-1), "axis"),
    ],
)
def test_arguments_that_keras_leaves_out_of_configurations_are_kept(
    sequences, loss, name
):
    assert config_of(loss)[name] in (0.05, -1)
    net = fit(sequences, loss=loss)
    expected = net.model_.get_weights()[0]
    for copy in (clone(net), pickle.loads(pickle.dumps(clone(net)))):
        assert config_of(copy.loss)[name] == config_of(loss)[name]
        assert_array_equal(copy.fit(*sequences).model_.get_weights()[0], expected)
    model = net.initialize(*sequences).model_
    model.compile(keras.optimizers.SGD(0.003), loss, run_eagerly=True)
    X, y = sequences
    x, target = X.astype(np.float32), y.astype(np.float32)[:, None]
    model.fit(x, target, batch_size=60, epochs=2, verbose=0)
    net.set_params(batch_size=60).fit(X, y)
    for ours, theirs in zip(net.model_.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_lambda_as_loss_and_metric_leaves_keras_as_it_was(sequences):
    net = fit(
        sequences,
        loss=lambda y_true, y_pred: keras.ops.mean((y_true - y_pred) ** 2, axis=-1),
        metrics=[lambda y_true, y_pred: keras.ops.mean(y_true * y_pred, axis=-1)],
    )
    assert list(net.history_) == ["loss", "lambda"]
    assert keras.layers.Dense(2)(np.ones((1, 3))).shape == (1, 2)
    with pytest.raises(ValueError, match="loss must have a name .*got 'my loss'"):
        fit(sequences, loss=ScaledLoss(name="my loss"))
    assert keras.layers.Dense(2)(np.ones((1, 3))).shape == (1, 2)


def test_place_of_a_function_in_its_file_is_not_part_of_its_content():
    source, names = "def f(x):\n    return x in {'a', 'b'}\n", [{}, {}, {}]
    exec(compile(source, "first", "exec"), names[0])
    exec(compile("\n\n" + source, "second", "exec"), names[1])
    exec(compile(source.replace("'b'", "'c'"), "first", "exec"), names[2])
    first, second, other = (fingerprint(one["f"]) for one in names)
    assert first == second != other
