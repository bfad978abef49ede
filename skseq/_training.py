"""The conversion of files of earlier versions; those of 0.1 look for classes here."""

from dataclasses import fields, replace

from skseq._engine.networks import (
    Autoencoder,
    Convolutional,
    Dense,
    Head,
    Recurrent,
)
from skseq._engine.recipe import Recipe, State

__all__ = ["Recipe", "State", "upgraded"]

_FAMILIES = {
    "recurrent": Recurrent,
    "convolutional": Convolutional,
    "dense": Dense,
    "autoencoder": Autoencoder,
}


def upgraded(state):
    """Convert the state of an estimator that an earlier version has saved."""
    recipe = state.get("_recipe")
    if recipe is not None and isinstance(recipe.network, dict):
        state["_recipe"] = replace(recipe, network=_network(recipe.network))
    if "schedule" not in state:
        # As before version 0.5.
        state |= {"schedule": None, "weight_decay": None, "per_row": None}
        if recipe is not None and state["learning_rate"] is None:
            state["learning_rate"] = recipe.rate
    return state


def _network(options, n_timesteps=None, n_features=None):
    """Make a network from the dict that described it in version 0.1."""
    options = dict(options)
    family = _FAMILIES[options.pop("family")]
    options.setdefault("n_timesteps", n_timesteps)
    options.setdefault("n_features", n_features)
    if family is Autoencoder:
        shape = options["n_timesteps"], options["n_features"]
        options["encoder"] = _network(options["encoder"], *shape)
        return Autoencoder(head=None, **options)
    n_outputs = options.pop("n_outputs", None)
    activation = options.pop("output_activation", None)
    options["head"] = None if n_outputs is None else Head(n_outputs, activation)
    if family is Recurrent:
        options.pop("activation", None)  # of an encoder, which did not use it
    else:
        n_layers = len(options["dropout"])
        if family is Convolutional:
            n_layers += len(options["dense_units"])
        options["activation"] = (options["activation"],) * n_layers
    known = {field.name for field in fields(family)}
    return family(**{k: v for k, v in options.items() if k in known})
