"""RECONSTRUCTIONS: the losses that compare pictures, by the names in a config, with their trained
networks."""

from collections.abc import Callable
from functools import partial

from torch import Tensor, nn

from motes.errors import UserError
from motes.nn.losses.observation import LIKELIHOODS, Distance, ObservationLoss, squashing
from motes.nn.losses.perceptual import (
    AbsoluteError,
    CrossEntropy,
    FeatureLoss,
    PyramidLoss,
    SquaredError,
    pixel_error_map,
)
from motes.weights.textures import random_features, texture_features
from motes.weights.vgg import trained_vgg

FEATURES: dict[str, Callable[[], nn.Module]] = {
    "vgg": trained_vgg,
    "textures": texture_features,
    "random-features": random_features,
}
RECONSTRUCTIONS: dict[str, Callable[[], nn.Module]] = {
    "mse": SquaredError,
    "absolute": AbsoluteError,
    "cross-entropy": CrossEntropy,
    "pyramid": PyramidLoss,
    **{name: partial(FeatureLoss, build) for name, build in FEATURES.items()},
}


def reconstruction_loss(name: str) -> nn.Module:
    """The loss with this name, which maps (drawn, target) to one number per picture."""
    if name not in RECONSTRUCTIONS:
        raise UserError(f"reconstruction {name!r} is unknown; choose one of {', '.join(RECONSTRUCTIONS)}")
    return RECONSTRUCTIONS[name]()


def error_map_loss(name: str, window: int = 1) -> Callable[[Tensor, Tensor], list[Tensor]]:
    """The function of this name from (drawn, target) to maps of errors, B h w.

    One map is of the pixels; a loss with features has another for each level.
    """
    loss = reconstruction_loss(name)
    if not isinstance(loss, FeatureLoss):
        return pixel_error_map
    return partial(loss.texture_error_maps, window=window) if window > 1 else loss.error_maps


def observation_model(name: str, squashed: bool, variance: float) -> ObservationLoss:
    """The likelihood or reconstruction loss with this name.

    With `squashed`, what is drawn goes through a sigmoid before it is compared.
    """
    if not variance > 0:
        raise UserError(f"variance must be more than 0, not {variance}")
    squash = squashing(squashed)
    if name in LIKELIHOODS:
        return LIKELIHOODS[name](squash, variance)
    if name not in RECONSTRUCTIONS:
        raise UserError(
            f"reconstruction {name!r} is unknown; choose one of {', '.join((*LIKELIHOODS, *RECONSTRUCTIONS))}"
        )
    return Distance(squash, reconstruction_loss(name))
