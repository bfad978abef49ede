"""Compare the time of a training epoch with the same loop in PyTorch.

Both libraries use the same data, batch size, optimizer (Adam), loss and number of
threads. Both hold the rows in memory, and shuffle them in each epoch. The time of an
epoch is computed from the difference between a fit of many epochs and one of few, so
that work that `fit` does once is not included. The two take turns. The script prints
medians and their ratios, for the plain path and for XLA.

    python benchmarks/epochs.py            all networks
    python benchmarks/epochs.py lstm gru   networks whose name contains one of the words
"""

import argparse
import time

import numpy as np
import torch

import skseq

LINES = {
    # name: estimator, parameters, (rows, steps, features), whether to measure XLA too
    "LSTM 32 units, 569 rows": ("LSTM", {"units": 32}, (569, 30, 1), False),
    "LSTM 32 units, 5,000 rows": ("LSTM", {"units": 32}, (5000, 30, 1), True),
    "LSTM 32 units, 5,000 rows, balanced batches": (
        "LSTM", {"units": 32, "balanced_batches": True}, (5000, 30, 1), False,
    ),
    "LSTM 64 units, 8 features": ("LSTM", {"units": 64}, (2000, 30, 8), True),
    "LSTM 128 units, 8 features": ("LSTM", {"units": 128}, (2000, 30, 8), True),
    "LSTM bidirectional, 32 units": (
        "LSTM", {"units": 32, "bidirectional": True}, (2000, 30, 1), False,
    ),
    "LSTM two layers, 32 units": ("LSTM", {"units": (32, 32)}, (2000, 30, 1), True),
    "GRU 32 units": ("GRU", {"units": 32}, (2000, 30, 1), True),
    "SimpleRNN 32 units": ("SimpleRNN", {"units": 32}, (2000, 30, 1), True),
    "Dense 300-300": ("Dense", {"dense_units": (300, 300)}, (2000, 30, 1), True),
    "Conv1D 64-64": ("Conv1D", {"kernel_size": 5}, (1000, 128, 9), True),
}  # fmt: skip


class Network(torch.nn.Module):
    """Build the same layers in PyTorch, with one logit from the last output."""

    def __init__(self, kind, params, n_steps, n_features):
        super().__init__()
        self.kind = kind
        if kind in ("LSTM", "GRU", "SimpleRNN"):
            units = params["units"]
            layers = len(units) if isinstance(units, tuple) else 1
            width = units[0] if isinstance(units, tuple) else units
            cell = torch.nn.RNN if kind == "SimpleRNN" else getattr(torch.nn, kind)
            both = params.get("bidirectional", False)
            self.body = cell(
                n_features, width, layers, batch_first=True, bidirectional=both
            )
            self.head = torch.nn.Linear(width * (1 + both), 1)
        elif kind == "Dense":
            first, second = params["dense_units"]
            self.body = torch.nn.Sequential(
                torch.nn.Flatten(), torch.nn.Linear(n_steps * n_features, first),
                torch.nn.ReLU(), torch.nn.Linear(first, second), torch.nn.ReLU(),
            )  # fmt: skip
            self.head = torch.nn.Linear(second, 1)
        else:
            self.body = torch.nn.Sequential(
                torch.nn.Conv1d(n_features, 64, 5, padding="same"), torch.nn.ReLU(),
                torch.nn.Conv1d(64, 64, 5, padding="same"), torch.nn.ReLU(),
            )  # fmt: skip
            self.head = torch.nn.Linear(64, 1)

    def forward(self, x):
        if self.kind == "Conv1D":
            return self.head(self.body(x.transpose(1, 2)).amax(2))
        if self.kind == "Dense":
            return self.head(self.body(x))
        return self.head(self.body(x)[0][:, -1])


def torch_fit(network, X, y, epochs, batch_size=32):
    """Train with the usual loop of PyTorch."""
    optimizer = torch.optim.Adam(network.parameters(), 0.005)
    loss_of = torch.nn.BCEWithLogitsLoss()
    for _ in range(epochs):
        order = torch.randperm(len(X))
        for start in range(0, len(X), batch_size):
            rows = order[start : start + batch_size]
            optimizer.zero_grad()
            loss_of(network(X[rows]), y[rows]).backward()
            optimizer.step()


def seconds(function, *args):
    start = time.perf_counter()
    function(*args)
    return time.perf_counter() - start


def data(shape):
    rng = np.random.default_rng(0)
    X = rng.normal(size=shape).astype(np.float32)
    return X, (X.sum((1, 2)) > 0).astype(np.int64)


def measure(name, repeats=5):
    """Measure the median milliseconds per step in PyTorch, the plain path and XLA.

    Returns
    -------
    times : dict of str to float
        Times of ``"PyTorch"``, ``"plain"`` and, if it is measured, ``"XLA"``.
    """
    kind, params, shape, with_xla = LINES[name]
    X, y = data(shape)
    tensors = torch.tensor(X), torch.tensor(y, dtype=torch.float32)[:, None]
    network = Network(kind, params, *shape[1:])
    if kind in ("LSTM", "GRU", "SimpleRNN"):
        params = {**params, "pooling": "last"}
    estimator = getattr(skseq, f"{kind}Classifier")(**params, random_state=0)
    few, many = 1, 1 + max(2, 8000 // shape[0])

    def ours(xla):
        def fit(epochs):
            skseq.set_jit_compile(xla)
            estimator.set_params(epochs=epochs).fit(X, y)

        return fit

    fits = {"PyTorch": lambda epochs: torch_fit(network, *tensors, epochs)}
    fits["plain"] = ours(False)
    if with_xla:
        fits["XLA"] = ours(True)
    times = {way: [] for way in fits}
    for fit in fits.values():
        fit(few)
    for _ in range(repeats):
        for way, fit in fits.items():
            short = seconds(fit, few)
            long = seconds(fit, many)
            times[way].append((long - short) / (many - few))
    skseq.set_jit_compile("auto")
    n_steps = -(-shape[0] // 32)
    return {way: 1e3 * np.median(found) / n_steps for way, found in times.items()}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("words", nargs="*")
    words = [word.lower() for word in parser.parse_args().words]
    torch.set_num_threads(2)
    for name in LINES:
        if words and not any(word in name.lower() for word in words):
            continue
        times = measure(name)
        found = [
            f"{way} {ms:.2f} (ratio {ms / times['PyTorch']:.2f})"
            for way, ms in times.items()
            if way != "PyTorch"
        ]
        print(
            f"{name:43s} ms per step: PyTorch {times['PyTorch']:.2f}, "
            + ", ".join(found),
            flush=True,
        )
