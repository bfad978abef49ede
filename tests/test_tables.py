"""The columns of a table in dense networks: vectors of numbers, and categories."""

import keras
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from estimators import with_slow
from skseq import AutoencoderTransformer, DenseClassifier, DenseRegressor
from skseq._engine.cache import borrowed
from skseq._engine.facts import layers_of
from skseq._tables import bins_of, edges_of, robust_scale_of, varied_columns

FAST = {"dense_units": 4, "epochs": 3, "learning_rate": 0.01, "random_state": 0}

rng = np.random.default_rng(0)
# A count from 0 to 8, a number with a long tail, and a column with two values.
X = np.column_stack(
    [np.tile(np.arange(9.0), 8), rng.lognormal(size=72), rng.integers(0, 2, size=72)]
)
Y = (X[:, 0] > 4).astype(int)

# Two columns with codes from 0 to 2, and a number.
CODES = np.column_stack([rng.integers(0, 3, size=(72, 2)), X[:, 1]])
COLOURS = np.array(["blue", "green", "red"])


def fitted(X=X, y=Y, cls=DenseClassifier, **params):
    return cls(**{**FAST, **params}).fit(X, y)


def columns_of(net):
    """Get the first layers, a model inside of the network."""
    return net.model_.get_layer("columns")


def output_of(net, layer, X):
    """Compute the output of one of the first layers for the rows of a table."""
    columns = columns_of(net)
    part = keras.Model(columns.input, columns.get_layer(layer).output)
    return part.predict(np.asarray(X, np.float32), verbose=0)


def inputs_of(net, layer, X):
    """Compute what a layer reads for the rows of a table."""
    model = net.model_
    part = keras.Model(model.input, model.get_layer(layer).input)
    return part.predict(np.asarray(X, np.float32)[:, :, None], verbose=0)


def scale_of(net, layer="number_scale"):
    return np.array(columns_of(net).get_layer(layer).embeddings)


# ------------------------------------------------------------------ scale and bins


def test_edges_are_quantiles():
    assert_array_equal(edges_of(np.arange(9.0), 4), [0, 2, 4, 6, 8])
    assert_array_equal(edges_of(np.array([3.0, 3.0]), 4), [3])


def test_equal_quantiles_leave_edges_to_other_values():
    values = np.r_[np.zeros(90), np.arange(1.0, 11.0)]
    edges = edges_of(values, 4)
    assert_array_equal(edges[[0, -1]], [0, 10])
    assert len(edges) == 5
    assert np.isin(edges, values).all()


def test_a_column_of_few_values_has_an_edge_at_each():
    assert_array_equal(edges_of(np.r_[np.zeros(97), 1, 2, 3], 8), [0, 1, 2, 3])


def test_bins_rise_from_0_to_1():
    factors, shifts = bins_of(np.c_[np.arange(9.0), np.full(9, 5.0)], 2)
    assert_array_equal(factors, [[0.25, 0.25], [0, 0]])
    assert_array_equal(shifts, [[0, -1], [0, 0]])


def test_robust_scale_is_by_the_middle_half():
    table = np.array([[0, 0, 5], [1, 0, 5], [2, 0, 5], [3, 0, 5], [4, 1, 5.0]])
    factors, shifts = robust_scale_of(table)
    assert_allclose(factors, [1.349 / 2, 2, 1])
    assert_allclose(shifts, [-1.349, 0, -5])


def test_columns_with_two_values_are_not_varied():
    assert_array_equal(varied_columns(X[:, :, None]), [True, True, False])


# ------------------------------------------------------------- embeddings of numbers


def test_piecewise_embedding_is_the_share_of_each_bin_below_the_number():
    net = fitted(numeric_embedding={"name": "piecewise", "n_bins": 2})
    rows = [[0, 1, 0], [3, 1, 0], [6, 1, 0], [99, 1, 0]]
    # Three numbers, and the bins of those with more than two values.
    features = inputs_of(net, "dense_1", rows)
    assert features.shape == (4, 3 + 2 * 2)
    expected = [[0, 0], [0.75, 0], [1, 0.5], [1, 1]]
    assert_allclose(features[:, 3:5], expected, atol=1e-6)


def test_numbers_are_scaled_by_the_training_rows():
    net = fitted(numeric_embedding="piecewise")
    features = inputs_of(net, "dense_1", [[4, np.median(X[:, 1]), 0]])
    assert_allclose(features[0, :2], 0, atol=1e-5)


def test_periodic_embedding_has_frequencies_of_a_standard_deviation():
    options = {"name": "periodic", "n_frequencies": 500, "sigma": 2.0, "width": 3}
    net = fitted(numeric_embedding=options, learning_rate=1e-8)
    frequencies = np.array(columns_of(net).get_layer("number_frequencies").kernel)
    assert frequencies.shape == (2, 500)
    assert_allclose(frequencies.std() / (2 * np.pi), 2.0, rtol=0.1)
    assert output_of(net, "numbers", X[:5]).shape == (5, 2 * 3)


@pytest.mark.parametrize("kind", ["piecewise", "periodic"])
def test_numbers_need_no_scaler(kind):
    net = fitted(numeric_embedding=kind)
    factors, shifts = [1000, 64, 0.5], [-3000, 16, 2]
    moved = fitted(X * factors + shifts, numeric_embedding=kind)
    assert_allclose(
        moved.predict_proba(X * factors + shifts), net.predict_proba(X), atol=1e-3
    )


@pytest.mark.parametrize(
    "cls", with_slow([DenseClassifier, DenseRegressor], DenseRegressor)
)
@pytest.mark.parametrize("kind", ["piecewise", "periodic"])
def test_a_function_of_one_number_is_learned(cls, kind):
    numbers = np.random.default_rng(0).uniform(-1, 1, size=(300, 2))
    y = (np.abs(numbers[:, 0]) > 0.5).astype(int)
    net = cls(
        8, numeric_embedding=kind, epochs=40, learning_rate=0.03, dropout=0,
        random_state=0,
    ).fit(numbers, y)  # fmt: skip
    assert net.score(numbers, y) > 0.85


@pytest.mark.parametrize("kind", ["piecewise", "periodic"])
def test_a_saved_model_is_of_keras_alone(kind, tmp_path):
    net = fitted(CODES, numeric_embedding=kind, categorical_features=[0, 1])
    net.model_.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    probabilities = loaded.predict(CODES[:, :, None].astype(np.float32), verbose=0)
    assert_allclose(probabilities[:, 0], net.predict_proba(CODES)[:, 1], atol=1e-6)


@pytest.mark.parametrize("kind", ["piecewise", "periodic"])
def test_rows_are_computed_one_by_one(kind):
    net = fitted(CODES, numeric_embedding=kind, categorical_features=[0, 1])
    with borrowed(net._recipe) as program:
        assert program.facts.is_rowwise
        assert not program.facts.has_penalties


def test_other_values_need_no_new_program():
    one = fitted(numeric_embedding="piecewise")
    other = fitted(X + [0, 3, 0], numeric_embedding="piecewise")
    assert one._recipe.key() == other._recipe.key()


def test_scale_is_that_of_the_first_fit():
    net = fitted(numeric_embedding="piecewise", warm_start=True)
    before = scale_of(net)
    net.fit(X + 100, Y)
    assert net.n_iter_ == 6
    assert_array_equal(scale_of(net), before)
    net = DenseClassifier(**FAST, numeric_embedding="piecewise")
    net.partial_fit(X, Y, classes=[0, 1]).partial_fit(X + 100, Y)
    assert_array_equal(scale_of(net), before)


def test_another_embedding_is_another_network():
    net = fitted(numeric_embedding="piecewise", warm_start=True)
    with pytest.raises(ValueError, match="parameters that change its layers"):
        net.set_params(numeric_embedding="periodic").fit(X, Y)


def test_several_networks_have_one_scale():
    net = fitted(numeric_embedding="piecewise", n_networks=2)
    one = fitted(numeric_embedding="piecewise")
    with borrowed(net._recipe) as program:
        of_scale = program.recipe.network.columns.scale(program.model)
        scales = [
            weight
            for variable, weight in zip(
                program.model.weights, net._state.weights, strict=True
            )
            if any(variable is asked for asked in of_scale)
        ]
    assert len(scales) == 2
    for scale in scales:
        assert_array_equal(scale[0], scale[1])
    assert_array_equal(scales[0][0], scale_of(one))


def test_held_out_rows_have_no_part_in_the_scale():
    net = fitted(numeric_embedding="piecewise", early_stopping=True, epochs=1)
    again = fitted(numeric_embedding="piecewise", epochs=1)
    assert (scale_of(net, "number_bins") != scale_of(again, "number_bins")).any()


# -------------------------------------------------------------------- what a table is


def test_auto_embeds_the_numbers_of_tables_alone():
    has_embedding = {
        "table": fitted(numeric_embedding="auto"),
        "sequences": fitted(X[:, :, None], numeric_embedding="auto"),
        "list": fitted(list(X[:, :, None]), numeric_embedding="auto"),
        "padded": fitted(numeric_embedding="auto", mask_value=-1),
        "tokens": fitted(CODES[:, :2] + 2, numeric_embedding="auto", embedding_dim=2),
        "pooled": fitted(numeric_embedding="auto", pooling="mean"),
    }
    found = [
        name
        for name, net in has_embedding.items()
        if any(layer.name == "number_bins" for layer in layers_of(net.model_))
    ]
    assert found == ["table"]


@pytest.mark.parametrize(
    ("rows", "params", "obstacle"),
    [
        (X[:, :, None], {}, "rows of timesteps"),
        (X, {"mask_value": -1}, "mask_value=-1"),
        (X, {"pooling": "mean"}, "pooling='mean'"),
        (X, {"n_timesteps": 3}, "n_timesteps=3"),
        (CODES[:, :2] + 2, {"embedding_dim": 2}, "token ids"),
        (X, {"pretrained": AutoencoderTransformer()}, "pretrained="),
    ],
)
@pytest.mark.parametrize(
    "wanted", [{"numeric_embedding": "piecewise"}, {"categorical_features": [0]}]
)
def test_sequences_have_no_columns(rows, params, obstacle, wanted):
    with pytest.raises(ValueError, match=obstacle) as error:
        fitted(rows, **params, **wanted)
    assert f"{next(iter(wanted))} needs a 2-D X" in str(error.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": "fourier"}, "the 'name' of an embedding"),
        ({"n_bins": 3}, "the 'name' of an embedding"),
        ({"name": "piecewise", "n_bin": 3}, "got 'n_bin'. Did you mean 'n_bins'"),
        ({"name": "piecewise", "n_bins": 0}, "an int of at least 1 as 'n_bins', got 0"),
        ({"name": "periodic", "sigma": 0}, "a positive number as 'sigma', got 0"),
        ({"name": "periodic", "width": 2.5}, "an int of at least 1 as 'width'"),
    ],
)
def test_options_of_embeddings_are_checked(options, message):
    with pytest.raises(ValueError, match=message):
        fitted(numeric_embedding=options)


def test_without_embedding_numbers_are_read_as_they_are():
    net = fitted(numeric_embedding=None, dropout=0)
    names = [layer.name for layer in net.model_.layers]
    assert names == ["sequences", "pooling", "dense_1", "outputs"]


# -------------------------------------------------------------- sizes by rows


def many(n_rows):
    numbers = np.random.default_rng(0).normal(size=(n_rows, 2))
    return numbers, (numbers[:, 0] > 0).astype(int)


def test_sizes_depend_on_the_rows():
    auto = {"dense_units": "auto", "dropout": "auto", "epochs": 1}
    few = fitted(*many(999), **auto)
    assert few.dense_units_ == (128,)
    assert few.model_.get_layer("dense_1").units == 128
    large = fitted(*many(1000), **auto)
    assert (large.dense_units_, large.dropout_) == ((128,), (0.0, 0.3))
    sequences = fitted(X[:, :, None], **auto)
    assert (sequences.dense_units_, sequences.dropout_) == ((100,), (0.0, 0.0))


def test_rates_are_those_of_the_first_fit():
    net = fitted(*many(998), dense_units="auto", dropout="auto", warm_start=True)
    net.fit(*many(1002))
    assert net.dropout_ == (0.2, 0.5)


def test_dropout_may_begin_with_what_the_first_layer_reads():
    net = fitted(dropout=(0.2, 0.4))
    assert net.dropout_ == (0.2, 0.4)
    rates = {
        layer.name: layer.rate
        for layer in net.model_.layers
        if isinstance(layer, keras.layers.Dropout)
    }
    assert rates == {"input_dropout": 0.2, "dropout_1": 0.4}
    assert fitted(dropout=0.4).dropout_ == (0.0, 0.4)
    with pytest.raises(ValueError, match="dropout must"):
        fitted(dropout=(0.1, 0.2, 0.3))


# ------------------------------------------------------------------------ categories


def test_categories_are_chosen_by_position_mask_name_or_dtype():
    frame = pd.DataFrame(CODES, columns=["a", "b", "c"])
    typed = frame.astype({"a": "category", "b": "category"})
    nets = [
        fitted(CODES, categorical_features=[0, 1]),
        fitted(CODES, categorical_features=[True, True, False]),
        fitted(frame, categorical_features=["a", "b"]),
        fitted(typed, categorical_features="from_dtype"),
    ]
    for net, rows in zip(nets, [CODES, CODES, frame, typed], strict=True):
        assert_array_equal(net.is_categorical_, [True, True, False])
        assert_array_equal(net.predict_proba(rows), nets[0].predict_proba(CODES))


def test_texts_of_a_dataframe_become_codes():
    frame = pd.DataFrame({"colour": COLOURS[CODES[:, 0].astype(int)], "c": CODES[:, 2]})
    net = fitted(frame, categorical_features=["colour"])
    same = fitted(CODES[:, [0, 2]], categorical_features=[0])
    assert_array_equal(net.predict_proba(frame), same.predict_proba(CODES[:, [0, 2]]))
    changed = frame.assign(colour=["pink", None] * 36)
    unknown = net.predict_proba(changed)
    assert_array_equal(unknown, same.predict_proba(np.c_[np.full(72, -1), X[:, 1]]))


def test_unknown_codes_are_one_category():
    net = fitted(CODES, categorical_features=[0, 1])
    first = CODES[:1]
    unknown = [np.r_[code, first[0, 1:]][None] for code in (-1, -7, 3, 99)]
    found = [net.predict_proba(rows) for rows in unknown]
    for other in found[1:]:
        assert_array_equal(other, found[0])
    assert (found[0] != net.predict_proba(first)).any()


def test_first_layers_are_one_line_of_a_summary():
    net = fitted(CODES, categorical_features=[0, 1])
    names = [layer.name for layer in net.model_.layers]
    assert names.count("columns") == 1
    assert len(names) <= 8


def test_the_same_code_in_two_columns_has_two_vectors():
    net = fitted(CODES, categorical_features=[0, 1])
    vectors = output_of(net, "categories", [[0, 0, 1.0], [1, 0, 1.0]])
    width = vectors.shape[1] // 2
    assert width == 2  # the fourth root of 3, rounded up
    assert (vectors[0, :width] != vectors[0, width:]).all()
    assert_array_equal(vectors[0, width:], vectors[1, width:])
    assert columns_of(net).get_layer("category_vectors").input_dim == 2 * (3 + 1)


def test_categories_are_learned():
    codes = np.random.default_rng(0).integers(0, 10, size=(300, 1)).astype(float)
    y = (codes[:, 0] % 2).astype(int)
    net = DenseClassifier(
        8, categorical_features=[0], dropout=0, epochs=20, learning_rate=0.03,
        random_state=0,
    )  # fmt: skip
    assert net.fit(codes, y).score(codes, y) == 1


@pytest.mark.parametrize(
    ("rows", "chosen", "message"),
    [
        (CODES, [2], r"whole numbers from 0 to 99999.* in row 0"),
        (CODES, [3], r"positions of columns from 0 to 2.* got \[3\]"),
        (CODES, [-1], "positions of columns"),
        (CODES, [True, False], "a mask with an entry for each column"),
        (CODES, ["a"], "names of columns of a dataframe"),
        (CODES * [1e6, 1, 1], [0], "whole numbers from 0 to 99999"),
    ],
)
def test_categorical_features_are_checked(rows, chosen, message):
    with pytest.raises(ValueError, match=message):
        fitted(rows, categorical_features=chosen)


def test_an_unknown_name_of_a_column_is_an_error():
    frame = pd.DataFrame(CODES, columns=["age", "job", "c"])
    with pytest.raises(ValueError, match="got 'jobs'. Did you mean 'job'"):
        fitted(frame, categorical_features=["jobs"])


def test_rows_to_predict_hold_codes():
    net = fitted(CODES, categorical_features=[0, 1])
    with pytest.raises(ValueError, match=r"codes of categories in column 1.*got 0.5"):
        net.predict(CODES[:2] + [0, 0.5 - CODES[0, 1], 0])


def test_a_frame_is_not_changed():
    frame = pd.DataFrame({"colour": COLOURS[CODES[:, 0].astype(int)], "c": CODES[:, 2]})
    before = frame.copy()
    fitted(frame, categorical_features=["colour"]).predict(frame)
    pd.testing.assert_frame_equal(frame, before)


def test_regressors_drop_less():
    auto = {"dense_units": "auto", "dropout": "auto", "epochs": 1}
    few = fitted(*many(200), DenseRegressor, **auto)
    assert (few.dense_units_, few.dropout_) == ((128,), (0.0, 0.3))
    assert fitted(*many(200), **auto).dropout_ == (0.2, 0.5)
