"""Training of several networks through XLA, with a program for each thread.

XLA would run a loop over the networks in one thread.
"""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace

import numpy as np

from skseq._engine import path
from skseq._engine.cache import borrowed
from skseq._engine.weights import assign, values_of


class Apart:
    """Trains the networks of a program apart.

    Parameters
    ----------
    program : skseq._engine.program.Program
        Of several networks.
    recipe : skseq._engine.recipe.Recipe
    rows : skseq._engine.recipe.Rows
    """

    def __init__(self, program, recipe, rows):
        self._program, self._n_networks = program, recipe.n_networks
        self._n_threads = min(recipe.n_networks, path.n_threads())
        self._programs = []
        with ExitStack() as opened:
            for _ in range(self._n_threads):
                one = opened.enter_context(borrowed(replace(recipe, n_networks=1)))
                one.prepare_training(rows)
                one.put_target_scale(recipe)
                self._programs.append(one)
            self._threads = opened.enter_context(ThreadPoolExecutor(self._n_threads))
            self._open = opened.pop_all()

    def close(self):
        """Give back the programs."""
        self._open.close()

    def train_chunk(self, *options):
        """Train each network as `Program.train_chunk` does; return the mean loss."""
        variables = self._program.variables
        arrays = values_of(variables)
        is_stacked = [
            ours.shape != tuple(theirs.shape)
            for ours, theirs in zip(arrays, self._programs[0].variables, strict=True)
        ]
        self._program.holds = None

        def train(k, program):
            state = [
                array[k] if stacked else array
                for array, stacked in zip(arrays, is_stacked, strict=True)
            ]
            assign(program.variables, state)
            loss = program.train_chunk(*options)
            return loss, values_of(program.variables)

        def train_some(i):
            numbers = range(i, self._n_networks, self._n_threads)
            return [(k, train(k, self._programs[i])) for k in numbers]

        parts = self._threads.map(train_some, range(self._n_threads))
        found = dict(one for part in parts for one in part)
        losses, states = zip(*map(found.get, range(self._n_networks)), strict=True)
        changed = [
            np.stack(each) if stacked else each[0]
            for each, stacked in zip(zip(*states, strict=True), is_stacked, strict=True)
        ]
        assign(variables, changed)
        return float(np.mean(losses))
