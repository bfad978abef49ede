"""The types of parameters, for annotations."""

from collections.abc import Callable
from typing import Any, TypeAlias

from skseq._engine.keras import keras

Optimizer: TypeAlias = (
    str | keras.optimizers.Optimizer | type[keras.optimizers.Optimizer] | None
)
LearningRate: TypeAlias = float | keras.optimizers.schedules.LearningRateSchedule | None
Loss: TypeAlias = str | keras.losses.Loss | Callable[..., Any] | None
Metric: TypeAlias = str | keras.metrics.Metric | Callable[..., Any]
Metrics: TypeAlias = Metric | list[Metric] | tuple[Metric, ...] | None
Callback: TypeAlias = keras.callbacks.Callback
Callbacks: TypeAlias = Callback | list[Callback] | tuple[Callback, ...] | None
Activation: TypeAlias = (
    str | dict[str, Any] | keras.layers.Layer | Callable[..., Any] | None
)
Activations: TypeAlias = Activation | list[Activation] | tuple[Activation, ...]
Model: TypeAlias = keras.Model
