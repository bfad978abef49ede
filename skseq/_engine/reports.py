"""A callback of Keras that passes the logs of each epoch on."""

from skseq._engine.keras import keras


class EpochReports(keras.callbacks.Callback):
    """Calls an object at the start of a fit, and after each of its epochs.

    It needs no model, and so costs less time than other callbacks.

    Parameters
    ----------
    receiver : object
        Has ``begin(n_epochs)``, which returns a number for the fit, and
        ``report(fit, epoch, logs)``.
    """

    def __init__(self, receiver):
        super().__init__()
        self._receiver = receiver

    def on_train_begin(self, logs=None):
        self._fit = self._receiver.begin(self.params["epochs"])

    def on_epoch_end(self, epoch, logs=None):
        self._receiver.report(self._fit, epoch, logs)
