"""Progress of training on the screen: what ``verbose`` asks for.

Each class has ``update(epoch, last, logs)``, called after an epoch, and ``close()``.
"""

import sys

from tqdm.auto import tqdm


def _told(logs):
    return ", ".join(f"{name} {value:.4f}" for name, value in logs.items())


class Silent:
    """Nothing at all."""

    def update(self, epoch, last, logs):
        pass

    def close(self):
        pass


class Lines:
    """A line per epoch on standard output."""

    def update(self, epoch, last, logs):
        print(f"epoch {epoch} of {last}: {_told(logs)}")

    def close(self):
        pass


class Bar:
    """One bar over the epochs, at most ten refreshes a second."""

    def __init__(self, n_epochs):
        self._bar = tqdm(total=n_epochs, desc="fit", unit="epoch", mininterval=0.1)

    def update(self, epoch, last, logs):
        record = {name: f"{value:.4f}" for name, value in logs.items()}
        # Drawn with the next update alone, for each drawing counts as a refresh.
        self._bar.set_postfix(record, refresh=False)
        self._bar.update()

    def close(self):
        self._bar.close()


class LastLine:
    """One line at the end on standard error, where a bar can't be drawn."""

    def __init__(self):
        self._line = None

    def update(self, epoch, last, logs):
        self._line = f"fit: {epoch} of {last} epochs, {_told(logs)}"

    def close(self):
        if self._line is not None:
            print(self._line, file=sys.stderr)


def make_bar(verbose, n_epochs):
    """What shows progress over so many epochs."""
    if not verbose or not n_epochs:
        return Silent()
    if verbose is not True and verbose >= 2:
        return Lines()
    # In a notebook tqdm.auto gives a widget, and elsewhere what draws in a terminal.
    if tqdm.__mro__[1].__module__ == "tqdm.notebook" or sys.stderr.isatty():
        return Bar(n_epochs)
    return LastLine()
