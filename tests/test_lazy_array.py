"""Arrays in files: HDF5, Zarr, Parquet, and whatever has rows by slices."""

import pickle
import sys

import h5py
import keras
import numpy as np
import pytest
from sklearn.model_selection import (
    GridSearchCV,
    PredefinedSplit,
    cross_val_score,
    train_test_split,
)

import skseq
from estimators import mostly_slow
from skseq import LazyArray, _lazy_array
from skseq._engine import order, reading

N_ROWS = 400


class Rows:
    """The least that X may be."""

    def __init__(self, values):
        self._values = values
        self.shape, self.dtype, self.ndim = values.shape, values.dtype, values.ndim
        self.n_largest, self.n_read = 0, 0

    def __getitem__(self, rows):
        assert isinstance(rows, slice)
        block = self._values[rows]
        self.n_largest = max(self.n_largest, len(block))
        self.n_read += len(block)
        return block.copy()


@pytest.fixture
def little_memory(monkeypatch):
    """Let 100 rows of 40 bytes be what fits into memory."""
    for module, name in (
        (_lazy_array, "IN_MEMORY_BYTES"), (reading, "IN_MEMORY_BYTES"),
        (order, "_SHUFFLED_BYTES"),
    ):  # fmt: skip
        monkeypatch.setattr(module, name, 4000)
    for module in (_lazy_array, order):
        monkeypatch.setattr(module, "_BLOCK_BYTES", 400)
    monkeypatch.setattr(_lazy_array, "_READ_BYTES", 1600)
    monkeypatch.setattr(_lazy_array, "_PASS_BYTES", 1000)


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(N_ROWS, 5, 2))
    return X, (X.sum(axis=(1, 2)) > 0).astype(int)


@pytest.fixture
def hdf5(tmp_path, data):
    """Open an HDF5 file with X in chunks, contiguous and as a table."""
    X, _ = data
    with h5py.File(tmp_path / "X.h5", "w") as file:
        file.create_dataset("chunked", data=X, chunks=(7, 5, 2))
        file.create_dataset("coarse", data=X, chunks=(35, 5, 2))
        file.create_dataset("contiguous", data=X)
        file.create_dataset("table", data=X.reshape(N_ROWS, -1), chunks=(7, 4))
    with h5py.File(tmp_path / "X.h5", "r") as file:
        yield file


def as_zarr(values, tmp_path, chunks):
    zarr = pytest.importorskip("zarr")
    array = zarr.create_array(
        tmp_path / "X.zarr", shape=values.shape, chunks=chunks, dtype=values.dtype
    )
    array[:] = values
    return array


# ---------------------------------------------------------------------- the array

INDICES = [
    slice(None), slice(30, 90, 7), [3], [5, 5, 399, 0, 5], np.arange(400)[::-1],
    np.arange(400) % 3 == 0, [], slice(0, 0), np.array([-1, 0]),
]  # fmt: skip


@pytest.mark.parametrize("chunks", [None, (1, 5, 2), (7, 3, 1), (150, 5, 2)])
@pytest.mark.parametrize("index", INDICES, ids=str)
def test_lazy_array_reads_the_rows_of_an_index(
    tmp_path, data, index, chunks, little_memory
):
    X, _ = data
    with h5py.File(tmp_path / "X.h5", "w") as file:
        lazy = LazyArray(file.create_dataset("X", data=X, chunks=chunks))
        expected = X[np.asarray(index, int) if index == [] else index] if isinstance(
            index, list
        ) else X[index]  # fmt: skip
        assert lazy[index].shape == expected.shape
        np.testing.assert_array_equal(lazy[index], expected)
        np.testing.assert_array_equal(lazy[index][::-1], expected[::-1])
        assert np.asarray(lazy[index], np.float32).dtype == np.float32


def test_lazy_array_gives_arrays_for_single_rows_and_further_axes():
    X = np.arange(24.0).reshape(4, 3, 2)
    lazy = LazyArray(Rows(X))
    np.testing.assert_array_equal(lazy[2], X[2])
    np.testing.assert_array_equal(lazy[-1, 1], X[-1, 1])
    np.testing.assert_array_equal(lazy[1:, :, 0], X[1:, :, 0])
    assert isinstance(lazy[1:, :], LazyArray)
    assert isinstance(lazy[..., :], LazyArray)
    np.testing.assert_array_equal(lazy[1:, np.array([0, 2])], X[1:, [0, 2]])
    with pytest.raises(TypeError, match="integer"):
        lazy[1.5]
    with pytest.raises(IndexError, match="1-D index"):
        lazy[[[0, 1]]]
    with pytest.raises(IndexError, match="There are 4 rows, got index 4"):
        lazy[4]


def test_lazy_array_reads_each_block_once():
    X = np.arange(30_000.0).reshape(-1, 3)
    rows = Rows(X)
    index = np.random.default_rng(0).permutation(len(X))
    np.testing.assert_array_equal(LazyArray(rows)[index], X[index])
    assert rows.n_read == len(X)


def test_lazy_array_takes_chunks_of_unequal_sizes():
    rows = Rows(np.arange(12.0).reshape(6, 2))
    rows.chunks = (1, 3, 2), (2,)
    starts, _ = LazyArray(rows).block_starts()
    np.testing.assert_array_equal(np.asarray(LazyArray(rows)), rows[:])
    assert set(starts) <= {0, 1, 4}


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        ([[1.0]], TypeError, "must be an object with shape, dtype and ndim.*got list"),
        (np.zeros(3), ValueError, r"data must have the shape .*got \(3,\)"),
        (np.array([["a"]]), TypeError, "data must hold numbers, got dtype <U1"),
        (np.array([[None]]), TypeError, "data must hold numbers, got dtype object"),
    ],
)
def test_lazy_array_says_what_it_takes(values, error, message):
    with pytest.raises(error, match=message):
        LazyArray(values)


def test_lazy_array_of_hdf5_is_pickled_by_name(hdf5, data):
    X = pickle.loads(pickle.dumps(LazyArray(hdf5["chunked"])[[4, 2]]))
    np.testing.assert_array_equal(X, data[0][[4, 2]])
    X.data.file.close()


def test_lazy_array_of_a_file_that_is_written_is_not_pickled(tmp_path):
    with h5py.File(tmp_path / "X.h5", "w") as file:
        X = LazyArray(file.create_dataset("X", data=np.zeros((3, 2))))
        with pytest.raises(ValueError, match="got mode 'r[+]'.*'r'.*threading"):
            pickle.dumps(X)


def test_lazy_array_of_zarr_is_pickled(tmp_path, data):
    X = LazyArray(as_zarr(data[0], tmp_path, (7, 5, 2)))[[4, 2]]
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(X)), data[0][[4, 2]])


# ----------------------------------------------------------------------- networks


@pytest.mark.parametrize(
    ("name", "stored"),
    [
        ("DenseClassifier", "chunked"),
        ("Conv1DClassifier", "contiguous"),
        ("LSTMRegressor", "rows"),
        ("DenseClassifier", "zarr"),
    ],
)
def test_array_in_a_file_gives_the_bits_of_a_memmap(
    name, stored, hdf5, tmp_path, data, little_memory
):
    X, y = data
    memmap = np.memmap(tmp_path / "X.dat", np.float32, "w+", shape=X.shape)
    memmap[:] = X
    if stored == "zarr":
        lazy = as_zarr(X, tmp_path, (7, 5, 2))
    else:
        lazy = Rows(X) if stored == "rows" else hdf5[stored]
    plain, read = (
        getattr(skseq, name)(
            epochs=2, early_stopping=stored != "rows", random_state=0
        ).fit(one, y, X_val=one[:50] if stored == "rows" else None,
              y_val=y[:50] if stored == "rows" else None)
        for one in (memmap, lazy)
    )  # fmt: skip
    assert plain.history_ == read.history_
    for one in (memmap, lazy, LazyArray(lazy)[::-1]):
        expected = plain.predict(X[::-1] if isinstance(one, LazyArray) else X)
        np.testing.assert_allclose(read.predict(one), expected, atol=1e-6)
    np.testing.assert_array_equal(read.predict(lazy), plain.predict(memmap))


def test_array_is_never_in_memory_as_a_whole(data, little_memory):
    X, y = data
    rows = Rows(X)
    network = skseq.Conv1DClassifier(
        (4,), epochs=2, early_stopping=True, monitor="roc_auc", random_state=0
    )
    network.fit(rows, y, sample_weight=1.0 + y)
    network.set_params(early_stopping=False).partial_fit(rows, y)
    network.predict_proba(rows)
    assert 0 < rows.n_largest <= 100


def test_coarse_chunks_are_shuffled_as_a_whole(hdf5, data, little_memory):
    X, y = data
    rows = Rows(X)
    rows.chunks = hdf5["coarse"].chunks
    network = skseq.DenseClassifier((4,), epochs=1, random_state=0, n_timesteps=None)
    network.fit(rows, y)
    n_before = rows.n_read
    network.set_params(epochs=4).fit(rows, y)
    # Each further epoch reads each row once.
    assert rows.n_read - 2 * n_before == 3 * N_ROWS
    other = skseq.DenseClassifier((4,), epochs=1, random_state=0).fit(hdf5["coarse"], y)
    first = skseq.DenseClassifier((4,), epochs=1, random_state=0).fit(rows, y)
    np.testing.assert_array_equal(other.predict_proba(X), first.predict_proba(X))


def test_order_of_blocks_has_every_row_once(monkeypatch):
    monkeypatch.setattr(order, "_BLOCK_BYTES", 40)
    monkeypatch.setattr(order, "_SHUFFLED_BYTES", 60)
    starts = np.array([0, 4, 5, 30, 80])
    places = np.random.default_rng(1).permutation(100)
    rng = np.random.default_rng(0)
    parts = order._shuffled_blocks(places, starts, 100, 1, rng)
    assert sorted(np.concatenate(parts)) == list(range(100))
    of_block = np.searchsorted(starts, np.argsort(places), side="right")
    for part in parts:
        # Whole blocks, of at most 30 rows together unless it is one.
        blocks, counts = np.unique(of_block[part], return_counts=True)
        sizes = np.diff(starts, append=100)[blocks - 1]
        np.testing.assert_array_equal(counts, sizes)
        assert len(part) <= 30 or len(blocks) == 1


def test_fit_on_a_file_goes_on_from_a_checkpoint(hdf5, data, little_memory, tmp_path):
    _, y = data

    class Stop(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 1 and (tmp_path / "stop").exists():
                raise KeyboardInterrupt

    params = {"epochs": 3, "random_state": 0, "callbacks": Stop()}
    X, X_val = hdf5["coarse"], hdf5["chunked"]
    plain = skseq.DenseClassifier((4,), **params).fit(X, y, X_val=X_val, y_val=y)
    (tmp_path / "stop").touch()
    network = skseq.DenseClassifier(
        (4,), **params, checkpoint=tmp_path / "fits", checkpoint_epochs=1
    )
    with pytest.raises(KeyboardInterrupt):
        network.fit(X, y, X_val=X_val, y_val=y)
    (tmp_path / "stop").unlink()
    network.fit(X, y, X_val=X_val, y_val=y)
    assert network.history_ == plain.history_


def test_table_in_a_file_is_folded(hdf5, data, little_memory):
    X, y = data
    params = {"epochs": 1, "n_timesteps": 5, "random_state": 0}
    table = np.asarray(hdf5["table"], np.float32)
    plain = skseq.GRUClassifier(4, **params).fit(table, y)
    read = skseq.GRUClassifier(4, **params).fit(hdf5["table"], y)
    assert read.n_features_in_ == 10
    np.testing.assert_array_equal(
        read.predict_proba(hdf5["table"]), plain.predict_proba(table)
    )


def test_categories_of_a_table_in_a_file(little_memory):
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.integers(4, size=N_ROWS), rng.normal(size=N_ROWS)])
    X, y = np.tile(X, 5), (X[:, 0] > 1).astype(int)
    params = {"categorical_features": [0, 2], "epochs": 2, "random_state": 0}
    plain = skseq.DenseClassifier(**params).fit(X.astype(np.float32), y)
    read = skseq.DenseClassifier(**params).fit(Rows(X), y)
    np.testing.assert_array_equal(read.predict_proba(Rows(X)), plain.predict_proba(X))
    X[350, 2] = 0.5
    with pytest.raises(ValueError, match="column 2.* got 0.5 in row 350"):
        skseq.DenseClassifier(**params).fit(Rows(X), y)


@pytest.mark.parametrize("mask_value", [0.0, np.nan])
def test_padding_of_rows_in_a_file(data, little_memory, mask_value):
    X, y = data[0].astype(np.float32), data[1]
    X[::3, 3:] = mask_value
    params = {"mask_value": mask_value, "epochs": 1, "random_state": 0}
    plain = skseq.GRUClassifier(4, **params).fit(X, y)
    read = skseq.GRUClassifier(4, **params).fit(Rows(X), y)
    np.testing.assert_array_equal(read.predict_proba(Rows(X)), plain.predict_proba(X))
    if np.isnan(mask_value):
        X[311, 1, 0] = np.nan
        with pytest.raises(ValueError, match=r"NaN in some features.*X\[311\]"):
            read.predict(Rows(X))


@pytest.mark.parametrize(
    "dtype", mostly_slow([np.float64, np.float32, np.int16], np.float32)
)
def test_autoencoder_reads_rows_in_a_file(data, little_memory, dtype):
    X = (10 * data[0]).astype(dtype)
    params = {"n_components": 2, "epochs": 1, "random_state": 0}
    plain = skseq.AutoencoderTransformer(**params).fit(X)
    rows = Rows(X)
    read = skseq.AutoencoderTransformer(**params).fit(rows)
    np.testing.assert_array_equal(read.transform(rows), plain.transform(X))
    np.testing.assert_array_equal(
        read.partial_fit(rows).sample(3, random_state=0),
        plain.partial_fit(X).sample(3, random_state=0),
    )
    assert rows.n_largest <= 100


@pytest.mark.parametrize("little", [False, True])
def test_searches_and_splits_read_nothing(data, request, little):
    X, y = data
    if little:
        request.getfixturevalue("little_memory")
    rows = Rows(X)
    lazy = LazyArray(rows)
    network = skseq.DenseClassifier((4,), epochs=1, random_state=0)
    train, test, y_train, _ = train_test_split(lazy, y, random_state=0)
    assert isinstance(train, LazyArray)
    assert rows.n_read == 0
    network.fit(train, y_train).predict(test)
    scores = cross_val_score(network, lazy, y, cv=2, error_score="raise")
    if not little:
        expected = cross_val_score(network, X, y, cv=2)
        np.testing.assert_array_equal(scores, expected)
    search = GridSearchCV(network, {"epochs": [1, 2]}, cv=2, error_score="raise")
    search.fit(lazy, y)
    if little:
        assert rows.n_largest <= 100


def test_rows_in_another_order_are_read_in_that_of_the_file(data, little_memory):
    X, y = data
    mixed = np.random.default_rng(0).permutation(N_ROWS)
    weights = 1.0 + np.arange(N_ROWS) % 2
    network = skseq.DenseClassifier((4,), epochs=2, random_state=0)
    sorted_ = network.fit(Rows(X), y, sample_weight=weights).predict_proba(X)
    lazy = LazyArray(Rows(X))[mixed]
    network.fit(lazy, y[mixed], sample_weight=weights[mixed])
    np.testing.assert_array_equal(network.predict_proba(X), sorted_)
    np.testing.assert_allclose(network.predict_proba(lazy), sorted_[mixed], atol=1e-6)


def test_splitter_gets_rows_in_the_order_of_the_caller(data, little_memory):
    X, y = data
    mixed = np.random.default_rng(0).permutation(N_ROWS)
    lazy = LazyArray(Rows(X))[mixed]
    y = np.where(np.arange(N_ROWS) < 300, y, 1000.0)
    split = PredefinedSplit(np.where(np.arange(N_ROWS) < 300, -1, 0))
    network = skseq.DenseRegressor(
        (4,), epochs=1, early_stopping=True, validation_split=split, scale_target=False
    )
    network.fit(lazy, y)
    assert network.history_["val_loss"][0] > 1e5 > network.history_["loss"][0]


def test_error_names_the_row_of_the_caller(data, little_memory):
    X, y = data
    bad = X.copy()
    bad[321, 2, 1] = np.nan
    lazy = LazyArray(Rows(bad))[::-1]
    with pytest.raises(ValueError, match=rf"X\[{N_ROWS - 1 - 321}\]"):
        skseq.DenseClassifier((4,), epochs=1).fit(lazy, y)


def test_row_of_padding_alone_is_named(data, little_memory):
    X, y = data
    X = X.copy()
    X[37] = 0
    with pytest.raises(ValueError, match=r"padding"):
        skseq.GRUClassifier(4, mask_value=0.0, epochs=1).fit(LazyArray(Rows(X)), y)


def test_pretraining_reads_rows_in_a_file(data, little_memory):
    X, y = data
    autoencoder = skseq.AutoencoderTransformer(
        2, kind="lstm", layer_sizes=(4,), epochs=1, random_state=0
    )
    network = skseq.LSTMClassifier(4, pretrained=autoencoder, epochs=1, random_state=0)
    read = network.fit(Rows(X), y).predict_proba(X)
    np.testing.assert_allclose(
        read, network.fit(X.astype(np.float32), y).predict_proba(X), atol=1e-5
    )


# ---------------------------------------------------------------------- bad input


def with_value(X, value):
    X = X.copy()
    X[321, 2, 1] = value
    return X


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda X: with_value(X, np.nan), ValueError, r"missing.*NaN in X\[321\]"),
        (lambda X: with_value(X, 1e39), ValueError, r"too large.* in X\[321\]"),
        (lambda X: X[:, :4], ValueError, "expecting 5 timesteps"),
        (lambda X: X[:, :, 0], ValueError, "must have 3 dimensions"),
        (lambda X: X[..., None], ValueError, "must have 2 dimensions.* got 4"),
        (lambda X: X.astype("S8"), TypeError, "must hold numbers, got dtype .S8"),
    ],
    ids=["nan", "large", "timesteps", "table", "four", "text"],
)
def test_bad_rows_in_a_file_leave_the_network_as_it_is(
    data, little_memory, change, error, message
):
    X, y = data
    network = skseq.DenseClassifier((4,), epochs=1, random_state=0).fit(Rows(X), y)
    before = dict(vars(network))
    with pytest.raises(error, match=message):
        network.set_params(warm_start=True).fit(Rows(change(X)), y)
    with pytest.raises(error, match=message):
        network.predict(Rows(change(X)))
    assert vars(network) == {**before, "warm_start": True}


def test_closed_file_is_an_error(tmp_path, data):
    X, y = data
    file = h5py.File(tmp_path / "X.h5", "w")
    dataset = file.create_dataset("X", data=X)
    lazy = LazyArray(dataset)
    file.close()
    network = skseq.DenseClassifier((4,), epochs=1)
    with pytest.raises(ValueError, match="X can't be read.*closed"):
        network.fit(dataset, y)
    with pytest.raises(ValueError, match="must be open"):
        network.fit(lazy, y)


def test_file_that_becomes_shorter_is_an_error(tmp_path, data, little_memory):
    X, y = data
    with h5py.File(tmp_path / "X.h5", "w") as file:
        dataset = file.create_dataset("X", data=X, maxshape=(None, 5, 2))
        lazy = LazyArray(dataset)
        dataset.resize(350, axis=0)
        network = skseq.DenseClassifier((4,), epochs=1)
        with pytest.raises(ValueError, match="400 rows as before, got 350"):
            network.fit(lazy, y)
        assert not hasattr(network, "n_iter_")


# ------------------------------------------------------------------------ Parquet


def test_missing_pyarrow_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(ImportError, match="^open_parquet needs pyarrow: pip install p"):
        skseq.open_parquet("rows.parquet")


@pytest.fixture
def parquet():
    pytest.importorskip("pyarrow.parquet", exc_type=ImportError)
    import pyarrow.parquet

    return pyarrow.parquet


@pytest.fixture
def folder(parquet, tmp_path, data):
    """Two Parquet files with row groups of 30 rows, and labels."""
    import pyarrow as pa

    X, y = data
    table = dict(zip(COLUMNS, X.reshape(N_ROWS, -1).T, strict=True))
    table = pa.table({"id": [str(i) for i in range(N_ROWS)], **table, "label": y})
    folder = tmp_path / "rows"
    folder.mkdir()
    parquet.write_table(table[:230], folder / "part-0.parquet", row_group_size=30)
    parquet.write_table(table[230:], folder / "part-1.parquet", row_group_size=30)
    return folder


COLUMNS = [f"x{i}" for i in range(10)]


def test_parquet_columns_are_an_array(folder, data, little_memory):
    X = data[0].reshape(N_ROWS, -1)
    lazy = skseq.open_parquet(folder, COLUMNS)
    assert lazy.data.chunks == ((30,) * 7 + (20,) + (30,) * 5 + (20,), (10,))
    index = [399, 0, 229, 230, 0]
    np.testing.assert_array_equal(lazy[index], X[index])
    np.testing.assert_array_equal(lazy[25:245], X[25:245])
    paths = [folder / "part-1.parquet", str(folder / "part-0.parquet")]
    two = skseq.open_parquet(paths, COLUMNS[:2][::-1])
    np.testing.assert_array_equal(two, X[np.r_[230:400, :230], 1::-1])
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(two)), two)


def test_network_reads_parquet(folder, data, little_memory):
    X, y = data
    lazy = skseq.open_parquet(folder, COLUMNS)
    network = skseq.GRUClassifier(4, n_timesteps=5, epochs=2, random_state=0)
    network.fit(lazy, y)
    assert network.feature_names_in_.tolist() == COLUMNS
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X.reshape(N_ROWS, -1), columns=COLUMNS)
    np.testing.assert_array_equal(
        network.predict_proba(lazy), network.predict_proba(frame)
    )
    # As the same rows in chunks of the same sizes.
    rows = Rows(X.reshape(N_ROWS, -1))
    rows.chunks = lazy.data.chunks
    other = skseq.GRUClassifier(4, n_timesteps=5, epochs=2, random_state=0)
    assert other.fit(rows, y).history_ == network.history_


def test_partial_fit_over_the_batches_of_parquet(folder, data):
    dataset = pytest.importorskip("pyarrow.dataset", exc_type=ImportError)
    X, y = data[0].reshape(N_ROWS, -1), data[1]
    read, plain = (
        skseq.DenseClassifier((4,), random_state=0, batch_size=16) for _ in range(2)
    )
    for batch in dataset.dataset(folder).to_batches(batch_size=10**6):
        frame = batch.to_pandas()
        read.partial_fit(frame[COLUMNS].to_numpy(), frame["label"], classes=[0, 1])
    for start, stop in zip(
        [*range(0, 230, 30), *range(230, 400, 30)],
        [*range(30, 230, 30), 230, *range(260, 400, 30), 400],
        strict=True,
    ):
        plain.partial_fit(X[start:stop], y[start:stop], classes=[0, 1])
    np.testing.assert_array_equal(read.predict_proba(X), plain.predict_proba(X))


def test_parquet_says_which_column_is_bad(folder, parquet):
    import pyarrow as pa

    with pytest.raises(ValueError, match="got 'x99', which is there 0 times"):
        skseq.open_parquet(folder, ["x0", "x99"])
    with pytest.raises(ValueError, match="numbers, got 'id' of type string"):
        skseq.open_parquet(folder)
    with pytest.raises(FileNotFoundError, match=r"ends in \.parquet"):
        skseq.open_parquet(folder.parent)
    table = pa.table({"x0": pa.array([1, None]), "x1": pa.array([0.5, None])})
    parquet.write_table(table, folder / "part-2.parquet")
    with pytest.raises(ValueError, match="'x0' of float64 in .*part-0.*int64 in"):
        skseq.open_parquet(folder, ["x0"])
    one = skseq.open_parquet(folder / "part-2.parquet", ["x0", "x1"])
    np.testing.assert_array_equal(one, [[1, 0.5], [np.nan, np.nan]])
    with pytest.raises(ValueError, match="'x0' of whole numbers.*got 1"):
        skseq.open_parquet(folder / "part-2.parquet", ["x0"]).read()


def test_parquet_file_that_changes_is_an_error(folder, data):
    X = skseq.open_parquet(folder, COLUMNS)
    with open(folder / "part-1.parquet", "ab") as file:
        file.write(b"x")
    np.testing.assert_array_equal(X[:230], data[0].reshape(N_ROWS, -1)[:230])
    with pytest.raises(OSError, match=r"part-1\.parquet has changed"):
        np.asarray(X)
