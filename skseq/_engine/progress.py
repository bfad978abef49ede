"""Progress of training on the screen, as chosen by ``verbose``.

Each class has ``update(epoch, last, logs)``, called after an epoch, and ``close()``.
"""

import importlib.util
import sys


def _text(value):
    if isinstance(value, list):  # a metric with a value for each class
        return "[" + " ".join(map(_text, value)) + "]"
    try:
        return f"{value:.4f}"
    except (TypeError, ValueError):  # from a callback
        return str(value)


def _record(logs):
    return ", ".join(f"{name} {_text(value)}" for name, value in logs.items())


class Silent:
    """No output."""

    def update(self, epoch, last, logs):
        pass

    def close(self):
        pass


class Lines:
    """A line for each epoch on standard output."""

    def update(self, epoch, last, logs):
        print(f"epoch {epoch} of {last}: {_record(logs)}")

    def close(self):
        pass


class Bar:
    """One bar over the epochs, at most ten refreshes a second."""

    def __init__(self, tqdm, n_epochs, title, n_done):
        self._bar = tqdm(
            total=n_epochs, desc=title, unit="epoch", mininterval=0.1, initial=n_done
        )

    def update(self, epoch, last, logs):
        record = {name: _text(value) for name, value in logs.items()}
        # Drawn with the next update, because each drawing counts as a refresh.
        self._bar.set_postfix(record, refresh=False)
        self._bar.update()

    def close(self):
        self._bar.close()


class LastLine:
    """One line at the end on standard error, for output that is no terminal."""

    def __init__(self, title):
        self._title = title
        self._line = None

    def update(self, epoch, last, logs):
        self._line = f"{self._title}: {epoch} of {last} epochs, {_record(logs)}"

    def close(self):
        if self._line is not None:
            print(self._line, file=sys.stderr)


def _in_notebook():
    """Check whether the code runs in a notebook, in a kernel of IPython."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return shell is not None and "IPKernelApp" in shell.config


def choose_tqdm():
    """Choose the class of bars for this terminal or notebook, or None for neither."""
    # Imported late, because tqdm.auto warns in a notebook without widgets.
    if _in_notebook() and importlib.util.find_spec("ipywidgets") is not None:
        from tqdm.notebook import tqdm
    elif _in_notebook() or sys.stderr.isatty():
        from tqdm.std import tqdm
    else:
        return None
    return tqdm


def make_bar(verbose, n_epochs, title="fit", n_done=0):
    """Make an object that shows progress over epochs, under a title.

    ``n_done`` of them were run before.
    """
    if not verbose or not n_epochs:
        return Silent()
    if verbose is not True and verbose >= 2:
        return Lines()
    tqdm = choose_tqdm()
    return LastLine(title) if tqdm is None else Bar(tqdm, n_epochs, title, n_done)
