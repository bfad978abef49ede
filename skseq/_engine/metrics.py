"""Keras metrics that are computed during training."""

import re

from skseq._engine.keras import is_keras, keras
from skseq._engine.names import snake_case
from skseq._engine.stored import copied
from skseq._validation import nearest

# The constraint of the parameter ``metrics``.
METRICS = [str, list, tuple, keras.metrics.Metric, callable, None]

# Keras resolves these by the shape of the target.
_WORDS = ("accuracy", "acc")


def check_metrics(metrics):
    """Validate ``metrics`` and return them as a tuple.

    Parameters
    ----------
    metrics : None, str, keras.metrics.Metric, callable, or list or tuple of those
    """
    if metrics is None:
        return ()
    if not isinstance(metrics, (list, tuple)):
        metrics = (metrics,)
    for metric in metrics:
        if isinstance(metric, str):
            if metric in _WORDS:
                continue
            try:
                keras.metrics.get(metric)
            except ValueError as error:
                names = [snake_case(n) for n in dir(keras.metrics) if n[0] != "_"]
                raise ValueError(
                    f"metrics must be names of Keras metrics, got {metric!r}."
                    f"{nearest(metric, [*_WORDS, *names])}"
                ) from error
        elif not isinstance(metric, keras.metrics.Metric) and not callable(metric):
            raise TypeError(
                f"metrics must be names, functions or keras.metrics.Metric objects, "
                f"got {metric!r}."
            )
        if _name_of(metric) == "loss":
            raise ValueError(
                f"metrics must not be named 'loss', which is the name of the loss in "
                f"history_, got {metric!r}. Give it another name."
            )
    return tuple(metrics)


def make_metrics(metrics):
    """Make metrics to compile a model with, from the result of `check_metrics`.

    Metric objects are copied, because training changes them.
    """
    return [_new_metric(metric) for metric in metrics] or None


def _new_metric(metric):
    if isinstance(metric, keras.metrics.Metric):
        return copied(metric)
    if isinstance(metric, str) or is_keras(metric):
        return metric
    return keras.metrics.MeanMetricWrapper(metric, name=_name_of(metric))


def _name_of(metric):
    if isinstance(metric, str):
        return metric
    if isinstance(metric, keras.metrics.Metric):
        return metric.name
    # TensorFlow does not accept the name of a lambda.
    return re.sub(r"\W+", "", getattr(metric, "__name__", type(metric).__name__))
