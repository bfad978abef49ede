"""Keras models of a recipe, of Keras' own layers, for users and for callbacks."""

import numpy as np

from skseq._engine.keras import DTYPE, keras
from skseq._engine.losses import make_loss
from skseq._engine.metrics import make_metrics
from skseq._engine.optimizers import make_optimizer


def new_optimizer_of(recipe):
    """Make a new optimizer of a recipe."""
    return make_optimizer(
        recipe.optimizer, recipe.learning_rate, recipe.optimizer_params
    )


def compiled(model, recipe):
    """Compile a model of a recipe's network as Keras does, and return it."""
    model.compile(
        optimizer=new_optimizer_of(recipe),
        loss=make_loss(recipe.loss, recipe.loss_params),
        metrics=make_metrics(recipe.metrics),
        jit_compile=False,
    )
    return model


def whole_model(recipe):
    """Build a network with Keras' own layers, whose outputs have the target's units."""
    model = recipe.network.build()
    if recipe.n_networks > 1:
        model = _averaged_model(model, recipe)
    if recipe.target_scale is None:
        return model
    n_each = recipe.network.n_outputs // len(recipe.target_scale[0])
    shift, scale = (np.repeat(part, n_each).tolist() for part in recipe.target_scale)
    rescaling = keras.layers.Rescaling(scale, shift, dtype=DTYPE, name="rescaling")
    return keras.Model(model.input, rescaling(model.output), name=model.name)


def _averaged_model(first, recipe):
    """Build a model that averages the outputs of several networks."""
    more = [recipe.network.build() for _ in range(recipe.n_networks - 1)]
    inputs = keras.Input(first.input_shape[1:], name=first.inputs[0].name, dtype=DTYPE)
    outputs = [
        keras.Model(model.input, model.output, name=f"network_{i + 1}")(inputs)
        for i, model in enumerate([first, *more])
    ]
    average = keras.layers.Average(name="average", dtype=DTYPE)
    return keras.Model(inputs, average(outputs), name=first.name)
