"""How unlike a ground colours are, when the ground may lie in a shadow."""

from jaxtyping import Float
from torch import Tensor

FROM_SHADOW = 0.02  # what a shadow's difference from the ground counts
DARKEST = 0.35  # share of the light that a shadow leaves


def unlike(colours: Float[Tensor, "*n c r s"], ground: Float[Tensor, "*m c p q"]) -> Float[Tensor, "*n r s"]:
    """The squared distance of each pixel's colour from the ground's, in any shadow.

    The ground may have one colour or one for each pixel. A shadow multiplies all colours by one factor. What is
    as bright as the ground or darker, but of its hue, may be ground in a shadow, and counts little.
    """
    light = (colours * ground).sum(-3, keepdim=True) / ground.square().sum(-3, keepdim=True).clamp_min(1e-6)
    shaded = light.clamp(DARKEST, 1) * ground
    plain = (colours - ground).square().sum(-3)
    return (colours - shaded).square().sum(-3) + FROM_SHADOW * plain
