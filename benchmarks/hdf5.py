"""Train on a memmap, on HDF5 datasets with several chunks, and on a Zarr array.

Each holds the same float32 rows of 24 timesteps and 10 features. The script measures
one epoch of a small convolutional network after all checks, in a new process each:
seconds, seconds of all cores in use, their ratio to the memmap, and the peak of
anonymous memory above the start (RssAnon, only on Linux). A checksum of the weights
shows which storages give the same bits: all whose chunks have at most 256 kB.

    python benchmarks/hdf5.py                  with 2 GB
    python benchmarks/hdf5.py --gigabytes 0.5
"""

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from memory import Measured

SHAPE = (24, 10)
ROW_BYTES = 4 * 240

# Rows of a chunk; None: contiguous; True: as h5py chooses.
CHUNKS = {
    "HDF5, contiguous": None,
    "HDF5, chunks of 60 kB": 64,
    "HDF5, chunks of 8 MB": 2**23 // ROW_BYTES,
    "HDF5, chunks by h5py": True,
}


def blocks(n_rows):
    rng = np.random.default_rng(0)
    for start in range(0, n_rows, 2**14):
        n = min(2**14, n_rows - start)
        yield slice(start, start + n), rng.standard_normal((n, *SHAPE), np.float32)


def opened(name, folder, n_rows, mode):
    shape = n_rows, *SHAPE
    if name == "memmap":
        mode = "w+" if mode == "w" else "r"
        return np.memmap(folder / "X.dat", np.float32, mode, shape=shape)
    if name.startswith("Zarr"):
        import zarr

        if mode == "r":
            return zarr.open_array(folder / "X.zarr", mode="r")
        chunks = 2**23 // ROW_BYTES, *SHAPE
        return zarr.create_array(
            folder / "X.zarr", shape=shape, chunks=chunks, dtype="f4"
        )
    import h5py

    file = h5py.File(folder / "X.h5", mode)
    if mode == "r":
        return file["X"]
    rows = CHUNKS[name]
    chunks = rows if rows in (None, True) else (rows, *SHAPE)
    return file.create_dataset("X", shape, "f4", chunks=chunks)


def run(name, folder, n_rows):
    import skseq

    y = np.random.default_rng(1).integers(2, size=n_rows).astype(np.int8)
    network = skseq.Conv1DClassifier((16,), epochs=1, batch_size=512, random_state=0)
    network.fit(np.zeros((512, *SHAPE), np.float32), y[:512])
    X = opened(name, Path(folder), n_rows, "r")
    start = time.process_time()
    with Measured() as measured:
        network.fit(X, y)
    of_cores = time.process_time() - start
    digest = hashlib.sha256()
    for weight in network.model_.get_weights():
        digest.update(weight.tobytes())
    print(
        json.dumps(
            [measured.seconds, of_cores, measured.megabytes, digest.hexdigest()[:8]]
        )
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gigabytes", type=float, default=2.0)
    parser.add_argument("--folder", help="where the files are written")
    parser.add_argument("--call", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.call:
        name, folder, n_rows = options.call
        run(name, folder, int(n_rows))
        sys.exit()
    n_rows, first = int(options.gigabytes * 2**30 / ROW_BYTES), None
    for name in ("memmap", *CHUNKS, "Zarr, chunks of 8 MB"):
        with tempfile.TemporaryDirectory(dir=options.folder) as folder:
            X = opened(name, Path(folder), n_rows, "w")
            for rows, values in blocks(n_rows):
                X[rows] = values
            if name.startswith("HDF5"):
                X.file.close()
            del X
            result = subprocess.run(
                [sys.executable, __file__, "--call", name, folder, str(n_rows)],
                check=True, stdout=subprocess.PIPE, text=True,
            )  # fmt: skip
        seconds, of_cores, megabytes, digest = json.loads(result.stdout)
        first = first or of_cores
        print(
            f"{name}: {seconds:.1f} s, {of_cores:.1f} s of cores, "
            f"{of_cores / first:.2f} of memmap, {megabytes:.0f} MB above start, "
            f"weights {digest}",
            flush=True,
        )
